"""What the state points of a project look like: their keys, with the types and values of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..index.distinct import SortedValues

__all__ = [
    "ProjectSchema",
    "Types",
    "hashable",
    "ordered",
]

_T = TypeVar("_T")

_NAN = float("nan")  # NaN does not equal itself, but it is found again: this object stands for all of them


class _HashableDict(dict[str, Any]):
    """A dict inside a list, as a member of a set; it looks like a dict, and is not to be changed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset((key, hashable(value)) for key, value in self.items()))


def hashable(value: Any) -> Any:
    """Equivalent of a JSON value that can be a member of a set: lists become tuples, every NaN the same object.

    Parameters
    ----------
    value : object
        A plain value.

    Returns
    -------
    object
        The equivalent, equal to that of every equal value.

    Examples
    --------
    >>> hashable([1, [2.0, {"x": []}]])
    (1, (2.0, {'x': []}))

    """
    if isinstance(value, (list, tuple)):
        return tuple(hashable(item) for item in value)
    if isinstance(value, Mapping):
        return _HashableDict(_with_one_nan(value))
    return _NAN if value != value else value


def _with_one_nan(value: Any) -> Any:
    """Copy of a value in which every NaN is the same object."""
    if isinstance(value, Mapping):
        return {key: _with_one_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_one_nan(item) for item in value]
    return _NAN if value != value else value


def ordered(items: Iterable[_T], *, value: Callable[[_T], Any] | None = None) -> list[_T]:
    """Sort items by their values, which are of one type: NaN last; by their repr when they cannot be compared.

    Parameters
    ----------
    items : iterable
        The items.
    value : callable, optional
        Gives the value of an item; by default it is the item.

    Returns
    -------
    list
        The items, sorted.

    Examples
    --------
    >>> ordered([2, 10, 1])
    [1, 2, 10]
    >>> ordered([(1,), ("x",)])
    [('x',), (1,)]

    """
    known = list(items)
    if not known:
        return known

    def value_of(item: _T) -> Any:
        return item if value is None else value(item)

    if isinstance(value_of(known[0]), float):
        values = known if value is None else list(map(value, known))
        numbers = [item for item, number in zip(known, values, strict=True) if number == number]
        if len(numbers) < len(known):
            return [*ordered(numbers, value=value), *(item for item in known if value_of(item) != value_of(item))]
    if isinstance(value_of(known[0]), tuple):
        known.sort(key=lambda item: repr(value_of(item)))  # decides where the values themselves do not
    try:
        return sorted(known, key=value)  # type: ignore[type-var, arg-type]
    except TypeError:
        return sorted(known, key=lambda item: repr(value_of(item)))


class Types(dict[type, set[Any]]):
    """The values of a key by type; a type that does not occur has none.

    Examples
    --------
    >>> Types({int: {1}})[str]
    set()

    """

    def __missing__(self, kind: type) -> set[Any]:
        return set()


