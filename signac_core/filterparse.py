r"""From what a user writes to a filter: tokens of a command line, a string, pairs, mappings.

Tokens are read left to right, alternating between key and value position::

    T 1.5              T is 1.5; a repeated key: the last one wins
    T !                T exists, the same as a key without a value at the end, or as 'T=!'; 'T!=!' is its contrary
    T.$gt 1            an operator as the last part of a key
    'T>=1' 'T<2'       a whole condition in one token (= != < <= > >= ~), in key position; all of them hold
    '{"T": 1.5}'       a single token of JSON is the filter itself

A value is a regular expression between ``//``, or what `parse_value` makes of it, as wherever else a person writes one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from json import JSONDecodeError

__all__ = [
    "condition_without_value",
    "json_advice",
    "key_without_value",
    "normalise",
    "numbers_too_large",
    "parse_filter",
    "parse_filter_arg",
    "parse_simple",
    "parse_tokens",
    "parse_value",
]

Hint = Callable[[str], None]

_EXISTS: Final = "!"
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_MISSPELT_CONSTANTS: Final = {
    "True": "true",
    "False": "false",
    "TRUE": "true",
    "FALSE": "false",
    "None": "null",
    "none": "null",
    "NULL": "null",
    "np.True_": "true",
    "np.False_": "false",
    ".true.": "true",
    ".false.": "false",
    ".TRUE.": "true",
    ".FALSE.": "false",
}
_MISSPELT_NUMBERS: Final = (
    ("[\u2010-\u2015\u2212\ufe63\uff0d](.+)", r"-\1"),  # dashes and minus signs of typesetters
    (r"([+-]?\d+\.?\d*|[+-]?\.\d+)[dDqQ]([+-]?\d+)", r"\1e\2"),
    (r"([+-]?\d*\.\d*)([+-]\d{3})", r"\1e\2"),  # Fortran has no room for the letter
    (r"([+-]?\d+),(\d+(?:[eE][+-]?\d+)?)", r"\1.\2"),
    (r"([+-]?\d{1,3}),(\d{3})", r"\1\2"),
    (r"([+-]?\d{1,3}),(\d{3}),(\d{3})", r"\1\2\3"),
    (r"(?:np|numpy)\.\w+\((.+)\)", r"\1"),
    (r"[+-]?(?:nan\(.*\)|1\.#(?:QNAN|SNAN|IND)\w*)", "nan"),
    (r"([+-]?)1\.#INF\w*", r"\1inf"),
)
"""Numbers as some programs write them that are strings here, and how they are written instead."""
_TOO_LARGE: Final = "'{}' is too large for a number and taken as infinity"
_INFIX: Final = {"!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "~": "$regex"}
_MISSPELT_INFIX: Final = {"==": "=", "!==": "!=", "=>": ">=", "=<": "<=", "=~": "~", "~=": "~", "<>": "!="}
_PLAIN_TYPES: Final = frozenset({str, int, bool, type(None)})


def parse_tokens(tokens: Sequence[str], *, allow_eval: bool = False, hint: Hint | None = None) -> dict[str, Any] | None:
    """Read the filter arguments of a command.

    Parameters
    ----------
    tokens : sequence of str
        The arguments.
    allow_eval : bool, optional
        Accept ``$where``, which runs Python code.
    hint : callable, optional
        Called with one line for each token that is taken literally and probably means something else.

    Returns
    -------
    dict or None
        The filter; None without tokens.

    Raises
    ------
    ValueError
        A token is not what its place asks for, or ``$where`` is used without `allow_eval`.

    Examples
    --------
    >>> parse_tokens(["T>=1.5", "T<2", "doc.done", "true"])
    {'T': {'$gte': 1.5, '$lt': 2}, 'doc.done': True}

    """
    if not tokens:
        return None
    if len(tokens) == 1 and _is_json_like(_checked(tokens[0])):
        filter = _parse_json_filter(tokens[0])
    else:
        filter = _parse_conditions(tokens, hint or _ignore)
    if not allow_eval:
        _refuse_where(filter)
    return filter


def parse_filter_arg(args: Sequence[str] | None) -> dict[str, Any] | None:
    """Read filter arguments and, unless they are JSON already, show on stderr how they were understood.

    ``$where`` is accepted, as by signac 2.x: a filter that holds it runs Python code when jobs are searched. Programs
    that take filters from others have to look for it, or to use `parse_tokens`, which refuses it.

    Parameters
    ----------
    args : sequence of str or None
        The arguments.

    Returns
    -------
    dict or None
        The filter; None without arguments.

    Raises
    ------
    ValueError
        As for `parse_tokens`.

    Examples
    --------
    >>> parse_filter_arg(["T>=1.5", "T<2"])
    {'T': {'$gte': 1.5, '$lt': 2}}

    """
    if not args:
        return None
    import json

    filter = parse_tokens(args, allow_eval=True, hint=lambda text: print(text, file=sys.stderr))  # noqa: T201
    if len(args) > 1 or not _is_json_like(args[0]):
        print(f"Interpreted filter arguments as '{json.dumps(filter)}'.", file=sys.stderr)  # noqa: T201
    return filter


def parse_simple(tokens: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Read alternating keys and values; ``$where`` is accepted, see `parse_filter_arg`.

    Parameters
    ----------
    tokens : sequence of str
        The tokens; a single token of JSON is not accepted here.

    Yields
    ------
    tuple of str and object
        The keys and values of a filter.

    Raises
    ------
    ValueError
        As for `parse_tokens`.

    Examples
    --------
    >>> dict(parse_simple(["a", "1", "b"]))
    {'a': 1, 'b': {'$exists': True}}

    """
    yield from _parse_conditions(tokens, _ignore).items()


