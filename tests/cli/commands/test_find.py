from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import pytest

from tests.support.running import snapshot

# --- which jobs ------------------------------------------------------------------------------------------------------


def ids(study: dict[str, str], *temperatures: str) -> list[str]:
    return sorted(study[temperature] for temperature in temperatures)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ([], ["1", "1.5", "2", "-5"]),
        (["{}"], ["1", "1.5", "2", "-5"]),
        (["[]"], ["1", "1.5", "2", "-5"]),
        (["T", "1"], ["1"]),
        (["T", "-5"], ["-5"]),
        (["T", "-5.0"], ["-5"]),
        (["--", "T", "-5"], ["-5"]),
        (["list"], ["-5"]),
        (["list", "!"], ["-5"]),
        (["list!=!"], ["1", "1.5", "2"]),
        (["on", "true"], ["-5"]),
        (["model.cut", "null"], ["1"]),
        (["name", "lj", "p", "2"], ["1.5"]),
        (["name", "/^h/"], ["2", "-5"]),
        (["list", "[1, [2]]"], ["-5"]),
        (['{"T": {"$gt": 1}}'], ["1.5", "2"]),
        (["T.$gt", "1"], ["1.5", "2"]),
        (["T>=1.5"], ["1.5", "2"]),
        (["T>=1.5", "T<2"], ["1.5"]),
        (["name~^lj"], ["1", "1.5"]),
        (["model.eps!=2.5"], ["1"]),
        (["doc.energy<-1"], ["1.5"]),
        (["doc.status", "done", "T", "1.5"], ["1.5"]),
        (["doc.n.steps", "10"], ["1.5"]),
        (["name=lj", "p", "1"], ["1"]),
        (["zz", "1"], []),
    ],
)
def test_find_when_filtered_then_sorted_ids(cli, study, filter, found):
    result = cli("-q", "find", *filter)
    assert (result.status, result.lines, result.err) == (0, ids(study, *found), "")


def test_find_when_simple_filter_then_interpretation_on_stderr(cli, study):
    assert cli("find", "T", "1", "name~é").err == (
        """Interpreted filter arguments as '{"T": 1, "name": {"$regex": "\\u00e9"}}'.\n"""
    )
    assert cli("find", '{"T": 1}').err == ""
    assert cli("find").err == ""


def test_find_when_minus_one_is_directly_behind_a_key_then_its_value(cli, project):
    ids = {q: project.open_job({"charge": q, "n": f"q{q}"}).init().id for q in (-2, -1, 0, 1)}
    for arguments in (["charge", "-1"], ["charge=-1"], ["--", "charge", "-1"], ["charge", "-1", "n", "q-1"]):
        assert cli("-q", "find", *arguments).lines == [ids[-1]]
    assert cli("-q", "find", "charge", "-0").lines == [ids[0]]
    assert cli("-q", "find", "charge.$lte", "-1").lines == sorted([ids[-1], ids[-2]])
    assert cli("-q", "rm", "-n", "-", stdin=cli("-q", "find", "charge", "-1").out).lines == [ids[-1]]
    assert cli("-q", "statepoint", "-f", "charge", "-1").lines == ['{"charge": -1, "n": "q-1"}']


def test_find_when_filter_probably_means_something_else_then_hint(cli, study):
    assert "did you mean: true" in cli("find", "on", "True").err
    assert "did you mean: a ! 'T>=1'" in cli("find", "a", "T>=1").err
    assert "as the value of T use T=-1" in cli("find", "T", "-s", "-1").err


def test_find_when_types_are_mixed_then_no_match_and_one_warning(cli, study):
    result = cli("find", "name>1")
    assert (result.status, result.out) == (0, "")
    assert result.err.count("Warning:") == 1
    assert "sp.name" in result.err
    assert cli("-q", "find", "name>1").err == ""


def test_find_when_where_then_only_with_allow_eval(cli, study):
    refused = cli("find", "T.$where", "lambda x: x > 1")
    assert refused.status == 1
    assert "--allow-eval" in refused.err
    allowed = cli("-q", "find", "T.$where", "lambda x: x > 1", "--allow-eval")
    assert allowed.lines == ids(study, "1.5", "2")


