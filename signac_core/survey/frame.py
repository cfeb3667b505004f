"""State points and documents as a pandas data frame, built column by column."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

from .. import catalog
from ..canonical import CONTAINERS
from ..documents.many import load_documents
from ..trees import as_tuple, copy_plain, leaves

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..workspace import Space

__all__ = ["to_dataframe"]

_NAN = float("nan")  # not None, which is a value


def to_dataframe(
    space: Space,
    ids: list[str],
    *,
    sp_prefix: str,
    doc_prefix: str,
    usecols: Container[str] | Callable[[str], bool] | None,
    flatten: bool,
) -> DataFrame:
    """Build the frame of a query result; see :meth:`JobsCursor.to_dataframe`, also for the parameters.

    One row per job, by its id; NaN where a job lacks a key.
    """
    from pandas import DataFrame

    documents = load_documents(space, ids)
    rows = list(documents)
    wanted = _column_filter(usecols)
    columns = _indexed_columns(space, rows, sp_prefix, wanted, flatten=flatten)
    trees: list[dict[str, Any]] = []
    if columns is None:
        state_points = dict(catalog.read_state_points(space, rows))
        rows, trees = list(state_points), list(state_points.values())
        columns = _uniform_columns(trees, sp_prefix, wanted, flatten=flatten)
    if columns is None:
        columns = {}
        parts = [(sp_prefix, trees), (doc_prefix, [documents[job_id] for job_id in rows])]
        _add_row_by_row(columns, parts, wanted, flatten=flatten)
    else:
        trees = [documents[job_id] for job_id in rows]
        more = _uniform_columns(trees, doc_prefix, wanted, flatten=flatten)
        if more is None or columns.keys() & more.keys():
            _add_row_by_row(columns, [(doc_prefix, trees)], wanted, flatten=flatten)
        else:
            columns |= more
    return DataFrame(columns, index=rows).infer_objects()


def _indexed_columns(
    space: Space, ids: list[str], prefix: str, wanted: Callable[[str], bool], *, flatten: bool
) -> dict[str, list[Any]] | None:
    """Columns of state points that all have the same keys, if the index has them."""
    return None


def _own(values: Sequence[Any], *, flatten: bool) -> list[Any]:
    """Values that are not shared with anybody, because a frame can be changed."""
    if CONTAINERS.isdisjoint(map(type, values)):
        return list(values)
    return list(map(as_tuple if flatten else copy_plain, values))


def _uniform_columns(
    trees: list[dict[str, Any]], prefix: str, wanted: Callable[[str], bool], *, flatten: bool
) -> dict[str, list[Any]] | None:
    """Columns of trees that all have the same keys in the same order; None of others."""
    if len(set(map(tuple, trees))) > 1:
        return None
    columns: dict[str, list[Any]] = {}
    if not trees:
        return columns
    for key, values in zip(trees[0], zip(*map(dict.values, trees), strict=True), strict=True):
        kinds = set(map(type, values))
        if flatten and dict in kinds:
            if len(kinds) > 1 or not all(values):
                return None
            below = _uniform_columns(list(values), f"{prefix}{key}.", wanted, flatten=True)
            if below is None:
                return None
            columns |= below
        elif wanted(prefix + key):
            columns[prefix + key] = _own(values, flatten=flatten)
    return columns


def _add_row_by_row(
    columns: dict[str, list[Any]],
    parts: list[tuple[str, list[dict[str, Any]]]],
    wanted: Callable[[str], bool],
    *,
    flatten: bool,
) -> None:
    """Add the columns of trees with different keys, in the order in which they first appear."""
    excluded: set[str] = set()
    number = len(parts[0][1])
    for row in range(number):
        for prefix, trees in parts:
            for key, value in leaves(trees[row]) if flatten else trees[row].items():
                name = prefix + key
                column = columns.get(name)
                if column is None:
                    if name in excluded:
                        continue
                    if not wanted(name):
                        excluded.add(name)
                        continue
                    column = columns[name] = [_NAN] * number
                column[row] = as_tuple(value) if flatten else copy_plain(value)


def _column_filter(usecols: Container[str] | Callable[[str], bool] | None) -> Callable[[str], bool]:
    if usecols is None:
        return lambda name: True
    if callable(usecols):
        return usecols
    return lambda name: name in usecols
