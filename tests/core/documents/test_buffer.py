from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import signac_core
from signac_core import Project, buffered, parallel
from signac_core.canonical import same_json
from signac_core.documents import buffer, merging, store
from signac_core.documents.editing import edit_document, would_edit_document
from signac_core.documents.store import Document
from signac_core.errors import BufferedError, DetachedError, MetadataError
from signac_core.index import documents as indexed_documents
from signac_core.job import Job


@pytest.fixture
def job(project: Project) -> Job:
    job = project.open_job({"a": 1}).init()
    job.doc.update({"x": 1, "n": {"y": 1}, "l": [1]})
    return job


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    assert not signac_core.is_buffered()
    assert signac_core.get_current_buffer_size() == 0
    assert signac_core.get_buffer_capacity() == 32 * 1024 * 1024


def on_disk(job: Job) -> Any:
    return json.loads(Path(job.fn(job.FN_DOCUMENT)).read_text())


def write_raw(job: Job, data: Any) -> None:
    Path(job.fn("tmp")).write_text(json.dumps(data))
    os.rename(job.fn("tmp"), job.fn(job.FN_DOCUMENT))


def test_changes_reach_the_disk_when_the_outermost_context_is_left(job: Job) -> None:
    before = on_disk(job)
    with buffered():
        assert signac_core.is_buffered()
        job.doc.x = 2
        with buffered():
            job.doc.n.y = 3
        assert job.doc() == {"x": 2, "n": {"y": 3}, "l": [1]}
        assert on_disk(job) == before
    assert on_disk(job) == {"x": 2, "n": {"y": 3}, "l": [1]}


def test_changes_reach_the_disk_also_when_the_block_raises(job: Job) -> None:
    with pytest.raises(RuntimeError, match="inside"), buffered():
        job.doc.x = 2
        raise RuntimeError("inside")
    assert on_disk(job)["x"] == 2


def test_all_handles_on_a_file_share_the_buffer(job: Job) -> None:
    first, second = job.doc, job.project.open_job(id=job.id).doc
    with buffered():
        assert first.x == second.x == 1
        first.x = 2
        assert second.x == 2
        held = second.n
        first.n = {"z": 1}
        held.w = 1
        first.l.append(2)
    assert on_disk(job) == {"x": 2, "n": {"z": 1, "w": 1}, "l": [1, 2]}
    assert first() == second() == on_disk(job)


def test_nothing_is_written_when_nothing_changed(job: Job) -> None:
    before = os.stat(job.fn(job.FN_DOCUMENT)).st_ino
    with buffered():
        job.doc.x = 2
        job.doc.x = 1
        assert "zz" not in job.doc
    assert os.stat(job.fn(job.FN_DOCUMENT)).st_ino == before


def test_changes_of_others_are_merged(job: Job) -> None:
    with buffered():
        job.doc.mine = 1
        job.doc.n.mine = 1
        del job.doc["l"]
        write_raw(job, {"x": 5, "n": {"y": 1, "theirs": 2}, "l": [1]})
    assert on_disk(job) == {"x": 5, "n": {"y": 1, "theirs": 2, "mine": 1}, "mine": 1}
    assert job.doc() == on_disk(job)


def test_a_contradiction_raises_and_leaves_the_file_as_others_wrote_it(job: Job) -> None:
    other = job.project.open_job({"a": 2}).init()
    with pytest.raises(BufferedError) as caught, buffered():
        job.doc.x = 2
        other.doc.fine = 1
        write_raw(job, {"x": 3})
    path = job.fn(job.FN_DOCUMENT)
    error = caught.value.files[path]
    assert isinstance(error, MetadataError)
    assert error.filename == path
    assert json.loads(error.buffer_contents)["x"] == 2
    assert str(error) == f"{path} appears to have been externally modified."
    assert on_disk(job) == {"x": 3}
    assert job.doc() == {"x": 3}
    assert on_disk(other) == {"fine": 1}


