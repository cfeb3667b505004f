from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import InProcess, Result, on_terminal

PATHS = {"1": "p/1/job", "1.5": "p/2/job"}


@pytest.fixture
def pair(study: dict[str, str], project: Project) -> dict[str, str]:
    """Two jobs only, which differ in p, T and model."""
    for name in ("2", "-5"):
        project.open_job(id=study.pop(name)).remove()
    return study


def links(root: str = "view") -> dict[str, str]:
    """Every link below a directory, and what it leads to."""
    return {str(path.relative_to(root)): os.path.realpath(path) for path in Path(root).rglob("*") if path.is_symlink()}


def of_p(result: Result, study: dict[str, str], project: Project) -> dict[str, str]:
    assert result.status == 0, result.err
    return {path: os.path.join(project.workspace, study[name]) for name, path in PATHS.items()}


def test_view_when_created_then_links_lead_to_the_jobs_and_nothing_is_printed(cli, pair, project):
    result = cli("view", "p/{p}")
    assert links() == of_p(result, pair, project)
    assert (result.out, result.err) == ("", "2 created, 0 updated, 0 removed, 0 unchanged.\n")


def test_view_when_no_path_is_given_then_named_after_what_tells_the_jobs_apart(cli, pair):
    assert cli("view").status == 0
    assert set(links()) == {"T/1.0/model.cut/None/model.eps/1.5/p/1/job", "T/1.5/model.cut/3/model.eps/2.5/p/2/job"}


@pytest.mark.parametrize("prefix", [["-p", "other"], ["--prefix=other"], ["--pre", "other"], ["-pother"]])
def test_view_when_a_prefix_is_given_then_there(cli, pair, prefix):
    assert cli("view", "{p}", *prefix).status == 0
    assert set(links("other")) == {"1/job", "2/job"}
    assert not os.path.exists("view")


def test_view_when_the_prefix_is_left_out_then_view(cli, pair):
    assert cli("view", "{p}", "-p").status == 0
    assert set(links("view")) == {"1/job", "2/job"}


def test_view_when_started_elsewhere_then_the_prefix_is_relative_to_that_directory(cli, pair):
    os.makedirs("deep/er")
    assert cli("-C", "deep/er", "view", "{p}").status == 0
    os.chdir("../..")
    assert set(links("deep/er/view")) == {"1/job", "2/job"}


def test_view_when_run_again_then_unchanged(cli, pair):
    cli("view", "{p}")
    before = os.lstat("view/1/job")
    assert cli("view", "{p}").err == "0 created, 0 updated, 0 removed, 2 unchanged.\n"
    assert os.lstat("view/1/job") == before


def test_view_when_jobs_have_changed_then_links_are_created_and_removed(cli, pair, project):
    cli("view", "{p}")
    project.open_job(id=pair["1"]).remove()
    project.open_job({"p": 7}).init()
    assert cli("view", "{p}").err == "1 created, 0 updated, 1 removed, 1 unchanged.\n"
    assert set(links()) == {"2/job", "7/job"}


def test_view_when_the_links_are_wrong_then_updated(cli, pair, project):
    cli("view", "{p}")
    os.unlink("view/1/job")
    os.symlink(os.path.join(project.workspace, pair["1.5"]), "view/1/job")
    assert cli("view", "{p}").err == "0 created, 1 updated, 0 removed, 1 unchanged.\n"
    assert links()["1/job"] == os.path.join(project.workspace, pair["1"])


@pytest.mark.parametrize("selection", [["-f", "p", "1"], ["--filter", '{"p": 1}'], ["-j", "ID"], ["-j", "-"]])
def test_view_when_jobs_are_selected_then_these(cli, pair, selection):
    arguments = [pair["1"][:6] if argument == "ID" else argument for argument in selection]
    assert cli("view", "{p}", *arguments, stdin=pair["1"]).status == 0
    assert set(links()) == {"1/job"}


@pytest.mark.parametrize("selection", [["-f", "p", "17"], ["-j", "-"]])
def test_view_when_nothing_is_selected_then_empty_and_links_to_no_job(cli, pair, selection):
    cli("view", "{p}")
    result = cli("-q", "view", *selection)
    assert (result.status, result.out, result.err) == (0, "", "")
    assert links() == {}


def test_view_when_nothing_is_selected_and_there_is_none_then_none_is_made(cli, pair):
    assert cli("view", "-f", "p", "17").status == 0
    assert not os.path.exists("view")


@pytest.mark.parametrize("name", ["job", "1/job"])
def test_view_when_users_have_files_called_job_then_kept(cli, pair, name):
    path = Path("view", name)
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    result = cli("view", "{p}/deeper")
    assert path.read_text() == "mine"
    assert result.status == 0
    assert set(links()) == {"1/deeper/job", "2/deeper/job"}


