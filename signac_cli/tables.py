"""Tables: no borders, no blanks at the end of a line, numbers and paths never cut or broken.

On a pipe every cell is whole, and every number exact. On a terminal numbers have six significant digits. Where the
table does not fit, the ids in front are shortened to what is unique in the project, then the other columns give way;
where that would leave too little of them, each row gets lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .keys import MISSING, lookup
from .templates import as_text

if TYPE_CHECKING:
    from rich.console import Console

    from .output import Record

__all__ = ["Column", "as_cell", "compare", "draw", "draw_columns", "longest_number", "rounded", "visible"]

_GUTTER = 2
_NARROWEST = 8
_NARROWEST_FOLDED = 12
_DIGITS = 6
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NEAR_UNDERSCORES = re.compile("([^_]?_+[^_]?)")
_TRAILING_BLANKS = re.compile(r" (?: |\033\[[0-9;]*m)*$", re.MULTILINE)


class Column(NamedTuple):
    """A column of a table; the first one names the rows.

    Parameters
    ----------
    header : str
        The heading.
    cells : sequence of str
        The texts, without control characters.
    whole : bool
        Never narrowed.
    folds : bool
        Continued on the next line where another column would be cut off; its heading stays whole.
    numeric : bool
        Aligned to the right.
    least : int
        The column is never narrower.

    """

    header: str
    cells: Sequence[str]
    whole: bool = False
    folds: bool = False
    numeric: bool = False
    least: int = 0

    def width(self, measure: Callable[[str], int]) -> int:
        """Width of the longest text."""
        return max(measure(text) for text in (self.header, *self.cells))


def draw(
    records: Sequence[Record],
    keys: Mapping[str, Sequence[str]],
    *,
    terminal: bool,
    color: bool,
    digits: Callable[[], int] | None = None,
) -> str:
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
    digits : callable, optional
        Number of digits that tell the ids of the project apart.

    Returns
    -------
    str
        The lines of the table; nothing when there are no rows.

    """
    columns = list(_columns(records, keys, terminal=terminal))
    return draw_columns(columns, terminal=terminal, color=color, digits=digits)


def draw_columns(
    columns: Sequence[Column], *, terminal: bool, color: bool, digits: Callable[[], int] | None = None
) -> str:
    """Draw a table of any columns.

    Parameters
    ----------
    columns : sequence of Column
        The columns, all with the same number of cells.
    terminal : bool
        Fit the table to the width of the terminal.
    color : bool
        Use bold and underlined text.
    digits : callable, optional
        How many digits are enough of the ids in the first column, if these may be shortened.

    Returns
    -------
    str
        The lines of the table; nothing when there are no rows.

    """
    if not columns or not columns[0].cells:
        return ""
    if not terminal:
        return _without_trailing_blanks(_draw_on_pipe(columns, color=color))
    console = _console(color=color)
    whole, widths = columns, _fit(columns, console.width)
    if digits is not None and (widths is None or _is_narrowed(columns, widths)):
        ids, *others = columns
        columns = [ids._replace(cells=[text[: digits()] for text in ids.cells]), *others]
        widths = _fit(columns, console.width)
    with console.capture() as captured:
        if widths is None:
            _print_stacked(console, whole)
        else:
            _print_columns(console, columns, widths)
    return _without_trailing_blanks(captured.get())


def compare(records: Sequence[Record], *, digits: int, terminal: bool, color: bool) -> str:
    """Draw the state points of few jobs next to each other: a row for each key, a column for each job.

    On a terminal too narrow for all columns under whole ids, these come first, and the columns have beginnings of ids
    for headings, in as many tables as it takes.

    Parameters
    ----------
    records : sequence of mapping
        The jobs, with ``id`` and ``sp``.
    digits : int
        Number of digits that tell ids apart.
    terminal : bool
        Fit the table to the width of the terminal.
    color : bool
        Use bold and underlined text.

    Returns
    -------
    str
        The lines of the table; nothing when there are no keys.

    """
    points = [dict(_flatten(record["sp"])) for record in records]
    keys = sorted({key for point in points for key in point})
    if not keys:
        return ""
    names = Column("key", list(map(visible, keys)), whole=True)
    ids = [record["id"] for record in records]
    rows = [_cells([point.get(key, MISSING) for point in points], terminal=terminal) for key in keys]
    jobs = [
        Column(job_id, cells, folds=True, least=longest_number(cells))
        for job_id, cells in zip(ids, map(list, zip(*rows, strict=True)), strict=True)
    ]
    if not terminal:
        return draw_columns([names, *jobs], terminal=False, color=color)
    console = _console(color=color)
    with console.capture() as captured:
        if widths := _fit([names, *jobs], console.width):
            _print_columns(console, [names, *jobs], widths)
        elif bands := _bands(names, [job._replace(header=job.header[:digits]) for job in jobs], console.width):
            _print_ids(console, ids, digits)
            for columns in bands:
                console.print()
                _print_columns(console, columns, _fit(columns, console.width) or ())
        else:
            stacked = [Column(name, cells) for name, cells in zip(names.cells, rows, strict=True)]
            _print_stacked(console, [Column("id", ids), *stacked])
    return _without_trailing_blanks(captured.get())


