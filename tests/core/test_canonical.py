from __future__ import annotations

import json
import math
from collections import OrderedDict, deque
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core import canonical
from signac_core.canonical import calc_id, plain, same_json, validate_key
from signac_core.errors import InvalidKeyError, KeyTypeError, NumpyConversionWarning


class Level(IntEnum):
    ONE = 1


# Ids of signac 2.4.1.
KNOWN_IDS: list[tuple[Any, str]] = [
    ({}, "99914b932bd37a50b983c5e7c90ae93b"),
    ({"a": 0}, "9bfd29df07674bc4aa960cf661b5acd2"),
    ({"a": 1}, "42b7b4f2921788ea14dac5566e6f06d0"),
    ({"a": Level.ONE}, "42b7b4f2921788ea14dac5566e6f06d0"),
    ({"a": 1.0}, "4b8937963abc9e9148b4524d4f837b4b"),
    ({"a": True}, "ffe0ee7a068e54663a3a6f50d74c3e76"),
    ({"a": False}, "260210482a322cd86398136bd3f79f96"),
    ({"a": None}, "542bac9c870e9cd102c3909922945a4d"),
    ({"a": "1"}, "44550aefb0b85d9db968d11e4fdfa6bc"),
    ({"a": 0.0}, "81c9d4e753d6d76901b3987454967b84"),
    ({"a": -0.0}, "82c4fe5379bdb22b61fd92242a68b5b1"),
    ({"a": 1e15}, "d03626d5d4232b23c6c7857a2eaa0dc2"),
    ({"a": 1e16}, "b858d08d7a33f61d8dff58c38aab414c"),
    ({"a": 123456789012345680.0}, "41ebea98f40d5a4568839296c7519b28"),
    ({"a": 1e22}, "d3c81b61f63fcc08d33e9e8fa05e6f14"),
    ({"a": 1e100}, "28863fca243589b5fcce95a98296e7c7"),
    ({"a": 0.0001}, "223b3a055eb1f4575c73552725ca5291"),
    ({"a": 1e-5}, "e60c606f39da82624dd7a829609671b1"),
    ({"a": 1e-7}, "1a8134bda210df75dc234f81d3701062"),
    ({"a": 5e-324}, "822742d92d06d47b73f149737a4e0ffb"),
    ({"a": 1.7976931348623157e308}, "c71822813e757578eaa53dee370c79fd"),
    ({"a": 0.1 + 0.2}, "f909c07d41bfca6bc6debc9901b3dd9d"),
    ({"a": 2**63}, "2f6bb3a5fa1e148e3e5f7cca3a98b296"),
    ({"a": 2**64}, "de3293b1ad010070961989792edfacfd"),
    ({"a": -(2**63) - 1}, "04dbf20403104b5a71cf5b48987d04f0"),
    ({"a": 10**40}, "ffa9e1f04a6f5dd856ad8d469f921109"),
    ({"a": math.nan}, "95d74f1b7565806cb282d8bc4822d9bf"),
    ({"a": math.inf}, "76b9506b00fe9763721b8b7bfe3ea498"),
    ({"a": -math.inf}, "1d719135ef82386f2515c6c9299a8251"),
    ({"a": "\u00e9"}, "b61e59fffb433d9dc2a6f1fa17ca206d"),
    ({"a": "e\u0301"}, "b331e08e9bef64490ccee81823ef4e59"),
    ({"\u00e9": 1}, "1749ea4677cb01bf4a53e90a442034cd"),
    ({"a": "\u2603"}, "728021e25742a28ad43b55acc126290b"),
    ({"a": "\U0001f600"}, "12d17eafe6f5e9de600a000a71028653"),
    ({"a": '"\\\n\t/\x00\x7f'}, "94b16dfe6b20f207127955171073b0e2"),
    ({"a": "\ud800"}, "d5a0776147fdef0125c45836d5e29e50"),
    ({"a": []}, "010d0a756b05a29de3bfe60ab24f68ce"),
    ({"a": {}}, "b64d96a034f7bf16cc5658f10c8236b4"),
    ({"a": [1, 2, 3]}, "500e1c1aa4e6e64bd68cbed51bf6ddf7"),
    ({"a": (1, 2, 3)}, "500e1c1aa4e6e64bd68cbed51bf6ddf7"),
    ({"a": [[1, [2, {"b": None}]]]}, "83bcbab099af07ce6c4e1b447f70b26b"),
    ({"b": 1, "a": 2}, "5e4d14d82c320bafb2f1286fe486d1f8"),
    ({"a": {"z": 1, "y": {"x": 2}}}, "b7c0d62742f51606fe1b07139db9bef6"),
    ({"A": 1, "a": 2, "B": 3}, "cd50e6a79ee9c616e027539773fbe41d"),
    ({"\u00e9": 1, "z": 2, "a": 3}, "ebb28b8ab3c6d4983cfc22ad7d4f8701"),
    ({"\U0001f600": 1, "\uffee": 2}, "afe69759d5e2d54ff1d548bb37ed861e"),
    ({"10": 1, "9": 2}, "300c52e326e03f94160eaff014faba6b"),
    ({"": 1}, "7026b472ce7326d94920614dd9baa070"),
    ({"a b": 1}, "f59b8e06a9561e3fe8df40c9289b7c9a"),
    ({"$a": 1}, "e0fba8e5ff456ddded49063677dfa940"),
    ({"e": [1.0, "1.0", 1, True]}, "4d8058a305b940005be419b30e99bb53"),
    ({"constant": 42, "diff1": 0, "diff2": 1}, "c4af2b26f1fd256d70799ad3ce3bdad0"),
]


