from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, files
from signac_core.cache import delete_cache
from signac_core.canonical import calc_id
from signac_core.survey.summary import SAMPLE, summarize


@pytest.fixture
def project(project: Project) -> Project:
    """The project, with three jobs."""
    for n in range(3):
        project.open_job({"n": n, "model": {"eps": n, "none": {}}}).init()
    return project


def test_summary_when_there_is_no_index_then_keys_of_a_sample(project: Project) -> None:
    seen = summarize(project.space)
    assert (seen.jobs, seen.keys, seen.keys_from) == (3, ["model.eps", "model.none", "n"], 3)
    assert (seen.cache.state, seen.indexed.state, seen.damaged) == ("absent", "absent", [])


def test_summary_when_there_is_an_index_then_no_state_point_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.update_cache()
    read: list[str] = []
    read_bytes = files.read_bytes

    def recording(path: str, **options: Any) -> bytes:
        read.append(os.path.basename(path))
        return read_bytes(path, **options)

    monkeypatch.setattr(files, "read_bytes", recording)
    seen = summarize(Project().space)
    assert "signac_statepoint.json" not in read
    assert (seen.keys, seen.keys_from) == (["model.eps", "model.none", "n"], 3)
    assert (seen.cache.state, seen.indexed.state, seen.indexed.size) == ("current", "current", 3)
    delete_cache(project.space)
    summarize(Project().space)
    assert read.count("signac_statepoint.json") == 3


def test_summary_when_jobs_are_new_then_their_keys_are_known_too(project: Project) -> None:
    project.update_cache()
    project.open_job({"new": 1}).init()
    seen = summarize(Project().space)
    assert (seen.jobs, seen.keys, seen.keys_from) == (4, ["model.eps", "model.none", "n", "new"], 4)
    assert seen.indexed == ("stale", 3, 1)


def test_summary_when_the_index_cannot_hold_a_job_then_nothing_is_missing(project: Project) -> None:
    odd = {"x.y": 1}
    directory = Path(project.workspace, calc_id(odd))
    directory.mkdir()
    (directory / "signac_statepoint.json").write_text(json.dumps(odd))
    project.update_cache()
    seen = summarize(Project().space)
    assert (seen.cache, seen.indexed) == (("current", 4, 0, 0), ("current", 3, 0))
    assert "x.y" in seen.keys
    project.open_job({"new": 1}).init()
    assert summarize(Project().space).indexed == ("stale", 3, 1)


def test_summary_when_the_index_is_damaged_then_the_same_answer(project: Project) -> None:
    project.update_cache()
    Path(".signac/index").write_bytes(b"garbage")
    seen = summarize(Project().space)
    assert (seen.jobs, seen.keys, seen.indexed.state) == (3, ["model.eps", "model.none", "n"], "absent")


def test_summary_when_there_are_many_jobs_then_a_part_is_read(project: Project) -> None:
    for n in range(SAMPLE):
        project.open_job({"x": n}).init()
    seen = summarize(project.space)
    assert (seen.jobs, seen.keys_from) == (SAMPLE + 3, SAMPLE)


def test_summary_when_a_job_is_damaged_or_astray_then_named(project: Project) -> None:
    job = next(iter(project))
    Path(job.path, "signac_statepoint.json").write_text("[]")
    Path(project.workspace, job.id + "~").mkdir()
    seen = summarize(Project().space)
    assert (seen.jobs, seen.keys_from, seen.damaged) == (3, 2, [job.id, job.id + "~"])
