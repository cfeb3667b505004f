from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, lifecycle, workspace
from signac_core.canonical import calc_id
from signac_core.care import litter, soundness
from signac_core.care.integrity import Outcome, Problem, check, examine, examine_job, repair, repair_problems
from signac_core.errors import JobsCorruptedError
from signac_core.job import Job
from signac_core.layout import pending_name
from tests.support.patches import for_some_cases

SP, BACKUP, DOC = "signac_statepoint.json", "signac_statepoint.json~", "signac_job_document.json"
BOGUS = "0" * 32
UUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture(params=["few jobs", "many jobs"])
def study(project: Project, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Three jobs with data, in the directory that the other handles of a test open anew.

    They are looked at as few jobs are, and as many are.
    """
    if request.param == "many jobs":
        with for_some_cases():
            monkeypatch.setattr(soundness, "_MANY", 0)
    for a in range(3):
        job = project.open_job({"a": a})
        job.doc.value = a
        Path(job.fn("data.txt")).write_text(str(a))
    return project


def path_of(project: Project, a: int, name: str = SP) -> Path:
    return Path(project.workspace, calc_id({"a": a}), name)


def damaged() -> list[str]:
    """What ``check`` says, without anything in memory."""
    try:
        Project().check()
    except JobsCorruptedError as error:
        return list(error.job_ids)
    return []


def unrepaired(job_ids: list[str] | None = None) -> list[str]:
    try:
        Project().repair(job_ids)
    except JobsCorruptedError as error:
        return list(error.job_ids)
    return []


def files_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def assert_whole(project: Project, a: int) -> None:
    job = Project().open_job({"a": a})
    assert json.loads(path_of(project, a).read_bytes()) == {"a": a}
    assert job.doc() == {"value": a}
    assert Path(job.fn("data.txt")).read_text() == str(a)


# --- the matrix of damage ---------------------------------------------------------------------------------------------


def write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": write(b""),
    "garbage": write(b"garbage"),
    "not UTF-8": write(b'{"a": "\xff\xfe"}'),
    "a list": write(b"[1]"),
    "null": write(b"null"),
    "truncated": write(b'{"a": '),
    "deep": write(b"[" * 100_000),
}


@pytest.mark.parametrize("kind", list(UNREADABLE))
def test_an_unreadable_state_point_without_cache_stays_damaged(study: Project, kind: str) -> None:
    UNREADABLE[kind](path_of(study, 1))
    before = files_of(Path(study.workspace))
    assert damaged() == unrepaired() == [calc_id({"a": 1})]
    assert files_of(Path(study.workspace)) == before


@pytest.mark.parametrize("kind", list(UNREADABLE))
def test_an_unreadable_state_point_is_restored_from_the_cache(study: Project, kind: str) -> None:
    study.update_cache()
    UNREADABLE[kind](path_of(study, 1))
    assert damaged() == [calc_id({"a": 1})]
    assert unrepaired() == []
    assert damaged() == []
    assert_whole(study, 1)


def test_a_state_point_is_restored_from_memory(study: Project) -> None:
    path_of(study, 1).unlink()
    study.repair()
    assert_whole(study, 1)


def test_another_state_point_without_cache_gives_the_directory_its_id(study: Project) -> None:
    path_of(study, 1).write_text('{"a": 7}')
    assert damaged() == [calc_id({"a": 1})]
    assert unrepaired() == []
    assert not path_of(study, 1).exists()
    job = Project().open_job({"a": 7})
    assert (job.doc(), Path(job.fn("data.txt")).read_text()) == ({"value": 1}, "1")
    assert damaged() == []


def test_another_state_point_is_overwritten_from_the_cache(study: Project) -> None:
    study.update_cache()
    path_of(study, 1).write_text('{"a": 7}')
    assert unrepaired() == []
    assert_whole(study, 1)


def test_the_state_point_of_an_existing_job_stays_damaged_without_cache(study: Project) -> None:
    path_of(study, 1).write_text('{"a": 2}')
    before = files_of(Path(study.workspace))
    assert damaged() == unrepaired() == [calc_id({"a": 1})]
    assert files_of(Path(study.workspace)) == before
    study.update_cache()
    assert unrepaired() == []
    assert_whole(study, 1)
    assert_whole(study, 2)


@pytest.mark.parametrize("name", [BOGUS, calc_id({"a": 1}) + "~", calc_id({"a": 1}) + ".bak"])
def test_a_renamed_directory_gets_its_name_back(study: Project, name: str) -> None:
    path_of(study, 1).parent.rename(Path(study.workspace, name))
    assert damaged() == [name]
    assert unrepaired() == []
    assert_whole(study, 1)
    assert damaged() == []


def no_renaming_of_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workspace be in the lower layer of an overlay: only what is new there can be renamed."""
    rename = os.rename

    def cross_device(source: str, destination: str, **kwargs: Any) -> None:
        if os.path.isdir(source) and not os.path.basename(source).startswith(".signac-new"):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        rename(source, destination, **kwargs)

    monkeypatch.setattr(os, "rename", cross_device)


def test_repair_when_the_directory_cannot_be_renamed_then_the_job_is_copied(study: Project, monkeypatch) -> None:
    path_of(study, 1).parent.rename(Path(study.workspace, BOGUS))
    no_renaming_of_directories(monkeypatch)
    problems = list(examine(study.space))
    assert [problem.remedy for problem in problems] == [f"rename the directory to {calc_id({'a': 1})}"]
    assert [outcome.repaired for outcome in repair_problems(study.space, problems)] == [True]
    assert_whole(study, 1)
    assert list(examine(study.space)) == []
    assert len(os.listdir(study.workspace)) == 3


def test_repair_when_the_copy_was_stopped_before_the_source_went_then_it_goes(study, monkeypatch, later) -> None:
    path_of(study, 1).parent.rename(Path(study.workspace, BOGUS))
    before = files_of(Path(study.workspace, BOGUS))

    def stop(*args: Any) -> str:
        raise KeyboardInterrupt

    no_renaming_of_directories(monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lifecycle, "set_aside", stop)
        repair_problems(study.space, list(examine(study.space)))
    assert files_of(Path(study.workspace, BOGUS)) == before
    assert [outcome.repaired for outcome in repair_problems(study.space, list(examine(study.space)))] == [True, True]
    assert_whole(study, 1)
    assert list(examine(study.space)) == []
    assert len(os.listdir(study.workspace)) == 3


def test_a_copy_of_a_job_is_left_where_it_is(study: Project) -> None:
    name = calc_id({"a": 1}) + ".bak"
    shutil.copytree(path_of(study, 1).parent, Path(study.workspace, name))
    before = files_of(Path(study.workspace))
    assert damaged() == unrepaired() == [name]
    assert files_of(Path(study.workspace)) == before


def test_an_empty_directory_in_the_place_of_a_job_does_not_count(study: Project) -> None:
    path_of(study, 1).parent.rename(Path(study.workspace, BOGUS))
    path_of(study, 1).parent.mkdir()
    assert unrepaired([BOGUS]) == []
    assert_whole(study, 1)


def test_an_empty_bogus_directory_is_damaged_and_kept(study: Project) -> None:
    Path(study.workspace, BOGUS).mkdir()
    assert damaged() == unrepaired() == [BOGUS]
    assert Path(study.workspace, BOGUS).is_dir()


def test_keys_with_dots_are_no_damage(study: Project) -> None:
    job_id = calc_id({"x.y": 1})
    Path(study.workspace, job_id).mkdir()
    Path(study.workspace, job_id, SP).write_text('{"x.y": 1}')
    assert damaged() == unrepaired() == []


def test_a_file_or_a_dead_link_named_like_a_job_is_damaged_and_kept(study: Project) -> None:
    study.update_cache()
    shutil.rmtree(path_of(study, 1).parent)
    path_of(study, 1).parent.write_text("precious")
    Path(study.workspace, BOGUS).symlink_to("nowhere")
    assert damaged() == unrepaired() == sorted([BOGUS, calc_id({"a": 1})])
    assert path_of(study, 1).parent.read_text() == "precious"


def test_repair_reports_ids_that_do_not_exist_and_leads_nowhere_else(study: Project) -> None:
    outside = Path("outside")
    outside.mkdir()
    (outside / SP).write_text('{"a": 7}')
    texts = ["f" * 32, calc_id({"a": 1})[:8], "", f"../{outside}", f"{BOGUS}/../../{outside}"]
    assert unrepaired([*texts, calc_id({"a": 1})]) == texts
    assert os.listdir(outside) == [SP]


def test_repair_of_some_jobs_leaves_the_others(study: Project) -> None:
    study.update_cache()
    path_of(study, 1).unlink()
    path_of(study, 2).unlink()
    assert unrepaired([calc_id({"a": 2})]) == []
    assert damaged() == [calc_id({"a": 1})]


def test_repair_takes_each_job_once_and_any_iterable(study: Project) -> None:
    path_of(study, 1).unlink()
    job_id = calc_id({"a": 1})
    with pytest.raises(JobsCorruptedError) as caught:
        repair(Project().space, iter([job_id, job_id]))
    assert list(caught.value.job_ids) == [job_id]


def test_repair_of_one_job_does_not_suffer_from_another(study: Project) -> None:
    study.update_cache()
    path_of(study, 0).write_text("garbage")
    Path(study.workspace, BOGUS).mkdir()
    assert unrepaired() == [BOGUS]
    assert_whole(study, 0)


def test_a_wrong_entry_in_memory_is_not_believed(study: Project) -> None:
    study.space.known[calc_id({"a": 1})] = {"a": True}
    study.repair()
    assert_whole(study, 1)
    path_of(study, 1).unlink()
    with pytest.raises(JobsCorruptedError):
        study.repair()
    assert not path_of(study, 1).exists()


def test_a_healthy_project_is_not_written_to(study: Project) -> None:
    study.update_cache()
    before = {path: path.stat().st_ctime_ns for path in Path(study.path).rglob("*")}
    assert damaged() == unrepaired() == []
    assert list(examine(Project().space)) == []
    assert {path: path.stat().st_ctime_ns for path in Path(study.path).rglob("*")} == before


def test_check_and_repair_tell_their_progress(study: Project) -> None:
    steps: list[tuple[str, int, int | None]] = []

    def progress(what: str, done: int, total: int | None) -> None:
        steps.append((what, done, total))

    check(study.space, progress=progress)
    repair(study.space, progress=progress)
    list(examine(study.space, progress=progress))
    assert steps == [(what, done, 3) for what in ("check", "repair", "check") for done in (1, 2, 3)]


# --- what stopped operations leave ------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_stopped_change_by_this_library_is_finished_or_forgotten(study: Project, steps: int) -> None:
    """As in ``workspace.change_state_point``: write the next state point, rename the directory, rename the file."""
    job = study.open_job({"a": 1})
    new = calc_id({"a": 9})
    Path(job.fn(pending_name(new))).write_text('{"a": 9}')
    if steps > 1:
        os.rename(job.path, Path(study.workspace, new))
    if steps > 2:
        os.rename(Path(study.workspace, new, pending_name(new)), Path(study.workspace, new, SP))
    assert damaged() == []
    assert unrepaired() == []
    whole = Project().open_job({"a": 9 if steps > 1 else 1})
    assert Path(whole.fn(SP)).read_text() == json.dumps(whole.sp())
    assert whole.doc() == {"value": 1}
    assert list(examine(Project().space)) == []


def test_a_stopped_change_counts_as_unfinished_until_it_is_repaired(study: Project) -> None:
    new = calc_id({"a": 9})
    Path(study.workspace, calc_id({"a": 1}), pending_name(new)).write_text('{"a": 9}')
    os.rename(Path(study.workspace, calc_id({"a": 1})), Path(study.workspace, new))
    (problem,) = examine(Project().space)
    assert (problem.name, problem.kind) == (new, "unfinished-change")
    assert pending_name(new) in problem.remedy
    assert [outcome.repaired for outcome in repair_problems(Project().space, [problem])] == [True]
    assert Path(study.workspace, new, SP).read_text() == '{"a": 9}'
    assert list(examine(Project().space)) == []


def stop_peer_change(job: Job, project: Project, steps: int) -> None:
    """Do the first steps of a change from a=1 to a=9 in the way of signac 2.x."""
    new = Path(project.workspace, calc_id({"a": 9}))
    os.rename(job.fn(SP), job.fn(BACKUP))
    if steps > 1:
        os.rename(job.path, new)
    if steps > 2:
        os.unlink(new / BACKUP)
        (new / f"._{UUID}_{SP}").write_text('{"a": 9}')


@pytest.mark.parametrize(("steps", "a"), [(1, 1), (2, 1), (3, 9)])
def test_a_stopped_change_by_signac_2_is_undone_or_finished(study: Project, steps: int, a: int) -> None:
    stop_peer_change(study.open_job({"a": 1}), study, steps)
    assert unrepaired() == []
    job = Project().open_job({"a": a})
    assert Path(job.fn(SP)).read_text() == f'{{"a": {a}}}'
    assert job.doc() == {"value": 1}
    assert Path(job.fn("data.txt")).read_text() == "1"
    assert len(Project()) == 3
    assert damaged() == []


@pytest.mark.parametrize(
    "name", [BACKUP, f"._{UUID}_{SP}", f"._0123456789abcdef_{SP}", pending_name(calc_id({"a": 1}))]
)
@pytest.mark.parametrize("kind", ["missing", "garbage"])
def test_a_state_point_is_restored_from_what_is_left_beside_it(study: Project, name: str, kind: str) -> None:
    path_of(study, 1, name).write_text('{"a": 1}')
    UNREADABLE[kind](path_of(study, 1))
    assert unrepaired() == []
    assert_whole(study, 1)


@pytest.mark.parametrize(
    "name", ["other.json", "._x_signac_statepoint.json", f"._{UUID}_other", "signac_statepoint.bak"]
)
def test_files_of_users_are_not_taken_for_state_points(study: Project, name: str) -> None:
    path_of(study, 1).rename(path_of(study, 1, name))
    assert unrepaired() == [calc_id({"a": 1})]


def test_a_repair_that_cannot_write_reports_the_job(study: Project) -> None:
    study.update_cache()
    path_of(study, 1).unlink()
    path_of(study, 1).mkdir()
    assert unrepaired() == [calc_id({"a": 1})]
    (problem,) = examine(Project().space)
    assert problem.kind == "invalid-state-point"
    (outcome,) = repair_problems(Project().space, [problem])
    assert not outcome.repaired
    assert SP in outcome.detail


def test_a_job_at_the_moment_of_its_creation_is_looked_at_again(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = path_of(study, 1).read_bytes()
    path_of(study, 1).unlink()
    original = workspace.read_state_point

    def slow(directory: str, job_id: str) -> dict[str, Any]:
        if job_id == calc_id({"a": 1}):
            try:
                return original(directory, job_id)
            finally:
                path_of(study, 1).write_bytes(content)
        return original(directory, job_id)

    monkeypatch.setattr(workspace, "read_state_point", slow)
    check(study.space)


# --- examine and repair -----------------------------------------------------------------------------------------------


def found() -> dict[str, Problem]:
    """Problems by the name of their file."""
    return {os.path.basename(problem.path): problem for problem in examine(Project().space)}


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        (None, "missing-state-point", "There is no state point file."),
        (b"", "invalid-state-point", "The state point file is empty."),
        (b"{", "invalid-state-point", "The state point file is not valid JSON."),
        (b"[]", "invalid-state-point", "The state point file does not hold a JSON object."),
        (b'{"a": 2}', "wrong-state-point", f"The state point is that of job {calc_id({'a': 2})}."),
    ],
)
def test_examine_says_what_is_wrong_with_a_state_point(
    study: Project, content: bytes | None, kind: str, detail: str
) -> None:
    path = path_of(study, 1)
    path.unlink() if content is None else path.write_bytes(content)
    (problem,) = examine(Project().space)
    assert problem == Problem(calc_id({"a": 1}), kind, str(path), detail, "")  # type: ignore[arg-type]
    assert not problem.is_litter
    assert [outcome.repaired for outcome in repair_problems(Project().space, [problem])] == [False]
    study.update_cache()
    (problem,) = examine(Project().space)
    assert problem.remedy == "restore the state point from the cache"
    assert repair_problems(Project().space, [problem]) == [Outcome(problem, True, "restored")]
    assert_whole(study, 1)


