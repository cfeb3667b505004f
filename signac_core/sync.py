"""One-way synchronization of jobs and projects: what the source has and the destination lacks is copied.

Nothing is ever deleted, and nothing that differs is overwritten unless a strategy says so: one for files
(:class:`FileSync`), one for the keys of documents (:class:`DocSync`). Each file and each document is old or new at any
moment, each new job is there whole or not at all; a synchronization that was stopped is finished by running it again.

The module reports to the logger ``sync``; what is done in detail is logged at level ``MORE`` (15), in dry runs at
``INFO``.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from . import canonical, document, files, filetransfer, layout, reading, transfer, workspace
from .docsync import DocSync, DocumentStrategy, synchronize_document
from .errors import (
    DestinationExistsError,
    DocumentSyncConflict,
    FileSyncConflict,
    JobsCorruptedError,
    SchemaSyncConflict,
    SyncConflict,
)
from .filetransfer import Step, TransferOptions
from .job import Job
from .jsondict import JSONDict

if TYPE_CHECKING:
    from .progress import Progress
    from .project import Project

__all__ = ["DocSync", "FileSync", "FileTransferStats", "SyncAction", "sync_jobs", "sync_projects"]

MORE = 15
logging.addLevelName(MORE, "MORE")
logging.MORE = MORE  # type: ignore[attr-defined]  # where programs written for signac 2.x look for it

logger = logging.getLogger("sync")

Exclude: TypeAlias = str | re.Pattern[str] | Iterable[str | re.Pattern[str]] | None
FileStrategy: TypeAlias = Callable[[Job, Job, str], Any]
"""Function of source job, destination job and relative path: whether to overwrite."""

_CHUNK = 32  # jobs that a thread takes at a time, at most


class FileSync:
    """Strategies for files that differ.

    A strategy is a function of source job, destination job and the path of the file, relative to both; the file is
    overwritten if it returns something true.

    Examples
    --------
    >>> FileSync.keys()
    ('always', 'never', 'update', 'Ask')

    """

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Names of the strategies."""
        return ("always", "never", "update", "Ask")

    @staticmethod
    def always(src: Job, dst: Job, fn: str) -> bool:
        """Overwrite."""
        return True

    @staticmethod
    def never(src: Job, dst: Job, fn: str) -> bool:
        """Keep what the destination has."""
        return False

    @staticmethod
    def update(src: Job, dst: Job, fn: str) -> bool:
        """Overwrite if the file of the source was modified later."""
        return _modified(src.fn(fn)) > _modified(dst.fn(fn))

    class Ask:
        """Ask on standard error whether to overwrite, and read the answer from standard input; its end means no.

        One answer holds for all files of the same relative path, in whatever job.
        """

        def __init__(self) -> None:
            self.yes: set[str] = set()
            self.no: set[str] = set()
            self._guard = threading.Lock()

        def __call__(self, src: Job, dst: Job, fn: str) -> bool:
            """Decide about one file."""
            with self._guard:  # one question at a time
                if fn not in self.yes and fn not in self.no:
                    (self.yes if _confirmed(f"Overwrite files named '{fn}'?") else self.no).add(fn)
                return fn in self.yes


