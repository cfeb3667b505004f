"""Ten thousand command lines: what signac 2.4.1 accepts is understood as there, but for listed deviations."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import click
import pytest

from signac_cli import arguments as argument_rules
from signac_cli.app import COMMANDS, Program
from signac_cli.output import Output
from signac_cli.session import Session

pytestmark = pytest.mark.slow

SEED = 241
LINES = 10_000
ENOUGH, ENOUGH_OF_EACH = 6_000, 200
"""So many of the command lines are accepted by signac; a generator that writes nonsense would test nothing."""

DRIVER = Path(__file__).with_name("argv_driver.py")

# --- what there is to write --------------------------------------------------------------------------------------

PLAIN_WORDS = """
    a b a.b sp.a doc.x a.$gt $lt T p 0 1 1.5 1e3 true null ! 9bfd 9bfd29df07674bc4aa960cf661b5acd2 /re/ /a-b/ x=1 a>=1
    {"a":0} {"a":{"$in":[1,2]}} [] view out.zip ../other ./x {a}/{b} {{auto}} a_{a:int} .*\\.log show set - = == @file
"""
WORDS = [*PLAIN_WORDS.split(), "", " ", "a b", "-a b", "-5", "-0.5", "-.5", "-12", "-1", "-0", "Å", "a\nb", '"1"']

INTEGERS = ["0", "1", "2", "3", "5", "12", "007", "+2", "-1", "-3"]
NO_INTEGERS = ["x", "1.5", "", "9bfd"]
STRATEGIES = ["always", "never", "update", "Ask"]


class Option(NamedTuple):
    """An option of signac 2.4.1: its names, and what follows it: nothing, ``integer``, ``text``, ``strategy`` ..."""

    names: tuple[str, ...]
    value: str = ""
    """Nothing, ``integer``, ``text`` or ``strategy``; with ``?`` where it may be left out, ``*`` or ``+`` for many."""


def options(text: str) -> tuple[Option, ...]:
    """Options, one each line: names, then what follows."""
    rows = (line.split() for line in text.splitlines())
    return tuple(Option(tuple(row[0].split(",")), *row[1:]) for row in rows if row)


SELECTION = """
    -f,--filter text+
    -j,--job-id text+
"""
LAYOUT = """
    -p,--pretty integer?
    -i,--indent integer?
    -s,--sort
