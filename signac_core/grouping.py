"""Grouping the jobs of a query by values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import reading
from .index.shapes import without_collection
from .job import Job

if TYPE_CHECKING:
    from .cursor import JobsCursor
    from .project import Project

__all__ = ["groupby"]

_MISSING = object()


def groupby(cursor: JobsCursor, key: Any, default: Any) -> Iterator[tuple[Any, Iterator[Job]]]:
    """Group jobs; see :meth:`JobsCursor.groupby`.

    Parameters
    ----------
    cursor : JobsCursor
        The jobs.
    key : str, iterable of str, callable or None
        What to group by.
    default : object
        The value for jobs that lack a key; None leaves these jobs out.

    Returns
    -------
    iterator of tuple
        The value, or the values, and an iterator over the jobs that have them, sorted.

    Raises
    ------
    TypeError
        If a key is not a str, or values cannot be compared.
    JobsCorruptedError
        If state points cannot be read.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> for a in range(2):
    ...     _ = project.open_job({"a": a}).init()
    >>> [(a, [job.id[:4] for job in jobs]) for a, jobs in groupby(project.find_jobs(), "a", None)]
    [(0, ['9bfd']), (1, ['42b7'])]

    """
    if key is None or callable(key):
        if default is not None:
            import warnings

            warnings.warn(
                "The default is ignored: it applies to grouping by a key or by several keys only.", stacklevel=4
            )
        by_job: Callable[[Job], Any] = str if key is None else key
        return itertools.groupby(sorted(cursor, key=by_job), key=by_job)
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
        rows = _rows(project, cursor._ids, paths, default)
        values = [found[0] for _, found in rows] if isinstance(key, str) else [found for _, found in rows]
        order = sorted(range(len(rows)), key=values.__getitem__)
    return _grouped(project, [values[row] for row in order], [rows[row][0] for row in order])


def _rows(
    project: Project, ids: list[str], paths: dict[str, list[str]], default: Any
) -> list[tuple[str, tuple[Any, ...]]]:
    """Id and values of each job, first those in the state point; in the order of the ids."""
    rows: list[tuple[str, tuple[Any, ...]]] = [(job_id, ()) for job_id in ids]
    if paths["sp"]:
        rows = reading.read_values(project, ids, paths["sp"], missing=_MISSING)
    if paths["doc"]:
        from .documents import load_documents

        split = [path.split(".") for path in paths["doc"]]
        documents = load_documents(project, [job_id for job_id, _ in rows])
        rows = [
            (job_id, values + tuple(reading.look_up(documents[job_id], path, _MISSING) for path in split))
            for job_id, values in rows
            if job_id in documents
        ]
    if default is None:
        return [row for row in rows if _MISSING not in row[1]]
    return [(job_id, tuple(default if item is _MISSING else item for item in values)) for job_id, values in rows]


def _grouped(project: Project, values: list[Any], ids: list[str]) -> Iterator[tuple[Any, Iterator[Job]]]:
    """Groups of neighbours whose values are equal."""
    project._expected = max(project._expected, len(ids))
    start = 0
    for value, equal in itertools.groupby(values):
        end = start + len(list(equal))
        yield value, map(Job._known, itertools.repeat(project), ids[start:end])
        start = end
