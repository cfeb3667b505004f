"""Random projects under both programs: the same descriptions, views, copies and merges, but for what is listed."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.peer.json_values import NAN
from tests.peer.sides import Side
from tests.support.environments import environment

pytestmark = pytest.mark.slow

DRIVER = "spaces_driver.py"


def several(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def peer_python() -> Path:
    """signac 2.4.1 with the packages of our own environment: data types depend on their versions."""
    packages = [f"{name}=={version(name)}" for name in ("numpy", "h5py", "pandas", "tables")]
    return environment("peer-frames-venv", ["signac==2.4.1", *packages])


@pytest.fixture(params=["peer to ours", "ours to peer"])
def pair(request: pytest.FixtureRequest, peer: Side, ours: Side) -> tuple[Side, Side]:
    """The one that writes and the one that reads."""
    return (peer, ours) if request.param == "peer to ours" else (ours, peer)


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for one example."""
    directory = Path(tempfile.mkdtemp(dir=os.getcwd()))
    yield directory
    shutil.rmtree(directory)


def failed(answer: Any) -> bool:
    return isinstance(answer, dict) and "error" in answer and "message" in answer


def same(theirs: Any, mine: Any) -> bool:
    """Whether ours is the same answer (but for the order of keys), or an error that those who expect theirs catch."""
    if failed(theirs):
        return failed(mine) and theirs["error"][0].lstrip("_") in mine["error"]
    return json.dumps(theirs, sort_keys=True) == json.dumps(mine, sort_keys=True)


def assert_same(cases: list[Any], theirs: list[Any], mine: list[Any]) -> None:
    """Compare the answers to a list of cases."""
    assert not failed(theirs), theirs
    assert not failed(mine), mine
    for case, *both in zip(cases, theirs, mine, strict=True):
        assert same(*both), (case, *both)


# --- spaces ----------------------------------------------------------------------------------------------------------

# No two of these are equal without being the same: what 1, 1.0 and True are to each other is listed below.
numbers = st.sampled_from([-3, 2, 3, 4, 10, 11, 0.5, 2.5, 1e-7, 1e22, 1 / 3])
words = st.sampled_from(["", "x", "y", "xy", "a b", "é", "2", "None", "A"])
lists = st.sampled_from([[], [2], [3, 2], [[2], "x"], [None, True]])
values = st.one_of(numbers, words, lists, st.booleans(), st.none())
one_type = st.one_of(
    st.lists(st.integers(-3, 12), min_size=1, max_size=9, unique=True),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9, unique=True),
    st.lists(words, min_size=1, max_size=7, unique=True),
    st.lists(st.lists(st.integers(0, 2), max_size=2), min_size=1, max_size=4),
    st.sampled_from([[None], [True, False], [True]]),
)
keys = st.sampled_from(["a", "b", "c", "n.x", "n.y", "n.z.x", "two words", "é"])


def nested(leaves: dict[str, Any]) -> dict[str, Any]:
    """The state point of dotted keys."""
    point: dict[str, Any] = {}
    for key, value in leaves.items():
        *above, name = key.split(".")
        container = point
        for part in above:
            container = container.setdefault(part, {})
        container[name] = value
    return point


@st.composite
def spaces(draw: st.DrawFn, columns: st.SearchStrategy[list[Any]], least: int = 0, gaps: bool = True) -> list[Any]:
    """State points over few keys with few values, of which some lack keys."""
    chosen = draw(st.dictionaries(keys, columns, min_size=1, max_size=4))
    point = st.fixed_dictionaries({key: st.sampled_from(some) for key, some in chosen.items()})
    if gaps:
        lost = st.frozensets(st.sampled_from(sorted(chosen)), max_size=1)
        point = st.tuples(point, st.just(frozenset()) | lost).map(
            lambda pair: {key: value for key, value in pair[0].items() if key not in pair[1]}
        )
    return distinct([nested(leaves) for leaves in draw(st.lists(point, min_size=least, max_size=10)) if leaves])


def distinct(points: list[Any]) -> list[Any]:
    return list({json.dumps(point, sort_keys=True): point for point in points}.values())


mixed = st.lists(values, min_size=1, max_size=4, unique_by=json.dumps)
ordered = st.lists(values.filter(lambda value: value not in ([[2], "x"], [None, True])), min_size=1, max_size=4)
trees = st.recursive(values, lambda inner: st.dictionaries(st.sampled_from("abx"), inner, max_size=2), max_leaves=4)
documents = st.none() | st.dictionaries(st.sampled_from(["a", "b", "x", "é"]), trees, max_size=3)


TIMES = [10**9, 10**9 + 1000]


def bare(points: list[Any]) -> list[Any]:
    return [[point, None, None] for point in points]


