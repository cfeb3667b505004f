"""Values under keys of the jobs that were selected: from the columns of the keys, or from whole state points.

Reading a column takes time for each row of a table, reading state points takes some for each block of texts and more
for each job; what is less is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..trees import look_up
from .selection import Selection
from .table import LARGE, Table
from .texts import ROWS_PER_BLOCK

__all__ = ["chunks_of", "texts_are_quicker", "values_at"]

_ROW_OF_COLUMN = 0.1  # microseconds that it takes to read a row of a column,
_BLOCK = 35.0  # a block of texts,
_TREE = 2.0  # and a state point in it


def values_at(selection: Selection, keys: Sequence[str], *, missing: Any, unread: Any) -> list[list[Any]]:
    """Values under dotted keys: scalars, lists, mappings, or ``missing``; equal values may be one object.

    Those of jobs that the index does not hold are ``unread``.
    """
    columns: dict[str, list[Any]] = {}
    if not texts_are_quicker(selection, len(keys)):
        columns = {key: _column(selection, key, missing, unread) for key in keys if _has_column(selection, key)}
    rest = [key for key in keys if key not in columns]
    if rest:
        columns |= zip(rest, _from_texts(selection, rest, missing, unread), strict=True)
    return [columns[key] for key in keys]


def texts_are_quicker(selection: Selection, keys: int) -> bool:
    """Tell whether it takes less to read the state points of some jobs than so many columns."""
    rows = sum(layer.table.rows for layer in selection.snapshot.layers)
    number = len(selection)
    blocks = min(number, rows // ROWS_PER_BLOCK + 1)
    return blocks * _BLOCK + number * _TREE < keys * rows * _ROW_OF_COLUMN


def _has_column(selection: Selection, key: str) -> bool:
    """Tell whether all values of a key are in its column: none is a mapping or very long."""
    tables = [layer.table for layer in selection.snapshot.layers]
    return not any(
        table.keys_below(key) or any(chunk.kind == LARGE for chunk in table.chunk_list(key)) for table in tables
    )


def _column(selection: Selection, key: str, missing: Any, unread: Any) -> list[Any]:
    def read(table: Table, rows: Sequence[int]) -> list[Any]:
        column = table.column(key, missing)
        return column if len(rows) == table.rows else list(map(column.__getitem__, rows))

    return selection.fetch(selection.places, read, lambda at: unread)


def _from_texts(selection: Selection, keys: Sequence[str], missing: Any, unread: Any) -> list[list[Any]]:
    paths = [key.split(".") for key in keys]
    columns: list[list[Any]] = [[] for _ in keys]
    for block in selection.blocks():
        trees = block.trees()
        for column, path in zip(columns, paths, strict=True):
            column += [unread if tree is None else look_up(tree, path, missing) for tree in trees]
    return columns


def chunks_of(table: Table, key: str) -> Iterator[tuple[list[Any], Sequence[int], Sequence[int] | None]]:
    """Values of a key chunk by chunk, their rows value by value, and how many each has (None if each has one)."""
    path = key.split(".")
    for chunk, data in table.read_chunks(table.chunk_list(key)):
        rows = table.rows_of(chunk, data)
        if chunk.kind == LARGE:
            yield [look_up(tree, path, None) for tree in table.trees(rows)], rows, None
        else:
            yield table.values_of(chunk, data), rows, table.counts_of(chunk, data)