def key_without_value(tokens: Sequence[str]) -> str | None:
    """Give the key at the end of filter arguments that has no value there, and so stands for all jobs with the key.

    Parameters
    ----------
    tokens : sequence of str
        The arguments.

    Returns
    -------
    str or None
        The key; None if the last argument is something else.

    Examples
    --------
    >>> key_without_value(["p=3", "T"])
    'T'
    >>> [key_without_value(tokens) for tokens in (["T=!"], ["T", "!"], ['{"T": 1}'])]
    [None, None, None]

    """
    if len(tokens) == 1 and _is_json_like(tokens[0]):
        return None
    key = None
    for token in tokens:
        key = token if key is None and _split_infix(token) is None else None
    return key


def condition_without_value(tokens: Sequence[str]) -> str | None:
    """Give the first condition in filter arguments that ends with its operator.

    Parameters
    ----------
    tokens : sequence of str
        The arguments.

    Returns
    -------
    str or None
        The condition; None if there is none.

    Examples
    --------
    >>> condition_without_value(["p=3", "status!="])
    'status!='
    >>> [condition_without_value(tokens) for tokens in (["T=1"], ["T", "a="], ['a=""'])]
    [None, None, None]

    """
    is_value = False
    for token in tokens:
        split = None if is_value else _split_infix(token)
        if split is not None and not split[2]:
            return token
        is_value = not is_value and split is None
    return None


def parse_filter(filter: object) -> Iterator[tuple[str, Any]]:
    """Give the keys and values of a filter in any of its forms.

    Parameters
    ----------
    filter : str, mapping or iterable of pairs
        The filter; a string is read as by `normalise`.

    Yields
    ------
    tuple of str and object
        The keys and values, neither checked nor converted.

    Raises
    ------
    ValueError
        The filter has none of these forms.

    Examples
    --------
    >>> dict(parse_filter("T>=1.5 N 10"))
    {'T': {'$gte': 1.5}, 'N': 10}
    >>> dict(parse_filter([("T", 1.5)]))
    {'T': 1.5}

    """
    if isinstance(filter, str):
        yield from (_parse_text(filter) or {}).items()
    elif isinstance(filter, Mapping):
        yield from filter.items()
    elif isinstance(filter, Iterable):
        yield from filter
    else:
        raise _not_a_filter(filter)


def normalise(filter: object) -> dict[str, Any] | None:
    """Convert a filter in any accepted form to a dict of plain JSON data.

    Parameters
    ----------
    filter : mapping, iterable of pairs, str or None
        The filter. A string that starts with ``{`` is one JSON object, another is split at white space and read as
        tokens. Anything false selects all jobs. ``$where`` runs Python code, in whatever form it is given.

    Returns
    -------
    dict or None
        The filter with strings for keys and JSON values; None when it selects all jobs.

    Raises
    ------
    ValueError
        The filter has none of these forms, or a key that is not a string.
    TypeError
        A value cannot be written as JSON.

    Examples
    --------
    >>> normalise([("a", (1, 2)), ("b", {3: None})])
    {'a': [1, 2], 'b': {'3': None}}
    >>> normalise("a 1")
    {'a': 1}

    """
    if not filter:
        return None
    if isinstance(filter, str):
        return _parse_text(filter) or None
    if not isinstance(filter, Iterable):
        raise _not_a_filter(filter)
    try:
        items: dict[Any, Any] = dict(filter)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"A filter that is no mapping holds (key, value) pairs: {error}.") from error
    return {key: _plain_item(key, value) for key, value in items.items()} or None


