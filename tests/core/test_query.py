"""Filters as predicates: what each operator sees, what is refused, and that scan and index agree."""

from __future__ import annotations

import json
import math
import operator
import re
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signac_core.query import (
    MISSING,
    NO_DOCUMENT,
    And,
    Condition,
    FilterKeyError,
    Not,
    Or,
    compile_filter,
)

NAN = float("nan")
HUGE = 10**400


def matches(filter: dict[str, Any], state_point: dict[str, Any], document: Any = NO_DOCUMENT) -> bool:
    return compile_filter(filter).matches(state_point, document)


def matched_values(condition: Any, values: list[Any]) -> list[Any]:
    query = compile_filter({"a": condition})
    return [value for value in values if query.matches({"a": value}, {})]


# --- plain values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [1, 1.0, True])
def test_equality_when_numbers_are_equal_then_type_does_not_matter(wanted):
    assert matched_values(wanted, [1, 1.0, True, 2, "1", None, [1]]) == [1, 1.0, True]


@pytest.mark.parametrize("wanted", [0, 0.0, -0.0, False])
def test_equality_when_zero_then_every_zero_matches(wanted):
    assert len(matched_values(wanted, [0, 0.0, -0.0, False, None, "", [], {}])) == 4


def test_equality_when_integers_exceed_float_precision_then_exact():
    assert matched_values(2**53 + 1, [2**53, 2**53 + 1, float(2**53)]) == [2**53 + 1]


def test_equality_when_integer_exceeds_float_range_then_matches_itself():
    assert matched_values(HUGE, [1, HUGE, math.inf]) == [HUGE]


def test_equality_when_text_then_exact():
    assert matched_values("1", ["1", 1, "11", True]) == ["1"]


def test_equality_when_null_then_only_stored_null():
    assert matched_values(None, [None, 0, "", "null"]) == [None]
    assert not matches({"a": None}, {"b": 1})


def test_equality_when_list_then_elementwise():
    assert matched_values([1, 2], [[1, 2], [1.0, 2], [True, 2], [2, 1], [1], "[1, 2]"]) == [[1, 2], [1.0, 2], [True, 2]]
    assert matched_values([{"b": 1}], [[{"b": 1.0}], [{"b": 2}], [{}]]) == [[{"b": 1.0}]]


@pytest.mark.parametrize("argument", [NAN, {"$eq": NAN}, {"$in": [1, NAN]}])
def test_equality_when_nan_then_every_nan(argument):
    values = [float("nan"), NAN, math.inf, 0, "nan", None, [NAN], {}]
    query = compile_filter({"a": argument})
    assert [query.matches({"a": value}, {}) for value in values] == [True, True, *[False] * 6]
    assert not query.matches({}, {})


@pytest.mark.parametrize(
    ("equal", "unequal"),
    [
        (NAN, {"$ne": NAN}),
        ([1, [NAN]], {"$ne": [1, [NAN]]}),
        ([{"b": NAN}], {"$ne": [{"b": NAN}]}),
        ({"$in": [NAN, [NAN], 2]}, {"$nin": [NAN, [NAN], 2]}),
        (math.inf, {"$ne": math.inf}),
    ],
)
def test_equality_when_nan_then_inequality_is_its_complement(equal, unequal):
    some = [NAN, float("nan"), 2, "a", None, math.inf, [1, [float("nan")]], [1, [2]], [{"b": float("nan")}], [NAN], {}]
    is_equal, is_unequal = compile_filter({"a": equal}), compile_filter({"a": unequal})
    verdicts = [(is_equal.matches({"a": value}, {}), is_unequal.matches({"a": value}, {})) for value in some]
    assert all(one is not other for one, other in verdicts)
    assert any(one for one, _ in verdicts)
    assert not is_equal.matches({}, {})
    assert not is_unequal.matches({}, {})


def test_equality_when_nan_is_in_a_list_then_element_by_element():
    lists = [[1, float("nan")], [1.0, float("nan")], [float("nan"), 1], [1], [1, 2], [1, None]]
    query = compile_filter({"a": [1, NAN]})
    assert [query.matches({"a": value}, {}) for value in lists] == [True, True, False, False, False, False]


