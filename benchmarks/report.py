"""The tables of a whole run: what is printed, `results/tables.md`, and the section of `README.md` beside this file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import results
from .results import Row
from .tables import (
    Cells,
    columns_of_calls,
    columns_of_growth,
    columns_of_slower,
    columns_of_times,
    name_of,
    number,
    replace_section,
    table,
)
from .targets import LINES, Line, Verdict, verdicts, workload_of
from .workload import CALLS, COMMANDS, GROUPS, LARGE_SHAPE, MILLION, SIZES

COMMAND = "make bench"
TITLES = {
    "commands": "Commands",
    "library": "Library",
    "loops": "Loops of single operations",
    "memory": "Projects that are dear to an index",
    "large": "A million jobs",
    "network": "On a file system that takes 0.5 ms for each call on metadata",
    "calls": "System calls on files, per operation",
}
Rows = dict[str, list[Row]]


def line(group: str, row: Row) -> str:
    """A row while the others are still being measured."""
    cells = columns_of_calls(row) if group == CALLS else columns_of_times(group, row)
    told = [f"{name} {text}" if name not in ("workload", "operation") else text for name, text in cells.items() if text]
    failures = [f"{name}: {reason}" for name, reason in row.get("failures", {}).items()]
    return f"{group} " + " | ".join(told + failures)


def read_all(directory: Path) -> Rows:
    """All rows, by group."""
    return {group: results.read(directory, group) for group in GROUPS}


def _smaller(rows: Rows, group: str, row: Row) -> Row | None:
    """For a row of a million jobs the same with 100,000."""
    if group != MILLION:
        return None
    wanted = (row["of"], row["workload"], row["state"], LARGE_SHAPE, SIZES[-1])
    return next((one for one in rows[workload_of(row).group] if results.key(one) == wanted), None)


def _times(rows: Rows, group: str) -> list[Cells]:
    return [columns_of_times(group, row, _smaller(rows, group, row)) for row in rows[group]]


def _slower(rows: Rows) -> list[Cells]:
    """Every row in which signac 2.4.1 is faster."""
    timed = [(group, row) for group in rows if group != CALLS for row in rows[group] if row["peer"] and row["ours"]]
    return [columns_of_slower(group, row) for group, row in timed if row["peer"]["s"] < row["ours"]["s"]]


def _growth(rows: Rows) -> list[Cells]:
    pairs = [(row, _smaller(rows, MILLION, row)) for row in rows[MILLION]]
    return [columns_of_growth(row, smaller) for row, smaller in pairs if smaller is not None]


def _judged(rows: Rows) -> Iterator[tuple[Line, Verdict, str]]:
    """All verdicts, with the line of targets and the name of the row."""
    for group in rows:
        for row in rows[group]:
            for line_of, verdict in verdicts(group, row, _smaller(rows, group, row)):
                yield line_of, verdict, f"{name_of(row)} ({row['shape']}, {row['jobs']:,})"


def _lines(rows: Rows) -> list[Cells]:
    """For each line of targets how many rows reach it, and which is the farthest from it."""
    cells = []
    for about in LINES:
        found = [(verdict, name) for line_of, verdict, name in _judged(rows) if line_of is about]
        if found:
            worst, name = max(found, key=lambda pair: pair[0].distance)
            cells.append(
                {
                    "what": about.title,
                    "target": ", ".join(map(str, about.targets)),
                    "figures": str(len(found)),
                    "met": str(sum(verdict.met for verdict, _ in found)),
                    "floor alone misses it": str(sum(bool(v.floor) and not v.met for v, _ in found)),
                    "least good": f"{number(worst.value)}: {name}",
                }
            )
    return cells


def noise(directory: Path) -> str:
    """How noisy the latest run was, as one sentence for each group of rows."""
    told = [(group, results.about(directory, group)) for group in GROUPS]
    texts = [f"{group} {found['noise']}" for group, found in told if found.get("noise")]
    return f"Noise, as a fixed loop that was run before each round tells: {'; '.join(texts)}." if texts else ""


def full(directory: Path) -> str:
    """All measurements as Markdown."""
    rows = read_all(directory)
    parts = [noise(directory), "## Targets", table(_lines(rows))]
    for group, title in TITLES.items():
        cells = [columns_of_calls(row) for row in rows[group]] if group == CALLS else _times(rows, group)
        parts += [f"## {title}", table(cells)] if cells else []
    parts += ["## Peak of memory (VmHWM) with 100,000 jobs and with a million", table(_growth(rows))]
    parts += ["## Where signac 2.4.1 is faster", table(_slower(rows)) or "Nowhere."]
    return "\n\n".join(part for part in parts if part)


def readme(directory: Path) -> str:
    """What `README.md` says: targets, a million jobs, loops, and where signac 2.4.1 is faster."""
    rows = read_all(directory)
    parts = [
        f"From the latest runs of `{COMMAND}` ({results.about(directory, COMMANDS).get('machine', 'unknown')});\n"
        f"[all rows](results/tables.md). {noise(directory)}",
        "Targets, and the row that is farthest from each:",
        table(_lines(rows)),
    ]
    for group in (MILLION, "loops", "network"):
        shown = [cells for cells in _times(rows, group) if cells["target"]]
        parts += [f"{TITLES[group]}, rows with a target:", table([_short(cells) for cells in shown])] if shown else []
    slower = _slower(rows)
    beyond = [cells for cells in slower if cells["reason"] != "within the noise"]
    parts += [
        f"Rows in which signac 2.4.1 is faster: {len(slower)}, {len(slower) - len(beyond)} of them within the noise.",
        table(beyond),
    ]
    return "\n\n".join(part for part in parts if part)


def _short(cells: Cells) -> Cells:
    """Without the columns that a reader of the summary can do without."""
    return {name: text for name, text in cells.items() if name not in ("shape", "peer / ours", "noise")}


def write(directory: Path, document: Path) -> None:
    """Write `tables.md`, and the section of a document between its markers."""
    machine = results.about(directory, COMMANDS).get("machine", "unknown")
    heading = f"# Benchmarks\n\nMade by `{COMMAND}`; measured on {machine}.\n\n"
    (directory / "tables.md").write_text(heading + full(directory) + "\n")
    document.write_text(replace_section(document.read_text(), readme(directory)))
