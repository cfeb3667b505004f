"""``signac check``: find what is damaged, and repair it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..arguments import Command, Rules
from ..output import OutputClosed, one_line
from . import Report, dry_run_option, report_option

if TYPE_CHECKING:
    from signac_core.integrity import Outcome, Problem

    from ..app import Session

__all__ = ["command"]

FOUND, MENDED, LEFT, HARMLESS = "found", "mended", "left", "harmless"

_BY_HAND = {
    "invalid-document": "Correct the document, restore it from a backup, or move it away.",
    "stray-directory": "Move it out of the workspace.",
    "missing-workspace": "Find out where the jobs are; 'signac init' makes an empty one.",
    "stray-file": "Move it out of the workspace.",
    "stray-entry": "Move it out of the workspace if it is not wanted there.",
}
_STATE_POINT_BY_HAND = "Restore the state point file from a backup, correct it, or make it readable."


@click.command(
    "check",
    cls=Command,
    rules=Rules(),
)
@click.option("--repair", is_flag=True, help="Repair what can be repaired without losing data.")
@dry_run_option
@report_option
@click.pass_obj
def command(session: Session, /, *, repair: bool, dry_run: bool, as_json: bool) -> int:
    """Look for damaged state points and documents, a wrong index or cache, and strays in the workspace, and list them.

    Each problem is one line: the id of the job, or a path in the project, what is wrong, and what to do. With --repair,
    state points are restored from the cache and from what interrupted changes left behind, and the line tells what came
    of it. Documents and other data are never changed. A warning tells where the file system of the project has no locks
    between hosts.

    The exit status is 3 if there are problems, or with --repair if any are left, and 0 otherwise. What interrupted
    operations left behind and only takes up space is listed as harmless, and does not count.
    """
    if dry_run and not repair:
        raise click.UsageError("--dry-run goes with --repair.")
    from signac_core.integrity import examine, mend
    from signac_core.mounts import lock_warnings

    from ..progress import bar

    project = session.project()
    with bar(session, "Checking") as progress:
        problems = list(examine(project, progress=progress))
    if not repair:
        findings, results = _Findings(session, (FOUND, HARMLESS), project.path), _listed(problems)
    else:
        findings = _Findings(session, (MENDED, LEFT, HARMLESS), project.path, dry_run=dry_run)
        if dry_run:
            results = _planned(problems)
        else:
            with bar(session, "Repairing") as progress:
                results = _repaired(mend(project, problems, progress=progress))
    for result in results:
        findings.note(*result)
    for warning in lock_warnings(project.path, project.workspace):
        findings.warn(warning)
    return findings.finish(as_json=as_json)


class _Findings(Report):
    """The problems of a project, and what became of each."""

    def __init__(self, session: Session, actions: Sequence[str], root: str, *, dry_run: bool = False) -> None:
        super().__init__(session, "check", actions, noun="problem", dry_run=dry_run)
        self.root = root
        self.lines: list[str] = []
        self.details["warnings"] = []

    def note(self, problem: Problem, action: str, message: str) -> None:
        """Note a problem, and what to do about it or what was done."""
        entry = {"kind": problem.kind, "path": problem.path, "detail": problem.detail, "message": message}
        self.jobs.append({"id": problem.name, "action": action} | entry)
        # The id of a job does not say which of its files is litter, and the project has no id.
        has_path = problem.is_litter or not problem.name
        where = os.path.relpath(problem.path, self.root) if has_path else problem.name
        kind = problem.kind.replace("-", " ") + (" (harmless)" if problem.is_litter else "")
        self.lines.append(one_line(f"{where}: {kind}: {_sentence(problem.detail)} {message}"))

    def warn(self, warning: str) -> None:
        """Note what is no damage, but may lead to it."""
        self.details["warnings"].append(warning)
        self.session.output.warn(warning)

    def finish(self, *, as_json: bool) -> int:
        """Write the report, or a line for each problem and the summary; return the exit status."""
        if as_json:
            super().finish(as_json=True)
        else:
            output = self.session.output
            try:
                output.write_lines(self.lines)
                output.flush()
            except OutputClosed:  # the work is done, whether anybody reads about it or not
                output.abandon()
            output.talk(self._summary({action: self._count(action) for action in self.actions}))
        return 3 if self._count(FOUND) or self._count(LEFT) else 0

    def _count(self, action: str) -> int:
        return sum(job["action"] == action for job in self.jobs)


def _listed(problems: Iterable[Problem]) -> Iterator[tuple[Problem, str, str]]:
    for problem in problems:
        advice = f"--repair can {problem.remedy}." if problem.remedy else _by_hand(problem)
        yield problem, HARMLESS if problem.is_litter else FOUND, advice


def _planned(problems: Iterable[Problem]) -> Iterator[tuple[Problem, str, str]]:
    for problem in problems:
        if problem.remedy:
            yield problem, MENDED, f"Would {problem.remedy}."
        else:
            yield problem, HARMLESS if problem.is_litter else LEFT, _by_hand(problem)


def _repaired(outcomes: Iterable[Outcome]) -> Iterator[tuple[Problem, str, str]]:
    for outcome in outcomes:
        problem, message = outcome.problem, _sentence(outcome.detail)
        if outcome.mended:
            yield problem, MENDED, message
        elif problem.is_litter:
            yield problem, HARMLESS, message
        else:
            yield problem, LEFT, message if problem.remedy else f"{message} {_by_hand(problem)}"


def _by_hand(problem: Problem) -> str:
    return _BY_HAND.get(problem.kind, _STATE_POINT_BY_HAND)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
