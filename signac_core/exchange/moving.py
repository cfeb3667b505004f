"""Jobs from one project into another: move and clone.

A copy is built under a hidden name in the destination workspace and renamed to its id when it is whole.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import files, layout, lifecycle
from ..documents import store
from ..errors import DestinationExistsError, Error
from . import links
from .links import LeftOut

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["NotInitializedError", "clone", "move"]


class NotInitializedError(Error, RuntimeError):
    """A job that is to be moved has no directory."""


def clone(
    source: str,
    job_id: str,
    space: Space,
    *,
    copytree: Callable[[str, str], Any] | None = None,
    disposable: bool = False,
    left_out: LeftOut = links.warn,
) -> dict[str, Any]:
    """Copy a job directory into a project, and return its state point; see :meth:`Project.clone`.

    The parameters are those of :func:`copying.bring`. ValueError if there is no such directory; DestinationExistsError
    if the project has this job; after any other error there is no copy.
    """
    from . import copying  # a move on one file system does not pay for it

    destination = space.job_path(job_id)
    store.flush(f"{source}/{layout.FN_DOCUMENT}")
    try:
        if os.path.lexists(destination):
            raise DestinationExistsError(job_id)
        text, status, state_point = copying.state_point_file(source, job_id)
    except (FileNotFoundError, Error):
        if not files.is_directory(source):
            raise ValueError(f"The source job '{job_id}' is not initialized.") from None
        raise
    with copying.naming_the_job(destination, job_id):
        copying.bring(
            source,
            destination,
            name=job_id,
            state_point=text,
            status=status,
            copytree=copytree,
            disposable=disposable,
            durable=space.durable,
            left_out=left_out,
        )
    return state_point


def move(source: str, job_id: str, space: Space) -> None:
    """Move a job directory into a project, on the same file system or another; see :meth:`Job.move`.

    Raises DestinationExistsError if the project has this job; nothing is changed then. On another file system, an equal
    copy that a stopped move has left is no obstacle: the move is finished. After an OSError one of the two projects has
    the whole job.
    """
    destination = space.job_path(job_id)
    if not files.is_directory(source):
        raise NotInitializedError(f"Cannot move job '{job_id}', because it is not initialized!")
    if os.path.lexists(destination) and os.path.realpath(source) == os.path.realpath(destination):
        return
    try:
        lifecycle.move_directory(source, space.workspace, job_id, durable=space.durable)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        from . import copying

        state_point = copying.state_point_text(source, job_id)
        files.ensure_directory(space.workspace, durable=space.durable)
        with copying.naming_the_job(destination, job_id):
            copying.move_by_copy(source, destination, name=job_id, state_point=state_point, durable=space.durable)
