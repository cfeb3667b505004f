from __future__ import annotations

import copy
import errno
import gc
import gzip
import json
import os
import pickle
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pytest

from signac_core import Project, buffered, layout, lifecycle, workspace
from signac_core.canonical import calc_id
from signac_core.care import litter
from signac_core.errors import (
    DestinationExistsError,
    InvalidKeyError,
    JobsCorruptedError,
    KeyTypeError,
)
from signac_core.job import Job


def state_point_file(job: Job) -> Path:
    return Path(job.fn(job.FN_STATE_POINT))


# opening --------------------------------------------------------------------------------------------------------


def test_opening_by_state_point_touches_nothing(project: Project) -> None:
    job = project.open_job({"b": 1, "a": 2})
    assert job.id == str(job) == calc_id({"a": 2, "b": 1})
    assert job.path == os.path.join(project.workspace, job.id)
    assert job.fn("x") == os.path.join(job.path, "x")
    assert not job.isfile("x")
    assert job not in project
    assert job.sp() == {"b": 1, "a": 2}
    assert os.listdir(project.workspace) == []


def test_the_state_point_given_is_not_shared(project: Project) -> None:
    given: dict[str, Any] = {"a": [1]}
    job = project.open_job(given)
    given["a"].append(2)
    assert job.sp() == {"a": [1]}


def test_opening_needs_exactly_one_of_state_point_and_id(project: Project) -> None:
    with pytest.raises(ValueError, match="Must provide"):
        project.open_job()
    with pytest.raises(ValueError, match="not both"):
        project.open_job({"a": 1}, id="9bfd")
    with pytest.raises(ValueError, match="Either statepoint or id_"):
        Job(project)


def test_opening_by_id_and_by_its_beginning(project: Project) -> None:
    jobs = [project.open_job({"i": i}).init() for i in range(20)]
    for job in jobs:
        assert project.open_job(id=job.id) == job
        assert project.open_job(id=job.id[: project.min_len_unique_id()]).sp() == job.sp()
    with pytest.raises(LookupError) as caught:
        project.open_job(id="")
    assert not isinstance(caught.value, KeyError)
    with pytest.raises(TypeError):
        project.open_job(id=5)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0" * 32, "zzz", "f" * 5, "../workspace/{id}", "{id}/../{id}", "{id}x"])
def test_opening_by_an_id_that_is_none_raises_key_error(project: Project, text: str) -> None:
    job = project.open_job({"a": 1}).init()
    with pytest.raises(KeyError):
        project.open_job(id=text.format(id=job.id))


def test_a_cached_state_point_can_be_opened(project: Project) -> None:
    job = project.open_job({"a": {"b": [1]}}).init()
    assert project.open_job(job.cached_statepoint) == job
    assert project.open_job(job.sp) == job
    assert project.open_job(MappingProxyType({"a": {"b": (1,)}})) == job


@pytest.mark.parametrize(
    ("state_point", "kind"),
    [({1: "a"}, KeyTypeError), ({"a.b": 1}, InvalidKeyError), ({"x": [{"a.b": 1}]}, ValueError)],
)
def test_keys_that_are_not_allowed_are_refused_on_use_and_nothing_is_written(
    project: Project, state_point: Any, kind: type[Exception]
) -> None:
    job = project.open_job(state_point)
    assert job.id == calc_id(state_point)
    for use in (lambda: job.sp, job.init, lambda: job.doc, lambda: job.cached_statepoint):
        with pytest.raises(kind):
            use()
    assert os.listdir(project.workspace) == []


@pytest.mark.parametrize("state_point", [[1, 2], "abc", 5, None])
def test_state_points_that_are_no_mappings_are_refused_on_use(project: Project, state_point: Any) -> None:
    if state_point is None:
        with pytest.raises(ValueError, match="Must provide"):
            project.open_job(state_point)
        return
    job = project.open_job(state_point)
    with pytest.raises(TypeError, match="must be a mapping"):
        job.init()
    assert os.listdir(project.workspace) == []


def test_values_without_json_equivalent_are_refused_at_once(project: Project) -> None:
    with pytest.raises(KeyTypeError, match="set"):
        project.open_job({"a": {1}})


# init -----------------------------------------------------------------------------------------------------------


