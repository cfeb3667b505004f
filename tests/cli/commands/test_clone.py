from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import content, snapshot


def jobs(project: Project) -> set[str]:
    return set(os.listdir(project.workspace))


def test_clone_when_ids_given_then_copied_with_all_data(cli, study, project, other):
    Path(project.workspace, study["1.5"], "sub").mkdir()
    Path(project.workspace, study["1.5"], "sub", "out.txt").write_text("x")
    before = snapshot()
    result = cli("clone", "../other", study["1"], study["1.5"][:6])
    assert (result.status, result.out, result.err) == (0, "", "2 cloned, 0 already present.\n")
    assert snapshot() == before
    assert jobs(other) == {study["1"], study["1.5"]}
    assert content(Path(other.workspace, study["1.5"])) == content(Path(project.workspace, study["1.5"]))


def test_clone_when_prefix_is_short_and_unique_then_accepted(cli, study, other):
    prefix = study["1"][:3]
    assert sum(job_id.startswith(prefix) for job_id in study.values()) == 1
    assert cli("clone", "../other", prefix).status == 0
    assert jobs(other) == {study["1"]}


@pytest.mark.parametrize(("options", "status"), [([], 0), (["-e"], 3)])
def test_clone_when_present_already_then_left_as_it_is(cli, study, project, other, options, status):
    cli("-q", "clone", "../other", study["1"])
    Path(other.workspace, study["1"], "mine").write_text("x")
    before = snapshot(other.path)
    result = cli("clone", "../other", study["1"], *options)
    assert (result.status, result.out, result.err) == (status, "", "0 cloned, 1 already present.\n")
    assert snapshot(other.path) == before


def test_clone_when_the_other_project_is_this_one_then_refused(cli, study):
    before = snapshot()
    result = cli("clone", ".", study["1"])
    assert (result.status, result.out) == (1, "")
    assert result.err == f"Error: Source and destination are the same project: '{os.getcwd()}'.\n"
    assert snapshot() == before


def test_clone_when_the_project_is_named_last_then_refused_with_the_right_order(cli, study, other):
    result = cli("clone", study["1"], study["2"], "../other")
    assert result.status == 2
    assert f"Write 'signac clone ../other {study['1']} {study['2']}'." in result.err


def test_clone_when_dry_run_then_ids_of_what_would_be_cloned_and_nothing_touched(cli, study, other):
    cli("-q", "clone", "../other", study["1"])
    before = snapshot("..")
    result = cli("clone", "-n", "../other", study["1"], study["2"])
    assert (result.status, result.lines, result.err) == (0, [study["2"]], "1 would be cloned, 1 already present.\n")
    assert snapshot("..") == before


def test_clone_when_json_then_one_report(cli, study, project, other):
    result = cli("-q", "clone", "../other", "--filter", "T", "1", "--json")
    assert json.loads(result.out) == {
        "command": "clone",
        "dry_run": False,
        "counts": {"cloned": 1, "present": 0, "failed": 0},
        "source": project.path,
        "destination": other.path,
        "jobs": [{"id": study["1"], "action": "cloned"}],
        "errors": [],
    }
    assert result.err == ""


def test_clone_when_any_id_is_bad_then_nothing_cloned(cli, study, other):
    before = snapshot("..")
    result = cli("clone", "../other", study["1"], "zz", "0000", "")
    assert (result.status, result.out, result.err.count("Error: ")) == (1, "", 3)
    assert snapshot("..") == before


def test_clone_when_job_is_damaged_then_told_and_the_others_cloned(cli, study, project, other):
    Path(project.workspace, study["1"], "signac_statepoint.json").write_text("")
    result = cli("clone", "../other", study["1"], study["2"])
    assert result.status == 1
    assert study["1"] in result.err
    assert "signac check" in result.err
    assert result.err.endswith("1 cloned, 0 already present, 1 failed.\n")
    assert jobs(other) == {study["2"]}


def test_clone_when_jobs_are_not_named_then_usage_error(cli, study, other):
    for arguments in ([], ["../other"], ["../other", "-e"]):
        assert cli("clone", *arguments).status == 2


def test_clone_when_stdin_has_ids_then_those(cli, study, other):
    assert cli("-q", "clone", "../other", "-", stdin=f"{study['2']}\0{study['-5']}\0").status == 0
    assert jobs(other) == {study["2"], study["-5"]}


def test_clone_when_links_lead_nowhere_then_left_out_and_predicted(cli, study, project, other):
    job = project.open_job(id=study["1"])
    os.symlink("/nowhere", job.fn("restart"))
    os.symlink("missing", job.fn("kept"))
    for option, verb in (("-n", "would be"), ("-y", "was")):
        result = cli("clone", "../other", study["1"], study["1.5"], option)
        assert result.status == 0
        assert result.err.startswith(f"Warning: 1 link {verb} left out: '{job.fn('restart')}'; it points nowhere.\n")
        assert f"2 {'would be ' if option == '-n' else ''}cloned" in result.err
    assert jobs(other) == {study["1"], study["1.5"]}
    assert os.readlink(Path(other.workspace, study["1"], "kept")) == "missing"
    assert not os.path.lexists(Path(other.workspace, study["1"], "restart"))


def test_clone_when_a_job_cannot_be_copied_then_a_dry_run_says_so(cli, study, project, other):
    os.mkfifo(project.open_job(id=study["1"]).fn("pipe"))
    Path(project.open_job(id=study["1.5"]).fn("signac_statepoint.json")).write_text("{")
    for option in ("-n", "-y"):
        result = cli("clone", "../other", study["1"], study["1.5"], option)
        assert result.status == 1
        assert "pipe" in result.err
        assert "2 failed" in result.err
