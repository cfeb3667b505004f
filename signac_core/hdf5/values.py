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
    link /.signac-new                   a value that earlier versions did not finish; never listed, deleted by a write

Files are exchanged with signac 2.x both ways; the attribute and the hidden link mean nothing to it.

A value is checked before the file is touched, so a value that cannot be stored leaves the file as it is. It is then
written without a name, and gets its name when it is whole. The old value is deleted before that, unless the new one
refers to the file: HDF5 forgets the free space in a file when it closes it, and a file whose values are overwritten
would otherwise grow by the old value each time. For large values the space on disk is checked as well, unless the old
value gives enough of it, and the deletion reaches the disk first: if the process ends in between, the key is missing,
rather than there with a mixture of both values.

Objects in files are identifiers here, as in `lowlevel`.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from array import array
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .. import layout, mounts
from ..errors import InvalidKeyError
from .lowlevel import layer

if TYPE_CHECKING:
    import h5py

__all__ = [
    "LOCK",
    "Plan",
    "Prepared",
    "Stored",
    "copy_item",
    "delete_unfinished",
    "number_of_names",
    "read",
    "read_whole",
    "same_values",
    "split_key",
    "visible_names",
]

#: Held during every operation on a file, and while PyTables works, which is not made for threads.
LOCK = threading.RLock()

_HIDDEN = b".signac-new"
_LENGTH = "signac_length"
_PANDAS = "pandas_type"
_LARGE = 1 << 20

#: A function that writes a value into the file of a place, without a name; such functions by name, for a group; a link.
Prepared: TypeAlias = "Callable[[Any], Any] | dict[str, Prepared] | h5py.SoftLink | h5py.ExternalLink"


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


def visible_names(group: Any) -> list[str]:
    """Names in a group, in its order, without that of a value that was not finished."""
    hidden = _HIDDEN.decode()
    return [name for name in layer().names(group) if name != hidden]


def number_of_names(group: Any) -> int:
    """How many names `visible_names` would give."""
    return int(group.get_num_objs()) - layer().has_link(group, _HIDDEN)


# reading ------------------------------------------------------------------------------------------------------------


def read(item: Any, *, readonly: bool = False) -> Any:
    """Value of an object: of a group its identifier, of an array an `h5py.Dataset`.

    Raises ImportError if it is a pandas object and PyTables is not installed.
    """
    h5 = layer()
    if h5.is_group(item):
        return _read_pandas(item) if h5.has_attribute(item, _PANDAS) else item
    rank = h5.rank(item) if h5.is_dataset(item) else 1
    if rank != 0:
        return None if rank is None else h5.wrapped(item, readonly=readonly)
    value = h5.scalar(item)
    if isinstance(value, bytes):
        if item.dtype.kind == "O":
            return value.decode() if h5.h5py.check_string_dtype(item.dtype).encoding == "utf-8" else value
        if h5.has_attribute(item, _LENGTH):
            return type(value)(value.ljust(int(h5.wrapped(item).attrs[_LENGTH]), b"\0"))
    return value


