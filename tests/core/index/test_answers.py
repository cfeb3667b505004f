"""The index gives the answers of a full scan, whatever has happened to it or to the project."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from signac_core import Project, catalog, finding, stamps, workspace
from signac_core.canonical import calc_id
from signac_core.errors import DestinationExistsError
from signac_core.index import documents, refreshing_documents
from signac_core.query import NO_DOCUMENT, TESTS, compile_filter
from signac_core.survey.detecting import detect_schema
from tests.support.indexes import index_for_small_projects
from tests.support.patches import for_some_cases

SECOND = 10**9
HISTORIES = int(os.environ.get("SIGNAC_TEST_HISTORIES", "10"))
RESOLUTIONS = [1, 4_000_000, SECOND, 2 * SECOND]

# --- projects, filters, and what is expected --------------------------------------------------------------------------

NUMBERS = [-1, 0, 1, 2, 0.5, 1.0, -0.0, True, False, 2**53 + 1, 2.0**53, 2**70, float("inf"), float("nan")]
TEXTS = ["", "a", "ab", "1", "ä", "\ud800"]
SCALARS = [*NUMBERS, *TEXTS, None]
LISTS = [[], [1], [1.0, "a"], [True, [None]], [{"x": 1}], [float("nan")], [[float("nan")]]]
LONG = ["a" * 5000, "ä" * 20_000, [0, "a"] * 2500, [["b"]] * 20_000]
"""Values that the index of documents does not hold, and those that that of state points does not hold either."""
PATHS = [*"aabc", "a.b", "b.b", "c.a", "sp.a", "doc.a", "doc.b", "doc.a.b", "doc", "sp"]


class Chance:
    """Random state points and filters over few keys and values, so that they meet."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self) -> Any:
        if self.random.random() < 0.03:
            return self.random.choice(LONG)
        pool = self.random.choice([NUMBERS, NUMBERS, TEXTS, SCALARS, LISTS, [{}], [0, 1, 2]])
        return self.random.choice(pool)

    def tree(self, *, deep: bool = True) -> dict[str, Any]:
        if deep and self.random.random() < 0.02:
            return {"a": self.value()} | {f"k{number}": number for number in range(1001)}
        chosen = self.random.sample(["a", "b", "c"], self.random.choice([1, 2, 3, 3, 3, 0]))
        nested = [deep and self.random.random() < 0.2 for _ in chosen]
        return {
            key: self.tree(deep=False) if below else self.value() for key, below in zip(chosen, nested, strict=True)
        }

    def like(self, template: dict[str, Any]) -> dict[str, Any]:
        """Another state point with the same keys."""
        return {
            key: self.like(value) if isinstance(value, dict) and value else self.value()
            for key, value in template.items()
        }

    def condition(self) -> tuple[str, Any]:
        path = self.random.choice(PATHS)
        scalar = self.random.choice(SCALARS)
        comparable = self.random.choice([*NUMBERS, *TEXTS, [1]])
        some = self.random.choices([*SCALARS, *LISTS], k=self.random.randrange(3))
        return self.random.choice(
            [
                (path, self.value()),
                (path, self.random.choice([0, 1, 2, "a"])),
                (f"{path}.$gt", comparable),
                (f"{path}.$gte", comparable),
                (f"{path}.$lt", comparable),
                (f"{path}.$lte", comparable),
                (f"{path}.$ne", scalar),
                (f"{path}.$in", some),
                (f"{path}.$nin", some),
                (f"{path}.$exists", self.random.random() < 0.5),
                (f"{path}.$regex", self.random.choice(["a", "^$", "[0-9]"])),
                (f"{path}.$type", self.random.choice(["int", "float", "bool", "str", "list", "null"])),
                (f"{path}.$near", [self.random.choice([0, 1, 2]), 1e-9, self.random.choice([0.0, 0.5])]),
            ]
        )

    def filter(self) -> dict[str, Any]:
        kind = self.random.random()
        if kind < 0.7:
            return dict(self.condition() for _ in range(self.random.choice([1, 1, 1, 2])))
        if kind < 0.8:
            return {"$not": self.filter()}
        return {self.random.choice(["$and", "$or"]): [self.filter() for _ in range(self.random.choice([1, 2]))]}


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


