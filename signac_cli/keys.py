"""Values under dotted keys, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["MISSING", "lookup", "order", "pick"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The value of a key that is not there."""


def lookup(data: Mapping[str, Any], key: str) -> Any:
    """Value under a dotted key, or `MISSING`; a key that contains the dots itself comes first.

    Examples
    --------
    >>> lookup({"n": {"x": 1.5}}, "n.x"), lookup({"n": 1}, "n.x")
    (1.5, MISSING)

    """
    if key in data:
        return data[key]
    value: Any = data
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
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
