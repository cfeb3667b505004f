"""``signac sync``: bring the jobs and documents of one project into another."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..arguments import AtLeast, Command, Directory, Rules
from ..options import allow_eval_option, dry_run_option, filter_option, job_id_option, report_option
from ..output import Failure, one_line
from ..selection import select
from ..transfer import check_different

if TYPE_CHECKING:
    import re

    from signac_core.failures import Failed
    from signac_core.job import Job
    from signac_core.progress import Progress
    from signac_core.project import Project
    from signac_core.sync.strategies import DocSync
    from signac_core.sync.work import FileStrategy, SyncAction

    from ..session import Session
    from ..syncreport import SyncReport

__all__ = ["command"]

EVERYTHING = ".*"
ALL_PROCESSORS = 0
_SHOWN = 5
"""So many damaged jobs are named."""

OLD_OPTIONS = (
    "--help --archive --recursive --links --perms --owner --group --times --exclude --ignore-times --size-only "
    "--round-times --dry-run --update --strategy --key --all-keys --no-keys --force --merge --parallel --stats "
    "--human-readable --json --filter --job-id"
)


@click.command(
    "sync",
    cls=Command,
    rules=Rules(
        greedy={"--filter": 1, "--job-id": 1},
        optional={"--exclude": EVERYTHING, "--parallel": str(ALL_PROCESSORS)},
        abbreviated=tuple(OLD_OPTIONS.split()),
        filters=("--filter",),
    ),
)
@click.argument("source", type=Directory())
@click.argument("destination", required=False, type=Directory())
@click.option("-a", "--archive", is_flag=True, help="The same as -rltpog.")
@click.option("-r", "--recursive", is_flag=True, help="Go into sub-directories.")
@click.option("-l", "--links", is_flag=True, help="Copy links as links.")
@click.option("-p", "--perms", is_flag=True, help="Preserve permissions.")
@click.option("-o", "--owner", is_flag=True, help="Preserve the owner.")
@click.option("-g", "--group", is_flag=True, help="Preserve the group.")
@click.option("-t", "--times", is_flag=True, help="Preserve modification times; needs -p.")
@click.option(
    "-x", "--exclude", multiple=True, metavar="[REGEX]", help="Leave out files of such names (all); repeatable."
)
@click.option("-I", "--ignore-times", is_flag=True, help="Compare the content of files.")
@click.option("--size-only", is_flag=True, help="Take files of equal size for equal.")
@click.option("--round-times", is_flag=True, help="Compare times in whole seconds.")
@click.option("-u", "--update", is_flag=True, help="The same as -s update.")
@click.option(
    "-s",
    "--strategy",
    type=click.Choice(["always", "never", "update", "Ask", "ask"]),
    metavar="STRATEGY",
    help="Overwrite files: always, never, update, ask.",
)
@click.option(
    "-k", "--key", "keys", multiple=True, metavar="REGEX", help="Overwrite such keys of documents; repeatable."
)
@click.option("--all-keys", is_flag=True, help="Overwrite all keys that differ.")
@click.option("--no-keys", is_flag=True, help="Overwrite no keys.")
@click.option("-m", "--merge", "--force", is_flag=True, help="Do not compare the schemas.")
@click.option("--parallel", type=AtLeast(0), metavar="[N]", help="Use N threads (as many as there are processors).")
@click.option("--stats", is_flag=True, help="Print how much was copied.")
@click.option("-H", "--human-readable", is_flag=True, help="Print volumes with units.")
@filter_option("-f", "--filter")
@job_id_option
@dry_run_option
@allow_eval_option
@report_option
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    source: str,
    destination: str | None,
    archive: bool,
    recursive: bool,
    links: bool,
    perms: bool,
    owner: bool,
    group: bool,
    times: bool,
    exclude: tuple[str, ...],
    ignore_times: bool,
    size_only: bool,
    round_times: bool,
    update: bool,
    strategy: str | None,
    keys: tuple[str, ...],
    all_keys: bool,
    no_keys: bool,
    merge: bool,
    parallel: int | None,
    stats: bool,
    human_readable: bool,
    filter_tokens: tuple[str, ...] | None,
    job_ids: tuple[str, ...] | None,
    dry_run: bool,
    allow_eval: bool,
    as_json: bool,
) -> int:
    """Bring the jobs of the project SOURCE into DESTINATION, or into this one.

    What differs is a conflict unless an option decides. Nothing is deleted.
    """
    from ..syncreport import SyncReport

    if update and strategy is not None:
        raise Failure("-u/--update and -s/--strategy exclude each other.", code="usage", hint="-u is '-s update'.")
    if times and not (perms or archive):
        raise Failure("-t/--times needs -p/--perms.", code="usage", hint="Give both, or -a.")
    if ignore_times and size_only:
        raise Failure("-I/--ignore-times and --size-only exclude each other.", code="usage")
    chosen = "update" if update else None if strategy is None else strategy.lower()
    doc_sync = _document_strategy(keys, all_keys=all_keys, no_keys=no_keys)
    for pattern in exclude:
        _checked_pattern("-x/--exclude", pattern)

    origin = session.project(source)
    damaged: list[str] = []
    selection = None
    if job_ids is not None or filter_tokens is not None:
        selection = select(session, origin.space, job_ids or (), filter_tokens, allow_eval=allow_eval, damaged=damaged)
    target = session.project(destination)
    check_different(origin.space, target.space)
    asks = chosen == "ask" and not session.yes
    report = SyncReport(
        session,
        dry_run=dry_run,
        asks=dry_run and asks,
        statistics=stats,
        human=human_readable,
        recursive=recursive or archive,
    )
    report.details = {"source": origin.path, "destination": target.path}
    session.output.info(f"Synchronizing '{origin.path}' -> '{target.path}'...")
    settings = {
        "selection": selection,
        "exclude": exclude,
        "doc_sync": doc_sync,
        "recursive": recursive or archive,
        "follow_symlinks": not (links or archive),
        "preserve_permissions": perms or archive,
        "preserve_times": times or archive,
        "preserve_owner": owner or archive,
        "preserve_group": group or archive,
        "deep": ignore_times,
        "size_only": size_only,
        "round_times": round_times,
        "parallel": 1 if asks else True if parallel == ALL_PROCESSORS else parallel or 1,
    }
    with _warnings(session):
        return _synchronize(
            session, origin, target, chosen, report, settings, merge=merge, damaged=damaged, as_json=as_json
        )


def _document_strategy(keys: Sequence[str], *, all_keys: bool, no_keys: bool) -> DocSync.ByKey:
    """What to do about keys that differ: overwrite them, or leave them; a conflict by default."""
    from signac_core.sync.strategies import ByKeyOrKeep, DocSync

    if bool(keys) + all_keys + no_keys > 1:
        raise Failure("-k/--key, --all-keys and --no-keys exclude each other.", code="usage")
    if keys:
        patterns = [_checked_pattern("-k/--key", key) for key in keys]
        return ByKeyOrKeep(lambda key: any(pattern.match(key) for pattern in patterns))
    return ByKeyOrKeep(lambda _: all_keys) if all_keys or no_keys else DocSync.ByKey()


def _checked_pattern(option: str, pattern: str) -> re.Pattern[str]:
    import re

    try:
        return re.compile(pattern)
    except re.error as error:
        raise Failure(f"{option}: '{pattern}' is not a regular expression: {error}.", code="bad-pattern") from None


def _file_strategy(session: Session, chosen: str | None, *, asks: bool) -> FileStrategy | None:
    from signac_core.sync.strategies import FileSync

    if chosen is None:
        return None
    if chosen == "ask":
        return _Ask(session) if asks else FileSync.always
    strategy: FileStrategy = getattr(FileSync, chosen)
    return strategy


class _Ask:
    """Asks whether to overwrite a file; the answer holds for all files of the same path, in whatever job."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._answers: dict[str, bool] = {}
        self._guard = threading.Lock()

    def __call__(self, src: Job, dst: Job, path: str) -> bool:
        with self._guard:
            if path not in self._answers:
                self._answers[path] = self._session.confirm(f"Overwrite files named '{one_line(path)}'?")
            return self._answers[path]


