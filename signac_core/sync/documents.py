"""Bringing one document into another: the strategies, and how their outcome is written.

A strategy works on a draft of the destination document, outside any lock, because it may take its time or ask someone.
What it did to the draft is then merged, in one locked write, with what others wrote to the document meanwhile. Whatever
goes wrong before that write leaves the destination as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from itertools import count
from typing import Any, NamedTuple, TypeVar

from .. import canonical
from ..documents.merging import MergeConflict, merge
from ..documents.store import BoundView, apply
from ..documents.views import JSONDict, mutate, view_of
from ..errors import SyncConflict
from ..trees import copy_plain, equal
from .strategies import ByKeyOrKeep, DocSync

__all__ = [
    "DocumentChange",
    "synchronize_document",
]

_T = TypeVar("_T")

_ATTEMPTS = 5  # how often a strategy is applied anew to a document that others keep changing


class DocumentChange(NamedTuple):
    """What a strategy did to a document.

    Parameters
    ----------
    changed : tuple of str
        The dotted keys that were set or removed.
    skipped : tuple of str
        The dotted keys that differ and were left alone.
    """

    changed: tuple[str, ...]
    skipped: tuple[str, ...]


def synchronize_document(
    source: JSONDict,
    destination: JSONDict | None,
    strategy: Callable[[Mapping[str, Any], MutableMapping[str, Any]], Any],
    *,
    dry_run: bool = False,
) -> DocumentChange:
    """Apply a strategy to a document, all or nothing, in one write.

    The destination is None if it does not exist yet, in dry runs. When others write the same keys meanwhile, the
    strategy is applied anew to what they wrote; SyncConflict if they do not stop. DocumentSyncConflict if the strategy
    finds keys that it cannot decide about.
    """
    for attempt in count(1):
        wanted = source()
        if not wanted and (isinstance(strategy, DocSync.ByKey) or strategy is DocSync.update):
            return DocumentChange((), ())
        before = {} if destination is None else destination()
        if equal(wanted, before):
            return DocumentChange((), ())
        draft = _Draft(copy_plain(before), "the draft of the destination document")
        result = strategy(_Draft(wanted, "the copy of the source document").view, draft.view)
        after = draft.tree
        skipped = tuple(sorted(result)) if isinstance(strategy, ByKeyOrKeep) else ()
        change = DocumentChange(tuple(_changed_keys(before, after, "")), skipped)
        if destination is None or dry_run or canonical.same_json(before, after):
            return change
        try:
            _write(destination, before, after)
        except MergeConflict:
            if attempt == _ATTEMPTS:
                raise SyncConflict(
                    f"Others kept changing '{destination.filename}': synchronize again when they are done."
                ) from None
        else:
            return change
    raise AssertionError("unreachable")


def _write(destination: JSONDict, before: dict[str, Any], after: dict[str, Any]) -> None:
    def operation(tree: dict[str, Any]) -> None:
        new = copy_plain(merge(before, after, tree))
        tree.clear()
        tree.update(new)

    mutate(destination, operation)


def _changed_keys(before: dict[str, Any], after: dict[str, Any], prefix: str) -> list[str]:
    """Dotted keys whose values differ; mappings on both sides are compared key by key."""
    keys = [prefix + key for key in before if key not in after]
    for key, value in after.items():
        if key not in before:
            keys.append(prefix + key)
        elif isinstance(value, dict) and isinstance(before[key], dict):
            keys += _changed_keys(before[key], value, f"{prefix}{key}.")
        elif not canonical.same_json(before[key], value):
            keys.append(prefix + key)
    return keys


class _Draft:
    """A tree behind a live dict that is kept in memory only."""

    def __init__(self, tree: dict[str, Any], name: str) -> None:
        self.tree = tree
        self._name = name
        self.view = view_of(self)

    def sync(self) -> None:
        """Nobody else changes the tree."""

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation to the tree."""
        return apply(view, operation)

    def describe(self) -> str:
        """Name of the draft in messages."""
        return self._name

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """A pickled draft is plain data."""
        return copy_plain, (self.tree,)
