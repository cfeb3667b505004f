"""``signac find``: jobs by their state points and documents."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import click

from ..arguments import AtLeast, Command, ParamType, Rules, Tokens
from ..options import allow_eval_option, job_id_option, output_options, shape_of
from ..output import JSON, JSON_LINES, PLAIN, TABLE, TEMPLATE, Output, Shape
from ..selection import (
    enough_digits,
    find_matching,
    hint_at_keys,
    hint_at_unknown_fields,
    parse_filter,
    read_records,
    resolve,
)

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..keys import Record, SortKey
    from ..session import Session

__all__ = ["command"]

DEPTH = 3
NOTHING_FOUND = 3


class Shard(ParamType):
    """One of N parts of all jobs, counted from 0."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Parse ``I/N``."""
        index, slash, count = value.partition("/")
        if not (slash and index.isdecimal() and count.isdecimal() and int(index) < int(count)):
            self.fail(f"{value!r} is not I/N with I from 0 to N-1.", param, ctx)
        return int(index), int(count)


class SortKeys(ParamType):
    """Keys in one argument, separated by commas: ``id``, ``sp.KEY`` (or ``KEY``), ``doc.KEY``, or ``-`` and one."""

    name = "keys"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[SortKey, ...]:
        """Split the keys into the part of the record and the key in it."""
        from ..keys import SortKey

        keys = []
        for text in map(str.strip, value.split(",")):
            name = text.removeprefix("-")
            part, dot, key = name.partition(".")
            if not name or (dot and part in ("sp", "doc") and not key):
                self.fail(f"{value!r} has an empty key.", param, ctx)
            if name.startswith("-"):
                self.fail(f"{text!r} is an option, and no key such as T or doc.energy.", param, ctx)
            if direction := _DIRECTION.search(name):
                plain = name[: direction.start()]
                wanted = f"-{plain}" if direction[1].lower().startswith("d") else plain
                self.fail(f"{text!r} is no key; write {wanted!r} ('-' sorts from high to low).", param, ctx)
            is_whole = name == "id" or part in ("sp", "doc")
            keys.append(SortKey(*((part, key) if is_whole else ("sp", name)), text.startswith("-")))
        return tuple(keys)


_DIRECTION = re.compile(r"[: ](asc|desc|ascending|descending)$", re.IGNORECASE)
"""How other programs write the direction behind a key."""


