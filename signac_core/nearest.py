"""The key that was probably meant by one that does not exist. Only such a mistake pays for it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest_key"]

_FEWEST_LETTERS = 2
"""One letter is short for too many words."""


def nearest_key(wanted: str, known: Iterable[str]) -> str | None:
    """Find the key that is nearest to another one: much like it, or one of the two is short for the other.

    Keys in the same mapping are compared without what they have in common, which says nothing; those of the mappings
    that it is in are never meant. Of keys that are equally near, the first is taken.
    """
    names: dict[str, str] = {}
    for name in known:
        names.setdefault(name.lower(), name)
    wanted = wanted.lower()
    names = {name: own for name, own in names.items() if not wanted.startswith(f"{name}.")}
    above = wanted[: wanted.rfind(".") + 1]
    beside = {name.removeprefix(above): own for name, own in names.items() if above and name.startswith(above)}
    others = {name: own for name, own in names.items() if not (above and name.startswith(above))}
    for key, places in ((wanted.removeprefix(above), beside), (wanted, others)):
        if close := get_close_matches(key, places, n=1):
            return places[close[0]]
    for key, places in ((wanted.removeprefix(above), beside), (wanted, others)):
        if alike := [name for name in places if _is_short_for(key, name) or _is_short_for(name, key)]:
            return places[min(alike, key=len)]
    return None


def _is_short_for(short: str, name: str) -> bool:
    return len(short) >= _FEWEST_LETTERS and name.startswith(short) and "." not in name.removeprefix(short)
