"""Running programs in alternation, and counting their system calls."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .inside import MARKS

WARM_UP = 4
"""From so many rounds on the first one does not count."""

NOT_ON_FILES = {"mmap", "munmap", "mprotect", "execve", "brk", "futex", "exit_group"}


class Failed(Exception):
    """A program did not do what was asked for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took, and what came of it.

    Parameters
    ----------
    seconds
        How long.
    megabytes
        The most memory that the process had.
    result
        What it printed, or returned; equal for all programs.
    cpu
        Its CPU seconds, those of its children included.
    """

    seconds: float
    megabytes: float
    result: Any
    cpu: float = 0.0


Run = Callable[[], Sample]


def rounds_for(seconds: float, *, most: int, budget: float) -> int:
    """How many rounds of so many seconds there is time for: one at least."""
    return max(1, min(most, int(budget / seconds))) if seconds > 0 else most


def alternate(runs: Mapping[str, Run], *, most: int, budget: float) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """Run programs in turn, so that all see the same drifts of the machine.

    Parameters
    ----------
    runs
        By name of the program, what runs it once.
    most
        The largest number of rounds.
    budget
        The seconds that all of it should take, with all preparations, unless one round takes more.

    Returns
    -------
    tuple of dict
        The samples of each program, and the reasons of those that failed.
    """
    samples: dict[str, list[Sample]] = {}
    failures: dict[str, str] = {}

    def run_all(names: Iterable[str]) -> None:
        for name in names:
            try:
                samples.setdefault(name, []).append(runs[name]())
            except Failed as error:
                failures[name] = str(error)
                samples.pop(name, None)

    start = time.perf_counter()
    run_all(runs)
    rounds = rounds_for(time.perf_counter() - start, most=most, budget=budget)
    for number in range(1, rounds):
        run_all(list(samples) if number % 2 == 0 else list(reversed(samples)))
    if rounds >= WARM_UP:
        samples = {name: values[1:] for name, values in samples.items()}
    return samples, failures


def median_seconds(samples: Iterable[Sample]) -> float:
    """The median of the seconds."""
    return statistics.median(sample.seconds for sample in samples)


def count_calls(trace: str, *, between_marks: bool) -> int:
    """Count the calls on files in what strace has written.

    Parameters
    ----------
    trace
        The lines of ``strace -f -e trace=%file,%desc``.
    between_marks
        Whether to count only those between the two marks of `inside.py`.
    """
    lines = trace.splitlines()
    if between_marks:
        first, last = (next(i for i, line in enumerate(lines) if mark in line) for mark in MARKS)
        lines = lines[first + 1 : last]
    calls = (re.match(r"(?:\d+ +)?(\w+)\(", line) for line in lines)
    return sum(1 for call in calls if call is not None and call[1] not in NOT_ON_FILES)


def traced(
    command: Sequence[str | Path], directory: Path, trace: Path, environment: Mapping[str, str], *, between_marks: bool
) -> int:
    """Run a command under strace and count its calls on files."""
    strace = ["strace", "-f", "-qq", "-e", "trace=%file,%desc", "-o", trace, *command]
    done = subprocess.run(
        strace, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise Failed(last_line(done.stderr))
    return count_calls(trace.read_text(errors="replace"), between_marks=between_marks)


def last_line(text: str) -> str:
    """The last line that says anything: of a traceback, the error."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no message")
