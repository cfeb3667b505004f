"""Asking about many jobs: listing the workspace, asking the index, reading state points.

Nothing here makes handles. A damaged job never spoils the answer about the others: where a function takes a list of
``damaged`` ids it adds to it and goes on, otherwise it raises when the others have been dealt with. A directory without
a state point file that is younger than a minute is a job being born, and skipped without a word.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, pairwise
from operator import eq
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any, TypeVar

from . import canonical, config, files, layout
from .errors import JobsCorruptedError, WorkspaceError
from .trees import look_up

if TYPE_CHECKING:
    from .index.snapshot import Snapshot
    from .project import Project

    T = TypeVar("T")

__all__ = [
    "MANY_FILES",
    "ROWS_PER_FILE",
    "Listing",
    "ask_index",
    "each_file",
    "indexed_state_points",
    "list_ids",
    "list_names",
    "list_workspace",
    "open_index",
    "preload",
    "read_columns",
    "read_matching",
    "read_state_points",
    "read_values",
    "recorded_state_point",
    "refresh",
    "state_point_in_memory",
    "tell_unusable",
    "unique_prefix_length",
]

OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe in the place of a file does not block
MANY_FILES = 16  # up to here nothing is cheaper than reading them
_CACHE_BYTES_PER_FILE = 200  # of a cache file, which is compressed, are read in the time that it takes to read one file
_VERY_MANY_FILES = 2500  # from here on the import of a faster parser pays
ROWS_PER_FILE = 50  # what the index puts together in the time that it takes to read one file


class Listing:
    """One listing of a workspace."""

    __slots__ = ("_names", "entries", "monotonic", "others", "status", "wall_ns")

    def __init__(
        self, entries: list[str], others: list[str], status: os.stat_result | None, wall_ns: int, monotonic: float
    ) -> None:
        self.entries = entries
        self.others = others
        self.status = status
        self.wall_ns = wall_ns
        self.monotonic = monotonic
        self._names: list[str] | None = None

    @property
    def names(self) -> list[str]:
        """The directories that count as jobs by the rule of signac 2.x (their first 32 characters), sorted."""
        if self._names is None:
            names = sorted(layout.job_directories(self.entries))
            twice = any(map(eq, names, islice(names, 1, None)))  # some file systems do that while entries come and go
            self._names = list(dict.fromkeys(names)) if twice else names
        return self._names


def list_workspace(project: Project) -> Listing:
    """List the workspace (open, fstat, listing, fstat, close).

    A job that changes its id while the listing is under way could appear under both ids; when the directory changed
    meanwhile, only the names that a second listing confirms are returned. A missing workspace has no jobs.

    Raises WorkspaceError if the workspace cannot be read.
    """
    try:
        return _list_directory(project.workspace)
    except FileNotFoundError:
        target = os.readlink(project.workspace)
        raise WorkspaceError(
            f"The link '{project.workspace}' pointing to the workspace is broken: '{target}' does not exist."
        ) from None
    except OSError as error:
        raise WorkspaceError(error) from error


def _list_directory(workspace: str) -> Listing:
    now = time_ns(), monotonic()
    try:
        fd = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        if os.path.islink(workspace):
            raise
        return Listing([], [], None, *now)
    try:
        before = os.fstat(fd)
        entries, others = _entries_of(fd)
        after = os.fstat(fd)
        if (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns):
            return Listing(entries, others, after, *now)
        confirmed = set(os.listdir(fd))
        entries, others = ([name for name in names if name in confirmed] for names in (entries, others))
        return Listing(entries, others, None, *now)
    finally:
        files.close_after_work(fd)


def _entries_of(fd: int) -> tuple[list[str], list[str]]:
    """Names of the directories in a directory, and of what else is in it.

    The listing tells which is which; a link takes a call, and so does everything where a file system does not tell.
    """
    names: list[str] = []
    others: list[os.DirEntry[str]] = []
    with os.scandir(fd) as found:
        for entry in found:
            try:
                known = entry.is_dir(follow_symlinks=False)
            except OSError:  # who reads it will see
                known = True
            if known:
                names.append(entry.name)
            else:
                others.append(entry)
    linked = {entry.name for entry in others if entry.is_symlink() and _leads_to_a_directory(entry.name, fd)}
    names += linked
    return names, [entry.name for entry in others if entry.name not in linked]


def _leads_to_a_directory(name: str, directory: int) -> bool:
    """Tell whether a link leads to a directory; one that nobody can follow does not, one that we may not follow may."""
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=directory).st_mode)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def open_index(project: Project) -> Snapshot | None:
    """Open the index and compare it with the workspace; None if there is none that can be used.

    Raises WorkspaceError if the workspace cannot be read.
    """
    try:
        if config.index_directory() is None:  # the usual query pays for no import
            fd = os.open(f"{project.path}/{layout.FN_INDEX}", OPEN_FLAGS)
        else:
            from .config import check_place, index_path
            from .layout import BASE

            check_place()
            fd = os.open(index_path(project.path, BASE), OPEN_FLAGS)
    except PermissionError as error:
        tell_unusable(error)
        return None
    except OSError:
        return None
    try:
        from .index.snapshot import Snapshot

        return Snapshot(project, fd, lambda: list_workspace(project))
    except WorkspaceError:
        raise
    except Exception as error:
        tell_unusable(error)
        return None


def ask_index(project: Project, question: Callable[[Snapshot], T | None]) -> T | None:
    """Answer of the index to a question; None without a usable index."""
    snapshot = open_index(project)
    if snapshot is None:
        return None
    with snapshot:
        try:
            return question(snapshot)
        except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
            tell_unusable(error)
            return None


def tell_unusable(error: Exception) -> None:
    """Say at debug level why the index is not used."""
    import logging

    logging.getLogger(__name__).debug("The index cannot be used: %s: %s", type(error).__name__, error)


def list_names(project: Project) -> list[str]:
    """Names of the directories that count as jobs by the rule of signac 2.x (their first 32 characters), sorted.

    Raises WorkspaceError if the workspace cannot be read.
    """
    names = ask_index(project, _names_of)
    return list_workspace(project).names if names is None else names


def _names_of(snapshot: Snapshot) -> list[str]:
    names = snapshot.names()
    refresh(snapshot)
    return names


def refresh(snapshot: Snapshot) -> None:
    """Let the index catch up on the way out of a query, if that is possible."""
    with suppress(Exception):  # nobody has asked for it
        if snapshot.worth_refreshing(snapshot.project._sp_cache):
            snapshot.refresh(snapshot.project._sp_cache)


def list_ids(project: Project) -> list[str]:
    """Ids of all jobs, sorted: the names that are job ids and nothing more.

    Raises WorkspaceError if the workspace cannot be read.
    """
    return layout.job_ids(list_names(project))


def unique_prefix_length(ids: Sequence[str]) -> int:
    """Least number of characters that tells sorted ids apart; 0 for fewer than two."""
    longest = 0
    for left, right in pairwise(ids):
        while left[:longest] == right[:longest]:
            longest += 1
    return longest


def read_matching(path: str, job_id: str, *, dir_fd: int | None = None) -> dict[str, Any] | None:
    """State point in the file ``path`` if it is the one of ``job_id``; None when it is another or not readable as one.

    Raises OSError if the file cannot be read.
    """
    return _genuine(files.read_bytes(path, dir_fd=dir_fd), job_id)


def _genuine(text: bytes, job_id: str) -> dict[str, Any] | None:
    """State point in a text if it is the one of a job."""
    try:
        state_point = canonical.loads(text)
    except ValueError:
        return None
    return state_point if canonical.state_point_matches(state_point, job_id) else None


def read_state_points(
    project: Project,
    ids: Iterable[str],
    *,
    damaged: list[str] | None = None,
    indexed: bool = True,
    proven: bool = False,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the state points of jobs, in the given order (open, read, close per job that is not in memory yet).

    Raises JobsCorruptedError at the end, if jobs are damaged and there is no list to take them.
    """
    ids = ids if isinstance(ids, (list, tuple)) else list(ids)
    known = project._sp_cache
    failed: list[str] = []
    unknown = [job_id for job_id in ids if job_id not in known]
    if indexed and len(unknown) > MANY_FILES:
        preload(project, len(unknown))
        unknown = [job_id for job_id in unknown if job_id not in known]
    if proven and _forget_wrong(project, ids):
        unknown = [job_id for job_id in ids if job_id not in known]
    if unknown:
        unknown = list(dict.fromkeys(unknown))
        read = zip(unknown, _read_files(project, unknown), strict=True)
        left_out = set()
        for job_id in ids:
            state_point = known.get(job_id)
            if state_point is None:
                if job_id in left_out:
                    continue
                _, state_point = next(read)
                if state_point is None:
                    state_point = _read_unusual(f"{project.workspace}/{job_id}", job_id, failed)
                    if state_point is None:
                        left_out.add(job_id)
                        continue
                known[job_id] = state_point
            yield job_id, state_point
    else:
        for job_id in ids:
            yield job_id, known[job_id]
    _report(failed, damaged)


