"""State points read from paths, by a template that names keys and types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import files
from ..errors import ReadableKeyError, StatepointParsingError
from . import matching

__all__ = [
    "UnknownTypeError",
    "parse_schema",
]


class UnknownTypeError(ReadableKeyError):
    """A field of an import schema has a type that is not known."""


_SCHEMA_FIELD = re.compile(r"\{([.\w]+)(?::([a-z]+))?\}")


_TYPES: Mapping[str, tuple[matching.Field, matching.Field, Callable[[str], Any]]] = {
    "int": (matching.digits, matching.digits, int),
    "float": (matching.plain_number, matching.number, lambda text: float(text.lower().replace("d", "e"))),
    "bool": (matching.word, matching.word, lambda text: text.lower() not in ("false", "0")),
    "str": (matching.word, matching.anything, str),
}
"""What a field stands for: first as signac 2.x reads it, then whatever else it can be; and the value of a string."""


def parse_schema(template: str) -> Callable[[str], dict[str, Any] | None]:
    """Make a function that reads the state point off a relative path; None when the path does not match as a whole.

    In a template such as ``"a/{a:int}/b_{n.b}"``, dotted keys nest, and types are ``int``, ``float``, ``bool`` and
    ``str`` (default; everything up to what follows, but for ``/``). All else stands for itself. What is a match for
    signac 2.x, whose fields are narrower, is read as there.

    Raises UnknownTypeError if a type is not known; StatepointParsingError if there are no fields, or their keys
    contradict each other.
    """
    texts: list[str] = []
    keys: list[list[str]] = []
    plain: list[matching.Field] = []
    wide: list[matching.Field] = []
    converters: list[Callable[[str], Any]] = []
    end = 0
    template = files.normal_name(template)
    for match in _SCHEMA_FIELD.finditer(template):
        key, kind = match[1], match[2] or "str"
        if kind not in _TYPES:
            raise UnknownTypeError(
                f"The field '{match[0]}' of the schema has an unknown type '{kind}': use one of {', '.join(_TYPES)}."
            )
        texts.append(template[end : match.start()])
        keys.append(key.split("."))
        narrow, broad, convert = _TYPES[kind]
        plain.append(narrow)
        wide.append(broad)
        converters.append(convert)
        end = match.end()
    if not keys:
        raise StatepointParsingError(
            f"The schema {template!r} has no fields: a field is a key and a type in braces, such as '{{a:int}}'."
        )
    _check_keys(keys, template)
    texts.append(template[end:])

    def read(path: str) -> dict[str, Any] | None:
        parts = matching.split(path, texts, plain) or matching.split(path, texts, wide)
        if parts is None:
            return None
        state_point: dict[str, Any] = {}
        for names, convert, text in zip(keys, converters, parts, strict=True):
            container = state_point
            for name in names[:-1]:
                container = container.setdefault(name, {})
            container[names[-1]] = convert(text)
        return state_point

    return read


def _check_keys(keys: list[list[str]], template: str) -> None:
    """Make sure that no key is there twice, and none is a value and a container of others at once."""
    values: dict[tuple[str, ...], list[str]] = {}
    containers: dict[tuple[str, ...], list[str]] = {}
    for names in keys:
        above = [tuple(names[:length]) for length in range(1, len(names))]
        whole = tuple(names)
        other = containers.get(whole) or next((values[one] for one in [*above, whole] if one in values), None)
        if other is not None:
            both = f"'{'.'.join(other)}' and '{'.'.join(names)}'"
            raise StatepointParsingError(f"The fields {both} of the schema {template!r} exclude each other.")
        values[whole] = names
        for one in above:
            containers.setdefault(one, names)