def test_examine_says_which_name_a_directory_would_get(study: Project) -> None:
    path_of(study, 1).parent.rename(Path(study.workspace, BOGUS))
    stray = calc_id({"a": 2}) + "~"
    path_of(study, 2).parent.rename(Path(study.workspace, stray))
    problems = sorted(examine(Project().space), key=lambda problem: problem.kind)
    assert [(problem.name, problem.kind, problem.remedy) for problem in problems] == [
        (stray, "stray-directory", f"rename the directory to {calc_id({'a': 2})}"),
        (BOGUS, "wrong-state-point", f"rename the directory to {calc_id({'a': 1})}"),
    ]
    assert [outcome.detail for outcome in repair_problems(Project().space, problems)] == [
        f"renamed to {calc_id({'a': 2})}",
        f"renamed to {calc_id({'a': 1})}",
    ]
    assert damaged() == []


@pytest.mark.parametrize("content", ["", "{", "[1]", "5", '"x"'])
def test_examine_finds_invalid_documents_and_repair_leaves_them(study: Project, content: str) -> None:
    path_of(study, 1, DOC).write_text(content)
    Path(study.fn(study.FN_DOCUMENT)).write_text(content)
    problems = found()
    assert {problem.kind for problem in problems.values()} == {"invalid-document"}
    assert {problem.name for problem in problems.values()} == {"", calc_id({"a": 1})}
    assert str(path_of(study, 1, DOC)) in problems[DOC].detail
    assert not any(outcome.repaired for outcome in repair_problems(Project().space, problems.values()))
    assert path_of(study, 1, DOC).read_text() == content
    assert damaged() == []


