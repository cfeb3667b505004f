"""The check that patches bite."""

from __future__ import annotations

import pytest

from signac_core import workspace
from tests.support.patches import watching


@pytest.mark.parametrize("name", ["_now", "_sleep", "_MOST_WAITED_FOR", "read_state_point"])
def test_patch_when_nothing_looks_it_up_then_hollow(monkeypatch, name):
    with watching() as watch:
        monkeypatch.setattr(workspace, name, getattr(workspace, name))
        assert watch.hollow == [f"signac_core.workspace.{name}"]
        monkeypatch.undo()
