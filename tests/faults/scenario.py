"""What an operation promises at each of its system calls, and the trials that hold it to its word.

A `Scenario` is an operation and the files that it starts from.  A trial runs it once undisturbed, which tells what
there is *after* it, and then again and again from the same start with a fault at call 1, 2, 3, ... of the kind that the
trial is about.  Whatever the call and the fault,

1. everything visible is what it was before or what it is after: jobs as a whole (`unit="job"`) or at least each file;
2. the data of every job is still there, and if it is only moved, not twice;
3. queries give the answers that reading every file gives, and the cache file can be read;
4. `check` has nothing to say, or only what `check --repair` repairs without losing any of that;
5. an operation that has said nothing is done; one that failed says so in one line;
6. the operation run again finishes the work, and once nobody can be at work any more, `check --repair` leaves no
   hidden files behind either.

The start holds a directory `outside` that no operation has any business with, so that the first promise covers it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from signac_core import Project, layout
from signac_core.care import litter
from signac_core.care.integrity import check, examine, repair_problems
from tests.faults.harness import Fault, Harness, HarnessError, Result, copy_tree, describe
from tests.faults.inventory import (
    Inventory,
    by_job,
    damaged_caches,
    inventory_of,
    job_directories,
    leftovers,
    projects_in,
    tokens,
    wrong_answers,
)

# What asks the file system for room, what transfers, and what names a file.
ALLOCATING = ("open", "write", "mkdir", "rename", "symlink", "link", "fsync", "close", "copy_file_range", "sendfile")
TRANSFERRING = ("read", "write", "sendfile", "copy_file_range")
NAMING = (
    "open",
    "mkdir",
    "rename",
    "symlink",
    "link",
    "unlink",
    "rmdir",
    "stat",
    "lstat",
    "chmod",
    "utime",
    "readlink",
)
INTERRUPTIBLE = ("open", "read", "write", "flock", "fsync", "close", "sendfile", "copy_file_range")

FAULTS: dict[str, Callable[[int], Fault]] = {
    "kill": lambda k: Fault(kill_at=k),
    "torn write": lambda k: Fault(tear_at=k, calls=("write", "sendfile", "copy_file_range")),
    "ENOSPC": lambda k: Fault(fail_at=k, errno=errno.ENOSPC, calls=ALLOCATING),
    "EDQUOT from there on": lambda k: Fault(fail_at=k, errno=errno.EDQUOT, times=None, calls=ALLOCATING),
    "EIO": lambda k: Fault(fail_at=k, errno=errno.EIO),
    "EACCES": lambda k: Fault(fail_at=k, errno=errno.EACCES, calls=NAMING),
    "ESTALE": lambda k: Fault(fail_at=k, errno=errno.ESTALE),
    "EINTR": lambda k: Fault(fail_at=k, errno=errno.EINTR, calls=INTERRUPTIBLE),
    "short transfer": lambda k: Fault(short_at=k, calls=TRANSFERRING),
}
"""What is done at call k, by the name of the kind of trial.  Only the calls that can fail in this way are counted."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """An operation and what it starts from.

    Parameters
    ----------
    name
        What it is called in reports.
    operation
        A Python snippet that sees the names of `SETUP`.
    prepare
        Fills an empty directory.
    unit
        What is old or new as a whole.
    moves
        The data of a job is never in two places.
    again
        How the work is finished after a fault (default: by the operation).
    may_differ
        Paths that are neither old nor new in between, and are put right by finishing the work.
    may_be_left_empty
        Directories that are deleted when they are empty, but not by another run if the first was stopped before that.
    answers
        What the operation prints is right, or it fails.
    env
        Environment variables.
    setup
        Code that is executed once, before everything, instead of `SETUP`.
    """

    name: str
    operation: str
    prepare: Callable[[Path], object]
    unit: Literal["job", "file"] = "job"
    moves: bool = False
    again: str | None = None
    may_differ: tuple[str, ...] = ()
    may_be_left_empty: tuple[str, ...] = ()
    answers: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    setup: str = ""

    def __str__(self) -> str:
        return self.name


SETUP = """
import os
import signac_core
from signac_core import *
from signac_core import cache, catalog, configfile, cursor, finding, lifecycle, locks, mounts, stamps, sync, workspace
from signac_core.care import integrity, litter, migration
from signac_core.documents import buffer, editing, merging, statepoint, store, views
from signac_core.exchange import archives, copying, exporting, importing, links, moving, packing, tarheader, unpacking
from signac_core.exchange import views as linked_views
from signac_core.index import changes, documents, evaluation, peer_cache, refreshing, refreshing_documents
from signac_core.index import snapshot, table, writing
from signac_core.paths import naming, schemas, templates
from signac_core.survey import detecting, schema
from signac_core.sync import DocSync, FileSync, plan, work
import bz2, configobj, filecmp, gzip, lzma, orjson, tarfile, tempfile, zipfile, zlib
import signac_cli.app, signac_cli.output
from signac_cli.commands import check, clone, config, export, import_, init, job, migrate, move, rm, update_cache
from signac_cli.commands import document as document_command, sync as sync_command, view as view_command