@pytest.mark.parametrize("source", ["lambda x: y", "lambda x: 1/0", "1 +", "5"])
def test_find_when_where_fails_then_one_line(cli, study, source):
    result = cli("-q", "find", "T.$where", source, "--allow-eval")
    assert (result.status, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert repr(source) in result.err or "$where" in result.err


def test_find_when_ids_given_then_intersected(cli, study):
    assert cli("find", "-j", study["1"][:6], study["2"]).lines == ids(study, "1", "2")
    assert cli("-q", "find", "T>=1.5", "-j", study["1"], study["2"]).lines == ids(study, "2")
    assert cli("find", "-j", study["2"], study["2"]).lines == ids(study, "2")


@pytest.mark.parametrize("separator", ["\n", " ", "\0", "\t\n", " \0\n"])
def test_find_when_ids_on_stdin_then_any_separator(cli, study, separator):
    given = separator.join([study["2"], f"workspace/{study['1']}/", study["-5"]]) + separator
    assert cli("find", "-j", "-", stdin=given).lines == ids(study, "1", "2", "-5")


def test_find_when_stdin_is_empty_then_nothing(cli, study):
    assert cli("find", "-j", "-", "--json").out == "[]\n"
    assert (cli("find", "-j", "-").status, cli("find", "-j", "-").out) == (0, "")


def test_find_when_sharded_then_a_partition_by_id(cli, study):
    parts = [cli("find", "--shard", f"{index}/3").lines for index in range(3)]
    assert sorted(chain(*parts)) == ids(study, "1", "1.5", "2", "-5")
    for index, part in enumerate(parts):
        assert all(int(job_id, 16) % 3 == index for job_id in part)
    matching = [cli("-q", "find", "T>=1.5", "--shard", f"{index}/2").lines for index in range(2)]
    assert sorted(chain(*matching)) == ids(study, "1.5", "2")
    assert cli("find", "--shard", "0/1", "-j", study["1"]).lines == [study["1"]]


def test_find_when_sharded_then_before_limit(cli, study):
    for index in range(2):
        part = cli("find", "--shard", f"{index}/2").lines
        assert cli("find", "--shard", f"{index}/2", "-L", "1").lines == part[:1]


@pytest.mark.parametrize("shard", ["2/2", "-1/2", "1", "1/", "/2", "a/b", "0/0", "1.0/2", ""])
def test_find_when_shard_is_no_part_then_usage_error(cli, study, shard):
    result = cli("find", "--shard", shard)
    assert (result.status, result.out) == (2, "")
    assert "--shard" in result.err


# --- order and number ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "order"),
    [
        (["--sort", "T"], ["-5", "1", "1.5", "2"]),
        (["--sort", "sp.T", "--reverse"], ["2", "1.5", "1", "-5"]),
        (["--sort", "p,T"], ["1", "1.5", "-5", "2"]),
        (["--sort", "name,sp.T"], ["-5", "2", "1", "1.5"]),
        (["--sort", "T", "-L", "2"], ["-5", "1"]),
        (["--sort", "T", "--reverse", "--limit=1"], ["2"]),
        (["--sort", "doc.energy,T"], ["1.5", "-5", "1", "2"]),
        (["--sort", "model.eps,T"], ["1", "1.5", "2", "-5"]),
        (["--sort", "-T"], ["2", "1.5", "1", "-5"]),
        (["--sort=-T", "--reverse"], ["-5", "1", "1.5", "2"]),
        (["--sort", "-p,T"], ["-5", "2", "1.5", "1"]),
        (["--sort", "p,-sp.T"], ["1", "1.5", "2", "-5"]),
        (["--sort", " -p , T"], ["-5", "2", "1.5", "1"]),
        (["--sort", "-p,T", "--reverse"], ["1", "1.5", "2", "-5"]),
        (["--sort", "T,-p"], ["-5", "1", "1.5", "2"]),
        (["--sort", "-doc.energy,-T"], ["1.5", "2", "1", "-5"]),
        (["--sort", "doc.energy,T", "--reverse"], ["1.5", "2", "1", "-5"]),
        (["--sort", "-model.eps,T"], ["1.5", "2", "1", "-5"]),
        (["--sort", "model.eps,T", "--reverse"], ["2", "1.5", "1", "-5"]),
        (["--sort", "list[0],T"], ["-5", "1", "1.5", "2"]),
        (["--sort", "-T", "-L", "1", "--"], ["2"]),
        (["--sort", "-1"], ["-5", "1.5", "1", "2"]),
    ],
)
def test_find_when_sorted_then_by_value_and_missing_last(cli, study, options, order):
    assert cli("find", *options).lines == [study[temperature] for temperature in order]


