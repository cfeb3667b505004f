"""How long a command takes that has next to nothing to do, against ``import click`` and against the peer."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .timing import file_system_calls, medians

LIMITS = {"--version": 0.6, "job -c": 1.3, "find": 1.4, "find FILTER": 1.4, "document": 1.4, "document --set": 1.4}
"""The most that a command may take, as a multiple of ``python -c 'import click'``."""

JOB = "42b7b4f2921788ea14dac5566e6f06d0"


def measure(ours: Path, peer: Path, rounds: int = 41) -> list[dict[str, Any]]:
    """Measure every command in a project of ten jobs; one row per command."""
    arguments = {
        "--version": (["--version"], ["--version"]),
        "job -c": (["job", "-c", '{"a": 1}'], ["job", "-c", '{"a": 1}']),
        "find": (["find"], ["find"]),
        "find FILTER": (["find", "a", "1"], ["find", "a", "1"]),
        "document": (["document", JOB], ["document", JOB]),
        "document --set": (["document", JOB, "--set", "x=1"], None),
    }
    base = [str(ours / "python"), "-c", "import click"]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        subprocess.run([ours / "signac", "-q", "init"], cwd=directory, check=True)
        jobs = "".join(f'{{"a": {i}}}\n' for i in range(10))
        subprocess.run(
            [ours / "signac", "job", "-c"], cwd=directory, input=jobs.encode(), check=True, capture_output=True
        )
        base_calls = file_system_calls(base, directory)
        for workload, (mine, theirs) in arguments.items():
            commands = {"base": base, "ours": [str(ours / "signac"), *mine]}
            if theirs is not None:
                commands["peer"] = [str(peer / "signac"), *theirs]
            seconds = medians(commands, directory, rounds)
            calls = file_system_calls(commands["ours"], directory)
            rows.append(
                {
                    "workload": workload,
                    "peer_ms": round(seconds["peer"] * 1e3, 1) if "peer" in seconds else None,
                    "ours_ms": round(seconds["ours"] * 1e3, 1),
                    "import_click_ms": round(seconds["base"] * 1e3, 1),
                    "times_import_click": round(seconds["ours"] / seconds["base"], 2),
                    "limit": LIMITS[workload],
                    "peer_over_ours": round(seconds["peer"] / seconds["ours"], 1) if "peer" in seconds else None,
                    "calls": calls,
                    "calls_times_import_click": round(calls / base_calls, 2) if calls and base_calls else None,
                }
            )
    return rows
