"""Help, manual pages and completion scripts: each has every command and option, and nothing more."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from signac_cli.app import COMMANDS, Program
from signac_cli.arguments import GLOBAL_OPTIONS
from signac_cli.complete import KINDS
from signac_cli.examples import EXAMPLES
from signac_cli.output import Output
from signac_cli.session import Session
from signac_core.query import TESTS
from tests.support.running import ROOT, TIMEOUT, environment
from tools.manpages import WRITTEN

MAN = ROOT / "man"
LINES = 40
GLOBAL = {name for option in GLOBAL_OPTIONS for name in option.opts}


def every_command() -> Iterator[tuple[str, click.Command]]:
    """The commands with their names, those of groups included."""
    program = Program()
    for name in COMMANDS:
        command = program.get_command(click.Context(program), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in command.commands.items())


ALL = dict(every_command())


def options(command: click.Command) -> set[str]:
    return {name for param in command.params if isinstance(param, click.Option) for name in param.opts} - GLOBAL


OPTIONS = {name: options(command) for name, command in ALL.items()}


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_help_when_shown_then_has_every_option_and_an_example_on_one_screen(cli, name):
    result = cli(*name.split(), "--help")
    assert (result.status, result.err) == (0, "")
    assert len(result.lines) <= LINES
    before, _, after = result.out.partition("\nGlobal options")
    heads = re.findall(r"^  (-.*?)(?:  |$)", before.partition("\nOptions:")[2], flags=re.MULTILINE)
    assert {word for head in heads for word in re.findall(r"(?:^|, )(--?[\w-]+)", head)} == OPTIONS[name]
    listed, _, examples = after.partition("\nExamples:\n")
    assert set(re.findall(r"(?<![\w'])(--?[\w-]+)", listed.partition("\n")[2])) == GLOBAL
    assert examples.replace("\n  ", "\n").strip() == EXAMPLES[name].strip()


@pytest.mark.parametrize("name", ["", *ALL])
def test_help_when_the_terminal_is_narrow_then_no_line_is_longer(cli, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "40")
    result = cli(*name.split(), "--help")
    text, _, _ = result.out.partition("\nExamples:\n")  # which are to be copied as they are
    assert [line for line in text.splitlines() if len(line) > 40] == []
    monkeypatch.setenv("COLUMNS", "200")
    wide = cli(*name.split(), "--help").out
    assert max(map(len, wide.splitlines())) <= 80
    assert re.findall(r"(?<![\w'])--?[\w-]+", text) == re.findall(
        r"(?<![\w'])--?[\w-]+", wide.partition("\nExamples:\n")[0]
    )


def test_help_of_the_program_when_shown_then_fits_on_one_screen(cli):
    result = cli("--help")
    assert len(result.lines) <= LINES
    assert max(map(len, result.lines)) <= 80
    assert re.findall(r"^  ([a-z-]+)  ", result.out.partition("Commands:")[2], flags=re.MULTILINE) == list(COMMANDS)


# --- examples --------------------------------------------------------------------------------------------------------


def test_examples_when_listed_then_of_every_command_and_of_no_other():
    assert set(EXAMPLES) == set(ALL)
    assert max(len(line) for text in EXAMPLES.values() for line in text.splitlines()) <= 76


def invocations(text: str) -> Iterator[list[str]]:
    """Arguments of each call of the program in a shell script."""
    for line in text.replace("$SLURM_ARRAY_TASK_ID", "0").splitlines():
        lexer = shlex.shlex(
            line.replace('"$(signac', "$(signac").replace(')"', ")"), posix=True, punctuation_chars=True
        )
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&$"):
                if words[:1] == ["signac"]:
                    yield words[1:]
                words = []
            else:
                words.append(word)


@pytest.mark.parametrize("name", ALL)
def test_examples_when_parsed_then_use_the_command_and_its_options_as_they_are(name):
    calls = [call for call in invocations(EXAMPLES[name]) if call[: len(name.split())] == name.split()]
    assert calls
    for call in invocations(EXAMPLES[name]):
        program = Program()
        context = click.Context(program, info_name="signac", obj=Session(Output()))
        command, rest = ALL[call[0]], call[1:]
        if isinstance(command, click.Group):
            command, rest = ALL[" ".join(call[:2])], call[2:]
        command.make_context(call[0], rest, parent=context)


# --- manual pages ----------------------------------------------------------------------------------------------------


def unescaped(text: str) -> str:
    for escape, character in {"\\-": "-", "\\(aq": "'", "\\&": "", '"': ""}.items():
        text = text.replace(escape, character)
    return text


def option_names(lines: str) -> set[str]:
    heads = re.findall(r"^\.It (Fl .*)", lines, flags=re.MULTILINE)
    return {f"-{unescaped(name)}" for head in heads for name in re.findall(r"Fl (\S+)", head)}


@pytest.mark.parametrize("name", COMMANDS)
def test_page_when_of_a_command_then_has_every_option(name):
    text = (MAN / f"signac-{name}.1").read_text()
    description = text.partition(".Sh DESCRIPTION\n")[2].partition(".Sh ")[0]
    head, *parts = re.split(r"^\.Ss signac (.*)\n", unescaped(description), flags=re.MULTILINE)
    found = {name: option_names(head)} | {
        each: option_names(part) for each, part in zip(parts[::2], parts[1::2], strict=True)
    }
    assert found == {each: OPTIONS[each] for each in ALL if each.split()[0] == name}
    titles = re.findall(r"^\.Sh (.*)", text, flags=re.MULTILINE)
    assert titles == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO",
    ]  # fmt: skip


def test_page_of_filters_when_read_then_has_every_operator():
    page = (ROOT / "tools" / "pages" / "signac-filter.7.txt").read_text(encoding="utf-8")
    described = re.findall(r"^(\$[a-z $]+) ::", page, flags=re.MULTILINE)
    assert {word for words in described for word in words.split()} == {*TESTS, "$and", "$or", "$not"}


def test_pages_when_listed_then_of_every_command_and_of_no_other():
    others = {"signac.1", *WRITTEN}
    assert {path.name for path in MAN.iterdir()} == {f"signac-{name}.1" for name in COMMANDS} | others


def test_page_of_the_program_when_read_then_has_every_command_global_option_and_variable():
    text = (MAN / "signac.1").read_text()
    commands = text.partition(".Ss Commands\n")[2].partition(".Ss ")[0]
    assert re.findall(r"^\.It Xr signac-(\S+) 1$", commands, flags=re.MULTILINE) == list(COMMANDS)
    assert option_names(text.partition(".Ss Global options\n")[2].partition(".Ss ")[0]) == GLOBAL
    sources = [path for package in ("signac_core", "signac_cli") for path in (ROOT / package).rglob("*.py")]
    variables = {name for path in sources for name in re.findall(r'"(SIGNAC_[A-Z_]+)"', path.read_text())}
    listed = re.findall(r"^\.It Ev (SIGNAC_\S+)", text, flags=re.MULTILINE)
    assert sorted(listed) == sorted(variables)


def test_pages_when_they_refer_to_pages_then_to_those_that_exist():
    pages = {path.name for path in MAN.iterdir()}
    for path in MAN.iterdir():
        references = re.findall(r"^\.Xr (\S+) (\d)|^\.It Xr (\S+) (\d)", path.read_text(), flags=re.MULTILINE)
        assert {f"{one or other}.{first or second}" for one, first, other, second in references} <= pages


def test_pages_when_checked_then_without_a_complaint():
    if shutil.which("mandoc") is None:
        reason = "mandoc is not installed (ci/system-packages installs it)"
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    run = subprocess.run(
        ["mandoc", "-Tlint", *sorted(MAN.iterdir())], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    # It looks for other pages where the system has its own; another test looks for them here.
    complaints = [line for line in run.stdout.splitlines() if "referenced manual not found: Xr signac" not in line]
    assert [line for line in complaints if ": outdated mandoc.db" not in line] == []


# --- completion scripts ----------------------------------------------------------------------------------------------


def function(name: str, text: str) -> str:
    """Body of a shell function."""
    return re.split(rf"^(?:{name}\(\) {{|function {name}(?: .*)?$)", text, flags=re.MULTILINE)[1].split("\n\n")[0]


BASH = (ROOT / "completions" / "signac.bash").read_text()
ZSH = (ROOT / "completions" / "signac.zsh").read_text()
FISH = (ROOT / "completions" / "signac.fish").read_text()


def tables(what: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """What each script has about commands or options: names, by the command that they belong to."""
    bash = function(f"_signac_{what}", BASH)
    yield "bash", {name: words.split() for name, words in re.findall(r'"(.*?)"\) names="(.*?)"', bash)}
    zsh = re.findall(r'^        "(.*?)"\)\n(.*?);;', function(f"_signac_{what}", ZSH), flags=re.MULTILINE | re.DOTALL)
    yield "zsh", {name: re.findall(r"^ +'(.*?):", body, flags=re.MULTILINE) for name, body in zsh}
    fish = re.split(
        r"^        case '(.*)'\n", function(f"__signac_{what}", FISH).partition("\n    end\n")[0], flags=re.M
    )
    bodies = dict(zip(fish[1::2], fish[2::2], strict=True))
    yield "fish", {name: re.findall(r"'%s\\t%s\\n' '(.*?)' '", body) for name, body in bodies.items()}


def test_scripts_when_read_then_have_every_command():
    expected = {"": list(COMMANDS)}
    for name, command in ALL.items():
        if isinstance(command, click.Group):
            expected[name] = list(command.list_commands(click.Context(command)))
    assert dict(tables("commands")) == dict.fromkeys(("bash", "zsh", "fish"), expected)


def test_scripts_when_read_then_have_every_option():
    expected = {name: names for name, names in OPTIONS.items() if names}
    for _shell, found in tables("options"):
        assert {name: set(names) for name, names in found.items() if names} == expected
    for script in (BASH, ZSH, FISH):
        everywhere = re.split(r"^    (?:esac|end)$", function("_{1,2}signac_options", script), flags=re.MULTILINE)[1]
        assert set(re.findall(r"(?<=[ '])--?[\w-]+(?=[ :'\"])", everywhere)) == GLOBAL


def test_scripts_when_they_ask_then_for_what_is_answered():
    known = {"directories", "files", "number", "text", ""}
    for script in (BASH, ZSH):
        kinds = set(re.findall(r"kind='(.*?)'", script))
        assert {kind for kind in kinds if not kind.startswith("words ")} <= known | set(KINDS)
    assert "conditions" in KINDS


# --- drift -----------------------------------------------------------------------------------------------------------


def test_generated_files_when_written_again_then_the_same():
    run = subprocess.run(
        [sys.executable, "-m", "tools", "--check"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_when_asked_for_then_prints_the_script(cli, shell):
    result = cli("completion", shell)
    assert (result.status, result.err) == (0, "")
    assert result.out == (ROOT / "completions" / f"signac.{shell}").read_text()


def test_completion_when_the_script_is_missing_then_one_line(cli, monkeypatch, tmp_path: Path):
    from signac_cli.commands import completion

    monkeypatch.setattr(completion, "__file__", str(tmp_path / "a" / "b" / "completion.py"))
    result = cli("completion", "bash")
    assert (result.status, result.out) == (1, "")
    assert "signac.bash" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["completion"], ["completion", "tcsh"], ["completion", "bash", "zsh"]])
def test_completion_when_no_shell_or_another_is_named_then_usage(cli, arguments):
    result = cli(*arguments)
    assert (result.status, result.out) == (2, "")
