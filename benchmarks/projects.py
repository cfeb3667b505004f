"""The projects that both programs work on, and the states of their caches.

There is one project of each size. Before each run its caches are put into the state that the workload asks for, each
program finding those that it wrote itself:

* cold: none;
* warm: as the program's own `update_cache`, and one query of documents, left them;
* 1 % new: as in warm, but since then jobs have been added.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from . import generator
from .environments import DATA, LARGE_DATA

COLD, WARM, NEW = "cold", "warm", "1 % new"
SETTLED = 11.0
"""Seconds after which a change is old enough for a cache to trust what it saw then."""

IN_DATA = 200_000
"""Projects with more jobs are always on the disk, and are kept."""

UpdateCache = Callable[[Path], object]


class Space:
    """A project on disk, and what the caches of each program look like.

    Parameters
    ----------
    size
        The number of its jobs.
    update_cache
        By the name of a program, how to let it write its caches.
    name
        Sets apart projects of the same size.
    """

    def __init__(self, size: int, update_cache: Mapping[str, UpdateCache], name: str = "jobs") -> None:
        self.size = size
        self.home = (LARGE_DATA if size > IN_DATA else DATA) / f"{name}-{size}"
        self.directory = self.home / "project"
        self._update_cache = update_cache
        self._changed = 0.0
        self._snapshots: set[str] = set()
        self._newcomers: list[str] = []
        self._generate(name)

    def _generate(self, name: str) -> None:
        """Write the project, unless it is there from an earlier run and whole."""
        complete = self.home / "complete"
        if complete.exists() and complete.read_text() == str(generator.VERSION):
            self._remove_leftovers()
            return
        remove(self.home)
        if name == "document":
            generator.write_single_job_project(self.directory)
        else:
            generator.write_project(self.directory, self.size)
        self._changed = time.time()
        complete.write_text(str(generator.VERSION))

    def _remove_leftovers(self) -> None:
        """Remove the jobs that an interrupted run has left."""
        self._newcomers = [name for name in self._ids_of_newcomers() if (self._workspace / name).exists()]
        if self._newcomers:
            self._remove_newcomers()

    @property
    def _workspace(self) -> Path:
        return self.directory / "workspace"

    def _ids_of_newcomers(self) -> list[str]:
        numbers = range(self.size, self.size + self.size // 100)
        return [generator.job_id(generator.state_point(number, self.size)) for number in numbers]

    def _remove_newcomers(self) -> None:
        for name in self._newcomers:
            shutil.rmtree(self._workspace / name)
        self._newcomers = []
        os.utime(self._workspace, (generator.DATE, generator.DATE))
        self._changed = time.time()
        self._snapshots.clear()  # they describe the workspace as it was before

    def _settle(self) -> None:
        time.sleep(max(0.0, self._changed + SETTLED - time.time()))

    def put(self, state: str, program: str) -> None:
        """Bring the project into a state, with the caches of one program, or of none if it is not known."""
        if state != NEW and self._newcomers:
            self._remove_newcomers()
        if state != COLD:
            for writer in [name for name in self._update_cache if name not in self._snapshots]:
                self._make_snapshot(writer)
        if state == NEW and not self._newcomers:
            numbers = range(self.size, self.size + self.size // 100)
            self._newcomers = generator.write_jobs(self.directory, numbers, self.size)
            self._changed = time.time()
        self._settle()
        self._clear_caches()
        if state != COLD and program in self._snapshots:
            for file in (self.home / program).iterdir():
                shutil.copy2(file, self.directory / ".signac")

    def _clear_caches(self) -> None:
        for file in (self.directory / ".signac").iterdir():
            if file.name != "config":
                remove(file)

    def _make_snapshot(self, program: str) -> None:
        self._settle()
        self._clear_caches()
        self._update_cache[program](self.directory)
        target = self.home / program
        remove(target)
        shutil.copytree(self.directory / ".signac", target, ignore=shutil.ignore_patterns("config"))
        self._snapshots.add(program)

    def copy(self, target: Path) -> None:
        """Copy the project, dates and all, without its caches."""
        subprocess.run(["cp", "-a", self.directory, target], check=True)
        for file in (target / ".signac").iterdir():
            if file.name != "config":
                remove(file)

    def close(self) -> None:
        """Leave the project as it was generated."""
        if self._newcomers:
            self._remove_newcomers()
        self._clear_caches()


def remove(path: Path) -> None:
    """Delete a file, or a directory with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
