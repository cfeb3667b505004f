"""Everything that the fault tests can do, or a part of it that changes with the commit.

    python -m tests.faults.torture                      # a part: SIGNAC_FAULT_PART (such as 3/7), or by the commit
    python -m tests.faults.torture --part all --write   # all of it; the counts go to results/torture.{json,md}
    python -m tests.faults.torture --part all --only "state point change"

A *unit* of work is a scenario with a fault of one kind at each of its system calls, a crowd, or a file of tests.  Which
units belong to a part is decided by their place in the list alone, so that a part is the same wherever it is run, and
all parts together are everything.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import crowd
from tests.faults.harness import Harness
from tests.faults.scenario import FAULTS, Trial
from tests.faults.scenarios import SCENARIOS
from tests.faults.shim import HERE, REPOSITORY, build_shim

PARTS = 7
KILLS = ("kill", "torn write")
PROCESSES = 16
STEPS = 500
CROWDS = {
    "all well": {},
    "members killed": {"kills": 2},
    "locks refused": {"locks": "refused"},
    "locks ignored": {"locks": "ignored"},
    "locks ignored, members killed": {"locks": "ignored", "kills": 2},
}
SEEDS = range(5)
RESULTS = HERE / "results"


@dataclass(frozen=True, slots=True)
class Unit:
    """Something to be done.

    Parameters
    ----------
    kind
        "points" (of `name` the scenario, `detail` the kind of fault), "crowd" (`detail` is the seed) or "tests".
    """

    kind: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.kind, self.name, self.detail]))


@dataclass(kw_only=True)
class Outcome:
    """What came of a unit."""

    unit: Unit
    count: int = 0  # of points, steps
    kills: int = 0
    told: int = 0
    seconds: float = 0
    failure: str = ""


@dataclass
class Report:
    """What came of all of them."""

    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, kind: str, *, details: Sequence[str] | None = None, name: str | None = None) -> int:
        """How many points or steps there were."""
        return sum(
            outcome.count
            for outcome in self.outcomes
            if outcome.unit.kind == kind
            and (details is None or outcome.unit.detail in details)
            and name in (None, outcome.unit.name)
        )

    @property
    def failures(self) -> list[Outcome]:
        """The units that failed."""
        return [outcome for outcome in self.outcomes if outcome.failure]


def units(steps: int = STEPS) -> list[list[Unit]]:
    """Everything there is to do, in a fixed order: points, crowds, tests.

    Parameters
    ----------
    steps
        Of each process of a crowd.
    """
    return [
        [Unit("points", name, kind) for name in SCENARIOS for kind in FAULTS],
        [Unit("crowd", name, f"{seed} {steps}") for seed in SEEDS for name in CROWDS],
        [Unit("tests", path.name) for path in sorted(HERE.glob("test_*promises.py"))],
    ]


def part_of(everything: Sequence[Sequence[Unit]], part: str) -> list[Unit]:
    """The units of a part: its share of each kind, but at least one.

    Parameters
    ----------
    everything
        All units.
    part
        "all", or a number and how many parts there are: "3/7".
    """
    if part == "all":
        return [unit for kind in everything for unit in kind]
    number, parts = map(int, part.split("/"))
    number %= parts
    return [unit for kind in everything for unit in kind[number::parts] or [kind[number % len(kind)]]]


def part_of_commit() -> str:
    """The part that SIGNAC_FAULT_PART names, or else the one that belongs to the commit."""
    named = os.environ.get("SIGNAC_FAULT_PART", "")
    if named:
        return named if named == "all" or "/" in named else f"{named}/{PARTS}"
    return f"{int(commit() or '0', 16) % PARTS}/{PARTS}"


def commit() -> str:
    """The hash of the commit, if there is one."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    except OSError:
        return ""
    return found.stdout.strip()


# carrying out ---------------------------------------------------------------------------------------------------------

_harness: Harness | None = None


def _begin(scratch: str) -> None:
    """Set up a process that carries out units."""
    for name in [name for name in os.environ if name.startswith(("SIGNAC_", "SHIM_"))]:
        del os.environ[name]
    place = Path(tempfile.mkdtemp(dir=scratch))
    home = place / "home"
    home.mkdir()
    os.environ["HOME"] = str(home)
    global _harness
    _harness = Harness(build_shim(place), place)


def _carry_out(unit: Unit) -> Outcome:
    assert _harness is not None
    outcome = Outcome(unit=unit)
    began = time.monotonic()
    try:
        if unit.kind == "points":
            with Trial(_harness, SCENARIOS[unit.name]) as trial:
                outcome.count = trial.every_point(unit.detail)
        elif unit.kind == "crowd":
            _let_loose(unit, outcome, _harness)
        else:
            _test(unit, outcome)
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        text = f"{type(error).__name__}: {error}\n{notes}"
        outcome.failure = text if isinstance(error, AssertionError) else traceback.format_exc()
    outcome.seconds = time.monotonic() - began
    return outcome


