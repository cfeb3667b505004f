"""Finding what crashes, full disks, other programs and people have damaged, and repairing it.

Repairing a job is a matter of finding its state point again: whatever hashes to the id of the job, first among what an
unfinished operation left in its directory, then in memory and in the persistent cache. When there is nothing of that
kind, and the directory holds another valid state point, then the directory gets the id of that one, unless there is
such a job. A job that can be read is never changed, except that an unfinished change is finished. Documents and other
data are never changed, and nothing is written through a link in the place of a job.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from .. import canonical, catalog, config, files, layout, workspace
from ..errors import DestinationExistsError, JobsCorruptedError
from . import litter, soundness

if TYPE_CHECKING:
    from ..progress import Progress
    from ..workspace import Space
    from .index_claims import DocumentClaims
    from .soundness import Marks

__all__ = ["Outcome", "Problem", "check", "examine", "examine_job", "repair", "repair_problems"]

_T = TypeVar("_T")

Kind = Literal[
    "missing-state-point",
    "invalid-state-point",
    "wrong-state-point",
    "unfinished-change",
    "invalid-document",
    "stray-directory",
    "stray-file",
    "stray-entry",
    "missing-workspace",
    "unfinished-job",
    "unfinished-removal",
    "temporary-file",
    "wrong-index",
    "wrong-cache",
    "unused-index",
]

_LITTER: frozenset[Kind] = frozenset(
    {"unfinished-job", "unfinished-removal", "temporary-file", "stray-entry", "unused-index"}
)
_DERIVED: frozenset[Kind] = frozenset({"wrong-index", "wrong-cache", "unused-index"})
_BEYOND_REPAIR: frozenset[Kind] = frozenset({"invalid-document", "stray-file", "stray-entry", "missing-workspace"})


class Problem(NamedTuple):
    """Something in a project that is not as it should be.

    Parameters
    ----------
    name : str
        The id of the job, or the name of the workspace entry; empty for the project itself.
    kind : str
        ``missing-state-point``, ``invalid-state-point`` (not a JSON object), ``wrong-state-point`` (not the one that
        the directory is named after), ``unfinished-change`` (the job can be read, but not by signac 2.x),
        ``invalid-document``, ``stray-directory`` (named like a job, with something after the id), ``stray-file`` (named
        like a job, but no directory), ``stray-entry`` (of the workspace, named unlike a job), ``missing-workspace``,
        ``unfinished-job``, ``unfinished-removal``, ``temporary-file``, ``wrong-index`` or ``wrong-cache`` (which say of
        jobs what is not true), or ``unused-index`` (which others may have written).
    path : str
        The file or directory.
    detail : str
        What is wrong with it.
    remedy : str
        What :func:`repair_problems` can do about it; empty if nothing.
    """

    name: str
    kind: Kind
    path: str
    detail: str
    remedy: str

    @property
    def is_litter(self) -> bool:
        """Whether this only takes up space: no data is affected."""
        return self.kind in _LITTER

    @property
    def brief(self) -> str:
        """The detail, for a message that names the path anyway."""
        return self.detail.replace(f"Document '{self.path}'", "The document")


class Outcome(NamedTuple):
    """What became of a problem.

    Parameters
    ----------
    problem : Problem
        The problem.
    repaired : bool
        Whether it is solved.
    detail : str
        What was done, or why nothing could be done.
    """

    problem: Problem
    repaired: bool
    detail: str


def check(space: Space, *, progress: Progress | None = None) -> None:
    """Read every state point and compare it with the name of its directory (open, read, close per job).

    Raises JobsCorruptedError if any is damaged. Directories with names that only begin like job ids are damaged jobs,
    too.
    """
    names = _names_like_jobs(workspace.list_workspace(space))
    sound = soundness.sound_state_points(space, names)
    looked_at = _tracked(zip(names, sound, strict=True), "check", len(names), progress)
    suspects = [name for name, is_sound in looked_at if not is_sound]
    # Another look, because a job may have been at the moment of its creation (by signac 2.x) or of a change.
    for _ in range(2):
        suspects = [name for name in suspects if not _is_readable(space, name)]
    if suspects:
        raise JobsCorruptedError(suspects)


def _names_like_jobs(listing: workspace.Listing) -> list[str]:
    """Names of all entries of the workspace that look like jobs, directories or not, sorted."""
    return sorted([*listing.names, *filter(layout.is_job_directory, listing.others)])


def _tracked(items: Iterable[_T], what: str, total: int, progress: Progress | None) -> Iterable[_T]:
    """Yield the items, and report each to ``progress`` when it has been dealt with."""
    if progress is None:
        return items
    from ..progress import track

    return track(items, what, total, progress)


def _is_readable(space: Space, name: str) -> bool:
    """Tell whether a job has its state point, or has gone."""
    directory = os.path.join(space.workspace, name)
    try:
        workspace.read_state_point(directory, name)
    except FileNotFoundError:
        return _has_gone(directory)
    except JobsCorruptedError:
        return False
    return True


def _has_gone(path: str) -> bool:
    """Tell whether there is nothing at a path, not even a link that leads nowhere."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:  # who knows
        return False
    return False


