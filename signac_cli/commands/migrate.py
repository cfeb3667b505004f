"""``signac migrate``: give a project of an older layout the present one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..arguments import Command, Directory, Rules
from ..options import dry_run_option, report_option
from ..output import Failure

if TYPE_CHECKING:
    from signac_core.care.migration import WorkspaceChange

    from ..session import Session

__all__ = ["command"]


@click.command(
    "migrate",
    cls=Command,
    rules=Rules(abbreviated=("--help", "--root-directory", "--yes")),
)
@click.option(
    "-r",
    "--root-directory",
    default=".",
    type=Directory(),
    metavar="DIR",
    help="The directory of the project; the current one by default.",
)
@dry_run_option
@report_option
@click.pass_obj
def command(session: Session, /, *, root_directory: str, dry_run: bool, as_json: bool) -> int:
    """Give a project of an older layout the present one, which signac 1.x cannot read; there is no way back.

    The jobs stay as they are. A workspace of another name below the project becomes 'workspace'; to one that lies
    elsewhere there is a link from then on. A migration that was stopped can be run again. A dry run prints the steps.
    """
    from signac_core.care.migration import apply_migrations, pending_migrations, pending_workspace_change
    from signac_core.errors import ConfigError

    root = os.path.abspath(root_directory)
    try:
        steps = pending_migrations(root)
    except ConfigError:
        raise
    except RuntimeError as error:
        raise Failure(str(error), code="schema-version") from None
    report = _Report(session, root, dry_run=dry_run)
    change = pending_workspace_change(root)
    if not steps:
        if not dry_run:
            apply_migrations(root)  # what a migration left that was stopped at its very end
        session.output.info(f"The layout of the project '{root}' is up to date. Nothing to do.")
    elif dry_run:
        for step in steps:
            report.add_step(*step)
        if change is not None:
            session.output.info(_of_workspace(change))
        session.output.info(f"Would have applied {_number(len(steps))}.")
    elif session.confirm(
        f"There is no way back. {'' if change is None else _of_workspace(change) + ' '}"
        f"Migrate the project '{root}' from schema version {steps[0][0]} to {steps[-1][1]}?"
    ):
        if change is not None and session.yes:  # who is not asked is told
            session.output.info(_of_workspace(change))
        _migrate(session, root, report)
    else:
        session.output.info("Nothing has been changed.")
    return report.finish(as_json=as_json)


def _of_workspace(change: WorkspaceChange) -> str:
    """Sentence about what happens to the workspace."""
    if change.is_move:
        return f"The workspace '{change.source}' is moved to '{change.target}'."
    return f"The workspace '{change.source}' stays where it is, and '{change.target}' becomes a link to it."


def _migrate(session: Session, root: str, report: _Report) -> None:
    from signac_core.care.migration import apply_migrations

    try:
        apply_migrations(root, on_step=report.add_step)
    except RuntimeError as error:
        report.add_error(
            Failure(str(error), code="migration", hint="Nothing is lost; run it again when that is put right.")
        )
    else:
        session.output.info(f"Applied {_number(len(report.steps))}.")


def _number(count: int) -> str:
    return f"{count} migration{'' if count == 1 else 's'}"


class _Report:
    """The steps that have been taken, or would be."""

    def __init__(self, session: Session, root: str, *, dry_run: bool) -> None:
        self.session = session
        self.root = root
        self.dry_run = dry_run
        self.steps: list[dict[str, int]] = []
        self.errors: list[dict[str, str | None]] = []

    def add_step(self, before: int, after: int) -> None:
        """Note a step that begins."""
        self.steps.append({"from": before, "to": after})
        if not self.dry_run:
            self.session.output.info(f"Applying migration for version {before} to {after}...")

    def add_error(self, failure: Failure) -> None:
        """Tell that the last step could not be taken."""
        self.session.output.error(failure.message, code=failure.code, hint=failure.hint)
        self.steps.pop()
        self.errors.append({"id": None, "code": failure.code, "message": failure.message})

    def finish(self, *, as_json: bool) -> int:
        """Write the report, or the steps of a dry run; return the exit status."""
        output = self.session.output
        with output.may_be_closed():
            if as_json:
                counts = {"applied": len(self.steps), "failed": len(self.errors)}
                report = {"command": "migrate", "dry_run": self.dry_run, "path": self.root, "counts": counts}
                output.write_json(report | {"steps": self.steps, "errors": self.errors})
            elif self.dry_run:
                output.write_lines(f"{step['from']} -> {step['to']}" for step in self.steps)
        return 1 if self.errors else 0
