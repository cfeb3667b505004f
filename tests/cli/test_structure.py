"""The files of ``signac_cli`` lie on floors: what a file imports lies below it, and files and functions are short.

Every import counts: those that loading a module runs, those inside functions, and those for type checkers.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import signac_cli
from signac_cli.app import COMMANDS

CLI = Path(signac_cli.__path__[0])

FLOORS = [
    {"examples", "keys", "pretty", "synonyms"},
    {"complete", "templates"},
    {"tables"},
    {"output"},
    {"session"},
    {"arguments", "console", "progress", "suggestions"},
    {"misreadings", "options", "report"},
    {"pathreport", "selection", "syncreport"},
    {"transfer"},
    {"commands", *(f"commands.{module}" for module, _ in COMMANDS.values())},
    {"app"},
    {""},
    {"__main__"},
]
"""From the ground up: a file imports those of lower floors only. The package itself is ""."""

NOT_PRIVATE = {"_replace", "_asdict", "_exit", "_run_exitfuncs"}
"""What the standard library calls so, and means to be used."""

LONGEST_FILE = 500
LONGEST_FUNCTION = 40

LONG = {("commands.find", "command"), ("commands.sync", "command")}
"""Functions that hand every one of very many options on."""


def name_of(path: Path) -> str:
    """The name of a file: its path below the package, with dots."""
    parts = path.relative_to(CLI).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(CLI.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}


def floor_of(name: str) -> int:
    (floor,) = (floor for floor, names in enumerate(FLOORS) if name in names)
    return floor


def imported_by(name: str) -> set[str]:
    """The files of the package that a file imports, itself apart."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ["signac_cli", *filter(None, name.split("."))]
            if PATHS[name].name != "__init__.py":
                package.pop()
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for place in names:
            if place.partition(".")[0] == "signac_cli":
                inside = place.partition(".")[2]
                found.add(inside if inside in PATHS else inside.rpartition(".")[0])
    return found - {name}


ARROWS = {name: imported_by(name) for name in PATHS}


def test_floors_when_listed_then_name_every_file_once():
    listed = [name for floor in FLOORS for name in floor]
    assert sorted(listed) == sorted(PATHS)


def test_arrows_when_read_then_those_in_functions_and_for_type_checkers_are_among_them():
    assert "tables" in ARROWS["output"]  # in a function
    assert "session" in ARROWS["arguments"]  # for type checkers
    assert "app" in ARROWS[""]  # relative to the package
    assert ARROWS["__main__"] == {""}  # absolute


@pytest.mark.parametrize("name", PATHS)
def test_file_when_it_imports_others_then_those_of_lower_floors(name):
    assert {other for other in ARROWS[name] if floor_of(other) >= floor_of(name)} == set()


def test_files_when_they_import_each_other_then_not_in_a_circle():
    assert len([*TopologicalSorter(ARROWS).static_order()]) == len(PATHS)


@pytest.mark.parametrize("name", PATHS)
def test_file_when_it_uses_another_then_not_what_is_private_there(name):
    read, taken = set(), set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if ast.unparse(node.value) not in ("self", "cls", "super()"):
                read.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            taken |= {alias.name for alias in node.names if is_private(alias.name)}
    assert read - NOT_PRIVATE == set()
    assert taken == set()


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("name", PATHS)
def test_file_when_measured_then_neither_it_nor_its_functions_are_long(name):
    lines = lines_of_code(PATHS[name])
    assert len(lines) <= LONGEST_FILE
    functions = [node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef)]
    lengths = {
        (name, node.name): sum(node.body[0].lineno <= line <= (node.end_lineno or 0) for line in lines)
        for node in functions
    }
    assert {function for function, length in lengths.items() if length > LONGEST_FUNCTION} - LONG == set()


def lines_of_code(path: Path) -> set[int]:
    """The numbers of the lines that hold neither comments nor docstrings only."""
    text = path.read_text(encoding="utf-8")
    without = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in without:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - set(lines_of_docstrings(ast.parse(text)))


def lines_of_docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


def test_package_of_commands_when_read_then_holds_a_docstring_only():
    assert len(TREES["commands"].body) == 1
