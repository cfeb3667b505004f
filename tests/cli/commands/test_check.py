from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from signac_core import Project, files, mounts
from signac_core.canonical import calc_id
from signac_core.care import litter
from tests.support.patches import for_some_cases
from tests.support.running import execute, on_terminal, snapshot

SP, DOC = "signac_statepoint.json", "signac_job_document.json"
BOGUS = "0" * 32
TEMPORARY = f"._0123456789abcdef_{SP}"


@pytest.fixture
def directory(study, project):
    """The directory of the job that the tests damage."""
    return Path(project.workspace, study["1.5"])


def remove_state_point(directory):
    (directory / SP).unlink()
    return directory.name


def empty_state_point(directory):
    (directory / SP).write_text("")
    return directory.name


def exchange_state_point(directory):
    (directory / SP).write_text('{"a": 7}')
    return directory.name


def make_unreadable(directory):
    (directory / SP).unlink()
    (directory / SP).mkdir()
    return directory.name


def stop_change(directory):
    state_point = {"moved": 1}
    target = directory.with_name(calc_id(state_point))
    (directory / f"._signac_next_{target.name}.json").write_text(json.dumps(state_point))
    directory.rename(target)
    return target.name


def damage_document(directory):
    (directory / DOC).write_text("{")
    return directory.name


def damage_project_document(directory):
    Path("signac_project_document.json").write_text("[]")
    return "signac_project_document.json"


def rename_directory(directory):
    name = f"{directory.name}.bak"
    directory.rename(directory.with_name(name))
    return name


def add_stray_file(directory):
    directory.with_name(BOGUS).write_text("x")
    return BOGUS


BEYOND_REPAIR = [
    (remove_state_point, "missing state point", "backup"),
    (empty_state_point, "invalid state point", "backup"),
    (make_unreadable, "invalid state point", "Is a directory"),
    (damage_document, "invalid document", "Correct the document"),
    (damage_project_document, "invalid document", "Correct the document"),
    (add_stray_file, "stray file", "Move it out of the workspace"),
]
REPAIRABLE = [
    (exchange_state_point, "wrong state point", f"rename the directory to {calc_id({'a': 7})}"),
    (stop_change, "unfinished change", "restore the state point"),
    (rename_directory, "stray directory", "rename the directory to"),
]
WITH_CACHE = [remove_state_point, empty_state_point, exchange_state_point]


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--repair"], ["--repair", "-n"]])
def test_check_when_nothing_is_wrong_then_status_0_and_no_lines(cli, study, options):
    before = snapshot()
    result = cli("check", *options)
    assert (result.status, result.out) == (0, "")
    assert result.err.endswith(" 0 problems.\n")
    assert snapshot() == before


@pytest.mark.parametrize(("damage", "kind", "advice"), [*BEYOND_REPAIR, *REPAIRABLE])
def test_check_when_something_is_damaged_then_one_line_and_status_3(cli, directory, damage, kind, advice):
    name = damage(directory)
    before = snapshot()
    result = cli("check")
    assert (result.status, result.err) == (3, "Found 1 problem.\n")
    (line,) = result.lines
    assert line.startswith(f"{name}: {kind}: ")
    assert advice in line
    assert ("--repair can" in line) == ((damage, kind, advice) in REPAIRABLE)
    assert snapshot() == before


@pytest.mark.parametrize("damage", WITH_CACHE)
def test_check_when_the_cache_knows_the_state_point_then_says_so(cli, directory, damage):
    Project().update_cache()
    damage(directory)
    assert "--repair can restore the state point from the cache." in cli("check").out


def test_check_when_several_things_are_wrong_then_a_line_each(cli, study, directory):
    names = [damage_document(directory), add_stray_file(directory), remove_state_point(directory)]
    result = cli("check")
    assert (result.status, result.err) == (3, "Found 3 problems.\n")
    assert sorted(line.partition(":")[0] for line in result.lines) == sorted(names)


def test_check_when_a_document_is_damaged_then_no_path_in_the_line(cli, directory):
    damage_document(directory)
    (line,) = cli("check").lines
    assert line.startswith(f"{directory.name}: invalid document: The document is not valid JSON: ")
    assert line.count(directory.name) == 1
    assert "/" not in line


