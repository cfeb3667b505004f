"""The files of the index: when they are written, when they are believed, and what else may be in their place."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, catalog, files, finding, workspace
from signac_core.index import refreshing, snapshot
from signac_core.index.completion import open_written
from signac_core.index.table import Table

NUMBER = 80


@pytest.fixture
def study(project: Project) -> Project:
    """A project of 80 jobs."""
    for i in range(NUMBER):
        project.open_job({"i": i, "text": f"t{i % 4}", "even": i % 2 == 0, "n": {"x": i % 3}}).init()
    return project


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files and directories that are opened, relative to the project."""
    paths: list[str] = []
    real = os.open

    def recording(path: Any, *arguments: Any, **options: Any) -> int:
        directory = options.get("dir_fd")
        place = "" if directory is None else os.readlink(f"/proc/self/fd/{directory}")
        paths.append(os.path.relpath(os.path.join(place, path)))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", recording)
    return paths


def matching(filter: dict[str, Any]) -> list[str]:
    return finding.find_ids(Project().space, filter)


def expected(condition: Callable[[int], bool]) -> list[str]:
    from signac_core.canonical import calc_id

    states = [{"i": i, "text": f"t{i % 4}", "even": i % 2 == 0, "n": {"x": i % 3}} for i in range(NUMBER)]
    return sorted(calc_id(state) for state in states if condition(state["i"]))  # type: ignore[arg-type]


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_rest")
def test_a_query_with_an_index_at_rest_opens_index_and_workspace_and_no_job(study: Project, opened: list[str]) -> None:
    study.update_cache()
    project = Project()
    opened.clear()
    assert finding.find_ids(project.space, {"i": 7}) == expected(lambda i: i == 7)
    assert opened == [".signac/index", ".signac/index.delta", "workspace"]


@pytest.mark.usefixtures("at_rest")
def test_a_query_after_a_new_job_opens_that_job_only(study: Project, opened: list[str]) -> None:
    study.update_cache()
    job = study.open_job({"i": 7, "new": True}).init()
    project = Project()
    opened.clear()
    assert finding.find_ids(project.space, {"i": 7}) == sorted([*expected(lambda i: i == 7), job.id])
    assert [path for path in opened if path.startswith("workspace/")] == [f"workspace/{job.id}/signac_statepoint.json"]


@pytest.mark.usefixtures("at_rest")
def test_iteration_with_state_points_opens_no_job(study: Project, opened: list[str]) -> None:
    study.update_cache()
    project = Project()
    opened.clear()
    assert sorted(job.sp.i for job in project) == list(range(NUMBER))
    assert sorted(job.cached_statepoint["i"] for job in project.find_jobs({"even": True})) == list(range(0, NUMBER, 2))
    assert [path for path in opened if path.startswith("workspace/")] == []


@pytest.mark.usefixtures("at_rest")
def test_documents_are_read_once_and_then_only_when_they_have_changed(study: Project, opened: list[str]) -> None:
    for job in study:
        job.doc.half = job.sp.i / 2
    study.update_cache()
    assert len(matching({"doc.half.$lt": 5})) == 10
    opened.clear()
    assert len(matching({"doc.half.$lt": 5})) == 10
    assert [path for path in opened if path.startswith("workspace/")] == []
    changed = study.open_job(id=expected(lambda i: i == 70)[0])
    changed.doc.half = 1
    opened.clear()
    assert len(matching({"doc.half.$lt": 5})) == 11
    assert [path for path in opened if path.startswith("workspace/")] == [
        f"workspace/{changed.id}/signac_job_document.json"
    ]


@pytest.mark.usefixtures("at_rest")
def test_state_point_conditions_spare_the_documents_of_other_jobs(study: Project, opened: list[str]) -> None:
    study.update_cache()
    opened.clear()
    assert matching({"i": 7, "doc.x": {"$exists": False}}) == expected(lambda i: i == 7)
    assert len({os.path.dirname(path) for path in opened if path.startswith("workspace/")}) == 1


# --- when it is written -----------------------------------------------------------------------------------------------


def test_a_query_that_read_many_jobs_leaves_an_index(study: Project) -> None:
    assert not os.path.exists(".signac/index")
    matching({"i": 1})
    assert os.path.exists(".signac/index")
    with open_written(study.path, "sp") as index:
        assert sorted(index.dotted_keys()) == ["even", "i", "n.x", "text"]


def test_a_query_that_read_few_jobs_leaves_none(project: Project) -> None:
    for i in range(3):
        project.open_job({"i": i}).init()
    matching({"i": 1})
    assert not os.path.exists(".signac/index")