def repair(space: Space, job_ids: Iterable[str] | None = None, *, progress: Progress | None = None) -> None:
    """Restore damaged state points from what caches and unfinished operations left, by default of all jobs.

    Raises JobsCorruptedError if some could not be repaired, or do not exist.
    """
    listed = job_ids is None
    if job_ids is None:
        names = _names_like_jobs(workspace.list_workspace(space))
    else:
        names = list(dict.fromkeys(map(str, job_ids)))
    known = _Known(space)
    failed = []
    sound = soundness.sound_state_points(space, names) if listed else repeat(False, len(names))
    for name, is_sound in _tracked(zip(names, sound, strict=True), "repair", len(names), progress):
        if is_sound:
            continue
        try:
            _repair_job(space, name, known)
        except FileNotFoundError:
            if not listed or not _has_gone(os.path.join(space.workspace, name)):
                failed.append(name)
        except (_BeyondRepair, OSError):
            failed.append(name)
    if failed:
        raise JobsCorruptedError(failed)


def examine(space: Space, *, progress: Progress | None = None) -> Iterator[Problem]:
    """Look for everything that is not as it should be; nothing is changed.

    Problems with state points come last, because they are looked at twice: jobs that are being created or changed by
    someone else are in order.
    """
    listing = workspace.list_workspace(space)
    if not files.is_directory(space.workspace):
        yield Problem("", "missing-workspace", space.workspace, "The workspace does not exist.", "")
    known = _Known(space)
    claims = _document_claims(space)
    names, marks = listing.names, soundness.Marks(listing.names)
    suspects = []
    looks = soundness.looks(space, names, claims)
    for name, mark in _tracked(zip(names, looks, strict=True), "check", len(names), progress):
        marks.append(mark)
        if mark != soundness.UNSOUND:
            continue
        problem = _state_point_problem(space, name, known)
        if problem is not None:
            suspects.append(name)
        yield from _other_problems(space, name, claims, is_whole=problem is None)
    yield from _strays(space, listing)
    yield from _derived_problems(space, listing, marks, claims)
    problem = _document_problem("", space.path(space.document_name))
    if problem is not None:
        yield problem
    for path in (*litter.in_workspace(space.workspace), *litter.in_project(space.root)):
        yield _litter_problem("", path)
    for name in suspects:
        _is_readable(space, name)  # waits for whoever is changing it
        problem = _state_point_problem(space, name, known)
        if problem is not None:
            yield problem


def examine_job(space: Space, job_id: str) -> list[Problem]:
    """Say what is wrong with the state point and the document of a job; nothing if it has gone."""
    document = os.path.join(space.workspace, job_id, layout.FN_DOCUMENT)
    found = [_state_point_problem(space, job_id, _Known(space)), _document_problem(job_id, document)]
    return [problem for problem in found if problem is not None]


def repair_problems(space: Space, problems: Iterable[Problem], *, progress: Progress | None = None) -> list[Outcome]:
    """Solve the problems that :func:`examine` found, as far as that is possible without losing data.

    Every problem is looked at anew before anything is done. What is left over from a restored job counts as litter
    from then on, and is found by another :func:`examine`.
    """
    problems = sorted(problems, key=lambda problem: problem.is_litter)  # from which jobs may be restored
    known = _Known(space)
    tracked = _tracked(problems, "repair", len(problems), progress)
    return [_repair_problem(space, problem, known) for problem in tracked]


