from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import content, execute, snapshot

SP = "signac_statepoint.json"


def jobs(project: Project) -> set[str]:
    return {path.name for path in Path(project.workspace).iterdir()}


@pytest.fixture
def data(study: dict[str, str], project: Project) -> dict[str, str]:
    """The study, with a file in a sub-directory of each job."""
    for name, job_id in study.items():
        path = Path(project.workspace, job_id, "sub", "out.txt")
        path.parent.mkdir()
        path.write_text(name)
    return study


def test_export_when_to_a_directory_then_copies_with_readable_names(cli, data, project):
    result = cli("export", "out", "T_{T}")
    assert (result.status, result.out, result.err) == (0, "", "Exported 4 jobs.\n")
    assert set(os.listdir("out")) == {"T_1.0", "T_1.5", "T_2.0", "T_-5"}
    for name, job_id in (("T_1.0", data["1"]), ("T_1.5", data["1.5"])):
        assert content(Path("out", name)) == content(Path(project.workspace, job_id))


def test_export_when_no_path_is_given_then_named_after_what_tells_the_jobs_apart(cli, data):
    assert cli("export", "out", "-f", "name", "hertz").status == 0
    assert sorted(str(path.parent.relative_to("out")) for path in Path("out").rglob(SP)) == [
        "list/(1, (2,))/on/True/T/-5",
        "model.cut/3/model.eps/2.5/T/2.0",
    ]


@pytest.mark.parametrize(
    "selection", [["-f", "p", "1"], ["--filt", "p=1"], ["-j", "ID"], ["--job", "ID", "ID"], ["-j", "-"]]
)
def test_export_when_jobs_are_selected_then_these(cli, data, selection):
    selection = [data["1"][:8] if argument == "ID" else argument for argument in selection]
    result = cli("export", "out", *selection, stdin=data["1"])
    assert result.err.endswith("Exported 1 job.\n")
    assert content("out").keys() == {SP, "sub", "sub/out.txt"}


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz", "tar.bz2", "tbz2", "tar.xz", "txz", "zip"])
def test_export_when_to_an_archive_then_it_holds_the_jobs(cli, data, suffix):
    result = cli("export", f"out.{suffix}", "T_{T}", "-f", "p<=2")
    assert (result.status, result.out) == (0, "")
    if suffix == "zip":
        names = set(zipfile.ZipFile(f"out.{suffix}").namelist())
    else:
        with tarfile.open(f"out.{suffix}") as archive:
            names = {member.name for member in archive if member.isfile()}
    assert names == {
        f"T_1.0/{SP}",
        "T_1.0/sub/out.txt",
        f"T_1.5/{SP}",
        "T_1.5/signac_job_document.json",
        "T_1.5/sub/out.txt",
    }
    assert [name for name in os.listdir() if "out" in name] == [f"out.{suffix}"]


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "zip"])
@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_export_when_the_archive_exists_then_refused_and_kept(cli, data, suffix, dry_run):
    Path(f"out.{suffix}").write_text("mine")
    result = cli("export", f"out.{suffix}", *dry_run)
    assert (result.status, result.out) == (1, "")
    assert result.err == f"Error: The archive 'out.{suffix}' exists. Replace it with --force.\n"
    assert Path(f"out.{suffix}").read_text() == "mine"


def test_export_when_forced_then_the_archive_is_replaced_not_appended_to(cli, data):
    for _ in range(2):
        assert cli("export", "out.tar", "--force").status == 0
    with tarfile.open("out.tar") as archive:
        names = archive.getnames()
    assert len(names) == len(set(names))
    assert sum(name.endswith(SP) for name in names) == 4


@pytest.mark.parametrize("target", ["out.zip", "out.tar"])
def test_export_when_forced_and_it_fails_then_the_old_archive_is_kept(cli, data, project, target):
    cli("export", target)
    before = Path(target).read_bytes()
    os.mkfifo(os.path.join(project.workspace, data["2"], "fifo"))
    result = cli("export", target, "--force")
    assert result.status == 1
    assert "fifo" in result.err
    assert Path(target).read_bytes() == before
    assert [name for name in os.listdir() if "out" in name] == [target]