@pytest.mark.parametrize("filename", [SP, DOC])
def test_check_when_a_file_may_not_be_read_then_the_advice_is_to_make_it_readable(
    cli, study, directory, monkeypatch, filename
):
    Project().update_cache()
    read_bytes = files.read_bytes

    def refused(path, **options):
        if path == str(directory / filename):
            raise PermissionError(13, "Permission denied", path)
        return read_bytes(path, **options)

    monkeypatch.setattr(files, "read_bytes", refused)
    (line,) = cli("check").lines
    assert line.endswith(" cannot be read: Permission denied. Make it readable.")
    assert line.count(directory.name) == 1


@pytest.mark.parametrize("filename", [SP, DOC])
def test_check_when_a_pipe_stands_in_the_place_of_a_file_then_found(cli, directory, filename):
    (directory / filename).unlink(missing_ok=True)
    os.mkfifo(directory / filename)
    assert execute("check").status == 3
    for command in (["find", "T>0"], ["find", "doc.x=1"], ["document"], ["statepoint"], ["schema"], ["status"]):
        assert execute(*command).status in (0, 1)  # it ends


def rows(*arguments, columns=80):
    """The header and the rows of the table on a terminal, as lists of cells, and the lines that follow."""
    table, rest = [], []
    for line in re.sub("\033\\[[0-9;]*m", "", on_terminal("check", *arguments, columns=columns).out).splitlines():
        cells = re.split("  +", line)
        (table if len(cells) == 4 else rest).append(cells if len(cells) == 4 else line)
    return table, rest


def test_check_when_on_a_terminal_then_a_table_with_one_line_a_problem(study, directory):
    damage_document(directory)
    empty_state_point(directory.with_name(study["2"]))
    exchange_state_point(directory.with_name(study["1"]))
    add_stray_file(directory)
    table, rest = rows(columns=120)
    assert table[0] == ["job", "file", "what", "what to do"]
    assert sorted(table[1:]) == sorted(
        [
            ["", f"workspace/{BOGUS}", "a file has the name of a job", "move it out of the workspace"],
            [directory.name[:6], DOC, "not valid JSON, line 1", "correct or restore it"],
            [study["2"][:6], SP, "empty", "restore or correct it"],
            [
                study["1"][:6],
                SP,
                f"that of job {calc_id({'a': 7})[:6]}",
                f"--repair renames it to {calc_id({'a': 7})[:6]}",
            ],
        ]
    )
    assert rest == ["Found 4 problems."]


def test_check_when_repaired_on_a_terminal_then_the_table_tells_what_was_done(study, directory):
    exchange_state_point(directory)
    damage_document(directory.with_name(study["2"]))
    assert rows("--repair", "-n")[0][0][3] == "what to do"
    table, rest = rows("--repair")
    assert (table[0][3], {row[3] for row in table[1:]}) == (
        "what was done",
        {f"renamed to {calc_id({'a': 7})[:6]}", "correct or restore it"},
    )
    assert rest == ["Repaired 1 problem, 1 left."]


def test_check_when_very_many_are_alike_on_a_terminal_then_ten_and_their_number(cli, project):
    for i in range(25):
        Path(project.open_job({"i": i}).init().path, DOC).write_text("\n" * i + "{")
    empty_state_point(Path(project.open_job({"i": 30}).init().path))
    table, rest = rows()
    assert sum(row[1] == DOC for row in table) == 10
    assert sum(row[1] == SP for row in table) == 1
    assert [line.strip() for line in rest] == [
        "and 15 more like these",
        "'signac check | less' shows all.",
        "Found 26 problems.",
    ]
    assert len(cli("check").lines) == 26


def test_check_when_quiet_then_lines_only(cli, directory):
    remove_state_point(directory)
    result = cli("-q", "check")
    assert (result.status, len(result.lines), result.err) == (3, 1, "")


def test_check_when_there_is_litter_then_listed_by_path_and_status_0(cli, directory, later):
    (directory / TEMPORARY).write_text("{")
    directory.with_name(".signac-rm-x").mkdir()
    result = cli("check")
    assert (result.status, result.err) == (0, "Found 0 problems, 2 harmless.\n")
    assert [line.partition(" (harmless): ")[0] for line in result.lines] == [
        f"workspace/{directory.name}/{TEMPORARY}: temporary file",
        "workspace/.signac-rm-x: unfinished removal",
    ]
    assert all(line.endswith("--repair can delete it.") for line in result.lines)


def test_check_when_a_name_has_a_line_break_then_still_one_line(cli, directory):
    directory.rename(directory.with_name(f"{directory.name}\n\x1b[31mx"))
    result = cli("check")
    assert (result.status, len(result.lines)) == (3, 1)
    assert "\x1b" not in result.out