# --- what a space looks like -----------------------------------------------------------------------------------------

layouts = st.fixed_dictionaries(
    {},
    optional={
        "depth": st.integers(0, 3),
        "precision": st.integers(0, 5),
        "max_num_range": st.integers(0, 9),
    },
)


@st.composite
def schema_cases(draw: st.DrawFn, count: int, layouts: st.SearchStrategy[Any]) -> list[Any]:
    subsets = st.none() | st.lists(st.integers(0, max(0, count - 1)), max_size=6 if count else 0)
    detect = st.sampled_from([{}, {"exclude_const": True}])
    return draw(st.lists(st.tuples(detect, subsets, st.lists(layouts, max_size=8)), min_size=4, max_size=6))


@several(60)
@given(data=st.data())
def test_schema_when_each_key_has_one_type_then_equal_texts(peer, ours, data):
    points = data.draw(spaces(one_type))
    cases = data.draw(schema_cases(len(points), layouts))
    theirs, mine = (side.ask("schemas", jobs=bare(points), cases=cases) for side in (peer, ours))
    assert_same(cases, theirs, mine)


@several(40)
@given(data=st.data())
def test_schema_when_keys_have_several_types_then_equal_but_for_the_order_of_types(peer, ours, data):
    points = data.draw(spaces(mixed))
    cases = data.draw(schema_cases(len(points), layouts.map(lambda layout: {**layout, "depth": 0})))
    theirs, mine = (side.ask("schemas", jobs=bare(points), cases=cases) for side in (peer, ours))
    for answers in (theirs, mine):
        for answer in answers:
            answer["texts"] = [
                [
                    sorted(re.split(r", (?=\w+\(\[)", line.rstrip("',")))
                    for line in text.replace("': '", "\n").split("\n")
                ]
                for text in answer["texts"]
            ]
    assert_same(cases, theirs, mine)


@several(60)
@given(data=st.data())
def test_differences_when_of_any_jobs_then_equal(peer, ours, data):
    points = data.draw(spaces(mixed, least=1))
    positions = st.lists(st.integers(0, max(0, len(points) - 1)), max_size=5 if points else 0)
    selections = data.draw(st.lists(positions, min_size=5, max_size=10))
    theirs, mine = (side.ask("differences", jobs=bare(points), selections=selections) for side in (peer, ours))
    assert_same(selections, theirs, mine)


@several(60)
@given(spaces(ordered), st.lists(st.lists(keys | st.just("no"), max_size=2, unique=True), min_size=3, max_size=6))
def test_neighbors_when_keys_are_ignored_then_equal(peer, ours, points, ignored):
    theirs, mine = (side.ask("neighbors", jobs=bare(points), ignored=ignored) for side in (peer, ours))
    assert_same(ignored, theirs, mine)


columns_wanted = st.one_of(
    st.none(),
    st.lists(st.sampled_from(["sp.a", "sp.n", "sp.n.x", "doc.a", "doc.x", "no", "a", "n.x"]), max_size=5),
    st.sampled_from(["a", "x", "", "no"]),
)
frame_cases = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "flatten": st.booleans(),
            "usecols": columns_wanted,
            "sp_prefix": st.sampled_from(["", "sp.", "state point "]),
            "doc_prefix": st.sampled_from(["_", "doc.", "d"]),
        },
    ),
    min_size=4,
    max_size=8,
)


def without_lists(document: dict[str, Any] | None) -> Any:
    """A document of which no list becomes a cell of a flat frame; those are listed below."""
    if isinstance(document, dict):
        return {key: without_lists(value) for key, value in document.items()}
    return "list" if isinstance(document, list) else document


@several(60)
@given(st.data(), frame_cases, st.booleans())
def test_frame_when_of_any_jobs_then_equal_but_for_the_order_of_jobs(peer, ours, data, cases, alike):
    points = data.draw(spaces(mixed, gaps=not alike))
    own = st.fixed_dictionaries({"a": values, "n": st.fixed_dictionaries({"x": values})}) if alike else documents
    jobs = [[point, without_lists(data.draw(own)), None] for point in points]
    if alike:
        jobs = json.loads(json.dumps(jobs, sort_keys=True))
    theirs, mine = (side.ask("frames", jobs=jobs, cases=cases) for side in (peer, ours))
    for answers in (theirs, mine):
        for answer in answers:
            if not alike:  # the columns are in the order of their appearance
                answer["columns"].sort(key=lambda column: column[0])
            if not answer["ids"]:
                answer.pop("index")  # of no type
    assert_same(cases, theirs, mine)


# --- views -----------------------------------------------------------------------------------------------------------

