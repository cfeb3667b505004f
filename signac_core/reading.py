"""Asking about many jobs: listing the workspace, reading state points and documents, finding ids.

Nothing here makes handles. A damaged job never spoils the answer about the others: where a function takes a list of
``damaged`` ids it adds to it and goes on, otherwise it raises when the others have been dealt with. A directory without
a state point file that is younger than a minute is a job being born, and skipped without a word.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from . import canonical, files, layout
from .errors import JobsCorruptedError, WorkspaceError

if TYPE_CHECKING:
    from .project import Project
    from .query import Query

__all__ = [
    "UnresolvedId",
    "find_ids",
    "list_ids",
    "list_names",
    "read_documents",
    "read_matching",
    "read_state_points",
    "resolve_ids",
    "unique_prefix_length",
]

_MANY_IDS = 64  # from here on one listing is cheaper than a look at each


def _list_directory(workspace: str) -> list[str]:
    """Names of the job directories, unsorted, by one listing (open, fstat, listing, fstat, close).

    A job that changes its id while the listing is under way could appear under both ids; when the directory changed
    meanwhile, only the names that a second listing confirms are returned. A missing workspace has no jobs.

    Raises
    ------
    OSError
        If the workspace cannot be read.

    """
    try:
        fd = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        if os.path.islink(workspace):
            raise
        return []
    try:
        before = os.fstat(fd)
        names = [name for name in os.listdir(fd) if layout.is_job_directory(name)]
        after = os.fstat(fd)
        if (before.st_mtime_ns, before.st_ctime_ns) != (after.st_mtime_ns, after.st_ctime_ns):
            confirmed = set(os.listdir(fd))
            names = [name for name in names if name in confirmed]
        return names
    finally:
        os.close(fd)


def list_names(project: Project) -> list[str]:
    """Names of the workspace entries that count as jobs by the rule of signac 2.x (their first 32 characters), sorted.

    Raises
    ------
    WorkspaceError
        If the workspace cannot be read.

    """
    try:
        names = _list_directory(project.workspace)
    except FileNotFoundError:
        raise WorkspaceError(f"The link '{project.workspace}' pointing to the workspace is broken.") from None
    except OSError as error:
        raise WorkspaceError(error) from error
    names.sort()
    return names


def list_ids(project: Project) -> list[str]:
    """Ids of all jobs, sorted: the names that are job ids and nothing more.

    Raises
    ------
    WorkspaceError
        If the workspace cannot be read.

    """
    return [name for name in list_names(project) if len(name) == layout.JOB_ID_LENGTH]


def unique_prefix_length(ids: Sequence[str]) -> int:
    """Least number of characters that tells sorted ids apart; 0 for fewer than two."""
    longest = 0
    for left, right in pairwise(ids):
        while left[:longest] == right[:longest]:
            longest += 1
    return longest


def read_matching(path: str, job_id: str) -> dict[str, Any] | None:
    """State point in the file ``path`` if it is the one of ``job_id``; None when it is another or not readable as one.

    Raises
    ------
    OSError
        If the file cannot be read.

    """
    text = files.read_bytes(path)
    try:
        state_point = canonical.loads(text)
    except ValueError:
        return None
    return state_point if canonical.state_point_matches(text, state_point, job_id) else None


def read_state_points(
    project: Project, ids: Iterable[str], *, damaged: list[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the state points of jobs, in the given order (open, read, close per job that is not in memory yet).

    Parameters
    ----------
    project : Project
        The project.
    ids : iterable of str
        The ids of existing jobs; one that has vanished is skipped.
    damaged : list of str, optional
        Takes the ids of damaged jobs.

    Yields
    ------
    tuple of str and dict
        Id and state point, which must not be changed.

    Raises
    ------
    JobsCorruptedError
        At the end, if jobs are damaged and there is no list to take them.

    """
    root = project.workspace + "/"
    known = project._sp_cache
    failed: list[str] = []
    for job_id in ids:
        state_point = known.get(job_id)
        if state_point is None:
            try:
                state_point = read_matching(f"{root}{job_id}/{layout.FN_STATE_POINT}", job_id)
            except OSError:
                state_point = None
            if state_point is None:
                state_point = _read_unusual(root + job_id, job_id, failed)
                if state_point is None:
                    continue
            known[job_id] = state_point
        yield job_id, state_point
    _report(failed, damaged)


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


