"""What a document keeps from one write to the next opens no hole: for other processes, forks, threads, and moves.

Each test warms a handle up until it keeps the descriptor of its lock file; then something happens to the job, and the
handle writes again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from signac_core import JSONDict, Project, files
from signac_core.documents.store import Document
from signac_core.documents.views import mutate, store_of
from signac_core.errors import LockTimeoutError
from signac_core.job import Job
from signac_core.layout import FN_STATE_POINT
from signac_core.locks import Lock
from tests.support import ROOT

WRITES = 60


@pytest.fixture
def job(project: Project) -> Job:
    """A job whose handle keeps the descriptor of its lock file."""
    job = project.open_job({"a": 1}).init()
    warm(job.doc)
    return job


def warm(document: JSONDict) -> None:
    for number in range(3):
        document["warm"] = number
    assert keeps(document)


def keeps(document: JSONDict) -> bool:
    store = store_of(document)
    assert isinstance(store, Document)
    return store._kept is not None and store._kept._fd is not None


def elsewhere(code: str, *arguments: str) -> str:
    """Run code in another process, in which ``job`` is the job; what it prints."""
    setup = "import os, shutil, sys\nfrom signac_core import Project\njob = Project().open_job({'a': 1})\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-P", "-c", setup + code, *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=environment).stdout


def on_disk(directory: str | Path) -> Any:
    return json.loads(Path(directory, "signac_job_document.json").read_text())


def descriptors(name: str = FN_STATE_POINT) -> list[str]:
    """Paths of this name that this process has open."""
    paths = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
        if os.path.basename(path.removesuffix(" (deleted)")) == name:
            paths.append(path)
    return paths


@contextmanager
def locked_by_somebody(directory: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within the block the lock of the job at a path is held, and nobody waits for it."""
    with Lock(os.path.join(directory, FN_STATE_POINT)), monkeypatch.context() as patch:
        patch.setenv("SIGNAC_LOCK_TIMEOUT", "0")
        yield


REMADE = {
    "removed": "job.remove()",
    "deleted without a lock": "shutil.rmtree(job.path)",
    "changed": "job.sp.a = 2; job = Project().open_job({'a': 1})",
    "moved": "job.move(Project.init_project('other')); job = Project().open_job({'a': 1})",
    "moved without a lock": "os.rename(job.path, 'away')",
    "moved without a lock, and emptied there": "os.rename(job.path, 'away'); "
    "os.unlink('away/signac_job_document.json')",
    "copied, the copy in its place": "shutil.copytree(job.path, 'copy'); os.rename(job.path, 'away'); "
    "os.rename('copy', job.path)",
}


