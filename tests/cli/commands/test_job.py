from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.running import execute, snapshot

ID = "9bfd29df07674bc4aa960cf661b5acd2"  # of {"a": 0}


def test_job_when_not_created_then_id_only(cli, project):
    before = snapshot()
    result = cli("job", '{"a": 0}')
    assert (result.status, result.out, result.err) == (0, f"{ID}\n", "")
    assert snapshot() == before


def test_job_when_created_then_whole_and_again_the_same(cli, project):
    assert cli("job", "-c", '{"a": 0}').out == f"{ID}\n"
    before = snapshot()
    assert cli("job", "--create", '{"a": 0}').out == f"{ID}\n"
    assert snapshot() == before
    assert Path(project.workspace, ID, "signac_statepoint.json").read_text() == '{"a": 0}'


@pytest.mark.parametrize("option", ["-p", "--path", "-w", "--workspace", "--pa"])
def test_job_when_path_then_path_of_the_directory(cli, project, option):
    assert cli("job", option, '{"a": 0}').out == f"{project.workspace}/{ID}\n"


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        ("{}", "99914b932bd37a50b983c5e7c90ae93b"),
        (' {"a":0}\n', ID),
        ('{"name": "Ångström"}', "bb34432e55ec2a0653a44dffa0db1249"),
        ('{"a": NaN}', "95d74f1b7565806cb282d8bc4822d9bf"),
        ('{"inf": 1e999, "d": "\x7f"}', "763a1fb0b6e50dc9d317889d9c86864a"),
    ],
)
def test_job_when_text_is_unusual_then_id_of_signac(cli, project, text, job_id):
    result = cli("job", text)
    assert (result.status, result.out) == (0, f"{job_id}\n")


@pytest.mark.parametrize(
    "text",
    ['{"a": 0}{"a": 1}', '{"a": 0}\n{"a": 1}\n', '\ufeff{"a": 0} \n\n {"a":\n 1}', '{"a": 0}\t{"a": 1}\r\n'],
)
def test_job_when_several_documents_on_stdin_then_one_id_each(cli, project, text):
    ids = [ID, "42b7b4f2921788ea14dac5566e6f06d0"]
    assert cli("job", stdin=text).lines == ids
    assert cli("job", "-", "-c", stdin=text).lines == ids
    assert sorted(path.name for path in Path(project.workspace).iterdir()) == sorted(ids)


def test_job_when_null_then_records_end_with_nul(cli, project):
    text = '{"a": 0}{"a": 1}'
    assert cli("job", "-0", stdin=text).out == f"{ID}\x0042b7b4f2921788ea14dac5566e6f06d0\0"
    assert cli("job", "-0p", '{"a": 0}').out == f"{project.workspace}/{ID}\0"


def test_job_when_json_then_object_for_an_argument_and_array_for_stdin(cli, project):
    path = f"{project.workspace}/{ID}"
    assert json.loads(cli("job", '{"a": 0}', "--json").out) == {"id": ID, "path": path, "created": False}
    assert json.loads(cli("job", "-c", "--json", stdin='{"a": 0}').out) == [{"id": ID, "path": path, "created": True}]
    lines = cli("job", "-c", "--jsonl", stdin='{"a": 0}{"a": 1}').lines
    assert [json.loads(line)["created"] for line in lines] == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "it is an array"),
        ("null", "it is null"),
        ("5", "it is a number"),
        ("-5", "it is a number"),
        ('"a"', "it is a string"),
        ("true", "it is a truth value"),
        ("{a: 0}", "line 1 column 2"),
        ('{"a": .5}', "line 1 column 7 (char 6) ('.5' is written 0.5 there)."),
        ('{"a": [1, True]}', "('True' is written true there)."),
        ("", "Expecting value"),
        ('{"a": 0} x', "Extra data: line 1 column 10"),
        ('{"a.b": 0}', "a.b"),
        ('{"a": [{"b.c": 0}]}', "b.c"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"a": 1' + "0" * 5000 + "}", "4300 digits"),
        ('{"a": 1, "a": 2}', 'the key "a" is in line 1 for the second time'),
        ('{"a": 1,\n "b": [{"c": 1, "\\u0063": 1}]}', "in line 2 for the second time"),
        ('{"a": "\udcff"}', "line 1 is not UTF-8"),
        ('{"a": 1,\n "\udce9": 1}', "line 2 is not UTF-8"),
    ],
)
@pytest.mark.parametrize("options", [[], ["-c"]])
def test_job_when_state_point_is_invalid_then_one_line_and_nothing_created(cli, project, text, said, options):
    before = snapshot()
    result = cli("job", *options, text)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("Error: Invalid state point ")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert snapshot() == before


