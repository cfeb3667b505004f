"""Archives onto the disk: what an archive holds, whether that may be unpacked, and where to.

:func:`scan` reads the list of members once and refuses archives that hold what must not be unpacked, before anything is
written; :func:`extract` unpacks directories to where the caller wants them. No member is written through a link: links
are made last, lead nowhere but into their own job, and nothing may lie below them. Links that lead out are left out.

Files and directories get the permissions that the archive has for them, as far as these concern their owner and allow
others to read: nothing becomes readable, or writable, that was not. What the umask keeps from others to write stays so.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from .. import files, layout
from ..failures import is_about_one_job
from ..layout import is_leftover
from . import links
from .archives import Member, Reader, refusal
from .links import LeftOut

__all__ = ["Contents", "Limits", "extract", "rehearse", "scan"]

_CHUNK = 1 << 20
_DEEPEST = 256


class Limits(NamedTuple):
    """What an archive may grow to before it counts as a bomb.

    Parameters
    ----------
    size : int
        Bytes that any archive may grow to.
    ratio : int
        Beyond that, so many times its own size.
    state_point : int
        Bytes of one state point file.
    state_points : int
        Bytes of all state point files.
    overhead : int
        Bytes of the descriptions of its members, beside their content; beyond that, ``ratio`` holds for them, too.
    names : int
        Bytes of the names of all directories.
    """

    size: int = 1 << 30
    ratio: int = 250
    state_point: int = 1 << 24
    state_points: int = 1 << 28
    overhead: int = 1 << 28
    names: int = 1 << 27


class Contents(NamedTuple):
    """The members of an archive, which are safe to unpack.

    Parameters
    ----------
    members : list of Member
        In the order of the archive.
    state_points : dict of str to bytes
        The content of the state point file, for each directory that holds one.
    directories : set of str
        The directories that have an entry of their own or hold a file.
    """

    members: list[Member]
    state_points: dict[str, bytes]
    directories: set[str]


def scan(reader: Reader, limits: Limits | None = None) -> Contents:
    """Read the list of members, and the state points.

    Raises ArchiveError if a member has an absolute name or one with ``..``, is there twice, is a device, or lies below
    a link or a file, or if the archive would grow beyond the limits.
    """
    limits = limits or Limits()
    by_ratio = limits.ratio * os.path.getsize(reader.path)
    allowed = max(limits.size, by_ratio)
    known: dict[str, Member] = {}
    state_points: dict[str, bytes] = {}
    directories: set[str] = set()
    size = overhead = read = 0
    for raw in reader.members():
        overhead += raw.overhead
        if overhead > max(limits.overhead, by_ratio):
            raise refusal(reader.path, raw.name, f"is one of so many that their descriptions take {overhead} bytes")
        member = _normal(reader, raw, known)
        if member is None:
            continue
        size += max(member.size, 0)
        if size > allowed:
            raise refusal(reader.path, raw.name, f"makes it grow to {size} bytes or more, far more than it should")
        known[member.name] = member
        directory, _, name = member.name.rpartition("/")
        if name == layout.FN_STATE_POINT and member.kind == "file":
            read += member.size
            if member.size > limits.state_point or read > max(limits.state_points, by_ratio):
                raise refusal(reader.path, raw.name, f"is no state point, with {member.size} bytes")
            with reader.open(member) as file:
                state_points[directory] = file.read()
        directories.add(member.name if member.kind == "directory" else directory)
    reader.check_rest(allowed)
    _check_nesting(reader, known, limits.names)
    return Contents(list(known.values()), state_points, directories)


def _normal(reader: Reader, member: Member, known: Mapping[str, Member]) -> Member | None:
    """Give a member its normal name, and a second name the file that it stands for; None for a repeated directory."""
    name = _normal_name(reader, member.name, member)
    there = known.get(name)
    if there is not None:
        if there.kind == member.kind == "directory":
            return None
        raise refusal(reader.path, member.name, "is there twice")
    if not name and member.kind != "directory":
        raise refusal(reader.path, member.name, "has no name")
    if member.kind == "same":
        original = known.get(_normal_name(reader, member.target, member))
        if original is None or original.kind not in ("file", "link"):
            raise refusal(reader.path, member.name, f"stands for {member.target!r}, which is no file before it")
        return original._replace(name=name)
    return member._replace(name=name)


def _normal_name(reader: Reader, name: str, member: Member) -> str:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise refusal(reader.path, member.name, "leads out of the archive")
    if len(name) > layout.PATH_MAX or len(parts) > _DEEPEST:
        raise refusal(
            reader.path, f"{name[:50]}...", f"has a name of {len(name)} characters in {len(parts)} directories"
        )
    return files.normal_name(name)


def _check_nesting(reader: Reader, known: Mapping[str, Member], longest: int) -> None:
    """Make sure that only directories hold something, and that their names take up so many characters at most."""
    fine: set[str] = set()
    length = 0
    for name in known:
        above = name.rpartition("/")[0]
        while above and above not in fine:
            if above in known and known[above].kind != "directory":
                raise refusal(reader.path, name, f"lies below {above!r}, which is no directory")
            fine.add(above)
            length += len(above)
            if length > longest:
                raise refusal(reader.path, f"{name[:50]}...", "lies in one of too many directories in directories")
            above = above.rpartition("/")[0]


def rehearse(reader: Reader, contents: Contents, roots: Container[str], left_out: LeftOut) -> None:
    """Find out what unpacking directories of an archive would meet; nothing is written.

    ``left_out`` is called with each link that would be left out. ArchiveError if a link takes the place of a state
    point file.
    """
    for member in contents.members:
        if member.kind == "link" and (root := _root_of(member.name, roots)) is not None:
            _judge_link(reader, member, root, left_out)


def extract(
    reader: Reader,
    contents: Contents,
    roots: Mapping[str, str],
    *,
    left_out: LeftOut = links.warn,
    failed: Callable[[str, OSError], Any] | None = None,
) -> Iterator[str]:
    """Unpack directories of an archive, in one pass over it, and yield each as soon as it is whole.

    ``roots`` has for each directory a path that does not exist yet; none of the directories lies inside another.
    ``left_out`` is called with each link that is not made, because it leads out of its directory or the file system has
    none; ``failed`` with each directory in which something cannot be written, which is left as it is then. Without
    ``failed`` that error is raised. ArchiveError if a link takes the place of a state point file, before anything is
    written, or if the archive is damaged.
    """
    plan = [(member, root) for member in contents.members if (root := _root_of(member.name, roots)) is not None]
    left = dict.fromkeys(roots, 0)
    last: dict[str, list[Member]] = {root: [] for root in roots}
    for member, root in plan:
        left[root] += 1
        if member.kind == "link" and _judge_link(reader, member, root, left_out):
            last[root].append(member)
    size = sum(member.size for member, _ in plan)
    for directory in {os.path.dirname(path) or "." for path in roots.values()}:
        _check_space(size, directory)
    places = {root: _Place(root, path) for root, path in roots.items()}
    lost: set[str] = set()
    for member, root in plan:
        left[root] -= 1
        if root in lost:
            continue
        place = places[root]
        try:
            place.unpack(reader, member)
            if not left[root]:
                place.finish(reader, last[root], left_out)
        except OSError as error:
            path = error.filename
            is_written = isinstance(path, str) and path.startswith(place.path)
            if failed is None or not is_written or not is_about_one_job(error):
                raise
            lost.add(root)
            failed(root, error)
            continue
        if not left[root]:
            del places[root]
            yield root


class _Place:
    """Where a directory of an archive is unpacked to."""

    def __init__(self, root: str, path: str) -> None:
        self._root = root
        self.path = path
        self._made: set[str] = set()
        self._modes: dict[str, int] = {}

    def unpack(self, reader: Reader, member: Member) -> None:
        """Unpack a member, unless it is a link."""
        path = self._path(member)
        if member.kind == "directory":
            self._make_directory(path)
            if member.mode is not None:
                self._modes[path] = member.mode
        elif member.kind == "file" and not is_leftover(os.path.basename(path)):
            self._make_directory(os.path.dirname(path))
            _extract_file(reader, member, path)

    def finish(self, reader: Reader, last: list[Member], left_out: LeftOut) -> None:
        """Make the links, now that all else is there, and give the directories their permissions."""
        self._make_directory(self.path)
        for link in last:
            path = self._path(link)
            self._make_directory(os.path.dirname(path))
            if not links.make(link.target, path):
                left_out(os.path.join(reader.path, link.name), links.UNSUPPORTED)
        for path, mode in self._modes.items():
            _set_mode(path, mode)

    def _path(self, member: Member) -> str:
        return os.path.join(self.path, _below(member.name, self._root)).rstrip("/")

    def _make_directory(self, path: str) -> None:
        if path not in self._made:
            files.ensure_directory(path)
            self._made.add(path)


def _check_space(size: int, directory: str) -> None:
    """Make sure that what is unpacked fits on a file system."""
    status = os.statvfs(directory)
    if size > status.f_bavail * status.f_frsize:
        raise OSError(errno.ENOSPC, f"There is no room for the {size} bytes to unpack", directory)


def _set_mode(directory: str, mode: int) -> None:
    """Give a directory its permissions; its owner can always delete what is in it."""
    mode = _granted(mode) | 0o700
    if mode != 0o777 & ~files.umask():
        os.chmod(directory, mode | os.stat(directory).st_mode & stat.S_ISGID)  # which it has from the one above


def _granted(mode: int) -> int:
    """Permissions that an archive may give: to read, to its owner; to write, to others never, to the group by umask."""
    return mode & (0o775 & ~files.umask() | 0o755) | 0o400


def _root_of(name: str, roots: Container[str]) -> str | None:
    while name not in roots:
        if not name:
            return None
        name = name.rpartition("/")[0]
    return name


def _below(name: str, root: str) -> str:
    return name[len(root) :].lstrip("/")


def _judge_link(reader: Reader, member: Member, root: str, left_out: LeftOut) -> bool:
    """Tell whether a link is to be made; one that is left out is told about.

    Raises ArchiveError if it takes the place of a state point file.
    """
    name = _below(member.name, root)
    if name == layout.FN_STATE_POINT:
        raise refusal(reader.path, member.name, "is a link in the place of a state point file")
    if is_leftover(os.path.basename(name)):
        return False
    if links.stays_inside(member.target, name.count("/")):
        return True
    left_out(os.path.join(reader.path, member.name), links.LEADS_OUT)
    return False


def _extract_file(reader: Reader, member: Member, path: str) -> None:
    mode = 0o666 if member.mode is None else _granted(member.mode)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(fd, "wb", buffering=0) as file, reader.open(member) as content:
        if member.mode is not None and mode & files.umask():
            os.fchmod(fd, mode)
        while data := content.read(_CHUNK):
            try:
                files.write_all(fd, data)
            except OSError as error:
                error.filename = path  # a failed write knows its descriptor only
                raise
        if file.tell() != member.size:
            raise EOFError(f"the member {member.name!r} is shorter than it should be")
        if member.modified is not None:
            with suppress(ValueError, OverflowError):  # a time that no file can have
                os.utime(fd, (member.modified, member.modified))
