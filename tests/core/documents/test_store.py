from __future__ import annotations

import copy
import errno
import json
import multiprocessing
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signac_core import JSONDict, Project, buffered
from signac_core.care.integrity import examine
from signac_core.documents.editing import edit_document, would_edit_document
from signac_core.errors import DetachedError, InvalidKeyError, JobsCorruptedError, KeyTypeError, LockTimeoutError
from signac_core.job import Job


@pytest.fixture
def job(project: Project) -> Job:
    return project.open_job({"a": 1}).init()


def on_disk(job: Job) -> Any:
    return json.loads(Path(job.fn(job.FN_DOCUMENT)).read_text())


def write_raw(job: Job, text: str) -> None:
    """Write the document as another program would: a new file renamed into place."""
    Path(job.fn("other.tmp")).write_text(text)
    os.rename(job.fn("other.tmp"), job.fn(job.FN_DOCUMENT))


# access ---------------------------------------------------------------------------------------------------------


def test_reading_never_creates_the_file(job: Job) -> None:
    assert job.doc() == {}
    assert len(job.doc) == 0
    assert "x" not in job.doc
    assert not job.isfile(job.FN_DOCUMENT)


def test_text_on_disk_is_that_of_the_json_module_in_insertion_order(job: Job) -> None:
    job.doc["x"] = {"q": "\u00e4", "n": 1e16}
    job.doc["a"] = float("nan")
    text = Path(job.fn(job.FN_DOCUMENT)).read_text()
    assert text == '{"x": {"q": "\\u00e4", "n": 1e+16}, "a": NaN}'


def test_attributes_items_and_nested_views_are_live(job: Job) -> None:
    job.doc.a = {"b": [1, {"c": 2}]}
    assert job.doc.a.b[1].c == 2
    assert job.doc["a"] is job.doc["a"]
    assert job.doc.a.b[1] is job.doc.a.b[1]
    job.doc.a.b[1].c = 3
    job.doc.a.b.append([4])
    job.doc.a.b[2].extend([5, 6])
    assert on_disk(job) == {"a": {"b": [1, {"c": 3}, [4, 5, 6]]}}


def test_missing_names_raise_key_error_or_attribute_error(job: Job) -> None:
    with pytest.raises(KeyError):
        job.doc["nope"]
    with pytest.raises(AttributeError, match="nope"):
        _ = job.doc.nope
    with pytest.raises(KeyError):
        del job.doc["nope"]
    with pytest.raises(KeyError):
        del job.doc.nope
    with pytest.raises(AttributeError):
        _ = job.doc.__wrapped__
    assert not hasattr(job.doc, "nope")


def test_reserved_names_are_refused_as_attributes_and_fine_as_items(job: Job) -> None:
    with pytest.raises(AttributeError, match="reserved"):
        job.doc._data = 1
    job.doc["_data"] = 1
    job.doc.keys = 2
    assert on_disk(job) == {"_data": 1, "keys": 2}
    assert job.doc["_data"] == 1


def test_mapping_interface(job: Job) -> None:
    doc = job.doc
    doc.update({"a": 1}, b={"x": 1})
    doc.update([("c", [1])])
    assert list(doc) == ["a", "b", "c"]
    assert list(doc.keys()) == ["a", "b", "c"]
    assert type(dict(doc.items())["b"]) is dict
    assert [type(value) for value in doc.values()] == [int, dict, list]
    assert doc.get("b") is doc["b"]
    assert doc.get("zz") is None
    assert doc.get("zz", 7) == 7
    assert doc.setdefault("b", {}) is doc["b"]
    assert doc.setdefault("d") is None
    assert doc.pop("missing") is None
    assert doc.pop("missing", 5) == 5
    assert doc.pop("c") == [1]
    assert doc.popitem() == ("d", None)
    assert doc == {"a": 1, "b": {"x": 1}}
    assert doc == doc
    assert doc != {"a": 1}
    assert repr(doc) == str(doc) == "{'a': 1, 'b': {'x': 1}}"
    doc.clear()
    assert on_disk(job) == {}
    with pytest.raises(KeyError):
        doc.popitem()
    with pytest.raises(TypeError):
        hash(doc)


