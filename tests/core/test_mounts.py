from __future__ import annotations

import os
from pathlib import Path

import pytest

from signac_core import mounts
from signac_core.mounts import Mount, lock_warning, lock_warnings, parse_mounts

TABLE = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
30 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=continue
44 30 0:39 / /home rw,noatime shared:5 master:2 - nfs4 server:/home rw,vers=4.2,local_lock=none,addr=10.0.0.1
45 30 0:40 /a\040b /data/a\040b\134c rw - nfs server:/a rw,vers=3,nolock,local_lock=all
46 30 0:41 / /scratch rw - lustre 10.0.0.2@o2ib:/scratch rw,flock,lazystatfs
47 30 0:42 / /work rw - lustre 10.0.0.2@o2ib:/work rw,localflock
48 30 0:43 / /old rw - lustre 10.0.0.2@o2ib:/old rw,checksum
not a line of this table
"""


def test_parse_when_lines_have_optional_fields_and_escapes_then_understood() -> None:
    table = parse_mounts(TABLE)
    assert [mount.kind for mount in table] == ["proc", "ext4", "nfs4", "nfs", "lustre", "lustre", "lustre"]
    assert table[3] == Mount("0:40", r"/data/a b\c", "nfs", frozenset({"rw", "vers=3", "nolock", "local_lock=all"}))
    assert table[2].options >= {"noatime", "local_lock=none"}


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("ext4", "rw", ""),
        ("nfs4", "rw,local_lock=none", ""),
        ("nfs", "rw,vers=3,local_lock=none", ""),
        ("nfs4", "rw,local_lock=posix", ""),
        ("nfs4", "rw,local_lock=flock", "local_lock=flock"),
        ("nfs", "rw,nolock,local_lock=all", "local_lock=all and nolock"),
        ("nfs", "rw,nolock", "nolock"),
        ("lustre", "rw,flock", ""),
        ("lustre", "rw,localflock", "localflock"),
        ("lustre", "rw,checksum", "no flock"),
        ("lustre", "rw,noflock", "no flock"),
        ("cifs", "rw,vers=3.1.1", ""),
        ("cifs", "rw,vers=3.1.1,nobrl", "nobrl"),
        ("fuse.sshfs", "rw,user_id=0", "flock on one host only"),
        ("fuse.something-new", "rw", "flock on one host only"),
        ("fuse", "rw", "flock on one host only"),
        ("fuse.glusterfs", "rw", ""),
        ("fuse.ceph-fuse", "rw", ""),
        ("fuse.fuse-overlayfs", "rw", ""),
        ("fuseblk", "rw", ""),  # a local disk
        ("ceph", "rw", ""),
        ("gpfs", "rw", ""),
        ("beegfs", "rw", "flock on one host only"),
        ("9p", "rw,trans=virtio", "flock on one host only"),
        ("virtiofs", "rw", "flock on one host only"),
        ("overlay", "rw", ""),
        ("tmpfs", "rw", ""),
    ],
)
def test_warning_when_options_keep_locks_on_one_host_then_names_them(kind: str, options: str, reason: str) -> None:
    warning = lock_warning(Mount("0:1", "/data", kind, frozenset(options.split(","))))
    assert bool(warning) is bool(reason)
    if reason:
        assert f"'/data' ({kind}, {reason})" in warning


def test_warnings_when_asked_for_directories_then_of_their_file_systems_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = os.stat(tmp_path).st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    table = tmp_path / "mountinfo"
    table.write_text(
        f"44 30 {device} / /here rw - nfs server:/a rw,nolock\n"
        f"45 30 {device} /sub /there rw - nfs server:/a rw,nolock\n"
        "46 30 999:1 / /elsewhere rw - nfs server:/b rw,nolock\n"
    )
    monkeypatch.setattr(mounts, "_MOUNT_TABLE", str(table))
    (warning,) = lock_warnings(str(tmp_path), str(tmp_path / "absent"), ".")
    assert "here" in warning
    assert "elsewhere" not in warning


def test_warnings_when_there_is_no_table_then_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "_MOUNT_TABLE", "absent")
    assert lock_warnings(".") == []
