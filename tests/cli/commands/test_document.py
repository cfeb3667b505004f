"""``document --set`` and ``--unset``."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.support.running import snapshot, start


def content(project, job_id):
    path = Path(project.workspace, job_id, "signac_job_document.json")
    return json.loads(path.read_text()) if path.exists() else None


def test_set_when_values_are_json_then_typed_and_text_otherwise(cli, study, project):
    texts = {
        "i": "5", "f": "-1.5", "b": "true", "n": "null", "s": '"5"', "t": "done", "e": '""', "slash": "/x/",
        "l": "[1, 2]", "o": '{"x": 1}', "eq": "a=b", "u": "Å", "blank": " 7 ", "blanks": " a b ",
    }  # fmt: skip
    result = cli("document", study["1"], *(f"--set={key}={text}" for key, text in texts.items()))
    assert (result.status, result.out, result.err) == (0, "", "Updated 1 document.\n")
    assert content(project, study["1"]) == {
        "i": 5, "f": -1.5, "b": True, "n": None, "s": "5", "t": "done", "e": "", "slash": "/x/",
        "l": [1, 2], "o": {"x": 1}, "eq": "a=b", "u": "Å", "blank": 7, "blanks": " a b ",
    }  # fmt: skip


NUMBERS_OF_PROGRAMS = {
    ".5": 0.5, "5.": 5.0, "-.5": -0.5, "+1": 1, "+1.5": 1.5, "1.5D+02": 150.0, "1e-05": 1e-05, "-0.5": -0.5,
    "inf": math.inf, "-inf": -math.inf, "Infinity": math.inf, "-Infinity": -math.inf, "1E5": 1e5,
}  # fmt: skip


@pytest.mark.parametrize("word", [*NUMBERS_OF_PROGRAMS, "nan", "-nan", "NaN"])
def test_set_when_a_program_has_printed_the_number_then_stored_and_found_as_a_number(cli, study, project, word):
    assert cli("document", study["1"], "--set", f"x={word}").err == "Updated 1 document.\n"
    stored = content(project, study["1"])["x"]
    assert repr(stored) == repr(NUMBERS_OF_PROGRAMS.get(word, math.nan))
    for arguments in ([f"doc.x={word}"], ["doc.x", word]):
        assert cli("-q", "find", *arguments).lines == [study["1"]]
    assert cli("-q", "find", f"doc.x!={word}").lines == []


@pytest.mark.parametrize("word", ["lj", "True", "None", "0x1f", "1.5.2", "a b", "12:30", "1,5"])
def test_set_when_word_is_no_number_then_stored_and_found_as_text(cli, study, project, word):
    cli("document", study["1"], "--set", f"x={word}")
    assert content(project, study["1"]) == {"x": word}
    assert cli("-q", "find", f"doc.x={word}").lines == [study["1"]]


@pytest.mark.parametrize(("word", "advice"), [("True", "true"), ("None", "null"), ("0x1f", "31"), ("1,5", "1.5")])
def test_set_when_text_looks_like_a_number_or_a_constant_then_told(cli, study, word, advice):
    told = cli("document", study["1"], "--set", f"x={word}").err
    assert told == f"x: '{word}' is taken as a string; did you mean: {advice}\nUpdated 1 document.\n"


@pytest.mark.parametrize(("word", "number"), [("007", 7), ("1_000", 1000), ("-007", -7)])
def test_set_when_number_has_leading_zeros_or_underscores_then_number_and_told(cli, study, project, word, number):
    result = cli("document", study["1"], "--set", f"x={word}")
    assert content(project, study["1"]) == {"x": number}
    assert f"'{word}' is the number {number}; as a string it is written --set 'x=\"{word}\"'" in result.err
    assert cli("-q", "find", f"doc.x={word}").lines == cli("-q", "find", "doc.x", word).lines == [study["1"]]


@pytest.mark.parametrize("word", ["0", "-0", "0.5", "10", "0e1", "+0"])
def test_set_when_number_is_plain_then_nothing_told(cli, study, word):
    assert cli("document", study["1"], "--set", f"x={word}").err == "Updated 1 document.\n"


def test_set_when_nan_is_in_double_quotes_then_text(cli, study, project):
    cli("document", study["1"], "--set", 'x="nan"')
    assert content(project, study["1"]) == {"x": "nan"}
    assert cli("-q", "find", 'doc.x="nan"').lines == [study["1"]]
    assert cli("-q", "find", "doc.x=nan").lines == []


def test_set_when_keys_have_the_prefix_of_conditions_then_it_means_the_same(cli, study, project):
    job_id = study["1.5"]
    assert (
        cli("document", job_id, "--set", "doc.energy=-1", "--set", "doc.n.x = 2", "--unset", "doc.status").status == 0
    )
    assert content(project, job_id) == {"energy": -1, "n": {"steps": 10, "x": 2}}
    assert cli("document", job_id, "--set", "doc.sp.a=1", "--set", "doc.doc=2").status == 0
    assert content(project, job_id) == {"energy": -1, "n": {"steps": 10, "x": 2}, "sp": {"a": 1}, "doc": 2}


def test_set_when_json_object_then_its_keys_are_meant_literally(cli, study, project):
    job_id = study["1"]
    literal = {"series[0]": 17, "x+": "a", "sp": None, "doc": {"a": [1]}}
    assert cli("document", job_id, "--set", json.dumps(literal), "--set", "b=1").status == 0
    assert content(project, job_id) == literal | {"b": 1}
    assert cli("document", job_id, "--unset", '"series[0]"', "--unset", '"x+"', "--unset", '"doc"').status == 0
    assert content(project, job_id) == {"sp": None, "b": 1}


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (["--set", "series[0]=17"], "give the whole list. A key of that name is written --set '{\"series[0]\": 17}'."),
        (["--set", "series+=4"], "give the new value. A key of that name is written --set '{\"series+\": 4}'."),
        (["--set", "x *= 2"], "there is no '*='; give the new value."),
        (["--set", "x-=2"], "give the new value"),
        (["--set", "x:=2"], "give the new value"),
        (
            ["--set", "x<=2"],
            "'<=' is for conditions; a value is set by '='. A key of that name is written --set '{\"x<\": 2}'",
        ),
        (["--set", "x!=2"], "--set '{\"x!\": 2}'"),
        (["--set", "x~=lj"], '--set \'{"x~": "lj"}\''),
        (["--set", "x==5"], "--set x=5 (the string is written --set 'x=\"=5\"')"),
        (["--set", '"x"=5'], "conditions cannot name such a key"),
        (["--set", "x\ny=5"], "conditions cannot name such a key"),
        (["--set", "a.b[0]=17"], "give the whole list."),
        (["--set", "sp.T=5"], "'job.sp.T = VALUE' in 'signac shell'. A key 'sp' of the document is written doc.sp.T."),
        (
            ["--set", "sp=5"],
            "'job.sp.KEY = VALUE' in 'signac shell'. A key of that name is written --set '{\"sp\": 5}'.",
        ),
        (["--set", "doc=5"], "of which a key has to be named. A key of that name is written --set '{\"doc\": 5}'."),
        (["--set", "energy="], "--set 'energy=\"\"' sets an empty string, --unset deletes the key."),
        (["--set", "energy= "], "sets an empty string"),
        (["--set", "doc.energy="], "sets an empty string"),
        (["--unset", "series[0]"], "A key of that name is written --unset '\"series[0]\"'."),
        (["--unset", "sp.T"], "'job.sp.T = VALUE' in 'signac shell'"),
        (["--unset", "doc"], "--unset '\"doc\"'"),
        (["--unset", "x=1"], "conditions cannot name such a key"),
        (["--set", '{"a": 1'], "takes KEY=VALUE"),
        (["--set", '{"": 1}'], "An empty string is no key"),
        (["--set", "x", "=", "5"], "--set takes KEY=VALUE in one argument, with no blanks around '='."),
        (["--set", "x", "=5"], "--set takes KEY=VALUE in one argument, with no blanks around '='."),
        (["--set", "x=1", "y=2"], "--set takes one KEY=VALUE, and is repeated for the next: --set y=2."),
    ],
)
def test_set_when_a_key_or_value_cannot_be_meant_then_usage_error_says_how_to_write_it(cli, study, options, advice):
    before = snapshot()
    result = cli("document", study["1"], *options)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert advice in result.err
    assert snapshot() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x=[draft]", "'[draft]' is not valid JSON"),
        ("x={a: 1}", "'{a: 1}' is not valid JSON"),
        ('x={"a": 1, "a": 2}', "in line 1 for the second time"),
        ('{"a": 1, "a": 2}', "in line 1 for the second time"),
        ("{a: 1}", "is not valid JSON"),
        ("x=\udcff", "is not UTF-8"),
    ],
)
def test_set_when_json_is_wrong_then_told_and_nothing_changed(cli, study, text, reason):
    before = snapshot()
    result = cli("document", study["1"], "--set", text)
    assert (result.status, result.out) == (1, "")
    assert reason in result.err
    assert snapshot() == before


def test_set_when_text_looks_like_json_then_hint(cli, study, project):
    result = cli("document", study["1"], "--set", 'a={"x": 1')
    assert content(project, study["1"]) == {"a": '{"x": 1'}
    assert "not valid JSON and taken as a string" in result.err


def test_set_when_keys_are_dotted_then_nested_and_neighbours_kept(cli, study, project):
    job_id = study["1.5"]
    assert cli("document", job_id, "--set", "n.done=true", "--set", "new.a.b=1", "--unset", "status").status == 0
    assert content(project, job_id) == {
        "energy": -1.25,
        "n": {"steps": 10, "done": True},
        "new": {"a": {"b": 1}},
    }


def test_unset_when_key_is_absent_then_unchanged(cli, study, project):
    before = snapshot()
    result = cli("document", study["1.5"], study["1"], "--unset", "zz", "--unset", "n.zz", "--unset", "zz.a")
    assert (result.status, result.err.splitlines()[-1]) == (0, "Updated 0 documents, 2 unchanged.")
    assert snapshot() == before


def test_set_when_repeated_then_every_key_and_each_job_once(cli, study, project):
    result = cli("document", study["1"], study["1"], "--set", "a=1", "--set", "b=2", "--set", "a=1")
    assert result.err == "Updated 1 document.\n"
    assert content(project, study["1"]) == {"a": 1, "b": 2}


def test_set_when_a_key_is_given_two_values_then_refused_and_nothing_changed(cli, study):
    before = snapshot()
    result = cli("document", study["1"], "--set", "a=1", "--set", "b=2", "--set", "a=2")
    assert (result.status, result.out) == (2, "")
    assert "two values of 'a', '1' and '2'" in result.err
    assert snapshot() == before


@pytest.mark.parametrize(
    "arguments", [["-f", "p", "3"], ["--filter", '{"p": 3}'], ["-j", "ID1", "ID2"], ["ID1", "ID2"], ["-"]]
)
def test_set_when_jobs_are_selected_then_those_only(cli, study, project, arguments):
    selected = {study["2"], study["-5"]}
    arguments = [{"ID1": study["2"], "ID2": study["-5"][:10]}.get(argument, argument) for argument in arguments]
    result = cli("-q", "document", "--set", "mark=1", *arguments, stdin="\n".join(selected))
    assert (result.status, result.out, result.err) == (0, "", "")
    assert {job_id for job_id in study.values() if (content(project, job_id) or {}).get("mark") == 1} == selected


@pytest.mark.parametrize(
    "options", [["--set", "a=1"], ["--unset", "a"], ["-n", "--set", "a=1"], ["--json", "--set", "a=1"]]
)
def test_set_when_no_jobs_are_named_then_usage_error_and_nothing_changed(cli, study, options):
    before = snapshot()
    result = cli("document", *options)
    assert (result.status, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert snapshot() == before


def test_set_when_stdin_is_empty_then_nothing_changed(cli, study):
    before = snapshot()
    result = cli("document", "-", "--set", "a=1")
    assert (result.status, result.err) == (0, "Updated 0 documents.\n")
    assert snapshot() == before


def test_set_when_filter_is_empty_then_all_jobs(cli, study, project):
    assert cli("document", "-f", "{}", "--set", "a=1").err == "Updated 4 documents.\n"
    assert all(content(project, job_id)["a"] == 1 for job_id in study.values())


def test_set_when_dry_run_then_told_and_nothing_changed(cli, study):
    before = snapshot()
    result = cli("document", "-n", "-f", "p", "3", "--set", "a=1")
    assert (result.status, result.lines) == (0, sorted([study["2"], study["-5"]]))
    assert "Would have updated 2 documents." in result.err
    assert snapshot() == before


def test_set_when_dry_run_then_exactly_the_jobs_that_would_change(cli, study, project):
    cli("document", study["1"], "--set", "n.a=1")
    cli("document", study["2"], "--set", "n.a=1.0", "--set", "old=1")
    arguments = ["-f", "{}", "--set", "n.a=1", "--unset", "old", "--json"]
    planned = json.loads(cli("-q", "document", "-n", *arguments).out)
    listed = cli("document", "-n", *arguments[:-1])
    done = json.loads(cli("-q", "document", *arguments).out)
    assert planned == done | {"dry_run": True}
    assert planned["counts"] == {"updated": 3, "unchanged": 1, "failed": 0}
    assert (listed.lines, listed.err.splitlines()[-1]) == (
        sorted(set(study.values()) - {study["1"]}),
        "Would have updated 3 documents, 1 unchanged.",
    )


def test_set_when_dry_run_then_fails_as_the_change_would(cli, study, project):
    Path(project.workspace, study["1"], "signac_job_document.json").write_text("{")
    arguments = [study["1"], study["1.5"], study["2"], "--set", "energy.x=1", "--json"]
    planned = json.loads(cli("document", "-n", *arguments).out)
    done = json.loads(cli("document", *arguments).out)
    assert planned == done | {"dry_run": True}
    assert planned["counts"] == {"updated": 1, "unchanged": 0, "failed": 2}


def test_document_when_few_jobs_are_damaged_then_says_what_is_wrong(cli, study, project):
    path = Path(project.workspace, study["1"], "signac_job_document.json")
    path.write_text("[]")
    result = cli("document")
    assert result.status == 1
    assert f"{study['1']} (Document '{path}'" in result.err


def test_set_when_json_then_one_report(cli, study):
    cli("document", study["1"], "--set", "a=1")
    result = cli("-q", "document", study["1"], study["2"], "--set", "a=1", "--json")
    assert json.loads(result.out) == {
        "command": "document",
        "dry_run": False,
        "counts": {"updated": 1, "unchanged": 1, "failed": 0},
        "jobs": [{"id": study["1"], "action": "unchanged"}, {"id": study["2"], "action": "updated"}],
        "errors": [],
    }


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--set", "a"], 2),
        (["--set", "=1"], 2),
        (["--set", "a..b=1"], 2),
        (["--set", ".a=1"], 2),
        (["--unset", "a."], 2),
        (["--unset", ""], 2),
        (["--set", "a=1", "--unset", "a"], 2),
        (["--set", "a=1", "--set", "a.b=1"], 2),
        (["--set", "a.b=1", "--unset", "a"], 2),
        (["--set", 'a={"x.y": 1}'], 1),
        (["--set", 'a=[{"x.y": 1}]'], 1),
        (["--set", "a=1", "--jsonl"], 2),
        (["--set", "a=1", "-p"], 2),
        (["--set", "a=1", "-i"], 2),
        (["--set", "a=1", "-s"], 2),
        (["--set", "a=1", "--table"], 2),
        (["--set", "a=1", "-0"], 2),
        (["--set", "a=1", "-f", "T", "1"], 1),
        (["-n"], 2),
    ],
)
def test_set_when_wrong_then_one_line_and_nothing_changed(cli, study, options, status):
    before = snapshot()
    result = cli("document", study["1"], *options)
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1
    assert snapshot() == before


def test_set_when_any_id_is_unknown_then_all_bad_ones_told_and_nothing_changed(cli, study):
    before = snapshot()
    result = cli("document", study["1"], "zz", "../../etc", "--set", "a=1")
    assert (result.status, result.out) == (1, "")
    assert [line.split("'")[1] for line in result.err.splitlines()] == ["zz", "../../etc"]
    assert snapshot() == before


def test_set_when_a_key_leads_through_a_scalar_then_that_job_fails_and_the_others_are_done(cli, study, project):
    before = content(project, study["1.5"])
    result = cli("document", study["1.5"], study["1"], "--set", "energy.x=1", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"] == {"updated": 1, "unchanged": 0, "failed": 1}
    assert [error["id"] for error in report["errors"]] == [study["1.5"]]
    assert study["1.5"] in json.loads(result.err.splitlines()[0])["error"]["message"]
    assert (content(project, study["1.5"]), content(project, study["1"])) == (before, {"energy": {"x": 1}})


def test_set_when_document_is_damaged_then_left_as_it_is(cli, study, project):
    file = Path(project.workspace, study["1"], "signac_job_document.json")
    file.write_text("{")
    result = cli("document", study["1"], "--set", "a=1")
    assert (result.status, file.read_text()) == (1, "{")
    assert study["1"] in result.err.splitlines()[0]


def test_set_when_many_processes_write_one_document_then_no_key_is_lost(study, project):
    processes = [start("-q", "document", study["1"], "--set", f"k{i}={i}", "--set", f"n.k{i}={i}") for i in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    expected = {f"k{i}": i for i in range(8)}
    assert content(project, study["1"]) == expected | {"n": expected}


@pytest.fixture
def lost(study, project):
    """A job whose document is a link, what it leads to is not there."""
    path = Path(project.workspace, study["1"], "signac_job_document.json")
    path.symlink_to("../../.git/annex/objects/lost")
    return path


@pytest.mark.parametrize("arguments", [["--set", "x=1"], ["--unset", "x"], []])
def test_document_when_it_is_a_link_to_nowhere_then_an_error_and_it_stays(cli, study, lost, arguments):
    result = cli("document", study["1"], *arguments)
    assert (result.status, result.out) == (1, "")
    assert "leads nowhere" in result.err
    assert lost.is_symlink()
    assert not lost.exists()


@pytest.mark.parametrize("condition", ["doc.energy!=!", "doc.energy=!", "doc.energy<0"])
def test_find_when_a_document_is_a_link_to_nowhere_then_the_job_is_damaged_and_not_without_results(
    cli, study, lost, condition
):
    result = cli("find", condition)
    assert result.status == 1
    assert study["1"] not in result.lines
    assert study["1"] in result.err
    assert "signac check" in result.err


def test_check_when_a_document_is_a_link_to_nowhere_then_named(cli, study, lost):
    result = cli("check")
    assert result.status == 3
    assert study["1"] in result.out + result.err
