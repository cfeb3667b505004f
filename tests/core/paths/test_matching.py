"""Fields of paths are found as a regular expression would find them, in less time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core.paths.matching import anything, digits, number, plain_number, split, word

EXPRESSIONS = {
    anything: r"[^/]+?",
    digits: r"[+-]?[0-9]+",
    number: (r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?|(?i:infinity|inf|nan))"),
    plain_number: r"[+-]?(?:[0-9]*\.)?[0-9]+",
    word: r"\w+",
}

texts = st.text("a1_.+-/", max_size=2)
paths = st.lists(st.sampled_from([*"aéeED12_.+-/", "inf", "Infinity", "nan"]), max_size=14).map("".join)


@given(paths, st.data())
def test_split_when_compared_with_a_regular_expression_then_equal(path: str, data: st.DataObject) -> None:
    fields = data.draw(st.lists(st.sampled_from(list(EXPRESSIONS)), min_size=1, max_size=4))
    between = data.draw(st.lists(texts, min_size=len(fields) + 1, max_size=len(fields) + 1))
    pattern = re.escape(between[0])
    for field, text in zip(fields, between[1:], strict=True):
        pattern += f"({EXPRESSIONS[field]}){re.escape(text)}"
    match = re.fullmatch(pattern, path)
    assert split(path, between, fields) == (None if match is None else list(match.groups()))


@pytest.mark.parametrize("field", EXPRESSIONS)
@pytest.mark.parametrize("text", ["", "_", "1"])
def test_split_when_there_are_very_many_ways_then_none_has_to_be_tried(field, text) -> None:
    assert split("1_" * 200 + "/", [text] * 20, [field] * 19) is None
    parts = split("1" * 400, [""] * 20, [field] * 19)
    assert parts == (["1"] * 18 + ["1" * 382] if field is anything else ["1" * 382] + ["1"] * 18)
