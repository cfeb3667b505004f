"""The Python side of `shim.c`: building it, telling it what to do, and reading what it has seen."""

import errno as errno_names
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

HERE = Path(__file__).resolve().parent
REPOSITORY = ROOT


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
    locks
        "refused": the file system has no locks; "ignored": it grants every lock at once, to anybody.
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
    locks: str = ""

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
            "SHIM_LOCKS": self.locks,
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


def shim_environment(shim: Path, python: str = "") -> dict[str, str]:
    """The environment of this process, with the shim preloaded, idle.

    Parameters
    ----------
    shim
        The library.
    python
        The interpreter that is to be run, if it has a signac of its own; otherwise the repository is importable.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHIM_")}
    environment["LD_PRELOAD"] = " ".join(filter(None, [str(shim), environment.get("LD_PRELOAD")]))
    path = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    environment["PYTHONPATH"] = os.pathsep.join([] if python else [str(REPOSITORY), *path])
    return environment
