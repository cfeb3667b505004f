"""What users write, and the filter it means."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, MutableSequence
from contextlib import suppress
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core.filterparse import normalise, parse_filter, parse_filter_arg, parse_simple, parse_tokens, parse_value
from signac_core.query import compile_filter

EXISTS = {"$exists": True}


def hints_for(*tokens: str) -> list[str]:
    said: list[str] = []
    parse_tokens(tokens, hint=said.append)
    return said


# --- keys and values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("1", 1),
        ("-5", -5),
        ("+5", 5),
        ("05", 5),
        ("1_000", 1000),
        (" 1 ", 1),
        ("\u0663", 3),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("+inf", math.inf),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("INF", math.inf),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5", -0.5),
        ("+1", 1),
        ("+1.5", 1.5),
        ("007", 7),
        ("1e5", 100000.0),
        ("1E-05", 1e-05),
        ("1.5D+02", 150.0),
        ("-0.15d-3", -0.00015),
        ("1.D0", 1.0),
        ("1D+02", 100.0),
        ("2d3", "2d3"),
        ("D+02", "D+02"),
        ("3D", "3D"),
        ("1.5DD", "1.5DD"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("!", EXISTS),
        ("/^a b$/", {"$regex": "^a b$"}),
        ("/", {"$regex": ""}),
        ("//", {"$regex": ""}),
        ("{}", {}),
        ('{"$gt": 1}', {"$gt": 1}),
        ("[1, [2]]", [1, [2]]),
        ('"1"', "1"),
        ('"a \\u00e9"', "a é"),
        ('""', ""),
        ("", ""),
        ("abc", "abc"),
        ("0x10", "0x10"),
        ("1,2", "1,2"),
        ("True", "True"),
        ("none", "none"),
        ('"', '"'),
        ('"a', '"a'),
        ("[a", "[a"),
        ("1}", "1}"),
        ("$x", "$x"),
    ],
)
@pytest.mark.parametrize("template", ["classic", "infix"])
def test_value_when_read_then_has_the_type_it_looks_like(token, value, template):
    tokens = ["a", token] if template == "classic" else [f"a={token}"]
    parsed = parse_tokens(tokens)["a"]
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("word", ["nan", "NaN", "-nan", "+nan", "NAN", "-NaN"])
def test_value_when_nan_then_float(word):
    assert math.isnan(parse_tokens(["a", word])["a"])
    assert math.isnan(parse_value(word))


@pytest.mark.parametrize("word", ["/x/", "!"])
def test_value_when_it_is_no_operand_then_slashes_and_exclamation_mark_are_text(word):
    assert parse_value(word) == word


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("TRUE", "true"),
        ("NULL", "null"),
        ("np.True_", "true"),
        ("np.float64(1.5)", "1.5"),
        ("numpy.int64(3)", "3"),
        ("0x1f", "31"),
        ("0x1.8p+1", "3"),
        ("0.123-102", "0.123e-102"),
        ("1.5Q+02", "1.5e+02"),
        ("2d3", "2e3"),
        ("1,5", "1.5"),
        ("1,500", "1.500 or 1500"),
        ("\u22121.5", "-1.5"),
        ("\u20131.5", "-1.5"),
        (".true.", "true"),
        ("0b101", "5"),
        ("-0o17", "-15"),
        ("-nan(0x8000)", "nan"),
        ("-1.#INF", "-inf"),
        ("1.#QNAN0", "nan"),
    ],
)
def test_value_when_text_looks_like_a_number_or_a_constant_then_hint(word, advice):
    said: list[str] = []
    assert parse_value(word, said.append) == word
    assert said == [f"'{word}' is taken as a string; did you mean: {advice}"]


@pytest.mark.parametrize(
    "word", ["lj12", "1.5.2", "2024-01-05", "12:30", "9bfd29df", "v1,2", "a,b", "f(x)", "np.x", "5%"]
)
def test_value_when_text_is_no_number_then_no_hint(word):
    assert parse_value(word, pytest.fail) == word


def test_value_when_number_is_too_large_then_hint():
    said: list[str] = []
    assert parse_value("1e999", said.append) == math.inf
    assert said == ["'1e999' is too large for a number and taken as infinity"]
    assert parse_value("inf", pytest.fail) == math.inf


def test_value_when_number_is_too_small_then_hint():
    said: list[str] = []
    assert parse_value("1e-400", said.append) == parse_value("-2.5D-999", said.append) == 0
    assert said == [f"'{word}' is too small for a number and taken as 0" for word in ("1e-400", "-2.5D-999")]
    for word in ("0e5", "0.0", "-.0D-400", "0", "1e-300"):
        parse_value(word, pytest.fail)


def test_json_when_a_number_is_too_large_then_hint():
    said: list[str] = []
    assert parse_value('{"a": [1e400, Infinity], "1e401": "1e402"}', said.append)["a"] == [math.inf, math.inf]
    assert said == ["'1e400' is too large for a number and taken as infinity"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        (".5", "0.5"),
        ("1.", "1.0"),
        ("+1", "1"),
        ("007", "7"),
        ("nan", "NaN"),
        ("-inf", "-Infinity"),
        ("1.5D+02", "150.0"),
        ("None", "null"),
        ("0x1f", "31"),
        ("np.float64(1.5)", "1.5"),
    ],
)
def test_json_when_a_number_or_constant_is_written_as_elsewhere_then_the_error_says_how(word, meant):
    for text in (f'{{"a": {word}}}', f"[0, {word}, 1]", f'{{"a": {{"b": [{word}]}}}}'):
        with pytest.raises(json.JSONDecodeError, match=re.escape(f"('{word}' is written {meant} there)")):
            parse_value(text)
    for text in ("{a: 1}", "[1, 2 3]", "[x]", '{"a": 1,}', "[,]"):
        with pytest.raises(json.JSONDecodeError, match="is not valid JSON:"):
            parse_value(text)


@pytest.mark.parametrize("word", ['{"x": 1', "[1, 2", '"a'])
def test_value_when_json_is_cut_short_then_hint(word):
    said: list[str] = []
    assert parse_value(word, said.append) == word
    assert said == [f"'{word}' is not valid JSON and taken as a string"]


@pytest.mark.parametrize(
    "tokens",
    [['{"a": 1, "a": 2}'], ["a", '{"b": 1, "b": 2}'], ["a=" + '[{"b": 1}, {"c": 1, "b": 1, "\\u0062": 2}]']],
)
def test_json_when_a_key_is_repeated_then_value_error(tokens):
    with pytest.raises(ValueError, match="in line 1 for the second time"):
        parse_tokens(tokens)
    with pytest.raises(ValueError, match="second time"):
        normalise('{"a": 1,\n"a": 2}')


def test_tokens_when_none_then_no_filter():
    assert parse_tokens([]) is None


def test_tokens_when_last_value_is_missing_then_key_exists():
    assert parse_tokens(["a", "1", "b"]) == {"a": 1, "b": EXISTS}


def test_tokens_when_key_is_repeated_then_last_value_wins():
    assert parse_tokens(["a", "1", "b", "2", "a", "3"]) == {"a": 3, "b": 2}
    assert list(parse_tokens(["a", "1", "b", "2", "a", "3"])) == ["a", "b"]


def test_tokens_when_key_has_an_operator_then_kept():
    assert parse_tokens(["a.$in", "[1, 2]", "doc.x.$gt", "1"]) == {"a.$in": [1, 2], "doc.x.$gt": 1}


def test_tokens_when_single_json_then_it_is_the_filter():
    assert parse_tokens(['{"a": {"$gt": 1}}']) == {"a": {"$gt": 1}}
    assert parse_tokens(["{}"]) == {}
    assert not parse_tokens(["[]"])


def test_tokens_when_exclamation_mark_is_a_key_then_taken_as_one():
    assert parse_tokens(["!", "1"]) == {"!": 1}


# --- conditions in one token -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "filter"),
    [
        ("T=1.5", {"T": 1.5}),
        ("T>=1.5", {"T": {"$gte": 1.5}}),
        ("T>1", {"T": {"$gt": 1}}),
        ("T<=1", {"T": {"$lte": 1}}),
        ("T<-1", {"T": {"$lt": -1}}),
        ("model.eps!=2", {"model.eps": {"$ne": 2}}),
        ("name~^lj", {"name": {"$regex": "^lj"}}),
        ("doc.name~a=b", {"doc.name": {"$regex": "a=b"}}),
        ("name=/^lj/", {"name": {"$regex": "^lj"}}),
        ("name~/x/", {"name": {"$regex": "/x/"}}),
        ("a=!", {"a": EXISTS}),
        ("a!=!", {"a": {"$exists": False}}),
        ("a=", {"a": ""}),
        ("a!=", {"a": {"$ne": ""}}),
        ("a=x>1", {"a": "x>1"}),
        ("a!b=1", {"a!b": 1}),
        ("a!=null", {"a": {"$ne": None}}),
        ('a!="!"', {"a": {"$ne": "!"}}),
        ('a>="1"', {"a": {"$gte": "1"}}),
        ("a>[1, 2]", {"a": {"$gt": [1, 2]}}),
        ('a={"b": 1}', {"a": {"b": 1}}),
        ("T >= 1.5", {"T": {"$gte": 1.5}}),
        ("name = lj fluid", {"name": "lj fluid"}),
        ("a.$in=[1]", {"a.$in": [1]}),
    ],
)
def test_condition_when_in_one_token_then_first_operator_splits_it(token, filter):
    assert parse_tokens([token]) == filter
    compile_filter(filter)


def test_conditions_when_on_one_key_then_all_hold():
    assert parse_tokens(["T>=1", "T<2"]) == {"T": {"$gte": 1, "$lt": 2}}
    assert parse_tokens(["T!=1", "T!=2", "T!=3"]) == {"T": {"$ne": 1}, "$and": [{"T": {"$ne": 2}}, {"T": {"$ne": 3}}]}
    assert parse_tokens(["T=1", "T=2"]) == {"T": 1, "$and": [{"T": 2}]}
    assert parse_tokens(["a={}", "a!=1"]) == {"a": {}, "$and": [{"a": {"$ne": 1}}]}


def test_conditions_when_mixed_with_key_and_value_then_read_from_left_to_right():
    assert parse_tokens(["a", "1", "T>=1", "b"]) == {"a": 1, "T": {"$gte": 1}, "b": EXISTS}
    assert parse_tokens(["a", "T>=1"]) == {"a": "T>=1"}
    assert parse_tokens(["a", "!", "T>=1"]) == {"a": EXISTS, "T": {"$gte": 1}}
    assert parse_tokens(["a=1", "b", "a=1"]) == {"a": 1, "b": "a=1"}


def test_conditions_when_key_and_value_are_on_the_same_key_then_both_hold():
    assert parse_tokens(["T", "1", "T>0", "T", "2"]) == {"T": 2, "$and": [{"T": {"$gt": 0}}]}
    assert parse_tokens(["T", '{"$gt": 0}', "T<5"]) == {"T": {"$gt": 0, "$lt": 5}}


def test_conditions_when_a_list_for_and_is_given_too_then_extended():
    tokens = ["$and", '[{"a": 1}]', "b!=1", "b!=2"]
    assert parse_tokens(tokens) == {"$and": [{"a": 1}, {"b": {"$ne": 2}}], "b": {"$ne": 1}}


def test_condition_when_not_equal_then_sees_only_jobs_with_the_key():
    query = compile_filter(parse_tokens(["a!=1"]))
    assert query.matches({"a": 2}, {})
    assert not query.matches({"a": 1}, {})
    assert not query.matches({"b": 2}, {})


def test_condition_when_empty_mapping_then_equal_and_not_equal_are_complements():
    assert [compile_filter(parse_tokens([t])).matches({"a": {}}, {}) for t in ("a={}", "a!={}")] == [True, False]
    assert [compile_filter(parse_tokens([t])).matches({"a": {"b": 1}}, {}) for t in ("a={}", "a!={}")] == [False, True]


# --- hints -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "advice"),
    [
        (["a", "True"], "true"),
        (["a", "False"], "false"),
        (["a", "None"], "null"),
        (["a=none"], "null"),
        (["a", "T>=1"], "a ! 'T>=1'"),
        (["a", "name~^x"], "a ! 'name~^x'"),
        (["a==5"], "'a=5'"),
        (["a=>5"], "'a>=5'"),
        (["a=<5"], "'a<=5'"),
        (["a<>5"], "'a!=5'"),
        (["a=~5"], "'a~5'"),
        (["a~=5"], "'a~5'"),
        (["a!==5"], "'a!=5'"),
        (["T", ">=", "1"], "'T>=VALUE'"),
    ],
)
def test_hint_when_token_probably_means_something_else_then_one_line_of_advice(tokens, advice):
    (hint,) = hints_for(*tokens)
    assert hint.endswith((advice, f"{advice} in one argument"))
    assert "did you mean: " in hint
    assert "\n" not in hint


@pytest.mark.parametrize(
    "tokens",
    [
        ["a", "b"],
        ["a", "true"],
        ["a", "/x=1/"],
        ["a", '"x=1"'],
        ["a", '{"b": "x=1"}'],
        ["a", "water -> ice"],
        ["a.$regex", "x=1"],
        ["T>=1", "T<2"],
        ['a="=5"'],
    ],
)
def test_hint_when_token_is_clear_then_silent(tokens):
    assert hints_for(*tokens) == []


def test_hint_when_nobody_listens_then_nothing_is_printed(capsys):
    parse_tokens(["a", "None", "b", "T>=1"])
    dict(parse_simple(["a", "None"]))
    normalise("a None")
    assert capsys.readouterr() == ("", "")


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([""], "empty"),
        (["a", "1", ""], "empty"),
        (['{"a": 1'], "incomplete JSON"),
        (['{"a":', "1}"], "incomplete JSON"),
        (["[1", "2"], "incomplete JSON"),
        ([' {"a": 1', "b"], "incomplete JSON"),
        (['{"a": 1}', "b"], "single argument"),
        (["a", "1", "[x]"], "single argument"),
        (["{a: 1}"], "not valid JSON"),
        (["a", "{b}"], "not valid JSON"),
        (["a", '"b"c"'], "not valid JSON"),
        (["[1, 2]"], "is an object"),
        (['[["a", 1]]'], "is an object"),
        (["=5"], "no key"),
        ([">=1"], "no key"),
        (["T>="], "no value"),
        (["T~"], "no value"),
        (["a!=/x/"], "goes with = only"),
        (["a>!"], "goes with = only"),
        (["$and", "1", "a=1", "a=2"], r"\$and"),
    ],
)
def test_mistake_when_token_is_out_of_place_then_value_error_in_one_line(tokens, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_tokens(tokens)
    assert "\n" not in str(caught.value)


def test_mistake_when_json_is_invalid_then_decode_error_with_position():
    with pytest.raises(json.JSONDecodeError) as caught:
        parse_tokens(["a", '{"b": x}'])
    assert caught.value.pos == 6


def test_mistake_when_json_is_nested_beyond_reason_then_value_error():
    with pytest.raises(ValueError, match="too deeply"):
        parse_tokens(["a", "[" * 100_000 + "]" * 100_000])


def test_mistake_when_token_is_no_text_then_type_error():
    with pytest.raises(TypeError, match="int"):
        parse_tokens(["a", 1])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "tokens",
    [
        ["a.$where", "bool"],
        ["a.$where=bool"],
        ['{"a": {"$where": "bool"}}'],
        ['{"a.$where": "bool"}'],
        ['{"$or": [{"b": 1}, {"$not": {"a": {"$where": "bool"}}}]}'],
        ["a", '{"$where": "bool"}'],
    ],
)
def test_where_when_evaluation_is_not_allowed_then_refused_naming_the_flag(tokens):
    with pytest.raises(ValueError, match="--allow-eval"):
        parse_tokens(tokens)
    assert compile_filter(parse_tokens(tokens, allow_eval=True)).conditions


def test_where_when_only_a_value_then_accepted():
    assert parse_tokens(["a", "$where"]) == {"a": "$where"}


@pytest.mark.parametrize(
    "text", ["a.$where bool", "a.$where=bool", '{"a": {"$where": "bool"}}', '{"a.$where": "bool"}']
)
def test_where_when_in_python_then_accepted_in_every_form(text):
    expected = [("sp.a", "$where", "bool")]
    for filter in (
        normalise(text),
        dict(parse_filter(text)),
        parse_filter_arg([text] if "=" in text or "{" in text else text.split()),
    ):
        assert [(leaf.key, leaf.operator, leaf.argument) for leaf in compile_filter(filter).conditions] == expected
    assert dict(parse_simple(["a.$where", "bool"])) == {"a.$where": "bool"}


# --- functions known from signac 2.x ---------------------------------------------------------------------------------


def test_parse_filter_arg_when_simple_form_then_interpretation_and_hints_on_stderr(capsys):
    assert parse_filter_arg(["a", "0", "b", "None", "c", "é"]) == {"a": 0, "b": "None", "c": "é"}
    out, err = capsys.readouterr()
    assert out == ""
    hint, echo = err.splitlines()
    assert "null" in hint
    assert echo == 'Interpreted filter arguments as \'{"a": 0, "b": "None", "c": "\\u00e9"}\'.'


@pytest.mark.parametrize(("args", "filter"), [(None, None), ([], None), (['{"a": 1}'], {"a": 1}), (("{}",), {})])
def test_parse_filter_arg_when_json_or_nothing_then_silent(args, filter, capsys):
    assert parse_filter_arg(args) == filter
    assert capsys.readouterr() == ("", "")


def test_parse_simple_when_called_then_pairs():
    assert list(parse_simple(["a", "1", "b>2", "c"])) == [("a", 1), ("b", {"$gt": 2}), ("c", EXISTS)]
    assert list(parse_simple([])) == []
    with pytest.raises(ValueError, match="JSON"):
        list(parse_simple(['{"a": 1}']))


@pytest.mark.parametrize(
    ("filter", "pairs"),
    [
        ({"a": 1}, [("a", 1)]),
        ([("a", 1)], [("a", 1)]),
        (iter([("a", 1)]), [("a", 1)]),
        ("a 1 b", [("a", 1), ("b", EXISTS)]),
        ('{"a": 1}', [("a", 1)]),
        ("", []),
        ({}, []),
    ],
)
def test_parse_filter_when_any_form_then_pairs(filter, pairs):
    assert list(parse_filter(filter)) == pairs


@pytest.mark.parametrize("filter", [None, 5, True])
def test_parse_filter_when_not_a_filter_then_value_error(filter):
    with pytest.raises(ValueError, match="mapping, a string, or pairs"):
        list(parse_filter(filter))


# --- normalise -------------------------------------------------------------------------------------------------------


class LiveDict(Mapping[str, Any]):
    """A mapping that is no dict, like a live view of a document."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


