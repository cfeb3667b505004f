"""``diff``: text, JSON, templates, tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from signac_cli.tables import as_cell, compare
from tests.support.running import on_terminal

ESCAPE = re.compile(r"\033\[[0-9;]*m")


def plain(text: str) -> list[str]:
    return ESCAPE.sub("", text).splitlines()


# --- text ------------------------------------------------------------------------------------------------------------


def test_diff_when_of_two_jobs_then_ids_and_what_is_not_shared(cli, study):
    result = cli("diff", study["2"], study["1.5"][:6])
    assert (result.status, result.err) == (0, "")
    assert result.lines == [
        study["2"],
        "{'T': 2.0, 'name': 'hertz', 'p': 3}",
        study["1.5"],
        "{'T': 1.5, 'name': 'lj', 'p': 2}",
    ]


def test_diff_when_nothing_is_named_then_all_jobs_sorted(cli, study):
    lines = cli("diff").lines
    assert lines[::2] == sorted(study.values())
    assert lines[2 * sorted(study.values()).index(study["-5"]) + 1] == (
        "{'T': -5, 'list': (1, (2,)), 'name': 'hertz', 'on': True, 'p': 3}"
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "{'m': {'eps': {'x': (2.5,)}}, 'é': None}"),
        (["-p"], "{'m': {'eps': {'x': (...,)}}, 'é': None}"),
        (["-p", "0"], "{'m': {'eps': {'x': (2.5,)}}, 'é': None}"),
        (["-p1"], "{'m': {...}, 'é': None}"),
        (["--pretty=2", "-i"], "{'m': {'eps': {...}}, 'é': None}"),
        (["-i", "0", "-p0"], '{\n"m": {\n"eps": {\n"x": [\n2.5\n]\n}\n},\n"\\u00e9": null\n}'),
        (["-i"], '{\n  "m": {\n    "eps": {\n      "x": [\n        2.5\n      ]\n    }\n  },\n  "\\u00e9": null\n}'),
    ],
)
def test_diff_when_laid_out_then_as_asked_for(cli, project, options, text):
    one = project.open_job({"é": None, "a": 1, "m": {"eps": {"x": [2.5]}, "name": "lj"}}).init()
    other = project.open_job({"a": 1, "m": {"name": "lj"}}).init()
    result = cli("diff", one.id, other.id, *options)
    assert (result.status, result.out, result.err) == (0, f"{one.id}\n{text}\n{other.id}\n{{}}\n", "")


def test_diff_when_values_differ_in_type_only_then_they_differ(cli, project):
    ids = [project.open_job({"a": value, "b": 0}).init().id for value in (1, 1.0, True, "1", None)]
    result = cli("diff", *ids)
    assert result.lines[1::2] == ["{'a': 1}", "{'a': 1.0}", "{'a': True}", "{'a': '1'}", "{'a': None}"]


@pytest.mark.parametrize("selected", [["ID"], ["ID", "ID"]])
def test_diff_when_of_one_job_then_nothing_differs(cli, study, selected):
    result = cli("diff", *[study["1"] for _ in selected], "-e")
    assert (result.status, result.out) == (0, f"{study['1']}\n{{}}\n")


@pytest.mark.parametrize("selection", [["-f", "name", "lj"], ["--filter", '{"p": {"$lt": 3}}'], ["-"], ["ID1", "ID2"]])
def test_diff_when_jobs_are_selected_then_those_only(cli, study, selection):
    named = {"ID1": study["1"][:8], "ID2": study["1.5"]}
    arguments = [named.get(argument, argument) for argument in selection]
    result = cli("-q", "diff", *arguments, "--format", "{id} {T}", stdin=f"{study['1']}\n{study['1.5'][:5]}\0")
    assert (result.status, result.err) == (0, "")
    assert sorted(result.lines) == sorted([f"{study['1']} 1.0", f"{study['1.5']} 1.5"])


@pytest.mark.parametrize("arguments", [["-f", "zz"], ["-"]])
@pytest.mark.parametrize(("options", "text"), [([], ""), (["--json"], "[]\n"), (["--jsonl"], ""), (["--table"], "")])
def test_diff_when_no_job_is_selected_then_nothing(cli, study, arguments, options, text):
    result = cli("-q", "diff", "-e", *arguments, *options)
    assert (result.status, result.out, result.err) == (0, text, "")


def test_diff_when_asked_for_the_status_then_3_for_differences(cli, study):
    assert cli("diff", study["1"], study["2"]).status == 0
    assert cli("diff", study["1"], study["2"], "-e").status == 3
    assert cli("diff", "--exit-status", "--json").status == 3


def test_diff_when_records_end_with_nul_then_each(cli, study):
    assert cli("diff", study["1"], study["1.5"], "-0", "-p").out.count("\0") == 2


# --- JSON and templates ----------------------------------------------------------------------------------------------


def test_diff_when_json_then_records_with_what_is_their_own(cli, study):
    records = [
        {"id": study["-5"], "sp": {"T": -5, "p": 3, "name": "hertz", "list": [1, [2]], "on": True}},
        {"id": study["1"], "sp": {"T": 1.0, "p": 1, "name": "lj", "model": {"eps": 1.5, "cut": None}}},
    ]
    assert json.loads(cli("diff", study["-5"], study["1"], "--json").out) == records
    assert [json.loads(line) for line in cli("diff", study["-5"], study["1"], "--jsonl").lines] == records


def test_diff_when_numbers_are_not_finite_then_null_in_json(cli, project):
    ids = [project.open_job({"l": [[value]]}).init().id for value in (float("nan"), float("inf"))]
    result = cli("diff", *ids, "--json")
    assert [record["sp"] for record in json.loads(result.out)] == [{"l": [[None]]}] * 2
    assert result.err.count("\n") == result.err.count("null") == 1


def test_diff_when_template_needs_more_then_it_is_read(cli, study, project):
    result = cli("diff", study["1.5"], study["2"], "--format", "{path} {doc.energy} {sp.model}{name}")
    assert result.lines == [
        f"{project.workspace}/{study['1.5']} -1.25 lj",
        f"{project.workspace}/{study['2']}  hertz",
    ]


# --- mistakes and damage ---------------------------------------------------------------------------------------------


def test_diff_when_ids_are_unknown_then_all_are_told_and_nothing_is_printed(cli, study):
    result = cli("diff", study["1"], "zz", "f" * 32, "../x")
    assert (result.status, result.out) == (1, "")
    assert [line.split("'")[1] for line in result.err.splitlines()] == ["zz", "f" * 32, "../x"]


def test_diff_when_ids_are_given_with_the_option_then_the_same(cli, study):
    ids = [study["1"], study["2"]]
    assert cli("diff", "-j", *ids).out == cli("diff", *ids).out != ""
    assert cli("diff", "-j", "-", stdin="\n".join(ids)).out == cli("diff", *ids).out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["ID", "-f", "T", "1"], 1),
        (["-p", "-1"], 2),
        (["-p", "--json"], 2),
        (["-i", "--table"], 2),
        (["--json", "--jsonl"], 2),
        (["--table", "-0"], 2),
        (["--pre", "--exit"], 2),
        (["-j", "zz"], 1),
        (["-j"], 2),
    ],
)
def test_diff_when_wrong_then_one_line(cli, study, arguments, status):
    result = cli("diff", *[study["1"] if argument == "ID" else argument for argument in arguments])
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("selection", [[], ["-f", "p>0"], ["ID"]])
def test_diff_when_a_job_is_damaged_then_named_and_left_out(cli, study, project, selection):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("{")
    arguments = [*study.values()] if selection == ["ID"] else selection
    result = cli("-q", "diff", "-e", *arguments, "--format", "{T}")
    assert (result.status, sorted(result.lines)) == (1, ["-5", "1.0", "1.5"])
    assert study["2"] in result.err
    assert "signac check" in result.err


# --- tables ----------------------------------------------------------------------------------------------------------


def test_table_when_on_a_pipe_then_keys_as_rows_and_whole_ids(cli, study):
    one, other = study["1"], study["-5"]
    assert cli("diff", one, other, "--table").lines == [
        f"key        {one}  {other}",
        f"T          1.0{' ' * 31}-5",
        f"list{' ' * 41}[1, [2]]",
        "model.cut  null",
        "model.eps  1.5",
        f"name       lj{' ' * 32}hertz",
        f"on{' ' * 43}true",
        f"p          1{' ' * 33}3",
    ]


def test_table_when_of_many_jobs_then_a_row_for_each(cli, project):
    ids = sorted(project.open_job({"a": a, "b": 0}).init().id for a in range(9))
    lines = cli("diff", "--table").lines
    assert [line.split()[0] for line in lines] == ["id", *ids]
    assert lines[0].split() == ["id", "a"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("lj", "lj"), ("two words", "two words"), ("", '""'), (" x", '" x"'), ("1", '"1"'), ("1e5", '"1e5"'),
        ("true", '"true"'), ("null", '"null"'), ("NaN", '"NaN"'), ("[1]", '"[1]"'), ('"', '"'), ("None", "None"),
        (1, "1"), (1.0, "1.0"), (True, "true"), (None, "null"), (float("nan"), "NaN"), ((1, ("é",)), '[1, ["é"]]'),
        ({}, "{}"), ("a\nb\033", "a\\nb\\x1b"), ("[bold]", "[bold]"),
    ],
)  # fmt: skip
def test_cell_when_of_a_value_then_no_other_value_has_its_text(value, text):
    assert as_cell(value) == text


def test_cell_when_text_has_the_separator_then_quoted():
    assert [as_cell(text, separator=", ") for text in ("a, b", "a,b")] == ['"a, b"', "a,b"]


@pytest.mark.parametrize(("color", "escapes"), [(False, 0), (True, 1)])
def test_table_when_drawn_for_a_pipe_then_colored_only_when_asked_for(color, escapes):
    records = [{"id": name * 32, "sp": {"a": name}} for name in "ab"]
    text = compare(records, digits=6, terminal=False, color=color)
    assert bool(text.count("\033")) == bool(escapes)
    assert compare([{"id": "a" * 32, "sp": {}}], digits=6, terminal=True, color=color) == ""


def test_diff_when_two_jobs_fit_on_a_terminal_then_next_to_each_other_under_whole_ids(study):
    result = on_terminal("diff", study["2"], study["1.5"])
    assert plain(result.out) == [
        f"key   {study['2']}  {study['1.5']}",
        f"T     2.0{' ' * 31}1.5",
        f"name  hertz{' ' * 29}lj",
        f"p     3{' ' * 33}2",
    ]
    assert "\033[4m" in result.out.splitlines()[0]


def test_diff_when_jobs_do_not_fit_under_whole_ids_then_these_first_and_beginnings_as_headings(study):
    ids = [study[T] for T in ("1", "1.5", "2")]
    result = on_terminal("diff", *ids)
    one, two, three = (job_id[:6] for job_id in ids)
    assert plain(result.out) == [
        *ids,
        "",
        f"key        {one}  {two}  {three}",
        "T          1.0     1.5     2.0",
        "model.cut  null    3       3",
        "model.eps  1.5     2.5     2.5",
        "name       lj      lj      hertz",
        "p          1       2       3",
    ]
    assert f"\033[1m{one}\033[0m{ids[0][6:]}" in result.out


def test_diff_when_keys_and_values_are_short_then_still_a_table(project):
    ids = [project.open_job({"a": a}).init().id for a in range(3)]
    one, two, three = (job_id[:6] for job_id in ids)
    assert plain(on_terminal("diff", *ids).out) == [
        *ids,
        "",
        f"key  {one}  {two}  {three}",
        "a    0       1       2",
    ]


def test_diff_when_the_terminal_is_narrow_then_several_tables_of_all_keys(project):
    ids = [project.open_job({"a": a, "text": f"[bold]{a}[/bold] :smile:", "k": 0}).init().id for a in range(8)]
    lines = plain(on_terminal("diff", *ids, columns=40).out)
    assert lines[:9] == [*ids, ""]
    tables = "\n".join(lines[9:]).split("\n\n")
    assert [[line.split()[0] for line in table.split("\n") if line[0] != " "] for table in tables] == [
        ["key", "a", "text"]
    ] * len(tables)
    assert [name for table in tables for name in table.split("\n")[0].split()[1:]] == [job_id[:6] for job_id in ids]
    assert all(len(line) <= 40 and not line.endswith(" ") for line in lines)
    text = re.sub(r"\s", "", "".join(lines))
    assert "…" not in text
    assert text.count(":smile:") == 8


def test_diff_when_not_even_one_column_fits_then_a_block_per_job_without_loss(project):
    key = "a_key_that_leaves_no_room_for_anything"
    ids = [project.open_job({key: value}).init().id for value in ("one", "two")]
    lines = plain(on_terminal("diff", *ids, columns=40).out)
    assert [line for line in lines if line[0] != " "] == ids
    text = re.sub(r"\s", "", "".join(lines))
    assert "…" not in text
    assert text.count("one") == text.count("two") == 1
    assert all(len(line) <= 40 for line in lines)


def test_diff_when_of_more_than_eight_jobs_on_a_terminal_then_the_text(cli, project):
    for a in range(9):
        project.open_job({"a": a}).init()
    assert on_terminal("diff").out == cli("diff").out


@pytest.mark.parametrize("options", [["--plain"], ["-p"], ["-i"], ["-p2", "--plain"]])
def test_diff_when_text_is_asked_for_on_a_terminal_then_that_of_a_pipe(cli, study, options):
    ids = [study["1"], study["2"]]
    assert on_terminal("diff", *ids, *options).out == cli("diff", *ids, *options).out


def test_diff_when_there_is_nothing_to_see_on_a_terminal_then_told(study):
    assert on_terminal("diff", study["1"]).out == "There are no differences.\n"
    assert on_terminal("diff", "-f", '{"p": 99}').out == "There are no jobs to compare.\n"
    assert on_terminal("-q", "diff", study["1"]).out == ""
