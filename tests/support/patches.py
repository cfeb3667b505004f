"""Patches that bite: whatever a test replaces must be looked up by the code under test.

A function that has moved to another module, or is called no more, leaves behind patches that change nothing, and tests
that pass without their subject. While a ``Watch`` is open, each name that ``monkeypatch.setattr`` or ``mock.patch``
sets in a module or a class is watched; ``hollow`` names those that nobody looked up.

How a look-up is seen:

- In a module, the name becomes a key that is equal to it and notes comparisons. A dictionary compares its key with the
  one that it is asked for, unless they are the same object, so that reading a global variable in a function, reading
  an attribute of the module and ``getattr`` are all seen, for functions, classes and constants alike, and the value
  stays the object that the test has set. The compiler interns names, the watched key is none of them, and so no look-up
  passes unseen. (What assigns to a global variable counts as well.)
- In a class, the value is wrapped in a descriptor that notes ``__get__``.
- Other objects are not watched.

Where a patch matters in some cases only (of a test with parameters, or of tests that share a fixture), it is set in a
``with for_some_cases():`` block. It need not be looked up then, but some function of the packages must name it.

A look-up counts if the code under test makes it: the innermost function on the stack that belongs to this repository is
one of the packages, or of a program in ``tests``, and not of a test, a conftest or ``tests/support``. What the standard
library looks up (``shutil`` in ``os``) counts for the one that called it.
"""

from __future__ import annotations

import functools
import pkgutil
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any
from unittest import mock

import pytest

from tests.support import ROOT

_SUBJECTS = ("signac_core", "signac_cli", "signac.py", "benchmarks", "ci", "tools")


@functools.cache
def _is_subject(filename: str) -> bool | None:
    """Whether a file has code under test; None for files outside of this repository."""
    try:
        parts = Path(filename).relative_to(ROOT).parts
    except ValueError:
        return None
    if parts[0] == "tests":
        return parts[1] != "support" and not parts[-1].startswith(("test_", "conftest"))
    return True if parts[0] in _SUBJECTS else None


def _asked_by_subject(frame: FrameType | None) -> bool:
    while frame is not None:
        verdict = _is_subject(frame.f_code.co_filename)
        if verdict is not None:
            return verdict
        frame = frame.f_back
    return False


@functools.cache
def _names_in_functions() -> Set[str]:
    """All names that functions of the packages mention; what a module merely defines or imports is not among them."""
    found: set[str] = set()

    def collect(code: CodeType) -> None:
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                found.update(constant.co_names)
                collect(constant)

    for package in ("signac_core", "signac_cli"):
        for path in (ROOT / package).rglob("*.py"):
            collect(compile(path.read_bytes(), path, "exec"))
    return found


_in_some_cases = False


@contextmanager
def for_some_cases() -> Iterator[None]:
    """Set patches that only some cases look up."""
    global _in_some_cases
    _in_some_cases = True
    try:
        yield
    finally:
        _in_some_cases = False


class Name:
    """A name that is watched, and whether the code under test has looked it up."""

    def __init__(self, target: ModuleType | type, name: str, place: str = "") -> None:
        self.target = target
        self.name = name
        self.place = place
        self.in_some_cases = _in_some_cases
        self.seen = False

    @property
    def is_hollow(self) -> bool:
        return not self.seen and not (self.in_some_cases and self.name in _names_in_functions())

    def note(self, frame: FrameType) -> None:
        if not self.seen:
            self.seen = _asked_by_subject(frame)

    def __str__(self) -> str:
        owner = "" if isinstance(self.target, ModuleType) else f"{self.target.__module__}."
        return f"{owner}{self.target.__name__}.{self.name}"


class _Key(str):
    """The key of a module's dictionary that notes comparisons."""

    __slots__ = ("watchers",)
    watchers: list[Name]

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        equal = str.__eq__(self, other)
        if equal is True:
            for watched in self.watchers:
                watched.note(sys._getframe(1))
        return equal


class _Member:
    """The value of a class attribute, which notes that it is asked for."""

    def __init__(self, watched: Name, value: Any) -> None:
        self.watched = watched
        self.value = value

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        self.watched.note(sys._getframe(1))
        get = getattr(type(self.value), "__get__", None)
        return self.value if get is None else get(self.value, instance, owner)


def _replace_key(module: ModuleType, name: str, key: str) -> None:
    content = vars(module)
    if name in content:
        content[key] = content.pop(name)


