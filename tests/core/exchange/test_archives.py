"""Archives: members out, members in, and what is refused."""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from signac_core import layout
from signac_core.exchange import packing, unpacking
from signac_core.exchange.archives import ArchiveError, open_archive
from signac_core.exchange.copying import StatePointFile
from signac_core.exchange.packing import archive_format

SP = layout.FN_STATE_POINT
KINDS = ["zip", "tar", "tar:gz", "tar:bz2", "tar:xz"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A job directory with a bit of everything."""
    root = tmp_path / "job"
    (root / "sub" / "empty").mkdir(parents=True)
    (root / SP).write_text('{"old": 1}')
    (root / "run.sh").write_text("#!/bin/sh")
    (root / "run.sh").chmod(0o755)
    (root / "sub" / "data").write_bytes(bytes(range(256)) * 1000)
    os.link(root / "sub" / "data", root / "sub" / "same")
    (root / "ln").symlink_to("sub/data")
    (root / "._0123456789abcdef_signac_job_document.json").write_text("left by a killed writer")
    os.utime(root / "sub" / "data", (1_000_000_000, 1_000_000_000.5))
    return root


def write(path: str | Path, kind: str, tree: Path, name: str = "a/1") -> None:
    with packing.create(str(path), kind) as writer:
        packing.add_directory(writer, str(tree), name, StatePointFile(b'{"a": 1}', None, {}))


def unpack(path: str | Path, root: str, target: str | Path) -> list[str]:
    with open_archive(str(path)) as reader:
        contents = unpacking.scan(reader)
        return list(unpacking.extract(reader, contents, {root: str(target)}))


def make_tar(path: str | Path, *members: tuple[str, Any], mode: Any = "w") -> str:
    """A tar file; the content of a member is bytes, a type, or a type with a link target."""
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            data = b""
            if isinstance(content, tuple):
                info.type, info.linkname = content
            elif isinstance(content, bytes) and content in (tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
                info.type = content
            else:
                data = content
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return str(path)


def make_zip(path: str | Path, *members: tuple[str, bytes] | tuple[zipfile.ZipInfo, bytes]) -> str:
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return str(path)


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.zip", "zip"),
        ("x.tar", "tar"),
        ("x.tar.gz", "tar:gz"),
        ("x.tgz", "tar:gz"),
        ("x.gz", "tar:gz"),
        ("x.tar.bz2", "tar:bz2"),
        ("x.tbz2", "tar:bz2"),
        ("x.tar.xz", "tar:xz"),
        ("x.txz", "tar:xz"),
        ("x", None),
        ("a.b/c", None),
        ("x.zip/", None),
        ("results.v1/", None),
        (".hidden", None),
    ],
)
def test_archive_format_when_a_name_is_given_then_the_extension_decides(name, kind):
    assert archive_format(name) == kind


@pytest.mark.parametrize("name", ["results.v1", "x.TAR", "x.7z", "x.tar.zst"])
def test_archive_format_when_the_extension_is_unknown_then_the_error_tells_what_to_do(name):
    with pytest.raises(TypeError, match=rf"Unknown extension .*append a slash: '{name}/'"):
        archive_format(name)


def test_archive_format_when_a_directory_of_this_name_exists_then_it_is_one():
    os.mkdir("results.v1")
    assert archive_format("results.v1") is None


# --- out -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_archive_when_written_and_read_then_the_job_is_the_same(tree, kind):
    write("x", kind, tree)
    assert os.listdir() == ["x"]
    assert unpack("x", "a/1", "copy") == ["a/1"]
    copy = Path("copy")
    assert (copy / SP).read_text() == '{"a": 1}'
    assert (copy / "sub" / "data").read_bytes() == (tree / "sub" / "data").read_bytes()
    assert (copy / "sub" / "same").read_bytes() == (tree / "sub" / "data").read_bytes()
    assert (copy / "ln").read_bytes() == (tree / "sub" / "data").read_bytes()
    assert (copy / "sub" / "empty").is_dir()
    assert os.access(copy / "run.sh", os.X_OK)
    assert not os.access(copy / SP, os.X_OK)
    assert sorted(os.listdir(copy)) == ["ln", "run.sh", SP, "sub"]
    if kind != "zip":
        assert os.stat(copy / "sub" / "data").st_mtime == 1_000_000_000.5
        assert os.readlink(copy / "ln") == "sub/data"


def test_zip_when_written_then_members_are_those_of_signac(tree):
    write("x.zip", "zip", tree)
    with zipfile.ZipFile("x.zip") as file:
        assert sorted(file.namelist()) == [
            "a/1/ln",
            "a/1/run.sh",
            f"a/1/{SP}",
            "a/1/sub/data",
            "a/1/sub/empty/",
            "a/1/sub/same",
        ]
        assert {info.compress_type for info in file.infolist() if not info.is_dir()} == {zipfile.ZIP_DEFLATED}
        assert file.getinfo("a/1/run.sh").external_attr >> 16 == 0o100755


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "zip"])
def test_tar_when_written_then_members_are_those_of_signac(tree, kind):
    write("x.tar", kind, tree)
    with tarfile.open("x.tar", f"r:{kind[4:]}") as tar:
        kinds = {info.name: info.type for info in tar}
    assert kinds == {
        "a/1": tarfile.DIRTYPE,
        f"a/1/{SP}": tarfile.REGTYPE,
        "a/1/ln": tarfile.SYMTYPE,
        "a/1/run.sh": tarfile.REGTYPE,
        "a/1/sub": tarfile.DIRTYPE,
        "a/1/sub/data": tarfile.REGTYPE,
        "a/1/sub/empty": tarfile.DIRTYPE,
        "a/1/sub/same": tarfile.REGTYPE,
    }


def test_archive_when_the_job_has_no_path_then_names_begin_with_a_dot(tree):
    write("x.tar", "tar", tree, "")
    write("x.zip", "zip", tree, "")
    with tarfile.open("x.tar") as tar:
        assert tar.getnames()[:2] == [".", f"./{SP}"]
    with zipfile.ZipFile("x.zip") as file:
        assert f"./{SP}" in file.namelist()


def test_tar_when_links_lead_out_of_the_job_then_their_content_is_stored(tree, tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "big").write_text("shared")
    (tree / "absolute").symlink_to(tmp_path / "input" / "big")
    (tree / "up").symlink_to("../input")
    (tree / "nowhere").symlink_to("missing")
    write("x.tar", "tar", tree)
    unpack("x.tar", "a/1", "copy")
    assert Path("copy/absolute").read_text() == Path("copy/up/big").read_text() == "shared"
    assert not Path("copy/absolute").is_symlink()
    assert os.readlink("copy/nowhere") == "missing"


@pytest.mark.parametrize("kind", KINDS)
def test_archive_when_the_job_has_no_state_point_file_then_it_gets_one(tree, kind):
    (tree / SP).unlink()
    write("x", kind, tree)
    unpack("x", "a/1", "copy")
    assert Path("copy", SP).read_text() == '{"a": 1}'
    assert stat.S_IMODE(os.stat(Path("copy", SP)).st_mode) == 0o666 & ~current_umask()


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("what", ["pipe", "device"])
def test_archive_when_a_job_cannot_be_stored_then_the_old_archive_stays(tree, kind, what):
    if what == "pipe":
        os.mkfifo(tree / "sub" / "pipe")
    else:
        (tree / "sub" / "device").symlink_to("/dev/null")
    Path("x").write_text("old")
    with pytest.raises(OSError) as caught:  # noqa: PT011  # which one depends on what
        write("x", kind, tree)
    assert os.path.basename(caught.value.filename) == what
    assert Path("x").read_text() == "old"
    assert os.listdir() == ["x"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("rehearsed", [False, True])
def test_archive_when_links_cannot_be_stored_then_told_and_left_out(tree, tmp_path, kind, rehearsed):
    (tree / "restart").symlink_to("/nowhere")
    (tree / "sub" / "out").symlink_to("../../nowhere")
    (tree / "sub" / "loop").symlink_to(tmp_path / "job")
    told: list[tuple[str, str]] = []
    with packing.create("x", kind) as writer:
        if rehearsed:
            writer = packing.rehearsal(kind)
        packing.add_directory(
            writer, str(tree), "a/1", StatePointFile(b"{}", None, {}), left_out=lambda *link: told.append(link)
        )
    assert sorted((os.path.relpath(path, tree), reason) for path, reason in told) == [
        ("restart", "it points nowhere"),
        ("sub/loop", "it leads back to a directory above it"),
        ("sub/out", "it points nowhere"),
    ]
    with open_archive("x") as reader:
        names = {member.name for member in reader.members()}
    assert not names & {"a/1/restart", "a/1/sub/out", "a/1/sub/loop"}
    assert ("a/1/sub/data" in names) is not rehearsed


@pytest.mark.parametrize("kind", KINDS)
def test_archive_when_links_within_the_job_cannot_be_followed_then_they_are_links_again(tree, kind):
    (tree / "gone").symlink_to("missing")
    (tree / "self").symlink_to("self")
    (tree / "sub" / "up").symlink_to("..")
    write("x", kind, tree)
    assert unpack("x", "a/1", "copy") == ["a/1"]
    assert [os.readlink(Path("copy", name)) for name in ("gone", "self", "sub/up")] == ["missing", "self", ".."]
    assert Path("copy/ln").read_bytes() == (tree / "sub/data").read_bytes()
    assert Path("copy/ln").is_symlink() == (kind != "zip")  # others would make a file of the text of the link


def test_zip_when_a_link_within_the_job_leads_to_a_directory_then_its_content_is_stored(tree):
    (tree / "last").symlink_to("sub")
    write("x", "zip", tree)
    unpack("x", "a/1", "copy")
    assert Path("copy/last/data").read_bytes() == (tree / "sub/data").read_bytes()
    assert not Path("copy/last").is_symlink()


def test_tar_when_a_link_has_two_names_then_both_are_links(tree):
    os.link(tree / "ln", tree / "ln2", follow_symlinks=False)
    write("x", "tar", tree)
    unpack("x", "a/1", "copy")
    assert os.readlink("copy/ln") == os.readlink("copy/ln2") == "sub/data"


def test_tar_when_a_followed_directory_holds_links_then_those_of_the_job_are_not_meant(tree, tmp_path):
    (tmp_path / "input" / "set").mkdir(parents=True)
    (tmp_path / "input" / "big").write_text("shared")
    (tmp_path / "input" / "set" / "up").symlink_to("../big")
    (tree / "set").symlink_to(tmp_path / "input" / "set")
    write("x", "tar", tree)
    unpack("x", "a/1", "copy")
    assert Path("copy/set/up").read_text() == "shared"


@pytest.mark.parametrize("name", ["é" * 118 + ".zip", "é" * 118 + ".tar.gz", "x" * 251 + ".tar"])
def test_archive_when_its_name_is_long_then_written(tree, name):
    write(name, packing.archive_format(name) or "", tree)
    assert os.listdir() == [name]
    assert unpack(name, "a/1", "copy") == ["a/1"]


@pytest.mark.parametrize("what", ["file", "directory", "link", "path"])
def test_zip_when_a_name_is_not_utf_8_then_the_error_names_it(tree, what):
    name = os.fsdecode(b"bad\xff")
    if what == "file":
        (tree / name).write_text("x")
    elif what == "directory":
        (tree / name).mkdir()
    elif what == "link":
        (tree / name).symlink_to("missing")
    path = name if what == "path" else "a"
    for writer in (packing.rehearsal("zip"), None):
        with pytest.raises(ArchiveError, match="bad.*which is not UTF-8"), packing.create("x.zip", "zip") as real:
            packing.add_directory(writer or real, str(tree), path, StatePointFile(b"{}", None, {}))
        assert os.listdir() == []
    write("x.tar", "tar", tree, path)
    unpack("x.tar", path, "copy")
    assert what == "path" or name in os.listdir("copy")


@pytest.mark.parametrize("kind", KINDS)
def test_archive_when_interrupted_then_the_old_one_stays(tree, kind):
    Path("x").write_text("old")
    with pytest.raises(KeyboardInterrupt), packing.create("x", kind) as writer:
        packing.add_directory(writer, str(tree), "a", StatePointFile(b"{}", None, {}))
        raise KeyboardInterrupt
    assert Path("x").read_text() == "old"
    assert os.listdir() == ["x"]


def test_archive_when_its_directory_is_missing_then_the_error_names_the_archive():
    with pytest.raises(FileNotFoundError) as caught, packing.create("missing/x.zip", "zip"):
        pass
    assert caught.value.filename == "missing/x.zip"


def test_zip_when_a_file_is_older_than_zip_then_it_is_stored(tree):
    os.utime(tree / "run.sh", (0, 0))
    write("x.zip", "zip", tree)
    assert unpack("x.zip", "a/1", "copy")


def test_archive_when_created_then_the_umask_decides_its_mode(tree):
    old = os.umask(0o027)
    try:
        write("x.zip", "zip", tree)
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat("x.zip").st_mode) == 0o640


# --- in --------------------------------------------------------------------------------------------------------------


def test_scan_when_read_then_it_knows_state_points_and_directories():
    make_tar("x", (f"./a/1/{SP}", b"{}"), ("a/1/", tarfile.DIRTYPE), ("a/1", tarfile.DIRTYPE), ("b/c/d", b"x"))
    with open_archive("x") as reader:
        contents = unpacking.scan(reader)
    assert contents.state_points == {"a/1": b"{}"}
    assert contents.directories == {"a/1", "b/c"}
    assert [member.name for member in contents.members] == [f"a/1/{SP}", "a/1", "b/c/d"]


def test_extract_when_jobs_alternate_then_each_comes_when_it_is_whole():
    make_tar("x", *((name, b"data") for name in ("a/1", "b/1", "a/2", "c/1", "b/2", "ab/1")))
    with open_archive("x") as reader:
        found = unpacking.extract(reader, unpacking.scan(reader), {"a": "A", "b": "B"})
        assert next(found) == "a"
        assert sorted(os.listdir()) == ["A", "B", "x"]
        assert os.listdir("B") == ["1"]
        assert list(found) == ["b"]
    assert sorted(os.listdir("A")) == sorted(os.listdir("B")) == ["1", "2"]


def test_tar_when_a_member_is_a_second_name_then_it_becomes_a_file_of_its_own():
    make_tar("x", ("a/1", b"content"), ("b/1", (tarfile.LNKTYPE, "a/1")))
    assert unpack("x", "b", "copy") == ["b"]
    assert Path("copy/1").read_bytes() == b"content"
    assert os.stat("copy/1").st_nlink == 1


def test_archive_when_its_kind_is_told_then_the_content_decides(tree):
    write("zip.tar", "zip", tree)
    write("tar.zip", "tar:gz", tree)
    (tree / "inner.zip").write_bytes(Path("zip.tar").read_bytes())
    (tree / "zz_last.zip").write_bytes(Path("zip.tar").read_bytes())
    write("ends_like_zip", "tar", tree)
    for name in ("zip.tar", "tar.zip", "ends_like_zip"):
        with open_archive(name) as reader:
            assert unpacking.scan(reader).state_points == {"a/1": b'{"a": 1}'}


@pytest.mark.parametrize("content", [b"", b"text", b"PK", bytes(range(1, 256)) * 8])
def test_archive_when_it_is_none_then_error(content):
    Path("x").write_bytes(content)
    with pytest.raises(ArchiveError, match="Unknown file type: 'x'"), open_archive("x"):
        pass


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_archive_when_cut_short_then_error(tree, kind, part):
    (tree / "noise").write_bytes(os.urandom(300_000))
    write("x", kind, tree)
    content = Path("x").read_bytes()
    Path("x").write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ArchiveError):
        unpack("x", "a/1", "copy")


@pytest.mark.parametrize("kind", ["zip", "tar:gz", "tar:bz2", "tar:xz"])
def test_archive_when_a_byte_is_wrong_then_error(tree, kind):
    (tree / "noise").write_bytes(os.urandom(300_000))
    write("x", kind, tree)
    content = bytearray(Path("x").read_bytes())
    content[len(content) // 2] ^= 0x55
    Path("x").write_bytes(content)
    with pytest.raises(ArchiveError, match="'x' is damaged|Unknown file type"):
        unpack("x", "a/1", "copy")


def test_archive_when_writing_fails_then_the_error_is_not_about_the_archive(tree, monkeypatch):
    write("x", "tar", tree)
    monkeypatch.setattr(os, "symlink", _fail)
    with pytest.raises(OSError, match="No space left"):
        unpack("x", "a/1", "copy")


def _fail(*args: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# --- hostile archives ------------------------------------------------------------------------------------------------

HOSTILE_NAMES = ["/etc/x", "../x", "a/../../x", "a/..", "..", "a/1/../../../x"]


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Make sure that the working directory and the one above stay as they are."""
    before = sorted(map(str, Path("..").rglob("*")))
    yield
    assert sorted(map(str, Path("..").rglob("*"))) == before


def assert_refused(path: str, message: str, roots: dict[str, str] | None = None) -> None:
    with nothing_changes(), pytest.raises(ArchiveError, match=message) as caught, open_archive(path) as reader:
        list(unpacking.extract(reader, unpacking.scan(reader), roots or {"": "copy"}))
    assert path in str(caught.value)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_tar_when_a_name_leads_out_then_refused(name):
    assert_refused(make_tar("x", ("a/1", b"fine"), (name, b"evil")), "leads out of the archive")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_zip_when_a_name_leads_out_then_refused(name):
    assert_refused(make_zip("x", ("a/1", b"fine"), (name, b"evil")), "leads out of the archive")


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a", "/etc"),
        ("a", ".."),
        ("a/b", "../.."),
        ("a/b/c", "../../../x"),
        ("a", "b/../../x"),
        ("a", "b/.."),
        ("a", "./../x"),
        ("a", ""),
    ],
)
def test_tar_when_a_link_leads_out_then_left_out(name, target):
    path = make_tar("x", ("f", b"fine"), (name, (tarfile.SYMTYPE, target)))
    assert_left_out(path, name, {"": "copy"})


