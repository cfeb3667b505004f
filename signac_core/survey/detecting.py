"""Finding out which keys the state points of a project have, with which types and values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import catalog, layout
from .schema import ProjectSchema, Types, hashable

if TYPE_CHECKING:
    from ..index.distinct import SortedValues
    from ..index.snapshot import Snapshot
    from ..progress import Progress
    from ..workspace import Space

__all__ = ["detect_schema"]


class _Key:
    """What has been seen of one key, and of the keys below it."""

    __slots__ = ("below", "empty", "jobs", "sorted", "types")

    def __init__(self) -> None:
        self.types = Types()
        self.sorted: SortedValues | None = None  # instead of types
        self.jobs = 0
        self.below: dict[str, _Key] | None = None  # not None when the key is a mapping in some job
        self.empty = False  # whether one of these is empty

    def distinct(self) -> int:
        """Count the values; all mappings together are one."""
        return sum(map(len, self.types.values())) + len(self.sorted or ()) + (self.below is not None)

    def has_values(self) -> bool:
        """Tell whether it is not only a mapping."""
        return bool(self.types) or self.sorted is not None

    def add(self, other: _Key) -> None:
        """Add what has been seen of another key that is written in the same way: of ``a.b`` as one name, or as two."""
        self.spread()
        other.spread()
        for kind, values in other.types.items():
            self.types[kind] = self.types[kind] | values
        self.jobs += other.jobs
        self.empty = self.empty or other.empty
        if other.below is not None:
            self.below = (self.below or {}) | other.below

    def spread(self) -> None:
        """Make sets of sorted values, so that more values can be added."""
        if self.sorted is not None:
            self.types[self.sorted.kind] = set(self.sorted)
            self.sorted = None


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
    root: dict[str, _Key] = {}
    indexed = 0
    if subset is not None:
        ids = sorted({name for name in subset if layout.is_job_directory(name) and "/" not in name})
    else:
        root, indexed, ids = catalog.ask_index(space, _collect_from_index) or (root, 0, catalog.list_names(space))
    jobs = indexed + _collect_from_files(space, ids, root, damaged, progress)
    keys = _by_name(root)
    if indexed and any(len(key.types) > 1 for key in keys.values()):  # the index does not know which came first
        root = {}
        jobs = _collect_from_files(space, catalog.list_names(space), root, damaged, progress)
        keys = _by_name(root)
    found = sorted((key.distinct(), name) for name, key in keys.items())
    return ProjectSchema._of_keys(
        (name, keys[name].sorted or keys[name].types)
        for distinct, name in found
        if not (exclude_const and distinct == 1 and keys[name].jobs == jobs)
    )


def _collect_from_files(
    space: Space,
    ids: list[str],
    root: dict[str, _Key],
    damaged: list[str] | None,
    progress: Progress | None,
) -> int:
    """Add the values of the state points of jobs, in this order; return their number."""
    if not ids:
        return 0
    from ..progress import track

    jobs = 0
    state_points = catalog.read_state_points(space, ids, damaged=damaged)
    for _, state_point in track(state_points, "schema", len(ids), progress):
        jobs += 1
        _collect(state_point, root)
    return jobs


def _collect(state_point: dict[str, Any], keys: dict[str, _Key]) -> None:
    """Add the values of one state point, also those under keys with a dot, which only older programs have written."""
    for name, value in state_point.items():
        key = keys.get(name)
        if key is None:
            key = keys[name] = _Key()
        key.jobs += 1
        kind = type(value)
        if kind is dict:
            if key.below is None:
                key.below = {}
            if value:
                _collect(value, key.below)
            else:
                key.empty = True
            continue
        if kind is list or value != value:
            value = hashable(value)
            kind = type(value)
        if kind in key.types:
            key.types[kind].add(value)
        else:
            key.types[kind] = {value}


def _collect_from_index(snapshot: Snapshot) -> tuple[dict[str, _Key], int, list[str]] | None:
    """Values in the base of the index, their number of jobs, and the other jobs.

    None if values may belong to jobs that have gone, or if a key has values of several types: these are in the order of
    their first appearance, which the index does not know.
    """
    from ..index.distinct import sorted_values

    base, present = snapshot.layers[0]
    if present.bits.bit_count() != base.rows:
        return None
    root: dict[str, _Key] = {}
    for name in base.directory.keys:
        *above, last = name.split(".")
        level = root
        for part in above:
            key = level.setdefault(part, _Key())
            if key.jobs:
                return None
            if key.below is None:
                key.below = {}
            level = key.below
        key = level.setdefault(last, _Key())
        if found := sorted_values(base, name):
            key.sorted, key.jobs = found
        else:
            for chunk, data in base.read_chunks(base.chunk_list(name)):
                key.jobs += chunk.rows
                _add_values(key, base.values_of(chunk, data))
        if len(key.types) > 1 or key.below:
            return None
    corrections = [job_id for table, rows in snapshot.layers[1:] for job_id in table.ids_of(rows)]
    others = sorted(corrections + snapshot.pending)
    if others:
        for _, key in _dotted(root):
            key.spread()
    return root, base.rows, others


def _add_values(key: _Key, values: list[Any]) -> None:
    kinds = set(map(type, values))
    if kinds == {float} and sum(values) != sum(values):
        kinds.add(object)  # one of them may not be a number
    if len(kinds) == 1 and not kinds & {dict, list}:
        key.types.setdefault(kinds.pop(), set()).update(values)
        return
    for value in values:
        if type(value) is dict:
            key.below, key.empty = key.below or {}, True
        else:
            value = hashable(value)
            key.types.setdefault(type(value), set()).add(value)


def _by_name(root: dict[str, _Key]) -> dict[str, _Key]:
    """Keys that have values of their own, by their dotted names."""
    keys: dict[str, _Key] = {}
    for name, key in _dotted(root):
        if name in keys:
            keys[name].add(key)
        else:
            keys[name] = key
    return keys


def _dotted(keys: dict[str, _Key], above: str = "") -> Iterator[tuple[str, _Key]]:
    """Keys that have values of their own, an empty mapping being one, with their dotted names."""
    for name, key in keys.items():
        if key.has_values() or key.empty:
            yield above + name, key
        if key.below:
            yield from _dotted(key.below, f"{above}{name}.")
