"""The environments that are compared: this program as a user installs it, and signac 2.4.1."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
PEER_REQUIREMENTS = ["signac==2.4.1", "numpy", "pandas", "h5py"]


def _environment(name: str, requirements: list[str]) -> Path:
    """Create an environment, or bring an existing one up to date; return the directory of its programs."""
    directory = BUILD / name
    if not (directory / "bin" / "python").exists():
        venv.create(directory, with_pip=True)
    # Byte-compiled, as every installation is, whatever the environment variables of the developer say.
    settings = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *requirements], check=True, env=settings)
    return directory / "bin"


def ours() -> Path:
    """This program, installed from the working tree."""
    programs = _environment("ours", [str(ROOT)])
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(ROOT)], check=True)
    package = subprocess.run(
        [str(programs / "python"), "-c", "import signac_core, os; print(os.path.dirname(signac_core.__path__[0]))"],
        check=True,
        capture_output=True,
        text=True,
        cwd=BUILD,
    ).stdout.strip()
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", f"{package}/signac_core", f"{package}/signac_cli"], check=True
    )
    return programs


def peer() -> Path:
    """The release of signac that this program is compatible with."""
    return _environment("peer", PEER_REQUIREMENTS)
