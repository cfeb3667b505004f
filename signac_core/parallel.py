"""The same small thing for many files: one after the other, in threads where they are slow, in forked processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import canonical, config, files
from .workspace import each_of_few

if TYPE_CHECKING:
    from .workspace import Space

__all__ = [
    "Together",
    "available_processes",
    "each_file",
    "files_together",
    "in_order",
    "in_shares",
    "shared",
]

_T = TypeVar("_T")
_R = TypeVar("_R")

Together: TypeAlias = Callable[[Sequence[_T], str, str, int | None], Iterable[_R]]
"""What looks at one file of each of several jobs: given the ids (or what else it knows them by), what comes
before them and after them in the paths, and the descriptor that these are relative to; it returns as many results and
raises nothing."""

_FEW = 16  # files that are not worth opening a directory for
_PROBE = 16  # items that decide
_SLOW = 0.0004  # seconds per item from which on waiting outweighs computing
_THREADS = 16
_SHARE = 32  # items that a thread takes at once
_WINDOW = 2048  # items under way at once
_AT_ONCE = 256  # items that are handed over together where there are no threads


def in_order(function: Callable[[_T], _R], items: Sequence[_T], *, probe: int = _PROBE) -> Iterator[_R]:
    """Apply a function, which raises nothing, to items and yield the results in order.

    The first ones, as many as ``probe`` says, decide whether threads do the rest, if that is three times as many.
    """
    waiting = iter(items)
    begun = _begin(lambda some: map(function, some), waiting, len(items), probe)
    return chain(chain.from_iterable(begun), map(function, waiting))


def in_shares(function: Callable[[Sequence[_T]], Iterable[_R]], items: Sequence[_T]) -> Iterator[_R]:
    """Do what :func:`in_order` does with a function that is given several items at once, and returns as many results.

    A loop of its own over little things takes half as long as a call for each. Up to 256 results are in memory.
    """
    return chain.from_iterable(_share_by_share(function, items))


def _share_by_share(function: Callable[[Sequence[_T]], Iterable[_R]], items: Sequence[_T]) -> Iterator[Iterable[_R]]:
    waiting = iter(items)
    shares = iter(lambda: list(islice(waiting, _AT_ONCE)), [])
    return chain(_begin(function, waiting, len(items), _PROBE), map(function, shares))


def _begin(
    function: Callable[[Sequence[_T]], Iterable[_R]], waiting: Iterator[_T], number: int, probe: int
) -> Iterator[Iterable[_R]]:
    """Deal with the first items, and with as many of the others as threads are faster with."""
    threads = config.io_threads()
    if threads is None:
        alone = []
        for item in islice(waiting, probe):
            started = perf_counter()
            results = list(function([item]))
            alone.append(perf_counter() - started)
            yield results
        typical = sorted(alone)[len(alone) // 2] if alone else 0.0
        if number > 4 * probe and typical > _SLOW:
            yield from _in_threads(function, waiting, _THREADS, worthwhile=typical / 2)
    elif threads > 1:
        yield from _in_threads(function, waiting, threads, worthwhile=inf)


def _in_threads(
    function: Callable[[Sequence[_T]], Iterable[_R]], waiting: Iterator[_T], threads: int, *, worthwhile: float
) -> Iterator[Iterable[_R]]:
    """Apply a function in threads, as long as that takes less than ``worthwhile`` seconds per item."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        while window := list(islice(waiting, _WINDOW)):
            started = perf_counter()
            size = min(_SHARE, -(-len(window) // threads))  # when there are few, each thread gets some all the same
            shares = [window[start : start + size] for start in range(0, len(window), size)]
            results = list(pool.map(lambda share: list(function(share)), shares))
            spent = perf_counter() - started
            yield from results
            if spent > worthwhile * len(window):
                return


@contextmanager
def _short_paths(directory: str) -> Iterator[tuple[str, int | None]]:
    """Open a directory, so that what is in it has short paths: those are found faster.

    Yields what to put before names, and the descriptor that these paths are relative to (None if there is no such
    directory).
    """
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield directory + "/", None
        return
    try:
        yield "", fd
    finally:
        os.close(fd)


_MOST_PROCESSES = 16


def available_processes() -> int:
    """Number of processes that can run at the same time."""
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES) if hasattr(os, "sched_getaffinity") else 1


def shared(function: Callable[[Sequence[_T]], Any], items: Sequence[_T], processes: int) -> list[Any]:
    """Apply a function to shares of a list, each in a process of its own but the first; at most 16 are made.

    The function is given a share and returns plain JSON data. A share whose process fails is dealt with here, again.
    """
    number = len(items)
    processes = min(processes, _MOST_PROCESSES)
    shares = [items[number * i // processes : number * (i + 1) // processes] for i in range(processes)]
    children = [_start(function, share) for share in shares[1:]]
    try:
        results = [function(shares[0])]
        for share, child in zip(shares[1:], children, strict=True):
            text = _read_all(child[1])
            results.append(canonical.loads(text) if text else function(share))
    finally:
        for process, pipe in children:
            os.close(pipe)
            os.waitpid(process, 0)
    return results


def _start(function: Callable[[Sequence[_T]], Any], share: Sequence[_T]) -> tuple[int, int]:
    """Fork a process that writes its result into a pipe whole, or nothing."""
    readable, writable = os.pipe()
    process = os.fork()
    if process:
        os.close(writable)
        return process, readable
    try:
        os.close(readable)
        text = canonical.dumps(function(share)).encode("ascii")
        files.write_all(writable, text)
    finally:
        os._exit(0)  # nothing of the parent's is flushed or cleaned up here


def _read_all(pipe: int) -> bytes:
    parts = []
    while part := os.read(pipe, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def each_file(
    space: Space, ids: Sequence[str], name: str, function: Callable[[str, str, int | None], _R]
) -> Iterator[_R]:
    """Apply a function to one file of each job, in order; to many files by short paths, and in threads if that pays.

    The function is given the id, the path, and the descriptor that the path is relative to (or None); it raises
    nothing.
    """
    if len(ids) <= _FEW:
        yield from each_of_few(space, ids, name, function)
        return
    end = "/" + name
    with _short_paths(space.workspace) as (root, workspace):
        yield from in_order(lambda job_id: function(job_id, root + job_id + end, workspace), ids)


def files_together(space: Space, ids: Sequence[_T], name: str, function: Together[_T, _R]) -> Iterator[_R]:
    """Apply a function to one file of several jobs at once, in order, as :func:`each_file` does to one."""
    return chain.from_iterable(_files_share_by_share(space, ids, "/" + name, function))


def _files_share_by_share(
    space: Space, ids: Sequence[_T], end: str, function: Together[_T, _R]
) -> Iterator[Iterable[_R]]:
    if len(ids) <= _FEW:
        yield function(ids, space.workspace + "/", end, None)
        return
    with _short_paths(space.workspace) as (root, workspace):
        yield from _share_by_share(lambda some: function(some, root, end, workspace), ids)
