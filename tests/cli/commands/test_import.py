from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project
from tests.support.running import execute, on_terminal, snapshot

SP = "signac_statepoint.json"
SYNC = "project.sync(tmp_project, strategy=signac.sync.FileSync.always, check_schema=False)\n"


@pytest.fixture
def ids(project: Project) -> dict[int, str]:
    """Ids of the jobs that ``source`` and its archives hold, which the project lacks; the project has another job."""
    project.open_job({"a": -1}).init()
    other = Project.init_project("other")
    ids = {}
    for a in range(3):
        job = other.open_job({"a": a}).init()
        Path(job.fn("out.txt")).write_text(f"{a}")
        ids[a] = job.id
    for target in ("source", "source.zip", "source.tar.gz"):
        other.export_to(target, path="a_{a}")
    return ids


@pytest.fixture
def plain(project: Project) -> str:
    """Directories without state points."""
    for a in range(2):
        Path(f"plain/a_{a}/b_x").mkdir(parents=True)
        Path(f"plain/a_{a}/b_x/out.txt").write_text(f"{a}")
    return "plain"


def jobs(project: Project) -> set[str]:
    return set(os.listdir(project.workspace))


def add(project: Project, a: int, text: str) -> None:
    """Create a job of those in the source, with a file."""
    Path(project.open_job({"a": a}).init().fn("out.txt")).write_text(text)


KINDS = pytest.mark.parametrize("origin", ["source", "source.zip", "source.tar.gz"])


@KINDS
def test_import_when_done_then_jobs_are_there_and_nothing_is_printed(cli, ids, project, origin):
    result = cli("import", origin)
    assert (result.status, result.out, result.err) == (0, "", "Imported 3 jobs.\n")
    assert {ids[a] for a in ids} <= jobs(project)
    assert len(jobs(project)) == 4
    assert Path(project.workspace, ids[2], "out.txt").read_text() == "2"


def test_import_when_no_origin_is_given_then_the_current_directory(cli, ids, project):
    os.chdir("source")
    assert cli("import").err == "Imported 3 jobs.\n"


def test_import_when_in_the_project_itself_then_nothing(cli, study, project):
    before = snapshot()
    result = cli("import")
    assert (result.status, result.out) == (0, "")
    assert result.err.startswith("There are no jobs to import in '.'. Where the names of directories tell ")
    assert result.err.endswith("\nImported 0 jobs.\n")
    assert snapshot() == before


def test_import_when_a_path_is_given_then_state_points_are_read_off_the_names(cli, plain, project):
    result = cli("import", "plain", "a_{a:int}/b_{n.b}")
    assert (result.status, result.err) == (0, "Imported 2 jobs.\n")
    job = project.open_job({"a": 1, "n": {"b": "x"}})
    assert job in project
    assert Path(job.fn("out.txt")).read_text() == "1"
    assert Path("plain/a_1/b_x/out.txt").exists()


@pytest.mark.parametrize("option", [[], ["-n"], ["--sync"]])
def test_import_when_the_path_matches_nothing_then_an_error(cli, plain, project, option):
    result = cli("import", "plain", "k_{k:int}", *option)
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        "Error: No directory in 'plain' matches the path 'k_{k:int}': 2 directories do not match, such as 'plain/a_0', "
        "'plain/a_1'. Nothing was imported.\n"
    )


@pytest.mark.parametrize("option", [[], ["-n"], ["--sync"], ["--skip-existing"]])
def test_import_when_some_directories_do_not_match_then_named(cli, plain, project, option):
    for name in ("a_x/b_x", "a_3", "other/deep/deeper", ".hidden/b_x", "a_0/b_x/sub"):
        Path(plain, name).mkdir(parents=True)
    result = cli("import", plain, "a_{a:int}/b_{b}", *option)
    assert result.status == 0
    assert result.err.splitlines()[0] == (
        "Warning: 3 directories do not match, such as 'plain/a_3', 'plain/a_x/b_x', 'plain/other/deep'."
    )


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_import_when_directories_of_an_archive_do_not_match_then_named(cli, plain, project, suffix):
    Path(plain, "a_x/b_x").mkdir(parents=True)
    Path(plain, "a_x/b_x/file").touch()
    shutil.make_archive("plain", suffix[1:], plain)
    result = cli("import", f"plain{suffix}", "a_{a:int}/b_{b}")
    assert (result.status, result.err.splitlines()) == (
        0,
        ["Warning: 1 directory does not match: 'a_x/b_x'.", "Imported 2 jobs."],
    )
    result = cli("import", f"plain{suffix}", "{a:int}")
    assert result.status == 1
    assert "3 directories do not match, such as 'a_0', 'a_1', 'a_x'." in result.err