# None begins with the text of a value: where that is empty, signac writes to the root of the file system.
PATHS = [None, False, "id/{job.id}", "of/{{auto}}", "{{auto:_}}", "a_{job.sp.a}/{{auto}}", "a_{a}", "x_{n.x}/{job.id}"]


def is_refused_nesting(theirs: Any, mine: Any) -> bool:
    """Whether ours refuses nested or equal paths, which signac sees or not as the order of the directory has it."""
    return failed(mine) and bool(re.search("is a leaf and a node|duplicate paths", mine["message"]))


@st.composite
def filled(draw: st.DrawFn, points: list[Any]) -> list[Any]:
    """Jobs with documents and files."""
    files = st.dictionaries(
        st.sampled_from(["f", "g.txt", "d/f", "d/e/h", "signac_data.h5"]),
        st.tuples(st.sampled_from(["", "1", "2", "long" * 99]), st.sampled_from(TIMES)),
        max_size=3,
    )
    return [[point, draw(documents), draw(files)] for point in points]


@several(60)
@given(st.data(), st.sampled_from(PATHS))
def test_view_when_jobs_change_then_equal_links(peer, ours, data, path):
    points = data.draw(spaces(mixed, gaps=data.draw(st.booleans())))
    some = st.lists(st.sampled_from(points), unique_by=json.dumps) if points else st.just([])
    steps = []
    for _ in range(3):
        jobs = bare(data.draw(some))
        positions = st.lists(st.integers(0, len(jobs) - 1), min_size=1, max_size=4, unique=True) if jobs else st.none()
        steps.append([jobs, data.draw(st.none() | positions)])
    theirs, mine = (side.ask("views", steps=steps, path=path) for side in (peer, ours))
    for case in zip(theirs, mine, strict=False):
        if is_refused_nesting(*case):
            return
        assert same(*case), case
    assert len(theirs) == len(mine)


# --- copies ----------------------------------------------------------------------------------------------------------

TARGETS = ["data", "data.zip", "data.tar", "data.tar.gz"]


@pytest.mark.parametrize("target", TARGETS)
@several(20)
@given(st.data(), st.sampled_from(PATHS), st.sampled_from([None, {}, {"a": 2}, {"a.$exists": True}]))
def test_export_when_of_any_jobs_then_equal(peer, ours, target, data, path, selection):
    points = data.draw(spaces(mixed, least=1))
    jobs = data.draw(filled(points))
    with scratch() as root:
        ours.ask("make", root=str(root / "project"), jobs=jobs)
        answers = []
        for side in (peer, ours):
            (root / side.scratch.name).mkdir()
            arguments = {"path": path, "selection": selection, "target": str(root / side.scratch.name / target)}
            answers.append(side.ask("export", root=str(root / "project"), **arguments))
        assert is_refused_nesting(*answers) or same(*answers), answers


@pytest.mark.parametrize("target", TARGETS)
@several(12)
@given(st.data(), st.sampled_from([None, False, "of/{{auto}}", "id/{job.id}"]))
def test_export_when_imported_by_the_other_then_equal_projects(pair, target, data, path):
    writer, reader = pair
    # Of the same length, see `copies()` below.
    alike = st.lists(st.sampled_from(["ab", "xy", 10, 11, True, [22]]), min_size=1, max_size=4, unique_by=json.dumps)
    jobs = data.draw(filled(data.draw(spaces(alike, gaps=False))))
    if target != "data" and len(jobs) == 1:
        path = path or "id/{job.id}"
    with scratch() as root:
        made = writer.ask("make", root=str(root / "project"), jobs=jobs)
        exported = writer.ask("export", root=str(root / "project"), target=str(root / target), path=path)
        if not jobs:
            return
        assert not failed(exported), exported
        imported = reader.ask("import_", root=str(root / "copy"), origin=str(root / target))
        assert not failed(imported), imported
        assert {name.split("/")[0] for name in imported[1]} == set(made)
        again = writer.ask("import_", root=str(root / "again"), origin=str(root / target))
        assert again == imported
        copies, workspace = exported[0], imported[1]
        if target == "data":
            assert {f"workspace/{job_id}": place for place, job_id in imported[0]} == copies
        for side in pair:
            synchronized = side.ask("import_", root=str(root / "copy"), origin=str(root / target), sync=True)
            assert synchronized[1] == workspace
        for point, document, files in jobs:
            job_id = made[[job[0] for job in jobs].index(point)]
            assert json.loads(workspace[f"{job_id}/signac_statepoint.json"]) == point
            assert json.loads(workspace.get(f"{job_id}/signac_job_document.json", "{}")) == (document or {})
            for name, (text, _) in files.items():
                assert workspace[f"{job_id}/{name}"] == text


