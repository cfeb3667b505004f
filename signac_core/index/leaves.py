"""Nested state points split into columns of leaves.

Leaves are scalars, lists, and empty mappings. Their dotted keys name the columns: so a state point with a dot in a key,
or with very many levels, has no columns, and is *unfit* for a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

__all__ = ["Columns", "count_leaves", "take_apart"]

_DEEPEST = 100

Columns = dict[str, list[tuple[Sequence[int], list[Any]]]]
"""For each dotted key pieces of its column: rows in order, and the values of these."""


def take_apart(trees: Sequence[dict[str, Any] | None], first: int = 0) -> tuple[Columns, list[int]]:
    """Split state points, the rows of which count from ``first``; tell the positions of those that are unfit.

    The columns are of use only if none is.
    """
    rows: Sequence[int]
    some: Sequence[dict[str, Any]] = [tree for tree in trees if tree is not None]
    if len(some) < len(trees):
        rows = [first + at for at, tree in enumerate(trees) if tree is not None]
    else:
        rows = range(first, first + len(trees))
    columns: Columns = {}
    unfit: set[int] = set()
    _split("", rows, some, 0, columns, unfit)
    return columns, [row - first for row in sorted(unfit)]


def _split(
    above: str, rows: Sequence[int], trees: Sequence[dict[str, Any]], depth: int, columns: Columns, unfit: set[int]
) -> None:
    """Add the columns of mappings under a key, which ends with a dot; level by level rather than row by row."""
    for keys, rows_of_group, group in _by_keys(rows, trees):
        if "." in "".join(keys) or depth > _DEEPEST:
            unfit.update(rows_of_group)
            continue
        for key in keys:
            values = list(map(itemgetter(key), group))
            if dict not in set(map(type, values)):
                columns.setdefault(above + key, []).append((rows_of_group, values))
                continue
            is_nested = [type(value) is dict and bool(value) for value in values]
            leaves = [at for at, nested in enumerate(is_nested) if not nested]
            if leaves:
                piece = [rows_of_group[at] for at in leaves], [values[at] for at in leaves]
                columns.setdefault(above + key, []).append(piece)
            if not leaves:
                _split(f"{above}{key}.", rows_of_group, values, depth + 1, columns, unfit)
            elif len(leaves) < len(values):
                nested_rows = [row for row, nested in zip(rows_of_group, is_nested, strict=True) if nested]
                nested_trees = [value for value, nested in zip(values, is_nested, strict=True) if nested]
                _split(f"{above}{key}.", nested_rows, nested_trees, depth + 1, columns, unfit)


def _by_keys(
    rows: Sequence[int], trees: Sequence[dict[str, Any]]
) -> Iterable[tuple[tuple[str, ...], Sequence[int], Sequence[dict[str, Any]]]]:
    """Group mappings by their keys."""
    all_keys = list(map(tuple, trees))
    if len(set(all_keys)) == 1:
        return [(all_keys[0], rows, trees)]
    groups: dict[tuple[str, ...], tuple[list[int], list[dict[str, Any]]]] = {}
    for keys, row, tree in zip(all_keys, rows, trees, strict=True):
        group = groups.get(keys)
        if group is None:
            groups[keys] = [row], [tree]
        else:
            group[0].append(row)
            group[1].append(tree)
    return [(keys, *group) for keys, group in groups.items()]


def count_leaves(tree: dict[str, Any], most: int) -> int:
    """Count the leaves of a document, or not all of them if they are more than so many."""
    number = 0
    waiting = [tree]
    while waiting and number <= most:
        values = waiting.pop().values()
        nested = [value for value in values if type(value) is dict and value]
        number += len(values) - len(nested)
        waiting += nested
    return number
