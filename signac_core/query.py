"""A filter compiled to a predicate over state points and documents.

A filter is a conjunction of conditions, each on one dotted key, combined by ``$and``, ``$or`` and ``$not``.
`compile_filter` checks it once, completely, and gives a `Query` that can be used in two ways:

* `Query.matches` judges one job by its state point and document: a scan.
* `Query.evaluate` combines the sets of jobs that satisfy the single conditions: an index judges each
  `Condition` on the distinct values of its key and never looks at a job.

Both give the same answer, because a condition depends on nothing but the value found under its key.

What a condition sees: any JSON value. Numbers and booleans of equal value are equal (``1 == 1.0 == True``), NaN equals
NaN, lists compare element by element, and an operator never sees a job that lacks the key (``$exists`` apart). A
mapping is opaque: only the empty one equals something (``{}``), and it compares with nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias

from .canonical import MISSING
from .errors import ReadableKeyError

if TYPE_CHECKING:
    from typing import Protocol, Self, TypeVar

    class JobSet(Protocol):
        """Whatever stands for a set of jobs: ``set`` of ids, or an index's own representation."""

        def __and__(self, other: Any, /) -> Self: ...
        def __or__(self, other: Any, /) -> Self: ...
        def __sub__(self, other: Any, /) -> Self: ...

    Jobs = TypeVar("Jobs", bound=JobSet)

__all__ = [
    "MISSING",
    "NO_DOCUMENT",
    "TESTS",
    "And",
    "Condition",
    "Expression",
    "FilterKeyError",
    "Not",
    "Operator",
    "Or",
    "Query",
    "Test",
    "compile_filter",
]


class FilterKeyError(ReadableKeyError):
    """A key of a filter names an unknown operator, or an operator in the wrong place."""


NO_DOCUMENT: Final[Mapping[str, Any]] = MappingProxyType({})
"""The document of a job that has none; ``{"doc": {"$exists": true}}`` tells it from an empty one."""

Matcher: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


class Condition(NamedTuple):
    """One operator on one key: a leaf of the expression.

    Parameters
    ----------
    namespace : str
        Where the key lives: "sp" (state point) or "doc" (document).
    path : tuple of str
        The parts of the dotted key; empty for the whole state point or document.
    operator : str
        The operator, "$eq" for a plain value.
    argument : object
        The argument of the operator.
    test : callable
        Judges the JSON value found under the key, or `MISSING`. Only ``$exists: false`` accepts `MISSING`.
        Of a mapping it matters only whether it is empty.
    """

    namespace: str
    path: tuple[str, ...]
    operator: str
    argument: Any
    test: Test

    @property
    def key(self) -> str:
        """The dotted key with its namespace, as in ``sp.a.b``."""
        return ".".join((self.namespace, *self.path))


class And:
    """All parts hold; without parts: every job."""

    __slots__ = __match_args__ = ("parts",)

    def __init__(self, parts: tuple[Expression, ...]) -> None:
        self.parts = parts


class Or:
    """At least one part holds."""

    __slots__ = __match_args__ = ("parts",)

    def __init__(self, parts: tuple[Expression, ...]) -> None:
        self.parts = parts


class Not:
    """The part does not hold."""

    __slots__ = __match_args__ = ("part",)

    def __init__(self, part: Expression) -> None:
        self.part = part


Expression: TypeAlias = Condition | And | Or | Not


