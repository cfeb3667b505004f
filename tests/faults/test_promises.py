"""The promises about two processes at once: every interleaving of their system calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, layout
from signac_core.canonical import calc_id
from tests.faults.harness import Harness, Result

SETUP = """
import signac_core
from signac_core import Project, buffered, lifecycle, stamps, workspace
from signac_core.documents import statepoint, store, views
from signac_core.exchange import moving
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


OPERATIONS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "init": ("Project().open_job({'a': 1}).init()", empty_project),
    "document": ("Project().open_job({'a': 1}).doc.n['y'] = 2", project_with_a_job),
    "state point": ("Project().open_job({'a': 1}).sp.a = 2", project_with_a_job),
    "remove": ("Project().open_job({'a': 1}).remove()", project_with_a_job),
    "clear": ("Project().open_job({'a': 1}).clear()", project_with_a_job),
    "move": ("Project().open_job({'a': 1}).move(Project('other'))", two_projects),
}
"""What is done beside queries, and what it starts from."""


def test_job_whose_state_point_change_was_killed_goes_on_as_the_old_or_the_new_one(harness: Harness) -> None:
    def check(directory: Path, result: Result) -> None:
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

    change = OPERATIONS["state point"][0]
    assert harness.every_kill_point(change, project_with_a_job, check, setup=SETUP) > 3


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


AGAIN = "d = Project().open_job({'a': 1}).doc\nfor n in range(3):\n    d['before'] = n\n"
"""A writer that keeps what it keeps from one write to the next."""


def test_two_writers_of_one_document_that_write_again_lose_nothing(harness: Harness) -> None:
    def check(directory: Path, first: Result, second: Result) -> None:
        both_finished(first, second)
        assert assert_whole(directory, OLD_ID) == {
            "kept": [1, 2, 3],
            "before": 2,
            "n": {"x": 1, "first": 1, "second": 2},
        }

    first = AGAIN + "d.n['first'] = 1\nd.kept.append(3)"
    second = AGAIN.replace("for n in range(3):", "d.n['second'] = 2\nfor n in range(3):")
    assert harness.every_interleaving(first, second, project_with_a_job, check, setup=SETUP) > 40


MADE_ANEW = {
    "remove": "Project().open_job({'a': 1}).remove()",
    "state point": f"Project().open_job(id={OLD_ID!r}).sp.a = 2",
    "move": "Project().open_job({'a': 1}).move(Project('other'))",
}
"""What another process does to a job, under its lock, before it creates another one of the same id."""


@pytest.mark.parametrize("name", MADE_ANEW)
def test_a_writer_that_writes_again_beside_a_job_made_anew_writes_to_the_old_or_the_new_one(
    harness: Harness, name: str
) -> None:
    def check(directory: Path, first: Result, second: Result) -> None:
        assert second.returncode == 0, second.stderr
        new = Project(directory).open_job(id=OLD_ID).doc()
        assert new["theirs"] == 1
        assert set(new) <= {"theirs", "before", "ours", "seed"}  # nothing of the old job
        if first.returncode == 0:
            old = [job for place in (directory, directory / "other") for job in Project(place)]
            assert name == "remove" or any(job.doc.get("ours") == 1 for job in old)
        else:
            assert "has gone" in first.stderr

    write = AGAIN + "d['ours'] = 1"
    anew = MADE_ANEW[name] + "\nProject().open_job({'a': 1}).init().doc.theirs = 1"
    assert harness.every_interleaving(write, anew, two_projects, check, setup=SETUP) > 40


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


@pytest.mark.parametrize("name", OPERATIONS)
def test_queries_beside_a_change_never_fail_and_show_a_job_once(harness: Harness, name: str) -> None:
    operation, prepare = OPERATIONS[name]

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
