"""The shapes of JSON documents that the page signac-json(5) gives, and whether a value has one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "tools" / "pages" / "signac-json.5.txt"

TOKEN = re.compile(r'\s*("[^"]*"|[A-Za-z_]+|[{}\[\]|,:?])')
KINDS = {
    "ID": lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value) is not None,
    "PATH": lambda value: isinstance(value, str) and value != "",
    "TEXT": lambda value: isinstance(value, str),
    "N": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "BOOL": lambda value: isinstance(value, bool),
    "OBJECT": lambda value: isinstance(value, dict),
    "ANY": lambda value: True,
    "null": lambda value: value is None,
}


@dataclass(frozen=True)
class Kind:
    """A value of a kind that has a name."""

    name: str


@dataclass(frozen=True)
class Text:
    """One text."""

    text: str


@dataclass(frozen=True)
class Array:
    """An array of any length."""

    element: Any


@dataclass(frozen=True)
class Object:
    """An object with keys, some of which may be missing."""

    keys: Mapping[str, Any]
    optional: frozenset[str]


@dataclass(frozen=True)
class AnyKeys:
    """An object with any keys."""

    value: Any


@dataclass(frozen=True)
class Either:
    """One of several shapes."""

    shapes: tuple[Any, ...]


def read_page() -> dict[str, Any]:
    """The shapes of the page by their names."""
    definitions = re.findall(
        r"^    ([a-z][A-Za-z -]*) = (.*\n(?:        .*\n)*)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    texts = dict(definitions)
    assert len(texts) == len(definitions), "a shape is there twice"

    class Shapes(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            self[name] = _Parser(texts[name], self).parse()
            return self[name]

    shapes = Shapes()
    for name in texts:
        assert shapes[name]
    return dict(shapes)


class _Parser:
    def __init__(self, text: str, known: Mapping[str, Any]) -> None:
        self.tokens = TOKEN.findall(text)
        assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(self.tokens)), f"not a shape: {text}"
        self.tokens.reverse()
        self.known = known

    def parse(self) -> Any:
        shape = self.either()
        assert not self.tokens, f"more than a shape: {self.tokens[::-1]}"
        return shape

    def take(self, *expected: str) -> str:
        token = self.tokens.pop()
        assert not expected or token in expected, f"{token} in the place of {expected}"
        return token

    def either(self) -> Any:
        shapes = [self.one()]
        while self.tokens and self.tokens[-1] == "|":
            self.take()
            shapes.append(self.one())
        return shapes[0] if len(shapes) == 1 else Either(tuple(shapes))

    def one(self) -> Any:
        token = self.take()
        if token == "[":
            element = self.either()
            self.take("]")
            return Array(element)
        if token == "{":
            return self.object()
        if token.startswith('"'):
            return Text(token[1:-1])
        return Kind(token) if token in KINDS else self.known[token]

    def object(self) -> Any:
        keys: dict[str, Any] = {}
        optional: set[str] = set()
        separator = "," if self.tokens[-1] != "}" else self.take()
        while separator == ",":
            token = self.take()
            if token == "KEY":
                self.take(":")
                value = self.either()
                self.take("}")
                return AnyKeys(value)
            if token.startswith('"'):
                key = token[1:-1]
                optional.discard(key)
                if self.take(":", "?") == "?":
                    optional.add(key)
                    self.take(":")
                keys[key] = self.either()
            else:
                keys.update(self.known[token].keys)
                optional |= self.known[token].optional
            separator = self.take(",", "}")
        return Object(keys, frozenset(optional))


def problems(value: Any, shape: Any, where: str = "$") -> list[str]:
    """What a value has that its shape has not, or the other way round."""
    match shape:
        case Kind(name):
            return [] if KINDS[name](value) else [f"{where} is {json.dumps(value)}, not {name}"]
        case Text(text):
            return [] if value == text else [f"{where} is {json.dumps(value)}, not {text!r}"]
        case Array(element):
            if not isinstance(value, list):
                return [f"{where} is no array"]
            return [
                problem for index, item in enumerate(value) for problem in problems(item, element, f"{where}[{index}]")
            ]
        case AnyKeys(of_each):
            if not isinstance(value, dict):
                return [f"{where} is no object"]
            return [problem for key, item in value.items() for problem in problems(item, of_each, f"{where}.{key}")]
        case Object(keys, optional):
            if not isinstance(value, dict):
                return [f"{where} is no object"]
            found = [f"{where} lacks {key}" for key in keys if key not in value and key not in optional]
            found += [f"{where}.{key} is not on the page" for key in value if key not in keys]
            return found + [
                problem
                for key, of_key in keys.items()
                if key in value
                for problem in problems(value[key], of_key, f"{where}.{key}")
            ]
        case Either(shapes):
            complaints = [problems(value, one, where) for one in shapes]
            return [] if [] in complaints else min(complaints, key=len)
    raise AssertionError(shape)