def signac(*arguments):
    status = signac_cli.app.run(list(arguments))
    if status:
        raise SystemExit(status)

def index_soon():
    "Let few files be enough for a query to leave an index behind."
    finding._MANY_FILES_READ = snapshot.WORTHWHILE = documents._WORTHWHILE = 1
"""


class Trial:
    """A scenario and the place where it is tried.

    Parameters
    ----------
    harness
        Runs the operations.
    scenario
        The scenario.
    """

    def __init__(self, harness: Harness, scenario: Scenario) -> None:
        self._harness = harness
        self.scenario = scenario
        self._place = harness.new_place()
        self._template = self._place / "template"
        self._directory = self._place / "files"
        self._copy = self._place / "copy"

    def __enter__(self) -> Trial:
        try:
            self._directory.mkdir(parents=True)
            self.scenario.prepare(self._directory)
            (self._directory / "outside").mkdir()
            (self._directory / "outside" / "precious").write_text("not ours")
            self._directory.rename(self._template)
            self._start()
            self._before = inventory_of(self._directory)
            undisturbed = self._run(self.scenario.operation)
            self._is_beyond(undisturbed)
            self._said = undisturbed.stdout
            self._after = inventory_of(self._directory)
            self._jobs = job_directories(self._before, self._after)
            self._whole_before = by_job(self._before, self._jobs)
            self._whole_after = by_job(self._after, self._jobs)
            self._judge_undisturbed(undisturbed)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete everything."""
        self._harness.clear(self._directory)
        shutil.rmtree(self._place, ignore_errors=True)

    def every_point(self, kind: str, *, calls: tuple[str, ...] | None = None) -> int:
        """Disturb the operation at each of its calls in turn; return the number of calls.

        Parameters
        ----------
        kind
            A key of `FAULTS`.
        calls
            The names of the calls that are disturbed, if they are others than those that belong to that kind.
        """
        for k in itertools.count(1):
            self._start()
            fault = FAULTS[kind](k)
            result = self._run(self.scenario.operation, fault if calls is None else replace(fault, calls=calls))
            if self._is_beyond(result):
                return k - 1
            try:
                self._judge(result)
            except BaseException as error:
                error.add_note(f"{self.scenario}, {kind}: " + describe(k, [result]))
                raise
        raise AssertionError("unreachable")

    def _is_beyond(self, result: Result) -> bool:
        """Whether the operation has ended before the call that was to be disturbed."""
        if not result.fired and not result.completed:
            raise HarnessError(f"undisturbed, {self.scenario} ends with {result.returncode}:\n{result.stderr}")
        return not result.fired

    def _start(self) -> None:
        self._harness.lay_out(self._template, self._directory)

    def _run(self, operation: str, fault: Fault | None = None) -> Result:
        return self._harness.run(
            operation,
            self._directory,
            fault or Fault(),
            trace=fault is not None,
            setup=self.scenario.setup or SETUP,
            env=self.scenario.env,
        )

    def _judge_undisturbed(self, result: Result) -> None:
        """The operation itself, and that it can be run again."""
        self._judge(result)

    # what must hold ---------------------------------------------------------------------------------------------------

    def _judge(self, result: Result) -> None:
        now = inventory_of(self._directory)
        self._is_old_or_new(now)
        self._is_conserved(now)
        self._answers(self._directory)
        if result.completed:
            self._is_done(now)
            if self.scenario.answers:
                assert result.stdout == self._said
        elif result.returncode > 0:
            self._has_told(result)
        self._is_repaired_by_check()
        self._is_finished_by_another_run()

    def _has_told(self, result: Result) -> None:
        lines = result.stderr.splitlines()
        assert lines, "it failed without a word"
        if "signac(" in self.scenario.operation:
            assert "Traceback" not in result.stderr, result.stderr
            if result.returncode == 3:
                return  # the report is about what is left to do
            assert any(line.lower().startswith(("error", "warning")) for line in lines), result.stderr
        else:
            assert "Error" in lines[-1], result.stderr

    def _is_old_or_new(self, now: Inventory) -> None:
        for path in self._before.keys() | self._after.keys() | now.keys():
            content = now.get(path)
            if path in self.scenario.may_differ or content in (self._before.get(path), self._after.get(path)):
                continue
            raise AssertionError(f"'{path}' is neither old nor new: {content!r}")
        whole = by_job(now, self._jobs)
        for directory in sorted(self._jobs):
            found, before, after = whole[directory], self._whole_before[directory], self._whole_after[directory]
            if self.scenario.unit == "job":
                assert found in (before, after), f"half of job '{directory}': {sorted(found)}"
            elif found:
                path = f"{directory}/{layout.FN_STATE_POINT}"
                assert path in found, f"a job without a state point: '{directory}'"

    def _is_conserved(self, now: Inventory) -> None:
        before, after, found = tokens(self._before), tokens(self._after), tokens(now)
        for token in before.keys() & after.keys():
            assert found[token] > 0, f"{token!r} is lost"
            if self.scenario.moves:
                assert found[token] == 1, f"{token!r} is in {found[token]} places"

    def _is_done(self, now: Inventory) -> None:
        left = [
            f"  {path}: {now.get(path)!r} instead of {self._after.get(path)!r}"
            for path in sorted(now.keys() | self._after.keys())
            if now.get(path) != self._after.get(path)
            and not (path in self.scenario.may_be_left_empty and now.get(path) == "directory")
        ]
        assert not left, "\n".join(["it is said to be done, but", *left])

    @staticmethod
    def _answers(root: Path) -> None:
        assert not (wrong := [*damaged_caches(root), *wrong_answers(root)]), "\n".join(wrong)

    def _is_repaired_by_check(self) -> None:
        """In a copy, repair everything at once, as if the operation were never run again."""
        projects = projects_in(self._directory)
        if not any(list(examine(Project(path).space)) for path in projects):
            return
        if self._copy.exists():
            shutil.rmtree(self._copy)
        copy_tree(self._directory, self._copy)
        for path in projects:
            _repair(self._copy / path.relative_to(self._directory))
        now = inventory_of(self._copy)
        self._is_old_or_new(now)
        self._is_conserved(now)
        self._answers(self._copy)

    def _is_finished_by_another_run(self) -> None:
        again = self._run(self.scenario.again or self.scenario.operation)
        assert again.completed, f"another run ended with {again.returncode}:\n{again.stderr}"
        with _two_hours_later():
            for path in projects_in(self._directory):
                _repair(path)
                assert not leftovers(path / layout.CONFIG_DIRECTORY), leftovers(path)
                assert not leftovers(path / layout.WORKSPACE), leftovers(path)
        self._is_done(inventory_of(self._directory))
        self._answers(self._directory)


def _repair(path: Path) -> None:
    """Do what `check --repair` does, and make sure that nothing is left to do."""
    project = Project(path)
    left = [outcome for outcome in repair_problems(project.space, list(examine(project.space))) if not outcome.repaired]
    assert not left, f"not repaired: {left}"
    left_again = list(examine(Project(path).space))
    repair_problems(project.space, left_again)  # what a restored job leaves behind counts as litter
    assert not list(examine(Project(path).space))
    check(Project(path).space)


@contextlib.contextmanager
def _two_hours_later() -> Iterator[None]:
    now = litter._now
    litter._now = lambda: now() + 2 * litter.STALE_SECONDS
    try:
        yield
    finally:
        litter._now = now
