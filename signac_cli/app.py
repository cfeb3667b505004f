"""The program: which commands there are, the run of one of them, and how a run ends.

A command is a module of `signac_cli.commands` with a `click.Command` named ``command``, and a row in `COMMANDS`. It is
imported when it is asked for. Its function returns the exit status, or None for 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from .arguments import GLOBAL_OPTIONS, Rules, canonical, help_text, write_options, write_terms
from .output import Failure, Output, OutputClosed, is_utf8
from .session import Session, as_failure

__all__ = ["COMMANDS", "Program", "run"]

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
    """Run the program."""
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
        session.output.summarize_repeated()
    session.output.error(failure.message, code=failure.code, hint=hint)
    if session.debug:
        import traceback

        session.output.write_to_stderr("".join(traceback.format_exception(error)))
    return failure.status


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
