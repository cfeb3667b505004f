"""The cache file of signac 2.x, ``.signac/statepoint_cache.json.gz``: how it is read, and what is written into it.

It is one JSON object, ``{id: state point, ...}``, compressed with gzip. An entry is believed only when it hashes to its
id. The closing brace is a gzip member of its own, so that more entries can be put between that and the rest without
compressing these again (several members are read as one). It is read and written piece by piece: what is in memory is
bounded by its largest entry.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

from .. import canonical, files, layout
from ..workspace import OPEN_FLAGS

if TYPE_CHECKING:
    from ..workspace import Space
    from .records import Records

__all__ = [
    "CacheFile",
    "CacheWriter",
    "Entries",
    "EntriesAside",
    "holds_just",
    "open_cache",
    "read_cache",
    "wrong_entries",
]

_ANY_SIZE = 1 << 26
_LARGEST_RATIO = 250
"""Bytes that the content of a cache file may have at least, and for each byte of the file."""
_VERY_MANY = 2500  # entries from which on the import of a faster encoder pays
_MANY = 500  # entries from which on the texts of the index are written, which are shorter
_PIECE = 1 << 18  # bytes that are put aside at once
_GZIP = 31  # what zlib calls a window of 32 KiB in a gzip container
_LEVEL = 1  # what is saved in bytes is lost many times over in seconds
_FIRST_STEP, _LONGEST_STEP = 512, 1 << 14  # bytes that are decompressed at once; what lies behind a member is copied
_AT_ONCE = 256  # entries that are compared with their ids together
_BLANKS = " \t\n\r"


class CacheFile:
    """The cache file as it is, open.

    Raises OSError if there is none that can be read.
    """

    def __init__(self, space: Space) -> None:
        self.fd = os.open(space.path(layout.FN_CACHE), OPEN_FLAGS)
        self.status = os.fstat(self.fd)
        self.size = self.status.st_size
        if not stat.S_ISREG(self.status.st_mode):
            self.close()
            raise files.not_regular(space.path(layout.FN_CACHE))

    def __enter__(self) -> CacheFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        files.close_after_work(self.fd)

    def pieces(self, end: int | None = None) -> Iterator[bytes]:
        """What is in it, as it was when it was opened, up to some byte."""
        return files.pieces(self.fd, 0, self.size if end is None else end)

    def mark(self) -> list[Any]:
        """What tells this content of the cache file from any other, wherever the file has been copied to."""
        digest = canonical.new_hash()
        for data in self.pieces():
            digest.update(data)
        return [self.size, digest.hexdigest()]

    def may_grow(self) -> bool:
        """Tell whether it ends as :class:`CacheWriter` lets it end, so that entries can be added."""
        end = _compressed(b"}")
        return os.pread(self.fd, len(end), max(self.size - len(end), 0)) == end

    def entries(self) -> Iterator[tuple[str, Any]]:
        """Entries, unchecked, in the order of the file.

        Raises ValueError, sooner or later, if it is damaged.
        """
        from codecs import getincrementaldecoder

        decode = getincrementaldecoder("utf-8")("surrogatepass").decode
        return _entries_in(map(decode, _decompressed(self.pieces(), self.size)))

    def genuine_entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Do the same, with None for a state point that does not hash to its id."""
        entries = self.entries()
        for job_id, state_point in islice(entries, _VERY_MANY):
            yield job_id, state_point if canonical.state_point_matches(state_point, job_id) else None
        while some := list(islice(entries, _AT_ONCE)):
            from .records import wrong_ones

            ids, trees = [job_id for job_id, _ in some], [tree for _, tree in some]
            wrong = set(wrong_ones(ids, trees, many=True))
            yield from ((name, None if at in wrong else trees[at]) for at, name in enumerate(ids))


def open_cache(space: Space) -> CacheFile | None:
    """The cache file, None if there is none that can be read."""
    try:
        return CacheFile(space)
    except OSError:
        return None