def test_view_when_something_is_in_the_way_then_all_of_it_is_told_and_nothing_changed(cli, pair):
    cli("view", "{p}/old")
    for name in ("1/job", "2/job"):
        Path("view", name).write_text("mine")
    before = links()
    result = cli("view", "{p}")
    assert result.status == 1
    first, second = result.err.splitlines()
    assert first.startswith("Error: ")
    assert first.endswith("/job'.")
    assert "/job'. Nothing was changed." in second
    assert all(f"view/{p}/job" in result.err for p in (1, 2))
    assert links() == before
    assert Path("view/1/job").read_text() == "mine"


def test_view_when_something_is_in_the_way_and_json_then_the_report_has_all_of_it(cli, pair):
    for name in ("1/job", "2/job"):
        Path("view", name).parent.mkdir(parents=True)
        Path("view", name).write_text("mine")
    result = cli("view", "{p}", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["jobs"] == []
    assert report["counts"] == {"created": 0, "updated": 0, "removed": 0, "unchanged": 0, "failed": 2}
    assert [(error["id"], error["code"]) for error in report["errors"]] == [
        (job_id, "exists") for job_id in sorted(pair.values())
    ]
    assert all("error" in json.loads(line) for line in result.err.splitlines())


def test_view_when_dry_run_then_printed_and_nothing_changed(cli, pair, project):
    cli("view", "{p}", "-f", "p", "1")
    project.open_job({"p": 7}).init()
    before = links()
    result = cli("view", "{p}", "-n", "-f", "p>1")
    assert result.lines == [
        "remove view/1/job",
        f"create view/2/job -> {pair['1.5']}",
        f"create view/7/job -> {project.open_job({'p': 7}).id}",
    ]
    assert result.err.endswith("Would have: 2 created, 0 updated, 1 removed, 0 unchanged.\n")
    assert links() == before


@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_view_when_json_then_one_report(cli, pair, dry_run):
    cli("view", "{p}", "-f", "p", "1")
    result = cli("-q", "view", "p_{p}", "--json", *dry_run)
    assert result.err == ""
    assert json.loads(result.out) == {
        "command": "view",
        "dry_run": bool(dry_run),
        "counts": {"created": 2, "updated": 0, "removed": 1, "unchanged": 0, "failed": 0},
        "prefix": "view",
        "jobs": [
            {"id": pair["1"], "action": "removed", "path": "1/job"},
            {"id": pair["1"], "action": "created", "path": "p_1/job"},
            {"id": pair["1.5"], "action": "created", "path": "p_2/job"},
        ],
        "errors": [],
    }
    assert set(links()) == ({"1/job"} if dry_run else {"p_1/job", "p_2/job"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{name}"], "duplicate paths"),
        (["{zz}"], "Unknown key: 'zz'"),
        (["{p"], "not valid"),
        (["../{p}"], "'..'"),
        (["-j", "zzz"], "'zzz' is not a job id"),
        (["-j", "0", "-f", "p", "1"], "exclude each other"),
    ],
)
def test_view_when_it_is_not_possible_then_an_error_and_nothing_made(cli, pair, arguments, message):
    result = cli("view", *arguments)
    assert result.status == 1
    assert message in result.err
    assert not os.path.exists("view")


@pytest.mark.parametrize("arguments", [["a", "b"], ["-p", ""], ["--force"], ["-f"]])
def test_view_when_the_arguments_are_wrong_then_a_usage_error(cli, pair, arguments):
    assert cli("view", *arguments).status == 2


def test_view_when_the_prefix_is_a_file_then_an_error(cli, pair):
    Path("view").write_text("mine")
    result = cli("view", "{p}")
    assert result.status == 1
    assert "view" in result.err
    assert Path("view").read_text() == "mine"


def test_view_when_a_job_is_damaged_then_the_others_are_shown_and_the_status_is_1(cli: InProcess, pair, project):
    Path(project.workspace, pair["1"], "signac_statepoint.json").write_text("{")
    os.utime(os.path.join(project.workspace, pair["1"]), (0, 0))
    result = cli("view", "{p}")
    assert result.status == 1
    assert pair["1"] in result.err
    assert set(links()) == {"2/job"}


def test_view_when_dry_run_on_a_terminal_then_the_text_of_a_pipe(pair):
    result = on_terminal("-q", "view", "{p}", "-n", columns=40)
    assert result.out == f"create view/1/job -> {pair['1']}\ncreate view/2/job -> {pair['1.5']}\n"
