"""The same driver under two interpreters: one has signac 2.4.1, the other this project."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peer.sides import Side
from tests.support.environments import environment


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """An interpreter with signac 2.4.1, numpy and h5py."""
    return environment("peer-venv", ["signac==2.4.1", "numpy", "h5py"])


@pytest.fixture(scope="module")
def peer(request: pytest.FixtureRequest, peer_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """signac 2.4.1."""
    yield from _side(request, peer_python, tmp_path_factory.mktemp("peer"), "signac.project")


@pytest.fixture(scope="module")
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """This project under its drop-in name."""
    yield from _side(request, Path(sys.executable), tmp_path_factory.mktemp("ours"), "signac_core.project")


def _side(request: pytest.FixtureRequest, python: Path, scratch: Path, module: str) -> Iterator[Side]:
    """A process with the driver that a file of tests names, ``DRIVER``, or with ``driver.py``."""
    side = Side(python, scratch, getattr(request.module, "DRIVER", "driver.py"))
    about = side.ask("about")
    assert (about["version"], about["module"]) == ("2.4.1", module)
    yield side
    side.close()
