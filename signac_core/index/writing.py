"""Writing a table, key by key, straight into the file that takes the place of the old one."""

from __future__ import annotations

import os
import stat
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import copysign
from typing import Any, NamedTuple
from zlib import crc32

from .. import canonical, files, layout
from .shapes import Group, columns_of, take_apart
from .table import (
    ABSENT,
    EMPTY,
    HEADER,
    IDS_PER_BLOCK,
    MAGIC,
    NUMBERS,
    OTHERS,
    ROWS_PER_BLOCK,
    TEXTS,
    VERSION,
    WHOLE,
    without_collection,
)
from .texts import NOTHING, TextsWriter, text_of

__all__ = [
    "fill_table",
    "new_table",
    "write_table",
]

_VALUES = 512
_ROWS = 16384
_SAMPLE = 500  # values that show in most cases that not all are different
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Groups = Iterable[tuple[Any, Sequence[int]]]
"""Values and the rows of each."""


class Unique(NamedTuple):
    """Values that have one row each.

    Parameters
    ----------
    values : list
        The values, sorted.
    rows : array of u32
        Their rows.
    """

    values: list[Any]
    rows: array[int]


def write_table(
    path: str,
    kind: str,
    trees: Sequence[dict[str, Any] | None],
    *,
    ids: Sequence[str] = (),
    base: str = "",
    extra: bytes = b"",
    about: Callable[[os.stat_result], dict[str, Any]],
) -> str:
    """Write a table in the place of an older one.

    Raises OSError if it cannot be written; the old one is there then.
    """
    with new_table(path) as (file, created):
        return fill_table(file, kind, trees, ids=ids, base=base, extra=extra, about=about(created))


@contextmanager
def new_table(path: str) -> Iterator[tuple[files.Replacement, os.stat_result]]:
    """Open the file that takes the place of a table at the end of a block; its status tells the time of the clock."""
    with files.Replacement(path) as file:
        status = os.fstat(file.fd)
        if status.st_mode & _WRITABLE_BY_OTHERS:  # it is only ever replaced, and must be believed
            os.fchmod(file.fd, stat.S_IMODE(status.st_mode) & ~_WRITABLE_BY_OTHERS)
        yield file, status


def fill_table(
    file: files.Replacement,
    kind: str,
    trees: Sequence[dict[str, Any] | None],
    *,
    ids: Sequence[str] = (),
    base: str = "",
    extra: bytes = b"",
    about: dict[str, Any],
) -> str:
    """Write a table into a new file; the arguments are those of :func:`write_table`, except for what ``about`` says."""
    with without_collection():
        writer = _Writer(file)
        writer.write(bytes(HEADER))
        blocks = [
            writer.section(bytes.fromhex("".join(ids[first : first + IDS_PER_BLOCK])))
            for first in range(0, len(ids), IDS_PER_BLOCK)
        ]
        number = len(trees)
        columns = _columns(take_apart(trees)[0])
        keys = {key: writer.chunks(_sorted_groups(columns.pop(key)), number) for key in sorted(columns)}
        states = bytes(ABSENT if tree is None else WHOLE if tree else EMPTY for tree in trees)
        directory = {
            "kind": kind,
            "id": layout.unique_name(),
            "base": base,
            "rows": number,
            "ids": blocks,
            "keys": keys,
            "texts": writer.texts(trees),
            "states": writer.section(states) if states.count(WHOLE) < number else [],
            "extra": writer.section(extra) if extra else [],
            "about": about,
        }
        offset, length, crc = writer.section(canonical.dumps(directory).encode("ascii"))
        writer.flush()
        header = MAGIC + VERSION.to_bytes(4, "little") + offset.to_bytes(8, "little") + length.to_bytes(8, "little")
        header += crc.to_bytes(4, "little")
        header += crc32(header).to_bytes(4, "little") + bytes(4)
        file.write_at(header, 0)
    return str(directory["id"])


