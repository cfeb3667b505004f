"""File systems that can be mounted here, each fresh and empty, and harnesses whose projects lie on them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.harness import Harness
from tests.support import unavailable

_SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")
_SECONDS_TO_MOUNT = 20


def _run(*command: str | Path) -> None:
    if shutil.which(command[0]) is None:
        unavailable(f"there is no {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.returncode}")


def _on_image(make: list[str], mibibytes: int) -> Callable[[Path, Path], None]:
    def mount(scratch: Path, point: Path) -> None:
        image = scratch / "image"
        with open(image, "wb") as file:
            file.truncate(mibibytes << 20)
        _run(*make, image)
        _run("mount", "-o", "loop", image, point)

    return mount


def _tmpfs(scratch: Path, point: Path) -> None:
    _run("mount", "-t", "tmpfs", "tmpfs", point)


def _overlay(scratch: Path, point: Path) -> None:
    mount_overlay(scratch / "lower", scratch, point)


def mount_overlay(lower: Path, scratch: Path, point: Path) -> None:
    """Mount a directory with a fresh layer on top of it, which takes all changes."""
    for directory in (lower, scratch / "upper", scratch / "work"):
        directory.mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={lower},upperdir={scratch / 'upper'},workdir={scratch / 'work'}"
    # What containers are mounted with: renaming a directory of the lower layer fails.
    _run("mount", "-t", "overlay", "overlay", "-o", f"{layers},redirect_dir=off", point)


def _sshfs(scratch: Path, point: Path) -> None:
    server = next(filter(os.path.exists, _SFTP_SERVERS), None)
    if server is None:
        unavailable("there is no sftp-server")
    instead_of_ssh = scratch / "ssh"
    instead_of_ssh.write_text(f"#!/bin/sh\nexec {server}\n")
    instead_of_ssh.chmod(0o755)
    served = scratch / "served"
    served.mkdir()
    _run("sshfs", f"nowhere:{served}", point, "-o", f"ssh_command={instead_of_ssh}")


FILE_SYSTEMS: dict[str, Callable[[Path, Path], None]] = {
    "ext4": _on_image(["mkfs.ext4", "-q"], 64),
    "ext4 with whole seconds": _on_image(["mkfs.ext4", "-q", "-I", "128"], 64),
    "xfs": _on_image(["mkfs.xfs", "-q"], 320),
    "btrfs": _on_image(["mkfs.btrfs", "-q"], 128),
    "tmpfs": _tmpfs,
    "overlay": _overlay,
    "sshfs": _sshfs,
}
"""How each is mounted, given a scratch directory and the mount point."""

LOWER_LAYER = "overlay, lower layer"
"""Projects that lie in the lower layer of an overlay, as in a container image."""


class LayeredHarness(Harness):
    """Lets every operation find its files in the lower layer of an overlay."""

    def lay_out(self, template: Path, directory: Path) -> None:
        self.clear(directory)
        directory.mkdir()
        mount_overlay(template, directory.parent / "layers", directory)

    def clear(self, directory: Path) -> None:
        if os.path.ismount(directory):
            unmount(directory)
        super().clear(directory)
        shutil.rmtree(directory.parent / "layers", ignore_errors=True)


def unmount(point: Path) -> None:
    """Unmount a file system, also one that a process still uses."""
    subprocess.run(["umount", "--lazy", point], check=True, capture_output=True)


@contextlib.contextmanager
def mounted(name: str, scratch: Path) -> Iterator[Path]:
    """Mount a fresh file system; skip the test where this user may not mount any.

    Parameters
    ----------
    name
        A key of `FILE_SYSTEMS`.
    scratch
        An empty directory.
    """
    point = scratch / "mounted"
    point.mkdir()
    if os.geteuid() != 0:
        unavailable("only root can mount file systems")
    try:
        FILE_SYSTEMS[name](scratch, point)
        _wait_for(point)
    except OSError as error:
        unavailable(f"{name} cannot be mounted here: {error}")
    try:
        yield point
    finally:
        unmount(point)


def _wait_for(point: Path) -> None:
    """Wait until a file system in user space is there: its command returns before."""
    deadline = time.monotonic() + _SECONDS_TO_MOUNT
    while not os.path.ismount(point):
        if time.monotonic() > deadline:
            raise OSError("it does not appear")
        time.sleep(0.01)


@contextlib.contextmanager
def harness_on(name: str, shim: Path, scratch: Path) -> Iterator[Harness]:
    """A harness whose projects lie on a file system.

    Parameters
    ----------
    name
        A key of `FILE_SYSTEMS`, or `LOWER_LAYER`.
    shim
        The shim.
    scratch
        An empty directory.
    """
    if name == LOWER_LAYER:
        with mounted("tmpfs", scratch) as place, LayeredHarness(shim, place) as harness:
            yield harness
    else:
        with mounted(name, scratch) as place, Harness(shim, place) as harness:
            yield harness
