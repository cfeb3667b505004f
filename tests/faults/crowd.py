"""A crowd: many processes that change the same projects at once, some of them killed, and what must hold in the end.

    python -m tests.faults.crowd --processes 16 --steps 500 --seed 1 [--kills 2] [--locks refused | ignored]

What the processes do is in `crowd_worker.py`.  The crowd is over when each of them has taken its steps.  Then there is
a verdict: what is on disk is compared with what the logs say was done.

* No key is lost: under each key is the value that was last written by its worker, or one that a worker was about to
  write when it was killed or told that the job has gone.
* No job is lost or doubled: residents and movers exist once, jobs of a worker exist as it left them.
* No query has failed, none has found a job twice or missed one that was there all the time.
* Every job is whole, and all its data is there; every document can be read.
* What is left behind is recognised by `check`, and if nobody was killed, nothing is left behind.

Where locks do not work, or exclude nobody, keys may be lost, and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signac_core import Project, layout, workspace
from signac_core.care import litter
from signac_core.care.integrity import check, examine, repair_problems
from signac_core.errors import JobsCorruptedError
from tests.faults import crowd_worker
from tests.faults.inventory import DATA, leftovers
from tests.faults.shim import HERE, Fault, build_shim, shim_environment

LONGEST = 3600.0
"""Seconds after which a crowd that does not end is given up."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """How a crowd is made up.

    Parameters
    ----------
    processes, steps
        The number of processes, and of operations of each.
    seed
        Decides which operations, and when processes are killed; not in which order they happen.
    kills
        How often each process is killed and started again.
    locks
        "" (they work), "refused" or "ignored".
    python
        The interpreter, whose `signac` is used; by default this one, with this project.
    """

    processes: int = 16
    steps: int = 100
    seed: int = 0
    kills: int = 0
    locks: str = ""
    python: str = ""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return ", ".join(
            filter(None, [f"locks {self.locks}" if self.locks else "locks work", "killed" if self.kills else ""])
        )


@dataclass(kw_only=True)
class Verdict:
    """What came of it.

    Parameters
    ----------
    steps
        The operations that were begun.
    kills
        The processes that were killed.
    seconds
        How long it took.
    told
        How often an operation was refused because another process was faster, by operation.
    violations
        Broken promises, by kind.
    """

    steps: int = 0
    kills: int = 0
    seconds: float = 0
    told: Counter[str] = field(default_factory=Counter)
    violations: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, what: str) -> None:
        """Note a violation."""
        self.violations.setdefault(kind, []).append(what)

    def broken(self, *, locks: str = "") -> str:
        """The promises that were broken, in words; empty if none was.

        Parameters
        ----------
        locks
            How locks behaved: without them keys may be lost.
        """
        excused = {"lost key", "litter"} if locks else set()
        return "\n".join(
            f"{kind} ({len(found)} times), such as: {found[0]}"
            for kind, found in sorted(self.violations.items())
            if kind not in excused
        )


def run(crowd: Crowd, place: Path, shim: Path) -> Verdict:
    """Let a crowd loose on new projects in an empty directory, and judge what it leaves.

    Parameters
    ----------
    crowd
        The crowd.
    place
        The directory.
    shim
        The library, as `build_shim` returns it.
    """
    root, logs = place / "root", place / "logs"
    for directory in (root, logs):
        directory.mkdir(parents=True)
    root = Path(os.path.realpath(root))
    started = time.monotonic()
    subprocess.run([*_program(crowd), root], check=True, env=shim_environment(shim, crowd.python))
    verdict = Verdict()
    lives = [_Lives(crowd, number, root, logs, shim) for number in range(crowd.processes)]
    try:
        while waiting := [life for life in lives if life.goes_on()]:
            waiting[0].wait(0.02)
            if time.monotonic() - started > LONGEST:
                verdict.add("hung", f"not finished after {LONGEST:g} s")
                break
    finally:
        for life in lives:
            life.end()
    verdict.kills = sum(life.kills for life in lives)
    _judge(crowd, root, logs, verdict)
    verdict.seconds = time.monotonic() - started
    return verdict


def _program(crowd: Crowd) -> list[str | Path]:
    return [crowd.python or sys.executable, "-P", HERE / "crowd_worker.py"]


class _Lives:
    """One worker, started again whenever it has been killed."""

    def __init__(self, crowd: Crowd, number: int, root: Path, logs: Path, shim: Path) -> None:
        self._log = logs / f"{number}.log"
        self._errors = logs / f"{number}.stderr"
        self._command = [*_program(crowd), root, self._log, str(number), str(crowd.seed), str(crowd.steps)]
        self._environment = shim_environment(shim, crowd.python) | {"SHIM_ROOT": str(root)}
        self._locks = crowd.locks
        self._random = random.Random(f"{crowd.seed} {number}")
        self._kills_left = crowd.kills
        self._farthest = crowd.steps * 20  # calls; more than a worker makes, so that it is killed most of the time
        self.kills = 0
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        kill_at = self._random.randrange(1, self._farthest) if self._kills_left else 0
        fault = Fault(kill_at=kill_at, locks=self._locks)
        with self._errors.open("ab") as errors:
            return subprocess.Popen(self._command, env=self._environment | fault.environment(), stderr=errors)

    def goes_on(self) -> bool:
        """Whether there is still something to wait for."""
        status = self._process.poll()
        if status is not None and status < 0 and self._kills_left:
            self._kills_left -= 1
            self.kills += 1
            self._process = self._start()
            return True
        return status is None

    def wait(self, seconds: float) -> None:
        """Wait for the end of the process, but not longer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def end(self) -> None:
        """Make sure that the process has ended."""
        self._process.kill()
        self._process.wait()


