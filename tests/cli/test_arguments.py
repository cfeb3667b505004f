from __future__ import annotations

import argparse

import click
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from signac_cli.app import COMMANDS, Program
from signac_cli.arguments import Command, Rules, Tokens, canonical
from signac_cli.commands.document import command as document
from signac_cli.commands.find import command as find
from signac_cli.commands.job import command as job
from signac_cli.commands.rm import command as rm
from signac_cli.commands.statepoint import command as statepoint
from signac_cli.commands.sync import command as sync
from signac_cli.commands.view import command as view


def parse(command: click.Command, *arguments: str) -> dict[str, object]:
    """What Click makes of the arguments once they are canonical."""
    assert isinstance(command, Command)
    context = click.Context(command, obj=None, resilient_parsing=True)
    command.parse_args(context, list(arguments))
    return context.params


def rewrite(command: click.Command, *arguments: str) -> list[str]:
    assert isinstance(command, Command)
    return canonical(arguments, command.params, command.rules)[0]


def hints(command: click.Command, *arguments: str) -> list[str]:
    assert isinstance(command, Command)
    return canonical(arguments, command.params, command.rules)[1]


# --- the rules of signac 2.4.1 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a", "1", "--sp", "a", "b"], {"filter_tokens": ("a", "1"), "sp_keys": ("a", "b")}),
        (["--sp"], {"sp_keys": ()}),
        (["--sort", "-T", "a"], {"sort_keys": (("sp", "T", True),), "filter_tokens": ("a",)}),
        (["--sort", "-1"], {"sort_keys": (("sp", "1", True),), "one_line": False}),
        (["--sort=-doc.a,id"], {"sort_keys": (("doc", "a", True), ("id", "", False))}),
        (["--sort", "-s", "-s"], {"sort_keys": (("sp", "s", True),), "show": 3}),
        (["--sp", ""], {"sp_keys": ("",)}),
        (["--sp", "a", "--", "a", "1"], {"filter_tokens": ("a", "1"), "sp_keys": ("a",)}),
        (["--sp=a", "b"], {"filter_tokens": ("b",), "sp_keys": ("a",)}),
        (["--sp", "a", "--doc", "b", "c", "-1"], {"sp_keys": ("a",), "doc_keys": ("b", "c"), "one_line": True}),
        (["--sp", "a", "--sp", "a"], {"sp_keys": ("a",)}),
        (["-f", "a", "1", "-s"], {"conditions": ("a", "1"), "show": 3}),
        (["-s", "a", "1"], {"show": 3, "filter_tokens": ("a", "1")}),
        (["a", "1", "-s", "2"], {"show": 2, "filter_tokens": ("a", "1")}),
        (["-s1"], {"show": 1}),
        (["-s", "0"], {"show": 0}),
        (["-s=4"], {"show": 4}),
        (["--show=4"], {"show": 4}),
        (["-s"], {"show": 3}),
        (["-s", "--", "5", "x"], {"show": 3, "filter_tokens": ("5", "x")}),
        (["a", "1", "-s", "-1"], {"filter_tokens": ("a", "1"), "show": 3, "one_line": True}),
        (["-1s"], {"one_line": True, "show": 3}),
        (["-sp2"], {"show": 3, "pretty": 2}),
        (["--sho"], {"show": 3}),
        (["--one", "--pre=1"], {"one_line": True, "pretty": 1}),
        (["-"], {"filter_tokens": ("-",)}),
        (["a", "", "--", "--sp"], {"filter_tokens": ("a", "", "--sp")}),
        (["--", "-1", "--", "-s"], {"filter_tokens": ("-1", "--", "-s")}),
        (["name", "-x y"], {"filter_tokens": ("name", "-x y")}),
        (["-j", "9bfd", "-", "-s"], {"job_ids": ("9bfd", "-"), "show": 3}),
        (["-j9bfd", "a"], {"job_ids": ("9bfd",), "filter_tokens": ("a",)}),
        (["-L5", "--limit", "5"], {"limit": 5}),
        (["--shard=3/4"], {"shard": (3, 4)}),
    ],
)
def test_find_arguments_when_parsed_then_follow_the_rules(arguments, expected):
    params = parse(find, *arguments)
    assert {name: params[name] for name in expected} == expected
    defaults = parse(find)
    assert {name: value for name, value in params.items() if name not in expected} == {
        name: value for name, value in defaults.items() if name not in expected
    }


