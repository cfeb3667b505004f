"""Grouping the jobs of a query by values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import reading

if TYPE_CHECKING:
    from .cursor import JobsCursor
    from .job import Job

__all__ = ["groupby"]

_MISSING = object()


def groupby(cursor: JobsCursor, key: Any, default: Any) -> Iterator[tuple[Any, Iterator[Job]]]:
    """Group jobs; see :meth:`JobsCursor.groupby`."""
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
    paths: dict[str, list[list[str]]] = {"sp": [], "doc": []}
    for name in keys:
        if not isinstance(name, str):
            raise TypeError(f"A key to group by must be a str, not {type(name).__name__}.")
        namespace, _, rest = name.partition(".")
        if namespace in paths and rest:
            paths[namespace].append(rest.split("."))
        else:
            paths["sp"].append(name.split("."))
    project, ids = cursor._project, cursor._ids
    nothing: dict[str, dict[str, Any]] = {job_id: {} for job_id in ids}
    state_points = dict(reading.read_state_points(project, ids)) if paths["sp"] else nothing
    documents = dict(reading.read_documents(project, ids)) if paths["doc"] else nothing
    values: dict[str, tuple[Any, ...]] = {}
    for job_id in ids:
        if job_id not in state_points or job_id not in documents:
            continue  # vanished meanwhile
        found = [_look_up(state_points[job_id], path, default) for path in paths["sp"]]
        found += [_look_up(documents[job_id], path, default) for path in paths["doc"]]
        if _MISSING not in found:
            values[job_id] = tuple(found)
    single = isinstance(key, str)

    def value_of(job: Job) -> Any:
        value = values[job.id]
        return value[0] if single else value

    jobs = [job for job in cursor if job.id in values]
    return itertools.groupby(sorted(jobs, key=value_of), key=value_of)


def _look_up(data: Any, path: list[str], default: Any) -> Any:
    """Value under a nested key; without one, the default or, if there is none, a marker."""
    for part in path:
        if not isinstance(data, Mapping) or part not in data:
            return _MISSING if default is None else default
        data = data[part]
    return data