def test_equality_when_infinite_then_matches():
    assert matched_values(math.inf, [math.inf, -math.inf, 1e300]) == [math.inf]


def test_equality_when_mapping_then_partial_match():
    assert matches({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}})
    assert not matches({"a": {"b": 1, "c": 3}}, {"a": {"b": 1, "c": 2}})


@pytest.mark.parametrize("filter", [{"a": {}}, {"a": {"$eq": {}}}, {"a.$in": [{}]}])
def test_equality_when_empty_mapping_then_only_stored_empty_mapping(filter):
    query = compile_filter(filter)
    values = [{}, {"b": 1}, [], None, 0, "", [{}]]
    assert [value for value in values if query.matches({"a": value}, {})] == [{}]
    assert not query.matches({}, {})


def test_inequality_when_empty_mapping_then_all_others_that_have_the_key():
    assert matched_values({"$ne": {}}, [{}, {"b": 1}, 1]) == [{"b": 1}, 1]


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filter",
    [{"a.b": 1}, {"a": {"b": 1}}, {"sp.a.b": 1}, {"sp": {"a.b": 1}}, {"sp": {"a": {"b": 1}}}, {"sp.a": {"b": 1}}],
)
def test_key_when_dotted_or_nested_then_the_same(filter):
    assert matches(filter, {"a": {"b": 1}})
    assert not matches(filter, {"a": {"b": 2}})
    assert not matches(filter, {"a": 1})
    assert not matches(filter, {})


@pytest.mark.parametrize("filter", [{"doc.x.y": 1}, {"doc": {"x": {"y": 1}}}, {"doc.x": {"y": 1}}, {"doc": {"x.y": 1}}])
def test_key_when_in_document_then_state_point_is_not_looked_at(filter):
    query = compile_filter(filter)
    assert query.needs_documents
    assert not query.needs_state_points
    assert query.matches({}, {"x": {"y": 1}})
    assert not query.matches({"x": {"y": 1}}, {})
    assert not query.matches({}, NO_DOCUMENT)


def test_key_when_state_point_has_a_key_named_doc_then_addressed_explicitly():
    assert matches({"sp.doc.x": 1, "sp.sp": 2}, {"doc": {"x": 1}, "sp": 2})
    assert not matches({"doc.x": 1}, {"doc": {"x": 1}})


@pytest.mark.parametrize("filter", [{"": 1}, {"sp.": 1}])
def test_key_when_empty_then_addresses_the_empty_key(filter):
    assert matches(filter, {"": 1})


def test_key_when_deep_then_reached():
    assert matches({"a.b.c.d": 1}, {"a": {"b": {"c": {"d": 1}}}})
    assert not matches({"a.b.c.d": 1}, {"a": {"b": {"c": 5}}})
    assert not matches({"a.b.c.d.$exists": True}, {"a": {"b": [1]}})


@pytest.mark.parametrize("value", [[5], "5", {"x.y": 5}, None])
def test_key_when_value_cannot_be_entered_then_missing(value):
    query = compile_filter({"doc.v.0.$exists": True})
    assert not query.matches({}, {"v": value})


def test_key_when_document_holds_it_literally_with_a_dot_then_no_match():
    assert not matches({"doc.x.y": 1}, {}, {"x.y": 1})


def test_key_when_repeated_with_and_without_namespace_then_both_conditions_hold():
    assert not matches({"sp.a": 1, "a": 2}, {"a": 2})


def test_key_when_whole_document_then_absent_and_empty_differ():
    exists = compile_filter({"doc": {"$exists": True}})
    assert exists.matches({}, {})
    assert exists.matches({}, {"x": 1})
    assert not exists.matches({}, NO_DOCUMENT)
    assert matches({"doc": {}}, {}, {})
    assert not matches({"doc": {}}, {}, {"x": 1})