def test_export_when_moved_then_the_jobs_are_gone(cli, data, project):
    result = cli("export", "--move", "out", "{T}", "-f", "p", "3")
    assert (result.status, result.out) == (0, "")
    assert result.err.endswith("Exported 2 jobs.\n")
    assert jobs(project) == {data["1"], data["1.5"]}
    assert Path("out/2.0/sub/out.txt").read_text() == "2"


def test_export_when_moved_to_an_archive_then_refused(cli, data, project):
    result = cli("export", "--move", "out.zip")
    assert result.status == 1
    assert "directories only" in result.err
    assert not os.path.exists("out.zip")
    assert len(jobs(project)) == 4


@pytest.mark.parametrize("move", [[], ["--move"]])
def test_export_when_destinations_exist_then_all_are_told_and_nothing_is_written(cli, data, project, move):
    for name in ("1.0", "2.0"):
        Path("out", name).mkdir(parents=True)
        Path("out", name, "mine").write_text("mine")
    before = snapshot()
    result = cli("export", "out", "{T}", *move)
    assert (result.status, result.out) == (1, "")
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert f"Error: The destination of job '{data['1']}' exists: 'out/1.0'." in lines
    assert sum(data["2"] in line for line in lines) == 1
    assert "Nothing was written." in lines[-1]
    assert snapshot() == before


def test_export_when_moved_onto_empty_directories_then_not_into_them(cli, data, project):
    os.makedirs("out/1.0")
    result = cli("export", "--move", "out", "{T}", "-f", "p", "1")
    assert result.status == 1
    assert os.listdir("out/1.0") == []
    assert len(jobs(project)) == 4


def test_export_when_many_destinations_exist_then_few_are_shown_and_the_report_has_all(cli, project):
    for a in range(15):
        project.open_job({"a": a}).init()
        Path("out", f"{a:02d}").mkdir(parents=True)
        Path("out", f"{a:02d}", "mine").write_text("")
    result = cli("export", "out", "{a:02d}")
    assert result.err.count("Error: ") == 11
    assert "And 5 more" in result.err
    result = cli("export", "out", "{a:02d}", "--json")
    report = json.loads(result.out)
    assert report["counts"] == {"exported": 0, "present": 0, "failed": 15}
    assert sorted(error["path"] for error in report["errors"]) == [f"out/{a:02d}" for a in range(15)]
    assert {error["code"] for error in report["errors"]} == {"exists"}
    assert {error["id"] for error in report["errors"]} == jobs(project)


def test_export_when_repeated_then_whole_copies_count_as_done(cli, data):
    cli("export", "out", "{T}")
    shutil.rmtree("out/1.0")
    assert cli("export", "out", "{T}").err == "Exported 1 job, 3 present.\n"
    assert os.path.isfile(f"out/1.0/{SP}")


@pytest.mark.parametrize("target", ["out", "out.tar"])
def test_export_when_dry_run_then_ids_and_paths_and_nothing_written(cli, data, target):
    before = snapshot()
    result = cli("export", "-n", target, "{T}", "-f", "p<3")
    above = "out/" if target == "out" else ""
    assert sorted(result.lines) == sorted([f"{data['1']} -> {above}1.0", f"{data['1.5']} -> {above}1.5"])
    assert result.err.endswith("Would have exported 2 jobs.\n")
    assert snapshot() == before


def test_export_when_dry_run_of_one_job_then_the_path_is_never_empty(cli, data):
    assert cli("-q", "export", "-n", "out", "-j", data["1"]).out == f"{data['1']} -> out\n"
    assert cli("-q", "export", "-n", "out.zip", "-j", data["1"]).out == f"{data['1']} -> .\n"


@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_export_when_json_then_one_report(cli, data, dry_run):
    cli("export", "out", "{T}", "-f", "p", "1")
    result = cli("-q", "export", "out", "{T}", "-f", "p<3", "--json", *dry_run)
    assert result.err == ""
    report = json.loads(result.out)
    assert sorted(report.pop("jobs"), key=lambda job: job["path"]) == [
        {"id": data["1"], "action": "present", "path": "1.0"},
        {"id": data["1.5"], "action": "exported", "path": "1.5"},
    ]
    assert report == {
        "command": "export",
        "dry_run": bool(dry_run),
        "counts": {"exported": 1, "present": 1, "failed": 0},
        "target": "out",
        "errors": [],
    }
    assert set(os.listdir("out")) == ({"1.0"} if dry_run else {"1.0", "1.5"})


