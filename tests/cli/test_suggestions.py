"""Names that nothing in the project has: told once, with what was probably meant, and never where nothing is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from signac_cli import suggestions
from signac_core import Project
from tests.support.running import InProcess, execute


def hints(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("No ")]


@pytest.fixture
def place(study: dict[str, str], project: Project) -> dict[str, str]:
    """The study with documents that have a list, and a key with a colon in the state point of one more job."""
    for number, job in enumerate(sorted(study.values())):
        project.open_job(id=job).doc.series = [number, number + 10]
    study["colon"] = project.open_job({"x:y": 5, "T": 0}).init().id
    return study


UNKNOWN = [
    (["find", "doc.enregy<0"], "No document has the key 'enregy'; did you mean 'doc.energy'?"),
    (["find", "enregy<0"], "No state point has the key 'enregy'; did you mean 'doc.energy<0'?"),
    (["find", "status=done"], "No state point has the key 'status'; did you mean 'doc.status=done'?"),
    (["find", "status", "done"], "No state point has the key 'status'; did you mean 'doc.status=done'?"),
    (["find", "status"], "No state point has the key 'status'; did you mean 'doc.status'?"),
    (["find", "status~^d"], "No state point has the key 'status'; did you mean 'doc.status~^d'?"),
    (["find", '{"status": "a b"}'], "No state point has the key 'status'; did you mean 'doc.status=a b'?"),
    (["find", '{"status": "12"}'], """No state point has the key 'status'; did you mean 'doc.status="12"'?"""),
    (["find", '{"energy": {"$in": [1]}}'], "No state point has the key 'energy'; did you mean 'doc.energy'?"),
    (["find", "doc.T>=1.5"], "No document has the key 'T'; did you mean 'sp.T>=1.5'?"),
    (["find", "eps=2.5"], "No state point has the key 'eps'; did you mean 'model.eps'?"),
    (["find", "stat=done"], "No state point has the key 'stat'; did you mean 'doc.status=done'?"),
    (["find", "model.epsilon_of_lj=1"], "No state point has the key 'model.epsilon_of_lj'; did you mean 'model.eps'?"),
    (["find", "model.zz=1"], "No state point has the key 'model.zz'; 'signac schema' lists the keys."),
    (["find", "T.x=2.5"], "No state point has the key 'T.x'; did you mean 'T'?"),
    (["find", "doc.doc.energy=1"], "No document has the key 'doc.energy'; did you mean 'doc.energy'?"),
    (["find", "doc.zz=1"], "No document has the key 'zz'; documents have 'energy', 'n.steps', 'series', 'status'."),
    (["find", "doc.enregy!=!"], "No document has the key 'enregy'; did you mean 'doc.energy'?"),
    (["find", "energy!=!"], "No state point has the key 'energy'; did you mean 'doc.energy!=!'?"),
    (["find", '{"$not": {"nmae": "lj"}}'], "No state point has the key 'nmae'; did you mean 'name'?"),
    (["find", '{"$or": [{"zz": 1}, {"T": 1}]}'], "No state point has the key 'zz'; 'signac schema' lists the keys."),
    (["find", "--shard", "0/1", "nmae=lj"], "No state point has the key 'nmae'; did you mean 'name'?"),
    (["find", "--sort", "energy"], "No state point has the key 'energy'; did you mean 'doc.energy'?"),
    (["find", "--sort", "T,-enregy"], "No state point has the key 'enregy'; did you mean 'doc.energy'?"),
    (["find", "--sort", "-doc.T"], "No document has the key 'T'; did you mean 'T'?"),
    (["find", "--sp", "T", "nmae"], "No state point has the key 'nmae'; did you mean 'name'?"),
    (["find", "--doc", "enregy"], "No document has the key 'enregy'; did you mean 'energy'?"),
    (["find", "--doc", "doc.status"], "No document has the key 'doc.status'; did you mean 'status'?"),
    (["find", "--doc", "T"], "No document has the key 'T'; did you mean '--sp T'?"),
    (["find", "--sp", "energy", "--table"], "No state point has the key 'energy'; did you mean '--doc energy'?"),
    (["find", "--sp", "energy", "--json"], "No state point has the key 'energy'; did you mean '--doc energy'?"),
    (["find", "--doc", "series[7]"], "No document that was looked at has 'series[7]'."),
    (["find", "--format", "{doc.enregy:.3f}"], "No document has the key 'enregy'; did you mean '{doc.energy}'?"),
    (["find", "--format", "{energy}"], "No state point has the key 'energy'; did you mean '{doc.energy}'?"),
    (["find", "--format", "{doc.series[2]}"], "No document that was looked at has 'series[2]'."),
    (["find", "--format", "{x}"], "No state point has the key 'x'; 'signac schema' lists the keys."),
    (["statepoint", "--format", "{t}"], "No state point has the key 't'; did you mean '{sp.T}'?"),
    (["statepoint", "<1>", "--format", "{t}"], "No state point has the key 't'; did you mean '{sp.T}'?"),
    (["document", "--format", "{doc.stauts}"], "No document has the key 'stauts'; did you mean '{doc.status}'?"),
    (["diff", "--format", "{nmae}"], "No state point has the key 'nmae'; did you mean '{sp.name}'?"),
    (["document", "<1>", "--unset", "enregy"], "No document has the key 'enregy'; did you mean 'energy'?"),
    (["document", "<1>", "--unset", "T"], "No document has the key 'T'; documents have 'energy', 'n.steps', "),
    (["document", "<1>", "-n", "--unset", "n.stpes"], "No document has the key 'n.stpes'; did you mean 'n.steps'?"),
    (["statepoint", "-f", "nmae", "lj"], "No state point has the key 'nmae'; did you mean 'name'?"),
    (["document", "-f", "status=done"], "No state point has the key 'status'; did you mean 'doc.status=done'?"),
    (["diff", "-f", "status=done"], "No state point has the key 'status'; did you mean 'doc.status=done'?"),
    (["schema", "-f", "status=done"], "No state point has the key 'status'; did you mean 'doc.status=done'?"),
    (["export", "out", "-n", "-f", "nmae=lj"], "No state point has the key 'nmae'; did you mean 'name'?"),
    (["rm", "-n", "--filter", "doc.stauts=done"], "No document has the key 'stauts'; did you mean 'doc.status'?"),
    (["shell", "-c", "", "-f", "nmae=lj"], "No state point has the key 'nmae'; did you mean 'name'?"),
]


@pytest.mark.parametrize(("arguments", "hint"), UNKNOWN)
@pytest.mark.parametrize("is_indexed", [False, True])
def test_name_when_nothing_has_it_then_told_once_on_stderr(cli: InProcess, place, arguments, hint, is_indexed):
    if is_indexed:
        cli("update-cache")
    arguments = [argument.replace("<1>", place["1"]) for argument in arguments]
    result = cli(*arguments)
    (told,) = hints(result.err)
    assert result.status == 0
    assert told.startswith(hint)
    quiet = cli("-q", *arguments)
    assert (quiet.status, quiet.out, hints(quiet.err)) == (0, result.out, [])


@pytest.mark.parametrize(
    "arguments",
    [
        ["find", "T=77"],
        ["find", "model=1"],
        ["find", "doc.energy>5"],
        ["find", "doc.n=1"],
        ["find", "doc.energy!=!"],
        ["find", "doc.zz!=!"],
        ["find", "zz!=!"],
        ["find", "doc.energy=!", "T=77"],
        ["find", "T=1", "--doc", "energy"],
        ["find", "T=1", "--format", "{doc.energy} {list} {model}"],
        ["find", "T=1", "--sort", "doc.energy,list"],
        ["find", "T=77", "--sort", "zz", "--sp", "zz", "--format", "{zz}"],
        ["find", "--sort", "doc", "--format", "{doc}{sp}{id}{path}"],
        ["find", "--sort", "-id,sp"],
        ["find", "--format", "{doc.series[0]} {doc.series[-1]} {sp.x:y}"],
        ["find", "--count", "--sort", "T"],
        ["diff", "--format", "{T}"],
        ["document", "<1>", "--unset", "energy"],
        ["document", "<1>", "--format", "{doc.energy}"],
    ],
)
@pytest.mark.parametrize("is_indexed", [False, True])
def test_name_when_some_job_has_it_or_its_absence_is_asked_for_then_nothing_is_told(
    cli: InProcess, place, arguments, is_indexed
):
    if is_indexed:
        cli("update-cache")
    result = cli(*(argument.replace("<1>", place["1"]) for argument in arguments))
    assert (result.status, hints(result.err)) == (0, [])


def test_name_when_in_several_places_then_told_once(cli: InProcess, place):
    result = cli("find", "--sort", "doc.enregy", "--doc", "enregy", "--json")
    assert hints(result.err) == ["No document has the key 'enregy'; did you mean 'doc.energy'?"]
    assert len(json.loads(result.out)) == len(place)


def test_names_when_many_are_unknown_then_a_handful_is_told(cli: InProcess, place):
    assert len(hints(cli("find", "--format", "".join(f"{{zz{i}}}" for i in range(20))).err)) == 5
    assert len(hints(cli("find", "--sp", *(f"zz{i}" for i in range(20))).err)) == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["find", "a=1"],
        ["find", "doc.a=1"],
        ["find", "--sort", "a"],
        ["find", "--doc", "a"],
        ["find", "--format", "{a}"],
    ],
)
def test_name_when_there_are_no_jobs_then_nothing_is_told(cli: InProcess, project: Project, arguments):
    assert hints(cli(*arguments).err) == []


def test_name_when_there_are_no_documents_then_that_is_told(cli: InProcess, project: Project):
    project.open_job({"T": 1}).init()
    told = ["No document has the key 'energy'; the documents are empty."]
    assert hints(cli("find", "doc.energy<0").err) == told
    assert hints(cli("find", "--format", "{doc.energy}").err) == told
    assert hints(cli("find", "doc.energy!=!").err) == []
    assert hints(cli("find", "doc.T=1").err) == ["No document has the key 'T'; did you mean 'sp.T=1'?"]


def test_name_when_documents_are_damaged_then_nothing_is_claimed(cli: InProcess, place, project: Project):
    Path(project.workspace, place["2"], "signac_job_document.json").write_text("{")
    result = cli("find", "doc.enregy<0")
    assert result.status == 1
    assert hints(result.err) == ["No document is known to have the key 'enregy'; did you mean 'doc.energy'?"]


def test_key_when_in_a_nested_mapping_of_documents_then_known(cli: InProcess, place):
    assert hints(cli("find", "doc.n.stpes=1").err) == ["No document has the key 'n.stpes'; did you mean 'doc.n.steps'?"]
    assert hints(cli("find", "doc.n.steps=1").err) == []


def test_key_when_no_document_that_the_query_read_has_it_then_the_others_count(cli: InProcess, project: Project):
    first, second = (project.open_job({"T": T}).init() for T in (1, 2))
    first.doc.energy = 1
    cli("update-cache")
    assert hints(cli("find", "T=2", "doc.energy<0").err) == []
    assert hints(cli("find", "doc.energy<0", "-j", second.id).err) == []
    assert hints(cli("find", "-j", second.id, "--format", "{doc.energy}").err) == []


def test_keys_when_there_are_many_jobs_then_a_bounded_number_of_files_is_read(cli, project, monkeypatch):
    for i in range(2 * suggestions._MOST_FILES):
        project.open_job({"i": i}).init()
    job = min(project, key=lambda job: job.id)
    job.doc.energy = 1
    from signac_core.documents import many

    read: list[str] = []

    def counting(project, ids, **options):
        read.extend(ids)
        return plain(project, ids, **options)

    plain = many.read_documents
    monkeypatch.setattr(many, "read_documents", counting)
    assert hints(cli("find", "i>=0", "doc.enregy<0", "-j", job.id).err) == [
        "No document is known to have the key 'enregy'; did you mean 'doc.energy'?"
    ]
    assert len(read) == suggestions._MOST_FILES
    # A query about all documents has looked at each of them.
    assert hints(cli("find", "doc.enregy<0").err) == ["No document has the key 'enregy'; did you mean 'doc.energy'?"]


def test_hint_when_the_output_is_json_then_on_stderr_only(place):
    result = execute("find", "status=done", "--json")
    assert (result.status, result.out) == (0, "[]\n")
    assert "did you mean 'doc.status=done'?" in result.err


def test_key_when_very_long_then_shortened(cli: InProcess, place):
    (told,) = hints(cli("find", "a" * 10_000 + "=1").err)
    assert len(told) < 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["find", "--format", "csv"], "no field such as {id}"),
        (["find", "--format", ""], "no field such as {id}"),
        (["find", "--format", "json"], "did you mean --json?"),
        (["statepoint", "--format", "TABLE"], "did you mean --table?"),
        (["document", "--format", "x"], "no field such as {id}"),
        (["diff", "--format", "x"], "no field such as {id}"),
        (["find", "--format", "{sp.}"], "empty key"),
        (["find", "--format", "{doc..a}"], "empty key"),
        (["find", "--format", "{T..a:d}"], "empty key"),
        (["find", "--sort", "doc.energy:desc"], "write '-doc.energy'"),
        (["find", "--sort", "T asc"], "write 'T'"),
        (["find", "--sort", "p,T:DESC"], "write '-T'"),
        (["find", "--sort", "--reverse"], "'--reverse' is an option"),
        (["find", "--sort", "-"], "empty key"),
        (["find", "--sort", "doc."], "empty key"),
        (["find", "--sort"], "requires a value"),
    ],
)
def test_name_when_it_cannot_be_meant_then_usage_error(cli: InProcess, place, arguments, message):
    result = cli(*arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_neighbors_when_an_ignored_key_is_misspelt_then_the_nearest_is_named(cli: InProcess, place):
    result = cli("neighbors", place["1"], "--ignore", "nmae")
    assert result.status == 0
    assert result.err == ("Warning: No job has the ignored state point parameter 'nmae'. Did you mean 'name'?\n")


@pytest.mark.parametrize("command", [["view"], ["export", "out"]])
def test_field_of_a_path_when_misspelt_then_the_nearest_is_named(cli: InProcess, place, command):
    result = cli(*command, "{doc.status}", "-n")
    assert result.status == 1
    assert "Did you mean '{job.doc.status}'?" in result.err
