"""Projects that are deleted at the end of a ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar, overload

from .project import Project

__all__ = ["TemporaryProject"]

_P = TypeVar("_P", bound=Project)


@overload
def TemporaryProject(cls: None = None, **kwargs: Any) -> AbstractContextManager[Project]: ...
@overload
def TemporaryProject(cls: type[_P], **kwargs: Any) -> AbstractContextManager[_P]: ...
@contextmanager
def TemporaryProject(cls: type[Any] | None = None, **kwargs: Any) -> Iterator[Any]:
    """Context manager for a project in a temporary directory.

    Parameters
    ----------
    cls : type, optional
        The class of the project, :class:`Project` by default.
    **kwargs
        Passed to :class:`tempfile.TemporaryDirectory`: ``dir``, ``prefix``, ``suffix``.

    Yields
    ------
    Project
        The project, which is deleted with all its data when the context is left.

    Examples
    --------
    >>> with TemporaryProject() as project:
    ...     job = project.open_job({"a": 1}).init()
    ...     len(project)
    1

    """
    import tempfile

    with tempfile.TemporaryDirectory(**kwargs) as directory:
        yield (cls or Project).init_project(directory)
