"""HDF5 stores: values there and back, whole writes, open and closed stores, threads."""

from __future__ import annotations

import array
import copy
import errno
import os
import pickle
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from signac_core import init_project
from signac_core.errors import InvalidKeyError
from signac_core.hdf5 import values
from signac_core.hdf5.lowlevel import Layer
from signac_core.hdf5.manager import H5StoreManager
from signac_core.hdf5.store import H5Group, H5Store, H5StoreAlreadyOpenError, H5StoreClosedError

STRUCTURED = np.dtype([("a", "i4"), ("b", "f8")])
LARGE = 1 << 18  # elements of 8 bytes: above the size for which the room on disk is checked


@pytest.fixture
def filename(tmp_path: Path) -> str:
    return str(tmp_path / "file.h5")


@pytest.fixture
def store(filename: str) -> Iterator[H5Store]:
    store = H5Store(filename)
    yield store
    store.close()


def in_thread(function: Callable[[], Any]) -> Any:
    """Run a function in a thread; return its result or raise its exception, and fail if it hangs."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((function(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60)
    assert outcome, "the thread hangs"
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def in_threads(*functions: Callable[[], Any]) -> None:
    errors: list[BaseException] = []

    def run(function: Callable[[], Any]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,), daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    assert errors == []


def run_python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)


# --- construction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", None, 3, b"x", Path("x")])
def test_construction_without_a_file_name_raises_value_error(name: Any) -> None:
    with pytest.raises(ValueError, match="non-empty string"):
        H5Store(name)


def test_construction_with_a_relative_path_keeps_the_absolute_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = H5Store("a/x.h5")
    assert store.filename == str(tmp_path / "a" / "x.h5")
    assert repr(store) == "H5Store(filename='a/x.h5')"
    assert str(store) == "H5Store(filename='x.h5')"


def test_hash_of_a_store_raises_type_error(store: H5Store) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(store)


def test_unknown_options_are_reported_when_the_file_is_opened(filename: str) -> None:
    store = H5Store(filename, nonsense=1)
    with pytest.raises(TypeError):
        store.open()


def test_import_and_plain_reads_load_neither_h5py_nor_pandas_too_early(store: H5Store) -> None:
    store["x"] = {"y": 1}
    code = """
