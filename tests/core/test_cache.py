from __future__ import annotations

import gzip
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from signac_core import Project, catalog, files, finding, layout, lifecycle, updating
from signac_core.cache import CacheReport, delete_cache, examine_cache, update_cache
from signac_core.canonical import calc_id
from signac_core.errors import JobsCorruptedError
from signac_core.index import peer_cache
from signac_core.index.peer_cache import read_cache
from tests.support.patches import Forbidden, for_some_cases

STATE_POINTS: list[dict[str, Any]] = [
    {"b": 1, "a": [1.0, None, {"x": True}]},
    {"n": math.nan, "i": -math.inf, "big": 10**30, "ü": "☃\ud800"},
    {},
]


@pytest.fixture
def study(project: Project) -> Project:
    for state_point in STATE_POINTS:
        project.open_job(state_point).init()
    return project


def cache_file(project: Project) -> Path:
    return Path(project.fn(project.FN_CACHE))


def content(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(cache_file(project).read_bytes()))
    return found


def state_point_file(project: Project, job_id: str) -> Path:
    return Path(project.workspace, job_id, "signac_statepoint.json")


def test_update_writes_all_state_points_and_then_nothing(study: Project) -> None:
    assert study.update_cache() == 3
    before = cache_file(study).stat().st_ino
    assert study.update_cache() is None
    assert Project().update_cache() is None
    assert cache_file(study).stat().st_ino == before


def test_the_file_holds_the_very_texts_of_the_state_point_files(study: Project) -> None:
    study.update_cache()
    text = gzip.decompress(cache_file(study).read_bytes()).decode("ascii")
    texts = [f'"{job.id}": {state_point_file(study, job.id).read_text()}' for job in study]
    assert text == "{" + ", ".join(texts) + "}"


def test_update_of_a_project_without_jobs_is_zero_every_time(project: Project) -> None:
    assert project.update_cache() == 0
    assert content(project) == {}
    assert project.update_cache() == 0


def test_update_adds_new_jobs_and_drops_old_ones(study: Project) -> None:
    study.update_cache()
    new = study.open_job({"new": 1}).init()
    study.open_job({}).remove()
    assert Project().update_cache() == 3
    assert sorted(content(study)) == sorted(job.id for job in study)
    assert content(study)[new.id] == {"new": 1}


