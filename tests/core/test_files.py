from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signac_core import files


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o002])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o444])
def test_replace_file_gives_new_content_and_keeps_the_mode(tmp_path: Path, mode: int, umask: int) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    target.chmod(mode)
    old_umask = os.umask(umask)
    try:
        files.replace_file(str(target), b"new")
        assert os.umask(umask) == umask
    finally:
        os.umask(old_umask)
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o7777 == mode
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_replace_file_when_there_is_none_then_it_gets_the_mode_of_the_umask(tmp_path: Path) -> None:
    old_umask = os.umask(0o027)
    try:
        files.replace_file(str(tmp_path / "a.json"), b"new")
    finally:
        os.umask(old_umask)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def test_replace_file_when_the_old_one_had_other_bits_then_only_permissions_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    target.chmod(0o6755)
    files.replace_file(str(target), b"new")
    assert target.stat().st_mode & 0o7777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser writes files for others")
def test_replace_file_when_a_superuser_writes_a_private_file_then_its_owner_can_still_read_it(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    os.chown(target, 12001, 12001)
    target.chmod(0o600)
    files.replace_file(str(target), b"new")
    status = target.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (12001, 12001, 0o600)


@pytest.mark.parametrize("error", [errno.EPERM, errno.EOPNOTSUPP])
def test_replace_file_when_the_file_system_has_no_modes_then_it_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(fd: int, mode: int) -> None:
        raise OSError(error, os.strerror(error))

    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    target.chmod(0o600)
    monkeypatch.setattr(os, "fchmod", refuse)
    files.replace_file(str(target), b"new")
    assert target.read_bytes() == b"new"


def test_replace_file_when_the_mode_cannot_be_kept_then_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int, mode: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    target.chmod(0o600)
    monkeypatch.setattr(os, "fchmod", fail)
    with pytest.raises(OSError, match="Input/output"):
        files.replace_file(str(target), b"new")
    assert target.read_bytes() == b"old"
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []


@pytest.mark.parametrize("target", ["nowhere", "file/below", "link"])
@pytest.mark.parametrize("read", [files.read_bytes, files.read_with_status])
def test_reading_when_a_link_leads_nowhere_then_it_is_no_missing_file(tmp_path: Path, target: str, read: Any) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(OSError, match="link") as caught:
        read(str(tmp_path / "link"))
    assert not isinstance(caught.value, (FileNotFoundError, NotADirectoryError))
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "missing"))


def test_reading_when_the_descriptor_cannot_be_closed_then_what_was_read_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = os.close

    def complain(fd: int) -> None:
        close(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "a").write_bytes(b"data")
    monkeypatch.setattr(os, "close", complain)
    assert files.read_bytes(str(tmp_path / "a")) == b"data"
    assert files.read_with_status(str(tmp_path / "a"))[0] == b"data"
    files.sync_directory(str(tmp_path))


def test_replace_file_replaces_a_link_and_leaves_its_target_alone(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"real")
    link = tmp_path / "link"
    link.symlink_to("real")
    files.replace_file(str(link), b"new")
    assert not link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"real"


def test_replace_file_when_the_write_fails_keeps_the_old_content_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")

    def no_space(fd: int, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", no_space)
    with pytest.raises(OSError, match="No space left") as caught:
        files.replace_file(str(target), b"new")
    assert caught.value.filename == str(target)
    assert target.read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.json", "home", "work"]


def test_replace_file_when_writes_are_short_writes_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:1]))
    files.replace_file(str(tmp_path / "a"), b"abcdef")
    assert (tmp_path / "a").read_bytes() == b"abcdef"


def test_replace_file_when_durable_syncs_data_before_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr(os, "rename", lambda a, b: (calls.append("rename"), rename(a, b))[1])
    files.replace_file(str(tmp_path / "a"), b"x", durable=True)
    assert calls == ["fsync", "rename", "fsync"]


def test_read_with_status_when_reads_are_short_then_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(b"abcdef")
    read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: read(fd, min(size, 4)))
    assert files.read_with_status(str(tmp_path / "f"))[0] == b"abcdef"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 300_000])
def test_read_bytes_returns_the_whole_file(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    assert files.read_bytes(str(tmp_path / "f")) == data
    text, status = files.read_with_status(str(tmp_path / "f"))
    assert (text, status.st_size) == (data, size)


def test_write_directory_when_a_file_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(fd: int, data: object) -> int:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "write", no_space)
    with pytest.raises(OSError, match="quota"):
        files.write_directory(str(tmp_path / "d"), {"x": b"1"})
    assert not (tmp_path / "d").exists()


def test_delete_tree_deletes_links_and_not_what_they_point_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "file").write_text("x")
    (tree / "link").symlink_to(outside)
    (tree / "dangling").symlink_to("nowhere")
    files.delete_tree(str(tree))
    assert not tree.exists()
    assert (outside / "keep").exists()


