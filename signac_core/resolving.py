"""Finding the jobs that users name: by ids, beginnings of ids, and paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container, Sequence
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


def resolve(space: Space, text: str) -> str:
    """The name of the job that a string begins, or is.

    Raises TypeError if it is no string; KeyError if there is none; LookupError if there are several.
    """
    if not isinstance(text, str):
        raise TypeError(f"A job id must be a str, not {type(text).__name__}.")
    from .catalog import names_with_prefix

    matches = names_with_prefix(space, text)
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
    with space.one_moment():
        return _resolve_ids(space, texts, minimum)


def _resolve_ids(space: Space, texts: Sequence[str], minimum: int) -> tuple[list[str], list[UnresolvedId]]:
    strip = _path_stripper(space)
    wanted = [strip(text) for text in texts]
    existing = _existing(space, [text for text in wanted if len(text) == layout.JOB_ID_LENGTH])
    begun = {text for text in wanted if minimum <= len(text) < layout.JOB_ID_LENGTH and layout.is_id_prefix(text)}
    found_before = _found_by_prefix(space, begun)
    ids: list[str] = []
    unresolved: list[UnresolvedId] = []
    for original, text in zip(texts, wanted, strict=True):
        if not layout.is_id_prefix(text):
            reason = f"'{original}' is not a job id: ids consist of 32 digits from 0-9 and a-f, or the first of them."
            unresolved.append(UnresolvedId(original, reason if original else "An empty string is not a job id."))
        elif len(text) == layout.JOB_ID_LENGTH:
            if text in existing:
                ids.append(text)
            else:
                hint = len(unresolved) < _MOST_HINTS
                unresolved.append(UnresolvedId(original, _unknown(space, original, text, hint=hint)))
        elif len(text) < minimum:
            reason = f"The id '{original}' is too short: give at least {minimum} digits, or the whole id."
            unresolved.append(UnresolvedId(original, reason))
        else:
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
                unresolved.append(UnresolvedId(original, _unknown(space, original, text, hint=hint)))
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


def _existing(space: Space, ids: list[str]) -> Container[str]:
    """Those ids that there are: a few by a look at each, many by the index or one listing."""
    if len(ids) <= _MANY_IDS:
        return {job_id for job_id in ids if files.is_directory(f"{space.workspace}/{job_id}")}
    from .catalog import names_among

    return names_among(space, ids)


def _found_by_prefix(space: Space, prefixes: Collection[str]) -> dict[str, list[str]]:
    """Ids that begin with each of the prefixes, sorted."""
    if not prefixes:
        return {}
    from . import catalog  # whole ids pay for no import

    if len(prefixes) <= _MANY_IDS:
        return {prefix: layout.job_ids(catalog.names_with_prefix(space, prefix)) for prefix in prefixes}
    names = catalog.list_ids(space)
    return {prefix: _with_prefix(names, prefix) for prefix in prefixes}


def _with_prefix(names: list[str], prefix: str) -> list[str]:
    from bisect import bisect_left

    first = bisect_left(names, prefix)
    return names[first : bisect_left(names, prefix + "g", lo=first)]  # g comes after all digits


def _unknown(space: Space, original: str, text: str, *, hint: bool) -> str:
    """Say that there is no such job, and which similar ones there are."""
    names: list[str] = []
    if hint:
        from .catalog import list_ids

        names = list_ids(space)
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