def test_update_does_not_read_what_the_cache_holds(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    study.update_cache()
    new = study.open_job({"new": 1}).init()
    read: list[str] = []
    original = files.read_bytes

    def recording(path: str, *, dir_fd: int | None = None) -> bytes:
        read.append(path)
        return original(path, dir_fd=dir_fd)

    fresh = Project()
    monkeypatch.setattr(files, "read_bytes", recording)
    assert fresh.update_cache() == 4
    assert [path for path in read if "workspace" in path] == [new.fn("signac_statepoint.json")]


def test_update_leaves_no_other_file_behind(study: Project) -> None:
    study.update_cache()
    assert set(os.listdir(study.fn(".signac"))) - {"index", "index.delta"} == {"config", "statepoint_cache.json.gz"}


def test_read_gives_what_was_written(study: Project) -> None:
    study.update_cache()
    found = read_cache(Project().space)
    assert {job_id: repr(state_point) for job_id, state_point in found.items()} == {
        job.id: repr(job.statepoint()) for job in study
    }
    assert read_cache(Project().space, [study.open_job({}).id, "f" * 32]) == {study.open_job({}).id: {}}


def test_read_leaves_out_entries_that_are_not_of_their_id(study: Project) -> None:
    study.update_cache()
    entries = content(study)
    empty = study.open_job({}).id
    other = next(job_id for job_id in entries if job_id != empty)
    cache_file(study).write_bytes(gzip.compress(json.dumps({**entries, other: {"wrong": 1}, "x": 5}).encode()))
    assert empty in read_cache(Project().space)
    assert not {other, "x"} & read_cache(Project().space).keys()
    assert Project().update_cache() == 3
    assert repr(content(study)) == repr(entries)


def test_read_joins_the_members_of_a_file(study: Project) -> None:
    study.update_cache()
    text = gzip.decompress(cache_file(study).read_bytes())
    cache_file(study).write_bytes(gzip.compress(text[:40]) + gzip.compress(text[40:]) + b"\0" * 16)
    assert len(read_cache(Project().space)) == 3
    assert Project().update_cache() is None


def damages(good: bytes) -> dict[str, bytes]:
    text = gzip.decompress(good)
    return {
        "empty": b"",
        "no gzip": b"garbage",
        "truncated": good[:-12],
        "header only": good[:10],
        "flipped": good[:20] + bytes([good[20] ^ 0x10]) + good[21:],
        "flipped checksum": good[:-8] + bytes([good[-8] ^ 1]) + good[-7:],
        "garbage behind": good + b"garbage",
        "no JSON": gzip.compress(text[:-1]),
        "two objects": gzip.compress(text) * 2,
        "a list": gzip.compress(b"[1]"),
        "no text": gzip.compress(b"\xff\xfe\xfd"),
        "deep": gzip.compress(b'{"a": ' * 100_000),
        "zeros": bytes(len(good)),
    }


@pytest.mark.parametrize("kind", list(damages(gzip.compress(b"{}"))))
def test_a_damaged_file_is_ignored_and_rebuilt(study: Project, kind: str) -> None:
    study.update_cache()
    good = cache_file(study).read_bytes()
    cache_file(study).write_bytes(damages(good)[kind])
    assert read_cache(Project().space) == {}
    assert examine_cache(Project().space) == CacheReport("damaged", missing=3)
    assert len(Project().find_jobs({"b": 1})) == 1
    assert Project().update_cache() == 3
    assert cache_file(study).read_bytes() == good


def test_every_single_bit_flip_leaves_the_right_state_points_or_none(study: Project) -> None:
    study.update_cache()
    good = cache_file(study).read_bytes()
    right = {job.id: repr(job.statepoint()) for job in study}
    for bit in range(0, 8 * len(good), 7):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        cache_file(study).write_bytes(data)
        for job_id, state_point in read_cache(study.space).items():
            assert repr(state_point) == right[job_id]


def test_damaged_jobs_are_left_out_and_then_raised_or_collected(study: Project) -> None:
    bad = study.open_job({}).id
    state_point_file(study, bad).write_text("[1]")
    with pytest.raises(JobsCorruptedError) as caught:
        Project().update_cache()
    assert list(caught.value.job_ids) == [bad]
    assert len(content(study)) == 2
    damaged: list[str] = []
    assert update_cache(Project().space, damaged=damaged) is None
    assert damaged == [bad]


def test_the_cache_keeps_the_state_point_of_a_job_that_was_damaged_later(study: Project) -> None:
    study.update_cache()
    bad = study.open_job({}).id
    state_point_file(study, bad).write_text("[1]")
    study.open_job({"new": 1}).init()
    assert Project().update_cache() == 4
    assert content(study)[bad] == {}


def test_jobs_that_vanish_or_are_being_born_are_left_out(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = study.open_job({}).id
    original = files.read_bytes

    def vanishing(path: str, **options: Any) -> bytes:
        if gone in path:
            lifecycle.remove(study.workspace, gone)
        return original(path, **options)

    monkeypatch.setattr(files, "read_bytes", vanishing)
    Path(study.workspace, "a" * 32).mkdir()
    Path(study.workspace, f"{gone}~").mkdir()
    assert Project().update_cache() == 2
    assert gone not in content(study)


def test_update_tells_its_progress(study: Project) -> None:
    steps: list[tuple[str, int, int | None]] = []
    update_cache(study.space, progress=lambda what, done, total: steps.append((what, done, total)))
    assert steps == [("update-cache", 1, 3), ("update-cache", 2, 3), ("update-cache", 3, 3)]


@pytest.mark.parametrize("odd", [{"x.y": 1, "T": 1}, {"n": {"x.y": {"z": 1}}}])
def test_cache_is_current_although_the_index_cannot_hold_a_key_with_a_dot(study: Project, odd: dict[str, Any]) -> None:
    def add(state_point: dict[str, Any]) -> None:
        directory = Path(study.workspace, calc_id(state_point))
        directory.mkdir()
        (directory / "signac_statepoint.json").write_text(json.dumps(state_point))

    add(odd)
    assert update_cache(Project().space) == 4
    assert examine_cache(Project().space) == CacheReport("current", 4)
    before = cache_file(study).stat().st_ino
    assert update_cache(Project().space) is None
    assert cache_file(study).stat().st_ino == before
    study.open_job({"new": 1}).init()
    assert examine_cache(Project().space) == CacheReport("stale", 4, missing=1)
    assert update_cache(Project().space) == 5
    assert examine_cache(Project().space) == CacheReport("current", 5)
    add({"z.z": 1})
    assert examine_cache(Project().space) == CacheReport("stale", 5, missing=1)
    assert update_cache(Project().space) == 6
    assert update_cache(Project().space) is None
    assert sorted(content(study)) == sorted(job.id for job in Project())
    assert examine_cache(Project().space) == CacheReport("current", 6)


def test_examine_counts_what_is_missing_and_obsolete(study: Project) -> None:
    assert examine_cache(study.space) == CacheReport("absent", missing=3)
    study.update_cache()
    assert examine_cache(Project().space) == CacheReport("current", 3)
    study.open_job({}).remove()
    study.open_job({"new": 1}).init()
    study.open_job({"new": 2}).init()
    assert examine_cache(Project().space) == CacheReport("stale", 2, missing=2, obsolete=1)


def test_delete_tells_whether_there_was_a_file(study: Project) -> None:
    assert not delete_cache(study.space)
    study.update_cache()
    assert delete_cache(study.space)
    assert not cache_file(study).exists()


WRITER = """
import sys
from signac_core import Project
project = Project()
for i in range(10):
    project.open_job({"writer": sys.argv[1], "i": i}).init()
    project.update_cache()
"""


def test_concurrent_updates_leave_a_whole_file(study: Project) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(number)]) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert content(study)
    assert len(read_cache(Project().space)) == len(content(study))
    Project().update_cache()
    assert len(content(study)) == 33
    assert set(os.listdir(study.fn(".signac"))) - {"index", "index.delta"} == {"config", "statepoint_cache.json.gz"}


