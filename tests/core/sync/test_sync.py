"""One-way synchronization of jobs and projects."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import pickle
import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import signac_core
from signac_core import layout
from signac_core.canonical import calc_id
from signac_core.documents.views import JSONDict
from signac_core.errors import (
    DocumentSyncConflict,
    FileSyncConflict,
    JobsCorruptedError,
    SchemaSyncConflict,
    SyncConflict,
)
from signac_core.job import Job
from signac_core.project import Project, init_project
from signac_core.sync import DocSync, FileTransferStats, SyncAction, sync_jobs, sync_projects, work
from signac_core.sync.documents import synchronize_document
from signac_core.sync.strategies import ByKeyOrKeep, FileSync

OLD, NEW = 1_000_000_000, 1_500_000_000  # modification times in seconds


@pytest.fixture
def source(tmp_path: Path) -> Project:
    return init_project(tmp_path / "source")


@pytest.fixture
def destination(tmp_path: Path) -> Project:
    return init_project(tmp_path / "destination")


@pytest.fixture
def src(source: Project) -> Job:
    return source.open_job({"a": 0}).init()


@pytest.fixture
def dst(destination: Project) -> Job:
    return destination.open_job({"a": 0}).init()


def write(job: Job, name: str, text: str = "", *, time: float | None = None) -> str:
    path = job.fn(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    if time is not None:
        os.utime(path, ns=(int(time * 1e9), int(time * 1e9)))
    return path


def read(job: Job, name: str) -> str:
    with open(job.fn(name), encoding="utf-8") as file:
        return file.read()


def differ(src: Job, dst: Job, name: str = "file") -> None:
    """Give both jobs a file of this name; that of the source is newer."""
    write(src, name, "source", time=NEW)
    write(dst, name, "destination", time=OLD)


def names(job: Job, directory: str = "") -> set[str]:
    """Names in a job directory but for the state point."""
    return set(os.listdir(job.fn(directory))) - {layout.FN_STATE_POINT}


def snapshot(root: str) -> dict[str, Any]:
    """Everything below a directory: content, status, directories by their modification time."""
    found: dict[str, Any] = {}
    for directory, _, files in os.walk(root):
        found[directory] = os.stat(directory).st_mtime_ns
        for name in files:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else Path(path).read_bytes()
            found[path] = (content, status.st_mode, status.st_mtime_ns, status.st_ino)
    return found


def kinds(actions: list[SyncAction]) -> list[tuple[str, str | None]]:
    return [(action.kind, action.path) for action in actions]


# --- the module ------------------------------------------------------------------------------------------------------


def test_sync_module_when_imported_then_level_more_exists():
    assert logging.MORE == 15  # type: ignore[attr-defined]
    assert logging.getLevelName(15) == "MORE"


def test_sync_module_when_reached_through_package_then_holds_public_names():
    for name in ("FileSync", "DocSync", "sync_jobs", "sync_projects", "FileTransferStats"):
        assert hasattr(signac_core.sync, name)


# --- file strategies -------------------------------------------------------------------------------------------------


def test_file_sync_keys_when_asked_then_names_of_strategies():
    assert FileSync.keys() == ("always", "never", "update", "Ask")
    assert {"always", "never", "update", "Ask"} <= set(dir(FileSync))


def test_sync_when_file_differs_without_strategy_then_conflict_names_job_and_path(src, dst):
    differ(src, dst, "sub/file")
    with pytest.raises(FileSyncConflict) as conflict:
        dst.sync(src, recursive=True)
    assert conflict.value.filename == "file"
    assert conflict.value.path == os.path.join("sub", "file")
    assert conflict.value.job_id == dst.id
    assert "sub/file" in str(conflict.value)
    assert dst.id in str(conflict.value)
    assert read(dst, "sub/file") == "destination"


def test_file_conflict_when_made_of_a_name_and_pickled_then_path_is_the_name():
    conflict = pickle.loads(pickle.dumps(FileSyncConflict("file")))
    assert (conflict.filename, conflict.path, conflict.job_id, conflict.args) == ("file", "file", None, ("file",))


def test_file_conflict_when_pickled_then_whole():
    conflict = pickle.loads(pickle.dumps(FileSyncConflict("file", "0" * 32, "sub/file")))
    assert (conflict.filename, conflict.path, conflict.job_id) == ("file", "sub/file", "0" * 32)


@pytest.mark.parametrize(("strategy", "content"), [(FileSync.always, "source"), (FileSync.never, "destination")])
def test_sync_when_file_differs_with_constant_strategy_then_follows_it(src, dst, strategy, content):
    differ(src, dst)
    dst.sync(src, strategy)
    assert read(dst, "file") == content


@pytest.mark.parametrize(
    ("theirs", "ours", "content"),
    [(NEW, OLD, "source"), (OLD, NEW, "destination"), (OLD, OLD, "destination"), (OLD + 1e-3, OLD, "source")],
)
def test_sync_when_strategy_is_update_then_newer_source_wins(src, dst, theirs, ours, content):
    write(src, "file", "source", time=theirs)
    write(dst, "file", "destination", time=ours)
    dst.sync(src, FileSync.update)
    assert read(dst, "file") == content


def test_sync_when_strategy_is_custom_then_gets_jobs_and_relative_path(src, dst):
    differ(src, dst, "sub/file")
    calls = []

    def strategy(*arguments: Any) -> int:
        calls.append(arguments)
        return 1

    dst.sync(src, strategy, recursive=True)
    assert calls == [(src, dst, os.path.join("sub", "file"))]
    assert read(dst, "sub/file") == "source"


@pytest.mark.parametrize("strategy", ["always", True, 1])
def test_sync_when_strategy_is_not_callable_then_type_error_before_anything(src, dst, strategy):
    write(src, "file", "source")
    with pytest.raises(TypeError, match="FileSync"):
        dst.sync(src, strategy)
    assert names(dst) == set()


@pytest.mark.parametrize(
    ("answers", "overwritten"),
    [
        ("y\n", True),
        ("YES\n", True),
        ("ye\n", True),
        ("n\n", False),
        ("no\n", False),
        ("\n", False),
        ("what\ny\n", True),
        ("what\n\n", False),
    ],
)
def test_ask_when_answered_then_follows_answer_and_prompts_on_stderr(
    src, dst, monkeypatch, capsys, answers, overwritten
):
    differ(src, dst)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
    dst.sync(src, FileSync.Ask())
    assert read(dst, "file") == ("source" if overwritten else "destination")
    out, err = capsys.readouterr()
    assert out == ""
    assert "'file'" in err
    assert err.count("[y/N]") == (2 if answers.startswith("what") else 1)


@pytest.mark.parametrize("answers", ["", "what", "what\n", None])
def test_ask_when_no_answer_comes_then_error_and_file_kept(src, dst, monkeypatch, capsys, answers):
    differ(src, dst)
    monkeypatch.setattr(sys, "stdin", None if answers is None else io.StringIO(answers))
    with pytest.raises(EOFError, match="'file'"):
        dst.sync(src, FileSync.Ask())
    assert read(dst, "file") == "destination"
    out, err = capsys.readouterr()
    assert (out, err[-1]) == ("", "\n")


def test_ask_when_input_is_that_of_a_notebook_then_it_is_used(src, dst, monkeypatch, capsys):
    differ(src, dst)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr("builtins.input", lambda prompt="": "y")
    dst.sync(src, FileSync.Ask())
    assert read(dst, "file") == "source"
    assert "'file'" in capsys.readouterr().err


def test_ask_when_a_file_name_holds_control_characters_then_they_are_shown_as_text(src, dst, monkeypatch, capsys):
    for job, text in ((src, "source"), (dst, "destination")):
        write(job, "\x1b[2J\u202e", text)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    dst.sync(src, FileSync.Ask())
    assert "named '\\x1b[2J\\u202e'?" in capsys.readouterr().err


def test_ask_when_several_jobs_then_one_answer_per_file_name(source, destination, monkeypatch, capsys):
    for a in range(3):
        differ(source.open_job({"a": a}).init(), destination.open_job({"a": a}).init())
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    destination.sync(source, FileSync.Ask())
    assert [read(job, "file") for job in destination] == ["source"] * 3
    assert capsys.readouterr().err.count("[y/N]") == 1


# --- which files -----------------------------------------------------------------------------------------------------


def test_sync_when_source_has_more_files_then_copied_and_rest_kept(src, dst):
    write(src, "new", "source")
    write(dst, "own", "destination")
    dst.sync(src)
    assert names(dst) == {"new", "own"}
    assert (read(dst, "new"), read(dst, "own")) == ("source", "destination")


@pytest.mark.parametrize("name", ["tags", "CVS", "RCS", ".git", ".hg", "__pycache__", ".hidden", "._mine"])
@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_entry_has_special_name_then_synced_all_the_same(source, destination, src, name, present):
    if present:
        destination.open_job({"a": 0}).init()
    write(src, name + "/file", "text")
    write(src, "d/" + name, "text")
    destination.sync(source, recursive=True)
    (job,) = destination
    assert (read(job, name + "/file"), read(job, "d/" + name)) == ("text", "text")


def test_sync_when_run_again_then_nothing_to_do(source, destination, src):
    write(src, "file", "text")
    write(src, "sub/file", "text")
    src.doc.a = {"b": 1}
    actions: list[SyncAction] = []
    destination.sync(source, recursive=True)
    before = snapshot(destination.path)
    assert sync_projects(source, destination, recursive=True, collect_stats=True, report=actions.append) == (0, 0)
    assert actions == []
    assert snapshot(destination.path) == before


@pytest.mark.parametrize("recursive", [True, False])
def test_sync_when_directories_then_entered_only_if_recursive(src, dst, caplog, recursive):
    write(src, "common/file", "source")
    write(src, "new/sub/file", "source")
    write(dst, "common/own", "destination")
    os.mkdir(src.fn("empty"))
    dst.sync(src, recursive=recursive)
    if recursive:
        assert names(dst) == {"common", "new", "empty"}
        assert names(dst, "common") == {"file", "own"}
        assert read(dst, "new/sub/file") == "source"
        assert caplog.records == []
    else:
        assert names(dst) == {"common"}
        assert names(dst, "common") == {"own"}
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 3


def test_sync_projects_when_job_is_new_then_cloned_with_subdirectories_and_document(source, destination, src):
    write(src, "sub/file", "text")
    src.doc.a = 1
    destination.sync(source, doc_sync=DocSync.NO_SYNC)
    (job,) = destination
    assert job.doc() == {"a": 1}
    assert read(job, "sub/file") == "text"
    assert Path(job.fn(layout.FN_STATE_POINT)).read_bytes() == Path(src.fn(layout.FN_STATE_POINT)).read_bytes()


@pytest.mark.parametrize(
    ("options", "copied"),
    [
        ({}, False),
        ({"deep": True}, True),
        ({"size_only": True}, False),
        ({"round_times": True}, False),
    ],
)
@pytest.mark.parametrize("entry", ["job", "project"])
def test_sync_when_size_and_time_agree_then_only_deep_sees_the_difference(
    source, destination, src, dst, options, copied, entry
):
    write(src, "file", "one", time=OLD)
    write(dst, "file", "two", time=OLD)
    if entry == "job":
        dst.sync(src, FileSync.always, **options)
    else:
        destination.sync(source, FileSync.always, **options)
    assert read(dst, "file") == ("one" if copied else "two")


@pytest.mark.parametrize(
    ("options", "copied"),
    [({}, True), ({"deep": True}, True), ({"size_only": True}, False), ({"round_times": True}, False)],
)
def test_sync_when_only_fraction_of_time_differs_then_depends_on_comparison(src, dst, options, copied):
    write(src, "file", "one", time=OLD + 0.25)
    write(dst, "file", "two", time=OLD + 0.75)
    dst.sync(src, FileSync.always, **options)
    assert read(dst, "file") == ("one" if copied else "two")


def test_sync_when_times_differ_but_content_agrees_then_no_conflict(src, dst):
    write(src, "file", "same", time=NEW)
    write(dst, "file", "same", time=OLD)
    dst.sync(src)
    assert os.stat(dst.fn("file")).st_mtime == OLD


def test_sync_when_content_is_larger_than_a_block_then_compared_and_copied_whole(src, dst):
    text = "x" * 3_000_000
    write(src, "file", text + "a", time=NEW)
    write(dst, "file", text + "b", time=OLD)
    with pytest.raises(FileSyncConflict):
        dst.sync(src)
    dst.sync(src, FileSync.always)
    assert read(dst, "file") == text + "a"


def test_sync_when_deep_and_size_only_then_value_error(src, dst):
    with pytest.raises(ValueError, match="deep"):
        dst.sync(src, deep=True, size_only=True)


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (None, {"a.txt", "b.dat", "sub"}),
        ([], {"a.txt", "b.dat", "sub"}),
        ("a", {"b.dat", "sub"}),
        (["a", r".*\.dat"], {"sub"}),
        (("a", "sub"), {"b.dat"}),
        ({"s"}, {"a.txt", "b.dat"}),
        (iter(["a"]), {"b.dat", "sub"}),
        (re.compile("A", re.IGNORECASE), {"b.dat", "sub"}),
        ("txt", {"a.txt", "b.dat", "sub"}),
        (".*", set()),
        ("", set()),
    ],
)
def test_sync_projects_when_exclude_given_then_applied_to_old_and_new_jobs(
    source, destination, src, tmp_path, exclude, left, present
):
    for name in ("a.txt", "b.dat", "sub/c"):
        write(src, name, "text")
    if present:
        destination.open_job({"a": 0}).init()
    exclude = ["a"] if type(exclude).__name__ == "list_iterator" else exclude  # parameters are shared by both cases
    destination.sync(source, exclude=iter(exclude) if exclude == ["a"] else exclude, recursive=True)
    (job,) = destination
    assert names(job) == left
    assert job.statepoint() == {"a": 0}


def test_sync_when_exclude_matches_below_then_left_out_there_too(src, dst):
    write(src, "new/file", "text")
    write(src, "new/skip", "text")
    write(src, "old/skip", "text")
    write(dst, "old/file", "text")
    dst.sync(src, exclude="skip", recursive=True)
    assert (names(dst, "new"), names(dst, "old")) == ({"file"}, {"file"})


def test_sync_projects_when_exclude_is_a_list_then_not_mutated(source, destination, src, dst):
    exclude = ["x"]
    destination.sync(source, exclude=exclude)
    dst.sync(src, exclude=exclude)
    assert exclude == ["x"]


@pytest.mark.parametrize(("exclude", "error"), [(b"x", TypeError), ([1], TypeError), (3, TypeError), ("[", re.error)])
def test_sync_when_exclude_is_invalid_then_error_before_anything(src, dst, exclude, error):
    write(src, "file")
    with pytest.raises(error):
        dst.sync(src, exclude=exclude)
    assert names(dst) == set()


def test_sync_projects_when_exclude_matches_document_then_document_comes_all_the_same(source, destination, src, dst):
    other = source.open_job({"a": 1}).init()
    src.doc.a = other.doc.a = 1
    destination.sync(source, exclude=".*", check_schema=False)
    assert [job.doc() for job in destination] == [{"a": 1}] * 2


def leftovers(job_id: str) -> list[str]:
    return [
        f"._0123456789abcdef_{layout.FN_DOCUMENT}",
        "._0123456789abcdef_sync",
        f"._8a37f30b-1f5c-4d0c-9a34-0123456789ab_{layout.FN_DOCUMENT}",
        layout.pending_name(job_id),
        layout.FN_STATE_POINT_BACKUP,
        layout.FN_DOCUMENT + "~",
    ]


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_writers_left_temporaries_then_not_synced(source, destination, src, present):
    if present:
        destination.open_job({"a": 0}).init()
    for name in leftovers("0" * 32):
        write(src, name, "{}")
    write(src, "sub/._0123456789abcdef_sync", "{}")
    destination.sync(source, recursive=True)
    (job,) = destination
    assert names(job) == {"sub"}
    assert names(job, "sub") == set()


def test_sync_when_destination_holds_stale_document_backup_then_goes_on(src, dst):
    src.doc.a = 1
    write(dst, layout.FN_DOCUMENT + "~", "{}")
    dst.sync(src)
    assert dst.doc() == {"a": 1}


def test_sync_when_jobs_differ_in_state_point_then_that_of_destination_stays(source, destination, src):
    other = destination.open_job({"a": 1}).init()
    write(src, "file", "text")
    other.sync(src)
    assert json.loads(read(other, layout.FN_STATE_POINT)) == {"a": 1}
    assert read(other, "file") == "text"


def test_sync_when_nested_file_is_named_like_state_point_then_synced(src, dst):
    write(src, f"sub/{layout.FN_STATE_POINT}", "{}")
    write(src, f"sub/{layout.FN_DOCUMENT}", "{}")
    dst.sync(src, recursive=True)
    assert set(os.listdir(dst.fn("sub"))) == {layout.FN_STATE_POINT, layout.FN_DOCUMENT}


@pytest.mark.parametrize("recursive", [True, False])
def test_sync_when_file_meets_directory_then_skipped_with_warning(src, dst, caplog, recursive):
    write(src, "x", "file")
    write(dst, "x/y", "below")
    write(src, "z/y", "below")
    write(dst, "z", "file")
    actions: list[SyncAction] = []
    sync_jobs(src, dst, FileSync.always, recursive=recursive, report=actions.append)
    assert kinds(actions) == [("skip", "x"), ("skip", "z")]
    assert (read(dst, "x/y"), read(dst, "z")) == ("below", "file")
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_entry_is_no_file_then_skipped_with_warning(source, destination, src, present):
    if present:
        destination.open_job({"a": 0}).init()
    os.mkfifo(src.fn("fifo"))
    actions: list[SyncAction] = []
    sync_projects(source, destination, report=actions.append)
    assert ("skip", "fifo") in kinds(actions)
    (job,) = destination
    assert names(job) == set()


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def linked(src: Job) -> Job:
    write(src, "file", "text")
    write(src, "d/below", "text")
    os.symlink("file", src.fn("link"))
    os.symlink("d", src.fn("directory_link"))
    os.symlink("nowhere", src.fn("dangling"))
    return src


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_links_are_followed_then_content_is_copied(source, destination, linked, present):
    if present:
        destination.open_job({"a": 0}).init()
    actions: list[SyncAction] = []
    sync_projects(source, destination, recursive=True, report=actions.append)
    (job,) = destination
    assert names(job) == {"file", "d", "link", "directory_link", "dangling"}
    assert [name for name in names(job) if os.path.islink(job.fn(name))] == ["dangling"]
    assert os.readlink(job.fn("dangling")) == "nowhere"
    assert read(job, "directory_link/below") == "text"
    assert not [action for action in actions if action.kind == "skip"]


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_links_are_kept_then_recreated(source, destination, linked, present):
    if present:
        destination.open_job({"a": 0}).init()
    stats = sync_projects(source, destination, follow_symlinks=False, recursive=True, collect_stats=True)
    (job,) = destination
    links = {name: os.readlink(job.fn(name)) for name in names(job) if os.path.islink(job.fn(name))}
    assert links == {"link": "file", "directory_link": "d", "dangling": "nowhere"}
    assert stats == ((2, 8) if present else (3, 16))


def test_sync_when_links_are_kept_and_differ_then_strategy_decides(src, dst):
    os.symlink("new", src.fn("link"))
    os.symlink("old", dst.fn("link"))
    with pytest.raises(FileSyncConflict):
        dst.sync(src, follow_symlinks=False)
    dst.sync(src, FileSync.never, follow_symlinks=False)
    assert os.readlink(dst.fn("link")) == "old"
    dst.sync(src, FileSync.always, follow_symlinks=False)
    assert os.readlink(dst.fn("link")) == "new"
    dst.sync(src, follow_symlinks=False)


def test_sync_when_link_is_kept_and_destination_has_a_directory_then_skipped(src, dst):
    os.symlink("x", src.fn("link"))
    write(dst, "link/file", "text")
    dst.sync(src, FileSync.always, follow_symlinks=False)
    assert read(dst, "link/file") == "text"


def test_sync_when_destination_is_a_link_then_replaced_and_what_it_led_to_is_kept(src, dst, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    write(src, "file", "source")
    os.symlink(elsewhere, dst.fn("file"))
    dst.sync(src, FileSync.always)
    assert read(dst, "file") == "source"
    assert elsewhere.read_text() == "kept"


@pytest.mark.parametrize("kept", [True, False])
def test_sync_when_a_directory_in_the_destination_is_a_link_out_then_nothing_is_written_through_it(
    source, destination, src, tmp_path, kept
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "settings").write_text("mine")
    os.symlink(elsewhere, src.fn("out"))
    sync_projects(source, destination, follow_symlinks=False)
    (job,) = destination
    assert os.readlink(job.fn("out")) == str(elsewhere)
    os.unlink(src.fn("out"))
    write(src, "out/settings", "theirs")
    write(src, "out/new", "theirs")
    actions: list[SyncAction] = []
    options = {"recursive": True, "follow_symlinks": not kept, "report": actions.append}
    sync_projects(source, destination, FileSync.always, **options)
    assert ("skip", "out") in kinds(actions)
    assert {path.name: path.read_text() for path in elsewhere.iterdir()} == {"settings": "mine"}
    os.unlink(job.fn("out"))
    os.symlink("inside", job.fn("out"))
    os.mkdir(job.fn("inside"))
    sync_projects(source, destination, FileSync.always, **options)
    assert read(job, "inside/new") == "theirs"


def test_sync_when_destination_is_a_dangling_link_then_strategy_decides(src, dst):
    write(src, "file", "source", time=OLD)
    os.symlink("nowhere", dst.fn("file"))
    with pytest.raises(FileSyncConflict):
        dst.sync(src)
    dst.sync(src, FileSync.update)
    assert os.readlink(dst.fn("file")) == "nowhere"
    dst.sync(src, FileSync.always)
    assert read(dst, "file") == "source"


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_links_form_a_cycle_then_recreated(source, destination, src, present):
    if present:
        destination.open_job({"a": 0}).init()
    write(src, "sub/file", "text")
    os.symlink("..", src.fn("sub/up"))
    os.symlink(".", src.fn("here"))
    os.symlink("self", src.fn("self"))
    actions: list[SyncAction] = []
    sync_projects(source, destination, recursive=True, report=actions.append)
    assert not [action for action in actions if action.kind == "skip"]
    (job,) = destination
    assert names(job) == {"sub", "here", "self"}
    assert [os.readlink(job.fn(name)) for name in ("sub/up", "here", "self")] == ["..", ".", "self"]


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("target", ["/nowhere", "../nowhere", "sub/../nowhere", "file/below"])
def test_sync_projects_when_a_link_out_of_the_job_dangles_then_skipped(source, destination, src, present, target):
    if present:
        destination.open_job({"a": 0}).init()
    write(src, "file", "text")
    os.symlink(target, src.fn("ln"))
    actions: list[SyncAction] = []
    sync_projects(source, destination, recursive=True, report=actions.append)
    (job,) = destination
    if target == "file/below":  # stays within the job
        assert os.readlink(job.fn("ln")) == target
    else:
        assert [(action.path, action.reason) for action in actions if action.kind == "skip"] == [
            ("ln", "it points nowhere")
        ]
        assert names(job) == {"file"}


def test_sync_when_the_file_system_has_no_links_then_skipped(src, dst, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    write(src, "file", "text")
    os.symlink("gone", src.fn("data"))
    monkeypatch.setattr(os, "symlink", refuse)
    actions: list[SyncAction] = []
    dst.sync(src, report=actions.append)
    assert [(action.path, action.reason) for action in actions if action.kind == "skip"] == [
        ("data", "the file system has no links")
    ]
    assert names(dst) == {"file"}


def test_sync_when_a_link_dangles_and_the_destination_has_the_file_then_it_is_kept(src, dst):
    write(dst, "data", "the only copy")
    os.symlink("gone", src.fn("data"))
    dst.sync(src, FileSync.always)
    assert read(dst, "data") == "the only copy"
    os.unlink(dst.fn("data"))
    dst.sync(src)
    assert os.readlink(dst.fn("data")) == "gone"


def test_sync_projects_when_a_followed_directory_holds_links_then_those_of_the_job_are_not_meant(
    source, destination, src, tmp_path
):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "up").symlink_to("../gone")  # would stay within the job, if the directory were one of it
    (tmp_path / "set" / "own").symlink_to("gone")
    os.symlink(tmp_path / "set", src.fn("set"))
    sync_projects(source, destination, recursive=True)
    (job,) = destination
    assert os.listdir(job.fn("set")) == ["own"]


def test_sync_projects_when_destination_lies_inside_source_job_then_ends(source, src):
    destination = init_project(src.fn("inner"))
    write(src, "file", "text")
    destination.sync(source)
    (job,) = destination
    assert read(job, "file") == "text"


# --- what is preserved -----------------------------------------------------------------------------------------------


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize(("preserve", "new", "old"), [(False, 0o755, 0o600), (True, 0o777, 0o777)])
def test_sync_when_permissions_are_preserved_or_not_then_modes_follow(src, dst, umask, preserve, new, old):
    write(src, "new", "text")
    differ(src, dst, "old")
    os.chmod(src.fn("new"), 0o777)
    os.chmod(src.fn("old"), 0o777)
    os.chmod(dst.fn("old"), 0o600)
    dst.sync(src, FileSync.always, preserve_permissions=preserve)
    assert (mode(dst.fn("new")), mode(dst.fn("old"))) == (new, old)


def test_sync_when_file_is_private_then_copy_is_private(src, dst, umask):
    os.chmod(write(src, "file", "text"), 0o600)
    write(src, "d/file", "text")
    os.chmod(src.fn("d"), 0o700)
    dst.sync(src, recursive=True)
    assert (mode(dst.fn("file")), mode(dst.fn("d"))) == (0o600, 0o700)


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_times_are_preserved_then_files_and_new_directories_have_them(
    source, destination, src, present
):
    if present:
        destination.open_job({"a": 0}).init()
    write(src, "d/file", "text", time=OLD + 0.123456789)
    os.chmod(src.fn("d"), 0o2750)
    os.utime(src.fn("d"), (OLD, OLD))
    destination.sync(source, recursive=True, preserve_permissions=True, preserve_times=True)
    (job,) = destination
    for name in ("d", "d/file"):
        assert os.stat(job.fn(name)).st_mtime_ns == os.stat(src.fn(name)).st_mtime_ns
        assert mode(job.fn(name)) == mode(src.fn(name))


def test_sync_when_times_of_links_are_preserved_then_links_have_them(src, dst):
    os.symlink("x", src.fn("link"))
    os.utime(src.fn("link"), (OLD, OLD), follow_symlinks=False)
    dst.sync(src, follow_symlinks=False, preserve_permissions=True, preserve_times=True)
    assert os.lstat(dst.fn("link")).st_mtime == OLD


@pytest.mark.parametrize("entry", ["job", "project"])
def test_sync_when_times_without_permissions_then_value_error(source, destination, src, dst, entry):
    with pytest.raises(ValueError, match="permissions"):
        (dst if entry == "job" else destination).sync(src if entry == "job" else source, preserve_times=True)


def test_sync_when_owner_and_group_are_preserved_then_handed_to_the_system(src, dst, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "chown", lambda file, owner, group, **_: calls.append((owner, group)))
    status = os.stat(write(src, "file", "text"))
    dst.sync(src, preserve_owner=True)
    assert calls == [(status.st_uid, -1)]
    os.unlink(dst.fn("file"))
    dst.sync(src, preserve_group=True)
    assert calls[1:] == [(-1, status.st_gid)]


@pytest.mark.parametrize(("call", "options"), [("utime", {"preserve_times"}), ("chown", {"preserve_owner"})])
def test_sync_when_a_link_that_leads_nowhere_can_have_no_times_or_owner_then_copied(
    src, dst, monkeypatch, call, options
):
    def follow(path: Any, *_: Any, **__: Any) -> None:
        os.stat(path)

    os.symlink("nowhere", src.fn("link"))
    monkeypatch.setattr(os, call, follow)
    dst.sync(src, preserve_permissions=True, follow_symlinks=False, **dict.fromkeys(options, True))
    assert os.readlink(dst.fn("link")) == "nowhere"


def test_sync_when_owner_must_not_be_given_then_copied_with_one_warning(src, dst, monkeypatch, caplog):
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(os, "chown", refuse)
    for name in ("one", "two"):
        os.chmod(write(src, name, "text"), 0o4755)
    dst.sync(src, preserve_owner=True, preserve_permissions=True)
    assert names(dst) == {"one", "two"}
    assert len(caplog.records) == 1
    assert mode(dst.fn("one")) == 0o755  # set-user-id is not for a file of another user


# --- each file whole -------------------------------------------------------------------------------------------------


def no_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every write fail after the first bytes."""
    real = os.write

    def write_some(fd: int, data: Any) -> int:
        if len(data) > 4:
            return real(fd, data[:4])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write_some)


