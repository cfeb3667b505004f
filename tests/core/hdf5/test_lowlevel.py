"""The functions that h5py is made of: the same files as by its objects, and nothing left open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from signac_core.hdf5.store import H5Store

VALUES = {
    "int": 3,
    "large": 2**63,
    "float": 1.5,
    "bool": True,
    "text": "h\xe9\u2603",
    "no text": "",
    "h\xe9": 1,
    "deep/er": 2.5,
    "float32": np.float32(2),
    "complex": np.array([1j]),
    "half": np.float16(0.5),
    "long": np.longdouble(0.1),
    "bools": np.array([True, False]),
    "big-endian": np.array([1, 2], dtype=">i4"),
    "empty": np.zeros((0, 3)),
    "every other": np.arange(10)[::2],
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "array": np.arange(1000.0),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[H5Store]:
    store = H5Store(str(tmp_path / "file.h5"))
    yield store
    store.close()


@pytest.fixture
def tracked() -> Iterator[None]:
    """h5py told to keep the order in which things are created."""
    h5py.get_config().track_order = True
    yield
    h5py.get_config().track_order = False


def test_values_when_written_then_the_file_is_the_one_that_h5py_writes(store: H5Store, tmp_path: Path) -> None:
    for directory in (tmp_path / "first", tmp_path / "second"):  # the properties of the first file serve the second
        directory.mkdir()
        ours, theirs = str(directory / "ours.h5"), str(directory / "theirs.h5")
        for key, value in VALUES.items():
            H5Store(ours)[key] = value
            with h5py.File(theirs, "a") as file:
                file[key] = value
            assert Path(ours).read_bytes() == Path(theirs).read_bytes()


@pytest.mark.parametrize("key", VALUES)
def test_scalar_when_read_then_is_what_h5py_reads(store: H5Store, key: str) -> None:
    with h5py.File(store.filename, "w") as file:
        file["v"] = VALUES[key]
        expected = file["v"].asstr()[()] if isinstance(VALUES[key], str) else file["v"][()]
    with store:
        found = store["v"][()] if isinstance(store["v"], h5py.Dataset) else store["v"]
    assert type(found) is type(expected)
    assert np.array_equal(found, expected)


def test_enumeration_beside_plain_numbers_when_stored_then_each_keeps_its_type(store: H5Store) -> None:
    colours = h5py.enum_dtype({"red": 1, "blue": 2}, basetype="i8")
    for name in ("a", "b"):
        store[f"{name} plain"] = np.array([1, 2])
        store[f"{name} enumeration"] = np.array([1, 2], dtype=colours)
    with h5py.File(store.filename) as file:
        found = {name: h5py.check_enum_dtype(file[name].dtype) for name in file}
    enumeration = {"red": 1, "blue": 2}
    assert found == {"a plain": None, "b plain": None, "a enumeration": enumeration, "b enumeration": enumeration}


def test_values_when_h5py_tracks_order_then_come_in_that_order(store: H5Store, tracked: None) -> None:
    store["z"] = 1
    store["group"] = {"y": "text", "b": np.arange(3), "a": 2}
    store["a"] = "x"
    for _ in range(2):
        store["large"] = np.zeros(1 << 18)
    assert (list(store), list(store["group"])) == (["z", "group", "a", "large"], ["y", "b", "a"])
    with h5py.File(store.filename) as file:
        assert [file[name].id.get_create_plist().get_attr_creation_order() for name in ("z", "a", "large")] == [3] * 3


def test_file_when_h5py_has_it_open_then_is_shared(store: H5Store) -> None:
    store["x"] = 1
    with h5py.File(store.filename, "a") as file:
        store["y"] = np.arange(3)
        assert (file["y"][2], store["x"]) == (2, 1)
        file["z"] = 5
        assert store["z"] == 5
    assert sorted(store) == ["x", "y", "z"]


OPERATIONS: list[Callable[[H5Store], Any]] = [
    lambda store: store["scalar"],
    lambda store: store["array"],
    lambda store: store["group"],
    lambda store: store["type"],
    lambda store: store["missing"],
    lambda store: store.group.attrs,
    lambda store: store.update(scalar=2, array=np.ones(2), group={"x": 3}),
    lambda store: store.update(copy=store, text="x", texts=["x"], raw=b"x\0"),
    lambda store: store.__setitem__("array/below", 1),
    lambda store: store.pop("group"),
    lambda store: (len(store), list(store), "array" in store, store == {}),
]


@pytest.mark.filterwarnings("ignore:A value of type list")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_on_a_closed_store_when_it_has_ended_then_nothing_is_open(
    store: H5Store, operation: Callable[[H5Store], Any]
) -> None:
    store.update({"scalar": 1, "array": np.arange(3), "group": {"x": 1}})
    with h5py.File(store.filename, "a") as file:
        file["type"] = np.dtype("f8")
    outcome: Any
    try:
        outcome = operation(store)
    except (KeyError, OSError) as error:
        outcome = error  # with all that its traceback refers to
    with h5py.File(store.filename, "w"):  # HDF5 truncates no file that is open, or in which something is
        assert len(store) == 0, outcome
