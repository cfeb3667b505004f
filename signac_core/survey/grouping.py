"""Grouping the jobs of a query by values."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from operator import ne
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import catalog
from ..garbage import without_collection
from ..trees import MISSING

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["Groups", "equal_rows", "group_by_keys"]

_MAY_HOLD_NAN = frozenset({float, list, tuple})
_NUMBERS = frozenset({int, float})


def equal_rows(values: list[Any]) -> Iterator[list[int]]:
    """Rows with equal values, in the order of the values; TypeError if these cannot be compared."""
    ordered = _comparable(values)
    return _neighbours(sorted(range(len(values)), key=ordered.__getitem__), ordered)


class Groups(NamedTuple):
    """Jobs, one value for each of them, and the rows of each group."""

    ids: Sequence[str]
    values: list[Any]
    rows: list[list[int]]


def group_by_keys(space: Space, ids: Sequence[str], key: Any, default: Any) -> Groups:
    """Group jobs by values of state points and documents; see :meth:`JobsCursor.groupby`.

    Raises TypeError if a key is not a string, or values cannot be compared.
    """
    keys = [key] if isinstance(key, str) else list(key)
    paths: dict[str, list[str]] = {"sp": [], "doc": []}
    for name in keys:
        if not isinstance(name, str):
            raise TypeError(f"A key to group by must be a str, not {type(name).__name__}.")
        namespace, _, key_in_it = name.partition(".")
        if namespace in paths and key_in_it:
            paths[namespace].append(key_in_it)
        else:
            paths["sp"].append(name)
    with without_collection():
        ids, columns = _columns(space, ids, paths)
        if default is not None:
            columns = [[default if value is MISSING else value for value in column] for column in columns]
        values = columns[0] if isinstance(key, str) else list(zip(*columns, strict=True)) or [()] * len(ids)
        order: Iterable[int] = range(len(ids))
        if any(MISSING in column for column in columns):
            order = [row for row in order if not any(column[row] is MISSING for column in columns)]
        ordered = _comparable(values)
        return Groups(ids, values, list(_neighbours(sorted(order, key=ordered.__getitem__), ordered)))


def _columns(space: Space, ids: Sequence[str], paths: dict[str, list[str]]) -> tuple[Sequence[str], list[list[Any]]]:
    """Ids without those that have vanished, and their values, first those in state points."""
    columns: list[list[Any]] = []
    if paths["sp"]:
        ids, columns = catalog.read_values(space, ids, paths["sp"], missing=MISSING)
    if paths["doc"]:
        from ..documents.many import read_document_values

        before = ids
        ids, more = read_document_values(space, ids, paths["doc"], missing=MISSING)
        if len(ids) < len(before):
            columns = catalog.kept(columns, before, ids)
        columns += more
    return ids, columns


def _neighbours(order: Iterable[int], values: list[Any]) -> Iterator[list[int]]:
    """Rows with equal values, which are neighbours in an order."""
    for _, rows in itertools.groupby(order, key=values.__getitem__):
        yield list(rows)


def _comparable(values: list[Any]) -> list[Any]:
    """What values are sorted and compared by: themselves, unless there is NaN, which comes last and equals itself."""
    kinds = set(map(type, values))
    if kinds.isdisjoint(_MAY_HOLD_NAN) or (kinds <= _NUMBERS and not any(map(ne, values, values))):
        return values
    if not any(map(_holds_nan, values)):
        return values
    return list(map(_with_order_of_nan, values))


def _holds_nan(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_nan, value))
    return isinstance(value, float) and value != value


def _with_order_of_nan(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(map(_with_order_of_nan, value))
    is_nan = _holds_nan(value)
    return is_nan, 0 if is_nan else value
