"""One moment: what is asked in a row gets answers that fit together, and one look at the project serves them all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signac_core import Project, catalog, finding
from signac_core.index import snapshot

NUMBER = 20


@pytest.fixture(params=[False, True], ids=["without an index", "with an index"])
def study(request: pytest.FixtureRequest, project: Project) -> Project:
    """A project of 20 jobs."""
    for n in range(NUMBER):
        project.open_job({"n": n}).init()
    if request.param:
        project.update_cache()
    return Project()


def held(project: Project) -> list[str]:
    """Files of the index of a project that this process has open."""
    links = (Path("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return [path for link in links if (path := os.path.realpath(link)).startswith(project.fn(".signac/index"))]


def test_questions_in_one_moment_are_answered_as_the_first_was(study: Project) -> None:
    space = study.space
    with space.one_moment():
        before = catalog.list_ids(space)
        study.open_job({"n": -1}).init()
        study.open_job({"n": 0}).remove()
        assert catalog.list_ids(space) == finding.find_ids(space, None) == before
        assert finding.find_ids(Project().space, {"n": -1}) == [study.open_job({"n": -1}).id]
        assert finding.find_ids(space, {"n": -1}) == []
    assert finding.find_ids(space, {"n": -1}) == [study.open_job({"n": -1}).id]
    assert len(catalog.list_ids(space)) == NUMBER


def test_questions_of_a_session_see_what_has_changed_in_between(study: Project) -> None:
    for n in range(NUMBER, NUMBER + 3):
        study.open_job({"n": n}).init()
        assert len(study) == len(list(study)) == len(study.find_jobs({"n.$gte": 0})) == n + 1


def test_a_moment_within_another_one_is_part_of_it(study: Project) -> None:
    space = study.space
    with space.one_moment():
        with space.one_moment():
            before = catalog.list_ids(space)
        study.open_job({"n": -1}).init()
        assert catalog.list_ids(space) == before
    assert len(catalog.list_ids(space)) == NUMBER + 1


def test_the_index_is_closed_at_the_end_of_a_moment_and_not_before(project: Project) -> None:
    project.open_job({"n": 0}).init()
    project.update_cache()
    with pytest.raises(ZeroDivisionError), project.space.one_moment():
        catalog.list_ids(project.space)
        assert held(project) == [project.fn(".signac/index")]
        raise ZeroDivisionError
    assert held(project) == []


@pytest.mark.parametrize(
    ("error", "is_written"), [(None, True), (ValueError, True), (KeyboardInterrupt, False)], ids=str
)
def test_the_index_catches_up_at_the_end_of_a_moment_unless_somebody_interrupts(
    project: Project, error: type[BaseException] | None, is_written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "WORTHWHILE", 5)
    project.open_job({"n": 0}).init()
    project.update_cache()
    for n in range(1, NUMBER):
        project.open_job({"n": n}).init()
    space = Project().space
    try:
        with space.one_moment():
            ids = catalog.list_ids(space)
            assert len(dict(catalog.read_state_points(space, ids))) == NUMBER
            assert finding.find_ids(space, {"n.$gte": 0}) == ids
            assert not os.path.exists(project.fn(".signac/index.delta"))
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert os.path.exists(project.fn(".signac/index.delta")) is is_written
    with catalog.open_index(Project().space) as index:  # type: ignore[union-attr]
        assert index.number() == (NUMBER if is_written else 1)


def test_an_index_that_turns_out_damaged_in_one_moment_is_no_reason_for_another_answer(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(NUMBER):
        project.open_job({"n": n}).init()
    project.update_cache()
    path = Path(project.fn(".signac/index"))
    space = Project().space
    with space.one_moment():
        ids = catalog.list_ids(space)
        with path.open("r+b") as file:  # in place
            file.seek(40 + 16 * NUMBER)
            file.write(bytes(64))
        assert finding.find_ids(space, {"n.$gte": 5}) == [
            job_id for job_id, state_point in catalog.read_state_points(space, ids) if state_point["n"] >= 5
        ]
        assert len(finding.find_ids(space, {"n.$gte": 5})) == NUMBER - 5