def test_import_when_export_wrote_the_names_then_all_numbers_are_read(cli, project):
    values = [1.5, 1e-06, 2.5e10, -0.003, float("inf"), float("-inf"), 1e300]
    ids = {project.open_job({"T": value}).init().id for value in values}
    assert cli("export", "../out", "T_{T}").status == 0
    for path in Path("../out").glob("*/signac_statepoint.json"):
        path.unlink()
    os.mkdir("../new")
    os.chdir("../new")
    assert cli("init").status == 0
    result = cli("import", "../out", "T_{T:float}")
    assert (result.status, result.err) == (0, "Imported 7 jobs.\n")
    assert set(os.listdir("workspace")) == ids


# --- links -----------------------------------------------------------------------------------------------------------


@KINDS
def test_import_when_export_left_links_out_then_all_else_goes_both_ways(cli, project, origin):
    other = Project.init_project("other")
    for a in range(3):
        Path(other.open_job({"a": a}).init().fn("out.txt")).touch()
    job = other.open_job({"a": 1})
    os.symlink("missing", job.fn("kept"))
    os.symlink("/nowhere", job.fn("restart"))
    os.symlink(other.path, job.fn("back"))
    expected = (
        f"Warning: 1 link {{}} left out: '{job.fn('restart')}'; it points nowhere.",
        f"Warning: 1 link {{}} left out: '{job.fn('back')}'; it leads back to a directory above it.",
    )
    for option, verb, done in (("-n", "would be", "Would have exported"), ("-y", "was", "Exported")):
        result = cli("-C", other.path, "export", f"../{origin}", "a_{a}", option)
        assert result.status == 0
        assert sorted(result.err.splitlines()) == sorted([*(line.format(verb) for line in expected), f"{done} 3 jobs."])
    for option, done in (("-n", "Would have imported"), ("-y", "Imported")):
        result = cli("-C", project.path, "import", origin, option)
        assert (result.status, result.err) == (0, f"{done} 3 jobs.\n")
    copy = Path(project.workspace, job.id)
    assert os.readlink(copy / "kept") == "missing"
    assert sorted(os.listdir(copy)) == ["kept", "out.txt", SP]
    assert cli("check").status == 0


def test_import_when_a_directory_has_links_then_they_are_left_out_or_kept(cli, project):
    for a in range(2):
        Path(f"raw/a_{a}").mkdir(parents=True)
    Path("raw/shared").write_text("shared")
    os.symlink("../shared", "raw/a_0/shared")
    os.symlink("missing", "raw/a_0/kept")
    os.symlink("/nowhere", "raw/a_1/ln")
    for option, verb in (("-n", "would be"), ("-y", "was")):
        result = cli("import", "raw", "a_{a:int}", option)
        assert result.status == 0
        assert f"Warning: 1 link {verb} left out: 'raw/a_1/ln'; it points nowhere.\n" in result.err
    job = project.open_job({"a": 0})
    assert Path(job.fn("shared")).read_text() == "shared"
    assert not os.path.islink(job.fn("shared"))
    assert os.readlink(job.fn("kept")) == "missing"
    assert len(project) == 2


def test_import_when_an_archive_of_another_program_has_links_out_then_they_are_left_out(cli, ids, project):
    os.symlink("/nowhere", "source/a_1/restart")
    os.symlink("../a_0/out.txt", "source/a_2/other")
    os.symlink("out.txt", "source/a_2/own")
    shutil.make_archive("made", "tar", "source")
    for option, verb in (("-n", "would be"), ("-y", "were")):
        result = cli("import", "made.tar", option)
        assert result.status == 0
        assert f"Warning: 2 links {verb} left out, such as 'made.tar/" in result.err
        assert "it leads out of its job." in result.err
    assert len(project) == 4
    assert os.readlink(Path(project.workspace, ids[2], "own")) == "out.txt"
    assert not os.path.lexists(Path(project.workspace, ids[2], "other"))


