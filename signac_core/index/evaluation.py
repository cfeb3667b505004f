"""Judging a filter on the distinct values of its keys.

The predicate of a condition is the one that a scan uses, so a filter means the same here as there. Bounds of chunks
only save work: they never decide what the predicate would decide otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..query import MISSING, Condition, Query
from .table import ABSENT, ELSEWHERE, EMPTY, LARGE, NUMBERS, TEXTS, WHOLE, Chunk, Rows, Table

__all__ = ["evaluate", "is_indexable", "rows_that_satisfy", "undecided"]

_ORDERED = frozenset({"$gt", "$gte", "$lt", "$lte"})
_IS_ELSEWHERE = bytes(state == ELSEWHERE for state in range(256))
_SOME_MAPPING = {"": None}
"""Stands for any mapping that is not empty: no predicate looks into it."""


def is_indexable(query: Query) -> bool:
    """Tell whether the index can answer; the code of a ``$where`` runs for no value that a scan would not show it."""
    return all(condition.operator != "$where" for condition in query.conditions)


def evaluate(table: Table, query: Query, present: Rows) -> Rows:
    """Rows, among those present, that match a query about state points."""
    found = query.evaluate(lambda condition: rows_that_satisfy(table, condition), table.all_rows) & present
    unsure = undecided(table, query.conditions) & present
    return (found - unsure) | _matching(table, query, unsure) if unsure.bits else found


def undecided(table: Table, conditions: Collection[Condition]) -> Rows:
    """Rows that conditions have to be judged on by whole state points, or documents: the table lacks long values."""
    found = Rows(0)
    for condition in conditions:
        if condition.path and condition.operator != "$exists":
            large = [chunk for chunk in table.chunk_list(".".join(condition.path)) if chunk.kind == LARGE]
            if large:
                flags = bytearray(table.rows)
                for chunk, data in table.read_chunks(large):
                    _mark(flags, table.rows_of(chunk, data))
                found = found | Rows.of(flags)
    if table.directory.states and (states := table.states()).count(ELSEWHERE) and conditions:
        found = found | Rows.of(states.translate(_IS_ELSEWHERE))
    return found


def _matching(table: Table, query: Query, rows: Rows) -> Rows:
    """Rows, among some, whose state points match."""
    flags = bytearray(table.rows)
    numbers = rows.numbers(table.rows)
    for row, tree in zip(numbers, table.trees(numbers), strict=True):
        flags[row] = query.matches(tree, {})
    return Rows.of(flags)


def rows_that_satisfy(table: Table, condition: Condition) -> Rows:
    """Rows whose value satisfies a condition."""
    if not condition.path:
        return _rows_by_emptiness(table, condition)
    key = ".".join(condition.path)
    if condition.operator == "$exists":
        having = _rows_with_key(table, key)
        return having if condition.test(_SOME_MAPPING) else table.all_rows() - having
    flags = bytearray(table.rows)
    look = []
    take = []
    for chunk in table.chunk_list(key):
        verdict = _judge(chunk, condition)
        if verdict is None:
            look.append(chunk)
        elif verdict:
            take.append(chunk)
    for chunk, data in table.read_chunks(take):
        _mark(flags, table.rows_of(chunk, data))
    test = condition.test
    for chunk, data in table.read_chunks(look):
        verdicts = [bool(test(value)) for value in table.values_of(chunk, data)]
        if True not in verdicts:
            continue
        rows, counts = table.rows_of(chunk, data), table.counts_of(chunk, data)
        if False not in verdicts:
            _mark(flags, rows)
            continue
        start = 0
        for number, wanted in enumerate(verdicts):
            end = start + (1 if counts is None else counts[number])
            if wanted:
                _mark(flags, rows[start:end])
            start = end
    found = Rows.of(flags)
    if table.keys_below(key) and test(_SOME_MAPPING):
        found = found | _rows_below(table, key)
    return found


def _rows_with_key(table: Table, key: str) -> Rows:
    """Rows that have any value under a dotted key, a mapping included."""
    flags = bytearray(table.rows)
    for chunk, data in table.read_chunks(table.chunk_list(key)):
        _mark(flags, table.rows_of(chunk, data))
    return Rows.of(flags) | _rows_below(table, key)


def _rows_below(table: Table, key: str) -> Rows:
    """Rows in which a mapping that is not empty is under the key."""
    flags = bytearray(table.rows)
    for name in table.keys_below(key):
        for chunk, data in table.read_chunks(table.chunk_list(name)):
            _mark(flags, table.rows_of(chunk, data))
    return Rows.of(flags)


def _rows_by_emptiness(table: Table, condition: Condition) -> Rows:
    """Rows that satisfy a condition on the whole state point or document, which is empty, or not, or absent."""
    verdicts = bytearray(256)
    for state, value in ((ABSENT, MISSING), (EMPTY, {}), (WHOLE, _SOME_MAPPING), (ELSEWHERE, _SOME_MAPPING)):
        verdicts[state] = bool(condition.test(value))
    return Rows.of(table.states().translate(verdicts))


def _mark(flags: bytearray, rows: Sequence[int]) -> None:
    for row in rows:
        flags[row] = 1


def _judge(chunk: Chunk, condition: Condition) -> bool | None:
    """Whether all values of a chunk satisfy a condition, or none does; None if they have to be looked at."""
    if chunk.kind not in (NUMBERS, TEXTS):
        return None
    if condition.operator in _ORDERED:
        low, high = bool(condition.test(chunk.low)), bool(condition.test(chunk.high))
        return low if low is high else None
    if condition.operator == "$eq":
        return None if _within(chunk, condition.argument) else False
    if condition.operator == "$in" and isinstance(condition.argument, (list, tuple)):
        return None if any(_within(chunk, member) for member in condition.argument) else False
    return None


def _within(chunk: Chunk, value: Any) -> bool:
    """Tell whether a value can be equal to one of a chunk."""
    kinds: tuple[type, ...] = (int, float) if chunk.kind == NUMBERS else (str,)
    return isinstance(value, kinds) and bool(chunk.low <= value <= chunk.high)
