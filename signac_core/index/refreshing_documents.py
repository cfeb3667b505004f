"""Writing down the documents that a query had to read."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import stamps
from ..config import index_path
from ..layout import DOCUMENTS
from ..stamps import Signature
from .documents import ABSENT, UNKNOWN, signatures_in
from .shapes import take_apart
from .writing import fill_table, new_table

if TYPE_CHECKING:
    import os

    from .documents import IndexedDocuments

__all__ = ["refresh"]


def refresh(
    documents: IndexedDocuments, read: Mapping[str, tuple[dict[str, Any] | None, os.stat_result | None]]
) -> None:
    """Write a new table with the documents that are as they were indexed, and those that had to be read.

    Raises OSError if it cannot be written.
    """
    base, root = documents._snapshot.base, documents._snapshot.space.root
    with new_table(index_path(root, DOCUMENTS)) as (file, created):
        trees, entries = _settled(documents, read, created)
        signatures = array("Q", [number for entry in entries for number in entry]).tobytes()
        fill_table(file, DOCUMENTS, trees, base=base.directory.id, extra=signatures, about={})


def _settled(
    documents: IndexedDocuments,
    read: Mapping[str, tuple[dict[str, Any] | None, os.stat_result | None]],
    created: os.stat_result,
) -> tuple[list[dict[str, Any] | None], list[tuple[int, ...]]]:
    """Documents that cannot change without a change of their signatures, and these.

    Both time stamps of a file must have been older than its reading by a margin, see `stamps`.
    """
    base = documents._snapshot.base
    began = stamps.time_of_reading(documents._started, documents._started_monotonic, created)
    youngest: dict[int, int] = {}
    trees: list[dict[str, Any] | None] = [None] * base.rows
    entries: list[tuple[int, ...]] = [UNKNOWN] * base.rows
    if documents._table is not None:
        before = signatures_in(documents._table)
        for row, valid in enumerate(documents._valid):
            if valid:
                entries[row] = before[row]
        rows = [row for row, valid in enumerate(documents._valid) if valid]
        for row, tree in zip(rows, documents._table.trees(rows), strict=True):
            trees[row] = tree
    for row, job_id in enumerate(documents._ids):
        if job_id not in read:
            continue
        document, status = read[job_id]
        if status is not None:
            device = status.st_dev
            if device not in youngest:
                youngest[device] = began - stamps.margin(device, created.st_dev)
            if max(stamps.times_of(status)) >= youngest[device]:
                continue
        trees[row], entries[row] = document, ABSENT if status is None else Signature.of(status)
    for row in take_apart(trees)[1]:
        trees[row], entries[row] = None, UNKNOWN
    return trees, entries
