from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from signac_core import Project


@pytest.fixture
def project() -> Project:
    """An empty project in the working directory."""
    return Project.init_project()


@pytest.fixture
def age() -> Callable[[str], None]:
    """Make a file look as if it had been at rest for a while."""

    def make_older(path: str, seconds: float = 100) -> None:
        then = time.time() - seconds
        os.utime(path, (then, then))

    return make_older