@pytest.mark.parametrize("option", [[], ["--move"], ["--sync"]])
def test_import_when_a_job_cannot_be_copied_then_told_and_the_others_imported(cli, ids, project, option, monkeypatch):
    os.mkfifo("source/a_1/pipe")
    project.open_job({"a": -1}).remove()  # which would be a conflict of schemas
    if option == ["--move"]:
        rename = os.rename

        def cross_device(source: str, destination: str, **kwargs: Any) -> None:
            if "/source/" in os.path.abspath(source):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
            rename(source, destination, **kwargs)

        monkeypatch.setattr(os, "rename", cross_device)
    else:
        result = cli("import", "source", *option, "-n")
        assert (result.status, len(result.out.splitlines())) == (1, 2)
        assert result.err.endswith("Would have imported 2 jobs, 1 failed.\n")
    result = cli("import", "source", *option, "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"]["imported"] == 2
    assert [error["id"] for error in report["errors"]] == [ids[1]]
    assert jobs(project) >= {ids[0], ids[2]}
    assert ids[1] not in jobs(project)


@pytest.mark.parametrize("option", ["--move", "--mov"])
def test_import_when_moved_then_the_directories_are_gone(cli, plain, project, option):
    assert cli("import", option, "plain", "a_{a:int}/b_{b}").status == 0
    assert len(jobs(project)) == 2
    assert list(Path("plain").rglob("b_x")) == []


# --- collisions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", [["a_{a:int}/b_{b}"], []])
def test_import_when_all_has_been_moved_then_running_again_succeeds(cli, ids, plain, project, template):
    origin = plain if template else "source"
    assert cli("import", origin, *template, "--move").status == 0
    result = cli("import", origin, *template, "--move")
    assert result.status == 0
    assert result.err == f"Warning: There is nothing left to move in '{origin}'.\nImported 0 jobs.\n"


@KINDS
@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_import_when_jobs_exist_with_other_files_then_all_are_told_and_nothing_is_imported(
    cli, ids, project, origin, dry_run
):
    add(project, 0, "0")
    add(project, 1, "mine")
    Path(project.open_job({"a": 2}).init().fn("more")).write_text("mine")
    Project.init_project("other").open_job({"a": 3}).init()
    before = snapshot(project.workspace)
    if origin == "source":
        os.makedirs("source/a_3")
        Path(f"source/a_3/{SP}").write_text('{"a": 3}')
    result = cli("import", origin, *dry_run)
    lines = result.err.splitlines()
    assert (result.status, result.out) == (1, "")
    assert len(lines) == 2
    for line, a in zip(lines, [1, 2], strict=True):
        assert line.startswith("Error: ")
        assert f"a_{a}' would become job {ids[a]}, which exists already." in line
    assert "--skip-existing" in lines[-1]
    assert snapshot(project.workspace) == before


@KINDS
def test_import_when_stopped_after_its_last_job_then_running_again_succeeds(cli, ids, project, origin):
    assert cli("import", origin).status == 0
    before = snapshot(project.workspace)
    result = cli("import", origin)
    assert (result.status, result.out, result.err) == (0, "", "Imported 0 jobs, 3 present.\n")
    assert snapshot(project.workspace) == before


@KINDS
def test_import_when_stopped_before_then_finished(cli, ids, project, origin):
    cli("import", origin)
    project.open_job(id=ids[1]).remove()
    result = cli("import", origin)
    assert (result.status, result.err) == (0, "Imported 1 job, 2 present.\n")
    assert Path(project.workspace, ids[1], "out.txt").read_text() == "1"


@KINDS
def test_import_when_existing_jobs_are_skipped_then_the_others_are_imported(cli, ids, project, origin):
    add(project, 1, "mine")
    result = cli("import", origin, "--skip-existing")
    assert (result.status, result.err) == (0, "Imported 2 jobs, 1 skipped.\n")
    assert Path(project.workspace, ids[1], "out.txt").read_text() == "mine"


def test_import_when_moved_and_jobs_exist_then_nothing_is_moved(cli, ids, project):
    add(project, 1, "mine")
    before = snapshot()
    result = cli("import", "--move", "source")
    assert result.status == 1
    assert snapshot() == before