def test_optional_text_when_attached_then_is_a_value_even_if_it_begins_like_an_option():
    assert parse(sync, "-mxout.zip", "src")["exclude"] == ("out.zip",)
    assert parse(view, "-pfiles")["prefix"] == "files"


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        (job, ["-cp", "{}"], {"create": True, "path": True, "statepoint": "{}"}),
        (job, ["-5"], {"statepoint": "-5"}),
        (job, ["--pa", "{}", "--cre"], {"create": True, "path": True}),
        (statepoint, ["-i4", "-s"], {"indent": 4, "sort_keys": True}),
        (statepoint, ["-i", "-5", "-p", "9bfd"], {"indent": -5, "pretty": 3, "ids": ("9bfd",)}),
        (statepoint, ["-is", "9bfd"], {"indent": 2, "sort_keys": True, "ids": ("9bfd",)}),
        (statepoint, ["-1"], {"ids": ("-1",)}),
        (document, ["-f", "a", "-1", "-0"], {"filter_tokens": ("a", "-1"), "null": True}),
        (document, ["-fa", "b"], {"filter_tokens": ("a",), "ids": ("b",)}),
        (document, ["--fil", "a", "1", "-p", "2"], {"filter_tokens": ("a", "1"), "pretty": 2}),
        (document, ["--set", "a=1", "--set=b=-2", "x"], {"assignments": ("a=1", "b=-2"), "ids": ("x",)}),
        (rm, ["a", "-ci", "b"], {"clear": True, "interactive": True, "ids": ("a", "b")}),
        (rm, ["--filter", "a", "1"], {"filter_tokens": ("a", "1")}),
        (rm, ["-f", "a", "1", "-n"], {"filter_tokens": ("a", "1"), "dry_run": True}),
        (rm, ["-j", "a", "b"], {"job_ids": ("a", "b")}),
        (sync, ["x", "-k", "a", "--key=b", "-xc", "-x", "d"], {"keys": ("a", "b"), "exclude": ("c", "d")}),
    ],
)
def test_arguments_when_parsed_then_follow_the_rules(command, arguments, expected):
    params = parse(command, *arguments)
    assert {name: params[name] for name in expected} == expected


@pytest.mark.parametrize("number", ["-5", "-1.0", "-10", "-1.", "-.5", "-1e5", "-1.5E-3", "-inf", "-00", "-2"])
def test_negative_number_when_in_filter_position_then_a_value(number):
    assert parse(find, "a", number)["filter_tokens"] == ("a", number)
    assert parse(document, "-f", "a", number)["filter_tokens"] == ("a", number)


