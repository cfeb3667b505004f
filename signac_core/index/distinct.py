"""The distinct values of a key, sorted, parsed only where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, overload

from .. import canonical
from ..errors import UnusableIndexError
from .table import NUMBERS, TEXTS, Table

__all__ = ["SortedValues", "sorted_values"]

_INTEGERS_ONLY = b"0123456789-, []"


class SortedValues(Sequence[Any]):
    """Distinct values of one type, sorted."""

    def __init__(self, kind: type, texts: list[bytes], counts: list[int]) -> None:
        self.kind = kind
        self._texts = texts
        self._ends = list(accumulate(counts))
        self._parsed: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return self._ends[-1]

    def __iter__(self) -> Iterator[Any]:
        for number in range(len(self._texts)):
            yield from self._part(number)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        places = range(len(self))[index]
        return self._at(places) if isinstance(places, int) else list(map(self._at, places))

    def _at(self, place: int) -> Any:
        from bisect import bisect_right  # whom the whole list, or its length, is enough for pays for no import

        number = bisect_right(self._ends, place)
        values = self._parsed.get(number)
        if values is None:
            values = self._part(number)
            self._parsed = {number: values}
        return values[place - self._ends[number]]

    def _part(self, number: int) -> list[Any]:
        values: list[Any] = canonical.loads(self._texts[number])
        first = self._ends[number - 1] if number else 0
        if len(values) != self._ends[number] - first or set(map(type, values)) != {self.kind}:
            raise UnusableIndexError("damaged")
        return values


def sorted_values(table: Table, key: str) -> tuple[SortedValues, int] | None:
    """Distinct values of a dotted key, and the number of rows that have one.

    None if they are of several types, are not sorted in the table, or so few that nothing is saved.
    """
    chunks = table.chunk_list(key)
    if len(chunks) < 2 or any(chunk.kind not in (NUMBERS, TEXTS) for chunk in chunks):
        return None
    texts: list[bytes] = []
    kinds: set[type] = set()
    for chunk, data in table.read_chunks(chunks):
        texts.append(bytes(data[: chunk.json_length]))
        kinds |= {str} if chunk.kind == TEXTS else _kinds(texts[-1], chunk.values)
    if len(kinds) > 1 or not all(chunk.values for chunk in chunks):
        return None
    values = SortedValues(kinds.pop(), texts, [chunk.values for chunk in chunks])
    for place in (0, -1):  # what is going to be looked at first
        values[place]
    return values, sum(chunk.rows for chunk in chunks)


def _kinds(text: bytes, number: int) -> set[type]:
    """Types of the numbers and booleans in a JSON array; parses it only where its characters do not tell."""
    rest = text.translate(None, _INTEGERS_ONLY)
    if not rest:
        return {int}
    if rest == b"." * number:  # no number has two
        return {float}
    return set(map(type, canonical.loads(text)))
