"""An index with checksums that are right and state points that are not: what it says gets into no file."""

from __future__ import annotations

import gzip
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signac_core import Project, catalog, finding, workspace
from signac_core.cache import update_cache
from signac_core.canonical import calc_id
from signac_core.care import integrity
from signac_core.errors import JobsCorruptedError, UnusableIndexError
from signac_core.index import snapshot
from signac_core.index.completion import open_written
from signac_core.index.refreshing import write_base
from signac_core.index.snapshot import Snapshot
from signac_core.index.table import check_owner
from tests.fuzz.forgery import Forgery
from tests.support.patches import for_some_cases

NUMBER = 40


@pytest.fixture
def study(project: Project) -> Project:
    """A project of some jobs."""
    for a in range(NUMBER):
        project.open_job({"a": a}).init()
    return project


@pytest.fixture
def forged(study: Project) -> Project:
    forge(study)
    return study


def forge(project: Project) -> None:
    listing = workspace.list_workspace(project.space)
    write_base(project.space, listing, {name: {"a": 1000 + number} for number, name in enumerate(listing.names)})


def forge_documents(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the index of documents say 7 where 20 documents say 1."""
    monkeypatch.setattr("signac_core.index.documents._WORTHWHILE", 1)
    for job in list(project)[:20]:
        job.doc.x = 1
    project.update_cache()
    assert len(finding.find_ids(Project().space, {"doc.x": 1})) == 20
    assert kinds(project) == []
    table = Forgery(Path(project.fn(".signac/index.documents")))
    chunk = json.loads(table.section(table.directory["keys"]["x"]))[0]
    rest = table.section(chunk[6:8])[chunk[5] :]
    table.directory["keys"]["x"] = table.add_json([[0, 7, 7, *chunk[3:5], 3, *table.add(b"[7]" + rest)]])
    table.set_texts([text.replace(b'"x":1', b'"x":7') for text in table.texts()])
    table.write()


def ids() -> list[str]:
    return sorted(calc_id({"a": a}) for a in range(NUMBER))


def cached(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(Path(project.fn(project.FN_CACHE)).read_bytes()))
    return found


def indexed(project: Project) -> dict[str, dict[str, Any]]:
    with catalog.open_index(project.space) as opened:
        return opened.state_points()


def is_true(state_points: dict[str, dict[str, Any]]) -> bool:
    return all(calc_id(state_point) == job_id for job_id, state_point in state_points.items())


def from_index(project: Project) -> Any:
    """Handle on a job whose state point was taken from the forged index."""
    job = next(iter(Project(project.path)))
    assert job.cached_statepoint["a"] >= 1000
    return job


def test_a_moved_job_does_not_bring_the_lie_along(forged: Project) -> None:
    other = Project.init_project("other")
    from_index(forged).move(other)
    update_cache(other.space)
    assert len(cached(other)) == 1
    assert is_true(cached(other))
    assert [job.cached_statepoint["a"] < 1000 for job in other] == [True]


def test_an_index_is_believed_by_queries_only(forged: Project) -> None:
    assert len(finding.find_ids(Project().space, {"a.$gte": 1000})) == NUMBER


def test_an_index_is_not_believed_about_jobs_that_are_going_to_be_removed_or_changed(forged: Project) -> None:
    assert finding.find_ids(Project().space, {"a.$gte": 1000}, proven=True) == []
    project = Project()
    assert len([job.cached_statepoint for job in project]) == NUMBER  # from the index
    assert finding.find_ids(project.space, {"a.$gte": 1000}, proven=True) == []


@pytest.mark.usefixtures("at_rest")
def test_an_index_of_documents_is_not_believed_about_jobs_that_are_going_to_be_removed_or_changed(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge_documents(study, monkeypatch)
    assert len(finding.find_ids(Project().space, {"doc.x": 7})) == 20
    assert finding.find_ids(Project().space, {"doc.x": 7}, proven=True) == []
    assert finding.find_ids(Project().space, {"a.$gte": 1000}, proven=True) == []
    assert len(finding.find_ids(Project().space, {"a.$gte": 10}, proven=True)) == NUMBER - 10


def test_update_cache_writes_nothing_that_is_wrong(forged: Project) -> None:
    assert update_cache(Project().space) == NUMBER
    assert sorted(cached(forged)) == ids()
    assert is_true(cached(forged))
    assert is_true(indexed(Project()))


def test_update_cache_of_a_project_that_has_believed_the_index_writes_nothing_that_is_wrong(forged: Project) -> None:
    project = Project()
    assert [job.cached_statepoint["a"] >= 1000 for job in project] == [True] * NUMBER
    os.unlink(project.fn(".signac/index"))
    assert update_cache(project.space) == NUMBER
    assert is_true(cached(forged))
    assert is_true(indexed(Project()))


def test_update_cache_when_jobs_are_added_then_appends_to_nothing_that_was_forged(forged: Project) -> None:
    update_cache(Project().space)
    data = Path(forged.fn(forged.FN_CACHE)).read_bytes()
    lies = {job_id: {"a": 1} for job_id in ids()}
    Path(forged.fn(forged.FN_CACHE)).write_bytes(gzip.compress(json.dumps(lies).encode()).ljust(len(data), b"\0"))
    forged.open_job({"a": NUMBER}).init()
    update_cache(Project().space)
    assert len(cached(forged)) == NUMBER + 1
    assert is_true(cached(forged))


def test_a_query_that_corrects_a_forged_delta_writes_nothing_that_is_wrong(study: Project, monkeypatch: Any) -> None:
    study.update_cache()
    monkeypatch.setattr(snapshot, "WORTHWHILE", 1)
    for a in range(100, 105):
        study.open_job({"a": a}).init()
    finding.find_ids(Project().space, {"a": 1})
    delta = Forgery(Path(study.fn(".signac/index.delta")))
    chunk = json.loads(delta.section(delta.directory["keys"]["a"]))[0]
    values = [value + 5000 for value in json.loads(delta.section(chunk[6:8])[: chunk[5]])]
    rest = delta.section(chunk[6:8])[chunk[5] :]
    text = json.dumps(values).encode()
    place = delta.add(text + rest)
    delta.directory["keys"]["a"] = delta.add_json([[*chunk[:1], values[0], values[-1], *chunk[3:5], len(text), *place]])
    delta.set_texts([text.replace(b'"a":10', b'"a":510') for text in delta.texts()])
    delta.write()
    assert len(finding.find_ids(Project().space, {"a.$gte": 5000})) == 5
    before = delta.path.read_bytes()
    study.open_job({"a": 200}).init()
    finding.find_ids(Project().space, {"a": 200})
    assert delta.path.read_bytes() == before
    update_cache(Project().space)
    assert is_true(indexed(Project()))
    assert is_true(cached(study))


def test_a_changed_state_point_begins_with_the_true_one(forged: Project) -> None:
    job = from_index(forged)
    a = next(a for a in range(NUMBER) if calc_id({"a": a}) == job.id)
    job.sp.z = 1
    assert json.loads(Path(job.fn("signac_statepoint.json")).read_text()) == {"a": a, "z": 1}
    assert job.id == calc_id({"a": a, "z": 1})


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job.update_statepoint({"z": 1}),
        lambda job: job.sp.setdefault("z", 1),
        lambda job: job.statepoint.update(z=1),
    ],
)
def test_every_way_to_change_a_state_point_begins_with_the_true_one(
    forged: Project, change: Callable[[Any], object]
) -> None:
    job = from_index(forged)
    change(job)
    assert json.loads(Path(job.fn("signac_statepoint.json")).read_text())["a"] < NUMBER
    Project().check()


def test_init_of_a_job_writes_the_true_state_point_or_none(forged: Project) -> None:
    job = from_index(forged)
    assert job.sp.a >= 1000
    job.init()
    assert job.sp.a < NUMBER
    other = list(Project())[1]
    assert other.cached_statepoint["a"] >= 1000
    os.unlink(other.fn("signac_statepoint.json"))
    with pytest.raises(JobsCorruptedError):
        other.init(force=True)
    assert os.listdir(other.path) == []


def test_copies_are_named_after_true_state_points(forged: Project, tmp_path: Path) -> None:
    assert set(Project().export_to(tmp_path / "data").values()) == {f"a/{a}" for a in range(NUMBER)}
    assert set(Project().create_linked_view(str(tmp_path / "view"))) == {f"a/{a}/job" for a in range(NUMBER)}
    project = Project()
    assert [job.sp.a >= 1000 for job in project] == [True] * NUMBER
    names = set(project.export_to(str(tmp_path / "data.zip"), path=lambda job: f"{job.sp.a}").values())
    assert names == {str(a) for a in range(NUMBER)}


@pytest.mark.parametrize("begin", ["whole", "nothing", "directory"])
def test_a_synchronized_project_gets_true_state_points(forged: Project, tmp_path: Path, begin: str) -> None:
    other = Project.init_project(tmp_path / "other")
    source = Project()
    for job in source:
        assert job.sp.a >= 1000
        if begin == "directory":
            Path(other.workspace, job.id).mkdir()
    if begin == "whole":
        for a in range(NUMBER):
            other.open_job({"a": a}).init()
    other.sync(source, check_schema=False)
    other.check()
    assert catalog.list_ids(other.space) == ids()


def test_cloned_and_moved_jobs_keep_their_true_state_points(forged: Project, tmp_path: Path) -> None:
    other = Project.init_project(tmp_path / "other")
    jobs = list(Project())
    other.clone(jobs[0]).init()
    jobs[1].move(other)
    jobs[1].init()
    other.check()
    assert {job.sp.a < NUMBER for job in Project(other.path)} == {True}


# --- check ------------------------------------------------------------------------------------------------------------


def kinds(project: Project) -> list[str]:
    return [problem.kind for problem in integrity.examine(Project(project.path).space)]


def test_check_finds_an_index_that_is_wrong_and_repair_deletes_it(study: Project) -> None:
    forge(study)
    (problem,) = integrity.examine(Project().space)
    assert (problem.kind, problem.name, problem.is_litter) == ("wrong-index", "", False)
    assert problem.path == study.fn(".signac/index")
    (outcome,) = integrity.repair_problems(Project().space, [problem])
    assert outcome.repaired
    assert kinds(study) == []
    assert finding.find_ids(Project().space, {"a.$gte": 1000}) == []


def test_check_finds_a_cache_file_that_is_wrong_and_repair_deletes_it(study: Project) -> None:
    study.update_cache()
    entries = cached(study) | {"0" * 32: {"a": 1}, ids()[0]: {"a": "x"}}
    Path(study.fn(study.FN_CACHE)).write_bytes(gzip.compress(json.dumps(entries).encode()))
    (problem,) = integrity.examine(Project().space)
    assert problem.kind == "wrong-cache"
    assert "2 jobs" in problem.detail
    assert [outcome.repaired for outcome in integrity.repair_problems(Project().space, [problem])] == [True]
    assert kinds(study) == []


def test_check_finds_an_index_that_lists_other_jobs(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from signac_core import stamps

    study.update_cache()
    study.open_job({"a": 0}).remove()
    table = Forgery(Path(study.fn(".signac/index")))
    table.directory["about"]["signature"] = stamps.directory_signature(study.workspace)
    table.write()
    (problem,) = integrity.examine(Project().space)
    assert (problem.kind, problem.detail) == ("wrong-index", "The index does not list the jobs that exist.")


@pytest.mark.usefixtures("at_rest")
def test_check_finds_an_index_of_documents_that_is_wrong(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    forge_documents(study, monkeypatch)
    assert len(finding.find_ids(Project().space, {"doc.x": 7})) == 20
    (problem,) = integrity.examine(Project().space)
    assert (problem.kind, problem.path) == ("wrong-index", study.fn(".signac/index.documents"))
    assert "20 jobs" in problem.detail
    next(iter(study)).doc.x = 2  # of which the index says nothing
    (problem,) = integrity.examine(Project().space)
    assert "19 jobs" in problem.detail


@pytest.mark.parametrize("values", ["more", "others", "none"])
def test_check_finds_columns_that_say_something_else_than_the_state_points(study: Project, values: str) -> None:
    study.update_cache()
    table = Forgery(Path(study.fn(".signac/index")))
    keys = table.directory["keys"]
    if values == "more":
        keys["b"] = keys["a"]
    elif values == "none":
        del keys["a"]
    else:
        chunk = json.loads(table.section(keys["a"]))[0]
        rest = table.section(chunk[6:8])
        numbers = rest[: chunk[5]].replace(b"39", b"40")
        keys["a"] = table.add_json([[*chunk[:2], 40, *chunk[3:6], *table.add(numbers + rest[chunk[5] :])]])
    table.write()
    assert len(finding.find_ids(Project().space, {"a": 40})) == (values == "others")
    (problem,) = integrity.examine(Project().space)
    assert problem.kind == "wrong-index"
    assert "its columns differ" in problem.detail


@pytest.mark.parametrize("what", ["values", "texts", "states"])
def test_check_finds_an_index_whose_columns_say_something_else_than_its_texts(study: Project, what: str) -> None:
    study.open_job({}).init()
    study.update_cache()
    table = Forgery(Path(study.fn(".signac/index")))
    if what == "values":
        chunk = json.loads(table.section(table.directory["keys"]["a"]))[0]
        data = table.section(chunk[6:8]).replace(b"[0, 1,", b"[0, 0,")
        table.directory["keys"]["a"] = table.add_json([[*chunk[:6], *table.add(data)]])
    elif what == "texts":
        table.set_texts([text.replace(b":1", b":2") for text in table.texts()])
    else:
        table.directory["states"] = []
    table.write()
    assert kinds(study) == ["wrong-index"]


# --- who has written it -----------------------------------------------------------------------------------------------


def status(uid: int, gid: int, mode: int) -> os.stat_result:
    return SimpleNamespace(st_uid=uid, st_gid=gid, st_mode=mode)  # type: ignore[return-value]


ME, ROOT, OWNER, OTHER = 1000, 0, 1001, 1002
MINE, GROUP, FOREIGN = 100, 200, 300


@pytest.mark.parametrize(
    ("file", "workspace", "is_believed"),
    [
        ((ME, MINE, 0o644), (OWNER, GROUP, 0o755), True),
        ((ROOT, MINE, 0o644), (OWNER, GROUP, 0o755), True),
        ((OWNER, MINE, 0o644), (OWNER, GROUP, 0o755), True),
        ((OTHER, MINE, 0o644), (OWNER, GROUP, 0o755), False),
        ((ME, MINE, 0o646), (ME, MINE, 0o755), False),
        ((ME, MINE, 0o666), (ME, MINE, 0o777), False),
        ((ME, MINE, 0o664), (ME, MINE, 0o775), True),  # whoever may write to it may write to the jobs
        ((ME, GROUP, 0o664), (ME, GROUP, 0o755), False),
        ((ME, FOREIGN, 0o664), (ME, GROUP, 0o775), False),
        ((OTHER, GROUP, 0o644), (OWNER, GROUP, 0o2775), True),  # a project that a group shares
        ((OTHER, GROUP, 0o664), (OWNER, GROUP, 0o2775), True),
        ((OTHER, FOREIGN, 0o644), (OWNER, GROUP, 0o2775), False),
        ((OTHER, GROUP, 0o644), (OWNER, GROUP, 0o2755), False),
    ],
)
def test_an_index_is_believed_if_its_writer_could_write_to_the_workspace(
    file: tuple[int, int, int], workspace: tuple[int, int, int], is_believed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: ME)
        with for_some_cases():  # some files are refused, or believed, whatever the workspace is
            patch.setattr(os, "stat", lambda path: status(*workspace))
        if is_believed:
            check_owner(status(*file), "workspace")
        else:
            with pytest.raises(UnusableIndexError):
                check_owner(status(*file), "workspace")


@pytest.fixture
def believed(study: Project) -> Callable[[], bool]:
    """Whether the index is used."""
    study.update_cache()

    def is_used() -> bool:
        opened = catalog.open_index(Project().space)
        if opened is None:
            return False
        opened.close()
        return True

    assert is_used()
    return is_used


@pytest.mark.parametrize("name", ["index", "index.delta", "index.documents"])
def test_a_file_of_the_index_that_others_may_write_to_is_not_used(
    study: Project, believed: Callable[[], bool], name: str
) -> None:
    path = Path(study.fn(f".signac/{name}"))
    if not path.exists():
        path.write_bytes(Path(study.fn(".signac/index")).read_bytes())
    path.chmod(0o666)
    used = catalog.open_index(Project().space)
    if name == "index":
        assert used is None
        with pytest.raises(UnusableIndexError):
            open_written(study.path, "sp")
    else:
        assert isinstance(used, Snapshot)
        assert used.delta is None
        used.close()
    assert finding.find_ids(Project().space, {"a": 1, "doc.x": {"$exists": False}}) == [calc_id({"a": 1})]


def test_check_tells_of_an_index_that_others_may_have_written(study: Project, believed: Callable[[], bool]) -> None:
    os.chmod(study.fn(".signac/index"), 0o666)
    (problem,) = integrity.examine(Project().space)
    assert (problem.kind, problem.is_litter) == ("unused-index", True)
    assert [outcome.repaired for outcome in integrity.repair_problems(Project().space, [problem])] == [True]
    assert kinds(study) == []


def test_an_index_is_written_so_that_only_its_owner_may_write_to_it(study: Project) -> None:
    before = os.umask(0)
    try:
        study.update_cache()
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(study.fn(".signac/index")).st_mode) == 0o644
    assert catalog.open_index(Project().space) is not None


@pytest.mark.parametrize(("mode", "is_used"), [(0o755, True), (0o777, False), (0o1777, True), (0o775, True)])
def test_a_directory_for_indexes_that_others_may_write_to_is_not_used(
    study: Project, tmp_path: Path, mode: int, is_used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("SIGNAC_CACHE_DIR", str(shared))
    forge(study)
    shared.chmod(mode)
    assert len(finding.find_ids(Project().space, {"a.$gte": 1000})) == (NUMBER if is_used else 0)
    before = {path.name: path.read_bytes() for path in shared.iterdir()}
    warnings: list[str] = []
    update_cache(Project().space, warn=warnings.append)
    assert ({path.name: path.read_bytes() for path in shared.iterdir()} == before) is not is_used
    assert [str(shared) in warning for warning in warnings] == [] if is_used else [True]
    assert is_true(cached(study))
