"""The command line of the project: parse, call the library, show the result.

The version is answered here, before anything else is imported. Everything else begins in :mod:`signac_cli.app`.
"""

from __future__ import annotations

import sys

__all__ = ["main", "version_text"]


def version_text() -> str:
    """Name the version of this program and the release of signac whose behaviour it follows."""
    from signac_core.version import COMPATIBLE_VERSION, __version__

    return f"signac-cli {__version__} (signac {COMPATIBLE_VERSION} compatible)"


def main() -> int:
    """Run the command line with the arguments of the process: the entry point of the console scripts.

    Returns
    -------
    int
        The exit status.

    """
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]) and _print_version():
        return 0
    _forget_script_directory()
    try:
        from .app import run
    except KeyboardInterrupt:
        return 130
    return run(arguments)


def _print_version() -> bool:
    """Print the version; False when that failed, and the long way has to say why."""
    if sys.stdout is None:
        return False
    try:
        sys.stdout.write(version_text() + "\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _forget_script_directory() -> None:
    """Take the directory of the console script off the module search path.

    Nothing is imported from there: every import would look there first, and a file beside the script that is named
    like a module would be imported in its place.
    """
    if not sys.path or sys.flags.safe_path or not sys.argv or sys.argv[0] in ("", "-c", "-m"):
        return
    import os.path

    script = sys.argv[0]
    if os.path.basename(script) not in ("signac", "signac-cli"):
        return
    if sys.path[0] == os.path.dirname(script) or sys.path[0] == os.path.dirname(os.path.realpath(script)):
        del sys.path[0]
