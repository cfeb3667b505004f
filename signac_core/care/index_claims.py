"""Comparing the index with the files that it was made from: what queries believe, ``signac check`` does not."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from itertools import chain, repeat
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import canonical, catalog, stamps, workspace
from ..config import check_place, index_path
from ..errors import UnusableIndexError
from ..index.documents import ABSENT, UNKNOWN, signatures_in
from ..index.shapes import columns_of, take_apart
from ..index.table import ELSEWHERE, LARGE, Table, check_owner
from ..layout import BASE, DELTA, DOCUMENTS
from ..stamps import Signature
from .soundness import UNSOUND, Marks, binary, mark_of, places_in

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["DocumentClaims", "WrongTable", "examine_tables"]


_LARGE = 1 << 60
_TINY, _HUGE = 1e-9, 1e9
"""Integers below, and floats between these have hashes of their own."""
_ROWS_AT_ONCE = 4096


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
            wrong = _wrong_documents(table) if kind == DOCUMENTS else _wrong_state_points(table, marks)
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
    keys: set[str] = set()
    total = first = 0
    try:
        for ids in table.id_blocks():
            trees = list(table.trees(range(first, first + len(ids))))
            for job_id, tree in zip(ids, trees, strict=True):
                if not marks.vouch_for(job_id, tree) and not canonical.state_point_matches(tree, job_id):
                    return f"The index is wrong about job {job_id}."
            total += _sum_of_rows(trees, first, keys)
            first += len(ids)
        return _difference(table, total, keys)
    except UnusableIndexError as error:
        return f"The index is {error}."
    except Exception:  # it holds anything
        return "The index is damaged."


def _wrong_documents(table: Table) -> str:
    """What is wrong with the columns of the documents in a table, beside these; empty if nothing is."""
    keys: set[str] = set()
    total = 0
    with suppress(Exception):  # nobody believes it
        if ELSEWHERE not in table.states():
            for first in range(0, table.rows, _ROWS_AT_ONCE):
                trees = list(table.trees(range(first, min(first + _ROWS_AT_ONCE, table.rows))))
                total += _sum_of_rows(trees, first, keys)
            return _difference(table, total, keys)
    return ""


def _difference(table: Table, total: int, keys: Set[str]) -> str:
    """Say that the columns of a table hold other values than its rows, which have these keys; empty if they do not."""
    if keys == table.directory.keys.keys() and total == sum(_sum_of_column(table, key) for key in keys):
        return ""
    return "The index is wrong about what it holds: its columns differ from the rest."


def _sum_of_rows(trees: Sequence[dict[str, Any] | None], first: int, keys: set[str]) -> int:
    """Sum over what the leaves of neighbouring rows are hashed to, see :func:`_sum`; ``keys`` takes their keys."""
    total = 0
    for group in take_apart(trees)[0]:
        rows = [first + row for row in group.rows]
        for key, column in zip(columns_of(group.shape), group.columns, strict=True):
            keys.add(key)
            total += _sum(rows, key, column)
    return total


def _sum_of_column(table: Table, key: str) -> int:
    """Sum over what the values of a column are hashed to."""
    total = 0
    for chunk, data in table.read_chunks(table.chunk_list(key)):
        rows = table.rows_of(chunk, data)
        if chunk.kind == LARGE:
            from ..trees import look_up  # few have values that are so large

            path = key.split(".")
            values = [look_up(tree, path, None) for tree in table.trees(rows)]
        else:
            values = table.values_of(chunk, data)
            counts = table.counts_of(chunk, data)
            if counts is not None:
                values = list(chain.from_iterable(map(repeat, values, counts)))
        total += _sum(rows, key, values)
    return total


def _sum(rows: Sequence[int], key: str, values: Sequence[Any]) -> int:
    """Sum over what values are hashed to, each with its row: two sets of values hardly ever have the same.

    Where another value could have the same hash (1, 1.0 and true; -1 and -2), the bytes of a value are hashed.
    """
    kinds = set(map(type, values))
    if kinds == {str} or (kinds == {int} and min(values) >= 0 and max(values) < _LARGE):
        return sum(map(hash, zip(rows, repeat(key), values)))
    if kinds == {float} and min(values) > _TINY and max(values) < _HUGE and sum(values) < inf:
        return sum(map(hash, zip(rows, repeat(key), values, repeat(0))))
    if len(values) > 1:
        return sum(_sum((row,), key, (value,)) for row, value in zip(rows, values, strict=True))
    return sum(hash((binary(value), key, row)) for row, value in zip(rows, values, strict=True))


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
        self._entries: Sequence[tuple[int, ...]] = ()
        self._marks = array("q")
        self._doubtful: dict[str, tuple[tuple[int, ...], str]] = {}
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
        nothing, entries, states = mark_of({}), signatures_in(table), table.states()
        marks = array("q")
        for entry, state, tree in zip(entries, states, table.trees(range(table.rows)), strict=True):
            # Of a document that is too large to be held whole, the index does not say what it is.
            known = entry != UNKNOWN and state != ELSEWHERE
            marks.append((mark_of(tree) if tree else nothing) if known else UNSOUND)
        if len(ids) == len(marks):
            self._find, self._entries, self._marks = places_in(ids), entries, marks

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

        def take(ids: list[str], table: Table) -> None:
            rows = [row for row, job_id in enumerate(ids) if job_id in self._doubtful]
            entries = signatures_in(table)
            for row, tree in zip(rows, table.trees(rows), strict=True):
                entry, document = self._doubtful[ids[row]]
                if entries[row] == entry and _hash(tree or {}) != document:
                    found.append(ids[row])

        if self._doubtful:
            self._read(take)
        return found


def _entry(status: os.stat_result | None) -> tuple[int, ...]:
    return ABSENT if status is None else Signature.of(status)


def _hash(document: dict[str, Any]) -> str:
    """What documents have in common that are identical, in whatever order their keys are."""
    return canonical.hash_of(canonical.dumps(document, sort_keys=True).encode("ascii"))
