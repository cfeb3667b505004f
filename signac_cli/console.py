"""Running Python that is typed or piped in, statement by statement."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from .output import Failure

if TYPE_CHECKING:
    from types import ModuleType

    from .session import Session

__all__ = ["exit_status", "import_interpreter", "library", "run_statements"]


def library(project: Any) -> ModuleType:
    """Module that goes by the name ``signac`` in a session: ours, whatever else has been installed over it."""
    from importlib import import_module

    try:
        found = import_module("signac")
    except ModuleNotFoundError:
        return import_module("signac_core")
    return found if getattr(found, "Project", None) is type(project) else import_module("signac_core")


def import_interpreter(*, is_person: bool) -> None:
    """Import what `run_statements` needs, before anything is imported from the directory of a user."""
    import code  # noqa: F401

    if is_person:
        with suppress(ImportError):  # Python was built without
            import readline  # noqa: F401
            import rlcompleter  # noqa: F401


def run_statements(session: Session, names: dict[str, Any], editing: AbstractContextManager[None] | None = None) -> int:
    """Run what is typed, or what is piped in; return the exit status. Raises Failure if there is no standard input."""
    import code

    if sys.stdin is None:
        raise Failure("Cannot read Python code from standard input: it is closed.", code="input")

    class Console(code.InteractiveConsole):
        failed = False

        def showtraceback(self) -> None:
            self.failed = True
            super().showtraceback()

        def showsyntaxerror(self, *arguments: Any, **options: Any) -> None:
            self.failed = True
            super().showsyntaxerror(*arguments, **options)

    is_person = sys.stdin.isatty()
    if is_person and editing is None:
        with suppress(ImportError):  # Python was built without
            import readline  # noqa: F401  lines can be edited from now on
    console = Console(names)
    session.output.flush()
    try:
        with (editing if is_person else None) or nullcontext():
            console.interact(banner="", exitmsg="")
        if console.buffer and not is_person and console.push(""):
            session.output.error("The code on standard input ends in the middle of a statement.", code="input")
            return 1
    except SystemExit as end:
        return exit_status(end)
    # A person has seen what went wrong; a batch script sees the exit status.
    return 1 if console.failed and not is_person else 0


def exit_status(end: SystemExit) -> int:
    """Exit status that the argument of ``sys.exit`` means; a text is written to standard error."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1