# --- strings ---------------------------------------------------------------------------------------------------------


def _parse_text(text: str) -> dict[str, Any] | None:
    text = text.strip()
    if not text.startswith("{"):
        return parse_tokens(text.split(), allow_eval=True)
    return _parse_json_filter(text)


def _parse_json_filter(text: str) -> dict[str, Any]:
    filter = _parse_json(text)
    if not filter:
        return {}
    if not isinstance(filter, dict):
        raise ValueError(f"A filter in JSON is an object such as '{{\"a\": 1}}', not {text}.")
    return filter


def _parse_json(text: str) -> Any:
    import json

    from .canonical import refuse_repeated_keys

    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        advice = json_advice(error)
        raise json.JSONDecodeError(f"'{text}' is not valid JSON{advice}: {error.msg}", text, error.pos) from None
    except RecursionError:
        raise ValueError("An argument in JSON is nested too deeply; write dotted keys ('a.b.c').") from None
    try:
        refuse_repeated_keys(text)
    except ValueError as error:
        raise ValueError(f"In '{text}', {error}.") from None
    return value


def _is_json_like(token: str) -> bool:
    return (token.startswith("{") and token.endswith("}")) or (token.startswith("[") and token.endswith("]"))


def _refuse_where(filter: dict[str, Any]) -> None:
    pending: list[object] = [filter]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
            for key in value:
                if "$where" in key:
                    raise ValueError(
                        f"Filter key '{key}': $where runs Python code. It is accepted in Python, "
                        "and on the command line with --allow-eval."
                    )


# --- tokens ----------------------------------------------------------------------------------------------------------


def _parse_conditions(tokens: Sequence[str], hint: Hint) -> dict[str, Any]:
    """Read tokens from left to right; conditions on one key are ANDed, except that a repeated KEY VALUE replaces."""
    entries: list[tuple[str, Any]] = []
    position_of: dict[str, int] = {}
    remaining = iter(tokens)
    for token in remaining:
        _check_key(_checked(token))
        condition = _parse_infix(token, hint)
        if condition is not None:
            entries.append(condition)
            continue
        value = _parse_classic(token, remaining, hint)
        if token in position_of:
            entries[position_of[token]] = (token, value)
        else:
            position_of[token] = len(entries)
            entries.append((token, value))
    filter: dict[str, Any] = {}
    for key, value in entries:
        _conjoin(filter, key, value)
    return filter


def _conjoin(filter: dict[str, Any], key: str, value: Any) -> None:
    if key not in filter:
        filter[key] = value
        return
    present = filter[key]
    mergeable = isinstance(present, dict) and isinstance(value, dict) and present and value
    if mergeable and present.keys().isdisjoint(value):
        filter[key] = {**present, **value}
    else:
        others = filter.setdefault("$and", [])
        if not isinstance(others, list):
            raise ValueError("$and takes a list of filters; write the whole filter as JSON.")
        others.append({key: value})


def _checked(token: object) -> str:
    if not isinstance(token, str):
        raise TypeError(f"Filter arguments are strings, not {type(token).__name__} ({token!r}).")
    return token


def _check_key(token: str) -> None:
    if not token:
        raise ValueError("An empty filter argument stands where a key is expected; check for an unset variable.")
    if _is_json_like(token):
        raise ValueError(f"JSON cannot be a filter key: '{token}'. A filter in JSON is a single argument.")
    if token.lstrip().startswith(("{", "[")):
        raise ValueError(f"Filter argument '{token}' is incomplete JSON; put single quotes around the whole filter.")


def _parse_classic(key: str, remaining: Iterator[str], hint: Hint) -> Any:
    """Read the value that follows a key."""
    token = _checked(next(remaining, _EXISTS))
    if token == _EXISTS:
        return {"$exists": True}
    value = _parse_operand(token, hint)
    if value == token and "$" not in key:
        _hint_at_infix(key, token, hint)
    return value


