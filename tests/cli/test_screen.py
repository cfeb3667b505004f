"""What the commands show on screens of all widths, and ask there: run in this process, unlike in ``test_terminal``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

STYLE = re.compile(r"\033\[[0-9;]*m")


def plain(text: str) -> str:
    return STYLE.sub("", text)


def words(text: str) -> str:
    """Everything but styles and blanks: what stays the same however lines are broken."""
    return "".join(plain(text).split())


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["find", "--sp", "--doc"],
        ["statepoint", "1.5", "2"],
        ["diff"],
        ["diff", "1.5", "2"],
        ["schema"],
        ["document"],
        ["check"],
    ],
    ids=" ".join,
)
def test_table_when_the_screen_is_narrower_then_no_line_is_wider_and_nothing_is_lost(cli, study, arguments):
    if arguments == ["check"]:
        for state_point in Path("workspace").glob("*/signac_statepoint.json"):
            state_point.write_text("{")
    arguments = [study.get(argument, argument) for argument in arguments]
    cells = set(plain(cli(*arguments, terminal=True, columns=200).out).split())
    ids = {cell for cell in cells if any(job_id.startswith(cell) for job_id in study.values())}
    headings = {"id", "key", "type", "job", "file"}  # of what stands alone on a line
    for columns in (100, 60, 32, 16):
        shown = plain(cli(*arguments, terminal=True, columns=columns).out)
        assert max(map(len, shown.splitlines())) <= columns
        if columns > 16:  # else words are broken, beside labels that are
            assert [cell for cell in cells - ids - headings if cell not in words(shown)] == []


@pytest.mark.parametrize("columns", [100, 60])
def test_ids_when_they_are_shortened_then_enough_is_left_to_find_the_job(cli, study, columns):
    shown = plain(cli("find", "--sp", terminal=True, columns=columns).out).splitlines()[1:]
    found = [cli("find", "-j", line.split()[0]).out.strip() for line in shown if line[:1].strip()]
    assert sorted(found) == sorted(study.values())


def test_numbers_when_they_differ_only_in_late_digits_then_shown_exactly(cli, project):
    project.open_job({"x": 0.1}).init()
    project.open_job({"x": 0.10000000001}).init()
    assert "0.1, 0.10000000001" in plain(cli("schema", terminal=True).out)
    assert {"0.1", "0.10000000001"} <= set(plain(cli("diff", terminal=True).out).split())


def test_numbers_when_rounding_leaves_them_different_then_rounded(cli, project):
    project.open_job({"x": 1 / 3, "l": [1 / 3, {"a": 1e-9 / 3}]}).init()
    project.open_job({"x": 123456789.5}).init()
    shown = plain(cli("schema", terminal=True).out)
    assert "0.333333, 1.23457e+08" in shown
    assert '[0.333333, {"a": 3.33333e-10}]' in shown


def test_schema_when_a_value_is_long_then_its_beginning_and_its_end_on_a_screen_only(cli, project):
    text = "begin" + "x" * 500 + "end"
    project.open_job({"t": text}).init()
    shown = words(cli("schema", terminal=True).out)
    assert "begin" in shown
    assert "…" in shown
    assert text not in shown
    assert text in cli("schema").out


def test_problems_when_there_are_very_many_of_a_kind_then_the_first_and_their_number(cli, project):
    for a in range(60):
        Path(project.open_job({"a": a}).init().path, "signac_statepoint.json").write_text("{")
    on_screen = cli("check", terminal=True)
    assert on_screen.status == 3
    assert re.search(r"and \d+ more like these", on_screen.out)
    assert "'signac check | less' shows all." in on_screen.err
    assert len(cli("check").lines) == 60


def test_repair_when_rehearsed_on_a_screen_then_a_table_of_what_it_would_do(cli, study, project):
    project.update_cache()
    Path("workspace", study["1"], "signac_statepoint.json").unlink()
    rehearsed = cli("check", "--repair", "-n", terminal=True)
    assert "what to do" in plain(rehearsed.out)
    assert "Would have repaired 1 problem" in rehearsed.err
    repaired = cli("check", "--repair", terminal=True)
    assert "what was done" in plain(repaired.out)
    assert (repaired.status, cli("check", terminal=True).out) == (0, "")


# --- control characters ----------------------------------------------------------------------------------------------


def test_data_when_it_has_control_characters_then_a_screen_gets_them_as_escapes(cli, project):
    job = project.open_job({"text": "a\033[2Jb"}).init()
    assert r"a\x1b[2Jb" in plain(cli("statepoint", terminal=True).out)
    shown = cli("statepoint", job.id, "--json", terminal=True).out
    assert (json.loads(shown), "\033" in shown) == (json.loads(cli("statepoint", job.id, "--json").out), False)
    assert "\033" not in cli("find", "--format", "{sp.text}", terminal=True).out
    assert cli("find", "--format", "{sp.text}").out == "a\033[2Jb\n"


# --- colours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "is_colored"), [("auto", True), ("always", True), ("never", False)])
def test_errors_when_on_a_screen_then_their_label_is_in_colour_unless_forbidden(cli, project, option, is_colored):
    result = cli("--color", option, "statepoint", "ffffffff", terminal=True)
    assert result.status == 1
    assert result.err.startswith("\033[1;31mError:\033[0m " if is_colored else "Error: ")


def test_ids_when_one_is_the_beginning_of_no_other_then_that_much_is_bold(cli, study):
    lines = cli("find", terminal=True).lines
    assert [plain(line) for line in lines] == sorted(study.values())
    bold = [line.removeprefix("\033[1m").partition("\033")[0] for line in lines]
    assert all(sum(job_id.startswith(part) for job_id in study.values()) == 1 for part in bold)


# --- questions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "status", "left"),
    [("y\n", 0, 2), ("YES\n", 0, 2), ("n\n", 1, 4), ("\n", 1, 4), ("maybe\ny\n", 0, 2), ("maybe\n", 1, 4), ("", 1, 4)],
)
def test_removal_when_a_person_is_asked_then_done_after_yes_only(cli, study, project, typed, status, left):
    result = cli("rm", "-f", "name", "lj", stdin=typed, terminal=True)
    assert (result.status, len(project)) == (status, left)
    assert "Remove 2 of 4 jobs" in result.err
    assert ("Please answer y or n." in result.err) == typed.startswith("maybe")


def test_removal_when_everything_was_said_then_nobody_is_asked(cli, study, project):
    for options in (["-y", "rm", "-f", "name", "lj"], ["rm", study["2"]]):
        result = cli(*options, terminal=True)
        assert (result.status, "[y/N]" in result.err) == (0, False)
    assert len(project) == 1


def test_question_when_the_filter_is_long_then_its_beginning_is_shown(cli, study):
    result = cli("rm", "-f", "name!=" + "x" * 500, stdin="n\n", terminal=True)
    assert result.status == 1
    assert "all 4 jobs, those that match" in result.err
    assert "x...'?" in result.err


# --- standard input --------------------------------------------------------------------------------------------------


def test_state_points_when_typed_then_the_end_is_explained(cli, project):
    result = cli("job", "-c", stdin='{"a": 1}\n{"a": 2}\n', terminal=True)
    assert (result.status, len(result.lines), len(project)) == (0, 2, 2)
    assert "Ctrl-D ends it." in result.err
    assert "Ctrl-D" not in cli("job", stdin='{"a": 1}').err
    assert cli("-q", "job", stdin='{"a": 1}', terminal=True).err == ""
