from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core import Project, diff_jobs
from signac_core.errors import JobsCorruptedError
from signac_core.survey.diff import diff_state_points


def diff(project: Project, *state_points: dict[str, Any]) -> list[dict[str, Any]]:
    return list(diff_jobs(*map(project.open_job, state_points)).values())


def test_diff_of_the_documented_example(project: Project) -> None:
    jobs = [project.open_job({"constant": 42, "diff1": i, "diff2": j}).init() for i, j in ((0, 1), (1, 1), (2, 2))]
    expected = {
        "c4af2b26f1fd256d70799ad3ce3bdad0": {"diff1": 0, "diff2": 1},
        "b96b21fada698f8934d58359c72755c0": {"diff1": 1, "diff2": 1},
        "e4289419d2b0e57e4852d44a09f167c0": {"diff1": 2, "diff2": 2},
    }
    assert diff_jobs(*jobs) == expected
    assert diff_jobs(*project) == expected


def test_diff_of_nothing_is_empty() -> None:
    assert diff_jobs() == {}


@pytest.mark.parametrize(
    ("state_points", "parts"),
    [
        ([{"a": 1}], [{}]),
        ([{"a": 1}, {"a": 1.0}, {"a": True}], [{}, {}, {}]),
        ([{"a": [1]}, {"a": [True]}], [{}, {}]),
        ([{"a": 1}, {"a": True, "b": [1, [2]]}], [{}, {"b": (1, (2,))}]),
        (
            [{"a": {"b": 1, "c": {"d": 1}}, "z": 0}, {"a": {"b": 2, "c": {"d": 1}}, "z": 0}],
            [{"a": {"b": 1}}, {"a": {"b": 2}}],
        ),
        ([{"a": {"b": 1, "c": {"d": [1]}}}, {"a": 5}], [{"a": {"b": 1, "c": {"d": (1,)}}}, {"a": 5}]),
        ([{"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}], [{}, {"a": {"c": 2}}]),
        ([{"a": [{"x": 1}]}, {"a": [{"x": 2}]}], [{"a": ({"x": 1},)}, {"a": ({"x": 2},)}]),
        ([{"a": {}}, {"a": 1}], [{"a": {}}, {"a": 1}]),
        ([{"a": {}, "b": 1}, {"a": {}, "b": 2}], [{"b": 1}, {"b": 2}]),
        ([{"a": {}}, {"a": {"x": 1}}], [{"a": {}}, {"a": {"x": 1}}]),
        ([{"a": 1}, {"a": 2}, {"a": 1, "b": 3}], [{"a": 1}, {"a": 2}, {"a": 1, "b": 3}]),
        ([{"a": None}, {}], [{"a": None}, {}]),
        ([{"a": math.nan, "b": 1}, {"a": math.nan, "b": 2}], [{"b": 1}, {"b": 2}]),
        ([{"a": [math.nan], "b": 1}, {"a": [float("nan")]}], [{"b": 1}, {}]),
    ],
)
def test_diff_has_what_is_not_common_to_all_jobs(
    project: Project, state_points: list[dict[str, Any]], parts: list[dict[str, Any]]
) -> None:
    assert diff(project, *state_points) == parts


def test_diff_keeps_the_order_of_keys(project: Project) -> None:
    (left, _) = diff(project, {"z": 1, "m": {"y": 1, "b": 2}, "a": 2}, {"z": 2, "m": {"y": 2, "b": 3}, "a": 1})
    assert json.dumps(left) == '{"z": 1, "m": {"y": 1, "b": 2}, "a": 2}'


def test_diff_of_a_damaged_job_raises(project: Project) -> None:
    job = project.open_job({"a": 1}).init()
    Path(job.fn("signac_statepoint.json")).write_text("{}")
    with pytest.raises(JobsCorruptedError):
        diff_jobs(*Project())


@pytest.mark.parametrize(
    ("left", "right", "differ"),
    [
        (1, 1.0, True),
        (1, True, True),
        (0.0, -0.0, True),
        ([1], [1.0], True),
        ([{"x": 1}], [{"x": True}], True),
        ("1", 1, True),
        ({}, [], True),
        (math.nan, float("nan"), False),
        ([{"x": 1, "y": 2}], [{"y": 2, "x": 1}], False),
    ],
)
def test_diff_by_type_tells_apart_what_makes_another_id(left: Any, right: Any, differ: bool) -> None:
    parts = diff_state_points({"one": {"a": {"b": left}, "c": 0}, "other": {"a": {"b": right}, "c": 0}})
    assert [set(part) for part in parts.values()] == [{"a"} if differ else set()] * 2


json_objects = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([0, 1, True, None, "x", 0.5]), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.just(2), max_size=3),
    max_leaves=8,
)


@given(st.lists(json_objects, min_size=1, max_size=4))
def test_diff_by_type_is_empty_only_for_what_is_common(state_points: list[dict[str, Any]]) -> None:
    parts = diff_state_points({str(index): state_point for index, state_point in enumerate(state_points)})
    texts = {json.dumps(state_point, sort_keys=True) for state_point in state_points}
    assert all(part == {} for part in parts.values()) == (len(texts) == 1)


def with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: with_tuples(item) for key, item in value.items()}
    return tuple(map(with_tuples, value)) if isinstance(value, list) else value


def own_part(trees: list[dict[str, Any]], tree: dict[str, Any]) -> dict[str, Any]:
    """What a tree does not have in common with all of them, key by key, by the definition."""
    part = {}
    for key, value in tree.items():
        values = [other.get(key, KeyError) for other in trees]
        if all(isinstance(item, dict) and item for item in values):
            if own := own_part(values, value):
                part[key] = own
        elif KeyError in values or len({json.dumps(item, sort_keys=True) for item in values}) > 1:
            part[key] = with_tuples(value)
    return part


mixed_values = st.sampled_from([0, 1, 1.0, True, 0.0, -0.0, math.nan, None, "1", "x", [1], [1.0], [], {}, [[1]]])
mixed_points = st.dictionaries(
    st.sampled_from("abc"), mixed_values | st.dictionaries(st.sampled_from("xy"), mixed_values, max_size=2), max_size=3
)


@given(st.lists(mixed_points | st.just({"a": 1, "b": {"x": [1]}}), max_size=6))
def test_diff_by_type_is_that_of_a_comparison_of_each_with_each(state_points: list[dict[str, Any]]) -> None:
    before = repr(state_points)
    parts = diff_state_points({str(index): state_point for index, state_point in enumerate(state_points)})
    assert repr(list(parts.values())) == repr([own_part(state_points, point) for point in state_points])
    assert repr(state_points) == before
