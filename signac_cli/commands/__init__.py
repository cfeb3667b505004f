"""The commands, one module each, and what they share.

That is the options of one vocabulary, the jobs that these select, and the report of what has been done to them. The
same option means the same wherever it appears, because it is defined here once. `signac_cli.app` says which commands
there are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..arguments import AtLeast, Tokens
from ..output import JSON, JSON_LINES, PLAIN, TABLE, TEMPLATE, Failure, OutputClosed, Shape

if TYPE_CHECKING:
    from signac_core.progress import Progress
    from signac_core.project import Project
    from signac_core.query import Query

    from ..app import Session
    from ..output import Record

__all__ = [
    "Report",
    "allow_eval_option",
    "confirm_selected",
    "dry_run_option",
    "enough_digits",
    "filter_option",
    "find_matching",
    "followed",
    "ids_argument",
    "job_id_option",
    "layout_options",
    "layout_text",
    "looks_like_id",
    "output_options",
    "parse_filter",
    "read_records",
    "reading_bar",
    "refuse_loose_filter",
    "report_option",
    "resolve",
    "select",
    "shape_of",
    "shape_on_terminal",
    "tell_fields",
    "tell_keys",
]

_F = TypeVar("_F", bound=Callable[..., Any])

_T = TypeVar("_T")

_CHUNK = 256
_OPERATORS = frozenset("=<>~")
_DOTTED_KEY = re.compile(r"(?!doc\.)[^\d+.=<>~!{-][^=<>~!]*\.[^=<>~!]+")
_FEWEST_DIGITS = 6
_FEW = 32
"""So few jobs are soon dealt with."""
_LONGEST_FILTER = 500
"""Characters of a filter in a question, which has to stay in sight."""
_ID_DIGITS = 4
"""As many digits at least make a word look like the beginning of an id."""

# --- options -------------------------------------------------------------------------------------------------------


def _apply(function: _F, *decorators: Callable[[_F], _F]) -> _F:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


def output_options(function: _F) -> _F:
    """Add ``--json --jsonl --format --table --plain -0``; the command gets their values by these names."""
    return _apply(
        function,
        click.option("--json", "as_json", is_flag=True, help="Print one JSON array."),
        click.option("--jsonl", "as_json_lines", is_flag=True, help="Print one JSON object per line."),
        click.option(
            "--format",
            "template",
            metavar="TEMPLATE",
            help="Print lines such as '{id} {sp.a} {doc.b:.3f}'.",
        ),
        click.option("--table", "as_table", is_flag=True, help="Print a table."),
        click.option("--plain", is_flag=True, help="Print the text of a pipe on a terminal, too."),
        click.option("-0", "--null", is_flag=True, help="End each record with NUL instead of a newline."),
    )


def shape_of(
    *,
    as_json: bool,
    as_json_lines: bool,
    template: str | None = None,
    as_table: bool = False,
    plain: bool = False,
    null: bool,
) -> Shape:
    """Combine the output options.

    Raises
    ------
    click.UsageError
        If they exclude each other, or the template is not understood.

    """
    given = {JSON: as_json, JSON_LINES: as_json_lines, TEMPLATE: template is not None, TABLE: as_table, PLAIN: plain}
    modes = [mode for mode, wanted in given.items() if wanted]
    if len(modes) > 1:
        raise click.UsageError(f"--{modes[0]} and --{modes[1]} exclude each other.")
    mode = modes[0] if modes else None
    if null and mode in (JSON, JSON_LINES, TABLE):
        raise click.UsageError(f"-0 does not combine with --{mode}: it ends plain records and those of --format.")
    if template is None:
        return Shape(mode, None, null)
    from ..templates import Template

    try:
        parsed = Template(template)
    except ValueError as error:
        raise click.UsageError(f"Invalid template '{template}': {error}") from None
    if not parsed.needs:
        known = (JSON, JSON_LINES, TABLE, PLAIN)
        advice = f"; did you mean --{template.lower()}?" if template.lower() in known else "."
        raise click.UsageError(
            f"The template '{template}' has no field such as {{id}}, {{sp.KEY}}, {{doc.KEY}}{advice}"
        )
    return Shape(mode, parsed, null)


def tell_fields(session: Session, project: Project, shape: Shape, *, everywhere: bool, damaged: Sequence[str]) -> None:
    """Tell about fields of a template that nothing in the project has.

    Parameters
    ----------
    session : Session
        The run.
    project : Project
        The project.
    shape : Shape
        The output options, after everything has been written.
    everywhere : bool
        All jobs of the project have been written, unless some are damaged.
    damaged : list of str
        Jobs that could not be read.

    """
    if shape.template is not None and (unmet := shape.template.unmet()):
        from ..suggestions import fields, tell_unknown

        tell_unknown(session, project, fields(unmet), everywhere=everywhere and not damaged)


def layout_options(function: _F) -> _F:
    """Add ``-p -i -s``, which lay out the state points or documents in plain text."""
    return _apply(
        function,
        click.option(
            "-p",
            "--pretty",
            type=AtLeast(0),
            metavar="[DEPTH]",
            help="Print Python data, DEPTH (3) levels; 0 is off.",
        ),
        click.option("-i", "--indent", type=int, metavar="[N]", help="Print as JSON, indented by N (2) blanks."),
        click.option("-s", "--sort", "sort_keys", is_flag=True, help="Sort the keys."),
    )


def layout_text(
    part: str, shape: Shape, *, pretty: int | None, indent: int | None, sort_keys: bool
) -> Callable[[Record], str]:
    """Plain text of a part of a record, laid out as `layout_options` say.

    Raises
    ------
    click.UsageError
        If they are combined with another output mode.

    """
    if (pretty is not None or indent is not None) and shape.mode not in (None, PLAIN):
        raise click.UsageError(f"--pretty and --indent lay out plain text; they do not combine with --{shape.mode}.")
    if sort_keys and shape.mode in (TEMPLATE, TABLE):
        raise click.UsageError(f"--sort sorts the keys of text and JSON; it does not combine with --{shape.mode}.")
    if pretty:
        from pprint import pformat

        return lambda record: pformat(record[part], depth=pretty)
    if indent is None:
        from signac_core.canonical import dumps

        return lambda record: dumps(record[part], sort_keys=sort_keys)
    import json

    return lambda record: json.dumps(record[part], indent=indent, sort_keys=sort_keys)


def shape_on_terminal(session: Session, shape: Shape, *, laid_out: bool) -> Shape:
    """Shape of records for a person who has asked for no other: a table."""
    is_free = shape == Shape() and not laid_out
    return shape._replace(mode=TABLE) if is_free and session.output.is_terminal else shape


def ids_argument(function: _F) -> _F:
    """Add the positional ``ID...``."""
    return click.argument("ids", nargs=-1, metavar="[ID...|-]")(function)


def filter_option(*names: str) -> Callable[[_F], _F]:
    """Add the option that selects jobs by a filter."""
    return click.option(
        *names, "filter_tokens", type=Tokens(), metavar="FILTER...", help="Select the jobs that match a filter."
    )


def job_id_option(function: _F) -> _F:
    """Add the option that selects jobs by their ids."""
    return click.option(
        "-j",
        "--job-id",
        "job_ids",
        type=Tokens(),
        metavar="ID...",
        help="Select jobs by id; '-' reads standard input.",
    )(function)


def allow_eval_option(function: _F) -> _F:
    """Add the option without which filters cannot run Python code."""
    return click.option("--allow-eval", is_flag=True, help="Let $where in a filter run Python code.")(function)


def dry_run_option(function: _F) -> _F:
    """Add the option that changes nothing."""
    return click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and change nothing.")(function)


def report_option(function: _F) -> _F:
    """Add ``--json`` to a command that changes something."""
    return click.option("--json", "as_json", is_flag=True, help="Print a report as one JSON object.")(function)


# --- the jobs that they select -------------------------------------------------------------------------------------


def select(
    session: Session,
    project: Project,
    ids: Sequence[str],
    filter_tokens: Sequence[str] | None,
    *,
    allow_eval: bool,
    damaged: list[str],
    minimum: int = 1,
    proven: bool = False,
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
    proven : bool
        The jobs are going to be removed, moved or changed: an index is not simply believed.

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
    tokens = filter_tokens or ()
    context = click.get_current_context(silent=True)
    takes_names = context is not None and context.info_name in ("shell", "sync", "view")
    if tokens and (takes_names or any(map(_may_be_foreign, tokens))):
        from ..misreadings import refuse_foreign_words

        refuse_foreign_words(project, tokens)
    query = parse_filter(session, tokens, allow_eval=allow_eval)
    found = find_matching(session, project, query, damaged=damaged, proven=proven)
    tell_keys(session, project, tokens, found)
    return found


def _may_be_foreign(token: str) -> bool:
    """Tell whether a word of a filter may be a template, a script, a directory or an id."""
    if not _OPERATORS.isdisjoint(token) or token.startswith('{"'):
        return False
    is_plain = token.lstrip("+-").replace(".", "").replace("_", "").isalnum()
    return not is_plain or token.endswith(".py") or looks_like_id(token)


def tell_keys(session: Session, project: Project, tokens: Sequence[str], found: Sequence[str]) -> None:
    """Tell about conditions that are the names of keys, if that may have been meant, and about names with dots."""
    is_condition = [not _OPERATORS.isdisjoint(token) and not token.startswith("{") for token in tokens]
    # A condition with a word behind it may be a key and its value for signac 2.4.1.
    if any(one and not (found and after) for one, after in pairwise([*is_condition, True])):
        from ..misreadings import tell_keys_like_conditions

        tell_keys_like_conditions(session, project, tokens)
    names = [
        match[0].strip().removeprefix("sp.").partition(".$")[0] for match in map(_DOTTED_KEY.match, tokens) if match
    ]
    for name in names:
        if "." in name and any(_has_dotted_name(state_point, name) for state_point in project.space.known.values()):
            session.output.talk(
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
        query = compile_filter(filter) if filter else None
    except Exception as error:  # the source of a $where can raise anything
        raise _filter_failure(error) from error
    if len(tokens) > 1 or not tokens[0].startswith(("{", "[")):
        session.output.talk(f"Interpreted filter arguments as '{dumps(filter)}'.")
    return query


def find_matching(
    session: Session,
    project: Project,
    query: Query | None,
    *,
    damaged: list[str],
    ids: Sequence[str] | None = None,
    proven: bool = False,
) -> list[str]:
    """Ids of the jobs that match a filter, among ``ids`` if given; sorted, or in the order of ``ids``.

    Raises
    ------
    Failure
        If the filter cannot be applied.

    """
    from signac_core.finding import find_ids

    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    try:
        with reading_bar(session) as progress:
            found = find_ids(
                project.space, query, ids=ids, damaged=damaged, proven=proven, processes=processes, progress=progress
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
        from ..suggestions import conditions, tell_unknown

        is_everything = ids is None and not query.needs_state_points and not damaged
        tell_unknown(session, project, conditions(query, found=bool(found)), everywhere=is_everything)
    return found


def _has_open_conditions(query: Query) -> bool:
    """Tell whether a job can match that does not have all the keys of a filter."""
    from signac_core.query import And, Condition

    parts = query.expression.parts if isinstance(query.expression, And) else (query.expression,)
    return any(not isinstance(part, Condition) or (part.operator == "$exists" and not part.argument) for part in parts)


def reading_bar(session: Session) -> AbstractContextManager[Progress | None]:
    """Context manager for a progress bar while files are read: only if standard output is not a pipe to a pager.

    Parameters
    ----------
    session : Session
        The run.

    Returns
    -------
    context manager
        As `progress.bar`.

    """
    if not (session.output.is_terminal and session.progress):
        return nullcontext()
    from ..progress import bar

    return bar(session, "Reading")


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
    from signac_core.resolving import resolve_ids

    given = list(_expanded(session, texts))
    ids, unresolved = resolve_ids(project.space, given, minimum=minimum)
    if unresolved:
        from ..misreadings import refuse_foreign_ids

        refuse_foreign_ids(project, [problem.text for problem in unresolved])
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

    Parameters
    ----------
    command : str
        What the user wrote, such as ``rm``.
    tokens : sequence of str, optional
        The tokens of a filter.

    Raises
    ------
    Failure
        If these are ids, or end with a key alone, which is what ``T>2`` becomes when a shell takes ``>2`` for itself,
        or a value is empty, as that of an unset variable is.

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
            hint=f"The empty text is written '{condition}\"\"'.",
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
    session: Session, project: Project, verb: str, ids: Collection[str], filter_tokens: Sequence[str] | None
) -> None:
    """Ask before more than one job is changed that a filter has selected, if there is somebody to ask.

    Parameters
    ----------
    session : Session
        The run.
    project : Project
        The project of the jobs.
    verb : str
        What is going to be done, up to the jobs, such as ``Remove``.
    ids : collection of str
        The jobs that were selected.
    filter_tokens : sequence of str, optional
        The tokens of the filter, which have been accepted.

    Raises
    ------
    Failure
        If the answer is no.

    """
    if filter_tokens is None or len(ids) < 2 or session.yes or not session.output.can_ask:
        return
    from signac_core.canonical import dumps
    from signac_core.catalog import list_ids
    from signac_core.filterparse import parse_tokens

    total = len(list_ids(project.space))
    filter = parse_tokens(filter_tokens, allow_eval=True)
    text = dumps(filter)
    shown = text if len(text) <= _LONGEST_FILTER else text[: _LONGEST_FILTER - 3] + "..."
    jobs = f"all {total} jobs" if len(ids) >= total else f"{len(ids)} of {total} jobs"
    which = f", those that match '{shown}'" if filter else ""
    if not session.confirm(f"{verb} {jobs}{which}?"):
        raise Failure("The answer was no; nothing has been changed.", code="refused")


def enough_digits(project: Project) -> Callable[[], int]:
    """Function that finds out how many digits tell the ids of a project apart; at least 6, lest a few jobs more do."""
    known: list[int] = []

    def digits() -> int:
        from signac_core.catalog import list_ids
        from signac_core.resolving import unique_prefix_length

        if not known:
            known.append(max(_FEWEST_DIGITS, unique_prefix_length(list_ids(project.space))))
        return known[0]

    return digits


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
    from signac_core.catalog import preload, read_state_points

    known = known or {}
    if "sp" in parts:
        preload(project.space, len(ids) - len(known))
    readers: dict[str, Callable[..., Iterable[tuple[str, dict[str, Any]]]]] = {"sp": read_state_points}
    if "doc" in parts:
        from signac_core.documents.many import read_documents

        readers["doc"] = read_documents
    remaining = iter(ids)
    while chunk := list(islice(remaining, _CHUNK)):
        values: dict[str, dict[str, Any]] = {}
        if "path" in parts:
            values["path"] = {job_id: os.path.join(project.workspace, job_id) for job_id in chunk}
        for part, read in readers.items():
            if part in parts:
                found = {job_id: known[job_id][part] for job_id in chunk if part in known.get(job_id, ())}
                unknown = [job_id for job_id in dict.fromkeys(chunk) if job_id not in found]
                values[part] = found | dict(read(project.space, unknown, damaged=damaged))
        for job_id in chunk:
            if all(job_id in found for found in values.values()):
                yield {"id": job_id} | {part: found[job_id] for part, found in values.items()}


# --- what has been done to them ------------------------------------------------------------------------------------


def followed(session: Session, label: str, items: Collection[_T]) -> Iterator[_T]:
    """Items one after the other, with a progress bar if there are many.

    Parameters
    ----------
    session : Session
        The run.
    label : str
        What is being done, such as ``Removing``.
    items : collection
        What it is done to.

    Yields
    ------
    object
        Each item.

    """
    if len(items) <= _FEW:
        yield from items
        return
    from signac_core.progress import track

    from ..progress import bar

    with bar(session, label) as progress:
        yield from track(items, label, len(items), progress)


class Report:
    """What has been done to each job.

    Parameters
    ----------
    session : Session
        The run.
    command : str
        The name of the command.
    actions : sequence of str
        What can be done to a job, in the past tense; the first is the purpose of the command.
    noun : str
        What is counted.
    dry_run : bool
        Nothing has really been done.

    Attributes
    ----------
    details : dict
        What else the command tells in JSON.

    """

    when_interrupted = "No job is left half done."
    """What is true after Ctrl-C."""

    def __init__(
        self, session: Session, command: str, actions: Sequence[str], *, noun: str = "job", dry_run: bool = False
    ) -> None:
        self.session = session
        self.command = command
        self.actions = actions
        self.noun = noun
        self.dry_run = dry_run
        self.jobs: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.details: dict[str, Any] = {}
        self.left_out: list[dict[str, str]] = []
        if not dry_run:
            session.when_interrupted = self.when_interrupted

    def add(self, job_id: str, action: str) -> None:
        """Note what has been done to a job."""
        self.jobs.append({"id": job_id, "action": action})

    def leave_out(self, path: str, reason: str) -> None:
        """Note a link that is not copied, or would not be; `finish` tells about it."""
        self.left_out.append({"path": path, "reason": reason})

    def fail(self, job_id: str | None, error: Exception) -> None:
        """Tell that something could not be done, and note it."""
        from ..app import as_failure

        failure = as_failure(error)
        is_named = job_id is None or job_id in failure.message
        message = failure.message if is_named else f"Job {job_id}: {failure.message}"
        self.session.output.error(message, code=failure.code, hint=failure.hint)
        self.errors.append({"id": job_id, "code": failure.code, "message": message})

    def finish(self, *, as_json: bool) -> int:
        """Write the summary, and the report or (of a dry run) the ids; return the exit status.

        Parameters
        ----------
        as_json : bool
            Write the report to standard output.

        """
        counts = self._counts()
        output = self.session.output
        self._tell_left_out()
        output.tell_more()
        output.talk(self._summary(counts))
        try:
            if as_json:
                output.write_json(self._document(counts))
            elif self.dry_run:
                output.write_lines(job["id"] for job in self.jobs if job["action"] == self.actions[0])
        except OutputClosed:  # the work is done, whether anybody reads about it or not
            output.abandon()
        return 1 if self.errors else 0

    def _document(self, counts: dict[str, int]) -> dict[str, Any]:
        """The report as JSON."""
        left_out = {"left_out": self.left_out} if self.left_out else {}
        report = {"command": self.command, "dry_run": self.dry_run, "counts": counts}
        return report | self.details | left_out | {"jobs": self.jobs, "errors": self.errors}

    def _tell_left_out(self) -> None:
        """Tell which links are not copied, one line for each reason."""
        groups: dict[str, list[str]] = {}
        for link in self.left_out:
            groups.setdefault(link["reason"], []).append(link["path"])
        for reason, (first, *others) in groups.items():
            links, such_as = (f"{1 + len(others)} links", ", such as") if others else ("1 link", ":")
            are = "would be" if self.dry_run else "were" if others else "was"
            self.session.output.warn(f"{links} {are} left out{such_as} '{first}'; {reason}.")

    def _counts(self) -> dict[str, int]:
        counts = {action: sum(job["action"] == action for job in self.jobs) for action in self.actions}
        return counts | {"failed": len(self.errors)}

    def _summary(self, counts: dict[str, int]) -> str:
        (first, number), *others = counts.items()
        done = f"Would have {first}" if self.dry_run else first.capitalize()
        parts = [f"{done} {number} {self.noun}{'' if number == 1 else 's'}"]
        parts += [f"{count} {action}" for action, count in others if count]
        return ", ".join(parts) + "."
