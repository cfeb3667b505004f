"""Readable paths of jobs: ``{"a": 1, "b": "x"}`` to ``a/1/b/x``; `schemas` has the way back.

Export and views name directories by it. A path is relative, has no ``..``, and belongs to one job; a job directory
never lies inside another. All of this is checked for all jobs before anything is written.

Templates of paths look like those of :meth:`str.format`, but a field only ever reaches data: state point, document and
the public attributes of a job.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import catalog, files, layout
from ..errors import Error
from .templates import PathError, Template, automatic_paths, shortened

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = [
    "Handle",
    "Obstacle",
    "PathSpecification",
    "PathsTakenError",
    "check_paths",
    "job_paths",
    "normal_path",
]

Handle = Callable[..., Any]
"""Makes the handle on a job of its id and its state point."""

PathSpecification = str | bool | Callable[[Any], str] | None
"""None: automatic. False: the job id. A str: a template. A callable: a function of the job."""

_SHOWN = 3  # collisions that a message lists


class Obstacle(NamedTuple):
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
    """Jobs cannot get their paths, because something stands there.

    The first of the obstacles is what the error is about as a :class:`FileExistsError`.
    """

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        super().__init__(errno.EEXIST, obstacles[0].reason, obstacles[0].path)
        self.obstacles = tuple(obstacles)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.obstacles,)


# paths ----------------------------------------------------------------------------------------------------------------


def job_paths(
    space: Space,
    ids: Iterable[str],
    path: PathSpecification = None,
    *,
    handle: Handle,
    leaf: str = "",
    damaged: list[str] | None = None,
) -> dict[str, str]:
    """Give every job a path, relative and normal; that of a single job may be empty. No two are equal or nested.

    The path is a template such as ``"T_{T}/{job.id}"``, a function of the job, False for the job ids, or None for the
    keys and values that tell the jobs apart. ``leaf`` is appended to each. A list of ``damaged`` ids takes those of
    damaged jobs, which get no path, as do jobs that have vanished.

    Raises PathError if the paths are not unique, nested, absolute, contain ``..``, or cannot be determined;
    SchemaPathEvaluationError if a field of the template does not exist for a job; ValueError if ``path`` is of no
    accepted form, or the braces of the template do not match.
    """
    name = _naming(path, handle)
    state_points = dict(catalog.read_state_points(space, ids, damaged=damaged, proven=True))
    paths = {job_id: normal_path(f"{text}/{leaf}" if text else leaf, job_id) for job_id, text in name(state_points)}
    check_paths(paths, path)
    return paths


_Naming = Callable[[Mapping[str, dict[str, Any]]], Iterator[tuple[str, str]]]


def _naming(path: PathSpecification, handle: Handle) -> _Naming:
    """What gives state points their paths, with everything that is wrong with ``path`` itself found already."""
    if path is None:
        return automatic_paths
    if path is False:
        return lambda state_points: ((job_id, job_id) for job_id in state_points)
    if isinstance(path, str):
        return Template(path, handle).paths
    if callable(path):
        return lambda state_points: _called(path, handle, state_points)
    raise ValueError(f"The path must be None, False, a str or a function of the job, not {path!r}.")


def _called(
    function: Callable[[Any], str], handle: Handle, state_points: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    for job_id, state_point in state_points.items():
        text: object = function(handle(job_id, state_point))
        if not isinstance(text, (str, os.PathLike)):
            raise PathError(f"The path function returned {text!r} for job '{job_id}': it must return a str.")
        yield job_id, os.fspath(text)


# checks ---------------------------------------------------------------------------------------------------------------


def normal_path(text: str, job_id: str) -> str:
    """Path without empty and ``.`` components, once it is sure that it is one below the place it is meant for.

    It is empty for the place itself. PathError, about the job, if it is absolute, contains ``..``, or is not a possible
    file name.
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
            f"systems allow: {shortened(text)}. Choose another path, such as '{{job.id}}'."
        )
    if longest > layout.NAME_MAX:
        raise PathError(
            f"Job '{job_id}' would get a path with a name of {longest} bytes, more than the {layout.NAME_MAX} that "
            f"file systems allow: {shortened(text)}. Choose another path, such as '{{job.id}}'."
        )
    return "/".join(parts)


def check_paths(paths: Mapping[str, str], specification: object = None) -> None:
    """Make sure that no two jobs have the same path, and none lies inside another, in whatever order they come.

    ``specification`` is what the paths were made of, for the message of the PathError.
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
        for ancestor in files.all_above(path):
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
