"""Projects of any size and shape, written directly as files: the same bytes that both programs would write.

The state points are those of a shape (`shapes.py`); each job has a document, too, with a mapping and a list in it.
Everything is dated long ago, as if the project had been left alone since: caches that distrust what is younger than
their clock can tell are not put off by it.

    python -m benchmarks.generator DIRECTORY --shape nested --size 1000000
"""

from __future__ import annotations

import argparse
import json
import os
from hashlib import md5
from pathlib import Path
from typing import Any

from .shapes import ONE_JOB, SHAPES, STRIDE, Shape

VERSION = 2
"""Changes with anything here or in `shapes.py` that changes a byte: projects of another version are made anew."""

CONFIG = b"schema_version = 2\n"
DATE = 1_700_000_000
LATER = DATE + 3600
"""The date of jobs that are added to a project."""

LARGE_DOCUMENT = 1_000_000
"""Bytes of text in each document of a project of large documents."""


def document(number: int, size: int) -> dict[str, Any]:
    """The document of a job; one in a hundred has failed."""
    place = number * STRIDE % size
    return {
        "energy": -10 * place / size,
        "status": "failed" if number % 100 == 7 else "done",
        "progress": number * 10,
        "result": {"pressure": number % 40 / 8, "density": {"mean": place / size, "error": 0.001 * (1 + number % 9)}},
        "series": [number % 10, number % 7 / 2, place % 13],
    }


def job_id(state_point: dict[str, Any]) -> str:
    """The id of a job, as signac 2.x defines it."""
    return md5(json.dumps(state_point, sort_keys=True).encode()).hexdigest()


def _write(path: str, data: bytes, date: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    os.write(descriptor, data)
    os.close(descriptor)
    os.utime(path, (date, date))


def _write_job(workspace: str, values: dict[str, Any], data: dict[str, Any], date: int) -> str:
    """Write a job; return its id."""
    name = job_id(values)
    directory = f"{workspace}/{name}"
    os.mkdir(directory)
    _write(f"{directory}/signac_statepoint.json", json.dumps(values).encode(), date)
    _write(f"{directory}/signac_job_document.json", json.dumps(data).encode(), date)
    os.utime(directory, (date, date))
    return name


def write_jobs(project: Path, shape: Shape, numbers: range, size: int) -> list[str]:
    """Add jobs to a project.

    Parameters
    ----------
    project
        Its directory.
    shape
        That of the state points.
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
    ids = [_write_job(workspace, shape.state_point(number, size), document(number, size), date) for number in numbers]
    os.utime(workspace, (date, date))
    return ids


def write_empty_project(project: Path) -> None:
    """Make the directories and the configuration of a project without jobs."""
    (project / ".signac").mkdir(parents=True)
    (project / ".signac" / "config").write_bytes(CONFIG)
    (project / "workspace").mkdir()


def write_project(project: Path, shape: Shape, size: int) -> None:
    """Write a whole project."""
    write_empty_project(project)
    write_jobs(project, shape, range(size), size)


def write_project_of_large_documents(project: Path, size: int) -> None:
    """Write jobs with small state points, and with documents that are too large to be copied anywhere."""
    write_empty_project(project)
    workspace = f"{project}/workspace"
    for number in range(size):
        text = f"{number:08}" * (LARGE_DOCUMENT // 8)
        _write_job(workspace, {"i": number}, document(number, size) | {"log": text}, DATE)
    os.utime(workspace, (DATE, DATE))


def write_single_job_project(project: Path) -> None:
    """Write a project of one job whose document has twenty keys."""
    write_empty_project(project)
    keys = {f"key{number:02}": number / 8 for number in range(20)}
    _write_job(f"{project}/workspace", {"a": 1}, keys, DATE)


def write(project: Path, kind: str, size: int) -> None:
    """Write a project of a shape, or of another kind: with one job, or with large documents."""
    if kind in SHAPES:
        write_project(project, SHAPES[kind], size)
    elif kind == ONE_JOB:
        write_single_job_project(project)
    else:
        write_project_of_large_documents(project, size)


def main() -> None:
    """Write one project."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generator", description=main.__doc__)
    parser.add_argument("directory", type=Path, metavar="DIRECTORY", help="the project; must not exist")
    parser.add_argument("--shape", choices=SHAPES, default="nested")
    parser.add_argument("--size", type=int, default=1000, metavar="N")
    options = parser.parse_args()
    write_project(options.directory, SHAPES[options.shape], options.size)


if __name__ == "__main__":
    main()
