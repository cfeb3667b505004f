"""The configuration of a project and of the user, and where a project begins.

The dialect is that of the ``configobj`` package, which is imported only for files that hold more than plain
``key = value`` lines. All values are strings (or lists of strings); unknown keys are kept.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from . import files, layout
from .errors import ConfigError, IncompatibleSchemaVersion

if TYPE_CHECKING:
    from configobj import ConfigObj

__all__ = [
    "ProjectConfig",
    "and_above",
    "check_place",
    "check_schema_version",
    "durable",
    "index_directory",
    "index_is_trusted",
    "index_path",
    "io_threads",
    "is_off",
    "load",
    "lock_timeout",
    "logical_directory",
    "merge",
    "no_project",
    "of_user",
    "parse",
    "parse_file",
    "parse_lines",
    "queries_write_index",
    "read",
    "root_above",
    "user_config_path",
]

_OFF = frozenset({"", "0", "false", "f", "no", "n", "off"})
_LONGEST_LINE = 16_384
_BRACKETS = 64
_BLANKS = r"\s{200}"
_COMMAS = 10
_QUOTES = frozenset("\"'")
_LIST = (
    r"""(?:(?:"[^"]*"\s*+|'[^']*'\s*+|[^'",\#][^,\#]*+),\s*+)*+(?:"[^"]*"|'[^']*'|[^'",\#][^,\#]*+)?"""  # possessive
)
_NOT_PLAIN = frozenset("\"'#,[]{}$%\\")


class ProjectConfig(dict[str, Any]):
    """The configuration of a project: a dict that cannot be changed; every attempt is a ValueError."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ValueError("The project configuration is immutable.")

    __setitem__ = __delitem__ = update = clear = pop = popitem = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


def user_config_path() -> str:
    """The file with the settings of the user, for every project that does not say otherwise; it need not exist."""
    return os.path.expanduser("~/.signacrc")


def durable(config: ProjectConfig) -> bool:
    """Whether what is published is to survive a power loss: ``SIGNAC_DURABLE``, or else the key ``durable``."""
    text = os.environ.get("SIGNAC_DURABLE") or config.get("durable", "")
    return not is_off(str(text))


def is_off(text: str) -> bool:
    """Tell whether the value of an environment variable or of a key that switches something means no."""
    return text.strip().lower() in _OFF


def _parse_plain(text: str) -> dict[str, Any] | None:
    """Parse text that consists of plain ``key = value`` lines and comments; None when it holds anything else."""
    values: dict[str, Any] = {}
    for line in text.split("\n"):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not separator or not key or key in values or not value or not _NOT_PLAIN.isdisjoint(line):
            return None
        values[key] = value
    return values


def _check_lines(lines: list[str], path: str) -> None:
    """Refuse lines that the parser would take for ever to read, with a ConfigError.

    Before it rejects a line, it tries every way to divide its blanks, brackets, and quotes between commas.
    """
    import re

    for number, line in enumerate(lines, start=1):
        begin = line.lstrip()[:1]
        value, _, comment = line.partition("=")[2].partition("#")
        brackets = line.count("[") + line.count("]") if begin == "[" else 0
        is_clear = line.count(",") <= _COMMAS or begin == "#" or re.fullmatch(_LIST, value.strip())
        is_closed = _QUOTES.isdisjoint(value) or _QUOTES.isdisjoint(comment) or line.count(",") <= _COMMAS
        is_short = len(line) <= _LONGEST_LINE and brackets <= _BRACKETS and not re.search(_BLANKS, line)
        if not (is_clear and is_closed and is_short):
            raise ConfigError(
                f"Failed to read configuration file '{path}': line {number} is too long, or a list with mistakes."
            )


def parse_file(path: str) -> dict[str, Any]:
    """Parse a configuration file: strings or lists of strings by key, and dicts of the sections.

    Raises ConfigError if it is not a valid configuration, OSError if it cannot be read.
    """
    text = _text_of(files.read_bytes(path), path)
    values = _parse_plain(text)
    return dict(_parse(text, path).dict()) if values is None else values


def parse(data: bytes, path: str) -> ConfigObj:
    """Parse the content of a configuration file in a form that remembers its comments; a byte order mark is skipped."""
    return _parse(_text_of(data, path), path)


def _text_of(data: bytes, path: str) -> str:
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"Failed to read configuration file '{path}': it is not UTF-8 text ({error}).") from None


def _parse(text: str, path: str) -> ConfigObj:
    return parse_lines(text.removesuffix("\n").split("\n") if text else [], path)


def parse_lines(lines: list[str], path: str) -> ConfigObj:
    """Parse the lines of a configuration file: the one place where the parser is called."""
    _check_lines(lines, path)
    import configobj

    try:
        return configobj.ConfigObj(lines, interpolation=False)
    except configobj.ConfigObjError as error:
        raise ConfigError(f"Failed to read configuration file '{path}':\n{error}") from None


def merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """Put one configuration on top of another, whose values win, section by section."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def read(path: str) -> dict[str, Any] | None:
    """Read a configuration file as signac 2.x shows it; None when it does not exist.

    Without a ``schema_version`` it is shown with version 1, which is what it means in the file of a project.
    ConfigError if it cannot be read.
    """
    try:
        values = parse_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"Failed to read configuration file '{path}': {error.strerror}.") from error
    values.setdefault("schema_version", "1")
    return values


