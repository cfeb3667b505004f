"""How projects and query results look in notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..cursor import JobsCursor
    from ..project import Project

__all__ = ["cursor_html", "project_html"]

_LARGEST_TABLE = 100  # jobs
_ROWS_SHOWN = 20


def project_html(project: Project) -> str:
    """HTML of a project: path, workspace, size, and its jobs.

    Raises JobsCorruptedError if jobs are shown and damaged.
    """
    jobs = project.find_jobs()
    return (
        f"<p><strong>Project:</strong> {escape(project.path)}<br>"
        f"<strong>Workspace:</strong> {escape(project.workspace)}<br>"
        f"<strong>Size:</strong> {len(jobs)}</p>"
    ) + _jobs_html(jobs)


def cursor_html(cursor: JobsCursor) -> str:
    """HTML of a query result: what was asked, and the jobs.

    Raises JobsCorruptedError if jobs are shown and damaged.
    """
    return escape(repr(cursor), quote=False) + _jobs_html(cursor)


def _jobs_html(cursor: JobsCursor) -> str:
    count = len(cursor)
    if count <= _LARGEST_TABLE and cursor._use_pandas_for_html_repr:
        import pandas

        with pandas.option_context("display.max_rows", _ROWS_SHOWN):
            frame: Any = cursor.to_dataframe()
            return str(frame._repr_html_())
    return f"<br/><strong>{count}</strong> job(s) found"
