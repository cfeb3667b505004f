"""State points on their way into files: read, compared with their ids, put into texts and columns, many at a time.

A column has the values of a leaf: a scalar, a list, or an empty mapping. Its dotted key names it: so a state point with
a dot in a key, or with very many levels, has no columns, and is *unfit* for a table. Values that are neither texts nor
ordinary numbers can be *packed* to bytes, which are equal if and only if the values are the same.

orjson does so in a fraction of the time where it writes what `canonical` writes. It does for nearly all state points;
`_are_simple` tells.
"""

from __future__ import annotations

import marshal
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice
from math import copysign
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from .. import canonical
from ..errors import UnusableIndexError
from ..workspace import state_point_in
from .table import EMPTY, WHOLE
from .texts import NOTHING, Lines, text_of

__all__ = [
    "AT_ONCE",
    "MANY",
    "Records",
    "TakesRows",
    "add_records",
    "in_batches",
    "records_in",
    "records_of",
    "records_of_texts",
    "state_points_in",
    "wrong_ones",
]

AT_ONCE = 1024
"""State points that are handled together."""
MANY = 2500
"""State points from which on the import of a faster encoder pays."""
_NEAR = 64  # state points that are handled together where a part of them needs care
_DEEPEST = 100  # levels
_PACKING = 2  # the version of marshal in which equal values have equal bytes
_LONGEST_TEXT = 1 << 24  # bytes of a state point that a table holds
_STATES = bytes([EMPTY, WHOLE, *range(2, 256)])


class Records(NamedTuple):
    """Some jobs with their state points, or documents.

    Parameters
    ----------
    ids : list of str
        The jobs.
    trees : list
        Their state points; None for a job without a document.
    texts : list of bytes
        The texts of these, as `texts.text_of` gives them.
    loose : list of int
        The positions of texts that are not JSON to everybody.
    """

    ids: list[str]
    trees: list[Any]
    texts: list[bytes]
    loose: list[int]

    def without(self, positions: Collection[int]) -> Records:
        """All but some of them."""
        left_out, loose = set(positions), set(self.loose)
        kept = [at not in left_out for at in range(len(self.ids))]
        return Records(
            list(compress(self.ids, kept)),
            list(compress(self.trees, kept)),
            list(compress(self.texts, kept)),
            [new for new, old in enumerate(compress(range(len(kept)), kept)) if old in loose],
        )

    def only(self, wanted: Collection[str]) -> Records:
        """Those of some jobs."""
        return self.without([at for at, name in enumerate(self.ids) if name not in wanted])

    def with_others(self, others: Records) -> Records:
        """These and others, in the order of the ids."""
        ids = [*self.ids, *others.ids]
        order = sorted(range(len(ids)), key=ids.__getitem__)
        trees, texts = [*self.trees, *others.trees], [*self.texts, *others.texts]
        loose = {*self.loose, *(len(self.ids) + at for at in others.loose)}
        return Records(
            [ids[at] for at in order],
            [trees[at] for at in order],
            [texts[at] for at in order],
            [new for new, at in enumerate(order) if at in loose],
        )


def in_batches(ids: Iterable[str], known: Mapping[str, dict[str, Any]]) -> Iterator[Records]:
    """Records of jobs whose state points are known."""
    names = iter(ids)
    many = len(known) >= MANY
    while batch := list(islice(names, AT_ONCE)):
        yield records_of(batch, [known[name] for name in batch], many=many)


def records_of(ids: list[str], trees: list[Any], *, many: bool) -> Records:
    """Records of some jobs, which are a part of many or few; None is the document of a job without one."""
    texts, loose = _quick_texts(trees, finite=False) if many else _texts(trees)
    return Records(ids, trees, texts, loose)


def records_of_texts(ids: list[str], texts: list[bytes], *, plain: bool) -> Records:
    """Records of some jobs by their texts in a table, all of which are plain, or not.

    Raises UnusableIndexError if one is not the state point of its job.
    """
    trees = Lines(texts, plain).trees()
    wrong = wrong_ones(ids, trees, many=len(ids) == AT_ONCE)
    if wrong:
        raise UnusableIndexError(f"wrong about job {ids[wrong[0]]}")
    return Records(ids, trees, texts, []) if plain else Records(ids, trees, *_texts(trees))


def records_in(ids: list[str], texts: Sequence[bytes | None], *, many: bool) -> tuple[Records, list[str]]:
    """Records of jobs by the content of their state point files, and the jobs of which it is not the state point.

    These jobs are a part of many or few.
    """
    if not many:
        trees: list[Any] = [
            None if text is None else state_point_in(text, name) for name, text in zip(ids, texts, strict=True)
        ]
        found, loose = _texts(trees)
    else:
        trees, odd, are_simple = _checked(ids, texts)
        found, loose = (_dumped(trees), []) if are_simple else _quick_texts(trees, finite=True)
        for at in odd:
            if trees[at] is not None:
                found[at], strict = text_of(trees[at])
                loose += [] if strict else [at]
    bad = [at for at, tree in enumerate(trees) if tree is None]
    records = Records(ids, trees, found, loose)
    return (records.without(bad), [ids[at] for at in bad]) if bad else (records, [])


