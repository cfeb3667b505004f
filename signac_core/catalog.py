"""Asking about many jobs: listing the workspace, asking the index, reading state points.

Nothing here makes handles. A damaged job never spoils the answer about the others: where a function takes a list of
``damaged`` ids it adds to it and goes on, otherwise it raises when the others have been dealt with. A directory without
a state point file that is younger than a minute is a job being born, and skipped without a word.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import compress, islice
from typing import TYPE_CHECKING, Any, TypeVar

from . import canonical, config, files, layout
from .errors import JobsCorruptedError, WorkspaceError
from .workspace import (
    OPEN_FLAGS,
    each_of_few,
    is_being_born,
    list_workspace,
    read_state_point,
    state_point_in,
)

if TYPE_CHECKING:
    from .index.documents import IndexedDocuments
    from .index.records import Records
    from .index.snapshot import Snapshot
    from .workspace import Space

    Record = Callable[[str, dict[str, Any] | None, os.stat_result | None], None]
    T = TypeVar("T")

__all__ = [
    "MANY_FILES",
    "ROWS_PER_READ",
    "ask_index",
    "each_file",
    "indexed_state_points",
    "kept",
    "list_ids",
    "list_names",
    "names_among",
    "names_with_prefix",
    "open_index",
    "open_own_index",
    "preload",
    "preload_cache",
    "proven_in_memory",
    "read_ahead",
    "read_records",
    "read_state_points",
    "read_values",
    "recorded_state_point",
    "recording",
    "refresh",
    "selected",
    "state_point_of_many",
    "state_point_texts",
    "state_points_by_block",
    "tell_unusable",
]

_CACHE_BYTES_PER_FILE = 200  # of a cache file, which is compressed, are read in the time that it takes to read one file
MANY_FILES = 16  # up to here nothing is cheaper than reading them
ROWS_PER_READ = 16  # of the index are taken into memory in the time that it takes to read one file
_END = "/" + layout.FN_STATE_POINT
_FILES_AT_ONCE = 64  # whose state points are parsed together
_VERY_MANY_FILES = 2500  # from here on the import of a faster parser pays


def open_index(space: Space) -> Snapshot | None:
    """Open the index and compare it with the workspace, in one moment once; None if there is none that can be used.

    Raises WorkspaceError if the workspace cannot be read.
    """
    moment = space.moment
    if moment is None:
        return open_own_index(space)
    if not moment.has_opened_index:
        snapshot = moment.index = open_own_index(space)
        moment.has_opened_index = True
        if snapshot is not None:
            snapshot.is_kept = True
            if moment.listing is not None:
                moment.listing.pack()
            moment.at_end = lambda is_interrupted: _let_go(snapshot, is_interrupted=is_interrupted)
    opened: Snapshot | None = moment.index
    return opened


def _let_go(snapshot: Snapshot, *, is_interrupted: bool) -> None:
    """Close an index that was kept; it catches up with what all questions have found out, unless somebody waits."""
    snapshot.is_kept = False
    with snapshot:
        if not is_interrupted:
            refresh(snapshot)


def open_own_index(space: Space) -> Snapshot | None:
    """Do what :func:`open_index` does for somebody who closes the index."""
    try:
        if config.index_directory() is None:
            fd = os.open(f"{space.root}/{layout.FN_INDEX}", OPEN_FLAGS)
        else:
            config.check_place()
            fd = os.open(config.index_path(space.root, layout.BASE), OPEN_FLAGS)
    except PermissionError as error:
        tell_unusable(error)
        return None
    except OSError:
        return None
    try:
        from .index.snapshot import Snapshot

        return Snapshot(space, fd)
    except WorkspaceError:
        raise
    except Exception as error:
        tell_unusable(error)
        return None


def ask_index(space: Space, question: Callable[[Snapshot], T | None]) -> T | None:
    """Answer of the index to a question; None without a usable index.

    Raises WorkspaceError if the workspace cannot be read.
    """
    snapshot = open_index(space)
    if snapshot is None:
        return None
    with snapshot:
        try:
            return question(snapshot)
        except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
            tell_unusable(error)
            return None


def tell_unusable(error: Exception) -> None:
    """Say at debug level why the index is not used."""
    import logging

    logging.getLogger(__name__).debug("The index cannot be used: %s: %s", type(error).__name__, error)


def list_names(space: Space) -> list[str]:
    """Names of the directories that count as jobs by the rule of signac 2.x (their first 32 characters), sorted.

    Raises WorkspaceError if the workspace cannot be read.
    """
    names = ask_index(space, _names_of)
    return list_workspace(space).names if names is None else names


def names_with_prefix(space: Space, prefix: str) -> list[str]:
    """Names of the directories that count as jobs and begin with some digits, sorted."""

    def find(snapshot: Snapshot) -> list[str]:
        names = snapshot.names_with_prefix(prefix)
        refresh(snapshot)
        return names

    found = ask_index(space, find)
    if found is None:
        found = [name for name in list_workspace(space).names if name.startswith(prefix)]
    return found


def names_among(space: Space, names: list[str]) -> set[str]:
    """Those names that are directories which count as jobs."""

    def find(snapshot: Snapshot) -> set[str]:
        from .index.selection import selection_of

        unknown = set(selection_of(snapshot, names).rest).difference(snapshot.pending)
        return set(names) - unknown

    found = ask_index(space, find)
    return set(names).intersection(list_workspace(space).names) if found is None else found


def _names_of(snapshot: Snapshot) -> list[str]:
    names = snapshot.names()
    refresh(snapshot)
    return names


def refresh(snapshot: Snapshot) -> None:
    """Let the index catch up on the way out of a query, if that is possible and pays; at the end of a moment once."""
    with suppress(Exception):  # nobody has asked for it
        if not snapshot.is_kept and snapshot.worth_refreshing(snapshot.space.known):
            from .index import refreshing

            refreshing.refresh(snapshot, snapshot.space.known)


@contextmanager
def recording(documents: IndexedDocuments | None) -> Iterator[Record | None]:
    """Let the index catch up with documents that are read in a block, if that is possible and pays.

    Yields what takes id, document, and status of its file, in the order of the ids; None if nobody wants them.
    """
    writer = None
    with suppress(Exception):  # nobody has asked for it
        if documents is not None and config.queries_write_index() and documents.is_worth_refreshing():
            from .index.refreshing_documents import DocumentsWriter

            writer = DocumentsWriter(documents)
    if writer is None:
        yield None
        return
    with writer:
        failed = False

        def record(job_id: str, document: dict[str, Any] | None, status: os.stat_result | None) -> None:
            nonlocal failed
            if not failed:
                try:
                    writer.add(job_id, document, status)
                except Exception:  # nobody has asked for it
                    failed = True

        yield record
        if not failed:
            with suppress(Exception):
                writer.finish()


def list_ids(space: Space) -> list[str]:
    """Ids of all jobs, sorted: the names that are job ids and nothing more.

    Raises WorkspaceError if the workspace cannot be read.
    """
    return layout.job_ids(list_names(space))


def read_state_points(
    space: Space,
    ids: Iterable[str],
    *,
    damaged: list[str] | None = None,
    indexed: bool = True,
    proven: bool = False,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the state points of jobs, in the given order (open, read, close per job that is not in memory yet).

    Raises JobsCorruptedError at the end, if jobs are damaged and there is no list to take them.
    """
    ids = ids if isinstance(ids, Sequence) else list(ids)
    failed: list[str] = []
    is_selection = not isinstance(ids, (list, tuple))
    if indexed and (len(ids) > MANY_FILES or is_selection) and not space.is_loaded:
        yield from _read_with_index(space, ids, failed, proven=proven)
    else:
        yield from _read_without_index(space, ids, failed, proven=proven)
    _report(failed, damaged)


