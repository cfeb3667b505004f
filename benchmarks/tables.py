"""From measurements to tables: for a terminal, for `results/`, and for `README.md` beside this file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

BEGIN = "<!-- benchmarks: made by `make bench`, do not edit -->"
END = "<!-- /benchmarks -->"


def duration(seconds: float | None) -> str:
    """A duration with three digits and its unit.

    >>> duration(0.00123), duration(12.34), duration(None)
    ('1.23 ms', '12.3 s', '')
    """
    if seconds is None:
        return ""
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            return f"{number(seconds * factor)} {unit}"
    return f"{number(seconds)} s"


def number(value: float | None) -> str:
    """A number with three digits.

    >>> number(1234.5), number(12.345), number(1.2345)
    ('1,234', '12.3', '1.23')
    """
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def verdict(peer: float | None, ours: float | None, floor: float | None, target: float | None) -> str:
    """Whether a target was met; where the floor alone misses it, how far from the floor ours is.

    >>> verdict(12, 1, 0.5, 10), verdict(12, 2, 0.5, 10), verdict(12, 2, 1.5, 10)
    ('yes', 'no', '1.33 x floor')
    """
    if target is None or peer is None:
        return ""
    if ours is None:
        return "no"
    if peer / ours >= target:
        return "yes"
    return f"{number(ours / floor)} x floor" if floor is not None and peer / floor < target else "no"


def columns_of_times(row: Row) -> dict[str, str]:
    """One line of a table of times."""
    peer, ours, floor = row["peer"], row["ours"], row["floor"]
    failed = row.get("failures", {})
    return {
        "workload": ", ".join(filter(None, [row["workload"], row["state"]])),
        "jobs": f"{row['jobs']:,}",
        "peer": duration(peer) or ("failed" if "peer" in failed else ""),
        "ours": duration(ours) or ("failed" if "ours" in failed else ""),
        "peer / ours": number(peer / ours) if peer and ours else "",
        "floor": duration(floor),
        "target": f"{row['target']:g}" if row["target"] is not None else "",
        "met": verdict(peer, ours, floor, row["target"]),
    }


def columns_of_memory(row: Row) -> dict[str, str]:
    """One line of the table of peaks of memory."""
    return {
        "command": ", ".join(filter(None, [row["workload"], row["state"]])),
        "jobs": f"{row['jobs']:,}",
        "peer MB": number(row["peer_mb"]),
        "ours MB": number(row["ours_mb"]),
    }


def columns_of_calls(row: Row) -> dict[str, str]:
    """One line of the table of system calls."""
    return {
        "operation": ", ".join(filter(None, [row["workload"], row["state"]])),
        "jobs": f"{row['jobs']:,}",
        "peer": number(row["peer"]),
        "ours": number(row["ours"]),
    }


def table(rows: Sequence[Row], columns: Callable[[Row], dict[str, str]]) -> str:
    """Rows as a Markdown table."""
    if not rows:
        return ""
    cells = [columns(row) for row in rows]
    head = list(cells[0])
    lines = [head, *[list(line.values()) for line in cells]]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(head))]
    # numbers stand to the right
    aligned = [
        [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    rule = ["-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)]
    text = ["| " + " | ".join(line) + " |" for line in aligned]
    return "\n".join([text[0], "|" + "|".join(rule) + "|", *text[1:]])


def largest(rows: Sequence[Row]) -> list[Row]:
    """Of each workload and state only the row with the most jobs."""
    most: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row["workload"], row["state"])
        if key not in most or row["jobs"] > most[key]["jobs"]:
            most[key] = row
    return list(most.values())


def summary(rows: Sequence[Row]) -> str:
    """How many targets were met."""
    verdicts = [verdict(row["peer"], row["ours"], row["floor"], row["target"]) for row in rows]
    counts = {"met": verdicts.count("yes"), "not met": verdicts.count("no")}
    counts["out of reach of the floor"] = len([text for text in verdicts if text]) - sum(counts.values())
    return "Targets: " + ", ".join(f"{count} {text}" for text, count in counts.items()) + "."


def write_results(
    directory: Path, group: str, machine: str, rows: Sequence[Row], order: Sequence[tuple[str, str]]
) -> None:
    """Write measurements as JSON; they replace earlier ones of the same workloads, states and numbers of jobs.

    Parameters
    ----------
    directory, group
        Where, and the name of the file.
    machine
        What it was measured on.
    rows
        The measurements.
    order
        The order of workloads and states in the file; what is not among them is left out.
    """
    file = directory / f"{group}.json"
    known = read_results(directory, group)
    places = {key: place for place, key in enumerate(order)}
    merged = {
        (row["workload"], row["state"], row["jobs"]): row
        for row in [*known, *rows]
        if (row["workload"], row["state"]) in places
    }
    ordered = sorted(merged.values(), key=lambda row: (places[row["workload"], row["state"]], row["jobs"]))
    directory.mkdir(exist_ok=True)
    file.write_text(json.dumps({"machine": machine, "rows": ordered}, indent=1, ensure_ascii=False) + "\n")


def read_results(directory: Path, group: str) -> list[Row]:
    """The measurements that were written; none if there are none."""
    file = directory / f"{group}.json"
    return json.loads(file.read_text())["rows"] if file.exists() else []


def machine_of(directory: Path, group: str) -> str:
    """What a group was measured on."""
    file = directory / f"{group}.json"
    return str(json.loads(file.read_text())["machine"]) if file.exists() else "unknown"


def replace_section(text: str, section: str) -> str:
    """Replace what stands between the markers.

    Raises
    ------
    ValueError
        There are no markers.
    """
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the markers {BEGIN} and {END} are missing")
    return pattern.sub(lambda _: f"{BEGIN}\n{section.strip()}\n{END}", text)
