"""The wheel beside an installation of signac: neither breaks the other, in either order."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("installation")]

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "wheels-of-others"
SIGNAC = "signac==2.4.1"

ABOUT = """
import importlib.util, signac_core
print(signac_core.__version__, importlib.util.find_spec("signac").origin)
"""

IDENTITY = """
import signac, signac_core, signac.job
assert signac.Project is signac_core.Project
print(signac.__version__, signac.init_project("project").open_job({"a": 0}).init().id)
"""


def pip(*arguments: str) -> None:
    """Run pip; without a network the test is skipped, except where everything has to run."""
    run = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], capture_output=True, text=True
    )
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
        reason = f"pip {' '.join(arguments)} (no network?): {last}"
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


class Environment(NamedTuple):
    """A virtual environment to be thrown away."""

    directory: Path

    @property
    def bin(self) -> Path:
        return self.directory / "bin"

    def install(self, wheel: Path) -> None:
        pip("--python", str(self.bin / "python"), "install", "--quiet", "--no-deps", "--no-index", str(wheel))

    def install_editable(self, source: Path) -> None:
        pip("--python", str(self.bin / "python"), "install", "--quiet", "--no-deps", "--editable", str(source))

    def borrow(self, name: str) -> None:
        """Make a package of this interpreter one of the environment's."""
        package = Path(importlib.import_module(name).__path__[0])
        (self.packages / name).symlink_to(package, target_is_directory=True)

    @property
    def packages(self) -> Path:
        (packages,) = self.directory.glob("lib/python3*/site-packages")
        return packages

    def uninstall(self, name: str) -> None:
        pip("--python", str(self.bin / "python"), "uninstall", "--quiet", "--yes", name)

    def run(self, program: str, *arguments: str) -> str:
        command = [str(self.bin / program), *arguments]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def origin_of_signac(self) -> Path:
        """The file that ``import signac`` would load, relative to where packages are."""
        _version, origin = self.run("python", "-I", "-c", ABOUT).split()
        return Path(origin).relative_to(self.packages)

    def missing_files(self, name: str) -> list[str]:
        """The files that a package should have and has not."""
        program = (
            "import importlib.metadata, sys\n"
            "files = importlib.metadata.files(sys.argv[1])\n"
            "print(*[str(file) for file in files if not file.locate().exists() and '__pycache__' not in str(file)])"
        )
        return self.run("python", "-I", "-c", program, name).split()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this project."""
    directory = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(directory), str(ROOT))
    (wheel,) = directory.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def peer() -> Path:
    """The wheel of signac."""
    if not list(CACHE.glob("signac-*.whl")):
        pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(CACHE), SIGNAC)
    (wheel,) = CACHE.glob("signac-*.whl")
    return wheel


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    venv.create(tmp_path / "venv", with_pip=False)
    return Environment(tmp_path / "venv")


def test_wheel_when_built_then_signac_is_one_module_in_it(ours):
    names = zipfile.ZipFile(ours).namelist()
    assert "signac.py" in names
    packaged = [name for name in names if ".dist-info/" not in name and ".data/" not in name]
    assert {name.partition("/")[0] for name in packaged} == {
        "signac-stubs",
        "signac.py",
        "signac_cli",
        "signac_core",
    }
    assert {"signac_core/py.typed", "signac_cli/py.typed"} <= set(names)


def test_wheel_when_installed_alone_then_all_names_of_the_command_work(environment, ours):
    environment.install(ours)
    versions = {
        environment.run("signac", "--version"),
        environment.run("signac-cli", "--version"),
        environment.run("python", "-m", "signac", "--version"),
        environment.run("python", "-m", "signac_cli", "--version"),
    }
    assert len(versions) == 1
    assert environment.run("python", "-I", "-c", IDENTITY) == "2.4.1 9bfd29df07674bc4aa960cf661b5acd2"


def test_wheel_when_installed_then_type_checkers_know_signac(environment, ours, tmp_path):
    environment.install(ours)
    (tmp_path / "use.py").write_text("import signac\nimport signac.sync\nreveal_type(signac.get_job().sp)\n")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "--python-executable"]
    command = [*mypy, str(environment.bin / "python"), "use.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert 'Revealed type is "signac_core.documents.views.JSONDict"' in run.stdout


def test_wheel_when_installed_then_manuals_and_completions_are_where_they_are_looked_for(environment, ours):
    environment.install(ours)
    share = environment.directory / "share"
    pages = {path.name: path for path in (ROOT / "man").iterdir()}
    installed = {path.name: path for path in share.glob("man/man[157]/*")}
    assert {name: path.read_text() for name, path in installed.items()} == {
        name: path.read_text() for name, path in pages.items()
    }
    assert {path.parent.name for path in installed.values()} == {"man1", "man5", "man7"}
    assert all(path.parent.name == f"man{path.suffix[1:]}" for path in installed.values())
    for shell, place in {
        "bash": "bash-completion/completions/signac",
        "zsh": "zsh/site-functions/_signac",
        "fish": "fish/vendor_completions.d/signac.fish",
    }.items():
        script = (ROOT / "completions" / f"signac.{shell}").read_text()
        assert (share / place).read_text() == script
        packaged = environment.packages / "signac_cli" / "completions" / f"signac.{shell}"
        assert packaged.read_text() == script


@pytest.mark.parametrize("editable", [False, True])
def test_completion_when_installed_then_printed(environment, ours, editable):
    if editable:
        environment.install_editable(ROOT)
    else:
        environment.install(ours)
    environment.borrow("click")
    assert environment.run("signac", "completion", "bash").startswith("# Completion of signac for bash.")


@pytest.mark.parametrize("first", ["ours", "peer"])
def test_wheel_when_signac_comes_and_goes_then_core_and_command_survive(environment, ours, peer, first):
    for wheel in (ours, peer) if first == "ours" else (peer, ours):
        environment.install(wheel)
    version = environment.run("signac-cli", "--version")
    assert "2.4.1 compatible" in version
    assert environment.origin_of_signac() == Path("signac/__init__.py")  # while both are there, theirs comes first

    environment.uninstall("signac")
    assert environment.run("signac-cli", "--version") == version
    assert environment.origin_of_signac() == Path("signac.py")
    assert environment.run("python", "-m", "signac", "--version") == version
    assert environment.run("python", "-I", "-c", IDENTITY) == "2.4.1 9bfd29df07674bc4aa960cf661b5acd2"
    assert {Path(name).name for name in environment.missing_files("signac-cli")} <= {"signac"}  # the shared script


@pytest.mark.parametrize("first", ["ours", "peer"])
def test_signac_when_the_wheel_comes_and_goes_then_its_modules_survive(environment, ours, peer, first):
    for wheel in (ours, peer) if first == "ours" else (peer, ours):
        environment.install(wheel)
    environment.uninstall("signac-cli")
    assert {Path(name).name for name in environment.missing_files("signac")} <= {"signac"}  # the shared script
