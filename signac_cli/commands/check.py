"""``signac check``: find what is damaged, and repair it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from ..arguments import Command, Rules
from ..options import dry_run_option, report_option
from ..output import SHOWN, one_line
from ..report import Report
from ..selection import enough_digits

if TYPE_CHECKING:
    from signac_core.care.integrity import Outcome, Problem
    from signac_core.workspace import Space

    from ..session import Session

__all__ = ["command"]

FOUND, REPAIRED, LEFT, HARMLESS = "found", "mended", "left", "harmless"
"""What becomes of a problem, as reports in JSON call it."""

_SAID = {REPAIRED: "repaired"}

_BY_HAND = {
    "invalid-document": "Correct the document, restore it from a backup, or move it away.",
    "stray-directory": "Move it out of the workspace.",
    "missing-workspace": "Find out where the jobs are; 'signac init' makes an empty one.",
    "stray-file": "Move it out of the workspace.",
    "stray-entry": "Move it out of the workspace if it is not wanted there.",
}
_STATE_POINT_BY_HAND = "Restore the state point file from a backup, or correct it."
_UNREADABLE = {
    "Permission denied": "Make it readable.",
    "Is a directory": "Move the directory away, and restore the file from a backup.",
    "Not a regular file": "Move it away, and restore the file from a backup.",
    "Too many levels of symbolic links": "Correct the link.",
}
"""What to do about a file that cannot be read, whatever it should hold."""

_VARIABLE = re.compile(r"\b[0-9a-f]{6}\b|\d+")
"""In what problems of one kind differ."""

_LONGEST_USUAL_FILE = len("signac_job_document.json")

_SHORT = (
    (re.compile(r".*cannot be read: (.*?)\.?$"), r"\1"),
    (re.compile(r".*There is no state point file\..*"), "missing"),
    (re.compile(r".* file is empty\..*"), "empty"),
    (re.compile(r".*not valid JSON: .*(line \d+).*"), r"not valid JSON, \1"),
    (re.compile(r".*not valid JSON\b.*"), "not valid JSON"),
    (re.compile(r"The name begins with a job id.*"), "not the name of a job"),
    (re.compile(r"A (.*) has the name of a job, and is no directory\."), r"a \1 has the name of a job"),
    (re.compile(r"The state point is that of job (\w{6})\w*\."), r"that of job \1"),
    (re.compile(r"The (.*)\."), r"the \1"),
    (re.compile(r"A (.*)\."), r"a \1"),
)
"""Details, and what is enough of them beside the name of the file."""

_SHORT_ADVICE = (
    (re.compile("--repair can restore the state point from .*"), "--repair restores it"),
    (re.compile("--repair can rename the directory to"), "--repair renames it to"),
    (re.compile("--repair can delete it"), "--repair deletes it"),
    (re.compile("Would restore the state point from .*"), "would restore it"),
    (re.compile("Would rename the directory to"), "would rename it to"),
    (re.compile("This has to be decided by hand. "), ""),
    (re.compile("Restore the state point file from a backup, or correct it"), "restore or correct it"),
    (re.compile("Correct the document, restore it from a backup, or move it away"), "correct or restore it"),
    (re.compile(r"\b([0-9a-f]{6})[0-9a-f]{26}\b"), r"\1"),
)


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

    Each problem is one line: the id of the job, or a path in the project, what is wrong, and what to do. On a terminal
    these are the columns of a table, which shows ten problems of a kind.

    With --repair, state points are restored from the cache and from what interrupted changes left behind, and the line
    tells what came of it. Documents and other data are never changed. A warning tells where the file system of the
    project has no locks between hosts.

    The exit status is 3 if there are problems, or with --repair if any are left, and 0 otherwise. What interrupted
    operations left behind and only takes up space is listed as harmless, and does not count.
    """
    if dry_run and not repair:
        raise click.UsageError("--dry-run goes with --repair.")
    from signac_core.care.integrity import examine, repair_problems
    from signac_core.mounts import lock_warnings

    from ..progress import bar

    space = session.space()
    with bar(session, "Checking") as progress:
        problems = [problem._replace(detail=problem.brief) for problem in examine(space, progress=progress)]
    if not repair:
        findings, results = _Findings(session, (FOUND, HARMLESS), space), _listed(problems)
    else:
        findings = _Findings(session, (REPAIRED, LEFT, HARMLESS), space, dry_run=dry_run)
        if dry_run:
            results = _planned(problems)
        else:
            with bar(session, "Repairing") as progress:
                results = _repaired(repair_problems(space, problems, progress=progress))
    for result in results:
        findings.add_finding(*result)
    for warning in lock_warnings(space.root, space.workspace):
        findings.add_warning(warning)
    return findings.finish(as_json=as_json)


class _Row(NamedTuple):
    """What a person is told of a problem."""

    job_id: str
    file: str
    what: str
    advice: str


