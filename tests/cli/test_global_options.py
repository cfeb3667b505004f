from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

import signac_cli
from signac_cli.app import COMMANDS, Program
from signac_core import Project
from signac_core.version import COMPATIBLE_VERSION, DESCRIPTION, __version__
from tests.support.patches import for_some_cases
from tests.support.running import execute, snapshot

VERSION = f"signac-cli {__version__} (signac {COMPATIBLE_VERSION} compatible)\n"


# --- the program -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--version"], ["-V"], ["-q", "--version"], ["find", "--version"], ["rm", "-V"], ["--versi"]]
)
def test_version_when_asked_for_anywhere_then_printed(cli, arguments):
    result = cli(*arguments)
    assert (result.status, result.out, result.err) == (0, VERSION, "")


def test_version_when_alone_then_answered_without_click():
    result = execute("--version")
    assert (result.status, result.out, result.err) == (0, VERSION, "")
    assert DESCRIPTION + "\n" == VERSION


@pytest.mark.parametrize("arguments", [[], ["-v"], ["--debug"], ["-q", "-y"]])
def test_program_when_no_command_is_given_then_help_and_status_2(cli, arguments):
    result = cli(*arguments)
    assert result.status == 2
    assert result.err == ""
    assert result.out == cli("--help").out


def test_help_when_asked_for_then_lists_every_command(cli):
    result = cli("--help")
    assert (result.status, result.err) == (0, "")
    for name, (_, short_help) in COMMANDS.items():
        assert f"  {name} " in result.out
        assert short_help in result.out
    assert cli("-h").out == result.out


@pytest.mark.parametrize("arguments", [["help"], ["help", "help"], ["help", "-h"], ["-q", "help"]])
def test_help_when_asked_for_by_name_then_that_of_the_program(cli, arguments):
    result = cli(*arguments)
    assert (result.status, result.out, result.err) == (0, cli("--help").out, "")


@pytest.mark.parametrize("words", [["find"], ["config"], ["config", "set"], ["update-cache"]])
def test_help_when_a_command_follows_then_that_of_the_command(cli, words):
    result = cli("help", *words)
    assert (result.status, result.out, result.err) == (0, cli(*words, "--help").out, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_when_asked_for_then_shows_all_its_options(cli, name):
    result = cli(name, "--help")
    assert (result.status, result.err) == (0, "")
    assert cli(name, "-h").out == result.out
    assert "Examples:" in result.out
    assert max(map(len, result.lines)) <= 80
    assert result.out.isascii()
    command = Program().get_command(None, name)
    for param in command.params:
        assert all(option in result.out for option in param.opts if option.startswith("-"))
        assert param.param_type_name == "argument" or param.help


@pytest.mark.parametrize("name", COMMANDS)
def test_command_when_loaded_then_named_as_in_the_table(name):
    module, short_help = COMMANDS[name]
    command = Program().get_command(None, name)
    assert command.name == name
    assert Path(signac_cli.__path__[0], "commands", f"{module}.py").exists()
    assert short_help.endswith(".")
    assert len(short_help) < 60


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fnd"], "Did you mean 'find'?"),
        (["xyz"], "No such command 'xyz'. See"),
        (["rn"], "No such command 'rn'. See"),
        (["create"], "Did you mean 'signac job -c'?"),
        (["Creat"], "Did you mean 'signac job -c'?"),
        (["set"], "Did you mean 'signac document --set' or 'signac config set'?"),
        (["version"], "Did you mean 'signac --version'?"),
        (["help", "ls"], "Did you mean 'signac find'?"),
        (["config", "get"], "Did you mean 'signac config show'?"),
        (["config", "sho"], "Did you mean 'show'?"),
        (["config", "x"], "No such command 'x'. See 'signac config --help'."),
        (["--color", "never", "--color", "always", "find"], "given twice, with 'never' and with 'always'"),
        (["--quit", "find"], "Did you mean --quiet?"),
        (["-x"], "No such option '-x'."),
        (["--ver"], "ambiguous: it could be --version or --verbosity"),
        (["--color", "blue", "find"], "'blue'"),
        (["--color"], "Option '--color' requires a value."),
    ],
)
def test_program_when_asked_for_something_unknown_then_one_line_and_status_2(cli, arguments, said):
    result = cli(*arguments)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert "--help" in result.err


# --- where -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(study, monkeypatch: pytest.MonkeyPatch) -> str:
    """The study is in ``work``; the working directory is the one above."""
    monkeypatch.chdir("..")
    return "work"


@pytest.mark.parametrize(
    "arguments",
    [
        ["-C", "work", "find", "--count"],
        ["find", "--count", "-C", "work"],
        ["find", "--project-dir=work/workspace", "--count"],
        ["-Cwork", "find", "--count"],
        ["-C", "work", "-C", "workspace", "find", "--count"],
        ["-C", "work", "find", "--count", "-C", "workspace"],
    ],
)
def test_directory_when_given_anywhere_then_behaves_as_if_started_there(cli, elsewhere, arguments):
    result = cli(*arguments)
    assert (result.status, result.out) == (0, "4\n")


def test_directory_when_in_the_environment_then_used_unless_one_is_given(cli, elsewhere, monkeypatch):
    monkeypatch.setenv("SIGNAC_PROJECT_DIR", str(Path("work").absolute()))
    assert cli("find", "--count").out == "4\n"
    Path("empty").mkdir()
    monkeypatch.setenv("SIGNAC_PROJECT_DIR", str(Path("empty").absolute()))
    assert cli("-C", str(Path("..", "work").absolute()), "find", "--count").out == "4\n"


