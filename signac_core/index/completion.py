"""The index as it was written, for completion and suggestions: it is not compared with the workspace.

So what it says may be out of date, and of jobs that have gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from typing import Any

from .. import layout
from ..config import check_place, index_path
from ..errors import UnusableIndexError
from ..layout import BASE, DELTA, DOCUMENTS
from ..workspace import OPEN_FLAGS
from .table import Table, check_owner

__all__ = ["WrittenIndex", "open_written"]

_MOST_CHUNKS = 40


class WrittenIndex:
    """The tables of the index, as they were written."""

    def __init__(self, tables: list[Table]) -> None:
        self._tables = tables

    def __enter__(self) -> WrittenIndex:
        return self

    def __exit__(self, *exception: object) -> None:
        for table in self._tables:
            table.close()

    def ids(self, prefix: str) -> Iterator[str]:
        """Ids that begin with some digits."""
        return (job_id for table in self._tables for _, job_id in table.ids_with_prefix(prefix))

    def dotted_keys(self) -> Iterator[str]:
        """Dotted keys."""
        return chain.from_iterable(table.directory.keys for table in self._tables)

    def values(self, key: str) -> Iterator[Any]:
        """Values of a dotted key: all, or some between the lowest and the highest when there are very many."""
        for table in self._tables:
            chunks = table.chunk_list(key)
            if len(chunks) > _MOST_CHUNKS:
                last = len(chunks) - 1
                chunks = [chunks[number * last // (_MOST_CHUNKS - 1)] for number in range(_MOST_CHUNKS)]
            for chunk, data in table.read_chunks(chunks):
                yield from table.values_of(chunk, data)


def open_written(root: str, namespace: str) -> WrittenIndex:
    """Open the index of the project in the directory ``root``.

    Raises OSError, UnusableIndexError if there is none that can be used.
    """
    check_place()
    if namespace == "doc":
        return WrittenIndex([_opened(root, DOCUMENTS)])
    tables = [_opened(root, BASE)]
    try:
        delta = _opened(root, DELTA)
    except (OSError, UnusableIndexError):
        return WrittenIndex(tables)
    if delta.directory.base == tables[0].directory.id:
        tables.append(delta)
    else:
        delta.close()
    return WrittenIndex(tables)


def _opened(root: str, kind: str) -> Table:
    fd = os.open(index_path(root, kind), OPEN_FLAGS)
    try:
        table = Table(fd, kind)
        check_owner(table.status, os.path.join(root, layout.WORKSPACE))
        return table
    except BaseException:
        os.close(fd)
        raise
