"""Tables: no borders, no blanks at the end of a line, numbers and paths never cut or broken.

On a pipe every cell is whole, and every number exact; there, a long table is made of blocks, which continue each other,
so that its first line does not wait for the last record. On a terminal numbers have six significant digits. Where the
table does not fit, the ids in front are shortened to what is unique in the project, then the other columns give way;
where that would leave too little of them, each row gets lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from signac_core.trees import MISSING, flattened, leaves

from .keys import lookup
from .templates import as_text

if TYPE_CHECKING:
    from .keys import Record

__all__ = ["Column", "PlainTable", "as_cell", "compare", "draw", "draw_columns", "longest_number", "rounded", "visible"]

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
    ascii: bool = False  # all cells are known to be as wide as they are long

    def width(self) -> int:
        """Width of the longest text."""
        return max(_width(self.header), max(map(len if self.ascii else _width, self.cells), default=0))


def draw(
    records: Sequence[Record],
    keys: Mapping[str, Sequence[str]],
    *,
    color: bool,
    digits: Callable[[], int] | None = None,
) -> str:
    """Draw a table of records on a terminal.

    It has the keys named under ``sp`` and ``doc``, or all that occur where none is named.
    """
    columns = [column for _, column in _columns(records, keys, terminal=True)]
    return draw_columns(columns, terminal=True, color=color, digits=digits)


class PlainTable:
    """A table for a pipe, drawn in blocks of records as they come.

    Each column is as wide as the blocks so far need. A heading is written where there are columns that the one before
    does not have.
    """

    def __init__(self, keys: Mapping[str, Sequence[str]], *, color: bool) -> None:
        self._keys = keys
        self._styles = _STYLES if color else _NO_STYLES
        self._known: dict[tuple[str, str], Column] = {}  # the columns so far, without cells
        self._widths: dict[tuple[str, str], int] = {}

    def draw(self, records: Sequence[Record]) -> str:
        """Draw the next block."""
        return self.draw_columns(dict(_columns(records, self._keys, terminal=False)), len(records))

    def draw_columns(self, found: Mapping[tuple[str, str], Column], number: int) -> str:
        """Draw the next block of so many rows; columns are named by the part of the record and the dotted key."""
        has_heading = not found.keys() <= self._known.keys()
        self._known |= {name: column._replace(cells=()) for name, column in found.items() if name not in self._known}
        columns, widths = [], []
        for name, known in sorted(self._known.items(), key=lambda item: _PARTS.index(item[0][0])):
            column = found.get(name) or known._replace(cells=[""] * number, numeric=False, ascii=True)
            width = self._widths[name] = max(column.width(), self._widths.get(name, 0))
            columns.append(column)
            widths.append(width)
        lines = _plain_lines(columns, widths)
        return _text([_heading_line(columns, widths, self._styles), *lines] if has_heading else lines)


_PARTS = ("id", "path", "sp", "doc")
"""What there is of a record, in the order of the columns."""


def draw_columns(
    columns: Sequence[Column], *, terminal: bool, color: bool, digits: Callable[[], int] | None = None
) -> str:
    """Draw a table of any columns; ``digits`` says how many digits are enough of ids in the first one."""
    if not columns or not columns[0].cells:
        return ""
    styles = _STYLES if color else _NO_STYLES
    natural = [column.width() for column in columns]
    if not terminal:
        return _text([_heading_line(columns, natural, styles), *_plain_lines(columns, natural)])
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


def _columns(
    records: Sequence[Record], keys: Mapping[str, Sequence[str]], *, terminal: bool
) -> Iterator[tuple[tuple[str, str], Column]]:
    """Columns of a table by part of the record and key."""
    for part in ("id", "path"):
        if any(part in record for record in records):
            cells = [record[part] for record in records]
            is_ascii = "".join(cells).isascii()
            yield (part, ""), Column(part, list(map(visible, cells)) if terminal else cells, whole=True, ascii=is_ascii)
    for part, prefix in (("sp", ""), ("doc", "doc.")):
        if not (keys.get(part) or any(part in record for record in records)):
            continue
        parts = [record.get(part, {}) for record in records]
        columns: Mapping[str, Sequence[Any]]
        if keys.get(part):
            columns = {key: [lookup(data, key) for data in parts] for key in keys[part]}
        else:
            columns = _transposed(parts)
        for key, values in columns.items():
            yield (part, key), _column(visible(prefix + key), values, terminal=terminal)


def _transposed(trees: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
    """Values by dotted key, with `MISSING` where there are none; keys are in the order in which they appear."""
    rows = [flattened(tree) if dict in map(type, tree.values()) else tree for tree in trees]
    names = list(rows[0])
    nothing = [MISSING] * len(names)
    others = []
    lines: list[Iterable[Any]] = []
    for row in rows:
        if list(row) == names:
            lines.append(row.values())
        else:
            others.append(row)
            lines.append(map(row.get, names, nothing))
    columns = zip(*lines, strict=True)
    found: dict[str, Sequence[Any]] = dict(zip(names, columns, strict=True))
    for key in dict.fromkeys(chain.from_iterable(others)):
        if key not in found:
            found[key] = [row.get(key, MISSING) for row in rows]
    return found


_NUMBERS = frozenset({int, float})


def _column(header: str, values: Sequence[Any], *, terminal: bool) -> Column:
    """A column of values, most of which are of one type."""
    kinds = set(map(type, values))
    cells = ["" if value is MISSING else rounded(value) for value in values] if terminal else _exact(values, kinds)
    together = "".join(cells)
    if not together.isprintable():
        cells = list(map(visible, cells))
    least = 0
    if terminal and kinds & _NUMBERS:  # nothing is narrowed in a pipe
        least = max(len(cell) for cell, value in zip(cells, values, strict=True) if type(value) in _NUMBERS)
    is_numeric = bool(kinds & _NUMBERS) and kinds <= _NUMBERS | {type(MISSING)}
    return Column(header, cells, numeric=is_numeric, least=least, ascii=together.isascii())


def _exact(values: Sequence[Any], kinds: Set[type]) -> Sequence[str]:
    """Texts of values: a string as it is, any other value as JSON, what is missing as nothing."""
    if kinds == {str}:
        return values
    if kinds == {float}:
        total = sum(values)
        if total - total == 0:  # all are finite, and look in JSON as in Python
            distinct = set(values)
            if 2 * len(distinct) > len(values) or 0.0 in distinct:  # of which -0.0 is an equal
                return list(map(repr, values))
            texts = {value: repr(value) for value in distinct}
            return list(map(texts.__getitem__, values))
    if len(kinds) == 1:
        (kind,) = kinds
        return list(map(_TEXTS.get(kind, as_text), values))
    return [_TEXTS.get(type(value), as_text)(value) for value in values]


def _text_of_list(value: list[Any]) -> str:
    text = repr(value)
    is_of_numbers = not any(map(text.__contains__, "'\"nTF"))  # nor of strings, null, NaN, infinity, true, false
    return text if is_of_numbers else as_text(value)


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: str,
    int: repr,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    type(MISSING): {MISSING: ""}.__getitem__,
    float: lambda value: repr(value) if value - value == 0 else as_text(value),
    list: _text_of_list,
}
"""What gives the text of a value, as `as_text` does, in less time."""


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
    yield _heading_line(columns, widths, styles)
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


def _heading_line(columns: Sequence[Column], widths: Sequence[int], styles: _Styles) -> str:
    headers = [column.header for column in columns]
    is_right = [column.numeric for column in columns]
    return (" " * _GUTTER).join(map(_filled, headers, widths, [styles.heading] * len(columns), is_right))


def _plain_lines(columns: Sequence[Column], widths: Sequence[int]) -> Iterator[str]:
    """Lines of a table below its heading, where every cell fits into its column."""
    fields, cells = [], []
    for column, width in zip(columns, widths, strict=True):
        if column.ascii:
            fields.append(f"%{'' if column.numeric else '-'}{width}s")
            cells.append(column.cells)
        else:
            fields.append("%s")
            cells.append([_filled(cell, width, str, column.numeric) for cell in column.cells])
    return map((" " * _GUTTER).join(fields).__mod__, zip(*cells, strict=True))


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
