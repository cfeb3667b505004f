"""Finding out which keys the state points of a project have, with which types and values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress
from math import copysign
from typing import TYPE_CHECKING, Any

from .. import catalog, layout
from .schema import ProjectSchema, Types, hashable

if TYPE_CHECKING:
    from ..index.distinct import SortedValues
    from ..index.selection import Selection
    from ..index.snapshot import Snapshot
    from ..index.table import Table
    from ..progress import Progress
    from ..workspace import Space

__all__ = ["detect_schema"]


class _Key:
    """What has been seen of one dotted key."""

    __slots__ = ("first", "is_empty", "is_mapping", "jobs", "sorted", "types")

    def __init__(self) -> None:
        self.types = Types()
        self.sorted: SortedValues | None = None  # instead of types
        self.jobs = 0
        self.is_mapping = False  # in some job
        self.is_empty = False  # as a mapping, in some job
        self.first: dict[type, str] = {}  # the first job with a value of each type

    def distinct(self) -> int:
        """Count the values; all mappings together are one."""
        return sum(map(len, self.types.values())) + len(self.sorted or ()) + self.is_mapping

    def is_shown(self) -> bool:
        """Tell whether it has values of its own, an empty mapping being one."""
        return bool(self.types) or self.sorted is not None or self.is_empty

    def ordered_types(self) -> Types:
        """The values, types in the order of their first appearance."""
        if len(self.types) < 2:
            return self.types
        return Types({kind: self.types[kind] for kind in sorted(self.types, key=self.first.__getitem__)})


def detect_schema(
    space: Space,
    *,
    exclude_const: bool = False,
    subset: Iterable[str] | None = None,
    damaged: list[str] | None = None,
    progress: Progress | None = None,
) -> ProjectSchema:
    """Find out which keys the state points have, with which types and values, in one pass.

    Raises JobsCorruptedError if state points cannot be read and there is no list to take the ids.
    """
    ids = None if subset is None else _sorted_ids(subset)
    keys: dict[str, _Key] = {}
    indexed, rest = catalog.ask_index(space, lambda snapshot: _collect_from_index(snapshot, ids, keys)) or (0, None)
    if rest is None:
        keys = {}
        rest = catalog.list_names(space) if ids is None else ids
    jobs = indexed + _collect_from_files(space, rest, keys, damaged, progress)
    shown = {name: key for name, key in keys.items() if key.is_shown()}
    found = sorted((key.distinct(), name) for name, key in shown.items())
    return ProjectSchema._of_keys(
        (name, shown[name].sorted or shown[name].ordered_types())
        for distinct, name in found
        if not (exclude_const and distinct == 1 and shown[name].jobs == jobs)
    )


def _sorted_ids(subset: Iterable[str]) -> Sequence[str]:
    if isinstance(subset, Sequence) and not isinstance(subset, (list, tuple)):
        return subset  # a Selection; what a query has found is sorted
    return sorted({name for name in subset if layout.is_job_directory(name) and "/" not in name})


def _collect_from_files(
    space: Space, ids: Sequence[str], keys: dict[str, _Key], damaged: list[str] | None, progress: Progress | None
) -> int:
    """Add the values of the state points of jobs; return their number."""
    if not len(ids):
        return 0
    from ..progress import track

    jobs = 0
    state_points = catalog.read_state_points(space, ids, damaged=damaged)
    for job_id, state_point in track(state_points, "schema", len(ids), progress):
        jobs += 1
        _collect(state_point, keys, job_id)
    return jobs


def _collect(state_point: dict[str, Any], keys: dict[str, _Key], job_id: str, above: str = "") -> None:
    """Add the values of one state point, also those under keys with a dot, which only older programs have written."""
    for last, value in state_point.items():
        name = above + last
        key = keys.get(name)
        if key is None:
            key = keys[name] = _Key()
        key.jobs += 1
        kind = type(value)
        if kind is dict:
            key.is_mapping = True
            if value:
                _collect(value, keys, job_id, f"{name}.")
            else:
                key.is_empty = True
            continue
        if kind is list or value != value:
            value = hashable(value)
            kind = type(value)
        if kind in key.types and (value or kind is not float):
            key.types[kind].add(value)
        else:
            _add(key, kind, [value])
        if key.first.get(kind, job_id) >= job_id:
            key.first[kind] = job_id


def _add(key: _Key, kind: type, values: Collection[Any]) -> None:
    """Add values of a type; sorted ones become a set. Of both zeros, which are equal, the positive one is shown."""
    if key.sorted is not None:
        key.types[key.sorted.kind] = set(key.sorted)
        key.sorted = None
    found = key.types.setdefault(kind, set())
    if kind is float and 0.0 in found and any(value == 0 and copysign(1, value) > 0 for value in values):
        found.discard(0.0)
    found.update(values)


# --- from the index --------------------------------------------------------------------------------------------------


def _collect_from_index(
    snapshot: Snapshot, ids: Sequence[str] | None, keys: dict[str, _Key]
) -> tuple[int, Sequence[str]] | None:
    """Add the values in the columns of the index; return the number of their jobs, and the other jobs.

    None if there are so few jobs that it is quicker to read their state points.
    """
    from ..index.selection import select, selection_of

    if ids is None:
        selection = select(snapshot, snapshot.find(None))
        rest: Sequence[str] = snapshot.pending
    else:
        if len(ids) <= catalog.MANY_FILES:
            return None
        selection = selection_of(snapshot, ids)
        rest = selection.rest
    if _state_points_are_quicker(selection):
        return None
    number = 0
    for table, flags, count in selection.by_table():
        number += count
        for name in table.directory.keys:
            _collect_column(table, name, keys.setdefault(name, _Key()), flags if count < table.rows else None)
    _find_first_jobs(selection, keys, of_all=bool(rest) or len(snapshot.layers) > 1)
    return number, rest


def _state_points_are_quicker(selection: Selection) -> bool:
    from ..index.selection import texts_are_quicker

    return texts_are_quicker(selection, sum(len(layer.table.directory.keys) for layer in selection.snapshot.layers))


def _collect_column(table: Table, name: str, key: _Key, flags: bytes | None) -> None:
    """Add the values of a key in the flagged rows of a table, or in all of them."""
    from ..index.distinct import sorted_values
    from ..index.selection import chunks_of

    if flags is None and not key.is_shown() and (found := sorted_values(table, name)):
        key.sorted, key.jobs = found
        return
    below = table.keys_below(name)
    for values, rows, counts in chunks_of(table, name):
        some, jobs = (values, len(rows)) if flags is None else _in_flagged(values, rows, counts, flags)
        key.jobs += jobs
        _add_values(key, some)
    if below and key.is_shown():
        mappings = {row for other in below for row in _rows_with(table, other) if flags is None or flags[row]}
        key.is_mapping = key.is_mapping or bool(mappings)
        key.jobs += len(mappings)


def _in_flagged(
    values: list[Any], rows: Sequence[int], counts: Sequence[int] | None, flags: bytes
) -> tuple[list[Any], int]:
    """Values of a chunk that some flagged row has, and the number of these rows."""
    flagged = bytes(map(flags.__getitem__, rows))
    if counts is None:
        return list(compress(values, flagged)), flagged.count(1)
    found = []
    start = 0
    for value, count in zip(values, counts, strict=True):
        if flagged.find(1, start, start + count) >= 0:
            found.append(value)
        start += count
    return found, flagged.count(1)


def _add_values(key: _Key, values: list[Any]) -> None:
    kinds = set(map(type, values))
    if kinds == {float} and sum(values) != sum(values):
        kinds.add(object)  # one of them may not be a number
    if len(kinds) == 1 and not kinds & {dict, list}:
        _add(key, kinds.pop(), values)
        return
    for value in values:
        if type(value) is dict:
            key.is_mapping = key.is_empty = True
        else:
            value = hashable(value)
            _add(key, type(value), [value])


def _rows_with(table: Table, name: str) -> Iterator[int]:
    """Rows that have a value of a key."""
    for chunk, data in table.read_chunks(table.chunk_list(name)):
        yield from table.rows_of(chunk, data)


def _find_first_jobs(selection: Selection, keys: dict[str, _Key], *, of_all: bool) -> None:
    """Find the first job with a value of each type, for the keys with values of several types, or for all."""
    for table, flags, _ in selection.by_table():
        for name in table.directory.keys:
            key = keys[name]
            if of_all or len(key.types) > 1:
                for kind, row in _first_rows(table, name, flags).items():
                    [job_id] = table.ids_at([row])
                    key.first[kind] = min(job_id, key.first.get(kind, job_id))


def _first_rows(table: Table, name: str, flags: bytes) -> dict[type, int]:
    """The first flagged row with a value of each type."""
    from ..index.selection import chunks_of

    first: dict[type, int] = {}
    for values, rows, counts in chunks_of(table, name):
        start = 0
        for number, value in enumerate(values):
            end = start + (1 if counts is None else counts[number])
            kind = tuple if type(value) is list else type(value)
            row = next((row for row in rows[start:end] if flags[row]), None)
            if row is not None and row < first.get(kind, table.rows):
                first[kind] = row
            start = end
    return first
