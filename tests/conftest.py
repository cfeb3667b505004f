"""What all tests share: patches that must bite, an empty project, commands in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from signac_core import Project
from signac_core.care import litter
from tests.support.patches import Forbidden, watched_patches, watching
from tests.support.running import InProcess


@pytest.fixture(scope="session", autouse=True)
def _patches_of_fixtures_are_looked_up() -> Iterator[None]:
    """What fixtures of modules and of the session patch is looked up by some test."""
    with watched_patches(), watching() as watch:
        yield
        if watch.hollow:
            pytest.fail(f"patched, but never looked up by the code under test: {', '.join(watch.hollow)}")


@pytest.fixture(autouse=True)
def _patches_are_looked_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test patches is looked up by the code under test, or the test fails: see ``tests/support/patches.py``.

    A name that must *not* be looked up is one for ``forbid``.
    """
    failed = request.session.testsfailed
    with watching() as watch:
        yield
        if watch.hollow and request.session.testsfailed == failed:
            pytest.fail(f"patched, but never looked up by the code under test: {', '.join(watch.hollow)}")


@pytest.fixture
def forbid() -> Iterator[Callable[[ModuleType | type, str], Forbidden]]:
    """Function that makes a ``with`` block in which a name must not be called.

    Outside of the block, before or after it, the test must have the code under test look that name up: whatever is
    forbidden, and would not be called by this name in any case, fails the test.
    """
    made: list[Forbidden] = []

    def forbid(target: ModuleType | type, name: str) -> Forbidden:
        made.append(Forbidden(target, name))
        return made[-1]

    yield forbid
    for forbidden in reversed(made):
        forbidden.close()


@pytest.fixture
def project() -> Project:
    """An empty project in the working directory."""
    return Project.init_project()


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Runs commands in this process, as if standard output were a pipe."""
    return InProcess(monkeypatch)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours after everything that the test does."""
    monkeypatch.setattr(litter, "_now", lambda: time.time() + 7200)