SCHEMAS = {
    "a_{a:int}/{n.x:float}/b-{b}": lambda a, x, b: f"a_{a}/{x}/b-{b}",
    "{a:int}/{n.x:float}/{b}": lambda a, x, b: f"{a}/{x}/{b}",
    "of/{a:int}-{n.x:float}-{b:str}": lambda a, x, b: f"of/{a}-{x}-{b}",
}


@pytest.mark.parametrize("target", TARGETS)
@several(10)
@given(
    st.sampled_from(sorted(SCHEMAS)),
    st.lists(
        st.tuples(st.integers(10, 14), st.sampled_from([0.5, 1.5]), st.sampled_from(["ab", "xy", "_1", "éé"])),
        min_size=1,
        max_size=6,
        unique=True,
    ),
)
def test_export_when_imported_by_the_other_by_a_schema_then_equal_projects(pair, target, schema, points):
    writer, _ = pair
    jobs = [[{"a": a, "n": {"x": x}, "b": b}, {"b": b}, {"f": [b, TIMES[0]]}] for a, x, b in points]
    path = re.sub(r":\w+", "", schema)
    with scratch() as root:
        made = writer.ask("make", root=str(root / "project"), jobs=jobs)
        exported = writer.ask("export", root=str(root / "project"), target=str(root / target), path=path)
        assert {place for _, place in exported[0].items()} == {SCHEMAS[schema](*point) for point in points}
        for side, name in zip(pair, ("one", "other"), strict=True):
            imported = side.ask("import_", root=str(root / name), origin=str(root / target), schema=schema)
            assert not failed(imported), imported
            assert {name.split("/")[0] for name in imported[1]} == set(made)
            assert len(imported[1]) == 4 * len(made)


directories = st.lists(
    st.sampled_from(["1", "12", "x", "x_y", "0.5", "a_1", "a_2", "a_x", "true", "0", "-1", "5.", "1e5", "a-b", "é"]),
    min_size=1,
    max_size=3,
).map("/".join)

READ_SCHEMAS = [
    "{a}", "{a:int}", "{a:float}", "{a:bool}", "a_{a:int}", "a_{n.x}", "{a}/{b:int}", "x/{a}", "{a}/{b}/{c}",
    "a_{a:int}/{b:float}", "x/{n.x}/{n.y:bool}", "{a:int}/a_{b:str}", "no/{a}",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["directory", "tar"])
@several(40)
@given(st.lists(directories, min_size=1, max_size=8, unique=True), st.sampled_from(READ_SCHEMAS))
def test_directories_when_imported_by_a_schema_then_equal_projects(peer, ours, kind, directories, schema):
    with scratch() as root:
        origin = root / "data"
        for directory in directories:
            (origin / directory).mkdir(parents=True, exist_ok=True)
            (origin / directory / "file").write_text(directory)
        if kind == "tar":
            with tarfile.open(root / "data.tar", "w") as archive:
                for name in sorted(os.listdir(origin)):
                    archive.add(origin / name, name)
            origin = root / "data.tar"
        theirs, mine = (
            side.ask("import_", root=str(root / side.scratch.name), origin=str(origin), schema=schema)
            for side in (peer, ours)
        )
        assert same(theirs, mine) or more(theirs, mine), (theirs, mine)


def more(theirs: Any, mine: Any) -> bool:
    """Whether ours has what theirs has, and jobs of names that their fields do not match."""
    if failed(theirs) or failed(mine):
        return False
    added = [place for place in mine[0] if place not in theirs[0]]
    names = [place[0] if isinstance(place, list) else _origin(place, mine[1]) for place in added]
    return (
        all(place in mine[0] for place in theirs[0])
        and theirs[1].items() <= mine[1].items()
        and all(set(name) & set("-.") or "1e5" in name for name in names)
    )


def _origin(job_id: str, content: dict[str, Any]) -> str:
    """Where a job comes from, or something in it: each file tells."""
    return next(str(text) for path, text in content.items() if path.startswith(job_id) and path.endswith("/file"))


# --- synchronisation -------------------------------------------------------------------------------------------------

contents = st.tuples(st.sampled_from(["", "1", "2", "33"]), st.sampled_from(TIMES))
synchronized_files = st.dictionaries(
    st.sampled_from(["f", "g.txt", "d/f", "d/e/h", "e/k", "empty/"]), contents, max_size=4
)
# A mapping in one document is none of another kind in the other, see `merges()` below.
synchronized_documents = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "a": values,
        "b": values,
        "n": st.fixed_dictionaries({}, optional={"x": values, "y": values}),
    },
)
document_strategies = st.sampled_from(
    ["default", "by key", "by key:a", "by key:n.*", "by key:b|.*x", "never", "copy", "update", "function"]
)
file_strategies = st.sampled_from([None, "always", "never", "update"])


