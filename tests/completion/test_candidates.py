"""``signac __complete``: what it answers, and what it costs."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signac_cli import complete
from signac_core import Project
from signac_core.filterparse import parse_tokens
from tests.support.running import environment, execute

IDS = [f"{number:032x}" for number in (0x10 << 120, 0x11 << 120, 0x2F << 120)]


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Asks for candidates in this process."""

    def ask(kind: str, *tokens: str, directories: tuple[str, ...] = ()) -> list[str]:
        assert complete.main([kind, *directories, "--", *tokens]) == 0
        return capfd.readouterr().out.splitlines()

    return ask


def make_directories(project: Project, ids: list[str]) -> None:
    for job_id in ids:
        Path(project.workspace, job_id).mkdir()


# --- ids -------------------------------------------------------------------------------------------------------------


def test_ids_when_few_then_all_of_them(project, ask):
    make_directories(project, [*IDS, ".signac-new-x", f"{IDS[0]}.bak"])
    assert ask("ids", "") == IDS
    assert ask("ids", "1") == IDS[:2]
    assert ask("ids", "11") == [IDS[1]]
    assert ask("ids", "3") == []


def test_ids_when_many_then_only_behind_two_digits(project, ask, monkeypatch):
    monkeypatch.setattr(complete, "LIMIT", 2)
    make_directories(project, IDS)
    assert ask("ids", "") == []
    assert ask("ids", "1") == IDS[:2]
    assert ask("ids", "10") == [IDS[0]]


def test_candidates_when_more_than_the_limit_then_the_first_and_the_last_are_among_them(project):
    ids = [f"ab{number:030x}" for number in range(1000)]
    make_directories(project, ids)
    found = complete.candidates(project.path, "ids", "", "ab", 200)
    assert len(found) == 200
    assert (found[0], found[-1]) == (ids[0], ids[-1])
    assert found == sorted(set(found))


# --- keys and values -------------------------------------------------------------------------------------------------


def test_values_when_offered_then_read_by_a_filter_as_what_they_are(project, ask):
    values = ["plain", "two words", "1", "1.5", "true", "null", "!", "/x/", "{}", '"', "-1", "-x", "a=b", "", "ü", True]
    values += [None, 0, -2, 1.5, [1, "a"], 10**30]
    for value in values:
        project.open_job({"v": value}).init()
    in_place = ask("filter", "v", "")
    assert sorted(repr(parse_tokens(["v", text])["v"]) for text in in_place) == sorted(map(repr, values))
    behind = ask("filter", "v=")
    assert sorted(repr(parse_tokens([text])["v"]) for text in behind) == sorted(map(repr, values))
    assert not [text for text in in_place if text.startswith("-") and not text[1:].isdigit()]


def test_values_when_of_one_type_then_in_their_natural_order(project, ask):
    for value in (10, 9, -1.5, True, "b", "a"):
        project.open_job({"v": value}).init()
    assert ask("filter", "v=") == ["v=true", "v=-1.5", "v=9", "v=10", "v=a", "v=b"]


def test_values_when_an_argument_would_be_a_flag_then_only_behind_the_sign(project, ask):
    project.open_job({"v": -1}).init()
    assert ask("filter", "v", "") == []
    assert ask("filter", "v=") == ["v=-1"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "a\nb", "\033[0m", "x" * 61, {"a": {}}, [0] * 40])
def test_values_when_nobody_can_type_them_then_not_offered(project, ask, value):
    directory = Path(project.workspace, IDS[0])
    directory.mkdir()
    (directory / "signac_statepoint.json").write_text(json.dumps({"v": value, "w": 1}))
    assert ask("filter", "v=") == []
    assert ask("filter", "w=") == ["w=1"]


def test_keys_when_nested_then_dotted(project, ask):
    project.open_job({"a": {"b": {"c": 1}, "empty": {}}, "list": [{"x": 1}]}).init()
    assert ask("statepoint-keys", "") == ["a.b.c", "a.empty", "list"]
    assert ask("filter", "a.b") == ["a.b.c"]
    assert ask("filter", "sp.a.b") == ["sp.a.b.c"]


def test_keys_when_they_hold_an_operator_then_not_offered(project, ask):
    project.open_job({"a=b": 1, "c": {"d<e": 2}, "f": 1}).init()
    assert ask("filter", "") == ["f"]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["T", "1", ""], ["T", "doc.x"]),
        (["T", "!", "d"], ["doc.x"]),
        (["T>=1", "T", ""], ["1", "2"]),
        (["T", "T>=1", ""], ["T", "doc.x"]),
        (["T.$gt", ""], ["1", "2"]),
        (["doc.x", ""], ["3"]),
        (["T!="], ["T!=1", "T!=2"]),
        (["T~"], []),
        (["doc.x<="], ["doc.x<=3"]),
        (['{"T": 1}', ""], []),
    ],
)
def test_filter_when_tokens_are_in_front_then_keys_and_values_take_turns(project, ask, tokens, expected):
    for T in (1, 2):
        project.open_job({"T": T}).init().doc.x = 3
    assert ask("filter", *tokens) == expected


