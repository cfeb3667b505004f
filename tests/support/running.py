"""How the tests run the program: in this process, as a process of its own, and on a terminal."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from signac_cli.app import run
from tests.support import ROOT

TIMEOUT = 60
PROGRAM = [sys.executable, "-m", "signac_cli"]


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class _Screen(io.TextIOWrapper):
    """A stream that passes for one of a terminal."""

    def isatty(self) -> bool:
        return True


class InProcess:
    """Runs the program in this process; standard streams are bytes in memory, and no terminal unless that is said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def __call__(
        self, *arguments: str, stdin: str = "", encoding: str = "utf-8", terminal: bool = False, columns: int = 80
    ) -> Result:
        out, err = io.BytesIO(), io.BytesIO()
        stream = _Screen if terminal else io.TextIOWrapper
        with self.monkeypatch.context() as patch:
            if terminal:
                patch.setenv("TERM", "xterm-256color")
                patch.setenv("COLUMNS", str(columns))
            patch.setattr(sys, "stdin", stream(io.BytesIO(stdin.encode()), encoding="utf-8"))
            patch.setattr(sys, "stdout", stream(out, encoding=encoding, write_through=True))
            patch.setattr(sys, "stderr", stream(err, encoding="utf-8", write_through=True))
            status = run(list(arguments))
            sys.stdout.flush()
            return Result(status, out.getvalue().decode(), err.getvalue().decode())


def environment(**changes: str) -> dict[str, str]:
    """The environment of the tests, with the packages importable from anywhere."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path} | changes


def start(*arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
    """Start the program as a process."""
    return subprocess.Popen([*PROGRAM, *arguments], env=environment(**(env or {})), **options)


def execute(*arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"", **options: Any) -> Result:
    """Run the program as a process, its output in pipes unless the options say otherwise."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.PIPE}
    with start(*arguments, env=env, **(pipes | options)) as process:
        out, err = process.communicate(stdin if process.stdin else None, timeout=TIMEOUT)
    return Result(process.returncode, os.fsdecode(out or b""), os.fsdecode(err or b""))


def on_terminal(
    *arguments: str,
    columns: int = 80,
    env: Mapping[str, str] | None = None,
    typed: Sequence[bytes] = (),
    command: Sequence[str] = PROGRAM,
) -> Result:
    """Run the program on a terminal of its own; what it writes to either stream is in ``out``.

    Each of ``typed`` is written when the program has asked for it: when its output has paused behind a prompt.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    variables = environment(**({"TERM": "xterm-256color"} | dict(env or {})))
    variables.pop("COLUMNS", None)
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=variables,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C becomes a signal
    )
    os.close(follower)
    waiting = list(typed)
    output = b""
    while True:
        if not select.select([leader], [], [], TIMEOUT)[0]:
            process.kill()
            raise TimeoutError(f"nothing but {output!r}")
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the last process has closed the terminal
            break
        if not chunk:
            break
        output += chunk
        if waiting and output.endswith((b"? [y/N] ", b"y or n.\r\n", b"Ctrl-D ends it.\r\n")):
            os.write(leader, waiting.pop(0))
    os.close(leader)
    return Result(process.wait(timeout=TIMEOUT), output.decode().replace("\r\n", "\n"), "")


def snapshot(directory: str | os.PathLike[str] = ".") -> dict[str, bytes | None]:
    """All files below a directory with their content, and everything else there without."""
    entries: dict[str, bytes | None] = {}
    for path in Path(directory).rglob("*"):
        entries[str(path)] = path.read_bytes() if path.is_file() else None
    return entries


def content(directory: str | os.PathLike[str]) -> dict[str, bytes | None]:
    """What is below a directory, as a snapshot, by the paths in it."""
    return {os.path.relpath(path, directory): data for path, data in snapshot(directory).items()}
