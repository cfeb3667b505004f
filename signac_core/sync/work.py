"""The work of a synchronization: each step is decided, carried out, logged and reported here.

What to copy is found out by `plan`, how documents merge by `documents`; what differs is decided by the `strategies`.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from .. import canonical, files, layout, lifecycle, workspace
from ..documents import store
from ..documents.store import Document, for_job, for_project
from ..documents.views import JSONDict, view_of_document
from ..errors import (
    DestinationExistsError,
    DocumentSyncConflict,
    Error,
    FileSyncConflict,
    JobsCorruptedError,
    SyncConflict,
)
from ..exchange import links, moving
from ..failures import Failed, Failures, is_about_one_job
from . import plan
from .documents import synchronize_document
from .plan import Step, TransferOptions
from .strategies import DocSync, DocumentStrategy, JobHandle, ProjectHandle

if TYPE_CHECKING:
    from ..progress import Progress

__all__ = [
    "DAMAGED",
    "KEPT",
    "DocumentsDamagedError",
    "FileStrategy",
    "FileTransferStats",
    "SyncAction",
    "Synchronizer",
]

MORE = 15
logging.addLevelName(MORE, "MORE")
logging.MORE = MORE  # type: ignore[attr-defined]  # where programs written for signac 2.x look for it

logger = logging.getLogger("sync")

FileStrategy: TypeAlias = Callable[[Any, Any, str], Any]
"""Function of source job, destination job and relative path: whether to overwrite."""

DAMAGED = ("the document of the source is damaged", "the document of the destination is damaged")
"""Why a document was skipped, about which there is an error at the end."""

_ATTEMPTS = 3
_CHUNK = 32  # jobs that a thread takes at a time, at most
KEPT = "the strategy keeps the file of the destination"
"""Why a file that differs was skipped when that was the answer of the strategy."""


class FileTransferStats(NamedTuple):
    """How much a synchronization copied.

    Parameters
    ----------
    num_files : int
        Files, including those of new jobs; symbolic links and documents that were merged do not count.
    volume : int
        Their bytes.

    Examples
    --------
    >>> num_files, volume = FileTransferStats(num_files=1, volume=8)
    >>> volume
    8

    """

    num_files: int
    volume: int


class DocumentsDamagedError(Error, ValueError):
    """Jobs were synchronized but for their documents, which are damaged; ``messages`` says what is wrong, by job id."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__(messages)
        self.messages = dict(sorted(messages.items()))

    @property
    def job_ids(self) -> list[str]:
        """The ids of the jobs, sorted."""
        return list(self.messages)

    def __str__(self) -> str:
        return " ".join(f"{message.rstrip('.')}." for message in self.messages.values())


ActionKind: TypeAlias = Literal["copy", "overwrite", "clone", "document", "skip", "conflict"]


class SyncAction(NamedTuple):
    """What a synchronization did about one thing, or would do in a dry run.

    Parameters
    ----------
    kind : str
        ``"copy"``: the destination lacked a file. ``"overwrite"``: it had another. ``"clone"``: it lacked the job.
        ``"document"``: keys of a document changed. ``"skip"``: something was left alone, see ``reason``.
        ``"conflict"``: somebody has to decide.
    job_id : str or None
        The job of the destination; None for the document of the project.
    path : str or None
        The file, relative to the job (or project) directory; None if the action is about the job as a whole.
    keys : tuple of str
        The dotted keys of the document that the action is about.
    num_files, volume : int
        Files and bytes that were copied.
    reason : str
        Why something was skipped.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> src, dst = project.open_job({"a": 0}).init(), project.open_job({"a": 1}).init()
    >>> open(src.fn("log.txt"), "w").close()
    >>> from signac_core.sync import sync_jobs
    >>> actions = []
    >>> sync_jobs(src, dst, dry_run=True, report=actions.append)
    >>> print(*actions)
    copy log.txt (job 42b7b4f2921788ea14dac5566e6f06d0): 1 file(s), 0 byte(s)

    """

    kind: ActionKind
    job_id: str | None
    path: str | None = None
    keys: tuple[str, ...] = ()
    num_files: int = 0
    volume: int = 0
    reason: str = ""

    def __str__(self) -> str:
        text = f"{self.kind} {self.path or 'job'}"
        if self.keys:
            text += f" [{', '.join(self.keys)}]"
        text += f" (job {self.job_id})" if self.job_id else " (project)"
        if self.num_files:
            text += f": {self.num_files} file(s), {self.volume} byte(s)"
        return f"{text}: {self.reason}" if self.reason else text


