"""Plain JSON data: dicts, lists and scalars; leaves under dotted keys, look-up, copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .canonical import CONTAINERS, MISSING, dumps

__all__ = ["MISSING", "as_tuple", "copy_plain", "equal", "flattened", "identical", "leaves", "look_up"]


_EXACT = frozenset({str, int, bool, type(None)})  # equal values of these types are identical ones


def copy_plain(value: Any) -> Any:
    """Deep copy of a plain tree."""
    kind = type(value)
    if kind is dict:
        copy = value.copy()
        if not CONTAINERS.isdisjoint(map(type, copy.values())):
            for key, item in copy.items():
                if type(item) in CONTAINERS:
                    copy[key] = copy_plain(item)
        return copy
    if kind is list:
        return value.copy() if CONTAINERS.isdisjoint(map(type, value)) else [copy_plain(item) for item in value]
    return value


def leaves(tree: Mapping[str, Any], above: str = "", *, addressable: bool = False) -> Iterator[tuple[str, Any]]:
    """Values of nested mappings under dotted keys; an empty mapping below the top is a value.

    Where only keys count that can be addressed, those with a dot in them are left out, which only another program can
    have written.
    """
    for key, value in tree.items():
        if addressable and "." in key:
            continue
        if value and isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.", addressable=addressable)
        else:
            yield above + key, value


def flattened(tree: Mapping[str, Any]) -> dict[str, Any]:
    """All `leaves` of a tree at once, in half of the time."""
    found: dict[str, Any] = {}
    _flatten(tree, "", found)
    return found


def _flatten(tree: Mapping[str, Any], above: str, found: dict[str, Any]) -> None:
    for key, value in tree.items():
        if value and isinstance(value, dict):
            _flatten(value, f"{above}{key}.", found)
        else:
            found[above + key] = value


def look_up(data: Any, path: Iterable[str], missing: Any) -> Any:
    """Value under a nested key."""
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return missing
        data = data[part]
    return data


def as_tuple(value: Any) -> Any:
    """A list, and lists in it, as tuples; anything else as it is."""
    return tuple(map(as_tuple, value)) if isinstance(value, list) else value


def equal(left: Any, right: Any) -> bool:
    """Compare two values as Python does (1 equals 1.0, a list equals a tuple), except that NaN equals NaN."""
    if isinstance(left, list) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    return bool(left == right or (left != left and right != right))


def identical(left: Any, right: Any) -> bool:
    """Tell whether two plain values are the same to job ids: by value and type; the order of keys does not matter."""
    if type(left) is type(right) and type(left) in _EXACT:
        return bool(left == right)
    return dumps(left, sort_keys=True) == dumps(right, sort_keys=True)