class Query:
    """A compiled filter; made by :func:`compile_filter`.

    ``matches(state_point, document)`` tells whether a job satisfies the filter; both are plain JSON data. The document
    may be anything unless ``needs_documents``, and is `NO_DOCUMENT` for a job that has none.

    While the query is used, ``incomparable`` is filled with the keys, with namespace, for which values were met that
    the operator cannot be applied to, such as ``$gt: 1`` to a string; such values do not match. ``unmet`` keeps the
    paths of those keys of documents that no document had which was read. ``conditions`` are the leaves of the
    expression, in the order of the filter.
    """

    __slots__ = (
        "conditions",
        "expression",
        "incomparable",
        "matches",
        "needs_documents",
        "needs_state_points",
        "unmet",
    )

    def __init__(self, expression: Expression, incomparable: set[str]) -> None:
        self.expression = expression
        self.conditions = tuple(_leaves(expression))
        self.needs_state_points = any(condition.namespace == "sp" for condition in self.conditions)
        self.needs_documents = any(condition.namespace == "doc" for condition in self.conditions)
        self.matches = _matcher(expression)
        self.incomparable = incomparable
        self.unmet = {
            condition.path for condition in self.conditions if condition.namespace == "doc" and condition.path
        }

    def meet(self, document: Mapping[str, Any]) -> None:
        """Note which keys of the query a document has."""
        self.unmet = {path for path in self.unmet if _reach(path)(document) is MISSING}

    def evaluate(self, leaf_result: Callable[[Condition], Jobs], universe: Callable[[], Jobs]) -> Jobs:
        """Combine the sets of jobs that satisfy the single conditions, in the type of set that the callables give.

        The set of all jobs is asked for only when a complement is needed.
        """
        return _combine(self.expression, leaf_result, universe)


def compile_filter(filter: Mapping[str, Any]) -> Query:
    """Check a filter, as `filterparse.normalise` gives it, and compile it; an empty one matches every job.

    Raises KeyError if an operator is unknown or stands in the wrong place; ValueError or TypeError if the argument of
    an operator has an unsuitable value or type; whatever the evaluation of the Python source of a ``$where`` raises.
    """
    incomparable: set[str] = set()
    try:
        return Query(_conjunction(filter, incomparable), incomparable)
    except RecursionError:
        raise ValueError("The filter is nested too deeply; write it with dotted keys ('a.b.c').") from None


# --- filter -> expression --------------------------------------------------------------------------------------------


