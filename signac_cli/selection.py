"""Which jobs a command is about, and what is read of them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from signac_core import reading

from .output import Failure

if TYPE_CHECKING:
    from signac_core.project import Project
    from signac_core.query import Query

    from .app import Session
    from .output import Record

__all__ = ["find", "parse_filter", "read_records", "resolve", "select"]

_CHUNK = 256


def select(
    session: Session,
    project: Project,
    ids: Sequence[str],
    filter_tokens: Sequence[str] | None,
    *,
    allow_eval: bool,
    damaged: list[str],
    minimum: int = 1,
) -> list[str]:
    """Ids of the jobs that are named, or that match a filter, or of all jobs.

    Parameters
    ----------
    session : Session
        The run.
    project : Project
        The project.
    ids : sequence of str
        What the user wrote for ids; ``-`` stands for those on standard input.
    filter_tokens : sequence of str, optional
        The tokens of a filter.
    allow_eval : bool
        Accept ``$where`` in the filter.
    damaged : list of str
        Collects the ids of damaged jobs, which match no filter.
    minimum : int
        The shortest beginning of an id that is accepted.

    Returns
    -------
    list of str
        The ids: as named, or sorted.

    Raises
    ------
    Failure
        If both ids and a filter are given, an id cannot be resolved, or the filter is invalid.

    """
    if ids and filter_tokens is not None:
        raise Failure("Job ids and a filter exclude each other.", code="usage", hint="Give one of them.")
    if ids:
        return resolve(session, project, ids, minimum=minimum)
    query = parse_filter(session, filter_tokens or (), allow_eval=allow_eval)
    return find(session, project, query, damaged=damaged)


def parse_filter(session: Session, tokens: Sequence[str], *, allow_eval: bool) -> Query | None:
    """Parse the tokens of a filter and tell how they were understood; None when every job matches.

    Raises
    ------
    Failure
        If the filter is invalid.

    """
    if not tokens:
        return None
    from signac_core.canonical import dumps
    from signac_core.filterparse import parse_tokens
    from signac_core.query import compile_filter

    try:
        filter = parse_tokens(tokens, allow_eval=allow_eval, hint=session.output.talk)
        if len(tokens) > 1 or not tokens[0].startswith(("{", "[")):
            session.output.talk(f"Interpreted filter arguments as '{dumps(filter)}'.")
        return compile_filter(filter) if filter else None
    except Exception as error:  # the source of a $where can raise anything
        raise _filter_failure(error) from error


def find(
    session: Session, project: Project, query: Query | None, *, damaged: list[str], ids: Sequence[str] | None = None
) -> list[str]:
    """Ids of the jobs that match a filter, among ``ids`` if given; sorted, or in the order of ``ids``.

    Raises
    ------
    Failure
        If the filter cannot be applied.

    """
    try:
        found = reading.find_ids(project, query, ids=ids, damaged=damaged)
    except Exception as error:
        if hasattr(error, "__notes__"):  # raised by a $where
            raise _filter_failure(error) from error
        raise
    if query is not None and query.incomparable:
        session.output.warn(
            f"Some values of {', '.join(sorted(query.incomparable))} are of a type that the operator cannot be applied "
            "to; they do not match."
        )
    return found


def _filter_failure(error: Exception) -> Failure:
    text = str(error) if isinstance(error, (KeyError, ValueError, TypeError)) else f"{type(error).__name__}: {error}"
    return Failure(" ".join([text, *getattr(error, "__notes__", ())]), code="bad-filter")


def resolve(session: Session, project: Project, texts: Iterable[str], *, minimum: int = 1) -> list[str]:
    """Ids that are meant by what the user wrote, in that order.

    Parameters
    ----------
    session : Session
        The run.
    project : Project
        The project.
    texts : iterable of str
        Ids, beginnings of ids, paths of job directories; ``-`` stands for those on standard input.
    minimum : int
        The shortest beginning of an id that is accepted.

    Raises
    ------
    Failure
        If any of them cannot be resolved; all others that cannot have been reported before.

    """
    ids, unresolved = reading.resolve_ids(project, list(_expanded(session, texts)), minimum=minimum)
    if unresolved:
        *others, last = unresolved
        for problem in others:
            session.output.error(problem.reason, code="unknown-id")
        raise Failure(last.reason, code="unknown-id")
    return ids


def _expanded(session: Session, texts: Iterable[str]) -> Iterator[str]:
    """Put the ids on standard input in the place of ``-``."""
    for text in texts:
        if text == "-":
            yield from _split_ids(session.read_input("job ids"))
        else:
            yield text


def _split_ids(text: str) -> Iterator[str]:
    """Split ids at white space and NUL; between NULs, white space may also be part of a path."""
    if "\0" not in text:
        yield from text.split()
        return
    for part in text.split("\0"):
        if "/" in part:
            yield part.strip("\r\n")
        else:
            yield from part.split()


def read_records(
    project: Project,
    ids: Sequence[str],
    parts: Container[str],
    *,
    damaged: list[str],
    known: Mapping[str, Record] | None = None,
) -> Iterator[dict[str, Any]]:
    """Read what is asked for of each job, one after the other.

    Parameters
    ----------
    project : Project
        The project.
    ids : sequence of str
        The jobs.
    parts : container of str
        What to read: ``path``, ``sp``, ``doc``.
    damaged : list of str
        Collects the ids of jobs left out because they cannot be read. Jobs that vanished are left out silently.
    known : mapping of str to mapping, optional
        Records of before, by id, which save reading again.

    Yields
    ------
    dict
        The record of a job: ``id``, and ``path``, ``sp``, ``doc`` as asked for.

    """
    known = known or {}
    readers = {"sp": reading.read_state_points, "doc": reading.read_documents}
    remaining = iter(ids)
    while chunk := list(islice(remaining, _CHUNK)):
        values: dict[str, dict[str, Any]] = {}
        if "path" in parts:
            values["path"] = {job_id: os.path.join(project.workspace, job_id) for job_id in chunk}
        for part, read in readers.items():
            if part in parts:
                found = {job_id: known[job_id][part] for job_id in chunk if part in known.get(job_id, ())}
                unknown = [job_id for job_id in dict.fromkeys(chunk) if job_id not in found]
                values[part] = found | dict(read(project, unknown, damaged=damaged))
        for job_id in chunk:
            if all(job_id in found for found in values.values()):
                yield {"id": job_id} | {part: found[job_id] for part, found in values.items()}
