"""Jobs that differ in one parameter only.

Parameters are the dotted keys of the state points. Two jobs are neighbours along a parameter when all their other
parameters are identical, by value and type, and no third such job has a value in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from .. import canonical, catalog
from ..trees import leaves
from .schema import hashable, ordered

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["get_neighbors", "job_neighbors", "neighbors_of"]

_EXACT = frozenset({str, int, bool, type(None)})  # equal values of these types are identical ones

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
    parameters = _Parameters(dict(catalog.read_state_points(space, catalog.list_names(space), damaged=damaged)), ignore)
    found: dict[str, Neighbors] = {job_id: {} for job_id in parameters.points}
    for key in parameters.keys:
        if parameters.is_constant(key):
            continue
        lines: dict[tuple[int, ...], list[str]] = {}
        for job_id, point in parameters.points.items():
            if key in point:
                numbers = parameters.numbers[job_id]
                place = numbers.index(point[key])
                lines.setdefault(numbers[:place] + numbers[place + 1 :], []).append(job_id)
        for line in lines.values():
            for job_id, beside in parameters.along(key, line):
                found[job_id][key] = beside
    return found


def job_neighbors(space: Space, job_id: str, state_point: dict[str, Any], ignore: Any = ()) -> Neighbors:
    """Find the neighbours of one job, which need not be initialised; all of its keys are there.

    The parameters and errors are those of :func:`get_neighbors`.
    """
    state_points = dict(catalog.read_state_points(space, catalog.list_names(space)))
    state_points.setdefault(job_id, state_point)
    return _Parameters(state_points, ignore).around(job_id)


def neighbors_of(
    space: Space, ids: Iterable[str], ignore: Any = (), *, damaged: list[str] | None = None
) -> dict[str, Neighbors]:
    """Find the neighbours of some jobs, reading the project once; as :func:`job_neighbors`, per job id.

    Jobs that are damaged or have vanished are left out.
    """
    parameters = _Parameters(dict(catalog.read_state_points(space, catalog.list_names(space), damaged=damaged)), ignore)
    return {job_id: parameters.around(job_id) for job_id in ids if job_id in parameters.points}


class _Parameters:
    """State points as sets of numbered parameters: each number stands for one key with one value."""

    def __init__(self, state_points: Mapping[str, dict[str, Any]], ignore: Any) -> None:
        ignored: set[Any] = {ignore} if isinstance(ignore, str) else set(ignore)
        self._parameters: list[tuple[str, Any]] = []  # key and value by number
        self.points: dict[str, dict[str, int]] = {}  # number by key, without ignored keys
        self.numbers: dict[str, tuple[int, ...]] = {}  # the same numbers, sorted
        by_key: dict[str, list[int]] = {}
        known: dict[tuple[str, type, Any], int] = {}
        for job_id, state_point in state_points.items():
            point = {}
            for key, value in leaves(state_point, addressable=True):
                kind = type(value)
                identity = key, kind, value if kind in _EXACT else canonical.dumps(value, sort_keys=True)
                number = known.get(identity)
                if number is None:
                    number = known[identity] = len(known)
                    self._parameters.append((key, hashable(value)))
                    of_key = by_key.setdefault(key, [])
                    if value != {}:  # which tells jobs apart, but is no value before or after another
                        of_key.append(number)
                point[key] = number
            for key in ignored & point.keys():
                del point[key]
            self.points[job_id] = point
            self.numbers[job_id] = tuple(sorted(point.values()))
        _check_ignored(ignored, by_key.keys(), self.numbers)
        self._by_key = {key: numbers for key, numbers in by_key.items() if numbers and key not in ignored}
        self._place: dict[int, int] = {}
        for numbers in self._by_key.values():
            self._place.update((number, place) for place, number in enumerate(self._in_order(numbers)))
        self.keys = sorted(self._by_key, key=lambda key: (len(self._by_key[key]), key))

    def _in_order(self, numbers: list[int]) -> list[int]:
        """Sort the values of a key: by the name of their type, then by value."""
        by_type: dict[str, list[int]] = {}
        for number in numbers:
            by_type.setdefault(type(self._parameters[number][1]).__name__, []).append(number)
        return [
            number
            for _, of_type in sorted(by_type.items())
            for number in ordered(of_type, value=lambda number: self._parameters[number][1])
        ]

    def is_constant(self, key: str) -> bool:
        """Tell whether a key has the same value wherever it occurs."""
        return len(self._by_key[key]) == 1

    def along(self, key: str, line: list[str]) -> Iterator[tuple[str, dict[Any, str]]]:
        """Neighbours of each of the jobs that differ in nothing but this key."""
        placed = [
            (self._place[number], job_id) for job_id in line if (number := self.points[job_id][key]) in self._place
        ]
        placed.sort()
        for index, (_, job_id) in enumerate(placed):
            beside: dict[Any, str] = {}
            for _, other in placed[max(index - 1, 0) : index] + placed[index + 1 : index + 2]:
                beside.setdefault(self._parameters[self.points[other][key]][1], other)
            yield job_id, beside

    def around(self, center: str) -> Neighbors:
        """Neighbours of one job along all of its keys."""
        own = set(self.numbers[center])
        lines = {key: [center] for key in self.keys if self.points[center].get(key) in self._place}
        for job_id, numbers in self.numbers.items():
            if len(numbers) == len(own) and len(different := own.symmetric_difference(numbers)) == 2:
                key, other_key = (self._parameters[number][0] for number in different)
                if key == other_key and key in lines:
                    lines[key].append(job_id)
        return {key: dict(self.along(key, line))[center] for key, line in lines.items()}


def _check_ignored(ignored: set[Any], known: Set[str], numbers: Mapping[str, tuple[int, ...]]) -> None:
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
    if not left_out:
        return
    alike: dict[tuple[int, ...], list[str]] = {}
    for job_id, own in numbers.items():
        alike.setdefault(own, []).append(job_id)
    confused = [job_ids for job_ids in alike.values() if len(job_ids) > 1]
    if confused:
        shown = " and ".join(confused[0][:2])
        number = sum(map(len, confused))
        more = f", and {number - 2} more jobs cannot either" if number > 2 else ""
        raise ValueError(f"Jobs {shown} cannot be told apart without {', '.join(left_out)}{more}. Ignore less.")
