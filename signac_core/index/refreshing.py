"""Writing down what queries and ``update-cache`` have found out: a delta of the index, or a new base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .. import layout, stamps
from ..config import check_place, index_path
from ..garbage import without_collection
from ..layout import BASE, DELTA
from .records import Records, add_records, in_batches
from .table import ID_BYTES, IDS_PER_BLOCK, ids_in
from .writing import LONGEST_OF_STATE_POINT, new_table

if TYPE_CHECKING:
    from ..workspace import Listing, Space
    from .snapshot import Snapshot
    from .writing import Share, ShareFiles

__all__ = ["BaseWriter", "refresh", "write_base"]


def refresh(snapshot: Snapshot, known: Mapping[str, dict[str, Any]], *, cache: list[Any] | None = None) -> None:
    """Write a delta with everything that was found out since the base was written.

    Raises OSError if it cannot be written; UnusableIndexError if a state point is not the one of its job.
    """
    from .snapshot import check_proven  # a first base needs no index

    points = snapshot.corrected_state_points()
    points.update((name, known[name]) for name in snapshot.pending if name in known)
    check_proven(points)
    path = index_path(snapshot.space.root, DELTA)
    with without_collection(), new_table(path, LONGEST_OF_STATE_POINT) as (table, created):
        ids = b"".join(add_records(table, batch) for batch in in_batches(layout.job_ids(sorted(points)), points))
        indexed = set(ids_in(ids))
        new = [name for name in snapshot.pending if name in indexed]
        uncached: list[str] = []
        if cache is None and not snapshot.has_lost():
            cache, uncached = snapshot.about["cache"], [*snapshot.about["uncached"], *new]
        present = snapshot.layers[0].present
        dropped: list[int] = []
        if present.bits.bit_count() < snapshot.base.rows:
            dropped = [row for row, flag in enumerate(present.flags(snapshot.base.rows)) if not flag]
        about = {
            "signature": snapshot.about["signature"]
            if snapshot.listing is None
            else stamps.listing_signature(snapshot.listing, created),
            "unread": [name for name in snapshot.pending if name not in indexed],
            "dropped": dropped,
            "cache": cache,
            "uncached": uncached if cache is not None else [],
        }
        table.finish(DELTA, about, ids=ids, base=snapshot.base.directory.id)


def write_base(space: Space, listing: Listing, known: Mapping[str, dict[str, Any]]) -> None:
    """Write a new base that holds all listed jobs whose state points are known.

    Raises OSError if it cannot be written; the old one is there then.
    """
    ids = filter(known.__contains__, layout.job_ids(listing.names))
    with without_collection(), BaseWriter(space, listing) as base:
        for batch in in_batches(ids, known):
            base.add(batch)
        base.finish(None)


class BaseWriter:
    """Writes a new base, which takes the place of the old one when it is finished.

    Raises OSError, as all methods do, if it cannot be written.
    """

    def __init__(self, space: Space, listing: Listing) -> None:
        check_place()
        self._listing = listing
        self._ids = bytearray()
        self._stack = ExitStack()
        self._table, created = self._stack.enter_context(
            new_table(index_path(space.root, BASE), LONGEST_OF_STATE_POINT)
        )
        self._signature = stamps.listing_signature(listing, created)

    def __enter__(self) -> BaseWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.__exit__(OSError, OSError(), None)  # unless it is finished

    def add(self, records: Records) -> None:
        """Add listed jobs, in the order of their ids."""
        self._ids += add_records(self._table, records)

    def take(self, share: Share, to: ShareFiles) -> None:
        """Add the jobs of a share, which is in some files."""
        self._ids += self._table.take(share, to)

    def finish(self, cache: list[Any] | None) -> None:
        """Put the base in its place; ``cache`` is the mark of the cache file, if that holds the same jobs."""
        listing = self._listing
        unread: list[str] = []
        if self._table.rows == listing.number:
            order = listing.packed
        else:
            unread = list(_left_out(listing.names, self._ids))
            order = _packed(listing.entries, frozenset(unread))
        about = {"signature": self._signature, "unread": unread, "dropped": [], "cache": cache, "uncached": []}
        self._table.finish(BASE, about, ids=bytes(self._ids), extra=order)
        self._stack.close()


def _left_out(names: Sequence[str], ids: bytearray) -> Iterator[str]:
    """Names whose ids are not among some; both are sorted."""
    known = _names_of(ids)
    indexed = next(known, None)
    for name in names:
        if name == indexed:
            indexed = next(known, None)
        else:
            yield name


def _names_of(ids: bytearray) -> Iterator[str]:
    size = IDS_PER_BLOCK * ID_BYTES
    for first in range(0, len(ids), size):
        yield from ids_in(bytes(ids[first : first + size]))


def _packed(names: Sequence[str], left_out: frozenset[str]) -> bytes:
    """Ids one after the other, without those that are left out and those that are none."""
    packed = bytearray()
    for first in range(0, len(names), IDS_PER_BLOCK):
        some = names[first : first + IDS_PER_BLOCK]
        packed += bytes.fromhex("".join(name for name in some if name not in left_out and layout.is_job_id(name)))
    return bytes(packed)
