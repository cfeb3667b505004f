"""The completion scripts: tables of the command tree, and behind them the part that is the same for every tree.

All three shells get the same tables as functions: the commands of a group, the options of a command, what the value of
an option is, what a positional argument is, and which commands have no options behind the first of these. A kind is
``words`` with the words behind it, or a name that the second part of the script knows; all others are asked of
``signac __complete``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .tree import NOTHING, WORDS, Argument, Command, Option, Tree

__all__ = ["SHELLS", "write_script"]

SHELLS = ("bash", "zsh", "fish")

NOTE = "# Written by 'make generated' from the commands, and from tools/shells/engine.{shell}; not to be edited."

COMMANDS = "Sets the names of the commands of a group."
OPTIONS = "Sets the names of the options of a command."
VALUES = "Sets how many values an option of a command takes (nothing, one, maybe, all), and their kind."
STOPS = "Whether a command has no options behind its first argument."
PLACES = "Sets the kind of a positional argument of a command."

GROUP = ""
"""The program itself, as a group of commands."""


def write_script(tree: Tree, shell: str) -> str:
    """Give the completion script of a shell.

    Parameters
    ----------
    tree : Tree
        The commands.
    shell : str
        One of `SHELLS`.

    """
    tables = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    engine = Path(__file__).parent / "shells" / f"engine.{shell}"
    first = "#compdef signac signac-cli\n" if shell == "zsh" else f"# Completion of signac for {shell}.\n"
    parts = [first + NOTE.format(shell=shell), *tables(tree), engine.read_text(encoding="utf-8")]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


# --- what the tables hold --------------------------------------------------------------------------------------------


def _groups(tree: Tree) -> Iterator[tuple[str, tuple[Command, ...]]]:
    yield GROUP, tree.commands
    for command in tree.walk():
        if command.commands:
            yield command.name, command.commands


def _option_lists(tree: Tree) -> Iterator[tuple[str, tuple[Option, ...]]]:
    for command in tree.walk():
        yield command.name, command.options


def _values(tree: Tree) -> Iterator[tuple[str, Option]]:
    """Options with a value, by command."""
    for name, options in [("*", tree.options), *_option_lists(tree)]:
        for option in options:
            if option.takes != NOTHING:
                yield name, option


def _places(tree: Tree) -> Iterator[tuple[str, str, Argument]]:
    """Positional arguments by command and place, counted from 1; ``*`` is any further place."""
    for command in tree.walk():
        for place, argument in enumerate(command.arguments, start=1):
            yield command.name, "*" if argument.many else str(place), argument


def _kind(item: Option | Argument) -> str:
    return f"{WORDS} {' '.join(item.choices)}" if item.choices else item.kind


def _names(options: Iterable[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


# --- bash and zsh -----------------------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _case_function(name: str, comment: str, subject: str, cases: Iterable[str]) -> str:
    body = "".join(f"        {case} ;;\n" for case in cases)
    return f"# {comment}\n{name}() {{\n    case {subject} in\n{body}    esac\n}}"


def _lookup_functions(tree: Tree) -> Iterator[str]:
    """Kinds of values and places, the same in bash and zsh."""
    values = []
    for command, option in _values(tree):
        patterns = [f'*" {name}"' if command == "*" else f'"{command} {name}"' for name in option.names]
        values.append(f"{' | '.join(patterns)}) takes={option.takes} kind={_quoted(_kind(option))}")
    yield _case_function("_signac_option", VALUES, '"$1 $2"', [*values, '*) takes=nothing kind=""'])

    places = []
    for command, place, argument in _places(tree):
        pattern = f'"{command} "*' if place == "*" else f'"{command} {place}"'
        places.append(f"{pattern}) kind={_quoted(_kind(argument))}")
    yield _case_function("_signac_argument", PLACES, '"$1 $2"', [*places, '*) kind=""'])
    stops = [f'"{command.name}") return 0' for command in tree.walk() if not command.interspersed]
    yield _case_function("_signac_stops", STOPS, '"$1"', [*stops, "*) return 1"])


def _bash(tree: Tree) -> Iterator[str]:
    groups = [f'"{name}") names="{" ".join(map(_last, below))}"' for name, below in _groups(tree)]
    yield _case_function("_signac_commands", COMMANDS, '"$1"', [*groups, '*) names=""'])
    lists = [f'"{name}") names="{_names(options)}"' for name, options in _option_lists(tree) if options]
    function = _case_function("_signac_options", OPTIONS, '"$1"', [*lists, '*) names=""'])
    yield function.removesuffix("}") + f'    names+=" {_names(tree.options)}"\n}}'
    yield from _lookup_functions(tree)


def _zsh(tree: Tree) -> Iterator[str]:
    groups = []
    for name, below in _groups(tree):
        described = "".join(f"\n            {_quoted(f'{_last(each)}:{each.summary}')}" for each in below)
        groups.append(f'"{name}")\n        names=({described}\n        )\n       ')
    yield _case_function("_signac_commands", COMMANDS, '"$1"', [*groups, "*) names=()"])
    lists = [
        f'"{name}")\n        names=({_described(options)}\n        )\n       ' for name, options in _option_lists(tree)
    ]
    function = _case_function("_signac_options", OPTIONS, '"$1"', [*lists, "*) names=()"])
    yield function.removesuffix("}") + f"    names+=({_described(tree.options)}\n    )\n}}"
    yield from _lookup_functions(tree)


def _described(options: Iterable[Option]) -> str:
    return "".join(f"\n            {_quoted(f'{name}:{option.help}')}" for option in options for name in option.names)


# --- fish -------------------------------------------------------------------------------------------------------------


def _switch_function(name: str, comment: str, cases: Iterable[tuple[str, Iterable[str]]]) -> str:
    body = "".join(
        f"        case {case}\n" + "".join(f"            {line}\n" for line in lines) for case, lines in cases
    )
    return f'# {comment}\nfunction {name}\n    switch "$argv"\n{body}    end\nend'


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish(tree: Tree) -> Iterator[str]:
    groups = [
        (_fish_quoted(name), [_fish_line(_last(command), command.summary) for command in below])
        for name, below in _groups(tree)
    ]
    yield _switch_function("__signac_commands", "Prints the commands of a group.", groups)
    lists = [(_fish_quoted(name), _fish_lines(options)) for name, options in _option_lists(tree) if options]
    function = _switch_function("__signac_options", "Prints the options of a command.", lists)
    everywhere = "".join(f"    {line}\n" for line in _fish_lines(tree.options))
    yield function.removesuffix("end") + everywhere + "end"

    values = []
    for command, option in _values(tree):
        patterns = " ".join(_fish_quoted(f"{command} {name}") for name in option.names)
        values.append((patterns, [f"echo {option.takes}", f"echo {_fish_quoted(_kind(option))}"]))
    comment = "Prints how many values an option of a command takes, and their kind."
    yield _switch_function("__signac_option", comment, [*values, ("'*'", ["echo nothing", "echo"])])
    places = [
        (_fish_quoted(f"{command} {place}"), [f"echo {_fish_quoted(_kind(argument))}"])
        for command, place, argument in _places(tree)
    ]
    yield _switch_function("__signac_argument", "Prints the kind of a positional argument of a command.", places)
    stops = [(_fish_quoted(command.name), ["return 0"]) for command in tree.walk() if not command.interspersed]
    yield _switch_function("__signac_stops", STOPS, [*stops, ("'*'", ["return 1"])])


def _fish_lines(options: Iterable[Option]) -> list[str]:
    return [_fish_line(name, option.help) for option in options for name in option.names]


def _fish_line(name: str, summary: str) -> str:
    return f"printf '%s\\t%s\\n' {_fish_quoted(name)} {_fish_quoted(summary)}"


def _last(command: Command) -> str:
    return command.name.rpartition(" ")[2]