def test_import_when_jobs_collide_and_json_then_the_report_has_all(cli, ids, project):
    add(project, 1, "mine")
    result = cli("import", "source", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["jobs"] == []
    assert report["counts"] == {"imported": 0, "present": 0, "skipped": 0, "synchronized": 0, "failed": 1}
    (error,) = report["errors"]
    assert (error["id"], error["code"], error["path"]) == (ids[1], "exists", "source/a_1")
    assert json.loads(result.err)["error"]["code"] == "exists"


# --- synchronization -------------------------------------------------------------------------------------------------


@KINDS
def test_import_when_synchronized_then_files_are_added(cli, ids, project, origin):
    project.open_job({"a": -1}).remove()
    for a in ids:
        project.open_job({"a": a}).init()
    result = cli("import", origin, "--sync")
    assert (result.status, result.out, result.err) == (0, "", "Imported 0 jobs, 3 synchronized.\n")
    assert Path(project.workspace, ids[2], "out.txt").read_text() == "2"
    assert len(jobs(project)) == 3


def test_import_when_synchronized_with_an_empty_project_then_imported(cli, ids, project):
    project.open_job({"a": -1}).remove()
    assert cli("import", "source", "--sync").err == "Imported 3 jobs.\n"


def test_import_when_files_conflict_then_status_1_and_the_job_is_named(cli, ids, project):
    project.open_job({"a": -1}).remove()
    for a in ids:
        add(project, a, "mine")
    result = cli("import", "source", "--sync")
    assert (result.status, result.out) == (1, "")
    assert "out.txt" in result.err
    assert any(job_id in result.err for job_id in ids.values())
    assert "--sync-interactive" in result.err
    assert {Path(project.workspace, job_id, "out.txt").read_text() for job_id in jobs(project)} == {"mine"}
    assert len(jobs(project)) == 3  # the temporary project is gone


def test_import_when_schemas_differ_then_status_1(cli, ids, project):
    result = cli("import", "source", "--sync")
    assert result.status == 1
    assert "schemas" in result.err
    assert len(jobs(project)) == 1


def test_import_when_interactive_then_the_code_on_stdin_synchronizes(ids, project):
    add(project, 1, "mine")
    code = f"print(len(tmp_project), len(project), pr is project)\n{SYNC}"
    result = execute("import", "source", "--sync-interactive", stdin=code.encode())
    assert result.status == 0, result.err
    assert result.out == ">>> 3 2 True\n>>> >>> "
    assert "tmp_project" in result.err
    assert result.err.endswith("Imported 2 jobs, 1 present.\n")
    assert Path(project.workspace, ids[1], "out.txt").read_text() == "1"
    assert len(jobs(project)) == 4


def test_import_when_interactive_and_nothing_is_done_then_nothing_is_imported(ids, project):
    result = execute("-q", "import", "source.zip", "--sync-interactive", "--sync")
    assert (result.status, result.out) == (0, ">>> ")
    assert len(jobs(project)) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise ValueError\n", 1),
        ("x = (\n\n", 1),
        ("1 +\n", 1),
        ("import sys; sys.exit(3)\n", 3),
        ("import sys; sys.exit('no')\n", 1),
        ("exit()\n", 0),
    ],
)
def test_import_when_the_code_fails_then_the_status_says_so(ids, project, code, status):
    result = execute("import", "source", "--sync-interactive", stdin=code.encode())
    assert result.status == status, result.err
    assert len(jobs(project)) == 1


def test_import_when_the_code_ends_with_a_block_then_it_is_run(ids, project):
    code = "for job in tmp_project:\n    project.clone(job)"
    result = execute("import", "source", "--sync-interactive", stdin=code.encode())
    assert result.status == 0
    assert result.err.endswith("Imported 3 jobs.\n")


def test_import_when_stdin_is_closed_then_an_error(ids, project):
    result = execute("import", "source", "--sync-interactive", preexec_fn=lambda: os.close(0))
    assert (result.status, len(jobs(project))) == (1, 1)


# --- dry runs and reports --------------------------------------------------------------------------------------------


@KINDS
def test_import_when_dry_run_then_paths_and_ids_and_nothing_changed(cli, ids, project, origin):
    before = snapshot()
    result = cli("import", "-n", origin)
    above = "source/" if origin == "source" else ""
    assert result.lines == [f"{above}a_{a} -> {ids[a]}" for a in range(3)]
    assert (result.status, result.err) == (0, "Would have imported 3 jobs.\n")
    assert snapshot() == before


@pytest.mark.parametrize(
    ("option", "printed", "summary"),
    [
        ("--skip-existing", [0, 2], "Would have imported 2 jobs, 1 skipped.\n"),
        ("--sync", [0, 1, 2], "Would have imported 2 jobs, 1 synchronized.\n"),
    ],
)
def test_import_when_dry_run_and_jobs_exist_then_what_would_be_done(cli, ids, project, option, printed, summary):
    add(project, 1, "mine")
    before = snapshot()
    result = cli("import", "-n", "source", option)
    assert result.lines == [f"source/a_{a} -> {ids[a]}" for a in printed]
    assert (result.status, result.err) == (0, summary)
    assert snapshot() == before


