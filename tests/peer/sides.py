"""The two programs, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


class Side:
    """A warm process that runs a driver and answers one request after the other.

    Parameters
    ----------
    python
        The interpreter; whatever ``signac`` it has is used.
    scratch
        An empty directory for its projects.
    driver
        The program in this directory.

    """

    def __init__(self, python: Path, scratch: Path, driver: str = "driver.py") -> None:
        self.scratch = scratch
        self._errors = (scratch / "stderr").open("w+")
        self._process = subprocess.Popen(
            [str(python), "-I", str(HERE / driver)],
            cwd=scratch,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("SIGNAC_")},
        )

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Have one operation of the driver done, and return its result: JSON data, or ``{"error": [classes]}``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([operation, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            pytest.fail(f"The driver ended:\n{self._errors.read()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        with self._process, self._errors:
            assert self._process.stdin is not None
            self._process.stdin.close()
