"""Says what signac 2.4.1 reads on command lines, without running them.

The command lines come as JSON on standard input, the answers go as JSON to standard output: for each the values that
argparse of the standard library has given to signac, ``{"status": ...}`` if it ended the program instead.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from typing import Any


class _Stop(BaseException):
    """Ends the program when it knows its arguments."""


def capture_parser() -> argparse.ArgumentParser:
    """The parser that the program makes for itself."""
    from signac.__main__ import main

    parsers: list[argparse.ArgumentParser] = []

    def stop(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> None:
        parsers.append(self)
        raise _Stop

    parse_args, argparse.ArgumentParser.parse_args = argparse.ArgumentParser.parse_args, stop
    sys.argv = ["signac"]
    with contextlib.suppress(_Stop):
        main()
    argparse.ArgumentParser.parse_args = parse_args
    return parsers[0]


def read(parser: argparse.ArgumentParser, arguments: list[str]) -> dict[str, Any]:
    """What the parser makes of one command line."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = vars(parser.parse_args(arguments))
    except SystemExit as end:
        return {"status": end.code, "out": out.getvalue()}
    return {name: value for name, value in found.items() if not callable(value)}


if __name__ == "__main__":
    parser = capture_parser()
    json.dump([read(parser, arguments) for arguments in json.load(sys.stdin)], sys.stdout)
