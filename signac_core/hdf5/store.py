"""HDF5 files as mappings; `values` has the format and the rules of writing, `manager` the files of a directory.

One lock serialises the *operations* of all stores, as the lock of h5py does inside them anyway. It is never held while
a store is merely open, nor while a mapping that is assigned is read: an open store blocks no other thread, any thread
may close it, and no order of stores can lead to a deadlock.
"""

from __future__ import annotations

import errno
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .. import files
from ..errors import H5StoreAlreadyOpenError, H5StoreClosedError
from . import values
from .lowlevel import layer

if TYPE_CHECKING:
    import h5py

__all__ = [
    "H5Group",
    "H5Store",
    "H5StoreAlreadyOpenError",
    "H5StoreClosedError",
]

_ATTRIBUTES = frozenset({"_durable", "_file", "_filename", "_inside", "_kwargs", "_path", "_store"})
_CREATION_OPTIONS = frozenset({"userblock_size", "fs_strategy", "fs_persist", "fs_threshold", "fs_page_size"})
_NO_DEFAULT: Any = object()
_Answer = TypeVar("_Answer")


class _Node(values.Stored, MutableMapping[str, Any]):
    """What a store and a group have in common: a mapping at a path of a file."""

    __slots__ = ()

    def _location(self) -> tuple[H5Store, str]:
        raise NotImplementedError

    def __getitem__(self, key: str) -> Any:
        store, path = self._location()
        target = _resolve(store, path, key)
        with _reading(store) as file:
            h5 = layer()
            value = values.read(_item(file, store, target), readonly=not h5.is_writable(file))
            return H5Group(store, target) if isinstance(value, h5.h5py.h5g.GroupID) else value

    def __setitem__(self, key: str, value: Any) -> None:
        _assign(self, {key: value})

    def __delitem__(self, key: str) -> None:
        store, path = self._location()
        target = _resolve(store, path, key)
        try:
            with _writing(store, create=False) as file:
                name = target[1:].encode()
                if not name or not layer().has_link(file, name):
                    raise _no_item(store, target)
                file.unlink(name)
        except FileNotFoundError:
            raise _no_item(store, target) from None

    def __contains__(self, key: object) -> bool:
        store, path = self._location()
        try:
            target = _resolve(store, path, key)
        except KeyError:
            return False
        with _reading(store) as file:
            return file is not None and target.encode() in file

    def __iter__(self) -> Iterator[str]:
        nothing: list[str] = []
        return iter(_ask(self, values.visible_names, nothing))

    def __len__(self) -> int:
        return _ask(self, values.number_of_names, 0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return values.same_values(_content(self), _content(other) if isinstance(other, _Node) else other)

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> None:
        if _is_attribute(name):
            object.__setattr__(self, name, value)
        else:
            _assign(self, {name: value})

    def __delattr__(self, name: str) -> None:
        if _is_attribute(name):
            object.__delattr__(self, name)
        else:
            del self[name]

    def clear(self) -> None:
        """Remove all data.

        Examples
        --------
        >>> store = H5Store("file.h5")
        >>> store.update(a=1, b=2)
        >>> store.clear()
        >>> len(store)
        0

        """
        store, path = self._location()
        with _writing(store) as file:
            group = _group(file, store, path)
            for name in list(group):
                group.unlink(name)

    def pop(self, key: str, default: Any = _NO_DEFAULT) -> Any:
        """Remove a key and return its value as a whole: an array as such, a group as a dict.

        Parameters
        ----------
        key : str
            The key.
        default : object, optional
            Returned if there is no such key.

        Returns
        -------
        object
            The value.

        Raises
        ------
        KeyError
            If there is no such key and no default is given.

        Examples
        --------
        >>> store = H5Store("file.h5")
        >>> store["text"] = "x"
        >>> store.pop("text"), store.pop("text", None)
        ('x', None)

        """
        store, path = self._location()
        try:
            target = _resolve(store, path, key)
            with _reading(store) as file:
                value = values.read_whole(_item(file, store, target))
        except KeyError:
            if default is _NO_DEFAULT:
                raise
            return default
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove a key and return it with its value, as :meth:`pop` does.

        Returns
        -------
        tuple of str and object
            Key and value.

        Raises
        ------
        KeyError
            If there is no key.

        Examples
        --------
        >>> store = H5Store("file.h5")
        >>> store["text"] = "x"
        >>> store.popitem()
        ('text', 'x')

        """
        for key in self:
            return key, self.pop(key)
        raise KeyError(f"{self!r} is empty.")

    def setdefault(self, key: str, value: Any) -> Any:  # type: ignore[override]
        """Store a value unless the key exists; return what is stored then.

        Parameters
        ----------
        key : str
            The key.
        value : object
            The value for a key that does not exist.

        Returns
        -------
        object
            The value of the key, as ``store[key]`` gives it.

        Raises
        ------
        TypeError
            If the value cannot be stored.

        Examples
        --------
        >>> store = H5Store("file.h5")
        >>> store.setdefault("text", "x"), store.setdefault("text", "y")
        ('x', 'x')

        """
        if key not in self:
            _assign(self, {key: value})
        return self[key]

    def update(self, other: Any = (), /, **kwargs: Any) -> None:
        """Store the values of a mapping (also of a store or group) or of pairs, and keyword arguments.

        The file is opened once. Nothing is stored if one of the values cannot be.

        Parameters
        ----------
        other : mapping or iterable of pairs, optional
            Keys and values.
        **kwargs
            More keys and values; they take precedence.

        Raises
        ------
        InvalidKeyError
            If a key holds a dot.
        TypeError
            If a value cannot be stored.

        Examples
        --------
        >>> store = H5Store("file.h5")
        >>> store.update({"text": "x"}, n=None)
        >>> dict(store)
        {'n': None, 'text': 'x'}

        """
        _assign(self, {**_members(other), **kwargs})

    def _copy_into(self, parent: h5py.Group, name: str) -> None:
        store, path = self._location()
        with _reading(store) as file:
            if file is None and path == "/":
                parent.create_group(name)
            else:
                values.copy_item(layer().wrapped(_item(file, store, path)), parent, name)


class H5Group(_Node):
    """A group of a store: a mapping that lives in the file, at a path.

    Not to be constructed directly: it is what a store gives for a key under which a mapping was stored. Keys are
    attributes as well, and so is what the `h5py.Group` offers.

    Parameters
    ----------
    store : H5Store
        The store.
    path : str
        The path of the group in the file.

    Examples
    --------
    >>> store = H5Store("file.h5")
    >>> store["liquid"] = {"name": "argon"}
    >>> store["liquid"]
    H5Group(store=H5Store(filename='file.h5'), path='/liquid')
    >>> store.liquid.name, store["liquid/name"]
    ('argon', 'argon')

    """

    __slots__ = ("_path", "_store")

    _store: H5Store
    _path: str

    def __init__(self, store: H5Store, path: str) -> None:
        self._store = store
        self._path = path

    def _location(self) -> tuple[H5Store, str]:
        return self._store, self._path

    def __getattr__(self, name: str) -> Any:
        if _is_attribute(name):
            raise AttributeError(name)
        with suppress(KeyError):
            return self[name]
        try:
            with _reading(self._store) as file:
                return getattr(layer().wrapped(_item(file, self._store, self._path)), name)
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __getstate__(self) -> tuple[H5Store, str]:
        return self._store, self._path

    def __setstate__(self, state: tuple[H5Store, str]) -> None:
        self._store, self._path = state

    def __repr__(self) -> str:
        return f"{type(self).__name__}(store={self._store!r}, path={self._path!r})"


class H5Store(_Node):
    """An HDF5 file as a mapping of built-in values, arrays, pandas objects, and mappings of these.

    Keys are attributes as well. A closed store opens the file for each operation; reading never creates it. A ``with``
    block opens it for reading and writing, and only for reading where no more is permitted. Arrays are returned by
    reference, so they can be read only while the store is open. Copies and pickles of a store are closed stores of the
    same file.

    Threads may share a store or have their own of the same file: a ``with`` block closes the store when no other thread
    is inside. A file that is open for reading cannot be opened for writing in the same process.

    pandas objects pass through memory, at about twice their size, and invalidate nothing: the store stays open in the
    mode it has. Columns of Python objects are unpickled, so do not read them from files that you do not trust.

    HDF5 does not protect a file that is being written from the end of the process or of the disk space. Assignment to
    a key of :class:`H5StoreManager` does, as it replaces the file as a whole.

    Parameters
    ----------
    filename : str
        The file.
    **kwargs
        Passed on to `h5py.File`, such as ``mode`` (``"a"`` by default) and ``libver``.

    Raises
    ------
    ValueError
        If the file name is not a non-empty string.

    Examples
    --------
    >>> store = H5Store("file.h5")
    >>> store["foo"] = "bar"
    >>> store.nested = {"n": None, "text": "x"}
    >>> with store.open(mode="r"):
    ...     print(store.foo, dict(store.nested))
    bar {'n': None, 'text': 'x'}

    """

    __slots__ = ("_durable", "_file", "_filename", "_inside", "_kwargs")

    _durable: bool
    _filename: str
    _kwargs: dict[str, Any]
    _file: h5py.File | None
    _inside: list[int]

    def __init__(self, filename: str, **kwargs: Any) -> None:
        if not isinstance(filename, str) or not filename:
            raise ValueError(f"The filename of an H5Store must be a non-empty string, not {filename!r}.")
        self._filename = os.path.abspath(filename)
        self._kwargs = kwargs
        self._durable = False  # set by the manager of a project that is
        self._file = None
        self._inside = []  # the threads that opened or entered the store

    def _location(self) -> tuple[H5Store, str]:
        return self, "/"

    @property
    def filename(self) -> str:
        """The absolute path of the file.

        Returns
        -------
        str
            The path.

        Examples
        --------
        >>> H5Store("data/file.h5").filename == os.path.abspath("data/file.h5")
        True

        """
        return self._filename

    @property
    def file(self) -> h5py.File:
        """The underlying `h5py.File`.

        Returns
        -------
        h5py.File
            The open file.

        Raises
        ------
        H5StoreClosedError
            If the store is closed.

        Examples
        --------
        >>> with H5Store("file.h5") as store:
        ...     created = store.file.create_dataset("zeros", (1000, 3), "f8", compression="gzip")
        ...     print(store.zeros.shape)
        (1000, 3)

        """
        file = _open_file(self)
        if file is None:
            raise H5StoreClosedError(self._filename)
        return file

    @property
    def mode(self) -> str:
        """The mode in which the file is open: ``"r"`` or ``"r+"``.

        Returns
        -------
        str
            The mode that `h5py.File` reports: ``"r+"`` for all modes that allow to write.

        Raises
        ------
        H5StoreClosedError
            If the store is closed.

        Examples
        --------
        >>> with H5Store("file.h5", mode="a") as store:
        ...     store.mode
        'r+'

        """
        return str(self.file.mode)

    def open(self, mode: str | None = None) -> Self:
        """Open the file, until :meth:`close` is called or a ``with`` block ends.

        Parameters
        ----------
        mode : str, optional
            A mode of `h5py.File`; by default that given to the constructor, or else ``"a"``, and ``"r"`` for a file
            that may only be read.

        Returns
        -------
        H5Store
            The store itself.

        Raises
        ------
        H5StoreAlreadyOpenError
            If the store is open.
        OSError
            If the file cannot be opened.

        Examples
        --------
        >>> from array import array
        >>> store = H5Store("file.h5")
        >>> store["numbers"] = array("d", [1, 2, 3])
        >>> with store.open(mode="r"):
        ...     store.numbers.shape
        (3,)

        """
        with values.LOCK:
            if _open_file(self) is not None:
                raise H5StoreAlreadyOpenError(self)
            mode = self._kwargs.get("mode") if mode is None else mode
            self._file = layer().h5py.File(_open_as_permitted(self) if mode is None else _open(self, mode))
            self._inside.append(threading.get_ident())
        return self

    def close(self) -> None:
        """Close the file. A store that is closed stays closed.

        Examples
        --------
        >>> store = H5Store("file.h5").open()
        >>> store.close()
        >>> store.file  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        signac_core.errors.H5StoreClosedError: ...file.h5

        """
        with values.LOCK:
            file, self._file = self._file, None
            self._inside.clear()
            if file:
                is_changed = file.mode != "r"
                file.close()
                if is_changed:
                    _save(self)

    def flush(self) -> None:
        """Write what HDF5 holds back in memory.

        Raises
        ------
        H5StoreClosedError
            If the store is closed.

        Examples
        --------
        >>> with H5Store("file.h5") as store:
        ...     store["step"] = 1
        ...     store.flush()

        """
        self.file.flush()

    def __enter__(self) -> Self:
        with values.LOCK:
            if _open_file(self) is None:
                return self.open()
            self._inside.append(threading.get_ident())
        return self

    def __exit__(self, *exc_info: object) -> None:
        me = threading.get_ident()
        with values.LOCK:
            if me in self._inside:
                self._inside.remove(me)
            else:  # entered by another thread, which passed it on
                self._inside.clear()
            if all(thread == me for thread in self._inside):
                self.close()

    def __del__(self) -> None:
        # Without the lock: the thread that collects garbage may hold that of h5py, and the other way round.
        file = getattr(self, "_file", None)
        if file is not None:
            with suppress(Exception):  # the interpreter may be shutting down
                file.close()

    def __getattr__(self, name: str) -> Any:
        if _is_attribute(name):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __getstate__(self) -> tuple[str, dict[str, Any], bool]:
        return self._filename, self._kwargs, self._durable

    def __setstate__(self, state: tuple[str, dict[str, Any], bool]) -> None:
        filename, kwargs, durable = state
        H5Store.__init__(self, filename, **kwargs)
        self._durable = durable

    def __repr__(self) -> str:
        return f"{type(self).__name__}(filename={os.path.relpath(self._filename)!r})"

    def __str__(self) -> str:
        return f"{type(self).__name__}(filename={os.path.basename(self._filename)!r})"


# Functions rather than methods, whose names would hide keys that are read as attributes.


def _save(store: H5Store) -> None:
    """Let what was written to a file that is closed now survive a power loss, if that is asked for."""
    if not store._durable:
        return
    try:
        fd = os.open(store.filename, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # it is kept in memory, or has been deleted
        return
    try:
        os.fsync(fd)
    finally:
        files.close_after_work(fd)
    files.sync_directory(os.path.dirname(store.filename))


def _is_attribute(name: str) -> bool:
    return name.startswith("__") or name in _ATTRIBUTES


def _join(path: str, key: str) -> str:
    if "/" not in key:
        return f"{path}/{key}" if path != "/" else f"/{key}"
    start = "" if key.startswith("/") else path
    return "/" + "/".join(name for name in f"{start}/{key}".split("/") if name)


def _resolve(store: H5Store, path: str, key: Any) -> str:
    """The absolute path that a key to be looked up means."""
    if not isinstance(key, str):
        raise TypeError(f"The keys of an HDF5 store must be str, not {type(key).__name__}: {key!r}.")
    if not key or "\0" in key or not (key.isascii() or key == key.encode(errors="replace").decode()):  # no name in HDF5
        raise _no_item(store, f"{path.rstrip('/')}/{key}")
    return _join(path, key)


def _no_item(store: H5Store, path: str) -> KeyError:
    return KeyError(f"There is no {path[1:]!r} in the HDF5 file '{store.filename}'.")


def _item(file: Any, store: H5Store, path: str) -> Any:
    item = None if file is None else layer().item(file, path.encode())
    if item is None:
        raise _no_item(store, path)
    return item


def _group(file: Any, store: H5Store, path: str) -> Any:
    group = _item(file, store, path)
    if not layer().is_group(group):
        raise KeyError(f"{path[1:]!r} is no longer a group of the HDF5 file '{store.filename}'.")
    return group


def _ask(node: _Node, question: Callable[[Any], _Answer], nothing: _Answer) -> _Answer:
    """What a function says of the group of a node, or of a file that does not exist."""
    store, path = node._location()
    with _reading(store) as file:
        return nothing if file is None and path == "/" else question(_group(file, store, path))


def _content(node: _Node) -> Any:
    return _ask(node, values.read_whole, {})


def _members(value: Any) -> dict[str, Any]:
    if not isinstance(value, _Node):
        return dict(value)
    store, path = value._location()
    return {key: H5Group(store, _join(path, key)) for key in value}  # whatever is there: it is only copied


def _assign(node: _Node, items: Mapping[str, Any]) -> None:
    if not items:
        return
    store, path = node._location()
    prepared: dict[str, values.Prepared] = {}
    with values.Plan() as plan:
        for key, value in items.items():
            values.split_key(key)
            target = _join(path, key)
            if not (isinstance(value, H5Group) and _is_at(value, store, target)):  # nothing to do for a group itself
                prepared[target] = plan.prepare(value)
        with _writing(store) as file:
            if path != "/":
                _group(file, store, path)  # a group that was deleted does not come back
            values.delete_unfinished(file)
            for target, value in prepared.items():
                plan.place(file, target, value)
    for kind in plan.unusual:
        warnings.warn(
            f"A value of type {kind.__name__} was stored, which is not one of the supported types: "
            "it will not be read back as such.",
            stacklevel=3,
        )


def _is_at(group: H5Group, store: H5Store, path: str) -> bool:
    owner, place = group._location()
    return place == path and owner.filename == store.filename


def _open(store: H5Store, mode: str) -> Any:
    """The identifier of the file, opened with the options of the store."""
    options = {name: value for name, value in store._kwargs.items() if name != "mode"}
    if options and mode in ("r", "r+"):  # h5py refuses them for a file that exists
        options = {name: value for name, value in options.items() if name not in _CREATION_OPTIONS}
    try:
        return layer().open_file(store._filename, mode, options)
    except OSError as error:
        if error.errno is None:
            raise OSError(f"Cannot open the HDF5 file '{store.filename}': {error}") from error
        error.filename = store.filename
        raise


def _open_as_permitted(store: H5Store) -> Any:
    """The file, to be read and written; only to be read if it exists and no more is permitted."""
    try:
        return _open(store, "a")
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and os.path.isfile(store.filename):
            with suppress(OSError):
                return _open(store, "r")
        raise


def _open_file(store: H5Store) -> h5py.File | None:
    """The file of an open store; None also if it was closed behind the back of the store."""
    return store._file or None


@contextmanager
def _reading(store: H5Store) -> Iterator[Any]:
    """The identifier of the file of a store for one operation, or None if there is no file."""
    with values.LOCK:
        opened = _open_file(store)
        if opened is not None:
            yield opened.id
            return
        try:
            file = _open(store, "r")
        except FileNotFoundError:
            file = None
        except OSError:
            if os.stat(store.filename).st_size:
                raise
            file = None  # created, not yet written
        if file is None:
            yield None
            return
        try:
            yield file
        finally:
            layer().close_file(file)


@contextmanager
def _writing(store: H5Store, *, create: bool = True) -> Iterator[Any]:
    """The identifier of the file of a store for one operation that changes it."""
    with values.LOCK:
        opened = _open_file(store)
        if opened is not None:
            _check_writable(store, opened.id)
            yield opened.id
            return
        mode = store._kwargs.get("mode", "a")
        file = _open(store, mode if create or mode == "r" else "r+")
        try:
            _check_writable(store, file)
            yield file
        finally:
            layer().close_file(file)
        _save(store)


def _check_writable(store: H5Store, file: Any) -> None:
    if not layer().is_writable(file):
        if not os.access(store.filename, os.W_OK):
            raise PermissionError(errno.EACCES, "The HDF5 file may only be read", store.filename)
        raise ValueError(f"The HDF5 file '{store.filename}' is open for reading only: open it with mode='a'.")


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "h5py": "",
        },
    )
