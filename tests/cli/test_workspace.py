"""Projects whose workspace is elsewhere, or nowhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import execute

COMMANDS = [
    ["find"],
    ["find", "a=1"],
    ["status"],
    ["check"],
    ["check", "--repair"],
    ["job", '{"a": 1}'],
    ["job", "-c", '{"a": 1}'],
    ["schema"],
    ["diff"],
    ["statepoint"],
    ["document", "--filter", "a=1"],
    ["rm", "-y", "--filter", "a=1"],
    ["update-cache"],
    ["update-cache", "--check"],
    ["view"],
    ["export", "out"],
    ["import", "data"],
    ["shell", "-c", ""],
    ["init"],
    ["sync", "elsewhere"],
]


@pytest.fixture
def linked(project: Project, tmp_path: Path) -> Path:
    """Where the link in the place of the workspace leads."""
    scratch = tmp_path / "scratch"
    os.rmdir(project.workspace)
    os.symlink(scratch, project.workspace)
    Project.init_project("elsewhere")
    os.mkdir("data")
    return scratch


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_when_the_workspace_is_a_link_that_dangles_then_says_where_it_leads(cli, linked, command):
    result = cli(*command)
    assert result.status == 1
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert f"'{linked}'" in line
    assert os.path.abspath("workspace") in line
    assert not linked.exists()


def test_command_when_the_workspace_of_the_other_project_dangles_then_says_where_it_leads(cli, study, tmp_path):
    other = Project.init_project("elsewhere")
    os.rmdir(other.workspace)
    os.symlink(tmp_path / "scratch", other.workspace)
    for command in (["move", "elsewhere", study["1"]], ["clone", "elsewhere", study["1"]], ["sync", "elsewhere", "-m"]):
        result = cli(*command)
        assert result.status == 1
        assert str(tmp_path / "scratch") in result.err
    assert len(Project()) == len(study)


@pytest.mark.parametrize("command", ["move", "clone", "sync"])
def test_command_when_the_workspace_of_the_other_project_is_missing_then_warns(cli, study, command):
    other = Project.init_project("elsewhere")
    os.rmdir(other.workspace)
    result = cli(command, "elsewhere", *([] if command == "sync" else [study["1"]]))
    assert result.status == 0
    assert f"Warning: The workspace does not exist: '{other.workspace}'." in result.err
    assert os.path.exists(other.workspace) == (command != "sync")
    assert len(Project()) + len(Project("elsewhere")) == len(study) + (command == "clone")


def test_command_when_a_file_is_in_the_place_of_the_workspace_then_says_so(cli, project):
    os.rmdir(project.workspace)
    Path(project.workspace).touch()
    result = cli("find")
    assert (result.status, result.out) == (1, "")
    assert result.err == f"Error: The workspace is no directory: '{project.workspace}'. Move it out of the way.\n"


def test_import_when_there_are_no_jobs_then_warns(cli, study):
    other = Project.init_project("elsewhere")
    os.rmdir(other.workspace)
    os.symlink("gone", other.workspace)
    result = cli("import", "elsewhere")
    assert (result.status, result.out) == (0, "")
    assert "There are no jobs to import in 'elsewhere'." in result.err


@pytest.mark.parametrize(
    "command",
    [["find"], ["schema"], ["status"], ["check"], ["update-cache"], ["rm", "-f", "{}"], ["rm", "-c", "-f", "{}"]],
    ids=" ".join,
)
def test_command_when_the_workspace_is_missing_then_warns_once_and_does_not_make_it(cli, project, command):
    os.rmdir(project.workspace)
    for _ in range(2):
        result = cli(*command)
        assert result.err.count("Warning: The workspace does not exist: ") == 1
        assert project.workspace in result.err
        assert not os.path.exists(project.workspace)


def test_status_and_check_when_the_workspace_is_missing_then_not_all_is_well(cli, project):
    os.rmdir(project.workspace)
    status = cli("status")
    assert (status.status, status.lines[-1]) == (1, "damaged  the workspace is missing")
    assert cli("status", "--json").status == 1
    assert cli("check").status == 3
    (problem,) = json.loads(cli("check", "--json").out)["jobs"]
    assert (problem["kind"], problem["path"]) == ("missing-workspace", project.workspace)
    assert cli("check", "--repair").status == 3
    assert not os.path.exists(project.workspace)
    assert cli("init").status == 0
    assert (cli("status").status, cli("check").status) == (0, 0)


def test_update_cache_when_the_workspace_is_missing_then_what_is_known_of_its_jobs_is_kept(cli, study, project):
    project.update_cache()
    before = Path(project.fn(project.FN_CACHE)).read_bytes()
    os.rename(project.workspace, "elsewhere")
    result = cli("update-cache")
    assert (result.status, len(result.err.splitlines())) == (1, 1)
    assert Path(project.fn(project.FN_CACHE)).read_bytes() == before
    os.rename("elsewhere", project.workspace)
    assert cli("update-cache").status == 0


def test_job_when_the_workspace_is_missing_then_created_with_it(cli, project):
    os.rmdir(project.workspace)
    result = cli("job", "-c", '{"a": 1}')
    assert result.status == 0
    assert result.lines == [job.id for job in Project()]


@pytest.mark.parametrize("below", ["", "results/raw"])
def test_find_when_in_a_job_behind_a_link_then_finds_the_project_by_the_name_it_was_entered_by(project, linked, below):
    linked.mkdir()
    job = project.open_job({"a": 1}).init()
    os.makedirs(job.fn(below), exist_ok=True)
    logical = os.path.normpath(job.fn(below))
    result = execute("find", cwd=logical, env={"PWD": logical})
    assert (result.status, result.lines) == (0, [job.id])
    physical = str(linked / job.id / below)
    for pwd in (physical, "", "workspace", "/", f"{logical}/gone", os.path.dirname(logical)):
        assert execute("find", cwd=physical, env={"PWD": pwd}).status == 1


def test_find_when_sent_to_a_job_behind_a_link_then_finds_the_project(project, linked):
    linked.mkdir()
    job = project.open_job({"a": 1}).init()
    for options in (["-C", job.path], ["-C", f"workspace/{job.id}"], ["-C", "workspace", "-C", job.id]):
        result = execute(*options, "find", env={"PWD": os.getcwd()})
        assert (result.status, result.lines) == (0, [job.id])
