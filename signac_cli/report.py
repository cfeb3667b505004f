"""What has been done to each job: the report of a command that changes something."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .session import as_failure

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Report", "followed"]

_T = TypeVar("_T")

_FEW = 32
"""So few jobs are soon dealt with."""


def followed(session: Session, label: str, items: Collection[_T]) -> Iterator[_T]:
    """Items one after the other, with a progress bar if there are many."""
    if len(items) <= _FEW:
        yield from items
        return
    from signac_core.progress import track

    from .progress import bar

    with bar(session, label) as progress:
        yield from track(items, label, len(items), progress)


class Report:
    """What has been done to each job."""

    when_interrupted = "No job is left half done."
    """What is true after Ctrl-C."""

    def __init__(
        self, session: Session, command: str, actions: Sequence[str], *, noun: str = "job", dry_run: bool = False
    ) -> None:
        self.session = session
        self.command = command
        self.actions = actions  # what can be done to a job, in the past tense; first the purpose of the command
        self.noun = noun  # what is counted
        self.dry_run = dry_run
        self.jobs: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.details: dict[str, Any] = {}  # what else the command reports in JSON
        self.left_out: list[dict[str, str]] = []
        if not dry_run:
            session.when_interrupted = self.when_interrupted

    def add(self, job_id: str, action: str) -> None:
        """Note what has been done to a job."""
        self.jobs.append({"id": job_id, "action": action})

    def add_left_out(self, path: str, reason: str) -> None:
        """Note a link that is not copied, or would not be; `finish` tells about it."""
        self.left_out.append({"path": path, "reason": reason})

    def add_error(self, job_id: str | None, error: Exception) -> None:
        """Tell that something could not be done, and note it."""
        failure = as_failure(error)
        is_named = job_id is None or job_id in failure.message
        message = failure.message if is_named else f"Job {job_id}: {failure.message}"
        self.session.output.error(message, code=failure.code, hint=failure.hint)
        self.errors.append({"id": job_id, "code": failure.code, "message": message})

    def finish(self, *, as_json: bool) -> int:
        """Write the summary, and the report or (of a dry run) the ids; return the exit status."""
        counts = self._counts()
        output = self.session.output
        self._warn_of_left_out()
        output.summarize_repeated()
        output.info(self._summary(counts))
        with output.may_be_closed():
            if as_json:
                output.write_json(self._document(counts))
            elif self.dry_run:
                output.write_lines(job["id"] for job in self.jobs if job["action"] == self.actions[0])
        return 1 if self.errors else 0

    def _document(self, counts: dict[str, int]) -> dict[str, Any]:
        """The report as JSON."""
        left_out = {"left_out": self.left_out} if self.left_out else {}
        report = {"command": self.command, "dry_run": self.dry_run, "counts": counts}
        return report | self.details | left_out | {"jobs": self.jobs, "errors": self.errors}

    def _warn_of_left_out(self) -> None:
        """Tell which links are not copied, one line for each reason."""
        groups: dict[str, list[str]] = {}
        for link in self.left_out:
            groups.setdefault(link["reason"], []).append(link["path"])
        for reason, (first, *others) in groups.items():
            links, such_as = (f"{1 + len(others)} links", ", such as") if others else ("1 link", ":")
            are = "would be" if self.dry_run else "were" if others else "was"
            self.session.output.warn(f"{links} {are} left out{such_as} '{first}'; {reason}.")

    def _counts(self) -> dict[str, int]:
        counts = {action: sum(job["action"] == action for job in self.jobs) for action in self.actions}
        return counts | {"failed": len(self.errors)}

    def _summary(self, counts: dict[str, int]) -> str:
        (first, number), *others = counts.items()
        done = f"Would have {first}" if self.dry_run else first.capitalize()
        parts = [f"{done} {number} {self.noun}{'' if number == 1 else 's'}"]
        parts += [f"{count} {action}" for action, count in others if count]
        return ", ".join(parts) + "."
