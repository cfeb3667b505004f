"""Comparing the index with the files that it was made from: what queries believe, ``signac check`` does not."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import canonical, catalog, stamps, workspace
from ..config import check_place, index_path
from ..index.documents import ABSENT, UNKNOWN, signatures_in
from ..index.table import Table, UnusableIndexError, check_owner
from ..layout import BASE, DELTA, DOCUMENTS
from ..stamps import Signature
from .soundness import UNSOUND, Marks, mark_of

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["DocumentClaims", "WrongTable", "examine_tables"]

_Trees = Iterator[tuple[int, dict[str, Any]]]


class WrongTable(NamedTuple):
    """A file of the index that is not as it should be.

    Parameters
    ----------
    path : str
        The file.
    detail : str
        What is wrong with it.
    is_believed : bool
        Whether queries may believe it all the same.
    """

    path: str
    detail: str
    is_believed: bool


def examine_tables(space: Space, listing: workspace.Listing, marks: Marks) -> Iterator[WrongTable]:
    """Say which files of the index are wrong about the jobs in a listing; those that nobody believes are passed over.

    The marks are those of the jobs that are sound. Documents are another matter, see :class:`DocumentClaims`.
    """
    is_sound = True
    for kind in (BASE, DELTA, DOCUMENTS):
        path = index_path(space.root, kind)
        try:
            table = _opened(path, kind)
        except Exception:  # nobody believes it
            continue
        wrong = ""
        try:
            check_place()
            check_owner(table.status, space.workspace)
            if kind != DOCUMENTS:
                wrong = _wrong_state_points(table, marks)
        except (OSError, UnusableIndexError):
            yield WrongTable(path, "Others may have written the index; it is not used.", is_believed=False)
        finally:
            table.close()
        if wrong:
            is_sound = False
            yield WrongTable(path, wrong, is_believed=True)
    if is_sound and not _lists(space, listing):
        yield WrongTable(index_path(space.root, BASE), "The index does not list the jobs that exist.", is_believed=True)


def _opened(path: str, kind: str) -> Table:
    fd = os.open(path, workspace.OPEN_FLAGS)
    try:
        return Table(fd, kind)
    except BaseException:
        os.close(fd)
        raise


def _wrong_state_points(table: Table, marks: Marks) -> str:
    """What is wrong with the state points in a table; empty if nothing is."""
    try:
        ids = table.ids()
        missing = set(range(len(ids)))
        for row, tree in table.trees():
            missing.discard(row)
            if not marks.vouch_for(ids[row], tree) and not canonical.state_point_matches(tree, ids[row]):
                return f"The index is wrong about job {ids[row]}."
        return "The index lacks state points of its jobs." if missing else ""
    except UnusableIndexError as error:
        return f"The index is {error}."
    except Exception:  # it holds anything
        return "The index is damaged."


def _lists(space: Space, listing: workspace.Listing) -> bool:
    """Tell whether the index, if it is believed without a listing of the workspace, has the jobs of this one."""
    snapshot = catalog.open_index(space)
    if snapshot is None:
        return True
    with snapshot:
        if snapshot.listing is not None or listing.status is None:
            return True
        if stamps.directory_signature_of(listing.status) != snapshot.about["signature"]:
            return True
        try:
            return snapshot.names() == listing.names
        except Exception:  # nobody believes it
            return True


class DocumentClaims:
    """What the index says of documents, compared with the files one by one.

    Of each document that it holds there is a mark here. Those with another mark than their file are looked at again
    when all have been compared: another order of keys makes another mark, and no difference.
    """

    def __init__(self, space: Space) -> None:
        self.path = index_path(space.root, DOCUMENTS)
        self._space = space
        self._ids: list[str] = []
        self._entries: Sequence[tuple[int, ...]] = ()
        self._marks = array("q")
        self._doubtful: dict[str, tuple[tuple[int, ...], str]] = {}
        self._read(self._take_marks)

    def _read(self, take: Callable[[list[str], Sequence[tuple[int, ...]], _Trees], None]) -> None:
        """Let a function take ids, the signature of the document of each, and rows with documents.

        It is called only where there is an index, and what it raises means that nobody believes that.
        """
        snapshot = catalog.open_index(self._space)
        if snapshot is None:
            return
        with snapshot, suppress(Exception):
            table = snapshot.opened(os.open(self.path, workspace.OPEN_FLAGS), DOCUMENTS)
            if table.directory.base == snapshot.base.directory.id:
                take(snapshot.base.ids(), signatures_in(table), table.trees())

    def _take_marks(self, ids: list[str], entries: Sequence[tuple[int, ...]], trees: _Trees) -> None:
        nothing = mark_of({})
        marks = array("q", (UNSOUND if entry == UNKNOWN else nothing for entry in entries))
        for row, tree in trees:
            if marks[row] != UNSOUND:
                marks[row] = mark_of(tree)
        if len(ids) == len(marks):
            self._ids, self._entries, self._marks = ids, entries, marks

    def _row(self, job_id: str) -> int | None:
        row = bisect_left(self._ids, job_id)
        return row if row < len(self._ids) and self._ids[row] == job_id and self._marks[row] != UNSOUND else None

    def __contains__(self, job_id: str) -> bool:
        return self._row(job_id) is not None

    def agree(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> bool:
        """Tell whether the index says of a document what has just been read, or nothing; no file has no status.

        False means that somebody has to :meth:`compare` it.
        """
        row = self._row(job_id)
        if row is None or self._entries[row] != _entry(status):
            return True
        return self._marks[row] == mark_of(document)

    def compare(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> None:
        """Note what a file holds if the index may be wrong about it; the parameters are those of :meth:`agree`."""
        if not self.agree(job_id, status, document):
            self._doubtful[job_id] = _entry(status), _hash(document)

    def wrong(self) -> list[str]:
        """Jobs about whose documents the index is wrong, of those that were compared."""
        found: list[str] = []

        def take(ids: list[str], entries: Sequence[tuple[int, ...]], trees: _Trees) -> None:
            rows = {row: job_id for row, job_id in enumerate(ids) if job_id in self._doubtful}
            held = dict.fromkeys(rows, _hash({}))
            held.update((row, _hash(tree)) for row, tree in trees if row in rows)
            for row, job_id in rows.items():
                entry, document = self._doubtful[job_id]
                if entries[row] == entry and held[row] != document:
                    found.append(job_id)

        if self._doubtful:
            self._read(take)
        return found


def _entry(status: os.stat_result | None) -> tuple[int, ...]:
    return ABSENT if status is None else Signature.of(status)


def _hash(document: dict[str, Any]) -> str:
    """What documents have in common that are identical, in whatever order their keys are."""
    return canonical.hash_of(canonical.dumps(document, sort_keys=True).encode("ascii"))
