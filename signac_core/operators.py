"""The operators of a filter: each turns its argument into a test of one value.

A test is given the JSON value found under a key, or `MISSING`. Of a mapping it sees only whether it is empty.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeAlias

__all__ = ["MISSING", "TESTS", "Operator", "Test", "described", "holds_nan"]

Test: TypeAlias = Callable[[Any], bool]


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""What `Condition.test` is given for a job that lacks the key."""


def described(value: Any) -> str:
    """Describe a value in a message."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


class Operator:
    """An operator about to be compiled, with all that its test and its error messages need."""

    __slots__ = ("argument", "incomparable", "key", "name")

    def __init__(self, name: str, key: str, argument: Any, incomparable: set[str]) -> None:
        self.name = name
        self.key = key
        self.argument = argument
        self.incomparable = incomparable

    def reject(self, kind: type[Exception], expected: str) -> NoReturn:
        """Refuse the argument.

        Raises ValueError, TypeError always, as ``kind`` says.
        """
        raise kind(f"Filter key '{self.key}': {self.name} takes {expected}, not {described(self.argument)}.")


def holds_nan(value: Any) -> bool:
    """Tell whether a value is NaN or holds one: such a value does not equal itself for Python."""
    if isinstance(value, (list, tuple)):
        return any(map(holds_nan, value))
    if isinstance(value, Mapping):
        return any(map(holds_nan, value.values()))
    return bool(value != value)


def _equals(argument: Any) -> Test:
    """Test of equality; NaN equals NaN here, at any depth."""
    if holds_nan(argument):
        return lambda value: _same(value, argument)
    return lambda value: value == argument


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    return bool(left == right or (left != left and right != right))


def _eq(op: Operator) -> Test:
    return _equals(op.argument)


def _ne(op: Operator) -> Test:
    equals = _equals(op.argument)
    return lambda value: value is not MISSING and not equals(value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Operator], Test]:
    def build(op: Operator) -> Test:
        key, argument, incomparable = op.key, op.argument, op.incomparable
        if argument is None or isinstance(argument, Mapping):
            op.reject(TypeError, "a number, a text or a list")

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
    with_nan = [_equals(member) for member in members if holds_nan(member)]
    members = [member for member in members if not holds_nan(member)]
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
        op.reject(TypeError, "a regular expression as text")
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
        op.reject(TypeError, "Python source as text, such as 'lambda x: x > 0'")
    note = f"in the $where expression {source!r} of filter key '{op.key}'"
    names = {"json": json, "math": math, "operator": operator, "re": re, "isclose": math.isclose}
    try:
        function = eval(source, names)
    except Exception as error:
        error.add_note(note)
        raise
    if not callable(function):
        op.reject(TypeError, "Python source of a function, such as 'lambda x: x > 0'")

    def test(value: Any) -> bool:
        if value is MISSING:
            return False
        if isinstance(value, list):
            value = _as_tuple(value)
        elif isinstance(value, dict):
            value = _Nested
        try:
            return bool(function(value))
        except Exception as error:
            error.add_note(f"{note}, applied to {described(value)}")
            raise

    return test


class _Nested:
    """What a ``$where`` function sees in place of a mapping: the class itself, so that ``x == 1`` is false."""


def _as_tuple(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_as_tuple(item) if isinstance(item, list) else item for item in value)


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
