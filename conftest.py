"""What every test and every docstring example starts from: an empty working directory and no settings of the user's."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from signac_core import files

hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")  # how long an example takes depends on what else the machine does


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs under test, even where this was started in the background and ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``CI=true`` everything has to run: a test that is skipped, for whatever is missing, has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.longrepr = f"{reason}; CI=true does not allow to skip"
    return report


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith("SIGNAC_") or name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
            monkeypatch.delenv(name)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def deepen() -> Iterator[Callable[[str | os.PathLike[str]], None]]:
    """Function that nests more directories in one than can be copied; they are deleted at the end."""
    made: list[str] = []

    def nest(directory: str | os.PathLike[str]) -> None:
        made.append(os.path.abspath(os.path.join(directory, "d")))
        with contextlib.chdir(directory):
            for _ in range(1200):
                os.mkdir("d")
                os.chdir("d")

    yield nest
    for path in made:
        files.delete_tree(path)