def test_find_when_sorted_by_id_or_reversed_then_by_id(cli, study):
    everything = ids(study, *study)
    assert cli("find", "--sort", "-id").lines == everything[::-1]
    assert cli("find", "--sort", "id").lines == everything
    assert cli("find", "--reverse").lines == everything[::-1]
    assert cli("find", "--sort", "id", "--reverse", "-L", "1").lines == everything[-1:]


def test_find_when_sorted_by_mixed_types_then_by_type(cli, project):
    values = ["b", 2, None, [1], True, 1.5, {"x": 1}, "a", [0, "x"], float("nan")]
    for value in values:
        project.open_job({"v": value}).init()
    project.open_job({"other": 0}).init()
    result = cli("find", "--sort", "v", "--format", "{v}")
    assert result.lines == ["null", "true", "1.5", "2", "NaN", "a", "b", '[0, "x"]', "[1]", '{"x": 1}', ""]
    # From high to low, too, what is missing comes last, and NaN behind all numbers.
    down = ['{"x": 1}', "[1]", '[0, "x"]', "b", "a", "2", "1.5", "NaN", "true", "null", ""]
    assert cli("find", "--sort", "-v", "--format", "{v}").lines == down
    assert cli("find", "--sort", "v", "--reverse", "--format", "{v}").lines == down
    assert cli("find", "--sort", "-v", "--reverse", "--format", "{v}").lines == result.lines


def test_find_when_columns_are_items_of_lists_then_these(cli, study):
    assert json.loads(cli("find", "T=-5", "--sp", "list[0]", "list[-1][0]", "--json").out)[0]["sp"] == {
        "list[0]": 1,
        "list[-1][0]": 2,
    }


def test_find_when_limited_then_the_first(cli, study):
    everything = ids(study, *study)
    assert cli("find", "-L", "0").out == ""
    assert cli("find", "-L3").lines == everything[:3]
    assert cli("find", "--limit", "99").lines == everything


def test_find_when_counted_then_a_number(cli, study):
    assert cli("find", "--count").out == "4\n"
    assert cli("-q", "find", "T>=1.5", "--count").out == "2\n"
    assert cli("find", "--count", "-L", "3", "--json").out == '{"count":3}\n'
    assert cli("find", "--count", "--jsonl").out == '{"count":4}\n'


def test_find_when_exit_status_wanted_then_3_for_nothing(cli, study):
    assert cli("-q", "find", "T", "7").status == 0
    assert cli("-q", "find", "T", "7", "-e").status == 3
    assert cli("-q", "find", "T", "7", "-e", "--count").status == 3
    assert cli("-q", "find", "T", "1", "--exit-status").status == 0


# --- records ---------------------------------------------------------------------------------------------------------


def test_find_when_path_then_absolute_paths(cli, study, project):
    assert cli("find", "--path").lines == [f"{project.workspace}/{job_id}" for job_id in ids(study, *study)]


def test_find_when_null_then_ends_with_nul(cli, study, project):
    everything = ids(study, *study)
    assert cli("find", "-0").out == "".join(f"{job_id}\0" for job_id in everything)
    assert cli("find", "--null", "--path", "-L1").out == f"{project.workspace}/{everything[0]}\0"
    assert cli("find", "-0", "--format", "{id}\\n", "-L1").out == f"{everything[0]}\n\0"