def test_no_query_writes_when_that_is_switched_off(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNAC_INDEX_REFRESH", "never")
    matching({"i": 1})
    assert os.listdir(".signac") == ["config"]
    study.update_cache()
    assert os.path.exists(".signac/index")


def test_many_new_jobs_go_to_the_delta_and_update_cache_makes_a_new_base(study: Project) -> None:
    study.update_cache()
    before = os.stat(".signac/index").st_ino
    for i in range(snapshot.WORTHWHILE):
        study.open_job({"j": i}).init()
    assert len(matching({"j.$gte": 0})) == snapshot.WORTHWHILE
    assert os.stat(".signac/index").st_ino == before
    assert os.path.exists(".signac/index.delta")
    study.update_cache()
    assert os.stat(".signac/index").st_ino != before
    assert len(matching({"j.$gte": 0})) == snapshot.WORTHWHILE


def test_a_young_workspace_is_listed_again_until_it_is_at_rest(study: Project, opened: list[str]) -> None:
    study.update_cache()
    with catalog.open_index(Project().space) as index:  # type: ignore[union-attr]
        assert index.about["signature"] is None
        assert index.listing is not None


@pytest.mark.usefixtures("at_rest")
def test_trust_switched_off_lists_every_time(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    study.update_cache()
    monkeypatch.setenv("SIGNAC_INDEX_TRUST", "never")
    with catalog.open_index(Project().space) as index:  # type: ignore[union-attr]
        assert index.about["signature"] is not None
        assert index.listing is not None


def test_the_index_is_kept_where_the_environment_says(
    study: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("SIGNAC_CACHE_DIR", str(elsewhere))
    assert matching({"i": 1}) == expected(lambda i: i == 1)
    assert os.listdir(".signac") == ["config"]
    assert [name.partition("-")[0] for name in os.listdir(elsewhere)] == ["index"]
    shutil.rmtree(study.workspace)
    os.mkdir(study.workspace)
    assert matching({"i": 1}) == []


def test_an_index_that_cannot_be_written_is_no_error(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(path: str, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(files, "Replacement", refusing)
    assert matching({"i": 1}) == expected(lambda i: i == 1)
    assert os.listdir(".signac") == ["config"]


# --- what else may be in its place ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_rest")
def test_every_damaged_byte_is_noticed(study: Project) -> None:
    study.update_cache()
    whole = Path(".signac/index").read_bytes()
    answers = {
        "i.$lt": expected(lambda i: i < 3),
        "text": expected(lambda i: i % 4 == 1),
        "n.x": expected(lambda i: i % 3 == 2),
    }
    filters: list[dict[str, Any]] = [{"i.$lt": 3}, {"text": "t1"}, {"n.x": 2}]
    project = Project()
    for position in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        Path(".signac/index").write_bytes(damaged)
        filter = filters[position % 3]
        project.space.known.clear()
        project.space.is_loaded = False
        assert finding.find_ids(project.space, filter) == answers[next(iter(filter))], position


@pytest.mark.usefixtures("at_rest")
@pytest.mark.parametrize("length", [0, 1, 39, 40, 500, -1])
def test_a_truncated_index_is_ignored(study: Project, length: int) -> None:
    study.update_cache()
    whole = Path(".signac/index").read_bytes()
    Path(".signac/index").write_bytes(whole[:length])
    assert matching({"i": 7}) == expected(lambda i: i == 7)
    assert catalog.list_names(Project().space) == expected(lambda i: True)


def test_an_index_of_another_version_is_ignored_and_replaced(study: Project) -> None:
    study.update_cache()
    data = bytearray(Path(".signac/index").read_bytes())
    data[8] = 1
    Path(".signac/index").write_bytes(data)
    assert catalog.open_index(Project().space) is None
    assert matching({"i": 7}) == expected(lambda i: i == 7)
    with catalog.open_index(Project().space) as index:  # type: ignore[union-attr]
        assert index.number() == NUMBER


@pytest.mark.parametrize("kind", ["directory", "dangling link", "link to itself", "fifo"])
def test_what_is_no_file_is_ignored(study: Project, kind: str) -> None:
    path = ".signac/index"
    match kind:
        case "directory":
            os.mkdir(path)
        case "dangling link":
            os.symlink("nowhere", path)
        case "link to itself":
            os.symlink("index", path)
        case "fifo":
            os.mkfifo(path)
    assert matching({"i": 7}) == expected(lambda i: i == 7)


def test_a_delta_of_another_base_is_ignored(study: Project, tmp_path: Path) -> None:
    study.update_cache()
    job = study.open_job({"i": 7, "new": True}).init()
    study.update_cache()
    shutil.copy(".signac/index.delta", tmp_path / "delta")
    os.unlink(".signac/index")
    os.unlink(".signac/statepoint_cache.json.gz")
    Project().update_cache()
    shutil.copy(tmp_path / "delta", ".signac/index.delta")
    assert matching({"new": True}) == [job.id]
    with catalog.open_index(Project().space) as index:  # type: ignore[union-attr]
        assert index.delta is None


def test_a_table_is_written_for_any_number_of_values_and_rows(project: Project) -> None:
    for i in range(1300):
        os.mkdir(f"workspace/{i:032x}")
    known = {f"{i:032x}": {"unique": i, "half": i % 2, "same": "s"} for i in range(1300)}
    refreshing.write_base(project.space, workspace.list_workspace(project.space), known)
    with Table_of(".signac/index") as table:
        assert [chunk.values for chunk in table.chunk_list("unique")] == [512, 512, 276]
        assert [chunk.rows for chunk in table.chunk_list("same")] == [1300]
        assert table.column("unique") == list(range(1300))
        assert table.column("half") == [i % 2 for i in range(1300)]
        assert list(table.trees(range(1300))) == list(known.values())
        assert list(table.ids_with_prefix("0" * 30)) == [(i, f"{i:032x}") for i in range(256)]
        assert list(table.ids_with_prefix("f")) == []


class Table_of:
    def __init__(self, path: str) -> None:
        self.table = Table(os.open(path, os.O_RDONLY), "index")

    def __enter__(self) -> Table:
        return self.table

    def __exit__(self, *exception: object) -> None:
        self.table.close()


def test_no_file_stays_open(study: Project) -> None:
    study.update_cache()
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(20):
        matching({"i": 7})
        matching({"doc.x": 7})
    Path(".signac/index.delta").write_bytes(b"nonsense")
    matching({"i": 7})
    Path(".signac/index").write_bytes(b"nonsense")
    matching({"i": 7})
    assert (len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0) == before
