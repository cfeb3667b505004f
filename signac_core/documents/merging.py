"""Three-way merge of plain trees."""

from __future__ import annotations

from typing import Any

from .. import canonical
from ..trees import MISSING

__all__ = [
    "MergeConflict",
    "merge",
]


class MergeConflict(Exception):
    """Both sides changed the same value differently."""


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
        value = merge(base.get(key, MISSING), ours.get(key, MISSING), theirs.get(key, MISSING))
        if value is not MISSING:
            merged[key] = value
    return merged


def _same(left: Any, right: Any) -> bool:
    if left is MISSING or right is MISSING:
        return left is right
    return canonical.same_json(left, right)
