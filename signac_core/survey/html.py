"""How projects and query results look in notebooks."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["jobs_html", "project_html"]

_LARGEST_TABLE = 100  # jobs
_ROWS_SHOWN = 20


def project_html(path: str, workspace: str, number: int) -> str:
    """HTML of a project: path, workspace, and the number of its jobs."""
    return (
        f"<p><strong>Project:</strong> {escape(path)}<br>"
        f"<strong>Workspace:</strong> {escape(workspace)}<br>"
        f"<strong>Size:</strong> {number}</p>"
    )


def jobs_html(number: int, frame: Callable[[], DataFrame] | None) -> str:
    """HTML of a number of jobs: a table if they are few, and there is a function that makes the frame of it."""
    if number <= _LARGEST_TABLE and frame is not None:
        import pandas

        with pandas.option_context("display.max_rows", _ROWS_SHOWN):
            table: Any = frame()
            return str(table._repr_html_())
    return f"<br/><strong>{number}</strong> job(s) found"
