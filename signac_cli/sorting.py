"""Sorting jobs by values of their state points and documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Any, NamedTuple

from signac_core.canonical import MISSING
from signac_core.index.selection import Selection

from .keys import lookup, order

if TYPE_CHECKING:
    from signac_core.workspace import Space

__all__ = ["SortKey", "sort"]

_BELOW_ALL_NUMBERS = (2, False, float("-inf"))
_NUMBERS = frozenset({int, float})
_STRINGS = frozenset({str})
_FEW = 8  # the best of so many times as many rows are found quicker than all are sorted


class SortKey(NamedTuple):
    """What jobs are sorted by: a part of the record, or a key in it; from high to low if it is descending."""

    part: str
    key: str
    is_descending: bool


def sort(
    space: Space,
    ids: Sequence[str],
    keys: Sequence[SortKey],
    *,
    reverse: bool,
    limit: int | None,
    damaged: list[str],
) -> tuple[Sequence[str], list[tuple[str, str]]]:
    """Sort jobs; return the first ids, and part and name of the keys that no job has.

    A key is sorted by in its own direction, or in the other one. Jobs without it come last either way, and NaN, which
    a failed computation leaves, behind all numbers. Only the columns of the keys are read where there is an index.
    """
    ids, columns = _columns(space, ids, keys, damaged)
    rows: Sequence[int] = range(len(ids))
    unmet = []
    for number, (key, column) in reversed(list(enumerate(zip(keys, columns, strict=True)))):
        present = [row for row in rows if column[row] is not MISSING]
        if rows and not present:
            unmet.append((key.part, key.key))
            continue
        missing = [row for row in rows if column[row] is MISSING] if len(present) < len(rows) else []
        backwards = key.is_descending is not reverse
        most = None if number else limit
        rows = _sorted(present, _position(column, present, backwards=backwards), most, backwards=backwards) + missing
    rows = rows[:limit]
    if not isinstance(ids, Selection):
        return [ids[row] for row in rows], unmet[::-1]
    return ids.in_order(rows), unmet[::-1]


def _sorted(rows: list[int], position: Callable[[int], Any], most: int | None, *, backwards: bool) -> list[int]:
    """Rows in the order of their positions, the first ones at least."""
    if most is None or most >= len(rows) // _FEW:
        return sorted(rows, key=position, reverse=backwards)
    from heapq import nlargest, nsmallest

    return (nlargest if backwards else nsmallest)(most, rows, key=position)


def _position(column: Sequence[Any], rows: Sequence[int], *, backwards: bool) -> Callable[[int], Any]:
    """What the rows are sorted by: their values, where these can be compared, or the order of the values."""
    kinds = set(map(type, map(column.__getitem__, rows)))
    if kinds == _STRINGS or (kinds <= _NUMBERS and not any(map(ne, column, column))):
        return column.__getitem__
    orders: dict[int, Any] = {}  # by the identity of the value, which many rows may share
    for row in rows:
        value = column[row]
        if id(value) not in orders:
            orders[id(value)] = _BELOW_ALL_NUMBERS if backwards and value != value else order(value)
    return lambda row: orders[id(column[row])]


def _columns(
    space: Space, ids: Sequence[str], keys: Sequence[SortKey], damaged: list[str]
) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """Ids without those of jobs that cannot be read, and the values of each key."""
    from signac_core.catalog import read_values

    columns: dict[SortKey, Sequence[Any]] = {}
    plain = [key for key in keys if key.part == "sp" and key.key and "[" not in key.key]
    if plain:
        names = [key.key for key in plain]
        ids, found = read_values(space, ids, names, missing=MISSING, damaged=damaged, look_up=lookup)
        columns.update(zip(plain, found, strict=True))
    for key in keys:
        if key.part != "id" and key not in columns:
            values = _by_id(space, ids, key, damaged)
            if len(values) < len(ids):
                here = [job_id in values for job_id in ids]
                ids = [job_id for job_id in ids if job_id in values]
                columns = {other: list(compress(column, here)) for other, column in columns.items()}
            columns[key] = [values[job_id] for job_id in ids]
    return ids, [ids if key.part == "id" else columns[key] for key in keys]


def _by_id(space: Space, ids: Sequence[str], key: SortKey, damaged: list[str]) -> dict[str, Any]:
    """Values of jobs by their ids, one record after the other."""
    if key.part == "doc":
        from signac_core.documents.many import read_documents as read
    else:
        from signac_core.catalog import read_state_points as read
    return {job_id: lookup(data, key.key) if key.key else data for job_id, data in read(space, ids, damaged=damaged)}
