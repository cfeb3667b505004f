"""Errors about single jobs: an operation on many jobs goes on with the others.

An error about the destination as a whole (the disk is full, the file system read-only) and a conflict, about which
somebody has to decide, end the operation.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import Error, SyncConflict

__all__ = ["Failed", "Failures", "is_about_one_job"]

Failed = Callable[[str | None, Exception], Any]
"""Told about each job with which something cannot be done, and why; None for one whose id is not known."""

_HOPELESS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def is_about_one_job(error: Exception) -> bool:
    """Tell whether other jobs may not meet an error.

    Parameters
    ----------
    error : Exception
        The error, which was met with one job.

    Returns
    -------
    bool
        Whether it makes sense to go on.

    Examples
    --------
    >>> is_about_one_job(PermissionError(errno.EACCES, "Permission denied"))
    True
    >>> is_about_one_job(OSError(errno.ENOSPC, "No space left on device"))
    False

    """
    if isinstance(error, OSError):
        return error.errno not in _HOPELESS
    return isinstance(error, Error) and not isinstance(error, SyncConflict)


class Failures:
    """The errors that one operation has met.

    Parameters
    ----------
    failed : callable, optional
        Told about each; without it the first one is raised at the end.

    Examples
    --------
    >>> failures = Failures()
    >>> for job_id in ("9bfd", "42b7"):
    ...     with failures.of(job_id):
    ...         raise PermissionError(errno.EACCES, "Permission denied", job_id)
    >>> failures.raise_first()
    Traceback (most recent call last):
        ...
    PermissionError: [Errno 13] Permission denied: '9bfd'
    There is 1 more error of other jobs.

    """

    def __init__(self, failed: Failed | None = None) -> None:
        self._failed = failed
        self._first: Exception | None = None
        self._count = 0
        self.ids: set[str | None] = set()

    @contextmanager
    def of(self, job_id: str | None) -> Iterator[None]:
        """Context manager for what is done about one job, which ends with an error about it.

        Parameters
        ----------
        job_id : str or None
            The job.

        Yields
        ------
        None

        Raises
        ------
        Exception
            Any error that other jobs would meet, too.

        Examples
        --------
        >>> with Failures(print).of("9bfd"):
        ...     raise OSError(errno.EINVAL, "It is not a regular file")
        9bfd [Errno 22] It is not a regular file

        """
        try:
            yield
        except Exception as error:
            if not is_about_one_job(error):
                raise
            self.note(job_id, error)

    def note(self, job_id: str | None, error: Exception) -> None:
        """Take an error about one job.

        Parameters
        ----------
        job_id : str or None
            The job.
        error : Exception
            The error.

        Examples
        --------
        >>> Failures(print).note("9bfd", OSError(errno.EINVAL, "It is not a regular file"))
        9bfd [Errno 22] It is not a regular file

        """
        self.ids.add(job_id)
        self._count += 1
        if self._failed is not None:
            self._failed(job_id, error)
        elif self._first is None:
            self._first = error

    def raise_first(self) -> None:
        """Raise the first error, if there is one and nobody has been told.

        Raises
        ------
        Exception
            The error, with a note about how many there are.

        Examples
        --------
        >>> Failures().raise_first()

        """
        if self._first is not None:
            others = self._count - 1
            if others:
                are = "is 1 more error" if others == 1 else f"are {others} more errors"
                self._first.add_note(f"There {are} of other jobs.")
            raise self._first