@pytest.mark.parametrize(("state_point", "job_id"), KNOWN_IDS, ids=lambda value: repr(value)[:40])
def test_calc_id_equals_that_of_the_peer(state_point: Any, job_id: str) -> None:
    assert calc_id(statepoint=state_point) == job_id
    assert calc_id(plain(state_point)) == job_id


@pytest.mark.parametrize(
    ("value", "job_id"),
    [
        (np.int64(1), "42b7b4f2921788ea14dac5566e6f06d0"),
        (np.bool_(True), "ffe0ee7a068e54663a3a6f50d74c3e76"),
        (np.float32(0.1), "cf6d0953fd1521fa680cb15d98c685ce"),
        (np.array([1, 2, 3]), "500e1c1aa4e6e64bd68cbed51bf6ddf7"),
        (np.array(1), "42b7b4f2921788ea14dac5566e6f06d0"),
    ],
)
def test_calc_id_of_numpy_values_equals_that_of_their_plain_equivalents(value: Any, job_id: str) -> None:
    with pytest.warns(NumpyConversionWarning):
        assert calc_id({"a": value}) == job_id
    with pytest.warns(NumpyConversionWarning):
        assert calc_id(plain({"a": value})) == job_id


def test_calc_id_of_numpy_subclasses_of_plain_types_needs_no_conversion() -> None:
    assert calc_id({"a": np.float64(1.0), "b": np.str_("x")}) == calc_id({"a": 1.0, "b": "x"})


@pytest.mark.parametrize(
    "value", [1j, b"x", bytearray(b"x"), {1}, Decimal(1), range(2), deque([1]), object(), np.datetime64("2020-01-01")]
)
def test_calc_id_when_a_value_has_no_json_equivalent_raises_key_type_error(value: Any) -> None:
    with pytest.raises(KeyTypeError):
        calc_id({"a": value})


def test_calc_id_when_extended_precision_raises_value_error() -> None:
    with pytest.raises(ValueError, match="no JSON equivalent"):
        calc_id({"a": np.longdouble(1)})


@pytest.mark.parametrize("state_point", [{(1,): 1}, {b"a": 1}, {1: 1, "b": 2}])
def test_calc_id_when_keys_are_no_json_keys_raises_key_type_error(state_point: Any) -> None:
    with pytest.raises(KeyTypeError):
        calc_id(state_point)


def test_calc_id_coerces_keys_as_json_does() -> None:
    assert calc_id({1: "a"}) == calc_id({"1": "a"})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(st.characters(codec=None, exclude_characters="."), max_size=5), children, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_characters="."), max_size=5), json_values, max_size=4))
def test_id_is_that_of_the_sorted_json_text_and_survives_a_round_trip(state_point: dict[str, Any]) -> None:
    import hashlib

    text = json.dumps(state_point, sort_keys=True)
    job_id = hashlib.md5(text.encode()).hexdigest()
    assert calc_id(state_point) == job_id
    stored = canonical.dumps(plain(state_point))
    assert stored == json.dumps(state_point)
    parsed = canonical.loads(stored.encode())
    assert calc_id(parsed) == job_id
    assert same_json(parsed, plain(state_point))
    assert canonical.state_point_matches(parsed, job_id)
    assert not canonical.state_point_matches(parsed, "0" * 32)


def test_state_point_matches_rejects_other_kinds_of_json_with_the_right_hash() -> None:
    assert not canonical.state_point_matches([1], calc_id([1]))


def test_plain_converts_containers_and_scalar_subclasses() -> None:
    class Text(str):
        pass

    value = {Text("a"): (1, deque([2])), "b": OrderedDict(c=Level.ONE), "d": b"ab", "e": MappingProxyType({"f": None})}
    converted = plain(value)
    assert converted == {"a": [1, [2]], "b": {"c": 1}, "d": [97, 98], "e": {"f": None}}
    assert type(next(iter(converted))) is str
    assert type(converted["b"]["c"]) is int


