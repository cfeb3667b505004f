"""Run the benchmarks, print tables, and write them down: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import environments, report
from .programs import FLOOR, OURS, PEER, Bench
from .projects import COLD, NEW, WARM
from .tables import write_results
from .timing import Failed, alternate, median_seconds
from .workloads import LARGE, SIZES, WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parent / "README.md"
"""Shows those results that have a target."""
NETWORK, CALLS = "network", "calls"
STATES = (COLD, WARM, NEW)


@dataclass(frozen=True, slots=True)
class Task:
    """One row of a table: a workload in one state, with one number of jobs."""

    group: str
    workload: Workload
    state: str
    size: int

    def __str__(self) -> str:
        return f"{self.group} {self.workload.name}, {self.state}"


def plan(sizes: tuple[int, ...], *, only: str, slow: bool) -> list[Task]:
    """What is to be measured, in an order that changes the state of each project as seldom as possible."""
    tasks = [
        task
        for workload in WORKLOADS
        for state in workload.states
        for task in _tasks(workload, state, sizes, slow=slow)
    ]
    wanted = [task for task in tasks if re.search(only, str(task))]
    return sorted(wanted, key=lambda task: (task.size, STATES.index(task.state), task.group))


def _tasks(workload: Workload, state: str, sizes: tuple[int, ...], *, slow: bool) -> Iterator[Task]:
    fixed = bool(workload.sizes)
    for size in workload.sizes or sizes:
        if fixed or size <= (SIZES[-1] if slow else workload.most) or (size >= LARGE and state in workload.large):
            yield Task(workload.group, workload, state, size)
        most = SIZES[0] if workload.network.get(state) is None else SIZES[-1]
        if state in workload.network and size <= most:
            yield Task(NETWORK, workload, state, size)
    if shutil.which("strace"):
        yield Task(CALLS, workload, state, workload.sizes[0] if fixed else SIZES[0])


def measure(bench: Bench, task: Task, *, repeat: int, budget: float) -> dict[str, Any]:
    """Measure one row of a table of times."""
    workload, network = task.workload, task.group == NETWORK

    def run(program: str) -> Any:
        return lambda: bench.run(workload, task.state, task.size, program, network=network)

    programs = [PEER, OURS]
    if workload.floor_in(task.state) is not None:
        programs.append(FLOOR)
    samples, failures = alternate({name: run(name) for name in programs}, most=repeat, budget=budget)
    results = {str(samples[name][0].result) for name in (PEER, OURS) if name in samples}
    if workload.alike and len(results) > 1:
        failures["agreement"] = f"the results differ: {' and '.join(sorted(text[:60] for text in results))}"
    row: dict[str, Any] = {
        "workload": workload.name,
        "state": task.state if _tells(workload) else "",
        "jobs": task.size,
    }
    for name in (PEER, OURS, FLOOR):
        row[name] = median_seconds(samples[name]) if name in samples else None
    row["target"] = workload.target(task.state, task.size, network=network)
    row["rounds"] = min(map(len, samples.values()), default=0)
    for name in (PEER, OURS):
        row[f"{name}_mb"] = round(max(sample.megabytes for sample in samples[name]), 1) if name in samples else None
    if failures:
        row["failures"] = failures
    return row


def count(bench: Bench, task: Task) -> dict[str, Any]:
    """Count the system calls of one row."""
    row: dict[str, Any] = {
        "workload": task.workload.name,
        "state": task.state if _tells(task.workload) else "",
        "jobs": task.size,
    }
    for name in (PEER, OURS):
        try:
            row[name] = bench.calls(task.workload, task.state, task.size, name)
        except Failed as error:
            row[name] = None
            row.setdefault("failures", {})[name] = str(error)
    return row


def _tells(workload: Workload) -> bool:
    """Whether the state of the caches says anything about a workload."""
    return len(workload.states) > 1 or workload.states != (COLD,)


def machine() -> str:
    """What the figures were measured on."""
    place = environments.MEMORY if environments.IN_MEMORY else environments.DATA
    system = subprocess.run(["df", "--output=fstype", place], check=True, capture_output=True, text=True)
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, {system.stdout.split()[-1]}, "
        f"Python {platform.python_version()}"
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    default = [*SIZES, *([LARGE] if os.environ.get("BENCH_LARGE") == "1" else [])]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--sizes",
        type=lambda text: tuple(int(word) for word in text.split(",")),
        default=tuple(default),
        metavar="N,N",
        help="numbers of jobs (default: 1000,10000,100000; with BENCH_LARGE=1 also 1000000)",
    )
    parser.add_argument(
        "--only", default="", metavar="REGEX", help="part of 'GROUP WORKLOAD, STATE', as --list shows them"
    )
    parser.add_argument("--repeat", type=int, default=15, metavar="K", help="the most rounds (default: %(default)s)")
    parser.add_argument(
        "--budget",
        type=float,
        default=4.0,
        metavar="SECONDS",
        help="for each row, unless one round takes longer (default: %(default)s)",
    )
    parser.add_argument("--slow", action="store_true", help="copy, import, export, ... 100,000 jobs, too")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and benchmarks/README.md")
    parser.add_argument("--list", action="store_true", help="only print what would be measured")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and write down."""
    options = arguments()
    tasks = plan(options.sizes, only=options.only, slow=options.slow)
    if options.list:
        for task in tasks:
            print(f"{task.size:>9,} {task}")
        return
    with environments.exclusive():
        rows = run(tasks, options)
    directory = RESULTS if options.write else environments.BUILD / "results"
    if not options.write:
        shutil.rmtree(directory, ignore_errors=True)
    order = list(dict.fromkeys(_key(workload, state) for workload in WORKLOADS for state in workload.states))
    for group, measured in rows.items():
        write_results(directory, group, machine(), measured, order)
    print(report.full(directory))
    if options.write:
        report.write(RESULTS, DOCUMENT)


def run(tasks: list[Task], options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Measure all tasks; the rows by group."""
    begin = time.monotonic()
    bench = Bench({PEER: environments.peer(), OURS: environments.ours()})
    rows: dict[str, list[dict[str, Any]]] = {}
    try:
        for position, task in enumerate(tasks):
            if task.group == CALLS:
                row = count(bench, task)
            else:
                row = measure(bench, task, repeat=options.repeat, budget=options.budget)
            rows.setdefault(task.group, []).append(row)
            print(f"[{time.monotonic() - begin:5.0f} s] {report.line(task.group, row)}", file=sys.stderr, flush=True)
            if position + 1 == len(tasks) or tasks[position + 1].size != task.size:
                bench.release(task.size)
    finally:
        bench.close()
    return rows


def _key(workload: Workload, state: str) -> tuple[str, str]:
    return workload.name, state if _tells(workload) else ""


if __name__ == "__main__":
    main()
