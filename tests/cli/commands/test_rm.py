from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.running import snapshot


def jobs(project):
    return sorted(path.name for path in Path(project.workspace).iterdir())


def test_rm_when_ids_given_then_removed(cli, study, project):
    result = cli("rm", study["1"], study["2"][:4], f"workspace/{study['1.5']}/")
    assert (result.status, result.out, result.err) == (0, "", "Removed 3 jobs.\n")
    assert jobs(project) == [study["-5"]]


def test_rm_when_given_twice_then_removed_once(cli, study, project):
    assert cli("rm", study["1"], study["1"]).err == "Removed 1 job.\n"


def test_rm_when_ids_on_stdin_then_removed(cli, study, project):
    assert cli("-q", "rm", "-", stdin=f"{study['1']}\0{study['2']}\0").err == ""
    assert jobs(project) == sorted([study["1.5"], study["-5"]])


def test_rm_when_stdin_is_empty_then_nothing_removed(cli, study):
    before = snapshot()
    result = cli("rm", "-")
    assert (result.status, result.err) == (0, "Removed 0 jobs.\n")
    assert snapshot() == before


def test_rm_when_filtered_then_matching_jobs_removed(cli, study, project):
    assert cli("-q", "rm", "--filter", "p", "3").status == 0
    assert jobs(project) == sorted([study["1"], study["1.5"]])


def test_rm_when_cleared_then_only_the_state_point_is_left(cli, study, project):
    directory = Path(project.workspace, study["1.5"])
    (directory / "out.txt").write_text("x")
    (directory / "deep").mkdir()
    (directory / "deep" / "file").write_text("x")
    result = cli("rm", "-c", study["1.5"])
    assert (result.status, result.err) == (0, "Cleared 1 job.\n")
    assert sorted(path.name for path in directory.iterdir()) == ["signac_job_document.json", "signac_statepoint.json"]
    assert (directory / "signac_job_document.json").read_text() == "{}"


def test_rm_when_dry_run_then_ids_printed_and_nothing_removed(cli, study):
    before = snapshot()
    result = cli("rm", "-n", study["1"][:6], study["2"])
    assert (result.status, result.lines) == (0, [study["1"], study["2"]])
    assert result.err == "Would have removed 2 jobs.\n"
    assert snapshot() == before


@pytest.mark.parametrize(("dry_run", "left"), [([], 3), (["-n"], 4)])
def test_rm_when_json_then_one_report(cli, study, project, dry_run, left):
    result = cli("-q", "rm", study["1"], "--json", *dry_run)
    assert json.loads(result.out) == {
        "command": "rm",
        "dry_run": bool(dry_run),
        "counts": {"removed": 1, "kept": 0, "absent": 0, "failed": 0},
        "jobs": [{"id": study["1"], "action": "removed"}],
        "errors": [],
    }
    assert result.err == ""
    assert len(jobs(project)) == left


@pytest.mark.parametrize("answer", ["y", "Y", "yes", "ye", " yes "])
def test_rm_when_interactive_and_yes_then_removed(cli, study, project, answer):
    result = cli("rm", "-i", study["1"], stdin=f"{answer}\n")
    assert (result.status, result.out) == (0, "")
    state_point = '{"T": 1.0, "p": 1, "name": "lj", "model": {"eps": 1.5, "cut": null}}'
    assert result.err == f"The state point is {state_point}. Remove job {study['1']}? [y/N] \nRemoved 1 job.\n"
    assert study["1"] not in jobs(project)


def test_rm_when_interactive_and_the_state_point_is_damaged_then_says_so(cli, study, project):
    Path(project.workspace, study["1"], "signac_statepoint.json").write_text("{")
    result = cli("rm", "-i", study["1"], stdin="n\n")
    assert result.err.startswith(f"The state point cannot be read. Remove job {study['1']}? [y/N] ")


def test_rm_when_interactive_and_the_state_point_is_long_then_only_its_beginning(cli, project):
    job = project.open_job({"text": "x" * 5000}).init()
    result = cli("rm", "-i", job.id, stdin="n\n")
    assert result.err.startswith('The state point is {"text": "xxx')
    assert len(result.err) < 1200


@pytest.mark.parametrize("answer", ["n", "no", "", "NO", "maybe\nn"])
def test_rm_when_interactive_and_no_then_kept(cli, study, answer):
    before = snapshot()
    result = cli("rm", "--interactive", study["1"], stdin=f"{answer}\n")
    assert (result.status, result.out) == (0, "")
    assert result.err.endswith("Removed 0 jobs, 1 kept.\n")
    assert snapshot() == before


def test_rm_when_interactive_then_each_job_is_asked_for(cli, study, project):
    result = cli("rm", "-ic", study["1"], study["2"], stdin="n\ny\n")
    assert result.err.count("Clear job") == 2
    assert not Path(project.workspace, study["1"], "signac_job_document.json").exists()
    assert Path(project.workspace, study["2"], "signac_job_document.json").exists()