def _forget_wrong(project: Project, ids: Sequence[str]) -> bool:
    """Forget what the index has said if it was wrong about one of these jobs; tell whether it was."""
    known, indexed = project._sp_cache, project._sound_ids
    for job_id in ids:
        if job_id in indexed and not canonical.state_point_matches(known.get(job_id), job_id):
            tell_unusable(ValueError(f"wrong about job {job_id}"))
            for other in indexed:
                known.pop(other, None)
            project._sound_ids = ()
            return True
    return False


def _read_files(project: Project, ids: list[str]) -> Iterator[dict[str, Any] | None]:
    """State points in the files of jobs; None where there is none to be read, or that of another job."""
    parse = _parse_quickly() if len(ids) >= _VERY_MANY_FILES else _genuine

    def read(job_id: str, path: str, dir_fd: int | None) -> dict[str, Any] | None:
        try:
            text = files.read_bytes(path, dir_fd=dir_fd)
        except OSError:
            return None
        return parse(text, job_id)

    return each_file(project, ids, layout.FN_STATE_POINT, read)


def each_file(
    project: Project, ids: Sequence[str], name: str, function: Callable[[str, str, int | None], T]
) -> Iterator[T]:
    """Apply a function to one file of each job, in order; to many files by short paths, and in threads if that pays."""
    end = "/" + name
    if len(ids) <= MANY_FILES:
        root = project.workspace + "/"
        yield from (function(job_id, root + job_id + end, None) for job_id in ids)
        return
    from .parallel import in_order, short_paths

    with short_paths(project.workspace) as (root, workspace):
        yield from in_order(lambda job_id: function(job_id, root + job_id + end, workspace), ids)