def test_import_when_an_archive_is_a_job_itself_then_its_path_is_a_dot(cli, ids):
    Project("other").open_job({"a": 1})
    Project("other").find_jobs({"a": 1}).export_to("one.zip")
    assert cli("-q", "import", "-n", "one.zip").out == f". -> {ids[1]}\n"


@pytest.mark.parametrize("dry_run", [[], ["-n"]])
def test_import_when_json_then_one_report(cli, ids, project, dry_run):
    add(project, 1, "mine")
    result = cli("-q", "import", "source", "--skip-existing", "--json", *dry_run)
    assert result.err == ""
    assert json.loads(result.out) == {
        "command": "import",
        "dry_run": bool(dry_run),
        "counts": {"imported": 2, "present": 0, "skipped": 1, "synchronized": 0, "failed": 0},
        "origin": "source",
        "jobs": [
            {"id": ids[0], "action": "imported", "path": "source/a_0"},
            {"id": ids[1], "action": "skipped", "path": "source/a_1"},
            {"id": ids[2], "action": "imported", "path": "source/a_2"},
        ],
        "errors": [],
    }
    assert len(jobs(project)) == (2 if dry_run else 4)


def test_import_when_synchronized_and_json_then_one_report(cli, ids, project):
    project.open_job({"a": -1}).remove()
    for a in ids:
        project.open_job({"a": a}).init()
    report = json.loads(cli("-q", "import", "source", "--sync", "--json").out)
    assert report["counts"]["synchronized"] == 3
    assert [job["action"] for job in report["jobs"]] == ["synchronized"] * 3


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "'nothing': it does not exist"),
        (["text"], "Unknown file type: 'text'"),
        (["plain", "a_{a:foo}"], "unknown type 'foo'"),
        (["plain", "a"], "has no fields"),
        (["source", "a_{b:int}"], "contradicts"),
        (["source.zip", "--move"], "'source.zip' is a file"),
        (["source", "--move", "--sync"], "--move does not combine"),
        (["source", "--move", "--sync-interactive"], "--move does not combine"),
        (["twice"], "not unique"),
        (["broken"], "not JSON"),
        (["broken.zip"], "damaged"),
    ],
)
def test_import_when_it_is_not_possible_then_an_error_and_nothing_imported(
    cli, ids, plain, project, arguments, message
):
    Path("text").write_text("neither")
    Path("broken.zip").write_bytes(
        Path("source.zip").read_bytes()[:60] + b"x" * 20 + Path("source.zip").read_bytes()[80:]
    )
    for name, text in (("twice/1", '{"a": 9}'), ("twice/2", '{"a": 9}'), ("broken/1", "{")):
        Path(name).mkdir(parents=True)
        Path(name, SP).write_text(text)
    result = cli("import", *arguments)
    assert (result.status, result.out) == (1, "")
    assert message in result.err
    assert len(jobs(project)) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "b", "c"],
        [""],
        ["source", "--skip-existing", "--sync"],
        ["source", "--skip-existing", "--sync-interactive"],
        ["source", "--sync-interactive", "-n"],
        ["source", "--sync-interactive", "--json"],
        ["source", "--s"],
        ["source", "--skip"],
    ],
)
def test_import_when_the_arguments_are_wrong_then_a_usage_error(cli, ids, project, arguments):
    assert cli("import", *arguments).status == 2
    assert len(jobs(project)) == 1


def test_import_when_there_is_no_project_then_an_error(cli):
    assert cli("import", ".").status == 1


# --- on a terminal ---------------------------------------------------------------------------------------------------


def test_import_when_interactive_on_a_terminal_then_errors_of_the_code_do_not_count(ids, project):
    script = "import sys; from signac_cli.app import run; sys.ps1 = '? [y/N] '; sys.exit(run(sys.argv[1:]))"
    result = on_terminal(
        "-c", script, "import", "source", "--sync-interactive", command=[sys.executable],
        typed=[b"1 / 0\n", SYNC.encode(), b"\x04"],
    )  # fmt: skip
    assert "ZeroDivisionError" in result.out
    assert result.status == 0
    assert len(jobs(project)) == 4