def _modified(path: str) -> int:
    """Modification time in nanoseconds; of the link itself if it leads nowhere."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return os.lstat(path).st_mtime_ns


def _confirmed(question: str) -> bool:
    import sys

    while True:
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            sys.stderr.write("\n")
        answer = line.strip().lower()
        if answer in ("", "n", "no"):
            return False
        if answer in ("y", "ye", "yes"):
            return True
        sys.stderr.write("Please answer y or n.\n")


class FileTransferStats(NamedTuple):
    """How much a synchronization copied."""

    num_files: int
    volume: int  # bytes


ActionKind: TypeAlias = Literal["copy", "overwrite", "clone", "document", "skip", "conflict"]


@dataclass(frozen=True, slots=True)
class SyncAction:
    """What a synchronization did about one thing, or would do in a dry run.

    Attributes
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

    """

    kind: ActionKind
    job_id: str | None
    path: str | None = None
    keys: tuple[str, ...] = ()
    num_files: int = 0
    volume: int = 0
    reason: str = ""

    def __str__(self) -> str:
        subject = f"{self.kind} {self.path or 'job'}"
        if self.keys:
            subject += f" [{', '.join(self.keys)}]"
        subject += f" (job {self.job_id})" if self.job_id else " (project)"
        if self.num_files:
            subject += f": {self.num_files} file{'s' * (self.num_files != 1)}, {self.volume} bytes"
        return subject + (f": {self.reason}" if self.reason else "")


def sync_jobs(
    src: Job,
    dst: Job,
    strategy: FileStrategy | None = None,
    exclude: Exclude = None,
    doc_sync: DocumentStrategy = None,
    recursive: bool = False,
    follow_symlinks: bool = True,
    preserve_permissions: bool = False,
    preserve_times: bool = False,
    preserve_owner: bool = False,
    preserve_group: bool = False,
    deep: bool = False,
    dry_run: bool = False,
    *,
    size_only: bool = False,
    round_times: bool = False,
    report: Callable[[SyncAction], Any] | None = None,
) -> None:
    """Bring the files and the document of one job into another.

    The state point of the destination is never touched. A source that is not initialized has nothing to give; the
    destination is initialized if need be.

    Parameters
    ----------
    src, dst : Job
        Source and destination.
    strategy : callable, optional
        What to do about files that differ, see :class:`FileSync`. By default such a file is a conflict.
    exclude : str or iterable of str, optional
        Regular expressions; files and directories whose names they match (at the beginning) are left out.
    doc_sync : callable, optional
        How to merge documents, see :class:`DocSync`; ``DocSync.ByKey()`` by default.
    recursive : bool
        Go into sub-directories; otherwise each is skipped with a warning.
    follow_symlinks : bool
        Copy what symbolic links lead to; otherwise the links themselves.
    preserve_permissions : bool
        Give copies the permissions of the source. Otherwise new files have them as far as the umask allows, and files
        that are overwritten keep their own.
    preserve_times : bool
        Give copies the modification times of the source; needs ``preserve_permissions``.
    preserve_owner, preserve_group : bool
        Give copies the owner, or the group, of the source, as far as the user may do that.
    deep : bool
        Compare the content of all files of equal size; otherwise equal sizes and modification times are enough.
    dry_run : bool
        Find out what would be done and touch nothing. All conflicts are found, the first of them is raised at the end.
    size_only : bool
        Files of equal size are equal.
    round_times : bool
        Compare modification times in whole seconds.
    report : callable, optional
        Called with each :class:`SyncAction`; ``list.append`` will do.

    Raises
    ------
    FileSyncConflict
        If a file differs and there is no strategy. What was copied before stays.
    DocumentSyncConflict
        If keys of the documents differ and ``doc_sync`` does not decide about them.
    ValueError
        If source and destination are the same, or options contradict each other.
    OSError
        If something cannot be read or written; each file is the old or the new one then.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> old, new = project.open_job({"T": 1}).init(), project.open_job({"T": 2}).init()
    >>> old.doc.steps = 1000
    >>> sync_jobs(old, new)
    >>> new.doc.steps
    1000

    """
    run = _Run(
        strategy,
        doc_sync,
        _transfer_options(
            exclude=exclude,
            recursive=recursive,
            follow_symlinks=follow_symlinks,
            preserve_permissions=preserve_permissions,
            preserve_times=preserve_times,
            preserve_owner=preserve_owner,
            preserve_group=preserve_group,
            deep=deep,
            size_only=size_only,
            round_times=round_times,
        ),
        dry_run=dry_run,
        report=report,
    )
    if os.path.realpath(src.path) == os.path.realpath(dst.path):
        raise ValueError(f"Source and destination are the same job: '{dst.path}'.")
    if not os.path.isdir(src.path):
        return
    if not dry_run:
        dst.init(validate_statepoint=False)
    try:
        run.job(src, dst)
    finally:
        run.publish_skipped_keys()
    run.raise_conflict()


def sync_projects(
    source: Project,
    destination: Project,
    strategy: FileStrategy | None = None,
    exclude: Exclude = None,
    doc_sync: DocumentStrategy = None,
    selection: Iterable[Job | str] | None = None,
    check_schema: bool = True,
    recursive: bool = False,
    follow_symlinks: bool = True,
    preserve_permissions: bool = False,
    preserve_times: bool = False,
    preserve_owner: bool = False,
    preserve_group: bool = False,
    deep: bool = False,
    dry_run: bool = False,
    parallel: bool | int = False,
    collect_stats: bool = False,
    *,
    size_only: bool = False,
    round_times: bool = False,
    report: Callable[[SyncAction], Any] | None = None,
    progress: Progress | None = None,
) -> FileTransferStats | None:
    """Bring the jobs and the document of one project into another.

    First the document of the project is synchronized, then the jobs in the order of their ids: jobs that the
    destination lacks are cloned whole (sub-directories and document included), the others synchronized.

    Parameters
    ----------
    source, destination : Project
        The projects.
    strategy, exclude, doc_sync, recursive, follow_symlinks, preserve_permissions, preserve_times, preserve_owner, \