def assert_left_out(path: str, name: str, roots: dict[str, str], others: Sequence[str] = ()) -> None:
    told: list[tuple[str, str]] = []
    with open_archive(path) as reader:
        contents = unpacking.scan(reader)
        with nothing_changes():
            unpacking.rehearse(reader, contents, roots, lambda *link: told.append(link))
        assert told == [(f"{path}/{name}", "it leads out of its job")]
        with pytest.warns(UserWarning, match="leads out of its job"):
            assert list(unpacking.extract(reader, contents, roots)) == sorted(roots)
    links = [str(found) for root in roots.values() for found in Path(root).rglob("*") if found.is_symlink()]
    assert links == list(others)
    assert [found for root in roots.values() for found in Path(root).rglob("f")]


def test_tar_when_a_link_leads_to_another_job_then_left_out():
    path = make_tar("x", ("a/1/f", b"x"), ("a/2/ln", (tarfile.SYMTYPE, "../1/f")))
    assert_left_out(path, "a/2/ln", {"a/1": "one", "a/2": "two"})


def test_tar_when_a_link_takes_the_place_of_the_state_point_then_refused():
    path = make_tar("x", ("a/f", b"{}"), (f"a/{SP}", (tarfile.SYMTYPE, "f")))
    assert_refused(path, "in the place of a state point", {"a": "copy"})


