"""The promises about single operations, at every system call: killed, failing, beside another process."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Harness, Result

from signac_core import Project, layout
from signac_core.canonical import calc_id

SETUP = """
import signac_core
from signac_core import Project, buffered, jsondict, statepoint, transfer, document, workspace
project = None
"""
OLD, NEW = {"a": 1}, {"a": 2}
OLD_ID, NEW_ID = calc_id(OLD), calc_id(NEW)


def empty_project(directory: Path) -> None:
    Project.init_project(directory)


def project_with_a_job(directory: Path) -> None:
    job = Project.init_project(directory).open_job(OLD).init()
    job.doc.update({"kept": [1, 2], "n": {"x": 1}})
    Path(job.fn("data.txt")).write_text("data")
    Path(job.path, "sub").mkdir()
    Path(job.fn("sub/more.txt")).write_text("more")


def two_projects(directory: Path) -> None:
    project_with_a_job(directory)
    Project.init_project(directory / "other")


def visible(workspace: Path) -> list[str]:
    return sorted(name for name in os.listdir(workspace) if not name.startswith("."))


def assert_whole(project: Path, job_id: str) -> dict[str, Any]:
    """A job that is listed is whole; return its document."""
    job = Project(project).open_job(id=job_id)
    assert calc_id(job.sp()) == job_id
    assert Path(job.fn("data.txt")).read_text() == "data"
    assert Path(job.fn("sub/more.txt")).read_text() == "more"
    document: dict[str, Any] = job.doc()
    return document


# what must hold after an operation was stopped or failed, whatever the call -----------------------------------------


def check_init(directory: Path, result: Result) -> None:
    names = visible(directory / "workspace")
    assert names == ([OLD_ID] if result.completed else names)
    project = Project(directory)
    for name in names:
        assert project.open_job(id=name).sp() == OLD
    project.open_job(OLD).init()
    assert visible(directory / "workspace") == [OLD_ID]
    assert [job.sp() for job in Project(directory).find_jobs({"a": 1})] == [OLD]


def check_document(directory: Path, result: Result) -> None:
    document = assert_whole(directory, OLD_ID)
    old = {"kept": [1, 2], "n": {"x": 1}}
    new = {"kept": [1, 2], "n": {"x": 1, "y": 2}}
    assert document == new if result.completed else document in (old, new)
    job = Project(directory).open_job(OLD)
    job.doc.n["y"] = 2
    assert json.loads(Path(job.fn(job.FN_DOCUMENT)).read_text()) == new


def check_state_point_change(directory: Path, result: Result) -> None:
    names = visible(directory / "workspace")
    assert len(names) == 1
    assert names == [NEW_ID] if result.completed else names[0] in (OLD_ID, NEW_ID)
    assert assert_whole(directory, names[0]) == {"kept": [1, 2], "n": {"x": 1}}
    assert [job.id for job in Project(directory).find_jobs({"a.$exists": True})] == names
    job = Project(directory).open_job(id=names[0])
    job.doc["after"] = 1
    job.sp.b = 3
    assert visible(directory / "workspace") == [job.id]
    assert Project(directory).open_job(id=job.id).sp() == {"a": 1 if names == [OLD_ID] else 2, "b": 3}
    assert not os.path.exists(job.fn(layout.pending_name(names[0])))
    assert assert_whole(directory, job.id) == {"kept": [1, 2], "n": {"x": 1}, "after": 1}


def check_remove(directory: Path, result: Result) -> None:
    names = visible(directory / "workspace")
    assert names == [] if result.completed else names in ([], [OLD_ID])
    if names:
        assert assert_whole(directory, OLD_ID) == {"kept": [1, 2], "n": {"x": 1}}
    project = Project(directory)
    project.open_job(OLD).remove()
    assert visible(directory / "workspace") == []
    project.open_job(OLD).init()
    assert Project(directory).open_job(OLD).doc() == {}


def check_clear(directory: Path, result: Result) -> None:
    job = Project(directory).open_job(id=OLD_ID)
    assert job.sp() == OLD
    assert job.doc() in ({"kept": [1, 2], "n": {"x": 1}}, {})
    for name, content in (("data.txt", "data"), ("sub/more.txt", "more")):
        assert not os.path.exists(job.fn(name)) or Path(job.fn(name)).read_text() == content
    job.clear()
    assert sorted(os.listdir(job.path)) == ["signac_job_document.json", "signac_statepoint.json"]


def check_move(directory: Path, result: Result) -> None:
    here, there = visible(directory / "workspace"), visible(directory / "other" / "workspace")
    assert sorted(here + there) == [OLD_ID]
    assert there == [OLD_ID] if result.completed else True
    assert assert_whole(directory if here else directory / "other", OLD_ID) == {"kept": [1, 2], "n": {"x": 1}}


def check_clone(directory: Path, result: Result) -> None:
    assert assert_whole(directory, OLD_ID) == {"kept": [1, 2], "n": {"x": 1}}
    there = visible(directory / "other" / "workspace")
    assert there == [OLD_ID] if result.completed else there in ([], [OLD_ID])
    if there:
        assert assert_whole(directory / "other", OLD_ID) == {"kept": [1, 2], "n": {"x": 1}}


def check_project(directory: Path, result: Result) -> None:
    if result.completed or os.path.exists(directory / ".signac" / "config"):
        assert len(Project(directory)) == 0
    assert len(Project.init_project(directory)) == 0


OPERATIONS: dict[str, tuple[str, Callable[[Path], object], Callable[[Path, Result], None]]] = {
    "init project": ("Project.init_project()", lambda directory: None, check_project),
    "init": ("Project().open_job({'a': 1}).init()", empty_project, check_init),
    "document": ("Project().open_job({'a': 1}).doc.n['y'] = 2", project_with_a_job, check_document),
    "document from the shell": (
        "document.edit_document(Project(), project_id, set={'n.y': 2})".replace("project_id", repr(OLD_ID)),
        project_with_a_job,
        check_document,
    ),
    "buffered document": (
        "job = Project().open_job({'a': 1})\nwith buffered():\n    job.doc.n['y'] = 2",
        project_with_a_job,
        check_document,
    ),
    "state point": ("Project().open_job({'a': 1}).sp.a = 2", project_with_a_job, check_state_point_change),
    "remove": ("Project().open_job({'a': 1}).remove()", project_with_a_job, check_remove),
    "clear": ("Project().open_job({'a': 1}).clear()", project_with_a_job, check_clear),
    "move": ("Project().open_job({'a': 1}).move(Project('other'))", two_projects, check_move),
    "clone": ("Project('other').clone(Project().open_job({'a': 1}))", two_projects, check_clone),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_every_system_call_the_promise_holds(harness: Harness, name: str) -> None:
    operation, prepare, check = OPERATIONS[name]
    assert harness.every_kill_point(operation, prepare, check, setup=SETUP) > 3


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("name", OPERATIONS)
def test_failing_at_every_system_call_the_promise_holds_and_the_error_is_one_of_the_system(
    harness: Harness, name: str, code: int
) -> None:
    operation, prepare, check = OPERATIONS[name]

    def check_error_too(directory: Path, result: Result) -> None:
        if not result.completed:
            last_line = result.stderr.strip().splitlines()[-1]
            assert any(kind in last_line for kind in ("Error", "JobsCorruptedError")), result.stderr
        check(directory, result)

    assert harness.every_fail_point(operation, prepare, check_error_too, errno=code, setup=SETUP) > 3


@pytest.mark.parametrize("name", ["init", "document", "state point", "init project"])
def test_short_writes_are_completed(harness: Harness, name: str) -> None:
    operation, prepare, check = OPERATIONS[name]
    assert harness.every_short_point(operation, prepare, check, setup=SETUP) >= 1


# two processes, every interleaving ------------------------------------------------------------------------------------


def both_finished(first: Result, second: Result) -> None:
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr


def test_two_creators_of_one_job_both_succeed(harness: Harness) -> None:
    create = "Project().open_job({'a': 1}).init()"

    def check(directory: Path, first: Result, second: Result) -> None:
        both_finished(first, second)
        assert os.listdir(directory / "workspace") == [OLD_ID]
        assert Project(directory).open_job(id=OLD_ID).sp() == OLD

    assert harness.every_interleaving(create, create, empty_project, check, setup=SETUP) > 3


def test_a_creator_beside_one_that_makes_the_directory_first_both_succeed(harness: Harness) -> None:
    create = "Project().open_job({'a': 1}).init()"
    foreign = f"""
