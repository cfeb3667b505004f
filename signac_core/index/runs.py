"""Columns of more rows than there should be in memory: sorted by parts, put aside in a file, and merged key by key."""

from __future__ import annotations

import marshal
import os
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .. import files
from .leaves import Columns
from .postings import Column, Postings, merged
from .table import LARGE

__all__ = ["Runs"]

_ROWS = 1 << 16
_BYTES = 1 << 25
"""Rows, and bytes of their JSON, that are in memory at most before they are put aside."""
_VALUES_PER_BLOCK = 1024


class _Place(NamedTuple):
    """A run that was put aside: in which file, where its blocks begin, and how long they are.

    ``shift`` is what has to be added to its rows.
    """

    fd: int
    shift: int
    kind: int
    offset: int
    lengths: Sequence[int]


class Runs:
    """Columns, to which rows are added in their order.

    What is put aside goes into a file that is opened for it; ``longest`` is that of `postings.Column`.
    """

    def __init__(self, opened: Callable[[], int], longest: int) -> None:
        self._opened = opened
        self._longest = longest
        self._columns: dict[str, Column] = {}  # of the part that is in memory
        self._rows = self._bytes = 0
        self._aside: dict[str, list[_Place]] = {}
        self._fd = -1
        self._end = 0

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._fd >= 0:
            files.close_after_work(self._fd)

    def add(self, columns: Columns, rows: int, size: int) -> None:
        """Add columns of so many rows, whose JSON has so many bytes."""
        known = self._columns
        for key, pieces in columns.items():
            column = known.get(key)
            if column is None:
                column = known[key] = Column(self._longest)
            for some, values in pieces:
                column.extend(some, values)
        self._rows += rows
        self._bytes += size
        if self._rows >= _ROWS or self._bytes >= _BYTES:
            self._put_aside()

    def _put_aside(self) -> None:
        if self._fd < 0:
            self._fd = self._opened()
        columns, self._columns = self._columns, {}
        self._rows = self._bytes = 0
        for key in list(columns):
            for part in columns.pop(key).postings():
                self._aside.setdefault(key, []).append(self._written(part))

    def _written(self, part: Postings) -> _Place:
        blocks = [marshal.dumps(block) for block in _blocks(part)]
        files.write_all(self._fd, b"".join(blocks))
        place = _Place(self._fd, 0, part.kind, self._end, array("Q", map(len, blocks)))
        self._end += sum(place.lengths)
        return place

    def put_aside(self) -> list[tuple[str, list[Any]]]:
        """Put everything aside; return where the runs of each key are, for :meth:`take`."""
        self._put_aside()
        return [
            (key, [[place.kind, place.offset, *place.lengths] for place in places])
            for key, places in self._aside.items()
        ]

    def take(self, places: Iterable[tuple[str, list[Any]]], fd: int, shift: int) -> None:
        """Take what others have put aside into a file; something has to be added to its rows."""
        for key, runs in places:
            taken = [_Place(fd, shift, kind, offset, array("Q", lengths)) for kind, offset, *lengths in runs]
            self._aside.setdefault(key, []).extend(taken)

    def dotted_keys(self) -> list[str]:
        """Dotted keys, sorted."""
        return sorted(self._aside.keys() | self._columns.keys())

    def postings(self, key: str) -> Iterator[Postings]:
        """Postings of a key, once, class by class, in pieces whose values are sorted through all of them."""
        last = self._columns.pop(key, None)
        here = {} if last is None else {part.kind: part for part in last.postings()}
        aside = self._aside.pop(key, [])
        for kind in sorted(here.keys() | {place.kind for place in aside}):
            runs = [self._read(place) for place in aside if place.kind == kind]
            if kind in here:
                runs.append(iter((here[kind],)))
            yield from _merge(runs)

    def _read(self, place: _Place) -> Iterator[Postings]:
        offset = place.offset
        for length in place.lengths:
            values, counts, data = marshal.loads(os.pread(place.fd, length, offset))
            rows = array("I", data)
            if place.shift:
                rows = array("I", map(place.shift.__add__, rows))
            yield Postings(place.kind, values, None if counts is None else array("I", counts), rows)
            offset += length


def _blocks(part: Postings) -> Iterator[tuple[list[Any], bytes | None, bytes]]:
    """Postings in blocks; equal numbers of different types are in one."""
    values, counts, rows = part.values, part.counts, part.rows
    if part.kind == LARGE:
        yield [], None, rows.tobytes()
    start = first = 0
    while start < len(values):
        end = min(start + _VALUES_PER_BLOCK, len(values))
        while end < len(values) and values[end] == values[end - 1]:
            end += 1
        last = first + (end - start if counts is None else sum(counts[start:end]))
        yield values[start:end], None if counts is None else counts[start:end].tobytes(), rows[first:last].tobytes()
        start, first = end, last


def _merge(runs: list[Iterator[Postings]]) -> Iterator[Postings]:
    """Merge runs, in the order of their rows: of each a block is in memory."""
    if len(runs) == 1:
        yield from runs[0]
        return
    blocks: list[Postings | None] = [next(run, None) for run in runs]
    while some := [block for block in blocks if block is not None]:
        if some[0].kind == LARGE:
            yield merged(some)
            return
        bound = min(block.values[-1] for block in some)
        parts = []
        for number, block in enumerate(blocks):
            if block is None:
                continue
            taken, left = _cut(block, bisect_right(block.values, bound))
            if taken.values:
                parts.append(taken)
            blocks[number] = left if left.values else next(runs[number], None)
        yield merged(parts)


def _cut(block: Postings, number: int) -> tuple[Postings, Postings]:
    """The first values of a block, and the others."""
    kind, values, counts, rows = block
    if number == len(values):
        return block, Postings(kind, [], None, array("I"))
    middle = number if counts is None else sum(counts[:number])
    here, there = (None, None) if counts is None else (counts[:number], counts[number:])
    return Postings(kind, values[:number], here, rows[:middle]), Postings(kind, values[number:], there, rows[middle:])