def _let_loose(unit: Unit, outcome: Outcome, harness: Harness) -> None:
    seed, steps = map(int, unit.detail.split())
    made_up = crowd.Crowd(processes=PROCESSES, steps=steps, seed=seed, **CROWDS[unit.name])
    place = harness.new_place()
    verdict = crowd.run(made_up, place, harness.shim)
    outcome.count, outcome.kills, outcome.told = verdict.steps, verdict.kills, verdict.told.total()
    outcome.failure = verdict.broken(locks=made_up.locks)
    if not outcome.failure:
        shutil.rmtree(place)


def _test(unit: Unit, outcome: Outcome) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE / unit.name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    outcome.failure = done.stdout[-20000:] if done.returncode else ""


def carry_out(chosen: Sequence[Unit], processes: int) -> Iterator[Outcome]:
    """Carry out units, several at a time; yield what comes of each when it is there."""
    with tempfile.TemporaryDirectory() as scratch:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(scratch,)) as pool:
            futures = {pool.submit(_carry_out, unit): unit for unit in chosen}
            for future in as_completed(futures):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield Outcome(unit=futures[future], failure="a process of the pool has been killed")


# reporting ------------------------------------------------------------------------------------------------------------


def table(report: Report) -> str:
    """The counts, as Markdown."""
    others = [kind for kind in FAULTS if kind not in KILLS]
    lines = [
        "# Fault tests",
        "",
        f"{report.count('points', details=KILLS):,} kill points, {report.count('points', details=others):,} fault "
        f"points, {report.count('crowd'):,} steps of crowds; {len(report.failures)} units failed.",
        "",
        "What is done at each system call that can fail in this way, and at how many there are:",
        "",
        "| scenario | " + " | ".join(FAULTS) + " |",
        "|---|" + "---:|" * len(FAULTS),
    ]
    for name in SCENARIOS:
        counts = [report.count("points", details=[kind], name=name) for kind in FAULTS]
        if any(counts):
            lines.append(f"| {name} | " + " | ".join(f"{count or ''}" for count in counts) + " |")
    totals = [report.count("points", details=[kind]) for kind in FAULTS]
    lines.append("| **all** | " + " | ".join(f"**{count:,}**" for count in totals) + " |")
    lines += [
        "",
        f"Crowds of {PROCESSES} processes:",
        "",
        "| crowd | steps | members killed | others were faster | promises broken |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in CROWDS:
        found = [outcome for outcome in report.outcomes if outcome.unit.kind == "crowd" and outcome.unit.name == name]
        if found:
            sums = Counter[str]()
            for outcome in found:
                sums.update(steps=outcome.count, kills=outcome.kills, told=outcome.told, failed=bool(outcome.failure))
            lines.append(f"| {name} | {sums['steps']:,} | {sums['kills']} | {sums['told']:,} | {sums['failed']} |")
    return "\n".join(lines) + "\n"


def write(report: Report) -> None:
    """Keep the counts, with the versions that they belong to."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "torture.md").write_text(table(report))
    measured = {
        "commit": commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "points": {
            name: {kind: report.count("points", details=[kind], name=name) for kind in FAULTS} for name in SCENARIOS
        },
        "crowds": [
            {
                "name": outcome.unit.name,
                "seed": int(outcome.unit.detail.split()[0]),
                "steps": outcome.count,
                "kills": outcome.kills,
                "told": outcome.told,
                "broken": outcome.failure,
            }
            for outcome in sorted(report.outcomes, key=lambda outcome: str(outcome.unit))
            if outcome.unit.kind == "crowd"
        ],
        "tests": sorted(outcome.unit.name for outcome in report.outcomes if outcome.unit.kind == "tests"),
        "failed": sorted(str(outcome.unit) for outcome in report.failures),
    }
    (RESULTS / "torture.json").write_text(json.dumps(measured, indent=1) + "\n")


def main() -> int:
    """Run the units of a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=part_of_commit(), help="such as 3/7, or all (default: %(default)s)")
    parser.add_argument("--only", default="", help="units whose name contains this text")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each process of a crowd (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="units at a time (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="keep the counts in tests/faults/results")
    options = parser.parse_args()
    chosen = [unit for unit in part_of(units(options.steps), options.part) if options.only in str(unit)]
    print(f"Part {options.part}: {len(chosen)} units.", flush=True)
    report = Report()
    began = time.monotonic()
    for outcome in carry_out(chosen, options.processes):
        report.outcomes.append(outcome)
        print(f"{outcome.count or '':>6} {outcome.seconds:6.1f} s  {outcome.unit}", flush=True)
        if outcome.failure:
            print("FAILED: " + outcome.failure, flush=True)
    print(table(report))
    print(f"{time.monotonic() - began:.0f} s")
    for outcome in report.failures:
        print(f"FAILED: {outcome.unit}")
    if options.write:
        write(report)
    return int(bool(report.failures))


if __name__ == "__main__":
    sys.exit(main())