@pytest.mark.parametrize("how", REMADE)
def test_a_job_that_is_made_anew_between_two_writes_is_written_to_under_its_own_lock(
    job: Job, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    elsewhere(f"{REMADE[how]}; job.init(); job.doc['theirs'] = 1")
    with locked_by_somebody(job.path, monkeypatch), pytest.raises(LockTimeoutError):
        job.doc["ours"] = 1
    job.doc["ours"] = 2
    job.doc["again"] = 3
    expected = {"theirs": 1, "ours": 2, "again": 3}
    assert {key: value for key, value in on_disk(job.path).items() if key != "warm"} == expected
    for away in [*Path().glob("away"), *Path().glob("other/workspace/*"), job.project.open_job({"a": 2}).path]:
        if Path(away, "signac_job_document.json").exists():
            assert on_disk(away) == {"warm": 2}


@pytest.mark.parametrize(
    "how", ["job.remove()", "job.sp.a = 2", "job.move(Project.init_project('other'))", "os.rename(job.path, 'away')"]
)
def test_a_job_that_has_gone_between_two_writes_is_not_written_to(job: Job, how: str) -> None:
    document = job.doc
    elsewhere(how)
    with pytest.raises(FileNotFoundError, match="gone"):
        document["ours"] = 1
    assert not os.path.exists(job.path)
    for path in Path().rglob("signac_job_document.json"):
        assert on_disk(path.parent) == {"warm": 2}


def test_a_lock_file_that_is_replaced_between_two_writes_is_locked_anew(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.replace_file(job.fn(FN_STATE_POINT), b'{"a": 1}')  # as a repair does
    with locked_by_somebody(job.path, monkeypatch), pytest.raises(LockTimeoutError):
        job.doc["ours"] = 1


def test_a_lock_file_that_is_put_aside_is_not_locked_any_longer_than_a_second(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core import locks

    path = job.fn(FN_STATE_POINT)
    os.rename(path, path + "~")  # as some editors do
    Path(path).write_text('{"a": 1}')
    clock = locks.time.monotonic
    monkeypatch.setattr(locks.time, "monotonic", lambda: clock() + 1)
    with locked_by_somebody(job.path, monkeypatch), pytest.raises(LockTimeoutError):
        job.doc["ours"] = 1


def test_a_writer_that_is_forked_between_two_writes_holds_nothing_and_loses_nothing(job: Job) -> None:
    assert len(descriptors()) == 1
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            held = descriptors()
            os.write(writer, b"x")
            for number in range(WRITES):
                job.doc[f"child {number}"] = number
            status = 0 if held == [] and len(descriptors()) == 1 else 2
        finally:
            os._exit(status)
    os.read(reader, 1)  # the child is about to write
    for number in range(WRITES):
        job.doc[f"parent {number}"] = number
    assert os.waitpid(child, 0)[1] == 0
    os.close(reader)
    os.close(writer)
    assert len(on_disk(job.path)) == 2 * WRITES + 1


def test_a_descriptor_that_is_forked_by_others_than_python_is_not_used_in_the_child(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = store_of(job.doc)._kept  # type: ignore[attr-defined]
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    assert not lock.retake()
    assert descriptors() == []
    job.doc["ours"] = 1
    assert on_disk(job.path) == {"warm": 2, "ours": 1}


def test_a_fork_in_the_middle_of_a_write_leaves_nothing_to_keep(job: Job) -> None:
    def fork(data: dict[str, Any]) -> None:
        data["ours"] = 1
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    mutate(job.doc, fork)
    assert on_disk(job.path) == {"warm": 2, "ours": 1}
    assert descriptors() == []
    warm(job.doc)


def test_a_handle_in_two_threads_beside_another_process_loses_no_key(job: Job) -> None:
    def write(name: str) -> None:
        for number in range(WRITES):
            job.doc[f"{name} {number}"] = number

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    elsewhere(f"for number in range({WRITES}): job.doc[f'other {{number}}'] = number")
    for thread in threads:
        thread.join()
    assert len(on_disk(job.path)) == 3 * WRITES + 1


def test_handles_of_one_job_in_two_threads_exclude_each_other(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    other = job.project.open_job(id=job.id)
    warm(other.doc)
    lock = store_of(other.doc)._kept  # type: ignore[attr-defined]
    assert lock.retake()
    monkeypatch.setenv("SIGNAC_LOCK_TIMEOUT", "0")
    errors: list[BaseException] = []

    def write() -> None:
        try:
            job.doc["ours"] = 1
        except LockTimeoutError as error:
            errors.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    lock.release()
    assert len(errors) == 1


# what is kept is bounded ------------------------------------------------------------------------------------------


def test_many_handles_that_write_again_and_again_keep_few_descriptors(project: Project) -> None:
    jobs = [project.open_job({"b": number}).init() for number in range(40)]
    for number in range(3):
        for job in jobs:
            job.doc.n = number
    assert len(descriptors()) == 16
    del jobs, job
    assert descriptors() == []


def test_a_handle_that_writes_once_keeps_nothing(project: Project) -> None:
    job = project.open_job({"b": 1}).init()
    job.doc.n = 1
    assert descriptors() == []


ENDS: dict[str, Callable[[Job], object]] = {
    "closed": lambda job: job.close(),
    "removed": lambda job: job.remove(),
    "removed by another handle": lambda job: job.project.open_job(id=job.id).remove(),
    "changed": lambda job: job.sp.update(a=2),
    "moved": lambda job: job.move(Project.init_project("other")),
}


@pytest.mark.parametrize("how", ENDS)
def test_what_is_kept_is_closed_when_the_job_is(job: Job, how: str) -> None:
    document = job.doc
    assert keeps(document)
    ENDS[how](job)
    assert descriptors() == []
    assert not keeps(document)


def test_a_document_that_gets_another_name_keeps_nothing_of_the_old_place(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "below").mkdir(parents=True)
    document = JSONDict(str(place / "some.json"))
    warm(document)
    assert descriptors("place") == [str(place)]
    document.filename = str(place / "below" / "some.json")
    assert descriptors("place") == []
    document["a"] = 1
    assert json.loads((place / "below" / "some.json").read_text()) == {"a": 1}


def test_a_descriptor_that_a_program_has_closed_and_that_is_another_file_now_is_left_alone(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = store_of(job.doc)._kept  # type: ignore[attr-defined]
    fd = lock._fd
    with open(tmp_path / "theirs", "w") as file:
        os.dup2(file.fileno(), fd)  # as after os.closerange()
    with locked_by_somebody(job.path, monkeypatch), pytest.raises(LockTimeoutError):
        job.doc["ours"] = 0
    job.doc["ours"] = 1
    os.write(fd, b"still open")
    os.close(fd)
    assert (tmp_path / "theirs").read_text() == "still open"
    assert on_disk(job.path) == {"warm": 2, "ours": 1}
