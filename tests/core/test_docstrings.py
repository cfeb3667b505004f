"""Every public name is documented in full: what it is, its parameters, what it returns, and by an example that runs.

Public is what ``signac_core.__all__`` and the modules of signac 2.x offer. Everything else has at most a sentence and
its invariants. The examples of the library are run as doctests.
"""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import signac
import signac_core

PACKAGE = signac_core.__name__
MODULES = [PACKAGE, *sorted(module.name for module in pkgutil.walk_packages(signac_core.__path__, f"{PACKAGE}."))]

OF_THE_PEER = [
    "diff",
    "errors",
    "filterparse",
    "h5store",
    "import_export",
    "job",
    "migration",
    "project",
    "schema",
    "sync",
]
"""The modules of signac 2.x, all of whose names are public."""

SECTIONS = re.compile(r"^(Parameters|Returns|Yields|Raises|Examples)\n-+$", re.MULTILINE)


class Entry(NamedTuple):
    """One public name."""

    name: str
    value: Any
    owner: type | None  # the class that it belongs to


def offered_by(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes and functions that a module offers."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            yield name, value


def public_names() -> Iterator[tuple[str, Any]]:
    """What the library offers to its users, each name once."""
    seen: list[Any] = []
    for module in (signac_core, signac.linked_view, *(import_module(f"signac.{name}") for name in OF_THE_PEER)):
        for name, value in offered_by(module):
            if value not in seen:
                seen.append(value)
                yield name, value
    yield "JobsCursor", signac.project.JobsCursor
    yield "Job", signac.job.Job
    yield "JSONList", signac_core.documents.views.JSONList


def public_entries() -> Iterator[Entry]:
    """The public names, and those of their classes."""
    for name, value in public_names():
        yield Entry(name, value, None)
        if inspect.isclass(value):
            for owner in value.__mro__:
                if not owner.__module__.startswith(PACKAGE):
                    continue
                for member, method in vars(owner).items():
                    if not member.startswith("_") and is_public_method(method):
                        yield Entry(f"{name}.{member}", method, owner)


def is_public_method(member: Any) -> bool:
    """Tell methods and properties from constants, attributes, and other names of private methods."""
    if isinstance(member, (property, cached_property, classmethod, staticmethod)):
        return True
    return inspect.isroutine(member) and not member.__name__.startswith("_")


def is_property(entry: Entry) -> bool:
    return isinstance(entry.value, (property, cached_property))


def is_protocol(entry: Entry) -> bool:
    return bool(getattr(entry.value, "_is_protocol", False))


def is_declaration(entry: Entry) -> bool:
    """Protocols and their methods, and abstract methods: there is nothing to call."""
    return getattr(entry.owner or entry.value, "_is_protocol", False) or getattr(
        entry.value, "__isabstractmethod__", False
    )


def takes_any_arguments(entry: Entry) -> bool:
    """Exceptions without a constructor of their own take what every exception takes."""
    return (
        inspect.isclass(entry.value) and issubclass(entry.value, BaseException) and "__init__" not in vars(entry.value)
    )


def function_of(entry: Entry) -> Any:
    return entry.value.__func__ if isinstance(entry.value, (classmethod, staticmethod)) else entry.value


def docstring(entry: Entry) -> str:
    return inspect.cleandoc(function_of(entry).__doc__ or "")


def section(text: str, title: str) -> str:
    """The text below a title of a docstring, up to the next title."""
    found = re.search(rf"^(?:{title})\n-+\n(.*?)(?=^[A-Z]\w*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def undocumented_parameters(entry: Entry) -> list[str]:
    """Parameters that the docstring does not list."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    try:
        parameters = list(inspect.signature(function_of(entry)).parameters.values())
    except ValueError:  # a class without a constructor of its own
        return []
    if entry.owner is not None and not isinstance(entry.value, staticmethod):
        parameters = parameters[1:]
    lines = re.findall(r"^\S.*", section(docstring(entry), "Parameters"), re.MULTILINE)
    documented = {name.strip().replace("\\", "") for line in lines for name in line.split(" : ")[0].split(",")}
    names = [stars.get(parameter.kind, "") + parameter.name for parameter in parameters]
    return [name for name in names if name not in documented and not name.startswith("_")]


def lacks_returns(entry: Entry) -> bool:
    annotation = getattr(function_of(entry), "__annotations__", {}).get("return", "None")
    return annotation not in (None, "None", "NoReturn") and not section(docstring(entry), "Returns|Yields")


def has_example(entry: Entry) -> bool:
    """Tell whether there is an example; that of a class counts for the properties that it uses."""
    if ">>>" in docstring(entry):
        return True
    if entry.owner is None or not is_property(entry):
        return False
    shown = re.findall(r"^\s*(?:>>>|\.\.\.).*", entry.owner.__doc__ or "", re.MULTILINE)
    return re.search(rf"\.{entry.name.rpartition('.')[2]}\b", "\n".join(shown)) is not None


ENTRIES = list(dict.fromkeys(public_entries()))


def internal_functions(module_name: str) -> Iterator[tuple[str, str]]:
    """Names and docstrings of what a module defines for the library itself."""
    module = import_module(module_name)
    public = {function_of(entry) for entry in ENTRIES if entry.value.__hash__ is not None}

    def inside(scope: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for name, value in list(vars(scope).items()):
            function = getattr(value, "__func__", value)
            if isinstance(function, property):
                function = function.fget
            if getattr(function, "__module__", None) != module_name or value in public or function in public:
                continue
            if inspect.isfunction(function):
                yield prefix + name, inspect.cleandoc(function.__doc__ or "")
            elif inspect.isclass(function) and not prefix:
                yield from inside(function, f"{name}.")

    yield from inside(module, "")


def test_the_package_and_the_drop_in_offer_documented_names_only() -> None:
    offered = {entry.name: entry.value for entry in ENTRIES if entry.owner is None}
    assert len(offered) > 30
    own = dict(offered_by(signac_core))
    assert {name: value for name, value in own.items() if getattr(signac, name) is not value} == {}


@pytest.mark.parametrize("module_name", MODULES)
def test_every_module_says_what_it_holds(module_name: str) -> None:
    assert import_module(module_name).__doc__


@pytest.mark.parametrize("module_name", MODULES)
def test_functions_of_the_library_itself_are_described_in_a_sentence(module_name: str) -> None:
    assert [name for name, text in internal_functions(module_name) if SECTIONS.search(text)] == []


def test_every_public_name_has_a_docstring() -> None:
    assert [entry.name for entry in ENTRIES if not docstring(entry)] == []


def test_every_docstring_lists_the_parameters() -> None:
    missing = {
        entry.name: undocumented_parameters(entry)
        for entry in ENTRIES
        if not is_property(entry) and not takes_any_arguments(entry) and not is_protocol(entry)
    }
    assert {name: parameters for name, parameters in missing.items() if parameters} == {}


def test_every_docstring_says_what_is_returned() -> None:
    functions = [
        entry
        for entry in ENTRIES
        if not is_property(entry) and not is_declaration(entry) and not inspect.isclass(entry.value)
    ]
    assert [entry.name for entry in functions if lacks_returns(entry)] == []


def test_every_public_name_has_an_example() -> None:
    entries = [entry for entry in ENTRIES if not is_declaration(entry)]
    assert [entry.name for entry in entries if not has_example(entry)] == []


def test_the_example_of_the_drop_in_runs() -> None:
    results = doctest.testmod(signac, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0
