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
from pathlib import Path

from . import environments
from .environments import BUILD, DATA, IN_MEMORY, ROOT
from .projects import WARM, Space, remove
from .timing import Failed, Sample, last_line, traced
from .workloads import Workload, floor_code

HERE = Path(__file__).resolve().parent
SCRATCH = DATA / "scratch"
ON_DISK = BUILD / "scratch"
DELAY = 500
"""Microseconds by which the simulated network delays each call on metadata."""

OURS, PEER, FLOOR = "ours", "peer", "floor"


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
    _spaces: dict[tuple[str, int], Space] = field(default_factory=dict)
    _shim: Path | None = None

    def __post_init__(self) -> None:
        """Make the directory below which runs may write."""
        for place in (SCRATCH, ON_DISK):
            remove(place)  # of an interrupted run
            place.mkdir(parents=True)

    def space(self, name: str, size: int) -> Space:
        """The project of a name and size."""
        key = (name, size)
        if key not in self._spaces:
            update = {
                program: (lambda project, path=path: self._update_cache(path, project))
                for program, path in self.programs.items()
            }
            self._spaces[key] = Space(size, update, name)
        return self._spaces[key]

    def close(self) -> None:
        """Leave the projects as they were generated."""
        for space in self._spaces.values():
            space.close()
        remove(DATA if IN_MEMORY else SCRATCH)

    def release(self, size: int) -> None:
        """The projects of a size are not needed any more."""
        for key in [key for key in self._spaces if key[1] == size]:
            self._spaces.pop(key).close()

    @staticmethod
    def _update_cache(programs: Path, project: Path) -> None:
        command: list[str | Path] = [programs / "python", "-I", HERE / "inside.py", "warm_up"]
        done = subprocess.run(
            command, cwd=project, env=environments.clean_environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise Failed(f"update_cache: {last_line(done.stderr)}")

    def _python(self, program: str) -> Path:
        return self.programs.get(program, self.programs[OURS]) / "python"

    def prepare(self, workload: Workload, state: str, size: int, program: str) -> tuple[list[str | Path], Path]:
        """Bring the project into its state; return the command to run, and in which directory.

        Raises
        ------
        Failed
            There is no such floor, or a program could not write its caches.
        """
        name, _, copy = workload.project.partition(" ")
        space = self.space(name, size)
        space.put(state, program)
        place = Path(tempfile.mkdtemp(dir=SCRATCH))
        directory = space.directory
        if copy:
            directory = place / "copy"
            space.copy(directory)
        words: dict[str, object] = {"run": place, "disk": tempfile.mkdtemp(dir=ON_DISK), "count": size}
        if any("{twin}" in word for word in workload.arguments):
            twin = self.space("twin", size)
            twin.put(WARM, program)
            words["twin"] = twin.directory
        arguments = workload.floor_in(state) if program == FLOOR else workload.arguments
        if arguments is None:
            raise Failed("no floor")
        if workload.group == "commands":
            if program == FLOOR:
                return [self._python(OURS), "-I", "-c", floor_code(arguments)], directory
            return [self.programs[program] / "signac", *arguments], directory
        return [self._python(program), "-I", HERE / "inside.py", *[_fill(word, words) for word in arguments]], directory

    def run(self, workload: Workload, state: str, size: int, program: str, *, network: bool = False) -> Sample:
        """Run a workload, or its floor, once."""
        command, directory = self.prepare(workload, state, size, program)
        environment = environments.clean_environment()
        if network:
            environment |= self._network()
        if workload.group == "commands":
            sample = self._launch(command, directory, environment)
        else:
            done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise Failed(last_line(done.stderr))
            answer = last_json(done.stdout)
            seconds, peak, cpu = (float(answer[name]) for name in ("seconds", "peak", "cpu"))  # type: ignore[arg-type]
            sample = Sample(seconds, peak / 1024, answer["result"], cpu)
        self._clean(workload, directory)
        return sample

    @staticmethod
    def _clean(workload: Workload, directory: Path) -> None:
        """Remove what a run has written."""
        for place in [*SCRATCH.iterdir(), *ON_DISK.iterdir()]:
            remove(place)
        if workload.new_job:
            remove(directory / "workspace" / workload.new_job)

    def calls(self, workload: Workload, state: str, size: int, program: str) -> float:
        """Count the calls on files that one operation makes."""
        command, directory = self.prepare(workload, state, size, program)
        library = workload.group == "library"
        environment = environments.clean_environment()
        count = traced(command, directory, BUILD / "trace", environment, between_marks=library)
        self._clean(workload, directory)
        return count / (size if workload.operations == "jobs" else int(workload.operations))

    def _launch(self, command: list[str | Path], directory: Path, environment: Mapping[str, str]) -> Sample:
        output = BUILD / "output"
        launcher = [self._python(OURS), "-I", "-S", HERE / "launch.py", output, *command]
        done = subprocess.run(
            launcher, cwd=directory, env=environment, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        seconds, peak, status, cpu = done.stdout.split()
        if int(status):
            raise Failed(last_line(output.with_name("output.err").read_text(errors="replace")))
        return Sample(float(seconds), int(peak) / 1024, digest(output), float(cpu))

    def _network(self) -> dict[str, str]:
        """The variables that make the files of all projects slow to reach."""
        path = ROOT / "tests" / "faults" / "shim.py"
        spec = importlib.util.spec_from_file_location("shim", path)
        assert spec is not None
        assert spec.loader is not None
        shim = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(shim)
        if self._shim is None:
            self._shim = shim.build_shim(BUILD)
        fault = shim.Fault(delay_us=DELAY)
        return {"LD_PRELOAD": str(self._shim), "SHIM_ROOT": os.path.realpath(DATA), **fault.environment()}


def _fill(word: str, words: Mapping[str, object]) -> str:
    for name, value in words.items():
        word = word.replace(f"{{{name}}}", str(value))
    return word