def test_check_when_a_directory_cannot_be_listed_then_told_and_the_others_checked(cli, study, directory, monkeypatch):
    remove_state_point(directory.with_name(study["2"]))
    scandir = os.scandir

    def refused(path):
        if path == str(directory):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    result = cli("check")
    assert (result.status, result.err) == (3, "Found 2 problems.\n")
    assert "The directory cannot be read: Permission denied." in result.out
    assert f"{study['2']}: missing state point" in result.out


def test_check_when_the_workspace_cannot_be_read_then_one_line(cli, project):
    Path(project.workspace).rmdir()
    Path(project.workspace).write_text("x")
    result = cli("check")
    assert (result.status, result.out) == (1, "")
    assert project.workspace in result.err
    assert result.err.count("\n") == 1


# --- repair ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def later_if_need_be(request: pytest.FixtureRequest) -> None:
    """Two hours later, which some kinds of damage wait for."""
    with for_some_cases():
        request.getfixturevalue("later")


@pytest.mark.parametrize("damage", [damage for damage, _, _ in REPAIRABLE])
def test_repair_when_it_can_be_repaired_then_told_and_status_0(cli, directory, damage, later_if_need_be):
    (directory / "data.txt").write_text("x")
    name = damage(directory)
    result = cli("check", "--repair")
    assert (result.status, result.err) == (0, "Repaired 1 problem.\n")
    (line,) = result.lines
    assert line.startswith(f"{name}: ")
    assert "Restored." in line or "Renamed to " in line
    assert cli("check").status == 0
    assert [path.read_text() for path in Path("workspace").glob("*/data.txt")] == ["x"]


@pytest.mark.parametrize("damage", WITH_CACHE)
def test_repair_when_the_cache_knows_the_state_point_then_restored(cli, directory, damage):
    Project().update_cache()
    before = json.loads((directory / SP).read_text())
    damage(directory)
    result = cli("check", "--repair")
    assert (result.status, result.err) == (0, "Repaired 1 problem.\n")
    assert result.out.endswith(" Restored.\n")
    assert json.loads((directory / SP).read_text()) == before


@pytest.mark.parametrize(("damage", "kind", "advice"), BEYOND_REPAIR)
def test_repair_when_it_cannot_be_repaired_then_left_and_status_3(cli, directory, damage, kind, advice):
    name = damage(directory)
    before = snapshot()
    result = cli("check", "--repair")
    assert (result.status, result.err) == (3, "Repaired 0 problems, 1 left.\n")
    (line,) = result.lines
    assert line.startswith(f"{name}: {kind}: ")
    assert advice in line
    assert snapshot() == before


def test_repair_when_only_some_can_be_repaired_then_those_are(cli, study, directory):
    rename_directory(directory)
    remove_state_point(directory.with_name(study["2"]))
    result = cli("check", "--repair")
    assert (result.status, result.err) == (3, "Repaired 1 problem, 1 left.\n")
    assert directory.exists()


def test_repair_when_there_is_litter_then_deleted(cli, directory, later):
    (directory / TEMPORARY).write_text("{")
    result = cli("check", "--repair")
    assert (result.status, result.err) == (0, "Repaired 1 problem.\n")
    assert result.out.endswith(" Deleted.\n")
    assert not (directory / TEMPORARY).exists()


def test_repair_when_a_stopped_sync_left_files_in_subdirectories_then_deleted(cli, directory, later):
    left = [directory / "._0123456789abcdef_sync", directory / "sub" / "deep" / "._0123456789abcdef_sync"]
    left[-1].parent.mkdir(parents=True)
    for path in left:
        path.write_text("half")
    listed = cli("check")
    assert (listed.status, listed.err) == (0, "Found 0 problems, 2 harmless.\n")
    assert f"{directory.name}/sub/deep/._0123456789abcdef_sync: temporary file" in listed.out
    assert cli("check", "--repair").err == "Repaired 2 problems.\n"
    assert not any(path.exists() for path in left)


def test_repair_when_litter_is_in_use_again_then_kept_and_harmless(cli, directory, later, monkeypatch):
    (directory / TEMPORARY).write_text("{")
    monkeypatch.setattr(litter, "delete", lambda path: False)
    result = cli("check", "--repair")
    assert (result.status, result.err) == (0, "Repaired 0 problems, 1 harmless.\n")
    assert "Another process" in result.out


def test_repair_when_the_disk_refuses_then_says_why(cli, directory, monkeypatch):
    Project().update_cache()
    remove_state_point(directory)

    def refused(path, *_, **__):
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr("signac_core.files.replace_file", refused)
    result = cli("check", "--repair")
    assert (result.status, result.err) == (3, "Repaired 0 problems, 1 left.\n")
    assert result.out.endswith(f" No space left on device: '{directory / SP}'.\n")


