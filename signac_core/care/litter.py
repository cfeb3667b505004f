"""What killed processes leave behind: how it is recognised, and when it may be deleted.

Only names that this library or signac 2.x gives are recognised. Age is the time since anything about a file, or about
anything in a directory, has changed; the copy of an old file is young.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from time import time as _now

from .. import config, files, layout
from ..layout import BASE, DELTA, DOCUMENTS, is_temporary, temporary_state_points

__all__ = [
    "STALE_SECONDS",
    "among",
    "delete",
    "in_job",
    "in_project",
    "in_workspace",
]

STALE_SECONDS = 3600
"""What is older than this is not being worked on any more."""


def in_job(directory: str, *, document_is_valid: bool) -> Iterator[str]:
    """Stale files in a job with a valid state point, at any depth; links are not followed.

    If the document is not valid, what is left of writes to it may be all there is of it, and does not count. OSError if
    the job directory cannot be listed; those below it are passed over then.
    """
    with os.scandir(directory) as found:
        entries = list(found)
    yield from among(entries, directory, document_is_valid=document_is_valid)


def among(entries: Iterable[os.DirEntry[str]], directory: str, *, document_is_valid: bool) -> Iterator[str]:
    """Do what :func:`in_job` does with the entries of a job directory, which has been listed already."""
    entries = sorted(entries, key=lambda entry: entry.name)
    names = [entry.name for entry in entries]
    obsolete = [*temporary_state_points(names), layout.FN_STATE_POINT_BACKUP]
    obsolete += [name for name in names if is_temporary(name, layout.SYNC) or name.startswith(layout.PREFIX_NEW)]
    if document_is_valid and layout.FN_DOCUMENT in names:
        obsolete += [name for name in names if is_temporary(name, layout.FN_DOCUMENT)]
        obsolete.append(f"{layout.FN_DOCUMENT}~")  # of a stopped sync of signac 2.x, which refuses to go on with it
    for name in obsolete:
        path = os.path.join(directory, name)
        if name in names and _is_stale(path):
            yield path
    for entry in entries:
        if entry.name not in obsolete and entry.is_dir(follow_symlinks=False):
            for below in _below(entry.path):
                is_unfinished = is_temporary(below.name, layout.SYNC) and not below.is_dir(follow_symlinks=False)
                if is_unfinished and _is_stale(below.path):
                    yield below.path


def _below(directory: str) -> Iterator[os.DirEntry[str]]:
    """Entries of a directory and of those below it, however deep; links are not followed.

    What has gone, may not be looked into, or has too long a path is passed over.
    """
    directories = [directory]
    while directories:
        try:
            with os.scandir(directories.pop()) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue
        yield from entries
        directories += [entry.path for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]


def in_workspace(workspace: str) -> Iterator[str]:
    """Paths of jobs whose creation was stopped, and of jobs whose deletion was not finished."""
    for name in sorted(name for name in _names(workspace) if name.startswith(".")):
        path = os.path.join(workspace, name)
        if name.startswith(layout.PREFIX_REMOVED) or (name.startswith(layout.PREFIX_NEW) and _is_stale(path)):
            yield path


def in_project(root: str) -> Iterator[str]:
    """Paths of stale files in the project directory, in its directory of settings, and where its index is."""
    cache = os.path.basename(layout.FN_CACHE)
    derived = [os.path.basename(layout.FN_CONFIG), cache, BASE, DELTA, DOCUMENTS]
    places: list[tuple[str, list[str], list[str]]] = [
        (root, [layout.FN_PROJECT_DOCUMENT], []),
        (os.path.join(root, layout.CONFIG_DIRECTORY), derived, [f"{cache}~"]),
    ]
    elsewhere = config.index_directory()
    if elsewhere is not None:
        names = [os.path.basename(config.index_path(root, name)) for name in (BASE, DELTA, DOCUMENTS)]
        places.append((elsewhere, names, []))
    for directory, targets, others in places:
        for name in sorted(_names(directory)):
            path = os.path.join(directory, name)
            if (is_temporary(name, *targets) or name in others) and _is_stale(path):
                yield path


def delete(path: str) -> bool:
    """Delete what one of the functions above found, unless somebody has begun to work on it meanwhile; False then."""
    from ..lifecycle import finish_removal
    from ..workspace import is_marked

    if os.path.basename(path).startswith(layout.PREFIX_REMOVED) or is_marked(path):
        finish_removal(path)
        return True
    if os.path.lexists(path) and not _is_stale(path):
        return False
    files.delete_tree(path)
    return True


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _is_stale(path: str) -> bool:
    """Tell whether nothing has changed for an hour: the file, or the directory with anything in it."""
    limit = _now() - STALE_SECONDS
    waiting = [path]
    try:
        while waiting:
            path = waiting.pop()
            status = os.lstat(path)
            if max(status.st_mtime, status.st_ctime) > limit:
                return False
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(path) as entries:
                    waiting += [entry.path for entry in entries]
    except OSError:
        return False  # it has gone, or cannot be judged
    return True
