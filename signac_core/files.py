"""How bytes reach the disk.

Everything that is written here becomes visible by one rename: a reader sees the old file or the new one, the whole
directory or none. Temporary names are hidden (signac 2.x ignores them), unique, and in the directory of their target.
The number of system calls of each function is part of its contract and is stated with it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from contextlib import suppress

__all__ = [
    "delete_tree",
    "ensure_directory",
    "read_bytes",
    "read_with_status",
    "replace_file",
    "safe_join",
    "sync_directory",
    "unique_suffix",
    "write_directory",
    "write_file",
]

_CHUNK = 1 << 16
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NAME_MAX = 255


def unique_suffix() -> str:
    """A random name part: 16 hexadecimal digits."""
    return os.urandom(8).hex()


def _read_all(fd: int, first: int) -> bytes:
    data = os.read(fd, first)
    if len(data) < first:  # a short read of a regular file is its end
        return data
    chunks = [data]
    while data := os.read(fd, max(_CHUNK, first)):
        chunks.append(data)
    return b"".join(chunks)


def read_bytes(path: str) -> bytes:
    """Content of a file (open, read, close for files below 64 KiB).

    Raises
    ------
    OSError
        If the file cannot be opened or read.

    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _read_all(fd, _CHUNK)
    except OSError as error:
        error.filename = path  # a failed read knows its descriptor only
        raise
    finally:
        os.close(fd)


def read_with_status(path: str) -> tuple[bytes, os.stat_result]:
    """Content of a file and the status of the very file that was read (open, fstat, read, close)."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        return _read_all(fd, status.st_size + 1), status
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(fd)


def write_file(path: str, data: bytes, *, durable: bool = False) -> None:
    """Create a new file with the given content (open, write, close; fsync when durable).

    Raises
    ------
    FileExistsError
        If the file exists.
    OSError
        If the file cannot be written whole; nothing is left behind then.

    """
    fd = os.open(path, _CREATE, 0o666)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
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


def sync_directory(path: str) -> None:
    """Make the names in a directory survive a power loss."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: str, data: bytes, *, durable: bool = False) -> None:
    """Give a file new content, atomically (open, write, close, rename).

    The new file has the modes that the umask asks for. A symbolic link at ``path`` is replaced, not followed.

    Raises
    ------
    OSError
        If the content cannot be written whole; the old file is untouched then.

    """
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, os.fsdecode(os.fsencode(f"._{unique_suffix()}_{name}")[:_NAME_MAX]))
    try:
        write_file(temporary, data, durable=durable)
    except OSError as error:
        error.filename = path
        raise
    try:
        os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):  # the error that led here matters more
            os.unlink(temporary)
        raise
    if durable:
        sync_directory(directory or ".")


def write_directory(path: str, files: Mapping[str, bytes], *, durable: bool = False) -> None:
    """Create a directory with the given files (mkdir, and open, write, close for each file).

    Raises
    ------
    OSError
        If anything cannot be written; nothing is left behind then.

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


def ensure_directory(path: str) -> None:
    """Create a directory and its parents; an existing one is fine (one call when its parent exists).

    Raises
    ------
    FileExistsError
        If something that is not a directory stands in the way.

    """
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    except FileNotFoundError:
        parent = os.path.dirname(path)
        if parent == path or not parent:
            raise
        ensure_directory(parent)
        ensure_directory(path)


def delete_tree(path: str, *, dir_fd: int | None = None) -> None:
    """Delete a directory with all it holds, or a file; symbolic links are deleted, never followed.

    Several processes may delete the same tree at once: what has gone already is fine, and what appears meanwhile is
    deleted too.

    Raises
    ------
    OSError
        If something cannot be deleted.

    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        with suppress(FileNotFoundError):
            os.unlink(path, dir_fd=dir_fd)
        return
    try:
        while True:
            with os.scandir(fd) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            for name, is_directory in found:
                if is_directory:
                    delete_tree(name, dir_fd=fd)
                else:
                    with suppress(FileNotFoundError):
                        os.unlink(name, dir_fd=fd)
            try:
                os.rmdir(path, dir_fd=dir_fd)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                return
    finally:
        os.close(fd)


def safe_join(root: str, name: str) -> str:
    """Join a name that a user or an archive supplied to ``root``, refusing to leave it.

    Parameters
    ----------
    root : str
        The directory that must not be left.
    name : str
        A relative path.

    Returns
    -------
    str
        The joined path. Links that exist on the way are followed only when they stay below ``root``.

    Raises
    ------
    ValueError
        If the name is empty, absolute, contains ``..`` or a NUL, or passes through a link that leads out of ``root``.

    Examples
    --------
    >>> safe_join("/data", "a/1")
    '/data/a/1'
    >>> safe_join("/data", "../etc")
    Traceback (most recent call last):
    ...
    ValueError: The path '../etc' leads out of '/data': use a relative path without '..'.

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