@pytest.mark.parametrize(("damage", "kind", "advice"), [*BEYOND_REPAIR, *REPAIRABLE])
def test_repair_when_dry_run_then_told_and_nothing_changed(cli, directory, damage, kind, advice):
    repairable = (damage, kind, advice) in REPAIRABLE
    name = damage(directory)
    before = snapshot()
    result = cli("check", "--repair", "--dry-run")
    (line,) = result.lines
    assert line.startswith(f"{name}: {kind}: ")
    assert advice in line
    if repairable:
        assert (result.status, result.err) == (0, "Would have repaired 1 problem.\n")
        assert f"Would {advice}" in line
    else:
        assert (result.status, result.err) == (3, "Would have repaired 0 problems, 1 left.\n")
    assert snapshot() == before


def test_dry_run_when_nothing_is_to_be_repaired_then_usage_error(cli, directory):
    rename_directory(directory)
    before = snapshot()
    result = cli("check", "-n")
    assert (result.status, result.out) == (2, "")
    assert "--repair" in result.err
    assert snapshot() == before


def test_repair_when_nobody_reads_about_it_then_done(directory):
    rename_directory(directory)
    read, write = os.pipe()
    os.close(read)
    try:
        result = execute("-q", "check", "--repair", stdout=write)
    finally:
        os.close(write)
    assert (result.status, result.err) == (0, "")
    assert (directory / SP).exists()


# --- the report ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "status", "counts", "action", "message"),
    [
        ([], 3, {"found": 1, "harmless": 0}, "found", "--repair can rename the directory to {}."),
        (["--repair"], 0, {"mended": 1, "left": 0, "harmless": 0}, "mended", "Renamed to {}."),
        (["--repair", "-n"], 0, {"mended": 1, "left": 0, "harmless": 0}, "mended", "Would rename the directory to {}."),
    ],
)
def test_check_when_json_then_one_report(cli, directory, options, status, counts, action, message):
    name = rename_directory(directory)
    result = cli("-q", "check", "--json", *options)
    assert (result.status, result.err) == (status, "")
    report = json.loads(result.out)
    assert report["jobs"][0].pop("detail").startswith("The name begins with a job id")
    assert report == {
        "command": "check",
        "dry_run": "-n" in options,
        "counts": counts | {"failed": 0},
        "warnings": [],
        "jobs": [
            {
                "id": name,
                "action": action,
                "kind": "stray-directory",
                "path": str(directory.with_name(name)),
                "message": message.format(directory.name),
            }
        ],
        "errors": [],
    }


def test_check_when_json_and_nothing_is_wrong_then_empty_report(cli, study):
    result = cli("check", "--json")
    assert (result.status, result.err) == (0, "Found 0 problems.\n")
    report = json.loads(result.out)
    assert (report["counts"], report["jobs"]) == ({"found": 0, "harmless": 0, "failed": 0}, [])


def test_check_when_json_then_litter_and_the_project_document_are_told_apart(cli, directory, later):
    (directory / TEMPORARY).write_text("{")
    damage_project_document(directory)
    report = json.loads(cli("check", "--json").out)
    assert report["counts"] == {"found": 1, "harmless": 1, "failed": 0}
    assert {(job["id"], job["action"], job["path"]) for job in report["jobs"]} == {
        (directory.name, "harmless", str(directory / TEMPORARY)),
        ("", "found", str(Path("signac_project_document.json").absolute())),
    }


@pytest.mark.parametrize("options", [[], ["--repair"], ["--repair", "-n"]])
def test_check_when_locks_hold_on_one_host_only_then_a_warning_and_no_problem(cli, study, monkeypatch, options):
    number = os.stat(".").st_dev
    Path("mounts").write_text(
        f"44 30 {os.major(number)}:{os.minor(number)} / /data rw - lustre mds:/data rw,localflock\n"
    )
    monkeypatch.setattr(mounts, "_MOUNT_TABLE", "mounts")
    result = cli("check", *options, "--json")
    assert result.status == 0
    assert result.err.startswith("Warning: The file system at '/data' (lustre, localflock) has no locks between hosts")
    (warning,) = json.loads(result.out)["warnings"]
    assert "Mount it with flock" in warning


def test_check_when_there_is_no_project_then_one_line(cli):
    result = cli("check")
    assert (result.status, result.out) == (1, "")
    assert "There is no project" in result.err
