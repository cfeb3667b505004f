"""Headers that this library writes by itself are what tarfile makes of them."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from signac_core.exchange import tarheader


def written(header: tarfile.TarInfo, data: bytes = b"") -> tarfile.TarInfo:
    """The header after it has been written and read again."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(header, io.BytesIO(data))
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as archive:
        (member,) = archive.getmembers()
        if member.isreg():
            content = archive.extractfile(member)
            assert content is not None
            assert content.read() == data
        return member


FIELDS = ("name", "size", "mtime", "mode", "uid", "gid", "uname", "gname", "type", "linkname")


@pytest.mark.parametrize(
    "name", ["a", "a/0/data.txt", "x" * 100, "y" * 101, "z/" * 200 + "z", "\u00e4", "\udc80", "a b\n"]
)
@pytest.mark.parametrize("mtime", [0.0, 1.0, 1795399545.3251166, -1.5, 1e-9, 2.0**40])
def test_header_when_written_then_reads_as_that_of_tarfile(tmp_path: Path, name: str, mtime: float) -> None:
    source = tmp_path / "data"
    source.write_bytes(b"12345")
    for path in (source, tmp_path):
        ours = tarheader.describe(name, os.stat(path))
        with tarfile.open(fileobj=io.BytesIO(), mode="w") as archive:
            theirs = archive.gettarinfo(path, name)
        ours.mtime = theirs.mtime = mtime
        data = b"12345" if ours.isreg() else b""
        result, expected = written(ours, data), written(theirs, data)
        assert [getattr(result, field) for field in FIELDS] == [getattr(expected, field) for field in FIELDS]
        assert result.pax_headers == expected.pax_headers


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uid", 8**7),
        ("uid", 2**40),
        ("gid", 8**7 - 1),
        ("uname", "\u00e4"),
        ("gname", "g" * 40),
        ("mode", 0o750),
        ("mode", 0),
    ],
)
def test_header_when_a_field_is_unusual_then_reads_as_that_of_tarfile(field: str, value: object) -> None:
    ours, theirs = tarheader.describe("a"), tarfile.TarInfo("a")
    theirs.mtime = ours.mtime
    for header in (ours, theirs):
        setattr(header, field, value)
    result, expected = written(ours), written(theirs)
    assert [getattr(result, field) for field in FIELDS] == [getattr(expected, field) for field in FIELDS]


def test_header_when_the_time_is_exact_then_the_other_programs_see_it(tmp_path: Path) -> None:
    header = tarheader.describe("a")
    header.mtime = 1795399545.25
    file = tmp_path / "a.tar"
    with tarfile.open(file, "w") as archive:
        archive.addfile(header)
    assert b" mtime=1795399545.25\n" in file.read_bytes()[512:1024]
    with tarfile.open(file) as archive:
        assert archive.getmembers()[0].pax_headers == {"mtime": "1795399545.25"}


def test_header_when_a_file_runs_as_its_owner_then_the_archive_does_not_say_so(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("")
    os.chmod(tmp_path / "tool", 0o6751)
    assert written(tarheader.describe("tool", os.stat(tmp_path / "tool"))).mode == 0o751


@pytest.mark.parametrize("name", ["a", "a/0/data.txt", "x" * 99, "x" * 100, "y" * 101, "\u00e4"])
@pytest.mark.parametrize("mtime", [1.0, 1795399545.3251166, -1.5])
def test_usual_header_when_there_is_one_then_it_is_that_of_the_description(
    tmp_path: Path, name: str, mtime: float
) -> None:
    (tmp_path / "data").write_bytes(b"12345")
    for path in (tmp_path / "data", tmp_path):
        os.utime(path, (mtime, mtime))
        status = os.stat(path)
        description = tarheader.describe(name, status)
        header = tarheader.usual_header(name, status, description.size)
        is_usual = mtime >= 0 and name.isascii() and len(name) + path.is_dir() <= 100
        assert header == (description.tobuf() if is_usual else None)
