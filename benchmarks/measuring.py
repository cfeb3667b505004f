"""Measuring one row after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import report
from .programs import FLOOR, OURS, PEER, Bench, Task
from .results import Row, figures, noise_of
from .timing import Calibration, Failed, Run, Sample, alternate, median_of
from .workload import CALLS, LARGE, SIZES

CLOSE = 1.4
"""A row whose peer takes less than so many times as long is measured more often, so that its median can be believed."""

CLOSE_BUDGET = 40.0
"""Seconds for such a row."""


@dataclass(slots=True)
class Measuring:
    """How rows are measured.

    Parameters
    ----------
    bench
        What runs the programs.
    programs
        Which of peer, ours and floor are run.
    most
        The largest number of rounds.
    budget
        The seconds for each row, unless one round takes longer.
    """

    bench: Bench
    programs: Sequence[str] = (PEER, OURS, FLOOR)
    most: int = 12
    budget: float = 6.0
    calibration: Calibration = field(default_factory=Calibration)

    def all(self, tasks: Sequence[Task], done: Callable[[str, Row], None]) -> None:
        """Measure rows; tell of each when it is done."""
        begin = time.monotonic()
        for position, task in enumerate(tasks):
            row = self._count(task) if task.group == CALLS else self._measure(task)
            done(task.group, row)
            left = f"{position + 1}/{len(tasks)}"
            print(
                f"[{time.monotonic() - begin:5.0f} s, {left}] {report.line(task.group, row)}",
                file=sys.stderr,
                flush=True,
            )
            following = tasks[position + 1] if position + 1 < len(tasks) else None
            if following is None or (following.shape, following.size) != (task.shape, task.size):
                self.bench.release(task)

    def _runs(self, task: Task) -> dict[str, Run]:
        """What runs each of the programs once."""
        workload = task.workload
        possible = {PEER: workload.peer is not None, OURS: True, FLOOR: bool(workload.floor_in(task.state))}

        def run(program: str) -> Run:
            return lambda: self.bench.run(task, program)

        return {name: run(name) for name in self.programs if possible[name]}

    def _measure(self, task: Task) -> Row:
        """Measure one row of a table of times."""
        since, runs = len(self.calibration.seconds), self._runs(task)
        most = 1 if task.size >= LARGE and self.most == 1 else self.most
        samples, failures = alternate(runs, most=most, budget=self.budget, calibration=self.calibration)
        if task.size <= SIZES[1] and _close(samples) and min(map(len, samples.values())) < most - 1:
            samples, failures = alternate(runs, most=most, budget=CLOSE_BUDGET, calibration=self.calibration)
        told = [samples[name] for name in (PEER, OURS) if name in samples]
        row = _head(task)
        for name in (PEER, OURS, FLOOR):
            row[name] = figures(samples[name]) if name in samples else None
        row["noise"] = noise_of(told, self.calibration, since)
        found = {str(values[0].result) for values in told}
        if task.workload.alike and len(found) > 1:
            failures["agreement"] = f"the results differ: {' and '.join(sorted(text[:60] for text in found))}"
        if failures:
            row["failures"] = failures
        return row

    def _count(self, task: Task) -> Row:
        """Count the system calls of one row; with many jobs only ours, to see that they are few."""
        row = _head(task)
        for name in (PEER, OURS):
            row[name] = None
            if name in self._runs(task) and (name == OURS or task.size < SIZES[1]):
                try:
                    row[name] = self.bench.calls(task, name)
                except Failed as error:
                    row.setdefault("failures", {})[name] = str(error)
        return row


def _head(task: Task) -> dict[str, Any]:
    """What a row is about."""
    return {
        "of": task.workload.group,
        "workload": task.workload.name,
        "state": task.state,
        "shape": task.shape,
        "jobs": task.size,
    }


def _close(samples: dict[str, list[Sample]]) -> bool:
    """Whether both programs take nearly as long."""
    if PEER not in samples or OURS not in samples:
        return False
    return median_of(samples[PEER]) < CLOSE * median_of(samples[OURS])
