"""Writing a table, row by row, straight into the file that takes the place of the old one.

Texts are written as they come. Columns are turned round: distinct values, sorted, with the rows of each. They are
sorted by parts, put aside in a file without a name, and merged key by key when all rows are there. So what is in memory
is bounded by a part of the rows, but for some 20 bytes that each row takes.
"""

from __future__ import annotations

import marshal
import os
import stat
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import Any, NamedTuple
from zlib import crc32

from .. import canonical, files, layout
from .records import Columns, is_ordinary, packed, value_of
from .table import HEADER, ID_BYTES, IDS_PER_BLOCK, LARGE, MAGIC, NUMBERS, OTHERS, ROWS_PER_BLOCK, TEXTS, VERSION, WHOLE
from .texts import TextsWriter

__all__ = ["LONGEST_OF_DOCUMENT", "LONGEST_OF_STATE_POINT", "Runs", "Share", "ShareFiles", "TableWriter", "new_table"]

LONGEST_OF_STATE_POINT = 1 << 16
LONGEST_OF_DOCUMENT = 1 << 12
"""Bytes of JSON that a value may have that is kept in a column."""
_VALUES = 512
_ROWS = 16384
_ROWS_IN_MEMORY = 1 << 16
_BYTES_IN_MEMORY = 1 << 25
"""Rows, and bytes of their JSON, that are in memory at most before they are put aside."""
_VALUES_PER_BLOCK = 1024
_MOST_PER_CHARACTER = 12  # bytes of JSON for a character,
_MOST_PER_BYTE = 8  # and for a byte of a packed value
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class ShareFiles(NamedTuple):
    """Descriptors of the files that a share is written to."""

    table: int
    runs: int
    cache: int

    @classmethod
    def beside(cls, path: str) -> ShareFiles:
        """New files without names.

        Raises OSError if there cannot be any.
        """
        return cls(*(files.nameless(path) for _ in cls._fields))

    def close(self) -> None:
        """Let them go."""
        for fd in self:
            files.close_after_work(fd)


class Share(NamedTuple):
    """What a process has made of its share.

    Parameters
    ----------
    first : int
        The number of its first row, if all rows before are there.
    sections : list of int
        The lengths of the blocks of texts, of the list of these, of the ids, and of the states, which are one after the
        other in the file of the table.
    lines : list of str
        The texts of the last rows, which do not fill a block, as Latin-1.
    loose : list of int
        The positions of those among them that are not JSON to everybody.
    places : list
        Keys, and where the runs of each are.
    entries, cache : int
        The number of entries for the cache file, and the size of the part of the file that holds them.
    damaged : list of str
        Damaged jobs.
    """

    first: int
    sections: list[int]
    lines: list[str]
    loose: list[int]
    places: list[tuple[str, list[Any]]]
    entries: int
    cache: int
    damaged: list[str]


@contextmanager
def new_table(path: str, longest: int) -> Iterator[tuple[TableWriter, os.stat_result]]:
    """Open the file that takes the place of a table at the end of a block; its status tells the time of the clock.

    Raises OSError if it cannot be written; the old one is there then.
    """
    with files.Replacement(path) as file:
        status = os.fstat(file.fd)
        if status.st_mode & _WRITABLE_BY_OTHERS:  # it is only ever replaced, and must be believed
            os.fchmod(file.fd, stat.S_IMODE(status.st_mode) & ~_WRITABLE_BY_OTHERS)
        with Runs(lambda: files.nameless(path), longest) as runs:
            yield TableWriter(file, runs), status


