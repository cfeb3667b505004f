"""Damage of any kind: no command breaks, what is in order stays usable, and `check` names and repairs what it can."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from signac_core import Project
from tests.fuzz import damages
from tests.fuzz.chance import Chance, seeds
from tests.fuzz.damages import Truth, content
from tests.fuzz.limits import limited, unprivileged
from tests.support.running import InProcess, Result, execute

READING = [
    ["status"],
    ["status", "--json"],
    ["find"],
    ["find", "a>=0"],
    ["find", "doc.energy<0"],
    ["find", '{"$not": {"n.b": 1}}', "--table", "--doc"],
    ["find", "--json", "--doc", "--path"],
    ["find", "--sort", "doc.energy,sp.name", "-1", "--show"],
    ["find", "--format", "{id} {sp.n.b} {doc.tags}", "--shard", "0/2"],
    ["statepoint", "--jsonl"],
    ["statepoint", "--pretty"],
    ["document", "--indent"],
    ["diff"],
    ["diff", "--table"],
    ["schema"],
    ["schema", "-x", "--json"],
    ["schema", "-t", "2"],
    ["view", "-n"],
    ["export", "-n", "../exported"],
    ["import", "-n", "."],
    ["clone", "-n", "../other", "--filter", "a>=0"],
    ["sync", "-n", "../other"],
    ["update-cache", "--check"],
    ["config", "show"],
    ["config", "verify"],
    ["migrate", "-n"],
    ["check"],
    ["check", "--json"],
    ["check", "--repair", "-n"],
]

CHANGING = [
    ["job", "-c", '{"a": 100}'],
    ["job", "-c", '{"a": 0, "n": {"b": 0}, "name": ""}'],
    ["document", "-f", "a>=0", "--set", "done=true"],
    ["document", "-f", "{}", "--unset", "energy"],
    ["rm", "--filter", "n.b=1"],
    ["rm", "-c", "--filter", "n.b=2"],
    ["move", "../other", "--filter", "a=3"],
    ["clone", "../other", "--filter", "a>=0"],
    ["sync", "../other", "--all-keys", "-s", "always"],
    ["sync", ".", "../other", "-s", "never", "--no-keys", "--merge"],
    ["export", "../exported"],
    ["export", "../exported.tar.gz"],
    ["export", "../exported.zip", "{job.id}"],
    ["import", "../exported"],
    ["import", "../exported.zip", "--skip-existing"],
    ["import", "../exported.tar.gz", "--sync"],
    ["view", "-p", "../view"],
    ["view", "{job.id}", "-p", "../view"],
    ["update-cache"],
    ["update-cache", "--clear"],
    ["config", "set", "author", "me"],
    ["migrate", "-y"],
    ["init"],
    ["check", "--repair"],
]


@pytest.fixture
def study(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study to be damaged, and beside it another project."""
    root = tmp_path / "place" / "study"
    shutil.copytree(sound, root, symlinks=True)
    other = Project.init_project(tmp_path / "place" / "other")
    other.open_job({"a": 1, "n": {"b": 1}, "name": "x"}).init().doc.energy = 7
    other.open_job({"z": 1}).init()
    monkeypatch.chdir(root)
    monkeypatch.setenv("SIGNAC_LOCK_TIMEOUT", "5")
    return root


def run(cli: InProcess, arguments: Sequence[str], stdin: str = "") -> Result:
    """Run a command, which may fail but not break."""
    with limited():
        result = cli(*arguments, stdin=stdin)
    told = f"{arguments}: {result}"
    assert result.status in (0, 1, 3), told
    assert "Traceback" not in result.err, told
    assert "--debug shows where" not in result.err, told
    assert "enough memory" not in result.err, told
    if result.status == 1:
        assert result.err, told
    return result


