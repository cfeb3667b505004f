"""``update-cache``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.support.running import snapshot

CACHE = Path(".signac/statepoint_cache.json.gz")


def cached() -> dict:
    return json.loads(gzip.decompress(CACHE.read_bytes()))


def damage(project, job_id):
    Path(project.workspace, job_id, "signac_statepoint.json").write_text("{")


def test_update_when_there_is_no_cache_then_written_and_told_on_stderr(cli, study):
    result = cli("update-cache")
    assert (result.status, result.out) == (0, "")
    assert result.err == "Updating cache...\nUpdated cache (size=4).\n"
    assert cached().keys() == set(study.values())


def test_update_when_nothing_is_new_then_up_to_date(cli, study):
    cli("update-cache")
    before = CACHE.read_bytes()
    result = cli("update-cache")
    assert (result.status, result.err) == (0, "Updating cache...\nCache is up to date.\n")
    assert CACHE.read_bytes() == before


def test_update_when_jobs_came_and_went_then_they_do_in_the_cache(cli, study, project):
    cli("update-cache")
    cli("rm", study["1"])
    new = project.open_job({"T": 7}).init().id
    assert cli("update-cache").err == "Updating cache...\nUpdated cache (size=4).\n"
    assert cached().keys() == {new, *study.values()} - {study["1"]}


def test_update_when_quiet_then_silent(cli, study):
    result = cli("-q", "update-cache")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_update_when_a_job_is_damaged_then_the_others_are_written_and_it_is_named(cli, study, project):
    damage(project, study["2"])
    result = cli("update-cache")
    assert result.status == 1
    assert cached().keys() == set(study.values()) - {study["2"]}
    assert f"{study['2']} (The state point file is not valid JSON)" in result.err
    assert "signac check" in result.err


def test_update_when_the_cache_is_damaged_then_warned_and_rebuilt(cli, study):
    CACHE.write_bytes(b"garbage")
    result = cli("update-cache")
    assert (result.status, result.out) == (0, "")
    assert result.err.splitlines()[1].startswith("Warning: The cache file ")
    assert cached().keys() == set(study.values())


def test_update_when_json_then_one_report(cli, study, project):
    damage(project, study["2"])
    result = cli("-q", "update-cache", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert (report["command"], report["dry_run"], report["state"]) == ("update-cache", False, "updated")
    assert report["counts"] == {"cached": 3, "failed": 1}
    assert [(error["id"], error["code"]) for error in report["errors"]] == [(study["2"], "damaged-jobs")]
    assert json.loads(result.err)["error"]["code"] == "damaged-jobs"


def test_update_when_json_and_current_then_counted(cli, study):
    cli("update-cache")
    report = json.loads(cli("-q", "update-cache", "--json").out)
    assert (report["state"], report["counts"]) == ("current", {"cached": 4, "failed": 0})


@pytest.mark.parametrize(
    ("prepare", "state", "status"),
    [
        (lambda cli, project: None, "absent", 3),
        (lambda cli, project: cli("update-cache"), "current", 0),
        (lambda cli, project: (cli("update-cache"), project.open_job({"x": 1}).init()), "stale", 3),
        (lambda cli, project: (cli("update-cache"), next(iter(project)).remove()), "stale", 3),
        (lambda cli, project: CACHE.write_bytes(b"garbage"), "damaged", 3),
    ],
)
def test_check_when_asked_then_status_says_whether_an_update_is_due_and_nothing_is_written(
    cli, study, project, prepare, state, status
):
    prepare(cli, project)
    before = snapshot()
    result = cli("update-cache", "--check")
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1
    report = json.loads(cli("-q", "update-cache", "--check", "--json").out)
    assert (report["state"], report["dry_run"]) == (state, True)
    assert snapshot() == before


def test_check_when_stale_then_says_what_is_missing_and_obsolete(cli, study, project):
    cli("update-cache")
    cli("rm", study["1"])
    project.open_job({"x": 1}).init()
    project.open_job({"x": 2}).init()
    result = cli("update-cache", "--check", "--json")
    assert json.loads(result.out)["counts"] == {"cached": 3, "missing": 2, "obsolete": 1}
    assert "out of date: 2 jobs missing, 1 entry without a job." in result.err


def test_clear_when_there_is_a_cache_then_everything_derived_is_deleted(cli, study):
    before = snapshot()
    cli("update-cache")
    result = cli("update-cache", "--clear")
    assert (result.status, result.out, result.err) == (0, "", "Deleted the cache.\n")
    assert snapshot() == before


def test_clear_when_there_is_none_then_no_mistake(cli, study):
    result = cli("update-cache", "--clear", "--json")
    assert (result.status, result.err) == (0, "There is no cache.\n")
    assert json.loads(result.out)["state"] == "absent"


def test_check_and_clear_when_together_then_usage_error(cli, study):
    assert cli("update-cache", "--check", "--clear").status == 2


def test_update_when_there_is_no_project_then_told(cli):
    result = cli("update-cache")
    assert (result.status, result.out) == (1, "")
    assert "no project" in result.err