def merged(peer: Side, ours: Side, root: Path, source: Any, destination: Any, arguments: dict[str, Any]) -> list[Any]:
    """Have both synchronize the same two projects, of which each has made one."""
    peer.ask("make", root=str(root / "source"), jobs=source[0], project_document=source[1])
    ours.ask("make", root=str(root / "destination"), jobs=destination[0], project_document=destination[1])
    answers = []
    for side in (peer, ours):
        copy = root / side.scratch.name
        shutil.copytree(root / "destination", copy)
        answers.append(side.ask("synchronize", source=str(root / "source"), destination=str(copy), **arguments))
    return answers


@several(150)
@given(
    st.tuples(synchronized_documents, synchronized_files),
    st.tuples(synchronized_documents, synchronized_files),
    st.booleans(),
    st.fixed_dictionaries(
        {"strategy": file_strategies, "recursive": st.booleans()},
        optional={
            "deep": st.booleans(),
            "exclude": st.sampled_from(["g", ["no", "g.*"], []]),
            "preserve_permissions": st.just(True),
        },
    ),
    document_strategies,
)
def test_job_when_synchronized_then_equal(peer, ours, source, destination, alike, options, strategy):
    arguments = {"options": options, "document_strategy": strategy, "whole": False}
    if options.get("preserve_permissions"):
        options["preserve_times"] = True
    jobs = ([[{"a": 1}, *source]], None), ([[{"a": 1 if alike else 2}, *destination]], None)
    with scratch() as root:
        theirs, mine = merged(peer, ours, root, *jobs, arguments)
    for answer in (theirs, mine):
        answer.pop("name", None)  # of whichever file comes first
        if "times" in answer:  # those of documents are the time of the merge
            answer["times"] = {name: time for name, time in answer["times"].items() if not name.endswith(".json")}
    assert same(theirs, mine), (theirs, mine)


numbered = st.dictionaries(st.integers(0, 3), st.tuples(synchronized_documents, synchronized_files), max_size=3)


@several(80)
@given(
    st.tuples(numbered, synchronized_documents),
    st.tuples(numbered, synchronized_documents),
    st.fixed_dictionaries(
        {
            "strategy": file_strategies,
            "recursive": st.booleans(),
            "check_schema": st.sampled_from([False, False, False, True]),
        },
        optional={
            "selection": st.lists(st.sampled_from([{"a": 0}, {"a": 1}, {"a": 9}]), max_size=2),
            "parallel": st.sampled_from([True, 2]),
        },
    ),
    document_strategies,
)
def test_project_when_synchronized_then_equal(peer, ours, source, destination, options, strategy):
    arguments = {"options": options, "document_strategy": strategy, "whole": True}
    projects = [([[{"a": number}, *job] for number, job in jobs.items()], doc) for jobs, doc in (source, destination)]
    with scratch() as root:
        theirs, mine = merged(peer, ours, root, *projects, arguments)
    if theirs.get("conflict") in ("document", "file"):  # whichever comes first
        assert mine.get("conflict") in ("document", "file"), (theirs, mine)
    else:
        assert same(theirs, mine), (theirs, mine)


# --- the cache file --------------------------------------------------------------------------------------------------

any_points = spaces(mixed)


@several(30)
@given(any_points, any_points, st.sets(st.integers(0, 9)), st.booleans())
def test_cache_when_written_by_one_then_the_other_goes_on(pair, points, others, removed, twice):
    writer, reader = pair
    points = points or [{"a": 2}]
    with scratch() as root:
        made = writer.ask("make", root=str(root), jobs=bare(points), cache=True)
        by_id = dict(zip(made, points, strict=True))
        assert reader.ask("cached", root=str(root)) == by_id
        assert reader.ask("change_and_cache", root=str(root), remove=[], add=[]) is None
        gone = [job_id for number, job_id in enumerate(made) if number in removed]
        side = writer if twice else reader
        answer = side.ask("change_and_cache", root=str(root), remove=gone, add=bare(others))
        cached = side.ask("cached", root=str(root))
        left = distinct([point for job_id, point in by_id.items() if job_id not in gone] + others)
        assert sorted(map(exact, cached.values())) == sorted(map(exact, left))
        assert answer in (None, len(left))
        assert answer is not None or cached == by_id
        for side in pair:
            assert side.ask("repair", root=str(root)) == cached