class LiveList(MutableSequence[Any]):
    def __init__(self, data: list[Any]) -> None:
        self.data = data

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        raise NotImplementedError

    __delitem__ = insert = __setitem__  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.data)


class Phase(IntEnum):
    LIQUID = 1


@pytest.mark.parametrize("filter", [None, {}, "", (), [], 0, False, "  ", iter([]), LiveDict({}), "{}"])
def test_normalise_when_nothing_is_asked_for_then_none(filter):
    assert normalise(filter) is None


@pytest.mark.parametrize(
    "filter",
    [
        {"a": 1, "b": {"$in": [1, 2]}},
        MappingProxyType({"a": 1, "b": MappingProxyType({"$in": (1, 2)})}),
        LiveDict({"a": 1, "b": LiveDict({"$in": LiveList([1, 2])})}),
        [("a", 1), ("b", {"$in": (1, 2)})],
        [["a", Phase.LIQUID], ["b", {"$in": [1, 2]}]],
        {"a": 1, "b": {"$in": [1, 2]}}.items(),
        iter([("a", 1), ("b", {"$in": [1, 2]})]),
        'a 1 b {"$in":[1,2]}',
        ' {"a": 1, "b": {"$in": [1, 2]}} ',
    ],
)
def test_normalise_when_any_form_then_plain_dict(filter):
    plain = normalise(filter)
    assert plain == {"a": 1, "b": {"$in": [1, 2]}}
    assert [type(plain), type(plain["a"]), type(plain["b"]), type(plain["b"]["$in"])] == [dict, int, dict, list]


