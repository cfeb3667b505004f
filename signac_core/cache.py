"""The persistent state point cache, ``.signac/statepoint_cache.json.gz``, in the format of signac 2.x.

The file is one JSON object, ``{id: state point, ...}``, compressed with gzip. It is derived data: absent, damaged or
out of date it is ignored, and rebuilt by :func:`update_cache`. An entry is believed only when it hashes to its id. A
new file takes the place of the old one by a rename, so that concurrent writers leave the file of one of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from . import canonical, files, reading
from .errors import JobsCorruptedError
from .progress import track

if TYPE_CHECKING:
    from .progress import Progress
    from .project import Project

__all__ = ["CacheReport", "delete_cache", "examine_cache", "read_cache", "update_cache"]

_GZIP = 31  # what zlib calls a window of 32 KiB in a gzip container
_LEVEL = 6


def read_cache(project: Project, ids: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the state points that the cache file holds (open, fstat, read, close).

    Parameters
    ----------
    project : Project
        The project.
    ids : iterable of str, optional
        The jobs of interest; all by default. Only their entries are checked.

    Returns
    -------
    dict of str to dict
        State points by id, of jobs that need not exist any more. An entry that does not hash to its id is left out;
        a file that cannot be read has no entries.

    """
    entries = _read_entries(project)
    return {} if entries is None else _genuine(entries, ids)


def _genuine(entries: dict[str, Any], ids: Iterable[str] | None) -> dict[str, dict[str, Any]]:
    """Entries, of these jobs only, that hash to their ids."""
    wanted = entries if ids is None else [job_id for job_id in ids if job_id in entries]
    return {job_id: entries[job_id] for job_id in wanted if _is_genuine(job_id, entries[job_id])}


def _is_genuine(job_id: str, state_point: Any) -> bool:
    try:
        return isinstance(state_point, dict) and canonical.calc_id(state_point) == job_id
    except RecursionError:
        return False


def _read_entries(project: Project) -> dict[str, Any] | None:
    """Content of the cache file, unchecked; None when there is none that can be read."""
    with suppress(OSError, ValueError):
        entries = canonical.loads(_decompressed(files.read_with_status(project.fn(project.FN_CACHE))[0]))
        if isinstance(entries, dict):
            return entries
    return None


def _decompressed(data: bytes) -> bytes:
    """Content of a gzip file, which may consist of several members.

    Raises
    ------
    ValueError
        If it is not one, or damaged.

    """
    import zlib

    parts = []
    while data.strip(b"\0"):
        member = zlib.decompressobj(_GZIP)
        try:
            parts.append(member.decompress(data))
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if not member.eof:
            raise ValueError("The file is incomplete.")
        data = member.unused_data
    return b"".join(parts)


def _compressed(data: bytes) -> bytes:
    import zlib

    member = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return member.compress(data) + member.flush()


def update_cache(project: Project, *, progress: Progress | None = None, damaged: list[str] | None = None) -> int | None:
    """Bring the cache file up to date, reading the state points that it does not hold yet.

    Jobs that vanish meanwhile are left out, and so are damaged ones.

    Parameters
    ----------
    project : Project
        The project.
    progress : Progress, optional
        Told of each job.
    damaged : list of str, optional
        Takes the ids of damaged jobs.

    Returns
    -------
    int or None
        The number of jobs in the cache (0 for a project without jobs), or None if it was up to date already.

    Raises
    ------
    JobsCorruptedError
        If there are damaged jobs and no list to take their ids; the cache holds the others then.
    OSError
        If the file cannot be written; the old one is untouched then.

    """
    ids = reading.list_ids(project)
    entries = _read_entries(project)
    cached = {} if entries is None else _genuine(entries, ids)
    for job_id, state_point in cached.items():
        project._remember(job_id, state_point)
    failed: list[str] = []
    found = reading.read_state_points(project, ids, damaged=failed)
    state_points = dict(track(found, "update-cache", len(ids), progress))
    current = entries is not None and entries.keys() == state_points.keys() == cached.keys()
    if not current:
        text = canonical.dumps(state_points).encode("ascii")
        files.replace_file(project.fn(project.FN_CACHE), _compressed(text), durable=project.durable)
    if damaged is not None:
        damaged.extend(failed)
    elif failed:
        raise JobsCorruptedError(failed)
    return None if current and state_points else len(state_points)


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What there is to say about the cache file without reading state points.

    Parameters
    ----------
    state : str
        ``"absent"``, ``"damaged"`` (not readable as a cache), ``"stale"`` or ``"current"``.
    size : int
        The number of jobs that it holds with the right state point.
    missing : int
        The number of jobs that it does not hold.
    obsolete : int
        The number of entries that are wrong, or of jobs that do not exist any more.

    """

    state: Literal["absent", "damaged", "stale", "current"]
    size: int = 0
    missing: int = 0
    obsolete: int = 0


def examine_cache(project: Project) -> CacheReport:
    """Compare the cache file with the jobs of the project; nothing is written.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    CacheReport
        Whether it is up to date, and what it lacks.

    Raises
    ------
    WorkspaceError
        If the workspace cannot be read.

    """
    ids = reading.list_ids(project)
    entries = _read_entries(project)
    if entries is None:
        exists = os.path.lexists(project.fn(project.FN_CACHE))
        return CacheReport("damaged" if exists else "absent", missing=len(ids))
    size = len(_genuine(entries, ids))
    missing, obsolete = len(ids) - size, len(entries) - size
    return CacheReport("stale" if missing or obsolete else "current", size, missing, obsolete)


def delete_cache(project: Project) -> bool:
    """Delete the cache file.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    OSError
        If it cannot be deleted.

    """
    try:
        os.unlink(project.fn(project.FN_CACHE))
    except FileNotFoundError:
        return False
    return True
