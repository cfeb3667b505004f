"""Progress bars: where they are drawn, what they show, and that nothing of them is left."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from signac_cli import progress
from signac_cli.output import Output
from signac_cli.progress import bar
from signac_cli.session import Session
from signac_core import Project
from signac_core.progress import Progress
from tests.support.patches import for_some_cases
from tests.support.running import environment, on_terminal

PIECES = re.compile(r"\033\[([?0-9;]*)([A-Za-z])|[\r\n]|[^\033\r\n]+")


def screen(text: str) -> list[str]:
    """What a terminal shows after it has got a text, line by line down to the cursor."""
    lines, row, column = [""], 0, 0
    for match in PIECES.finditer(text):
        if match[2] == "A":
            row -= int(match[1] or 1)
        elif match[2] == "K":
            assert match[1] == "2"
            lines[row] = ""
        elif match[2] is not None:
            assert match[2] in "mhl"  # colours, and whether there is a cursor
        elif match[0] == "\r":
            column = 0
        elif match[0] == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + match[0] + line[column + len(match[0]) :]
            column += len(match[0])
    while len(lines) > row + 1 and not lines[-1]:
        del lines[-1]
    return lines


class Terminal(io.StringIO):
    """A stream in memory that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> list[str]:
        return screen(self.getvalue())

    @property
    def last(self) -> str:
        return self.screen[-1]


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "SIGNAC_COLOR", "SIGNAC_NO_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


@pytest.fixture
def session(terminal: Terminal) -> Session:
    return Session(Output())


@contextmanager
def working(session: Session, stream: Any, label: str = "Working") -> Iterator[Progress | None]:
    """A bar on ``stream`` in the place of standard error, which is as before afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        with for_some_cases():
            patch.setattr(sys, "stderr", stream)
        try:
            with bar(session, label) as hook:
                yield hook
        finally:
            assert sys.stderr is stream


# --- where there is one ----------------------------------------------------------------------------------------------


def test_bar_when_standard_error_is_no_terminal_then_none(session):
    with working(session, io.StringIO()) as hook:
        assert hook is None


@pytest.mark.parametrize("stream", ["none", "closed"])
def test_bar_when_standard_error_is_closed_then_none(session, terminal, stream):
    terminal.close()
    with working(session, None if stream == "none" else terminal) as hook:
        assert hook is None


@pytest.mark.parametrize(("attribute", "value"), [("quiet", True), ("progress", False)])
def test_bar_when_not_wanted_then_none(session, terminal, attribute, value):
    setattr(session.output if attribute == "quiet" else session, attribute, value)
    with working(session, terminal) as hook:
        assert hook is None


@pytest.mark.parametrize("term", ["dumb", "unknown", "", None])
def test_bar_when_the_terminal_cannot_go_back_then_none(session, terminal, monkeypatch, term):
    monkeypatch.delenv("TERM") if term is None else monkeypatch.setenv("TERM", term)
    with working(session, terminal) as hook:
        assert hook is None


# --- when it appears -------------------------------------------------------------------------------------------------


def test_bar_when_the_work_is_short_then_nothing_is_drawn(session, terminal, clock):
    with working(session, terminal) as hook:
        for done in range(1, 100):
            clock.now += progress.DELAY / 100
            hook("work", done, 100)
    assert terminal.getvalue() == ""


def test_bar_when_there_is_no_work_or_it_is_done_then_nothing_is_drawn(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += 2 * progress.DELAY
        hook("work", 1, 1)
        hook("nothing", 0, 0)
    assert terminal.getvalue() == ""


def test_bar_when_the_work_takes_long_then_drawn_and_removed(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 25, 100)
        assert terminal.last.startswith("Working ━")
        assert " 25/100 " in terminal.last
    assert terminal.screen == [""]
    assert terminal.getvalue().count("\033[?25l") == terminal.getvalue().count("\033[?25h") == 1


def test_bar_when_reported_to_often_then_drawn_rarely(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 1, 100)
        drawn = terminal.getvalue()
        hook("work", 2, 100)
        assert terminal.getvalue() == drawn
        clock.now += progress.INTERVAL
        hook("work", 3, 100)
        assert "  3/100 " in terminal.last


def test_rich_when_no_bar_is_drawn_then_not_imported():
    script = """