def _parse_infix(token: str, hint: Hint) -> tuple[str, Any] | None:
    """Read a whole condition such as ``T>=1.5``; blanks around the operator do not count."""
    split = _split_infix(token)
    if split is None:
        return None
    key, operator, text = split
    if not key:
        raise ValueError(f"Filter condition '{token}' has no key in front of '{operator}'.")
    intended = _MISSPELT_INFIX.get(operator + text[:1])
    if intended is not None:
        hint(f"'{text}' is taken as a string; did you mean: '{key}{intended}{text[1:]}'")
    if operator == "=":
        return key, {"$exists": True} if text == _EXISTS else _parse_operand(text, hint)
    if operator == "!=" and text == _EXISTS:
        return key, {"$exists": False}
    if not text and operator != "!=":
        raise ValueError(f"Filter condition '{token}' has no value after '{operator}'.")
    if operator == "~":
        return key, {"$regex": text}
    if text == _EXISTS or _is_regex(text):
        raise ValueError(
            f"Filter condition '{token}': '{text}' goes with = only; as a string it is written '\"{text}\"'."
        )
    return key, {_INFIX[operator]: _parse_operand(text, hint)}


def _split_infix(token: str) -> tuple[str, str, str] | None:
    for start, character in enumerate(token):
        operator = token[start : start + 2]
        if operator not in ("!=", "<=", ">="):
            operator = character
        if operator == "=" or operator in _INFIX:
            return token[:start].strip(), operator, token[start + len(operator) :].strip()
    return None


def _hint_at_infix(key: str, token: str, hint: Hint) -> None:
    """Tell about a value that looks like a condition of its own."""
    split = _split_infix(token)
    if split is None:
        return
    left, operator, right = split
    if not left and not right:
        hint(f"'{token}' is taken as the value of {key}; did you mean: '{key}{operator}VALUE' in one argument")
    elif left and not any(character.isspace() for character in left):
        hint(f"'{token}' is taken as the value of {key}; did you mean: {key} ! '{token}'")


def _parse_operand(token: str, hint: Hint) -> Any:
    return {"$regex": token[1:-1]} if _is_regex(token) else parse_value(token, hint)


def _is_regex(token: str) -> bool:
    return token.startswith("/") and token.endswith("/")


def _ignore(text: str) -> None:
    """Drop a hint."""


# --- values ----------------------------------------------------------------------------------------------------------


def parse_value(word: str, hint: Hint | None = None) -> Any:
    """Read a value as a person writes it: the one rule for filters and for what is stored.

    It is JSON in braces, brackets or double quotes, one of ``true``, ``false`` and ``null``, or what C, Fortran, awk,
    bc or Python print for a number; anything else is a string.

    Parameters
    ----------
    word : str
        What was written.
    hint : callable, optional
        Called with one line if the word is read as a string and probably means something else.

    Returns
    -------
    object
        The value.

    Raises
    ------
    ValueError
        What looks like JSON is not, or has a key twice.

    Examples
    --------
    >>> [parse_value(word) for word in ("1e3", "-.5", "1.5D+02", "null", "[1, 2]", "lj", '"12"')]
    [1000.0, -0.5, 150.0, None, [1, 2], 'lj', '12']

    """
    if _is_json_like(word) or (len(word) > 1 and word.startswith('"') and word.endswith('"')):
        if hint is not None:
            for large in numbers_too_large(word):
                hint(_TOO_LARGE.format(large))
        return _parse_json(word)
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    number = _number(word)
    if hint is not None and hint is not _ignore:
        if number is None:
            _hint_at_value(word, hint)
        elif number in (float("inf"), float("-inf")) and any(map(str.isdigit, word)):
            hint(_TOO_LARGE.format(word))
        elif number == 0 and isinstance(number, float) and any(digit in "123456789" for digit in _mantissa(word)):
            hint(f"'{word}' is too small for a number and taken as 0")
    return word if number is None else number


def _number(word: str) -> int | float | None:
    """Read a number; None if it is none."""
    for convert in (int, float):
        try:
            return convert(word)
        except ValueError:
            continue
    # Fortran: a double has the letter D, and always a point or the sign of the exponent.
    mantissa, letter, exponent = word.upper().partition("D")
    if letter and mantissa[-1:] in "0123456789." and ("." in mantissa or exponent[:1] in ("+", "-")):
        try:
            return float(f"{mantissa}E{int(exponent)}")
        except ValueError:
            pass
    return None


def _hint_at_value(word: str, hint: Hint) -> None:
    """Tell about a string that looks like a number, a constant, or the beginning of JSON."""
    if word in _MISSPELT_CONSTANTS:
        hint(f"'{word}' is taken as a string; did you mean: {_MISSPELT_CONSTANTS[word]}")
    elif word.startswith(("{", "[")) or (word.startswith('"') and len(word) > 1):
        hint(f"'{word}' is not valid JSON and taken as a string")
    elif any(map(str.isdigit, word)) or word.lower().endswith(")"):
        meant = _meant_numbers(word)
        if meant:
            hint(f"'{word}' is taken as a string; did you mean: {' or '.join(meant)}")


