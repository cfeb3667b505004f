"""Export and import as functions, under the names that signac 2.x gives them.

They do what :meth:`JobsCursor.export_to` and :meth:`Project.import_from` do, which are the way to ask for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .errors import DestinationExistsError as DestinationExistsError
from .errors import StatepointParsingError as StatepointParsingError
from .exchange import exporting, importing
from .job import Job as Job

if TYPE_CHECKING:
    from .exchange.copying import CopyTree
    from .exchange.importing import Schema
    from .paths.naming import PathSpecification
    from .project import Project

__all__ = ["export_jobs", "import_into_project"]


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
        As :func:`signac_core.exchange.exporting.export_to`.

    Yields
    ------
    tuple of str and str
        Path of each job directory and of its copy, relative to ``target``.

    Raises
    ------
    ValueError
        If the jobs belong to several projects.
    TypeError, RuntimeError, FileExistsError, JobsCorruptedError, OSError
        As :func:`signac_core.exchange.exporting.export_to`.

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
    plan = exporting.plan_export(project, [job.id for job in found], target, path, copytree=copytree, force=force)
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
        As :func:`signac_core.exchange.importing.import_from`.

    Yields
    ------
    tuple of str and str
        Path of each imported directory and of the job it became.

    Raises
    ------
    ValueError, TypeError, RuntimeError, DestinationExistsError, OSError
        As :func:`signac_core.exchange.importing.import_from`.

    Examples
    --------
    >>> from signac_core import init_project
    >>> for name in "xy":
    ...     os.makedirs(f"data/name_{name}")
    >>> project = init_project("study")
    >>> sorted(path for path, _ in import_into_project("data", project, schema="name_{name}"))
    ['data/name_x', 'data/name_y']

    """
    yield from importing.import_from(project, origin, schema=schema, copytree=copytree).items()


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
