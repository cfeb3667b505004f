"""Readable paths of jobs, and back: ``{"a": 1, "b": "x"}`` to ``a/1/b/x`` and the other way round.

Export and views name directories by it, import reads such names. A path is relative, has no ``..``, and belongs to one
job; a job directory never lies inside another. All of this is checked for all jobs before anything is written.

Templates of paths look like those of :meth:`str.format`, but a field only ever reaches data: state point, document and
the public attributes of a job.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

from . import catalog, layout, splitting
from .errors import Error, StatepointParsingError
from .job import Job

if TYPE_CHECKING:
    from .project import Project

__all__ = [
    "PathError",
    "PathSpecification",
    "PathsTakenError",
    "SchemaPathEvaluationError",
    "Taken",
    "UnknownTypeError",
    "automatic_tokens",
    "check_paths",
    "job_paths",
    "normal_path",
    "parse_schema",
]

PathSpecification = str | bool | Callable[[Job], str] | None
"""None: automatic. False: the job id. A str: a template. A callable: a function of the job."""

_SHOWN = 3  # collisions that a message lists


class PathError(Error, RuntimeError):
    """Jobs cannot be given paths in the way that was asked for."""


class SchemaPathEvaluationError(PathError):
    """A path template cannot be filled in for a job."""


class Taken(NamedTuple):
    """What stands in the way of a job.

    Parameters
    ----------
    job_id : str
        The job, or the first of several.
    path : str
        What is there.
    reason : str
        Why that is in the way.
    """

    job_id: str
    path: str
    reason: str


class PathsTakenError(Error, FileExistsError):
    """Jobs cannot get their paths, because something stands there."""

    def __init__(self, taken: Sequence[Taken]) -> None:
        super().__init__(errno.EEXIST, taken[0].reason, taken[0].path)
        self.taken = tuple(taken)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.taken,)


class UnknownTypeError(KeyError):
    """A field of an import schema has a type that is not known."""

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0]) if self.args else ""


# job to path ----------------------------------------------------------------------------------------------------------


def job_paths(
    project: Project,
    ids: Iterable[str],
    path: PathSpecification = None,
    *,
    leaf: str = "",
    damaged: list[str] | None = None,
) -> dict[str, str]:
    """Give every job a path.

    Raises PathError if the paths are not unique, nested, absolute, contain ``..``, or cannot be determined;
    SchemaPathEvaluationError if a field of the template does not exist for a job; ValueError if ``path`` is of no
    accepted form, or the braces of the template do not match; JobsCorruptedError if jobs are damaged and there is no
    list to take them.
    """
    name = _naming(project, path)
    state_points = dict(catalog.read_state_points(project, ids, damaged=damaged, proven=True))
    paths = {job_id: normal_path(f"{text}/{leaf}" if text else leaf, job_id) for job_id, text in name(state_points)}
    check_paths(paths, path)
    return paths


_Naming = Callable[[Mapping[str, dict[str, Any]]], Iterator[tuple[str, str]]]


def _naming(project: Project, path: PathSpecification) -> _Naming:
    """What gives state points their paths, with everything that is wrong with ``path`` itself found already."""
    if path is None:
        return _automatic_paths
    if path is False:
        return lambda state_points: ((job_id, job_id) for job_id in state_points)
    if isinstance(path, str):
        return _Template(project, path).paths
    if callable(path):
        return lambda state_points: _called(project, path, state_points)
    raise ValueError(f"The path must be None, False, a str or a function of the job, not {path!r}.")


def _called(
    project: Project, function: Callable[[Job], str], state_points: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    for job_id, state_point in state_points.items():
        text: object = function(Job._known(project, job_id, state_point))
        if not isinstance(text, (str, os.PathLike)):
            raise PathError(f"The path function returned {text!r} for job '{job_id}': it must return a str.")
        yield job_id, os.fspath(text)


def automatic_tokens(
    state_points: Mapping[str, Mapping[str, Any]], *, without: Iterable[str] = ()
) -> Iterator[tuple[str, list[str]]]:
    """Keys and values that tell jobs apart, as texts.

    Keys come in the order of their number of distinct values, then of their names; those with one value in all jobs are
    left out, as are those that a job lacks. Values are judged by type and text: ``1``, ``1.0`` and ``True`` differ.
    """
    leaves: dict[str, dict[str, str]] = {}
    values: dict[str, set[tuple[type, str]]] = {}
    counts: dict[str, int] = {}
    for job_id, state_point in state_points.items():
        texts = leaves[job_id] = {}
        for key, value in _leaves(state_point):
            text = texts[key] = str(value)
            values.setdefault(key, set()).add((type(value), text))
            counts[key] = counts.get(key, 0) + 1
    constant = {key for key, found in values.items() if len(found) == 1 and counts[key] == len(leaves)}
    order = sorted(values.keys() - constant - set(without), key=lambda key: (len(values[key]), key))
    for job_id, texts in leaves.items():
        yield job_id, [token for key in order if key in texts for token in (key, texts[key])]


def _leaves(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Values under dotted keys; lists become tuples, empty dicts are no values."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, _as_tuple(value)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def _automatic_paths(
    state_points: Mapping[str, Mapping[str, Any]], without: Iterable[str] = (), separator: str = "/"
) -> Iterator[tuple[str, str]]:
    for job_id, tokens in automatic_tokens(state_points, without=without):
        if not tokens and len(state_points) > 1:
            raise SchemaPathEvaluationError(
                f"No path can be determined for job '{job_id}': it has none of the keys in which the jobs differ (and "
                "which the path does not name already). Give a path that suits all jobs, such as '{job.id}'."
            )
        # An empty text is no directory, and in front it would make the path absolute.
        yield job_id, separator.join(tokens if separator != "/" else filter(None, tokens))


# templates ------------------------------------------------------------------------------------------------------------

_AUTO = re.compile(r"\{\{auto(?::([^{}]*))?\}\}")
_FIELD = re.compile(r"([^.\[\]]+)((?:\.[^.\[\]]+|\[[^\[\]]+\])*)")
_LARGE_NUMBER = re.compile("[0-9]{4}")
_STEP = re.compile(r"\.([^.\[\]]+)|\[([^\[\]]+)\]")


class _Template:
    """A path template: text, fields, and ``{{auto}}`` or ``{{auto:SEPARATOR}}`` for the keys that no field names."""

    def __init__(self, project: Project, text: str) -> None:
        self._project = project
        self._formatter = _Fields()
        pieces = _AUTO.split(text)  # text, separator or None, text, ...
        self._texts = pieces[::2]
        self._separators = [separator or "/" for separator in pieces[1::2]]
        self._named = {name for part in self._texts for name in _named_fields(part, text)}

    def paths(self, state_points: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
        automatic = [dict(_automatic_paths(state_points, self._named, separator)) for separator in self._separators]
        for job_id, state_point in state_points.items():
            values = _Values(self._project, job_id, state_point)
            path = self._fill(self._texts[0], values)
            for paths, text in zip(automatic, self._texts[1:], strict=True):
                path += paths[job_id]
                if not path:  # a single job: the slash after nothing would make the path absolute
                    text = text.removeprefix("/")
                path += self._fill(text, values)
            yield job_id, path

    def _fill(self, text: str, values: _Values) -> str:
        try:
            return self._formatter.vformat(text, (), values)
        except SchemaPathEvaluationError:
            raise
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise SchemaPathEvaluationError(
                f"The path template part {text!r} cannot be filled in for job '{values.job_id}': {error}."
            ) from error


def _named_fields(part: str, template: str) -> Iterator[str]:
    """Names of the fields in a part of a template.

    Raises ValueError if braces do not match; SchemaPathEvaluationError if there are doubled braces other than
    ``{{auto}}``, which would be a mistake most likely.
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

    def __init__(self, project: Project, job_id: str, state_point: dict[str, Any]) -> None:
        super().__init__(state_point)
        self.job_id = job_id
        self.state_point = state_point
        self.job = Job._known(project, job_id, state_point)
        self._document: dict[str, Any] | None = None

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
            raise SchemaPathEvaluationError(f"The format {format_spec!r} makes a text that is far too long for a path.")
        return super().format_field(value, format_spec)

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        assert isinstance(kwargs, _Values)
        match = _FIELD.fullmatch(field_name)
        if match is None or (match[1].isdigit() and match[1] not in kwargs):
            raise SchemaPathEvaluationError(
                f"Unknown key: {field_name!r}. A field is a key of the state point, or 'job' with an attribute."
            )
        steps = [attribute or item for attribute, item in _STEP.findall(match[2])]
        return _value(field_name, match[1], steps, kwargs), match[1]


