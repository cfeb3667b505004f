"""Very many hostile inputs for each surface of the library.

    python -m tests.fuzz.marathon                                        # 50,000 cases for each surface
    python -m tests.fuzz.marathon --write                                # the counts go to results/marathon.{json,md}
    python -m tests.fuzz.marathon --only 'ids' --seed 1234 --cases 1     # one case again

A case is the surface and a seed.  Within each batch of cases time and memory are limited, every file that is opened is
noted, and afterwards all that is around the study has to be as it was before.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from signac_core import catalog
from tests.fuzz.damages import content
from tests.fuzz.limits import HangsError, limited
from tests.fuzz.study import Study, Surface
from tests.fuzz.surfaces import SURFACES

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
RESULTS = HERE / "results"
CASES = 50_000
SHARE = 1000
BATCH = 200
SECONDS = 10  # for a case
MEMORY = 1 << 28  # for a batch, beyond what there is before
FAILURES = 5  # that a share tells


@dataclass
class Outcome:
    """What came of a share of the cases of a surface."""

    surface: str
    first: int  # seed
    cases: int = 0
    refused: int = 0
    seconds: float = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    def fail(self, seed: str, what: str) -> None:
        self.failed += 1
        if len(self.failures) < FAILURES:
            self.failures.append(f"surface {self.surface!r}, seed {seed}: {what}")


# what may be opened ---------------------------------------------------------------------------------------------------

_private: tuple[str, ...] = ()
_trespasses: list[str] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _private and event in ("open", "os.listdir", "os.scandir", "os.readlink"):
        path = arguments[0]
        if isinstance(path, (str, bytes)):
            real = os.path.realpath(os.fsdecode(path))
            if real.startswith(_private):
                _trespasses.append(f"{event} {real}")


sys.addaudithook(_note)


@contextmanager
def watched(study: Study) -> Iterator[list[str]]:
    """Context manager for a list that takes all that is opened and is none of our business."""
    global _private
    _trespasses.clear()
    _private = (str(study.place / "canary"), str(study.place.parent / "canary"), "/etc")
    try:
        yield _trespasses
    finally:
        _private = ()


# carrying out ---------------------------------------------------------------------------------------------------------


@contextmanager
def prepared(above: Path) -> Iterator[Study]:
    """Context manager for a study in an empty directory, and for a process that sees nothing else."""
    (above / "home").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAC_")}
    environment["HOME"] = str(above / "home")
    directory = os.getcwd()
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(os, "fsync"),  # nobody switches the power off
    ):
        study = Study(above / "around")
        os.chdir(study.root)
        try:
            with mock.patch.object(catalog, "MANY_FILES", 0):  # the index is worth while for few jobs, too
                yield study
        finally:
            os.chdir(directory)


def surroundings(study: Study) -> dict[str, tuple[Any, ...]]:
    inside = ("place/study", "place/scratch")
    return {path: what for path, what in content(study.place.parent).items() if not path.startswith(inside)}


def run_share(study: Study, surface: Surface, seeds: range) -> Outcome:
    """Run cases, batch by batch."""
    outcome = Outcome(surface.name, seeds.start)
    began = time.monotonic()
    before = surroundings(study)
    for start in range(seeds.start, seeds.stop, BATCH):
        batch = range(start, min(start + BATCH, seeds.stop))
        with warnings.catch_warnings(action="ignore"), watched(study) as trespasses, limited(SECONDS, MEMORY):
            for seed in batch:
                _run_case(study, surface, seed, outcome)
        where = f"{batch.start}-{batch.stop - 1}"
        if trespasses:
            outcome.fail(where, f"opened: {trespasses[:5]}")
        if surroundings(study) != before:
            outcome.fail(where, "something around the study was changed")
        study.restore()
        if content(study.root) != study.content:
            outcome.fail(where, "the study was changed")
    outcome.seconds = time.monotonic() - began
    return outcome


def _run_case(study: Study, surface: Surface, seed: int, outcome: Outcome) -> None:
    signal.alarm(SECONDS)
    outcome.cases += 1
    try:
        outcome.refused += surface.run(study, seed)
    except (Exception, HangsError) as error:
        outcome.fail(str(seed), "".join(traceback.format_exception(error, limit=-6)))


_stack = ExitStack()
_study: Study | None = None


def _begin(scratch: str) -> None:
    """Set up a process for shares."""
    global _study
    _study = _stack.enter_context(prepared(Path(tempfile.mkdtemp(dir=scratch))))


def _carry_out(name: str, seeds: range) -> Outcome:
    assert _study is not None
    return run_share(_study, SURFACES[name], seeds)


def carry_out(names: Sequence[str], first: int, cases: int, processes: int) -> Iterator[Outcome]:
    """Run cases of surfaces, in several processes; yield what comes of each share when it is there."""
    shares = [
        (name, range(start, min(start + SHARE, first + cases)))
        for name in names
        for start in range(first, first + cases, SHARE)
    ]
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as scratch,
        ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(scratch,)) as pool,
    ):
        futures = {pool.submit(_carry_out, *share): share for share in shares}
        for future in as_completed(futures):
            name, seeds = futures[future]
            try:
                yield future.result()
            except BrokenProcessPool:
                outcome = Outcome(name, seeds.start)
                outcome.fail(
                    f"{seeds.start}-{seeds.stop - 1}", "a process of the pool has died, in this share or another"
                )
                yield outcome


# reporting ------------------------------------------------------------------------------------------------------------


def totals(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """The sums of each surface."""
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        total = found.setdefault(outcome.surface, Outcome(outcome.surface, outcome.first))
        total.first = min(total.first, outcome.first)
        total.cases += outcome.cases
        total.refused += outcome.refused
        total.seconds += outcome.seconds
        total.failed += outcome.failed
    return {name: found[name] for name in SURFACES if name in found}


def table(outcomes: Sequence[Outcome]) -> str:
    """The counts, as Markdown."""
    lines = ["| surface | cases | refused | seconds | failures |", "|---|---:|---:|---:|---:|"]
    for total in totals(outcomes).values():
        counts = f"{total.cases:,} | {total.refused:,} | {total.seconds:.0f} | {total.failed}"
        lines.append(f"| {total.surface} | {counts} |")
    return "\n".join(lines) + "\n"


def commit() -> str:
    """The hash of the commit, if there is one."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    except OSError:
        return ""
    return found.stdout.strip()


