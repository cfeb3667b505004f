"""The index beside signac 2.4.1, which does not know of it: whatever that does, queries are right."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, finding
from signac_core.query import NO_DOCUMENT, compile_filter
from tests.peer.sides import Side
from tests.support.indexes import index_for_small_projects

pytestmark = pytest.mark.slow

STEPS = ("add", "add", "remove", "change", "document", "document", "update")
FILTERS: list[dict[str, Any]] = [
    {"a": 1},
    {"a.$gt": 1},
    {"b": 2},
    {"b.$exists": False},
    {"doc.x": 1},
    {"doc.x.$lt": 2, "a.$lt": 3},
    {"doc.x.$exists": False},
    {"$not": {"a": 0}},
]


def steps(chance: random.Random, number: int) -> list[list[Any]]:
    def value(what: str) -> Any:
        if what == "add":
            return {"a": chance.randrange(5), "c": chance.randrange(1000)}
        return {"x": chance.randrange(3)} if what == "document" else chance.randrange(3)

    return [[what, chance.randrange(1000), value(what)] for what in chance.choices(STEPS, k=number)]


def by_full_scan(root: Path, filter: dict[str, Any]) -> list[str]:
    query = compile_filter(filter)
    found = []
    for directory in (root / "workspace").iterdir():
        if len(directory.name) == 32:
            state_point = json.loads((directory / "signac_statepoint.json").read_text())
            file = directory / "signac_job_document.json"
            if query.matches(state_point, json.loads(file.read_text()) if file.exists() else NO_DOCUMENT):
                found.append(directory.name)
    return sorted(found)


@pytest.fixture
def _index_for_small_projects() -> Iterator[None]:
    with index_for_small_projects():
        yield


@pytest.mark.usefixtures("_index_for_small_projects")
@pytest.mark.parametrize("seed", range(12))
def test_queries_when_signac_2_changes_the_project_then_are_those_of_a_full_scan(
    peer: Side, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    root = str(Project.init_project(tmp_path).path)
    for _ in range(15):
        assert peer.ask("happen", root=root, steps=steps(chance, 6)) is None
        if chance.random() < 0.3:
            Project(root).update_cache()
        if chance.random() < 0.3:  # as if nothing had happened for a while: what was seen is trusted
            for name in ["workspace", *(f"workspace/{job.id}/{job.FN_DOCUMENT}" for job in Project(root))]:
                if (tmp_path / name).exists():
                    os.utime(tmp_path / name, (0, chance.randrange(1, 10**9)))
            Project(root).update_cache()
        for filter in FILTERS:
            assert finding.find_ids(Project(root).space, filter) == by_full_scan(tmp_path, filter)
    assert os.path.exists(tmp_path / ".signac" / "index")
