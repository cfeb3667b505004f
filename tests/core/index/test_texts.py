"""JSON texts as the index holds them, put into other forms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signac_core import canonical
from signac_core.index.texts import in_order_of_keys, spaced

ODD: list[dict[str, Any]] = [
    {},
    {"b": 1, "a": [1.5, {"z": None, "y": True}]},
    {"x": 1e-05, "large": 1e22, "small": 5e-324, "zero": -0.0, "just": 0.0001, "int": 2**63},
    {"text": "a,b: c", "quote": 'say "no", then', "back": "a\\b", "line": "a\nb"},
    {"\u00e9": "\u00fc", "\U0001f600": "z", "Z": "\u2028", "a": {"\u00e9": [], "e": {}}},
]


@pytest.mark.parametrize("few", [1, 4], ids=["few", "many"])
@pytest.mark.parametrize("tree", ODD, ids=range(len(ODD)))
def test_in_order_of_keys_when_spaced_then_as_the_json_package_writes_it(tree: dict[str, Any], few: int) -> None:
    trees = [tree, *({"k": number, "a": str(number)} for number in range(4 * few))]
    texts = [canonical.dumps_strictly(tree).encode() for tree in trees]
    found = [text.decode("ascii") for text in spaced(in_order_of_keys(texts))]
    assert found == [json.dumps(tree, sort_keys=True) for tree in trees]


def test_in_order_of_keys_when_a_text_is_no_json_then_raises() -> None:
    for number in (1, 20):
        with pytest.raises(ValueError, match=r"."):
            in_order_of_keys([b'{"a": 1}'] * number + [b'{"a"'])