def test_sync_when_disk_is_full_then_old_file_stays_and_error_names_it(src, dst, monkeypatch):
    differ(src, dst)
    before = names(dst)
    with monkeypatch.context() as patch:
        no_space(patch)
        with pytest.raises(OSError, match=re.escape(dst.fn("file"))) as error:
            dst.sync(src, FileSync.always)
    assert error.value.errno == errno.ENOSPC
    assert names(dst) == before
    assert read(dst, "file") == "destination"
    dst.sync(src, FileSync.always)
    assert read(dst, "file") == "source"


def test_sync_projects_when_disk_is_full_then_no_new_job(source, destination, src, monkeypatch):
    write(src, "file", "long enough")
    no_space(monkeypatch)
    with pytest.raises(OSError, match="No space") as error:
        destination.sync(source)
    assert error.value.filename == destination.open_job({"a": 0}).fn(layout.FN_STATE_POINT)
    assert os.listdir(destination.workspace) == []


@pytest.mark.parametrize("parallel", [False, 3])
@pytest.mark.parametrize("there", [True, False])
def test_sync_projects_when_jobs_cannot_be_copied_then_all_others_are(
    source, destination, monkeypatch, parallel, there
):
    jobs = [source.open_job({"a": a}).init() for a in range(9)]
    for job in jobs:
        write(job, "file", "text")
    if there:
        for a in range(9):
            destination.open_job({"a": a}).init()
    lost = {jobs[2].id, jobs[6].id}
    copy, probe = work.plan._copy_file, work.files.ensure_readable

    def deny(origin: str) -> None:
        if origin.endswith("/file") and os.path.basename(os.path.dirname(origin)) in lost:
            raise PermissionError(errno.EACCES, "Permission denied", origin)

    def copy_some(origin: str, *args: Any, **kwargs: Any) -> bool:
        deny(origin)
        return copy(origin, *args, **kwargs)

    def probe_some(origin: str) -> None:
        deny(origin)
        probe(origin)

    monkeypatch.setattr(work.plan, "_copy_file", copy_some)
    monkeypatch.setattr(work.files, "ensure_readable", probe_some)
    told: list[str | None] = []
    for dry_run in (True, False):
        told.clear()
        sync_projects(
            source,
            destination,
            dry_run=dry_run,
            probe=True,
            parallel=parallel,
            failed=lambda job_id, error: told.append(job_id),
        )
        assert sorted(map(str, told)) == sorted(lost)
    copied = {job.id for job in destination if job.isfile("file")}
    assert copied == {job.id for job in jobs} - lost
    with pytest.raises(PermissionError) as caught:
        destination.sync(source, parallel=parallel, check_schema=False)
    assert caught.value.__notes__ == ["There is 1 more error of other jobs."]


