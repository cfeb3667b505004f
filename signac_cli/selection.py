"""The jobs that options select, and what is read of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from .arguments import INFIX
from .output import PLAIN, Failure, JSONText

if TYPE_CHECKING:
    from signac_core.index.selection import Selection
    from signac_core.progress import Progress
    from signac_core.query import Query
    from signac_core.workspace import Space

    from .keys import Record
    from .output import Shape
    from .session import Session

__all__ = [
    "confirm_selected",
    "enough_digits",
    "find_matching",
    "hint_at_keys",
    "hint_at_unknown_fields",
    "looks_like_id",
    "parse_filter",
    "read_records",
    "reading_bar",
    "refuse_loose_filter",
    "resolve",
    "select",
    "write_part",
]

_FIRST_CHUNK, _CHUNK = 256, 1024
_LARGEST_CHUNK = 8192
_DOTTED_KEY = re.compile(r"(?!doc\.)[^\d+.=<>~!{-][^=<>~!]*\.[^=<>~!]+")

_FEWEST_DIGITS = 6

_LONGEST_FILTER = 500
"""Characters of a filter in a question, which has to stay in sight."""

_ID_DIGITS = 4
"""As many digits at least make a word look like the beginning of an id."""


def hint_at_unknown_fields(
    session: Session, space: Space, shape: Shape, *, everywhere: bool, damaged: Sequence[str]
) -> None:
    """Tell about fields of a template that nothing in the project has, after everything has been written.

    ``everywhere`` says that all jobs of the project have been written, unless some are damaged.
    """
    if shape.template is not None and (unmet := shape.template.unmet()):
        from .suggestions import fields, hint_at_unknown

        hint_at_unknown(session, space, fields(unmet), everywhere=everywhere and not damaged)


def select(
    session: Session,
    space: Space,
    ids: Sequence[str],
    filter_tokens: Sequence[str] | None,
    *,
    allow_eval: bool,
    damaged: list[str],
    minimum: int = 1,
    proven: bool = False,
) -> Sequence[str]:
    """Ids of the jobs that are named, or that match a filter, or of all jobs.

    Damaged jobs match no filter, and are collected. ``minimum`` is the shortest beginning of an id that is accepted.
    Jobs that are going to be removed, moved or changed have to be ``proven``: an index is not simply believed.

    Raises Failure if both ids and a filter are given, an id cannot be resolved, or the filter is invalid.
    """
    if ids and filter_tokens is not None:
        raise Failure("Job ids and a filter exclude each other.", code="usage", hint="Give one of them.")
    if ids:
        return resolve(session, space, ids, minimum=minimum)
    tokens = filter_tokens or ()
    context = click.get_current_context(silent=True)
    takes_names = context is not None and context.info_name in ("shell", "sync", "view")
    if tokens and (takes_names or any(map(_may_be_misread, tokens))):
        from .misreadings import refuse_misread_words

        refuse_misread_words(space, tokens)
    query = parse_filter(session, tokens, allow_eval=allow_eval)
    found = find_matching(session, space, query, damaged=damaged, proven=proven)
    hint_at_keys(session, space, tokens, found)
    return found


def _may_be_misread(token: str) -> bool:
    """Tell whether a word of a filter may be a template, a script, a directory or an id."""
    if not INFIX.isdisjoint(token) or token.startswith('{"'):
        return False
    is_plain = token.lstrip("+-").replace(".", "").replace("_", "").isalnum()
    return not is_plain or token.endswith(".py") or looks_like_id(token)


def hint_at_keys(session: Session, space: Space, tokens: Sequence[str], found: Sequence[str]) -> None:
    """Tell about conditions that are the names of keys, if that may have been meant, and about names with dots."""
    is_condition = [not INFIX.isdisjoint(token) and not token.startswith("{") for token in tokens]
    # A condition with a word behind it may be a key and its value for signac 2.4.1.
    if any(one and not (found and after) for one, after in pairwise([*is_condition, True])):
        from .misreadings import hint_at_keys_like_conditions

        hint_at_keys_like_conditions(session, space, tokens)
    names = [
        match[0].strip().removeprefix("sp.").partition(".$")[0] for match in map(_DOTTED_KEY.match, tokens) if match
    ]
    for name in names:
        if "." in name and any(_has_dotted_name(state_point, name) for state_point in space.known.values()):
            session.output.info(
                f"Some state points have a key that is named '{name}' with the dot; filters cannot ask for it, and "
                "signac-filter(7) says how to rename it."
            )


def _has_dotted_name(data: Any, key: str, *, is_dotted: bool = False) -> bool:
    """Tell whether a key leads to a value by way of a name that has a dot in it."""
    if not isinstance(data, dict):
        return False
    if key in data:
        return is_dotted or "." in key
    return any(
        key[:at] in data and _has_dotted_name(data[key[:at]], key[at + 1 :], is_dotted=is_dotted or "." in key[:at])
        for at, character in enumerate(key)
        if character == "."
    )


def parse_filter(session: Session, tokens: Sequence[str], *, allow_eval: bool) -> Query | None:
    """Parse the tokens of a filter and tell how they were understood; None when every job matches.

    Raises Failure if the filter is invalid.
    """
    if not tokens:
        return None
    from signac_core.canonical import dumps
    from signac_core.filterparse import parse_tokens
    from signac_core.query import compile_filter

    try:
        filter = parse_tokens(tokens, allow_eval=allow_eval, hint=session.output.info)
        query = compile_filter(filter) if filter else None
    except Exception as error:  # the source of a $where can raise anything
        raise _filter_failure(error) from error
    if len(tokens) > 1 or not tokens[0].startswith(("{", "[")):
        session.output.info(f"Interpreted filter arguments as '{dumps(filter)}'.")
    return query


def find_matching(
    session: Session,
    space: Space,
    query: Query | None,
    *,
    damaged: list[str],
    ids: Sequence[str] | None = None,
    proven: bool = False,
) -> Sequence[str]:
    """Ids of the jobs that match a filter, among ``ids`` if given; sorted, or in the order of ``ids``.

    Raises Failure if the filter cannot be applied.
    """
    from signac_core.finding import find_ids

    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    try:
        with reading_bar(session) as progress:
            found = find_ids(
                space, query, ids=ids, damaged=damaged, proven=proven, processes=processes, progress=progress
            )
    except Exception as error:
        if hasattr(error, "__notes__"):  # raised by a $where
            raise _filter_failure(error) from error
        raise
    if query is not None and query.incomparable:
        session.output.warn(
            f"Some values of {', '.join(sorted(query.incomparable))} are of a type that the operator cannot be applied "
            "to; they do not match."
        )
    if query is not None and (not found or _has_open_conditions(query)):
        from .suggestions import conditions, hint_at_unknown

        is_everything = ids is None and not query.needs_state_points and not damaged
        hint_at_unknown(session, space, conditions(query, found=bool(found)), everywhere=is_everything)
    return found


def _has_open_conditions(query: Query) -> bool:
    """Tell whether a job can match that does not have all the keys of a filter."""
    from signac_core.query import And, Condition

    parts = query.expression.parts if isinstance(query.expression, And) else (query.expression,)
    return any(not isinstance(part, Condition) or (part.operator == "$exists" and not part.argument) for part in parts)


def reading_bar(session: Session) -> AbstractContextManager[Progress | None]:
    """Context manager for a progress bar while files are read: only if standard output is not a pipe to a pager."""
    if not (session.output.is_terminal and session.progress):
        return nullcontext()
    from .progress import bar

    return bar(session, "Reading")


def _filter_failure(error: Exception) -> Failure:
    text = str(error) if isinstance(error, (KeyError, ValueError, TypeError)) else f"{type(error).__name__}: {error}"
    return Failure(" ".join([text, *getattr(error, "__notes__", ())]), code="bad-filter")


def resolve(session: Session, space: Space, texts: Iterable[str], *, minimum: int = 1) -> list[str]:
    """Ids that are meant by what the user wrote, in that order.

    Raises Failure if any of them cannot be resolved; all others that cannot have been reported before.
    """
    from signac_core.resolving import resolve_ids

    given = list(_expanded(session, texts))
    ids, unresolved = resolve_ids(space, given, minimum=minimum)
    if unresolved:
        from .misreadings import refuse_misread_ids

        refuse_misread_ids(space, [problem.text for problem in unresolved])
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


def looks_like_id(word: str) -> bool:
    """Tell whether a word is more likely an id than anything else: 4 digits of one, the path of a job, or ``-``."""
    name = word.rstrip("/").rpartition("/")[2]
    return word == "-" or (_ID_DIGITS <= len(name) <= 32 and set(name) <= set("0123456789abcdef"))


def refuse_loose_filter(command: str, tokens: Sequence[str] | None) -> None:
    """Make sure that what a command is to change was selected on purpose.

    Raises Failure if these are ids, or end with a key alone, which is what ``T>2`` becomes when a shell takes ``>2``
    for itself, or a value is empty, as that of an unset variable is.
    """
    if not tokens:
        return
    from signac_core.filterparse import condition_without_value, key_without_value

    if len(tokens) == 1 and tokens[0].startswith("[") and tokens[0].endswith("]"):
        raise Failure(
            f"A filter in JSON is an object such as '{{\"a\": 1}}', not {tokens[0]}.",
            code="usage",
            hint="All jobs are '{}'.",
            status=2,
        )
    if all(map(looks_like_id, tokens)):
        raise Failure(
            f"'{tokens[0]}' looks like an id, and -f/--filter takes conditions; there is no -f for 'force'.",
            code="usage",
            hint=f"Ids stand without it: 'signac {command} {tokens[0]}'. A key of that name: '{tokens[0]}=VALUE'.",
            status=2,
        )
    if (condition := condition_without_value(tokens)) is not None:
        raise Failure(
            f"The condition '{condition}' has no value; check for an unset variable.",
            code="usage",
            hint=f"The empty string is written '{condition}\"\"'.",
            status=2,
        )
    key = key_without_value(tokens)
    if key == "-":
        raise Failure(
            "Job ids ('-') and a filter exclude each other.", code="usage", hint="Give one of them.", status=2
        )
    if key and not key.startswith(("{", "[")):  # an empty one and unfinished JSON are told when the filter is read
        name = key.partition(".$")[0]
        raise Failure(
            f"The filter ends with the key '{key}' alone, which means every job that has the key.",
            code="usage",
            hint=f"Write a condition in quotes, such as '{name}>2': a shell takes < and > for itself. "
            f"Where all jobs with the key are meant, write '{name}=!'.",
            status=2,
        )


def confirm_selected(
    session: Session, space: Space, verb: str, ids: Collection[str], filter_tokens: Sequence[str] | None
) -> None:
    """Ask before more than one job is changed that a filter has selected, if there is somebody to ask.

    Raises Failure if the answer is no.
    """
    if filter_tokens is None or len(ids) < 2 or session.yes or not session.output.can_ask:
        return
    from signac_core.canonical import dumps
    from signac_core.catalog import list_ids
    from signac_core.filterparse import parse_tokens

    total = len(list_ids(space))
    filter = parse_tokens(filter_tokens, allow_eval=True)
    text = dumps(filter)
    shown = text if len(text) <= _LONGEST_FILTER else text[: _LONGEST_FILTER - 3] + "..."
    jobs = f"all {total} jobs" if len(ids) >= total else f"{len(ids)} of {total} jobs"
    which = f", those that match '{shown}'" if filter else ""
    if not session.confirm(f"{verb} {jobs}{which}?"):
        raise Failure("The answer was no; nothing has been changed.", code="refused")


def enough_digits(space: Space) -> Callable[[], int]:
    """Function that finds out how many digits tell the ids of a project apart; at least 6, lest a few jobs more do."""
    known: list[int] = []

    def digits() -> int:
        from signac_core.catalog import list_ids
        from signac_core.resolving import unique_prefix_length

        if not known:
            known.append(max(_FEWEST_DIGITS, unique_prefix_length(list_ids(space))))
        return known[0]

    return digits


def write_part(
    session: Session,
    part: str,
    ids: Sequence[str],
    filter_tokens: Sequence[str] | None,
    shape: Shape,
    text: Callable[[Record], str | bytes],
    *,
    allow_eval: bool,
    sort_keys: bool,
    laid_out: bool,
) -> int:
    """Print the state points (``sp``) or documents (``doc``) of the jobs that are named; return the exit status.

    Unless they are ``laid_out``, ``text`` takes what `canonical.dumps` gives as well.

    Raises Failure as `select`.
    """
    space = session.space(at_one_moment=True)
    damaged: list[str] = []
    selected = select(session, space, ids, filter_tokens, allow_eval=allow_eval, damaged=damaged)
    texts: Literal["records", "dumped"] | None = None
    if not sort_keys and session.output.copies_json(shape):
        texts = "records"
    elif not laid_out and shape.mode in (None, PLAIN):
        texts = "dumped"
    records = read_records(space, selected, shape.parts(part), damaged=damaged, texts=texts)
    session.output.write_records(records, shape, text, sort_keys=sort_keys, digits=enough_digits(space))
    hint_at_unknown_fields(session, space, shape, everywhere=not ids and filter_tokens is None, damaged=damaged)
    return session.report_damaged(damaged)


def read_records(
    space: Space,
    ids: Sequence[str],
    parts: Container[str],
    *,
    damaged: list[str],
    texts: Literal["records", "dumped", "sorted"] | None = None,
) -> Iterator[Any]:
    """Read what is asked for of each job (``path``, ``sp``, ``doc``), one block of jobs after the other.

    Jobs that cannot be read are left out and collected, those that have vanished are left out silently. Of a block
    that the index holds, ``texts`` gives records as `JSONText`, or the parts of them as `canonical.dumps` does,
    with sorted keys or not.
    """
    readers: dict[str, Callable[[Sequence[str]], Mapping[str, Any]]] = {}
    if "path" in parts:
        readers["path"] = lambda some: _paths(space, some, texts=texts)
    if "sp" in parts:
        readers["sp"] = lambda some: _read_state_points(space, some, damaged=damaged, texts=texts)
    if "doc" in parts:
        readers["doc"] = lambda some: _read_documents(space, some, damaged=damaged, texts=texts)
    for block in _blocks(space, ids, most=_LARGEST_CHUNK if "doc" in parts else _CHUNK):
        names = list(block)
        values = {part: read(block) for part, read in readers.items()}
        if texts == "records":
            if all(isinstance(found, BlockTexts) for found in values.values()):
                yield from _as_json(names, values)
                continue
            values = {part: _as_data(found) for part, found in values.items()}
        if len(values) == 1:
            [(part, found)] = values.items()
            for job_id in names if len(found) < len(names) else found:
                if job_id in found:
                    yield {"id": job_id, part: found[job_id]}
            continue
        for job_id in names:
            if all(job_id in found for found in values.values()):
                yield {"id": job_id} | {part: found[job_id] for part, found in values.items()}


class BlockTexts(dict[str, JSONText]):
    """State points, documents or paths of all jobs of a block."""


def _paths(space: Space, ids: Sequence[str], *, texts: str | None) -> Mapping[str, Any]:
    """Paths of jobs by id, as JSON where records are."""
    if texts == "records":
        from signac_core.canonical import dumps_strictly

        with suppress(ValueError):  # a name that is not UTF-8
            start = dumps_strictly(os.path.join(space.workspace, "")).encode()[:-1]
            return BlockTexts({job_id: JSONText(b'%b%b"' % (start, job_id.encode())) for job_id in ids})
    return {job_id: os.path.join(space.workspace, job_id) for job_id in ids}


def _as_json(names: Sequence[str], values: Mapping[str, Mapping[str, JSONText]]) -> Iterator[JSONText]:
    """Records as JSON."""
    template = '{"id":"%b",' + ",".join(f'"{part}":%b' for part in values) + "}"
    columns = [map(found.__getitem__, names) for found in values.values()]
    return map(JSONText, map(template.encode().__mod__, zip(map(str.encode, names), *columns, strict=True)))


def _as_data(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """State points or documents as data, where another part of the records has to be made from data."""
    if not isinstance(found, BlockTexts):
        return found
    from signac_core.index.texts import Lines

    return dict(zip(found, Lines(list(found.values()), plain=True).trees(), strict=True))


def _blocks(space: Space, ids: Sequence[str], *, most: int) -> Iterator[Sequence[str]]:
    """Parts of a list of ids, small ones first; of what the index holds if there are many, as `Selection`."""
    from signac_core.catalog import MANY_FILES, open_index, tell_unusable

    if len(ids) > MANY_FILES and (snapshot := open_index(space)) is not None and snapshot.is_kept:
        from signac_core.index.selection import selection_of

        try:
            ids = selection_of(snapshot, ids)
        except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
            tell_unusable(error)
    most = max(most, getattr(ids, "at_once", _CHUNK))  # of a Selection, which few commands need to know
    start, number = 0, _FIRST_CHUNK
    while start < len(ids):
        yield ids[start : start + number]
        start, number = start + number, min(2 * number, most)


def _read_state_points(space: Space, ids: Sequence[str], *, damaged: list[str], texts: str | None) -> Mapping[str, Any]:
    """State points by id, as the texts in the index if possible."""
    from signac_core.catalog import read_state_points, tell_unusable

    if texts and not isinstance(ids, (list, tuple)):
        try:
            lines, is_plain = cast("Selection", ids).lines()
        except Exception as error:  # derived data: whatever is wrong with it, the files have the answer
            tell_unusable(error)
        else:
            if is_plain and (found := _as_texts(ids, lines, texts)) is not None:
                return found
    return dict(read_state_points(space, ids, damaged=damaged))


def _read_documents(space: Space, ids: Sequence[str], *, damaged: list[str], texts: str | None) -> Mapping[str, Any]:
    """Documents by id, as the texts in the index if possible."""
    from signac_core.documents.many import document_texts, read_documents

    if texts and not isinstance(ids, (list, tuple)):
        lines, is_plain = document_texts(cast("Selection", ids).snapshot, ids)
        if is_plain and (found := _as_texts(ids, lines, texts)) is not None:
            return found
    return dict(read_documents(space, ids if len(set(ids)) == len(ids) else list(dict.fromkeys(ids)), damaged=damaged))


def _as_texts(ids: Iterable[str], lines: Sequence[bytes | None], texts: str) -> BlockTexts | None:
    """Texts in one of the forms that `read_records` knows; None if files have to be asked."""
    if None in lines:
        return None
    found = list(filter(None, lines))
    if texts != "records":
        from signac_core.index.texts import in_order_of_keys, spaced

        try:
            found = spaced(in_order_of_keys(found) if texts == "sorted" else found)
        except ValueError:  # derived data: whatever is wrong with it, the files have the answer
            return None
    return BlockTexts(zip(ids, map(JSONText, found), strict=True))
