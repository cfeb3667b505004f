"""State points and documents as a pandas data frame, built column by column."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

from .. import catalog
from ..canonical import CONTAINERS
from ..documents.many import load_documents, read_document_values
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

    from ..garbage import without_collection

    wanted = _column_filter(usecols)
    with without_collection():
        keys = _document_keys(usecols, doc_prefix)
        if keys is None:
            documents = load_documents(space, ids)
            rows: Sequence[str] = list(documents)
            more = None
        else:
            documents = {}
            rows, more = _columns_of_documents(space, ids, keys, doc_prefix, flatten=flatten)
        if usecols is not None:
            if more is None:
                more = {}
                _add_row_by_row(more, [(doc_prefix, list(documents.values()))], wanted, flatten=flatten)
            chosen = _chosen_columns(space, rows, more, sp_prefix, wanted, flatten=flatten)
            if chosen is not None:
                return DataFrame(chosen, index=rows).infer_objects()
        state_points = dict(catalog.read_state_points(space, rows))
        rows, trees = list(state_points), list(state_points.values())
        if keys is not None:
            documents = load_documents(space, rows) if keys else dict.fromkeys(rows, _NO_KEYS)
        columns = _all_columns(trees, [documents[job_id] for job_id in rows], sp_prefix, doc_prefix, wanted, flatten)
        return DataFrame(columns, index=rows).infer_objects()


def _all_columns(
    state_points: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    sp_prefix: str,
    doc_prefix: str,
    wanted: Callable[[str], bool],
    flatten: bool,
) -> dict[str, list[Any]]:
    """Columns of trees, in the order of first appearance."""
    columns = _uniform_columns(state_points, sp_prefix, wanted, flatten=flatten)
    if columns is None:
        columns = {}
        _add_row_by_row(columns, [(sp_prefix, state_points), (doc_prefix, documents)], wanted, flatten=flatten)
        return columns
    more = _uniform_columns(documents, doc_prefix, wanted, flatten=flatten)
    if more is None or columns.keys() & more.keys():
        _add_row_by_row(columns, [(doc_prefix, documents)], wanted, flatten=flatten)
        return columns
    return columns | more


def _document_keys(usecols: Container[str] | Callable[[str], bool] | None, prefix: str) -> list[str] | None:
    """Keys of documents that are wanted, if they are known by their names.

    A name with a dot may also be that of a key with a dot, which only another program can have written, and which no
    index has.
    """
    if not prefix or not isinstance(usecols, (list, tuple, set, frozenset)):
        return None
    keys = dict.fromkeys(name[len(prefix) :] for name in map(str, usecols) if name.startswith(prefix))
    return None if any("." in key for key in keys) else list(keys)


def _columns_of_documents(
    space: Space, ids: Sequence[str], keys: list[str], prefix: str, *, flatten: bool
) -> tuple[Sequence[str], dict[str, list[Any]]]:
    """Jobs whose documents can be read, and columns of these."""
    if not keys:
        return ids, {}
    rows, columns = read_document_values(space, ids, keys, missing=_NAN)

    def tree(row: int) -> dict[str, Any]:
        return load_documents(space, [rows[row]]).get(rows[row], _NO_KEYS)

    return rows, _ordered(dict(zip(keys, columns, strict=True)), tree, prefix, flatten=flatten)


def _chosen_columns(
    space: Space,
    ids: Sequence[str],
    more: dict[str, list[Any]],
    prefix: str,
    wanted: Callable[[str], bool],
    *,
    flatten: bool,
) -> dict[str, list[Any]] | None:
    """Those columns that are wanted, and more, if the index has the ones of state points; in order of appearance."""

    def ask(snapshot: Snapshot) -> dict[str, list[Any]] | None:
        return _indexed_columns(snapshot, ids, prefix, wanted, flatten=flatten)

    columns = catalog.ask_index(space, ask) if len(ids) > catalog.MANY_FILES else None
    if columns is None or columns.keys() & more.keys():
        return None
    found = columns | more
    return {name: found[name] for name in sorted(found, key=lambda name: _first_row(found[name]))}


def _first_row(column: Sequence[Any]) -> int:
    return next(row for row, value in enumerate(column) if value is not _NAN)


def _indexed_columns(
    snapshot: Snapshot, ids: Sequence[str], prefix: str, wanted: Callable[[str], bool], *, flatten: bool
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
    columns = values_at(selection, keys, missing=_NAN, unread=_NAN)

    def tree(row: int) -> dict[str, Any]:
        found: dict[str, Any]
        [found] = selection[row : row + 1].trees()
        return found

    return _ordered(dict(zip(keys, columns, strict=True)), tree, prefix, flatten=flatten)


def _ordered(
    columns: dict[str, Sequence[Any]], tree: Callable[[int], dict[str, Any]], prefix: str, *, flatten: bool
) -> dict[str, list[Any]]:
    """Columns that have a value, by the row of the first; by the order of keys in the tree where that is the same."""
    if flatten:
        for key, values in columns.items():
            columns[key] = [_NAN if type(value) is dict and value else value for value in values]
    first = {key: _first_row(values) for key, values in columns.items() if any(v is not _NAN for v in values)}
    place: dict[tuple[int, str], int] = {}
    for row in set(first.values()):
        own = (key for key, _ in leaves(tree(row))) if flatten else iter(tree(row))
        place.update(((row, key), at) for at, key in enumerate(own))
    # A document may have changed since its values were read.
    order = sorted(first, key=lambda key: (first[key], place.get((first[key], key), len(place))))
    return {prefix + key: _own(columns[key], flatten=flatten) for key in order}


def _own(values: Sequence[Any], *, flatten: bool) -> list[Any]:
    """Values that are not shared with anybody, because a frame can be changed."""
    if CONTAINERS.isdisjoint(map(type, values)):
        return list(values)
    copies = list(map(copy_plain, values))
    return list(map(as_tuple, copies)) if flatten else copies


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
                if type(value) in CONTAINERS:
                    value = as_tuple(copy_plain(value)) if flatten else copy_plain(value)
                column[row] = value


def _column_filter(usecols: Container[str] | Callable[[str], bool] | None) -> Callable[[str], bool]:
    if usecols is None:
        return lambda name: True
    if callable(usecols):
        return usecols
    return lambda name: name in usecols
