"""Canonical JSON, job ids, and the rules for keys and values.

One rule serves state points, documents and caches: JSON as :func:`json.dumps` writes it with its default settings. A
job id is the MD5 of the same with keys sorted. ``orjson`` differs in how it writes floats, non-finite numbers, integers
beyond 64 bits and escapes, so it never writes anything here.

numpy is never imported: its values are recognised only when the caller has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .errors import InvalidKeyError, KeyTypeError, NumpyConversionWarning

if TYPE_CHECKING:
    from json import JSONDecodeError
__all__ = [
    "CONTAINERS",
    "LONG_NUMBER",
    "MISSING",
    "IncompleteError",
    "JSONDecodeError",
    "calc_id",
    "dumps",
    "dumps_strictly",
    "has_id",
    "hash_of",
    "id_of_parsed",
    "id_of_text",
    "loads",
    "new_hash",
    "numbers_are_simple",
    "plain",
    "plain_state_point",
    "refuse_repeated_keys",
    "same_json",
    "scan",
    "state_point_matches",
    "strings_have_separators",
    "validate_key",
    "validate_keys",
    "with_zeros",
]


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""Stands for the value of a key that does not exist, where None is a value."""


def _numpy_equivalent(value: Any) -> Any:
    """Plain equivalent of a numpy scalar or array, or ``value`` itself when it is neither."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, (numpy.generic, numpy.ndarray)):
        return value
    converted = value.tolist() if isinstance(value, numpy.ndarray) else value.item()
    if isinstance(converted, numpy.generic):  # extended precision: item() has nothing plainer to offer
        raise ValueError(
            f"A numpy value of type {type(converted).__name__} has no JSON equivalent: convert it to a float first."
        )
    if not isinstance(converted, (bool, int, float, str, list)):
        return value  # complex, dates, bytes: no JSON equivalent either
    import warnings

    warnings.warn(
        f"A numpy value of type {type(value).__name__} was converted to {type(converted).__name__}.",
        NumpyConversionWarning,
        stacklevel=2,
    )
    return converted


def _encode_state_point_value(value: Any) -> Any:
    """Give the JSON encoder an equivalent for ``value``, as far as state points accept its type."""
    if _is_live_view(value):
        return value()
    converted = _numpy_equivalent(value)
    if converted is value:
        if isinstance(value, MappingProxyType):
            return dict(value)
        raise KeyTypeError(f"A state point cannot hold a value of type {type(value).__name__}.")
    return converted


def _is_live_view(value: Any) -> bool:
    module = sys.modules.get("signac_core.documents.views")
    return module is not None and isinstance(value, module.View)


def _refuse(value: Any) -> Any:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable.")


CONTAINERS = frozenset({dict, list})
"""The types of plain data that hold other plain data."""

_Encoder: TypeAlias = Callable[[Any, Callable[[Any], Any], bool], str]
_StrictEncoder: TypeAlias = Callable[[Any, bool, bool], str]
_SortedEncoder: TypeAlias = Callable[[Any], str]
_Scanner: TypeAlias = Callable[[str, int], tuple[Any, int]]


def _codec() -> tuple[_Encoder, _StrictEncoder, _SortedEncoder, _Scanner | None]:
    """The encoders and the scanner of the json package, without importing the package.

    All are C functions of ``_json``; the package around them costs 40 file system calls, more than a job. An
    interpreter whose ``_json`` is missing or other than expected gets the package.
    """
    try:
        from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

        def encode(value: Any, default: Callable[[Any], Any], sort_keys: bool) -> str:
            encoder = make_encoder({}, default, encode_basestring_ascii, None, ": ", ", ", sort_keys, False, True)
            return "".join(encoder(value, 0))

        usual = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, False)

        def encode_strictly(value: Any, ascii_only: bool, sort_keys: bool) -> str:
            if not ascii_only and not sort_keys:
                return "".join(usual(value, 0))  # plain values do not hold themselves
            quote = encode_basestring_ascii if ascii_only else encode_basestring
            return "".join(make_encoder({}, _refuse, quote, None, ":", ",", sort_keys, False, False)(value, 0))

        sorted_encoder = make_encoder(None, _refuse, encode_basestring_ascii, None, ": ", ", ", True, False, True)

        def encode_sorted(value: Any) -> str:
            return "".join(sorted_encoder(value, 0))

        scan = make_scanner(_ScannerSettings)  # type: ignore[arg-type]
        if encode({"b": [1.5, None], "a": "\u00e9"}, _refuse, True) == '{"a": "\\u00e9", "b": [1.5, null]}':
            return encode, encode_strictly, encode_sorted, scan
    except (ImportError, TypeError, AttributeError):
        pass
    from json import JSONEncoder

    def encode_by_package(value: Any, default: Callable[[Any], Any], sort_keys: bool) -> str:
        return JSONEncoder(default=default, sort_keys=sort_keys).encode(value)

    def encode_strictly_by_package(value: Any, ascii_only: bool, sort_keys: bool) -> str:
        separators = (",", ":")
        return JSONEncoder(ensure_ascii=ascii_only, allow_nan=False, separators=separators, sort_keys=sort_keys).encode(
            value
        )

    return encode_by_package, encode_strictly_by_package, JSONEncoder(sort_keys=True, check_circular=False).encode, None


class _ScannerSettings:
    """What ``json.JSONDecoder()`` tells its scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__
    memo: dict[str, str] = {}  # noqa: RUF012 - of the scanner's own