class ProjectSchema(Mapping[str, Types]):
    """The keys of state points, with the types and values of each.

    A mapping of dotted key to types, and of type to the set of values. Lists appear as tuples. Keys are in the order of
    their number of distinct values; types are in the order of their first appearance, by job id.

    Parameters
    ----------
    schema : mapping, optional
        Sets of values by type and by dotted key.

    Examples
    --------
    >>> schema = ProjectSchema({"a": {int: {0, 1, 2}}, "b.c": {str: {"x"}, float: {0.5}}})
    >>> print(schema)
    {
     'a': 'int([0, 1, 2], 3)',
     'b.c': 'str([x], 1), float([0.5], 1)',
    }
    >>> schema["a"][int] == {0, 1, 2}
    True

    """

    def __init__(self, schema: Mapping[str, Mapping[type, set[Any]]] | None = None) -> None:
        self._schema: dict[str, Types | SortedValues] = {key: Types(types) for key, types in (schema or {}).items()}

    @classmethod
    def _of_keys(cls, keys: Iterable[tuple[str, Types | SortedValues]]) -> ProjectSchema:
        schema = cls()
        schema._schema = dict(keys)
        return schema

    def __getitem__(self, key: str) -> Types:
        values = self._schema[key]
        if not isinstance(values, Types):
            values = self._schema[key] = Types({values.kind: set(values)})
        return values

    def sorted_values(self, key: str) -> dict[type, Sequence[Any]]:
        """Sorted values of a key by type; fast where only a few of very many are looked at.

        Parameters
        ----------
        key : str
            The dotted key.

        Returns
        -------
        dict of type to sequence
            The values, not to be changed.

        Raises
        ------
        KeyError
            If there is no such key.

        Examples
        --------
        >>> ProjectSchema({"a": {int: {2, 0, 1}}}).sorted_values("a")
        {<class 'int'>: [0, 1, 2]}

        """
        found = self._schema[key]
        if isinstance(found, Types):
            return {kind: ordered(values) for kind, values in found.items()}
        return {found.kind: found}

    def __iter__(self) -> Iterator[str]:
        return iter(self._schema)

    def __len__(self) -> int:
        return len(self._schema)

    def __contains__(self, key: object) -> bool:
        return key in self._schema

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<len={len(self)}>)"

    def __str__(self) -> str:
        return self.format()

    def _repr_html_(self) -> str:
        from html import escape

        return f"<strong>{escape(repr(self))}</strong><pre>{escape(str(self), quote=False)}</pre>"

    def format(self, depth: int | None = None, precision: int | None = None, max_num_range: int | None = None) -> str:
        """Text of the schema for people.

        Parameters
        ----------
        depth : int, optional
            Nest the keys, and show this many levels; by default, and for 0, one line per dotted key.
        precision : int, optional
            Round numbers to so many digits after the decimal point.
        max_num_range : int, optional
            Of more values than this (5), show the first ones and the last two only.

        Returns
        -------
        str
            The text.

        Examples
        --------
        >>> schema = ProjectSchema({"a.b": {float: {i / 3 for i in range(9)}}, "a.c": {bool: {True}}})
        >>> print(schema.format(precision=1, max_num_range=4))
        {
         'a.b': 'float([0.0, 0.3, ..., 2.3, 2.7], 9)',
         'a.c': 'bool([1], 1)',
        }
        >>> print(schema.format(depth=1))
        {'a': {...}}

        """
        shown = 5 if max_num_range is None else max_num_range
        texts = {key: _types_text(self.sorted_values(key), precision, shown) for key in sorted(self)}
        if depth is None or depth <= 0:
            return "\n".join(["{", *(f" '{key}': '{text}'," for key, text in texts.items() if text), "}"])
        from pprint import pformat

        return pformat(_nested(texts), depth=depth)

    def difference(self, other: Mapping[str, Mapping[type, set[Any]]], ignore_values: bool = False) -> set[str]:
        """Keys that another schema does not have, or not with the same values.

        Parameters
        ----------
        other : ProjectSchema
            The schema to compare with.
        ignore_values : bool
            Compare the keys only.

        Returns
        -------
        set of str
            The keys of this schema that differ.

        Examples
        --------
        >>> ours = ProjectSchema({"T": {int: {1, 2}}, "N": {int: {10}}})
        >>> theirs = ProjectSchema({"T": {int: {3}}})
        >>> sorted(ours.difference(theirs)), ours.difference(theirs, ignore_values=True)
        (['N', 'T'], {'N'})

        """
        return {key for key in self if key not in other or not (ignore_values or other[key] == self[key])}


def _types_text(types: Mapping[type, Sequence[Any]], precision: int | None, shown: int) -> str:
    return ", ".join(
        f"{kind.__name__}([{_values_text(values, precision, shown)}], {len(values)})" for kind, values in types.items()
    )


def _values_text(values: Sequence[Any], precision: int | None, shown: int) -> str:
    def texts(some: Sequence[Any]) -> str:
        return ", ".join(str(_rounded(value, precision)) for value in some)

    if len(values) <= shown:
        return texts(values)
    # The slices below are part of the format, even where a tiny number of values makes them overlap.
    return f"{texts(values[: shown - 2])}, ..., {texts(values[-2:])}"


def _rounded(value: Any, precision: int | None) -> Any:
    return round(value, precision) if precision is not None and isinstance(value, (int, float)) else value


class _Node:
    """A level of nested keys: the text of its own values, if any, and the levels below."""

    __slots__ = ("below", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.below: dict[str, _Node] = {}


def _nested(texts: dict[str, str]) -> dict[str, Any]:
    root = _Node()
    for dotted, text in texts.items():
        node = root
        for part in dotted.split("."):
            node = node.below.setdefault(part, _Node())
        node.text = text
    return _levels(root)


def _levels(node: _Node) -> dict[str, Any]:
    levels: dict[str, Any] = {}
    for name, child in node.below.items():
        below = _levels(child)
        if child.text and below:  # a value in some jobs, a mapping in others: both are shown, side by side
            levels[name] = child.text
            levels.update((f"{name}.{key}", value) for key, value in below.items())
        else:
            levels[name] = below or child.text
    return levels


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "SortedValues": ".index.distinct",
        },
    )
