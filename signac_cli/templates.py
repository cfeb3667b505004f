r"""The templates of ``--format``: ``{id} {path} {sp.a} {doc.energy:.3f}``.

``{id}`` and ``{path}`` are the job's; ``{sp.a.b}`` and ``{doc.a.b}`` are values of state point and document, ``{a}`` is
short for ``{sp.a}``, and ``{doc.l[0]}`` is an item of a list. The longer names of view and export paths (``{job.id}``,
``{job.sp.a}``, ``{job.doc.a}``) work as well. A string is written as it is, all other values as JSON; a missing key
is empty. ``\t`` and ``\n`` are understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from signac_core.canonical import MISSING, dumps

from .keys import lookup

if TYPE_CHECKING:
    from .keys import Record

__all__ = ["Template"]

_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\\\": "\\"}


class _Field(NamedTuple):
    """One replacement: where its value comes from, and how it is formatted."""

    part: str
    key: str
    spec: str
    text: str


class Template:
    r"""A parsed template. Raises ValueError if its braces do not match, or a field is not understood.

    Examples
    --------
    >>> Template(r"{id:.4}\t{sp.T:.2f} {doc.e}").render({"id": "9bfd29df", "sp": {"T": 1.5}, "doc": {}})
    '9bfd\t1.50 '

    """

    def __init__(self, text: str) -> None:
        from string import Formatter

        self.pieces: list[str | _Field] = []
        for literal, name, spec, conversion in Formatter().parse(text):
            self.pieces.append(re.sub(r"\\[tn\\]", lambda match: _ESCAPES[match[0]], literal))
            if name is not None:
                if conversion or "{" in (spec or ""):
                    raise ValueError(f"the field '{{{name}' holds more than a name and a format.")
                if re.search("[0-9]{5}", spec or ""):  # a width or precision that would fill the memory
                    raise ValueError(f"the format '{spec}' of the field '{{{name}}}' is far too wide.")
                self.pieces.append(_field(name, spec or ""))
        self.needs = frozenset(piece.part for piece in self.pieces if isinstance(piece, _Field))  # parts of a record
        self._literals = "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in self.pieces)
        self._values = [self._reader(piece) for piece in self.pieces if isinstance(piece, _Field)]
        self.complaints: dict[str, None] = {}  # fields whose format does not suit some value, in order
        self.rendered = 0
        self._missing: dict[_Field, int] = {}

    def unmet(self) -> list[tuple[str, str]]:
        """Part and key of the fields that no record had which was filled in."""
        return [(field.part, field.key) for field, number in self._missing.items() if number == self.rendered]

    def render(self, record: Record) -> str:
        """Fill in one record."""
        self.rendered += 1
        return self._literals % tuple([value(record) for value in self._values])

    def _reader(self, field: _Field) -> Callable[[Record], str]:
        """Make the function that gives the text of a field; most are strings or numbers that are there."""
        part, path, whole = field.part, field.key.split("."), field.key
        if not whole and not field.spec and part in ("id", "path"):
            return itemgetter(part)

        def read(record: Record) -> str:
            value = record[part]
            try:
                if field.spec or (len(path) > 1 and whole in value):
                    return self._value(field, record)
                for name in path:
                    value = value[name]
            except (LookupError, TypeError):
                return self._value(field, record)
            kind = type(value)
            if kind is str:
                return value  # type: ignore[no-any-return]
            if kind is int or (kind is float and value - value == 0):
                return repr(value)
            return self._value(field, record)

        return read

    def _value(self, field: _Field, record: Record) -> str:
        value = record[field.part]
        if field.key:
            value = lookup(value, field.key)
        if value is MISSING:
            if field.spec:  # a colon may also be part of the key
                value = lookup(record[field.part], f"{field.key}:{field.spec}")
            if value is MISSING:
                self._missing[field] = self._missing.get(field, 0) + 1
                return ""
        elif field.spec:
            try:
                return format(value, field.spec)
            except (ValueError, TypeError):
                self.complaints[
                    f"Some values do not suit the format of {field.text}; they are written as they are."
                ] = None
        return as_text(value)


def as_text(value: Any) -> str:
    """A string as it is, any other value as JSON."""
    return value if isinstance(value, str) else dumps(value)


def _field(name: str, spec: str) -> _Field:
    text = f"{{{name}:{spec}}}" if spec else f"{{{name}}}"
    part, dot, key = name.removeprefix("job.").partition(".")
    if dot and "" in key.split("."):
        raise ValueError(f"the field '{text}' has an empty key.")
    if part in ("id", "path") and not key:
        return _Field(part, "", spec, text)
    if part in ("sp", "doc"):
        return _Field(part, key, spec, text)
    if not name or name.startswith("job."):
        raise ValueError(f"the field '{text}' is not known; there are {{id}}, {{path}}, {{sp.KEY}} and {{doc.KEY}}.")
    return _Field("sp", name, spec, text)
