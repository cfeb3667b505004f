"""Files of many jobs are read in threads where that is asked for: the answers are the same, in the same order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, init_project
from signac_core.errors import JobsCorruptedError

NUMBER = 80


@pytest.fixture(params=["1", "2", "many", None])
def project(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Project:
    """Many jobs without an index, of which every tenth has a document, in a project that reads in so many threads."""
    project = init_project()
    for a in range(NUMBER):
        job = project.open_job({"a": a}).init()
        if a % 10 == 0:
            Path(job.path, "signac_job_document.json").write_text(f'{{"energy": {a // 10}}}')
    monkeypatch.setenv("SIGNAC_INDEX_REFRESH", "never")
    if request.param is not None:
        monkeypatch.setenv("SIGNAC_IO_THREADS", request.param)
    return Project()


def values(jobs: Any) -> list[int]:
    return sorted(job.sp.a for job in jobs)


def test_jobs_when_found_by_state_point_then_the_same_in_any_number_of_threads(project: Project) -> None:
    assert values(project.find_jobs({"a": {"$lt": 25}})) == list(range(25))


def test_jobs_when_found_by_document_then_the_same_in_any_number_of_threads(project: Project) -> None:
    assert values(project.find_jobs({"doc.energy": {"$gte": 5}})) == list(range(50, NUMBER, 10))


def test_table_when_made_then_every_row_has_the_document_of_its_job(project: Project) -> None:
    frame = project.to_dataframe()
    energies = frame["doc.energy"].dropna()
    assert len(frame) == NUMBER
    assert (frame["sp.a"][energies.index] == energies * 10).all()


def test_jobs_when_some_are_damaged_then_all_of_these_are_named(project: Project) -> None:
    damaged = {job.id for job in project.find_jobs({"a": {"$in": [0, 7, 79]}})}
    for job_id in damaged:
        Path(project.workspace, job_id, "signac_statepoint.json").write_text("{")
    with pytest.raises(JobsCorruptedError) as caught:
        list(Project().find_jobs({"a": 5}))
    assert set(caught.value.job_ids) == damaged
