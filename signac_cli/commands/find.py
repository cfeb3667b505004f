"""``signac find``: jobs by their state points and documents."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from ..arguments import AtLeast, Command, ParamType, Rules, Tokens
from ..output import JSON, JSON_LINES, PLAIN, TABLE, TEMPLATE, Output, Record, Shape
from . import (
    allow_eval_option,
    enough_digits,
    find_matching,
    job_id_option,
    output_options,
    parse_filter,
    read_records,
    resolve,
    shape_of,
)

if TYPE_CHECKING:
    from signac_core.project import Project

    from ..app import Session

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
    """Keys in one argument, separated by commas: ``id``, ``sp.KEY`` (or ``KEY``), ``doc.KEY``."""

    name = "keys"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, str], ...]:
        """Split the keys into the part of the record and the key in it."""
        keys = []
        for text in value.split(","):
            if not text:
                self.fail(f"{value!r} has an empty key.", param, ctx)
            part, _, key = text.partition(".")
            keys.append((part, key) if text == "id" or part in ("sp", "doc") else ("sp", text))
        return tuple(keys)


@click.command(
    "find",
    cls=Command,
    rules=Rules(
        greedy={"--sp": 0, "--doc": 0, "--job-id": 1},
        optional={"--show": "3", "--pretty": "3"},
        abbreviated=("--help", "--show", "--sp", "--doc", "--pretty", "--one-line"),
        filters=("",),
    ),
)
@click.argument("filter_tokens", nargs=-1, metavar="[FILTER]...")
@click.option("-s", "--show", type=int, metavar="[N]", help="Show state point and document: --sp --doc (0 is off).")
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
    "--sort", "sort_keys", type=SortKeys(), metavar="KEY[,KEY]", help="Sort by id, sp.KEY or doc.KEY instead of by id."
)
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option("-L", "--limit", type=AtLeast(0), metavar="N", help="Print the first N jobs only.")
@click.option("--count", is_flag=True, help="Print how many jobs there are.")
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
    sort_keys: tuple[tuple[str, str], ...] | None,
    reverse: bool,
    limit: int | None,
    count: bool,
    job_ids: tuple[str, ...] | None,
    shard: tuple[int, int] | None,
    exit_status: bool,
    allow_eval: bool,
    **shape_options: Any,
) -> int:
    """Print the ids of the jobs that match a FILTER, sorted.

    A FILTER is conditions such as 'T>=1.5' (= != < <= > >=, ~ for a regular expression), KEY VALUE pairs, or a JSON
    object; see signac-filter(7). KEY is one of the state point, doc.KEY one of the document.
    """
    if show:
        sp_keys, doc_keys = sp_keys or (), doc_keys or ()
    attached = sp_keys is not None or doc_keys is not None
    shape = shape_of(**shape_options)
    _check_combination(shape, attached=attached, count=count, laid_out=one_line or pretty is not None)
    if shape.mode is None and attached and not (one_line or pretty) and session.output.is_terminal:
        shape = shape._replace(mode=TABLE)

    project = session.project()
    query = parse_filter(session, filter_tokens, allow_eval=allow_eval)
    damaged: list[str] = []
    among = None if job_ids is None else sorted(set(resolve(session, project, job_ids)))
    if shard is not None:
        among = _part(find_matching(session, project, None, damaged=damaged) if among is None else among, *shard)
    found = ids = find_matching(session, project, query, damaged=damaged, ids=among)
    known: dict[str, Record] = {}
    if sort_keys:
        ids, known = _sort(project, ids, sort_keys, damaged)
    if reverse:
        ids = ids[::-1]
    ids = ids[:limit]

    output = session.output
    if count:
        _write_count(output, len(ids), shape)
    elif shape.mode in (None, PLAIN) and not attached:
        if path:
            output.write_lines((os.fsencode(os.path.join(project.workspace, job_id)) for job_id in ids), shape.end)
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
        records = read_records(project, ids, parts, damaged=damaged, known=known)
        if shape.mode != TEMPLATE:
            records = _restricted(records, sp_keys or (), doc_keys or ())
        text = _one_line_text(project) if one_line else _pretty_text(pretty or DEPTH)
        keys = {"sp": sp_keys or (), "doc": doc_keys or ()}
        output.write_records(records, shape, text, keys=keys, digits=enough_digits(project))
    if session.report_damaged(damaged):
        return 1
    return NOTHING_FOUND if exit_status and not ids else 0


def _check_combination(shape: Shape, *, attached: bool, count: bool, laid_out: bool) -> None:
    """Refuse options that contradict each other.

    Raises
    ------
    click.UsageError
        If they do.

    """
    if shape.null and attached and shape.mode != TEMPLATE:
        raise click.UsageError("-0 does not combine with --sp, --doc or --show: it ends ids, paths and --format.")
    if laid_out and shape.mode not in (None, PLAIN):
        raise click.UsageError(f"--pretty and --one-line lay out plain text; they do not combine with --{shape.mode}.")
    if count and (attached or shape.null or shape.mode in (TEMPLATE, TABLE)):
        raise click.UsageError("--count prints one number; of the output options only --json and --jsonl go with it.")


def _part(ids: Iterable[str], index: int, count: int) -> list[str]:
    return [job_id for job_id in ids if int(job_id, 16) % count == index]


def _sort(
    project: Project, ids: Sequence[str], keys: Sequence[tuple[str, str]], damaged: list[str]
) -> tuple[list[str], dict[str, Record]]:
    """Sort ids by values of their jobs; return these as well, so that nothing is read twice."""
    from ..keys import lookup, order

    records = list(read_records(project, ids, {part for part, _ in keys}, damaged=damaged))

    def position(record: Record) -> list[Any]:
        return [order(lookup(record[part], key) if key else record[part]) for part, key in keys]

    records.sort(key=position)
    return [record["id"] for record in records], {record["id"]: record for record in records}


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


def _restricted(
    records: Iterable[dict[str, Any]], sp_keys: Sequence[str], doc_keys: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Records with the keys only that were asked for."""
    if not sp_keys and not doc_keys:
        yield from records
        return
    from ..keys import pick

    for record in records:
        for part, keys in (("sp", sp_keys), ("doc", doc_keys)):
            if keys and part in record:
                record[part] = pick(record[part], keys)
        yield record


def _pretty_text(depth: int) -> Callable[[Record], str]:
    """Text of a record as signac 2.4.1 prints it: the id, then Python data."""

    def text(record: Record) -> str:
        from pprint import pformat

        parts = [pformat(record[part], depth=depth) for part in ("sp", "doc") if part in record]
        return "\n".join([record.get("path", record["id"]), *parts])

    return text


def _one_line_text(project: Project) -> Callable[[Record], str]:
    """Text of a record as ``-1`` prints it: the id, then JSON behind the beginning of the id."""
    from signac_core.canonical import dumps
    from signac_core.reading import list_ids, unique_prefix_length

    length = max(6, unique_prefix_length(list_ids(project)))

    def text(record: Record) -> str:
        parts = [
            f"{record['id'][:length]} {part:3}\t{dumps(record[part], sort_keys=True)}"
            for part in ("sp", "doc")
            if part in record
        ]
        return "\n".join([record.get("path", record["id"]), *parts])

    return text
