"""``signac shell``: run Python with the project at hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, ParamType, Rules
from ..options import allow_eval_option, filter_option, job_id_option
from ..output import Failure, OutputClosed
from ..selection import select

if TYPE_CHECKING:
    from signac_core.job import Job
    from signac_core.project import Project

    from ..session import Session

__all__ = ["command"]

HISTORY_LENGTH = 1000


class _Native(ParamType):
    """An argument for somebody else, in the encoding in which the operating system has passed it on."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Convert the text of an argument back."""
        return os.fsdecode(value.encode("utf-8", "surrogateescape"))


@click.command(
    "shell",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        abbreviated=("--help", "--command", "--filter", "--job-id"),
        filters=("--filter",),
        interspersed=False,
    ),
)
@click.argument("file", required=False, type=_Native(), metavar="[FILE|-]")
@click.argument("arguments", nargs=-1, type=_Native(), metavar="[ARG]...")
@click.option("-c", "--command", "source", metavar="CODE", help="Run CODE.")
@filter_option("-f", "--filter")
@job_id_option
@allow_eval_option
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    file: str | None,
    arguments: tuple[str, ...],
    source: str | None,
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    allow_eval: bool,
) -> int:
    """Run the Python script FILE with its ARGs, or the program on standard input ('-'), or an interactive shell.

    These names are defined: 'project' or 'pr'; 'jobs', an iterator over the selected jobs, or over all, with a length;
    'job', the one that is selected, or else the one whose directory this is, or None; 'signac', the library.

    Options stand before FILE: what follows it is for the script. The exit status is that of sys.exit, and 1 after an
    exception.
    """
    if file is not None and source is not None:
        raise Failure("FILE and --command exclude each other.", code="usage", hint="Give one of them.")
    if "-" in (job_ids or ()) and source is None and file in (None, "-"):
        raise click.UsageError("Standard input cannot hold both job ids and Python code.")
    for argument in arguments:
        if argument in ("-f", "--filter", "-j", "--job-id"):
            session.output.info(f"'{argument}' is passed on to '{file}'; options of 'signac shell' stand before FILE.")
    project = session.project()
    damaged: list[str] = []
    ids = select(session, project.space, job_ids or (), filter_tokens, allow_eval=allow_eval, damaged=damaged)
    incomplete = session.report_damaged(damaged)
    names = _names(project, ids)
    if source is not None:
        with _main_module(names, ["-c"]) as module:
            return _run(session, module, source, "<string>") or incomplete
    if file == "-":
        program = session.read_input("Python code")
        with _main_module(names, ["-", *arguments]) as module:
            return _run(session, module, program, "<stdin>") or incomplete
    if file is not None:
        with open(file, "rb") as opened:  # a pipe, such as <(sed ... script.py), is waited for
            script = opened.read()
        with _main_module(names, [file, *arguments], file=file) as module:
            return _run(session, module, script, file) or incomplete
    return _interact(session, project, names, len(ids)) or incomplete


def _names(project: Project, ids: Sequence[str]) -> dict[str, Any]:
    """Names that are defined for whatever is run."""
    from ..console import library

    return {
        "project": project,
        "pr": project,
        "jobs": _Selection(project, ids),
        "job": project.open_job(id=ids[0]) if len(ids) == 1 else _job_of_directory(project),
        "signac": library(project),
    }


class _Selection(Iterator["Job"]):
    """An iterator over jobs, as in signac 2.x, that also knows their number, and starts again after the last one."""

    def __init__(self, project: Project, ids: Sequence[str]) -> None:
        self._project = project
        self._ids = ids
        self._next = 0

    def __iter__(self) -> Iterator[Job]:
        if self._next == len(self._ids):
            self._next = 0
        return self

    def __next__(self) -> Job:
        from signac_core.job import Job

        if self._next == len(self._ids):
            raise StopIteration
        self._next += 1
        return Job(self._project, id_=self._ids[self._next - 1], directory_known=True)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<iterator over {len(self)} job{'' if len(self) == 1 else 's'}>"


def _job_of_directory(project: Project) -> Job | None:
    """The job whose directory is the current one, or above it."""
    try:
        return project.get_job()
    except LookupError:
        return None


