"""How bytes reach the disk.

Everything that is written here becomes visible by one rename: a reader sees the old file or the new one, the whole
directory or none. Temporary names are hidden (signac 2.x ignores them), unique, and in the directory of their target.
The number of system calls of each function is part of its contract and is stated with it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, Protocol, TypeVar

from . import layout

__all__ = [
    "Replaced",
    "Replacement",
    "all_above",
    "close_after_work",
    "copy_file",
    "delete_tree",
    "ensure_directory",
    "ensure_readable",
    "equal_files",
    "equal_streams",
    "expand_home",
    "is_directory",
    "is_occupied",
    "keep_mode",
    "nameless",
    "nested_too_deeply",
    "normal_name",
    "not_regular",
    "pieces",
    "read_bytes",
    "read_if_small",
    "read_with_status",
    "replace_file",
    "safe_join",
    "set_path",
    "status_of",
    "sync_directory",
    "umask",
    "write_all",
    "write_directory",
    "write_file",
]

_T = TypeVar("_T")

_CHUNK = 1 << 16
_LARGE_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_HELD_OPEN = (".fuse_hidden", ".nfs")  # begin the names of deleted files that somebody has open, on such file systems
_VAIN = 3  # attempts
_DEEPEST = 100  # levels of directories that are deleted by recursion, with a descriptor for each
_OCCUPIED = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR})
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})
_MODELESS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Why a file system does not let us set a mode; it has none then."""

Replaced = os.stat_result | Literal["look"] | None
"""Status of a file that is replaced and whose mode is kept, None if there is none, or ``"look"`` to look it up."""


def nested_too_deeply(path: str) -> OSError:
    """Build the error about a directory with more levels below it than Python, or the length of a path, allows.

    The file system itself has no limit.
    """
    return OSError(errno.ENAMETOOLONG, "It holds too many levels of directories", path)


def _open(path: str, dir_fd: int | None = None) -> int:
    """Open a file for reading, without waiting for anybody to write into a pipe that stands in its place.

    A link is followed, at the price of a second call. One that leads nowhere is damage, and no missing file.
    """
    try:
        return os.open(path, _READ | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=dir_fd)
    except BlockingIOError:  # a file server gives the file up first
        return os.open(path, _READ, dir_fd=dir_fd)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    try:
        return os.open(path, _READ | os.O_NONBLOCK, dir_fd=dir_fd)
    except BlockingIOError:
        return os.open(path, _READ, dir_fd=dir_fd)
    except (FileNotFoundError, NotADirectoryError):
        target = os.readlink(path, dir_fd=dir_fd)  # if this is no link any more, there is no file
        raise OSError(errno.ENOLINK, f"It is a link that leads nowhere, to '{target}'", path) from None


def ensure_readable(path: str) -> None:
    """Make sure that a file can be opened for reading (open, close)."""
    close_after_work(os.open(path, _READ | os.O_NONBLOCK))


def close_after_work(fd: int) -> None:
    """Close a descriptor through which nothing was written, or nothing is left to be written (close).

    What the system says about closing it does not concern what was done before.
    """
    try:  # noqa: SIM105  # a suppress() takes longer than the call
        os.close(fd)
    except OSError:
        pass


def _read_all(fd: int, first: int, size: int = 0) -> bytes:
    data = os.read(fd, first)
    if max(size, 1) <= len(data) < first:  # a short read of a regular file is its end, as far as is known
        return data
    status = os.fstat(fd)
    if not data and not stat.S_ISFIFO(status.st_mode):  # which has no end until somebody has written
        return data
    _check_kind(status)
    chunks = [data]
    while data := os.read(fd, max(_CHUNK, first)):
        chunks.append(data)
    return b"".join(chunks)


def _check_kind(status: os.stat_result) -> None:
    """Refuse what might have no end: a link can lead to a device."""
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")


def read_bytes(path: str, *, dir_fd: int | None = None) -> bytes:
    """Content of a file (open, read, close for files below 64 KiB); a pipe or a device is an error.

    The path may be relative to the directory behind the descriptor ``dir_fd``.
    """
    fd = _open(path, dir_fd)
    try:
        return _read_all(fd, _CHUNK)
    except OSError as error:
        error.filename = path  # a failed read knows its descriptor only
        raise
    finally:
        close_after_work(fd)


def contents(names: Iterable[str], before: str, after: str, dir_fd: int | None) -> list[bytes | None]:
    """Contents of the files whose paths are the names between two texts, None where there is none to be had.

    It does what :func:`read_bytes` does for each (open, read, close), and raises nothing.
    """
    return [_content(before + name + after, dir_fd) for name in names]