def _conjunction(filter: Mapping[str, Any], incomparable: set[str]) -> Expression:
    parts: list[Expression] = []
    for key, value in filter.items():
        if not isinstance(key, str):
            raise ValueError(f"Filter keys are strings, not {type(key).__name__} ({key!r}).")
        if key in ("$and", "$or"):
            members = _members(key, value)
            alternatives = tuple(_conjunction(member, incomparable) for member in members)
            parts.append(And(alternatives) if key == "$and" else Or(alternatives))
        elif key == "$not":
            parts.append(Not(_conjunction(_member(key, value), incomparable)))
        else:
            explicit = key in ("sp", "doc") or key.startswith(("sp.", "doc."))
            for dotted, leaf in _flatten(key if explicit else "sp." + key, value):
                parts.append(_condition(dotted, leaf, incomparable))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _members(name: str, value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{name} takes a list of filters, not {_described(value)}.")
    if not value:
        raise ValueError(f"The list of {name} is empty; it takes at least one filter.")
    return [_member(name, member) for member in value]


def _member(name: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    what = "a filter" if name == "$not" else "a list of filters"
    raise TypeError(f"{name} takes {what}, a filter is a mapping such as {{'a': 1}}; found {_described(value)}.")


def _flatten(dotted: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the (dotted key, value) pairs of a nested mapping; an empty mapping is a value."""
    if not (isinstance(value, Mapping) and value):
        yield dotted, value
        return
    for key, inner in value.items():
        yield from _flatten(f"{dotted}.{key}", inner)


def _condition(dotted: str, argument: Any, incomparable: set[str]) -> Condition:
    parts = dotted.split(".")
    name = "$eq"
    if "$" in dotted:
        name = parts.pop()
        _check_operator(dotted, name)
    key = ".".join(parts)
    test = TESTS[name](Operator(name, key, argument, incomparable))
    return Condition(parts[0], tuple(parts[1:]), name, argument, test)


def _check_operator(dotted: str, name: str) -> None:
    """Raise unless the only ``$`` of a dotted key begins its last part, and that part is an operator."""
    if dotted.count("$") > 1:
        raise FilterKeyError(f"Filter key '{dotted}' names more than one operator; an operator takes a plain value.")
    if not name.startswith("$"):
        raise FilterKeyError(f"Filter key '{dotted}': an operator is the last part of a key and takes a plain value.")
    if name in TESTS:
        return
    if name in ("$and", "$or", "$not"):
        raise FilterKeyError(
            f"Unknown operator '{name}' of key '{dotted}': "
            f"{name} combines filters and stands at the top level of a filter, not below a key."
        )
    # Only a mistake pays for the import.
    from difflib import get_close_matches

    close = get_close_matches(name, [*TESTS, "$and", "$or", "$not"], n=1)
    advice = f"did you mean '{close[0]}'?" if close else f"known are {' '.join(TESTS)} and $and $or $not."
    raise FilterKeyError(f"Unknown operator '{name}' of key '{dotted}'; {advice}")


# --- expression -> answer --------------------------------------------------------------------------------------------


def _leaves(expression: Expression) -> Iterator[Condition]:
    match expression:
        case Condition():
            yield expression
        case Not(part):
            yield from _leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part)


def _combine(expression: Expression, leaf_result: Callable[[Condition], Jobs], universe: Callable[[], Jobs]) -> Jobs:
    match expression:
        case Condition():
            return leaf_result(expression)
        case Or(parts):
            first, *rest = (_combine(part, leaf_result, universe) for part in parts)
            for jobs in rest:
                first = first | jobs
            return first
        case Not(part):
            return universe() - _combine(part, leaf_result, universe)
        case And(parts):
            found: Jobs | None = None
            for part in parts:
                if not isinstance(part, Not):
                    jobs = _combine(part, leaf_result, universe)
                    found = jobs if found is None else found & jobs
            if found is None:
                found = universe()
            for part in parts:
                if isinstance(part, Not):
                    found = found - _combine(part.part, leaf_result, universe)
            return found


def _matcher(expression: Expression) -> Matcher:
    """Build the function that judges one job; whatever can be decided now is not decided per job."""
    match expression:
        case Condition():
            return _leaf_matcher(expression)
        case Not(part):
            inner = _matcher(part)
            return lambda sp, doc: not inner(sp, doc)
        case And(()):
            return lambda sp, doc: True
        case And(parts):
            return _all([_matcher(part) for part in parts])
        case Or(parts):
            return _any([_matcher(part) for part in parts])


def _all(matchers: list[Matcher]) -> Matcher:
    if len(matchers) == 2:
        first, second = matchers
        return lambda sp, doc: first(sp, doc) and second(sp, doc)

    def matches(sp: Mapping[str, Any], doc: Mapping[str, Any]) -> bool:
        for matcher in matchers:  # noqa: SIM110 - all() with a generator costs twice as much
            if not matcher(sp, doc):
                return False
        return True

    return matches


def _any(matchers: list[Matcher]) -> Matcher:
    if len(matchers) == 2:
        first, second = matchers
        return lambda sp, doc: first(sp, doc) or second(sp, doc)

    def matches(sp: Mapping[str, Any], doc: Mapping[str, Any]) -> bool:
        for matcher in matchers:  # noqa: SIM110 - any() with a generator costs twice as much
            if matcher(sp, doc):
                return True
        return False

    return matches


def _leaf_matcher(condition: Condition) -> Matcher:
    namespace, path, name, argument, test = condition
    is_equality = name == "$eq" and not _holds_nan(argument)
    if namespace == "sp" and len(path) == 1:
        key = path[0]
        if is_equality:
            return lambda sp, doc: sp.get(key, MISSING) == argument
        return lambda sp, doc: test(sp.get(key, MISSING))
    reach = _reach(path)
    if namespace == "sp":
        return (lambda sp, doc: reach(sp) == argument) if is_equality else (lambda sp, doc: test(reach(sp)))
    return lambda sp, doc: test(reach(doc))


def _reach(path: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
    """Build the function that fetches the value under a path, `MISSING` if there is none."""
    if not path:
        return lambda root: MISSING if root is NO_DOCUMENT else root
    first, *rest = path
    if not rest:
        return lambda root: root.get(first, MISSING)
    if len(rest) == 1:
        second = rest[0]

        def reach_two(root: Mapping[str, Any]) -> Any:
            value = root.get(first)
            return value.get(second, MISSING) if isinstance(value, dict) else MISSING

        return reach_two

    def reach(root: Mapping[str, Any]) -> Any:
        value = root.get(first, MISSING)
        for part in rest:
            if not isinstance(value, dict):
                return MISSING
            value = value.get(part, MISSING)
        return value

    return reach


Test: TypeAlias = Callable[[Any], bool]


def _described(value: Any) -> str:
    """Describe a value in a message: by its type and its repr, shortened."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


class Operator:
    """An operator about to be compiled, with all that its test and its error messages need.

    ``incomparable`` takes the keys of values that the operator cannot be applied to.
    """

    __slots__ = ("argument", "incomparable", "key", "name")

    def __init__(self, name: str, key: str, argument: Any, incomparable: set[str]) -> None:
        self.name = name
        self.key = key
        self.argument = argument
        self.incomparable = incomparable

    def reject(self, kind: type[Exception], expected: str) -> NoReturn:
        """Refuse the argument, with an error of the given class; ``expected`` is what the operator takes."""
        raise kind(f"Filter key '{self.key}': {self.name} takes {expected}, not {_described(self.argument)}.")


def _holds_nan(value: Any) -> bool:
    """Tell whether a value is NaN or holds one: such a value does not equal itself for Python."""
    if isinstance(value, (list, tuple)):
        return any(map(_holds_nan, value))
    if isinstance(value, Mapping):
        return any(map(_holds_nan, value.values()))
    return bool(value != value)


def _equals(argument: Any) -> Test:
    """Test of equality; NaN equals NaN here, at any depth."""
    if _holds_nan(argument):
        from .trees import equal  # the usual condition pays for no import

        return lambda value: equal(value, argument)
    return lambda value: value == argument


def _eq(op: Operator) -> Test:
    return _equals(op.argument)


def _ne(op: Operator) -> Test:
    equals = _equals(op.argument)
    return lambda value: value is not MISSING and not equals(value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Operator], Test]:
    def build(op: Operator) -> Test:
        key, argument, incomparable = op.key, op.argument, op.incomparable
        if argument is None or isinstance(argument, Mapping):
            op.reject(TypeError, "a number, a string or a list")

        def test(value: Any) -> bool:
            if value is MISSING:
                return False
            try:
                return compare(value, argument)
            except TypeError:
                incomparable.add(key)
                return False

        return test

    return build


def _in(op: Operator) -> Test:
    if isinstance(op.argument, str):
        return _substring(op, wanted=True)
    return _member_test(op)


def _nin(op: Operator) -> Test:
    if isinstance(op.argument, str):
        return _substring(op, wanted=False)
    is_member = _member_test(op)
    return lambda value: value is not MISSING and not is_member(value)


def _member_test(op: Operator) -> Test:
    argument = [] if op.argument == {} else op.argument
    if not isinstance(argument, (list, tuple)):
        op.reject(TypeError, "a list")
    # What equals no stored value has to go: a mapping would be found by its content.
    members = [member for member in argument if not (isinstance(member, Mapping) and member)]
    with_nan = [_equals(member) for member in members if _holds_nan(member)]
    members = [member for member in members if not _holds_nan(member)]
    containers = [member for member in members if isinstance(member, (list, dict))]
    scalars = frozenset(member for member in members if not isinstance(member, (list, dict)))

    def is_member(value: Any) -> bool:
        return value in (containers if isinstance(value, (list, dict)) else scalars)

    if not with_nan:
        return is_member
    return lambda value: is_member(value) or any(equals(value) for equals in with_nan)


def _substring(op: Operator, *, wanted: bool) -> Test:
    key, argument, incomparable = op.key, op.argument, op.incomparable

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return (value in argument) is wanted
        if value is not MISSING:
            incomparable.add(key)
        return False

    return test


def _exists(op: Operator) -> Test:
    if not isinstance(op.argument, bool):
        op.reject(ValueError, "true or false")
    return (lambda value: value is not MISSING) if op.argument else (lambda value: value is MISSING)


def _regex(op: Operator) -> Test:
    import re

    if not isinstance(op.argument, str):
        op.reject(TypeError, "a regular expression as a string")
    try:
        search = re.compile(op.argument).search
    except re.error as error:

        class PatternError(ValueError, re.error):
            """Caught by those who expect a wrong value and by those who expect the error of the pattern compiler."""

        raise PatternError(f"Filter key '{op.key}': {op.argument!r} is no regular expression: {error}.") from None
    return lambda value: isinstance(value, str) and search(value) is not None


_TYPES: Final[dict[str, type]] = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "list": list,
    "null": type(None),
}


def _type(op: Operator) -> Test:
    if not isinstance(op.argument, str) or op.argument not in _TYPES:
        op.reject(ValueError, f"one of {' '.join(_TYPES)}")
    kind = _TYPES[op.argument]
    return lambda value: isinstance(value, kind)


def _where(op: Operator) -> Test:
    import json
    import math
    import re

    source = op.argument
    if not isinstance(source, str):
        op.reject(TypeError, "Python source as a string, such as 'lambda x: x > 0'")
    note = f"in the $where expression {source!r} of filter key '{op.key}'"
    names = {"json": json, "math": math, "operator": operator, "re": re, "isclose": math.isclose}
    try:
        function = eval(source, names)
    except Exception as error:
        error.add_note(note)
        raise
    if not callable(function):
        op.reject(TypeError, "Python source of a function, such as 'lambda x: x > 0'")

    from .trees import as_tuple

    def test(value: Any) -> bool:
        if value is MISSING:
            return False
        if isinstance(value, list):
            value = as_tuple(value)
        elif isinstance(value, dict):
            value = _Nested
        try:
            return bool(function(value))
        except Exception as error:
            error.add_note(f"{note}, applied to {_described(value)}")
            raise

    return test


class _Nested:
    """What a ``$where`` function sees in place of a mapping: the class itself, so that ``x == 1`` is false."""


def _near(op: Operator) -> Test:
    from math import isclose

    key, argument, incomparable = op.key, op.argument, op.incomparable
    numbers = argument if isinstance(argument, (list, tuple)) else [argument]
    expected = "a number, or a list of a number, a relative and an absolute tolerance (the tolerances may be left out)"
    if not 1 <= len(numbers) <= 3:
        op.reject(ValueError, expected)
    try:
        reference, *tolerances = (float(number) for number in numbers)
    except (ValueError, OverflowError):
        op.reject(ValueError, expected)
    except TypeError:
        op.reject(TypeError, expected)
    if any(tolerance < 0 for tolerance in tolerances):
        op.reject(ValueError, "tolerances that are not negative")
    relative, absolute = (*tolerances, *(1e-9, 0.0)[len(tolerances) :])

    def test(value: Any) -> bool:
        if value is MISSING:
            return False
        try:
            return isclose(value, reference, rel_tol=relative, abs_tol=absolute)
        except OverflowError:
            return False
        except TypeError:
            incomparable.add(key)
            return False

    return test


TESTS: Final[dict[str, Callable[[Operator], Test]]] = {
    "$eq": _eq,
    "$ne": _ne,
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
    "$in": _in,
    "$nin": _nin,
    "$exists": _exists,
    "$regex": _regex,
    "$type": _type,
    "$where": _where,
    "$near": _near,
}
