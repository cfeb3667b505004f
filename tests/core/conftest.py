from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from signac_core import Project, stamps


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for what reads documents: by the clock of this host, and by the one that is never set."""
    passed = 0

    def pass_time(seconds: float) -> None:
        nonlocal passed
        passed += int(seconds * 1e9)

    monkeypatch.setattr(stamps, "time_ns", lambda: time.time_ns() + passed)
    monkeypatch.setattr(stamps, "monotonic_ns", lambda: time.monotonic_ns() + passed)
    monkeypatch.setattr(stamps, "_seen", {})
    return pass_time


@pytest.fixture
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every workspace, and every document, look to the index as if nothing had happened to it for long."""
    monkeypatch.setattr(stamps, "margin", lambda *devices: -(10**18))


@pytest.fixture
def ids(project: Project) -> list[str]:
    """Ids of thirty jobs of the project in the working directory, sorted."""
    return sorted(project.open_job({"i": i}).init().id for i in range(30))
