from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from types import ModuleType

import pytest

from signac_core import Project, catalog, finding, workspace
from signac_core.canonical import calc_id
from signac_core.care import integrity
from signac_core.documents.many import read_documents
from signac_core.errors import JobsCorruptedError
from tests.support.patches import Forbidden, for_some_cases


def test_list_ids_leaves_out_what_is_not_exactly_an_id(project: Project, ids: list[str]) -> None:
    Path(project.workspace, ids[0] + "~").mkdir()
    Path(project.workspace, "A" * 32).mkdir()
    assert catalog.list_ids(project.space) == ids == sorted(ids)
    assert catalog.list_names(project.space) == sorted([*ids, ids[0] + "~"])


def test_damaged_jobs_are_collected_or_raised_together(project: Project, ids: list[str]) -> None:
    for job_id in ids[:2]:
        Path(project.workspace, job_id, "signac_statepoint.json").write_text("{}")
    fresh = Project()
    damaged: list[str] = []
    assert len(finding.find_ids(fresh.space, {"i.$gte": 0}, damaged=damaged)) == 28
    assert damaged == ids[:2]
    with pytest.raises(JobsCorruptedError) as caught:
        finding.find_ids(Project().space, {"i.$gte": 0})
    assert list(caught.value.job_ids) == ids[:2]