def test_filter_when_empty_then_matches_everything_and_needs_nothing():
    query = compile_filter({})
    assert query.matches({"a": 1}, {})
    assert query.conditions == ()
    assert not query.needs_state_points
    assert not query.needs_documents


def test_filter_when_read_only_mapping_then_accepted():
    assert compile_filter(MappingProxyType({"a": MappingProxyType({"b": 1})})).matches({"a": {"b": 1}}, {})


# --- operators -------------------------------------------------------------------------------------------------------

SAMPLE = [None, True, 0, 1.5, "abc", "1", [], [1, [2]], {"b": 1}, {}, NAN]


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("$eq", 1),
        ("$ne", 1),
        ("$gt", 0),
        ("$gte", 0),
        ("$lt", 2),
        ("$lte", 2),
        ("$in", [1]),
        ("$nin", [2]),
        ("$in", "a"),
        ("$nin", "a"),
        ("$regex", ""),
        ("$type", "null"),
        ("$where", "lambda x: True"),
        ("$near", 1),
        ("$exists", True),
    ],
)
def test_operator_when_key_is_missing_then_no_match_and_nothing_incomparable(name, argument):
    query = compile_filter({"a": {name: argument}})
    assert not query.matches({"b": 1}, {})
    assert not query.conditions[0].test(MISSING)
    assert query.incomparable == set()


@pytest.mark.parametrize(
    ("name", "compare"),
    [("$gt", operator.gt), ("$gte", operator.ge), ("$lt", operator.lt), ("$lte", operator.le)],
)
@pytest.mark.parametrize("bound", [1, 1.0, True, "abc", [1, 1]])
def test_order_when_comparable_then_as_python_orders(name, compare, bound):
    values = {str: ["", "abc", "b"], list: [[], [1, 1], [1, 2]]}.get(type(bound), [-1, 0.5, 1, True, math.inf, HUGE])
    assert matched_values({name: bound}, values) == [value for value in values if compare(value, bound)]


@pytest.mark.parametrize("name", ["$gt", "$gte", "$lt", "$lte", "$near"])
@pytest.mark.parametrize("value", [None, "x", {}, {"b": 1}, [1]])
def test_operator_when_value_is_incomparable_then_no_match_and_key_is_noted(name, value):
    query = compile_filter({"a.b": {name: 1}, "c": 1})
    assert not query.matches({"a": {"b": value}, "c": 1}, {})
    assert query.incomparable == {"sp.a.b"}


def test_operator_when_stored_nan_then_orders_to_nothing():
    assert matched_values({"$gt": 0}, [NAN]) == []
    assert matched_values({"$lte": 0}, [NAN]) == []
    assert len(matched_values({"$ne": 1}, [NAN])) == 1
    assert len(matched_values({"$nin": [1]}, [NAN])) == 1
    assert len(matched_values({"$where": "lambda x: x != x"}, [NAN])) == 1
    assert len(matched_values({"$type": "float"}, [NAN])) == 1
    assert len(matched_values({"$in": [NAN]}, [NAN])) == 1


def test_in_when_list_then_membership_by_equality():
    members = [1, [1, [2]], "a", None]
    values = [True, 1.0, 2, "a", "ab", None, [1, [2]], [1, [2.0]], [1], {}, {"b": 1}]
    assert matched_values({"$in": members}, values) == [True, 1.0, "a", None, [1, [2]], [1, [2.0]]]
    assert matched_values({"$nin": members}, values) == [2, "ab", [1], {}, {"b": 1}]


def test_in_when_member_is_a_mapping_then_stored_mapping_stays_opaque():
    assert matched_values({"$in": [{"b": 1}]}, [{"b": 1}]) == []
    assert matched_values({"$in": [[{"b": 1}]]}, [[{"b": 1}]]) == [[{"b": 1}]]


def test_in_when_text_then_substring_of_texts():
    values = ["", "ab", "abc", "ac"]
    assert matched_values({"$in": "abc"}, values) == ["", "ab", "abc"]
    assert matched_values({"$nin": "abc"}, values) == ["ac"]