@click.command(
    "find",
    cls=Command,
    rules=Rules(
        greedy={"--sp": 0, "--doc": 0, "--filter": 1, "--job-id": 1},
        optional={"--show": "3", "--pretty": "3"},
        abbreviated=("--help", "--show", "--sp", "--doc", "--pretty", "--one-line"),
        verbatim=("--sort",),
        filters=("", "--filter"),
    ),
)
@click.argument("filter_tokens", nargs=-1, metavar="[FILTER]...")
@click.option("-s", "--show", type=int, metavar="[N]", help="Show state point and document (0 is off).")
@click.option("--sp", "sp_keys", type=Tokens(), metavar="[KEY...]", help="Show the state point, or these keys of it.")
@click.option("--doc", "doc_keys", type=Tokens(), metavar="[KEY...]", help="Show the document, or these keys of it.")
@click.option(
    "-p",
    "--pretty",
    type=AtLeast(1),
    metavar="[DEPTH]",
    help="Show as Python data, DEPTH levels (3) deep.",
)
@click.option("-1", "--one-line", is_flag=True, help="Show as JSON, each on one line.")
@click.option("--path", is_flag=True, help="Print paths instead of ids; add them to records.")
@click.option(
    "--sort",
    "sort_keys",
    type=SortKeys(),
    metavar="KEY[,KEY]",
    help="Sort by id, sp.KEY, doc.KEY; -KEY: descending.",
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option("-L", "--limit", type=AtLeast(0), metavar="N", help="Print the first N jobs only.")
@click.option("--count", is_flag=True, help="Print how many jobs there are.")
@click.option("-f", "--filter", "conditions", type=Tokens(), metavar="FILTER...", help="The same as FILTER.")
@job_id_option
@click.option("--shard", type=Shard(), metavar="I/N", help="Take part I (0 to N-1) of the jobs, always the same.")
@click.option("-e", "--exit-status", is_flag=True, help="Exit with status 3 when nothing is found.")
@allow_eval_option
@output_options
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    filter_tokens: tuple[str, ...],
    show: int | None,
    sp_keys: tuple[str, ...] | None,
    doc_keys: tuple[str, ...] | None,
    pretty: int | None,
    one_line: bool,
    path: bool,
    sort_keys: tuple[SortKey, ...] | None,
    reverse: bool,
    limit: int | None,
    count: bool,
    conditions: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    shard: tuple[int, int] | None,
    exit_status: bool,
    allow_eval: bool,
    **shape_options: Any,
) -> int:
    """Print the ids of the jobs that match a FILTER, sorted.

    A FILTER is conditions such as 'T>=1.5' (= != < <= > >= ~), KEY VALUE pairs, or a JSON object; see signac-filter(7).
    doc.KEY is a key of the document.
    """
    if filter_tokens and conditions:
        raise click.UsageError("Give the FILTER once: with -f/--filter or without.")
    if show:
        sp_keys, doc_keys = sp_keys or (), doc_keys or ()
    attached = sp_keys is not None or doc_keys is not None
    shape = shape_of(**shape_options)
    _check_combination(shape, attached=attached, count=count, laid_out=one_line or pretty is not None)
    if shape.mode is None and attached and not (one_line or pretty) and session.output.is_terminal:
        shape = shape._replace(mode=TABLE)

    space = session.space(at_one_moment=True)
    filter_tokens = filter_tokens or conditions or ()
    _check_keys(space, filter_tokens, sp=sp_keys or (), doc=doc_keys or ())
    query = parse_filter(session, filter_tokens, allow_eval=allow_eval)
    damaged: list[str] = []
    among = None if job_ids is None else sorted(set(resolve(session, space, job_ids)))
    if shard is not None:
        among = _part(find_matching(session, space, None, damaged=damaged) if among is None else among, *shard)
    found = ids = find_matching(session, space, query, damaged=damaged, ids=among)
    hint_at_keys(session, space, filter_tokens, found)
    is_everything = query is None and among is None
    if reverse:
        ids = ids[::-1]
    if sort_keys:
        from ..keys import sort

        ids, unmet = sort(space, ids, sort_keys, reverse=reverse, limit=limit, damaged=damaged)
        if unmet:
            from .. import suggestions

            suggestions.hint_at_unknown(
                session, space, suggestions.sort_keys(unmet), everywhere=is_everything and not damaged
            )
    ids = ids[:limit]

    output = session.output
    if count:
        _write_count(output, len(ids), shape)
    elif shape.mode in (None, PLAIN) and not attached:
        if path:
            output.write_lines((os.fsencode(os.path.join(space.workspace, job_id)) for job_id in ids), shape.end)
        elif query is None and among is None and shape == Shape() and output.is_terminal:
            output.write_drawn("".join(f"{line}\n" for line in _emphasized(output, ids, found)))
        else:
            output.write_ids(ids, shape.end)
    else:
        # JSON always has the state point, a table unless only the document was asked for.
        shown = {
            "sp": sp_keys is not None or shape.mode in (JSON, JSON_LINES) or (shape.mode == TABLE and doc_keys is None),
            "doc": doc_keys is not None,
            "path": path,
        }
        parts = shape.parts(*(part for part, wanted in shown.items() if wanted))
        chosen = _Columns(sp_keys or (), doc_keys or ())
        texts: Literal["records", "sorted"] | None = None
        if not (sp_keys or doc_keys):
            texts = "records" if output.copies_json(shape) else "sorted" if one_line else None
        records = read_records(space, ids, parts, damaged=damaged, texts=texts)
        if shape.mode != TEMPLATE:
            records = chosen.restricted(records)
        text = _one_line_text(space) if one_line else _pretty_text(pretty or DEPTH)
        output.write_records(records, shape, text, keys=chosen.keys, digits=enough_digits(space))
        is_everything = is_everything and limit is None
        chosen.hint_at_unknown(session, space, everywhere=is_everything and not damaged)
        hint_at_unknown_fields(session, space, shape, everywhere=is_everything, damaged=damaged)
    if session.report_damaged(damaged):
        return 1
    return NOTHING_FOUND if exit_status and not ids else 0


