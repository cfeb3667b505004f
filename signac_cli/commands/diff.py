"""``signac diff``: how the state points of jobs differ."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import AtLeast, Command, Rules
from ..options import allow_eval_option, filter_option, ids_argument, job_id_option, output_options, shape_of
from ..output import PLAIN, TABLE
from ..selection import enough_digits, hint_at_unknown_fields, read_records, select

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..keys import Record
    from ..session import Session

__all__ = ["command"]

FEW_JOBS = 8
"""Up to so many jobs are shown next to each other."""

DIFFERENT = 3


@click.command(
    "diff",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        optional={"--pretty": "3", "--indent": "2"},
        abbreviated=("--help", "--pretty", "--indent", "--filter"),
        filters=("--filter",),
    ),
)
@ids_argument
@filter_option("-f", "--filter")
@job_id_option
@click.option(
    "-p",
    "--pretty",
    type=AtLeast(0),
    metavar="[DEPTH]",
    help="Print Python data, DEPTH (3) levels; 0 is all.",
)
@click.option("-i", "--indent", type=int, metavar="[N]", help="Print as JSON, indented by N (2) blanks.")
@click.option("-e", "--exit-status", is_flag=True, help="Exit with status 3 when there are differences.")
@allow_eval_option
@output_options
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    ids: tuple[str, ...],
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    pretty: int | None,
    indent: int | None,
    exit_status: bool,
    allow_eval: bool,
    **shape_options: Any,
) -> int:
    """Print for each job the part of its state point that the jobs with the given IDs do not have in common.

    Without ids and without a filter, all jobs are compared. '-' reads ids from standard input. Values that differ in
    type differ: 1, 1.0 and true are three values.

    On a terminal up to 8 jobs are shown next to each other, with a row for each key.
    """
    shape = shape_of(**shape_options)
    laid_out = pretty is not None or indent is not None
    if laid_out and shape.mode not in (None, PLAIN):
        raise click.UsageError(f"--pretty and --indent lay out plain text; they do not combine with --{shape.mode}.")
    space = session.space(at_one_moment=True)
    damaged: list[str] = []
    named = [*ids, *(job_ids or ())]
    selected = select(session, space, named, filter_tokens, allow_eval=allow_eval, damaged=damaged)
    records = _differences(space, selected, shape.parts("sp"), damaged)
    output = session.output
    is_few = len(records) <= FEW_JOBS
    if shape.mode is None and not (laid_out or shape.null) and output.is_terminal and is_few:
        shape = shape._replace(mode=TABLE)
    if shape.mode == TABLE and is_few:
        _write_table(session, space, records)
    else:
        output.write_records(records, shape, _text(pretty, indent))
        hint_at_unknown_fields(session, space, shape, everywhere=False, damaged=damaged)
    if session.report_damaged(damaged):
        return 1
    return DIFFERENT if exit_status and any(record["sp"] for record in records) else 0


def _differences(space: Space, ids: Sequence[str], parts: frozenset[str], damaged: list[str]) -> list[Record]:
    """Records of the jobs, each once, with what is its own in the place of the state point."""
    from signac_core.survey.diff import diff_state_points

    records = list(read_records(space, list(dict.fromkeys(ids)), parts | {"sp"}, damaged=damaged))
    own = diff_state_points({record["id"]: record["sp"] for record in records})
    return [record | {"sp": own[record["id"]]} for record in records]


def _write_table(session: Session, space: Space, records: Sequence[Record]) -> None:
    from ..tables import compare

    output = session.output
    table = compare(
        records, digits=enough_digits(space)(), terminal=output.is_terminal, color=output.has_color(sys.stdout)
    )
    output.write_drawn(table)
    if not table:
        output.info("There are no jobs to compare." if not records else "There are no differences.")


def _text(pretty: int | None, indent: int | None) -> Callable[[Record], str]:
    """Text of a record: the id, then what is its own, with sorted keys."""
    if indent is not None and not pretty:
        import json

        return lambda record: f"{record['id']}\n{json.dumps(record['sp'], indent=indent, sort_keys=True)}"

    def text(record: Record) -> str:
        from ..pretty import pformat

        return f"{record['id']}\n{pformat(record['sp'], depth=pretty or None)}"

    return text
