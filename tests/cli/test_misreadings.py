"""Options that take many words, and the words that were not meant for them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from signac_core.canonical import calc_id
from tests.support.running import execute, snapshot


@pytest.fixture
def odd(project, study):
    """The study, and jobs whose keys are no usual names."""
    ids = dict(study)
    for state_point in ({"a=b": 1}, {"c>1": 2, "T": 9}, {"1": 5}, {"x/y": 1, "script": {"py": 2}, "9bfd": 3}):
        job = project.open_job(state_point).init()
        ids[next(iter(state_point))] = job.id
    Path(project.workspace, ids["1"], "signac_job_document.json").write_text('{"k=v": 1}')
    Path("script.py").write_text("print(len(jobs))\n")
    Path("other").mkdir()
    return ids


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["--doc", "energy", "T=1"], "signac find T=1 --doc energy."),
        (["--sp", "T", "p", "T>2.9"], "signac find 'T>2.9' --sp T p."),
        (["p=3", "--sp", "T", "name~^l"], "signac find p=3 'name~^l' --sp T."),
        (["--sp", "T", "--doc", "energy", "p=1", "--json"], "signac find p=1 --sp T --json --doc energy."),
        (["--doc", "energy", "T", "1.5"], "signac find T 1.5 --doc energy."),
        (["--doc", "energy", "on", "true"], "signac find on true --doc energy."),
        (["--doc", '{"T": 1}'], "signac find '{\"T\": 1}' --doc."),
        (["--sp=T>1"], "signac find 'T>1' --sp."),
        (["--sp", "T", "!"], "signac find T '!' --sp."),
    ],
)
def test_keys_to_show_when_a_filter_is_among_them_then_usage_error_says_how_to_write_it(cli, study, arguments, right):
    result = cli("find", *arguments)
    assert (result.status, result.out) == (2, "")
    if "--json" in arguments:
        assert json.loads(result.err)["error"]["message"].endswith(f"Write the filter first: {right}")
    else:
        assert f"Write the filter first: {right}" in result.err
        assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sp", "T", "p"],
        ["--sp", ""],
        ["--sp", "a=b", "c>1", "1"],
        ["--doc", "k=v"],
        ["--sp", "enregy"],
        ["--sp", "2d", "x y", "x-y"],
        ["--sp"],
        ["T=1", "--sp", "T"],
    ],
)
def test_keys_to_show_when_they_can_be_keys_of_a_job_then_accepted(cli, odd, arguments):
    assert cli("find", *arguments).status == 0


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["shell", "-f", "T=1", "script.py"], "signac shell -f T=1 -- script.py"),
        (["shell", "-f", "T=1", "script.py", "a", "-b"], None),
        (["shell", "-f", "T", "1", "script.py", "x"], "signac shell -f T 1 -- script.py x"),
        (["shell", "-f", '{"T": 1}', "script.py"], "signac shell -f '{\"T\": 1}' -- script.py"),
        (["shell", "-f", "T", "script.py"], "signac shell -f T -- script.py"),
        (["shell", "-f", "T=1", "absent.py"], "signac shell -f T=1 -- absent.py"),
        (["shell", "-f", "T=1", "-"], "signac shell -f T=1 -- -"),
        (["shell", "-q", "-f", "T=1", "other/script"], None),
        (["view", "-f", "T=1", "T_{T}/{{auto}}"], "signac view -f T=1 -- 'T_{T}/{{auto}}'"),
        (["view", "-n", "-f", "T=1", "{T}/{p}"], "signac view --dry-run -f T=1 -- '{T}/{p}'"),
        (["view", "-f", "T", "T_{T}/{{auto}}"], "signac view -f T -- 'T_{T}/{{auto}}'"),
        (["view", "-f", '{"T": 1}', "{{auto}}"], "signac view -f '{\"T\": 1}' -- '{{auto}}'"),
        (["view", "-f", "T=1", "by/name"], "signac view -f T=1 -p by/name"),
        (["view", "-f", "T=1", "names"], "signac view -f T=1 -p names"),
        (["view", "-f", "T", "1", "names", "{T}"], None),
        (["view", "-p", "by", "-f", "T=1", "names"], "signac view --prefix=by -f T=1 -- names"),
        (["view", "-f", "{T}/{p}"], "signac view '{T}/{p}'"),
        (["shell", "-f", "script.py", "x"], "signac shell script.py x"),
        (["shell", "-j", "script.py", "x"], "signac shell script.py x"),
        (["export", "out", "-f", "T_{T}"], "signac export out 'T_{T}'"),
        (["sync", "../src", "-j", "other"], "signac sync ../src other"),
        (["sync", ".", "-f", "T=1", "other"], "signac sync . -f T=1 -- other"),
        (["sync", ".", "-j", "ID", "other"], "signac sync . -j ID -- other"),
        (["export", "out", "-f", "T=1", "T_{T}"], "signac export out -f T=1 -- 'T_{T}'"),
        (["sync", "../src", "-f", "T=1", "other"], "signac sync ../src -f T=1 -- other"),
        (["sync", "../src", "-f", "T=1", "../work/other"], "signac sync ../src -f T=1 -- ../work/other"),
        (["document", "-f", "T=1", "ID"], "signac document ID"),
        (["document", "-f", "T=1", "-"], "signac document -"),
        (["statepoint", "-f", "T=1", "ID", "-s"], "signac statepoint ID --sort"),
        (["neighbors", "--ignore", "p", "ID"], "signac neighbors ID --ignore p"),
        (["neighbors", "--ignore", "-"], "signac neighbors -"),
        (["shell", "-j", "ID", "script.py", "x"], "signac shell -j ID -- script.py x"),
        (["view", "-n", "-j", "ID", "T_{T}/{{auto}}"], "signac view --dry-run -j ID -- 'T_{T}/{{auto}}'"),
        (["export", "out", "-j", "ID", "{T}"], "signac export out -j ID -- '{T}'"),
        (["sync", "../src", "-j", "ID", "other"], "signac sync ../src -j ID -- other"),
    ],
)
def test_filter_when_it_has_taken_a_word_of_the_command_then_usage_error_says_how_to_write_it(
    cli, study, arguments, right
):
    Path("script.py").write_text("print('ran')\n")
    Path("other").mkdir()
    Path("other/script").touch()
    source = Path("../src")
    source.mkdir()
    execute("init", cwd=source)
    before = snapshot()
    arguments = [study["2"] if argument == "ID" else argument for argument in arguments]
    result = cli(*arguments)
    assert (result.status, result.out) == (2, "")
    if right is not None:
        assert f"Write: {right.replace('ID', study['2'])}." in result.err
        has_lost_the_filter = "T=1" in arguments and "T=1" not in right
        assert ("a filter excludes ids" in result.err) is has_lost_the_filter
        assert result.err.count("\n") == 1
    assert snapshot() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["shell", "-f", "T=1", "--", "script.py"],
        ["shell", "-f", "script.py", "-c", "pass"],
        ["shell", "-f", "T=1", "script.py", "-c", "pass"],
        ["shell", "-f", "script.py", "2", "--", "script.py"],
        ["view", "-f", "x/y"],
        ["view", "-f", "enregy"],
        ["view", "-f", "p=3", "T"],
        ["view", "-f", "p=3", "doc.enregy"],
        ["view", "-f", "x/y=1", "--", "{{auto}}"],
        ["view", "{{auto}}", "-f", "name", "a/b"],
        ["view", "-f", "name", "a/b"],
        ["document", "-f", "9bfd"],
        ["document", "-f", "9bfd", "3"],
        ["document", "-f", "name", "9bfd"],
        ["statepoint", "-f", "T", "-5"],
        ["statepoint", "-f", "zz"],
        ["schema", "-f", "x/y"],
        ["view", "-f", "doc.x/y"],
        ["view", "-f", "sp.x/z", "1"],
    ],
)
def test_filter_when_its_words_are_its_own_then_accepted(cli, odd, arguments):
    assert cli(*arguments).status != 2


@pytest.mark.parametrize("command", ["export", "sync"])
def test_filter_when_nothing_is_left_for_a_required_argument_then_told(cli, study, command):
    result = cli(command, "-f", "T=1", "out")
    assert (result.status, result.out) == (2, "")
    assert "--filter takes all words up to the next option or '--', so that others stand before it." in result.err


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["find", "-j", "9bfd", "T=1"], "a filter stands before -j"),
        (["neighbors", "--ignore", "T=1"], "'T=1' is a condition, and --ignore takes keys"),
        (["neighbors", "00", "--ignore", "T=1"], "'T=1' is a condition, and --ignore takes keys"),
        (["document", "T=1"], "a filter stands behind -f/--filter"),
        (["schema", "-j", "T>1"], "a filter stands behind -f/--filter"),
    ],
)
def test_id_or_key_when_it_is_a_condition_then_usage_error(cli, study, arguments, where):
    result = cli(*arguments)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert where in result.err


@pytest.mark.parametrize(
    ("tokens", "in_json"),
    [
        (["a=b", "1"], '{"a=b": 1}'),
        (["a=b"], '{"a=b": {"$exists": true}}'),
        (["c>1"], '{"c>1": {"$exists": true}}'),
        (["T=9", "c>1", "!"], '{"c>1": {"$exists": true}}'),
        (["doc.k=v", "1"], '{"doc.k=v": 1}'),
    ],
)
def test_condition_when_a_job_has_a_key_of_its_name_then_told_how_to_ask_for_it(cli, odd, tokens, in_json):
    result = cli("find", *tokens)
    assert result.out == ""
    (told,) = (line for line in result.err.splitlines() if "is read as a condition" in line)
    assert told.endswith(f"there is a key of this name; it is asked for in JSON: '{in_json}'")
    assert len(cli("-q", "find", in_json).lines) == 1
    assert cli("-q", "find", *tokens).err == ""


@pytest.mark.parametrize("tokens", [["T=1"], ["T=77"], ["T>1", "p>1"], ["T=1", "zz"], ["name", "a=b"]])
def test_condition_when_no_job_has_a_key_of_its_name_then_not_told(cli, study, tokens):
    assert "is read as a condition" not in cli("find", *tokens).err


@pytest.mark.parametrize("tokens", [["a.b", "1"], ["a.b>0"], ["sp.a.b=2"], ["a.b"], ["a.b.$gt", "0"]])
def test_key_when_an_old_state_point_has_it_with_the_dot_in_its_name_then_told(cli, study, project, tokens):
    for state_point in ({"a.b": 1}, {"a.b": 2, "T": 1}):
        directory = Path(project.workspace, calc_id(state_point))
        directory.mkdir()
        (directory / "signac_statepoint.json").write_text(json.dumps(state_point))
    told = "Some state points have a key that is named 'a.b' with the dot"
    assert told in cli("find", *tokens).err
    assert cli("update-cache").status == 0
    assert cli("update-cache", "--check").status == 0
    assert "a.b" in cli("schema").out
    assert told in cli("find", *tokens).err
    for others in (["T>1.5"], ["T", "1.5"], ["model.eps>1.5"], ["doc.a.b=1"]):
        assert told not in cli("find", *others).err


@pytest.mark.parametrize("state_point", [{"c": {"d.e": 5}}, {"c.d": {"e": 5}}])
def test_key_when_a_part_of_it_has_the_dot_in_its_name_then_told_and_the_manual_renames_it(
    cli, study, project, state_point
):
    directory = Path(project.workspace, calc_id(state_point))
    directory.mkdir()
    (directory / "signac_statepoint.json").write_text(json.dumps(state_point))
    assert "a key that is named 'c.d.e' with the dot" in cli("find", "c.d.e=5").err
    page = (Path(__file__).parents[2] / "tools/pages/signac-filter.7.txt").read_text()
    lines = page[page.index("    def renamed(") :].splitlines()
    code = "\n".join(line[4:] for line in itertools.takewhile(lambda line: not line or line[0] == " ", lines))
    Path("rename.py").write_text(code)
    assert cli("shell", "rename.py").status == 0
    (job_id,) = cli("-q", "find", "c.d_e=5" if "c" in state_point else "c_d.e=5").lines
    assert job_id != calc_id(state_point)
    assert cli("check").status == 0
