from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project, files, get_project
from signac_core.canonical import calc_id
from signac_core.care.migration import apply_migrations, pending_migrations, pending_workspace_change
from signac_core.errors import ConfigError, IncompatibleSchemaVersion
from tests.support.patches import for_some_cases

NEW_CONFIG = "schema_version = 2\n"


@pytest.fixture
def root() -> Path:
    path = Path("study")
    path.mkdir()
    return path.absolute()


def legacy(root: Path, config: str = "project = testing\nschema_version = 1\n", workspace: str = "workspace") -> None:
    """A project of the old layout with one job, a shell history and a cache."""
    (root / "signac.rc").write_text(config)
    (root / ".signac_shell_history").write_text("history")
    (root / ".signac_sp_cache.json.gz").write_text("cache")
    job = root / workspace / calc_id({"a": 1})
    job.mkdir(parents=True)
    (job / "signac_statepoint.json").write_text('{"a": 1}')
    (job / "signac_job_document.json").write_text('{"b": 2}')


def assert_migrated(root: Path, config: str = NEW_CONFIG, document: dict[str, Any] | None = None) -> None:
    project = get_project(root)
    assert (root / ".signac" / "config").read_text() == config
    assert project.doc() == ({"signac_project_name": "testing"} if document is None else document)
    assert (root / ".signac" / "shell_history").read_text() == "history"
    assert (root / ".signac" / "statepoint_cache.json.gz").read_text() == "cache"
    assert [(job.sp(), job.doc()) for job in project] == [({"a": 1}, {"b": 2})]
    assert not (root / "signac.rc").exists()
    assert not list(root.glob(".signac_*"))
    assert not list(root.rglob("._*"))


