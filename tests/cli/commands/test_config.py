"""``config``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.running import snapshot

LOCAL = Path(".signac/config")

TEXT = """\
# top
schema_version = 2 # inline

# about a
a = 1

[site]
# in site
contact = A. Person, person@example.org
[[cluster]]
partition = "a,b" # quoted
# end
"""


SITE = {"contact": ["A. Person", "person@example.org"], "cluster": {"partition": "a,b"}}


@pytest.fixture
def local(project) -> Path:
    LOCAL.write_text(TEXT)
    return LOCAL


def user(text: str) -> Path:
    path = Path.home() / ".signacrc"
    path.write_text(text)
    return path


# --- show ------------------------------------------------------------------------------------------------------------


def test_show_when_without_a_key_then_everything_as_text(cli, local):
    result = cli("config", "show")
    assert (result.status, result.err) == (0, "")
    assert result.lines == [
        "schema_version = 2",
        "a = 1",
        "[site]",
        "    contact = A. Person, person@example.org",
        "    [[cluster]]",
        '        partition = "a,b"',
    ]


@pytest.mark.parametrize(
    ("keys", "out"),
    [
        (["a"], "1\n"),
        (["site.contact"], "['A. Person', 'person@example.org']\n"),
        (["site", "contact"], "['A. Person', 'person@example.org']\n"),
        (["site", "cluster.partition"], "a,b\n"),
        (["site.cluster"], 'partition = "a,b"\n'),
        (["site"], 'contact = A. Person, person@example.org\n[[cluster]]\n        partition = "a,b"\n'),
    ],
)
def test_show_when_keys_are_given_then_they_lead_into_sections(cli, local, keys, out):
    result = cli("config", "show", *keys)
    assert (result.status, result.out, result.err) == (0, out, "")


@pytest.mark.parametrize("keys", [["nope"], ["site.nope"], ["a.b"], ["site.contact.x"], ["a", "b", "c"], [""]])
def test_show_when_there_is_no_such_key_then_status_1_and_nothing_on_stdout(cli, local, keys):
    result = cli("config", "show", *keys)
    assert (result.status, result.out) == (1, "")
    assert f"There is no key '{'.'.join(keys)}'" in result.err


@pytest.mark.parametrize("scope", [[], ["-g"], ["-l"]])
def test_show_when_the_key_is_missing_everywhere_then_status_1(cli, scope):
    assert cli("config", *scope, "show", "nope").status == 1


def test_show_when_in_a_subdirectory_then_the_project_above(cli, local, monkeypatch):
    below = Path("x", "y")
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    for scope in ([], ["-l"]):
        assert cli("config", *scope, "show", "a").out == "1\n"


def test_show_when_the_user_has_settings_then_those_of_the_project_come_first(cli, local):
    user("mine = x\na = 0\n[site]\ncontact = nobody\nroom = 5\n")
    assert cli("config", "show").lines == [
        "mine = x",
        "a = 1",
        "schema_version = 2",
        "[site]",
        "    contact = A. Person, person@example.org",
        "    room = 5",
        "    [[cluster]]",
        '        partition = "a,b"',
    ]
    assert cli("config", "show", "-g", "a").out == "0\n"
    assert cli("config", "show", "-l", "a").out == "1\n"
    assert cli("config", "show", "-l", "mine").status == 1


@pytest.mark.parametrize("arguments", [["-g", "show"], ["show", "-g"], ["--glob", "show"], ["show", "--global"]])
def test_show_when_options_stand_before_or_after_the_sub_command_then_the_same(cli, local, arguments):
    user("mine = x\n")
    assert cli("config", *arguments).lines == ["mine = x", "schema_version = 1"]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["show"], {"schema_version": "2", "a": "1", "site": SITE}),
        (["show", "a"], "1"),
        (["show", "site.contact"], ["A. Person", "person@example.org"]),
        (["-l", "show", "site", "cluster"], {"partition": "a,b"}),
    ],
)
def test_show_when_json_then_one_document(cli, local, arguments, value):
    result = cli("config", *arguments, "--json")
    assert (result.status, json.loads(result.out), result.err) == (0, value, "")


@pytest.mark.parametrize(("scope", "name"), [([], "local or global"), (["-l"], "local")])
def test_show_when_there_is_no_file_then_said_so(cli, scope, name):
    result = cli("config", *scope, "show")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"Did not find a {name} configuration file.\n"
    assert json.loads(cli("-q", "config", *scope, "show", "--json").out) == {}


def test_show_when_a_value_looks_like_an_interpolation_then_shown_as_it_is(cli, project):
    cli("config", "set", "x", "%(a)s ${b}")
    assert cli("config", "show", "x").out == "%(a)s ${b}\n"
    assert cli("find").status == 0


def test_show_when_a_file_is_broken_then_told_which_line(cli, project):
    LOCAL.write_text("schema_version = 2\nfoo\n")
    result = cli("config", "show")
    assert (result.status, result.out) == (1, "")
    assert str(LOCAL.absolute()) in result.err
    assert "line 2" in result.err


# --- set -------------------------------------------------------------------------------------------------------------


def test_set_when_there_are_comments_then_they_stay(cli, local):
    result = cli("config", "set", "a", "7")
    assert (result.status, result.out) == (0, "")
    assert result.err.startswith("Updated value 'a'='7'.\n")
    assert cli("config", "set", "site.cluster.new", "x").status == 0
    expected = TEXT.replace("a = 1", "a = 7").replace("# quoted\n", "# quoted\nnew = x\n")
    assert LOCAL.read_text() == expected


@pytest.mark.parametrize(
    "values",
    [
        ["1"], ["a b"], [""], ["  x "], ["it's"], ['"quoted"'], ["it's \"both\""], ["a # b"], ["#"], ["a,b"], [","],
        ["a\nb"], ["Å 日本"], ["%(a)s ${b}"], ["[x]"], ["a = b"], ["'''"], ["--", "-x"], ["-5"],
        ["1", "2", "3"], ["a b", "", "c,d", "it's"], ["x", "Å"],
    ],
)  # fmt: skip
def test_set_when_the_value_is_unusual_then_read_again_as_it_is(cli, project, values):
    assert cli("config", "set", "s.t.key", *values).status == 0
    given = [value for value in values if value != "--"]
    shown = json.loads(cli("config", "show", "s.t.key", "--json").out)
    assert shown == (given[0] if len(given) == 1 else given)
    assert cli("find").status == 0


@pytest.mark.parametrize(
    ("key", "values"),
    [("k", ["a\rb"]), ("k", ["a\u2028b"]), ("k", ["'\"", "x"]), ("k", ["'''\"\"\""]), ("a=b", ["1"]), ("x\ny", ["1"])],
)
def test_set_when_a_file_cannot_hold_it_then_refused_and_nothing_changed(cli, local, key, values):
    before = snapshot()
    result = cli("config", "set", key, *values)
    assert (result.status, result.out) == (1, "")
    assert result.err.count("\n") == 1
    assert snapshot() == before


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["set"], 2),
        (["set", "a"], 1),
        (["set", "", "1"], 2),
        (["set", "a..b", "1"], 2),
        (["set", "a.b", "1"], 1),
        (["set", "site", "1"], 1),
        (["set", "site.contact.x", "1"], 1),
        (["set", "a", "1", "--nope"], 2),
        (["-g", "set", "-l", "a", "2"], 1),
        (["unset"], 2),
        (["unset", ".a"], 2),
        (["show", "-g", "-l"], 1),
        (["-gl", "verify"], 1),
        (["nope"], 2),
    ],
)
def test_config_when_wrong_then_one_line_and_nothing_changed(cli, local, arguments, status):
    before = snapshot()
    result = cli("config", *arguments)
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1
    assert snapshot() == before


def test_config_when_without_a_sub_command_then_help_and_status_2(cli):
    result = cli("config")
    assert result.status == 2
    assert {"show", "set", "unset", "verify"} <= set(result.out.split())


def test_set_when_in_a_subdirectory_then_the_project_above(cli, local, monkeypatch):
    Path("x").mkdir()
    monkeypatch.chdir("x")
    assert cli("config", "-l", "set", "deep", "1").status == 0
    monkeypatch.chdir("..")
    assert cli("config", "show", "deep").out == "1\n"


def test_set_when_there_is_no_project_then_told_how_to_go_on(cli):
    result = cli("config", "set", "a", "1")
    assert (result.status, result.out) == (1, "")
    assert "no project" in result.err
    assert "-g" in result.err


@pytest.mark.parametrize("arguments", [["-g", "set", "a.b", "1"], ["set", "-g", "a.b", "1"]])
def test_set_when_global_then_the_file_of_the_user_is_created(cli, arguments):
    assert cli("config", *arguments).status == 0
    assert (Path.home() / ".signacrc").read_text() == "[a]\nb = 1\n"


def test_set_when_the_file_is_a_link_with_modes_then_both_stay(cli, local):
    target = Path("dotfiles")
    target.write_text("a = 0\n")
    target.chmod(0o660)
    link = Path.home() / ".signacrc"
    link.symlink_to(target.absolute())
    assert cli("config", "-g", "set", "a", "1").status == 0
    assert link.is_symlink()
    assert target.read_text() == "a = 1\n"
    assert target.stat().st_mode & 0o777 == 0o660


def test_set_when_lines_end_as_on_windows_then_they_still_do(cli, project):
    LOCAL.write_bytes(b"schema_version = 2\r\n# c\r\nb = 1\r\n")
    cli("config", "set", "a", "1")
    assert LOCAL.read_bytes() == b"schema_version = 2\r\n# c\r\nb = 1\r\na = 1\r\n"


def test_set_when_the_value_is_the_same_then_nothing_is_written(cli, local):
    before = snapshot()
    result = cli("config", "set", "site.contact", "A. Person", "person@example.org", "--json")
    assert (result.status, json.loads(result.out)["changed"]) == (0, False)
    assert snapshot() == before


def test_set_when_json_then_one_report(cli, local):
    result = cli("-q", "config", "set", "x.y", "1", "2", "--json")
    assert json.loads(result.out) == {
        "command": "config set",
        "dry_run": False,
        "path": str(LOCAL.absolute()),
        "key": "x.y",
        "changed": True,
        "value": ["1", "2"],
    }
    assert result.err == ""


def test_set_when_it_is_the_schema_version_then_only_by_force(cli, local):
    before = snapshot()
    for arguments in (["set", "schema_version", "1"], ["unset", "schema_version"]):
        result = cli("config", *arguments)
        assert (result.status, result.out) == (1, "")
        assert "signac migrate" in result.err
    assert snapshot() == before
    assert cli("config", "set", "schema_version", "2").status == 0
    assert cli("config", "-f", "set", "schema_version", "3").status == 0
    assert cli("find").status == 1
    assert cli("config", "set", "-f", "schema_version", "2").status == 0
    assert LOCAL.read_text() == TEXT


def test_set_when_the_file_is_broken_then_left_as_it_is(cli, project):
    LOCAL.write_text("schema_version = 2\nfoo\n")
    result = cli("config", "set", "a", "1")
    assert (result.status, LOCAL.read_text()) == (1, "schema_version = 2\nfoo\n")


# --- unset -----------------------------------------------------------------------------------------------------------


def test_unset_when_the_key_exists_then_it_goes_and_the_rest_stays(cli, local):
    result = cli("config", "unset", "site.contact")
    assert (result.status, result.out) == (0, "")
    assert LOCAL.read_text() == TEXT.replace("# in site\ncontact = A. Person, person@example.org\n", "")


def test_unset_when_it_was_the_last_key_then_the_section_goes_too(cli, local):
    cli("config", "unset", "site.contact")
    cli("config", "unset", "site.cluster.partition")
    assert cli("config", "show").lines == ["schema_version = 2", "a = 1"]
    assert LOCAL.read_text().endswith("# end\n")


def test_unset_when_it_is_a_section_then_all_of_it_goes(cli, local):
    assert cli("config", "unset", "site").status == 0
    assert cli("config", "show").lines == ["schema_version = 2", "a = 1"]


@pytest.mark.parametrize("key", ["nope", "a.b", "site.nope.x"])
def test_unset_when_there_is_no_such_key_then_nothing_changed(cli, local, key):
    before = snapshot()
    result = cli("config", "unset", key, "--json")
    assert (result.status, json.loads(result.out)["changed"]) == (0, False)
    assert snapshot() == before


# --- verify ----------------------------------------------------------------------------------------------------------


def test_verify_when_all_is_well_then_each_file_is_told(cli, local):
    path = user("a = 1\n")
    result = cli("config", "verify")
    assert (result.status, result.out) == (0, "")
    assert result.err.splitlines() == [
        f"Verification of config file '{path}'.",
        "Passed.",
        f"Verification of config file '{LOCAL.absolute()}'.",
        "Passed.",
    ]


@pytest.mark.parametrize("text", ["schema_version = abc\n", "foo\n", "schema_version = 1, 2\n", "a = 'x\n"])
def test_verify_when_a_file_is_wrong_then_status_1_and_the_file(cli, project, text):
    LOCAL.write_text(text)
    result = cli("config", "verify", "--json")
    assert result.status == 1
    assert str(LOCAL.absolute()) in result.err
    (checked,) = json.loads(result.out)["files"]
    assert checked["valid"] is False
    assert checked["message"]


def test_verify_when_there_is_no_file_then_said_so(cli):
    result = cli("config", "verify")
    assert (result.status, result.out) == (0, "")
    assert result.err == "Did not find a local or global configuration file.\n"