def test_a_document_has_a_context_of_its_own(job: Job) -> None:
    other = job.project.open_job({"a": 2}).init()
    with job.doc.buffered:
        job.doc.x = 2
        other.doc.direct = 1
        assert on_disk(other) == {"direct": 1}
        assert on_disk(job)["x"] == 1
        with buffered():
            other.doc.later = 2
        assert on_disk(job)["x"] == 1
        assert on_disk(other) == {"direct": 1, "later": 2}
    assert on_disk(job)["x"] == 2
    with pytest.raises(MetadataError), job.doc.buffered:
        job.doc.x = 4
        write_raw(job, {"x": 5})


def test_size_and_capacity(job: Job) -> None:
    with buffered():
        _ = job.doc.x
        loaded = signac_core.get_current_buffer_size()
        assert loaded == len(json.dumps(on_disk(job)))
        job.doc.more = "y" * 100
        assert signac_core.get_current_buffer_size() > loaded + 100
        signac_core.set_buffer_capacity(10)
        assert signac_core.get_current_buffer_size() == 0
        assert on_disk(job)["more"] == "y" * 100
        signac_core.set_buffer_capacity(new_capacity=buffer.DEFAULT_CAPACITY)
    with buffered(300):
        assert signac_core.get_buffer_capacity() == 300
        job.doc.big = "z" * 300
        assert on_disk(job)["big"] == "z" * 300
    with pytest.raises(TypeError):
        signac_core.set_buffer_capacity("1")  # type: ignore[arg-type]


def test_a_removed_job_takes_its_buffered_changes_with_it(job: Job) -> None:
    with buffered():
        job.doc.x = 2
        job.remove()
    assert len(job.project) == 0


