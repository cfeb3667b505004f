"""Records of jobs: values under dotted keys in them, and their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from signac_core.canonical import MISSING

__all__ = ["Record", "lookup", "order", "pick"]

Record = Mapping[str, Any]
"""What is known of one job: ``id``, and ``path``, ``sp`` and ``doc`` as far as they were asked for."""


def lookup(data: Mapping[str, Any], key: str) -> Any:
    """Value under a dotted key, or `MISSING`; a key that contains the dots itself comes first.

    Items of lists are reached by their positions, from the end if these are negative.

    Examples
    --------
    >>> lookup({"n": {"x": 1.5}}, "n.x"), lookup({"n": 1}, "n.x")
    (1.5, MISSING)
    >>> lookup({"l": [1, {"x": 2}]}, "l[0]"), lookup({"l": [1, {"x": 2}]}, "l[-1].x"), lookup({"l": [1]}, "l[1]")
    (1, 2, MISSING)

    """
    if key in data:
        return data[key]
    value: Any = data
    for part in key.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif part.endswith("]"):
            value = _item(value, part)
        else:
            return MISSING
    return value


_ITEMS = re.compile(r"([^\[\]]+)((?:\[-?[0-9]{1,9}\])+)")


def _item(data: Any, part: str) -> Any:
    """Value under a part of a key with positions behind it."""
    match = _ITEMS.fullmatch(part)
    if match is None or not isinstance(data, dict):
        return MISSING
    value = data.get(match[1], MISSING)
    for position in map(int, match[2][1:-1].split("][")):
        if not isinstance(value, list) or not -len(value) <= position < len(value):
            return MISSING
        value = value[position]
    return value


def pick(data: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Part of a mapping that holds the given dotted keys, as far as they are there.

    Examples
    --------
    >>> pick({"a": 1, "n": {"x": 1.5, "y": 2}}, ["n.x", "b", "a"])
    {'n': {'x': 1.5}, 'a': 1}

    """
    picked: dict[str, Any] = {}
    for key in keys:
        value = lookup(data, key)
        if value is MISSING:
            continue
        if key in data:
            picked[key] = value
            continue
        *outer, last = key.split(".")
        target = picked
        for part in outer:
            target[part] = dict(target.get(part, {}))
            target = target[part]
        target[last] = value
    return picked


def order(value: Any) -> tuple[Any, ...]:
    """Sort key under which any two JSON values can be compared: by type, then by value; what is missing comes last.

    Examples
    --------
    >>> sorted([[1], "b", 2, None, 1.5, True, "a"], key=order)
    [None, True, 1.5, 2, 'a', 'b', [1]]

    """
    try:
        return _order(value)
    except RecursionError:  # nested so deeply that no order of it makes sense to anybody
        return (6,)


def _order(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, (int, float)):
        return (2, value != value, 0 if value != value else value)
    if isinstance(value, str):
        return (3, value)
    if isinstance(value, list):
        return (4, [_order(item) for item in value])
    if isinstance(value, dict):
        return (5, sorted((key, _order(item)) for key, item in value.items()))
    return (6,)
