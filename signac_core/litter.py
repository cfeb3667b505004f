"""What killed processes leave behind: how it is recognised, and when it may be deleted.

Only names that this library or signac 2.x gives are recognised. Age is the time since anything about a file, or about
anything in a directory, has changed; the copy of an old file is young.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from . import files, layout

__all__ = ["STALE_SECONDS", "delete", "in_job", "in_project", "in_workspace", "is_leftover", "temporary_state_points"]

STALE_SECONDS = 3600
"""What is older than this is not being worked on any more."""

_TOKEN_LENGTHS = frozenset({16, 36})  # of this library; a UUID of signac 2.x
_TOKEN_CHARACTERS = frozenset("0123456789abcdef-")


def _target(name: str) -> str | None:
    """Name of the file that the unfinished file ``name`` was to become; None when it is no unfinished file."""
    token, separator, target = name[2:].partition("_")
    known = len(token) in _TOKEN_LENGTHS and _TOKEN_CHARACTERS.issuperset(token)
    return target if name.startswith("._") and separator and known else None


def _is_temporary(name: str, *targets: str) -> bool:
    """Tell whether ``name`` is that of an unfinished file that was to become one of ``targets``."""
    return _target(name) in targets


def is_leftover(name: str) -> bool:
    """Tell whether a name in a job is that of a file being written, or left by a writer that was killed.

    Such files are not part of the data: they are neither copied nor compared.

    Examples
    --------
    >>> is_leftover("._0123456789abcdef_signac_job_document.json"), is_leftover("._mine")
    (True, False)

    """
    return _target(name) is not None or _is_pending(name) or name.startswith(layout.PREFIX_NEW)


def _is_pending(name: str) -> bool:
    before, after = layout.pending_name("|").split("|")
    return name.startswith(before) and name.endswith(after) and layout.is_job_id(name[len(before) : -len(after)])


def temporary_state_points(names: Iterable[str]) -> list[str]:
    """Names, among those of a job directory, of files that were to become a state point file, sorted."""
    return sorted(name for name in names if _is_temporary(name, layout.FN_STATE_POINT) or _is_pending(name))


def in_job(directory: str, names: Iterable[str], *, document_is_valid: bool) -> Iterator[str]:
    """Stale files in the directory of a job with a valid state point.

    Parameters
    ----------
    directory : str
        The job directory.
    names : iterable of str
        The names of its entries.
    document_is_valid : bool
        Otherwise what is left of writes to the document may be all there is, and does not count.

    Yields
    ------
    str
        The path of each.

    """
    names = sorted(names)
    obsolete = [*temporary_state_points(names), layout.FN_STATE_POINT_BACKUP]
    obsolete += [name for name in names if _is_temporary(name, "sync") or name.startswith(layout.PREFIX_NEW)]
    if document_is_valid and layout.FN_DOCUMENT in names:
        obsolete += [name for name in names if _is_temporary(name, layout.FN_DOCUMENT)]
        obsolete.append(f"{layout.FN_DOCUMENT}~")  # of a stopped sync of signac 2.x, which refuses to go on with it
    for name in obsolete:
        path = os.path.join(directory, name)
        if name in names and _is_stale(path):
            yield path


def in_workspace(workspace: str) -> Iterator[str]:
    """Jobs whose creation was stopped, and jobs whose deletion was not finished.

    Yields
    ------
    str
        The path of each.

    """
    for name in _names(workspace):
        path = os.path.join(workspace, name)
        if name.startswith(layout.PREFIX_REMOVED) or (name.startswith(layout.PREFIX_NEW) and _is_stale(path)):
            yield path


def in_project(root: str) -> Iterator[str]:
    """Stale files in the project directory and its directory of settings.

    Yields
    ------
    str
        The path of each.

    """
    cache = os.path.basename(layout.FN_CACHE)
    for directory, targets, others in (
        (root, (layout.FN_PROJECT_DOCUMENT,), ()),
        (os.path.join(root, layout.CONFIG_DIRECTORY), (os.path.basename(layout.FN_CONFIG), cache), (f"{cache}~",)),
    ):
        for name in _names(directory):
            path = os.path.join(directory, name)
            if (_is_temporary(name, *targets) or name in others) and _is_stale(path):
                yield path


def delete(path: str) -> bool:
    """Delete litter, unless somebody has begun to work on it meanwhile.

    Parameters
    ----------
    path : str
        What one of the functions above found.

    Returns
    -------
    bool
        Whether it has gone.

    Raises
    ------
    OSError
        If it cannot be deleted.

    """
    if not os.path.basename(path).startswith(layout.PREFIX_REMOVED) and os.path.lexists(path) and not _is_stale(path):
        return False
    files.delete_tree(path)
    return True


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _is_stale(path: str) -> bool:
    """Tell whether nothing has changed for an hour: the file, or the directory with anything in it."""
    limit = _now() - STALE_SECONDS
    try:
        status = os.lstat(path)
        if max(status.st_mtime, status.st_ctime) > limit:
            return False
        if not os.path.isdir(path) or os.path.islink(path):
            return True
        with os.scandir(path) as entries:
            return all(_is_stale(entry.path) for entry in entries)
    except OSError:
        return False  # it has gone, or cannot be judged


def _now() -> float:
    import time

    return time.time()
