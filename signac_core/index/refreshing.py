"""Writing down what queries and ``update-cache`` have found out: a delta of the index, or a new base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import layout, stamps
from ..config import check_place, index_path
from ..layout import BASE, DELTA
from .shapes import take_apart
from .snapshot import check_proven
from .table import without_collection
from .writing import write_table

if TYPE_CHECKING:
    import os

    from ..workspace import Listing, Space
    from .snapshot import Snapshot

__all__ = ["refresh", "write_base"]


def refresh(snapshot: Snapshot, known: Mapping[str, dict[str, Any]], *, cache: list[Any] | None = None) -> None:
    """Write a delta with everything that was found out since the base was written.

    Raises OSError if it cannot be written; UnusableIndexError if a state point is not the one of its job.
    """
    points = snapshot.corrected_state_points()
    points.update((name, known[name]) for name in snapshot.pending if name in known)
    check_proven(points)
    ids = _fitting(sorted(points), points)
    indexed = set(ids)
    new = [name for name in snapshot.pending if name in indexed]
    unread = [name for name in snapshot.pending if name not in indexed]
    uncached: list[str] = []
    if cache is None and not snapshot.has_lost():
        cache, uncached = snapshot.about["cache"], [*snapshot.about["uncached"], *new]
    present = snapshot.layers[0].present
    dropped: list[int] = []
    if present.bits.bit_count() < snapshot.base.rows:
        dropped = [row for row, flag in enumerate(present.flags(snapshot.base.rows)) if not flag]

    def about(created: os.stat_result) -> dict[str, Any]:
        signature = (
            snapshot.about["signature"]
            if snapshot.listing is None
            else stamps.listing_signature(snapshot.listing, created)
        )
        return {
            "signature": signature,
            "unread": unread,
            "dropped": dropped,
            "cache": cache,
            "uncached": uncached if cache is not None else [],
        }

    path = index_path(snapshot.space.root, DELTA)
    write_table(path, DELTA, [points[job_id] for job_id in ids], ids=ids, base=snapshot.base.directory.id, about=about)


def write_base(
    space: Space,
    listing: Listing,
    known: Mapping[str, dict[str, Any]],
    *,
    cache: list[Any] | None = None,
) -> None:
    """Write a new base that holds all listed jobs whose state points are known.

    Raises OSError if it cannot be written; the old one is there then.
    """
    check_place()
    names = listing.names
    ids = _fitting(names, known)
    entries = listing.entries
    if len(ids) == len(entries):
        order, unread = entries, []
    else:
        indexed = set(ids)
        order = [name for name in entries if name in indexed]
        unread = [name for name in names if name not in indexed]

    def about(created: os.stat_result) -> dict[str, Any]:
        return {
            "signature": stamps.listing_signature(listing, created),
            "unread": unread,
            "dropped": [],
            "cache": cache,
            "uncached": [],
        }

    path = index_path(space.root, BASE)
    trees = [known[job_id] for job_id in ids]
    write_table(path, BASE, trees, ids=ids, extra=bytes.fromhex("".join(order)), about=about)


def _fitting(names: list[str], known: Mapping[str, dict[str, Any]]) -> list[str]:
    """Ids among the names whose state points are known and can be indexed."""
    ids = list(filter(known.__contains__, layout.job_ids(names)))
    with without_collection():
        _, unfit = take_apart([known[job_id] for job_id in ids])
    left_out = set(unfit)
    return [job_id for row, job_id in enumerate(ids) if row not in left_out] if unfit else ids
