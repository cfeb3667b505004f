"""A copy is ours, whoever the source belongs to."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project
from signac_core.exchange import copying
from signac_core.job import Job

GIVEN_TO_USER = 12001


@pytest.fixture
def job(project: Project) -> Job:
    job = project.open_job({"a": 1}).init()
    Path(job.fn("tool")).write_text("#!/bin/sh")
    Path(job.fn("sub")).mkdir()
    return job


def bring(job: Job, how: str) -> str:
    """Copy a job in one of the ways there are; return the path of the copy."""
    if how == "clone":
        return Project.init_project("other").clone(job).path
    if how == "export":
        job.project.export_to("out", path="a/{a}")
        return "out/a/1"
    if how == "move":
        copying.move_by_copy(job.path, "moved", name=job.id, state_point=b'{"a": 1}')
        return "moved"
    other = Project.init_project("other")
    other.import_from(job.path)
    return other.open_job(id=job.id).path


WAYS = ["clone", "export", "import", "move"]


@pytest.mark.parametrize("how", WAYS)
def test_a_copy_when_the_source_has_other_bits_then_gets_permissions_alone(job: Job, how: str) -> None:
    os.chmod(job.fn("tool"), 0o6751)
    os.chmod(job.fn("sub"), 0o3770)
    copy = bring(job, how)
    assert stat.S_IMODE(os.stat(f"{copy}/tool").st_mode) == 0o751
    assert stat.S_IMODE(os.stat(f"{copy}/sub").st_mode) == 0o770


def test_a_copy_when_the_directory_above_hands_its_group_down_then_gets_the_bit_from_there(job: Job) -> None:
    other = Project.init_project("other")
    os.chmod(other.workspace, 0o2775)
    copy = other.clone(job)
    assert os.stat(copy.path).st_mode & stat.S_ISGID
    assert os.stat(copy.fn("sub")).st_mode & stat.S_ISGID


def access_list(group: int, mask: int) -> bytes:
    """An access control list that lets another user do everything."""
    entries = [(0x01, 7, -1), (0x02, 7, GIVEN_TO_USER), (0x04, group, -1), (0x10, mask, -1), (0x20, 5, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)


def set_attribute(path: str, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            pytest.skip(f"the file system has no {name.partition('.')[0]} attributes")
        raise


@pytest.mark.parametrize("how", WAYS)
def test_a_copy_when_the_source_has_an_access_control_list_then_does_not_get_it(job: Job, how: str) -> None:
    for path in (job.path, job.fn("sub"), job.fn("tool")):
        set_attribute(path, "system.posix_acl_access", access_list(group=5, mask=7))
    set_attribute(job.path, "system.posix_acl_default", access_list(group=5, mask=7))
    set_attribute(job.fn("tool"), "user.origin", b"here")
    assert stat.S_IMODE(os.stat(job.fn("sub")).st_mode) == 0o775
    copy = bring(job, how)
    for path in (copy, f"{copy}/sub", f"{copy}/tool"):
        assert [name for name in os.listxattr(path) if name.startswith("system.")] == []
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o755
    assert os.getxattr(f"{copy}/tool", "user.origin") == b"here"


def test_a_move_by_copy_when_deleting_fails_in_the_end_then_the_job_has_moved(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, **options: Any) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    with monkeypatch.context() as patch:
        patch.setattr(copying.files, "delete_tree", refuse)
        copying.move_by_copy(job.path, "moved", name=job.id, state_point=b'{"a": 1}')
    assert job not in job.project
    assert sorted(os.listdir("moved")) == ["signac_statepoint.json", "sub", "tool"]


@pytest.mark.parametrize("destination", ["the same place", "a link to it"])
def test_a_move_by_copy_when_the_destination_is_the_source_then_nothing_is_deleted(job: Job, destination: str) -> None:
    target = job.path
    if destination == "a link to it":
        target = "link"
        os.symlink(job.path, target)
    before = sorted(os.listdir(job.path))
    with pytest.raises(FileExistsError):
        copying.move_by_copy(job.path, target, name=job.id, state_point=b'{"a": 1}')
    assert sorted(os.listdir(job.path)) == before


def test_a_move_by_copy_when_an_empty_directory_waits_then_it_is_replaced(job: Job) -> None:
    os.mkdir("moved")
    copying.move_by_copy(job.path, "moved", name=job.id, state_point=b'{"a": 1}')
    assert (len(job.project), len(os.listdir("moved"))) == (0, 3)


def test_a_move_by_copy_when_it_is_interrupted_then_leaves_nothing(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(copying, "_difference", interrupt)
    before = sorted(os.listdir())
    with contextlib.suppress(KeyboardInterrupt):
        copying.move_by_copy(job.path, "moved", name=job.id, state_point=b'{"a": 1}')
    assert job in job.project
    assert sorted(os.listdir()) == before
