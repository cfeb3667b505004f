from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signac_core import Project
from signac_core.canonical import calc_id
from signac_core.errors import JobsCorruptedError
from signac_core.survey.detecting import detect_schema
from signac_core.survey.schema import ProjectSchema, hashable, ordered
from signac_core.trees import leaves


@pytest.fixture
def filled(project: Project) -> Callable[..., Project]:
    def fill(*state_points: dict[str, Any]) -> Project:
        for state_point in state_points:
            project.open_job(state_point).init()
        return project

    return fill


def write_state_point(project: Project, state_point: dict[str, Any]) -> str:
    """Put a job on disk that the library itself would refuse."""
    job_id = calc_id(state_point)
    directory = Path(project.workspace, job_id)
    directory.mkdir()
    (directory / "signac_statepoint.json").write_text(json.dumps(state_point))
    return job_id


TWELVE = [{"a": i, "b": {"c": i / 3, "d": {"e": str(i)}}, "k": 0} for i in range(12)]


# --- the text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state_points", [[], [{}], [{"a": {}}], [{}, {"a": {"b": {}}}]])
def test_text_without_values_is_two_braces(filled: Callable[..., Project], state_points: list[dict[str, Any]]) -> None:
    assert str(filled(*state_points).detect_schema()) == "{\n}"


@pytest.mark.parametrize(
    ("state_points", "lines"),
    [
        ([{"a": i} for i in range(5)], ["'a': 'int([0, 1, 2, 3, 4], 5)'"]),
        ([{"a": i} for i in range(6)], ["'a': 'int([0, 1, 2, ..., 4, 5], 6)'"]),
        (
            [{"a": i, "b": bool(i % 2)} for i in range(3)],
            ["'a': 'int([0, 1, 2], 3)'", "'b': 'bool([False, True], 2)'"],
        ),
        (
            [{"a": {"b": i, "c": {"d": str(i)}}, "z": 0} for i in range(3)],
            ["'a.b': 'int([0, 1, 2], 3)'", "'a.c.d': 'str([0, 1, 2], 3)'", "'z': 'int([0], 1)'"],
        ),
        (
            [{"l": [1, 2, {"x": 1}]}, {"l": [1, 2, {"x": 2}]}],
            ["'l': 'tuple([(1, 2, {'x': 1}), (1, 2, {'x': 2})], 2)'"],
        ),
        ([{"l": []}], ["'l': 'tuple([()], 1)'"]),
        ([{"a": 1e-7}, {"a": 0.1}, {"a": 1 / 3}], ["'a': 'float([1e-07, 0.1, 0.3333333333333333], 3)'"]),
        ([{"k'ey": 1}], ["'k'ey': 'int([1], 1)'"]),
        ([{"Z": 1, "a": 1, "é": 1, "": 1}], [f"'{key}': 'int([1], 1)'" for key in ("", "Z", "a", "é")]),
    ],
)
def test_text_has_one_line_per_key(
    filled: Callable[..., Project], state_points: list[dict[str, Any]], lines: list[str]
) -> None:
    assert str(filled(*state_points).detect_schema()) == "\n".join(["{", *(f" {line}," for line in lines), "}"])