@pytest.mark.parametrize("value", [{1}, 1j, object(), Decimal(1), (i for i in ()), np.longdouble(1)])
def test_plain_when_a_value_has_no_json_equivalent_raises(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        plain({"a": [value]})


@pytest.mark.parametrize(("key", "kind"), [(1, KeyTypeError), (None, KeyTypeError), ("a.b", InvalidKeyError)])
def test_keys_that_are_not_allowed_are_refused_at_any_depth(key: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        validate_key(key)
    with pytest.raises(kind):
        plain({"x": [{"y": {key: 1}}]})


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, False),
        (1, True, False),
        (0.0, -0.0, False),
        (math.nan, math.nan, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ([1, {"a": None}], [1, {"a": None}], True),
        ([1], [1, 2], False),
    ],
)
def test_equal_compares_type_value_and_order(left: Any, right: Any, *, same: bool) -> None:
    assert same_json(left, right) is same


def test_loads_when_nested_too_deeply_raises_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        canonical.loads("[" * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1}',
        b' {"a": 1}\n',
        b'{"a": 1} ',
        b"1",
        b'"x"',
        b"null",
        b"[NaN, -Infinity, 1e400, -0.0, 123456789012345678901]",
        b'{"a": 1, "a": 2}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"\u00e9": "\u2603"}'.encode(),
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-32-be"),
        b'{"a": "\\ud800"}',
        b'{"a":',
        b"",
        b"{}x",
        b"{'a': 1}",
        b"\xff\xff",
        b'{"a": "\xff"}',
        b'{"a": "\n"}',
        b"[1,]",
        b"nul",
    ],
)
def test_loads_does_what_the_json_package_does(text: bytes) -> None:
    def outcome(load: Any, value: Any) -> str:
        try:
            return repr(load(value))
        except ValueError as error:
            return f"{type(error).__name__}: {error}"

    assert outcome(canonical.loads, text) == outcome(json.loads, text)
    decoded = text.decode("latin-1")
    assert outcome(canonical.loads, decoded) == outcome(json.loads, decoded)


def test_the_json_package_stands_in_for_its_c_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "_json", None)
    encode, encode_strictly, encode_sorted, scan = canonical._codec()
    monkeypatch.setattr(canonical, "_encode", encode)
    monkeypatch.setattr(canonical, "_encode_strictly", encode_strictly)
    monkeypatch.setattr(canonical, "_encode_sorted", encode_sorted)
    monkeypatch.setattr(canonical, "_scan", scan)
    assert scan is None
    assert canonical.dumps({"b": 1, "a": [1.0, "\u00e9"]}, sort_keys=True) == '{"a": [1.0, "\\u00e9"], "b": 1}'
    assert canonical.loads(b'{"a": [1.5]}') == {"a": [1.5]}
    assert canonical.dumps_strictly({"b": 1, "a": [1.0, "\u00e9"]}, sort_keys=True) == '{"a":[1.0,"\u00e9"],"b":1}'
    assert calc_id({"a": 0}) == "9bfd29df07674bc4aa960cf661b5acd2"
    assert canonical.has_id({"a": 0}, "9bfd29df07674bc4aa960cf661b5acd2")
    with pytest.raises(TypeError, match="set"):
        canonical.dumps({"a": {1}})


def test_circular_data_is_refused() -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(ValueError, match="[Cc]ircular"):
        canonical.dumps(data)


def test_a_state_point_that_is_nested_too_deeply_matches_no_id() -> None:
    state_point: dict[str, Any] = {}
    for _ in range(5000):
        state_point = {"a": state_point}
    assert not canonical.state_point_matches(state_point, "9bfd29df07674bc4aa960cf661b5acd2")


# --- what people type ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "1",
        '"a"',
        '{"a": 1, "b": {"a": 1}, "c": [{"a": 1}, {"a": 1}]}',
        '{"a": "b", "b": "a"}',
        r'{"a\"": 1, "a": "\",\"a\": 2"}',
        '{"a": 1}\n{"a": 1}',
    ],
)
def test_repeated_keys_when_there_are_none_then_accepted(text):
    canonical.refuse_repeated_keys(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a": 1, "a": 1}', 1),
        ('{"a": 1,\n"a": 1}', 2),
        ('{"b": [{"a": 1,\n "c": {}, "a" : 1}]}', 2),
        ('{"a": 1}\n\n{"\\u0061": 1, "a": {}}', 3),
    ],
)
def test_repeated_keys_when_there_are_some_then_value_error_tells_the_line(text, line):
    with pytest.raises(ValueError, match=f"in line {line} for the second time"):
        canonical.refuse_repeated_keys(text)
