"""What happens before Click is imported: the version, questions of completion scripts, the module search path."""

from __future__ import annotations

import sys

import pytest

import signac_cli
from signac_core import __version__


@pytest.fixture
def main(monkeypatch, capsys):
    """Function that runs the program as the console script does; gives the exit status and the output."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["/usr/bin/signac", *arguments])
        monkeypatch.setattr(sys, "path", ["/usr/bin", *sys.path])
        status = signac_cli.main()
        assert "/usr/bin" not in sys.path
        return status, capsys.readouterr().out

    return call


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version_when_asked_for_then_printed(monkeypatch, capsys, option):
    monkeypatch.setattr(sys, "argv", ["signac", option])
    assert signac_cli.main() == 0
    assert capsys.readouterr().out == f"signac-cli {__version__} (signac 2.4.1 compatible)\n"


def test_main_when_a_command_is_given_then_it_runs_with_the_directory_of_the_script_off_the_path(main, study):
    assert main("find", "--count") == (0, "4\n")
    assert main("find", "-e", "T", "77") == (3, "")


def test_main_when_a_completion_script_asks_then_answered(main, study):
    assert main("__complete", "ids", "--", study["1"][:6]) == (0, f"{study['1']}\n")
    assert main("__complete", "filter", "--", "na") == (0, "name\n")
    assert main("__complete", "filter", "--", "name", "h") == (0, "hertz\n")
    assert main("__complete", "assignments", "--", "en") == (0, "energy=\n")
    assert main("__complete", "assignments", "--", "status=d") == (0, "status=done\n")
    assert main("__complete", "order-keys", "--", "T,-doc.en") == (0, "T,-doc.energy\n")
    assert main("__complete", "nonsense", "--", "x") == (0, "")
    assert main("__complete") == (0, "")