@pytest.mark.parametrize("odd", [None, "A" * 32, "a b" + "0" * 29, "0" * 31, "0" * 31 + "g", "é" * 32, ".signac-new-x"])
def test_listing_when_packed_then_it_has_the_same_names_in_the_same_order(
    project: Project, ids: list[str], odd: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with for_some_cases():  # what is no id keeps a listing from being packed
        monkeypatch.setattr(workspace, "_PACKED_AT_ONCE", 7)
    if odd is not None:
        Path(project.workspace, odd).mkdir()
    listing = workspace.list_workspace(project.space)
    entries, names = listing.entries, listing.names
    listing.pack()
    assert (listing.entries is not entries) is (odd is None)
    assert (listing.entries, listing.names, listing.number) == (entries, names, len(entries))


@pytest.fixture(params=["file", "dead link", "link to a file", "loop"])
def no_job(request: pytest.FixtureRequest, project: Project, ids: list[str]) -> str:
    """Something in the workspace that is named like a job, and is none."""
    name = "0" * 32
    path = Path(project.workspace, name)
    match request.param:
        case "file":
            path.write_text("x")
        case "dead link":
            path.symlink_to("nowhere")
        case "link to a file":
            path.symlink_to(f"{ids[0]}/signac_statepoint.json")
        case "loop":
            path.symlink_to(name)
    return name


@pytest.mark.parametrize("indexed", [False, True])
def test_what_is_named_like_a_job_and_is_no_directory_is_no_job(
    project: Project, ids: list[str], no_job: str, indexed: bool
) -> None:
    if indexed:
        project.update_cache()
    fresh = Project()
    assert len(fresh) == len(ids)
    assert [job.id for job in fresh] == ids
    assert finding.find_ids(fresh.space, {"i.$gte": 0}) == ids
    assert fresh.open_job(id=ids[0]) in fresh
    assert not fresh.space.has(no_job)
    for text in (no_job, no_job[:8]):
        with pytest.raises(KeyError):
            fresh.open_job(id=text)
    with pytest.raises(JobsCorruptedError):
        fresh.check()
    assert [(problem.name, problem.kind) for problem in integrity.examine(fresh.space)] == [(no_job, "stray-file")]


def test_a_link_to_a_directory_is_a_job(project: Project, ids: list[str], tmp_path: Path) -> None:
    os.rename(Path(project.workspace, ids[0]), tmp_path / "elsewhere")
    Path(project.workspace, ids[0]).symlink_to(tmp_path / "elsewhere")
    assert finding.find_ids(Project().space, {"i.$gte": 0}) == ids == catalog.list_ids(Project().space)


def test_a_listing_that_does_not_tell_what_entries_are_asks_for_each(
    project: Project, ids: list[str], no_job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        """An entry of a file system that does not tell its type, and has lost one of its servers."""

        def __init__(self, name: str) -> None:
            self.name = name
            self.path = os.path.join(project.workspace, name)

        def is_dir(self, *, follow_symlinks: bool) -> bool:
            if self.name == ids[1]:
                raise OSError(errno.EIO, "Input/output error")
            return os.path.isdir(self.path) and (follow_symlinks or not os.path.islink(self.path))

        def is_symlink(self) -> bool:
            return os.path.islink(self.path)

    monkeypatch.setattr(os, "scandir", lambda fd: nullcontext([Entry(name) for name in os.listdir(fd)]))
    assert catalog.list_ids(project.space) == ids


@pytest.mark.parametrize("text", ['{"a":0}', '{"a": 1E5}', '{"a": 1,  "b": 2}', '{"b": 1, "a": 2}', '{"a": "\\u0061"}'])
@pytest.mark.parametrize("number", [1, catalog._VERY_MANY_FILES])
def test_a_directory_named_after_a_text_that_is_not_canonical_is_damaged_for_queries_and_check_alike(
    project: Project, text: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "_VERY_MANY_FILES", number)  # the parser that reads few, and the one that reads many
    name = hashlib.md5(text.encode()).hexdigest()
    Path(project.workspace, name).mkdir()
    Path(project.workspace, name, "signac_statepoint.json").write_text(text)
    damaged: list[str] = []
    assert finding.find_ids(project.space, {"a.$exists": True}, damaged=damaged) == []
    assert damaged == [name]
    with pytest.raises(JobsCorruptedError):
        project.check()
    with pytest.raises(JobsCorruptedError):
        project.open_job(id=name).sp()
    assert [problem.kind for problem in integrity.examine(project.space)] == ["wrong-state-point"]


class Peer:
    """signac 2.x in the middle of a state point change; it goes on when somebody waits for it."""

    def __init__(self, project: Project, *, document: bool, in_place: bool) -> None:
        self.old = project.open_job({"a": 1}).init()
        if document:
            self.old.doc.x = 1
        self.new = project.open_job({"a": 2})
        temporary = self.new.fn(f"._0123_{SP}")
        self.steps = [
            lambda: os.rename(self.old.fn(SP), self.old.fn(f"{SP}~")),
            lambda: os.rename(self.old.path, self.new.path),
            lambda: os.unlink(self.new.fn(f"{SP}~")),
            lambda: Path(self.new.fn(SP) if in_place else temporary).write_text("" if in_place else '{"a": 2}'),
            lambda: Path(self.new.fn(SP)).write_text('{"a": 2}') if in_place else os.rename(temporary, self.new.fn(SP)),
        ]

    def go_on(self, seconds: float = 0) -> None:
        if self.steps:
            self.steps.pop(0)()


SP = "signac_statepoint.json"


@pytest.fixture(params=[(False, False), (True, False), (False, True), (True, True)])
def peer(request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch) -> Peer:
    document, in_place = request.param
    changing = Peer(project, document=document, in_place=in_place)
    with for_some_cases():  # before the change and after it, nobody waits
        monkeypatch.setattr(workspace, "_sleep", changing.go_on)
        monkeypatch.setattr(workspace, "_waited_in_vain", 0)
    return changing


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("indexed", [False, True])
def test_queries_while_the_peer_changes_a_state_point_find_the_job_under_one_id(
    project: Project, peer: Peer, steps: int, indexed: bool
) -> None:
    if indexed:
        project.update_cache()
    for _ in range(steps):
        peer.go_on()
    found = finding.find_ids(Project().space, {"a.$gte": 0})
    assert found == [peer.old.id if steps < 2 else peer.new.id]


@pytest.mark.parametrize("steps", range(2, 6))
def test_a_job_that_the_peer_is_changing_can_be_opened_and_is_not_damaged(
    project: Project, peer: Peer, steps: int
) -> None:
    for _ in range(steps):
        peer.go_on()
    assert Project().open_job(id=peer.new.id).sp() == {"a": 2}
    Project().check()


@pytest.mark.parametrize("steps", range(2, 5))
def test_check_while_the_peer_changes_a_state_point_finds_nothing(project: Project, peer: Peer, steps: int) -> None:
    for _ in range(steps):
        peer.go_on()
    assert list(integrity.examine(Project().space)) == []


def test_a_state_point_that_is_written_just_after_nothing_was_found_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch, forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    waiting = forbid(workspace, "_sleep")
    job = project.open_job({"a": 1}).init()
    Path(job.fn(SP)).write_text("")
    listdir = os.listdir

    def write(directory: str) -> list[str]:
        Path(job.fn(SP)).write_text('{"a": 1}')
        return listdir(directory)

    monkeypatch.setattr(workspace, "_waited_in_vain", 0)
    with monkeypatch.context() as patch, waiting:
        patch.setattr(os, "listdir", write)
        assert Project().open_job({"a": 1}).init().id == job.id
    monkeypatch.setattr(workspace, "_sleep", lambda seconds: None)
    Path(job.fn(SP)).write_text("")  # and now nobody writes it
    with pytest.raises(JobsCorruptedError):
        Project().open_job(id=job.id).sp()


def test_an_empty_state_point_file_is_damage_if_that_lasts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(workspace, "_sleep", waits.append)
    monkeypatch.setattr(workspace, "_waited_in_vain", 0)
    job = project.open_job({"a": 1}).init()
    Path(job.fn(SP)).write_text("")
    with pytest.raises(JobsCorruptedError):
        finding.find_ids(Project().space, {"a": 1})
    assert 0.1 < sum(waits) < 1


def test_a_job_that_the_peer_left_in_the_middle_of_a_change_is_not_waited_for_for_ever(
    project: Project, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(workspace, "_sleep", waits.append)
    for _ in range(2):
        peer.go_on()
    assert finding.find_ids(Project().space, {"a.$gte": 0}) == []  # it is so young that it may be under way
    assert 0.1 < sum(waits) < 1
    monkeypatch.setattr(workspace, "_now", lambda: time.time() + 100)
    waits.clear()
    with pytest.raises(JobsCorruptedError):
        finding.find_ids(Project().space, {"a.$gte": 0})
    assert waits == []


def test_of_many_damaged_jobs_only_some_are_waited_for(
    project: Project, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(workspace, "_sleep", waits.append)
    monkeypatch.setattr(workspace, "_waited_in_vain", 0)
    monkeypatch.setattr(workspace, "_MOST_WAITED_FOR", 3)
    for job_id in ids[:10]:
        os.rename(Path(project.workspace, job_id, SP), Path(project.workspace, job_id, "precious"))
    damaged: list[str] = []
    finding.find_ids(Project().space, {"i.$gte": 0}, damaged=damaged)
    assert damaged == ids[:10]
    assert len(waits) == 3 * workspace._FEW_WAITS


def test_damaged_documents_are_collected(project: Project, ids: list[str]) -> None:
    project.open_job(id=ids[0]).doc.x = 1
    Path(project.open_job(id=ids[1]).fn("signac_job_document.json")).write_text("{")
    damaged: list[str] = []
    documents = dict(read_documents(project.space, ids, damaged=damaged))
    assert documents[ids[0]] == {"x": 1}
    assert documents[ids[2]] == {}
    assert damaged == [ids[1]]


def test_find_ids_tells_no_document_from_an_empty_one(project: Project, ids: list[str]) -> None:
    project.open_job(id=ids[0]).doc.clear()
    assert finding.find_ids(project.space, {"doc": {"$exists": True}}) == [ids[0]]


TEXTS = [
    '{"b": 1, "a": 2}',
    '{"big": 18446744073709551616, "small": -9223372036854775809}',
    '{"n": NaN, "i": -Infinity}',
    '{"s": "\\ud800", "u": "\\u00e9", "raw": "é"}',
    '{"e": 1e400}',
    '{"a": 1, "a": 2}',
    '{"b": 18446744073709551616, "a": -9223372036854775809}',
    '{"b": 1e5, "a": 1.10, "c": -0}',
    '{"b": "x, y", "a": {"d": 1, "c": 2}, "ab": 0, "a b": 0, "a!": 0}',
    '{"b":1, "a":[1, 2]}',
    '{"x": 1.0, "y": -0.0, "z": 1e16, "l": [1, [true, null]], "d": {"k": {}}}',
    '\ufeff{"a": 1}',
    '{"a": 1',
    "[1]",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_state_points_when_there_are_very_many_then_they_are_parsed_as_always(
    project: Project, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = []
    for number in range(3):  # one with its own id, one with another's, and a whole one
        directory = Path(project.workspace, f"{number:032x}")
        with suppress(ValueError):
            if number == 0:
                directory = Path(project.workspace, calc_id(json.loads(text)))
        directory.mkdir()
        (directory / "signac_statepoint.json").write_text(text if number < 2 else '{"a": 0}', encoding="utf-8")
        ids.append(directory.name)
    answers = []
    for limit in (0, 10**9):
        monkeypatch.setattr(catalog, "_VERY_MANY_FILES", limit)
        damaged: list[str] = []
        found = dict(catalog.read_state_points(Project(project.path).space, ids, damaged=damaged))
        answers.append((repr(found), damaged))
    assert answers[0] == answers[1]