# the verdict ----------------------------------------------------------------------------------------------------------


def _judge(crowd: Crowd, root: Path, logs: Path, verdict: Verdict) -> None:
    acceptable: dict[tuple[str, str], list[Any]] = {}
    own: dict[str, bool | None] = {}
    for number in range(crowd.processes):
        log = logs / f"{number}.log"
        entries = crowd_worker.read_log(str(log))
        worker = _replayed(entries)
        verdict.steps += worker.steps
        acceptable.update(worker.acceptable)
        own.update(worker.own)
        _judge_log(number, entries, verdict, excused=("BufferedError",) if crowd.locks else ())
        if ["end"] not in entries:
            verdict.add("died", f"worker {number}: {(logs / f'{number}.stderr').read_text()[-500:]}")
    if crowd.kills == 0 and (left := leftovers(root)):
        verdict.add("litter", str(left))
    if not crowd.python:
        _repair(root, verdict)
    jobs = {name: _read_jobs(root / name, verdict) for name in "ABC"}
    _judge_jobs(jobs, own, verdict)
    _judge_documents(jobs, acceptable, verdict)


def _replayed(entries: list[list[Any]]) -> crowd_worker.Worker:
    """A worker that remembers what its log says."""
    worker = crowd_worker.Worker.__new__(crowd_worker.Worker)
    worker.steps, worker.acceptable, worker.own = 0, {}, {}
    for entry in entries:
        worker.remember(entry)
    return worker


def _judge_log(number: int, entries: list[list[Any]], verdict: Verdict, *, excused: tuple[str, ...]) -> None:
    """Errors that should not have been, and what the worker itself found to be wrong."""
    for entry in entries:
        if entry[0] == "wrong":
            kind, _, what = entry[1].partition(": ")
            verdict.add(kind, f"worker {number}: {what}")
        elif entry[0] == "error":
            _, name, kinds, text = entry
            if set(kinds) & {*crowd_worker.ALLOWED.get(name, ()), *excused}:
                verdict.told[name] += 1
            else:
                kind = "failed query" if name in crowd_worker.QUERIES else "failed operation"
                verdict.add(kind, f"worker {number}: {name}: {kinds[0]}: {text}")


