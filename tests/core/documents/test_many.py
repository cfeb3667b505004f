"""Documents that are read many at a time are those that are read one at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signac_core import Project
from signac_core.documents import many
from signac_core.documents.many import load_documents, read_document_files
from signac_core.index.table import Table
from signac_core.layout import DOCUMENTS

ODD = [b"{}", b"null", b'{"a": NaN}', b'{"a": 18446744073709551616, "b": -9223372036854775809}', b'{"a": 1e400}']
ODD += [
    b'{"a": "\\ud800"}',
    b'{"a": 1, "a": 2}',
    b'{"a": -0, "b": -0.0, "c": 1E5}',
    b'{"a": "\xc3\xa4"}',
    b'{"a":' * 300,
]
ODD += [b"[1]", b"1", b"", b"{", b"\xff", b'{"a": 1} x', b'{"a": 123456789012345678}']


@pytest.mark.parametrize("text", ODD)
def test_document_when_read_among_many_then_is_that_read_alone(
    project: Project, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = project.open_job({"a": 0}).init()
    Path(job.fn("signac_job_document.json")).write_bytes(text)

    def read() -> list[str]:
        damaged: list[str] = []
        found = [repr(document) for _, document, _ in read_document_files(project.space, [job.id], damaged=damaged)]
        return [*found, *damaged]

    alone = read()
    monkeypatch.setattr(many, "_MANY", 0)
    assert read() == alone


def test_documents_when_their_texts_in_the_index_are_damaged_then_read_from_the_files(project: Project) -> None:
    names = []
    for number in range(70):
        job = project.open_job({"a": number}).init()
        Path(job.fn("signac_job_document.json")).write_text(f'{{"b": {number}}}')
        names.append(job.id)
    project.update_cache()
    assert len(project.find_jobs({"doc.b": {"$gte": 0}})) == 70
    index = Path(project.path, ".signac", "index.documents")
    with open(index, "r+b") as file:
        table = Table(os.dup(file.fileno()), DOCUMENTS)
        start = int.from_bytes(table._section(table.directory.texts)[:8], "little")
        table.close()
        file.seek(start)
        file.write(bytes(16))
    found = load_documents(Project(project.path).space, names)
    assert found == {name: {"b": number} for number, name in enumerate(names)}
    frame = Project(project.path).find_jobs().to_dataframe()
    assert sorted(frame["doc.b"]) == list(range(70))
