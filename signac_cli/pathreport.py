"""The report of a command that gives paths to jobs, or makes jobs of paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .output import one_line
from .report import Report

if TYPE_CHECKING:
    from signac_core.exchange.copying import CopyTree
    from signac_core.paths.naming import Obstacle

    from .session import Session

__all__ = ["EXISTS", "Collision", "PathReport", "move_tree"]

EXISTS = "exists"
"""The code of errors about what is there already."""


def move_tree() -> CopyTree:
    """Function that moves a directory where others copy one."""
    from shutil import move

    return move


class Collision(NamedTuple):
    """A job that cannot go where it should, because something is there."""

    job_id: str
    path: str
    message: str


class PathReport(Report):
    """What has become of each job, and of its path."""

    when_interrupted = "No job is left half done; the same command does the rest."

    def __init__(
        self,
        session: Session,
        command: str,
        actions: Sequence[str],
        *,
        noun: str = "job",
        dry_run: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(session, command, actions, noun=noun, dry_run=dry_run)
        self.details = details
        self._failed: set[str | None] = set()

    def add_path(self, job_id: str | None, action: str, path: str) -> None:
        """Note what has been done to a job, or would be."""
        self.jobs.append({"id": job_id, "action": action, "path": path})

    def add_error(self, job_id: str | None, error: Exception) -> None:
        """Tell that something could not be done, and note it instead of what was to be done."""
        super().add_error(job_id, error)
        self._failed.add(job_id)

    def add_collisions(self, collisions: Sequence[Collision], hint: str) -> None:
        """Note all collisions, because of which nothing has been done, and tell about them."""
        self.jobs.clear()
        for job_id, path, message in collisions:
            self.errors.append({"id": job_id, "code": EXISTS, "message": message, "path": path})
        *others, last = collisions
        for collision in others:
            self.session.output.error(collision.message, code=EXISTS)
        self.session.output.error(last.message, code=EXISTS, hint=hint)

    def add_obstacles(self, obstacles: Iterable[Obstacle], hint: str) -> None:
        """Note jobs that cannot get their paths."""
        self.add_collisions(
            [Collision(job_id, path, f"{reason}: '{path}'.") for job_id, path, reason in obstacles], hint
        )

    def finish(self, *, as_json: bool) -> int:
        """Write the summary, and the report or (of a dry run) a line per change; return the exit status."""
        self.jobs = [job for job in self.jobs if job["id"] not in self._failed]
        counts = self._counts()
        output = self.session.output
        self._warn_of_left_out()
        output.summarize_repeated()
        if self.jobs or not self.errors:
            output.info(self._summary(counts))
        with output.may_be_closed():
            if as_json:
                output.write_json(self._document(counts))
            elif self.dry_run:
                output.write_lines(one_line(line) for job in self.jobs if (line := self.line(job)) is not None)
        return 1 if self.errors else 0

    def line(self, job: dict[str, Any]) -> str | None:
        """What a dry run prints for a job; None if nothing would be done to it."""
        raise NotImplementedError
