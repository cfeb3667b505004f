"""Several keys of a document set and unset in one write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import canonical
from ..errors import InvalidKeyError
from .store import Document, for_job

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = [
    "edit_document",
    "would_edit_document",
]


def edit_document(
    space: Space,
    job_id: str,
    *,
    set: Mapping[str, Any] | None = None,
    unset: Sequence[str] = (),
    absent: list[str] | None = None,
) -> bool:
    """Set and delete keys of the document of an existing job in one locked write: all or none; True if it changed.

    ``set`` has values by dotted key: ``"a.b"`` is the key ``b`` of the mapping ``a``, which is created if need be.
    ``unset`` has the dotted keys to delete; ``absent`` takes those that are not there.

    Raises InvalidKeyError if a dotted key has an empty part; ValueError if one leads through a value that is not a
    mapping, or the document is damaged; TypeError if a value has no JSON equivalent. After an OSError the document
    holds its old content.
    """
    document = for_job(space, job_id)
    return document.mutate(document, _edit(document, set or {}, unset, absent))


def would_edit_document(
    space: Space,
    job_id: str,
    *,
    set: Mapping[str, Any] | None = None,
    unset: Sequence[str] = (),
    absent: list[str] | None = None,
) -> bool:
    """Tell whether :func:`edit_document` would change the document of a job now; nothing is locked or written.

    The errors are the same; FileNotFoundError if the job does not exist.
    """
    document = for_job(space, job_id)
    edit = _edit(document, set or {}, unset, absent)
    document.sync()
    if not document.exists:
        os.stat(os.path.dirname(document.path))  # without the job, too, there is no document
    return edit(canonical.loads(document.encode()))  # a buffered tree is that of others, too


def _edit(
    document: Document, set: Mapping[str, Any], unset: Sequence[str], absent: list[str] | None
) -> Callable[[dict[str, Any]], bool]:
    """Build the operation that sets and deletes keys of a tree, and tells whether that changed it."""
    changes = [(_split_key(key), canonical.plain(value)) for key, value in set.items()]
    deletions = [_split_key(key) for key in unset]

    def operation(tree: dict[str, Any]) -> bool:
        before = canonical.dumps(tree)
        draft = canonical.loads(before)  # a buffered tree would keep half of the changes
        for parts, value in changes:
            _container(draft, parts, document, create=True)[parts[-1]] = value
        for parts in deletions:
            container = _container(draft, parts, document, create=False)
            if parts[-1] in container:
                del container[parts[-1]]
            elif absent is not None:
                absent.append(".".join(parts))
        if canonical.dumps(draft) == before:
            return False
        tree.clear()
        tree.update(draft)
        return True

    return operation


def _split_key(key: str) -> list[str]:
    parts = key.split(".")
    if "" in parts:
        raise InvalidKeyError(f"Invalid document key {key!r}: the parts between dots may not be empty.")
    return parts


def _container(tree: dict[str, Any], parts: list[str], document: Document, *, create: bool) -> dict[str, Any]:
    """Mapping that holds the last part of a dotted key."""
    container = tree
    for depth, part in enumerate(parts[:-1], start=1):
        if part not in container:
            if not create:
                return {}
            container[part] = {}
        below = container[part]
        if not isinstance(below, dict):
            raise ValueError(
                f"Key '{'.'.join(parts)}': '{'.'.join(parts[:depth])}' is not a mapping in {document.describe()}."
            )
        container = below
    return container