def _parse_quickly() -> Callable[[bytes, str], dict[str, Any] | None]:
    """What does the same as :func:`_genuine` in less time and memory (equal keys are one object).

    orjson reads large integers as floats; a state point that is not the one of its job is parsed again.
    """
    from orjson import loads

    has_id = canonical.has_id

    def parse(text: bytes, job_id: str) -> dict[str, Any] | None:
        try:
            state_point: dict[str, Any] = loads(text)
            if has_id(state_point, job_id):
                return state_point
        except (ValueError, RecursionError):
            pass
        return _genuine(text, job_id)

    return parse


def preload(project: Project, number: int) -> None:
    """Take the state points of all jobs from the index into memory, if that is less work than reading files.

    Without an index, the cache file of signac 2.x serves.
    """

    def take(snapshot: Snapshot) -> bool:
        if number * ROWS_PER_FILE >= snapshot.number():
            found = snapshot.state_points()
            project._sound_ids = found.keys()  # the index does not take keys with dots
            project._sp_cache.update(found)
            project._preloaded = True
        return True

    if number > MANY_FILES and not project._preloaded and not ask_index(project, take):
        with suppress(OSError):
            if 0 < os.stat(project.fn(project.FN_CACHE)).st_size < number * _CACHE_BYTES_PER_FILE:
                from .cache import read_cache

                entries = read_cache(project)
                project._sp_cache.update(entries)
                project._preloaded = bool(entries)


