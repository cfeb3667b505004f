"""The live state point of a job: a tree whose change renames the job.

It is read once and never again: the state point of an id does not change. A change that is refused (because the
destination exists, a value is invalid, or the disk is full) leaves the tree as it was.
"""

from __future__ import annotations

from _thread import RLock
from _weakref import ref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .. import canonical
from ..trees import copy_plain
from .store import BoundView
from .views import JSONDict

if TYPE_CHECKING:
    from ..job import Job

__all__ = ["StatePoint", "live"]

_T = TypeVar("_T")


class StatePoint:
    """The tree behind ``job.statepoint``.

    Notes
    -----
    The handle holds the view, and the view this: there are no references back that would keep the handles of a long
    iteration alive until the garbage collector looks for them.
    """

    __slots__ = ("_directory_known", "_guard", "_handles", "_is_own", "place", "tree")

    def __init__(self, job: Job, tree: dict[str, Any]) -> None:
        self._handles = [ref(job)]
        self._directory_known = job._directory_known
        self._guard = RLock()
        self._is_own = False
        self.place = job._project, job._id
        self.tree = tree

    def share_with(self, job: Job) -> None:
        """Take a shallow copy of the handle, whose job is renamed as well."""
        self._handles = [handle for handle in self._handles if handle() is not None] + [ref(job)]

    def handles(self) -> list[Job]:
        """Handles that are still in use, or a new one."""
        handles = [job for handle in self._handles if (job := handle()) is not None]
        if not handles:
            from ..job import Job

            handles = [Job._known(*self.place, self.tree)]
            handles[0]._directory_known = self._directory_known
        return handles

    def describe(self) -> str:
        """Name of the state point in messages."""
        return f"the state point of job '{self.place[1]}'"

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the root view back after pickling."""
        return _view_of, (self.handles()[0], self.tree)

    def sync(self) -> None:
        """Do nothing: the state point of an id does not change."""

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation and rename the job; all or nothing.

        Raises DestinationExistsError if a job with the new state point exists; DetachedError if the place of the view
        in the state point has gone; OSError if the job cannot be renamed.
        """
        with self._guard:
            return self._mutate(view, operation)

    def _mutate(self, view: BoundView, operation: Callable[[Any], _T]) -> _T:
        if not self._is_own:
            self._take(copy_plain(self._proven()), view)
            self._is_own = True
        container = view._attached_data()
        before = canonical.dumps(self.tree)
        renamed = False
        try:
            result = operation(container)
            if canonical.dumps(self.tree) != before:
                renamed = self._rename()
        finally:
            if not renamed and canonical.dumps(self.tree) != before:  # refused, or the same job in another key order
                self._take(canonical.loads(before), view)
        view._prune()
        return result

    def _proven(self) -> dict[str, Any]:
        """The tree, which is going to be written; one from the index, if it is wrong, is read from its file."""
        project, job_id = self.place
        try:
            is_proven = canonical.state_point_matches(self.tree, job_id)
        except TypeError:  # what no file can hold does not come from one
            is_proven = True
        return self.tree if is_proven else project._read_statepoint(job_id)

    def correct(self, tree: dict[str, Any], view: BoundView) -> None:
        """Take the right state point in the place of a wrong one."""
        self._take(tree, view)
        self._is_own = False

    def _take(self, tree: dict[str, Any], view: BoundView) -> None:
        """Take another tree and bind the live views to it."""
        self.tree = tree
        while view._parent is not None:
            view = view._parent
        view._rebind(tree)

    def _rename(self) -> bool:
        """Give the job the state point in the tree; tell whether it is another one."""
        handles = self.handles()
        renamed = handles[0]._change_statepoint(self.tree, handles)
        self.place = handles[0]._project, handles[0]._id
        return renamed


def live(job: Job, tree: dict[str, Any]) -> JSONDict:
    """Live view of a state point."""
    return JSONDict._of(StatePoint(job, tree))


def _view_of(job: Job, tree: dict[str, Any]) -> Any:
    if job._data is None:
        job._data = tree
    return job.statepoint
