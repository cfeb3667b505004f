"""The completion scripts in the shells that they are for."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from signac_cli.app import COMMANDS
from signac_core import Project
from tests.support.running import ROOT, TIMEOUT, environment

HERE = Path(__file__).parent
ASK = {
    "bash": ["bash", "--norc", "--noprofile", HERE / "ask.bash"],
    "zsh": ["zsh", "-f", HERE / "ask.zsh"],
    "fish": ["fish", "--no-config", HERE / "ask.fish"],
}
INTERACTIVE = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}

STUB = """#!/bin/sh
echo "$*" >>"$LOG"
[ "$1" = __complete ] || {{ printf '%s\\n' "$@" >"$ARGUMENTS"; exit; }}
exec {python} -m signac_cli "$@"
"""


def require(shell: str) -> None:
    """Skip a test where its shell is missing; fail where everything has to run."""
    if shutil.which(shell) is None:
        reason = f"{shell} is not installed (ci/system-packages installs it)"
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


class Study:
    """A project, and a command that writes down how it was called."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "study"
        self.log = directory / "log"
        self.arguments = directory / "arguments"
        project = Project.init_project(self.path)
        self.ids = []
        for T in (0.5, 1.5, -1):
            for p in (1, 2):
                job = project.open_job({"T": T, "p": p, "name": "lj cut", "model": {"eps": 1.5}, "code": "12"}).init()
                job.doc.update({"status": "done" if p == 1 else "failed", "n": {"steps": 10}})
                self.ids.append(job.id)
        self.ids.sort()
        (self.path / "scripts").mkdir()
        (self.path / "notes.txt").touch()
        self.programs = directory / "bin"
        self.programs.mkdir()
        for name in ("signac", "signac-cli"):
            stub = self.programs / name
            stub.write_text(STUB.format(python=sys.executable))
            stub.chmod(0o755)

    def environment(self, shell: str) -> dict[str, str]:
        variables = {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "LOG": str(self.log),
            "ARGUMENTS": str(self.arguments),
            "SCRIPT": str(ROOT / "completions" / f"signac.{shell}"),
            "CAPTURE": str(HERE / "capture.zsh"),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "PS1": "{{prompt}}",
        }
        return environment(**variables)

    def calls(self) -> list[str]:
        """How the command was called since this was asked last."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return calls

    def ask(self, shell: str, lines: Sequence[str]) -> dict[str, list[str]]:
        """What a shell offers behind each line; of values of options and of directories the bare text."""
        require(shell)
        run = subprocess.run(
            [*ASK[shell], *lines],
            env=self.environment(shell),
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert (run.returncode, run.stderr) == (0, "")
        *answers, rest = run.stdout.split("{{end}}\n")
        assert rest == ""
        found = [[text for text in answer.split("\n") if text] for answer in answers]
        return dict(zip(lines, found, strict=True))

    def type(self, shell: str, lines: Sequence[str]) -> list[list[str]]:
        """The arguments with which the command is run after each line was typed on a terminal."""
        require(shell)
        leader, follower = pty.openpty()
        command = subprocess.Popen(
            INTERACTIVE[shell],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=self.environment(shell),
            cwd=self.path,
            start_new_session=True,
        )
        os.close(follower)
        arguments = []
        with command:
            try:
                self._wait(leader)
                for line in ("source $SCRIPT", *lines):
                    self.arguments.unlink(missing_ok=True)
                    os.write(leader, f"{line}\n".encode())
                    self._wait(leader)
                    arguments.append(self.arguments.read_text().splitlines() if self.arguments.exists() else [])
            finally:
                command.kill()
        os.close(leader)
        return arguments[1:]

    def _wait(self, leader: int) -> None:
        """Read until the shell asks for the next line."""
        output = b""
        while not output.rstrip(b" \x1b[?2004hK\r").endswith(b"{{prompt}}"):
            if not select.select([leader], [], [], TIMEOUT)[0]:
                raise TimeoutError(f"nothing but {output!r}")
            output += os.read(leader, 65536)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(tmp_path_factory.mktemp("completion"))


@pytest.fixture(params=sorted(ASK))
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


STATIC = {
    "signac ": list(COMMANDS),
    "signac-cli ": list(COMMANDS),
    "signac fi": ["find"],
    "signac -q -C scripts fi": ["find"],
    "signac find --s": ["--show", "--sp", "--sort", "--shard"],
    "signac find T --s": ["--show", "--sp", "--sort", "--shard"],
    "signac find --sp T --s": ["--show", "--sp", "--sort", "--shard"],
    "signac --color ": ["auto", "always", "never"],
    "signac find --color=a": ["auto", "always"],
    "signac config ": ["set", "show", "unset", "verify"],
    "signac config -g s": ["set", "show"],
    "signac completion ": ["bash", "zsh", "fish"],
    "signac sync a b -s ": ["always", "never", "update", "ask", "Ask"],
    "signac find --limit ": [],
    "signac shell notes.txt --f": [],
    "signac init ": ["scripts", "workspace"],
    "signac -C ": ["scripts", "workspace"],
    "signac sync wor": ["workspace"],
    "signac export n": ["notes.txt"],
    "signac shell n": ["notes.txt"],
    "signac rm --filter T>": ["notes.txt", "scripts", "workspace"],
    "signac rm --filter T>n": ["notes.txt"],
    "signac find T< n": ["notes.txt"],
    "signac find T 2>n": ["notes.txt"],
    "signac find T >>n": ["notes.txt"],
    "signac document --set x=1 &>n": ["notes.txt"],
}
"""What the scripts know themselves."""


def test_word_when_known_to_the_script_then_offered_without_starting_python(study, shell):
    study.calls()
    answers = study.ask(shell, list(STATIC))
    shown = {
        line: {text.removeprefix("--color=").rstrip("/") for text in found if not text.startswith(".")}
        for line, found in answers.items()
    }
    assert {line: sorted(found) for line, found in shown.items()} == {
        line: sorted(expected) for line, expected in STATIC.items()
    }
    assert study.calls() == []


KEYS = ["T", "code", "model.eps", "name", "p", "doc.n.steps", "doc.status"]

DYNAMIC = {
    "signac find ": KEYS,
    "signac find n": ["name"],
    "signac find doc.s": ["doc.status"],
    "signac find sp.T": ["sp.T"],
    "signac find T ": ["0.5", "1.5"],
    "signac find T 1": ["1.5"],
    "signac find T 1.5 p ": ["1", "2"],
    "signac find T=1.5 ": KEYS,
    "signac find T=": ["T=-1", "T=0.5", "T=1.5"],
    "signac find 'T": ["T=", "T!=", "T<", "T<=", "T>", "T>=", "T~"],
    "signac find 'T>=": ["T>=-1", "T>=0.5", "T>=1.5"],
    "signac find 'p=1' \"T>=1": ["T>=1.5"],
    "signac find code ": ['"12"'],
    "signac find doc.status ": ["done", "failed"],
    "signac find -q doc.n.steps ": ["10"],
    "signac find --sp ": ["T", "code", "model.eps", "name", "p"],
    "signac find --doc ": ["n.steps", "status"],
    "signac find --sort sp.T,doc.s": ["sp.T,doc.status"],
    "signac find --sort -sp.T,-doc.s": ["-sp.T,-doc.status"],
    "signac find --pretty 2 T ": ["0.5", "1.5"],
    "signac find -p T ": ["0.5", "1.5"],
    "signac find -e1L5 T ": ["0.5", "1.5"],
    "signac document -f T=1.5 p ": ["1", "2"],
    "signac document -f p 1 -n ": None,
    "signac document --set st": ["status="],
    "signac document --set status=": ["status=done", "status=failed"],
    "signac statepoint ": None,
    "signac find -j ": None,
    "signac move workspace ": None,
    "signac -C workspace rm ": None,
    "signac -C / rm ": [],
    "signac find T\\>": ["T>-1", "T>0.5", "T>1.5"],
    "signac find nothing ": [],
    "signac find -- --s": [],
}
"""What is asked of the project; None stands for its ids."""


def test_word_when_in_the_project_then_offered(study, shell):
    answers = study.ask(shell, list(DYNAMIC))
    found = {line: [text.replace("\\", "") for text in found] for line, found in answers.items()}
    assert found == {line: study.ids if expected is None else expected for line, expected in DYNAMIC.items()}
    assert all(call.startswith("__complete ") for call in study.calls())


def test_id_when_two_digits_are_typed_then_completed(study, shell):
    prefix = study.ids[0][:2]
    line = f"signac document {prefix}"
    assert study.ask(shell, [line]) == {line: [job_id for job_id in study.ids if job_id.startswith(prefix)]}


TYPED = {
    "signac fin\t": ["find"],
    "signac find na\t lj\t p=1": ["find", "name", "lj cut", "p=1"],
    "signac find name=\t": ["find", "name=lj cut"],
    "signac find 'name=\t": ["find", "name=lj cut"],
    'signac find "na\t=\t': ["find", "name=lj cut"],
    "signac find 'T>=1\t p=1": ["find", "T>=1.5", "p=1"],
    "signac find T=-\t": ["find", "T=-1"],
    "signac find co\t\t": ["find", "code", '"12"'],
    "signac find --color=au\t": ["find", "--color=auto"],
    "signac document --set sta\tx": ["document", "--set", "status=x"],
}


@pytest.mark.parametrize("shell", sorted(INTERACTIVE))
def test_tab_when_typed_on_a_terminal_then_the_command_gets_the_value(study, shell):
    assert dict(zip(TYPED, study.type(shell, list(TYPED)), strict=True)) == TYPED


HOSTILE = {
    "k1": "$(touch PWNED)",
    "k2": "`touch PWNED`",
    "k3": "a'; touch PWNED; '",
    "k4": 'b"; touch PWNED; "',
    "k5": "c!!d",
    "k6": "d\\",
    "k7": "e $HOME",
    "k8": "f & g | h > i ; (j) {k} [l] *? ~ # %s",
}
"""Values that shells would take for more than text."""


@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize("shell", sorted(INTERACTIVE))
def test_tab_when_a_value_is_hostile_then_it_stays_text(tmp_path, shell, quote):
    study = Study(tmp_path)
    Project.get_project(study.path).open_job(HOSTILE).init()
    typed = study.type(shell, [f"signac find {quote}{key}=\t" for key in HOSTILE])
    assert typed == [["find", f"{key}={value}"] for key, value in HOSTILE.items()]
    assert not (study.path / "PWNED").exists()


def test_tab_when_hostile_values_begin_alike_then_what_they_share_stays_text(tmp_path):
    study = Study(tmp_path)
    for end in "ab":
        Project.get_project(study.path).open_job({"k": f"$(touch PWNED) it's {end}"}).init()
    typed = study.type("bash", ['signac find "k=\tb"', "signac find 'k=\tb'", "signac find k=\tb"])
    assert typed == [["find", "k=$(touch PWNED) it's b"]] * 3
    for value in ("$a", "`b"):  # they share the backslash that escapes them
        Project.get_project(study.path).open_job({"y": value}).init()
    assert study.type("bash", ['signac find "y=\t$a\t']) == [["find", "y=$a"]]
    assert not (study.path / "PWNED").exists()


def test_zsh_file_when_found_on_the_function_path_then_completes(study, tmp_path):
    functions = tmp_path / "functions"
    functions.mkdir()
    shutil.copy(ROOT / "completions" / "signac.zsh", functions / "_signac")
    capture = tmp_path / "capture.zsh"
    path = json.dumps(str(functions))
    capture.write_text(f"fpath=({path} $fpath)\n" + (HERE / "capture.zsh").read_text())
    require("zsh")
    run = subprocess.run(
        [*ASK["zsh"], "signac fi"],
        env=study.environment("zsh") | {"CAPTURE": str(capture), "SCRIPT": os.devnull},
        cwd=study.path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert run.stdout.split() == ["find", "{{end}}"]