def _read_with_index(
    space: Space, ids: Sequence[str], failed: list[str], *, proven: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """State points of jobs, block by block, from the index as far as it holds them and can be used."""
    snapshot = open_index(space)
    if snapshot is None:
        preload_cache(space, len(ids))
        yield from _read_without_index(space, ids, failed, proven=proven)
        return
    with snapshot:
        for names, trees in state_points_by_block(snapshot, ids):
            if proven:
                trees = [
                    tree if canonical.state_point_matches(tree, name) else None
                    for name, tree in zip(names, trees, strict=True)
                ]
            rest = [name for name, tree in zip(names, trees, strict=True) if tree is None]
            if not rest:
                yield from zip(names, trees, strict=True)
                continue
            found = dict(zip(names, trees, strict=True))
            found.update(_read_without_index(space, rest, failed, proven=False))
            yield from ((name, tree) for name in names if (tree := found[name]) is not None)


def selected(snapshot: Snapshot, ids: Sequence[str]) -> Sequence[str]:
    """Jobs as an index knows them; as they are, if it turns out to be damaged."""
    try:
        from .index.selection import selection_of

        return selection_of(snapshot, ids)
    except Exception as error:
        tell_unusable(error)
        return ids


def state_points_by_block(snapshot: Snapshot, ids: Sequence[str]) -> Iterator[tuple[list[str], list[Any]]]:
    """State points of jobs, block by block, None where the index does not hold them, or turns out to be damaged."""
    from .index.selection import AT_ONCE, selection_of

    done = 0
    try:
        for block in selection_of(snapshot, ids).blocks():
            names, trees = list(block), block.trees()
            yield names, trees
            done += len(names)
    except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
        tell_unusable(error)
    for start in range(done, len(ids), AT_ONCE):
        names = list(ids[start : start + AT_ONCE])
        yield names, [None] * len(names)


def state_point_texts(snapshot: Snapshot, ids: Sequence[str]) -> tuple[list[bytes | None], bool]:
    """State points of some jobs as texts, as far as the index holds them; and whether these are plain."""
    try:
        from .index.selection import selection_of

        return selection_of(snapshot, ids).lines()
    except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
        tell_unusable(error)
        return [None] * len(ids), True


def _read_without_index(
    space: Space, ids: Sequence[str], failed: list[str], *, proven: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """State points of jobs from memory, or from files that are read many at a time, in order."""
    known = space.known
    if proven:
        _forget_wrong(space, ids)
    unknown = list(dict.fromkeys(job_id for job_id in ids if job_id not in known))
    waiting = iter(ids)
    for names in _remember_files(space, unknown, failed):
        for job_id in waiting:
            if job_id in known:
                yield job_id, known[job_id]
            if job_id == names[-1]:
                break
    yield from ((job_id, known[job_id]) for job_id in waiting if job_id in known)


def _remember_files(space: Space, ids: list[str], failed: list[str]) -> Iterator[list[str]]:
    """Read the state points in the files of jobs into memory, and tell of which, block by block."""
    texts = _state_point_texts(space, ids)
    size, parsed = _parser(len(ids))
    for start in range(0, len(ids), size):
        names = ids[start : start + size]
        trees = parsed(names, list(islice(texts, len(names))))
        if None in trees:
            for at, tree in enumerate(trees):
                if tree is None:
                    trees[at] = _read_unusual(f"{space.workspace}/{names[at]}", names[at], failed)
        _remember(space, names, trees)
        yield names


def read_ahead(space: Space, ids: list[str], number: int) -> None:
    """Read the state points of some of so many jobs into memory, but those that are not as they should be."""
    names = [job_id for job_id in ids if job_id not in space.known]
    _remember(space, names, _parser(number)[1](names, list(_state_point_texts(space, names))))


def _remember(space: Space, ids: Sequence[str], trees: Sequence[dict[str, Any] | None]) -> None:
    space.known.update((job_id, tree) for job_id, tree in zip(ids, trees, strict=True) if tree is not None)


def _parser(number: int) -> tuple[int, Callable[[list[str], list[bytes | None]], list[dict[str, Any] | None]]]:
    """How many texts are parsed together, of so many, and what does it: None for a text that is not that of a job."""
    if number < _VERY_MANY_FILES:
        return _FILES_AT_ONCE, _parsed
    from .index.records import AT_ONCE, state_points_in

    return AT_ONCE, state_points_in


def _parsed(ids: list[str], texts: list[bytes | None]) -> list[dict[str, Any] | None]:
    return [None if text is None else state_point_in(text, name) for name, text in zip(ids, texts, strict=True)]


def read_records(
    space: Space, ids: Sequence[str], held: Mapping[str, dict[str, Any]], *, damaged: list[str]
) -> Iterator[Records]:
    """Read the state points of jobs, in the given order, many at a time; nothing is kept in memory.

    State points that are ``held`` already are not read; they have been compared with the ids.
    """
    from .index.records import AT_ONCE, MANY, records_in, records_of

    many = len(ids) >= MANY
    unknown: Sequence[str] = [job_id for job_id in ids if job_id not in held] if held else ids
    texts = _state_point_texts(space, unknown)
    waiting = iter(ids)
    while batch := list(islice(waiting, AT_ONCE)):
        missing = [job_id for job_id in batch if job_id not in held] if held else batch
        records, unusual = records_in(missing, list(islice(texts, len(missing))), many=many)
        if len(records.ids) < len(batch):
            found = dict(zip(records.ids, records.trees, strict=True))
            for job_id in unusual:
                state_point = _read_unusual(f"{space.workspace}/{job_id}", job_id, damaged)
                if state_point is not None:
                    found[job_id] = state_point
            found.update((job_id, held[job_id]) for job_id in batch if job_id in held)
            names = [job_id for job_id in batch if job_id in found]
            records = records_of(names, [found[job_id] for job_id in names], many=many)
        yield records


def proven_in_memory(space: Space, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """State points that are in memory, and are not wrong about any of these jobs."""
    _forget_wrong(space, ids)
    return space.known


def _state_point_texts(space: Space, ids: Sequence[str]) -> Iterator[bytes | None]:
    """Contents of the state point files of jobs, None where there is none to be had (open, read, close per job)."""
    if len(ids) <= MANY_FILES:
        return iter(files.contents(ids, space.workspace + "/", _END, None))
    from .parallel import files_together

    return files_together(space, ids, layout.FN_STATE_POINT, files.contents)


def _forget_wrong(space: Space, ids: Sequence[str]) -> None:
    """Forget what the index has said if it was wrong about one of these jobs."""
    known, indexed = space.known, space.sound_ids
    for job_id in ids:
        if job_id in indexed and not canonical.state_point_matches(known.get(job_id), job_id):
            tell_unusable(ValueError(f"wrong about job {job_id}"))
            space.forget_indexed()
            return


def each_file(
    space: Space, ids: Sequence[str], name: str, function: Callable[[str, str, int | None], T]
) -> Iterator[T]:
    """Apply a function to one file of each job as `parallel` does it, which only who asks about many has to import."""
    if len(ids) <= MANY_FILES:
        return each_of_few(space, ids, name, function)
    from . import parallel

    return parallel.each_file(space, ids, name, function)


def preload(space: Space, number: int) -> None:
    """Take the state points of all jobs, so many, from the index into memory.

    Without an index, the cache file of signac 2.x serves if that is less work than reading files.
    """
    if number > MANY_FILES and not space.is_loaded and not ask_index(space, lambda found: _take_all(space, found)):
        preload_cache(space, number)


def _take_all(space: Space, snapshot: Snapshot) -> bool:
    space.load(snapshot.state_points(), indexed=True)
    return True


def preload_cache(space: Space, number: int) -> None:
    """Take the state points of all jobs from the cache file into memory, if that is less work than reading files."""
    with suppress(OSError):
        if 0 < os.stat(space.path(layout.FN_CACHE)).st_size < number * _CACHE_BYTES_PER_FILE:
            from .index.peer_cache import read_cache

            space.load(read_cache(space))


def read_values(
    space: Space,
    ids: Sequence[str],
    keys: Sequence[str],
    *,
    missing: Any,
    damaged: list[str] | None = None,
    look_up: Callable[[dict[str, Any], str], Any] | None = None,
) -> tuple[Sequence[str], list[list[Any]]]:
    """Values under dotted keys of state points; only the columns of these keys are read where there is an index.

    Jobs that cannot be read are left out. ``look_up`` finds values in state points that are read from files.

    Raises JobsCorruptedError if jobs are damaged and there is no list of them.
    """
    unread: Any = object()

    def ask(snapshot: Snapshot) -> list[list[Any]]:
        from .index.selection import selection_of, values_at

        return values_at(selection_of(snapshot, ids), keys, missing=missing, unread=unread)

    columns = ask_index(space, ask) if len(ids) > MANY_FILES and not space.is_loaded else None
    if columns is None:
        columns = [[unread] * len(ids) for _ in keys]
    rest = [at for at, value in enumerate(columns[0]) if value is unread]
    if not rest:
        return ids, columns
    from . import trees

    found = dict(read_state_points(space, [ids[at] for at in rest], damaged=damaged))
    for column, key in zip(columns, keys, strict=True):
        path = key.split(".")
        for at in rest:
            if ids[at] in found:
                tree = found[ids[at]]
                column[at] = trees.look_up(tree, path, missing) if look_up is None else look_up(tree, key)
    here = [job_id for job_id, value in zip(ids, columns[0], strict=True) if value is not unread]
    return (ids, columns) if len(here) == len(ids) else (here, kept(columns, ids, here))


def kept(columns: Sequence[Sequence[T]], before: Sequence[str], ids: Iterable[str]) -> list[list[T]]:
    """Columns of values of jobs, without those of the jobs that are not there any more."""
    still = frozenset(ids)
    here = [job_id in still for job_id in before]
    return [list(compress(column, here)) for column in columns]


def indexed_state_points(space: Space) -> dict[str, dict[str, Any]]:
    """State points that the index holds, by id, of jobs whose directories exist; none without a usable index."""
    return ask_index(space, lambda snapshot: snapshot.state_points()) or {}


def state_point_of_many(space: Space, job_id: str) -> dict[str, Any] | None:
    """State point of a job in memory, if so many have been read one by one that it pays to take all there.

    The index is asked whenever their number has doubled; without one, the cache file of signac 2.x.
    """

    def take(snapshot: Snapshot) -> bool:
        return snapshot.number() > space.reads * ROWS_PER_READ or _take_all(space, snapshot)

    if not space.is_loaded and not ask_index(space, take):
        preload_cache(space, space.reads)
    return space.known.get(job_id)


def recorded_state_point(space: Space, job_id: str) -> dict[str, Any] | None:
    """State point of a job whose file is damaged, as index or cache have it; None if they do not."""

    def find(snapshot: Snapshot) -> dict[str, Any] | None:
        [(_, trees)] = state_points_by_block(snapshot, [job_id])
        found: dict[str, Any] | None = trees[0]
        return found

    known = space.known.get(job_id) or ask_index(space, find)
    if not canonical.state_point_matches(known, job_id):
        from .index.peer_cache import read_cache

        known = read_cache(space, [job_id]).get(job_id)
    return known if canonical.state_point_matches(known, job_id) else None


def _read_unusual(directory: str, job_id: str, failed: list[str]) -> dict[str, Any] | None:
    """State point of a job whose file is not as it should be: changing, vanished, being born, or damaged."""
    try:
        return read_state_point(directory, job_id)
    except FileNotFoundError:
        pass
    except JobsCorruptedError:
        if not is_being_born(directory):
            failed.append(job_id)
    return None


def _report(failed: list[str], damaged: list[str] | None) -> None:
    if damaged is not None:
        damaged.extend(failed)
    elif failed:
        raise JobsCorruptedError(failed)
