r"""The argument rules that scripts written for signac 2.4.1 rely on and Click does not have.

Before Click parses the arguments of a command, `canonical` rewrites them into a form that leaves nothing to guess:
options first, each as ``--name`` or ``--name=value`` in the order in which they were given, then ``--``, then the
positional arguments. The rules:

* options and positional arguments may be mixed, ``--`` ends the options, short flags may be joined (``-cp``), values
  may be attached (``-i4``, ``--indent=4``);
* a *greedy* option takes every argument up to the next option or ``--``; with an attached value it takes that alone;
* an *optional* value is taken from the next argument if that is an integer (or, for text, no option);
* the long options of signac 2.4.1 may be shortened to any unique beginning; newer ones may not, and do not count;
* a *verbatim* option takes the next argument, whatever it looks like;
* a negative number is a value, except exactly ``-0`` and ``-1`` where a command has a flag of that name; directly
  behind the key of a filter, where its value is expected, these and ``-nan`` and ``-Infinity`` are values, too.

The one table that each command adds to its Click options is a `Rules`. The global options, which every command takes in
addition, are defined here, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from .session import Session

    ParamType = click.ParamType[Any]
else:  # before Click 8.5 the class takes no type parameter
    ParamType = click.ParamType

__all__ = [
    "GLOBAL_OPTIONS",
    "INFIX",
    "AtLeast",
    "Command",
    "Directory",
    "ParamType",
    "Rules",
    "Tokens",
    "canonical",
    "help_text",
    "write_options",
    "write_terms",
]

_NEGATIVE_NUMBER = re.compile(r"-(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf)")
_NEGATIVE_VALUE = re.compile(r"-(?:(?:\d[\d_]*\.?\d*|\.\d+)(?:[ed][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
"""What is no option where a value is expected: the negative numbers of `signac_core.filterparse.parse_value`."""
_INTEGER = re.compile(r"[+-]?\d+")
INFIX = frozenset("=<>~")
"""Characters by which an operator in a condition is told from a key; `complete` has them before Click is imported."""

_END = "\0"
"""Follows each token of a greedy option in the canonical form; no argument of a process can contain it."""

_NONE: Mapping[str, Any] = MappingProxyType({})


class Rules(NamedTuple):
    """What Click cannot know about the arguments of a command."""

    greedy: Mapping[str, int] = _NONE  # long options that take all following values, and how many they need at least
    optional: Mapping[str, str] = _NONE  # long options whose value may be left out, and the value that is meant then
    abbreviated: tuple[str, ...] = ()  # the options of signac 2.4.1, which may be shortened; never added to
    verbatim: tuple[str, ...] = ()  # long options whose value is the next argument, whatever it looks like
    filters: tuple[str, ...] = ()  # what holds filter tokens: long options, or "" for the positional arguments
    interspersed: bool = True  # options may follow positional arguments, the first of which else ends the options


class AtLeast(click.IntRange):
    """An integer that is not too small."""

    name = "integer"

    def __init__(self, least: int) -> None:
        super().__init__(min=least)


class Tokens(ParamType):
    """The values of a greedy option, as `canonical` joins them."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Split the values again."""
        return tuple(value.split(_END)[:-1]) if isinstance(value, str) else value


