"""Comparing the index with the files that it was made from: what queries believe, ``signac check`` does not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import finalize

from .. import catalog, stamps, workspace
from ..config import check_place, index_path
from ..errors import UnusableIndexError
from ..index.documents import NO_DOCUMENT, SIGNATURE_BYTES, UNKNOWN, packed_signature, signatures_in
from ..index.records import AT_ONCE, MANY, is_ordinary, packed, take_apart, wrong_ones
from ..index.table import (
    ABSENT,
    ELSEWHERE,
    EMPTY,
    ID_BYTES,
    LARGE,
    WHOLE,
    Table,
    check_owner,
    ids_in,
)
from ..layout import BASE, DELTA, DOCUMENTS
from ..trees import identical

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["DocumentClaims", "WrongTable", "examine_tables"]


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


def examine_tables(space: Space, listing: workspace.Listing) -> Iterator[WrongTable]:
    """Say which files of the index are wrong about the jobs in a listing; those that nobody believes are passed over.

    Documents are another matter, see :class:`DocumentClaims`.
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
            wrong = _what_is_wrong(table, names_state_points=kind != DOCUMENTS)
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


def _what_is_wrong(table: Table, *, names_state_points: bool) -> str:
    """What is wrong with the texts in a table, or with its columns; empty if nothing is."""
    try:
        large = {key: far for key in table.directory.keys if (far := _large_rows(table, key))}
        of_texts, of_columns = _Sum(large), _Sum(large)
        states, ids = table.states(), _ids(table)
        for first in range(0, table.rows, AT_ONCE):
            rows = range(first, min(first + AT_ONCE, table.rows))
            trees = list(table.trees(rows))
            if any(_AS_TEXT[states[row]] is not _kind(tree) for row, tree in zip(rows, trees, strict=True)):
                return "The index contradicts itself."
            if names_state_points:
                names = list(islice(ids, len(rows)))
                if wrong := wrong_ones(names, trees, many=table.rows >= MANY):
                    return f"The index is wrong about job {names[wrong[0]]}."
            for key, pieces in take_apart(trees, first)[0].items():
                for some, values in pieces:
                    of_texts.add(key, some, values)
        for key in table.directory.keys:
            for chunk, data in table.read_chunks(table.chunk_list(key)):
                values = [value for value, some in table.postings(chunk, data) for _ in some]
                some = table.rows_of(chunk, data)
                of_columns.add(key, some, [None] * len(some) if chunk.kind == LARGE else values)
    except Exception:  # it holds anything
        return "The index is damaged."
    return "" if of_texts.sums == of_columns.sums else "The index contradicts itself."


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
    """What the index says of documents, compared with the files one by one, in the order of the ids."""

    def __init__(self, space: Space) -> None:
        self.path = index_path(space.root, DOCUMENTS)
        self.wrong: list[str] = []
        self._table: Table | None = None
        self._rows: Iterator[tuple[int, str]] = iter(())
        self._block: tuple[int, list[Any]] = (-1, [])
        snapshot = catalog.open_index(space)
        if snapshot is None:
            return
        with snapshot, suppress(Exception):  # nobody believes it
            table = _opened(self.path, DOCUMENTS)
            finalize(self, table.close)
            if table.directory.base == snapshot.base.directory.id and table.rows == snapshot.base.rows:
                self._signatures, self._states = signatures_in(table), table.states()
                packed_ids = b"".join(bytes.fromhex("".join(block)) for block in snapshot.base.id_blocks())
                self._rows = enumerate(_names(packed_ids))
                self._table = table
        self._next = next(self._rows, None)

    def _row(self, job_id: str) -> int | None:
        """Row of a job, if the table has its document."""
        if self._table is None:
            return None
        while self._next is not None and self._next[1] < job_id:
            self._next = next(self._rows, None)
        if self._next is None or self._next[1] != job_id:
            return None
        row = self._next[0]
        is_held = self._signature(row) != UNKNOWN and self._states[row] != ELSEWHERE
        return row if is_held else None

    def _signature(self, row: int) -> bytes:
        return self._signatures[row * SIGNATURE_BYTES : (row + 1) * SIGNATURE_BYTES]

    def __contains__(self, job_id: str) -> bool:
        return self._row(job_id) is not None

    def compare(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> None:
        """Compare what the index says of a document with what has just been read; no file has no status."""
        row = self._row(job_id)
        if row is None or self._signature(row) != (NO_DOCUMENT if status is None else packed_signature(status)):
            return
        claimed = self._claimed(row)
        if self._table is not None and not identical(claimed or {}, document):
            self.wrong.append(job_id)

    def _claimed(self, row: int) -> Any:
        """Document in a row; rows are asked for in order."""
        first = row // AT_ONCE * AT_ONCE
        if self._table is not None and self._block[0] != first:
            rows = range(first, min(first + AT_ONCE, self._table.rows))
            try:
                self._block = first, list(self._table.trees(rows))
            except UnusableIndexError:  # which is another problem
                self._table = None
                return None
        return self._block[1][row - first]


def _names(ids: bytes) -> Iterator[str]:
    size = AT_ONCE * ID_BYTES
    for first in range(0, len(ids), size):
        yield from ids_in(ids[first : first + size])
