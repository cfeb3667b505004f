"""Grouping the jobs of a query by values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import catalog, trees
from ..index.shapes import without_collection
from ..job import Job

if TYPE_CHECKING:
    from ..cursor import JobsCursor
    from ..project import Project

__all__ = ["groupby"]

_MISSING = object()


def groupby(cursor: JobsCursor, key: Any, default: Any) -> Iterator[tuple[Any, Iterator[Job]]]:
    """Group jobs; see :meth:`JobsCursor.groupby`.

    Raises TypeError if a key is not a str, or values cannot be compared; JobsCorruptedError if state points cannot be
    read.
    """
    if key is None or callable(key):
        if default is not None:
            import warnings

            warnings.warn(
                "The default is ignored: it applies to grouping by a key or by several keys only.", stacklevel=4
            )
        jobs = list(cursor)
        by_job: Callable[[Job], Any] = str if key is None else key
        values = list(map(by_job, jobs))
        ordered = _comparable(values)
        order = sorted(range(len(jobs)), key=ordered.__getitem__)
        return ((values[rows[0]], map(jobs.__getitem__, rows)) for rows in _equal_rows(order, ordered))
    return _group_by_keys(cursor, key, default)


def _group_by_keys(cursor: JobsCursor, key: Any, default: Any) -> Iterator[tuple[Any, Iterator[Job]]]:
    keys = [key] if isinstance(key, str) else list(key)
    paths: dict[str, list[str]] = {"sp": [], "doc": []}
    for name in keys:
        if not isinstance(name, str):
            raise TypeError(f"A key to group by must be a str, not {type(name).__name__}.")
        namespace, _, rest = name.partition(".")
        if namespace in paths and rest:
            paths[namespace].append(rest)
        else:
            paths["sp"].append(name)
    project = cursor._project
    with without_collection():
        ids, columns = _columns(project, cursor._ids, paths)
        if default is not None:
            columns = [[default if value is _MISSING else value for value in column] for column in columns]
        values = columns[0] if isinstance(key, str) else list(zip(*columns, strict=True)) or [()] * len(ids)
        order: Iterable[int] = range(len(ids))
        if any(_MISSING in column for column in columns):
            order = [row for row in order if not any(column[row] is _MISSING for column in columns)]
        ordered = _comparable(values)
        order = sorted(order, key=ordered.__getitem__)
    return _grouped(project, values, ids, list(_equal_rows(order, ordered)))


def _columns(project: Project, ids: list[str], paths: dict[str, list[str]]) -> tuple[list[str], list[list[Any]]]:
    """Ids without those that have vanished, and their values, first those in state points."""
    columns: list[list[Any]] = []
    if paths["sp"]:
        ids, columns = catalog.read_values(project, ids, paths["sp"], missing=_MISSING)
    if paths["doc"]:
        from ..documents.many import load_documents

        documents = load_documents(project, ids)
        if len(documents) < len(ids):
            columns = [
                [value for value, job_id in zip(column, ids, strict=True) if job_id in documents] for column in columns
            ]
        for path in paths["doc"]:
            parts = path.split(".")
            columns.append([trees.look_up(document, parts, _MISSING) for document in documents.values()])
        ids = list(documents)
    return ids, columns


def _grouped(
    project: Project, values: list[Any], ids: list[str], groups: list[list[int]]
) -> Iterator[tuple[Any, Iterator[Job]]]:
    """Values and jobs of groups of rows."""
    project._expected = max(project._expected, sum(map(len, groups)))
    for rows in groups:
        yield values[rows[0]], map(Job._known, itertools.repeat(project), [ids[row] for row in rows])


def _equal_rows(order: Iterable[int], values: list[Any]) -> Iterator[list[int]]:
    """Rows with equal values, which are neighbours in an order."""
    for _, rows in itertools.groupby(order, key=values.__getitem__):
        yield list(rows)


def _comparable(values: list[Any]) -> list[Any]:
    """What values are sorted and compared by: themselves, unless there is NaN, which comes last and equals itself."""
    if not any(map(_holds_nan, values)):
        return values
    return list(map(_with_order_of_nan, values))


def _holds_nan(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_nan, value))
    return isinstance(value, float) and value != value


def _with_order_of_nan(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(map(_with_order_of_nan, value))
    is_nan = _holds_nan(value)
    return is_nan, 0 if is_nan else value