def load(root: str) -> ProjectConfig | None:
    """Effective configuration of the project in a directory; None when there is none.

    The file of the user comes first, that of the project on top; a project file without ``schema_version`` is of
    version 1, whatever the user's file says. ConfigError if one of the files cannot be read.
    """
    path = os.path.join(root, layout.FN_CONFIG)
    project = read(path)
    if project is None:
        return None
    if not isinstance(project["schema_version"], str):
        raise ConfigError(f"Config file '{path}' may contain invalid values: schema_version must be one number.")
    return ProjectConfig(merge(of_user(), project))


def of_user() -> ProjectConfig:
    """Configuration of the user alone; empty without a file."""
    path = user_config_path()
    try:
        return ProjectConfig(parse_file(path))
    except FileNotFoundError:
        return ProjectConfig()
    except OSError as error:
        if not os.path.lexists(path):  # the home directory is that of somebody else, as under sudo and in containers
            return ProjectConfig()
        raise ConfigError(f"Failed to read configuration file '{path}': {error.strerror}.") from error


def check_schema_version(config: ProjectConfig, root: str) -> None:
    """Refuse a project whose layout is older or newer than the one that this library reads.

    IncompatibleSchemaVersion says what to do; a version that is not a number is a ConfigError.
    """
    text = config["schema_version"]
    try:
        version = int(text)
    except ValueError:
        raise ConfigError(
            f"Config file '{os.path.join(root, layout.FN_CONFIG)}' may contain invalid values: "
            f"schema_version must be a whole number, not {text!r}."
        ) from None
    if version != layout.SCHEMA_VERSION:
        raise _incompatible(root, text)


def _incompatible(root: str, version: str) -> IncompatibleSchemaVersion:
    """Build the error for a project of another schema version, with the way out."""
    newer = version.isdigit() and int(version) > layout.SCHEMA_VERSION
    advice = "Try a newer release." if newer else "Run 'signac migrate' there to update it; there is no way back."
    return IncompatibleSchemaVersion(
        f"The project at '{root}' uses schema version {version}, but this program requires schema version "
        f"{layout.SCHEMA_VERSION}. {advice}"
    )


def _find_root(start: str) -> tuple[str, ProjectConfig] | None:
    """Search a directory and those above it for a project; the nearest wins.

    Its directory and its configuration; None when there is no project. ConfigError if a configuration file cannot be
    read.
    """
    for directory in and_above(start):
        config = load(directory)
        if config is not None:
            return directory, config
    return None