def exact(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# --- HDF5 ------------------------------------------------------------------------------------------------------------

KINDS = ["int8", "uint16", "int64", "uint64", "float16", "float32", "float64", "complex64", "complex128", "bool", "S3"]
RECORD = [["a", "int32"], ["b", "float64"], ["c", "S2"]]


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, Any]:
    """Arrays of any number of dimensions, and scalars."""
    kind = draw(st.sampled_from(KINDS))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    item = st.text("abc", max_size=3) if kind == "S3" else st.integers(0, 100)

    def content(dimensions: list[int]) -> Any:
        return [content(dimensions[1:]) for _ in range(dimensions[0])] if dimensions else draw(item)

    return ("array" if shape or draw(st.booleans()) else "scalar"), [kind, content(shape)]


def plain(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just("plain"), values)


stored = st.one_of(
    plain(st.integers(-(2**63), 2**63 - 1)),
    plain(st.floats()),
    plain(st.booleans()),
    plain(st.none()),
    plain(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)),
    st.tuples(st.just("bytes"), st.sampled_from(["", "a", "\x00b", "a\x00b", "\xff\xfe"])),
    arrays(),
    st.tuples(st.sampled_from(["array", "scalar"]), st.just([RECORD, [[1, 0.5, "x"], [2, 1.5, "yy"]]])),
    st.tuples(st.just("array"), st.sampled_from([["V4", ["a", "bcd"]], ["S5", "abc"], ["float64", []]])),
    st.tuples(st.just("array.array"), st.sampled_from([["i", [1, 2]], ["d", [0.5]], ["B", []], ["b", [-1]]])),
)
unofficial = st.one_of(
    plain(st.lists(st.integers(0, 5), max_size=3)),
    plain(st.sampled_from([[[1, 2], [3, 4]], [0.5, 1], [True], [], ["a", "b"], [b"x".decode()]])),
    st.tuples(st.just("complex"), st.just([1, 2])),
    st.tuples(st.just("tuple"), st.lists(st.integers(0, 5), max_size=3)),
    st.tuples(st.just("range"), st.integers(0, 4)),
    st.tuples(st.sampled_from(["bytearray", "memoryview", "masked"]), st.just([1, 2, 3])),
)
refused = st.one_of(
    plain(st.sampled_from([2**64, -(2**63) - 1, 10**40, "a\0b", [[1], [2, 3]], [None], ["a", 1]])),
    st.tuples(st.just("set"), st.just([1])),
    st.tuples(st.just("decimal"), st.just("1.5")),
    st.tuples(st.just("str_"), st.just("text")),
    st.tuples(st.just("object"), st.none()),
    st.tuples(st.just("array"), st.sampled_from([["str", ["a", "é"]], ["object", [1, "x"]], ["datetime64[s]", [0]]])),
)
frames = st.one_of(
    st.tuples(
        st.just("frame"),
        st.fixed_dictionaries(
            {"i": st.just([1, 2])},
            optional={"f": st.just([0.5, None]), "s": st.just(["a", "é"]), "b": st.just([True, False])},
        ),
    ),
    st.tuples(st.just("series"), st.sampled_from([[1, 2], [0.5], ["a", "b"]])),
)