def test_export_when_nothing_is_selected_then_nothing_written_to_a_directory(cli, data):
    result = cli("export", "out", "-f", "p", "17")
    assert (result.status, result.out) == (0, "")
    assert result.err.endswith("Exported 0 jobs.\n")
    assert not os.path.exists("out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out.my"], "Unknown extension '.my'"),
        (["out", "{name}"], "duplicate paths"),
        (["out", "{zz}"], "Unknown key: 'zz'"),
        (["out", "{T"], "not valid"),
        (["out", "../{T}"], "'..'"),
        (["out.tar", "/{T}"], "relative"),
        (["out", "-j", "zzz"], "'zzz' is not a job id"),
        (["out", "-j", "0", "-f", "p", "1"], "exclude each other"),
    ],
)
def test_export_when_it_is_not_possible_then_an_error_and_nothing_written(cli, data, arguments, message):
    result = cli("export", *arguments)
    assert (result.status, result.out) == (1, "")
    assert message in result.err
    assert not any("out" in name for name in os.listdir())


@pytest.mark.parametrize("arguments", [[], ["a", "b", "c"], [""], ["out", "-f"], ["out", "--forc"]])
def test_export_when_the_arguments_are_wrong_then_a_usage_error(cli, data, arguments):
    assert cli("export", *arguments).status == 2


def test_export_when_a_slash_follows_then_a_directory_whatever_the_name(cli, data):
    assert cli("export", "out.my/", "-j", data["1"]).status == 0
    assert os.path.isfile(f"out.my/{SP}")


def test_export_when_the_target_lies_in_an_exported_job_then_refused(cli, data, project):
    before = snapshot()
    result = cli("export", f"workspace/{data['1']}/out")
    assert result.status == 1
    assert data["1"] in result.err
    assert snapshot() == before


def test_export_when_a_job_is_damaged_then_the_others_are_exported_and_the_status_is_1(cli, data, project):
    Path(project.workspace, data["1"], SP).write_text("{")
    os.utime(os.path.join(project.workspace, data["1"]), (0, 0))
    result = cli("export", "out", "{T}")
    assert result.status == 1
    assert result.err.startswith("Exported 3 jobs.\nError: 1 job with a damaged state point")
    assert set(os.listdir("out")) == {"1.5", "2.0", "-5"}


@pytest.mark.parametrize("target", ["out", "out.zip", "out.tar"])
def test_export_when_jobs_cannot_be_copied_then_told_and_the_others_exported(cli, data, project, target):
    for name in ("1", "2"):
        os.mkfifo(Path(project.workspace, data[name], "pipe"))
    result = cli("export", target, "T_{T}", "-n")
    assert (result.status, len(result.out.splitlines())) == (1, 2)
    assert result.err.endswith("Would have exported 2 jobs, 2 failed.\n")
    assert not os.path.exists(target)
    result = cli("export", target, "T_{T}", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"] == {"exported": 2, "present": 0, "failed": 2}
    assert {job["path"] for job in report["jobs"]} == {"T_1.5", "T_-5"}
    assert {error["id"] for error in report["errors"]} == {data["1"], data["2"]}
    Project.init_project("other").import_from(target)
    assert len(Project("other")) == 2


def test_export_when_run_in_a_batch_then_no_bar_in_the_log(data):
    result = execute("export", "out", env={"TERM": "xterm"})
    assert (result.status, result.out, result.err) == (0, "", "Exported 4 jobs.\n")


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz"])
def test_export_when_the_archive_holds_exactly_the_jobs_then_it_is_done(cli, data, suffix):
    assert cli("export", f"out.{suffix}").status == 0
    before = snapshot()
    result = cli("export", f"out.{suffix}")
    assert (result.status, result.out, result.err) == (0, "", "Exported 0 jobs, 4 present.\n")
    assert snapshot() == before
    assert cli("export", f"out.{suffix}", "{job.id}").status == 1
    assert cli("export", "-n", f"out.{suffix}").status == 0
    assert snapshot() == before
