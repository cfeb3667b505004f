"""The documents of many jobs.

Within a buffering context they are what it has written so far, as ``job.doc`` shows it. A job without a document has an
empty one. A document that cannot be read never spoils the answer about the others where a function takes a list of
``damaged`` ids.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import catalog, files, layout

if TYPE_CHECKING:
    import os

    from ..index.documents import IndexedDocuments
    from ..index.snapshot import Snapshot
    from ..workspace import Space

__all__ = ["buffered_documents", "load_documents", "read_document_files", "read_documents"]

_MANY = 2500  # documents from which on the import of a faster parser pays
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19


def load_documents(space: Space, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Documents of jobs, all of them in memory; one stat instead of open, fstat, read, close where the index has it.

    They come in the order of the ids, and are not to be changed: they share equal values. ValueError if one is not a
    JSON object.
    """
    snapshot = catalog.open_index(space) if len(ids) > catalog.MANY_FILES else None
    if snapshot is None:
        return dict(read_documents(space, ids))
    held = buffered_documents(space)
    with snapshot:
        indexed, found = _indexed(snapshot, ids)
        found.update(held)
        missing = sorted(job_id for job_id in ids if job_id not in found)
        with catalog.recording(indexed) as record:
            for job_id, document, status in read_document_files(space, missing, damaged=None):
                found[job_id] = document or {}
                if record is not None and (status is not None or document is None):
                    record(job_id, document, status)
    return {job_id: found[job_id] for job_id in ids if job_id in found}


def buffered_documents(space: Space) -> dict[str, dict[str, Any]]:
    """Copies of the documents of jobs that are buffered at the moment, by id."""
    from . import store

    buffer = store.active_buffer
    if buffer is None:
        return {}
    root, end = space.workspace + "/", "/" + layout.FN_DOCUMENT
    return {
        path[len(root) : -len(end)]: tree
        for path, tree in buffer.trees().items()
        if path.startswith(root) and path.endswith(end)
    }


def _indexed(snapshot: Snapshot, ids: Collection[str]) -> tuple[IndexedDocuments | None, dict[str, dict[str, Any]]]:
    """Index of the documents, if it is of use, and what it has."""
    if len(ids) * catalog.ROWS_PER_FILE < snapshot.number():
        return None, {}
    try:
        from ..index.documents import IndexedDocuments

        base = snapshot.base
        indexed = IndexedDocuments(snapshot, base.rows_among(ids))
        rows = indexed.valid.numbers(base.rows)
        found = zip(base.ids_at(rows), indexed.trees(rows), strict=True)
        return indexed, {job_id: tree for job_id, tree in found if tree is not None}
    except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
        catalog.tell_unusable(error)
        return None, {}


def read_documents(
    space: Space, ids: Iterable[str], *, damaged: list[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the documents of jobs, in the given order (open, fstat, read, close per job); one that is missing is empty.

    A list of ``damaged`` ids takes those of jobs whose document cannot be read or is not a JSON object; without it that
    is an error.
    """
    for job_id, document, _ in read_document_files(space, ids, damaged=damaged):
        yield job_id, {} if document is None else document


def read_document_files(
    space: Space, ids: Iterable[str], *, damaged: list[str] | None
) -> Iterator[tuple[str, dict[str, Any] | None, os.stat_result | None]]:
    """Do what :func:`read_documents` does, but tell a job without a document from one with an empty document.

    Yields id, document and status of the file that was read; the last two are None if there is none. What is buffered
    is not read, and has no status.
    """
    ids = ids if isinstance(ids, (list, tuple)) else list(ids)
    parse = _quick_parser(space) if len(ids) >= _MANY else _parser(space)
    for job_id, result in zip(ids, _read_files(space, ids), strict=True):
        try:
            if isinstance(result, tuple):
                yield job_id, parse(result[0], job_id), result[1]
            elif isinstance(result, dict):
                yield job_id, result, None
            else:
                raise result
        except FileNotFoundError:
            yield job_id, None, None
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOTDIR:
                continue  # a file named like a job has no document
            if damaged is None:
                raise
            damaged.append(job_id)


def _parser(space: Space) -> Callable[[bytes, str], dict[str, Any]]:
    from .store import parse_document

    return lambda text, job_id: parse_document(text, _path(space, job_id))


def _quick_parser(space: Space) -> Callable[[bytes, str], dict[str, Any]]:
    """Do the same in less time, where orjson reads the same: it takes large integers for floats."""
    from orjson import loads

    parse_document = _parser(space)

    def parse(text: bytes, job_id: str) -> dict[str, Any]:
        if _LONG_NUMBER not in text.translate(_AS_ZEROS):
            try:
                document = loads(text)
            except ValueError:  # whatever is wrong with it
                document = None
            if type(document) is dict:
                return document
        return parse_document(text, job_id)

    return parse


def _path(space: Space, job_id: str) -> str:
    return f"{space.workspace}/{job_id}/{layout.FN_DOCUMENT}"


def _read_files(space: Space, ids: Sequence[str]) -> Iterator[tuple[bytes, os.stat_result] | dict[str, Any] | OSError]:
    """Content and status of the documents of jobs, or the buffered document, or why they cannot be read."""
    held = buffered_documents(space)

    def read(job_id: str, path: str, dir_fd: int | None) -> tuple[bytes, os.stat_result] | dict[str, Any] | OSError:
        if job_id in held:
            return held[job_id]
        try:
            return files.read_with_status(path, dir_fd=dir_fd)
        except OSError as error:
            error.filename = _path(space, job_id)
            return error

    return catalog.each_file(space, ids, layout.FN_DOCUMENT, read)
