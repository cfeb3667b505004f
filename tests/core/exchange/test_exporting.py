"""Jobs out of a project: into directories and archives, whole, and checked before anything is written."""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, buffered, files, init_project, layout
from signac_core.errors import JobsCorruptedError
from signac_core.exchange import archives, copying, duplicating, links
from signac_core.exchange.exporting import plan_export
from signac_core.paths.naming import PathsTakenError
from signac_core.paths.templates import PathError
from tests.support.filesystems import no_way_across
from tests.support.running import content

SP = layout.FN_STATE_POINT
SUFFIXES = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".gz", ".bz2", ".xz"]


def fill(project: Project, *state_points: dict[str, Any]) -> list[str]:
    """Jobs with some data."""
    ids = []
    for state_point in state_points:
        job = project.open_job(state_point).init()
        job.doc.b = [state_point]
        os.makedirs(job.fn("sub/empty"))
        Path(job.fn("sub/data")).write_text(f"data of {state_point}")
        ids.append(job.id)
    return ids


@pytest.fixture
def jobs(project: Project) -> list[str]:
    return fill(project, {"a": 0}, {"a": 1})


# --- directories -----------------------------------------------------------------------------------------------------


def test_export_when_to_a_directory_then_copies_are_equal_and_named_by_their_keys(project, jobs):
    before = content(project.workspace)
    found = project.export_to("out")
    assert found == {f"{project.workspace}/{job_id}": f"a/{a}" for a, job_id in enumerate(jobs)}
    for source, path in found.items():
        assert content(Path("out", path)) == content(source)
    assert sorted(os.listdir("out/a")) == ["0", "1"]
    assert content(project.workspace) == before


def test_export_when_it_copies_then_times_are_kept(project, jobs):
    job = project.open_job(id=jobs[0])
    os.utime(job.fn("sub/data"), (1e9, 1e9))
    project.export_to("out")
    assert os.stat("out/a/0/sub/data").st_mtime == 1e9
    assert os.stat(f"out/a/0/{SP}").st_mtime == os.stat(job.fn(SP)).st_mtime


def test_export_when_links_stay_within_the_job_then_they_are_links_in_the_copy(project, jobs):
    job = project.open_job(id=jobs[0])
    links = {"ln": "sub/data", "sub/up": "..", "gone": "missing", "self": "self", "sub/gone": "../missing"}
    for name, target in links.items():
        os.symlink(target, job.fn(name))
    project.export_to("out")
    assert {name: os.readlink(f"out/a/0/{name}") for name in links} == links
    project.export_to("out")  # which is whole


def test_export_when_links_lead_out_then_followed(project, jobs, tmp_path):
    job = project.open_job(id=jobs[0])
    (tmp_path / "set" / "deep").mkdir(parents=True)
    (tmp_path / "set" / "deep" / "data").write_text("shared")
    (tmp_path / "set" / "own").symlink_to("deep/data")
    (tmp_path / "set" / "up").symlink_to("../set/deep/data")
    os.symlink(tmp_path / "set", job.fn("absolute"))
    os.symlink(os.path.relpath(tmp_path / "set" / "deep" / "data", job.path), job.fn("relative"))
    os.symlink(job.fn("sub/data"), job.fn("absolute_within"))
    project.export_to("out")
    assert Path("out/a/0/absolute/deep/data").read_text() == Path("out/a/0/relative").read_text() == "shared"
    assert Path("out/a/0/absolute/up").read_text() == "shared"
    assert [
        name for name in ("absolute", "relative", "absolute_within", "absolute/up") if os.path.islink(f"out/a/0/{name}")
    ] == []
    assert os.readlink("out/a/0/absolute/own") == "deep/data"
    project.export_to("out")


