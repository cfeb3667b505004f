"""The live state point of a job: a tree whose change renames the job.

It is read once and never again: the state point of an id does not change. A change that is refused (because the
destination exists, a value is invalid, or the disk is full) leaves the tree as it was.
"""

from __future__ import annotations

from _thread import RLock
from _weakref import ref
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from .. import canonical
from ..trees import copy_plain
from .store import BoundView
from .views import JSONDict, view_of

__all__ = ["Place", "Renaming", "StatePoint", "live"]

_T = TypeVar("_T")

Place = tuple[Any, str, bool]
"""The project of a job, its id, and whether its directory is known to exist."""


class Renaming(Protocol):
    """What is done to the job behind a state point; what its project and its handles are is not known here."""

    def revive(self, place: Place, tree: dict[str, Any]) -> Any:
        """Handle on a job whose handles have all gone."""

    def read(self, place: Place) -> dict[str, Any]:
        """State point in the file of a job."""

    def change(self, tree: dict[str, Any], handles: list[Any]) -> tuple[Place, bool]:
        """Give a job another state point; where it is now, and whether it is another job."""

    def reduce(self, handle: Any, tree: dict[str, Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the live view of a state point back after pickling."""


class StatePoint:
    """The tree behind ``job.statepoint``; shallow copies of a handle are renamed with it.

    The handle holds the view, and the view this: there are no references back that would keep the handles of a long
    iteration alive until the garbage collector looks for them. The tree is copied before the first change.
    """

    __slots__ = ("_guard", "_handles", "_is_own", "_renaming", "place", "tree")

    def __init__(self, handle: Any, tree: dict[str, Any], place: Place, renaming: Renaming) -> None:
        self._handles = [ref(handle)]
        self._renaming = renaming
        self._guard = RLock()
        self._is_own = False
        self.place = place
        self.tree = tree

    def share_with(self, handle: Any) -> None:
        """Take a shallow copy of the handle, whose job is renamed as well."""
        self._handles = [other for other in self._handles if other() is not None] + [ref(handle)]

    def handles(self) -> list[Any]:
        """Handles that are still in use, or a new one: at least one."""
        handles = [handle for other in self._handles if (handle := other()) is not None]
        return handles or [self._renaming.revive(self.place, self.tree)]

    def describe(self) -> str:
        """Name of the state point in messages."""
        return f"the state point of job '{self.place[1]}'"

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the root view back after pickling: a function and its arguments."""
        return self._renaming.reduce(self.handles()[0], self.tree)

    def sync(self) -> None:
        """Do nothing: the state point of an id does not change."""

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation and rename the job; all or nothing. ``overwrite`` means nothing here.

        Raises DestinationExistsError if a job with the new state point exists; DetachedError if the place of the view
        in the state point has gone.
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
        try:
            is_proven = canonical.state_point_matches(self.tree, self.place[1])
        except TypeError:  # what no file can hold does not come from one
            is_proven = True
        return self.tree if is_proven else self._renaming.read(self.place)

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
        self.place, renamed = self._renaming.change(self.tree, self.handles())
        return renamed


def live(handle: Any, tree: dict[str, Any], place: Place, renaming: Renaming) -> JSONDict:
    """Live view of the state point of a job."""
    return view_of(StatePoint(handle, tree, place, renaming))