def mappings(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(
        st.just("mapping"), st.dictionaries(st.sampled_from(["a", "b", "é", "two words"]), inner, max_size=3)
    )


everything = st.one_of(stored, unofficial, refused, st.recursive(stored, mappings, max_leaves=5))


@several(40)
@given(st.lists(everything, min_size=5, max_size=25), st.booleans())
def test_data_when_written_by_one_then_both_read_the_same(peer, ours, items, swap):
    check_data(peer, ours, items, swap)


@several(5)
@given(st.lists(frames, min_size=2, max_size=3), st.booleans())
def test_data_when_of_pandas_then_both_read_the_same(peer, ours, items, swap):
    check_data(peer, ours, items, swap)


def check_data(peer: Side, ours: Side, items: list[Any], swap: bool) -> None:
    with scratch() as root:
        written = [side.ask("write_data", root=str(root / side.scratch.name), values=items) for side in (peer, ours)]
        assert_same(items, *written)
        numbers = [number for number, answer in enumerate(written[0]) if not failed(answer)]
        for writer in (peer, ours):
            read = [
                side.ask("read_data", root=str(root / writer.scratch.name), numbers=numbers) for side in (peer, ours)
            ]
            assert not any(map(failed, read[0])), read[0]
            assert_same([items[number] for number in numbers], *read)
        writer, copier = (peer, ours) if swap else (ours, peer)
        copied = copier.ask("copy_data", root=str(root / writer.scratch.name), numbers=numbers)
        assert_same([items[number] for number in numbers], read[0], copied)
        again = writer.ask("read_data", root=str(root / writer.scratch.name), numbers=numbers)
        assert again == read[0]


# --- what is meant to be better --------------------------------------------------------------------------------------


class Better(NamedTuple):
    """A difference: operations, and what of the answer to the last one tells it. Errors are names of classes."""

    reason: str
    steps: list[tuple[str, dict[str, Any]]]
    shown: Callable[[Any], Any]
    theirs: Any
    mine: Any


def descriptions() -> Iterator[Better]:
    def neighbors(reason: str, points: list[Any], theirs: Any, mine: Any) -> Better:
        steps = [("neighbors", {"jobs": bare(points), "ignored": [[]]})]

        def values_beside(answer: Any) -> Any:
            found = [side[:1] for keys in brief(answer)[0].values() for beside in keys.values() for side in beside]
            return sorted(found, key=json.dumps)

        return Better(
            reason,
            steps,
            lambda answer: [brief(answer[0])] if failed(answer[0]) else values_beside(answer[0]),
            theirs,
            mine,
        )

    one, other = {"tuple": [1]}, {"tuple": ["x"]}
    yield neighbors("lists of any values have an order", [{"a": [1]}, {"a": ["x"]}], ["TypeError"], [[other], [one]])
    yield neighbors("NaN is a value like others", [{"a": NAN}, {"a": 2.0}], ["ValueError"], [[2.0], [NAN]])
    yield neighbors("state points may hold empty mappings", [{"a": {}}, {"b": 1}], ["UnboundLocalError"], [])
    yield neighbors(
        "1, 1.0 and True are three values", [{"a": 1}, {"a": True}, {"a": 1.0}], [[1.0]] * 3, [[1.0], [1.0], [True]]
    )

    def schema(reason: str, points: list[Any], layout: dict[str, int], theirs: Any, mine: Any) -> Better:
        steps = [("schemas", {"jobs": bare(points), "cases": [[{}, None, [layout]]]})]
        return Better(reason, steps, lambda answer: answer[0]["texts"][0], theirs, mine)

    yield schema(
        "a key may be a value in one job and a mapping in another",
        [{"a": 1}, {"a": {"x": 1}}],
        {"depth": 1},
        "{'a': 'int([1], 1)'}",
        "{'a': 'int([1], 1)', 'a.x': 'int([1], 1)'}",
    )
    yield Better(
        "cells of a flat frame are plain values",
        [("frames", {"jobs": [[{"a": 1}, {"l": [1]}, None]], "cases": [{"flatten": True}]})],
        lambda answer: answer[0]["columns"][1][2],
        [{"BufferedJSONAttrList": "[1]"}],
        [{"tuple": [1]}],
    )


def copies() -> Iterator[Better]:
    def view(reason: str, points: list[Any], positions: list[int] | None, theirs: Any, mine: Any) -> Better:
        steps = [("views", {"steps": [[bare(points), positions]], "path": None})]
        return Better(
            reason, steps, lambda answer: brief(answer[0]) if failed(answer[0]) else len(answer[0][0]), theirs, mine
        )

    yield view("a view shows all jobs or none", [{"a": 1}, {"a": "1"}], None, 1, "PathError")
    yield view("a view of no jobs is empty", [{"a": 1}, {"a": 2}], [], 1, 0)

    def copied(
        points: list[Any], target: str = "x", path: Any = None, files: Any = None, schema: str | None = None
    ) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("make", {"root": "ROOT/project", "jobs": [[point, None, files] for point in points]}),
            ("export", {"root": "ROOT/project", "target": f"ROOT/{target}", "path": path}),
            ("import_", {"root": "ROOT/copy", "origin": f"ROOT/{target}", "schema": schema}),
        ]

    def imported(answer: Any) -> Any:
        return brief(answer) if failed(answer) else len(answer[0])

    two = [{"a": 1}, {"a": 2}]
    yield Better("a single job comes back from an archive", copied([{"a": 1}], "x.tar"), imported, 0, 1)
    yield Better("names begin like others", copied([{"a": 1}, {"a": 10}], "x.zip"), imported, 1, 2)
    yield Better("origins may contain any character", copied(two, "x+y", "a/{a}", schema="a/{a:int}"), imported, 0, 2)
    yield Better("schemas are no regular expressions", copied(two, "x", "aa/{a}", schema="a+/{a:int}"), imported, 2, 0)
    yield Better("the end of a schema is part of it", copied(two, "x", "a/{a}/x", schema="a/{a:int}/y"), imported, 2, 0)
    yield Better(
        "jobs stay below the target",
        copied(two, "x", "../{a}")[:-1],
        brief,
        [
            {
                "workspace/42b7b4f2921788ea14dac5566e6f06d0": "../1",
                "workspace/9f8a8e5ba8c70c774d410a9107e2a32b": "../2",
            },
            {},
        ],
        "PathError",
    )
    yield Better(
        "equal paths are found before anything is written",
        copied([{"a": 1}, {"a": "1"}])[:-1],
        brief,
        "FileExistsError",
        "PathError",
    )
    yield Better(
        "zip files take the oldest files", copied(two, "x.zip", None, {"f": ["x", 1]})[:-1], imported, "ValueError", 2
    )
    yield Better(
        "an archive that exists is refused",
        [*copied(two, "x.tar")[:-1], ("export", {"root": "ROOT/project", "target": "ROOT/x.tar", "path": False})],
        lambda answer: brief(answer) if failed(answer) else len(answer[1]["members"]),
        8,
        "FileExistsError",
    )
    yield Better(
        "empty directories are part of a job",
        copied(two, "x.zip", None, {"d/": ["", TIMES[0]]}),
        lambda answer: sum(name.endswith("/d") for name in answer[1]),
        0,
        2,
    )


