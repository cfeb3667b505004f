"""Tables: no borders, no blanks at the end of a line, numbers and paths never cut or broken.

On a pipe every cell is whole, and every number exact. On a terminal numbers have six significant digits. Where the
table does not fit, the ids in front are shortened to what is unique in the project, then the other columns give way;
where that would leave too little of them, each row gets lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from signac_core.trees import MISSING, leaves

from .keys import lookup
from .templates import as_text

if TYPE_CHECKING:
    from .keys import Record

__all__ = ["Column", "as_cell", "compare", "draw", "draw_columns", "longest_number", "rounded", "visible"]

_GUTTER = 2
_NARROWEST = 8
_NARROWEST_FOLDED = 12
_DIGITS = 6
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NEAR_UNDERSCORES = re.compile("([^_]?_+[^_]?)")

_Paint = Callable[[str], str]
"""Gives a text a style; blanks that fill a column are added behind."""


class Column(NamedTuple):
    """A column of a table; the first one names the rows."""

    header: str
    cells: Sequence[str]  # without control characters
    whole: bool = False  # never narrowed
    folds: bool = False  # continued on the next line where another column would be cut off; its heading stays whole
    numeric: bool = False  # aligned to the right
    least: int = 0  # never narrower

    def width(self) -> int:
        """Width of the longest text."""
        return max(map(_width, (self.header, *self.cells)))


def draw(
    records: Sequence[Record],
    keys: Mapping[str, Sequence[str]],
    *,
    terminal: bool,
    color: bool,
    digits: Callable[[], int] | None = None,
) -> str:
    """Draw a table of records; of the keys named under ``sp`` and ``doc``, or of all that occur where none is named."""
    columns = list(_columns(records, keys, terminal=terminal))
    return draw_columns(columns, terminal=terminal, color=color, digits=digits)


def draw_columns(
    columns: Sequence[Column], *, terminal: bool, color: bool, digits: Callable[[], int] | None = None
) -> str:
    """Draw a table of any columns; ``digits`` says how many digits are enough of ids in the first one."""
    if not columns or not columns[0].cells:
        return ""
    styles = _STYLES if color else _NO_STYLES
    natural = [column.width() for column in columns]
    if not terminal:
        return _text(_rows(columns, natural, styles._replace(name=str)))
    width = _screen_width()
    whole, widths = columns, _fit(columns, natural, width)
    if digits is not None and widths != natural:
        ids, *others = columns
        columns = [ids._replace(cells=[text[: digits()] for text in ids.cells]), *others]
        widths = _fit(columns, [columns[0].width(), *natural[1:]], width)
    return _text(_stacked(whole, width, styles) if widths is None else _rows(columns, widths, styles))


def compare(records: Sequence[Record], *, digits: int, terminal: bool, color: bool) -> str:
    """Draw the state points of few jobs next to each other: a row for each key, a column for each job.

    On a terminal too narrow for all columns under whole ids, these come first, and the columns have beginnings of ids
    for headings, in as many tables as it takes.
    """
    points = [dict(leaves(record["sp"])) for record in records]
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
    styles, width = _STYLES if color else _NO_STYLES, _screen_width()
    if widths := _fitted([names, *jobs], width):
        return _text(_rows([names, *jobs], widths, styles))
    if bands := _bands(names, [job._replace(header=job.header[:digits]) for job in jobs], width):
        tables = [_id_lines(ids, digits, width, styles)]
        tables += [_rows(columns, _fitted(columns, width) or (), styles) for columns in bands]
        return "\n".join(map(_text, tables))
    stacked = [Column(name, cells) for name, cells in zip(names.cells, rows, strict=True)]
    return _text(_stacked([Column("id", ids), *stacked], width, styles))


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
        if all(_fitted(columns, width) for columns in bands):
            return bands
    return []


def as_cell(value: Any, *, separator: str | None = None, text: Callable[[Any], str] | None = None) -> str:
    """Text of a value that cannot be taken for another one: JSON, strings without quotes where these say nothing.

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
    """A string as it is, any other value as JSON with six significant digits.

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
    """Tell whether a string looks like JSON, or like nothing at all."""
    from signac_core.canonical import loads

    try:
        loads(text)
    except ValueError:
        return not text
    return True


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
            rows = [dict(leaves(data)) for data in parts]
        for key in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(key, MISSING) for row in rows]
            known = [value for value in values if value is not MISSING]
            cells = ["" if value is MISSING else visible(text(value)) for value in values]
            numbers = [cell for cell, value in zip(cells, values, strict=True) if _is_number(value)]
            numeric = len(numbers) == len(known) > 0
            yield Column(visible(prefix + key), cells, numeric=numeric, least=max(map(len, numbers), default=0))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def visible(text: str) -> str:
    """Text without control characters, which could change what the terminal shows."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


# --- how they are drawn ----------------------------------------------------------------------------------------------


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip(' ')}\n" for line in lines)


def _styled(style: str) -> _Paint:
    def paint(text: str) -> str:
        return f"\033[{style}m{text}\033[0m" if text else ""

    return paint