def state_points_in(ids: list[str], texts: Sequence[bytes | None]) -> list[Any]:
    """State points of many jobs by the content of their files, None where that is not the one of the job."""
    return _checked(ids, texts)[0]


def _checked(ids: list[str], texts: Sequence[bytes | None]) -> tuple[list[Any], list[int], bool]:
    """State points in texts, positions of those that orjson reads otherwise, and whether it writes them as usual."""
    trees, odd = _parsed(texts)
    sorted_texts = _sorted_texts(trees) if not odd else None
    if sorted_texts is not None and ids == list(map(canonical.hash_of, sorted_texts)):
        return trees, [], True
    for at in wrong_ones(ids, trees, many=True):
        text = texts[at]
        trees[at] = None if text is None else state_point_in(text, ids[at])
        odd.append(at)
    return trees, odd, False


def _dumped(trees: Sequence[Any]) -> list[bytes]:
    from orjson import dumps

    return list(map(dumps, trees))


def _parsed(texts: Sequence[bytes | None]) -> tuple[list[Any], list[int]]:
    """What orjson reads, and the positions of what it cannot read: None."""
    from orjson import loads

    try:
        return list(map(loads, texts)), []  # type: ignore[arg-type]
    except ValueError:
        pass
    trees: list[Any] = []
    odd: list[int] = []
    for at, text in enumerate(texts):
        try:
            trees.append(loads(text))  # type: ignore[arg-type]
        except ValueError:
            trees.append(None)
            odd.append(at)
    return trees, odd


def wrong_ones(ids: Sequence[str], trees: Sequence[Any], *, many: bool) -> list[int]:
    """Positions of the trees that are not the state points of these jobs, which are a part of many or few."""
    texts = _sorted_texts(trees) if many else None
    if texts is not None:
        hash_of = canonical.hash_of
        suspicious = [at for at, (text, name) in enumerate(zip(texts, ids, strict=True)) if hash_of(text) != name]
    elif many and len(trees) > _NEAR:
        wrong = []
        for start in range(0, len(trees), _NEAR):
            some = slice(start, start + _NEAR)
            wrong += [start + at for at in wrong_ones(ids[some], trees[some], many=many)]
        return wrong
    else:
        suspicious = list(range(len(trees)))
    return [at for at in suspicious if not canonical.state_point_matches(trees[at], ids[at])]


def _sorted_texts(trees: Sequence[Any]) -> list[bytes] | None:
    """Texts that the ids of state points are hashes of; None if they are not simple enough.

    No text in them has a comma or a colon, so that blanks can be put behind those between values.
    """
    from orjson import OPT_SORT_KEYS, dumps

    if set(map(type, trees)) != {dict}:
        return None
    try:
        content = b"\n".join([dumps(tree, None, OPT_SORT_KEYS) for tree in trees])
    except TypeError:
        return None
    is_simple = content.isascii() and b"\\" not in content and canonical.numbers_are_simple(content)
    if not is_simple or canonical.strings_have_separators(content):
        return None
    return content.replace(b'":', b'": ').replace(b",", b", ").split(b"\n")


def _texts(trees: Sequence[Any]) -> tuple[list[bytes], list[int]]:
    found = [(NOTHING, True) if tree is None else text_of(tree) for tree in trees]
    return [text for text, _ in found], [at for at, (_, strict) in enumerate(found) if not strict]


def _quick_texts(trees: Sequence[Any], *, finite: bool) -> tuple[list[bytes], list[int]]:
    """Texts, and the positions of those that are not JSON to everybody; the numbers are known to be ``finite``, or not.

    orjson writes ``null`` for a number that is not.
    """
    from orjson import dumps

    try:
        texts = list(map(dumps, trees))
        content = b"\n".join(texts)
        if canonical.numbers_are_simple(content) and b"\\" not in content and (finite or _are_finite(trees, texts)):
            return texts, []
    except TypeError:  # an integer of more than 64 bits, an unpaired surrogate, very many levels
        pass
    if len(trees) <= _NEAR:
        return _texts(trees)
    texts = []
    loose: list[int] = []
    for start in range(0, len(trees), _NEAR):
        some, few = _quick_texts(trees[start : start + _NEAR], finite=finite)
        loose += [start + at for at in few]
        texts += some
    return texts, loose


def _are_finite(trees: Sequence[Any], texts: Sequence[bytes]) -> bool:
    """Tell whether ``null`` stands for nothing else in texts of orjson: not for a number that is not finite."""
    doubtful = [at for at, text in enumerate(texts) if b"null" in text]
    return all(texts[at].count(b"null") == _nulls(trees[at]) for at in doubtful)


