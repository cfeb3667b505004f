"""Data spaces into a project: directories and archives, by state point files, templates and functions."""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, files, layout
from signac_core.canonical import calc_id
from signac_core.errors import DestinationExistsError, StatepointParsingError, SyncConflict
from signac_core.exchange import copying
from signac_core.exchange.archives import ArchiveError
from signac_core.exchange.importing import plan_import
from signac_core.progress import Progress
from signac_core.project import imported_apart
from tests.support.filesystems import no_way_across
from tests.support.running import content

SP = layout.FN_STATE_POINT
KINDS = ["dir", "zip", "tar", "tar.gz"]
NUMBERS = [{"a": a} for a in range(12)]


def import_from(
    project: Project, origin: str, *, skip_existing: bool = False, progress: Progress | None = None
) -> dict[str, str]:
    with plan_import(project.space, origin, skip_existing=skip_existing) as plan:
        return plan.carry_out(progress=progress)


@pytest.fixture
def source(tmp_path: Path) -> Project:
    """Another project, with jobs whose names are beginnings of each other."""
    project = Project.init_project(tmp_path / "source")
    for state_point in NUMBERS:
        job = project.open_job(state_point).init()
        job.doc.b = state_point["a"]
        os.makedirs(job.fn("sub/empty"))
        Path(job.fn("sub/data")).write_text(f"{state_point}")
    return project


def pack(directory: str | Path, kind: str, *, explicit: bool = True) -> str:
    """Make the origin of an import out of a directory; ``explicit`` adds the entries of directories."""
    root = Path(directory)
    target = f"origin.{kind}"
    if kind == "dir":
        shutil.copytree(root, target)
    elif kind == "zip":
        with zipfile.ZipFile(target, "w") as file:
            for path in sorted(root.rglob("*")):
                if explicit or path.is_file():
                    file.write(path, path.relative_to(root))
    else:
        with tarfile.open(target, "w:gz" if kind == "tar.gz" else "w") as tar:
            for path in sorted(root.rglob("*")):
                if explicit or path.is_file():
                    tar.add(path, path.relative_to(root), recursive=False)
    return target


