"""The report of a synchronization: a line for each thing that it would do, the conflicts, the statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .output import one_line
from .report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signac_core.progress import Progress
    from signac_core.sync.work import SyncAction

    from .session import Session

__all__ = ["SyncReport", "with_unit"]

CLONED, UPDATED, UNCHANGED, SKIPPED, CONFLICTING = "cloned", "updated", "unchanged", "skipped", "conflicting"

_DONE = frozenset({"clone", "copy", "overwrite", "document"})
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


class SyncReport(Report):
    """What a synchronization has done, or would do."""

    when_interrupted = "Every file is old or new; the same command does the rest."

    def __init__(
        self, session: Session, *, dry_run: bool, asks: bool, statistics: bool, human: bool, recursive: bool
    ) -> None:
        super().__init__(session, "sync", (CLONED, UPDATED, UNCHANGED, SKIPPED, CONFLICTING), dry_run=dry_run)
        self.asks = asks  # whether to overwrite a file is still to be asked
        self.statistics = statistics
        self.human = human
        self.recursive = recursive
        self.skipped_keys: set[str] = set()
        self._actions: list[SyncAction] = []
        self._compared = 0
        self._is_complete = True
        self._num_files = self._volume = 0
        self._failed: set[str] = set()

    # while it is at work ------------------------------------------------------------------------------------------

    def add_action(self, action: SyncAction) -> None:
        """Take notice of an action."""
        self._actions.append(action)
        self._num_files += action.num_files
        self._volume += action.volume
        if action.kind == "skip":
            self.skipped_keys.update(action.keys)

    def add_conflict(self, action: SyncAction) -> None:
        """Take notice of an action if it is a conflict: nothing else is going to happen then."""
        if action.kind == "conflict":
            self.add_action(action)

    def counting(self, progress: Progress | None) -> Progress:
        """Progress hook that counts the jobs, too."""

        def count(what: str, done: int, total: int | None) -> None:
            self._compared = max(self._compared, done)
            if progress is not None:
                progress(what, done, total)

        return count

    @property
    def conflicts(self) -> list[SyncAction]:
        """The conflicts, sorted like the jobs; those of the document of the project first."""
        return [action for action in self._sorted() if action.kind == "conflict"]

    def damaged_documents(self, reason: str) -> list[str]:
        """Ids of the jobs whose document could not be read for a reason."""
        return [action.job_id for action in self._sorted() if action.job_id is not None and action.reason == reason]

    def _sorted(self) -> list[SyncAction]:
        return sorted(self._actions, key=lambda action: action.job_id or "")  # threads report in any order

    # at the end ---------------------------------------------------------------------------------------------------

    def write_conflicts(self) -> None:
        """Tell about every conflict, and how to decide them."""
        conflicts = self.conflicts
        self._is_complete = False
        for action in conflicts:
            message = _conflict_text(action)
            self.errors.append({"id": action.job_id, "code": "conflict", "message": message} | _place(action))
            if not self.dry_run:  # the list of a dry run has a line for it
                self.session.output.error(message, code="conflict")
        self.session.output.summarize_repeated()
        many = "1 conflict has" if len(conflicts) == 1 else f"{len(conflicts)} conflicts have"
        self.session.output.error(f"{many} to be decided.", code="conflict", hint=_advice(conflicts))

    def add_error(self, job_id: str | None, error: Exception) -> None:
        """Tell about a job with which something cannot be done, and note it."""
        super().add_error(job_id, error)
        if job_id is not None:
            self._failed.add(job_id)

    def add_abort(self, error: Exception) -> None:
        """Note the error that stopped the synchronization; who catches it tells about it."""
        from .session import as_failure

        self._is_complete = False
        failure = as_failure(error)
        self.errors.append({"id": None, "code": failure.code, "message": failure.message})

    def finish(self, *, as_json: bool) -> int:
        """Write the report, or the list of a dry run and the statistics; return the exit status."""
        self.jobs = list(self._jobs())
        output = self.session.output
        if as_json:
            changes = [self._change(action) for action in self._actions if action.job_id is None]
            self.details |= {
                "num_files": self._num_files,
                "volume": self._volume_text() if self.human else self._volume,
                "project": changes,
                "skipped_keys": sorted(self.skipped_keys),
            }
            self._warn_of_skipped()
            return super().finish(as_json=True)
        with output.may_be_closed():
            if self.dry_run:
                output.write_lines(map(self._line, self._sorted()))
            if self.statistics and self._is_complete:
                output.write(self._statistics())
            output.flush()
        self._warn_of_skipped()
        output.summarize_repeated()
        output.info(self._summary(self._counts()))
        return 1 if self.errors else 0

    def _counts(self) -> dict[str, int]:
        told = self._failed.union(job["id"] for job in self.jobs)
        unchanged = max(0, self._compared - len(told)) + sum(job["action"] == UNCHANGED for job in self.jobs)
        return super()._counts() | {UNCHANGED: unchanged}

    def _summary(self, counts: dict[str, int]) -> str:
        if not self._is_complete and not any(action.kind in _DONE for action in self._actions):
            return "Nothing has been changed."
        files = "1 file" if self._num_files == 1 else f"{self._num_files} files"
        counts = {action: count for action, count in counts.items() if action != CONFLICTING}
        counts["failed"] = len(self._failed)  # what is skipped is counted already
        return f"{super()._summary(counts).rstrip('.')}; {files}, {self._volume_text()}."

    def _volume_text(self) -> str:
        if self.human:
            return with_unit(self._volume)
        return "1 byte" if self._volume == 1 else f"{self._volume} bytes"

    def _statistics(self) -> str:
        remark = "(dry run)" if self.dry_run else ""
        volume = with_unit(self._volume) if self.human else self._volume
        # To the byte what signac 2.x writes, the blank at the end of the heading included.
        return (
            f"\n# Transfer statistics {remark}\n\n"
            f"Number of files transferred: {self._num_files}\nTotal transfer volume:       {volume}\n\n"
        )

    def _warn_of_skipped(self) -> None:
        """Tell what was left alone, one line for each reason, and by which keys documents still differ."""
        from signac_core.sync.plan import NOT_RECURSIVE
        from signac_core.sync.work import DAMAGED, KEPT

        groups: dict[str, list[SyncAction]] = {}
        for action in self._sorted():
            if (
                action.kind == "skip"
                and action.path is not None
                and not action.keys
                and action.reason not in (KEPT, *DAMAGED)
            ):
                groups.setdefault(action.reason, []).append(action)
        for reason, (first, *others) in groups.items():
            if reason == NOT_RECURSIVE:
                noun = "sub-directories were" if others else "sub-directory was"
                because = "-r goes into them." if others else "-r goes into it."
            else:
                noun, because = ("entries were" if others else "entry was"), f"{reason}."
            such_as = ", such as" if others else ":"
            self.session.output.warn(f"{1 + len(others)} {noun} skipped{such_as} '{_where(first)}'; {because}")
        if self.skipped_keys:
            self.session.output.info(f"Skipped keys: {', '.join(sorted(self.skipped_keys))}.")

    # one job, one action ------------------------------------------------------------------------------------------

    def _jobs(self) -> Iterator[dict[str, Any]]:
        """The jobs about which there is something to tell."""
        by_job: dict[str, list[SyncAction]] = {}
        for action in self._sorted():
            if action.job_id is not None:
                by_job.setdefault(action.job_id, []).append(action)
        for job_id, actions in by_job.items():
            kinds = {action.kind for action in actions}
            if "conflict" in kinds:
                what = CONFLICTING
            elif "clone" in kinds:
                what = CLONED
            elif any(map(_is_whole_job, actions)):
                what = SKIPPED
            else:
                what = UPDATED if kinds & _DONE else UNCHANGED
            yield {"id": job_id, "action": what, "changes": [self._change(action) for action in actions]}

    def _change(self, action: SyncAction) -> dict[str, Any]:
        change: dict[str, Any] = {"action": self._verb(action)} | _place(action)
        if action.num_files:
            change |= {"num_files": action.num_files, "volume": action.volume}
        return change | ({"reason": action.reason} if action.reason else {})

    def _verb(self, action: SyncAction) -> str:
        from signac_core.sync.work import KEPT

        if action.kind == "overwrite" and self.asks:
            return "ask"
        return "keep" if action.kind == "skip" and (action.keys or action.reason == KEPT) else action.kind

    def _line(self, action: SyncAction) -> str:
        """One line of the list of a dry run: what would be done, and to what."""
        verb, detail = self._verb(action), ""
        if action.kind == "clone":
            detail = f"  ({action.num_files} file{'' if action.num_files == 1 else 's'}, {action.volume} bytes)"
        elif action.keys:
            detail = f"  [{', '.join(action.keys)}]"
        elif verb == "skip":
            detail = f"  ({action.reason})"
        return one_line(f"{verb:<9}  {_where(action)}{detail}")


def _is_whole_job(action: SyncAction) -> bool:
    """Tell whether a job was left out as a whole."""
    return action.kind == "skip" and action.path is None


def _where(action: SyncAction) -> str:
    """Path of what an action is about: in the workspace, or in the project directory."""
    return (action.path or "") if action.job_id is None else f"{action.job_id}/{action.path or ''}"


def _place(action: SyncAction) -> dict[str, Any]:
    place: dict[str, Any] = {} if action.path is None else {"path": action.path}
    return place | ({"keys": list(action.keys)} if action.keys else {})


def _conflict_text(action: SyncAction) -> str:
    if not action.keys:
        return f"Job {action.job_id}: the file '{action.path}' differs."
    whose = "The document of the project" if action.job_id is None else f"Job {action.job_id}: the document"
    return f"{whose} differs in {', '.join(action.keys)}."


def _advice(conflicts: list[SyncAction]) -> str:
    """Which options decide."""
    ways = []
    if not all(action.keys for action in conflicts):
        ways.append("about files with -s/--strategy or -u/--update")
    if any(action.keys for action in conflicts):
        ways.append("about document keys with -k/--key, --all-keys or --no-keys")
    return f"Decide {', and '.join(ways)}."


def with_unit(volume: float) -> str:
    for unit in _UNITS[:-1]:
        if volume < 1024:
            return f"{volume:.1f} {unit}"
        volume /= 1024
    return f"{volume:.1f} {_UNITS[-1]}"