def _repair_problem(space: Space, problem: Problem, known: _Known) -> Outcome:
    try:
        if problem.kind in _BEYOND_REPAIR:
            return Outcome(problem, False, "This has to be decided by hand.")
        if problem.kind in _DERIVED:
            with suppress(FileNotFoundError):
                os.unlink(problem.path)
            return Outcome(problem, True, "deleted")
        if problem.is_litter:
            gone = litter.delete(problem.path)
            return Outcome(problem, gone, "deleted" if gone else "Another process has begun to work on it.")
        os.listdir(os.path.join(space.workspace, problem.name))  # a directory that cannot be read cannot be restored
        job_id = _repair_job(space, problem.name, known)
    except _BeyondRepair as error:
        return Outcome(problem, False, str(error))
    except DestinationExistsError as error:
        return Outcome(problem, False, f"Job {error.destination} has appeared meanwhile.")
    except OSError as error:
        return Outcome(problem, False, f"{error.strerror}: '{error.filename or problem.path}'.")
    return Outcome(problem, True, "restored" if job_id == problem.name else f"renamed to {job_id}")


# what is wrong --------------------------------------------------------------------------------------------------------


def _state_point_problem(space: Space, name: str, known: _Known) -> Problem | None:
    """What is wrong with the state point of a job, or with the name of a directory."""
    directory = os.path.join(space.workspace, name)
    path = os.path.join(directory, layout.FN_STATE_POINT)
    kind: Kind = "invalid-state-point"
    try:
        state_point = canonical.loads(files.read_bytes(path))
        if not isinstance(state_point, dict):
            detail = "The state point file does not hold a JSON object."
        elif (job_id := canonical.calc_id(state_point)) == name:
            return None
        else:
            kind, detail = "wrong-state-point", f"The state point is that of job {job_id}."
    except FileNotFoundError:
        if workspace.is_marked(directory):
            return _removal_problem(name, directory)
        with suppress(OSError):  # if that cannot be found out, something is wrong
            if not files.is_directory(directory):
                return None
        kind, detail = "missing-state-point", "There is no state point file."
    except NotADirectoryError:
        return None  # it is no job at all
    except OSError as error:
        detail = f"The state point file cannot be read: {error.strerror}."
    except (ValueError, RecursionError):
        detail = "The state point file is empty." if _is_empty(path) else "The state point file is not valid JSON."
    linked = os.path.islink(directory)
    if linked:
        detail += f" The directory is a link to '{os.readlink(directory)}'."
    rescue = None if linked else _find_rescue(directory, name, known)
    if rescue is not None and rescue.job_id == name and rescue.path is not None:
        kind, detail = "unfinished-change", f"A change of the job was stopped before its end. {detail}"
    if len(name) > layout.JOB_ID_LENGTH:
        kind, path = "stray-directory", directory
        detail = f"The name begins with a job id, but is none. {detail}"
    return Problem(name, kind, path, detail, _remedy(space, name, rescue))


def _remedy(space: Space, name: str, rescue: _Rescue | None) -> str:
    if rescue is None:
        return ""
    if rescue.job_id != name:
        return f"rename the directory to {rescue.job_id}" if _may_rename(space, name, rescue) else ""
    origin = "the cache" if rescue.path is None else os.path.basename(rescue.path)
    return f"restore the state point from {origin}"


def _is_empty(path: str) -> bool:
    try:
        return os.stat(path).st_size == 0
    except OSError:
        return False


def _other_problems(space: Space, name: str, claims: DocumentClaims | None, *, is_whole: bool) -> Iterator[Problem]:
    """Everything but the state point."""
    directory = os.path.join(space.workspace, name)
    document = _document_problem(name, os.path.join(directory, layout.FN_DOCUMENT), claims)
    try:
        if document is not None:
            yield document
        if is_whole:
            for path in litter.in_job(directory, document_is_valid=document is None):
                yield _litter_problem(name, path)
    except (NotADirectoryError, FileNotFoundError):
        pass  # it has gone since it was listed
    except OSError as error:
        yield Problem(name, "invalid-state-point", directory, f"The directory cannot be read: {error.strerror}.", "")