def _heading(text: str) -> str:
    """Text with escapes that make it a heading: underlined, but for underscores, which a line would hide."""
    underlined = _styled("4")
    parts = enumerate(_NEAR_UNDERSCORES.split(text))
    return "".join(part if number % 2 else underlined(part) for number, part in parts)


class _Styles(NamedTuple):
    """How headings, the names of rows, and labels in front of values are set apart."""

    heading: _Paint
    name: _Paint
    label: _Paint


_STYLES = _Styles(_heading, _styled("1"), _styled("2"))
_NO_STYLES = _Styles(str, str, str)


def _screen_width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _width(text: str) -> int:
    """Columns that a text takes on a screen."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(char) in ("Mn", "Me") else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _fit(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int] | None:
    """Widths of columns under one limit for all that may be narrowed; None when too little would be left of them."""
    available = width - _GUTTER * (len(columns) - 1)
    least = []
    for column, own in zip(columns, natural, strict=True):
        folded = max(_width(column.header), min(own, _NARROWEST_FOLDED))
        least.append(own if column.whole else max(column.least, folded if column.folds else 0))
    for limit in range(max(min(max(natural), available), _NARROWEST), _NARROWEST - 1, -1):
        widths = [max(lowest, min(own, limit)) for own, lowest in zip(natural, least, strict=True)]
        if sum(widths) <= available:
            return widths
    return None


def _fitted(columns: Sequence[Column], width: int) -> list[int] | None:
    return _fit(columns, [column.width() for column in columns], width)


def _rows(columns: Sequence[Column], widths: Sequence[int], styles: _Styles) -> Iterator[str]:
    """Lines of a table: a heading, and one line or more for each row."""
    gutter = " " * _GUTTER
    paints = [styles.name] + [str] * (len(columns) - 1)
    is_right = [column.numeric for column in columns]
    headers = [column.header for column in columns]
    yield gutter.join(map(_filled, headers, widths, [styles.heading] * len(columns), is_right))
    folding = any(column.folds for column in columns)
    for row in zip(*(column.cells for column in columns), strict=True):
        lines: Iterable[Sequence[str]] = [row]
        if folding:
            parts = [
                _folded(cell, width) if column.folds else [cell]
                for cell, width, column in zip(row, widths, columns, strict=True)
            ]
            lines = zip_longest(*parts, fillvalue="")
        for cells in lines:
            yield gutter.join(map(_filled, cells, widths, paints, is_right))


def _stacked(columns: Sequence[Column], width: int, styles: _Styles) -> Iterator[str]:
    """Lines of a table in which the first cell of each row has a line of its own, and each of the others one below.

    Where a screen is so narrow that this would break a number, values stand below their labels.
    """
    first, *others = columns
    gutter = " " * _GUTTER
    room = width - 2 * _GUTTER - max((longest_number(column.cells) for column in others), default=0)
    most = max(_NARROWEST, min(width // 2, room))
    for index, name in enumerate(first.cells):
        yield from map(styles.name, _folded(name, width))
        shown = [(column.header, column.cells[index]) for column in others if column.cells[index]]
        if room < _NARROWEST:
            for header, cell in shown:
                yield from (gutter + styles.label(part) for part in _folded(header, width - _GUTTER))
                yield from (2 * gutter + part for part in _folded(cell, width - 2 * _GUTTER))
            continue
        labels = min(most, max((_width(header) for header, _ in shown), default=0))
        values = width - labels - 2 * _GUTTER
        for header, cell in shown:
            for label, part in zip_longest(_folded(header, labels), _folded(cell, values), fillvalue=""):
                yield f"{gutter}{_filled(label, labels, styles.label, is_right=False)}{gutter}{part}"


def _id_lines(ids: Sequence[str], digits: int, width: int, styles: _Styles) -> Iterator[str]:
    """Ids with the beginning in bold that stands for them below."""
    for job_id in ids:
        beginning, *others = _folded(job_id, width)
        yield styles.name(beginning[:digits]) + beginning[digits:]
        yield from others


def _filled(text: str, width: int, paint: _Paint, is_right: bool) -> str:
    """Text with blanks that make it as wide as its column; the beginning and an ellipsis if it is too long."""
    text = text.rstrip(" ")
    blanks = width - _width(text)
    if blanks < 0:
        text = f"{_pieces(text, width - 1)[0]}…"
        blanks = width - _width(text)
    return " " * blanks + paint(text) if is_right else paint(text) + " " * blanks


def _folded(text: str, width: int) -> list[str]:
    """Lines of a text: broken at blanks where that is possible."""
    if _width(text) <= width:
        return [text]
    lines: list[str] = []
    line: str | None = None
    for word in text.split(" "):
        longer = word if line is None else f"{line} {word}"
        if _width(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width)
        lines += full
    return [*lines, line or ""]


def _pieces(word: str, width: int) -> list[str]:
    """Pieces of a word that fill a line each, but for the last one."""
    pieces, start, used = [], 0, 0
    for place, char in enumerate(word):
        own = _width(char)
        if used + own > width and place > start:
            pieces.append(word[start:place])
            start, used = place, 0
        used += own
    return [*pieces, word[start:]]
