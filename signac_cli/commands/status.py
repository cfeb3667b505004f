"""``signac status``: what is known of the project at a glance."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..arguments import Command, Rules
from ..output import one_line

if TYPE_CHECKING:
    from signac_core.survey.summary import Summary
    from signac_core.workspace import Space

    from ..session import Session

__all__ = ["command"]

_LABEL = 9
"""Columns of the labels."""
_SHOWN = 5
"""So many damaged jobs are named."""


@click.command("status", cls=Command, rules=Rules(abbreviated=("--help",)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(session: Session, /, *, as_json: bool) -> int:
    """Show the project, the number of its jobs, their keys, whether cache and index are up to date, and known damage.

    Only a part of the jobs is looked at: 'signac check' looks at every one. The exit status is 1 if the workspace is
    missing.
    """
    from signac_core.survey.summary import summarize

    space = session.space(at_one_moment=True)
    seen = summarize(space)
    status = 0 if os.path.isdir(space.workspace) else 1
    if as_json:
        session.output.write_json(_describe(space, seen))
        return status
    output = session.output
    style = ("\033[2m", "\033[0m") if output.has_color(sys.stdout) else ("", "")
    for label, text in _rows(space, seen):
        wrapped = _wrapped(text) if output.is_terminal and label != "project" else [text]
        for number, line in enumerate(wrapped):
            shown = f"{label:<{_LABEL}}" if number == 0 else " " * _LABEL
            output.write_drawn(f"{style[0]}{shown}{style[1]}{line}\n")
    return status


def _describe(space: Space, seen: Summary) -> dict[str, Any]:
    return {
        "path": space.root,
        "workspace": space.workspace,
        "jobs": seen.jobs,
        "keys": seen.keys,
        "keys_from": seen.keys_from,
        "cache": seen.cache._asdict(),
        "index": seen.indexed._asdict(),
        "damaged": seen.damaged,
    }


def _rows(space: Space, seen: Summary) -> Iterator[tuple[str, str]]:
    """Labels and texts."""
    yield "project", one_line(space.root)
    yield "jobs", f"{seen.jobs:,}"
    some = f" (of {seen.keys_from:,} jobs)" if seen.keys_from < seen.jobs else ""
    yield "keys", one_line(", ".join(seen.keys) or "none") + some
    yield "cache", _state(seen.cache, absent="absent: 'signac update-cache' writes it, for signac 2.x and repairs")
    yield "index", _state(seen.indexed, absent="absent: the first large query writes it")
    if os.path.isdir(space.workspace):
        yield "damaged", _damaged(seen.damaged)
    else:
        yield "damaged", "the workspace is missing"


def _state(report: Any, *, absent: str) -> str:
    """Say in a few words how far the cache or the index is behind the jobs."""
    if report.state == "absent":
        return absent
    if report.state == "current":
        return "current"
    if report.state == "damaged":
        return "damaged; 'signac update-cache' writes it anew"
    counts = {"missing": report.missing, "obsolete": getattr(report, "obsolete", 0)}
    shown = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"stale: {shown}; see 'signac update-cache'"


def _damaged(names: list[str]) -> str:
    if not names:
        return "none known"
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{len(names):,}: {one_line(', '.join(names[:_SHOWN]))}{more}; see 'signac check'"


def _wrapped(text: str) -> list[str]:
    """Lines that fit beside the labels."""
    from shutil import get_terminal_size
    from textwrap import wrap

    width = max(get_terminal_size().columns - _LABEL, 32)  # the length of an id
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)
