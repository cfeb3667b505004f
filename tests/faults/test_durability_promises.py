"""With SIGNAC_DURABLE=1 everything is saved before it is made visible; and the checker of that rule."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.durability import violations
from tests.faults.harness import Harness
from tests.faults.inventory import inventory_of
from tests.faults.scenario import SETUP, Scenario
from tests.faults.scenarios import SCENARIOS
from tests.faults.shim import Call

DURABLE = [
    "init of a project",
    "init",
    "init of the first job",
    "init of a job that waits",
    "job --create of several",
    "document write",
    "document reset",
    "project document write",
    "document --set over several jobs",
    "buffered flush",
    "state point change",
    "move of many",
    "move across file systems",
    "move of many across file systems",
    "clone of many",
    "sync of projects",
    "sync of projects by threads",
    "update-cache",
    "config set",
    "migration",
    "repair",
    "export to a directory",
    "export by moving",
    "export by moving across file systems",
    "export to zip",
    "export to tar",
    "import of a directory",
    "import of zip",
    "import of tar.gz",
    "import by moving",
    "import by moving across file systems",
]


@pytest.mark.parametrize("scenario", [SCENARIOS[name] for name in DURABLE], ids=str)
def test_operation_when_durable_then_all_is_saved_before_it_is_seen(
    scenario: Scenario, harness: Harness, tmp_path: Path
) -> None:
    scenario.prepare(tmp_path)
    existing = inventory_of(tmp_path).keys()
    result = harness.run(scenario.operation, tmp_path, trace=True, setup=SETUP, env={"SIGNAC_DURABLE": "1"})
    assert result.completed, result.stderr
    assert any(call.name == "fsync" for call in result.calls)
    assert violations(result.calls, existing) == []


# the checker ----------------------------------------------------------------------------------------------------------

GOOD = """
os.mkdir("workspace/.signac-new-1")
f = os.open("workspace/.signac-new-1/state", os.O_CREAT | os.O_WRONLY)
os.write(f, b"text")
os.fsync(f)
os.close(f)
d = os.open("workspace/.signac-new-1", os.O_DIRECTORY)
os.fsync(d)
os.close(d)
os.rename("workspace/.signac-new-1", "workspace/1")
d = os.open("workspace", os.O_DIRECTORY)
os.fsync(d)
os.close(d)
"""


def trace_of(code: str, harness: Harness, directory: Path) -> tuple[Call, ...]:
    (directory / "workspace").mkdir()
    (directory / "present").write_text("old")
    result = harness.run(code, directory, trace=True, setup="import os")
    assert result.completed, result.stderr
    return result.calls


def test_rule_when_all_is_saved_then_has_nothing_to_say(harness: Harness, tmp_path: Path) -> None:
    assert violations(trace_of(GOOD, harness, tmp_path), {"workspace", "present"}) == []


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ("os.fsync(f)\n", "the content of 'workspace/.signac-new-1/state' is not saved before"),
        ('os.close(f)\nd = os.open("workspace/.signac-new-1", os.O_DIRECTORY)\nos.fsync(d)', "the name 'workspace/.s"),
        ('"workspace/1")\nd = os.open("workspace", os.O_DIRECTORY)\nos.fsync(d)', "the name 'workspace/1' is never"),
    ],
    ids=["content", "names in a new directory", "name of a new directory"],
)
def test_rule_when_a_step_is_left_out_then_names_it(
    without: str, expected: str, harness: Harness, tmp_path: Path
) -> None:
    assert without in GOOD
    bad = GOOD.replace(without, without.replace("os.fsync(f)\n", "").replace("os.fsync(d)", ""))
    found = violations(trace_of(bad, harness, tmp_path), {"workspace", "present"})
    assert found
    assert found[0].startswith(expected)


def test_rule_when_saved_too_late_then_says_so(harness: Harness, tmp_path: Path) -> None:
    code = """
f = os.open("._new", os.O_CREAT | os.O_WRONLY)
os.write(f, b"text")
os.rename("._new", "present")
os.fsync(f)
d = os.open(".", os.O_DIRECTORY)
os.fsync(d)
"""
    (found,) = violations(trace_of(code, harness, tmp_path), {"workspace", "present"})
    assert found.startswith("the content of '._new' is not saved before")


def test_rule_when_written_in_place_then_says_so(harness: Harness, tmp_path: Path) -> None:
    code = "os.write(os.open('present', os.O_WRONLY | os.O_APPEND), b'more')"
    found = violations(trace_of(code, harness, tmp_path), {"workspace", "present"})
    assert found == ["the content of 'present' is never saved"]


def test_rule_when_only_hidden_files_are_left_unsaved_then_has_nothing_to_say(harness: Harness, tmp_path: Path) -> None:
    code = "os.write(os.open('workspace/._x', os.O_CREAT | os.O_WRONLY), b'text'); os.mkdir('.signac-new-2')"
    assert violations(trace_of(code, harness, tmp_path), {"workspace", "present"}) == []


def test_rule_when_calls_have_failed_then_they_do_not_count(harness: Harness, tmp_path: Path) -> None:
    failed = [replace(call, result=-1) for call in trace_of(GOOD.replace("os.fsync(f)\n", ""), harness, tmp_path)]
    assert violations(failed, {"workspace", "present"}) == []


def test_checker_when_the_library_is_not_durable_then_finds_what_is_missing(harness: Harness, tmp_path: Path) -> None:
    scenario = SCENARIOS["init"]
    scenario.prepare(tmp_path)
    result = harness.run(scenario.operation, tmp_path, trace=True, setup=SETUP)
    found = violations(result.calls, inventory_of(tmp_path).keys())
    assert [what for what in found if "content" in what and "before" in what]
    assert os.listdir(tmp_path / "project" / "workspace")
