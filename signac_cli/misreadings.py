"""Words that an option has taken, or that are read as a condition, and that were probably meant otherwise.

Only words that look odd where they stand pay for it. A word that some job has for a key is never refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .arguments import INFIX, Command

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from .session import Session

__all__ = [
    "hint_at_keys_like_conditions",
    "refuse_ids_among_keys",
    "refuse_misread_ids",
    "refuse_misread_words",
    "refuse_values_among_keys",
]

_ID = re.compile(r"(?=.*\d)[0-9a-f]{4,32}")


def refuse_values_among_keys(space: Space, part: str, keys: Sequence[str], filter_tokens: Sequence[str]) -> None:
    """Make sure that what ``--sp`` or ``--doc`` has taken are keys, and not the filter.

    Raises click.UsageError if there is a condition among them, or a value, and no job has such a key.
    """
    kept: list[str] = []
    moved: list[str] = []
    for word in keys:
        is_condition = _is_condition(word) or word.startswith(("{", "["))
        if not (is_condition or _is_value(word)) or _is_key(space, part, word):
            kept.append(word)
            continue
        if not is_condition and kept:
            moved.append(kept.pop())
        moved.append(word)
    if moved:
        context, option = click.get_current_context(), f"--{part}"
        first, last = [*filter_tokens, *moved], [option, *kept]
        which = "a condition" if _is_condition(moved[-1]) else "no key that a job has"
        raise click.UsageError(
            f"'{moved[-1]}' is {which}, and {option} takes all words up to the next option for keys. "
            f"Write the filter first: {Command.rewritten(context, without=option, first=first, last=last)}"
        )


def refuse_misread_words(space: Space, tokens: Sequence[str]) -> None:
    """Make sure that a filter has not taken a word that was meant for the command: a file, a template, an id.

    Raises click.UsageError if there is a word that no job has for a key, and the command lacks one that looks like
    this.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return
    arguments, lacking = _arguments(context)
    is_view = context.info_name == "view" and "path" in lacking
    for place, word, is_value in _bare_words(tokens):
        is_last = is_view and 0 < place == len(tokens) - 1 and not is_value and "$" not in word
        if not (is_last or any(_looks_like(name, word, space, is_value=is_value) for name in lacking)):
            continue
        if is_value or not _is_key(space, "sp", word):
            first = _given(context, arguments)
            last = ["-f", *tokens[:place], "--", *tokens[place:]]
            if lacking <= {"ids"} or not place:  # ids and a filter exclude each other, and an empty one is none
                first, last = [*first, *tokens[place:]], []
            elif is_view and "{" not in word and context.get_parameter_source("prefix") is ParameterSource.DEFAULT:
                last = ["-f", *tokens[:place], "-p", *tokens[place:]]
            which = "looks like no value" if is_value else "no job has for a key"
            note = ", and a filter excludes ids" if lacking <= {"ids"} and place else ""
            raise click.UsageError(
                f"The filter has taken '{word}', which {which}: -f takes all words up to the next option or '--'{note}."
                f" Write: {Command.rewritten(context, without='--filter', first=first, last=last)}"
            )


def _arguments(context: click.Context) -> tuple[list[str], set[str]]:
    """Names of the positional arguments of a command, and of those that have not been given."""
    names = [str(param.name) for param in context.command.params if isinstance(param, click.Argument)]
    lacking = {name for name in names if not context.params.get(name)}
    if context.params.get("source") is not None:  # the code that 'signac shell' runs
        lacking -= {"file", "arguments"}
    return names, lacking


def _given(context: click.Context, names: Sequence[str]) -> list[str]:
    """Positional arguments that have been given."""
    given: list[str] = []
    for name in names:
        value = context.params.get(name)
        given += value if isinstance(value, tuple) else [] if value is None else [value]
    return given


def _bare_words(tokens: Sequence[str]) -> Iterator[tuple[int, str, bool]]:
    """Words that stand as keys in a filter, and a value at its end, with their places."""
    key_waits = False
    for place, token in enumerate(tokens):
        if key_waits:
            key_waits = False
            if place == len(tokens) - 1:
                yield place, token, True
        elif not _is_condition(token) and not token.startswith('{"') and token != "{}":
            if not token.startswith(("sp.", "doc.")):
                yield place, token, False
            key_waits = True


