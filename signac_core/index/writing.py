"""Writing a table, row by row, straight into the file that takes the place of the old one.

Texts are written as they come; columns when all rows are there, key by key. What is in memory is bounded by a part of
the rows (see `runs`), but for 17 bytes and a few more that each row takes.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from .. import canonical, files, layout
from .leaves import Columns
from .postings import Postings, value_of
from .runs import Runs
from .shares import Share, ShareFiles
from .table import HEADER, ID_BYTES, IDS_PER_BLOCK, LARGE, MAGIC, NUMBERS, OTHERS, ROWS_PER_BLOCK, TEXTS, VERSION, WHOLE
from .texts import TextsWriter

__all__ = ["LONGEST_OF_DOCUMENT", "LONGEST_OF_STATE_POINT", "TableWriter", "new_table"]

LONGEST_OF_STATE_POINT = 1 << 16
LONGEST_OF_DOCUMENT = 1 << 12
"""Bytes of JSON that a value may have that is kept in a column."""
_VALUES = 512
_ROWS = 16384
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


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