def snapshot(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


# --- the steps --------------------------------------------------------------------------------------------------------


def test_version_1_becomes_version_2(root: Path) -> None:
    legacy(root)
    with pytest.raises(IncompatibleSchemaVersion, match="migrate"):
        get_project(root)
    assert pending_migrations(root) == [(1, 2)]
    apply_migrations(root)
    assert_migrated(root)
    assert pending_migrations(root) == []


@pytest.mark.parametrize("config", ["project = testing\n", "project = testing\nschema_version = 0\n"])
def test_version_0_becomes_version_2_in_two_steps(root: Path, config: str) -> None:
    legacy(root, config)
    steps: list[tuple[int, int]] = []
    apply_migrations(root, on_step=lambda before, after: steps.append((before, after)))
    assert steps == [(0, 1), (1, 2)]
    assert_migrated(root)


def test_nothing_is_printed(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    legacy(root)
    apply_migrations(root_directory=str(root))
    assert capfd.readouterr() == ("", "")


def test_a_project_of_version_2_is_left_alone() -> None:
    root = Path(Project.init_project("present").path)
    before = snapshot(root)
    steps: list[tuple[int, int]] = []
    apply_migrations(root, on_step=lambda before, after: steps.append((before, after)))
    assert steps == []
    assert snapshot(root) == before


def test_a_byte_order_mark_does_not_make_a_sound_project_an_old_one() -> None:
    root = Path(Project.init_project("present").path)
    config = root / ".signac" / "config"
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes() + b"\r\nk = v\r\n")
    before = snapshot(root)
    assert pending_migrations(root) == []
    apply_migrations(root)
    assert snapshot(root) == before
    assert get_project(root).config["k"] == "v"


def test_an_old_project_whose_configuration_begins_with_a_byte_order_mark_is_migrated(root: Path) -> None:
    legacy(root)
    rc = root / "signac.rc"
    rc.write_bytes(b"\xef\xbb\xbf" + rc.read_bytes().replace(b"\n", b"\r\n"))
    apply_migrations(root)
    assert_migrated(root)


@pytest.mark.parametrize(
    "line", ["a = " + "b ," * 40 + "'", "[" + "[ " * 100 + "a" + " ]" * 100 + "x", "a" + " " * 5000]
)
@pytest.mark.parametrize("name", ["signac.rc", ".signac/config"])
def test_a_line_that_other_readers_refuse_is_refused(root: Path, name: str, line: str) -> None:
    legacy(root)
    (root / ".signac").mkdir()
    (root / name).write_text(f"project = testing\n{line}\n")
    before = snapshot(root)
    for function in (pending_migrations, apply_migrations):
        with pytest.raises(ConfigError, match="line 2 is too long"):
            function(root)
    assert snapshot(root) == before


def test_a_value_that_cannot_be_written_again_is_refused(root: Path) -> None:
    legacy(root, "project = testing\nk = a\u2028b\n")
    before = snapshot(root)
    with pytest.raises(RuntimeError, match="change them first"):
        apply_migrations(root)
    assert snapshot(root) == before


def test_other_settings_and_comments_stay(root: Path) -> None:
    legacy(
        root,
        "# hello\nproject = testing  # name\nworkspace_dir = ws/deep\n\n"
        'other = "a, b"\nlist = 1, 2\nö = $x %y\n[sec]\n  k = v\n# end\n',
        workspace="ws/deep",
    )
    apply_migrations(root)
    assert_migrated(
        root,
        config='# hello\n\nother = "a, b"\nlist = 1, 2\nö = $x %y\nschema_version = 2\n[sec]\n  k = v\n# end\n',
    )
    assert get_project(root).config["list"] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("testing", None, {"signac_project_name": "testing"}),
        ("'a, b'", None, {"signac_project_name": "a, b"}),
        ('"pröj"', {"x": [1]}, {"x": [1], "signac_project_name": "pröj"}),
        ("new", {"signac_project_name": "old", "b": 1}, {"signac_project_name": "new", "b": 1}),
        ("None", None, {}),
        ("None", {"b": 1}, {"b": 1}),
        ('""', None, {"signac_project_name": ""}),
    ],
)
def test_the_name_moves_into_the_project_document(
    root: Path, name: str, before: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    legacy(root, f"project = {name}\n")
    if before is not None:
        (root / "signac_project_document.json").write_text(json.dumps(before))
    apply_migrations(root)
    assert_migrated(root, document=after)
    assert list(get_project(root).doc) == list(after)


@pytest.mark.parametrize(
    "configured", ["data/ws", "./data/ws/", "$WORKSPACE_OF_MINE", "{root}/data/ws", "{root}/../study/ws"]
)
def test_a_workspace_in_another_place_is_moved(root: Path, monkeypatch: pytest.MonkeyPatch, configured: str) -> None:
    monkeypatch.setenv("WORKSPACE_OF_MINE", "data/ws")
    configured = configured.format(root=root)
    legacy(root, f"project = testing\nworkspace_dir = {configured}\n", os.path.expandvars(configured))
    apply_migrations(root)
    assert_migrated(root)
    assert not (root / "workspace").is_symlink()


@pytest.mark.parametrize("configured", ["{root}/../ws", "../ws", "$HOME_OF_MINE/thesis", "link/ws"])
def test_a_workspace_outside_of_the_project_stays_and_is_linked_to(
    root: Path, monkeypatch: pytest.MonkeyPatch, configured: str
) -> None:
    monkeypatch.setenv("HOME_OF_MINE", f"{root.parent}/home")
    (root / "link").symlink_to("..")
    configured = configured.format(root=root)
    source = (root / os.path.expandvars(configured)).resolve()
    legacy(root, f"project = testing\nworkspace_dir = {configured}\n", str(source))
    change = pending_workspace_change(root)
    assert change is not None
    assert (Path(change.source).resolve(), change.target, change.is_move) == (source, str(root / "workspace"), False)
    assert not (root / "workspace").exists()
    apply_migrations(root)
    (root / "link").unlink()
    assert_migrated(root)
    assert (root / "workspace").readlink() == source
    assert len(os.listdir(source)) == 1
    assert pending_workspace_change(root) is None


@pytest.mark.parametrize("configured", ["workspace", "./workspace/", "{root}/workspace"])
def test_a_workspace_that_is_in_place_already_stays(root: Path, configured: str) -> None:
    legacy(root, f"project = testing\nworkspace_dir = {configured.format(root=root)}\n")
    apply_migrations(root)
    assert_migrated(root)


def test_an_empty_directory_gives_way_to_the_workspace(root: Path) -> None:
    legacy(root, "project = testing\nworkspace_dir = ws\n", "ws")
    (root / "workspace").mkdir()
    apply_migrations(root)
    assert_migrated(root)


@pytest.mark.parametrize("in_the_way", [False, True])
def test_a_workspace_that_is_a_link_is_linked_to(root: Path, in_the_way: bool) -> None:
    legacy(root, "project = testing\nworkspace_dir = sub/link\n", "../elsewhere/ws")
    (root / "sub").mkdir()
    (root / "sub" / "link").symlink_to("../../elsewhere/ws")
    if in_the_way:
        (root / "workspace").mkdir()
    apply_migrations(root)
    assert_migrated(root)
    assert (root / "workspace").readlink() == (root / "../elsewhere/ws").resolve()


def test_a_workspace_on_another_file_system_is_linked_to(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = root.parent / "scratch"
    legacy(root, f"project = testing\nworkspace_dir = {elsewhere}\n", str(elsewhere))
    rename = os.rename

    def across(source: str, target: str) -> None:
        if source == str(elsewhere):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", across)
    apply_migrations(root)
    assert_migrated(root)
    assert (root / "workspace").readlink() == elsewhere


def test_a_directory_of_settings_in_the_way_is_used(root: Path) -> None:
    legacy(root)
    (root / ".signac").mkdir()
    apply_migrations(root)
    assert_migrated(root)


@pytest.mark.parametrize(
    "config", ["", "# nothing\n", "schema_version = 1\n", "schema_version = 0\nproject = testing\n"]
)
def test_an_old_version_in_the_new_place_is_brought_up_to_date(root: Path, config: str) -> None:
    legacy(root)
    (root / "signac.rc").unlink()
    (root / ".signac").mkdir()
    (root / ".signac" / "config").write_text(config)
    apply_migrations(root)
    has_name = "project" in config
    assert_migrated(
        root,
        config="# nothing\n" * (config == "# nothing\n") + NEW_CONFIG,
        document={"signac_project_name": "testing"} if has_name else {},
    )


def test_a_migration_by_signac_2_that_failed_is_finished(root: Path) -> None:
    legacy(root, "schema_version = 1\n")
    (root / "signac_project_document.json").write_text('{"signac_project_name": "testing"}')
    (root / ".signac").mkdir()
    apply_migrations(root)
    assert_migrated(root)


# --- what cannot be migrated ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (None, ConfigError, "There is no project"),
        ("other = 1\n", ConfigError, "There is no project"),
        ("project = p\nfoo\n", ConfigError, "Failed to read"),
        ("project = p\nschema_version = abc\n", ConfigError, "whole number"),
        ("project = p\nschema_version = 1, 2\n", ConfigError, "whole number"),
        ("project = p\nschema_version = 9\n", RuntimeError, "schema version 9"),
        ("project = a, b\n", RuntimeError, "project must be one string"),
    ],
)
def test_what_is_no_project_of_an_older_layout_is_refused_and_left(
    root: Path, config: str | None, error: type[Exception], message: str
) -> None:
    if config is not None:
        (root / "signac.rc").write_text(config)
    before = snapshot(root)
    with pytest.raises(error, match=message) as caught:
        apply_migrations(root)
    assert isinstance(caught.value, RuntimeError)
    assert str(root) in str(caught.value)
    assert snapshot(root) == before
    assert not (root / ".signac").exists()