def _repair(root: Path, verdict: Verdict) -> None:
    """Repair what the killed have left, two hours later."""
    now = litter._now
    litter._now = lambda: now() + 2 * litter.STALE_SECONDS
    try:
        for name in "ABC":
            project = Project(root / name)
            for _ in range(2):  # what a restored job leaves behind counts as litter
                for outcome in repair_problems(project.space, list(examine(project.space))):
                    if not outcome.repaired:
                        verdict.add("damaged job", f"{name}: {outcome}")
            with contextlib.suppress(JobsCorruptedError):
                check(Project(root / name).space)
                found, listed = Project(root / name).find_jobs({"kind.$exists": True}), _ids(root / name)
                if sorted(job.id for job in found) != listed:
                    verdict.add("wrong answer", f"{name}: the index says {sorted(map(str, found))}, there are {listed}")
            if left := leftovers(root / name):
                verdict.add("litter for ever", f"{name}: {left}")
    finally:
        litter._now = now


def _ids(project: Path) -> list[str]:
    return sorted(name for name in os.listdir(project / layout.WORKSPACE) if layout.is_job_id(name))


def _read_jobs(project: Path, verdict: Verdict) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
    """State point, document and data of each job of a project."""
    jobs = []
    for job_id in _ids(project):
        directory = project / layout.WORKSPACE / job_id
        try:
            state_point = workspace.read_state_point(str(directory), job_id)
        except JobsCorruptedError:
            verdict.add("damaged job", f"{project.name}/{job_id}: {sorted(os.listdir(directory))}")
            continue
        try:
            document = json.loads((directory / layout.FN_DOCUMENT).read_bytes())
        except FileNotFoundError:
            document = {}
        except ValueError as error:
            verdict.add("damaged document", f"{project.name}/{job_id}: {error}")
            continue
        data = directory / DATA
        jobs.append((state_point, document, data.read_text() if data.exists() else ""))
    return jobs


def _judge_jobs(
    jobs: Mapping[str, list[tuple[dict[str, Any], dict[str, Any], str]]],
    own: Mapping[str, bool | None],
    verdict: Verdict,
) -> None:
    for name, kind in (("A", "resident"), ("AB", "mover"), ("A", "own")):
        places = Counter(sp["uid"] for project in name for sp, _, _ in jobs[project] if sp["kind"] == kind)
        expected: dict[Any, bool | None] = dict(own)
        if kind == "resident":
            expected = dict.fromkeys(range(crowd_worker.RESIDENTS), True)
        elif kind == "mover":
            expected = {f"m{uid}": True for uid in range(crowd_worker.MOVERS)}
        for uid, exists in expected.items():
            if exists is not None and places[uid] != exists:
                verdict.add("doubled job" if places[uid] else "lost job", f"{uid} is in {places[uid]} places")
    for project, found in jobs.items():
        for state_point, document, text in found:
            if state_point["kind"] in ("resident", "mover"):
                if text != f"data of {state_point['uid']}":
                    verdict.add("lost data", f"{project}: {state_point}: {text!r}")
                if document.get("seed") != 1:
                    verdict.add("lost key", f"{project}: {state_point} has lost what was there from the beginning")


def _judge_documents(
    jobs: Mapping[str, list[tuple[dict[str, Any], dict[str, Any], str]]],
    acceptable: Mapping[tuple[str, str], list[Any]],
    verdict: Verdict,
) -> None:
    documents = {sp["uid"]: document for name in "AB" for sp, document, _ in jobs[name]}
    for (uid, key), values in acceptable.items():
        if uid not in documents:
            continue  # noted as lost already
        nested, _, name = key.rpartition(".")
        container = documents[uid].get(nested, {}) if nested else documents[uid]
        if container.get(name) not in values:
            verdict.add("lost key", f"{uid}: {key} is {container.get(name)}, not one of {values}")


def main() -> int:
    """Run a crowd from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("processes", 16), ("steps", 200), ("seed", 0), ("kills", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--locks", choices=("", "refused", "ignored"), default="")
    parser.add_argument("--python", default="", help="an interpreter that has another signac")
    crowd = Crowd(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as scratch:
        verdict = run(crowd, Path(scratch, "crowd"), build_shim(Path(scratch)))
    print(f"{verdict.steps} steps, {verdict.kills} kills, {verdict.seconds:.0f} s; told: {dict(verdict.told)}")
    for kind, found in verdict.violations.items():
        print(f"{kind}: {len(found)}", *found[:3], sep="\n    ")
    return int(bool(verdict.broken(locks=crowd.locks)))


if __name__ == "__main__":
    sys.exit(main())
