"""Comparing the index with the files that it was made from: what queries believe, ``signac check`` does not."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import canonical, catalog, stamps, workspace
from ..config import check_place, index_path
from ..errors import UnusableIndexError
from ..index.documents import NO_DOCUMENT, SIGNATURE_BYTES, UNKNOWN, packed_signature, signatures_in
from ..index.records import AT_ONCE, is_ordinary, packed, take_apart
from ..index.table import ABSENT, ELSEWHERE, EMPTY, LARGE, WHOLE, Table, check_owner
from ..layout import BASE, DELTA, DOCUMENTS
from .soundness import UNSOUND, Marks, mark_of, places_in

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["DocumentClaims", "WrongTable", "examine_tables"]

_TINY, _HUGE = 1e-9, 1e9
"""Integers below, and floats between these have hashes of their own."""


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

    The marks are those of the jobs that are sound. For the files of documents, see :class:`DocumentClaims`.
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
            wrong = _what_is_wrong(table, None if kind == DOCUMENTS else marks)
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


_CONTRADICTION = "The index is wrong about what it holds: its columns differ from the rest."


def _what_is_wrong(table: Table, marks: Marks | None) -> str:
    """What is wrong with the texts in a table, or with its columns; empty if nothing is.

    There are ``marks`` where they have to be the state points of the jobs.
    """
    try:
        large = {key: far for key in table.directory.keys if (far := _large_rows(table, key))}
        of_texts, of_columns = _Sum(large), _Sum(large)
        states, ids = table.states(), _ids(table)
        for first in range(0, table.rows, AT_ONCE):
            rows = range(first, min(first + AT_ONCE, table.rows))
            trees = list(table.trees(rows))
            if any(_AS_TEXT[states[row]] is not _kind(tree) for row, tree in zip(rows, trees, strict=True)):
                return _CONTRADICTION
            if marks is not None:
                for job_id, tree in zip(islice(ids, len(rows)), trees, strict=True):
                    if not marks.vouch_for(job_id, tree) and not canonical.state_point_matches(tree, job_id):
                        return f"The index is wrong about job {job_id}."
            for key, pieces in take_apart(trees, first)[0].items():
                for some, values in pieces:
                    of_texts.add(key, some, values)
        for key in table.directory.keys:
            for chunk, data in table.read_chunks(table.chunk_list(key)):
                values = [value for value, some in table.postings(chunk, data) for _ in some]
                some = table.rows_of(chunk, data)
                of_columns.add(key, some, [None] * len(some) if chunk.kind == LARGE else values)
    except UnusableIndexError as error:
        return f"The index is {error}."
    except Exception:  # it holds anything
        return "The index is damaged."
    return "" if of_texts.sums == of_columns.sums else _CONTRADICTION


_AS_TEXT = {ABSENT: None, EMPTY: False, WHOLE: True, ELSEWHERE: None}


def _kind(tree: Any) -> bool | None:
    return None if tree is None else bool(tree)


def _ids(table: Table) -> Iterator[str]:
    for block in table.id_blocks():
        yield from block


def _large_rows(table: Table, key: str) -> frozenset[int]:
    """Rows whose values are too long to be in a column."""
    chunks = [chunk for chunk in table.chunk_list(key) if chunk.kind == LARGE]
    return frozenset(row for chunk, data in table.read_chunks(chunks) for row in table.rows_of(chunk, data))


class _Sum:
    """What all values under all keys come to, in whatever order they come; of ``large`` rows only that there is one."""

    def __init__(self, large: Mapping[str, frozenset[int]]) -> None:
        self._large = large
        self.sums: dict[tuple[str, type], int] = {}

    def add(self, key: str, rows: Sequence[int], values: Sequence[Any]) -> None:
        """Add values of a key."""
        large = self._large.get(key, frozenset())
        kinds = set(map(type, values))
        if not large and kinds <= _EASY and len(kinds) == 1:
            self._count(key, kinds.pop(), sum(map(hash, zip(rows, values, strict=True))))
            return
        for row, value in zip(rows, values, strict=True):
            if row in large:
                self._count(key, object, hash((row, None)))
            elif type(value) in _EASY or (type(value) is float and is_ordinary(value)):
                self._count(key, type(value), hash((row, value)))
            else:
                self._count(key, bytes, hash((row, packed(value))))

    def _count(self, key: str, kind: type, number: int) -> None:
        self.sums[key, kind] = self.sums.get((key, kind), 0) + number


_EASY = frozenset({int, str, bool})


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
        self._find = places_in(())
        self._signatures = b""
        self._marks = array("q")
        self._doubtful: dict[str, tuple[bytes, str]] = {}
        self._read(self._take_marks)

    def _read(self, take: Callable[[list[str], Table], None]) -> None:
        """Let a function take the ids of jobs, and the table of their documents.

        It is called only where there is an index, and what it raises means that nobody believes that.
        """
        snapshot = catalog.open_index(self._space)
        if snapshot is None:
            return
        with snapshot, suppress(Exception):
            table = snapshot.opened(os.open(self.path, workspace.OPEN_FLAGS), DOCUMENTS)
            if table.directory.base == snapshot.base.directory.id:
                take(snapshot.base.ids(), table)

    def _take_marks(self, ids: list[str], table: Table) -> None:
        nothing, signatures, states = mark_of({}), signatures_in(table), table.states()
        marks = array("q")
        for row, (state, tree) in enumerate(zip(states, table.trees(range(table.rows)), strict=True)):
            # Of a document that is too large to be held whole, the index does not say what it is.
            known = _signature_at(signatures, row) != UNKNOWN and state != ELSEWHERE
            marks.append((mark_of(tree) if tree else nothing) if known else UNSOUND)
        if len(ids) == len(marks):
            self._find, self._signatures, self._marks = places_in(ids), signatures, marks

    def _row(self, job_id: str) -> int | None:
        row = self._find(job_id)
        return row if row is not None and self._marks[row] != UNSOUND else None

    def __contains__(self, job_id: str) -> bool:
        return self._row(job_id) is not None

    def agree(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> bool:
        """Tell whether the index says of a document what has just been read, or nothing; no file has no status.

        False means that somebody has to :meth:`compare` it.
        """
        row = self._row(job_id)
        if row is None or _signature_at(self._signatures, row) != _signature(status):
            return True
        return self._marks[row] == mark_of(document)

    def compare(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> None:
        """Note what a file holds if the index may be wrong about it; the parameters are those of :meth:`agree`."""
        if not self.agree(job_id, status, document):
            self._doubtful[job_id] = _signature(status), _hash(document)

    def wrong(self) -> list[str]:
        """Jobs about whose documents the index is wrong, of those that were compared."""
        found: list[str] = []

        def take(ids: list[str], table: Table) -> None:
            rows = [row for row, job_id in enumerate(ids) if job_id in self._doubtful]
            signatures = signatures_in(table)
            for row, tree in zip(rows, table.trees(rows), strict=True):
                signature, document = self._doubtful[ids[row]]
                if _signature_at(signatures, row) == signature and _hash(tree or {}) != document:
                    found.append(ids[row])

        if self._doubtful:
            self._read(take)
        return found


def _signature(status: os.stat_result | None) -> bytes:
    return NO_DOCUMENT if status is None else packed_signature(status)


def _signature_at(signatures: bytes, row: int) -> bytes:
    return signatures[row * SIGNATURE_BYTES : (row + 1) * SIGNATURE_BYTES]


def _hash(document: dict[str, Any]) -> str:
    """What documents have in common that are identical, in whatever order their keys are."""
    return canonical.hash_of(canonical.dumps(document, sort_keys=True).encode("ascii"))
