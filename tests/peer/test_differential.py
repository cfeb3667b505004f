"""The same cases under both programs give the same answers, except where ours are meant to be better.

What is meant to be better is listed in ``better.py``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.peer.better import BETTER
from tests.peer.json_values import AWKWARD, AWKWARD_KEYS, json_values, state_points
from tests.peer.sides import Side

pytestmark = pytest.mark.slow

THOROUGH = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

EACH_MANY = settings(THOROUGH, max_examples=THOROUGH.max_examples // 4)
"""For tests of which each example is a batch of many cases."""


def failed(answer: Any) -> bool:
    return isinstance(answer, dict) and "error" in answer and "message" in answer


def same(theirs: Any, mine: Any) -> bool:
    """Whether ours is the same answer, or an error that those who expect theirs catch."""
    if failed(theirs):
        return failed(mine) and theirs["error"][0] in mine["error"]
    return json.dumps(theirs) == json.dumps(mine)


def distinct(jobs: list[Any]) -> list[Any]:
    """Jobs that differ in their state points."""
    return list({json.dumps(job[0], sort_keys=True): job for job in jobs}.values())


# --- what is meant to be better --------------------------------------------------------------------------------------


def outline(answer: Any) -> Any:
    """Name errors by their classes."""
    if failed(answer):
        return answer["error"][0]
    if isinstance(answer, list):
        return [outline(part) for part in answer]
    return {key: outline(part) for key, part in answer.items()} if isinstance(answer, dict) else answer


@pytest.mark.parametrize("case", BETTER, ids=lambda case: f"{case.operation}: {case.reason}")
def test_difference_when_listed_as_meant_then_it_is_still_there(peer, ours, case):
    theirs, mine = (outline(side.ask(case.operation, **case.arguments)) for side in (peer, ours))
    assert json.dumps(theirs) != json.dumps(mine)
    assert json.dumps(theirs) == json.dumps(case.theirs)
    assert json.dumps(mine) == json.dumps(case.mine)


# --- ids -------------------------------------------------------------------------------------------------------------


@EACH_MANY
@given(st.lists(st.one_of(state_points, json_values), min_size=10, max_size=40))
def test_id_when_any_json_value_then_equal(peer, ours, values):
    for value, theirs, mine in zip(values, peer.ask("ids", values=values), ours.ask("ids", values=values), strict=True):
        assert same(theirs, mine), (value, theirs, mine)


def test_id_when_awkward_value_or_key_then_equal(peer, ours):
    values = [{"a": value} for value in AWKWARD] + [{key: 1, "a": {key: 2}} for key in AWKWARD_KEYS] + AWKWARD
    values += [{"a.b": 1}, {"a": {"b.c": 1}}, {"a": [{"b.c": 1}]}]
    assert ours.ask("ids", values=values) == peer.ask("ids", values=values)


def test_id_when_values_are_of_numpy_then_equal(peer, ours):
    arrays = [
        *[(kind, 3) for kind in ("int8", "int16", "int32", "int64", "uint8", "uint64", "float16", "float32")],
        *[(kind, 0.1) for kind in ("float16", "float32", "float64", "bool")],
        *[(kind, [[1, 2], [3, 4]]) for kind in ("int64", "float32", "bool")],
        ("float64", []),
        ("float64", float("nan")),
        ("str", "é"),
        ("str", ["a", "é"]),
        ("object", [1, None, "x"]),
        ("complex128", 1),
        ("longdouble", 0.5),
        ("bytes", "x"),
        ("datetime64[s]", 0),
    ]
    theirs, mine = (side.ask("numpy_ids", arrays=arrays) for side in (peer, ours))
    assert [array for array, *both in zip(arrays, theirs, mine, strict=True) if not same(*both)] == []


@EACH_MANY
@given(st.lists(state_points, max_size=40))
def test_shortest_unique_prefix_when_any_jobs_then_equal(peer, ours, points):
    jobs = [(point, None) for point in points]
    assert ours.ask("shortest", jobs=jobs) == peer.ask("shortest", jobs=jobs)


@pytest.mark.parametrize("count", [0, 1, 2, 16, 17, 50, 300])
def test_shortest_unique_prefix_when_so_many_jobs_then_equal(peer, ours, count):
    jobs = [({"a": number}, None) for number in range(count)]
    assert ours.ask("shortest", jobs=jobs) == peer.ask("shortest", jobs=jobs)


# --- queries ---------------------------------------------------------------------------------------------------------

comparable = {
    "numbers": st.sampled_from([-1, 0, 1, 2, 3, 10, -1.5, 0.0, -0.0, 0.5, 1.0, 2.0, 1e10, 2**53 + 1, True, False]),
    "texts": st.sampled_from(["", "a", "A", "ab", "b", "1", "é", "\U0001f600", "\x7f"]),
    "lists": st.lists(st.integers(0, 2), max_size=2),
}
any_value = st.one_of(
    *comparable.values(),
    st.none(),
    st.lists(st.one_of(st.integers(0, 1), st.sampled_from(["a", None, 1.0, True])), max_size=2),
    st.sampled_from([[{"a": 1}], [[1], [2, []]], float("inf"), -float("inf")]),
)
names = st.sampled_from(["a", "b", "c", "n"])


@st.composite
def spaces(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> list[Any]:
    """Jobs with few keys, so that filters match some of them."""
    nested = st.dictionaries(st.sampled_from(["a", "x"]), values, min_size=1, max_size=2)
    tree = st.dictionaries(names, values | nested, max_size=3)
    return distinct(draw(st.lists(st.tuples(tree, st.none() | tree), min_size=1, max_size=10)))


paths = st.sampled_from(
    ["a", "b", "c", "n", "n.a", "n.x", "a.x", "sp.a", "sp.n.a", "doc.a", "doc.b", "doc.n.a", "no", "sp.no", "doc.no"]
)


def spelled(draw: st.DrawFn, path: str, operator: str, argument: Any) -> dict[str, Any]:
    """One of the ways to write a condition."""
    match draw(st.integers(0, 2)):
        case 0:
            return {f"{path}.{operator}": argument}
        case 1:
            return {path: {operator: argument}}
    condition: Any = {operator: argument}
    for part in reversed(path.split(".")):
        condition = {part: condition}
    return condition


@st.composite
def conditions(draw: st.DrawFn, values: st.SearchStrategy[Any], operators: list[str]) -> dict[str, Any]:
    path = draw(paths)
    operator = draw(st.sampled_from(operators))
    if operator == "":
        return {path: draw(values)}
    arguments: dict[str, st.SearchStrategy[Any]] = {
        "$in": st.lists(values, max_size=3),
        "$nin": st.lists(values, max_size=3),
        "$exists": st.booleans(),
        "$regex": st.sampled_from(["", "a", "^a$", "[ab]", "\\d", "é", "."]),
        "$type": st.sampled_from(["float", "str", "list", "null"]),
        "$where": st.sampled_from(["lambda x: True", "lambda x: x == 1", "lambda x: isinstance(x, str)"]),
        "$near": st.sampled_from([1, 1.0, [1], [1, 0.6], [1, 0, 2], [2, 0.1, 0.5], 1e10]),
    }
    return spelled(draw, path, operator, draw(arguments.get(operator, values)))


def filters(single: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions combined."""

    def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
        return {key: value for part in parts for key, value in part.items()}

    def combined(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        lists = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            lists.map(lambda parts: {"$and": parts}),
            lists.map(lambda parts: {"$or": parts}),
            inner.map(lambda part: {"$not": part}),
            st.tuples(inner, lists).map(lambda pair: {**pair[0], "$or": pair[1]}),
            st.lists(inner, min_size=1, max_size=3).map(merged),
        )

    return st.recursive(single, combined, max_leaves=4)


