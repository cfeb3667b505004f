"""How far long operations are; showing it is up to whoever asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Progress", "track"]

_T = TypeVar("_T")


class Progress(Protocol):
    """Called by long operations after each step."""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Take notice of the steps that are done, and of all, if their number is known.

        ``what`` is the operation, such as ``"export"``.
        """


def track(items: Iterable[_T], what: str, total: int | None, progress: Progress | None) -> Iterator[_T]:
    """Yield the items, and report each when it has been dealt with; ``what`` is the operation, such as ``"export"``."""
    if progress is None:
        yield from items
        return
    for done, item in enumerate(items, start=1):
        yield item
        progress(what, done, total)
