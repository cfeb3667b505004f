"""Projects of older layouts.

=======  ====================================================================================================
version  layout
=======  ====================================================================================================
0        ``signac.rc`` with the key ``project``, in which ``workspace_dir`` may name the workspace
1        the same, with ``schema_version = 1``; beside it ``.signac_shell_history``, ``.signac_sp_cache.json.gz``
2        see ``layout.py``; the name of the project is ``signac_project_name`` in its document
=======  ====================================================================================================

The workspace may be anywhere. Only one that lies below the project is moved; to any other there is a link from then on:
the configuration of a project that somebody else has made may name whatever directory of ours.

The new configuration file is written when everything else is in place, and ``signac.rc`` is deleted after that: until
then the project is of the old layout, and a migration that was stopped is finished by another one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .. import canonical, files, layout
from ..config import parse
from ..configfile import text_of
from ..documents.store import parse_document
from ..errors import ConfigError
from ..layout import SCHEMA_VERSION as SCHEMA_VERSION
from ..locks import Lock

if TYPE_CHECKING:
    from configobj import ConfigObj

__all__ = ["WorkspaceChange", "apply_migrations", "pending_migrations", "pending_workspace_change"]

_LEGACY_FILES = {
    ".signac_shell_history": f"{layout.CONFIG_DIRECTORY}/shell_history",
    ".signac_sp_cache.json.gz": layout.FN_CACHE,
}
_KEY_PROJECT_NAME = "signac_project_name"


def pending_migrations(root: str | os.PathLike[str]) -> list[tuple[int, int]]:
    """Steps that :func:`apply_migrations` would take; nothing is changed.

    Parameters
    ----------
    root : str
        The project directory.

    Returns
    -------
    list of tuple
        The schema versions before and after each step; none for a project that is up to date.

    Raises
    ------
    ConfigError
        If there is no configuration file, or it cannot be understood.
    RuntimeError
        If the project has a newer layout than this library knows.

    Examples
    --------
    >>> with open("signac.rc", "w") as file:
    ...     _ = file.write("project = study")
    >>> pending_migrations(".")
    [(0, 1), (1, 2)]

    """
    return _load(os.path.abspath(os.fspath(root))).steps()


class WorkspaceChange(NamedTuple):
    """What a migration does to get the workspace to where it belongs.

    Parameters
    ----------
    source, target : str
        Where it is, and where it will be.
    is_move : bool
        Whether it is moved; otherwise the target becomes a link to it.

    Examples
    --------
    >>> WorkspaceChange("/study/runs", "/study/workspace", is_move=True).is_move
    True

    """

    source: str
    target: str
    is_move: bool


def pending_workspace_change(root: str | os.PathLike[str]) -> WorkspaceChange | None:
    """What :func:`apply_migrations` would do to the workspace; nothing is changed.

    Parameters
    ----------
    root : str
        The project directory.

    Returns
    -------
    WorkspaceChange or None
        None if it is in place, or missing (which is an error then).

    Raises
    ------
    ConfigError, RuntimeError
        As :func:`pending_migrations`.

    Examples
    --------
    >>> os.mkdir("runs")
    >>> with open("signac.rc", "w") as file:
    ...     print("project = study", "workspace_dir = runs", sep=os.linesep, file=file)
    >>> change = pending_workspace_change(".")
    >>> os.path.relpath(change.source), os.path.relpath(change.target), change.is_move
    ('runs', 'workspace', True)

    """
    configuration = _load(os.path.abspath(os.fspath(root)))
    if configuration.steps():
        with suppress(OSError):
            return _workspace_change(configuration, resumed=os.path.isdir(configuration.settings))
    return None


def apply_migrations(
    root_directory: str | os.PathLike[str], *, on_step: Callable[[int, int], None] | None = None
) -> None:
    """Give a project of an older layout the present one; a project that is up to date is left alone.

    Stopped at any point, it can be run again.

    Parameters
    ----------
    root_directory : str or PathLike
        The project directory.
    on_step : callable, optional
        Called with the schema versions before and after each step, before it is taken.

    Raises
    ------
    ConfigError
        If there is no configuration file, or it cannot be understood.
    RuntimeError
        If a step fails, with the reason as its cause: nothing is lost then, and the step can be taken again. Or if the
        project has a newer layout than this library knows.

    Examples
    --------
    >>> with open("signac.rc", "w") as file:
    ...     _ = file.write("project = study")
    >>> apply_migrations(".")
    >>> from signac_core import get_project
    >>> get_project().doc()
    {'signac_project_name': 'study'}

    """
    directory = os.path.abspath(os.fspath(root_directory))
    while (configuration := _load(directory)).steps():
        try:
            lock = Lock(configuration.path).acquire()
        except FileNotFoundError:  # somebody else has just migrated it
            continue
        try:
            _migrate(_load(directory), on_step)
        finally:
            lock.release()
    _delete_obsolete_file(configuration)


def _migrate(configuration: _Configuration, on_step: Callable[[int, int], None] | None) -> None:
    for before, after in configuration.steps():
        if on_step is not None:
            on_step(before, after)
        if after < layout.SCHEMA_VERSION:
            continue  # there is no difference between the versions 0 and 1 but the number
        try:
            _adopt_layout(configuration)
        except (OSError, ValueError, ConfigError) as error:
            raise RuntimeError(f"Failed to apply migration {after}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: '{error.filename}'."
    return str(error)


class _Configuration(NamedTuple):
    """The configuration file of a project of any version."""

    directory: str
    name: str  # of the file, relative to the directory
    values: ConfigObj

    @property
    def path(self) -> str:
        return os.path.join(self.directory, self.name)

    @property
    def settings(self) -> str:
        return os.path.join(self.directory, layout.CONFIG_DIRECTORY)

    @property
    def version(self) -> int:
        text = self.values.get("schema_version", "0" if self.name == layout.FN_LEGACY_CONFIG else "1")
        try:
            return int(text)
        except (TypeError, ValueError):
            raise ConfigError(
                f"Config file '{self.path}' may contain invalid values: schema_version must be a whole number."
            ) from None

    def text(self, key: str) -> str | None:
        """Value of a key that is one string, None without the key."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise ConfigError(f"Config file '{self.path}' may contain invalid values: {key} must be one string.")
        return value

    def steps(self) -> list[tuple[int, int]]:
        """Schema versions before and after each step that is left to do."""
        version = self.version
        if version > layout.SCHEMA_VERSION:
            raise RuntimeError(
                f"The project at '{self.directory}' uses schema version {version}, but this program only supports up "
                f"to schema version {layout.SCHEMA_VERSION}. Try a newer release."
            )
        if self.name == layout.FN_LEGACY_CONFIG:
            version = min(version, layout.SCHEMA_VERSION - 1)  # whatever it says, it is in the old place
        return [(step, step + 1) for step in range(max(version, 0), layout.SCHEMA_VERSION)]

    def migrated(self) -> bytes:
        """Content of the file after the migration: other keys, their order and comments stay."""
        values = parse("\n".join(self.values.write()).encode(), self.path)
        for key in ("project", "workspace_dir"):
            values.pop(key, None)
        values["schema_version"] = str(layout.SCHEMA_VERSION)
        text = text_of(values)
        if text is None:
            raise ConfigError(
                f"Config file '{self.path}' holds values that cannot be written again: change them first."
            )
        return text


