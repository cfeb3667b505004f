"""Plain JSON data: dicts, lists and scalars; leaves under dotted keys, look-up, copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .canonical import CONTAINERS

__all__ = [
    "leaves",
    "look_up",
]


def copy_plain(value: Any) -> Any:
    """Deep copy of a plain tree."""
    kind = type(value)
    if kind is dict:
        copy = value.copy()
        if not CONTAINERS.isdisjoint(map(type, copy.values())):
            for key, item in copy.items():
                copy[key] = copy_plain(item)
        return copy
    if kind is list:
        return [copy_plain(item) for item in value]
    return value


def leaves(state_point: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested mappings under dotted keys; an empty mapping below the top is a value.

    A key with a dot in it, which only another program can have written, is left out: nobody could address it.

    Parameters
    ----------
    state_point : mapping
        A plain state point, or a part of one.
    above : str
        What to put in front of the keys.

    Yields
    ------
    tuple of str and object
        Dotted key and value.

    Examples
    --------
    >>> list(leaves({"a": {"b": 1, "c": {}}, "d": [2]}))
    [('a.b', 1), ('a.c', {}), ('d', [2])]

    """
    for key, value in state_point.items():
        if "." in key:
            continue
        if value and isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def look_up(data: Any, path: Iterable[str], missing: Any) -> Any:
    """Value under a nested key."""
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return missing
        data = data[part]
    return data
