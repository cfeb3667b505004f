"""One project in the hands of many threads."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

import signac_core
from signac_core import Project
from signac_core.care.integrity import check, examine

THREADS = 16
JOBS = 6
ROUNDS = 25


@pytest.fixture
def project(project: Project) -> Project:
    """The project, with some jobs that have documents."""
    for a in range(JOBS):
        project.open_job({"a": a}).init().doc.seed = a
    return project


def together(work: Callable[[int, random.Random], None]) -> None:
    """Run the work in all threads at once; raise what any of them raises."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number, random.Random(number))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def assert_in_order(project: Project) -> None:
    fresh = Project(project.path)
    check(fresh.space)
    assert list(examine(fresh.space)) == []


def test_documents_when_written_through_shared_and_own_handles_then_no_key_is_lost(project: Project) -> None:
    shared = [project.open_job({"a": a}) for a in range(JOBS)]

    def write(number: int, chance: random.Random) -> None:
        for n in range(ROUNDS):
            a = chance.randrange(JOBS)
            job = shared[a] if n % 2 else project.open_job({"a": a})
            job.doc[f"{number}-{n}"] = n
            job.doc.setdefault("nested", {})[f"{number}-{n}"] = n
            job.doc.setdefault("list", []).append(number * ROUNDS + n)
            written[a].append(f"{number}-{n}")

    written: list[list[str]] = [[] for _ in range(JOBS)]
    together(write)
    for a in range(JOBS):
        document = Project(project.path).open_job({"a": a}).doc()
        assert sorted(document) == sorted([*written[a], "seed", "nested", "list"])
        assert sorted(document["nested"]) == sorted(written[a])
        assert len(set(document["list"])) == len(document["list"]) == len(written[a])
    assert_in_order(project)


def test_documents_when_buffered_by_all_threads_then_no_key_is_lost(project: Project) -> None:
    def write(number: int, chance: random.Random) -> None:
        for n in range(ROUNDS):
            with signac_core.buffered():
                for a in chance.sample(range(JOBS), 3):
                    project.open_job({"a": a}).doc[f"{number}"] = n
                    assert project.open_job({"a": a}).doc[f"{number}"] == n
                    written[number, a] = n
            project.open_job({"a": 0}).doc[f"unbuffered {number}"] = n

    written: dict[tuple[int, int], int] = {}
    together(write)
    assert not signac_core.is_buffered()
    assert signac_core.get_current_buffer_size() == 0
    for a in range(JOBS):
        document = Project(project.path).open_job({"a": a}).doc()
        assert {key: document[key] for key in document if key.isdigit()} == {
            f"{number}": n for (number, job), n in written.items() if job == a
        }
    assert_in_order(project)


def test_queries_when_jobs_come_and_go_then_find_what_is_there_all_the_time(project: Project) -> None:
    lasting = sorted(job.id for job in project)

    def work(number: int, chance: random.Random) -> None:
        for n in range(ROUNDS):
            kind = (number + n) % 4
            if kind == 0:
                project.open_job({"b": chance.randrange(8)}).init()
            elif kind == 1:
                project.open_job({"b": chance.randrange(8)}).remove()
            elif kind == 2:
                project.update_cache()
            assert sorted(job.id for job in project.find_jobs({"a": {"$gte": 0}})) == lasting
            assert sorted(job.id for job in project.find_jobs({"doc.seed": {"$gte": 0}})) == lasting
            assert set(lasting) <= {job.id for job in project}
            assert "a" in project.detect_schema()
            assert sorted(key for key, _ in project.find_jobs({"a": {"$lt": 2}}).groupby("a")) == [0, 1]

    together(work)
    assert_in_order(project)


def test_state_points_when_changed_by_all_threads_then_each_job_is_there_once(project: Project) -> None:
    moved = Project.init_project(Path(project.path).with_name("other"))
    for number in range(JOBS):
        project.open_job({"a": number}).doc.owner = number

    def work(number: int, chance: random.Random) -> None:
        for n in range(ROUNDS):
            here, there = (project, moved) if chance.random() < 0.5 else (moved, project)
            jobs = list(here)
            if not jobs:
                continue
            job = chance.choice(jobs)
            try:
                if n % 3:
                    job.sp.v = number * ROUNDS + n
                else:
                    job.move(there)
            except (FileNotFoundError, RuntimeError, signac_core.errors.JobsCorruptedError):
                continue  # another thread was faster

    together(work)
    found = [job.doc.owner for path in (project.path, moved.path) for job in Project(path)]
    assert sorted(found) == list(range(JOBS))
    assert_in_order(project)
    assert_in_order(moved)


def test_stores_when_filled_by_all_threads_then_everything_is_in_them(project: Project) -> None:
    shared = [project.open_job({"a": a}) for a in range(JOBS)]

    def work(number: int, chance: random.Random) -> None:
        for n in range(8):
            job = shared[chance.randrange(JOBS)]
            key = f"array_{number}_{n}"
            if n % 2:
                job.data[key] = numpy.full(4, number * 8 + n)
            else:
                with job.data as data:
                    data[key] = numpy.full(4, number * 8 + n)
            with job.data as data:  # arrays are read from the open file
                assert (data[key][()] == number * 8 + n).all()
            job.stores[f"own_{number}"]["n"] = n
            written.append((job.id, key, number * 8 + n))

    written: list[tuple[str, str, int]] = []
    together(work)
    fresh = Project(project.path)
    for job_id, key, value in written:
        with fresh.open_job(id=job_id).data as data:
            assert (numpy.asarray(data[key]) == value).all()
    assert_in_order(project)
