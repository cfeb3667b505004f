"""State points that are read and written many at a time are what they are one at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core.canonical import calc_id, dumps_strictly
from signac_core.index import records
from signac_core.index.records import records_in, records_of, wrong_ones
from signac_core.index.texts import text_of

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([1e-5, 1e-4, 1e15, 1e16, 1e22, -0.0, 5e-324, 2.0**53, 2**64, 2**63, -(2**63) - 1, 0.00001234]),
)
TEXTS = st.one_of(
    st.text(max_size=5), st.sampled_from([",", ":", '"', "\\", "\n", "null", "1e5", "\ud800", "ä", "\x7f"])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
TREES = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), min_size=1, max_size=4)


@given(TREES)
def test_texts_when_made_many_at_a_time_then_are_those_made_one_at_a_time(trees: list[dict[str, Any]]) -> None:
    made = records_of([calc_id(tree) for tree in trees], trees, many=True)
    expected = list(map(text_of, trees))
    assert made.texts == [text for text, _ in expected]
    assert made.loose == [at for at, (_, strict) in enumerate(expected) if not strict]


@given(TREES)
def test_state_points_when_read_many_at_a_time_then_are_those_read_one_at_a_time(trees: list[dict[str, Any]]) -> None:
    ids, files = [calc_id(tree) for tree in trees], [json.dumps(tree).encode() for tree in trees]
    for many in (True, False):
        made, bad = records_in(ids, files, many=many)
        assert not bad
        assert repr(made.trees) == repr(trees)
        assert made.texts == [text_of(tree)[0] for tree in trees]


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize(
    "text",
    [None, b"", b"{", b"[1]", b"null", b'{"a": 2}', b'{"a": 1, "b": ","}', b"\xff", b'{"a":' * 2000, b'{"a": NaN}'],
)
def test_a_file_with_another_state_point_is_told(text: bytes | None, many: bool) -> None:
    names = [calc_id({"a": 1}), calc_id({"a": 0}), calc_id({"b": 1.0})]
    made, bad = records_in(names, [b'{"a": 1}', text, b'{ "b" :1.00}'], many=many)
    assert bad == [names[1]]
    assert made.ids == [names[0], names[2]]
    assert made.texts == [b'{"a":1}', b'{"b":1.0}']


def test_a_text_with_a_separator_in_it_is_not_taken_for_another_state_point() -> None:
    """The quick way puts blanks behind separators: what would hash to the id then is not the state point."""
    tree, other = {"a": ":x,y"}, {"a": ": x, y"}
    assert wrong_ones([calc_id(other)], [tree], many=True) == [0]
    assert wrong_ones([calc_id(tree)], [tree], many=True) == []


def test_one_odd_state_point_among_many_does_not_make_the_others_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_NEAR", 4)
    trees = [{"a": number, "x": 1e-7 if number == 7 else 0.5, "n": None} for number in range(20)]
    made = records_of([calc_id(tree) for tree in trees], trees, many=True)
    assert made.texts == [dumps_strictly(tree).encode() for tree in trees]
    assert wrong_ones(made.ids, trees, many=True) == []
    assert wrong_ones([made.ids[0], *made.ids[:-1]], trees, many=True) == list(range(1, 20))


def test_records_are_kept_in_the_order_of_the_ids_when_others_come_between() -> None:
    trees = [{"a": number} for number in range(6)] + [{"a": float("nan")}]
    named = sorted((calc_id(tree), tree) for tree in trees[:6])
    every, last = [name for name, _ in named], calc_id(trees[6])
    some = records_of(every[::2], [tree for _, tree in named][::2], many=False)
    others = records_of([*every[1::2], last], [*[tree for _, tree in named][1::2], trees[6]], many=False)
    together = some.with_others(others)
    assert together.ids == sorted([*every, last])
    assert [calc_id(tree) for tree in together.trees] == together.ids
    assert [together.ids[at] for at in together.loose] == [last]
    assert together.only({last}).loose == [0]
    assert together.without([together.ids.index(last)]).ids == every
