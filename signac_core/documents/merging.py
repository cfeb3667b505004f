"""Three-way merge of plain trees."""

from __future__ import annotations

from typing import Any

from .. import canonical

__all__ = [
    "MergeConflict",
    "merge",
]


class MergeConflict(Exception):
    """Both sides changed the same value differently."""


_ABSENT = object()


def merge(base: Any, ours: Any, theirs: Any) -> Any:
    """Merge two changed copies of a plain value; per key for mappings, lists and scalars are single values.

    Raises MergeConflict if both sides changed the same value differently.
    """
    if _same(ours, theirs) or _same(base, theirs):
        return ours
    if _same(base, ours):
        return theirs
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        raise MergeConflict
    base = base if isinstance(base, dict) else {}
    merged = {}
    for key in [*theirs, *(key for key in ours if key not in theirs)]:
        value = merge(base.get(key, _ABSENT), ours.get(key, _ABSENT), theirs.get(key, _ABSENT))
        if value is not _ABSENT:
            merged[key] = value
    return merged


def _same(left: Any, right: Any) -> bool:
    if left is _ABSENT or right is _ABSENT:
        return left is right
    return canonical.equal(left, right)