def _content(path: str, dir_fd: int | None) -> bytes | None:
    try:
        return read_bytes(path, dir_fd=dir_fd)
    except OSError:
        return None


def read_with_status(path: str, *, dir_fd: int | None = None) -> tuple[bytes, os.stat_result]:
    """Content of a file, all of it, and the status of the very file that was read (open, fstat, read, close).

    The parameters and errors are those of :func:`read_bytes`.
    """
    content, status = _read_with_status(path, dir_fd, None)
    assert content is not None
    return content, status


def read_if_small(path: str, limit: int) -> tuple[bytes | None, os.stat_result]:
    """What :func:`read_with_status` gives, but no content if a file holds as many bytes as a limit, or more."""
    return _read_with_status(path, None, limit)


def _read_with_status(path: str, dir_fd: int | None, limit: int | None) -> tuple[bytes | None, os.stat_result]:
    fd = _open(path, dir_fd)
    try:
        status = os.fstat(fd)
        _check_kind(status)
        if limit is not None and status.st_size >= limit:
            return None, status
        return _read_all(fd, status.st_size + 1, status.st_size), status
    except OSError as error:
        error.filename = path
        raise
    finally:
        close_after_work(fd)


def write_file(path: str, data: bytes, *, durable: bool = False) -> None:
    """Create a new file with the given content (open, write, close; fsync when durable).

    What is ``durable`` survives a power loss. FileExistsError if the file exists; after any other error nothing is left
    behind.
    """
    fd = os.open(path, _CREATE, 0o666)
    try:
        try:
            write_all(fd, data)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path  # a failed write knows its descriptor only
        with suppress(OSError):  # the error that led here matters more
            os.unlink(path)
        raise


def write_all(fd: int, data: bytes) -> None:
    """Write bytes to an open file, in as many calls as the system wants (one)."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def copy_file(source: str, copy: str, finish: Callable[[int, int, os.stat_result], _T]) -> _T:
    """Copy a regular file to a new one (open, fstat, open, read, write, close, close for files below 1 MiB).

    ``finish`` is given the descriptors of both, and the status that the source had before it was read: a change during
    the copy then shows in the times that are kept. The copy has the permissions of the source as far as the umask
    allows. What a failure leaves of it is for the caller to delete, and a failed read or write names neither file.
    """
    reader = os.open(source, _READ | os.O_NONBLOCK)  # a pipe would block
    try:
        status = os.fstat(reader)
        if not stat.S_ISREG(status.st_mode):
            raise not_regular(source)
        writer = os.open(copy, _CREATE, stat.S_IMODE(status.st_mode) & 0o777)
        try:
            _copy_content(reader, writer, status.st_size)
            return finish(reader, writer, status)
        finally:
            os.close(writer)
    finally:
        close_after_work(reader)


def not_regular(path: str) -> OSError:
    """Build the error about what is neither a file nor a directory and cannot be copied."""
    return OSError(errno.EINVAL, "It is not a regular file", path)


def _copy_content(reader: int, writer: int, size: int) -> None:
    """Copy what an open file holds; how many bytes are expected saves a call, and memory when they are few."""
    first = min(size + 1, _LARGE_CHUNK)
    data = os.read(reader, first)
    is_end = size <= len(data) < first  # a short read of a regular file is its end
    while data:
        write_all(writer, data)
        data = b"" if is_end else os.read(reader, _LARGE_CHUNK)


def equal_files(left: str, right: str) -> bool:
    """Compare two files byte by byte."""
    with open(left, "rb", buffering=0) as one, open(right, "rb", buffering=0) as other:
        return equal_streams(one, other)


class _Readable(Protocol):
    """An open file, whatever opened it."""

    def read(self, size: int, /) -> Any: ...


def equal_streams(left: _Readable, right: _Readable) -> bool:
    """Compare what two open files hold, from where they are being read."""
    while True:
        ours, theirs = left.read(_LARGE_CHUNK), right.read(_LARGE_CHUNK)
        if ours != theirs:
            return False
        if not ours:
            return True


def status_of(path: str) -> os.stat_result | None:
    """Status of what is at a path, links followed; None if there is nothing, or cannot be (stat).

    Unlike with :func:`os.path.exists`, a file system that cannot answer is an error, and not the answer no.
    """
    try:
        return os.stat(path)
    except ValueError:  # it contains a NUL
        return None
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def is_directory(path: str) -> bool:
    """Tell whether there is a directory at a path, links followed; the errors are those of :func:`status_of`."""
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_occupied(error: OSError, path: str) -> bool:
    """Tell whether a directory could not be renamed because there is something at its new path.

    sshfs gives the same error for everything: there the path is looked at.
    """
    return error.errno in _OCCUPIED or (error.errno == errno.EPERM and os.path.lexists(path))


def sync_directory(path: str) -> None:
    """Make the names in a directory survive a power loss."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        close_after_work(fd)


