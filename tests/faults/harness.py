"""Runs an operation with a fault at each of its file system calls in turn.

An *operation* is a Python snippet or an argument list.  It runs with a project directory as its working directory, under the
shim (`shim.c`), which numbers its file system calls below that directory from 1.

>>> def prepare(directory): (directory / "a").write_text("old")
>>> def check(directory, result): assert (directory / "a").read_text() in ("old", "new")
>>> harness.every_kill_point("open('b', 'w').write('new'); os.replace('b', 'a')", prepare, check, setup="import os")

`prepare` fills the directory once; each point starts from a fresh copy of it at the same path.  `check` is called after each
point, the last time after an undisturbed run, and gets what the operation returned.  Kill points 1 to n + 1 of an operation of
n calls show every state it can leave.

Snippets run in children forked from a warm interpreter that has executed `setup` (the imports), so a point costs about 3 ms
(2 cores, ext4: 2 ms to start, run and collect the child, 1 ms to copy a project of ten files); a fresh interpreter, as an
argument list, costs 25 ms and more.  Setup runs once per harness: keep names in it, not open files.
"""

import contextlib
import errno as errno_names
import itertools
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

Operation = str | Sequence[str]
Prepare = Callable[[Path], object]


class HarnessError(Exception):
    """The harness, or an operation that nothing disturbed, did not do what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is done to an operation.  Numbers count from 1; 0 is never.

    Parameters
    ----------
    kill_at
        The call before which the process is killed.
    fail_at, errno, times
        The first call that fails, with which error number, and how many calls do (None: all from there on).
    short_at
        The call that transfers half of the bytes it was asked to.
    tear_at
        The call that transfers half of the bytes, whereupon the process is killed.
    stop_at, stop_when_locked
        The call before which the process is stopped; whether to stop it where it does not get a lock.
    delay_us, delay_calls
        Microseconds to sleep before each of the named calls (none named: the calls that a network file system
        sends to its server, `METADATA` in shim.c).
    calls
        The names of the calls that are numbered (none named: all).
    """

    kill_at: int = 0
    fail_at: int = 0
    errno: int = 0
    times: int | None = 1
    short_at: int = 0
    tear_at: int = 0
    stop_at: int = 0
    stop_when_locked: bool = False
    delay_us: int = 0
    delay_calls: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """The variables that tell the shim."""
        return {
            "SHIM_KILL_AT": str(self.kill_at),
            "SHIM_FAIL_AT": str(self.fail_at),
            "SHIM_ERRNO": str(self.errno),
            "SHIM_FAIL_TIMES": str(self.times or 0),
            "SHIM_SHORT_AT": str(self.short_at),
            "SHIM_TEAR_AT": str(self.tear_at),
            "SHIM_STOP_AT": str(self.stop_at),
            "SHIM_STOP_LOCKED": str(int(self.stop_when_locked)),
            "SHIM_DELAY_US": str(self.delay_us),
            "SHIM_DELAY_CALLS": ",".join(self.delay_calls),
            "SHIM_CALLS": ",".join(self.calls),
        }


UNDISTURBED = Fault()


@dataclass(frozen=True, slots=True)
class Call:
    """One file system call below the watched directory.

    Parameters
    ----------
    number
        Its number, 0 if it is of a kind that was not counted.
    name
        The kind of call, the same for all its variants (see shim.c).
    path, other
        Its path and second path, relative to the directory ("." for the directory itself), absolute outside of it.
        The second path of a symlink is the text it holds; copies go from path to other.
    fd, argument, result, errno
        The descriptor (-1: called by path); open flags, bytes asked for, lock operation or mode; what it returned.
    action
        "kill", "fail", "short", "tear" or "stop" where the shim acted, else "-".
    """

    number: int
    pid: int
    name: str
    path: str
    other: str
    fd: int
    argument: int
    result: int
    errno: int
    action: str

    def __str__(self) -> str:
        target = f"{self.path} -> {self.other}" if self.other else self.path
        outcome = errno_names.errorcode.get(self.errno, str(self.errno)) if self.errno else str(self.result)
        return f"{self.number} {self.name} {target} = {outcome if self.action != 'kill' else '?'}" + (
            f" ({self.action})" if self.action != "-" else ""
        )