def mentions_document(filter: Any, *, below_not: bool = False) -> bool:
    """Whether a filter has a document key outside, or below, ``$not``."""
    if isinstance(filter, list):
        return any(mentions_document(part, below_not=below_not) for part in filter)
    if not isinstance(filter, dict):
        return False
    return any(
        mentions_document(value, below_not=below_not)
        if key in ("$and", "$or")
        else (below_not and (mentions_document(value) or mentions_document(value, below_not=True)))
        if key == "$not"
        else not below_not and key.partition(".")[0] == "doc"
        for key, value in filter.items()
    )


def compare_queries(peer: Side, ours: Side, jobs: list[Any], filters: list[Any]) -> None:
    for filter, theirs, mine in zip(
        filters,
        peer.ask("find", jobs=jobs, filters=filters),
        ours.ask("find", jobs=jobs, filters=filters),
        strict=True,
    ):
        if mentions_document(filter, below_not=True) and not mentions_document(filter):
            continue  # BETTER: documents are read for $not as well
        assert same(theirs, mine), (filter, theirs, mine)


ANYWHERE = ["", "$eq", "$ne", "$in", "$nin", "$exists", "$regex", "$type", "$where"]


@EACH_MANY
@given(spaces(any_value), st.lists(filters(conditions(any_value, ANYWHERE)), min_size=5, max_size=20))
def test_query_when_values_of_any_type_then_equal(peer, ours, jobs, filters):
    compare_queries(peer, ours, jobs, filters)


