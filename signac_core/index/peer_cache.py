"""The cache file of signac 2.x, ``.signac/statepoint_cache.json.gz``: how it is read, and what is written into it.

It is one JSON object, ``{id: state point, ...}``, compressed with gzip. An entry is believed only when it hashes to its
id. The closing brace is a gzip member of its own, so that more entries can be put between that and the rest without
compressing these again (several members are read as one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .. import canonical, files, layout

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = [
    "as_file",
    "entries_in",
    "genuine_entries",
    "mark_of",
    "read_cache",
    "read_file",
    "with_more",
    "wrong_entries",
]

_ANY_SIZE = 1 << 26
_LARGEST_RATIO = 250
"""Bytes that the content of a cache file may have at least, and for each byte of the file."""
_LONGEST_PIECE = 1 << 16
_SMALL = 1 << 14  # bytes that are read in no time
_MANY = 500  # entries from which on the import of a faster encoder pays
_GZIP = 31  # what zlib calls a window of 32 KiB in a gzip container
_LEVEL = 1  # what is saved in bytes is lost many times over in seconds


def read_cache(space: Space, ids: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the state points that the cache file holds (open, fstat, read, close)."""
    entries = entries_in(read_file(space))
    return {} if entries is None else genuine_entries(entries, ids)


def genuine_entries(entries: dict[str, Any], ids: Iterable[str] | None) -> dict[str, dict[str, Any]]:
    """Entries, of these jobs only, that hash to their ids."""
    wanted = entries if ids is None else [job_id for job_id in ids if job_id in entries]
    return {job_id: entries[job_id] for job_id in wanted if _is_genuine(job_id, entries[job_id])}


def _is_genuine(job_id: str, state_point: Any) -> bool:
    try:
        return isinstance(state_point, dict) and canonical.calc_id(state_point) == job_id
    except RecursionError:
        return False


def wrong_entries(space: Space, vouch_for: Callable[[str, Any], bool]) -> list[str]:
    """Jobs, existing or not, about which the cache file is wrong; none if it is damaged, as nobody believes it then.

    ``vouch_for`` may know of a state point that it is the one of a job, which saves computing its id.
    """
    data = read_file(space)
    if data is None:
        return []
    if len(data) > _SMALL:
        with suppress(ValueError, RecursionError):
            if all(vouch_for(*entry) or _is_genuine(*entry) for entry in _entries_one_by_one(data)):
                return []
    entries = entries_in(data) or {}
    return [name for name, state_point in entries.items() if not _is_genuine(name, state_point)]


def _entries_one_by_one(data: bytes) -> Iterator[tuple[str, Any]]:
    """Entries in a cache file, without holding all of it, as long as its text looks as it usually does.

    Between what looks like the keys of two entries there is one whole value, or this is no key: ValueError then, and
    where a fast parser does not read it. A key that is there twice comes twice.
    """
    from re import compile

    from orjson import loads

    key = compile(rb'[{,]\s*"([0-9a-f]{32})":')
    text, job_id, begin = b"", "", b"{"
    for piece in _pieces(data):
        text += piece
        position = 0
        for match in key.finditer(text):
            if match[0][:1] != begin or (not job_id and match.start()):
                raise ValueError("The file does not begin with an entry.")
            if job_id:
                yield job_id, loads(text[position : match.start()])
            job_id, begin, position = match[1].decode("ascii"), b",", match.end()
        text = text[position:]
        if len(text) > _LONGEST_PIECE << 8:
            raise ValueError("An entry is unusually long.")
    value, brace, rest = text.rpartition(b"}")
    if not job_id or not brace or rest.strip():
        raise ValueError("The file does not end with an entry.")
    yield job_id, loads(value)


def read_file(space: Space) -> bytes | None:
    """Content of the cache file; None when there is none that can be read."""
    try:
        return files.read_with_status(space.path(layout.FN_CACHE))[0]
    except OSError:
        return None


def entries_in(data: bytes | None) -> dict[str, Any] | None:
    """Entries in a cache file, unchecked; None when it is damaged."""
    if data is not None:
        with suppress(ValueError):
            entries = canonical.loads(_decompressed(data))
            if isinstance(entries, dict):
                return entries
    return None


def _decompressed(data: bytes) -> bytes:
    """Content of a gzip file; the errors are those of :func:`_pieces`."""
    return b"".join(_pieces(data))


def _pieces(data: bytes) -> Iterator[bytes]:
    """Content of a gzip file, which may consist of several members, piece by piece.

    Raises ValueError if it is not one, or damaged, or would grow far more than state points do.
    """
    import zlib

    room = max(_ANY_SIZE, _LARGEST_RATIO * len(data))
    position = 0
    while position < len(data):
        if not data[position]:  # padding
            position += 1
            continue
        member = zlib.decompressobj(_GZIP)
        length = 512  # what lies behind a member is copied: of many small ones no more than they are long
        while not member.eof:
            piece = data[position : position + length]
            try:
                content = member.decompress(piece, room)
            except zlib.error as error:
                raise ValueError(str(error)) from None
            room -= len(content)
            if not piece or room <= 0:
                raise ValueError("The file is incomplete, or far too large.")
            yield content
            position += len(piece) - len(member.unused_data)
            length = min(2 * length, _LONGEST_PIECE)


def _compressed(data: bytes) -> bytes:
    import zlib

    member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return member.compress(data) + member.flush()


def _text_of(entries: dict[str, dict[str, Any]]) -> bytes:
    """JSON text of entries."""
    if len(entries) >= _MANY:
        import orjson

        with suppress(TypeError):  # an integer of more than 64 bits, an unpaired surrogate
            text = orjson.dumps(entries)
            if b"null" not in text:  # which may stand for a number that is not finite
                return text
    return canonical.dumps(entries).encode("ascii")


def as_file(entries: dict[str, dict[str, Any]]) -> bytes:
    """Cache file with these entries."""
    return _compressed(_text_of(entries)[:-1]) + _compressed(b"}")


def with_more(file: bytes, entries: dict[str, dict[str, Any]]) -> bytes | None:
    """Cache file with more entries; None if it does not end as :func:`as_file` lets it end."""
    end = _compressed(b"}")
    if not file.endswith(end):
        return None
    return file[: -len(end)] + _compressed(b", " + _text_of(entries)[1:-1]) + end


def mark_of(data: bytes | None) -> list[Any] | None:
    """What tells one content of the cache file from any other, wherever the file has been copied to."""
    return None if data is None else [len(data), canonical.hash_of(data)]