def _looks_like(name: str, word: str, space: Space, *, is_value: bool) -> bool:
    """Tell whether a word looks like what a command calls by a name; a value has to look more so."""
    if name == "path":  # a template of a view or an export
        return ("{" in word and "}" in word and not word.startswith('{"')) or ("/" in word and not is_value)
    if name == "file":  # a script
        is_file, is_script = os.path.isfile(word), word.endswith(".py")
        return word == "-" or (is_file and is_script if is_value else is_file or is_script)
    if is_value:
        return False
    if name == "destination":
        return os.path.isdir(word)
    if name != "ids":
        return False
    return word == "-" or (_ID.fullmatch(word) is not None and _is_id(space, word))


def _is_id(space: Space, word: str) -> bool:
    from signac_core.resolving import resolve_ids

    return not resolve_ids(space, [word])[1]


def refuse_ids_among_keys(space: Space, keys: Sequence[str]) -> None:
    """Make sure that ``--ignore`` has taken neither conditions nor, when none are left for the command, ids.

    Raises click.UsageError if there are any, and no job has such a key.
    """
    context = click.get_current_context()
    for place, word in enumerate(keys):
        if _is_condition(word) and not _is_key(space, "sp", word):
            raise click.UsageError(f"'{word}' is a condition, and --ignore takes keys.")
        if context.params.get("ids"):
            continue
        if _looks_like("ids", word, space, is_value=False) and not _is_key(space, "sp", word):
            last = ["--ignore", *keys[:place]] if place else []
            right = Command.rewritten(context, without="--ignore", first=keys[place:], last=last)
            raise click.UsageError(
                f"--ignore takes all words up to the next option for keys, '{word}' as well. Write: {right}"
            )


def hint_at_keys_like_conditions(session: Session, space: Space, tokens: Sequence[str]) -> None:
    """Tell about conditions that are, letter by letter, also the name of a key of some job."""
    from shlex import quote

    from signac_core.canonical import dumps
    from signac_core.filterparse import parse_value

    for place, token in enumerate(tokens):
        part = "doc" if token.startswith("doc.") else "sp"
        if not _is_condition(token) or not _is_key(space, part, token.removeprefix("doc.")):
            continue
        value: Any = {"$exists": True}
        if place + 1 < len(tokens) and not _is_condition(tokens[place + 1]) and tokens[place + 1] != "!":
            value = parse_value(tokens[place + 1])
        session.output.info(
            f"'{token}' is read as a condition, but there is a key of this name; it is asked for in JSON: "
            f"{quote(dumps({token: value}))}"
        )


def refuse_misread_ids(space: Space, words: Sequence[str]) -> None:
    """Make sure that words that are no ids were not meant for a filter, or for the command itself.

    Raises click.UsageError if there is a condition among them, or ``-j`` has taken a word that looks like one that the
    command lacks.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return
    for word in words:
        if _is_condition(word) and "/" not in word:
            where = "stands before -j" if context.info_name == "find" else "stands behind -f/--filter"
            raise click.UsageError(f"'{word}' is a condition, and no job id; a filter {where}.")
    taken: Sequence[str] = context.params.get("job_ids") or ()
    arguments, lacking = _arguments(context)
    for place, word in enumerate(taken):
        if word in words and any(_looks_like(name, word, space, is_value=False) for name in lacking):
            first, last = _given(context, arguments), ["-j", *taken[:place], "--", *taken[place:]]
            if not place:
                first, last = [*first, *taken], []
            raise click.UsageError(
                f"-j takes all words up to the next option or '--', '{word}' as well. "
                f"Write: {Command.rewritten(context, without='--job-id', first=first, last=last)}"
            )


def _is_condition(word: str) -> bool:
    return not INFIX.isdisjoint(word)


def _is_value(word: str) -> bool:
    """Tell whether a word is read as a number or a constant, or can only be a value for another reason."""
    from signac_core.filterparse import parse_value

    try:
        return word == "!" or not isinstance(parse_value(word), str) or word.startswith('"')
    except ValueError:
        return True


def _is_key(space: Space, part: str, key: str) -> bool:
    """Tell whether some job has a key."""
    from signac_core.finding import find_ids

    try:
        return bool(find_ids(space, {f"{part}.{key}": {"$exists": True}}, damaged=[]))
    except (KeyError, ValueError, TypeError):  # a key with an operator in it
        return False
