"""What the kernel knows of mounted file systems, as far as it matters for locks and time stamps.

The lock of a document is a ``flock``. Some network file systems forward it to their servers, unless a mount option
keeps it on the host that asks for it, where it is granted without a word; others know it on that host only. Of a file
system in user space (FUSE) nothing can be told from its options: only those are trusted that are known to have locks
between hosts, or to lie on a local disk.
"""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["Mount", "kind_of", "lock_warning", "lock_warnings", "parse_mounts"]

_MOUNT_TABLE = "/proc/self/mountinfo"

# Those in the first line have locks between hosts, those in the others lie on other directories or on a local disk.
_TRUSTED_FUSE = frozenset(
    {"ceph", "ceph-fuse", "glusterfs", "juicefs", "mfs", "moosefs", "lizardfs", "saunafs", "mapr", "quobyte"}
    | {
        "fuse-overlayfs",
        "bindfs",
        "encfs",
        "gocryptfs",
        "lxcfs",
        "mergerfs",
        "ntfs-3g",
        "ntfs",
        "unionfs",
        "zfs",
        "portal",
    }
)

# Network file systems of the kernel, and of virtual machines, that answer flock on the host that asks.
_LOCAL_LOCKS = frozenset({"9p", "beegfs", "orangefs", "prl_fs", "pvfs2", "vboxsf", "virtiofs", "vmhgfs"})


class Mount(NamedTuple):
    """A mounted file system.

    Parameters
    ----------
    device : str
        Major and minor number, as in ``"0:44"``.
    point : str
        The directory where it is mounted.
    kind : str
        The type of the file system, such as ``"nfs4"``.
    options : frozenset of str
        The options of the mount and of the file system.
    """

    device: str
    point: str
    kind: str
    options: frozenset[str]


def parse_mounts(text: str) -> list[Mount]:
    """Parse the content of ``/proc/PID/mountinfo``; lines of another form are left out.

    A line holds ids, device, root, mount point, options, optional fields, ``-``, type, source, options.
    """
    mounts = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, others = before.split(" "), after.split(" ")
        if separator and len(fields) >= 6 and len(others) >= 3:
            options = frozenset([*fields[5].split(","), *others[2].split(",")])
            mounts.append(Mount(fields[2], _unescaped(fields[4]), others[0], options))
    return mounts


def _unescaped(text: str) -> str:
    """Undo the octal escapes of blanks and backslashes."""
    for character in " \t\n\\":
        text = text.replace(f"\\{ord(character):03o}", character)
    return text


def lock_warning(mount: Mount) -> str:
    """What is wrong with locks on a file system, and what to do; empty when nothing is known to be."""
    options = mount.options
    if mount.kind in ("nfs", "nfs4"):
        local = sorted(options & {"local_lock=all", "local_lock=flock", "nolock"})
        advice = "Mount it with local_lock=none and without nolock"
    elif mount.kind == "lustre":
        local = [] if "flock" in options else sorted(options & {"localflock"}) or ["no flock"]
        advice = "Mount it with flock"
    elif mount.kind in ("cifs", "smb3"):
        local = sorted(options & {"nobrl", "nolock"})
        advice = "Mount it without nobrl and nolock"
    else:
        local = ["flock on one host only"] if _is_local_to_host(mount.kind) else []
        advice = "Keep the project on a file system that has them"
    if not local:
        return ""
    return (
        f"The file system at '{mount.point}' ({mount.kind}, {' and '.join(local)}) has no locks between hosts: of two "
        f"hosts that change the same document at once, one can lose its change. {advice}, or let one host write."
    )


def _is_local_to_host(kind: str) -> bool:
    """Tell whether a type of file system is none that has locks between hosts, or that only one host can mount."""
    kind, _, subtype = kind.partition(".")
    if kind in ("fuse", "fuseblk"):
        return kind == "fuse" and subtype not in _TRUSTED_FUSE
    return kind in _LOCAL_LOCKS


def kind_of(device: int) -> str:
    """Type of the file system on a device, "unknown" if the kernel does not tell (one read)."""
    number = _number_of(device)
    return next((mount.kind for mount in _mounts() if mount.device == number), "unknown")


def lock_warnings(*paths: str) -> list[str]:
    """Warnings about the file systems of some files or directories (one stat each, one read).

    One per file system that has a problem; none where the kernel does not tell about mounts. Paths that do not exist do
    not count.
    """
    devices = set()
    for path in paths:
        try:
            devices.add(_number_of(os.stat(path).st_dev))
        except OSError:
            continue
    # One file system can be mounted in several places, with the same consequences.
    found = {mount.device: lock_warning(mount) for mount in _mounts() if mount.device in devices}
    return [warning for warning in found.values() if warning]


def _number_of(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"


def _mounts() -> list[Mount]:
    try:
        with open(_MOUNT_TABLE, encoding="utf-8", errors="surrogateescape") as table:
            return parse_mounts(table.read())
    except OSError:
        return []