def _meant_numbers(word: str) -> list[str]:
    """What a string is written as that some programs print for a number."""
    import re

    meant = [match.expand(to) for form, to in _MISSPELT_NUMBERS if (match := re.fullmatch(form, word, re.I))]
    meant = [text for text in meant if _number(text) is not None]
    if re.fullmatch(r"[+-]?0x[0-9a-f]*\.?[0-9a-f]+\.?(p[+-]?\d+)?", word, re.I):
        meant.append(repr(float.fromhex(word)).removesuffix(".0"))
    elif re.fullmatch(r"[+-]?0(b[01]+|o[0-7]+)", word, re.I):
        meant.append(str(int(word, 0)))
    return list(dict.fromkeys(meant))


def _mantissa(word: str) -> str:
    return word.upper().partition("E")[0].partition("D")[0]


def json_advice(error: JSONDecodeError) -> str:
    """Say how JSON writes the word at which it ends to be valid, if that is a number or a constant.

    Parameters
    ----------
    error : json.JSONDecodeError
        The error of the parser.

    Returns
    -------
    str
        The advice, to be put behind a message; empty if there is none.

    Examples
    --------
    >>> import json
    >>> for text in ('{"a": .5}', '{"a": 1.}', '{"a": True}', '{"a": b}'):
    ...     try:
    ...         json.loads(text)
    ...     except json.JSONDecodeError as error:
    ...         print(json_advice(error))
     ('.5' is written 0.5 there)
     ('1.' is written 1.0 there)
     ('True' is written true there)
    <BLANKLINE>

    """
    import json
    import re

    start = error.pos
    while start and error.doc[start - 1] not in ' \t\r\n,:[]{}"':
        start -= 1
    match = re.compile(r"""[^\s,:\[\]{}"]+""").match(error.doc, start)
    if match is None:
        return ""
    word = match[0]
    number = _number(word)
    if number is not None:
        meant = [json.dumps(number)]
    else:
        meant = [_MISSPELT_CONSTANTS[word]] if word in _MISSPELT_CONSTANTS else _meant_numbers(word)
    return f" ('{word}' is written {' or '.join(meant)} there)" if meant and meant != [word] else ""


def numbers_too_large(text: str) -> list[str]:
    """Find the numbers in JSON that are read as infinity because of their size.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    list of str
        The numbers.

    Examples
    --------
    >>> numbers_too_large('{"a": 1e400, "b": "1e400", "c": [-2.5E+308, 1e308]}')
    ['1e400', '-2.5E+308']

    """
    import re

    if not re.search(r"[eE]\+?\d{3}", text):
        return []
    words: list[str] = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}"]+', text)
    return [word for word in words if word[-1].isdigit() and _number(word) in (float("inf"), float("-inf"))]


# --- mappings --------------------------------------------------------------------------------------------------------


def _not_a_filter(filter: object) -> ValueError:
    kind = type(filter).__name__
    return ValueError(f"A filter is a mapping, a string, or pairs of key and value, not {kind} ({filter!r}).")


def _plain_item(key: object, value: object) -> Any:
    if not isinstance(key, str):
        raise ValueError(f"Filter keys are strings, not {type(key).__name__} ({key!r}).")
    try:
        return _plain(value)
    except TypeError as error:
        raise TypeError(f"Filter key '{key}': {error}.") from None
    except RecursionError:
        raise ValueError(f"Filter key '{key}': the value is nested too deeply, or contains itself.") from None


def _plain(value: Any) -> Any:
    """Copy a value as a round trip through JSON does, without `json` where the result is the same."""
    kind = type(value)
    if kind in _PLAIN_TYPES or (kind is float and value == value):
        return value
    if kind is dict and all(type(key) is str for key in value):
        return {key: _plain(inner) for key, inner in value.items()}
    if kind is list or kind is tuple:
        return [_plain(inner) for inner in value]
    import json

    return json.loads(json.dumps(value, default=_unwrap))


def _unwrap(value: object) -> Any:
    """Give the plain container behind a live or read-only view."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, MutableSequence) and not isinstance(value, bytearray):
        return list(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


if not TYPE_CHECKING:
    from . import late_names

    __getattr__ = late_names(globals(), {"JSONDecodeError": "json"})
