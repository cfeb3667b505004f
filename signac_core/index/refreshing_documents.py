"""Writing down the documents that a query has to read, while it reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .. import stamps
from ..config import index_path
from ..layout import DOCUMENTS
from .documents import NO_DOCUMENT, SIGNATURE_BYTES, UNKNOWN, packed_signature, signatures_in
from .records import AT_ONCE, MANY, count_leaves, records_of, take_apart
from .table import ABSENT, ELSEWHERE, EMPTY, WHOLE
from .texts import NOTHING, Lines
from .writing import LONGEST_OF_DOCUMENT, new_table

if TYPE_CHECKING:
    import os

    from .documents import IndexedDocuments

__all__ = ["DocumentsWriter"]

_LONGEST_TEXT = 1 << 16
_MOST_LEAVES = 1000
"""Bytes and leaves of a document that is kept in the table."""
_LEAVES_LONG = 5 * _MOST_LEAVES  # bytes that so many leaves take at least: '"":0,' each


class DocumentsWriter:
    """Writes a new table, with the documents that are as they were indexed, and those that are read now.

    It takes the place of the old one when it is finished.

    Raises OSError, as all methods do, if it cannot be written.
    """

    def __init__(self, documents: IndexedDocuments) -> None:
        snapshot = documents.snapshot
        self._documents = documents
        self._number = snapshot.base.rows
        self._stack = ExitStack()
        self._table, self._created = self._stack.enter_context(
            new_table(index_path(snapshot.space.root, DOCUMENTS), LONGEST_OF_DOCUMENT)
        )
        self._began = stamps.time_of_reading(*documents.started, self._created)
        self._youngest: dict[int, int] = {}
        old = documents.table
        self._before = b"" if old is None else signatures_in(old)
        self._states = b"" if old is None else old.states()
        self._kept = b"" if old is None else (documents.valid | (old.all_rows() - documents.asked)).flags(old.rows)
        self._rows = enumerate(_ids(documents))
        self._read: dict[int, tuple[dict[str, Any] | None, bytes]] = {}
        self._signatures = bytearray()
        self._next: tuple[int, str] | None = next(self._rows, None)

    def __enter__(self) -> DocumentsWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.__exit__(OSError, OSError(), None)  # unless it is finished

    def add(self, job_id: str, document: dict[str, Any] | None, status: os.stat_result | None) -> None:
        """Add a document that was read, and the status of its file; those of jobs in the base in the order of the ids.

        Only those are kept that cannot change without a change of their signatures: both time stamps of the file must
        have been older than its reading by a margin, see `stamps`.
        """
        while self._next is not None and self._next[1] < job_id:
            self._next = next(self._rows, None)
        if self._next is None or self._next[1] != job_id or not self._is_settled(status):
            return
        row = self._next[0]
        while row >= self._table.rows + AT_ONCE:
            self._write_rows()
        self._read[row] = document, NO_DOCUMENT if status is None else packed_signature(status)

    def finish(self) -> None:
        """Put the table in its place."""
        while self._table.rows < self._number:
            self._write_rows()
        base = self._documents.snapshot.base.directory.id
        self._table.finish(DOCUMENTS, {}, base=base, extra=bytes(self._signatures))
        self._stack.close()
        self._documents.snapshot.documents = None  # there is a newer one

    def _is_settled(self, status: os.stat_result | None) -> bool:
        if status is None:
            return True
        device = status.st_dev
        if device not in self._youngest:
            self._youngest[device] = self._began - stamps.margin(device, self._created.st_dev)
        return max(stamps.times_of(status)) < self._youngest[device]

    def _write_rows(self) -> None:
        """Write the next rows."""
        first = self._table.rows
        end = min(first + AT_ONCE, self._number)
        trees: list[dict[str, Any] | None] = [None] * (end - first)
        texts = [NOTHING] * (end - first)
        states = bytearray([ABSENT]) * (end - first)
        signatures = [UNKNOWN] * (end - first)
        loose = self._add_kept(first, end, trees, texts, states, signatures)
        loose += self._add_read(first, trees, texts, states, signatures)
        columns, unfit = take_apart(trees, first)
        if unfit:
            for at in unfit:
                trees[at], texts[at], states[at] = None, NOTHING, ELSEWHERE
            columns, _ = take_apart(trees, first)
        self._table.add(columns, texts, bytes(states), loose)
        self._signatures += b"".join(signatures)

    def _add_kept(
        self,
        first: int,
        end: int,
        trees: list[dict[str, Any] | None],
        texts: list[bytes],
        states: bytearray,
        signatures: list[bytes],
    ) -> list[int]:
        """Add what is as it was; return the positions of texts that are not JSON to everybody."""
        table = self._documents.table
        rows = [row for row in range(first, end) if row not in self._read and self._kept[row]] if table else []
        if not rows or table is None:
            return []
        lines: Lines = table.texts.lines(rows)
        places = [row - first for row in rows]
        found = lines.trees()
        held = records_of([], found, many=False) if not lines.plain else None
        for number, (at, row) in enumerate(zip(places, rows, strict=True)):
            trees[at] = found[number]
            texts[at] = lines.texts[number] if held is None else held.texts[number]
            states[at] = self._states[row]
            signatures[at] = self._before[row * SIGNATURE_BYTES : (row + 1) * SIGNATURE_BYTES]
        return [] if held is None else [places[number] for number in held.loose]

    def _add_read(
        self,
        first: int,
        trees: list[dict[str, Any] | None],
        texts: list[bytes],
        states: bytearray,
        signatures: list[bytes],
    ) -> list[int]:
        """Add what was read; return the positions of texts that are not JSON to everybody."""
        read, self._read = self._read, {}
        records = records_of([], [tree for tree, _ in read.values()], many=self._number >= MANY)
        loose = []
        for number, (row, (tree, signature)) in enumerate(read.items()):
            at, text = row - first, records.texts[number]
            signatures[at] = signature
            if tree is None:
                continue
            if len(text) > _LEAVES_LONG and (
                len(text) > _LONGEST_TEXT or count_leaves(tree, _MOST_LEAVES) > _MOST_LEAVES
            ):
                states[at] = ELSEWHERE
            else:
                trees[at], texts[at], states[at] = tree, text, WHOLE if tree else EMPTY
                loose += [at] if number in records.loose else []
        return loose


def _ids(documents: IndexedDocuments) -> Iterator[str]:
    for block in documents.snapshot.base.id_blocks():
        yield from block
