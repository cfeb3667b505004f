"""``signac init``: create a project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..arguments import Command, Directory, Rules

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["command"]


@click.command(
    "init",
    cls=Command,
    rules=Rules(abbreviated=("--help",)),
)
@click.argument("directory", required=False, type=Directory(), metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="Print a report as one JSON object.")
@click.pass_obj
def command(session: Session, /, *, directory: str | None, as_json: bool) -> None:
    """Create a project in DIR, the current directory by default.

    DIR is created if need be. A directory that is a project already is left as it is.
    """
    from signac_core import layout
    from signac_core.project import Project

    root = os.path.abspath(directory or ".")
    existed = os.path.exists(os.path.join(root, layout.FN_CONFIG))
    project = Project.init_project(root)
    above = None if existed else _project_above(root)
    output = session.output
    output.info(f"'{project.path}' is a project already." if existed else f"Initialized project '{project.path}'.")
    if above is not None:
        output.warn(f"It lies inside the project '{above}', whose commands do not see its jobs.")
    if as_json:
        output.write_json({"path": project.path, "created": not existed, "inside": above})


def _project_above(root: str) -> str | None:
    """Path of the project that a new one lies inside of."""
    from signac_core.errors import ConfigError, IncompatibleSchemaVersion
    from signac_core.workspace import open_space

    try:
        return open_space(os.path.dirname(root)).root
    except (LookupError, ConfigError, IncompatibleSchemaVersion):
        return None