def _value(field: str, first: str, steps: list[str], values: _Values) -> Any:
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


def _job_value(field: str, steps: list[str], values: _Values) -> tuple[Any, list[str]]:
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
        f"Unknown key: {field!r}. In job '{values.job_id}' there is no {name!r} in {_shortened(value)}."
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
    from .nearest import nearest_key

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


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


# checks ---------------------------------------------------------------------------------------------------------------


def normal_path(text: str, job_id: str) -> str:
    """Path without empty and ``.`` components, once it is sure that it is one below the place it is meant for.

    Raises PathError if it is absolute, contains ``..``, or is not a possible file name.
    """
    parts = text.split("/")
    if text.startswith("/") or ".." in parts or "\0" in text:
        raise PathError(
            f"Job '{job_id}' would get the path {text!r}: paths are relative, without '..' and NUL. Give another path."
        )
    parts = [part for part in parts if part not in ("", ".")]
    try:
        longest = max((len(os.fsencode(part)) for part in parts), default=0)
    except UnicodeEncodeError as error:
        raise PathError(f"Job '{job_id}' would get the path {text!r}, which is no file name: {error}.") from None
    if len(text) >= layout.PATH_MAX:
        raise PathError(
            f"Job '{job_id}' would get a path of {len(text)} characters, more than the {layout.PATH_MAX - 1} that "
            f"systems allow: {_shortened(text)}. Choose another path, such as '{{job.id}}'."
        )
    if longest > layout.NAME_MAX:
        raise PathError(
            f"Job '{job_id}' would get a path with a name of {longest} bytes, more than the {layout.NAME_MAX} that "
            f"file systems allow: {_shortened(text)}. Choose another path, such as '{{job.id}}'."
        )
    return "/".join(parts)