@dataclass(frozen=True, slots=True)
class Result:
    """How a run of an operation ended.

    Parameters
    ----------
    returncode
        The exit status, or minus the number of the signal that ended it.
    count
        How many calls were numbered.
    fired
        Whether the shim acted, that is, whether the operation got as far as the fault.
    calls
        The watched calls in their order, if a trace was asked for.
    """

    returncode: int
    stdout: str
    stderr: str
    count: int
    fired: bool
    calls: tuple[Call, ...]

    @property
    def completed(self) -> bool:
        """Whether the operation ended by itself and with success."""
        return self.returncode == 0

    @property
    def error(self) -> str:
        """The last line on standard error: the type and text of an exception."""
        return (self.stderr.splitlines() or [""])[-1]

    @property
    def names(self) -> list[str]:
        """The names of the calls."""
        return [call.name for call in self.calls]


Check = Callable[[Path, Result], object]
CheckBoth = Callable[[Path, Result, Result], object]


def unavailable(reason: str) -> NoReturn:
    """Skip the current test for want of a tool, or fail it where tools must be there (CI=true)."""
    import pytest

    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI=true does not allow to skip", pytrace=False)
    pytest.skip(reason)


def compiler() -> str | None:
    """The C compiler of the system."""
    wanted = [os.environ["CC"]] if os.environ.get("CC") else ["cc", "gcc", "clang"]
    return next(filter(None, map(shutil.which, wanted)), None)


def build_shim(directory: Path) -> Path:
    """Compile the shim into a directory.

    Raises
    ------
    FileNotFoundError
        There is no C compiler.
    HarnessError
        It does not compile.
    """
    command = compiler()
    if command is None:
        raise FileNotFoundError("no C compiler (cc, gcc or clang, or $CC) to build tests/faults/shim.c with")
    library = directory / "shim.so"
    built = subprocess.run(
        [command, "-shared", "-fPIC", "-O2", "-o", library, HERE / "shim.c", "-pthread", "-ldl"],
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise HarnessError(f"{command} could not build {HERE / 'shim.c'}:\n{built.stderr}")
    return library


def shim_environment(shim: Path) -> dict[str, str]:
    """The environment of this process, with the shim preloaded, idle, and the repository importable."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHIM_")}
    for name, first, separator in (("LD_PRELOAD", shim, " "), ("PYTHONPATH", REPOSITORY, os.pathsep)):
        environment[name] = separator.join(filter(None, [str(first), environment.get(name)]))
    return environment


class Warm:
    """The interpreter that children are forked from (`warm.py`), after it has executed the setup code."""

    def __init__(self, shim: Path, setup: str, log: Path, timeout: float) -> None:
        self.timeout = timeout
        self._rest = b""
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", HERE / "warm.py", textwrap.dedent(setup)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                env=shim_environment(shim),
            )
        ready = self.answer(None)
        if "error" in ready:
            self.close()
            raise HarnessError(f"the setup code failed:\n{ready['error']}")

    def ask(self, **request: object) -> None:
        """Send a request."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request).encode() + b"\n")

    def answer(self, pid: int | None) -> dict[str, Any]:
        """Wait for the next answer; what the child `pid` is at is given up after the timeout."""
        assert self._process.stdout
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], self.timeout)
            if not ready:
                if pid:
                    os.killpg(pid, signal.SIGKILL)
                self.close()
                raise HarnessError(f"the operation did not end within {self.timeout} s and was killed")
            received = os.read(self._process.stdout.fileno(), 65536)
            if not received:
                self.close()
                raise HarnessError(f"the warm interpreter ended with status {self._process.returncode}")
            self._rest += received
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


