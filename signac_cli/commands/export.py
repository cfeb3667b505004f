"""``signac export``: copies of jobs with readable names, in a directory or an archive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Directory, Rules
from ..options import allow_eval_option, dry_run_option, filter_option, job_id_option, report_option
from ..output import Failure
from ..selection import confirm_selected, select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signac_core.exchange.copying import CopyTree
    from signac_core.exchange.exporting import ExportPlan
    from signac_core.project import Project

    from ..pathreport import PathReport
    from ..session import Session

__all__ = ["command"]

EXPORTED, PRESENT = "exported", "present"


@click.command(
    "export",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        abbreviated=("--help", "--move", "--filter", "--job-id"),
        filters=("--filter",),
    ),
)
@click.argument("target", type=Directory())
@click.argument("path", required=False)
@click.option("--move", is_flag=True, help="Move the jobs, to a directory.")
@filter_option("-f", "--filter")
@job_id_option
@click.option("--force", is_flag=True, help="Replace an archive that exists.")
@dry_run_option
@allow_eval_option
@report_option
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    target: str,
    path: str | None,
    move: bool,
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    force: bool,
    dry_run: bool,
    allow_eval: bool,
    as_json: bool,
) -> int:
    """Copy jobs to the directory or the archive TARGET, under readable names.

    The extension of TARGET tells what it is: .zip, .tar, or .tar.gz, .tar.bz2, .tar.xz (.tgz, .tbz2, .txz); without
    one it is a directory. PATH is a template of the names, as for 'signac view'.

    Nothing is written if names are not possible or taken. A job that cannot be copied is named and left out, but no
    archive is replaced by one without it. In a directory, whole copies of the jobs that are there already count as
    done, and so does an archive that holds exactly the jobs, so that the command can be repeated after it was stopped.
    A dry run prints what would go where.

    On a terminal you are asked before several jobs are moved that -f selects; -y answers.
    """
    from signac_core.paths.naming import PathsTakenError

    from ..pathreport import move_tree

    is_archive = _is_archive(target, move=move)
    project = session.project(at_one_moment=not move)
    damaged: list[str] = []
    selected = select(
        session, project.space, job_ids or (), filter_tokens, allow_eval=allow_eval, damaged=damaged, proven=True
    )
    report = _report(session, target, "" if is_archive else target, dry_run=dry_run)
    copytree = move_tree() if move else None
    try:
        plan = _plan(project, selected, target, path, copytree=copytree, force=force, damaged=damaged)
    except PathsTakenError as error:
        report.add_obstacles(error.obstacles, "Nothing was written. Move it away, or choose another target or path.")
        return report.finish(as_json=as_json)
    except FileExistsError:
        if not is_archive:
            raise
        raise Failure(f"The archive '{target}' exists.", code="exists", hint="Replace it with --force.") from None
    for job_id, place in plan.paths.items():
        report.add_path(job_id, PRESENT if job_id in plan.done and not move else EXPORTED, place)
    if move and not dry_run:
        confirm_selected(session, project.space, "Move", plan.paths, filter_tokens)
    _carry_out(session, plan, report, copytree)
    return report.finish(as_json=as_json) or session.report_damaged(damaged)


def _report(session: Session, target: str, above: str, *, dry_run: bool) -> PathReport:
    """Report of jobs that get paths below a directory, or in an archive."""
    from ..pathreport import PathReport

    class ExportReport(PathReport):
        def line(self, job: dict[str, Any]) -> str | None:
            if job["action"] != EXPORTED:
                return None
            return f"{job['id']} -> {os.path.normpath(os.path.join(above, job['path']))}"

    return ExportReport(session, "export", (EXPORTED, PRESENT), dry_run=dry_run, target=target)


def _plan(
    project: Project,
    selected: Sequence[str],
    target: str,
    path: str | None,
    *,
    copytree: CopyTree | None,
    force: bool,
    damaged: list[str],
) -> ExportPlan:
    from signac_core.exchange.exporting import plan_export

    return plan_export(
        project.space,
        dict.fromkeys(selected),
        target,
        path,
        handle=project.handle,
        copytree=copytree,
        force=force,
        repeated=True,
        damaged=damaged,
    )


def _carry_out(session: Session, plan: ExportPlan, report: PathReport, copytree: CopyTree | None) -> None:
    from ..progress import bar

    if report.dry_run:
        with bar(session, "Reading") as progress:
            plan.rehearse(report.add_left_out, copytree=copytree, progress=progress, failed=report.add_error)
    else:
        with bar(session, "Exporting" if copytree is None else "Moving") as progress:
            plan.carry_out(copytree=copytree, progress=progress, left_out=report.add_left_out, failed=report.add_error)


def _is_archive(target: str, *, move: bool) -> bool:
    """Tell whether the target is an archive.

    Raises Failure if it is of an unknown kind, or jobs cannot be moved to it.
    """
    from signac_core.exchange.packing import archive_format

    try:
        is_archive = archive_format(target) is not None
    except TypeError as error:
        raise Failure(str(error), code="bad-target") from None
    if is_archive and move:
        raise Failure(
            f"Jobs can be moved to directories only, and '{target}' is an archive.",
            code="usage",
            hint="Export without --move, then remove the jobs with 'signac rm'.",
        )
    return is_archive