import sys
from signac_core.hdf5.manager import H5StoreManager
from signac_core.hdf5.store import H5Store
store = H5Store(sys.argv[1])
assert not {"h5py", "numpy", "pandas"} & set(sys.modules)
assert store["x"]["y"] == 1
store["z"] = [1] if False else 2
assert "h5py" in sys.modules and not {"pandas", "tables"} & set(sys.modules)
"""
    result = run_python(code, store.filename)
    assert (result.returncode, result.stderr) == (0, "")


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, np.int64(3)),
        (2**63 - 1, np.int64(2**63 - 1)),
        (-(2**63), np.int64(-(2**63))),
        (2**63, np.uint64(2**63)),
        (1.5, np.float64(1.5)),
        (True, np.bool_(True)),
        ("text", "text"),
        ("", ""),
        ("h\xe9\u2603", "h\xe9\u2603"),
        ("x" * 70_000, "x" * 70_000),
        (b"a\0b", np.bytes_(b"a\0b")),
        (b"", np.bytes_(b"")),
        (None, None),
        (np.float32(2), np.float32(2)),
        (np.int8(2), np.int8(2)),
        (np.bool_(False), np.bool_(False)),
        (np.complex128(1j), np.complex128(1j)),
        (np.bytes_(b"xy"), np.bytes_(b"xy")),
        (np.void(b"abc"), np.void(b"abc")),
        (np.array(7), np.int64(7)),
        (np.array((1, 2.0), dtype=STRUCTURED)[()], np.array((1, 2.0), dtype=STRUCTURED)[()]),
    ],
)
def test_scalar_when_read_back_has_the_numpy_type(store: H5Store, value: Any, expected: Any) -> None:
    store["v"] = value
    result = store["v"]
    assert type(result) is type(expected)
    assert result == expected


@pytest.mark.parametrize("value", [b"\0", b"a\0\0", b"\x01\0\0\0", b"", b"\0a"])
def test_bytes_with_nul_at_the_end_when_read_back_are_whole(store: H5Store, value: bytes) -> None:
    store["v"] = value
    assert bytes(store["v"]) == value
    assert store.pop("v") == np.bytes_(value)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(3),
        np.arange(6.0).reshape(2, 3),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array([1j]),
        np.array([1, 2], dtype=">i4"),
        np.array([b"ab", b"c"]),
        np.array([(1, 2.0)], dtype=STRUCTURED),
        np.arange(10)[::2],
        array.array("d", [1, 2]),
        array.array("i"),
    ],
)
def test_array_when_read_from_an_open_store_is_a_dataset_of_the_same_content(store: H5Store, value: Any) -> None:
    store["v"] = value
    with store:
        assert isinstance(store["v"], h5py.Dataset)
        assert store["v"].dtype == np.asarray(value).dtype
        assert np.array_equal(store["v"][()], np.asarray(value))


def test_array_when_read_from_a_closed_store_is_a_closed_dataset(store: H5Store) -> None:
    store["v"] = np.arange(3)
    assert not store["v"]


def test_mapping_when_read_back_is_a_live_group(store: H5Store) -> None:
    store["m"] = {"a": 1, "d": {"none": None, "text": "x"}, "empty": {}, "p/q": 2}
    group = store["m"]
    assert isinstance(group, H5Group)
    assert group == {"a": 1, "d": {"none": None, "text": "x"}, "empty": {}, "p": {"q": 2}}
    store["m"]["b"] = 5
    assert group["b"] == 5


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1j, "complex128"),
        ([1, 2], "int64"),
        ((1, 2.5), "float64"),
        (range(3), "int64"),
        (bytearray(b"ab"), "uint8"),
        (memoryview(b"ab"), "uint8"),
        (np.ma.array([1, 2], mask=[0, 1]), "int64"),
        (["a", "b\xe9"], "object"),
        ([b"a", b"bc"], "object"),
        ([], "float64"),
    ],
)
def test_unsupported_type_that_numpy_converts_is_stored_with_a_warning(store: H5Store, value: Any, dtype: str) -> None:
    with pytest.warns(UserWarning, match=type(value).__name__) as caught:
        store["v"] = value
    assert [str(warning.filename) for warning in caught] == [__file__]
    with h5py.File(store.filename) as file:
        assert file["v"].dtype == dtype


def test_unsupported_type_inside_a_mapping_is_stored_with_a_warning(store: H5Store) -> None:
    with pytest.warns(UserWarning, match="list"):
        store["v"] = {"a": [1, 2]}
    assert store.pop("v")["a"].tolist() == [1, 2]


UNSTORABLE = [
    object(),
    2**64,
    {1, 2},
    "a\0b",
    "\ud800",
    np.str_("x"),
    np.array(["a"]),
    np.array([None]),
    np.array(["2020"], dtype="M8[D]"),
    [[1], [1, 2]],
    [None],
    [1, "a"],
    *([] if np.__version__.startswith("1.") else [np.zeros((1,) * 33)]),  # more dimensions than numpy 1 has
    {"fine": 1, "nested": {"bad": object()}},
    {"fine": 1, "a.b": 2},
    {"fine": 1, "": 2},
    {"fine": 1, 3: 2},
    {"fine": 1, "fine/inside": 2},
]


@pytest.mark.parametrize("value", UNSTORABLE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("opened", [False, True], ids=["closed", "open"])
def test_value_that_cannot_be_stored_leaves_the_old_one(store: H5Store, value: Any, opened: bool) -> None:
    store["v"] = {"old": 1}
    if opened:
        store.open()
    for key in ("v", "new", "new/deep", "v/old"):
        with pytest.raises((TypeError, ValueError)):
            store[key] = value
    assert store == {"v": {"old": 1}}
    store.close()
    with h5py.File(store.filename) as file:
        assert list(file) == ["v"]


def test_update_with_a_value_that_cannot_be_stored_stores_nothing(store: H5Store) -> None:
    store["a"] = 1
    with pytest.raises(TypeError):
        store.update({"a": 2, "b": 3}, c=object())
    assert store == {"a": 1}


def test_overwriting_with_another_type_replaces_the_value(store: H5Store) -> None:
    for value in (1, "text", {"a": 1}, None, np.bytes_(b"x")):
        store["v"] = value
        assert store["v"] == value


def test_overwriting_again_and_again_does_not_grow_the_file(store: H5Store) -> None:
    sizes = []
    for number in range(12):
        store["scalar"] = number
        store["array"] = np.full(10_000, number)
        sizes.append(os.path.getsize(store.filename))
    assert sizes[-1] == sizes[2]


def test_overwriting_a_large_value_neither_changes_the_size_of_the_file_nor_cuts_it_off_meanwhile(
    store: H5Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store["v"] = np.zeros(LARGE)  # the last in the file
    size, sizes = os.path.getsize(store.filename), []
    write = Layer.write

    def noted(layer: Layer, dataset: Any, array: Any) -> Any:
        sizes.append(os.path.getsize(store.filename))
        return write(layer, dataset, array)

    monkeypatch.setattr(Layer, "write", noted)
    for number in range(5):
        store["v"] = np.full(LARGE, number)
        assert os.path.getsize(store.filename) == size
    assert [size // LARGE for size in sizes] == [8] * 5
    assert store.pop("v")[-1] == 4


def test_overwriting_values_that_are_large_together_checks_the_room_once(
    store: H5Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"a": np.zeros(LARGE), "b": "x" * LARGE, "c": {"d": np.ones(LARGE)}}
    store.update(large)
    sizes: list[int] = []
    monkeypatch.setattr(values, "_check_room", lambda directory, size: sizes.append(size))
    store.update(large)
    assert sizes == [17 * LARGE]
    assert store == large


def test_value_left_by_a_killed_writer_is_hidden_and_replaced(store: H5Store) -> None:
    store["a"] = 1
    with h5py.File(store.filename, "a") as file:
        file[".signac-new"] = np.arange(3)
    assert list(store) == ["a"]
    assert len(store) == 1
    assert store == {"a": 1}
    store["b"] = {"copy": store}
    with h5py.File(store.filename) as file:
        assert list(file) == ["a", "b"]
        assert list(file["b/copy"]) == ["a"]


def test_interrupt_while_overwriting_completes_the_write(store: H5Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store["v"] = "old"
    make, calls = values._make, []

    def interrupted(*args: Any) -> Any:
        made = make(*args)
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(values, "_make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store["v"] = "new"
    assert store == {"v": "new"}


def test_interrupt_while_writing_a_new_key_leaves_nothing(store: H5Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store["v"] = "old"
    make = values._make

    def interrupted(*args: Any) -> None:
        make(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(values, "_make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store["new"] = {"a": 1}
    with h5py.File(store.filename) as file:
        assert list(file) == ["v"]


def test_overwriting_a_large_value_without_room_on_disk_keeps_the_old_one(
    store: H5Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store["v"] = np.zeros(LARGE)

    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(values, "_is_in_memory", lambda device: False)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left") as caught:
        store["v"] = np.ones(2 * LARGE)
    assert caught.value.filename == os.path.dirname(store.filename)
    assert store.pop("v").tolist() == [0.0] * LARGE
    assert [name for name in os.listdir(os.path.dirname(store.filename)) if name.startswith(".")] == []


def test_overwriting_a_large_value_when_room_cannot_be_checked_succeeds(
    store: H5Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store["v"] = np.zeros(LARGE)

    def unsupported(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(values, "_is_in_memory", lambda device: False)
    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    store["v"] = np.ones(2 * LARGE)
    assert store.pop("v").all()


@pytest.mark.parametrize("nameless", [False, True], ids=["named", "nameless"])
def test_overwriting_a_large_value_tries_its_size_in_a_file_that_vanishes(
    store: H5Store, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    store["v"] = np.zeros(LARGE)
    open_file, tried = os.open, []

    def refuse_nameless(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE and not nameless:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return open_file(path, flags, mode)

    monkeypatch.setattr(values, "_is_in_memory", lambda device: False)
    monkeypatch.setattr(os, "posix_fallocate", lambda fd, offset, length: tried.append((os.fstat(fd).st_nlink, length)))
    monkeypatch.setattr(os, "open", refuse_nameless)
    store["v"] = np.ones(2 * LARGE)
    assert tried == [(0, 16 * LARGE)]
    assert [name for name in os.listdir(os.path.dirname(store.filename)) if name.startswith(".")] == []


@pytest.mark.parametrize(("blocks", "available", "fits"), [(100, 1, False), (100, 6, True), (0, 0, True)])
def test_overwriting_a_large_value_in_memory_counts_the_room_and_takes_none(
    store: H5Store,
    monkeypatch: pytest.MonkeyPatch,
    forbid: Callable[[Any, str], AbstractContextManager[None]],
    blocks: int,
    available: int,
    fits: bool,
) -> None:
    in_memory: list[bool] = [False]
    room = SimpleNamespace(f_blocks=blocks, f_bavail=available, f_frsize=4 * LARGE)
    monkeypatch.setattr(values, "_is_in_memory", lambda device: in_memory[-1])
    monkeypatch.setattr(os, "statvfs", lambda path: room)
    trying = forbid(os, "posix_fallocate")
    for size in (1, 2):
        store["v"] = np.zeros(size * LARGE)
    in_memory.append(True)
    with trying, nullcontext() if fits else pytest.raises(OSError, match="No space left"):
        store["v"] = np.ones(3 * LARGE)
    assert store.pop("v").all() == fits


@pytest.mark.parametrize("case", ["alone", "chunked", "linked", "held", "larger", "holes", "copy on write", "group"])
def test_overwriting_a_large_value_tries_no_room_if_the_old_value_gives_it(
    store: H5Store, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    checked: list[int] = []
    monkeypatch.setattr(values, "_check_room", lambda directory, size: checked.append(size))
    monkeypatch.setattr(values, "_keeps_blocks", lambda device: case != "copy on write")
    for size in (1, 1, 2):
        store["other"] = np.zeros(size * LARGE)
    assert checked.pop() == 16 * LARGE
    checked.clear()
    with store:
        store.file.create_dataset("v", data=np.zeros(LARGE), chunks=(LARGE,) if case == "chunked" else None)
        store.file.create_dataset("holes", (8 * LARGE,), "f8")[-1:] = 1
        if case == "linked":
            store["link"] = store["v"]
        if case != "holes":
            store.file["holes"][:] = 1
    key, size = "other" if case == "copy on write" else "v", 2 if case in ("larger", "copy on write") else 1
    value = np.ones(size * LARGE)
    with store if case == "held" else nullcontext():
        held = store["v"]
        store[key] = {"x": value} if case == "group" else value
        assert bool(held) == (case == "held")
    assert checked == ([] if case == "alone" else [8 * size * LARGE])


def test_end_of_the_process_while_overwriting_a_large_array_never_leaves_a_mixture(store: H5Store) -> None:
    store["other"] = "kept"
    store["v"] = np.zeros(LARGE)
    code = """
