"""``neighbors``: text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def grid(project) -> dict[tuple[int, float], str]:
    """Ids of the jobs of a grid, by their parameters; ``s`` is constant."""
    return {(a, b): project.open_job({"a": a, "n": {"b": b}, "s": a}).init().id for a in (0, 1, 2) for b in (0.5, 1.5)}


def test_neighbors_when_of_jobs_then_a_dict_for_each_in_the_given_order(cli, grid):
    result = cli("neighbors", grid[1, 0.5], grid[0, 1.5][:9], "--ignore", "s")
    assert (result.status, result.err) == (0, "")
    assert result.out == (
        f"{{'a': {{0: '{grid[0, 0.5]}',\n       2: '{grid[2, 0.5]}'}},\n 'n.b': {{1.5: '{grid[1, 1.5]}'}}}}\n"
        f"{{'a': {{1: '{grid[1, 1.5]}'}},\n 'n.b': {{0.5: '{grid[0, 0.5]}'}}}}\n"
    )


def test_neighbors_when_keys_change_together_then_none_along_them(cli, grid):
    assert cli("neighbors", grid[1, 0.5]).out == f"{{'n.b': {{1.5: '{grid[1, 1.5]}'}}}}\n"


def test_neighbors_when_there_are_none_then_an_empty_dict(cli, study):
    assert cli("neighbors", study["1"], study["-5"]).out == "{}\n{}\n"


def test_neighbors_when_json_then_values_and_ids_in_their_order(cli, project):
    ids = {json.dumps(a): project.open_job({"a": a}).init().id for a in (2, "x", None, [1, [2]])}
    records = [
        {"id": ids["2"], "neighbors": {"a": [{"value": None, "id": ids["null"]}, {"value": "x", "id": ids['"x"']}]}},
        {
            "id": ids['"x"'],
            "neighbors": {"a": [{"value": 2, "id": ids["2"]}, {"value": [1, [2]], "id": ids["[1, [2]]"]}]},
        },
    ]
    selected = [record["id"] for record in records]
    assert json.loads(cli("neighbors", *selected, "--json").out) == records
    assert [json.loads(line) for line in cli("neighbors", *selected, "--jsonl").lines] == records


def test_neighbors_when_ids_are_on_stdin_then_those_of_each(cli, grid):
    ids = [grid[0, 0.5], grid[2, 1.5]]
    result = cli("neighbors", "-", "--jsonl", "--ignore", "s", stdin="\n".join(ids))
    assert [json.loads(line)["id"] for line in result.lines] == ids


@pytest.mark.parametrize(("options", "text"), [([], ""), (["--json"], "[]\n"), (["--jsonl"], "")])
def test_neighbors_when_no_job_is_named_then_nothing_but_a_word_about_it(cli, grid, options, text):
    result = cli("neighbors", *options)
    assert (result.status, result.out) == (0, text)
    assert result.err.count("\n") == 1
    for arguments in (["-q", "neighbors"], ["neighbors", "-"]):
        result = cli(*arguments, *options)
        assert (result.status, result.out, result.err) == (0, text, "")


def test_neighbors_when_an_ignored_key_is_unknown_then_a_warning(cli, grid):
    result = cli("neighbors", grid[1, 0.5], "--ignore", "s", "zz", "a.b")
    assert (result.status, result.lines[0][:7]) == (0, "{'a': {")
    assert result.err.startswith("Warning: ")
    assert result.err.count("\n") == 1
    assert "'a.b', 'zz'" in result.err
    assert cli("-q", "neighbors", grid[1, 0.5], "--ignore", "zz").err == ""


def test_neighbors_when_jobs_cannot_be_told_apart_then_these_are_named(cli, grid):
    result = cli("neighbors", grid[1, 0.5], "--ignore", "a", "s")
    assert (result.status, result.out) == (1, "")
    assert sum(job_id in result.err for job_id in grid.values()) == 2
    assert f"and {len(grid) - 2} more jobs cannot either" in result.err
    assert result.err.count("\n") == 1


def test_neighbors_when_ids_are_unknown_then_all_are_told_and_nothing_is_printed(cli, grid):
    result = cli("neighbors", grid[1, 0.5], "zz", "f" * 32, "--json")
    assert (result.status, result.out) == (1, "")
    errors = [json.loads(line)["error"] for line in result.err.splitlines()]
    assert [error["code"] for error in errors] == ["unknown-id"] * 2


@pytest.mark.parametrize("arguments", [["--ignore"], ["--json", "--jsonl"], ["-f"], ["--ignore=a", "--js"]])
def test_neighbors_when_wrong_then_one_line_and_status_2(cli, grid, arguments):
    result = cli("neighbors", grid[0, 0.5], *arguments)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)


def test_neighbors_when_selected_by_options_then_as_by_ids(cli, grid):
    named = cli("neighbors", grid[0, 0.5], "--jsonl")
    assert cli("neighbors", "-j", grid[0, 0.5], "--jsonl").out == named.out
    assert cli("-q", "neighbors", "-f", json.dumps(json.loads(cli("statepoint", grid[0, 0.5]).out)), "--jsonl").out == (
        named.out
    )
    assert cli("neighbors", grid[0, 0.5], "-f", "a=1").status == 1


def test_neighbors_when_the_option_comes_first_then_it_takes_the_ids_too(cli, grid):
    assert cli("neighbors", "--ignore", "s", grid[0, 0.5]).out == ""
    assert cli("neighbors", "--ignore", "s", "--", grid[0, 0.5]).out != ""
    assert cli("neighbors", "--ign=s", grid[0, 0.5]).out != ""


def test_neighbors_when_jobs_are_damaged_then_named_and_left_out(cli, grid, project):
    for key in ((2, 0.5), (1, 1.5)):
        Path(project.workspace, grid[key], "signac_statepoint.json").write_text("{")
    result = cli("neighbors", grid[1, 0.5], grid[2, 0.5], "--ignore", "s")
    assert (result.status, result.out) == (1, f"{{'a': {{0: '{grid[0, 0.5]}'}}}}\n")
    assert grid[2, 0.5] in result.err
    assert grid[1, 1.5] in result.err
    assert "signac check" in result.err
