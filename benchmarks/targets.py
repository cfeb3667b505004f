"""What is to be reached, line by line: on which rows, and how a row is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .projects import COLD, FIRST, NEW, WARM
from .workload import (
    CALLS,
    COMMANDS,
    LARGE,
    LIBRARY,
    LOOPS,
    MEMORY,
    MILLION,
    NETWORK,
    SIZES,
    Workload,
)
from .workloads import BY_NAME

Row = Mapping[str, Any]

BIG = SIZES[-1:]
SMALL = SIZES[:2]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that a row is to reach.

    Parameters
    ----------
    of
        "peer": how many times faster than signac 2.4.1 at least; "floor": how many times the floor at most; "same": as
        fast as signac 2.4.1, but for the noise of the row (and the limit times its seconds); "cpu": CPU seconds at
        most; "cpu and stats": besides 1.2 times those of the floor; "MB": peak of memory at most; "growth": how many
        times the peak of memory with 100,000 jobs at most; "calls": calls on files for each job at most.
    limit
        The number.
    """

    of: str
    limit: float

    def __str__(self) -> str:
        texts = {
            "peer": "{} x peer",
            "floor": "{} x floor",
            "same": "not slower",
            "cpu": "{} s of CPU",
            "cpu and stats": "{} s of CPU + 1.2 x stats",
            "MB": "{} MB",
            "growth": "{} x MB at 100,000",
            "calls": "{} calls per job",
        }
        return texts[self.of].format(f"{self.limit:g}")


@dataclass(frozen=True, slots=True)
class Line:
    """What all rows of some kinds are to reach.

    Parameters
    ----------
    title
        What a summary calls it.
    targets
        What each row is to reach, all of it.
    groups, kinds, states, sizes
        Which rows these are; no kinds: all.
    """

    title: str
    targets: tuple[Target, ...]
    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = (WARM,)

    def covers(self, group: str, workload: Workload, state: str, size: int) -> bool:
        """Whether it is about a row."""
        return (
            group in self.groups
            and (workload.kind in self.kinds or not self.kinds)
            and state in self.states
            and (size in self.sizes or not self.sizes)
        )


BOTH = (COMMANDS, LIBRARY)
MILLIONS = ((MILLION,), (LARGE,))
BY_DOCUMENTS = ("ids by documents", "call by documents")
BY_STATE_POINTS = ("ids", "values", "1 %", "lines", "best", "schema -f", "shown", "call", "groupby")
WITH_DOCUMENTS = (
    *BY_DOCUMENTS,
    "documents",
    "shown with documents",
    "best by documents",
    "groupby by documents",
    "frame",
)
QUICK = ("ids", "values", "schema -f", "call", "groupby", "groupby by documents", *BY_DOCUMENTS)

