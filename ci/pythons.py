"""Run the quick tests elsewhere than in the environment of ``make test``.

``pythons``: on every other supported version of Python that this machine has. ``lowest``: on the oldest one, with the
lowest versions of the dependencies that ``pyproject.toml`` admits. Each has a virtual environment of its own in
``build/``, made again when what it is made of changes. A version of Python that is absent is named; one that is there
and cannot run the tests, for instance because a dependency has no wheel for it, is a failure.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
EXTRAS = ("test", "tables")
OLDEST, NEWEST = (3, 11), (3, 14)

LEFT_OUT = ["test_processes.py", "test_startup.py", "test_terminal.py"]
TESTS = [
    *("-m", "not slow", "tests/core", "tests/cli", "signac_core"),
    *(f"--ignore=tests/cli/{name}" for name in LEFT_OUT),
]
"""What depends most on the versions of Python and of the libraries: the library with its examples, and the commands as
they run in this process. What takes long and would say little more is left to ``make test``: faults, random input, the
readme, terminals, pipelines, and what asks mypy and jedi; so is start-up, which has a budget for one Python and Click.
"""

PROBE = "import ensurepip, sys, venv; print(sys.implementation.name, *sys.version_info[:2], sys.executable)"


class UnusableError(Exception):
    """A Python that is there and cannot run the tests; the message says why."""


# --- which Pythons there are -----------------------------------------------------------------------------------------


def supported(project: dict[str, Any]) -> list[tuple[int, int]]:
    """Versions of Python that the project promises to work with."""
    if project["requires-python"] != f">={OLDEST[0]}.{OLDEST[1]}":
        raise SystemExit(f"ci/pythons.py: OLDEST is not the one of requires-python, {project['requires-python']}")
    return [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]


def candidates(name: str) -> Iterator[Path]:
    """Programs that may be a version of Python, of those in PATH and those that pyenv has installed."""
    for directory in os.get_exec_path():
        if found := shutil.which(name, path=directory):
            yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    releases = [path for path in root.glob("versions/*") if re.fullmatch(r"\d+\.\d+\.\d+", path.name)]
    for release in sorted(releases, key=lambda path: [int(part) for part in path.name.split(".")], reverse=True):
        yield release / "bin" / name


def find_python(version: tuple[int, int]) -> Path | None:
    """The first interpreter of a version that can make virtual environments, or None if there is none at all.

    Raises
    ------
    UnusableError
        If there are some, and none of them can.

    """
    name = f"python{version[0]}.{version[1]}"
    reason = ""
    for path in candidates(name):
        if not path.exists():
            continue
        run = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
        implementation, major, minor, executable = run.stdout.rstrip("\n").split(" ", 3) if run.stdout else [""] * 4
        if (implementation, major, minor) == ("cpython", *map(str, version)):
            return Path(executable)
        if "ensurepip" in run.stderr or "venv" in run.stderr:
            reason = f"{path} cannot make virtual environments (on Debian: apt-get install {name}-venv)"
        # anything else is a stand-in for an interpreter that is not selected
    if reason:
        raise UnusableError(reason)
    return None


# --- environments ----------------------------------------------------------------------------------------------------


def lowest_versions(settings: dict[str, Any]) -> list[str]:
    """Constraints that admit of every dependency the lowest version that the project admits.

    Every requirement has to be of the form ``name>=version``.
    """
    project = settings["project"]
    requirements = [*settings["build-system"]["requires"], *project["dependencies"]]
    for extra in EXTRAS:
        requirements += project["optional-dependencies"][extra]
    constraints = []
    for requirement in requirements:
        match = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\d.]+)", requirement.replace(" ", ""))
        if match is None:
            raise SystemExit(f"ci/pythons.py: cannot tell the lowest version that {requirement!r} admits")
        constraints.append(f"{match[1]}=={match[2]}")
    return constraints


def make_environment(name: str, python: Path, settings: dict[str, Any], constraints: list[str]) -> Path:
    """Make a virtual environment with the project in it, unless it is there already; gives its interpreter."""
    directory = BUILD / name
    release = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout
    project = {key: value for key, value in settings["project"].items() if "dependencies" in key}
    recipe = "\n".join([str(python), release, str(project), str(settings["build-system"]), *constraints])
    stamp = directory / "recipe"  # written last
    own = directory / "bin" / "python"
    if stamp.exists() and stamp.read_text() == recipe:
        return own
    shutil.rmtree(directory, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    subprocess.run([python, "-m", "venv", directory], check=True)
    limits = directory / "constraints.txt"
    limits.write_text("".join(f"{line}\n" for line in constraints))
    variables = dict(os.environ)
    if constraints:  # by these variables they hold for the build backend too, whatever the version of pip
        variables |= {"PIP_CONSTRAINT": str(limits), "PIP_BUILD_CONSTRAINT": str(limits)}
    pip = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    run = subprocess.run(
        [*pip, "--editable", f".[{','.join(EXTRAS)}]"], cwd=ROOT, env=variables, capture_output=True, text=True
    )
    if run.returncode:
        print(run.stdout, run.stderr, sep="", flush=True)
        raise UnusableError(f"the dependencies cannot be installed for {python} as wheels; what pip said stands above")
    stamp.write_text(recipe)
    return own


# --- what is run -----------------------------------------------------------------------------------------------------


def run_tests(name: str, python: Path, settings: dict[str, Any], constraints: list[str]) -> None:
    """Run the tests with an interpreter, in an environment of its own.

    Raises
    ------
    UnusableError
        If a test fails or the environment cannot be made.

    """
    started = time.monotonic()
    own = make_environment(name, python, settings, constraints)
    made = time.monotonic()
    command = [str(own), "-m", "pytest", "-q", "-n", "2", *TESTS]
    print("$", shlex.join(command), flush=True)
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"{name}: environment {made - started:.0f} s, tests {time.monotonic() - made:.0f} s", flush=True)
    if status:
        raise UnusableError(f"tests failed: {shlex.join(command)}")


def main() -> int:
    """Run the command; the exit status is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["pythons", "lowest"])
    what = parser.parse_args().what
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    versions = supported(settings["project"])
    problems = []
    for version in versions if what == "pythons" else versions[:1]:
        title = f"Python {version[0]}.{version[1]}"
        if what == "pythons" and version == sys.version_info[:2]:
            print(f"{title}: the one of 'make test'", flush=True)
            continue
        try:
            python = find_python(version)
            if python is not None:
                print(f"{title}: {python}", flush=True)
                name, constraints = ("lowest", lowest_versions(settings)) if what == "lowest" else (title.lower(), [])
                run_tests(name.replace(" ", "-"), python, settings, constraints)
            elif what == "lowest":
                raise UnusableError("not on this machine")
            else:
                print(f"{title}: not on this machine", flush=True)
        except UnusableError as error:
            problems.append(f"{title}: {error}")
            print(problems[-1], file=sys.stderr, flush=True)
    print("\n".join([f"{len(problems)} of the Pythons failed", *problems]) if problems else "all passed", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
