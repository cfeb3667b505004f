"""Every public name is documented: what it is, its parameters, what it returns, and by an example that runs.

The examples of the library are run as doctests.
"""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import pytest

import signac
import signac_core

PACKAGE = signac_core.__name__
MODULES = [PACKAGE, *sorted(module.name for module in pkgutil.walk_packages(signac_core.__path__, f"{PACKAGE}."))]

INTERNAL = re.compile(rf"{PACKAGE}\.index(\..*)?")
"""What only the library itself enters: names there need a docstring, the rest is said in the tests of its users."""

PUBLIC_MODULES = [name for name in MODULES if not INTERNAL.fullmatch(name)]


class Entry(NamedTuple):
    """One public name."""

    name: str
    value: Any
    owner: type | None  # the class that it belongs to


def public_entries(module_name: str) -> Iterator[Entry]:
    """The names that a module offers, and those of its classes; what it only passes on is another module's."""
    module = import_module(module_name)
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if value.__module__ != module_name and module_name != PACKAGE:
            continue
        yield Entry(name, value, None)
        if inspect.isclass(value):
            for member, method in vars(value).items():
                if not member.startswith("_") and is_public_method(method):
                    yield Entry(f"{name}.{member}", method, value)


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


def test_the_package_and_the_drop_in_offer_documented_names_only() -> None:
    everything = {entry.value for name in PUBLIC_MODULES[1:] for entry in public_entries(name) if entry.owner is None}
    offered = {entry.name: entry.value for entry in public_entries(PACKAGE) if entry.owner is None}
    assert len(offered) > 10
    assert set(offered.values()) <= everything
    assert {name: value for name, value in offered.items() if getattr(signac, name) is not value} == {}


@pytest.mark.parametrize("module_name", MODULES)
def test_every_public_name_has_a_docstring(module_name: str) -> None:
    assert import_module(module_name).__doc__
    assert [entry.name for entry in public_entries(module_name) if not docstring(entry)] == []


@pytest.mark.parametrize("module_name", PUBLIC_MODULES)
def test_every_docstring_lists_the_parameters(module_name: str) -> None:
    missing = {
        entry.name: undocumented_parameters(entry)
        for entry in public_entries(module_name)
        if not is_property(entry) and not takes_any_arguments(entry) and not is_protocol(entry)
    }
    assert {name: parameters for name, parameters in missing.items() if parameters} == {}


@pytest.mark.parametrize("module_name", PUBLIC_MODULES)
def test_every_docstring_says_what_is_returned(module_name: str) -> None:
    functions = [
        entry
        for entry in public_entries(module_name)
        if not is_property(entry) and not is_declaration(entry) and not inspect.isclass(entry.value)
    ]
    assert [entry.name for entry in functions if lacks_returns(entry)] == []


@pytest.mark.parametrize("module_name", PUBLIC_MODULES)
def test_every_public_name_has_an_example(module_name: str) -> None:
    entries = [entry for entry in public_entries(module_name) if not is_declaration(entry)]
    assert [entry.name for entry in entries if not has_example(entry)] == []


def test_the_example_of_the_drop_in_runs() -> None:
    results = doctest.testmod(signac, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0
