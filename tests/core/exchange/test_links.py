"""Links in a job that is copied: one rule, whichever way it is copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signac_core.exchange.links import LEADS_BACK, Way, depth_of, leads_back, stays_inside


def judged(directory: str | Path, *, follow: bool = False) -> dict[str, tuple[str, str]]:
    way = Way(str(directory))
    with os.scandir(directory) as entries:
        return {entry.name: tuple(way.judge(entry, follow=follow)) for entry in entries}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    root = tmp_path / "study" / "workspace" / "job"
    (root / "sub").mkdir(parents=True)
    (root / "file").touch()
    os.mkfifo(root / "pipe")
    (tmp_path / "data").touch()
    (tmp_path / "set").mkdir()
    for name, target in {
        "own": "file",
        "own_directory": "sub",
        "own_missing": "missing",
        "self": "self",
        "here": ".",
        "out": "../../../data",
        "out_directory": str(tmp_path / "set"),
        "out_missing": "/nowhere",
        "below_a_file": str(tmp_path / "data" / "x"),
        "too_long": "/" + "x" * 300,
        "out_self": str(root / "out_self"),
        "absolute_own": str(root / "file"),
        "parent": "..",
        "project": str(tmp_path / "study"),
        "device": "/dev/null",
    }.items():
        (root / name).symlink_to(target)
    return root


def test_links_when_judged_then_kept_followed_or_left_out(job):
    assert judged(job) == {
        "sub": ("directory", ""),
        "file": ("file", ""),
        "pipe": ("other", ""),
        "own": ("link", "file"),
        "own_directory": ("link", "sub"),
        "own_missing": ("link", "missing"),
        "self": ("link", "self"),
        "here": ("link", "."),
        "out": ("file", ""),
        "out_directory": ("directory", ""),
        "out_missing": ("nothing", "it points nowhere"),
        "below_a_file": ("nothing", "it points nowhere"),
        "too_long": ("nothing", "it points nowhere"),
        "out_self": ("nothing", "it points to itself"),
        "absolute_own": ("file", ""),
        "parent": ("nothing", LEADS_BACK),
        "project": ("nothing", LEADS_BACK),
        "device": ("other", ""),
    }


def test_links_when_to_be_followed_then_only_those_that_cannot_be_are_kept(job):
    found = judged(job, follow=True)
    assert [found[name] for name in ("own", "own_directory")] == [("file", ""), ("directory", "")]
    kept = {name: text for name, (kind, text) in found.items() if kind == "link"}
    assert kept == {"own_missing": "missing", "self": "self", "here": "."}
    others = judged(job)
    assert all(found[name] == others[name] for name in found if others[name][0] != "link")


def test_links_when_in_a_directory_that_a_link_led_to_then_the_job_is_not_theirs(job, tmp_path):
    (tmp_path / "set" / "up").symlink_to("../missing")
    (tmp_path / "set" / "own").symlink_to("missing")
    (tmp_path / "set" / "back").symlink_to(job)
    (tmp_path / "set" / "round").symlink_to(tmp_path / "set")
    with os.scandir(job) as entries:
        (entry,) = [entry for entry in entries if entry.name == "out_directory"]
    way = Way(str(job)).below(entry)
    with os.scandir(way.path) as entries:
        found = {entry.name: way.judge(entry).kind for entry in entries}
    assert found == {"up": "nothing", "own": "link", "back": "nothing", "round": "nothing"}


def test_link_when_it_cannot_be_followed_for_another_reason_then_the_error_is_raised(tmp_path, monkeypatch):
    (tmp_path / "ln").symlink_to("/somewhere/else")

    def refuse(path: str) -> os.stat_result:
        raise PermissionError(13, "Permission denied", path)

    class Entry:
        path, name = str(tmp_path / "ln"), "ln"

        def is_symlink(self) -> bool:
            return True

        def stat(self) -> os.stat_result:
            return refuse(self.path)

    with pytest.raises(PermissionError):
        Way(str(tmp_path)).judge(Entry())


@pytest.mark.parametrize(
    ("target", "depth", "expected"),
    [
        ("a", 0, True),
        ("a/b", 0, True),
        (".", 0, True),
        ("..", 0, False),
        ("..", 1, True),
        ("./../a", 1, True),
        ("../../a", 1, False),
        ("a/../b", 5, False),
        ("/a", 5, False),
        ("", 5, False),
        ("a\0", 5, False),
    ],
)
def test_stays_inside_when_asked_then_by_the_text_alone(target, depth, expected):
    assert stays_inside(target, depth) is expected


def test_depth_when_a_directory_above_is_a_link_then_counted_from_there(tmp_path):
    (tmp_path / "set" / "deep").mkdir(parents=True)
    (tmp_path / "job" / "sub").mkdir(parents=True)
    (tmp_path / "job" / "sub" / "ln").symlink_to(tmp_path / "set")
    root = str(tmp_path / "job")
    assert [depth_of(root, path) for path in ("x", "sub/x", "sub/ln/x", "sub/ln/deep/x")] == [0, 1, 0, 1]


def test_leads_back_when_names_only_begin_alike_then_not(tmp_path):
    for name in ("a", "ab"):
        (tmp_path / name).mkdir()
    (tmp_path / "ab" / "ln").symlink_to(tmp_path / "a")
    assert not leads_back(str(tmp_path / "ab" / "ln"), str(tmp_path / "ab"))
