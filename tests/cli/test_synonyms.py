from __future__ import annotations

import re
import shlex

import click
import pytest

from signac_cli import synonyms
from signac_cli.app import COMMANDS, Program
from signac_cli.arguments import GLOBAL_OPTIONS
from signac_cli.output import Output
from signac_cli.session import Session

GLOBAL = {name for option in GLOBAL_OPTIONS for name in option.opts}


def meant(name: str) -> list[str]:
    """What a message offers for the name of a command."""
    return re.findall(r"'(.*?)'", synonyms.of_command(name, COMMANDS))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("create new add CREATE creat", "signac job -c"),
        ("ls list search query", "signac find"),
        ("remove delete del", "signac rm"),
        ("cp copy", "signac clone"),
        ("mv rename", "signac move"),
        ("merge", "signac sync"),
        ("upgrade", "signac migrate"),
        ("fnd", "find"),
        ("migrte", "migrate"),
        ("udpate-cache", "update-cache"),
        ("exprot", "export"),
        ("jbo", "job"),
        ("helpp hlep", "signac help"),
    ],
)
def test_command_when_called_otherwise_then_the_one_that_is_meant(words, expected):
    assert [meant(word) for word in words.split()] == [[expected]] * len(words.split())


@pytest.mark.parametrize("word", ["xyz", "rn", "q", "", "-", "crumble"])
def test_command_when_nothing_is_like_it_then_no_guess(word):
    assert meant(word) == []


def test_commands_when_offered_then_exist_with_their_options():
    program = Program()
    for line in {line for word in synonyms._COMMANDS for line in meant(word)}:
        _, name, *options = shlex.split(line)
        if name in ("--version", "help"):
            continue
        command = program.get_command(click.Context(program), name)
        assert command is not None, line
        known = {option for param in command.params for option in param.opts} | set(getattr(command, "commands", ()))
        assert set(options) <= known, line


def test_words_when_listed_then_none_is_a_command_that_there_is():
    assert synonyms._COMMANDS.keys().isdisjoint(COMMANDS)
    config = Program().get_command(None, "config")
    assert isinstance(config, click.Group)
    assert synonyms._CONFIG_COMMANDS.keys().isdisjoint(config.commands)
    assert set(synonyms._CONFIG_COMMANDS.values()) <= config.commands.keys()


def test_words_when_one_means_something_that_cannot_be_taken_back_then_they_say_so():
    assert {word for word in synonyms._COMMANDS if meant(word) == ["signac migrate"]} == {"upgrade"}
    removing = {word for word in synonyms._COMMANDS if meant(word) == ["signac rm"]}
    assert removing == {"remove", "delete", "del", "erase", "rmdir", "unlink", "destroy", "drop"}


def test_options_when_offered_then_of_some_command():
    program = Program()
    known = set(GLOBAL)
    for name in COMMANDS:
        command = program.get_command(click.Context(program, obj=Session(Output())), name)
        known |= {option for param in command.params for option in param.opts}
    offered = {option for choices in synonyms._OPTIONS.values() for option, _ in choices if option}
    assert offered <= known


def test_option_when_the_command_lacks_what_is_meant_then_no_guess():
    assert synonyms.of_option("--csv", ["--format"]) == "--format '{id},{sp.KEY},{doc.KEY}'"
    assert synonyms.of_option("--csv", ["--json"]) == ""
    assert synonyms.of_option("--merge", ["--sync"]) == "--sync"
    assert synonyms.of_option("--merge", []) == "'signac sync'"
    assert synonyms.of_option("--nonsense", ["--json"]) == ""
