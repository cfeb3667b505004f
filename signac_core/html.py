"""How projects and query results look in notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cursor import JobsCursor
    from .project import Project

__all__ = ["cursor_html", "project_html"]

_LARGEST_TABLE = 100  # jobs
_ROWS_SHOWN = 20


def project_html(project: Project) -> str:
    """HTML of a project: path, workspace, size, and its jobs.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    str
        What notebooks show; a table of the jobs if there are few.

    Raises
    ------
    JobsCorruptedError
        If jobs are shown and damaged.

    Examples
    --------
    >>> from signac_core import init_project
    >>> "<strong>Size:</strong> 0" in project_html(init_project("study"))
    True

    """
    jobs = project.find_jobs()
    return (
        f"<p><strong>Project:</strong> {escape(project.path)}<br>"
        f"<strong>Workspace:</strong> {escape(project.workspace)}<br>"
        f"<strong>Size:</strong> {len(jobs)}</p>"
    ) + _jobs_html(jobs)


def cursor_html(cursor: JobsCursor) -> str:
    """HTML of a query result: what was asked, and the jobs.

    Parameters
    ----------
    cursor : JobsCursor
        The result.

    Returns
    -------
    str
        What notebooks show; a table of the jobs if there are few.

    Raises
    ------
    JobsCorruptedError
        If jobs are shown and damaged.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> job = project.open_job({"a": 0}).init()
    >>> "9bfd29df07674bc4aa960cf661b5acd2" in cursor_html(project.find_jobs())
    True

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
