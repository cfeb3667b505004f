"""Running a workload with one of the programs, or its floor, once."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from . import environments, generator
from .environments import BUILD, DATA, IN_MEMORY, LARGE_DATA, ROOT
from .projects import WARM, Caches, Space, remove, write_data
from .shapes import KEYS, SHAPES
from .timing import Failed, Sample, last_line, traced
from .workload import LARGE, NETWORK, Words, Workload, fill

HERE = Path(__file__).resolve().parent
RUN, FLOORS = HERE / "inside" / "run.py", HERE / "inside" / "floors.py"
SCRATCH = DATA / "scratch"
ON_DISK = LARGE_DATA / "disk"
"""Projects that are to lie on a disk, and where what is done with projects on a disk writes."""

REHEARSED = 50
"""Jobs of the small projects on which library calls are rehearsed."""

DELAY = 500
"""Microseconds by which the simulated network delays each call on metadata."""

OURS, PEER, FLOOR = "ours", "peer", "floor"


@dataclass(frozen=True, slots=True)
class Task:
    """One row of a table: a workload in one state, on one project, in one of the ways to run it."""

    group: str
    workload: Workload
    state: str
    shape: str
    size: int

    def __str__(self) -> str:
        return f"{self.group} {self.workload.name}, {self.state}"


def last_json(text: str) -> dict[str, object]:
    """The object in the last line of an output."""
    return json.loads(text.splitlines()[-1])  # type: ignore[no-any-return]


def digest(output: Path) -> str:
    """What a command has printed, whatever the order of its lines."""
    lines = sorted(output.read_bytes().splitlines())
    hashed = hashlib.md5(b"\n".join(lines)).hexdigest()
    return f"{len(lines)} lines, {hashed}"


@dataclass(slots=True)
class Bench:
    """Everything that runs need.

    Parameters
    ----------
    programs
        The directories of the programs, by name.
    """

    programs: Mapping[str, Path]
    _spaces: dict[tuple[str, int, bool, Path], Space] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the directories below which runs may write."""
        for place in (SCRATCH, ON_DISK / "scratch"):
            remove(place)  # of an interrupted run
            place.mkdir(parents=True)

    def space(self, task: Task, *, twin: bool = False) -> Space:
        """The project that a task is about."""
        place = ON_DISK if task.workload.on_disk else DATA
        key = (task.shape, task.size, twin, place)
        if key not in self._spaces:
            caches = {name: self._caches(path) for name, path in self.programs.items()}
            self._spaces[key] = Space(task.shape, task.size, caches, place, twin=twin)
        return self._spaces[key]

    def close(self) -> None:
        """Leave the projects as they were generated."""
        for space in self._spaces.values():
            space.close()
        remove(DATA if IN_MEMORY else SCRATCH)
        remove(ON_DISK)

    def release(self, task: Task) -> None:
        """The projects of a shape and size are not needed any more."""
        for key in [key for key in self._spaces if key[:2] == (task.shape, task.size)]:
            self._spaces.pop(key).close()

    @staticmethod
    def _caches(programs: Path) -> Caches:
        def call(function: str, project: Path) -> None:
            command: list[str | Path] = [programs / "python", "-I", RUN, f"library.{function}"]
            environment = environments.clean_environment()
            done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise Failed(f"{function}: {last_line(done.stderr)}")

        def query(project: Path) -> None:
            if programs.parent.name != PEER:  # it keeps nothing of documents
                call("first_query_of_documents", project)

        return Caches(lambda project: call("update_cache", project), query, environments.recipe_of(programs))

    def _python(self, program: str) -> Path:
        return self.programs.get(program, self.programs[OURS]) / "python"

    def prepare(self, task: Task, program: str) -> tuple[list[str | Path], Path]:
        """Bring the project into its state; return the command to run, and in which directory.

        Raises
        ------
        Failed
            A program could not write its caches.
        """
        workload, space = task.workload, self.space(task)
        space.put(task.state, program)
        place = Path(tempfile.mkdtemp(dir=ON_DISK / "scratch" if space.home.is_relative_to(LARGE_DATA) else SCRATCH))
        directory = space.directory
        if workload.copy:
            directory = place / "copy"
            space.copy(directory)
        arguments = workload.floor_in(task.state) if program == FLOOR else workload.arguments
        if program == PEER and workload.peer:
            arguments = workload.peer
        words = self._words(task, program, place)
        filled = fill(arguments, words)
        if workload.elsewhere and program != FLOOR:
            directory = Path(str(words["empty"]))
        if workload.from_outside:
            if program == FLOOR:
                return [self._python(OURS), "-I", FLOORS, *filled], directory
            return [self.programs[program] / "signac", *filled], directory
        if program == FLOOR:
            return [self._python(program), "-I", RUN, f"floors.{filled[0]}", *filled[1:]], directory
        return [self._python(program), "-I", RUN, *filled[1:], *self._rehearsal(task, arguments, words)], directory

    @staticmethod
    def _rehearsal(task: Task, arguments: Words, words: dict[str, str | list[str]]) -> list[str | Path]:
        """The arguments that make a function go through the same with a small project first."""
        place = Path(str(words["run"])) / "rehearsal"
        (place / "run").mkdir(parents=True)
        for name in ("project", *(["twin"] if "twin" in words else [])):
            generator.write(place / name, task.shape, REHEARSED)
        if task.shape in SHAPES:
            write_data(place / "data", SHAPES[task.shape], REHEARSED)
        own: dict[str, str | list[str]] = {name: str(place / name) for name in ("run", "data", "project", "twin")}
        return ["--rehearsal", place / "project", *fill(arguments[2:], words | own)]

    def _words(self, task: Task, program: str, place: Path) -> dict[str, str | list[str]]:
        """What the words in the arguments of a workload stand for."""
        space, shape = self.space(task), SHAPES.get(task.shape)
        words: dict[str, str | list[str]] = {
            "run": str(place),
            "project": str(space.directory),
            "data": str(space.data),
            "empty": str(place / "empty"),
        }
        generator.write_empty_project(place / "empty")
        if shape is not None:
            words |= {role: shape.key(role) for role in KEYS}
            ids = [generator.job_id(shape.state_point(number, task.size)) for number in range(min(task.size, 20))]
            words |= {"id": ids[3], "prefix": ids[3][:12], "twenty": ids}
        if "<ids>" in task.workload.arguments:
            words["ids"] = sorted(os.listdir(space.directory / "workspace"))
        if any("<twin>" in word for word in task.workload.arguments):
            twin = self.space(task, twin=True)
            twin.put(WARM, program)
            words["twin"] = str(twin.directory)
        return words

    def run(self, task: Task, program: str) -> Sample:
        """Run a workload, or its floor, once."""
        command, directory = self.prepare(task, program)
        environment = environments.clean_environment()
        if task.group == NETWORK:
            environment |= network()
        try:
            if task.workload.from_outside:
                compared = task.workload.alike and task.size < LARGE and program != FLOOR
                return self._launch(command, directory, environment, compared=compared)
            return self._call(command, directory, environment)
        finally:
            self._clean(task.workload, directory)

    @staticmethod
    def _call(command: list[str | Path], directory: Path, environment: Mapping[str, str]) -> Sample:
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(last_line(done.stderr))
        answer = last_json(done.stdout)
        seconds, peak, cpu = (float(answer[name]) for name in ("seconds", "peak", "cpu"))  # type: ignore[arg-type]
        return Sample(seconds, peak / 1024, answer["result"], cpu)

    @staticmethod
    def _clean(workload: Workload, directory: Path) -> None:
        """Remove what a run has written."""
        for place in [*SCRATCH.iterdir(), *(ON_DISK / "scratch").iterdir()]:
            remove(place)
        if workload.new_job:
            remove(directory / "workspace" / workload.new_job)

    def calls(self, task: Task, program: str) -> float:
        """Count the calls on files that one operation makes."""
        command, directory = self.prepare(task, program)
        workload, environment = task.workload, environments.clean_environment()
        try:
            count = traced(command, directory, BUILD / "trace", environment, between_marks=not workload.from_outside)
        finally:
            self._clean(workload, directory)
        return count / (workload.operations or task.size)

    def _launch(
        self, command: list[str | Path], directory: Path, environment: Mapping[str, str], *, compared: bool
    ) -> Sample:
        output = DATA / "output"
        launcher = [self._python(OURS), "-I", "-S", HERE / "launch.py", output, *command]
        done = subprocess.run(
            launcher, cwd=directory, env=environment, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        seconds, peak, status, cpu = done.stdout.split()
        if int(status):
            raise Failed(last_line(output.with_name("output.err").read_text(errors="replace")))
        return Sample(float(seconds), int(peak) / 1024, digest(output) if compared else None, float(cpu))


@cache
def network() -> dict[str, str]:
    """The variables that make the files of all projects slow to reach."""
    spec = importlib.util.spec_from_file_location("shim", ROOT / "tests" / "faults" / "shim.py")
    assert spec is not None
    assert spec.loader is not None
    shim = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shim)
    fault = shim.Fault(delay_us=DELAY)
    return {"LD_PRELOAD": str(shim.build_shim(BUILD)), "SHIM_ROOT": os.path.realpath(DATA), **fault.environment()}