def test_sync_when_file_is_replaced_then_open_readers_keep_the_old_one(src, dst):
    differ(src, dst)
    with open(dst.fn("file"), encoding="utf-8") as reader:
        dst.sync(src, FileSync.always)
        assert reader.read() == "destination"


def test_sync_when_file_vanishes_meanwhile_then_skipped(src, dst):
    write(src, "a", "text")
    write(src, "b", "text")
    actions: list[SyncAction] = []

    def report(action: SyncAction) -> None:
        actions.append(action)
        if action.path == "a":
            os.unlink(src.fn("b"))

    sync_jobs(src, dst, report=report)
    assert kinds(actions) == [("copy", "a"), ("skip", "b")]


def test_sync_when_durable_then_files_and_directories_are_flushed(tmp_path, src, monkeypatch):
    monkeypatch.setenv("SIGNAC_DURABLE", "1")
    dst = init_project(tmp_path / "durable").open_job({"a": 0}).init()
    write(src, "file", "text")
    write(src, "new/file", "text")
    flushed = []
    real = os.fsync

    def fsync(fd: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    dst.sync(src, recursive=True)
    assert {dst.path, dst.fn("new")} <= {path.rstrip("/") for path in flushed}
    assert sum(path.endswith("_sync") for path in flushed) == 2


# --- jobs ------------------------------------------------------------------------------------------------------------


def test_sync_jobs_when_source_is_not_initialized_then_nothing_happens(source, destination):
    dst = destination.open_job({"a": 0})
    dst.sync(source.open_job({"a": 0}))
    assert (len(source), len(destination)) == (0, 0)


def test_sync_jobs_when_destination_is_not_initialized_then_initialized(src, destination):
    write(src, "file", "text")
    dst = destination.open_job({"a": 0})
    dst.sync(src)
    assert dst.statepoint() == {"a": 0}
    assert read(dst, "file") == "text"


def test_sync_jobs_when_same_directory_then_value_error(src, tmp_path):
    with pytest.raises(ValueError, match="same job"):
        src.sync(src)
    os.symlink(src.project.path, tmp_path / "alias")
    with pytest.raises(ValueError, match="same job"):
        src.sync(Project(tmp_path / "alias").open_job(id=src.id))


# --- documents -------------------------------------------------------------------------------------------------------


def merged(src: Job, dst: Job, ours: Any, theirs: Any, doc_sync: Any = None) -> Any:
    """Document of the destination after it was synchronized."""
    src.doc, dst.doc = ours, theirs
    dst.sync(src, doc_sync=doc_sync)
    return dst.doc()


def test_documents_when_keys_do_not_intersect_then_united_at_any_depth(src, dst):
    ours = {"a": 1, "n": {"m": {"x": 1}, "k": [1]}, "e": {}}
    theirs = {"b": 2, "n": {"m": {"y": 2}}}
    assert merged(src, dst, ours, theirs) == {"a": 1, "b": 2, "n": {"m": {"x": 1, "y": 2}, "k": [1]}, "e": {}}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(1, 1.0), (1, True), ([1], [1.0]), ({"x": 1}, {"x": 1.0}), (float("nan"), float("nan")), ([{"x": 1}], [{"x": 1}])],
)
def test_documents_when_values_are_equal_as_numbers_then_left_as_they_are(src, dst, ours, theirs):
    src.doc, dst.doc = {"k": ours}, {"k": theirs}
    before = read(dst, layout.FN_DOCUMENT)
    dst.sync(src)
    assert read(dst, layout.FN_DOCUMENT) == before