def test_examine_job_says_what_is_wrong_with_its_state_point_and_document(study: Project) -> None:
    job_id = calc_id({"a": 1})
    assert examine_job(study.space, job_id) == []
    path_of(study, 1).write_text("")
    path_of(study, 1, DOC).write_text("{")
    problems = examine_job(Project().space, job_id)
    assert [problem.kind for problem in problems] == ["invalid-state-point", "invalid-document"]
    assert problems[0].detail == "The state point file is empty."
    shutil.rmtree(path_of(study, 1).parent)
    assert examine_job(Project().space, job_id) == []


def test_a_document_that_is_null_or_missing_is_no_problem(study: Project) -> None:
    path_of(study, 1, DOC).write_text("null")
    path_of(study, 2, DOC).unlink()
    assert found() == {}


def test_examine_finds_files_and_dead_links_named_like_jobs(study: Project) -> None:
    Path(study.workspace, BOGUS).write_text("")
    Path(study.workspace, "1" * 32).symlink_to("nowhere")
    problems = list(examine(Project().space))
    assert [(problem.name, problem.kind, problem.remedy) for problem in problems] == [
        (BOGUS, "stray-file", ""),
        ("1" * 32, "stray-file", ""),
    ]
    assert not any(outcome.repaired for outcome in repair_problems(Project().space, problems))
    assert Path(study.workspace, BOGUS).exists()


