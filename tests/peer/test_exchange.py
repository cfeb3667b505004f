"""What one program writes, the other reads: the same ids, state points, documents and bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.peer.json_values import AWKWARD, AWKWARD_KEYS, NAN, state_points
from tests.peer.sides import Side

pytestmark = pytest.mark.slow

AWKWARD_JOBS: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({}, None),
    ({"z": 1, "a": 2, "m": {"z": 1, "a": {"y": 1, "b": 2}}}, {"z": 1, "a": {"y": 1, "b": 2}}),
    ({"all": AWKWARD}, {"all": AWKWARD, "nested": {"all": AWKWARD}}),
    ({key: index for index, key in enumerate(AWKWARD_KEYS)}, {key: [key] for key in reversed(AWKWARD_KEYS)}),
    *[({"value": value}, {"value": value}) for value in AWKWARD],
]

AWKWARD_PROJECT_DOCUMENT = {"b": AWKWARD, "a": {"nan": NAN}, "": None}


def exact(value: Any) -> str:
    """Text that tells apart whatever JSON tells apart: types, NaN, the order of keys."""
    return json.dumps(value)


def assert_equal_files(one: str | Path, other: str | Path) -> None:
    """Compare two projects byte by byte, but for what is derived."""
    files = [
        {
            str(path.relative_to(root)): path.read_bytes()
            for path in Path(root).rglob("*")
            if path.is_file() and path.parent.name != ".signac"
        }
        for root in (one, other)
    ]
    assert files[0] == files[1]


@pytest.fixture(params=["peer to ours", "ours to peer"])
def pair(request: pytest.FixtureRequest, peer: Side, ours: Side) -> tuple[Side, Side]:
    """The one that writes and the one that reads."""
    return (peer, ours) if request.param == "peer to ours" else (ours, peer)


def check_exchange(
    writer: Side, reader: Side, root: Path, jobs: list[Any], project_document: dict[str, Any], *, cache: bool
) -> None:
    written = writer.ask("write", root=str(root), jobs=jobs, project_document=project_document, cache=cache)
    assert isinstance(written, list), written
    found = reader.ask("read", root=str(root))
    assert "error" not in found, found
    assert found["jobs"].keys() == {job["id"] for job in written}
    for job, (state_point, document) in zip(written, jobs, strict=True):
        read = found["jobs"][job["id"]]
        assert exact(read["sp"]) == exact(state_point) == job["statepoint"]
        assert exact(read["iterated"]) == exact(state_point)
        assert exact(read["doc"]) == exact(document or {}) == (job["document"] or "{}")
        assert read["same"]
    assert exact(found["document"]) == exact(project_document)
    assert found["found"] == found["cache"] == sorted(found["jobs"])
    assert found["update_cache"] == (None if cache and jobs else len(jobs))


@pytest.mark.roundtrip
@pytest.mark.parametrize("cache", [False, True])
def test_project_when_written_by_one_then_the_other_reads_every_awkward_value(pair, tmp_path, cache):
    check_exchange(*pair, tmp_path / "project", AWKWARD_JOBS, AWKWARD_PROJECT_DOCUMENT, cache=cache)


def test_project_when_written_by_both_then_equal_byte_for_byte(peer, ours, tmp_path):
    for side in (peer, ours):
        root = str(tmp_path / side.scratch.name)
        side.ask("write", root=root, jobs=AWKWARD_JOBS, project_document=AWKWARD_PROJECT_DOCUMENT, cache=False)
    assert_equal_files(tmp_path / peer.scratch.name, tmp_path / ours.scratch.name)


def test_configuration_when_written_by_both_then_equal(peer, ours, tmp_path):
    for side in (peer, ours):
        side.ask("write", root=str(tmp_path / side.scratch.name), jobs=[], project_document=None, cache=False)
    texts = {path.read_bytes() for path in tmp_path.glob("*/.signac/config")}
    assert texts == {b"schema_version = 2\n"}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    jobs=st.lists(
        st.tuples(state_points, state_points | st.none()),
        unique_by=lambda job: json.dumps(job[0], sort_keys=True),
        max_size=12,
    ),
    document=state_points,
    to_peer=st.booleans(),
    cache=st.booleans(),
)
def test_project_when_written_by_one_then_the_other_reads_any_json(
    peer, ours, tmp_path_factory, jobs, document, to_peer, cache
):
    root = tmp_path_factory.mktemp("exchange") / "project"
    check_exchange(*((ours, peer) if to_peer else (peer, ours)), root, jobs, document, cache=cache)


@pytest.mark.parametrize("first", ["peer", "ours"])
def test_project_when_both_take_turns_then_nothing_is_lost(peer, ours, tmp_path, first):
    sides = [peer, ours] if first == "peer" else [ours, peer]
    jobs = [({"a": number}, {"by": ["init"]}) for number in range(4)]
    root = str(tmp_path / "project")
    ids = [job["id"] for job in sides[0].ask("write", root=root, jobs=jobs, project_document={}, cache=True)]
    for turn in range(6):
        side = sides[(turn + 1) % 2]
        changes = [
            [job_id, {"a": number, "turn": turn} if number % 2 else None, {f"turn {turn}": AWKWARD[turn * 7]}]
            for number, job_id in enumerate(ids)
        ]
        renamed = side.ask("change", root=root, changes=changes)
        ids = [renamed[job_id] for job_id in ids]
    for side in sides:
        found = side.ask("read", root=root)["jobs"]
        assert set(found) == set(ids)
        for number, job_id in enumerate(ids):
            assert found[job_id]["sp"] == ({"a": number, "turn": 5} if number % 2 else {"a": number})
            expected = {"by": ["init"], **{f"turn {turn}": AWKWARD[turn * 7] for turn in range(6)}}
            assert exact(found[job_id]["doc"]) == exact(expected)


def test_data_when_written_by_one_then_the_other_reads_it(pair, tmp_path):
    tree = {"int": 3, "float": 0.1, "bool": True, "text": "é", "none": None, "a": {"b": {"c": 1}}, "empty": ""}
    assert pair[0].ask("write_data", root=str(tmp_path), tree=tree) is None
    expected, found = (side.ask("read_data", root=str(tmp_path)) for side in pair)
    assert found == expected
    assert len(found) == 2, found
    for data in found:
        assert data.pop("arrays")["float32"] == ["float32", "[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]"]
        assert data == tree


EXPORTED = [({"a": number, "n": {"b": f"b{number % 2}"}}, {"number": number}) for number in range(6)]


@pytest.mark.parametrize("target", ["directory", "archive.zip", "archive.tar", "archive.tar.gz", "archive.tar.xz"])
@pytest.mark.parametrize("path", [None, "of/{a}/{job.id}", False])
def test_export_when_written_by_one_then_the_other_imports_it(pair, tmp_path, target, path):
    writer, reader = pair
    root, copy = str(tmp_path / "project"), str(tmp_path / "copy")
    written = writer.ask("write", root=root, jobs=EXPORTED, project_document=None, cache=False)
    exported = writer.ask("export", root=root, target=str(tmp_path / target), path=path)
    assert len(exported) == len(EXPORTED), exported
    imported = reader.ask("import_", root=copy, origin=str(tmp_path / target), schema=None)
    assert imported == sorted(job["id"] for job in written)
    assert_equal_files(root, copy)


@pytest.mark.parametrize("path", [None, "of/{a}/{job.id}", False])
def test_export_when_written_by_both_then_the_same_files(peer, ours, tmp_path, path):
    root = str(tmp_path / "project")
    ours.ask("write", root=root, jobs=EXPORTED, project_document=None, cache=False)
    for side in (peer, ours):
        side.ask("export", root=root, target=str(tmp_path / side.scratch.name), path=path)
    assert_equal_files(tmp_path / peer.scratch.name, tmp_path / ours.scratch.name)


def test_directories_when_imported_by_a_schema_then_equal_projects(peer, ours, tmp_path):
    for number in range(4):
        directory = tmp_path / "data" / f"a_{number}" / "b" / f"{number / 2}" / f"c-{number % 2 == 0}"
        directory.mkdir(parents=True)
        (directory / "file").write_text(str(number))
    schema = "a_{a:int}/b/{n.b:float}/c-{c:bool}"
    for side in (peer, ours):
        root = str(tmp_path / side.scratch.name)
        ids = side.ask("import_", root=root, origin=str(tmp_path / "data"), schema=schema)
        assert len(ids) == 4, ids
    assert_equal_files(tmp_path / peer.scratch.name, tmp_path / ours.scratch.name)


@pytest.mark.parametrize("path", [None, "of/{a}", "of/{{auto}}"])
def test_view_when_updated_by_the_other_then_the_same_links(pair, tmp_path, path):
    writer, reader = pair
    root, prefix = str(tmp_path / "project"), str(tmp_path / "view")
    writer.ask("write", root=root, jobs=EXPORTED, project_document=None, cache=False)
    links = writer.ask("view", root=root, prefix=prefix, path=path)
    assert len(links) == len(EXPORTED), links
    assert reader.ask("view", root=root, prefix=prefix, path=path) == links
