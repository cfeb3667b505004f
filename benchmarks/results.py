"""The measurements as files: one for each group, with one line for each row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .shapes import LARGE_DOCUMENTS, ONE_JOB, SHAPES
from .timing import Calibration, Sample, median_of, spread
from .workload import STATES
from .workloads import WORKLOADS

Row = Mapping[str, Any]
Key = tuple[str, str, str, str, int]

PLACES = {(workload.group, workload.name): place for place, workload in enumerate(WORKLOADS)}
SHAPE_PLACES = [*SHAPES, ONE_JOB, LARGE_DOCUMENTS]


def figures(samples: Sequence[Sample]) -> dict[str, float]:
    """What a row tells of a program: medians of seconds and CPU seconds, the peak of memory, the number of rounds."""
    return {
        "s": float(f"{median_of(samples):.4g}"),
        "cpu": float(f"{median_of(samples, 'cpu'):.4g}"),
        "mb": round(median_of(samples, "megabytes"), 1),
        "n": len(samples),
    }


def noise_of(samples: Sequence[Sequence[Sample]], calibration: Calibration, since: int) -> float:
    """How noisy a row was: how far repeats lay apart, or how much slower than usual a fixed loop was in between."""
    spreads = [spread([sample.seconds for sample in values]) for values in samples]
    return round(max([calibration.noise(since), *spreads]), 3)


def key(row: Row) -> Key:
    """What tells rows of a group apart."""
    return row["of"], row["workload"], row["state"], row["shape"], row["jobs"]


def _place(row: Row) -> tuple[int, int, int, int]:
    return (
        PLACES[row["of"], row["workload"]],
        STATES.index(row["state"]),
        SHAPE_PLACES.index(row["shape"]),
        row["jobs"],
    )


def write(directory: Path, group: str, about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write measurements; they replace earlier ones of the same workload, state and project.

    Parameters
    ----------
    directory, group
        Where, and the name of the file.
    about
        What is said of the run, such as the machine.
    rows
        The measurements; what is not a workload any more is left out.
    """
    merged = {key(row): row for row in [*read(directory, group), *rows] if (row["of"], row["workload"]) in PLACES}
    lines = [json.dumps(row, ensure_ascii=False) for row in sorted(merged.values(), key=_place)]
    head = json.dumps(dict(about), ensure_ascii=False)[1:-1]
    directory.mkdir(exist_ok=True)
    (directory / f"{group}.json").write_text(f'{{{head},\n"rows": [\n' + ",\n".join(lines) + "\n]}\n")


def read(directory: Path, group: str) -> list[Row]:
    """The measurements that were written; none if there are none."""
    file = directory / f"{group}.json"
    return json.loads(file.read_text())["rows"] if file.exists() else []


def about(directory: Path, group: str) -> Mapping[str, Any]:
    """What was said of the latest run of a group."""
    file = directory / f"{group}.json"
    if not file.exists():
        return {}
    return {name: value for name, value in json.loads(file.read_text()).items() if name != "rows"}