def read_whole(item: Any) -> Any:
    """Value of an object in memory, which does not need the file any longer: groups are dicts, and arrays arrays.

    Raises ImportError if there is a pandas object in it and PyTables is not installed.
    """
    h5 = layer()
    value = read(item)
    if isinstance(value, h5.h5py.h5g.GroupID):
        return {name: read_whole(h5.h5py.h5o.open(value, name.encode())) for name in visible_names(value)}
    return value[()] if isinstance(value, h5.h5py.Dataset) else value


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
        self._has_room = False
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
        h5 = layer()
        if type(value) in (float, int, bool) or h5.is_array_or_scalar(value):
            array = h5.asarray(value)
            if h5.is_plain(array):
                self.size += array.nbytes
                return _Numbers(array)
        if type(value) is str:
            self.size += len(value.encode())
            if "\0" in value:
                raise ValueError(f"HDF5 cannot store strings that contain NUL characters: {value!r}; store bytes.")
            return lambda place: h5.new_text(place, value)
        if isinstance(value, dict):
            return self._prepare_mapping(value)
        return self._prepare_other(value)

    def place(self, file: Any, path: str, prepared: Prepared) -> None:
        """Store a prepared value at an absolute path, in place of what is there, creating groups on the way.

        Raises OSError if the path leads through a value, or there is no room for the new value.
        """
        group, below = _deepest_group(file, path)
        if self.refers or not layer().has_link(group, below):
            _write(group, below, prepared)
            return
        if self.size >= _LARGE and layer().is_on_disk(file):
            prepared = self._delete_large(file, group, below, prepared)
        else:
            group.unlink(below)
        try:
            _write_again(group, below, prepared)
        except KeyboardInterrupt:
            _write_again(group, below, prepared)  # the old value is gone: finish, so that there is a value
            raise

    def _delete_large(self, file: Any, group: Any, path: bytes, prepared: Prepared) -> Prepared:
        """Delete a value on disk as well, if there is room for the new ones; returns what writes the new one."""
        h5 = layer()
        self._check_room(file, group, path, prepared)
        group.unlink(path)
        if isinstance(prepared, _Numbers) and not h5.tracks_order():
            # It takes its room now, or else the file would be cut off, and extended again.
            room, array = h5.new_room(group, prepared.array), prepared.array
            prepared = lambda place: h5.write(room, array)  # noqa: E731
        h5.h5py.h5f.flush(file)
        return prepared

    def _check_room(self, file: Any, group: Any, path: bytes, prepared: Prepared) -> None:
        h5 = layer()
        if self._has_room:
            return
        if isinstance(prepared, _Numbers) and h5.room_of(file, group, path) >= self.size:
            state = os.stat(h5.filename(file))
            if state.st_blocks * 512 >= state.st_size and _keeps_blocks(state.st_dev):
                return
        _check_room(os.path.dirname(h5.filename(file)), self.size)
        self._has_room = True

    def _prepare_other(self, value: Any) -> Prepared:
        import h5py
        import numpy

        if value is None:
            return lambda place: layer().new_empty(place)
        if isinstance(value, Stored):
            self.refers = True
            return _named(value._copy_into)
        if isinstance(value, h5py.HLObject):
            return self._prepare_object(value)
        if _is_pandas(value):
            file = self._files.enter_context(_pandas_file(value))
            self.size += file.id.get_filesize()
            return _copier(file["value"])
        if isinstance(value, Mapping):
            return self._prepare_mapping(value)
        if isinstance(value, bytes):
            self.size += len(value)
            return _bytes_writer(value)
        if isinstance(value, numpy.ma.MaskedArray) or not isinstance(
            value, int | float | numpy.generic | numpy.ndarray | array
        ):
            self.unusual.append(type(value))
        if isinstance(value, layer().pointers):
            return value
        if isinstance(value, h5py.Empty | numpy.dtype):
            return _assigner(value)
        return self._prepare_array(value, numpy.asarray(value))

    def _prepare_object(self, value: Any) -> Prepared:
        import h5py

        if not value:
            raise ValueError(
                "The file that this array was read from is closed: open the store first, as in 'with store: ...'."
            )
        self.refers = True
        return _copier(value) if isinstance(value, h5py.Group) else _assigner(value)

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
            return _copier(scratch[name])
        if layer().is_plain(converted):
            return _Numbers(converted)
        # Without data: only type and shape can be refused.
        self._scratch_file().create_dataset(None, shape=converted.shape, dtype=dtype)
        return lambda place: layer().wrapped(place).create_dataset(None, data=converted).id

    def _scratch_file(self) -> h5py.File:
        if self._scratch is None:
            self._scratch = self._files.enter_context(_memory_file())
        return self._scratch


class _Numbers:
    """Writes an array of numbers."""

    __slots__ = ("array",)

    def __init__(self, numbers: Any) -> None:
        self.array = numbers

    def __call__(self, place: Any) -> Any:
        return layer().new_dataset(place, self.array)


def _named(write: Callable[[h5py.Group, str], None]) -> Prepared:
    """For what can only be written under a name: it has the hidden one for a moment."""

    def make(place: Any) -> Any:
        h5 = layer()
        root = h5.item(place, b"/")  # of another file, if an external link led to the place
        _unlink(root, _HIDDEN)
        try:
            write(h5.wrapped(root), _HIDDEN.decode())
            return h5.item(root, _HIDDEN)
        finally:
            _unlink(root, _HIDDEN)

    return make


