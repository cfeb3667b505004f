"""What the library reads from the environment (``SIGNAC_DURABLE`` is a key of the configuration, too: see there)."""

from __future__ import annotations

import os

__all__ = ["index_directory", "index_is_trusted", "io_threads", "lock_timeout", "queries_write_index"]


def lock_timeout() -> float:
    """``SIGNAC_LOCK_TIMEOUT``: seconds to wait for the lock of a document before giving up (60)."""
    try:
        return max(0.0, float(os.environ["SIGNAC_LOCK_TIMEOUT"]))
    except (KeyError, ValueError):
        return 60.0


def index_directory() -> str | None:
    """``SIGNAC_CACHE_DIR``: where to keep the index instead of in the project; for slow or read-only projects."""
    return os.path.expanduser(os.environ.get("SIGNAC_CACHE_DIR", "")) or None


def index_is_trusted() -> bool:
    """``SIGNAC_INDEX_TRUST``: with ``never``, every query lists the workspace, whatever its time stamps say."""
    return os.environ.get("SIGNAC_INDEX_TRUST", "").lower() != "never"


def queries_write_index() -> bool:
    """``SIGNAC_INDEX_REFRESH``: with ``never``, only ``update-cache`` writes the index."""
    return os.environ.get("SIGNAC_INDEX_REFRESH", "").lower() != "never"


def io_threads() -> int | None:
    """``SIGNAC_IO_THREADS``: threads for reading many files; by default decided by the time of the first reads."""
    try:
        return max(1, int(os.environ["SIGNAC_IO_THREADS"]))
    except (KeyError, ValueError):
        return None