def test_normalise_when_text_holds_a_condition_then_parsed():
    assert normalise("T>=1 T<2") == {"T": {"$gte": 1, "$lt": 2}}


def test_normalise_when_nested_keys_are_no_text_then_json_rules():
    assert normalise({"a": {1: 1, None: 2, False: 3, 1.5: 4}}) == {"a": {"1": 1, "null": 2, "false": 3, "1.5": 4}}


def test_normalise_when_done_then_argument_is_not_shared():
    argument = [1, {"b": 2}]
    plain = normalise({"a": argument})
    argument[1]["b"] = 3
    argument.append(4)
    assert plain == {"a": [1, {"b": 2}]}


@pytest.mark.parametrize("filter", [5, True, 1.5, object()])
def test_normalise_when_not_a_filter_then_value_error(filter):
    with pytest.raises(ValueError, match="mapping, a string, or pairs"):
        normalise(filter)


@pytest.mark.parametrize(
    ("filter", "error"),
    [
        ([1], TypeError),
        (b"a 1", TypeError),
        ([("a",)], ValueError),
        ([("a", 1, 2)], ValueError),
        ({1: 2}, ValueError),
        ({None: 1}, ValueError),
        ([(1, 2)], ValueError),
        ('{"a": 1', ValueError),
        ('{"a"}', ValueError),
    ],
)
def test_normalise_when_pairs_or_keys_are_wrong_then_one_line(filter, error):
    with pytest.raises(error) as caught:
        normalise(filter)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [numpy.int64(1), numpy.array([1]), b"1", bytearray(b"1"), {1}, object(), [1, {"b": {2}}], {(1, 2): 1}, range(3)],
)
def test_normalise_when_value_is_no_json_then_type_error_names_the_key(value):
    with pytest.raises(TypeError, match=r"'a\.b'"):
        normalise({"a.b": value})


