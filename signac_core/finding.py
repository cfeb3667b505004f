"""Finding the jobs that match a filter, by the index where there is one and by reading files where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from . import catalog, config, layout, workspace

if TYPE_CHECKING:
    from .catalog import Record
    from .index.documents import IndexedDocuments
    from .index.snapshot import Snapshot
    from .index.table import Rows
    from .progress import Progress
    from .query import Query
    from .workspace import Space

__all__ = ["find_ids"]

_T = TypeVar("_T")

_FEW = 16  # jobs that are read rather than looked up
_LONG = 1000  # ids from which on they are made as they are asked for, and nobody need look for garbage between trees
_SHARED = 20_000  # jobs from which on a fork costs less than it saves
_SLOW = 0.0002  # seconds for a file from which on an index is worth its while even to a process that remembers
_MANY_FILES_READ = 64  # from here on a query without an index leaves one behind


def find_ids(
    space: Space,
    filter: Mapping[str, Any] | Query | None,
    *,
    ids: Sequence[str] | None = None,
    damaged: list[str] | None = None,
    longer_names: bool = False,
    proven: bool = False,
    processes: int = 1,
    leaves_index: bool = True,
    progress: Progress | None = None,
) -> Sequence[str]:
    """Ids of the jobs that match a filter, in the order of ``ids`` (sorted by default).

    They are a list, or within a moment perhaps a `Selection`, which ends with it.

    ``longer_names`` counts directories, too, whose names only begin with an id, as signac 2.x does. What the index says
    is compared with the files if it has to be ``proven``. Where there is no index, one is left behind for the next
    query if that is asked for, or reading the files was slow.

    Raises JobsCorruptedError if jobs are damaged and there is no list to take them; KeyError, ValueError, TypeError if
    the filter is invalid; WorkspaceError if the workspace cannot be read.
    """
    if filter is None:
        return ids if ids is not None else _all_ids(space, longer_names=longer_names)
    from .query import Query, compile_filter

    query = filter if isinstance(filter, Query) else compile_filter(filter)
    if ids is not None and len(ids) <= _FEW:
        return _scan(space, query, ids, damaged, progress=progress)
    snapshot = catalog.open_index(space)
    if snapshot is not None:
        with snapshot:
            answer = _find_with_index(
                snapshot, query, damaged, longer_names=longer_names, among=ids, proven=proven, progress=progress
            )
        if answer is not None:
            return answer
    if ids is not None:
        return _scan(space, query, ids, damaged, progress=progress)
    return _find_in_files(
        space,
        query,
        damaged,
        longer_names=longer_names,
        processes=processes,
        leaves_index=leaves_index,
        progress=progress,
    )


def _find_in_files(
    space: Space,
    query: Query,
    damaged: list[str] | None,
    *,
    longer_names: bool,
    processes: int,
    leaves_index: bool,
    progress: Progress | None,
) -> list[str]:
    """Ids of all jobs that match, each read unless it is in memory; an index may be left behind."""
    started = perf_counter()
    listing = workspace.list_workspace(space)
    before = len(space.known)
    names = _counted(listing.names, longer_names=longer_names)
    if processes > 1 and len(names) >= _SHARED and damaged is not None:
        if query.needs_state_points:
            catalog.preload(space, len(names))
        if not space.is_loaded:
            return _shared_scan(space, query, names, damaged, processes, progress)
    found = _scan(space, query, names, damaged, progress=progress)
    read = len(space.known) - before
    is_wanted = leaves_index or perf_counter() - started > read * _SLOW
    if is_wanted and read >= _MANY_FILES_READ and config.queries_write_index():
        _write_first_index(space, listing)
    return found


def _counted(names: list[str], *, longer_names: bool) -> list[str]:
    return names if longer_names else layout.job_ids(names)


def _find_with_index(
    snapshot: Snapshot,
    query: Query,
    damaged: list[str] | None,
    *,
    longer_names: bool,
    among: Sequence[str] | None,
    proven: bool,
    progress: Progress | None,
) -> Sequence[str] | None:
    """Ids of the jobs that match: indexed jobs by the values of their keys, others by their files.

    None if the index turns out to be of no use.
    """
    space = snapshot.space
    try:
        answer = _ask(snapshot, query)
        rows, documents = answer.rows, answer.documents
        found = answer.found if rows is None or not (proven or among is not None) else _ids(snapshot, rows)
    except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
        catalog.tell_unusable(error)
        return None
    if proven and found:
        found = _scan(space, query, found, damaged, proven=True, progress=progress)
    rest = _counted(answer.rest, longer_names=longer_names or among is not None)
    if among is not None:
        selected = set(among)
        rest = [job_id for job_id in rest if job_id in selected]
    if rest:
        rest = sorted(rest)
        with catalog.recording(documents) as record:
            found += _scan(space, query, rest, damaged, record, indexed=answer.rest_is_indexed, progress=progress)
        found.sort()
    catalog.refresh(snapshot)
    if among is not None:
        matching = set(found)
        return [job_id for job_id in among if job_id in matching]
    if rows is None or proven:
        return found
    try:
        return _select(snapshot, rows, found)
    except Exception as error:
        catalog.tell_unusable(error)
        return None


class _Answer(NamedTuple):
    """What the index says.

    Parameters
    ----------
    found : list of str
        Ids of jobs that match.
    rows : list of Rows or None
        Instead of these, the rows of each layer.
    rest : list of str
        Ids of jobs that have to be judged by their files.
    documents : IndexedDocuments or None
        The documents, if they matter.
    rest_is_indexed : bool
        Whether the index may have the state points of the rest.
    """

    found: list[str]
    rows: list[Rows] | None
    rest: list[str]
    documents: IndexedDocuments | None
    rest_is_indexed: bool


def _ask(snapshot: Snapshot, query: Query) -> _Answer:
    from .index.evaluation import is_indexable

    if not is_indexable(query):
        return _Answer([], None, snapshot.names(), None, rest_is_indexed=True)
    if not query.needs_documents:
        return _Answer([], snapshot.find(query), snapshot.pending, None, rest_is_indexed=False)
    from .index.documents import IndexedDocuments, possible_rows

    documents = IndexedDocuments(snapshot, possible_rows(snapshot.base, query))
    found, rest = documents.find(query)
    found, rest = _without_buffered(snapshot, found, rest + snapshot.pending)
    return _Answer(found, None, rest, documents, rest_is_indexed=True)


def _all_ids(space: Space, *, longer_names: bool) -> Sequence[str]:
    """Ids of all jobs."""

    def names(snapshot: Snapshot) -> Sequence[str]:
        found = _select(snapshot, snapshot.find(None), _counted(snapshot.pending, longer_names=longer_names))
        catalog.refresh(snapshot)
        return found

    found = catalog.ask_index(space, names)
    return _counted(workspace.list_workspace(space).names, longer_names=longer_names) if found is None else found


def _select(snapshot: Snapshot, rows: list[Rows], others: list[str]) -> Sequence[str]:
    """Ids of jobs in some rows of each layer, and others, sorted; many are made as they are asked for, if possible."""
    if not snapshot.is_kept or sum(some.bits.bit_count() for some in rows) < _LONG:
        return sorted([*_ids(snapshot, rows), *others]) if others else _ids(snapshot, rows)
    from .index.selection import select

    for layer in snapshot.layers:
        layer.table.check_ids()  # before the first of them is printed
    return select(snapshot, rows, others)


def _ids(snapshot: Snapshot, rows: list[Rows]) -> list[str]:
    found: list[str] = []
    for layer, some in zip(snapshot.layers, rows, strict=True):
        found += layer.table.ids_of(some)
    return sorted(found) if len(rows) > 1 else found


def _without_buffered(snapshot: Snapshot, found: list[str], rest: list[str]) -> tuple[list[str], list[str]]:
    """Ids found and ids that may match, where the index is not asked about documents that are buffered."""
    from .documents.many import buffered_documents

    held = buffered_documents(snapshot.space)
    if held:
        found = [job_id for job_id in found if job_id not in held]
        rest = [*(job_id for job_id in rest if job_id not in held), *held.keys() & snapshot.names()]
    return found, rest


def _write_first_index(space: Space, listing: workspace.Listing) -> None:
    """Write an index on the way out of a query that had to read many files, in a project that is not too large."""
    from .index.refreshing import write_base
    from .index.snapshot import QUERY_LIMIT, check_proven

    if listing.number <= QUERY_LIMIT:
        with suppress(Exception):  # nobody has asked for it
            known = space.known
            check_proven({job_id: known[job_id] for job_id in space.sound_ids if job_id in known})
            write_base(space, listing, known)


def _scan(
    space: Space,
    query: Query,
    ids: Sequence[str],
    damaged: list[str] | None,
    record: Record | None = None,
    *,
    indexed: bool = True,
    proven: bool = False,
    progress: Progress | None,
) -> list[str]:
    """Ids of jobs that match a filter, each judged by its state point and document; ``record`` takes the documents."""
    judge = partial(_judge, space, query, ids, damaged, record, indexed=indexed, proven=proven, progress=progress)
    if len(ids) < _LONG:
        return judge()
    from .garbage import without_collection

    with without_collection():
        return judge()


def _judge(
    space: Space,
    query: Query,
    ids: Sequence[str],
    damaged: list[str] | None,
    record: Record | None,
    *,
    indexed: bool,
    proven: bool,
    progress: Progress | None,
) -> list[str]:
    from .query import NO_DOCUMENT

    matches = query.matches
    points = catalog.read_state_points(space, ids, damaged=damaged, indexed=indexed, proven=proven)
    points = _tracked(points, "state points", len(ids), progress)
    if not query.needs_documents:
        return [job_id for job_id, state_point in points if matches(state_point, {})]
    state_points: dict[str, dict[str, Any]] = {}
    if query.needs_state_points:
        state_points = dict(points)
        ids = list(state_points)
    found = []
    from .documents.many import read_document_files

    documents = read_document_files(space, ids, damaged=damaged)
    for job_id, document, status in _tracked(documents, "documents", len(ids), progress):
        if matches(state_points.get(job_id, {}), NO_DOCUMENT if document is None else document):
            found.append(job_id)
        if query.unmet and document:
            query.meet(document)
        if record is not None and (status is not None or document is None):  # of a file, not of the buffer
            record(job_id, document, status)
    return found


def _shared_scan(
    space: Space,
    query: Query,
    ids: Sequence[str],
    damaged: list[str],
    processes: int,
    progress: Progress | None,
) -> list[str]:
    """Do what :func:`_scan` says in several processes."""
    from .parallel import shared

    def tell(what: str, done: int, total: int | None) -> None:
        if progress is not None and total:  # the others are about as far
            progress(what, done * len(ids) // total, len(ids))

    def scan(share: Sequence[str]) -> list[list[str]]:
        bad: list[str] = []
        is_first = progress is not None and share[0] == ids[0]
        found = _scan(space, query, share, bad, progress=tell if is_first else None)
        return [found, bad, sorted(query.incomparable), [".".join(path) for path in query.unmet]]

    found: list[str] = []
    for matching, bad, incomparable, unmet in shared(scan, ids, processes):
        found += matching
        damaged += bad
        query.incomparable.update(incomparable)
        query.unmet.intersection_update(tuple(key.split(".")) for key in unmet)
    return found


def _tracked(items: Iterator[_T], what: str, total: int, progress: Progress | None) -> Iterator[_T]:
    """Items that are reported when they have been dealt with."""
    if progress is None:
        return items
    from .progress import track

    return track(items, what, total, progress)