class Watch:
    """The names that are patched while it is open; they are looked at until it is closed."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, str], Name] = {}

    @property
    def hollow(self) -> list[str]:
        """The names that the code under test has not looked up, sorted."""
        return sorted(f"{name} (set at {name.place})" for name in self._names.values() if name.is_hollow)

    def add(self, target: object, name: str, place: str) -> None:
        """Watch a name that has been set in a module or a class; what is set in other objects is not watched."""
        if isinstance(target, ModuleType | type):
            watched = self._names.setdefault((id(target), name), Name(target, name, place))
            watch_name(watched)

    def drop(self, target: object, name: str) -> None:
        """A name that a test deletes again need not be looked up."""
        self._names.pop((id(target), name), None)

    def close(self) -> None:
        for watched in self._names.values():
            forget_name(watched)


def _watchers(module: ModuleType, name: str) -> list[Name]:
    """Who watches a name of a module."""
    return next((key.watchers for key in vars(module) if type(key) is _Key and str.__eq__(key, name)), [])


def watch_name(watched: Name) -> None:
    """Have the present value of a name note look-ups, unless it does."""
    if not isinstance(watched.target, ModuleType):
        if not isinstance(value := vars(watched.target)[watched.name], _Member):
            setattr(watched.target, watched.name, _Member(watched, value))
    elif watched not in (watchers := _watchers(watched.target, watched.name)):
        key = _Key(watched.name)
        key.watchers = [*watchers, watched]
        _replace_key(watched.target, watched.name, key)


def forget_name(watched: Name) -> None:
    if not isinstance(watched.target, ModuleType):
        if isinstance(value := vars(watched.target).get(watched.name), _Member):
            setattr(watched.target, watched.name, value.value)
    elif watched in (watchers := _watchers(watched.target, watched.name)):
        watchers.remove(watched)
        if not watchers:
            _replace_key(watched.target, watched.name, sys.intern(watched.name))


_open: list[Watch] = []


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch what is patched in a ``with`` block."""
    watch = Watch()
    _open.append(watch)
    try:
        yield watch
    finally:
        _open.remove(watch)
        watch.close()


def _resolved(target: object, rest: tuple[object, ...], following: int) -> tuple[object, str]:
    """The object and the name that ``monkeypatch`` is given, in two arguments or as one dotted name."""
    if isinstance(target, str) and len(rest) < following:
        owner, _, name = target.rpartition(".")
        return pkgutil.resolve_name(owner), name
    return target, str(rest[0])


def _place(frame: FrameType | None) -> str:
    """The line of this repository that is being carried out."""
    while frame is not None and _is_subject(frame.f_code.co_filename) is None:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).relative_to(ROOT)}:{frame.f_lineno}" if frame else "?"


@contextmanager
def watched_patches() -> Iterator[None]:
    """Have ``monkeypatch`` and ``mock.patch`` tell the innermost ``watching()`` block what they set."""
    set_, delete, enter = pytest.MonkeyPatch.setattr, pytest.MonkeyPatch.delattr, mock._patch.__enter__

    def set_and_watch(patch: pytest.MonkeyPatch, target: object, *rest: Any, **options: Any) -> None:
        set_(patch, target, *rest, **options)
        if _open:
            _open[-1].add(*_resolved(target, rest, 2), _place(sys._getframe(1)))

    def delete_and_drop(patch: pytest.MonkeyPatch, target: object, *rest: Any, **options: Any) -> None:
        delete(patch, target, *rest, **options)
        if _open:
            _open[-1].drop(*_resolved(target, rest, 1))

    def enter_and_watch(patch: Any) -> Any:
        value = enter(patch)
        if _open:
            _open[-1].add(patch.target, patch.attribute, _place(sys._getframe(1)))
        return value

    pytest.MonkeyPatch.setattr, pytest.MonkeyPatch.delattr = set_and_watch, delete_and_drop
    mock._patch.__enter__ = enter_and_watch
    try:
        yield
    finally:
        pytest.MonkeyPatch.setattr, pytest.MonkeyPatch.delattr = set_, delete
        mock._patch.__enter__ = enter


class Forbidden:
    """A name that must not be called in a ``with`` block, and is called by the code under test outside of it.

    The calls outside are the control: without them nobody knows that the block would have called it by this name.
    """

    def __init__(self, target: ModuleType | type, name: str) -> None:
        self._watched = Name(target, name)
        self._calls = 0
        watch_name(self._watched)

    def __enter__(self) -> Forbidden:
        name = self._watched
        self._seen, self._original = name.seen, vars(name.target)[name.name]
        setattr(name.target, name.name, self._refuse)
        return self

    def __exit__(self, *failure: object) -> None:
        name = self._watched
        setattr(name.target, name.name, self._original)
        name.seen = self._seen
        if self._calls and failure == (None, None, None):  # what it raised was caught
            pytest.fail(self._told)

    @property
    def _told(self) -> str:
        return f"{self._watched} is called, and must not be"

    def _refuse(self, *arguments: object, **options: object) -> None:
        self._calls += 1
        pytest.fail(f"{self._told}: {arguments} {options}")

    def close(self) -> None:
        """Put everything back; it is a failure if nobody looked the name up outside of the block."""
        forget_name(self._watched)
        if not self._watched.seen:
            pytest.fail(
                f"{self._watched} is forbidden, but nothing calls it where it is allowed: the test needs a control"
            )
