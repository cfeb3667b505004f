"""``signac clone``: copy jobs into another project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command
from ..transfer import RULES, transfer, transfer_options

if TYPE_CHECKING:
    from signac_core.exchange.links import LeftOut
    from signac_core.workspace import Space

    from ..session import Session

__all__ = ["command"]


@click.command("clone", cls=Command, rules=RULES)
@transfer_options
@click.pass_obj
def command(session: Session, /, **options: Any) -> int:
    """Copy the jobs with the given IDs, with all their data, into another project, which lies at PROJECT or above it.

    An id can be shortened. '-' reads ids from standard input. Nothing is copied unless every id is that of a job. A job
    that the other project has already is left as it is there; 'signac sync' brings it up to date. A dry run prints the
    ids of the jobs that would be copied.
    """
    return transfer(session, "clone", "cloned", _clone, _rehearse, label="Cloning", minimum=1, **options)


def _clone(path: str, job_id: str, space: Space, left_out: LeftOut) -> None:
    from signac_core.exchange.moving import clone

    clone(path, job_id, space, left_out=left_out)


def _rehearse(path: str, job_id: str, left_out: LeftOut) -> None:
    from signac_core.exchange.copying import rehearse, state_point_text

    state_point_text(path, job_id)
    rehearse(path, left_out)
