"""Export and import under the names of signac 2.x."""

from __future__ import annotations

import importlib
import os

import pytest

from signac_core import import_export
from signac_core.errors import DestinationExistsError
from signac_core.import_export import export_jobs, import_into_project
from signac_core.project import Project, init_project


@pytest.fixture
def project(project: Project) -> Project:
    """The project, with three jobs."""
    for a in range(3):
        project.open_job({"a": a}).init()
    return project


def test_module_when_imported_from_the_drop_in_then_the_same():
    assert importlib.import_module("signac.import_export") is import_export


def test_export_jobs_when_given_a_project_then_all_its_jobs(project):
    exported = dict(export_jobs(project, "data"))
    assert exported == {job.path: f"a/{job.sp.a}" for job in project}
    assert sorted(os.listdir("data/a")) == ["0", "1", "2"]


@pytest.mark.parametrize("target", ["data", "data.zip", "data.tar.gz"])
def test_export_jobs_when_given_some_jobs_then_only_these_come_back(project, target):
    jobs = [job for job in project if job.sp.a]
    assert dict(export_jobs(jobs, target, path="{job.id}")) == {job.path: job.id for job in jobs}
    other = init_project("other")
    assert len(dict(import_into_project(target, other))) == 2
    assert {job.id for job in other} == {job.id for job in jobs}


def test_export_jobs_when_not_iterated_then_nothing_happens(project):
    export_jobs(project, "data")
    assert not os.path.exists("data")


def test_export_jobs_when_there_are_none_then_nothing(project):
    assert list(export_jobs([], "data")) == []
    assert not os.path.exists("data")


def test_export_jobs_when_of_several_projects_then_value_error(project):
    jobs = [*project, init_project("other").open_job({"a": 9}).init()]
    with pytest.raises(ValueError, match="several projects"):
        list(export_jobs(jobs, "data"))
    assert not os.path.exists("data")


def test_import_into_project_when_schema_given_then_state_points_of_paths(project):
    os.makedirs("data/b_7")
    assert dict(import_into_project("data", project, "b_{b:int}")) == {
        "data/b_7": project.open_job({"b": 7}).path,
    }
    assert project.open_job({"b": 7}) in project


def test_import_into_project_when_jobs_exist_with_other_files_then_destination_exists_error(project):
    list(export_jobs(project, "data"))
    for job in project:
        job.doc.more = True
    with pytest.raises(DestinationExistsError):
        list(import_into_project("data", project))