_encode, _encode_strictly, _encode_sorted, _scan = _codec()


def __getattr__(name: str) -> Any:
    """Load the class of parse errors when it is asked for: by then there is an error."""
    if name == "JSONDecodeError":
        from json import JSONDecodeError

        return JSONDecodeError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def dumps(value: Any, *, sort_keys: bool = False) -> str:
    """JSON of a plain value, as it is stored in files: one line, ASCII, keys in their order.

    Raises TypeError if a value has no JSON equivalent.
    """
    return _encode(value, _refuse, sort_keys)


def dumps_strictly(value: Any, *, ascii_only: bool = False, sort_keys: bool = False) -> str:
    """JSON of a plain value for other programs: without blanks, and without what only Python takes for JSON.

    With ``ascii_only`` other characters are written as escapes. TypeError if a value has no JSON equivalent; ValueError
    if a number is not finite.
    """
    return _encode_strictly(value, ascii_only, sort_keys)


_BLANKS = " \t\n\r"


def _is_utf_8(text: bytes) -> bool:
    """Tell whether JSON begins as UTF-8 without a byte order mark; UTF-16 and UTF-32 have NULs or a mark there."""
    return len(text) > 1 and text[0] < 0x80 and text[0] != 0 and text[1] != 0


def loads(text: bytes | str) -> Any:
    """Parse JSON; bytes may be UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises ValueError if it is not JSON, cannot be decoded, or is nested too deeply.
    """
    try:
        if _scan is not None and (isinstance(text, str) or _is_utf_8(text)):
            try:
                decoded = text if isinstance(text, str) else text.decode("utf-8", "surrogatepass")
                value, end = _scan(decoded, 0)
                if end == len(decoded) or not decoded[end:].strip(_BLANKS):
                    return value
            except (StopIteration, ValueError, SystemError):
                pass  # the package says what is wrong
        from json import loads as load

        return load(text)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None


class IncompleteError(Exception):
    """There is no JSON value at a place of a text, or not all of it."""


def scan(text: str, position: int) -> tuple[Any, int]:
    """Parse the JSON value that begins at a position; where it ends.

    A number may go on behind the end of the text. Raises IncompleteError if there is none.
    """
    try:
        if _scan is not None:
            return _scan(text, position)
        from json import JSONDecoder

        return JSONDecoder().raw_decode(text, position)
    except (StopIteration, ValueError, SystemError, RecursionError) as error:
        raise IncompleteError(str(error)) from None


_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
LONG_NUMBER = b"0" * 19
"""What is in JSON :func:`with_zeros` if it may hold an integer of more than 64 bits, which parsers read differently."""


