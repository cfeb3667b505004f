"""Builds the shim once for all tests of this directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Harness
from tests.faults.shim import build_shim
from tests.support import unavailable


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled shim."""
    try:
        return build_shim(tmp_path_factory.mktemp("shim"))
    except FileNotFoundError as missing:
        unavailable(str(missing))


@pytest.fixture(scope="session")
def harness(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A harness whose warm interpreters serve all tests."""
    with Harness(shim, tmp_path_factory.mktemp("harness")) as harness:
        yield harness
