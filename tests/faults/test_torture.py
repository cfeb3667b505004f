"""What the fault tests consist of, and how it is divided."""

from __future__ import annotations

import subprocess

import pytest

from tests.faults import torture
from tests.faults.torture import KILLS, PARTS, PROCESSES, Outcome, Report, Unit, part_of, part_of_commit, table, units


def test_parts_when_put_together_then_are_everything_once() -> None:
    everything = part_of(units(), "all")
    assert len(set(everything)) == len(everything)
    parts = [part_of(units(), f"{number}/{PARTS}") for number in range(PARTS)]
    assert {unit for part in parts for unit in part} == set(everything)
    few = [unit for part in parts for unit in part if unit.kind != "tests"]
    assert len(set(few)) == len(few)
    assert max(map(len, parts)) - min(map(len, parts)) <= 2


def test_parts_when_taken_then_each_has_kills_and_faults_and_a_crowd_and_tests() -> None:
    for number in range(PARTS):
        part = part_of(units(), f"{number}/{PARTS}")
        assert any(unit.detail == "kill" for unit in part)
        assert any(unit.kind == "points" and unit.detail not in KILLS for unit in part)
        assert {unit.kind for unit in part} == {"points", "crowd", "tests"}


def test_crowds_when_all_are_done_then_take_as_many_steps_as_promised() -> None:
    _, crowds, _ = units()
    assert sum(PROCESSES * int(unit.detail.split()[1]) for unit in crowds) >= 200_000


@pytest.mark.parametrize(("named", "expected"), [("3", f"3/{PARTS}"), ("1/4", "1/4"), ("all", "all")])
def test_part_when_named_then_is_that(named: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNAC_FAULT_PART", named)
    assert part_of_commit() == expected


@pytest.mark.parametrize(("found", "expected"), [("", 0), ("ff", 0xFF % PARTS), ("a1b3", 0xA1B3 % PARTS)])
def test_part_when_not_named_then_follows_the_commit(
    found: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torture, "commit", lambda: found)
    assert part_of_commit() == f"{expected}/{PARTS}"


def test_commit_when_there_is_no_git_then_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    assert torture.commit() == ""


def test_table_when_written_then_has_every_count() -> None:
    report = Report(
        [
            Outcome(unit=Unit("points", "init", "kill"), count=1200),
            Outcome(unit=Unit("points", "init", "EIO"), count=30),
            Outcome(unit=Unit("points", "clear", "torn write"), count=4, failure="x"),
            Outcome(unit=Unit("crowd", "members killed", "0 500"), count=8000, kills=20, told=7),
            Outcome(unit=Unit("crowd", "members killed", "1 500"), count=8000, kills=22, told=8, failure="lost key"),
        ]
    )
    text = table(report)
    assert "1,204 kill points, 30 fault points, 16,000 steps of crowds; 2 units failed." in text
    assert "| init | 1200 |" in text
    assert "| members killed | 16,000 | 42 | 15 | 1 |" in text
    assert "reset" not in text