def test_list_interface(job: Job) -> None:
    job.doc.l = [3, 1]
    items = job.doc.l
    items.append({"a": 1})
    items.insert(0, 9)
    items += [7]
    items.extend("xy")
    assert items() == [9, 3, 1, {"a": 1}, 7, "x", "y"]
    assert items[-1] == "y"
    assert items[1:3] == [3, 1]
    assert items.pop() == "y"
    assert items.pop(3) == {"a": 1}
    items.remove(9)
    with pytest.raises(ValueError, match="not in list"):
        items.remove(9)
    items.reverse()
    assert list(items) == ["x", 7, 1, 3]
    assert list(reversed(items)) == [3, 1, 7, "x"]
    assert items.index(7) == 1
    assert items.count(1) == 1
    assert 7 in items
    items[0] = 5
    items[1:3] = [2]
    del items[-1]
    assert items == [5, 2]
    assert items != (5, 2)
    assert (items < [5, 3], items <= [5, 2], items > [5], items >= [6]) == (True, True, True, False)
    items.reset((1, 2))
    assert on_disk(job) == {"l": [1, 2]}
    with pytest.raises(ValueError, match="non-string sequence"):
        items.reset("ab")
    items.clear()
    assert on_disk(job) == {"l": []}


def test_augmented_assignment_keeps_the_reference_and_what_others_appended(job: Job) -> None:
    job.doc.l = [1]
    held = job.doc.l
    write_raw(job, '{"l": [1, 2]}')
    job.doc.l += [3]
    assert held is job.doc.l
    assert on_disk(job) == {"l": [1, 2, 3]}


def test_augmented_union_of_a_whole_document_keeps_what_others_write_meanwhile(job: Job) -> None:
    document = job.doc
    document |= {"a": 1}  # the first half of job.doc |= ...
    write_raw(job, '{"a": 1, "b": 2}')
    job.doc = document  # the second half
    assert on_disk(job) == {"a": 1, "b": 2}
    job.sp |= {"c": 3}
    assert job.sp.c == 3
    job.project.doc |= {"d": 4}
    assert job.project.doc() == {"d": 4}


def test_a_write_that_fails_names_the_document_and_nothing_else(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", source, None, target)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space") as failed:
        job.doc.a = 1
    assert str(failed.value) == f"[Errno {errno.ENOSPC}] No space left on device: {job.fn(job.FN_DOCUMENT)!r}"


@pytest.mark.parametrize(("key", "kind"), [(1, KeyTypeError), ("a.b", InvalidKeyError), ([1], TypeError)])
def test_invalid_keys_are_refused_and_change_nothing(job: Job, key: Any, kind: type[Exception]) -> None:
    job.doc["x"] = 1
    before = Path(job.fn(job.FN_DOCUMENT)).read_bytes()
    with pytest.raises(kind):
        job.doc[key] = 1
    if not isinstance(key, list):
        with pytest.raises(kind):
            job.doc["y"] = [{"z": {key: 1}}]
        with pytest.raises(kind):
            job.doc.update({"ok": 1, "y": {key: 1}})
    assert Path(job.fn(job.FN_DOCUMENT)).read_bytes() == before


def test_update_with_an_invalid_value_writes_nothing(job: Job) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        job.doc.update({"ok": 1, "bad": object()})
    assert not job.isfile(job.FN_DOCUMENT)


def test_assignment_replaces_the_document(job: Job) -> None:
    job.doc = {"a": {"b": 1}}
    job.document = {"c": 1}
    assert on_disk(job) == {"c": 1}
    with pytest.raises(ValueError, match="must be a mapping"):
        job.doc = [1]  # type: ignore[assignment]
    assert on_disk(job) == {"c": 1}


def test_plain_copies_have_nothing_to_do_with_the_file(job: Job) -> None:
    job.doc.a = {"b": [1]}
    plain = job.doc()
    plain["a"]["b"].append(2)
    popped = job.doc.pop("a")
    popped["x"] = 1
    assert on_disk(job) == {}


# no change, no write --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [
        lambda doc: doc.update(),
        lambda doc: doc.__setitem__("a", 1),
        lambda doc: doc.setdefault("a", 5),
        lambda doc: doc.pop("missing"),
        lambda doc: doc.l.extend([]),
        lambda doc: doc.l.__setitem__(0, 1),
    ],
)
def test_an_operation_that_changes_nothing_does_not_write(job: Job, operation: Callable[[Any], Any]) -> None:
    write_raw(job, '{ "a": 1,  "l": [1] }')  # not the text that would be written
    before = os.stat(job.fn(job.FN_DOCUMENT))
    operation(job.doc)
    after = os.stat(job.fn(job.FN_DOCUMENT))
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("value", [1.0, True, "1"])
def test_a_change_of_type_only_is_a_change(job: Job, value: Any) -> None:
    job.doc.a = 1
    job.doc.a = value
    assert type(on_disk(job)["a"]) is type(value)
    write_raw(job, '{"a": 1}')
    assert type(job.doc.a) is int


# other writers --------------------------------------------------------------------------------------------------