def test_text_of_one_key_with_all_types_has_them_by_job_id(filled: Callable[..., Project]) -> None:
    values = [1, 1.0, True, "1", None, [1], {"x": 1}, {}, 2.5, False, "z", [[1]]]
    project = filled(*({"a": value} for value in values))
    texts = {
        "int": "int([1], 1)",
        "float": "float([1.0, 2.5], 2)",
        "bool": "bool([False, True], 2)",
        "str": "str([1, z], 2)",
        "NoneType": "NoneType([None], 1)",
        "list": "tuple([((1,),), (1,)], 2)",
    }
    kinds = [type(project.open_job(id=job_id).cached_statepoint["a"]).__name__ for job_id in sorted(map(str, project))]
    expected = ", ".join(texts[kind] for kind in dict.fromkeys(kinds) if kind != "dict")
    assert str(project.detect_schema()) == f"{{\n 'a': '{expected}',\n 'a.x': 'int([1], 1)',\n}}"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            {},
            [
                "'a': 'int([0, 1, 2, ..., 10, 11], 12)'",
                "'b.c': 'float([0.0, 0.3333333333333333, 0.6666666666666666, ..., 3.3333333333333335, "
                "3.6666666666666665], 12)'",
                "'b.d.e': 'str([0, 1, 10, ..., 8, 9], 12)'",
                "'k': 'int([0], 1)'",
            ],
        ),
        ({"precision": 2}, ["'b.c': 'float([0.0, 0.33, 0.67, ..., 3.33, 3.67], 12)'"]),
        ({"precision": 0}, ["'b.c': 'float([0.0, 0.0, 1.0, ..., 3.0, 4.0], 12)'"]),
        ({"max_num_range": 4}, ["'a': 'int([0, 1, ..., 10, 11], 12)'"]),
        ({"max_num_range": 3}, ["'a': 'int([0, ..., 10, 11], 12)'"]),
        ({"max_num_range": 2}, ["'a': 'int([, ..., 10, 11], 12)'"]),
        (
            {"max_num_range": 1},
            ["'a': 'int([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..., 10, 11], 12)'", "'k': 'int([0], 1)'"],
        ),
        (
            {"max_num_range": 0},
            ["'a': 'int([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..., 10, 11], 12)'", "'k': 'int([, ..., 0], 1)'"],
        ),
        ({"max_num_range": 12}, ["'a': 'int([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 12)'"]),
    ],
)
def test_format_shows_as_many_values_and_digits_as_it_is_told(
    filled: Callable[..., Project], arguments: dict[str, int], lines: list[str]
) -> None:
    text = filled(*TWELVE).detect_schema().format(**arguments)
    shown = text.splitlines()
    assert (shown[0], shown[-1], len(shown)) == ("{", "}", 6)
    for line in lines:
        assert f" {line}," in shown


def test_format_rounds_bools_as_the_numbers_that_they_are(filled: Callable[..., Project]) -> None:
    schema = filled({"b": True}, {"b": False}).detect_schema()
    assert schema.format(precision=1) == "{\n 'b': 'bool([0, 1], 2)',\n}"


@pytest.mark.parametrize(
    ("depth", "text"),
    [
        (1, "{'a': 'int([0, 1, 2, ..., 10, 11], 12)', 'b': {...}, 'k': 'int([0], 1)'}"),
        (
            2,
            "{'a': 'int([0, 1, 2, ..., 10, 11], 12)',\n"
            " 'b': {'c': 'float([0.0, 0.3333333333333333, 0.6666666666666666, ..., '\n"
            "            '3.3333333333333335, 3.6666666666666665], 12)',\n"
            "       'd': {...}},\n"
            " 'k': 'int([0], 1)'}",
        ),
    ],
)
def test_format_with_a_depth_nests_the_keys(filled: Callable[..., Project], depth: int, text: str) -> None:
    assert filled(*TWELVE).detect_schema().format(depth=depth) == text


def test_format_with_a_depth_of_nothing_is_two_braces(project: Project) -> None:
    assert project.detect_schema().format(depth=3) == "{}"


@pytest.mark.parametrize("scalars", [["x"], ["x", "y", "z"]])
def test_format_with_a_depth_shows_value_and_mapping_of_one_key_side_by_side(
    filled: Callable[..., Project], scalars: list[str]
) -> None:
    project = filled({"a": {"b": 1, "c": {"d": 2}}}, *({"a": scalar} for scalar in scalars))
    shown = eval(project.detect_schema().format(depth=3))
    assert shown == {
        "a": f"str([{', '.join(scalars)}], {len(scalars)})",
        "a.b": "int([1], 1)",
        "a.c": {"d": "int([2], 1)"},
    }


def test_values_that_cannot_be_compared_are_sorted_by_their_text(filled: Callable[..., Project]) -> None:
    schema = filled({"a": [1, "x"]}, {"a": ["y", 2]}, {"a": [None]}).detect_schema()
    assert str(schema) == "{\n 'a': 'tuple([('y', 2), (1, 'x'), (None,)], 3)',\n}"


def test_nan_is_one_value_and_comes_last(filled: Callable[..., Project]) -> None:
    project = filled(*({"a": math.nan, "b": i} for i in range(3)), {"a": math.inf}, {"a": -1.5})
    assert " 'a': 'float([-1.5, inf, nan], 3)'," in str(project.detect_schema())


def test_html_is_escaped(filled: Callable[..., Project]) -> None:
    schema = filled({"<b>": "<script>&"}).detect_schema()
    assert schema._repr_html_() == (
        "<strong>ProjectSchema(&lt;len=1&gt;)</strong><pre>{\n '&lt;b&gt;': 'str([&lt;script&gt;&amp;], 1)',\n}</pre>"
    )


