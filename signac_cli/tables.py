"""Tables of jobs: no borders, no blanks at the end of a line, ids and paths always whole.

On a pipe every cell is whole, too. On a terminal the other columns give way until the table fits; where that would
leave too little of them, each job gets lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .keys import MISSING, lookup
from .templates import as_text

if TYPE_CHECKING:
    from rich.console import Console

    from .output import Record

__all__ = ["draw"]

_GUTTER = 2
_NARROWEST = 8
_TRAILING_BLANKS = re.compile(r" +((?:\033\[[0-9;]*m)*)$", re.MULTILINE)


class _Column(NamedTuple):
    header: str
    cells: list[str]
    whole: bool  # never shortened
    numeric: bool

    def width(self, measure: Callable[[str], int]) -> int:
        return max(measure(text) for text in (self.header, *self.cells))


def draw(records: Sequence[Record], keys: Mapping[str, Sequence[str]], *, terminal: bool, color: bool) -> str:
    """Draw a table.

    Parameters
    ----------
    records : sequence of mapping
        The rows.
    keys : mapping of str to sequence of str
        Under ``sp`` and ``doc``: the keys to show; all that occur, when there are none.
    terminal : bool
        Fit the table to the width of the terminal.
    color : bool
        Use bold and underlined text.

    Returns
    -------
    str
        The lines of the table; nothing when there are no rows.

    """
    columns = list(_columns(records, keys))
    if not records:
        return ""
    text = _draw_on_terminal(columns, color=color) if terminal else _draw_on_pipe(columns, color=color)
    return _TRAILING_BLANKS.sub(r"\1", text)


def _columns(records: Sequence[Record], keys: Mapping[str, Sequence[str]]) -> Iterator[_Column]:
    for part in ("id", "path"):
        if any(part in record for record in records):
            yield _Column(part, [record[part] for record in records], whole=True, numeric=False)
    for part, prefix in (("sp", ""), ("doc", "doc.")):
        parts = [record.get(part, {}) for record in records]
        if keys.get(part):
            rows = [{key: lookup(data, key) for key in keys[part]} for data in parts]
        else:
            rows = [dict(_flatten(data)) for data in parts]
        for key in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(key, MISSING) for row in rows]
            known = [value for value in values if value is not MISSING]
            numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)
            cells = ["" if value is MISSING else _visible(as_text(value)) for value in values]
            yield _Column(_visible(prefix + key), cells, whole=False, numeric=numeric and bool(known))


def _flatten(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _visible(text: str) -> str:
    """Text without control characters, which could change what the terminal shows."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _draw_on_pipe(columns: Sequence[_Column], *, color: bool) -> str:
    widths = [column.width(_width) for column in columns]

    def line(cells: Sequence[str], before: str = "", after: str = "") -> str:
        padded = []
        for cell, column, width in zip(cells, columns, widths, strict=True):
            blanks = " " * (width - _width(cell))
            styled = f"{before}{cell}{after}" if cell else ""
            padded.append(blanks + styled if column.numeric else styled + blanks)
        return (" " * _GUTTER).join(padded) + "\n"

    header = line([column.header for column in columns], *(("\033[4m", "\033[0m") if color else ()))
    return header + "".join(map(line, zip(*(column.cells for column in columns), strict=True)))


def _width(text: str) -> int:
    """Columns that a text takes on a screen."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _draw_on_terminal(columns: Sequence[_Column], *, color: bool) -> str:
    from io import StringIO
    from shutil import get_terminal_size

    from rich.cells import cell_len
    from rich.console import Console

    width = get_terminal_size().columns
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if color else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    natural = [column.width(cell_len) for column in columns]
    widths = _fit(natural, [column.whole for column in columns], width - _GUTTER * (len(columns) - 1))
    with console.capture() as captured:
        if widths is None:
            _print_stacked(console, columns)
        else:
            _print_columns(console, columns, widths)
    return captured.get()


def _fit(natural: Sequence[int], whole: Sequence[bool], available: int) -> list[int] | None:
    """Widths of columns under one limit for all that may be shortened; None when too little would be left of them."""
    for limit in range(min(max(natural), available), _NARROWEST - 1, -1):
        widths = [width if fixed else min(width, limit) for width, fixed in zip(natural, whole, strict=True)]
        if sum(widths) <= available:
            return widths
    return None


def _print_columns(console: Console, columns: Sequence[_Column], widths: Sequence[int]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GUTTER, 0, 0), header_style="")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            Text(column.header, style="underline"),
            width=width,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if column.numeric else "left",
            style="bold" if column.header == "id" else "",
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)


def _print_stacked(console: Console, columns: Sequence[_Column]) -> None:
    """Give each job its id on a line, and each of its other values a line or more below."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    identity, *others = columns
    for index, job_id in enumerate(identity.cells):
        console.print(Text(job_id, style="bold", overflow="fold"))
        grid = Table.grid(padding=(0, _GUTTER, 0, 0))
        grid.add_column(max_width=console.width // 2, overflow="ellipsis", no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for column in others:
            if column.cells[index]:
                grid.add_row(Text(column.header), Text(column.cells[index]))
        if grid.row_count:
            console.print(Padding(grid, (0, 0, 0, _GUTTER)))
