"""What commands share on the command line: the command class, the global options, and the options of one vocabulary.

The same option means the same wherever it appears, because it is defined here once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .arguments import ParamType, Rules, Tokens, canonical
from .output import JSON, JSON_LINES, PLAIN, TABLE, TEMPLATE, Shape

if TYPE_CHECKING:
    from .app import Session
    from .output import Record

__all__ = [
    "GLOBAL_OPTIONS",
    "Command",
    "Directory",
    "allow_eval_option",
    "dry_run_option",
    "filter_option",
    "format_options",
    "ids_argument",
    "job_id_option",
    "layout_options",
    "layout_text",
    "output_options",
    "report_option",
    "shape_of",
]

_F = TypeVar("_F", bound=Callable[..., Any])

_HINTS = "signac_cli.hints"


class Directory(ParamType):
    """A directory, as the operating system names it.

    Arguments are read as UTF-8 whatever the locale; a file name goes back to the encoding of the file system.
    """

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Convert the text of an argument to a file name."""
        if not value:
            self.fail("an empty name; check for an unset variable.", param, ctx)
        return os.fsdecode(value.encode("utf-8", "surrogateescape"))


def _set_global(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        ctx.find_root().obj.set_option(param.name, value)


def _print_version(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        from . import version_text

        ctx.find_root().obj.output.write(version_text() + "\n")
        ctx.exit()


def _print_help(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        ctx.find_root().obj.output.write(ctx.get_help() + "\n")
        ctx.exit()


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
        help="Behave as if started in DIR [SIGNAC_PROJECT_DIR].",
    ),
    _global("-v", "--verbose", "--verbosity", count=True, help="Tell more; repeat for still more [SIGNAC_LOG=LEVEL]."),
    _global("-q", "--quiet", is_flag=True, help="Tell nothing but results and errors."),
    _global("--debug", is_flag=True, help="Show a traceback after an error."),
    _global("-y", "--yes", is_flag=True, help="Answer every question with yes [SIGNAC_YES]."),
    _global(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        help="Colour what is drawn: on terminals (auto), always or never [SIGNAC_COLOR, NO_COLOR, FORCE_COLOR].",
    ),
    _global("--no-progress", is_flag=True, help="Draw no progress bars [SIGNAC_NO_PROGRESS]."),
    _immediate("-V", "--version", callback=_print_version, help="Show the version and exit."),
    _immediate("-h", "--help", callback=_print_help, help="Show this help and exit."),
)
"""Accepted before and after the name of every command."""


class Command(click.Command):
    """A command whose arguments follow `Rules`, and which takes the global options, too."""

    def __init__(self, *args: Any, rules: Rules, **attributes: Any) -> None:
        super().__init__(*args, add_help_option=False, **attributes)  # Click's own looks for translations
        self.rules = rules
        self.params = [*self.params, *GLOBAL_OPTIONS]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments in their canonical form."""
        try:
            args, ctx.meta[_HINTS] = canonical(args, self.get_params(ctx), self.rules)
        except click.UsageError as error:
            error.ctx = ctx
            raise
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, now that all global options are known."""
        session: Session = ctx.obj
        session.begin()
        for hint in ctx.meta[_HINTS]:
            session.output.talk(hint)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of the command, then the global ones."""
        format_options(self, ctx, formatter)


def format_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the option sections of a help page."""
    options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    for title, wanted in (("Options", False), ("Global options", True)):
        records = [param.get_help_record(ctx) for param in options if (param in GLOBAL_OPTIONS) is wanted]
        if rows := [record for record in records if record is not None]:
            with formatter.section(title):
                formatter.write_dl(rows)


# Options of one vocabulary -----------------------------------------------------------------------------------------


def _apply(function: _F, *decorators: Callable[[_F], _F]) -> _F:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def output_options(function: _F) -> _F:
    """Add ``--json --jsonl --format --table --plain -0``; the command gets their values by these names."""
    return _apply(
        function,
        click.option("--json", "as_json", is_flag=True, help="Print one JSON array."),
        click.option("--jsonl", "as_json_lines", is_flag=True, help="Print one JSON object per line."),
        click.option(
            "--format",
            "template",
            metavar="TEMPLATE",
            help="Print one line per job, such as '{id} {path} {sp.a} {doc.energy:.3f}'; \\t and \\n are understood.",
        ),
        click.option("--table", "as_table", is_flag=True, help="Print a table."),
        click.option("--plain", is_flag=True, help="Print the plain text of a pipe on a terminal, too."),
        click.option("-0", "--null", is_flag=True, help="End each record with NUL instead of a newline."),
    )


def shape_of(
    *,
    as_json: bool,
    as_json_lines: bool,
    template: str | None = None,
    as_table: bool = False,
    plain: bool = False,
    null: bool,
) -> Shape:
    """Combine the output options.

    Raises
    ------
    click.UsageError
        If they exclude each other, or the template is not understood.

    """
    given = {JSON: as_json, JSON_LINES: as_json_lines, TEMPLATE: template is not None, TABLE: as_table, PLAIN: plain}
    modes = [mode for mode, wanted in given.items() if wanted]
    if len(modes) > 1:
        raise click.UsageError(f"--{modes[0]} and --{modes[1]} exclude each other.")
    mode = modes[0] if modes else None
    if null and mode in (JSON, JSON_LINES, TABLE):
        raise click.UsageError(f"-0 does not combine with --{mode}: it ends plain records and those of --format.")
    if template is None:
        return Shape(mode, None, null)
    from .templates import Template

    try:
        return Shape(mode, Template(template), null)
    except ValueError as error:
        raise click.UsageError(f"Invalid template '{template}': {error}") from None


def layout_options(function: _F) -> _F:
    """Add ``-p -i -s``, which lay out the state points or documents in plain text."""
    return _apply(
        function,
        click.option(
            "-p",
            "--pretty",
            type=click.IntRange(min=0),
            metavar="[DEPTH]",
            help="Print as Python data, down to DEPTH levels (3 when left out; 0 is off).",
        ),
        click.option(
            "-i", "--indent", type=int, metavar="[N]", help="Print as JSON, indented by N blanks (2 when left out)."
        ),
        click.option("-s", "--sort", "sort_keys", is_flag=True, help="Sort the keys."),
    )


def layout_text(
    part: str, shape: Shape, *, pretty: int | None, indent: int | None, sort_keys: bool
) -> Callable[[Record], str]:
    """Plain text of a part of a record, laid out as `layout_options` say.

    Raises
    ------
    click.UsageError
        If they are combined with another output mode.

    """
    for name, value in (("--pretty", pretty), ("--indent", indent)):
        if value is not None and shape.mode not in (None, PLAIN):
            raise click.UsageError(f"{name} lays out plain text; it does not combine with --{shape.mode}.")
    if pretty:
        from pprint import pformat

        return lambda record: pformat(record[part], depth=pretty)
    from json import dumps

    return lambda record: dumps(record[part], indent=indent, sort_keys=sort_keys)


def ids_argument(function: _F) -> _F:
    """Add the positional ``ID...``."""
    return click.argument("ids", nargs=-1, metavar="[ID...|-]")(function)


def filter_option(*names: str) -> Callable[[_F], _F]:
    """Add the option that selects jobs by a filter."""
    return click.option(
        *names, "filter_tokens", type=Tokens(), metavar="FILTER...", help="Select the jobs that match a filter."
    )


def job_id_option(function: _F) -> _F:
    """Add the option that selects jobs by their ids."""
    return click.option(
        "-j",
        "--job-id",
        "job_ids",
        type=Tokens(),
        metavar="ID...",
        help="Select jobs by id or by the beginning of an id; '-' reads ids from standard input.",
    )(function)


def allow_eval_option(function: _F) -> _F:
    """Add the option without which filters cannot run Python code."""
    return click.option("--allow-eval", is_flag=True, help="Let $where in a filter run Python code.")(function)


def dry_run_option(function: _F) -> _F:
    """Add the option that changes nothing."""
    return click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and change nothing.")(function)


def report_option(function: _F) -> _F:
    """Add ``--json`` to a command that changes something."""
    return click.option("--json", "as_json", is_flag=True, help="Print a report as one JSON object.")(function)