def test_examine_when_the_workspace_holds_other_entries_then_lists_them_as_harmless(study: Project) -> None:
    Path(study.workspace, "notes.txt").write_text("precious")
    Path(study.workspace, "plots").mkdir()
    Path(study.workspace, "dead").symlink_to("nowhere")
    study.check()
    problems = list(examine(Project().space))
    assert [(problem.name, problem.kind) for problem in problems] == [
        ("dead", "stray-entry"),
        ("notes.txt", "stray-entry"),
        ("plots", "stray-entry"),
    ]
    assert all(problem.is_litter for problem in problems)
    assert not any(outcome.repaired for outcome in repair_problems(Project().space, problems))
    assert sorted(name for name in os.listdir(study.workspace) if len(name) < 32) == ["dead", "notes.txt", "plots"]


def leave_litter(project: Project) -> list[Path]:
    """Everything that a killed process may leave, in this library or in signac 2.x."""
    root, space = Path(project.path), Path(project.workspace)
    directories = [space / f".signac-new-{BOGUS}-0123456789abcdef", space / f".signac-rm-{BOGUS}-0123456789abcdef"]
    for directory in directories:
        (directory / "sub").mkdir(parents=True)
        (directory / "sub" / "file").write_text("x")
    litter_files = [
        path_of(project, 1, f"._{UUID}_{DOC}"),
        path_of(project, 1, f"._0123456789abcdef_{SP}"),
        path_of(project, 1, pending_name(BOGUS)),
        path_of(project, 1, BACKUP),
        path_of(project, 1, DOC + "~"),
        root / f"._{UUID}_signac_project_document.json",
        root / ".signac" / "._0123456789abcdef_config",
        root / ".signac" / "._0123456789abcdef_statepoint_cache.json.gz",
        root / ".signac" / "statepoint_cache.json.gz~",
    ]
    for depth in (".", "sub", "sub/sub/sub"):  # of a synchronization
        litter_files.append(path_of(project, 1, f"{depth}/._0123456789abcdef_sync"))
    for file in litter_files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    return [*directories, *litter_files]