class TableWriter:
    """Takes the rows of a table in their order."""

    def __init__(self, file: files.Replacement, runs: Runs) -> None:
        self._file = file
        self._runs = runs
        self._offset = 0
        self._waiting: list[bytes] = []
        self._size = 0
        self._states = bytearray()
        self._texts = TextsWriter(self._write, ROWS_PER_BLOCK)
        self._write(bytes(HEADER))

    @property
    def rows(self) -> int:
        """The number of rows so far."""
        return len(self._states)

    def add(self, columns: Columns, texts: Sequence[bytes], states: bytes, loose: Iterable[int] = ()) -> None:
        """Add rows, by columns, texts and states; the texts at some positions are not JSON to everybody."""
        self._states += states
        self._texts.extend(texts, loose)
        self._runs.add(columns, len(texts), sum(map(len, texts)))

    def take(self, share: Share, to: ShareFiles) -> bytes:
        """Add the rows of a share, which is in some files; return their ids."""
        blocks, entries, ids, states = share.sections
        at = blocks + entries
        self._runs.take(share.places, to.runs, self.rows - share.first)
        self._states += os.pread(to.table, states, at + ids)
        self._texts.take(files.pieces(to.table, 0, blocks), os.pread(to.table, entries, blocks))
        self._texts.extend([line.encode("latin-1") for line in share.lines], share.loose)
        return os.pread(to.table, ids, at)

    def finish(self, kind: str, about: dict[str, Any], *, ids: bytes = b"", base: str = "", extra: bytes = b"") -> str:
        """Write what is left, when all rows are there; return the id of the table."""
        states, texts = self._states, self._section(self._texts.finish(HEADER))
        keys = {key: self._chunks(self._runs.postings(key)) for key in self._runs.dotted_keys()}
        size = IDS_PER_BLOCK * ID_BYTES
        directory = {
            "kind": kind,
            "id": layout.unique_name(),
            "base": base,
            "rows": self.rows,
            "ids": [self._section(ids[first : first + size]) for first in range(0, len(ids), size)],
            "keys": keys,
            "texts": texts,
            "states": self._section(bytes(states)) if states.count(WHOLE) < len(states) else [],
            "extra": self._section(extra) if extra else [],
            "about": about,
        }
        offset, length, crc = self._section(canonical.dumps(directory).encode("ascii"))
        self._flush()
        header = MAGIC + VERSION.to_bytes(4, "little") + offset.to_bytes(8, "little") + length.to_bytes(8, "little")
        header += crc.to_bytes(4, "little")
        header += crc32(header).to_bytes(4, "little") + bytes(4)
        self._file.write_at(header, 0)
        return str(directory["id"])

    def _write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._offset += len(data)
        self._size += len(data)
        if self._size > 1 << 20:
            self._flush()

    def _flush(self) -> None:
        self._file.write(b"".join(self._waiting))
        self._waiting.clear()
        self._size = 0

    def _section(self, data: bytes) -> list[int]:
        place = [self._offset, len(data), crc32(data)]
        self._write(data)
        return place

    def _chunks(self, postings: Iterable[Postings]) -> list[int]:
        """Write the values of one key; return the place of its chunk list."""
        entries: list[list[Any]] = []
        for chunk in _in_chunks(postings):
            values = list(map(value_of, chunk.values)) if chunk.kind == OTHERS else chunk.values
            text = canonical.dumps(values).encode("ascii")
            data = text
            if not (len(values) == 1 and len(chunk.rows) == self.rows):
                if chunk.counts is not None:
                    data += chunk.counts.tobytes()
                data += chunk.rows.tobytes()
            low, high = (values[0], values[-1]) if chunk.kind in (NUMBERS, TEXTS) else (None, None)
            entries.append([chunk.kind, low, high, len(values), len(chunk.rows), len(text), *self._section(data)])
        return self._section(canonical.dumps(entries).encode("ascii"))


def _in_chunks(postings: Iterable[Postings]) -> Iterator[Postings]:
    """Postings in pieces of the size of chunks, whatever pieces they come in."""
    chunk = Postings(-1, [], array("I"), array("I"))
    for part in postings:
        if part.kind != chunk.kind or part.kind == LARGE:
            if chunk.rows:
                yield _finished(chunk)
            chunk = Postings(part.kind, [], array("I"), array("I", part.rows if part.kind == LARGE else []))
        at = first = 0
        while at < len(part.values):
            end, last = _piece(part, at, first, chunk)
            if end == at:
                yield _finished(chunk)
                chunk = Postings(part.kind, [], array("I"), array("I"))
                continue
            _append(chunk, part, at, end, part.rows[first:last])
            at, first = end, last
    if chunk.rows:
        yield _finished(chunk)


def _piece(part: Postings, at: int, first: int, chunk: Postings) -> tuple[int, int]:
    """Ends of the values and of the rows that a chunk still takes of some postings; it takes one value at least."""
    most = min(at + _VALUES - len(chunk.values), len(part.values))
    room = _ROWS - len(chunk.rows)
    if part.counts is None:
        end = max(min(most, at + room), at)
        return end, first + end - at
    end, last = at, first
    while end < most and (part.counts[end] <= room or not (chunk.rows or last > first)):
        last += part.counts[end]
        room -= part.counts[end]
        end += 1
    return end, last


def _append(chunk: Postings, part: Postings, at: int, end: int, rows: array[int]) -> None:
    counts = array("I", [1]) * (end - at) if part.counts is None else part.counts[at:end]
    chunk.values.extend(part.values[at:end])
    chunk.rows.extend(rows)
    if chunk.counts is not None:
        chunk.counts.extend(counts)


def _finished(chunk: Postings) -> Postings:
    return chunk if len(chunk.rows) > len(chunk.values) > 0 else chunk._replace(counts=None)


# --- columns turned round --------------------------------------------------------------------------------------------


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


class _Column:
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
            data = packed(value)
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


def _merged(parts: Sequence[Postings]) -> Postings:
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


# --- runs -------------------------------------------------------------------------------------------------------------


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

    What is put aside goes into a file that is opened for it; ``longest`` is that of `_Column`.
    """

    def __init__(self, opened: Callable[[], int], longest: int) -> None:
        self._opened = opened
        self._longest = longest
        self._columns: dict[str, _Column] = {}  # of the part that is in memory
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
                column = known[key] = _Column(self._longest)
            for some, values in pieces:
                column.extend(some, values)
        self._rows += rows
        self._bytes += size
        if self._rows >= _ROWS_IN_MEMORY or self._bytes >= _BYTES_IN_MEMORY:
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
    from bisect import bisect_right  # what is small has one run

    blocks: list[Postings | None] = [next(run, None) for run in runs]
    while some := [block for block in blocks if block is not None]:
        if some[0].kind == LARGE:
            yield _merged(some)
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
        yield _merged(parts)


def _cut(block: Postings, number: int) -> tuple[Postings, Postings]:
    """The first values of a block, and the others."""
    kind, values, counts, rows = block
    if number == len(values):
        return block, Postings(kind, [], None, array("I"))
    middle = number if counts is None else sum(counts[:number])
    here, there = (None, None) if counts is None else (counts[:number], counts[number:])
    return Postings(kind, values[:number], here, rows[:middle]), Postings(kind, values[number:], there, rows[middle:])