@pytest.mark.parametrize("first", [(tarfile.SYMTYPE, "d"), b"a file"])
@pytest.mark.parametrize("reverse", [False, True])
def test_tar_when_a_member_passes_through_a_link_or_a_file_then_refused(first, reverse):
    members = [("a", first), ("a/b/c", b"evil")]
    assert_refused(make_tar("x", *(reversed(members) if reverse else members)), "lies below 'a', which is no directory")


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "later", "dir"])
def test_tar_when_a_second_name_has_no_first_one_then_refused(target):
    members = [("dir", tarfile.DIRTYPE), ("a", (tarfile.LNKTYPE, target)), ("later", b"x")]
    assert_refused(make_tar("x", *members), "leads out|no file before it")


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_tar_when_a_member_is_a_device_then_refused(kind):
    assert_refused(make_tar("x", ("a/dev", kind)), "is a device or a pipe")


def test_archive_when_a_file_is_there_twice_then_refused():
    assert_refused(make_tar("x", ("a/f", b"1"), ("./a//f", b"2")), "is there twice")
    with pytest.warns(UserWarning, match="Duplicate name"):
        make_zip("y", ("a/f", b"1"), ("a/f", b"2"))
    assert_refused("y", "is there twice")
    assert_refused(make_tar("z", ("a", b"1"), ("a", tarfile.DIRTYPE)), "is there twice")


