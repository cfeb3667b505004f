"""The HDF5 stores of a job or a project, by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from .. import files, layout
from ..errors import InvalidKeyError
from .store import H5Store, _members

__all__ = [
    "H5StoreManager",
]


class H5StoreManager:
    """The HDF5 files of a directory by name: ``manager["x"]`` and ``manager.x`` are the store of ``x.h5``.

    Assignment of a mapping to a key replaces the file as a whole: others see the old file or the new one.

    Parameters
    ----------
    prefix : str or PathLike
        The directory.
    durable : bool
        What is written survives a power loss once the file is closed.

    Examples
    --------
    >>> stores = H5StoreManager(".")
    >>> stores.data = {"foo": "bar"}
    >>> stores
    H5StoreManager(prefix='.')
    >>> list(stores), dict(stores.data)
    (['data'], {'foo': 'bar'})

    """

    __slots__ = ("_durable", "_prefix", "_stores")

    cls: type[H5Store] = H5Store
    suffix: str = ".h5"

    _durable: bool
    _prefix: str
    _stores: dict[str, H5Store]

    def __init__(self, prefix: str | os.PathLike[str], *, durable: bool = False) -> None:
        object.__setattr__(self, "_durable", durable)
        object.__setattr__(self, "_prefix", os.path.abspath(os.fsdecode(prefix)))
        object.__setattr__(self, "_stores", {})

    @property
    def prefix(self) -> str:
        """The absolute path of the directory.

        Returns
        -------
        str
            The path.

        Examples
        --------
        >>> H5StoreManager("stores").prefix == os.path.abspath("stores")
        True

        """
        return self._prefix

    def __getitem__(self, key: str) -> H5Store:
        store = self._stores.get(key)
        if store is None:
            store = self._stores[key] = _make_store(self, _store_path(self, key))
        return store

    def __setitem__(self, key: str, value: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        path = _store_path(self, key)
        if "." in key:
            raise InvalidKeyError(f"The keys of an H5StoreManager may not contain dots ('.'): {key!r}.")
        members = _members(value)
        if not members:
            raise ValueError(f"There is nothing to store in '{path}': assign at least one value, or delete the key.")
        temporary = os.path.join(self._prefix, layout.building_name())
        try:
            with _make_store(self, temporary).open(mode="x") as store:
                store.update(members)
            files.keep_mode(temporary, path)
            os.replace(temporary, path)
            if self._durable:
                files.sync_directory(self._prefix)
        except BaseException:
            with suppress(OSError):  # the error that led here matters more
                os.unlink(temporary)
            raise
        self._stores.pop(key, None)  # an open store of the old file keeps that file

    def __delitem__(self, key: str) -> None:
        path = _store_path(self, key)
        try:
            os.unlink(path)
        except FileNotFoundError:
            raise KeyError(f"There is no HDF5 file '{path}'.") from None
        self._stores.pop(key, None)

    def __contains__(self, key: object) -> bool:
        try:
            return os.path.isfile(_store_path(self, key))
        except (InvalidKeyError, TypeError):
            return False

    def __iter__(self) -> Iterator[str]:
        try:
            with os.scandir(self._prefix) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(self.suffix) and entry.is_file()]
        except FileNotFoundError:
            return iter(())
        return iter([name.removesuffix(self.suffix) for name in names if name != self.suffix])

    def keys(self) -> Iterator[str]:
        """Iterate over the names of the files, without suffix.

        Returns
        -------
        iterator of str
            The names, in the order of the directory.

        Examples
        --------
        >>> stores = H5StoreManager(".")
        >>> stores["thermo"] = {"T": 87.0}
        >>> list(stores.keys())
        ['thermo']

        """
        return iter(self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getattr__(self, name: str) -> H5Store:
        if name.startswith("__") or name in H5StoreManager.__slots__:
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        if name.startswith("__"):
            object.__delattr__(self, name)
        else:
            del self[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, H5StoreManager):
            return NotImplemented
        return self.suffix == other.suffix and os.path.realpath(self._prefix) == os.path.realpath(other._prefix)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _make_manager, (type(self), self._prefix, self._durable)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={os.path.relpath(self._prefix)!r})"


def _make_manager(cls: type[H5StoreManager], prefix: str, durable: bool) -> H5StoreManager:
    return cls(prefix, durable=durable) if durable else cls(prefix)


def _make_store(manager: H5StoreManager, path: str) -> H5Store:
    store = manager.cls(path)
    store._durable = manager._durable
    return store


def _store_path(manager: H5StoreManager, key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"The keys of an H5StoreManager must be str, not {type(key).__name__}: {key!r}.")
    if key in ("", ".", "..") or "/" in key or "\0" in key:
        raise InvalidKeyError(f"{key!r} does not name a file in '{manager.prefix}': use a name without directories.")
    return os.path.join(manager.prefix, key + manager.suffix)