class _Writer:
    """Sections, one after the other."""

    def __init__(self, file: files.Replacement) -> None:
        self._file = file
        self._offset = 0
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._offset += len(data)
        self._size += len(data)
        if self._size > 1 << 20:
            self.flush()

    def flush(self) -> None:
        self._file.write(b"".join(self._waiting))
        self._waiting.clear()
        self._size = 0

    def section(self, data: bytes) -> list[int]:
        place = [self._offset, len(data), crc32(data)]
        self.write(data)
        return place

    def texts(self, trees: Iterable[dict[str, Any] | None]) -> list[int]:
        """Write the texts of all rows; return the place of the list of their blocks."""
        texts, start = TextsWriter(self.write, ROWS_PER_BLOCK), self._offset
        for tree in trees:
            texts.add(*((NOTHING, True) if tree is None else text_of(tree)))
        return self.section(texts.finish(start))

    def chunks(self, classes: Iterable[tuple[int, Groups | Unique]], number: int) -> list[int]:
        """Write the values of one key; return the place of its chunk list."""
        entries: list[list[Any]] = []
        for kind, groups in classes:
            for values, counts, rows in _in_chunks(groups):
                text = canonical.dumps(values).encode("ascii")
                data = text
                if not (len(values) == 1 and len(rows) == number):
                    if len(rows) != len(values):
                        data += array("I", counts).tobytes()
                    data += rows.tobytes()
                low, high = (None, None) if kind == OTHERS else (values[0], values[-1])
                entries.append([kind, low, high, len(values), len(rows), len(text), *self.section(data)])
        return self.section(canonical.dumps(entries).encode("ascii"))


def _in_chunks(groups: Groups | Unique) -> Iterator[tuple[list[Any], list[int], array[int]]]:
    """Values, numbers of rows of each (of no meaning when all are 1), and all these rows."""
    if isinstance(groups, Unique):
        for start in range(0, len(groups.values), _VALUES):
            yield groups.values[start : start + _VALUES], [], groups.rows[start : start + _VALUES]
        return
    values: list[Any] = []
    counts: list[int] = []
    rows = array("I")
    for value, found in groups:
        if values and (len(values) == _VALUES or len(rows) + len(found) > _ROWS):
            yield values, counts, rows
            values, counts, rows = [], [], array("I")
        values.append(value)
        counts.append(len(found))
        rows.extend(found)
    if values:
        yield values, counts, rows


def _columns(groups: Iterable[Group]) -> dict[str, list[tuple[Sequence[int], Sequence[Any]]]]:
    """Per key the pieces of its column: rows and values."""
    columns: dict[str, list[tuple[Sequence[int], Sequence[Any]]]] = {}
    for shape, rows, values in groups:
        for key, column in zip(columns_of(shape), values, strict=True):
            columns.setdefault(key, []).append((rows, column))
    return columns


def _is_negative(number: float) -> bool:
    return copysign(1, number) < 0


def _unique(rows: Sequence[int], column: Sequence[Any], kind: type) -> Unique | None:
    """Values of one type, if no two rows share one."""
    sample = column[:_SAMPLE]
    if len(set(sample)) < len(sample):
        return None
    row_of = dict(zip(column, rows, strict=True))
    if len(row_of) < len(column):
        return None
    if kind is float and (sum(column) != sum(column) or (0.0 in row_of and _is_negative(column[column.index(0.0)]))):
        return None  # one of them may not be a number, or is the zero that equals another
    values = sorted(column)
    return Unique(values, array("I", map(row_of.__getitem__, values)))


def _sorted_groups(pieces: list[tuple[Sequence[int], Sequence[Any]]]) -> list[tuple[int, Groups | Unique]]:
    """Group the rows of a column by value, and the values by class."""
    if len(pieces) == 1:
        rows, column = pieces[0]
        kinds = set(map(type, column))
        if len(kinds) == 1 and (kind := kinds.pop()) in (int, float, str):
            unique = _unique(rows, column, kind)
            if unique is not None:
                return [(TEXTS if kind is str else NUMBERS, unique)]
    by_type: dict[type, dict[Any, list[int]]] = {int: defaultdict(list), float: defaultdict(list)}
    by_type[bool] = defaultdict(list)
    by_type[str] = defaultdict(list)
    others: dict[str, tuple[Any, list[int]]] = {}
    for rows, column in pieces:
        kinds = set(map(type, column))
        if len(kinds) == 1 and (kind := kinds.pop()) in (int, str, bool):
            groups = by_type[kind]
            for row, value in zip(rows, column, strict=True):
                groups[value].append(row)
            continue
        for row, value in zip(rows, column, strict=True):
            kind = type(value)
            # Zeros of both signs are equal, NaN is not equal to itself: both need their text to be told apart.
            if kind not in by_type or (kind is float and (value != value or (value == 0 and _is_negative(value)))):
                others.setdefault(canonical.dumps(value), (value, []))[1].append(row)
            else:
                by_type[kind][value].append(row)
    if len(pieces) > 1:
        for groups in by_type.values():
            for found in groups.values():
                found.sort()
        for _, found in others.values():
            found.sort()
    numbers = [*by_type[int].items(), *by_type[float].items(), *by_type[bool].items()]
    numbers.sort(key=_value)
    return [(NUMBERS, numbers), (TEXTS, sorted(by_type[str].items(), key=_value)), (OTHERS, others.values())]


def _value(group: tuple[Any, Sequence[int]]) -> Any:
    return group[0]
