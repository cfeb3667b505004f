from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import damages


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in good order, to be copied."""
    root = tmp_path_factory.mktemp("sound")
    damages.build(root)
    return root