def _cells(values: Sequence[Any], *, terminal: bool) -> list[str]:
    """Cells in which values that differ look different; on a terminal, rounded as far as that allows."""
    exact = ["" if value is MISSING else as_cell(value) for value in values]
    if not terminal:
        return exact
    short = ["" if value is MISSING else as_cell(value, text=rounded) for value in values]
    return short if len(set(short)) == len(set(exact)) else exact


def longest_number(cells: Iterable[str]) -> int:
    """Length of the longest number in some texts: a column that folds is to be no narrower."""
    return max((len(number) for cell in cells for number in _NUMBER.findall(cell)), default=0)


def _bands(names: Column, jobs: Sequence[Column], width: int) -> list[list[Column]]:
    """Put columns into as few tables as possible that fit, of nearly equal size; none when even one column does not."""
    for number in range(1, len(jobs) + 1):
        size = -(-len(jobs) // number)
        bands = [[names, *jobs[start : start + size]] for start in range(0, len(jobs), size)]
        if all(_fit(columns, width) for columns in bands):
            return bands
    return []


def as_cell(value: Any, *, separator: str | None = None, text: Callable[[Any], str] | None = None) -> str:
    """Text of a value that cannot be taken for another one: JSON, strings without quotes where these say nothing.

    Parameters
    ----------
    value : object
        JSON data; tuples are lists.
    separator : str, optional
        What stands between this value and the next one in the same cell.
    text : callable, optional
        Writes anything but strings; exactly by default.

    Examples
    --------
    >>> [as_cell(value) for value in ("lj", "1", "", 1, True, None, ("a", 2.5))]
    ['lj', '"1"', '""', '1', 'true', 'null', '["a", 2.5]']

    """
    import json

    is_clear = isinstance(value, str) and value.strip() == value and not _is_json(value)
    if is_clear and not (separator and separator in value):
        return visible(value)
    if text is not None and not isinstance(value, str):
        return visible(text(value))
    return visible(json.dumps(value, ensure_ascii=False))


def rounded(value: Any) -> str:
    """Text as it is, any other value as JSON with six significant digits.

    Examples
    --------
    >>> [rounded(value) for value in (1.0, 1.23456789012e-08, 0.1 + 0.2, 123456789.5, 123456789, [1 / 3, "x"])]
    ['1.0', '1.23457e-08', '0.3', '1.23457e+08', '123456789', '[0.333333, "x"]']

    """
    if isinstance(value, str):
        return value
    try:
        return _rounded_json(value)
    except RecursionError:
        return as_text(value)


def _rounded_json(value: Any) -> str:
    import json

    if isinstance(value, float) and value - value == 0:
        exact = repr(value)
        if len(exact.partition("e")[0].replace(".", "").strip("-0")) <= _DIGITS:
            return exact
        short = f"{value:.{_DIGITS}g}"
        return short if "." in short or "e" in short else f"{short}.0"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_rounded_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_rounded_json(key)}: {_rounded_json(item)}' for key, item in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _is_json(text: str) -> bool:
    """Tell whether a text looks like JSON, or like nothing at all."""
    from signac_core.canonical import loads

    try:
        loads(text)
    except ValueError:
        return not text
    return True


def _without_trailing_blanks(text: str) -> str:
    return _TRAILING_BLANKS.sub(lambda match: match[0].replace(" ", ""), text)