@pytest.mark.parametrize(
    ("arguments", "tokens", "flag"),
    [
        (["a", "-1"], ("a", "-1"), False),
        (["b", "1", "a", "-1"], ("b", "1", "a", "-1"), False),
        (["a", "-1", "n", "q"], ("a", "-1", "n", "q"), False),
        (["a", "-1", "-1"], ("a", "-1"), True),
        (["a", "-1", "b", "-1"], ("a", "-1", "b", "-1"), False),
        (["a>1", "c", "-1"], ("a>1", "c", "-1"), False),
        (["a.$gt", "-1"], ("a.$gt", "-1"), False),
        (["-s", "a", "-1"], ("a", "-1"), False),
        (["-q", "a", "-1", "-s"], ("a", "-1"), False),
        (["--", "a", "-1"], ("a", "-1"), False),
        (["-1", "a", "-1"], ("a", "-1"), True),
        (["a", "1", "-1"], ("a", "1"), True),
        (["a", "!", "-1"], ("a", "!"), True),
        (["a=1", "-1"], ("a=1",), True),
        (["a>=1", "-1"], ("a>=1",), True),
        (['{"a": 1}', "-1"], ('{"a": 1}',), True),
        (["-1"], (), True),
        (["a", "-s", "-1"], ("a",), True),
        (["a", "1", "--sp", "b", "-1"], ("a", "1"), True),
        (["a", "--sp", "-1"], ("a",), True),
    ],
)
def test_one_with_a_minus_sign_when_directly_behind_a_key_then_its_value_else_the_option(arguments, tokens, flag):
    params = parse(find, *arguments)
    assert (params["filter_tokens"], params["one_line"]) == (tokens, flag)


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        (find, ["a", "-0"], {"filter_tokens": ("a", "-0"), "null": False}),
        (find, ["a", "1", "-0"], {"filter_tokens": ("a", "1"), "null": True}),
        (document, ["-f", "a", "-0"], {"filter_tokens": ("a", "-0"), "null": False}),
        (document, ["-f", "a", "-0", "-0"], {"filter_tokens": ("a", "-0"), "null": True}),
        (document, ["-f", "a", "-0", "b", "-0"], {"filter_tokens": ("a", "-0", "b", "-0"), "null": False}),
        (document, ["-f", "a=1", "-0"], {"filter_tokens": ("a=1",), "null": True}),
        (document, ["a", "-0"], {"ids": ("a",), "null": True}),
        (rm, ["--filter", "a", "-nan", "-n"], {"filter_tokens": ("a", "-nan"), "dry_run": True}),
        (sync, ["src", "-f", "a", "-Infinity", "-n"], {"filter_tokens": ("a", "-Infinity"), "dry_run": True}),
        (sync, ["src", "-f", "a", "-n"], {"filter_tokens": ("a",), "dry_run": True}),
        (find, ["a", "-1.5D+02"], {"filter_tokens": ("a", "-1.5D+02")}),
        (find, ["a", "-1_000"], {"filter_tokens": ("a", "-1_000")}),
    ],
)
def test_negative_number_when_a_filter_asks_for_a_value_then_it_is_one(command, arguments, expected):
    params = parse(command, *arguments)
    assert {name: params[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["a", "-q", "-1"], "'-1' is the option --one-line; as the value of a use a=-1"),
        (["b", "1", "a", "-s", "-0"], "'-0' is the option --null; as the value of a use a=-0"),
        (["a", "--sp", "x", "-1"], "'-1' is the option --one-line; as the value of a use a=-1"),
    ],
)
def test_flag_when_it_follows_a_key_but_not_directly_then_hint_at_the_infix_form(arguments, hint):
    assert hints(find, *arguments) == [hint]


@pytest.mark.parametrize(
    "arguments", [["-1"], ["a", "1", "-1"], ["a>=1", "-1"], ["a", "--", "-1"], ["a", "-10"], ["a=-1"], ["a", "-1"]]
)
def test_flag_when_no_key_waits_for_a_value_then_no_hint(arguments):
    assert hints(find, *arguments) == []


def test_flag_when_it_follows_a_key_of_a_filter_option_but_not_directly_then_hint():
    told = ["'-0' is the option --null; as the value of a use a=-0"]
    assert hints(document, "-f", "a", "-s", "-0") == told
    assert hints(document, "-f", "a", "-0") == hints(document, "a", "-0") == []


