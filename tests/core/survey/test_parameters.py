from __future__ import annotations

import math
import random
import sys
import warnings
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signac_core import canonical
from signac_core.survey import parameters
from signac_core.survey.neighbors import Parameters
from signac_core.survey.parameters import Column, Columns, columns_of
from signac_core.survey.schema import hashable, ordered
from signac_core.trees import identical, leaves
from tests.support.patches import for_some_cases

NAN = math.nan

VALUES = st.sampled_from(
    [0, 1, 1.0, True, False, 0.0, -0.0, NAN, 2.5, math.inf, None, "", "1", "x", {}, [], [1], [1.0], [0.0], [-0.0]]
    + [[1, "x"], ["y", 2], [NAN], [{"x": 1, "y": [1]}], [{"y": [1], "x": 1}], [[1], [2]], 10**30]
)  # fmt: skip
NUMBERS = st.integers(0, 3)
LEAVES = VALUES | NUMBERS | NUMBERS


def state_points() -> st.SearchStrategy[list[dict[str, Any]]]:
    """State points in which many differ in one key only; some have keys that cannot be addressed."""
    nested = st.fixed_dictionaries({}, optional={"x": LEAVES, "y": NUMBERS})
    point = st.fixed_dictionaries({"a": LEAVES}, optional={"b": NUMBERS, "n": nested, "l": VALUES, "d.k": NUMBERS})
    return st.lists(point, max_size=14)


