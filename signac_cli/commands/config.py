"""``signac config``: show and change the configuration of a project and of the user."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..arguments import Command, Rules, help_text
from ..output import Failure

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["command"]

_F = TypeVar("_F", bound=Callable[..., Any])

_GLOBAL, _LOCAL, _FORCE = "signac_cli.config.global", "signac_cli.config.local", "signac_cli.config.force"

_ABBREVIATED = ("--help", "--global", "--local", "--force")


def _note(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Remember an option, whether it stands before or after the name of the sub-command."""
    if value:
        ctx.meta[f"signac_cli.config.{param.name}"] = True


def _scope_options(function: _F) -> _F:
    for names, text in reversed(
        [
            (("-g", "--global"), "The configuration of the user, ~/.signacrc."),
            (("-l", "--local"), "The configuration of the project, .signac/config."),
            (("-f", "--force"), "Let 'set' and 'unset' change the schema version of a project."),
        ]
    ):
        function = click.option(*names, is_flag=True, expose_value=False, callback=_note, help=text)(function)
    return function


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class _Group(Command, click.Group):
    """The sub-commands; the options of all of them may stand before their names."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command, which begins the session; without one, show the help and fail."""
        result = click.Group.invoke(self, ctx)
        if ctx.invoked_subcommand is None:
            ctx.obj.output.write(help_text(ctx))
            return 2
        return result

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the sub-command that was asked for."""
        if args[0] not in self.commands:
            # Only a mistake pays for the import.
            from ..synonyms import of_config_command

            raise click.UsageError(f"No such command '{args[0]}'.{of_config_command(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the sub-commands, then the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


@click.group(
    "config",
    cls=_Group,
    rules=Rules(abbreviated=_ABBREVIATED, interspersed=False),
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@_scope_options
def command() -> None:
    """Show and change the configuration of the project and of the user.

    Keys of sections are dotted: 'site.contact' is the key 'contact' of the section 'site'. The configuration of the
    project comes before that of the user. The options can stand before or after the name of the sub-command.
    """


@command.command("show", cls=Command, rules=Rules(abbreviated=_ABBREVIATED), short_help="Print a key, or everything.")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@_scope_options
@_json_option
@click.pass_context
def _show(ctx: click.Context, /, *, keys: tuple[str, ...], as_json: bool) -> int:
    """Print the value of a KEY, or the section of that name; without a KEY, everything.

    Several KEYs lead into sections: 'show a b' is 'show a.b'. Without -g and -l, the configuration of the user and that
    of the project on top of it are shown. The exit status is 1 if there is no such key.
    """
    from signac_core import configfile
    from signac_core.config import user_config_path

    session: Session = ctx.obj
    scope = _scope(ctx)
    local = None if scope == "global" else configfile.find_local(os.getcwd())
    values: dict[str, Any] | None
    if scope == "global":
        values = configfile.read(user_config_path()) or {"schema_version": "1"}
    elif scope == "local":
        values = None if local is None else configfile.read(local)
    else:
        values = configfile.read_merged(local)
    if values is None and not keys:
        session.output.info(_not_found(scope))
        values = {}
    key = [name for text in keys for name in text.split(".")]
    try:
        value = configfile.value_of(values or {}, key)
    except KeyError as error:
        raise Failure(error.args[0], code="no-key") from None
    if as_json:
        session.output.write_json(value)
    elif isinstance(value, dict):
        if value:
            session.output.write(configfile.format_section(values or {}, key) + "\n")
    else:
        session.output.write(f"{value}\n")
    return 0


@command.command("set", cls=Command, rules=Rules(abbreviated=_ABBREVIATED), short_help="Set a key.")
@click.argument("key", metavar="KEY")
@click.argument("values", nargs=-1, metavar="VALUE...")
@_scope_options
@_json_option
@click.pass_context
def _set(ctx: click.Context, /, *, key: str, values: tuple[str, ...], as_json: bool) -> int:
    """Set a KEY to a VALUE, or to a list of several, in the configuration of the project, or with -g of the user.

    Sections are created when they are needed. Comments and everything else in the file stay.
    """
    from signac_core.configfile import set_key

    if not values:
        raise Failure(f"There is no value for '{key}'.", code="usage", hint="See 'signac config set --help'.")
    value: str | list[str] = values[0] if len(values) == 1 else list(values)
    path, parts = _target(ctx, key)
    _guard_schema_version(ctx, path, parts, value)
    try:
        changed = set_key(path, parts, value)
    except ValueError as error:
        raise Failure(str(error), code="bad-key", hint="Delete it with 'signac config unset' first.") from None
    session: Session = ctx.obj
    session.output.info(
        f"Updated value '{key}'='{value}'." if changed else f"The value of '{key}' is '{value}' already."
    )
    return _finish(session, "set", path, key, changed=changed, as_json=as_json, value=value)


@command.command("unset", cls=Command, rules=Rules(abbreviated=("--help",)), short_help="Delete a key or a section.")
@click.argument("key", metavar="KEY")
@_scope_options
@_json_option
@click.pass_context
def _unset(ctx: click.Context, /, *, key: str, as_json: bool) -> int:
    """Delete a KEY, or the section of that name, from the configuration of the project, or with -g of the user.

    It is no mistake if there is none.
    """
    from signac_core.configfile import delete_key

    path, parts = _target(ctx, key)
    _guard_schema_version(ctx, path, parts, None)
    changed = delete_key(path, parts)
    session: Session = ctx.obj
    session.output.info(f"Deleted '{key}'." if changed else f"There is no '{key}' to delete.")
    return _finish(session, "unset", path, key, changed=changed, as_json=as_json)


@command.command("verify", cls=Command, rules=Rules(abbreviated=_ABBREVIATED), short_help="Find mistakes.")
@_scope_options
@_json_option
@click.pass_context
def _verify(ctx: click.Context, /, *, as_json: bool) -> int:
    """Look for mistakes in the configuration files. The exit status is 1 if there are any."""
    from signac_core.config import user_config_path
    from signac_core.configfile import find_local

    session: Session = ctx.obj
    scope = _scope(ctx)
    local = None if scope == "global" else find_local(os.getcwd())
    user = None if scope == "local" else user_config_path()
    paths = [path for path in (user, local) if path is not None and os.path.lexists(path)]
    if not paths:
        session.output.info(_not_found(scope))
    checked = []
    for path in paths:
        session.output.info(f"Verification of config file '{path}'.")
        mistake = _mistake(path, is_local=path == local)
        checked.append({"path": path, "valid": not mistake, "message": mistake})
        if mistake:
            session.output.error(mistake, code="config")
        else:
            session.output.info("Passed.")
    if as_json:
        session.output.write_json({"files": checked})
    return 0 if all(entry["valid"] for entry in checked) else 1


def _mistake(path: str, *, is_local: bool) -> str:
    """Say what is wrong with a configuration file; nothing if it is in order."""
    from signac_core.configfile import read
    from signac_core.errors import ConfigError

    try:
        version = (read(path) or {}).get("schema_version", "")
    except ConfigError as error:
        return str(error)
    if is_local and not (isinstance(version, str) and version.isascii() and version.isdigit()):
        return f"In '{path}', schema_version must be a whole number, not {version!r}."
    return ""


def _scope(ctx: click.Context) -> str | None:
    """Whose configuration is meant; None leaves it to the sub-command. Raises Failure if both are asked for."""
    if _GLOBAL in ctx.meta and _LOCAL in ctx.meta:
        raise Failure("--global and --local exclude each other.", code="usage", hint="Give one of them.")
    return "global" if _GLOBAL in ctx.meta else "local" if _LOCAL in ctx.meta else None


def _not_found(scope: str | None) -> str:
    return f"Did not find a {scope or 'local or global'} configuration file."


def _target(ctx: click.Context, key: str) -> tuple[str, list[str]]:
    """Path of the file that is to be changed, and the parts of the key.

    Raises Failure if there is no project; click.UsageError if a part of the key is empty.
    """
    from signac_core.config import user_config_path
    from signac_core.configfile import find_local

    parts = key.split(".")
    if "" in parts:
        raise click.UsageError(f"'{key}' is not a key: the parts between the dots may not be empty.", ctx)
    if _scope(ctx) == "global":
        return user_config_path(), parts
    path = find_local(os.getcwd())
    if path is None:
        raise Failure(
            f"There is no project in '{os.getcwd()}' or above it.",
            code="no-project",
            hint="With -g the configuration of the user is changed.",
        )
    return path, parts


def _guard_schema_version(ctx: click.Context, path: str, key: list[str], value: str | list[str] | None) -> None:
    """Refuse to say that a project has another layout than it has: it could not be opened any more.

    Raises Failure unless that is forced.
    """
    from signac_core.configfile import read

    if key == ["schema_version"] and _scope(ctx) != "global" and _FORCE not in ctx.meta:
        present = (read(path) or {}).get("schema_version")
        if value != present:
            raise Failure(
                f"The schema version says which layout the project has; it is {present}.",
                code="schema-version",
                hint="'signac migrate' changes both; -f changes the number alone.",
            )


def _finish(session: Session, name: str, path: str, key: str, *, changed: bool, as_json: bool, **details: Any) -> int:
    if changed:
        session.output.info(f"Wrote configuration to '{path}'.")
    if as_json:
        report = {"command": f"config {name}", "dry_run": False, "path": path, "key": key, "changed": changed}
        with session.output.may_be_closed():
            session.output.write_json(report | details)
    return 0