import os, sys
import numpy as np
from signac_core import init_project
from signac_core.hdf5 import values
from signac_core.hdf5.store import H5Store
make = values._make
def killed(*args):
    make(*args)
    os._exit(9)
values._make = killed
H5Store(sys.argv[1])["v"] = np.ones(int(sys.argv[2]))
"""
    assert run_python(code, store.filename, str(LARGE)).returncode == 9
    assert store == {"other": "kept"}


# --- values that are in a file already -------------------------------------------------------------------------------


def test_dataset_when_assigned_is_a_hard_link(store: H5Store) -> None:
    with store:
        store["a"] = np.arange(3)
        store["b"] = store["a"]
        store["b"][0] = 9
        assert store["a"][0] == 9


def test_dataset_when_assigned_over_another_one_replaces_it(store: H5Store) -> None:
    with store:
        store["a"] = np.arange(3)
        store["b"] = np.zeros(5)
        store["b"] = store["a"]
        assert store["b"][()].tolist() == [0, 1, 2]


def test_datasets_when_swapped_keep_their_content(store: H5Store) -> None:
    with store:
        store.update(a=np.arange(3), b=np.zeros(2))
        store.update(a=store["b"], b=store["a"])
        assert (store["a"][()].tolist(), store["b"][()].tolist()) == ([0, 0], [0, 1, 2])


def test_dataset_when_assigned_to_itself_is_unchanged(store: H5Store) -> None:
    with store:
        store["a"] = np.arange(3)
        store["a"] = store["a"]
        assert store["a"][()].tolist() == [0, 1, 2]


def test_dataset_of_another_file_when_assigned_raises_os_error_and_keeps_the_old_value(
    store: H5Store, tmp_path: Path
) -> None:
    store["v"] = 1
    with H5Store(str(tmp_path / "other.h5")) as other:
        other["a"] = np.arange(3)
        with pytest.raises(OSError, match="hard link"):
            store["v"] = other["a"]
    assert store == {"v": 1}


def test_dataset_of_a_closed_store_when_assigned_raises_value_error_and_keeps_the_old_value(store: H5Store) -> None:
    store.update(a=np.arange(3), v=1)
    with pytest.raises(ValueError, match="open the store first"):
        store["v"] = store["a"]
    assert store["v"] == 1


@pytest.mark.parametrize("opened", [False, True], ids=["closed", "open"])
def test_group_when_assigned_is_a_deep_copy(store: H5Store, opened: bool) -> None:
    store["g"] = {"a": np.arange(3), "sub": {"x": 1}}
    if opened:
        store.open()
    store["copy"] = store["g"]
    store["part"] = store["g"]["sub"]
    store["g"]["sub"]["x"] = 2
    with h5py.File(store.filename, store.mode if opened else "r+") as file:
        file["g/a"][0] = 9
    assert store == {
        "g": {"a": np.array([9, 1, 2]), "sub": {"x": 2}},
        "copy": {"a": np.arange(3), "sub": {"x": 1}},
        "part": {"x": 1},
    }


def test_group_when_assigned_to_itself_is_unchanged(store: H5Store) -> None:
    store["g"] = {"a": 1}
    store["g"] = store["g"]
    assert store == {"g": {"a": 1}}


def test_group_when_assigned_into_itself_is_copied_once(store: H5Store) -> None:
    store["g"] = {"a": 1, "sub": "old"}
    store["g"]["sub"] = store["g"]
    assert store == {"g": {"a": 1, "sub": {"a": 1, "sub": "old"}}}


def test_part_of_a_group_when_assigned_over_the_group_replaces_it(store: H5Store) -> None:
    store["g"] = {"a": 1, "sub": {"b": 2}}
    store["g"] = store["g"]["sub"]
    assert store == {"g": {"b": 2}}


def test_mapping_with_the_old_value_inside_when_assigned_wraps_it(store: H5Store) -> None:
    store["g"] = {"a": 1}
    store["g"] = {"old": store["g"], "new": 2}
    assert store == {"g": {"old": {"a": 1}, "new": 2}}


def test_store_when_assigned_into_itself_is_copied_once(store: H5Store) -> None:
    store["a"] = 1
    store["self"] = store
    store["deep"] = {"self": store}
    assert store == {"a": 1, "self": {"a": 1}, "deep": {"self": {"a": 1, "self": {"a": 1}}}}


def test_h5py_group_when_assigned_is_a_deep_copy(store: H5Store) -> None:
    with store:
        store["g"] = {"a": np.arange(3)}
        store["copy"] = store.file["g"]
        store["root"] = store.file
        store["g"]["a"][0] = 9
        assert store["copy"] == {"a": np.arange(3)}
        assert sorted(store["root"]) == ["copy", "g"]


@pytest.mark.parametrize("opened", [False, True], ids=["closed", "open"])
def test_other_store_when_assigned_or_merged_is_copied_with_its_arrays(
    store: H5Store, tmp_path: Path, opened: bool
) -> None:
    other = H5Store(str(tmp_path / "other.h5"))
    other.update({"a": np.arange(3), "g": {"x": 1}})
    if opened:
        other.open()
    store["other"] = other
    store["g"] = other["g"]
    store.update(other)
    content = {"a": np.arange(3), "g": {"x": 1}}
    assert store == {"other": content, **content}
    other.close()


def test_missing_store_when_assigned_is_an_empty_group(store: H5Store, tmp_path: Path) -> None:
    store["other"] = H5Store(str(tmp_path / "missing.h5"))
    assert store == {"other": {}}
    assert not (tmp_path / "missing.h5").exists()


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a.b", ".", "..", "a/b.c", "", "/", "//", "a\0b"])
def test_invalid_key_when_set_raises_invalid_key_error(store: H5Store, key: str) -> None:
    with pytest.raises(InvalidKeyError):
        store[key] = 1
    with pytest.raises(InvalidKeyError):
        store.update({"fine": 1, key: 1})
    assert not os.path.exists(store.filename)


@pytest.mark.parametrize("key", ["a.b", "missing", "a/b", "", "a\0b", "\ud800"])
def test_missing_key_raises_key_error_and_has_no_value(store: H5Store, key: str) -> None:
    store["a"] = 1
    with pytest.raises(KeyError):
        store[key]
    with pytest.raises(KeyError):
        del store[key]
    with pytest.raises(KeyError):
        store.pop(key)
    assert store.get(key) is None
    assert store.pop(key, "default") == "default"
    assert key not in store
    assert store == {"a": 1}


@pytest.mark.parametrize("key", [3, None, b"x"])
def test_key_that_is_not_a_string_raises_type_error(store: H5Store, key: Any) -> None:
    for operation in (
        lambda: store[key],
        lambda: store.__setitem__(key, 1),
        lambda: store.__delitem__(key),
        lambda: key in store,
    ):
        with pytest.raises(TypeError, match="must be str"):
            operation()


def test_slashes_in_keys_mean_groups(store: H5Store) -> None:
    store["g/h"] = 1
    store["/lead//x/"] = 2
    assert store["g"]["h"] == store["/g/h"] == store["g//h/"] == 1
    assert "g/h" in store
    assert store == {"g": {"h": 1}, "lead": {"x": 2}}
    del store["g/h"]
    assert store["g"] == {}


def test_key_below_a_value_raises_os_error_and_keeps_the_value(store: H5Store) -> None:
    store["a"] = 1
    with pytest.raises(OSError, match="'/a' is a value, not a group"):
        store["a/b"] = 2
    assert store == {"a": 1}


def test_root_group_cannot_be_deleted(store: H5Store) -> None:
    store["a"] = 1
    assert store["/"] == {"a": 1}
    with pytest.raises(KeyError):
        del store["/"]


def test_dangling_links_are_listed_and_can_be_replaced_and_deleted(store: H5Store) -> None:
    with store:
        store.file["a"] = h5py.SoftLink("/nowhere")
        store.file["b"] = h5py.SoftLink("/nowhere")
    assert sorted(store) == ["a", "b"]
    with pytest.raises(KeyError):
        store["a"]
    store["a"] = 1
    del store["b"]
    assert store == {"a": 1}


def test_attributes_are_keys(store: H5Store) -> None:
    store.foo = 1
    store._private = 2
    assert store.foo == store["foo"] == 1
    assert store == {"foo": 1, "_private": 2}
    del store.foo
    with pytest.raises(AttributeError, match="foo"):
        _ = store.foo
    with pytest.raises(KeyError):
        del store.foo
    assert not hasattr(store, "__missing__")


def test_attributes_named_like_methods_are_stored_but_not_read(store: H5Store) -> None:
    store.file = 2
    store.keys = 3
    assert store["file"] == 2
    assert sorted(store.keys()) == ["file", "keys"]
    del store.file
    assert list(store) == ["keys"]


# --- the mapping -----------------------------------------------------------------------------------------------------


def test_mapping_methods_work_on_a_closed_store(store: H5Store) -> None:
    store.update({"a": 1}, b="x")
    store.update([("c", None)])
    assert dict(store.items()) == {"a": 1, "b": "x", "c": None}
    assert list(store.values()) == [1, "x", None]
    assert store.get("b") == "x"
    assert store.setdefault("a", 5) == 1
    assert store.setdefault("d", 5) == 5
    assert store.pop("d") == 5
    assert len(store) == 3
    store.clear()
    assert store == {}
    assert not store


def test_setdefault_without_a_value_raises_type_error(store: H5Store) -> None:
    with pytest.raises(TypeError):
        store.setdefault("a")  # type: ignore[call-arg]


def test_pop_of_an_array_or_a_group_returns_its_content(store: H5Store) -> None:
    store.update(a=np.arange(3), g={"x": 1, "sub": {"y": np.ones(2)}})
    assert store.pop("a").tolist() == [0, 1, 2]
    key, value = store.popitem()
    assert (key, sorted(value), value["sub"]["y"].tolist()) == ("g", ["sub", "x"], [1, 1])
    with pytest.raises(KeyError):
        store.popitem()


def test_update_with_nothing_does_not_create_the_file(store: H5Store) -> None:
    store.update({})
    assert not os.path.exists(store.filename)


def test_equality_compares_content_of_open_and_closed_stores(store: H5Store, tmp_path: Path) -> None:
    other = H5Store(str(tmp_path / "other.h5"))
    content = {"a": np.arange(3), "g": {"x": "text", "none": None}}
    store.update(content)
    assert store != other
    other.update(content)
    assert store == other == content
    with store:
        assert store == other
        assert store["g"] == other["g"] == {"x": "text", "none": None}
        store["a"][0] = 7
    assert store != other
    assert store["g"] != {"x": "text", "none": 0}
    assert store["g"] != {"x": "text"}
    assert store != 3
    assert (store == None) is False  # noqa: E711


# --- reading without creating ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["a", "r", "r+", "w", "x", "w-"])
def test_reading_a_missing_file_finds_nothing_and_does_not_create_it(filename: str, mode: str) -> None:
    store = H5Store(filename, mode=mode)
    for operation in (
        lambda: store["x"],
        lambda: store.pop("x"),
        lambda: store.popitem(),
        lambda: H5Group(store, "/g")["x"],
    ):
        with pytest.raises(KeyError):
            operation()
    with pytest.raises(KeyError):
        del store["x"]
    with pytest.raises(AttributeError):
        _ = store.x
    assert (list(store), len(store), "x" in store, store.get("x", 1), store == {}) == ([], 0, False, 1, True)
    assert not os.path.exists(filename)


def test_reading_a_file_in_a_missing_directory_finds_nothing(tmp_path: Path) -> None:
    store = H5Store(str(tmp_path / "missing" / "file.h5"))
    assert list(store) == []
    with pytest.raises(FileNotFoundError):
        store["x"] = 1


def test_reading_a_file_that_was_created_but_not_written_finds_nothing(store: H5Store) -> None:
    open(store.filename, "x").close()
    assert "x" not in store
    assert store == {}
    store["x"] = 1
    assert store == {"x": 1}


def test_reading_a_file_that_is_not_hdf5_raises_os_error_naming_it(store: H5Store) -> None:
    with open(store.filename, "w") as file:
        file.write("junk" * 100)
    for operation in (lambda: store["x"], lambda: len(store), store.open, lambda: store.update(x=1)):
        with pytest.raises(OSError, match="file signature not found") as caught:
            operation()
        assert store.filename in str(caught.value)


def test_reading_a_closed_store_whose_mode_truncates_does_not_truncate(store: H5Store) -> None:
    store.update(x=1, y=2)
    truncating = H5Store(store.filename, mode="w", userblock_size=512)
    assert truncating == {"x": 1, "y": 2}
    del truncating["x"]
    assert store == {"y": 2}
    truncating["z"] = 3
    assert store == {"z": 3}


def test_writing_to_a_store_of_mode_r_raises_value_error(store: H5Store) -> None:
    store["x"] = 1
    read_only = H5Store(store.filename, mode="r")
    for operation in (lambda: read_only.update(x=2), lambda: read_only.pop("x"), read_only.clear):
        with pytest.raises(ValueError, match="reading only"):
            operation()
    assert read_only == {"x": 1}


# --- open and close --------------------------------------------------------------------------------------------------


def test_open_returns_the_store_and_gives_access_to_the_file(store: H5Store) -> None:
    assert store.open() is store
    assert store.mode == store.file.mode == "r+"
    store.file.create_dataset("x", data=3)
    store.flush()
    assert store["x"] == 3
    store.close()
    store.close()
    with store.open(mode="r") as same:
        assert same is store
        assert store.mode == "r"
        with pytest.raises(ValueError, match="reading only"):
            store["y"] = 1


def test_open_when_open_raises_already_open_error(store: H5Store) -> None:
    with store, pytest.raises(H5StoreAlreadyOpenError) as caught:
        store.open()
    assert caught.value.args == (store,)


def test_access_to_the_file_when_closed_raises_closed_error(store: H5Store) -> None:
    for operation in (lambda: store.file, lambda: store.mode, store.flush):
        with pytest.raises(H5StoreClosedError) as caught:
            operation()
        assert caught.value.args == (store.filename,)


def test_open_that_fails_leaves_the_store_closed(store: H5Store) -> None:
    store["x"] = 1
    with pytest.raises(FileExistsError):
        store.open("x")
    with pytest.raises(ValueError, match="mode"):
        store.open("nonsense")
    with pytest.raises(H5StoreClosedError):
        _ = store.mode
    assert store["x"] == 1


def test_with_block_when_it_ends_closes_the_store_even_if_it_was_open(store: H5Store) -> None:
    store.open()
    with store:
        pass
    with pytest.raises(H5StoreClosedError):
        _ = store.file


def test_inner_with_block_when_it_ends_closes_the_store(store: H5Store) -> None:
    with store:
        with store:
            store["x"] = 1
        with pytest.raises(H5StoreClosedError):
            _ = store.file
        assert store["x"] == 1


def test_store_when_its_file_was_closed_behind_its_back_is_closed(store: H5Store) -> None:
    store.open()
    store["x"] = 1
    store.file.close()
    with pytest.raises(H5StoreClosedError):
        _ = store.mode
    assert store["x"] == 1
    store.open()
    assert store.mode == "r+"


def test_store_that_is_forgotten_releases_the_file(filename: str) -> None:
    H5Store(filename).open()["x"] = 1
    with h5py.File(filename, "w"):
        pass  # HDF5 truncates no file that is open


def test_several_stores_of_one_file_share_their_content(filename: str) -> None:
    first, second = H5Store(filename), H5Store(filename)
    with first:
        first["x"] = np.arange(3)
        array = first["x"]
        second["y"] = 1
        with second:
            second["z"] = 2
        assert (first["y"], first["z"], array[()].tolist()) == (1, 2, [0, 1, 2])
    with first.open("r"):
        assert second["y"] == 1
        with pytest.raises(OSError, match="read-only"):
            second["y"] = 2


def test_closed_stores_when_pickled_or_copied_are_closed_stores_of_the_same_file(filename: str) -> None:
    store = H5Store(filename, mode="r+", libver="latest")
    H5Store(filename).update(x=1, g={"y": 2})
    for duplicate in (pickle.loads(pickle.dumps(store)), copy.copy(store), copy.deepcopy(store)):
        assert duplicate.filename == filename
        assert duplicate == store
        with duplicate:
            assert duplicate.mode == "r+"
    group = pickle.loads(pickle.dumps(store["g"]))
    assert group == copy.copy(store["g"]) == copy.deepcopy(store["g"]) == {"y": 2}


def test_open_store_when_pickled_or_copied_is_a_closed_store(store: H5Store) -> None:
    with store:
        for duplicate in (pickle.loads(pickle.dumps(store)), copy.copy(store), copy.deepcopy(store)):
            with pytest.raises(H5StoreClosedError):
                _ = duplicate.file
        assert store.mode == "r+"


# --- groups ----------------------------------------------------------------------------------------------------------


def test_group_when_shown_names_store_and_path(store: H5Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.path.dirname(store.filename))
    store["g/h"] = {}
    assert repr(store["g"]["h"]) == "H5Group(store=H5Store(filename='file.h5'), path='/g/h')"
    with pytest.raises(TypeError):
        hash(store["g"])


def test_group_attributes_are_keys_and_those_of_the_h5py_group(store: H5Store) -> None:
    store["g"] = {"a": 1}
    group = store.g
    group.b = 2
    assert (group.a, group.b, group["b"]) == (1, 2, 2)
    del group.a
    assert group == {"b": 2}
    with pytest.raises(KeyError):
        del group.a
    with pytest.raises(AttributeError, match="zz"):
        _ = group.zz
    with store:
        group.attrs["unit"] = "m"
        assert group.attrs["unit"] == "m"
        assert group.name == "/g"


@pytest.mark.parametrize("key", ["x.y", "", "a\0b"])
def test_group_refuses_the_keys_that_a_store_refuses(store: H5Store, key: str) -> None:
    store["g"] = {}
    with pytest.raises(InvalidKeyError):
        store["g"][key] = 1
    with pytest.raises(KeyError):
        store["g"][key]


def test_group_that_was_deleted_does_not_come_back(store: H5Store) -> None:
    store["g"] = {"a": 1}
    group = store["g"]
    del store["g"]
    for operation in (lambda: group["a"], lambda: len(group), lambda: list(group), lambda: group == {}, group.clear):
        with pytest.raises(KeyError):
            operation()
    with pytest.raises(KeyError):
        group["x"] = 1
    with pytest.raises(AttributeError):
        _ = group.a
    assert "a" not in group
    assert store == {}


def test_group_that_was_replaced_by_an_array_raises_key_error(store: H5Store) -> None:
    store["g"] = {"a": 1}
    group = store["g"]
    store["g"] = np.arange(3)
    for operation in (lambda: list(group), lambda: group.update(a=1), lambda: group["a"]):
        with pytest.raises(KeyError):
            operation()


def test_group_methods_change_the_group_alone(store: H5Store) -> None:
    store.update(g={"a": 1, "b": {"c": 2}}, other=1)
    group = store["g"]
    assert group.pop("b") == {"c": 2}
    group.update({"k": 1}, l=2)
    assert group.setdefault("k", 5) == 1
    group.clear()
    assert store == {"g": {}, "other": 1}


# --- threads ---------------------------------------------------------------------------------------------------------


def test_open_store_does_not_block_stores_of_other_files_in_other_threads(store: H5Store, tmp_path: Path) -> None:
    barrier = threading.Barrier(3, timeout=60)

    def use(number: int) -> None:
        with H5Store(str(tmp_path / f"{number}.h5")) as own:
            barrier.wait()  # all are open at the same time
            own["x"] = np.full(10, number)
            barrier.wait()
            assert own["x"][0] == number

    in_threads(*(lambda number=number: use(number) for number in range(3)))


def test_open_store_does_not_block_a_closed_store_of_the_same_file_in_another_thread(store: H5Store) -> None:
    with store:
        store["x"] = np.arange(3)
        in_thread(lambda: H5Store(store.filename).update(y=1))
        assert store["x"][()].tolist() == [0, 1, 2]
        assert store["y"] == 1


def test_store_when_closed_by_another_thread_blocks_nobody(store: H5Store) -> None:
    store.open()
    in_thread(store.close)
    store["x"] = 1
    in_thread(lambda: store.update(y=2))
    assert store == {"x": 1, "y": 2}


def test_with_block_when_it_ends_in_another_thread_closes_the_store(store: H5Store) -> None:
    store.__enter__()
    in_thread(lambda: store.__exit__(None, None, None))
    with pytest.raises(H5StoreClosedError):
        _ = store.file


def test_with_block_when_it_ends_leaves_the_store_open_for_other_threads(store: H5Store) -> None:
    store["x"] = np.arange(3)

    def visit() -> None:
        with store:
            assert store["x"][0] == 0

    with store:
        array = store["x"]
        in_thread(visit)
        assert array[()].tolist() == [0, 1, 2]
    with pytest.raises(H5StoreClosedError):
        _ = store.file


def test_closed_operations_from_many_threads_lose_nothing(filename: str) -> None:
    def use(number: int) -> None:
        own = H5Store(filename)
        for step in range(10):
            own[f"{number}/{step}"] = step
            own["shared"] = np.full(10, number)
            assert own[f"{number}/{step}"] == step

    in_threads(*(lambda number=number: use(number) for number in range(4)))
    store = H5Store(filename)
    assert all(store[str(number)] == {str(step): step for step in range(10)} for number in range(4))


def test_copies_between_two_files_in_both_directions_do_not_deadlock(tmp_path: Path) -> None:
    first, second = H5Store(str(tmp_path / "1.h5")), H5Store(str(tmp_path / "2.h5"))
    first["g"] = second["g"] = {"a": np.arange(5)}

    def copy_group(source: H5Store, target: H5Store) -> None:
        for _ in range(10):
            target["copy"] = source["g"]

    in_threads(lambda: copy_group(first, second), lambda: copy_group(second, first))
    assert first == second


def test_mapping_that_uses_stores_in_other_threads_while_it_is_assigned_does_not_deadlock(
    store: H5Store, tmp_path: Path
) -> None:
    other = H5Store(str(tmp_path / "other.h5"))

    class Lazy(dict[str, int]):
        def items(self) -> Any:
            in_thread(lambda: other.update(x=1))
            return super().items()

    store["lazy"] = Lazy(a=1)
    assert (store, other) == ({"lazy": {"a": 1}}, {"x": 1})


# --- pandas ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pandas() -> Any:
    pytest.importorskip("tables", reason="pandas objects need PyTables, the optional extra 'tables'")
    import pandas

    return pandas


@pytest.fixture
def frame(pandas: Any) -> Any:
    return pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.fixture
def series(pandas: Any) -> Any:
    return pandas.Series([1.0, 2.0], name="q")


@pytest.mark.parametrize("opened", [False, True], ids=["closed", "open"])
def test_pandas_objects_when_read_back_are_equal_copies(
    store: H5Store, frame: Any, series: Any, pandas: Any, opened: bool
) -> None:
    if opened:
        store.open()
    hierarchical = pandas.DataFrame({"a": [1]}, index=pandas.MultiIndex.from_tuples([(1, "x")]))
    store.update({"f": frame, "name with spaces": frame, "h": hierarchical}, s=series)
    store["n/x"] = {"f": frame}
    store["f"] = frame
    assert store["f"].equals(frame)
    assert store["name with spaces"].equals(frame)
    assert store["h"].equals(hierarchical)
    assert store["s"].equals(series)
    assert store["s"].name == "q"
    assert store["n"]["x"].f.equals(frame)
    assert store == {"f": frame, "name with spaces": frame, "h": hierarchical, "s": series, "n": {"x": {"f": frame}}}
    assert store != {}
    assert store.pop("f").equals(frame)
    assert store["n"] != {"x": {"f": series}}


@pytest.mark.parametrize("names", [("f", "v"), ("v", "f")])
def test_mapping_with_pandas_and_other_values_is_stored_in_any_order(
    store: H5Store, frame: Any, names: tuple[str, str]
) -> None:
    values = {"f": frame, "v": 1}
    store["m"] = {name: values[name] for name in names}
    assert store["m"] == values


def test_pandas_objects_when_read_or_written_leave_the_open_store_as_it_is(
    store: H5Store, frame: Any, series: Any
) -> None:
    store.update(f=frame, a=np.arange(3))
    with store.open("r"):
        array = store["a"]
        assert store["f"].equals(frame)
        assert H5Store(store.filename)["f"].equals(frame)
        assert store.mode == "r"
        assert array[()].tolist() == [0, 1, 2]
    with store:
        array = store["a"]
        store["s"] = series
        H5Store(store.filename)["t"] = series
        assert array[()].tolist() == [0, 1, 2]
        assert store["s"].equals(store["t"])


def test_pandas_objects_when_copied_with_their_group_are_whole(store: H5Store, frame: Any, tmp_path: Path) -> None:
    other = H5Store(str(tmp_path / "other.h5"))
    other["g"] = {"f": frame}
    store["copy"] = other["g"]
    assert store["copy"]["f"].equals(frame)


def test_pandas_objects_from_many_threads_are_whole(filename: str, frame: Any) -> None:
    def use(number: int) -> None:
        own = H5Store(filename)
        for _ in range(3):
            own[f"f{number}"] = frame
            assert own[f"f{number}"].equals(frame)

    in_threads(*(lambda number=number: use(number) for number in range(4)))


def test_pandas_object_that_cannot_be_stored_leaves_the_old_value(store: H5Store, pandas: Any) -> None:
    store["v"] = 1
    with pytest.raises(ValueError, match="unique"):
        store["v"] = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    assert store == {"v": 1}


def test_pandas_file_written_by_pandas_itself_is_read(store: H5Store, pandas: Any) -> None:
    frame = pandas.DataFrame({"c": pandas.Categorical(["x", "y"])})
    with pandas.HDFStore(store.filename, "w") as tables:
        tables.put("deep/f", frame, format="table", track_times=False)
    assert store["deep"]["f"].equals(frame)


def test_pandas_object_when_read_without_pytables_raises_import_error_naming_the_extra(
    store: H5Store, frame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store["f"] = frame
    monkeypatch.setitem(sys.modules, "tables", None)
    with pytest.raises(ImportError, match=r"pip install 'signac-cli\[tables\]'"):
        store["f"]


def test_pandas_object_when_written_without_pytables_raises_import_error_and_keeps_the_old_value(
    store: H5Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas

    store["f"] = 1
    monkeypatch.setitem(sys.modules, "tables", None)
    with pytest.raises(ImportError, match=r"pip install 'signac-cli\[tables\]'"):
        store["f"] = pandas.DataFrame({"a": [1]})
    assert store == {"f": 1}


# modes and power losses -----------------------------------------------------------------------------------------


def test_assignment_to_a_manager_keeps_the_mode_of_the_file(tmp_path: Path) -> None:
    manager = H5StoreManager(tmp_path)
    manager["x"] = {"a": 1}
    os.chmod(tmp_path / "x.h5", 0o600)
    manager["x"] = {"a": 2}
    assert os.stat(tmp_path / "x.h5").st_mode & 0o777 == 0o600
    assert dict(manager["x"]) == {"a": 2}


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files and directories that have been synchronised."""
    fsync, names = os.fsync, []

    def note(fd: int) -> None:
        names.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    return names