def test_condition_when_its_key_is_found_then_offered_with_every_operator(project, ask):
    project.open_job({"T": 1, "p": 2}).init()
    assert ask("conditions", "T") == ["T=", "T!=", "T<", "T<=", "T>", "T>=", "T~"]
    assert ask("conditions", "") == ["T", "p"]
    assert ask("conditions", "T", "") == ["1"]
    assert ask("conditions", "T>") == ["T>1"]


def test_order_keys_when_some_are_named_then_the_others(project, ask):
    project.open_job({"T": 1, "p": 2}).init()
    assert ask("order-keys", "") == ["id", "T", "p"]
    assert ask("order-keys", "T,") == ["T,id", "T,p"]
    assert ask("order-keys", "-T,-") == ["-T,-id", "-T,-p"]
    assert ask("order-keys", "-p") == ["-p"]


# --- where -----------------------------------------------------------------------------------------------------------


def test_project_when_named_by_directories_then_that_of_the_last(project, ask, monkeypatch):
    make_directories(project, IDS)
    monkeypatch.chdir("..")
    assert ask("ids", "") == []
    assert ask("ids", "", directories=("work", "workspace")) == IDS
    monkeypatch.setenv("SIGNAC_PROJECT_DIR", "work")
    assert ask("ids", "") == IDS
    assert ask("ids", "", directories=(".",)) == []


@pytest.mark.parametrize(
    "arguments", [[], ["ids"], ["nonsense", "--", ""], ["ids", "--"], ["ids", "/nowhere", "--", ""]]
)
def test_answer_when_the_question_makes_no_sense_then_empty(project, capfd, arguments):
    assert complete.main(arguments) == 0
    assert capfd.readouterr() == ("", "")


def test_answer_when_jobs_are_damaged_then_that_of_the_others(project, ask):
    good = project.open_job({"T": 1}).init()
    for job_id, content in zip(IDS, ["{", "[1]", "\0"], strict=True):
        Path(project.workspace, job_id).mkdir()
        Path(project.workspace, job_id, "signac_statepoint.json").write_text(content)
    Path(good.path, "signac_job_document.json").write_text("{")
    assert ask("filter", "") == ["T"]


# --- costs -----------------------------------------------------------------------------------------------------------


def test_keys_when_there_are_many_jobs_then_a_bounded_number_is_read(project, ask, monkeypatch):
    for T in range(120):
        project.open_job({"T": T}).init()
    opened = []

    def count(*arguments):
        opened.append(arguments)
        return builtins.open(*arguments)

    monkeypatch.setattr(complete, "open", count, raising=False)
    assert ask("statepoint-keys", "") == ["T"]
    assert len(opened) == 100


@pytest.mark.parametrize("question", [["ids", "--", ""], ["filter", "--", "T", ""], ["assignments", "--", ""]])
def test_question_when_asked_then_answered_without_click(project, question):
    project.open_job({"T": 1}).init()
    program = "import sys, signac_cli\nsignac_cli.main()\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", program, "__complete", *question],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(run.stderr.split())
    assert loaded.isdisjoint({"click", "rich", "numpy", "logging", "signac_core.project", "signac_cli.app"})
    assert "signac_cli.complete" in loaded


def test_keys_when_a_document_has_very_many_levels_then_those_of_the_others_are_offered(project):
    for T in range(3):
        project.open_job({"T": T}).init().doc.e = T
    Path(project.open_job({"T": 1}).fn("signac_job_document.json")).write_text('{"a": ' * 100_000)
    assert execute("__complete", "document-keys", "--", "").out == "e\n"


@pytest.mark.parametrize("filename", ["signac_statepoint.json", "signac_job_document.json"])
def test_keys_when_a_pipe_stands_in_the_place_of_a_file_then_nobody_waits_for_it(project, filename):
    for T in range(3):
        project.open_job({"T": T}).init().doc.e = T
    path = Path(project.open_job({"T": 1}).fn(filename))
    path.unlink()
    os.mkfifo(path)
    for asked, found in ((["filter", "--", "T", ""], "0\n2\n"), (["document-keys", "--", ""], "e\n")):
        result = execute("__complete", *asked)
        assert (result.status, result.out) in ((0, found), (0, "0\n1\n2\n"))
