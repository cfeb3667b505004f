"""Templates of paths: fields in braces, filled with values of jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from string import Formatter
from typing import Any, NamedTuple

from ..errors import Error
from ..trees import as_tuple, leaves

__all__ = [
    "PathError",
    "SchemaPathEvaluationError",
    "Template",
    "automatic_paths",
    "automatic_tokens",
    "shortened",
]


class PathError(Error, RuntimeError):
    """Jobs cannot be given paths in the way that was asked for."""


class SchemaPathEvaluationError(PathError):
    """A path template cannot be filled in for a job."""


def automatic_tokens(
    state_points: Mapping[str, Mapping[str, Any]], *, without: Iterable[str] = ()
) -> Iterator[tuple[str, list[str]]]:
    """Keys and values that tell jobs apart, as strings: per job id, keys and values in turn.

    Keys come in the order of their number of distinct values, then of their names; those with one value in all jobs are
    left out, as are those that a job lacks. Values are judged by type and string: ``1``, ``1.0`` and ``True`` differ.
    """
    texts_of: dict[str, dict[str, str]] = {}
    values: dict[str, set[tuple[type, str]]] = {}
    counts: dict[str, int] = {}
    for job_id, state_point in state_points.items():
        texts = texts_of[job_id] = {}
        for key, value in leaves(state_point):
            if value == {}:
                continue
            text = texts[key] = str(as_tuple(value))
            values.setdefault(key, set()).add((type(value), text))
            counts[key] = counts.get(key, 0) + 1
    constant = {key for key, found in values.items() if len(found) == 1 and counts[key] == len(texts_of)}
    order = sorted(values.keys() - constant - set(without), key=lambda key: (len(values[key]), key))
    for job_id, texts in texts_of.items():
        yield job_id, [token for key in order if key in texts for token in (key, texts[key])]


def automatic_paths(
    state_points: Mapping[str, Mapping[str, Any]], without: Iterable[str] = (), separator: str = "/"
) -> Iterator[tuple[str, str]]:
    for job_id, tokens in automatic_tokens(state_points, without=without):
        if not tokens and len(state_points) > 1:
            raise SchemaPathEvaluationError(
                f"No path can be determined for job '{job_id}': it has none of the keys in which the jobs differ (and "
                "which the path does not name already). Give a path that suits all jobs, such as '{job.id}'."
            )
        # An empty string is no directory, and in front it would make the path absolute.
        yield job_id, separator.join(tokens if separator != "/" else filter(None, tokens))


_AUTO = re.compile(r"\{\{auto(?::([^{}]*))?\}\}")
_FIELD = re.compile(r"([^.\[\]]+)((?:\.[^.\[\]]+|\[[^\[\]]+\])*)")
_LARGE_NUMBER = re.compile("[0-9]{4}")
_STEP = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]+)\]")


class Template:
    """A path template: text, fields, and ``{{auto}}`` or ``{{auto:SEPARATOR}}`` for the keys that no field names."""

    def __init__(self, text: str, handle: Callable[..., Any]) -> None:
        self._handle = handle
        self._formatter = _Fields()
        pieces = _AUTO.split(text)  # text, separator or None, text, ...
        self._texts = pieces[::2]
        self._separators = [separator or "/" for separator in pieces[1::2]]
        self._named = {name for part in self._texts for name in _named_fields(part, text)}
        self._fields = {part: _plain_fields(part) for text in self._texts for part in (text, text.removeprefix("/"))}

    def paths(self, state_points: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
        automatic = [dict(automatic_paths(state_points, self._named, separator)) for separator in self._separators]
        for job_id, state_point in state_points.items():
            values = _Values(job_id, state_point, self._handle)
            path = self._fill(self._texts[0], values)
            for paths, text in zip(automatic, self._texts[1:], strict=True):
                path += paths[job_id]
                if not path:  # a single job: the slash after nothing would make the path absolute
                    text = text.removeprefix("/")
                path += self._fill(text, values)
            yield job_id, path

    def _fill(self, text: str, values: _Values) -> str:
        try:
            fields = self._fields[text]
            if fields is None:
                return self._formatter.vformat(text, (), values)
            return "".join([field.literal + self._formatted(field, values) for field in fields])
        except SchemaPathEvaluationError:
            raise
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise SchemaPathEvaluationError(
                f"The path template part {text!r} cannot be filled in for job '{values.job_id}': {error}."
            ) from error

    def _formatted(self, field: _Field, values: _Values) -> str:
        if not field.name:
            return ""
        value = _value(field.name, field.first, field.steps, values)
        if field.conversion is not None:
            value = self._formatter.convert_field(value, field.conversion)
        return format(value) if not field.spec else str(self._formatter.format_field(value, field.spec))


class _Field(NamedTuple):
    """A field of a template, taken to pieces, with the text before it; without a name, text alone."""

    literal: str
    name: str = ""
    first: str = ""
    steps: Sequence[str] = ()
    spec: str = ""
    conversion: Any = None


def _plain_fields(part: str) -> list[_Field] | None:
    """The fields of a part of a template; None if one is not plain, and has to be judged for each job."""
    fields = []
    for literal, name, spec, conversion in Formatter().parse(part):
        if name is None:
            fields.append(_Field(literal))
            continue
        match = _FIELD.fullmatch(name)
        if match is None or match[1].isdigit() or "{" in (spec or ""):
            return None
        fields.append(_Field(literal, name, match[1], _steps(match[2]), spec or "", conversion))
    return fields


def _steps(text: str) -> list[str]:
    """The names of attributes and items behind the first name of a field."""
    return [attribute or item for attribute, item in _STEP.findall(text)]


def _named_fields(part: str, template: str) -> Iterator[str]:
    """Names of the fields in a part of a template.

    ValueError if braces do not match; SchemaPathEvaluationError if there are doubled braces other than ``{{auto}}``,
    which would be a mistake most likely.
    """
    try:
        found = list(Formatter().parse(part))
    except ValueError as error:
        raise ValueError(f"The path template {template!r} is not valid: {error}.") from None
    for literal, name, _, _ in found:
        if "{" in literal or "}" in literal:
            raise SchemaPathEvaluationError(
                f"Unknown key in the path template {template!r}: in doubled braces there is only {{{{auto}}}} or "
                "{{auto:SEPARATOR}}."
            )
        if name is not None:
            yield name


class _Values(dict[str, Any]):
    """What the fields of a template stand for, for one job: the keys of its state point, and ``job``."""

    def __init__(self, job_id: str, state_point: dict[str, Any], handle: Callable[..., Any]) -> None:
        super().__init__(state_point)
        self.job_id = job_id
        self.state_point = state_point
        self._handle = handle
        self._document: dict[str, Any] | None = None

    @cached_property
    def job(self) -> Any:
        """The handle on the job, which few templates need."""
        return self._handle(self.job_id, self.state_point)

    @property
    def document(self) -> dict[str, Any]:
        """The document of the job, read once for all fields."""
        if self._document is None:
            self._document = self.job.document()
        return self._document


class _Fields(Formatter):
    """Formats with fields that reach data only: keys, items of lists, and public attributes of the job."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if _LARGE_NUMBER.search(format_spec):
            raise SchemaPathEvaluationError(
                f"The format {format_spec!r} makes a string that is far too long for a path."
            )
        return super().format_field(value, format_spec)

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        assert isinstance(kwargs, _Values)
        match = _FIELD.fullmatch(field_name)
        if match is None or (match[1].isdigit() and match[1] not in kwargs):
            raise SchemaPathEvaluationError(
                f"Unknown key: {field_name!r}. A field is a key of the state point, or 'job' with an attribute."
            )
        return _value(field_name, match[1], _steps(match[2]), kwargs), match[1]


