"""Tables that are written in parts are those that are written at once, and hold what is too large for them aside."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, catalog, files, finding, workspace
from signac_core.care import integrity
from signac_core.index import records, writing
from signac_core.index.refreshing import BaseWriter, write_base
from signac_core.index.table import ELSEWHERE, LARGE, Rows, Table
from signac_core.query import TESTS, compile_filter
from tests.core.index.test_answers import LISTS, LONG, SCALARS


def columns(path: str, kind: str = "index") -> dict[str, list[Any]]:
    """All that is in the chunks of a table, and their sizes."""
    table = Table(os.open(path, os.O_RDONLY), kind)
    try:
        return {
            key: [
                (chunk[:6], repr(list(table.values_of(chunk, data))), list(table.rows_of(chunk, data)))
                for chunk, data in table.read_chunks(table.chunk_list(key))
            ]
            for key in sorted(table.directory.keys)
        }
    finally:
        table.close()


def some_state_points(number: int) -> dict[str, dict[str, Any]]:
    chance = random.Random(7)
    trees = [
        {
            "unique": chance.random(),
            "mixed": chance.choice([*SCALARS, *LISTS]),
            "equal": chance.choice([0, 0.0, -0.0, False, 1, 1.0, True, 2**53, 2.0**53, 2**53 + 1]),
            "same": "s",
            f"k{chance.randrange(20)}": chance.choice([{}, {"x": row % 3}, {"x": {"y": None}}]),
        }
        for row in range(number)
    ]
    return {f"{row:032x}": tree for row, tree in enumerate(trees)}


@pytest.mark.parametrize("rows", [1, 7, 64, 200])
def test_a_table_written_in_parts_is_that_written_at_once(
    project: Project, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = some_state_points(500)
    for name in known:
        os.mkdir(f"workspace/{name}")
    listing = workspace.list_workspace(project.space)
    write_base(project.space, listing, known)
    at_once = columns(".signac/index")
    monkeypatch.setattr(writing, "_ROWS_IN_MEMORY", rows)
    monkeypatch.setattr(writing, "_VALUES_PER_BLOCK", 3)
    monkeypatch.setattr(records, "AT_ONCE", 5)
    monkeypatch.setattr(writing, "_VALUES", 11)
    monkeypatch.setattr(writing, "_ROWS", 40)
    write_base(project.space, listing, known)
    in_parts = columns(".signac/index")
    monkeypatch.setattr(writing, "_ROWS_IN_MEMORY", 10**6)
    write_base(project.space, listing, known)
    assert columns(".signac/index") == in_parts
    assert {key: sorted(_pairs(chunks)) for key, chunks in in_parts.items()} == {
        key: sorted(_pairs(chunks)) for key, chunks in at_once.items()
    }
    assert sorted(os.listdir(".signac")) == ["config", "index"]


def _pairs(chunks: list[Any]) -> list[tuple[int, list[int]]]:
    """Rows under a key."""
    return [(chunk[0], row) for chunk, _, rows in chunks for row in rows]


def test_a_table_that_cannot_be_finished_leaves_the_old_one_and_no_other_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = some_state_points(50)
    for name in known:
        os.mkdir(f"workspace/{name}")
    listing = workspace.list_workspace(project.space)
    write_base(project.space, listing, known)
    before = Path(".signac/index").read_bytes()
    monkeypatch.setattr(writing, "_ROWS_IN_MEMORY", 10)
    monkeypatch.setattr(records, "AT_ONCE", 5)

    def refusing(path: str) -> int:
        raise OSError(28, "No space left on device", path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "nameless", refusing)
        with pytest.raises(OSError, match="No space left"):
            write_base(project.space, listing, known)
    with BaseWriter(project.space, listing) as base:
        base.add(next(records.in_batches(sorted(known), known)))
    assert Path(".signac/index").read_bytes() == before
    assert sorted(os.listdir(".signac")) == ["config", "index"]


# --- what is too large ------------------------------------------------------------------------------------------------

FILTERS: list[dict[str, Any]] = [
    {key + operator: value}
    for key in ("text", "list", "n.text", "n", "doc.text", "doc.list", "doc.n.text", "doc.n", "doc")
    for operator, value in [
        ("", "a"),
        ("", "a" * 5000),
        ("", [0, "a"] * 2500),
        (".$ne", "a"),
        (".$gt", "a"),
        (".$lt", "b"),
        (".$gte", "b"),
        (".$lte", "b"),
        (".$in", ["a", "ä" * 20_000]),
        (".$nin", ["a"]),
        (".$exists", True),
        (".$exists", False),
        (".$regex", "a$"),
        (".$type", "str"),
        (".$type", "list"),
        (".$near", 1),
    ]
]


def test_filters_then_use_every_operator_but_that_of_code() -> None:
    used = {f".{operator}" for operator in TESTS if operator not in ("$where", "$eq")}
    assert used <= {"." + key.rpartition(".")[2] for filter in FILTERS for key in filter}


@pytest.fixture
def long_study(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Jobs with long values, short ones, and none."""
    monkeypatch.setattr("signac_core.index.documents._WORTHWHILE", 1)
    for number, value in enumerate([*LONG, "a", [0], None, {"x": 1}]):
        for tree in ({"text": value}, {"list": value, "n": {"text": value}}, {"i": number}):
            job = project.open_job(tree).init()
            job.doc.update(tree)
    return project


