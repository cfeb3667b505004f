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


@pytest.fixture(scope="session")
def peer(peer_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """signac 2.4.1."""
    side = Side(peer_python, tmp_path_factory.mktemp("peer"))
    about = side.ask("about")
    assert (about["version"], about["module"]) == ("2.4.1", "signac.project")
    yield side
    side.close()


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """This project under its drop-in name."""
    side = Side(Path(sys.executable), tmp_path_factory.mktemp("ours"))
    about = side.ask("about")
    assert (about["version"], about["module"]) == ("2.4.1", "signac_core.project")
    yield side
    side.close()