@pytest.mark.parametrize(
    ("ours", "theirs", "key"),
    [
        ({"k": 1}, {"k": 2}, "k"),
        ({"k": {"x": 1}}, {"k": 2}, "k"),
        ({"k": {}}, {"k": 2}, "k"),
        ({"k": 1}, {"k": {"x": 1}}, "k"),
        ({"k": [1]}, {"k": {"x": 1}}, "k"),
        ({"k": None}, {"k": 0}, "k"),
        ({"n": {"m": {"l": {"k": 1}}}}, {"n": {"m": {"l": {"k": 2}}}}, "n.m.l.k"),
    ],
)
def test_documents_when_key_differs_then_conflict_with_full_key_and_nothing_written(src, dst, ours, theirs, key):
    src.doc, dst.doc = ours | {"new": 1}, theirs
    before = snapshot(dst.path)
    with pytest.raises(DocumentSyncConflict) as conflict:
        dst.sync(src)
    assert set(conflict.value.keys) == {key}
    assert conflict.value.job_id == dst.id
    assert key in str(conflict.value)
    assert snapshot(dst.path) == before


def test_documents_when_several_keys_differ_then_all_are_named(src, dst):
    with pytest.raises(DocumentSyncConflict) as conflict:
        merged(src, dst, {"a": 1, "n": {"x": 1, "y": 1}}, {"a": 2, "n": {"x": 2, "y": 2}})
    assert set(conflict.value.keys) == {"a", "n.x", "n.y"}


