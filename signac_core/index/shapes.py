"""Nested state points split into columns of leaves; `table` puts them together again.

The *shape* of a state point is the state point with 0 in the place of every leaf. Leaves are scalars, lists, and empty
mappings; their dotted keys, in the order of the state point, are the columns of the shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

__all__ = [
    "Group",
    "columns_of",
    "take_apart",
]

_DEEPEST = 100


class Group(NamedTuple):
    """Rows of one shape.

    Parameters
    ----------
    shape : dict
        Their shape.
    rows : list of int
        The rows, in order.
    columns : sequence of sequences
        For each leaf of the shape, in order, the values of the rows.
    """

    shape: dict[str, Any]
    rows: Sequence[int]
    columns: Sequence[Sequence[Any]]


class _UnfitError(Exception):
    """A state point that cannot be put together again: a key with a dot in it, or too many levels."""


def take_apart(trees: Sequence[dict[str, Any] | None]) -> tuple[list[Group], list[int]]:
    """Group state points by shape, in columns; and the rows of those that a table cannot hold."""
    by_keys: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, tree in enumerate(trees):
        if tree is not None:
            by_keys[tuple(tree)].append(row)
    groups: list[Group] = []
    unfit: list[int] = []
    for keys, rows in by_keys.items():
        some = [trees[row] or {} for row in rows]
        try:
            shape = _as_tree(keys)
        except _UnfitError:
            unfit += rows
            continue
        columns = [[tree[key] for tree in some] for key in keys]
        if any(dict in set(map(type, column)) for column in columns):
            groups += _nested_groups(zip(rows, some, strict=True), unfit)
        else:
            groups.append(Group(shape, rows, columns))
    return groups, unfit


def _nested_groups(trees: Iterable[tuple[int, dict[str, Any]]], unfit: list[int]) -> Iterator[Group]:
    """Groups of state points that hold mappings; adds to the rows of those that a table cannot hold."""
    by_shape: defaultdict[tuple[Any, ...], tuple[list[int], list[Sequence[Any]]]] = defaultdict(lambda: ([], []))
    for row, tree in trees:
        leaves: list[Any] = []
        try:
            rows, matrix = by_shape[_walk(tree, leaves, 0)]
        except (_UnfitError, RecursionError):
            unfit.append(row)
        else:
            rows.append(row)
            matrix.append(leaves)
    for shape, (rows, matrix) in by_shape.items():
        try:
            yield Group(_as_tree(shape), rows, list(zip(*matrix, strict=True)))
        except (_UnfitError, RecursionError):
            unfit += rows


def _walk(tree: dict[str, Any], leaves: list[Any], depth: int) -> tuple[Any, ...]:
    if depth > _DEEPEST:
        raise _UnfitError
    shape: list[Any] = []
    for key, value in tree.items():
        if type(value) is dict and value:
            shape.append((key, _walk(value, leaves, depth + 1)))
        else:
            shape.append(key)
            leaves.append(value)
    return tuple(shape)


def _as_tree(shape: tuple[Any, ...]) -> dict[str, Any]:
    """Shape in the form that is stored."""
    tree: dict[str, Any] = {}
    for part in shape:
        name = part if isinstance(part, str) else part[0]
        if "." in name:
            raise _UnfitError
        tree[name] = 0 if isinstance(part, str) else _as_tree(part[1])
    return tree


def columns_of(shape: dict[str, Any], above: str = "") -> Iterator[str]:
    """Dotted keys of the leaves of a shape, in order."""
    for name, below in shape.items():
        if below:
            yield from columns_of(below, f"{above}{name}.")
        else:
            yield above + name