class Directory(ParamType):
    """A directory, as the operating system names it.

    Arguments are read as UTF-8 whatever the locale; a file name goes back to the encoding of the file system. ``~`` is
    the home directory, as in a shell.
    """

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Convert the text of an argument to a file name."""
        if not value:
            self.fail("an empty name; check for an unset variable.", param, ctx)
        name = os.fsdecode(value.encode("utf-8", "surrogateescape"))
        if name[0] == "~":  # quoted, or behind '=': the shell has left it alone
            from signac_core.files import expand_home

            return expand_home(name)
        return name


def canonical(
    arguments: Sequence[str], params: Iterable[click.Parameter], rules: Rules, *, interspersed: bool = True
) -> tuple[list[str], list[str]]:
    r"""Rewrite the arguments of a command into the one form that Click cannot misread.

    Raises click.UsageError if an option is unknown or ambiguous, or its value is missing or unexpected.

    Examples
    --------
    >>> depth, keys = click.Option(["-p", "--pretty"], type=int), click.Option(["--sp"], type=Tokens())
    >>> rules = Rules(greedy={"--sp": 0}, optional={"--pretty": "3"}, abbreviated=("--pretty", "--sp"))
    >>> canonical(["T", "-5", "--pre", "--sp", "a"], [depth, keys], rules)[0]
    ['--pretty=3', '--sp=a\x00', '--', 'T', '-5']

    """
    reader = _Reader(arguments, params, rules)
    reader.read(interspersed=interspersed)
    _refuse_repeated(reader.options, reader.known)
    return [*reader.options, "--", *reader.positionals], reader.hints


class _Reader:
    """One pass over the arguments of a command, from left to right."""

    def __init__(self, arguments: Sequence[str], params: Iterable[click.Parameter], rules: Rules) -> None:
        self.rules = rules
        self.known = {name: param for param in params if isinstance(param, click.Option) for name in param.opts}
        self.waiting = list(reversed(arguments))
        self.options: list[str] = []
        self.positionals: list[str] = []
        self.hints: list[str] = []
        self.filter: list[str] = self.positionals if "" in rules.filters else []  # the one being read

    def read(self, *, interspersed: bool) -> None:
        follows: list[str] = []  # the tokens of the filter that the next argument may continue
        while self.waiting:
            token = self.waiting.pop()
            if token == "--":
                break
            is_positional = not self.is_option(token) or _is_awaited(token, follows)
            follows = self.filter if is_positional and "" in self.rules.filters else []
            if is_positional:
                self.positionals.append(token)
                if not interspersed:
                    break
            elif token.startswith("--"):
                self.read_long(token)
            else:
                self.read_short(token)
        self.positionals += reversed(self.waiting)

    def is_option(self, token: str) -> bool:
        if len(token) < 2 or token[0] != "-":
            return False
        if token in self.known:
            return True
        if _NEGATIVE_NUMBER.fullmatch(token):
            return False
        if " " not in token:
            return True
        # A text with a blank in it is an option only if it begins with one.
        name = token.partition("=")[0]
        return bool(self.spelled(name)) if token.startswith("--") else token[:2] in self.known

    def next_value(self, filter: Sequence[str] = ()) -> str | None:
        """Take the next argument unless the options end or another one begins, which no value of a filter does."""
        if not self.waiting or self.waiting[-1] == "--":
            return None
        if self.is_option(self.waiting[-1]) and not _is_awaited(self.waiting[-1], filter):
            return None
        return self.waiting.pop()

    def spelled(self, name: str) -> list[str]:
        """Long options that ``name`` can stand for."""
        if name in self.known:
            return [name]
        found = {self.known[full]: full for full in self.rules.abbreviated if full.startswith(name)}
        return list(found.values())

    def read_long(self, token: str) -> None:
        name, attached, value = token.partition("=")
        match self.spelled(name):
            case [full]:
                self.take(self.known[full], value if attached else None)
            case []:
                raise _no_such_option(name, self.known)
            case several:
                raise click.UsageError(f"Option '{name}' is ambiguous: it could be {' or '.join(several)}.")

    def read_short(self, token: str) -> None:
        """Read one short option or several in one argument, the last of which may have its value attached."""
        if len(token) > 3 and "-" + token in self.known:
            raise click.UsageError(f"No such option '{token}'. Did you mean -{token}?")
        rest = token[1:]
        while rest:
            name, rest = "-" + rest[0], rest[1:]
            option = self.known.get(name)
            if option is None:
                raise _no_such_option(name, self.known, token)
            if _is_flag(option) and not rest.startswith("="):
                self.take(option, None)
                if token in ("-0", "-1"):
                    self.hint_at_number(token, option)
            elif _is_flag(option) or self.has_attached_value(option, rest):
                self.take(option, rest.removeprefix("="))
                return
            else:
                self.take(option, None, may_follow=not rest)

    def has_attached_value(self, option: click.Option, rest: str) -> bool:
        """Tell whether what follows a short option in its argument is a value, and not the next short option."""
        if _long_name(option) not in self.rules.optional or not _takes_integer(option):
            return bool(rest)
        return bool(rest) and (rest[0].isdigit() or "-" + rest[0] not in self.known)

    def take(self, option: click.Option, attached: str | None, *, may_follow: bool = True) -> None:
        """Write an option with its value, which is attached or follows."""
        name = _long_name(option)
        if _is_flag(option):
            if attached is not None:
                raise click.UsageError(f"Option '{name}' does not take a value.")
            self.options.append(name)
        elif name in self.rules.greedy:
            self.take_greedy(name, attached)
        elif name in self.rules.optional:
            if attached is None and may_follow:
                attached = self.optional_value(option)
            self.options.append(f"{name}={self.rules.optional[name] if attached is None else attached}")
        else:
            value = attached
            if value is None and name in self.rules.verbatim and self.waiting:
                value = self.waiting.pop()
            elif value is None:
                value = self.next_value()
            if value is None:
                raise click.UsageError(f"Option '{name}' requires a value.")
            self.options.append(f"{name}={value}")

    def take_greedy(self, name: str, attached: str | None) -> None:
        values = [] if attached is None else [attached]
        is_filter = name in self.rules.filters
        if attached is None:
            while (value := self.next_value(values if is_filter else ())) is not None:
                values.append(value)
        if len(values) < self.rules.greedy[name]:
            raise click.UsageError(f"Option '{name}' requires at least one value.")
        if is_filter:
            self.filter = values
        self.options.append(f"{name}=" + "".join(value + _END for value in values))

    def optional_value(self, option: click.Option) -> str | None:
        if _takes_integer(option) and not (self.waiting and _INTEGER.fullmatch(self.waiting[-1])):
            return None
        return self.next_value()

    def hint_at_number(self, token: str, option: click.Option) -> None:
        """Tell about a flag that follows the key of a filter, but not directly."""
        key = _awaiting_key(self.filter)
        if key is not None:
            self.hints.append(f"'{token}' is the option {_long_name(option)}; as the value of {key} use {key}={token}")


def _refuse_repeated(options: Iterable[str], known: Mapping[str, click.Option]) -> None:
    """Make sure that of the values of an option that has one value none is forgotten.

    Raises click.UsageError if it was given several times, and not with the same value.
    """
    values: dict[str, str] = {}
    for option in options:
        name, attached, value = option.partition("=")
        if not attached or known[name].multiple:
            continue
        if (before := values.setdefault(name, value)) != value:
            if isinstance(known[name].type, Tokens):
                raise click.UsageError(f"Option '{name}' was given twice; write all its values behind one '{name}'.")
            raise click.UsageError(f"Option '{name}' was given twice, with '{before}' and with '{value}'.")


def _awaiting_key(filter: Sequence[str]) -> str | None:
    """Key at the end of the tokens of a filter, whose value is expected next."""
    key = None
    for token in filter:
        is_key = key is None and INFIX.isdisjoint(token) and not token.startswith(("{", "["))
        key = token if is_key else None
    return key


def _is_awaited(token: str, filter: Sequence[str]) -> bool:
    """Tell whether an argument that could be an option is the negative number that the key before it asks for."""
    return _NEGATIVE_VALUE.fullmatch(token) is not None and _awaiting_key(filter) is not None


def _is_flag(option: click.Option) -> bool:
    return option.is_flag or option.count


def _takes_integer(option: click.Option) -> bool:
    return isinstance(option.type, (click.types.IntParamType, click.IntRange))


def _long_name(option: click.Option) -> str:
    return next(name for name in option.opts if name.startswith("--"))


def _no_such_option(name: str, known: Iterable[str], token: str | None = None) -> click.UsageError:
    """Build the error for an unknown option, with what was probably meant."""
    # Only a mistake pays for the import.
    from difflib import get_close_matches

    from .synonyms import ALIKE, of_option

    within = f" in '{token}'" if token is not None and token != name else ""
    wanted = f"-{token}" if within else name
    names = [option for option in known if option.startswith("--")]
    if meant := of_option(wanted, names):
        close = [meant]
    else:
        close = [option for option in names if option.startswith(wanted)]
        close = close or get_close_matches(wanted, names, n=1, cutoff=ALIKE)
    advice = f" Did you mean {' or '.join(close)}?" if close else ""
    return click.UsageError(f"No such option '{name}'{within}.{advice}")


# --- commands and global options ------------------------------------------------------------------------------------

_HINTS = "signac_cli.hints"
_OPTIONS = "signac_cli.options"

_NARROWEST, _TWO_COLUMNS, _WIDEST = 30, 60, 80
"""Columns of a help page: the least, from where on there is room for two columns of text, and the most."""


def _set_global(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        ctx.find_root().obj.set_option(param.name, value)


def _print_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        from signac_core.version import DESCRIPTION

        ctx.find_root().obj.output.write(DESCRIPTION + "\n")
        ctx.exit()


def _print_help(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        ctx.find_root().obj.output.write(help_text(ctx))
        ctx.exit()


def help_text(ctx: click.Context) -> str:
    """Help page of a command, for the width of the terminal, which may be less than Click thinks of."""
    from shutil import get_terminal_size

    ctx.terminal_width = max(min(get_terminal_size().columns, _WIDEST) - 2, _NARROWEST)
    return ctx.get_help() + "\n"


def _immediate(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, is_flag=True, is_eager=True, expose_value=False, **attributes)


def _global(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_set_global, **attributes)


GLOBAL_OPTIONS: tuple[click.Option, ...] = (
    _global(
        "-C",
        "--project-dir",
        multiple=True,
        metavar="DIR",
        type=Directory(),
        help="Act as if started in DIR [SIGNAC_PROJECT_DIR].",
    ),
    _global("-v", "--verbose", "--verbosity", count=True, help="Tell more; may be repeated [SIGNAC_LOG]."),
    _global("-q", "--quiet", is_flag=True, help="Tell nothing but results and errors."),
    _global("--debug", is_flag=True, help="Show a traceback after an error."),
    _global("-y", "--yes", is_flag=True, help="Answer every question with yes [SIGNAC_YES]."),
    _global(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        metavar="WHEN",
        help="Use colours: auto, always, never [SIGNAC_COLOR].",
    ),
    _global("--no-progress", is_flag=True, help="Draw no progress bars [SIGNAC_NO_PROGRESS]."),
    _immediate("-V", "--version", callback=_print_version, help="Show the version and exit."),
    _immediate("-h", "--help", callback=_print_help, help="Show this help and exit."),
)
"""Accepted before and after the name of every command."""


class Command(click.Command):
    """A command whose arguments follow `Rules`, and which takes the global options, too."""

    def __init__(self, name: str | None, *, rules: Rules, **attributes: Any) -> None:
        attributes["add_help_option"] = False  # Click's own looks for translations
        super().__init__(name, **attributes)
        self.rules = rules
        self.params = [*self.params, *GLOBAL_OPTIONS]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments in their canonical form."""
        try:
            args, ctx.meta[_HINTS] = canonical(
                args, self.get_params(ctx), self.rules, interspersed=self.rules.interspersed
            )
        except click.UsageError as error:
            error.ctx = ctx
            raise
        ctx.meta[_OPTIONS] = args[: args.index("--")]
        taken = next((argument for argument in args if argument.endswith(_END)), None)
        try:
            return super().parse_args(ctx, list(args))  # which Click empties
        except click.MissingParameter as error:
            if taken is None:
                raise
            option = taken.partition("=")[0]
            advice = f"{option} takes all words up to the next option or '--', so that others stand before it."
            raise click.UsageError(f"{error.format_message()} {advice}", ctx) from None

    @staticmethod
    def rewritten(ctx: click.Context, *, without: str, first: Sequence[str], last: Sequence[str]) -> str:
        """Command line as it could have been written, for a message."""
        from shlex import join

        line = [*ctx.command_path.split(), *first]
        for option in ctx.meta[_OPTIONS]:
            name, _, value = option.partition("=")
            if name != without:
                line += [name, *value.split(_END)[:-1]] if value.endswith(_END) else [option]
        return join([*line, *last])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, now that all global options are known."""
        session: Session = ctx.obj
        session.begin()
        for hint in ctx.meta[_HINTS]:
            session.output.info(hint)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of the command, then the global ones: by name only, so that the page fits on a screen."""
        own = [param for param in self.get_params(ctx) if param not in GLOBAL_OPTIONS]
        write_options(own, ctx, formatter, title="Options")
        with formatter.section("Global options (see 'signac --help')"):
            from textwrap import fill

            indent = " " * formatter.current_indent
            text = ", ".join("/".join(option.opts) for option in GLOBAL_OPTIONS)
            lines = fill(text, formatter.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
            formatter.write(f"{lines}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples of the command, as they stand in `signac_cli.examples`."""
        from .examples import EXAMPLES

        if lines := EXAMPLES.get(ctx.command_path.partition(" ")[2], "").splitlines():
            with formatter.section("Examples"):
                formatter.write("".join(f"{'':{formatter.current_indent}}{line}\n" for line in lines))


def write_options(
    params: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter, *, title: str
) -> None:
    """Write a section of a help page: the names of each option, and what it does."""
    records = [(param.get_help_record(ctx), param.help) for param in params if isinstance(param, click.Option)]
    # Click adds the range of numbers, which costs a line and says nothing that its error message does not.
    if rows := [(record[0], text or "") for record, text in records if record is not None]:
        with formatter.section(title):
            write_terms(rows, formatter)


def write_terms(rows: Sequence[tuple[str, str]], formatter: click.HelpFormatter) -> None:
    """Write terms with their explanations next to them, or on a narrow terminal below."""
    if formatter.width >= _TWO_COLUMNS:
        formatter.write_dl(rows)
        return
    for term, text in rows:
        formatter.write_text(term)
        with formatter.indentation():
            formatter.write_text(text)
