"""What long operations tell about how far they are; the library itself prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Progress", "track"]

_T = TypeVar("_T")


class Progress(Protocol):
    """Called by long operations after each step.

    Examples
    --------
    >>> def show(what, done, total):
    ...     print(f"{what}: {done}/{total}")
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> job = project.open_job({"T": 1}).init()
    >>> project.update_cache(progress=show)
    update-cache: 1/1
    1

    """

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Take notice.

        Parameters
        ----------
        what : str
            The operation, such as ``"export"``.
        done : int
            Steps that are done.
        total : int or None
            All steps, if known.

        """


def track(items: Iterable[_T], what: str, total: int | None, progress: Progress | None) -> Iterator[_T]:
    """Yield the items, and report each when it has been dealt with.

    Parameters
    ----------
    items : iterable
        The items.
    what : str
        The operation, such as ``"export"``.
    total : int or None
        The number of items, if known.
    progress : Progress or None
        What to report to.

    Yields
    ------
    object
        Each item.

    Examples
    --------
    >>> list(track("ab", "spell", 2, print))
    spell 1 2
    spell 2 2
    ['a', 'b']

    """
    if progress is None:
        yield from items
        return
    for done, item in enumerate(items, start=1):
        yield item
        progress(what, done, total)
