"""Timing whole processes in alternation, and counting their file system calls."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

Command = Sequence[str]


def _run(command: Command, directory: Path) -> float:
    start = time.perf_counter()
    with open(os.devnull) as nothing:
        subprocess.run(command, cwd=directory, check=True, stdin=nothing, capture_output=True)
    return time.perf_counter() - start


def medians(commands: Mapping[str, Command], directory: Path, rounds: int) -> dict[str, float]:
    """Median seconds of each command, run in turn so that all see the same drifts of the machine."""
    for command in commands.values():
        _run(command, directory)
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            samples[name].append(_run(command, directory))
    return {name: statistics.median(values) for name, values in samples.items()}


def file_system_calls(command: Command, directory: Path) -> int | None:
    """How many system calls with paths, or on directories, a command makes; None without strace."""
    if shutil.which("strace") is None:
        return None
    trace = ["strace", "-f", "-e", "trace=%file,getdents64", "-o", "/dev/stdout", *command]
    with open(os.devnull) as nothing:
        result = subprocess.run(trace, cwd=directory, check=True, stdin=nothing, capture_output=True, text=True)
    return sum("(" in line and "+++" not in line and "execve(" not in line for line in result.stdout.splitlines())
