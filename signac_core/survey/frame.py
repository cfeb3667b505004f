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

    from ..index.snapshot import Snapshot
    from ..workspace import Space

__all__ = ["to_dataframe"]

_NAN = float("nan")  # not None, which is a value
_NO_KEYS: dict[str, Any] = {}


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

    wanted = _column_filter(usecols)
    documents = load_documents(space, ids) if _may_be_of(usecols, doc_prefix) else dict.fromkeys(ids, _NO_KEYS)
    rows = list(documents)
    if usecols is not None:
        chosen = _chosen_columns(space, documents, sp_prefix, doc_prefix, wanted, flatten=flatten)
        if chosen is not None:
            return DataFrame(chosen, index=rows).infer_objects()
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


def _may_be_of(usecols: Container[str] | Callable[[str], bool] | None, prefix: str) -> bool:
    """Tell whether columns with a prefix may be wanted."""
    if not prefix or not isinstance(usecols, (list, tuple, set, frozenset)):
        return True
    return any(str(name).startswith(prefix) for name in usecols)


def _chosen_columns(
    space: Space,
    documents: dict[str, dict[str, Any]],
    sp_prefix: str,
    doc_prefix: str,
    wanted: Callable[[str], bool],
    *,
    flatten: bool,
) -> dict[str, list[Any]] | None:
    """Those columns that are wanted, if the index has the ones of state points; in the order of first appearance."""

    def ask(snapshot: Snapshot) -> dict[str, list[Any]] | None:
        return _indexed_columns(snapshot, list(documents), sp_prefix, wanted, flatten=flatten)

    columns = catalog.ask_index(space, ask) if len(documents) > catalog.MANY_FILES else None
    if columns is None:
        return None
    more: dict[str, list[Any]] = {}
    _add_row_by_row(more, [(doc_prefix, list(documents.values()))], wanted, flatten=flatten)
    if columns.keys() & more.keys():
        return None
    found = columns | more
    return {name: found[name] for name in sorted(found, key=lambda name: _first_row(found[name]))}


def _first_row(column: Sequence[Any]) -> int:
    return next(row for row, value in enumerate(column) if value is not _NAN)


def _indexed_columns(
    snapshot: Snapshot, ids: list[str], prefix: str, wanted: Callable[[str], bool], *, flatten: bool
) -> dict[str, list[Any]] | None:
    """Columns of state points, if the index has all of them; those that begin in one row in the order of its keys."""
    from ..index.selection import selection_of, values_at

    selection = selection_of(snapshot, ids)
    if selection.rest:
        return None
    names = {name for layer in snapshot.layers for name in layer.table.directory.keys}
    if not flatten:
        names = {name.partition(".")[0] for name in names}
    keys = [name for name in names if wanted(prefix + name)]
    columns: dict[str, list[Any]] = {}
    for key, values in zip(keys, values_at(selection, keys, missing=_NAN, unread=_NAN), strict=True):
        if flatten:
            values = [_NAN if type(value) is dict and value else value for value in values]
        if any(value is not _NAN for value in values):
            columns[key] = values
    first = {key: _first_row(values) for key, values in columns.items()}
    place: dict[tuple[int, str], int] = {}
    for row in set(first.values()):
        [tree] = selection[row : row + 1].trees()
        own = (key for key, _ in leaves(tree)) if flatten else iter(tree)
        place.update(((row, key), at) for at, key in enumerate(own))
    order = sorted(columns, key=lambda key: (first[key], place[first[key], key]))
    return {prefix + key: _own(columns[key], flatten=flatten) for key in order}


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