@pytest.mark.usefixtures("at_rest")
def test_filters_when_values_are_too_long_for_a_column_then_match_what_the_files_say(long_study: Project) -> None:
    long_study.update_cache()
    finding.find_ids(Project().space, {"doc.i": 1})
    base, documents = columns(".signac/index"), columns(".signac/index.documents", "index.documents")
    assert LARGE in [chunk[0][0] for chunk in base["text"]]
    assert LARGE in [chunk[0][0] for chunk in documents["text"]]
    files_say = {job.id: (job.statepoint(), job.doc()) for job in long_study}
    for filter in FILTERS:
        for whole in ({"$not": filter}, {"$and": [filter, {"doc.i.$exists": False}]}):
            try:
                query = compile_filter(whole)
            except (ValueError, TypeError):
                continue
            expected = sorted(name for name, trees in files_say.items() if query.matches(*trees))
            assert finding.find_ids(Project().space, whole) == expected, whole
    assert [problem.kind for problem in integrity.examine(Project().space)] == []


@pytest.mark.usefixtures("at_rest")
def test_large_documents_stay_out_of_the_index(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signac_core.index.documents._WORTHWHILE", 1)
    for i in range(100):
        job = project.open_job({"i": i}).init()
        Path(job.fn("signac_job_document.json")).write_text(json.dumps({"text": "x" * 1_000_000, "i": i}))
    project.update_cache()
    for _ in range(2):
        assert len(finding.find_ids(Project().space, {"doc.i.$lt": 5})) == 5
        assert len(finding.find_ids(Project().space, {"doc.text.$regex": "^x"})) == 100
    assert os.path.getsize(".signac/index.documents") < 50_000
    table = Table(os.open(".signac/index.documents", os.O_RDONLY), "index.documents")
    assert table.states() == bytes([ELSEWHERE]) * 100
    table.close()
    before = os.stat(".signac/index.documents").st_ino
    assert len(finding.find_ids(Project().space, {"doc.i": 5})) == 1
    assert os.stat(".signac/index.documents").st_ino == before  # it knows that it does not hold them


@pytest.mark.usefixtures("at_rest")
def test_documents_are_given_by_row_and_none_for_those_in_files_only(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core.index.documents import IndexedDocuments

    monkeypatch.setattr("signac_core.index.documents._WORTHWHILE", 1)
    jobs = sorted((project.open_job({"i": i}).init() for i in range(5)), key=lambda job: job.id)
    jobs[1].doc.x = 1.5
    jobs[2].doc.update({f"k{number}": number for number in range(1001)})
    jobs[3].doc = {}
    project.update_cache()
    finding.find_ids(Project().space, {"doc.x": 1})
    jobs[4].doc.x = 2
    with catalog.open_index(Project().space) as snapshot:  # type: ignore[union-attr]
        documents = IndexedDocuments(snapshot, snapshot.base.all_rows())
        assert documents.lines(range(5)) == ([b"{}", b'{"x":1.5}', None, b"{}", None], True)
        assert documents.valid.flags(5) == bytes([1, 1, 1, 1, 0])


@pytest.mark.usefixtures("at_rest")
def test_documents_are_compared_by_all_that_tells_one_content_from_another(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signac_core.index.documents import IndexedDocuments

    monkeypatch.setattr("signac_core.index.documents._WORTHWHILE", 1)
    jobs = sorted((project.open_job({"i": i}).init() for i in range(40)), key=lambda job: job.id)
    paths = [Path(job.fn("signac_job_document.json")) for job in jobs]
    for path in paths[:30]:
        path.write_text('{"x": 1}')
    paths[0].rename("elsewhere")
    paths[0].symlink_to(Path("elsewhere").absolute())
    os.utime(paths[1], ns=(0, -5))  # before 1970
    paths[30].symlink_to("nowhere")
    paths[31].symlink_to(paths[31])
    project.update_cache()
    damaged: list[str] = []
    finding.find_ids(Project().space, {"doc.x": 1}, damaged=damaged)
    assert sorted(damaged) == [jobs[30].id, jobs[31].id]

    def valid(rows: int = 40) -> list[int]:
        with catalog.open_index(Project().space) as snapshot:  # type: ignore[union-attr]
            base = snapshot.base
            documents = IndexedDocuments(snapshot, Rows.of(bytes([1] * rows + [0] * (base.rows - rows))))
            return [row for row, flag in enumerate(documents.valid.flags(base.rows)) if flag]

    sound = [row for row in range(40) if row not in (30, 31)]
    assert valid() == sound
    assert valid(20) == sound[:20]
    assert valid(35) == sound[:33]
    status = paths[2].stat()
    paths[2].write_text('{"x": 2}')
    os.utime(paths[2], ns=(status.st_atime_ns, status.st_mtime_ns))  # the time of the change remains
    paths[3].unlink()
    paths[4].rename(paths[32])
    Path("elsewhere").write_text('{"x": 10}')
    assert valid() == [row for row in sound if row not in (0, 2, 3, 4, 32)]


def test_a_file_without_a_name_can_be_written_and_read(tmp_path: Path) -> None:
    before = os.listdir(tmp_path)
    fd = files.nameless(str(tmp_path / "index"))
    files.write_all(fd, b"abc" * 1000)
    assert os.listdir(tmp_path) == before
    assert b"".join(files.pieces(fd, 1, 2999)) == (b"abc" * 1000)[1:2999]
    os.close(fd)