def read_values(
    project: Project, ids: list[str], keys: Sequence[str], *, missing: Any
) -> tuple[list[str], list[list[Any]]]:
    """Values under dotted keys of state points; only the columns of these keys are read where there is an index.

    Raises JobsCorruptedError if jobs are damaged.
    """
    found: list[dict[str, Any]] = [{} for _ in keys]
    if len(ids) > MANY_FILES and not project._preloaded:

        def ask(snapshot: Snapshot) -> list[list[Any]] | None:
            if (columns := snapshot.values_of_all(keys, missing)) is not None and snapshot.names() == ids:
                return columns
            for names, columns in snapshot.values(keys, missing):
                for values, column in zip(found, columns, strict=True):
                    values.update(zip(names, column, strict=True))
            return None

        columns = ask_index(project, ask)
        if columns is not None:
            return ids, columns
    complete = found[-1]  # whatever this one holds, all hold
    rest = [job_id for job_id in ids if job_id not in complete]
    paths = [key.split(".") for key in keys]
    for job_id, state_point in read_state_points(project, rest):
        for values, path in zip(found, paths, strict=True):
            values[job_id] = look_up(state_point, path, missing)
    if not all(map(complete.__contains__, rest)):
        ids = [job_id for job_id in ids if job_id in complete]
    return ids, [list(map(values.__getitem__, ids)) for values in found]


def read_columns(project: Project, ids: Sequence[str], wanted: Callable[[str], bool]) -> dict[str, list[Any]] | None:
    """Values of all jobs under dotted keys, straight from the index, where state points all have the same keys."""

    def columns(snapshot: Snapshot) -> dict[str, list[Any]] | None:
        return snapshot.columns(wanted) if snapshot.names() == ids else None

    return ask_index(project, columns) if len(ids) > MANY_FILES else None


def indexed_state_points(project: Project) -> dict[str, dict[str, Any]]:
    """State points that the index holds, by id, of jobs whose directories exist; none without a usable index."""
    return ask_index(project, lambda snapshot: snapshot.state_points()) or {}


def state_point_in_memory(project: Project, job_id: str) -> dict[str, Any] | None:
    """State point of one of the jobs that are being iterated over, if it need not be read from its file."""
    number, project._expected = project._expected, 0
    preload(project, number)
    return project._sp_cache.get(job_id)


def recorded_state_point(project: Project, job_id: str) -> dict[str, Any] | None:
    """State point of a job whose file is damaged, as index or cache have it; None if they do not."""
    preload(project, sys.maxsize)
    known = project._sp_cache.get(job_id)
    return known if canonical.state_point_matches(known, job_id) else None


def _read_unusual(directory: str, job_id: str, failed: list[str]) -> dict[str, Any] | None:
    """State point of a job whose file is not as it should be: changing, vanished, being born, or damaged."""
    from . import workspace  # the usual query does not pay for it

    try:
        return workspace.read_state_point(directory, job_id)
    except FileNotFoundError:
        pass
    except JobsCorruptedError:
        if not workspace.is_being_born(directory):
            failed.append(job_id)
    return None


def _report(failed: list[str], damaged: list[str] | None) -> None:
    if damaged is not None:
        damaged.extend(failed)
    elif failed:
        raise JobsCorruptedError(failed)
