from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project
from signac_core.errors import JobsCorruptedError
from signac_core.survey.neighbors import get_neighbors, neighbors_of


def ids(project: Project, *state_points: dict[str, Any]) -> list[str]:
    return [project.open_job(state_point).init().id for state_point in state_points]


def lines(found: dict[str, dict[Any, str]]) -> dict[str, list[tuple[str, str]]]:
    """Neighbours with the text of their values, so that ``1`` is not ``True``."""
    return {key: [(repr(value), job_id) for value, job_id in beside.items()] for key, beside in found.items()}


def test_neighbors_have_the_previous_and_the_next_value_that_occurs(project: Project) -> None:
    one, two, four = ids(project, *({"a": a, "c": 0} for a in (1, 2, 4)))
    found = project.get_neighbors()
    assert found == {one: {"a": {2: two}}, two: {"a": {1: one, 4: four}}, four: {"a": {2: two}}}
    assert list(found[two]["a"]) == [1, 4]


def test_neighbors_along_several_nested_keys(project: Project) -> None:
    a, b, c, d = ids(project, *({"n": {"x": x}, "y": y} for x in (1, 2) for y in ("p", "q")))
    assert project.get_neighbors()[a] == {"n.x": {2: c}, "y": {"q": b}}
    assert project.get_neighbors()[d] == {"n.x": {1: b}, "y": {"p": c}}


def test_neighbors_of_different_types_are_in_the_order_of_type_names(project: Project) -> None:
    values = [None, False, 2.5, 7, "x", [1, 2], [3]]
    jobs = ids(project, *({"a": value, "c": 0} for value in values))
    found = project.get_neighbors()
    keys = [tuple(value) if isinstance(value, list) else value for value in values]
    for index, job_id in enumerate(jobs):
        beside = [*range(index)[-1:], *range(index + 1, len(jobs))[:1]]
        assert found[job_id] == {"a": {keys[other]: jobs[other] for other in beside}}


def test_neighbors_with_equal_numbers_of_different_types_are_different(project: Project) -> None:
    one, true, real, two = ids(project, *({"a": value} for value in (1, True, 1.0, 2)))
    found = {job_id: lines(beside) for job_id, beside in project.get_neighbors().items()}
    assert found[true] == {"a": [("1.0", real)]}
    assert found[real] == {"a": [("True", true)]}  # and 1, which is the same key of a dict
    assert found[one] == {"a": [("1.0", real), ("2", two)]}
    assert found[two] == {"a": [("1", one)]}


def test_neighbors_with_values_that_cannot_be_compared_or_hashed(project: Project) -> None:
    values: list[Any] = [math.nan, 1.5, [{"x": [1]}], [1, "x"], ["y", 2]]
    nan, real, mapping, mixed, other = ids(project, *({"a": value, "c": 0} for value in values))
    found = {job_id: lines(beside)["a"] for job_id, beside in project.get_neighbors().items()}
    assert found[real] == [("nan", nan)]
    assert found[nan] == [("1.5", real), ("('y', 2)", other)]
    assert found[mapping] == [("(1, 'x')", mixed)]
    assert found[mixed] == [("('y', 2)", other), ("({'x': [1]},)", mapping)]


def test_jobs_that_differ_in_more_than_one_key_are_no_neighbors(project: Project) -> None:
    one, two = ids(project, {"a": 1, "s": 10}, {"a": 2, "s": 20})
    assert project.get_neighbors() == {one: {"a": {}, "s": {}}, two: {"a": {}, "s": {}}}


def test_jobs_that_differ_by_the_presence_of_a_key_are_no_neighbors(project: Project) -> None:
    one, two, without = ids(project, {"a": 1, "c": 0}, {"a": 2, "c": 0}, {"c": 0})
    assert project.get_neighbors() == {one: {"a": {2: two}}, two: {"a": {1: one}}, without: {}}


def test_an_empty_mapping_tells_jobs_apart_and_is_no_value(project: Project) -> None:
    one, two, three = ids(project, {"a": {}, "b": 1}, {"a": {}, "b": 2}, {"a": 5, "b": 3})
    assert project.get_neighbors() == {one: {"b": {2: two}}, two: {"b": {1: one}}, three: {"b": {}}}
    assert project.open_job(id=one)._get_neighbors() == {"b": {2: two}}
    assert project.open_job(id=three)._get_neighbors() == {"a": {}, "b": {}}


