"""Library calls that visit many jobs. Each function makes everything ready and returns what is to be timed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

Timed = Callable[[], Any]


def create(target: str, states: str) -> Timed:
    """Create the jobs whose state points are the lines of a file."""
    import signac

    project = signac.init_project(target)
    with open(states) as file:
        values = [json.loads(line) for line in file]

    def run() -> int:
        for state_point in values:
            project.open_job(state_point).init()
        return len(values)

    return run


def iterate() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sum(job.statepoint()["i"] for job in project)


def iterate_cached() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sum(job.cached_statepoint["i"] for job in project)


def iterate_documents() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sum(job.doc["progress"] for job in project)


def iterate_attributes() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sum(job.sp.i for job in project)


def open_each() -> Timed:
    """Open every job by its id and read its state point, in the order of the ids."""
    import signac

    ids = sorted(os.listdir("workspace"))
    project = signac.get_project()
    return lambda: sum(project.open_job(id=name).statepoint()["i"] for name in ids)


def count() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: len(project)


def find(condition: str) -> Timed:
    import signac

    project = signac.get_project()
    return lambda: len({job.id for job in project.find_jobs(json.loads(condition))})


def find_and_read(condition: str) -> Timed:
    """Find jobs and read their state points."""
    import signac

    project = signac.get_project()
    return lambda: sum(job.statepoint()["i"] for job in project.find_jobs(json.loads(condition)))


def groupby(key: str) -> Timed:
    import signac

    project = signac.get_project()
    return lambda: {str(value): len(list(jobs)) for value, jobs in project.groupby(key)}


def schema(condition: str = "") -> Timed:
    import signac

    project = signac.get_project()
    if condition:
        return lambda: len(project.detect_schema(subset=project.find_jobs(json.loads(condition))))
    return lambda: len(project.detect_schema())


def frame(*columns: str) -> Timed:
    """Make a data frame of all columns, or of some."""
    import pandas  # noqa: F401  # both programs load it; its time is that of neither

    import signac

    project = signac.get_project()
    return lambda: list(project.to_dataframe(usecols=columns or None).shape)


def flat_frame() -> Timed:
    """Make a data frame with a column for each nested key."""
    import pandas  # noqa: F401

    import signac

    project = signac.get_project()
    return lambda: list(project.to_dataframe(flatten=True).shape)


def neighbors() -> Timed:
    """Find the neighbors of all jobs."""
    import signac

    project = signac.get_project()
    return lambda: sum(len(found) for of_job in project.get_neighbors().values() for found in of_job.values())


def diff_jobs(condition: str) -> Timed:
    import signac

    project = signac.get_project()
    return lambda: len(signac.diff_jobs(*project.find_jobs(json.loads(condition))))


def update_cache() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: project.update_cache() and None


def first_query_of_documents() -> Timed:
    """What has happened to a project whose documents are indexed: a query of them."""
    import signac

    project = signac.get_project()
    return lambda: len(project.find_jobs({"doc.status": "failed"}))


# --- copies ----------------------------------------------------------------------------------------------------------


def export(target: str, path: str) -> Timed:
    import signac

    project = signac.get_project()
    return lambda: len(project.export_to(target, path=path))


def import_(target: str) -> Timed:
    import signac

    origin = os.path.abspath("workspace")
    project = signac.init_project(target)
    return lambda: len(project.import_from(origin))


def view(target: str, path: str) -> Timed:
    import signac

    project = signac.get_project()

    def run() -> int:
        project.create_linked_view(prefix=target, path=path)
        return sum(len(os.listdir(f"{target}/{name}")) for name in os.listdir(target))

    return run


def sync(destination: str) -> Timed:
    import signac

    source, other = signac.get_project(), signac.get_project(destination)
    return lambda: other.sync(source) and None


def clone(target: str) -> Timed:
    import signac

    project, other = signac.get_project(), signac.init_project(target)

    def run() -> int:
        for job in project:
            other.clone(job)
        return len(os.listdir(f"{target}/workspace"))

    return run


def move(target: str) -> Timed:
    import signac

    project, other = signac.get_project(), signac.init_project(target)

    def run() -> int:
        for job in project:
            job.move(other)
        return len(os.listdir(f"{target}/workspace"))

    return run
