from __future__ import annotations

import pytest

from signac_core import Project


@pytest.fixture
def other(study: dict[str, str]) -> Project:
    """Another, empty project beside the study."""
    return Project.init_project("../other")
