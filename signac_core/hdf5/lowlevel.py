"""HDF5 by the functions that h5py itself is made of, at a fraction of the time that its objects take.

To open a file and read a number from it, `h5py.File` and `h5py.Dataset` take three times as long as the calls of the
HDF5 library that this is. Here, files, groups and datasets are *identifiers* (of `h5py.h5f`, `h5g` and `h5d`), a place
is the identifier of a file or a group, and names are bytes. What is opened and made is what h5py opens and makes
without options, down to the bytes; whatever needs more is left to its objects, which `Layer.wrapped` gives.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

__all__ = [
    "Layer",
    "layer",
]

_PLAIN_KINDS = frozenset("biufc")
_MAX_RANK = 32


@cache
def layer() -> Layer:
    """The functions of h5py, which is imported by the first call."""
    return Layer()


class Layer:
    """The modules of h5py, and objects that are the same for all files, so that they are made once.

    The lists of properties of files are those with which `h5py.File` has opened and created the first one.
    """

    def __init__(self) -> None:
        import h5py
        import numpy

        self.h5py = h5py
        self.pointers = (h5py.SoftLink, h5py.ExternalLink)
        self.array = numpy.array
        self.asarray = numpy.asarray
        self._zeros = numpy.zeros
        self._access: Any = None
        self._creation: Any = None
        self._flags = {"r": h5py.h5f.ACC_RDONLY, "r+": h5py.h5f.ACC_RDWR}
        self._generic = (numpy.ndarray, numpy.generic)
        self._types: dict[Any, Any] = {}
        self._frequent = [(h5py.h5t.IEEE_F64LE, numpy.dtype("<f8")), (h5py.h5t.STD_I64LE, numpy.dtype("<i8"))]
        self._text = h5py.string_dtype()
        self._text_type = h5py.h5t.py_create(self._text, logical=1)
        self._links = {True: self._link_list(h5py.h5t.CSET_ASCII), False: self._link_list(h5py.h5t.CSET_UTF8)}
        self._dataset = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        self._dataset.set_obj_track_times(False)
        self._reserving = self._dataset.copy()
        self._reserving.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)

    def _link_list(self, encoding: int) -> Any:
        properties = self.h5py.h5p.create(self.h5py.h5p.LINK_CREATE)
        properties.set_create_intermediate_group(True)
        properties.set_char_encoding(encoding)
        return properties

    def tracks_order(self) -> bool:
        """Tell whether h5py has been told to keep the order in which things are created."""
        return bool(self.h5py.get_config().track_order)

    # files

    def open_file(self, filename: str, mode: str, options: dict[str, Any]) -> Any:
        """Open a file as `h5py.File` does."""
        if options:
            return self.h5py.File(filename, mode, **options).id
        h5f = self.h5py.h5f
        if self._access is not None:
            if mode in self._flags:
                return h5f.open(os.fsencode(filename), self._flags[mode], fapl=self._access)
            if mode == "a":
                try:
                    return h5f.open(os.fsencode(filename), h5f.ACC_RDWR, fapl=self._access)
                except FileNotFoundError:
                    return self._create_file(filename)
        file = self.h5py.File(filename, mode).id
        access = file.get_access_plist()
        if access.get_driver() == self.h5py.h5fd.SEC2:  # others do not say that a file is missing
            self._access = access
        return file

    def _create_file(self, filename: str) -> Any:
        h5f = self.h5py.h5f
        if self.tracks_order():
            return self.h5py.File(filename, "x").id
        if self._creation is None:
            file = self.h5py.File(filename, "x").id
            self._creation = file.get_create_plist()
            return file
        return h5f.create(os.fsencode(filename), h5f.ACC_EXCL, fcpl=self._creation, fapl=self._access)

    def close_file(self, file: Any) -> None:
        """Close a file with all that is open in it."""
        if not file:
            return
        h5f = self.h5py.h5f
        if h5f.get_obj_count(file, h5f.OBJ_LOCAL | h5f.OBJ_ALL) == 1:  # the file itself
            file.close()
        else:
            self.h5py.File(file).close()

    def is_writable(self, file: Any) -> bool:
        return bool(file.get_intent() & (self.h5py.h5f.ACC_RDWR | self.h5py.h5f.ACC_SWMR_WRITE))

    def is_on_disk(self, file: Any) -> bool:
        """Tell whether a file is one on disk."""
        return bool(file.get_access_plist().get_driver() == self.h5py.h5fd.SEC2)

    def filename(self, file: Any) -> str:
        return os.fsdecode(self.h5py.h5f.get_name(file))

    # what is in them

    def item(self, place: Any, name: bytes) -> Any:
        """The object under a name or path, or None."""
        try:
            return self.h5py.h5o.open(place, name)
        except KeyError:
            return None

    def is_group(self, item: Any) -> bool:
        return isinstance(item, self.h5py.h5g.GroupID)

    def is_dataset(self, item: Any) -> bool:
        return isinstance(item, self.h5py.h5d.DatasetID)

    def wrapped(self, item: Any, *, readonly: bool = False) -> Any:
        """The object of h5py for an identifier."""
        if self.is_group(item):
            return self.h5py.Group(item)
        return self.h5py.Dataset(item, readonly=readonly) if self.is_dataset(item) else self.h5py.Datatype(item)

    def names(self, group: Any) -> list[str]:
        """Names in a group, in its order."""
        return [self._decoded(name) for name in group]

    def _decoded(self, name: bytes) -> Any:
        try:
            return name.decode()
        except UnicodeDecodeError:
            return name  # as h5py does

    def has_link(self, place: Any, path: bytes) -> bool:
        """Tell whether there is something under a path, be it a link to nothing."""
        return bool(path in place if b"/" in path else place.links.exists(path))

    def has_attribute(self, item: Any, name: str) -> bool:
        return bool(self.h5py.h5a.exists(item, name.encode()))

    def rank(self, dataset: Any) -> int | None:
        """The number of dimensions; None for a dataset that can have no value."""
        space = dataset.get_space()
        if space.get_simple_extent_type() == self.h5py.h5s.NULL:
            return None
        return int(space.get_simple_extent_ndims())

    def room_of(self, file: Any, group: Any, path: bytes) -> int:
        """How many bytes in one piece a file can use again when a link is deleted; 0 if that cannot be told."""
        h5f, item = self.h5py.h5f, self.item(group, path)
        if not self.is_dataset(item) or item.get_offset() is None:
            return 0
        is_kept = self.h5py.h5o.get_info(item).rc != 1 or h5f.get_obj_count(file, h5f.OBJ_DATASET) != 1
        strategy = file.get_create_plist().get_file_space_strategy()[0]
        return 0 if is_kept or strategy != h5f.FSPACE_STRATEGY_FSM_AGGR else int(item.get_storage_size())

    def scalar(self, dataset: Any) -> Any:
        """The value of a dataset without dimensions, as its numpy type has it."""
        h5s = self.h5py.h5s
        stored = dataset.get_type()
        for kind, dtype in self._frequent:  # to ask for the dtype takes longer than all the rest
            if stored.equal(kind):
                value = self._zeros((), dtype)
                dataset.read(h5s.ALL, h5s.ALL, value, kind)
                return value[()]
        value = self._zeros((), dataset.dtype)
        dataset.read(h5s.ALL, h5s.ALL, value)
        return value[()]

    # what gets into them: objects without a name, which vanish when they are closed before they get one

    def is_array_or_scalar(self, value: Any) -> bool:
        """Tell whether a value is an array of numpy, and not of a class derived from that, or one of its scalars."""
        return type(value) is self._generic[0] or isinstance(value, self._generic[1])

    def is_plain(self, array: Any) -> bool:
        """Tell whether `new_dataset` takes an array, because it holds numbers."""
        return array.dtype.kind in _PLAIN_KINDS and array.ndim <= _MAX_RANK

    def new_dataset(self, place: Any, array: Any) -> Any:
        """Write numbers."""
        if self.tracks_order():
            return self.h5py.Group(place).create_dataset(None, data=array).id
        return self.write(self._new_dataset(place, array, self._dataset), array)

    def new_room(self, place: Any, array: Any) -> Any:
        """Make a dataset that has its place in the file before `write` fills it."""
        return self._new_dataset(place, array, self._reserving)

    def write(self, dataset: Any, array: Any) -> Any:
        """Write numbers into a dataset."""
        h5s = self.h5py.h5s
        dataset.write(h5s.ALL, h5s.ALL, self.asarray(array, order="C"), self._type(array.dtype))
        return dataset

    def _new_dataset(self, place: Any, array: Any, properties: Any) -> Any:
        space = self.h5py.h5s.create_simple(array.shape)
        return self.h5py.h5d.create(place, None, self._type(array.dtype), space, dcpl=properties)

    def new_text(self, place: Any, text: str) -> Any:
        """Write a string."""
        if self.tracks_order():
            return self.h5py.Group(place).create_dataset(None, data=text).id
        h5d, h5s = self.h5py.h5d, self.h5py.h5s
        dataset = h5d.create(place, None, self._text_type, h5s.create_simple(()), dcpl=self._dataset)
        dataset.write(h5s.ALL, h5s.ALL, self.array(text, dtype=self._text))
        return dataset

    def _type(self, dtype: Any) -> Any:
        if dtype.metadata is not None:  # equal to one without, and yet another type
            return self.h5py.h5t.py_create(dtype, logical=1)
        if dtype not in self._types:
            self._types[dtype] = self.h5py.h5t.py_create(dtype, logical=1)
        return self._types[dtype]

    def new_empty(self, place: Any) -> Any:
        """Make a dataset without a value."""
        return self.h5py.Group(place).create_dataset(None, data=self.h5py.Empty("f4")).id

    def new_group(self, place: Any) -> Any:
        """Make a group."""
        return self.h5py.Group(place).create_group(None).id

    def link(self, item: Any, place: Any, path: bytes) -> None:
        """Give an object a name, making the groups on the way."""
        self.h5py.h5o.link(item, place, path, lcpl=self._links[path.isascii()])
