"""``migrate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.running import on_terminal, snapshot


@pytest.fixture
def old() -> Path:
    """A project of schema version 1 in the working directory, its workspace under another name."""
    Path("signac.rc").write_text("project = test\nworkspace_dir = ws\nschema_version = 1\n")
    job = Path("ws", "42b7b4f2921788ea14dac5566e6f06d0")
    job.mkdir(parents=True)
    (job / "signac_statepoint.json").write_text('{"a": 1}')
    return Path()


def is_migrated() -> bool:
    return Path(".signac/config").exists() and not Path("signac.rc").exists()


@pytest.mark.parametrize("arguments", [["migrate", "-y"], ["-y", "migrate"], ["migrate", "--yes"]])
def test_migrate_when_yes_is_given_anywhere_then_does_not_ask(cli, old, arguments):
    result = cli(*arguments)
    assert (result.status, result.out) == (0, "")
    assert "[y/N]" not in result.err
    assert is_migrated()
    assert cli("find", "a", "1").lines == ["42b7b4f2921788ea14dac5566e6f06d0"]


def test_migrate_when_the_environment_says_yes_then_does_not_ask(cli, old, monkeypatch):
    monkeypatch.setenv("SIGNAC_YES", "1")
    assert cli("migrate").status == 0
    assert is_migrated()


def test_migrate_when_confirmed_then_each_step_is_told_on_stderr(cli, old):
    result = cli("migrate", stdin="y\n")
    assert (result.status, result.out) == (0, "")
    assert "from schema version 1 to 2" in result.err
    assert "Applying migration for version 1 to 2...\nApplied 1 migration.\n" in result.err
    assert is_migrated()


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_migrate_when_declined_then_nothing_changed(cli, old, answer):
    before = snapshot()
    result = cli("migrate", stdin=answer)
    assert (result.status, result.out) == (0, "")
    assert snapshot() == before


def test_migrate_when_there_is_no_answer_then_fails_and_nothing_changed(cli, old):
    before = snapshot()
    result = cli("migrate")
    assert (result.status, result.out) == (1, "")
    assert snapshot() == before


def test_migrate_when_asked_on_a_terminal_then_the_answer_counts(old):
    result = on_terminal("migrate", typed=[b"y\n"])
    assert result.status == 0
    assert is_migrated()


def test_migrate_when_dry_run_then_steps_are_printed_and_nothing_changed(cli, old):
    Path("signac.rc").write_text("project = test\nworkspace_dir = ws\n")
    before = snapshot()
    result = cli("migrate", "-n")
    assert (result.status, result.lines) == (0, ["0 -> 1", "1 -> 2"])
    assert snapshot() == before
    report = json.loads(cli("-q", "migrate", "--dry-run", "--json").out)
    assert report["dry_run"] is True
    assert report["steps"] == [{"from": 0, "to": 1}, {"from": 1, "to": 2}]


def test_migrate_when_json_then_one_report(cli, old):
    result = cli("-q", "migrate", "-y", "--json")
    assert json.loads(result.out) == {
        "command": "migrate",
        "dry_run": False,
        "path": str(Path.cwd()),
        "counts": {"applied": 1, "failed": 0},
        "steps": [{"from": 1, "to": 2}],
        "errors": [],
    }
    assert result.err == ""


def test_migrate_when_up_to_date_then_told_and_fine(cli, project):
    before = snapshot()
    for arguments in (["migrate"], ["migrate", "-n"], ["migrate", "-y"]):
        result = cli(*arguments)
        assert (result.status, result.out) == (0, "")
        assert "up to date" in result.err
    assert snapshot() == before


@pytest.mark.parametrize("option", ["-r", "--root-directory", "--root"])
def test_migrate_when_a_directory_is_named_then_that_project(cli, old, option, monkeypatch):
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert cli("migrate", "-y").status == 1
    assert cli("migrate", "-y", option, "..").status == 0
    monkeypatch.chdir("..")
    assert is_migrated()


def test_migrate_when_a_step_fails_then_the_reason_is_told(cli, old):
    Path("workspace").mkdir()
    Path("workspace", "mine").touch()
    before = snapshot()
    result = cli("migrate", "-y", "--json")
    assert result.status == 1
    assert "Move away what is in its place" in result.err
    report = json.loads(result.out)
    assert (report["counts"], report["steps"]) == ({"applied": 0, "failed": 1}, [])
    assert "Failed to apply migration 2" in report["errors"][0]["message"]
    assert snapshot() == before


def test_migrate_when_there_is_no_project_then_one_line(cli):
    result = cli("migrate", "-y")
    assert (result.status, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert str(Path.cwd()) in result.err


def test_migrate_when_the_project_is_newer_then_fails_with_the_versions(cli, project):
    Path(".signac/config").write_text("schema_version = 5\n")
    result = cli("migrate", "-y")
    assert (result.status, result.out) == (1, "")
    assert "schema version 5" in result.err
    assert "up to schema version 2" in result.err


def test_migrate_when_one_was_stopped_at_its_very_end_then_the_old_file_goes(cli, old):
    obsolete = Path("signac.rc").read_text()
    assert cli("migrate", "-y").status == 0
    Path("signac.rc").write_text(obsolete)
    assert cli("migrate", "-n").status == 0
    assert Path("signac.rc").exists()
    result = cli("migrate")
    assert (result.status, result.out) == (0, "")
    assert is_migrated()


OUTSIDE = "stays where it is, and '{root}/workspace' becomes a link to it."
INSIDE = "is moved to '{root}/workspace'."


@pytest.mark.parametrize(("workspace", "sentence"), [("ws", INSIDE), ("../thesis", OUTSIDE)])
@pytest.mark.parametrize("arguments", [["-n"], ["-y"], []])
def test_migrate_when_the_workspace_has_another_name_then_it_is_told_what_becomes_of_it(
    cli, old, workspace, sentence, arguments
):
    Path("../thesis").mkdir()
    Path("../thesis/text").write_text("200 pages")
    Path("signac.rc").write_text(f"project = test\nworkspace_dir = {workspace}\nschema_version = 1\n")
    result = cli("migrate", *arguments, stdin="y\n")
    assert result.status == 0
    place = Path(workspace).absolute().parent / Path(workspace).name
    where = Path.cwd().parent / "thesis" if workspace.startswith("..") else place
    assert f"The workspace '{where}' {sentence.format(root=Path.cwd())}" in result.err
    assert Path("../thesis/text").read_text() == "200 pages"