def test_documents_when_by_key_with_pattern_then_overwrites_matches_and_remembers_rest(src, dst):
    by_key = ByKeyOrKeep("n[.]x|a")
    ours, theirs = {"a": 1, "b": 1, "n": {"x": 1, "a": 1}}, {"a": 2, "b": 2, "n": {"x": 2, "a": 2}}
    assert merged(src, dst, ours, theirs, by_key) == {"a": 1, "b": 2, "n": {"x": 1, "a": 2}}
    assert by_key.skipped_keys == {"b", "n.a"}


def test_documents_when_by_key_with_pattern_and_other_keys_differ_then_conflict_and_nothing_is_written(src, dst):
    by_key = DocSync.ByKey("n[.]x|a")
    ours, theirs = {"a": 1, "b": 1, "n": {"x": 1, "a": 1}}, {"a": 2, "b": 2, "n": {"x": 2, "a": 2}}
    with pytest.raises(DocumentSyncConflict) as conflict:
        merged(src, dst, ours, theirs, by_key)
    assert set(conflict.value.keys) == by_key.skipped_keys == {"b", "n.a"}
    assert dst.doc() == theirs


@pytest.mark.parametrize("key_strategy", ["foo", lambda key: "foo" in key])
def test_documents_when_by_key_with_strategy_then_only_keys_that_it_chooses_are_overwritten(src, dst, key_strategy):
    by_key = DocSync.ByKey(key_strategy)
    assert merged(src, dst, {"foo": 1, "a": 1, "new": 1}, {"foo": 2, "a": 1}, by_key) == {"foo": 1, "a": 1, "new": 1}
    assert by_key.skipped_keys == set()
    with pytest.raises(DocumentSyncConflict):
        merged(src, dst, {"foo": 1, "a": 1}, {"foo": 2, "a": 2}, by_key)


def test_documents_when_by_key_with_function_then_asked_full_keys_that_differ(src, dst):
    asked = []

    def key_strategy(key: str) -> bool:
        asked.append(key)
        return key.endswith("x")

    ours, theirs = {"a": 1, "b": 1, "n": {"m": {"x": 1}}}, {"a": 1, "b": 2, "n": {"m": {"x": {"y": 1}}}}
    assert merged(src, dst, ours, theirs, ByKeyOrKeep(key_strategy)) == {"a": 1, "b": 2, "n": {"m": {"x": 1}}}
    assert asked == ["b", "n.m.x"]


def test_documents_when_source_mapping_overwrites_scalar_then_replaced(src, dst):
    assert merged(src, dst, {"k": {"x": 1}}, {"k": 1}, DocSync.ByKey(lambda key: True)) == {"k": {"x": 1}}


def test_by_key_when_used_again_then_earlier_conflicts_are_forgotten(src, dst):
    by_key = DocSync.ByKey()
    with pytest.raises(DocumentSyncConflict):
        merged(src, dst, {"a": 1}, {"a": 2}, by_key)
    assert merged(src, dst, {"a": 1}, {}, by_key) == {"a": 1}
    selective = ByKeyOrKeep("nothing")
    merged(src, dst, {"a": 1}, {"a": 2}, selective)
    assert selective.skipped_keys == {"a"}
    merged(src, dst, {"b": 1}, {"b": 2}, selective)
    assert selective.skipped_keys == {"b"}


def test_by_key_when_used_on_a_project_then_skipped_keys_of_all_jobs(source, destination):
    for a in range(3):
        source.open_job({"a": a}).init().doc = {f"k{a}": 1}
        destination.open_job({"a": a}).init().doc = {f"k{a}": 2}
    by_key = ByKeyOrKeep("nothing")
    destination.sync(source, doc_sync=by_key, parallel=2)
    assert by_key.skipped_keys == {"k0", "k1", "k2"}


def test_by_key_when_called_directly_then_merges_plain_dicts_under_root():
    target = {"a": 1, "n": {"x": 1}}
    assert ByKeyOrKeep(lambda key: False)({"a": 2, "n": {"y": 2}}, target, "root.") == {"root.a"}
    assert target == {"a": 1, "n": {"x": 1, "y": 2}}
    with pytest.raises(DocumentSyncConflict) as conflict:
        DocSync.ByKey(lambda key: False)({"a": 2, "n": {"z": 3}}, target, "root.")
    assert set(conflict.value.keys) == {"root.a"}
    assert target == {"a": 1, "n": {"x": 1, "y": 2, "z": 3}}


def test_by_key_when_shown_then_tells_what_it_was_made_of():
    assert (repr(DocSync.ByKey()), repr(DocSync.ByKey("x"))) == ("ByKey(None)", "ByKey('x')")


def test_documents_when_update_then_top_level_keys_are_overwritten(src, dst):
    ours, theirs = {"a": 1, "n": {"x": 1}}, {"a": 2, "b": 2, "n": {"y": 2}}
    assert merged(src, dst, ours, theirs, DocSync.update) == {"a": 1, "b": 2, "n": {"x": 1}}


@pytest.mark.parametrize("doc_sync", [DocSync.NO_SYNC, False])
def test_documents_when_no_sync_then_left_alone(source, destination, src, dst, doc_sync):
    src.doc, dst.doc, source.doc = {"a": 1}, {"b": 2}, {"c": 3}
    destination.sync(source, doc_sync=doc_sync)
    assert (dst.doc(), destination.doc()) == ({"b": 2}, {})


@pytest.mark.parametrize("doc_sync", ["foo", True, "", 1, {}])
def test_documents_when_strategy_is_not_callable_then_type_error(src, dst, doc_sync):
    with pytest.raises(TypeError, match="DocSync"):
        dst.sync(src, doc_sync=doc_sync)


def test_documents_when_copy_then_treated_like_files(source, destination, src, dst):
    src.doc, dst.doc, source.doc = {"a": 1}, {"b": 22}, {"c": 3}
    with pytest.raises(FileSyncConflict) as conflict:
        destination.sync(source, doc_sync=DocSync.COPY)
    assert conflict.value.filename == layout.FN_DOCUMENT
    destination.sync(source, FileSync.never, doc_sync=DocSync.COPY)
    assert dst.doc() == {"b": 22}
    stats = destination.sync(source, FileSync.always, doc_sync="copy", collect_stats=True)
    assert (dst.doc(), destination.doc(), stats) == ({"a": 1}, {}, (1, 8))


def test_documents_when_copy_and_excluded_then_left_out(source, destination, src):
    src.doc = {"a": 1}
    destination.sync(source, doc_sync=DocSync.COPY, exclude="signac_job")
    (job,) = destination
    assert names(job) == set()


