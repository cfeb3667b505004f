from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from signac_core import Project, lifecycle
from tests.support.running import content, snapshot


def jobs(project: Project) -> set[str]:
    return set(os.listdir(project.workspace))


def test_move_when_ids_given_then_moved_with_all_data(cli, study, project, other):
    Path(project.workspace, study["1.5"], "sub").mkdir()
    Path(project.workspace, study["1.5"], "sub", "out.txt").write_text("x")
    before = content(Path(project.workspace, study["1.5"]))
    result = cli("move", "../other", study["1"], study["1.5"][:4], f"workspace/{study['2']}/")
    assert (result.status, result.out, result.err) == (0, "", "3 moved, 0 already present.\n")
    assert jobs(project) == {study["-5"]}
    assert jobs(other) == {study["1"], study["1.5"], study["2"]}
    assert content(Path(other.workspace, study["1.5"])) == before


def test_move_when_project_is_named_by_a_path_in_it_then_found(cli, study, other):
    deep = Path(other.path, "deep", "er")
    deep.mkdir(parents=True)
    assert cli("-q", "move", str(deep), study["1"]).status == 0
    assert jobs(other) == {study["1"]}


def test_move_when_ids_on_stdin_or_given_twice_then_each_moved_once(cli, study, other):
    result = cli("move", "../other", "-", study["1"], stdin=f"{study['1']}\n{study['2']}\n")
    assert (result.status, result.err) == (0, "2 moved, 0 already present.\n")


def test_move_when_stdin_is_empty_then_nothing_moved(cli, study, other):
    before = snapshot("..")
    result = cli("move", "../other", "-")
    assert (result.status, result.err) == (0, "0 moved, 0 already present.\n")
    assert snapshot("..") == before


def test_move_when_filtered_then_matching_jobs_moved(cli, study, other):
    result = cli("move", "../other", "--filter", "p", "3")
    assert (result.status, result.out) == (0, "")
    assert jobs(other) == {study["2"], study["-5"]}


@pytest.mark.parametrize(("options", "status"), [([], 0), (["-e"], 3), (["--exit-status"], 3)])
def test_move_when_present_already_then_both_stay_and_status_says_so_if_asked(
    cli, study, project, other, options, status
):
    other.open_job({"p": 1, "T": 1.0, "name": "lj", "model": {"eps": 1.5, "cut": None}}).init()
    Path(other.workspace, study["1"], "mine").write_text("x")
    before = snapshot(Path(other.workspace, study["1"]))
    result = cli("move", "../other", study["1"], study["2"], *options)
    assert (result.status, result.out, result.err) == (status, "", "1 moved, 1 already present.\n")
    assert study["1"] in jobs(project)
    assert snapshot(Path(other.workspace, study["1"])) == before


def test_move_when_none_was_skipped_then_exit_status_is_0(cli, study, other):
    assert cli("move", "../other", study["1"], "-e").status == 0


@pytest.mark.parametrize("path", [".", "workspace", "../alias", "../twin"])
@pytest.mark.parametrize("options", [[], ["-n"], ["--json"]])
def test_move_when_the_other_project_is_this_one_then_refused(cli, study, path, options):
    os.symlink(os.getcwd(), "../alias")
    Path("../twin").mkdir()
    shutil.copytree(".signac", "../twin/.signac")
    os.symlink(os.path.abspath("workspace"), "../twin/workspace")
    before = snapshot()
    result = cli("move", path, study["1"], "-e", *options)
    assert (result.status, result.out) == (1, "")
    assert f"Source and destination are the same project: '{os.getcwd()}'" in result.err
    assert snapshot() == before


def test_move_when_the_project_is_named_last_and_does_not_exist_then_in_the_right_order_all_the_same(cli, study):
    result = cli("move", study["1"], "../nowhere")
    assert f"Write 'signac move ../nowhere {study['1']}'." in result.err
    assert "PROJECT" in cli("move", study["1"], study["1.5"]).err


