"""The parameters of many jobs in columns: for each dotted key its distinct values, and which job has which.

What is kept grows with the number of values, not with that of jobs times that of keys.

To find jobs with the same parameters, each pair of a key and a value gets a random number of 128 bits, and each job the
sum (exclusive or) of those of its parameters. Without the number of one parameter, the sums of two jobs are equal if
all their other parameters are; else they are with a probability of 2**-128, whatever the parameters are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple, Protocol

from .. import canonical
from ..trees import leaves

__all__ = ["Column", "Columns", "Line", "Sums", "columns_of", "sums_of"]

_EXACT = frozenset({str, int, bool, type(None)})  # equal values of these types are identical ones

_MANY_ROWS = 20_000
"""From here on the import of numpy pays."""

_BYTES = 16

Line = list[tuple[int, int]]
"""A number for the value, and the row, of several jobs that differ in one key only."""


class Column(NamedTuple):
    """The values of one key.

    Parameters
    ----------
    values : sequence
        The distinct values, by value and type, in any order.
    codes : sequence of int
        The place in ``values`` of the value of each of the jobs that have the key.
    rows : sequence of int
        The rows of these jobs, each once and in any order; a range where all jobs have the key.
    """

    values: Sequence[Any]
    codes: Sequence[int]
    rows: Sequence[int]

    def items(self) -> Iterator[tuple[int, int]]:
        """Row and code of each job that has the key."""
        return zip(self.rows, self.codes, strict=True)

    def code_of(self, row: int) -> int | None:
        """The code in one row, if there is one."""
        if isinstance(self.rows, range):
            return self.codes[row] if row in self.rows else None
        return next((code for other, code in self.items() if other == row), None)

    def with_value(self, value: Any, row: int) -> Column:
        """The same with a value in one more row."""
        wanted, kind = identity(value), type(value)
        alike = (code for code, known in enumerate(self.values) if type(known) is kind)
        code = next((code for code in alike if identity(self.values[code]) == wanted), len(self.values))
        values = [*self.values, value] if code == len(self.values) else self.values
        rows = range(row + 1) if self.rows == range(row) else [*self.rows, row]
        return Column(values, [*self.codes, code], rows)


class Columns(NamedTuple):
    """The columns of some jobs.

    Parameters
    ----------
    ids : sequence of str
        The ids by row, sorted.
    by_key : mapping of str to Column
        The columns by dotted key. A key that cannot be addressed, since a part of it has dots itself, has none.
    """

    ids: Sequence[str]
    by_key: Mapping[str, Column]

    def with_job(self, job_id: str, state_point: Mapping[str, Any]) -> Columns:
        """The same with one more job, in the last row."""
        row = len(self.ids)
        by_key = dict(self.by_key)
        for key, value in leaves(state_point, addressable=True):
            by_key[key] = by_key.get(key, Column((), (), ())).with_value(value, row)
        return Columns([*self.ids, job_id], by_key)


def columns_of(state_points: Iterable[tuple[str, Mapping[str, Any]]]) -> Columns:
    """Make columns of state points by id."""
    ids: list[str] = []
    by_key: dict[str, tuple[dict[Any, int], list[Any], list[int], list[int]]] = {}
    for row, (job_id, state_point) in enumerate(state_points):
        ids.append(job_id)
        for key, value in leaves(state_point, addressable=True):
            column = by_key.get(key)
            if column is None:
                column = by_key[key] = {}, [], [], []
            known, values, codes, rows = column
            kind = type(value)
            name = (kind, value) if kind in _EXACT else identity(value)
            code = known.get(name)
            if code is None:
                code = known[name] = len(values)
                values.append(value)
            codes.append(code)
            rows.append(row)
    return Columns(
        ids,
        {
            key: Column(values, codes, range(len(ids)) if len(rows) == len(ids) else rows)
            for key, (_, values, codes, rows) in by_key.items()
        },
    )


def identity(value: Any) -> Any:
    """What two values have in common if they make the same contribution to a job id, and no other two."""
    kind = type(value)
    if kind in _EXACT or (kind is float and value and value == value):
        return kind, value
    return kind, canonical.dumps(value, sort_keys=True)


# --- sums -------------------------------------------------------------------------------------------------------------


class Sums(Protocol):
    """The sums of all jobs."""

    def lines(self, key: str, none: int | None, wanted: Set[int] | None) -> Iterator[Line]:
        """Lines along a key of several jobs, as codes and rows, without the jobs that have the code ``none``.

        Of all rows, or of those that are wanted and the others in their lines.
        """

    def alike(self) -> list[list[int]]:
        """Rows of jobs that have the same parameters, in the order of the first one."""


def sums_of(columns: Mapping[str, Column], number: int) -> Sums:
    """Sums of the parameters in so many rows."""
    return _Few(columns, number) if number <= _MANY_ROWS else _Many(columns, number)


class _Few:
    """Sums as Python integers."""

    def __init__(self, columns: Mapping[str, Column], number: int) -> None:
        self._columns = columns
        self._numbers: dict[str, list[int]] = {}
        self._sums = sums = [0] * number
        for key, column in columns.items():
            data = os.urandom(_BYTES * len(column.values))
            numbers = [int.from_bytes(data[start : start + _BYTES]) for start in range(0, len(data), _BYTES)]
            self._numbers[key] = numbers
            for row, code in column.items():
                sums[row] ^= numbers[code]

    def lines(self, key: str, none: int | None, wanted: Set[int] | None) -> Iterator[Line]:
        sums, numbers = self._sums, self._numbers[key]
        found: dict[int, Line] = {}
        for row, code in self._columns[key].items():
            if code != none:
                found.setdefault(sums[row] ^ numbers[code], []).append((code, row))
        for line in found.values():
            if len(line) > 1 and (wanted is None or any(row in wanted for _, row in line)):
                yield line

    def alike(self) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for row, own in enumerate(self._sums):
            found.setdefault(own, []).append(row)
        return [rows for rows in found.values() if len(rows) > 1]


class _Many:
    """Sums in two arrays of 64 bits."""

    def __init__(self, columns: Mapping[str, Column], number: int) -> None:
        import numpy as np

        self._columns = columns
        self._numbers: dict[str, Any] = {}
        self._sums = np.zeros((2, number), np.uint64)
        for key, column in columns.items():
            data = os.urandom(_BYTES * len(column.values))
            numbers = self._numbers[key] = np.frombuffer(data, np.uint64).reshape(2, -1)
            codes = np.asarray(column.codes)
            self._sums[:, _places(column.rows)] ^= numbers[:, codes]

    def lines(self, key: str, none: int | None, wanted: Set[int] | None) -> Iterator[Line]:
        import numpy as np

        column = self._columns[key]
        codes, rows = np.asarray(column.codes), np.asarray(column.rows)
        if none is not None:
            codes, rows = codes[codes != none], rows[codes != none]
        sums = self._sums[:, rows] ^ self._numbers[key][:, codes]
        keep = _repeated(sums[0])
        if wanted is not None:
            targets = sums[0, np.isin(rows, list(wanted))]
            keep = keep[np.isin(sums[0, keep], targets)]
        order = keep[np.lexsort(tuple(sums[:, keep]))]
        pairs = list(zip(codes[order].tolist(), rows[order].tolist(), strict=True))
        return (line for line in _split(sums[:, order], pairs) if len(line) > 1)

    def alike(self) -> list[list[int]]:
        import numpy as np

        keep = np.sort(_repeated(self._sums[0]))
        order = keep[np.lexsort(tuple(self._sums[:, keep]))]  # of equal ones, the first stays the first
        return sorted(rows for rows in _split(self._sums[:, order], order.tolist()) if len(rows) > 1)


def _repeated(numbers: Any) -> Any:
    """Where numbers are that occur more than once."""
    import numpy as np

    order = np.argsort(numbers)
    same = numbers[order[1:]] == numbers[order[:-1]]
    repeated = np.zeros(len(order), bool)
    repeated[1:] |= same
    repeated[:-1] |= same
    return order[repeated]


def _places(rows: Sequence[int]) -> Any:
    import numpy as np

    return slice(rows.start, rows.stop) if isinstance(rows, range) else np.asarray(rows)


def _split(sums: Any, items: list[Any]) -> Iterator[list[Any]]:
    """Items in pieces that have the same sum."""
    import numpy as np

    ends = np.flatnonzero((sums[:, 1:] != sums[:, :-1]).any(axis=0)) + 1
    start = 0
    for end in [*ends.tolist(), len(items)] if items else ():
        yield items[start:end]
        start = end
