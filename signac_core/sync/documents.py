"""Bringing one document into another: the strategies, and how their outcome is written.

A strategy works on a draft of the destination document, outside any lock, because it may take its time or ask someone.
What it did to the draft is then merged, in one locked write, with what others wrote to the document meanwhile. Whatever
goes wrong before that write leaves the destination as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

from .. import canonical
from ..documents.buffer import MergeConflict, merge
from ..documents.store import BoundView
from ..documents.views import JSONDict
from ..errors import DocumentSyncConflict, SyncConflict
from ..trees import copy_plain

if TYPE_CHECKING:
    import re

__all__ = ["ByKeyOrKeep", "DocSync", "DocumentChange", "DocumentStrategy", "synchronize_document"]

_T = TypeVar("_T")

_ATTEMPTS = 5  # how often a strategy is applied anew to a document that others keep changing


class DocSync:
    """Strategies for documents; any function of source and destination document is one, too.

    Such a function changes the destination document, of which it gets a draft: a live dict whose final state is
    written at once when the function returns. An exception leaves the document as it was. Pass one of these, or a
    function of your own, as ``doc_sync``.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> src, dst = project.open_job({"T": 1}).init(), project.open_job({"T": 2}).init()
    >>> src.doc.update(steps=1000, stage="done")
    >>> dst.doc.update(steps=500)
    >>> dst.sync(src, doc_sync=DocSync.ByKey("steps"))
    >>> dst.doc()
    {'steps': 1000, 'stage': 'done'}
    >>> src.doc.stage = "archived"
    >>> dst.sync(src, doc_sync=lambda source, draft: draft.update(before=draft["stage"]))
    >>> dst.doc.before
    'done'

    """

    NO_SYNC: Literal[False] = False
    """Leave documents alone. (A job that is new at the destination comes with its document all the same.)"""

    COPY: Literal["copy"] = "copy"
    """Treat the documents of jobs like any other file, and leave the document of the project alone."""

    @staticmethod
    def update(src: Mapping[str, Any], dst: MutableMapping[str, Any]) -> None:
        """Take every top-level key from the source, overwriting what the destination holds.

        Parameters
        ----------
        src : mapping
            The source.
        dst : mutable mapping
            The destination.

        Examples
        --------
        >>> draft = {"a": 1, "n": {"x": 1}}
        >>> DocSync.update({"n": {"y": 2}}, draft)
        >>> draft
        {'a': 1, 'n': {'y': 2}}

        """
        dst.update(src)

    class ByKey:
        """Take the keys that the destination lacks, at any depth of nested mappings.

        Parameters
        ----------
        key_strategy : callable or str, optional
            Which of the keys that differ to overwrite: a function of the dotted key, or a regular expression that is
            matched at its beginning. Any other key that differs is a conflict; by default all are.

        Attributes
        ----------
        skipped_keys : set of str
            The dotted keys that were a conflict in the last use (a call, or a whole synchronization).

        Raises
        ------
        DocumentSyncConflict
            When called, if keys differ that are not to be overwritten.

        Examples
        --------
        >>> draft = {"a": 1, "n": {"x": 1}}
        >>> DocSync.ByKey("n[.]")({"b": 2, "n": {"x": 2}}, draft)
        >>> draft
        {'a': 1, 'n': {'x': 2}, 'b': 2}

        """

        def __init__(self, key_strategy: Callable[[str], Any] | str | re.Pattern[str] | None = None) -> None:
            self._given = key_strategy
            self.key_strategy: Callable[[str], Any] | None
            if key_strategy is None or callable(key_strategy):
                self.key_strategy = key_strategy
            else:
                import re

                self.key_strategy = re.compile(key_strategy).match
            self.skipped_keys: set[str] = set()

        def __repr__(self) -> str:
            return f"{type(self).__name__}({self._given!r})"

        def __call__(self, src: Mapping[str, Any], dst: MutableMapping[str, Any], root: str = "") -> Any:
            """Merge one mapping into another.

            Raises DocumentSyncConflict if keys differ that are not to be overwritten; the destination has got the other
            keys then.
            """
            self.skipped_keys = set()
            self._merge(src, dst, root, self.skipped_keys)
            if self.skipped_keys:
                raise DocumentSyncConflict(self.skipped_keys)

        def _merge(self, src: Mapping[str, Any], dst: MutableMapping[str, Any], prefix: str, skipped: set[str]) -> None:
            for key in src:
                if key not in dst:
                    dst[key] = src[key]
                    continue
                ours, theirs = src[key], dst[key]
                if isinstance(ours, Mapping) and isinstance(theirs, MutableMapping):
                    self._merge(ours, theirs, f"{prefix}{key}.", skipped)
                elif not _equal(ours, theirs):
                    if self.key_strategy is not None and self.key_strategy(prefix + key):
                        dst[key] = ours
                    else:
                        skipped.add(prefix + key)


class ByKeyOrKeep(DocSync.ByKey):
    """Take keys as :class:`DocSync.ByKey` does, and keep what the destination holds under the others that differ."""

    def __call__(self, src: Mapping[str, Any], dst: MutableMapping[str, Any], root: str = "") -> set[str]:
        """Merge one mapping into another; give the dotted keys that were left alone."""
        self.skipped_keys = set()
        self._merge(src, dst, root, self.skipped_keys)
        return self.skipped_keys


DocumentStrategy: TypeAlias = (
    Callable[[Mapping[str, Any], MutableMapping[str, Any]], Any] | Literal[False, "copy"] | None
)
"""What may be given as ``doc_sync``."""


class DocumentChange(NamedTuple):
    """What a strategy did to a document.

    Parameters
    ----------
    changed : tuple of str
        The dotted keys that were set or removed.
    skipped : tuple of str
        The dotted keys that differ and were left alone.
    """

    changed: tuple[str, ...]  # dotted keys that were set or removed
    skipped: tuple[str, ...]  # dotted keys that differ and were left alone


def synchronize_document(
    source: JSONDict,
    destination: JSONDict | None,
    strategy: Callable[[Mapping[str, Any], MutableMapping[str, Any]], Any],
    *,
    dry_run: bool = False,
) -> DocumentChange:
    """Apply a strategy to a document, all or nothing, in one write.

    Raises DocumentSyncConflict if the strategy finds keys that it cannot decide about; SyncConflict if others keep
    writing the same keys; ValueError if a document is damaged.
    """
    for attempt in count(1):
        wanted = source()
        if not wanted and (isinstance(strategy, DocSync.ByKey) or strategy is DocSync.update):
            return DocumentChange((), ())
        before = {} if destination is None else destination()
        if _equal(wanted, before):
            return DocumentChange((), ())
        draft = _Draft(copy_plain(before), "the draft of the destination document")
        result = strategy(_Draft(wanted, "the copy of the source document").view, draft.view)
        after = draft.tree
        skipped = tuple(sorted(result)) if isinstance(strategy, ByKeyOrKeep) else ()
        change = DocumentChange(tuple(_changed_keys(before, after, "")), skipped)
        if destination is None or dry_run or canonical.equal(before, after):
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

    destination._mutate(operation)


def _changed_keys(before: dict[str, Any], after: dict[str, Any], prefix: str) -> list[str]:
    """Dotted keys whose values differ; mappings on both sides are compared key by key."""
    keys = [prefix + key for key in before if key not in after]
    for key, value in after.items():
        if key not in before:
            keys.append(prefix + key)
        elif isinstance(value, dict) and isinstance(before[key], dict):
            keys += _changed_keys(before[key], value, f"{prefix}{key}.")
        elif not canonical.equal(before[key], value):
            keys.append(prefix + key)
    return keys


def _equal(left: Any, right: Any) -> bool:
    """Compare two values as Python does (1 equals 1.0), except that NaN equals itself."""
    return bool(left == right) or canonical.equal(canonical.plain(left), canonical.plain(right))


class _Draft:
    """A tree behind a live dict that is kept in memory only."""

    def __init__(self, tree: dict[str, Any], name: str) -> None:
        self.tree = tree
        self._name = name
        self.view = JSONDict._of(self)

    def sync(self) -> None:
        """Nobody else changes the tree."""

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation to the tree."""
        result = operation(view._attached_data())
        view._prune()
        return result

    def describe(self) -> str:
        """Name of the draft in messages."""
        return self._name

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """A pickled draft is plain data."""
        return copy_plain, (self.tree,)


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "re": "",
        },
    )
