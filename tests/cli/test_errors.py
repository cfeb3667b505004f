"""Mistakes, and how they are told: in one line, with the right status, what was wrong, where, and what to do next."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from signac_cli.session import as_failure
from signac_core import Project
from tests.support.running import InProcess, snapshot

WORKSPACE = Path("workspace")
STATE_POINT, DOCUMENT = "signac_statepoint.json", "signac_job_document.json"


class Place(NamedTuple):
    """Where a mistake is made: a project, the ids of its jobs (of T = 1, 1.5, 2 and -5), another project."""

    ids: dict[str, str]
    other: Project

    @property
    def first(self) -> str:
        return self.ids["1"]


@pytest.fixture
def place(study: dict[str, str]) -> Place:
    other = Project.init_project("other")
    other.open_job({"T": 9.0}).init()
    return Place(study, other)


class Mistake(NamedTuple):
    """A mistake, and what its message has to name.

    Parameters
    ----------
    arguments
        The command line; ``<id>`` stands for a job.
    names
        What was wrong, and where.
    advice
        What to do next.
    status
        The exit status.
    prepare
        Makes the world wrong.
    results
        Whether the command does the rest of its work.
    """

    arguments: list[str]
    names: list[str]
    advice: str = ""
    status: int = 1
    prepare: Callable[[Place], object] = lambda place: None
    results: bool = False


# --- what can be wrong with the world --------------------------------------------------------------------------------


def leave(place: Place) -> None:
    Path("../nowhere").mkdir()
    os.chdir("../nowhere")


def damage_state_point(place: Place) -> None:
    WORKSPACE.joinpath(place.first, STATE_POINT).write_text("{")


def damage_document(place: Place) -> None:
    WORKSPACE.joinpath(place.first, DOCUMENT).write_text("{")


def swap_state_points(place: Place) -> None:
    shutil.copy(WORKSPACE / place.ids["2"] / STATE_POINT, WORKSPACE / place.first / STATE_POINT)


def lose_state_point(place: Place) -> None:
    path = WORKSPACE / place.first / STATE_POINT
    path.unlink()
    os.utime(path.parent, (0, 0))  # not a job that is just being made


def set_schema(version: int) -> Callable[[Place], object]:
    return lambda place: Path(".signac/config").write_text(f"schema_version = {version}\n")


def take_export_path(place: Place) -> None:
    path = Path("out", place.first)
    path.mkdir(parents=True)
    path.joinpath("mine").touch()


def make_archive(place: Place) -> None:
    Path("out.zip").write_text("mine")


def disagree(place: Place) -> None:
    """The other project gets the first job with another file and another document."""
    ours, theirs = (project.open_job(Project.get_project().open_job(id=place.first).sp()).init() for project in (
        Project.get_project(), place.other,
    ))  # fmt: skip
    for job, text in ((ours, "old"), (theirs, "newer")):
        Path(job.path, "log.txt").write_text(text)
        job.doc.mark = text


def file_in_the_way(place: Place) -> None:
    shutil.rmtree(WORKSPACE)
    WORKSPACE.write_text("")


CHECK = "Run 'signac check'"

MISTAKES = {
    # the project
    "no project": Mistake(["find"], ["no project in", "nowhere"], "signac init", prepare=leave),
    "no directory": Mistake(["-C", "absent", "find"], ["absent", "No such file"]),
    "other project absent": Mistake(["sync", "absent"], ["absent", "does not exist"], "signac init"),
    "other project is none": Mistake(["move", "/", "<id>"], ["'/' is not in a project"], "signac init"),
    "older schema": Mistake(["find"], ["version"], "migrate", prepare=set_schema(1)),
    "newer schema": Mistake(["find"], ["99"], "", prepare=set_schema(99)),
    "no workspace possible": Mistake(["find"], ["workspace", "no directory"], prepare=file_in_the_way),
    # filters
    "filter not JSON": Mistake(["find", '{"a": 0,}'], ['{"a": 0,}', "not valid JSON", "line 1 column"]),
    "filter without brace": Mistake(["find", '{"a": 0'], ['{"a": 0', "incomplete JSON"], "single quotes"),
    "filter half quoted": Mistake(["find", '{"a":', "0}"], ["incomplete JSON"], "single quotes"),
    "filter key empty": Mistake(["find", "", "1"], ["empty", "key"], "unset variable"),
    "filter is a list": Mistake(["find", "[1]"], ["[1]"]),
    "operator unknown": Mistake(["find", "T.$foo", "1"], ["$foo", "sp.T"], "known are $eq"),
    "operator misspelt": Mistake(["find", "T.$gtt", "1"], ["$gtt", "sp.T"], "did you mean '$gt'?"),
    "operator in the middle": Mistake(["find", "a.$gt.b", "1"], ["a.$gt.b"], "last part"),
    "$in without list": Mistake(["find", "T.$in", "0"], ["sp.T", "$in", "list"]),
    "$or of a mapping": Mistake(["find", '{"$or": {}}'], ["$or", "list of filters"]),
    "$or of nothing": Mistake(["find", '{"$or": []}'], ["$or", "at least one"]),
    "$not of a list": Mistake(["find", '{"$not": []}'], ["$not", "a filter"], "{'a': 1}"),
    "no regular expression": Mistake(["find", "name", "/(/"], ["sp.name", "'('", "unterminated"]),
    "no type": Mistake(["find", "T.$type", "foo"], ["sp.T", "foo"], "int float bool"),
    "$where": Mistake(["find", "T.$where", "lambda x: True"], ["$where"], "--allow-eval"),
    "filter of another command": Mistake(["schema", "-f", "T.$foo", "1"], ["$foo", "sp.T"], "known are"),
    # ids
    "id unknown": Mistake(["statepoint", "<near>"], ["There is no job", "<near>"], "Did you mean <like>?"),
    "id empty": Mistake(["statepoint", ""], ["empty", "job id"]),
    "id is none": Mistake(["document", "zzz"], ["zzz", "not a job id"], "32 digits"),
    "id of rm too short": Mistake(["rm", "<short>"], ["<short>", "too short"], "4 digits"),
    "id in view": Mistake(["view", "-j", "zzz"], ["zzz", "not a job id"], "32 digits"),
    "id in export": Mistake(["export", "out", "-j", "zzz"], ["zzz", "not a job id"], "32 digits"),
    "id in schema": Mistake(["schema", "-j", "zzz"], ["zzz", "not a job id"], "32 digits"),
    "id in sync": Mistake(["sync", "other", "-j", "zzz"], ["zzz", "not a job id"], "32 digits"),
    "id in shell": Mistake(["shell", "-c", "1", "-j", "zzz"], ["zzz", "not a job id"], "32 digits"),
    "id in move": Mistake(["move", "other", "zzzz"], ["zzzz", "not a job id"], "32 digits"),
    "id in neighbors": Mistake(["neighbors", "zzzz"], ["zzzz", "not a job id"], "32 digits"),
    "ids and filter": Mistake(["view", "-f", "T", "1", "-j", "<id>"], ["ids and a filter exclude"], "Give one"),
    # state points
    "state point not JSON": Mistake(["job", "{a: 0}"], ["{a: 0}", "column 2"], '{"a": 1}'),
    "state point no object": Mistake(["job", "-c", "[1]"], ["[1]", "array"], '{"a": 1}'),
    "state point with dots": Mistake(["job", "-c", '{"a.b": 1}'], ["a.b", "dots"], '{"a": 1}'),
    "state point missing": Mistake(["job"], ["standard input", "there is none"], '{"a": 1}'),
    # damage
    "damaged: find": Mistake(["find", "T", "2"], ["<id>", "JSON"], CHECK, prepare=damage_state_point, results=True),
    "damaged: schema": Mistake(["schema"], ["<id>", "JSON"], CHECK, prepare=damage_state_point, results=True),
    "damaged: diff": Mistake(["diff"], ["<id>", "JSON"], CHECK, prepare=damage_state_point, results=True),
    "damaged: view": Mistake(["view"], ["<id>", "JSON"], CHECK, prepare=damage_state_point, results=True),
    "damaged: export": Mistake(["export", "out"], ["<id>", "JSON"], CHECK, prepare=damage_state_point, results=True),
    "damaged: cache": Mistake(["update-cache"], ["<id>", "JSON"], CHECK, prepare=damage_state_point, results=True),
    "damaged: statepoint": Mistake(["statepoint"], ["<id>"], CHECK, prepare=damage_state_point, results=True),
    "damaged: mismatch": Mistake(["find", "T", "2"], ["<id>"], CHECK, prepare=swap_state_points, results=True),
    "damaged: missing": Mistake(["find", "T", "2"], ["<id>"], CHECK, prepare=lose_state_point, results=True),
    "damaged: document": Mistake(
        ["document"], ["<id>", DOCUMENT, "JSON"], CHECK, prepare=damage_document, results=True
    ),
    "damaged: doc filter": Mistake(["find", "doc.a", "1"], ["<id>", DOCUMENT], CHECK, prepare=damage_document),
    # view, export, import
    "export: leaf exists": Mistake(
        ["export", "out", "{job.id}"], ["out/<id>"], "Nothing was written", prepare=take_export_path
    ),
    "export: archive exists": Mistake(["export", "out.zip"], ["out.zip"], "--force", prepare=make_archive),
    "export: not unique": Mistake(["export", "out", "x"], ["duplicate paths", "'x'"], "{job.id}"),
    "view: not unique": Mistake(["view", "x"], ["duplicate paths", "x/job"], "{job.id}"),
    "view: unknown key": Mistake(["view", "{zz}"], ["'zz'", "has no such key"]),
    "export: extension": Mistake(["export", "out.foo"], ["'.foo'"], "append a slash"),
    "export: braces": Mistake(["export", "out", "{T"], ["'{T'", "not valid"]),
    "export: move to archive": Mistake(["export", "out.zip", "--move"], ["out.zip", "moved"], "signac rm"),
    "import: absent": Mistake(["import", "absent"], ["absent", "does not exist"]),
    "import: no archive": Mistake(["import", ".signac/config"], [".signac/config", "zip or tar"]),
    "import: type": Mistake(["import", "other", "{a:foo}"], ["foo", "{a:foo}"], "int, float, bool, str"),
    # sync
    "sync: schema": Mistake(["-q", "sync", "other"], ["schemas", "only the destination has", "name"], "--merge"),
    "sync: same": Mistake(["sync", "."], ["same project"]),
    "sync: pattern": Mistake(["sync", "other", "-m", "-x", "("], ["--exclude", "'('", "unterminated"]),
    "sync: -t": Mistake(["sync", "other", "-t"], ["--times"], "Give both"),
    "sync: -u -s": Mistake(["sync", "other", "-u", "-s", "always"], ["--update", "--strategy"], "-u is"),
    "sync: keys": Mistake(["sync", "other", "--all-keys", "--no-keys"], ["--all-keys", "--no-keys"]),
    # the rest
    "config: no key": Mistake(["config", "show", "absent"], ["absent", "no key"]),
    "config: no value": Mistake(["config", "set", "a"], ["'a'", "no value"], "signac config set --help"),
    "config: scopes": Mistake(["config", "-g", "-l", "show"], ["--global", "--local"], "Give one"),
    "migrate: no project": Mistake(["migrate", "-r", "/"], ["no project in '/'", "signac.rc"]),
    "shell: no file": Mistake(["shell", "absent.py"], ["absent.py", "No such file"]),
    # usage
    "command unknown": Mistake(["fnd"], ["'fnd'"], "Did you mean 'find'?", 2),
    "command of config unknown": Mistake(["config", "shw"], ["'shw'"], "Did you mean 'show'?", 2),
    "option unknown": Mistake(["find", "--jsno"], ["--jsno"], "Did you mean --json?", 2),
    "option new and shortened": Mistake(["find", "--lim", "1"], ["--lim"], "Did you mean --limit?", 2),
    "option ambiguous": Mistake(["sync", "other", "--a"], ["'--a' is ambiguous"], "--archive or --all-keys", 2),
    "option without value": Mistake(["find", "--limit"], ["--limit", "requires a value"], "signac find --help", 2),
    "option with bad number": Mistake(["find", "-L", "x"], ["--limit", "'x'"], "signac find --help", 2),
    "argument missing": Mistake(["sync"], ["SOURCE"], "signac sync --help", 2),
    "ids missing": Mistake(["rm"], ["ids", "--filter"], "signac rm --help", 2),
    "modes": Mistake(["find", "--table", "--plain"], ["--table and --plain exclude"], "signac find --help", 2),
    "template": Mistake(["find", "--format", "{"], ["'{'"], "signac find --help", 2),
    "shard": Mistake(["find", "--shard", "3/2"], ["3/2", "I/N"], "signac find --help", 2),
    "shell unknown": Mistake(["completion", "tcsh"], ["tcsh", "'fish'"], "signac completion --help", 2),
}


def filled(text: str, place: Place) -> str:
    other_digit = "0" if place.first[7] != "0" else "1"
    near = place.first[:7] + other_digit
    for name, value in (("id", place.first), ("short", place.first[:3]), ("near", near), ("like", place.first[:8])):
        text = text.replace(f"<{name}>", value)
    return text


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_when_made_then_told_in_one_line(cli: InProcess, place: Place, name: str):
    mistake = MISTAKES[name]
    mistake.prepare(place)
    before = snapshot()
    result = cli("-q", *(filled(argument, place) for argument in mistake.arguments))
    assert result.status == mistake.status
    assert result.err.count("\n") == 1
    assert result.err.startswith("Error: ")
    assert "Traceback" not in result.err
    for text in [*mistake.names, mistake.advice]:
        assert filled(text, place) in result.err
    if not mistake.results:
        assert result.out == ""
        assert {path: text for path, text in snapshot().items() if ".signac/" not in path} == {
            path: text for path, text in before.items() if ".signac/" not in path
        }


@pytest.mark.parametrize("name", ["no project", "operator unknown", "id unknown", "damaged: schema", "option unknown"])
def test_mistake_when_json_is_wanted_then_told_as_json(cli: InProcess, place: Place, name: str):
    mistake = MISTAKES[name]
    mistake.prepare(place)
    result = cli("-q", *(filled(argument, place) for argument in mistake.arguments), "--json")
    error = json.loads(result.err)["error"]
    assert (result.status, {*error} >= {"code", "message"}) == (mistake.status, True)
    assert all(filled(text, place) in error["message"] for text in mistake.names)
    assert filled(mistake.advice, place) in " ".join(error.values())


def test_ids_when_several_are_bad_then_each_is_told_and_nothing_done(cli: InProcess, place: Place):
    before = snapshot()
    result = cli("rm", place.first, "zzzz", "0123456789")
    assert (result.status, result.err.count("Error: "), snapshot()) == (1, 2, before)


def test_id_when_several_jobs_begin_with_it_then_told_how_many_digits_are_enough(cli: InProcess, project: Project):
    ids = [project.open_job({"i": i}).init().id for i in range(20)]
    prefix = next(digit for digit in "0123456789abcdef" if sum(job_id.startswith(digit) for job_id in ids) > 1)
    result = cli("statepoint", prefix)
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert f"'{prefix}'" in result.err
    assert "digits" in result.err


def test_collisions_when_importing_then_one_line_each(cli: InProcess, place: Place):
    assert cli("export", "out").status == 0
    for job_id in place.ids.values():
        WORKSPACE.joinpath(job_id, "more.txt").touch()
    result = cli("-q", "import", "out")
    assert (result.status, result.err.count("\n"), result.err.count("exists already")) == (1, 4, 4)
    assert "--skip-existing" in result.err
    assert "--sync" in result.err


def test_conflicts_when_synchronizing_then_one_line_each_with_the_job(cli: InProcess, place: Place):
    disagree(place)
    before = snapshot()
    result = cli("-q", "sync", "other", "-m")
    assert (result.status, snapshot()) == (1, before)
    assert f"{place.first}: the file 'log.txt' differs" in result.err
    assert f"{place.first}: the document differs in mark" in result.err
    for option in ("--strategy", "--update", "--key", "--all-keys", "--no-keys"):
        assert option in result.err


def test_cache_when_damaged_then_no_error(cli: InProcess, place: Place):
    Path(".signac/statepoint_cache.json.gz").write_text("garbage")
    assert cli("-q", "find", "T", "1").out == place.first + "\n"
    assert cli("update-cache").status == 0


def test_values_when_not_comparable_then_a_warning_and_the_others(cli: InProcess, place: Place):
    Project.get_project().open_job({"T": "hot"}).init()
    result = cli("find", "T>=1.5", "--count")
    assert (result.status, result.out) == (0, "2\n")
    assert "sp.T" in result.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["find", "t", "1"], "No state point has the key 't'; did you mean 'T'?"),
        (["find", "nmae=lj"], "No state point has the key 'nmae'; did you mean 'name'?"),
        (["find", "model.esp>1"], "No state point has the key 'model.esp'; did you mean 'model.eps'?"),
        (["find", "zz", "1"], "No state point has the key 'zz'; 'signac schema' lists the keys."),
        (["view", "-f", "t", "1", "-n"], "No state point has the key 't'; did you mean 'T'?"),
        (["find", "T", "77"], None),
        (["find", "model", "1"], None),
        (["find", "doc.t", "1"], "No document has the key 't'; did you mean 'sp.T=1'?"),
        (["find", "t", "1", "-j", "<id>"], "No state point has the key 't'; did you mean 'T'?"),
        (["find", "t=!", "name", "lj"], "No state point has the key 't'; did you mean 'T'?"),
        (["find", '{"$not": {"zz": 1}}'], None),
    ],
)
@pytest.mark.parametrize("is_indexed", [False, True])
def test_filter_when_nothing_matches_then_unknown_keys_are_told(cli, place, arguments, hint, is_indexed):
    if is_indexed:
        cli("update-cache")
    result = cli(*(argument.replace("<id>", place.first) for argument in arguments))
    told = [line for line in result.err.splitlines() if line.startswith("No ")]
    assert (result.status, told) == (0, [] if hint is None else [hint])
    assert "No " not in cli("-q", *arguments).err


def test_negative_number_when_it_is_an_option_then_a_hint_says_so(cli: InProcess, place: Place):
    assert "T=-1" in cli("find", "T", "-s", "-1").err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "workspace/x"), "Permission denied: 'workspace/x'."),
        (OSError(errno.EDQUOT, "Disk quota exceeded", b"\xff"), "Disk quota exceeded: '\udcff'."),
        (RecursionError(), "The data is nested too deeply."),
        (MemoryError(), "There is not enough memory."),
    ],
)
def test_error_of_the_system_when_told_then_in_plain_words(error, message):
    failure = as_failure(error)
    assert (failure.message, failure.status) == (message, 1)


def test_error_when_it_is_ours_then_the_way_to_the_traceback_is_told(cli: InProcess, place: Place, monkeypatch):
    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("this cannot be")

    monkeypatch.setattr("signac_core.finding.find_ids", fail)
    result = cli("find")
    assert (result.status, result.err.count("\n")) == (1, 1)
    assert "AssertionError: this cannot be" in result.err
    assert "--debug" in result.err
    assert "Traceback" in cli("--debug", "find").err
