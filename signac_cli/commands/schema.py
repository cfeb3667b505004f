"""``signac schema``: the keys of state points, with their types and values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules
from ..options import allow_eval_option, filter_option, job_id_option, shape_of
from ..output import JSON, TABLE
from ..selection import reading_bar, select

if TYPE_CHECKING:
    from signac_core.survey.schema import ProjectSchema

    from ..output import Output
    from ..session import Session

__all__ = ["command"]

SHOWN_VALUES = 5
"""Of more values than this only the first and the last are shown."""

LONG_VALUE = 40
"""A longer value is shortened on a terminal."""

_TYPE_NAMES = {"tuple": "list", "NoneType": "null"}


@click.command(
    "schema",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        abbreviated=(
            "--help",
            "--exclude-const",
            "--depth",
            "--precision",
            "--max-num-range",
            "--filter",
            "--job-id",
        ),
        filters=("--filter",),
    ),
)
@click.option("-x", "--exclude-const", is_flag=True, help="Leave out keys with one value in all selected jobs.")
@click.option("-t", "--depth", type=int, metavar="N", help="Print nested Python data, N levels; 0 is flat.")
@click.option("-p", "--precision", type=int, metavar="N", help="Round the numbers that are shown to N decimals.")
@click.option(
    "-r",
    "--max-num-range",
    "shown",
    type=int,
    metavar="N",
    help=f"Of more than N ({SHOWN_VALUES}) values show first and last.",
)
@filter_option("-f", "--filter")
@job_id_option
@allow_eval_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all values.")
@click.option("--table", "as_table", is_flag=True, help="Print a table.")
@click.option("--plain", is_flag=True, help="Print the text of a pipe on a terminal, too.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    exclude_const: bool,
    depth: int | None,
    precision: int | None,
    shown: int | None,
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    allow_eval: bool,
    as_json: bool,
    as_table: bool,
    plain: bool,
) -> int:
    """Print the keys of the state points, with the types and values of each."""
    shape = shape_of(as_json=as_json, as_json_lines=False, as_table=as_table, plain=plain, null=False)
    if shape.mode == JSON and (depth, precision, shown) != (None, None, None):
        raise click.UsageError(f"--depth, --precision and --max-num-range do not combine with --{JSON}: it has it all.")
    if shape.mode == TABLE and depth:
        raise click.UsageError(f"--depth lays out plain text; it does not combine with --{TABLE}.")
    space = session.space(at_one_moment=True)
    damaged: list[str] = []
    selected: Sequence[str] | None = None
    if job_ids or filter_tokens:
        selected = select(session, space, job_ids or (), filter_tokens, allow_eval=allow_eval, damaged=damaged)

    from signac_core.layout import is_job_id
    from signac_core.survey.detecting import detect_schema

    with reading_bar(session) as progress:
        schema = detect_schema(space, exclude_const=exclude_const, subset=selected, damaged=damaged, progress=progress)
    damaged = list(filter(is_job_id, damaged))  # other directories are no concern of anybody's here
    output = session.output
    if shape.mode == JSON:
        from signac_core.catalog import list_ids

        jobs = set(list_ids(space) if selected is None else selected).difference(damaged)
        output.write_json({"keys": _described(schema), "jobs": len(jobs)})
    elif shape.mode == TABLE or (shape.mode is None and output.is_terminal and not depth):
        _write_table(output, schema, precision, SHOWN_VALUES if shown is None else shown)
    else:
        output.write(schema.format(depth, precision, shown) + "\n")
    return session.report_damaged(damaged)


def _values(schema: ProjectSchema, key: str) -> dict[str, Sequence[Any]]:
    """Sorted values of a key by the names of their types; a key without values has empty mappings only."""
    types = schema.sorted_values(key).items()
    return {_TYPE_NAMES.get(kind.__name__, kind.__name__): values for kind, values in types} or {"dict": [{}]}


def _described(schema: ProjectSchema) -> dict[str, dict[str, Any]]:
    return {
        key: {kind: {"count": len(values), "values": list(values)} for kind, values in _values(schema, key).items()}
        for key in sorted(schema)
    }


def _write_table(output: Output, schema: ProjectSchema, precision: int | None, shown: int) -> None:
    from ..tables import Column, draw_columns, longest_number, visible

    show = _shown_to_a_person if output.is_terminal and precision is None else _shown
    longest = LONG_VALUE if output.is_terminal else None
    rows = [
        (visible(key), kind, str(len(values)), show(values, precision, shown, longest))
        for key in sorted(schema)
        for kind, values in _values(schema, key).items()
    ]
    if not rows:
        output.info("There are no keys.")
        return
    keys, kinds, counts, ranges = zip(*rows, strict=True)
    columns = [
        Column("key", keys, whole=True),
        Column("type", kinds, whole=True),
        Column("distinct", counts, whole=True, numeric=True),
        Column("values", ranges, folds=True, least=longest_number(ranges)),
    ]
    output.write_drawn(draw_columns(columns, terminal=output.is_terminal, color=output.has_color(sys.stdout)))


def _shown(values: Sequence[Any], precision: int | None, shown: int, longest: int | None) -> str:
    """Text of a range of values: of many the first and the last ones, of a long one the beginning and the end."""
    return ", ".join(_texts(values, precision, shown, longest))


def _shown_to_a_person(values: Sequence[Any], precision: int | None, shown: int, longest: int | None) -> str:
    """The same, with rounded numbers as long as these look different."""
    from ..tables import rounded

    texts = _texts(values, precision, shown, longest, rounded)
    return ", ".join(texts) if len(set(texts)) == len(texts) else _shown(values, precision, shown, longest)


def _texts(
    values: Sequence[Any],
    precision: int | None,
    shown: int,
    longest: int | None,
    write: Callable[[Any], str] | None = None,
) -> list[str]:
    from ..tables import as_cell

    def text(value: Any) -> str:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        value = round(value, precision) if is_number and precision is not None else value
        cell = as_cell(value, separator=", ", text=write)
        if longest is None or len(cell) <= longest:
            return cell
        return f"{cell[: longest // 2]}…{cell[longest // 2 - longest + 1 :]}"

    if len(values) <= max(shown, 2):
        return list(map(text, values))
    first = max(shown - 2, 1)
    return [*map(text, values[:first]), "...", *map(text, values[-(2 if shown > 2 else 1) :])]
