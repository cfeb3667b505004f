"""Python data is laid out as pprint does it, to the character, whatever is in it and however deep."""

from __future__ import annotations

import pprint
import random
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signac_cli.pretty import pformat

DEPTHS = (1, 2, 3, 4, None)

WORDS = st.sampled_from(
    ["lattice", "of", "a", "sites" * 4, "it's", 'so "called"', "größe", "格子", "x" * 77, "%s", "{...}", "a,", "', '"]
)
UNUSUAL = st.sampled_from(["\n", "\\", "\u2028", "\ud800", "\x00", "\t", "\u00a0", "''\""])
TEXTS = st.builds(
    str.join, st.sampled_from([" ", " ", "  ", ""]), st.lists(WORDS | WORDS | WORDS | UNUSUAL, max_size=30)
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**100, 1e16, 1e-5, -0.0, True, False, None])
KEYS = st.text("abcdT_", max_size=12) | TEXTS
SCALARS = NUMBERS | TEXTS | st.just("")


def containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.dictionaries(KEYS, values, max_size=8)
        | st.dictionaries(st.integers(), values, max_size=3)  # as in the output of neighbors
        | st.dictionaries(st.floats(), values, max_size=3)
        | st.dictionaries(NUMBERS | KEYS, values, max_size=3)
        | st.lists(values, max_size=8)
        | st.lists(values, max_size=4).map(tuple)  # as in the output of diff
    )


@given(st.recursive(SCALARS, containers, max_leaves=40), st.sampled_from(DEPTHS))
@example({}, 1)
@example([{1: "x"}, {1.0: "x"}, {True: "x"}, {2: {}, 1: {}}], None)
@example([[], {}, ()], 1)
@example({"a": [[1]], "b": ([2],), "c": {"d": {}}}, 2)
@example({"a": "x, ", "b'": "', 'y"}, None)
def test_value_when_laid_out_then_as_by_pprint(value, depth):
    assert pformat(value, depth=depth) == pprint.pformat(value, depth=depth)


@pytest.mark.parametrize("width", range(60, 84))
def test_value_when_about_as_wide_as_a_line_then_as_by_pprint(width):
    words = ("word " * width)[:width]
    for text in ("x" * width, words, words.strip(), f"{words} {'y' * width}", f" {words}  {words}  "):
        for value in (
            text,
            [text],
            (text,),
            {"a": text},
            {"a": 1, "b": text, "c": 2},
            {"a": {"b": text}, "c": [text, 1, text]},
            {"a": [[text, text]], "b": {"c": {"d": [text]}}},
            {text: 1},
            {text: text},
            {text: [1, 2], "a": {text: {"b": 1}}},
            {"a": "x" * (width // 2), "b": "y" * (width - width // 2)},
            {"a": 10**width, "b": [10**width, 1]},
        ):
            for depth in DEPTHS:
                assert pformat(value, depth=depth) == pprint.pformat(value, depth=depth)


@pytest.mark.parametrize("depth", DEPTHS)
def test_value_when_nested_far_to_the_right_then_as_by_pprint(depth):
    value: Any = {"last": "some words that need a line"}
    for level in range(30):
        value = {"k" * (level % 7 + 1): value} if level % 3 else [value, "some more words"]
        assert pformat(value, depth=depth) == pprint.pformat(value, depth=depth)


class Loud(dict[str, Any]):
    """A mapping that is no plain one."""

    def __repr__(self) -> str:
        return "LOUD"


@pytest.mark.parametrize(
    "value", [{1: "x", "a": 2}, {None: {}, (1, 2): [3]}, [Loud()], {"a": Loud(b="x" * 90)}, {1, 2}, 1 + 2j]
)
def test_value_when_more_than_plain_json_then_as_by_pprint(value):
    assert pformat(value) == pprint.pformat(value)


def test_value_when_nested_very_deeply_then_the_same_text_or_error():
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert pformat(value, depth=3) == "[[[[...]]]]"
    with pytest.raises(RecursionError):
        pformat(value)


def records() -> list[dict[str, Any]]:
    """State points of the usual kinds, with their keys in any order."""
    chance = random.Random(7)
    points: list[dict[str, Any]] = []
    for number in range(40):
        words = " ".join(chance.choices(["lattice", "of", "sites", "with", "größe"], k=200))
        points += [
            {"T": number / 7, "N": number, "model": "lj", "flag": True, "seed": None},
            {"box": [[number, 0, 0], [0, 1.5, 0]], "atoms": [{"n": number, "kind": "wall"}] * 4, "empty": []},
            {"run": {"x": number / 3, "thermostat": {"kind": "npt", "tau": [0.5] * 9}, "a": {}}, "note": "x" * 50},
            {f"key_{key:02}": (number / (key + 1), key, f"option {key}")[key % 3] for key in range(60)},
            {"i": number, "description": words, "command": f"simulate --with '{number}'"},
        ]
    for point in points:
        items = list(point.items())
        chance.shuffle(items)
        point.clear()
        point.update(items)
    return points


def test_records_when_of_usual_kinds_then_pprint_is_not_needed(monkeypatch):
    points = records()
    expected = [pprint.pformat(point, depth=3) for point in points]
    monkeypatch.setitem(sys.modules, "pprint", None)
    assert [pformat(point, depth=3) for point in points] == expected
    with pytest.raises(ImportError):
        pformat({1: "x", "a": 2})
