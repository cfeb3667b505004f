"""The import name ``signac``: the names, their identity with those of the core, and what importing them costs."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import pkgutil
import subprocess
import sys

import pytest

import signac
import signac_core
from signac_core import Project, layout, version

PUBLIC = [
    "__version__",
    "errors",
    "sync",
    "Project",
    "TemporaryProject",
    "get_project",
    "init_project",
    "get_job",
    "diff_jobs",
    "buffered",
    "is_buffered",
    "get_buffer_capacity",
    "get_current_buffer_size",
    "set_buffer_capacity",
    "JSONDict",
    "H5Store",
    "H5StoreManager",
]

NEEDED_BY_DEPENDANTS = [
    ("errors", "DestinationExistsError"),
    ("filterparse", "parse_filter_arg"),
    ("h5store", "H5Group"),
    ("h5store", "H5Store"),
    ("h5store", "H5StoreAlreadyOpenError"),
    ("h5store", "H5StoreClosedError"),
    ("h5store", "H5StoreManager"),
    ("job", "Job"),
    ("job", "calc_id"),
    ("linked_view", "create_linked_view"),
    ("migration", "apply_migrations"),
    ("project", "JOB_ID_LENGTH"),
    ("project", "JobsCursor"),
    ("project", "Project"),
    ("project", "TemporaryProject"),
    ("schema", "ProjectSchema"),
    ("sync", "DocSync"),
    ("sync", "FileSync"),
    ("_utility", "_to_hashable"),
]

ROOMS = sorted(module.name for module in pkgutil.iter_modules(signac_core.__path__))

HEAVY = {
    "click",
    "concurrent.futures",
    "configobj",
    "h5py",
    "hashlib",
    "importlib.metadata",
    "json",
    "logging",
    "numpy",
    "orjson",
    "pandas",
    "pathlib",
    "rich",
    "shutil",
    "sqlite3",
    "subprocess",
    "tables",
    "tempfile",
}


def modules_loaded_by(statement: str) -> set[str]:
    """The modules that a statement adds to those of a fresh interpreter."""
    program = f"import sys; before = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


# --- names -----------------------------------------------------------------------------------------------------------


def test_public_names_when_listed_then_those_of_signac_in_its_order():
    assert signac.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC[1:])
def test_public_name_when_used_then_it_is_that_of_the_core(name):
    assert getattr(signac, name) is getattr(signac_core, name)
    assert name in dir(signac)


def test_star_import_when_done_then_gives_every_public_name():
    namespace: dict[str, object] = {}
    exec("from signac import *", namespace)
    assert namespace.keys() >= set(PUBLIC)


def test_version_when_asked_then_numeric_and_that_of_signac():
    assert signac.__version__ == version.COMPATIBLE_VERSION == "2.4.1"
    assert all(part.isdigit() for part in signac.__version__.split("."))


def test_version_module_when_imported_then_tells_signac_version_and_schema():
    from signac.version import SCHEMA_VERSION, __version__

    assert (__version__, SCHEMA_VERSION) == ("2.4.1", layout.SCHEMA_VERSION)


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "version"])
def test_module_when_imported_under_either_name_then_the_same_object(room):
    assert importlib.import_module(f"signac.{room}") is importlib.import_module(f"signac_core.{room}")


@pytest.mark.parametrize(("name", "room"), signac._ROOMS.items())
def test_module_when_it_lies_in_a_package_then_the_same_object(name, room):
    assert importlib.import_module(f"signac.{name}") is importlib.import_module(f"signac_core.{room}")


@pytest.mark.parametrize("room", ["errors", "job", "project", "schema", "h5store", "filterparse", "diff", "_utility"])
def test_module_when_taken_as_attribute_then_loaded_without_an_import(room):
    program = f"import signac; print(signac.{room}.__name__)"
    run = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split()[0].rpartition(".")[2] == room


@pytest.mark.parametrize(("module", "name"), NEEDED_BY_DEPENDANTS)
def test_name_that_dependants_import_when_imported_then_there(module, name):
    assert hasattr(importlib.import_module(f"signac.{module}"), name)


def test_module_when_many_threads_import_it_under_both_names_then_loaded_once():
    program = (
        "import importlib, sys, threading\n"
        "import signac\n"
        "rooms = sys.argv[1:]\n"
        "start = threading.Barrier(8)\n"
        "found = []\n"
        "def load(prefix):\n"
        "    start.wait()\n"
        "    found.append([importlib.import_module(f'{prefix}.{room}') for room in rooms])\n"
        "threads = [threading.Thread(target=load, args=[('signac', 'signac_core')[n % 2]]) for n in range(8)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "assert len(found) == 8 and all(modules == found[0] for modules in found)"
    )
    rooms = ["job", "project", "cursor", "errors", "sync", "finding", "survey.schema"]
    subprocess.run([sys.executable, "-I", "-c", program, *rooms], check=True)


def test_module_of_the_core_when_imported_as_signac_then_keeps_its_own_name_and_spec():
    module = importlib.import_module("signac.job")
    assert (module.__name__, module.__spec__.name) == ("signac_core.job", "signac_core.job")


@pytest.mark.parametrize("name", ["contrib", "core", "testing", "warnings", "job.nothing"])
def test_module_when_there_is_none_then_module_not_found_names_it(name):
    with pytest.raises(ModuleNotFoundError, match="signac") as caught:
        importlib.import_module(f"signac.{name}")
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["Job", "calc_id", "JobsCursor", "Collection", "__wrapped__"])
def test_attribute_when_there_is_none_then_attribute_error(name):
    assert not hasattr(signac, name)


# --- private names that dependants reach for -------------------------------------------------------------------------


def test_to_hashable_when_given_json_then_hash_follows_equality():
    from signac._utility import _to_hashable

    assert _to_hashable([1, [2, "x"]]) == (1, (2, "x"))
    one, other = (_to_hashable(value) for value in ({"a": [1, {"b": 2}], "c": 1}, {"c": True, "a": [1.0, {"b": 2}]}))
    assert one == other
    assert hash(one) == hash(other)
    assert {one} == {other}
    assert [_to_hashable(value) for value in (None, "x", 1.5)] == [None, "x", 1.5]


def test_private_names_when_used_as_dependants_do_then_they_work():
    project = signac.init_project()
    job = project.open_job({"a": 1}).init()
    assert project._config.get("schema_version") == "2"
    assert (job._project, job._id) == (project, job.id)
    cursor = project.find_jobs({"a": 1})
    assert list(cursor._ids) == [job.id]
    assert job.id in cursor._id_set


def test_contains_job_id_when_overridden_then_membership_asks_it():
    class Sub(signac.Project):
        def _contains_job_id(self, job_id: str) -> bool:
            return True

    project = Sub.init_project()
    assert project.open_job({"a": 1}) in project


# --- pickles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name"),
    [("signac.project", "Project"), ("signac.job", "Job"), ("signac.errors", "Error"), ("signac.h5store", "H5Store")],
)
def test_pickle_when_it_names_signac_then_gives_the_class_of_the_core(module, name):
    by_name = f"c{module}\n{name}\n.".encode()  # protocol 0: a global, then the end
    assert pickle.loads(by_name) is getattr(importlib.import_module(module), name)


def test_pickle_when_read_in_another_process_under_the_other_name_then_equal():
    job = signac.init_project().open_job({"a": 1}).init()
    program = (
        "import pickle, sys\n"
        "job = pickle.load(sys.stdin.buffer)\n"
        "import signac, signac_core.job\n"
        "assert type(job) is signac.job.Job is signac_core.job.Job\n"
        "sys.stdout.buffer.write(pickle.dumps([job, signac.Project, job.project]))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", program], input=pickle.dumps(job), capture_output=True, check=True
    )
    assert pickle.loads(run.stdout) == [job, Project, job.project]


# --- cost ------------------------------------------------------------------------------------------------------------


def test_import_when_nothing_is_used_then_loads_nothing_heavy():
    loaded = modules_loaded_by("import signac")
    assert not loaded & HEAVY
    assert {name for name in loaded if name.startswith("signac")} == {"signac", "signac_core", "signac_core.version"}


@pytest.mark.parametrize("module", ["signac", "signac_core"])
def test_import_when_a_project_is_used_then_loads_no_third_party_module(module):
    loaded = modules_loaded_by(f"import {module}; {module}.Project; {module}.get_project; {module}.JSONDict")
    assert not loaded & {"click", "configobj", "h5py", "numpy", "orjson", "pandas", "rich", "tables"}


def test_import_when_stores_are_named_then_h5py_waits_for_their_use():
    assert not modules_loaded_by("from signac import H5Store, H5StoreManager") & {"h5py", "numpy"}


# --- the command -----------------------------------------------------------------------------------------------------


def test_python_m_signac_when_run_then_it_is_the_command():
    run = subprocess.run(
        [sys.executable, "-m", "signac", "--version"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert run.stdout == f"signac-cli {version.__version__} (signac {signac.__version__} compatible)\n"


def test_python_m_signac_when_a_command_runs_then_it_uses_the_core():
    subprocess.run([sys.executable, "-m", "signac", "init"], capture_output=True, check=True)
    assert json.loads(json.dumps(signac.get_project().config)) == {"schema_version": "2"}


# --- loading again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again", ["importlib.reload(signac)", "del sys.modules['signac']; import signac; importlib.reload(signac)"]
)
def test_signac_when_loaded_again_then_one_finder_and_the_same_modules(again):
    program = (
        "import importlib, sys, signac, signac.job\n"
        "before = len(sys.meta_path), signac.Project, signac.job.Job\n"
        f"{again}\n"
        "import signac.schema, signac.job\n"
        "assert (len(sys.meta_path), signac.Project, signac.job.Job) == before\n"
        "assert sys.meta_path[0].__module__ == 'signac'\n"
        "assert signac.schema is importlib.import_module('signac_core.survey.schema')\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