def _check_combination(shape: Shape, *, attached: bool, count: bool, laid_out: bool) -> None:
    """Refuse options that contradict each other. Raises click.UsageError if they do."""
    if shape.null and attached and shape.mode != TEMPLATE:
        raise click.UsageError("-0 does not combine with --sp, --doc or --show: it ends ids, paths and --format.")
    if laid_out and shape.mode not in (None, PLAIN):
        raise click.UsageError(f"--pretty and --one-line lay out plain text; they do not combine with --{shape.mode}.")
    if count and (attached or shape.null or shape.mode in (TEMPLATE, TABLE)):
        raise click.UsageError("--count prints one number; of the output options only --json and --jsonl go with it.")


_VALUES = frozenset({"true", "false", "null", "nan", "NaN", "inf"})


def _check_keys(space: Space, filter_tokens: Sequence[str], **chosen: Sequence[str]) -> None:
    """Refuse conditions and values in the place of keys to show. Raises click.UsageError if there are any."""
    for part, keys in chosen.items():
        if not all(key.replace(".", "").isidentifier() and key not in _VALUES for key in keys):
            from ..misreadings import refuse_values_among_keys

            refuse_values_among_keys(space, part, keys, filter_tokens)


def _part(ids: Iterable[str], index: int, count: int) -> list[str]:
    return [job_id for job_id in ids if int(job_id, 16) % count == index]


def _write_count(output: Output, count: int, shape: Shape) -> None:
    if shape.mode in (JSON, JSON_LINES):
        output.write_json({"count": count})
    else:
        output.write(f"{count}\n")


def _emphasized(output: Output, ids: Sequence[str], all_ids: Sequence[str]) -> Iterator[str]:
    """Ids with the part in bold that is enough to tell each from all others."""
    if not output.has_color(sys.stdout):
        yield from ids
        return
    shared = [_shared_length(left, right) for left, right in pairwise(all_ids)]
    lengths = dict(zip(all_ids, map(max, [0, *shared], [*shared, 0]), strict=True))
    for job_id in ids:
        length = lengths[job_id] + 1
        yield f"\033[1m{job_id[:length]}\033[0m{job_id[length:]}"


def _shared_length(left: str, right: str) -> int:
    return next(index for index, (a, b) in enumerate(zip(left, right, strict=True)) if a != b)


class _Columns:
    """The keys that were asked for, and which of them no record has."""

    def __init__(self, sp_keys: Sequence[str], doc_keys: Sequence[str]) -> None:
        self.keys = {"sp": sp_keys, "doc": doc_keys}
        self._unmet = {part: list(dict.fromkeys(keys)) for part, keys in self.keys.items()}
        self._is_empty = True

    def restricted(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Records with these keys only."""
        wanted = [(part, keys) for part, keys in self.keys.items() if keys]
        if not wanted:
            yield from records
            return
        from signac_core.canonical import MISSING

        from ..keys import lookup, pick

        for record in records:
            self._is_empty = False
            for part, keys in wanted:
                if part in record:
                    if unmet := self._unmet[part]:
                        self._unmet[part] = [key for key in unmet if lookup(record[part], key) is MISSING]
                    record[part] = pick(record[part], keys)
            yield record

    def hint_at_unknown(self, session: Session, space: Space, *, everywhere: bool) -> None:
        """Tell about keys that nothing in the project has."""
        if self._is_empty or not any(self._unmet.values()):
            return
        from .. import suggestions

        for part, keys in self._unmet.items():
            suggestions.hint_at_unknown(session, space, suggestions.columns(part, keys), everywhere=everywhere)


def _pretty_text(depth: int) -> Callable[[Record], str]:
    """Text of a record as signac 2.4.1 prints it: the id, then Python data."""

    def text(record: Record) -> str:
        from ..pretty import pformat

        lines = record.get("path", record["id"])
        for part in ("sp", "doc"):
            if part in record:
                lines += "\n" + pformat(record[part], depth=depth)
        return lines  # type: ignore[no-any-return]

    return text


def _one_line_text(space: Space) -> Callable[[Record], str]:
    """Text of a record as ``-1`` prints it: the id, then JSON behind the beginning of the id."""
    from signac_core.canonical import dumps

    length = enough_digits(space)()

    def line(record: Record, part: str) -> str:
        value = record[part]
        text = value.decode("ascii") if isinstance(value, bytes) else dumps(value, sort_keys=True)
        return f"{record['id'][:length]} {part:3}\t{text}"

    def text(record: Record) -> str:
        parts = [line(record, part) for part in ("sp", "doc") if part in record]
        return "\n".join([record.get("path", record["id"]), *parts])

    return text