def test_find_when_shown_on_a_pipe_then_the_text_of_signac(cli, study):
    job_id = study["1.5"]
    state_point = "{'T': 1.5, 'model': {'cut': 3, 'eps': 2.5}, 'name': 'lj', 'p': 2}\n"
    document = "{'energy': -1.25, 'n': {'steps': 10}, 'status': 'done'}\n"
    for options in (["-s"], ["-s", "2"], ["--show=5"], ["--sp", "--doc"], ["-s", "--plain"]):
        assert cli("-q", "find", "T", "1.5", *options).out == f"{job_id}\n{state_point}{document}"
    assert cli("-q", "find", "T", "1.5", "-s", "0").out == f"{job_id}\n"
    assert cli("-q", "find", "T", "1.5", "--sp").out == f"{job_id}\n{state_point}"
    assert cli("-q", "find", "T", "1.5", "-p", "1", "--doc").out == (
        f"{job_id}\n{{'energy': -1.25, 'n': {{...}}, 'status': 'done'}}\n"
    )


def test_find_when_shown_on_one_line_then_labelled_json(cli, study):
    job_id = study["1.5"]
    assert cli("-q", "find", "T", "1.5", "-1", "--sp", "T", "p", "--doc", "energy").out == (
        f'{job_id}\n{job_id[:6]} sp \t{{"T": 1.5, "p": 2}}\n{job_id[:6]} doc\t{{"energy": -1.25}}\n'
    )
    assert cli("-q", "find", "T", "1.5", "-1").out == f"{job_id}\n"


def test_find_when_keys_are_dotted_then_the_part_of_the_tree(cli, study):
    result = cli("-q", "find", "T", "1.5", "--sp", "model.cut", "zz", "zz.y", "--doc", "n.steps")
    assert result.out == f"{study['1.5']}\n{{'model': {{'cut': 3}}}}\n{{'n': {{'steps': 10}}}}\n"


def test_find_when_json_then_one_array_of_records(cli, study, project):
    job_id = study["1.5"]
    state_point = {"T": 1.5, "p": 2, "name": "lj", "model": {"eps": 2.5, "cut": 3}}
    document = {"energy": -1.25, "status": "done", "n": {"steps": 10}}
    path = f"{project.workspace}/{job_id}"
    record = {"id": job_id, "path": path, "sp": state_point, "doc": document}

    def found(*options: str) -> object:
        result = cli("-q", "find", "T=1.5", "--json", *options)
        assert result.out.count("\n") == 1
        return json.loads(result.out)

    assert found() == [{"id": job_id, "sp": state_point}]
    assert found("--doc") == [{"id": job_id, "sp": state_point, "doc": document}]
    assert found("--doc", "--path") == [record]
    assert list(found("--doc", "--path")[0]) == ["id", "path", "sp", "doc"]
    assert found("--sp", "T", "--doc", "n.steps") == [{"id": job_id, "sp": {"T": 1.5}, "doc": {"n": {"steps": 10}}}]
    assert json.loads(cli("find", "--json").out)[0]["id"] == ids(study, *study)[0]
    assert cli("-q", "find", "zz", "--json").out == "[]\n"


def test_find_when_json_lines_then_an_object_per_line(cli, study):
    result = cli("find", "--jsonl", "--doc")
    records = [json.loads(line) for line in result.lines]
    assert [record["id"] for record in records] == ids(study, *study)
    assert {tuple(record) for record in records} == {("id", "sp", "doc")}
    assert cli("-q", "find", "zz", "--jsonl").out == ""


def test_find_when_template_then_a_line_per_job(cli, study, project):
    template = r"{id:.4}\t{T:.2f} {sp.model.eps}|{job.sp.p}|{doc.energy}|{job.doc.n}|{zz}{{}}"
    job_id = study["1.5"]
    assert (
        cli("-q", "find", "T=1.5", "--format", template).out == f'{job_id[:4]}\t1.50 2.5|2|-1.25|{{"steps": 10}}|{{}}\n'
    )
    assert cli("-q", "find", "T=1.5", "--format", "{path}", "--sp", "--path").out == f"{project.workspace}/{job_id}\n"
    assert cli("-q", "find", "on=true", "--format", "{on} {list} {model.cut}").lines == ["true [1, [2]] "]


