"""Export, import and views as functions, under the names that signac 2.x gives them.

They do what :meth:`JobsCursor.export_to` and :meth:`Project.import_from` do, which are the way to ask for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .errors import DestinationExistsError as DestinationExistsError
from .errors import StatepointParsingError as StatepointParsingError
from .exchange import exporting
from .job import Job as Job

if TYPE_CHECKING:
    from .exchange.copying import CopyTree
    from .exchange.importing import Schema
    from .paths.naming import PathSpecification
    from .project import Project

__all__ = ["create_linked_view", "export_jobs", "import_into_project"]


def export_jobs(
    jobs: Iterable[Job],
    target: Any,
    path: PathSpecification = None,
    copytree: CopyTree | None = None,
    *,
    force: bool = False,
) -> Iterator[tuple[str, str]]:
    """Copy jobs to a directory or an archive, as soon as the first pair is asked for.

    Parameters
    ----------
    jobs : Project, JobsCursor or any iterable of Job
        The jobs, of one project.
    target, path, copytree, force
        As :meth:`Project.export_to`.

    Yields
    ------
    tuple of str and str
        Path of each job directory and of its copy, relative to ``target``.

    Raises
    ------
    ValueError
        If the jobs belong to several projects.
    TypeError, RuntimeError, FileExistsError, JobsCorruptedError, OSError
        As :meth:`Project.export_to`.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> for a in range(2):
    ...     _ = project.open_job({"a": a}).init()
    >>> sorted(copy for _, copy in export_jobs(project, "data"))
    ['a/0', 'a/1']

    """
    found = list(jobs)
    if not found:
        return
    project = found[0].project
    if any(job.project != project for job in found):
        raise ValueError("Jobs of several projects cannot be exported together: export those of each project.")
    ids = [job.id for job in found]
    plan = exporting.plan_export(
        project.space, ids, target, path, handle=project.handle, copytree=copytree, force=force
    )
    yield from plan.carry_out(copytree=copytree).items()


def import_into_project(
    origin: str | os.PathLike[str] | None,
    project: Project,
    schema: Schema = None,
    copytree: CopyTree | None = None,
) -> Iterator[tuple[str, str]]:
    """Copy a data space into a project, as soon as the first pair is asked for.

    Parameters
    ----------
    origin, project, schema, copytree
        As :meth:`Project.import_from`.

    Yields
    ------
    tuple of str and str
        Path of each imported directory and of the job it became.

    Raises
    ------
    ValueError, TypeError, RuntimeError, DestinationExistsError, OSError
        As :meth:`Project.import_from`.

    Examples
    --------
    >>> from signac_core import init_project
    >>> for name in "xy":
    ...     os.makedirs(f"data/name_{name}")
    >>> project = init_project("study")
    >>> sorted(path for path, _ in import_into_project("data", project, schema="name_{name}"))
    ['data/name_x', 'data/name_y']

    """
    yield from project.import_from(origin, schema=schema, copytree=copytree).items()


def create_linked_view(
    project: Project,
    prefix: str | os.PathLike[str] | None = None,
    job_ids: Iterable[str] | None = None,
    path: PathSpecification = None,
) -> dict[str, str]:
    """Create or update a tree of symbolic links with readable names; see :meth:`Project.create_linked_view`.

    Parameters
    ----------
    project : Project
        The project.
    prefix : str or PathLike, optional
        The directory of the view; by default ``view`` in the working directory.
    job_ids : iterable of str, optional
        Ids, or beginnings of ids, of the jobs to show; all by default. None at all make an empty view.
    path : str, callable, False or None
        How to name the links; as for :meth:`JobsCursor.export_to`.

    Returns
    -------
    dict of str to str
        Path of each link, relative to ``prefix``, and the job directory that it points to.

    Raises
    ------
    KeyError, LookupError
        If there is no job with an id, or several.
    RuntimeError
        If the paths are not unique or not possible, or a state point contains a slash; nothing is changed then.
    FileExistsError
        If something that is not ours stands in the place of links; nothing is changed then.
    JobsCorruptedError
        If jobs are damaged; nothing is changed then.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> for a in range(2):
    ...     _ = project.open_job({"a": a}).init()
    >>> sorted(create_linked_view(project, "view"))
    ['a/0/job', 'a/1/job']

    """
    return project.create_linked_view(prefix, job_ids, path)


if not TYPE_CHECKING:
    from . import late_names

    __getattr__ = late_names(
        globals(),
        {
            "CopyTree": ".exchange.copying",
            "PathSpecification": ".paths.naming",
            "Project": ".project",
            "Schema": ".exchange.importing",
        },
    )
