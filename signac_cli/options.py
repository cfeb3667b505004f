"""The options that commands share: the same option means the same wherever it appears, because it is defined here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .arguments import AtLeast, Tokens
from .output import JSON, JSON_LINES, PLAIN, TABLE, TEMPLATE, JSONText, Shape

if TYPE_CHECKING:
    from .keys import Record
    from .session import Session

__all__ = [
    "allow_eval_option",
    "dry_run_option",
    "filter_option",
    "ids_argument",
    "job_id_option",
    "layout_options",
    "layout_text",
    "output_options",
    "report_option",
    "shape_of",
    "shape_on_terminal",
]

_F = TypeVar("_F", bound=Callable[..., Any])


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
            help="Print lines such as '{id} {sp.a} {doc.b:.3f}'.",
        ),
        click.option("--table", "as_table", is_flag=True, help="Print a table."),
        click.option("--plain", is_flag=True, help="Print the text of a pipe on a terminal, too."),
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

    Raises click.UsageError if they exclude each other, or the template is not understood.
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
        parsed = Template(template)
    except ValueError as error:
        raise click.UsageError(f"Invalid template '{template}': {error}") from None
    if not parsed.needs:
        known = (JSON, JSON_LINES, TABLE, PLAIN)
        advice = f"; did you mean --{template.lower()}?" if template.lower() in known else "."
        raise click.UsageError(
            f"The template '{template}' has no field such as {{id}}, {{sp.KEY}}, {{doc.KEY}}{advice}"
        )
    return Shape(mode, parsed, null)


def layout_options(function: _F) -> _F:
    """Add ``-p -i -s``, which lay out the state points or documents in plain text."""
    return _apply(
        function,
        click.option(
            "-p",
            "--pretty",
            type=AtLeast(0),
            metavar="[DEPTH]",
            help="Print Python data, DEPTH (3) levels; 0 is off.",
        ),
        click.option("-i", "--indent", type=int, metavar="[N]", help="Print as JSON, indented by N (2) blanks."),
        click.option("-s", "--sort", "sort_keys", is_flag=True, help="Sort the keys."),
    )


def layout_text(
    part: str, shape: Shape, *, pretty: int | None, indent: int | None, sort_keys: bool
) -> Callable[[Record], str | bytes]:
    """Plain text of a part of a record, laid out as `layout_options` say.

    Raises click.UsageError if they are combined with another output mode.
    """
    if (pretty is not None or indent is not None) and shape.mode not in (None, PLAIN):
        raise click.UsageError(f"--pretty and --indent lay out plain text; they do not combine with --{shape.mode}.")
    if sort_keys and shape.mode in (TEMPLATE, TABLE):
        raise click.UsageError(f"--sort sorts the keys of text and JSON; it does not combine with --{shape.mode}.")
    if pretty:
        from .pretty import pformat

        return lambda record: pformat(record[part], depth=pretty)
    if indent is None:
        return _dumped(part, sort_keys=sort_keys)
    import json

    return lambda record: json.dumps(record[part], indent=indent, sort_keys=sort_keys)


def _dumped(part: str, *, sort_keys: bool) -> Callable[[Record], str | bytes]:
    """JSON of a part of a record, as it is in the file of the job but for white space."""
    from signac_core.canonical import dumps

    def text(record: Record) -> str | bytes:
        value = record[part]
        return value if type(value) is JSONText else dumps(value, sort_keys=sort_keys)

    return text


def shape_on_terminal(session: Session, shape: Shape, *, laid_out: bool) -> Shape:
    """Shape of records for a person who has asked for no other: a table."""
    is_free = shape == Shape() and not laid_out
    return shape._replace(mode=TABLE) if is_free and session.output.is_terminal else shape


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
        help="Select jobs by id; '-' reads standard input.",
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
