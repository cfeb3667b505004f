r"""The one place that writes: results to standard output, messages to standard error.

Results are written as bytes. A pipe gets exactly the characters of the data: no escape sequence, no wrapped line, and
no character that its encoding lacks (those appear as ``\xe5``). A terminal gets none that could change more than the
text it shows: control characters and those that turn the direction of writing appear as ``\x1b`` and ``\u202e``. JSON
is strict: UTF-8, or ASCII where the encoding of standard output is another, and ``null`` for numbers that JSON does not
have.

Of errors and warnings of one kind, which differ in nothing but ids, quoted names and numbers, the first `SHOWN` are
written one by one, and of the others their number.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from .keys import Record
    from .templates import Template

__all__ = [
    "JSON",
    "JSON_LINES",
    "PLAIN",
    "SHOWN",
    "TABLE",
    "TEMPLATE",
    "Failure",
    "JSONText",
    "Output",
    "OutputClosed",
    "Shape",
    "is_utf8",
    "on_screen",
    "one_line",
]

_NO_KEYS: Mapping[str, Sequence[str]] = MappingProxyType({})

_ERROR, _WARNING = "error", "warning"
PLAIN, JSON, JSON_LINES, TEMPLATE, TABLE = "plain", "json", "jsonl", "format", "table"

_ROWS = 1_000
"""A table on a terminal has so many rows; behind them, it begins anew."""

_ROWS_IN_A_PIPE = 5_000
"""So many rows of a table in a pipe are laid out at once."""

_IDS = 1 << 16
"""So many ids are written together."""

_LINES = 128
"""So many JSON lines are written together."""

SHOWN = 10
"""So many errors or warnings of one kind are written one by one."""

_VARIABLE = re.compile(r"'[^']*'|\b[0-9a-f]{32}\b|\b\d+\b")
_STYLE = re.compile(r"(\033\[[0-9;]*m)")


class Failure(click.ClickException):
    """A mistake of the user, or of the system, that is reported in one line."""

    def __init__(self, message: str, *, code: str = "error", hint: str | None = None, status: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.status = status


class OutputClosed(Exception):
    """Whoever read our standard output has stopped reading."""


class JSONText(bytes):
    """State point or document as JSON that is fit to be written as it is: strict, UTF-8, without blanks."""


class Shape(NamedTuple):
    """How records are to be written: the output options of a command."""

    mode: str | None = None  # None leaves it to the command
    template: Template | None = None  # of the mode ``format``
    null: bool = False  # each record ends with NUL instead of a newline

    @property
    def end(self) -> str:
        """What follows each record."""
        return "\0" if self.null else "\n"

    def parts(self, *default: str) -> frozenset[str]:
        """What has to be known of each job: what the template uses, or else ``default``."""
        return frozenset(default) if self.template is None else self.template.needs


class _Kind:
    """Errors or warnings that say the same of different things."""

    def __init__(self, first: str) -> None:
        self.first = first
        self.number = 0
        self.hidden = 0
        self.hint: str | None = None


class Output:
    """Standard output and standard error of one run."""

    def __init__(self, *, json_errors: bool = False) -> None:
        self.quiet = False  # write errors only to standard error
        self.color = "auto"  # or always, or never
        self.json_errors = json_errors  # write errors as JSON objects
        self._warned_of_non_finite = False
        self._kinds: dict[tuple[str, str, str], _Kind] = {}
        self._last_kind: _Kind | None = None
        self._seen_stdout: tuple[Any, bool] | None = None

    # standard error -----------------------------------------------------------------------------------------------

    def info(self, text: str) -> None:
        """Tell about what is being done; ``-q`` silences it."""
        if not self.quiet:
            self._let_results_through()
            _write_error(one_line(text) + "\n")

    def warn(self, text: str) -> None:
        """Tell about something that may be wrong; ``-q`` silences it."""
        text = one_line(text)
        if not self.quiet and self._is_shown(_WARNING, "", text, None):
            self._write_warning(text)

    def error(self, message: str, *, code: str = "error", hint: str | None = None) -> None:
        """Tell about an error in one line; nothing silences it."""
        message = one_line(message)
        if not message.endswith((".", "?", "!")):
            message += "."
        if self._is_shown(_ERROR, code, message, hint):
            self._write_failure(message, code, hint)

    def summarize_repeated(self) -> None:
        """Tell how many errors and warnings there were of each kind beyond those that were shown."""
        for (label, code, _), kind in self._kinds.items():
            if not kind.hidden:
                continue
            such = "like these" if kind is self._last_kind else f"such as: {kind.first.rstrip('.')}"
            text = f"And {kind.hidden:,} more {such}."
            if label == _ERROR:
                self._write_failure(text, code, kind.hint, count=kind.hidden)
            else:
                self._write_warning(text)
            kind.hidden, self._last_kind = 0, kind

    def _is_shown(self, label: str, code: str, message: str, hint: str | None) -> bool:
        """Tell whether a message is one of the first of its kind, and count it."""
        kind = self._kinds.setdefault((label, code, _VARIABLE.sub("*", message)), _Kind(message))
        kind.number += 1
        if kind.number > SHOWN:
            kind.hidden += 1
            kind.hint = hint or kind.hint
            return False
        self._last_kind = kind
        return True

    def _let_results_through(self) -> None:
        """Let a terminal show what was written before, in front of what is told about it."""
        if self.is_terminal:
            with suppress(OSError, ValueError):  # whoever writes next is told about it
                sys.stdout.flush()

    def _write_warning(self, text: str) -> None:
        self._let_results_through()
        _write_error(f"{self._label('Warning:', '33')} {text}\n")

    def _write_failure(self, message: str, code: str, hint: str | None, **details: int) -> None:
        self._let_results_through()
        if self.json_errors:
            import json

            described = {"code": code, "message": message} | ({"hint": one_line(hint)} if hint else {}) | details
            _write_error(json.dumps({"error": described}) + "\n")
        else:
            _write_error(f"{self._label('Error:', '31')} {message}{' ' + one_line(hint) if hint else ''}\n")

    def write_to_stderr(self, text: str) -> None:
        """Write what is not ours, such as a traceback: lines on standard error."""
        _write_error(on_screen(text) if _is_terminal(sys.stderr) else text)

    def ask(self, question: str) -> bool:
        """Ask a question on standard error; anything but yes or no is asked again, an empty line is no.

        Raises Failure if standard input ends before an answer.
        """
        self.flush()
        question = on_screen(question)
        while True:
            _write_error(f"{question} [y/N] ")
            try:
                line = sys.stdin.readline() if sys.stdin is not None else ""
            except KeyboardInterrupt:
                _write_error("\n")
                raise
            if not line:
                _write_error("\n")
                raise Failure("No answer: standard input has ended.", code="no-answer", hint="Use -y to answer yes.")
            if not sys.stdin.isatty():
                _write_error("\n")
            answer = line.strip().lower()
            if answer in ("", "n", "no"):
                return False
            if answer in ("y", "ye", "yes"):
                return True
            _write_error("Please answer y or n.\n")

    @property
    def can_ask(self) -> bool:
        """Whether somebody sees a question and can answer it: standard error and standard input are terminals."""
        return _is_terminal(sys.stderr) and _is_terminal(sys.stdin)

    def begin_line(self) -> None:
        """Let the next message cover what a terminal shows of a key that was pressed, such as ``^C``."""
        if _is_terminal(sys.stderr):
            _write_error("\r")

    def _label(self, text: str, color: str) -> str:
        return f"\033[1;{color}m{text}\033[0m" if self.has_color(sys.stderr) else text

    # standard output ----------------------------------------------------------------------------------------------

    @property
    def is_terminal(self) -> bool:
        """Whether a person is looking at standard output."""
        if self._seen_stdout is None or self._seen_stdout[0] is not sys.stdout:
            self._seen_stdout = sys.stdout, _is_terminal(sys.stdout)
        return self._seen_stdout[1]

    def has_color(self, stream: Any) -> bool:
        """Tell whether what is drawn on a stream gets colours."""
        if self.color == "auto":
            return _is_terminal(stream) and os.environ.get("TERM") != "dumb"
        return self.color == "always"

    def write(self, text: str | bytes) -> None:
        """Write data to standard output. Raises OutputClosed, Failure as `write_as_it_is`."""
        self.write_as_it_is(on_screen(text) if self.is_terminal else text)

    def write_drawn(self, text: str) -> None:
        """Write text in which data is visible already, and all that looks like bold or colour is.

        Raises OutputClosed, Failure as `write_as_it_is`.
        """
        if self.is_terminal:
            pieces = _STYLE.split(text)  # every second one is a style
            text = "".join(piece if number % 2 else on_screen(piece) for number, piece in enumerate(pieces))
        self.write_as_it_is(text)

    def write_as_it_is(self, text: str | bytes) -> None:
        """Write to standard output what has been made fit for it.

        Raises OutputClosed if nobody reads it any more; Failure if it cannot be written.
        """
        stream = sys.stdout
        if stream is None:
            raise Failure("Cannot write to standard output: it is closed.", code="output")
        try:
            stream.buffer.write(_encode(text, stream.encoding) if isinstance(text, str) else text)
        except OSError as error:
            raise _write_failure(error) from None

    def flush(self) -> None:
        """Let standard output through."""
        if sys.stdout is not None:
            try:
                sys.stdout.flush()
            except OSError as error:
                raise _write_failure(error) from None

    def write_lines(self, lines: Iterable[str | bytes], end: str = "\n") -> None:
        """Write records of text as they come, some at once, each followed by ``end``."""
        if self.is_terminal:
            for line in lines:
                self.write_as_it_is(on_screen(line) + end)
            return
        remaining = iter(lines)
        while some := list(islice(remaining, _LINES)):
            self.write_as_it_is(_joined(some, end, "ascii" if sys.stdout is None else sys.stdout.encoding))

    def write_ids(self, ids: Sequence[str], end: str = "\n") -> None:
        """Write ids, very many at once, each followed by ``end``."""
        for start in range(0, len(ids), _IDS):
            self.write_as_it_is(end.join(ids[start : start + _IDS]) + end)

    def write_json(self, value: Any) -> None:
        """Write one JSON document: a report."""
        self.write(self._json(value, indent=2 if self.is_terminal else None) + b"\n")

    def write_records(
        self,
        records: Iterable[Record],
        shape: Shape,
        text: Callable[[Record], str | bytes],
        *,
        keys: Mapping[str, Sequence[str]] = _NO_KEYS,
        sort_keys: bool = False,
        digits: Callable[[], int] | None = None,
    ) -> None:
        """Write what is known of jobs, one by one except for a table, in the shape that was asked for.

        ``text`` gives the plain text of a record without its end, ``keys`` the columns of a table that were asked for
        by name, ``digits`` how many digits of an id are enough in a table that is too wide.
        """
        if shape.mode == JSON:
            self._write_array(records, sort_keys=sort_keys)
        elif shape.mode == JSON_LINES:
            remaining = iter(records)
            while lines := [self._json(record, sort_keys=sort_keys) for record in islice(remaining, _LINES)]:
                self.write(b"\n".join(lines) + b"\n")
        elif shape.template is not None:
            self.write_lines(map(shape.template.render, records), shape.end)
            for complaint in shape.template.complaints:
                self.warn(complaint)
        elif shape.mode == TABLE:
            self._write_table(records, keys, digits)
        else:
            self.write_lines(map(text, records), shape.end)

    def copies_json(self, shape: Shape) -> bool:
        """Tell whether records are written just as `JSONText` has them."""
        is_json = shape.mode in (JSON, JSON_LINES) and not self.is_terminal
        return is_json and sys.stdout is not None and is_utf8(sys.stdout.encoding)

    def _write_table(
        self, records: Iterable[Record], keys: Mapping[str, Sequence[str]], digits: Callable[[], int] | None
    ) -> None:
        """Write a table in blocks: on a terminal, which shows the first lines at once, one table after the other."""
        from .tables import PlainTable, draw

        color, remaining = self.has_color(sys.stdout), iter(records)
        if self.is_terminal:
            while rows := list(islice(remaining, _ROWS)):
                self.write_drawn(draw(rows, keys, color=color, digits=digits))
            return
        table = PlainTable(keys, color=color)
        while rows := list(islice(remaining, _ROWS_IN_A_PIPE)):
            self.write_drawn(table.draw(rows))

    def _write_array(self, records: Iterable[Record], *, sort_keys: bool) -> None:
        """Write a JSON array as it comes: compact, or indented on a terminal."""
        indent = 2 if self.is_terminal else None
        before = b"[" if indent is None else b"[\n  "
        between = b"," if indent is None else b",\n  "
        empty = True
        remaining = iter(records)
        while some := list(islice(remaining, 1 if self.is_terminal else _LINES)):
            texts = [self._json(record, indent=indent, sort_keys=sort_keys) for record in some]
            if indent is not None:
                texts = [text.replace(b"\n", b"\n  ") for text in texts]
            self.write((before if empty else between) + between.join(texts))
            empty = False
        if empty:
            self.write(b"[]\n")
        else:
            self.write(b"]\n" if indent is None else b"\n]\n")

    def _json(self, value: Any, *, indent: int | None = None, sort_keys: bool = False) -> bytes:
        """Strict JSON: non-finite numbers become null, with one warning."""
        if type(value) is JSONText:
            return value
        ascii_only = sys.stdout is not None and not is_utf8(sys.stdout.encoding)
        try:
            try:
                text = _strict_json(value, indent, ascii_only=ascii_only, sort_keys=sort_keys)
                return (_json_on_screen(text) if self.is_terminal else text).encode("utf-8")
            except UnicodeEncodeError:  # an unpaired surrogate, which only an escape can express
                return _strict_json(value, indent, ascii_only=True, sort_keys=sort_keys).encode("utf-8")
        except ValueError:
            if not self._warned_of_non_finite:
                self._warned_of_non_finite = True
                self.warn("JSON has no NaN and no infinity; such numbers are written as null.")
            return self._json(_finite(value), indent=indent, sort_keys=sort_keys)

    def finish(self) -> None:
        """Let everything through that is still held back; afterwards nothing can fail any more.

        Raises OutputClosed, Failure as `write`.
        """
        self.summarize_repeated()
        try:
            self.flush()
        except BaseException:
            self.abandon()
            raise

    @contextmanager
    def may_be_closed(self) -> Iterator[None]:
        """For the report of work that is done, whether anybody reads about it or not."""
        try:
            yield
        except OutputClosed:
            self.abandon()

    def abandon(self) -> None:
        """Drop what cannot be written, so that the interpreter does not try again when it exits."""
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)
        except (OSError, ValueError, AttributeError):
            return


def one_line(text: str) -> str:
    """Text on one line and without control characters."""
    if text.isprintable():
        return text
    line = " ".join(part.strip() for part in text.splitlines() if part.strip())
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def on_screen(text: str | bytes) -> str:
    r"""Text in which only line breaks and tabs do more than appear; other control characters become escapes.

    Examples
    --------
    >>> print(on_screen("a\x1b[2J\u202eb"))
    a\x1b[2J\u202eb

    """
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return ascii(char)[1:-1]


def _json_on_screen(text: str) -> str:
    """JSON as `on_screen` writes text, and still JSON."""
    import json

    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # closed
        return False


def _write_error(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # full, closed, or gone: there is nobody left to tell
        return


def _write_failure(error: OSError) -> Exception:
    if isinstance(error, BrokenPipeError):
        return OutputClosed()
    return Failure(f"Cannot write to standard output: {error.strerror}.", code="output")


def is_utf8(encoding: str) -> bool:
    """Tell whether this is a name of UTF-8."""
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def _joined(lines: Sequence[str | bytes], end: str, encoding: str) -> bytes:
    """Lines as bytes, each followed by ``end``."""
    if isinstance(lines[0], str):
        with suppress(UnicodeEncodeError, TypeError):  # one of them is special
            return (end.join(lines) + end).encode(encoding)  # type: ignore[arg-type]
    encoded = [line if isinstance(line, bytes) else _encode(line, encoding) for line in lines]
    return end.encode().join(encoded) + end.encode()


def _encode(text: str, encoding: str) -> bytes:
    """Encode text for a stream: bytes of file names as they are, characters that the encoding lacks as escapes."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        pass
    try:
        return text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace")


def _strict_json(value: Any, indent: int | None, *, ascii_only: bool, sort_keys: bool) -> str:
    if indent is None:
        from signac_core.canonical import dumps_strictly

        return dumps_strictly(value, ascii_only=ascii_only, sort_keys=sort_keys)
    import json

    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, indent=indent, sort_keys=sort_keys)


def _finite(value: Any) -> Any:
    """Copy JSON data with null in the place of every number that JSON does not have."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
