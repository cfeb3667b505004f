"""The report of ``signac status``: what is known of a project without looking at every job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from .. import catalog, layout
from ..trees import leaves

if TYPE_CHECKING:
    from ..cache import CacheReport
    from ..index.snapshot import Snapshot
    from ..workspace import Space

__all__ = ["IndexReport", "Summary", "summarize"]

SAMPLE = 100
"""So many state points are read where no index knows the keys, and so many of those that it does not hold."""


class IndexReport(NamedTuple):
    """What there is to say about the index.

    Parameters
    ----------
    state : str
        ``"absent"`` (or not usable), ``"stale"`` or ``"current"``.
    size : int
        The number of jobs that it holds.
    missing : int
        The number of jobs that it does not hold.
    """

    state: Literal["absent", "stale", "current"]
    size: int = 0
    missing: int = 0


class Summary(NamedTuple):
    """What is known of a project.

    Parameters
    ----------
    jobs : int
        The number of jobs.
    keys : list of str
        The dotted keys of the state points, sorted.
    keys_from : int
        The number of jobs whose keys these are; less than ``jobs`` means that there may be others.
    cache : CacheReport
        The state of the cache file.
    indexed : IndexReport
        The state of the index.
    damaged : list of str
        The jobs that are known to be damaged, and directories with names that only begin like job ids, sorted.
    """

    jobs: int
    keys: list[str]
    keys_from: int
    cache: CacheReport
    indexed: IndexReport
    damaged: list[str]


def summarize(space: Space) -> Summary:
    """Report on a project: list the workspace, read the cache file, and at most a hundred state points.

    Raises WorkspaceError if the workspace cannot be read.
    """
    from ..cache import examine_cache

    asked = catalog.ask_index(space, _ask_index)
    if asked is None:
        names = catalog.list_names(space)
        unknown = [name for name in names if layout.is_job_id(name)]
        asked = IndexReport("absent"), len(unknown), set(), names
    index, jobs, keys, pending = asked
    unknown = [name for name in pending if layout.is_job_id(name)]
    damaged = [name for name in pending if not layout.is_job_id(name)]
    sample = dict(catalog.read_state_points(space, unknown[:SAMPLE], damaged=damaged))
    for state_point in sample.values():
        keys.update(key for key, _ in leaves(state_point))
    if sample and index.state == "stale":
        from ..index.records import take_apart

        missing = index.missing - len(take_apart(list(sample.values()))[1])  # the others cannot be indexed
        index = IndexReport("stale" if missing else "current", index.size, missing)
    known = jobs - len(unknown) + len(sample)
    return Summary(jobs, sorted(keys), known, examine_cache(space), index, sorted(damaged))


def _ask_index(snapshot: Snapshot) -> tuple[IndexReport, int, set[str], list[str]]:
    """State of the index, the number of jobs, the keys that it knows, and the names of which it does not know them."""
    pending = sum(map(layout.is_job_id, snapshot.pending))
    report = IndexReport("stale" if pending else "current", snapshot.number(), pending)
    jobs = report.size + pending
    if snapshot.has_lost():  # keys of jobs that do not exist any more would be among them
        return report, jobs, set(), snapshot.names()
    return report, jobs, {key for layer in snapshot.layers for key in layer.table.directory.keys}, snapshot.pending
