"""The cache file of signac 2.x, ``.signac/statepoint_cache.json.gz``: how it is read, and what is written into it.

It is one JSON object, ``{id: state point, ...}``, compressed with gzip. An entry is believed only when it hashes to its
id. The closing brace is a gzip member of its own, so that more entries can be put between that and the rest without
compressing these again (several members are read as one). It is read and written piece by piece: what is in memory is
bounded by its largest entry.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from .. import canonical, files, layout
from ..workspace import OPEN_FLAGS

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = [
    "GZIP",
    "LEVEL",
    "CacheFile",
    "compressed",
    "holds_just",
    "open_cache",
    "read_cache",
    "wrong_entries",
]

_ANY_SIZE = 1 << 26
_LARGEST_RATIO = 250
"""Bytes that the content of a cache file may have at least, and for each byte of the file."""
_MANY = 2500  # entries from which on the import of a faster encoder pays
GZIP = 31  # what zlib calls a window of 32 KiB in a gzip container
LEVEL = 1  # what is saved in bytes is lost many times over in seconds
_FIRST_STEP, _LONGEST_STEP = 512, 1 << 14  # bytes that are decompressed at once; what lies behind a member is copied
_AT_ONCE = 256  # entries that are compared with their ids together
_BLANKS = " \t\n\r"


class CacheFile:
    """The cache file as it is, open.

    Raises OSError if there is none that can be read.
    """

    def __init__(self, space: Space) -> None:
        self.fd = os.open(space.path(layout.FN_CACHE), OPEN_FLAGS)
        status = os.fstat(self.fd)
        self.size = status.st_size
        if not stat.S_ISREG(status.st_mode):
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
        """Tell whether it ends as `caching.CacheWriter` lets it end, so that entries can be added."""
        end = compressed(b"}")
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
        for job_id, state_point in islice(entries, _MANY):
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


def wrong_entries(space: Space) -> list[str]:
    """Jobs, existing or not, about which the cache file is wrong; none if it is damaged, as nobody believes it then."""
    with suppress(OSError, ValueError), CacheFile(space) as file:
        return [job_id for job_id, state_point in file.genuine_entries() if state_point is None]
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


def compressed(data: bytes) -> bytes:
    """A member of a gzip file."""
    import zlib

    member = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
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
                member, length = zlib.decompressobj(GZIP), _FIRST_STEP
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
