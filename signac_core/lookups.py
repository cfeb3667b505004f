"""Single jobs, looked up one after the other: where each call to the file system is slow, the index answers.

On a local disk a look at the directory of a job costs next to nothing, and it is always taken. On the file systems of
clusters it is a round trip to a server. There, after some slow ones in a row, the index tells which jobs there are and
what their state points are, compared with the workspace once a second: what it says may be as old as that, as answers
of such file systems themselves may be. A job that it does not know is always looked for.

The state points of jobs that are iterated over are read ahead, many at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from . import canonical, catalog, layout
from .errors import WorkspaceError
from .workspace import read_matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .index.snapshot import Snapshot
    from .workspace import Space

__all__ = ["Lookups", "ReadAhead", "expected_state_point", "has_job", "known_state_point", "parsed"]

_SLOW = 0.0002  # seconds for a call
_ENOUGH = 16  # slow calls in a row
_MOST_AHEAD = 1024
_MANY_TEXTS = 16  # from here on a faster parser pays for its import
_LOOPS = 4  # over jobs, one within the other
_SECONDS = 1.0
_SHARE = 5  # so many times as long as it took to open it, the index is believed


def expected_state_point(space: Space, job_id: str) -> dict[str, Any] | None:
    """State point of one of the jobs that are being iterated over, if it is in memory, or read ahead."""
    text = space.now.get(job_id)
    if text is not None:
        return parsed(text)
    ids, space.expected = space.expected, ()
    if len(ids) > catalog.MANY_FILES and not space.is_loaded:
        snapshot = catalog.open_own_index(space.twin())  # which does not keep this one alive, nor its files open
        if snapshot is None:
            catalog.preload_cache(space, len(ids))
        if not space.is_loaded:
            others = [ahead for ahead in space.ahead if not ahead.is_done]
            space.ahead = (ReadAhead(ids, snapshot), *others[: _LOOPS - 1])
    for ahead in space.ahead:
        state_point = ahead.state_point(space, job_id)
        if state_point is not None:
            return state_point  # type: ignore[no-any-return]
    return space.known.get(job_id)


class ReadAhead:
    """What reads the state points of jobs before they are asked for, once some were asked for in their order.

    From one time to the next twice as many are read, up to 1,024: at most as many in vain as were asked for. What the
    index holds stays in memory for the moment, what has to be read from files as all of that does.
    """

    def __init__(self, ids: Sequence[str], snapshot: Snapshot | None) -> None:
        self._ids = ids
        self._next = 0
        self._size = 1
        self._strays = 0
        self._snapshot = snapshot
        self._rows: Sequence[str] = ()

    def __del__(self) -> None:
        if self._snapshot is not None:
            self._snapshot.close()

    def state_point(self, space: Space, job_id: str) -> dict[str, Any] | None:
        """State point of a job that is not in memory; None if it is none of these, or not as it should be."""
        ids, at = self._ids, self._next
        if at >= len(ids) or ids[at] != job_id:
            at = bisect_left(ids, job_id)
            if at >= len(ids) or ids[at] != job_id:
                return None
            self._strays += 1
            self._size = 1
        if self._snapshot is not None and self._strays * catalog.ROWS_PER_READ > len(ids):
            space.remember_indexed(self._indexed())
            self._ids = ()
        elif at >= self._next:
            self._next = at + self._size
            self._read(space, slice(at, self._next))
            self._size = min(2 * self._size, _MOST_AHEAD)
        elif self._snapshot is not None:  # otherwise it has been read before, and is not as it should be
            self._read(space, slice(at, at + 1))
        text = space.now.get(job_id)
        return space.known.get(job_id) if text is None else parsed(text)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to be read ahead."""
        return self._next >= len(self._ids)

    def _read(self, space: Space, some: slice) -> None:
        if self._snapshot is None:
            catalog.read_ahead(space, list(self._ids[some]), len(self._ids) if self._size > _ENOUGH else 1)
        else:
            if len(space.now) > _LOOPS * _MOST_AHEAD:
                space.now.clear()
            space.now.update(self._texts(some))
            rest = [job_id for job_id in self._ids[some] if job_id not in space.now]
            if rest:
                catalog.read_ahead(space, rest, len(rest))

    def _texts(self, some: slice) -> Iterator[tuple[str, bytes | str]]:
        """Texts of state points of some of the jobs, as far as the index has them."""
        assert self._snapshot is not None
        names = self._ids[some]
        texts, is_plain = catalog.state_point_texts(self._snapshot, self._selected[some])
        if not is_plain or len(names) < _MANY_TEXTS:
            return (
                (name, text.decode("utf-8", "surrogateescape")) for name, text in zip(names, texts, strict=True) if text
            )
        if None in texts or b"" in texts:
            return ((name, text) for name, text in zip(names, texts, strict=True) if text)
        return zip(names, texts, strict=True)  # type: ignore[arg-type]

    def _indexed(self) -> dict[str, dict[str, Any]]:
        """State points of all of the jobs, as far as the index has them."""
        assert self._snapshot is not None
        found: dict[str, dict[str, Any]] = {}
        for names, trees in catalog.state_points_by_block(self._snapshot, self._selected):
            found.update((name, tree) for name, tree in zip(names, trees, strict=True) if tree is not None)
        return found

    @property
    def _selected(self) -> Sequence[str]:
        """The same jobs, as the index knows them."""
        assert self._snapshot is not None
        if not self._rows:
            self._rows = catalog.selected(self._snapshot, self._ids)
        return self._rows


