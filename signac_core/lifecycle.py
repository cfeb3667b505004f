"""How jobs come to be, change their ids, are moved and go.

This is the protocol that keeps a workspace whole while many processes work in it and are killed at any moment.

*Publication.* A job is built under a hidden name inside the workspace, its state point in it, and renamed to its id.

*State point change.* Under the lock of the job: (1) write ``._signac_next_<new id>.json`` into the job directory,
(2) close it, (3) rename the directory to the new id, (4) rename the file over ``signac_statepoint.json``. A reader that
finds a state point which is not the one the directory is named after looks for the file of step 1 under the name of the
directory. Stopped after any step, the job is the old one or the new one, with all its data.

When the last step fails, the steps before it are taken back.

*Removal.* Under the lock, one rename to a hidden name, and the state point file goes; the deletion comes after.
A directory that cannot be renamed (overlayfs: one of a lower layer) gets a mark instead, before its state point file
goes, and is deleted with the mark last: without a state point file, beside a mark, there is no job. A state point
change is a copy there, which is published before the job is removed.

*Move.* Under the lock, one rename, and the state point file is written anew. Whoever has opened that file before any of
this happened, and gets its lock after it, sees that it has no name any more, and opens the one that is there now.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import canonical, files, layout
from .errors import DestinationExistsError, JobsCorruptedError
from .workspace import is_marked, read_matching, read_state_point

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .locks import Lock
    from .workspace import Space

    ByCopy = Callable[[str, str, str, bytes, bool], None]

__all__ = [
    "change_state_point",
    "create_job",
    "finish_removal",
    "finish_state_point_change",
    "lock",
    "lock_if_possible",
    "move_directory",
    "publish",
    "publish_directory",
    "refuse_link",
    "remove",
    "set_aside",
]


def publish(workspace: str, job_id: str, text: bytes, *, force: bool = False, durable: bool = False) -> bool:
    """Make sure that a whole job exists (new: failed open, mkdir, open, write, close, rename; existing: three calls).

    ``text`` is the content of its state point file; ``force`` replaces one that is damaged or that of another job. A
    missing workspace is created. True if the job was created, False if it existed.

    Raises JobsCorruptedError if the directory holds a state point that is not the one of ``job_id``, unless ``force``;
    FileExistsError if something that is not a directory stands in the place of the job or of the workspace. After an
    OSError nothing is left behind.
    """
    target = os.path.join(workspace, job_id)
    path = os.path.join(target, layout.FN_STATE_POINT)
    while True:
        if _is_whole(target, path, job_id, force=force):
            return False
        temporary = os.path.join(workspace, layout.building_name(job_id))
        try:
            files.write_directory(temporary, {layout.FN_STATE_POINT: text}, durable=durable)
        except FileNotFoundError:
            files.ensure_directory(workspace, durable=durable)
            continue
        except OSError as error:
            error.filename = target
            raise
        try:
            os.rename(temporary, target)
        except OSError as error:
            try:
                is_complete = _complete(target, temporary, error, force=force, durable=durable)
            finally:
                files.delete_tree(temporary)
            if not is_complete:
                continue
        if durable:
            files.sync_directory(workspace)
        return True


def _complete(target: str, temporary: str, error: OSError, *, force: bool, durable: bool) -> bool:
    """Give a directory that stands in the place of a new job the state point file of that; False: look at it again.

    Raises ``error``, with which the new job could not be renamed, unless there is such a directory.
    """
    if not files.is_occupied(error, target):
        files.set_path(error, target)
        raise error
    # Another process was faster, or a directory without a (valid) state point waits for one.
    if os.path.islink(target) and not os.path.exists(target):
        raise FileExistsError(errno.EEXIST, "A broken link stands where the job directory belongs", target) from None
    if is_marked(target):
        finish_removal(target)
        return False
    path, written = (os.path.join(directory, layout.FN_STATE_POINT) for directory in (target, temporary))
    if force or not os.path.lexists(path):
        with suppress(FileNotFoundError):
            files.keep_mode(written, path)
            os.rename(written, path)
            if durable:
                files.sync_directory(target)
            return True
    return False


def _is_whole(target: str, path: str, job_id: str, *, force: bool) -> bool:
    """Tell whether the job exists with the right state point; False when it has to be written.

    Raises JobsCorruptedError if the state point is another or cannot be read, unless ``force``.
    """
    try:
        if read_matching(path, job_id) is not None:
            return True
        with suppress(FileNotFoundError, JobsCorruptedError):
            read_state_point(target, job_id)  # a state point change may be under way
            return True
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        raise FileExistsError(errno.EEXIST, "A file stands where the job directory belongs", target) from None
    except OSError as error:
        if not force:
            raise JobsCorruptedError([job_id]) from error
    if not force:
        raise JobsCorruptedError([job_id])
    return False


def create_job(space: Space, statepoint: Mapping[str, Any]) -> tuple[str, bool]:
    """Create the job of a state point unless it exists; its id, and whether it was created.

    Nothing is written if the state point has invalid keys or values (KeyTypeError, InvalidKeyError, TypeError). The
    other errors are those of :func:`publish`.
    """
    plain = canonical.plain_state_point(statepoint)
    job_id = canonical.calc_id(plain)
    text = canonical.dumps(plain).encode("ascii")
    return job_id, publish(space.workspace, job_id, text, durable=space.durable)


def publish_directory(workspace: str, job_id: str, temporary: str, *, durable: bool = False) -> None:
    """Rename a whole directory, built under a hidden name inside the workspace, to its job id.

    Raises DestinationExistsError if the job exists; the temporary directory is left to the caller.
    """
    target = f"{workspace}/{job_id}"
    try:
        os.rename(temporary, target)
    except OSError as error:
        if files.is_occupied(error, target):
            raise DestinationExistsError(job_id) from None
        raise
    if durable:
        files.sync_directory(workspace)


def lock(directory: str) -> AbstractContextManager[Lock | None]:
    """Lock of a job, for a ``with`` block: entered, it takes the lock; left, it gives it back."""
    from .locks import Lock, let_go  # queries and creation do not pay for it

    let_go(directory)
    return Lock(f"{directory}/{layout.FN_STATE_POINT}")


def lock_if_possible(directory: str) -> Lock:
    """Lock of a job, taken already, for a ``with`` block; a damaged job without a state point file has none to take.

    Raises FileNotFoundError if there is no such directory.
    """
    from .locks import acquire, let_go

    let_go(directory)
    return acquire(f"{directory}/{layout.FN_STATE_POINT}", directory)


def change_state_point(
    workspace: str, old_id: str, new_id: str, text: bytes, *, by_copy: ByCopy | None = None, durable: bool = False
) -> None:
    """Turn the job ``old_id`` into the job ``new_id``, which is another, with all its data.

    ``text`` is the content of the new state point file. Where the directory cannot be renamed (overlayfs), ``by_copy``
    does it.

    Raises FileNotFoundError if the job does not exist (any more); DestinationExistsError if a job ``new_id`` exists;
    nothing is changed then. After an OSError the job is the old one, or the error says that the new one may not survive
    a power loss as was asked for.
    """
    source = os.path.join(workspace, old_id)
    target = os.path.join(workspace, new_id)
    with lock(source) as held:
        finish_state_point_change(source, old_id, durable=durable)
        pending = os.path.join(source, layout.pending_name(new_id))
        # It gets the mode of the file that it is going to replace. There may be one of a change that was stopped.
        replaced = (held and held.status) or files.status_of(os.path.join(source, layout.FN_STATE_POINT))
        files.replace_file(pending, text, durable=durable, replaced=replaced)
        try:
            os.rename(source, target)
        except OSError as error:
            if error.errno == errno.EXDEV and by_copy is not None:
                by_copy(source, target, new_id, text, durable)
                return
            with suppress(OSError):
                os.unlink(pending)
            if files.is_occupied(error, target):
                raise DestinationExistsError(new_id) from None
            raise
        try:
            _put_in_place(target, new_id, text, durable=durable)
        except OSError:
            if _take_back(source, target, new_id):
                raise
            return  # the job is the new one, and whoever locks it next does the last step
        if durable:
            try:
                files.sync_directory(target)
                files.sync_directory(workspace)
            except OSError as error:
                error.strerror = f"The job is {new_id} now, but this may not survive a power loss: {error.strerror}"
                raise


def _put_in_place(directory: str, job_id: str, text: bytes, *, durable: bool) -> None:
    """Do the last step of a state point change.

    Where locks do not exclude anybody, others may have done it, may have taken the file away, and may have changed the
    state point again.
    """
    path = os.path.join(directory, layout.FN_STATE_POINT)
    try:
        os.rename(os.path.join(directory, layout.pending_name(job_id)), path)
    except FileNotFoundError:
        with suppress(FileNotFoundError):
            if _lacks(path, job_id):
                files.replace_file(path, text, durable=durable)


def _take_back(source: str, target: str, new_id: str) -> bool:
    """Take back a state point change whose last step failed; False if that is not possible either."""
    try:
        os.rename(target, source)
    except OSError:
        return False
    with suppress(OSError):  # without its directory it means nothing
        os.unlink(os.path.join(source, layout.pending_name(new_id)))
    return True


def _lacks(path: str, job_id: str) -> bool:
    """Tell whether a file is missing, or holds another state point than that of a job."""
    try:
        return read_matching(path, job_id) is None
    except FileNotFoundError:
        return True


def finish_state_point_change(directory: str, job_id: str, *, durable: bool = False) -> bool:
    """Do the last step of a state point change that was stopped before it, if one was.

    The caller holds the lock of the job.
    """
    path = os.path.join(directory, layout.FN_STATE_POINT)
    pending = os.path.join(directory, layout.pending_name(job_id))
    if not _lacks(path, job_id) or _lacks(pending, job_id):
        return False
    with suppress(FileNotFoundError):
        os.rename(pending, path)
        if durable:
            files.sync_directory(directory)
        return True
    return False


def remove(workspace: str, job_id: str, *, keep: Callable[[bytes], None] | None = None) -> bool:
    """Delete a job, if there is one: one rename under its lock, after which no listing shows it, then the deletion.

    Of calls that a network sees it takes what signac 2.4.1 takes (the directory is opened instead of looked up, each
    file and the directory are deleted) without a listing, if the last two jobs held files of the same names; and for
    the safety of the data three or four (open, lock and perhaps unlock the state point file, rename). ``keep`` is given
    what is in the state point file, before it goes, without a call more.

    ValueError if ``job_id`` is none. OSError if the directory cannot be renamed or is a link (the job is intact then),
    or if something in it cannot be deleted (the job is gone from the workspace, the rest is hidden and deleted by the
    next ``check --repair``).
    """
    layout.check_job_directory(job_id)
    source = f"{workspace}/{job_id}"
    directory = _open_to_remove(source)
    try:
        try:
            with lock_if_possible(source) as held:
                if keep is not None:
                    keep(held.content())
                aside = set_aside(workspace, job_id)
                held.release_deleted()
        except NotADirectoryError:  # a file in the place of a job
            aside = set_aside(workspace, job_id)
        except FileNotFoundError:
            return False
        if directory is None or not _delete_by_descriptor(directory, aside):
            finish_removal(aside)
    finally:
        if directory is not None:
            files.close_after_work(directory)
    return True


def _open_to_remove(directory: str) -> int | None:
    """Open the directory of a job that is to be removed; None if that is not possible, but it may be removed.

    Raises OSError if it is a link.
    """
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        refuse_link(directory, "its data would stay there. Remove them, then the link")
        return None


def refuse_link(directory: str, reason: str) -> None:
    """Make sure that a job directory is not a link to one, whether it leads anywhere or not.

    ``reason`` ends a sentence about the link: why it will not do, and what to do.
    """
    try:
        target = os.readlink(directory)
    except OSError:
        return
    raise OSError(errno.ELOOP, f"The job directory is a link to '{target}', and {reason}", directory)


def set_aside(workspace: str, job_id: str) -> str:
    """Take a job out of the workspace by one rename, its lock being held, and delete its state point file.

    Where the directory cannot be renamed, it gets a mark first; see the module. The result is what
    :func:`finish_removal` is to delete now.
    """
    source = f"{workspace}/{job_id}"
    aside = f"{workspace}/{layout.removed_name(job_id)}"
    try:
        os.rename(source, aside)
    except OSError as error:
        if error.errno != errno.EXDEV or os.path.islink(source):
            raise
        _mark(source, job_id)
        return source
    try:  # noqa: SIM105  # a suppress() takes longer than the call
        # Whoever waits for its lock, or has just opened it, shall see that it has gone.
        os.unlink(f"{aside}/{layout.FN_STATE_POINT}")
    except OSError:
        pass
    return aside


def _mark(directory: str, job_id: str) -> None:
    """Take a job out of the workspace whose directory cannot be renamed, its lock being held."""
    finish_state_point_change(directory, job_id)
    with suppress(FileExistsError):  # of a removal that was stopped
        files.write_file(os.path.join(directory, layout.FN_REMOVED), b"")
    rescues = (layout.pending_name(job_id), layout.FN_STATE_POINT_BACKUP)
    for name in (*rescues, layout.FN_STATE_POINT, layout.FN_DOCUMENT):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(directory, name))


_last_names: frozenset[str] | None = None
"""What the last job held that was removed, beside its state point, if these were a few files."""
_usual_names: frozenset[str] | None = None
"""The same, if the one before held the same: then the next one most likely does, and need not be listed."""
_FEW_NAMES = 8


def _delete_by_descriptor(directory: int, aside: str) -> bool:
    """Delete a job that has been set aside, whose directory is open; False if :func:`finish_removal` has to do it.

    The directory might have been another one when it was opened: only one of the name that was made up here is.
    """
    global _usual_names
    name = aside.rpartition("/")[2]
    try:
        is_it = name.startswith(layout.PREFIX_REMOVED) and os.readlink(f"/proc/self/fd/{directory}").endswith(name)
        if not is_it:
            return False
        if (usual := _usual_names) is not None:
            try:
                for file in usual:
                    os.unlink(file, dir_fd=directory)
                os.rmdir(aside)
            except OSError:
                _usual_names = None
            else:
                return True
        _delete_listed(directory)
        os.rmdir(aside)
    except OSError:
        return False
    return True


def _delete_listed(directory: int) -> None:
    """Delete what a listing shows in an open directory, and remember it."""
    global _last_names, _usual_names
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    is_usual = len(found) <= _FEW_NAMES and not any(is_directory for _, is_directory in found)
    names = frozenset(name for name, _ in found) if is_usual else None
    _usual_names = names if names == _last_names else None
    _last_names = names
    for name, is_directory in found:
        if is_directory:
            files.delete_tree(name, dir_fd=directory)
        else:
            os.unlink(name, dir_fd=directory)


def finish_removal(aside: str) -> None:
    """Delete a job that has been taken out of the workspace, by the path that :func:`set_aside` gave."""
    if not os.path.basename(aside).startswith(layout.PREFIX_REMOVED):
        with suppress(FileNotFoundError):
            for name in os.listdir(aside):
                if name != layout.FN_REMOVED:  # as long as it is there, there is no job
                    files.delete_tree(os.path.join(aside, name))
    files.delete_tree(aside)


def move_directory(source: str, workspace: str, name: str, *, job_id: str | None = None, durable: bool = False) -> None:
    """Move a job directory to another place on the same file system, under its lock.

    ``name`` is what it is called in the directory ``workspace``: the id of the job, or a path of the user's. ``job_id``
    is given if it is called otherwise: nobody would know then what a pending state point is about.

    Raises DestinationExistsError if there is something of that name; OSError with ``EXDEV`` if the place is on another
    file system.
    """
    _refuse_relative_link(source)
    with lock_if_possible(source) as held:
        if job_id is not None:
            finish_state_point_change(source, job_id, durable=durable)
        try:
            publish_directory(workspace, name, source, durable=durable)
        except FileNotFoundError:
            if not files.is_directory(source):
                raise
            files.ensure_directory(workspace, durable=durable)
            publish_directory(workspace, name, source, durable=durable)
        with suppress(OSError):  # the job is where it should be
            _renew(f"{workspace}/{name}/{layout.FN_STATE_POINT}", held, durable=durable)


def _refuse_relative_link(directory: str) -> None:
    if os.path.islink(directory) and not os.path.isabs(os.readlink(directory)):
        refuse_link(directory, "would lead elsewhere from another place. Make it absolute, then move it")


def _renew(path: str, held: Lock, *, durable: bool) -> None:
    """Write a state point file anew, the lock on it being held: who has opened it before sees that it has moved."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return
    text = held.content() if held.is_on(status) else b""
    if not text or len(text) != status.st_size:
        text, status = files.read_with_status(path)
    files.replace_file(path, text, durable=durable, replaced=status)
