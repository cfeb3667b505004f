"""The lists of names in ``signac_core`` agree, and its modules depend on each other in one direction."""

from __future__ import annotations

import ast
import pkgutil
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import signac_cli
import signac_core

CORE = Path(signac_core.__path__[0])
CLI = Path(signac_cli.__path__[0])

FLOORS = [
    {"errors", "layout", "settings", "version"},
    {"files", "locks"},
    {"canonical"},
    {"buffering", "config", "document", "h5store", "h5values", "jsondict", "reading", "workspace"},
    {"finding", "statepoint"},
    {"job"},
    {"cursor", "project"},
]
"""From left to right, as in the design; every other room is to the right of these."""

NAMED = set().union(*FLOORS)

ROOMS = sorted(module.name for module in pkgutil.iter_modules([str(CORE)]))

NOT_FOR_THE_CORE = {"click", "rich", "signac", "signac_cli"}

ONLY_INSIDE_FUNCTIONS = {"configobj", "h5py", "numpy", "orjson", "pandas", "tables"}


def floor_of(room: str) -> int:
    return next((floor for floor, rooms in enumerate(FLOORS) if room in rooms), len(FLOORS))


def source(room: str) -> ast.Module:
    path = CORE / f"{room}.py"
    return ast.parse((path if path.exists() else CORE / room / "__init__.py").read_text(encoding="utf-8"))


def imports_when_loaded(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that loading a module runs: not those in functions, nor those for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for statement in child.orelse:
                yield from imports_when_loaded(ast.Module([statement], []))
        elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from imports_when_loaded(child)


def rooms_imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    """The rooms of the core that a statement in the core imports."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif node.level == 0:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        names = [f"signac_core.{node.module or alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("signac_core.")} & set(ROOMS)


def top_level_packages(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return set() if node.level else {str(node.module).partition(".")[0]}
    return {alias.name.partition(".")[0] for alias in node.names}


# --- the lists of public names ---------------------------------------------------------------------------------------


def test_public_names_of_the_core_when_compared_then_all_lists_agree():
    listed = set(signac_core.__all__)
    declared = {
        alias.asname: alias.name if node.module is None else f"{node.module}.{alias.name}"
        for branch in source("__init__").body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    rooms = {name: f"{room}.{name}" for name, room in signac_core._ROOMS.items()}
    assert declared == rooms | {"errors": "errors", "sync": "sync"}
    assert listed == declared.keys() | {"__version__"}
    assert len(listed) == len(signac_core.__all__)


@pytest.mark.parametrize("name", signac_core.__all__)
def test_public_name_of_the_core_when_used_then_defined_in_its_room(name):
    value = getattr(signac_core, name)
    assert name in dir(signac_core)
    if name in signac_core._ROOMS and not isinstance(value, str):
        assert value.__module__ == f"signac_core.{signac_core._ROOMS[name]}"


def test_attribute_of_the_core_when_misspelt_then_attribute_error_names_it():
    with pytest.raises(AttributeError, match="Projekt"):
        _ = signac_core.Projekt


# --- direction -------------------------------------------------------------------------------------------------------


def test_floors_when_listed_then_name_existing_rooms_once():
    assert sum(map(len, FLOORS)) == len(NAMED)
    assert set(ROOMS) >= NAMED


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_loaded_then_imports_only_what_lies_to_its_left(room):
    imported = set().union(*map(rooms_imported, imports_when_loaded(source(room))))
    assert {other for other in imported if floor_of(other) > floor_of(room)} == set()


def test_rooms_when_loaded_then_no_circle():
    graph = {room: set().union(*map(rooms_imported, imports_when_loaded(source(room)))) for room in ROOMS}
    assert len([*TopologicalSorter(graph).static_order()]) == len(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_read_then_knows_neither_the_commands_nor_their_libraries(room):
    every_import = [node for node in ast.walk(source(room)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert set().union(*map(top_level_packages, every_import)) & NOT_FOR_THE_CORE == set()


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_loaded_then_third_party_modules_wait_for_their_use(room):
    loaded = set().union(*map(top_level_packages, imports_when_loaded(source(room))))
    assert loaded & ONLY_INSIDE_FUNCTIONS == set()
    assert loaded <= sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted(CLI.rglob("*.py")), ids=lambda path: str(path.relative_to(CLI)))
def test_command_when_read_then_imports_the_core_under_its_own_name(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    every_import = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert "signac" not in set().union(*map(top_level_packages, every_import))


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_named_then_says_what_it_is_about(room):
    assert not {"utils", "util", "helpers", "common", "misc"} & set(room.strip("_").split("_"))
