"""Which files of one directory another lacks, and how they get there.

:func:`plan` compares two directories and says, step by step, what to do; it writes nothing. The functions that carry a
step out make each file visible by one rename: its readers see the old file or the new one. Links, devices and whatever
else can stand in the way is named in a step, never passed over in silence.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property
from typing import Any, NamedTuple

from .. import files, layout
from ..exchange import links
from ..layout import is_leftover

__all__ = [
    "HAS_GONE",
    "NOT_RECURSIVE",
    "Step",
    "TransferOptions",
    "carry_out",
    "finish_directory",
    "lacks",
    "plan",
]

NOT_RECURSIVE = "it is a directory, and recursive is not set"
"""Why a sub-directory was skipped that would have been compared otherwise."""

HAS_GONE = "it has gone"
"""Why something was skipped that was there a moment ago."""

_LEADS_BACK = "it leads back to a directory above, or to the destination"
_BACKUPS = frozenset({layout.FN_STATE_POINT_BACKUP, layout.FN_DOCUMENT + "~"})  # of signac 2.x, when it is stopped


class TransferOptions(NamedTuple):
    """How files are compared and copied; see :func:`signac_core.sync.sync_jobs`.

    Parameters
    ----------
    exclude : tuple of re.Pattern
        Names to leave out, see :func:`_compile_patterns`.
    recursive : bool
        Go into sub-directories.
    follow_symlinks : bool
        Copy what symbolic links lead to; otherwise the links themselves.
    preserve_permissions, preserve_times, preserve_owner, preserve_group : bool
        What a copy is given of the source.
    deep : bool
        Compare the content of all files of equal size.
    size_only : bool
        Files of equal size are equal.
    round_times : bool
        Compare modification times in whole seconds.
    """

    exclude: tuple[re.Pattern[str], ...] = ()
    recursive: bool = False
    follow_symlinks: bool = True
    preserve_permissions: bool = False
    preserve_times: bool = False
    preserve_owner: bool = False
    preserve_group: bool = False
    deep: bool = False
    size_only: bool = False
    round_times: bool = False

    @classmethod
    def among(cls, arguments: Mapping[str, Any]) -> TransferOptions:
        """Take the options from the arguments of a function, which has one of each name; patterns are compiled."""
        given = {name: arguments[name] for name in cls._fields}
        return cls(**given | {"exclude": _compile_patterns(given["exclude"])})

    def check(self) -> None:
        """Refuse options that contradict each other, with a ValueError."""
        if self.preserve_times and not self.preserve_permissions:
            raise ValueError("Modification times cannot be preserved without permissions: preserve both.")
        if self.deep and self.size_only:
            raise ValueError("Files are compared by content (deep) or by size alone (size_only), not both.")

    @property
    def preserves_anything(self) -> bool:
        """Whether there is more to a copy than its content."""
        return self.preserve_permissions or self.preserve_owner or self.preserve_group

    def excludes(self, name: str) -> bool:
        """Tell whether a file or directory is left out: whether a pattern matches its name at the beginning."""
        return any(pattern.match(name) for pattern in self.exclude)


class Step(NamedTuple):
    """One step of a plan.

    Parameters
    ----------
    kind : str
        ``"directory"``: make one. ``"filled"``: everything in that directory is done. ``"copy"``: a file or link that
        the target lacks. ``"differs"``: a file or link that the target holds with another content. ``"skip"``: nothing
        can or shall be done, see ``reason``. ``"ignore"``: the same, as was asked for.
    path : str
        The path, relative to both directories.
    status : os.stat_result, optional
        Of the source.
    replaced : os.stat_result, optional
        Of what stands in the target.
    link : str, optional
        What the link to create points to.
    reason : str
        Why there is nothing to do.
    """

    kind: str
    path: str
    status: os.stat_result | None = None
    replaced: os.stat_result | None = None
    link: str | None = None
    reason: str = ""

    @property
    def size(self) -> int:
        """Bytes that the step transfers."""
        return self.status.st_size if self.status is not None and self.link is None else 0


def _compile_patterns(
    exclude: str | re.Pattern[str] | Iterable[str | re.Pattern[str]] | None,
) -> tuple[re.Pattern[str], ...]:
    """Compile one exclude pattern or several; bytes are a TypeError."""
    if exclude is None:
        return ()
    given = [exclude] if isinstance(exclude, (str, bytes, re.Pattern)) else list(exclude)
    patterns = []
    for pattern in given:
        text = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        if not isinstance(text, str):
            raise TypeError(f"An exclude pattern must be a str, not {type(text).__name__}.")
        patterns.append(re.compile(pattern))
    return tuple(patterns)


# comparing ------------------------------------------------------------------------------------------------------------


def plan(
    source: str, target: str, options: TransferOptions, *, special: Iterable[str] = (), fresh: bool = False
) -> Iterator[Step]:
    """Compare two directories and tell what to do to bring the content of one into the other, in the order of names.

    The target is looked at while the steps are taken, so each step has to be carried out (or not) before the next. What
    the target alone holds is left alone, as are the ``special`` names in the topmost directory, which the caller sees
    to. A ``fresh`` target does not exist: everything is to be copied.
    """
    comparison = _Comparison(source, target, options, frozenset(special))
    if fresh:
        status = os.stat(source)
        yield Step("directory", "", status)
        yield from comparison.directory("", fresh=True, above=frozenset())
        yield Step("filled", "", status)
    else:
        yield from comparison.directory("", fresh=False, above=frozenset())


class _Comparison:
    """The comparison of two directories."""

    def __init__(self, source: str, target: str, options: TransferOptions, special: frozenset[str]) -> None:
        self._source = source
        self._target = target
        self._options = options
        self._special = special

    def directory(self, path: str, *, fresh: bool, above: frozenset[tuple[int, int]]) -> Iterator[Step]:
        """Compare one directory; ``above`` are the directories that must not be entered (again)."""
        try:
            with os.scandir(os.path.join(self._source, path)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            if not path:
                raise
            yield Step("skip", path, reason=HAS_GONE)
            return
        for entry in found:
            name, below = entry.name, os.path.join(path, entry.name)
            if not path and name in self._special:
                continue
            if is_leftover(name) or (not path and name in _BACKUPS):
                yield Step("ignore", below, reason="it was left by a writer that is at work or was stopped")
            elif self._options.excludes(name):
                yield Step("ignore", below, reason="it is excluded")
            else:
                yield from self._entry(entry, below, fresh=fresh, above=above)

    def _entry(
        self, entry: os.DirEntry[str], path: str, *, fresh: bool, above: frozenset[tuple[int, int]]
    ) -> Iterator[Step]:
        try:
            if entry.is_symlink() and not self._options.follow_symlinks:
                status = entry.stat(follow_symlinks=False)
                yield from self._link(entry, path, status, fresh=fresh)
                return
            status = entry.stat()
        except OSError as error:
            reason = links.nowhere(error) if entry.is_symlink() else None
            if reason is not None:
                yield from self._kept_link(entry, path, reason, fresh=fresh)
            elif error.errno == errno.ENOENT:
                yield Step("skip", path, reason=HAS_GONE)
            else:
                raise
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._subdirectory(entry, path, status, fresh=fresh, above=above)
        elif stat.S_ISREG(status.st_mode):
            yield from self._file(path, status, fresh=fresh)
        else:
            yield Step("skip", path, status, reason="it is neither a file nor a directory")

    def _link(self, entry: os.DirEntry[str], path: str, status: os.stat_result, *, fresh: bool) -> Iterator[Step]:
        link = os.readlink(entry.path)
        target = os.path.join(self._target, path)
        present = None if fresh else _lstat(target)
        if present is None:
            yield Step("copy", path, status, link=link)
        elif stat.S_ISDIR(present.st_mode):
            yield Step("skip", path, status, present, reason="the destination is a directory")
        elif not stat.S_ISLNK(present.st_mode) or os.readlink(target) != link:
            yield Step("differs", path, status, present, link=link)

    def _kept_link(self, entry: os.DirEntry[str], path: str, reason: str, *, fresh: bool) -> Iterator[Step]:
        """A link that cannot be followed: if it stays within the job it is copied, but it replaces nothing."""
        link = os.readlink(entry.path)
        target = os.path.join(self._target, path)
        present = None if fresh else _lstat(target)
        if not links.stays_inside(link, links.depth_of(self._source, path)):
            yield Step("skip", path, reason=reason)
        elif present is None:
            yield Step("copy", path, entry.stat(follow_symlinks=False), link=link)
        elif not stat.S_ISLNK(present.st_mode) or os.readlink(target) != link:
            yield Step("skip", path, replaced=present, reason=f"{reason}, and the destination has something else")

    def _file(self, path: str, status: os.stat_result, *, fresh: bool) -> Iterator[Step]:
        target = os.path.join(self._target, path)
        present = None if fresh else _status(target)
        if present is None:
            yield Step("copy", path, status)
        elif stat.S_ISDIR(present.st_mode):
            yield Step("skip", path, status, present, reason="the destination is a directory")
        else:
            try:
                same = stat.S_ISREG(present.st_mode) and self._same(path, target, status, present)
            except FileNotFoundError:  # one of the two has gone meanwhile; the copy will tell which
                yield Step("copy", path, status)
                return
            if not same:
                yield Step("differs", path, status, present)

    def _subdirectory(
        self,
        entry: os.DirEntry[str],
        path: str,
        status: os.stat_result,
        *,
        fresh: bool,
        above: frozenset[tuple[int, int]],
    ) -> Iterator[Step]:
        if not fresh and not self._options.recursive:
            yield Step("skip", path, status, reason=NOT_RECURSIVE)
            return
        above = above or self._roots
        identity = (status.st_dev, status.st_ino)
        places = (os.path.dirname(entry.path), self._source, self._target)
        if identity in above or (entry.is_symlink() and links.leads_back(entry.path, *places)):
            if entry.is_symlink():
                yield from self._kept_link(entry, path, _LEADS_BACK, fresh=fresh)
            else:
                yield Step("skip", path, status, reason=_LEADS_BACK)
            return
        below = above | {identity}
        present = None if fresh else _status(os.path.join(self._target, path))
        if present is None:
            yield Step("directory", path, status)
            yield from self.directory(path, fresh=True, above=below)
            yield Step("filled", path, status)
        elif not stat.S_ISDIR(present.st_mode):
            yield Step("skip", path, status, present, reason="the destination is not a directory")
        elif self._leads_out(path):
            yield Step("skip", path, status, present, reason="the destination is a link that leads out of the job")
        else:
            yield from self.directory(path, fresh=False, above=below)

    def _leads_out(self, path: str) -> bool:
        """Tell whether a directory in the target is a link to somebody's files; it may have come from elsewhere."""
        target = os.path.join(self._target, path)
        return os.path.islink(target) and not links.stays_inside(
            os.readlink(target), links.depth_of(self._target, path)
        )

    @cached_property
    def _roots(self) -> frozenset[tuple[int, int]]:
        """The source, which links may lead back to, and the target, which may lie inside the source."""
        found = (_status(self._source), _status(self._target))
        return frozenset((status.st_dev, status.st_ino) for status in found if status is not None)

    def _same(self, path: str, target: str, left: os.stat_result, right: os.stat_result) -> bool:
        if left.st_size != right.st_size:
            return False
        if (left.st_dev, left.st_ino) == (right.st_dev, right.st_ino):
            return True
        options = self._options
        if not options.deep and (options.size_only or self._same_time(left, right)):
            return True
        return files.equal_files(os.path.join(self._source, path), target)

    def _same_time(self, left: os.stat_result, right: os.stat_result) -> bool:
        unit = 1_000_000_000 if self._options.round_times else 1
        return left.st_mtime_ns // unit == right.st_mtime_ns // unit


