"""``signac neighbors``: the jobs next to a job, along each parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules, Tokens
from . import ids_argument, resolve, shape_of

if TYPE_CHECKING:
    from signac_core.project import Project

    from ..app import Session
    from ..output import Record

__all__ = ["command"]


@click.command(
    "neighbors",
    cls=Command,
    rules=Rules(greedy={"--ignore": 1}, abbreviated=("--help", "--ignore")),
)
@ids_argument
@click.option(
    "--ignore",
    "ignored",
    type=Tokens(),
    metavar="KEY...",
    help="Do not compare these keys of state points.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--jsonl", "as_json_lines", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    ids: tuple[str, ...],
    ignored: tuple[str, ...] | None,
    as_json: bool,
    as_json_lines: bool,
) -> int:
    """Print for each of the given IDs the jobs that differ from it in one state point key only.

    Of these there are, for each key, the one with the previous and the one with the next value. '-' reads ids from
    standard input.
    """
    shape = shape_of(as_json=as_json, as_json_lines=as_json_lines, null=False)
    project = session.project()
    if ignored and not (ids and all(map(str.isidentifier, ignored))):
        from ..misreadings import refuse_ids_among_keys

        refuse_ids_among_keys(project, ignored)
    if not ids:
        session.output.talk("No job is named; give ids, or '-' to read them from standard input.")
    damaged: list[str] = []
    selected = resolve(session, project, ids)
    records = _records(session, project, selected, ignored or (), damaged) if selected else ()
    session.output.write_records(records, shape, _text)
    return session.report_damaged(damaged)


def _records(
    session: Session, project: Project, ids: Sequence[str], ignored: Sequence[str], damaged: list[str]
) -> Iterator[dict[str, Any]]:
    import warnings

    from signac_core.neighbors import neighbors_of

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = neighbors_of(project, ids, ignored, damaged=damaged)
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
    from pprint import pformat

    return pformat(
        {key: {neighbor["value"]: neighbor["id"] for neighbor in beside} for key, beside in record["neighbors"].items()}
    )
