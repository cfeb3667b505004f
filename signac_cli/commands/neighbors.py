"""``signac neighbors``: the jobs next to a job, along each parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules, Tokens
from ..options import allow_eval_option, filter_option, ids_argument, job_id_option, shape_of
from ..selection import select

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..keys import Record
    from ..session import Session

__all__ = ["command"]


@click.command(
    "neighbors",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1, "--ignore": 1},
        abbreviated=("--help", "--ignore"),
        filters=("--filter",),
    ),
)
@ids_argument
@filter_option("-f", "--filter")
@job_id_option
@click.option(
    "--ignore",
    "ignored",
    type=Tokens(),
    metavar="KEY...",
    help="Do not compare these keys of state points.",
)
@allow_eval_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--jsonl", "as_json_lines", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    ids: tuple[str, ...],
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    ignored: tuple[str, ...] | None,
    allow_eval: bool,
    as_json: bool,
    as_json_lines: bool,
) -> int:
    """Print for each of the jobs with the given IDs those that differ from it in one state point key only.

    Of these there are, for each key, the one with the previous and the one with the next value. '-' reads ids from
    standard input.
    """
    shape = shape_of(as_json=as_json, as_json_lines=as_json_lines, null=False)
    named = [*ids, *(job_ids or ())]
    space = session.space(at_one_moment=True)
    if ignored and not (named and all(map(str.isidentifier, ignored))):
        from ..misreadings import refuse_ids_among_keys

        refuse_ids_among_keys(space, ignored)
    damaged: list[str] = []
    selected: Sequence[str] = []
    if named or filter_tokens is not None:
        selected = select(session, space, named, filter_tokens, allow_eval=allow_eval, damaged=damaged)
    else:
        session.output.info("No job is named; give ids, a filter with -f, or '-' to read ids from standard input.")
    records = _records(session, space, selected, ignored or (), damaged) if selected else ()
    session.output.write_records(records, shape, _text)
    return session.report_damaged(damaged)


def _records(
    session: Session, space: Space, ids: Sequence[str], ignored: Sequence[str], damaged: list[str]
) -> Iterator[dict[str, Any]]:
    import warnings

    from signac_core.survey.neighbors import neighbors_of

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = neighbors_of(space, ids, ignored, damaged=damaged)
    for warning in caught:
        session.output.warn(str(warning.message))
    for job_id in ids:
        if job_id in found:
            neighbors = {
                key: [{"value": value, "id": other} for value, other in beside.items()]
                for key, beside in found[job_id].items()
                if beside
            }
            yield {"id": job_id, "neighbors": neighbors}


def _text(record: Record) -> str:
    from ..pretty import pformat

    return pformat(
        {key: {neighbor["value"]: neighbor["id"] for neighbor in beside} for key, beside in record["neighbors"].items()}
    )