def _value(field: str, first: str, steps: Sequence[str], values: _Values) -> Any:
    """Value of a field for one job."""
    if first == "job":
        value, steps = _job_value(field, steps, values)
    elif first in values:
        value = values[first]
    else:
        raise SchemaPathEvaluationError(
            f"Unknown key: {first!r}. Job '{values.job_id}' has no such key.{_advice(field, values)}"
        )
    for step in steps:
        value = _step(field, value, step, values)
    return value


def _job_value(field: str, steps: Sequence[str], values: _Values) -> tuple[Any, Sequence[str]]:
    """Value of ``job`` and its first attribute, and the steps that are left."""
    if not steps or steps[0] == "id":
        return values.job_id, steps[1:]
    if steps[0] in ("sp", "statepoint", "cached_statepoint"):
        return values.state_point, steps[1:]
    if steps[0] in ("doc", "document"):
        return values.document, steps[1:]
    return _attribute(field, values.job, steps[0], values), steps[1:]


def _step(field: str, value: Any, name: str, values: _Values) -> Any:
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if name.isdigit() and int(name) < len(value):
            return value[int(name)]
    elif value is not None and not isinstance(value, (str, int, float)):
        return _attribute(field, value, name, values)
    raise SchemaPathEvaluationError(
        f"Unknown key: {field!r}. In job '{values.job_id}' there is no {name!r} in {shortened(value)}."
        f"{_advice(field, values)}"
    )


def _attribute(field: str, owner: object, name: str, values: _Values) -> Any:
    value = None if name.startswith("_") else getattr(owner, name, None)
    if value is None or (callable(value) and not isinstance(value, Mapping)):
        raise SchemaPathEvaluationError(
            f"Unknown key: {field!r}. For job '{values.job_id}', a {type(owner).__name__} has no data called {name!r}."
        )
    return value


def _advice(field: str, values: _Values) -> str:
    """What was probably meant by a field that does not exist: a key of the job with the nearest name."""
    from ..nearest import nearest_key

    known = {"id": "job.id", "path": "job.path"}
    with suppress(ValueError, OSError):  # the document is damaged, and not what the error is about
        for key in _names(values.document):
            known[f"doc.{key}"] = known[key] = _field_name("job.doc", key)
    for key in _names(values.state_point):
        name = key if _PLAIN.fullmatch(key) and key.partition(".")[0] != "job" else _field_name("job.sp", key)
        known[f"sp.{key}"] = known[key] = name
    wanted = field.removeprefix("job.").replace("statepoint.", "sp.", 1).replace("document.", "doc.", 1)
    if wanted == "auto":
        return " Did you mean '{{auto}}'?"
    close = [name for name in known if name == wanted or name.startswith(wanted + ":")]
    is_exact = bool(close)
    close = close or [name for name in known if name.endswith("." + wanted)]
    if not close and (near := nearest_key(wanted, known)) is not None:
        close = [near]
    meant = [known[name] for name in close[:1]]
    if not is_exact and field.startswith(("doc.", "document.")):  # of which this job may just lack the key
        meant = [name for name in meant if name.startswith("job.doc")] + [f"job.{field}"]
    shown = " or ".join(f"'{{{name}}}'" for name in meant)
    return f" Did you mean {shown}?" if shown else ""


_PLAIN = re.compile(r"[^.\[\]{}:!]+(?:\.[^.\[\]{}:!]+)*")


def _field_name(above: str, key: str) -> str:
    return f"{above}.{key}" if _PLAIN.fullmatch(key) else f"{above}[{key}]"


def _names(data: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Dotted keys, those of mappings included."""
    for key, value in data.items():
        yield above + key
        if isinstance(value, Mapping):
            yield from _names(value, f"{above}{key}.")


def shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"
