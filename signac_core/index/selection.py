"""Jobs that were selected, as numbers: their ids, state points and values are fetched when they are asked for.

A *place* is the row of a job in the base, or the number of rows of the base plus its row in the delta; jobs that the
index does not hold have the places behind these. A million places take 4 MB, all jobs of a base none.

Values under keys come from the columns of the keys, or from whole state points: reading a column takes time for each
row of a table, reading state points takes some for each block of texts and more for each job; what is less is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from .table import ID_BYTES, LARGE, ROWS_PER_BLOCK, Rows, Table

if TYPE_CHECKING:
    from .snapshot import Snapshot
    from .texts import Lines

__all__ = [
    "AT_ONCE",
    "SCATTERED_AT_ONCE",
    "Postings",
    "Selection",
    "chunks_of",
    "has_column",
    "postings_of",
    "select",
    "selection_of",
    "texts_are_quicker",
    "values_at",
]

_T = TypeVar("_T")

AT_ONCE = 1024
"""Jobs whose state points are fetched together: some blocks of texts."""
SCATTERED_AT_ONCE = 32_768
"""The same where each of them may be in another block."""
_IDS_AT_ONCE = 4096
_ROWS_PER_VALUE = 16
_ROW_OF_COLUMN = 0.1  # microseconds that it takes to read a row of a column,
_BLOCK = 25.0  # a block of texts,
_TREE = 2.0  # and a state point in it


def select(snapshot: Snapshot, rows: Sequence[Rows], rest: Sequence[str] = ()) -> Selection:
    """Jobs in some rows of each layer, and others that the index does not hold, sorted by their ids."""
    base = snapshot.base
    places = rows[0].numbers(base.rows)
    others: list[tuple[str, int]] = []
    first = base.rows
    for layer, some in zip(snapshot.layers[1:], rows[1:], strict=True):
        numbers = some.numbers(layer.table.rows)
        others += zip(layer.table.ids_at(numbers), [first + row for row in numbers], strict=True)
        first += layer.table.rows
    others += zip(rest, range(first, first + len(rest)), strict=True)
    return Selection(snapshot, _with_others(base, places, sorted(others)) if others else places, rest)


def selection_of(snapshot: Snapshot, ids: Sequence[str]) -> Selection:
    """Jobs that are named, in the order of the ids."""
    if isinstance(ids, Selection) and ids.snapshot is snapshot:
        return ids
    if snapshot.is_base_only() and len(ids) == snapshot.base.rows and _are_all(snapshot.base, ids):
        return Selection(snapshot, range(snapshot.base.rows))
    from array import array  # what asks about all jobs pays for no import

    found: dict[str, int] = {}
    first = 0
    for table, present in snapshot.layers:
        flags = present.flags(table.rows)
        found.update((name, first + row) for name, row in table.positions(ids).items() if flags[row])
        first += table.rows
    rest = [name for name in dict.fromkeys(ids) if name not in found] if len(found) < len(ids) else []
    found.update(zip(rest, range(first, first + len(rest)), strict=True))
    return Selection(snapshot, array("I", map(found.__getitem__, ids)), rest, at_once=SCATTERED_AT_ONCE)


def _are_all(table: Table, ids: Sequence[str]) -> bool:
    """Tell whether ids are just those of a table, in their order."""
    for first in range(0, table.rows, _IDS_AT_ONCE):
        rows = range(first, min(first + _IDS_AT_ONCE, table.rows))
        if "\n".join(ids[first : rows.stop]) != table.packed_ids(rows).hex("\n", ID_BYTES):
            return False
    return True


def _with_others(base: Table, places: Sequence[int], others: Sequence[tuple[str, int]]) -> Sequence[int]:
    """Rows of the base with the places of other jobs between them, by id."""
    from array import array
    from bisect import bisect_left

    merged = array("I")
    start = 0
    rows = base.rows_behind(job_id for job_id, _ in others)
    for (_, place), row in zip(others, rows, strict=True):
        end = bisect_left(places, row, lo=start)
        merged.extend(places[start:end])
        merged.append(place)
        start = end
    merged.extend(places[start:])
    return merged


class Selection(Sequence[str]):
    """Ids of jobs in some order, as long as the index stays open: a list that is made piece by piece."""

    __slots__ = ("_ends", "at_once", "places", "rest", "snapshot")

    def __init__(
        self, snapshot: Snapshot, places: Sequence[int], rest: Sequence[str] = (), *, at_once: int = AT_ONCE
    ) -> None:
        self.snapshot = snapshot
        self.places = places
        self.rest = rest
        self.at_once = at_once  # jobs that are best asked about together: more where neighbours are far from each other
        ends = [0]
        for layer in snapshot.layers:
            ends.append(ends[-1] + layer.table.rows)
        self._ends = ends

    # a sequence of ids --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self.places), _IDS_AT_ONCE):
            yield from self._ids(self.places[start : start + _IDS_AT_ONCE])

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Selection: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Selection(self.snapshot, self.places[index], self.rest, at_once=self.at_once)
        return self._ids([self.places[index]])[0]

    def __eq__(self, other: object) -> bool:
        return len(self) == len(other) and list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def in_order(self, rows: Sequence[int]) -> Selection:
        """Jobs in another order, by their numbers in this one."""
        from array import array

        places = array("I", map(self.places.__getitem__, rows))
        return Selection(self.snapshot, places, self.rest, at_once=SCATTERED_AT_ONCE)

    def is_base(self) -> bool:
        """Tell whether these are all jobs of the index, row by row, which has one layer."""
        rows = self.snapshot.base.rows
        return self.snapshot.is_base_only() and isinstance(self.places, range) and self.places == range(rows)

    def _ids(self, places: Sequence[int]) -> list[str]:
        return self.fetch(places, lambda table, rows: table.ids_at(rows), self.rest.__getitem__)

    # what is known of the jobs ------------------------------------------------------------------------------------

    def fetch(
        self,
        places: Sequence[int],
        from_table: Callable[[Table, Sequence[int]], Sequence[_T]],
        otherwise: Callable[[int], _T],
    ) -> list[_T]:
        """Ask the tables about rows, sorted ones of each, and for the others one by one; answers by place.

        No table is asked about a row twice, also where a job has been named twice.
        """
        ends = self._ends
        if isinstance(places, range) and places.step > 0 and (not places or places[-1] < ends[1]):  # as they are in it
            answers = from_table(self.snapshot.base, places)
            return answers if isinstance(answers, list) else list(answers)
        order = sorted(range(len(places)), key=places.__getitem__)
        found: dict[int, _T] = {}
        start, number = 0, len(order)
        for layer, (first, end) in zip(self.snapshot.layers, pairwise(ends), strict=True):
            stop = start
            while stop < number and places[order[stop]] < end:
                stop += 1
            if stop > start:
                rows = [places[at] - first for at in order[start:stop]]
                found.update(zip(order[start:stop], _ask_once(layer.table, rows, from_table), strict=True))
            start = stop
        for at in order[start:]:
            found[at] = otherwise(places[at] - ends[-1])
        return [found[at] for at in range(number)]

    def by_table(self) -> Iterator[tuple[Table, bytes, int]]:
        """Tables, with a flag for each row, 1 for those that are selected, and the number of these."""
        for layer, (first, end) in zip(self.snapshot.layers, pairwise(self._ends), strict=True):
            if isinstance(self.places, range) and len(self.places) == end - first and first in self.places:
                flags = bytearray(b"\1" * (end - first))
            else:
                flags = bytearray(end - first)
                for place in self.places:
                    if first <= place < end:
                        flags[place - first] = 1
            yield layer.table, bytes(flags), flags.count(1)

    def blocks(self) -> Iterator[Selection]:
        """Parts of the selection, one after the other."""
        for start in range(0, len(self.places), self.at_once):
            yield self[start : start + self.at_once]

    def trees(self) -> list[Any]:
        """State points of all jobs, None of those that the index does not hold."""
        return self.fetch(self.places, lambda table, rows: list(table.trees(rows)), lambda at: None)

    def lines(self) -> tuple[list[bytes | None], bool]:
        """State points as texts, None where the index does not hold them, and whether all are plain."""
        plain = True

        def read(table: Table, rows: Sequence[int]) -> list[bytes | None]:
            nonlocal plain
            lines: Lines = table.texts.lines(rows)
            plain = plain and lines.plain
            return list(lines.texts)

        return self.fetch(self.places, read, lambda at: None), plain


def _ask_once(
    table: Table, rows: list[int], from_table: Callable[[Table, Sequence[int]], Sequence[_T]]
) -> Sequence[_T]:
    """What a table says about rows, which are sorted and may be there more than once."""
    distinct = list(dict.fromkeys(rows))
    answers = from_table(table, distinct)
    if len(distinct) == len(rows):
        return answers
    known = dict(zip(distinct, answers, strict=True))
    return list(map(known.__getitem__, rows))


# --- values under keys -----------------------------------------------------------------------------------------------


def values_at(selection: Selection, keys: Sequence[str], *, missing: Any, unread: Any) -> list[list[Any]]:
    """Values under dotted keys: scalars, lists, mappings, or ``missing``; equal values may be one object.

    Those of jobs that the index does not hold are ``unread``.
    """
    columns: dict[str, list[Any]] = {}
    if not texts_are_quicker(selection, len(keys)):
        columns = {key: _column(selection, key, missing, unread) for key in keys if _has_column(selection, key)}
    rest = [key for key in keys if key not in columns]
    if rest:
        columns |= zip(rest, _from_texts(selection, rest, missing, unread), strict=True)
    return [columns[key] for key in keys]


def texts_are_quicker(selection: Selection, keys: int) -> bool:
    """Tell whether it takes less to read the state points of some jobs than so many columns."""
    rows = sum(layer.table.rows for layer in selection.snapshot.layers)
    number = len(selection)
    blocks = min(number, rows // ROWS_PER_BLOCK + 1)
    return blocks * _BLOCK + number * _TREE < keys * rows * _ROW_OF_COLUMN


def _has_column(selection: Selection, key: str) -> bool:
    """Tell whether all values of a key are in its column: none is a mapping or very long."""
    tables = [layer.table for layer in selection.snapshot.layers]
    return all(not table.keys_below(key) and has_column(table, key) for table in tables)


def has_column(table: Table, key: str) -> bool:
    """Tell whether all leaves of a key are in its column: none is very long."""
    return all(chunk.kind != LARGE for chunk in table.chunk_list(key))


Postings: TypeAlias = list[tuple[Any, Sequence[int]]]
"""Values of a key, each with its rows, which are sorted; equal values of different types come apart."""


def postings_of(table: Table, key: str) -> Postings | None:
    """All values of a key; None if some are not in its column, or they are so many that its values by row take less."""
    chunks = table.chunk_list(key)
    if (
        table.keys_below(key)
        or not has_column(table, key)
        or sum(chunk.values for chunk in chunks) * _ROWS_PER_VALUE > table.rows
    ):
        return None
    found = [posting for chunk, data in table.read_chunks(chunks) for posting in table.postings(chunk, data)]
    return [(value, rows) for value, rows in found if rows]


def _column(selection: Selection, key: str, missing: Any, unread: Any) -> list[Any]:
    def read(table: Table, rows: Sequence[int]) -> list[Any]:
        column = table.column(key, missing)
        return column if len(rows) == table.rows else list(map(column.__getitem__, rows))

    return selection.fetch(selection.places, read, lambda at: unread)


def _from_texts(selection: Selection, keys: Sequence[str], missing: Any, unread: Any) -> list[list[Any]]:
    from ..trees import look_up

    paths = [key.split(".") for key in keys]
    columns: list[list[Any]] = [[] for _ in keys]
    for block in selection.blocks():
        trees = block.trees()
        for column, path in zip(columns, paths, strict=True):
            column += [unread if tree is None else look_up(tree, path, missing) for tree in trees]
    return columns


def chunks_of(table: Table, key: str) -> Iterator[tuple[list[Any], Sequence[int], Sequence[int] | None]]:
    """Values of a key chunk by chunk, their rows value by value, and how many each has (None if each has one)."""
    path = key.split(".")
    for chunk, data in table.read_chunks(table.chunk_list(key)):
        rows = table.rows_of(chunk, data)
        if chunk.kind == LARGE:
            from ..trees import look_up

            yield [look_up(tree, path, None) for tree in table.trees(rows)], rows, None
        else:
            yield table.values_of(chunk, data), rows, table.counts_of(chunk, data)
