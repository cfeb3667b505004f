"""A job directory gets to another place as a whole: after any failure it is there, or it is not.

*Our own copy* is built under a hidden name beside its destination, its state point last, and renamed. *A move* is one
rename, directly to the destination; where the system cannot rename, it is our own copy, which is compared with the
source under the lock of the job before the source goes. *A function of the user's* copies to a hidden name as well;
what it leaves there when it fails stays, because it may be the only copy.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from .. import canonical, files, layout, lifecycle, workspace
from ..errors import DestinationExistsError, JobsCorruptedError
from ..layout import is_leftover
from . import links
from .duplicating import copy_directory, not_too_deep
from .links import LeftOut, Verdict, Way

__all__ = [
    "CopyTree",
    "StatePointFile",
    "bring",
    "change_by_copy",
    "is_moved",
    "is_own_copy",
    "is_same",
    "is_stopped_change",
    "is_unfinished",
    "move_by_copy",
    "moves_by_copy",
    "naming_the_job",
    "publish",
    "rehearse",
    "state_point_file",
    "state_point_text",
    "sync_tree",
]

CopyTree = Callable[[str, str], Any]

_ATTEMPTS = 3  # how often a job is copied anew because others keep writing to it while it is moved


def is_own_copy(copytree: CopyTree | None) -> bool:
    """Tell whether copying is left to us: no function, or the one that does what we do."""
    return copytree is None or copytree is _of_shutil("copytree")


def _is_move(copytree: CopyTree | None) -> bool:
    """Tell whether a function is known to move directories instead of copying them."""
    return copytree is not None and copytree in (os.replace, os.rename, _of_shutil("move"))


def _of_shutil(name: str) -> object:
    """A function of shutil, for comparison: unless somebody has imported the module, nobody can have passed one."""
    return getattr(sys.modules.get("shutil"), name, None)


def is_unfinished(name: str) -> bool:
    """Tell whether a directory name is that of a copy under way, or of what is left of one that was stopped."""
    return name.startswith((layout.PREFIX_NEW, layout.PREFIX_REMOVED, layout.PREFIX_COPY))


class StatePointFile(NamedTuple):
    """The state point file of a job, for copies of it.

    Parameters
    ----------
    text : bytes
        Its content.
    status : os.stat_result or None
        What it is like, if the content is that of the file.
    state_point : dict
        The state point.
    """

    text: bytes
    status: os.stat_result | None
    state_point: dict[str, Any]


def state_point_text(directory: str, job_id: str) -> bytes:
    """Content for the state point file of a copy, see :func:`state_point_file`."""
    return state_point_file(directory, job_id).text


def state_point_file(directory: str, job_id: str) -> StatePointFile:
    """What the state point file of a copy is to be: that of the job, which may be about to be replaced.

    It takes open, fstat, read, close if no change of the job is under way.

    Raises FileNotFoundError if there is no such job; JobsCorruptedError if its state point is damaged.
    """
    try:
        text, status = files.read_with_status(f"{directory}/{layout.FN_STATE_POINT}")
        state_point = workspace.state_point_in(text, job_id)
        if state_point is not None:
            return StatePointFile(text, status, state_point)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise JobsCorruptedError([job_id]) from error
    state_point = workspace.read_state_point(directory, job_id)
    return StatePointFile(canonical.dumps(state_point).encode("ascii"), None, state_point)


def bring(
    source: str,
    destination: str,
    *,
    name: str,
    state_point: bytes,
    status: os.stat_result | None = None,
    copytree: CopyTree | None = None,
    disposable: bool = False,
    durable: bool = False,
    left_out: LeftOut = links.warn,
) -> None:
    """Copy or move a directory to where it becomes visible as a whole, with the given state point file in it.

    ``status`` is that of the state point file of the source, if it is known.

    ``name``, the job id, is part of the hidden name of the copy. The directory above the destination is created if need
    be; an empty directory in the place of the destination is replaced. A ``copytree`` function copies the state point
    file of the source if there is one. It is ``disposable`` if it only copies, so that what it leaves when it is
    stopped may be deleted. ``left_out`` is called with each link that our own copy leaves out, see :mod:`links`.

    Raises FileExistsError if the destination exists; the source is untouched then. After any other error there is no
    destination.
    """
    above = os.path.dirname(destination) or "."
    if _is_move(copytree):
        files.ensure_directory(above, durable=durable)
        try:
            _move(source, destination, name, state_point, durable=durable)
        except OSError as error:
            if error.errno != errno.EXDEV or not moves_by_copy(copytree):
                raise
            move_by_copy(source, destination, name=name, state_point=state_point, durable=durable)
        return
    own = copytree is None or is_own_copy(copytree)
    disposable = disposable or own
    hidden = layout.building_name(name) if disposable else layout.copying_name(name)
    temporary = f"{above}/{hidden}"
    try:
        if copytree is None or own:
            _copy_below(above, source, temporary, state_point, left_out, status=status, durable=durable)
        else:
            files.ensure_directory(above, durable=durable)
            copytree(source, temporary)
            if not os.path.lexists(os.path.join(temporary, layout.FN_STATE_POINT)):
                files.write_file(os.path.join(temporary, layout.FN_STATE_POINT), state_point, durable=durable)
        publish(temporary, destination, durable=durable)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == temporary:
            files.set_path(error, destination)
        if disposable:
            with suppress(OSError):  # the error that led here matters more
                files.delete_tree(temporary)
        elif os.path.lexists(temporary):
            error.add_note(f"What was copied is in '{temporary}'.")
        raise


def _copy_below(
    above: str,
    source: str,
    temporary: str,
    state_point: bytes,
    left_out: LeftOut,
    *,
    status: os.stat_result | None,
    durable: bool,
) -> None:
    """Copy a directory into another one, which is made if it is not there."""
    try:
        _copy(source, temporary, state_point, left_out, status=status, durable=durable)
    except (FileNotFoundError, NotADirectoryError) as error:
        if error.filename != temporary:
            raise
        files.ensure_directory(above, durable=durable)
        _copy(source, temporary, state_point, left_out, status=status, durable=durable)


@contextmanager
def naming_the_job(destination: str, job_id: str) -> Iterator[None]:
    """Context manager for what gives a job its directory: that there is one already is an error about the job.

    Raises DestinationExistsError then.
    """
    try:
        yield
    except FileExistsError as error:
        if error.filename != destination:
            raise
        raise DestinationExistsError(job_id) from None


def publish(temporary: str, destination: str, *, durable: bool = False) -> None:
    """Rename a whole directory to its destination; an empty directory there is replaced.

    Raises FileExistsError if the destination exists otherwise.
    """
    try:
        os.rename(temporary, destination)
    except OSError as error:
        if files.is_occupied(error, destination):
            raise _occupied(destination) from None
        raise
    if durable:
        files.sync_directory(os.path.dirname(destination) or ".")


def _move(source: str, destination: str, name: str, state_point: bytes, *, durable: bool) -> None:
    """Rename a directory, under its lock, so that no document is written meanwhile."""
    path = os.path.join(source, layout.FN_STATE_POINT)
    if not os.path.lexists(path):
        files.replace_file(path, state_point, durable=durable, replaced=None)
    above, called = os.path.split(destination)
    try:
        lifecycle.move_directory(source, above or ".", called, job_id=name, durable=durable)
    except DestinationExistsError:
        raise _occupied(destination) from None


def move_by_copy(source: str, destination: str, *, name: str, state_point: bytes, durable: bool = False) -> None:
    """Move a job directory to where it cannot be renamed to: copy, compare, publish, and only then delete the source.

    From the comparison to the moment when the source has gone the lock of the job is held: what others write to its
    document before is in the copy, or there is none; after that there is no job for them to write to. A whole copy that
    a move that was stopped has left at the destination counts as ours. The directory above the destination exists.

    Raises FileExistsError if the destination exists and holds something else. After any error the source is untouched,
    or the error says that the copy is whole and the source could not be deleted.
    """
    lifecycle.refuse_link(source, "what it leads to cannot be moved from here. Move that, or clone the job")
    temporary = os.path.join(os.path.dirname(destination) or ".", layout.building_name(name))
    is_present = os.path.lexists(destination) and not _is_empty(destination)
    try:
        for attempt in range(_ATTEMPTS, 0, -1):
            if not is_present:
                _copy(source, temporary, state_point, links.warn, durable=durable, is_moved=True)
            with lifecycle.lock_if_possible(source):
                difference = _difference(source, destination if is_present else temporary, state_point)
                if difference is None:
                    if not is_present:
                        publish(temporary, destination, durable=durable)
                    aside = _set_aside(source, destination)
                    break
            if is_present:
                raise _occupied(destination)
            if attempt == 1:
                raise OSError(errno.EIO, "The copy differs from its source; the source is untouched", difference)
            files.delete_tree(temporary)  # somebody has written to the job meanwhile
    except BaseException:
        with suppress(OSError):  # the error that led here matters more
            files.delete_tree(temporary)
        raise
    with suppress(OSError):  # the job has moved; what is left is hidden, and found by check
        lifecycle.finish_removal(aside)


def change_by_copy(source: str, target: str, new_id: str, state_point: bytes, *, durable: bool = False) -> None:
    """Give a job another id whose directory cannot be renamed: copy, compare, publish, remove the source.

    The caller holds the lock of the job, and may have written the new state point into its pending file. The copy has
    one, too, until the source has gone: it tells the copy of a change that was stopped from another job. After any
    error, such as DestinationExistsError, the job is unchanged.
    """
    pending = layout.pending_name(new_id)
    temporary = os.path.join(os.path.dirname(target), layout.building_name(new_id))
    stopped = is_stopped_change(source, target, new_id, state_point)
    try:
        if not stopped:
            _copy(source, temporary, state_point, links.warn, durable=durable, is_moved=True)
            files.write_file(os.path.join(temporary, pending), state_point, durable=durable)
            difference = _difference(source, temporary, state_point)
            if difference is not None:
                raise OSError(errno.EIO, "The copy differs from its source; the source is untouched", difference)
            publish(temporary, target, durable=durable)
    except BaseException as error:
        with suppress(OSError):
            files.delete_tree(temporary)
        with suppress(OSError):
            os.unlink(os.path.join(source, pending))
        if isinstance(error, FileExistsError) and error.filename == target:
            raise DestinationExistsError(new_id) from None
        raise
    aside = _set_aside(source, target)
    with suppress(OSError):  # the job has changed; what is left is hidden, and found by check
        os.unlink(os.path.join(target, pending))
        lifecycle.finish_removal(aside)


def is_stopped_change(source: str, target: str, new_id: str, state_point: bytes) -> bool:
    """Tell whether a directory is what a stopped :func:`change_by_copy` has left: the same call does the rest then."""
    is_marked = os.path.lexists(os.path.join(target, layout.pending_name(new_id)))
    return is_marked and _difference(source, target, state_point) is None


def _set_aside(source: str, destination: str) -> str:
    above, called = os.path.split(source)
    if called in ("", ".", ".."):
        above, called = os.path.split(os.path.realpath(source))
    try:
        return lifecycle.set_aside(above or ".", called)
    except OSError as error:
        reason = f"{error.strerror}. The job is whole at '{destination}', and still here: move it again to finish it"
        raise OSError(error.errno, reason, source) from error


def _is_empty(directory: str) -> bool:
    return os.path.isdir(directory) and not os.path.islink(directory) and not os.listdir(directory)


def _occupied(destination: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "The destination exists", destination)


def is_moved(source: str, copy: str, state_point: bytes) -> bool:
    """Tell whether a directory is what a move leaves that is stopped before its last step: an exact copy of a job."""
    return _difference(source, copy, state_point) is None


def moves_by_copy(copytree: CopyTree | None) -> bool:
    """Tell whether a function moves directories to other file systems, too: there may be something to finish."""
    return copytree is not None and copytree is _of_shutil("move")


def _difference(source: str, copy: str, state_point: bytes) -> str | None:
    """What makes a directory no whole copy of a job, byte by byte and link by link: the path of it in the source.

    What is the source itself by another name, or leads back to it by links, is no copy.
    """
    path = os.path.join(source, layout.FN_STATE_POINT)
    copied = os.path.join(copy, layout.FN_STATE_POINT)
    try:
        if os.path.islink(copy) or os.path.islink(copied) or os.path.samefile(source, copy):
            return source
        if files.read_bytes(copied) != state_point:
            return path
    except (FileNotFoundError, NotADirectoryError):
        return path
    with not_too_deep(source):
        return _difference_below(source, copy, layout.FN_STATE_POINT)


def _difference_below(source: str, copy: str, without: str = "") -> str | None:
    ours, theirs = (
        {name for name in os.listdir(path) if name != without and not is_leftover(name)} for path in (source, copy)
    )
    for name in sorted(ours ^ theirs):
        return os.path.join(source, name)
    for name in sorted(ours):
        left, right = os.path.join(source, name), os.path.join(copy, name)
        if os.path.islink(left) or os.path.islink(right):
            same = os.path.islink(left) and os.path.islink(right) and os.readlink(left) == os.readlink(right)
        elif os.path.isdir(left) and os.path.isdir(right):
            if (difference := _difference_below(left, right)) is not None:
                return difference
            continue
        else:
            same = _equal_files(left, right)
        if not same:
            return left
    return None


def _equal_files(left: str, right: str, *, by_time: bool = False) -> bool:
    """Compare two files; what is none equals nothing. Equal sizes and times may be enough."""
    ours, theirs = files.status_of(left), files.status_of(right)
    if ours is None or theirs is None or not stat.S_ISREG(ours.st_mode) or not stat.S_ISREG(theirs.st_mode):
        return False
    if ours.st_size != theirs.st_size:
        return False
    return (by_time and ours.st_mtime_ns == theirs.st_mtime_ns) or files.equal_files(left, right)


def _copy(
    source: str,
    temporary: str,
    state_point: bytes,
    left_out: LeftOut,
    *,
    status: os.stat_result | None = None,
    is_moved: bool = False,
    durable: bool,
) -> None:
    """Copy a directory, whatever it takes to keep the copy."""
    copy_directory(source, temporary, state_point, left_out, status=status, is_moved=is_moved)
    if durable:
        sync_tree(temporary)


def rehearse(source: str, left_out: LeftOut) -> None:
    """Find out what copying a directory would meet (open and close per file); nothing is written.

    ``left_out`` is called with each link that would be left out. OSError if something cannot be copied.
    """
    with not_too_deep(source):
        _rehearse(Way(source), left_out, without=layout.FN_STATE_POINT)


def _rehearse(way: Way, left_out: LeftOut, *, without: str = "") -> None:
    for entry in way.entries(without):
        verdict = way.judge(entry)
        if verdict.kind == "nothing":
            left_out(entry.path, verdict.text)
        elif verdict.kind == "directory":
            _rehearse(way.below(entry), left_out)
        elif verdict.kind == "file":
            files.ensure_readable(entry.path)
        elif verdict.kind == "other":
            raise files.not_regular(entry.path)


def sync_tree(directory: str) -> None:
    """Make a directory with everything in it survive a power loss."""
    for path, _, names in os.walk(directory):
        for name in names:
            if os.path.islink(os.path.join(path, name)):
                continue
            fd = os.open(os.path.join(path, name), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                files.close_after_work(fd)
        files.sync_directory(path)


def is_same(source: str, copy: str, state_point: bytes) -> bool:
    """Tell whether a directory is a whole copy of a job: the same names, and equal files and links.

    It need not exist, and its state point file has to hold ``state_point``. Files of equal size and time are taken for
    equal; others are compared by content. Instead of a link, a copy may hold what it leads to.
    """
    try:
        if files.read_bytes(os.path.join(copy, layout.FN_STATE_POINT)) != state_point:
            return False
        with not_too_deep(source):
            return _same_tree(Way(source), copy, layout.FN_STATE_POINT)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _same_tree(way: Way, copy: str, without: str = "") -> bool:
    entries = [(entry, way.judge(entry)) for entry in way.entries(without)]
    copied = [(entry, verdict) for entry, verdict in entries if verdict.kind != "nothing"]
    names = {name for name in os.listdir(copy) if name != without and not is_leftover(name)}
    if names != {entry.name for entry, _ in copied}:
        return False
    return all(_same_entry(way, entry, verdict, os.path.join(copy, entry.name)) for entry, verdict in copied)


def _same_entry(way: Way, entry: os.DirEntry[str], verdict: Verdict, copy: str) -> bool:
    if verdict.kind == "link" and not os.path.islink(copy):
        verdict = way.judge(entry, follow=True)
    if verdict.kind == "link":
        return os.path.islink(copy) and os.readlink(copy) == verdict.text
    if verdict.kind == "directory":
        return os.path.isdir(copy) and _same_tree(way.below(entry), copy)
    return _equal_files(entry.path, copy, by_time=True)
