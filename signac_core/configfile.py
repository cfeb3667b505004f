"""Configuration files as people edit them: one key is set or deleted, and everything else stays, comments included.

See `config` for how they are read. The dialect is that of the ``configobj`` package: ``key = value`` lines in nested
sections. Here a key is a list of names: those of the sections, then its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import files, layout, locks, trees
from .config import and_above, merge, parse, parse_lines, read, user_config_path
from .errors import ConfigError

if TYPE_CHECKING:
    from configobj import ConfigObj

__all__ = [
    "delete_key",
    "find_local",
    "format_section",
    "read",
    "read_merged",
    "set_key",
    "text_of",
    "value_of",
]

_INDENT = "    "


def find_local(start: str) -> str | None:
    """Path of the configuration file of the nearest project, in a directory or above it; None when there is none.

    The file need not be valid; ``start`` is absolute.
    """
    paths = (os.path.join(directory, layout.FN_CONFIG) for directory in and_above(start))
    return next(filter(os.path.lexists, paths), None)


def read_merged(local: str | None) -> dict[str, Any] | None:
    """Read the file of the user, and that of a project on top of it, as :func:`read` does; None when neither exists."""
    user = read(user_config_path())
    project = None if local is None else read(local)
    return project if user is None else user if project is None else merge(user, project)


def value_of(values: Mapping[str, Any], key: Sequence[str]) -> Any:
    """Find the value of a key in a whole configuration, or a dict for a section; KeyError if there is no such key."""
    value = trees.look_up(values, key, trees.MISSING)
    if value is trees.MISSING:
        raise KeyError(f"There is no key '{'.'.join(key)}' in the configuration.")
    return value


def format_section(values: Mapping[str, Any], key: Sequence[str] = ()) -> str:
    """Text of a section in the dialect of the files, ready to print: no newline at its end."""
    text = parse_lines([], "")
    text.indent_type = _INDENT
    outer: Any = text
    for name in key:
        outer[name] = {}
        outer = outer[name]
    outer.merge(value_of(values, key))
    lines = text.write()[len(key) :]
    # signac 2.x shows the lines of the section itself without their indentation, and those below it with theirs.
    own = _INDENT * len(key)
    return "\n".join(line[len(own) :] if line[len(own)] != " " else line for line in lines)


def set_key(path: str, key: Sequence[str], value: str | list[str]) -> bool:
    """Set a key of a configuration file, which is created if need be (sections, too); True if that changed the file.

    The file is replaced whole; a symbolic link to it stays one. ConfigError if the file cannot be read, or key and
    value cannot be written so that they are read again as they are; ValueError if a section of the key is a value in
    the file, or the key is a section. After an OSError the file is as it was.
    """
    return _edit(path, key, value)


def delete_key(path: str, key: Sequence[str]) -> bool:
    """Delete a key or a section of a configuration file, if it is there; True if that changed the file.

    Sections that hold nothing afterwards are deleted, too; a symbolic link to the file stays one. After an error the
    file is as it was.
    """
    return _edit(path, key, None)


def _edit(path: str, key: Sequence[str], value: str | list[str] | None) -> bool:
    path = os.path.realpath(path)
    with locks.acquire(path, os.path.dirname(path)):
        data, status = _read(path)
        configuration = parse(data, path)
        before = configuration.dict()
        if value is None:
            _delete(configuration, key)
        else:
            _set(configuration, key, value)
        if configuration.dict() == before:
            return False
        changed = text_of(configuration, newline="\r\n" if b"\r\n" in data else "\n")
        if changed is None:
            raise ConfigError(
                f"A configuration file cannot hold this: {'.'.join(key)} = {value!r}. Names may not contain '=', '#', "
                "brackets or quotes, and values neither control characters nor both kinds of quotes in one list."
            )
        # Durable: a project cannot be opened without it.
        with files.Replacement(path, durable=True, replaced=status) as replacement:
            replacement.write(changed)
        return True


def _read(path: str) -> tuple[bytes, os.stat_result | None]:
    """Content and status of a file; of one that does not exist, nothing."""
    try:
        return files.read_with_status(path)
    except FileNotFoundError:
        return b"", None


def _set(configuration: ConfigObj, key: Sequence[str], value: str | list[str]) -> None:
    section: Any = configuration
    for depth, name in enumerate(key[:-1], start=1):
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise ValueError(f"'{'.'.join(key[:depth])}' is a value, not a section.")
    if isinstance(section.get(key[-1]), dict):
        raise ValueError(f"'{'.'.join(key)}' is a section, not a value.")
    section[key[-1]] = value


def _delete(configuration: ConfigObj, key: Sequence[str]) -> None:
    sections: list[Any] = [configuration]
    for name in key[:-1]:
        section = sections[-1].get(name)
        if not isinstance(section, dict):
            return
        sections.append(section)
    for section, name in zip(reversed(sections), reversed(key), strict=True):
        section.pop(name, None)
        if section:
            break


def text_of(configuration: ConfigObj, *, newline: str = "\n") -> bytes | None:
    """Content of a file that is read again as the configuration, by any program that splits it into lines."""
    from configobj import ConfigObjError

    _detach_comments(configuration)
    try:
        lines = "\n".join(configuration.write()).split("\n")
        text = newline.join([*lines, ""]).encode()
        again = parse_lines("\n".join(lines).splitlines(), "")
    except (ConfigObjError, ConfigError, UnicodeEncodeError):
        return None
    return text if again.dict() == configuration.dict() and b"\0" not in text else None


def _detach_comments(section: Any) -> None:
    """Keep comments behind values from being written without a blank between them."""
    for name, comment in section.inline_comments.items():
        if comment:
            section.inline_comments[name] = comment.lstrip("# ")
    for name in section.sections:
        _detach_comments(section[name])
