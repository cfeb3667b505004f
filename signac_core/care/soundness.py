"""A quick look at each of many jobs, which most pass: what is wrong with the others is for `integrity` to say.

The look at a job lists its directory and reads its state point and its document (11 calls, 8 without a document); in
threads where the file system is slow. Of each state point a *mark* is kept, 8 bytes, which tells whether another tree,
one of the index or of the cache file, says the same: that takes a fraction of the time of computing its id.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from marshal import dumps
from typing import TYPE_CHECKING, Any, Protocol

from .. import canonical, files, layout
from ..catalog import each_file
from . import litter

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["UNSOUND", "Claims", "Marks", "binary", "looks", "mark_of", "places_in", "sound_state_points"]

UNSOUND = 0
"""The mark of a job that did not pass."""

_MANY = 64  # files for which the import of a faster parser pays
_UNCHANGED = 2  # the version of the format in which equal trees have equal bytes
_MANY_CONTAINERS = 200  # fewer than any parser of JSON takes for too many, one in the other
_END = len(layout.FN_STATE_POINT) + 1
_USUAL = frozenset({layout.FN_STATE_POINT, layout.FN_DOCUMENT})


class Claims(Protocol):
    """What the index says of documents; see :class:`index_claims.DocumentClaims`."""

    def __contains__(self, job_id: str, /) -> bool: ...
    def agree(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> bool: ...


def binary(value: Any) -> bytes:
    """Bytes of plain data that are equal if it is, by value and type, with keys in the same order.

    Raises ValueError if it is nested too deeply.
    """
    return dumps(value, _UNCHANGED)


def mark_of(tree: Any) -> int:
    """What two trees have in common if they are equal, by value and type, with keys in the same order.

    It differs from process to process. `UNSOUND` for trees that are nested too deeply.
    """
    try:
        return hash(dumps(tree, _UNCHANGED))
    except ValueError:
        return UNSOUND


def places_in(names: Sequence[str]) -> Callable[[str], int | None]:
    """Give a function that tells where a name is among sorted ones, and None for others."""
    if len(names) <= _MANY:
        return {name: place for place, name in enumerate(names)}.get
    from bisect import bisect_left  # takes no memory

    def find(name: str) -> int | None:
        place = bisect_left(names, name)
        return place if place < len(names) and names[place] == name else None

    return find


class Marks:
    """The marks of state points by job; names are sorted, and `UNSOUND` stands for what is not known."""

    def __init__(self, names: Sequence[str]) -> None:
        self._find = places_in(names)
        self._marks: MutableSequence[int] = []
        if len(names) > _MANY:
            from array import array

            self._marks = array("q")

    def append(self, mark: int) -> None:
        """Take the mark of the next job."""
        self._marks.append(mark)

    def vouch_for(self, job_id: str, state_point: Any) -> bool:
        """Tell whether a state point is the one that a sound job has; False also means that nobody knows."""
        place = self._find(job_id)
        if place is None or place >= len(self._marks):
            return False
        mark = self._marks[place]
        return mark != UNSOUND and mark == mark_of(state_point)


_Parser = Callable[[bytes], Any]


def _parser(number: int) -> _Parser:
    """What parses so many files."""
    if number <= _MANY:
        return canonical.loads
    from orjson import loads

    return loads


def _state_point(parse: _Parser, text: bytes, job_id: str) -> dict[str, Any] | None:
    """State point in a text if it is the one of a job, and the parser reads it.

    A fast one reads large integers as floats, which have another id.
    """
    try:
        state_point: dict[str, Any] = parse(text)
        return state_point if canonical.has_id(state_point, job_id) else None
    except (ValueError, RecursionError):
        return None


def sound_state_points(space: Space, names: Sequence[str]) -> Iterator[bool]:
    """Tell of each job whether its state point file holds its state point (open, read, close per job)."""
    parse = _parser(len(names))

    def look(name: str, path: str, dir_fd: int | None) -> bool:
        try:
            return _state_point(parse, files.read_bytes(path, dir_fd=dir_fd), name) is not None
        except OSError:
            return False

    return each_file(space, names, layout.FN_STATE_POINT, look)


def looks(space: Space, names: Sequence[str], claims: Claims | None) -> Iterator[int]:
    """Marks of the state points of jobs with which everything is in order, `UNSOUND` for all others."""
    parse = _parser(len(names))
    holds_document = _document_test(parse, claims)

    def look(name: str, path: str, dir_fd: int | None) -> int:
        try:
            state_point = _state_point(parse, files.read_bytes(path, dir_fd=dir_fd), name)
            if state_point is None:
                return UNSOUND
            directory = f"{space.workspace}/{name}"
            with os.scandir(directory) as found:
                entries = list(found)
            there = {entry.name for entry in entries}
            if layout.FN_DOCUMENT in there or claims is not None:
                document = path[:-_END] + "/" + layout.FN_DOCUMENT
                if not holds_document(name, document, dir_fd, layout.FN_DOCUMENT in there):
                    return UNSOUND
            if not there <= _USUAL and any(litter.among(entries, directory, document_is_valid=True)):
                return UNSOUND
        except OSError:
            return UNSOUND
        return mark_of(state_point)

    return each_file(space, names, layout.FN_STATE_POINT, look)


def _document_test(parse: _Parser, claims: Claims | None) -> Callable[[str, str, int | None, bool], bool]:
    """What tells whether there is a document in a file, and the one that the index claims to be there."""

    def is_sound(name: str, path: str, dir_fd: int | None, exists: bool) -> bool:
        if claims is None or name not in claims:
            return not exists or _document(parse, files.read_bytes(path, dir_fd=dir_fd)) is not None
        if not exists:
            return claims.agree(name, None, {})
        text, status = files.read_with_status(path, dir_fd=dir_fd)
        document = _document(parse, text)
        return document is not None and claims.agree(name, status, document)

    return is_sound


def _document(parse: _Parser, text: bytes) -> dict[str, Any] | None:
    """Document in a text if the parser reads one there, and any other would."""
    try:
        document = parse(text)
        if text.count(b"{") + text.count(b"[") > _MANY_CONTAINERS:
            document = canonical.loads(text)
    except ValueError:
        return None
    return document if type(document) is dict else None