def test_find_when_template_does_not_suit_a_value_then_written_as_it_is_with_one_warning(cli, study):
    result = cli("find", "--format", "{name:.2f}")
    assert result.status == 0
    assert sorted(result.lines) == ["hertz", "hertz", "lj", "lj"]
    assert result.err.count("Warning:") == result.err.count("\n") == 1


@pytest.mark.parametrize("template", ["{id", "id}", "{}", "{:.2f}", "{T!r}", "{T:{p}}", "{job.zz}", "{job.}"])
def test_find_when_template_is_invalid_then_usage_error(cli, study, template):
    result = cli("find", "--format", template)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("Error: Invalid template ")
    assert result.err.count("\n") == 1


def test_find_when_table_then_aligned_without_trailing_blanks(cli, study):
    result = cli("find", "--sort", "T", "--table", "--sp", "T", "name", "model", "--doc", "energy")
    assert result.lines == [
        "id                                  T  name   model                      doc.energy",
        f"{study['-5']}   -5  hertz",
        f'{study["1"]}  1.0  lj     {{"eps": 1.5, "cut": null}}',
        f'{study["1.5"]}  1.5  lj     {{"eps": 2.5, "cut": 3}}          -1.25',
        f'{study["2"]}  2.0  hertz  {{"eps": 2.5, "cut": 3}}',
    ]


def test_find_when_table_of_all_keys_then_nested_ones_dotted(cli, study):
    header = cli("find", "--table").lines[0].split()
    assert header[0] == "id"
    assert set(header) == {"id", "T", "p", "name", "model.eps", "model.cut", "list", "on"}
    assert cli("find", "--table", "--doc").lines[0].split() == ["id", "doc.energy", "doc.status", "doc.n.steps"]
    assert cli("-q", "find", "zz", "--table").out == ""
    assert cli("-q", "find", "T=1", "--table", "--path", "--sp", "T").lines[0].split() == ["id", "path", "T"]


