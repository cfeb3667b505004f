from __future__ import annotations

import json
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import snapshot


def test_init_when_directory_is_empty_then_project_with_a_message_that_names_it(cli):
    result = cli("init")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"Initialized project '{Path.cwd()}'.\n"
    assert Path(".signac/config").read_text() == "schema_version = 2\n"
    assert list(Path("workspace").iterdir()) == []


def test_init_when_directory_is_named_then_created_with_its_parents(cli):
    result = cli("init", "new/study")
    assert result.status == 0
    assert Project("new/study").path == str(Path("new/study").absolute())
    assert not Path(".signac").exists()


def test_init_when_already_a_project_then_says_so_and_changes_nothing(cli, study):
    before = snapshot()
    result = cli("init")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"'{Path.cwd()}' is a project already.\n"
    assert snapshot() == before


def test_init_when_inside_another_project_then_warned(cli, project):
    result = cli("init", "workspace/inner")
    assert result.status == 0
    assert f"Warning: It lies inside the project '{project.path}'" in result.err
    assert Project("workspace/inner").path


def test_init_when_json_then_one_report(cli, project):
    created = cli("init", "inner", "--json")
    again = cli("-q", "init", "inner", "--json")
    path = str(Path("inner").absolute())
    assert json.loads(created.out) == {"path": path, "created": True, "inside": project.path}
    assert (json.loads(again.out), again.err) == ({"path": path, "created": False, "inside": None}, "")


def test_init_when_layout_is_older_then_refused_and_nothing_changed(cli):
    Path("signac.rc").write_text("project = old\nschema_version = 1\n")
    before = snapshot()
    result = cli("init")
    assert result.status == 1
    assert "schema version 1" in result.err
    assert "signac migrate" in result.err
    assert result.err.count("\n") == 1
    assert snapshot() == before


def test_init_when_a_file_is_in_the_way_then_one_line_names_it(cli):
    Path("study").write_text("")
    result = cli("init", "study")
    assert result.status == 1
    assert result.err.count("\n") == 1
    assert "study" in result.err


def test_init_when_the_name_begins_with_a_tilde_then_in_the_home_directory(cli):
    home = Path.home()
    result = cli("init", "~/study")
    assert (result.status, result.err) == (0, f"Initialized project '{home}/study'.\n")
    assert not Path("~").exists()
    assert Project(str(home / "study")).path == str(home / "study")
    assert cli("init", "study~").status == cli("init", "./~/study").status == 0
    assert Path("study~", ".signac").is_dir()
    assert Path("~", "study", ".signac").is_dir()


@pytest.mark.parametrize(
    "arguments",
    [
        ["-C", "~/other", "find"],
        ["find", "--project-dir=~/other"],
        ["move", "~/other", "{id}"],
        ["clone", "~/other/workspace", "{id}"],
        ["sync", "~/other", "."],
        ["export", "~/other/out"],
        ["import", "~/other/data"],
        ["view", "-p", "~/other/view"],
        ["migrate", "--root-directory=~/other"],
    ],
)
def test_directory_when_it_begins_with_a_tilde_then_in_the_home_directory_for_every_command(cli, study, arguments):
    other = Project.init_project(str(Path.home() / "other"))
    Path(other.path, "data").mkdir()
    assert cli(*(argument.format(id=study["1"]) for argument in arguments)).status == 0
    assert not Path("~").exists()


def test_init_when_name_is_empty_then_refused(cli):
    result = cli("init", "")
    assert result.status == 2
    assert "check for an unset variable" in result.err
    assert snapshot() == {}