def damaged(root: Path, seed: int, *, number: int = 3) -> Truth:
    """Damage a study in some ways, and say what is left."""
    chance = Chance(seed)
    for _ in range(chance.randrange(1, number + 1)):
        with suppress(OSError):  # earlier damage can stand in the way of more
            chance.choice(damages.ANYWHERE)(root, chance)
    return Truth.of(root)


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(40, cost=400))
def test_reading_commands_when_anything_is_damaged_then_none_breaks_and_nothing_is_changed(cli, study, seed):
    damaged(study, seed)
    before = content(study.parent)
    for arguments in Chance(seed).sample(READING, 12 if seed < 1000 else len(READING)):
        run(cli, arguments)
    assert content(study.parent) == before


@pytest.mark.parametrize("seed", seeds(60, cost=400))
def test_answers_when_anything_is_damaged_then_right_about_all_that_is_in_order(cli, study, seed):
    truth = damaged(study, seed)
    intact = truth.intact

    def ids(*arguments: str) -> set[str]:
        return {line for line in run(cli, arguments).lines if line not in truth.deep}

    def records(*arguments: str) -> dict[str, dict]:
        found = json.loads(run(cli, [*arguments, "--json"]).out or "[]")
        return {record["id"]: record for record in found}

    assert ids("find") >= intact
    wanted = {job_id for job_id in intact if isinstance(a := truth.whole[job_id].get("a"), int) and a >= 4}
    assert ids("find", "a>=4") & intact == wanted
    wanted = {job_id for job_id in intact if "energy" in truth.documents[job_id]}
    assert ids("find", "doc.energy") & intact == wanted
    listed = records("find", "--doc")
    for job_id in intact:
        assert as_json(listed[job_id]["sp"]) == as_json(truth.whole[job_id])
        assert as_json(listed[job_id]["doc"]) == as_json(truth.documents[job_id])
    for job_id in sorted(intact)[:2]:
        assert json.loads(run(cli, ["statepoint", job_id]).out) == truth.whole[job_id]
        assert as_json(json.loads(run(cli, ["document", job_id]).out)) == as_json(truth.documents[job_id])


def as_json(value: object) -> str:
    """JSON without the numbers that JSON does not have."""
    text = json.dumps(value, sort_keys=True)
    return text.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null")


@pytest.mark.parametrize("seed", seeds(60, cost=400))
def test_library_when_anything_is_damaged_then_jobs_in_order_are_usable(study, seed):
    truth = damaged(study, seed)
    project = Project(str(study))
    with limited():
        for job_id in sorted(truth.intact):
            job = project.open_job(id=job_id)
            assert job.sp() == truth.whole[job_id] or truth.whole[job_id] != truth.whole[job_id]
            assert as_json(job.doc()) == as_json(truth.documents[job_id])
            job.doc.seen = seed
            assert project.open_job(id=job_id).doc.seen == seed
        assert {job.id for job in project} >= truth.intact


# --- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(60, cost=200))
def test_check_when_anything_is_damaged_then_just_that_is_named(cli, study, seed):
    truth = damaged(study, seed)
    result = run(cli, ["check", "--json"])
    report = json.loads(result.out)
    named = {job["id"] for job in report["jobs"] if job["action"] == "found"}
    named.discard("signac_project_document.json")
    assert named - truth.deep - {""} == truth.damaged
    assert result.status == (3 if any(job["action"] == "found" for job in report["jobs"]) else 0)


@pytest.mark.parametrize("seed", seeds(60, cost=200))
def test_repair_when_anything_is_damaged_then_nothing_gets_worse(cli, study, seed):
    truth = damaged(study, seed)
    before = content(study)
    run(cli, ["check", "--repair"])
    after = content(study)
    lost = {path: what for path, what in before.items() if after.get(path) != what}
    touched = truth.entries - truth.whole.keys()
    for path, what in lost.items():
        parts = path.split("/")
        assert parts[0] == "workspace", (path, what)
        assert parts[1] in touched or parts[1].startswith(".signac-rm-"), (path, what)
    for path in after.keys() - before.keys():
        assert path.startswith("workspace/"), path
        assert after[path][0] == "directory" or path.count("/") >= 2, path
    kept = sorted(what for path, what in after.items() if is_data(path, what))
    assert kept == sorted(what for path, what in before.items() if is_data(path, what))
    again = Truth.of(study)
    assert again.intact >= truth.intact
    assert run(cli, ["check", "--repair", "--json"]).status in (0, 3)
    assert content(study) == after


