"""What a command looks at, and how often: one opening of the index, one listing, and one moment that it tells about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from signac_core import Project, catalog, stamps, workspace
from tests.support.patches import for_some_cases
from tests.support.running import environment

NUMBER = 40

COMMANDS = {
    "status": ["status", "--json"],
    "find": ["find", "--shard", "0/1", "--sort", "-n", "n>=0"],
    "find -1": ["find", "-1", "-s"],
    "schema": ["schema", "--json"],
    "diff": ["diff", "--table", "-f", "n<5"],
    "export": ["export", "-n", "out"],
    "view": ["view", "-n"],
    "statepoint": ["statepoint", "--json"],
    "unknown key": ["find", "nn=1"],
}
"""Commands that ask for the jobs several times."""


@pytest.fixture
def study(project: Project) -> Project:
    """A project of 40 jobs."""
    for n in range(NUMBER):
        project.open_job({"n": n, "text": f"t{n % 3}"}).init().doc.x = n
    return project


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the index is opened, and the workspace listed."""
    counts: Counter[str] = Counter()
    open_file, scan = os.open, os.scandir

    def opening(path: Any, *arguments: Any, **options: Any) -> int:
        counts["opened"] += str(path).endswith("/.signac/index")
        return open_file(path, *arguments, **options)

    def scanning(path: Any) -> Any:
        place = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else str(path)
        counts["listed"] += place.endswith("/workspace")
        return scan(path)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "scandir", scanning)
    return counts


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("state", "listed"), [("believed", 0), ("compared", 1), ("absent", 1)])
def test_command_when_run_then_the_index_is_opened_once_and_the_workspace_listed_at_most_once(
    cli, study, looks, monkeypatch, command, state, listed
):
    monkeypatch.setenv("SIGNAC_INDEX_REFRESH", "never")
    if state != "absent":
        monkeypatch.setattr(stamps, "margin", lambda *devices: -(10**18))
        study.update_cache()
    if state == "compared":
        monkeypatch.setenv("SIGNAC_INDEX_TRUST", "never")
    looks.clear()
    assert cli(*COMMANDS[command]).status == 0
    assert looks == Counter(opened=1, listed=listed)


@pytest.fixture
def meanwhile(study: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Function that lets jobs come after each question that is asked."""
    twin = study.open_job({"n": 0, "text": "t0"}).path
    twin = twin[:-1] + ("0" if twin[-1] != "0" else "1")  # it takes 32 digits to tell them apart
    stranger = study.open_job({"n": -1, "stranger": True})

    def come() -> None:
        os.makedirs(twin, exist_ok=True)
        stranger.init()

    def start() -> None:
        real_open, real_list = catalog.open_own_index, workspace.list_workspace

        def opened(space):
            found = real_open(space)
            if found is not None:
                come()
            return found

        def listed(space):
            found = real_list(space)
            come()
            return found

        monkeypatch.setattr(catalog, "open_own_index", opened)
        with for_some_cases():  # where there is no index
            monkeypatch.setattr(catalog, "list_workspace", listed)
            monkeypatch.setattr(workspace, "list_workspace", listed)

    if os.path.exists(twin):
        os.rmdir(twin)
    return start


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("indexed", [False, True])
def test_command_when_jobs_come_between_its_questions_then_it_tells_of_one_moment(
    cli, study, meanwhile, command, indexed
):
    if indexed:
        study.update_cache()
    undisturbed = cli(*COMMANDS[command])
    meanwhile()
    assert cli(*COMMANDS[command]) == undisturbed
    assert len(os.listdir(study.workspace)) == NUMBER + 2


@pytest.mark.parametrize("command", ["status", "find -1", "schema"])
def test_command_when_each_question_looks_anew_then_it_tells_of_several_moments(
    cli, study, meanwhile, monkeypatch, command
):
    study.update_cache()
    undisturbed = cli(*COMMANDS[command])
    monkeypatch.setattr(workspace.Space, "one_moment", lambda space: nullcontext())
    meanwhile()
    assert cli(*COMMANDS[command]) != undisturbed


# --- what is imported for it ------------------------------------------------------------------------------------------

LIST_MODULES = """
import sys
import signac_cli
sys.argv = ["signac", *sys.argv[1:]]
status = signac_cli.main()
own = "signac_core.index"
print(status, *sorted(name.removeprefix(own) for name in sys.modules if name.startswith(own)), file=sys.stderr)
"""
OPENING = {"", ".snapshot", ".table"}

MODULES = {
    "find": OPENING,
    "find n>=1": OPENING | {".evaluation"},
    "find doc.x>=1": OPENING | {".evaluation", ".documents"},
    "document": OPENING | {".documents", ".evaluation", ".selection", ".texts"},
    "document -f n>=1": OPENING | {".documents", ".evaluation", ".selection", ".texts"},
    "schema": OPENING | {".distinct", ".selection"},
    "status": OPENING | {".peer_cache"},
}
"""Modules of the index that a command loads."""


@pytest.mark.parametrize("trust", ["", "never"])
@pytest.mark.parametrize("command", MODULES)
def test_index_when_asked_then_nothing_is_imported_that_writes_it(study, command, trust):
    study.update_cache()
    run = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *command.split()],
        env=environment(SIGNAC_INDEX_TRUST=trust),
        capture_output=True,
        text=True,
        timeout=60,
    )
    status, *loaded = run.stderr.splitlines()[-1].split(" ")
    assert (status, set(loaded)) == ("0", MODULES[command])
