"""``status``."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support.running import on_terminal, snapshot

KEYS = ["T", "list", "model.cut", "model.eps", "name", "on", "p"]


def test_status_when_on_a_pipe_then_a_line_per_fact(cli, study, project):
    result = cli("status")
    assert (result.status, result.err) == (0, "")
    assert result.lines == [
        f"project  {project.path}",
        "jobs     4",
        f"keys     {', '.join(KEYS)}",
        "cache    absent: 'signac update-cache' writes it, for signac 2.x and repairs",
        "index    absent: the first large query writes it",
        "damaged  none known",
    ]


def test_status_when_run_then_nothing_is_written(cli, study):
    before = snapshot()
    assert cli("status").status == 0
    assert snapshot() == before


def test_status_when_json_then_one_object(cli, study, project):
    result = cli("-q", "status", "--json")
    assert json.loads(result.out) == {
        "path": project.path,
        "workspace": project.workspace,
        "jobs": 4,
        "keys": KEYS,
        "keys_from": 4,
        "cache": {"state": "absent", "size": 0, "missing": 4, "obsolete": 0},
        "index": {"state": "absent", "size": 0, "missing": 0},
        "damaged": [],
    }


def test_status_when_the_cache_is_written_then_current_and_later_stale(cli, study, project):
    cli("update-cache")
    assert cli("status").lines[3:5] == ["cache    current", "index    current"]
    project.open_job({"new": {"key": 1}}).init()
    lines = cli("status").lines
    assert lines[1:3] == ["jobs     5", "keys     T, list, model.cut, model.eps, name, new.key, on, p"]
    assert lines[3] == "cache    stale: 1 missing; see 'signac update-cache'"
    assert lines[4] == "index    stale: 1 missing; see 'signac update-cache'"


def test_status_when_a_job_with_its_own_key_has_gone_then_the_key_has_too(cli, study):
    cli("update-cache")
    cli("rm", study["-5"])
    assert cli("status").lines[2] == "keys     T, model.cut, model.eps, name, p"


def test_status_when_the_cache_is_damaged_then_told(cli, study):
    Path(".signac/statepoint_cache.json.gz").write_bytes(b"garbage")
    assert cli("status").lines[3].startswith("cache    damaged")


def test_status_when_damage_is_known_then_named(cli, study, project):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("{")
    stray = Path(project.workspace, study["1"] + ".bak")
    stray.mkdir()
    result = cli("status", "--json")
    assert result.status == 0
    seen = json.loads(result.out)
    assert seen["damaged"] == sorted([study["2"], stray.name])
    assert (seen["jobs"], seen["keys_from"]) == (4, 3)
    assert "see 'signac check'" in cli("status").lines[-1]


def test_status_when_there_are_many_jobs_then_only_some_are_read(cli, project):
    for n in range(120):
        project.open_job({"n": n}).init()
    assert cli("status").lines[1:3] == ["jobs     120", "keys     n (of 100 jobs)"]


def test_status_when_the_project_is_empty_then_said_so(cli, project):
    assert cli("status").lines[1:3] == ["jobs     0", "keys     none"]


def test_status_when_on_a_narrow_terminal_then_wrapped_beside_the_labels(study, project):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("{")
    lines = re.sub("\033\\[[0-9;]*m", "", on_terminal("status", columns=40).out).splitlines()
    assert lines[0] == f"project  {project.path}"
    assert all(len(line) <= 40 for line in lines[1:] if study["2"] not in line)
    assert any(line.startswith(" " * 9) for line in lines)
    assert study["2"] in "".join(lines)


def test_status_when_there_is_no_project_then_told(cli):
    result = cli("status", "--json")
    assert (result.status, result.out) == (1, "")
    assert json.loads(result.err)["error"]["code"] == "no-project"
