"""Single jobs that are looked up one after the other where the file system is slow."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path

import pytest

from signac_core import Project, catalog, layout, lookups, stamps
from signac_core.canonical import calc_id
from signac_core.errors import JobsCorruptedError
from tests.support.patches import for_some_cases

NUMBER = 60


@pytest.fixture
def study(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with an index on a file system every call to which is slow."""
    monkeypatch.setattr(stamps, "margin", lambda *devices: -(10**18))
    for i in range(NUMBER):
        project.open_job({"i": i, "n": {"x": [i]}}).init()
    project.update_cache()
    monkeypatch.setattr(lookups, "_SLOW", -1.0)
    return Project(project.path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(lookups, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of directories that were looked at, and of state points that were read, in a job."""
    from signac_core import files

    found: list[str] = []
    is_directory, read_bytes = files.is_directory, files.read_bytes

    def looked(path: str) -> bool:
        found.append(path)
        return is_directory(path)

    def read(path: str, **options: int | None) -> bytes:
        found.append(path)
        return read_bytes(path, **options)

    monkeypatch.setattr(files, "is_directory", looked)
    with for_some_cases():  # some tests ask for no state point
        monkeypatch.setattr(files, "read_bytes", read)
    return found


def ids(project: Project) -> list[str]:
    return sorted(os.listdir(project.workspace))


def test_state_points_when_read_one_by_one_then_the_files_of_a_few_are_looked_at(study, looks):
    found = {job_id: study.open_job(id=job_id).sp() for job_id in ids(study)}
    assert sorted(state_point["i"] for state_point in found.values()) == list(range(NUMBER))
    assert all(state_point["n"] == {"x": [state_point["i"]]} for state_point in found.values())
    assert len(looks) == 8 + lookups._ENOUGH + 15  # looks at directories, and state points until these are in memory


def test_file_system_when_it_is_quick_then_every_job_is_looked_at(study, looks, monkeypatch):
    monkeypatch.setattr(lookups, "_SLOW", 3600.0)
    for job_id in ids(study):
        study.open_job(id=job_id)
    assert len(looks) == NUMBER


def test_job_when_it_is_new_then_it_is_found_at_once(study):
    for job_id in ids(study):
        study.open_job(id=job_id)
    other = Project(study.path).open_job({"i": NUMBER}).init()
    assert study.open_job(id=other.id).sp() == {"i": NUMBER}


def test_job_when_this_process_has_removed_moved_or_changed_it_then_it_is_not_found(study, tmp_path):
    removed, moved, changed, *others = ids(study)
    for job_id in others:
        study.open_job(id=job_id)
    study.open_job(id=removed).remove()
    with pytest.raises(KeyError):
        study.open_job(id=removed)
    for job_id in others:
        study.open_job(id=job_id)
    study.open_job(id=moved).move(Project.init_project(str(tmp_path / "other")))
    with pytest.raises(KeyError):
        study.open_job(id=moved)
    for job_id in others:
        study.open_job(id=job_id)
    study.open_job(id=changed).sp.new = 1
    with pytest.raises(KeyError):
        study.open_job(id=changed)


def test_job_when_another_process_has_removed_it_then_it_is_not_found_a_second_later(study, clock):
    first, *others = ids(study)
    for job_id in others:
        study.open_job(id=job_id)
    shutil.rmtree(study.fn(f"workspace/{first}"))
    assert study.open_job(id=first).id == first
    clock[0] += 1.5
    with pytest.raises(KeyError):
        study.open_job(id=first)
    assert study.open_job(id=others[0]).sp()["i"] >= 0


def test_index_when_absent_then_the_files_answer(study, looks):
    shutil.rmtree(study.fn(".signac"))
    os.mkdir(study.fn(".signac"))
    Path(study.fn(".signac/config")).write_text("schema_version = 2\n")
    assert len({study.open_job(id=job_id).sp.i for job_id in ids(study)}) == NUMBER
    assert len(looks) == 2 * NUMBER - 20  # from the 41st on only the state points are read


def test_index_when_its_texts_are_damaged_then_the_files_answer(study):
    with Path(study.fn(".signac/index")).open("r+b") as file:
        data = file.read()
        place = data.index(b"x\x01") if b"x\x01" in data else data.index(b"x^")  # where a block begins
        file.seek(place + 10)
        file.write(bytes(32))
    assert len({study.open_job(id=job_id).sp.i for job_id in ids(study)}) == NUMBER


def test_project_when_copied_then_the_copy_begins_anew(study):
    for job_id in ids(study):
        study.open_job(id=job_id)
    copied = copy.copy(study.space.lookups)
    assert (copied.snapshot, copied.slow) == (None, 0)


def test_workspace_when_it_cannot_be_listed_any_more_then_there_is_no_job_and_no_error(study, clock):
    names = ids(study)
    assert all(lookups.has_job(study.space, name) for name in names)
    shutil.rmtree(study.workspace)
    Path(study.workspace).write_text("no directory")
    clock[0] += 60
    assert not any(lookups.has_job(study.space, name) for name in names)


def test_state_points_when_many_are_read_one_by_one_then_the_index_is_taken_into_memory(study, looks, monkeypatch):
    monkeypatch.setattr(lookups, "_SLOW", 3600.0)
    assert sorted(study.open_job(id=job_id).sp.i for job_id in ids(study)) == list(range(NUMBER))
    assert study.space.is_loaded
    assert len(looks) == NUMBER + 15  # the directories of all, the state points of some


def test_state_points_when_few_of_very_many_are_read_one_by_one_then_the_index_is_left_alone(study, monkeypatch):
    monkeypatch.setattr(lookups, "_SLOW", 3600.0)
    monkeypatch.setattr(catalog, "ROWS_PER_READ", 1)
    assert len([study.open_job(id=job_id).sp.i for job_id in ids(study)[:50]]) == 50
    assert not study.space.is_loaded


def test_opened_by_ids_when_there_is_no_index_then_state_points_are_read_instead_of_a_look(
    study: Project, looks: list[str]
) -> None:
    os.unlink(study.fn(layout.FN_INDEX))
    os.unlink(study.fn(study.FN_CACHE))
    names = ids(study)
    points = {name: study.open_job(id=name).sp() for name in names[:40]}
    looks.clear()
    points |= {name: study.open_job(id=name).sp() for name in names[40:]}
    assert looks == [f"{study.workspace}/{name}/{layout.FN_STATE_POINT}" for name in names[40:]]
    assert all(calc_id(point) == name for name, point in points.items())


def test_opened_by_ids_when_state_points_are_not_asked_for_then_they_are_not_read(
    study: Project, looks: list[str]
) -> None:
    os.unlink(study.fn(layout.FN_INDEX))
    names = ids(study)
    assert [study.open_job(id=name).id for name in names] == names
    assert looks == [f"{study.workspace}/{name}" for name in names]


def test_opened_by_ids_when_a_state_point_is_damaged_or_there_is_no_job_then_as_ever(study: Project) -> None:
    os.unlink(study.fn(layout.FN_INDEX))
    os.unlink(study.fn(study.FN_CACHE))
    *names, damaged = ids(study)
    Path(study.workspace, damaged, layout.FN_STATE_POINT).write_text("{}")
    for name in names:
        study.open_job(id=name).sp()
    with pytest.raises(KeyError):
        study.open_job(id="0" * 32)
    job = study.open_job(id=damaged)
    with pytest.raises(JobsCorruptedError):
        job.sp()
