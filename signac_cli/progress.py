"""Progress bars: how far long work is, on standard error, and only where a person is looking.

The library tells how far it is through `signac_core.progress.Progress`; `bar` makes such a hook of a terminal. Most
work is done before anybody wonders, so a bar appears only after `DELAY`, and what draws it is imported only then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Drawing

    from signac_core.progress import Progress

    from .session import Session

__all__ = ["bar"]

DELAY = 0.5
"""Seconds of work without a bar."""

INTERVAL = 0.1
"""Seconds between two drawings."""

WIDE = 56
"""Columns in which there is room for everything."""

MARGIN = 4
"""Columns that stay free behind the bar."""


@contextmanager
def bar(session: Session, label: str) -> Iterator[Progress | None]:
    """Show how far the work is that is done inside the context.

    The bar is gone when the context is left, however it is left. What is written to standard error meanwhile appears
    above the bar.
    """
    if not session.progress or session.output.quiet or not _is_for_people(sys.stderr):
        yield None
        return
    drawn = _Bar(label, sys.stderr, color=session.output.has_color(sys.stderr))
    try:
        yield drawn
    finally:
        drawn.close()


def _is_for_people(stream: Any) -> bool:
    """Tell whether a stream is a terminal that can go back to the beginning of a line."""
    if stream is None or stream.closed or not stream.isatty():
        return False
    return os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


class _Bar:
    """One bar, drawn when it is reported to: no thread of its own can outlive it, or be lost in a fork."""

    def __init__(self, label: str, stream: Any, *, color: bool) -> None:
        import threading

        self._label = label
        self._stream = stream
        self._color = color
        self._lock = threading.RLock()
        self._due = monotonic() + DELAY
        self._what = ""
        self._done = 0
        self._drawing: Drawing | None = None
        self._above: _Above | None = None
        self._is_visible = False
        self._is_closed = False

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Take notice, as `signac_core.progress.Progress`."""
        with self._lock:
            if what != self._what:  # the next part of the work
                self._what, self._done = what, 0
                if self._drawing is not None:
                    self._drawing.reset(self._drawing.task_ids[0], total=total)
            # Threads report in any order.
            self._done = max(self._done, done)
            now = monotonic()
            if now < self._due or self._is_closed or (total is not None and self._done >= total):
                return
            self._due = now + INTERVAL
            self._draw(total)

    def _draw(self, total: int | None) -> None:
        if self._drawing is None:
            self._drawing = _drawing(self._stream, color=self._color)
            self._drawing.add_task(self._label, total=total)
            self._above = _Above(self, self._stream)
            if sys.stderr is self._stream:
                sys.stderr = self._above
        self._drawing.update(self._drawing.task_ids[0], completed=self._done, total=total)
        if self._is_visible:
            self._drawing.refresh()
        else:
            self._is_visible = True
            self._drawing.start()

    def write_above(self, text: str) -> int:
        """Write text where the bar has been; the bar comes again with the next report."""
        with self._lock:
            self._clear()
            written: int = self._stream.write(text)
            return written

    def _clear(self) -> None:
        if self._drawing is not None and self._is_visible:
            self._is_visible = False
            self._drawing.stop()

    def close(self) -> None:
        """Remove the bar; reports have no effect any more."""
        with self._lock:
            self._is_closed = True
            if self._above is not None and sys.stderr is self._above:
                sys.stderr = self._stream
            self._clear()


class _Above:
    """What stands for standard error while there is a bar."""

    def __init__(self, bar: _Bar, stream: Any) -> None:
        self._bar = bar
        self._stream = stream

    def write(self, text: str) -> int:
        return self._bar.write_above(text)

    def writelines(self, lines: list[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _drawing(stream: Any, *, color: bool) -> Drawing:
    """Make the bar proper: label, bar, done and total, rate, remaining time, as far as there is room."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Count(ProgressColumn):
        def render(self, task: Task) -> Text:
            if task.total is None:
                return Text(f"{task.completed:.0f}")
            total = f"{task.total:.0f}"
            return Text(f"{task.completed:{len(total)}.0f}/{total}")

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.{0 if task.speed >= 10 else 1}f}/s")

    console = Console(file=stream, force_terminal=True, no_color=not color, highlight=False, markup=False, emoji=False)
    # The terminal shows Ctrl-C as "^C" behind the bar; without room it would do so on a line that is not cleared.
    console.width = max(1, console.width - MARGIN)
    is_wide = console.width >= WIDE
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False),
        Count(),
        TimeRemainingColumn(compact=True),
    ]
    if is_wide:
        columns.insert(1, BarColumn(bar_width=None))
        columns.insert(3, Rate())
    return Progress(
        *columns,
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        expand=is_wide,
        get_time=monotonic,
    )