import os
os.makedirs('workspace/{OLD_ID}', exist_ok=True)
with open('workspace/{OLD_ID}/._x', 'w') as file:
    file.write('{{"a": 1}}')
os.replace('workspace/{OLD_ID}/._x', 'workspace/{OLD_ID}/signac_statepoint.json')
"""

    def check(directory: Path, first: Result, second: Result) -> None:
        both_finished(first, second)
        assert os.listdir(directory / "workspace") == [OLD_ID]
        assert Project(directory).open_job(id=OLD_ID).sp() == OLD

    for pair in ((create, foreign), (foreign, create)):
        assert harness.every_interleaving(*pair, empty_project, check, setup=SETUP) > 3


def test_two_writers_of_one_document_lose_nothing(harness: Harness) -> None:
    def check(directory: Path, first: Result, second: Result) -> None:
        both_finished(first, second)
        assert assert_whole(directory, OLD_ID) == {"kept": [1, 2, 3], "n": {"x": 1, "first": 1, "second": 2}}

    write = "d = Project().open_job({'a': 1}).doc\n"
    first = write + "d.n['first'] = 1"
    second = write + "d.n['second'] = 2\nd.kept.append(3)"
    assert harness.every_interleaving(first, second, project_with_a_job, check, setup=SETUP) > 3


def test_of_two_state_point_changes_one_wins_and_the_other_is_told(harness: Harness) -> None:
    def change(value: int) -> str:
        return (
            "try:\n"
            f"    Project().open_job(id={OLD_ID!r}).sp.a = {value}\n"
            "    print('won')\n"
            "except (FileNotFoundError, KeyError, signac_core.errors.JobsCorruptedError) as error:\n"
            "    print('told', error)\n"
        )

    def check(directory: Path, first: Result, second: Result) -> None:
        names = visible(directory / "workspace")
        assert len(names) == 1
        assert assert_whole(directory, names[0]) == {"kept": [1, 2], "n": {"x": 1}}
        both_finished(first, second)
        winners = [result.stdout == "won\n" for result in (first, second)]
        assert sorted(winners) == [False, True], first.stdout + second.stdout
        assert names[0] == (calc_id({"a": 2}) if winners[0] else calc_id({"a": 3}))

    assert harness.every_interleaving(change(2), change(3), project_with_a_job, check, setup=SETUP) > 3


def test_a_document_write_beside_a_state_point_change_is_kept_or_refused(harness: Harness) -> None:
    def check(directory: Path, first: Result, second: Result) -> None:
        assert visible(directory / "workspace") == [NEW_ID]
        document = assert_whole(directory, NEW_ID)
        assert second.returncode == 0, second.stderr
        if first.returncode == 0:
            assert document == {"kept": [1, 2], "n": {"x": 1}, "w": 1}
        else:
            assert "has gone" in first.stderr or "KeyError" in first.stderr  # it came too late even to open the job
            assert document == {"kept": [1, 2], "n": {"x": 1}}

    write = "Project().open_job({'a': 1}).document['w'] = 1".replace("open_job({'a': 1})", f"open_job(id={OLD_ID!r})")
    change = f"Project().open_job(id={OLD_ID!r}).sp.a = 2"
    assert harness.every_interleaving(write, change, project_with_a_job, check, setup=SETUP) > 3


QUERY = """
p = Project()
ids = [job.id for job in p.find_jobs({'a.$exists': True})]
assert len(ids) == len(set(ids)) <= 1, ids
assert len(p.find_jobs({'$not': {'doc.kept': 7}})) <= 1
assert len(p) <= 1
"""


@pytest.mark.parametrize("name", ["init", "document", "state point", "remove", "move", "clear"])
def test_queries_beside_a_change_never_fail_and_show_a_job_once(harness: Harness, name: str) -> None:
    operation, prepare, _ = OPERATIONS[name]

    def check(directory: Path, first: Result, second: Result) -> None:
        both_finished(first, second)

    for pair in ((operation, QUERY), (QUERY, operation)):
        assert harness.every_interleaving(*pair, prepare, check, setup=SETUP) > 3


def test_two_removals_both_succeed(harness: Harness) -> None:
    remove = "Project().open_job({'a': 1}).remove()"

    def check(directory: Path, first: Result, second: Result) -> None:
        both_finished(first, second)
        assert os.listdir(directory / "workspace") == []

    assert harness.every_interleaving(remove, remove, project_with_a_job, check, setup=SETUP) > 3