_NEITHER_QUOTE_NOR_SEPARATOR = bytes(set(range(256)) - set(b'",:\n'))


def with_zeros(text: bytes) -> bytes:
    """A text with 0 in the place of each digit, in which numbers of some form are quickly found."""
    return text.translate(_AS_ZEROS)


def numbers_are_simple(content: bytes) -> bool:
    """Tell whether orjson writes all numbers of a text as this module does: none has an exponent, or would have one."""
    return b"0.0000" not in content and b"0e" not in with_zeros(content)


def strings_have_separators(content: bytes) -> bool:
    """Tell whether strings in JSON texts without escapes, a line each, have commas or colons in them."""
    return b'"' in content.translate(None, _NEITHER_QUOTE_NOR_SEPARATOR).replace(b'""', b"")


def refuse_repeated_keys(text: str) -> None:
    """Refuse JSON in which an object has a key twice: nobody means that, and a parser keeps the last one.

    For what people type: valid JSON, or several such values one after the other. The files of a project are not asked:
    they hold what they hold. ValueError with the line of the key.
    """
    if text.count('"') < 4:
        return
    import re

    open_objects: list[set[str] | None] = []  # None stands for an array
    for match in re.finditer(r'("(?:[^"\\]|\\.)*")(\s*:)?|[{}\[\]]', text):
        key, colon = match.groups()
        keys = open_objects[-1] if open_objects else None
        if colon and keys is not None:
            name = loads(key) if "\\" in key else key[1:-1]
            if name in keys:
                line = text.count("\n", 0, match.start()) + 1
                raise ValueError(f"the key {key} is in line {line} for the second time")
            keys.add(name)
        elif key is None and match[0] in "{[":
            open_objects.append(set() if match[0] == "{" else None)
        elif key is None:
            open_objects.pop()


_md5: Callable[..., Any] | None = None


def new_hash(text: bytes = b"") -> Any:
    """MD5 of a text that may grow; its module is loaded when the first is computed."""
    global _md5
    if _md5 is None:
        try:
            from _md5 import md5  # type: ignore[import-not-found, unused-ignore]  # far cheaper than hashlib
        except ImportError:  # an interpreter built without its own MD5
            from hashlib import md5
        _md5 = md5
    return _md5(text, usedforsecurity=False)


def hash_of(text: bytes) -> str:
    """MD5 as 32 lower-case hexadecimal digits."""
    digest: str = new_hash(text).hexdigest() if _md5 is None else _md5(text, usedforsecurity=False).hexdigest()
    return digest


def id_of_text(text: str) -> str:
    """Job id of the canonical (sorted) JSON of a state point, which is ASCII."""
    return hash_of(text.encode("ascii"))


def id_of_parsed(data: Any) -> str:
    """Job id of parsed JSON; RecursionError if it is nested too deeply."""
    # What was parsed does not hold itself: the encoder need not look out for that.
    return id_of_text(_encode_sorted(data))


def calc_id(statepoint: Any) -> str:
    """Job id of a state point.

    The rule is that of signac 2.x: MD5 of the JSON text with recursively sorted keys. ``1``, ``1.0`` and ``True`` give
    three different ids; tuples equal lists; numpy values equal their plain equivalents.

    Parameters
    ----------
    statepoint : mapping
        The state point. Anything that is JSON has an id, even though only mappings can be state points.

    Returns
    -------
    str
        32 lower-case hexadecimal digits.

    Raises
    ------
    KeyTypeError
        If a value or a key has a type without a JSON equivalent.

    Examples
    --------
    >>> calc_id({"a": 0})
    '9bfd29df07674bc4aa960cf661b5acd2'
    >>> calc_id({"b": 1, "a": 2}) == calc_id({"a": 2, "b": 1})
    True

    """
    try:
        return id_of_text(_encode(statepoint, _encode_state_point_value, True))
    except KeyTypeError:
        raise
    except TypeError as error:  # keys that are no JSON keys, or keys that cannot be sorted
        raise KeyTypeError(f"Invalid keys in the state point: {error}.") from None