def read_documents(
    project: Project, ids: Iterable[str], *, damaged: list[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the documents of jobs, in the given order (open, fstat, read, close per job).

    Parameters
    ----------
    project : Project
        The project.
    ids : iterable of str
        The ids of existing jobs; a job without a document yields an empty one.
    damaged : list of str, optional
        Takes the ids of jobs whose document cannot be read.

    Yields
    ------
    tuple of str and dict
        Id and document.

    Raises
    ------
    ValueError
        If a document is not a JSON object and there is no list to take the id.
    OSError
        If a document cannot be read and there is no list to take the id.

    """
    for job_id, document in _read_documents(project, ids, damaged):
        yield job_id, {} if document is None else document


def _read_documents(
    project: Project, ids: Iterable[str], damaged: list[str] | None
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Do what :func:`read_documents` says, but tell a job without a document from one with an empty document."""
    from .document import parse_document

    for job_id in ids:
        path = f"{project.workspace}/{job_id}/{layout.FN_DOCUMENT}"
        document: dict[str, Any] | None = None
        try:
            document = parse_document(files.read_bytes(path), path)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOTDIR:
                continue  # a file named like a job has no document
            if damaged is None:
                raise
            damaged.append(job_id)
            continue
        yield job_id, document


def _report(failed: list[str], damaged: list[str] | None) -> None:
    if damaged is not None:
        damaged.extend(failed)
    elif failed:
        raise JobsCorruptedError(failed)


def find_ids(
    project: Project,
    filter: Mapping[str, Any] | Query | None,
    *,
    ids: Sequence[str] | None = None,
    damaged: list[str] | None = None,
) -> list[str]:
    """Ids of the jobs that match a filter, in the order of ``ids`` (sorted by default).

    Parameters
    ----------
    project : Project
        The project.
    filter : mapping or Query, optional
        The filter; all jobs by default.
    ids : sequence of str, optional
        The jobs to consider; all by default.
    damaged : list of str, optional
        Takes the ids of damaged jobs, which match nothing.

    Raises
    ------
    JobsCorruptedError
        If jobs are damaged and there is no list to take them.
    KeyError, ValueError, TypeError
        If the filter is invalid.
    WorkspaceError
        If the workspace cannot be read.

    """
    if ids is None:
        ids = list_ids(project)
    if filter is None:
        return list(ids)
    from .query import NO_DOCUMENT, Query, compile_filter

    query = filter if isinstance(filter, Query) else compile_filter(filter)
    matches = query.matches
    if not query.needs_documents:
        return [job_id for job_id, sp in read_state_points(project, ids, damaged=damaged) if matches(sp, {})]
    state_points: dict[str, dict[str, Any]] = {}
    if query.needs_state_points:
        state_points = dict(read_state_points(project, ids, damaged=damaged))
        ids = list(state_points)
    return [
        job_id
        for job_id, document in _read_documents(project, ids, damaged)
        if matches(state_points.get(job_id, {}), NO_DOCUMENT if document is None else document)
    ]


class UnresolvedId(NamedTuple):
    """A text that does not name one job."""

    text: str
    reason: str


def resolve_ids(project: Project, texts: Sequence[str], *, minimum: int = 1) -> tuple[list[str], list[UnresolvedId]]:
    """Find the jobs that users name.

    Parameters
    ----------
    project : Project
        The project.
    texts : sequence of str
        Full ids, beginnings of ids, or paths of job directories of this project (or of something in them).
    minimum : int
        Least number of digits of an abbreviated id.

    Returns
    -------
    tuple
        The ids in the given order, duplicates included, and the texts that name no job or several.

    """
    wanted = [_strip_path(project, text) for text in texts]
    names: list[str] | None = None
    if len(wanted) > _MANY_IDS or any(len(text) < layout.JOB_ID_LENGTH for text in wanted):
        names = list_ids(project)
    existing = set(names) if names is not None else None
    ids: list[str] = []
    unresolved: list[UnresolvedId] = []
    for original, text in zip(texts, wanted, strict=True):
        if not layout.is_id_prefix(text):
            reason = f"'{original}' is not a job id: ids consist of 32 digits from 0-9 and a-f, or the first of them."
            unresolved.append(UnresolvedId(original, reason if original else "An empty string is not a job id."))
        elif len(text) == layout.JOB_ID_LENGTH:
            found = text in existing if existing is not None else os.path.isdir(f"{project.workspace}/{text}")
            if found:
                ids.append(text)
            else:
                unresolved.append(UnresolvedId(original, _unknown(project, original, text, names)))
        elif len(text) < minimum:
            reason = f"The id '{original}' is too short: give at least {minimum} digits, or the whole id."
            unresolved.append(UnresolvedId(original, reason))
        else:
            matches = _with_prefix(names or [], text)
            if len(matches) == 1:
                ids.append(matches[0])
            elif matches:
                reason = (
                    f"The id '{original}' is ambiguous: {len(matches)} jobs begin with it; "
                    f"{unique_prefix_length(matches)} digits tell them apart."
                )
                unresolved.append(UnresolvedId(original, reason))
            else:
                unresolved.append(UnresolvedId(original, _unknown(project, original, text, names)))
    return ids, unresolved


def _strip_path(project: Project, text: str) -> str:
    """Take the id out of a path into the workspace of this project; other texts only lose line ends and slashes."""
    text = text.rstrip("\r\n").rstrip("/")
    if "/" not in text:
        return text
    for root in (project.workspace, layout.WORKSPACE, f"./{layout.WORKSPACE}", os.path.realpath(project.workspace)):
        if text.startswith(root + "/"):
            name = text[len(root) + 1 :].split("/")
            return text if ".." in name else name[0]
    return text


def _with_prefix(names: list[str], prefix: str) -> list[str]:
    from bisect import bisect_left

    first = bisect_left(names, prefix)
    last = first
    while last < len(names) and names[last].startswith(prefix):
        last += 1
    return names[first:last]


def _unknown(project: Project, original: str, text: str, names: list[str] | None) -> str:
    """Say that there is no such job, and which similar ones there are."""
    if names is None:
        names = list_ids(project)
    similar = sorted({name[: len(text)] for name in names if _differ_little(name[: len(text)], text)})
    hint = f" Did you mean {' or '.join(similar[:3])}?" if similar else ""
    return f"There is no job with the id '{original}' in '{project.path}'.{hint}"


def _differ_little(left: str, right: str) -> bool:
    """Tell whether two texts of equal length differ in one character, or in the order of two neighbours."""
    if len(right) < 3:
        return False
    different = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(different) == 2:
        i, j = different
        return j == i + 1 and left[i] == right[j] and left[j] == right[i]
    return len(different) == 1