def zip_member(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize("target", [b"/etc", b"../../x", b"x/../../y", b"bad\0"])
def test_zip_when_a_link_leads_out_then_left_out(target):
    path = make_zip("x", ("a/f", b"fine"), (zip_member("a/ln", stat.S_IFLNK), target))
    assert_left_out(path, "a/ln", {"a": "copy"})


def test_zip_when_a_member_is_a_device_then_refused():
    assert_refused(make_zip("x", (zip_member("a/dev", stat.S_IFCHR), b"")), "is a device")


@pytest.mark.parametrize("size", [0, 5000, 1_000_000])
def test_zip_when_a_link_is_no_name_then_refused(size):
    assert_refused(make_zip("x", (zip_member("a/ln", stat.S_IFLNK), b"x" * size)), f"a name of {size} bytes")


def test_archive_when_the_file_system_has_no_links_then_they_are_left_out(monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    make_tar("x", ("a/f", b"fine"), ("a/ln", (tarfile.SYMTYPE, "f")))
    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.warns(UserWarning, match="x/a/ln' is left out: the file system has no links"):
        assert unpack("x", "a", "copy") == ["a"]
    assert os.listdir("copy") == ["f"]


def test_tar_when_a_member_is_a_second_name_of_a_link_then_it_is_a_link_to_the_same():
    make_tar("x", ("a/f", b""), ("a/ln", (tarfile.SYMTYPE, "f")), ("a/same", (tarfile.LNKTYPE, "a/ln")))
    unpack("x", "a", "copy")
    assert os.readlink("copy/same") == "f"
    path = make_tar("y", ("a/f", b""), ("a/d/ln", (tarfile.SYMTYPE, "../f")), ("a/same", (tarfile.LNKTYPE, "a/d/ln")))
    assert_left_out(path, "a/same", {"a": "copy2"}, others=["copy2/d/ln"])


@pytest.mark.parametrize("reverse", [False, True])
def test_zip_when_a_member_passes_through_a_link_then_refused(reverse):
    members: list[Any] = [(zip_member("a", stat.S_IFLNK), b"d"), ("a/b/c", b"evil")]
    assert_refused(make_zip("x", *(reversed(members) if reverse else members)), "lies below 'a', which is no directory")


def test_zip_when_a_link_takes_the_place_of_the_state_point_then_refused():
    path = make_zip("x", ("a/f", b"{}"), (zip_member(f"a/{SP}", stat.S_IFLNK), b"f"))
    assert_refused(path, "in the place of a state point", {"a": "copy"})


def test_zip_when_a_member_is_encrypted_then_refused():
    make_zip("x", ("a/f", b"secret"))
    content = Path("x").read_bytes()
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.index(signature) + offset
        content = content[:position] + b"\x01" + content[position + 1 :]
    Path("x").write_bytes(content)
    assert_refused("x", "is encrypted")


@pytest.mark.parametrize("kind", ["zip", "tar:gz", "tar:xz"])
def test_archive_when_it_grows_beyond_measure_then_refused_before_it_is_unpacked(tmp_path, kind):
    root = tmp_path / "job"
    root.mkdir()
    (root / "zeros").write_bytes(bytes(5_000_000))
    write("x", kind, root)
    limits = unpacking.Limits(size=1_000_000, ratio=100)
    with nothing_changes(), pytest.raises(ArchiveError, match="makes it grow to 5"), open_archive("x") as reader:
        unpacking.scan(reader, limits)
    with open_archive("x") as reader:
        assert unpacking.scan(reader).members


def test_archive_when_many_members_are_one_file_then_each_counts():
    make_tar("x", ("f", bytes(100_000)), *((f"g{i}", (tarfile.LNKTYPE, "f")) for i in range(100)))
    with pytest.raises(ArchiveError, match="makes it grow"), open_archive("x") as reader:
        unpacking.scan(reader, unpacking.Limits(size=1_000_000, ratio=1))


def test_tar_when_endless_zeros_follow_then_refused(tmp_path):
    with gzip.open("x", "wb") as file:
        file.write(Path(make_tar("y", ("a/f", b"x"))).read_bytes() + bytes(3_000_000))
    with pytest.raises(ArchiveError, match="after its members"), open_archive("x") as reader:
        unpacking.scan(reader, unpacking.Limits(size=1_000_000, ratio=1))


def test_archive_when_a_state_point_is_huge_then_refused():
    make_tar("x", (f"a/{SP}", bytes(2000)))
    with pytest.raises(ArchiveError, match="is no state point"), open_archive("x") as reader:
        unpacking.scan(reader, unpacking.Limits(state_point=1000))


def test_extract_when_there_is_no_room_then_nothing_is_written(monkeypatch):
    make_tar("x", ("a/f", bytes(2000)))
    room = os.statvfs(".")
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((*room[:4], 0, *room[5:])))
    with nothing_changes(), pytest.raises(OSError, match="no room for the 2000 bytes"):
        unpack("x", "a", "copy")


def test_extract_when_times_are_impossible_then_the_file_is_unpacked():
    with tarfile.open("x", "w") as tar:
        info = tarfile.TarInfo("a/f")
        info.pax_headers = {"mtime": "1e300"}
        tar.addfile(info, io.BytesIO())
    assert unpack("x", "a", "copy") == ["a"]


def test_archive_when_the_name_of_a_member_is_said_to_be_huge_then_refused_before_it_is_read():
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    Path("x").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    with pytest.raises(ArchiveError, match="the description of a member takes more than"), open_archive("x") as reader:
        unpacking.scan(reader)


@pytest.mark.parametrize("name", ["a/" * 1000 + "f", "x" * 5000, "x/" * 300 + "f"])
def test_archive_when_a_name_is_too_long_or_too_deep_then_refused(name):
    make_tar("x", (name, b""))
    with nothing_changes(), pytest.raises(ArchiveError, match="has a name of"), open_archive("x") as reader:
        unpacking.scan(reader)


@pytest.mark.parametrize("limits", [{"overhead": 1500}, {"names": 15}, {"state_points": 3}])
def test_archive_when_there_is_too_much_of_something_then_refused(limits):
    make_tar("x", *((f"a/b{number}/{SP}", b"{}") for number in range(4)))
    with open_archive("x") as reader:
        assert len(unpacking.scan(reader, unpacking.Limits(ratio=0)).members) == 4
    with pytest.raises(ArchiveError, match="is refused"), open_archive("x") as reader:
        unpacking.scan(reader, unpacking.Limits(ratio=0, **limits))


# --- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [(0o600, 0o600), (0o444, 0o444), (0o750, 0o750), (0o666, 0o644), (0o777, 0o755), (0o7755, 0o755), (0o2, 0o400)],
)
def test_extract_when_members_have_permissions_then_others_never_get_to_write(kind, given, expected, umask):
    if kind == "tar":
        info = tarfile.TarInfo("a/f")
        info.mode = given
        with tarfile.open("x", "w") as tar:
            tar.addfile(info)
    else:
        member = zipfile.ZipInfo("a/f")
        member.external_attr = (stat.S_IFREG | given) << 16
        with zipfile.ZipFile("x", "w") as file:
            file.writestr(member, b"")
    old = os.umask(umask)
    try:
        unpack("x", "a", "copy")
    finally:
        os.umask(old)
    if umask == 0o002:
        expected |= given & 0o020  # the group may have what new files have
    assert stat.S_IMODE(os.stat("copy/f").st_mode) == expected