"""

GRAMMAR: Mapping[tuple[str, ...], tuple[Sequence[int], tuple[Option, ...]]] = {
    ("init",): ([0], ()),
    ("job",): ([0, 1], options("-p,--path\n-w,--workspace\n-c,--create")),
    ("statepoint",): ([0, 1, 3], options(LAYOUT)),
    ("document",): ([0, 1, 3], options(LAYOUT + "-f,--filter text+")),
    ("find",): (
        [0, 1, 2, 4],
        options("-s,--show integer?\n--sp text*\n--doc text*\n-p,--pretty integer?\n-1,--one-line"),
    ),
    ("diff",): ([0, 1, 3], options("-p,--pretty integer?\n-i,--indent integer?\n-f,--filter text+")),
    ("neighbors",): ([0, 1, 2], options("--ignore text+")),
    ("schema",): (
        [0],
        options(
            SELECTION + "-x,--exclude-const\n-t,--depth integer\n-p,--precision integer\n-r,--max-num-range integer"
        ),
    ),
    ("view",): ([0, 1], options(SELECTION + "-p,--prefix text?")),
    ("export",): ([1, 2], options(SELECTION + "--move")),
    ("import",): ([0, 1, 2], options("--move\n--sync\n--sync-interactive")),
    ("sync",): (
        [1, 2],
        options(
            SELECTION
            + """
            -a,--archive
            -r,--recursive
            -l,--links
            -p,--perms
            -o,--owner
            -g,--group
            -t,--times
            -x,--exclude text?
            -I,--ignore-times
            --size-only
            --round-times
            -n,--dry-run
            -u,--update
            -s,--strategy strategy
            -k,--key text
            --all-keys
            --no-keys
            -m,--merge
            --force
            --parallel integer?
            --stats
            -H,--human-readable
            --json
            """
        ),
    ),
    ("rm",): ([1, 3], options("-c,--clear\n-i,--interactive")),
    ("move",): ([2, 3], ()),
    ("clone",): ([2, 3], ()),
    ("update-cache",): ([0], ()),
    ("config", "show"): ([0, 1, 2], ()),
    ("config", "set"): ([2, 3], options("-f,--force")),
    ("config", "verify"): ([0], ()),
    ("migrate",): ([0], options("-r,--root-directory text\n-y,--yes")),
    ("shell",): ([0, 1], options(SELECTION + "-c,--command text")),
}
"""How many positional arguments each command takes, and its options."""

CONFIG_OPTIONS = options("-g,--global\n-l,--local\n-f,--force")
GLOBAL_OPTIONS = options("-v,--verbosity\n--debug\n-y,--yes")
HELP = Option(("-h", "--help"))


class Writer:
    """Writes command lines, always the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def lines(self, number: int) -> Iterator[list[str]]:
        commands = list(GRAMMAR)
        for _ in range(number):
            yield self.line(self.random.choice([*commands, ("find",), ("sync",)]))

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def line(self, command: tuple[str, ...]) -> list[str]:
        numbers, known = GRAMMAR[command]
        before = self.options(GLOBAL_OPTIONS, self.random.randint(1, 2)) if self.chance(0.1) else []
        if command[0] == "config" and self.chance(0.4):
            command = ("config", *self.options(CONFIG_OPTIONS, self.random.randint(1, 2)), command[1])
        pool = [*known, HELP] if self.chance(0.02) else known
        written = [self.option(self.random.choice(pool), pool) for _ in range(self.random.randint(0, 4)) if pool]
        number = self.random.choice(numbers) if self.chance(0.95) else self.random.randint(0, 4)
        positionals = [self.random.choice(WORDS) for _ in range(number)]
        if self.chance(0.1):  # spread among the options
            written = [[token] for token in positionals] + written
            self.random.shuffle(written)
            return [*before, *command, *chain.from_iterable(written)]
        place = 0 if self.chance(0.5) else len(written)
        if self.chance(0.2):
            positionals.insert(0 if self.chance(0.8) else self.random.randint(0, number), "--")
            place = len(written)
        return [*before, *command, *chain.from_iterable([*written[:place], positionals, *written[place:]])]

    def options(self, known: Sequence[Option], number: int) -> list[str]:
        return [token for _ in range(number) for token in self.option(self.random.choice(known), known)]

    def option(self, option: Option, known: Sequence[Option]) -> list[str]:
        """One option, or several short ones in one argument, with the values that follow."""
        short, long = option.names[0], option.names[-1]
        values = self.values(option.value)
        if short.startswith("--") or self.chance(0.6):
            name = long if self.chance(0.6) else long[: self.random.randint(3, len(long))]
            if len(values) == 1 and self.chance(0.4):
                return [f"{name}={values[0]}"]
            return [name, *values]
        flags = [one.names[0][1] for one in known if not one.value and not one.names[0].startswith("--")]
        cluster = "".join(self.random.sample(flags, min(len(flags), self.random.randint(0, 2))))
        name = "-" + cluster + short[1]
        if len(values) == 1 and self.chance(0.4):
            return [name + self.random.choice(["", "", "="]) + values[0]]
        return [name, *values]

    def values(self, kind: str) -> list[str]:
        if not kind:
            return [self.random.choice(WORDS)] if self.chance(0.005) else []
        name = kind.rstrip("?*+")
        number = 1
        if kind.endswith("?"):
            number = self.random.randint(0, 1)
        elif kind != name:
            number = self.random.randint(0 if kind.endswith("*") else 1, 4)
        return [self.value(name) for _ in range(number)]

    def value(self, kind: str) -> str:
        if kind == "integer":
            return self.random.choice(INTEGERS if self.chance(0.95) else NO_INTEGERS)
        if kind == "strategy":
            return self.random.choice(STRATEGIES if self.chance(0.95) else ["other", "Always"])
        return self.random.choice(WORDS)


# --- what the two programs read ------------------------------------------------------------------------------------

NAMES = """
    init
    job              statepoint path workspace create
    statepoint       job_id:ids pretty indent sort:sort_keys
    document         job_id:ids pretty indent sort:sort_keys filter:filter_tokens
    find             filter:filter_tokens show sp:sp_keys doc:doc_keys pretty one_line
    diff             job_id:ids pretty indent filter:filter_tokens
    neighbors        job_id:ids ignore:ignored
    schema           exclude_const depth precision max_num_range:shown filter:filter_tokens job_id:job_ids
    view             prefix path filter:filter_tokens job_id:job_ids
    export           target schema_path:path move filter:filter_tokens job_id:job_ids
    import           origin schema_path:path move sync sync_interactive
    sync             source destination archive recursive links perms owner group times exclude deep:ignore_times
    sync             size_only round_times dry_run update strategy key:keys all_keys no_keys merge parallel stats
    sync             human_readable json:as_json filter:filter_tokens job_id:job_ids
    rm               job_id:ids clear interactive
    move             project:directory job_id:ids
    clone            project:directory job_id:ids
    update-cache
    show             key:keys
    set              key value:values
    verify
    migrate          root_directory
    shell            file command:source filter:filter_tokens job_id:job_ids
"""
"""What signac calls the values of each command, and what they are called here if that is not the same."""