preserve_group, deep, dry_run, size_only, round_times, report
        As for :func:`sync_jobs`. Everything but ``strategy``, ``doc_sync`` and ``recursive`` applies to jobs that are
        cloned, too.
    selection : iterable of Job or str, optional
        The jobs of the source, or their ids, to synchronize; all by default.
    check_schema : bool
        Refuse projects whose state point schemas differ, be it in values only, unless one of them is empty.
    parallel : bool or int
        Work with several threads: True, or how many.
    collect_stats : bool
        Return how much was copied (in a dry run: would be).
    progress : callable, optional
        Called after each job, as :class:`signac_core.progress.Progress`.

    Returns
    -------
    FileTransferStats or None
        Files and bytes, if asked for.

    Raises
    ------
    SchemaSyncConflict
        If the schemas differ, unless ``check_schema`` is False.
    FileSyncConflict, DocumentSyncConflict
        If files or documents differ and no strategy decides. What was done before stays.
    JobsCorruptedError
        If jobs of the source cannot be cloned because their state points are damaged; all others are synchronized.
    ValueError
        If source and destination are the same, or options contradict each other.
    OSError
        If something cannot be read or written.

    Examples
    --------
    >>> from signac_core import init_project
    >>> source, destination = init_project("source"), init_project("destination")
    >>> _ = source.open_job({"T": 1}).init()
    >>> sync_projects(source, destination, collect_stats=True)
    FileTransferStats(num_files=1, volume=8)
    >>> len(destination)
    1

    """
    run = _Run(
        strategy,
        doc_sync,
        _transfer_options(
            exclude=exclude,
            recursive=recursive,
            follow_symlinks=follow_symlinks,
            preserve_permissions=preserve_permissions,
            preserve_times=preserve_times,
            preserve_owner=preserve_owner,
            preserve_group=preserve_group,
            deep=deep,
            size_only=size_only,
            round_times=round_times,
        ),
        dry_run=dry_run,
        report=report,
    )
    if source == destination or os.path.realpath(source.workspace) == os.path.realpath(destination.workspace):
        raise ValueError(f"Source and destination are the same project: '{destination.path}'.")
    threads = _number_of_threads(parallel)
    if check_schema:
        _check_schemas(source, destination)
    logger.info("Synchronizing '%s' -> '%s'.", source, destination)
    ids = reading.list_ids(source)
    if selection is not None:
        selected = {selection} if isinstance(selection, str) else {str(item) for item in selection}
        ids = [job_id for job_id in ids if job_id in selected]
    try:
        run.project_document(source, destination)
        _Jobs(run, source, destination, total=len(ids), progress=progress).work(ids, threads)
    finally:
        run.publish_skipped_keys()
    logger.info("Cloned %d and synchronized %d job(s).", run.cloned, run.synchronized)
    run.raise_conflict()
    if run.damaged:
        raise JobsCorruptedError(sorted(run.damaged))
    return FileTransferStats(run.num_files, run.volume) if collect_stats else None


def _transfer_options(*, exclude: Exclude, **options: bool) -> TransferOptions:
    return TransferOptions(exclude=filetransfer.compile_patterns(exclude), **options)


def _number_of_threads(parallel: bool | int) -> int:
    if parallel is True:
        return min(32, (os.cpu_count() or 1) + 4)
    if parallel < 0:
        raise ValueError(f"The number of threads must not be negative: {parallel}.")
    return max(1, parallel or 1)


def _check_schemas(source: Project, destination: Project) -> None:
    schema_src, schema_dst = source.detect_schema(), destination.detect_schema()
    if schema_src and schema_dst and schema_src != schema_dst:
        raise SchemaSyncConflict(schema_src, schema_dst)


class _Run:
    """One synchronization: its options, and what it has done so far."""

    def __init__(
        self,
        strategy: FileStrategy | None,
        doc_sync: DocumentStrategy,
        options: TransferOptions,
        *,
        dry_run: bool,
        report: Callable[[SyncAction], Any] | None,
    ) -> None:
        if strategy is not None and not callable(strategy):
            raise TypeError(f"The file strategy {strategy!r} is not callable: use FileSync.always or the like.")
        self._merge_document = DocSync.ByKey() if doc_sync is None else doc_sync
        if not callable(self._merge_document) and self._merge_document not in (DocSync.NO_SYNC, DocSync.COPY):
            raise TypeError(f"The document strategy {doc_sync!r} is not callable: use DocSync.update or the like.")
        self._strategy = strategy
        self._options = options
        self.dry_run = dry_run
        self._report = report
        self._guard = threading.RLock()
        self._ownership_lost = False
        self._conflict: SyncConflict | None = None
        self._skipped_keys: set[str] = set()
        self.damaged: list[str] = []
        self.cloned = self.synchronized = self.num_files = self.volume = 0
        self._apart = frozenset(
            {layout.FN_STATE_POINT}
            if self._merge_document == DocSync.COPY
            else {layout.FN_STATE_POINT, layout.FN_DOCUMENT}
        )

    # telling what happens -----------------------------------------------------------------------------------------

    def note(self, action: SyncAction) -> None:
        """Log and report one action."""
        if action.kind == "skip" and not action.keys:
            level = logging.WARNING
        else:
            level = logging.INFO if self.dry_run else MORE
        with self._guard:
            self.num_files += action.num_files
            self.volume += action.volume
            logger.log(level, "%s%s", "Dry run: " if self.dry_run else "", action)
            if self._report is not None:
                self._report(action)

    def skip(self, job_id: str | None, path: str | None, reason: str) -> None:
        """Note that something is left alone."""
        self.note(SyncAction("skip", job_id, path, reason=reason))

    def conflict(self, error: SyncConflict, action: SyncAction) -> None:
        """Raise a conflict; in a dry run, keep it for the end."""
        self.note(action)
        if not self.dry_run:
            raise error
        with self._guard:
            self._conflict = self._conflict or error

    def raise_conflict(self) -> None:
        """Raise the first conflict that a dry run has found."""
        if self._conflict is not None:
            raise self._conflict

    def publish_skipped_keys(self) -> None:
        """Show in the strategy which keys were left alone in the whole synchronization."""
        if isinstance(self._merge_document, DocSync.ByKey):
            self._merge_document.skipped_keys = self._skipped_keys

    def _note_ownership(self, complete: bool, path: str) -> None:
        if not complete and not self._ownership_lost:
            self._ownership_lost = True
            logger.warning("The owner or group of copies cannot be preserved by this user, as of '%s'.", path)

    # documents ----------------------------------------------------------------------------------------------------

    def project_document(self, source: Project, destination: Project) -> None:
        """Synchronize the documents of two projects."""
        self._document(JSONDict._of(document.for_project(source)), destination.document, None)

    def _document(self, source: JSONDict, destination: JSONDict | None, job_id: str | None) -> None:
        strategy = self._merge_document
        if not callable(strategy):
            return
        path = layout.FN_PROJECT_DOCUMENT if job_id is None else layout.FN_DOCUMENT
        try:
            change = synchronize_document(source, destination, strategy, dry_run=self.dry_run)
        except DocumentSyncConflict as error:
            error.job_id = error.job_id or job_id
            self.conflict(error, SyncAction("conflict", job_id, path, tuple(sorted(error.keys))))
            return
        if change.changed:
            self.note(SyncAction("document", job_id, path, change.changed))
        if change.skipped:
            with self._guard:
                self._skipped_keys.update(change.skipped)
            self.note(SyncAction("skip", job_id, path, change.skipped, reason="the values differ"))

    # one job ------------------------------------------------------------------------------------------------------

    def job(self, src: Job, dst: Job) -> None:
        """Synchronize two jobs, of which the destination exists unless this is a dry run."""
        if self._merge_document == DocSync.COPY:
            src._flush_document()
            if not self.dry_run:
                dst._flush_document()
        changed = False
        for step in filetransfer.plan(src.path, dst.path, self._options, apart=self._apart):
            if self._take(step, src, dst):
                changed = True
        if changed and dst.project.durable and not self.dry_run:
            files.sync_directory(dst.path)
        if not callable(self._merge_document):
            return
        source = JSONDict._of(document.for_job(src.project, src.id))
        target = None if self.dry_run and not os.path.isdir(dst.path) else dst.document
        self._document(source, target, dst.id)

    def _take(self, step: Step, src: Job, dst: Job) -> bool:
        """Decide about one step and carry it out; tell whether it was (or would be)."""
        if step.kind == "ignore":
            logger.debug("Ignored '%s' of job %s: %s.", step.path, src.id, step.reason)
            return False
        if step.kind == "skip":
            self.skip(dst.id, step.path, step.reason)
            return False
        if step.kind == "differs" and not self._may_overwrite(step, src, dst):
            return False
        lock = None
        if step.path == layout.FN_DOCUMENT and not self.dry_run:
            lock = document.for_job(dst.project, dst.id).lock()  # a writer of the document must not undo the copy
        raise NotImplementedError(lock)

    def _may_overwrite(self, step: Step, src: Job, dst: Job) -> bool:
        if self._strategy is None:
            self.conflict(FileSyncConflict(step.path, dst.id), SyncAction("conflict", dst.id, step.path))
            return False
        if self._strategy(src, dst, step.path):
            return True
        self.note(SyncAction("skip", dst.id, step.path, reason="the strategy keeps the file of the destination"))
        return False