def tree(root: str | Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Path(root)


def state_points(project: Project) -> list[dict[str, Any]]:
    """State points as they are on disk, sorted by text; every job is checked."""
    fresh = Project(project.path)
    fresh.check()
    assert not [name for name in os.listdir(fresh.workspace) if not layout.is_job_id(name)]
    return sorted((job.sp() for job in fresh), key=json.dumps)


@contextmanager
def workspace_unchanged(project: Project) -> Iterator[None]:
    before = content(project.workspace)
    yield
    assert content(project.workspace) == before


# --- what was exported returns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar", "out.tar.gz", "out.tar.bz2", "out.tar.xz"])
@pytest.mark.parametrize("path", [None, "{a}/x", "{{auto:_}}", False])
def test_import_when_of_an_export_then_all_jobs_are_the_same(project, source, target, path):
    exported = source.export_to(target, path=path)
    found = project.import_from(target)
    assert content(project.workspace) == content(source.workspace)
    prefix = "out/" if target == "out" else ""
    assert found == {
        f"{prefix}{name}": os.path.join(project.workspace, os.path.basename(job)) for job, name in exported.items()
    }


@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar", "out.tar.gz"])
def test_import_when_of_a_single_job_then_it_returns(project, source, target):
    source.find_jobs({"a": 7}).export_to(target)
    found = project.import_from(target)
    assert list(found) == ["out" if target == "out" else ""]
    assert state_points(project) == [{"a": 7}]
    assert Path(*found.values(), "sub", "data").read_text() == "{'a': 7}"


@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar"])
def test_import_when_the_path_holds_the_state_point_then_template_and_files_agree(project, source, target):
    source.export_to(target, path="a_{a}/data")
    project.import_from(target, schema="a_{a:int}/data")
    assert content(project.workspace) == content(source.workspace)


# --- directories without state point files ---------------------------------------------------------------------------

RAW = {f"a_{a}/b_x/{name}": f"{a}" for a in (0, 1, 10) for name in ("one", "sub/two")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("explicit", [True, False])
def test_import_when_by_a_template_then_state_points_are_written(project, tmp_path, kind, explicit):
    origin = pack(tree(tmp_path / "raw", RAW), kind, explicit=explicit)
    found = project.import_from(origin, schema="a_{a:int}/b_{n.b}")
    prefix = f"{origin}/" if kind == "dir" else ""
    assert sorted(found) == [f"{prefix}a_{a}/b_x" for a in (0, 1, 10)]
    assert state_points(project) == [{"a": a, "n": {"b": "x"}} for a in (0, 1, 10)]
    job = project.open_job({"a": 1, "n": {"b": "x"}})
    assert Path(job.fn(SP)).read_text() == '{"a": 1, "n": {"b": "x"}}'
    assert sorted(content(job.path)) == ["one", SP, "sub", "sub/two"]
    assert Path(job.fn("sub/two")).read_text() == "1"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("explicit", [True, False])
def test_import_when_a_template_matches_a_directory_above_then_the_rest_is_its_content(
    project, tmp_path, kind, explicit
):
    origin = pack(tree(tmp_path / "raw", RAW), kind, explicit=explicit)
    project.import_from(origin, schema="a_{a:int}")
    assert state_points(project) == [{"a": 0}, {"a": 10}, {"a": 1}]
    assert Path(project.open_job({"a": 1}).fn("b_x/sub/two")).read_text() == "1"


@pytest.mark.parametrize("kind", KINDS)
def test_import_when_by_a_function_then_it_decides(project, tmp_path, kind):
    origin = pack(tree(tmp_path / "raw", RAW), kind, explicit=False)

    def schema(path: str) -> dict[str, Any] | None:
        parts = path.split("/")
        return {"name": parts[-2]} if parts[-1] == "b_x" else None

    project.import_from(origin, schema=schema)
    assert [state_point["name"] for state_point in state_points(project)] == ["a_0", "a_1", "a_10"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_import_when_by_a_function_then_it_sees_directories_of_the_archive_that_hold_files(project, tmp_path, kind):
    seen: list[str] = []
    origin = pack(tree(tmp_path / "raw", RAW), kind, explicit=False)
    assert project.import_from(origin, schema=seen.append) == {}
    assert sorted(seen) == sorted(f"a_{a}/b_x{below}" for a in (0, 1, 10) for below in ("", "/sub"))


def test_import_when_by_a_function_then_it_sees_paths_of_directories_as_given(project, tmp_path):
    seen: list[str] = []
    origin = pack(tree(tmp_path / "raw", {"a/b/f": "x"}), "dir")
    project.import_from(f"./{origin}/", schema=seen.append)
    assert seen == [f"./{origin}/", f"./{origin}/a", f"./{origin}/a/b"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("schema", ["a_{a:int}/b_x/tail", "{a:int}", "b_{b}", "a_{a:float}/b_{b:int}"])
def test_import_when_the_template_matches_nothing_then_nothing_is_imported(project, tmp_path, kind, schema):
    origin = pack(tree(tmp_path / "raw", RAW), kind)
    assert project.import_from(origin, schema=schema) == {}
    assert len(project) == 0


@pytest.mark.parametrize("schema", ["{origin}/a_{{a:int}}/b_{{b}}", "./a_{{a:int}}//b_{{b}}/"])
def test_import_when_the_template_begins_with_the_origin_then_it_is_relative_to_it(project, tmp_path, schema):
    for origin in (str(tree(tmp_path / "ra+w", RAW)), os.path.relpath(tmp_path / "ra+w")):
        found = project.import_from(origin, schema=schema.format(origin=origin))
        assert len(found) == 3
        for job in project:
            job.remove()


def test_import_when_no_origin_is_given_then_the_working_directory_without_the_workspace(project, tmp_path):
    project.open_job({"b": 1}).init()
    tree(".", {f"data/x/{SP}": '{"a": 1}', f"data/y/z/{SP}": '{"a": 2}'})
    assert sorted(project.import_from()) == [os.path.abspath("data/x"), os.path.abspath("data/y/z")]
    assert state_points(project) == [{"a": 1}, {"a": 2}, {"b": 1}]


def test_import_when_from_the_own_workspace_then_nothing(project):
    job = project.open_job({"b": 1}).init()
    assert project.import_from(project.workspace) == {}
    assert project.import_from(job.path) == {}


def test_import_when_from_another_project_then_its_jobs(project, source):
    assert len(project.import_from(source.path)) == 12
    assert content(project.workspace) == content(source.workspace)


def test_import_when_copies_are_unfinished_then_they_are_no_jobs(project):
    for prefix in (layout.PREFIX_NEW, layout.PREFIX_REMOVED, layout.PREFIX_COPY):
        tree("data", {f"x/{prefix}123/{SP}": '{"a": 1}'})
    tree("data", {f"x/.mine/{SP}": '{"a": 2}'})
    assert list(project.import_from("data")) == ["data/x/.mine"]


def test_import_when_directories_are_links_then_they_are_not_searched(project, source):
    os.mkdir("data")
    os.symlink(source.workspace, "data/link")
    assert project.import_from("data") == {}


def test_import_when_jobs_are_nested_then_the_outer_one_counts(project):
    tree("data", {f"x/{SP}": '{"a": 1}', f"x/sub/{SP}": '{"a": 2}'})
    assert list(project.import_from("data")) == ["data/x"]
    assert Path(project.open_job({"a": 1}).fn(f"sub/{SP}")).is_file()


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("schema", [None, lambda path: {"a": 1} if path == "x" else {"a": 2}])
def test_import_when_jobs_are_nested_in_an_archive_then_the_outer_one_counts(project, tmp_path, kind, schema):
    origin = pack(tree(tmp_path / "raw", {f"x/{SP}": '{"a": 1}', f"x/y/z/{SP}": '{"a": 2}'}), kind, explicit=False)
    assert list(project.import_from(origin, schema=schema)) == ["x"]


@pytest.mark.parametrize("kind", KINDS)
def test_import_when_the_file_has_its_own_form_then_it_is_kept(project, tmp_path, kind):
    text = '{\n  "b": 1,\n  "a": 2\n}\n'
    origin = pack(tree(tmp_path / "raw", {f"x/{SP}": text}), kind)
    project.import_from(origin)
    assert Path(project.open_job({"a": 2, "b": 1}).fn(SP)).read_text() == text


def test_import_when_a_state_point_change_was_stopped_then_the_job_is_the_new_one(project, source):
    job = source.open_job({"a": 3})
    Path(job.fn(layout.pending_name(job.id))).write_text('{"a": 3}')
    Path(job.fn(SP)).write_text('{"a": 99}')
    assert project.import_from(source.workspace)
    assert state_points(project) == sorted(NUMBERS, key=json.dumps)


# --- what is refused, before anything is written ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("files", "schema", "message"),
    [
        ({f"x/{SP}": '{"a": 1}', f"y/{SP}": '{"a":1}'}, None, "not unique: '.*x' and '.*y'"),
        ({f"x/{SP}": '{"a": 1}', f"y/{SP}": "{bad"}, None, "y' is not JSON"),
        ({f"x/{SP}": '{"a": 1}', f"y/{SP}": ""}, None, "y' is not JSON"),
        ({f"x/{SP}": '{"a": 1}', f"y/{SP}": "[1]"}, None, "y' is not valid"),
        ({f"x/{SP}": '{"a": 1}', f"y/{SP}": '{"a.b": 1}'}, None, r"y' is not valid.*a\.b"),
        ({"a_1/f": "", f"a_2/{SP}": '{"a": 3}'}, "a_{a:int}", "a_2' the state point .*contradicts"),
        ({f"a_1/{SP}": '{"a": 1.0}'}, "a_{a:int}", "contradicts"),
        ({f"a_1/{SP}": "{bad"}, "a_{a:int}", "is not JSON"),
        ({"a_1/f": "", "a_01/f": ""}, "a_{a:int}", "not unique"),
        ({"a_1/f": ""}, "a_1", "has no fields"),
        ({"a_1/f": ""}, lambda path: [1], "not valid"),
        ({"a_1/f": ""}, lambda path: {1: 2}, "not valid"),
        ({"a_1/f": ""}, lambda path: {"a": {1, 2}}, "not valid"),
    ],
)
def test_import_when_state_points_are_wrong_then_nothing_is_imported(project, tmp_path, kind, files, schema, message):
    origin = pack(tree(tmp_path / "raw", files), kind)
    with workspace_unchanged(project), pytest.raises(StatepointParsingError, match=message):
        project.import_from(origin, schema=schema)


@pytest.mark.parametrize("origin", ["missing", 5, b"missing"])
def test_import_when_there_is_no_origin_then_value_error(project, origin):
    with pytest.raises(ValueError, match="Unable to import from"):
        project.import_from(origin)


def test_import_when_the_origin_is_no_archive_then_error(project):
    Path("x").write_text("text")
    with pytest.raises(RuntimeError, match="Unknown file type"):
        project.import_from("x")


def test_import_when_the_schema_is_of_no_accepted_form_then_type_error(project):
    os.mkdir("data")
    with pytest.raises(TypeError, match="schema"):
        project.import_from("data", schema=5)


def test_import_when_the_schema_has_an_unknown_type_then_key_error(project):
    os.mkdir("data")
    with pytest.raises(KeyError, match="unknown type 'list'"):
        project.import_from("data", schema="{a:list}")


def test_import_when_a_function_is_given_for_an_archive_then_value_error(project, tmp_path):
    origin = pack(tree(tmp_path / "raw", RAW), "zip")
    with pytest.raises(ValueError, match="copytree"):
        project.import_from(origin, copytree=shutil.copytree)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/1/../../../evil"])
def test_import_when_an_archive_is_hostile_then_nothing_is_written(project, tmp_path, name):
    with zipfile.ZipFile("x.zip", "w") as file:
        file.writestr(f"a/1/{SP}", '{"a": 1}')
        file.writestr(name, "evil")
    before = content(tmp_path)
    with pytest.raises(ArchiveError, match="is refused"):
        project.import_from("x.zip")
    assert content(tmp_path) == before


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_import_when_the_archive_is_cut_short_then_no_partial_job_is_left(project, source, kind):
    source.export_to(f"x.{kind}")
    data = Path(f"x.{kind}").read_bytes()
    Path(f"x.{kind}").write_bytes(data[: len(data) * 2 // 3])
    with workspace_unchanged(project), pytest.raises(ArchiveError):
        project.import_from(f"x.{kind}")


def test_import_when_a_directory_cannot_be_read_then_the_error_is_raised(project, monkeypatch):
    tree("data", {f"x/{SP}": '{"a": 1}', f"y/z/{SP}": '{"a": 2}'})
    scandir = os.scandir

    def deny(path: Any) -> Any:
        if str(path).endswith("y"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    with workspace_unchanged(project), pytest.raises(PermissionError, match="data/y"):
        project.import_from("data")


# --- jobs that exist -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["out", "out.zip", "out.tar"])
def test_import_when_a_job_exists_with_other_files_then_nothing_is_imported(project, source, kind):
    source.export_to(kind)
    job = project.open_job({"a": 11}).init()
    with workspace_unchanged(project), pytest.raises(DestinationExistsError) as caught:
        project.import_from(kind)
    assert caught.value.destination == job


@pytest.mark.parametrize("kind", ["out", "out.zip", "out.tar"])
def test_import_when_it_was_stopped_then_running_again_finishes_it(project, source, kind):
    source.export_to(kind)
    first = project.import_from(kind)
    for a in (2, 5):
        project.open_job({"a": a}).remove()
    inode = os.stat(project.open_job({"a": 7}).path).st_ino
    assert project.import_from(kind) == first
    assert content(project.workspace) == content(source.workspace)
    assert os.stat(project.open_job({"a": 7}).path).st_ino == inode


@pytest.mark.parametrize("kind", KINDS)
def test_import_when_it_was_stopped_and_had_written_state_points_then_running_again_finishes_it(
    project, tmp_path, kind
):
    origin = pack(tree(tmp_path / "raw", RAW), kind)
    project.import_from(origin, schema="a_{a:int}")
    project.open_job({"a": 10}).remove()
    assert len(project.import_from(origin, schema="a_{a:int}")) == 3
    assert len(project) == 3


@pytest.mark.parametrize("kind", ["out", "out.zip", "out.tar"])
def test_import_when_it_was_stopped_after_its_last_job_then_running_again_succeeds(project, source, kind):
    source.export_to(kind)
    first = project.import_from(kind)
    with workspace_unchanged(project):
        assert project.import_from(kind) == first


@pytest.mark.parametrize("kind", ["out", "out.zip", "out.tar"])
def test_import_when_all_jobs_exist_and_one_has_other_files_then_error(project, source, kind):
    source.export_to(kind)
    job = source.open_job({"a": 3})
    job.doc.more = True
    with workspace_unchanged(source), pytest.raises(DestinationExistsError) as caught:
        source.import_from(kind)
    assert caught.value.destination == job


@pytest.mark.parametrize("kind", ["out", "out.zip", "out.tar"])
def test_import_when_existing_jobs_are_skipped_then_the_others_are_imported(project, source, kind):
    source.export_to(kind)
    job = project.open_job({"a": 11}).init()
    found = import_from(project, kind, skip_existing=True)
    assert job.path not in found.values()
    assert len(found) == 11
    assert len(project) == 12
    assert os.listdir(job.path) == [SP]
    assert import_from(project, kind, skip_existing=True) == {}


@pytest.mark.parametrize("kind", ["out", "out.tar"])
def test_import_when_a_job_appears_meanwhile_then_error_and_the_rest_is_whole(project, source, kind):
    source.export_to(kind)
    late = max(NUMBERS[1:], key=calc_id)  # not the first one, whether jobs come by path or by id

    def appear(what: str, done: int, total: int | None) -> None:
        if done == 1:
            project.open_job(late).init().doc.mine = True

    with pytest.raises(DestinationExistsError) as caught:
        import_from(project, kind, progress=appear)
    assert caught.value.destination == calc_id(late)
    assert project.open_job(late).doc() == {"mine": True}
    assert len(state_points(project)) > 1


def test_import_when_a_copy_fails_then_that_job_is_absent_and_the_others_are_whole(project, source, monkeypatch):
    source.export_to("out", path="{a:02d}")
    copy = files.copy_file

    def fail_for_one(origin: str, *args: Any) -> Any:
        if "out/05" in origin:
            raise OSError(errno.ENOSPC, "No space left on device", origin)
        return copy(origin, *args)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(files, "copy_file", fail_for_one)
        project.import_from("out")
    assert state_points(project) == NUMBERS[:5]
    project.import_from("out")
    assert content(project.workspace) == content(source.workspace)


@pytest.mark.parametrize("how", ["pipe", "too deep"])
def test_import_when_jobs_cannot_be_copied_then_all_others_are_and_the_error_comes_at_the_end(
    project, source, deepen, how
):
    source.export_to("out", path="{a:02d}")
    for job in ("out/02", "out/07"):
        if how == "too deep":
            deepen(job)
        else:
            os.mkfifo(f"{job}/pipe")
    told: list[str | None] = []
    with plan_import(project.space, "out") as plan:
        plan.rehearse(print, failed=lambda job_id, error: told.append(job_id))
        assert told == [calc_id({"a": 2}), calc_id({"a": 7})]
    with pytest.raises(OSError, match="out/02") as caught:
        project.import_from("out")
    assert caught.value.__notes__ == ["There is 1 more error of other jobs."]
    assert sorted(one["a"] for one in state_points(project)) == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]


def test_import_when_told_then_what_cannot_be_read_is_left_out(project, source, monkeypatch):
    source.export_to("out", path="{a:02d}/x")
    scandir, read = os.scandir, copying.files.read_bytes

    def deny(path: Any) -> Any:
        if str(path).endswith("02"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    def deny_file(path: str, **kwargs: Any) -> bytes:
        if "07" in path:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return read(path, **kwargs)

    told: list[tuple[str | None, str]] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", deny)
        patch.setattr(copying.files, "read_bytes", deny_file)
        with plan_import(project.space, "out", failed=lambda job_id, error: told.append((job_id, str(error)))) as plan:
            plan.carry_out()
    assert [job_id for job_id, _ in told] == [None, None]
    assert ["out/02" in told[0][1], f"out/07/x/{SP}" in told[1][1]] == [True, True]
    assert sorted(one["a"] for one in state_points(project)) == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_import_when_a_name_of_an_archive_is_too_long_then_all_other_jobs_are_there(project, source, kind):
    raw = tree("raw", {f"a_{a}/sub/data": "x" for a in range(3)})
    origin = pack(raw, kind)
    if kind == "zip":
        with zipfile.ZipFile(origin, "a") as file:
            file.writestr(f"a_1/sub/{'x' * 300}", "x")
    else:
        with tarfile.open(origin, "a") as tar:
            tar.addfile(tarfile.TarInfo(f"a_1/sub/{'x' * 300}"))
    with pytest.raises(OSError, match="too long"):
        project.import_from(origin, schema="a_{a:int}")
    assert state_points(project) == [{"a": 0}, {"a": 2}]


# --- functions that copy ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copytree", [os.replace, os.rename, shutil.move])
def test_import_when_jobs_are_moved_then_they_leave_the_origin(project, source, copytree):
    source.export_to("out")
    project.import_from("out", copytree=copytree)
    assert content(project.workspace) == content(source.workspace)
    assert os.listdir("out/a") == []


@pytest.mark.parametrize("copytree", [os.replace, shutil.move, functools.partial(shutil.copytree)])
def test_import_when_by_a_template_and_a_function_then_state_points_are_written(project, tmp_path, copytree):
    origin = pack(tree(tmp_path / "raw", RAW), "dir")
    project.import_from(origin, schema="a_{a:int}", copytree=copytree)
    assert len(state_points(project)) == 3


def test_import_when_moved_across_file_systems_then_copied_before_they_go(project, source, monkeypatch):
    source.export_to("out")
    no_way_across(monkeypatch)
    with pytest.raises(OSError, match="cross-device"):
        project.import_from("out", copytree=os.replace)
    assert len(project) == 0
    project.import_from("out", copytree=shutil.move)
    assert content(project.workspace) == content(source.workspace)
    assert os.listdir("out/a") == []


@pytest.mark.parametrize("there", ["all", "some"])
def test_import_when_a_move_was_stopped_before_it_deleted_then_running_again_deletes(
    project, source, monkeypatch, there
):
    source.export_to("out")
    project.import_from("out")
    if there == "some":
        project.open_job({"a": 3}).remove()
    no_way_across(monkeypatch)
    project.import_from("out", copytree=shutil.move)
    assert content(project.workspace) == content(source.workspace)
    assert os.listdir("out/a") == []


@pytest.mark.parametrize("schema", ["a_{a:int}", None])
def test_import_when_a_move_was_stopped_while_it_deleted_then_the_rest_is_no_origin(
    project, tmp_path, monkeypatch, schema
):
    origin = tree(tmp_path / "raw", {"a_0/data": "0", "a_1/data": "1", "a_2/sub/data": "2"})
    if schema is None:
        for a in range(3):
            Path(origin, f"a_{a}", SP).write_text(json.dumps({"a": a}))
    rename = os.rename

    def cross_device(source: str, destination: str) -> None:
        if os.path.isdir(source) and not os.path.basename(source).startswith(layout.PREFIX_NEW):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        rename(source, destination)

    def stop(aside: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", cross_device)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(copying.lifecycle, "finish_removal", stop)
        project.import_from(origin, schema=schema, copytree=shutil.move)
    assert len(project) == 1
    assert (origin / "a_0" / layout.FN_REMOVED).exists()
    with plan_import(project.space, origin, schema=schema) as plan:
        assert [os.path.basename(found.name) for found in plan.found] == ["a_1", "a_2"]
        assert plan.unmatched == ()
    project.import_from(origin, schema=schema, copytree=shutil.move)
    assert state_points(project) == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert os.listdir(origin) == []


def test_import_when_a_move_was_stopped_after_it_set_the_source_aside_then_running_again_deletes_it(
    project, source, monkeypatch
):
    source.export_to("out")
    no_way_across(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(copying.lifecycle, "finish_removal", lambda aside: None)
        project.import_from("out", copytree=shutil.move)
    assert len(os.listdir("out/a")) == len(NUMBERS)
    with plan_import(project.space, "out") as plan:
        assert (plan.found, len(plan.moved)) == ((), len(NUMBERS))
    project.import_from("out", copytree=shutil.move)
    assert os.listdir("out/a") == []
    assert content(project.workspace) == content(source.workspace)


def test_import_when_a_move_finds_a_job_with_other_files_then_nothing_is_deleted(project, source):
    source.export_to("out")
    project.import_from("out")
    Path("out/a/3/more").symlink_to("nowhere")
    before = content("out")
    with workspace_unchanged(project), pytest.raises(DestinationExistsError):
        project.import_from("out", copytree=shutil.move)
    assert content("out") == before


# --- synchronization -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["out", "out.zip", "out.tar"])
def test_import_when_synchronized_then_jobs_that_exist_are_completed(project, source, kind):
    source.export_to(kind)
    for state_point in NUMBERS[:2]:
        Path(project.open_job(state_point).init().fn("mine")).write_text("mine")
    found = project.import_from(kind, sync={"check_schema": False, "recursive": True})
    assert set(found.values()) == {job.path for job in project}
    assert state_points(project) == sorted(NUMBERS, key=json.dumps)
    job = project.open_job({"a": 1})
    assert job.doc() == {"b": 1}
    assert sorted(os.listdir(job.path)) == ["mine", "signac_job_document.json", SP, "sub"]


def test_import_when_synchronized_into_an_empty_project_then_all_jobs_come(project, source):
    source.export_to("out")
    project.import_from("out", sync=True)
    assert len(state_points(project)) == 12
    with pytest.raises(SyncConflict):
        Path("out/a/0/sub/data").write_text("a longer text than before")
        project.import_from("out", sync={"recursive": True})
    assert len(state_points(project)) == 12


def test_import_when_synchronized_in_the_project_directory_then_the_workspace_is_no_origin(project, source):
    source.export_to("out")
    project.open_job({"a": 0}).init()
    project.import_from(sync={"check_schema": False, "recursive": True})
    assert len(state_points(project)) == 12


@pytest.mark.parametrize("sync", [5, "x", [1]])
def test_import_when_sync_is_of_no_accepted_form_then_type_error(project, sync):
    with pytest.raises(TypeError, match="sync"):
        project.import_from(".", sync=sync)


# --- plan and progress -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["out", "out.tar"])
def test_plan_when_made_then_it_tells_what_is_there(project, source, kind):
    source.export_to(kind, path="x_{a:02d}")
    job = project.open_job({"a": 3}).init()
    with workspace_unchanged(project), plan_import(project.space, kind) as plan:
        pass
    assert [os.path.basename(one.name) for one in plan.found] == [f"x_{a:02d}" for a in range(12)]
    assert [one.statepoint for one in plan.found] == NUMBERS
    assert plan.existing == {job.id}


@pytest.mark.parametrize("kind", ["out", "out.tar"])
def test_plan_when_jobs_exist_with_other_files_then_all_of_these_are_collisions(project, source, kind):
    source.export_to(kind, path="x_{a:02d}")
    import_from(project, kind)
    project.open_job({"a": 0}).remove()
    for a in (3, 5):
        Path(project.open_job({"a": a}).fn("more")).write_text("mine")
    with workspace_unchanged(project), plan_import(project.space, kind) as plan:
        assert [one.statepoint for one in plan.collisions] == [{"a": 3}, {"a": 5}]
        with pytest.raises(DestinationExistsError) as caught:
            plan.carry_out()
    assert caught.value.destination == calc_id({"a": 3})
    with workspace_unchanged(project), plan_import(project.space, kind, skip_existing=True) as plan:
        assert plan.collisions == ()
        assert len(plan.existing) == 11


@pytest.mark.parametrize("kind", ["out", "out.tar"])
def test_plan_when_all_jobs_exist_with_the_same_files_then_none_is_a_collision(project, source, kind):
    source.export_to(kind)
    import_from(project, kind)
    with plan_import(project.space, kind) as plan:
        assert (plan.collisions, len(plan.existing)) == ((), len(plan.found))


@pytest.mark.parametrize("kind", ["out", "out.tar"])
def test_plan_when_carried_out_then_what_was_missing_is_there(project, source, kind):
    source.export_to(kind, path="x_{a}")
    job = project.open_job({"a": 3}).init()
    with plan_import(project.space, kind, skip_existing=True) as plan:
        imported = plan.carry_out()
    assert len(project) == 12
    assert job.path not in imported.values()
    assert len(imported) == 11


@pytest.mark.parametrize("kind", ["out", "out.zip"])
def test_import_apart_when_left_then_the_project_is_as_before(project, source, kind):
    source.export_to(kind)
    with workspace_unchanged(project):
        with imported_apart(project, kind) as (temporary, found):
            assert content(temporary.workspace) == content(source.workspace)
            assert {one.job_id for one in found} == {job.id for job in source}
        assert not os.path.exists(temporary.path)


@pytest.mark.parametrize("kind", ["out", "out.zip"])
def test_import_when_it_goes_on_then_progress_is_told(project, source, kind):
    source.find_jobs({"a.$lt": 2}).export_to(kind)
    told = []
    import_from(project, kind, progress=lambda what, done, total: told.append((what, done, total)))
    assert told == [("import", 1, 2), ("import", 2, 2)]


def test_import_when_done_then_the_workspace_is_created_if_need_be(project, source):
    source.export_to("out")
    os.rmdir(project.workspace)
    project.import_from("out")
    assert len(project) == 12
