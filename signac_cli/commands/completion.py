"""``signac completion``: the script that teaches a shell the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..arguments import Command, Rules
from ..output import Failure

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["command"]

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=Command, rules=Rules())
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@click.pass_obj
def command(session: Session, /, *, shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish.

    Commands, options and fixed values are in the script. Ids, keys and values are asked for when TAB is pressed, of the
    project of the current directory or of -C.
    """
    session.output.write(_read(f"signac.{shell}"))


def _read(name: str) -> bytes:
    """Content of a script: of an installation inside the package, of a checkout beside it.

    Raises Failure if there is none.
    """
    package = os.path.dirname(os.path.dirname(__file__))
    for directory in (package, os.path.dirname(package)):
        try:
            with open(os.path.join(directory, "completions", name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            continue
    raise Failure(
        f"The script '{name}' is missing beside '{package}'.", code="installation", hint="Install the program again."
    )
