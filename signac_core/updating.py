"""Bringing the index and the cache file of signac 2.x up to date.

A new file takes the place of the old one by a rename, so that concurrent writers leave the file of one of them. The
cache file is only parsed where the index does not remember it; and as long as jobs are only added, only these are
compressed: the file is written anew with the compressed bytes of the old one in front (see `peer_cache`). State points
are handled batch by batch, never all at once.
"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from . import catalog, files, layout, workspace
from .errors import UnusableIndexError
from .garbage import without_collection
from .index.peer_cache import CacheFile, CacheWriter, EntriesAside, holds_just, open_cache, read_cache
from .index.records import AT_ONCE, Records, in_batches, records_of_texts

if TYPE_CHECKING:
    from .index.refreshing import BaseWriter
    from .index.snapshot import Snapshot
    from .index.writing import Share, ShareFiles
    from .progress import Progress
    from .workspace import Space

__all__ = ["update"]

_SHARED = 20_000  # jobs from which on a fork costs less than it saves
_CORRECTED_SHARE = 0.02
_MOST_CORRECTIONS = 20_000
"""Corrections that a delta may make to its base before both are written as a new base."""


def update(
    space: Space,
    failed: list[str],
    *,
    progress: Progress | None,
    warn: Callable[[str], None] | None,
    processes: int | None,
) -> int | None:
    """Do what `cache.update_cache` says; ``failed`` takes the damaged jobs."""
    _warn_of_place(warn)
    snapshot = catalog.open_index(space)
    if snapshot is None:
        listing = workspace.list_workspace(space)
        written = None if processes == 1 else _write_first(space, listing, failed, progress, processes)
        if written is None:
            written = _update_without_index(space, listing, failed, progress, warn)
    else:
        with snapshot:
            try:
                written = _Update(space, snapshot, failed, progress, warn).run()
            except UnusableIndexError:
                failed.clear()
                written = _update_without_index(space, workspace.list_workspace(space), failed, progress, warn)
    return written


def _warn_of_place(warn: Callable[[str], None] | None) -> None:
    """Warn if there will be no index, because of where it would be."""
    from .config import check_place

    try:
        check_place()
    except PermissionError as error:
        if warn is not None:
            warn(f"{error.strerror}: '{error.filename}'. Take the right to write there from others, or name another.")
    except OSError:
        pass  # it may be made until it is needed


def _warn_of_damage(space: Space, warn: Callable[[str], None] | None) -> None:
    path = space.path(layout.FN_CACHE)
    if warn is not None and os.path.lexists(path):
        warn(f"The cache file '{path}' is damaged, and is written anew.")


def _update_without_index(
    space: Space,
    listing: workspace.Listing,
    failed: list[str],
    progress: Progress | None,
    warn: Callable[[str], None] | None,
) -> int | None:
    """Read what the cache file does not hold, and write both file and index anew."""
    ids = layout.job_ids(listing.names)
    held: Mapping[str, dict[str, Any]] = catalog.proven_in_memory(space, ids)
    mark, aside, cache = None, None, None
    replaced: files.Replaced = "look"
    with without_collection(), ExitStack() as stack:
        try:
            before = stack.enter_context(CacheFile(space))
            mark = before.mark()
            aside = EntriesAside(space, before, ids)
            stack.callback(aside.close)
            held = ChainMap(held, aside) if held else aside  # type: ignore[arg-type]
            replaced = before.status
        except FileNotFoundError:
            replaced = None
        except (OSError, ValueError):
            _warn_of_damage(space, warn)
        if aside is None or not aside.is_sound or aside.number < len(ids):
            cache = stack.enter_context(CacheWriter(space, len(ids), replaced=replaced))
        index = stack.enter_context(_Index(space, listing))
        number = 0
        for records in catalog.read_records(space, ids, held, damaged=failed):
            if cache is not None:
                cache.add(records)
            index.add(records)
            number = _report(records, number, len(ids), progress)
        is_current = aside is not None and aside.is_sound and aside.number == number
        if cache is not None and not is_current:
            mark = cache.finish()
        index.finish(mark)
        return None if is_current and number else number


def _write_first(
    space: Space, listing: workspace.Listing, failed: list[str], progress: Progress | None, processes: int | None
) -> int | None:
    """Write cache file and index of a project with very many jobs that has neither, in several processes.

    None if it is another one.
    """
    ids = layout.job_ids(listing.names)
    if len(ids) < _SHARED or space.known or os.path.lexists(space.path(layout.FN_CACHE)):
        return None
    from .index.shares import ShareWriter
    from .index.writing import LONGEST_OF_STATE_POINT, Share, ShareFiles
    from .parallel import available_processes, shared

    processes = processes or available_processes()
    if processes == 1:
        return None

    batches = range(-(-len(ids) // AT_ONCE))  # shares are whole batches, and thereby whole blocks of texts
    with without_collection(), ExitStack() as stack:
        to: list[ShareFiles] = []
        for _ in range(processes):
            to.append(ShareFiles.beside(space.path(layout.FN_CACHE)))
            stack.callback(to[-1].close)
        first_of = {len(batches) * number // processes: number for number in range(processes)}

        def make(some: Sequence[int]) -> list[Any]:
            damaged: list[str] = []
            names = ids[some[0] * AT_ONCE : (some[-1] + 1) * AT_ONCE]
            writer = ShareWriter(to[first_of[some[0]]], some[0] * AT_ONCE, LONGEST_OF_STATE_POINT)
            number = 0
            for records in catalog.read_records(space, names, {}, damaged=damaged):
                writer.add_records(records)
                if progress is not None and not some[0]:  # the others are about as far
                    number += len(records.ids)
                    progress("update-cache", number * len(ids) // len(names), len(ids))
            return list(writer.share(damaged))

        cache = stack.enter_context(CacheWriter(space, len(ids)))
        index = stack.enter_context(_Index(space, listing))
        number = 0
        for its_files, made in zip(to, shared(make, batches, processes), strict=True):
            share = Share(*made)
            number += share.entries
            failed += share.damaged
            if share.entries:
                cache.take(its_files.cache, share.cache)
            index.take(share, its_files)
        index.finish(cache.finish())
        return number


def _report(records: Records, number: int, total: int, progress: Progress | None) -> int:
    """Report jobs one by one, after so many others; return the number of all."""
    end = number + len(records.ids)
    if progress is not None:
        for done in range(number + 1, end + 1):
            progress("update-cache", done, total)
    return end


class _Index:
    """A new base of the index; whatever happens to it, the cache file is what was asked for."""

    def __init__(self, space: Space, listing: workspace.Listing) -> None:
        from .index.refreshing import BaseWriter

        self._writer: BaseWriter | None = None
        with suppress(OSError):
            self._writer = BaseWriter(space, listing)

    def __enter__(self) -> _Index:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            self._writer.__exit__()

    def add(self, records: Records) -> None:
        """Do what the writer does."""
        self._ask(lambda writer: writer.add(records))

    def take(self, share: Share, to: ShareFiles) -> None:
        """Do what the writer does."""
        self._ask(lambda writer: writer.take(share, to))

    def finish(self, mark: list[Any] | None) -> None:
        """Do what the writer does."""
        self._ask(lambda writer: writer.finish(mark))

    def _ask(self, question: Callable[[BaseWriter], None]) -> None:
        if self._writer is None:
            return
        try:
            question(self._writer)
        except OSError:
            self._writer.__exit__()
            self._writer = None


class _Update:
    """Bringing index and cache file up to date by what the index knows already."""

    def __init__(
        self,
        space: Space,
        snapshot: Snapshot,
        failed: list[str],
        progress: Progress | None,
        warn: Callable[[str], None] | None,
    ) -> None:
        self.space = space
        self.snapshot = snapshot
        self.failed = failed
        self.progress = progress
        self.warn = warn
        self.pending = layout.job_ids(snapshot.pending)
        self.new: dict[str, dict[str, Any]] = {}
        self.before: CacheFile | None = None  # the cache file as it is,
        self.mark: list[Any] | None = None  # and what tells it from others

    def run(self) -> int | None:
        """Do it; return what :func:`update_cache` says."""
        snapshot = self.snapshot
        self.before = open_cache(self.space)
        try:
            if self.before is not None:
                self.mark = self.before.mark()
            corrections = snapshot.corrections()
            if corrections > _MOST_CORRECTIONS or corrections > _CORRECTED_SHARE * snapshot.base.rows:
                return self._write_all()
            return self._correct()
        finally:
            if self.before is not None:
                self.before.close()

    def _correct(self) -> int | None:
        """Add a few jobs to cache file and index."""
        space, snapshot, new = self.space, self.snapshot, self.new
        number = 0
        held = catalog.proven_in_memory(space, self.pending)
        for records in catalog.read_records(space, self.pending, held, damaged=self.failed):
            new.update(zip(records.ids, records.trees, strict=True))
            number = _report(records, number, len(self.pending), self.progress)
        if self._is_known():
            more = self._uncached(new)
            written = bool(more)
            if more and self._may_grow():
                self.mark = self._appended(in_batches(more, more), len(more))
            elif more:
                self.mark = self._rewritten()
        else:
            written = not self._holds_just(sorted([*self._names(), *new]))
            if written:
                self.mark = self._rewritten()
        number = snapshot.number() + len(new)
        if written or snapshot.listing is not None or self.mark != snapshot.about["cache"]:
            from .index.refreshing import refresh

            with suppress(OSError):  # the cache file is what was asked for
                refresh(snapshot, new, cache=self.mark)
        return number if written or number == 0 else None

    def _write_all(self) -> int | None:
        """Write a new base of the index, from the old one and the files of the others, and the cache file."""
        space, snapshot = self.space, self.snapshot
        listing = snapshot.listing or workspace.list_workspace(space)
        if snapshot.listing is None and listing.names != snapshot.names():
            raise UnusableIndexError("the workspace has changed meanwhile")
        wanted: frozenset[str] | None = None  # by the cache file; all of them if it does not grow
        if self._is_known():
            unknown = self._unknown_to_file(self.pending)
            is_current = not unknown
            wanted = frozenset(unknown) if self._may_grow() else None
        else:
            is_current = self._holds_just(sorted([*self._names(), *self.pending]))
        written = number = read = 0
        with without_collection(), ExitStack() as stack:
            more_than = None if wanted is None else self.before
            count = len(snapshot.pending) + snapshot.number() if wanted is None else len(wanted)
            cache = None if is_current else stack.enter_context(CacheWriter(space, count, more_than=more_than))
            index = stack.enter_context(_Index(space, listing))
            for records, new in self._all():
                index.add(records)
                number += len(records.ids)
                read = _report(new, read, len(self.pending), self.progress)
                if cache is not None:
                    records = records if wanted is None else records.only(wanted)
                    cache.add(records)
                    written += len(records.ids)
            if cache is not None and (written or wanted is None):
                self.mark = cache.finish()
            index.finish(self.mark)
        return number if written or number == 0 else None

    def _is_known(self) -> bool:
        """Tell whether the index remembers what is in the cache file."""
        with _of_index():
            return self.mark is not None and self.mark == self.snapshot.about["cache"] and not self.snapshot.has_lost()

    def _may_grow(self) -> bool:
        """Tell whether entries can be added to those of the cache file, of which there are some."""
        with _of_index():
            holds_some = self.snapshot.number() > len(self.snapshot.about["uncached"])
        return holds_some and self.before is not None and self.before.may_grow()

    def _unknown_to_file(self, new: Iterable[str]) -> list[str]:
        """Jobs that the cache file does not hold, some new ones among them, if the index remembers what is in it."""
        with _of_index():
            about = self.snapshot.about
            unread = set(about["unread"]).intersection(new)  # the index cannot hold them, the file can
            held = set(read_cache(self.space, unread)) if unread else set()
            return [*(job_id for job_id in new if job_id not in held), *about["uncached"]]

    def _uncached(self, new: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """State points that the cache file does not hold."""
        from .index.snapshot import check_proven

        with _of_index():
            corrected = self.snapshot.corrected_state_points()
            check_proven({job_id: corrected[job_id] for job_id in self.snapshot.about["uncached"]})
            known = corrected | new
            return {job_id: known[job_id] for job_id in self._unknown_to_file(new)}

    def _holds_just(self, ids: list[str]) -> bool:
        """Tell whether the cache file has these jobs and no others."""
        try:
            return self.before is not None and holds_just(self.before, ids)
        except ValueError:
            _warn_of_damage(self.space, self.warn)
            return False

    def _appended(self, records: Iterable[Records], number: int) -> list[Any]:
        with CacheWriter(self.space, number, more_than=self.before) as cache:
            for batch in records:
                cache.add(batch)
            return cache.finish()

    def _rewritten(self) -> list[Any]:
        with without_collection(), CacheWriter(self.space, self.snapshot.number() + len(self.new)) as cache:
            for records, _ in self._all():
                cache.add(records)
            return cache.finish()

    def _names(self) -> list[str]:
        """Ids of all indexed jobs."""
        with _of_index():
            return [name for table, present in self.snapshot.layers for name in table.ids_of(present)]

    def _all(self) -> Iterator[tuple[Records, Records]]:
        """Records of all jobs, in the order of their ids, and of those among them that had to be read."""
        from .index.selection import select

        with _of_index():
            selection = select(self.snapshot, [layer.present for layer in self.snapshot.layers], sorted(self.pending))
        for block in selection.blocks():
            with _of_index():
                names = list(block)
                texts, is_plain = block.lines()
                held = [name for name, text in zip(names, texts, strict=True) if text is not None]
                records = records_of_texts(held, [text for text in texts if text is not None], plain=is_plain)
            missing = [name for name, text in zip(names, texts, strict=True) if text is None]
            if not missing:
                yield records, _NONE
                continue
            known = self.new or catalog.proven_in_memory(self.space, missing)
            for read in catalog.read_records(self.space, missing, known, damaged=self.failed):  # one batch
                records = records.with_others(read)
                yield records, read


_NONE = Records([], [], [], [])


@contextmanager
def _of_index() -> Iterator[None]:
    """Turn whatever is wrong with the index into one kind of error."""
    try:
        yield
    except Exception as error:
        raise UnusableIndexError(str(error)) from error