def _synchronize(
    session: Session,
    source: Project,
    destination: Project,
    chosen: str | None,
    report: SyncReport,
    settings: dict[str, Any],
    *,
    merge: bool,
    damaged: Sequence[str],
    as_json: bool,
) -> int:
    """Look for conflicts as far as they are possible, synchronize unless there are any, and tell about it."""
    from ..progress import bar

    if not merge:
        _compare_schemas(session, source, destination)
    asks = chosen == "ask" and not session.yes
    if not report.dry_run and (chosen is None or settings["doc_sync"].key_strategy is None):
        strategy = _file_strategy(session, chosen, asks=False)
        with bar(session, "Comparing") as progress, _unlogged():
            _run(source, destination, strategy, settings, report.add_conflict, progress, _ignore, dry_run=True)
        if report.conflicts:
            report.write_conflicts()
            return report.finish(as_json=as_json)
    strategy = _file_strategy(session, chosen, asks=asks and not report.dry_run)
    try:
        with bar(session, "Comparing" if report.dry_run else "Synchronizing") as progress:
            lost = _run(
                source,
                destination,
                strategy,
                settings,
                report.add_action,
                report.counting(progress),
                report.add_error,
                dry_run=report.dry_run,
            )
    except Exception as error:
        report.add_abort(error)
        report.finish(as_json=as_json)
        raise
    if report.conflicts:
        report.write_conflicts()
    _report_damaged(session, source, {*lost, *damaged}, report)
    _report_damaged_documents(session, source, destination, report)
    return report.finish(as_json=as_json)


