"""Tests of :mod:`signac_core.survey.frame`."""

from __future__ import annotations

import math

import pytest

from signac_core.project import Project


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
