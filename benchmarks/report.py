"""The tables of a whole run: what is printed, `results/tables.md`, and the section of `README.md` beside this file."""

from __future__ import annotations

from pathlib import Path

from .tables import (
    Row,
    columns_of_calls,
    columns_of_memory,
    columns_of_times,
    largest,
    machine_of,
    read_results,
    replace_section,
    summary,
    table,
)
from .workloads import LARGE, MEMORY

COMMAND = "make bench"
TITLES = {
    "commands": "Commands",
    "library": "Library",
    "network": "On a file system that takes 0.5 ms for each call on metadata",
}


def line(group: str, row: Row) -> str:
    """A row while the others are still being measured."""
    cells = columns_of_calls(row) if group == "calls" else columns_of_times(row)
    told = [f"{name} {text}" if name not in ("workload", "operation") else text for name, text in cells.items() if text]
    failures = [f"{name}: {reason}" for name, reason in row.get("failures", {}).items()]
    return f"{group} " + " | ".join(told + failures)


def full(results: Path) -> str:
    """All measurements as Markdown."""
    parts = []
    for group, title in TITLES.items():
        rows = read_results(results, group)
        parts += [f"## {title}", table(rows, columns_of_times), summary(rows)] if rows else []
    memory = [row for row in read_results(results, "commands") if row["workload"] in MEMORY]
    parts += ["## Peak of memory (VmHWM)", table(memory, columns_of_memory)] if memory else []
    calls = read_results(results, "calls")
    parts += ["## System calls on files, per operation", table(calls, columns_of_calls)] if calls else []
    return "\n\n".join(parts)


def readme(results: Path) -> str:
    """What `README.md` says: what has a target, with as many jobs as were measured; memory."""
    parts = [
        f"From the latest runs of `{COMMAND}` ({machine_of(results, 'commands')}); [all of them](results/tables.md)\n"
        "include smaller projects and system calls."
    ]
    for group, title in TITLES.items():
        rows = [row for row in _shown(read_results(results, group)) if row["target"] is not None]
        parts += [f"{title}:", table(rows, columns_of_times)] if rows else []
    memory = [row for row in _shown(read_results(results, "commands")) if row["workload"] in MEMORY]
    parts += ["Peak of memory:", table(memory, columns_of_memory)] if memory else []
    return "\n\n".join(parts)


def _shown(rows: list[Row]) -> list[Row]:
    """Of each workload the row with the most jobs, and that with a million."""
    shown = largest([row for row in rows if row["jobs"] < LARGE])
    return [row for row in rows if row["jobs"] >= LARGE or row in shown]


def write(results: Path, document: Path) -> None:
    """Write `tables.md`, and the section of a document between its markers."""
    heading = f"# Benchmarks\n\nMade by `{COMMAND}`; measured on {machine_of(results, 'commands')}.\n\n"
    (results / "tables.md").write_text(heading + full(results) + "\n")
    document.write_text(replace_section(document.read_text(), readme(results)))
