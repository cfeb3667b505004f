"""``signac document``: print job documents, and change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules
from ..options import (
    allow_eval_option,
    dry_run_option,
    filter_option,
    ids_argument,
    job_id_option,
    layout_options,
    layout_text,
    output_options,
    shape_of,
    shape_on_terminal,
)
from ..output import JSON, Failure, Shape
from ..selection import confirm_selected, refuse_loose_filter, select, write_part

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..session import Session

__all__ = ["command"]


@click.command(
    "document",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        optional={"--pretty": "3", "--indent": "2"},
        abbreviated=("--help", "--pretty", "--indent", "--sort", "--filter"),
        filters=("--filter",),
    ),
)
@ids_argument
@filter_option("-f", "--filter")
@job_id_option
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a key to a number, string or JSON; repeatable.",
)
@click.option("--unset", "deletions", multiple=True, metavar="KEY", help="Delete a key; repeatable.")
@dry_run_option
@layout_options
@allow_eval_option
@output_options
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    ids: tuple[str, ...],
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    assignments: tuple[str, ...],
    deletions: tuple[str, ...],
    dry_run: bool,
    pretty: int | None,
    indent: int | None,
    sort_keys: bool,
    allow_eval: bool,
    **shape_options: Any,
) -> int:
    """Print the documents of the jobs with the given IDs, in that order, or change them.

    Without ids and without a filter, those of all jobs are printed; on a terminal, as a table. '-' reads ids from
    standard input.

    With --set or --unset the documents are changed instead, each in one step that is safe while other processes write
    to it. The jobs have to be named, by ids or a filter; -f '{}' means all of them. On a terminal you are asked before
    several documents are changed that -f selects; -y answers.
    """
    shape = shape_of(**shape_options)
    text = layout_text("doc", shape, pretty=pretty, indent=indent, sort_keys=sort_keys)
    named = [*ids, *(job_ids or ())]
    if not assignments and not deletions:
        if dry_run:
            raise click.UsageError("--dry-run goes with --set and --unset.")
        laid_out = pretty is not None or indent is not None or sort_keys
        shape = shape_on_terminal(session, shape, laid_out=laid_out)
        return write_part(
            session,
            "doc",
            named,
            filter_tokens,
            shape,
            text,
            allow_eval=allow_eval,
            sort_keys=sort_keys,
            laid_out=laid_out,
        )

    if shape not in (Shape(), Shape(JSON)) or pretty is not None or indent is not None or sort_keys:
        raise click.UsageError("Of the output options only --json goes with --set and --unset.")
    if not named and filter_tokens is None:
        raise click.UsageError("Name the jobs to change by ids, '-', -j or -f; -f '{}' means all of them.")
    refuse_loose_filter("document", filter_tokens)
    if stray := next((word for word in ids if "=" in word and "/" not in word), None):
        if stray.startswith("="):
            raise click.UsageError("--set takes KEY=VALUE in one argument, with no blanks around '='.")
        raise click.UsageError(f"--set takes one KEY=VALUE, and is repeated for the next: --set {_quoted(stray)}.")
    _refuse_repeated(assignments)
    values, deleted = _parse(session, assignments, deletions)
    space = session.space()
    damaged: list[str] = []
    selected = select(session, space, named, filter_tokens, allow_eval=allow_eval, damaged=damaged, proven=True)
    if not dry_run:
        confirm_selected(session, space, "Change the documents of", selected, filter_tokens)
    status = _edit(session, space, selected, values, deleted, dry_run=dry_run, as_json=shape.mode == JSON)
    return session.report_damaged(damaged) or status


def _refuse_repeated(assignments: Sequence[str]) -> None:
    """Make sure that no value is forgotten because its key has another one, too.

    Raises click.UsageError if a key has two.
    """
    texts: dict[str, str] = {}
    for assignment in assignments:
        key, _, text = assignment.partition("=")
        if (before := texts.setdefault(key.removeprefix("doc."), text)) != text:
            raise click.UsageError(f"--set was given two values of '{key}', '{before}' and '{text}'.")


def _parse(
    session: Session, assignments: Sequence[str], deletions: Sequence[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Values to set, and keys to delete, by dotted key; checked as far as that is possible without the documents.

    Raises click.UsageError if an assignment has no key or value, a key cannot be meant as one, or the keys contradict
    each other; Failure if a value cannot be part of a document.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        _refuse_other_bytes(assignment)
        text = assignment.strip()
        if text.startswith("{") and text.endswith("}"):
            values |= _read_object(session, text)
            continue
        key, equals, text = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, not '{assignment}'.")
        written, key = key, _named_key(key)
        value = _read_value(session, key, text) if text.strip() else None
        if objection := _objection(written.strip(), key):
            raise _refusal(f"--set {_quoted(assignment)}", objection, key, "--set", {key: value})
        if not text.strip():
            empty = _quoted(f'{key}=""')
            raise click.UsageError(
                f"'--set {assignment}' has no value; --set {empty} sets an empty string, --unset deletes the key."
            )
        if text.startswith("="):
            right, literal = _quoted(f"{key}={text.lstrip('=')}"), _quoted(f"{key}={_as_json(text)}")
            raise click.UsageError(
                f"--set {_quoted(assignment)}: did you mean: --set {right} (the string is written --set {literal})"
            )
        values[key] = value
    deleted = tuple(_deletion(text) for text in deletions)
    for key in (*values, *deleted):
        if "" in key.split("."):
            raise click.UsageError(f"'{key}' is not a key: the parts between the dots may not be empty.")
        other = next(
            (above for above in _all_above(key) if above in values or (key in values and above in deleted)), None
        )
        if other is not None or (key in values and key in deleted):
            raise click.UsageError(f"The keys '{other or key}' and '{key}' contradict each other.")
    return values, deleted


def _deletion(text: str) -> str:
    """Key to delete; in double quotes it is taken literally."""
    _refuse_other_bytes(text)
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        from signac_core.filterparse import parse_value

        try:
            return str(parse_value(text))
        except ValueError as error:
            raise click.UsageError(f"--unset {_quoted(text)}: {error}") from None
    key = _named_key(text)
    if objection := _objection(text.strip(), key):
        raise _refusal(f"--unset {_quoted(text)}", objection, key, "--unset", key)
    return key


def _named_key(text: str) -> str:
    """Key without the prefix that it may have as in a condition."""
    return text.strip().removeprefix("doc.")


_NO_PART_OF_A_KEY = frozenset('[]{}<>~!"$=')
_NO_END_OF_A_KEY = ("+", "-", "*", "/", "%", "^", "|", "&", ":", "?", "@")


def _objection(written: str, key: str) -> str | None:
    """Say why a key cannot have been meant as it was written."""
    if written == "sp" or written.startswith("sp."):
        change = f"job.{key}" if key != "sp" else "job.sp.KEY"
        return f"a state point is not changed here, but by '{change} = VALUE' in 'signac shell'"
    if written == "doc":
        return "'doc' is the document itself, of which a key has to be named"
    if "[" in key:
        return "elements of a list are not changed one by one; give the whole list"
    if key.endswith(("<", ">", "!", "~")):
        return f"'{key[-1]}=' is for conditions; a value is set by '='"
    if key.endswith(_NO_END_OF_A_KEY):
        return f"there is no '{key[-1]}='; give the new value"
    if not _NO_PART_OF_A_KEY.isdisjoint(key) or not key.isprintable():
        return "conditions cannot name such a key"
    return None


def _refusal(given: str, objection: str, key: str, option: str, literally: Any) -> click.UsageError:
    """Build the error for a key that cannot have been meant, with the way to write it if it was."""
    advice = ""
    if objection.startswith("a state point") and "." in key:
        advice = f" A key 'sp' of the document is written doc.{key}."
    elif "." not in key:
        advice = f" A key of that name is written {option} {_quoted(_as_json(literally))}."
    return click.UsageError(f"{given}: {objection}.{advice}")


def _read_object(session: Session, text: str) -> dict[str, Any]:
    """Values by keys that are meant literally."""
    value = _read_value(session, "--set", text)
    if not isinstance(value, dict):
        raise click.UsageError(f"--set takes KEY=VALUE or a JSON object, not '{text}'.")
    if "" in value:
        raise click.UsageError("An empty string is no key of a document.")
    return value


def _read_value(session: Session, key: str, text: str) -> Any:
    """Value as `signac_core.filterparse.parse_value` reads it, checked as a part of a document.

    Raises Failure if it cannot be one.
    """
    from signac_core.canonical import plain
    from signac_core.filterparse import parse_value

    word = text.strip()
    hint = None
    try:
        try:
            value = parse_value(word, lambda hint: session.output.info(f"{key}: {hint}"))
        except ValueError:
            hint = f"As a string it is written --set {_quoted(f'{key}={_as_json(text)}')}." if key != "--set" else None
            raise
        value = plain(value)
    except ValueError as error:
        raise Failure(f"Invalid value for '{key}': {str(error).rstrip('.')}.", code="bad-value", hint=hint) from None
    if isinstance(value, str) and value == word:
        return text
    digits = word.lstrip("+-")
    if type(value) is int and digits != str(abs(value)) and digits[0] not in "[{":
        literal = _quoted(f"{key}={_as_json(word)}")
        session.output.info(f"{key}: '{word}' is the number {value}; as a string it is written --set {literal}")
    return value


def _refuse_other_bytes(argument: str) -> None:
    """Refuse bytes that are no UTF-8: no other program could read what they become in JSON.

    Raises Failure if there are any.
    """
    if any("\udc80" <= character <= "\udcff" for character in argument):
        shown = argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        raise Failure(f"'{shown}' is not UTF-8, which a document holds only.", code="bad-value")


def _as_json(value: Any) -> str:
    from json import dumps

    return dumps(value, ensure_ascii=False)


def _quoted(argument: str) -> str:
    from shlex import quote

    return quote(argument)


def _all_above(key: str) -> Iterator[str]:
    """Dotted keys of the mappings that a key is in."""
    end = key.find(".")
    while end >= 0:
        yield key[:end]
        end = key.find(".", end + 1)


def _edit(
    session: Session,
    space: Space,
    ids: Sequence[str],
    values: Mapping[str, Any],
    deletions: Sequence[str],
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Change the documents, each in one locked write; return the exit status."""
    from signac_core.documents.editing import edit_document, would_edit_document

    from ..report import Report, followed

    edit = would_edit_document if dry_run else edit_document
    report = Report(session, "document", ("updated", "unchanged"), noun="document", dry_run=dry_run)
    unmet = list(dict.fromkeys(deletions))
    for job_id in followed(session, "Comparing" if dry_run else "Writing documents", dict.fromkeys(ids)):
        absent: list[str] = []
        try:
            changed = edit(space, job_id, set=values, unset=deletions, absent=absent)
        except Exception as error:
            report.add_error(job_id, error)
        else:
            report.add(job_id, "updated" if changed else "unchanged")
        unmet = unmet and [key for key in unmet if key in absent]
    if unmet and ids:
        from ..suggestions import document_keys, hint_at_unknown

        hint_at_unknown(session, space, document_keys(unmet))
    return report.finish(as_json=as_json)
