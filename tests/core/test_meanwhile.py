"""What another process does in the middle of an operation, and what the file system does not want to tell."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, files, layout, lifecycle, workspace
from signac_core.care import integrity, litter
from signac_core.errors import JobsCorruptedError
from signac_core.exchange import copying
from signac_core.job import Job
from signac_core.project import imported_apart
from signac_core.sync import plan, work
from signac_core.sync.strategies import FileSync


@pytest.fixture
def job(project: Project) -> Job:
    job = project.open_job({"a": 1}).init()
    Path(job.fn("data.txt")).write_text("data")
    job.doc.x = 1
    return job


@pytest.fixture
def other() -> Project:
    return Project.init_project("other")


def mute(monkeypatch: pytest.MonkeyPatch, path: str, *names: str) -> None:
    """Let the file system fail when it is asked about a path."""

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(asked: Any, *arguments: Any, **options: Any) -> Any:
            if asked == path:
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
            return function(asked, *arguments, **options)

        return call

    for name in names:
        monkeypatch.setattr(os, name, failing(getattr(os, name)))


# what cannot be found out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        lambda job: job in job.project,
        lambda job: job.project.open_job(id=job.id),
        lambda job: job.project.clone(job),
        lambda job: job.move(job.project),
        lambda job: Project(job.project.path).open_job({"a": 1}).init(validate_statepoint=False),
    ],
    ids=["in", "open_job", "clone", "move", "init"],
)
def test_a_job_that_cannot_be_asked_for_is_not_taken_for_absent(
    job: Job, question: Callable[[Job], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    mute(monkeypatch, job.path, "stat")
    with pytest.raises(OSError, match="Input/output error") as failed:
        question(job)
    assert failed.value.errno == errno.EIO


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "nothing/below"])
def test_what_cannot_exist_does_not(project: Project, name: str) -> None:
    assert f"{'0' * 32}{name}" not in [job.id for job in project]
    with pytest.raises(KeyError):
        project.open_job(id="0" * 32 + name)


def test_check_when_a_directory_cannot_be_asked_for_then_there_is_a_problem(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.unlink(job.fn(layout.FN_STATE_POINT))
    project = Project(job.project.path)
    mute(monkeypatch, job.path, "stat", "lstat")
    assert [problem.kind for problem in integrity.examine(project.space)] == ["missing-state-point"]
    with pytest.raises(JobsCorruptedError):
        project.check()


# jobs that go and come back -------------------------------------------------------------------------------------------


def test_a_job_that_is_away_while_it_is_read_and_comes_back_is_not_damaged(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(job.fn(layout.FN_STATE_POINT)).read_bytes()
    os.unlink(job.fn(layout.FN_STATE_POINT))
    look = workspace._find_state_point
    looks = []

    def come_back_as_another(directory: int, job_id: str) -> dict[str, Any] | None:
        looks.append(job_id)
        if len(looks) == 1:  # another directory takes the place of this one
            os.rename(job.path, job.path + "-away")
            os.mkdir(job.path)
            Path(job.fn(layout.FN_STATE_POINT)).write_bytes(text)
        return look(directory, job_id)

    monkeypatch.setattr(workspace, "_find_state_point", come_back_as_another)
    assert workspace.read_state_point(job.path, job.id) == {"a": 1}
    assert len(looks) == 2


def test_a_job_that_is_moved_while_it_is_read_is_read_where_it_is(
    job: Job, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.rename(job.fn(layout.FN_STATE_POINT), job.fn(layout.pending_name(job.id)))
    look = workspace._find_state_point

    def move_away(directory: int, job_id: str) -> dict[str, Any] | None:
        os.rename(job.path, os.path.join(other.workspace, job_id))
        return look(directory, job_id)

    monkeypatch.setattr(workspace, "_find_state_point", move_away)
    assert workspace.read_state_point(job.path, job.id) == {"a": 1}


def test_a_damaged_job_at_rest_is_looked_into_once(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(job.fn(layout.FN_STATE_POINT)).write_text("{")
    look = workspace._find_state_point
    looks = []
    monkeypatch.setattr(workspace, "_find_state_point", lambda *asked: looks.append(asked) or look(*asked))
    with pytest.raises(JobsCorruptedError):
        workspace.read_state_point(job.path, job.id)
    assert len(looks) == 1


def test_a_job_that_is_never_at_rest_is_given_up_in_the_end(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    os.unlink(job.fn(layout.FN_STATE_POINT))

    def replace(directory: int, job_id: str) -> None:
        shutil.rmtree(job.path)
        os.mkdir(job.path)

    monkeypatch.setattr(workspace, "_find_state_point", replace)
    with pytest.raises(JobsCorruptedError):
        workspace.read_state_point(job.path, job.id)


@pytest.mark.parametrize(
    "write",
    [
        lambda job, project: project.open_job({"new": 1}).init(),
        lambda job, project: project.clone(job),
        lambda job, project: job.move(project),
        lambda job, project: project.import_from(job.project.workspace),
        lambda job, project: project.import_from(job.project.workspace, sync=True),
        lambda job, project: project.temporary_project().__enter__(),
    ],
    ids=["init", "clone", "move", "import_from", "import_from_sync", "temporary_project"],
)
def test_a_workspace_that_became_a_link_to_nowhere_is_named_with_its_target(
    job: Job, other: Project, write: Callable[[Job, Project], object]
) -> None:
    os.rmdir(other.workspace)
    os.symlink("/scratch/gone", other.workspace)
    with pytest.raises(FileExistsError, match="link to '/scratch/gone', where no directory is") as failed:
        write(job, other)
    assert failed.value.filename == other.workspace
    assert job in job.project


# copies of jobs that go away ------------------------------------------------------------------------------------------


def synchronize(job: Job, other: Project) -> None:
    other.sync(job.project, FileSync.always, recursive=True, check_schema=False)


def during_the_plan(monkeypatch: pytest.MonkeyPatch, events: list[Callable[[], object]]) -> list[plan.Step]:
    """Let an event happen before the first file of each plan; the steps that were planned."""
    make_plan = plan.plan
    steps: list[plan.Step] = []

    def eventful(*arguments: Any, **options: Any) -> Iterator[plan.Step]:
        ahead = events[:1]
        del events[:1]
        for step in make_plan(*arguments, **options):
            if step.kind == "copy" and ahead:
                ahead.pop()()
            steps.append(step)
            yield step

    monkeypatch.setattr(work.plan, "plan", eventful)
    return steps


def test_sync_when_a_job_goes_away_halfway_then_there_is_no_half_copy(
    job: Job, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(job.fn("zzz.txt")).write_text("last")
    during_the_plan(monkeypatch, [lambda: os.rename(job.path, "elsewhere")])
    synchronize(job, other)
    assert os.listdir(other.workspace) == []


def test_sync_when_a_job_goes_away_and_comes_back_then_the_copy_is_whole(
    job: Job, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out = plan.carry_out
    trips = []

    def on_a_trip(step: plan.Step, *arguments: Any, **options: Any) -> bool:
        if step.path == "data.txt" and not trips:
            trips.append(step)
            os.rename(job.path, "elsewhere")
            try:
                return carry_out(step, *arguments, **options)
            finally:
                os.rename("elsewhere", job.path)
        return carry_out(step, *arguments, **options)

    monkeypatch.setattr(plan, "carry_out", on_a_trip)
    synchronize(job, other)
    assert len(trips) == 1
    copy = other.open_job(id=job.id)
    assert sorted(os.listdir(copy.path)) == sorted(os.listdir(job.path))
    assert copy.doc() == {"x": 1}


def test_sync_when_a_file_is_deleted_halfway_then_the_copy_is_that_of_what_is_left(
    job: Job, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(job.fn("zzz.txt")).write_text("last")
    during_the_plan(monkeypatch, [lambda: os.unlink(job.fn("zzz.txt"))])
    synchronize(job, other)
    assert sorted(os.listdir(other.open_job(id=job.id).path)) == sorted(os.listdir(job.path))


def test_sync_when_every_copy_meets_a_file_that_has_gone_then_it_fails_and_leaves_nothing(
    job: Job, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("u", "v", "w"):
        Path(job.fn(name)).write_text("short-lived")
    during_the_plan(monkeypatch, [lambda name=name: os.unlink(job.fn(name)) for name in ("w", "v", "u")])
    with pytest.raises(FileNotFoundError):
        synchronize(job, other)
    assert os.listdir(other.workspace) == []


# what is left behind --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index", "index.delta", "index.documents", "statepoint_cache.json.gz", "config"])
def test_litter_when_the_writer_of_a_derived_file_was_stopped_then_it_is_found(
    project: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = os.path.join(project.path, ".signac", f"._0123456789abcdef_{name}")
    Path(left).touch()
    assert list(litter.in_project(project.path)) == []
    later = litter._now() + 2 * litter.STALE_SECONDS
    monkeypatch.setattr(litter, "_now", lambda: later)
    assert list(litter.in_project(project.path)) == [left]


def test_litter_when_the_index_is_in_another_place_then_that_of_this_project_is_found_there(
    project: Project, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core.config import index_path

    os.mkdir("indexes")
    monkeypatch.setenv("SIGNAC_CACHE_DIR", "indexes")
    ours, theirs = (
        os.path.join("indexes", "._0123456789abcdef_" + os.path.basename(index_path(one.path, "index")))
        for one in (project, other)
    )
    for left in (ours, theirs):
        Path(left).touch()
    later = litter._now() + 2 * litter.STALE_SECONDS
    monkeypatch.setattr(litter, "_now", lambda: later)
    assert list(litter.in_project(project.path)) == [ours]


def test_import_with_synchronization_when_stopped_then_what_is_left_is_known_as_litter(project: Project) -> None:
    os.makedirs("data/a_1")
    with imported_apart(project, "data", schema="a_{a:int}") as (temporary, _):
        name = os.path.basename(temporary.path)
        assert os.path.dirname(temporary.path) == project.workspace
        assert name.startswith(layout.PREFIX_NEW)
    assert os.listdir(project.workspace) == []


def test_sync_tree_when_there_are_links_then_they_are_passed_over() -> None:
    os.mkdir("tree")
    os.symlink("nowhere", "tree/link")
    Path("tree/file").touch()
    copying.sync_tree("tree")
    assert sorted(os.listdir("tree")) == ["file", "link"]


# where locks exclude nobody -------------------------------------------------------------------------------------------


def after_the_rename(monkeypatch: pytest.MonkeyPatch, job: Job, event: Callable[[str], object]) -> None:
    """Let something happen between the rename of a job directory and that of its new state point file."""
    rename = os.rename

    def eventful(source: str, destination: str) -> None:
        rename(source, destination)
        if source == job.path:
            event(destination)

    monkeypatch.setattr(os, "rename", eventful)


def test_state_point_change_when_another_has_done_the_last_step_then_it_is_done(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(directory: str) -> None:
        monkeypatch.undo()
        assert lifecycle.finish_state_point_change(directory, os.path.basename(directory))

    after_the_rename(monkeypatch, job, finish)
    job.sp.a = 2
    assert [(job.sp(), job.doc()) for job in Project(job.project.path)] == [({"a": 2}, {"x": 1})]


def test_state_point_change_when_another_takes_the_new_file_away_then_it_is_written_again(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_away(directory: str) -> None:
        monkeypatch.undo()
        os.unlink(os.path.join(directory, layout.pending_name(os.path.basename(directory))))

    after_the_rename(monkeypatch, job, take_away)
    job.sp.a = 2
    assert [(job.sp(), job.doc()) for job in Project(job.project.path)] == [({"a": 2}, {"x": 1})]
    Project(job.project.path).check()


def test_state_point_change_when_another_changes_it_at_once_then_both_are_done(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(directory: str) -> None:
        monkeypatch.undo()
        monkeypatch.setattr(lifecycle, "lock", lambda directory: nullcontext())
        Project(job.project.path).open_job(id=os.path.basename(directory)).sp.a = 3

    after_the_rename(monkeypatch, job, change)
    job.sp.a = 2
    assert [(job.sp(), job.doc()) for job in Project(job.project.path)] == [({"a": 3}, {"x": 1})]


# more levels of directories than anybody can go through --------------------------------------------------------------


@pytest.fixture
def deep(project: Project, deepen: Callable[[str], None]) -> Iterator[Job]:
    """A job, among others, with 1,200 levels of directories."""
    for a in range(2, 5):
        project.open_job({"a": a}).init()
    job = project.open_job({"a": 3})
    deepen(job.path)
    yield job
    files.delete_tree(project.workspace)  # wherever it is by now


def test_check_of_a_deep_job_finds_nothing(project: Project, deep: Job) -> None:
    project.check()
    assert list(integrity.examine(project.space)) == []


def test_litter_that_is_deep_is_found_and_deleted(project: Project, deep: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litter, "_now", lambda: time.time() + 7200)
    os.rename(deep.path, Path(project.workspace, f".signac-new-{deep.id}-0123456789abcdef"))
    (problem,) = integrity.examine(project.space)
    assert problem.kind == "unfinished-job"
    assert [outcome.repaired for outcome in integrity.repair_problems(project.space, [problem])] == [True]
    assert len(os.listdir(project.workspace)) == 2


@pytest.mark.parametrize("target", ["data", "data.zip", "data.tar"])
def test_copies_of_a_deep_job_fail_with_an_error_that_names_it(
    project: Project, deep: Job, other: Project, target: str
) -> None:
    for copy in (
        lambda: project.find_jobs({"a": 3}).export_to(target),
        lambda: other.clone(deep),
        lambda: other.sync(project, selection=[deep]),
        lambda: other.import_from(project.workspace),
    ):
        with pytest.raises(OSError, match="too many levels") as caught:
            copy()
        assert caught.value.filename.endswith(deep.id)
        assert deep not in other
    for move in (
        lambda: copying.rehearse(deep.path, lambda path, reason: None),
        lambda: copying.move_by_copy(deep.path, "moved", name=deep.id, state_point=b'{"a": 3}'),
    ):
        with pytest.raises(OSError, match="too many levels") as caught:
            move()
        assert caught.value.filename == deep.path
    assert not os.path.exists("moved")
    assert deep in project
    assert not os.path.exists(target) or os.listdir(target) == []
    deep.remove()
    assert deep not in project
