"""The house keeps its order: public names agree, imports go down, there is one place for each thing.

Every import counts: those that loading a module runs, those inside functions, and those for type checkers, in packages
at any depth.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import signac_cli
import signac_core

CORE = Path(signac_core.__path__[0])
CLI = Path(signac_cli.__path__[0])

FLOORS = [
    {"errors", "layout", "version", "progress", "mounts", "nearest", "garbage"},
    {"failures", "files", "canonical"},
    {"hdf5", "config", "trees"},
    {"query", "filterparse", "workspace"},
    {"stamps", "parallel", "locks"},
    {"index", "lifecycle", "configfile"},
    {"catalog"},
    {"documents", "lookups", "paths", "resolving", "updating"},
    {"cache"},
    {"finding", "survey", "exchange"},
    {"care"},
    {"cursor", "sync"},
    {"job"},
    {"project"},
    {"import_export"},
]
"""From the ground up: a room, or a package, imports what lies on lower floors, and a package what is in itself."""

UPWARDS = {("job", "project")}
"""The handle on a job names that on its project, for type checkers; everybody else looks down."""

NOT_FOR_THE_CORE = {"click", "rich", "signac", "signac_cli"}

ONLY_INSIDE_FUNCTIONS = {"configobj", "h5py", "numpy", "orjson", "pandas", "tables"}

SHARED_PRIVATELY = {"project", "job", "cursor"}
"""The handles know each other."""

NOT_PRIVATE = {"_replace", "_asdict", "_make", "_fields", "_exit", "_repr_html_", "_v_file"}
"""What other libraries call so, and mean to be used."""

LONGEST_FILE = 500
LONGEST_FUNCTION = 40


def name_of(path: Path) -> str:
    """The room in a file: its path below the package, with dots."""
    parts = path.relative_to(CORE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(CORE.rglob("*.py"))}
ROOMS = sorted(PATHS.keys() - {""})
TREES = {room: ast.parse(path.read_text(encoding="utf-8")) for room, path in PATHS.items()}


def floor_of(room: str) -> int:
    """The floor of a room: its own, or that of its package."""
    (floor,) = (floor for floor, rooms in enumerate(FLOORS) if room.partition(".")[0] in rooms)
    return floor


def source(room: str) -> ast.Module:
    return TREES["" if room == "__init__" else room]


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


def all_imports(room: str) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(TREES[room]) if isinstance(node, (ast.Import, ast.ImportFrom))]


def rooms_imported(room: str, node: ast.Import | ast.ImportFrom) -> set[str]:
    """The rooms of the core that a statement in one of them imports; the package itself is "".

    `late_names`, which the package itself defines for its rooms, is no import of what the package passes on.
    """
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        base = ["signac_core", *filter(None, room.split("."))]
        if PATHS[room].name != "__init__.py":
            base.pop()
        above = base[: len(base) - node.level + 1] if node.level else []
        module = ".".join([*above, *filter(None, [node.module])])
        names = [f"{module}.{alias.name}" for alias in node.names]
    found = set()
    for name in names:
        place = name.removeprefix("signac_core.")
        if name.partition(".")[0] != "signac_core" or place == "late_names":
            continue
        found.add(place if place in PATHS else place.rpartition(".")[0])
    return found


ARROWS = {room: set().union(*(rooms_imported(room, node) for node in all_imports(room))) - {room} for room in PATHS}


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


def test_floors_when_listed_then_every_room_has_one():
    assert sum(map(len, FLOORS)) == len(set().union(*FLOORS))
    assert set().union(*FLOORS) == {room.partition(".")[0] for room in ROOMS}


def test_floors_when_drawn_in_the_design_then_these():
    text = (CORE.parent / "DESIGN.md").read_text(encoding="utf-8")
    drawn = text.split("Imports point down.")[1].split("```")[1].strip().splitlines()
    assert [set(line.split("   ")[0].split()) for line in drawn] == [*FLOORS, {"signac_cli"}]


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_it_imports_then_from_lower_floors_or_its_own_package(room):
    package = room.partition(".")[0]
    others = {other for other in ARROWS[room] if other.partition(".")[0] != package}
    wrong = {other for other in others if other == "" or floor_of(other) >= floor_of(room)}
    assert {(room, other) for other in wrong} <= UPWARDS


def test_rooms_when_they_import_then_in_one_circle_only():
    assert circles({room: arrows for room, arrows in ARROWS.items() if room}) == [["job", "project"]]


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one room."""

    def reach(room: str) -> set[str]:
        seen: set[str] = set()
        waiting = [room]
        while waiting:
            for other in arrows.get(waiting.pop(), set()) - seen:
                seen.add(other)
                waiting.append(other)
        return seen

    reached = {room: reach(room) for room in arrows}
    found = {tuple(sorted(other for other in reached[room] if room in reached[other])) for room in arrows}
    return sorted(list(circle) for circle in found if len(circle) > 1)


