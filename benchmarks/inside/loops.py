"""Loops of single operations, as batch scripts and notebooks do them: first an id, then one job after the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

Timed = Callable[[], Any]

SEVERAL = {"energy": -1.25, "status": "done", "steps": 100, "place": "node-7", "series": [1, 2]}
"""Keys of a document that are set in one step."""


def _jobs() -> list[Any]:
    """A handle for each job, from its id."""
    import signac

    project = signac.get_project()
    return [project.open_job(id=name) for name in sorted(os.listdir("workspace"))]


def durable(name: str, *arguments: str) -> Timed:
    """The same as another loop, but so that it survives a power cut (signac 2.4.1 cannot do that)."""
    os.environ["SIGNAC_DURABLE"] = "1"
    timed: Timed = globals()[name](*arguments)
    return timed


# --- reading ---------------------------------------------------------------------------------------------------------


def open_by_id(count: str) -> Timed:
    import signac

    ids = sorted(os.listdir("workspace"))[: int(count)]
    project = signac.get_project()
    return lambda: [project.open_job(id=name).id for name in ids] == ids


def open_by_prefix(count: str) -> Timed:
    import signac

    ids = sorted(os.listdir("workspace"))[: int(count)]
    project = signac.get_project()
    return lambda: [project.open_job(id=name[:12]).id for name in ids] == ids


def _each(read: Callable[[Any], Any]) -> Timed:
    """Open each job by its id and read something of it."""
    import signac

    ids = sorted(os.listdir("workspace"))
    project = signac.get_project()
    return lambda: sum(read(project.open_job(id=name)) for name in ids)


def read_state_points() -> Timed:
    return _each(lambda job: job.statepoint()["i"])


def read_state_point_attributes() -> Timed:
    return _each(lambda job: job.sp.i)


def read_cached_state_points() -> Timed:
    return _each(lambda job: job.cached_statepoint["i"])


def read_documents() -> Timed:
    return _each(lambda job: job.doc["progress"])


def look_for_files() -> Timed:
    return _each(lambda job: job.isfile("signac_job_document.json"))


def read_state_point_again(count: str) -> Timed:
    (job,) = _jobs()
    return lambda: len({job.sp.a for _ in range(int(count))})


def read_document_again(count: str) -> Timed:
    (job,) = _jobs()
    return lambda: len({job.doc["key07"] for _ in range(int(count))})


# --- writing ---------------------------------------------------------------------------------------------------------


def init(target: str) -> Timed:
    """Create the jobs of the project anew in another one."""
    import signac

    values = [job.statepoint() for job in _jobs()]
    project = signac.init_project(target)

    def run() -> int:
        for state_point in values:
            project.open_job(state_point).init()
        return len(os.listdir(f"{target}/workspace"))

    return run


def write_again(count: str) -> Timed:
    """Write one key of one document."""
    (job,) = _jobs()

    def run() -> object:
        for number in range(int(count)):
            job.doc["key07"] = number
        return job.doc["key07"]

    return run


def write_documents() -> Timed:
    """Write one key of each document."""
    jobs = _jobs()

    def run() -> int:
        for job in jobs:
            job.doc["progress"] = -1
        return sum(job.doc["progress"] for job in jobs[:10])

    return run


def update_documents() -> Timed:
    """Write several keys of each document in one step."""
    jobs = _jobs()

    def run() -> int:
        for job in jobs:
            job.doc.update(SEVERAL)
        return sum(job.doc["steps"] for job in jobs[:10])

    return run


def write_buffered() -> Timed:
    """Write one key of each document, all of them at the end."""
    import signac

    jobs = _jobs()

    def run() -> int:
        with signac.buffered():
            for job in jobs:
                job.doc["progress"] = -1
        return len(jobs)

    return run


def change_state_points() -> Timed:
    """Add a key to the state point of each job, which renames it."""
    jobs = _jobs()

    def run() -> int:
        for job in jobs:
            job.sp["seed"] = 1
        return len(os.listdir("workspace"))

    return run


def remove() -> Timed:
    jobs = _jobs()

    def run() -> int:
        for job in jobs:
            job.remove()
        return len(os.listdir("workspace"))

    return run


# --- HDF5 ------------------------------------------------------------------------------------------------------------


def _write_arrays(job: Any) -> None:
    import numpy

    with job.data:
        for name in ("positions", "velocities", "forces"):
            job.data[name] = numpy.arange(30.0).reshape(10, 3)


def _warm_up_hdf5() -> list[Any]:
    """All jobs, after the modules have been loaded and the first file was written."""
    jobs = _jobs()
    _write_arrays(jobs[0])
    return jobs[1:]


def write_hdf5_numbers() -> Timed:
    """Write one number to the HDF5 file of each job."""
    jobs = _warm_up_hdf5()

    def run() -> int:
        for job in jobs:
            job.data["x"] = 1.5
        return len(jobs)

    return run


def write_hdf5_numbers_again() -> Timed:
    """Replace a number in the HDF5 file of one job."""
    job = _warm_up_hdf5()[0]
    job.data["x"] = 0.0

    def run() -> float:
        for number in range(300):
            job.data["x"] = number / 2
        return float(job.data["x"])

    return run


def write_hdf5_arrays() -> Timed:
    """Write several arrays to the HDF5 file of each job, in one block."""
    jobs = _warm_up_hdf5()

    def run() -> int:
        for job in jobs:
            _write_arrays(job)
        return len(jobs)

    return run


def read_hdf5() -> Timed:
    """Read an array from the HDF5 file of each job."""
    jobs = _warm_up_hdf5()
    for job in jobs:
        _write_arrays(job)

    def run() -> float:
        total = 0.0
        for job in jobs:
            with job.data:
                total += float(job.data["positions"][()].sum())
        return total

    return run


def read_hdf5_numbers() -> Timed:
    """Read a number from the HDF5 file of each job."""
    jobs = _warm_up_hdf5()
    for job in jobs:
        job.data["x"] = 1.5
    return lambda: sum(float(job.data["x"]) for job in jobs)
