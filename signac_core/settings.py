"""What the library reads from the environment (``SIGNAC_DURABLE`` is a key of the configuration, too: see there)."""

from __future__ import annotations

import os

__all__ = ["lock_timeout"]


def lock_timeout() -> float:
    """``SIGNAC_LOCK_TIMEOUT``: seconds to wait for the lock of a document before giving up (60)."""
    try:
        return max(0.0, float(os.environ["SIGNAC_LOCK_TIMEOUT"]))
    except (KeyError, ValueError):
        return 60.0
