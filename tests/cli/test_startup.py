"""What a command costs before it does anything: the modules it imports and its file system calls."""

from __future__ import annotations

import compileall
import contextlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import click
import configobj
import pytest

import signac_cli
import signac_core
from signac_cli import app
from signac_core import Project
from tests.faults.syscalls import require_strace
from tests.support.running import ROOT, environment

ID = "42b7b4f2921788ea14dac5566e6f06d0"  # of {"a": 1}


class Cost(NamedTuple):
    """A command, and what it may load and do before its work and with three small jobs.

    Parameters
    ----------
    arguments
        The command line.
    calls
        File system calls, as a multiple of those of ``import click``.
    standard
        All modules of the standard library, beyond those of Click.
    own
        Modules of signac_cli, beyond those that start every command.
    core
        Those modules of signac_core, among the ones few commands need.
    packages
        Other packages.

    """

    arguments: list[str]
    calls: float = 1.25
    standard: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    core: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()


def of(*names: str) -> frozenset[str]:
    return frozenset(names)


JSON = of("_json", "_md5")
CHANGE = JSON | of("fcntl")
FIELDS = of("string", "_string")
PYTHON_DATA = JSON | of("pprint", "dataclasses", "copy")
LOG = of("logging", "traceback", "textwrap", "atexit", "_colorize") | FIELDS
PATHS = of("pathreport", "progress")

COMMANDS = {
    "--version": Cost(["--version"], 0.7),
    "init": Cost(["init"], standard=CHANGE),
    "job": Cost(["job", '{"a": 1}'], standard=JSON),
    "job -c": Cost(["job", "-c", '{"a": 5}'], standard=CHANGE),
    "find": Cost(["find"], standard=JSON),
    "find FILTER": Cost(["find", "a>=1"], standard=JSON),
    "find -s": Cost(["find", "-s"], 1.3, PYTHON_DATA),
    "find --json": Cost(["find", "--json"], standard=JSON),
    "find --format": Cost(["find", "--format", "{id} {a}"], 1.3, JSON | FIELDS, of("templates", "keys")),
    "find --sort": Cost(["find", "--sort", "a"], standard=JSON, own=of("keys")),
    "statepoint": Cost(["statepoint", ID], standard=JSON),
    "statepoint -p": Cost(["statepoint", "-p", ID], 1.3, PYTHON_DATA),
    "document": Cost(["document", ID], standard=JSON),
    "document --set": Cost(["document", ID, "--set", "x=1"], standard=CHANGE),
    "diff": Cost(["diff"], 1.3, PYTHON_DATA, core=of("diff")),
    "diff --json": Cost(["diff", "--json"], standard=JSON, core=of("diff")),
    "neighbors": Cost(["neighbors", ID], 1.3, PYTHON_DATA, core=of("schema")),
    "schema": Cost(["schema"], standard=JSON, core=of("detecting", "schema")),
    "schema --json": Cost(["schema", "--json"], standard=JSON, core=of("detecting", "schema")),
    "view": Cost(["view"], 1.6, JSON | FIELDS | of("bisect", "_bisect"), PATHS, of("job", "view")),
    "view -n": Cost(["view", "-n"], 1.6, JSON | FIELDS | of("bisect", "_bisect"), PATHS, of("job", "view")),
    "export": Cost(["export", "out"], 1.6, CHANGE | FIELDS, PATHS, of("job")),
    "export -n": Cost(["export", "out", "-n"], 1.6, CHANGE | FIELDS, PATHS, of("job")),
    "import": Cost(["import", "data"], 1.6, CHANGE | FIELDS, PATHS, of("job")),
    "import -n": Cost(["import", "data", "-n"], 1.6, CHANGE | FIELDS, PATHS, of("job")),
    "rm": Cost(["rm", ID], standard=CHANGE),
    "move": Cost(["move", "elsewhere", ID], 1.4, CHANGE, of("progress", "transfer"), of("job")),
    "clone": Cost(["clone", "elsewhere", ID], 1.6, CHANGE, of("progress", "transfer"), of("job")),
    "sync": Cost(
        ["sync", "elsewhere", "-m"],
        1.6,
        CHANGE | LOG,
        of("progress", "syncreport", "transfer"),
        of("buffering", "job", "jsondict", "sync"),
    ),
    "sync -n": Cost(
        ["sync", "elsewhere", "-m", "-n"],
        1.6,
        JSON | LOG,
        of("progress", "syncreport", "transfer"),
        of("buffering", "job", "jsondict", "sync"),
    ),
    "check": Cost(["check"], 1.4, JSON, of("progress")),
    "status": Cost(["status"], 1.4, JSON),
    "update-cache": Cost(["update-cache"], 1.5, JSON | of("zlib", "array", "gc", "math"), of("progress")),
    "config show": Cost(["config", "show", "schema_version"], standard=of("fcntl")),
    "config verify": Cost(["config", "verify"], standard=of("fcntl")),
    "config set": Cost(["config", "set", "x", "1"], 1.4, of("fcntl", "encodings.utf_8_sig"), packages=of("configobj")),
    "migrate": Cost(["migrate"], 1.4, CHANGE, packages=of("configobj")),
    "shell": Cost(["shell", "-c", ""], 1.4, JSON, of("console"), of(), of("signac")),
    "completion": Cost(["completion", "bash"]),
}

