"""Writing the cache file of signac 2.x, piece by piece, and having the entries of an old one at hand meanwhile."""

from __future__ import annotations

import marshal
import os
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import compress
from typing import TYPE_CHECKING, Any

from .. import canonical, files, layout
from .peer_cache import GZIP, LEVEL, CacheFile, compressed
from .records import Records

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["CacheWriter", "Entries", "EntriesAside"]

_MANY = 500  # entries from which on the texts of the index are taken, which are shorter
_PIECE = 1 << 18  # bytes that are written at once


class EntriesAside(Mapping[str, dict[str, Any]]):
    """State points that the cache file holds of some jobs, whose ids are sorted, kept in a file without a name.

    ``number`` counts all entries, ``is_sound`` tells whether all of them are genuine, and of these jobs.

    Raises ValueError if the cache file is damaged; OSError if there is no place for them.
    """

    def __init__(self, space: Space, file: CacheFile, ids: Sequence[str]) -> None:
        self._ids = ids
        self._ends = array("Q", bytes(8)) * len(ids)  # where they end in the file, 0 for those that are not there
        self._fd = _nameless(space.path(layout.FN_CACHE))
        self.number = self._held = 0
        try:
            self.is_sound = self._take(file)
        except BaseException:
            self.close()
            raise

    def _take(self, file: CacheFile) -> bool:
        is_sound = True
        waiting: list[bytes] = []
        end = size = 0
        for job_id, state_point in file.genuine_entries():
            self.number += 1
            at = self._position(job_id)
            if state_point is None or at is None or self._ends[at]:
                is_sound = False
                continue
            data = marshal.dumps(state_point)
            waiting += [data, len(data).to_bytes(8, "little")]
            size += len(data)
            end += len(data) + 8
            self._ends[at] = end
            self._held += 1
            if size > _PIECE:
                files.write_all(self._fd, b"".join(waiting))
                waiting, size = [], 0
        files.write_all(self._fd, b"".join(waiting))
        return is_sound

    def _position(self, job_id: str) -> int | None:
        at = bisect_left(self._ids, job_id)
        return at if at < len(self._ids) and self._ids[at] == job_id else None

    def __contains__(self, job_id: object) -> bool:
        at = self._position(str(job_id))
        return at is not None and self._ends[at] > 0

    def __getitem__(self, job_id: str) -> dict[str, Any]:
        at = self._position(job_id)
        end = 0 if at is None else self._ends[at]
        if not end:
            raise KeyError(job_id)
        length = int.from_bytes(os.pread(self._fd, 8, end - 8), "little")
        state_point: dict[str, Any] = marshal.loads(os.pread(self._fd, length, end - 8 - length))  # ours
        return state_point

    def __iter__(self) -> Iterator[str]:
        return compress(self._ids, self._ends)

    def __len__(self) -> int:
        return self._held

    def close(self) -> None:
        """Let them go."""
        files.close_after_work(self._fd)


def _nameless(path: str) -> int:
    """A file without a name beside another, or in memory if nobody may write there."""
    try:
        return files.nameless(path)
    except OSError:
        if not hasattr(os, "memfd_create"):
            raise
        return os.memfd_create("signac", os.MFD_CLOEXEC)


class CacheWriter:
    """Writes a cache file that takes the place of the old one, for a number of entries.

    With ``more_than`` the entries are added to those of a cache file. Without :meth:`finish` the old file stays.

    Raises OSError, as all methods do, if it cannot be written.
    """

    def __init__(self, space: Space, number: int, *, more_than: CacheFile | None = None) -> None:
        self._path = space.path(layout.FN_CACHE)
        self._stack = ExitStack()
        with self._about_it():
            self._file = self._stack.enter_context(files.Replacement(self._path, durable=space.durable))
        self._digest = canonical.new_hash()
        self._size = 0
        self._entries = Entries(b"{" if more_than is None else b", ", many=number >= _MANY)
        if more_than is not None:
            for data in more_than.pieces(more_than.size - len(compressed(b"}"))):
                self._write(data)

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        error = OSError()
        self._stack.__exit__(OSError, error, None)  # unless it is finished

    def add(self, records: Records) -> None:
        """Add entries."""
        self._write(self._entries.added(records))

    def take(self, fd: int, size: int) -> None:
        """Add so many bytes of a file, which :class:`Entries` has made."""
        self._write(self._entries.before_others())
        for data in files.pieces(fd, 0, size):
            self._write(data)

    def finish(self) -> list[Any]:
        """Put the file in its place; return its mark."""
        self._write(self._entries.rest() + compressed(b"}"))
        with self._about_it():
            self._stack.close()
        return [self._size, self._digest.hexdigest()]

    def _write(self, data: bytes) -> None:
        with self._about_it():
            self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    @contextmanager
    def _about_it(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            files.set_path(error, self._path)
            raise


class Entries:
    """Entries on their way into a cache file, with something before the first one; of ``many`` the texts are taken."""

    def __init__(self, before: bytes = b"", *, many: bool) -> None:
        self._before = before
        self._many = many
        self._member: Any = None

    def added(self, records: Records) -> bytes:
        """What has to be written, or a part of it, with some more entries."""
        if not records.ids:
            return b""
        names = zip(records.ids, records.texts if self._many else records.trees, strict=True)
        if self._many:
            content = b",".join([b'"%b":%b' % (name.encode("ascii"), text) for name, text in names])
        else:
            content = ", ".join([f'"{name}": {canonical.dumps(tree)}' for name, tree in names]).encode("ascii")
        return self._compress(content)

    def before_others(self) -> bytes:
        """What has to be written before others that were made elsewhere."""
        return self._compress(b"") + self.rest()

    def rest(self) -> bytes:
        """What is left to be written."""
        data = b"" if self._before != b"{" else self._compress(b"")
        if self._member is not None:
            data += self._member.flush()
            self._member = None
        return data

    def _compress(self, content: bytes) -> bytes:
        if self._member is None:
            self._member = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        before, self._before = self._before, b", "
        data: bytes = self._member.compress(before + content)
        return data
