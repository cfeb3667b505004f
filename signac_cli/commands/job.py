"""``signac job``: the id or the path of the job of a state point, and its creation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules
from ..options import shape_of
from ..output import JSON, Failure
from ..report import followed
from ..selection import looks_like_id

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..keys import Record
    from ..session import Session

__all__ = ["command"]

_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


@click.command(
    "job",
    cls=Command,
    rules=Rules(abbreviated=("--help", "--workspace", "--path", "--create")),
)
@click.argument("statepoint", default="-", metavar="[STATEPOINT|-]")
@click.option("-c", "--create", is_flag=True, help="Create the job if it does not exist.")
@click.option("-p", "--path", is_flag=True, help="Print the path of the job directory instead of the id.")
@click.option("-w", "--workspace", is_flag=True, help="The same as --path.")
@click.option("--json", "as_json", is_flag=True, help="Print id, path, and whether the job was created, as JSON.")
@click.option("--jsonl", "as_json_lines", is_flag=True, help="Print such an object per line.")
@click.option("-0", "--null", is_flag=True, help="End each record with NUL instead of a newline.")
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    statepoint: str,
    create: bool,
    path: bool,
    workspace: bool,
    as_json: bool,
    as_json_lines: bool,
    null: bool,
) -> None:
    """Print the id of the job with a STATEPOINT, a JSON object.

    Without an argument, or with '-', any number of state points is read from standard input. Nothing is created
    unless every one of them is valid. With --json an argument gives one object, standard input an array.
    """
    shape = shape_of(as_json=as_json, as_json_lines=as_json_lines, null=null)
    space = session.space()
    state_points = list(_read(session, statepoint))
    jobs: list[Record] = []
    try:
        for state_point in followed(session, "Creating", state_points) if create else state_points:
            jobs.append(_describe(space, state_point, create=create))
    finally:
        # Jobs that were created are told even when the next one could not be.
        if shape.mode == JSON and statepoint != "-" and jobs:
            session.output.write_json(jobs[0])
        elif jobs:
            as_path = path or workspace
            session.output.write_records(
                jobs, shape, lambda job: os.fsencode(job["path"]) if as_path else str(job["id"])
            )


def _describe(space: Space, state_point: dict[str, Any], *, create: bool) -> Record:
    created = False
    if create:
        from signac_core.lifecycle import create_job

        job_id, created = create_job(space, state_point)
    else:
        from signac_core.canonical import calc_id

        job_id = calc_id(state_point)
    return {"id": job_id, "path": os.path.join(space.workspace, job_id), "created": created}


def _read(session: Session, argument: str) -> Iterator[dict[str, Any]]:
    """State points that were given, each checked."""
    from signac_core.canonical import loads, plain_state_point, refuse_repeated_keys

    from_stdin = argument == "-"
    text = session.read_input("state points (JSON)").removeprefix("\ufeff") if from_stdin else argument
    try:
        _refuse_other_bytes(text)
        for value in _documents(text) if from_stdin else [loads(text)]:
            if not isinstance(value, dict):
                raise ValueError(f"it is {_KINDS[type(value)]}")
            yield plain_state_point(value)
        refuse_repeated_keys(text)
        _hint_at_large_numbers(session, text)
    except (ValueError, RecursionError) as error:
        if (words := text.split()) and all(map(looks_like_id, words)):
            raise _ids_given(words, from_stdin=from_stdin) from None
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        shown = text if len(text) <= 80 else text[:77] + "..."
        where = "on standard input" if from_stdin else f"'{shown}'"
        reason = str(error).rstrip(".") if isinstance(error, ValueError) else "it is nested too deeply"
        reason += _advice(error)
        raise Failure(
            f"Invalid state point {where}: {reason}.",
            code="bad-statepoint",
            hint="A state point is a JSON object such as '{\"a\": 1}'; its keys contain no dots.",
        ) from None


def _hint_at_large_numbers(session: Session, text: str) -> None:
    """Tell about numbers that JSON has, and no state point."""
    if "e" not in text and "E" not in text:
        return
    from signac_core.filterparse import numbers_too_large

    for number in dict.fromkeys(numbers_too_large(text)):
        session.output.info(f"'{number}' is too large for a number and taken as infinity")


def _advice(error: Exception) -> str:
    """How JSON writes the number or constant that it does not know."""
    from json import JSONDecodeError

    from signac_core.filterparse import json_advice

    return json_advice(error) if isinstance(error, JSONDecodeError) else ""


def _ids_given(words: Sequence[str], *, from_stdin: bool) -> Failure:
    """Build the error for ids in the place of state points."""
    where = "Standard input holds ids, not state points" if from_stdin else f"'{words[0]}' is an id, not a state point"
    jobs = "-" if from_stdin else words[0]
    return Failure(
        f"{where}.",
        code="bad-statepoint",
        hint=f"The path of a job is 'signac find -j {jobs} --path', its state point 'signac statepoint {jobs}'.",
    )


def _refuse_other_bytes(text: str) -> None:
    """Refuse bytes that are no UTF-8, which have been read as surrogates.

    Raises ValueError if there are any; the message tells the line.
    """
    if text.isascii():
        return
    place = next((place for place, character in enumerate(text) if "\udc80" <= character <= "\udcff"), None)
    if place is not None:
        raise ValueError(f"line {text.count(chr(10), 0, place) + 1} is not UTF-8")


def _documents(text: str) -> Iterator[Any]:
    """JSON documents that follow each other in a text, at least one."""
    from json import JSONDecoder

    decoder = JSONDecoder()
    position = _skip_blanks(text, 0)
    if position == len(text):
        raise ValueError("there is none")
    while True:
        value, position = decoder.raw_decode(text, position)
        position = _skip_blanks(text, position)
        yield value
        if position == len(text):
            return


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\n\r":
        position += 1
    return position