def _nulls(value: Any) -> int:
    """Count the nulls in a value."""
    values = value.values() if type(value) is dict else value if type(value) is list else (value,)
    number = 0
    for item in values:
        if item is None:
            number += 1
        elif type(item) in canonical.CONTAINERS:
            number += _nulls(item)
    return number


# --- columns ----------------------------------------------------------------------------------------------------------

Columns = dict[str, list[tuple[Sequence[int], list[Any]]]]
"""For each dotted key pieces of its column: rows in order, and the values of these."""


def take_apart(trees: Sequence[dict[str, Any] | None], first: int = 0) -> tuple[Columns, list[int]]:
    """Split state points, the rows of which count from ``first``; tell the positions of those that are unfit.

    The columns are of use only if none is.
    """
    rows: Sequence[int]
    some: Sequence[dict[str, Any]] = [tree for tree in trees if tree is not None]
    if len(some) < len(trees):
        rows = [first + at for at, tree in enumerate(trees) if tree is not None]
    else:
        rows = range(first, first + len(trees))
    columns: Columns = {}
    unfit: set[int] = set()
    _split("", rows, some, 0, columns, unfit)
    return columns, [row - first for row in sorted(unfit)]


def _split(
    above: str, rows: Sequence[int], trees: Sequence[dict[str, Any]], depth: int, columns: Columns, unfit: set[int]
) -> None:
    """Add the columns of mappings under a key, which ends with a dot; level by level rather than row by row."""
    for keys, rows_of_group, group in _by_keys(rows, trees):
        if "." in "".join(keys) or depth > _DEEPEST:
            unfit.update(rows_of_group)
            continue
        for key in keys:
            values = list(map(itemgetter(key), group))
            if dict not in set(map(type, values)):
                columns.setdefault(above + key, []).append((rows_of_group, values))
                continue
            is_nested = [type(value) is dict and bool(value) for value in values]
            leaves = [at for at, nested in enumerate(is_nested) if not nested]
            if leaves:
                piece = [rows_of_group[at] for at in leaves], [values[at] for at in leaves]
                columns.setdefault(above + key, []).append(piece)
            if not leaves:
                _split(f"{above}{key}.", rows_of_group, values, depth + 1, columns, unfit)
            elif len(leaves) < len(values):
                nested_rows = [row for row, nested in zip(rows_of_group, is_nested, strict=True) if nested]
                nested_trees = [value for value, nested in zip(values, is_nested, strict=True) if nested]
                _split(f"{above}{key}.", nested_rows, nested_trees, depth + 1, columns, unfit)


def _by_keys(
    rows: Sequence[int], trees: Sequence[dict[str, Any]]
) -> Iterable[tuple[tuple[str, ...], Sequence[int], Sequence[dict[str, Any]]]]:
    """Group mappings by their keys."""
    all_keys = list(map(tuple, trees))
    if len(set(all_keys)) == 1:
        return [(all_keys[0], rows, trees)]
    groups: dict[tuple[str, ...], tuple[list[int], list[dict[str, Any]]]] = {}
    for keys, row, tree in zip(all_keys, rows, trees, strict=True):
        group = groups.get(keys)
        if group is None:
            groups[keys] = [row], [tree]
        else:
            group[0].append(row)
            group[1].append(tree)
    return [(keys, *group) for keys, group in groups.items()]


def count_leaves(tree: dict[str, Any], most: int) -> int:
    """Count the leaves of a document, or not all of them if they are more than so many."""
    number = 0
    waiting = [tree]
    while waiting and number <= most:
        values = waiting.pop().values()
        nested = [value for value in values if type(value) is dict and value]
        number += len(values) - len(nested)
        waiting += nested
    return number


def packed(value: Any) -> bytes:
    """Bytes that stand for a value."""
    return marshal.dumps(value, _PACKING)


def value_of(data: bytes) -> Any:
    """Value that some bytes stand for."""
    return marshal.loads(data)  # of this very process


def is_ordinary(value: float) -> bool:
    """Tell whether a number is equal to itself and to no other; not so NaN and the negative zero."""
    return value == value and (value != 0 or copysign(1, value) > 0)


class TakesRows(Protocol):
    """A writer of a table, or of a part of one."""

    @property
    def rows(self) -> int:
        """The number of the next row."""

    def add(self, columns: Columns, texts: Sequence[bytes], states: bytes, loose: Iterable[int] = ()) -> None:
        """Add rows, by columns, texts and states; the texts at some positions are not JSON to everybody."""


def add_records(table: TakesRows, records: Records) -> bytes:
    """Add state points to a table, as far as it can hold them; return their ids."""
    columns, unfit = take_apart(records.trees, table.rows)
    if unfit or max(map(len, records.texts), default=0) > _LONGEST_TEXT:
        records = records.without({*unfit, *(at for at, text in enumerate(records.texts) if len(text) > _LONGEST_TEXT)})
        columns, _ = take_apart(records.trees, table.rows)
    table.add(columns, records.texts, bytes(map(bool, records.trees)).translate(_STATES), records.loose)
    return bytes.fromhex("".join(records.ids))
