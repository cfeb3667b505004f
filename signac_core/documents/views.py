"""Live dicts and lists over the tree of a document or a state point.

A view reads through to the current tree and turns every change into one operation on it. The views are neither dicts
nor lists (C code would bypass the refresh), they are made on access and remembered by their parent: ``d["a"] is
d["a"]``. After the tree was read again a held child is bound to what stands under its key or index if that is of the
same kind. Otherwise it is detached: reads give its last data, writes raise.
"""

from __future__ import annotations

import os
from _weakref import ref
from abc import abstractmethod
from collections.abc import (
    Callable,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    MutableMapping,
    MutableSequence,
    ValuesView,
)
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..canonical import plain, same_json, validate_key
from ..errors import DetachedError
from ..trees import MISSING, copy_plain
from .store import Document, Store

if TYPE_CHECKING:
    from .buffer import BufferedDocument

__all__ = [
    "JSONDict",
    "JSONList",
    "View",
    "document_of",
    "mutate",
    "store_of",
    "view_of",
    "view_of_document",
]

_T = TypeVar("_T")


class View:
    """What live dicts and lists have in common: called, they give a plain copy.

    Examples
    --------
    >>> d = JSONDict("d.json")
    >>> d.lattice = {"N": 10}
    >>> isinstance(d.lattice, View), type(d.lattice()) is dict
    (True, True)

    """

    __slots__ = ("__weakref__", "_attached", "_children", "_data", "_key", "_parent", "_store")

    _store: Store
    _parent: View | None
    _key: Any
    _data: Any
    _children: dict[Any, View]
    _attached: bool

    __hash__ = None  # type: ignore[assignment]

    def _setup(self, store: Store, parent: View | None, key: Any, data: Any) -> None:
        place = object.__setattr__
        place(self, "_store", store)
        place(self, "_parent", parent)
        place(self, "_key", key)
        place(self, "_data", data)
        place(self, "_children", {})
        place(self, "_attached", True)

    def _current(self) -> Any:
        """Up-to-date container of this view (its last data when detached)."""
        self._store.sync()
        return self._data

    def _mutate(self, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        return self._store.mutate(self, operation, overwrite=overwrite and self._parent is None)

    def _attached_data(self) -> Any:
        if not self._attached:
            raise DetachedError(
                f"Key '{self._dotted()}' of {self._store.describe()} no longer holds the value that this reference was "
                "taken from: access it again before changing it."
            )
        return self._data

    def _dotted(self) -> str:
        parts: list[str] = []
        view: View | None = self
        while view is not None and view._parent is not None:
            parts.append(str(view._key))
            view = view._parent
        return ".".join(reversed(parts))

    def _detach(self) -> None:
        object.__setattr__(self, "_attached", False)
        for child in self._children.values():
            child._detach()

    def _bind_child(self, child: View, value: Any) -> bool:
        """Bind a held child to ``value`` if that is of its kind, else detach it."""
        if type(value) is type(child._data):
            if value is not child._data:
                child._rebind(value)
            else:
                child._prune()  # changed in place through another handle on the same buffered tree
            return True
        child._detach()
        return False

    @abstractmethod
    def _rebind(self, data: Any) -> None:
        """Take ``data`` for the container of this view, and bind the held children to what it holds."""

    @abstractmethod
    def _prune(self) -> None:
        """Bind or detach the held children after a change of the container."""

    def _wrap(self, slot: Any, key: Any, value: Any) -> Any:
        """Live child for a container, remembered under ``slot``; other values as they are."""
        kind = type(value)
        if kind is not dict and kind is not list:
            return value
        child = self._children.get(slot)
        if child is None or child._data is not value:
            child = JSONDict._nested(self, key, value) if kind is dict else JSONList._nested(self, key, value)
            self._children[slot] = child
        return child

    def __call__(self) -> Any:
        """Plain deep copy: dicts, lists and scalars that no longer have to do with the file."""
        return copy_plain(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def __repr__(self) -> str:
        return repr(self._current())

    def __copy__(self) -> View:
        return self  # a copy would change the same file

    def __deepcopy__(self, memo: dict[int, Any]) -> View:
        return self  # a copy would change the same file

    def __reduce__(self) -> tuple[Any, ...]:
        keys: list[Any] = []
        view = self
        while view._parent is not None:
            keys.append(view._key)
            view = view._parent
        return _descend, (self._store.reduce(), keys[::-1])


class _Blank(View):
    """What a view is while its slots are filled: plain assignment takes a fifth of the time."""

    __slots__ = ()
    __setattr__ = object.__setattr__


_V = TypeVar("_V", bound=View)


def _new(cls: type[_V], store: Store, parent: View | None, key: Any, data: Any) -> _V:
    view = _Blank()  # type: ignore[abstract]
    view._store = store
    view._parent = parent
    view._key = key
    view._data = data
    view._children = {}
    view._attached = True
    view.__class__ = cls  # type: ignore[assignment]
    return view  # type: ignore[return-value]


# What a store or another package needs of a view: attributes of a JSONDict would be keys of the document.


def view_of(store: Store) -> JSONDict:
    """Root view of a store."""
    return _new(JSONDict, store, None, None, store.tree)


def view_of_document(document: Document) -> JSONDict:
    """Root view of a document, which is bound to every tree that the document reads as long as somebody holds it."""
    view = view_of(document)
    document.root = ref(view)
    return view


def store_of(view: View) -> Store:
    """Store whose tree a view shows, or shows a part of."""
    return view._store


def document_of(view: JSONDict) -> Document:
    """Document whose tree a view shows; AttributeError if it is that of a state point."""
    return view._document()


def mutate(view: View, operation: Callable[[Any], _T]) -> _T:
    """Apply one operation to the container of a view, as every method that changes it does: locked, in one write."""
    return view._mutate(operation)


def _descend(root: tuple[Callable[..., Any], tuple[Any, ...]], keys: list[Any]) -> Any:
    """Get back a view that was pickled."""
    function, arguments = root
    value = function(*arguments)
    if isinstance(value, Document):
        value = view_of_document(value)
    for key in keys:
        value = value[key]
    return value


_RESERVED = frozenset({*View.__slots__, "buffered"})


class JSONDict(View, MutableMapping[str, Any]):
    """A dict that lives in a JSON file.

    Every read gives what the file holds now, every change is in the file when it returns. Values are available as
    items and as attributes; nested dicts and lists are live as well.

    Parameters
    ----------
    filename : str
        The file; created by the first change.
    write_concern : bool
        Accepted for compatibility: every change replaces the file atomically.
    data : mapping, optional
        What to show as long as the file does not exist; not written.

    Raises
    ------
    KeyTypeError, InvalidKeyError
        When a key is not a string, or contains a dot, at any depth of an assigned value.
    TypeError
        When an assigned value has no JSON equivalent.
    DetachedError
        When a nested dict or list is changed whose place has gone.

    Notes
    -----
    A free-standing document locks its directory, which excludes the writers of this host only; the documents of jobs
    and projects lock a file and exclude the writers of all hosts that share the file system.

    Examples
    --------
    >>> d = JSONDict("example.json")
    >>> d["a"] = {"b": [1, 2]}
    >>> d.a.b.append(3)
    >>> d()
    {'a': {'b': [1, 2, 3]}}
    >>> with open(d.filename) as file:
    ...     print(file.read())
    {"a": {"b": [1, 2, 3]}}

    Many changes in one write:

    >>> with d.buffered:
    ...     for i in range(3):
    ...         d[f"step_{i}"] = i

    """

    __slots__ = ()

    def __init__(
        self,
        filename: str | os.PathLike[str] | None = None,
        write_concern: bool = False,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        if filename is None:
            raise TypeError("A JSONDict needs the name of its file.")
        path = os.fspath(filename)
        initial = {} if data is None else {validate_key(key): plain(value) for key, value in data.items()}
        document = Document(path, os.path.dirname(path) or ".", data=initial)
        self._setup(document, None, None, document.tree)
        document.root = ref(self)

    @classmethod
    def _nested(cls, parent: View, key: Any, data: dict[str, Any]) -> JSONDict:
        return _new(cls, parent._store, parent, key, data)

    @property
    def filename(self) -> str:
        """The file that holds the data."""
        return self._document().path

    @filename.setter
    def filename(self, path: str) -> None:
        document = self._document()
        document.let_go()
        document.path, document.lock_path = path, os.path.dirname(path) or "."
        document.forget()

    @property
    def buffered(self) -> BufferedDocument:
        """Context in which the changes of this document are collected and written at its end; see :func:`buffered`."""
        from .buffer import BufferedDocument

        return BufferedDocument(self._document().path)

    def _document(self) -> Document:
        if not isinstance(self._store, Document):
            raise AttributeError("A state point is not kept in a document of its own.")
        return self._store

    def _rebind(self, data: Any) -> None:
        object.__setattr__(self, "_data", data)
        self._prune()

    def _prune(self) -> None:
        for key, child in list(self._children.items()):
            if not self._bind_child(child, self._data.get(key, MISSING)):
                del self._children[key]

    def __getitem__(self, key: str) -> Any:
        return self._wrap(key, key, self._current()[key])

    def __setitem__(self, key: str, value: Any) -> None:
        key = validate_key(key)
        if isinstance(value, View) and self._current().get(key) is value._data and value._attached:
            return  # the end of an augmented assignment, which has changed the child in place already
        new = plain(value)

        def operation(data: dict[str, Any]) -> None:
            data[key] = new

        self._mutate(operation)

    def __delitem__(self, key: str) -> None:
        def operation(data: dict[str, Any]) -> None:
            del data[key]

        self._mutate(operation)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(f"{self._store.describe()} has no key '{name}'") from error

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _RESERVED:
            raise AttributeError(f"The name {name!r} is reserved: set the key with d[{name!r}].")
        if name.startswith("__") or name == "filename":
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        if name.startswith("__") or name in _RESERVED:
            object.__delattr__(self, name)
        else:
            del self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._current()))

    def __contains__(self, key: object) -> bool:
        return key in self._current()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, View):
            return bool(self() == other())
        if isinstance(other, Mapping):
            return bool(self._current() == other)
        return NotImplemented

    def __or__(self, other: Any) -> dict[str, Any]:
        return self() | dict(_plain_data(other)) if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Any) -> dict[str, Any]:
        return dict(_plain_data(other)) | self() if isinstance(other, Mapping) else NotImplemented

    def __ior__(self, other: Any) -> JSONDict:
        self.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        """Copy everything, at any depth, as calling does: a plain dict that has nothing to do with the file any more.

        Returns
        -------
        dict
            The copy.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.lattice = {"N": 10}
        >>> copy = d.lattice.copy()
        >>> copy["N"] = 20
        >>> d()
        {'lattice': {'N': 10}}

        """
        return copy_plain(self._current())  # type: ignore[no-any-return]

    def keys(self) -> KeysView[str]:
        """Keys at this moment.

        Returns
        -------
        KeysView
            The keys, in the order of the file.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.update(T=1.5, N=10)
        >>> list(d.keys())
        ['T', 'N']

        """
        return dict.fromkeys(self._current()).keys()

    def values(self) -> ValuesView[Any]:
        """Values at this moment, as plain copies.

        Returns
        -------
        ValuesView
            The values, in the order of the file.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.update(T=1.5, lattice={"N": 10})
        >>> list(d.values())
        [1.5, {'N': 10}]

        """
        plain_copy: dict[str, Any] = self()
        return plain_copy.values()

    def items(self) -> ItemsView[str, Any]:
        """Keys and values at this moment, the values as plain copies.

        Returns
        -------
        ItemsView
            The pairs, in the order of the file.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.update(T=1.5, N=10)
        >>> list(d.items())
        [('T', 1.5), ('N', 10)]

        """
        plain_copy: dict[str, Any] = self()
        return plain_copy.items()

    def get(self, key: str, default: Any = None) -> Any:
        """Value of a key, or a default.

        Parameters
        ----------
        key : str
            The key.
        default : object, optional
            What to return if there is no such key.

        Returns
        -------
        object
            The value, live if it is a dict or a list.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.T = 1.5
        >>> d.get("T"), d.get("N"), d.get("N", 10)
        (1.5, None, 10)

        """
        data = self._current()
        return self._wrap(key, key, data[key]) if key in data else default

    def pop(self, key: str, default: Any = None) -> Any:
        """Remove a key, which need not exist, and return its value.

        Parameters
        ----------
        key : str
            The key.
        default : object, optional
            What to return if there is no such key, which is never an error.

        Returns
        -------
        object
            The value, as plain data.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.T = 1.5
        >>> d.pop("T"), d.pop("T"), d()
        (1.5, None, {})

        """
        return self._mutate(lambda data: data.pop(key, default))

    def popitem(self) -> tuple[str, Any]:
        """Remove the last key and return it with its value.

        Returns
        -------
        tuple
            Key and value, as plain data.

        Raises
        ------
        KeyError
            If the dict is empty.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.update(T=1.5, N=10)
        >>> d.popitem(), d()
        (('N', 10), {'T': 1.5})

        """
        item: tuple[str, Any] = self._mutate(lambda data: data.popitem())
        return item

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Value of a key, which is set first if it is absent.

        Parameters
        ----------
        key : str
            The key.
        default : object, optional
            The value to set.

        Returns
        -------
        object
            The value, live if it is a dict or a list.

        Raises
        ------
        KeyTypeError, InvalidKeyError
            If the key is not allowed.
        TypeError
            If the value has no JSON equivalent.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.setdefault("energies", []).append(-2.5)
        >>> d()
        {'energies': [-2.5]}

        """
        key = validate_key(key)
        new = plain(default)
        value = self._mutate(lambda data: data.setdefault(key, new))
        return self._wrap(key, key, value)

    def update(self, other: Any = None, /, **kwargs: Any) -> None:
        """Set several keys in one write: all of them or, if one is invalid, none.

        Parameters
        ----------
        other : mapping or iterable of pairs, optional
            Keys and values.
        **kwargs
            More keys and values; they win over those of ``other``.

        Raises
        ------
        KeyTypeError, InvalidKeyError
            If a key is not allowed.
        TypeError
            If a value has no JSON equivalent.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.update({"T": 1.5}, N=10)
        >>> d()
        {'T': 1.5, 'N': 10}

        """
        new = {validate_key(key): plain(value) for key, value in dict(other or (), **kwargs).items()}
        self._mutate(lambda data: data.update(new))

    def reset(self, data: Any) -> None:
        """Replace everything, whatever others wrote meanwhile.

        Parameters
        ----------
        data : mapping
            The new keys and values.

        Raises
        ------
        ValueError
            If ``data`` is not a mapping.
        KeyTypeError, InvalidKeyError
            If a key is not allowed.
        TypeError
            If a value has no JSON equivalent.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.T = 1.5
        >>> d.reset({"N": 10})
        >>> d()
        {'N': 10}

        """
        if data is self:
            return  # the end of ``job.doc |= ...``, which has changed the document in place already
        if not isinstance(data, Mapping):
            raise ValueError(f"Unsupported type: {type(data)}. The data must be a mapping.")
        new = {validate_key(key): plain(value) for key, value in data.items()}

        def operation(container: dict[str, Any]) -> None:
            container.clear()
            container.update(new)

        self._mutate(operation, overwrite=True)

    def clear(self) -> None:
        """Remove all keys, whatever others wrote meanwhile.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.T = 1.5
        >>> d.clear()
        >>> d()
        {}

        """
        self._mutate(lambda data: data.clear(), overwrite=True)


class JSONList(View, MutableSequence[Any]):
    """A list inside a :class:`JSONDict`; every change is in the file when it returns.

    Examples
    --------
    >>> d = JSONDict("d.json")
    >>> d.energies = [-2.5, -2.25]
    >>> energies = d.energies
    >>> energies[0] = -3.0
    >>> energies += [-2.0]
    >>> len(energies), energies[1:], -2.0 in energies
    (3, [-2.25, -2.0], True)
    >>> d()
    {'energies': [-3.0, -2.25, -2.0]}

    """

    __slots__ = ()

    @classmethod
    def _nested(cls, parent: View, key: Any, data: list[Any]) -> JSONList:
        return _new(cls, parent._store, parent, key, data)

    def _rebind(self, data: Any) -> None:
        object.__setattr__(self, "_data", data)
        if not self._children:
            return
        held = {id(item) for item in data}
        children = {}
        for child in list(self._children.values()):
            if id(child._data) not in held:  # parsed anew: what stands at its index now
                index = child._key  # of before the change, even if that was undone
                if not self._bind_child(child, data[index] if index < len(data) else MISSING):
                    continue
            children[id(child._data)] = child
        object.__setattr__(self, "_children", children)
        self._number_children()

    def _prune(self) -> None:
        if not self._children:
            return
        held = {id(item) for item in self._data}
        for slot, child in list(self._children.items()):
            if slot not in held:
                child._detach()
                del self._children[slot]
        self._number_children()

    def _number_children(self) -> None:
        for index, item in enumerate(self._data):
            child = self._children.get(id(item))
            if child is not None:
                object.__setattr__(child, "_key", index)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        data = self._current()
        if isinstance(index, slice):
            return [self._wrap(id(data[i]), i, data[i]) for i in range(*index.indices(len(data)))]
        value = data[index]
        return self._wrap(id(value), index if index >= 0 else len(data) + index, value)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, View) and value is self._children.get(id(value._data)) and not isinstance(index, slice):
            data = self._current()
            if value._attached and data[index] is value._data:
                return  # the end of an augmented assignment, which has changed the child in place already
        new = [plain(item) for item in value] if isinstance(index, slice) else plain(value)

        def operation(data: list[Any]) -> None:
            data[index] = new

        self._mutate(operation)

    def __delitem__(self, index: Any) -> None:
        def operation(data: list[Any]) -> None:
            del data[index]

        self._mutate(operation)

    def __iter__(self) -> Iterator[Any]:
        self._current()
        index = 0
        while index < len(self._data):  # the container of now: it is another after every read of a changed file
            value = self._data[index]
            yield self._wrap(id(value), index, value)
            index += 1

    def __reversed__(self) -> Iterator[Any]:
        for index in range(len(self._current()) - 1, -1, -1):
            if index < len(self._data):
                yield self._wrap(id(self._data[index]), index, self._data[index])

    def __contains__(self, value: object) -> bool:
        return value in self._current()

    def __eq__(self, other: object) -> Any:
        if isinstance(other, View):
            return self() == other()
        return self._current() == other

    def __lt__(self, other: Any) -> bool:
        return bool(self() < _plain_data(other))

    def __le__(self, other: Any) -> bool:
        return bool(self() <= _plain_data(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self() > _plain_data(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self() >= _plain_data(other))

    def __add__(self, other: Any) -> list[Any]:
        return self() + _plain_data(other) if isinstance(other, (list, JSONList)) else NotImplemented

    def __radd__(self, other: Any) -> list[Any]:
        return other + self() if isinstance(other, list) else NotImplemented

    def __iadd__(self, values: Iterable[Any]) -> JSONList:  # type: ignore[misc]  # any iterable, as a list
        self.extend(values)
        return self

    def __mul__(self, number: Any) -> list[Any]:
        repeated: list[Any] = self() * number
        return repeated

    __rmul__ = __mul__

    def __imul__(self, number: Any) -> JSONList:
        def operation(data: list[Any]) -> None:
            data[:] = [*data[: len(data) * number], *copy_plain(data * (number - 1))]

        self._mutate(operation)
        return self

    def copy(self) -> list[Any]:
        """Copy everything, at any depth, as calling does: a plain list that has nothing to do with the file any more.

        Returns
        -------
        list
            The copy.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> copy = d.energies.copy()
        >>> copy.append(-2.0)
        >>> copy, d.energies
        ([-2.5, -2.25, -2.0], [-2.5, -2.25])

        """
        return copy_plain(self._current())  # type: ignore[no-any-return]

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort the items, in one write.

        Parameters
        ----------
        key : callable, optional
            Gives the value to sort an item by, of which it gets a plain copy. It is called before anything is locked,
            and again when others have changed the list meanwhile.
        reverse : bool
            The largest comes first.

        Raises
        ------
        TypeError
            If the values cannot be compared; nothing is changed then.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.25, -2.5]
        >>> d.energies.sort()
        >>> d.energies
        [-2.5, -2.25]

        """
        while not self._sorted(key, reverse=reverse):
            pass

    def _sorted(self, key: Callable[[Any], Any] | None, *, reverse: bool) -> bool:
        """Sort the items, unless others have changed them meanwhile."""
        before: list[Any] = self()
        keys = before if key is None else list(map(key, copy_plain(before)))
        order = sorted(range(len(before)), key=keys.__getitem__, reverse=reverse)

        def operation(data: list[Any]) -> bool:
            if not same_json(data, before):
                return False
            data[:] = [data[index] for index in order]
            return True

        return self._mutate(operation)

    def append(self, value: Any) -> None:
        """Add a value at the end.

        Parameters
        ----------
        value : object
            The value; dicts and lists are copied.

        Raises
        ------
        TypeError
            If the value has no JSON equivalent.
        KeyTypeError, InvalidKeyError
            If it holds keys that are not allowed.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.append(-2.0)
        >>> d.energies
        [-2.5, -2.25, -2.0]

        """
        new = plain(value)
        self._mutate(lambda data: data.append(new))

    def insert(self, index: int, value: Any) -> None:
        """Add a value before another.

        Parameters
        ----------
        index : int
            The position of the other.
        value : object
            The value; dicts and lists are copied.

        Raises
        ------
        TypeError
            If the value has no JSON equivalent.
        KeyTypeError, InvalidKeyError
            If it holds keys that are not allowed.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.insert(0, -3.0)
        >>> d.energies
        [-3.0, -2.5, -2.25]

        """
        new = plain(value)
        self._mutate(lambda data: data.insert(index, new))

    def extend(self, values: Iterable[Any]) -> None:
        """Add several values at the end, in one write.

        Parameters
        ----------
        values : iterable
            The values.

        Raises
        ------
        TypeError
            If a value has no JSON equivalent.
        KeyTypeError, InvalidKeyError
            If one holds keys that are not allowed.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.extend([-2.0, -1.75])
        >>> len(d.energies)
        4

        """
        new = [plain(value) for value in values]
        self._mutate(lambda data: data.extend(new))

    def pop(self, index: int = -1) -> Any:
        """Remove a value and return it.

        Parameters
        ----------
        index : int
            Its position; the last one by default.

        Returns
        -------
        object
            The value, as plain data.

        Raises
        ------
        IndexError
            If there is none.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.pop(), d.energies
        (-2.25, [-2.5])

        """
        return self._mutate(lambda data: data.pop(index))

    def remove(self, value: Any) -> None:
        """Remove the first item that equals a value.

        Parameters
        ----------
        value : object
            The value.

        Raises
        ------
        ValueError
            If there is none.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.remove(-2.5)
        >>> d.energies
        [-2.25]

        """
        self._mutate(lambda data: data.remove(value))

    def reverse(self) -> None:
        """Reverse the order.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.reverse()
        >>> d.energies
        [-2.25, -2.5]

        """
        self._mutate(lambda data: data.reverse())

    def clear(self) -> None:
        """Remove all items, whatever others wrote meanwhile.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.clear()
        >>> d.energies
        []

        """
        self._mutate(lambda data: data.clear())

    def reset(self, data: Any) -> None:
        """Replace everything, whatever others wrote meanwhile.

        Parameters
        ----------
        data : sequence
            The new items.

        Raises
        ------
        ValueError
            If ``data`` is not a sequence, or a str.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.reset((-1.0, -2.0, -3.0))
        >>> d.energies
        [-1.0, -2.0, -3.0]

        """
        new = None if isinstance(data, str) else plain(data)
        if not isinstance(new, list):
            raise ValueError(f"Unsupported type: {type(data)}. The data must be a non-string sequence.")

        def operation(container: list[Any]) -> None:
            container[:] = new

        self._mutate(operation)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Position of the first item that equals a value.

        Parameters
        ----------
        value : object
            The value.
        start, stop : int, optional
            Where to begin to look, and where to end.

        Returns
        -------
        int
            The position.

        Raises
        ------
        ValueError
            If there is none.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.index(-2.25)
        1

        """
        data: list[Any] = self._current()
        return data.index(value, start, len(data) if stop is None else stop)

    def count(self, value: Any) -> int:
        """How many items equal a value.

        Parameters
        ----------
        value : object
            The value.

        Returns
        -------
        int
            Their number.

        Examples
        --------
        >>> d = JSONDict("d.json")
        >>> d.energies = [-2.5, -2.25]
        >>> d.energies.count(-2.5)
        1

        """
        data: list[Any] = self._current()
        return data.count(value)


def _plain_data(other: Any) -> Any:
    return other() if isinstance(other, View) else other


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "BufferedDocument": ".documents.buffer",
        },
    )
