"""Linked views: what is linked, what an update changes, and what it never touches."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project
from signac_core.errors import JobsCorruptedError
from signac_core.exchange.views import plan_view
from signac_core.import_export import create_linked_view
from signac_core.paths.naming import PathsTakenError
from signac_core.paths.templates import PathError


def fill(project: Project, *state_points: dict[str, Any]) -> list[str]:
    return [project.open_job(state_point).init().id for state_point in state_points]


def links(root: str | Path = "view") -> dict[str, str]:
    """Every symbolic link below a directory, and what it holds."""
    return {
        str(path.relative_to(root)): os.readlink(path) for path in sorted(Path(root).rglob("*")) if path.is_symlink()
    }


def inodes(root: str | Path = "view") -> dict[str, tuple[int, int]]:
    """Identity and change time of everything below a directory, and of the directory."""
    return {str(path): (os.lstat(path).st_ino, os.lstat(path).st_ctime_ns) for path in [root, *Path(root).rglob("*")]}


# --- what is linked --------------------------------------------------------------------------------------------------


def test_view_when_created_then_relative_links_lead_to_the_jobs(project):
    first, second = fill(project, {"a": 0}, {"a": 1})
    found = project.create_linked_view("view")
    assert found == {
        "a/0/job": os.path.join(project.workspace, first),
        "a/1/job": os.path.join(project.workspace, second),
    }
    assert links() == {"a/0/job": f"../../../workspace/{first}", "a/1/job": f"../../../workspace/{second}"}
    assert Path("view/a/0/job/signac_statepoint.json").read_text() == '{"a": 0}'


def test_view_when_no_prefix_is_given_then_it_is_called_view(project):
    fill(project, {"a": 0})
    assert list(create_linked_view(project)) == ["job"]
    assert list(links("view")) == ["job"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a_{a}", ["a_0/job", "a_1/job"]),
        ("./{a}/", ["0/job", "1/job"]),
        (lambda job: f"x/{job.sp.a}", ["x/0/job", "x/1/job"]),
        ("{{auto:_}}", ["a_0/job", "a_1/job"]),
    ],
)
def test_view_when_a_path_is_given_then_links_are_named_by_it(project, path, expected):
    fill(project, {"a": 0}, {"a": 1})
    assert sorted(project.create_linked_view("view", path=path)) == expected
    assert list(links()) == expected


def test_view_when_the_path_is_false_then_links_are_named_by_ids(project):
    ids = fill(project, {"a": 0}, {"a": 1})
    assert sorted(project.create_linked_view("view", path=False)) == sorted(f"{job_id}/job" for job_id in ids)


def test_view_when_ids_are_given_then_only_these_jobs_are_shown(project):
    first, second, _ = fill(project, {"a": 0}, {"a": 1}, {"a": 2})
    project.create_linked_view("view", job_ids=[first[:6], second, second])
    assert list(links()) == ["a/0/job", "a/1/job"]
    project.create_linked_view("view", job_ids=iter([first]))
    assert list(links()) == ["job"]


@pytest.mark.parametrize(
    ("job_ids", "error"), [(["zz"], KeyError), ([""], LookupError), ([1], TypeError), ("9bfd", TypeError)]
)
def test_view_when_an_id_is_not_one_of_a_job_then_nothing_is_changed(project, job_ids, error):
    fill(project, {"a": 0}, {"a": 1})
    with pytest.raises(error):
        project.create_linked_view("view", job_ids=job_ids)
    assert not os.path.exists("view")


def test_view_when_there_are_no_jobs_then_nothing_is_created(project):
    assert project.create_linked_view("view") == {}
    assert not os.path.exists("view")


def test_view_when_no_job_is_selected_then_it_is_empty(project):
    fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view")
    assert project.create_linked_view("view", job_ids=[]) == {}
    assert os.listdir("view") == []


def test_view_when_the_prefix_is_reached_through_a_link_then_links_are_valid(project):
    fill(project, {"a": 0}, {"a": 1})
    os.makedirs("deep/er/place")
    os.symlink("deep/er/place", "short")
    project.create_linked_view("short/view")
    assert Path("short/view/a/1/job/signac_statepoint.json").read_text() == '{"a": 1}'
    assert project.create_linked_view("deep/er/place/view") == project.create_linked_view("short/view")


def test_view_when_the_workspace_is_a_link_then_the_view_leads_through_it(project):
    fill(project, {"a": 0})
    os.rename("workspace", "elsewhere")
    os.symlink("elsewhere", "workspace")
    project.create_linked_view("view")
    assert links()["job"].startswith("../workspace/")
    before = inodes()
    project.create_linked_view("view")
    assert inodes() == before


def test_view_when_project_and_view_are_moved_then_nothing_changes(project, tmp_path):
    fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view")
    moved = tmp_path / "moved"
    shutil.move(project.path, moved)
    os.chdir(moved)
    before = inodes()
    Project(moved).create_linked_view("view")
    assert inodes() == before


# --- updates ---------------------------------------------------------------------------------------------------------


def test_view_when_unchanged_then_nothing_is_touched(project):
    fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view")
    before = inodes()
    plan = plan_view(project.space, "view", handle=project.handle)
    assert (plan.created, plan.updated, plan.removed) == ((), (), ())
    assert plan.unchanged == ("a/1/job", "a/0/job")  # the order is that of the ids
    plan.carry_out()
    assert inodes() == before


def test_view_when_jobs_come_and_go_then_only_their_links_change(project):
    first, _ = fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view")
    project.open_job(id=first).remove()
    third, _ = fill(project, {"a": 2}, {"a": 3})
    before = os.lstat("view/a/1/job")
    plan = plan_view(project.space, "view", handle=project.handle)
    assert (sorted(plan.created), plan.updated, plan.removed) == (["a/2/job", "a/3/job"], (), ("a/0/job",))
    assert plan.carry_out()["a/2/job"] == f"{project.workspace}/{third}"
    assert sorted(os.listdir("view/a")) == ["1", "2", "3"]
    assert os.lstat("view/a/1/job").st_ino == before.st_ino


def test_view_when_a_link_leads_to_another_job_then_it_is_replaced_at_once(project, forbid):
    first, second = fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view", path=lambda job: {0: "x", 1: "y"}[job.sp.a])

    plan = plan_view(project.space, "view", path=lambda job: {1: "x", 0: "y"}[job.sp.a], handle=project.handle)
    assert sorted(plan.updated) == ["x/job", "y/job"]
    with forbid(os, "unlink"):  # in the gap there would be no link
        plan.carry_out()
    assert links() == {"x/job": f"../../workspace/{second}", "y/job": f"../../workspace/{first}"}
    project.create_linked_view("view", job_ids=[])
    assert links() == {}


def test_view_when_another_process_makes_the_same_links_then_both_succeed(project):
    fill(project, {"a": 0}, {"a": 1})
    plan = plan_view(project.space, "view", handle=project.handle)
    project.create_linked_view("view")
    assert plan.carry_out() == project.create_linked_view("view")
    project.create_linked_view("view", job_ids=[])
    plan = plan_view(project.space, "view", handle=project.handle)
    Path("view/a/0").mkdir(parents=True)
    Path("view/a/0/job").write_text("mine")
    with pytest.raises(FileExistsError):
        plan.carry_out()
    assert Path("view/a/0/job").read_text() == "mine"


def test_view_when_it_gets_another_structure_then_emptied_directories_go(project):
    fill(project, {"a": 0, "b": 0}, {"a": 1, "b": 1})
    project.create_linked_view("view")
    Path("view/a/notes.txt").write_text("mine")
    project.create_linked_view("view", path="{a}")
    assert sorted(os.listdir("view")) == ["0", "1", "a"]
    assert os.listdir("view/a") == ["notes.txt"]


def test_view_when_a_link_becomes_a_directory_and_back_then_both_work(project):
    fill(project, {"n": {"a": 0}})
    project.create_linked_view("view", path="x")
    project.create_linked_view("view", path="x/job")
    assert list(links()) == ["x/job/job"]
    project.create_linked_view("view", path="x")
    assert list(links()) == ["x/job"]


def test_view_when_it_is_dangling_then_its_links_are_renewed(project, tmp_path):
    fill(project, {"a": 0}, {"a": 1})
    view = tmp_path / "view"
    project.create_linked_view(view)
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    shutil.move(project.path, moved)
    os.chdir(moved)
    plan = plan_view(Project(moved).space, view, handle=Project(moved).handle)
    assert sorted(plan.updated) == ["a/0/job", "a/1/job"]
    plan.carry_out()
    assert (view / "a/0/job/signac_statepoint.json").read_text() == '{"a": 0}'


# --- what is not ours ------------------------------------------------------------------------------------------------


def test_view_when_users_keep_files_in_it_then_they_stay(project, tmp_path):
    fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view")
    Path("view/b/1").mkdir(parents=True)
    Path("view/b/1/job").write_text("a file of mine")
    Path("view/c").mkdir()
    Path("view/c/job").symlink_to(tmp_path)
    Path("view/d").symlink_to(os.path.join(project.workspace, os.listdir(project.workspace)[0]))
    Path("view/e/job").mkdir(parents=True)
    Path("view/f").symlink_to("a")
    kept = {name: links()[name] for name in ("c/job", "d", "f")}
    project.create_linked_view("view", job_ids=[])
    assert links() == kept
    assert Path("view/b/1/job").read_text() == "a file of mine"
    assert Path("view/e/job").is_dir()


def test_view_when_another_project_shares_the_prefix_then_its_links_stay(project, tmp_path):
    other = Project.init_project(tmp_path / "other")
    fill(other, {"b": 0}, {"b": 1})
    fill(project, {"a": 0}, {"a": 1})
    other.create_linked_view("view")
    project.create_linked_view("view")
    assert list(links()) == ["a/0/job", "a/1/job", "b/0/job", "b/1/job"]
    project.create_linked_view("view", job_ids=[])
    assert list(links()) == ["b/0/job", "b/1/job"]


@pytest.mark.parametrize("kind", ["file", "directory", "link", "link of another project", "file above", "link above"])
def test_view_when_something_stands_in_the_way_then_nothing_is_changed(project, tmp_path, kind):
    fill(project, {"a": 0}, {"a": 1})
    project.create_linked_view("view", path="old/{a}")
    way = Path("view/a/1/job") if "above" not in kind else Path("view/a")
    way.parent.mkdir(parents=True, exist_ok=True)
    if kind.startswith("file"):
        way.write_text("mine")
    elif kind == "directory":
        way.mkdir()
        (way / "file").write_text("mine")
    elif kind == "link of another project":
        other = Project.init_project(tmp_path / "other")
        way.symlink_to(other.open_job({"a": 1}).init().path)
    else:
        way.symlink_to(tmp_path)
    before = inodes()
    with pytest.raises(FileExistsError) as caught:
        project.create_linked_view("view")
    assert str(way) in str(caught.value.filename)
    assert inodes() == before


def test_view_when_several_things_are_in_the_way_then_the_error_has_all_of_them(project):
    ids = fill(project, {"a": 0}, {"a": 1}, {"a": 2})
    os.makedirs("view/x_0")
    Path("view/x_0/job").write_text("mine")
    Path("view/x_2").write_text("mine")
    before = inodes()
    with pytest.raises(PathsTakenError) as caught:
        project.create_linked_view("view", path="x_{a}")
    taken = {(one.job_id, os.path.relpath(one.path)) for one in caught.value.obstacles}
    assert taken == {(ids[0], "view/x_0/job"), (ids[2], "view/x_2")}
    assert inodes() == before
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.obstacles, copy.filename, str(copy)) == (
        caught.value.obstacles,
        caught.value.filename,
        str(caught.value),
    )


def test_view_when_carried_out_then_progress_is_told_of_each_change(project):
    fill(project, {"a": 0}, {"a": 1}, {"a": 2})
    told = []
    plan_view(project.space, path="{a}", handle=project.handle).carry_out(progress=lambda *step: told.append(step))
    assert told == [("view", 1, 3), ("view", 2, 3), ("view", 3, 3)]
    told.clear()
    plan_view(project.space, job_ids=[], path="{a}", handle=project.handle).carry_out(
        progress=lambda *step: told.append(step)
    )
    assert told == [("view", 1, 3), ("view", 2, 3), ("view", 3, 3)]
    assert not os.listdir("view")


def test_view_when_the_prefix_is_a_file_then_error(project):
    fill(project, {"a": 0})
    Path("view").write_text("mine")
    with pytest.raises(OSError, match="view"):
        project.create_linked_view("view")
    assert Path("view").read_text() == "mine"


def test_view_when_jobs_hold_links_called_job_then_the_workspace_is_not_searched(project):
    first, second = fill(project, {"a": 0}, {"a": 1})
    os.symlink(f"../{second}", os.path.join(project.workspace, first, "job"))
    project.create_linked_view(".", path="v/{a}")
    project.create_linked_view(".", job_ids=[])
    assert os.path.islink(os.path.join(project.workspace, first, "job"))


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state_points",
    [
        [{"a": "x/y"}, {"a": "1"}],
        [{"x/y": 1}, {"x/y": 2}],
        [{"a": 1}, {"a": "1"}],
        [{"n": {"a": "x"}}, {"n": {"a": "x/job"}}],
        [{"n": {"a": "../x"}}, {"n": {"a": "y"}}],
    ],
)
def test_view_when_paths_are_not_possible_then_nothing_is_changed(project, state_points):
    fill(project, *state_points)
    with pytest.raises(PathError):
        project.create_linked_view("view")
    assert not os.path.exists("view")


def test_view_when_nested_texts_contain_slashes_then_they_are_levels(project):
    fill(project, {"n": {"a": "x"}}, {"n": {"a": "x/y"}})
    assert sorted(project.create_linked_view("view")) == ["n.a/x/job", "n.a/x/y/job"]


def test_view_when_a_job_is_damaged_then_reported_or_raised(project):
    fill(project, {"a": 0}, {"a": 1}, {"a": 2})
    bad = project.open_job({"a": 2})
    Path(bad.fn(bad.FN_STATE_POINT)).write_text("{")
    os.utime(bad.path, (0, 0))
    project = Project(project.path)
    with pytest.raises(JobsCorruptedError):
        project.create_linked_view("view")
    damaged: list[str] = []
    assert sorted(plan_view(project.space, "view", damaged=damaged, handle=project.handle).created) == [
        "a/0/job",
        "a/1/job",
    ]
    assert damaged == [bad.id]


# --- what killed updates leave ---------------------------------------------------------------------------------------


def test_view_when_an_update_was_killed_then_its_hidden_link_goes_and_the_directory_with_it(project):
    (job_id,) = fill(project, {"a": 0})
    project.create_linked_view("view", path="a_{a}")
    for directory in ("view/a_0", "view/old/deep"):
        os.makedirs(directory, exist_ok=True)
        way = os.path.relpath(project.workspace, os.path.realpath(directory))
        os.symlink(f"{way}/{job_id}", f"{directory}/._0123456789abcdef_job")
    os.symlink("elsewhere", "view/a_0/._fedcba9876543210_job")  # is not ours
    plan = plan_view(project.space, "view", path="a_{a}", handle=project.handle)
    assert set(plan.leftovers) == {"a_0/._0123456789abcdef_job", "old/deep/._0123456789abcdef_job"}
    plan.carry_out()
    assert set(links()) == {"a_0/job", "a_0/._fedcba9876543210_job"}
    assert os.listdir("view") == ["a_0"]


def test_view_when_only_a_hidden_link_is_in_the_way_of_another_then_it_gives_way(project):
    (job_id,) = fill(project, {"a": 0})
    os.makedirs("view/x/job")
    way = os.path.relpath(project.workspace, os.path.realpath("view/x/job"))
    os.symlink(f"{way}/{job_id}", "view/x/job/._0123456789abcdef_job")
    project.create_linked_view("view", path="x")
    assert list(links()) == ["x/job"]


def test_view_when_another_process_takes_the_hidden_link_for_a_leftover_then_made_again(project, monkeypatch):
    fill(project, {"a": 0})
    project.create_linked_view("view")
    fill(project, {"a": 1})
    project.open_job({"a": 0}).remove()
    rename = os.rename
    taken = []

    def take_first(source: str, destination: str) -> None:
        if not taken:
            taken.append(source)
            os.unlink(source)
        rename(source, destination)

    monkeypatch.setattr(os, "rename", take_first)
    project.create_linked_view("view")
    assert os.path.exists("view/job/signac_statepoint.json")
    assert taken
    assert list(links()) == ["job"]
