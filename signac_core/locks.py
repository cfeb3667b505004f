"""The lock of a job and of a project.

A read-modify-write of a document holds ``flock(LOCK_EX)`` on a regular file that exists already: the state point file
for the document of a job, the configuration file for the document of a project. (Directories are not locked: NFS and
Lustre directories have no flock operation and the kernel would lock on this host only, without a word. Nor is the
document itself: it is replaced by rename.) Every operation has a descriptor of its own, so that threads exclude each
other too.

Whoever writes again need not open the file again. A lock that *rests* has been given back, and keeps its descriptor for
the thread and the process that opened it: there it can be taken again in one call that a network sees, instead of two.
At most 16 rest in a process, the last ones; before a fork all are closed, because a child that kept the descriptor
could keep the lock of a parent that was killed. That the file has been replaced or deleted shows once the lock is
taken. That it has moved together with its directory does not: whoever takes a lock again has to make sure of that,
see :meth:`Lock.is_named`.

Where the file system refuses locks the work goes on without one: the promise that no key is lost among concurrent
writers is weaker there, everything else holds.
"""

from __future__ import annotations

import errno
import os
import time
from _thread import get_ident
from collections import deque
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from types import TracebackType

from .errors import LockTimeoutError
from .files import close_after_work, status_of

__all__ = ["Lock", "acquire", "let_go"]

_UNSUPPORTED = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM, errno.EROFS, errno.EOPNOTSUPP}
)
_LONGEST_PAUSE = 0.02  # seconds
_MOST_RESTING = 16
_LATELY = 1.0  # seconds