@pytest.mark.parametrize("kind", comparable)
@EACH_MANY
@given(data=st.data())
def test_query_when_values_compare_then_equal(peer, ours, kind, data):
    values = comparable[kind]
    operators = [*ANYWHERE, "$gt", "$gte", "$lt", "$lte", *(["$near"] if kind == "numbers" else [])]
    flat = st.dictionaries(names, values, max_size=3)
    jobs = distinct(data.draw(st.lists(st.tuples(flat, st.none() | flat), min_size=1, max_size=10)))
    compare_queries(
        peer, ours, jobs, data.draw(st.lists(filters(conditions(values, operators)), min_size=5, max_size=20))
    )


INVALID_FILTERS: list[Any] = [
    5,
    True,
    [1, 2],
    ["ab", 3],
    {"a": {"$xyz": 1}},
    {"a.$xyz": 1},
    {"$xyz": 1},
    {"a": {"$and": [{}]}},
    {"a": {"$not": {"$eq": 1}}},
    {"a": {"$$gt": 1}},
    {"a$": 1},
    {"a$b": 1},
    {"a.$lt.b": 1},
    {"a": {"$eq": {"b": 1}}},
    {"$and": {"a": 1}},
    {"$or": 1},
    {"$and": []},
    {"$or": []},
    {"a": {"$exists": 1}},
    {"a": {"$exists": "true"}},
    {"a": {"$type": "dict"}},
    {"a": {"$type": "number"}},
    {"a": {"$in": 1}},
    {"a": {"$near": []}},
    {"a": {"$near": [1, 2, 3, 4]}},
    {"a": {"$near": [1, -1]}},
    {"a": {"$regex": "("}},
    {"a": {"$regex": 1}},
    {"a": {"$where": "lambda x: nothing"}},
    {"a": {"$where": "("}},
]


@pytest.mark.parametrize("filter", INVALID_FILTERS, ids=json.dumps)
def test_query_when_filter_is_invalid_then_error_of_the_same_class(peer, ours, filter):
    value = 1.5 if "$near" in json.dumps(filter) else "text"  # what the operator is for: others are met first
    jobs = [({"a": value}, None), ({"a": value, "b": 1}, {"b": 1})]
    theirs, mine = (side.ask("find", jobs=jobs, filters=[filter]) for side in (peer, ours))
    assert failed(theirs[0])
    assert same(theirs[0], mine[0]), (theirs, mine)


TEXT_FILTERS = [
    "a 1", "a 1.0", "a true", "a null", "a text", "a", "a !", "a /e/", "a // b", "a.$gt 0", "doc.b 2", "a [1,2]",
    'n {"a":1}', "a 1 b 2", "a 1 a 2", "n.a 1", "a 1e0", "a 0x1", "a True", "", "  ", "sp.a 1",
]  # fmt: skip


def test_query_when_filter_is_text_then_equal(peer, ours):
    jobs = [
        ({"a": value, "b": 2}, {"b": number})
        for number, value in enumerate([1, 1.5, True, None, "text", "e", [1, 2], "True", "0x1"])
    ] + [({"n": {"a": 1}}, None)]
    # Numbers and texts compare with an error in signac: only the other filters look at all of them.
    jobs = [job for job in jobs if job[0].get("a") is None or not isinstance(job[0]["a"], (str, list))] + [
        ({"t": value}, {"b": value}) for value in ("text", "e", [1, 2])
    ]
    for filter in TEXT_FILTERS:
        theirs, mine = (side.ask("find", jobs=jobs, filters=[filter])[0] for side in (peer, ours))
        assert same(theirs, mine) or "$gt" in filter, (filter, theirs, mine)


# --- groups ----------------------------------------------------------------------------------------------------------

group_names = st.sampled_from(["a", "b", "sp.a", "doc.a", "doc.b", "no", "doc.no"])


