"""One run of the program: the global options, the project at hand, and how an error becomes an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from .output import Failure, Output

if TYPE_CHECKING:
    from signac_core.job import Job
    from signac_core.project import Project
    from signac_core.workspace import Space

__all__ = ["Session", "as_failure"]

_INTERRUPTED = 130

_FEW = 3
"""So many damaged jobs are told together with what is wrong with them."""

_WARNING = 30

_LOG_LEVELS = {"info": 20, "more": 15, "debug": 10}

_VERBOSITY = (_WARNING, *_LOG_LEVELS.values())
"""The level of what is logged, for each number of ``-v``."""


class Session:
    """One run of the program: the global options, and what every command needs."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.output.color = _environment_color()
        self.yes = _environment_flag("SIGNAC_YES")
        self.debug = False
        self.progress = not _environment_flag("SIGNAC_NO_PROGRESS")
        self.when_interrupted: str | None = None  # what is true of the work of the command if Ctrl-C ends it
        self.hinted: set[tuple[str, str]] = set()  # namespaces and names of keys that the user has been told about
        self.until_end = ExitStack()  # what lasts until the end of the run
        self._directories: list[str] = []
        self._verbosity = 0
        self._space: Space | None = None
        self._make_handle: Callable[..., Job] | None = None

    def set_option(self, name: str, value: Any) -> None:
        """Take a global option, given before or after the command."""
        match name:
            case "project_dir":
                self._directories += value
            case "verbose":
                self._verbosity += value
            case "quiet":
                self.output.quiet = True
            case "debug":
                self.debug = True
            case "yes":
                self.yes = True
            case "color":
                self.output.color = value
            case "no_progress":
                self.progress = False

    def begin(self) -> None:
        """Make the global options hold, before the command runs.

        Raises Failure if the directory of ``-C`` cannot be entered.
        """
        self._start_logging()
        preset = os.path.expanduser(os.environ.get("SIGNAC_PROJECT_DIR", ""))  # which a script may have quoted
        for directory in self._directories or ([preset] if preset else []):
            try:
                entered = os.path.normpath(os.path.join(os.environ.get("PWD") or os.getcwd(), directory))
                os.chdir(directory)
                os.environ["PWD"] = entered  # as a shell does: it tells of the links that led there
            except OSError as error:
                origin = "" if self._directories else " (SIGNAC_PROJECT_DIR)"
                raise Failure(
                    f"Cannot change to the directory '{directory}'{origin}: {error.strerror}.", code="no-directory"
                ) from None

    def _start_logging(self) -> None:
        """Show what the library logs; by default it logs nothing that anybody needs to see."""
        level = min(
            _LOG_LEVELS.get(os.environ.get("SIGNAC_LOG", "").lower(), _WARNING),
            _VERBOSITY[min(self._verbosity, len(_VERBOSITY) - 1)],
            _VERBOSITY[-1] if self.debug else _WARNING,
        )
        if level < _WARNING and not self.output.quiet:
            import logging

            output = self.output

            class Handler(logging.Handler):
                def emit(self, record: logging.LogRecord) -> None:
                    output.write_to_stderr(self.format(record) + "\n")

            logging.basicConfig(level=level, format="%(levelname)s:%(name)s:%(message)s", handlers=[Handler()])

    def space(self, directory: str | None = None, *, at_one_moment: bool = False) -> Space:
        """Space of the project that a directory is in, by default the current one; enough for all but handles.

        A workspace that is missing is warned of, and not made. At one moment, jobs are looked for once, so that all
        that the command prints fits together: for commands that neither change jobs nor ask the user anything. Raises
        Failure if there is no project, or its workspace is something else than a directory.
        """
        from signac_core.workspace import open_space

        with _naming(directory) as path:
            space = open_space(path)
        return self._checked(space, directory, at_one_moment=at_one_moment)

    def project(self, directory: str | None = None, *, at_one_moment: bool = False) -> Project:
        """Handle on the project that `space` finds."""
        from signac_core.project import find_project

        with _naming(directory) as path:
            project = find_project(path)
        self._checked(project.space, directory, at_one_moment=at_one_moment)
        return project

    def handle(self, job_id: str, state_point: dict[str, Any]) -> Job:
        """Handle on a job of the current project, which templates of paths need if they name more than keys."""
        if self._make_handle is None:
            from signac_core.project import find_project

            self._make_handle = find_project().handle
        return self._make_handle(job_id, state_point)

    def _checked(self, space: Space, directory: str | None, *, at_one_moment: bool) -> Space:
        from signac_core import files
        from signac_core.workspace import workspace_problem

        if directory is None:
            self._space = space
        if at_one_moment:
            self.until_end.enter_context(space.one_moment())
        place = space.workspace
        try:
            is_whole = files.is_directory(place)
        except OSError:  # whoever reads it will say
            is_whole = True
        if is_whole:
            return space
        problem = workspace_problem(place)
        if os.path.lexists(place):
            hint = "Mount what it leads to, or correct it." if os.path.islink(place) else "Move it out of the way."
            raise Failure(f"{problem}: '{place}'.", code="workspace", hint=hint)
        self.output.warn(
            f"{problem}: '{place}'. Unless the project is new, find out where its jobs are; 'signac init' makes an "
            "empty one."
        )
        return space

    def confirm(self, question: str) -> bool:
        """Ask a question unless ``-y`` answers it."""
        return self.yes or self.output.ask(question)

    def read_input(self, what: str) -> str:
        """Everything on standard input, as UTF-8 whatever the locale says.

        Raises Failure if standard input is closed.
        """
        if sys.stdin is None:
            raise Failure(f"Cannot read {what} from standard input: it is closed.", code="input")
        if sys.stdin.isatty():
            self.output.info(f"Reading {what} from standard input; Ctrl-D ends it.")
        return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")

    def report_damaged(self, job_ids: Sequence[str]) -> int:
        """Tell which jobs were left out because a file of theirs cannot be read; return the exit status."""
        if not job_ids:
            return 0
        job_ids = sorted(set(job_ids))
        more = f" and {len(job_ids) - 5} more" if len(job_ids) > 5 else ""
        shown = ", ".join(self._with_reasons(job_ids) if len(job_ids) <= _FEW else job_ids[:5]) + more
        jobs, were = ("job", "was") if len(job_ids) == 1 else ("jobs", "were")
        self.output.error(
            f"{len(job_ids)} {jobs} with a damaged state point or document {were} left out: {shown}.",
            code="damaged-jobs",
            hint="Run 'signac check'.",
        )
        return 1

    def _with_reasons(self, job_ids: Sequence[str]) -> Iterator[str]:
        """Ids of damaged jobs, each with what is wrong with it."""
        from signac_core.care.integrity import examine_job

        for job_id in job_ids:
            problems = [] if self._space is None else examine_job(self._space, job_id)
            reasons = "; ".join(problem.detail.rstrip(".") for problem in problems)
            yield f"{job_id} ({reasons})" if reasons else job_id