@pytest.mark.parametrize("name", ["$in", "$nin"])
def test_in_when_text_and_value_is_no_text_then_no_match_and_key_is_noted(name):
    query = compile_filter({"a": {name: "abc"}})
    assert not query.matches({"a": 1}, {})
    assert query.incomparable == {"sp.a"}


def test_in_when_empty_then_nothing_and_complement_everything():
    assert matched_values({"$in": []}, [1, {}, None]) == []
    assert matched_values({"$in": {}}, [1, {}, None]) == []
    assert matched_values({"$nin": {}}, [1, {}, None]) == [1, {}, None]


def test_exists_when_true_or_false_then_presence_decides():
    assert matched_values({"$exists": True}, SAMPLE[:-1]) == SAMPLE[:-1]
    assert matched_values({"$exists": False}, SAMPLE) == []
    assert matches({"a": {"$exists": False}}, {"b": 1})
    assert matches({"a.b": {"$exists": False}}, {"a": 1})


def test_regex_when_value_is_text_then_searched_anywhere():
    assert matched_values({"$regex": "b"}, ["abc", "b", "ac", 1, None, ["b"], {"b": 1}]) == ["abc", "b"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("int", [True, 0]),
        ("bool", [True]),
        ("float", [1.5]),
        ("str", ["abc", "1"]),
        ("list", [[], [1, [2]]]),
        ("null", [None]),
    ],
)
def test_type_when_named_then_isinstance(name, expected):
    assert matched_values({"$type": name}, SAMPLE[:-1]) == expected


def test_type_when_equal_values_of_other_type_came_first_then_still_judged_by_its_own_type():
    query = compile_filter({"a": {"$type": "bool"}})
    assert [query.matches({"a": value}, {}) for value in (1, True, 1, 1.0, True)] == [False, True, False, False, True]


def test_where_when_list_then_function_sees_nested_tuples():
    assert matched_values({"$where": "lambda x: x == (1, (2,), {'b': [3]})"}, [[1, [2], {"b": [3]}], [1]]) == [
        [1, [2], {"b": [3]}]
    ]


def test_where_when_mapping_then_function_sees_an_opaque_class():
    assert matched_values({"$where": "lambda x: isinstance(x, type)"}, [{}, {"b": 1}, 1, [{}]]) == [{}, {"b": 1}]


def test_where_when_function_uses_modules_then_they_are_there():
    assert matched_values({"$where": "lambda x: re.match('a', x) and math.pi and json.dumps(x)"}, ["ab", "b"]) == ["ab"]


def test_where_when_function_raises_then_error_names_key_and_value():
    query = compile_filter({"a": {"$where": "len"}})
    with pytest.raises(TypeError) as caught:
        query.matches({"a": 5}, {})
    assert "'sp.a'" in caught.value.__notes__[0]
    assert "int 5" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (1, [1, True, 1 + 1e-12]),
        ("1", [1, True, 1 + 1e-12]),
        ([1], [1, True, 1 + 1e-12]),
        ([1, 0.5], [1, True, 1 + 1e-12, 1.5]),
        (["1", 0, "0.5"], [1, True, 1 + 1e-12, 1.5]),
        (math.inf, [math.inf]),
    ],
)
def test_near_when_tolerances_given_or_not_then_as_isclose(argument, expected):
    assert matched_values({"$near": argument}, [1, True, 1 + 1e-12, 1.5, 3, math.inf, NAN, HUGE]) == expected


def test_operators_when_several_on_one_key_then_conjunction():
    values = [1, 2, 3]
    assert matched_values({"$gt": 1, "$lt": 3}, values) == [2]
    assert matches({"a": {"$exists": True, "b": 1}}, {"a": {"b": 1}})
    assert matches({"a.$gt": 1, "a": {"$lt": 3}}, {"a": 2})


# --- logical operators -----------------------------------------------------------------------------------------------


def test_logical_when_nested_then_combined():
    query = compile_filter({"$or": [{"a": 1}, {"$and": [{"a": 2}, {"$not": {"b": 1}}]}]})
    jobs = [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}, {"a": 3}]
    assert [query.matches(job, {}) for job in jobs] == [True, False, True, False]