_umask: int | None = None


def umask() -> int:
    """Permission bits that new files do not get.

    The system tells them only while it sets them, for the other threads, too: they are set to what they were last,
    which changes nothing unless somebody else has changed them since.
    """
    global _umask
    expected = _first_umask() if _umask is None else _umask
    _umask = os.umask(expected)
    if _umask != expected:
        os.umask(_umask)
    return _umask


def _first_umask() -> int:
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"Umask:"):
                    return int(line[6:], 8)
    except (OSError, ValueError):
        pass
    return 0o022


def replace_file(path: str, data: bytes, *, durable: bool = False, replaced: Replaced = "look") -> None:
    """Give a file new content, atomically (open, write, close, rename).

    It keeps its mode: one call more to look it up, unless the caller knows it, and one more to set it if it is not the
    one that the umask asks for, which a new file has. A symbolic link at ``path`` is replaced, not followed. After an
    error the old file is untouched.
    """
    try:
        with Replacement(path, durable=durable, replaced=replaced) as file:
            file.write(data)
    except OSError as error:
        set_path(error, path)
        raise


def set_path(error: OSError, path: str) -> None:
    """Let an error be about one path, which people know, and about no other."""
    error.filename = path
    del error.filename2  # None would be shown


class Replacement:
    """A file under construction that takes the place of another when the ``with`` block ends without an error.

    Otherwise the old file is untouched. ``fd`` is the new file, open for writing; ``replaced`` is as for
    :func:`replace_file`.
    """

    def __init__(self, path: str, *, durable: bool = False, replaced: Replaced = "look") -> None:
        self._path = path
        self._durable = durable
        self._temporary = layout.temporary_for(path)
        old = status_of(path) if replaced == "look" else replaced
        mode = None if old is None or not stat.S_ISREG(old.st_mode) else stat.S_IMODE(old.st_mode) & 0o777
        if old is None or mode is None or mode == 0o666 & ~umask():
            self.fd = os.open(self._temporary, _CREATE, 0o666)
            return
        self.fd = os.open(self._temporary, _CREATE, mode)
        try:
            _keep_mode(self.fd, mode, old)
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        close_after_work(self.fd)
        with suppress(OSError):  # the error that led here matters more
            os.unlink(self._temporary)

    def write(self, data: bytes) -> None:
        """Append to the file."""
        write_all(self.fd, data)

    def write_at(self, data: bytes, offset: int) -> None:
        """Overwrite a part of the file."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self.fd, view, offset)
            view, offset = view[written:], offset + written

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        published = False
        try:
            try:
                if self._durable and kind is None:
                    os.fsync(self.fd)
            finally:
                os.close(self.fd)
            if kind is None:
                os.rename(self._temporary, self._path)
                published = True
        finally:
            if not published:
                with suppress(OSError):  # the error that led here matters more
                    os.unlink(self._temporary)
        if self._durable and published:
            sync_directory(os.path.dirname(self._path) or ".")


def nameless(path: str) -> int:
    """Descriptor of a new file, for reading and writing, that is gone when it is closed (open, unlink).

    It is in the directory of ``path``, and for a moment has a name like a file that is to become that.
    """
    temporary = layout.temporary_for(path)
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.unlink(temporary)
    except BaseException:
        close_after_work(fd)
        raise
    return fd


def pieces(fd: int, start: int, end: int) -> Iterator[bytes]:
    """What is in a part of an open file, one MiB at a time."""
    while start < end and (data := os.pread(fd, min(_LARGE_CHUNK, end - start), start)):
        yield data
        start += len(data)


def keep_mode(temporary: str, path: str) -> None:
    """Give a file that is to replace another one its mode (stat, and chmod if there is another one)."""
    old = status_of(path)
    if old is not None and stat.S_ISREG(old.st_mode):
        try:
            os.chmod(temporary, stat.S_IMODE(old.st_mode) & 0o777)
        except OSError as error:
            if error.errno not in _MODELESS:
                raise


def _keep_mode(fd: int, mode: int, old: os.stat_result) -> None:
    """Give a new file the mode of the old one; what a superuser writes stays the file of its owner."""
    if old.st_uid != os.geteuid() == 0:
        with suppress(OSError):  # a file server may know better who we are
            os.fchown(fd, old.st_uid, old.st_gid)
    try:
        os.fchmod(fd, mode)
    except OSError as error:
        if error.errno not in _MODELESS:
            raise


def write_directory(path: str, files: Mapping[str, bytes], *, durable: bool = False) -> None:
    """Create a directory with the given files, by name (mkdir, and open, write, close for each file).

    After an error nothing is left behind.
    """
    os.mkdir(path)
    try:
        for name, data in files.items():
            write_file(os.path.join(path, name), data, durable=durable)
        if durable:
            sync_directory(path)
    except BaseException:
        with suppress(OSError):  # the error that led here matters more
            delete_tree(path)
        raise


def ensure_directory(path: str, *, durable: bool = False) -> None:
    """Create a directory and its parents; an existing one is fine (one call when its parent exists).

    Raises FileExistsError if something that is not a directory stands in the way; of a link that leads to none, it
    tells where it leads.
    """
    try:
        os.mkdir(path)
    except FileExistsError as error:
        if not is_directory(path):
            with suppress(OSError):
                error.strerror = f"It is a link to '{os.readlink(path)}', where no directory is"
            raise
    except FileNotFoundError:
        parent = os.path.dirname(path)
        if parent == path or not parent:
            raise
        ensure_directory(parent, durable=durable)
        ensure_directory(path, durable=durable)
    else:
        if durable:
            sync_directory(os.path.dirname(path) or ".")


def delete_tree(path: str, *, dir_fd: int | None = None) -> None:
    """Delete a directory with all it holds, or a file; symbolic links are deleted, never followed.

    Several processes may delete the same tree at once: what has gone already is fine, and what appears meanwhile is
    deleted too. A file system of a network or in user space may keep a file that another process has open, under a name
    of its own, until that process closes it: it stays, and with it the directories that it is in.

    Raises ValueError if the path does not end in a name: nobody means to delete the working directory, or what is above
    a directory.
    """
    if os.path.basename(path) in ("", ".", ".."):
        raise ValueError(f"Nothing is deleted at {path!r}: it does not end in the name of a directory or file.")
    _delete(path, dir_fd, top=None, depth=0)


def _delete(path: str, dir_fd: int | None, *, top: int | None, depth: int) -> bool:
    """Delete a tree; ``top`` is the directory to which what lies too deep for a recursion is lifted.

    False if it had to stay, because somebody has a file in it open.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        with suppress(FileNotFoundError):
            os.unlink(path, dir_fd=dir_fd)
        return True
    kept: set[str] = set()
    vain = 0  # attempts in a row that found nothing that could be deleted: such a file need not be listed either
    try:
        while True:
            with os.scandir(fd) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            vain = vain + 1 if all(name in kept or name.startswith(_HELD_OPEN) for name, _ in found) else 0
            if vain > _VAIN:
                return False
            for name, is_directory in found:
                if is_directory and depth < _DEEPEST:
                    if not _delete(name, fd, top=fd if top is None else top, depth=depth + 1):
                        kept.add(name)
                elif is_directory:
                    with suppress(FileNotFoundError):
                        os.rename(name, layout.unique_name(), src_dir_fd=fd, dst_dir_fd=top)
                else:
                    _unlink(name, fd)
            try:
                os.rmdir(path, dir_fd=dir_fd)
            except FileNotFoundError:
                return True
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                return True
    finally:
        close_after_work(fd)