def test_a_disk_that_is_full_is_reported_and_the_file_is_old(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(BufferedError, match="No space left"), buffered():
            job.doc.x = 2
    assert on_disk(job)["x"] == 1
    assert job.doc.x == 1


def test_threads_share_the_buffer(job: Job) -> None:
    def write(worker: int) -> None:
        document = job.project.open_job(id=job.id).doc
        for i in range(50):
            document[f"{worker}_{i}"] = i

    with buffered():
        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(on_disk(job)) == 3 + 400


def test_state_points_are_never_buffered(job: Job) -> None:
    with buffered():
        job.sp.b = 1
        assert Project().open_job(id=job.id).sp() == {"a": 1, "b": 1}


trees = st.recursive(
    st.integers(0, 2) | st.booleans(),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.sampled_from("abc"), children, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@given(documents, documents)
def test_merge_with_an_unchanged_side_is_the_other(base: dict[str, Any], changed: dict[str, Any]) -> None:
    assert same_json(merging.merge(base, changed, base), changed)
    assert same_json(merging.merge(base, base, changed), changed)
    assert same_json(merging.merge(base, changed, changed), changed)


@given(documents, documents, st.integers())
def test_merge_of_different_keys_keeps_both(base: dict[str, Any], theirs: dict[str, Any], value: int) -> None:
    merged = merging.merge(base, {**base, "mine": value}, theirs)
    assert merged == {**theirs, "mine": value}


def test_a_document_larger_than_the_capacity_is_written_all_the_same(job: Job) -> None:
    job.doc.x = "y" * 50
    with buffered(10):
        job.doc.a = 1
        job.doc.b = 2
    assert (on_disk(job)["a"], on_disk(job)["b"]) == (1, 2)


def test_a_child_that_another_handle_removed_refuses_writes(job: Job) -> None:
    job.doc.l = [{"i": 0}, {"i": 1}]
    other = job.project.open_job(id=job.id).doc
    with buffered():
        child, nested = other.l[0], other.n
        job.doc.l.pop(0)
        job.doc.pop("n")
        for gone in (child, nested):
            with pytest.raises(DetachedError):
                gone["lost"] = 1
    assert on_disk(job)["l"] == [{"i": 1}]


def test_a_context_can_be_entered_several_times(job: Job) -> None:
    context = buffered(5)
    with context, context:
        assert signac_core.get_buffer_capacity() == 5


def test_an_unexpected_failure_does_not_cost_the_other_documents(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, other = (job.project.open_job({"b": i}).init() for i in range(2))
    flush = buffer._Entry.flush

    def fail_for_one(entry: buffer._Entry) -> None:
        if entry.document.path == broken.fn(broken.FN_DOCUMENT):
            raise RecursionError("too deep")
        flush(entry)

    monkeypatch.setattr(buffer._Entry, "flush", fail_for_one)
    with pytest.raises(BufferedError) as caught, buffered():
        job.doc.x = 2
        broken.doc.x = 1
        other.doc.x = 3
    assert list(caught.value.files) == [broken.fn(broken.FN_DOCUMENT)]
    assert (on_disk(job)["x"], on_disk(other)["x"]) == (2, 3)


def test_a_damaged_document_can_be_replaced(job: Job) -> None:
    Path(job.fn(job.FN_DOCUMENT)).write_text("{")
    with buffered():
        with pytest.raises(ValueError, match="not valid JSON"):
            job.doc["a"] = 1
        job.doc = {"healed": 1}
    assert on_disk(job) == {"healed": 1}


def test_the_initial_data_of_a_free_standing_document_is_kept() -> None:
    document = signac_core.JSONDict("some.json", data={"a": 1})
    with buffered():
        assert document() == {"a": 1}
        document["b"] = 2
    assert json.loads(Path("some.json").read_text()) == {"a": 1, "b": 2}


def test_leaving_the_buffer_while_other_threads_write_loses_nothing(job: Job) -> None:
    errors: list[BaseException] = []
    jobs = [job.project.open_job({"t": i}).init() for i in range(3)]

    def write(target: Job) -> None:
        try:
            for i in range(60):
                target.doc[f"k{i}"] = i
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(target,)) for target in jobs]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with buffered():
            job.doc.get("x")
    assert errors == []
    assert [len(on_disk(target)) for target in jobs] == [60, 60, 60]


def test_a_write_that_began_before_others_buffered_is_followed_by_what_is_buffered(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.doc = {"x": 1, "y": {"z": 1}}
    other = job.project.open_job(id=job.id)
    context = buffered()
    apply = Document._apply

    def buffer_meanwhile(document: Document, *arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        context.__enter__()
        other.doc.y.z = 2  # which reads the file
        return apply(document, *arguments, **options)

    monkeypatch.setattr(Document, "_apply", buffer_meanwhile)
    job.doc.x = 2
    assert on_disk(job) == {"x": 2, "y": {"z": 1}}
    assert other.doc() == {"x": 2, "y": {"z": 2}}
    job.doc.x = 3
    other.doc.y.z = 3
    context.__exit__(None, None, None)
    assert on_disk(job) == {"x": 3, "y": {"z": 3}}


# --- what others see of a block ---------------------------------------------------------------------------------------


@pytest.fixture(params=["few jobs", "many jobs", "an index of the documents"])
def study(request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Jobs whose documents hold ``q = 1``, the last one excepted, which has none."""
    number = 4 if request.param == "few jobs" else 80
    for i in range(number):
        new = project.open_job({"i": i}).init()
        if i < number - 1:
            new.doc.q = 1
    if request.param == "an index of the documents":
        monkeypatch.setattr(indexed_documents, "time_ns", lambda: time.time_ns() + 10**12)
        project.update_cache()
        assert len(Project().find_jobs({"doc.q": 1})) == number - 1
        assert os.path.exists(".signac/index.documents")
    return Project()


@contextmanager
def changed(study: Project) -> Iterator[list[Job]]:
    """A block in which documents are changed, but not all; the jobs in the order of ``i``."""
    jobs = sorted(study, key=lambda job: job.sp.i)
    with buffered():
        jobs[0].doc.q = 77
        jobs[1].doc.new = 5
        del jobs[2].doc["q"]
        jobs[-1].doc.get("q")  # reads alone make no document
        yield jobs


def test_find_jobs_within_a_block_sees_what_it_has_written(study: Project) -> None:
    with changed(study) as jobs:
        everything = {job.id for job in jobs}
        assert [job.id for job in study.find_jobs({"doc.q": 77})] == [jobs[0].id]
        assert [job.id for job in study.find_jobs({"doc.new": 5, "i": 1})] == [jobs[1].id]
        assert {job.id for job in study.find_jobs({"doc.q": 1})} == everything - {
            jobs[0].id,
            jobs[2].id,
            jobs[-1].id,
        }
        assert {job.id for job in study.find_jobs({"doc.q.$exists": False})} == {jobs[2].id, jobs[-1].id}
        jobs[3].remove()
        assert jobs[3].id not in {job.id for job in study.find_jobs({"doc.q.$ne": 3})}
    assert [job.id for job in Project().find_jobs({"doc.q": 77})] == [jobs[0].id]


def test_groups_and_frames_within_a_block_see_what_it_has_written(study: Project) -> None:
    with changed(study) as jobs:
        rest = len(jobs) - 3
        assert [(q, len(list(group))) for q, group in study.groupby("doc.q")] == [(1, rest), (77, 1)]
        frame = study.to_dataframe()
        assert sorted(frame["doc.q"].dropna()) == [1] * rest + [77]
        assert frame.loc[jobs[1].id, "doc.new"] == 5
        assert "77" in study.find_jobs()._repr_html_()
        assert "77" in study.find_jobs({"doc.q": 77})._repr_html_()
    assert not os.path.exists(jobs[-1].fn("signac_job_document.json"))


def test_what_a_query_within_a_block_leaves_behind_holds_what_is_on_disk(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = sorted(study, key=lambda job: job.sp.i)
    with pytest.raises(RuntimeError), buffered():
        for job in jobs:
            job.doc.q = 77
        assert len(study.find_jobs({"doc.q": 77})) == len(study.to_dataframe()) == len(jobs)
        buffer._buffer._entries.clear()  # as if the program had been killed here
        raise RuntimeError
    assert len(Project().find_jobs({"doc.q": 1})) == len(jobs) - 1


def test_lists_within_groups_and_frames_do_not_change_with_the_block(job: Job) -> None:
    with buffered():
        job.doc.series = [1]
        frame = job.project.to_dataframe()
        ((series, _),) = job.project.groupby("doc.series")
        job.doc.series.append(2)
        assert frame.loc[job.id, "doc.series"] == series == [1]


@pytest.mark.parametrize("sync", [False, True])
def test_imports_within_a_block_hold_what_it_has_written(job: Job, *, sync: bool) -> None:
    other = Project.init_project("../other")
    with buffered():
        job.doc.q = 77
        other.import_from(job.project.workspace, sync=sync)
        assert [copy.doc.q for copy in other] == [77]


@pytest.mark.parametrize("target", ["copies", "copies.tar", "copies.zip"])
def test_exports_within_a_block_hold_what_it_has_written(job: Job, target: str) -> None:
    other = Project.init_project("other")
    with buffered():
        job.doc.q = 77
        job.project.export_to(target, path=False)
    other.import_from(target)
    assert [copy.doc.q for copy in other] == [77]


# --- all or nothing ---------------------------------------------------------------------------------------------------


def test_a_context_whose_entry_fails_leaves_the_capacity_as_it_was(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(entry: buffer._Entry) -> None:
        raise OSError("No space left")

    capacity = signac_core.get_buffer_capacity()
    with buffered():
        job.doc.x = "x" * 100
        with monkeypatch.context() as patch, pytest.raises(BufferedError):
            patch.setattr(buffer._Entry, "flush", fail)
            buffered(10).__enter__()
        assert signac_core.get_buffer_capacity() == capacity
    context = buffered("10")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        context.__enter__()
    context._capacity = 10
    with context:
        assert signac_core.get_buffer_capacity() == 10
    assert signac_core.get_buffer_capacity() == capacity


def test_an_edit_that_is_tried_sees_the_buffer_and_changes_nothing_in_it(job: Job) -> None:
    with buffered():
        job.doc.x = 2
        assert not would_edit_document(job.project.space, job.id, set={"x": 2})
        assert would_edit_document(job.project.space, job.id, set={"x": 3})
        assert job.doc.x == 2


def test_an_edit_that_is_refused_changes_nothing_in_a_buffer(job: Job) -> None:
    before = job.doc()
    with buffered():
        held = job.doc.n
        with pytest.raises(ValueError, match="not a mapping"):
            edit_document(job.project.space, job.id, set={"new.key": 1, "n.y": 2, "x.y": 3})
        assert job.doc() == before
        assert edit_document(job.project.space, job.id, set={"n.y": 2}, unset=["x"])
        held.z = 3
        assert job.doc() == {"n": {"y": 2, "z": 3}, "l": [1]}
    assert on_disk(job) == {"n": {"y": 2, "z": 3}, "l": [1]}


# many documents, in threads where the file system is slow -----------------------------------------------------------


def filled(project: Project) -> list[Job]:
    jobs = [project.open_job({"b": number}).init() for number in range(40)]
    for job in jobs:
        job.doc.x = 1
    return jobs


def test_many_documents_on_a_slow_file_system_are_written_by_threads(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = filled(project)
    writers: set[int] = set()
    replace = store.Document.replace

    def note(document: Document, text: bytes) -> None:
        writers.add(threading.get_ident())
        replace(document, text)

    monkeypatch.setattr(store.Document, "replace", note)
    monkeypatch.setattr(parallel, "_SLOW", inf)
    with buffered():
        for number, job in enumerate(jobs):
            job.doc.x = -number
    assert writers == {threading.get_ident()}
    monkeypatch.setattr(parallel, "_SLOW", -1.0)
    with buffered():
        for number, job in enumerate(jobs):
            job.doc.x = number
    assert len(writers) > 1
    assert [on_disk(job) for job in jobs] == [{"x": number} for number in range(40)]


def test_what_threads_cannot_write_is_named_and_the_rest_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = filled(project)
    monkeypatch.setenv("SIGNAC_IO_THREADS", "4")
    with pytest.raises(BufferedError) as caught, buffered():
        for number, job in enumerate(jobs):
            job.doc.x = number + 2
        for job in jobs[::7]:
            write_raw(job, {"x": "theirs"})
    assert list(caught.value.files) == [job.fn(job.FN_DOCUMENT) for job in jobs[::7]]
    assert all(isinstance(error, MetadataError) for error in caught.value.files.values())
    for number, job in enumerate(jobs):
        assert on_disk(job) == {"x": "theirs" if number % 7 == 0 else number + 2}


@pytest.mark.parametrize("threads", ["1", "4"])
def test_an_interrupt_costs_no_other_document(project: Project, monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    jobs = filled(project)
    monkeypatch.setenv("SIGNAC_IO_THREADS", threads)
    replace = store.Document.replace

    def interrupt(document: Document, text: bytes) -> None:
        if document.path == jobs[5].fn(Job.FN_DOCUMENT):
            raise KeyboardInterrupt
        replace(document, text)

    monkeypatch.setattr(store.Document, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt), buffered():
        for number, job in enumerate(jobs):
            job.doc.x = number + 2
    assert [on_disk(job)["x"] for job in jobs] == [1 if number == 5 else number + 2 for number in range(40)]
