"""The promises about views, exports and imports, at every system call: killed, and failing."""

from __future__ import annotations

import errno
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Harness, Result

from signac_core import Project, layout
from signac_core.errors import DestinationExistsError
from signac_core.litter import is_leftover

SETUP = """
import os
import shutil
import signac_core
from signac_core import Project, archive, copying, exporting, importing, transfer, unpacking, view
import filecmp, tarfile, tempfile, zipfile, zlib, bz2, lzma, gzip
"""
STATE_POINTS = [{"a": 1}, {"a": 2}]


def fill(directory: Path) -> Project:
    project = Project.init_project(directory)
    for state_point in STATE_POINTS:
        job = project.open_job(state_point).init()
        job.doc.a = state_point["a"]
        Path(job.path, "sub").mkdir()
        Path(job.fn("sub/data.txt")).write_text(f"data {state_point}")
    return project


def with_project(directory: Path) -> None:
    fill(directory)


def with_project_and_archives(directory: Path) -> None:
    fill(directory)
    for name in ("out.zip", "out.tar"):
        (directory / name).write_text("old")


def with_exported_directory(directory: Path) -> None:
    fill(directory / "source").export_to(directory / "origin")
    Project.init_project(directory / "project")


def with_exported_tar(directory: Path) -> None:
    fill(directory / "source").export_to(directory / "origin.tar")
    Project.init_project(directory / "project")


def with_exported_zip(directory: Path) -> None:
    fill(directory / "source").export_to(directory / "origin.zip")
    Project.init_project(directory / "project")


def with_raw_directory(directory: Path) -> None:
    for state_point in STATE_POINTS:
        path = directory / "origin" / "a" / str(state_point["a"]) / "sub"
        path.mkdir(parents=True)
        (path / "data.txt").write_text(f"data {state_point}")
    Project.init_project(directory / "project")


def with_view(directory: Path) -> None:
    project = fill(directory)
    project.create_linked_view(directory / "view", path="old/{a}")


def assert_whole(path: Path, a: int, *, document: bool = True) -> None:
    names = ["signac_job_document.json", layout.FN_STATE_POINT, "sub"]
    assert sorted(name for name in os.listdir(path) if not is_leftover(name)) == (names if document else names[1:])
    assert (path / layout.FN_STATE_POINT).read_text() == f'{{"a": {a}}}'
    assert (path / "sub" / "data.txt").read_text() == f"data {{'a': {a}}}"


def assert_jobs_whole(project: Path, *, document: bool = True) -> list[int]:
    fresh = Project(project)
    fresh.check()
    found = []
    for job in fresh:
        assert_whole(Path(job.path), job.sp.a, document=document)
        found.append(job.sp.a)
    return sorted(found)


# what must hold after an operation was stopped or failed, whatever the call -------------------------------------------


def check_export(directory: Path, result: Result) -> None:
    assert assert_jobs_whole(directory) == [1, 2]
    above = directory / "out" / "a"
    there = [name for name in os.listdir(above) if not name.startswith(".")] if above.exists() else []
    for name in there:
        assert_whole(above / name, int(name))
    assert sorted(there) == ["1", "2"] if result.completed else True
    Project(directory).export_to(directory / "out")
    for name in ("1", "2"):
        assert_whole(above / name, int(name))


def check_export_by_moving(directory: Path, result: Result) -> None:
    here, above = assert_jobs_whole(directory), directory / "out" / "a"
    there = [int(name) for name in os.listdir(above) if not name.startswith(".")] if above.exists() else []
    for a in there:
        assert_whole(above / str(a), a)
    assert sorted(here + there) == [1, 2]
    assert here == [] if result.completed else True


def check_archive(name: str) -> Callable[[Path, Result], None]:
    def check(directory: Path, result: Result) -> None:
        assert assert_jobs_whole(directory) == [1, 2]
        old = (directory / name).read_bytes() == b"old"
        assert not (old and result.completed)
        if old:
            return
        if name.endswith(".zip"):
            with zipfile.ZipFile(directory / name) as file:
                assert file.testzip() is None
        else:
            with tarfile.open(directory / name) as tar:
                tar.getnames()
        other = Project.init_project(directory / "other")
        other.import_from(directory / name)
        assert assert_jobs_whole(Path(other.path)) == [1, 2]

    return check