class _Findings(Report):
    """The problems of a project, and what became of each."""

    def __init__(self, session: Session, actions: Sequence[str], space: Space, *, dry_run: bool = False) -> None:
        super().__init__(session, "check", actions, noun="problem", dry_run=dry_run)
        self.space = space
        self.lines: list[str] = []
        self.rows: list[_Row] = []
        self.details["warnings"] = []

    def add_finding(self, problem: Problem, action: str, message: str) -> None:
        """Note a problem, and what to do about it or what was done."""
        entry = {"kind": problem.kind, "path": problem.path, "detail": problem.detail, "message": message}
        self.jobs.append({"id": problem.name, "action": action} | entry)
        # The id of a job does not say which of its files is litter, and the project has no id.
        has_path = problem.is_litter or not problem.name
        where = os.path.relpath(problem.path, self.space.root) if has_path else problem.name
        kind = problem.kind.replace("-", " ") + (" (harmless)" if problem.is_litter else "")
        self.lines.append(one_line(f"{where}: {kind}: {_sentence(problem.detail)} {message}"))
        self.rows.append(self._row(problem, message))

    def _summary(self, counts: dict[str, int]) -> str:
        return super()._summary({_SAID.get(action, action): count for action, count in counts.items()})

    def _row(self, problem: Problem, message: str) -> _Row:
        from signac_core.layout import is_job_id

        path = os.path.relpath(problem.path, self.space.root)
        inside = os.path.relpath(problem.path, os.path.join(self.space.workspace, problem.name))
        is_inside = is_job_id(problem.name) and inside != os.curdir
        what = problem.detail
        for pattern, short in _SHORT:
            if pattern.fullmatch(what):
                what = pattern.sub(short, what)
                break
        if problem.is_litter:
            what += " (harmless)"
        return _Row(problem.name if is_inside else "", inside if is_inside else path, what, _shortened(message))

    def add_warning(self, warning: str) -> None:
        """Note what is no damage, but may lead to it."""
        self.details["warnings"].append(warning)
        self.session.output.warn(warning)

    def finish(self, *, as_json: bool) -> int:
        """Write the report, or a line for each problem and the summary; return the exit status."""
        if as_json:
            super().finish(as_json=True)
        else:
            output = self.session.output
            with output.may_be_closed():
                if output.is_terminal:
                    self._write_table()
                else:
                    output.write_lines(self.lines)
                output.flush()
            output.info(self._summary({action: self._count(action) for action in self.actions}))
        return 3 if self._count(FOUND) or self._count(LEFT) else 0

    def _write_table(self) -> None:
        """Write a table of the problems, with the first of each kind only when there are very many."""
        from ..tables import Column, draw_columns, visible

        kinds: dict[str, list[_Row]] = {}
        for row in self.rows:
            file = os.path.basename(row.file) if row.job_id else ""
            kinds.setdefault(_VARIABLE.sub("*", f"{file}: {row.what}: {row.advice}"), []).append(row)
        shown = []
        for rows in kinds.values():
            shown += rows[:SHOWN]
            if len(rows) > SHOWN:
                shown.append(_Row("", f"and {len(rows) - SHOWN:,} more like these", "", ""))
        if not shown:
            return
        ids, files, whats, advices = (list(map(visible, cells)) for cells in zip(*shown, strict=True))
        columns = [
            Column("job", ids, whole=True),
            Column("file", files, folds=True, least=_LONGEST_USUAL_FILE),
            Column("what", whats, folds=True),
            Column(
                "what was done" if REPAIRED in self.actions and not self.dry_run else "what to do", advices, folds=True
            ),
        ]
        output = self.session.output
        color = output.has_color(sys.stdout)
        output.write_drawn(draw_columns(columns, terminal=True, color=color, digits=enough_digits(self.space)))
        if len(shown) < len(self.rows):
            output.info("'signac check | less' shows all.")

    def _count(self, action: str) -> int:
        return sum(job["action"] == action for job in self.jobs)


def _listed(problems: Iterable[Problem]) -> Iterator[tuple[Problem, str, str]]:
    for problem in problems:
        by_hand = _by_hand(problem)
        advice = f"--repair can {problem.remedy}." if problem.remedy else by_hand
        if problem.remedy and by_hand == _UNREADABLE["Permission denied"]:
            advice = by_hand  # a sound file is not replaced for that
        yield problem, HARMLESS if problem.is_litter else FOUND, advice


def _planned(problems: Iterable[Problem]) -> Iterator[tuple[Problem, str, str]]:
    for problem in problems:
        if problem.remedy:
            yield problem, REPAIRED, f"Would {problem.remedy}."
        else:
            yield problem, HARMLESS if problem.is_litter else LEFT, _by_hand(problem)


def _repaired(outcomes: Iterable[Outcome]) -> Iterator[tuple[Problem, str, str]]:
    for outcome in outcomes:
        problem, message = outcome.problem, _sentence(outcome.detail)
        if outcome.repaired:
            yield problem, REPAIRED, message
        elif problem.is_litter:
            yield problem, HARMLESS, message
        else:
            yield problem, LEFT, message if problem.remedy else f"{message} {_by_hand(problem)}"


def _by_hand(problem: Problem) -> str:
    for reason, advice in _UNREADABLE.items():
        if problem.detail.rstrip(".").endswith(f"cannot be read: {reason}"):
            return advice
    return _BY_HAND.get(problem.kind, _STATE_POINT_BY_HAND)


def _shortened(message: str) -> str:
    """What is enough of a message beside the name of the file."""
    text = message
    for pattern, short in _SHORT_ADVICE:
        text = pattern.sub(short, text)
    text = text.removesuffix(".")
    return text if ". " in text else text[:1].lower() + text[1:]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