def lacks(directory: str, path: str) -> bool:
    """Tell whether a directory that is there lacks a file; False if the directory itself may have gone.

    The directory may be renamed, and come back, at any moment: it is opened first.
    """
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.stat(path, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def _lstat(path: str) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return os.lstat(path)
    return None


def _status(path: str) -> os.stat_result | None:
    """Status of what a path leads to, of the link itself if that leads nowhere, None if there is nothing."""
    status = _lstat(path)
    if status is not None and stat.S_ISLNK(status.st_mode):
        with suppress(OSError):
            return os.stat(path)
    return status


# copying --------------------------------------------------------------------------------------------------------------


def carry_out(
    step: Step,
    source: str,
    target: str,
    options: TransferOptions,
    *,
    lock: Callable[[], AbstractContextManager[object]] = nullcontext,
    hidden: bool = False,
    durable: bool = False,
) -> bool:
    """Carry out a step of a plan, of any kind but ``"skip"`` and ``"filled"``; for a file that differs, replace it.

    The file is replaced within the context that ``lock`` makes. In a ``hidden`` target, which nobody looks at yet,
    files are written under their own names at once. What is ``durable`` survives a power loss once its directory has
    been synchronized to disk. False if the owner or group could not be preserved, as not everybody may do that.
    FileNotFoundError if the source, or the directory that is to hold the copy, has gone; after any error the target is
    as it was.
    """
    origin, destination = os.path.join(source, step.path), os.path.join(target, step.path)
    if not step.path:
        origin, destination = source, target
    if step.kind == "directory":
        assert step.status is not None
        try:
            os.mkdir(destination, stat.S_IMODE(step.status.st_mode) & 0o777 | 0o700)
        except FileExistsError:
            if not os.path.isdir(destination):
                raise
        return True
    temporary = destination
    if not hidden:
        temporary = layout.temporary_beside(destination)
    try:
        if step.link is not None:
            os.symlink(step.link, temporary)
            complete = _preserve_of_link(temporary, step.status, options)
        else:
            complete = _copy_file(origin, temporary, step.replaced, options, durable=durable)
        if not hidden:
            with lock():
                os.rename(temporary, destination)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename in (None, temporary):
            files.set_path(error, destination)
        with suppress(OSError):  # the error that led here matters more
            os.unlink(temporary)
        raise
    return complete


def finish_directory(step: Step, target: str, options: TransferOptions, *, durable: bool = False) -> bool:
    """Give a directory, now that everything is in it, what is to be preserved of its source; see :func:`carry_out`."""
    if not (durable or options.preserves_anything):
        return True
    assert step.status is not None
    path = os.path.join(target, step.path) if step.path else target
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        complete = _preserve(fd, step.status, options)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)
    return complete


