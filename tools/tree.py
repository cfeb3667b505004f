"""The tree of commands as plain data: what the manual pages and the completion scripts are made of."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from signac_cli.app import COMMANDS, Program
from signac_cli.arguments import GLOBAL_OPTIONS, Rules

__all__ = ["Argument", "Command", "Option", "Tree", "read_tree"]

NOTHING, ONE, MAYBE, ALL = "nothing", "one", "maybe", "all"
"""How many values an option takes."""

WORDS, DIRECTORIES, FILES, TEXT, NUMBER = "words", "directories", "files", "text", "number"

KINDS = {
    "ARG": FILES,
    "CODE": TEXT,
    "COMMAND": TEXT,
    "DEPTH": NUMBER,
    "DESTINATION": DIRECTORIES,
    "DIR": DIRECTORIES,
    "FILE": FILES,
    "FILTER": "filter",
    "I/N": TEXT,
    "ID": "ids",
    "KEY": "statepoint-keys",
    "N": NUMBER,
    "ORIGIN": FILES,
    "PATH": TEXT,
    "PROJECT": DIRECTORIES,
    "RE": TEXT,
    "REGEX": TEXT,
    "SOURCE": DIRECTORIES,
    "STATEPOINT": TEXT,
    "TARGET": FILES,
    "TEMPLATE": TEXT,
    "VALUE": TEXT,
}
"""What a placeholder of the help stands for: one of the kinds above, or a kind of `signac_cli.complete`."""

KINDS_OF_OPTIONS = {
    "--doc": "document-keys",
    "--set": "assignments",
    "--sort": "order-keys",
    "--unset": "document-keys",
    "sync --key": TEXT,
}
"""Where that depends on the option, or on the option of one command."""

KINDS_OF_ARGUMENTS = {
    "config": TEXT,
}
"""Where that depends on the command."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command.

    Parameters
    ----------
    names : tuple of str
        Short names first.
    takes : str
        How many values it takes.
    metavar : str
        The placeholder of the value, as in the help; empty without one.
    kind : str
        What the value is.
    choices : tuple of str
        The values, if there are no others.
    help : str
        What it does.

    """

    names: tuple[str, ...]
    takes: str
    metavar: str
    kind: str
    choices: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class Argument:
    """A positional argument: its placeholder, what it is, if it can be left out, and if there can be several."""

    metavar: str
    kind: str
    choices: tuple[str, ...]
    optional: bool
    many: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a command of a command.

    Parameters
    ----------
    name : str
        What is typed, without the name of the program: ``find``, ``config show``.
    summary : str
        One line.
    paragraphs : tuple of str
        What its help says.
    options : tuple of Option
        Without the global ones.
    arguments : tuple of Argument
        In their order.
    interspersed : bool
        Options can stand behind positional arguments.
    commands : tuple of Command
        Those of a group.

    """

    name: str
    summary: str
    paragraphs: tuple[str, ...]
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    interspersed: bool
    commands: tuple[Command, ...]

    def walk(self) -> Iterator[Command]:
        """Give the command, and all below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


@dataclass(frozen=True, slots=True)
class Tree:
    """The program."""

    summary: str
    options: tuple[Option, ...]
    commands: tuple[Command, ...]

    def walk(self) -> Iterator[Command]:
        """Give all commands at every depth."""
        for command in self.commands:
            yield from command.walk()


def read_tree() -> Tree:
    """Import every command and describe it.

    Raises
    ------
    LookupError
        If a placeholder is new, so that nobody knows what to complete in its place.

    """
    program = Program()
    context = click.Context(program, info_name="signac")
    commands = []
    for name, (_, summary) in COMMANDS.items():
        command = program.get_command(context, name)
        assert command is not None
        commands.append(_command(command, name, summary, context))
    options = tuple(_option(option, "", Rules()) for option in GLOBAL_OPTIONS)
    return Tree(program.help or "", options, tuple(commands))


def _command(command: click.Command, name: str, summary: str, parent: click.Context) -> Command:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent)
    rules = getattr(command, "rules", Rules())
    text = inspect.cleandoc(command.help or summary)
    paragraphs = tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    below = []
    if isinstance(command, click.Group):
        for below_name in command.list_commands(context):
            below_command = command.get_command(context, below_name)
            assert below_command is not None
            help_line = below_command.get_short_help_str(limit=200)
            below.append(_command(below_command, f"{name} {below_name}", help_line, context))
    own = [param for param in command.params if param not in GLOBAL_OPTIONS]
    return Command(
        name,
        summary,
        paragraphs,
        tuple(_option(param, name, rules) for param in own if isinstance(param, click.Option)),
        tuple(_argument(param, name) for param in own if isinstance(param, click.Argument)),
        rules.interspersed,
        tuple(below),
    )


def _option(option: click.Option, command: str, rules: Rules) -> Option:
    long_name = next(name for name in option.opts if name.startswith("--"))
    names = tuple(sorted(option.opts, key=lambda name: name.startswith("--")))
    help_text = option.help or ""
    if option.is_flag or option.count:
        return Option(names, NOTHING, "", TEXT, (), help_text)
    takes = ALL if long_name in rules.greedy else MAYBE if long_name in rules.optional else ONE
    choices = _choices(option)
    metavar = option.metavar or "|".join(choices) or option.type.name.upper()
    special = KINDS_OF_OPTIONS.get(f"{command} {long_name}", KINDS_OF_OPTIONS.get(long_name))
    kind = WORDS if choices else special or _kind(metavar, f"{command} {long_name}")
    return Option(names, takes, metavar, kind, choices, help_text)


def _argument(argument: click.Argument, command: str) -> Argument:
    choices = _choices(argument)
    metavar = argument.metavar or (argument.name or "").upper()
    kind = WORDS if choices else KINDS_OF_ARGUMENTS.get(command.partition(" ")[0]) or _kind(metavar, command)
    return Argument(metavar, kind, choices, not argument.required, argument.nargs == -1)


def _choices(param: click.Parameter) -> tuple[str, ...]:
    choices: Any = param.type.choices if isinstance(param.type, click.Choice) else ()
    return tuple(map(str, choices))


def _kind(metavar: str, where: str) -> str:
    placeholder = re.findall(r"[A-Z]+(?:/[A-Z]+)?", metavar)
    if not placeholder or placeholder[0] not in KINDS:
        raise LookupError(f"{where}: add the placeholder '{metavar}' to KINDS in tools/tree.py.")
    return KINDS[placeholder[0]]