_loads: Callable[[bytes], Any] | None = None


def _import_loads() -> Callable[[bytes], Any]:
    global _loads
    from orjson import loads

    _loads = loads
    return loads


def parsed(text: bytes | str) -> dict[str, Any] | None:
    """State point that has been read ahead: bytes are plain JSON, which a fast parser reads as any other."""
    try:
        tree = (_loads or _import_loads())(text) if type(text) is bytes else canonical.loads(text)
    except ValueError:  # derived data: whatever is wrong with it, the files have the answer
        return None
    return tree if type(tree) is dict else None


class Lookups:
    """What one process has found out by looking jobs up; a copy of it knows nothing."""

    def __init__(self) -> None:
        self.slow = 0  # calls in a row
        self.looks = 0  # at jobs, and how many of them were the reading of state points
        self.reads = 0
        self.wanted = _ENOUGH
        self.snapshot: Snapshot | None = None
        self._rows: list[tuple[Callable[[str], int | None], bytes]] = []  # of each layer: where an id is, and the flags
        self._until = 0.0

    def __reduce__(self) -> tuple[type[Lookups], tuple[()]]:
        return Lookups, ()

    def __del__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Ask the files again."""
        if self.snapshot is not None:
            self.snapshot.close()
        self.snapshot = None
        self._rows = []
        self.slow = 0

    def open(self, space: Space) -> None:
        """Take the index, if there is one that can be used; otherwise it is tried again much later."""
        started = monotonic()
        self.forget()
        with suppress(WorkspaceError):  # the directory of the job has the answer
            self.snapshot = catalog.open_own_index(space)
        if self.snapshot is None:
            self.wanted *= 4
            return
        try:
            self._rows = [
                (layer.table.finder(), layer.present.flags(layer.table.rows)) for layer in self.snapshot.layers
            ]
        except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
            catalog.tell_unusable(error)
            self.forget()
            self.wanted *= 4
        ended = monotonic()
        self._until = ended + max(_SECONDS, _SHARE * (ended - started))

    def place(self, space: Space, job_id: str) -> tuple[int, int] | None:
        """Layer and row of a job; None if the index is not asked, or does not know it."""
        if self.snapshot is None:
            return None
        if monotonic() > self._until:
            if self.snapshot.is_still_current():
                self._until = monotonic() + _SECONDS
            else:
                self.open(space)
        for layer, (find, flags) in enumerate(self._rows):
            row = find(job_id)
            if row is not None and flags[row]:
                return layer, row
        return None


def has_job(space: Space, job_id: str) -> bool:
    """Tell whether there is a job with this id (at most one stat).

    Where that is slow, and the state points of most jobs are asked for, too, these are read instead.
    """
    lookups: Lookups = space.lookups or _begin(space)
    if lookups.place(space, job_id) is not None:
        return True
    lookups.looks += 1
    is_read = lookups.slow >= _ENOUGH and 2 * (space.reads + lookups.reads) > lookups.looks
    started = perf_counter()
    found = (is_read and _read(space, lookups, job_id)) or space.has(job_id)
    lookups.slow = lookups.slow + 1 if perf_counter() - started > _SLOW else 0
    if lookups.slow >= lookups.wanted and lookups.snapshot is None:
        lookups.open(space)
    return found


def _read(space: Space, lookups: Lookups, job_id: str) -> bool:
    """Take the state point of a job into memory, if there is one."""
    with suppress(OSError):
        state_point = read_matching(f"{space.job_path(job_id)}/{layout.FN_STATE_POINT}", job_id)
        if state_point is not None:
            space.remember(job_id, state_point)
            lookups.reads += 1
            return True
    return False


def known_state_point(space: Space, job_id: str) -> dict[str, Any] | None:
    """State point of a job from the index, if that is asked and has it."""
    lookups: Lookups | None = space.lookups
    place = None if lookups is None else lookups.place(space, job_id)
    if lookups is None or place is None or lookups.snapshot is None:
        return None
    layer, row = place
    try:
        [state_point] = lookups.snapshot.layers[layer].table.trees([row])
    except Exception as error:
        catalog.tell_unusable(error)
        return None
    space.remember(job_id, state_point)
    return state_point  # type: ignore[no-any-return]


def _begin(space: Space) -> Lookups:
    space.lookups = Lookups()
    return space.lookups  # type: ignore[no-any-return]
