"""Every environment variable that the library reads, once."""

from __future__ import annotations

import os

__all__ = ["durable", "lock_timeout"]

_FALSE = frozenset({"", "0", "false", "no", "off"})


def durable() -> bool:
    """``SIGNAC_DURABLE``: fsync what is published, at a price, so that it survives a power loss."""
    return os.environ.get("SIGNAC_DURABLE", "").lower() not in _FALSE


def lock_timeout() -> float:
    """``SIGNAC_LOCK_TIMEOUT``: seconds to wait for the lock of a document before giving up (60)."""
    try:
        return max(0.0, float(os.environ["SIGNAC_LOCK_TIMEOUT"]))
    except (KeyError, ValueError):
        return 60.0
