"""What is changed because a filter has selected it: nothing by a slip, and on a terminal not without a question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import PROGRAM, on_terminal, snapshot

CHANGES = {
    "rm": ["rm"],
    "rm --clear": ["rm", "-c"],
    "move": ["move", "../other"],
    "document --set": ["document", "--set", "x=1"],
    "document --unset": ["document", "--unset", "energy"],
}
"""Command lines that refuse a key alone, and on a terminal ask before they change several jobs."""

REFUSES = CHANGES | {"clone": ["clone", "../other"]}

QUESTIONS = {
    "rm": "Remove",
    "rm --clear": "Clear",
    "move": "Move",
    "document --set": "Change the documents of",
    "document --unset": "Change the documents of",
    "export --move": "Move",
}

ASKS = CHANGES | {"export --move": ["export", "../out", "--move"]}

ALL_WITH_DOCUMENTS = ["1", "1.5", "2"]


@pytest.fixture(autouse=True)
def documents(study: dict[str, str], project: Project) -> None:
    """Another project beside the study, and three documents in this one."""
    Project.init_project("../other")
    for name in ALL_WITH_DOCUMENTS:
        project.open_job(id=study[name]).doc.energy = -1


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSES)
@pytest.mark.parametrize(
    ("tokens", "key"),
    [
        (["T"], "T"),
        (["p", "3", "T"], "T"),
        (["p=3", "T"], "T"),
        (["doc.energy"], "doc.energy"),
        (["T.$gt"], "T.$gt"),
    ],
)
@pytest.mark.parametrize("option", ["-f", "--filter"])
@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_change_when_the_filter_ends_with_a_key_alone_then_refused_with_how_to_write_it(
    cli, name, tokens, key, option, dry_run
):
    before = snapshot("..")
    result = cli(*REFUSES[name], *dry_run, option, *tokens)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert f"The filter ends with the key '{key}' alone" in result.err
    bare = key.removesuffix(".$gt")
    assert f"'{bare}>2'" in result.err
    assert f"'{bare}=!'" in result.err
    assert snapshot("..") == before


@pytest.mark.parametrize("name", REFUSES)
@pytest.mark.parametrize(
    ("tokens", "reason", "advice"),
    [
        (["[]"], "A filter in JSON is an object such as '{\"a\": 1}', not [].", "All jobs are '{}'."),
        (["T!="], "The condition 'T!=' has no value", "'T!=\"\"'"),
        (["T=1", "doc.status="], "The condition 'doc.status=' has no value", "'doc.status=\"\"'"),
        (["T=1", "-"], "Job ids ('-') and a filter exclude each other.", "Give one of them."),
        ([""], "An empty filter argument", "check for an unset variable"),
        (["T=1", ""], "An empty filter argument", "check for an unset variable"),
        (['{"T": 1'], "is incomplete JSON", "put single quotes around the whole filter"),
    ],
)
def test_change_when_a_part_of_the_filter_is_empty_then_refused_with_how_to_write_it(cli, name, tokens, reason, advice):
    before = snapshot("..")
    result = cli(*REFUSES[name], "-f", *tokens)
    assert (result.status in (1, 2), result.out, result.err.count("\n")) == (True, "", 1)
    assert reason in result.err
    assert advice in result.err
    assert snapshot("..") == before


@pytest.mark.parametrize("tokens", [['T!=""'], ["T", "a="], ['doc.status=""'], ["T", "!", "name", ""]])
def test_change_when_an_empty_text_is_meant_then_written_so(cli, tokens):
    assert cli("rm", "-n", "-f", *tokens).status == 0


@pytest.mark.parametrize("slip", ["T>2.9", "T<1"])
def test_change_when_a_shell_takes_the_condition_for_itself_then_nothing_is_done(project, slip):
    Path("1").touch()
    before = set(project)
    line = f"{' '.join(PROGRAM)} rm --filter {slip}"
    assert on_terminal(command=["/bin/sh", "-c", line]).status == 2
    assert set(project) == before


@pytest.mark.parametrize(
    ("tokens", "number"),
    [(["T=!"], 4), (["T", "!"], 4), (['{"T": {"$exists": true}}'], 4), (["doc.status!=!"], 3), (["{}"], 4)],
)
def test_change_when_all_that_have_a_key_are_meant_then_written_so(cli, tokens, number):
    assert len(cli("-q", "rm", "-n", "-f", *tokens).lines) == number


@pytest.mark.parametrize("name", REFUSES)
@pytest.mark.parametrize("words", [["{id}"], ["{short}"], ["workspace/{id}/"], ["{id}", "{short}"], ["-"]])
def test_change_when_ids_follow_the_filter_option_then_refused(cli, study, name, words):
    before = snapshot("..")
    words = [word.format(id=study["1"], short=study["2"][:4]) for word in words]
    result = cli(*REFUSES[name], "-f", *words, stdin=study["1"])
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert f"'{words[0]}' looks like an id" in result.err
    assert "no -f for 'force'" in result.err
    assert f"{words[0]}'." in result.err
    assert snapshot("..") == before


def test_change_when_a_key_looks_like_an_id_then_its_condition_is_accepted(cli, project):
    project.open_job({"face": 1000}).init()
    assert len(cli("-q", "rm", "-n", "-f", "face=1000").lines) == 1
    assert cli("-q", "rm", "-n", "-f", "face", "1000").status == 2
    assert len(cli("-q", "rm", "-n", "-f", "face", "1000", "T!=!").lines) == 1


@pytest.mark.parametrize("arguments", [["document"], ["find"], ["schema"], ["view", "-n"], ["export", "../out", "-n"]])
def test_filter_when_nothing_is_changed_then_a_key_alone_is_accepted(cli, arguments):
    option = [] if arguments == ["find"] else ["-f"]
    assert cli(*arguments, *option, "T").status == 0


# --- what is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("quiet", [[], ["-q"]])
@pytest.mark.parametrize("answer", [b"n\n", b"\n"])
def test_change_of_several_when_answered_no_then_nothing_is_done_and_status_1(name, quiet, answer):
    before = snapshot("..")
    result = on_terminal(*quiet, *ASKS[name], "-f", "p", "3", typed=[answer])
    assert result.status == 1
    assert f"{QUESTIONS[name]} 2 of 4 jobs, those that match '{{\"p\": 3}}'? [y/N]" in result.out
    assert "The answer was no; nothing has been changed." in result.out
    assert snapshot("..") == before


@pytest.mark.parametrize("name", ASKS)
def test_change_of_several_when_answered_yes_then_done(name):
    before = snapshot("..")
    result = on_terminal(*ASKS[name], "-f", "doc.energy=-1", typed=[b"y\n"])
    assert (result.status, result.out.count("[y/N]")) == (0, 1)
    assert snapshot("..") != before


@pytest.mark.parametrize(
    ("tokens", "question"),
    [
        (["{}"], "Remove all 4 jobs? [y/N]"),
        (["{ }"], "Remove all 4 jobs? [y/N]"),
        (["T=!"], 'Remove all 4 jobs, those that match \'{"T": {"$exists": true}}\'? [y/N]'),
        (["T>=1.5"], 'Remove 2 of 4 jobs, those that match \'{"T": {"$gte": 1.5}}\'? [y/N]'),
    ],
)
def test_question_when_asked_then_says_how_many_and_how_the_filter_was_understood(tokens, question):
    assert question in on_terminal("rm", "-f", *tokens, typed=[b"n\n"]).out


def test_question_when_the_filter_is_long_then_stays_in_sight():
    values = ", ".join(map(str, range(1000)))
    out = on_terminal("-q", "rm", "-f", f'{{"p": {{"$in": [{values}]}}}}', typed=[b"n\n"]).out
    assert out.startswith('Remove all 4 jobs, those that match \'{"p": {"$in": [0, 1, ')
    assert "...'? [y/N]" in out
    assert len(out) < 700


def test_question_when_input_ends_or_is_interrupted_then_nothing_is_done():
    before = snapshot("..")
    assert on_terminal("rm", "-f", "{}", typed=[b"\x04"]).status == 1
    assert on_terminal("rm", "-f", "{}", typed=[b"\x03"]).status == 130
    assert snapshot("..") == before


def test_question_when_refused_with_json_then_the_error_is_json():
    result = on_terminal("rm", "--json", "-f", "{}", typed=[b"n\n"])
    assert '{"error": {"code": "refused"' in result.out


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("yes", ["-y", "SIGNAC_YES"])
def test_change_of_several_when_yes_is_given_then_not_asked(name, yes):
    options, env = (["-y"], {}) if yes == "-y" else ([], {"SIGNAC_YES": "1"})
    result = on_terminal(*ASKS[name], "-f", "p=3", *options, env=env)
    assert (result.status, "[y/N]" in result.out) == (0, False)


@pytest.mark.parametrize("value", ["", " ", "0", "no", "N", "False", "f", "off"])
def test_change_of_several_when_the_variable_says_no_then_asked(value):
    result = on_terminal("rm", "-f", "p=3", env={"SIGNAC_YES": value}, typed=[b"n\n"])
    assert (result.status, "[y/N]" in result.out) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rm", "-f", "T=1"],
        ["rm", "-n", "-f", "{}"],
        ["rm", "-f", "T=99"],
        ["document", "-f", "{}"],
        ["document", "-f", "{}", "--set", "x=1", "-n"],
        ["clone", "../other", "-f", "{}"],
        ["move", "../other", "-n", "-f", "{}"],
        ["export", "../out", "-f", "{}"],
        ["export", "../out", "--move"],
        ["view", "-f", "T"],
    ],
)
def test_command_when_there_is_nothing_to_lose_then_not_asked(arguments):
    result = on_terminal(*arguments)
    assert (result.status, "[y/N]" in result.out) == (0, False)


def test_change_when_ids_are_given_then_not_asked(study):
    result = on_terminal("rm", study["1"], study["2"])
    assert (result.status, result.out) == (0, "Removed 2 jobs.\n")


def test_rm_when_interactive_then_asked_for_each_job_and_for_nothing_else():
    result = on_terminal("rm", "-i", "-f", "p=3", typed=[b"n\n", b"n\n"])
    assert result.out.count("[y/N]") == 2
    assert "Removed 0 jobs, 2 kept." in result.out


@pytest.mark.parametrize("piped", ["stdin", "stderr"])
@pytest.mark.parametrize("name", ASKS)
def test_change_when_there_is_nobody_to_ask_then_done(name, piped):
    redirected = {"stdin": "</dev/null", "stderr": "2>log"}[piped]
    line = " ".join([*PROGRAM, *ASKS[name], "-f", "p=3", redirected])
    result = on_terminal(command=["/bin/sh", "-c", line])
    assert (result.status, "[y/N]" in result.out) == (0, False)


# --- the same options everywhere -------------------------------------------------------------------------------------

SELECTING: dict[str, Callable[[str], list[str]]] = {
    "find": lambda _: ["find"],
    "statepoint": lambda _: ["statepoint", "--format", "{id}"],
    "document": lambda _: ["document", "--format", "{id}"],
    "rm": lambda _: ["rm", "-n"],
    "move": lambda other: ["move", other, "-n"],
    "clone": lambda other: ["clone", other, "-n"],
    "diff": lambda _: ["diff", "--format", "{id}"],
}


@pytest.mark.parametrize("name", SELECTING)
def test_jobs_when_selected_by_either_option_then_the_same_for_every_command(cli, study, name):
    line = SELECTING[name]("../other")
    expected = sorted([study["2"], study["-5"]])
    for option in ("-f", "--filter"):
        assert cli("-q", *line, option, "p=3").lines == expected
    for option in ("-j", "--job-id"):
        assert cli("-q", *line, option, *expected).lines == expected
        assert cli("-q", *line, option, "-", stdin="\n".join(expected)).lines == expected


@pytest.mark.parametrize("arguments", [["p=3", "-f", "T=1"], ["-f", "T=1", "-f", "p=3"]])
def test_find_when_there_are_two_filters_then_none_is_forgotten(cli, arguments):
    result = cli("find", *arguments)
    assert (result.status, result.out) == (2, "")
