"""What is in a workspace: the space that jobs live in, one listing of it, and the state point of one job.

A reader that finds a state point which is not the one the directory is named after looks for that in the file of a
state point change under the name of the directory (see `lifecycle`), and in the backup of signac 2.x. A job is damaged
only if nothing has happened to its directory while it was looked into. Without a state point file, beside the mark of a
removal, there is no job.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from operator import eq
from time import monotonic, time_ns
from time import sleep as _sleep
from time import time as _now
from typing import Any, TypeVar

from . import canonical, config, files, layout
from .errors import JobsCorruptedError, WorkspaceError

__all__ = [
    "OPEN_FLAGS",
    "Listing",
    "Moment",
    "Space",
    "each_of_few",
    "is_being_born",
    "is_marked",
    "list_workspace",
    "open_space",
    "read_matching",
    "read_state_point",
    "state_point_in",
    "workspace_problem",
]

_T = TypeVar("_T")

_ROUNDS = 3
_LOOKS = 20
_BIRTH_SECONDS = 60
_PACKED_AT_ONCE = 4096
_FIRST_WAIT = 0.001  # seconds, doubled each time
_WAITS, _FEW_WAITS = 8, 6
_MOST_WAITED_FOR = 50
_waited_in_vain = 0
"""Directories that were looked into again in vain since that last helped."""


def read_state_point(directory: str, job_id: str) -> dict[str, Any]:
    """State point of a job, checked against its id (open, read, close).

    Raises FileNotFoundError if there is no such directory; JobsCorruptedError if the state point is missing, not
    readable, or not the one of ``job_id``.
    """
    path = os.path.join(directory, layout.FN_STATE_POINT)
    try:
        state_point = read_matching(path, job_id)
        if state_point is not None:
            return state_point
    except FileNotFoundError:
        pass
    except OSError as error:
        raise JobsCorruptedError([job_id]) from error
    return _read_changing_state_point(directory, job_id)


def _read_changing_state_point(directory: str, job_id: str) -> dict[str, Any]:
    """State point of a job whose state point file is not the right one: a change may be under way, or was stopped.

    The directory may be renamed, and may come back, at any moment: it is held by a descriptor. It is damaged only if
    nothing has happened to it while it was looked into; and, as signac 2.x has no state point in the directory, or an
    empty file, during some of its steps, if that lasts.
    """
    global _waited_in_vain
    waits: int | None = None
    waited = 0
    for _ in range(_LOOKS):
        before = _changes_of(directory)
        state_point = _look_for_state_point(directory, job_id)
        if state_point is not None:
            if waited:
                _waited_in_vain = 0
            return state_point
        if waits is None:
            waits = _waits(directory)
        if waited < waits:
            _sleep(_FIRST_WAIT * 2**waited)
            waited += 1
        elif _changes_of(directory) == before:
            break
    if waited:
        _waited_in_vain += 1
    raise JobsCorruptedError([job_id])


def _changes_of(directory: str) -> tuple[int, ...]:
    """What tells that something has happened to a directory or to its state point file."""
    found: tuple[int, ...] = ()
    for path in (directory, os.path.join(directory, layout.FN_STATE_POINT)):
        with suppress(OSError):
            status = os.stat(path)
            found += status.st_ino, status.st_size, status.st_ctime_ns
    return found


def _waits(directory: str) -> int:
    """How often a directory is looked into again, because signac 2.x seems to be at work in it.

    It renames the state point to a backup, then the directory, deletes the backup, creates the file of the new state
    point, and writes into it.
    """
    try:
        if _waited_in_vain >= _MOST_WAITED_FOR or not _is_young(directory):  # so many are not being changed
            return 0
        names = os.listdir(directory)
        if layout.FN_STATE_POINT in names:
            return _WAITS if os.stat(os.path.join(directory, layout.FN_STATE_POINT)).st_size == 0 else 0
    except OSError:
        return 0
    return _WAITS if layout.FN_STATE_POINT_BACKUP in names else _FEW_WAITS


def _look_for_state_point(directory: str, job_id: str) -> dict[str, Any] | None:
    """State point of a job, wherever it is while it is changed; None if there is none, and nothing happens."""
    try:
        for _ in range(_LOOKS):
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                before = os.fstat(fd)
                state_point = _find_state_point(fd, job_id)
                if state_point is not None:
                    return state_point
                after, named = os.fstat(fd), os.stat(directory)
            finally:
                files.close_after_work(fd)
            if before.st_ctime_ns == after.st_ctime_ns and (after.st_ino, after.st_dev) == (named.st_ino, named.st_dev):
                break
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), directory) from None
    except OSError as error:
        raise JobsCorruptedError([job_id]) from error
    if is_marked(directory):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), directory)
    return None


def _find_state_point(directory: int, job_id: str) -> dict[str, Any] | None:
    """State point of a job in one of the files of its directory, an open one, that may hold it."""
    names = [layout.pending_name(job_id), layout.FN_STATE_POINT] * _ROUNDS
    for name in [*names, layout.FN_STATE_POINT_BACKUP]:  # which signac 2.x leaves, stopped in its own protocol
        with suppress(FileNotFoundError):
            state_point = read_matching(name, job_id, dir_fd=directory)
            if state_point is not None:
                return state_point
    return None


def is_being_born(directory: str) -> bool:
    """Tell whether a directory is so young, and holds so little, that its creator may still be at work.

    signac 2.x makes the directory first and writes the state point into it; when it changes one, it renames the
    directory with a backup of the old one in it.
    """
    try:
        if not _is_young(directory):
            return False
        names = os.listdir(directory)
        changing = layout.FN_STATE_POINT_BACKUP in names and layout.FN_STATE_POINT not in names
        return changing or all(map(layout.is_hidden_file, names))
    except FileNotFoundError:
        return True  # it has gone altogether: no job, and no damage
    except OSError:
        return False


def _is_young(directory: str) -> bool:
    return abs(_now() - os.stat(directory).st_mtime) < _BIRTH_SECONDS


def is_marked(directory: str) -> bool:
    """Tell whether a directory is that of a job whose removal has begun, and which could not be renamed.

    A link to such a directory is none: what it leads to is not ours to delete.
    """
    if not os.path.lexists(os.path.join(directory, layout.FN_REMOVED)):
        return False
    return not os.path.lexists(os.path.join(directory, layout.FN_STATE_POINT)) and not os.path.islink(directory)


OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe in the place of a file does not block


class Listing:
    """One listing of a workspace: the names of directories in the order of the file system, and of what else is there.

    Names take much memory; :meth:`pack` is for those who keep a listing that they will hardly look into again.
    """

    __slots__ = ("_entries", "_names", "_packed", "monotonic", "number", "others", "status", "wall_ns")

    def __init__(
        self, entries: list[str], others: list[str], status: os.stat_result | None, wall_ns: int, monotonic: float
    ) -> None:
        self._entries = entries
        self._packed: bytearray | None = None
        self.number = len(entries)
        self.others = others
        self.status = status
        self.wall_ns = wall_ns
        self.monotonic = monotonic
        self._names: list[str] | None = None

    @property
    def entries(self) -> list[str]:
        """The directories, in the order of the file system."""
        if self._packed is None:
            return self._entries
        return self._packed.hex(" ", layout.JOB_ID_LENGTH // 2).split()

    @property
    def packed(self) -> bytes:
        """The directories, if all are job ids, 16 bytes each, in the order of the file system."""
        return bytes.fromhex("".join(self._entries)) if self._packed is None else bytes(self._packed)

    def pack(self) -> None:
        """Keep the names in a fifth of the memory, if all are job ids."""
        if set(map(len, self._entries)) != {layout.JOB_ID_LENGTH}:
            return
        packed = bytearray()
        for start in range(0, self.number, _PACKED_AT_ONCE):
            digits = "".join(self._entries[start : start + _PACKED_AT_ONCE])
            try:
                some = bytes.fromhex(digits)
            except ValueError:
                return
            if some.hex() != digits:
                return
            packed += some
        self._packed, self._entries, self._names = packed, [], None

    @property
    def names(self) -> list[str]:
        """The directories that count as jobs by the rule of signac 2.x (their first 32 characters), sorted."""
        if self._names is None:
            names = sorted(layout.job_directories(self.entries))
            twice = any(map(eq, names, islice(names, 1, None)))  # some file systems do that while entries come and go
            self._names = list(dict.fromkeys(names)) if twice else names
        return self._names


class Moment:
    """What one look at a project has shown, which answers all questions about its jobs as long as the moment lasts.

    ``index`` belongs to `catalog`, which opens it: None before that, and where there is none that can be used.
    ``at_end`` is what it leaves to be done; it is told whether somebody has interrupted the program and waits.
    """

    __slots__ = ("_space", "at_end", "has_opened_index", "index", "listing")

    def __init__(self, space: Space) -> None:
        self._space = space
        self.listing: Listing | None = None
        self.index: Any = None
        self.has_opened_index = False
        self.at_end: Callable[[bool], None] | None = None

    def __enter__(self) -> None:
        if self._space.moment is None:
            self._space.moment = self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if self._space.moment is self:
            self._space.moment = None
            if self.at_end is not None:
                self.at_end(kind is not None and not issubclass(kind, Exception))


class Space:
    """A project as the rooms of the library see it: where its jobs are, and which state points are in memory.

    A state point in memory is that of the job for ever: it must not be changed. ``expected`` are the jobs whose
    state points may be asked for one by one.
    """

    __slots__ = (
        "ahead",
        "awaited",
        "document_name",
        "durable",
        "expected",
        "is_loaded",
        "known",
        "looks",
        "lookups",
        "moment",
        "now",
        "reads",
        "root",
        "sound_ids",
        "workspace",
    )

    def __init__(
        self,
        root: str,
        *,
        workspace: str | None = None,
        document_name: str = layout.FN_PROJECT_DOCUMENT,
        durable: bool = False,
    ) -> None:
        self.root = root
        self.workspace = workspace or f"{root.rstrip('/')}/{layout.WORKSPACE}"
        self.document_name = document_name
        self.durable = durable
        self.known: dict[str, dict[str, Any]] = {}
        self.now: dict[str, bytes | str] = {}  # texts from the index, for the moment only, see `lookups.parsed`
        self.sound_ids: Collection[str] = ()  # of state points from the index, which does not take keys with dots
        self.is_loaded = False  # whether index or cache file have been taken into memory
        self.expected: Sequence[str] = ()
        self.ahead: tuple[Any, ...] = ()  # of the room `lookups`, too: what reads the jobs of loops ahead
        self.awaited: list[list[str]] | None = None  # takes the next listing for an iteration that has not begun
        self.moment: Moment | None = None
        self.reads = 0  # of single state points, which nobody has announced
        self.looks = 0  # at single jobs that were named by their ids
        self.lookups: Any = None  # belongs to the room of that name, which takes over where they are many

    def twin(self) -> Space:
        """The same project, with nothing in memory."""
        return Space(self.root, workspace=self.workspace, document_name=self.document_name, durable=self.durable)

    def one_moment(self) -> Moment:
        """In a ``with`` block, let the first listing of the workspace and the first opening of the index serve all.

        Which jobs there are does not change within it, whatever happens in the workspace meanwhile. So it is for
        whoever asks several things in a row that have to fit together, and then nothing: not for what waits for
        somebody, and not for what creates, moves or removes jobs. A block within another one is part of that.
        """
        return Moment(self)

    def path(self, name: str) -> str:
        """Path of a file in the project directory."""
        return os.path.join(self.root, name)

    def job_path(self, job_id: str) -> str:
        """Path of a job directory."""
        return f"{self.workspace}/{job_id}"

    def has(self, job_id: str) -> bool:
        """Tell whether there is a job with this id (one stat)."""
        return files.is_directory(f"{self.workspace}/{job_id}")

    def remember(self, job_id: str, state_point: dict[str, Any]) -> None:
        """Keep a state point in memory."""
        self.known[job_id] = state_point

    def load(self, state_points: dict[str, dict[str, Any]], *, indexed: bool = False) -> None:
        """Keep the state points of all jobs in memory, from the index or from the cache file."""
        if indexed:
            self.sound_ids = state_points.keys()
        self.known.update(state_points)
        self.is_loaded = indexed or bool(state_points)

    def remember_indexed(self, state_points: dict[str, dict[str, Any]]) -> None:
        """Keep the state points of some jobs in memory, from the index."""
        self.sound_ids = {*self.sound_ids, *state_points}
        self.known.update(state_points)

    def forget_indexed(self) -> None:
        """Forget what the index has said."""
        for job_id in self.sound_ids:
            self.known.pop(job_id, None)
        self.sound_ids = ()
        self.now.clear()

    def expect(self, ids: Sequence[str]) -> None:
        """Announce that the state points of some jobs may be asked for one by one."""
        if len(ids) > len(self.expected):
            self.expected = ids

    def look_again(self) -> None:
        """Believe nothing that was found out about single jobs: one of them has gone."""
        if self.lookups is not None:
            self.lookups.forget()

    def read(self, job_id: str) -> dict[str, Any]:
        """State point of a job, read from its file whatever is in memory.

        Raises JobsCorruptedError if it cannot be read, is not the one of the job, or there is no job.
        """
        try:
            state_point = read_state_point(f"{self.workspace}/{job_id}", job_id)
        except FileNotFoundError:
            raise JobsCorruptedError([job_id]) from None
        self.known[job_id] = state_point
        return state_point


def open_space(path: str | None = None) -> Space:
    """Space of the project that an absolute path is in, by default the working directory; nothing is created.

    Raises LookupError, IncompatibleSchemaVersion, ConfigError as `config.root_above`.
    """
    root, settings = config.root_above(path)
    config.check_schema_version(settings, root)
    return Space(root, durable=config.durable(settings))


def workspace_problem(workspace: str) -> str:
    """What is wrong with the place of a workspace that is no directory."""
    try:
        return f"The workspace is a link to '{os.readlink(workspace)}', where no directory is"
    except FileNotFoundError:
        return "The workspace does not exist"
    except OSError:
        return "The workspace is no directory"


def each_of_few(
    space: Space, ids: Sequence[str], name: str, function: Callable[[str, str, int | None], _T]
) -> Iterator[_T]:
    """Apply a function to one file of each job, in order; for many, `parallel.each_file` is faster."""
    return (function(job_id, f"{space.workspace}/{job_id}/{name}", None) for job_id in ids)


def list_workspace(space: Space) -> Listing:
    """List the workspace (open, fstat, listing, fstat, close), in one moment once.

    A job that changes its id while the listing is under way could appear under both ids; when the directory changed
    meanwhile, only the names that a second listing confirms are returned. A missing workspace has no jobs.

    Raises WorkspaceError if the workspace cannot be read.
    """
    moment = space.moment
    if moment is not None and moment.listing is not None:
        return moment.listing
    try:
        listing = _list_directory(space.workspace)
    except FileNotFoundError:
        target = os.readlink(space.workspace)
        raise WorkspaceError(
            f"The link '{space.workspace}' pointing to the workspace is broken: '{target}' does not exist."
        ) from None
    except OSError as error:
        raise WorkspaceError(error) from error
    if moment is not None:
        moment.listing = listing
    return listing


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


def read_matching(path: str, job_id: str, *, dir_fd: int | None = None) -> dict[str, Any] | None:
    """State point in the file ``path`` if it is the one of ``job_id``; None when it is another or not readable as one.

    Raises OSError if the file cannot be read.
    """
    return state_point_in(files.read_bytes(path, dir_fd=dir_fd), job_id)


def state_point_in(text: bytes, job_id: str) -> dict[str, Any] | None:
    """State point in a text if it is the one of a job."""
    try:
        state_point = canonical.loads(text)
    except ValueError:
        return None
    return state_point if canonical.state_point_matches(state_point, job_id) else None
