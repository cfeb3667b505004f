"""What a command costs before it does anything: the modules it imports and its file system calls."""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import click
import pytest
from running import ROOT, environment
from syscalls import require_strace

import signac_cli
import signac_core
from signac_core import Project

ID = "42b7b4f2921788ea14dac5566e6f06d0"  # of {"a": 1}

COMMANDS = {
    "--version": ["--version"],
    "init": ["init"],
    "job": ["job", '{"a": 1}'],
    "job -c": ["job", "-c", '{"a": 5}'],
    "find": ["find"],
    "find FILTER": ["find", "a>=1"],
    "find --json": ["find", "--json"],
    "statepoint": ["statepoint", ID],
    "document": ["document", ID],
    "document --set": ["document", ID, "--set", "x=1"],
    "rm": ["rm", ID],
    "config show": ["config", "show", "schema_version"],
}

JSON = {"json", "json.decoder", "json.encoder", "json.scanner", "_json"}

STANDARD_MODULES = {
    "--version": set(),
    "init": JSON | {"_md5", "fcntl"},
    "job": JSON | {"_md5"},
    "job -c": JSON | {"_md5", "fcntl"},
    "find": JSON | {"_md5"},
    "find FILTER": JSON | {"_md5"},
    "find --json": JSON | {"_md5"},
    "statepoint": JSON | {"_md5"},
    "document": JSON | {"_md5"},
    "document --set": JSON | {"_md5", "fcntl"},
    "rm": JSON | {"_md5", "fcntl"},
    "config show": {"fcntl"},
}
"""All that a command may import of the standard library beyond what Click imports."""

OWN_MODULES = {
    "--version": set(),
    "init": {"commands", "commands.init"},
    "job": {"commands", "commands.job"},
    "job -c": {"commands", "commands.job"},
    "find": {"commands", "commands.find"},
    "find FILTER": {"commands", "commands.find"},
    "find --json": {"commands", "commands.find"},
    "statepoint": {"commands", "commands.statepoint"},
    "document": {"commands", "commands.document"},
    "document --set": {"commands", "commands.document"},
    "rm": {"commands", "commands.rm"},
    "config show": {"commands", "commands.config"},
}

CORE_FOR_NONE_OF_THEM = {
    "buffering", "cursor", "diff", "frame", "h5store", "html", "job", "jsondict", "schema", "statepoint", "sync",
    "view",
}  # fmt: skip

LIST_MODULES = """
import sys
{prepare}
before = set(sys.modules)
sys.argv = ["signac", *sys.argv[1:]]
import signac_cli
status = signac_cli.main()
print(status, *sorted(set(sys.modules) - before), file=sys.stderr)
"""


def modules(arguments: list[str], *, prepare: str = "") -> set[str]:
    """Modules that a command imports, those of ``prepare`` and of a bare interpreter apart."""
    run = subprocess.run(
        [sys.executable, "-c", LIST_MODULES.format(prepare=prepare), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    status, *names = run.stderr.splitlines()[-1].split()
    assert status == "0"
    return set(names)


def small_project() -> None:
    project = Project.init_project()
    for a in range(3):
        project.open_job({"a": a}).init()


# --- modules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_imports_nothing_of_the_standard_library_beyond_need(command):
    small_project()
    loaded = modules(COMMANDS[command], prepare="import click")
    standard = {name for name in loaded if name.partition(".")[0] in sys.stdlib_module_names}
    assert standard - {"__future__"} <= STANDARD_MODULES[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_imports_no_package_beyond_click(command):
    small_project()
    packages = {name.partition(".")[0] for name in modules(COMMANDS[command])} - sys.stdlib_module_names
    assert packages == {"signac_cli", "signac_core"} | ({"click"} if command != "--version" else set())


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_imports_its_own_module_only(command):
    small_project()
    loaded = modules(COMMANDS[command])
    own = {name.removeprefix("signac_cli.") for name in loaded if name.startswith("signac_cli.")}
    start = {"app", "arguments", "output"} if command != "--version" else set()
    assert own == OWN_MODULES[command] | start
    core = {name.removeprefix("signac_core.") for name in loaded if name.startswith("signac_core.")}
    assert core & CORE_FOR_NONE_OF_THEM == set()
    if command == "--version":
        assert core == {"version"}


@pytest.mark.parametrize(
    "arguments", [["find", "--table"], ["find", "--table", "--color", "always"], ["find", "-s"], ["--help"]]
)
def test_rich_when_nothing_is_drawn_on_a_terminal_then_not_imported(arguments):
    small_project()
    assert "rich" not in {name.partition(".")[0] for name in modules(arguments)}


# --- file system calls -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of an environment with compiled copies of Click and of this project, and nothing else."""
    require_strace()
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory, with_pip=False, symlinks=True)
    (packages,) = directory.glob("lib/python3*/site-packages")
    for package in (click, signac_cli, signac_core):
        source = Path(package.__path__[0])
        shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    assert compileall.compile_dir(packages, quiet=1)
    script = directory / "bin" / "signac"
    script.write_text(
        f"#!{directory}/bin/python\nimport re\nimport sys\nfrom signac_cli import main\nsys.exit(main())\n"
    )
    script.chmod(0o755)
    return directory / "bin"


def file_system_calls(*command: str | Path) -> int:
    """Number of calls on paths, and of directory listings, that a command makes from its start to its end."""
    trace = Path("trace")
    run = subprocess.run(
        ["strace", "-f", "-e", "trace=%file,getdents64", "-o", trace, *command],
        env={name: value for name, value in environment().items() if not name.startswith("PYTHON")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    lines = trace.read_text(errors="replace").splitlines()
    trace.unlink()
    return sum("+++" not in line and "---" not in line for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_few_more_file_system_calls_than_importing_click(installed, command):
    if command != "init":
        small_project()
    base = file_system_calls(installed / "python", "-c", "import click")
    calls = file_system_calls(installed / "signac", *COMMANDS[command])
    assert calls <= 1.25 * base


@pytest.mark.parametrize("arguments", [["check"], ["status"], ["update-cache"], ["shell", "-c", ""]])
def test_command_when_it_looks_at_the_whole_project_then_not_many_more_calls(installed, arguments):
    small_project()
    base = file_system_calls(installed / "python", "-c", "import click")
    assert file_system_calls(installed / "signac", *arguments) <= 1.4 * base


def test_version_when_asked_for_then_far_fewer_file_system_calls_than_importing_click(installed):
    base = file_system_calls(installed / "python", "-c", "import click")
    assert file_system_calls(installed / "signac", "--version") <= 0.7 * base


def test_package_when_found_then_the_one_of_this_checkout():
    assert Path(signac_cli.__path__[0]).parent == ROOT