def check_import(origin: str, *, schema: str | None = None) -> Callable[[Path, Result], None]:
    def check(directory: Path, result: Result) -> None:
        document = schema is None
        there = assert_jobs_whole(directory / "project", document=document)
        assert there == [1, 2] if result.completed else True
        project = Project(directory / "project")
        if len(there) < 2:
            project.import_from(directory / origin, schema=schema)
        else:
            with pytest.raises(DestinationExistsError):
                project.import_from(directory / origin, schema=schema)
        assert assert_jobs_whole(directory / "project", document=document) == [1, 2]

    return check


def check_import_by_moving(directory: Path, result: Result) -> None:
    there = assert_jobs_whole(directory / "project", document=False)
    here = sorted(int(name) for name in os.listdir(directory / "origin" / "a"))
    for a in here:
        assert (directory / "origin" / "a" / str(a) / "sub" / "data.txt").read_text() == f"data {{'a': {a}}}"
    assert sorted(here + there) == [1, 2]
    if here:
        Project(directory / "project").import_from(directory / "origin", schema="a/{a:int}", copytree=os.replace)
    assert assert_jobs_whole(directory / "project", document=False) == [1, 2]


def check_view(directory: Path, result: Result) -> None:
    assert assert_jobs_whole(directory) == [1, 2]
    for path in (directory / "view").rglob("*"):
        assert not path.is_symlink() or path.resolve().parent == (directory / "workspace").resolve()
    Project(directory).create_linked_view(directory / "view")
    links = sorted(str(path.relative_to(directory)) for path in (directory / "view").rglob("job"))
    assert links == ["view/a/1/job", "view/a/2/job"]
    for a in (1, 2):
        assert_whole(directory / f"view/a/{a}/job", a)


IMPORT = "Project('project').import_from({!r}"
BY_TEMPLATE = IMPORT.format("origin") + ", schema='a/{a:int}'"

OPERATIONS: dict[str, tuple[str, Callable[[Path], object], Callable[[Path, Result], None]]] = {
    "export": ("Project().export_to('out')", with_project, check_export),
    "export by moving": (
        "Project().export_to('out', copytree=os.replace)",
        with_project,
        check_export_by_moving,
    ),
    "export to zip": ("Project().export_to('out.zip')", with_project_and_archives, check_archive("out.zip")),
    "export to tar": ("Project().export_to('out.tar')", with_project_and_archives, check_archive("out.tar")),
    "import": (IMPORT.format("origin") + ")", with_exported_directory, check_import("origin")),
    "import of tar": (IMPORT.format("origin.tar") + ")", with_exported_tar, check_import("origin.tar")),
    "import of zip": (IMPORT.format("origin.zip") + ")", with_exported_zip, check_import("origin.zip")),
    "import by a template": (BY_TEMPLATE + ")", with_raw_directory, check_import("origin", schema="a/{a:int}")),
    "import by moving": (BY_TEMPLATE + ", copytree=os.replace)", with_raw_directory, check_import_by_moving),
    "view": ("Project().create_linked_view('view')", with_view, check_view),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_at_every_system_call_the_promise_holds(harness: Harness, name: str) -> None:
    operation, prepare, check = OPERATIONS[name]
    assert harness.every_kill_point(operation, prepare, check, setup=SETUP) > 3


@pytest.mark.parametrize("name", OPERATIONS)
def test_failing_at_every_system_call_the_promise_holds(harness: Harness, name: str) -> None:
    operation, prepare, check = OPERATIONS[name]
    assert harness.every_fail_point(operation, prepare, check, errno=errno.ENOSPC, setup=SETUP) > 3


@pytest.mark.parametrize("name", ["export to zip", "export to tar", "import of tar", "import of zip", "import"])
def test_short_writes_are_completed(harness: Harness, name: str) -> None:
    operation, prepare, check = OPERATIONS[name]
    assert harness.every_short_point(operation, prepare, check, setup=SETUP) >= 1