def _columns(records: Sequence[Record], keys: Mapping[str, Sequence[str]], *, terminal: bool) -> Iterator[Column]:
    text = rounded if terminal else as_text
    for part in ("id", "path"):
        if any(part in record for record in records):
            cells = [record[part] for record in records]
            yield Column(part, list(map(visible, cells)) if terminal else cells, whole=True)
    for part, prefix in (("sp", ""), ("doc", "doc.")):
        parts = [record.get(part, {}) for record in records]
        if keys.get(part):
            rows = [{key: lookup(data, key) for key in keys[part]} for data in parts]
        else:
            rows = [dict(_flatten(data)) for data in parts]
        for key in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(key, MISSING) for row in rows]
            known = [value for value in values if value is not MISSING]
            cells = ["" if value is MISSING else visible(text(value)) for value in values]
            numbers = [cell for cell, value in zip(cells, values, strict=True) if _is_number(value)]
            numeric = len(numbers) == len(known) > 0
            yield Column(visible(prefix + key), cells, numeric=numeric, least=max(map(len, numbers), default=0))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _flatten(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def visible(text: str) -> str:
    """Text without control characters, which could change what the terminal shows."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _draw_on_pipe(columns: Sequence[Column], *, color: bool) -> str:
    widths = [column.width(_width) for column in columns]

    def line(cells: Sequence[str], style: Callable[[str], str] = str) -> str:
        padded = []
        for cell, column, width in zip(cells, columns, widths, strict=True):
            blanks = " " * (width - _width(cell))
            styled = style(cell)
            padded.append(blanks + styled if column.numeric else styled + blanks)
        return (" " * _GUTTER).join(padded) + "\n"

    header = line([column.header for column in columns], _heading if color else str)
    return header + "".join(map(line, zip(*(column.cells for column in columns), strict=True)))


def _heading(text: str) -> str:
    """Text with escapes that make it a heading."""
    return "".join(f"\033[4m{part}\033[0m" if is_underlined else part for part, is_underlined in _parts(text))


def _parts(header: str) -> Iterator[tuple[str, bool]]:
    """Parts of a heading, and whether these are underlined: a line would hide underscores."""
    for number, part in enumerate(_NEAR_UNDERSCORES.split(header)):
        if part:
            yield part, number % 2 == 0


def _width(text: str) -> int:
    """Columns that a text takes on a screen."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _console(*, color: bool) -> Console:
    from io import StringIO
    from shutil import get_terminal_size

    from rich.console import Console

    return Console(
        file=StringIO(),
        width=get_terminal_size().columns,
        force_terminal=True,
        color_system="standard" if color else None,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _fit(columns: Sequence[Column], width: int) -> list[int] | None:
    """Widths of columns under one limit for all that may be narrowed; None when too little would be left of them."""
    from rich.cells import cell_len

    available = width - _GUTTER * (len(columns) - 1)
    natural = [column.width(cell_len) for column in columns]
    least = []
    for column, own in zip(columns, natural, strict=True):
        folded = max(cell_len(column.header), min(own, _NARROWEST_FOLDED))
        least.append(own if column.whole else max(column.least, folded if column.folds else 0))
    for limit in range(max(min(max(natural), available), _NARROWEST), _NARROWEST - 1, -1):
        widths = [max(lowest, min(own, limit)) for own, lowest in zip(natural, least, strict=True)]
        if sum(widths) <= available:
            return widths
    return None


def _is_narrowed(columns: Sequence[Column], widths: Sequence[int]) -> bool:
    from rich.cells import cell_len

    return any(width < column.width(cell_len) for column, width in zip(columns, widths, strict=True))


def _print_columns(console: Console, columns: Sequence[Column], widths: Sequence[int]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GUTTER, 0, 0), header_style="")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            Text.assemble(*((part, "underline" if line else "") for part, line in _parts(column.header))),
            width=width,
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
            justify="right" if column.numeric else "left",
            style="bold" if column is columns[0] else "",
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)


def _print_stacked(console: Console, columns: Sequence[Column]) -> None:
    """Give the first cell of each row a line of its own, and each of the others a line or more below."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    first, *others = columns
    room = console.width - 2 * _GUTTER - max((longest_number(column.cells) for column in others), default=0)
    for index, name in enumerate(first.cells):
        console.print(Text(name, style="bold", overflow="fold"))
        grid = Table.grid(padding=(0, _GUTTER, 0, 0))
        grid.add_column(max_width=max(_NARROWEST, min(console.width // 2, room)), overflow="fold", style="dim")
        grid.add_column(overflow="fold")
        for column in others:
            if column.cells[index]:
                grid.add_row(Text(column.header), Text(column.cells[index]))
        if grid.row_count:
            console.print(Padding(grid, (0, 0, 0, _GUTTER)))


def _print_ids(console: Console, ids: Sequence[str], digits: int) -> None:
    """Print ids with the beginning in bold that stands for them below."""
    from rich.text import Text

    for job_id in ids:
        console.print(Text.assemble((job_id[:digits], "bold"), job_id[digits:], overflow="fold"))
