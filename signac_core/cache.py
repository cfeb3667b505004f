"""``update-cache``: bringing the index and the cache file of signac 2.x up to date, examining them, deleting them.

Both are derived data: absent, damaged or out of date they are ignored, and written anew here. A new file takes the
place of the old one by a rename, so that concurrent writers leave the file of one of them.

The index remembers size and hash of the cache file, and thereby what is in it. So the file is read, but only parsed
where that is something else; and as long as jobs are only added, only these are compressed: the file is written anew
with the compressed bytes of the old one in front (see `peer_cache`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import catalog, files, layout, workspace
from .errors import JobsCorruptedError, UnusableIndexError
from .index.peer_cache import as_file, entries_in, genuine_entries, mark_of, read_file, with_more
from .progress import track

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

_CORRECTED_SHARE = 0.02
_MOST_CORRECTIONS = 20_000
"""Corrections that a delta may make to its base before both are written as a new base."""


def _warn_of_place(warn: Callable[[str], None] | None) -> None:
    """Warn if there will be no index, because of where it would be."""
    from .config import check_place

    try:
        check_place()
    except PermissionError as error:
        if warn is not None:
            warn(f"{error.strerror}: '{error.filename}'. Take the right to write there from others, or name another.")
    except OSError:
        pass  # it may be made until it is needed


def _warn_of_damage(space: Space, warn: Callable[[str], None] | None) -> None:
    path = space.path(layout.FN_CACHE)
    if warn is not None and os.path.lexists(path):
        warn(f"The cache file '{path}' is damaged, and is written anew.")


def update_cache(
    space: Space,
    *,
    progress: Progress | None = None,
    damaged: list[str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> int | None:
    """Bring the cache file up to date, reading the state points that it does not hold yet.

    Jobs that vanish meanwhile are left out, and so are damaged ones.

    Raises JobsCorruptedError if there are damaged jobs and no list to take their ids; the cache holds the others then;
    OSError if the file cannot be written; the old one is untouched then.
    """
    failed: list[str] = []
    _warn_of_place(warn)
    snapshot = catalog.open_index(space)
    if snapshot is None:
        written = _update_without_index(space, failed, progress, warn)
    else:
        with snapshot:
            try:
                written = _Update(space, snapshot, failed, progress, warn).run()
            except UnusableIndexError:
                written = _update_without_index(space, failed, progress, warn)
    if damaged is not None:
        damaged.extend(failed)
    elif failed:
        raise JobsCorruptedError(failed)
    return written


def _update_without_index(
    space: Space, failed: list[str], progress: Progress | None, warn: Callable[[str], None] | None
) -> int | None:
    """Read what the cache file does not hold, and write both file and index anew."""
    listing = workspace.list_workspace(space)
    ids = layout.job_ids(listing.names)
    before = read_file(space)
    mark = mark_of(before)
    entries = entries_in(before)
    if entries is None:
        _warn_of_damage(space, warn)
    cached = {} if entries is None else genuine_entries(entries, ids)
    for job_id, state_point in cached.items():
        space.remember(job_id, state_point)
    found = catalog.read_state_points(space, ids, damaged=failed, proven=True)
    state_points = dict(track(found, "update-cache", len(ids), progress))
    current = entries is not None and entries.keys() == state_points.keys() == cached.keys()
    if not current:
        mark = _replace(space, as_file(state_points))
    _write_base(space, listing, state_points, mark)
    return None if current and state_points else len(state_points)


def _write_base(
    space: Space, listing: workspace.Listing, state_points: dict[str, dict[str, Any]], mark: list[Any] | None
) -> None:
    """Write a new base of the index, which remembers the cache file if both hold the same jobs."""
    from .index.refreshing import write_base

    same = state_points.keys() <= set(listing.names)
    with suppress(OSError):  # the cache file is what was asked for
        write_base(space, listing, state_points, cache=mark if same else None)


def _replace(space: Space, data: bytes) -> list[Any] | None:
    """Give the cache file new content; return its mark."""
    files.replace_file(space.path(layout.FN_CACHE), data, durable=space.durable)
    return mark_of(data)


class _Update:
    """Bringing index and cache file up to date by what the index knows already."""

    def __init__(
        self,
        space: Space,
        snapshot: Snapshot,
        failed: list[str],
        progress: Progress | None,
        warn: Callable[[str], None] | None,
    ) -> None:
        self.space = space
        self.snapshot = snapshot
        self.failed = failed
        self.progress = progress
        self.warn = warn
        self.before = read_file(space)
        self.mark = mark_of(self.before)  # of the cache file as it is

    def run(self) -> int | None:
        """Do it; return what :func:`update_cache` says."""
        space, snapshot = self.space, self.snapshot
        pending = layout.job_ids(snapshot.pending)
        found = catalog.read_state_points(space, pending, damaged=self.failed, proven=True)
        new = dict(track(found, "update-cache", len(pending), self.progress))
        number = snapshot.number() + len(new)
        written = self._append(new) if self._is_known() else self._rewrite(new)
        self._update_index(new, written=written)
        return number if written or number == 0 else None

    def _is_known(self) -> bool:
        """Tell whether the index remembers what is in the cache file."""
        try:
            return self.mark is not None and self.mark == self.snapshot.about["cache"] and not self.snapshot.has_lost()
        except Exception as error:
            raise UnusableIndexError(str(error)) from error

    def _append(self, new: dict[str, dict[str, Any]]) -> bool:
        """Add to the cache file what it does not hold; tell whether there was anything."""
        more = new | self._uncached()
        if any(job_id in new for job_id in self.snapshot.about["unread"]):  # the index cannot hold them, the file can
            held = genuine_entries(entries_in(self.before) or {}, new)
            more = {job_id: state_point for job_id, state_point in more.items() if job_id not in held}
        if not more:
            return False
        longer = None
        if self.before is not None and self.snapshot.number() > len(self.snapshot.about["uncached"]):
            longer = with_more(self.before, more)
        self.mark = _replace(self.space, longer or as_file(self._indexed() | new))
        return True

    def _rewrite(self, new: dict[str, dict[str, Any]]) -> bool:
        """Write the cache file anew unless it holds just what it should; tell whether it did not."""
        state_points = self._indexed() | new
        entries = entries_in(self.before)
        if entries is None:
            _warn_of_damage(self.space, self.warn)
        if entries == state_points:
            return False
        self.mark = _replace(self.space, as_file(state_points))
        return True

    def _indexed(self) -> dict[str, dict[str, Any]]:
        """State points of all indexed jobs, which are going to be written."""
        try:
            return _proven(self.snapshot.state_points())
        except Exception as error:
            raise UnusableIndexError(str(error)) from error

    def _uncached(self) -> dict[str, dict[str, Any]]:
        """State points of the indexed jobs that the cache file does not hold."""
        try:
            corrected = self.snapshot.corrected_state_points()
            return _proven({job_id: corrected[job_id] for job_id in self.snapshot.about["uncached"]})
        except Exception as error:
            raise UnusableIndexError(str(error)) from error

    def _update_index(self, new: dict[str, dict[str, Any]], *, written: bool) -> None:
        try:
            self._write_index(new, written=written)
        except OSError:
            pass  # the cache file is what was asked for
        except Exception as error:
            raise UnusableIndexError(str(error)) from error

    def _write_index(self, new: dict[str, dict[str, Any]], *, written: bool) -> None:
        snapshot = self.snapshot
        corrections = snapshot.corrections()
        if corrections > _MOST_CORRECTIONS or corrections > _CORRECTED_SHARE * snapshot.base.rows:
            listing = snapshot.listing or workspace.list_workspace(self.space)
            _write_base(self.space, listing, self._indexed() | new, self.mark)
        elif written or snapshot.listing is not None or self.mark != snapshot.about["cache"]:
            from .index.refreshing import refresh

            refresh(snapshot, new, cache=self.mark)


def _proven(state_points: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    from .index.snapshot import check_proven

    check_proven(state_points)
    return state_points


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
    entries = entries_in(read_file(space))
    if entries is None:
        exists = os.path.lexists(space.path(layout.FN_CACHE))
        return CacheReport("damaged" if exists else "absent", missing=len(ids))
    size = len(genuine_entries(entries, ids))
    missing, obsolete = len(ids) - size, len(entries) - size
    return CacheReport("stale" if missing or obsolete else "current", size, missing, obsolete)


def _report_by_index(space: Space, snapshot: Snapshot) -> CacheReport | None:
    """Report without parsing the file, if the index remembers what is in it."""
    data = read_file(space)
    mark = mark_of(data)
    if mark is None or mark != snapshot.about["cache"] or snapshot.has_lost():
        return None
    pending = layout.job_ids(snapshot.pending)
    unread = set(snapshot.about["unread"]).intersection(pending)
    # What the index cannot hold, the file may: it holds any state point.
    held = len(genuine_entries(entries_in(data) or {}, unread)) if unread else 0
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
