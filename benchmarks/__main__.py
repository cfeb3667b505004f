"""Run the benchmarks, print tables, and write them down: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from . import environments, report, results
from .measuring import Measuring
from .programs import FLOOR, OURS, PEER, Bench, Task
from .results import Row
from .shapes import LARGE_DOCUMENTS, ONE_JOB
from .workload import CALLS, GROUPS, LARGE_SHAPE, MILLION, SIZES
from .workloads import Part, plan

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parent / "README.md"
"""Shows targets, and some of the results."""

QUICK = Part(
    groups=tuple(group for group in GROUPS if group not in (MILLION, CALLS)),
    shapes=(LARGE_SHAPE, ONE_JOB, LARGE_DOCUMENTS),
    sizes=tuple(range(SIZES[0] + 1)),
)
QUICK_ROUNDS = 2
"""What `--quick` measures, and how often."""


def machine() -> str:
    """What the figures were measured on."""
    place = environments.MEMORY if environments.IN_MEMORY else environments.DATA
    system = subprocess.run(["df", "--output=fstype", place], check=True, capture_output=True, text=True)
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, {system.stdout.split()[-1]}, "
        f"Python {platform.python_version()}"
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word.replace("_", "")) for word in text.split(","))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--group", type=_words, default=(), metavar="NAME,...", help=f"only these of {', '.join(GROUPS)}")
    add("--shape", type=_words, default=(), metavar="NAME,...", help="only projects of these shapes")
    add("--size", type=_numbers, default=(), metavar="N,...", help="only projects of so many jobs")
    add("--only", default="", metavar="REGEX", help="part of 'GROUP WORKLOAD, STATE', as --list shows them")
    add("--quick", action="store_true", help="1,000 jobs of one shape, and few rounds")
    add("--rounds", type=int, default=12, metavar="K", help="the most of them (default: %(default)s)")
    add("--budget", type=float, default=6.0, metavar="SECONDS", help="for each row (default: %(default)s)")
    add("--program", type=_words, default=(PEER, OURS, FLOOR), metavar="NAME,...", help="of peer, ours and floor")
    add("--write", action="store_true", help="write benchmarks/results and benchmarks/README.md")
    add("--list", action="store_true", help="only print what would be measured")
    return parser.parse_args()


def part(options: argparse.Namespace) -> Part:
    """What the command line asks for."""
    if options.quick:
        return Part(options.group or QUICK.groups, options.shape or QUICK.shapes, QUICK.sizes, options.only)
    return Part(options.group, options.shape, options.size, options.only)


def main() -> None:
    """Measure, print, and write down."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that projects are removed
    tasks = plan(part(options))
    if options.list:
        for task in tasks:
            print(f"{task.size:>9,} {task.shape:6} {task}")
        print(f"{len(tasks)} rows")
        return
    directory = RESULTS if options.write else environments.BUILD / "results"
    if not options.write:
        shutil.rmtree(directory, ignore_errors=True)
    with environments.exclusive():
        run(tasks, options, directory)
    if options.write:
        report.write(RESULTS, DOCUMENT)
    print(report.full(directory))


def run(tasks: list[Task], options: argparse.Namespace, directory: Path) -> None:
    """Measure all tasks, and write down each as soon as it is done."""
    bench = Bench({PEER: environments.peer(), OURS: environments.ours()})
    rounds = QUICK_ROUNDS if options.quick else options.rounds
    measuring = Measuring(bench, options.program, rounds, options.budget)
    begun: dict[str, int] = {}
    try:
        measuring.all(tasks, _writer(measuring, directory, begun))
    finally:
        bench.close()


def _writer(measuring: Measuring, directory: Path, begun: dict[str, int]) -> Callable[[str, Row], None]:
    """What writes down a row, with how noisy its group has been so far."""
    here = machine()

    def write(group: str, row: Row) -> None:
        since = begun.setdefault(group, len(measuring.calibration.seconds) - 1)
        about = {"machine": here, "noise": f"{measuring.calibration.noise(max(since, 0)):.0%}"}
        results.write(directory, group, about, [row])

    return write


if __name__ == "__main__":
    main()
