"""Projects of any size, written directly as files: the same bytes that both programs would write.

A job has a state point of ten keys and a document of three. The values depend on the number of the job alone, so
that fixed shares of the jobs match the filters in `workloads.py`. Everything is dated long ago, as if the project
had been left alone since: caches that distrust what is younger than their clock can tell are not put off by it.
"""

from __future__ import annotations

import json
import os
from hashlib import md5
from pathlib import Path
from typing import Any

VERSION = 1
"""Changes with anything below that changes a byte: projects of another version are made anew."""

CONFIG = b"schema_version = 2\n"
KINDS = ("gcmc", "npt", "nve", "nvt")
STRIDE = 7919  # prime to all sizes: spreads what is alike over the whole project
DATE = 1_700_000_000
LATER = DATE + 3600
"""The date of jobs that are added to a project."""


def state_point(number: int, size: int) -> dict[str, Any]:
    """The state point of one of `size` jobs; numbers from `size` on are jobs that were added later."""
    place = number * STRIDE % size
    return {
        "i": number,  # unique
        "a": number % 100,
        "x": place / size,  # spread evenly over [0, 1)
        "name": f"run-{place:07d}",
        "kind": KINDS[number % 4],
        "flag": number % 3 == 0,
        "T": round(0.5 + 0.1 * (number % 20), 1),
        "p": number // 20 % 50 / 10,
        "steps": 10 ** (2 + number % 5),
        "model": "lj",
    }


def document(number: int, size: int) -> dict[str, Any]:
    """The document of a job; one in a hundred has failed."""
    return {
        "energy": -10 * (number * STRIDE % size) / size,
        "status": "failed" if number % 100 == 7 else "done",
        "progress": number * 10,
    }


def job_id(state_point: dict[str, Any]) -> str:
    """The id of a job, as signac 2.x defines it."""
    return md5(json.dumps(state_point, sort_keys=True).encode()).hexdigest()


def _write(path: str, data: bytes, date: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    os.write(descriptor, data)
    os.close(descriptor)
    os.utime(path, (date, date))


def write_jobs(project: Path, numbers: range, size: int) -> list[str]:
    """Add jobs to a project.

    Parameters
    ----------
    project
        Its directory.
    numbers
        Which jobs to add.
    size
        The number of jobs that the project has at first.

    Returns
    -------
    list of str
        Their ids.
    """
    date = DATE if numbers.start < size else LATER
    workspace = f"{project}/workspace"
    ids = []
    for number in numbers:
        values = state_point(number, size)
        ids.append(job_id(values))
        directory = f"{workspace}/{ids[-1]}"
        os.mkdir(directory)
        _write(f"{directory}/signac_statepoint.json", json.dumps(values).encode(), date)
        _write(f"{directory}/signac_job_document.json", json.dumps(document(number, size)).encode(), date)
        os.utime(directory, (date, date))
    os.utime(workspace, (date, date))
    return ids


def write_empty_project(project: Path) -> None:
    """Make the directories and the configuration of a project without jobs."""
    (project / ".signac").mkdir(parents=True)
    (project / ".signac" / "config").write_bytes(CONFIG)
    (project / "workspace").mkdir()


def write_project(project: Path, size: int) -> None:
    """Write a whole project."""
    write_empty_project(project)
    write_jobs(project, range(size), size)


def write_single_job_project(project: Path) -> None:
    """Write a project of one job whose document has twenty keys."""
    write_empty_project(project)
    values = {"a": 1}
    directory = project / "workspace" / job_id(values)
    directory.mkdir()
    _write(f"{directory}/signac_statepoint.json", json.dumps(values).encode(), DATE)
    keys = {f"key{number:02}": number / 8 for number in range(20)}
    _write(f"{directory}/signac_job_document.json", json.dumps(keys).encode(), DATE)
