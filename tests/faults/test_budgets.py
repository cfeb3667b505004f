"""System calls on the project's files: the numbers are promises."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from signac_core import Project
from tests.faults.syscalls import SystemCall, trace_snippet

SETUP = """
import os, time
from signac_core import Project, catalog, cursor, filterparse, lifecycle, locks, mounts, query, stamps
from signac_core.documents import editing, statepoint, store, views
import json
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    project = Project.init_project(tmp_path / "project")
    job = project.open_job({"a": 1, "b": [1, 2]}).init()
    job.doc.update({f"key{i}": i for i in range(20)})
    return tmp_path / "project"


def names(calls: list[SystemCall]) -> list[str]:
    return [call.name for call in calls]


def test_init_of_a_new_job_takes_six_calls(root: Path) -> None:
    setup = SETUP + "project = Project(); job = project.open_job({'c': 1})"
    calls = trace_snippet("job.init()", root, setup=setup)
    assert names(calls) == ["open", "mkdir", "open", "write", "close", "rename"]


def test_init_of_an_existing_job_takes_three_calls(root: Path) -> None:
    setup = SETUP + "project = Project(); job = project.open_job({'b': [1, 2], 'a': 1})"
    calls = trace_snippet("job.init()", root, setup=setup)
    assert names(calls) == ["open", "read", "close"]


def test_opening_by_id_and_reading_the_state_point_takes_four_calls(root: Path) -> None:
    setup = SETUP + "project = Project(); job_id = os.listdir('workspace')[0]"
    calls = trace_snippet("project.open_job(id=job_id).sp", root, setup=setup)
    assert names(calls) == ["stat", "open", "read", "close"]


def test_reading_a_settled_unchanged_document_takes_one_call_per_access(root: Path) -> None:
    later = "stamps.time_ns = lambda: time.time_ns() + 10**15\n"
    setup = SETUP + later + "doc = next(iter(Project())).doc; doc()"
    calls = trace_snippet("doc.key1; doc['key2']; len(doc); 'x' in doc; doc()", root, setup=setup)
    assert names(calls) == ["stat"] * 5


def test_reading_a_document_that_has_changed_today_takes_one_call_per_access_once_settled(root: Path) -> None:
    later = "stamps.time_ns = lambda: time.time_ns() + 10**10\nclock = stamps.monotonic_ns\n"
    setup = SETUP + later + "doc = next(iter(Project())).doc; doc()\n"
    setup += "stamps.monotonic_ns = lambda: clock() + 2 * 10**9"
    calls = trace_snippet("doc.key1; doc['key2']; len(doc); 'x' in doc", root, setup=setup)
    assert names(calls) == ["stat", "open", "fstat", "read", "close"][1:] + ["stat"] * 3


def test_writing_one_key_takes_thirteen_calls_with_lock_and_unlock(root: Path) -> None:
    setup = SETUP + "doc = next(iter(Project())).doc"
    calls = trace_snippet("doc.key1 = -1", root, setup=setup)
    assert names(calls) == (
        ["open", "flock", "fstat"]
        + ["open", "fstat", "read", "close"]
        + ["open", "write", "close", "rename"]
        + ["flock", "close"]
    )


NETWORK = {"open", "stat", "mkdir", "rename", "unlink", "rmdir", "flock", "getdents", "readlink"}
"""What a file server is asked; it is told of what is closed, too, but nobody waits for an answer that matters."""


def test_writing_again_and_again_takes_five_calls_that_a_network_sees(root: Path) -> None:
    setup = SETUP + "locks._LATELY = 1e9; doc = next(iter(Project())).doc; doc.key1 = -1; doc.key1 = -2"
    calls = trace_snippet("doc.key1 = -3", root, setup=setup)
    assert names(calls) == (
        ["fstat", "flock", "fstat"]
        + ["open", "fstat", "read", "close"]
        + ["open", "write", "fstat", "close", "rename"]
        + ["flock"]
    )
    assert [name for name in names(calls) if name in NETWORK] == ["flock", "open", "open", "rename", "flock"]


def test_updating_several_keys_again_takes_as_many_calls_as_one_key(root: Path) -> None:
    setup = SETUP + "locks._LATELY = 1e9; doc = next(iter(Project())).doc; doc.key1 = -1; doc.key1 = -2"
    calls = trace_snippet("doc.update({f'key{i}': -i for i in range(20)})", root, setup=setup)
    assert [name for name in names(calls) if name in NETWORK] == ["flock", "open", "open", "rename", "flock"]


