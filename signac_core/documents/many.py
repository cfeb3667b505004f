"""The documents of many jobs.

Within a buffering context they are what it has written so far, as ``job.doc`` shows it. A job without a document has an
empty one. A document that cannot be read never spoils the answer about the others where a function takes a list of
``damaged`` ids.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import canonical, catalog, files, layout

if TYPE_CHECKING:
    import os

    from ..index.documents import IndexedDocuments
    from ..index.selection import Postings, Selection
    from ..index.snapshot import Snapshot
    from ..index.table import Table
    from ..workspace import Space

__all__ = [
    "buffered_documents",
    "document_texts",
    "load_documents",
    "read_document_files",
    "read_document_values",
    "read_documents",
]

_MANY = 2500  # documents from which on the import of a faster parser pays
_AT_ONCE = 8192  # documents that are fetched together


def load_documents(space: Space, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Documents of jobs, all of them in memory; one stat instead of open, fstat, read, close where the index has it.

    They come in the order of the ids, and are not to be changed: they share equal values. ValueError if one is not a
    JSON object.
    """
    names = ids if isinstance(ids, Sequence) else list(ids)
    found: dict[str, dict[str, Any]] = {}
    with _index_of_many(space, names) as (selection, documents):
        if selection is not None and documents is not None:
            with _whatever_is_wrong():
                texts, plain = _texts_of(selection, documents)
                found = _trees(names, texts, plain=plain)
        missing = sorted(job_id for job_id in names if job_id not in found)
        with catalog.recording(documents) as record:
            for job_id, document, status in read_document_files(space, missing, damaged=None):
                found[job_id] = document or {}
                if record is not None and (status is not None or document is None):
                    record(job_id, document, status)
    return {job_id: found[job_id] for job_id in names if job_id in found}


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


