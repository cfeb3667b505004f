"""Shares of a new base, and of the cache file, that several processes make at the same time.

A process writes what it makes of its share into files without names, which the first one puts together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from .. import files
from .peer_cache import Entries
from .records import Columns, Records, add_records
from .table import ROWS_PER_BLOCK
from .texts import TextsWriter
from .writing import Runs, Share, ShareFiles

__all__ = ["ShareWriter"]


class ShareWriter:
    """Takes the rows of a share, and their entries in the cache file."""

    def __init__(self, to: ShareFiles, first: int, longest: int) -> None:
        for fd in to:
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
        self._to = to
        self._first = first
        self._size = 0
        self._texts = TextsWriter(self._write, ROWS_PER_BLOCK)
        self._runs = Runs(lambda: to.runs, longest)
        self._ids = bytearray()
        self._states = bytearray()
        self._cache = Entries(many=True)
        self._number = self._cache_size = 0

    @property
    def rows(self) -> int:
        """The number of the next row."""
        return self._first + len(self._states)

    def add(self, columns: Columns, texts: Sequence[bytes], states: bytes, loose: Iterable[int] = ()) -> None:
        """Add rows, as `writing.TableWriter.add` does."""
        self._states += states
        self._texts.extend(texts, loose)
        self._runs.add(columns, len(texts), sum(map(len, texts)))

    def add_records(self, records: Records) -> None:
        """Add jobs."""
        self._number += len(records.ids)
        self._ids += add_records(self, records)
        self._write_cache(self._cache.added(records))

    def share(self, damaged: list[str]) -> Share:
        """What was made of it."""
        start = self._size
        sections = [start]
        for data in (self._texts.entries.tobytes(), bytes(self._ids), bytes(self._states)):
            self._write(data)
            sections.append(len(data))
        lines, loose = self._texts.rest()
        self._write_cache(self._cache.rest())
        places = self._runs.put_aside()
        texts = [line.decode("latin-1") for line in lines]
        return Share(self._first, sections, texts, loose, places, self._number, self._cache_size, damaged)

    def _write(self, data: bytes) -> None:
        files.write_all(self._to.table, data)
        self._size += len(data)

    def _write_cache(self, data: bytes) -> None:
        files.write_all(self._to.cache, data)
        self._cache_size += len(data)
