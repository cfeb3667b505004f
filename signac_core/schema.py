"""What the state points of a project look like: their keys, with the types and values of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from . import layout, reading
from .progress import track

if TYPE_CHECKING:
    from .index.distinct import SortedValues
    from .index.snapshot import Snapshot
    from .job import Job
    from .progress import Progress
    from .project import Project

__all__ = ["ProjectSchema", "detect_schema", "hashable", "leaves", "ordered"]

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


def leaves(state_point: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Values of nested mappings under dotted keys; an empty mapping below the top is a value.

    A key with a dot in it, which only another program can have written, is left out: nobody could address it.

    Parameters
    ----------
    state_point : mapping
        A plain state point, or a part of one.
    above : str
        What to put in front of the keys.

    Yields
    ------
    tuple of str and object
        Dotted key and value.

    Examples
    --------
    >>> list(leaves({"a": {"b": 1, "c": {}}, "d": [2]}))
    [('a.b', 1), ('a.c', {}), ('d', [2])]

    """
    for key, value in state_point.items():
        if "." in key:
            continue
        if value and isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def ordered(items: Iterable[_T], *, value: Callable[[_T], Any] | None = None) -> list[_T]:
    """Sort items by their values, which are of one type: NaN last; by their text when they cannot be compared.

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


class _Types(dict[type, set[Any]]):
    """The values of a key by type; a type that does not occur has none."""

    def __missing__(self, kind: type) -> set[Any]:
        return set()


class ProjectSchema(Mapping[str, _Types]):
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
        self._schema = {key: _Types(types) for key, types in (schema or {}).items()}
        self._sorted: dict[str, SortedValues] = {}  # the values of those keys whose types are still empty

    @classmethod
    def _of_keys(cls, keys: Iterable[tuple[str, _Key]]) -> ProjectSchema:
        schema = cls()
        for name, key in keys:
            schema._schema[name] = key.types
            if key.sorted is not None:
                schema._sorted[name] = key.sorted
        return schema

    def __getitem__(self, key: str) -> _Types:
        types, values = self._schema[key], self._sorted.get(key)
        if values is not None:
            types[values.kind] = set(values)
            self._sorted.pop(key, None)  # after that, as another thread may look
        return types

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
        if key in self._sorted:
            return {self._sorted[key].kind: self._sorted[key]}
        return {kind: ordered(values) for kind, values in self._schema[key].items()}

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


class _Key:
    """What has been seen of one key, and of the keys below it."""

    __slots__ = ("below", "empty", "jobs", "sorted", "types")

    def __init__(self) -> None:
        self.types = _Types()
        self.sorted: SortedValues | None = None  # instead of types
        self.jobs = 0
        self.below: dict[str, _Key] | None = None  # not None when the key is a mapping in some job
        self.empty = False  # whether one of these is empty

    def distinct(self) -> int:
        """Count the values; all mappings together are one."""
        return sum(map(len, self.types.values())) + len(self.sorted or ()) + (self.below is not None)

    def has_values(self) -> bool:
        """Tell whether it is not only a mapping."""
        return bool(self.types) or self.sorted is not None

    def spread(self) -> None:
        """Make sets of sorted values, so that more values can be added."""
        if self.sorted is not None:
            self.types[self.sorted.kind] = set(self.sorted)
            self.sorted = None


def detect_schema(
    project: Project,
    *,
    exclude_const: bool = False,
    subset: Iterable[Job | str] | None = None,
    damaged: list[str] | None = None,
    progress: Progress | None = None,
) -> ProjectSchema:
    """Find out which keys the state points have, with which types and values, in one pass.

    Parameters
    ----------
    project : Project
        The project.
    exclude_const : bool
        Leave out the keys that have one value in all jobs.
    subset : iterable of Job or str, optional
        Consider these jobs only, given as handles or full ids; unknown ids are ignored.
    damaged : list of str, optional
        Takes the ids of damaged jobs.
    progress : Progress, optional
        Told of each state point.

    Returns
    -------
    ProjectSchema
        The schema.

    Raises
    ------
    JobsCorruptedError
        If state points cannot be read and there is no list to take the ids.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> for T in (85, 87):
    ...     _ = project.open_job({"T": T, "N": 10}).init()
    >>> list(detect_schema(project)), list(detect_schema(project, exclude_const=True))
    (['N', 'T'], ['T'])

    """
    root: dict[str, _Key] = {}
    indexed = 0
    if subset is not None:
        ids = sorted({name for name in map(str, subset) if layout.is_job_directory(name) and "/" not in name})
    else:
        root, indexed, ids = reading.ask_index(project, _collect_from_index) or (root, 0, reading.list_names(project))
    jobs = indexed + _collect_from_files(project, ids, root, damaged, progress)
    if indexed and any(len(key.types) > 1 for _, key in _dotted(root)):  # the index does not know which came first
        root = {}
        jobs = _collect_from_files(project, reading.list_names(project), root, damaged, progress)
    keys = dict(_dotted(root))
    found = sorted((key.distinct(), name) for name, key in keys.items())
    return ProjectSchema._of_keys(
        (name, keys[name])
        for distinct, name in found
        if not (exclude_const and distinct == 1 and keys[name].jobs == jobs)
    )


def _collect_from_files(
    project: Project,
    ids: list[str],
    root: dict[str, _Key],
    damaged: list[str] | None,
    progress: Progress | None,
) -> int:
    """Add the values of the state points of jobs, in this order; return their number."""
    jobs = 0
    state_points = reading.read_state_points(project, ids, damaged=damaged)
    for _, state_point in track(state_points, "schema", len(ids), progress):
        jobs += 1
        _collect(state_point, root)
    return jobs


def _collect(state_point: dict[str, Any], keys: dict[str, _Key]) -> None:
    """Add the values of one state point; as :func:`leaves`, without a step per value through a generator."""
    for name, value in state_point.items():
        key = keys.get(name)
        if key is None:
            if "." in name:
                continue
            key = keys[name] = _Key()
        key.jobs += 1
        kind = type(value)
        if kind is dict:
            if key.below is None:
                key.below = {}
            if value:
                _collect(value, key.below)
            else:
                key.empty = True
            continue
        if kind is list or value != value:
            value = hashable(value)
            kind = type(value)
        if kind in key.types:
            key.types[kind].add(value)
        else:
            key.types[kind] = {value}


def _collect_from_index(snapshot: Snapshot) -> tuple[dict[str, _Key], int, list[str]] | None:
    """Values in the base of the index, their number of jobs, and the other jobs.

    None if values may belong to jobs that have gone, or if a key has values of several types: these are in the order of
    their first appearance, which the index does not know.
    """
    from .index.distinct import sorted_values

    base, present = snapshot.layers[0]
    if present.bits.bit_count() != base.rows:
        return None
    root: dict[str, _Key] = {}
    for name in base.directory.keys:
        *above, last = name.split(".")
        level = root
        for part in above:
            key = level.setdefault(part, _Key())
            if key.jobs:
                return None
            if key.below is None:
                key.below = {}
            level = key.below
        key = level.setdefault(last, _Key())
        if found := sorted_values(base, name):
            key.sorted, key.jobs = found
        else:
            for chunk, data in base.read_chunks(base.chunk_list(name)):
                key.jobs += chunk.rows
                _add_values(key, base.values_of(chunk, data))
        if len(key.types) > 1 or key.below:
            return None
    corrections = [job_id for table, rows in snapshot.layers[1:] for job_id in table.ids_of(rows)]
    others = sorted(corrections + snapshot.pending)
    if others:
        for _, key in _dotted(root):
            key.spread()
    return root, base.rows, others


def _add_values(key: _Key, values: list[Any]) -> None:
    kinds = set(map(type, values))
    if kinds == {float} and sum(values) != sum(values):
        kinds.add(object)  # one of them may not be a number
    if len(kinds) == 1 and not kinds & {dict, list}:
        key.types.setdefault(kinds.pop(), set()).update(values)
        return
    for value in values:
        if type(value) is dict:
            key.below, key.empty = key.below or {}, True
        else:
            value = hashable(value)
            key.types.setdefault(type(value), set()).add(value)


def _dotted(keys: dict[str, _Key], above: str = "") -> Iterator[tuple[str, _Key]]:
    """Keys that have values of their own, an empty mapping being one, with their dotted names."""
    for name, key in keys.items():
        if key.has_values() or key.empty:
            yield above + name, key
        if key.below:
            yield from _dotted(key.below, f"{above}{name}.")