def test_rm_when_no_answer_comes_then_error_and_kept(cli, study):
    before = snapshot()
    result = cli("rm", "-i", study["1"])
    assert (result.status, result.out) == (1, "")
    assert "Use -y" in result.err
    assert snapshot() == before


@pytest.mark.parametrize("where", ["before", "after", "environment"])
def test_rm_when_yes_is_given_then_not_asked(cli, study, project, monkeypatch, where):
    if where == "environment":
        monkeypatch.setenv("SIGNAC_YES", "1")
    before, after = {"before": (["-y"], []), "after": ([], ["--yes"]), "environment": ([], [])}[where]
    assert cli(*before, "rm", "-i", study["1"], *after).err == "Removed 1 job.\n"
    assert study["1"] not in jobs(project)


@pytest.mark.parametrize(
    "bad",
    ["", "zz", "ZZZZ", "0000", "123", "../../x" + "x" * 40, "/etc", "a" * 33, "workspace/..", "*", "9BFD", "./"],
)
def test_rm_when_any_id_is_bad_then_one_line_and_nothing_removed(cli, study, bad):
    before = snapshot("..")
    result = cli("rm", study["1"], bad)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("Error: ")
    assert result.err.count("\n") == 1
    assert snapshot("..") == before


def test_rm_when_several_ids_are_bad_then_each_is_told(cli, study):
    before = snapshot()
    result = cli("rm", "zz", study["1"][:3], study["1"], "yy")
    assert [line.split("'")[1] for line in result.err.splitlines()] == ["zz", study["1"][:3], "yy"]
    assert snapshot() == before


def test_rm_when_prefix_is_ambiguous_then_refused(cli, project):
    ids = [project.open_job({"i": i}).init().id for i in range(1200)]
    prefixes = [job_id[:4] for job_id in ids]
    ambiguous = next(prefix for prefix in prefixes if prefixes.count(prefix) > 1)
    result = cli("rm", ambiguous)
    assert result.status == 1
    assert "ambiguous" in result.err
    assert len(jobs(project)) == len(ids)


def test_rm_when_no_jobs_are_named_then_usage_error(cli, study):
    before = snapshot()
    for arguments in ([], ["-n"], ["-c"], ["--json"], ["--filter"]):
        assert cli("rm", *arguments).status == 2
    assert snapshot() == before


def test_rm_when_ids_and_filter_given_then_refused(cli, study):
    before = snapshot()
    assert cli("rm", study["1"], "--filter", "T", "1").status == 1
    assert snapshot() == before


def test_rm_when_job_is_damaged_then_removed_by_id(cli, study, project):
    Path(project.workspace, study["1"], "signac_statepoint.json").unlink()
    assert cli("rm", study["1"]).status == 0
    assert study["1"] not in jobs(project)


def test_rm_when_a_job_was_removed_meanwhile_then_absent(cli, study, project, monkeypatch):
    from signac_core import lifecycle

    remove = lifecycle.remove

    def removed_by_another_first(directory, job_id):
        remove(directory, job_id)
        return remove(directory, job_id)

    monkeypatch.setattr(lifecycle, "remove", removed_by_another_first)
    result = cli("rm", study["1"])
    assert (result.status, result.err) == (0, "Removed 0 jobs, 1 absent.\n")


def test_rm_when_a_job_cannot_be_removed_then_told_and_the_others_removed(cli, study, project, monkeypatch):
    from signac_core import lifecycle

    remove = lifecycle.remove

    def refused(directory, job_id):
        if job_id == study["1"]:
            raise PermissionError(13, "Permission denied", f"{directory}/{job_id}")
        return remove(directory, job_id)

    monkeypatch.setattr(lifecycle, "remove", refused)
    result = cli("rm", study["1"], study["2"], "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"] == {"removed": 1, "kept": 0, "absent": 0, "failed": 1}
    assert report["errors"][0]["id"] == study["1"]
    assert "Permission denied" in report["errors"][0]["message"]


def test_rm_when_a_job_directory_is_a_link_then_refused_and_the_others_are_removed(cli, study, project):
    place = Path(project.workspace, study["1"])
    place.rename("elsewhere")
    place.symlink_to(Path("elsewhere").absolute())
    result = cli("rm", study["1"], study["2"])
    assert (result.status, result.out) == (1, "")
    first, last = result.err.splitlines()
    assert first.startswith(
        f"Error: The job directory is a link to '{Path('elsewhere').absolute()}', and its data would"
    )
    assert last == "Removed 1 job, 1 failed."
    assert place.is_symlink()
    assert Path("elsewhere/signac_statepoint.json").exists()