@pytest.mark.parametrize("count", [1, 2, 3, 5000])
def test_logical_when_many_parts_then_all_are_judged(count):
    either = compile_filter({"$or": [{"a": i} for i in range(count)]})
    both = compile_filter({"$and": [{"a": {"$ne": i}} for i in range(count)]})
    for value in (0, count - 1, count):
        assert either.matches({"a": value}, {}) is (value < count)
        assert both.matches({"a": value}, {}) is (value >= count)


def test_not_when_empty_filter_then_nothing():
    assert not matches({"$not": {}}, {"a": 1})


def test_not_when_key_is_missing_then_complement_includes_the_job():
    assert matches({"$not": {"a": 1}}, {})
    assert not matches({"a": {"$ne": 1}}, {})


@pytest.mark.parametrize("filter", [{"$not": {"doc.x": 1}}, {"$not": {"$not": {"$or": [{"a": 1}, {"doc": {"x": 1}}]}}}])
def test_not_when_only_it_mentions_the_document_then_documents_are_needed(filter):
    assert compile_filter(filter).needs_documents


def test_and_when_part_is_empty_then_no_restriction():
    assert matches({"$and": [{}]}, {"a": 1})
    assert matches({"$or": [{"a": 2}, {}]}, {"a": 1})


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter", "hint"),
    [
        ({"a": {"$greater": 1}}, "did you mean '$gte'"),
        ({"a": {"$ltt": 1}}, "did you mean '$lt'"),
        ({"a.$regexp": "x"}, "did you mean '$regex'"),
        ({"$nor": [{"a": 1}]}, "did you mean '$or'"),
        ({"a": {"$": 1}}, "$near"),
        ({"a": {"$zzz": {}}}, "known are $eq"),
        ({"a": {"$and": [{"b": 1}]}}, "top level"),
        ({"a.$not": 1}, "top level"),
        ({"sp.$or": [{"a": 1}]}, "top level"),
        ({"a": {"$not": {"$gt": 1}}}, "more than one operator"),
        ({"$$a": 1}, "more than one operator"),
        ({"a$": 1}, "last part"),
        ({"a$b": 1}, "last part"),
        ({"a.$lt.b": 1}, "last part"),
        ({"a": {"$lt": {"b": 1}}}, "last part"),
        ({"$not.a": 1}, "last part"),
        ({"$and": [{"$not": {"a": {"$foo": 1}}}]}, "'$foo'"),
    ],
)
def test_mistake_when_operator_is_unknown_or_misplaced_then_key_error_with_advice(filter, hint):
    with pytest.raises(KeyError) as caught:
        compile_filter(filter)
    assert isinstance(caught.value, FilterKeyError)
    assert hint in str(caught.value)
    assert str(caught.value)[0] not in "'\""


@pytest.mark.parametrize(
    ("filter", "error"),
    [
        ({"$and": []}, ValueError),
        ({"$or": {}}, ValueError),
        ({"$or": 1}, ValueError),
        ({"$and": [1]}, TypeError),
        ({"$not": [{"a": 1}]}, TypeError),
        ({"$not": None}, TypeError),
        ({1: 2}, ValueError),
        ({"a": {"$exists": 1}}, ValueError),
        ({"a": {"$in": 1}}, TypeError),
        ({"a": {"$nin": None}}, TypeError),
        ({"a": {"$gt": None}}, TypeError),
        ({"a": {"$lte": {}}}, TypeError),
        ({"a": {"$regex": 1}}, TypeError),
        ({"a": {"$regex": "["}}, ValueError),
        ({"a": {"$regex": "["}}, re.error),
        ({"a": {"$type": "dict"}}, ValueError),
        ({"a": {"$type": []}}, ValueError),
        ({"a": {"$where": 1}}, TypeError),
        ({"a": {"$where": "1"}}, TypeError),
        ({"a": {"$where": "["}}, SyntaxError),
        ({"a": {"$where": "undefined"}}, NameError),
        ({"a": {"$near": []}}, ValueError),
        ({"a": {"$near": [1, 2, 3, 4]}}, ValueError),
        ({"a": {"$near": "x"}}, ValueError),
        ({"a": {"$near": HUGE}}, ValueError),
        ({"a": {"$near": [1, -1]}}, ValueError),
        ({"a": {"$near": None}}, TypeError),
        ({"a": {"$near": {}}}, TypeError),
    ],
)
def test_mistake_when_argument_is_unsuitable_then_compiling_raises(filter, error):
    with pytest.raises(error) as caught:
        compile_filter(filter)
    if not isinstance(caught.value, (SyntaxError, NameError)):
        assert re.search(r"\$[a-z]+|keys are strings|regular", str(caught.value))
        assert "\n" not in str(caught.value)


