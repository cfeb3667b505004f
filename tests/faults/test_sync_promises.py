"""What a synchronization promises when files vanish or the disk is full, and beside a writer of the same document."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, layout
from signac_core.canonical import calc_id
from signac_core.sync import DocSync
from signac_core.sync.plan import is_leftover
from signac_core.sync.strategies import FileSync
from tests.faults.harness import Harness, Result

SETUP = """
import signac_core
from signac_core import Project, lifecycle, stamps, sync, workspace
from signac_core.documents import buffer, store, views
from signac_core.exchange import moving
from signac_core.survey import schema
from signac_core.sync import DocSync, FileSync
"""
SYNC = """
Project('destination').sync(
    Project('source'), FileSync.always, doc_sync=DocSync.ByKey(lambda key: True), recursive=True, check_schema=False{}
)
"""
BOTH, NEW = calc_id({"a": 0}), calc_id({"a": 1})
SOURCE, DESTINATION = "source" * 3, "destination" * 3
OLD_DOCUMENT = {"n": {"x": 0, "y": 0}}
MERGED_DOCUMENT = {"n": {"x": 1, "y": 0}, "k": 1}


def two_projects(directory: Path) -> None:
    source, destination = (Project.init_project(directory / name) for name in ("source", "destination"))
    source.doc.p = 1
    for a in (0, 1):
        job = source.open_job({"a": a}).init()
        job.doc.update({"n": {"x": 1}, "k": 1})
        for name in ("new", "differs", "sub/new", "common/new"):
            Path(job.fn(name)).parent.mkdir(exist_ok=True)
            Path(job.fn(name)).write_text(SOURCE)
    job = destination.open_job({"a": 0}).init()
    job.doc.update(OLD_DOCUMENT)
    Path(job.fn("differs")).write_text(DESTINATION)
    Path(job.fn("common")).mkdir()


def files_below(path: str) -> dict[str, str]:
    """Content of the files below a job directory, unfinished ones excepted."""
    return {
        os.path.relpath(os.path.join(directory, name), path): Path(directory, name).read_text()
        for directory, _, names in os.walk(path)
        for name in names
        if not is_leftover(name)
    }


def finished(job_id: str) -> dict[str, str]:
    document = MERGED_DOCUMENT if job_id == BOTH else {"n": {"x": 1}, "k": 1}
    files = dict.fromkeys(["new", "differs", "sub/new", "common/new"], SOURCE)
    state_point = {"a": 0 if job_id == BOTH else 1}
    return files | {layout.FN_DOCUMENT: json.dumps(document), layout.FN_STATE_POINT: json.dumps(state_point)}


def check(directory: Path, result: Result) -> None:
    """Each file is old or new, a new job there whole or not at all, and another run finishes the work."""
    source, destination = Project(directory / "source"), Project(directory / "destination")
    old = {
        "differs": DESTINATION,
        layout.FN_DOCUMENT: json.dumps(OLD_DOCUMENT),
        layout.FN_STATE_POINT: '{"a": 0}',
    }
    new = finished(BOTH)
    found = files_below(destination.open_job(id=BOTH).path)
    assert set(old) <= set(found) <= set(new)
    for name, content in found.items():
        assert content in (old.get(name), new[name])
    ids = [job.id for job in destination]
    assert ids in ([BOTH], sorted([BOTH, NEW]))
    if NEW in ids:
        assert files_below(destination.open_job(id=NEW).path) == finished(NEW)
    if result.completed:
        assert ids == sorted([BOTH, NEW])
    destination.sync(
        source, FileSync.always, doc_sync=DocSync.ByKey(lambda key: True), recursive=True, check_schema=False
    )
    assert {job.id: files_below(job.path) for job in destination} == {job: finished(job) for job in (BOTH, NEW)}
    assert destination.doc() == {"p": 1}
    assert {job.id: len(files_below(job.path)) for job in source} == {BOTH: 6, NEW: 6}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.ENOENT], ids=errno.errorcode.get)
def test_sync_failing_at_every_system_call_then_each_file_whole_and_finished_by_another_run(
    harness: Harness, code: int
) -> None:
    def check_error_too(directory: Path, result: Result) -> None:
        if not result.completed:
            assert "Error" in result.error
            if code == errno.ENOSPC:
                assert not [name for _, _, names in os.walk(directory) for name in names if is_leftover(name)]
        if code != errno.ENOENT or not result.completed:
            check(directory, result)

    assert harness.every_fail_point(SYNC.format(""), two_projects, check_error_too, errno=code, setup=SETUP) > 50


def test_dry_run_when_traced_then_nothing_is_written(harness: Harness, tmp_path: Path) -> None:
    two_projects(tmp_path)
    calls = harness.count_calls(SYNC.format(", dry_run=True"), tmp_path, setup=SETUP)
    writing = {"mkdir", "rename", "unlink", "write", "symlink", "link", "chmod", "fchmod", "rmdir", "truncate"}
    assert not writing & set(calls)


def test_sync_beside_a_writer_of_the_same_document_loses_nothing(harness: Harness) -> None:
    def both_kept(directory: Path, first: Result, second: Result) -> None:
        assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
        document: dict[str, Any] = Project(directory / "destination").open_job({"a": 0}).doc()
        assert document == {"n": {"x": 1, "y": 0, "z": 3}, "k": 1}

    write = "Project('destination').open_job({'a': 0}).doc.n.z = 3"
    job = "Project('destination').open_job({'a': 0})"
    other = "Project('source').open_job({'a': 0})"
    merge = f"{job}.sync({other}, FileSync.never, doc_sync=DocSync.ByKey(lambda key: True))"
    for pair in ((merge, write), (write, merge)):
        assert harness.every_interleaving(*pair, two_projects, both_kept, setup=SETUP) > 3
