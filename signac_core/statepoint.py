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
from .jsondict import JSONDict

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
        The state point, plain; owned by this object from now on.

    """

    def __init__(self, job: Job, tree: dict[str, Any]) -> None:
        self.jobs = [job]
        self._guard = RLock()
        self.tree = tree
        self.root: BoundView | None = None
        self.view = JSONDict._of(self)

    def describe(self) -> str:
        """Name of the state point in messages."""
        return f"the state point of job '{self.jobs[0].id}'"

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the root view back after pickling."""
        return _view_of, (self.jobs[0],)

    def sync(self) -> None:
        """Do nothing: the state point of an id does not change."""

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation and rename the job; all or nothing.

        Raises
        ------
        DestinationExistsError
            If a job with the new state point exists.
        OSError
            If the job cannot be renamed.

        """
        with self._guard:
            return self._mutate(view, operation)

    def _mutate(self, view: BoundView, operation: Callable[[Any], _T]) -> _T:
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