def test_mistake_when_nested_beyond_reason_then_value_error():
    filter: dict[str, Any] = {"a": 1}
    for _ in range(20000):
        filter = {"$not": filter}
    with pytest.raises(ValueError, match="nested too deeply"):
        compile_filter(filter)


# --- the expression, for an index ------------------------------------------------------------------------------------


def test_expression_when_compiled_then_leaves_name_key_operator_and_argument():
    query = compile_filter({"a.b": 1, "$or": [{"doc.x": {"$gt": 2}}, {"$not": {"c": None}}]})
    assert isinstance(query.expression, And)
    assert [type(part) for part in query.expression.parts] == [Condition, Or]
    leaves = [(leaf.namespace, leaf.path, leaf.operator, leaf.argument) for leaf in query.conditions]
    assert leaves == [("sp", ("a", "b"), "$eq", 1), ("doc", ("x",), "$gt", 2), ("sp", ("c",), "$eq", None)]
    assert [leaf.key for leaf in query.conditions] == ["sp.a.b", "doc.x", "sp.c"]


def test_evaluate_when_no_complement_is_needed_then_universe_is_not_asked_for():
    def universe() -> set[int]:
        raise AssertionError("asked for the universe")

    query = compile_filter({"a": 1, "$or": [{"b": 1}, {"b": 2}], "$not": {"c": 1}})
    assert query.evaluate(lambda leaf: {1, 2} if leaf.key != "sp.c" else {2}, universe) == {1}


def test_evaluate_when_filter_is_empty_then_universe():
    assert compile_filter({}).evaluate(lambda leaf: set(), lambda: {1, 2}) == {1, 2}
    assert compile_filter({"$not": {}}).evaluate(lambda leaf: set(), lambda: {1, 2}) == set()


