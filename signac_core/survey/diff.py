"""How the state points of jobs differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..canonical import CONTAINERS
from ..trees import MISSING, equal, identical

__all__ = ["diff_jobs", "diff_state_points"]


class HasStatePoint(Protocol):
    """The handle on a job, as far as a comparison needs it."""

    @property
    def id(self) -> str: ...
    @property
    def cached_statepoint(self) -> Mapping[str, Any]: ...


def diff_jobs(*jobs: HasStatePoint) -> dict[str, dict[str, Any]]:
    """Find what the state points of jobs do not have in common.

    Values are compared as Python compares them: ``1``, ``1.0`` and ``True`` are no difference. To tell them apart, see
    :func:`diff_state_points`.

    Parameters
    ----------
    *jobs : Job
        The jobs; they need not be initialised.

    Returns
    -------
    dict of str to dict
        Per job id, the state point without the parameters that all of the jobs share. Lists appear as tuples.

    Raises
    ------
    JobsCorruptedError
        If a state point cannot be read.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> cold, hot = (project.open_job({"T": T, "liquid": {"name": "argon", "N": 100}}) for T in (85, 87))
    >>> diff_jobs(cold, hot)[hot.id]
    {'T': 87}

    """
    return _by_id({job.id: job.cached_statepoint for job in jobs}, equal)


def diff_state_points(state_points: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Find what state points do not have in common, by value and type.

    Two values are the same when they make the same contribution to a job id: ``1``, ``1.0`` and ``True`` all differ,
    NaN is NaN, and the order of keys does not matter.

    Parameters
    ----------
    state_points : mapping of str to mapping
        Plain state points by id.

    Returns
    -------
    dict of str to dict
        Per id, the state point without the parameters that all of them share. Lists appear as tuples.

    Examples
    --------
    >>> diff_state_points({"one": {"a": 1, "b": {"c": 2}}, "other": {"a": 1.0, "b": {"c": 2}}})
    {'one': {'a': 1}, 'other': {'a': 1.0}}

    """
    return _by_id(state_points, identical)


def _by_id(
    state_points: Mapping[str, Mapping[str, Any]], same: Callable[[Any, Any], bool]
) -> dict[str, dict[str, Any]]:
    return dict(zip(state_points, _differences(list(state_points.values()), same), strict=True))


def _differences(trees: Sequence[Mapping[str, Any]], same: Callable[[Any, Any], bool]) -> list[dict[str, Any]]:
    """Leave out of each tree what all trees have in common."""
    if not trees:
        return []
    shared, nested = _in_common(trees, same)
    below = {key: _differences([tree[key] for tree in trees], same) for key in nested}
    own = [
        {key: value for key, value in tree.items() if key not in shared} if shared else dict(tree.items())
        for tree in trees
    ]
    for index, part in enumerate(own):
        for key in nested:
            if difference := below[key][index]:
                part[key] = difference
            else:
                del part[key]
        if not CONTAINERS.isdisjoint(map(type, part.values())):
            for key, value in part.items():
                if key not in nested:
                    part[key] = _with_tuples(value)
    return own


def _in_common(
    trees: Sequence[Mapping[str, Any]], same: Callable[[Any, Any], bool]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keys that have the same value in all trees, and those that have a mapping that is not empty in all of them.

    Each tree is asked for what all trees before it have in common only.
    """
    first, *others = trees
    nested = {key: value for key, value in first.items() if value and isinstance(value, dict)}
    shared = {key: value for key, value in first.items() if key not in nested}
    for tree in others:
        for key in [
            key
            for key, value in shared.items()
            if (item := tree.get(key, MISSING)) is not value and (item is MISSING or not same(value, item))
        ]:
            del shared[key]
        for key in [key for key in nested if not ((item := tree.get(key)) and isinstance(item, dict))]:
            del nested[key]
        if not shared and not nested:
            break
    return shared, nested


def _with_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return value
