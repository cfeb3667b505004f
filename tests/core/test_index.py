"""The index gives the answers of a full scan, whatever has happened to it or to the project."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signac_core import Project, finding, reading
from signac_core.canonical import calc_id
from signac_core.errors import DestinationExistsError
from signac_core.index import documents, freshness, snapshot
from signac_core.query import NO_DOCUMENT, compile_filter
from signac_core.schema import detect_schema

SECOND = 10**9
RESOLUTIONS = [1, 4_000_000, SECOND, 2 * SECOND]

# --- projects, filters, and what is expected --------------------------------------------------------------------------

scalars = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**53 + 1, 2**70, 0.5, 1.0, -0.0, 0.0, float("inf"), float("nan"), True, False, None]),
    st.sampled_from(["", "a", "ab", "1", "ä", "\ud800"]),
)
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.just({}), st.lists(st.just({"x": 1}), max_size=1))
keys = st.sampled_from(["a", "b", "c", "long key", ""])
state_points = st.dictionaries(keys, st.one_of(values, st.dictionaries(keys, values, max_size=2)), max_size=4)
paths = st.sampled_from(
    ["a", "b", "a.b", "a.c", "c", "b.b", "doc.a", "doc.a.b", "doc.b", "long key", "sp.a", "doc", "sp"]
)
near = st.tuples(st.integers(-2, 2), st.just(1e-9), st.sampled_from([0.0, 0.5])).map(list)
conditions = st.one_of(
    st.tuples(paths, scalars),
    st.tuples(paths, st.just({})),
    st.tuples(paths, st.lists(scalars, max_size=2)),
    st.tuples(paths.map("{}.$gt".format), st.one_of(st.integers(-2, 2), st.just(0.5), st.just("a"), st.just([1]))),
    st.tuples(paths.map("{}.$lte".format), st.one_of(st.integers(-2, 2), st.just(2.0**53), st.just("ab"))),
    st.tuples(paths.map("{}.$lt".format), st.sampled_from([0, 1.5, True, float("nan")])),
    st.tuples(paths.map("{}.$gte".format), st.sampled_from([0, "a", float("inf")])),
    st.tuples(paths.map("{}.$ne".format), scalars),
    st.tuples(paths.map("{}.$in".format), st.lists(scalars, max_size=3)),
    st.tuples(paths.map("{}.$nin".format), st.lists(scalars, max_size=3)),
    st.tuples(paths.map("{}.$exists".format), st.booleans()),
    st.tuples(paths.map("{}.$regex".format), st.sampled_from(["a", "^$", "[0-9]"])),
    st.tuples(paths.map("{}.$type".format), st.sampled_from(["int", "float", "bool", "str", "list", "null"])),
    st.tuples(paths.map("{}.$near".format), near),
)
filters = st.recursive(
    st.lists(conditions, max_size=2).map(dict),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda members: {"$and": members}),
        st.lists(inner, min_size=1, max_size=2).map(lambda members: {"$or": members}),
        inner.map(lambda member: {"$not": member}),
    ),
    max_leaves=3,
)


def by_full_scan(project: Project, filter: dict[str, Any]) -> list[str]:
    """What the files say, without any code that knows of an index."""
    query = compile_filter(filter)
    found = []
    for directory in sorted(Path(project.workspace).iterdir()):
        if directory.name.startswith("."):
            continue
        state_point = json.loads((directory / "signac_statepoint.json").read_text())
        file = directory / "signac_job_document.json"
        document = json.loads(file.read_text()) if file.exists() else NO_DOCUMENT
        if query.matches(state_point, document):
            found.append(directory.name)
    return found


@contextmanager
def index_for_small_projects() -> Iterator[None]:
    with (
        mock.patch.object(snapshot, "WORTHWHILE", 1),
        mock.patch.object(snapshot, "_LONG_LISTING", 1),
        mock.patch.object(finding, "_MANY_FILES_READ", 1),
        mock.patch.object(documents, "_WORTHWHILE", 1),
        mock.patch.object(reading, "_MANY_FILES", 0),
    ):
        yield


class Clock:
    """The time of a file system that keeps time stamps with some resolution."""

    def __init__(self, resolution: int) -> None:
        self.now = 1_000 * SECOND
        self.resolution = resolution
        self.changed = self.stamp()
        self.seen: Any = None

    def stamp(self) -> int:
        return self.now // self.resolution * self.resolution

    def times_of(self, status: os.stat_result) -> tuple[int, int]:
        if not stat.S_ISDIR(status.st_mode):
            return self.stamp(), self.stamp()  # a file that was just created
        return self.changed, self.changed

    def signature_of(self, status: os.stat_result) -> list[int]:
        return [status.st_ino, *self.times_of(status)]

    @contextmanager
    def running(self) -> Iterator[None]:
        with (
            mock.patch.object(freshness, "times_of", self.times_of),
            mock.patch.object(freshness, "signature_of", self.signature_of),
            mock.patch.object(freshness, "monotonic", lambda: self.now / SECOND),
            mock.patch.object(reading, "time_ns", lambda: self.now),
            mock.patch.object(reading, "monotonic", lambda: self.now / SECOND),
        ):
            yield


class History:
    """A project to which things happen."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root = root
        self.clock = clock
        self.project = Project.init_project(root)
        self.written = 0

    def changed(self) -> None:
        self.clock.changed = self.clock.stamp()

    def ids(self) -> list[str]:
        return sorted(entry.name for entry in Path(self.project.workspace).iterdir() if entry.name[0] != ".")

    def add(self, state_point: dict[str, Any]) -> None:
        if calc_id(state_point) not in self.ids():
            self.project.open_job(state_point).init()
            self.changed()

    def add_by_hand(self, state_point: dict[str, Any]) -> None:
        directory = Path(self.project.workspace, calc_id(state_point))
        if not directory.exists():
            directory.mkdir()
            (directory / "signac_statepoint.json").write_text(json.dumps(state_point))
            self.changed()

    def remove(self, position: int) -> None:
        if ids := self.ids():
            self.project.open_job(id=ids[position % len(ids)]).remove()
            self.changed()

    def remove_by_hand(self, position: int) -> None:
        if ids := self.ids():
            shutil.rmtree(Path(self.project.workspace, ids[position % len(ids)]))
            self.changed()

    def change(self, position: int) -> None:
        if ids := self.ids():
            job = self.project.open_job(id=ids[position % len(ids)])
            try:
                job.sp.b = position
                self.changed()
            except DestinationExistsError:
                pass

    def write_document(self, position: int, document: dict[str, Any]) -> None:
        if ids := self.ids():
            self.written += 1
            path = Path(self.project.workspace, ids[position % len(ids)], "signac_job_document.json")
            temporary = path.with_name("new")
            temporary.write_text(json.dumps(document))
            os.utime(temporary, (0, time.time() - 1000 + self.written))
            temporary.replace(path)

    def update_cache(self) -> None:
        Project(str(self.root)).update_cache()

    def wait(self, nanoseconds: int) -> None:
        self.clock.now += nanoseconds

    def damage(self, kind: int) -> None:
        names = ["index", "index.delta", "index.documents", "statepoint_cache.json.gz"]
        path = self.root / ".signac" / names[kind % 4]
        if not path.exists():
            return
        data = bytearray(path.read_bytes())
        match kind // 4 % 5:
            case 0:
                path.unlink()
            case 1:
                path.write_bytes(data[: len(data) * (kind % 7) // 7])
            case 2:
                data[kind * 7919 % len(data)] ^= 1 << kind % 8
                path.write_bytes(data)
            case 3:
                data[8] = 99
                path.write_bytes(data)
            case 4:
                other = self.root / ".signac" / names[(kind + 1) % 4]
                if other.exists():
                    shutil.copy(other, path)


steps = st.one_of(
    st.tuples(st.just("add"), state_points),
    st.tuples(st.just("add"), state_points),
    st.tuples(st.just("add_by_hand"), state_points),
    st.tuples(st.just("remove"), st.integers(0, 9)),
    st.tuples(st.just("remove_by_hand"), st.integers(0, 9)),
    st.tuples(st.just("change"), st.integers(0, 9)),
    st.tuples(st.just("write_document"), st.integers(0, 9), state_points),
    st.tuples(st.just("write_document"), st.integers(0, 9), state_points),
    st.tuples(st.just("update_cache")),
    st.tuples(st.just("wait"), st.sampled_from([1, 4_000_000, 3 * SECOND, 30 * SECOND])),
    st.tuples(st.just("wait"), st.just(30 * SECOND)),
    st.tuples(st.just("damage"), st.integers(0, 139)),
    st.tuples(st.just("ask"), filters),
    st.tuples(st.just("ask"), filters),
    st.tuples(st.just("ask"), filters),
)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=25), last=filters)
def test_a_query_after_any_history_gives_the_ids_of_a_full_scan(
    tmp_path_factory: pytest.TempPathFactory, resolution: int, history: list[tuple[Any, ...]], last: dict[str, Any]
) -> None:
    clock = Clock(resolution)
    with index_for_small_projects(), clock.running():
        told = History(tmp_path_factory.mktemp("history"), clock)
        for name, *arguments in [*history, ("ask", last), ("ask", last)]:
            if name == "ask":
                _compare_with_scan(told.root, *arguments)
            else:
                getattr(told, name)(*arguments)
        shutil.rmtree(told.root)