FEW_NEED = {
    "buffering", "cursor", "detecting", "diff", "frame", "h5store", "h5values", "html", "job", "jsondict", "schema",
    "statepoint", "sync", "view",
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
    """A project of three jobs; below it one of one job, and data to import."""
    project = Project.init_project()
    for a in range(3):
        project.open_job({"a": a}).init()
    Project.init_project("elsewhere").open_job({"a": 10}).init()
    job = Path("data", "a", "11")
    job.mkdir(parents=True)
    (job / "signac_statepoint.json").write_text('{"a": 11}')


def module_of(command: str) -> str | None:
    """Name of the module of a command."""
    name = command.partition(" ")[0]
    return app.COMMANDS[name][0] if name in app.COMMANDS else None


# --- modules ---------------------------------------------------------------------------------------------------------


def test_table_when_compared_with_the_program_then_no_command_is_missing():
    assert {command.partition(" ")[0] for command in COMMANDS} == {*app.COMMANDS, "--version"}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_imports_nothing_beyond_need(command):
    if command != "init":
        small_project()
    cost = COMMANDS[command]
    loaded = modules(cost.arguments, prepare="import click")
    standard = {name for name in loaded if name.partition(".")[0] in sys.stdlib_module_names}
    assert standard - {"__future__"} <= cost.standard
    packages = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert packages - {"signac_cli", "signac_core"} == cost.packages
    own = {name.removeprefix("signac_cli.") for name in loaded if name.startswith("signac_cli.")}
    if module := module_of(command):
        assert own == {"app", "arguments", "output", "commands", f"commands.{module}"} | cost.own
    core = {name.removeprefix("signac_core.") for name in loaded if name.startswith("signac_core.")}
    assert core & FEW_NEED == cost.core


def test_version_when_asked_for_then_click_is_not_imported():
    loaded = {name for name in modules(["--version"]) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert loaded == {"signac_cli", "signac_core", "signac_core.version"}


@pytest.mark.parametrize(
    "arguments", [["find", "--table"], ["find", "--table", "--color", "always"], ["find", "-s"], ["--help"]]
)
def test_rich_when_nothing_is_drawn_on_a_terminal_then_not_imported(arguments):
    small_project()
    assert "rich" not in {name.partition(".")[0] for name in modules(arguments)}


# --- file system calls -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of an environment with compiled copies of Click, configobj and this project, and nothing else."""
    require_strace()
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory, with_pip=False, symlinks=True)
    (packages,) = directory.glob("lib/python3*/site-packages")
    for package in (click, configobj, signac_cli, signac_core):
        source = Path(package.__path__[0])
        shutil.copytree(source, packages / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "completions", packages / "completions")
    shutil.copy(ROOT / "signac.py", packages)
    assert compileall.compile_dir(packages, quiet=1)
    script = directory / "bin" / "signac"
    script.write_text(f"#!{directory}/bin/python\nimport re\nimport sys\nfrom signac_cli import start\nstart()\n")
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


@pytest.fixture(scope="module")
def calls_of_click(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """File system calls of an interpreter that imports Click."""
    with contextlib.chdir(tmp_path_factory.mktemp("click")):
        return file_system_calls(installed / "python", "-c", "import click")


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_not_many_more_file_system_calls_than_importing_click(installed, calls_of_click, command):
    if command != "init":
        small_project()
    cost = COMMANDS[command]
    assert file_system_calls(installed / "signac", *cost.arguments) <= cost.calls * calls_of_click


def test_package_when_found_then_the_one_of_this_checkout():
    assert Path(signac_cli.__path__[0]).parent == ROOT
