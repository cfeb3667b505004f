"""Records of jobs: values under dotted keys in them, and their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import ne
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from signac_core.canonical import MISSING

if TYPE_CHECKING:
    from signac_core.index.selection import Selection
    from signac_core.workspace import Space

__all__ = ["Record", "SortKey", "lookup", "order", "pick", "sort"]

Record = Mapping[str, Any]
"""What is known of one job: ``id``, and ``path``, ``sp`` and ``doc`` as far as they were asked for."""


def lookup(data: Mapping[str, Any], key: str) -> Any:
    """Value under a dotted key, or `MISSING`; a key that contains the dots itself comes first.

    Items of lists are reached by their positions, from the end if these are negative.

    Examples
    --------
    >>> lookup({"n": {"x": 1.5}}, "n.x"), lookup({"n": 1}, "n.x")
    (1.5, MISSING)
    >>> lookup({"l": [1, {"x": 2}]}, "l[0]"), lookup({"l": [1, {"x": 2}]}, "l[-1].x"), lookup({"l": [1]}, "l[1]")
    (1, 2, MISSING)

    """
    if key in data:
        return data[key]
    value: Any = data
    for part in key.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif part.endswith("]"):
            value = _item(value, part)
        else:
            return MISSING
    return value


_ITEMS = re.compile(r"([^\[\]]+)((?:\[-?[0-9]{1,9}\])+)")


def _item(data: Any, part: str) -> Any:
    """Value under a part of a key with positions behind it."""
    match = _ITEMS.fullmatch(part)
    if match is None or not isinstance(data, dict):
        return MISSING
    value = data.get(match[1], MISSING)
    for position in map(int, match[2][1:-1].split("][")):
        if not isinstance(value, list) or not -len(value) <= position < len(value):
            return MISSING
        value = value[position]
    return value


def pick(data: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Part of a mapping that holds the given dotted keys, as far as they are there.

    Examples
    --------
    >>> pick({"a": 1, "n": {"x": 1.5, "y": 2}}, ["n.x", "b", "a"])
    {'n': {'x': 1.5}, 'a': 1}

    """
    picked: dict[str, Any] = {}
    for key in keys:
        value = lookup(data, key)
        if value is MISSING:
            continue
        if key in data:
            picked[key] = value
            continue
        *outer, last = key.split(".")
        target = picked
        for part in outer:
            target[part] = dict(target.get(part, {}))
            target = target[part]
        target[last] = value
    return picked


def order(value: Any) -> tuple[Any, ...]:
    """Sort key under which any two JSON values can be compared: by type, then by value; what is missing comes last.

    Examples
    --------
    >>> sorted([[1], "b", 2, None, 1.5, True, "a"], key=order)
    [None, True, 1.5, 2, 'a', 'b', [1]]

    """
    try:
        return _order(value)
    except RecursionError:  # nested so deeply that no order of it makes sense to anybody
        return (6,)


def _order(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, (int, float)):
        return (2, value != value, 0 if value != value else value)
    if isinstance(value, str):
        return (3, value)
    if isinstance(value, list):
        return (4, [_order(item) for item in value])
    if isinstance(value, dict):
        return (5, sorted((key, _order(item)) for key, item in value.items()))
    return (6,)


# --- sorting ---------------------------------------------------------------------------------------------------------

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
    if isinstance(ids, list):
        return [ids[row] for row in rows], unmet[::-1]
    return cast("Selection", ids).in_order(rows), unmet[::-1]


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
    from signac_core.catalog import kept, read_values

    columns: dict[SortKey, Sequence[Any]] = {}
    for part in ("sp", "doc"):
        plain = [key for key in keys if key.part == part and key.key and "[" not in key.key]
        if not plain:
            continue
        read = read_values
        if part == "doc":
            from signac_core.documents.many import read_document_values as read
        before = ids
        ids, found = read(space, ids, [key.key for key in plain], missing=MISSING, damaged=damaged, look_up=lookup)
        if len(ids) < len(before):
            columns = dict(zip(columns, kept(list(columns.values()), before, ids), strict=True))
        columns.update(zip(plain, found, strict=True))
    for key in keys:
        if key.part != "id" and key not in columns:
            values, before = _by_id(space, ids, key, damaged), ids
            if len(values) < len(before):
                ids = [job_id for job_id in before if job_id in values]
                columns = dict(zip(columns, kept(list(columns.values()), before, ids), strict=True))
            columns[key] = [values[job_id] for job_id in ids]
    names = list(ids) if any(key.part == "id" for key in keys) else []
    return ids, [names if key.part == "id" else columns[key] for key in keys]


def _by_id(space: Space, ids: Sequence[str], key: SortKey, damaged: list[str]) -> dict[str, Any]:
    """Values of jobs by their ids, one record after the other."""
    if key.part == "doc":
        from signac_core.documents.many import read_documents as read
    else:
        from signac_core.catalog import read_state_points as read
    return {job_id: lookup(data, key.key) if key.key else data for job_id, data in read(space, ids, damaged=damaged)}