@pytest.mark.parametrize(("given", "expected"), [(0o700, 0o700), (0o7750, 0o750), (0o777, 0o755), (0, 0o700)])
def test_extract_when_directories_have_permissions_then_their_owner_can_delete_what_is_in_them(given, expected):
    with tarfile.open("x", "w") as tar:
        for name in ("a", "a/b", "a/b/f"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = (tarfile.DIRTYPE, given) if len(name) < 4 else (tarfile.REGTYPE, 0o644)
            tar.addfile(info)
    unpack("x", "a", "copy")
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in ("copy", "copy/b", "copy/b/f")] == [expected] * 2 + [0o644]


@pytest.mark.parametrize(("attributes", "expected"), [(0o600 << 16, 0o600), (0x20, None)])
def test_zip_when_it_has_permissions_but_no_types_or_neither_then_what_there_is_counts(attributes, expected):
    member = zipfile.ZipInfo("a/f")
    member.external_attr = attributes
    with zipfile.ZipFile("x", "w") as file:
        file.writestr(member, b"")
    unpack("x", "a", "copy")
    assert stat.S_IMODE(os.stat("copy/f").st_mode) == (expected or 0o666 & ~current_umask())


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archive_when_it_is_replaced_then_it_keeps_its_mode(tree, kind):
    write("x", kind, tree)
    os.chmod("x", 0o600)
    write("x", kind, tree)
    assert stat.S_IMODE(os.stat("x").st_mode) == 0o600
