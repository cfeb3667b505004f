"""What ``--json`` and ``--jsonl`` print has the shapes that signac-json(5) gives, of every command."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from signac_cli.app import COMMANDS, Program
from signac_core import Project
from tests.cli.json_shapes import PAGE, Array, Object, problems, read_page
from tests.support.running import ROOT

SHAPES = read_page()
PARTS = {"report", "error", "change", "link"}
"""Shapes that others consist of."""

CASES: dict[str, list[str]] = {
    "find": ["find", "find --doc --path", "find -s --sp T nope", "find nope=1"],
    "find --count": ["find --count", "find nope=1 --count"],
    "statepoint": ["statepoint", "statepoint -f nope 1"],
    "document": ["document", "document -f T=1.5"],
    "diff": ["diff", "diff -f T=1"],
    "job": ["job < STATE_POINTS", "job -c < STATE_POINTS"],
    "job STATEPOINT": ["""job '{"T": 1}'""", """job -c '{"T": 7}'"""],
    "neighbors": ["neighbors", "neighbors ONE TWO --ignore name"],
    "rm": ["rm ONE", "rm -n ONE TWO", "rm --filter nope 1", "rm -i ONE < NO"],
    "rm --clear": ["rm -c ONE", "rm -c -n ONE"],
    "document --set": [
        "document ONE --set a=1",
        "document ONE --unset nope",
        "document -f '{}' --set n.steps.x=1",
        "document -n ONE --set a=1",
    ],
    "move": ["move ../other ONE TWO", "move -n ../other ONE", "clone ../other ONE; move ../other ONE"],
    "clone": [
        "clone ../other ONE TWO",
        "clone ../other ONE; clone ../other ONE",
        "clone -n ../other ONE",
        "LINK; clone ../other ONE",
    ],
    "view": ["view", "view -n", "view; rm ONE; view", "view; view -f T=1", "view 'x/{T}'; view '{T}'"],
    "export": [
        "export out",
        "export out; export out",
        "export -n out",
        "export out.zip",
        "TAKE; export out",
        "LINK; export out",
    ],
    "import": [
        "export ../out; rm ONE TWO; import ../out",
        "export ../out; rm ONE; import ../out --skip-existing",
        "export ../out; rm ONE; import -n ../out",
        "export ../out; import ../out --sync",
        "export ../out; import ../out",
        "import .",
        "import .. nothing_{a}/is_{b}/so",
    ],
    "sync": [
        "sync ../other -m",
        "sync ../other -m -n",
        "sync ../other -m -s never --no-keys",
        "sync ../other -m -s always --all-keys -r",
        "sync ../other -m -s ask --all-keys -r -n",
        "sync ../other -m -s always --all-keys -r -H",
        "clone ../other ONE; sync ../other -m -s never --no-keys",
    ],
    "check": ["check", "DAMAGE; check", "LITTER; check"],
    "check --repair": ["check --repair", "DAMAGE; check --repair", "update-cache; DAMAGE; check --repair -n"],
    "init": ["init", "init new", "-C .. init"],
    "update-cache": ["update-cache", "update-cache; update-cache", "DAMAGE; update-cache"],
    "update-cache --check": ["update-cache --check", "update-cache; rm ONE; update-cache --check"],
    "update-cache --clear": ["update-cache --clear", "update-cache; update-cache --clear"],
    "migrate": ["migrate", "migrate -n -r ../old", "migrate -y -r ../old", "BLOCK; migrate -y -r ../old"],
    "config set": ["config set durable yes", "config set site.mail a b", "config set -g durable yes"],
    "config unset": ["config set a 1; config unset a"],
    "schema": ["schema", "schema -f nope 1", "schema -x"],
    "status": [
        "status",
        "update-cache; status",
        "DAMAGE; status",
        "update-cache; rm ONE; status",
        "-C ../other status",
    ],
    "config show": ["config show", "config show schema_version", "config set a 1 2; config show a"],
    "config verify": ["config verify", "config set -g a 1; config verify"],
    "stderr": [
        "find 'T>'",
        "find --nope",
        "-C nowhere find",
        "statepoint zz yy",
        "export out.zip; export out.zip {job.id}",
        "sync ../other",
        "config show nope",
    ],
}


@pytest.fixture
def site(study: dict[str, str], project: Project, tmp_path: Path) -> dict[str, str]:
    """The study, another project that differs from it, and an old one; what the cases call by names."""
    other = Project.init_project("../other")
    for value, energy in ((1.5, -2.0), (9, None)):
        job = other.open_job({"T": value, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}).init()
        Path(job.fn("sub")).mkdir()
        Path(job.fn("sub/deep.txt")).write_text("deep")
        Path(job.fn("out.txt")).write_text("other")
        if energy is not None:
            job.doc.energy = energy
            job.doc.more = {"x": 1}
    Path(project.open_job(id=study["1.5"]).fn("out.txt")).write_text("own")
    other.doc.author = "they"
    project.doc.author = "we"
    old = tmp_path / "old"
    old.mkdir()
    (old / "signac.rc").write_text("project = test\nschema_version = 1\n")
    return {"ONE": study["1"], "TWO": study["1.5"]}


def arrange(word: str, site: dict[str, str], project: Project) -> None:
    match word:
        case "DAMAGE":
            Path(project.workspace, site["ONE"], "signac_statepoint.json").write_text("{")
            Path(project.workspace, site["TWO"], "signac_job_document.json").write_text("{")
        case "LITTER":
            Path(project.workspace, site["ONE"] + "-copy").mkdir()
            Path(project.workspace, f".signac-rm-{site['ONE']}-0123456789abcdef").mkdir()
        case "LINK":
            os.symlink("/nowhere", Path(project.workspace, site["ONE"], "ln"))
        case "TAKE":
            Path("out").write_text("a file")
        case "BLOCK":
            Path("../old/.signac").write_text("in the way")
        case _:
            raise AssertionError(word)


STDIN = {"STATE_POINTS": '{"T": 1}\n{"T": 8}\n', "NO": "n\n"}


def run(cli: Any, line: str, site: dict[str, str], project: Project, option: str) -> Any:
    """Run what a case says, the last command with the option."""
    *before, last = line.split("; ")
    for command in before:
        if command.isupper():
            arrange(command, site, project)
        else:
            assert cli("-q", *(site.get(word, word) for word in shlex.split(command))).status == 0
    command, _, stdin = last.partition(" < ")
    words = [site.get(word, word) for word in shlex.split(command)]
    return cli("-q", *words, option, stdin=STDIN.get(stdin, ""))


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, lines in CASES.items() for line in lines if name != "stderr"]
)
def test_document_when_printed_then_of_the_shape_on_the_page(cli, site, project, name, line):
    result = run(cli, line, site, project, "--json")
    assert result.out.count("\n") == 1, result
    value = json.loads(result.out)
    assert problems(value, SHAPES[name]) == []
    for error in result.err.splitlines():
        assert error.endswith("? [y/N] ") or problems(json.loads(error), SHAPES["stderr"]) == []
    if isinstance(value, dict) and "action" in str(value.get("jobs")):
        assert {job["action"] for job in value["jobs"]} <= value["counts"].keys() - {"failed"}
    if isinstance(value, dict) and isinstance(value.get("errors"), list):
        assert value.get("counts", {}).get("failed", 0) == len(value["errors"])


@pytest.mark.parametrize(
    ("name", "line"),
    [(name, line) for name, lines in CASES.items() if isinstance(SHAPES[name], Array) for line in lines],
)
def test_line_when_printed_then_of_the_shape_of_an_element(cli, site, project, name, line):
    shape = SHAPES[name]
    result = run(cli, line, site, project, "--jsonl")
    values = [json.loads(text) for text in result.lines]
    assert [problem for value in values for problem in problems(value, shape.element)] == []


@pytest.mark.parametrize("line", CASES["stderr"])
def test_error_when_told_then_of_the_shape_on_the_page(cli, site, project, line):
    result = run(cli, line, site, project, "--json")
    assert result.out == ""
    assert result.err
    for text in result.err.splitlines():
        assert problems(json.loads(text), SHAPES["stderr"]) == []


def test_cases_when_counted_then_of_every_shape():
    assert CASES.keys() == SHAPES.keys() - PARTS


def options_of(command: click.Command) -> set[str]:
    return {name for param in command.params if isinstance(param, click.Option) for name in param.opts}


def test_page_when_compared_with_the_commands_then_has_all_that_print_json():
    program = Program()
    context = click.Context(program)
    printing = set()
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        below = getattr(command, "commands", {})
        printing |= {f"{name} {sub}" for sub, inner in below.items() if "--json" in options_of(inner)}
        if not below and "--json" in options_of(command):
            printing.add(name)
    described = {" ".join(word for word in name.split() if not word.startswith("--")) for name in SHAPES}
    assert printing == {name.removesuffix(" STATEPOINT") for name in described} - PARTS - {"stderr"}


def test_page_when_compared_with_the_program_then_has_every_code_of_an_error():
    used = {"error"}
    for file in (ROOT / "signac_cli").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                used.add(node.value.value)
    section = PAGE.read_text(encoding="utf-8").partition("# ERROR MESSAGES")[2]
    described = {
        word for words in re.findall(r"^([a-z -]+) :: ", section, flags=re.MULTILINE) for word in words.split()
    }
    assert described == used


def test_shape_when_a_value_differs_then_said_where():
    shape = SHAPES["find --count"]
    assert problems({"count": 3}, shape) == []
    assert problems({"count": True, "more": 1}, shape) == ["$.more is not on the page", "$.count is true, not N"]
    assert problems({}, shape) == ["$ lacks count"]
    assert problems([{"id": "ab"}], SHAPES["find"]) == ["$[0] lacks sp", '$[0].id is "ab", not ID']
    assert isinstance(SHAPES["check --repair"], Object)
    assert problems("x", SHAPES["update-cache"].keys["state"]) != []
