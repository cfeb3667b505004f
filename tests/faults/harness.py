"""Runs an operation with a fault at each of its file system calls in turn.

An *operation* is a Python snippet or an argument list.  It runs with a project directory as its working directory,
under the shim (`shim.c`), which numbers its file system calls below that directory from 1.

    def prepare(directory):
        (directory / "a").write_text("old")

    def check(directory, result):
        assert (directory / "a").read_text() == ("new" if result.completed else "old")

    harness.every_kill_point("open('b', 'w').write('new'); os.replace('b', 'a')", prepare, check, setup="import os")

`prepare` fills the directory once; each point starts from a fresh copy of it at the same path.  `check` is called after
each point with the directory and the result of the run, the last time after an undisturbed run.  Kill points 1 to n + 1
of an operation of n calls show every state that it can leave.

Snippets run in children forked from a warm interpreter that has executed `setup` (the imports) once.  Measured on
2 cores and ext4, a point costs 5 to 8 ms: 3 ms to start, run and collect the child, the rest to copy a project of
eleven files.  A fresh interpreter, as an argument list, costs 18 ms more, plus its imports.
"""

import contextlib
import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.children import Child, Operation, Result, Warm
from tests.faults.shim import UNDISTURBED, Call, Fault, HarnessError, build_shim

__all__ = ["Call", "Child", "Fault", "Harness", "HarnessError", "Result", "Warm", "build_shim"]

Prepare = Callable[[Path], object]
Check = Callable[[Path, Result], object]
CheckBoth = Callable[[Path, Result, Result], object]