def merges() -> Iterator[Better]:
    def merge(
        reason: str,
        source: Any,
        destination: Any,
        theirs: Any,
        mine: Any,
        *,
        whole: bool = False,
        strategy: str = "default",
        **options: Any,
    ) -> Better:
        def job(document: Any = None, files: Any = None) -> list[Any]:
            return [[{"a": 1}, document, {name: [text, TIMES[0]] for name, text in (files or {}).items()}]]

        def shown(answer: Any) -> Any:
            if failed(answer) or "conflict" in answer:
                return brief(answer) if failed(answer) else answer.get("keys", answer.get("name"))
            return {
                name.partition("/")[2]: text
                for name, text in answer["jobs"].items()
                if text is not None and not name.endswith(".json")
            }

        options = {"options": {"strategy": None, "recursive": True, **options}, "document_strategy": strategy}
        steps = [
            ("make", {"root": "ROOT/source", "jobs": job(*source)}),
            ("make", {"root": "ROOT/destination", "jobs": [] if destination is None else job(*destination)}),
            ("synchronize", {"source": "ROOT/source", "destination": "ROOT/destination", "whole": whole, **options}),
        ]
        return Better(reason, steps, shown, theirs, mine)

    yield merge(
        "names are excluded in directories that both have",
        (None, {"d/f": "1"}),
        (None, {"d/g": "1"}),
        {"d/f": "1", "d/g": "1"},
        {"d/g": "1"},
        exclude="d",
    )
    yield merge("names are excluded in new directories", (None, {"d/f": "1"}), (None,), {"d/f": "1"}, {}, exclude="f")
    yield merge("names are excluded in new jobs", (None, {"f": "1"}), None, {"f": "1"}, {}, exclude="f", whole=True)
    yield merge(
        "contents are compared in whole projects as well",
        (None, {"f": "1"}),
        (None, {"f": "2"}),
        {"f": "2"},
        "f",
        deep=True,
        whole=True,
    )
    yield merge("all names are synchronized", (None, {"tags": "1"}), (None,), {}, {"tags": "1"})
    yield merge(
        "a conflict names the whole key", ({"n": {"m": {"a": 1}}},), ({"n": {"m": {"a": 2}}},), ["m.a"], ["n.m.a"]
    )
    yield merge(
        "keys that a strategy does not choose are a conflict, as the reference says",
        ({"a": 1, "b": 1},),
        ({"a": 2, "b": 2},),
        {},
        ["b"],
        strategy="by this key:a",
    )
    yield merge("a mapping and a number are a conflict", ({"n": {"m": 1}},), ({"n": 1},), "TypeError", ["n"])


def data() -> Iterator[Better]:
    yield Better(
        "bytes come back whole",
        [
            ("write_data", {"root": "ROOT", "values": [["bytes", "a\x00"]]}),
            ("read_data", {"root": "ROOT", "numbers": [0]}),
        ],
        lambda answer: answer[0][3],
        "61",
        "6100",
    )


def brief(answer: Any) -> Any:
    """Name an error by its class."""
    return answer["error"][0] if failed(answer) else answer


@pytest.mark.parametrize("case", [*descriptions(), *copies(), *merges(), *data()], ids=lambda case: case.reason)
def test_difference_when_listed_as_meant_then_it_is_still_there(peer, ours, case):
    shown = []
    for side in (peer, ours):
        with scratch() as root:
            for operation, arguments in case.steps:
                given = json.loads(json.dumps(arguments).replace("ROOT", str(root)))
                answer = side.ask(operation, **given)
            shown.append(json.dumps(case.shown(answer), sort_keys=True))
    assert shown[0] != shown[1]
    assert shown == [json.dumps(case.theirs, sort_keys=True), json.dumps(case.mine, sort_keys=True)]