def test_writing_again_after_somebody_else_has_takes_one_look_more(root: Path) -> None:
    setup = SETUP + "locks._LATELY = 1e9; doc = next(iter(Project())).doc; doc.key1 = -1; doc.key1 = -2\n"
    setup += "next(iter(Project())).doc.key2 = -2"
    calls = trace_snippet("doc.key1 = -3", root, setup=setup)
    assert [name for name in names(calls) if name in NETWORK] == ["flock", "open", "stat", "open", "rename", "flock"]


def test_removing_a_job_takes_twelve_calls_when_the_last_two_held_the_same_files(root: Path) -> None:
    project = Project(root)
    for i in range(3):
        job = project.open_job({"i": i}).init()
        job.doc.x = i
        Path(job.fn("data.txt")).touch()
    setup = SETUP + "jobs = [Project().open_job({'i': i}) for i in range(3)]\n"
    first = trace_snippet("jobs[2].remove()", root, setup=setup)
    assert [name for name in names(first) if name in NETWORK] == (
        ["open", "open", "flock", "rename", "unlink"] + ["getdents"] * 2 + ["unlink"] * 2 + ["rmdir"]
    )
    job = project.open_job({"i": 2}).init()
    job.doc.x = 2
    Path(job.fn("data.txt")).touch()
    calls = trace_snippet("jobs[2].remove()", root, setup=setup + "jobs[0].remove(); jobs[1].remove()")
    assert names(calls) == (
        ["open", "open", "flock", "fstat", "rename", "unlink", "fstat", "close"] + ["unlink"] * 2 + ["rmdir", "close"]
    )


def test_moving_a_job_takes_fifteen_calls(root: Path) -> None:
    Project.init_project(root / "other")
    setup = SETUP + "from signac_core.exchange import moving\nother = Project('other'); job = next(iter(Project()))"
    calls = trace_snippet("job.move(other)", root, setup=setup)
    assert names(calls) == (
        ["stat", "lstat", "lstat"]  # whether there is a job, here and there, and whether it is a link
        + ["open", "flock", "fstat", "rename"]
        + ["lstat", "read", "open", "write", "close", "rename"]
        + ["flock", "close"]
    )


def test_looking_for_a_file_takes_one_call(root: Path) -> None:
    calls = trace_snippet("job.isfile('log.txt')", root, setup=SETUP + "job = next(iter(Project()))")
    assert names(calls) == ["stat"]


def test_flushing_buffered_documents_takes_thirteen_calls_each(root: Path) -> None:
    setup = SETUP + "import signac_core; from signac_core.documents import buffer\ndoc = next(iter(Project())).doc\n"
    calls = trace_snippet("with signac_core.buffered(): doc.key1 = -1", root, setup=setup)
    assert names(calls)[:4] == ["open", "fstat", "read", "close"]
    assert len(calls) == 4 + 13


def test_writing_one_key_of_a_private_document_takes_one_call_more(root: Path) -> None:
    (document,) = (root / "workspace").glob("*/signac_job_document.json")
    document.chmod(0o600)
    setup = SETUP + "doc = next(iter(Project())).doc"
    calls = trace_snippet("doc.key1 = -1", root, setup=setup)
    assert len(calls) == 14
    assert document.stat().st_mode & 0o777 == 0o600


def test_writing_the_first_key_takes_ten_calls(root: Path) -> None:
    Project(root).open_job({"c": 1}).init()
    setup = SETUP + "doc = Project().open_job({'c': 1}).doc"
    calls = trace_snippet("doc.key1 = -1", root, setup=setup)
    assert names(calls) == ["open", "flock", "fstat", "open", "open", "write", "close", "rename", "flock", "close"]


def test_setting_several_keys_at_once_takes_one_write(root: Path) -> None:
    setup = SETUP + "project = Project(); job_id = os.listdir('workspace')[0]"
    calls = trace_snippet("editing.edit_document(project.space, job_id, set={'x.y': 1, 'z': 2})", root, setup=setup)
    assert len(calls) == 13


def test_opening_a_project_takes_four_calls(root: Path) -> None:
    calls = trace_snippet("Project.get_project()", root, setup=SETUP)
    assert names(calls) == ["open", "read", "close", "stat"]