@contextmanager
def _main_module(
    names: dict[str, Any], arguments: list[str], *, file: str | None = None, directory: str | None = ""
) -> Iterator[ModuleType]:
    """Let a new module be the one that runs, as Python does it for a script (pickling relies on that).

    What it imports is first looked for in the directory of its file, or else in ``directory`` if that is not None.
    """
    module = ModuleType("__main__")
    module.__dict__.update(names)
    saved = sys.modules["__main__"], sys.argv, list(sys.path)
    if file is not None:
        module.__file__ = file
        directory = os.path.dirname(os.path.realpath(file))
    if directory is not None:
        _search_first(directory)
    sys.modules["__main__"], sys.argv = module, arguments
    try:
        yield module
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = saved


def _search_first(directory: str) -> None:
    """Look for modules in a directory first, unless Python was told never to do that."""
    if not sys.flags.safe_path:
        sys.path.insert(0, directory)


def _run(session: Session, module: ModuleType, source: str | bytes, name: str) -> int:
    """Run a program; return the exit status."""
    try:
        exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as end:
        from ..console import exit_status

        return exit_status(end)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _is_abandoned(sys.stdout):
            raise OutputClosed from None
        here = error.__traceback__
        error.__traceback__ = here.tb_next if here is not None else None  # the frames of the program alone
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def _is_abandoned(stream: Any) -> bool:
    """Tell whether a stream is a pipe that nobody reads any more."""
    from select import POLLERR, POLLHUP, poll

    try:
        polled = poll()
        polled.register(stream.fileno(), 0)
        return any(events & (POLLERR | POLLHUP) for _, events in polled.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


# --- interactive -----------------------------------------------------------------------------------------------------


def _interact(session: Session, project: Project, names: dict[str, Any], number: int) -> int:
    """Run what is typed, statement by statement; return the exit status.

    What this needs is imported before the working directory is searched for modules: a file ``code.py`` there is no
    part of the shell.
    """
    from .. import console

    banner = _banner(project, number)
    is_person = sys.stdin is not None and sys.stdin.isatty()
    with _main_module(names, [""], directory=None) as module:
        if is_person and (embed := _ipython(session, module, banner)) is not None:
            _search_first("")
            embed()
            return 0
        console.import_interpreter(is_person=is_person)
        for line in banner:
            session.output.info(line)
        editing = _line_editing(session, project, module)
        _search_first("")
        return console.run_statements(session, module.__dict__, editing)


def _banner(project: Project, number: int) -> list[str]:
    from signac_core.version import DESCRIPTION

    python = ".".join(map(str, sys.version_info[:3]))
    return [
        f"{DESCRIPTION}, Python {python}",
        f"Project '{project.path}', {number} job{'' if number == 1 else 's'} selected.",
        "Defined: project (or pr), jobs, job, signac. help(project) tells more.",
    ]


def _ipython(session: Session, module: ModuleType, banner: list[str]) -> Callable[[], None] | None:
    """IPython's shell, if it is installed."""
    try:
        from IPython.terminal.embed import InteractiveShellEmbed
    except ImportError:
        return None
    text = "" if session.output.quiet else "".join(f"{line}\n" for line in banner)
    shell: Callable[[], None] = InteractiveShellEmbed(banner1=text, user_module=module, user_ns=module.__dict__)
    return shell


@contextmanager
def _line_editing(session: Session, project: Project, module: ModuleType) -> Iterator[None]:
    """Complete names with the tab key, and remember lines from one shell of the project to the next."""
    try:
        import readline
        import rlcompleter
    except ImportError:  # Python was built without
        yield
        return
    from signac_core.layout import CONFIG_DIRECTORY

    readline.set_completer(rlcompleter.Completer(module.__dict__).complete)
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    path = os.path.join(project.path, CONFIG_DIRECTORY, "shell_history")
    with suppress(OSError):  # the first time
        readline.read_history_file(path)
    before = readline.get_current_history_length()
    readline.set_history_length(HISTORY_LENGTH)
    try:
        yield
    finally:
        new = readline.get_current_history_length() - before
        try:
            # Appended, because another shell of the project may have been used meanwhile.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            readline.append_history_file(new, path)
        except OSError as error:
            session.output.warn(f"The history of the shell was not saved in '{path}': {error.strerror}.")
