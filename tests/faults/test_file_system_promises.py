"""The promises on file systems of every kind that can be mounted: killed at every call, and two processes at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from signac_core import Project
from signac_core.care.integrity import examine, repair_problems
from tests.faults import test_promises as promises
from tests.faults.file_systems import FILE_SYSTEMS, LOWER_LAYER, LayeredHarness, harness_on
from tests.faults.harness import Harness, Result
from tests.faults.scenario import Trial
from tests.faults.scenarios import SCENARIOS

CHANGING = (
    "open",
    "write",
    "close",
    "mkdir",
    "rename",
    "symlink",
    "link",
    "unlink",
    "rmdir",
    "chmod",
    "utime",
    "flock",
)

ANYWHERE = ("init", "document write", "state point change", "remove", "move", "query that indexes documents")
"""What is tried on every file system."""

WHERE_RENAMING_DIFFERS = (
    *ANYWHERE,
    "init of the first job",
    "state point change beside an existing destination",
    "rm of many",
    "clear",
    "buffered flush",
    "sync of projects",
    "export by moving",
    "import by moving",
    "repair",
)
"""What is tried, too, where a directory cannot be renamed, or where that fails in other ways than elsewhere."""

TRIED = dict.fromkeys(FILE_SYSTEMS, ANYWHERE) | {
    "sshfs": (*ANYWHERE, "state point change beside an existing destination"),
    LOWER_LAYER: WHERE_RENAMING_DIFFERS,
}


@pytest.fixture(scope="module")
def harness_elsewhere(
    request: pytest.FixtureRequest, shim: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """A harness on one file system after the other."""
    with harness_on(request.param, shim, tmp_path_factory.mktemp("elsewhere")) as harness:
        yield harness


@pytest.mark.parametrize(
    ("harness_elsewhere", "name"),
    [(place, name) for place, names in TRIED.items() for name in names],
    indirect=["harness_elsewhere"],
)
def test_scenario_when_killed_on_a_file_system_then_keeps_its_promises(harness_elsewhere: Harness, name: str) -> None:
    scenario, calls = SCENARIOS[name], None
    if isinstance(harness_elsewhere, LayeredHarness):
        # What is moved there is copied: it is in both places for a moment. The last step of a removal, that of an empty
        # directory, is left out: nothing can be told about that any more.
        scenario, calls = replace(scenario, moves=False), tuple(call for call in CHANGING if call != "rmdir")
    with Trial(harness_elsewhere, scenario) as trial:
        assert trial.every_point("kill", calls=calls) >= 1


OF_TWO = (
    promises.test_two_creators_of_one_job_both_succeed,
    promises.test_a_creator_beside_one_that_makes_the_directory_first_both_succeed,
    promises.test_two_writers_of_one_document_lose_nothing,
    promises.test_of_two_state_point_changes_one_wins_and_the_other_is_told,
    promises.test_a_document_write_beside_a_state_point_change_is_kept_or_refused,
)


@pytest.mark.parametrize("promise", OF_TWO, ids=lambda promise: promise.__name__.removeprefix("test_"))
@pytest.mark.parametrize("harness_elsewhere", TRIED, indirect=True)
def test_promise_of_two_processes_when_on_a_file_system_then_kept(
    harness_elsewhere: Harness, promise: Callable[[Harness], None]
) -> None:
    promise(harness_elsewhere)


@pytest.mark.parametrize("harness_elsewhere", TRIED, indirect=True)
def test_two_removals_when_on_a_file_system_then_both_succeed_and_the_job_is_gone(harness_elsewhere: Harness) -> None:
    remove = "Project().open_job({'a': 1}).remove()"

    def check(directory: Path, first: Result, second: Result) -> None:
        promises.both_finished(first, second)
        assert promises.visible(directory / "workspace") == []  # a file that somebody has open may stay hidden
        project = Project(directory)
        repair_problems(project.space, list(examine(project.space)))
        assert os.listdir(project.workspace) == []

    prepare = promises.project_with_a_job
    assert harness_elsewhere.every_interleaving(remove, remove, prepare, check, setup=promises.SETUP) > 3
