"""What was probably meant by a filter that nothing matches. Only such a filter pays for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signac_core.project import Project
    from signac_core.query import Query

__all__ = ["unknown_keys"]

_MOST_HINTS = 5


def unknown_keys(project: Project, query: Query) -> Iterator[str]:
    """Tell about the keys of a filter that no state point has.

    What is known of the state points is what the query has left behind: the index, or what it has read. No file of a
    job is read for a hint.

    Parameters
    ----------
    project : Project
        The project, all jobs of which have been judged by the query.
    query : Query
        The filter.

    Yields
    ------
    str
        A hint for each such key.

    """
    wanted = {condition.path: None for condition in query.conditions if condition.namespace == "sp" and condition.path}
    nowhere = (
        path for path in wanted if not any(_has(state_point, path) for state_point in project._sp_cache.values())
    )
    unknown = list(islice(nowhere, _MOST_HINTS))
    if not unknown:
        return
    known = {*_indexed_keys(project), *_dotted_keys(project._sp_cache.values())}
    for path in unknown:
        key = ".".join(path)
        if known and key not in known and not any(name.startswith(key + ".") for name in known):
            yield f"No state point has the key '{key}'{_advice(key, known)}"


def _advice(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    alike = {name.lower(): name for name in known}
    close = get_close_matches(key.lower(), alike, n=1)
    return f"; did you mean '{alike[close[0]]}'?" if close else "; 'signac schema' lists the keys."


def _indexed_keys(project: Project) -> Iterator[str]:
    """Dotted keys of the index, as far as there is one."""
    from signac_core.index import UnusableIndexError, glimpse

    try:
        index = glimpse.open_tables(project.path, "sp")
    except (OSError, UnusableIndexError):
        return
    with index:
        yield from index.dotted_keys()


def _dotted_keys(mappings: Iterable[Mapping[str, Any]], prefix: str = "") -> Iterator[str]:
    for mapping in mappings:
        for key, value in mapping.items():
            yield prefix + key
            if isinstance(value, dict):
                yield from _dotted_keys([value], f"{prefix}{key}.")


def _has(state_point: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = state_point
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True