@contextmanager
def _naming(directory: str | None) -> Iterator[str | None]:
    """Say where there is no project, and pass the absolute path of a directory on."""
    path = directory
    try:
        path = None if directory is None else os.path.abspath(directory)
        yield path
    except FileNotFoundError:
        raise Failure("The current directory has been deleted.", code="no-directory") from None
    except LookupError:
        if path is None:
            raise Failure(
                f"There is no project in '{os.getcwd()}' or above it.",
                code="no-project",
                hint="Create one with 'signac init', or name its directory with -C.",
            ) from None
        reason = "does not exist" if not os.path.exists(path) else "is not in a project"
        hint = "Name the directory of a project, or create one with 'signac init DIR'."
        raise Failure(f"The path '{path}' {reason}.", code="no-project", hint=hint) from None


def as_failure(error: BaseException) -> Failure:
    """Say in one line what happened, and which exit status it means."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else "signac"
        return Failure(error.format_message(), code="usage", hint=f"See '{path} --help'.", status=error.exit_code)
    if isinstance(error, click.ClickException):
        return Failure(error.format_message(), status=error.exit_code)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Failure("Interrupted.", code="interrupted", status=_INTERRUPTED)
    return _failure_of_library(error)


def _failure_of_library(error: BaseException) -> Failure:
    from signac_core import errors

    match error:
        case errors.JobsCorruptedError():
            ids = ", ".join(error.job_ids)
            return Failure(f"The state point of job {ids} is damaged.", code="damaged-jobs", hint="Run 'signac check'.")
        case errors.IncompatibleSchemaVersion():
            return Failure(str(error), code="schema-version")
        case errors.ConfigError():
            return Failure(str(error), code="config")
        case errors.LockTimeoutError():
            return Failure(str(error), code="lock-timeout")
        case errors.WorkspaceError() if isinstance(error.error, OSError):
            return _failure_of_library(error.error)
        case OSError() if error.strerror is not None:
            where = f": '{os.fsdecode(error.filename)}'" if isinstance(error.filename, (str, bytes)) else ""
            return Failure(f"{error.strerror}{where}.", code="system")
        case KeyError() if error.args:
            return Failure(str(error.args[0]))
        case RecursionError():
            return Failure("The data is nested too deeply.")
        case MemoryError():
            return Failure("There is not enough memory.", code="system")
        case errors.Error() | errors.InvalidKeyError() | errors.KeyTypeError() | ValueError() | LookupError():
            return Failure(str(error) or type(error).__name__)
        case _:
            return Failure(f"{type(error).__name__}: {error}", code="internal", hint="--debug shows where.")


def _environment_flag(name: str) -> bool:
    text = os.environ.get(name, "").strip()
    if not text:
        return False
    from signac_core.config import is_off

    return not is_off(text)


def _environment_color() -> str:
    """Choose colours by the variables that programs agree on; our own comes first."""
    own = os.environ.get("SIGNAC_COLOR", "").lower()
    if own in ("always", "never", "auto"):
        return own
    if os.environ.get("NO_COLOR"):
        return "never"
    if _environment_flag("FORCE_COLOR") or _environment_flag("CLICOLOR_FORCE"):
        return "always"
    return "auto"
