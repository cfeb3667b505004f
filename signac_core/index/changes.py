"""Which jobs have come and gone since a listing, told from the order in which the file system lists them.

Listed again, a directory shows what is still there in the order of last time on nearly all file systems. Runs of
unchanged names are compared as text, at a fraction of the cost of a set of names. Where the order is another one, that
is noticed soon, and sets have to do.
"""

from __future__ import annotations

from collections.abc import Sequence

from .table import ID_BYTES, ids_in

__all__ = ["changes"]

_RUN = 64  # names that are compared at once, at first
_LONGEST_RUN = 1024
_NEAR = 4  # names within which the continuation is sought, at first
_FARTHER = 8  # times as far it is sought then
_FARTHEST = _NEAR * _FARTHER**4
_SPOTS = 16  # one place in so many names may have changed


def changes(entries: Sequence[str], known: bytes) -> tuple[set[str], set[str]] | None:
    """Tell which names have come and which have gone."""
    spots = len(entries) // _SPOTS + _RUN
    farthest = _FARTHEST
    number = len(known) // ID_BYTES
    come: list[str] = []
    gone: list[str] = []
    i = j = 0
    while True:
        equal = _equal_run(entries, known, i, j)
        i += equal
        j += equal
        if i == len(entries) or j == number:
            break
        if spots <= 0:
            return None
        here = there = 0
        reach = _NEAR
        while not here and not there and reach <= farthest:
            here = _distance(_texts(known, j, j + 1), entries[i : i + reach])
            there = 0 if here else _distance(entries[i : i + 1], _texts(known, j, j + reach))
            reach *= _FARTHER
        if reach > _NEAR * _FARTHER**2:  # not to be done often
            farthest = max(farthest // _FARTHER, _NEAR)
        spots -= 1
        if not here and not there:
            spots -= _FARTHER
            here = there = 1
        come += entries[i : i + here]
        gone += _texts(known, j, j + there)
        i += here
        j += there
    come += entries[i:]
    gone += _texts(known, j, number)
    are_new, are_old = set(come), set(gone)
    return are_new - are_old, are_old - are_new


def _texts(known: bytes, start: int, end: int) -> list[str]:
    """Some of the ids."""
    return ids_in(known[ID_BYTES * start : ID_BYTES * end])


def _distance(wanted: Sequence[str], names: Sequence[str]) -> int:
    """How far from the start of the names the one that is wanted is; 0 if it is not there."""
    try:
        return names.index(wanted[0])
    except ValueError:
        return 0


def _equal_run(entries: Sequence[str], known: bytes, i: int, j: int) -> int:
    """Number of names that are the same in both from here on."""

    def same(start: int, count: int) -> bool:
        ids = known[ID_BYTES * (j + start) : ID_BYTES * (j + start + count)].hex("/", ID_BYTES)
        return "/".join(entries[i + start : i + start + count]) == ids

    run, size = 0, _RUN
    most = min(len(entries) - i, len(known) // ID_BYTES - j)
    while count := min(size, most - run):
        if not same(run, count):
            break
        run += count
        size = min(2 * size, _LONGEST_RUN)
    while count > 1:  # one of so many differs
        half = count // 2
        if same(run, half):
            run += half
            count -= half
        else:
            count = half
    return run
