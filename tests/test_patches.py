"""The check that patches bite."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from unittest import mock

import pytest

from signac_core import Project, files, finding, workspace
from signac_core.care import litter
from signac_core.cursor import JobsCursor
from signac_core.workspace import Space
from tests.support.patches import Forbidden, for_some_cases, watching


def look(project: Project) -> None:
    """Have the code under test look up what the tests patch."""
    project.open_job({"a": 1}).init()
    fresh = Project(project.path)
    assert len(fresh.find_jobs({"a": 1})) == 1
    assert project.open_job({"a": 1}) in fresh
    assert fresh.find_jobs()._repr_html_()


PATCHES = [
    (workspace, "_entries_of", workspace._entries_of),  # a function of the module that calls it
    (files, "read_bytes", files.read_bytes),  # of another module
    (finding, "_SLOW", 10.0),  # a constant
    (os, "scandir", os.scandir),
    (Space, "has", Space.has),
    (JobsCursor, "_use_pandas_for_html_repr", False),
]


@pytest.mark.parametrize(("target", "name", "value"), PATCHES, ids=[name for _, name, _ in PATCHES])
@pytest.mark.parametrize("way", ["monkeypatch", "mock"])
def test_patch_when_the_code_under_test_looks_it_up_then_bites(project, monkeypatch, target, name, value, way):
    before = vars(target)[name]
    with watching() as watch:
        with monkeypatch.context() as patch, ExitStack() as stack:
            if way == "mock":
                stack.enter_context(mock.patch.object(target, name, value))
            else:
                patch.setattr(target, name, value)
            assert getattr(target, name) is value
            (hollow,) = watch.hollow  # what a test looks up does not count
            assert f"{target.__name__}.{name} (set at tests/test_patches.py:" in hollow
            look(project)
            assert watch.hollow == []
        assert watch.hollow == []
    assert vars(target)[name] is before
    assert [type(key) for key in vars(target) if key == name] == [str]


def test_patch_when_it_is_for_others_than_the_one_that_is_called_then_hollow(project, monkeypatch):
    with watching() as watch:
        monkeypatch.setattr("signac_core.resolving.resolve_ids", None)
        monkeypatch.setattr(os, "replace", None)
        look(project)
        assert [told.split(" ")[0] for told in watch.hollow] == ["os.replace", "signac_core.resolving.resolve_ids"]
        monkeypatch.undo()


def test_patch_when_the_standard_library_looks_it_up_then_it_counts_for_who_has_called(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with watching() as watch:
        monkeypatch.setattr(os, "rename", os.rename)
        shutil.move(tmp_path / "a", tmp_path / "c")
        assert len(watch.hollow) == 1
        Project.init_project(tmp_path / "project").open_job({"a": 1}).init()
        assert watch.hollow == []
        monkeypatch.undo()


def test_patch_when_deleted_again_then_it_need_not_bite(monkeypatch):
    with watching() as watch:
        monkeypatch.setattr(litter, "new", 1, raising=False)
        monkeypatch.delattr(litter, "new")
        assert watch.hollow == []
    assert not hasattr(litter, "new")


def test_patch_when_of_another_object_then_not_watched(monkeypatch):
    with watching() as watch:
        monkeypatch.setattr(mock.Mock(), "x", 1, raising=False)
        assert watch.hollow == []


def test_patch_when_for_some_cases_then_some_function_must_name_it(monkeypatch):
    with watching() as watch:
        with for_some_cases():
            monkeypatch.setattr(finding, "_MANY_FILES_READ", 1)
            monkeypatch.setattr(finding, "_named_nowhere", 1, raising=False)
        (hollow,) = watch.hollow
        assert hollow.startswith("signac_core.finding._named_nowhere ")
        monkeypatch.undo()


def test_forbidden_when_called_in_the_block_then_fails(project):
    project.open_job({"a": 1}).init()
    forbidden = Forbidden(files, "read_bytes")
    try:
        with pytest.raises(pytest.fail.Exception, match=r"signac_core\.files\.read_bytes is called"), forbidden:
            Project(project.path).open_job({"a": 1}).sp()
    finally:
        with pytest.raises(pytest.fail.Exception, match="control"):
            forbidden.close()


def test_forbidden_when_called_and_caught_then_fails_at_the_end_of_the_block():
    forbidden = Forbidden(files, "read_bytes")
    with pytest.raises(pytest.fail.Exception, match="is called"), forbidden, suppress(pytest.fail.Exception):
        files.read_bytes("x")
    with pytest.raises(pytest.fail.Exception, match="control"):
        forbidden.close()


@pytest.mark.parametrize("control", ["before", "after"])
def test_forbidden_when_called_outside_of_the_block_then_that_is_the_control(project, forbid, control):
    original = files.read_bytes
    reading = forbid(files, "read_bytes")
    if control == "before":
        look(project)
    with reading:
        assert project.open_job({"a": 2}).id
    assert files.read_bytes is original
    if control == "after":
        look(project)