def read_cache(space: Space, ids: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the state points that the cache file holds (open, fstat, read, close), of these jobs only."""
    wanted = None if ids is None else frozenset(ids)
    with suppress(OSError, ValueError), CacheFile(space) as file:
        return {
            job_id: state_point
            for job_id, state_point in file.genuine_entries()
            if state_point is not None and (wanted is None or job_id in wanted)
        }
    return {}


def wrong_entries(space: Space, vouch_for: Callable[[str, Any], bool]) -> list[str]:
    """Jobs, existing or not, about which the cache file is wrong; none if it is damaged, as nobody believes it then.

    ``vouch_for`` may know of a state point that it is the one of a job, which saves computing its id.
    """
    wrong: dict[str, None] = {}
    with suppress(OSError, ValueError), CacheFile(space) as file:
        for job_id, state_point in file.entries():  # of a key that is there twice, the last value counts
            if vouch_for(job_id, state_point) or canonical.state_point_matches(state_point, job_id):
                wrong.pop(job_id, None)
            else:
                wrong[job_id] = None
        return list(wrong)
    return []


def holds_just(file: CacheFile, ids: Sequence[str]) -> bool:
    """Tell whether a cache file has the right state points of these jobs, whose ids are sorted, and of no others.

    Raises ValueError if it is damaged.
    """
    from bisect import bisect_left  # what only looks at the file pays for no import

    found = bytearray(len(ids))
    for job_id, state_point in file.genuine_entries():
        at = bisect_left(ids, job_id)
        if state_point is None or at == len(ids) or ids[at] != job_id:
            return False
        found[at] = 1
    return found.count(1) == len(ids)


def _compressed(data: bytes) -> bytes:
    """A member of a gzip file."""
    import zlib

    member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return member.compress(data) + member.flush()


def _decompressed(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Content of a gzip file of some size, which may consist of several members.

    Raises ValueError if it is not one, or damaged, or would grow far more than state points do.
    """
    import zlib

    room = max(_ANY_SIZE, _LARGEST_RATIO * size)
    member = None
    length = 0
    for data in pieces:
        position = 0
        while position < len(data):
            if member is None:
                if not data[position]:  # padding
                    position += 1
                    continue
                member, length = zlib.decompressobj(_GZIP), _FIRST_STEP
            step = data[position : position + length]
            try:
                content = member.decompress(step)
            except zlib.error as error:
                raise ValueError(str(error)) from None
            room -= len(content)
            if room <= 0:
                raise ValueError("The file is far too large.")
            if content:
                yield content
            position += len(step) - len(member.unused_data)
            length = min(2 * length, _LONGEST_STEP)
            if member.eof:
                member = None
    if member is not None:
        raise ValueError("The file is incomplete.")


def _entries_in(pieces: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Keys and values of a JSON object.

    Raises ValueError if it is not one.
    """
    text, at = "", 0
    opening = "{"
    while True:
        found = _entry(text, at, opening)
        if isinstance(found, tuple):
            key, value, at = found
            if key is None:
                break
            opening = ","
            yield key, value
            continue
        text, at = _longer(text[at:], pieces), 0
    if text[at:].strip(_BLANKS) or any(piece.strip(_BLANKS) for piece in pieces):
        raise ValueError("There is something behind the JSON object.")


def _longer(text: str, pieces: Iterator[str]) -> str:
    """A text with so many more pieces that it has twice its length."""
    more: list[str] = []
    length = 0
    while length <= len(text) and (piece := next(pieces, "")):
        more.append(piece)
        length += len(piece)
    if not more or len(text) > _ANY_SIZE:
        raise ValueError("This is no JSON object.")
    return text + "".join(more)


def _entry(text: str, at: int, opening: str) -> tuple[str | None, Any, int] | None:
    """Key and value behind an opening brace, or a comma, and where they end; no key at the end of the object.

    None if the text does not hold all of it.
    """
    try:
        at = _behind_blanks(text, at)
        if text[at] == opening:
            at = _behind_blanks(text, at + 1)
            if text[at] != "}" or opening == ",":
                key, at = canonical.scan(text, at)
                at = _behind_blanks(text, at)
                if text[at] != ":" or type(key) is not str:
                    raise ValueError("This is no JSON object.")
                value, at = canonical.scan(text, _behind_blanks(text, at + 1))
                at = _behind_blanks(text, at)
                return (key, value, at) if text[at] else None
        if text[at] == "}" and text[at] != opening:
            return None, None, at + 1
    except (IndexError, canonical.IncompleteError):
        return None
    raise ValueError("This is no JSON object.")


def _behind_blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at


# --- writing ----------------------------------------------------------------------------------------------------------


class EntriesAside(Mapping[str, dict[str, Any]]):
    """State points that the cache file holds of some jobs, whose ids are sorted, kept in a file without a name.

    ``number`` counts all entries, ``is_sound`` tells whether all of them are genuine, and of these jobs.

    Raises ValueError if the cache file is damaged; OSError if there is no place for them.
    """

    def __init__(self, space: Space, file: CacheFile, ids: Sequence[str]) -> None:
        from array import array  # what only looks at the file pays for no import

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
        import marshal

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
        from bisect import bisect_left

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
        import marshal

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

    With ``more_than`` the entries are added to those of a cache file. Without :meth:`finish` the old file stays;
    ``replaced`` is its status, as for `files.replace_file`.

    Raises OSError, as all methods do, if it cannot be written.
    """

    def __init__(
        self, space: Space, number: int, *, replaced: files.Replaced = "look", more_than: CacheFile | None = None
    ) -> None:
        self._path = space.path(layout.FN_CACHE)
        self._stack = ExitStack()
        with self._about_it():
            self._file = self._stack.enter_context(
                files.Replacement(self._path, durable=space.durable, replaced=replaced)
            )
        self._digest = canonical.new_hash()
        self._size = self._waiting_size = 0
        self._waiting: list[bytes] = []
        self._entries = Entries(b"{" if more_than is None else b", ", many=number >= _MANY)
        if more_than is not None:
            for data in more_than.pieces(more_than.size - len(_compressed(b"}"))):
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
        self._write(self._entries.rest() + _compressed(b"}"))
        self._flush()
        with self._about_it():
            self._stack.close()
        return [self._size, self._digest.hexdigest()]

    def _write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_size += len(data)
        self._size += len(data)
        self._digest.update(data)
        if self._waiting_size > _PIECE:
            self._flush()

    def _flush(self) -> None:
        data, self._waiting, self._waiting_size = b"".join(self._waiting), [], 0
        with self._about_it():
            self._file.write(data)

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
            import zlib

            self._member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        before, self._before = self._before, b", "
        data: bytes = self._member.compress(before + content)
        return data
