"""The program: which commands there are, the run of one of them, and how a run ends.

A command is a module of `signac_cli.commands` with a `click.Command` named ``command``, and a row in `COMMANDS`. It is
imported when it is asked for. Its function returns the exit status, or None for 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from .arguments import GLOBAL_OPTIONS, Rules, canonical, help_text, write_options, write_terms
from .output import Failure, Output, OutputClosed, is_utf8

if TYPE_CHECKING:
    from signac_core.project import Project

__all__ = ["COMMANDS", "Program", "Session", "as_failure", "run"]

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Create a project."),
    "job": ("job", "Print the id or the path of a job, and create it."),
    "find": ("find", "Find jobs by their state points and documents."),
    "statepoint": ("statepoint", "Print state points."),
    "document": ("document", "Print job documents, and change them."),
    "diff": ("diff", "Print how the state points of jobs differ."),
    "neighbors": ("neighbors", "Print the jobs next to a job along each parameter."),
    "schema": ("schema", "Print the keys of the state points, with types and values."),
    "view": ("view", "Link to the jobs under readable names."),
    "export": ("export", "Copy jobs to a directory or archive under readable names."),
    "import": ("import_", "Make jobs of the directories in a directory or an archive."),
    "rm": ("rm", "Remove jobs, or clear them."),
    "move": ("move", "Move jobs into another project."),
    "clone": ("clone", "Copy jobs into another project."),
    "sync": ("sync", "Bring the jobs and documents of one project into another."),
    "check": ("check", "Find what is damaged, and repair it."),
    "status": ("status", "Show what is known of the project at a glance."),
    "update-cache": ("update_cache", "Write the index and the cache file, for fast queries."),
    "config": ("config", "Show and change the configuration."),
    "migrate": ("migrate", "Give a project of an older layout the present one."),
    "shell": ("shell", "Run Python with the project at hand."),
    "completion": ("completion", "Print the completion script for a shell."),
}
"""The module, and one line of help, of each command."""

INTERRUPTED = 130

_FEW = 3
"""So many damaged jobs are told together with what is wrong with them."""

_FALSE = frozenset({"", "0", "false", "f", "no", "n", "off"})
_WARNING = 30
_LOG_LEVELS = {"info": 20, "more": 15, "debug": 10}
_VERBOSITY = (_WARNING, *_LOG_LEVELS.values())
"""The level of what is logged, for each number of ``-v``."""


class Session:
    """One run of the program: the global options, and what every command needs.

    Attributes
    ----------
    output : Output
        Where results and messages go.
    yes : bool
        Answer every question with yes.
    debug : bool
        Show tracebacks.
    progress : bool
        Draw progress bars.
    when_interrupted : str, optional
        What is true of the work of the command, if Ctrl-C ends it.
    hinted : set
        Namespace and name of the keys that have been told about because nothing has them.
    until_end : contextlib.ExitStack
        What lasts until the end of the run.

    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self.output.color = _environment_color()
        self.yes = _environment_flag("SIGNAC_YES")
        self.debug = False
        self.progress = not _environment_flag("SIGNAC_NO_PROGRESS")
        self.when_interrupted: str | None = None
        self.hinted: set[tuple[str, str]] = set()
        self.until_end = ExitStack()
        self._directories: list[str] = []
        self._verbosity = 0
        self._project: Project | None = None

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

        Raises
        ------
        Failure
            If the directory of ``-C`` cannot be entered.

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
                    output.show(self.format(record) + "\n")

            logging.basicConfig(level=level, format="%(levelname)s:%(name)s:%(message)s", handlers=[Handler()])

    def project(self, *, at_one_moment: bool = False) -> Project:
        """Open the project of the current directory; a workspace that is missing is told about, and not made.

        Parameters
        ----------
        at_one_moment : bool
            Look once at which jobs there are, so that all that the command prints fits together: for commands that
            neither change jobs nor ask the user anything.

        Raises
        ------
        Failure
            If there is none, or its workspace is something else than a directory.

        """
        from signac_core import project

        try:
            self._project = project.find_project()
        except FileNotFoundError:
            raise Failure("The current directory has been deleted.", code="no-directory") from None
        except LookupError:
            raise Failure(
                f"There is no project in '{os.getcwd()}' or above it.",
                code="no-project",
                hint="Create one with 'signac init', or name its directory with -C.",
            ) from None
        self.look_at_workspace(self._project)
        if at_one_moment:
            self.until_end.enter_context(self._project.space.one_moment())
        return self._project

    def look_at_workspace(self, project: Project) -> None:
        """Tell about a workspace that is missing.

        Raises
        ------
        Failure
            If it is something else than a directory.

        """
        from signac_core import files
        from signac_core.project import workspace_problem

        place = project.workspace
        try:
            is_whole = files.is_directory(place)
        except OSError:  # whoever reads it will say
            is_whole = True
        if is_whole:
            return
        problem = workspace_problem(place)
        if os.path.lexists(place):
            hint = "Mount what it leads to, or correct it." if os.path.islink(place) else "Move it out of the way."
            raise Failure(f"{problem}: '{place}'.", code="workspace", hint=hint)
        self.output.warn(
            f"{problem}: '{place}'. Unless the project is new, find out where its jobs are; 'signac init' makes an "
            "empty one."
        )

    def confirm(self, question: str) -> bool:
        """Ask a question unless ``-y`` answers it."""
        return self.yes or self.output.ask(question)

    def read_input(self, what: str) -> str:
        """Everything on standard input, as UTF-8 whatever the locale says.

        Parameters
        ----------
        what : str
            What is read, for messages.

        Raises
        ------
        Failure
            If standard input is closed.

        """
        if sys.stdin is None:
            raise Failure(f"Cannot read {what} from standard input: it is closed.", code="input")
        if sys.stdin.isatty():
            self.output.talk(f"Reading {what} from standard input; Ctrl-D ends it.")
        return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")

    def report_damaged(self, job_ids: Sequence[str]) -> int:
        """Tell which jobs were left out because a file of theirs cannot be read; return the exit status.

        Parameters
        ----------
        job_ids : sequence of str
            The jobs, in any order and any number of times.

        """
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
            problems = [] if self._project is None else examine_job(self._project.space, job_id)
            reasons = "; ".join(problem.detail.rstrip(".") for problem in problems)
            yield f"{job_id} ({reasons})" if reasons else job_id