def test_a_cache_file_that_would_grow_without_measure_counts_as_damaged(study: Project) -> None:
    study.update_cache()
    known = read_cache(Project().space)
    path = Path(study.fn(study.FN_CACHE))
    path.write_bytes(gzip.compress(b"{}" + b" " * (1 << 27)))
    assert examine_cache(Project().space).state == "damaged"
    assert read_cache(Project().space) == {}
    study.update_cache()
    assert read_cache(Project().space) == known


def test_a_cache_file_of_very_many_parts_is_read_in_one_pass(study: Project) -> None:
    study.update_cache()
    path = Path(study.fn(study.FN_CACHE))
    parts = [gzip.compress(bytes([byte])) for byte in gzip.decompress(path.read_bytes())]
    path.write_bytes(b"".join(part + b"\0" for part in parts) + gzip.compress(b"") * 20_000)
    assert len(read_cache(Project().space)) == len(STATE_POINTS)


# the cache file where there is no index -------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [0, 10**9])
def test_cache_file_when_written_by_either_encoder_then_holds_the_same(
    study: Project, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_cache, "_MANY", many)
    expected = {job.id: job.statepoint() for job in study}
    update_cache(study.space)
    assert repr(read_cache(study.space)) == repr({job_id: expected[job_id] for job_id in read_cache(study.space)})
    assert read_cache(study.space).keys() == expected.keys()
    with gzip.open(study.fn(study.FN_CACHE)) as file:
        assert repr(json.load(file)) == repr(read_cache(study.space))


@pytest.fixture
def cached_only(project: Project) -> Project:
    """A project with a cache file, no index, and state point files that nobody should need."""
    for i in range(40):
        project.open_job({"i": i, "big": 2**70 if i % 2 else 1.5}).init()
    project.update_cache()
    os.unlink(project.fn(layout.FN_INDEX))
    return Project(project.path)


