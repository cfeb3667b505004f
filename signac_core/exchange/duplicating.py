"""A job directory, copied to where nobody looks yet: 22 calls for a job with a state point and a document.

Of files a copy has the permissions, the times and the attributes (``user.*``), of directories the permissions. A file
gets its permissions when it is made; a call more is for those that the umask would take away. State point and document
have no attributes: whoever writes to them replaces them. What is *moved* keeps all its links, and all that its
directories have, too.

The copy is ours, and the source may be another's. A program must not run as us because of a bit that its owner has set,
and what an access control list grants to others it does not grant for our copy.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from .. import files, layout
from . import links
from .links import LeftOut, Way

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copy_directory", "not_too_deep", "permissions"]

_UNSUPPORTED = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENODATA, errno.EINVAL, errno.EACCES})
"""Why a file system, or the system, does not let us copy an extended attribute; we do without."""

_ACCESS_LIST = "system.posix_acl_access"
_ENTRY_OF_GROUP = 0x04
_HAS_ATTRIBUTES = hasattr(os, "listxattr")
_WITHOUT_ATTRIBUTES = frozenset({layout.FN_STATE_POINT, layout.FN_DOCUMENT})
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@contextmanager
def not_too_deep(source: str) -> Iterator[None]:
    """Context manager for what goes through a job by recursion: an error names the job."""
    try:
        yield
    except RecursionError:
        raise files.nested_too_deeply(source) from None


def copy_directory(
    source: str,
    copy: str,
    state_point: bytes,
    left_out: LeftOut,
    *,
    status: os.stat_result | None = None,
    is_moved: bool = False,
) -> None:
    """Copy a job directory, with the given state point file: that comes last, as without it a directory is no job.

    ``status`` is that of the state point file of the source, if it is known. What a failure leaves is for the caller to
    delete.
    """
    copier = _Copier(left_out, is_moved=is_moved)
    above = copier.make_directory(source, copy)
    try:
        copier.copy_content(Way(source), copy, without=layout.FN_STATE_POINT)
    except RecursionError:
        raise files.nested_too_deeply(source) from None
    origin = f"{source}/{layout.FN_STATE_POINT}"
    if status is None:
        with suppress(FileNotFoundError):
            status = os.stat(origin)
    copier.write_state_point(origin, f"{copy}/{layout.FN_STATE_POINT}", state_point, status)
    copier.finish_directory(source, copy, above)


class _Copier:
    """What copies the parts of one directory."""

    def __init__(self, left_out: LeftOut, *, is_moved: bool) -> None:
        self._left_out = left_out
        self._is_moved = is_moved
        self._umask = files.umask()

    def copy_content(self, way: Way, copy: str, *, without: str = "") -> None:
        """Copy what a directory holds, but stop at the first error."""
        for entry in way.entries(without):
            target = f"{copy}/{entry.name}"
            if entry.is_file(follow_symlinks=False):
                self.copy_file(entry.path, target, entry.name)
            elif self._is_moved and entry.is_symlink():
                os.symlink(os.readlink(entry.path), target)
            else:
                self._copy_other(way, entry, target)

    def _copy_other(self, way: Way, entry: os.DirEntry[str], target: str) -> None:
        verdict = way.judge(entry)
        if verdict.kind == "link":
            if links.make(verdict.text, target):
                return
            verdict = way.judge(entry, follow=True)
        if verdict.kind == "link":
            self._left_out(entry.path, links.UNSUPPORTED)
        elif verdict.kind == "nothing":
            self._left_out(entry.path, verdict.text)
        elif verdict.kind == "directory":
            status = self.make_directory(entry.path, target)
            self.copy_content(way.below(entry), target)
            self.finish_directory(entry.path, target, status)
        else:
            self.copy_file(entry.path, target, entry.name)

    def copy_file(self, source: str, copy: str, name: str) -> None:
        """Copy a file as :func:`shutil.copy2` does, whose module costs more file system calls than a small job."""

        def finish(reader: int, writer: int, status: os.stat_result) -> None:
            self._finish_file(reader, writer, status, name)

        try:
            files.copy_file(source, copy, finish)
        except OSError as error:
            if error.filename is None:  # which of the two it was, descriptors do not tell
                error.filename, error.filename2 = source, copy
            raise

    def write_state_point(self, source: str, copy: str, text: bytes, status: os.stat_result | None) -> None:
        """Write the state point file of a copy."""
        fd = os.open(copy, _CREATE, 0o666 if status is None else status.st_mode & 0o777)
        try:
            files.write_all(fd, text)
            if status is not None:
                self._finish_file(source, fd, status, layout.FN_STATE_POINT)
        except OSError as error:
            if error.filename is None:
                error.filename = copy  # a failed write knows its descriptor only
            raise
        finally:
            os.close(fd)

    def _finish_file(self, source: str | int, copy: int, status: os.stat_result, name: str) -> None:
        """Give the copy of a file, which was opened with the mode of that, what else it is to have."""
        mode = permissions(source, status)
        if name not in _WITHOUT_ATTRIBUTES:
            _copy_attributes(source, copy)
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
        if mode != status.st_mode & 0o777 or mode & self._umask:
            os.chmod(copy, mode)

    def make_directory(self, source: str, copy: str) -> os.stat_result:
        """Make the copy of a directory, which its owner can fill; the result is what the source is like."""
        status = os.stat(source)
        os.mkdir(copy, permissions(source, status) | 0o700)
        return status

    def finish_directory(self, source: str, copy: str, status: os.stat_result) -> None:
        """Give the copy of a directory, in which everything is, its permissions; a moved one more than these."""
        if self._is_moved:
            _copy_attributes(source, copy)
            os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
        mode = permissions(source, status)
        if mode & self._umask or ~mode & 0o700:
            # What a directory has from the one above, for all in it.
            os.chmod(copy, mode | os.stat(copy).st_mode & stat.S_ISGID)


def permissions(source: str | int, status: os.stat_result) -> int:
    """Permissions for the copy of a file or directory.

    Where there is an access control list, its mode shows for the group what the list grants anybody at most: that of
    the group itself is looked up if it is more than all others have.
    """
    mode = stat.S_IMODE(status.st_mode) & 0o777
    if mode >> 3 & ~mode & 0o7 and _HAS_ATTRIBUTES:
        try:
            mode &= ~0o070 | _group_permissions(os.getxattr(source, _ACCESS_LIST)) << 3
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
    return mode


def _group_permissions(access_list: bytes) -> int:
    """What an access control list allows the group of a file."""
    for offset in range(4, len(access_list) - 7, 8):
        if int.from_bytes(access_list[offset : offset + 2], "little") == _ENTRY_OF_GROUP:
            return int.from_bytes(access_list[offset + 2 : offset + 4], "little") & 0o7
    return 0


def _copy_attributes(source: str | int, copy: str | int) -> None:
    """Copy the extended attributes that are for users, as far as both file systems have them."""
    if not _HAS_ATTRIBUTES:
        return
    try:
        names = os.listxattr(source)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return
    for name in names:
        if name.startswith("user."):
            try:
                os.setxattr(copy, name, os.getxattr(source, name))
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