def without_links(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_export_when_the_file_system_has_no_links_then_they_are_followed(project, jobs, monkeypatch):
    job = project.open_job(id=jobs[0])
    for name, target in {"ln": "sub/data", "last": "sub", "gone": "missing"}.items():
        os.symlink(target, job.fn(name))
    monkeypatch.setattr(os, "symlink", without_links)
    with pytest.warns(UserWarning, match="gone' is left out: the file system has no links"):
        project.export_to("out")
    assert Path("out/a/0/ln").read_text() == Path("out/a/0/last/data").read_text() == "data of {'a': 0}"
    assert not os.path.islink("out/a/0/ln")
    os.unlink(job.fn("gone"))
    project.export_to("out")  # which is whole


@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar.gz"])
def test_export_when_links_lead_nowhere_then_left_out_with_a_warning_and_all_else_is_done(
    project, jobs, tmp_path, target
):
    job = project.open_job(id=jobs[0])
    os.symlink(tmp_path, job.fn("above"))  # holds the job
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "back").symlink_to(job.path)
    os.symlink(tmp_path / "elsewhere", job.fn("sub/round"))
    os.symlink("/nowhere", job.fn("dangling"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.symlink(tmp_path / "loop", job.fn("loop"))
    predicted: list[tuple[str, str]] = []
    plan_export(project.space, jobs, target, handle=project.handle).rehearse(lambda *link: predicted.append(link))
    with pytest.warns(UserWarning, match="is left out") as caught:
        project.export_to(target)
    left_out = {os.path.relpath(path, job.path): reason for path, reason in predicted}
    assert left_out == {
        "above": "it leads back to a directory above it",
        "sub/round/back": "it leads back to a directory above it",
        "dangling": "it points nowhere",
        "loop": "it points to itself",
    }
    assert sorted(str(warning.message) for warning in caught) == sorted(
        f"The link '{path}' is left out: {reason}." for path, reason in predicted
    )
    if target == "out":
        assert sorted(os.listdir("out/a")) == ["0", "1"]
        assert sorted(os.listdir("out/a/0/sub")) == ["data", "empty", "round"]
        assert not set(os.listdir("out/a/0")) & set(left_out)
        project.export_to("out")  # what is left out is not missing
    other = Project.init_project("other")
    assert len(other.import_from(target)) == len(jobs)


def test_export_when_of_a_selection_then_the_paths_are_those_of_the_selection(project, jobs):
    fill(project, {"a": 2, "b": 1})
    assert list(project.find_jobs({"a.$lt": 2}).export_to("out").values()) == ["a/1", "a/0"]


def test_export_when_of_one_job_then_the_target_is_its_copy(project, jobs):
    assert list(project.find_jobs({"a": 0}).export_to("new/target").values()) == [""]
    assert content("new/target") == content(f"{project.workspace}/{jobs[0]}")
    os.mkdir("empty")
    project.find_jobs({"a": 0}).export_to("empty")
    assert content("empty") == content("new/target")


def test_export_when_there_are_no_jobs_then_nothing_is_created(project):
    assert project.export_to("out") == {}
    assert not os.path.exists("out")


@pytest.mark.parametrize("target", [Path("out"), "out/", "out", "./out", "other/../out"])
def test_export_when_the_target_is_written_differently_then_it_is_the_same(project, jobs, target):
    os.mkdir("other")
    project.export_to(target)
    assert sorted(os.listdir("out/a")) == ["0", "1"]


def test_export_when_the_directory_name_has_a_dot_then_a_slash_or_its_existence_tells(project, jobs):
    with pytest.raises(TypeError, match="Unknown extension '.v1'"):
        project.export_to("results.v1")
    project.export_to("results.v1/")
    project.export_to("results.v1", path="b_{a}")
    assert sorted(os.listdir("results.v1")) == ["a", "b_0", "b_1"]


def test_export_when_the_state_point_is_about_to_change_then_the_copy_has_the_new_one(project):
    (job_id,) = fill(project, {"a": 1})
    job = project.open_job(id=job_id)
    Path(job.fn(layout.pending_name(job_id))).write_text('{"a": 1}')
    Path(job.fn(SP)).write_text('{"a": 0}')
    for target in ("out", "out.tar", "out.zip"):
        Project(project.path).export_to(target)
    assert Path("out", SP).read_text() == '{"a": 1}'
    assert layout.pending_name(job_id) not in os.listdir("out")
    with tarfile.open("out.tar") as tar, zipfile.ZipFile("out.zip") as file:
        assert tar.extractfile(f"./{SP}").read() == file.read(f"./{SP}") == b'{"a": 1}'


def test_export_when_killed_writers_left_files_then_they_are_not_copied(project, jobs):
    left = "._0123456789abcdef_signac_job_document.json"
    Path(project.open_job(id=jobs[0]).fn(left)).write_text("{")
    project.export_to("out")
    assert sorted(os.listdir("out/a/0")) == ["signac_job_document.json", SP, "sub"]


# --- running again ---------------------------------------------------------------------------------------------------


def test_export_when_run_again_then_whole_copies_count_as_done(project, jobs):
    first = project.export_to("out")
    inode = os.stat("out/a/1").st_ino
    shutil.rmtree("out/a/0")
    plan = plan_export(project.space, jobs, "out", handle=project.handle)
    assert plan.done == {jobs[1]}
    assert project.export_to("out") == first
    assert os.stat("out/a/1").st_ino == inode
    assert content("out/a/0") == content(f"{project.workspace}/{jobs[0]}")


@pytest.mark.parametrize("change", ["document", "missing", "more", "state point", "file", "kind"])
def test_export_when_a_destination_differs_then_nothing_is_written(project, jobs, change):
    project.export_to("out")
    shutil.rmtree("out/a/0")
    copy = Path("out/a/1")
    if change == "document":
        project.open_job(id=jobs[1]).doc.b = 2
    elif change == "missing":
        (copy / "sub/data").unlink()
    elif change == "more":
        (copy / "more").write_text("")
    elif change == "state point":
        (copy / SP).write_text('{"a":  1}')
    elif change == "file":
        shutil.rmtree(copy)
        copy.write_text("a file")
    else:
        (copy / "sub/data").unlink()
        (copy / "sub/data").mkdir()
    before = content("out")
    with pytest.raises(FileExistsError) as caught:
        project.export_to("out")
    assert caught.value.filename == "out/a/1"
    assert content("out") == before


def test_export_when_files_have_equal_size_but_other_times_then_their_content_is_compared(project, jobs):
    project.export_to("out")
    copy = Path("out/a/1/sub/data")
    os.utime(copy, (1, 1))
    assert plan_export(project.space, jobs, "out", handle=project.handle).done == set(jobs)
    copy.write_text("DATA of {'a': 1}")
    with pytest.raises(FileExistsError):
        project.export_to("out")


@pytest.mark.parametrize("copytree", [os.replace, os.symlink, functools.partial(shutil.copytree)])
def test_export_when_the_function_is_the_users_then_an_existing_destination_is_an_error(project, jobs, copytree):
    project.export_to("out")
    before = content(project.workspace)
    with pytest.raises(FileExistsError):
        project.export_to("out", copytree=copytree)
    assert content(project.workspace) == before


def test_export_when_a_copy_fails_then_that_job_is_absent_and_the_others_are_whole(project, monkeypatch):
    jobs = fill(project, *({"a": a} for a in range(3)))
    copy = files.copy_file

    def fail_for_one(source: str, *args: Any) -> Any:
        if jobs[1] in source:
            raise OSError(errno.ENOSPC, "No space left on device", source)
        return copy(source, *args)

    order = sorted(jobs)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(files, "copy_file", fail_for_one)
        project.export_to("out", path="{job.id}")
    assert sorted(os.listdir("out")) == order[: order.index(jobs[1])]
    project.export_to("out", path="{job.id}")
    assert sorted(os.listdir("out")) == order


@pytest.mark.parametrize("what", ["device", "pipe"])
def test_export_when_something_cannot_be_copied_then_the_error_names_it(project, jobs, what):
    job = project.open_job(id=jobs[0])
    if what == "pipe":
        os.mkfifo(job.fn("sub/pipe"))
    else:
        os.symlink("/dev/null", job.fn("sub/device"))
    with pytest.raises(OSError, match=f"sub/{what}"):
        plan_export(project.space, jobs, "out", "{job.id}", handle=project.handle).rehearse(print)
    with pytest.raises(OSError, match=f"sub/{what}"):
        project.export_to("out", path="{job.id}")
    assert jobs[0] not in os.listdir("out")
    assert not [name for name in os.listdir("out") if name.startswith(".")]


def add_pipe(directory: str | Path) -> None:
    os.mkfifo(Path(directory, "pipe"))


@pytest.mark.parametrize("how", ["pipe", "too deep"])
@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar.gz"])
def test_export_when_jobs_cannot_be_copied_then_told_and_all_others_are(project, deepen, target, how):
    jobs = fill(project, *({"a": a} for a in range(5)))
    Path(project.workspace, jobs[4], "gone").symlink_to("/nowhere")
    for job_id in (jobs[1], jobs[3]):
        (deepen if how == "too deep" else add_pipe)(Path(project.workspace, job_id))
    told: list[str | None] = []
    links: list[str] = []
    plan = plan_export(project.space, jobs, target, "{a}", handle=project.handle)
    plan.rehearse(lambda path, reason: None, failed=lambda job_id, error: told.append(job_id))
    assert sorted(told) == sorted([jobs[1], jobs[3]])
    told.clear()
    done = plan.carry_out(
        failed=lambda job_id, error: told.append(job_id), left_out=lambda path, reason: links.append(path)
    )
    assert sorted(told) == sorted([jobs[1], jobs[3]])
    assert sorted(done.values()) == ["0", "2", "4"]
    assert links == [f"{project.workspace}/{jobs[4]}/gone"]
    other = init_project("other")
    other.import_from(target)
    assert sorted(job.sp.a for job in other) == [0, 2, 4]
    other.check()


@pytest.mark.parametrize("times", [1, 2])
def test_export_when_a_job_cannot_be_read_for_a_moment_then_no_archive_lacks_it(project, jobs, monkeypatch, times):
    read = files.read_with_status
    failing = [jobs[0]] * times

    def fail(path: str, **kwargs: Any) -> Any:
        if failing and failing[0] in path and "rehearse" not in [frame.function for frame in inspect.stack()]:
            raise OSError(errno.ESTALE, "Stale file handle", failing.pop() and path)
        return read(path, **kwargs)

    plan = plan_export(project.space, jobs, "out.tar", handle=project.handle)
    told: list[str | None] = []
    with monkeypatch.context() as patch:
        patch.setattr(files, "read_with_status", fail)
        with pytest.raises(JobsCorruptedError) if times == 2 else contextlib.nullcontext():
            plan.carry_out(failed=lambda job_id, error: told.append(job_id))
    assert told == []
    assert os.path.exists("out.tar") == (times == 1)
    if times == 1:
        assert plan_export(project.space, jobs, "out.tar", repeated=True, handle=project.handle).done == set(jobs)


def test_export_when_nobody_is_told_then_the_others_are_in_the_directory_and_there_is_no_archive(project):
    jobs = fill(project, *({"a": a} for a in range(3)))
    add_pipe(Path(project.workspace, jobs[1]))
    with pytest.raises(OSError, match="pipe"):
        project.export_to("out", path="{a}")
    assert sorted(os.listdir("out")) == ["0", "2"]
    with pytest.raises(OSError, match="pipe"):
        project.export_to("out.tar")
    assert sorted(name for name in os.listdir() if "out" in name) == ["out"]


def test_export_when_it_appends_and_a_job_cannot_be_stored_then_nothing_is_appended(project, jobs):
    add_pipe(Path(project.workspace, max(jobs)))
    with tarfile.open("out.tar", "w") as tar, pytest.raises(OSError, match="pipe"):
        project.export_to(tar)
    with tarfile.open("out.tar") as tar:
        assert tar.getnames() == []


def test_export_when_no_job_can_be_stored_then_there_is_no_archive(project, jobs):
    for job_id in jobs:
        add_pipe(Path(project.workspace, job_id))
    told: list[str | None] = []
    assert (
        plan_export(project.space, jobs, "out.zip", handle=project.handle).carry_out(
            failed=lambda job_id, error: told.append(job_id)
        )
        == {}
    )
    assert (sorted(told), os.path.exists("out.zip")) == (sorted(jobs), False)


def test_export_when_jobs_are_moved_and_one_cannot_be_then_the_others_are(project, monkeypatch):
    jobs = fill(project, *({"a": a} for a in range(3)))
    add_pipe(Path(project.workspace, jobs[1]))
    no_way_across(monkeypatch)
    with pytest.raises(OSError, match="pipe"):
        project.export_to("out", path="{a}", copytree=shutil.move)
    assert sorted(os.listdir("out")) == ["0", "2"]
    assert os.listdir(project.workspace) == [jobs[1]]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["x", "/abs/{a}", "../{a}", "{zz}", lambda job: "x", lambda job: f"../{job}", "x/{job.sp.a.b}"]
)
@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar"])
def test_export_when_paths_are_not_possible_then_nothing_is_written(project, jobs, path, target):
    before = content(".")
    with pytest.raises(PathError):
        project.export_to(target, path=path)
    assert content(".") == before


def test_export_when_jobs_would_be_nested_then_refused_in_any_order(project):
    fill(project, {"a": "n"}, {"a": "n/x"}, {"a": "n/x/y"})
    with pytest.raises(PathError, match="nested"):
        project.export_to("out", path="{a}")


def test_export_when_a_link_leads_out_of_the_target_then_refused(project, jobs, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    os.mkdir("out")
    os.symlink(outside, "out/a")
    with pytest.raises(PathError, match="leads out of 'out'"):
        project.export_to("out")
    assert os.listdir(outside) == []


def test_export_when_a_file_stands_where_a_directory_is_needed_then_refused(project, jobs):
    os.mkdir("out")
    Path("out/a").write_text("mine")
    with pytest.raises(FileExistsError):
        project.export_to("out")
    with pytest.raises(FileExistsError):
        project.export_to("out", path="a/b/c/{a}")
    assert content("out") == {"a": b"mine"}


def test_export_when_several_things_are_in_the_way_then_the_error_has_all_of_them(project, jobs):
    more = fill(project, {"a": 2}, {"a": 3})
    Path("out/x/0").mkdir(parents=True)
    Path("out/x/0/mine").write_text("mine")
    Path("out/x/1").write_text("mine")
    Path("out/y").write_text("mine")
    before = content("out")
    with pytest.raises(PathsTakenError) as caught:
        project.export_to("out", path=lambda job: f"{'x' if job.sp.a < 2 else 'y'}/{job.sp.a}")
    taken = [(one.job_id, one.path) for one in caught.value.obstacles]
    assert sorted(taken, key=lambda one: one[1]) == [
        (jobs[0], "out/x/0"),
        (jobs[1], "out/x/1"),
        (min(more), "out/y"),  # once is enough
    ]
    assert caught.value.filename == taken[0][1]
    assert content("out") == before


@pytest.mark.parametrize("target", ["out/", "out.x/", "out//"])
def test_export_when_one_job_goes_to_a_target_with_a_slash_then_it_is_the_target(project, jobs, target):
    project.find_jobs({"a": 0}).export_to(target)
    assert content(target) == content(f"{project.workspace}/{jobs[0]}")
    project.find_jobs({"a": 0}).export_to(target)


def test_export_when_the_place_is_inside_another_job_then_refused(project, jobs):
    project.find_jobs({"a": 0}).export_to("out")
    with pytest.raises(PathError, match="The directory 'out' is that of a job"):
        project.export_to("out")


@pytest.mark.parametrize("target", ["out", "out.zip"])
def test_export_when_the_target_is_inside_a_job_then_refused(project, jobs, target):
    job = project.open_job(id=jobs[0])
    with job, pytest.raises(PathError, match=f"inside the job '{job.id}'"):
        project.export_to(target)


@pytest.mark.parametrize("target", [None, 5, b"out", object()])
def test_export_when_the_target_is_nothing_known_then_type_error(project, target):
    with pytest.raises(TypeError, match="Unknown target type"):
        project.export_to(target)


def test_export_when_a_function_is_given_for_an_archive_then_value_error(project, jobs):
    Path("out.zip").write_text("old")
    with pytest.raises(ValueError, match="copytree"):
        project.export_to("out.zip", copytree=shutil.copytree)
    assert Path("out.zip").read_text() == "old"


@pytest.mark.parametrize("target", ["out", "out.tar"])
def test_export_when_a_job_is_damaged_then_reported_or_raised(project, jobs, target):
    bad = project.open_job(id=jobs[1])
    Path(bad.fn(SP)).write_text("{")
    os.utime(bad.path, (0, 0))
    project = Project(project.path)
    with pytest.raises(JobsCorruptedError):
        project.export_to(target)
    assert not os.path.exists(target)
    damaged: list[str] = []
    plan_export(project.space, jobs, target, "{a}", damaged=damaged, handle=project.handle).carry_out()
    assert damaged == [bad.id]
    assert os.path.exists(target)


# --- functions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copytree", [os.replace, os.rename, shutil.move])
def test_export_when_jobs_are_moved_then_they_leave_the_workspace(project, jobs, copytree):
    before = {job_id: content(f"{project.workspace}/{job_id}") for job_id in jobs}
    project.export_to("out", copytree=copytree)
    assert len(project) == 0
    assert {job_id: content(f"out/a/{a}") for a, job_id in enumerate(jobs)} == before
    assert os.listdir(project.workspace) == []


def test_export_when_jobs_are_moved_across_file_systems_then_copied_before_they_go(project, jobs, monkeypatch):
    before = content(f"{project.workspace}/{jobs[1]}")
    no_way_across(monkeypatch)
    with pytest.raises(OSError, match="cross-device"):
        project.export_to("elsewhere", copytree=os.replace)
    assert len(project) == 2
    project.export_to("out", copytree=shutil.move)
    assert len(project) == 0
    assert content("out/a/1") == before


def test_export_when_a_document_is_written_while_a_job_is_moved_then_it_is_in_the_copy(project, jobs, monkeypatch):
    copy = copying._copy
    late = Project(project.path).open_job(id=jobs[1]).doc

    def copy_then_write(source: str, *args: Any, **kwargs: Any) -> None:
        copy(source, *args, **kwargs)
        if source.endswith(jobs[1]):
            late["late"] = True  # when it is there already, nothing is written

    no_way_across(monkeypatch)
    monkeypatch.setattr(copying, "_copy", copy_then_write)
    project.export_to("out", copytree=shutil.move)
    assert '"late": true' in Path("out/a/1/signac_job_document.json").read_text()
    assert os.listdir(project.workspace) == []


def test_export_when_a_job_that_is_moved_keeps_changing_then_it_stays(project, jobs, monkeypatch):
    copy = copying._copy
    late = Project(project.path).open_job(id=jobs[0]).doc

    def copy_then_write(source: str, *args: Any, **kwargs: Any) -> None:
        copy(source, *args, **kwargs)
        if source.endswith(jobs[0]):
            late["n"] = late.get("n", 0) + 1

    no_way_across(monkeypatch)
    monkeypatch.setattr(copying, "_copy", copy_then_write)
    with pytest.raises(OSError, match="differs from its source"):
        project.export_to("out", copytree=shutil.move)
    assert late.n > 1
    assert [job.id for job in project] == [jobs[0]]
    assert os.listdir("out/a") == ["1"]


def test_export_when_a_move_was_stopped_before_it_deleted_then_running_again_deletes(project, jobs, monkeypatch):
    first = min(jobs)
    Path(project.workspace, first, "link").symlink_to("nowhere")
    no_way_across(monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(PermissionError) as caught:
        patch.setattr(copying.lifecycle, "set_aside", denied)
        project.export_to("out", copytree=shutil.move)
    assert "still here: move it again" in str(caught.value)
    assert len(project) == 2
    before = content(project.workspace)
    assert plan_export(project.space, jobs, "out", copytree=shutil.move, handle=project.handle).done == set(jobs)
    project.export_to("out", copytree=shutil.move)
    assert os.listdir(project.workspace) == []
    for a, job_id in enumerate(jobs):
        assert content(f"out/a/{a}") == {
            os.path.relpath(path, job_id): data for path, data in before.items() if path.startswith(f"{job_id}/")
        }


def denied(*args: Any) -> None:
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("change", ["file", "link", "linked job", "linked state point"])
def test_export_when_jobs_are_moved_and_the_destination_is_no_copy_then_they_stay(project, jobs, change):
    project.export_to("out")
    if change == "file":
        Path("out/a/1/sub/data").write_text("mine")
    elif change == "link":
        os.rename("out/a/1/sub/data", "data")
        os.symlink("../../../../data", "out/a/1/sub/data")
    elif change == "linked job":
        shutil.rmtree("out/a/1")
        os.symlink(f"{project.workspace}/{jobs[1]}", "out/a/1")
    else:
        os.unlink(f"out/a/1/{SP}")
        os.symlink(f"{project.workspace}/{jobs[1]}/{SP}", f"out/a/1/{SP}")
    before = content(project.workspace)
    with pytest.raises(FileExistsError):
        project.export_to("out", copytree=shutil.move)
    assert content(project.workspace) == before


def test_export_when_moved_jobs_have_buffered_documents_then_these_are_written_first(project, jobs):
    with buffered():
        project.open_job(id=jobs[0]).doc.late = True
        project.export_to("out", copytree=os.replace)
    assert '"late": true' in Path("out/a/0/signac_job_document.json").read_text()
    assert os.listdir(project.workspace) == []


def test_export_when_jobs_are_linked_then_links_lead_to_them(project, jobs):
    project.export_to("out", copytree=os.symlink)
    assert os.readlink("out/a/0") == f"{project.workspace}/{jobs[0]}"
    assert Path("out/a/1", SP).read_text() == '{"a": 1}'


def test_export_when_the_function_fails_then_what_it_left_is_named(project, jobs):
    def fail(source: str, destination: str) -> None:
        shutil.copytree(source, destination)
        raise RuntimeError("my failure")

    with pytest.raises(RuntimeError, match="my failure") as caught:
        project.export_to("out", copytree=fail)
    (left,) = os.listdir("out/a")
    assert left.startswith(layout.PREFIX_COPY)
    assert left in caught.value.__notes__[0]


def test_export_when_the_function_is_that_of_shutil_then_it_is_our_own_copy(project, jobs):
    project.export_to("out", copytree=shutil.copytree)
    assert plan_export(project.space, jobs, "out", copytree=shutil.copytree, handle=project.handle).done == set(jobs)


# --- archives --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_export_when_to_an_archive_then_it_holds_all_jobs(project, jobs, suffix):
    found = project.export_to(f"out{suffix}")
    assert found == {f"{project.workspace}/{job_id}": f"a/{a}" for a, job_id in enumerate(jobs)}
    if suffix == ".zip":
        with zipfile.ZipFile(f"out{suffix}") as file:
            names = set(file.namelist())
            assert file.read(f"a/1/{SP}") == b'{"a": 1}'
    else:
        with tarfile.open(f"out{suffix}") as tar:
            names = set(tar.getnames())
            assert tar.extractfile(f"a/1/{SP}").read() == b'{"a": 1}'
    assert {f"a/0/{SP}", "a/0/signac_job_document.json", "a/0/sub/data"} <= names
    assert [name for name in os.listdir() if name.startswith(".") and name != ".signac"] == []


@pytest.mark.parametrize("target", ["out.zip", "out.tar", "out.tar.gz"])
@pytest.mark.parametrize("what", ["file", "link"])
def test_export_when_something_has_the_name_of_the_archive_then_refused_unless_forced(project, jobs, target, what):
    if what == "file":
        Path(target).write_text("mine")
    else:
        os.symlink("missing", target)
    for export in (project.export_to, project.find_jobs({"a": 1}).export_to):
        with pytest.raises(FileExistsError) as caught:
            export(target)
        assert caught.value.filename == target
    assert os.path.islink(target) if what == "link" else Path(target).read_text() == "mine"
    project.find_jobs({"a": 1}).export_to(target, force=True)
    assert len(project.export_to(target, force=True)) == len(jobs)
    assert len(Project.init_project("other").import_from(target)) == len(jobs)
    assert not os.path.lexists("missing")


@pytest.mark.parametrize("target", ["out.zip", "out.tar", "out.tar.gz"])
def test_export_when_an_archive_is_replaced_then_as_a_whole(project, jobs, target):
    project.export_to(target)
    size = os.path.getsize(target)
    project.export_to(target, force=True)
    assert os.path.getsize(target) == size
    os.mkfifo(project.open_job(id=jobs[1]).fn("pipe"))
    before = Path(target).read_bytes()
    with pytest.raises(OSError, match="pipe"):
        project.export_to(target, force=True)
    assert Path(target).read_bytes() == before


def test_export_when_there_are_no_jobs_then_the_archive_is_empty(project):
    project.export_to("out.zip")
    project.export_to("out.tar.gz")
    with zipfile.ZipFile("out.zip") as file, tarfile.open("out.tar.gz") as tar:
        assert file.namelist() == tar.getnames() == []


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_export_when_to_an_open_archive_then_appended(project, jobs, kind):
    opened: Any = functools.partial(zipfile.ZipFile if kind == "zip" else tarfile.open, "out")
    with opened("w") as target:
        project.export_to(target)
    with opened("a") as target:
        project.export_to(target, path="b/{a}")
        with pytest.raises(FileExistsError, match="b/"):
            project.export_to(target, path="b/{a}")
        with pytest.raises(FileExistsError):
            project.find_jobs({"a": 0}).export_to(target, path="a")
    with archives.open_archive("out") as reader:
        names = {member.name.rstrip("/") for member in reader.members()}
    assert {f"a/0/{SP}", f"a/1/{SP}", f"b/0/{SP}", f"b/1/{SP}"} <= names


# --- progress and plan -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["out", "out.zip"])
def test_export_when_it_goes_on_then_progress_is_told(project, jobs, target):
    told = []
    plan_export(project.space, jobs, target, handle=project.handle).carry_out(
        progress=lambda what, done, total: told.append((what, done, total))
    )
    assert told == [("export", 1, 2), ("export", 2, 2)]


def test_plan_when_made_then_nothing_is_written(project, jobs):
    before = content(".")
    plan = plan_export(project.space, jobs, "out.zip", "{a}", handle=project.handle)
    assert plan.paths == {jobs[0]: "0", jobs[1]: "1"}
    assert content(".") == before
    plan.carry_out()
    assert zipfile.is_zipfile("out.zip")


# --- files and their metadata ----------------------------------------------------------------------------------------


def copy_file(source: Path, copy: Path) -> None:
    duplicating._Copier(links.warn, is_moved=False).copy_file(str(source), str(copy), source.name)


@pytest.mark.parametrize("mode", [0o640, 0o400, 0o755, 0o666])
def test_copy_of_a_file_when_made_then_as_by_shutil(tmp_path, mode):
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_000))
    with contextlib.suppress(OSError):  # not every file system has them
        os.setxattr(source, "user.units", b"reduced")
    source.chmod(mode)
    os.utime(source, ns=(10**18 + 1, 10**18 + 2))
    copy_file(source, tmp_path / "ours")
    shutil.copy2(source, tmp_path / "theirs")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert ours.read_bytes() == theirs.read_bytes()
    assert (ours.stat().st_mode, ours.stat().st_mtime_ns) == (theirs.stat().st_mode, theirs.stat().st_mtime_ns)
    assert [(name, os.getxattr(ours, name)) for name in os.listxattr(ours)] == [
        (name, os.getxattr(theirs, name)) for name in os.listxattr(theirs)
    ]


def test_copy_of_a_file_when_it_fails_then_the_error_names_both(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file.*pipe"):
        copy_file(tmp_path / "pipe", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()

    def fail(reader: int, writer: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "data").write_bytes(b"x")
    monkeypatch.setattr(files, "_copy_content", fail)
    with pytest.raises(OSError, match="No space left on device: '.*data' -> '.*copy'"):
        copy_file(tmp_path / "data", tmp_path / "copy")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_export_when_an_archive_was_stopped_after_its_last_job_then_it_is_done(project, jobs, kind):
    Path(project.workspace, jobs[0], "link").symlink_to("sub/data")
    Path(project.workspace, jobs[0], "empty").mkdir(mode=0o700)
    target = f"out.{kind}"
    project.export_to(target)
    inode = os.stat(target).st_ino
    plan = plan_export(project.space, jobs, target, repeated=True, handle=project.handle)
    assert plan.done == set(jobs)
    plan.carry_out()
    assert os.stat(target).st_ino == inode
    with pytest.raises(FileExistsError):
        project.export_to(target)
    assert plan_export(project.space, jobs, target, force=True, repeated=True, handle=project.handle).done == set()


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("change", ["more jobs", "fewer jobs", "content", "no archive", "a link"])
def test_export_when_an_archive_holds_something_else_then_it_is_not_done(project, jobs, kind, change):
    target = f"out.{kind}"
    Path(project.workspace, jobs[0], "link").symlink_to("sub/data")
    project.export_to(target)
    if change == "more jobs":
        jobs.append(project.open_job({"a": 7}).init().id)
    elif change == "fewer jobs":
        jobs.pop()
    elif change == "content":
        Path(project.workspace, jobs[0], "sub/data").write_text("atad of 0")
    elif change == "a link":
        Path(project.workspace, jobs[0], "link").unlink()
        Path(project.workspace, jobs[0], "link").symlink_to(SP)
    else:
        Path(target).write_text("mine")
    with pytest.raises(FileExistsError):
        plan_export(project.space, jobs, target, repeated=True, handle=project.handle)


@pytest.mark.parametrize("kind", ["", ".zip", ".tar", ".tar.gz"])
def test_export_and_import_keep_permissions_but_nothing_runs_as_another(project, jobs, kind):
    job = project.open_job(id=jobs[1])
    modes = {"secret": 0o600, "raw": 0o444, "run.sh": 0o750, "tool": 0o755, "below/hidden": 0o640}
    os.mkdir(job.fn("below"), 0o700)
    os.mkdir(job.fn("priv"), 0o700)
    for name, mode in modes.items():
        Path(job.fn(name)).write_text("")
        os.chmod(job.fn(name), mode)
    os.chmod(job.fn("tool"), 0o6755)
    os.chmod(job.path, 0o750)
    project.export_to(f"out{kind}")
    other = init_project("other")
    other.import_from(f"out{kind}")
    found = {name: stat.S_IMODE(os.stat(other.open_job(id=job.id).fn(name)).st_mode) for name in modes}
    assert found == modes
    directories = {"priv": 0o700} if kind == ".zip" else {"": 0o750, "below": 0o700, "priv": 0o700}
    for name, mode in directories.items():
        assert stat.S_IMODE(os.stat(other.open_job(id=job.id).fn(name)).st_mode) == mode
