"""``schema``: text, JSON, tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.running import on_terminal

ESCAPE = re.compile(r"\033\[[0-9;]*m")


def plain(text: str) -> list[str]:
    return ESCAPE.sub("", text).splitlines()


@pytest.fixture
def series(project) -> list[str]:
    """Ids of jobs with ten values of one key and several types of another; one key is constant."""
    return [project.open_job({"x": i / 3, "n": {"é": [i % 2, None]}, "k": "[bold]"}).init().id for i in range(10)]


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (
            [],
            [
                "{",
                " 'k': 'str([[bold]], 1)',",
                " 'n.é': 'tuple([(0, None), (1, None)], 2)',",
                " 'x': 'float([0.0, 0.3333333333333333, 0.6666666666666666, ..., 2.6666666666666665, 3.0], 10)',",
                "}",
            ],
        ),
        (
            ["-x", "-p", "1", "-r4"],
            [
                "{",
                " 'n.é': 'tuple([(0, None), (1, None)], 2)',",
                " 'x': 'float([0.0, 0.3, ..., 2.7, 3.0], 10)',",
                "}",
            ],
        ),
        (["-t", "1", "-x", "--prec=0", "--max", "3"], ["{'n': {...}, 'x': 'float([0.0, ..., 3.0, 3.0], 10)'}"]),
        (
            ["-t2", "-xr3", "-p0"],
            ["{'n': {'é': 'tuple([(0, None), (1, None)], 2)'},", " 'x': 'float([0.0, ..., 3.0, 3.0], 10)'}"],
        ),
        (["--plain", "-x", "-j", "ID"], ["{", "}"]),
        (["-x", "-j", "ID", "ID"], ["{", "}"]),
        (["-f", "zz"], ["{", "}"]),
        (["-f", "zz", "-t", "3"], ["{}"]),
        (["-j", "-"], ["{", "}"]),
    ],
)
def test_schema_when_laid_out_then_the_text_of_signac(cli, series, options, lines):
    arguments = [series[0] if option == "ID" else option for option in options]
    result = cli("-q", "schema", *arguments)
    assert (result.status, result.lines, result.err) == (0, lines, "")


def test_schema_when_a_key_has_several_types_then_in_the_order_of_ids(cli, project):
    ids = {project.open_job({"a": value}).init().id: text for value, text in [(3, "int([3], 1)"), ("3", "str([3], 1)")]}
    types = ", ".join(ids[job_id] for job_id in sorted(ids))
    assert cli("schema").out == f"{{\n 'a': '{types}',\n}}\n"


@pytest.mark.parametrize("selection", [["-f", "name", "lj"], ["-j", "ID1", "ID2"], ["--job-id", "-"]])
def test_schema_when_jobs_are_selected_then_of_those(cli, study, selection):
    named = {"ID1": study["1"][:8], "ID2": study["1.5"]}
    arguments = [named.get(argument, argument) for argument in selection]
    result = cli("-q", "schema", "-x", *arguments, stdin=f"{study['1']} {study['1.5'][:7]}\n")
    assert (result.status, result.err) == (0, "")
    assert " 'T': 'float([1.0, 1.5], 2)'," in result.lines
    assert " 'p': 'int([1, 2], 2)'," in result.lines
    assert len(result.lines) == 6


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_schema_when_json_then_all_values_by_type(cli, project):
    values = [3, 1, "b", "a", 2.5, True, None, [1, ["x"]], [0, 1]]
    for value in [*values, *range(10, 20)]:
        project.open_job({"n": {"y": value}, "k": 0}).init()
    result = cli("schema", "--json")
    assert (result.status, result.err, result.out.count("\n")) == (0, "", 1)
    assert json.loads(result.out) == {
        "keys": {
            "k": {"int": {"count": 1, "values": [0]}},
            "n.y": {
                "int": {"count": 12, "values": [1, 3, *range(10, 20)]},
                "str": {"count": 2, "values": ["a", "b"]},
                "float": {"count": 1, "values": [2.5]},
                "bool": {"count": 1, "values": [True]},
                "null": {"count": 1, "values": [None]},
                "list": {"count": 2, "values": [[0, 1], [1, ["x"]]]},
            },
        },
        "jobs": 19,
    }
    assert list(json.loads(cli("schema", "-x", "--json").out)["keys"]) == ["n.y"]


def test_schema_when_json_of_a_selection_then_each_job_is_counted_once(cli, study):
    result = cli("schema", "--json", "-j", study["1"], study["2"], study["1"][:9])
    assert json.loads(result.out)["jobs"] == 2
    assert json.loads(cli("-q", "schema", "--json", "-f", "zz").out) == {"keys": {}, "jobs": 0}
    assert json.loads(cli("schema", "--json", "-j", "-").out) == {"keys": {}, "jobs": 0}


def test_schema_when_mappings_are_empty_then_they_are_values(cli, project):
    project.open_job({"n": {}, "l": [{}]}).init()
    assert json.loads(cli("schema", "--json").out)["keys"] == {
        "l": {"list": {"count": 1, "values": [[{}]]}},
        "n": {"dict": {"count": 1, "values": [{}]}},
    }
    assert cli("schema", "--table").lines[1:] == ["l    list         1  [{}]", "n    dict         1  {}"]


def test_schema_when_numbers_are_not_finite_then_null_in_json(cli, project):
    for value in (float("nan"), float("inf"), 2.5):
        project.open_job({"v": value, "l": [value]}).init()
    result = cli("schema", "--json")
    keys = json.loads(result.out)["keys"]
    assert sorted(map(str, keys["v"]["float"]["values"])) == ["2.5", "None", "None"]
    assert sorted(map(str, keys["l"]["list"]["values"])) == ["[2.5]", "[None]", "[None]"]
    assert result.err.count("\n") == result.err.count("null") == 1


# --- mistakes and damage ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--json"], ["--table"]])
def test_schema_when_ids_are_unknown_then_all_are_told_and_nothing_is_printed(cli, study, options):
    result = cli("schema", *options, "-j", study["1"], "zz", "f" * 32, "")
    assert (result.status, result.out) == (1, "")
    assert result.err.count("\n") == 3


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-j", "ID", "-f", "T"], 1),
        (["ID"], 2),
        (["-p"], 2),
        (["-r", "x"], 2),
        (["-t", "1", "--json"], 2),
        (["-p", "1", "--json"], 2),
        (["-r", "9", "--json"], 2),
        (["-t", "1", "--table"], 2),
        (["--json", "--table"], 2),
        (["--jsonl"], 2),
        (["--pla"], 2),
    ],
)
def test_schema_when_wrong_then_one_line(cli, study, arguments, status):
    result = cli("schema", *[study["1"] if argument == "ID" else argument for argument in arguments])
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("selection", [[], ["-f", "p>0"], ["-j", "IDS"]])
def test_schema_when_a_job_is_damaged_then_named_and_left_out(cli, study, project, selection):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("{")
    arguments = [*selection[:1], *study.values()] if "IDS" in selection else selection
    result = cli("-q", "schema", *arguments)
    assert (result.status, " 'p': 'int([1, 2, 3], 3)'," in result.lines) == (1, True)
    assert " 'name': 'str([hertz, lj], 2)'," in result.lines
    assert study["2"] in result.err
    assert "signac check" in result.err
    assert json.loads(cli("-q", "schema", "--json", *arguments).out)["jobs"] == 3


# --- tables ----------------------------------------------------------------------------------------------------------


def test_table_when_on_a_pipe_then_a_row_for_each_key_and_type(cli, project):
    for value in ["", "a, b", "1", "lj", True, None, *range(9), *(i / 3 for i in range(1, 7, 2))]:
        project.open_job({"a": value, "b": {"c": [0, "x"]}}).init()
    header, *rows = [line.split(None, 3) for line in cli("schema", "--table", "-p", "2").lines]
    assert header == ["key", "type", "distinct", "values"]
    assert rows[-1] == ["b.c", "list", "1", '[0, "x"]']
    assert {key for key, *_ in rows[:-1]} == {"a"}
    assert {kind: [count, values] for _, kind, count, values in rows[:-1]} == {
        "str": ["4", '"", "1", "a, b", lj'],
        "int": ["9", "0, 1, 2, ..., 7, 8"],
        "bool": ["1", "true"],
        "null": ["1", "null"],
        "float": ["3", "0.33, 1.0, 1.67"],
    }


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("-1", "0, ..., 8"),
        ("0", "0, ..., 8"),
        ("2", "0, ..., 8"),
        ("3", "0, ..., 7, 8"),
        ("4", "0, 1, ..., 7, 8"),
        ("8", "0, 1, 2, 3, 4, 5, ..., 7, 8"),
        ("9", "0, 1, 2, 3, 4, 5, 6, 7, 8"),
    ],
)
def test_table_when_there_are_many_values_then_the_first_and_the_last(cli, project, shown, text):
    for a in range(9):
        project.open_job({"a": a, "b": a % 2}).init()
    lines = cli("schema", "--table", "-r", shown).lines
    assert lines[1:] == [f"a    int          9  {text}", "b    int          2  0, 1"]


def test_schema_when_on_a_terminal_then_a_table(series):
    result = on_terminal("schema", "-p", "2")
    assert plain(result.out) == [
        "key  type   distinct  values",
        "k    str           1  [bold]",
        "n.é  list          2  [0, null], [1, null]",
        "x    float        10  0.0, 0.33, 0.67, ..., 2.67, 3.0",
    ]
    assert "\033[4m" in result.out.splitlines()[0]


def test_schema_when_the_terminal_is_narrow_then_values_go_on_below(series):
    lines = plain(on_terminal("schema", columns=40).out)
    assert lines[4:] == [
        "x    float        10  0.0, 0.333333,",
        "                      0.666667, ...,",
        "                      2.66667, 3.0",
    ]


@pytest.mark.parametrize("columns", [40, 24])
def test_schema_when_a_key_leaves_no_room_then_a_block_for_each(project, columns):
    key = "a_key_that_leaves_no_room_at_all"
    project.open_job({key: ":smile: \033[31m", "b": 1}).init()
    lines = plain(on_terminal("schema", columns=columns).out)
    assert all(len(line) <= columns and not line.endswith(" ") for line in lines)
    text = re.sub(r"\s", "", "".join(lines))
    assert text == f"{key}typestrdistinct1values:smile:\\x1b[31mbtypeintdistinct1values1"


def test_schema_when_a_value_is_long_then_its_beginning_and_its_end_on_a_terminal(cli, project):
    for end in ("one", "two"):
        project.open_job({"path": "x" * 99 + end}).init()
    lines = plain(on_terminal("schema", columns=120).out)
    assert lines[1].endswith(f"  2  {'x' * 20}…{'x' * 16}one, {'x' * 20}…{'x' * 16}two")
    assert "x" * 99 + "one" in cli("schema", "--table").lines[1]


@pytest.mark.parametrize("options", [["--plain"], ["-t", "2"], ["-x", "-t1", "--plain"]])
def test_schema_when_text_is_asked_for_on_a_terminal_then_that_of_a_pipe(cli, series, options):
    assert on_terminal("schema", *options).out == cli("schema", *options).out


def test_schema_when_there_are_no_keys_on_a_terminal_then_told(project):
    assert on_terminal("schema").out == "There are no keys.\n"
    assert on_terminal("-q", "schema").out == ""
    assert json.loads(on_terminal("schema", "--json").out) == {"keys": {}, "jobs": 0}


def test_schema_when_rounded_values_would_look_alike_then_exact(project):
    for value in (1.23456789, 1.23456788, 1e-13 / 3):
        project.open_job({"a": value, "b": value if value < 1 else 2 / 3}).init()
    lines = plain(on_terminal("schema").out)
    assert lines[1:] == [
        f"a    float         3  {1e-13 / 3}, 1.23456788, 1.23456789",
        "b    float         2  3.33333e-14, 0.666667",
    ]
    assert "0.6666666666666666" in on_terminal("schema", "--plain").out
    assert "0.6666666666666666" in on_terminal("schema", "--json").out


def test_schema_when_the_terminal_is_narrow_then_no_number_is_broken(project):
    project.open_job({"seed": 12345678901234567890, "a_rather_long_key": 1.5}).init()
    assert "12345678901234567890" in on_terminal("schema", columns=44).out
