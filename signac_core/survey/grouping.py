"""Grouping the jobs of a query by values."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter, ne
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import catalog
from ..garbage import without_collection
from ..trees import MISSING, copy_plain

if TYPE_CHECKING:
    from ..index.selection import Postings
    from ..index.snapshot import Snapshot
    from ..workspace import Space

__all__ = ["Groups", "equal_rows", "group_by_keys"]

_MAY_HOLD_NAN = frozenset({float, list, tuple})
_NUMBERS = frozenset({int, float})
_ORDINARY_NUMBERS = frozenset({int, float, bool})
_STRINGS = frozenset({str})


def equal_rows(values: list[Any]) -> Iterator[list[int]]:
    """Rows with equal values, in the order of the values; TypeError if these cannot be compared."""
    ordered = _comparable(values)
    return _neighbours(sorted(range(len(values)), key=ordered.__getitem__), ordered)


class Groups(NamedTuple):
    """Jobs, the value of each group of them, and its rows."""

    ids: Sequence[str]
    values: list[Any]
    rows: list[Sequence[int]]


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
        postings: Postings | None = [] if isinstance(key, str) else None
        ids, columns = _columns(space, ids, paths, postings)
        if postings is not None and not columns:
            groups = _groups_of(postings, len(ids), default)
            if groups is not None:
                return Groups(ids, [value for value, _ in groups], [rows for _, rows in groups])
            columns = [_column_of(postings, len(ids))]
        if default is not None:
            columns = [[default if value is MISSING else value for value in column] for column in columns]
        values = columns[0] if isinstance(key, str) else list(zip(*columns, strict=True)) or [()] * len(ids)
        order: Iterable[int] = range(len(ids))
        if any(MISSING in column for column in columns):
            order = [row for row in order if not any(column[row] is MISSING for column in columns)]
        ordered = _comparable(values)
        rows: list[Sequence[int]] = list(_neighbours(sorted(order, key=ordered.__getitem__), ordered))
        return Groups(ids, [_own(values[some[0]]) for some in rows], rows)


def _own(value: Any) -> Any:
    """A value, or a tuple of values, that is not shared with the state points in memory."""
    return tuple(map(copy_plain, value)) if type(value) is tuple else copy_plain(value)


def _columns(
    space: Space, ids: Sequence[str], paths: dict[str, list[str]], postings: Postings | None
) -> tuple[Sequence[str], list[list[Any]]]:
    """Ids without those that have vanished, and their values, first those in state points.

    Values of a single key may come as ``postings`` instead.
    """
    columns: list[list[Any]] = []
    if paths["sp"]:
        if postings is not None and _take_postings(space, ids, paths["sp"][0], postings):
            return ids, []
        ids, columns = catalog.read_values(space, ids, paths["sp"], missing=MISSING)
    if paths["doc"]:
        from ..documents.many import read_document_values

        before = ids
        ids, more = read_document_values(space, ids, paths["doc"], missing=MISSING, postings=postings)
        if len(ids) < len(before):
            columns = catalog.kept(columns, before, ids)
        columns += more
    return ids, columns


def _take_postings(space: Space, ids: Sequence[str], key: str, postings: Postings) -> bool:
    """Take the values of a key of state points from the index, if it has those of all jobs."""

    def ask(snapshot: Snapshot) -> Postings | None:
        from ..index.selection import postings_of, selection_of

        return postings_of(snapshot.base, key) if selection_of(snapshot, ids).is_base() else None

    found = catalog.ask_index(space, ask) if len(ids) > catalog.MANY_FILES and not space.is_loaded else None
    postings += found or []
    return found is not None


def _groups_of(postings: Postings, number: int, default: Any) -> list[tuple[Any, Sequence[int]]] | None:
    """Groups of the values of so many jobs, in the order of the values; None if these are not simply ordered."""
    if default is not None and sum(len(rows) for _, rows in postings) < number:
        is_lacking = bytearray(b"\1" * number)
        for _, rows in postings:
            for row in rows:
                is_lacking[row] = 0
        postings = [*postings, (default, list(itertools.compress(range(number), is_lacking)))]
    kinds = {type(value) for value, _ in postings}
    if not (kinds <= _STRINGS or kinds <= _ORDINARY_NUMBERS) or any(value != value for value, _ in postings):
        return None
    groups: list[tuple[Any, Sequence[int]]] = []
    for _, group in itertools.groupby(sorted(postings, key=itemgetter(0)), key=itemgetter(0)):
        equal = list(group)
        value, rows = min(equal, key=lambda posting: posting[1][0])  # that of the first job
        groups.append((value, rows if len(equal) == 1 else sorted(itertools.chain(*(some for _, some in equal)))))
    return groups


def _column_of(postings: Postings, number: int) -> list[Any]:
    """Values of so many jobs, one by one."""
    column = [MISSING] * number
    for value, rows in postings:
        for row in rows:
            column[row] = value
    return column


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
