"""The same kill points and the same crowd with signac 2.4.1, to see what the promises are worth.

    python -m tests.faults.compare [--python PATH] [--processes 8] [--steps 100] [--write]

signac 2.4.1 runs as it is, in an environment of its own (the one of `tests/peer`).  The operations are those of the
library that both have; each is killed before each of its system calls, as in `scenario.py`, and what it leaves is
judged by what a user would notice.  Nothing is asserted here: the answer is a table.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.faults import crowd, scenarios
from tests.faults.harness import Harness
from tests.faults.inventory import inventory_of
from tests.faults.scenario import FAULTS, Scenario, Trial
from tests.faults.shim import HERE, build_shim
from tests.support.environments import environment

RESULTS = HERE / "results" / "peer.md"

SETUP = """
import os
import signac
from signac import sync
import filecmp, gzip, shutil, tarfile, tempfile, zipfile
"""

PROJECT = "project = signac.get_project('project')\n"
OTHER = "other = signac.get_project('other')\n"
CHOSEN = "for job in list(project.find_jobs({'a': 1})):\n"

OPERATIONS = [
    Scenario(name="init", operation=PROJECT + "project.open_job({'a': 9}).init()", prepare=scenarios.one_project),
    Scenario(
        name="document write", operation=PROJECT + CHOSEN + "    job.doc.n['y'] = 2", prepare=scenarios.one_project
    ),
    Scenario(
        name="buffered documents",
        operation=PROJECT + "with signac.buffered():\n    for job in project:\n        job.doc.n['y'] = 2",
        prepare=scenarios.one_project,
    ),
    Scenario(name="state point change", operation=PROJECT + CHOSEN + "    job.sp.a = 9", prepare=scenarios.one_project),
    Scenario(name="remove", operation=PROJECT + CHOSEN + "    job.remove()", prepare=scenarios.one_project),
    Scenario(name="clear", operation=PROJECT + CHOSEN + "    job.clear()", prepare=scenarios.one_project, unit="file"),
    Scenario(name="reset", operation=PROJECT + CHOSEN + "    job.reset()", prepare=scenarios.one_project, unit="file"),
    Scenario(
        name="move",
        operation=PROJECT + OTHER + CHOSEN + "    job.move(other)",
        prepare=scenarios.two_projects,
        moves=True,
    ),
    Scenario(
        name="clone",
        operation=PROJECT + OTHER + "for job in project:\n    if job not in other:\n        other.clone(job)",
        prepare=scenarios.two_projects,
    ),
    Scenario(
        name="sync",
        operation=PROJECT + "project.sync(signac.get_project('source'), strategy=sync.FileSync.always, recursive=True, "
        "check_schema=False, doc_sync=sync.DocSync.ByKey(lambda key: True))",
        prepare=scenarios.overlapping_projects,
        unit="file",
    ),
    Scenario(
        name="export to a directory",
        operation=PROJECT + "project.export_to('out', path='a/{a}')",
        prepare=scenarios.two_projects,
    ),
    Scenario(name="export to zip", operation=PROJECT + "project.export_to('out.zip')", prepare=scenarios.two_projects),
    Scenario(
        name="import of a directory",
        operation=PROJECT + "project.import_from('origin')",
        prepare=scenarios._exported("origin"),
    ),
    Scenario(name="update_cache", operation=PROJECT + "project.update_cache()", prepare=scenarios.one_project),
]

LOOK = """
for name in ('project', 'other'):
    if os.path.isdir(os.path.join(name, '.signac')):
        project = signac.get_project(name)
        for job in project.find_jobs({'a.$gte': 0}):
            job.sp(), job.doc()
        project.check()