def test_circles_when_there_are_then_found():
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": {"e"}, "e": {"f"}, "f": {"d"}, "g": set()}
    assert circles(arrows) == [["b", "c"], ["d", "e", "f"]]


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_it_reads_private_attributes_then_its_own(room):
    package = room.rpartition(".")[0] or room
    family = (
        SHARED_PRIVATELY if room in SHARED_PRIVATELY else {other for other in ROOMS if other.startswith(f"{package}.")}
    )
    own = set().union(*(private_names(other) for other in {room, *family}))
    assert private_reads(TREES[room]) - NOT_PRIVATE - own == set()


def private_reads(tree: ast.Module) -> set[str]:
    """Attributes with a leading underscore that are read through another object than ``self`` or ``cls``."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own:
                found.add(node.attr)
    return found


@cache
def private_names(room: str) -> frozenset[str]:
    """Attributes and methods with a leading underscore that the classes of a room define."""
    names = set()
    for node in ast.walk(TREES[room]):
        if isinstance(node, ast.ClassDef):
            names |= {name for child in ast.walk(node) for name in _names_in(child)}
    return frozenset(name for name in names if name.startswith("_"))


def _names_in(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        return [node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # of __slots__
        return [node.value]
    return []


# --- one place for each thing ----------------------------------------------------------------------------------------

ONE_PLACE = {
    r"\burandom\(8\)": {"layout"},
    r"\bunique_name\(": {"layout", "files", "index.writing", "hdf5.values"},
    r"\bConfigObj\(": {"config"},
    r"mountinfo": {"mounts"},
    r"\.signac-(?:new|rm|copy)-": {"layout"},
    r"\"\._": {"layout"},
}
"""What may stand in the code of these rooms only: names of files, the parser of configurations, the mount table."""


@pytest.mark.parametrize("pattern", ONE_PLACE)
def test_thing_when_it_is_done_then_in_one_place(pattern):
    assert {room for room in ROOMS if re.search(pattern, code_of(PATHS[room]))} <= ONE_PLACE[pattern]
    assert any(re.search(pattern, code_of(PATHS[room])) for room in ONE_PLACE[pattern])


ONE_FUNCTION = {
    "as_tuple", "copy_plain", "equal", "identical", "leaves", "look_up", "temporary_for", "is_leftover", "parse_mounts",
    "settled_signature", "directory_signature", "move_by_copy", "resolve", "list_workspace", "unique_prefix_length",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ONE_FUNCTION))
def test_function_when_it_does_what_many_need_then_defined_once(name):
    places = [
        room
        for room, tree in TREES.items()
        if any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)
    ]
    assert len(places) == 1


def test_initializers_of_packages_when_read_then_hold_a_docstring_and_functions_in_one_only():
    packages = [room for room in ROOMS if PATHS[room].name == "__init__.py"]
    assert [room for room in packages if len(TREES[room].body) > 1] == ["sync"]


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_measured_then_neither_it_nor_its_functions_are_long(room):
    lines = lines_of_code(PATHS[room])
    assert len(lines) <= LONGEST_FILE
    functions = [node for node in ast.walk(TREES[room]) if isinstance(node, ast.FunctionDef)]
    lengths = {
        node.name: sum(node.body[0].lineno <= line <= (node.end_lineno or 0) for line in lines) for node in functions
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@cache
def lines_of_code(path: Path) -> frozenset[int]:
    """The numbers of the lines that hold neither comments nor docstrings only."""
    text = path.read_text(encoding="utf-8")
    without = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in without:
            lines.update(range(token.start[0], token.end[0] + 1))
    return frozenset(lines).difference(_lines_of_docstrings(ast.parse(text)))


def _lines_of_docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


@cache
def code_of(path: Path) -> str:
    """The lines of code of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(lines[number - 1] for number in sorted(lines_of_code(path)))


# --- what rooms may import -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_room_when_read_then_knows_neither_the_commands_nor_their_libraries(room):
    assert set().union(*map(top_level_packages, all_imports(room))) & NOT_FOR_THE_CORE == set()


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
    words = set(re.split(r"[._]", room))
    assert not {"utils", "util", "helpers", "common", "misc", "reading", "handling", "processing"} & words
    assert "writing" not in words or room.startswith("index.")
