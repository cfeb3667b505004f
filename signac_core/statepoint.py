"""The live state point of a job: a tree whose change renames the job.

It is read once and never again: the state point of an id does not change. A change that is refused (because the
destination exists, a value is invalid, or the disk is full) leaves the tree as it was.
"""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from . import canonical
from .document import BoundView
from .jsondict import JSONDict, copy_plain

if TYPE_CHECKING:
    from .job import Job

__all__ = ["StatePoint"]

_T = TypeVar("_T")


class StatePoint:
    """The tree behind ``job.statepoint``.

    Parameters
    ----------
    job : Job
        The handle whose job is renamed by changes; shallow copies of it are renamed with it.
    tree : dict
        The state point, plain; it is copied before the first change.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> job = project.open_job({"T": 1.5}).init()
    >>> StatePoint(job, {"T": 1.5}).view.T = 2.5
    >>> job == project.open_job({"T": 2.5}), len(project)
    (True, 1)

    """

    def __init__(self, job: Job, tree: dict[str, Any]) -> None:
        self.jobs = [job]
        self._guard = RLock()
        self.tree = tree
        self._is_own = False
        self.root: BoundView | None = None
        self.view = JSONDict._of(self)

    def describe(self) -> str:
        """Name of the state point in messages.

        Returns
        -------
        str
            The name.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> StatePoint(job, {"T": 1.5}).describe()
        "the state point of job 'e99643db5357346e9026d8965a9e958a'"

        """
        return f"the state point of job '{self.jobs[0].id}'"

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the root view back after pickling.

        Returns
        -------
        tuple
            A function and its arguments.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> function, arguments = StatePoint(job, {"T": 1.5}).reduce()
        >>> function(*arguments) == job.statepoint
        True

        """
        return _view_of, (self.jobs[0],)

    def sync(self) -> None:
        """Do nothing: the state point of an id does not change.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> StatePoint(job, {"T": 1.5}).sync()

        """

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation and rename the job; all or nothing.

        Parameters
        ----------
        view : BoundView
            The view whose container is changed.
        operation : callable
            Called with the container; changes it in place.
        overwrite : bool
            Of no meaning here.

        Returns
        -------
        object
            What the operation returns.

        Raises
        ------
        DestinationExistsError
            If a job with the new state point exists.
        DetachedError
            If the place of the view in the state point has gone.
        OSError
            If the job cannot be renamed.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> state_point = StatePoint(job, {"T": 1.5})
        >>> state_point.mutate(state_point.view, lambda data: data.pop("T"))
        1.5
        >>> job.sp()
        {}

        """
        with self._guard:
            return self._mutate(view, operation)

    def _mutate(self, view: BoundView, operation: Callable[[Any], _T]) -> _T:
        if not self._is_own:
            self.tree = copy_plain(self.tree)
            self._is_own = True
            self.view._rebind(self.tree)
        container = view._attached_data()
        before = canonical.dumps(self.tree)
        renamed = False
        try:
            result = operation(container)
            if canonical.dumps(self.tree) != before:
                renamed = self.jobs[0]._change_statepoint(self.tree, self.jobs)
        finally:
            if not renamed and canonical.dumps(self.tree) != before:  # refused, or the same job in another key order
                self.tree = canonical.loads(before)
                self.view._rebind(self.tree)
        view._prune()
        return result


def _view_of(job: Job) -> Any:
    return job.statepoint
