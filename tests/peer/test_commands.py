"""Commands on a pipe: their standard output is that of signac 2.4.1, to the byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFIG, USER = ".signac/config", "../home/.signacrc"

SHOW = [
    ["show", *keys] for keys in ([], ["x"], ["x.y"], ["x", "z"], ["x.z.deep"], ["list"], ["name"], ["schema_version"])
]
SHOW += [["-g", "show"], ["-g", "show", "x"], ["-l", "show"], ["-l", "show", "x", "z"]]

SET = [
    ["set", *arguments]
    for arguments in (
        ["x.y", "1", "2", "3"], ["x.z.w", "hello"], ["x.z.deep.er", "a,b"], ["name", "a b"], ["q", "it's"],
        ["h", "a # b"], ["e", ""], ["k", '"quoted"'], ["n", "it's \"both\""], ["ml", "a\nb"], ["x.ml", "a\nb"],
        ["list", "a b", "", "c,d", "it's"], ["sp", "  x "], ["one.two", "3"],
    )
] + [["-g", "set", *arguments] for arguments in (["gg", "1"], ["x.y", "9"], ["x.g", "7"])]  # fmt: skip

FILES = {
    "set": {},
    "indented": {CONFIG: "schema_version = 2\na = 1\n[x]\n  y = 1\n  [[z]]\n    w=1\n"},
    "without version": {CONFIG: "a = 1\n[x]\ny = 1\n", USER: "b = 5\n[x]\nz = 1\n"},
    "lines of Windows": {CONFIG: "schema_version = 2\r\n# c\r\nname = 1\r\n"},
    "comments": {CONFIG: "# top\nschema_version = 2 # inline\n\n# x\n[x] # s\n# in x\ny = 2\n# end\n", USER: "# u\n"},
    "user": {CONFIG: "schema_version = 2\nlist = a, b,\n[x]\ny = 1\n", USER: "name = u\n[x]\ny = 5\n[[z]]\na = 1\n"},
}


def run(program: list[str], arguments: list[str], directory: Path, stdin: str = "") -> tuple[str, int]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNAC_", "PYTHON"))}
    environment |= {"HOME": str(directory.parent / "home"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*program, *arguments], cwd=directory, env=environment, input=stdin, capture_output=True, text=True, timeout=60
    )
    return done.stdout, done.returncode


@pytest.fixture
def programs(peer_python: Path) -> dict[str, list[str]]:
    return {"peer": [str(peer_python), "-m", "signac"], "ours": [sys.executable, "-m", "signac_cli"]}


def begin(root: Path, files: dict[str, str]) -> Path:
    """An empty project, always in the same place."""
    shutil.rmtree(root, ignore_errors=True)
    project = root / "project"
    (project / "workspace").mkdir(parents=True)
    (root / "home").mkdir()
    for name, text in ({CONFIG: "schema_version = 2\n"} | files).items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return project


@pytest.mark.parametrize("name", FILES)
def test_config_when_shown_and_set_then_as_by_signac(programs, tmp_path, name):
    seen = {}
    for side, program in programs.items():
        project = begin(tmp_path / "root", FILES[name])
        calls = (SET if name == "set" else [["set", "new", "1"]]) + SHOW
        outputs = [run(program, ["config", *arguments], project) for arguments in calls]
        left = [path.read_bytes() if path.exists() else b"" for path in (project / CONFIG, project / USER)]
        seen[side] = (
            [
                # A missing key is status 1 and nothing here, and the text None with status 0 there.
                ("", 1) if output == ("None\n", 0) else output
                for output in outputs
            ],
            left,
        )
    assert seen["ours"] == seen["peer"]


SELECT = ["-f", "a", "2"]

SHELL = [
    ([], "project\nfor i in range(2):\n    print(i)\n\nx = 5\nx\njob\n", 0),
    ([], "1/0\nprint(5)\n", 1),
    (["-c", "print(project.path, pr is project, job, signac.__name__, len(list(jobs)))"], "", 0),
    ([*SELECT, "-c", "print(job, [job.id for job in jobs])"], "", 0),
    (["-j", "9f8", "-c", "print(job.sp())"], "", 0),
    (["-c", "print(1); raise ValueError"], "", 1),
    (["-c", "import sys; sys.exit(7)"], "", 7),
    (["-c", "import sys; sys.exit('text')"], "", 1),
    (["-"], "print(job)\nprint(1 + 1)\n", 0),
    (["-c", "print(1)", "file.py"], "", 1),
    (["absent.py"], "", 1),
]


@pytest.mark.parametrize(("arguments", "stdin", "status"), SHELL)
def test_shell_when_run_then_prints_what_signac_prints(programs, tmp_path, arguments, stdin, status):
    seen = {}
    for side, program in programs.items():
        project = begin(tmp_path / "root", {})
        for a in range(1, 4):
            run(programs["peer"], ["job", "-c", f'{{"a": {a}}}'], project)
        seen[side], code = run(program, ["shell", *arguments], project, stdin)
        if side == "ours" or status not in (0, 1):
            assert code == status
    assert seen["ours"] == seen["peer"]
