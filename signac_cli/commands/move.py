"""``signac move``: move jobs into another project."""

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

SHORTEST_PREFIX = 4


@click.command("move", cls=Command, rules=RULES)
@transfer_options
@click.pass_obj
def command(session: Session, /, **options: Any) -> int:
    """Move the jobs with the given IDs into another project, which lies at PROJECT or above it.

    An id can be shortened to 4 digits. '-' reads ids from standard input. Nothing is moved unless every id is that of a
    job. A job that the other project has already stays where it is. A dry run prints the ids of the jobs that would be
    moved.

    On the same file system a job is moved in one step. Between file systems it is copied, the copy compared, and only
    then the original deleted.

    On a terminal you are asked before several jobs are moved that -f selects; -y answers.
    """
    return transfer(
        session, "move", "moved", _move, _rehearse, label="Moving", minimum=SHORTEST_PREFIX, question="Move", **options
    )


def _move(path: str, job_id: str, space: Space, left_out: LeftOut) -> None:
    from signac_core.exchange.moving import move

    move(path, job_id, space)


def _rehearse(path: str, job_id: str, left_out: LeftOut) -> None:
    """Nothing of a job that is moved is left out."""