def names_of(command: str) -> dict[str, str]:
    """Names of the values of a command: there, and here."""
    rows = [row.split() for row in NAMES.splitlines()]
    pairs = [name.partition(":") for row in rows if row[:1] == [command] for name in row[1:]]
    return {theirs: ours or theirs for theirs, _, ours in pairs}


def ask_signac(python: Path, lines: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """What signac reads on each command line; ``{"status": ..., "out": ...}`` where it goes no further."""
    done = subprocess.run(
        [python, "-I", DRIVER], input=json.dumps(lines), capture_output=True, text=True, check=True, timeout=300
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    for answer in answers:
        if "status" not in answer:
            answer["verbosity"] -= 2  # the level without -v
    return answers


class Reader:
    """Reads command lines with our commands, which do not run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[click.Context] = []
        monkeypatch.setattr(argument_rules.Command, "invoke", lambda command, context: self.seen.append(context))
        monkeypatch.setattr(Output, "write", lambda output, text: None)

    def __call__(self, arguments: Sequence[str]) -> dict[str, Any]:
        """What we read, in the words of signac; ``{"status": ...}`` where it ends there."""
        self.seen.clear()
        session = Session(Output())
        program = Program()
        try:
            with program.make_context("signac", list(arguments), obj=session) as context:
                program.invoke(context)
        except click.exceptions.Exit as finished:
            return {"status": finished.exit_code}
        except click.UsageError as error:
            return {"status": error.exit_code, "message": error.format_message()}
        (context,) = self.seen
        values = {theirs: context.params[ours] for theirs, ours in names_of(str(context.command.name)).items()}
        values |= {"debug": session.debug, "yes": session.yes, "verbosity": session._verbosity}
        if context.command.name in ("show", "set", "verify"):
            for name, scope in (("globalcfg", "global"), ("local", "local"), ("force", "force")):
                values[name] = f"signac_cli.config.{scope}" in context.meta
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


# --- where they differ ---------------------------------------------------------------------------------------------


class Reading(NamedTuple):
    """A command line, and what each program understands; ``ours`` may be the refusal of a usage error."""

    line: list[str]
    theirs: Mapping[str, Any]
    ours: Mapping[str, Any]

    @property
    def differing(self) -> set[str]:
        """What is not the same: values by name, or ``status`` if one of the programs goes no further."""
        if "status" in self.theirs or "status" in self.ours:
            return {"status"}
        return {name for name in self.theirs if self.theirs[name] != self.ours[name]}

    @property
    def refusal(self) -> str:
        return str(self.ours.get("message", ""))


def _zero_is_a_flag(one: Reading) -> bool:
    return "-0" in one.line and not {"job", "statepoint", "document", "diff"}.isdisjoint(one.line)


def _one_is_awaited(one: Reading) -> bool:
    return "find" in one.line and "-1" in one.ours.get("filter", ()) and one.differing <= {"filter", "one_line"}


def _ones_are_a_number(one: Reading) -> bool:
    return "find" in one.line and any(re.fullmatch("-11+", token) for token in one.line)


def _depth_is_refused(one: Reading) -> bool:
    return "--pretty" in one.refusal and one.theirs["pretty"] <= 0


def _number_of_threads_is_refused(one: Reading) -> bool:
    return "--parallel" in one.refusal and one.theirs["parallel"] < 0


def _empty_name_is_refused(one: Reading) -> bool:
    return "an empty name" in one.refusal


def _options_end_at_the_script(one: Reading) -> bool:
    return "file" in one.ours and one.differing <= {"command", "filter", "job_id", "status"}


def _bare_prefix_has_a_value(one: Reading) -> bool:
    return one.differing == {"prefix"} and (one.theirs["prefix"], one.ours["prefix"]) == (None, "view")


def _option_before_the_subcommand_counts(one: Reading) -> bool:
    return one.differing == {"force"} and one.ours["force"] and one.line.index("set") > 1


def _yes_before_the_command_counts(one: Reading) -> bool:
    return one.differing == {"yes"} and one.ours["yes"] and "migrate" in one.line


def _equals_sign_is_no_value(one: Reading) -> bool:
    return any(re.match(r"-\w{2,}=", token) for token in one.line)


def _second_value_is_refused(one: Reading) -> bool:
    return "was given twice" in one.refusal


DEVIATIONS: Mapping[Callable[[Reading], bool], str] = {
    _zero_is_a_flag: "-0 is the new option --null; as a value it needs -- or an infix condition (a hint says so)",
    _one_is_awaited: "-1 directly behind the key of a filter is its value; signac reads the option, and finds all jobs",
    _ones_are_a_number: "a negative number other than -1 and -0 is a value; signac reads -11 as the option -1, twice",
    _depth_is_refused: "a depth below 1 (find) or 0 is refused at once; signac fails with the first job or ignores it",
    _number_of_threads_is_refused: "a number of threads below 0 is refused at once; signac fails when it needs them",
    _empty_name_is_refused: "an empty name of a directory is a variable that is not set, not the current directory",
    _options_end_at_the_script: "what follows the script is for the script; signac has no arguments of scripts",
    _bare_prefix_has_a_value: "-p without a directory is the default directory, which signac takes, too, but later",
    _option_before_the_subcommand_counts: "signac forgets 'config -f' when it reads the 'set' behind it",
    _yes_before_the_command_counts: "signac forgets its own 'signac -y' when it reads the 'migrate' behind it",
    _second_value_is_refused: "an option is refused that has two values where one counts; signac forgets the first",
    _equals_sign_is_no_value: "in joined short options -yr=DIR is -y -r=DIR, as in newer versions of argparse",
}
"""Command lines that are meant to be understood otherwise than by signac, and why."""


def compare(line: list[str], theirs: Mapping[str, Any], ours: Mapping[str, Any], bare: Mapping[str, Any]) -> Reading:
    """Both readings in the same words; ``bare`` is what signac has when no options are given."""
    expected = {name: value for name, value in theirs.items() if name != "out"}
    found = {name: bare.get(name) if value is None else value for name, value in ours.items()}
    if "merge" in expected:
        expected["merge"] |= expected.pop("force")  # one option with two names
        expected["parallel"] = 0 if expected["parallel"] is True else expected["parallel"]  # as many as there are
        for repeatable in ("exclude", "key"):
            found[repeatable] = (found.get(repeatable) or [None])[-1]  # signac heeds the last one
    if "root_directory" in expected:
        expected["root_directory"] = expected["root_directory"] or "."
    return Reading(line, expected, found)


def test_command_lines_when_signac_accepts_them_then_understood_the_same(peer_python, monkeypatch):
    lines = list(Writer(SEED).lines(LINES))
    shortest = {command: [*command, *["x"] * min(numbers)] for command, (numbers, _) in GRAMMAR.items()}
    answers = ask_signac(peer_python, [*lines, *shortest.values()])
    bare = dict(zip(shortest, answers[LINES:], strict=True))
    read = Reader(monkeypatch)
    accepted: Counter[tuple[str, ...]] = Counter()
    met: Counter[str] = Counter()
    wrong = []
    for line, theirs in zip(lines, answers[:LINES], strict=True):
        if theirs.get("status", 0) != 0:
            continue
        command = next(command for command in GRAMMAR if is_of(command, line))
        accepted[command] += 1
        one = compare(line, theirs, read(line), bare[command])
        if one.theirs != one.ours:
            reason = next((reason for applies, reason in DEVIATIONS.items() if applies(one)), None)
            met[reason or ""] += 1
            if reason is None:
                wrong.append(one)
    assert wrong[:3] == []
    assert set(met) == set(DEVIATIONS.values())  # none of them is there for nothing
    assert accepted.total() >= ENOUGH
    assert min(accepted[command] for command in GRAMMAR) >= ENOUGH_OF_EACH


def test_options_of_signac_when_compared_with_the_generator_then_none_is_missing(peer_python):
    commands = list(GRAMMAR)
    for command, answer in zip(commands, ask_signac(peer_python, [[*one, "--help"] for one in commands]), strict=True):
        told = set(re.findall(r"(?<![\w-])--?[a-zA-Z1][\w-]*", re.sub(r"(?s)^.*?\noption", "", answer["out"])))
        told = {name for name in told if re.search(rf"(?m)^  (-\w[^-]*, )?{name}", answer["out"])}
        assert told - {"-h", "--help"} == {name for option in GRAMMAR[command][1] for name in option.names}


def is_of(command: tuple[str, ...], line: list[str]) -> bool:
    """Tell whether this is the command of a line."""
    words = [token for token in line if token in COMMANDS or token in ("show", "set", "verify")]
    return tuple(words[: len(command)]) == command
