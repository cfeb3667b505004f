"""What the index knows of the jobs that exist now.

It holds no job that is not there, and knows the names of those that it does not hold: they are ``pending``. Nothing is
written here, and nothing that writes is imported; how the index catches up is in `refreshing`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import canonical, config, files, layout
from ..config import index_path
from ..errors import UnusableIndexError
from ..layout import BASE, DELTA
from ..workspace import OPEN_FLAGS, list_workspace
from .table import ID_BYTES, Rows, Table, check_owner

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
        self.documents: tuple[Table, bytes] | None = None  # and their signatures; opened by who asks for them first
        self._tables: list[Table] = []
        try:
            self.base = self.opened(fd, BASE)
            self.delta = self._matching_delta()
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

    def _is_current(self, signature: list[int]) -> bool:
        from .. import stamps  # what was listed too soon after a change has no signature

        return signature == stamps.directory_signature(self.space.workspace)

    def is_still_current(self) -> bool:
        """Tell whether the workspace was not listed to open this, and has not changed since."""
        return self.listing is None and self._is_current(self.about["signature"])

    def _compare(self) -> None:
        about = self.about = (self.delta or self.base).directory.about
        _check_names([*about["unread"], *about["uncached"]])
        gone: set[int] = set(about["dropped"])
        present = [table.all_rows() for table in self._layered()]
        if about["signature"] is not None and config.index_is_trusted() and self._is_current(about["signature"]):
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

    def number(self) -> int:
        """Count the jobs that are indexed."""
        return sum(layer.present.bits.bit_count() for layer in self.layers)

    def names(self) -> list[str]:
        """Names of all jobs, indexed or not, sorted."""
        names = [*self.pending]
        for table, present in self.layers:
            names += table.ids_of(present)
        return sorted(names) if self.pending or len(self.layers) > 1 else names

    def names_with_prefix(self, prefix: str) -> list[str]:
        """Names of the jobs, indexed or not, that begin with some digits, sorted."""
        names = [name for name in self.pending if name.startswith(prefix)]
        for table, present in self.layers:
            flags = present.flags(table.rows)
            names += [job_id for row, job_id in table.ids_with_prefix(prefix) if flags[row]]
        return sorted(names)

    def find(self, query: Query | None) -> list[Rows]:
        """Rows of each layer that match a query about state points, or of all jobs."""
        if query is None:
            return [layer.present for layer in self.layers]
        from .evaluation import evaluate  # a query without a filter pays for no import

        return [evaluate(table, query, present) for table, present in self.layers]

    def state_points(self) -> dict[str, dict[str, Any]]:
        """State points of all indexed jobs by id."""
        from ..garbage import without_collection  # who needs few pays for no import

        found: dict[str, dict[str, Any]] = {}
        with without_collection():
            for table, present in self.layers:
                rows = present.numbers(table.rows)
                found.update(zip(table.ids_at(rows), table.trees(rows), strict=True))
        return found

    def corrected_state_points(self) -> dict[str, dict[str, Any]]:
        """State points of the jobs that are not in the base, by id."""
        if self.delta is None:
            return {}
        rows = self.layers[1].present.numbers(self.delta.rows)
        return dict(zip(self.delta.ids_at(rows), self.delta.trees(rows), strict=True))

    def is_base_only(self) -> bool:
        """Tell whether the jobs are just those in the base."""
        return len(self.layers) == 1 and not self.pending and self.number() == self.base.rows

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


def _will_settle(listing: Listing) -> bool:
    status = listing.status
    if status is None or not config.index_is_trusted():
        return False
    from .. import stamps

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
