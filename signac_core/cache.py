"""``update-cache``: bringing the index and the cache file of signac 2.x up to date, examining them, deleting them.

Both are derived data: absent, damaged or out of date they are ignored, and written anew (see `updating`). The index
remembers size and hash of the cache file, and thereby what is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from . import catalog, layout
from .errors import JobsCorruptedError
from .index.peer_cache import CacheFile, open_cache, read_cache

if TYPE_CHECKING:
    from .index.snapshot import Snapshot
    from .progress import Progress
    from .workspace import Space

__all__ = [
    "CacheReport",
    "delete_cache",
    "examine_cache",
    "update_cache",
]


def update_cache(
    space: Space,
    *,
    progress: Progress | None = None,
    damaged: list[str] | None = None,
    warn: Callable[[str], None] | None = None,
    processes: int | None = 1,
) -> int | None:
    """Bring the cache file up to date, reading the state points that it does not hold yet.

    Jobs that vanish meanwhile are left out, and so are damaged ones. ``processes`` is how many may be forked for very
    many jobs; None stands for as many as can run at the same time.

    Raises JobsCorruptedError if there are damaged jobs and no list to take their ids; the cache holds the others then;
    OSError if the file cannot be written; the old one is untouched then.
    """
    from .updating import update  # what only looks pays for no import

    failed: list[str] = []
    written = update(space, failed, progress=progress, warn=warn, processes=processes)
    if damaged is not None:
        damaged.extend(failed)
    elif failed:
        raise JobsCorruptedError(failed)
    return written


class CacheReport(NamedTuple):
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


def examine_cache(space: Space) -> CacheReport:
    """Compare the cache file with the jobs of the project; nothing is written.

    Raises WorkspaceError if the workspace cannot be read.
    """
    report = catalog.ask_index(space, lambda snapshot: _report_by_index(space, snapshot))
    if report is not None:
        return report
    ids = catalog.list_ids(space)
    wanted = frozenset(ids)
    size = number = 0
    try:
        with CacheFile(space) as file:
            for job_id, state_point in file.genuine_entries():
                number += 1
                size += state_point is not None and job_id in wanted
    except (OSError, ValueError):
        exists = os.path.lexists(space.path(layout.FN_CACHE))
        return CacheReport("damaged" if exists else "absent", missing=len(ids))
    missing, obsolete = len(ids) - size, number - size
    return CacheReport("stale" if missing or obsolete else "current", size, missing, obsolete)


def _report_by_index(space: Space, snapshot: Snapshot) -> CacheReport | None:
    """Report without parsing the file, if the index remembers what is in it."""
    file = open_cache(space)
    if file is None:
        return None
    with file:
        mark = file.mark()
    if mark != snapshot.about["cache"] or snapshot.has_lost():
        return None
    pending = layout.job_ids(snapshot.pending)
    unread = set(snapshot.about["unread"]).intersection(pending)
    # What the index cannot hold, the file may: it holds any state point.
    held = len(read_cache(space, unread)) if unread else 0
    missing = len(snapshot.about["uncached"]) + len(pending) - held
    size = snapshot.number() - len(snapshot.about["uncached"]) + held
    return CacheReport("stale" if missing else "current", size, missing)


def delete_cache(space: Space) -> bool:
    """Delete the cache file and the index.

    Raises OSError if they cannot be deleted.
    """
    from .config import index_path

    names = (layout.DELTA, layout.DOCUMENTS, layout.BASE)
    found = False
    for path in (space.path(layout.FN_CACHE), *(index_path(space.root, name) for name in names)):
        with suppress(FileNotFoundError):
            os.unlink(path)
            found = True
    return found
