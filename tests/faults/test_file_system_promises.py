"""The promises on file systems of every kind that can be mounted: killed at every call, and two processes at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import test_promises as promises
from file_systems import FILE_SYSTEMS, LOWER_LAYER, harness_on
from harness import Harness
from scenario import Trial
from scenarios import SCENARIOS


@pytest.fixture(scope="module", params=[*FILE_SYSTEMS, LOWER_LAYER])
def harness_elsewhere(
    request: pytest.FixtureRequest, shim: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """A harness on one file system after the other."""
    with harness_on(request.param, shim, tmp_path_factory.mktemp("elsewhere")) as harness:
        yield harness


TRIED = (
    "init",
    "init of the first job",
    "document write",
    "buffered flush",
    "state point change",
    "state point change beside an existing destination",
    "remove",
    "rm of many",
    "clear",
    "move",
    "clone of many",
    "sync of projects",
    "export to a directory",
    "export by moving",
    "import of a directory",
    "import by moving",
    "view that changes",
    "update-cache after changes",
    "query that corrects the index",
    "query that indexes documents",
    "repair",
)


@pytest.mark.parametrize("name", TRIED)
def test_scenario_when_killed_on_a_file_system_then_keeps_its_promises(harness_elsewhere: Harness, name: str) -> None:
    with Trial(harness_elsewhere, SCENARIOS[name]) as trial:
        assert trial.every_point("kill") >= 1


OF_TWO = (
    promises.test_two_creators_of_one_job_both_succeed,
    promises.test_a_creator_beside_one_that_makes_the_directory_first_both_succeed,
    promises.test_two_writers_of_one_document_lose_nothing,
    promises.test_of_two_state_point_changes_one_wins_and_the_other_is_told,
    promises.test_a_document_write_beside_a_state_point_change_is_kept_or_refused,
    promises.test_two_removals_both_succeed,
)


@pytest.mark.parametrize("promise", OF_TWO, ids=lambda promise: promise.__name__.removeprefix("test_"))
def test_promise_of_two_processes_when_on_a_file_system_then_kept(harness_elsewhere: Harness, promise) -> None:
    promise(harness_elsewhere)