class Harness:
    """Runs operations under the shim.

    Parameters
    ----------
    shim
        The library, as `build_shim` returns it.
    scratch
        A directory for copies of projects and for what the runs print.
    timeout
        Seconds after which an operation that does not end is killed and reported.
    python
        An interpreter with a signac of its own, to run the operations with.
    """

    def __init__(self, shim: Path, scratch: Path, *, timeout: float = 60, python: str = "") -> None:
        self.shim = shim
        self.scratch = Path(os.path.realpath(scratch))
        self.timeout = timeout
        self.python = python
        self._warm: dict[str, Warm] = {}
        self._places = (self.scratch / f"place-{n}" for n in itertools.count(1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the warm interpreters."""
        while self._warm:
            self._warm.popitem()[1].close()

    def new_place(self) -> Path:
        """A path in the scratch directory that nothing has used yet."""
        return next(self._places)

    def lay_out(self, template: Path, directory: Path) -> None:
        """Put a fresh copy of a template in the place of what is left of the last one."""
        self.clear(directory)
        copy_tree(template, directory)

    def clear(self, directory: Path) -> None:
        """Delete what `lay_out` has put there, and what has become of it."""
        if directory.exists():
            shutil.rmtree(directory)

    def run(
        self,
        operation: Operation,
        root: Path,
        fault: Fault = UNDISTURBED,
        *,
        trace: bool = False,
        setup: str = "",
        env: Mapping[str, str] | None = None,
        watched: Path | None = None,
    ) -> Result:
        """Run an operation once.

        Parameters
        ----------
        operation
            A Python snippet, run in a child of a warm interpreter, or a list of arguments, run as a command.
        root
            The directory that is watched and in which the operation runs.
        fault
            What is done to it.
        trace
            Whether to record the calls.
        setup
            Code that the warm interpreter has executed before; the snippet sees its names.
        env
            Environment variables to set for the operation.  PYTHONPATH starts with the repository unless set here.
        watched
            The directory that is watched, if it is another one than the one that the operation runs in.
        """
        files = self.scratch / "first"
        files.mkdir(exist_ok=True)
        child = self._start(operation, root, fault, files=files, trace=trace, setup=setup, env=env, watched=watched)
        while child.stopped:
            child.resume()
        return child.result()

    def count_calls(
        self, operation: Operation, root: Path, *, setup: str = "", env: Mapping[str, str] | None = None
    ) -> Counter[str]:
        """Run an operation once and count its calls by name."""
        result = self.run(operation, root, trace=True, setup=setup, env=env)
        self._expect_success(result)
        return Counter(result.names)

    def every_kill_point(
        self,
        operation: Operation,
        prepare: Prepare,
        check: Check,
        *,
        calls: tuple[str, ...] = (),
        setup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Kill the operation before each of its calls in turn, and check what it leaves.

        Parameters
        ----------
        operation, setup, env
            See `run`.
        prepare
            Fills the directory that the operation starts from.
        check
            Called with the directory and the result of each run; raises if a promise is broken.
        calls
            The names of the calls to kill it at (none named: all).

        Returns
        -------
        int
            The number of calls.
        """
        return self._every_point(
            lambda k: Fault(kill_at=k, calls=calls), operation, prepare, check, setup=setup, env=env
        )

    def every_fail_point(
        self,
        operation: Operation,
        prepare: Prepare,
        check: Check,
        *,
        errno: int,
        times: int | None = 1,
        calls: tuple[str, ...] = (),
        setup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Make each call of the operation fail in turn, and check what it leaves and says.

        Parameters are those of `every_kill_point`, and `errno` and `times` those of `Fault`.
        """
        return self._every_point(
            lambda k: Fault(fail_at=k, errno=errno, times=times, calls=calls),
            operation,
            prepare,
            check,
            setup=setup,
            env=env,
        )

    def every_short_point(
        self,
        operation: Operation,
        prepare: Prepare,
        check: Check,
        *,
        calls: tuple[str, ...] = ("read", "write", "sendfile", "copy_file_range"),
        setup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Let each transfer of the operation in turn move only half of its bytes.  See `every_kill_point`."""
        return self._every_point(
            lambda k: Fault(short_at=k, calls=calls), operation, prepare, check, setup=setup, env=env
        )

    def every_torn_write(
        self,
        operation: Operation,
        prepare: Prepare,
        check: Check,
        *,
        calls: tuple[str, ...] = ("write", "sendfile", "copy_file_range"),
        setup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Kill the operation in the middle of each of its writes in turn.  See `every_kill_point`."""
        return self._every_point(
            lambda k: Fault(tear_at=k, calls=calls), operation, prepare, check, setup=setup, env=env
        )

    def every_interleaving(
        self,
        first: Operation,
        second: Operation,
        prepare: Prepare,
        check: CheckBoth,
        *,
        calls: tuple[str, ...] = (),
        setup: str = "",
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Stop one operation before each of its calls in turn, and run another one meanwhile.

        Where the second cannot go on because the first has a lock (flock), the first goes on, and the other way round:
        the outcome does not depend on time.

        Parameters
        ----------
        first
            The operation that is stopped.
        second
            The operation that is run meanwhile; at the last point it runs after the first.
        check
            Called with the directory and the results of both.
        prepare, calls, setup, env
            See `every_kill_point`.
        """

        def run_both(directory: Path, k: int) -> tuple[Result, ...]:
            stop = Fault(stop_at=k, stop_when_locked=True, calls=calls)
            places = [self.scratch / name for name in ("first", "second")]
            for place in places:
                place.mkdir(exist_ok=True)
            one = self._start(first, directory, stop, files=places[0], setup=setup, env=env)
            while one.stopped and not one.fired:
                one.resume()
            other = self._start(second, directory, replace(stop, stop_at=0), files=places[1], setup=setup, env=env)
            for _ in range(1000):
                for child in (one, other):
                    if child.stopped:
                        child.resume()
                if not (one.stopped or other.stopped):
                    return one.result(), other.result()
            raise HarnessError("the operations wait for each other's locks")

        return self._points(run_both, prepare, check)

    def _every_point(
        self,
        fault_at: Callable[[int], Fault],
        operation: Operation,
        prepare: Prepare,
        check: Check,
        *,
        setup: str,
        env: Mapping[str, str] | None,
    ) -> int:
        def run_one(directory: Path, k: int) -> tuple[Result, ...]:
            return (self.run(operation, directory, fault_at(k), trace=True, setup=setup, env=env),)

        return self._points(run_one, prepare, check)

    def _points(
        self, run: Callable[[Path, int], tuple[Result, ...]], prepare: Prepare, check: Callable[..., object]
    ) -> int:
        """Run and check point after point, until the operation ends before the point is reached."""
        with self._directory(prepare) as (template, directory):
            for k in itertools.count(1):
                self.lay_out(template, directory)
                results = run(directory, k)
                if not results[0].fired:
                    for result in results:
                        self._expect_success(result)
                    if k == 1:
                        raise HarnessError("the operation makes no call that could be disturbed")
                try:
                    check(directory, *results)
                except BaseException as error:
                    error.add_note(describe(k, results))
                    raise
                if not results[0].fired:
                    return k - 1
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _directory(self, prepare: Prepare) -> Iterator[tuple[Path, Path]]:
        """A template and the place of its copies: where it was prepared, in case that it holds its own path."""
        place = self.new_place()
        directory = place / "project"
        directory.mkdir(parents=True)
        try:
            prepare(directory)
            template = place / "template"
            directory.rename(template)
            yield template, directory
        finally:
            self.clear(directory)
            shutil.rmtree(place)

    def _start(
        self,
        operation: Operation,
        root: Path,
        fault: Fault,
        *,
        files: Path,
        setup: str,
        env: Mapping[str, str] | None,
        trace: bool = True,
        watched: Path | None = None,
    ) -> Child:
        warm = self._warm.get(setup)
        if warm is None or not warm.alive:
            warm = self._warm[setup] = Warm(self.shim, setup, self.scratch / "warm.log", self.timeout, self.python)
        return Child(warm, files, operation, Path(os.path.realpath(root)), fault, env or {}, trace, watched)

    @staticmethod
    def _expect_success(result: Result) -> None:
        if not result.completed:
            raise HarnessError(f"undisturbed, the operation ended with {result.returncode}:\n{result.stderr}")


def copy_tree(source: Path, copy: Path) -> None:
    """Copy a directory; the times of links do not matter, which sshfs cannot set where a link leads nowhere."""
    try:
        shutil.copytree(source, copy, symlinks=True)
    except shutil.Error as error:
        if not all(os.path.islink(path) for _, path, _ in error.args[0]):
            raise


def describe(k: int, results: Sequence[Result]) -> str:
    """What happened at a point, for the report of a failed check."""
    lines = [f"at point {k}:"]
    for result in results:
        lines.append(f"  ended with {result.returncode}" + (f": {result.error}" if result.error else ""))
        lines += [f"    {call}" for call in result.calls[-40:]]
        lines += [f"  disturbed: {call}" for call in result.calls if call.action != "-"]
    return "\n".join(lines)
