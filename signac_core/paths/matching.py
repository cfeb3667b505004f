"""Splitting a path at the strings between its fields, in a time that no path and no template can blow up.

The result is that of a regular expression with a group for each field, the first ones as long as possible (those of
:func:`anything` as short as possible). A regular expression tries all ways to split a path, one after the other, before
it gives up, and there are very many for a template such as ``{a}_{b}_{c}_{d}`` and a path with very many ``_``. Here it
is found out from right to left where each field can begin and end; the work is the length of the path times the number
of fields.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

__all__ = ["anything", "digits", "number", "plain_number", "split", "word"]

Ends = dict[int, int]
"""For each place where a field can begin: where it ends then, the best of all ends."""

Field = Callable[[str, Container[int]], Ends]
"""Finds the places of a field in a path, given where it may end."""

_DIGITS = frozenset("0123456789")
_SIGNS = frozenset("+-")
_EXPONENTS = frozenset("eEdD")  # D is that of Fortran
_NAMES = ("infinity", "inf", "nan")
_NONE = -1


def split(path: str, texts: Sequence[str], fields: Sequence[Field]) -> list[str] | None:
    """Parts of a path that the fields of a template stand for; None when the path does not match.

    ``texts`` are what stands before, between and behind the fields.
    """
    if not path.startswith(texts[0]) or not path.endswith(texts[-1]):
        return None
    last = len(path) - len(texts[-1])
    places: list[Ends] = []
    allowed = {last}
    for text, field in zip(reversed(texts[:-1]), reversed(fields), strict=True):
        ends = field(path, allowed)
        places.append(ends)
        length = len(text)
        allowed = {start - length for start in ends if start >= length and path.startswith(text, start - length)}
    if 0 not in allowed:
        return None
    parts = []
    start = 0
    for text, ends in zip(texts, reversed(places), strict=False):
        start += len(text)
        parts.append(path[start : ends[start]])
        start = ends[start]
    return parts


def word(path: str, allowed: Container[int]) -> Ends:
    r"""Letters, digits and ``_``, at least one: ``\w+``. ``allowed`` tells where the field may end."""
    return _run(path, allowed, lambda character: character.isalnum() or character == "_")


def digits(path: str, allowed: Container[int]) -> Ends:
    """Digits, perhaps behind a sign: ``[+-]?[0-9]+``."""
    return _signed(path, _run(path, allowed, _DIGITS.__contains__))


def anything(path: str, allowed: Container[int]) -> Ends:
    """Whatever a name can hold, at least one character, as few as possible: ``[^/]+?``."""
    ends: Ends = {}
    end = _NONE
    for start in range(len(path) - 1, -1, -1):
        if path[start] == "/":
            end = _NONE
        elif start + 1 in allowed:
            end = start + 1
        if end != _NONE:
            ends[start] = end
    return ends


def number(path: str, allowed: Container[int]) -> Ends:
    """A number as programs write it: with an exponent, without digits behind or before the point, inf, nan."""
    exponents = _signed(path, _run(path, allowed, _DIGITS.__contains__))
    # Where a number ends best, of which so much has come: digits, or digits with the point among or behind them.
    before_point, behind_point = [_NONE] * (len(path) + 2), [_NONE] * (len(path) + 2)
    ends: Ends = {}
    for start in range(len(path), -1, -1):
        here = path[start : start + 1]
        end = start if start in allowed else _NONE
        if here in _EXPONENTS:
            end = exponents.get(start + 1, end)
        is_digit = here in _DIGITS
        behind_point[start] = max(end, behind_point[start + 1] if is_digit else _NONE)
        following = before_point if is_digit else behind_point
        before_point[start] = max(end, following[start + 1] if is_digit or here == "." else _NONE)
        whole = before_point[start + 1] if is_digit else _NONE
        if here == "." and path[start + 1 : start + 2] in _DIGITS:
            whole = behind_point[start + 2]
        for name in _NAMES:
            if start + len(name) in allowed and path[start : start + len(name)].lower() == name:
                whole = max(whole, start + len(name))
        if whole != _NONE:
            ends[start] = whole
    return _signed(path, ends)


def plain_number(path: str, allowed: Container[int]) -> Ends:
    r"""A decimal number as signac 2.x reads it: ``[+-]?(?:[0-9]*\.)?[0-9]+``."""
    whole = _run(path, allowed, _DIGITS.__contains__)
    pointed: Ends = {}
    for start in range(len(path) - 1, -1, -1):
        if path[start] == ".":
            end = whole.get(start + 1)
        elif path[start] in _DIGITS:
            end = pointed.get(start + 1)
        else:
            continue
        if end is not None:
            pointed[start] = end
    return _signed(path, whole | pointed)


def _run(path: str, allowed: Container[int], belongs: Callable[[str], bool]) -> Ends:
    """Places of a field of at least one character that belongs to it."""
    ends: Ends = {}
    end: int | None = None
    for start in range(len(path) - 1, -1, -1):
        if not belongs(path[start]):
            end = None
            continue
        if end is None and start + 1 in allowed:
            end = start + 1
        if end is not None:
            ends[start] = end
    return ends


def _signed(path: str, ends: Ends) -> Ends:
    """Places of a field that may have a sign in front."""
    signs = {start - 1: end for start, end in ends.items() if start and path[start - 1] in _SIGNS}
    return ends | signs
