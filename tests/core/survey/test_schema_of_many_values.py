"""Schemas of so many values that the index parses only those that are looked at."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from signac_core import Project, canonical
from signac_core.index.distinct import SortedValues
from signac_core.survey import detecting, schema

NUMBER = 1300

COLUMNS: dict[str, Any] = {
    "integer": lambda i: i * 7 % NUMBER - 600,
    "float": lambda i: i / 8,
    "exponent": lambda i: i * 1e-9 + 1e-12,
    "text": lambda i: f"run {i}, [x] 1.5e3",
    "mixed": lambda i: i if i % 2 else i + 0.5,
    "truth": lambda i: i if i > 1 else bool(i),
    "few": lambda i: i % 3,
    "list": lambda i: [i],
    "nan": lambda i: float("nan") if i == 7 else i + 0.5,
}


@pytest.fixture
def study(project: Project) -> Project:
    for i in range(NUMBER):
        project.open_job({name: value(i) for name, value in COLUMNS.items()} | {"n": {"i": i}}).init()
    return project


def by_files(project: Project) -> schema.ProjectSchema:
    return detecting.detect_schema(Project(project.path).space, subset=[job.id for job in project])


def lazy_keys(found: schema.ProjectSchema) -> set[str]:
    return {key for key in found if any(type(v) is SortedValues for v in found.sorted_values(key).values())}


def uniform(project: Project) -> Project:
    """Leave the columns of several types out: one of them, and all is read from the files."""
    for job in project:
        for name in ("mixed", "truth"):
            del job.sp[name]
    return project


def test_schema_when_values_are_very_many_then_as_from_the_files(study: Project) -> None:
    uniform(study).update_cache()
    found = Project(study.path).detect_schema()
    assert lazy_keys(found) == {"integer", "float", "exponent", "text", "n.i"}
    assert str(found) == str(by_files(study))
    for shown in (0, 1, 2, 3, 7, 600, 2000):
        assert found.format(max_num_range=shown) == by_files(study).format(max_num_range=shown)
    assert lazy_keys(found)  # none was turned into a set by that
    assert found == by_files(study)
    assert not lazy_keys(found)
    assert found["integer"][int] == {i * 7 % NUMBER - 600 for i in range(NUMBER)}
    assert found["integer"][str] == set()
    assert found.difference(by_files(study)) == set()
    assert list(found) == list(by_files(study))


def test_schema_when_keys_have_values_of_several_types_then_as_from_the_files(study: Project) -> None:
    study.update_cache()
    found = Project(study.path).detect_schema()
    assert found == by_files(study)
    assert {key: list(types) for key, types in found.items()} == {
        key: list(types) for key, types in by_files(study).items()
    }


def test_schema_when_jobs_were_added_and_removed_then_as_from_the_files(study: Project) -> None:
    uniform(study).update_cache()
    study.open_job({"integer": 10**6, "text": "new"}).init()
    assert Project(study.path).detect_schema() == by_files(study)
    next(iter(study.find_jobs({"few": 0}))).remove()
    assert Project(study.path).detect_schema() == by_files(study)


def test_schema_when_constant_keys_are_left_out_then_keys_of_many_values_stay(study: Project) -> None:
    uniform(study).update_cache()
    found = Project(study.path).detect_schema(exclude_const=True)
    assert lazy_keys(found) == {"integer", "float", "exponent", "text", "n.i"}


def test_schema_when_only_shown_then_few_chunks_are_parsed(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    uniform(study).update_cache()
    parsed: list[int] = []
    part = SortedValues._part

    def recording(self: SortedValues, number: int) -> list[Any]:
        parsed.append(number)
        return part(self, number)

    monkeypatch.setattr(SortedValues, "_part", recording)
    found = Project(study.path).detect_schema()
    str(found)
    assert 1 not in parsed
    assert {0, 2} <= set(parsed)


def test_schema_when_threads_ask_for_one_key_then_each_gets_its_values(study: Project) -> None:
    uniform(study).update_cache()
    found = Project(study.path).detect_schema()
    answers: list[int] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        answers.append(len(found["integer"][int]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [NUMBER] * 8


def test_sorted_values_are_a_sequence() -> None:
    numbers = list(range(0, 2000, 2))
    parts = [numbers[:300], numbers[300:301], numbers[301:]]
    values = SortedValues(int, [canonical.dumps(part).encode() for part in parts], list(map(len, parts)))
    assert list(values) == numbers
    for index in (slice(None, 3), slice(-2, None), slice(299, 303), slice(None, None, -7), slice(5, 2)):
        assert values[index] == numbers[index]
    assert (values[0], values[-1], values[300]) == (0, 1998, 600)
    with pytest.raises(IndexError):
        values[1000]
    assert 600 in values
    assert 601 not in values
