"""Compare this program with another version of it: ``python -m benchmarks.against TREE --help``.

Both run every workload in turn; what counts is the least CPU time, the least peak of memory, and the number of system
calls. Wall time is told as well.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import environments
from .programs import OURS, Bench, Task
from .tables import table
from .timing import Calibration, Failed, Sample, alternate, median_of
from .workload import CALLS, LARGE_SHAPE, MILLION, NETWORK, SIZES
from .workloads import Part, plan

OTHER = "peer"
"""The other version stands where the peer does, whose caches are kept apart from ours."""

TOLERANCE = 1.03
TICK = 0.02
"""CPU seconds that the kernel does not tell apart."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("tree", type=Path, metavar="TREE", help="a working tree of the other version")
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split(","))), default=SIZES[:2], metavar="N,N")
    parser.add_argument("--shape", type=lambda text: tuple(text.split(",")), default=(LARGE_SHAPE,), metavar="NAME,...")
    parser.add_argument("--only", default="", metavar="REGEX", help="as for python -m benchmarks")
    parser.add_argument("--repeat", type=int, default=15, metavar="K", help="the most rounds (default: %(default)s)")
    parser.add_argument("--budget", type=float, default=6.0, metavar="SECONDS", help="for each row")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table to a file, too")
    return parser.parse_args()


def compare(bench: Bench, task: Task, *, repeat: int, budget: float) -> dict[str, Any]:
    """Measure one row: both versions in turn."""

    def run(program: str) -> Any:
        return lambda: bench.run(task, program)

    runs = {OTHER: run(OTHER), OURS: run(OURS)}
    samples, failures = alternate(runs, most=repeat, budget=budget, calibration=Calibration())
    row: dict[str, Any] = {"task": str(task), "shape": task.shape, "jobs": task.size, "failures": failures}
    for name in (OTHER, OURS):
        row[name] = _figures(samples[name]) if name in samples else None
    row["rounds"] = min(map(len, samples.values()), default=0)
    return row


def _figures(samples: list[Sample]) -> dict[str, float]:
    return {
        "cpu": min(sample.cpu for sample in samples),
        "seconds": median_of(samples),
        "mb": min(sample.megabytes for sample in samples),
    }


def cells(row: Mapping[str, Any]) -> dict[str, str]:
    """One line of the table: ratios of this version to the other one."""
    line = {"workload": row["task"], "shape": row["shape"], "jobs": f"{row['jobs']:,}"}
    before, after = row[OTHER], row[OURS]
    if before is None or after is None:
        return line | {"CPU": "failed", "": "; ".join(row["failures"].values())}
    worse = []
    for title, name, least in (
        ("CPU", "cpu", TICK),
        ("wall", "seconds", 0.0),
        ("MB", "mb", 0.5),
        ("calls", "calls", 0.0),
    ):
        if name not in before:
            line[title] = ""
            continue
        line[title] = f"{after[name] / before[name]:.3f}" if before[name] else ""
        if title != "wall" and after[name] > before[name] * TOLERANCE + least:
            worse.append(title)
    line["figures"] = " ".join(f"{name} {before[name]:.4g} -> {after[name]:.4g}" for name in before)
    line["worse"] = ", ".join(worse)
    return line


def main() -> None:
    """Measure, print, and tell by the exit status whether any row has become worse."""
    options = arguments()
    tasks = plan(Part(shapes=options.shape, sizes=options.size, only=options.only))
    tasks = [task for task in tasks if task.group not in (NETWORK, MILLION)]
    rows: list[dict[str, Any]] = []
    with environments.exclusive():
        bench = Bench({OTHER: environments.other(options.tree.resolve()), OURS: environments.ours()})
        try:
            for position, task in enumerate(tasks):
                if task.group == CALLS:
                    rows.append(_count(bench, task))
                else:
                    rows.append(compare(bench, task, repeat=options.repeat, budget=options.budget))
                print(" | ".join(filter(None, cells(rows[-1]).values())), file=sys.stderr, flush=True)
                if position + 1 == len(tasks) or tasks[position + 1].shape != task.shape:
                    bench.release(task)
        finally:
            bench.close()
    text = table([cells(row) for row in rows])
    print(text)
    if options.output:
        options.output.write_text(text + "\n")
    sys.exit(any(cells(row).get("worse") for row in rows))


def _count(bench: Bench, task: Task) -> dict[str, Any]:
    """Count the system calls of one row."""
    row: dict[str, Any] = {"task": str(task), "shape": task.shape, "jobs": task.size, "failures": {}}
    for name in (OTHER, OURS):
        try:
            row[name] = {"calls": bench.calls(task, name)}
        except Failed as error:
            row[name] = None
            row["failures"][name] = str(error)
    return row


if __name__ == "__main__":
    if not shutil.which("strace"):
        sys.exit("strace is needed, to count system calls.")
    main()