def test_directory_when_the_environment_has_a_tilde_then_in_the_home_directory(cli, monkeypatch):
    Project.init_project("~/study").open_job({"a": 1}).init()
    monkeypatch.setenv("SIGNAC_PROJECT_DIR", "~/study")
    assert cli("find", "--count").out == "1\n"
    monkeypatch.setenv("SIGNAC_CACHE_DIR", "~/cache")
    Path("~/cache").expanduser().mkdir()
    assert cli("update-cache").status == 0
    assert not Path("~").exists()
    assert list(Path("~/cache").expanduser().iterdir())


@pytest.mark.parametrize("directory", ["missing", "work/.signac/config"])
def test_directory_when_it_cannot_be_entered_then_one_line(cli, elsewhere, directory):
    result = cli("-C", directory, "find")
    assert (result.status, result.out) == (1, "")
    assert directory in result.err
    assert result.err.count("\n") == 1


def test_project_when_above_then_found(cli, study, monkeypatch):
    monkeypatch.chdir(Path("workspace", study["1"]))
    assert cli("find", "--count").out == "4\n"


@pytest.mark.parametrize(
    "arguments", [["find"], ["find", "a", "1"], ["job", "{}"], ["statepoint"], ["document"], ["rm", "9bfd"]]
)
def test_project_when_there_is_none_then_one_line_that_says_what_to_do(cli, arguments):
    result = cli(*arguments)
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f"Error: There is no project in '{Path.cwd()}' or above it. Create one with 'signac init', "
        "or name its directory with -C.\n"
    )
    assert snapshot() == {}


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ("schema_version = 3\n", "schema-version"),
        ("schema_version = 1\n", "schema-version"),
        ("", "schema-version"),
        ("[[[\n", "config"),
        ("schema_version = x\n", "config"),
    ],
)
def test_project_when_its_configuration_does_not_fit_then_one_line(cli, project, config, code):
    Path(".signac/config").write_text(config)
    before = snapshot()
    result = cli("find", "--json")
    assert (result.status, result.out) == (1, "")
    assert json.loads(result.err)["error"]["code"] == code
    assert cli("find").err.count("\n") == 1
    assert snapshot() == before


def test_workspace_when_it_is_a_file_then_one_line_names_it(cli, project):
    Path("workspace").rmdir()
    Path("workspace").write_text("")
    result = cli("find")
    assert (result.status, result.out) == (1, "")
    assert "workspace" in result.err
    assert result.err.count("\n") == 1


# --- talk ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["-q", "find", "T", "1"], ["find", "T", "1", "-q"], ["find", "T", "1", "--quiet"]]
)
def test_quiet_when_given_anywhere_then_no_talk(cli, study, arguments):
    result = cli(*arguments)
    assert (result.out, result.err) == (f"{study['1']}\n", "")


def test_quiet_when_something_fails_then_still_told(cli, study):
    assert cli("-q", "statepoint", "zz").err.startswith("Error: 'zz'")


def test_error_when_json_is_asked_for_then_the_line_is_an_object(cli):
    for option in ("--json", "--jsonl"):
        error = json.loads(cli("find", option).err)["error"]
        assert error["code"] == "no-project"
        assert set(error) == {"code", "message", "hint"}
    assert cli("find", "--", "--json").err.startswith("Error: ")


def test_debug_when_something_fails_then_traceback_behind_the_line(cli):
    result = cli("--debug", "find")
    assert result.status == 1
    assert result.err.startswith("Error: There is no project")
    assert "Traceback" in result.err
    assert "Traceback" not in cli("find").err


def test_error_when_unforeseen_then_one_line_without_traceback(cli, study, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("out\nof order")

    monkeypatch.setattr("signac_core.finding.find_ids", broken)
    result = cli("find")
    assert (result.status, result.out) == (1, "")
    assert result.err == "Error: RuntimeError: out of order. --debug shows where.\n"


@pytest.mark.parametrize(
    ("options", "variable", "level"),
    [
        ([], "", None),
        (["-v"], "", logging.INFO),
        (["-vv"], "", 15),
        (["-vvv"], "", logging.DEBUG),
        (["--debug"], "", logging.DEBUG),
        (["-v", "-q"], "", None),
        ([], "INFO", logging.INFO),
        ([], "debug", logging.DEBUG),
        ([], "nonsense", None),
    ],
)
def test_verbosity_when_raised_then_logging_is_shown(cli, study, monkeypatch, options, variable, level):
    configured = []
    with for_some_cases():
        monkeypatch.setattr(logging, "basicConfig", lambda **settings: configured.append(settings["level"]))
    monkeypatch.setenv("SIGNAC_LOG", variable)
    assert cli("find", *options).status == 0
    assert configured == ([] if level is None else [level])


# --- colours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "variables", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"SIGNAC_COLOR": "always", "NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"SIGNAC_COLOR": "never", "FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"SIGNAC_COLOR": "purple"}, False),
    ],
)
def test_color_when_chosen_then_tables_and_labels_follow(cli, study, monkeypatch, options, variables, colored):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    table = cli("find", "--table", *options)
    assert ("\033[" in table.out) is colored
    assert ("\033[" in cli(*options, "statepoint", "zz").err) is colored


@pytest.mark.parametrize(
    "options", [[], ["-s"], ["--json"], ["--jsonl", "--doc"], ["--format", "{id} {T}"], ["--path"]]
)
def test_color_when_forced_on_a_pipe_then_records_stay_plain(cli, study, options):
    result = cli("find", "--color", "always", *options)
    assert "\033" not in result.out
    assert result.out == cli("find", *options).out
