"""The index, where a project is too small for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from signac_core import catalog, finding
from signac_core.index import documents, snapshot
from tests.support.patches import for_some_cases


@contextmanager
def index_for_small_projects() -> Iterator[None]:
    """Have the index written, and asked, for a few jobs as for very many."""
    limits = (
        (snapshot, "WORTHWHILE", 1),
        (snapshot, "_LONG_LISTING", 1),
        (finding, "_MANY_FILES_READ", 1),
        (documents, "_WORTHWHILE", 1),
        (catalog, "MANY_FILES", 0),
    )
    with pytest.MonkeyPatch.context() as patch:
        with for_some_cases():
            for module, name, value in limits:
                patch.setattr(module, name, value)
        yield
