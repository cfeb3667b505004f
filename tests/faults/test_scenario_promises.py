"""Scenarios at every system call: a few here, all of them by `torture.py`; and that the trials see what is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signac_core import Project, layout
from tests.faults.harness import Harness
from tests.faults.scenario import FAULTS, SETUP, Scenario, Trial
from tests.faults.scenarios import SCENARIOS


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("name", ["init", "document write", "state point change"])
def test_scenario_when_disturbed_at_every_call_then_keeps_its_promises(harness: Harness, name: str, kind: str) -> None:
    with Trial(harness, SCENARIOS[name]) as trial:
        assert trial.every_point(kind) >= 1


WRITING = {"mkdir", "rename", "unlink", "rmdir", "symlink", "link", "chmod", "chown", "utime", "truncate", "mknod"}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=str)
def test_scenario_when_everything_is_watched_then_writes_nowhere_else(
    scenario: Scenario, harness: Harness, tmp_path: Path
) -> None:
    scenario.prepare(tmp_path)
    result = harness.run(scenario.operation, tmp_path, trace=True, setup=SETUP, env=scenario.env, watched=Path("/"))
    assert result.completed, result.stderr
    written = [call for call in result.calls if call.name in WRITING]
    written += [call for call in result.calls if call.name == "open" and call.argument & (os.O_WRONLY | os.O_RDWR)]
    assert written
    assert [str(call) for call in written if call.path.startswith("/") and call.path != os.devnull] == []


# the trials -----------------------------------------------------------------------------------------------------------


def in_place(directory: Path) -> None:
    """A project with one job."""
    job = Project.init_project(directory / "project").open_job({"a": 1}).init()
    Path(job.fn("data.txt")).write_text("data of 1")


PLACE = "place = Project('project').open_job({'a': 1}).fn('')\n"

# What is done, what finishes it, and what the trial says about it.
BROKEN = {
    "written in place": ("open(place + 'data.txt', 'w').write('x' * 10)", None, "data.txt' is neither old nor new"),
    "half of a job": (
        "open(place + 'new', 'w').close()\nif os.path.exists(place + 'data.txt'): os.unlink(place + 'data.txt')",
        None,
        "half of job",
    ),
    "the only copy deleted first": (
        "if os.path.exists(place + 'data.txt'): os.unlink(place + 'data.txt')\n"
        "open('project/data.txt', 'w').write('data of 1')",
        None,
        "is lost|neither old nor new",
    ),
    "a visible temporary": ("os.mkdir('project/tmp')\nos.rmdir('project/tmp')", "pass", "tmp' is neither old nor new"),
    "a state point that is away for a moment": (
        f"name = place + {layout.FN_STATE_POINT!r}\nos.rename(name, place + '._x')\nos.rename(place + '._x', name)",
        "pass",
        "neither old nor new",
    ),
    "something outside": ("open('outside/x', 'w').close()\nos.unlink('outside/x')", "pass", "outside/x' is neither"),
    "a hidden file for ever": ("open(place + '._x', 'w').close()\nos.unlink(place + '._x')", "pass", "/._x"),
    "work that cannot be finished": ("os.mkdir('out')\nopen('out/x', 'w').close()", None, "another run ended with 1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_trial_when_a_promise_is_broken_then_says_which(harness: Harness, name: str) -> None:
    code, again, expected = BROKEN[name]
    scenario = Scenario(name=name, operation=PLACE + code, prepare=in_place, again=again)
    with pytest.raises(AssertionError, match=expected), Trial(harness, scenario) as trial:
        trial.every_point("kill")


SILENT = {
    "for ever": ("print('never mind')", "said to be done"),
    "but for its exit status": ("raise SystemExit(1)", "without a word"),
}


@pytest.mark.parametrize("name", SILENT)
def test_trial_when_an_error_is_kept_secret_then_says_so(harness: Harness, name: str) -> None:
    reaction, expected = SILENT[name]
    operation = f"try:\n    os.mkdir('made')\nexcept FileExistsError:\n    pass\nexcept OSError:\n    {reaction}"
    with Trial(harness, Scenario(name=name, operation=operation, prepare=in_place)) as trial:
        assert trial.every_point("kill") == 1
        with pytest.raises(AssertionError, match=expected) as broken:
            trial.every_point("ENOSPC")
    assert "disturbed: 1 mkdir made = ENOSPC" in broken.value.__notes__[0]


def test_trial_when_it_is_over_then_leaves_nothing(harness: Harness) -> None:
    before = sorted(harness.scratch.iterdir())
    with Trial(harness, SCENARIOS["init"]) as trial:
        trial.every_point("short transfer")
    assert sorted(path.name for path in harness.scratch.iterdir() if path.name.startswith("place")) == sorted(
        path.name for path in before if path.name.startswith("place")
    )
