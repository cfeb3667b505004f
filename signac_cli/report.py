"""What a command that changes jobs tells about it: one report as JSON, or one line of summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .app import as_failure
from .output import OutputClosed

if TYPE_CHECKING:
    from .app import Session

__all__ = ["Report"]


class Report:
    """What has been done to each job.

    Parameters
    ----------
    session : Session
        The run.
    command : str
        The name of the command.
    actions : sequence of str
        What can be done to a job, in the past tense; the first is the purpose of the command.
    noun : str
        What is counted.
    dry_run : bool
        Nothing has really been done.

    """

    def __init__(
        self, session: Session, command: str, actions: Sequence[str], *, noun: str = "job", dry_run: bool = False
    ) -> None:
        self.session = session
        self.command = command
        self.actions = actions
        self.noun = noun
        self.dry_run = dry_run
        self.jobs: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def add(self, job_id: str, action: str) -> None:
        """Note what has been done to a job."""
        self.jobs.append({"id": job_id, "action": action})

    def fail(self, job_id: str, error: Exception) -> None:
        """Tell that something could not be done, and note it."""
        failure = as_failure(error)
        message = failure.message if job_id in failure.message else f"Job {job_id}: {failure.message}"
        self.session.output.error(message, code=failure.code, hint=failure.hint)
        self.errors.append({"id": job_id, "code": failure.code, "message": message})

    def finish(self, *, as_json: bool) -> int:
        """Write the summary, and the report or (of a dry run) the ids; return the exit status.

        Parameters
        ----------
        as_json : bool
            Write the report to standard output.

        """
        counts = {action: sum(job["action"] == action for job in self.jobs) for action in self.actions}
        counts["failed"] = len(self.errors)
        output = self.session.output
        output.talk(self._summary(counts))
        try:
            if as_json:
                report = {"command": self.command, "dry_run": self.dry_run, "counts": counts}
                output.write_json(report | {"jobs": self.jobs, "errors": self.errors})
            elif self.dry_run:
                output.write_lines(job["id"] for job in self.jobs)
        except OutputClosed:  # the work is done, whether anybody reads about it or not
            output.abandon()
        return 1 if self.errors else 0

    def _summary(self, counts: dict[str, int]) -> str:
        (first, number), *others = counts.items()
        done = f"Would have {first}" if self.dry_run else first.capitalize()
        parts = [f"{done} {number} {self.noun}{'' if number == 1 else 's'}"]
        parts += [f"{count} {action}" for action, count in others if count]
        return ", ".join(parts) + "."
