"""Taking nested state points apart into leaves, and putting them together again.

The *shape* of a state point is the state point with 0 in the place of every leaf. Leaves are scalars, lists, and empty
mappings; their dotted keys, in the order of the state point, are the columns of the shape.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, TypeAlias

__all__ = ["Parts", "Workshop", "as_tree", "columns_of", "put_together", "without_collection"]

_DEEPEST = 100


@contextmanager
def without_collection() -> Iterator[None]:
    """Switch the garbage collector off while very many objects are made, none of which is garbage."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


Parts: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...]]
"""A state point taken apart: shape and leaves.

The shape has the keys in order, each a text or, for a mapping that is not empty, a pair of text and shape; the leaves
are the values under them.
"""


class _Oddity(Exception):
    """A state point that cannot be put together again: a key with a dot in it, or too many levels."""


class Workshop:
    """Takes state points apart, most of which have a shape that was seen before."""

    def __init__(self) -> None:
        self._known: set[tuple[Any, ...]] = set()

    def take_apart(self, tree: dict[str, Any]) -> Parts | None:
        """Parts of a state point; None if a table cannot hold it.

        Examples
        --------
        >>> Workshop().take_apart({"a": 1, "b": {"c": 2}})
        (('a', ('b', ('c',))), (1, 2))
        >>> Workshop().take_apart({"a.b": 1}) is None
        True

        """
        try:
            shape, leaves = _take_apart(tree)
            if shape not in self._known:
                as_tree(shape)
                self._known.add(shape)
        except (_Oddity, RecursionError):
            return None
        return shape, leaves


def _take_apart(tree: dict[str, Any]) -> Parts:
    leaves = tuple(tree.values())
    if dict not in map(type, leaves):
        return tuple(tree), leaves
    found: list[Any] = []
    return _walk(tree, found, 0), tuple(found)


def _walk(tree: dict[str, Any], leaves: list[Any], depth: int) -> tuple[Any, ...]:
    if depth > _DEEPEST:
        raise _Oddity
    shape: list[Any] = []
    for key, value in tree.items():
        if type(value) is dict and value:
            shape.append((key, _walk(value, leaves, depth + 1)))
        else:
            shape.append(key)
            leaves.append(value)
    return tuple(shape)


def as_tree(shape: tuple[Any, ...]) -> dict[str, Any]:
    """Shape in the form that is stored.

    Examples
    --------
    >>> as_tree(("a", ("b", ("c",))))
    {'a': 0, 'b': {'c': 0}}

    """
    tree: dict[str, Any] = {}
    for part in shape:
        name = part if isinstance(part, str) else part[0]
        if "." in name:
            raise _Oddity
        tree[name] = 0 if isinstance(part, str) else as_tree(part[1])
    return tree


def columns_of(shape: dict[str, Any], above: str = "") -> Iterator[str]:
    """Dotted keys of the leaves of a shape, in order.

    Examples
    --------
    >>> list(columns_of({"a": 0, "b": {"c": 0}}))
    ['a', 'b.c']

    """
    for name, below in shape.items():
        if below:
            yield from columns_of(below, f"{above}{name}.")
        else:
            yield above + name


def put_together(
    shape: dict[str, Any], column: Callable[[str], Iterable[Any]], above: str = ""
) -> Iterator[dict[str, Any]]:
    """State points of a shape that is not empty.

    Parameters
    ----------
    shape : dict
        The shape.
    column : callable
        Gives the values under a dotted key, one per state point.
    above : str
        Put before each key.

    Examples
    --------
    >>> columns = {"a": [1, 2], "b.c": [3, 4]}
    >>> list(put_together({"a": 0, "b": {"c": 0}}, columns.__getitem__))
    [{'a': 1, 'b': {'c': 3}}, {'a': 2, 'b': {'c': 4}}]

    """
    parts = [
        put_together(below, column, f"{above}{name}.") if below else column(above + name)
        for name, below in shape.items()
    ]
    return map(dict, map(zip, repeat(list(shape)), zip(*parts, strict=True)))