@pytest.mark.parametrize("wrong", ["{id} {other}", "{short} {other}", "workspace/{id} {other}", "- {other}"])
def test_move_when_the_project_is_named_last_then_refused_with_the_right_order(cli, study, other, wrong):
    before = snapshot("..")
    arguments = wrong.format(id=study["1"], short=study["1"][:4], other="../other").split()
    result = cli("move", *arguments, stdin=f"{study['1']}\n")
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert f"PROJECT comes first, then the jobs, and '{arguments[0]}' is no project." in result.err
    assert f"Write 'signac move ../other {arguments[0]}'." in result.err
    assert snapshot("..") == before


def test_move_when_only_ids_are_named_then_told_that_the_project_comes_first(cli, study):
    result = cli("move", study["1"], study["2"], study["1.5"], study["-5"])
    assert result.status == 2
    assert f"Write 'signac move PROJECT {study['1']} {study['2']} {study['1.5']} ...'." in result.err
    assert "'signac move PROJECT face'" in cli("move", "face", "-f", "T=1").err


@pytest.mark.parametrize("option", ["-f", "--filter", "-j"])
def test_move_when_an_option_has_taken_the_project_then_told_which(cli, study, other, option):
    result = cli("move", option, study["1"] if option == "-j" else "T=1", "../other")
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    name = "--job-id" if option == "-j" else "--filter"
    assert f"Missing argument 'PROJECT'. {name} takes all words up to the next option" in result.err


def test_move_when_the_project_has_the_name_of_an_id_then_found(cli, study):
    Project.init_project("cafe")
    assert cli("move", "cafe", study["1"]).status == 0
    assert jobs(Project("cafe")) == {study["1"]}


def test_move_when_dry_run_then_ids_of_what_would_move_and_nothing_touched(cli, study, project, other):
    cli("-q", "clone", "../other", study["1"])
    before = snapshot("..")
    result = cli("move", "-n", "../other", study["1"], study["2"], "-e")
    assert (result.status, result.lines) == (3, [study["2"]])
    assert result.err == "1 would be moved, 1 already present.\n"
    assert snapshot("..") == before


@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_move_when_json_then_one_report(cli, study, project, other, dry_run):
    cli("-q", "clone", "../other", study["1"])
    result = cli("-q", "move", "../other", study["2"], study["1"], "--json", *dry_run)
    assert (result.status, result.err) == (0, "")
    assert json.loads(result.out) == {
        "command": "move",
        "dry_run": bool(dry_run),
        "counts": {"moved": 1, "present": 1, "failed": 0},
        "source": project.path,
        "destination": other.path,
        "jobs": [{"id": study["2"], "action": "moved"}, {"id": study["1"], "action": "present"}],
        "errors": [],
    }


@pytest.mark.parametrize("bad", ["", "zz", "0000", "123", "../../x" + "x" * 40, "a" * 33, "workspace/.."])
def test_move_when_any_id_is_bad_then_one_line_and_nothing_moved(cli, study, other, bad):
    before = snapshot("..")
    result = cli("move", "../other", study["1"], bad)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert snapshot("..") == before


def test_move_when_several_ids_are_bad_then_each_is_told(cli, study, other):
    result = cli("move", "../other", "zz", study["1"][:3], study["1"], "yy")
    assert result.status == 1
    assert [line.split("'")[1] for line in result.err.splitlines()] == ["zz", study["1"][:3], "yy"]


@pytest.mark.parametrize(
    "arguments", [[], ["../other"], ["../other", "--json"], ["../other", "-n"], ["", "ID"], ["../other", "--filter"]]
)
def test_move_when_project_or_jobs_are_not_named_then_usage_error(cli, study, other, arguments):
    before = snapshot("..")
    assert cli("move", *(study["1"] if text == "ID" else text for text in arguments)).status == 2
    assert snapshot("..") == before


