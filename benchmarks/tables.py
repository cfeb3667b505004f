"""From measurements to tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .reasons import reason
from .targets import Verdict, verdicts, workload_of
from .workload import CALLS

Row = Mapping[str, Any]
Cells = dict[str, str]

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


def name_of(row: Row) -> str:
    """The workload of a row with its state, if it has more than one."""
    workload = workload_of(row)
    return f"{row['workload']}, {row['state']}" if len(workload.states) > 1 else row["workload"]


def _both(row: Row, what: str, form: Callable[[float | None], str]) -> str:
    """A figure of signac 2.4.1 and of this program."""
    return " / ".join(form(row[name][what]) if row[name] else "-" for name in ("peer", "ours"))


def _figure(row: Row, name: str) -> str:
    if row[name]:
        return duration(row[name]["s"])
    if name in row.get("failures", {}):
        return "failed"
    return "none" if name == "peer" and workload_of(row).peer is None else ""


def _ratio(row: Row, over: str, under: str) -> str:
    return number(row[over]["s"] / row[under]["s"]) if row[over] and row[under] else ""


def told(found: Sequence[Verdict]) -> str:
    """Whether all of several targets were met; of those that were not, what was measured."""
    missed = [verdict for verdict in found if not verdict.met]
    if not missed:
        return "yes" if found else ""
    texts = [f"{number(verdict.floor)} x floor" if verdict.floor else number(verdict.value) for verdict in missed]
    return ", ".join(texts) if all(verdict.floor for verdict in missed) else "no: " + ", ".join(texts)


def columns_of_times(group: str, row: Row, smaller: Row | None = None) -> Cells:
    """One line of a table of times."""
    found = [verdict for _, verdict in verdicts(group, row, smaller)]
    return {
        "workload": name_of(row),
        "shape": row["shape"],
        "jobs": f"{row['jobs']:,}",
        "peer": _figure(row, "peer"),
        "ours": _figure(row, "ours"),
        "peer / ours": _ratio(row, "peer", "ours"),
        "floor": _figure(row, "floor"),
        "ours / floor": _ratio(row, "ours", "floor"),
        "CPU s, peer / ours": _both(row, "cpu", number),
        "MB, peer / ours": _both(row, "mb", number),
        "noise": f"{row['noise']:.0%}",
        "target": ", ".join(str(verdict.target) for verdict in found),
        "met": told(found),
    }


def columns_of_growth(row: Row, smaller: Row) -> Cells:
    """One line of the table of peaks of memory with 100,000 jobs and with a million."""
    few, many = smaller["ours"], row["ours"]
    return {
        "workload": name_of(row),
        "peer MB, 100,000": number(smaller["peer"]["mb"]) if smaller["peer"] else "",
        "peer MB, a million": number(row["peer"]["mb"]) if row["peer"] else "",
        "ours MB, 100,000": number(few["mb"]) if few else "",
        "ours MB, a million": number(many["mb"]) if many else "",
        "ratio": number(many["mb"] / few["mb"]) if few and many else "",
    }


def columns_of_slower(group: str, row: Row) -> Cells:
    """One line of the table of what signac 2.4.1 does faster."""
    peer, ours = row["peer"]["s"], row["ours"]["s"]
    within = ours <= peer * (1 + row["noise"])
    return {
        "group": group,
        "workload": name_of(row),
        "shape": row["shape"],
        "jobs": f"{row['jobs']:,}",
        "peer": duration(peer),
        "ours": duration(ours),
        "peer / ours": number(peer / ours),
        "noise": f"{row['noise']:.0%}",
        "reason": "within the noise" if within else reason(group, f"{row['workload']}, {row['state']}"),
    }


def columns_of_calls(row: Row) -> Cells:
    """One line of the table of system calls."""
    found = [verdict for _, verdict in verdicts(CALLS, row, None)]
    return {
        "operation": name_of(row),
        "shape": row["shape"],
        "jobs": f"{row['jobs']:,}",
        "peer": number(row["peer"]),
        "ours": number(row["ours"]),
        "target": ", ".join(str(verdict.target) for verdict in found),
        "met": told(found),
    }


def table(cells: Sequence[Cells]) -> str:
    """Cells as a Markdown table."""
    if not cells:
        return ""
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