def state_point_matches(state_point: Any, job_id: str) -> bool:
    """Tell whether what the content of a state point file was parsed to is a mapping with an id.

    The id is the hash of its canonical JSON, whatever the JSON in the file looks like; as in signac 2.x, a directory
    named after the hash of another is damaged.
    """
    try:
        return has_id(state_point, job_id)
    except RecursionError:  # it could just be read
        return False


def has_id(data: Any, job_id: str) -> bool:
    """Tell whether parsed JSON is the state point of a job; RecursionError if it is nested too deeply."""
    return type(data) is dict and id_of_parsed(data) == job_id


def validate_key(key: Any) -> str:
    """Check the key of a mapping, and return it as a string of the type `str` itself.

    Raises KeyTypeError if the key is not a string; InvalidKeyError if it contains a dot, which separates the levels of
    nested keys in queries.
    """
    if type(key) is not str:
        if not isinstance(key, str):
            raise KeyTypeError(f"Mapping keys must be str, not {type(key).__name__}.")
        key = str.__str__(key)
    if "." in key:
        raise InvalidKeyError(f"Mapping keys may not contain dots ('.'): {key}.")
    return str(key)


def validate_keys(tree: dict[str, Any]) -> dict[str, Any]:
    """Check the keys of parsed JSON, which is returned; InvalidKeyError if a key, at any level, contains a dot."""
    if "." in "".join(tree):
        for key in tree:
            validate_key(key)
    if not CONTAINERS.isdisjoint(map(type, tree.values())):
        for value in tree.values():
            if type(value) in CONTAINERS:
                _validate_keys_in(value)
    return tree


def _validate_keys_in(value: Any) -> None:
    if type(value) is dict:
        validate_keys(value)
    elif not CONTAINERS.isdisjoint(map(type, value)):
        for item in value:
            if type(item) in CONTAINERS:
                _validate_keys_in(item)


_ATOMS = frozenset({str, int, float, bool, type(None)})


def plain(value: Any) -> Any:
    """Copy a value into plain dicts, lists and scalars, the form in which documents hold it.

    Mappings become dicts, sequences other than str become lists (bytes a list of integers), numpy values their plain
    equivalents, subclasses of the scalar types the types themselves.

    Raises KeyTypeError or InvalidKeyError if a key, at any depth, is not a string or contains a dot; TypeError if a
    value has no JSON equivalent.
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict:
        return {validate_key(key): plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    return _plain_other(value)


def _plain_other(value: Any) -> Any:
    """Convert a value that is of none of the exact JSON types."""
    for base in (str, int, float):
        if isinstance(value, base):
            return base.__str__(value) if base is str else base(value)
    if isinstance(value, Mapping):
        return {validate_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (Sequence, memoryview)):
        return [plain(item) for item in value]
    if isinstance(value, bytearray):
        return list(value)
    try:
        converted = _numpy_equivalent(value)
    except ValueError as error:
        raise TypeError(str(error)) from None
    if converted is not value:
        return plain(converted)
    if isinstance(value, complex):
        raise TypeError("Complex numbers are not JSON serializable.")
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable.")


def plain_state_point(value: Any) -> dict[str, Any]:
    """Copy a state point into plain data and check it.

    Raises KeyTypeError or InvalidKeyError if a key, at any depth, is not a string or contains a dot; TypeError if the
    state point is not a mapping, or a value has no JSON equivalent.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"A state point must be a mapping (a JSON object), not {type(value).__name__}.")
    return {validate_key(key): plain(item) for key, item in value.items()}


def same_json(left: Any, right: Any) -> bool:
    """Compare two plain values by type and value: ``1``, ``1.0`` and ``True`` all differ, NaN equals itself.

    The order of keys counts too, because it is part of the file.
    """
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is dict:
        return (
            len(left) == len(right)
            and all(a == b for a, b in zip(left, right, strict=True))
            and all(same_json(item, right[key]) for key, item in left.items())
        )
    if kind is list:
        return len(left) == len(right) and all(same_json(a, b) for a, b in zip(left, right, strict=True))
    if kind is float:
        return repr(left) == repr(right)
    return bool(left == right)
