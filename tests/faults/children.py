"""Operations as processes: the warm interpreter, the children it forks, and how they ended."""

import json
import os
import select
import signal
import struct
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.shim import HERE, Call, Fault, HarnessError, read_trace, shim_environment

Operation = str | Sequence[str]


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


class Warm:
    """The interpreter that children are forked from (`warm.py`), after it has executed the setup code."""

    def __init__(self, shim: Path, setup: str, log: Path, timeout: float, python: str = "") -> None:
        self.timeout = timeout
        self._rest = b""
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [python or sys.executable, "-P", HERE / "warm.py", textwrap.dedent(setup)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                env=shim_environment(shim, python),
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
        self,
        warm: Warm,
        files: Path,
        operation: Operation,
        root: Path,
        fault: Fault,
        env: Mapping[str, str],
        trace: bool,
        watched: Path | None = None,
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
                "SHIM_ROOT": os.fspath(watched or root),
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
