"""What is written where: messages of one kind are counted, and nothing but text reaches a terminal."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from signac_cli.output import SHOWN, Output, on_screen
from signac_core import Project
from tests.support.running import execute, on_terminal

MANY = 61

HOSTILE = "\x1b]0;x\x07\x1b[2J\x9b31m\u202e\u2066\x7f\r\u2028"
"""Sets the title, clears the screen, turns the direction of writing."""

STYLE = re.compile("\033\\[[0-9;]*m")


@pytest.fixture
def told(capsys) -> Callable[[], list[str]]:
    """The lines on standard error since this was asked last."""
    return lambda: capsys.readouterr().err.splitlines()


def path_of(number: int) -> str:
    return f"Permission denied: '/study/{number}'."


# --- messages of one kind --------------------------------------------------------------------------------------------


def test_errors_when_of_one_kind_then_ten_and_the_number_of_the_others(told):
    output = Output()
    for number in range(610):
        output.error(path_of(number), code="system")
    output.summarize_repeated()
    assert told() == [*(f"Error: {path_of(number)}" for number in range(SHOWN)), "Error: And 600 more like these."]
    output.summarize_repeated()
    assert told() == []


def test_errors_when_ten_then_all_of_them(told):
    output = Output()
    for number in range(SHOWN):
        output.error(path_of(number))
    output.summarize_repeated()
    assert len(told()) == SHOWN


def test_errors_when_of_several_kinds_then_each_is_counted_and_named(told):
    output = Output()
    for number in range(12):
        output.error(path_of(number))
        output.error(f"Job {number:032x} has gone.", hint="Look." if number == 11 else None)
    output.summarize_repeated()
    lines = told()
    assert len(lines) == 2 * SHOWN + 2
    assert lines[-2:] == [
        "Error: And 2 more such as: Permission denied: '/study/0'.",
        f"Error: And 2 more such as: Job {0:032x} has gone. Look.",
    ]


def test_errors_when_they_go_on_after_the_number_then_counted_anew(told):
    output = Output()
    for number in range(12):
        output.error(path_of(number))
    output.summarize_repeated()
    output.error(path_of(12))
    output.finish()
    assert told()[-2:] == ["Error: And 2 more like these.", "Error: And 1 more like these."]


def test_errors_when_json_then_the_number_is_an_object_too(told):
    output = Output(json_errors=True)
    for number in range(15):
        output.error(path_of(number), code="system")
    output.summarize_repeated()
    assert json.loads(told()[-1]) == {"error": {"code": "system", "message": "And 5 more like these.", "count": 5}}


def test_warnings_when_of_one_kind_then_ten_and_the_number_of_the_others(told):
    output = Output()
    for number in range(13):
        output.warn(f"'{number}' was left out.")
    output.summarize_repeated()
    assert told()[-2:] == ["Warning: '9' was left out.", "Warning: And 3 more like these."]


def test_warnings_when_quiet_then_not_even_their_number(told):
    output = Output()
    output.quiet = True
    for number in range(13):
        output.warn(f"'{number}' was left out.")
    output.summarize_repeated()
    assert told() == []


@pytest.fixture
def many(project) -> list[str]:
    """Ids of many jobs."""
    return sorted(project.open_job({"i": i}).init().id for i in range(MANY))


def refuse(*arguments: object, **options: object) -> None:
    path = next(argument for argument in arguments if isinstance(argument, str))
    raise PermissionError(13, "Permission denied", path)


REFUSED = {
    "rm": (["rm", "--filter", "{}"], "signac_core.lifecycle.remove"),
    "move": (["move", "../other", "--filter", "{}"], "os.rename"),
    "clone": (["clone", "../other", "--filter", "{}"], "os.mkdir"),
    "document": (["document", "-f", "{}", "--set", "x=1"], "signac_core.files.replace_file"),
}


@pytest.mark.parametrize("command", REFUSED)
def test_command_when_every_job_is_refused_then_ten_lines_and_all_in_the_report(cli, many, monkeypatch, command):
    arguments, refused = REFUSED[command]
    Project.init_project("../other").open_job({"there": 1}).init()
    monkeypatch.setattr(refused, refuse)
    result = cli(*arguments)
    lines = [line for line in result.err.splitlines() if line.startswith("Error: ")]
    assert (result.status, len(lines), lines[-1]) == (1, SHOWN + 1, f"Error: And {MANY - SHOWN} more like these.")
    assert all("Permission denied: " in line for line in lines[:-1])
    assert f"{MANY} failed." in result.err.splitlines()[-1]
    result = cli("-q", *arguments, "--json")
    assert (result.status, result.err.count("\n")) == (1, SHOWN + 1)
    assert [error["id"] for error in json.loads(result.out)["errors"]] == many


def test_ids_when_many_are_unknown_then_ten_and_their_number(cli, study):
    result = cli("find", "-j", *(f"{number:032x}" for number in range(30)))
    assert (result.status, result.err.count("Error: ")) == (1, SHOWN + 1)
    assert result.err.endswith("Error: And 20 more like these.\n")


def test_export_when_many_paths_are_taken_then_ten_their_number_and_the_hint(cli, many):
    for i in range(MANY):
        Path("out", "i", str(i)).mkdir(parents=True)
        Path("out", "i", str(i), "x").touch()
    result = cli("export", "out")
    assert result.err.splitlines()[-1].startswith(f"Error: And {MANY - SHOWN} more like these. Nothing was written.")
    assert result.err.count("\n") == SHOWN + 1
    assert len(json.loads(cli("export", "out", "--json").out)["errors"]) == MANY


# --- what reaches a terminal -----------------------------------------------------------------------------------------


def test_text_when_made_for_a_screen_then_only_line_breaks_and_tabs_are_kept():
    assert on_screen("a\tb\nä日\u202e\x1b[1m\x85\udce4") == "a\tb\nä日\\u202e\\x1b[1m\\x85\\xe4"
    assert on_screen(b"a\xe4") == "a\\xe4"


@pytest.fixture
def hostile() -> Project:
    """A project with hostile names and values everywhere."""
    os.mkdir(f"p{HOSTILE}")
    os.chdir(f"p{HOSTILE}")
    project = Project.init_project()
    job = project.open_job({"t": HOSTILE, f"k{HOSTILE}": 1, "n": 1}).init()
    project.open_job({"t": "x", "n": 2}).init()
    job.doc.update({"s": HOSTILE, f"d{HOSTILE}": [HOSTILE]})
    Path(job.fn(f"f{HOSTILE}")).touch()
    Path(project.workspace, f"{job.id}{HOSTILE}").touch()
    return project


@pytest.mark.parametrize(
    "arguments",
    [
        ["find", "-s"],
        ["find", "-s", "--plain"],
        ["find", "--path"],
        ["find", "--table", "--path"],
        ["find", "--format", "{id} {t} {doc.s} {path}"],
        ["find", HOSTILE],
        ["--debug", "find", "{" + HOSTILE],
        ["-vvv", "find", "t=x"],
        ["document"],
        ["document", "--plain"],
        ["document", "-f", "n=1", "--set", f"a={HOSTILE}"],
        ["diff"],
        ["diff", "-i"],
        ["schema"],
        ["schema", "--plain"],
        ["neighbors", "-"],
        ["config", "set", "x", HOSTILE.replace("\r", "").replace("\u2028", "")],
        ["config", "show"],
        ["-C", HOSTILE, "find"],
        ["status"],
        ["check"],
        ["view", f"v{HOSTILE}"],
        ["export", f"out{HOSTILE}", "-n"],
        ["job", "-p", '{"t": 1}'],
        ["init", f"sub{HOSTILE}"],
        ["rm", "-i", "--filter", "n=1"],
        [HOSTILE],
    ],
)
def test_terminal_when_names_and_values_are_hostile_then_gets_text_and_styles_only(hostile, arguments):
    text = on_terminal(*arguments, typed=[b"\x04" if "-" in arguments else b"n\n"]).out
    left = STYLE.sub("", text).replace("\n", "").replace("\t", "")
    assert text
    assert left.isprintable()


def test_config_when_shown_on_a_terminal_then_escaped_and_on_a_pipe_exact(hostile):
    value = "\x1b[2Jx\u202e"
    assert execute("config", "set", "x", value).status == 0
    assert on_terminal("config", "show", "x").out == "\\x1b[2Jx\\u202e\n"
    assert execute("config", "show", "x").out == f"{value}\n"


def test_json_when_on_a_terminal_then_escaped_and_still_the_same_data(hostile):
    for options in (["find", "--json", "--doc", "--path"], ["find", "--jsonl", "--doc"], ["schema", "--json"]):
        text = on_terminal(*options).out
        assert text.replace("\n", "").isprintable()
        pipe = execute(*options).out
        assert "\u202e" in pipe
        split = str.splitlines if "--jsonl" in options else lambda whole: [whole]
        assert list(map(json.loads, split(text))) == list(map(json.loads, filter(None, pipe.split("\n"))))


def test_format_when_on_a_pipe_then_exact(hostile):
    assert execute("-q", "find", "n=1", "--format", "{t}").out == f"{HOSTILE}\n"


def test_find_when_records_end_with_nul_on_a_terminal_then_they_do(study):
    assert on_terminal("find", "-0").out.count("\0") == len(study)