@pytest.mark.parametrize(
    "options",
    [
        ["--json", "--jsonl"],
        ["--json", "--table"],
        ["--plain", "--format", "{id}"],
        ["-0", "--json"],
        ["-0", "--jsonl"],
        ["-0", "--table"],
        ["-0", "--sp"],
        ["-0", "-s"],
        ["--count", "--table"],
        ["--count", "--format", "{id}"],
        ["--count", "--sp"],
        ["--count", "-0"],
        ["--json", "-1"],
        ["--table", "-p"],
        ["-L", "x"],
        ["--sort", ""],
        ["--sort", "a,,b"],
        ["-p", "0"],
        ["-s", "x", "--limit"],
    ],
)
def test_find_when_options_contradict_then_usage_error_in_one_line(cli, study, options):
    result = cli("find", *options)
    assert (result.status, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert "signac find --help" in result.err


# --- damage ----------------------------------------------------------------------------------------------------------


def test_find_when_a_job_is_damaged_then_named_and_the_others_found(cli, study, project):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("{")
    result = cli("-q", "find", "T>=1")
    assert (result.status, result.lines) == (1, ids(study, "1", "1.5"))
    assert study["2"] in result.err
    assert "signac check" in result.err
    assert result.err.count("\n") == 1


def test_find_when_a_job_is_damaged_but_nothing_is_read_then_found(cli, study, project):
    Path(project.workspace, study["2"], "signac_statepoint.json").unlink()
    assert (cli("find").status, cli("find").lines) == (0, ids(study, *study))


@pytest.mark.parametrize(
    "options", [["--json"], ["--jsonl"], ["--table"], ["--format", "{T} {doc.x}"], [], ["-1"], ["--sort", "T"]]
)
def test_find_when_a_shown_job_is_damaged_then_left_out_of_every_mode(cli, study, project, options):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text('{"T": 3}')
    Path(project.workspace, study["1"], "signac_job_document.json").write_text("[1]")
    result = cli("-q", "find", *options, "--sp", "--doc")
    assert result.status == 1
    damaged = result.err.strip()
    assert study["2"] in damaged
    assert study["1"] in damaged
    assert damaged.count(study["2"]) == 1
    assert study["1"] not in result.out
    if options and options[0] in ("--json", "--jsonl"):
        assert json.loads(damaged)["error"]["code"] == "damaged-jobs"
        text = result.out if options == ["--json"] else "[" + ",".join(result.lines) + "]"
        assert [record["id"] for record in json.loads(text)] == ids(study, "1.5", "-5")


def test_find_when_run_then_nothing_changed(cli, study):
    before = snapshot()
    for options in ([], ["T>=1", "-s"], ["--json", "--doc"], ["--sort", "doc.x"], ["--table"]):
        cli("find", *options)
    assert snapshot() == before


def test_limit_when_no_number_then_said(cli, study):
    assert "'--limit': 'x' is not a valid integer." in cli("find", "-L", "x").err
    assert "'--limit': -1 is not in the range x>=0." in cli("find", "--limit=-1").err


def test_sort_when_a_value_is_nested_deeply_then_the_others_are_sorted(cli, study, project):
    document = Path(project.workspace, study["1"], "signac_job_document.json")
    document.write_text('{"energy": ' + "[" * 600 + "]" * 600 + "}")
    assert cli("find", "--sort", "doc.energy", "doc.energy").lines == [study["1.5"], study["1"]]


@pytest.mark.parametrize("document", [{"e": 1}, {"e": float("nan")}], ids=["plain", "not a number"])
@pytest.mark.parametrize("mode", ["--json", "--jsonl"])
@pytest.mark.parametrize("options", [["--path"], ["--doc"], ["--sp", "--doc", "--path"]], ids=" ".join)
def test_records_when_only_some_of_their_parts_are_copied_from_the_index_then_the_same(
    cli, project, mode, options, document
):
    for i in range(40):
        project.open_job({"i": i}).doc.update(document if i == 7 else {"e": 1})
    expected = cli("find", mode, *options)
    cli("update-cache")
    cli("find", "doc.e=1")
    found = cli("find", mode, *options)
    assert (found.status, found.out) == (0, expected.out)
    assert found.err == expected.err


@pytest.mark.parametrize(
    "command", ["find --jsonl", "find --sp --table", "find --format {i}", "statepoint", "document"]
)
def test_records_when_the_ids_in_the_index_are_damaged_then_read_from_the_files(cli, project, command):
    names = [project.open_job({"i": i}).init().id for i in range(40)]
    expected = cli(*command.split())
    cli("update-cache")
    index = Path(project.path, ".signac", "index")
    content = index.read_bytes()
    some_id = bytes.fromhex(sorted(names)[20])
    assert some_id in content
    index.write_bytes(content.replace(some_id, bytes(16)))
    found = cli(*command.split())
    assert (found.status, found.out, found.err) == (expected.status, expected.out, expected.err)


@pytest.mark.parametrize("number", [32, 100, 600])
@pytest.mark.parametrize("options", [["--format", "{id} {i}"], ["--format", "{doc.e} {id}"], ["--jsonl"]], ids=" ".join)
def test_records_when_jobs_are_named_twice_then_each_is_itself(cli, project, number, options):
    for i in range(number):
        project.open_job({"i": i}).doc.e = i
    cli("update-cache")
    cli("find", "doc.e>=0")
    names = [job.id for job in project]
    twice = sorted([*names, *names[: number // 2]])
    for command in ("statepoint", "document"):
        expected = dict(zip(names, cli(command, *names, *options).lines, strict=True))
        assert all(name in line for name, line in expected.items())
        assert cli(command, *twice, *options).lines == [expected[name] for name in twice]
        plain = dict(zip(names, cli(command, *names).lines, strict=True))
        assert len(set(plain.values())) == number
        assert cli(command, *twice).lines == [plain[name] for name in twice]
