"""State points and documents as a pandas data frame, built column by column."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING, Any

from . import reading

if TYPE_CHECKING:
    from pandas import DataFrame

    from .cursor import JobsCursor

__all__ = ["to_dataframe"]

_MISSING = float("nan")  # not None, which is a value


def to_dataframe(
    cursor: JobsCursor,
    *,
    sp_prefix: str,
    doc_prefix: str,
    usecols: Container[str] | Callable[[str], bool] | None,
    flatten: bool,
) -> DataFrame:
    """Build the frame of a query result; see :meth:`JobsCursor.to_dataframe`."""
    from pandas import DataFrame

    project, ids = cursor._project, cursor._ids
    state_points = dict(reading.read_state_points(project, ids))
    documents = dict(reading.read_documents(project, state_points))
    rows = list(documents)
    wanted = _column_filter(usecols)
    columns: dict[str, list[Any]] = {}
    excluded: set[str] = set()
    for row, job_id in enumerate(rows):
        for prefix, data in ((sp_prefix, state_points[job_id]), (doc_prefix, documents[job_id])):
            for key, value in _flat(data) if flatten else data.items():
                name = prefix + key
                column = columns.get(name)
                if column is None:
                    if name in excluded:
                        continue
                    if not wanted(name):
                        excluded.add(name)
                        continue
                    column = columns[name] = [_MISSING] * len(rows)
                column[row] = value
    return DataFrame(columns, index=rows).infer_objects()


def _column_filter(usecols: Container[str] | Callable[[str], bool] | None) -> Callable[[str], bool]:
    if usecols is None:
        return lambda name: True
    if callable(usecols):
        return usecols
    return lambda name: name in usecols


def _flat(data: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a nested dict under dotted keys; an empty dict is a leaf, lists become tuples."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, _as_tuple(value)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
