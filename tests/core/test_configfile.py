from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from signac_core import Project, configfile, files
from signac_core.errors import ConfigError


@pytest.fixture
def path() -> str:
    Project.init_project()
    return str(Path(".signac/config").absolute())


def test_find_local_when_below_a_project_then_its_file(path: str) -> None:
    below = Path("a", "b")
    below.mkdir(parents=True)
    assert configfile.find_local(str(below.absolute())) == path
    assert configfile.find_local("/") is None


def test_read_when_there_is_no_file_then_none(path: str) -> None:
    assert configfile.read(path + "x") is None
    assert configfile.read(path) == {"schema_version": "2"}


def test_read_merged_when_both_exist_then_sections_are_merged(path: str) -> None:
    configfile.set_key(path, ["s", "a"], "1")
    user = os.path.expanduser("~/.signacrc")
    assert configfile.read_merged(None) is None
    configfile.set_key(user, ["s", "b"], ["2", "3"])
    assert configfile.read_merged(path) == {"schema_version": "2", "s": {"a": "1", "b": ["2", "3"]}}
    assert configfile.read_merged(None) == {"schema_version": "1", "s": {"b": ["2", "3"]}}


def test_read_when_the_file_cannot_be_read_then_error_names_it(path: str) -> None:
    os.unlink(path)
    os.mkdir(path)
    with pytest.raises(ConfigError, match=path):
        configfile.read(path)


def test_set_key_when_the_disk_is_full_then_the_old_file_stays(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: files.Replacement, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(os.listdir(".signac")), Path(path).read_text()
    monkeypatch.setattr(files.Replacement, "write", full)
    with pytest.raises(OSError, match="No space"):
        configfile.set_key(path, ["a"], "1")
    assert (sorted(os.listdir(".signac")), Path(path).read_text()) == before


def test_set_key_when_many_do_it_at_once_then_no_key_is_lost(path: str) -> None:
    threads = [threading.Thread(target=configfile.set_key, args=(path, ["s", f"k{n}"], str(n))) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert configfile.read(path) == {"schema_version": "2", "s": {f"k{n}": str(n) for n in range(16)}}


def test_set_key_when_the_file_is_no_text_then_error_names_it(path: str) -> None:
    Path(path).write_bytes(b"\xff = 1\n")
    with pytest.raises(ConfigError, match=path):
        configfile.set_key(path, ["a"], "1")


def test_delete_key_when_a_section_becomes_empty_then_gone(path: str) -> None:
    configfile.set_key(path, ["a", "b", "c"], "1")
    assert configfile.delete_key(path, ["a", "b", "c"])
    assert not configfile.delete_key(path, ["a", "b", "c"])
    assert Path(path).read_text() == "schema_version = 2\n"


@pytest.mark.parametrize("key", [["a"] * 100, ["x" * 20_000]])
def test_set_key_when_the_file_could_not_be_read_again_then_refused(path: str, key: list[str]) -> None:
    before = Path(path).read_bytes()
    with pytest.raises(ConfigError):
        configfile.set_key(path, key, "1")
    assert Path(path).read_bytes() == before


def test_parser_when_looked_for_in_the_sources_then_in_one_place_behind_its_guards():
    rooms = Path(configfile.__file__).parent
    users = {path.name for path in rooms.rglob("*.py") if "configobj.ConfigObj(" in path.read_text()}
    assert users == {"config.py"}