def test_stores_of_a_durable_project_are_saved_when_they_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[str]
) -> None:
    monkeypatch.setenv("SIGNAC_DURABLE", "1")
    project = init_project(tmp_path / "study")
    job = project.open_job({"a": 1}).init()
    saved.clear()
    job.data.x = 1
    assert saved == ["signac_data.h5", job.id]
    saved.clear()
    with job.stores.more as store:
        store.x, store.y = 1, 2
        assert saved == []
    assert saved == ["more.h5", job.id]
    saved.clear()
    with job.stores.more.open(mode="r") as store:
        assert store.x == 1
    assert pickle.loads(pickle.dumps(job.stores)).more.x == 1
    assert saved == []
    pickle.loads(pickle.dumps(job.stores)).more.x = 2
    assert saved == ["more.h5", job.id]
    saved.clear()
    project.data = {"x": 1}
    assert saved[0].startswith(".signac-new-")
    assert saved[-1] == "study"


def test_stores_of_other_projects_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: list[str]) -> None:
    job = init_project(tmp_path / "study").open_job({"a": 1}).init()
    job.data.x = 1
    job.data = {"x": 2}
    H5Store(job.fn("mine.h5")).update(x=1)
    assert saved == []
    monkeypatch.setenv("SIGNAC_DURABLE", "1")
    init_project(tmp_path / "study").open_job({"a": 1}).data.x = 1
    assert saved != []


