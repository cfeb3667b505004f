"""Documents that are read many at a time are those that are read one at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from signac_core import Project
from signac_core.documents import many
from signac_core.documents.many import read_document_files

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