def test_documents_when_custom_function_then_draft_behaves_like_a_document(src, dst):
    src.doc, dst.doc = {"s": {"x": 1}}, {"d": {"k": [1]}, "gone": 0}

    def doc_sync(ours: Any, theirs: Any) -> str:
        assert theirs == {"d": {"k": [1]}, "gone": 0}
        assert list(theirs) == list(theirs.keys()) == ["d", "gone"]
        assert "d" in theirs
        assert len(theirs) == 2
        assert ours.s.x == ours["s"]["x"] == ours()["s"]["x"] == 1
        theirs["d"]["k"].append(2)
        theirs["new"] = ours["s"]
        theirs.update({"u": 1})
        del theirs["gone"]
        assert read(dst, layout.FN_DOCUMENT) == '{"d": {"k": [1]}, "gone": 0}'
        ours["s"] = "the source is not changed"
        return "ignored"

    dst.sync(src, doc_sync=doc_sync)
    assert dst.doc() == {"d": {"k": [1, 2]}, "new": {"x": 1}, "u": 1}
    assert src.doc() == {"s": {"x": 1}}


def test_documents_when_custom_function_clears_then_cleared(src, dst):
    def doc_sync(ours: Any, theirs: Any) -> None:
        theirs.clear()

    assert merged(src, dst, {}, {"a": 1}, doc_sync) == {}


def test_documents_when_custom_function_fails_then_document_is_as_before(src, dst):
    src.doc, dst.doc = {"a": 1}, {"b": {"c": 1}}
    before = snapshot(dst.path)

    def doc_sync(ours: Any, theirs: Any) -> None:
        theirs["b"]["c"] = 2
        raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        dst.sync(src, doc_sync=doc_sync)
    assert snapshot(dst.path) == before


def test_documents_when_custom_function_sets_invalid_value_then_type_error_and_as_before(src, dst):
    def doc_sync(ours: Any, theirs: Any) -> None:
        theirs["a"] = object()

    with pytest.raises(TypeError):
        merged(src, dst, {"a": 1}, {"b": 1}, doc_sync)
    assert dst.doc() == {"b": 1}


def test_documents_when_merged_then_one_write(src, dst, monkeypatch):
    src.doc, dst.doc = {"a": 1, "b": {"c": 1}, "d": [1]}, {"b": {"x": 1}}
    renamed = []
    real = os.rename
    monkeypatch.setattr(os, "rename", lambda *names: renamed.append(names[1]) or real(*names))
    dst.sync(src)
    assert renamed == [dst.fn(layout.FN_DOCUMENT)]


def test_documents_when_others_write_other_keys_meanwhile_then_both_survive(src, dst):
    src.doc, dst.doc = {"a": 1, "n": {"x": 1}}, {"n": {"y": 1}}
    other = dst.project.open_job(id=dst.id)

    def doc_sync(ours: Any, theirs: Any) -> None:
        theirs.update(ours())
        other.doc.n.z = 1
        other.doc.own = 1

    dst.sync(src, doc_sync=doc_sync)
    assert dst.doc() == {"a": 1, "n": {"x": 1, "z": 1}, "own": 1}


def test_documents_when_others_write_the_same_key_meanwhile_then_decided_anew(src, dst):
    src.doc, dst.doc = {"a": 1}, {"a": 2}
    other = dst.project.open_job(id=dst.id)
    seen = []

    def key_strategy(key: str) -> bool:
        seen.append(other.doc.a)
        if len(seen) == 1:
            other.doc.a = 3
        return True

    dst.sync(src, doc_sync=DocSync.ByKey(key_strategy))
    assert seen == [2, 3]
    assert dst.doc() == {"a": 1}


def test_documents_when_others_never_stop_writing_the_same_key_then_conflict(src, dst):
    src.doc, dst.doc = {"a": -1}, {"a": 0}
    other = dst.project.open_job(id=dst.id)

    def doc_sync(ours: Any, theirs: Any) -> None:
        theirs["a"] = ours["a"]
        other.doc.a += 1

    with pytest.raises(SyncConflict, match=layout.FN_DOCUMENT):
        dst.sync(src, doc_sync=doc_sync)
    assert dst.doc.a > 0


def test_documents_when_handles_are_held_then_they_see_the_result(src, dst):
    src.doc, dst.doc = {"n": {"x": 1}}, {"n": {}}
    held = dst.doc.n
    dst.sync(src)
    assert held() == {"x": 1}


def test_documents_when_damaged_then_error_names_the_file(src, dst):
    src.doc.a = 1
    path = write(dst, layout.FN_DOCUMENT, "{")
    with pytest.raises(ValueError, match=re.escape(path)):
        dst.sync(src)


@pytest.mark.parametrize("doc_sync", [None, DocSync.COPY])
def test_documents_when_buffered_then_what_is_buffered_is_synced(source, destination, src, dst, doc_sync):
    other = source.open_job({"a": 1}).init()
    with signac_core.buffered():
        src.doc.a = other.doc.a = 1
        destination.sync(source, doc_sync=doc_sync, check_schema=False)
    assert [job.doc() for job in destination] == [{"a": 1}] * 2


def test_synchronize_document_when_destination_is_missing_then_tells_changes(tmp_path):
    source = JSONDict(str(tmp_path / "source.json"))
    source["n"] = {"x": 1}
    change = synchronize_document(source, None, DocSync.ByKey(), dry_run=True)
    assert (change.changed, change.skipped) == (("n",), ())


# --- projects --------------------------------------------------------------------------------------------------------


def test_sync_projects_when_identical_then_value_error(source, tmp_path):
    with pytest.raises(ValueError, match="same project"):
        source.sync(source)
    os.symlink(source.path, tmp_path / "alias")
    with pytest.raises(ValueError, match="same project"):
        source.sync(Project(tmp_path / "alias"))


@pytest.mark.parametrize("theirs", [{"a": 1}, {"b": 0}, {"a": 0.5}, {"a": 0, "b": 0}])
def test_sync_projects_when_schemas_differ_then_refused_unless_told_otherwise(source, destination, src, theirs):
    destination.open_job(theirs).init()
    source.doc.p = 1
    with pytest.raises(SchemaSyncConflict) as conflict:
        destination.sync(source)
    assert conflict.value.schema_src == source.detect_schema()
    assert conflict.value.schema_dst == destination.detect_schema()
    assert (len(destination), destination.doc()) == (1, {})
    destination.sync(source, check_schema=False)
    assert len(destination) == 2


@pytest.mark.parametrize("empty", ["source", "destination"])
def test_sync_projects_when_one_is_empty_then_schemas_do_not_matter(source, destination, empty):
    (destination if empty == "source" else source).open_job({"a": 0}).init()
    destination.sync(source)
    assert len(destination) == 1


def test_sync_projects_when_project_documents_conflict_then_no_job_is_synced(source, destination, src, dst):
    write(src, "file", "text")
    source.doc, destination.doc = {"n": {"a": 1}}, {"n": {"a": 2}}
    with pytest.raises(DocumentSyncConflict) as conflict:
        destination.sync(source)
    assert (set(conflict.value.keys), conflict.value.job_id) == ({"n.a"}, None)
    assert names(dst) == set()


def test_sync_projects_when_conflict_in_job_then_project_document_is_synced(source, destination, src, dst):
    differ(src, dst)
    source.doc.p = 1
    with pytest.raises(FileSyncConflict):
        destination.sync(source)
    assert destination.doc() == {"p": 1}


def selections() -> list[Callable[[Project], Any]]:
    return [
        lambda project: [project.open_job({"a": 1})],
        lambda project: [calc_id({"a": 1})],
        lambda project: (calc_id({"a": 1}),),
        lambda project: {calc_id({"a": 1})},
        lambda project: calc_id({"a": 1}),
        lambda project: project.find_jobs({"a": 1}),
        lambda project: (job for job in project.find_jobs({"a": 1})),
        lambda project: [calc_id({"a": 1}), calc_id({"a": 99})],
    ]


@pytest.mark.parametrize("selection", selections())
def test_sync_projects_when_selection_given_then_only_those_jobs(source, destination, selection):
    for a in range(3):
        source.open_job({"a": a}).init()
    destination.sync(source, selection=selection(source))
    assert [job.sp.a for job in destination] == [1]


@pytest.mark.parametrize(("selection", "expected"), [([], 0), ((), 0), (None, 1), (["0" * 32], 0)])
def test_sync_projects_when_selection_is_empty_or_absent_then_nothing_or_all(
    source, destination, src, selection, expected
):
    destination.sync(source, selection=selection)
    assert len(destination) == expected


