"""A column of values turned round: its distinct values, sorted, with the rows of each.

Numbers and booleans are one class, texts another. Values of other types, and the numbers that Python does not tell
apart or takes for different from themselves (zeros of both signs, NaN), are handled as *packed* bytes, which are equal
if and only if the values are the same; `value_of` unpacks them. What is very long is only known to be there.
"""

from __future__ import annotations

import marshal
from array import array
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import compress
from math import copysign
from typing import Any, NamedTuple

from .. import canonical
from .table import LARGE, NUMBERS, OTHERS, TEXTS

__all__ = ["Column", "Postings", "is_ordinary", "merged", "packed", "value_of"]

_MOST_PER_CHARACTER = 12  # bytes of JSON for a character,
_MOST_PER_BYTE = 8  # and for a byte of a packed value
_PACKING = 2  # the version of marshal in which equal values have equal bytes


class Postings(NamedTuple):
    """Values of one class.

    Parameters
    ----------
    kind : int
        The class.
    values : list
        Distinct values, sorted; packed ones if they are `OTHERS`; none if they are `LARGE`.
    counts : array of u32
        The number of rows of each; None if each has one.
    rows : array of u32
        The rows, value by value.
    """

    kind: int
    values: list[Any]
    counts: array[int] | None
    rows: array[int]


def packed(value: Any) -> bytes:
    """Bytes that stand for a value."""
    return marshal.dumps(value, _PACKING)


def value_of(data: bytes) -> Any:
    """Value that some bytes stand for."""
    return marshal.loads(data)  # of this very process


def is_ordinary(value: float) -> bool:
    """Tell whether a number is equal to itself and to no other; not so NaN and the negative zero."""
    return value == value and (value != 0 or copysign(1, value) > 0)


class Column:
    """Values of a key, which are grouped as they come: those that repeat take no memory of their own.

    Values whose JSON is longer than ``longest`` bytes are only known to be there.
    """

    __slots__ = ("_groups", "_large", "_longest", "_rows", "_values")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._groups: dict[type, dict[Any, list[int]]] = {}
        self._large: list[int] = []
        self._rows = array("I")  # of values of which few repeat
        self._values: list[Any] = []

    def extend(self, rows: Sequence[int], values: Sequence[Any]) -> None:
        """Add the values of rows."""
        kinds = set(map(type, values))
        texts = values if kinds == {str} else [value for value in values if type(value) is str] if str in kinds else ()
        if max(map(len, texts), default=0) * _MOST_PER_CHARACTER > self._longest:
            is_long = [type(value) is str and _is_long(value, self._longest) for value in values]
            self._large += compress(rows, is_long)
            is_short = [not long for long in is_long]
            rows, values = list(compress(rows, is_short)), list(compress(values, is_short))
        kind = kinds.pop() if len(kinds) == 1 else object
        if kind in _CLASSES:
            distinct = set(values)
            if kind is not float or _are_ordinary(distinct):
                self._extend(kind, rows, values, distinct)
                return
        for row, value in zip(rows, values, strict=True):
            self._add(row, value)

    def _extend(self, kind: type, rows: Sequence[int], values: Sequence[Any], distinct: set[Any]) -> None:
        """Add ordinary values of one type."""
        if len(distinct) * 2 > len(values):
            self._rows.extend(rows)
            self._values += values
            return
        group = self._group(kind)
        if len(distinct) == 1:
            group[values[0]] += rows
            return
        for row, value in zip(rows, values, strict=True):
            group[value].append(row)

    def _add(self, row: int, value: Any) -> None:
        kind = type(value)
        if kind not in _CLASSES or (kind is float and not is_ordinary(value)):
            data = marshal.dumps(value, _PACKING)
            if len(data) * _MOST_PER_BYTE > self._longest and _is_long(value, self._longest):
                self._large.append(row)
            else:
                self._group(bytes)[data].append(row)
        else:
            self._group(kind)[value].append(row)

    def _group(self, kind: type) -> dict[Any, list[int]]:
        group = self._groups.get(kind)
        if group is None:
            group = self._groups[kind] = defaultdict(list)
        return group

    def postings(self) -> list[Postings]:
        """Postings of all of them, by class."""
        found = [] if self._groups else _unique(self._rows, self._values)
        if not found:
            for row, value in zip(self._rows, self._values, strict=True):
                self._group(type(value))[value].append(row)
            found = _as_postings(self._groups)
        if self._large:
            found.append(Postings(LARGE, [], None, array("I", sorted(self._large))))
        return found


def _is_long(value: Any, longest: int) -> bool:
    return len(canonical.dumps(value)) > longest


def _unique(rows: array[int], values: list[Any]) -> list[Postings]:
    """Postings of ordinary values of one type, none of which two rows share; none if they are not such."""
    kinds = set(map(type, values))
    if len(kinds) != 1:
        return []
    row_of = dict(zip(values, rows, strict=True))
    if len(row_of) < len(values):
        return []
    ordered = sorted(row_of)
    kind = TEXTS if kinds == {str} else NUMBERS
    return [Postings(kind, ordered, None, array("I", map(row_of.__getitem__, ordered)))]


def _are_ordinary(values: Collection[float]) -> bool:
    """Tell whether there is no doubt about any of some numbers."""
    total = sum(values)
    return total == total and abs(total) != float("inf") and 0.0 not in values


_CLASSES: dict[type, int] = {int: NUMBERS, float: NUMBERS, bool: NUMBERS, str: TEXTS}


def _as_postings(groups: dict[type, dict[Any, list[int]]]) -> list[Postings]:
    """Postings of values by type and rows; equal numbers are in the order of the types."""
    numbers = [item for kind in (int, float, bool) for item in groups.get(kind, {}).items()]
    texts, others = ([*groups.get(kind, {}).items()] for kind in (str, bytes))
    found = []
    for kind, items in ((NUMBERS, numbers), (TEXTS, texts), (OTHERS, others)):
        if items:
            items.sort(key=_value)
            values = [value for value, _ in items]
            counts, every = array("I"), array("I")
            for _, some in items:
                some.sort()  # they mostly are
                counts.append(len(some))
                every.extend(some)
            found.append(Postings(kind, values, None if len(every) == len(values) else counts, every))
    return found


def _value(group: tuple[Any, list[int]]) -> Any:
    return group[0]


def merged(parts: Sequence[Postings]) -> Postings:
    """Postings of one class put together; the rows of a part come before those of the next one."""
    if len(parts) == 1:
        return parts[0]
    kind = parts[0].kind
    values = [value for part in parts for value in part.values]
    if kind == LARGE or all(part.counts is None for part in parts):
        rows = array("I")
        for part in parts:
            rows += part.rows
        if kind == LARGE:
            return Postings(kind, [], None, rows)
        if len(set(map(type, values))) == 1:
            row_of = dict(zip(values, rows, strict=True))
            if len(row_of) == len(values):
                values.sort()  # runs that are merged
                return Postings(kind, values, None, array("I", map(row_of.__getitem__, values)))
    groups: dict[type, dict[Any, list[int]]] = {kind: defaultdict(list) for kind in (*_CLASSES, bytes)}
    for part in parts:
        start = 0
        for number, value in enumerate(part.values):
            end = start + (1 if part.counts is None else part.counts[number])
            groups[type(value)][value].extend(part.rows[start:end])
            start = end
    return _as_postings(groups)[0]
