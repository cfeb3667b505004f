"""``signac rm``: remove jobs, or clear them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ..arguments import Command, Rules
from ..options import allow_eval_option, dry_run_option, filter_option, ids_argument, job_id_option, report_option
from ..report import Report, followed
from ..selection import confirm_selected, refuse_loose_filter, select

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..session import Session

__all__ = ["command"]

SHORTEST_PREFIX = 4

LONG_STATE_POINT = 1000
"""Of a longer text of a state point only the beginning is shown."""


@click.command(
    "rm",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        abbreviated=("--help", "--clear", "--interactive"),
        filters=("--filter",),
    ),
)
@ids_argument
@filter_option("-f", "--filter")
@job_id_option
@click.option("-c", "--clear", is_flag=True, help="Keep the jobs; delete their files and empty their documents.")
@click.option("-i", "--interactive", is_flag=True, help="Ask before each job.")
@dry_run_option
@allow_eval_option
@report_option
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    ids: tuple[str, ...],
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    clear: bool,
    interactive: bool,
    dry_run: bool,
    allow_eval: bool,
    as_json: bool,
) -> int:
    """Remove the jobs with the given IDs, with all their data.

    An id can be shortened to 4 digits. '-' reads ids from standard input. Nothing is removed unless every id is that
    of a job. A dry run prints the ids of the jobs that would be removed.

    On a terminal you are asked before several jobs are removed that -f selects; -y answers.
    """
    named = [*ids, *(job_ids or ())]
    if not named and filter_tokens is None:
        raise click.UsageError("Name the jobs to remove by ids, '-', -j/--job-id or -f/--filter.")
    refuse_loose_filter("rm", filter_tokens)
    space = session.space()
    damaged: list[str] = []
    selected = select(
        session,
        space,
        named,
        filter_tokens,
        allow_eval=allow_eval,
        damaged=damaged,
        minimum=SHORTEST_PREFIX,
        proven=True,
    )
    done, verb = ("cleared", "Clear") if clear else ("removed", "Remove")
    if not (dry_run or interactive):
        confirm_selected(session, space, verb, selected, filter_tokens)
    report = Report(session, "rm", (done, "kept", "absent"), dry_run=dry_run)
    remove = _clearing() if clear else _removing(space)
    if clear:
        session.when_interrupted = "State point and document of each job are whole."
    chosen = dict.fromkeys(selected)
    for job_id in chosen if interactive else followed(session, "Clearing" if clear else "Removing", chosen):
        try:
            if interactive and not dry_run and not session.confirm(_question(space, verb, job_id)):
                report.add(job_id, "kept")
            elif dry_run or remove(job_id):
                report.add(job_id, done)
            else:
                report.add(job_id, "absent")
        except OSError as error:
            report.add_error(job_id, error)
    return report.finish(as_json=as_json) or session.report_damaged(damaged)


def _question(space: Space, verb: str, job_id: str) -> str:
    """The question about a job, with its state point as far as that can be read."""
    from signac_core.canonical import dumps
    from signac_core.catalog import read_state_points

    found = dict(read_state_points(space, [job_id], damaged=[]))
    text = dumps(found[job_id]) if found else ""
    if len(text) > LONG_STATE_POINT:
        text = f"{text[:LONG_STATE_POINT]}..."
    state_point = f"The state point is {text}." if text else "The state point cannot be read."
    return f"{state_point} {verb} job {job_id}?"


def _removing(space: Space) -> Callable[[str], bool]:
    """Function that removes a job; it returns False when there is none any more."""
    from signac_core import lifecycle

    return lambda job_id: lifecycle.remove(space.workspace, job_id)


def _clearing() -> Callable[[str], bool]:
    """Function that clears a job; it returns False when there is none any more."""
    from signac_core.project import find_project

    project = find_project()

    def clear(job_id: str) -> bool:
        try:
            project.open_job(id=job_id).clear()
        except KeyError:
            return False
        return True

    return clear