def test_neighbors_in_a_project_without_jobs_or_with_one(project: Project) -> None:
    assert project.get_neighbors() == {}
    (job_id,) = ids(project, {"a": 1})
    assert project.get_neighbors() == {job_id: {}}


@pytest.mark.parametrize("ignore", ["s", ["s"], ("s",), {"s"}, iter(["s"])])
def test_ignored_keys_do_not_count(project: Project, ignore: Any) -> None:
    one, two = ids(project, {"a": 1, "s": 10}, {"a": 2, "s": 20})
    assert project.get_neighbors(ignore) == {one: {"a": {2: two}}, two: {"a": {1: one}}}


def test_unknown_ignored_keys_are_told_with_the_nearest_ones(project: Project) -> None:
    job = project.open_job({"T": 1, "model": {"eps": 1}}).init()
    with pytest.warns(RuntimeWarning, match="parameters 'modle.eps', 'sp.T'. Did you mean 'T', 'model.eps'?"):
        job._get_neighbors(ignore=["sp.T", "modle.eps"])


def test_unknown_ignored_keys_are_named_and_the_list_of_the_caller_is_kept(project: Project) -> None:
    ids(project, {"a": 1}, {"a": 2})
    ignore = ["zz", "yy"]
    with pytest.warns(RuntimeWarning, match="parameters 'yy', 'zz'") as caught:
        project.get_neighbors(ignore)
    assert ignore == ["zz", "yy"]
    assert caught[0].filename == __file__


def test_ignoring_what_tells_jobs_apart_is_refused_with_their_ids(project: Project) -> None:
    one, two, _ = ids(project, {"a": 1, "s": 10}, {"a": 1, "s": 20}, {"a": 2, "s": 1})
    with pytest.raises(ValueError, match="without 's'") as caught:
        project.get_neighbors(ignore=["s"])
    assert (
        str(caught.value) == f"Jobs {' and '.join(sorted([one, two]))} cannot be told apart without 's'. Ignore less."
    )


def test_ignoring_what_tells_many_jobs_apart_is_refused_in_a_short_message(project: Project) -> None:
    ids(project, *({"a": a} for a in range(20)))
    with pytest.raises(ValueError, match="without 'a', and 18 more jobs cannot either") as caught:
        project.get_neighbors(ignore=["a"])
    assert len(str(caught.value)) < 200


def test_job_neighbors_has_the_constant_keys_too(project: Project) -> None:
    one, two, four = ids(project, *({"a": a, "c": 0} for a in (1, 2, 4)))
    assert project.open_job(id=two)._get_neighbors() == {"c": {}, "a": {1: one, 4: four}}
    assert project.open_job(id=two)._get_neighbors("c") == {"a": {1: one, 4: four}}


def test_job_neighbors_of_a_job_that_is_not_initialised(project: Project) -> None:
    one, two = ids(project, {"a": 1}, {"a": 2})
    assert project.open_job({"a": 1.5})._get_neighbors() == {"a": {1: one}}
    assert project.open_job({"a": 3})._get_neighbors() == {"a": {2: two}}
    assert project.open_job({"a": 3, "b": 0})._get_neighbors() == {"b": {}, "a": {}}


def test_all_three_functions_agree(project: Project) -> None:
    jobs = ids(project, *({"a": a, "n": {"x": x}, "y": [x]} for a in (1, 2, 3.5) for x in "pqr" if (a, x) != (2, "q")))
    everything = project.get_neighbors("y")
    assert neighbors_of(project.space, [*jobs, "f" * 32], "y") == everything
    assert {job.id: job._get_neighbors("y") for job in project} == everything


def test_neighbors_write_nothing(project: Project) -> None:
    ids(project, {"a": 1}, {"a": 2})
    before = sorted(os.listdir(project.fn(".signac")))
    project.get_neighbors()
    assert sorted(os.listdir(project.fn(".signac"))) == before


def test_neighbors_with_damaged_jobs_raise_or_collect(project: Project) -> None:
    one, two, bad = ids(project, {"a": 1}, {"a": 2}, {"a": 3})
    Path(project.workspace, bad, "signac_statepoint.json").write_text("{}")
    with pytest.raises(JobsCorruptedError):
        Project().get_neighbors()
    damaged: list[str] = []
    assert get_neighbors(Project().space, damaged=damaged) == {one: {"a": {2: two}}, two: {"a": {1: one}}}
    assert damaged == [bad]
    assert neighbors_of(Project().space, [bad, one], damaged=damaged) == {one: {"a": {2: two}}}
