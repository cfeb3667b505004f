"""``signac import``: jobs of the directories in a directory or an archive."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Directory, Rules
from ..options import dry_run_option, report_option
from ..output import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import ExitStack

    from signac_core.exchange.importing import Found
    from signac_core.project import Project
    from signac_core.workspace import Space

    from ..pathreport import PathReport
    from ..session import Session

__all__ = ["command"]

IMPORTED, PRESENT, SKIPPED, SYNCHRONIZED = "imported", "present", "skipped", "synchronized"

_SHOWN = 3
"""So many directories are named that a template does not match."""


@click.command(
    "import",
    cls=Command,
    rules=Rules(abbreviated=("--help", "--move", "--sync", "--sync-interactive")),
)
@click.argument("origin", type=Directory(), default=".")
@click.argument("path", required=False)
@click.option("--move", is_flag=True, help="Move the directories.")
@click.option("--sync", is_flag=True, help="Synchronize with jobs that exist already.")
@click.option("--sync-interactive", is_flag=True, help="Synchronize by Python code that is typed.")
@click.option("--skip-existing", is_flag=True, help="Leave out jobs that exist already.")
@dry_run_option
@report_option
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    origin: str,
    path: str | None,
    move: bool,
    sync: bool,
    sync_interactive: bool,
    skip_existing: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make jobs of the directories in ORIGIN: a directory (the current one by default), or a zip or tar file.

    Every directory with a state point file is a job. PATH, such as 'a_{a:int}/b_{b}', is a template that tells the
    state points from the names of the directories instead; types are int, float, bool and str.

    Nothing is imported if state points are not valid, or jobs exist already with other files; those that an import
    that was stopped has left whole count as done. What cannot be read or copied is named and left out. A dry run prints
    what would become which job.
    """
    if sync_interactive and (dry_run or as_json):
        raise click.UsageError(f"--sync-interactive does not combine with {'--dry-run' if dry_run else '--json'}.")
    if skip_existing and (sync or sync_interactive):
        raise click.UsageError("--skip-existing does not combine with --sync and --sync-interactive.")
    if move and (sync or sync_interactive):
        raise Failure("--move does not combine with --sync and --sync-interactive.", code="usage")
    if move and os.path.isfile(origin):
        raise Failure(f"Only directories can be moved, and '{origin}' is a file.", code="usage")
    from ..pathreport import PathReport

    class ImportReport(PathReport):
        def line(self, job: dict[str, Any]) -> str | None:
            return f"{job['path']} -> {job['id']}" if job["action"] in (IMPORTED, SYNCHRONIZED) else None

    actions = (IMPORTED, PRESENT, SKIPPED, SYNCHRONIZED)
    report = ImportReport(session, "import", actions, dry_run=dry_run, origin=origin)
    if sync_interactive:
        return _import_interactively(session, session.project(), report, origin, path)
    if sync and not dry_run:
        return _import_and_synchronize(session, session.project(), report, origin, path, as_json=as_json)
    existing = SKIPPED if skip_existing else SYNCHRONIZED if sync else PRESENT
    return _import(session, session.space(), report, origin, path, existing, move=move, as_json=as_json)


def _import(
    session: Session,
    space: Space,
    report: PathReport,
    origin: str,
    path: str | None,
    existing: str,
    *,
    move: bool,
    as_json: bool,
) -> int:
    """Import jobs that do not exist yet, those that exist are noted as ``existing``; return the exit status."""
    from contextlib import ExitStack

    from signac_core.exchange.importing import plan_import

    from ..pathreport import move_tree
    from ..progress import bar

    with ExitStack() as stack:
        with bar(session, "Reading") as progress:
            plan = stack.enter_context(
                plan_import(
                    space,
                    origin,
                    schema=path,
                    copytree=move_tree() if move else None,
                    skip_existing=existing != PRESENT,
                    progress=progress,
                    failed=report.add_error,
                )
            )
        if plan.collisions:
            _collide(report, plan.collisions)
            return report.finish(as_json=as_json)
        finished = move and existing == PRESENT  # what is there already leaves the origin, too
        for one, place in _places(plan.found):
            report.add_path(one.job_id, existing if one.job_id in plan.existing and not finished else IMPORTED, place)
        if move and not plan.found and (plan.moved or not _holds_files(origin)):  # a move can be repeated
            session.output.warn(f"There is nothing left to move in '{origin}'.")
        else:
            _report_unmatched(report, origin, path, plan.found, plan.unmatched)
        if report.dry_run:
            plan.rehearse(report.add_left_out, failed=report.add_error)
        else:
            with bar(session, "Importing") as progress:
                plan.carry_out(progress=progress, left_out=report.add_left_out, failed=report.add_error)
    return report.finish(as_json=as_json)