@pytest.mark.parametrize(("path", "reason"), [("../nowhere", "does not exist"), ("/", "is not in a project")])
def test_move_when_there_is_no_other_project_then_error_names_the_path(cli, study, path, reason):
    before = snapshot()
    result = cli("move", path, study["1"], "--json")
    error = json.loads(result.err)["error"]
    assert (result.status, result.out, error["code"]) == (1, "", "no-project")
    assert f"'{os.path.abspath(path)}' {reason}" in error["message"]
    assert snapshot() == before


def test_move_when_other_project_is_of_an_older_layout_then_refused(cli, study):
    Path("../old").mkdir()
    Path("../old/signac.rc").write_text("project = old\nschema_version = 1\n")
    result = cli("move", "../old", study["1"])
    assert (result.status, result.out) == (1, "")
    assert "migrate" in result.err


def test_move_when_a_job_fails_then_told_and_the_others_moved(cli, study, project, other, monkeypatch):
    move_directory = lifecycle.move_directory

    def refused(source, directory, job_id, **options):
        if job_id == study["1"]:
            raise PermissionError(errno.EACCES, "Permission denied", source)
        move_directory(source, directory, job_id, **options)

    monkeypatch.setattr(lifecycle, "move_directory", refused)
    result = cli("move", "../other", study["1"], study["2"], "--json", "-e")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"] == {"moved": 1, "present": 0, "failed": 1}
    assert (report["errors"][0]["id"], report["errors"][0]["code"]) == (study["1"], "system")
    assert "Permission denied" in report["errors"][0]["message"]
    assert jobs(other) == {study["2"]}


def test_move_when_a_job_goes_meanwhile_then_told(cli, study, project, other, monkeypatch):
    move_directory = lifecycle.move_directory

    def late(source, directory, job_id, **options):
        if job_id == study["1"]:
            shutil.rmtree(source)
        move_directory(source, directory, job_id, **options)

    monkeypatch.setattr(lifecycle, "move_directory", late)
    result = cli("move", "../other", study["2"], study["1"])
    assert result.status == 1
    assert f"Job {study['1']} has gone meanwhile." in result.err
    assert "1 moved, 0 already present, 1 failed." in result.err


def test_move_when_between_file_systems_then_copied_and_removed(cli, study, project, other, monkeypatch):
    Path(project.workspace, study["1.5"], "out.txt").write_text("x")
    before = content(Path(project.workspace, study["1.5"]))

    def across(source, directory, job_id, **options):
        raise OSError(errno.EXDEV, "Invalid cross-device link", source)

    monkeypatch.setattr(lifecycle, "move_directory", across)
    result = cli("move", "../other", study["1.5"])
    assert (result.status, result.err) == (0, "1 moved, 0 already present.\n")
    assert study["1.5"] not in jobs(project)
    assert content(Path(other.workspace, study["1.5"])) == before


def test_move_when_job_is_damaged_then_moved_by_id(cli, study, project, other):
    Path(project.workspace, study["1"], "signac_statepoint.json").write_text("")
    assert cli("move", "../other", study["1"]).status == 0
    assert jobs(other) == {study["1"]}


def test_move_when_a_damaged_job_cannot_be_filtered_then_told_and_left(cli, study, project, other):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("")
    result = cli("move", "../other", "--filter", "p", "3")
    assert result.status == 1
    assert study["2"] in result.err
    assert jobs(other) == {study["-5"]}


def test_move_when_ids_and_filter_given_then_refused(cli, study, other):
    assert cli("move", "../other", study["1"], "--filter", "T", "1").status == 1
    assert jobs(other) == set()


def test_move_when_a_file_stands_in_the_place_of_an_indexed_job_then_it_is_no_job(cli, study, project, other):
    cli("update-cache")
    directory = Path(project.workspace, study["1"])
    shutil.rmtree(directory)
    directory.write_text("x")
    result = cli("move", "../other", "--filter", "T=1")
    assert (result.status, jobs(other)) == (0, set())
    assert "0 moved" in result.err
    assert directory.read_text() == "x"
