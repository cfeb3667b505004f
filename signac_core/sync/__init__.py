"""One-way synchronization of jobs and projects: what the source has and the destination lacks is copied.

Nothing is ever deleted, and nothing that differs is overwritten unless a strategy says so: one for files
(:class:`FileSync`), one for the keys of documents (:class:`DocSync`). Each file and each document is old or new at any
moment, each new job is there whole or not at all; a synchronization that was stopped is finished by running it again.

The logger ``sync`` is told what is done: in detail at level ``MORE`` (15), in dry runs at ``INFO``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .. import catalog
from ..errors import DestinationExistsError as DestinationExistsError
from ..errors import DocumentSyncConflict as DocumentSyncConflict
from ..errors import FileSyncConflict as FileSyncConflict
from ..errors import SchemaSyncConflict
from ..failures import Failed as Failed
from .plan import TransferOptions
from .strategies import DocSync, DocumentStrategy, FileSync, JobHandle, ProjectHandle
from .work import FileStrategy, FileTransferStats, SyncAction, Synchronizer

if TYPE_CHECKING:
    from ..progress import Progress
    from ..survey.schema import ProjectSchema
    from ..workspace import Space

__all__ = [
    "DocSync",
    "FileSync",
    "FileTransferStats",
    "SyncAction",
    "sync_jobs",
    "sync_projects",
]

Exclude: TypeAlias = str | re.Pattern[str] | Iterable[str | re.Pattern[str]] | None


def sync_jobs(
    src: JobHandle,
    dst: JobHandle,
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
    TypeError
        If a strategy is not callable, or an exclude pattern not a str.
    re.error
        If an exclude pattern is not a regular expression.
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
    options = TransferOptions.among(locals())
    synchronizer = Synchronizer(strategy, doc_sync, options, dry_run=dry_run, report=report)
    if os.path.realpath(src.path) == os.path.realpath(dst.path):
        raise ValueError(f"Source and destination are the same job: '{dst.path}'.")
    if os.path.isdir(src.path):
        if not dry_run:
            dst.init(validate_statepoint=False)
        synchronizer.synchronize_jobs(src, dst)


def sync_projects(
    source: ProjectHandle,
    destination: ProjectHandle,
    strategy: FileStrategy | None = None,
    exclude: Exclude = None,
    doc_sync: DocumentStrategy = None,
    selection: Iterable[JobHandle | str] | None = None,
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
    probe: bool = False,
    report: Callable[[SyncAction], Any] | None = None,
    progress: Progress | None = None,
    failed: Failed | None = None,
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
        Refuse projects whose state point schemas differ, be it in values only, unless one of them is empty. Jobs whose
        state points are damaged do not count.
    parallel : bool or int
        Work with several threads: True, or how many.
    collect_stats : bool
        Return how much was copied (in a dry run: would be).
    probe : bool
        In a dry run, find out which files cannot be read (open and close for each that would be copied).
    progress : callable, optional
        Called after each job, as :class:`signac_core.progress.Progress`.
    failed : callable, optional
        Called with the id of each job with which something cannot be done, and the error. Without it the first of these
        errors is raised when all other jobs are done.

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
    DocumentsDamagedError
        If documents of jobs are damaged; all else is synchronized. It is a ValueError.
    ValueError
        If source and destination are the same, or options contradict each other.
    TypeError
        If a strategy is not callable, or an exclude pattern not a str.
    re.error
        If an exclude pattern is not a regular expression.
    OSError
        If something cannot be read or written; all other jobs are synchronized, unless they would meet the same error,
        as when the disk is full.

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
    options = TransferOptions.among(locals())
    synchronizer = Synchronizer(strategy, doc_sync, options, dry_run=dry_run, probe=probe, report=report, failed=failed)
    threads = _number_of_threads(parallel)
    if source == destination or os.path.realpath(source.workspace) == os.path.realpath(destination.workspace):
        raise ValueError(f"Source and destination are the same project: '{destination.path}'.")
    if check_schema:
        schema_src, schema_dst, *_ = schemas(source.space, destination.space)
        if schema_src and schema_dst and schema_src != schema_dst:
            raise SchemaSyncConflict(schema_src, schema_dst)
    ids = catalog.list_ids(source.space)
    if selection is not None:
        selected = {selection} if isinstance(selection, str) else {str(job) for job in selection}
        ids = [job_id for job_id in ids if job_id in selected]
    stats = synchronizer.synchronize_projects(source, destination, ids, threads=threads, progress=progress)
    return stats if collect_stats else None


class Schemas(NamedTuple):
    """The schemas of two projects that are to be synchronized.

    Parameters
    ----------
    source, destination : ProjectSchema
        The schemas, without the jobs of which one of the projects cannot read the state point.
    damaged_source, damaged_destination : list of str
        The ids of the jobs of each that are damaged.
    """

    source: ProjectSchema
    destination: ProjectSchema
    damaged_source: list[str]
    damaged_destination: list[str]


def schemas(source: Space, destination: Space) -> Schemas:
    """Detect the schemas of two projects, without the jobs of which either project cannot read the state point."""
    from ..survey.detecting import detect_schema

    spaces = (source, destination)
    damaged: tuple[list[str], list[str]] = ([], [])
    found = [detect_schema(space, damaged=ids) for space, ids in zip(spaces, damaged, strict=True)]
    unreadable = {*damaged[0], *damaged[1]}
    if unreadable:  # what is sound on one side only must not make the difference
        sound = [[job_id for job_id in catalog.list_ids(space) if job_id not in unreadable] for space in spaces]
        found = [detect_schema(space, subset=ids, damaged=[]) for space, ids in zip(spaces, sound, strict=True)]
    return Schemas(found[0], found[1], sorted(damaged[0]), sorted(damaged[1]))


def _number_of_threads(parallel: bool | int) -> int:
    if parallel is True:
        return min(32, (os.cpu_count() or 1) + 4)
    if parallel < 0:
        raise ValueError(f"The number of threads must not be negative: {parallel}.")
    return max(1, parallel)


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "Progress": ".progress",
            "ProjectSchema": ".survey.schema",
            "Space": ".workspace",
        },
    )
