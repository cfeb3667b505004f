"""What was probably meant by a name that nothing in the project has: only such a name pays for it.

Names are the keys of filters, sort keys, columns, fields of templates, keys to delete. Whoever uses them knows at no
cost which of them no job has that was looked at; whether any other job of the project has them is found out here, by
what is there already (the index, or what has been read) and a bounded number of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from signac_core.index.snapshot import Snapshot
    from signac_core.query import Condition, Expression, Query
    from signac_core.workspace import Space

    from .session import Session

__all__ = ["Wanted", "columns", "conditions", "document_keys", "fields", "hint_at_unknown", "sort_keys"]

_MOST_HINTS = 5
_MOST_FILES = 256
"""So many files are read to find out what keys there are."""
_SHOWN_KEYS = 5
_LONG_KEY = 60

_NOUNS = {"sp": "state point", "doc": "document"}
_OTHERS = {"sp": "doc", "doc": "sp"}
_INFIX = {"$eq": "=", "$ne": "!=", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">=", "$regex": "~"}

_Spell = Callable[[str, str], str]
"""How a key of ``sp`` or ``doc`` is written."""


class Wanted(NamedTuple):
    """A key that was asked for."""

    namespace: str  # where it was looked for: ``sp`` or ``doc``
    key: str
    spell: _Spell
    is_negative: bool = False  # jobs without the key were asked for: nothing is wrong unless one is much like it


class _Keys(NamedTuple):
    """Dotted keys of state points or documents: all, or as far as they are known."""

    names: set[str]
    is_complete: bool
    has_jobs: bool

    def has(self, key: str) -> bool:
        return _is_among(key, self.names)


def hint_at_unknown(session: Session, space: Space, wanted: Iterable[Wanted], *, everywhere: bool = False) -> None:
    """Tell about keys that no job of the project has, each once in a run, and about a handful of them at most.

    None of the jobs that were looked at has one of them; ``everywhere`` says that these were all jobs.
    """
    from signac_core.errors import WorkspaceError

    if session.output.quiet:
        return
    known_keys = _KnownKeys(space)
    with suppress(OSError, WorkspaceError):  # whoever looks for jobs next is told about it
        for name in wanted:
            if len(session.hinted) >= _MOST_HINTS:
                return
            if (name.namespace, name.key) in session.hinted or known_keys.is_known(name):
                continue
            text = _hint(name, known_keys, everywhere=everywhere)
            if text is not None:
                session.hinted.add((name.namespace, name.key))
                session.output.info(text)


# --- what asks for keys ----------------------------------------------------------------------------------------------


def conditions(query: Query, *, found: bool) -> Iterator[Wanted]:
    """Keys of a filter, which has been used, that may be in no job.

    Where jobs have been found, the conditions that each of them satisfies are no concern.
    """
    for condition, is_negative in _leaves(query.expression, is_certain=found):
        if condition.path and (condition.namespace == "sp" or condition.path in query.unmet):
            yield Wanted(
                condition.namespace, ".".join(condition.path), _condition_speller(condition), is_negative=is_negative
            )


def _leaves(expression: Expression, *, is_certain: bool, is_negative: bool = False) -> Iterator[tuple[Condition, bool]]:
    """Conditions, each with whether it asks for jobs without the key; those left out that a job that was found has."""
    from signac_core.query import And, Condition, Not

    if isinstance(expression, Condition):
        if expression.operator == "$exists" and not expression.argument:
            yield expression, not is_negative
        elif not is_certain:
            yield expression, is_negative
    elif isinstance(expression, Not):
        yield from _leaves(expression.part, is_certain=False, is_negative=not is_negative)
    else:
        for part in expression.parts:
            is_and = isinstance(expression, And)
            yield from _leaves(part, is_certain=is_certain and is_and, is_negative=is_negative)


def _condition_speller(condition: Condition) -> _Spell:
    def spell(namespace: str, key: str) -> str:
        if namespace == condition.namespace:
            return _qualified(namespace, key)
        return _condition(f"{namespace}.{key}", condition)

    return spell


def _condition(key: str, condition: Condition) -> str:
    """Text of a condition on another key; only the key, if the condition cannot be written in one word."""
    from signac_core.canonical import dumps
    from signac_core.filterparse import parse_tokens

    operator, argument = condition.operator, condition.argument
    if operator == "$exists" and not argument:
        return f"{key}!=!"
    if operator not in _INFIX:
        return key
    with suppress(ValueError, TypeError):
        text = argument if isinstance(argument, str) else dumps(argument)
        for value in (text, dumps(argument)):
            written = f"{key}{_INFIX[operator]}{value}"
            if len(written) <= _LONG_KEY and parse_tokens([written]) in (
                {key: argument if operator == "$eq" else {operator: argument}},
                {key: {operator: argument}},
            ):
                return written
    return key


def sort_keys(keys: Iterable[tuple[str, str]]) -> Iterator[Wanted]:
    """Sort keys, each a namespace and a dotted key."""
    for namespace, key in keys:
        yield Wanted(namespace, key, _qualified)


def columns(namespace: str, keys: Iterable[str]) -> Iterator[Wanted]:
    """Columns of ``--sp`` or ``--doc``."""
    for key in keys:
        yield Wanted(namespace, key, lambda other, name: name if other == namespace else f"--{other} {name}")


def fields(keys: Iterable[tuple[str, str]]) -> Iterator[Wanted]:
    """Fields of a template, each a namespace and a dotted key."""
    for namespace, key in keys:
        yield Wanted(namespace, key, lambda other, name: f"{{{other}.{name}}}")


def document_keys(keys: Iterable[str]) -> Iterator[Wanted]:
    """Keys of documents only."""
    for key in keys:
        yield Wanted("doc", key, lambda other, name: name if other == "doc" else "")


def _qualified(namespace: str, key: str) -> str:
    """Key as conditions have it."""
    return f"doc.{key}" if namespace == "doc" else key


# --- what there is ---------------------------------------------------------------------------------------------------


class _KnownKeys:
    """What is known of the keys of a project; each thing is looked up when it is needed."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._indexed: dict[str, set[str]] = {}
        self._keys: dict[str, _Keys] = {}

    def is_known(self, wanted: Wanted) -> bool:
        """Tell whether a state point in memory, or the index, has a key."""
        from signac_core.trees import MISSING, look_up

        path = wanted.key.split(".")
        in_memory = self._space.known.values() if wanted.namespace == "sp" else ()
        if any(
            look_up(state_point, path, MISSING) is not MISSING or wanted.key in state_point for state_point in in_memory
        ):
            return True
        return _is_among(wanted.key, self.indexed(wanted.namespace))

    def indexed(self, namespace: str) -> set[str]:
        """Keys in the index as it was written."""
        if namespace not in self._indexed:
            known = _indexed_keys(self._space) if namespace == "sp" else _indexed_document_keys(self._space)
            self._indexed[namespace] = known
        return self._indexed[namespace]

    def keys(self, namespace: str) -> _Keys:
        """Keys that there are."""
        if namespace not in self._keys:
            self._keys[namespace] = (
                _state_point_keys(self._space)
                if namespace == "sp"
                else _document_keys(self._space, self.indexed(namespace))
            )
        return self._keys[namespace]