def read_documents(
    space: Space, ids: Iterable[str], *, damaged: list[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the documents of jobs, in the given order; one that is missing is empty.

    Many are read block by block from the index where it has them (a stat per job), the others from their files (open,
    fstat, read, close). A list of ``damaged`` ids takes those of jobs whose document cannot be read or is not a JSON
    object; without it that is an error.
    """
    ids = ids if isinstance(ids, Sequence) else list(ids)
    is_selection = not isinstance(ids, (list, tuple))
    snapshot = catalog.open_index(space) if len(ids) > catalog.MANY_FILES or is_selection else None
    if snapshot is None:
        for job_id, document, _ in read_document_files(space, ids, damaged=damaged):
            yield job_id, {} if document is None else document
        return
    with snapshot:
        for start in range(0, len(ids), _AT_ONCE):
            names = list(ids[start : start + _AT_ONCE])
            texts, plain = document_texts(snapshot, ids[start : start + _AT_ONCE])
            found = _trees(names, texts, plain=plain)
            rest = [name for name in names if name not in found]
            for job_id, document, _ in read_document_files(space, rest, damaged=damaged):
                found[job_id] = {} if document is None else document
            yield from ((name, found[name]) for name in names if name in found)


@contextmanager
def _whatever_is_wrong() -> Iterator[None]:
    """Context manager for what is asked of derived data: where it is damaged, the files have the answer."""
    try:
        yield
    except Exception as error:
        catalog.tell_unusable(error)


def _trees(names: Sequence[str], texts: Sequence[bytes | None], *, plain: bool) -> dict[str, dict[str, Any]]:
    """Documents that there are texts of, by id."""
    from ..index.texts import Lines

    known = [(name, text) for name, text in zip(names, texts, strict=True) if text is not None]
    try:
        return dict(zip([name for name, _ in known], Lines([text for _, text in known], plain).trees(), strict=True))
    except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
        catalog.tell_unusable(error)
        return {}


def document_texts(snapshot: Snapshot, ids: Sequence[str]) -> tuple[list[bytes | None], bool]:
    """Documents as JSON, as the index has them and the files still say; None for the others. And whether all are plain.

    A job without a document has an empty one.
    """
    try:
        return _texts_of(*_asked(snapshot, ids))
    except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
        catalog.tell_unusable(error)
        return [None] * len(ids), True


def _texts_of(selection: Selection, documents: IndexedDocuments) -> tuple[list[bytes | None], bool]:
    plain, base = True, selection.snapshot.base

    def read(table: Table, rows: Sequence[int]) -> list[bytes | None]:
        nonlocal plain
        if table is not base:
            return [None] * len(rows)
        texts, plain = documents.lines(rows)
        return texts

    found = selection.fetch(selection.places, read, lambda at: None)
    if held := buffered_documents(selection.snapshot.space):
        found = [None if name in held else text for name, text in zip(selection, found, strict=True)]
    return found, plain


def _asked(snapshot: Snapshot, ids: Sequence[str]) -> tuple[Selection, IndexedDocuments]:
    """The jobs that are asked for, and the index of their documents compared with the files."""
    from ..index.documents import IndexedDocuments
    from ..index.selection import selection_of
    from ..index.table import Rows

    selection = selection_of(snapshot, ids)
    _, flags, _ = next(selection.by_table())
    return selection, IndexedDocuments(snapshot, Rows.of(flags))


def read_document_values(
    space: Space,
    ids: Sequence[str],
    keys: Sequence[str],
    *,
    missing: Any,
    damaged: list[str] | None = None,
    look_up: Callable[[dict[str, Any], str], Any] | None = None,
    postings: Postings | None = None,
) -> tuple[Sequence[str], list[list[Any]]]:
    """Values under dotted keys of documents; only their columns are read where there is an index (a stat per job).

    Jobs that cannot be read are left out. ``look_up`` finds values in documents that are read from files. A list of
    ``postings`` takes the values of the only key, with the places of the ids, where the index has all of them; there
    are no columns then.

    Raises ValueError if documents are damaged and there is no list of them.
    """
    unread: Any = object()
    columns: list[list[Any]] | None = None
    with _index_of_many(space, ids) as (selection, documents):
        if selection is not None and documents is not None:
            with _whatever_is_wrong():
                table = _table_of_all(selection, documents)
                if table is not None and postings is not None and _take_postings(table, keys[0], postings):
                    return ids, []
                columns = _indexed_values(selection, documents, keys, missing=missing, unread=unread)
                if table is not None and columns is not None:
                    return ids, columns
        if columns is None:
            columns = [[unread] * len(ids) for _ in keys]
        values = enumerate(zip(ids, columns[0], strict=True))
        places = {job_id: at for at, (job_id, value) in values if value is unread}
        with catalog.recording(documents) as record:
            for job_id, tree, status in read_document_files(space, sorted(places), damaged=damaged):
                at = places.pop(job_id)
                for column, key in zip(columns, keys, strict=True):
                    column[at] = _value(tree, key, look_up, missing)
                if record is not None and (status is not None or tree is None):
                    record(job_id, tree, status)
    if not places:
        return ids, columns
    here = [job_id for job_id in ids if job_id not in places]
    return here, catalog.kept(columns, ids, here)


def _table_of_all(selection: Selection, documents: IndexedDocuments) -> Table | None:
    """The table of the documents of all jobs that are asked for, row by row; None if some may be elsewhere."""
    table = documents.table
    if table is None or not selection.is_base() or buffered_documents(selection.snapshot.space):
        return None
    return table if documents.readable().count(1) == table.rows else None


def _take_postings(table: Table, key: str, postings: Postings) -> bool:
    """Take the values of a key from a table, if that is possible."""
    from ..index.selection import postings_of

    found = postings_of(table, key)
    postings += found or []
    return found is not None


def _value(
    document: dict[str, Any] | None, key: str, look_up: Callable[[dict[str, Any], str], Any] | None, missing: Any
) -> Any:
    """Value in a document that was read from its file."""
    if look_up is not None:
        return look_up(document or {}, key)
    from .. import trees  # who reads whole documents pays for no import

    return trees.look_up(document, key.split("."), missing)


@contextmanager
def _index_of_many(
    space: Space, ids: Sequence[str]
) -> Iterator[tuple[Selection, IndexedDocuments] | tuple[None, None]]:
    """The index of the documents of jobs, if there is one and they are many."""
    snapshot = catalog.open_index(space) if len(ids) > catalog.MANY_FILES else None
    if snapshot is None:
        yield None, None
        return
    with snapshot:
        try:
            asked = _asked(snapshot, ids)
        except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
            catalog.tell_unusable(error)
            yield None, None
        else:
            yield asked


def _indexed_values(
    selection: Selection, documents: IndexedDocuments, keys: Sequence[str], *, missing: Any, unread: Any
) -> list[list[Any]] | None:
    """Values of documents that are as they were indexed; None if not all leaves of the keys are in their columns."""
    from ..index.selection import has_column

    table, base = documents.table, selection.snapshot.base
    if table is None or not all(has_column(table, key) and not table.keys_below(key) for key in keys):
        return None
    flags, held = documents.readable(), buffered_documents(selection.snapshot.space)
    columns = []
    for key in keys:
        values = table.column(key, missing)
        if flags.count(1) < len(flags):
            values = [value if flag else unread for value, flag in zip(values, flags, strict=True)]

        def read(asked: Table, rows: Sequence[int], values: list[Any] = values) -> list[Any]:
            if asked is not base:
                return [unread] * len(rows)
            return values if len(rows) == len(values) else list(map(values.__getitem__, rows))

        found = selection.fetch(selection.places, read, lambda at: unread)
        if held:
            found = [unread if name in held else value for name, value in zip(selection, found, strict=True)]
        columns.append(found)
    return columns


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
        if canonical.LONG_NUMBER not in canonical.with_zeros(text):
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