def both_workspaces(root: Path) -> None:
    (root / "workspace").mkdir()
    (root / "workspace" / "precious").write_text("x")


FAILURES: dict[str, tuple[Callable[[Path], object], type[Exception], Callable[[Path], object]]] = {
    "two workspaces": (both_workspaces, FileExistsError, lambda root: (root / "workspace").rename(root / "old")),
    "no workspace": (
        lambda root: (root / "ws").rename(root / "unmounted"),
        FileNotFoundError,
        lambda root: (root / "unmounted").rename(root / "ws"),
    ),
    "broken document": (
        lambda root: (root / "signac_project_document.json").write_text("{"),
        ValueError,
        lambda root: (root / "signac_project_document.json").unlink(),
    ),
}


@pytest.mark.parametrize("kind", list(FAILURES))
def test_a_failed_migration_changes_nothing_and_succeeds_when_the_reason_is_gone(root: Path, kind: str) -> None:
    breaks, cause, fix = FAILURES[kind]
    legacy(root, "project = testing\nworkspace_dir = ws\n", "ws")
    breaks(root)
    before = snapshot(root)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Failed to apply migration 2") as caught:
            apply_migrations(root)
        assert isinstance(caught.value.__cause__, cause)
        assert snapshot(root) == before
        assert pending_migrations(root) == [(0, 1), (1, 2)]
    fix(root)
    apply_migrations(root)
    assert_migrated(root)