@pytest.mark.parametrize("kind", comparable)
@EACH_MANY
@given(data=st.data())
def test_groups_when_values_compare_then_equal(peer, ours, kind, data):
    values = comparable[kind]
    flat = st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2)
    jobs = distinct(data.draw(st.lists(st.tuples(flat, flat), max_size=10)))
    keys = st.none() | group_names | st.lists(group_names, max_size=3)
    wanted = data.draw(st.lists(st.tuples(keys, st.none() | values), min_size=3, max_size=10))
    if kind == "lists":
        wanted = [(key, default) for key, default in wanted if "doc." not in json.dumps(key)]
    wanted = [(key, None if key is None else default) for key, default in wanted]
    theirs, mine = (side.ask("group", jobs=jobs, keys=wanted) for side in (peer, ours))
    for key, *both in zip(wanted, theirs, mine, strict=True):
        if not any(map(failed, both)) and isinstance(key[0], (str, list)):
            # 1, 1.0 and True are one group: which of them names it, depends on the order of the jobs.
            assert both[0] == both[1], (key, both)
        else:
            assert same(*both) or key[0] is None, (key, both)
            assert failed(both[0]) or sorted(map(json.dumps, both[0])) == sorted(map(json.dumps, both[1]))


# --- schema and differences ------------------------------------------------------------------------------------------

one_type = st.one_of(
    st.lists(st.integers(-3, 12), min_size=1, max_size=12, unique=True),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8, unique=True),
    st.lists(st.text(max_size=4), min_size=1, max_size=8, unique=True),
    st.just([None]),
    st.sampled_from([[True, False], [True]]),
)


@THOROUGH
@given(data=st.data())
def test_schema_when_each_key_has_one_type_then_equal(peer, ours, data):
    columns = data.draw(st.dictionaries(st.sampled_from(["a", "b", "n.a", "n.b", "é"]), one_type, max_size=4))
    jobs = []
    for _ in range(data.draw(st.integers(0, 12))):
        point: dict[str, Any] = {}
        for name, values in columns.items():
            if data.draw(st.booleans()):
                above, _, key = name.rpartition(".")
                (point.setdefault(above, {}) if above else point)[key] = data.draw(st.sampled_from(values))
        jobs.append((point or {"a": columns.get("a", [0])[0]}, None))  # no empty one, see BETTER
    options = [
        [{"exclude_const": exclude}, layout]
        for exclude in (False, True)
        for layout in ({}, {"precision": 2}, {"max_num_range": 3}, {"depth": 1}, {"depth": 2})
    ]
    jobs = distinct(jobs)
    theirs, mine = (side.ask("schema", jobs=jobs, options=options) for side in (peer, ours))
    assert [option for option, *both in zip(options, theirs, mine, strict=True) if not same(*both)] == []


@THOROUGH
@given(spaces(st.one_of(comparable["texts"], st.integers(2, 4), st.none(), st.lists(st.integers(2, 4), max_size=2))))
def test_differences_when_jobs_differ_then_equal(peer, ours, jobs):
    theirs, mine = (side.ask("difference", jobs=jobs) for side in (peer, ours))
    assert theirs == mine


@THOROUGH
@given(
    st.lists(
        st.dictionaries(names, st.sampled_from([2, 3, 4, "x", "y", [2], [3]]), min_size=1, max_size=3), max_size=10
    ),
    st.lists(st.just("b"), max_size=1),
)
def test_neighbors_when_any_jobs_then_equal(peer, ours, points, ignore):
    jobs = distinct([(point, None) for point in points])
    if not any("b" in point for point in points):
        ignore = []
    theirs, mine = (side.ask("neighbors", jobs=jobs, ignore=ignore) for side in (peer, ours))
    assert same(theirs, mine), (theirs, mine)


# --- state point changes ---------------------------------------------------------------------------------------------

# No two of these are equal without being the same, see BETTER.
told_apart = st.sampled_from([None, 2, 3, 4.5, "", "x", [], [2], [3, [2]], {}, {"x": 2}, {"x": {"y": [2]}}, {"y": 3}])
points = st.dictionaries(names, told_apart, max_size=4)
# Neither None nor a list, see BETTER.
in_bulk = st.sampled_from([2, 3, 4.5, "", "x", {}, {"x": 2}, {"x": 4.5}, {"y": {"z": 3}}])
changed_points = st.dictionaries(names, in_bulk, max_size=4)


@THOROUGH
@given(
    st.lists(st.tuples(points, st.none() | points), min_size=1, max_size=4).map(distinct),
    st.lists(st.tuples(changed_points, st.booleans()), min_size=1, max_size=4),
)
def test_update_of_a_state_point_when_tried_then_equal(peer, ours, jobs, updates):
    arguments = {"jobs": jobs, "updates": updates}
    theirs, mine = (side.ask("update_statepoint", **arguments) for side in (peer, ours))
    for their_step, my_step in zip(theirs.pop("answers"), mine.pop("answers"), strict=True):
        assert same(their_step, my_step)
    assert theirs == mine


