"""Documents in the index.

A document changes in place, so every entry carries the signature of its file and is believed only while that is the
same: one stat per job instead of open, read and close. Only documents of jobs in the base are kept, row by row, in a
table of their own. Nothing is written here (see `refreshing_documents`).
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

from .. import layout
from ..config import index_path
from ..layout import DOCUMENTS
from ..parallel import each_file
from ..query import And, Condition, Query
from ..stamps import Signature
from ..workspace import OPEN_FLAGS
from .evaluation import rows_that_satisfy
from .table import Rows, Table, without_collection

if TYPE_CHECKING:
    from .snapshot import Snapshot

__all__ = ["ABSENT", "UNKNOWN", "IndexedDocuments", "possible_rows", "signatures_in"]

ABSENT = Signature(0, 1, 0, 0)
UNKNOWN = Signature(0, 0, 0, 0)
_WIDTH = 4
_REWRITTEN_SHARE = 4
"""A new table is worth its while when a quarter of the documents had to be read."""
_WORTHWHILE = 64


class IndexedDocuments:
    """The documents that the index holds, compared with the files."""

    def __init__(self, snapshot: Snapshot, asked: Rows) -> None:
        self._snapshot = snapshot
        self._started, self._started_monotonic = time_ns(), monotonic()
        self._table: Table | None = None
        self._ids: list[str] = snapshot.base.ids()
        self._valid = bytearray(snapshot.base.rows)
        base, present = snapshot.layers[0]
        self._asked = present & asked
        with suppress(Exception):  # whatever is wrong with it: the files have the answer
            fd = os.open(index_path(snapshot.space.root, DOCUMENTS), OPEN_FLAGS)
            self._table = snapshot.opened(fd, DOCUMENTS)
            if self._table.directory.base != base.directory.id or self._table.rows != base.rows:
                self._table = None
        if self._table is not None:
            self._compare(self._table)

    def find(self, query: Query) -> tuple[list[str], list[str]]:
        """Ask for the jobs that match a query."""
        base, valid = self._snapshot.base, Rows.of(self._valid)
        found: list[str] = []
        if self._table is not None:
            found = base.ids_of(self._evaluate(query, self._table) & self._asked & valid)
        rest = base.ids_of(self._asked - valid)
        for table, rows in self._snapshot.layers[1:]:
            rest += table.ids_of(rows & possible_rows(table, query))
        return found, rest

    def trees(self) -> dict[str, dict[str, Any]]:
        """Documents that are as they were indexed, by job id; those of jobs without one are empty."""
        if self._table is None:
            return {}
        rows = [row for row, flag in enumerate(self._valid) if flag]
        ids = map(self._ids.__getitem__, rows)
        with without_collection():
            return {job_id: tree or {} for job_id, tree in zip(ids, self._table.trees(rows), strict=True)}

    def _compare(self, table: Table) -> None:
        """Find the rows whose documents are as they were."""
        entries = signatures_in(table)
        flags = self._asked.flags(table.rows)
        rows = [row for row, flag in enumerate(flags) if flag]
        asked = [self._ids[row] for row in rows]
        signatures = each_file(self._snapshot.space, asked, layout.FN_DOCUMENT, _signature)
        for row, signature in zip(rows, signatures, strict=True):
            self._valid[row] = entries[row] == signature

    def _evaluate(self, query: Query, documents: Table) -> Rows:
        base = self._snapshot.base

        def satisfied(condition: Condition) -> Rows:
            return rows_that_satisfy(base if condition.namespace == "sp" else documents, condition)

        return query.evaluate(satisfied, base.all_rows)

    def worth_refreshing(self, number: int) -> bool:
        """Tell whether so many documents had to be read that a new table pays."""
        return number >= _WORTHWHILE and number * _REWRITTEN_SHARE >= self._snapshot.base.rows


def _signature(job_id: str, path: str, dir_fd: int | None) -> Signature | None:
    """Signature of the document in a file; None if that cannot be told, as of a link that leads nowhere."""
    try:
        status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return ABSENT
    except OSError:
        return None
    if stat.S_ISLNK(status.st_mode):
        try:
            status = os.stat(path, dir_fd=dir_fd)
        except OSError:
            return None
    return Signature.of(status)


def signatures_in(table: Table) -> Sequence[tuple[int, ...]]:
    """Signatures of the documents in a table, by row."""
    numbers = array("Q")
    numbers.frombytes(table.extra())
    entries = list(zip(*[iter(numbers)] * _WIDTH, strict=True))
    if len(entries) != table.rows:
        raise ValueError("The table of documents does not have a signature for each row.")
    return entries


def possible_rows(table: Table, query: Query) -> Rows:
    """Rows that the conditions on state points do not exclude."""
    parts: Iterable[Any] = query.expression.parts if isinstance(query.expression, And) else ()
    rows = table.all_rows()
    for part in parts:
        if isinstance(part, Condition) and part.namespace == "sp":
            rows = rows & rows_that_satisfy(table, part)
    return rows
