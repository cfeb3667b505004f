"""The lock of a job and of a project.

A read-modify-write of a document holds ``flock(LOCK_EX)`` on a regular file that exists already: the state point file
for the document of a job, the configuration file for the document of a project. (Directories are not locked: NFS and
Lustre directories have no flock operation and the kernel would lock on this host only, without a word. Nor is the
document itself: it is replaced by rename.) Every operation opens the file anew, so that threads exclude each other too.

Where the file system refuses locks the work goes on without one: the promise that no key is lost among concurrent
writers is weaker there, everything else holds.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import AbstractContextManager, nullcontext
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from types import TracebackType

from .errors import LockTimeoutError
from .files import close_after_work

__all__ = ["Lock", "acquire"]

_UNSUPPORTED = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM, errno.EROFS, errno.EOPNOTSUPP}
)
_LONGEST_PAUSE = 0.02  # seconds


class Lock:
    """Exclusive lock on an existing file, for the time of a ``with`` block (open, flock, fstat; flock, close).

    ``status`` is that of the file when it was locked, None without a lock. A directory is locked on this host only. On
    entering, LockTimeoutError if another process holds the lock for longer than ``SIGNAC_LOCK_TIMEOUT`` seconds (60);
    FileNotFoundError if there is no such file.
    """

    __slots__ = ("_fd", "path", "status")

    def __init__(self, path: str) -> None:
        self.path = path
        self.status: os.stat_result | None = None
        self._fd: int | None = None

    def __enter__(self) -> Lock:
        return self if self._fd is not None else self.acquire()

    def acquire(self) -> Lock:
        """Take the lock; the errors are those of the class."""
        while True:
            try:
                self._fd = _open(self.path)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                _note_missing_lock(self.path, error)
                return self
            try:
                waited = self._acquire(self._fd)
                if self._still_named(self._fd, look_up=waited):
                    return self
            except OSError as error:
                self._close()
                if error.errno not in _UNSUPPORTED or isinstance(error, LockTimeoutError):
                    raise
                _note_missing_lock(self.path, error)
                return self
            except BaseException:
                self._close()
                raise
            self.release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back; without one, do nothing. The work is done: it does not fail any more."""
        if self._fd is not None:
            try:  # noqa: SIM105  # a suppress() takes longer than the call
                flock(self._fd, LOCK_UN)  # explicitly: a child forked meanwhile keeps the descriptor open
            except OSError:
                pass
            self._close()

    def _close(self) -> None:
        fd, self._fd, self.status = self._fd, None, None
        if fd is not None:
            close_after_work(fd)

    def _acquire(self, fd: int) -> bool:
        """Take the lock; tell whether it had to be waited for."""
        try:
            flock(fd, LOCK_EX | LOCK_NB)
            return False
        except BlockingIOError:
            pass
        from . import config

        deadline = time.monotonic() + config.lock_timeout()
        while time.monotonic() < deadline:
            time.sleep(_LONGEST_PAUSE * int.from_bytes(os.urandom(2), "big") / 0xFFFF)
            try:
                flock(fd, LOCK_EX | LOCK_NB)
                return True
            except BlockingIOError:
                continue
        raise LockTimeoutError(
            errno.ETIMEDOUT,
            f"The lock was held by another process for {config.lock_timeout():g} s (see SIGNAC_LOCK_TIMEOUT)",
            self.path,
        )

    def _still_named(self, fd: int, *, look_up: bool) -> bool:
        """Tell whether the locked file is still the one that others would lock.

        Whatever changes, moves or removes a job replaces or deletes the file before it gives the lock back, so that
        without waiting the count of its names tells in one call.
        """
        held = self.status = os.fstat(fd)
        if not look_up:
            return held.st_nlink > 0
        named = os.stat(self.path)
        return (held.st_ino, held.st_dev) == (named.st_ino, named.st_dev)


def acquire(path: str, directory: str) -> AbstractContextManager[object]:
    """Take the lock on a file that need not exist, for a ``with`` block; where there is no file, there is no lock.

    Raises FileNotFoundError if ``directory``, which it belongs to, does not exist either; LockTimeoutError as
    :class:`Lock`.
    """
    try:
        return Lock(path).acquire()
    except FileNotFoundError:
        if os.path.isdir(directory):
            return nullcontext()
        raise


def _open(path: str) -> int:
    """Open the file for writing, which NFS wants for an exclusive lock, or else for reading (another owner's file)."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # there may be a pipe


_noted = False


def _note_missing_lock(path: str, error: OSError) -> None:
    global _noted
    if not _noted:
        _noted = True
        import logging

        logging.getLogger(__name__).debug("Going on without a lock on %s: %s", path, error)
