"""Managers of HDF5 stores: stores by name, and their files."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signac_core.errors import InvalidKeyError
from signac_core.hdf5.manager import H5StoreManager
from signac_core.hdf5.store import H5Store

# --- the manager -----------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(tmp_path: Path) -> H5StoreManager:
    (tmp_path / "stores").mkdir()
    return H5StoreManager(tmp_path / "stores")


def test_manager_gives_the_same_store_by_key_and_attribute_and_creates_nothing(manager: H5StoreManager) -> None:
    store = manager["a"]
    assert store is manager.a
    assert store.filename == os.path.join(manager.prefix, "a.h5")
    assert manager["with.dot"].filename == os.path.join(manager.prefix, "with.dot.h5")
    assert isinstance(manager.get, H5Store)
    assert os.listdir(manager.prefix) == []


def test_manager_assignment_replaces_the_file_as_a_whole(manager: H5StoreManager) -> None:
    manager["a"] = {"x": 1, "array": np.arange(3)}
    manager.a = [("y", 2)]
    assert manager["a"] == {"y": 2}
    assert os.listdir(manager.prefix) == ["a.h5"]


def test_manager_assignment_when_the_old_store_is_open_leaves_it_its_file(manager: H5StoreManager) -> None:
    manager["a"] = {"x": 1}
    old = manager["a"]
    with old:
        manager["a"] = {"x": 2}
        assert old["x"] == 1
    assert old["x"] == manager["a"]["x"] == 2
    assert manager["a"] is not old


def test_manager_assignment_of_a_store_copies_it_with_its_arrays(manager: H5StoreManager) -> None:
    manager["a"] = {"x": np.arange(3), "g": {"y": 1}}
    manager["b"] = manager["a"]
    manager["c"] = manager["a"]["g"]
    manager["a"] = manager["a"]
    assert manager["a"] == manager["b"] == {"x": np.arange(3), "g": {"y": 1}}
    assert manager["c"] == {"y": 1}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({}, ValueError),
        ([], ValueError),
        (3, TypeError),
        (None, TypeError),
        ([1], TypeError),
        ([(1, 2)], TypeError),
        ("ab", ValueError),
        ({"x": object()}, TypeError),
        ({"a.b": 1}, InvalidKeyError),
        ({"x": {"a.b": 1}}, InvalidKeyError),
    ],
)
def test_manager_assignment_that_fails_leaves_the_old_file_and_nothing_else(
    manager: H5StoreManager, value: Any, error: type[Exception]
) -> None:
    manager["a"] = {"x": 1}
    with pytest.raises(error):
        manager["a"] = value
    assert manager["a"] == {"x": 1}
    assert os.listdir(manager.prefix) == ["a.h5"]


def test_manager_assignment_whose_rename_fails_leaves_nothing_behind(manager: H5StoreManager) -> None:
    os.mkdir(os.path.join(manager.prefix, "a.h5"))
    with pytest.raises(IsADirectoryError):
        manager["a"] = {"x": 1}
    assert os.listdir(manager.prefix) == ["a.h5"]


@pytest.mark.parametrize("key", ["../x", "..", ".", "", "a/b", "/absolute", "a\0b", "sub/../../x"])
def test_manager_key_that_leaves_the_directory_raises_invalid_key_error(manager: H5StoreManager, key: str) -> None:
    for operation in (
        lambda: manager[key],
        lambda: manager.__setitem__(key, {"x": 1}),
        lambda: manager.__delitem__(key),
    ):
        with pytest.raises(InvalidKeyError):
            operation()
    assert key not in manager
    assert os.listdir(manager.prefix) == []


def test_manager_assignment_to_a_key_with_a_dot_raises_invalid_key_error(manager: H5StoreManager) -> None:
    with pytest.raises(InvalidKeyError, match="dots"):
        manager["a.b"] = {"x": 1}


@pytest.mark.parametrize("key", [3, None, b"x"])
def test_manager_key_that_is_not_a_string_raises_type_error(manager: H5StoreManager, key: Any) -> None:
    with pytest.raises(TypeError, match="must be str"):
        manager[key]
    with pytest.raises(TypeError, match="must be str"):
        manager[key] = {"x": 1}
    assert key not in manager


def test_manager_lists_exactly_the_files_with_the_suffix(manager: H5StoreManager) -> None:
    for name in ("a.h5", "d.e.h5", "xh5", ".h5", "b.txt", "c.h5x", "c.h5~", "u.H5"):
        open(os.path.join(manager.prefix, name), "x").close()
    os.mkdir(os.path.join(manager.prefix, "directory.h5"))
    os.symlink("nowhere", os.path.join(manager.prefix, "dangling.h5"))
    assert sorted(manager) == sorted(manager.keys()) == ["a", "d.e"]
    assert len(manager) == 2
    assert ("a" in manager, "d.e" in manager, "x" in manager, "directory" in manager) == (True, True, False, False)


def test_manager_of_a_missing_directory_is_empty(tmp_path: Path) -> None:
    manager = H5StoreManager(tmp_path / "missing")
    assert (list(manager), len(manager), "a" in manager, bool(manager)) == ([], 0, False, False)
    with pytest.raises(FileNotFoundError):
        manager["a"] = {"x": 1}


def test_manager_deletion_removes_the_file_or_raises_key_error(manager: H5StoreManager) -> None:
    manager["a"] = manager["b"] = manager["c"] = {"x": 1}
    del manager["a"]
    del manager.b
    assert list(manager) == ["c"]
    with pytest.raises(KeyError):
        del manager["a"]
    with pytest.raises(KeyError):
        del manager.b


def test_manager_files_have_the_mode_of_the_umask(manager: H5StoreManager) -> None:
    umask = os.umask(0o027)
    try:
        manager["a"] = {"x": 1}
    finally:
        os.umask(umask)
    assert os.stat(manager["a"].filename).st_mode & 0o777 == 0o640


def test_manager_when_pickled_copied_or_compared_is_its_directory(
    manager: H5StoreManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.symlink("stores", "link")
    manager["a"] = {"x": 1}
    with manager["a"]:
        for duplicate in (pickle.loads(pickle.dumps(manager)), copy.copy(manager), copy.deepcopy(manager)):
            assert duplicate == manager
            assert duplicate["a"] is not manager["a"]
    assert repr(manager) == "H5StoreManager(prefix='stores')"
    assert manager == H5StoreManager("./link")
    assert manager != H5StoreManager("other")
    assert manager != 3
    with pytest.raises(TypeError):
        hash(manager)


def test_manager_subclass_may_choose_the_suffix_and_the_store(tmp_path: Path) -> None:
    class Store(H5Store):
        pass

    class Manager(H5StoreManager):
        cls = Store
        suffix = ".hdf5"

    manager = Manager(tmp_path)
    manager["a"] = {"x": 1}
    assert (tmp_path / "a.hdf5").is_file()
    assert type(manager["a"]) is Store
    assert list(manager) == ["a"]
    assert manager != H5StoreManager(tmp_path)