def _copy_file(
    source: str, temporary: str, replaced: os.stat_result | None, options: TransferOptions, *, durable: bool
) -> bool:
    def finish(_: int, writer: int, status: os.stat_result) -> bool:
        if replaced is not None and stat.S_ISREG(replaced.st_mode) and not options.preserve_permissions:
            os.fchmod(writer, stat.S_IMODE(replaced.st_mode) & 0o777)
        complete = _preserve(writer, status, options)
        if durable:
            os.fsync(writer)
        return complete

    return files.copy_file(source, temporary, finish)


def _preserve(fd: int, status: os.stat_result, options: TransferOptions) -> bool:
    """Give an open file what is to be preserved; False if the owner or group could not be."""
    complete = _preserve_ownership(fd, status, options)
    if options.preserve_permissions:  # after the owner, whose change may clear bits
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISREG(status.st_mode) and not (options.preserve_owner and complete):
            mode &= 0o777  # a program must not run as another user than it was made for
        os.fchmod(fd, mode)
    if options.preserve_times:
        os.utime(fd, ns=(status.st_atime_ns, status.st_mtime_ns))
    return complete


def _preserve_of_link(path: str, status: os.stat_result | None, options: TransferOptions) -> bool:
    assert status is not None
    complete = True
    with suppress(FileNotFoundError):  # sshfs sets what a link leads to
        complete = _preserve_ownership(path, status, options)
        if options.preserve_times:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
    return complete


def _preserve_ownership(file: int | str, status: os.stat_result, options: TransferOptions) -> bool:
    complete = True
    follow_symlinks = isinstance(file, int)
    # One after the other: the group may be allowed where the owner is not.
    for wanted, owner, group in (
        (options.preserve_group, -1, status.st_gid),
        (options.preserve_owner, status.st_uid, -1),
    ):
        if wanted:
            try:
                os.chown(file, owner, group, follow_symlinks=follow_symlinks)
            except PermissionError:
                complete = False
    return complete