@pytest.mark.parametrize("parallel", [False, True, 0, 1, 2, 5])
def test_sync_projects_when_parallel_then_same_result(source, destination, parallel):
    for a in range(40):
        job = source.open_job({"a": a}).init()
        write(job, "file", str(a))
        job.doc.a = a
        if a % 2:
            destination.open_job({"a": a}).init()
    stats = destination.sync(source, parallel=parallel, collect_stats=True, check_schema=False)
    assert {job.sp.a: (read(job, "file"), job.doc()) for job in destination} == {
        a: (str(a), {"a": a}) for a in range(40)
    }
    assert stats.num_files == 40 + 2 * 20


def test_sync_projects_when_parallel_and_conflict_then_raised(source, destination):
    for a in range(40):
        differ(source.open_job({"a": a}).init(), destination.open_job({"a": a}).init())
    with pytest.raises(FileSyncConflict):
        destination.sync(source, parallel=4)
    assert {read(job, "file") for job in destination} == {"destination"}


def test_sync_projects_when_number_of_threads_is_negative_then_value_error(source, destination):
    with pytest.raises(ValueError, match="threads"):
        destination.sync(source, parallel=-1)


@pytest.mark.parametrize("dry_run", [False, True])
def test_sync_projects_when_stats_are_collected_then_files_and_bytes(source, destination, src, dst, dry_run):
    write(src, "file", "12345")
    write(src, "sub/file", "123")
    write(src, "same", "same", time=OLD)
    write(dst, "same", "same", time=OLD)
    new = source.open_job({"a": 1}).init()
    write(new, "file", "12")
    stats = destination.sync(source, recursive=True, check_schema=False, collect_stats=True, dry_run=dry_run)
    assert stats == FileTransferStats(num_files=4, volume=5 + 3 + 2 + len('{"a": 1}'))
    assert destination.sync(source, check_schema=False) is None


def test_sync_projects_when_progress_given_then_told_after_each_job(source, destination):
    for a in range(3):
        source.open_job({"a": a}).init()
    told: list[Any] = []
    sync_projects(source, destination, progress=lambda *step: told.append(step))
    assert told == [("sync", 1, 3), ("sync", 2, 3), ("sync", 3, 3)]


def test_sync_projects_when_cloned_then_nothing_hidden_is_left(source, destination, src):
    destination.sync(source)
    assert os.listdir(destination.workspace) == [src.id]


def test_sync_projects_when_job_appears_at_destination_meanwhile_then_synchronized(source, destination, src):
    write(src, "file", "text")
    source.doc.p = 1
    actions: list[SyncAction] = []

    def report(action: SyncAction) -> None:
        actions.append(action)
        if action.job_id is None:
            write(destination.open_job({"a": 0}).init(), "own", "text")

    sync_projects(source, destination, report=report)
    (job,) = destination
    assert names(job) == {"file", "own"}
    assert kinds(actions) == [("document", layout.FN_PROJECT_DOCUMENT), ("copy", "file")]
    assert os.listdir(destination.workspace) == [job.id]


@pytest.mark.parametrize("present", [True, False])
def test_sync_projects_when_source_job_vanishes_meanwhile_then_skipped(source, destination, present):
    source.doc.p = 1
    for a in range(2):
        write(source.open_job({"a": a}).init(), "file", "text")
        if present:
            destination.open_job({"a": a}).init()
    actions: list[SyncAction] = []

    def report(action: SyncAction) -> None:
        actions.append(action)
        if action.job_id is None:
            source.open_job({"a": 1}).remove()

    sync_projects(source, destination, report=report)
    assert [action.job_id for action in actions if action.kind == "skip"] == [calc_id({"a": 1})]
    assert read(destination.open_job({"a": 0}), "file") == "text"
    assert not os.path.exists(source.open_job({"a": 1}).path)


def test_sync_projects_when_destination_job_vanishes_before_its_turn_then_cloned(source, destination, src, dst):
    write(src, "sub/file", "text")
    source.doc.p = 1

    def report(action: SyncAction) -> None:
        if action.job_id is None:
            dst.remove()

    sync_projects(source, destination, report=report)
    assert read(dst, "sub/file") == "text"


def test_sync_projects_when_destination_job_vanishes_during_its_turn_then_skipped(source, destination, src, dst):
    write(src, "a", "text")
    write(src, "b", "text")
    actions: list[SyncAction] = []

    def report(action: SyncAction) -> None:
        actions.append(action)
        if action.path == "a":
            dst.remove()

    sync_projects(source, destination, report=report)
    assert kinds(actions) == [("copy", "a"), ("skip", None)]
    assert os.listdir(destination.workspace) == []


def test_sync_projects_when_source_job_is_damaged_then_others_are_synced_and_it_is_named(source, destination, src):
    other = source.open_job({"a": 1}).init()
    write(other, layout.FN_STATE_POINT, '{"a": 2}')
    with pytest.raises(JobsCorruptedError) as error:
        destination.sync(Project(source.path), check_schema=False)
    assert list(error.value.job_ids) == [other.id]
    assert [job.id for job in destination] == [src.id]


def test_sync_projects_when_source_job_is_being_born_then_skipped_silently(source, destination, src):
    os.mkdir(os.path.join(source.workspace, calc_id({"a": 1})))
    destination.sync(source)
    assert [job.id for job in destination] == [src.id]


def test_sync_projects_when_source_is_in_a_state_point_change_then_clone_is_whole(source, destination, src):
    new_id = calc_id({"b": 1})
    write(src, layout.pending_name(new_id), '{"b": 1}')
    os.rename(src.path, os.path.join(source.workspace, new_id))
    destination.sync(Project(source.path))
    (job,) = Project(destination.path)
    assert (job.id, job.statepoint()) == (new_id, {"b": 1})
    assert os.listdir(job.path) == [layout.FN_STATE_POINT]
    assert read(job, layout.FN_STATE_POINT) == '{"b": 1}'


def test_sync_projects_when_destination_job_was_left_half_made_then_completed(source, destination, src):
    write(src, "file", "text")
    os.mkdir(os.path.join(destination.workspace, src.id))
    destination.sync(source, check_schema=False)
    (job,) = Project(destination.path)
    assert job.statepoint() == {"a": 0}
    assert read(job, "file") == "text"


def test_sync_projects_when_workspace_holds_other_names_then_ignored(source, destination, src):
    for name in (src.id + "-backup", ".signac-new-x", "notes"):
        os.mkdir(os.path.join(source.workspace, name))
    destination.sync(source)
    assert os.listdir(destination.workspace) == [src.id]


# --- dry runs, reports, logs -----------------------------------------------------------------------------------------


@pytest.fixture
def busy(source: Project, destination: Project) -> tuple[Project, Project]:
    """Two projects with a bit of everything."""
    source.doc, destination.doc = {"p": {"x": 1}}, {"p": {"y": 1}}
    one, two = (project.open_job({"a": 0}).init() for project in (source, destination))
    one.doc, two.doc = {"n": {"m": {"x": 1}}, "k": 1}, {"n": {"m": {"y": 2}}}
    write(one, "new", "text")
    write(one, "sub/new", "text")
    write(one, "new_sub/deep/file", "text")
    differ(one, two, "differs")
    new = source.open_job({"a": 1}).init()
    write(new, "sub/file", "text")
    new.doc.a = 1
    source.open_job({"a": 2}).init()
    return source, destination


EVERYTHING = {"recursive": True, "check_schema": False, "strategy": FileSync.always}


def test_dry_run_when_there_is_much_to_do_then_nothing_is_touched(busy):
    source, destination = busy
    before = snapshot(destination.path), snapshot(source.path)
    destination.sync(source, dry_run=True, **EVERYTHING)
    assert (snapshot(destination.path), snapshot(source.path)) == before


def test_dry_run_when_custom_document_function_changes_nested_keys_then_nothing_is_touched(src, dst):
    src.doc, dst.doc = {"n": {"x": 1}}, {"n": {"y": {"z": 1}}}
    before = snapshot(dst.path)

    def doc_sync(ours: Any, theirs: Any) -> None:
        theirs["n"]["y"]["z"] = 2
        theirs["n"].update(ours["n"])

    actions: list[SyncAction] = []
    sync_jobs(src, dst, doc_sync=doc_sync, dry_run=True, report=actions.append)
    assert snapshot(dst.path) == before
    assert actions == [SyncAction("document", dst.id, layout.FN_DOCUMENT, ("n.y.z", "n.x"))]


def test_dry_run_when_destination_job_is_missing_then_not_created(src, destination):
    write(src, "file", "text")
    src.doc.a = 1
    actions: list[SyncAction] = []
    sync_jobs(src, destination.open_job({"a": 0}), dry_run=True, report=actions.append)
    assert os.listdir(destination.workspace) == []
    assert kinds(actions) == [("copy", "file"), ("document", layout.FN_DOCUMENT)]


