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
        File system calls beyond those of ``import click``, without an index and with one.
    standard
        All modules of the standard library, beyond those of Click.
    own
        Modules of signac_cli, beyond those that start every command.
    core
        Those rooms and packages of signac_core, among the ones that few commands need.
    packages
        Other packages.

    """

    arguments: list[str]
    calls: tuple[int, int] = (135, 180)
    standard: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    core: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()


def of(*names: str) -> frozenset[str]:
    return frozenset(names)


MORE = (160, 190)
MUCH = (386, 386)

JSON = of("_json", "_md5")
CHANGE = JSON | of("fcntl")
FIELDS = of("string", "_string")
LOG = of("logging", "traceback", "textwrap", "atexit") | FIELDS
INDEX = of("array", "gc", "zlib")
SELECT = of("options", "selection")
REPORT = SELECT | of("report")
IMPORT = of("options", "report", "pathreport", "progress")
PATHS = IMPORT | SELECT
BRING = REPORT | of("progress", "transfer")
SYNC = BRING | of("syncreport")
HANDLES = of("job", "project")
DOCUMENTS = of("documents")
SURVEY = of("survey")
EXCHANGE = of("documents", "exchange")
VIEW = of("exchange", "paths")

COMMANDS = {
    "--version": Cost(["--version"], (-200, -200)),
    "init": Cost(["init"], standard=CHANGE, core=of("project")),
    "job": Cost(["job", '{"a": 1}'], standard=JSON, own=REPORT),
    "job -c": Cost(["job", "-c", '{"a": 5}'], standard=CHANGE, own=REPORT),
    "find": Cost(["find"], standard=JSON, own=SELECT),
    "find FILTER": Cost(["find", "a>=1"], (135, 180), standard=JSON, own=SELECT),
    "find -s": Cost(["find", "-s"], (160, 200), JSON, SELECT | of("pretty"), DOCUMENTS),
    "find --json": Cost(["find", "--json"], standard=JSON, own=SELECT),
    "find --format": Cost(
        ["find", "--format", "{id} {a}"], (150, 200), JSON | FIELDS, SELECT | of("templates", "keys")
    ),
    "find --sort": Cost(["find", "--sort", "a"], (135, 190), standard=JSON, own=SELECT | of("keys")),
    "statepoint": Cost(["statepoint", ID], standard=JSON, own=SELECT),
    "statepoint -p": Cost(["statepoint", "-p", ID], standard=JSON, own=SELECT | of("pretty")),
    "document": Cost(["document", ID], standard=JSON, own=SELECT, core=DOCUMENTS),
    "document --set": Cost(["document", ID, "--set", "x=1"], MORE, CHANGE, REPORT, DOCUMENTS),
    "diff": Cost(["diff"], (160, 200), JSON, SELECT | of("pretty"), SURVEY),
    "diff --json": Cost(["diff", "--json"], (150, 210), JSON, SELECT, SURVEY),
    "neighbors": Cost(["neighbors", ID], (170, 210), JSON, SELECT | of("pretty"), SURVEY),
    "schema": Cost(["schema"], (160, 190), JSON, SELECT, SURVEY),
    "schema --json": Cost(["schema", "--json"], (160, 190), JSON, SELECT, SURVEY),
    "view": Cost(["view"], MUCH, JSON | FIELDS | of("bisect", "_bisect"), PATHS, VIEW),
    "view -n": Cost(["view", "-n"], MUCH, JSON | FIELDS | of("bisect", "_bisect"), PATHS, VIEW),
    "export": Cost(["export", "out"], MUCH, CHANGE | FIELDS, PATHS, VIEW | DOCUMENTS),
    "export -n": Cost(["export", "out", "-n"], MUCH, CHANGE | FIELDS, PATHS, VIEW | DOCUMENTS),
    "import": Cost(["import", "data"], MUCH, CHANGE | FIELDS, IMPORT, EXCHANGE | of("paths")),
    "import -n": Cost(["import", "data", "-n"], MUCH, CHANGE | FIELDS, IMPORT, EXCHANGE | of("paths")),
    "rm": Cost(["rm", ID], standard=CHANGE, own=REPORT),
    "move": Cost(["move", "elsewhere", ID], MUCH, CHANGE, BRING, EXCHANGE),
    "clone": Cost(["clone", "elsewhere", ID], MUCH, CHANGE, BRING, EXCHANGE),
    "sync": Cost(["sync", "elsewhere", "-m"], MUCH, CHANGE | LOG, SYNC, EXCHANGE | HANDLES | of("sync")),
    "sync -n": Cost(["sync", "elsewhere", "-m", "-n"], MUCH, JSON | LOG, SYNC, EXCHANGE | HANDLES | of("sync")),
    "check": Cost(["check"], (220, 320), JSON, REPORT | of("progress"), of("care", "index")),
    "status": Cost(["status"], (190, 210), JSON | INDEX, core=SURVEY | of("cache", "index")),
    "update-cache": Cost(["update-cache"], (220, 220), JSON | INDEX, of("options", "progress"), of("index")),
    "config show": Cost(["config", "show", "schema_version"], standard=of("_json", "fcntl")),
    "config verify": Cost(["config", "verify"], standard=of("_json", "fcntl")),
    "config set": Cost(
        ["config", "set", "x", "1"],
        (140, 140),
        standard=of("_json", "fcntl", "encodings.utf_8_sig"),
        packages=of("configobj"),
    ),
    "migrate": Cost(["migrate"], (175, 175), CHANGE, of("options"), DOCUMENTS | of("care"), of("configobj")),
    "shell": Cost(["shell", "-c", ""], (150, 210), JSON, SELECT | of("console"), of("project"), of("signac")),
    "completion": Cost(["completion", "bash"]),
}

FEW_NEED = {
    "cache", "care", "cursor", "documents", "exchange", "hdf5", "import_export", "index", "job", "paths", "project",
    "survey", "sync",
}  # fmt: skip

WRITING = {"index.refreshing", "index.refreshing_documents", "index.writing"}
"""Modules that make an index, which no command but one loads that asks it."""

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


def small_project(*, indexed: bool = False) -> None:
    """A project of three jobs, perhaps with an index; below it one of one job, and data to import."""
    project = Project.init_project()
    for a in range(3):
        project.open_job({"a": a}).init()
    if indexed:
        project.update_cache()
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
        assert own == {"app", "arguments", "output", "session", "commands", f"commands.{module}"} | cost.own
    assert {name.partition(".")[0] for name in rooms(loaded)} & FEW_NEED == cost.core


ASKING = [
    command for command in COMMANDS if command.partition(" ")[0] in app.COMMANDS.keys() - {"init", "update-cache"}
]


@pytest.mark.parametrize("command", ASKING)
def test_command_when_there_is_an_index_then_neither_what_writes_it_nor_handles_are_imported_for_it(command):
    small_project(indexed=True)
    cost = COMMANDS[command]
    loaded = rooms(modules(cost.arguments))
    assert {name.partition(".")[0] for name in loaded} & FEW_NEED <= cost.core | {"index"}
    assert loaded & WRITING == set()


def rooms(loaded: set[str]) -> set[str]:
    """Modules of the core, by the names that they have there."""
    return {name.removeprefix("signac_core.") for name in loaded if name.startswith("signac_core.")}


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


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_run_then_not_many_more_file_system_calls_than_importing_click(
    installed, calls_of_click, command, indexed
):
    if command != "init":
        small_project(indexed=indexed)
    cost = COMMANDS[command]
    assert file_system_calls(installed / "signac", *cost.arguments) - calls_of_click <= cost.calls[indexed]


def test_package_when_found_then_the_one_of_this_checkout():
    assert Path(signac_cli.__path__[0]).parent == ROOT
