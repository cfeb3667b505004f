"""A column of values turned round: its distinct values, sorted, with the rows of each.

Numbers and booleans are one class, texts another. Values of other types, and the numbers that Python does not tell
apart or takes for different from themselves (zeros of both signs, NaN), are handled as *packed* bytes, which are equal
if and only if the values are the same; `value_of` unpacks them. What is very long is only known to be there.
"""

from __future__ import annotations

import marshal
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress
from math import copysign
from typing import Any, NamedTuple

from .. import canonical
from .table import LARGE, NUMBERS, OTHERS, TEXTS

__all__ = ["Postings", "is_ordinary", "merged", "packed", "postings_of", "value_of"]

_SAMPLE = 500  # values that show in most cases that not all are different
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


def postings_of(rows: Sequence[int], column: Sequence[Any], longest: int) -> list[Postings]:
    """Postings of a column, by class; values whose JSON is longer than so many bytes are only known to be there."""
    kinds = set(map(type, column))
    large: list[int] = []
    if str in kinds and max(len(value) for value in column if type(value) is str) * _MOST_PER_CHARACTER > longest:
        is_long = [type(value) is str and _is_long(value, longest) for value in column]
        large = list(compress(rows, is_long))
        is_short = [not long for long in is_long]
        rows, column = list(compress(rows, is_short)), list(compress(column, is_short))
        kinds = set(map(type, column))
    return _unique(rows, column, kinds, large) or _by_class(rows, column, kinds, large, longest)


def _is_long(value: Any, longest: int) -> bool:
    return len(canonical.dumps(value)) > longest


def _unique(rows: Sequence[int], column: Sequence[Any], kinds: set[type], large: list[int]) -> list[Postings]:
    """Postings of a column of one type in which no two rows share a value; none if it is not one."""
    kind = next(iter(kinds)) if len(kinds) == 1 else object
    if large or kind not in (int, float, str):
        return []
    sample = column[:_SAMPLE]
    if len(set(sample)) < len(sample):
        return []
    row_of = dict(zip(column, rows, strict=True))
    if len(row_of) < len(column) or (kind is float and not _are_ordinary(row_of)):
        return []
    values = sorted(row_of)
    return [Postings(TEXTS if kind is str else NUMBERS, values, None, array("I", map(row_of.__getitem__, values)))]


def _are_ordinary(values: Iterable[float]) -> bool:
    """Tell whether there is no doubt about any of some numbers."""
    total, zeros = 0.0, False
    for value in values:
        total += value
        zeros = zeros or value == 0
    return not zeros and total == total and abs(total) != float("inf")


_CLASSES: dict[type, int] = {int: NUMBERS, float: NUMBERS, bool: NUMBERS, str: TEXTS}


def _by_class(
    rows: Sequence[int], column: Sequence[Any], kinds: set[type], large: list[int], longest: int
) -> list[Postings]:
    groups = _no_groups()
    if (
        len(kinds) == 1
        and (kind := next(iter(kinds))) in _CLASSES
        and (kind is not float or _are_ordinary(set(column)))
    ):
        group = groups[kind]
        for row, value in zip(rows, column, strict=True):
            group[value].append(row)
        return _as_postings(groups)
    pack = marshal.dumps
    others = groups[bytes]
    for row, value in zip(rows, column, strict=True):
        kind = type(value)
        if kind not in _CLASSES or (kind is float and not is_ordinary(value)):
            others[pack(value, _PACKING)].append(row)
        else:
            groups[kind][value].append(row)
    for data in [data for data in others if len(data) * _MOST_PER_BYTE > longest]:
        if _is_long(value_of(data), longest):
            large += others.pop(data)
    found = _as_postings(groups)
    if large:
        found.append(Postings(LARGE, [], None, array("I", sorted(large))))
    return found


def _no_groups() -> dict[type, dict[Any, list[int]]]:
    return {kind: defaultdict(list) for kind in (*_CLASSES, bytes)}


def _as_postings(groups: dict[type, dict[Any, list[int]]]) -> list[Postings]:
    """Postings of values by type and rows; equal numbers are in the order of the types."""
    numbers = [*groups[int].items(), *groups[float].items(), *groups[bool].items()]
    found = []
    for kind, items in ((NUMBERS, numbers), (TEXTS, [*groups[str].items()]), (OTHERS, [*groups[bytes].items()])):
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
    groups = _no_groups()
    for part in parts:
        start = 0
        for number, value in enumerate(part.values):
            end = start + (1 if part.counts is None else part.counts[number])
            groups[type(value)][value].extend(part.rows[start:end])
            start = end
    return _as_postings(groups)[0]
