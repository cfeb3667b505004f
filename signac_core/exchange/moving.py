"""Jobs from one project into another: move and clone.

A copy is built under a hidden name in the destination workspace and renamed to its id when it is whole.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import files, lifecycle
from ..errors import DestinationExistsError, Error
from ..job import Job
from . import links
from .links import LeftOut

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["NotInitializedError", "clone", "move"]


class NotInitializedError(Error, RuntimeError):
    """A job that is to be moved has no directory."""


def clone(
    project: Project,
    job: Job,
    *,
    copytree: Callable[[str, str], Any] | None = None,
    disposable: bool = False,
    left_out: LeftOut = links.warn,
) -> Job:
    """Copy a job into a project; see :meth:`Project.clone`.

    Raises ValueError if the job is not initialized; DestinationExistsError if the project has this job;
    JobsCorruptedError if its state point is damaged; OSError if something cannot be read or written; there is no copy
    then.
    """
    from . import copying  # a move on one file system does not pay for it

    if not files.is_directory(job.path):
        raise ValueError(f"The source job '{job.id}' is not initialized.")
    copy = Job(project, job._plain_statepoint(), id_=job.id)
    if os.path.lexists(copy.path):
        raise DestinationExistsError(copy)
    job._flush_document()
    try:
        copying.bring(
            job.path,
            copy.path,
            name=job.id,
            state_point=copying.state_point_text(job.path, job.id),
            copytree=copytree,
            disposable=disposable,
            durable=project.durable,
            left_out=left_out,
        )
    except FileExistsError as present:
        if present.filename != copy.path:
            raise
        raise DestinationExistsError(copy) from None
    copy._directory_known = True
    return copy


def move(job: Job, project: Project) -> None:
    """Move a job into another project; see :meth:`Job.move`.

    Raises NotInitializedError if the job has no directory. It is a RuntimeError; DestinationExistsError if the project
    has this job; nothing is changed then. On another file system, an equal copy, which a move that was stopped has
    left, is no obstacle: the move is finished; OSError if something cannot be read or written; one of the two projects
    has the whole job.
    """
    if not files.is_directory(job.path):
        raise NotInitializedError(f"Cannot move job '{job.id}', because it is not initialized!")
    source = job.path
    destination = os.path.join(project.workspace, job.id)
    if os.path.realpath(source) == os.path.realpath(destination):
        return
    try:
        lifecycle.move_directory(source, project.workspace, job.id, durable=project.durable)
    except DestinationExistsError:
        raise DestinationExistsError(project.open_job(id=job.id)) from None
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        from . import copying

        state_point = copying.state_point_text(source, job.id)
        files.ensure_directory(project.workspace, durable=project.durable)
        try:
            copying.move_by_copy(source, destination, name=job.id, state_point=state_point, durable=project.durable)
        except FileExistsError as present:
            if present.filename != destination:
                raise
            raise DestinationExistsError(project.open_job(id=job.id)) from None
