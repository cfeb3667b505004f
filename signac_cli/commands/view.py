"""``signac view``: directories with readable names, and in each a link to a job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Directory, Rules
from ..options import allow_eval_option, dry_run_option, filter_option, job_id_option, report_option
from ..selection import select

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["command"]

CREATED, UPDATED, REMOVED, UNCHANGED = "created", "updated", "removed", "unchanged"

_VERBS = {CREATED: "create", UPDATED: "update", REMOVED: "remove"}


@click.command(
    "view",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        optional={"--prefix": "view"},
        abbreviated=("--help", "--prefix", "--filter", "--job-id"),
        filters=("--filter",),
    ),
)
@click.argument("path", required=False)
@click.option(
    "-p",
    "--prefix",
    type=Directory(),
    default="view",
    metavar="[DIR]",
    help="The directory of the view ('view').",
)
@filter_option("-f", "--filter")
@job_id_option
@dry_run_option
@allow_eval_option
@report_option
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    path: str | None,
    prefix: str,
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    dry_run: bool,
    allow_eval: bool,
    as_json: bool,
) -> int:
    """Create a view of the jobs, or update it: directories with readable names, each with a link 'job'.

    PATH is a template of the names: {key} stands for a value of the state point, {job.sp.key}, {job.doc.key} and
    {job.id} for data of the job, {{auto}} or {{auto:_}} for all other keys that tell the jobs apart (the default).

    Links of the view to other jobs are removed. Nothing else is, and nothing is changed unless all is possible. A dry
    run prints what would be done.
    """
    from signac_core.exchange.views import plan_view
    from signac_core.paths.naming import PathsTakenError

    from ..pathreport import PathReport
    from ..progress import bar

    class ViewReport(PathReport):
        def line(self, job: dict[str, Any]) -> str | None:
            if job["action"] == UNCHANGED:
                return None
            target = "" if job["action"] == REMOVED else f" -> {job['id']}"
            return f"{_VERBS[job['action']]} {os.path.join(prefix, job['path'])}{target}"

        def _summary(self, counts: dict[str, int]) -> str:
            parts = [f"{counts[action]} {action}" for action in self.actions]
            return ("Would have: " if dry_run else "") + ", ".join(parts) + "."

    project = session.project(at_one_moment=True)
    damaged: list[str] = []
    selected = select(session, project.space, job_ids or (), filter_tokens, allow_eval=allow_eval, damaged=damaged)
    report = ViewReport(session, "view", (CREATED, UPDATED, REMOVED, UNCHANGED), dry_run=dry_run, prefix=prefix)
    try:
        plan = plan_view(project.space, prefix, selected, path, handle=project.handle, damaged=damaged)
    except PathsTakenError as error:
        hint = "Nothing was changed. Move it away, or give the view another directory with -p."
        report.add_obstacles(error.obstacles, hint)
        return report.finish(as_json=as_json)
    for link in plan.removed:
        report.add_path(_linked_job(os.path.join(prefix, link)), REMOVED, link)
    for action, links in ((CREATED, plan.created), (UPDATED, plan.updated), (UNCHANGED, plan.unchanged)):
        for link in sorted(links):
            report.add_path(plan.ids[link], action, link)
    if not dry_run:
        with bar(session, "Linking") as progress:
            plan.carry_out(progress=progress)
    return report.finish(as_json=as_json) or session.report_damaged(damaged)


def _linked_job(link: str) -> str | None:
    """Id of the job that a link leads to; None when the link is gone."""
    try:
        return os.path.basename(os.readlink(link).rstrip("/"))
    except OSError:
        return None