def test_normalise_when_value_contains_itself_then_value_error():
    loop: dict[str, Any] = {}
    loop["a"] = loop
    with pytest.raises(ValueError, match="contains itself"):
        normalise(loop)


# --- properties ------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), json_values, min_size=1, max_size=3))
def test_normalise_when_json_data_then_equals_a_json_round_trip(filter):
    plain = normalise(filter)
    assert json.dumps(plain) == json.dumps(json.loads(json.dumps(filter)))
    assert json.dumps(normalise(plain)) == json.dumps(plain)


tokens = st.text(alphabet='ab.$=!<>~{}[]"/1 -', max_size=6) | st.sampled_from(
    ["a", "!", "1", "/x/", "true", '{"$gt": 1}', "a.$in", "[1]", "T>=1", "T<2", '"1"']
)


@given(st.lists(tokens, max_size=5))
def test_parse_tokens_when_anything_is_typed_then_a_json_filter_or_a_clean_value_error(arguments):
    hints: list[str] = []
    with suppress(ValueError):
        filter = parse_tokens(arguments, hint=hints.append)
        assert (filter is None) == (not arguments)
        assert json.loads(json.dumps(filter)) == filter
        with suppress(KeyError, TypeError):
            compile_filter(filter or {})
    assert all(hint and "\n" not in hint for hint in hints)


@given(
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=3),
)
def test_parse_tokens_when_value_is_written_as_json_then_read_back_unchanged(operator, value):
    (found,) = parse_tokens([f"key{operator}{json.dumps(value)}"]).values()
    if operator != "=":
        (found,) = found.values()
    assert found == value
    assert type(found) is type(value)


def test_import_when_only_plain_tokens_are_read_then_json_and_re_are_not_loaded():
    code = (
        "import sys; from signac_core.filterparse import parse_tokens; from signac_core.query import compile_filter;"
        "before = set(sys.modules); compile_filter(parse_tokens(['a', '1', 'T>=1.5']));"
        "assert not (set(sys.modules) - before), set(sys.modules) - before;"
        "assert 'json' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