def and_above(directory: str) -> Iterator[str]:
    """A directory and all that it lies in, nearest first."""
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def root_above(path: str | None = None) -> tuple[str, ProjectConfig]:
    """Project directory that is or lies above an absolute path, with its configuration.

    Without a path it is searched for from the working directory, also by the name that this was entered by.

    Raises LookupError if there is none, or the path does not exist; IncompatibleSchemaVersion if there is only one of
    an older layout; ConfigError as `_find_root`.
    """
    start = os.getcwd() if path is None else path
    found = _find_root(start)
    if found is None and path is None and (logical := logical_directory(start)) is not None:
        found = _find_root(logical)
    if path is not None and (found is None or found[0] != start) and not os.path.exists(start):
        raise LookupError(f"Unable to find a project: the path '{start}' does not exist.")
    if found is None:
        raise no_project(start, above=True)
    return found


def logical_directory(directory: str) -> str | None:
    """Name of the working directory that shells keep in ``PWD``, which tells of the links that led to it.

    None unless it is another name of that directory.
    """
    logical = os.path.normpath(os.environ.get("PWD", ""))
    try:
        is_same = os.path.isabs(logical) and logical != directory and os.path.samefile(logical, directory)
    except OSError:
        return None
    return logical if is_same else None


def no_project(path: str, *, above: bool) -> Exception:
    """Build the error for an absolute path without a project: an older layout there, or above it, is named as such."""
    for directory in and_above(path) if above else (path,):
        version = _legacy_version(directory)
        if version is not None:
            return _incompatible(directory, version)
    return LookupError(f"Unable to find project at path '{path}'.")


def _legacy_version(directory: str) -> str | None:
    """Schema version of a project of the layout before ``.signac/config``, None when there is none."""
    try:
        values = parse_file(os.path.join(directory, layout.FN_LEGACY_CONFIG))
    except (OSError, ConfigError):
        return None
    return str(values.get("schema_version", "0")) if "project" in values else None


def lock_timeout() -> float:
    """``SIGNAC_LOCK_TIMEOUT``: seconds to wait for the lock of a document before giving up; by default 60."""
    try:
        return max(0.0, float(os.environ["SIGNAC_LOCK_TIMEOUT"]))
    except (KeyError, ValueError):
        return 60.0


def index_directory() -> str | None:
    """``SIGNAC_CACHE_DIR``: where to keep the index instead of in the project; for slow or read-only projects."""
    return os.path.expanduser(os.environ.get("SIGNAC_CACHE_DIR", "")) or None


def index_is_trusted() -> bool:
    """``SIGNAC_INDEX_TRUST``: with ``never``, every query lists the workspace, whatever its time stamps say."""
    return os.environ.get("SIGNAC_INDEX_TRUST", "").lower() != "never"


def queries_write_index() -> bool:
    """``SIGNAC_INDEX_REFRESH``: with ``never``, only ``update-cache`` writes the index."""
    return os.environ.get("SIGNAC_INDEX_REFRESH", "").lower() != "never"


def io_threads() -> int | None:
    """``SIGNAC_IO_THREADS``: threads for many files; by default decided by the time that the first ones take."""
    try:
        return max(1, int(os.environ["SIGNAC_IO_THREADS"]))
    except (KeyError, ValueError):
        return None


def index_path(root: str, name: str) -> str:
    """Path of a file of the index of the project in the directory ``root``."""
    directory = index_directory()
    if directory is None:
        return f"{root}/{layout.CONFIG_DIRECTORY}/{name}"
    from .canonical import id_of_text

    return os.path.join(directory, f"{name}-{id_of_text(os.path.realpath(root))}")


def check_place() -> None:
    """Make sure that no stranger can put an index where it is looked for: one stat, with ``SIGNAC_CACHE_DIR`` only.

    Raises PermissionError if others may write there, and are not kept from each other's files (as they are in
    ``/tmp``).
    """
    directory = index_directory()
    if directory is not None and os.stat(directory).st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        raise PermissionError(
            errno.EPERM,
            "The directory of the index (SIGNAC_CACHE_DIR) is not used, as others may write to it",
            directory,
        )
