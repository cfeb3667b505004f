"""Tests of :mod:`signac_core.survey.frame`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from signac_core.project import Project
from signac_core.survey import frame as frames


def cell(project: Project, column: str, state_point: dict[str, object]) -> object:
    return project.to_dataframe().loc[project.open_job(state_point).id, column]


@pytest.mark.parametrize("value", [True, [1, 2], {"x": 1}, "text", 1])
def test_frame_when_key_is_missing_then_nan(project, value):
    project.open_job({"a": 1}).init().doc.x = value
    project.open_job({"a": 2}).init()
    missing = cell(project, "doc.x", {"a": 2})
    assert isinstance(missing, float)
    assert math.isnan(missing)
    assert cell(project, "doc.x", {"a": 1}) == value


def test_frame_when_value_is_none_then_told_apart_from_a_missing_one(project):
    for state_point in ({"a": [1]}, {"a": None}, {"b": 1}):
        project.open_job(state_point).init()
    assert cell(project, "sp.a", {"a": None}) is None
    assert cell(project, "sp.a", {"b": 1}) is not None
    assert str(project.to_dataframe()["sp.a"].dtype) == "object"


def test_frame_when_key_is_missing_beside_none_only_then_column_of_floats(project):
    for state_point in ({"a": None}, {"b": 1}):
        project.open_job(state_point).init()
    assert str(project.to_dataframe()["sp.a"].dtype) == "float64"


@pytest.mark.parametrize("flatten", [False, True])
@pytest.mark.parametrize("is_indexed", [False, True])
def test_frame_when_another_program_wrote_a_key_with_a_dot_then_its_column_can_be_chosen(project, flatten, is_indexed):
    for i in range(20):
        job = project.open_job({"i": i}).init()
        Path(job.fn("signac_job_document.json")).write_text(json.dumps({"p.q": i}), encoding="utf-8")
    if is_indexed:
        project.update_cache()
        assert len(project.find_jobs({"doc.none.$exists": False})) == 20
    frame = Project(project.path).to_dataframe(usecols=["sp.i", "doc.p.q"], flatten=flatten)
    assert list(frame["doc.p.q"]) == list(frame["sp.i"])


def test_frame_when_a_flattened_cell_is_changed_then_no_state_point_is(project):
    for i in range(2):
        project.open_job({"i": i, "a": {}, "b": [{"x": 1}]}).init()
    frame = project.to_dataframe(flatten=True)
    frame["sp.a"].iloc[0]["y"] = frame["sp.b"].iloc[0][0]["y"] = 2
    assert {str(job.cached_statepoint) for job in project} == {
        f"{{'i': {i}, 'a': {{}}, 'b': [{{'x': 1}}]}}" for i in range(2)
    }


def test_frame_when_a_document_loses_a_chosen_key_meanwhile_then_its_value_stays(project, monkeypatch):
    for i in range(20):
        project.open_job({"i": i}).init().doc.update(x=i, y=i)
    monkeypatch.setattr(frames, "load_documents", lambda space, ids: {job_id: {} for job_id in ids})
    project.update_cache()
    found = Project(project.path).to_dataframe(usecols=["sp.i", "doc.x", "doc.y"])
    assert list(found["doc.x"]) == list(found["doc.y"]) == list(found["sp.i"])
