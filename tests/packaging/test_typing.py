"""What type checkers and editors know of ``signac`` and ``signac_core``."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import signac

ROOT = Path(__file__).resolve().parents[2]

BY_IMPORT = {
    "import_export": ["DestinationExistsError", "Job", "StatepointParsingError"],
    "job": ["DestinationExistsError", "H5StoreManager", "JobsCorruptedError", "sync_jobs"],
    "migration": ["SCHEMA_VERSION"],
    "project": [
        "DestinationExistsError",
        "H5StoreManager",
        "IncompatibleSchemaVersion",
        "Job",
        "JobsCorruptedError",
        "JobsCursor",
        "ProjectSchema",
        "SCHEMA_VERSION",
        "TemporaryProject",
        "WorkspaceError",
        "calc_id",
        "parse_filter",
        "sync_projects",
    ],
    "sync": ["DestinationExistsError", "DocumentSyncConflict", "FileSyncConflict", "SchemaSyncConflict"],
}
"""Names that signac 2.x has in its modules because they are imported there."""

MODULES = ["diff", "errors", "filterparse", "h5store", "linked_view", "schema", "version", *BY_IMPORT]

USE = """
project = signac.init_project("study")
for job in project.find_jobs({"a": 1}):
    reveal_type(job)
    reveal_type(job.sp)
    job.sp = {"a": 1}
    reveal_type(job.sp)
    job.sp.a = job.sp.a + 1
    job.statepoint = {"a": 1}
    reveal_type(job.statepoint)
    job.doc = {"a": 1}
    reveal_type(job.doc)
    job.doc.l = [1]
    job.doc.l.sort()
    job.data = {"a": 1}
    reveal_type(job.data)
    reveal_type(job.cached_statepoint)
project.doc = {"a": 1}
reveal_type(project.doc)
with signac.buffered(), project.open_job({"a": 1}) as entered:
    reveal_type(entered)
with project.temporary_project() as temporary:
    reveal_type(temporary)
reveal_type(signac.sync.FileSync.always)
reveal_type(job.doc | {"a": 1})
class Mine(signac.Project): ...
with Mine("study").temporary_project() as mine:
    reveal_type(mine)
with signac.TemporaryProject(Mine) as mine_too:
    reveal_type(mine_too)
project.import_from(pathlib.Path("data"))
project.create_linked_view(pathlib.Path("view"))
signac.JSONDict(pathlib.Path(job.fn(pathlib.Path("extra.json"))))
signac.get_projekt()
project.find_job()
"""

TYPES = [
    "signac_core.job.Job",
    *["signac_core.documents.views.JSONDict"] * 4,
    "signac_core.hdf5.store.H5Store",
    "typing.Mapping[str, Any]",
    "signac_core.documents.views.JSONDict",
    "signac_core.job.Job",
    "signac_core.project.Project",
    "def (src: signac_core.sync.strategies.JobHandle, dst: signac_core.sync.strategies.JobHandle, fn: str) -> bool",
    "dict[str, Any]",
    "use.Mine",
    "use.Mine",
]

HINTS = """
import importlib, inspect, sys, typing

def functions(thing):
    if isinstance(thing, property):
        yield from filter(None, (thing.fget, thing.fset))
    elif isinstance(thing, (classmethod, staticmethod)):
        yield thing.__func__
    elif inspect.isfunction(thing):
        yield thing
    elif inspect.isclass(thing) and thing.__module__.startswith("signac_core"):
        yield thing
        for member in vars(thing).values():
            if member is not thing:
                yield from functions(member)

module = importlib.import_module(sys.argv[1])
own = (name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__)
for name in {*module.__all__, *(name for name in own if not name.startswith("_"))}:
    for thing in functions(getattr(module, name)):
        typing.get_type_hints(thing)
"""


def names_of(module: str) -> list[str]:
    loaded = importlib.import_module(f"signac.{module}")
    return sorted({*getattr(loaded, "__all__", ()), *BY_IMPORT.get(module, ())})


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", BY_IMPORT)
def test_names_that_signac_2_has_by_import_when_asked_for_then_they_are_those_of_their_rooms(module):
    loaded = importlib.import_module(f"signac.{module}")
    for name in BY_IMPORT[module]:
        value = getattr(loaded, name)
        room = getattr(value, "__module__", "signac_core.layout")
        assert value is getattr(importlib.import_module(room), name)
        assert value is getattr(importlib.import_module(loaded.__name__), name)


@pytest.mark.parametrize("module", ["project", "job", "sync", "cursor"])
def test_name_of_a_room_when_misspelt_then_attribute_error_names_it(module):
    with pytest.raises(AttributeError, match=r"signac_core\.\w+' has no attribute 'Jobb'"):
        _ = importlib.import_module(f"signac.{module}").Jobb


# --- type checkers ---------------------------------------------------------------------------------------------------


def test_mypy_when_strict_then_it_knows_every_name_and_finds_mistakes(tmp_path):
    imports = [
        f"from signac.{module} import {name} as {module}_{name}" for module in MODULES for name in names_of(module)
    ]
    imports += [f"from signac import {name} as of_signac_{name}" for name in signac.__all__]
    Path("use.py").write_text("\n".join(["import pathlib, signac, signac.errors, signac.job", *imports, USE]))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-color-output", "--cache-dir", str(tmp_path), "use.py"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.partition(": ")[2] for line in run.stdout.splitlines()]
    revealed = [line.partition('"')[2].removesuffix('"') for line in lines if line.startswith("note: Revealed")]
    assert revealed == TYPES, run.stdout
    errors = [line for line in lines if line.startswith("error:")]
    assert [("get_projekt" in line, "find_job" in line) for line in errors] == [(True, False), (False, True)], errors


def test_stubs_when_listed_then_those_of_the_modules_of_signac_2():
    assert {path.stem for path in (ROOT / "signac-stubs").glob("*.pyi")} == {"__init__", *MODULES}


# --- editors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import signac\nsignac.", {"Project", "get_project", "init_project", "buffered", "errors", "sync"}),
        ("import signac\nsignac.Project().", {"find_jobs", "open_job", "doc", "workspace"}),
        ("import signac_core\nsignac_core.Project().", {"find_jobs", "open_job", "doc", "workspace"}),
        ("from signac.job import Job\nJob.", {"sp", "doc", "init"}),
        ("from signac.job import J", {"Job"}),
        ("from signac.sync import File", {"FileSync", "FileSyncConflict", "FileTransferStats"}),
        ("from signac.", {"job", "project", "sync", "errors"}),
        ("import signac\nfor job in signac.get_project():\n    job.", {"sp", "doc", "init"}),
        ("import signac\nsignac.get_project().open_job().sp.", {"get", "keys", "update"}),
        ("import signac\nsignac.get_project().find_jobs().", {"groupby", "to_dataframe"}),
    ],
)
def test_jedi_when_it_completes_then_it_knows_the_names(text, expected):
    found = {completion.name for completion in jedi.Script(text, project=jedi.Project(ROOT)).complete()}
    assert expected <= found


# --- at run time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module", ["signac", *(f"signac.{module}" for module in [*MODULES, "cursor"]), "signac_core.documents.views"]
)
def test_type_hints_when_evaluated_in_a_fresh_process_then_all_names_are_found(module):
    run = subprocess.run([sys.executable, "-c", HINTS, module], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_annotations_when_nobody_looks_at_them_then_nothing_is_loaded():
    program = "import sys, signac; signac.Project.to_dataframe, signac.H5Store.file\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"pandas", "h5py", "signac_core.job", "signac_core.cursor"} & {*run.stdout.split()}