def test_dry_run_when_reported_then_equals_report_of_the_run(busy):
    source, destination = busy
    would: list[SyncAction] = []
    did: list[SyncAction] = []
    sync_projects(source, destination, dry_run=True, report=would.append, **EVERYTHING)
    sync_projects(source, destination, report=did.append, **EVERYTHING)
    assert would == did
    assert sorted(action.kind for action in did) == [
        *["clone"] * 2, *["copy"] * 3, *["document"] * 2, "overwrite"
    ]  # fmt: skip


def test_dry_run_when_conflicts_then_all_are_reported_and_first_is_raised(source, destination):
    source.doc, destination.doc = {"p": 1}, {"p": 2}
    for a in range(2):
        one, two = (project.open_job({"a": a}).init() for project in (source, destination))
        differ(one, two, "x")
        differ(one, two, "y")
        one.doc, two.doc = {"k": 1, "new": 1}, {"k": 2}
    before = snapshot(destination.path)
    actions: list[SyncAction] = []
    with pytest.raises(DocumentSyncConflict) as conflict:
        sync_projects(source, destination, dry_run=True, report=actions.append)
    assert conflict.value.job_id is None
    assert {action.kind for action in actions} == {"conflict"}
    assert len(actions) == 1 + 2 * 3
    assert [action.keys for action in actions if action.path == layout.FN_DOCUMENT] == [("k",)] * 2
    assert snapshot(destination.path) == before


def test_dry_run_when_logged_then_actions_at_info(busy, caplog):
    source, destination = busy
    caplog.set_level(logging.INFO, logger="sync")
    destination.sync(source, dry_run=True, **EVERYTHING)
    text = caplog.text
    for expected in ("copy new ", "overwrite differs ", "clone job ", "document signac_job_document.json [n.m.x, k]"):
        assert expected in text


def test_sync_when_logged_then_details_at_level_more(busy, caplog):
    source, destination = busy
    caplog.set_level(15, logger="sync")
    destination.sync(source, **EVERYTHING)
    assert {record.name for record in caplog.records} == {"sync"}
    assert any(record.levelname == "MORE" and "overwrite differs" in record.message for record in caplog.records)
    assert "Cloned 2 and synchronized 1 job(s)." in caplog.text


def test_report_when_strategy_declines_then_skips_with_reason(src, dst):
    differ(src, dst)
    src.doc, dst.doc = {"k": 1}, {"k": 2}
    actions: list[SyncAction] = []
    sync_jobs(src, dst, FileSync.never, doc_sync=ByKeyOrKeep("nothing"), report=actions.append)
    assert kinds(actions) == [("skip", "file"), ("skip", layout.FN_DOCUMENT)]
    assert actions[1].keys == ("k",)
    assert all(action.reason for action in actions)


def test_report_when_conflict_then_last_action_tells_it(src, dst):
    write(src, "a", "text")
    differ(src, dst, "b")
    actions: list[SyncAction] = []
    with pytest.raises(FileSyncConflict):
        sync_jobs(src, dst, report=actions.append)
    assert kinds(actions) == [("copy", "a"), ("conflict", "b")]


def test_action_when_shown_then_names_what_and_where():
    action = SyncAction("clone", "0" * 32, num_files=2, volume=10)
    assert str(action) == f"clone job (job {'0' * 32}): 2 file(s), 10 byte(s)"
    action = SyncAction("document", None, layout.FN_PROJECT_DOCUMENT, ("a", "b.c"))
    assert str(action) == "document signac_project_document.json [a, b.c] (project)"


# --- properties ------------------------------------------------------------------------------------------------------

contents = st.sampled_from(["", "a", "b", "ab"])
trees = st.recursive(
    st.dictionaries(st.sampled_from("xyz"), contents, max_size=3),
    lambda below: st.dictionaries(st.sampled_from("xyzuv"), contents | below, max_size=4),
    max_leaves=12,
)
documents = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([0, 1, 1.0, None, "x", [1]]), max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abc"), st.sampled_from([0, 1, "x"]) | below, max_size=3),
    max_leaves=6,
)


def grow(directory: Path, tree: dict[str, Any], *, time: int) -> None:
    directory.mkdir(exist_ok=True)
    for name, value in tree.items():
        path = directory / name
        if isinstance(value, dict):
            grow(path, value, time=time)
        else:
            path.write_text(value)
            os.utime(path, (time, time))


def harvest(directory: Path) -> dict[str, Any]:
    return {
        path.name: harvest(path) if path.is_dir() else path.read_text()
        for path in directory.iterdir()
        if not path.name.startswith("signac_")
    }


def united(ours: dict[str, Any], theirs: dict[str, Any], *, overwrite: bool) -> dict[str, Any]:
    """What the destination is to hold."""
    result = dict(theirs)
    for name, value in ours.items():
        if name not in theirs:
            result[name] = value
        elif isinstance(value, dict) and isinstance(theirs[name], dict):
            result[name] = united(value, theirs[name], overwrite=overwrite)
        elif overwrite and not isinstance(value, dict) and not isinstance(theirs[name], dict):
            result[name] = value
    return result


@given(ours=trees, theirs=trees, our_document=documents, their_document=documents, overwrite=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sync_when_trees_are_arbitrary_then_union_and_dry_run_foretells_it(
    tmp_path_factory, ours, theirs, our_document, their_document, overwrite
):
    root = tmp_path_factory.mktemp("sync")
    src, dst = (init_project(root / name).open_job({"a": 0}).init() for name in ("source", "destination"))
    grow(Path(src.path), ours, time=OLD)
    grow(Path(dst.path), theirs, time=NEW)
    src.doc, dst.doc = our_document, their_document
    options: dict[str, Any] = {
        "strategy": FileSync.always if overwrite else FileSync.never,
        "doc_sync": ByKeyOrKeep(lambda key: overwrite),
        "recursive": True,
    }
    would: list[SyncAction] = []
    did: list[SyncAction] = []
    before = snapshot(str(root))
    sync_jobs(src, dst, dry_run=True, report=would.append, **options)
    assert snapshot(str(root)) == before
    sync_jobs(src, dst, report=did.append, **options)
    assert would == did
    assert harvest(Path(dst.path)) == united(ours, theirs, overwrite=overwrite)
    document = dst.doc()
    sync_jobs(src, dst, **options)
    assert dst.doc() == document
    for key, value in our_document.items():
        if overwrite and not isinstance(value, dict):
            assert document[key] == value


@pytest.mark.parametrize("damaged", ["source", "destination", "both"])
def test_sync_projects_when_a_job_is_damaged_then_the_schemas_of_the_others_are_compared(source, destination, damaged):
    for project in (source, destination):
        for a in range(3):
            project.open_job({"a": a}).init()
        if damaged in (os.path.basename(project.path), "both"):
            Path(project.open_job({"a": 1}).fn(layout.FN_STATE_POINT)).write_text("{")
    write(source.open_job({"a": 2}), "file", "text")
    sync_projects(source, destination)
    assert read(destination.open_job({"a": 2}), "file") == "text"
    source.open_job({"a": 3}).init()
    with pytest.raises(SchemaSyncConflict):
        sync_projects(source, destination)


def test_sync_projects_when_documents_are_damaged_then_all_else_is_done_and_they_are_named(source, destination):
    jobs = [source.open_job({"a": a}).init() for a in range(3)]
    for job in jobs:
        destination.open_job(job.sp()).init()
        job.doc.x = 1
        write(job, "file", "text")
    for job in jobs[:2]:
        Path(job.fn(layout.FN_DOCUMENT)).write_text("{")
    actions: list[SyncAction] = []
    with pytest.raises(ValueError, match="is not valid JSON") as caught:
        sync_projects(source, destination, report=actions.append, parallel=2)
    assert isinstance(caught.value, work.DocumentsDamagedError)
    assert caught.value.job_ids == sorted(job.id for job in jobs[:2])
    assert {action.job_id for action in actions if action.reason in work.DAMAGED} == set(caught.value.job_ids)
    assert [read(destination.open_job(job.sp()), "file") for job in jobs] == ["text"] * 3
    assert destination.open_job(jobs[2].sp()).doc() == {"x": 1}


def test_sync_projects_when_a_strategy_fails_then_its_error_is_raised(source, destination, src):
    destination.open_job({"a": 0}).init()

    def fail(_source: Any, _destination: Any) -> None:
        raise ValueError("mine")

    src.doc.x = 1
    with pytest.raises(ValueError, match="^mine$"):
        sync_projects(source, destination, doc_sync=fail)


def test_sync_projects_when_a_link_leads_above_the_job_then_skipped(source, destination, src):
    os.symlink("../..", src.fn("project"))
    write(src, "file", "text")
    actions: list[SyncAction] = []
    sync_projects(source, destination, report=actions.append)
    (job,) = destination
    assert names(job) == {"file"}
    assert [action.path for action in actions if action.kind == "skip"] == ["project"]