def is_data(path: str, what: tuple) -> bool:
    return what[0] == "file" and not path.endswith(damages.SP) and "/.signac-rm-" not in path


@pytest.mark.parametrize("keeper", ["index", "statepoint_cache.json.gz"])
@pytest.mark.parametrize("seed", seeds(10, cost=1000))
def test_repair_when_state_points_are_known_elsewhere_then_all_are_restored(cli, study, keeper, seed):
    Project(str(study)).update_cache()  # each of the two knows all jobs
    chance = Chance(seed)
    before = Truth.of(study).whole
    for name in damages.DERIVED:
        if name != keeper and chance.chance(0.7):
            damages.delete(study / ".signac" / name)
    for job_id in sorted(before):
        path = study / "workspace" / job_id / damages.SP
        chance.choice(
            [
                lambda path=path: path.write_bytes(chance.mutated(path.read_bytes())),
                lambda path=path: path.write_bytes(b""),
                lambda path=path: path.unlink(),
            ]
        )()
    run(cli, ["check", "--repair"])
    assert Truth.of(study).whole == before
    assert run(cli, ["check"]).status == 0


# --- changing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(40, cost=400))
def test_changing_commands_when_anything_is_damaged_then_none_breaks(cli, study, seed):
    damaged(study, seed)
    for arguments in Chance(seed).sample(CHANGING, 8 if seed < 1000 else len(CHANGING)):
        run(cli, arguments)


@pytest.mark.parametrize("seed", seeds(20, cost=1000))
def test_any_command_when_workspace_or_settings_are_lost_then_none_breaks(cli, study, seed):
    chance = Chance(seed)
    chance.choice(damages.WHOLESALE)(study, chance)
    for arguments in chance.sample(READING + CHANGING, 10):
        result = run(cli, arguments)
        if not (study / ".signac").is_dir():
            assert result.status == 1 or arguments[0] in ("init", "config")


# modes and owners -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(30, cost=400))
def test_any_command_when_rights_are_missing_then_none_breaks(cli, study, seed):
    chance = Chance(seed)
    truth, before = Truth.of(study), content(study)
    for _ in range(chance.randrange(1, 5)):
        damages.lock_up(study, chance)
    try:
        for arguments in chance.sample(READING, 8):
            with unprivileged():
                run(cli, arguments)
        with unprivileged():
            readable = {job_id for job_id in truth.entries if is_readable(study / "workspace" / job_id)}
            result = cli("check", "--json")
            run(cli, ["check", "--repair"])
        if result.status != 1:
            named = {job["id"] for job in json.loads(result.out)["jobs"]} - {"signac_project_document.json"}
            assert named - {"", ".hidden"} == truth.entries - readable
        damages.unlock(study)
        assert content(study) == before
        for _ in range(2):
            damages.lock_up(study, chance)
        for arguments in chance.sample(CHANGING, 5):
            with unprivileged():
                run(cli, arguments)
    finally:
        damages.unlock(study.parent)


def is_readable(job: Path) -> bool:
    """Tell whether check can look at a job: its state point, its document, and its directory."""
    try:
        (job / damages.SP).read_bytes()
        os.listdir(job)
        (job / damages.DOC).read_bytes()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


# processes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(2, cost=10_000))
def test_processes_when_anything_is_damaged_then_none_breaks(study, seed):
    damaged(study, seed, number=6)
    for arguments in (
        ["find", "a>=0", "--json"],
        ["check"],
        ["update-cache"],
        ["rm", "--filter", "a=1"],
        ["sync", "../other"],
    ):
        result = execute(*arguments)
        assert result.status in (0, 1, 3), (arguments, result)
        assert "Traceback" not in result.err
        assert "--debug" not in result.err