def test_filters_when_many_are_made_then_with_every_operator_that_the_index_judges():
    chance = Chance(0)
    used = {
        condition.operator for _ in range(500) for condition in compile_filter(dict([chance.condition()])).conditions
    }
    assert used == TESTS.keys() - {"$where"}


class Clock:
    """The time of a file system that keeps time stamps with some resolution."""

    def __init__(self, resolution: int) -> None:
        self.now = 1_000 * SECOND
        self.resolution = resolution
        self.changed = self.stamp()
        self.written: dict[int, int] = {}  # when documents were, by inode

    def stamp(self) -> int:
        return self.now // self.resolution * self.resolution

    def nanoseconds(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.now / SECOND

    def times_of(self, status: os.stat_result) -> tuple[int, int]:
        if not stat.S_ISDIR(status.st_mode):
            written = self.written.get(status.st_ino, self.stamp())  # or a file that was just created
            return written, written
        return self.changed, self.changed

    def signature_of(self, status: os.stat_result) -> list[int]:
        return [status.st_ino, *self.times_of(status)]

    def signature_of_document(self, status: os.stat_result) -> bytes:
        return struct.pack("<4Q", status.st_ino, status.st_size, *self.times_of(status))

    @contextmanager
    def running(self) -> Iterator[None]:
        with (
            for_some_cases(),
            mock.patch.object(stamps, "times_of", self.times_of),
            mock.patch.object(stamps, "directory_signature_of", self.signature_of),
            mock.patch.object(stamps, "monotonic", self.seconds),
            mock.patch.object(documents, "packed_signature", self.signature_of_document),
            mock.patch.object(refreshing_documents, "packed_signature", self.signature_of_document),
            mock.patch.object(documents, "time_ns", self.nanoseconds),
            mock.patch.object(documents, "monotonic", self.seconds),
            mock.patch.object(workspace, "time_ns", self.nanoseconds),
            mock.patch.object(workspace, "monotonic", self.seconds),
        ):
            yield


class History:
    """A project to which things happen."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root = root
        self.clock = clock
        self.project = Project.init_project(root)

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
            path = Path(self.project.workspace, ids[position % len(ids)], "signac_job_document.json")
            path.write_text(json.dumps(document))  # in place: the inode stays, and often the size
            self.clock.written[path.stat().st_ino] = self.clock.stamp()

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


def happen(told: History, chance: Chance) -> None:
    """Let one thing happen."""
    pick = chance.random.choice
    position = chance.random.randrange(20)
    match pick(["add", "by hand", "remove", "rmtree", "change", "write", "write", "update", "wait", "wait", "damage"]):
        case "add":
            told.add(chance.tree())
        case "by hand":
            told.add_by_hand(chance.tree())
        case "remove":
            told.remove(position)
        case "rmtree":
            told.remove_by_hand(position)
        case "change":
            told.change(position)
        case "write":
            told.write_document(position, chance.tree())
        case "update":
            told.update_cache()
        case "wait":
            told.wait(pick([1, 4_000_000, SECOND // 2, 3 * SECOND, 30 * SECOND, 30 * SECOND]))
        case "damage":
            told.damage(chance.random.randrange(140))


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_a_query_after_any_history_gives_the_ids_of_a_full_scan(tmp_path: Path, resolution: int, seed: int) -> None:
    clock, chance = Clock(resolution), Chance(seed)
    with index_for_small_projects(), clock.running():
        told = History(tmp_path, clock)
        for _ in range(12):
            told.add(chance.tree())
            told.write_document(0, chance.tree())
        for _ in range(30):
            happen(told, chance)
            for _ in range(chance.random.randrange(4)):
                _compare_with_scan(told.root, chance.filter())
                _compare_some_with_scan(told.root, chance)


def test_a_document_that_changes_twice_within_one_time_stamp_is_read_again(tmp_path: Path) -> None:
    clock = Clock(SECOND)
    with index_for_small_projects(), clock.running():
        told = History(tmp_path, clock)
        for a in range(4):
            told.add({"a": a})
        told.wait(100 * SECOND)
        told.update_cache()
        for value in (1, 2):  # of the same size, in the same second, and a query between
            for position in range(4):
                told.write_document(position, {"v": value})
            assert len(finding.find_ids(Project(str(tmp_path)).space, {"doc.v": value})) == 4
        told.wait(100 * SECOND)
        assert len(finding.find_ids(Project(str(tmp_path)).space, {"doc.v": 2})) == 4


def _compare_with_scan(root: Path, filter: dict[str, Any]) -> None:
    project = Project(str(root))
    try:
        expected = by_full_scan(project, filter)
    except (KeyError, ValueError, TypeError) as error:
        with pytest.raises(type(error)):
            finding.find_ids(Project(str(root)).space, filter)
        return
    assert finding.find_ids(Project(str(root)).space, filter) == expected
    assert catalog.list_names(Project(str(root)).space) == by_full_scan(project, {})


@pytest.mark.parametrize("seed", range(4 * HISTORIES))
def test_state_points_schema_groups_and_frames_are_the_same_with_an_index(tmp_path: Path, seed: int) -> None:
    root, chance = tmp_path, Chance(seed)
    template = chance.tree()
    trees = [chance.tree() if seed % 2 else chance.like(template) for _ in range(10)]
    later = chance.random.randrange(11)
    project = Project.init_project(root)

    def everything(project: Project) -> list[Any]:
        state_points = dict(catalog.read_state_points(project.space, catalog.list_names(project.space)))
        groups = [(repr(key), [job.id for job in jobs]) for key, jobs in Project(str(root)).groupby("a.b", "none")]
        frames = [
            repr(Project(str(root)).to_dataframe(flatten=flatten, usecols=usecols))
            for flatten in (True, False)
            for usecols in (None, ["sp.a", "sp.b", "sp.a.b", "doc.a"])
        ]
        schema = detect_schema(Project(str(root)).space)
        return [
            repr(state_points),
            groups,
            frames,
            [(repr(key), [job.id for job in jobs]) for key, jobs in Project(str(root)).groupby(["doc.a", "b"], "none")],
            str(schema),
            {key: list(schema[key]) for key in schema},
            str(detect_schema(Project(str(root)).space, exclude_const=True)),
        ]

    with index_for_small_projects(), mock.patch.object(stamps, "margin", return_value=-(10**18)):
        for tree in trees[:later]:
            project.open_job(tree).init()
        for number, job in enumerate(list(project)[: chance.random.randrange(11)]):
            job.doc.a = number % 3
        project.update_cache()
        list(project.find_jobs({"doc.a": 0}))
        for tree in trees[later:]:
            project.open_job(tree).init()
        try:
            by_index = everything(Project(str(root)))
        except TypeError:  # values that cannot be ordered
            with pytest.raises(TypeError, match="not supported between"):
                everything(Project(str(root)))
            return
        (root / ".signac" / "index").unlink()
        (root / ".signac" / "statepoint_cache.json.gz").unlink()
        with mock.patch.dict(os.environ, {"SIGNAC_INDEX_REFRESH": "never"}):
            assert everything(Project(str(root))) == by_index


def _compare_some_with_scan(root: Path, chance: Chance) -> None:
    """The same for a filter over some of the jobs, in an order of their own."""
    filter = chance.filter()
    some = catalog.list_names(Project(str(root)).space)
    chance.random.shuffle(some)
    some = some[: chance.random.randrange(len(some) + 1)]
    try:
        expected = set(by_full_scan(Project(str(root)), filter))
    except (KeyError, ValueError, TypeError):
        return
    with mock.patch.object(finding, "_FEW", 0):
        assert finding.find_ids(Project(str(root)).space, filter, ids=some) == [
            name for name in some if name in expected
        ]