class Child:
    """One run of an operation, possibly stopped in the middle."""

    def __init__(
        self, warm: Warm, files: Path, operation: Operation, root: Path, fault: Fault, env: Mapping[str, str], trace: bool
    ) -> None:
        self._warm = warm
        self._root = os.fspath(root)
        self._files = {name: os.fspath(files / name) for name in ("stdout", "stderr", "counter", "trace")}
        for path in self._files.values():
            open(path, "wb").close()
        request: dict[str, object] = {
            "cwd": self._root,
            "stdout": self._files["stdout"],
            "stderr": self._files["stderr"],
            "env": {
                **env,
                **fault.environment(),
                "SHIM_ROOT": self._root,
                "SHIM_COUNTER": self._files["counter"],
                "SHIM_TRACE": self._files["trace"] if trace else "",
            },
        }
        if isinstance(operation, str):
            request["code"] = textwrap.dedent(operation)
        else:
            request["argv"] = [os.fspath(argument) for argument in operation]
        warm.ask(start=request)
        self._pid: int = warm.answer(None)["pid"]
        self._status: int = warm.answer(self._pid)["status"]

    @property
    def stopped(self) -> bool:
        """Whether it was stopped and waits to be resumed."""
        return os.WIFSTOPPED(self._status)

    @property
    def fired(self) -> bool:
        """Whether the shim has acted."""
        return self._counts()[1] > 0

    def _counts(self) -> tuple[int, int]:
        counts = Path(self._files["counter"]).read_bytes()
        _, counted, fired = struct.unpack("=3Q", counts) if counts else (0, 0, 0)
        return counted, fired

    def resume(self) -> None:
        """Let it go on, until it stops again or ends."""
        self._warm.ask(resume=self._pid)
        self._status = self._warm.answer(self._pid)["status"]

    def result(self) -> Result:
        """How it ended."""
        counted, fired = self._counts()
        return Result(
            returncode=os.waitstatus_to_exitcode(self._status),
            stdout=Path(self._files["stdout"]).read_text(encoding="utf-8", errors="replace"),
            stderr=Path(self._files["stderr"]).read_text(encoding="utf-8", errors="replace"),
            count=counted,
            fired=bool(fired),
            calls=read_trace(Path(self._files["trace"]), self._root),
        )


def read_trace(trace: Path, root: str) -> tuple[Call, ...]:
    """The calls of a trace file, in the order in which they were made."""

    def unescape(field: str) -> str:
        return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in field.split("\\\\"))

    def shorten(path: str) -> str:
        path = unescape(path)
        if path == root:
            return "."
        return path.removeprefix(root + "/")

    lines = [line.split("\t") for line in os.fsdecode(trace.read_bytes()).split("\n") if line]
    return tuple(
        Call(
            number=int(number),
            pid=int(pid),
            name=name,
            path=shorten(path),
            other=shorten(other),
            fd=int(fd),
            argument=int(argument),
            result=int(result),
            errno=int(error),
            action=action,
        )
        for _, number, pid, name, fd, argument, result, error, action, path, other in sorted(
            lines, key=lambda line: int(line[0])
        )
    )


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
    """

    def __init__(self, shim: Path, scratch: Path, *, timeout: float = 60) -> None:
        self.shim = shim
        self.scratch = Path(os.path.realpath(scratch))
        self.timeout = timeout
        self._warm: dict[str, Warm] = {}
        self._places = (self.scratch / f"place-{n}" for n in itertools.count(1))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the warm interpreters."""
        while self._warm:
            self._warm.popitem()[1].close()

    def run(
        self,
        operation: Operation,
        root: Path,
        fault: Fault = UNDISTURBED,
        *,
        trace: bool = False,
        setup: str = "",
        env: Mapping[str, str] | None = None,
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
            Environment variables to set for the operation.
        """
        files = self.scratch / "first"
        files.mkdir(exist_ok=True)
        child = self._start(operation, root, fault, files=files, trace=trace, setup=setup, env=env)
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
                if directory.exists():
                    shutil.rmtree(directory)
                shutil.copytree(template, directory, symlinks=True)
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
        """A template, and the place of its copies: the place where it was prepared, in case that paths are stored in it."""
        place = next(self._places)
        directory = place / "project"
        directory.mkdir(parents=True)
        try:
            prepare(directory)
            template = place / "template"
            directory.rename(template)
            yield template, directory
        finally:
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
    ) -> Child:
        warm = self._warm.get(setup)
        if warm is None or not warm.alive:
            warm = self._warm[setup] = Warm(self.shim, setup, self.scratch / "warm.log", self.timeout)
        return Child(warm, files, operation, Path(os.path.realpath(root)), fault, env or {}, trace)

    @staticmethod
    def _expect_success(result: Result) -> None:
        if not result.completed:
            raise HarnessError(f"undisturbed, the operation ended with {result.returncode}:\n{result.stderr}")


def describe(k: int, results: Sequence[Result]) -> str:
    """What happened at a point, for the report of a failed check."""
    lines = [f"at point {k}:"]
    for result in results:
        lines.append(f"  ended with {result.returncode}" + (f": {result.error}" if result.error else ""))
        lines += [f"    {call}" for call in result.calls[-40:]]
    return "\n".join(lines)