def keep_company(project: Project) -> list[Path]:
    """Files of users that look similar."""
    kept = [
        path_of(project, 1, name)
        for name in ("._data.txt", "data.txt~", "._signac_job_document.json", "._signac_next_x.json", f"._{UUID}_x.txt")
    ]
    names_below = (DOC + "~", f"._{UUID}_{DOC}", f"._0123456789abcdef_{SP}", "._0123456789abcdef_sync_", "._mine_sync")
    kept += [path_of(project, 1, f"sub/{name}") for name in names_below]
    kept += [Path(project.path, "notes~"), Path(project.path, ".signac", "notes~"), Path(project.workspace, ".hidden")]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("precious")
    return kept


@pytest.mark.usefixtures("later")
def test_old_litter_is_found_and_cleaned_and_nothing_else(study: Project) -> None:
    paths = leave_litter(study)
    kept = keep_company(study)
    *problems, stray = sorted(examine(Project().space), key=lambda problem: problem.kind == "stray-entry")
    assert {problem.path for problem in problems} == set(map(str, paths))
    assert all(problem.is_litter and problem.remedy for problem in problems)
    assert (stray.kind, stray.name, stray.is_litter, stray.remedy) == ("stray-entry", ".hidden", True, "")
    assert {problem.kind for problem in problems} == {"unfinished-job", "unfinished-removal", "temporary-file"}
    assert [outcome.repaired for outcome in repair_problems(Project().space, [*problems, stray])] == [True] * len(
        problems
    ) + [False]
    assert list(examine(Project().space)) == [stray]
    assert not any(map(os.path.lexists, paths))
    assert all(path.read_text() == "precious" for path in kept)
    for a in range(3):
        assert_whole(study, a)