def test_find_when_there_is_only_a_cache_file_then_reads_no_state_point(
    cached_only: Project, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    expected = sorted(calc_id({"i": i, "big": 2**70}) for i in range(1, 40, 2))
    with forbid(files, "_content"):
        assert [job.id for job in cached_only.find_jobs({"big": 2**70})] == expected
        assert sorted(job.sp.i for job in Project(cached_only.path)) == list(range(40))
    os.unlink(cached_only.fn(cached_only.FN_CACHE))
    assert [job.id for job in Project(cached_only.path).find_jobs({"big": 2**70})] == expected


def test_find_when_there_is_only_a_cache_file_then_leaves_an_index(
    cached_only: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_MANY_FILES_READ", 40)
    assert len(finding.find_ids(cached_only.space, {"i.$lt": 5})) == 5
    assert os.path.exists(cached_only.fn(layout.FN_INDEX))


def test_library_when_files_are_quick_then_leaves_an_index_only_if_they_are_slow(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(70):
        project.open_job({"i": i}).init()
    assert len(Project(project.path).find_jobs({"i.$lt": 5})) == 5
    assert not os.path.exists(project.fn(layout.FN_INDEX))
    monkeypatch.setattr(finding, "_SLOW", -1.0)
    assert len(Project(project.path).find_jobs({"i.$lt": 5})) == 5
    assert os.path.exists(project.fn(layout.FN_INDEX))


def test_find_when_the_cache_file_knows_jobs_that_are_gone_then_they_are_not_found(cached_only: Project) -> None:
    cached_only.open_job({"i": 3, "big": 2**70}).remove()
    new = cached_only.open_job({"i": 3}).init()
    assert [job.id for job in Project(cached_only.path).find_jobs({"i": 3})] == [new.id]


@pytest.mark.parametrize("damage", [b"", b"x", b"\x1f\x8b\x08\x00"])
def test_find_when_the_only_cache_file_is_damaged_then_reads_the_files(cached_only: Project, damage: bytes) -> None:
    Path(cached_only.fn(cached_only.FN_CACHE)).write_bytes(damage)
    assert len(cached_only.find_jobs({"i.$lt": 5})) == 5


def test_find_when_the_cache_file_is_that_of_far_more_jobs_then_reads_the_files(
    cached_only: Project, monkeypatch: pytest.MonkeyPatch, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    reading = forbid(peer_cache, "read_cache")
    assert len(Project(cached_only.path).find_jobs({"i.$lt": 5})) == 5
    monkeypatch.setattr(catalog, "_CACHE_BYTES_PER_FILE", 1)
    with reading:
        assert len(Project(cached_only.path).find_jobs({"i.$lt": 5})) == 5


# several processes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def many_jobs(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Jobs that several processes share, in batches of a block each."""
    with for_some_cases():  # some write with one process
        monkeypatch.setattr(updating, "_SHARED", 10)
        monkeypatch.setattr(updating, "AT_ONCE", 64)
    for i in range(300):
        project.open_job(
            {"i": i, "x": i / 7, "name": f"n{i}", "n": {"a": i % 3}, "big": 2**70 if i == 9 else None}
        ).init()
    return project


def index_and_cache(project: Project) -> list[Any]:
    """What is in the index, and in the cache file."""
    with catalog.open_index(Project(project.path).space) as snapshot:  # type: ignore[union-attr]
        table = snapshot.base
        chunks = {
            key: [
                (chunk[:6], list(table.postings(chunk, data)))
                for chunk, data in table.read_chunks(table.chunk_list(key))
            ]
            for key in sorted(table.directory.keys)
        }
        return [
            table.ids(),
            list(table.trees(range(table.rows))),
            repr(chunks),
            snapshot.about["unread"],
            content(project),
        ]


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_update_in_several_processes_writes_what_one_writes(many_jobs: Project, processes: int) -> None:
    assert update_cache(Project().space) == 300
    expected = index_and_cache(many_jobs)
    delete_cache(many_jobs.space)
    steps: list[tuple[int, int | None]] = []
    progress = lambda what, done, total: steps.append((done, total))  # noqa: E731
    assert update_cache(Project().space, processes=processes, progress=progress) == 300
    assert index_and_cache(many_jobs) == expected
    assert steps[-1] == (300, 300)
    assert examine_cache(Project().space) == CacheReport("current", 300)
    assert update_cache(Project().space, processes=processes) is None
    assert set(os.listdir(many_jobs.fn(".signac"))) - {"index.delta"} == {"config", "index", "statepoint_cache.json.gz"}


def test_update_in_several_processes_when_jobs_are_damaged_or_odd_then_leaves_them_out(many_jobs: Project) -> None:
    ids = sorted(job.id for job in many_jobs)
    state_point_file(many_jobs, ids[3]).write_text("[1]")
    state_point_file(many_jobs, ids[200]).write_text("")
    odd = {"x.y": 1}
    Path(many_jobs.workspace, calc_id(odd)).mkdir()
    state_point_file(many_jobs, calc_id(odd)).write_text(json.dumps(odd))
    for directory in Path(many_jobs.workspace).iterdir():
        os.utime(directory, (0, 0))  # so that none is being born
    damaged: list[str] = []
    assert update_cache(Project().space, damaged=damaged) == 299
    expected = index_and_cache(many_jobs)
    delete_cache(many_jobs.space)
    again: list[str] = []
    assert update_cache(Project().space, damaged=again, processes=3) == 299
    assert again == damaged == [ids[3], ids[200]]
    assert index_and_cache(many_jobs) == expected
    assert expected[3] == sorted([ids[3], ids[200], calc_id(odd)])


def test_update_in_several_processes_when_one_dies_then_its_share_is_done_by_another(
    many_jobs: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_cache(Project().space)
    expected = index_and_cache(many_jobs)
    delete_cache(many_jobs.space)
    parent = os.getpid()
    read = files.read_bytes
    last = max(job.id for job in many_jobs)

    def dying(path: str, **options: Any) -> bytes:
        if last in path and os.getpid() != parent:
            os._exit(1)
        return read(path, **options)

    monkeypatch.setattr(files, "read_bytes", dying)
    assert update_cache(Project().space, processes=2) == 300
    assert index_and_cache(many_jobs) == expected


def test_update_when_the_index_cannot_be_written_then_the_cache_file_is_whole(
    many_jobs: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAC_CACHE_DIR", many_jobs.fn("nowhere"))
    for processes in (1, 2):
        assert update_cache(Project().space, processes=processes) == 300
        assert len(read_cache(many_jobs.space)) == 300
        delete_cache(many_jobs.space)


# a cache file that the index does not know ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", [sorted, lambda names: sorted(names, reverse=True)])
def test_update_when_the_cache_file_is_in_any_order_then_reads_no_state_point_that_it_has(
    many_jobs: Project, order: Callable[[Any], list[str]], forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    entries = {job.id: job.statepoint() for job in many_jobs}
    text = json.dumps({name: entries[name] for name in order(entries)}, indent=1)
    cache_file(many_jobs).write_bytes(gzip.compress(text.encode()))
    with forbid(files, "_content"):
        assert update_cache(Project().space, processes=2) is None
    assert update_cache(Project().space) is None
    new = many_jobs.open_job({"new": 1}).init()
    os.unlink(many_jobs.fn(layout.FN_INDEX))
    assert update_cache(Project().space) == 301
    assert content(many_jobs) == entries | {new.id: {"new": 1}}


def test_update_of_a_large_share_grows_the_file_and_writes_a_new_base(many_jobs: Project) -> None:
    ids = sorted(job.id for job in many_jobs)
    for name in ids[:50]:
        many_jobs.open_job(id=name).remove()
    update_cache(Project().space)
    before = cache_file(many_jobs).read_bytes()
    for i in range(300):
        many_jobs.open_job(
            {"i": i, "x": i / 7, "name": f"n{i}", "n": {"a": i % 3}, "big": 2**70 if i == 9 else None}
        ).init()
    assert update_cache(Project().space) == 300
    end = len(gzip.compress(b"}"))
    assert cache_file(many_jobs).read_bytes().startswith(before[:-end])
    grown = index_and_cache(many_jobs)
    delete_cache(many_jobs.space)
    update_cache(Project().space)
    assert index_and_cache(many_jobs) == grown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        '{"a"}',
        '{"a": {}',
        '{"a": {},}',
        '{"a": {} "b": {}}',
        '{, "a": {}}',
        "{}}",
        "{1: {}}",
        '{"a": {"b": 1}} x',
    ],
)
def test_a_cache_file_that_is_no_json_object_is_damaged(study: Project, text: str) -> None:
    cache_file(study).write_bytes(gzip.compress(text.encode()))
    assert read_cache(study.space) == {}
    assert examine_cache(study.space).state == "damaged"
