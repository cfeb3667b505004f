"""``signac statepoint``: print state points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules
from ..options import (
    allow_eval_option,
    filter_option,
    ids_argument,
    job_id_option,
    layout_options,
    layout_text,
    output_options,
    shape_of,
    shape_on_terminal,
)
from ..selection import write_part

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["command"]


@click.command(
    "statepoint",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        optional={"--pretty": "3", "--indent": "2"},
        abbreviated=("--help", "--pretty", "--indent", "--sort"),
        filters=("--filter",),
    ),
)
@ids_argument
@filter_option("-f", "--filter")
@job_id_option
@layout_options
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
    allow_eval: bool,
    pretty: int | None,
    indent: int | None,
    sort_keys: bool,
    **shape_options: Any,
) -> int:
    """Print the state points of the jobs with the given IDs, in that order.

    Without ids and without a filter, those of all jobs are printed; on a terminal, as a table. '-' reads ids from
    standard input.
    """
    shape = shape_of(**shape_options)
    text = layout_text("sp", shape, pretty=pretty, indent=indent, sort_keys=sort_keys)
    laid_out = pretty is not None or indent is not None or sort_keys
    shape = shape_on_terminal(session, shape, laid_out=laid_out)
    named = [*ids, *(job_ids or ())]
    return write_part(
        session, "sp", named, filter_tokens, shape, text, allow_eval=allow_eval, sort_keys=sort_keys, laid_out=laid_out
    )
