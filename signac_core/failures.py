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
"""Called with each job with which something cannot be done, and why; None for one whose id is not known."""

_HOPELESS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def is_about_one_job(error: Exception) -> bool:
    """Tell whether an error that was met with one job may not be met with others, so that it makes sense to go on."""
    if isinstance(error, OSError):
        return error.errno not in _HOPELESS
    return isinstance(error, Error) and not isinstance(error, SyncConflict)


class Failures:
    """The errors that one operation has met; ``failed`` is called with each, or else the first is raised at the end."""

    def __init__(self, failed: Failed | None = None) -> None:
        self._failed = failed
        self._first: Exception | None = None
        self._count = 0
        self.ids: set[str | None] = set()

    @contextmanager
    def of(self, job_id: str | None) -> Iterator[None]:
        """Context manager for what is done about one job, which ends with an error about it.

        An error that other jobs would meet, too, is raised.
        """
        try:
            yield
        except Exception as error:
            if not is_about_one_job(error):
                raise
            self.note(job_id, error)

    def note(self, job_id: str | None, error: Exception) -> None:
        """Take an error about one job."""
        self.ids.add(job_id)
        self._count += 1
        if self._failed is not None:
            self._failed(job_id, error)
        elif self._first is None:
            self._first = error

    def raise_first(self) -> None:
        """Raise the first error, with a note about how many there are, unless somebody has been told of them."""
        if self._first is not None:
            others = self._count - 1
            if others:
                are = "is 1 more error" if others == 1 else f"are {others} more errors"
                self._first.add_note(f"There {are} of other jobs.")
            raise self._first
