"""Answers about many jobs, made from the columns and the blocks of the index, are those of plain files.

State points have the six shapes of the benchmarks. The index is absent, fresh, behind, or damaged in one of its parts.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from benchmarks.shapes import SIX, Shape
from signac_cli import output, selection
from signac_cli.output import Output
from signac_core import Project, finding, stamps
from signac_core.canonical import calc_id
from signac_core.documents import many
from signac_core.index import texts
from signac_core.index.selection import Selection
from tests.support.indexes import index_for_small_projects
from tests.support.patches import for_some_cases
from tests.support.running import InProcess

NUMBER = 64
LATER = 16
SHOWN = {"flat": "p", "lists": "path", "nested": "model.pair", "mixed": "value", "wide": "k07", "text": "description"}
"""For each shape a key that others do not have: a list, a mapping, values of five types, long text."""


@pytest.fixture(autouse=True)
def _small_blocks() -> Iterator[None]:
    """Have few jobs asked about block by block, as very many are, and the index believed at once."""
    limits = (
        (selection, "_FIRST_CHUNK", 8),
        (selection, "_CHUNK", 16),
        (selection, "_LARGEST_CHUNK", 32),
        (many, "_AT_ONCE", 16),
        (finding, "_LONG", 1),
    )
    with index_for_small_projects(), pytest.MonkeyPatch.context() as patch:
        with for_some_cases():
            for module, name, value in limits:
                patch.setattr(module, name, value)
            patch.setattr(stamps, "margin", lambda *devices: -(10**18))
        patch.setitem(Selection.__init__.__kwdefaults__, "at_once", 16)
        yield


missing = object()

# --- projects and what their files say --------------------------------------------------------------------------------


def write(project: Project, shape: Shape, number: int) -> None:
    """A job, and in four of five cases a document."""
    state_point = shape.state_point(number, NUMBER)
    directory = Path(project.workspace, calc_id(state_point))
    directory.mkdir()
    (directory / "signac_statepoint.json").write_text(json.dumps(state_point))
    if number % 5:
        document = {"done": number % 3 == 0, "run": {"energy": -number / 8}} | ({"note": "x"} if number == 7 else {})
        (directory / "signac_job_document.json").write_text(json.dumps({} if number % 5 == 1 else document))


class Files:
    """What plain files say of all jobs, by id."""

    def __init__(self, project: Project, shape: Shape) -> None:
        self.shape = shape
        self.sp: dict[str, Any] = {}
        self.doc: dict[str, Any] = {}
        for directory in sorted(path for path in Path(project.workspace).iterdir() if path.name[0] != "."):
            self.sp[directory.name] = json.loads((directory / "signac_statepoint.json").read_text())
            document = directory / "signac_job_document.json"
            self.doc[directory.name] = json.loads(document.read_text()) if document.exists() else {}

    def matching(self, predicate: Callable[[Any], bool]) -> list[str]:
        return [job_id for job_id in self.sp if predicate(self.value(job_id, self.shape.key("few")))]

    def value(self, job_id: str, key: str, part: str = "sp") -> Any:
        """Value under a dotted key, or `missing`."""
        value = getattr(self, part)[job_id]
        for name in key.split("."):
            if not isinstance(value, dict) or name not in value:
                return missing
            value = value[name]
        return value

    def picked(self, job_id: str, keys: list[str], part: str = "sp") -> dict[str, Any]:
        """The part of a state point or document that is under some keys."""
        picked: dict[str, Any] = {}
        for key in keys:
            if (value := self.value(job_id, key, part)) is not missing:
                *outer, last = key.split(".")
                target = picked
                for name in outer:
                    target = target.setdefault(name, {})
                target[last] = value
        return picked

    def in_order(self, key: str, part: str = "sp", *, backwards: bool = False) -> list[str]:
        """All jobs, sorted by a key; those without it come last."""
        values = {job_id: self.value(job_id, key, part) for job_id in self.sp}
        here = sorted((job_id for job_id in values if values[job_id] is not missing), key=lambda at: order(values[at]))
        if backwards:
            here = sorted(sorted(here), key=lambda at: order(values[at]), reverse=True)
        return here + [job_id for job_id in values if values[job_id] is missing]


def order(value: Any) -> tuple[Any, ...]:
    if isinstance(value, list):
        return 5, [order(item) for item in value]
    if isinstance(value, dict):
        return 6, sorted((key, order(item)) for key, item in value.items())
    return (0,) if value is None else ((bool, int, str).index(kind_of(value)), value)


def kind_of(value: Any) -> type:
    return int if type(value) is float else type(value)


def text(value: Any) -> str:
    """What JSON values have in common only if types are the same, too."""
    return json.dumps(value)


def cell(value: Any) -> str:
    return "" if value is missing else value if isinstance(value, str) else json.dumps(value)


# --- what is asked ----------------------------------------------------------------------------------------------------

Ask = Callable[..., list[str]]


def whole_records(ask: Ask, files: Files) -> None:
    every = [{"id": job_id, "sp": tree} for job_id, tree in files.sp.items()]
    assert text(json.loads("".join(ask("find", "--json")))) == text(every)
    assert [text(json.loads(line)) for line in ask("find", "--jsonl")] == list(map(text, every))
    assert [text(json.loads(line)) for line in ask("statepoint", "--jsonl")] == list(map(text, every))
    assert list(map(json.loads, ask("statepoint"))) == list(files.sp.values())
    some = files.matching(lambda value: value < 40)
    assert some
    lines = ask("find", f"{files.shape.key('few')}<40", "--jsonl")
    assert [text(json.loads(line)) for line in lines] == [text({"id": at, "sp": files.sp[at]}) for at in some]


def documents(ask: Ask, files: Files) -> None:
    records = [{"id": job_id, "sp": files.sp[job_id], "doc": files.doc[job_id]} for job_id in files.sp]
    assert [text(json.loads(line)) for line in ask("find", "--doc", "--jsonl")] == list(map(text, records))
    parts = [{"id": job_id, "doc": tree} for job_id, tree in files.doc.items()]
    assert [text(json.loads(line)) for line in ask("document", "--jsonl")] == list(map(text, parts))
    chosen = [{"id": job_id, "doc": files.picked(job_id, ["run.energy"], "doc")} for job_id in files.sp]
    lines = map(json.loads, ask("find", "--doc", "run.energy", "--jsonl"))
    assert [text({"id": record["id"], "doc": record["doc"]}) for record in lines] == list(map(text, chosen))
    assert ask("find", "doc.done=true") == [
        job_id for job_id in files.doc if files.value(job_id, "done", "doc") is True
    ]


def projections(ask: Ask, files: Files) -> None:
    keys = [SHOWN[files.shape.name], files.shape.key("spread"), files.shape.key("rare")]
    lines = list(map(json.loads, ask("find", "--jsonl", "--sp", *keys)))
    assert [record["id"] for record in lines] == list(files.sp)
    assert [text(record["sp"]) for record in lines] == [text(files.picked(job_id, keys)) for job_id in files.sp]
    template = " ".join(["{id}", *(f"{{sp.{key}}}" for key in keys), "{doc.run.energy}"])
    expected = [
        " ".join(
            [job_id, *(cell(files.value(job_id, key)) for key in keys), cell(files.value(job_id, "run.energy", "doc"))]
        )
        for job_id in files.sp
    ]
    assert ask("find", "--format", template) == expected
    table = ask("find", "--table", f"--sp={keys[1]}")[1:]
    assert [line.split() for line in table] == [[at, text(files.value(at, keys[1]))] for at in files.sp]


def sorted_ones(ask: Ask, files: Files) -> None:
    for key in [files.shape.key("spread"), files.shape.key("few"), files.shape.key("rare"), SHOWN[files.shape.name]]:
        forwards, backwards = files.in_order(key), files.in_order(key, backwards=True)
        assert ask("find", "--sort", key) == forwards
        assert ask("find", "--sort", key, "--limit", "7") == forwards[:7]
        assert ask("find", "--sort", f"-{key}", "--limit", "9") == backwards[:9]
    best = files.in_order("run.energy", "doc")[:5]
    lines = list(map(json.loads, ask("find", "--sort", "doc.run.energy", "--limit", "5", "--jsonl")))
    assert [text(record) for record in lines] == [text({"id": job_id, "sp": files.sp[job_id]}) for job_id in best]


def summaries(ask: Ask, files: Files) -> None:
    [schema] = map(json.loads, ask("schema", "--json"))
    assert schema["jobs"] == len(files.sp)
    for key in (files.shape.key("few"), files.shape.key("group")):
        project = Project(".")
        groups = {value: [job.id for job in jobs] for value, jobs in project.groupby(key)}
        expected = defaultdict(list)
        for job_id in files.sp:
            expected[files.value(job_id, key)].append(job_id)
        assert list(groups.items()) == sorted(expected.items())
    columns = [f"sp.{SHOWN[files.shape.name]}", "sp.name", "doc.done"]
    frame = Project(".").to_dataframe(usecols=columns)
    assert list(frame.index) == list(files.sp)
    assert list(frame["sp.name"]) == [tree["name"] for tree in files.sp.values()]
    some = Project(".").find_jobs({"doc.done": False})
    assert [job.sp() for job in some] == [files.sp[at] for at in files.sp if files.value(at, "done", "doc") is False]


def lines_for_people(ask: Ask, files: Files) -> None:
    lines = iter(ask("find", "--sp", "--doc", "-1"))
    for job_id in files.sp:
        assert next(lines) == job_id
        for part, tree in (("sp", files.sp[job_id]), ("doc", files.doc[job_id])):
            head, _, value = next(lines).partition("\t")
            assert head.split() == [job_id[: len(head) - 4], part]
            assert value == json.dumps(tree, sort_keys=True)
    assert not list(lines)


QUESTIONS = [whole_records, lines_for_people, documents, projections, sorted_ones, summaries]


def compare(cli: InProcess, project: Project, shape: Shape) -> None:
    """Compare every answer with the files."""
    files = Files(project, shape)

    def ask(*arguments: str) -> list[str]:
        result = cli(*arguments)
        assert result.status == 0, result.err
        return result.lines

    for question in QUESTIONS:
        question(ask, files)


# --- states of the index ----------------------------------------------------------------------------------------------


def index(project: Project) -> None:
    """Index all state points and documents."""
    project.update_cache()
    assert list(Project(".").find_jobs({"doc.note": "x"}))
    assert Path(".signac/index.documents").exists()


@pytest.fixture(params=SIX, ids=lambda shape: shape.name)
def shape(request: pytest.FixtureRequest, project: Project) -> Shape:
    """A shape of which there are jobs in the working directory."""
    chosen: Shape = request.param
    for number in range(NUMBER):
        write(project, chosen, number)
    return chosen


def test_answers_when_there_is_no_index_then_those_of_the_files(cli, project, shape, monkeypatch):
    monkeypatch.setenv("SIGNAC_INDEX_REFRESH", "never")
    compare(cli, project, shape)
    assert not Path(".signac/index").exists()


def test_answers_when_the_index_is_fresh_then_those_of_the_files_and_made_from_blocks(cli, project, shape):
    index(project)
    read: list[int] = []
    lines = texts.Texts.lines
    with mock.patch.object(texts.Texts, "lines", lambda self, rows: read.append(len(rows)) or lines(self, rows)):
        compare(cli, project, shape)
    assert read


@pytest.mark.parametrize("refresh", ["never", "always"])
def test_answers_when_the_index_is_behind_then_those_of_the_files(cli, project, shape, monkeypatch, refresh):
    index(project)
    monkeypatch.setenv("SIGNAC_INDEX_REFRESH", refresh)
    for number in range(NUMBER, NUMBER + LATER):
        write(project, shape, number)
    ids = sorted(path.name for path in Path(project.workspace).iterdir())
    for job_id in ids[::9]:
        shutil.rmtree(Path(project.workspace, job_id))
    for job_id in set(ids[::4]) - set(ids[::9]):
        Path(project.workspace, job_id, "signac_job_document.json").write_text('{"done": true, "run": {"energy": 1}}')
    compare(cli, project, shape)


@pytest.mark.parametrize("name", ["index", "index.documents"])
def test_answers_when_the_index_is_damaged_then_those_of_the_files(cli, project, shape, monkeypatch, name):
    index(project)
    monkeypatch.setenv("SIGNAC_INDEX_REFRESH", "never")
    chance = random.Random(f"{shape.name} {name}")
    path = Path(".signac", name)
    data = bytearray(path.read_bytes())
    for place in chance.sample(range(40, len(data)), 1 + len(data) // 4096):
        data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    compare(cli, project, shape)


# --- one block after the other ----------------------------------------------------------------------------------------

BLOCK = 32  # jobs: the largest block, and more than are written at once
STREAMED: dict[str, tuple[list[str], bytes]] = {
    "jsonl": (["find", "--jsonl"], b"\n"),
    "json": (["find", "--json"], b'"id":'),
    "format": (["find", "--format", "{id} {sp.T}"], b"\n"),
    "statepoint": (["statepoint"], b"\n"),
    "documents": (["find", "--doc", "--jsonl"], b"\n"),
    "columns": (["find", "--sp", "a", "T", "--jsonl"], b"\n"),
    "terminal": (["find", "--jsonl"], b"\n"),
}
"""Command lines that show all jobs, and what they write once for each."""


class Held:
    """How many state points have been read and not been written yet, and how many there were at the first line."""

    def __init__(self, mark: bytes) -> None:
        self.mark = mark
        self.read = self.written = self.most = self.at_first = 0

    def note_lines(self, of_index: Callable[..., Any]) -> Callable[..., Any]:
        def lines(reader: Any, rows: Any) -> Any:
            self.read += len(rows)
            self.most = max(self.most, self.read - self.written)
            return of_index(reader, rows)

        return lines

    def note_writing(self, of_output: Callable[..., Any]) -> Callable[..., Any]:
        def write(writer: Any, text: str | bytes) -> Any:
            self.at_first = self.at_first or self.read
            self.written += (text.encode() if isinstance(text, str) else text).count(self.mark)
            return of_output(writer, text)

        return write


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("number", [NUMBER, 3 * NUMBER])
def test_records_when_shown_then_block_by_block_however_many_there_are(cli, project, monkeypatch, name, number):
    for i in range(number):
        write(project, SIX[0], i)
    index(project)
    arguments, mark = STREAMED[name]
    held = Held(mark)
    with monkeypatch.context() as patch:
        with for_some_cases():
            patch.setattr(output, "_LINES", 16)
        patch.setattr(texts.Texts, "lines", held.note_lines(texts.Texts.lines))
        patch.setattr(Output, "write_as_it_is", held.note_writing(Output.write_as_it_is))
        assert cli(*arguments, terminal=name == "terminal").status == 0
    parts = 1 + (name == "documents")
    assert held.written == number <= held.read
    assert held.at_first <= parts * BLOCK
    if parts == 1:
        assert held.most <= 2 * BLOCK