def expand_home(path: str) -> str:
    """Put the home directory in the place of ``~`` at the beginning of a path that no shell has expanded.

    A path that exists as it is stays as it is.
    """
    if path != "~" and path[:2] != "~/":
        return path
    return path if os.path.lexists(path) else os.path.expanduser(path)


def _unlink(name: str, dir_fd: int) -> None:
    """Delete a file, unless it has been deleted already and stays only because somebody has it open."""
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.EBUSY or not name.startswith(_HELD_OPEN):
            raise


def normal_name(name: str) -> str:
    """A relative path without empty and ``.`` parts."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def all_above(name: str) -> Iterator[str]:
    """All that a normal relative path lies in, nearest first; the last is empty."""
    while name:
        name = name.rpartition("/")[0]
        yield name


def safe_join(root: str, name: str) -> str:
    """Join a relative path that a user or an archive supplied to ``root``, refusing to leave it.

    Links that exist on the way are followed only when they stay below ``root``. ValueError if the path is empty,
    absolute, contains ``..`` or a NUL, or leads out of ``root`` through a link.
    """
    parts = name.split("/")
    if not name or "\0" in name or os.path.isabs(name) or ".." in parts:
        raise ValueError(f"The path {name!r} leads out of {root!r}: use a relative path without '..'.")
    path = os.path.join(root, *(part for part in parts if part not in ("", ".")))
    real_root = os.path.realpath(root)
    real_path = os.path.realpath(path)
    if real_path != real_root and not real_path.startswith(real_root.rstrip("/") + "/"):
        raise ValueError(f"The path {name!r} leads out of {root!r} through a symbolic link.")
    return path
