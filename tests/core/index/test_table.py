"""Whatever a table of the index claims, with checksums that are right: it costs no more than its size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, catalog, finding, stamps
from signac_core.cache import update_cache
from signac_core.care import integrity
from signac_core.errors import UnusableIndexError
from signac_core.index.table import Table
from tests.fuzz.forgery import Forgery
from tests.fuzz.limits import limited

MEMORY = 1 << 28


@pytest.fixture
def study(project: Project) -> Project:
    for a in range(20):
        project.open_job({"a": a, "b": 1}).init()
    project.update_cache()
    return project


@pytest.fixture
def forgery(study: Project) -> Forgery:
    return Forgery(Path(study.fn(".signac/index")))


def ids_by_scan(project: Project) -> list[str]:
    return sorted(os.listdir(project.workspace))


def answers(project: Project) -> list[list[str]]:
    """The same question in ways that use all of a table."""
    with limited(20, MEMORY):
        return [
            finding.find_ids(Project(project.path).space, {"a.$gte": 0}),
            finding.find_ids(Project(project.path).space, {"b": 1}),
            [job_id for job_id, _ in catalog.read_state_points(Project(project.path).space, ids_by_scan(project))],
            catalog.list_names(Project(project.path).space),
        ]


def replaced(chunk: list[Any], position: int, value: Any) -> list[Any]:
    return [*chunk[:position], value, *chunk[position + 1 :]]


@pytest.mark.parametrize("rows", [2**40, 10**6, -1, 0.5, "20", None, float("nan")])
def test_a_table_with_an_impossible_number_of_rows_is_not_used(study, forgery, rows):
    forgery.directory["rows"] = rows
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4


@pytest.mark.parametrize("position", range(3, 9))
@pytest.mark.parametrize("value", [float("nan"), -1, 2**62, 0.5, None, "1"])
def test_a_chunk_list_with_impossible_numbers_is_not_used(study, forgery, position, value):
    import json

    chunks = json.loads(forgery.section(forgery.directory["keys"]["a"]))
    forgery.directory["keys"]["a"] = forgery.add_json([replaced(chunks[0], position, value)])
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4


@pytest.mark.parametrize(
    "place", [[0, 2**40, 0], [2**60, 1, 0], [-1, 1, 0], [0, -1, 0], [0.0, 1, 0], [0], {}, None, "abc"]
)
def test_a_section_beyond_the_file_is_not_read(study, forgery, place):
    forgery.directory["keys"]["a"] = place
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4


def test_keys_that_share_their_chunks_are_read_one_at_a_time(study, forgery):
    import json

    keys = [f"k{number}" for number in range(2000)]
    chunk = json.loads(forgery.section(forgery.directory["keys"]["b"]))[0]
    text = json.dumps(["x" * 100_000]).encode()
    column = forgery.add_json([[*chunk[:5], len(text), *forgery.add(text)]])
    forgery.directory["keys"] |= dict.fromkeys(keys, column)
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4
    with limited(20, MEMORY):
        assert [problem.kind for problem in integrity.examine(Project(study.path).space)] == ["wrong-index"]


def blown_up(length: int) -> list[bytes]:
    """Texts of 20 rows, one of which is very long."""
    return [b'{"a":0,"b":1}'] * 19 + [b'{"a":"' + b" " * length + b'"}']


def test_texts_that_would_grow_more_than_zlib_allows_are_not_decompressed(study, forgery):
    forgery.set_texts(blown_up(1 << 20))
    offset, length, _ = forgery.directory["texts"]
    section = bytearray(forgery.data[offset : offset + length])
    section[-4:] = (2**32 - 1).to_bytes(4, "little")  # twice the length of the content
    forgery.directory["texts"] = forgery.add(bytes(section))
    forgery.write()
    assert answers(study)[2:] == [ids_by_scan(study)] * 2
    table = Table(os.open(forgery.path, os.O_RDONLY), "index")
    with pytest.raises(UnusableIndexError):
        table.texts.lines(range(20))
    table.close()


@pytest.mark.parametrize("number", [0, 19, 21])
def test_texts_that_are_not_as_many_as_the_rows_are_not_believed(study, forgery, number):
    forgery.set_texts([b'{"a":0,"b":1}'] * number)
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4
    table = Table(os.open(forgery.path, os.O_RDONLY), "index")
    with pytest.raises(UnusableIndexError):
        table.texts.lines(range(20))
    table.close()


@pytest.mark.parametrize("states", [b"", b"\2" * 19, b"\2" * 21])
def test_states_that_are_not_as_many_as_the_rows_are_not_believed(study, forgery, states):
    forgery.directory["states"] = forgery.add(states)
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4


@pytest.mark.parametrize("name", ["../../../../../../../../../etc/ab", "0" * 32 + "/../../..", "x", 1, None])
@pytest.mark.parametrize("key", ["unread", "uncached"])
def test_names_that_lead_out_of_the_workspace_are_not_believed(study, forgery, key, name):
    forgery.directory["about"]["signature"] = stamps.directory_signature(study.workspace)
    forgery.directory["about"][key] = [name]
    forgery.write()
    assert answers(study) == [ids_by_scan(study)] * 4


def test_an_index_nearly_all_of_whose_jobs_are_gone_is_not_used_and_written_anew(study):
    for a in range(100, 400):
        study.open_job({"a": a}).init()
    study.update_cache()
    for a in range(100, 400):
        study.open_job({"a": a}).remove()
    for a in range(2, 20):
        study.open_job({"a": a, "b": 1}).remove()
    assert catalog.open_index(Project().space) is None
    assert answers(study) == [ids_by_scan(study)] * 4
    assert update_cache(Project().space) == 2
    with catalog.open_index(Project().space) as snapshot:
        assert snapshot.number() == 2


@pytest.mark.parametrize(
    "about", [{}, {"uncached": 1}, {"dropped": None}, {"cache": float("nan"), "uncached": ["0" * 32]}]
)
def test_update_cache_when_the_delta_makes_no_sense_then_everything_is_written_anew(study, about):
    study.open_job({"a": 100, "b": 1}).init()
    study.update_cache()
    study.open_job({"a": 200, "b": 1}).init()
    with limited(20, MEMORY):
        study.update_cache()
    delta = Path(study.fn(".signac/index.delta"))
    for path in (Path(study.fn(".signac/index")), delta):
        if path.exists():
            table = Forgery(path)
            table.directory["about"] = table.directory["about"] | about if about else {}
            table.write()
    with limited(20, MEMORY):
        Project().update_cache()
    assert answers(study) == [ids_by_scan(study)] * 4
    with catalog.open_index(Project().space) as snapshot:
        assert sorted(snapshot.names()) == ids_by_scan(study)