def check_paths(paths: Mapping[str, str], specification: object = None) -> None:
    """Make sure that no two jobs have the same path, and none lies inside another.

    Raises PathError if two paths are equal or nested, in whatever order they come.
    """
    owners: dict[str, str] = {}
    equal = []
    for job_id, path in paths.items():
        other = owners.setdefault(path, job_id)
        if other != job_id:
            equal.append(f"'{other}' and '{job_id}' ({path!r})")
    if equal:
        raise PathError(_duplicates_message(equal, specification))
    for path, job_id in owners.items():
        for ancestor in _ancestors(path):
            if ancestor in owners:
                raise PathError(
                    f"The path {ancestor!r} of job '{owners[ancestor]}' is a leaf and a node: the path {path!r} of job "
                    f"'{job_id}' lies below it, and job directories cannot be nested. Choose another path."
                )


def _duplicates_message(equal: list[str], specification: object) -> str:
    shown = ", ".join(equal[:_SHOWN]) + (f" and {len(equal) - _SHOWN} more" if len(equal) > _SHOWN else "")
    if isinstance(specification, str):
        what = f"The path specification {specification!r} would result in duplicate paths"
        advice = f"Append the job id: {os.path.join(specification, 'id', '{job.id}')!r}."
    else:
        what = "The path function gives" if callable(specification) else "The automatic paths contain"
        what += " duplicate paths"
        advice = "Give a path that contains the job id, such as 'id/{job.id}'."
    return f"{what} for the jobs {shown}. {advice}"


def _ancestors(path: str) -> Iterator[str]:
    """All that lies above a normal path, nearest first; the last is empty."""
    while path:
        path = path.rpartition("/")[0]
        yield path


# path to state point --------------------------------------------------------------------------------------------------

_SCHEMA_FIELD = re.compile(r"\{([.\w]+)(?::([a-z]+))?\}")
_TYPES: Mapping[str, tuple[splitting.Field, splitting.Field, Callable[[str], Any]]] = {
    "int": (splitting.digits, splitting.digits, int),
    "float": (splitting.plain_number, splitting.number, lambda text: float(text.lower().replace("d", "e"))),
    "bool": (splitting.word, splitting.word, lambda text: text.lower() not in ("false", "0")),
    "str": (splitting.word, splitting.anything, str),
}
"""What a field stands for: first as signac 2.x reads it, then whatever else it can be; and the value of a text."""


def parse_schema(template: str) -> Callable[[str], dict[str, Any] | None]:
    r"""Make a function that reads state points off relative paths.

    Raises UnknownTypeError if a type is not known; StatepointParsingError if there are no fields, or their keys
    contradict each other.
    """
    texts: list[str] = []
    keys: list[list[str]] = []
    plain: list[splitting.Field] = []
    wide: list[splitting.Field] = []
    converters: list[Callable[[str], Any]] = []
    end = 0
    template = "/".join(part for part in template.split("/") if part not in ("", "."))
    for match in _SCHEMA_FIELD.finditer(template):
        key, kind = match[1], match[2] or "str"
        if kind not in _TYPES:
            raise UnknownTypeError(
                f"The field '{match[0]}' of the schema has an unknown type '{kind}': use one of {', '.join(_TYPES)}."
            )
        texts.append(template[end : match.start()])
        keys.append(key.split("."))
        narrow, broad, convert = _TYPES[kind]
        plain.append(narrow)
        wide.append(broad)
        converters.append(convert)
        end = match.end()
    if not keys:
        raise StatepointParsingError(
            f"The schema {template!r} has no fields: a field is a key and a type in braces, such as '{{a:int}}'."
        )
    _check_keys(keys, template)
    texts.append(template[end:])

    def read(path: str) -> dict[str, Any] | None:
        parts = splitting.split(path, texts, plain) or splitting.split(path, texts, wide)
        if parts is None:
            return None
        state_point: dict[str, Any] = {}
        for names, convert, text in zip(keys, converters, parts, strict=True):
            container = state_point
            for name in names[:-1]:
                container = container.setdefault(name, {})
            container[names[-1]] = convert(text)
        return state_point

    return read


def _check_keys(keys: list[list[str]], template: str) -> None:
    """Make sure that no key is there twice, and none is a value and a container of others at once."""
    values: dict[tuple[str, ...], list[str]] = {}
    containers: dict[tuple[str, ...], list[str]] = {}
    for names in keys:
        above = [tuple(names[:length]) for length in range(1, len(names))]
        whole = tuple(names)
        other = containers.get(whole) or next((values[one] for one in [*above, whole] if one in values), None)
        if other is not None:
            both = f"'{'.'.join(other)}' and '{'.'.join(names)}'"
            raise StatepointParsingError(f"The fields {both} of the schema {template!r} exclude each other.")
        values[whole] = names
        for one in above:
            containers.setdefault(one, names)