# --- the mapping ------------------------------------------------------------------------------------------------------


def test_schema_is_a_mapping_of_key_to_type_to_values(filled: Callable[..., Project]) -> None:
    schema = filled({"a": 1, "b": {"c": [1, [2]]}}, {"a": "x", "b": {"c": None}}).detect_schema()
    assert schema == {"a": {int: {1}, str: {"x"}}, "b.c": {tuple: {(1, (2,))}, type(None): {None}}}
    assert ("b.c" in schema, "b" in schema, ("b", "c") in schema) == (True, False, False)
    assert repr(schema) == "ProjectSchema(<len=2>)"
    assert schema.get("b") is None
    with pytest.raises(KeyError):
        schema["b"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(schema)


def test_looking_up_a_type_that_does_not_occur_inserts_nothing(filled: Callable[..., Project]) -> None:
    schema = filled({"a": 1}).detect_schema()
    text = str(schema)
    assert schema["a"][str] == set()
    assert str(schema) == text
    assert str not in schema["a"]


def test_an_empty_mapping_is_a_key_without_values(filled: Callable[..., Project]) -> None:
    schema = filled({"a": {}, "b": 1}).detect_schema()
    assert dict(schema) == {"a": {}, "b": {int: {1}}}
    assert str(schema) == "{\n 'b': 'int([1], 1)',\n}"


def test_keys_come_in_the_order_of_their_number_of_values(filled: Callable[..., Project]) -> None:
    project = filled(*({"c": i, "b": i % 2, "z": 0, "a": "x"} for i in range(4)))
    assert list(project.detect_schema()) == ["a", "z", "b", "c"]


def test_a_mapping_in_some_jobs_counts_as_a_value_in_the_order_of_keys(filled: Callable[..., Project]) -> None:
    project = filled({"a": 1, "b": 2}, {"a": {"x": 1}, "b": 2}, {"a": {"x": 1}, "b": 2, "c": 1})
    assert list(project.detect_schema()) == ["a.x", "b", "c", "a"]


def test_numbers_and_bools_that_compare_equal_are_kept_apart(filled: Callable[..., Project]) -> None:
    schema = filled({"a": 1}, {"a": True}, {"a": 1.0}, {"a": 0}, {"a": False}).detect_schema()
    assert {kind: {repr(value) for value in values} for kind, values in schema["a"].items()} == {
        int: {"0", "1"},
        bool: {"False", "True"},
        float: {"1.0"},
    }


def test_literal_dots_in_keys_are_shown(filled: Callable[..., Project]) -> None:
    project = filled({"a": 1})
    write_state_point(project, {"x.y": 1, "q": 5, "n": {"u.v": {"k": 1}, "w": 2}})
    assert set(project.detect_schema()) == {"a", "q", "n.w", "x.y", "n.u.v.k"}


@pytest.mark.parametrize("indexed", [False, True])
def test_keys_with_literal_dots_and_nested_ones_of_the_same_name_are_one(
    filled: Callable[..., Project], indexed: bool
) -> None:
    project = filled({"x": {"y": 2}, "c": 1}, {"x": {"y": 3}, "c": 1})
    for value in (1, 3, "text"):
        write_state_point(project, {"x.y": value, "c": 1})
    if indexed:
        project.update_cache()
    schema = Project().detect_schema()
    assert {kind: set(values) for kind, values in schema["x.y"].items()} == {int: {1, 2, 3}, str: {"text"}}
    assert set(Project().detect_schema(exclude_const=True)) == {"x.y"}


def test_schema_without_arguments_is_empty() -> None:
    assert ProjectSchema() == {}
    assert str(ProjectSchema()) == "{\n}"


def test_difference_has_the_keys_that_are_missing_or_have_other_values(filled: Callable[..., Project]) -> None:
    schema = filled({"a": 1, "b": {"x": 1}, "c": True}, {"a": 2, "b": {"x": 1}}).detect_schema()
    other = ProjectSchema({"a": {int: {2, 1}}, "c": {int: {1}}, "d": {str: {"x"}}})
    assert schema.difference(other) == {"b.x", "c"}
    assert schema.difference(other, ignore_values=True) == {"b.x"}
    assert other.difference(schema) == {"c", "d"}
    assert schema.difference(schema) == set()


# --- which jobs, which keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state_points", "left"),
    [
        ([{"a": 1, "b": 1}], []),
        ([{"a": 1, "b": 1}, {"a": 1, "b": 2}], ["b"]),
        ([{"a": 1}, {"a": 1, "c": 2}], ["c"]),
        ([{"a": 1, "b": 1}, {"a": 1.0, "b": 2}], ["a", "b"]),
        ([{"a": 1, "b": 1}, {"a": True, "b": 2}], ["a", "b"]),
        ([{"a": {}}, {"a": {}, "b": 2}], ["b"]),
        ([{"a": {}}, {"b": 1}, {"b": 2}], ["a", "b"]),
        ([{"a": {"b": 1}}, {"a": 7, "c": 2}], ["a.b", "c", "a"]),
        ([{"a": math.nan, "b": 1}, {"a": math.nan, "b": 2}], ["b"]),
    ],
)
def test_exclude_const_leaves_out_what_has_one_value_in_all_jobs(
    filled: Callable[..., Project], state_points: list[dict[str, Any]], left: list[str]
) -> None:
    assert list(filled(*state_points).detect_schema(exclude_const=True)) == left