def named(points: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{number:032x}": point for number, point in enumerate(points)}


def text(neighbors: dict[str, dict[Any, str]]) -> dict[str, list[tuple[str, str]]]:
    """Neighbours with the text of their values, so that ``1`` is not ``True``, and 0.0 not -0.0."""
    return {key: [(repr(value), job_id) for value, job_id in beside.items()] for key, beside in neighbors.items()}


class Points:
    """State points, whose neighbours are found by comparing each with each."""

    def __init__(self, points: dict[str, dict[str, Any]], ignored: str) -> None:
        self.parts = {
            job_id: {key: value for key, value in leaves(point, addressable=True) if key != ignored}
            for job_id, point in points.items()
        }
        self.keys = {key for part in self.parts.values() for key, value in part.items() if value != {}}

    def distinct(self, key: str) -> list[Any]:
        """The values of a key in their order."""
        found: list[Any] = []
        for part in self.parts.values():
            if key in part and part[key] != {} and not any(identical(part[key], value) for value in found):
                found.append(part[key])
        by_type: dict[str, list[Any]] = {}
        for value in found:
            by_type.setdefault(type(hashable(value)).__name__, []).append(value)
        return [value for _, values in sorted(by_type.items()) for value in ordered(values, value=hashable)]

    def lines(self, job_id: str, key: str) -> list[tuple[int, str]]:
        """Places of values and ids of the jobs that differ from one in nothing but a key, or not at all."""
        own, order = dict(self.parts[job_id], **{key: None}), self.distinct(key)
        return sorted(
            (next(place for place, value in enumerate(order) if identical(part[key], value)), other)
            for other, part in self.parts.items()
            if part.get(key, {}) != {} and identical(dict(part, **{key: None}), own)
        )

    def around(self, job_id: str, key: str, *, twins: bool) -> list[tuple[str, str]]:
        """Neighbours along one key; of jobs with the same values, the others are left out or not."""
        order, line = self.distinct(key), self.lines(job_id, key)
        (place,) = (place for place, other in line if other == job_id)
        if not twins:
            line = [pair for pair in line if pair[0] != place or pair[1] == job_id]
        index = line.index((place, job_id))
        beside: dict[Any, str] = {}
        for other_place, other in line[max(index - 1, 0) : index] + line[index + 1 : index + 2]:
            beside.setdefault(hashable(order[other_place]), other)
        return [(repr(value), other) for value, other in beside.items()]

    def expected(self, job_id: str, *, twins: bool) -> dict[str, list[tuple[str, str]]]:
        own = [key for key in self.parts[job_id] if self.parts[job_id][key] != {}]
        sizes = {key: len(self.distinct(key)) for key in own}
        keys = sorted(own, key=lambda key: (sizes[key], key))
        return {key: self.around(job_id, key, twins=twins) for key in keys if not (twins and sizes[key] == 1)}


@pytest.fixture(params=["few", "many"])
def number(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How many jobs there are, in the eyes of the program: with many it takes numpy."""
    with for_some_cases():
        monkeypatch.setattr(parameters, "_MANY_ROWS", 0 if request.param == "many" else 1000)
    return str(request.param)


def shuffled(columns: Columns, chance: random.Random) -> Columns:
    """The same columns with their values and rows in another order, as an index may have them."""
    by_key = {}
    for key, (values, codes, rows) in columns.by_key.items():
        order = chance.sample(range(len(values)), len(values))
        pairs = [(row, order.index(code)) for row, code in zip(rows, codes, strict=True)]
        if not isinstance(rows, range):
            chance.shuffle(pairs)
            rows = [row for row, _ in pairs]
        by_key[key] = Column([values[code] for code in order], [code for _, code in pairs], rows)
    return columns._replace(by_key=by_key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state_points(), st.sampled_from(["", "", "", "a", "d.k", "n.y"]), st.randoms(use_true_random=False))
@example([{"a": 0.0}, {"a": -0.0}, {"a": 1}, {"a": True}, {"a": 1.0}], "", random.Random(1))
@example([{"a": 1, "d.k": 1}, {"a": 1, "d.k": 2}, {"a": 2, "d.k": 1}, {"a": {}}], "", random.Random(1))
@example([], "", random.Random(1))
def test_neighbors_when_found_in_columns_then_those_of_a_comparison_of_each_with_each(number, points, ignored, chance):
    points = named(points)
    reference = Points(points, ignored)
    columns = shuffled(columns_of(points.items()), chance)
    refusal = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = Parameters(columns, (ignored,))
        except ValueError as error:
            refusal = str(error)
    groups = Counter(canonical.calc_id(part) for part in reference.parts.values())
    alike = sum(size for size in groups.values() if size > 1)
    is_known = any(ignored in dict(leaves(point, addressable=True)) for point in points.values())
    assert bool(refusal) == (is_known and alike > 1)
    if refusal:
        assert (f"{alike - 2} more jobs" in refusal) == (alike > 2)
        return
    assert {job_id: text(own) for job_id, own in found.around_all().items()} == {
        job_id: reference.expected(job_id, twins=True) for job_id in points
    }
    around = {job_id: reference.expected(job_id, twins=False) for job_id in points}
    assert {job_id: text(found.around(row)) for row, job_id in enumerate(columns.ids)} == around
    many = found.around_many(dict(enumerate(columns.ids)))
    assert {job_id: text(own) for job_id, own in many.items()} == around
    assert [list(own) for own in many.values()] == [list(own) for own in around.values()]


@given(state_points(), state_points())
def test_neighbors_when_of_a_job_that_is_not_there_then_as_if_it_were(points, more):
    known = columns_of(named(points).items())
    for point in more:
        columns = known.with_job("f" * 32, point)
        expected = columns_of({**named(points), "f" * 32: point}.items())
        assert text(Parameters(columns, ()).around(len(points))) == text(Parameters(expected, ()).around(len(points)))


@pytest.mark.parametrize("ignored", ["seed", "seed T"])
def test_jobs_when_they_cannot_be_told_apart_then_the_first_of_them_are_named(number, ignored):
    points = named([{"T": T, "seed": seed} for seed in range(3) for T in range(40)])
    with pytest.raises(ValueError, match=f"Jobs {0:032x} and {40 if ignored == 'seed' else 1:032x} .* 118 more jobs"):
        Parameters(columns_of(points.items()), ignored.split())


def test_columns_when_few_jobs_have_a_key_then_as_long_as_there_are_values():
    columns = columns_of(named([{"a": number, f"k{number}": 1.5} for number in range(50)]).items())
    assert len(columns.by_key) == 51
    assert sum(len(codes) for _, codes, _ in columns.by_key.values()) == 100
    assert columns.by_key["a"].rows == range(50)
    assert list(columns.by_key["k7"].items()) == [(7, 0)]


def test_numpy_when_there_are_few_jobs_then_not_needed(monkeypatch):
    points = named([{"a": a, "b": b} for a in range(10) for b in range(10)])
    monkeypatch.setitem(sys.modules, "numpy", None)
    found = Parameters(columns_of(points.items()), ()).around_all()
    assert found["0" * 32] == {"a": {1: f"{10:032x}"}, "b": {1: f"{1:032x}"}}
    monkeypatch.setattr(parameters, "_MANY_ROWS", 99)
    with pytest.raises(ImportError):
        Parameters(columns_of(points.items()), ()).around_all()