def _assigner(value: Any) -> Prepared:
    return _named(lambda parent, name: parent.__setitem__(name, value))


def _copier(source: Any) -> Prepared:
    return _named(lambda parent, name: copy_item(source, parent, name))


def _bytes_writer(value: bytes) -> Prepared:
    def make(place: Any) -> Any:
        h5 = layer()
        dataset = h5.wrapped(place).create_dataset(None, data=h5.array(bytes(value)))
        if value.endswith(b"\0"):  # reads as padding otherwise
            dataset.attrs[_LENGTH] = len(value)
        return dataset.id

    return make


def copy_item(source: Any, parent: h5py.Group, name: str) -> None:
    """Copy a dataset or group, with all that it holds, from any open file; ValueError if the name exists."""
    parent.copy(source, parent, name=name)
    if source.name == "/":
        delete_unfinished(parent[name].id)


def delete_unfinished(group: Any) -> None:
    """Delete a value that was not finished, from the root group of a file."""
    _unlink(group, _HIDDEN)


def _unlink(group: Any, path: bytes) -> None:
    if layer().has_link(group, path):
        group.unlink(path)


def _write(group: Any, path: bytes, prepared: Prepared) -> None:
    """Write a value, and give it its name, which another one may have."""
    made = _make(group, prepared)
    _unlink(group, path)
    _name(made, group, path)


def _write_again(group: Any, path: bytes, prepared: Prepared) -> None:
    """Write a value under a name that had one before.

    It has the hidden name as well meanwhile: HDF5 then moves the list of names less often, and each time it does, the
    file grows.
    """
    made = _make(group, prepared)
    _unlink(group, path)
    _unlink(group, _HIDDEN)
    _name(made, group, _HIDDEN)
    _name(made, group, path)
    group.unlink(_HIDDEN)


def _make(place: Any, prepared: Prepared) -> Any:
    """Write a value into the file of a place, without a name as yet."""
    if callable(prepared):
        return prepared(place)
    if not isinstance(prepared, dict):
        return prepared
    group = layer().new_group(place)
    for name, member in prepared.items():
        _name(_make(group, member), group, name.encode())
    return group


def _name(made: Any, group: Any, path: bytes) -> None:
    if isinstance(made, layer().pointers):
        layer().wrapped(group)[path] = made
    else:
        layer().link(made, group, path)


def _deepest_group(file: Any, path: str) -> tuple[Any, bytes]:
    """The last group that exists on a path, and the rest of the path."""
    group = file
    names = path.encode().strip(b"/").split(b"/")
    while len(names) > 1:
        child = layer().item(group, names[0])
        if child is None:
            break
        if not layer().is_group(child):
            filename, name = layer().filename(file), layer().wrapped(child).name
            raise OSError(f"Cannot store '{path}' in '{filename}': '{name}' is a value, not a group.")
        group = child
        del names[0]
    return group, b"/".join(names)


def _check_room(directory: str, size: int) -> None:
    """Raise OSError if a file of this size would not fit on the file system, or into a quota."""
    if _is_in_memory(os.stat(directory).st_dev):  # to try it would take the memory
        room = os.statvfs(directory)
        if room.f_blocks and room.f_bavail * room.f_frsize < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), directory)
        return
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        fd = _nameless_file(directory)
    except OSError:  # the file may be writable though its directory is not
        return
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            error.filename = directory
            raise
    finally:
        os.close(fd)


def _nameless_file(directory: str) -> int:
    """Open a file that vanishes when it is closed."""
    with suppress(OSError, AttributeError):  # not all systems and file systems have these
        return os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    path = os.path.join(directory, layout.building_name())
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.unlink(path)
    return fd


@cache
def _is_in_memory(device: int) -> bool:
    return mounts.kind_of(device) == "tmpfs"


@cache
def _keeps_blocks(device: int) -> bool:
    """Tell whether a file system is one that writes what replaces data to where that was, so that it needs no room."""
    return mounts.kind_of(device) in ("ext2", "ext3", "ext4", "tmpfs")


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


def _read_pandas(group: Any) -> Any:
    with _memory_file() as file:
        copy_item(layer().wrapped(group), file, "value")
        file.flush()
        image = file.id.get_file_image()
    with LOCK, _table_store("r", driver_core_image=image) as tables:
        return tables.get("value")