def test_infix_conditions_when_negative_then_kept_whole():
    assert parse(find, "T>=-1.5", "a=-1")["filter_tokens"] == ("T>=-1.5", "a=-1")


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (find, ["--s"], "Option '--s' is ambiguous: it could be --show or --sp."),
        (find, ["--jso"], "No such option '--jso'. Did you mean --json or --jsonl?"),
        (find, ["--lim", "3"], "No such option '--lim'. Did you mean --limit?"),
        (find, ["-json"], "No such option '-json'. Did you mean --json?"),
        (find, ["-1x"], "No such option '-x' in '-1x'."),
        (find, ["-zz"], "No such option '-z' in '-zz'."),
        (find, ["-j"], "Option '--job-id' requires at least one value."),
        (find, ["-j", "--sp"], "Option '--job-id' requires at least one value."),
        (find, ["--limit"], "Option '--limit' requires a value."),
        (find, ["--limit", "--json"], "Option '--limit' requires a value."),
        (find, ["--limit", "--", "3"], "Option '--limit' requires a value."),
        (find, ["--json=1"], "Option '--json' does not take a value."),
        (find, ["-1=2"], "Option '--one-line' does not take a value."),
        (rm, ["--cl=x"], "Option '--clear' does not take a value."),
        (find, ["-L5", "--limit", "7"], "Option '--limit' was given twice, with '5' and with '7'."),
        (find, ["-s", "-s2"], "Option '--show' was given twice, with '3' and with '2'."),
        (find, ["--sp", "a", "--sp", "b"], "Option '--sp' was given twice; write all its values behind one '--sp'."),
        (find, ["--sp", "a", "--sp"], "Option '--sp' was given twice; write all its values behind one '--sp'."),
        (
            rm,
            ["-f", "a=1", "--filter", "b=2"],
            "Option '--filter' was given twice; write all its values behind one '--filter'.",
        ),
        (rm, ["-j", "a", "-j", "b"], "Option '--job-id' was given twice; write all its values behind one '--job-id'."),
        (sync, ["-s", "always", "-s", "never"], "Option '--strategy' was given twice, with 'always' and with 'never'."),
        (view, ["-p", "a", "-p", "b"], "Option '--prefix' was given twice, with 'a' and with 'b'."),
        (find, ["--csv"], "No such option '--csv'. Did you mean --format '{id},{sp.KEY},{doc.KEY}'?"),
        (find, ["--fil", "a"], "No such option '--fil'. Did you mean --filter?"),
        (find, ["--where", "a=1"], "No such option '--where'. Did you mean --filter?"),
        (find, ["--all"], "No such option '--all'. Did you mean -f '{}'?"),
        (rm, ["--force", "a"], "No such option '--force'. Did you mean --yes?"),
        (rm, ["--recursive", "a"], "No such option '--recursive'."),
        (rm, ["--merge"], "No such option '--merge'. Did you mean 'signac sync'?"),
    ],
)
def test_arguments_when_wrong_then_one_clear_message(command, arguments, message):
    with pytest.raises(click.UsageError) as caught:
        rewrite(command, *arguments)
    assert caught.value.message == message


@pytest.mark.parametrize("command", COMMANDS)
def test_option_when_given_twice_with_two_values_then_both_count_or_refused(command):
    program = Program()
    loaded = program.get_command(click.Context(program), command)
    options = [param for param in loaded.params if isinstance(param, click.Option) and not is_flag(param)]
    for option in options:
        name = next(name for name in option.opts if name.startswith("--"))
        if option.multiple:
            assert canonical([name, "1", name, "2"], loaded.params, loaded.rules)[0][:2] == [f"{name}=1", f"{name}=2"]
        else:
            with pytest.raises(click.UsageError, match=f"Option '{name}' was given twice"):
                canonical([name, "1", name, "2"], loaded.params, loaded.rules)


def is_flag(option: click.Option) -> bool:
    return option.is_flag or option.count


@pytest.mark.parametrize("name", ["--jsonl", "--table", "--path", "--limit", "--reverse", "--count", "--shard"])
def test_new_option_when_shortened_then_refused(name):
    for length in range(3, len(name)):
        if name[:length] in ("--json",):
            continue
        shortened = name[:length]
        if any(old.startswith(shortened) for old in find.rules.abbreviated):
            continue
        with pytest.raises(click.UsageError):
            rewrite(find, shortened, "1")


@pytest.mark.parametrize("command", [find, job, statepoint, document, rm], ids=lambda command: command.name)
def test_old_option_when_shortened_to_a_unique_beginning_then_meant(command):
    """New options never make an old abbreviation ambiguous, or take it over."""
    for full in command.rules.abbreviated:
        for length in range(3, len(full) + 1):
            shortened = full[:length]
            candidates = [name for name in command.rules.abbreviated if name.startswith(shortened)]
            exact = [name for param in command.params for name in param.opts if name == shortened]
            if len(candidates) == 1 and not exact:
                minimum = command.rules.greedy.get(full, 0)
                assert rewrite(command, shortened, *["x"] * minimum)[0].startswith(full)


@pytest.mark.parametrize("command", [find, job, statepoint, document, rm], ids=lambda command: command.name)
def test_rules_when_read_then_name_options_that_exist(command):
    options = {name: param for param in command.params if isinstance(param, click.Option) for name in param.opts}
    assert set(command.rules.abbreviated) <= options.keys()
    assert set(command.rules.greedy) | set(command.rules.optional) <= options.keys()
    for name in command.rules.greedy:
        assert isinstance(options[name].type, Tokens)
    for param in options.values():
        assert any(name.startswith("--") for name in param.opts)


