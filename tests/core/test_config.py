from __future__ import annotations

import copy
import errno
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, config, files
from signac_core.errors import ConfigError, IncompatibleSchemaVersion


def make(tmp: Path, text: str) -> str:
    (tmp / ".signac").mkdir()
    (tmp / ".signac" / "config").write_text(text)
    return str(tmp)


@pytest.mark.parametrize(
    "text",
    [
        "schema_version = 2\n",
        'schema_version="2"\n',
        "schema_version=2",
        "schema_version = 2 # comment\n",
        "# comment\n\nschema_version = 2\nproject = x\n",
        "schema_version = 2\n[section]\nkey = a, b\n[[sub]]\nx = 1\n",
    ],
)
def test_valid_configurations_are_read(tmp_path: Path, text: str) -> None:
    project = Project(make(tmp_path, text))
    assert project.config["schema_version"] == "2"


def test_values_are_strings_or_lists_and_sections_are_kept(tmp_path: Path) -> None:
    project = Project(make(tmp_path, "schema_version = 2\nx = 'a#b'\n[s]\nkey = a, b\n[[sub]]\ny = 1\n"))
    assert project.config["x"] == "a#b"
    assert project.config["s"] == {"key": ["a", "b"], "sub": {"y": "1"}}


@pytest.mark.parametrize("text", ["", "# nothing\n", "schema_version = 1\n", "schema_version = 0\n"])
def test_older_layouts_are_refused_with_the_way_out(tmp_path: Path, text: str) -> None:
    with pytest.raises(IncompatibleSchemaVersion, match="signac migrate"):
        Project(make(tmp_path, text))


def test_newer_layouts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IncompatibleSchemaVersion, match="newer release"):
        Project(make(tmp_path, "schema_version = 3\n"))


@pytest.mark.parametrize(
    "text", ["foo", "schema_version = 2\nschema_version = 2\n", "schema_version = 2, 3\n", "schema_version = abc\n"]
)
def test_invalid_configurations_raise_config_error_naming_the_file(tmp_path: Path, text: str) -> None:
    root = make(tmp_path, text)
    with pytest.raises(ConfigError, match=str(tmp_path)):
        Project(root)


def test_configuration_that_is_not_text_raises_config_error(tmp_path: Path) -> None:
    (tmp_path / ".signac").mkdir()
    (tmp_path / ".signac" / "config").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        Project(str(tmp_path))


def test_settings_of_the_user_apply_below_those_of_the_project(tmp_path: Path) -> None:
    Path(config.user_config_path()).write_text("schema_version = 2\na = user\nb = user\n[s]\nx = 1\ny = 1\n")
    project = Project(make(tmp_path, "schema_version = 2\nb = project\n[s]\ny = 2\n"))
    assert (project.config["a"], project.config["b"]) == ("user", "project")
    assert project.config["s"] == {"x": "1", "y": "2"}


@pytest.mark.parametrize("exists", [False, True])
def test_settings_in_a_home_directory_that_is_closed_to_us_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    read, own = files.read_bytes, config.user_config_path()

    def closed(path: str, **options: Any) -> bytes:
        if path == own:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return read(path, **options)

    monkeypatch.setattr(files, "read_bytes", closed)
    if exists:  # we can see it there
        Path(own).write_text("durable = true\n")
        with pytest.raises(ConfigError, match="Permission denied"):
            Project.init_project(tmp_path)
    else:
        assert not Project.init_project(tmp_path).durable


def test_a_project_file_without_version_is_of_version_one_whatever_the_user_says(tmp_path: Path) -> None:
    Path(config.user_config_path()).write_text("schema_version = 2\n")
    with pytest.raises(IncompatibleSchemaVersion):
        Project(make(tmp_path, "a = 1\n"))


def test_configuration_cannot_be_changed_and_survives_copies(tmp_path: Path) -> None:
    project = Project(make(tmp_path, "schema_version = 2\n"))
    for change in (
        lambda: project.config.__setitem__("a", 1),
        lambda: project.config.update(a=1),
        lambda: project.config.pop("schema_version"),
        lambda: project.config.clear(),
        lambda: project.config.__delitem__("schema_version"),
    ):
        with pytest.raises(ValueError, match="immutable"):
            change()
    assert pickle.loads(pickle.dumps(project.config)) == project.config
    assert copy.deepcopy(project.config) == project.config


def test_plain_files_are_read_without_the_parser_package(tmp_path: Path) -> None:
    import subprocess
    import sys

    root = make(tmp_path, "# comment\nschema_version = 2\nname = some thing\n")
    code = (
        "import sys; from signac_core import Project; "
        f"print(Project({root!r}).config['name'], 'configobj' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "some thing False\n"


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("1", True), ("no", False), ("N", False), ("off", False), ("", False)]
)
def test_durable_is_a_setting_of_the_project_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, *, expected: bool
) -> None:
    line = f"durable = {text}\n" if text else ""
    root = make(tmp_path, "schema_version = 2\n" + line)
    assert Project(root).durable is expected
    monkeypatch.setenv("SIGNAC_DURABLE", "1")
    assert Project(root).durable is True


def test_a_byte_order_mark_and_other_line_ends_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".signac").mkdir()
    (tmp_path / ".signac" / "config").write_bytes(b"\xef\xbb\xbfschema_version = 2\r\nk = a\xe2\x80\xa8b\r\n")
    assert Project(str(tmp_path)).config["k"] == "a\u2028b"


LONG_LINES = [
    "a = " + "b ," * 40 + "'",
    "a = " + "'b','" * 40 + "x",
    "[" + "[ " * 100 + "a" + " ]" * 100 + "x",
    "a" + " " * 5000,
]


@pytest.mark.parametrize("line", LONG_LINES)
def test_a_line_that_can_be_read_in_very_many_ways_is_refused(tmp_path: Path, line: str) -> None:
    root = make(tmp_path, f"schema_version = 2\n{line}\n")
    with pytest.raises(ConfigError, match="line 2 is too long"):
        Project(root)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a = " + "b , " * 40, ["b"] * 40),
        ("a = " + "'b', " * 40 + "c  # d, e", [*["b"] * 40, "c"]),
        ("a = '" + "b, " * 40 + "'", "b, " * 40),
    ],
)
def test_a_long_list_without_mistakes_is_read(tmp_path: Path, line: str, value: object) -> None:
    assert Project(make(tmp_path, f"schema_version = 2\n{line}\n")).config["a"] == value