def _strays(space: Space, listing: workspace.Listing) -> Iterator[Problem]:
    """Entries of the workspace that are neither jobs nor left behind by an operation."""
    jobs = frozenset(listing.names)
    directories = {name for name in listing.entries if name not in jobs}
    for name in sorted([*directories, *listing.others]):
        path = os.path.join(space.workspace, name)
        if name in directories:
            if not name.startswith((layout.PREFIX_NEW, layout.PREFIX_REMOVED)):
                yield Problem(name, "stray-entry", path, "A directory that is no job is in the workspace.", "")
            continue
        what = "file"
        with suppress(OSError):  # it is no link
            what = f"link to '{os.readlink(path)}'"
        if layout.is_job_directory(name):
            yield Problem(name, "stray-file", path, f"A {what} has the name of a job, and is no directory.", "")
        else:
            yield Problem(name, "stray-entry", path, f"A {what} is in the workspace.", "")


def _document_problem(name: str, path: str, claims: DocumentClaims | None = None) -> Problem | None:
    """What is wrong with a document; what the index claims to be in it is compared on the way."""
    status: os.stat_result | None = None
    document: dict[str, Any] = {}
    try:
        if claims is not None and name in claims:
            text, status = files.read_with_status(path)
        else:
            claims, text = None, files.read_bytes(path)
        from ..documents.store import parse_document  # many projects have none

        document = parse_document(text, path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        return Problem(name, "invalid-document", path, f"Document '{path}' cannot be read: {error.strerror}.", "")
    except ValueError as error:
        return Problem(name, "invalid-document", path, str(error), "")
    if claims is not None:
        claims.compare(name, status, document)
    return None


def _document_claims(space: Space) -> DocumentClaims | None:
    """What the index says of documents; None if there is no index."""
    if config.index_directory() is None and not os.path.lexists(space.path(layout.FN_INDEX)):
        return None
    from .index_claims import DocumentClaims

    return DocumentClaims(space)


def _derived_problems(
    space: Space, listing: workspace.Listing, marks: Marks, claims: DocumentClaims | None
) -> Iterator[Problem]:
    """What the index and the cache file say of jobs and is not true, whoever has written it there."""
    from ..index.peer_cache import wrong_entries

    remedy = "delete it; it is written anew"
    path = space.path(layout.FN_CACHE)
    wrong = wrong_entries(space, marks.vouch_for)
    if wrong:
        yield Problem("", "wrong-cache", path, f"The cache file is wrong about {_jobs(wrong)}.", remedy)
    if claims is None:
        return
    from .index_claims import examine_tables

    for table in examine_tables(space, listing, marks):
        yield Problem("", "wrong-index" if table.is_believed else "unused-index", table.path, table.detail, remedy)
    wrong = claims.wrong()
    if wrong:
        detail = f"The index is wrong about the documents of {_jobs(wrong)}."
        yield Problem("", "wrong-index", claims.path, detail, remedy)


def _jobs(ids: Sequence[str]) -> str:
    return f"job {ids[0]}" if len(ids) == 1 else f"{len(ids)} jobs, such as {ids[0]}"


def _litter_problem(name: str, path: str) -> Problem:
    base = os.path.basename(path)
    if base.startswith(layout.PREFIX_REMOVED):
        return _removal_problem(base, path)
    if base.startswith(layout.PREFIX_NEW):
        return Problem(base, "unfinished-job", path, "The creation of a job was stopped.", "delete it")
    return Problem(name, "temporary-file", path, "A stopped operation left a file behind.", "delete it")


def _removal_problem(name: str, path: str) -> Problem:
    return Problem(name, "unfinished-removal", path, "The deletion of a job was not finished.", "delete it")


# how it is repaired ---------------------------------------------------------------------------------------------------


class _BeyondRepair(Exception):
    """A job whose state point cannot be found again."""


class _Rescue(NamedTuple):
    """A state point for a damaged job."""

    job_id: str
    state_point: dict[str, Any]
    path: str | None = None  # of the file in the job directory that holds it; None if it comes from elsewhere
    text: bytes = b""  # of the state point file


class _Known:
    """State points known from elsewhere than the job directories: from memory, the cache file, and the index."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._cached: dict[str, dict[str, Any]] | None = None

    def get(self, job_id: str) -> dict[str, Any] | None:
        state_point = self._space.known.get(job_id)
        if state_point is not None and canonical.calc_id(state_point) == job_id:
            return state_point
        if self._cached is None:
            from ..index.peer_cache import read_cache

            self._cached = catalog.indexed_state_points(self._space) | read_cache(self._space)
        state_point = self._cached.get(job_id)
        return state_point if state_point is not None and canonical.calc_id(state_point) == job_id else None


def _find_rescue(directory: str, name: str, known: _Known) -> _Rescue | None:
    """Find the state point that a damaged job should have."""
    try:
        left = layout.temporary_state_points(os.listdir(directory))
    except OSError:
        return None
    candidates = [layout.FN_STATE_POINT, layout.FN_STATE_POINT_BACKUP, *left]
    found = [rescue for file in candidates if (rescue := _rescue_in(os.path.join(directory, file))) is not None]
    for rescue in found:
        if rescue.job_id == name:
            return rescue
    state_point = known.get(name)
    if state_point is not None:
        return _Rescue(name, state_point, None, canonical.dumps(state_point).encode("ascii"))
    return found[0] if found else None


def _rescue_in(path: str) -> _Rescue | None:
    try:
        text = files.read_bytes(path)
        state_point = canonical.loads(text)
        if isinstance(state_point, dict):
            if os.path.basename(path) != layout.FN_STATE_POINT:
                text = canonical.dumps(state_point).encode("ascii")
            return _Rescue(canonical.calc_id(state_point), state_point, path, text)
    except (OSError, ValueError, RecursionError):
        pass
    return None


def _is_free(space: Space, job_id: str) -> bool:
    """Tell whether a directory can get this name; an empty directory holds nothing."""
    target = os.path.join(space.workspace, job_id)
    try:
        return not os.listdir(target)
    except FileNotFoundError:
        return not os.path.lexists(target)
    except OSError:
        return False


def _may_rename(space: Space, name: str, rescue: _Rescue) -> bool:
    """Tell whether a damaged job can get the name that its state point has: there is none, or a copy of this one."""
    if _is_free(space, rescue.job_id):
        return True
    from ..exchange import copying

    source, target = (os.path.join(space.workspace, job_id) for job_id in (name, rescue.job_id))
    try:
        return copying.is_stopped_change(source, target, rescue.job_id, rescue.text)
    except OSError:
        return False


def _repair_job(space: Space, name: str, known: _Known) -> str:
    """Restore the state point of a job; return the id that it has then.

    _BeyondRepair if that is not possible; nothing is changed then. OSError if the directory does not exist, or cannot
    be changed.
    """
    from .. import lifecycle

    if not layout.is_job_directory(name) or "/" in name:
        raise _BeyondRepair(f"'{name}' is not a job id.")
    directory = os.path.join(space.workspace, name)
    whole = _rescue_in(os.path.join(directory, layout.FN_STATE_POINT))
    if whole is not None and whole.job_id == name:
        return name
    if os.path.islink(directory):
        raise _BeyondRepair("Nothing is written through the link, which may lead to another job.")
    with ExitStack() as stack:
        with suppress(FileNotFoundError):  # without the file nobody else can have locked it
            stack.enter_context(lifecycle.lock(directory))
        return _repair_locked(space, name, directory, known)


def _repair_locked(space: Space, name: str, directory: str, known: _Known) -> str:
    """Restore the state point of a job whose lock, if there is one to take, is held."""
    from .. import lifecycle

    path = os.path.join(directory, layout.FN_STATE_POINT)
    with suppress(FileNotFoundError):
        if lifecycle.finish_state_point_change(directory, name, durable=space.durable):
            return name
    os.listdir(directory)  # says why, if this is no directory
    rescue = _find_rescue(directory, name, known)
    if rescue is None:
        raise _BeyondRepair("Nothing is left from which the state point could be restored.")
    if rescue.job_id != name and not _may_rename(space, name, rescue):
        raise _BeyondRepair(f"The directory holds the state point of job {rescue.job_id}, which exists.")
    if rescue.path != path:
        files.replace_file(path, rescue.text, durable=space.durable)  # a copy: its writer may be about to rename it
    if rescue.job_id != name:
        _rename(space, directory, rescue)
    space.remember(rescue.job_id, rescue.state_point)
    return rescue.job_id


def _rename(space: Space, directory: str, rescue: _Rescue) -> None:
    """Give a job directory the name that its state point has, its lock being held."""
    from .. import lifecycle

    try:
        lifecycle.publish_directory(space.workspace, rescue.job_id, directory, durable=space.durable)
        return
    except DestinationExistsError:
        if not _may_rename(space, os.path.basename(directory), rescue):
            raise
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    from ..exchange import copying

    target = os.path.join(space.workspace, rescue.job_id)
    copying.change_by_copy(directory, target, rescue.job_id, rescue.text, durable=space.durable)
