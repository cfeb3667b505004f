"""The command line of the project: parse, call the library, show the result.

The version, and what completion scripts ask, is answered here, before Click is imported. Everything else begins in
:mod:`signac_cli.app`.
"""

import os
import sys

__all__ = ["main", "start"]

_MANY_OBJECTS = 100_000


def start() -> None:
    """Run the command line with the arguments of the process, and end the process: the console scripts.

    A command is short. Looking for garbage while modules are imported, and taking everything apart at the end, would
    take a fifth of the time of most.
    """
    import gc

    gc.set_threshold(_MANY_OBJECTS, *gc.get_threshold()[1:])
    status = main()
    if not _others_rely_on_the_end():
        import atexit

        atexit._run_exitfuncs()
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except (OSError, ValueError):
            pass  # Python says so on its way out
        else:
            from contextlib import suppress

            with suppress(OSError, ValueError, AttributeError):  # full, closed, or gone: there is nobody left to tell
                sys.stderr.flush()
            os._exit(status)
    sys.exit(status)


def _others_rely_on_the_end() -> bool:
    """Whether there are threads, or there was code of users, which may have left files open."""
    threading = sys.modules.get("threading")
    return "signac_cli.commands.shell" in sys.modules or (threading is not None and threading.active_count() > 1)


def main() -> int:
    """Run the command line with the arguments of the process."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]) and _print_version():
        return 0
    _forget_start_directory()
    if arguments[:1] == ["__complete"]:
        from . import complete

        return complete.main(arguments[1:])
    try:
        from .app import run
    except KeyboardInterrupt:
        return 130
    return run(arguments)


def _print_version() -> bool:
    """Print the version; False when that failed, and the long way has to say why."""
    from signac_core.version import DESCRIPTION

    if sys.stdout is None:
        return False
    try:
        sys.stdout.write(DESCRIPTION + "\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _forget_start_directory() -> None:
    """Take the directory that Python adds for what it was started with off the module search path.

    Nothing is imported from there, neither beside a console script nor (with ``python -m``) from the working directory:
    every import would look there first, and a file that is named like a module would be imported in its place.
    """
    package = os.path.dirname(__file__)
    ours = os.path.basename(sys.argv[0]) in ("signac", "signac-cli") or os.path.dirname(sys.argv[0]) == package
    if ours and not sys.flags.safe_path and sys.path[0] != os.path.dirname(package):
        del sys.path[0]
