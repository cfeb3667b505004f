"""``statepoint``, and ``document`` as far as it prints: the two differ in what they print only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.running import snapshot

STATE_POINT = {"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}
DOCUMENT = {"energy": -1.25, "status": "done", "n": {"steps": 10}}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], '{"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}\n'),
        (["--plain"], '{"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}\n'),
        (["-s"], '{"T": 1.5, "model": {"cut": 3, "eps": 2.5}, "name": "lj", "p": 2}\n'),
        (["-p"], "{'T': 1.5, 'model': {'cut': 3, 'eps': 2.5}, 'name': 'lj', 'p': 2}\n"),
        (["-p", "1", "-i"], "{'T': 1.5, 'model': {...}, 'name': 'lj', 'p': 2}\n"),
        (["-p0"], '{"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}\n'),
        (["-i"], '{\n  "T": 1.5,\n  "p": 2,\n  "name": "lj",\n  "model": {\n    "eps": 2.5,\n    "cut": 3\n  }\n}\n'),
        (["-i1", "-s"], '{\n "T": 1.5,\n "model": {\n  "cut": 3,\n  "eps": 2.5\n },\n "name": "lj",\n "p": 2\n}\n'),
        (["-0"], '{"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}\0'),
        (["--format", "{T} {id:.4} {doc.status}"], "1.5 44cd done\n"),
    ],
)
def test_statepoint_when_laid_out_then_the_text_of_signac(cli, study, options, text):
    result = cli("statepoint", study["1.5"][:8], *options)
    assert (result.status, result.out, result.err) == (0, text, "")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], '{"energy": -1.25, "status": "done", "n": {"steps": 10}}\n'),
        (["--sort"], '{"energy": -1.25, "n": {"steps": 10}, "status": "done"}\n'),
        (["--pretty=1"], "{'energy': -1.25, 'n': {...}, 'status': 'done'}\n"),
        (["-i", "0"], '{\n"energy": -1.25,\n"status": "done",\n"n": {\n"steps": 10\n}\n}\n'),
        (["-q", "--format", "{energy}{sp.T}{doc.energy}"], "1.5-1.25\n"),
        (
            ["--table"],
            "id                                doc.energy  doc.status  doc.n.steps\n"
            "{id}       -1.25  done                 10\n",
        ),
    ],
)
def test_document_when_laid_out_then_the_text_of_signac(cli, study, options, text):
    result = cli("document", study["1.5"], *options)
    assert (result.status, result.out, result.err) == (0, text.replace("{id}", study["1.5"]), "")


def test_text_when_not_ascii_then_escaped_as_by_signac(cli, project):
    job = project.open_job({"é": "☃", "nan": float("nan"), "del": "\x7f"}).init()
    assert cli("statepoint", job.id).out == '{"\\u00e9": "\\u2603", "nan": NaN, "del": "\\u007f"}\n'
    assert cli("statepoint", job.id, "-p").out == "{'del': '\\x7f', 'nan': nan, 'é': '☃'}\n"


@pytest.mark.parametrize(("command", "part"), [("statepoint", "sp"), ("document", "doc")])
def test_json_when_asked_for_then_records_with_ids(cli, study, command, part):
    value = {"sp": STATE_POINT, "doc": DOCUMENT}[part]
    assert json.loads(cli(command, study["1.5"], "--json").out) == [{"id": study["1.5"], part: value}]
    lines = cli(command, study["1.5"], study["1"], study["1.5"], "--jsonl").lines
    assert [json.loads(line)["id"] for line in lines] == [study["1.5"], study["1"], study["1.5"]]
    sorted_keys = json.loads(cli(command, study["1.5"], "--json", "--sort").out)[0][part]
    assert list(sorted_keys) == sorted(value)


@pytest.mark.parametrize("command", ["statepoint", "document"])
def test_ids_when_given_then_printed_in_that_order(cli, study, command):
    everything = [*study.values()]
    template = ["--format", "{id}"]
    assert cli(command, *everything, everything[0], *template).lines == [*everything, everything[0]]
    assert cli(command, "-j", everything[1], everything[0], *template).lines == [everything[1], everything[0]]
    assert cli(command, everything[2], *template, "-j", everything[0]).lines == [everything[2], everything[0]]
    assert cli(command, "-", everything[0], *template, stdin=everything[3]).lines == [everything[3], everything[0]]
    assert cli(command, f"workspace/{everything[0]}/x", *template).lines == everything[:1]
    assert cli(command, f"{Path.cwd()}/workspace/{everything[0]}", *template).lines == everything[:1]


@pytest.mark.parametrize("command", ["statepoint", "document"])
def test_jobs_when_not_named_then_all_in_order_of_ids(cli, study, command):
    assert cli(command, "--format", "{id}").lines == sorted(study.values())
    assert cli(command).out.count("\n") == len(study)


@pytest.mark.parametrize("command", ["statepoint", "document"])
def test_jobs_when_filtered_then_those_that_match(cli, study, command):
    found = cli("-q", command, "-f", "T>=1.5", "--format", "{T}").lines
    assert sorted(found) == ["1.5", "2.0"]
    assert cli("-q", command, "--filter", "zz", "1").out == ""
    assert cli("-q", command, "-f", '{"doc.status": "done"}', "--format", "{id}").lines == [study["1.5"]]


@pytest.mark.parametrize("command", ["statepoint", "document"])
def test_stdin_when_empty_then_no_job_and_not_all(cli, study, command):
    for arguments in (["-"], ["-j", "-"], ["-", "--jsonl"]):
        assert (cli(command, *arguments).status, cli(command, *arguments).out) == (0, "")


@pytest.mark.parametrize("command", ["statepoint", "document"])
def test_ids_and_filter_when_both_given_then_refused(cli, study, command):
    result = cli(command, study["1"], "-f", "T", "1")
    assert (result.status, result.out) == (1, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", ["statepoint", "document"])
@pytest.mark.parametrize(
    "options",
    [["-p", "--json"], ["-i", "--table"], ["-s", "--table"], ["-s", "--format", "{id}"], ["--json", "--plain"]],
)
def test_options_when_contradicting_then_usage_error(cli, study, command, options):
    result = cli(command, *options)
    assert (result.status, result.out) == (2, "")
    assert result.err.count("\n") == 1


def test_document_when_there_is_none_then_empty(cli, study):
    assert cli("document", study["1"]).out == "{}\n"
    assert cli("document", study["1"], "--json").out == f'[{{"id":"{study["1"]}","doc":{{}}}}]\n'


@pytest.mark.parametrize(
    ("command", "file"), [("statepoint", "signac_statepoint.json"), ("document", "signac_job_document.json")]
)
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b'{"T": '])
def test_job_when_damaged_then_named_and_the_others_printed(cli, study, project, command, file, content):
    Path(project.workspace, study["1.5"], file).write_bytes(content)
    before = snapshot()
    result = cli(command, "--format", "{id}" + ("{T}" if command == "statepoint" else "{doc.x}"))
    assert result.status == 1
    assert [line[:32] for line in result.lines] == sorted(set(study.values()) - {study["1.5"]})
    assert result.err.startswith("Error: ")
    assert study["1.5"] in result.err
    assert result.err.count("\n") == 1
    assert snapshot() == before


def test_job_when_its_files_are_directories_then_named(cli, study, project):
    file = Path(project.workspace, study["1"], "signac_statepoint.json")
    file.unlink()
    file.mkdir()
    result = cli("statepoint", study["1"])
    assert (result.status, result.out) == (1, "")
    assert study["1"] in result.err


@pytest.mark.parametrize(("number", "reasons"), [(1, 1), (3, 3), (4, 0)])
def test_statepoint_when_few_jobs_are_damaged_then_says_what_is_wrong_with_each(cli, study, project, number, reasons):
    for job_id in sorted(study.values())[:number]:
        Path(project.workspace, job_id, "signac_statepoint.json").write_text("")
    for arguments in (["statepoint"], ["find", "p>=0"]):
        result = cli("-q", *arguments)
        assert result.status == 1
        assert result.err.count("The state point file is empty") == reasons
        assert result.err.count("\n") == 1
