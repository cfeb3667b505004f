"""What time stamps prove: signatures of files and directories, and the age from which on they are believed.

A signature tells one content of a file, or one list of the entries of a directory, from another without reading it. It
does so only if the next change is bound to show in it: if both its time stamps were older, when the content was read,
than the resolution of time stamps and the differences between the clocks that are involved. The time of reading is the
earlier of what this host says and what the file system says.
"""

from __future__ import annotations

import os
from time import monotonic, monotonic_ns, time_ns
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .workspace import Listing

__all__ = [
    "Signature",
    "directory_signature",
    "directory_signature_of",
    "is_on_parallel_file_system",
    "listing_signature",
    "margin",
    "settled_signature",
    "time_of_reading",
    "times_of",
]

_SETTLED_NS = 2_000_000_000
"""A file at rest for so long cannot change again without a change of its time stamps (local file systems)."""
_SETTLED_PARALLEL_NS = 10_000_000_000
"""The same for all others, whose clocks belong to servers."""
_BEYOND_DOUBT_NS = 86_400_000_000_000


class Signature(NamedTuple):
    """What tells one content of a file from another without reading it.

    Parameters
    ----------
    inode, size, mtime_ns, ctime_ns : int
        As in :class:`os.stat_result`.
    """

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """Signature of a file."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def settled_signature(status: os.stat_result) -> Signature | None:
    """Signature of a file about to be read, or None when it is so young that another change might not show in it.

    The age is that of the younger of both time stamps: of the content (mtime), which can be put back, and of anything
    (ctime), which cannot. It is taken by the clock of this host and by what is known of that of the file system: an
    age of a day is beyond doubt, as no clock is so wrong.
    """
    now, newest = time_ns(), max(status.st_mtime_ns, status.st_ctime_ns)
    is_parallel = is_on_parallel_file_system(status.st_dev)
    margin = _SETTLED_PARALLEL_NS if is_parallel else _SETTLED_NS
    seen = _clock_seen(status)
    if newest + margin <= now and (newest + margin <= seen or newest + _BEYOND_DOUBT_NS <= now):
        return Signature.of(status)
    return None


_seen: dict[int, int] = {}
"""The latest time stamp seen of each device, less the time of the monotonic clock when it was seen."""


def _clock_seen(status: os.stat_result) -> int:
    """The earliest time that the clock behind the time stamps of a device can show now.

    It was at least as late as each of its time stamps of changes when that was seen, and has gone on since.
    """
    elapsed = monotonic_ns()
    offset = max(_seen.get(status.st_dev, -elapsed), status.st_ctime_ns - elapsed)
    _seen[status.st_dev] = offset
    return offset + elapsed


_LOCAL_FILE_SYSTEMS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "zfs", "overlay", "f2fs"})
_parallel_devices: dict[int, bool] = {}


def is_on_parallel_file_system(device: int) -> bool:
    """Tell whether a device is of a kind whose time stamps come from other clocks; unknown kinds count as such."""
    known = _parallel_devices.get(device)
    if known is None:
        from .mounts import kind_of

        known = kind_of(device) not in _LOCAL_FILE_SYSTEMS
        _parallel_devices[device] = known
    return known


def margin(*devices: int) -> int:
    """Age, in nanoseconds, from which on a time stamp is beyond doubt; the devices are those of directory and clock.

    Two seconds where both are on the same file system of a kind that keeps time in one place, ten elsewhere.
    """
    is_one_clock = len(set(devices)) == 1 and not is_on_parallel_file_system(devices[0])
    return _SETTLED_NS if is_one_clock else _SETTLED_PARALLEL_NS


def times_of(status: os.stat_result) -> tuple[int, int]:
    """When content and status were last changed, in nanoseconds by the clock of the file system."""
    return status.st_mtime_ns, status.st_ctime_ns


def directory_signature_of(status: os.stat_result) -> list[int]:
    """What changes with the entries of a directory; not the device number, which differs between hosts."""
    return [status.st_ino, *times_of(status), status.st_nlink, status.st_size]


def directory_signature(directory: str) -> list[int] | None:
    """Signature of a directory (open, fstat, close: network file systems revalidate when it is opened)."""
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return directory_signature_of(os.fstat(fd))
    finally:
        os.close(fd)


def time_of_reading(wall_ns: int, started: float, created: os.stat_result) -> int:
    """The earliest time, in nanoseconds by either clock, when something was read.

    Reading began at ``wall_ns`` by the clock on the wall and at ``started`` (seconds) by the one that is never set; the
    status of a file that was just created has the time by the clock of the file system.
    """
    elapsed = int((monotonic() - started) * 1e9)
    return min(wall_ns, times_of(created)[0] - elapsed)


def listing_signature(listing: Listing, created: os.stat_result) -> list[int] | None:
    """Signature under which a listing can be trusted later on."""
    if listing.status is None:
        return None
    listed = time_of_reading(listing.wall_ns, listing.monotonic, created)
    if max(times_of(listing.status)) >= listed - margin(listing.status.st_dev, created.st_dev):
        return None
    return directory_signature_of(listing.status)
