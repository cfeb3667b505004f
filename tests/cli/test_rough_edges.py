"""What goes wrong with signac 2.4.1 on the command line, by the numbers of the list in the reference: not here."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from signac_cli.app import COMMANDS
from signac_core import Project
from tests.cli.test_startup import COMMANDS as START_UP
from tests.support.running import PROGRAM, ROOT, environment, execute, snapshot

OTHER = "other"
"""The directory of a second project."""


@pytest.fixture
def other(project: Project) -> Project:
    return Project.init_project(OTHER)


def jobs_of(project: Project) -> set[str]:
    return set(os.listdir(project.workspace))


# --- dangerous -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["rm", "{name}"],
        ["rm", "-c", "{name}"],
        ["document", "{name}", "--set", "a=1"],
        ["move", "{other}", "{name}"],
        ["clone", "{other}", "{name}"],
    ],
)
@pytest.mark.parametrize(
    "name", ["../../victim_directory_with_a_very_long_name", "{id}/data_directory_with_a_long_name"]
)
def test_r01_an_id_that_is_a_path_reaches_nothing(cli, study, other, command, name):
    Path("victim_directory_with_a_very_long_name").mkdir()
    Path("workspace", study["1"], "data_directory_with_a_long_name").mkdir()
    before = snapshot()
    result = cli(*(part.format(other=OTHER, name=name.format(id=study["1"])) for part in command))
    assert (result.status, snapshot()) == (1, before)


def test_r02_sync_n_changes_nothing_and_says_what_it_would_do(cli, study, other):
    job = other.open_job({"T": 1.0, "p": 1, "name": "lj", "model": {"eps": 1.5, "cut": None}}).init()
    other.open_job({"new": 1}).init()
    Path(job.path, "data.txt").write_text("x")
    job.doc.nest = {"a": 1}
    before = snapshot()
    result = cli("sync", OTHER, "-n", "-m", "--json")
    assert (result.status, snapshot()) == (0, before)
    assert json.loads(result.out)["dry_run"]


@pytest.mark.parametrize("text", ["[1]", '"a"', "5", "null", '{"a.b": 1}', "{a: 0}"])
def test_r03_job_c_with_a_bad_state_point_leaves_nothing(cli, study, text):
    before = snapshot()
    assert cli("job", "-c", text).status == 1
    assert snapshot() == before
    assert cli("find", "T", "1").status == 0


def test_r04_view_of_nothing_is_empty(cli, study):
    assert cli("view").status == 0
    assert cli("view", "-f", "zz", "1").status == 0
    assert [path for path in Path("view").rglob("*") if path.is_symlink()] == []


def test_r05_view_deletes_no_file_of_the_user(cli, study):
    Path("view", "old").mkdir(parents=True)
    Path("view", "old", "job").write_text("mine")
    assert cli("view").status == 0
    assert Path("view", "old", "job").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "4", "42b"])
def test_r06_rm_takes_no_empty_and_no_short_id(cli, project, text):
    project.open_job({"a": 1}).init()
    assert cli("rm", text).status == 1
    assert len(project) == 1


def test_r07_sync_i_compares_content(cli, project, other):
    for one, text in ((project, "old"), (other, "new")):
        file = Path(one.open_job({"a": 1}).init().path, "data.txt")
        file.write_text(text)
        os.utime(file, (10**9, 10**9))
    assert cli("sync", OTHER, "-s", "always").status == 0
    file = Path(project.open_job({"a": 1}).path, "data.txt")
    assert file.read_text() == "old"
    assert cli("sync", OTHER, "-I", "-s", "always").status == 0
    assert file.read_text() == "new"


def test_r08_sync_selects_in_the_source_and_excludes_from_clones(cli, project, other, tmp_path, monkeypatch):
    for a in (1, 2):
        Path(other.open_job({"a": a}).init().path, "log.txt").write_text("x")
    monkeypatch.chdir(tmp_path)  # outside of any project
    assert cli("sync", other.path, project.path, "-f", "a", "2", "-x", "log").status == 0
    (job,) = project
    assert (job.sp(), job.isfile("log.txt")) == ({"a": 2}, False)


def test_r09_yes_answers_every_question(cli, study, project):
    assert cli("-y", "rm", "-i", study["1"]).status == 0
    assert study["1"] not in jobs_of(project)
    Path(".signac/config").write_text("schema_version = 1\n")
    Path("signac.rc").write_text("project = study\nschema_version = 1\n")
    shutil.rmtree(".signac")
    assert cli("-y", "migrate").status == 0
    assert Path(".signac/config").exists()


def test_r10_failure_is_never_status_0(cli, study, other):
    assert cli("export", "out").status == 0
    shutil.rmtree(f"workspace/{study['1']}")
    Path("workspace", study["1.5"], "more.txt").write_text("x")
    assert cli("import", "out").status == 1
    assert cli("shell", "-c", "1/0").status == 1
    assert cli("clone", OTHER, study["2"]).status == 0
    assert cli("clone", OTHER, study["2"], "-e").status == 3
    for command in (["schema"], ["view"], ["export", "x"], ["sync", OTHER], ["shell", "-c", ""]):
        assert cli(*command, "-j", "zzzz").status == 1


def test_r11_exports_are_whole_or_absent(cli, study):
    assert cli("export", "out.zip").status == 0
    before = Path("out.zip").read_bytes()
    assert cli("export", "out.zip").status == 0  # it is whole already
    assert cli("export", "out.zip", "{job.id}").status == 1
    assert cli("export", "out.zip", "{zz}", "--force").status == 1
    assert Path("out.zip").read_bytes() == before
    assert cli("export", "out.tar").status == 0
    size = Path("out.tar").stat().st_size
    assert cli("export", "out.tar", "--force").status == 0
    assert Path("out.tar").stat().st_size == size
    Path("there", study["1"]).mkdir(parents=True)
    Path("there", study["1"], "mine").write_text("x")
    assert cli("export", "--move", "there", "{job.id}").status == 1
    assert os.listdir(f"there/{study['1']}") == ["mine"]
    assert len(zipfile.ZipFile(io.BytesIO(before)).namelist()) >= len(study)


def test_r12_a_state_point_has_one_id_in_every_locale(project):
    locale = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert execute("job", '{"name": "Ångström"}', env=locale).out == "bb34432e55ec2a0653a44dffa0db1249\n"


def test_r13_where_runs_nothing_unless_it_is_allowed(cli, study):
    filter = '{"T": {"$where": "lambda x: __import__(\\"os\\").mkdir(\\"pwned\\") or True"}}'
    result = cli("find", filter)
    assert (result.status, Path("pwned").exists()) == (1, False)
    assert "--allow-eval" in result.err


# --- annoying --------------------------------------------------------------------------------------------------------


def test_r20_everything_speaks_json(cli, study, other):
    for command in (
        ["find", "--json", "--doc"],
        ["statepoint", "--json"],
        ["document", "--json"],
        ["schema", "--json"],
        ["diff", "--json"],
        ["neighbors", study["1"], "--json"],
        ["config", "show", "--json"],
        ["sync", OTHER, "-m", "--stats", "--json"],
    ):
        assert json.loads(cli(*command).out) is not None
    lines = cli("find", "-s", "-1", "T=1.5").lines
    assert [line.split()[1] for line in lines[1:]] == ["sp", "doc"]


def test_r21_results_are_sorted_limited_and_counted(cli, study):
    ids = cli("find", "p>0").lines
    assert ids == sorted(study.values())
    assert cli("find", "p>0", "-L", "1").lines == ids[:1]
    assert cli("find", "p>0", "--count").out == "4\n"
    assert cli("find", "--sort", "T").lines == [study[T] for T in ("-5", "1", "1.5", "2")]


def test_r22_ids_come_from_standard_input_and_none_is_not_all(cli, study):
    for command in (["statepoint", "-"], ["document", "-"], ["diff", "-"], ["neighbors", "-"]):
        assert (cli(*command, stdin="").out, cli(*command, stdin=study["1"]).status) == ("", 0)


def test_r23_options_leave_filters_and_numbers_alone(cli, study):
    assert cli("-q", "find", "-s", "T", "1").lines[0] == study["1"]
    assert cli("-q", "find", "--sp", "T", "--", "T", "1").lines[0] == study["1"]
    assert cli("-q", "find", "T", "-5").lines == [study["-5"]]


def test_r24_operators_need_no_dollar_and_texts_can_look_like_numbers(cli, study, project):
    job = project.open_job({"name": "1"}).init()
    assert cli("-q", "find", "T>=1.5").lines == sorted([study["1.5"], study["2"]])
    assert cli("-q", "find", "name", '"1"').lines == [job.id]


@pytest.mark.parametrize("command", [["find", "T", "1"], ["export", "out"], ["import", "data"], ["sync", OTHER, "-m"]])
def test_r25_q_silences_everything_but_results(cli, study, other, command):
    Path("data").mkdir()
    other.open_job({"b": 1}).init()
    assert cli("-q", *command).err == ""
    assert "\r" not in cli(*command).err


def test_r26_a_reader_that_stops_early_is_no_error(project):
    for i in range(2000):
        project.open_job({"i": i, "text": "x" * 50}).init()
    signac = f'signac() {{ {" ".join(PROGRAM)} "$@"; }}'
    for command in ("statepoint", "document", "diff", "schema -r 5000"):
        script = f"set -euo pipefail; {signac}; signac {command} | head -n 1"
        run = subprocess.run(["bash", "-c", script], env=environment(), capture_output=True, text=True, timeout=60)
        assert (run.returncode, run.stderr, len(run.stdout.splitlines())) == (0, "", 1)


def test_r27_messages_say_what_and_where(cli, study, project):
    assert cli("view", "-j", "zzz").err.count("zzz") == 1
    Path("workspace", study["1"], "signac_statepoint.json").write_text("{")
    result = cli("find", "T", "1.5")
    assert (result.status, result.lines) == (1, [study["1.5"]])
    assert study["1"] in result.err
    assert "signac check" in result.err
    assert "f{" not in cli("-v", "rm", study["2"]).err


def test_r28_check_finds_and_repairs(cli, study, project):
    cli("update-cache")
    Path("workspace", study["1"], "signac_statepoint.json").write_text("{")
    assert cli("check").status == 3
    assert cli("check", "--repair").status == 0
    assert cli("check").status == 0


def test_r29_no_option_is_ignored(cli, study, project):
    assert cli("job", "-w", "{}").out == cli("job", "-p", "{}").out != cli("job", "{}").out
    assert len({cli("diff", *options).out for options in ([], ["-p", "1"], ["-i"])}) == 3
    assert "  find  " in cli("--help").out


def test_r30_there_are_completions_manuals_tables_and_dry_runs(cli, study, tmp_path):
    for shell in ("bash", "zsh", "fish"):
        assert "signac" in cli("completion", shell).out
    assert {f"signac-{command}.1" for command in COMMANDS} <= set(os.listdir(ROOT / "man"))
    assert cli("find", "--table").lines[0].split()[0] == "id"
    here = cli("find").out
    assert cli("-C", str(Path.cwd()), "find").out == here
    assert cli("rm", "-n", study["1"]).status == 0
    assert cli("find").out == here


def test_r31_start_up_of_every_command_is_bounded():
    assert {command.partition(" ")[0] for command in START_UP} == {*COMMANDS, "--version"}


def test_r32_a_query_with_a_cache_opens_no_state_point(cli, study):
    cli("update-cache")
    for job_id in study.values():  # unreadable, but for the index
        Path("workspace", job_id, "signac_statepoint.json").write_text("{")
    assert cli("find", "T>=1.5").lines == sorted([study["1.5"], study["2"]])


def test_r33_only_ids_are_jobs(cli, study, project):
    Path(project.workspace, study["1"] + ".bak").mkdir()
    assert cli("find").lines == sorted(study.values())


def test_r34_config_is_found_from_below_and_a_missing_key_is_an_error(cli, study, monkeypatch):
    monkeypatch.chdir(Path("workspace", study["1"]))
    assert cli("config", "-l", "show", "schema_version").out == "2\n"
    assert (cli("config", "show", "missing").status, cli("config", "show", "missing").out) == (1, "")


def test_r35_documents_can_be_written(cli, study, project):
    assert cli("document", study["1"], "--set", "energy=-1.5").status == 0
    assert project.open_job(id=study["1"]).doc() == {"energy": -1.5}


# --- all of them -----------------------------------------------------------------------------------------------------


def test_rough_edges_when_counted_then_each_has_a_test():
    numbers = {int(name[6:8]) for name in globals() if name.startswith("test_r") and name[6:8].isdigit()}
    assert numbers == {*range(1, 14), *range(20, 36)}