def test_an_unavailable_workspace_is_not_taken_for_a_moved_one(root: Path) -> None:
    legacy(root, "project = testing\nworkspace_dir = ws\n", "unmounted")
    both_workspaces(root)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="does not exist"):
            apply_migrations(root)
    assert "workspace_dir = ws" in (root / "signac.rc").read_text()


# --- stopped at any point ---------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


CHANGING = ("mkdir", "rename", "unlink", "rmdir", "symlink", "write")


@contextmanager
def killed_after(limit: int) -> Iterator[list[str]]:
    """Let everything that would change the disk fail after ``limit`` calls; the list tells these."""
    calls: list[str] = []

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if len(calls) >= limit:
                raise Killed
            calls.append(name)
            return original(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patched, suppress(Killed):
        with for_some_cases():
            for name in CHANGING:
                patched.setattr(os, name, counted(name, getattr(os, name)))
        yield calls


CALLS = ["mkdir", "rename", "write", "rename", "rename", "rename", "write", "rename", "unlink"]
"""Settings directory; workspace; project document; history; cache; configuration; the old configuration."""


@pytest.mark.parametrize("limit", range(len(CALLS) + 1))
def test_a_migration_stopped_at_any_point_is_finished_by_another(root: Path, limit: int) -> None:
    legacy(root, "# mine\nproject = testing\nworkspace_dir = ws\n", "ws")
    (root / "signac_project_document.json").write_text('{"x": 1}')
    with killed_after(limit) as calls:
        apply_migrations(root)
    assert calls == CALLS[:limit]
    assert [path.read_text() for path in root.rglob("signac_statepoint.json")] == ['{"a": 1}']
    for path in root.rglob("._*"):  # an unfinished file, deleted by "check" when it is old
        path.unlink()
    if limit < len(CALLS) - 1:
        with pytest.raises(IncompatibleSchemaVersion):
            get_project(root)
    else:
        assert len(get_project(root)) == 1
    apply_migrations(root)
    assert_migrated(root, config="# mine\n" + NEW_CONFIG, document={"x": 1, "signac_project_name": "testing"})


def test_a_file_of_the_old_layout_beside_another_project_is_kept(root: Path) -> None:
    Project.init_project(root)
    (root / "signac.rc").write_text("project = p\nmine = 1\n")
    apply_migrations(root)
    assert (root / "signac.rc").exists()


def test_concurrent_migrations_all_succeed(root: Path) -> None:
    legacy(root, "project = testing\nworkspace_dir = ws\n", "ws")
    code = f"from signac_core.care.migration import apply_migrations; apply_migrations({str(root)!r})"
    runs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    assert_migrated(root)


def test_migrated_files_survive_a_power_loss(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    legacy(root)
    written: dict[str, bool] = {}
    original = files.replace_file

    def replace(path: str, data: bytes, *, durable: bool = False) -> None:
        written[os.path.basename(path)] = durable
        original(path, data, durable=durable)

    monkeypatch.setattr(files, "replace_file", replace)
    apply_migrations(root)
    assert written == {"signac_project_document.json": True, "config": True}