def _collide(report: PathReport, found: Iterable[Found]) -> None:
    """Note what would become jobs that exist already."""
    from ..pathreport import Collision

    report.add_collisions(
        [
            Collision(one.job_id, place, f"'{place}' would become job {one.job_id}, which exists already.")
            for one, place in _places(found)
        ],
        "Nothing was imported. Leave out what exists with --skip-existing, or synchronize with --sync or "
        "--sync-interactive.",
    )


def _report_unmatched(
    report: PathReport, origin: str, path: str | None, found: Sequence[Found], unmatched: Sequence[str]
) -> None:
    """Tell which directories a template does not match; if it matches none, that is an error.

    Without a template there may be nothing to import: after a move, or for the own project.
    """
    output = report.session.output
    if path is not None and not found:
        message = f"No directory in '{origin}' matches the path '{path}'"
        message += f": {_such_as(unmatched)}." if unmatched else "."
        report.errors.append({"id": None, "code": "no-match", "message": message})
        output.error(message, code="no-match", hint="Nothing was imported.")
    elif unmatched:
        output.warn(f"{_such_as(unmatched)}.")
    elif not found and not report.errors:
        output.info(
            f"There are no jobs to import in '{origin}'. Where the names of directories tell the state points, give a "
            "PATH such as 'a_{a:int}/b_{b}'."
        )


def _holds_files(directory: str) -> bool:
    return any(files for _, _, files in os.walk(directory))


def _such_as(unmatched: Sequence[str]) -> str:
    shown = ", ".join(f"'{os.path.normpath(name)}'" for name in unmatched[:_SHOWN])
    if len(unmatched) == 1:
        return f"1 directory does not match: {shown}"
    return f"{len(unmatched)} directories do not match, such as {shown}"


def _import_apart(
    stack: ExitStack, session: Session, project: Project, report: PathReport, origin: str, path: str | None
) -> tuple[Project, Sequence[Found]]:
    """Import to a temporary project that lasts as long as the stack, and tell which directories do not match."""
    from signac_core.project import imported_apart

    from ..progress import bar

    unmatched: list[str] = []
    with bar(session, "Importing") as progress:
        temporary, found = stack.enter_context(
            imported_apart(
                project,
                origin,
                schema=path,
                progress=progress,
                left_out=report.add_left_out,
                unmatched=unmatched,
                failed=report.add_error,
            )
        )
    _report_unmatched(report, origin, path, found, unmatched)
    return temporary, found


def _import_and_synchronize(
    session: Session, project: Project, report: PathReport, origin: str, path: str | None, *, as_json: bool
) -> int:
    """Import to a temporary project, and synchronize with that; return the exit status.

    Raises Failure if there is a conflict.
    """
    from contextlib import ExitStack

    from signac_core.errors import SyncConflict

    from ..progress import bar

    with ExitStack() as stack:
        temporary, found = _import_apart(stack, session, project, report, origin, path)
        for one, place in _places(found):
            report.add_path(one.job_id, SYNCHRONIZED if _exists(project, one) else IMPORTED, place)
        try:
            with bar(session, "Synchronizing") as progress:
                project.sync(temporary, recursive=True, progress=progress, failed=report.add_error)
        except SyncConflict as conflict:
            raise Failure(
                f"The import failed: {conflict}",
                code="conflict",
                hint="Decide about conflicts with --sync-interactive, or leave out what exists with --skip-existing.",
            ) from conflict
    return report.finish(as_json=as_json)


def _import_interactively(session: Session, project: Project, report: PathReport, origin: str, path: str | None) -> int:
    """Import to a temporary project, and let the user synchronize with that; return the exit status.

    Raises Failure if there is no standard input.
    """
    from contextlib import ExitStack

    from ..console import library, run_statements

    if sys.stdin is None:
        raise Failure("Cannot read Python code from standard input: it is closed.", code="input")
    with ExitStack() as stack:
        temporary, found = _import_apart(stack, session, project, report, origin, path)
        existing = {one.job_id for one in found if _exists(project, one)}
        session.output.info(
            f"What is in '{origin}' is now in a temporary project. Synchronize with it, for example by:"
        )
        session.output.info("project.sync(tmp_project, recursive=True)")
        names = {"project": project, "pr": project, "tmp_project": temporary, "signac": library(project)}
        status = run_statements(session, names)
        for one, place in _places(found):
            if one.job_id in existing:
                report.add_path(one.job_id, PRESENT, place)
            else:
                report.add_path(one.job_id, IMPORTED if _exists(project, one) else SKIPPED, place)
    return report.finish(as_json=False) or status


def _places(found: Iterable[Found]) -> list[tuple[Found, str]]:
    """What was found, and where; a directory in an archive by its path there."""
    return [(one, os.path.normpath(one.name)) for one in found]


def _exists(project: Project, one: Found) -> bool:
    return os.path.lexists(os.path.join(project.workspace, one.job_id))
