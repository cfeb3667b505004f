"""Jobs from one project into another: the other project, and what ``move`` and ``clone`` have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from .arguments import Directory, Rules
from .options import allow_eval_option, dry_run_option, filter_option, ids_argument, job_id_option, report_option
from .output import Failure
from .report import Report
from .selection import confirm_selected, looks_like_id, refuse_loose_filter, select

if TYPE_CHECKING:
    from signac_core.exchange.links import LeftOut
    from signac_core.workspace import Space

    from .session import Session

__all__ = ["RULES", "check_different", "transfer", "transfer_options"]

_F = TypeVar("_F", bound=Callable[..., Any])

Carry: TypeAlias = "Callable[[str, str, Space, LeftOut], object]"
"""Brings the job of a path and an id into a project, and tells about links that are left out."""

PRESENT = "present"
SKIPPED = 3

_FEW = 4
"""So many words of a command line are repeated to show another order of them."""

RULES = Rules(greedy={"--filter": 1, "--job-id": 1}, abbreviated=("--help",), filters=("--filter",))


def check_different(source: Space, destination: Space) -> None:
    """Make sure that two projects do not have the same jobs, under whatever path. Raises Failure if they do."""
    try:
        same = os.path.samefile(source.workspace, destination.workspace)
    except OSError:  # one has none, which is no reason to refuse
        return
    if same:
        names = " and ".join(f"'{path}'" for path in dict.fromkeys((source.root, destination.root)))
        raise Failure(f"Source and destination are the same project: {names}.", code="usage")


def transfer_options(function: _F) -> _F:
    """Add the arguments and options of ``move`` and ``clone``."""
    for decorator in (
        report_option,
        allow_eval_option,
        dry_run_option,
        click.option("-e", "--exit-status", is_flag=True, help="Exit with status 3 if a job is present there already."),
        job_id_option,
        filter_option("-f", "--filter"),
        ids_argument,
        click.argument("directory", type=Directory(), metavar="PROJECT"),
    ):
        function = decorator(function)
    return function


def transfer(
    session: Session,
    command: str,
    done: str,
    carry: Carry,
    rehearse: Callable[[str, str, LeftOut], object],
    *,
    label: str,
    minimum: int,
    question: str | None = None,
    directory: str,
    ids: Sequence[str],
    filter_tokens: Sequence[str] | None,
    job_ids: Sequence[str] | None,
    exit_status: bool,
    dry_run: bool,
    allow_eval: bool,
    as_json: bool,
) -> int:
    """Bring jobs of the current project into another one; return the exit status.

    ``done`` says in the past tense what is done to a job by ``carry``; ``rehearse`` finds out which links that would
    leave out. ``question`` is the verb that asks whether to do it to several jobs that a filter selects; without one
    nobody is asked.
    """
    from .progress import bar

    _check_order(command, directory, ids)
    named = [*ids, *(job_ids or ())]
    if not named and filter_tokens is None:
        raise click.UsageError("Name the jobs by ids, '-', -j/--job-id or -f/--filter.")
    refuse_loose_filter(f"{command} {directory}", filter_tokens)
    source, destination = session.space(), session.space(directory)
    check_different(source, destination)
    damaged: list[str] = []
    selected = select(
        session,
        source,
        named,
        filter_tokens,
        allow_eval=allow_eval,
        damaged=damaged,
        minimum=minimum,
        proven=True,
    )
    selected = list(dict.fromkeys(selected))
    if question is not None and not dry_run:
        confirm_selected(session, source, question, selected, filter_tokens)
    report = _Transfers(session, command, (done, PRESENT), dry_run=dry_run)
    report.details = {"source": source.root, "destination": destination.root}
    with bar(session, label) as progress:
        for number, job_id in enumerate(selected, 1):
            try:
                is_new = _bring(source, destination, job_id, carry, rehearse, report)
            except Exception as error:
                report.add_error(job_id, error)
            else:
                report.add(job_id, done if is_new else PRESENT)
            if progress is not None:
                progress(command, number, len(selected))
    status = report.finish(as_json=as_json) or session.report_damaged(damaged)
    skipped = any(job["action"] == PRESENT for job in report.jobs)
    return status or (SKIPPED if exit_status and skipped else 0)


def _check_order(command: str, directory: str, ids: Sequence[str]) -> None:
    """Make sure that the project was not named behind the jobs, as the directory of ``mv`` and ``cp`` is.

    Raises Failure if it was.
    """
    is_swapped = bool(ids) and not looks_like_id(ids[-1])
    if looks_like_id(directory) and (is_swapped or not os.path.isdir(directory)):
        right = [ids[-1], directory, *ids[:-1]] if is_swapped else ["PROJECT", directory, *ids]
        raise Failure(
            f"PROJECT comes first, then the jobs, and '{directory}' is no project.",
            code="usage",
            hint=f"Write 'signac {command} {' '.join(right if len(right) <= _FEW else [*right[:_FEW], '...'])}'.",
            status=2,
        )


def _bring(
    source: Space,
    destination: Space,
    job_id: str,
    carry: Carry,
    rehearse: Callable[[str, str, LeftOut], object],
    report: Report,
) -> bool:
    """Bring a job into another project, or find out whether that can be done; False if it is there already."""
    from signac_core.errors import DestinationExistsError

    if report.dry_run and os.path.lexists(os.path.join(destination.workspace, job_id)):
        return False
    path = source.job_path(job_id)
    try:
        if report.dry_run:
            rehearse(path, job_id, report.add_left_out)
        else:
            carry(path, job_id, destination, report.add_left_out)
    except Exception as error:
        if not source.has(job_id):
            raise Failure(f"Job {job_id} has gone meanwhile.", code="unknown-id") from None
        if isinstance(error, DestinationExistsError):
            return False
        raise
    return True


class _Transfers(Report):
    """What has been brought into another project."""

    def _summary(self, counts: dict[str, int]) -> str:
        done, present = self.actions
        would = " would be" if self.dry_run else ""
        failed = f", {counts['failed']} failed" if counts["failed"] else ""
        return f"{counts[done]}{would} {done}, {counts[present]} already present{failed}."
