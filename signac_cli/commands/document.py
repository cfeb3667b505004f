"""``signac document``: print job documents, and change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules
from ..output import JSON, Failure, Shape
from . import (
    Report,
    allow_eval_option,
    dry_run_option,
    enough_digits,
    filter_option,
    followed,
    ids_argument,
    job_id_option,
    layout_options,
    layout_text,
    output_options,
    read_records,
    select,
    shape_of,
    shape_on_terminal,
)

if TYPE_CHECKING:
    from signac_core.project import Project

    from ..app import Session

__all__ = ["command"]


@click.command(
    "document",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        optional={"--pretty": "3", "--indent": "2"},
        abbreviated=("--help", "--pretty", "--indent", "--sort", "--filter"),
        filters=("--filter",),
    ),
)
@ids_argument
@filter_option("-f", "--filter")
@job_id_option
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=JSON",
    help="Set a key, to JSON or else text; repeatable.",
)
@click.option("--unset", "deletions", multiple=True, metavar="KEY", help="Delete a key; repeatable.")
@dry_run_option
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
    assignments: tuple[str, ...],
    deletions: tuple[str, ...],
    dry_run: bool,
    pretty: int | None,
    indent: int | None,
    sort_keys: bool,
    allow_eval: bool,
    **shape_options: Any,
) -> int:
    """Print the documents of the jobs with the given IDs, in that order, or change them.

    Without ids and without a filter, those of all jobs are printed; on a terminal, as a table. '-' reads ids from
    standard input.

    With --set or --unset the documents are changed instead, each in one step that is safe while other processes write
    to it. The jobs have to be named, by ids or a filter; -f '{}' means all of them.
    """
    shape = shape_of(**shape_options)
    text = layout_text("doc", shape, pretty=pretty, indent=indent, sort_keys=sort_keys)
    named = [*ids, *(job_ids or ())]
    if not assignments and not deletions:
        if dry_run:
            raise click.UsageError("--dry-run goes with --set and --unset.")
        laid_out = pretty is not None or indent is not None or sort_keys
        shape = shape_on_terminal(session, shape, laid_out=laid_out)
        project = session.project()
        damaged: list[str] = []
        selected = select(session, project, named, filter_tokens, allow_eval=allow_eval, damaged=damaged)
        records = read_records(project, selected, shape.parts("doc"), damaged=damaged)
        session.output.write_records(records, shape, text, sort_keys=sort_keys, digits=enough_digits(project))
        return session.report_damaged(damaged)

    if shape not in (Shape(), Shape(JSON)) or pretty is not None or indent is not None or sort_keys:
        raise click.UsageError("Of the output options only --json goes with --set and --unset.")
    if not named and filter_tokens is None:
        raise click.UsageError("Name the jobs to change by ids, '-', -j or -f; -f '{}' means all of them.")
    values = _parse(session, assignments, deletions)
    project = session.project()
    damaged = []
    selected = select(session, project, named, filter_tokens, allow_eval=allow_eval, damaged=damaged)
    status = _edit(session, project, selected, values, deletions, dry_run=dry_run, as_json=shape.mode == JSON)
    return session.report_damaged(damaged) or status


def _parse(session: Session, assignments: Sequence[str], deletions: Sequence[str]) -> dict[str, Any]:
    """Values to set, by dotted key, checked as far as that is possible without the documents.

    Raises
    ------
    click.UsageError
        If an assignment has no key, a key has an empty part, or the keys contradict each other.
    Failure
        If a value cannot be part of a document.

    """
    from signac_core.canonical import loads, plain

    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=JSON, not '{assignment}'.")
        try:
            value = loads(text)
        except ValueError:
            value = text
            if text.startswith(("{", "[", '"')):
                session.output.talk(f"The value of {key} is not valid JSON and taken as text: {text}")
        try:
            values[key] = plain(value)
        except ValueError as error:
            raise Failure(f"Invalid value for '{key}': {error}", code="bad-value") from None
    deleted = set(deletions)
    for key in (*values, *deletions):
        if "" in key.split("."):
            raise click.UsageError(f"'{key}' is not a key: the parts between the dots may not be empty.")
        other = next(
            (above for above in _all_above(key) if above in values or (key in values and above in deleted)), None
        )
        if other is not None or (key in values and key in deleted):
            raise click.UsageError(f"The keys '{other or key}' and '{key}' contradict each other.")
    return values


def _all_above(key: str) -> Iterator[str]:
    """Dotted keys of the mappings that a key is in."""
    end = key.find(".")
    while end >= 0:
        yield key[:end]
        end = key.find(".", end + 1)


def _edit(
    session: Session,
    project: Project,
    ids: Sequence[str],
    values: Mapping[str, Any],
    deletions: Sequence[str],
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Change the documents, each in one locked write; return the exit status."""
    from signac_core.document import edit_document, would_edit_document

    edit = would_edit_document if dry_run else edit_document
    report = Report(session, "document", ("updated", "unchanged"), noun="document", dry_run=dry_run)
    for job_id in followed(session, "Comparing" if dry_run else "Writing documents", dict.fromkeys(ids)):
        try:
            changed = edit(project, job_id, set=values, unset=deletions)
        except Exception as error:
            report.fail(job_id, error)
        else:
            report.add(job_id, "updated" if changed else "unchanged")
    return report.finish(as_json=as_json)
