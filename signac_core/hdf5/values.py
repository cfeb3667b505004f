"""How values are kept in an HDF5 file.

::

    int, float, complex, numpy scalar   scalar dataset of the numpy type
    bool                                scalar dataset of the enumeration that h5py uses for booleans
    str                                 scalar dataset, variable-length UTF-8
    bytes                               scalar dataset, fixed-length string; attribute signac_length if it ends in NUL
    None                                dataset without data space (float32)
    array                               dataset
    mapping                             group
    pandas DataFrame, Series            group in the fixed format of PyTables, with an attribute pandas_type
    link /.signac-new                   a value being written; never listed, replaced by the next write

Files are exchanged with signac 2.x both ways; the attribute and the hidden link mean nothing to it.

A value is checked before the file is touched, so a value that cannot be stored leaves the file as it is. It is then
written under the hidden name and renamed. The old value is deleted before that, unless the new one refers to the
file: HDF5 forgets the free space in a file when it closes it, and a file whose values are overwritten would otherwise
grow by the old value each time. For large values the space on disk is checked as well, and the deletion reaches the
disk first: if the process ends in between, the key is missing, rather than there with a mixture of both values.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from array import array
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .. import layout
from ..errors import InvalidKeyError

if TYPE_CHECKING:
    import h5py

__all__ = [
    "LOCK",
    "Plan",
    "Prepared",
    "Stored",
    "copy_item",
    "read",
    "read_whole",
    "same_values",
    "split_key",
    "visible_names",
]

#: Held during every operation on a file, and while PyTables works, which is not made for threads.
LOCK = threading.RLock()

_NEW = ".signac-new"
_LENGTH = "signac_length"
_PANDAS = "pandas_type"
_MAX_RANK = 32
_PLAIN_KINDS = "biufc"
_LARGE = 1 << 20

Prepared: TypeAlias = "Callable[[Any, str], None] | dict[str, Prepared]"


def split_key(key: Any) -> list[str]:
    """Names along the path that a key means, at least one; slashes separate the names of groups.

    Raises TypeError if the key is not a string; InvalidKeyError if it is empty or contains a dot or a NUL.
    """
    if not isinstance(key, str):
        raise TypeError(f"The keys of an HDF5 store must be str, not {type(key).__name__}: {key!r}.")
    if "." in key:
        raise InvalidKeyError(f"The keys of an HDF5 store may not contain dots ('.'): {key!r}.")
    if "\0" in key:  # HDF5 would cut the name there
        raise InvalidKeyError(f"The keys of an HDF5 store may not contain NUL characters: {key!r}.")
    key.encode()  # a lone surrogate has no UTF-8 form
    names = [name for name in key.split("/") if name]
    if not names:
        raise InvalidKeyError(f"The keys of an HDF5 store may not be empty: {key!r}.")
    return names


def visible_names(group: h5py.Group) -> list[str]:
    """Names in a group, in its order, without that of a value being written."""
    return [name for name in group if name != _NEW]


# reading ------------------------------------------------------------------------------------------------------------


def read(item: Any) -> Any:
    """Value of an h5py object: plain groups and arrays are that object itself.

    Raises ImportError if it is a pandas object and PyTables is not installed.
    """
    import h5py

    if isinstance(item, h5py.Group):
        return _read_pandas(item) if _PANDAS in item.attrs else item
    if not isinstance(item, h5py.Dataset) or item.shape:
        return item
    if item.shape is None:
        return None
    value = item[()]
    text = h5py.check_string_dtype(item.dtype)
    if text is not None and text.length is None and text.encoding == "utf-8":
        return value.decode()
    if isinstance(value, bytes) and _LENGTH in item.attrs:
        return type(value)(value.ljust(int(item.attrs[_LENGTH]), b"\0"))
    return value


def read_whole(item: Any) -> Any:
    """Value of an h5py object in memory, which does not need the file any longer: groups are dicts, and arrays arrays.

    Raises ImportError if there is a pandas object in it and PyTables is not installed.
    """
    import h5py

    value = read(item)
    if isinstance(value, h5py.Group):
        return {name: read_whole(value[name]) for name in visible_names(value)}
    return value[()] if isinstance(value, h5py.Dataset) else value


def same_values(left: Any, right: Any) -> bool:
    """Compare values by content: mappings key by key, arrays element by element."""
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        return (
            isinstance(left, Mapping)
            and isinstance(right, Mapping)
            and left.keys() == right.keys()
            and all(same_values(left[key], right[key]) for key in left)
        )
    if _is_pandas(left) or _is_pandas(right):
        return type(left) is type(right) and bool(left.equals(right))
    if getattr(left, "shape", ()) or getattr(right, "shape", ()):
        import numpy

        return bool(numpy.array_equal(left, right))
    return bool(left == right)


# writing ------------------------------------------------------------------------------------------------------------


class Stored:
    """A value that is in an HDF5 file already, and is copied from there when it is assigned."""

    __slots__ = ()

    def _copy_into(self, parent: h5py.Group, name: str) -> None:
        raise NotImplementedError


class Plan:
    """Values about to be stored: checked first, without touching the file, then put in their places.

    A context manager: what it holds in memory is released at its end.
    """

    def __init__(self) -> None:
        #: Whether a value refers to objects in a file, possibly to those that are about to be replaced.
        self.refers = False
        #: Types that can be stored, but come back as something else.
        self.unusual: list[type] = []
        #: Approximate size of the values, in bytes.
        self.size = 0
        self._files = ExitStack()
        self._scratch: h5py.File | None = None

    def __enter__(self) -> Plan:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._files.close()

    def prepare(self, value: Any) -> Prepared:
        """Check a value, mappings with all that they hold, and convert it to what :meth:`place` takes.

        Raises TypeError or ValueError if the value cannot be stored; ImportError if it is a pandas object and PyTables
        is not installed.
        """
        import h5py
        import numpy

        if value is None:
            return _assigner(h5py.Empty("f4"))
        if isinstance(value, Stored):
            self.refers = True
            return value._copy_into
        if isinstance(value, h5py.HLObject):
            return self._prepare_object(value)
        if _is_pandas(value):
            file = self._files.enter_context(_pandas_file(value))
            self.size += file.id.get_filesize()
            return self._copier(file["value"])
        if isinstance(value, Mapping):
            return self._prepare_mapping(value)
        if isinstance(value, bytes):
            self.size += len(value)
            return _bytes_writer(value)
        if type(value) is str:
            self.size += len(value.encode())
            if "\0" in value:
                raise ValueError(f"HDF5 cannot store strings that contain NUL characters: {value!r}; store bytes.")
            return _assigner(value)
        if isinstance(value, numpy.ma.MaskedArray) or not isinstance(
            value, int | float | numpy.generic | numpy.ndarray | array
        ):
            self.unusual.append(type(value))
        if isinstance(value, h5py.Empty | h5py.SoftLink | h5py.ExternalLink | numpy.dtype):
            return _assigner(value)
        return self._prepare_array(value, numpy.asarray(value))

    def place(self, file: h5py.File, path: str, prepared: Prepared) -> None:
        """Store a prepared value at an absolute path, in place of what is there, creating groups on the way.

        Raises OSError if the path leads through a value, or there is no room for the new value.
        """
        group, below = _deepest_group(file, path)
        delete_first = not self.refers and group.get(below, getlink=True) is not None
        if delete_first:
            large = self.size >= _LARGE and file.driver == "sec2"
            if large:
                _check_room(os.path.dirname(file.filename), self.size)
            del group[below]
            if large:
                file.flush()
        try:
            _replace(group, below, prepared)
        except KeyboardInterrupt:
            if delete_first:
                _replace(group, below, prepared)  # the old value is gone: finish, so that there is a value
            raise

    def _prepare_object(self, value: Any) -> Prepared:
        import h5py

        if not value:
            raise ValueError(
                "The file that this array was read from is closed: open the store first, as in 'with store: ...'."
            )
        self.refers = True
        return self._copier(value) if isinstance(value, h5py.Group) else _assigner(value)

    def _prepare_mapping(self, value: Mapping[Any, Any]) -> Prepared:
        tree: dict[str, Prepared] = {}
        for key, member in value.items():
            *path, last = split_key(key)
            branch = tree
            for name in path:
                child = branch.setdefault(name, {})
                if not isinstance(child, dict):
                    raise InvalidKeyError(
                        f"The key {key!r} needs a group where another key of the mapping has a value."
                    )
                branch = child
            branch[last] = self.prepare(member)
        return tree

    def _prepare_array(self, value: Any, converted: Any) -> Prepared:
        dtype = converted.dtype
        self.size += converted.nbytes
        if dtype.hasobject or dtype.kind == "U" or (dtype.kind == "S" and converted is not value):
            # Strings and the like are for h5py to convert, which may fail on any element: tried in memory.
            scratch = self._scratch_file()
            name = str(len(scratch))
            scratch[name] = value
            return self._copier(scratch[name])
        if dtype.kind not in _PLAIN_KINDS or converted.ndim > _MAX_RANK:
            # Without data: only type and shape can be refused.
            self._scratch_file().create_dataset(None, shape=converted.shape, dtype=dtype)
        return _assigner(converted)

    def _scratch_file(self) -> h5py.File:
        if self._scratch is None:
            self._scratch = self._files.enter_context(_memory_file())
        return self._scratch

    @staticmethod
    def _copier(source: Any) -> Prepared:
        return lambda parent, name: copy_item(source, parent, name)


def _assigner(value: Any) -> Prepared:
    def assign(parent: h5py.Group, name: str) -> None:
        parent[name] = value

    return assign


def _bytes_writer(value: bytes) -> Prepared:
    import numpy

    def write(parent: h5py.Group, name: str) -> None:
        parent[name] = numpy.array(bytes(value))
        if value.endswith(b"\0"):  # reads as padding otherwise
            parent[name].attrs[_LENGTH] = len(value)

    return write


def copy_item(source: Any, parent: h5py.Group, name: str) -> None:
    """Copy a dataset or group, with all that it holds, from any open file; ValueError if the name exists."""
    parent.copy(source, parent, name=name)
    if source.name == "/":
        _unlink(parent[name], _NEW)


def _replace(group: h5py.Group, path: str, prepared: Prepared) -> None:
    root = group["/"]  # of another file, if an external link led to the group
    try:
        _unlink(root, _NEW)
        _write(root, _NEW, prepared)
        _unlink(group, path)
        group.move(f"/{_NEW}", path)
    except BaseException:
        with suppress(Exception):  # the error that led here matters more
            _unlink(root, _NEW)
        raise


def _deepest_group(file: h5py.File, path: str) -> tuple[h5py.Group, str]:
    """The last group that exists on a path, and the rest of the path."""
    import h5py

    group = file["/"]
    names = path.strip("/").split("/")
    while len(names) > 1:
        child = group.get(names[0])
        if child is None:
            break
        if not isinstance(child, h5py.Group):
            raise OSError(f"Cannot store '{path}' in '{file.filename}': '{child.name}' is a value, not a group.")
        group = child
        del names[0]
    return group, "/".join(names)


def _check_room(directory: str, size: int) -> None:
    """Raise OSError if a file of this size would not fit on the file system, or into a quota."""
    probe = os.path.join(directory, layout.building_name())
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        fd = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:  # the file may be writable though its directory is not
        return
    try:
        os.unlink(probe)
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            error.filename = directory
            raise
    finally:
        os.close(fd)


def _unlink(group: h5py.Group, path: str) -> None:
    if group.get(path, getlink=True) is not None:
        del group[path]


def _write(parent: h5py.Group, name: str, prepared: Prepared) -> None:
    if not isinstance(prepared, dict):
        prepared(parent, name)
        return
    group = parent.create_group(name)
    for key, member in prepared.items():
        _write(group, key, member)


# pandas -------------------------------------------------------------------------------------------------------------
#
# PyTables brings its own copy of the HDF5 library, which must not open a file that h5py has open. Both read and write
# images of files in memory, so objects travel as such an image, and the file need not be closed.


def _is_pandas(value: Any) -> bool:
    pandas = sys.modules.get("pandas")  # without it there are no such objects
    return isinstance(value, (getattr(pandas, "DataFrame", ()), getattr(pandas, "Series", ())))


def _memory_file() -> h5py.File:
    import h5py

    return h5py.File(f"signac-{layout.unique_name()}", "w", driver="core", backing_store=False)


def _table_store(mode: Literal["r", "w"], **kwargs: Any) -> Any:
    """Open a file of PyTables in memory. Its name is never used, but has to be unique."""
    try:
        import tables  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "pandas objects in HDF5 files need PyTables, which is not installed: pip install 'signac-cli[tables]'"
        ) from error
    import pandas

    name = f"signac-{layout.unique_name()}"
    return pandas.HDFStore(name, mode=mode, driver="H5FD_CORE", driver_core_backing_store=0, **kwargs)


def _pandas_file(value: Any) -> h5py.File:
    import h5py

    with LOCK, _table_store("w") as tables:
        tables.put("value", value, format="fixed", track_times=False)
        tables.flush()
        image = tables.root._v_file.get_file_image()
    return h5py.File(h5py.h5f.open_file_image(image))


def _read_pandas(group: h5py.Group) -> Any:
    with _memory_file() as file:
        copy_item(group, file, "value")
        file.flush()
        image = file.id.get_file_image()
    with LOCK, _table_store("r", driver_core_image=image) as tables:
        return tables.get("value")
