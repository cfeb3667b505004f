"""The environments that are compared: this program as a user installs it, and signac 2.4.1."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
PEER_REQUIREMENTS = ["signac==2.4.1", "numpy", "pandas", "h5py"]

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30
IN_MEMORY = "BENCH_DATA" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
DATA = MEMORY / f"signac-benchmarks-{os.getuid()}" if IN_MEMORY else Path(os.environ.get("BENCH_DATA", BUILD / "data"))
"""All projects, and nothing else: what the simulated network file system holds.

In memory where there is enough of it. Figures are to be those of the programs, and what a disk takes to create files
varies tenfold with what was deleted before (ext4 does not take the place of what was deleted minutes ago)."""


LARGE_DATA = Path("/var/tmp") / f"signac-benchmarks-{os.getuid()}"
"""Projects too large for memory, and those that are to be on a disk. Not in this tree, all of which is walked when it
is installed."""


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Wait until no other run is under way, of any working tree: they would share projects, and disturb each other."""
    LARGE_DATA.mkdir(parents=True, exist_ok=True)
    with open(LARGE_DATA / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another run of the benchmarks to end", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clean_environment() -> dict[str, str]:
    """The environment variables of this process without those that change what Python imports or writes.

    So programs run byte-compiled, as every installation is, whatever the settings of the developer say.
    """
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SIGNAC_", "SHIM_"))}


def _sources(tree: Path) -> Iterator[Path]:
    yield from (tree / "pyproject.toml", tree / "signac.py")
    for package in ("signac_core", "signac_cli"):
        yield from sorted((tree / package).rglob("*.py"))


def _recipe(requirements: list[str], tree: Path | None) -> str:
    """What an environment is made of: it is brought up to date only when this has changed."""
    lines = [sys.version, *requirements]
    if tree is not None:
        lines += [f"{path.relative_to(tree)} {hashlib.md5(path.read_bytes()).hexdigest()}" for path in _sources(tree)]
    return "\n".join(lines) + "\n"


def _environment(name: str, requirements: list[str], tree: Path | None = None) -> Path:
    """Create an environment, or bring an existing one up to date; return the directory of its programs.

    One with this program has it from a working tree.
    """
    directory = BUILD / name
    if tree is not None:
        requirements = [str(tree)]
    recipe, wanted = directory / "recipe", _recipe(requirements, tree)
    if recipe.exists() and recipe.read_text() == wanted:
        return directory / "bin"
    if not (directory / "bin" / "python").exists():
        venv.create(directory, with_pip=True)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *requirements], check=True, env=clean_environment())
    if tree is not None:  # the version is the same, the code need not be
        again = ["--no-deps", "--force-reinstall", str(tree)]
        subprocess.run([*pip, *again], check=True, env=clean_environment())
    recipe.write_text(wanted)
    return directory / "bin"


def recipe_of(programs: Path) -> str:
    """What an environment with these programs is made of."""
    return (programs.parent / "recipe").read_text()


def ours() -> Path:
    """This program, installed from the working tree."""
    return _environment("ours", [], ROOT)


def other(tree: Path) -> Path:
    """This program as it is in another working tree, such as that of a release."""
    return _environment("other", [], tree)


def peer() -> Path:
    """The release of signac that this program is compatible with."""
    return _environment("peer", PEER_REQUIREMENTS)