# --- properties ------------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, 1.5, NAN, math.inf, 2**53, 2**53 + 1, HUGE])
    | st.sampled_from(["", "a", "ab", "1"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
trees = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
keys = st.sampled_from(["a", "b", "a.b", "a.b.c", "sp.c", "sp", "doc", "doc.a", "doc.a.b", "zz"])
plain = scalars | st.lists(scalars, max_size=3) | st.just({})
conditions = st.one_of(
    plain,
    st.builds(lambda name, value: {name: value}, st.sampled_from(["$eq", "$ne"]), plain),
    st.builds(
        lambda name, value: {name: value},
        st.sampled_from(["$gt", "$gte", "$lt", "$lte"]),
        (scalars | st.lists(scalars, max_size=3)).filter(lambda value: value is not None),
    ),
    st.builds(
        lambda name, value: {name: value},
        st.sampled_from(["$in", "$nin"]),
        st.lists(plain, max_size=3) | st.sampled_from(["", "ab"]),
    ),
    st.builds(lambda value: {"$exists": value}, st.booleans()),
    st.builds(lambda value: {"$regex": value}, st.sampled_from(["", "a", "^b"])),
    st.builds(lambda value: {"$type": value}, st.sampled_from(["int", "float", "bool", "str", "list", "null"])),
    st.builds(lambda value: {"$near": value}, st.sampled_from([1, [1, 0.5], [0, 0, 1]])),
    st.just({"$where": "lambda x: isinstance(x, (tuple, bool))"}),
)
filters = st.recursive(
    st.dictionaries(keys, conditions, max_size=2),
    lambda inner: st.builds(
        lambda name, parts: {name: parts[0] if name == "$not" else parts},
        st.sampled_from(["$and", "$or", "$not"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def lookup(state_point: Any, document: Any, dotted: str) -> Any:
    root, *path = dotted.split(".")
    value = {"sp": state_point, "doc": document}[root]
    if value is None:
        return MISSING
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


def equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, dict) or isinstance(wanted, dict):
        return value == wanted == {}
    return bool(value == wanted)


def satisfies(value: Any, name: str, argument: Any) -> bool:
    """The meaning of each operator, spelled out once more and without regard to speed."""
    if name == "$exists":
        return (value is not MISSING) is argument
    if value is MISSING:
        return False
    number = isinstance(value, (int, float))
    if name in ("$eq", "$ne"):
        return equal(value, argument) is (name == "$eq")
    if name in ("$in", "$nin") and isinstance(argument, str):
        return isinstance(value, str) and (value in argument) is (name == "$in")
    if name in ("$in", "$nin"):
        return any(equal(value, member) for member in argument) is (name == "$in")
    if name == "$regex":
        return isinstance(value, str) and bool(re.search(argument, value))
    if name == "$type":
        kinds = {"int": int, "float": float, "bool": bool, "str": str, "list": list, "null": type(None)}
        return isinstance(value, kinds[argument])
    if name == "$near":
        reference, relative, absolute = ([argument] if isinstance(argument, int) else argument) + [1e-9, 0.0][
            (1 if isinstance(argument, int) else len(argument)) - 1 :
        ]
        return number and value != HUGE and math.isclose(value, reference, rel_tol=relative, abs_tol=absolute)
    if name == "$where":
        return isinstance(value, (list, bool))
    try:
        return bool(
            {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}[name](value, argument)
        )
    except TypeError:
        return False


def judged(filter: dict[str, Any], state_point: Any, document: Any) -> bool:
    def holds(key: str, value: Any) -> bool:
        if key == "$and":
            return all(judged(part, state_point, document) for part in value)
        if key == "$or":
            return any(judged(part, state_point, document) for part in value)
        if key == "$not":
            return not judged(value, state_point, document)
        dotted = key if key.split(".")[0] in ("sp", "doc") else f"sp.{key}"
        found = lookup(state_point, document, dotted)
        if isinstance(value, dict) and value:
            return all(satisfies(found, name, argument) for name, argument in value.items())
        return satisfies(found, "$eq", value)

    return all(holds(key, value) for key, value in filter.items())


@given(filter=filters, jobs=st.lists(st.tuples(trees, st.none() | trees), max_size=6))
@settings(deadline=None)
def test_query_when_any_filter_then_scan_and_index_agree_with_the_definition(filter, jobs):
    filter, jobs = json.loads(json.dumps([filter, jobs]))
    query = compile_filter(filter)

    def leaf_result(condition: Condition) -> set[int]:
        return {i for i, job in enumerate(jobs) if condition.test(lookup(*job, condition.key))}

    scanned = {i for i, (sp, doc) in enumerate(jobs) if query.matches(sp, NO_DOCUMENT if doc is None else doc)}
    assert scanned == {i for i, (sp, doc) in enumerate(jobs) if judged(filter, sp, doc)}
    assert query.evaluate(leaf_result, lambda: set(range(len(jobs)))) == scanned
    assert query.needs_documents == ("doc" in json.dumps(filter))


@given(filter=filters)
@settings(deadline=None)
def test_query_when_any_filter_then_expression_holds_exactly_its_conditions(filter):
    def leaves(expression: Any) -> list[Condition]:
        if isinstance(expression, Condition):
            return [expression]
        parts = [expression.part] if isinstance(expression, Not) else expression.parts
        assert isinstance(expression, (And, Or, Not))
        return [leaf for part in parts for leaf in leaves(part)]

    query = compile_filter(filter)
    assert [id(leaf) for leaf in leaves(query.expression)] == [id(leaf) for leaf in query.conditions]
