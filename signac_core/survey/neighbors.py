"""Jobs that differ in one parameter only.

Parameters are the dotted keys of the state points. Two jobs are neighbours along a parameter when all their other
parameters are identical, by value and type, and no third such job has a value in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from .. import catalog
from .parameters import Column, Columns, Line, Sums, columns_of, sums_of
from .schema import hashable, ordered

if TYPE_CHECKING:
    from ..index.snapshot import Snapshot
    from ..workspace import Space

__all__ = ["Parameters", "get_neighbors", "job_neighbors", "neighbors_of"]

_FEW_JOBS = 8  # so many are compared with all others one by one

Neighbors = dict[str, dict[Any, str]]
"""Per dotted key, the ids of the previous and of the next job by their values."""


def get_neighbors(space: Space, ignore: Any = (), *, damaged: list[str] | None = None) -> dict[str, Neighbors]:
    """Find the neighbours of all jobs; see :meth:`Project.get_neighbors`.

    Per job id and dotted key, the neighbouring values and the ids of the jobs that have them: the previous one, then
    the next one. Keys with one value in the whole project are left out. Of two neighbours whose values Python takes for
    one key of a dict (``1`` and ``True``) there is the previous one only. ``ignore`` has dotted keys to leave out of
    the comparison; a list of ``damaged`` ids takes those of damaged jobs.

    Raises ValueError if jobs cannot be told apart without the ignored keys.
    """
    parameters = Parameters(_read_columns(space, damaged), ignore)
    return parameters.around_all()


def job_neighbors(space: Space, job_id: str, state_point: dict[str, Any], ignore: Any = ()) -> Neighbors:
    """Find the neighbours of one job, which need not be initialised; all of its keys are there.

    The parameters and errors are those of :func:`get_neighbors`.
    """
    columns = _read_columns(space, None)
    if job_id not in columns.ids:
        columns = columns.with_job(job_id, state_point)
    parameters = Parameters(columns, ignore)
    return parameters.around(columns.ids.index(job_id))


def neighbors_of(
    space: Space, ids: Iterable[str], ignore: Any = (), *, damaged: list[str] | None = None
) -> dict[str, Neighbors]:
    """Find the neighbours of some jobs, reading the project once; as :func:`job_neighbors`, per job id.

    Jobs that are damaged or have vanished are left out.
    """
    columns = _read_columns(space, damaged)
    parameters = Parameters(columns, ignore)
    wanted = dict.fromkeys(ids)
    rows = {job_id: row for row, job_id in enumerate(columns.ids) if job_id in wanted}
    if len(rows) <= _FEW_JOBS:
        return {job_id: parameters.around(rows[job_id]) for job_id in wanted if job_id in rows}
    return parameters.around_many({rows[job_id]: job_id for job_id in wanted if job_id in rows})


def _read_columns(space: Space, damaged: list[str] | None) -> Columns:
    """Columns of all jobs: those of the index, or made of state points where it does not hold just these jobs."""
    columns = catalog.ask_index(space, _indexed_columns)
    if columns is None:
        columns = columns_of(catalog.read_state_points(space, catalog.list_names(space), damaged=damaged))
    return columns


def _indexed_columns(snapshot: Snapshot) -> Columns | None:
    from array import array

    from ..index.selection import chunks_of, has_column

    table = snapshot.base
    if not snapshot.is_base_only() or not all(has_column(table, key) for key in table.directory.keys):
        return None
    by_key = {}
    for key in table.directory.keys:
        values: list[Any] = []
        codes, rows = array("I"), array("I")
        for some, places, counts in chunks_of(table, key):
            first = len(values)
            values += some
            rows.extend(places)
            if counts is None:
                codes.extend(range(first, len(values)))
            else:
                codes.extend(chain.from_iterable(map(repeat, range(first, len(values)), counts)))
        by_key[key] = Column(values, codes, rows)
    return Columns(snapshot.names(), by_key)


class Parameters:
    """Columns without those that are ignored, with the order of their values.

    Warns of unknown keys, and raises ValueError if jobs cannot be told apart without the ignored ones.
    """

    def __init__(self, columns: Columns, ignore: Any) -> None:
        ignored: set[Any] = {ignore} if isinstance(ignore, str) else set(ignore)
        self._ids = columns.ids
        self._columns = {key: column for key, column in columns.by_key.items() if key not in ignored}
        _check_ignored(ignored, columns.by_key.keys(), columns.ids, lambda: self._sums.alike())
        self._sizes = {
            key: len(column.values) - (_empty_mapping(column) is not None) for key, column in self._columns.items()
        }
        self._keys = sorted(filter(self._sizes.get, self._columns), key=lambda key: (self._sizes[key], key))

    @cached_property
    def _sums(self) -> Sums:
        return sums_of(self._columns, len(self._ids))

    def around_all(self) -> dict[str, Neighbors]:
        """Neighbours of all jobs along the keys that have several values."""
        found: list[Neighbors] = [{} for _ in self._ids]
        for key in self._keys:
            if self._sizes[key] > 1:
                for row in self._rows(key):
                    found[row][key] = {}
                for line, values in self._lines(key):
                    for index, (_, row) in enumerate(line):
                        found[row][key] = self._beside(line, index, values)
        return dict(zip(self._ids, found, strict=True))

    def around_many(self, ids: Mapping[int, str]) -> dict[str, Neighbors]:
        """Neighbours of the jobs in some rows along all of their keys."""
        found: dict[int, Neighbors] = {row: {} for row in ids}
        for key in self._keys:
            for row in found.keys() & set(self._rows(key)):
                found[row][key] = {}
            for line, values in self._lines(key, found.keys()):
                for index, (_, row) in enumerate(line):
                    if row in found:
                        found[row][key] = self._beside(*_without_twins(line, index), values)
        return {ids[row]: beside for row, beside in found.items()}

    def _rows(self, key: str) -> Iterable[int]:
        """Rows of the jobs with a value that others can be before or after."""
        column = self._columns[key]
        none = _empty_mapping(column)
        return column.rows if none is None else (row for row, code in column.items() if code != none)

    def _lines(self, key: str, wanted: Set[int] | None = None) -> Iterator[tuple[Line, list[Any]]]:
        """Lines of several jobs along a key: place of the value, and row; and the values by their places.

        ``wanted`` are the rows that somebody wants to know about.
        """
        column = self._columns[key]
        lines = list(self._sums.lines(key, _empty_mapping(column), wanted))
        places, values = _order(column, {code for line in lines for code, _ in line})
        for line in lines:
            yield sorted([(places[code], row) for code, row in line]), values

    def around(self, row: int) -> Neighbors:
        """Neighbours of the job in one row along all of its keys."""
        own = {key: code for key, column in self._columns.items() if (code := column.code_of(row)) is not None}
        different = self._different_in_one(own)
        found: Neighbors = {}
        for key in self._keys:
            code = own.get(key)
            if code is None or code == _empty_mapping(self._columns[key]):
                continue
            beside = different.get(key, {})
            places, values = _order(self._columns[key], {code, *beside.values()})
            line = sorted([(places[code], row), *((places[c], other) for other, c in beside.items() if c in places)])
            found[key] = self._beside(line, line.index((places[code], row)), values)
        return found

    def _different_in_one(self, own: dict[str, int]) -> dict[str, dict[int, int]]:
        """The rows, with their codes, that differ from some codes in one key only, by key."""
        same: Iterable[int] | None = None  # rows that do not differ in any of the keys so far
        different: dict[str, dict[int, int]] = {}
        # first the keys that leave the fewest rows
        for key in sorted(own, key=lambda key: -len(self._columns[key].values)):
            column, code = self._columns[key], own[key]
            if same is None:
                different[key] = {row: other for row, other in column.items() if other != code}
                same = [row for row, other in column.items() if other == code]
                continue
            get = column.codes.__getitem__ if isinstance(column.rows, range) else dict(column.items()).get
            different = {
                other_key: {row: other for row, other in rows.items() if get(row) == code}
                for other_key, rows in different.items()
            }
            found = [(row, get(row)) for row in same]
            different[key] = {row: other for row, other in found if other is not None and other != code}
            same = [row for row, other in found if other == code]
        candidates = set().union(*different.values())
        for key, column in self._columns.items():
            if candidates and key not in own:
                candidates.difference_update(column.rows)
        return {key: {row: code for row, code in rows.items() if row in candidates} for key, rows in different.items()}

    def _beside(self, line: Line, index: int, values: list[Any]) -> dict[Any, str]:
        """The previous and the next job in a line, by their values."""
        beside: dict[Any, str] = {}
        for place, row in line[max(index - 1, 0) : index] + line[index + 1 : index + 2]:
            beside.setdefault(values[place], self._ids[row])
        return beside


def _without_twins(line: Line, index: int) -> tuple[Line, int]:
    """A line, and the place of a job in it, without others that have the same value.

    There are such if jobs differ in nothing but keys that cannot be addressed.
    """
    own = line[index]
    if all(place != own[0] for place, _ in line[max(index - 1, 0) : index] + line[index + 1 : index + 2]):
        return line, index
    others = [pair for pair in line if pair[0] != own[0] or pair == own]
    return others, others.index(own)


def _empty_mapping(column: Column) -> int | None:
    """The code of the empty mapping, which tells jobs apart, but is no value before or after another."""
    return next((code for code, kind in enumerate(map(type, column.values)) if kind is dict), None)


def _order(column: Column, wanted: Set[int]) -> tuple[dict[int, int], list[Any]]:
    """Places of some codes of a column, and values by place: sorted by the name of their type, then by value.

    There are none of empty mappings, and there may be those of other codes.
    """
    codes: Iterable[int] = wanted
    if any(isinstance(column.values[code], list) for code in codes):
        codes = range(len(column.values))  # whether lists can be compared depends on all of them
    values = {code: hashable(column.values[code]) for code in codes if not isinstance(column.values[code], dict)}
    by_type: dict[str, list[int]] = {}
    for code, value in values.items():
        by_type.setdefault(type(value).__name__, []).append(code)
    zeros = [code for code in by_type.get("float", ()) if not values[code]]
    if len(zeros) > 1:  # 0.0 and -0.0, which are equal: the one that the first job has comes first
        first = {zero: min(row for row, code in column.items() if code == zero) for zero in zeros}
        by_type["float"].sort(key=lambda code: first.get(code, -1))
    order = [
        code for _, of_type in sorted(by_type.items()) for code in ordered(of_type, value=lambda code: values[code])
    ]
    return {code: place for place, code in enumerate(order)}, [values[code] for code in order]


def _check_ignored(ignored: set[Any], known: Set[str], ids: Any, alike: Callable[[], list[list[int]]]) -> None:
    """Warn of unknown keys, and refuse to confuse jobs."""
    unknown = sorted(map(repr, ignored - known))
    if unknown:
        import warnings

        from ..nearest import nearest_key

        near = (nearest_key(str(key).removeprefix("sp."), sorted(known)) for key in ignored - known)
        close = [key for key in near if key is not None]
        advice = f" Did you mean {', '.join(sorted(map(repr, close)))}?" if close else ""
        warnings.warn(
            f"No job has the ignored state point parameter{'s'[: len(unknown) > 1]} {', '.join(unknown)}.{advice}",
            RuntimeWarning,
            stacklevel=5,
        )
    left_out = sorted(map(repr, ignored & known))
    confused = alike() if left_out else []
    if confused:
        shown = " and ".join(ids[row] for row in confused[0][:2])
        number = sum(map(len, confused))
        more = f", and {number - 2} more jobs cannot either" if number > 2 else ""
        raise ValueError(f"Jobs {shown} cannot be told apart without {', '.join(left_out)}{more}. Ignore less.")