def test_init_writes_the_state_point_in_insertion_order(project: Project) -> None:
    job = project.open_job({"b": 1, "a": [1, 2.0, {"z": None, "\u00e9": "\u2603"}]})
    assert job.init() is job
    assert state_point_file(job).read_text() == '{"b": 1, "a": [1, 2.0, {"z": null, "\\u00e9": "\\u2603"}]}'
    assert os.listdir(project.workspace) == [job.id]
    assert os.stat(job.path).st_mode & 0o777 == 0o777 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_init_of_an_existing_job_changes_nothing(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    state_point_file(job).write_text('{ "a":1 }\n')  # valid, formatted by hand
    before = os.stat(job.path).st_mtime_ns
    project.open_job({"a": 1}).init()
    project.open_job({"a": 1}).init(force=True)
    assert state_point_file(job).read_text() == '{ "a":1 }\n'
    assert os.stat(job.path).st_mtime_ns == before


def test_init_creates_a_missing_workspace(project: Project) -> None:
    os.rmdir(project.workspace)
    job = project.open_job({"a": 1}).init()
    assert job in project


@pytest.mark.parametrize("damage", ["", "garbage", '{"a": 7}', "[1]", "null", b"\xff\xfe"])
def test_init_of_a_damaged_job_raises_and_force_heals_it(project: Project, damage: str | bytes) -> None:
    job = project.open_job({"a": 1}).init()
    Path(job.fn("data")).write_text("x")
    data = damage if isinstance(damage, bytes) else damage.encode()
    state_point_file(job).write_bytes(data)
    with pytest.raises(JobsCorruptedError) as caught:
        project.open_job({"a": 1}).init()
    assert list(caught.value.job_ids) == [job.id]
    assert state_point_file(job).read_bytes() == data
    with pytest.raises(JobsCorruptedError):
        Project().open_job(id=job.id).init(force=True)  # nobody knows the state point here
    project.open_job({"a": 1}).init(validate_statepoint=False)
    project.open_job({"a": 1}).init(force=True)
    assert state_point_file(job).read_text() == '{"a": 1}'
    assert job.isfile("data")
    assert sorted(os.listdir(project.workspace)) == [job.id]


def test_init_of_a_job_without_state_point_file_writes_it(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    Path(job.fn("data")).write_text("x")
    state_point_file(job).unlink()
    Project().open_job({"a": 1}).init()
    assert state_point_file(job).read_text() == '{"a": 1}'
    assert sorted(os.listdir(job.path)) == ["data", "signac_statepoint.json"]
    assert os.listdir(project.workspace) == [job.id]


def test_init_into_an_empty_directory_of_another_creator(project: Project) -> None:
    job = project.open_job({"a": 1})
    os.mkdir(job.path)
    job.init()
    assert job.sp() == Project().open_job(id=job.id).sp()


def test_init_where_a_file_stands_raises_file_exists_error(project: Project) -> None:
    job = project.open_job({"a": 1})
    Path(job.path).write_text("x")
    with pytest.raises(FileExistsError):
        job.init()
    assert os.listdir(project.workspace) == [job.id]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_init_when_the_disk_is_full_leaves_no_job(project: Project, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(fd: int, data: object) -> int:
        raise OSError(code, os.strerror(code))

    job = project.open_job({"a": 1})
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(OSError, match=job.id):
            job.init()
    assert os.listdir(project.workspace) == []
    job.init()


def test_concurrent_creation_gives_whole_jobs_and_no_errors(project: Project) -> None:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_init_many, args=(project.path, 500)) for _ in range(8)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        for job_id in Project().find_jobs({"i.$gte": 0})._ids:  # a query beside them never fails
            assert layout.is_job_id(job_id)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert len(os.listdir(project.workspace)) == 500
    assert {job.sp.i for job in Project()} == set(range(500))
    assert all(os.listdir(job.path) == ["signac_statepoint.json"] for job in Project())


def _init_many(path: str, count: int) -> None:
    project = Project(path)
    for i in range(count):
        project.open_job({"i": i}).init()


# reading the state point ----------------------------------------------------------------------------------------


def test_cached_statepoint_is_read_only_and_shares_nothing(project: Project) -> None:
    job = project.open_job({"a": [1]}).init()
    cached = project.open_job(id=job.id).cached_statepoint
    with pytest.raises(TypeError):
        cached["b"] = 1  # type: ignore[index]
    cached["a"].append(2)
    assert project.open_job(id=job.id).sp() == {"a": [1]}
    assert project.open_job(id=job.id).cached_statepoint == {"a": [1]}


@pytest.mark.parametrize("damage", [None, "", "{", '{"a": 2}'])
def test_reading_a_damaged_state_point_raises(project: Project, damage: str | None) -> None:
    job = project.open_job({"a": 1}).init()
    if damage is None:
        state_point_file(job).unlink()
    else:
        state_point_file(job).write_text(damage)
    handle = Project().open_job(id=job.id)
    for use in (lambda: handle.sp, lambda: handle.cached_statepoint, lambda: repr(handle)):
        with pytest.raises(JobsCorruptedError):
            use()


def test_repr_shows_project_and_state_point(project: Project) -> None:
    job = project.open_job({"a": 1})
    assert repr(job) == f"Job(project=Project({project.path!r}), statepoint={{'a': 1}})"


# changing the state point ---------------------------------------------------------------------------------------


CHANGES: list[tuple[Callable[[Job], Any], dict[str, Any]]] = [
    (lambda job: setattr(job.sp, "a", 5), {"a": 5, "n": {"x": [1]}}),
    (lambda job: job.sp.update(b=2), {"a": 1, "n": {"x": [1]}, "b": 2}),
    (lambda job: job.sp.pop("a"), {"n": {"x": [1]}}),
    (lambda job: job.sp.n.x.append(2), {"a": 1, "n": {"x": [1, 2]}}),
    (lambda job: job.sp.n.__delitem__("x"), {"a": 1, "n": {}}),
    (lambda job: job.sp.setdefault("c", 0), {"a": 1, "n": {"x": [1]}, "c": 0}),
    (lambda job: setattr(job, "sp", {"z": 1}), {"z": 1}),
    (lambda job: setattr(job, "statepoint", {"a": 1.0}), {"a": 1.0}),
    (lambda job: job.sp.reset({"a": True}), {"a": True}),
    (lambda job: job.sp.clear(), {}),
    (lambda job: job.update_statepoint({"a": 1, "b": None}), {"a": 1, "n": {"x": [1]}, "b": None}),
    (lambda job: job.update_statepoint({"a": 9}, overwrite=True), {"a": 9, "n": {"x": [1]}}),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_a_change_moves_the_job_with_all_its_data(
    project: Project, change: Callable[[Job], Any], expected: dict[str, Any]
) -> None:
    job = project.open_job({"a": 1, "n": {"x": [1]}}).init()
    job.doc.kept = 1
    Path(job.fn("file")).write_text("data")
    old_id, old_document, state_point = job.id, job.doc, job.sp
    change(job)
    assert job.id == calc_id(expected) != old_id
    assert job.sp() == expected
    assert job.sp is state_point
    assert job.cached_statepoint == expected
    assert repr(expected) in repr(job)
    assert job.doc is not old_document
    assert job.doc() == {"kept": 1}
    assert sorted(os.listdir(job.path)) == ["file", "signac_job_document.json", "signac_statepoint.json"]
    assert os.listdir(project.workspace) == [job.id]
    assert Project().open_job(id=job.id).sp() == expected
    assert json.loads(state_point_file(job).read_text()) == expected


def test_a_change_that_gives_the_same_state_point_writes_nothing(project: Project) -> None:
    job = project.open_job({"b": 1, "a": 2}).init()
    before = os.stat(job.path).st_mtime_ns
    job.sp = {"a": 2, "b": 1}
    job.sp.a = 2
    job.sp.update(b=1)
    assert job.sp.pop("missing") is None
    assert os.stat(job.path).st_mtime_ns == before
    assert list(job.sp) == ["b", "a"]


def test_a_change_to_an_existing_job_is_refused_and_changes_nothing(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    other = project.open_job({"a": 2}).init()
    before = {name: sorted(os.listdir(os.path.join(project.workspace, name))) for name in os.listdir(project.workspace)}
    with pytest.raises(DestinationExistsError) as caught:
        job.sp.a = 2
    assert caught.value.destination == other.id
    assert job.sp() == {"a": 1}
    assert job.id == calc_id({"a": 1})
    after = {name: sorted(os.listdir(os.path.join(project.workspace, name))) for name in os.listdir(project.workspace)}
    assert after == before
    job.sp.b = 3
    assert Project().open_job(id=job.id).sp() == {"a": 1, "b": 3}


def test_an_invalid_assignment_changes_nothing_in_memory_either(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    with pytest.raises(TypeError):
        job.sp = {"b": 2, "c": object()}
    with pytest.raises(ValueError, match="must be a mapping"):
        job.sp = [1]
    job.sp.d = 1
    assert Project().open_job(id=job.id).sp() == {"a": 1, "d": 1}


def test_a_change_when_the_disk_is_full_leaves_the_old_job(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    job = project.open_job({"a": 1}).init()

    def fail(fd: int, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(OSError, match="No space"):
            job.sp.a = 2
    assert job.sp() == {"a": 1}
    assert os.listdir(project.workspace) == [job.id]
    assert os.listdir(job.path) == ["signac_statepoint.json"]


def test_a_change_of_a_job_that_is_not_initialised_changes_the_handle_only(project: Project) -> None:
    existing = project.open_job({"a": 2}).init()
    job = project.open_job({"a": 1})
    job.sp.a = 3
    assert job not in project
    job.sp.a = 2
    assert job == existing
    assert os.listdir(project.workspace) == [existing.id]


def test_a_change_of_a_job_that_others_removed_is_refused(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    Project().open_job(id=job.id).remove()
    with pytest.raises(FileNotFoundError, match="has gone"):
        job.sp.a = 2
    assert job.sp() == {"a": 1}
    assert os.listdir(project.workspace) == []


def test_a_change_after_removal_by_the_same_handle_changes_the_handle_only(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    job.remove()
    job.sp.a = 2
    assert os.listdir(project.workspace) == []
    job.init()
    assert os.listdir(project.workspace) == [calc_id({"a": 2})]


def test_update_statepoint_when_a_key_has_another_value_raises_key_error(project: Project) -> None:
    job = project.open_job({"a": 1, "n": {"x": 1}, "none": None}).init()
    for update in ({"a": 2}, {"a": 1.0}, {"n": {"y": 1}}, {"none": 1}):
        with pytest.raises(KeyError):
            job.update_statepoint(update)
    assert job.sp() == {"a": 1, "n": {"x": 1}, "none": None}


def test_assignment_rescues_a_job_with_dotted_keys(project: Project) -> None:
    state_point = {"a.b": 1}
    job_id = calc_id(state_point)
    os.mkdir(os.path.join(project.workspace, job_id))
    Path(project.workspace, job_id, layout.FN_STATE_POINT).write_text(json.dumps(state_point))
    job = project.open_job(id=job_id)
    assert job.cached_statepoint == state_point
    with pytest.raises(InvalidKeyError):
        _ = job.sp
    job.sp = {"a": {"b": 1}}
    assert os.listdir(project.workspace) == [calc_id({"a": {"b": 1}})]


def test_buffered_changes_of_the_document_survive_a_change_and_a_move(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    other = Project.init_project("other")
    with buffered():
        job.doc.x = 1
        job.sp.a = 2
        job.doc.y = 2
        job.move(other)
        job.doc.z = 3
    assert Project("other").open_job({"a": 2}).doc() == {"x": 1, "y": 2, "z": 3}


# a change that was stopped, seen by others ----------------------------------------------------------------------


def stop_before_last_step(job: Job, new: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """Change the state point of a job, but die before the state point file is replaced."""
    rename = os.rename

    def rename_all_but_the_last(source: str, destination: str) -> None:
        if destination.endswith(layout.FN_STATE_POINT):
            raise KeyboardInterrupt
        rename(source, destination)

    text = json.dumps(new).encode()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename_all_but_the_last)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.change_state_point(job.project.workspace, job.id, calc_id(new), text)
    return calc_id(new)


def test_a_stopped_change_reads_as_the_new_job_and_is_finished_by_the_next_change(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = project.open_job({"a": 1}).init()
    job.doc.x = 1
    new_id = stop_before_last_step(job, {"a": 2}, monkeypatch)
    assert os.listdir(project.workspace) == [new_id]
    assert state_point_file(Project().open_job(id=new_id)).read_text() == '{"a": 1}'
    fresh = Project()
    assert fresh.open_job(id=new_id).sp() == {"a": 2}
    assert [j.id for j in fresh.find_jobs({"a": 2})] == [new_id]
    assert fresh.open_job({"a": 2}).init().doc() == {"x": 1}
    survivor = Project().open_job(id=new_id)
    survivor.doc.y = 2
    survivor.sp.b = 3
    assert sorted(os.listdir(survivor.path)) == ["signac_job_document.json", "signac_statepoint.json"]
    assert Project().open_job(id=survivor.id).sp() == {"a": 2, "b": 3}
    assert survivor.doc() == {"x": 1, "y": 2}


def test_a_change_stopped_before_the_rename_is_no_change(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    Path(job.fn(layout.pending_name(calc_id({"a": 2})))).write_text('{"a"')
    assert Project().open_job(id=job.id).sp() == {"a": 1}
    job.sp.a = 2
    assert os.listdir(job.path) == ["signac_statepoint.json"]


def test_the_backup_of_the_peers_protocol_is_used_when_there_is_nothing_else(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    os.rename(job.fn(job.FN_STATE_POINT), job.fn(layout.FN_STATE_POINT_BACKUP))
    assert Project().open_job(id=job.id).sp() == {"a": 1}


# remove, clear, reset, move -------------------------------------------------------------------------------------


def test_remove_deletes_the_job_and_leaves_a_usable_handle(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    job.doc.x = 1
    Path(job.path, "d").mkdir()
    Path(job.path, "d", "f").write_text("x")
    handle = project.open_job(id=job.id)
    handle.remove()
    handle.remove()
    assert os.listdir(project.workspace) == []
    assert handle.doc() == {}
    assert handle in project
    with pytest.raises(KeyError):
        project.open_job(id="0" * 32)


def test_a_removed_job_cannot_be_opened_by_id(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    job.remove()
    with pytest.raises(KeyError):
        project.open_job(id=job.id)


def linked(project: Project, target: str, *, dangling: bool = False) -> Job:
    """A job whose directory is a link to another place."""
    job = project.open_job({"a": 1}).init()
    job.doc.k = 1
    os.rename(job.path, os.path.join(project.workspace, target))
    os.symlink(target, job.path)
    if dangling:
        os.rename(os.path.join(project.workspace, target), "away")
    return job


@pytest.mark.parametrize("dangling", [False, True])
def test_remove_of_a_linked_job_directory_is_refused(project: Project, tmp_path: Path, dangling: bool) -> None:
    job = linked(project, str(tmp_path / "elsewhere"), dangling=dangling)
    with pytest.raises(OSError, match="is a link to '.*elsewhere', and its data would stay there") as caught:
        job.remove()
    assert caught.value.filename == job.path
    assert os.listdir(project.workspace) == [job.id]


def test_remove_when_it_is_refused_then_what_is_buffered_is_written(project: Project, tmp_path: Path) -> None:
    job = linked(project, str(tmp_path / "elsewhere"))
    with buffered():
        job.doc.k = 2
        with pytest.raises(OSError, match="is a link"):
            job.remove()
    assert project.open_job(id=job.id).doc() == {"k": 2}


def test_a_linked_job_directory_is_cleared_changed_moved_and_cloned_as_by_signac_2(
    project: Project, tmp_path: Path
) -> None:
    elsewhere, other, third = tmp_path / "elsewhere", Project.init_project("other"), Project.init_project("third")
    job = linked(project, str(elsewhere))
    Path(job.fn("f")).write_text("x")
    copy = third.clone(job)
    assert not os.path.islink(copy.path)
    assert copy.doc() == {"k": 1}
    job.sp.a = 2
    assert os.readlink(job.path) == str(elsewhere)
    job.move(other)
    assert (len(project), os.readlink(job.path), job.doc()) == (0, str(elsewhere), {"k": 1})
    job.clear()
    assert sorted(os.listdir(elsewhere)) == ["signac_job_document.json", "signac_statepoint.json"]
    assert job.sp() == {"a": 2}


@pytest.mark.parametrize("delete", [Job.clear, Job.reset, Job.remove])
@pytest.mark.parametrize("state_point", [None, "", "{}", '{"a": 2}'])
def test_a_link_in_the_place_of_a_job_when_it_leads_to_other_files_then_these_stay(
    project: Project, tmp_path: Path, delete: Callable[[Job], None], state_point: str | None
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis").write_text("200 pages")
    if state_point is not None:
        (elsewhere / layout.FN_STATE_POINT).write_text(state_point)
    job = project.open_job({"a": 1})
    os.symlink(elsewhere, job.path)
    before = sorted(os.listdir(elsewhere))
    with pytest.raises((JobsCorruptedError, OSError)):
        delete(project.open_job(id=job.id))
    assert sorted(os.listdir(elsewhere)) == before


def test_a_link_to_a_removal_under_way_is_none(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in (layout.FN_REMOVED, "thesis"):
        (elsewhere / name).touch()
    job = project.open_job({"a": 1})
    os.symlink(elsewhere, job.path)
    unfinished = Path(project.workspace, f"{layout.PREFIX_NEW}{job.id}-0123456789abcdef")
    os.symlink(elsewhere, unfinished)
    assert workspace.is_marked(str(elsewhere))
    assert not workspace.is_marked(job.path)
    job.init()
    assert not litter.delete(str(unfinished))  # it is young
    assert sorted(os.listdir(elsewhere)) == sorted([layout.FN_REMOVED, layout.FN_STATE_POINT, "thesis"])


PLACES = ["", ".", "..", "../..", "/", "../workspace", f"{'0' * 32}/..", f"{'0' * 32}/../../..", "0" * 31, "x" * 32]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("state_point", [None, {"a": 1}])
def test_no_job_has_an_id_that_leads_elsewhere(project: Project, place: str, state_point: Any) -> None:
    with pytest.raises(ValueError, match="is no job id"):
        Job(project, state_point, place)
    with pytest.raises(KeyError):
        project.open_job(id=place)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_remove_deletes_nothing_but_jobs(project: Project, tmp_path: Path, place: str, is_elsewhere: bool) -> None:
    if is_elsewhere:  # renaming one's way out may fail as on another file system then
        os.rename(project.workspace, tmp_path / "elsewhere")
        os.symlink(tmp_path / "elsewhere", project.workspace)
    job = project.open_job({"a": 1}).init()
    with pytest.raises(ValueError, match="is no job id"):
        lifecycle.remove(project.workspace, place)
    assert job in project


def test_move_of_a_job_directory_that_is_a_relative_link_is_refused(project: Project) -> None:
    other = Project.init_project("other")
    job = linked(project, "../elsewhere")
    with pytest.raises(OSError, match="would lead elsewhere"):
        job.move(other)
    assert job.doc() == {"k": 1}
    assert len(other) == 0


def test_move_of_a_linked_job_directory_to_another_file_system_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Project.init_project("other")
    job = linked(project, str(tmp_path / "elsewhere"))
    no_way_across(monkeypatch, project)
    with pytest.raises(OSError, match="is a link"):
        job.move(other)
    assert job.doc() == {"k": 1}
    assert os.listdir(other.workspace) == []


def test_clear_keeps_state_point_and_document_files_and_deletes_the_rest(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x")
    job = project.open_job({"a": 1}).init()
    job.doc.x = 1
    Path(job.path, "d").mkdir()
    Path(job.path, "d", "f").write_text("x")
    Path(job.path, "link").symlink_to(outside)
    Path(job.path, "dangling").symlink_to("nowhere")
    job.clear()
    assert sorted(os.listdir(job.path)) == ["signac_job_document.json", "signac_statepoint.json"]
    assert job.doc() == {}
    assert (outside / "keep").exists()


def test_clear_of_nothing_does_nothing_and_reset_creates(project: Project) -> None:
    job = project.open_job({"a": 1})
    job.clear()
    assert len(project) == 0
    job.reset()
    assert job in project
    job.doc.x = 1
    job.reset()
    assert job.doc() == {}


def test_move_takes_the_job_and_the_handle_to_the_other_project(project: Project) -> None:
    other = Project.init_project("other")
    os.rmdir(other.workspace)
    job = project.open_job({"a": 1}).init()
    job.doc.x = 1
    job.move(other)
    assert job.project is other
    assert (len(project), len(other)) == (0, 1)
    assert job.doc() == {"x": 1}
    job.move(other)
    again = project.open_job({"a": 1}).init()
    with pytest.raises(DestinationExistsError) as caught:
        again.move(other)
    assert caught.value.destination == job
    assert again in project
    with pytest.raises(RuntimeError, match="not initialized"):
        project.open_job({"a": 2}).move(other)


def no_way_across(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    """Let a project be on a file system of its own."""
    rename = os.rename

    def cross_device(source: str, destination: str) -> None:
        if source.startswith(project.workspace) != destination.startswith(project.workspace):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", cross_device)


def test_move_across_file_systems_copies_compares_and_then_removes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    Path(job.fn("f")).write_text("data")
    os.chmod(job.fn("f"), 0o4600)
    Path(job.fn("link")).symlink_to("f")
    Path(job.fn("dangling")).symlink_to("nowhere")
    no_way_across(monkeypatch, project)
    job.move(other)
    assert (len(project), os.listdir(other.workspace)) == (0, [job.id])
    assert Path(job.fn("f")).read_text() == "data"
    assert os.stat(job.fn("f")).st_mode & 0o7777 == 0o600
    assert (os.readlink(job.fn("link")), os.readlink(job.fn("dangling"))) == ("f", "nowhere")
    assert os.listdir(project.workspace) == []


def test_move_across_file_systems_when_the_copy_differs_keeps_the_source(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core.exchange import copying

    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    Path(job.fn("f")).write_text("data")
    copy = copying._copy

    def lossy(source: str, destination: str, *args: Any, **kwargs: Any) -> None:
        copy(source, destination, *args, **kwargs)
        Path(destination, "f").write_text("atad")

    no_way_across(monkeypatch, project)
    monkeypatch.setattr(copying, "_copy", lossy)
    with pytest.raises(OSError, match="differs from its source"):
        job.move(other)
    assert Path(job.fn("f")).read_text() == "data"
    assert os.listdir(other.workspace) == []


def test_move_across_file_systems_lets_nobody_write_between_comparison_and_removal(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core.errors import LockTimeoutError
    from signac_core.exchange import copying

    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    late = Project().open_job(id=job.id).doc
    compare = copying._difference

    def compare_then_try_to_write(*args: Any) -> str | None:
        difference = compare(*args)
        monkeypatch.setenv("SIGNAC_LOCK_TIMEOUT", "0")
        with pytest.raises(LockTimeoutError):
            late["lost"] = 1
        return difference

    no_way_across(monkeypatch, project)
    monkeypatch.setattr(copying, "_difference", compare_then_try_to_write)
    job.move(other)
    with pytest.raises(FileNotFoundError, match="has gone"):
        late["lost"] = 1
    assert (len(project), len(other)) == (0, 1)


def test_move_across_file_systems_when_it_was_stopped_before_it_removed_then_another_one_removes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    job.doc.k = 1
    Path(job.fn("link")).symlink_to("nowhere")
    shutil.copytree(job.path, os.path.join(other.workspace, job.id), symlinks=True)
    no_way_across(monkeypatch, project)
    job.move(other)
    assert (job.project, len(project), job.doc()) == (other, 0, {"k": 1})
    assert os.listdir(project.workspace) == []


def test_move_across_file_systems_when_the_other_job_differs_then_nothing_is_changed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    other.open_job({"a": 1}).doc.k = 1
    no_way_across(monkeypatch, project)
    with pytest.raises(DestinationExistsError):
        job.move(other)
    assert (job in project, job.doc(), other.open_job(id=job.id).doc()) == (True, {}, {"k": 1})


def test_a_document_and_a_state_point_keep_their_modes(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    job.doc.k = 1
    for name, mode in ((job.FN_DOCUMENT, 0o600), (job.FN_STATE_POINT, 0o640)):
        os.chmod(job.fn(name), mode)
    job.doc.k = 2
    with buffered():
        job.doc.k = 3
    job.sp.a = 2
    job.move(Project.init_project("other"))
    job.init(force=True)
    modes = [os.stat(job.fn(name)).st_mode & 0o777 for name in (job.FN_DOCUMENT, job.FN_STATE_POINT)]
    assert modes == [0o600, 0o640]


def test_a_damaged_state_point_that_is_replaced_keeps_its_mode(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    Path(job.fn(job.FN_STATE_POINT)).write_text("")
    os.chmod(job.fn(job.FN_STATE_POINT), 0o600)
    job.init(force=True)
    assert os.stat(job.fn(job.FN_STATE_POINT)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("last", [False, True])
def test_a_state_point_change_whose_last_step_fails_is_what_is_reported(
    project: Project, monkeypatch: pytest.MonkeyPatch, last: bool
) -> None:
    job = project.open_job({"a": 1}).init()
    job.doc.k = 1
    before = job.id
    rename, calls = os.rename, []

    def fail(source: str, destination: str) -> None:
        if os.path.basename(destination) == job.FN_STATE_POINT or (last and calls):
            calls.append(destination)
            raise OSError(errno.ENOSPC, "No space left on device")
        rename(source, destination)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        if last:  # what was done cannot be taken back either
            job.sp.a = 2
            assert job.id != before
        else:
            with pytest.raises(OSError, match="No space"):
                job.sp.a = 2
            assert job.id == before
            assert sorted(os.listdir(job.path)) == ["signac_job_document.json", "signac_statepoint.json"]
    assert os.listdir(project.workspace) == [job.id]
    assert Project().open_job(id=job.id).sp() == {"a": 2 if last else 1}
    assert job.doc() == {"k": 1}


def test_what_the_system_says_about_unlocking_is_no_failure_of_what_was_done(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core import locks

    flock = locks.flock

    def complain(fd: int, operation: int) -> None:
        flock(fd, operation)
        if operation == locks.LOCK_UN:
            raise OSError(errno.EIO, "Input/output error")

    job = project.open_job({"a": 1}).init()
    monkeypatch.setattr(locks, "flock", complain)
    job.doc.k = 1
    job.sp.a = 2
    assert (job.doc(), job.sp()) == ({"k": 1}, {"a": 2})


@pytest.mark.parametrize("how", ["move", "remove", "change"])
def test_a_lock_on_a_job_that_is_moved_and_made_again_before_it_is_taken_is_that_of_the_new_one(
    project: Project, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from signac_core import locks

    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    open_file = locks._open
    opened: list[int] = []

    def open_then_take_away(path: str) -> int:
        fd = open_file(path)
        opened.append(fd)
        if len(opened) == 1:
            away = Project().open_job({"a": 1})
            if how == "move":
                away.move(other)
            elif how == "remove":
                monkeypatch.setattr(lifecycle, "_delete_by_descriptor", lambda *place: True)  # it takes its time
                away.remove()
            else:
                away.sp.a = 2
            project.open_job({"a": 1}).init()
        return fd

    monkeypatch.setattr(locks, "_open", open_then_take_away)
    with locks.Lock(job.fn(job.FN_STATE_POINT)) as lock:
        assert lock.status is not None
        assert lock.status.st_ino == os.stat(job.fn(job.FN_STATE_POINT)).st_ino


def test_clone_copies_the_job_whole(project: Project) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    job.doc.x = 1
    Path(job.fn("._0123456789abcdef_signac_job_document.json")).write_text("half")
    cloned = other.clone(job)
    assert cloned.project is other
    assert cloned.doc() == {"x": 1}
    assert sorted(os.listdir(cloned.path)) == ["signac_job_document.json", "signac_statepoint.json"]
    assert job in project
    with pytest.raises(DestinationExistsError):
        other.clone(job)
    with pytest.raises(ValueError, match="not initialized"):
        other.clone(project.open_job({"a": 2}))


def test_clone_when_the_copy_fails_leaves_nothing(project: Project) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    os.mkfifo(job.fn("pipe"))
    with pytest.raises(OSError, match="pipe"):
        other.clone(job)
    assert os.listdir(other.workspace) == []


# working directory, copies --------------------------------------------------------------------------------------


def test_the_context_changes_the_working_directory_and_back(project: Project) -> None:
    start = os.getcwd()
    with project.open_job({"a": 1}) as job:
        assert os.getcwd() == job.path
        with job:
            assert os.getcwd() == job.path
        job.sp.b = 2  # the way back is kept
        assert os.getcwd() == job.path
    assert os.getcwd() == start
    job.close()
    with pytest.raises(RuntimeError, match="inside"), job:
        raise RuntimeError("inside")
    assert os.getcwd() == start


def test_equality_and_hash(project: Project, tmp_path: Path) -> None:
    job = project.open_job({"a": 1}).init()
    assert job == project.open_job(id=job.id)
    assert hash(job) == hash(job.id)
    assert job != project.open_job({"a": 2})
    assert job != job.id
    assert job != Project.init_project("other").open_job({"a": 1})
    (tmp_path / "linked").symlink_to(project.path)
    assert job == Project(str(tmp_path / "linked")).open_job({"a": 1})


def test_shallow_copies_follow_each_other_and_deep_copies_do_not(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    shallow, deep = copy.copy(job), copy.deepcopy(job)
    shallow.sp.a = 2
    assert job.id == shallow.id == calc_id({"a": 2})
    assert deep.id == calc_id({"a": 1})
    assert deep.project == job.project
    assert deep.project is not job.project
    with pytest.raises(FileNotFoundError):
        deep.sp.a = 3  # its job has gone
    copy.deepcopy(job).sp.a = 3
    assert job.id == calc_id({"a": 2})


def test_pickles_are_independent_handles(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    job.doc.x = 1
    job.note = "mine"  # type: ignore[attr-defined]
    for original in (job, project.open_job(id=job.id), project.open_job({"b": 1})):
        other = pickle.loads(pickle.dumps(original))
        assert other == original
        assert other.sp() == original.sp()
    assert pickle.loads(pickle.dumps(job)).note == "mine"
    assert pickle.loads(pickle.dumps(job.sp))() == {"a": 1}


def test_a_refused_change_keeps_held_items_with_their_elements(project: Project) -> None:
    job = project.open_job({"l": [{"x": 0}, {"x": 1}]}).init()
    project.open_job({"l": [{"x": 1}]}).init()
    held = job.sp.l[1]
    with pytest.raises(DestinationExistsError):
        job.sp.l.pop(0)
    assert held() == {"x": 1}


def test_what_the_project_remembers_does_not_change_with_the_handle(project: Project) -> None:
    job = project.open_job({"a": 1})
    _ = job.sp
    job.init()
    old_id = job.id
    job.sp.a = 2
    Project().open_job({"a": 1}).init()
    assert project.open_job(id=old_id).sp() == {"a": 1}
    assert (len(project.find_jobs({"a": 1})), len(project.find_jobs({"a": 2}))) == (1, 1)


def test_shallow_copies_follow_a_move(project: Project) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    shallow = copy.copy(job)
    shallow.move(other)
    shallow.sp.a = 2
    assert job.path == shallow.path == os.path.join(other.workspace, calc_id({"a": 2}))
    assert os.listdir(other.workspace) == [job.id]


@pytest.mark.parametrize("depth", ["directory", "file"])
def test_init_where_a_broken_link_stands_ends(project: Project, depth: str) -> None:
    job = project.open_job({"a": 1})
    if depth == "directory":
        os.symlink("/nowhere", job.path)
        with pytest.raises(FileExistsError, match="broken link"):
            job.init()
        os.unlink(job.path)
    else:
        os.mkdir(job.path)
        os.symlink("/nowhere", job.fn(job.FN_STATE_POINT))
        with pytest.raises(JobsCorruptedError):
            job.init()
        assert os.readlink(job.fn(job.FN_STATE_POINT)) == "/nowhere"
    assert job.init(force=True).sp() == {"a": 1}
    assert os.listdir(project.workspace) == [job.id]


def test_threads_that_share_a_handle_may_change_its_state_point(project: Project) -> None:
    import threading

    job = project.open_job({"n": 0}).init()
    errors: list[BaseException] = []

    def change(worker: int) -> None:
        try:
            for i in range(5):
                job.sp[f"k{worker}_{i}"] = i
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=change, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(Project().open_job(id=job.id).sp()) == 21


def test_update_statepoint_accepts_an_equal_value_in_another_key_order(project: Project) -> None:
    job = project.open_job({"m": {"a": 1, "b": 2}}).init()
    job.update_statepoint({"m": {"b": 2, "a": 1}, "z": 1})
    assert job.sp() == {"m": {"b": 2, "a": 1}, "z": 1}


def test_a_job_without_state_point_file_can_be_moved(project: Project) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    Path(job.fn("data")).write_text("x")
    state_point_file(job).unlink()
    job.move(other)
    assert os.listdir(job.path) == ["data"]


def test_a_handle_with_an_invalid_state_point_can_be_shown_and_removed(project: Project) -> None:
    job = project.open_job({"a.b": 1})
    assert "{'a.b': 1}" in repr(job)
    job.remove()
    job.sp = {"a": {"b": 1}}
    assert job.init().sp() == {"a": {"b": 1}}


# handles that are no longer in use ------------------------------------------------------------------------------------


def test_handles_are_freed_without_the_garbage_collector(project: Project) -> None:
    gc.disable()
    try:
        job = project.open_job({"a": {"b": 1}}).init()
        assert job.sp.a.b == 1
        job.doc.x = 1
        handle = weakref.ref(job)
        del job
        assert handle() is None
    finally:
        gc.enable()


def test_a_state_point_that_outlives_its_handle_still_renames_the_job(project: Project) -> None:
    sp = project.open_job({"a": 1}).init().sp
    sp.a = 2
    assert [job.sp() for job in project] == [{"a": 2}]
    sp.b = 3
    assert [job.sp() for job in Project(project.path)] == [{"a": 2, "b": 3}]
    assert pickle.loads(pickle.dumps(sp)) == {"a": 2, "b": 3}


def test_a_state_point_that_outlives_its_handle_follows_a_move(project: Project) -> None:
    other = Project.init_project("other")
    job = project.open_job({"a": 1}).init()
    sp = job.sp
    job.move(other)
    del job
    sp.a = 2
    assert [job.sp() for job in other] == [{"a": 2}]
    assert len(project) == 0


def test_a_state_point_that_outlives_the_handle_of_a_job_that_has_gone_says_so(project: Project) -> None:
    sp = project.open_job({"a": 1}).init().sp
    project.open_job({"a": 1}).remove()
    with pytest.raises(FileNotFoundError):
        sp.a = 2
    assert sp() == {"a": 1}


def test_a_copy_that_outlives_the_original_follows_changes(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    twin = copy.copy(job)
    sp = job.sp
    del job
    sp.a = 2
    assert twin.id == calc_id({"a": 2})
    assert twin.sp is sp


def test_cached_state_points_do_not_follow_changes(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    for before in (job.cached_statepoint, job.cached_statepoint):
        assert before == {"a": 1}
    first = job.cached_statepoint
    job.sp.a = 2
    second = job.cached_statepoint
    job.sp.a = 3
    assert (first, second) == ({"a": 1}, {"a": 2})


# --- other processes --------------------------------------------------------------------------------------------------


@pytest.fixture
def many(project: Project) -> Project:
    """A project of 100 jobs with an index, which has iterated over them."""
    for i in range(100):
        project.open_job({"i": i, "text": "x" * 100}).init()
    project.update_cache()
    many = Project()
    assert len([job.sp() for job in many]) == 100
    many.doc.x = 1
    many.note = "mine"  # type: ignore[attr-defined]
    return many


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_light_after_an_iteration(many: Project, protocol: int) -> None:
    job = next(iter(many))
    job.doc.x = 1
    for thing in (many, job, job.doc, many.doc):
        assert len(pickle.dumps(thing, protocol)) < 600
    jobs = list(many)
    assert len(pickle.dumps(jobs, protocol)) < 600 + 120 * len(jobs)
    other = pickle.loads(pickle.dumps(many, protocol))
    assert (other, other.note, other.durable, other.config) == (many, "mine", False, many.config)
    assert {job.sp.i for job in other} == set(range(100))
    assert [job.sp() for job in pickle.loads(pickle.dumps(jobs, protocol))] == [job.sp() for job in jobs]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_of_a_project_begin_anew(many: Project, duplicate: Callable[[Project], Project]) -> None:
    other = duplicate(many)
    assert (other, other.space.known, other.doc.x) == (many, {}, 1)
    assert other.open_job({"i": 1000}).init() in many


def test_a_pickled_cursor_keeps_its_jobs(many: Project) -> None:
    jobs = many.find_jobs({"i.$lt": 3})
    assert len(jobs) == 3
    assert jobs[0] in jobs
    many.open_job({"i": 1}).init()
    for other in (pickle.loads(pickle.dumps(jobs)), copy.copy(jobs), copy.deepcopy(jobs)):
        assert [job.id for job in other] == [job.id for job in jobs]
        assert jobs[0] in other
    assert len(pickle.dumps(jobs)) < 600
    assert [job.id for job in pickle.loads(pickle.dumps(jobs[:2]))] == [job.id for job in jobs[:2]]


def test_a_pickled_job_that_does_not_exist_has_its_state_point(project: Project) -> None:
    job = pickle.loads(pickle.dumps(project.open_job({"a": 1})))
    assert job.sp() == {"a": 1}
    assert job.init() in project


def test_a_pickled_state_point_does_not_need_its_job(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    pickled = pickle.dumps(job.sp)
    job.remove()
    assert pickle.loads(pickled)() == {"a": 1}


def test_everything_goes_to_a_spawned_process(many: Project) -> None:
    program = (
        "import pickle, sys\n"
        "project, job, jobs, document, state_point, cached = pickle.load(sys.stdin.buffer)\n"
        "document['seen'] = [job.sp.i, len(jobs), len(project), state_point['i'], cached['i'], job.doc.x]\n"
    )
    job = many.find_jobs({"i": 3})[0]
    job.doc.x = 7
    things = (many, job, many.find_jobs({"i.$lt": 9}), job.doc, job.sp, job.cached_statepoint)
    subprocess.run([sys.executable, "-c", program], input=pickle.dumps(things), check=True)
    assert job.doc.seen == [3, 9, 100, 3, 3, 7]


# --- cached state points ----------------------------------------------------------------------------------------------


def test_a_cached_statepoint_is_a_dict_for_json_pickle_and_copies(project: Project) -> None:
    cached = project.open_job({"a": 1, "n": {"l": [1]}}).init().cached_statepoint
    duplicates = [
        json.loads(json.dumps(cached)),
        json.loads(json.dumps(dict(cached))),
        json.loads(json.dumps([cached], indent=1))[0],
        orjson.loads(orjson.dumps(cached)),
        pickle.loads(pickle.dumps(cached)),
        copy.copy(cached),
        copy.deepcopy(cached),
        cached.copy(),  # type: ignore[attr-defined]
    ]
    for duplicate in duplicates:
        assert duplicate == cached == {"a": 1, "n": {"l": [1]}}
    assert repr(cached) == "{'a': 1, 'n': {'l': [1]}}"
    assert isinstance(cached, Mapping)
    assert copy.deepcopy(cached)["n"] is not cached["n"]
    assert project.open_job(cached) in project


@pytest.mark.parametrize(
    "change",
    [
        lambda cached: cached.__setitem__("a", 2),
        lambda cached: cached.__delitem__("a"),
        lambda cached: cached.update(a=2),
        lambda cached: cached.clear(),
        lambda cached: cached.pop("a"),
        lambda cached: cached.popitem(),
        lambda cached: cached.setdefault("b", 2),
        lambda cached: cached.__ior__({"a": 2}),
    ],
)
@pytest.mark.parametrize("duplicate", [lambda cached: cached, copy.copy, copy.deepcopy])
def test_a_cached_statepoint_refuses_changes(
    project: Project, change: Callable[[Any], Any], duplicate: Callable[[Any], Any]
) -> None:
    cached = duplicate(project.open_job({"a": 1}).cached_statepoint)
    with pytest.raises(TypeError, match="change job.statepoint"):
        change(cached)
    assert cached == {"a": 1}


def test_a_cached_statepoint_shares_nothing_with_what_is_in_memory(project: Project) -> None:
    job = project.open_job({"a": 1, "n": {"l": [1]}}).init()
    job.cached_statepoint["n"]["l"].append(2)
    dict.__setitem__(job.cached_statepoint, "a", 2)  # type: ignore[arg-type]
    assert job.sp() == project.open_job(id=job.id).sp() == {"a": 1, "n": {"l": [1]}}


@pytest.mark.parametrize("number", [1, 40])
@pytest.mark.parametrize("kept", [".signac/index", ".signac/statepoint_cache.json.gz"])
def test_the_cache_answers_for_a_state_point_file_that_is_lost(project: Project, number: int, kept: str) -> None:
    jobs = [project.open_job({"i": i}).init() for i in range(number)]
    project.update_cache()
    for name in {".signac/index", ".signac/statepoint_cache.json.gz"} - {kept}:
        os.remove(name)
    os.remove(jobs[0].fn("signac_statepoint.json"))
    os.utime(jobs[0].path, (0, 0))
    assert Project().open_job(id=jobs[0].id).cached_statepoint == {"i": 0}
    assert Project().open_job(id=jobs[0].id).sp() == {"i": 0}
    assert {job.cached_statepoint["i"] for job in Project()} == set(range(number))
    Project().open_job(id=jobs[0].id).init()
    project.check()


def test_a_forged_cache_does_not_answer_for_a_state_point_file_that_is_lost(project: Project) -> None:
    job = project.open_job({"i": 0}).init()
    os.remove(job.fn("signac_statepoint.json"))
    os.utime(job.path, (0, 0))
    Path(".signac/statepoint_cache.json.gz").write_bytes(gzip.compress(json.dumps({job.id: {"i": 1}}).encode()))
    with pytest.raises(JobsCorruptedError):
        _ = Project().open_job(id=job.id).cached_statepoint
