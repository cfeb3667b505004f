from __future__ import annotations

import gc
import math
import os
import pickle
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from signac_core import Project, catalog, files, layout, workspace
from signac_core.errors import JobsCorruptedError
from signac_core.project import JobsCursor
from tests.support.patches import Forbidden, for_some_cases


@pytest.fixture
def study(project: Project) -> Project:
    for i in range(6):
        job = project.open_job({"i": i, "even": i % 2 == 0, "n": {"k": i // 2}}).init()
        if i < 4:
            job.doc.update(value=i * 0.5, tags=["x", i])
    return project


def numbers(cursor: JobsCursor) -> list[int]:
    return sorted(job.sp.i for job in cursor)


# queries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        ({}, [0, 1, 2, 3, 4, 5]),
        ("", [0, 1, 2, 3, 4, 5]),
        ({"i": 3}, [3]),
        ({"sp.i": 3.0}, [3]),
        ({"n": {"k": 1}}, [2, 3]),
        ({"n.k": 1, "even": True}, [2]),
        ({"i.$gte": 4}, [4, 5]),
        ({"doc.value.$lt": 1}, [0, 1]),
        ({"doc": {"value": 0.5}}, [1]),
        ({"$not": {"doc.value": 0}}, [1, 2, 3, 4, 5]),
        ({"$or": [{"i": 0}, {"doc.tags": ["x", 3]}]}, [0, 3]),
        ({"doc.value.$exists": False}, [4, 5]),
        ([("i", 1)], [1]),
        ("i 2", [2]),
        ("i>=4", [4, 5]),
        ('{"i": {"$in": [1, 5]}}', [1, 5]),
        ("doc.value", [0, 1, 2, 3]),
        ({"nothing": 1}, []),
    ],
)
def test_find_jobs(study: Project, filter: object, expected: list[int]) -> None:
    cursor = study.find_jobs(filter)
    assert numbers(cursor) == expected
    assert len(cursor) == len(expected)
    assert [job.id for job in cursor] == sorted(job.id for job in cursor)


@pytest.mark.parametrize("filter", [5, True])
def test_a_filter_of_no_accepted_form_raises_value_error(study: Project, filter: object) -> None:
    with pytest.raises(ValueError, match="filter"):
        study.find_jobs(filter)


def test_a_filter_with_values_that_are_no_json_raises_type_error(study: Project) -> None:
    for value in (np.int64(1), {1}, b"x"):
        with pytest.raises(TypeError):
            study.find_jobs({"a": value})


def test_an_unknown_operator_raises_on_evaluation(study: Project) -> None:
    cursor = study.find_jobs({"i.$foo": 1})
    with pytest.raises(KeyError, match=r"\$foo"):
        len(cursor)


def test_membership_indexing_and_slices(study: Project) -> None:
    cursor = study.find_jobs({"even": True})
    inside, outside = study.open_job(cursor[0].sp()), study.find_jobs({"even": False})[0]
    assert inside in cursor
    assert outside not in cursor
    assert cursor[-1] == cursor[2]
    assert [job.id for job in cursor[1:]] == [cursor[1].id, cursor[2].id]
    part = cursor[:2]
    assert list(part) == list(part)
    with pytest.raises(IndexError):
        _ = cursor[3]


def test_a_filtered_result_is_frozen_and_an_unfiltered_length_is_live(study: Project) -> None:
    everything, some = study.find_jobs(), study.find_jobs({"even": True})
    assert (len(list(everything)), len(some)) == (6, 3)
    new = study.open_job({"i": 6, "even": True}).init()
    assert (len(list(everything)), len(some)) == (6, 3)
    assert len(everything) == 7
    assert new in everything
    assert new not in some
    assert len(study.find_jobs({"even": True})) == 4


def test_representation_equality_and_pickling(study: Project) -> None:
    cursor = study.find_jobs({"i": 1})
    assert repr(cursor) == f"JobsCursor(project={study!r}, filter={{'i': 1}})"
    assert repr(study.find_jobs()) == f"JobsCursor(project={study!r}, filter=None)"
    assert cursor == study.find_jobs({"i": 1}) != study.find_jobs({"i": 2})
    assert cursor != 5
    with pytest.raises(TypeError):
        hash(cursor)
    with pytest.raises(TypeError):
        next(cursor)  # type: ignore[call-overload]
    assert numbers(pickle.loads(pickle.dumps(cursor))) == [1]


def test_a_cursor_shows_its_filter_as_a_dict_and_keeps_it(study: Project) -> None:
    for filter in ("i 1", [("i", 1)], {"i": 1}.items()):
        assert repr(study.find_jobs(filter)) == repr(study.find_jobs({"i": 1}))
        assert study.find_jobs(filter) == study.find_jobs({"i": 1})
    filter = {"i": 1}
    cursor = study.find_jobs(filter)
    filter["i"] = 2
    assert numbers(cursor) == [1]
    assert repr(cursor) == f"JobsCursor(project={study!r}, filter={{'i': 1}})"


def test_jobs_found_know_their_state_point_without_reading_again(
    study: Project, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    reading = forbid(files, "read_bytes")
    cursor = Project().find_jobs({"i.$gte": 0})
    assert len(cursor) == 6
    with reading:
        assert sorted(job.cached_statepoint["i"] for job in cursor) == [0, 1, 2, 3, 4, 5]


# damage ---------------------------------------------------------------------------------------------------------


def test_a_directory_being_born_is_skipped_and_an_old_one_is_damage(study: Project) -> None:
    born = Path(study.workspace, "a" * 32)
    born.mkdir()
    assert numbers(study.find_jobs({"i.$gte": 0})) == [0, 1, 2, 3, 4, 5]
    then = time.time() - 120
    os.utime(born, (then, then))
    with pytest.raises(JobsCorruptedError) as caught:
        len(Project().find_jobs({"i": 1}))
    assert list(caught.value.job_ids) == [born.name]


def test_jobs_that_vanish_during_a_query_are_left_out(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from signac_core import files

    fresh = Project()
    victim = study.find_jobs({"i": 3})[0]
    read = files.read_bytes

    def read_after_removal(path: str, *, dir_fd: int | None = None) -> bytes:
        if victim.id in path:
            monkeypatch.undo()
            victim.remove()
        return read(path, dir_fd=dir_fd)

    monkeypatch.setattr(files, "read_bytes", read_after_removal)
    assert len(fresh.find_jobs({"i.$gte": 0})) == 5


def test_a_damaged_document_raises_only_when_documents_are_asked_for(study: Project) -> None:
    job = study.find_jobs({"i": 0})[0]
    Path(job.fn(layout.FN_DOCUMENT)).write_text("{")
    assert numbers(study.find_jobs({"i": 0})) == [0]
    with pytest.raises(ValueError, match=job.id):
        len(study.find_jobs({"doc.value": 1}))


def test_a_job_that_changes_its_id_during_the_listing_appears_once(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = study.find_jobs({"i": 0})[0]
    entries_of = workspace._entries_of
    old_id = job.id

    def listing_during_a_change(fd: int) -> tuple[list[str], list[str]]:
        names, others = entries_of(fd)
        if old_id in names and job.id == old_id:
            job.sp.i = 100
            return [*names, job.id], others
        return names, others

    monkeypatch.setattr(workspace, "_entries_of", listing_during_a_change)
    assert len(Project()) in (5, 6)
    assert old_id not in [j.id for j in Project()]


# grouping -------------------------------------------------------------------------------------------------------


def grouped(groups: object) -> list[tuple[object, list[int]]]:
    return [(key, sorted(job.sp.i for job in jobs)) for key, jobs in groups]  # type: ignore[attr-defined]


def test_groupby_of_one_key_of_state_points_and_documents(study: Project) -> None:
    assert grouped(study.groupby("even")) == [(False, [1, 3, 5]), (True, [0, 2, 4])]
    assert grouped(study.groupby("sp.n.k")) == [(0, [0, 1]), (1, [2, 3]), (2, [4, 5])]
    assert grouped(study.find_jobs({"i.$lt": 2}).groupby("doc.value")) == [(0.0, [0]), (0.5, [1])]


def test_groupby_leaves_out_jobs_without_the_key_unless_there_is_a_default(study: Project) -> None:
    assert grouped(study.groupby("doc.value")) == [(0.0, [0]), (0.5, [1]), (1.0, [2]), (1.5, [3])]
    assert grouped(study.groupby("doc.value", default=-1))[0] == (-1, [4, 5])
    assert grouped(study.groupby("i.nested.too.deep")) == []
    assert grouped(study.groupby("nothing", default=0)) == [(0, [0, 1, 2, 3, 4, 5])]


def test_groupby_when_a_value_is_changed_then_no_state_point_is(study: Project) -> None:
    job = study.open_job({"i": 9, "x": [1, [2]]}).init()
    for key in ("x", ["x", "i"]):
        [(value, _)] = study.groupby(key)
        (value if key == "x" else value[0]).append(3)
    assert job.cached_statepoint == study.open_job(id=job.id).sp() == {"i": 9, "x": [1, [2]]}


def test_state_point_without_keys_stays_in_memory_as_any_other(study: Project) -> None:
    study.open_job({}).init()
    jobs = list(Project(study.path))
    points = [job.statepoint() for job in jobs]
    project = jobs[0].project
    again = [project.open_job(id=job.id) for job in jobs]
    for job in jobs:
        os.rename(job.path, job.path + ".gone")
    assert [job.statepoint() for job in again] == points


def test_groupby_of_several_keys_puts_state_point_values_first(study: Project) -> None:
    groups = grouped(study.groupby(("doc.value", "even")))
    assert groups == [((False, 0.5), [1]), ((False, 1.5), [3]), ((True, 0.0), [0]), ((True, 1.0), [2])]
    assert grouped(study.groupby(iter(["even"]))) == [((False,), [1, 3, 5]), ((True,), [0, 2, 4])]
    assert grouped(study.groupby(())) == [((), [0, 1, 2, 3, 4, 5])]


def test_groupby_of_nothing_and_of_a_function(study: Project) -> None:
    assert [key for key, _ in study.groupby()] == [job.id for job in study]
    assert grouped(study.groupby(lambda job: job.sp.i // 3)) == [(0, [0, 1, 2]), (1, [3, 4, 5])]
    with pytest.warns(UserWarning, match="default"):
        list(study.groupby(lambda job: 1, default=5))


@pytest.mark.parametrize("cached", [False, True])
def test_groupby_when_values_are_nan_then_they_are_one_group_behind_all_numbers(project: Project, cached: bool) -> None:
    values = [2.0, math.nan, 1, math.inf, math.nan, 1.0, 2.0, math.nan, -math.inf] * 3
    for i, value in enumerate(values):
        project.open_job({"i": i, "e": value, "l": [value, 0]}).init().doc.e = value
    if cached:
        project.update_cache()
    order = [("-inf", {8}), ("1", {2, 5}), ("2", {0, 6}), ("inf", {3}), ("nan", {1, 4, 7})]
    expected = [(name, [i for i in range(len(values)) if i % 9 in places]) for name, places in order]
    for key in ("e", "doc.e", lambda job: job.doc.e, lambda job: job.sp["e"]):
        assert [(f"{value:g}", rows) for value, rows in grouped(project.groupby(key))] == expected
    several = grouped(project.groupby(("e", "doc.e")))
    assert [(f"{value[0]:g}", rows) for value, rows in several] == expected
    assert [rows for _, rows in grouped(project.groupby("l"))] == [rows for _, rows in expected]


def test_groupby_of_values_that_cannot_be_ordered_raises_type_error(study: Project) -> None:
    study.open_job({"i": "text"}).init()
    with pytest.raises(TypeError):
        list(study.groupby("i"))


@pytest.mark.usefixtures("at_rest")
def test_groupby_when_the_index_has_all_then_as_from_the_files(
    project: Project, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    few: list[Any] = [1, 2.5, True, "a", "b", None, 0, False, 1.0]
    kinds = {
        "number": lambda i: few[(0, 1, 2, 6, 7, 8)[i * 7 % 6]],
        "text": lambda i: few[3 + i % 2],
        "mixed": lambda i: few[i % 9],
        "nothing": lambda i: None,
        "nan": lambda i: (math.nan, 1.0)[i % 2],
        "many": lambda i: i * 7919 % 100,
        "nested": lambda i: {"k": i % 2},
        "list": lambda i: [i % 2],
    }
    for i in range(100):
        values = {name: make(i) for name, make in kinds.items() if i % 10 or name == "text"}
        project.open_job(values | {"i": i}).init().doc.update(values)
    keys = [*kinds, "nested.k", "lacking", ["number"], ["text", "doc.many"]]
    keys += [f"doc.{key}" for key in keys if isinstance(key, str)]

    def groups(key: Any, default: Any) -> Any:
        try:
            found = [(repr(value), [job.id for job in jobs]) for value, jobs in Project().groupby(key, default)]
        except TypeError as error:
            return type(error)
        return found

    def all_groups() -> list[Any]:
        return [groups(key, default) for key in keys for default in (None, 1, "a", math.nan)]

    expected = all_groups()
    project.update_cache()
    assert all_groups() == expected  # which writes the index of the documents
    assert Path(".signac/index.documents").exists()
    assert all_groups() == expected
    with forbid(files, "read_with_status"):
        assert groups("doc.number", 1) == groups("number", 1)
    project.find_jobs({"i": 5})[0].remove()
    job = project.open_job({"i": 100, "text": "a"}).init()
    job.doc.text = "b"
    behind = all_groups()
    assert Path(".signac/index").exists()
    for name in os.listdir(".signac"):
        if name != "config":
            os.unlink(f".signac/{name}")
    assert all_groups() == behind


def test_groupby_when_handles_are_let_go_then_they_are_not_kept(project: Project) -> None:
    for i in range(40):
        project.open_job({"i": i, "a": 1}).init()
    [(value, jobs)] = [(value, list(jobs)) for value, jobs in project.groupby("a")]
    assert (value, sorted(job.sp.i for job in jobs)) == (1, list(range(40)))
    ((_, jobs),) = ((value, jobs) for value, jobs in project.groupby("a"))
    alive = [weakref.ref(job) for job in jobs]
    assert [ref() for ref in alive[:-1]] == [None] * 39
    assert gc.isenabled()


# frames and HTML ------------------------------------------------------------------------------------------------


def test_to_dataframe_has_a_row_per_job_and_a_column_per_key(study: Project) -> None:
    frame = study.to_dataframe()
    assert list(frame.index) == [job.id for job in study]
    assert set(frame.columns) == {"sp.i", "sp.even", "sp.n", "doc.value", "doc.tags"}
    assert frame["sp.i"].dtype == "int64"
    assert frame["sp.even"].dtype == "bool"
    row = frame.loc[study.open_job({"i": 3, "even": False, "n": {"k": 1}}).id]
    assert row["sp.n"] == {"k": 1}
    assert row["doc.tags"] == ["x", 3]
    assert math.isnan(frame["doc.value"].sort_values().iloc[-1])


def test_to_dataframe_flattened_with_other_prefixes_and_some_columns(study: Project) -> None:
    frame = study.find_jobs({"i.$lt": 2}).to_dataframe(
        sp_prefix="", doc_prefix="d_", flatten=True, usecols=["i", "n.k", "d_tags"]
    )
    assert set(frame.columns) == {"i", "n.k", "d_tags"}
    assert sorted(frame["d_tags"]) == [("x", 0), ("x", 1)]
    assert list(study.to_dataframe(usecols=lambda name: name.startswith("doc.v")).columns) == ["doc.value"]
    assert study.to_dataframe(usecols=[]).shape == (6, 0)
    assert study.find_jobs({"i": 99}).to_dataframe().shape == (0, 0)
    assert not any(job.isfile(layout.FN_DOCUMENT) for job in study.find_jobs({"i.$gte": 4}))


def test_html_is_a_table_for_few_jobs_and_a_count_for_many(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "<table" in study.find_jobs()._repr_html_()
    assert "&lt;" in study.find_jobs({"i": "<b>"})._repr_html_()
    monkeypatch.setattr(JobsCursor, "_use_pandas_for_html_repr", False)
    assert "<strong>6</strong> job(s) found" in study.find_jobs()._repr_html_()
    assert isinstance(study.to_dataframe(), pd.DataFrame)


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been listed."""
    listed: list[str] = []

    def record(name: str) -> None:
        real = getattr(os, name)

        def recording(path: Any = ".") -> Any:
            listed.append(os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else path)
            return real(path)

        monkeypatch.setattr(os, name, recording)

    with for_some_cases():
        record("listdir")
        record("scandir")
    return listed


@pytest.mark.parametrize(
    "collect",
    [
        list,
        tuple,
        lambda jobs: sorted(jobs, key=str),
        lambda jobs: [*jobs],
        lambda jobs: [job for job in jobs],  # noqa: C416
    ],
)
@pytest.mark.parametrize("all_jobs", [lambda project: project, lambda project: project.find_jobs()])
def test_collecting_all_jobs_lists_the_workspace_once(
    study: Project, listings: list[str], collect: Callable[[Any], Any], all_jobs: Callable[[Project], Any]
) -> None:
    assert len(collect(all_jobs(study))) == 6
    assert listings == [study.workspace]


def test_an_iteration_that_waits_shows_no_less_than_when_it_was_asked_for(study: Project) -> None:
    jobs = study.find_jobs()
    waiting, other = iter(jobs), iter(study)
    new = study.open_job({"i": 100}).init()
    assert len(study) == len(jobs) == 7
    study.open_job({"i": 101}).init()
    assert new in list(waiting)
    assert new in list(other)
    assert len(study) == len(list(study)) == 8


@pytest.mark.parametrize(
    "filter",
    [
        {"i.$where": "lambda i: i > 3"},
        {"i": {"$where": "lambda i: i > 3"}},
        '{"i.$where": "lambda i: i > 3"}',
        "i.$where (3).__lt__",
        [("i.$where", "lambda i: i > 3")],
    ],
)
def test_where_runs_its_code_in_every_form_of_a_filter(study: Project, filter: Any) -> None:
    assert numbers(study.find_jobs(filter)) == [4, 5]


def test_state_points_when_asked_for_one_by_one_then_those_of_the_selection_are_taken_from_the_index(
    project: Project, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    for i in range(100):
        project.open_job({"i": i, "half": i % 2}).init()
    project.update_cache()
    fresh = Project(project.path)
    jobs = iter(fresh.find_jobs({"half": 0}))
    reading = forbid(files, "read_bytes")
    with reading:
        assert next(jobs).sp.half == 0
        assert len(fresh.space.now) == 1
        assert [job.sp.half for job in jobs] == [0] * 49
    assert len(fresh.space.now) == 50
    assert not fresh.space.known
    os.unlink(fresh.fn(layout.FN_INDEX))
    assert next(iter(Project(project.path))).sp.i >= 0  # is read from its file


def test_state_points_when_asked_for_here_and_there_then_all_of_the_selection_are_taken_from_the_index(
    project: Project, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    for i in range(200):
        project.open_job({"i": i}).init()
    project.update_cache()
    fresh = Project(project.path)
    jobs = list(fresh)
    with forbid(files, "read_bytes"):
        assert all(job.sp.i >= 0 for job in jobs[::-1][:100:7])
        assert len(fresh.space.known) == 200
    assert fresh.space.sound_ids == set(fresh.space.known)
    os.unlink(fresh.fn(layout.FN_INDEX))
    assert next(iter(Project(project.path))).sp.i >= 0  # is read from its file


def test_state_points_when_the_index_is_behind_then_the_others_are_read_ahead_from_files(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = {project.open_job({"i": i}).init().id: i for i in range(100)}
    project.update_cache()
    number |= {project.open_job({"i": i}).init().id: i for i in range(100, 110)}
    fresh = Project(project.path)
    windows = []
    read_ahead = catalog.read_ahead
    monkeypatch.setattr(catalog, "read_ahead", lambda *arguments: windows.append(1) or read_ahead(*arguments))
    for job in fresh:
        assert job.cached_statepoint == {"i": number[job.id]}
        assert job.sp.i == number[job.id]
    assert set(fresh.space.known) == {job_id for job_id, i in number.items() if i >= 100}
    assert len(windows) < 10
    assert fresh.space.reads == 0


def test_state_points_when_changed_by_users_then_those_of_others_stay(project: Project) -> None:
    for i in range(100):
        project.open_job({"i": i, "list": [i], "inner": {"a": [i, 10**30]}}).init()
    project.update_cache()
    for job in Project(project.path):
        i = job.cached_statepoint["i"]
        job.cached_statepoint["list"].append("changed")
        job.cached_statepoint["inner"]["a"].clear()
        assert job.cached_statepoint == job.sp() == {"i": i, "list": [i], "inner": {"a": [i, 10**30]}}


def test_state_points_when_the_project_is_dropped_then_the_index_is_closed(project: Project) -> None:
    for i in range(100):
        project.open_job({"i": i}).init()
    project.update_cache()
    before = os.listdir("/proc/self/fd")
    fresh = Project(project.path)
    assert next(iter(fresh)).sp.i >= 0
    assert len(os.listdir("/proc/self/fd")) > len(before)
    del fresh
    assert os.listdir("/proc/self/fd") == before


def test_state_points_when_loops_are_nested_then_each_is_read_ahead(
    project: Project, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    for i in range(60):
        project.open_job({"i": i, "third": i % 3}).init()
    project.update_cache()
    fresh = Project(project.path)
    with forbid(files, "read_bytes"):
        for job in fresh:
            third = [other.sp.i for other in fresh.find_jobs({"third": job.sp.third})]
            assert len(third) == 20
            assert job.sp.i in third
    os.unlink(fresh.fn(layout.FN_INDEX))
    assert next(iter(Project(project.path))).sp.i >= 0  # is read from its file


def test_state_points_when_there_is_no_index_then_those_that_follow_are_read_ahead(
    project: Project,
) -> None:
    number = {project.open_job({"i": i}).init().id: i for i in range(40)}
    fresh = Project(project.path)
    jobs = list(fresh)
    (Path(project.workspace) / jobs[5].id / layout.FN_STATE_POINT).write_text("{}")
    assert [job.sp.i for job in jobs[:4]] == [number[job.id] for job in jobs[:4]]
    assert set(fresh.space.known) == {job.id for job in jobs[:7] if job != jobs[5]}
    with pytest.raises(JobsCorruptedError):
        jobs[5].sp()
    assert [job.sp.i for job in jobs[6:]] == [number[job.id] for job in jobs[6:]]