def test_a_query_takes_three_calls_per_job_and_none_when_asked_again(root: Path) -> None:
    project = Project(root)
    for i in range(10):
        project.open_job({"i": i}).init()
    setup = SETUP + "project = Project()"
    calls = trace_snippet("assert len(project.find_jobs({'i': 3})) == 1", root, setup=setup)
    per_job = [call for call in calls if "signac_statepoint.json" in call.path]
    assert names(per_job) == ["open", "read", "close"] * 11
    again = setup + "\nlen(project.find_jobs({'i': 3}))"
    calls = trace_snippet("assert len(project.find_jobs({'i.$gt': 3})) == 6", root, setup=again)
    assert [call for call in calls if "signac_statepoint.json" in call.path] == []


def test_listing_takes_no_call_per_job_and_one_per_link(root: Path) -> None:
    project = Project(root)
    for i in range(10):
        project.open_job({"i": i}).init()
    Path(project.workspace, "notes.txt").write_text("")
    setup = SETUP + "project = Project()"

    def calls_on_entries() -> list[str]:
        calls = trace_snippet("assert len(project) == 11", root, setup=setup)
        return [f"{call.name} {call.path}" for call in calls if call.path.startswith("workspace/")]

    assert calls_on_entries() == []
    Path(project.workspace, "0" * 32).symlink_to("nowhere")
    assert calls_on_entries() == ["stat workspace/" + "0" * 32]


COPY = (
    ["open", "fstat", "read", "close"]  # the state point
    + ["stat", "mkdir"]
    + ["open", "fstat", "getdents", "getdents", "close"]
    + ["open", "fstat", "open", "read", "write", "utime", "close", "close"]  # the document
    + ["open", "write", "utime", "close", "rename"]
)
"""What a copy of a job with a state point and a document takes: six more than its bytes and its place alone."""


def test_cloning_a_job_of_two_files_takes_25_calls(root: Path) -> None:
    Project.init_project(root / "other")
    setup = SETUP + "from signac_core.exchange import copying, duplicating, moving\n"
    setup += "other = Project('other'); job = next(iter(Project())); job.sp()"
    assert names(trace_snippet("other.clone(job)", root, setup=setup)) == ["lstat", *COPY]


EXPORT = "project.export_to('out', path='{job.id}')"
IMPORT = "other.import_from('workspace')"
CHECK = "list(integrity.examine(project.space))"


@pytest.mark.parametrize(("snippet", "number"), [(EXPORT, 24), (IMPORT, 30), (CHECK, 11)])
def test_exporting_importing_and_checking_a_job_of_two_files_take_so_many_calls(
    root: Path, snippet: str, number: int
) -> None:
    project, other = Project(root), Project.init_project(root / "other")
    setup = SETUP + "from signac_core.care import integrity\nproject, other = Project(), Project('other')\n"
    setup += "project.check()\nlist(map(project.space.read, os.listdir('workspace')))"
    taken = []
    for first in (0, 4):
        for c in range(first, first + 4):
            project.open_job({"c": c}).init().doc.x = 1
        taken.append(len(trace_snippet(snippet, root, setup=setup)))
        for directory in (root / "out", Path(other.workspace)):
            shutil.rmtree(directory, ignore_errors=True)
        Path(other.workspace).mkdir()
    assert taken[1] - taken[0] == 4 * number


HDF5 = (
    SETUP
    + """
import h5py, numpy
from signac_core.hdf5 import manager, store, values
job = next(iter(Project()))
data, other, another = job.data, job.fn("other.h5"), job.fn("another.h5")
with h5py.File(other, "w") as file: file["x"] = 1.5
data["x"] = 1.0
data["x"] = 1.5
"""
)


@pytest.mark.parametrize(
    ("ours", "plain"),
    [
        ("data['new'] = 2.5", "with h5py.File(other, 'a') as file: file['new'] = 2.5"),
        ("data['x'] = 2.5", "with h5py.File(other, 'a') as file: file.pop('x'); file['x'] = 2.5"),
        ("data['x']", "with h5py.File(other, 'r') as file: file['x'][()]"),
        ("'x' in data; next(iter(data))", "for _ in range(2):\n  with h5py.File(other, 'r') as file: list(file)"),
        (
            "with data: data['b'] = data['c'] = numpy.arange(1000.0)",
            "with h5py.File(other, 'a') as file: file['b'] = file['c'] = numpy.arange(1000.0)",
        ),
        ("job.stores.new['x'] = 1.5", "with h5py.File(another, 'a') as file: file['x'] = 1.5"),
    ],
    ids=["write", "overwrite", "read", "look", "with", "create"],
)
def test_hdf5_takes_no_more_calls_than_h5py_alone(root: Path, ours: str, plain: str) -> None:
    calls, floor = (names(trace_snippet(snippet, root, setup=HDF5)) for snippet in (ours, plain))
    assert 0 < len(calls) <= len(floor)