def test_delete_tree_of_a_link_deletes_the_link_only(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x")
    (tmp_path / "link").symlink_to(outside)
    files.delete_tree(str(tmp_path / "link"))
    assert not (tmp_path / "link").is_symlink()
    assert (outside / "keep").exists()


@pytest.mark.parametrize("path", ["", ".", "..", "/", "tree/", "tree/.", "tree/..", "tree//", "//"])
def test_delete_tree_when_the_path_ends_in_no_name_then_it_deletes_nothing(tmp_path: Path, path: str) -> None:
    (tmp_path / "work" / "tree").mkdir()
    (tmp_path / "work" / "tree" / "file").touch()
    with pytest.raises(ValueError, match="Nothing is deleted"):
        files.delete_tree(path)
    fd = os.open(tmp_path / "work", os.O_RDONLY)
    with pytest.raises(ValueError, match="Nothing is deleted"):
        files.delete_tree(path, dir_fd=fd)
    os.close(fd)
    assert (tmp_path / "work" / "tree" / "file").exists()


def test_delete_tree_of_nothing_is_fine(tmp_path: Path) -> None:
    files.delete_tree(str(tmp_path / "nothing"))
    (tmp_path / "file").write_text("x")
    files.delete_tree(str(tmp_path / "file"))
    assert not (tmp_path / "file").exists()


def test_delete_tree_deletes_what_appears_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    rmdir = os.rmdir
    rounds: list[int] = []

    def rmdir_after_a_write(path: str, *, dir_fd: int | None = None) -> None:
        if not rounds:
            (tree / "late").write_text("x")
        rounds.append(1)
        rmdir(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", rmdir_after_a_write)
    files.delete_tree(str(tree))
    assert len(rounds) == 2
    assert not tree.exists()


@pytest.mark.parametrize("name", ["", "/etc/passwd", "..", "a/../../b", "a\0b", "../x"])
def test_safe_join_when_a_name_leads_out_raises(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        files.safe_join(str(tmp_path), name)


def test_expand_home_when_something_of_that_name_is_there_then_it_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = os.path.expanduser("~")
    assert [files.expand_home(path) for path in ("~", "~/x", "~/x/")] == [home, f"{home}/x", f"{home}/x/"]
    assert [files.expand_home(path) for path in ("", "~x", "~root/x", "x~", "/~/x")] == [
        "",
        "~x",
        "~root/x",
        "x~",
        "/~/x",
    ]
    os.makedirs("~/x")
    assert [files.expand_home(path) for path in ("~/x", "~/y")] == ["~/x", f"{home}/y"]


def test_safe_join_when_a_link_leads_out_raises_and_links_inside_are_fine(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "inner")
    with pytest.raises(ValueError, match="symbolic link"):
        files.safe_join(str(root), "out/file")
    assert files.safe_join(str(root), "in/file") == str(root / "in" / "file")
    assert files.safe_join(str(root), "./a//b/") == str(root / "a" / "b")


def test_ensure_directory_creates_parents_and_refuses_files(tmp_path: Path) -> None:
    files.ensure_directory(str(tmp_path / "a" / "b" / "c"))
    files.ensure_directory(str(tmp_path / "a" / "b" / "c"))
    assert (tmp_path / "a" / "b" / "c").is_dir()
    (tmp_path / "f").write_text("x")
    with pytest.raises(FileExistsError):
        files.ensure_directory(str(tmp_path / "f"))


@pytest.mark.parametrize("read", [files.read_bytes, files.read_with_status])
def test_reading_when_a_pipe_stands_in_the_place_of_a_file_then_nobody_waits(read, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not a regular file"):
        read(str(tmp_path / "pipe"))


def test_reading_of_an_empty_file_or_device_is_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert files.read_bytes(str(tmp_path / "empty")) == files.read_bytes(os.devnull) == b""


@pytest.mark.parametrize("read", [files.read_bytes, files.read_with_status])
def test_reading_when_a_link_leads_to_a_device_without_end_then_error_names_it(read, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="Not a regular file") as caught:
        read(str(link))
    assert caught.value.filename == str(link)


@pytest.mark.parametrize("listed", [True, False])
def test_delete_tree_when_somebody_has_a_file_open_that_stays_then_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    """As on sshfs: the file gets a hidden name, which a listing may lack, until it is closed."""
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "open").write_text("")
    (tmp_path / "tree" / "other").write_text("")
    unlink, scandir = os.unlink, os.scandir
    names = iter(f".fuse_hidden{n:016x}" for n in range(1000))

    def hide(name: str, *, dir_fd: int) -> None:
        if name == "open" or name.startswith(".fuse_hidden"):
            os.rename(name, next(names), src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        else:
            unlink(name, dir_fd=dir_fd)

    @contextlib.contextmanager
    def list_without_hidden(fd: int) -> Iterator[list[os.DirEntry[str]]]:
        with scandir(fd) as entries:
            yield [entry for entry in entries if listed or not entry.name.startswith(".fuse_hidden")]

    monkeypatch.setattr(os, "unlink", hide)
    monkeypatch.setattr(os, "scandir", list_without_hidden)
    files.delete_tree(str(tmp_path / "tree"))
    monkeypatch.undo()
    assert os.listdir(tmp_path / "tree") == ["sub"]
    assert [name[:12] for name in os.listdir(tmp_path / "tree" / "sub")] == [".fuse_hidden"]
    files.delete_tree(str(tmp_path / "tree"))  # it has been closed
    assert not (tmp_path / "tree").exists()


def test_read_with_status_when_reads_are_short_then_all_is_read(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "notes"
    path.write_bytes(b"T = 1.5, p = 2.0")
    read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: read(fd, min(size, 5)))
    assert files.read_with_status(str(path))[0] == b"T = 1.5, p = 2.0"


def test_delete_tree_when_there_are_very_many_levels_then_all_are_deleted(tmp_path: Path) -> None:
    above = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=above)
        below = os.open("d", os.O_RDONLY, dir_fd=above)
        os.close(os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=below))
        os.close(above)
        above = below
    os.close(above)
    files.delete_tree(str(tmp_path / "d"))
    assert not (tmp_path / "d").exists()