def _run(
    source: Project,
    destination: Project,
    strategy: FileStrategy | None,
    settings: dict[str, Any],
    take: Callable[[SyncAction], None],
    progress: Progress | None,
    failed: Failed,
    *,
    dry_run: bool,
) -> Iterable[str]:
    """Synchronize until all is done or a conflict has been reported; return the ids of damaged jobs of the source."""
    from signac_core.errors import DocumentSyncConflict, FileSyncConflict, JobsCorruptedError
    from signac_core.sync import sync_projects
    from signac_core.sync.work import DocumentsDamagedError

    try:
        sync_projects(
            source,
            destination,
            strategy,
            check_schema=False,
            dry_run=dry_run,
            probe=dry_run and failed is not _ignore,
            report=take,
            progress=progress,
            failed=failed,
            **settings,
        )
    except (FileSyncConflict, DocumentSyncConflict, DocumentsDamagedError):
        pass
    except JobsCorruptedError as error:
        return error.job_ids
    return ()


def _ignore(job_id: str | None, error: Exception) -> None:
    """Say nothing of what cannot be compared: it cannot be synchronized either, which is told then."""


def _compare_schemas(session: Session, source: Project, destination: Project) -> None:
    """Refuse to synchronize projects that are about different things, as far as their jobs can be read.

    Raises Failure if their schemas differ, unless one of the projects is empty.
    """
    from signac_core.sync import schemas

    ours, theirs, in_source, in_destination = schemas(source.space, destination.space)
    known = [job_id for job_id in in_source if os.path.lexists(os.path.join(destination.workspace, job_id))]
    # The others cannot be copied, which is told at the end.
    for project, name, ids in ((source, "source", known), (destination, "destination", in_destination)):
        if ids:
            jobs, have = ("Job", "has") if len(ids) == 1 else ("Jobs", "have")
            session.output.warn(
                f"{jobs} {_shown(ids)} of the {name} {have} a damaged state point. Run 'signac -C {project.path} "
                "check'."
            )
    if not ours or not theirs or ours == theirs:
        return
    lacking = ours.difference(theirs, ignore_values=True), theirs.difference(ours, ignore_values=True)
    facts = {
        "only the source has": lacking[0],
        "only the destination has": lacking[1],
        "other values have": ours.difference(theirs) - lacking[0],
    }
    text = "; ".join(f"{fact} {', '.join(sorted(keys))}" for fact, keys in facts.items() if keys)
    raise Failure(
        f"The schemas of source and destination differ: {text}.",
        code="schema-conflict",
        hint="-m/--merge synchronizes them all the same.",
    )


def _report_damaged(session: Session, source: Project, job_ids: Iterable[str], report: SyncReport) -> None:
    """Tell which jobs of the source could not be looked at."""
    for job_id in (ids := sorted(job_ids)):
        message = f"Job {job_id} of the source has a damaged state point and was left out."
        report.errors.append({"id": job_id, "code": "damaged-jobs", "message": message})
    if ids:
        session.output.error(
            f"Jobs of the source with a damaged state point were left out: {_shown(ids)}.",
            code="damaged-jobs",
            hint=f"Run 'signac -C {source.path} check'.",
        )


def _report_damaged_documents(session: Session, source: Project, destination: Project, report: SyncReport) -> None:
    """Tell which documents could not be looked at."""
    from signac_core.sync.work import DAMAGED

    for project, name, reason in zip((source, destination), ("source", "destination"), DAMAGED, strict=True):
        for job_id in (ids := report.damaged_documents(reason)):
            message = f"Job {job_id}: {reason}, and was left out."
            report.errors.append({"id": job_id, "code": "damaged-jobs", "message": message})
        if ids:
            session.output.error(
                f"Documents of the {name} that are damaged were left out: {_shown(ids)}.",
                code="damaged-jobs",
                hint=f"Run 'signac -C {project.path} check'.",
            )


def _shown(ids: Sequence[str]) -> str:
    """Some ids, and how many there are beside them."""
    return ", ".join(ids[:_SHOWN]) + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")


@contextmanager
def _warnings(session: Session) -> Iterator[None]:
    """Show what the library warns of, except for what the report tells about anyway."""
    import logging

    from signac_core.sync.work import SyncAction

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            arguments = record.args if isinstance(record.args, tuple) else ()
            if not any(isinstance(argument, SyncAction) for argument in arguments):
                session.output.warn(record.getMessage())

    handler = Handler(logging.WARNING)
    logger = logging.getLogger("sync")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Log nothing of a synchronization that only looks for conflicts."""
    import logging

    logger = logging.getLogger("sync")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