def test_subset_takes_jobs_and_full_ids_and_ignores_others(filled: Callable[..., Project]) -> None:
    project = filled(*({"a": i} for i in range(4)))
    one, two, other, _ = project
    subset = (item for item in [one, two.id, other.id[:8], "f" * 32, f"../workspace/{other.id}", "é"])
    schema = project.detect_schema(subset=subset)
    assert schema == {"a": {int: {one.sp.a, two.sp.a}}}
    assert project.detect_schema(subset=[]) == {}
    assert project.detect_schema(subset=project.find_jobs({"a": 3})) == {"a": {int: {3}}}
    assert project.detect_schema(subset=one.id) == {}
    assert project.detect_schema(subset=[one], exclude_const=True) == {}


def test_damaged_jobs_raise_or_are_collected(filled: Callable[..., Project]) -> None:
    project = filled({"a": 1}, {"a": 2})
    job_id = project.open_job({"a": 2}).id
    Path(project.workspace, job_id, "signac_statepoint.json").write_text("{}")
    with pytest.raises(JobsCorruptedError) as caught:
        Project().detect_schema()
    assert list(caught.value.job_ids) == [job_id]
    damaged: list[str] = []
    assert detect_schema(Project().space, damaged=damaged) == {"a": {int: {1}}}
    assert damaged == [job_id]


def test_progress_is_told_of_every_job(filled: Callable[..., Project]) -> None:
    project = filled(*({"a": i} for i in range(3)))
    steps: list[tuple[str, int, int | None]] = []
    detect_schema(project.space, progress=lambda what, done, total: steps.append((what, done, total)))
    assert steps == [("schema", 1, 3), ("schema", 2, 3), ("schema", 3, 3)]


# --- values -----------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@example({"a": float("nan")})
@example([{"a": [float("nan")]}])
@given(json_values)
def test_hashable_values_are_found_again(value: Any) -> None:
    copy = json.loads(json.dumps(value))
    assert hashable(value) in {hashable(copy)}


@given(st.lists(json_values, max_size=6))
def test_the_order_of_values_does_not_depend_on_how_they_were_met(values: list[Any]) -> None:
    tuples = [hashable([value]) for value in values]
    in_order = ordered(tuples, value=lambda value: value)
    backwards = ordered(reversed(tuples), value=lambda value: value)
    assert [hash(value) for value in in_order] == [hash(value) for value in backwards]


@given(st.dictionaries(st.sampled_from("abc"), json_values, max_size=3))
def test_the_schema_has_the_leaves_of_the_state_points(state_point: dict[str, Any]) -> None:
    project = Project.init_project("one")
    for job in project:
        job.remove()
    project.open_job(state_point).init()
    expected = {
        key: {type(hashable(value)): {hashable(value)}}
        for key, value in leaves(state_point, addressable=True)
        if value != {}
    }
    assert {key: types for key, types in project.detect_schema().items() if types} == expected


@pytest.mark.parametrize("zeros", [(0.0, -0.0), (-0.0, 0.0)], ids=str)
def test_schema_when_a_key_has_both_zeros_then_the_positive_one_is_shown_with_and_without_an_index(
    project: Project, zeros: tuple[float, float]
) -> None:
    order = sorted(({"z": zero, "i": i} for zero in zeros for i in range(20)), key=calc_id)
    for state_point in order:
        project.open_job(state_point).init()
    read = detect_schema(project.space).format()
    project.update_cache()
    assert "'z': 'float([0.0], 1)'" in read
    assert detect_schema(Project(project.path).space).format() == read