class Synchronizer:
    """One synchronization: its options, and what it has done so far.

    ``probe`` lets a dry run find out which files cannot be read. ``report`` is called with each action, ``failed`` with
    each job of a project with which something cannot be done and the error, both by one thread at a time. Without
    ``failed`` the first of these errors is raised at the end.
    """

    def __init__(
        self,
        strategy: FileStrategy | None,
        doc_sync: DocumentStrategy,
        options: TransferOptions,
        *,
        dry_run: bool = False,
        probe: bool = False,
        report: Callable[[SyncAction], Any] | None = None,
        failed: Failed | None = None,
    ) -> None:
        self._merge_document = DocSync.ByKey() if doc_sync is None else doc_sync
        if not callable(self._merge_document) and self._merge_document not in (DocSync.NO_SYNC, DocSync.COPY):
            raise TypeError(f"The document strategy {doc_sync!r} is not callable: use DocSync.update or the like.")
        if strategy is not None and not callable(strategy):
            raise TypeError(f"The file strategy {strategy!r} is not callable: use FileSync.always or the like.")
        options.check()
        self._strategy = strategy
        self._options = options
        self._dry_run = dry_run
        self._probe = probe
        self._report = report
        self._failures = Failures(failed)
        self._special = {layout.FN_STATE_POINT, layout.FN_DOCUMENT}  # files that are not treated like any other
        if self._merge_document == DocSync.COPY:
            self._special.remove(layout.FN_DOCUMENT)
        self._guard = threading.RLock()  # of everything below
        self._conflict: SyncConflict | None = None  # the first that a dry run has found
        self._damaged: list[str] = []
        self._damaged_documents: dict[str, ValueError] = {}
        self._skipped_keys: set[str] = set()
        self._ownership_lost = False
        self._cloned = self._synchronized = self._num_files = self._volume = 0

    def synchronize_jobs(self, src: JobHandle, dst: JobHandle) -> None:
        """Synchronize two jobs, of which the destination exists unless this is a dry run; see :mod:`sync`.

        A conflict ends the work at once, and a dry run at its end. A damaged document is a ValueError when all files
        are done.
        """
        try:
            self._synchronize(src, dst)
        finally:
            self._publish_skipped_keys()
        if self._conflict is not None:
            raise self._conflict
        for error in self._damaged_documents.values():
            raise error

    def synchronize_projects(
        self,
        source: ProjectHandle,
        destination: ProjectHandle,
        ids: Sequence[str],
        *,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> FileTransferStats:
        """Synchronize the documents of two projects, and jobs of the source; see :mod:`sync`.

        A conflict ends the work at once, and a dry run at its end. All other jobs are done before an error about one
        job, or about the document of a project, is raised: JobsCorruptedError about those that could not be cloned
        because their state points are damaged, DocumentsDamagedError, or the first of the errors that nobody was told
        about.
        """
        logger.info("Synchronizing '%s' -> '%s'.", source, destination)
        jobs = _Jobs(self._try, source, destination, total=len(ids), progress=progress)
        try:
            try:
                self._synchronize_documents(for_project(source.space), destination.document, None)
            except (OSError, ValueError) as error:  # it is damaged, or cannot be read or written
                if isinstance(error, OSError) and not is_about_one_job(error):
                    raise
                self._failures.note(None, error)
            jobs.work(ids, threads)
        finally:
            self._publish_skipped_keys()
        logger.info("Cloned %d and synchronized %d job(s).", self._cloned, self._synchronized)
        if self._conflict is not None:
            raise self._conflict
        if self._damaged:
            raise JobsCorruptedError(sorted(self._damaged))
        if self._damaged_documents:
            raise DocumentsDamagedError({job_id: str(error) for job_id, error in self._damaged_documents.items()})
        self._failures.raise_first()
        return FileTransferStats(self._num_files, self._volume)

    def _publish_skipped_keys(self) -> None:
        """Show in the strategy which keys were left alone in the whole synchronization."""
        if isinstance(self._merge_document, DocSync.ByKey):
            self._merge_document.skipped_keys = self._skipped_keys

    # telling what happens -----------------------------------------------------------------------------------------

    def _note(self, action: SyncAction) -> None:
        """Count, log and report one action."""
        level = logging.INFO if self._dry_run else MORE
        if action.kind == "skip" and not action.keys and action.reason != KEPT:
            level = logging.WARNING  # nobody asked for it
        with self._guard:
            self._num_files += action.num_files
            self._volume += action.volume
            logger.log(level, "%s%s", "Dry run: " if self._dry_run else "", action)
            if self._report is not None:
                self._report(action)

    def _note_conflict(self, error: SyncConflict, action: SyncAction) -> None:
        """Raise a conflict; in a dry run, keep it for the end."""
        self._note(action)
        if not self._dry_run:
            raise error
        with self._guard:
            self._conflict = self._conflict or error

    def _note_lost_ownership(self, path: str) -> None:
        if not self._ownership_lost:  # once is enough
            self._ownership_lost = True
            logger.warning("You may not give copies the owner or group of their source, such as '%s'.", path)

    # documents ----------------------------------------------------------------------------------------------------

    def _synchronize_documents(self, source: Document, destination: JSONDict | None, job_id: str | None) -> None:
        strategy = self._merge_document
        if not callable(strategy):
            return
        path = layout.FN_PROJECT_DOCUMENT if job_id is None else layout.FN_DOCUMENT
        document = view_of_document(source)
        try:
            change = synchronize_document(document, destination, strategy, dry_run=self._dry_run)
        except DocumentSyncConflict as error:
            error.job_id = error.job_id or job_id
            with self._guard:
                self._skipped_keys.update(error.keys)
            self._note_conflict(error, SyncAction("conflict", job_id, path, tuple(sorted(error.keys))))
            return
        except ValueError as error:
            sides = (document, destination)
            reasons = [reason for side, reason in zip(sides, DAMAGED, strict=True) if _is_damaged(side)]
            if job_id is None or not reasons:
                raise
            with self._guard:
                self._damaged_documents[job_id] = error
            self._note(SyncAction("skip", job_id, path, reason=reasons[0]))
            return
        if change.changed:
            self._note(SyncAction("document", job_id, path, change.changed))
        if change.skipped:
            with self._guard:
                self._skipped_keys.update(change.skipped)
            self._note(SyncAction("skip", job_id, path, change.skipped, reason="the values differ"))

    # one job ------------------------------------------------------------------------------------------------------

    def _synchronize(self, src: JobHandle, dst: JobHandle) -> None:
        """Synchronize two jobs, of which the destination exists unless this is a dry run."""
        self._flush(src, dst)
        changed: set[str] = set()
        for step in plan.plan(src.path, dst.path, self._options, special=self._special):
            if not self._left_alone(step, dst.id) and self._take(step, src, dst):
                changed.add(os.path.dirname(step.path))
        if dst.project.space.durable and not self._dry_run:
            for directory in sorted(changed):
                files.sync_directory(dst.fn(directory))
        document = None if self._dry_run and not os.path.isdir(dst.path) else dst.document
        self._synchronize_documents(for_job(src.project.space, src.id), document, dst.id)
        with self._guard:
            self._synchronized += 1

    def _flush(self, *jobs: JobHandle) -> None:
        """Write the documents that are buffered, so that their files can be looked at."""
        if not self._dry_run:
            for job in jobs:
                store.flush(job.fn(layout.FN_DOCUMENT))

    def _left_alone(self, step: Step, job_id: str) -> bool:
        """Tell whether a step is to do nothing, and note why."""
        if step.kind == "ignore":
            logger.debug("Ignored '%s' (job %s): %s.", step.path, job_id, step.reason)
        elif step.kind == "skip":
            self._note(SyncAction("skip", job_id, step.path, reason=step.reason))
        return step.kind in ("ignore", "skip")

    def _take(self, step: Step, src: JobHandle, dst: JobHandle) -> bool:
        """Take a step towards an existing job; False if the strategy, or the lack of one, is against it."""
        if step.kind == "differs" and not self._may_overwrite(step, src, dst):
            return False
        # A writer that has read the document before it is replaced must not undo the copy.
        lock = for_job(dst.project.space, dst.id).lock if step.path == layout.FN_DOCUMENT else nullcontext
        if not self._carry_out(step, src.path, dst.path, dst, lock=lock):
            return False
        if step.kind in ("copy", "differs"):
            kind: ActionKind = "copy" if step.kind == "copy" else "overwrite"
            self._note(SyncAction(kind, dst.id, step.path, num_files=int(step.link is None), volume=step.size))
        return True

    def _may_overwrite(self, step: Step, src: JobHandle, dst: JobHandle) -> bool:
        if self._strategy is None:
            error = FileSyncConflict(os.path.basename(step.path), dst.id, step.path)
            self._note_conflict(error, SyncAction("conflict", dst.id, step.path))
            return False
        if self._strategy(src, dst, step.path):
            return True
        self._note(SyncAction("skip", dst.id, step.path, reason=KEPT))
        return False

    def _carry_out(
        self,
        step: Step,
        source: str,
        target: str,
        job: JobHandle,
        *,
        lock: Callable[[], AbstractContextManager[object]] = nullcontext,
        hidden: bool = False,
    ) -> bool:
        """Carry out a step unless this is a dry run; False if the file has gone from the source meanwhile.

        As long as the target is hidden, nobody looks at it, and a file that has gone is an error.
        """
        if self._dry_run:
            if self._probe and step.kind in ("copy", "differs") and step.link is None:
                files.ensure_readable(os.path.join(source, step.path))
            return True
        durable = job.project.space.durable
        try:
            if step.kind == "filled":
                complete = plan.finish_directory(step, target, self._options, durable=durable)
            else:
                complete = plan.carry_out(
                    step, source, target, self._options, lock=lock, hidden=hidden, durable=durable
                )
        except FileNotFoundError:
            if hidden or not plan.lacks(source, step.path):
                raise
            self._note(SyncAction("skip", job.id, step.path, reason=plan.HAS_GONE))
            return False
        except OSError as error:
            if step.link is None or not links.unsupported(error):
                raise
            self._note(SyncAction("skip", job.id, step.path, reason=links.UNSUPPORTED))
            return False
        if not complete:
            self._note_lost_ownership(os.path.join(target, step.path))
        return True

    # new jobs -----------------------------------------------------------------------------------------------------

    def _clone(self, src: JobHandle, dst: JobHandle) -> None:
        """Copy a job that the destination lacks: under a hidden name first, then visible as a whole.

        Raises DestinationExistsError if the job has come into being at the destination meanwhile.
        """
        try:
            _ = src.cached_statepoint
        except JobsCorruptedError:
            if not workspace.is_being_born(src.path):
                with self._guard:
                    self._damaged.append(src.id)
                self._note(SyncAction("skip", src.id, reason="its state point is damaged"))
            return
        self._flush(src)
        copied = self._copy_job(src, dst, dst.path) if self._dry_run else self._publish_copy(src, dst)
        with self._guard:
            self._cloned += 1
        self._note(SyncAction("clone", src.id, num_files=copied.num_files, volume=copied.volume))

    def _publish_copy(self, src: JobHandle, dst: JobHandle) -> FileTransferStats:
        copied = FileTransferStats(0, 0)
        built: list[str] = []

        def copy_tree(_: str, temporary: str) -> None:
            nonlocal copied
            built.append(temporary)
            copied = self._copy_job(src, dst, temporary)

        try:
            moving.clone(src.path, src.id, dst.project.space, copytree=copy_tree, disposable=True)
        except BaseException as error:
            for temporary in built:
                if isinstance(error, OSError) and str(error.filename).startswith(temporary):
                    error.filename = dst.path + str(error.filename)[len(temporary) :]  # where it was to appear
                files.delete_tree(temporary)
            raise
        return copied

    def _copy_job(self, src: JobHandle, dst: JobHandle, target: str) -> FileTransferStats:
        """Copy a job directory to ``target``, which does not exist (or would not, but for a dry run).

        Raises FileNotFoundError if anything has gone meanwhile: a part of a job that is on its way elsewhere is no copy
        of it.
        """
        copied: list[Step] = []
        for step in plan.plan(src.path, target, self._options, special=self._special, fresh=True):
            if step.reason == plan.HAS_GONE:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), src.fn(step.path))
            if self._left_alone(step, src.id) or not self._carry_out(step, src.path, target, dst, hidden=True):
                continue
            if step.kind == "copy" and step.link is None:
                copied.append(step)
            elif step.kind == "directory" and not step.path:
                copied += self._copy_special(src, dst, target)
        return FileTransferStats(len(copied), sum(step.size for step in copied))

    def _copy_special(self, src: JobHandle, dst: JobHandle, target: str) -> list[Step]:
        """Copy the state point file and the document, which no exclude pattern applies to."""
        copied = []
        for name in sorted(self._special):
            try:
                step = Step("copy", name, os.stat(src.fn(name)))
                if self._carry_out(step, src.path, target, dst, hidden=True):
                    copied.append(step)
            except OSError as error:
                reason = links.nowhere(error) if os.path.islink(src.fn(name)) else None
                if reason is not None:
                    self._note(SyncAction("skip", src.id, name, reason=reason))
                elif not isinstance(error, FileNotFoundError) or not plan.lacks(src.path, name):
                    raise
        if not self._dry_run:
            try:
                workspace.read_state_point(target, src.id)
            except JobsCorruptedError:  # the source is in the middle of a state point change
                path = os.path.join(target, layout.FN_STATE_POINT)
                files.replace_file(path, _state_point_text(src), durable=dst.project.space.durable)
        return copied

    def _try(self, src: JobHandle, dst: JobHandle) -> None:
        """Bring a job into another project; an error about it does not concern the others."""
        try:
            self._clone_or_synchronize(src, dst)
        except Exception as error:
            if not is_about_one_job(error):
                raise
            with self._guard:
                self._failures.note(src.id, error)

    def _clone_or_synchronize(self, src: JobHandle, dst: JobHandle) -> None:
        """Bring a job into another project, whether that has it or not."""
        for attempt in range(_ATTEMPTS):
            missing = not os.path.lexists(dst.fn(layout.FN_STATE_POINT))
            try:
                self._bring(src, dst, missing=missing)
                return
            except RecursionError:
                raise files.nested_too_deeply(src.path) from None
            except (OSError, ValueError) as error:
                if not os.path.isdir(src.path) or not (missing or os.path.isdir(dst.path)):
                    self._note(SyncAction("skip", src.id, reason="the job has gone"))
                    return
                # The job, or a part of it, has gone, but is there (again).
                if not isinstance(error, FileNotFoundError) or attempt == _ATTEMPTS - 1:
                    raise

    def _bring(self, src: JobHandle, dst: JobHandle, *, missing: bool) -> None:
        if missing:
            try:
                self._clone(src, dst)
                return
            except DestinationExistsError:  # since this moment, or somebody began to make it and was stopped
                with suppress(JobsCorruptedError):
                    space = dst.project.space
                    lifecycle.publish(space.workspace, src.id, _state_point_text(src), durable=space.durable)
        self._synchronize(src, dst)