LINES = [
    Line("1M: 1 % shown as JSON, lines, table", (Target("cpu", 0.6), Target("MB", 150)), *MILLIONS, ("1 %",)),
    Line(
        "1M: sort with a limit, groupby, schema with a filter",
        (Target("cpu", 1.0), Target("MB", 300)),
        *MILLIONS,
        ("best", "groupby", "schema -f"),
    ),
    Line(
        "1M: ... by keys of documents",
        (Target("cpu and stats", 1.0), Target("MB", 300)),
        *MILLIONS,
        ("best by documents", "groupby by documents"),
    ),
    Line(
        "1M: all jobs as lines",
        (Target("floor", 2.0), Target("MB", 200), Target("growth", 1.2)),
        *MILLIONS,
        ("lines",),
    ),
    Line("1M: update-cache, cold", (Target("floor", 3.0), Target("MB", 500)), *MILLIONS, ("update",), (COLD,)),
    Line("1M: first query of documents", (Target("floor", 3.0), Target("MB", 500)), *MILLIONS, BY_DOCUMENTS, (FIRST,)),
    Line("1M: query of documents again", (Target("floor", 1.2),), *MILLIONS, BY_DOCUMENTS),
    Line("100k, warm: queries and reads", (Target("peer", 5.0),), BOTH, BIG, QUICK),
    Line("100k, warm: data frames", (Target("peer", 4.0), Target("floor", 3.0)), BOTH, BIG, ("frame",)),
    Line("100k, warm: whole documents", (Target("peer", 3.0),), BOTH, BIG, ("documents",)),
    Line(
        "100k, warm: find --sp, --table, -s, diff, check",
        (Target("floor", 3.0),),
        BOTH,
        BIG,
        ("shown", "shown with documents", "check"),
    ),
    Line("100k, 1 % new", (Target("peer", 5.0),), BOTH, BIG, ("ids", "call", "groupby"), (NEW,)),
    Line("100k, library, cold", (Target("peer", 3.0),), (LIBRARY,), BIG, ("call", "groupby"), (COLD,)),
    Line("1k, 10k: not slower than signac 2.4.1", (Target("same", 0.0),), BOTH, SMALL, (), (COLD, FIRST, WARM)),
    Line("loops, local: not slower", (Target("same", 0.0),), (LOOPS,), (), ("read", "write", "loop"), (COLD, WARM)),
    Line("init, clone, export, import", (Target("floor", 2.5),), (*BOTH, LOOPS), (), ("copies", "init"), (COLD,)),
    Line("move, rm, view, sync, tar files", (Target("peer", 2.0),), BOTH, SMALL, ("copy", "sync"), (COLD,)),
    Line("0.5 ms: single reads, init", (Target("peer", 1.5),), (NETWORK,), (), ("read", "init"), (COLD, WARM)),
    Line("0.5 ms: writes", (Target("peer", 0.9),), (NETWORK,), (), ("write",), (COLD, WARM)),
    Line("0.5 ms: queries, warm", (Target("peer", 5.0),), (NETWORK,), BIG, QUICK),
    Line("10k, warm: no file of each job is read", (Target("calls", 0.5),), (CALLS,), SMALL[1:], BY_STATE_POINTS),
    Line(
        "10k, warm: ... but for a stat of each document", (Target("calls", 1.3),), (CALLS,), SMALL[1:], WITH_DOCUMENTS
    ),
    Line("HDF5, local", (Target("peer", 1.0),), (LOOPS,), (), ("hdf5",), (COLD,)),
    Line("2,000 different keys at 100k", (Target("MB", 150),), (MEMORY,), BIG, ("many keys",)),
    Line("start-up", (Target("peer", 3.0),), (COMMANDS,), (), ("start",), (COLD,)),
    Line("start-up of --version", (Target("peer", 4.0),), (COMMANDS,), (), ("start of Python",), (COLD,)),
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a row fares with one target.

    Parameters
    ----------
    target
        The target.
    value
        What was measured: to be compared with the limit.
    met
        Whether it was reached.
    floor
        How many times the floor it takes where the floor alone takes longer than the target allows.
    """

    target: Target
    value: float
    met: bool
    floor: float | None = None

    @property
    def distance(self) -> float:
        """How far from the limit it is: more than 1 is not met."""
        if self.target.of in ("peer", "same"):
            return (self.target.limit or 1.0) / self.value
        return self.value / self.target.limit


def lines_of(group: str, row: Row) -> list[Line]:
    """The lines that are about a row."""
    workload = workload_of(row)
    return [line for line in LINES if line.covers(group, workload, row["state"], row["jobs"])]


def workload_of(row: Row) -> Workload:
    """What a row is about."""
    return BY_NAME[row["of"], row["workload"]]


def verdicts(group: str, row: Row, smaller: Row | None) -> Iterator[tuple[Line, Verdict]]:
    """How a row fares with all that it is to reach; what could not be measured is left out.

    Parameters
    ----------
    group, row
        The row, and the group that it stands in.
    smaller
        The same with 100,000 jobs.
    """
    for line in lines_of(group, row):
        for target in line.targets:
            verdict = judge(target, row, smaller)
            if verdict is not None:
                yield line, verdict


def judge(target: Target, row: Row, smaller: Row | None) -> Verdict | None:
    """How a row fares with a target; None if what it is compared with was not measured."""
    if row["ours"] is None:
        return None
    if target.of in ("peer", "same"):
        return _compared(target, row) if row["peer"] else None
    value = _value(target, row, smaller)
    return None if value is None else Verdict(target, value, value <= target.limit)


def _compared(target: Target, row: Row) -> Verdict:
    """How many times faster than signac 2.4.1 a row is."""
    peer, ours, floor = row["peer"]["s"], row["ours"]["s"], row["floor"]
    limit = target.limit or 1.0
    margin = row["noise"] if target.of == "same" else 0.0
    beyond = floor is not None and peer / floor["s"] < limit
    return Verdict(target, peer / ours, peer / ours * (1 + margin) >= limit, ours / floor["s"] if beyond else None)


def _value(target: Target, row: Row, smaller: Row | None) -> float | None:
    """What is compared with the limit of a target; the more, the worse."""
    ours, floor = row["ours"], row.get("floor")
    match target.of:
        case "calls":
            return float(ours / row["jobs"])
        case "floor":
            return float(ours["s"] / floor["s"]) if floor else None
        case "cpu and stats":
            return max(0.0, float(ours["cpu"] - 1.2 * floor["cpu"])) if floor else None
        case "growth":
            return float(ours["mb"] / smaller["ours"]["mb"]) if smaller and smaller["ours"] else None
        case name:
            return float(ours[name.lower()])
