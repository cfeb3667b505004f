"""Much of everything: the work grows as the input does, and nothing ends at the limit of recursion."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from signac_core import Project
from tests.fuzz.chance import CASES
from tests.fuzz.damages import DOC
from tests.fuzz.limits import limited
from tests.support.running import InProcess

SMALL, LARGE = 250, 1000
"""Sizes of input that are compared."""
GROWTH = 1.5 * LARGE / SMALL
"""How much more work the larger one may take; it would be the square of the ratio for a loop in a loop."""
MANY = 1_000_000 if CASES else 100_000

Case = tuple[list[str], str]
"""Arguments and standard input."""


def steps(function: Callable[[], Any]) -> int:
    """Count the instructions that Python executes in a function and in all that it calls."""
    number = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal number
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        number += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return number


@pytest.fixture
def study(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study in the working directory."""
    shutil.copytree(sound, tmp_path / "study", symlinks=True)
    monkeypatch.chdir(tmp_path / "study")
    return tmp_path / "study"


def ids() -> list[str]:
    return sorted(name for name in os.listdir("workspace") if name[0] != ".")


def unknown_ids(number: int, *command: str) -> Case:
    return [*command, "-"], "\n".join(f"{place:032x}" for place in range(number))


def known_ids(number: int, *command: str) -> Case:
    return [*command, "-"], "\n".join((ids() * number)[:number])


def known_paths(number: int, *command: str) -> Case:
    return [*command, "-"], "\0".join(f"{os.getcwd()}/workspace/{job_id}/data" for job_id in (ids() * number)[:number])


def beginnings(number: int, *command: str) -> Case:
    return [*command, "-"], " ".join((["a", "", "0", *(job_id[:6] for job_id in ids())] * number)[:number])


def keys_of_a_document(number: int, *command: str) -> Case:
    (Path("workspace", ids()[0]) / DOC).write_text(json.dumps({f"k{place}": place for place in range(number)}))
    return list(command), ""


def keys_of_state_points(number: int, *command: str) -> Case:
    project = Project()
    for value in range(3):
        project.open_job({f"k{place}": value if place == 0 else place for place in range(number)}).init()
    if command[0] == "indexed":
        project.update_cache()
        command = command[1:]
    return list(command), ""


def filter_tokens(number: int, token: str) -> Case:
    return ["find", *(token.format(place) for place in range(number))], ""


def filter_in_json(number: int, operator: str) -> Case:
    return ["find", json.dumps({operator: [{f"k{place}": place} for place in range(number)]})], ""


def assignments(number: int, option: str, text: str) -> Case:
    return ["document", ids()[0], *(word for place in range(number) for word in (option, text.format(place)))], ""


def fields_of_a_schema(number: int, field: str) -> Case:
    Path("origin/a_1").mkdir(parents=True, exist_ok=True)
    return ["import", "-n", "origin", "_".join(field.format(place) for place in range(number))], ""


def fields_of_a_template(number: int) -> Case:
    return ["find", "--format", "{a}" * number], ""


CASES_OF_LENGTH: list[tuple[Callable[..., Case], tuple[str, ...]]] = [
    (unknown_ids, ("statepoint",)),
    (unknown_ids, ("rm", "-n")),
    (known_ids, ("rm", "-n")),
    (known_ids, ("find", "-j")),
    (known_ids, ("document", "--set", "x=1")),
    (known_paths, ("schema", "-j")),
    (beginnings, ("statepoint",)),
    (keys_of_a_document, ("document",)),
    (keys_of_a_document, ("find", "doc.k1", "--json", "--doc")),
    (keys_of_a_document, ("find", "doc.k1", "--table", "--doc")),
    (keys_of_a_document, ("document", "-f", "a>=0", "--set", "x=1")),
    (keys_of_a_document, ("check",)),
    *[
        (keys_of_state_points, (*indexed, *command))
        for indexed in ((), ("indexed",))
        for command in (("schema",), ("schema", "-t", "2"), ("diff",), ("find", "k1=1", "--table"), ("status",))
    ],
    (keys_of_state_points, ("export", "-n", "../exported", "{job.id}")),
    (keys_of_state_points, ("update-cache",)),
    (filter_tokens, ("k{}=1",)),
    (filter_tokens, ("a>=-{}",)),
    (filter_tokens, ("doc.k{}!=!",)),
    (filter_in_json, ("$and",)),
    (filter_in_json, ("$or",)),
    (assignments, ("--set", "k{}=1")),
    (assignments, ("--set", "k.k{}=1")),
    (assignments, ("--unset", "k{}")),
    (fields_of_a_schema, ("{{k{}}}",)),
    (fields_of_a_schema, ("{{n.k{}:int}}",)),
    (fields_of_a_template, ()),
]