def _compare_with_scan(root: Path, filter: dict[str, Any]) -> None:
    project = Project(str(root))
    try:
        expected = by_full_scan(project, filter)
    except (KeyError, ValueError, TypeError) as error:
        with pytest.raises(type(error)):
            finding.find_ids(Project(str(root)), filter)
        return
    assert finding.find_ids(Project(str(root)), filter) == expected
    assert reading.list_names(Project(str(root))) == by_full_scan(project, {})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees=st.lists(state_points, max_size=8, unique_by=lambda tree: calc_id(tree)), later=st.integers(0, 8))
def test_state_points_schema_groups_and_frames_are_the_same_with_an_index(
    tmp_path_factory: pytest.TempPathFactory, trees: list[dict[str, Any]], later: int
) -> None:
    root = tmp_path_factory.mktemp("same")
    project = Project.init_project(root)

    def everything(project: Project) -> list[Any]:
        state_points = dict(reading.read_state_points(project, reading.list_names(project)))
        groups = [(repr(key), [job.id for job in jobs]) for key, jobs in Project(str(root)).groupby("a.b", "none")]
        frame = Project(str(root)).to_dataframe(flatten=True)
        schema = detect_schema(Project(str(root)))
        return [
            repr(state_points),
            groups,
            repr(frame),
            str(schema),
            {key: list(schema[key]) for key in schema},
            str(detect_schema(Project(str(root)), exclude_const=True)),
        ]

    with index_for_small_projects():
        for tree in trees[:later]:
            project.open_job(tree).init()
        with mock.patch.dict(os.environ, {"SIGNAC_INDEX_REFRESH": "never"}):
            pass
        project.update_cache()
        for tree in trees[later:]:
            project.open_job(tree).init()
        try:
            by_index = everything(Project(str(root)))
        except TypeError as error:  # values that cannot be ordered
            assert "not supported between" in str(error)
            return
        (root / ".signac" / "index").unlink()
        (root / ".signac" / "statepoint_cache.json.gz").unlink()
        with mock.patch.dict(os.environ, {"SIGNAC_INDEX_REFRESH": "never"}):
            assert everything(Project(str(root))) == by_index
    shutil.rmtree(root)