# --- projects that may only be read -----------------------------------------------------------------------------------

READING = """
import signac_core
project = signac_core.get_project()
job = project.open_job({"a": 1})
with job.data:
    print(job.data["x"], job.data.mode)
    with job.data:
        print(list(job.data))
    try:
        job.data["y"] = 1
    except PermissionError as error:
        print("refused", error.filename == job.data.filename)
print(job.data.x, project.data.x)
with job.data.open(mode="r"):
    print(job.data.x)
for store, mode in ((job.data, "a"), (job.stores["other"], None)):
    try:
        store.open(mode)
    except PermissionError as error:
        print("refused", error.filename == store.filename)
"""


def test_with_when_the_project_may_only_be_read_then_it_is_open_for_reading() -> None:
    project = init_project()
    project.data["x"] = 6
    project.open_job({"a": 1}).init().data["x"] = 5
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [Path("."), *Path(".").rglob("*")]}
    powers = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []  # root may write
    try:
        for path, mode in modes.items():
            os.chmod(path, mode & ~0o222)
        command = [*powers, sys.executable, "-c", READING]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        for path, mode in modes.items():
            os.chmod(path, mode)
    assert (run.stderr, run.stdout.splitlines()) == (
        "",
        ["5 r", "['x']", "refused True", "5 6", "5", "refused True", "refused True"],
    )


def test_with_when_the_file_may_be_written_then_it_is_open_for_writing(filename: str) -> None:
    with H5Store(filename) as store:
        store["x"] = 1
        assert store.mode == "r+"
    with H5Store(filename) as store:
        assert store.mode == "r+"
