"""What has changed between two listings: the same as with sets, whatever the order."""

import os
from contextlib import contextmanager
from hashlib import md5

from hypothesis import given
from hypothesis import strategies as st

import signac_core
from signac_core import catalog
from signac_core.index import snapshot
from signac_core.index.changes import changes


def ids(numbers):
    return [md5(bytes([number % 256, number // 256])).hexdigest() for number in numbers]


def packed(names):
    return bytes.fromhex("".join(names))


def as_sets(entries, known):
    return set(entries) - set(known), set(known) - set(entries)


NUMBERS = st.lists(st.integers(0, 400), unique=True, max_size=300)


@given(
    NUMBERS, NUMBERS, st.lists(st.sampled_from(["notes.txt", "a" * 31, "b" * 33, "ä", "\udcff", "A" * 32]), unique=True)
)
def test_any_two_listings(before, now, others):
    known, entries = ids(before), [*others, *ids(now)]
    found = changes(entries, packed(known))
    assert found is None or found == as_sets(entries, known)


@given(st.integers(200, 3000), st.data())
def test_an_order_that_is_kept(number, data):
    known = ids(range(number))
    gone = set(data.draw(st.lists(st.integers(0, number - 1), max_size=10)))
    entries = [name for position, name in enumerate(known) if position not in gone]
    for position in data.draw(st.lists(st.integers(0, len(entries)), max_size=10)):
        entries.insert(position, ids([40_000 + position])[0])
    entries = list(dict.fromkeys(entries))
    assert changes(entries, packed(known)) == as_sets(entries, known)


def test_many_at_one_place():
    known = ids(range(5000))
    new = ids(range(10_000, 11_000))
    for position in (0, 2500, 5000):
        assert changes([*known[:position], *new, *known[position:]], packed(known)) == (set(new), set())
    assert changes(known[:1000] + known[2000:], packed(known)) == (set(), set(known[1000:2000]))


def test_another_order_is_noticed():
    known = ids(range(5000))
    entries = sorted(known)
    assert changes(entries, packed(known)) is None


def list_twice(monkeypatch, *names):
    """Let a directory list some names a second time, as a file system may while entries come and go."""
    real = os.scandir

    @contextmanager
    def scandir(path):
        with real(path) as found:
            entries = list(found)
        again = [entry for name in names for entry in entries if entry.name == name]
        assert len(again) == len(names)
        yield iter(entries + again)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_name_that_is_listed_twice_is_one_job(tmp_path, monkeypatch):
    project = signac_core.init_project(tmp_path)
    for i in range(1100):
        project.open_job({"i": i}).init()
    project.update_cache()
    newcomer = project.open_job({"i": -1}).init().id
    listed = os.listdir(project.workspace)
    stale = signac_core.Project(tmp_path)
    list_twice(monkeypatch, listed[5], newcomer, listed[700])
    with catalog.open_index(stale.space) as snapshot:
        assert snapshot.pending == [newcomer]
    assert [job.id for job in stale.find_jobs({"i": {"$lt": 3}})] == [
        job_id for job_id in sorted(listed) if stale.open_job(id=job_id).sp.i < 3
    ]


def test_what_has_gone_is_found_without_sets(tmp_path, monkeypatch, forbid):
    project = signac_core.init_project(tmp_path)
    for i in range(1100):
        project.open_job({"i": i}).init()
    project.update_cache()
    for i in (0, 500, 1099):
        project.open_job({"i": i}).remove()
    project.open_job({"i": 2000}).init()
    left = [*range(1, 500), *range(501, 1099), 2000]

    def found():
        return sorted(job.sp.i for job in signac_core.Project(tmp_path).find_jobs({"i": {"$gte": 0}}))

    with forbid(snapshot, "_compare_sets"):
        assert found() == left
    monkeypatch.setattr(snapshot, "_LONG_LISTING", 10**9)
    assert found() == left


def test_a_name_that_is_listed_twice_is_indexed_once(tmp_path, monkeypatch):
    project = signac_core.init_project(tmp_path)
    for i in range(1100):
        project.open_job({"i": i}).init()
    listed = os.listdir(project.workspace)
    list_twice(monkeypatch, listed[5])
    project.update_cache()
    with catalog.open_index(project.space) as snapshot:
        assert snapshot.names() == sorted(listed)
        assert snapshot.base.rows == 1100
