"""Grouping the jobs of a query by values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import reading
from .job import Job

if TYPE_CHECKING:
    from .cursor import JobsCursor

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
    project, ids = cursor._project, cursor._ids
    found: dict[str, tuple[Any, ...]] = dict.fromkeys(ids, ())
    if paths["sp"]:
        found = reading.read_values(project, ids, paths["sp"], missing=_MISSING)
    if paths["doc"]:
        split = [path.split(".") for path in paths["doc"]]
        found = {
            job_id: found[job_id] + tuple(reading.look_up(document, path, _MISSING) for path in split)
            for job_id, document in reading.read_documents(project, list(found))
        }
    values: dict[str, Any] = {}
    single = isinstance(key, str)
    for job_id in ids:
        if job_id not in found:
            continue  # vanished meanwhile
        value = found[job_id]
        if _MISSING in value:
            if default is None:
                continue
            value = tuple(default if item is _MISSING else item for item in value)
        values[job_id] = value[0] if single else value
    known = project._sp_cache
    ordered = sorted(values, key=values.__getitem__)
    project._expected = max(project._expected, len(ordered))
    jobs = (Job._known(project, job_id, known.get(job_id)) for job_id in ordered)
    return itertools.groupby(jobs, key=lambda job: values[job._id])
