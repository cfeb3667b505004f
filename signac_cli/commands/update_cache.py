"""``signac update-cache``: write the index and the cache file, for fast queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..arguments import Command, Rules
from ..options import report_option

if TYPE_CHECKING:
    from signac_core.workspace import Space

    from ..session import Session

__all__ = ["command"]


@click.command(
    "update-cache",
    cls=Command,
    rules=Rules(abbreviated=("--help",)),
)
@click.option("--check", is_flag=True, help="Write nothing; the exit status is 3 unless all is up to date.")
@click.option("--clear", is_flag=True, help="Delete what has been written down.")
@report_option
@click.pass_obj
def command(session: Session, /, *, check: bool, clear: bool, as_json: bool) -> int:
    """Write down the state points of all jobs, so that queries need not read them one by one.

    They go into the index, which large queries write, too, and into the cache file that signac 2.x reads and from which
    'signac check' repairs. Only new jobs are read. Both can be out of date, damaged or deleted: queries then take
    longer, and answer the same. Jobs whose state points are damaged are left out and named; the exit status is 1 then.
    """
    if check and clear:
        raise click.UsageError("--check and --clear exclude each other.")
    space = session.space()
    if check:
        return _check(session, space, as_json=as_json)
    if clear:
        return _clear(session, space, as_json=as_json)
    return _update(session, space, as_json=as_json)


def _update(session: Session, space: Space, *, as_json: bool) -> int:
    from signac_core.catalog import list_names
    from signac_core.files import is_directory
    from signac_core.updating import update

    from ..progress import bar

    if not is_directory(space.workspace):  # which has been told; what is known of its jobs is kept
        return 1
    output = session.output
    output.info("Updating cache...")
    damaged: list[str] = []
    with bar(session, "Updating cache") as progress:
        size = update(space, damaged, progress=progress, warn=output.warn, processes=None)
    output.info("Cache is up to date." if size is None else f"Updated cache (size={size}).")
    if as_json:
        cached = len(list_names(space)) - len(damaged) if size is None else size
        counts = {"cached": cached, "failed": len(damaged)}
        errors = [_describe(space, job_id) for job_id in damaged]
        _write_report(session, "current" if size is None else "updated", counts, errors=errors)
    return session.report_damaged(damaged)


def _describe(space: Space, job_id: str) -> dict[str, str]:
    """Say what is wrong with a job."""
    from signac_core.care.integrity import examine_job

    details = " ".join(problem.detail for problem in examine_job(space, job_id))
    return {"id": job_id, "code": "damaged-jobs", "message": f"Job {job_id}: {details or 'It cannot be read.'}"}


def _check(session: Session, space: Space, *, as_json: bool) -> int:
    from signac_core.cache import examine_cache

    found = examine_cache(space)
    text = {
        "absent": "There is no cache.",
        "damaged": "The cache file is damaged.",
        "stale": f"The cache is out of date: {_number(found.missing, 'job')} missing, "
        f"{_number(found.obsolete, 'entry', 'entries')} without a job.",
        "current": f"Cache is up to date (size={found.size}).",
    }
    session.output.info(text[found.state])
    if as_json:
        counts = {"cached": found.size, "missing": found.missing, "obsolete": found.obsolete}
        _write_report(session, found.state, counts, dry_run=True)
    return 0 if found.state == "current" else 3


def _number(count: int, singular: str, plural: str = "") -> str:
    return f"{count} {singular if count == 1 else plural or singular + 's'}"


def _clear(session: Session, space: Space, *, as_json: bool) -> int:
    from signac_core.cache import delete_cache

    deleted = delete_cache(space)
    session.output.info("Deleted the cache." if deleted else "There is no cache.")
    if as_json:
        _write_report(session, "deleted" if deleted else "absent", {})
    return 0


def _write_report(
    session: Session,
    state: str,
    counts: dict[str, int],
    *,
    errors: Sequence[dict[str, str]] = (),
    dry_run: bool = False,
) -> None:
    report = {"command": "update-cache", "dry_run": dry_run, "state": state}
    with session.output.may_be_closed():
        session.output.write_json(report | {"counts": counts, "jobs": [], "errors": errors})
