"""What the index knows of the jobs that exist now.

It holds no job that is not there, and knows the names of those that it does not hold: they are ``pending``. Nothing is
written here, and nothing that writes is imported; how the index catches up is in `refreshing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import canonical, config, files, layout, stamps
from ..config import index_path
from ..layout import BASE, DELTA
from ..workspace import OPEN_FLAGS, list_workspace
from .table import ID_BYTES, Rows, Table, UnusableIndexError, check_owner

if TYPE_CHECKING:
    from ..query import Query
    from ..workspace import Listing, Space

__all__ = [
    "QUERY_LIMIT",
    "WORTHWHILE",
    "Layer",
    "Snapshot",
    "check_proven",
]

QUERY_LIMIT = 20_000
"""Jobs that a query adds to the index at most; more than that is left to ``update-cache``."""
WORTHWHILE = 64
"""Files that have to be read before a query writes."""
_LONG_LISTING = 1000
_PROVEN = 1000
"""Rows up to which a table is compared with its ids before it is used: it takes a few milliseconds."""
_proven: set[tuple[int, ...]] = set()
"""The tables that were."""
_MOST_GONE = 16  # rows for each job that still exists; what a table takes is bounded by the project then


def check_proven(state_points: Mapping[str, dict[str, Any]]) -> None:
    """Make sure that state points from the index are those of their jobs, before they get into a file.

    Raises UnusableIndexError if one is not.
    """
    for job_id, state_point in state_points.items():
        if not canonical.state_point_matches(state_point, job_id):
            raise UnusableIndexError(f"wrong about job {job_id}")


class Layer(NamedTuple):
    """A table, and those of its rows whose jobs exist."""

    table: Table
    present: Rows


class Snapshot:
    """The index, compared with the workspace.

    Raises UnusableIndexError, OSError, ValueError if it cannot be used.
    """

    def __init__(self, space: Space, fd: int) -> None:
        self.space = space
        self.listing: Listing | None = None
        self.is_kept = False  # for other questions, whoever is done with it
        self._tables: list[Table] = []
        try:
            self.base = self.opened(fd, BASE)
            self.delta = self._matching_delta()
            for table in self._layered():
                _prove(table)
            self._compare()
        except BaseException:
            self.close()
            raise

    def opened(self, fd: int, kind: str) -> Table:
        """Take a table that is closed with the snapshot."""
        try:
            table = Table(fd, kind)
            check_owner(table.status, self.space.workspace)
        except BaseException:
            os.close(fd)
            raise
        self._tables.append(table)
        return table

    def _matching_delta(self) -> Table | None:
        with suppress(Exception):  # whatever is wrong with it: without a delta, the workspace is listed
            fd = os.open(index_path(self.space.root, DELTA), OPEN_FLAGS)
            delta = self.opened(fd, DELTA)
            if delta.directory.base == self.base.directory.id:
                return delta
        return None

    def _compare(self) -> None:
        about = self.about = (self.delta or self.base).directory.about
        _check_names([*about["unread"], *about["uncached"]])
        gone: set[int] = set(about["dropped"])
        present = [table.all_rows() for table in self._layered()]
        if (
            config.index_is_trusted()
            and about["signature"] == stamps.directory_signature(self.space.workspace) is not None
        ):
            root = self.space.workspace
            self.pending: list[str] = [name for name in about["unread"] if files.is_directory(f"{root}/{name}")]
            present[0] = present[0] - _rows_at(gone, self.base.rows)
        else:
            self.listing = list_workspace(self.space)
            entries = self.listing.entries
            rest, missing = self._compare_order(entries) or _compare_sets(self.base, set(entries))
            present[0] = present[0] - _rows_at(missing, self.base.rows)
            if self.delta is not None:
                rest, missing = _compare_sets(self.delta, rest)
                present[1] = present[1] - _rows_at(missing, self.delta.rows)
            self.pending = sorted(filter(layout.is_job_directory, rest))
        self.layers = [Layer(table, rows) for table, rows in zip(self._layered(), present, strict=True)]
        if sum(table.rows for table in self._layered()) > _MOST_GONE * self.number() + WORTHWHILE:
            raise UnusableIndexError("most of its jobs are gone")

    def _compare_order(self, entries: Sequence[str]) -> tuple[set[str], Collection[int]] | None:
        """Do what :func:`_compare_sets` does with the base, by the order of its listing: a fraction of the cost.

        None if there is too little to compare, or another order.
        """
        if len(entries) < _LONG_LISTING or len(order := self.base.extra()) != ID_BYTES * self.base.rows:
            return None
        from .changes import changes  # a query that trusts the index pays for no import

        found = changes(entries, order)
        if found is None:
            return None
        come, gone = found
        missing = self.base.positions(gone)
        if len(missing) < len(gone):
            raise UnusableIndexError("damaged")
        # A directory may list a name twice.
        return come.difference(self.base.positions(come)), missing.values()

    def _layered(self) -> list[Table]:
        return [self.base] if self.delta is None else [self.base, self.delta]

    def close(self) -> None:
        """Close the files."""
        for table in self._tables:
            table.close()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *exception: object) -> None:
        if not self.is_kept:
            self.close()

    # answers ------------------------------------------------------------------------------------------------------

    @property
    def is_proven(self) -> bool:
        """Whether all state points in it have been compared with the ids of their jobs."""
        return all(table.rows <= _PROVEN for table in self._layered())

    def number(self) -> int:
        """Count the jobs that are indexed."""
        return sum(layer.present.bits.bit_count() for layer in self.layers)

    def names(self) -> list[str]:
        """Names of all jobs, indexed or not, sorted."""
        names = [*self.pending]
        for table, present in self.layers:
            names += table.ids_of(present)
        return sorted(names) if self.pending or len(self.layers) > 1 else names

    def find(self, query: Query) -> list[str]:
        """Ids of the indexed jobs that match a query about state points, sorted."""
        from .evaluation import evaluate  # nor does one without a filter

        found: list[str] = []
        for table, present in self.layers:
            found += table.ids_of(evaluate(table, query, present))
        return sorted(found) if len(self.layers) > 1 else found

    def state_points(self) -> dict[str, dict[str, Any]]:
        """State points of all indexed jobs by id; equal values are one object."""
        from .shapes import put_together, without_collection  # queries do not pay for it

        found: dict[str, dict[str, Any]] = {}
        with without_collection():
            for table, present in self.layers:
                ids = table.ids()
                shape = table.shape() if present.bits.bit_count() == table.rows else None
                if shape:
                    found.update(zip(ids, put_together(shape, table.columns()), strict=True))
                else:
                    flags = present.flags(table.rows)
                    found.update((ids[row], tree) for row, tree in table.trees() if flags[row])
        return found

    def corrected_state_points(self) -> dict[str, dict[str, Any]]:
        """State points of the jobs that are not in the base, by id."""
        if self.delta is None:
            return {}
        ids, flags = self.delta.ids(), self.layers[1].present.flags(self.delta.rows)
        return {ids[row]: tree for row, tree in self.delta.trees() if flags[row]}

    def columns(self, wanted: Callable[[str], bool]) -> dict[str, list[Any]] | None:
        """Values under dotted keys, in the order of :meth:`names`, if all jobs are indexed and of the same shape."""
        shape = self.base.shape() if self._is_base_only() else None
        if shape is None:
            return None
        from .shapes import columns_of

        column = self.base.columns()
        return {key: column(key) for key in columns_of(shape) if wanted(key)}

    def _is_base_only(self) -> bool:
        """Tell whether the jobs are just those in the base."""
        return len(self.layers) == 1 and not self.pending and self.number() == self.base.rows

    def values_of_all(self, keys: Sequence[str], missing: Any) -> list[list[Any]] | None:
        """Values under dotted keys (scalars, lists, or ``missing``) in the order of :meth:`names`.

        None if that is not just what is in the base, or if one of the keys is a mapping.
        """
        if not self._is_base_only() or any(map(self.base.keys_below, keys)):
            return None
        return [self.base.column(key, missing) for key in keys]

    def values(self, keys: Sequence[str], missing: Any) -> Iterator[tuple[list[str], list[list[Any]]]]:
        """Ids of the indexed jobs, and for each dotted key their values: scalars, lists, or ``missing``.

        Jobs in a table where one of the keys is a mapping are left out.
        """
        for table, present in self.layers:
            if any(map(table.keys_below, keys)):
                continue
            ids, columns = table.ids(), [table.column(key, missing) for key in keys]
            flags = present.flags(table.rows)
            if 0 in flags:
                ids, columns = list(compress(ids, flags)), [list(compress(column, flags)) for column in columns]
            yield ids, columns

    # how far it is behind -----------------------------------------------------------------------------------------

    def worth_refreshing(self, known: Mapping[str, dict[str, Any]]) -> bool:
        """Tell whether a query found out so much that the next one should not have to do it again."""
        listing = self.listing
        if listing is None or not config.queries_write_index():
            return False
        new = sum(name in known for name in self.pending)
        saves_listing = listing.number >= _LONG_LISTING and _will_settle(listing)
        return (new >= WORTHWHILE or saves_listing) and new + self._corrected() <= QUERY_LIMIT

    def has_lost(self) -> bool:
        """Tell whether jobs are gone since the index was written."""
        number = self.base.rows - len(self.about["dropped"]) + (self.delta.rows if self.delta is not None else 0)
        return self.number() != number

    def _corrected(self) -> int:
        gone = self.base.rows - self.layers[0].present.bits.bit_count()
        return gone + (self.delta.rows if self.delta is not None else 0)

    def corrections(self) -> int:
        """Count what a new base would hold and this one does not, or the other way round."""
        return self._corrected() + len(self.pending)


def _prove(table: Table) -> None:
    """Compare the state points of a small table with its ids, once in a process; in large ones that would take long.

    Raises UnusableIndexError if one is not the one of its job.
    """
    status = table.status
    mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if table.rows <= _PROVEN and mark not in _proven:
        ids = table.ids()
        check_proven({ids[row]: tree for row, tree in table.trees()})
        _proven.add(mark)


def _will_settle(listing: Listing) -> bool:
    status = listing.status
    if status is None or not config.index_is_trusted():
        return False
    return max(stamps.times_of(status)) < listing.wall_ns - stamps.margin(status.st_dev)


def _check_names(names: Sequence[Any]) -> None:
    """Make sure that names are those of entries of the workspace: they become paths."""
    if not all(isinstance(name, str) and layout.is_job_directory(name) and "/" not in name for name in names):
        raise UnusableIndexError("damaged")


def _compare_sets(table: Table, listed: set[str]) -> tuple[set[str], Collection[int]]:
    """Names that are not in a table, and its rows whose names are not listed."""
    ids = table.ids()
    rest = listed.difference(ids)
    if len(rest) + len(ids) == len(listed):
        return rest, ()
    return rest, [row for row, job_id in enumerate(ids) if job_id not in listed]


def _rows_at(positions: Iterable[int], number: int) -> Rows:
    flags = bytearray(number)
    for row in positions:
        flags[row] = 1
    return Rows.of(flags)