"""
"""What a user does next: a query with a look at everything it finds, and a check."""

COLUMNS = {
    "half": "half a job, a torn file, or visible litter",
    "lost": "data of a job lost",
    "query": "next query or check fails",
    "again": "run again, it fails",
    "unfinished": "run again, the work is not done",
}


class Census(Trial):
    """A trial that counts what is broken and goes on."""

    def count(self) -> Counter[str]:
        """Kill the operation at each of its calls; count the points, and at how many of them what was broken."""
        found: Counter[str] = Counter()
        for k in itertools.count(1):
            self._start()
            result = self._run(self.scenario.operation, FAULTS["kill"](k))
            if self._is_beyond(result):
                return found
            found["points"] += 1
            now = inventory_of(self._directory)
            with _counted(found, "half"):
                self._is_old_or_new(now)
            with _counted(found, "lost"):
                self._is_conserved(now)
            found["query"] += not self._run(LOOK).completed
            again = self._run(self.scenario.operation)
            found["again"] += not again.completed
            if again.completed:
                with _counted(found, "unfinished"):
                    self._is_done(inventory_of(self._directory))
        raise AssertionError("unreachable")

    def _judge_undisturbed(self, result: object) -> None:
        """Nothing is expected."""


@contextlib.contextmanager
def _counted(found: Counter[str], what: str) -> Iterator[None]:
    try:
        yield
    except AssertionError:
        found[what] += 1


def kill_points(harness: Harness, setup: str) -> dict[str, Counter[str]]:
    """What is broken after a kill, by operation."""
    counts = {}
    for scenario in OPERATIONS:
        with Census(harness, replace(scenario, setup=setup)) as census:
            counts[scenario.name] = census.count()
        print(f"{scenario.name}: {dict(counts[scenario.name])}", flush=True)
    return counts


CROWD_COLUMNS = (
    "lost key",
    "lost job",
    "doubled job",
    "lost data",
    "damaged job",
    "damaged document",
    "wrong answer",
    "failed query",
    "failed operation",
)


def table(points: dict[str, dict[str, Counter[str]]], crowds: dict[str, crowd.Verdict], made_up: crowd.Crowd) -> str:
    """Both programs beside each other, as Markdown."""
    names = list(points)
    lines = [
        "# Killed, and crowded",
        "",
        "Each operation was killed (SIGKILL) before each of its file system calls in turn. At how many points:",
        "",
        "| operation | program | points | " + " | ".join(COLUMNS.values()) + " |",
        "|---|---|---:|" + "---:|" * len(COLUMNS),
    ]
    for operation in points[names[0]]:
        for name in names:
            count = points[name][operation]
            cells = [f"{count[column] or ''}" for column in COLUMNS]
            lines.append(f"| {operation} | {name} | {count['points']} | " + " | ".join(cells) + " |")
    for name in names:
        total = Counter[str]()
        for count in points[name].values():
            total.update(count)
        cells = [f"{total[column]}" for column in COLUMNS]
        lines.append(f"| **all** | {name} | {total['points']} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"A crowd of {made_up.processes} processes, {made_up.steps} operations each, on the same three projects "
        "(`crowd_worker.py` has the operations).  How often:",
        "",
        "| program | steps | " + " | ".join(CROWD_COLUMNS) + " |",
        "|---|---:|" + "---:|" * len(CROWD_COLUMNS),
    ]
    for name, verdict in crowds.items():
        cells = [f"{len(verdict.violations.get(kind, []))}" for kind in CROWD_COLUMNS]
        lines.append(f"| {name} | {verdict.steps} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def interpreter() -> str:
    """The interpreter with signac 2.4.1 that the tests of `tests/peer` use; made if need be."""
    return str(environment("peer-venv", ["signac==2.4.1", "numpy", "h5py"]))


def main() -> None:
    """Compare the two programs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default="", help="an interpreter that has signac 2.4.1")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--write", action="store_true", help=f"keep the table in results/{RESULTS.name}")
    options = parser.parse_args()
    peer = options.python or interpreter()
    made_up = crowd.Crowd(processes=options.processes, steps=options.steps, seed=1)
    points, crowds = {}, {}
    with tempfile.TemporaryDirectory() as place:
        os.environ["HOME"] = place
        shim = build_shim(Path(place))
        for name, python in (("signac 2.4.1", peer), ("this project", "")):
            print(f"== {name}", flush=True)
            scratch = Path(place, name.replace(" ", "-"))
            scratch.mkdir()
            with Harness(shim, scratch, python=python) as harness:
                points[name] = kill_points(harness, SETUP)
            crowds[name] = crowd.run(replace(made_up, python=python), scratch / "crowd", shim)
            print({kind: len(found) for kind, found in crowds[name].violations.items()}, flush=True)
    text = table(points, crowds, made_up)
    print(text)
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