class Lock:
    """Exclusive lock on an existing file, for the time of a ``with`` block (open, flock, fstat; flock, close).

    ``status`` is that of the file when it was locked, None without a lock. A directory is locked on this host only. On
    entering, LockTimeoutError if another process holds the lock for longer than ``SIGNAC_LOCK_TIMEOUT`` seconds (60);
    FileNotFoundError if there is no such file.
    """

    __slots__ = ("_fd", "_forks", "_is_entered", "_looked_up", "_owner", "path", "status")

    def __init__(self, path: str) -> None:
        self.path = path
        self.status: os.stat_result | None = None
        self._fd: int | None = None
        self._is_entered = False  # also where there is no lock to take
        self._forks = 0  # before it was opened
        self._looked_up = 0.0  # when the path is known to have led to it
        self._owner: tuple[int, int] | None = None  # process and thread that it rests for

    def __enter__(self) -> Lock:
        return self if self._is_entered else self.acquire()

    def acquire(self) -> Lock:
        """Take the lock; the errors are those of the class."""
        while True:
            try:
                self._fd = _open(self.path)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                return self._do_without(error)
            self._forks, self._looked_up = _forks, time.monotonic()
            try:
                waited = self._acquire(self._fd)
                if self._still_named(self._fd, look_up=waited):
                    self._is_entered = True
                    return self
            except OSError as error:
                self._close()
                if error.errno not in _UNSUPPORTED or isinstance(error, LockTimeoutError):
                    raise
                return self._do_without(error)
            except BaseException:
                self._close()
                raise
            self.release()

    def _do_without(self, error: OSError) -> Lock:
        _note_missing_lock(self.path, error)
        self._is_entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back; without one, do nothing. The work is done: it does not fail any more."""
        if self._fd is not None:
            self._unlock(self._fd)
            self._close()
        self._is_entered = False

    def release_deleted(self) -> None:
        """Give the lock back by closing, if the file has been deleted: nobody waits for that (fstat, close)."""
        if self._fd is not None and os.fstat(self._fd).st_nlink == 0:
            self._close()

    def _unlock(self, fd: int) -> None:
        try:  # noqa: SIM105  # a suppress() takes longer than the call
            flock(fd, LOCK_UN)  # explicitly: a child forked meanwhile keeps the descriptor open
        except OSError:
            pass

    def is_on(self, status: os.stat_result) -> bool:
        """Tell whether a file of this status is the one that is locked."""
        return self.status is not None and _same_file(self.status, status)

    def content(self) -> bytes:
        """What is in the file that is locked (pread); nothing without a lock, or if it cannot be read."""
        try:
            return b"" if self._fd is None or self.status is None else os.pread(self._fd, self.status.st_size, 0)
        except OSError:
            return b""

    def _close(self) -> None:
        fd, self._fd, self.status = self._fd, None, None
        if fd is not None:
            close_after_work(fd)

    # locks that rest ----------------------------------------------------------------------------------------------

    def rest(self) -> bool:
        """Give the lock back, but keep its descriptor for :meth:`retake` (flock); False if it had to be closed.

        So it is if a process was forked since it was opened. What has rested longest is closed when too many do.
        """
        fd = self._fd
        if fd is None or self._forks != _forks:
            self.release()
            return False
        self._owner = os.getpid(), get_ident()
        self._unlock(fd)
        self._is_entered = False
        _resting.append(self)
        while len(_resting) > _MOST_RESTING:
            _close_first()
        return True

    def retake(self) -> bool:
        """Take the lock again that rests (fstat, flock, fstat); False if it is of no use any more, and closed.

        LockTimeoutError as on entering. Nobody else takes or closes it meanwhile.
        """
        if not self._claim():
            return False
        if self._owner != (os.getpid(), get_ident()) or not self._is_ours():
            self._close_if_ours()
            return False
        assert self._fd is not None
        try:
            waited = self._acquire(self._fd)
            if self._still_named(self._fd, look_up=waited):
                self._is_entered = True
                return True
        except LockTimeoutError:
            self._close()
            raise
        except OSError:  # the server has forgotten it, or has moved: opening it anew tells
            pass
        except BaseException:
            self._close()
            raise
        self.release()
        return False

    def is_named(self) -> bool:
        """Tell whether the path still leads to the file that is locked (stat)."""
        self._looked_up = time.monotonic()
        named = status_of(self.path)
        return named is not None and self.status is not None and _same_file(named, self.status)

    def was_named_lately(self) -> bool:
        """Tell whether the path has led to the file less than a second ago."""
        return time.monotonic() - self._looked_up < _LATELY

    def drop(self) -> None:
        """Close the descriptor if the lock rests."""
        if self._claim():
            self._close_if_ours()

    def _claim(self) -> bool:
        """Have the lock rest no longer; False if it does not, because another thread was faster. In one step."""
        try:
            _resting.remove(self)
        except ValueError:
            return False
        return True

    def _is_ours(self) -> bool:
        """Tell whether the descriptor is still that of the file: a program may close all that it does not know."""
        assert self._fd is not None
        try:
            return self.status is not None and _same_file(os.fstat(self._fd), self.status)
        except OSError as error:
            return error.errno != errno.EBADF  # a server does not know it any more

    def _close_if_ours(self) -> None:
        """Close the descriptor; it does not hold the lock, and is not to be unlocked: a parent may hold it."""
        if not self._is_ours():
            self._fd = None
        self._close()

    # taking ---------------------------------------------------------------------------------------------------------

    def _acquire(self, fd: int) -> bool:
        """Take the lock; tell whether it had to be waited for. One on a file that is deleted is not waited for."""
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
                if os.fstat(fd).st_nlink == 0:
                    return True
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
        return _same_file(os.stat(self.path), held)


def _same_file(left: os.stat_result, right: os.stat_result) -> bool:
    return left.st_ino == right.st_ino and left.st_dev == right.st_dev


_resting: deque[Lock] = deque()
"""Locks that rest, longest first. Whoever takes one out of it, which is one step, may use or close its descriptor."""

_forks = 0
"""How often this process, and those that it was forked from, have been forked."""


def _close_first() -> None:
    with suppress(IndexError):
        _resting.popleft()._close_if_ours()


def _before_fork() -> None:
    """Close what rests; what is in use at this moment is closed when it would rest."""
    global _forks
    _forks += 1
    while _resting:
        _close_first()


os.register_at_fork(before=_before_fork, after_in_child=_before_fork)


def let_go(directory: str) -> None:
    """Close the descriptors that rest on files of a directory, which is going to be moved or deleted.

    A file server keeps what somebody has open, and the directory with it.
    """
    for lock in _resting.copy():
        if os.path.dirname(lock.path) == directory:
            lock.drop()


def acquire(path: str, directory: str) -> Lock:
    """Take the lock on a file that need not exist, for a ``with`` block; where there is no file, there is no lock.

    Raises FileNotFoundError if ``directory``, which it belongs to, does not exist either; LockTimeoutError as
    :class:`Lock`.
    """
    lock = Lock(path)
    try:
        return lock.acquire()
    except FileNotFoundError:
        if not os.path.isdir(directory):
            raise
    lock._is_entered = True
    return lock


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