import io, sys
from signac_cli import progress
from signac_cli.session import Session
from signac_cli.output import Output

class Terminal(io.StringIO):
    isatty = lambda self: True

progress.monotonic = lambda: 0.0
sys.stderr = Terminal()
with progress.bar(Session(Output()), "Working") as hook:
    hook("work", 1, 2)
print(hook is not None, "rich" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(TERM="xterm"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout == "True False\n"


# --- what it shows ---------------------------------------------------------------------------------------------------


def test_bar_when_drawn_then_rate_and_remaining_time(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        for done in range(10, 60, 10):
            hook("work", done, 100)
            clock.now += 1
        assert re.fullmatch(r"Working ━+[╸╺━]+ +50/100 10/s 00:05", terminal.last)


@pytest.mark.parametrize("columns", [80, 60, 40, 30])
def test_bar_when_the_terminal_is_narrow_then_fits_with_room_for_ctrl_c(session, terminal, clock, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    with working(session, terminal, "Synchronizing") as hook:
        clock.now += progress.DELAY
        hook("work", 1234, 56789)
        clock.now += 1
        hook("work", 2345, 56789)
        assert terminal.last.startswith("Synchronizing")
        assert len(terminal.last.rstrip()) <= columns - 4
        if columns >= 40:
            assert " 2345/56789" in terminal.last
    assert terminal.screen == [""]


def test_bar_when_the_total_is_unknown_then_shows_what_is_done(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 7, None)
        clock.now += 1
        hook("work", 8, None)
        assert re.fullmatch(r"Working [━╸╺ ]+ 8 1\.0/s *", terminal.last)


def test_bar_when_the_label_looks_like_markup_then_shown_as_it_is(session, terminal, clock):
    with working(session, terminal, "[red]:smile:") as hook:
        clock.now += progress.DELAY
        hook("work", 1, 9)
        assert terminal.last.startswith("[red]:smile: ━")


def test_bar_when_another_part_of_the_work_begins_then_counts_anew(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("first", 90, 100)
        clock.now += 1
        hook("second", 1, 50)
        assert " 1/50" in terminal.last


@pytest.mark.parametrize(("color", "colored"), [("auto", True), ("never", False)])
def test_bar_when_colors_are_chosen_then_obeyed(session, terminal, clock, color, colored):
    session.output.color = color
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 1, 9)
    assert (re.search(r"\033\[[0-9;]*3[0-9][0-9;]*m", terminal.getvalue()) is not None) is colored


# --- what else is written --------------------------------------------------------------------------------------------


def test_message_when_there_is_a_bar_then_above_it_and_whole(session, terminal, clock):
    text = "a message that is longer than the terminal is wide " * 3
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 1, 100)
        session.output.info(text)
        assert terminal.screen == [text, ""]
        clock.now += 1
        hook("work", 2, 100)
        assert terminal.screen[0] == text
        assert "  2/100 " in terminal.last
        print("[bold]", file=sys.stderr)
        assert terminal.screen[1:] == ["[bold]", ""]
    assert terminal.screen == [text, "[bold]", ""]


def test_question_when_there_is_a_bar_then_in_its_place(session, terminal, clock, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 1, 100)
        assert session.output.ask("Go on?")
        assert terminal.screen[0] == "Go on? [y/N] "


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_bar_when_the_work_fails_then_removed(session, terminal, clock, error):
    with pytest.raises(error), working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 1, 100)
        raise error
    assert terminal.screen == [""]


def test_bar_when_reported_to_afterwards_then_stays_away(session, terminal, clock):
    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        hook("work", 1, 100)
    clock.now += 1
    hook("work", 2, 100)
    assert terminal.screen == [""]


def test_bar_when_many_threads_report_and_write_then_no_line_is_lost(session, terminal, clock):
    threads, steps = 8, 50
    failures = []

    def work(number: int) -> None:
        try:
            for step in range(steps):
                clock.now += progress.INTERVAL
                hook("work", number + threads * step, threads * steps + 1)
                if step % 10 == 0:
                    session.output.info(f"thread {number} step {step}")
        except BaseException as error:
            failures.append(error)

    with working(session, terminal) as hook:
        clock.now += progress.DELAY
        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        clock.now += 1
        hook("work", 0, threads * steps + 1)
        assert f" {threads * steps - 1}/{threads * steps + 1} " in terminal.last
    assert failures == []
    expected = [f"thread {number} step {step}" for number in range(threads) for step in range(0, steps, 10)]
    assert sorted(terminal.screen) == sorted([*expected, ""])


# --- on a real terminal ----------------------------------------------------------------------------------------------

PATIENT = """
import sys
from signac_cli import progress
from signac_cli.app import Session, run
from signac_cli.output import Output
progress.DELAY = progress.INTERVAL = 0.0
"""


def test_bar_when_interrupted_on_a_terminal_then_nothing_of_it_is_left():
    script = f"""{PATIENT}
session = Session(Output())
try:
    with progress.bar(session, "Working") as hook:
        hook("work", 1, 10)
        session.output.ask("Go on?")
except KeyboardInterrupt:
    print("Interrupted.")
"""
    result = on_terminal("-c", script, command=[sys.executable], typed=[b"\x03"])
    assert "Working" in result.out
    assert screen(result.out)[0].startswith("Go on? [y/N] ")
    assert "Working" not in "".join(screen(result.out))
    assert screen(result.out)[-2].endswith("Interrupted.")


def test_export_when_on_a_terminal_then_a_bar_that_goes_away(study):
    result = on_terminal("-c", f"{PATIENT}\nsys.exit(run(['export', 'out']))", command=[sys.executable])
    assert "Exporting" in result.out
    assert "3/4" in result.out
    assert (result.status, screen(result.out)) == (0, ["Exported 4 jobs.", ""])


@pytest.mark.parametrize(
    ("arguments", "shown", "left"),
    [
        (["find", "T>0", "--count"], ["Reading", "29/30"], "30"),
        (["find", "doc.a", "--count"], ["Reading", "29/30"], "0"),
        (["schema", "--plain"], ["Reading", "29/30"], "}"),
        (["document", "-f", "{}", "--set", "a=1"], ["Writing documents", "29/30"], "Updated 30 documents."),
        (["rm", "--filter", "T>0"], ["Removing", "29/30"], "Removed 30 jobs."),
        (["job", "-c"], ["Creating", "29/30"], "9bfd29df07674bc4aa960cf661b5acd2"),
        (["import", "../other"], ["Reading", "Importing", "29/30"], "Imported 30 jobs."),
    ],
)
def test_command_when_it_deals_with_many_jobs_on_a_terminal_then_a_bar_that_goes_away(
    project, tmp_path, monkeypatch, arguments, shown, left
):
    place = Project.init_project(tmp_path / "other") if arguments[0] == "import" else project
    for number in range(30):
        place.open_job({"T": number + 1}).init()
    typed = "".join(f'{{"a": {number}}}\\n' for number in reversed(range(30)))
    script = f"""{PATIENT}
import io
from signac_cli import report
report._FEW = 1
sys.stdin = io.TextIOWrapper(io.BytesIO(b'{typed}'))
sys.exit(run({arguments}))
"""
    result = on_terminal("-c", script, command=[sys.executable])
    assert all(text in result.out for text in shown)
    assert result.status == 0
    assert "/30" not in "".join(screen(result.out))
    assert screen(result.out)[-2:] == [left, ""]


@pytest.mark.parametrize("option", ["-q", "--no-progress"])
def test_export_when_no_bar_is_wanted_on_a_terminal_then_no_escapes(study, option):
    result = on_terminal("-c", f"{PATIENT}\nsys.exit(run(['export', 'out', {option!r}]))", command=[sys.executable])
    assert result.out == ("" if option == "-q" else "Exported 4 jobs.\n")