def test_job_when_a_number_is_too_large_then_told(cli, project):
    result = cli("job", stdin='{"a": 1e400}\n{"a": "1e500", "b": [-1E+999]}\n')
    assert (result.status, len(result.lines)) == (0, 2)
    assert result.err.splitlines() == [
        f"'{number}' is too large for a number and taken as infinity" for number in ("1e400", "-1E+999")
    ]
    assert cli("job", '{"a": 1e30, "e": Infinity}').err == ""


@pytest.mark.parametrize("options", [["-p"], [], ["-cp"], ["--json"]])
@pytest.mark.parametrize("word", ["00fe", "9bfd29df07674bc4aa960cf661b5acd2", "1234", "workspace/9bfd", "face"])
def test_job_when_an_id_is_given_then_told_where_its_path_comes_from(cli, project, options, word):
    before = snapshot()
    result = cli("job", *options, word)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert f"'{word}' is an id, not a state point." in result.err
    assert f"'signac find -j {word} --path'" in result.err
    assert f"'signac statepoint {word}'" in result.err
    assert snapshot() == before


def test_job_when_ids_are_on_standard_input_then_told_where_their_paths_come_from(cli, study):
    result = cli("job", "-p", stdin=cli("find").out)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert "Standard input holds ids, not state points." in result.err
    assert cli("find", "-j", "-", "--path", stdin=cli("find").out).out == cli("find", "--path").out


@pytest.mark.parametrize(
    "text",
    ['{"a": 0}[1]', '{"a": 0}{"b": ', "", " \n", '{"a": 0}\n{"a.b": 1}\n', '{"a": 0}\n{"b": 1, "c": 2, "b": 1}\n'],
)
def test_job_when_any_document_on_stdin_is_invalid_then_none_created(cli, project, text):
    before = snapshot()
    result = cli("job", "-c", stdin=text)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("Error: Invalid state point on standard input: ")
    assert snapshot() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"a": 0}\n{"name": "\xc5ngstr\xf6m"}\n', "line 2 is not UTF-8"),
        (b'\xff{"a": 0}', "line 1 is not UTF-8"),
        (b'{"a": 0}\n\n{"b": 1,\n"b": 2}', 'the key "b" is in line 4 for the second time'),
    ],
)
def test_job_when_bytes_on_stdin_are_no_json_of_utf_8_then_the_line_is_told(project, text, said):
    before = snapshot()
    result = execute("job", "-c", stdin=text)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"Error: Invalid state point on standard input: {said}.")
    assert snapshot() == before


def test_job_when_escapes_are_halves_of_characters_then_accepted_as_by_signac(cli, project):
    assert cli("job", '{"a": "\\udcff"}').status == 0


def test_job_when_one_cannot_be_created_then_those_before_it_are_told(cli, project):
    blocked = "42b7b4f2921788ea14dac5566e6f06d0"
    Path(project.workspace, blocked).write_text("a file")
    result = cli("job", "-c", stdin='{"a": 0}{"a": 1}{"a": 2}')
    assert (result.status, result.lines) == (1, [ID])
    assert blocked in result.err
    assert result.err.count("\n") == 1


def test_job_when_directory_holds_another_state_point_then_refused(cli, project):
    cli("job", "-c", '{"a": 0}')
    state_point = Path(project.workspace, ID, "signac_statepoint.json")
    state_point.write_text('{"a": 5}')
    result = cli("job", "-c", '{"a": 0}', "--json")
    assert (result.status, result.out) == (1, "")
    assert json.loads(result.err)["error"]["code"] == "damaged-jobs"
    assert state_point.read_text() == '{"a": 5}'


@pytest.mark.parametrize("options", [["--json", "--jsonl"], ["-0", "--json"], ["-0", "--jsonl"]])
def test_job_when_options_exclude_each_other_then_usage_error(cli, project, options):
    result = cli("job", "{}", *options)
    assert (result.status, result.out) == (2, "")
    assert json.loads(result.err)["error"]["code"] == "usage"