def _load(directory: str) -> _Configuration:
    for name in (layout.FN_CONFIG, layout.FN_LEGACY_CONFIG):
        path = os.path.join(directory, name)
        try:
            data = files.read_bytes(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigError(f"Failed to read configuration file '{path}': {error.strerror}.") from error
        values = parse(data, path)
        # A file with a version, but without a project, is what a failed migration by signac 2.x leaves.
        if name == layout.FN_CONFIG or "project" in values or "schema_version" in values:
            return _Configuration(directory, name, values)
    raise ConfigError(f"There is no project in '{directory}': neither '{layout.FN_CONFIG}' nor '{name}' was found.")


def _adopt_layout(configuration: _Configuration) -> None:
    """Take the step from version 1 to version 2.

    The order matters: nothing is deleted before it exists in its new place, and the new configuration file comes when
    everything else is done.
    """
    directory = configuration.directory
    migrated = configuration.migrated()
    path, document = _document_with_name(configuration)
    is_new = _create_directory(configuration.settings)
    try:
        _adopt_workspace(configuration, resumed=not is_new)
    except OSError:
        if is_new:
            os.rmdir(configuration.settings)  # it would say that the workspace is in place
        raise
    if document is not None:
        files.replace_file(path, document, durable=True)
    for old, new in _LEGACY_FILES.items():
        with suppress(FileNotFoundError):
            os.rename(os.path.join(directory, old), os.path.join(directory, new))
    files.replace_file(os.path.join(directory, layout.FN_CONFIG), migrated, durable=True)
    if configuration.name != layout.FN_CONFIG:
        os.unlink(configuration.path)


def _create_directory(path: str) -> bool:
    """Create a directory; False if it exists already."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return False
    return True


def _document_with_name(configuration: _Configuration) -> tuple[str, bytes | None]:
    """Path of the project document, and its content with the name of the project, None if there is nothing to add."""
    path = os.path.join(configuration.directory, layout.FN_PROJECT_DOCUMENT)
    try:
        document = parse_document(files.read_bytes(path), path)
    except FileNotFoundError:
        document = {}
    name = configuration.text("project")
    if name in (None, "None") or document.get(_KEY_PROJECT_NAME) == name:
        return path, None
    document[_KEY_PROJECT_NAME] = name
    return path, canonical.dumps(document).encode("ascii")


def _workspace_change(configuration: _Configuration, *, resumed: bool) -> WorkspaceChange | None:
    """What has to be done for the workspace to be where it belongs now; a migration that is resumed may have moved it.

    Raises FileNotFoundError if it does not exist.
    """
    configured = configuration.text("workspace_dir")
    if configured is None:
        return None
    source = os.path.normpath(os.path.join(configuration.directory, os.path.expandvars(configured)))
    target = os.path.join(configuration.directory, layout.WORKSPACE)
    if not os.path.exists(source):
        if source == target or (resumed and os.path.isdir(target)):
            return None
        raise FileNotFoundError(
            errno.ENOENT,
            f"The workspace does not exist. Make it available, or delete 'workspace_dir' from '{configuration.path}'",
            source,
        )
    if os.path.exists(target) and os.path.samefile(source, target):
        return None
    above = os.path.join(os.path.realpath(configuration.directory), "")
    is_below = os.path.realpath(source).startswith(above)
    return WorkspaceChange(source, target, is_below and not os.path.islink(source))


def _adopt_workspace(configuration: _Configuration, *, resumed: bool) -> None:
    """Move the workspace to where it belongs now, or link to it.

    Raises OSError if it does not exist, or something is in the way.
    """
    change = _workspace_change(configuration, resumed=resumed)
    if change is None:
        return
    source, target, is_move = change
    try:
        if is_move:
            os.rename(source, target)
        else:
            _link(source, target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            _link(source, target)
        elif error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(
                errno.EEXIST, f"The workspace '{source}' belongs here now. Move away what is in its place", target
            ) from error
        else:
            raise


def _link(source: str, target: str) -> None:
    """Let a workspace that is a link, or lies outside of the project or on another file system, be where it is."""
    with suppress(FileNotFoundError):
        os.rmdir(target)
    os.symlink(os.path.realpath(source), target)


def _delete_obsolete_file(configuration: _Configuration) -> None:
    """Take the last step of a migration that was stopped before it."""
    path = os.path.join(configuration.directory, layout.FN_LEGACY_CONFIG)
    with suppress(OSError, ConfigError):
        legacy = parse(files.read_bytes(path), path)
        obsolete = _Configuration(configuration.directory, layout.FN_LEGACY_CONFIG, legacy)
        if "project" in legacy and obsolete.migrated() == files.read_bytes(configuration.path):
            os.unlink(path)
