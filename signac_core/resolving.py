"""Finding the jobs that users name: by ids, beginnings of ids, and paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from . import files, layout

if TYPE_CHECKING:
    from .workspace import Space

__all__ = [
    "UnresolvedId",
    "resolve",
    "resolve_ids",
    "unique_prefix_length",
]

_MOST_HINTS = 10  # unknown ids for which similar ones are looked for
_MANY_IDS = 64  # from here on one listing is cheaper than a look at each


class UnresolvedId(NamedTuple):
    """A string that does not name one job.

    Parameters
    ----------
    text : str
        The string, as it was given.
    reason : str
        What is wrong with it, as a sentence.
    """

    text: str
    reason: str


def resolve(names: list[str], text: str) -> str:
    """The name among sorted ones that a string begins, or is.

    Raises TypeError if it is no string; KeyError if there is none; LookupError if there are several.
    """
    if not isinstance(text, str):
        raise TypeError(f"A job id must be a str, not {type(text).__name__}.")
    matches = _with_prefix(names, text)
    if not matches:
        raise KeyError(text)
    if len(matches) > 1 and matches[0] != text:
        raise LookupError(text)
    return matches[0]


def resolve_ids(space: Space, texts: Sequence[str], *, minimum: int = 1) -> tuple[list[str], list[UnresolvedId]]:
    """Find the jobs that users name: their ids in the given order, and the strings that name no job or several.

    These are full ids, ids of at least ``minimum`` digits, or paths of job directories of this project (or of something
    in them).
    """
    strip = _path_stripper(space)
    wanted = [strip(text) for text in texts]
    names: list[str] | None = None
    if len(wanted) > _MANY_IDS or any(len(text) < layout.JOB_ID_LENGTH for text in wanted):
        from .catalog import list_ids  # a few whole ids pay for no import

        names = list_ids(space)
    existing = set(names) if names is not None else None
    ids: list[str] = []
    unresolved: list[UnresolvedId] = []
    found_before: dict[str, list[str]] = {}
    for original, text in zip(texts, wanted, strict=True):
        if not layout.is_id_prefix(text):
            reason = f"'{original}' is not a job id: ids consist of 32 digits from 0-9 and a-f, or the first of them."
            unresolved.append(UnresolvedId(original, reason if original else "An empty string is not a job id."))
        elif len(text) == layout.JOB_ID_LENGTH:
            found = text in existing if existing is not None else files.is_directory(f"{space.workspace}/{text}")
            if found:
                ids.append(text)
            else:
                hint = len(unresolved) < _MOST_HINTS
                unresolved.append(UnresolvedId(original, _unknown(space, original, text, names, hint=hint)))
        elif len(text) < minimum:
            reason = f"The id '{original}' is too short: give at least {minimum} digits, or the whole id."
            unresolved.append(UnresolvedId(original, reason))
        else:
            if text not in found_before:
                found_before[text] = _with_prefix(names or [], text)
            matches = found_before[text]
            if len(matches) == 1:
                ids.append(matches[0])
            elif matches:
                reason = (
                    f"The id '{original}' is ambiguous: {len(matches)} jobs begin with it; "
                    f"{unique_prefix_length(matches)} digits tell them apart."
                )
                unresolved.append(UnresolvedId(original, reason))
            else:
                hint = len(unresolved) < _MOST_HINTS
                unresolved.append(UnresolvedId(original, _unknown(space, original, text, names, hint=hint)))
    return ids, unresolved


def _path_stripper(space: Space) -> Callable[[str], str]:
    """Make a function that takes the id out of a path into the workspace of this project.

    Other strings only lose line ends and slashes.
    """
    roots: list[str] = []

    def strip(text: str) -> str:
        text = text.rstrip("\r\n").rstrip("/")
        if "/" not in text:
            return text
        if not roots:
            real = os.path.realpath(space.workspace)
            roots.extend((space.workspace, layout.WORKSPACE, f"./{layout.WORKSPACE}", real))
        for root in roots:
            if text.startswith(root + "/"):
                name = text[len(root) + 1 :].split("/")
                return text if ".." in name else name[0]
        return text

    return strip


def _with_prefix(names: list[str], prefix: str) -> list[str]:
    from bisect import bisect_left

    first = bisect_left(names, prefix)
    return names[first : bisect_left(names, prefix + "g", lo=first)]  # g comes after all digits


def _unknown(space: Space, original: str, text: str, names: list[str] | None, *, hint: bool) -> str:
    """Say that there is no such job, and which similar ones there are."""
    if names is None:
        from .catalog import list_ids

        names = list_ids(space)
    if not hint:
        names = []
    similar = sorted({name[: len(text)] for name in names if _differ_little(name[: len(text)], text)})
    advice = f" Did you mean {' or '.join(similar[:3])}?" if similar else ""
    return f"There is no job with the id '{original}' in '{space.root}'.{advice}"


def _differ_little(left: str, right: str) -> bool:
    """Tell whether two strings of equal length differ in one character, or in the order of two neighbours."""
    if len(right) < 3:
        return False
    different = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(different) == 2:
        i, j = different
        return j == i + 1 and left[i] == right[j] and left[j] == right[i]
    return len(different) == 1


def unique_prefix_length(ids: Sequence[str]) -> int:
    """Least number of characters that tells sorted ids apart; 0 for fewer than two."""
    longest = 0
    for left, right in pairwise(ids):
        while left[:longest] == right[:longest]:
            longest += 1
    return longest
