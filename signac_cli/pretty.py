"""Python data for people, as :func:`pprint.pformat` lays it out, in a fraction of its time and without its import.

Records of one project have the same keys over and over: how a mapping with certain keys is written is found out once.
What pprint would treat in a way of its own (subclasses, keys of several types, escapes in strings that have to be
broken) is left to it, and so is everything so far to the right that the marks of what is too deep have no room.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

__all__ = ["pformat"]

_WIDTH = 80
_LEAST_ROOM = len("(...,)")
_SCALARS = frozenset({str, int, float, bool, type(None)})
_ALL = -1
"""So many levels are all: none is 0."""


_Inner: TypeAlias = "tuple[list[str], dict[int, _Inner], Sequence[str], Sequence[Any]]"
"""What a mapping consists of: lines of its items, and what those consist of; their keys, and values."""


class _LeftToPprint(Exception):
    """Something in the value is such that only pprint knows how to lay it out."""


def pformat(value: Any, *, depth: int | None = None) -> str:
    """Text of plain data as that of ``pprint.pformat(value, depth=depth)``.

    Examples
    --------
    >>> print(pformat({"b": [1, {"c": {}}], "a": "x" * 60, "d": {"e": {"f": 2}}}, depth=2))
    {'a': 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
     'b': [1, {...}],
     'd': {'e': {...}}}

    """
    try:
        return _text(value, depth or _ALL, 0, 0)
    except (_LeftToPprint, RecursionError):
        import pprint

        return pprint.pformat(value, depth=depth)


def _text(value: Any, levels: int, column: int, behind: int) -> str:
    """Text of a value that begins in a column, with so many characters behind it: on one line if that fits there."""
    kind = type(value)
    if kind is dict and value and levels:
        plan = _plan_of_names(tuple(value)) or _Plan(value)
        values = plan.sorted(value)
        return _fitted(*_lines(plan, values, levels), plan.heads, values, _BRACES, levels, column, behind)
    if kind in _BRACKETS and value and levels:
        heads = ("",) * len(value)
        begin, end = _BRACKETS[kind]
        brackets = (begin, ",)" if kind is tuple and len(value) == 1 else end)
        return _fitted(*_items(heads, value, levels), heads, value, brackets, levels, column, behind)
    text = _one_line(value, levels)
    if kind is not str or len(text) <= _WIDTH - column - behind:
        return text
    return _words(value, text, column, behind)


_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")")}
_BRACES = ("{", "}")


def _items(heads: Sequence[str], values: Sequence[Any], levels: int) -> tuple[list[str], dict[int, _Inner]]:
    """The items of a container on one line each, and by number what the mappings among them consist of."""
    levels -= 1
    lines = []
    inner: dict[int, _Inner] = {}
    for head, value in zip(heads, values, strict=True):
        kind = type(value)
        if kind in _SCALARS:
            lines.append(f"{head}{value!r}")
        elif kind is dict and value and levels:
            plan = _plan_of_names(tuple(value)) or _Plan(value)
            items = plan.sorted(value)
            own, below = _lines(plan, items, levels)
            inner[len(lines)] = own, below, plan.heads, items
            lines.append(f"{head}{{{', '.join(own)}}}")
        else:
            lines.append(head + _one_line(value, levels))
    return lines, inner


def _lines(plan: _Plan, values: tuple[Any, ...], levels: int) -> tuple[list[str], dict[int, _Inner]]:
    """The items of a mapping on one line each."""
    if _SCALARS.issuperset(map(type, values)):
        return (plan.lines % values).split("\n"), {}
    return _items(plan.heads, values, levels)


def _fitted(
    lines: list[str],
    inner: dict[int, _Inner],
    heads: Sequence[str],
    values: Sequence[Any],
    brackets: tuple[str, str],
    levels: int,
    column: int,
    behind: int,
) -> str:
    """Text of a container whose items are these lines: all of them on one, or each on as many as it needs."""
    begin, end = brackets
    column += len(begin)
    behind += len(end)
    lengths = list(map(len, lines))
    last = len(lines) - 1
    if sum(lengths) + last * len(", ") <= _WIDTH - column - behind:
        return f"{begin}{', '.join(lines)}{end}"
    if max(lengths) > _WIDTH - column - behind:
        for number, line in enumerate(lines):
            after = behind if number == last else len(",")
            if len(line) > _WIDTH - column - after:
                head = heads[number]
                start = column + len(head)
                if start + after + _LEAST_ROOM > _WIDTH:
                    raise _LeftToPprint
                known = inner.get(number)
                if known is not None:
                    lines[number] = head + _fitted(*known, _BRACES, levels - 1, start, after)
                else:
                    lines[number] = head + _text(values[number], levels - 1, start, after)
    return f"{begin}{_BREAKS[column].join(lines)}{end}"


_BREAKS = [",\n" + " " * column for column in range(_WIDTH + 1)]


def _one_line(value: Any, levels: int) -> str:
    """Text of a value on one line, with marks in the place of containers that lie deeper than so many levels."""
    kind = type(value)
    if kind is dict:
        if not (levels and value):
            return "{...}" if value else "{}"
        plan = _plan_of_names(tuple(value)) or _Plan(value)
        values = plan.sorted(value)
        if _SCALARS.issuperset(map(type, values)):
            return plan.line % values
        levels -= 1
        return plan.line_of_texts % tuple(
            [repr(item) if type(item) in _SCALARS else _one_line(item, levels) for item in values]
        )
    if kind is list:
        if not (levels and value):
            return "[...]" if value else "[]"
        if _SCALARS.issuperset(map(type, value)):
            return repr(value)
        if (
            levels != 1
            and set(map(type, value)) == {list}
            and _SCALARS.issuperset(map(type, chain.from_iterable(value)))
        ):
            return repr(value)
        return f"[{', '.join([_one_line(item, levels - 1) for item in value])}]"
    if kind is tuple:
        inner = ", ".join([_one_line(item, levels - 1) for item in value]) if levels or not value else "..."
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if kind not in _SCALARS:
        raise _LeftToPprint
    return repr(value)


class _Plan:
    """How mappings with certain keys are written."""

    def __init__(self, keys: Iterable[Any]) -> None:
        if set(map(type, keys)) not in _COMPARABLE:
            raise _LeftToPprint
        names = sorted(keys)
        self.heads = [f"{name!r}: " for name in names]
        names_only = [head.replace("%", "%%") for head in self.heads]
        self.line = f"{{{', '.join([f'{name}%r' for name in names_only])}}}"
        self.line_of_texts = f"{{{', '.join([f'{name}%s' for name in names_only])}}}"
        self.lines = "\n".join([f"{name}%r" for name in names_only])
        self.sorted = itemgetter(*names) if len(names) > 1 else lambda value: (value[names[0]],)


_COMPARABLE = ({str}, {int}, {float})


@lru_cache(maxsize=1024)
def _plan_of_names(keys: tuple[Any, ...]) -> _Plan | None:
    """The plan for keys that are strings; others, such as 1 and 1.0, may be equal and yet written differently."""
    return _Plan(keys) if set(map(type, keys)) == {str} else None


def _words(value: str, text: str, column: int, behind: int) -> str:
    """Text of a string that is too long for its line: as many words on each as fit, with the blanks behind them."""
    if len(text) != len(value) + len("''") or not column:  # it has escapes; or is all there is, and gets parentheses
        raise _LeftToPprint
    room = _WIDTH - column - len("''")
    last = value.rstrip(" ").rfind(" ") + 1
    pieces = _full_line(room).findall(value, 0, last)
    if pieces and len(pieces[-1]) + len(value) - last <= room - behind:
        pieces[-1] += value[last:]
    else:
        pieces.append(value[last:])
    if text[0] == '"':  # not all pieces have the quote in them that this is for
        return f"\n{' ' * column}".join(map(repr, pieces))
    between = f"'\n{' ' * column}'"
    return f"'{between.join(pieces)}'"


@lru_cache(maxsize=_WIDTH)
def _full_line(room: int) -> re.Pattern[str]:
    """As many words as there is room for, or one word; all blanks behind each."""
    return re.compile(f".{{0,{room - 1}}} (?! )|[^ ]* +(?! )")
