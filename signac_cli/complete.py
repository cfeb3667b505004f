"""``signac __complete``: what the completion scripts of the shells ask, answered before Click is imported.

The scripts know commands, options and fixed values themselves. They ask for what is in a project::

    signac __complete KIND [DIRECTORY...] -- [TOKEN...] WORD

KIND is a key of `KINDS`, the directories are those of ``-C``, the tokens those that stand before the word in the same
filter. The answer is one candidate per line, at most `LIMIT`; whatever goes wrong, there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from signac_core import layout

if TYPE_CHECKING:
    from signac_core.index.completion import WrittenIndex

__all__ = ["KINDS", "LIMIT", "candidates", "main"]

LIMIT = 200
"""The most candidates that are given."""

_SAMPLE = 100  # files
_LARGEST = 1 << 20  # bytes of a file
_MOST_IDS = 5000
_LONGEST = 60  # characters of a value
_INFIX = frozenset("=<>~")
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~")


def main(arguments: Sequence[str]) -> int:
    """Print the candidates for a word; return the exit status, which is always 0."""
    # A TAB that finds nothing is better than one that writes an error into the command line.
    try:
        kind, *rest = arguments
        end = rest.index("--")
        *tokens, word = rest[end + 1 :]
        project_path = _find_project(rest[:end])
        if project_path is not None:
            found = (text for text in KINDS[kind](project_path, tokens, word) if text.isprintable())
            output = "".join(f"{text}\n" for text in islice(found, LIMIT))
            sys.stdout.buffer.write(output.encode("utf-8", "surrogateescape"))
            sys.stdout.flush()
    except Exception:
        return 0
    return 0


def _find_project(directories: Sequence[str]) -> str | None:
    """Root of the project that a command started in these directories, one in the other, would use."""
    preset = os.environ.get("SIGNAC_PROJECT_DIR")
    entered = directories or ([preset] if preset else [])
    path = os.path.abspath(os.path.join(os.getcwd(), *map(os.path.expanduser, entered)))
    while not os.path.exists(os.path.join(path, layout.FN_CONFIG)):
        parent = os.path.dirname(path)
        if parent == path:
            return None
        path = parent
    return path


# --- what can stand at a place of the command line --------------------------------------------------------------------


def _ids(project_path: str, tokens: Sequence[str], word: str) -> Iterable[str]:
    return candidates(project_path, "ids", "", word, LIMIT)


def _state_point_keys(project_path: str, tokens: Sequence[str], word: str) -> Iterable[str]:
    return candidates(project_path, "keys", "sp", word, LIMIT)


def _document_keys(project_path: str, tokens: Sequence[str], word: str) -> Iterable[str]:
    return candidates(project_path, "keys", "doc", word, LIMIT)


def _assignments(project_path: str, tokens: Sequence[str], word: str) -> Iterator[str]:
    """``KEY=JSON`` of a document."""
    key, equals, text = word.partition("=")
    if equals:
        yield from (f"{key}={value}" for value in candidates(project_path, "values", f"doc.{key}", text, LIMIT))
    else:
        yield from (f"{found}=" for found in candidates(project_path, "keys", "doc", key, LIMIT))


def _order_keys(project_path: str, tokens: Sequence[str], word: str) -> Iterator[str]:
    """``KEY[,KEY]`` by which jobs are sorted, each perhaps with ``-`` in front."""
    before, comma, last = word.rpartition(",")
    named = [name.removeprefix("-") for name in before.split(",")]
    start = before + comma + ("-" if last.startswith("-") else "")
    for key in _keys(project_path, last.removeprefix("-"), "id"):
        if key not in named:
            yield start + key


def _filter(project_path: str, tokens: Sequence[str], word: str) -> Iterator[str]:
    """Whatever can follow the tokens of a filter."""
    key = _open_key(tokens)
    if key is not None:
        values = candidates(project_path, "values", _qualified(key), word, LIMIT)
        return (value for value in values if not value.startswith("-") or value[1:] not in ("0", "1"))
    start = next((index for index, character in enumerate(word) if character in _INFIX), None)
    if start is None:
        return _keys(project_path, word)
    end = start + (2 if word[start : start + 2] in ("<=", ">=") else 1)
    key = word[:start].removesuffix("!") if word[start] == "=" else word[:start]
    if word[start] == "~":
        return iter(())
    return (word[:end] + value for value in candidates(project_path, "values", _qualified(key), word[end:], LIMIT))


def _conditions(project_path: str, tokens: Sequence[str], word: str) -> Iterator[str]:
    """The same behind an open quote: a shell closes it when one candidate is left, and a key is not the end."""
    found = list(_filter(project_path, tokens, word))
    if len(found) == 1 and _open_key(tokens) is None and _INFIX.isdisjoint(found[0]):
        return (found[0] + operator for operator in _OPERATORS)
    return iter(found)


def _open_key(tokens: Sequence[str]) -> str | None:
    """Key whose value comes next."""
    key = None
    for token in tokens:
        key = token if key is None and _INFIX.isdisjoint(token) else None
    return key


def _keys(project_path: str, prefix: str, *others: str) -> Iterator[str]:
    """Keys of state points, bare or with ``sp.`` if that is how the prefix begins, and of documents with ``doc.``."""
    yield from (other for other in others if other.startswith(prefix))
    start = "sp." if prefix.startswith("sp.") else ""
    for key in candidates(project_path, "keys", "sp", prefix.removeprefix(start), LIMIT):
        yield start + key
    if prefix.startswith("doc.") or "doc.".startswith(prefix):
        for key in candidates(
            project_path, "keys", "doc", prefix.removeprefix("doc.") if len(prefix) > 3 else "", LIMIT
        ):
            yield f"doc.{key}"


def _qualified(key: str) -> str:
    """Key with its namespace and without an operator."""
    key = key.partition(".$")[0]
    return key if key.startswith(("sp.", "doc.")) else f"sp.{key}"


KINDS: Mapping[str, Callable[[str, Sequence[str], str], Iterable[str]]] = {
    "assignments": _assignments,
    "conditions": _conditions,
    "document-keys": _document_keys,
    "filter": _filter,
    "ids": _ids,
    "order-keys": _order_keys,
    "statepoint-keys": _state_point_keys,
}
"""What the scripts can ask for."""


# --- what is in a project ---------------------------------------------------------------------------------------------
# Everything above asks through this one function, and nothing below knows about shells.


def candidates(project_path: str, kind: str, key: str, prefix: str, limit: int) -> list[str]:
    """What a project has of something, as far as a bounded look at it tells, in its natural order.

    Kinds are ``ids``, ``keys`` of the namespace ``sp`` or ``doc``, and ``values`` of a dotted key with that in front,
    written as filters read them. Of more than ``limit`` some are left out between the first and the last, so that what
    all that are returned have in common at their beginning holds for those left out as well.

    Raises OSError if the workspace cannot be read.
    """
    workspace = os.path.join(project_path, layout.WORKSPACE)
    namespace, _, rest = key.partition(".")
    try:
        from signac_core.index.completion import open_written

        index = open_written(project_path, "sp" if kind == "ids" else namespace)
    except Exception:  # there is none that is good for anything
        index = None
    if index is not None:
        with index:
            return _thinned(_in_index(index, kind, rest, prefix, limit), limit)
    if kind == "ids":
        return _thinned(_matching_ids(workspace, prefix, limit), limit)
    filename = layout.FN_STATE_POINT if namespace == "sp" else layout.FN_DOCUMENT
    sample = _sample(workspace, filename)
    if kind == "keys":
        from signac_core.trees import leaves

        keys = {key for data in sample for key, _ in leaves(data, addressable=True) if _can_be_typed(key)}
        return _thinned(sorted(found for found in keys if found.startswith(prefix)), limit)
    from .keys import lookup

    return _thinned(_value_texts((lookup(data, rest) for data in sample), prefix), limit)


def _in_index(index: WrittenIndex, kind: str, key: str, prefix: str, limit: int) -> list[str]:
    """All candidates that the index knows, or many."""
    if kind == "ids":
        found = sorted(islice(index.ids(prefix), _MOST_IDS))
        return [] if len(found) > limit and len(prefix) < 2 else found
    if kind == "keys":
        keys = (found for found in index.dotted_keys() if _INFIX.isdisjoint(found) and found)
        return sorted(found for found in keys if found.startswith(prefix))
    return _value_texts(index.values(key), prefix)


def _value_texts(values: Iterable[Any], prefix: str) -> list[str]:
    """Values as filters read them, in their natural order."""
    from .keys import order

    # JSON tells 1, 1.0 and true apart, and lists can be keys of nothing.
    found = {text: value for value in values if (text := _value_text(value)) and text.startswith(prefix)}
    return sorted(found, key=lambda text: order(found[text]))


def _matching_ids(workspace: str, prefix: str, limit: int) -> list[str]:
    """Sorted ids of jobs; none if there are more than ``limit`` and the prefix has less than two digits."""
    found = []
    with os.scandir(workspace) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and layout.is_job_id(entry.name):
                found.append(entry.name)
                if len(found) > limit and len(prefix) < 2:
                    return []
    return sorted(found)


def _thinned(found: list[str], limit: int) -> list[str]:
    if len(found) <= limit:
        return found
    return [found[index * (len(found) - 1) // (limit - 1)] for index in range(limit)]


def _sample(workspace: str, filename: str) -> Iterator[dict[str, Any]]:
    """State points or documents of some jobs; files that are large or damaged are left out."""
    import json

    with os.scandir(workspace) as entries:
        names = list(islice((entry.name for entry in entries if layout.is_job_id(entry.name)), _SAMPLE))
    for name in names:
        try:
            # A pipe in the place of a file does not block, and has nothing.
            fd = os.open(os.path.join(workspace, name, filename), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with open(fd, "rb") as file:
                data = json.loads(file.read(_LARGEST) or b"")
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            yield data


def _can_be_typed(key: str) -> bool:
    """Tell whether a filter reads a dotted key as one."""
    return all(part and _INFIX.isdisjoint(part) for part in key.split("."))


def _value_text(value: Any) -> str | None:
    """Text that a filter reads as this value; None if there is none that anybody would want to type."""
    if isinstance(value, str):
        from signac_core.filterparse import parse_simple

        text = value
        try:
            bare = dict(parse_simple([f"key={text}"])) == {"key": value} == dict(parse_simple(["key", text]))
        except ValueError:
            bare = False
        if not bare or not text or text.startswith("-"):
            text = _json(value)
    elif value is None or isinstance(value, list) or (isinstance(value, (int, float)) and value - value == 0):
        text = _json(value)
    else:
        return None
    return text if len(text) <= _LONGEST else None


def _json(value: Any) -> str:
    from json import dumps

    return dumps(value, ensure_ascii=False)