# --- documents and live state points ---------------------------------------------------------------------------------

places = st.lists(st.sampled_from(["a", "b", "x", 0, 1, -1]), max_size=2)
valid_keys = st.sampled_from(["a", "b", "x", "", "é", "pop"])
keys = valid_keys | st.just("a.b")


bulk_trees = st.dictionaries(valid_keys, in_bulk, max_size=3)


def operations(values: st.SearchStrategy[Any], bulk: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Calls of one method each, but for ``reset``; a few of them make no sense."""
    trees = st.dictionaries(valid_keys, bulk, max_size=3)
    indices = st.integers(-2, 2)
    dict_calls = [
        st.tuples(places, st.just("__setitem__"), keys, values),
        st.tuples(st.just([]), st.just("setattr"), st.sampled_from(["a", "b", "x"]), values),
        st.tuples(places, st.just("getattr"), st.sampled_from(["a", "b", "x"])),
        st.tuples(places, st.sampled_from(["__getitem__", "__delitem__", "get", "pop", "__contains__"]), keys),
        st.tuples(places, st.sampled_from(["get", "pop", "setdefault"]), keys, values),
        st.tuples(places, st.just("update"), trees),
        st.tuples(places, st.sampled_from(["popitem", "clear", "__len__", "__repr__", "__call__"])),
        st.tuples(places, st.sampled_from(["list", "items", "values", "keys"])),
        st.tuples(places, st.just("=="), values),
    ]
    list_calls = [
        st.tuples(places, st.just("append"), values),
        st.tuples(places, st.just("extend"), st.lists(values, max_size=2)),
        st.tuples(places, st.just("insert"), indices, values),
        st.tuples(places, st.just("__setitem__"), indices, values),
        st.tuples(places, st.sampled_from(["__getitem__", "__delitem__", "pop"]), indices),
        st.tuples(places, st.sampled_from(["remove", "index", "count", "__contains__"]), values),
        st.tuples(places, st.sampled_from(["reverse", "pop", "clear", "__len__", "__call__"])),
    ]
    return st.one_of(*dict_calls, *list_calls)


@THOROUGH
@given(
    st.none() | st.dictionaries(valid_keys, told_apart, max_size=3),
    st.lists(operations(told_apart, in_bulk | st.sampled_from([[], [2], [3, [2]]])), min_size=1, max_size=12),
    st.booleans(),
)
def test_document_when_operations_are_applied_then_equal_answers_and_bytes(peer, ours, initial, operations, buffered):
    arguments = {"initial": initial, "operations": operations, "buffered": buffered}
    theirs, mine = (side.ask("document", **arguments) for side in (peer, ours))
    for operation, their_step, my_step in zip(operations, theirs["steps"], mine["steps"], strict=True):
        assert same(their_step[0], my_step[0]), (operation, their_step, my_step)
        assert (their_step[1] or "{}") == (my_step[1] or "{}"), operation
    assert (theirs["text"] or "{}") == (mine["text"] or "{}")
    assert json.dumps(theirs["data"]) == json.dumps(mine["data"])


@THOROUGH
@given(
    st.lists(st.tuples(points, st.none()), min_size=1, max_size=4).map(distinct),
    st.lists(operations(told_apart, in_bulk), min_size=1, max_size=6),
)
def test_state_point_when_operations_are_applied_then_equal_answers_and_bytes(peer, ours, jobs, operations):
    arguments = {"jobs": jobs, "operations": operations}
    theirs, mine = (side.ask("change_statepoint", **arguments) for side in (peer, ours))
    answers = zip(theirs.pop("answers"), mine.pop("answers"), strict=True)
    for operation, (their_step, my_step) in zip(operations, answers, strict=False):
        assert same(their_step, my_step), (operation, their_step, my_step)
    assert theirs == mine


@THOROUGH
@given(
    st.none() | st.dictionaries(valid_keys, in_bulk, max_size=3),
    st.lists(st.tuples(st.lists(st.sampled_from(["a", "b"]), max_size=2), st.just("reset"), bulk_trees), max_size=3),
)
def test_document_when_reset_then_equal_but_for_the_order_of_keys(peer, ours, initial, operations):
    arguments = {"initial": initial, "operations": operations, "buffered": False}
    theirs, mine = (side.ask("document", **arguments) for side in (peer, ours))
    assert theirs["data"] == mine["data"]
    answers = [[step[0] for step in side["steps"]] for side in (theirs, mine)]
    assert all(same(*pair) for pair in zip(*answers, strict=True)), answers