def test_changes_of_others_are_seen_and_survive(job: Job) -> None:
    job.doc.n = {"mine": 1}
    write_raw(job, '{"n": {"mine": 1, "theirs": 2}, "z": 3}')
    job.doc.n.more = 4
    assert on_disk(job) == {"n": {"mine": 1, "theirs": 2, "more": 4}, "z": 3}


def test_a_held_child_is_bound_again_by_key_and_by_index(job: Job) -> None:
    job.doc.d = {"x": 1}
    job.doc.l = [{"i": 0}, {"i": 1}]
    child, item = job.doc.d, job.doc.l[1]
    write_raw(job, '{"l": [{"i": 10}, {"i": 11}], "d": {"x": 2}}')
    assert child.x == 2
    assert item.i == 11
    assert child is job.doc.d
    assert item is job.doc.l[1]
    child.y = 1
    item.j = 1
    assert on_disk(job) == {"l": [{"i": 10}, {"i": 11, "j": 1}], "d": {"x": 2, "y": 1}}


def test_a_held_item_follows_its_list_when_items_are_inserted_here(job: Job) -> None:
    job.doc.l = [{"i": 0}, {"i": 1}]
    item = job.doc.l[0]
    job.doc.l.insert(0, {"i": -1})
    item.seen = True
    assert on_disk(job) == {"l": [{"i": -1}, {"i": 0, "seen": True}, {"i": 1}]}


def test_a_held_item_follows_when_others_changed_the_list_and_items_are_inserted_here(job: Job) -> None:
    job.doc.l = [{"i": 0}, {"i": 1}]
    item = job.doc.l[0]
    write_raw(job, '{"l": [{"i": 100}, {"i": 1}]}')
    job.doc.l.insert(0, {"i": -1})
    item.seen = True
    assert on_disk(job) == {"l": [{"i": -1}, {"i": 100, "seen": True}, {"i": 1}]}


@pytest.mark.parametrize("replacement", ['{"d": [1]}', '{"d": 5}', "{}"])
def test_a_child_whose_place_has_gone_reads_its_last_data_and_refuses_writes(job: Job, replacement: str) -> None:
    job.doc.d = {"x": {"y": 1}}
    child, grandchild = job.doc.d, job.doc.d.x
    write_raw(job, replacement)
    assert child() == {"x": {"y": 1}}
    assert grandchild.y == 1
    with pytest.raises(DetachedError, match=r"'d'.*signac_job_document.json"):
        child["w"] = 1
    with pytest.raises(DetachedError, match=r"'d\.x'"):
        grandchild["w"] = 1
    assert Path(job.fn(job.FN_DOCUMENT)).read_text() == replacement


def test_a_removed_item_refuses_writes(job: Job) -> None:
    job.doc.l = [{"i": 0}, {"i": 1}]
    item = job.doc.l[0]
    del job.doc.l[0]
    with pytest.raises(DetachedError):
        item["x"] = 1
    assert on_disk(job) == {"l": [{"i": 1}]}


def test_a_document_deleted_by_others_is_empty_and_does_not_come_back(job: Job) -> None:
    job.doc.a = 1
    os.unlink(job.fn(job.FN_DOCUMENT))
    assert job.doc() == {}
    job.doc.b = 2
    assert on_disk(job) == {"b": 2}


def test_a_handle_on_a_job_that_has_gone_keeps_its_data_and_refuses_writes(job: Job) -> None:
    job.doc.a = 1
    document = job.doc
    assert document.a == 1
    job.project.open_job(id=job.id).remove()
    assert document.a == 1
    with pytest.raises(FileNotFoundError, match="has gone"):
        document["b"] = 1
    assert not os.path.exists(job.path)


def test_a_document_of_a_job_without_state_point_file_can_be_written(job: Job) -> None:
    os.unlink(job.fn(job.FN_STATE_POINT))
    job.doc.a = 1
    assert on_disk(job) == {"a": 1}


# settled reads --------------------------------------------------------------------------------------------------


