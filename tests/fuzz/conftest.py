from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import damages
from tests.support.running import InProcess


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Runs commands in this process, as if standard output were a pipe."""
    return InProcess(monkeypatch)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in good order, to be copied."""
    root = tmp_path_factory.mktemp("sound")
    damages.build(root)
    return root