def test_group_arguments_when_a_command_follows_then_left_to_it():
    flag = click.Option(["-v", "--verbose"], count=True)
    assert canonical(["-v", "find", "-v", "--", "x"], [flag], Rules(), interspersed=False)[0] == [
        "--verbose",
        "--",
        "find",
        "-v",
        "--",
        "x",
    ]


# --- against argparse ------------------------------------------------------------------------------------------------


def find_of_241() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_argument("filter_tokens", nargs="*")
    parser.add_argument("-s", "--show", nargs="?", const=3, type=int)
    parser.add_argument("--sp", dest="sp_keys", nargs="*")
    parser.add_argument("--doc", dest="doc_keys", nargs="*")
    parser.add_argument("-p", "--pretty", nargs="?", const=3, type=int)
    parser.add_argument("-1", "--one-line", action="store_true")
    return parser


def document_of_241() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("-p", "--pretty", nargs="?", const=3, type=int)
    parser.add_argument("-i", "--indent", nargs="?", const=2, type=int)
    parser.add_argument("-s", "--sort", dest="sort_keys", action="store_true")
    parser.add_argument("-f", "--filter", dest="filter_tokens", nargs="+")
    return parser


def job_of_241() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_argument("statepoint", nargs="?", default="-")
    parser.add_argument("-w", "--workspace", action="store_true")
    parser.add_argument("-p", "--path", action="store_true")
    parser.add_argument("-c", "--create", action="store_true")
    return parser


def accepted(parser: argparse.ArgumentParser, arguments: list[str]) -> dict[str, object] | None:
    """What signac 2.4.1 understood, or None where it refused the arguments."""
    try:
        known, unknown = parser.parse_known_args(arguments)
    except (argparse.ArgumentError, SystemExit):
        return None
    if unknown:
        return None
    return {name: tuple(value) if isinstance(value, list) else value for name, value in vars(known).items()}


WORDS = [
    "a",
    "b.c",
    "1",
    "0",
    "2.5",
    "!",
    "",
    "-",
    "--",
    "9bfd",
    "{}",
    '{"a": 1}',
    "T>=1",
    "-5",
    "-.5",
    "-1e3",
    "x y",
    "-x y",
]
OPTIONS = {
    find: [
        "-s",
        "-s2",
        "-s",
        "--show",
        "--sho",
        "--show=1",
        "--sp",
        "--sp=a",
        "--doc",
        "--do",
        "-p",
        "-p1",
        "--pretty",
        "-1",
        "-1s",
        "--one",
    ],
    document: [
        "-p",
        "-p1",
        "-i",
        "-i4",
        "-s",
        "-si",
        "--sort",
        "--indent=3",
        "--ind",
        "-f",
        "--filter",
        "--filter=a",
        "--fil",
    ],
    job: ["-c", "-p", "-w", "-cp", "-pcw", "--create", "--cr", "--path", "--wo"],
}
PARSERS = {find: find_of_241(), document: document_of_241(), job: job_of_241()}


@pytest.mark.parametrize("command", list(PARSERS), ids=lambda command: command.name)
@given(data=st.data())
def test_arguments_when_accepted_by_argparse_then_parsed_to_the_same(command, data):
    arguments = data.draw(st.lists(st.sampled_from(WORDS + OPTIONS[command]), max_size=7))
    expected = accepted(PARSERS[command], arguments)
    assume(expected is not None)
    depth = expected.get("pretty")
    assume(depth is None or depth > 0 or (depth == 0 and command is not find))  # accepted, and refused later
    try:
        params = parse(command, *arguments)
    except click.UsageError as error:
        assume("was given twice" not in error.message)
        raise
    if command is find:  # -1 directly behind a key is its value here
        assume(params["filter_tokens"].count("-1") == expected["filter_tokens"].count("-1"))
    assert {name: params[name] for name in expected} == expected


@given(arguments=st.lists(st.text(alphabet="-a1spj=.0 e\x00", max_size=5) | st.sampled_from(WORDS), max_size=6))
def test_arguments_when_arbitrary_then_canonical_or_refused(arguments):
    arguments = [argument.replace("\x00", "é") for argument in arguments]
    try:
        options = rewrite(find, *arguments)
    except click.UsageError:
        return
    end = options.index("--")
    assert all(option.startswith("--") for option in options[:end])
    positionals = options[end + 1 :]
    remaining = iter(arguments)
    assert all(positional in remaining for positional in positionals)  # in the order in which they were given