@pytest.mark.usefixtures("later")
def test_litter_behind_a_link_or_in_an_unreadable_directory_is_left(
    study: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, locked = tmp_path / "elsewhere", path_of(study, 1, "locked")
    for directory in (elsewhere, locked):
        directory.mkdir()
        (directory / "._0123456789abcdef_sync").write_text("x")
    path_of(study, 1, "link").symlink_to(elsewhere)
    beside = path_of(study, 1, "._0123456789abcdef_sync")
    beside.write_text("x")
    real = os.scandir

    def scandir(path: Any) -> Any:
        if path == str(locked):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [problem.path for problem in examine(Project().space)] == [str(beside)]


def test_of_young_litter_only_unfinished_removals_are_found(study: Project) -> None:
    leave_litter(study)
    (problem,) = examine(Project().space)
    assert problem.kind == "unfinished-removal"
    assert [outcome.repaired for outcome in repair_problems(Project().space, [problem])] == [True]
    assert list(examine(Project().space)) == []


def test_litter_that_has_come_to_life_is_not_deleted(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = leave_litter(study)
    with monkeypatch.context() as patched:
        patched.setattr(litter, "_now", lambda: time.time() + 7200)
        problems = [problem for problem in examine(Project().space) if problem.kind != "unfinished-removal"]
    outcomes = repair_problems(Project().space, problems)
    assert len(outcomes) == len(paths) - 1
    assert not any(outcome.repaired for outcome in outcomes)
    assert all(map(os.path.lexists, paths))


def test_a_young_file_deep_inside_keeps_an_unfinished_job(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_litter(study)
    directory = Path(study.workspace, f".signac-new-{BOGUS}-0123456789abcdef")
    young = directory / "sub" / "file"
    real = os.lstat

    def lstat(path: Any) -> os.stat_result:
        status = real(path)
        if os.fspath(path) != str(young):
            return status
        return os.stat_result([*status[:7], *(status[7] + 7200, status[8] + 7200, status[9] + 7200)])

    monkeypatch.setattr(os, "lstat", lstat)
    monkeypatch.setattr(litter, "_now", lambda: time.time() + 7200)
    assert str(directory) not in {problem.path for problem in examine(Project().space)}


@pytest.mark.usefixtures("later")
def test_what_a_damaged_job_may_be_restored_from_is_no_litter(study: Project) -> None:
    leave_litter(study)
    path_of(study, 1).write_text("garbage")
    path_of(study, 2, DOC).write_text("garbage")
    path_of(study, 2, f"._{UUID}_{DOC}").write_text("{}")
    problems = [problem for problem in examine(Project().space) if str(study.workspace) in problem.path]
    inside = [problem for problem in problems if not problem.name.startswith(".signac-")]
    assert {problem.kind for problem in inside} == {"invalid-state-point", "invalid-document"}


def test_repair_looks_at_every_problem_anew(study: Project) -> None:
    content = path_of(study, 1).read_bytes()
    path_of(study, 1).unlink()
    problems = list(examine(Project().space))
    path_of(study, 1).write_bytes(content)
    assert [outcome.repaired for outcome in repair_problems(Project().space, problems)] == [True]
    assert path_of(study, 1).read_bytes() == content


def test_repair_of_a_job_that_has_gone_meanwhile_says_so(study: Project) -> None:
    path_of(study, 1).unlink()
    problems = list(examine(Project().space))
    study.open_job({"a": 1}).remove()
    (outcome,) = repair_problems(Project().space, problems)
    assert not outcome.repaired
    assert len(Project()) == 2


def test_the_workspace_may_be_missing(project: Project) -> None:
    os.rmdir(project.workspace)
    (problem,) = examine(project.space)
    assert (problem.kind, problem.path, problem.is_litter) == ("missing-workspace", project.workspace, False)
    assert [outcome.repaired for outcome in repair_problems(project.space, [problem])] == [False]
    check(project.space)
    repair(project.space)


def test_repair_when_a_directory_cannot_be_listed_then_it_is_not_called_restored(project, monkeypatch):
    job = project.open_job({"a": 1}).init()

    def refusing(list_directory):
        def refuse(path="."):
            if path == job.path:
                raise PermissionError(13, "Permission denied", path)
            return list_directory(path)

        return refuse

    monkeypatch.setattr(os, "listdir", refusing(os.listdir))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    problems = list(examine(project.space))
    assert [problem.name for problem in problems] == [job.id]
    assert [outcome.repaired for outcome in repair_problems(project.space, problems)] == [False]


def test_repair_when_a_link_stands_in_the_place_of_a_job_then_what_it_leads_to_is_left_alone(study, project):
    one, other = list(study)[:2]
    project.update_cache()
    shutil.rmtree(one.path)
    os.symlink(other.id, one.path)
    before = Path(other.fn(SP)).read_bytes()
    (problem,) = examine(project.space)
    assert (problem.name, problem.kind, problem.remedy) == (one.id, "wrong-state-point", "")
    assert f"link to '{other.id}'" in problem.detail
    assert [outcome.repaired for outcome in repair_problems(project.space, [problem])] == [False]
    with pytest.raises(JobsCorruptedError):
        repair(Project().space)
    assert Path(other.fn(SP)).read_bytes() == before
    assert os.path.islink(one.path)


def test_repair_when_a_link_leads_to_a_directory_that_is_no_job_then_nothing_is_put_there(study, project):
    (job, *_) = study
    project.update_cache()
    shutil.rmtree(job.path)
    os.symlink("..", job.path)
    before = sorted(os.listdir(project.path))
    with pytest.raises(JobsCorruptedError):
        repair(Project().space)
    assert sorted(os.listdir(project.path)) == before
