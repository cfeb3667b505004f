"""Runs ``python -m signac`` again and again, each time in a fork of a process that has imported it.

One request per line on standard input, one answer per line on standard output: JSON.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
from typing import Any, NoReturn

import signac


def about() -> dict[str, str]:
    return {"version": signac.__version__, "module": signac.Project.__module__}


def run(directory: str, commands: list[list[str]]) -> list[dict[str, Any]]:
    """Run commands in a directory, and return the status, standard output and standard error of each."""
    return [_run(directory, arguments) for arguments in commands]


def _run(directory: str, arguments: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(directory, arguments, out.fileno(), err.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return {"status": status, "out": texts[0], "err": texts[1]}


def _become(directory: str, arguments: list[str], out: int, err: int) -> NoReturn:
    status: Any = 1
    try:
        os.chdir(directory)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.argv = ["signac", *arguments]
        runpy.run_module("signac", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


OPERATIONS = {"about": about, "run": run}

if __name__ == "__main__":
    for line in sys.stdin:
        operation, arguments = json.loads(line)
        answer = OPERATIONS[operation](**arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