@pytest.mark.parametrize(
    ("case", "details"), CASES_OF_LENGTH, ids=[" ".join([case.__name__, *rest]) for case, rest in CASES_OF_LENGTH]
)
def test_work_when_the_input_is_longer_then_grows_no_faster(cli: InProcess, study: Path, sound: Path, case, details):
    work = []
    for number in (1, SMALL, LARGE):  # the first imports what is needed
        shutil.rmtree(study)
        shutil.copytree(sound, study, symlinks=True)
        os.chdir(study)
        arguments, stdin = case(number, *details)
        work.append(steps(lambda arguments=arguments, stdin=stdin: cli(*arguments, stdin=stdin)))
    assert work[2] <= GROWTH * work[1]


@pytest.mark.parametrize(
    ("number", "case", "details"),
    [
        (MANY, unknown_ids, ("rm", "-n")),
        (MANY, known_ids, ("find", "-j")),
        (MANY // 10, keys_of_a_document, ("find", "--json", "--doc")),
        (MANY // 10, keys_of_a_document, ("document", "-f", "a>=0", "--set", "x=1")),
        (MANY // 100, keys_of_state_points, ("indexed", "schema")),
        (MANY // 100, keys_of_state_points, ("find", "k7=7", "--table")),
        (MANY // 10, filter_tokens, ("k{}=1",)),
        (MANY // 10, filter_in_json, ("$or",)),
    ],
)
def test_very_long_input(cli, study, number, case, details):
    arguments, stdin = case(number, *details)
    with limited(120, 3 << 30):
        result = cli(*arguments, stdin=stdin)
    assert result.status == (1 if case is unknown_ids else 0)
    assert "nested" not in result.err


@pytest.mark.parametrize("levels", [50, 200, 500, 1000, 5000, 100_000])
def test_input_with_many_levels(cli, study, levels):
    deep_list, deep_object = "[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels
    dotted = ".".join("a" * levels)
    for arguments in (
        ["find", f"a={deep_list}"],
        ["find", deep_object],
        ["find", '{"$not":' * levels + '{"a": 1}' + "}" * levels],
        ["find", f"{dotted}=1"],
        ["find", "--sp", dotted, "--json"],
        ["find", "--sort", f"doc.{dotted}"],
        ["find", "--format", "{" + dotted + "}"],
        ["job", "-c", deep_object],
        ["document", "-f", "a=0", "--set", f"x={deep_list}"],
        ["document", "-f", "a=1", "--set", f"{dotted}=1"],
        ["document", "-f", "a=1", "--unset", dotted],
        ["import", "-n", ".", "/".join(["{a}"] * levels)],
        ["export", "-n", "../exported", "a/" * levels + "{job.id}"],
        ["config", "set", dotted, "1"],
        ["find", "--json", "--doc"],
        ["diff"],
        ["schema"],
        ["check"],
    ):
        with limited():
            result = cli(*arguments)
        assert "--debug shows where" not in result.err, (arguments[0], result.err[-500:])
        assert result.status in (0, 1, 2), arguments
        assert "Traceback" not in result.err
    result = cli("find", "a>=0", "name=x")
    assert (result.status, len(result.lines)) == (0, 1)
