"""Documents in the index.

A document changes in place, so every entry carries the signature of its file and is believed only while that is the
same: one stat per job instead of open, read and close. Only documents of jobs in the base are kept, row by row, in a
table of their own; large ones are not, the table only knows that they are. Nothing is written here (see
`refreshing_documents`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import compress
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

from .. import layout
from ..config import index_path
from ..errors import UnusableIndexError
from ..layout import DOCUMENTS
from ..parallel import each_file
from ..query import And, Condition, Query
from ..workspace import OPEN_FLAGS
from .evaluation import rows_that_satisfy, undecided
from .table import ELSEWHERE, IDS_PER_BLOCK, Rows, Table, without_collection

if TYPE_CHECKING:
    from .snapshot import Snapshot

__all__ = [
    "NO_DOCUMENT",
    "SIGNATURE_BYTES",
    "UNKNOWN",
    "IndexedDocuments",
    "packed_signature",
    "possible_rows",
    "signatures_in",
]

SIGNATURE_BYTES = 32
NO_DOCUMENT = (1 << 64).to_bytes(SIGNATURE_BYTES, "little")
"""Signature of a document that is not there."""
UNKNOWN = bytes(SIGNATURE_BYTES)
"""Signature of a document that is not in the table."""
_NONE = b"\xff" * SIGNATURE_BYTES
_64_BITS = (1 << 64) - 1
_ALL_BITS = (1 << 8 * SIGNATURE_BYTES) - 1
_REWRITTEN_SHARE = 4
"""A new table is worth its while when a quarter of the documents had to be read."""
_WORTHWHILE = 64
_AT_ONCE = 1024
_KIND, _LINK = 0o170000, stat.S_IFLNK  # bits of a mode


def packed_signature(status: os.stat_result) -> bytes:
    """Signature of a file, see `stamps.Signature`: its four numbers, in 64 bits each."""
    times = status.st_ctime_ns << 64 | status.st_mtime_ns & _64_BITS  # which may be before 1970
    return ((times << 128 | status.st_size << 64 | status.st_ino) & _ALL_BITS).to_bytes(SIGNATURE_BYTES, "little")


class IndexedDocuments:
    """The documents of some rows that the index holds, compared with the files.

    ``table`` is what holds them, ``valid`` the rows whose documents are as they were; ``started`` is when the comparing
    began, by both clocks.
    """

    def __init__(self, snapshot: Snapshot, asked: Rows) -> None:
        self.snapshot = snapshot
        self.started = time_ns(), monotonic()
        self.table: Table | None = None
        base, present = snapshot.layers[0]
        self.asked = present & asked
        self.valid = Rows(0)
        with suppress(Exception):  # whatever is wrong with it: the files have the answer
            fd = os.open(index_path(snapshot.space.root, DOCUMENTS), OPEN_FLAGS)
            table = snapshot.opened(fd, DOCUMENTS)
            if table.directory.base == base.directory.id and table.rows == base.rows:
                self.table = table
        if self.table is not None:
            self.valid = self._compare(self.table)

    def find(self, query: Query) -> tuple[list[str], list[str]]:
        """Ask for the jobs that match a query, and for those whose files have to be asked."""
        base = self.snapshot.base
        found: list[str] = []
        unknown = self.asked - self.valid
        if self.table is not None:
            unsure = self._undecided(query, self.table) & self.asked
            found = base.ids_of((self._evaluate(query, self.table) & self.valid & self.asked) - unsure)
            unknown = unknown | unsure
        rest = base.ids_of(unknown)
        for table, rows in self.snapshot.layers[1:]:
            rest += table.ids_of(rows & possible_rows(table, query))
        return found, rest

    def lines(self, rows: Sequence[int]) -> tuple[list[bytes | None], bool]:
        """Documents of rows, which are sorted, as texts; and whether all are plain.

        None where the file has to be read; that of a job without a document is empty.
        """
        if self.table is None:
            return [None] * len(rows), True
        from .texts import NOTHING  # what judges columns alone pays for no import

        texts: list[bytes | None] = []
        plain = True
        flags = self.readable()
        for block in _in_blocks(rows):
            here = [row for row in block if flags[row]]
            lines = self.table.texts.lines(here)
            plain = plain and lines.plain
            found = iter(lines.texts)
            texts += [(b"{}" if (text := next(found)) == NOTHING else text) if flags[row] else None for row in block]
        return texts, plain

    def trees(self, rows: Sequence[int]) -> list[dict[str, Any] | None]:
        """Do the same with what the texts say."""
        from .texts import Lines

        with without_collection():
            texts, plain = self.lines(rows)
            held = Lines([text for text in texts if text is not None], plain)
            found = iter(held.trees())
            return [None if text is None else next(found) for text in texts]

    def readable(self) -> bytes:
        """Flags of the rows whose documents are in the table, and valid."""
        table = self.table
        if table is None:
            return b""
        return (self.valid - _elsewhere(table)).flags(table.rows)

    def _compare(self, table: Table) -> Rows:
        """Rows whose documents are as they were."""
        signatures = memoryview(signatures_in(table))
        valid = bytearray(table.rows)
        flags = self.asked.flags(table.rows)
        size = SIGNATURE_BYTES
        for number, ids in enumerate(self.snapshot.base.id_blocks()):
            first = number * IDS_PER_BLOCK
            asked = flags[first : first + len(ids)]
            rows = list(compress(range(first, first + len(ids)), asked))
            if not rows:
                continue
            names = ids if len(rows) == len(ids) else list(compress(ids, asked))
            now = b"".join(each_file(self.snapshot.space, names, layout.FN_DOCUMENT, _signature))
            if len(rows) == len(ids) and now == signatures[first * size : (first + len(ids)) * size]:
                valid[first : first + len(ids)] = asked
                continue
            for at, row in enumerate(rows):
                valid[row] = now[at * size : (at + 1) * size] == signatures[row * size : (row + 1) * size]
        return Rows.of(valid)

    def _evaluate(self, query: Query, documents: Table) -> Rows:
        base = self.snapshot.base

        def satisfied(condition: Condition) -> Rows:
            return rows_that_satisfy(base if condition.namespace == "sp" else documents, condition)

        return query.evaluate(satisfied, base.all_rows)

    def _undecided(self, query: Query, documents: Table) -> Rows:
        of_state_point = [condition for condition in query.conditions if condition.namespace == "sp"]
        of_document = [condition for condition in query.conditions if condition.namespace != "sp"]
        return undecided(self.snapshot.base, of_state_point) | undecided(documents, of_document)

    def is_worth_refreshing(self) -> bool:
        """Tell whether so many documents have to be read, because the table does not have them, that a new one pays."""
        number = (self.asked - self.valid).bits.bit_count()
        return number >= _WORTHWHILE and number * _REWRITTEN_SHARE >= self.snapshot.base.rows


def _in_blocks(rows: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


def _elsewhere(table: Table) -> Rows:
    """Rows whose documents are too large for the table."""
    only = bytearray(256)
    only[ELSEWHERE] = 1
    return Rows.of(table.states().translate(only))


def _signature(job_id: str, path: str, dir_fd: int | None) -> bytes:
    """Signature of the document in a file; like no other if that cannot be told, as of a link that leads nowhere."""
    try:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return NO_DOCUMENT
    except OSError:
        return _NONE
    if status.st_mode & _KIND == _LINK:
        try:
            status = os.stat(path, dir_fd=dir_fd)
        except OSError:
            return _NONE
    return packed_signature(status)


def signatures_in(table: Table) -> bytes:
    """Signatures of the documents in a table, row by row.

    Raises UnusableIndexError if there is not one for each.
    """
    signatures = table.extra()
    if len(signatures) != table.rows * SIGNATURE_BYTES:
        raise UnusableIndexError("damaged")
    return signatures


def possible_rows(table: Table, query: Query) -> Rows:
    """Rows that the conditions on state points do not exclude."""
    parts: Iterable[Any] = query.expression.parts if isinstance(query.expression, And) else ()
    rows = table.all_rows()
    for part in parts:
        if isinstance(part, Condition) and part.namespace == "sp":
            rows = rows & (rows_that_satisfy(table, part) | undecided(table, [part]))
    return rows
