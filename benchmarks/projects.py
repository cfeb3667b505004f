"""The projects that both programs work on, and the states of their caches.

There is one project of each shape and size. Before each run its caches are put into the state that the workload asks
for, each program finding those that it wrote itself:

* cold: none;
* documents new: as the program's own `update_cache` left them;
* warm: as in "documents new" and after one query of documents;
* 1 % new: as in warm, but since then jobs have been added.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from . import generator
from .environments import DATA, IN_MEMORY, LARGE_DATA
from .shapes import SHAPES, Shape

COLD, FIRST, WARM, NEW = "cold", "documents new", "warm", "1 % new"
SETTLED = 11.0
"""Seconds after which a change is old enough for a cache to trust what it saw then."""

IN_DATA = 200_000
"""Projects with more jobs are always on the disk, and are kept, with the caches that programs have written."""


class Caches:
    """How a program writes its caches.

    Parameters
    ----------
    update
        How to let it write those of state points.
    query
        How to let it ask for documents.
    recipe
        What it is made of: caches of another version are not taken for its own.
    """

    def __init__(
        self, update: Callable[[Path], object], query: Callable[[Path], object] = lambda _: None, recipe: str = ""
    ) -> None:
        self.steps = {FIRST: update, WARM: query}
        self.recipe = recipe


class Space:
    """A project on disk, what the caches of each program look like, and what floors read.

    Parameters
    ----------
    shape
        The name of the shape of its state points, or of another kind of project.
    size
        The number of its jobs.
    caches
        By the name of a program, how it writes its caches.
    place
        The directory of all projects, unless this one is large.
    twin
        Whether it is the second of two equal projects.
    """

    def __init__(
        self, shape: str, size: int, caches: Mapping[str, Caches], place: Path = DATA, *, twin: bool = False
    ) -> None:
        self.shape, self.size = SHAPES.get(shape), size
        name = f"{shape.replace(' ', '-')}-{size}{'-twin' if twin else ''}"
        self.home = (LARGE_DATA if size > IN_DATA else place) / name
        self.directory = self.home / "project"
        self.data = self.home / "data"
        self._caches = caches
        self._changed = 0.0
        self._snapshots: set[str] = set()
        self._newcomers: list[str] = []
        self._generate(shape)

    # --- jobs ---

    def _generate(self, kind: str) -> None:
        """Write the project, unless it is there from an earlier run and whole."""
        complete = self.home / "complete"
        if not complete.exists() or complete.read_text() != str(generator.VERSION):
            remove(self.home)
            generator.write(self.directory, kind, self.size)
            self._changed = time.time()
            complete.write_text(str(generator.VERSION))
        self._remove_leftovers()
        if self.shape is not None and not (self.data / "ids").exists():
            write_data(self.data, self.shape, self.size)

    def _remove_leftovers(self) -> None:
        """Remove the jobs that an interrupted run has left."""
        self._newcomers = [name for name in self._ids_of_newcomers() if (self._workspace / name).exists()]
        if self._newcomers:
            self._remove_newcomers()

    @property
    def _workspace(self) -> Path:
        return self.directory / "workspace"

    def _numbers_of_newcomers(self) -> range:
        return range(self.size, self.size + self.size // 100)

    def _ids_of_newcomers(self) -> Iterator[str]:
        if self.shape is not None:
            for number in self._numbers_of_newcomers():
                yield generator.job_id(self.shape.state_point(number, self.size))

    def _add_newcomers(self) -> None:
        assert self.shape is not None
        self._newcomers = generator.write_jobs(self.directory, self.shape, self._numbers_of_newcomers(), self.size)
        self._changed = time.time()

    def _remove_newcomers(self) -> None:
        for name in self._newcomers:
            shutil.rmtree(self._workspace / name)
        self._newcomers = []
        os.utime(self._workspace, (generator.DATE, generator.DATE))
        self._changed = time.time()
        self._snapshots.clear()  # they describe the workspace as it was before

    # --- caches ---

    def put(self, state: str, program: str) -> None:
        """Bring the project into a state, with the caches of one program, or of none if it is not known."""
        if state != NEW and self._newcomers:
            self._remove_newcomers()
        if state != COLD:
            for writer in [name for name in self._caches if name not in self._snapshots]:
                self._make_snapshots(writer)
        if state == NEW and not self._newcomers:
            self._add_newcomers()
        time.sleep(max(0.0, self._changed + SETTLED - time.time()))
        self._clear_caches()
        if state != COLD and program in self._snapshots:
            for file in self._snapshot(program, FIRST if state == FIRST else WARM).iterdir():
                shutil.copy2(file, self.directory / ".signac")

    def _clear_caches(self) -> None:
        for file in (self.directory / ".signac").iterdir():
            if file.name != "config":
                remove(file)

    def _snapshot(self, program: str, state: str) -> Path:
        """Where the caches of a program are kept."""
        return self.home / f"{program}-{state.replace(' ', '-')}"

    def _make_snapshots(self, program: str) -> None:
        """Let a program write its caches, unless they are there from an earlier run on the same project."""
        made, recipe = self.home / f"{program}-made", self._recipe(program)
        if not (self.size > IN_DATA and made.exists() and made.read_text() == recipe):
            time.sleep(max(0.0, self._changed + SETTLED - time.time()))
            self._clear_caches()
            for state, step in self._caches[program].steps.items():
                step(self.directory)
                target = self._snapshot(program, state)
                remove(target)
                shutil.copytree(self.directory / ".signac", target, ignore=shutil.ignore_patterns("config"))
            made.write_text(recipe)
        self._snapshots.add(program)

    def _recipe(self, program: str) -> str:
        """What the caches depend on: the program, and the workspace as it is."""
        now = self._workspace.stat()
        return f"{now.st_ino} {now.st_mtime_ns} {now.st_ctime_ns}\n{self._caches[program].recipe}"

    def copy(self, target: Path) -> None:
        """Copy the project, dates and all, without its caches."""
        subprocess.run(["cp", "-a", self.directory, target], check=True)
        for file in (target / ".signac").iterdir():
            if file.name != "config":
                remove(file)

    def close(self) -> None:
        """Leave the project as it was generated; a small one in memory makes room for the next."""
        if IN_MEMORY and self.home.is_relative_to(DATA):
            remove(self.home)
            return
        if self._newcomers:
            self._remove_newcomers()
        self._clear_caches()


def write_data(directory: Path, shape: Shape, size: int) -> None:
    """Write what floors read: ids, and lines of JSON, of all jobs and of those that filters match."""
    directory.mkdir(exist_ok=True)
    names = ("states", "documents", "column", "document-column", "some", "some-states", "some-documents", "tenth")
    text = shape.key("text")
    with ExitStack() as stack:
        files = {name: stack.enter_context(open(directory / name, "w")) for name in names}
        last = stack.enter_context(open(directory / "ids.new", "w"))
        for number in range(size):
            values, document = shape.state_point(number, size), generator.document(number, size)
            name, few = generator.job_id(values), number % 100
            last.write(f"{name}\n")
            lines = {"states": json.dumps(values), "documents": json.dumps(document)}
            lines |= {"column": json.dumps({text: values[text]})}
            lines |= {"document-column": json.dumps({"status": document["status"]})}
            if few == 42:
                lines |= {"some": name, "some-states": lines["states"], "some-documents": lines["documents"]}
            if few < 10:
                lines["tenth"] = name
            for file, line in lines.items():
                files[file].write(f"{line}\n")
    os.replace(directory / "ids.new", directory / "ids")


def remove(path: Path) -> None:
    """Delete a file, or a directory with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