def _indexed_keys(space: Space) -> set[str]:
    from signac_core.catalog import ask_index

    return ask_index(space, _keys_of) or set()


def _keys_of(snapshot: Snapshot) -> set[str]:
    return {key for table, _ in snapshot.layers for key in table.directory.keys}


def _indexed_document_keys(space: Space) -> set[str]:
    from signac_core.errors import UnusableIndexError
    from signac_core.index.completion import open_written

    with suppress(OSError, UnusableIndexError), open_written(space.root, "doc") as index:
        return set(index.dotted_keys())
    return set()


def _is_among(key: str, names: set[str]) -> bool:
    return key in names or any(name.startswith(key + ".") for name in names)


def _state_point_keys(space: Space) -> _Keys:
    from signac_core.catalog import ask_index, read_state_points
    from signac_core.layout import job_ids
    from signac_core.workspace import list_workspace

    def look(snapshot: Snapshot) -> tuple[set[str], list[str], bool]:
        return _keys_of(snapshot), list(snapshot.pending), bool(snapshot.number())

    names, ids, has_jobs = ask_index(space, look) or (set(), list_workspace(space).names, False)
    ids = job_ids(ids)
    unread = [job_id for job_id in ids if job_id not in space.known]
    damaged: list[str] = []
    for _ in read_state_points(space, unread[:_MOST_FILES], damaged=damaged, indexed=False):
        pass
    names.update(_dotted_keys(space.known[job_id] for job_id in ids if job_id in space.known))
    return _Keys(names - {""}, len(unread) <= _MOST_FILES and not damaged, has_jobs or bool(ids))