class Program(click.Group):
    """The group of all commands, each imported when it is needed."""

    def __init__(self) -> None:
        super().__init__(
            "signac",
            help="Manage the data of parameter studies: projects of jobs, each a directory.",
            epilog="'signac help COMMAND' tells more about a command.",
            params=list(GLOBAL_OPTIONS),
            invoke_without_command=True,
            subcommand_metavar="COMMAND [ARGS]...",
            add_help_option=False,  # Click's own looks for translations
        )

    rules = Rules(abbreviated=("--help", "--debug", "--version", "--verbosity", "--yes"))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = import_module(f"signac_cli.commands.{COMMANDS[cmd_name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for; ``help`` in front of one asks for its help page."""
        name, *rest = args
        if name == "help":
            if not rest or rest[0] == name or rest[0].startswith("-"):
                session: Session = ctx.obj
                session.output.write(help_text(ctx))
                ctx.exit()
            name, *rest = [*rest, "--help"]
        command = self.get_command(ctx, name)
        if command is None:
            # Only a mistake pays for the import.
            from .synonyms import of_command

            raise click.UsageError(f"No such command '{name}'.{of_command(name, COMMANDS)}", ctx)
        return name, command, rest

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the global options in front of the command."""
        try:
            args, _ = canonical(args, self.get_params(ctx), self.rules, interspersed=False)
        except click.UsageError as error:
            error.ctx = ctx
            raise
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; without one, show the help and fail."""
        result = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            session: Session = ctx.obj
            session.output.write(help_text(ctx))
            return 2
        return result

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the global options, then the commands, without importing these."""
        write_options(self.get_params(ctx), ctx, formatter, title="Global options")
        with formatter.section("Commands"):
            write_terms([(name, short_help) for name, (_, short_help) in COMMANDS.items()], formatter)


def run(arguments: Sequence[str]) -> int:
    """Run the program.

    Parameters
    ----------
    arguments : sequence of str
        The command line without the name of the program.

    Returns
    -------
    int
        The exit status.

    """
    _reserve_standard_streams()
    arguments = _decoded(arguments)
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    output = Output(json_errors="--json" in options or "--jsonl" in options)
    session = Session(output)
    try:
        with session.until_end:
            status = _execute(session, arguments)
    except OutputClosed:
        status = 0
    except (Exception, KeyboardInterrupt) as error:
        status = _report(session, error)
    try:
        output.finish()
    except OutputClosed:
        pass
    except Failure as failure:
        if status in (0, 3):
            status = _report(session, failure)
    return status


def _execute(session: Session, arguments: list[str]) -> int:
    program = Program()
    try:
        with program.make_context("signac", arguments, obj=session) as ctx:
            status = program.invoke(ctx)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    return status if isinstance(status, int) else 0


def _report(session: Session, error: BaseException) -> int:
    """Tell about an error in one line; return the exit status that goes with it."""
    failure = as_failure(error)
    hint = failure.hint
    if isinstance(error, KeyboardInterrupt):
        hint = session.when_interrupted
        session.output.begin_line()
        session.output.tell_more()
    session.output.error(failure.message, code=failure.code, hint=hint)
    if session.debug:
        import traceback

        session.output.show("".join(traceback.format_exception(error)))
    return failure.status


def as_failure(error: BaseException) -> Failure:
    """Say in one line what happened, and which exit status it means.

    Parameters
    ----------
    error : BaseException
        Anything that a command or the library has raised.

    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else "signac"
        return Failure(error.format_message(), code="usage", hint=f"See '{path} --help'.", status=error.exit_code)
    if isinstance(error, click.ClickException):
        return Failure(error.format_message(), status=error.exit_code)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Failure("Interrupted.", code="interrupted", status=INTERRUPTED)
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


def _decoded(arguments: Sequence[str]) -> list[str]:
    """Read the arguments as UTF-8 whatever the locale says, so that a state point has one id everywhere."""
    if is_utf8(sys.getfilesystemencoding()):
        return list(arguments)
    return [os.fsencode(argument).decode("utf-8", "surrogateescape") for argument in arguments]


def _reserve_standard_streams() -> None:
    """Keep files that are opened later from taking the place of a closed standard stream."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
            pass
        os.close(descriptor)


def _environment_flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() not in _FALSE


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