def write(outcomes: Sequence[Outcome]) -> None:
    """Keep the counts, with the versions that they belong to; those of surfaces that were not run stay."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "marathon.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    for total in totals(outcomes).values():
        kept[total.surface] = {
            "commit": commit(),
            "python": platform.python_version(),
            "first seed": total.first,
            "cases": total.cases,
            "refused": total.refused,
            "seconds": round(total.seconds, 1),
            "failures": total.failed,
        }
    kept = {name: kept[name] for name in SURFACES if name in kept}
    file.write_text(json.dumps(kept, indent=1) + "\n")
    lines = ["| surface | cases | refused | seconds | failures | commit |", "|---|---:|---:|---:|---:|---|"]
    for name, row in kept.items():
        numbers = f"{row['cases']:,} | {row['refused']:,} | {row['seconds']:.0f} | {row['failures']}"
        lines.append(f"| {name} | {numbers} | {row['commit'][:8]} |")
    (RESULTS / "marathon.md").write_text("\n".join(["# Random input", "", *lines]) + "\n")


def main() -> int:
    """Run the surfaces that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES, help="for each surface (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="REGEX", help="surfaces whose names match")
    parser.add_argument("--processes", type=int, default=2, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="keep the counts in tests/fuzz/results")
    options = parser.parse_args()
    names = [name for name in SURFACES if re.search(options.only, name)]
    outcomes = []
    for outcome in carry_out(names, options.seed, options.cases, options.processes):
        outcomes.append(outcome)
        print(f"{outcome.cases:>6} {outcome.seconds:6.1f} s  {outcome.surface}, from seed {outcome.first}", flush=True)
        for failure in outcome.failures:
            print("FAILED: " + failure, flush=True)
    print(table(outcomes))
    if options.write:
        write(outcomes)
    return int(any(outcome.failed for outcome in outcomes) or not outcomes)


if __name__ == "__main__":
    sys.exit(main())