DAY = 86400


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Documents that are read, not only looked at."""
    from signac_core import files

    found: list[str] = []
    original = files.read_with_status
    monkeypatch.setattr(files, "read_with_status", lambda path: (found.append(path), original(path))[1])
    return found


def test_a_settled_document_is_not_read_again(job: Job, wait: Callable[[float], None], reads: list[str]) -> None:
    job.doc.update(a=1, n={"x": 2})
    wait(2 * DAY)
    job.doc()
    reads.clear()
    assert job.doc.a == 1
    assert job.doc.n.x == 2
    assert reads == []
    write_raw(job, '{"a": 2}')
    assert job.doc.a == 2
    assert len(reads) == 1


def test_a_document_that_was_seen_some_time_ago_and_has_not_changed_is_settled(
    job: Job, wait: Callable[[float], None], reads: list[str]
) -> None:
    job.doc.a = 1
    reads.clear()
    for seconds, number in [(0, 1), (1, 2), (1, 3), (0, 3), (1000, 3)]:
        wait(seconds)
        assert job.doc.a == 1
        assert len(reads) == number


def test_a_document_is_settled_by_what_another_file_tells_of_the_clock(
    project: Project, job: Job, wait: Callable[[float], None], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core import stamps

    job.doc.a = 1
    other = project.open_job({"other": 1}).init()
    other.doc.a = 2
    later = os.stat(other.fn(job.FN_DOCUMENT)).st_ctime_ns + 5 * 10**9
    wait(60)
    stamps._clock_seen(SimpleNamespace(st_dev=os.stat(job.path).st_dev, st_ctime_ns=later))
    job.doc()
    reads.clear()
    assert job.doc.a == 1
    assert reads == []


def test_a_document_with_an_old_time_of_modification_is_not_settled(job: Job, wait: Callable[[float], None]) -> None:
    job.doc.a = 1
    path = Path(job.fn(job.FN_DOCUMENT))
    os.utime(path, (0, 0))  # as cp -p, rsync -t and tar do
    assert job.doc.a == 1
    assert job.doc._store._signature is None
    path.write_text('{"a": 2}')
    os.utime(path, (0, 0))
    assert job.doc.a == 2


def test_a_document_is_not_settled_by_a_clock_that_is_ahead_of_that_of_the_file_system(
    job: Job, wait: Callable[[float], None], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core import stamps

    monkeypatch.setattr(stamps, "time_ns", lambda: time.time_ns() + 3600 * 10**9)
    job.doc.a = 1
    assert job.doc.a == 1
    reads.clear()
    assert job.doc.a == 1
    assert len(reads) == 1
    wait(2)
    job.doc()
    reads.clear()
    assert job.doc.a == 1
    assert reads == []


def test_a_young_document_is_read_at_every_access(job: Job) -> None:
    job.doc.a = 1
    path = Path(job.fn(job.FN_DOCUMENT))
    status = path.stat()
    assert job.doc.a == 1
    path.write_text('{"a": 2}')  # in place, same size, and the time stamps put back
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert job.doc.a == 2


def test_the_margin_is_larger_on_file_systems_with_other_clocks(
    job: Job, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core import stamps

    job.doc.a = 1
    path = job.fn(job.FN_DOCUMENT)
    device = os.stat(path).st_dev
    assert stamps.settled_signature(os.stat(path)) is None
    for seconds, parallel, settled in [(1, False, False), (4, False, True), (0, True, False), (6, True, True)]:
        wait(seconds)
        monkeypatch.setattr(stamps, "_parallel_devices", {device: parallel})
        assert (stamps.settled_signature(os.stat(path)) is not None) is settled


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "lustre", "gpfs", "fuse.sshfs", "exfat", "9p", "unknown"])
def test_a_file_system_whose_clock_is_elsewhere_is_not_a_local_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from signac_core import mounts, stamps

    monkeypatch.setattr(mounts, "kind_of", lambda device: kind)
    monkeypatch.setattr(stamps, "_parallel_devices", {})
    assert stamps.is_on_parallel_file_system(1)


# damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['{"a": ', "", "[1]", "5"])
def test_a_damaged_document_raises_value_error_naming_the_file_and_is_left_alone(job: Job, text: str) -> None:
    write_raw(job, text)
    with pytest.raises(ValueError, match="signac_job_document.json"):
        job.doc()
    with pytest.raises(ValueError, match="signac_job_document.json"):
        job.doc["a"] = 1
    assert Path(job.fn(job.FN_DOCUMENT)).read_text() == text
    job.doc.clear()
    assert on_disk(job) == {}


def test_a_document_of_json_null_is_empty(job: Job) -> None:
    write_raw(job, "null")
    assert job.doc() == {}
    job.doc.a = 1
    assert on_disk(job) == {"a": 1}


def test_a_failed_write_leaves_file_and_memory_as_they_were(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.doc.n = {"x": 1}
    child = job.doc.n

    def no_space(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        with pytest.raises(OSError, match="No space left"):
            child["y"] = 2
        with pytest.raises(OSError, match="No space left"):
            job.doc["z"] = 2
    assert job.doc() == {"n": {"x": 1}}
    child["y"] = 3
    assert on_disk(job) == {"n": {"x": 1, "y": 3}}
    assert sorted(os.listdir(job.path)) == ["signac_job_document.json", "signac_statepoint.json"]


# concurrency ----------------------------------------------------------------------------------------------------


def _write_keys(path: str, job_id: str, worker: int, count: int) -> None:
    document = Project(path).open_job(id=job_id).doc
    for i in range(count):
        document[f"k{worker}_{i}"] = i


def _append(path: str, job_id: str, worker: int, count: int) -> None:
    document = Project(path).open_job(id=job_id).doc
    for i in range(count):
        document.l.append([worker, i])


@pytest.mark.parametrize(
    ("target", "workers", "count"), [(_write_keys, 8, 200), (_append, 4, 50)], ids=["keys", "appends"]
)
def test_concurrent_writers_lose_nothing(job: Job, target: Callable[..., None], workers: int, count: int) -> None:
    job.doc.l = []
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=(job.project.path, job.id, n, count)) for n in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * workers
    document = on_disk(job)
    written = len(document["l"]) + len(document) - 1
    assert written == workers * count
    assert sorted(os.listdir(job.path)) == ["signac_job_document.json", "signac_statepoint.json"]


def test_threads_with_handles_of_their_own_and_a_shared_one_lose_nothing(job: Job) -> None:
    shared = job.doc

    def write(worker: int) -> None:
        document = shared if worker % 2 else job.project.open_job(id=job.id).doc
        for i in range(25):
            document[f"k{worker}_{i}"] = i

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(on_disk(job)) == 150


def test_a_lock_that_is_never_released_gives_an_error_naming_the_file(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    monkeypatch.setenv("SIGNAC_LOCK_TIMEOUT", "0.05")
    with open(job.fn(job.FN_STATE_POINT)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LockTimeoutError, match="signac_statepoint.json"):
            job.doc["a"] = 1
    job.doc["a"] = 1
    assert on_disk(job) == {"a": 1}


def test_without_working_locks_documents_are_written_all_the_same(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    from signac_core import locks

    def refuse(fd: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks, "flock", refuse)
    job.doc["a"] = 1
    assert on_disk(job) == {"a": 1}


def test_a_lock_on_a_file_that_was_replaced_meanwhile_is_taken_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    from signac_core import files, locks

    path = job.fn(job.FN_STATE_POINT)
    flock = locks.flock
    taken: list[int] = []

    def replace_before_the_first(fd: int, operation: int) -> None:
        if not taken:
            files.replace_file(path, Path(path).read_bytes())
        taken.append(fd)
        flock(fd, operation)

    monkeypatch.setattr(locks, "flock", replace_before_the_first)
    with locks.Lock(path) as lock:
        assert lock._fd is not None
        assert os.fstat(lock._fd).st_ino == os.stat(path).st_ino


# free-standing documents, copies ----------------------------------------------------------------------------------


def test_a_free_standing_document_lives_in_any_file(tmp_path: Path) -> None:
    document = JSONDict("some.json", data={"initial": 1})
    assert document() == {"initial": 1}
    assert not os.path.exists("some.json")
    document["a"] = 1
    assert json.loads(Path("some.json").read_text()) == {"initial": 1, "a": 1}
    again = JSONDict("some.json", data={"ignored": 1})
    assert again() == {"initial": 1, "a": 1}
    again.filename = str(tmp_path / "other.json")
    again["b"] = 2
    assert json.loads(Path("some.json").read_text()) == {"initial": 1, "a": 1}
    with pytest.raises(TypeError):
        JSONDict()


def test_copies_and_pickles_are_the_same_document(job: Job) -> None:
    job.doc.n = {"x": 1}
    for other in (copy.copy(job.doc), copy.deepcopy(job.doc), pickle.loads(pickle.dumps(job.doc))):
        other["seen"] = job.doc.get("seen", 0) + 1
    assert job.doc.seen == 3
    nested = pickle.loads(pickle.dumps(job.doc.n))
    nested["y"] = 2
    assert job.doc.n == {"x": 1, "y": 2}


def test_the_document_of_the_project_is_locked_by_its_configuration(project: Project) -> None:
    project.doc.a = 1
    project.document.b = {"c": 2}
    assert project.isfile("signac_project_document.json")
    project.doc = {"d": 1}
    assert json.loads(Path(project.fn(project.FN_DOCUMENT)).read_text()) == {"d": 1}


# one locked write of dotted keys ----------------------------------------------------------------------------------


def test_edit_document_sets_and_deletes_dotted_keys_in_one_write(job: Job) -> None:
    job.doc.update(a={"b": 1, "c": 2}, gone=1)
    changed = edit_document(
        job.project.space, job.id, set={"a.b": 5, "x.y.z": [1]}, unset=["gone", "a.c", "never.there"]
    )
    assert changed
    assert on_disk(job) == {"a": {"b": 5}, "x": {"y": {"z": [1]}}}
    assert not edit_document(job.project.space, job.id, set={"a.b": 5}, unset=["gone"])


@pytest.mark.parametrize(
    ("set", "unset", "changes"),
    [
        ({"a.b": 1}, [], False),
        ({"a.b": 1.0}, [], True),
        ({"a.b": True}, [], True),
        ({"a.x.y": 1}, [], True),
        ({"a.b": 2}, ["a.b"], True),
        ({}, ["a.b"], True),
        ({}, ["nope", "a.nope"], False),
        ({}, [], False),
    ],
)
def test_would_edit_document_when_asked_then_tells_what_an_edit_does_and_writes_nothing(
    job: Job, set: dict[str, Any], unset: list[str], changes: bool
) -> None:
    job.doc.a = {"b": 1}
    before = Path(job.fn("signac_job_document.json")).stat()
    assert would_edit_document(job.project.space, job.id, set=set, unset=unset) is changes
    after = Path(job.fn("signac_job_document.json")).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert edit_document(job.project.space, job.id, set=set, unset=unset) is changes


def test_would_edit_document_when_the_job_has_gone_then_fails_as_an_edit_does(job: Job) -> None:
    assert would_edit_document(job.project.space, job.id, set={"a": 1})
    assert not would_edit_document(job.project.space, job.id, unset=["a"])
    job.remove()
    for edit in (would_edit_document, edit_document):
        with pytest.raises(FileNotFoundError):
            edit(job.project, job.id, set={"a": 1})


@pytest.mark.parametrize(("keys", "kind"), [({"": 1}, ValueError), ({"a..b": 1}, ValueError), ({"s.x": 1}, ValueError)])
def test_edit_document_when_a_key_is_impossible_writes_nothing(
    job: Job, keys: dict[str, Any], kind: type[Exception]
) -> None:
    job.doc.s = "scalar"
    with pytest.raises(kind):
        edit_document(job.project.space, job.id, set={"fine": 1, **keys})
    assert on_disk(job) == {"s": "scalar"}


def test_a_state_point_file_that_may_only_be_read_is_locked_all_the_same(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core import locks

    opened = os.open

    def refuse_writing(path: str, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", path)
        return opened(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse_writing)
    with locks.Lock(job.fn(job.FN_STATE_POINT)) as lock:
        assert lock._fd is not None
        monkeypatch.setenv("SIGNAC_LOCK_TIMEOUT", "0")
        with pytest.raises(LockTimeoutError):
            job.doc["a"] = 1


def test_a_loop_over_a_list_goes_on_while_others_write(job: Job) -> None:
    job.doc.l = [{"i": 0}, {"i": 1}, {"i": 2}]
    other = job.project.open_job(id=job.id)
    for number, item in enumerate(job.doc.l):
        other.doc[f"other{number}"] = 1
        with pytest.raises(KeyError):
            del item["nothing"]
        item["done"] = True
    for item in reversed(job.doc.l):
        other.doc.again = item.i
        item["twice"] = True
    assert on_disk(job)["l"] == [{"i": i, "done": True, "twice": True} for i in range(3)]


def test_a_held_item_stays_with_its_element_when_a_change_fails(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.doc.l = [{"x": 0}, {"x": 1}]
    held = job.doc.l[0]

    def no_space(fd: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        with pytest.raises(OSError, match="No space"):
            job.doc.l.insert(0, {"x": -1})
    held["seen"] = True
    assert on_disk(job) == {"l": [{"x": 0, "seen": True}, {"x": 1}]}


def test_a_child_assigned_to_a_key_that_others_deleted_is_stored(job: Job) -> None:
    job.doc.a = {"x": 1}
    child = job.doc.a
    write_raw(job, "{}")
    job.doc["a"] = child
    assert on_disk(job) == {"a": {"x": 1}}


def test_readers_and_writers_of_one_handle_in_threads_do_not_disturb_each_other(job: Job) -> None:
    import sys

    errors: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                job.doc()
                list(job.doc.items())
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    job.doc.update({f"k{i}": i for i in range(50)})
    thread = threading.Thread(target=read)
    thread.start()
    try:
        for i in range(200):
            job.doc[f"n{i}"] = i
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert errors == []


# links that lead nowhere ----------------------------------------------------------------------------------------


LOST = "../../.git/annex/objects/lost"


@pytest.fixture
def lost(job: Job) -> Job:
    """A job whose document is a link, what it leads to is not there."""
    os.symlink(LOST, job.fn(job.FN_DOCUMENT))
    return job


def write_in_buffer(job: Job) -> None:
    with buffered():
        job.doc.k = 1


def write_in_own_buffer(job: Job) -> None:
    with job.doc.buffered:
        job.doc.k = 1


@pytest.mark.parametrize(
    "use",
    [
        lambda job: job.doc(),
        lambda job: len(job.doc),
        lambda job: job.doc.update(k=1),
        lambda job: job.doc.clear(),
        lambda job: job.doc.reset({"k": 1}),
        lambda job: setattr(job, "doc", {"k": 1}),
        lambda job: job.clear(),
        lambda job: edit_document(job.project.space, job.id, set={"k": 1}),
        lambda job: would_edit_document(job.project.space, job.id, set={"k": 1}),
        write_in_buffer,
        write_in_own_buffer,
        lambda job: job.project.find_jobs({"doc.k": {"$exists": False}}).to_dataframe(),
        lambda job: job.project.to_dataframe(),
        lambda job: list(job.project.groupby("doc.k", default=None)),
        lambda job: job.project.open_job({"a": 2}).init().sync(job),
        lambda job: job.sync(with_document(job.project)),
    ],
)
def test_a_document_that_is_a_link_to_nowhere_is_damage_and_stays(lost: Job, use: Callable[[Job], Any]) -> None:
    with pytest.raises(OSError, match="leads nowhere") as caught:
        use(lost)
    errors = [caught.value, *getattr(caught.value, "files", {}).values()]
    assert not any(isinstance(error, FileNotFoundError) for error in errors)
    assert os.readlink(lost.fn(lost.FN_DOCUMENT)) == LOST


def with_document(project: Project) -> Job:
    other = project.open_job({"a": 3}).init()
    other.doc.k = 1
    return other


def test_a_document_of_a_project_that_is_a_link_to_nowhere_is_damage_and_stays(project: Project) -> None:
    os.symlink(LOST, project.fn(project.FN_DOCUMENT))
    for use in (lambda: project.doc(), lambda: project.doc.update(k=1), lambda: project.doc.reset({})):
        with pytest.raises(OSError, match="leads nowhere"):
            use()
    assert os.readlink(project.fn(project.FN_DOCUMENT)) == LOST
    assert [problem.kind for problem in examine(project.space)] == ["invalid-document"]


def test_a_document_that_has_become_a_link_to_nowhere_is_not_taken_for_an_empty_one(
    job: Job, wait: Callable[[float], None]
) -> None:
    job.doc.k = 1
    wait(100)
    held = job.doc
    assert held() == {"k": 1}
    os.unlink(job.fn(job.FN_DOCUMENT))
    os.symlink(LOST, job.fn(job.FN_DOCUMENT))
    with pytest.raises(OSError, match="leads nowhere"):
        held()


def test_a_document_that_is_a_link_to_a_file_is_read(job: Job, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"k": 1}')
    os.chmod(tmp_path / "elsewhere", 0o600)
    os.symlink(tmp_path / "elsewhere", job.fn(job.FN_DOCUMENT))
    assert job.doc() == {"k": 1}
    assert [found.id for found in job.project.find_jobs({"doc.k": 1})] == [job.id]
    job.doc.k = 2
    assert (tmp_path / "elsewhere").read_text() == '{"k": 1}'
    assert os.stat(job.fn(job.FN_DOCUMENT)).st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("at_rest")
@pytest.mark.parametrize("before", ["absent", "a document"])
def test_an_indexed_document_that_has_become_a_link_to_nowhere_is_damage(
    project: Project, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    from signac_core.index import documents, snapshot

    for module, name in ((snapshot, "WORTHWHILE"), (documents, "_WORTHWHILE")):
        monkeypatch.setattr(module, name, 1)
    jobs = [project.open_job({"a": a}).init() for a in range(4)]
    for job in jobs[before == "absent" :]:
        job.doc.k = 1
    project.update_cache()
    assert len(Project().find_jobs({"doc.k": 1})) == 4 - (before == "absent")
    assert os.path.exists(project.fn(".signac/index.documents"))
    document = jobs[0].fn(jobs[0].FN_DOCUMENT)
    if before == "a document":
        os.unlink(document)
    os.symlink(LOST, document)
    with pytest.raises(OSError, match="leads nowhere"):
        len(Project().find_jobs({"doc.k": {"$exists": False}}))


def test_a_state_point_file_that_is_a_link_to_nowhere_is_damage_and_stays(job: Job) -> None:
    os.unlink(job.fn(job.FN_STATE_POINT))
    os.symlink(LOST, job.fn(job.FN_STATE_POINT))
    project = Project()
    for use in (
        lambda: project.open_job(id=job.id).sp(),
        lambda: project.open_job({"a": 1}).init(),
        lambda: list(project.find_jobs({"a": 1})),
        lambda: project.check(),
        lambda: project.export_to("out"),
    ):
        with pytest.raises(JobsCorruptedError):
            use()
    assert [problem.kind for problem in examine(project.space)] == ["invalid-state-point"]
    assert os.readlink(job.fn(job.FN_STATE_POINT)) == LOST


# --- what users of lists and dicts expect -----------------------------------------------------------------------------


@pytest.fixture(params=["document", "state point", "buffered document"])
def live(request: pytest.FixtureRequest, job: Job) -> Iterator[Any]:
    """A live dict that holds a list and a dict."""
    values = {"l": [3, 1, 2], "n": {"x": [1]}}
    if request.param == "state point":
        job.sp = values
        yield job.sp
    else:
        job.doc = values
        with job.doc.buffered if request.param == "buffered document" else nullcontext():
            yield job.doc


def test_copies_of_live_lists_and_dicts_are_plain_and_independent(live: Any) -> None:
    copy_of_list, copy_of_dict, whole = live.l.copy(), live.n.copy(), live.copy()
    assert (type(copy_of_list), type(copy_of_dict), type(whole["n"]["x"])) == (list, dict, list)
    copy_of_list.append(4)
    copy_of_dict["x"].append(2)
    whole["n"]["x"].append(3)
    assert live() == {"l": [3, 1, 2], "n": {"x": [1]}}


def test_sums_and_products_of_live_lists_are_plain(live: Any) -> None:
    held = live.l
    for result, expected in (
        (live.l + [4], [3, 1, 2, 4]),
        ([4] + live.l, [4, 3, 1, 2]),
        (live.l + live.n.x, [3, 1, 2, 1]),
        (live.l * 2, [3, 1, 2, 3, 1, 2]),
        (0 * live.l, []),
    ):
        assert (type(result), result) == (list, expected)
    with pytest.raises(TypeError):
        live.l + (4,)
    with pytest.raises(TypeError):
        live.l + 4
    assert held is live.l == [3, 1, 2]


def test_augmented_assignments_change_the_list_in_place(live: Any) -> None:
    held = live.l
    live.l += (4,)
    live["l"] *= 2
    assert held is live.l == [3, 1, 2, 4] * 2
    live.l *= 0
    assert held == []


def test_a_list_times_a_number_holds_independent_items(job: Job) -> None:
    job.doc.l = [{"x": 1}]
    first = job.doc.l[0]
    job.doc.l *= 3
    first.x = 2
    assert job.doc.l() == [{"x": 2}, {"x": 1}, {"x": 1}]
    job.doc.l *= -1
    assert job.doc.l() == []


def test_sums_of_dicts_are_plain_and_augmented_ones_write(live: Any) -> None:
    assert live.n | {"y": 1} == {"x": [1], "y": 1}
    assert {"x": 0, "y": 1} | live.n == {"x": [1], "y": 1}
    assert type(live.n | live.n) is dict
    with pytest.raises(TypeError):
        live.n | [1]
    live.n |= {"y": 1}
    assert live.n() == {"x": [1], "y": 1}


def test_sorting_a_live_list_writes_it(live: Any) -> None:
    held = live.l
    assert live.l.sort() is None
    assert held is live.l == [1, 2, 3]
    live.l.sort(reverse=True)
    assert live.l == [3, 2, 1]
    live.l.sort(key=lambda value: value % 2)
    assert live() == {"l": [2, 3, 1], "n": {"x": [1]}}


def test_sorting_keeps_what_is_held_of_the_items(job: Job) -> None:
    job.doc.l = [{"x": 2}, {"x": 1}]
    held = job.doc.l[0]
    job.doc.l.sort(key=lambda item: item["x"])
    held.y = 3
    assert job.doc.l() == [{"x": 1}, {"x": 2, "y": 3}]


def test_a_list_that_cannot_be_sorted_stays_as_it_is(live: Any) -> None:
    live.l.append("text")
    with pytest.raises(TypeError):
        live.l.sort()
    assert live.l == [3, 1, 2, "text"]


def test_sorting_starts_again_when_others_change_the_list_meanwhile(job: Job) -> None:
    job.doc.l = [3, 1, 2]
    other = Job(Project(), {"a": 1})

    def key(value: int) -> int:
        if 0 not in other.doc.l:
            other.doc.l.append(0)  # would wait for ever if sorting held the lock
        return value

    job.doc.l.sort(key=key)
    assert job.doc.l() == [0, 1, 2, 3]
    assert set(other.doc.l()) == {0, 1, 2, 3}
