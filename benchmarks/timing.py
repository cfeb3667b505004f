"""Running programs in alternation, how noisy that was, and counting their system calls."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .inside.run import MARKS

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


@dataclass(slots=True)
class Calibration:
    """A fixed loop that is run before each round: how much slower than usual it is tells how noisy the machine is."""

    seconds: list[float] = field(default_factory=list)

    def take(self) -> None:
        """Run the loop once."""
        start = time.perf_counter()
        for number in range(2_000):
            json.dumps({"a": number, "b": [number]})
        for _ in range(300):
            os.stat("/")
        self.seconds.append(time.perf_counter() - start)

    def noise(self, since: int = 0) -> float:
        """By which part the loop took longer than in the median of the whole run, in the mean of the rounds since."""
        usual = statistics.median(self.seconds or [1.0])
        return statistics.fmean([abs(value / usual - 1) for value in self.seconds[since:]] or [0.0])


def spread(values: Sequence[float]) -> float:
    """How far repeats lie apart: the distance of the quartiles, or of the extremes of few, to the median.

    >>> spread([1.0]), spread([1.0, 1.25]), round(spread([1.0, 1.0, 1.1, 1.2, 9.0]), 2)
    (0.0, 0.2222222222222222, 0.18)
    """
    if len(values) < 2:
        return 0.0
    low, high = min(values), max(values)
    if len(values) >= WARM_UP:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / statistics.median(values)


def rounds_for(seconds: float, *, most: int, budget: float) -> int:
    """How many rounds of so many seconds there is time for: one at least."""
    return max(1, min(most, int(budget / seconds))) if seconds > 0 else most


def alternate(
    runs: Mapping[str, Run], *, most: int, budget: float, calibration: Calibration
) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """Run programs in turn, so that all see the same drifts of the machine.

    Parameters
    ----------
    runs
        By name of the program, what runs it once.
    most
        The largest number of rounds.
    budget
        The seconds that all of it should take, with all preparations, unless one round takes more. A program that takes
        more than its share of them is left out of some of the rounds.
    calibration
        Is taken before each round.

    Returns
    -------
    tuple of dict
        The samples of each program, and the reasons of those that failed.
    """
    samples: dict[str, list[Sample]] = {}
    failures: dict[str, str] = {}
    took: dict[str, float] = {}

    def run_all(names: Iterable[str]) -> None:
        calibration.take()
        for name in names:
            start = time.perf_counter()
            try:
                samples.setdefault(name, []).append(runs[name]())
            except Failed as error:
                failures[name] = str(error)
                samples.pop(name, None)
            took[name] = time.perf_counter() - start

    run_all(runs)
    shares = {name: rounds_for(took[name], most=most, budget=budget / len(runs)) for name in runs}
    rounds = max(shares.values(), default=1)
    for number in range(1, rounds):
        now = [name for name in samples if number * shares[name] // rounds > (number - 1) * shares[name] // rounds]
        run_all(now if number % 2 == 0 else list(reversed(now)))
    return {name: values[1:] if len(values) >= WARM_UP else values for name, values in samples.items()}, failures


def median_of(samples: Iterable[Sample], what: str = "seconds") -> float:
    """The median of the seconds, or of the CPU seconds or megabytes."""
    return statistics.median(float(getattr(sample, what)) for sample in samples)


def count_calls(trace: str, *, between_marks: bool) -> int:
    """Count the calls on files in what strace has written.

    Parameters
    ----------
    trace
        The lines of ``strace -f -e trace=%file,%desc``.
    between_marks
        Whether to count only those between the two marks of `inside/run.py`.
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
