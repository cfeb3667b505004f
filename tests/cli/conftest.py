from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from signac_core import Project

STATE_POINTS = [
    {"T": 1.0, "p": 1, "name": "lj", "model": {"eps": 1.5, "cut": None}},
    {"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}},
    {"T": 2.0, "p": 3, "name": "hertz", "model": {"eps": 2.5, "cut": 3}},
    {"T": -5, "p": 3, "name": "hertz", "list": [1, [2]], "on": True},
]


@pytest.fixture
def study(project: Project) -> dict[str, str]:
    """Ids of the jobs of a small study in the working directory, by temperature: 1, 1.5, 2, -5."""
    ids = {}
    for state_point in STATE_POINTS:
        job = project.open_job(state_point).init()
        ids[f"{state_point['T']:g}"] = job.id
    document = Path(project.workspace, ids["1.5"], "signac_job_document.json")
    document.write_text(json.dumps({"energy": -1.25, "status": "done", "n": {"steps": 10}}))
    return ids


@pytest.fixture
def _prompts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back the prompts that a shell in this process sets for the whole interpreter."""
    for name in ("ps1", "ps2"):
        monkeypatch.setattr(sys, name, ">>> ", raising=False)
        monkeypatch.delattr(sys, name)
