"""Virtual environments with other programs in them, made once and kept in ``build/``.

The environment of the project itself is never touched: signac would take the place of our drop-in there.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.support import ROOT, unavailable

BUILD = ROOT / "build"


def environment(name: str, *installations: list[str], paths: tuple[Path, ...] = ()) -> Path:
    """Make a virtual environment, unless it has been made before.

    Parameters
    ----------
    name : str
        The name of its directory in ``build/``.
    *installations : list of str
        The arguments of ``pip install``, one call each.
    paths : tuple of Path
        Directories to put on its module search path.

    Returns
    -------
    Path
        The interpreter.

    """
    directory = BUILD / name
    python = directory / "bin" / "python"
    recipe = "\n".join([sys.version, *map(str, paths), *(" ".join(arguments) for arguments in installations)])
    stamp = directory / "recipe"  # written last
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if stamp.exists() and stamp.read_text() == recipe:
            return python
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory)
        for arguments in installations:
            install(python, *arguments)
        for packages in directory.glob("lib/python3*/site-packages"):
            (packages / "paths_of_the_tests.pth").write_text("".join(f"{path}\n" for path in paths))
        stamp.write_text(recipe)
    return python


def install(python: Path, *arguments: str) -> None:
    """Run ``pip install`` in an environment; without a network the test is skipped."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run = subprocess.run([*pip, "install", "--quiet", *arguments], capture_output=True, text=True)
    if run.returncode:
        reason = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit status {run.returncode}"
        unavailable(f"pip cannot install {' '.join(arguments)} (no network?): {reason}")
