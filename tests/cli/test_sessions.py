"""Python that is piped into ``shell`` and ``import --sync-interactive``: run in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from signac_core import Project

pytestmark = pytest.mark.usefixtures("_prompts_are_forgotten")


@pytest.fixture
def source(project) -> Project:
    """Another project in ``source``: two jobs, one of which the project in the working directory has as well."""
    source = Project.init_project("source")
    for a in (1, 2):
        Path(source.open_job({"a": a}).init().path, "out.txt").write_text(str(a))
    project.open_job({"a": 1}).init()
    return source


CODE = [
    ("print(len(jobs), job)\n", 0, "4 None"),
    ("jobs = list(jobs)\nprint(len(jobs))\n", 0, "4"),
    ("for each in jobs:\n    print(each.sp.p)", 0, "1"),  # a block that only the end of the input ends
    ("1 / 0\nprint('goes on')\n", 1, "goes on"),
    ("1 +\nprint('goes on')\n", 1, "goes on"),
    ("x = (\n", 1, ""),
    ("import sys; sys.exit(3)\n", 3, ""),
    ("import sys; sys.exit()\n", 0, ""),
    ("import sys; sys.exit('no')\n", 1, ""),
]


@pytest.mark.parametrize(("code", "status", "shown"), CODE)
def test_shell_when_code_is_piped_in_then_run_and_the_status_says_how_it_ended(cli, study, code, status, shown):
    result = cli("shell", stdin=code)
    assert result.status == status, result.err
    assert shown in result.out
    assert ("no\n" in result.err) == ("'no'" in code)


def test_shell_when_a_person_types_then_mistakes_are_no_failure_and_lines_are_remembered(cli, study):
    readline = pytest.importorskip("readline", reason="this Python cannot edit lines")
    completer = readline.get_completer()
    try:
        result = cli("shell", stdin="1 / 0\nprint(len(jobs))\n", terminal=True)
    finally:
        readline.set_completer(completer)
    assert result.status == 0
    assert "ZeroDivisionError" in result.err
    assert "4 jobs selected" in result.err
    assert "4" in result.out
    assert Path(".signac", "shell_history").exists()


def test_shell_when_the_history_cannot_be_saved_then_a_warning(cli, study):
    readline = pytest.importorskip("readline", reason="this Python cannot edit lines")
    completer = readline.get_completer()
    Path(".signac", "shell_history").mkdir()
    try:
        result = cli("shell", stdin="print(1)\n", terminal=True)
    finally:
        readline.set_completer(completer)
    assert result.status == 0
    assert "The history of the shell was not saved" in result.err


def test_import_when_interactive_then_the_code_decides_what_is_imported(cli, project, source):
    code = "print(len(tmp_project), len(project))\nproject.sync(tmp_project, recursive=True, check_schema=False)\n"
    result = cli("import", "source", "--sync-interactive", stdin=code)
    assert result.status == 0, result.err
    assert "2 1" in result.out
    assert result.err.endswith("Imported 1 job, 1 present.\n")
    assert sorted(job.sp.a for job in project) == [1, 2]


def test_import_when_interactive_and_the_code_does_nothing_then_nothing_is_imported(cli, project, source):
    result = cli("import", "source", "--sync-interactive", stdin="")
    assert (result.status, len(project)) == (0, 1)
    assert "1 present, 1 skipped" in result.err


@pytest.mark.parametrize(("code", "status"), [("raise ValueError\n", 1), ("x = (\n", 1), ("raise SystemExit(5)\n", 5)])
def test_import_when_interactive_and_the_code_fails_then_so_does_the_command(cli, project, source, code, status):
    result = cli("import", "source", "--sync-interactive", stdin=code)
    assert (result.status, len(project)) == (status, 1)


@pytest.mark.parametrize("arguments", [["shell"], ["shell", "-"], ["import", "source", "--sync-interactive"], ["job"]])
def test_standard_input_when_closed_then_an_error_that_says_so(cli, source, monkeypatch, arguments):
    from signac_cli.app import run

    monkeypatch.setattr(sys, "stdin", None)
    assert run(arguments) == 1