def _state_point_text(job: JobHandle) -> bytes:
    """Content of the state point file of a job; a state point that the index is wrong about is read from the file."""
    state_point: Mapping[str, Any] = job.cached_statepoint
    if not canonical.state_point_matches(state_point, job.id):
        state_point = job.project.space.read(job.id)
    return canonical.dumps(state_point).encode("ascii")


def _is_damaged(document: JSONDict | None) -> bool:
    try:
        if document is not None:
            document()
    except ValueError:
        return True
    return False


class _Jobs:
    """The jobs of a project, one after the other or several at a time."""

    def __init__(
        self,
        function: Callable[[JobHandle, JobHandle], None],
        source: ProjectHandle,
        destination: ProjectHandle,
        *,
        total: int,
        progress: Progress | None,
    ) -> None:
        self._function = function
        self._source = source
        self._destination = destination
        self._total = total
        self._progress = progress
        self._done = 0
        self._stopped = False
        self._guard = threading.Lock()

    def work(self, ids: Sequence[str], threads: int) -> None:
        """Synchronize the jobs; the first error that is not about one job alone stops the work."""
        if threads == 1 or len(ids) < 2:
            self._work(ids)
            return
        from concurrent.futures import ThreadPoolExecutor

        size = max(1, min(_CHUNK, len(ids) // threads))
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(self._work, ids[start : start + size]) for start in range(0, len(ids), size)]
            try:
                for future in futures:
                    future.result()
            finally:
                self._stopped = True  # which only matters after an error or an interrupt
                pool.shutdown(cancel_futures=True)

    def _work(self, ids: Sequence[str]) -> None:
        for job_id in ids:
            if self._stopped:
                return
            src = self._source.handle(job_id)
            dst = self._destination.handle(job_id)
            try:
                self._function(src, dst)
            except BaseException:
                self._stopped = True
                raise
            with self._guard:
                self._done += 1
                logger.info("%d of %d jobs are done.", self._done, self._total)
                if self._progress is not None:
                    self._progress("sync", self._done, self._total)


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "Progress": ".progress",
        },
    )