def _document_keys(space: Space, indexed: set[str]) -> _Keys:
    from signac_core.catalog import list_ids
    from signac_core.documents.many import read_documents

    names = set(indexed)
    ids = list_ids(space)
    damaged: list[str] = []
    for _, document in read_documents(space, ids[:_MOST_FILES], damaged=damaged):
        names.update(_dotted_keys([document]))
    return _Keys(names - {""}, len(ids) <= _MOST_FILES and not damaged, bool(ids))


def _dotted_keys(mappings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    waiting = [("", mapping) for mapping in mappings]
    while waiting:
        above, mapping = waiting.pop()
        for key, value in mapping.items():
            yield above + key
            if value and isinstance(value, dict):
                waiting.append((f"{above}{key}.", value))


# --- what was meant --------------------------------------------------------------------------------------------------


def _hint(wanted: Wanted, known_keys: _KnownKeys, *, everywhere: bool) -> str | None:
    """Text about a key; None if some job has it, or if nothing can be said."""
    namespace, key = wanted.namespace, wanted.key
    noun, known = _NOUNS[namespace], known_keys.keys(namespace)
    is_certain = everywhere or known.is_complete
    if known.has(key) or not known.has_jobs or not (known.names or is_certain):
        return None
    above, bracket, _ = key.partition("[")
    if bracket and known.has(above):
        return f"No {noun} that was looked at has '{_shortened(key)}'."
    meant = _meant(namespace, key, known_keys)
    suggestion = None if meant is None else wanted.spell(*meant)
    if wanted.is_negative and not suggestion:
        return None
    is_known = "has" if is_certain else "is known to have"
    return f"No {noun} {is_known} the key '{_shortened(key)}'{_advice(namespace, suggestion, known.names)}"


def _meant(namespace: str, key: str, known_keys: _KnownKeys) -> tuple[str, str] | None:
    """Namespace and name of the key that is nearest to another one."""
    own, other = known_keys.keys(namespace), known_keys.keys(_OTHERS[namespace])
    if other.has(key):
        return _OTHERS[namespace], key
    prefix, _, rest = key.partition(".")
    if prefix in _NOUNS and rest and known_keys.keys(prefix).has(rest):
        return prefix, rest
    places = ((namespace, own), (_OTHERS[namespace], other))
    for place, keys in places:
        below = [name for name in keys.names if name.endswith("." + key)]
        if below:
            return place, min(below, key=lambda name: (len(name), name))
    from signac_core.nearest import nearest_key

    where: dict[str, str] = {}
    for place, keys in places:
        for name in sorted(keys.names):
            where.setdefault(name, place)
    if (close := nearest_key(key, where)) is not None:
        return where[close], close
    for place, keys in places:
        above = _mappings(keys.names)
        beginnings = [name for name in keys.names if key.startswith((name + ".", name + ":")) and name not in above]
        if beginnings:
            return place, max(beginnings, key=len)
    return None


def _advice(namespace: str, suggestion: str | None, names: set[str]) -> str:
    if suggestion:
        return f"; did you mean '{_shortened(suggestion)}'?"
    if not names:
        return f"; the {_NOUNS[namespace]}s are empty."
    if namespace == "sp":
        return "; 'signac schema' lists the keys."
    leaves = sorted(names - _mappings(names))
    shown = ", ".join(f"'{_shortened(name)}'" for name in islice(leaves, _SHOWN_KEYS))
    more = f" and {len(leaves) - _SHOWN_KEYS} more" if len(leaves) > _SHOWN_KEYS else ""
    return f"; documents have {shown}{more}."


def _mappings(names: Iterable[str]) -> set[str]:
    """Dotted keys of what is above others."""
    return {name.rpartition(".")[0] for name in names}


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG_KEY else text[: _LONG_KEY - 3] + "..."
