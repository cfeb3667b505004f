"""Comparing the index with the files that it was made from: what queries believe, ``signac check`` does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import catalog, stamps, workspace
from ..config import check_place, index_path
from ..errors import UnusableIndexError
from ..index.documents import ABSENT, UNKNOWN, signatures_in
from ..index.snapshot import check_proven
from ..index.table import Table, check_owner
from ..layout import BASE, DELTA, DOCUMENTS
from ..stamps import Signature
from ..trees import identical

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["DocumentClaims", "WrongTable", "examine_tables"]


class WrongTable(NamedTuple):
    """A file of the index that is not as it should be.

    Parameters
    ----------
    path : str
        The file.
    detail : str
        What is wrong with it.
    is_believed : bool
        Whether queries may believe it all the same.
    """

    path: str
    detail: str
    is_believed: bool


def examine_tables(space: Space, listing: workspace.Listing) -> Iterator[WrongTable]:
    """Say which files of the index are wrong about the jobs in a listing; those that nobody believes are passed over.

    Documents are another matter, see :class:`DocumentClaims`.
    """
    is_sound = True
    for kind in (BASE, DELTA, DOCUMENTS):
        path = index_path(space.root, kind)
        try:
            table = _opened(path, kind)
        except Exception:  # nobody believes it
            continue
        wrong = ""
        try:
            check_place()
            check_owner(table.status, space.workspace)
            if kind != DOCUMENTS:
                wrong = _wrong_state_points(table)
        except (OSError, UnusableIndexError):
            yield WrongTable(path, "Others may have written the index; it is not used.", is_believed=False)
        finally:
            table.close()
        if wrong:
            is_sound = False
            yield WrongTable(path, wrong, is_believed=True)
    if is_sound and not _lists(space, listing):
        yield WrongTable(index_path(space.root, BASE), "The index does not list the jobs that exist.", is_believed=True)


def _opened(path: str, kind: str) -> Table:
    fd = os.open(path, workspace.OPEN_FLAGS)
    try:
        return Table(fd, kind)
    except BaseException:
        os.close(fd)
        raise


def _wrong_state_points(table: Table) -> str:
    """What is wrong with the state points in a table; empty if nothing is."""
    try:
        ids = table.ids()
        found = dict(zip(ids, table.trees(range(table.rows)), strict=True))
        if len(found) < len(ids):
            return "The index lacks state points of its jobs."
        check_proven(found)
    except UnusableIndexError as error:
        return f"The index is {error}."
    except Exception:  # it holds anything
        return "The index is damaged."
    return ""


def _lists(space: Space, listing: workspace.Listing) -> bool:
    """Tell whether the index, if it is believed without a listing of the workspace, has the jobs of this one."""
    snapshot = catalog.open_index(space)
    if snapshot is None:
        return True
    with snapshot:
        if snapshot.listing is not None or listing.status is None:
            return True
        if stamps.directory_signature_of(listing.status) != snapshot.about["signature"]:
            return True
        try:
            return snapshot.names() == listing.names
        except Exception:  # nobody believes it
            return True


class DocumentClaims:
    """What the index says of documents, compared with the files one by one."""

    def __init__(self, space: Space) -> None:
        self.path = index_path(space.root, DOCUMENTS)
        self.wrong: list[str] = []
        self._claims: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {}
        snapshot = catalog.open_index(space)
        if snapshot is None:
            return
        with snapshot, suppress(Exception):  # nobody believes it
            table = snapshot.opened(os.open(self.path, workspace.OPEN_FLAGS), DOCUMENTS)
            if table.directory.base == snapshot.base.directory.id:
                trees, ids = table.trees(range(table.rows)), snapshot.base.ids()
                self._claims = {
                    job_id: (entry, tree or {})
                    for job_id, tree, entry in zip(ids, trees, signatures_in(table), strict=True)
                    if entry != UNKNOWN
                }

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._claims

    def compare(self, job_id: str, status: os.stat_result | None, document: dict[str, Any]) -> None:
        """Compare what the index says of a document with what has just been read; no file has no status."""
        entry, claimed = self._claims.get(job_id, (UNKNOWN, {}))
        if entry == (ABSENT if status is None else Signature.of(status)):
            same = identical(claimed, document)
            if not same:
                self.wrong.append(job_id)
