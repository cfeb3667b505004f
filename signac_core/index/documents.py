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
from ..parallel import Together, files_together
from ..query import And, Condition, Query
from ..workspace import OPEN_FLAGS
from .evaluation import rows_that_satisfy, undecided
from .table import ELSEWHERE, ID_BYTES, IDS_PER_BLOCK, Rows, Table

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
_COMPARED_AT_ONCE = 4 * IDS_PER_BLOCK  # so that few descriptors are opened, and little is in memory
_KIND, _LINK = 0o170000, stat.S_IFLNK  # bits of a mode
_INODE, _LENGTH = stat.ST_INO, stat.ST_SIZE  # numbers of fields


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
        present = snapshot.layers[0].present
        self.asked = present & asked
        self.valid = Rows(0)
        with suppress(Exception):  # whatever is wrong with it: the files have the answer
            if snapshot.documents is None:
                snapshot.documents = _opened(snapshot)
        if snapshot.documents is not None:
            self.table, signatures = snapshot.documents
            self.valid = self._compare(self.table, memoryview(signatures))

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

    def readable(self) -> bytes:
        """Flags of the rows whose documents are in the table, and valid."""
        table = self.table
        if table is None:
            return b""
        return (self.valid - _elsewhere(table)).flags(table.rows)

    def _compare(self, table: Table, signatures: memoryview) -> Rows:
        """Rows whose documents are as they were; of the ids, only the blocks are read that have rows asked for."""
        valid = bytearray(table.rows)
        flags = self.asked.flags(table.rows)
        size = SIGNATURE_BYTES
        for first in range(0, table.rows, _COMPARED_AT_ONCE):
            asked = flags[first : first + _COMPARED_AT_ONCE]
            count = asked.count(1)
            if not count:
                continue
            end = first + len(asked)
            rows: Sequence[int] = range(first, end)
            known = bytes(signatures[first * size : end * size])
            if count < len(asked):
                rows = list(compress(rows, asked))
                known = b"".join([signatures[row * size : (row + 1) * size] for row in rows])
            compare = _comparison(self.snapshot.base.packed_ids(rows), known)
            found = bytes(files_together(self.snapshot.space, range(count), layout.FN_DOCUMENT, compare))
            if count == len(asked):
                valid[first:end] = found
            else:
                for row in compress(rows, found):
                    valid[row] = 1
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


def _opened(snapshot: Snapshot) -> tuple[Table, bytes] | None:
    """The table of the documents of a base, and their signatures; None if it belongs to another one."""
    base = snapshot.base
    table = snapshot.opened(os.open(index_path(snapshot.space.root, DOCUMENTS), OPEN_FLAGS), DOCUMENTS)
    try:
        if table.directory.base == base.directory.id and table.rows == base.rows:
            return table, signatures_in(table)
    except BaseException:
        table.close()
        raise
    table.close()
    return None


def _in_blocks(rows: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


def _elsewhere(table: Table) -> Rows:
    """Rows whose documents are too large for the table."""
    only = bytearray(256)
    only[ELSEWHERE] = 1
    return Rows.of(table.states().translate(only))


def _comparison(ids: bytes, signatures: bytes) -> Together[int, int]:
    """Make a function that tells of some jobs, by their places, whether their documents have their signatures still.

    There are very many files, so that little is made for each of them but what ``stat`` makes.
    """
    size = SIGNATURE_BYTES

    def compare(some: Sequence[int], before: str, after: str, dir_fd: int | None) -> bytes:
        first, end = some[0], some[-1] + 1
        known = signatures[first * size : end * size]
        numbers = iter(memoryview(known).cast("Q").tolist())
        paths = _paths(ids[first * ID_BYTES : end * ID_BYTES], before, after)
        same = bytearray(b"\1" * len(paths))
        look = os.lstat
        for at, path, inode, length, modified, changed in zip(range(len(paths)), paths, *[numbers] * 4, strict=False):
            try:
                status = look(path, dir_fd=dir_fd)
                # Its first fields are quicker to get at by their numbers.
                if (
                    status.st_ctime_ns == changed
                    and status.st_mtime_ns == modified
                    and status[_INODE] == inode
                    and status[_LENGTH] == length
                ):
                    continue
                now = _signature(status, path, dir_fd)
            except FileNotFoundError:
                now = NO_DOCUMENT
            except OSError:
                now = _NONE
            same[at] = now == known[at * size : (at + 1) * size]
        return bytes(same)

    return compare


def _paths(ids: bytes, before: str, after: str) -> list[bytes]:
    """Paths of files of jobs: packed ids, with something before and after them."""
    between = f"{after}\0{before}"
    return os.fsencode(before + ids.hex("\0", ID_BYTES).replace("\0", between) + after).split(b"\0")


def _signature(status: os.stat_result, path: bytes, dir_fd: int | None) -> bytes:
    """Signature of a document; like no other if that cannot be told, as of a link that leads nowhere."""
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
