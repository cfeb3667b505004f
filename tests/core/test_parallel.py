from __future__ import annotations

import os
from collections.abc import Sequence
from unittest import mock

import pytest

from signac_core import Project, finding
from signac_core.parallel import shared
from signac_core.query import compile_filter


def test_results_come_in_the_order_of_the_shares() -> None:
    items = [str(number) for number in range(100)]
    assert [item for share in shared(list, items, 7) for item in share] == items


def test_shares_are_dealt_with_in_other_processes() -> None:
    processes = shared(lambda share: os.getpid(), ["a", "b", "c"], 3)
    assert processes[0] == os.getpid()
    assert len(set(processes)) == 3


def test_a_share_whose_process_dies_is_dealt_with_here() -> None:
    parent = os.getpid()

    def die_elsewhere(share: Sequence[str]) -> list[str]:
        if os.getpid() != parent:
            os.kill(os.getpid(), 9)
        return list(share)

    assert shared(die_elsewhere, ["a", "b", "c"], 3) == [["a"], ["b"], ["c"]]


def test_an_error_in_every_process_is_raised_here() -> None:
    def fail(share: Sequence[str]) -> None:
        raise ValueError(share[0])

    with pytest.raises(ValueError, match="a"):
        shared(fail, ["a", "b"], 2)


def test_a_shared_query_finds_what_one_process_finds(project: Project) -> None:
    for number in range(40):
        project.open_job({"i": number, "text": "x" if number % 5 else number}).init()
    damaged_job = project.open_job({"i": 3, "text": "x"})
    os.unlink(damaged_job.fn("signac_statepoint.json"))
    os.utime(damaged_job.path, (0, 0))
    query = compile_filter({"text.$gt": "a"})
    damaged: list[str] = []
    with mock.patch.object(finding, "_SHARED", 10):
        found = finding.find_ids(Project().space, query, damaged=damaged, processes=3)
    assert len(found) == 31
    assert found == sorted(found)
    assert damaged == [damaged_job.id]
    assert query.incomparable == {"sp.text"}


def test_a_shared_query_knows_which_keys_no_document_has(project: Project) -> None:
    for number in range(40):
        project.open_job({"i": number}).init()
    last = max(project, key=lambda job: job.id)  # of the last share
    last.doc.n = {"energy": 1}
    query = compile_filter({"doc.n.energy.$lt": 0, "doc.n.enregy.$lt": 0, "doc.zz": 1})
    with mock.patch.object(finding, "_SHARED", 10):
        assert finding.find_ids(Project().space, query, damaged=[], processes=3) == []
    assert query.unmet == {("n", "enregy"), ("zz",)}


def test_a_shared_query_tells_how_far_all_processes_are(project: Project) -> None:
    for number in range(40):
        project.open_job({"i": number}).init()
    told: list[tuple[str, int, int | None]] = []
    with mock.patch.object(finding, "_SHARED", 10):
        finding.find_ids(
            Project().space, {"i.$gt": 0}, damaged=[], processes=2, progress=lambda *step: told.append(step)
        )
    assert told == [("state points", 2 * done, 40) for done in range(1, 21)]
