"""Values that the two programs have to agree on: a table of the awkward ones, and strategies for the rest."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

NAN = math.nan
INFINITY = math.inf

AWKWARD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53 + 1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**40,
    0.0,
    -0.0,
    1.0,
    0.1,
    0.1 + 0.2,
    1e15,
    1e16,
    1e22,
    1e-5,
    1e-7,
    123456789012345680.0,
    5e-324,
    1.7976931348623157e308,
    NAN,
    INFINITY,
    -INFINITY,
    "",
    "1",
    "true",
    "null",
    "é",
    "e\u0301",
    "☃",
    "\U0001f600",
    "\ud800",
    "\udc00\ud800",
    "\x7f",
    "\x00",
    '"\\\n\t\r\b\f/\x1f\x7f\x80\u2028',
    "a.b",
    "$gt",
    [],
    {},
    [[]],
    [{}],
    {"": {}},
    [1, 1.0, True, "1", None],
    {"z": 1, "a": {"y": [1, {"x": None}], "b": 2.5}},
    [{"b": 1, "a": 2}, [NAN, -0.0, "\ud800"]],
]

AWKWARD_KEYS = ["", " ", "a b", "é", "\U0001f600", "\uffee", "\ud800", "\x7f", "\x00", "$a", "/", "10", "9", "A", "_x"]

keys = st.one_of(st.sampled_from(["a", "b", "c"]), st.sampled_from(AWKWARD_KEYS)) | st.text(max_size=5).filter(
    lambda text: "." not in text
)

numbers = st.one_of(
    st.integers(-3, 3), st.integers(), st.integers(-(10**40), 10**40), st.floats(), st.sampled_from([0.5, 1.0, 2.0])
)

texts = st.text(max_size=8) | st.text(st.characters(codec=None), max_size=4) | st.sampled_from(["\ud800", "\x7f", "/"])

scalars = st.none() | st.booleans() | numbers | texts

json_values = st.recursive(
    scalars | st.sampled_from(AWKWARD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)

state_points = st.dictionaries(keys, json_values, max_size=5)
