"""Whether the list of jobs is still the one that was indexed.

Every job that appears or vanishes changes the workspace directory. Its signature tells of any change after a listing,
unless that change came so soon that the time stamps are the same: therefore a signature is stored only when both its
time stamps were older than the listing by a margin that no clock and no time stamp resolution in use exceeds. The time
of the listing is the earlier of what this host says and what the file system says that holds the index.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reading import Listing

__all__ = ["margin", "settled_signature", "signature", "signature_of", "time_of_reading", "times_of"]


def margin(*devices: int) -> int:
    """Age, in nanoseconds, from which on a time stamp is beyond doubt."""
    from ..documents import store

    is_one_clock = len(set(devices)) == 1 and not store.is_on_parallel_file_system(devices[0])
    return store.SETTLED_NS if is_one_clock else store.SETTLED_PARALLEL_NS


def times_of(status: os.stat_result) -> tuple[int, int]:
    """When content and status were last changed, in nanoseconds by the clock of the file system."""
    return status.st_mtime_ns, status.st_ctime_ns


def signature_of(status: os.stat_result) -> list[int]:
    """What changes with the entries of a directory; not the device number, which differs between hosts."""
    return [status.st_ino, *times_of(status), status.st_nlink, status.st_size]


def signature(directory: str) -> list[int] | None:
    """Signature of a directory (open, fstat, close: network file systems revalidate when it is opened)."""
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return signature_of(os.fstat(fd))
    finally:
        os.close(fd)


def time_of_reading(wall_ns: int, started: float, created: os.stat_result) -> int:
    """The earliest time, by either clock, when something was read."""
    elapsed = int((monotonic() - started) * 1e9)
    return min(wall_ns, times_of(created)[0] - elapsed)


def settled_signature(listing: Listing, created: os.stat_result) -> list[int] | None:
    """Signature under which a listing can be trusted later on."""
    if listing.status is None:
        return None
    listed = time_of_reading(listing.wall_ns, listing.monotonic, created)
    if max(times_of(listing.status)) >= listed - margin(listing.status.st_dev, created.st_dev):
        return None
    return signature_of(listing.status)
