"""What the library reads from the environment (``SIGNAC_DURABLE`` is a key of the configuration, too: see there)."""

from __future__ import annotations

import os

__all__ = ["index_directory", "index_is_trusted", "io_threads", "lock_timeout", "queries_write_index"]


def lock_timeout() -> float:
    """``SIGNAC_LOCK_TIMEOUT``: seconds to wait for the lock of a document before giving up (60).

    Returns
    -------
    float
        The seconds; 60.0 if the variable is not set, or not a number.

    Examples
    --------
    >>> os.environ["SIGNAC_LOCK_TIMEOUT"] = "5"
    >>> lock_timeout()
    5.0
    >>> del os.environ["SIGNAC_LOCK_TIMEOUT"]

    """
    try:
        return max(0.0, float(os.environ["SIGNAC_LOCK_TIMEOUT"]))
    except (KeyError, ValueError):
        return 60.0


def index_directory() -> str | None:
    """``SIGNAC_CACHE_DIR``: where to keep the index instead of in the project; for slow or read-only projects.

    Returns
    -------
    str or None
        The directory; None if the variable is not set.

    Examples
    --------
    >>> print(index_directory())
    None

    """
    return os.path.expanduser(os.environ.get("SIGNAC_CACHE_DIR", "")) or None


def index_is_trusted() -> bool:
    """``SIGNAC_INDEX_TRUST``: with ``never``, every query lists the workspace, whatever its time stamps say.

    Returns
    -------
    bool
        False with ``never``.

    Examples
    --------
    >>> index_is_trusted()
    True

    """
    return os.environ.get("SIGNAC_INDEX_TRUST", "").lower() != "never"


def queries_write_index() -> bool:
    """``SIGNAC_INDEX_REFRESH``: with ``never``, only ``update-cache`` writes the index.

    Returns
    -------
    bool
        False with ``never``.

    Examples
    --------
    >>> queries_write_index()
    True

    """
    return os.environ.get("SIGNAC_INDEX_REFRESH", "").lower() != "never"


def io_threads() -> int | None:
    """``SIGNAC_IO_THREADS``: threads for reading many files; by default decided by the time of the first reads.

    Returns
    -------
    int or None
        The number; None if the variable is not set, or not a number.

    Examples
    --------
    >>> print(io_threads())
    None

    """
    try:
        return max(1, int(os.environ["SIGNAC_IO_THREADS"]))
    except (KeyError, ValueError):
        return None
