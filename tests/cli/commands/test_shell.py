"""``shell``."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.running import PROGRAM, TIMEOUT, Result, environment, execute

ESCAPE = re.compile(rb"\033\[[?0-9;]*[a-zA-Z]")
pytestmark = pytest.mark.usefixtures("_prompts_are_forgotten")


def script(text: str, name: str = "script.py") -> str:
    Path(name).write_text(text)
    return name


# --- names -----------------------------------------------------------------------------------------------------------


def test_code_when_run_then_the_names_are_defined(cli, study, project):
    code = "print(project.path, pr is project, len(list(jobs)), job, signac.Project is type(project), __name__)"
    result = cli("shell", "-c", code)
    assert (result.status, result.err) == (0, "")
    assert result.out == f"{project.path} True 4 None True __main__\n"


def test_library_when_signac_is_another_or_missing_then_ours_all_the_same(study):
    code = "print(signac.__name__, signac.Project is type(project))"
    Path("other").mkdir()
    for text in ("Project = object\n", "raise ModuleNotFoundError\n"):
        Path("other", "signac.py").write_text(text)
        result = execute("shell", "-c", code, env={"PYTHONPATH": os.path.abspath("other")})
        assert (result.status, result.out) == (0, "signac_core True\n")


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ([], ["-5", "1", "1.5", "2"]),
        (["-f", "p", "3"], ["-5", "2"]),
        (["--filter", '{"p": {"$lt": 3}}'], ["1", "1.5"]),
        (["-j", "2", "1"], ["2", "1"]),
        (["--job-id", "-"], ["2", "1"]),
        (["-f", "p", "17"], []),
    ],
)
def test_jobs_when_selected_then_an_iterator_over_them(cli, study, selection, expected):
    arguments = [study.get(argument, argument)[:12] if selection[0] == "-j" else argument for argument in selection]
    stdin = "\n".join([study["2"], study["1"]])
    code = "print(*(job.id for job in jobs)); print(next(jobs, None), len(jobs))"
    result = cli("-q", "shell", *arguments, "-c", code, stdin=stdin)
    ids = [study[name] for name in expected]
    listed = " ".join(ids if "-j" in selection or "-" in selection else sorted(ids))
    assert result.out == f"{listed}\nNone {len(expected)}\n"


def test_jobs_when_begun_then_goes_on_and_when_ended_then_starts_again(cli, study):
    code = """
first = next(jobs)
for second in jobs:
    break
print(len([first, second, *jobs]), len(list(jobs)), len(list(jobs)), bool(jobs), repr(jobs), iter(jobs) is jobs)
"""
    assert cli("shell", "-", stdin=code).out == "4 4 4 True <iterator over 4 jobs> True\n"


@pytest.mark.parametrize("selection", [["-f", "p", "1"], ["-j", "ID"]])
def test_job_when_one_is_selected_then_that_one(cli, study, selection):
    arguments = [argument.replace("ID", study["1"]) for argument in selection]
    assert cli("shell", *arguments, "-c", "print(job)").out == f"{study['1']}\n"


def test_job_when_in_its_directory_then_that_one(cli, study, project, monkeypatch):
    monkeypatch.chdir(os.path.join(project.workspace, study["2"]))
    assert cli("shell", "-c", "print(job)").out == f"{study['2']}\n"
    assert cli("shell", "-f", "p", "1", "-c", "print(job)").out == f"{study['1']}\n"
    assert cli("shell", "-f", "p>=1", "-c", "print(job)").out == f"{study['2']}\n"


# --- programs --------------------------------------------------------------------------------------------------------


def test_script_when_run_then_it_is_the_main_module(cli, study):
    Path("lib").mkdir()
    script("value = 5\n", "lib/beside.py")
    name = script(
        "import pickle, sys, beside\n"
        "def function(): return beside.value\n"
        "print(sys.argv, __file__, __name__, pickle.loads(pickle.dumps(function))())\n",
        "lib/program.py",
    )
    before = sys.modules["__main__"], sys.argv, list(sys.path)
    result = cli("shell", name, "a", "--plot", "-q", "--", "-5")
    sys.modules.pop("beside", None)
    assert (result.status, result.err) == (0, "")
    assert result.out == f"{[name, 'a', '--plot', '-q', '--', '-5']} {name} __main__ 5\n"
    assert (sys.modules["__main__"], sys.argv, sys.path) == before


def test_script_when_it_comes_through_a_pipe_then_all_of_it_is_run(cli, study):
    os.mkfifo("pipe")
    text = "#" * 100_000 + "\nprint(len(list(jobs)))\n"  # more than a pipe holds
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(Path("pipe").write_text, text)
        result = cli("shell", "pipe")
        assert writing.result(TIMEOUT) == len(text)
    assert (result.status, result.out) == (0, "4\n")


def test_script_when_options_stand_before_it_then_they_are_ours(cli, study):
    name = script("import sys; print(job, sys.argv)")
    result = cli("shell", "-q", "-f", "p", "1", "--", name, "-f", "p", "2")
    assert result.out == f"{study['1']} {[name, '-f', 'p', '2']}\n"
    assert result.err == ""


def test_script_when_a_selection_follows_it_then_a_hint(cli, study):
    result = cli("shell", script("print(len(list(jobs)))"), "-f", "p", "1")
    assert (result.status, result.out) == (0, "4\n")
    assert "'-f' is passed on to 'script.py'" in result.err


def test_stdin_when_it_holds_a_program_then_blocks_are_run(cli, study):
    program = "import sys\nfor i in range(2):\n    if i:\n\n        print(i, sys.argv, __name__)\n1+1\n"
    result = cli("shell", "-", "x", stdin=program)
    assert (result.status, result.out, result.err) == (0, "1 ['-', 'x'] __main__\n", "")


def test_code_when_given_then_argv_is_that_of_python(cli, study):
    assert cli("shell", "-c", "import sys; print(sys.argv)").out == "['-c']\n"


@pytest.mark.parametrize(
    ("code", "status", "err"),
    [
        ("", 0, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('sorry')", 1, "sorry\n"),
        ("raise SystemExit(False)", 0, ""),
    ],
)
@pytest.mark.parametrize("way", ["code", "file", "stdin"])
def test_program_when_it_ends_then_its_status(cli, study, way, code, status, err):
    arguments = {"code": ["-c", code], "file": [script(code)], "stdin": ["-"]}[way]
    result = cli("shell", *arguments, stdin=code)
    assert (result.status, result.out, result.err) == (status, "", err)


@pytest.mark.parametrize("way", ["code", "file", "stdin"])
@pytest.mark.parametrize(("code", "error"), [("def f():\n    1/0\nf()\n", "ZeroDivisionError"), ("f(", "SyntaxError")])
def test_program_when_it_raises_then_its_own_traceback_and_status_1(cli, study, way, code, error):
    arguments = {"code": ["-c", code], "file": [script(code)], "stdin": ["-"]}[way]
    result = cli("shell", *arguments, stdin=code)
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines()[-1].startswith(error)
    assert "signac_cli" not in result.err


def test_program_when_nobody_reads_its_output_then_quietly_ended(study):
    read, write = os.pipe()
    os.close(read)
    result = execute("shell", "-c", "for i in range(100_000): print(i)", stdout=write)
    os.close(write)
    assert (result.status, result.err) == (0, "")


def test_program_when_another_pipe_breaks_then_an_exception_like_any_other(study):
    code = "import os; r, w = os.pipe(); os.close(r); os.write(w, b'x')"
    result = execute("shell", "-c", code)
    assert result.status == 1
    assert "BrokenPipeError" in result.err


# --- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-c", "print(1)", "file.py"], 1),
        (["nofile.py"], 1),
        (["-j", "zzz", "-c", "print(1)"], 1),
        (["-j", "-"], 2),
        (["-j", "-", "--", "-"], 2),
        (["-c"], 2),
        (["-f", "a", "1", "-j", "1", "-c", "print(1)"], 1),
    ],
)
def test_shell_when_wrong_then_one_line_and_nothing_run(cli, study, arguments, status):
    result = cli("shell", *arguments)
    assert (result.status, result.out) == (status, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["-c", "print(1)"], ["script.py"], ["-"], []])
def test_shell_when_there_is_no_project_then_nothing_is_run(cli, arguments):
    script("print(1)")
    result = cli("shell", *arguments, stdin="print(1)\n")
    assert (result.status, result.out) == (1, "")
    assert "no project" in result.err


def test_selection_when_a_job_is_damaged_then_named_and_status_1(cli, study, project):
    Path(project.workspace, study["2"], "signac_statepoint.json").write_text("")
    result = cli("shell", "-f", "p>=1", "-c", "print(len(list(jobs)))")
    assert (result.status, result.out) == (1, "3\n")
    assert f"{study['2']} (The state point file is empty)" in result.err


# --- interactive -----------------------------------------------------------------------------------------------------


def test_statements_when_typed_through_a_pipe_then_echoed_as_by_python(cli, study, project):
    result = cli("shell", stdin="project.path\nfor i in range(2):\n    print(i)\n\nx = 1\nx\n")
    assert result.status == 0
    assert result.out == f">>> '{project.path}'\n>>> ... ... 0\n1\n>>> >>> 1\n>>> "
    assert f"Project '{project.path}', 4 jobs selected." in result.err


def test_statements_when_one_fails_then_the_next_is_run_and_status_1(cli, study):
    result = cli("-q", "shell", stdin="1/0\nf)\nprint(5)\n")
    assert (result.status, result.out) == (1, ">>> >>> >>> 5\n>>> ")
    assert "ZeroDivisionError" in result.err
    assert "SyntaxError" in result.err
    assert "Project" not in result.err


def test_statements_when_they_exit_then_that_status(cli, study):
    assert cli("shell", stdin="import sys\nsys.exit(5)\nprint(1)\n").status == 5


def at_prompts(*lines: bytes) -> Result:
    """Type lines into a shell on a terminal, each when it prompts."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "shell"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(TERM="xterm"),
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    waiting = list(lines)
    output = b""
    with process:
        while select.select([leader], [], [], TIMEOUT)[0]:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # the last process has closed the terminal
                break
            output += chunk
            if waiting and ESCAPE.sub(b"", output).endswith(b">>> "):
                os.write(leader, waiting.pop(0))
        else:
            process.kill()
    os.close(leader)
    return Result(process.returncode, ESCAPE.sub(b"", output).decode().replace("\r\n", "\n"), "")


@pytest.fixture
def _without_ipython(monkeypatch):
    Path("hidden", "IPython").mkdir(parents=True)
    Path("hidden", "IPython", "__init__.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", os.path.abspath("hidden"))


@pytest.mark.usefixtures("_without_ipython")
def test_shell_when_on_a_terminal_then_names_are_completed_and_lines_remembered(study, project):
    pytest.importorskip("readline", reason="Python was built without it")
    result = at_prompts(b"proj\t.pa\t\n", b"1/0\n", b"len(list(jobs))\n", b"\x04")
    assert result.status == 0
    assert f">>> project.path\n'{project.path}'\n" in result.out
    assert "ZeroDivisionError" in result.out
    assert ">>> len(list(jobs))\n4\n" in result.out
    history = Path(".signac", "shell_history")
    assert history.read_text().splitlines()[-3:] == ["project.path", "1/0", "len(list(jobs))"]
    again = at_prompts(b"\033[A\n", b"import sys; sys.exit(3)\n")
    assert again.status == 3
    assert ">>> len(list(jobs))\n4\n" in again.out
    assert history.read_text().splitlines()[-2:] == ["len(list(jobs))", "import sys; sys.exit(3)"]


IMPORTED_BY_A_SHELL = ["IPython", "code", "codeop", "readline", "rlcompleter", "traceback", "pprint", "json"]


@pytest.mark.usefixtures("_without_ipython")
def test_shell_when_the_working_directory_has_modules_of_such_names_then_not_imported(study):
    for name in IMPORTED_BY_A_SHELL:
        Path(f"{name}.py").write_text(f"open('imported', 'a').write('{name} ')\n")
    Path("helper.py").write_text("x = 5\n")
    result = at_prompts(b"import helper; helper.x + 2\n", b"1/0\n", b"\x04")
    assert (result.status, "\n7\n" in result.out) == (0, True)
    assert execute("shell", stdin=b"import helper; print(helper.x + 2)\n").out == ">>> 7\n>>> "
    assert not Path("imported").exists()


FAKE_IPYTHON = """
import sys

class InteractiveShellEmbed:
    def __init__(self, banner1, user_module, user_ns):
        self.banner, self.names = banner1, user_ns
        print("made", "" in sys.path, sys.modules["__main__"] is user_module)

    def __call__(self):
        print("called", sys.path[0] == "", len(self.names["jobs"]), "Project" in self.banner)
"""


def test_shell_when_ipython_is_installed_then_made_before_the_working_directory_is_searched(study, monkeypatch):
    package = Path("hidden", "IPython", "terminal")
    package.mkdir(parents=True)
    Path("hidden", "IPython", "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "embed.py").write_text(FAKE_IPYTHON)
    monkeypatch.setenv("PYTHONPATH", os.path.abspath("hidden"))
    Path("IPython.py").write_text("raise SystemExit(9)\n")
    result = at_prompts()
    assert (result.status, result.out) == (0, "made False True\ncalled True 4 True\n")


def test_script_when_it_imports_from_its_directory_then_that_works(study):
    Path("scripts").mkdir()
    Path("scripts", "helper.py").write_text("x = 5\n")
    Path("scripts", "run.py").write_text("import helper\nprint(helper.x)\n")
    assert execute("shell", "scripts/run.py").out == "5\n"


@pytest.mark.usefixtures("_without_ipython")
def test_history_when_long_then_the_last_thousand_lines_are_kept(study):
    pytest.importorskip("readline", reason="Python was built without it")
    history = Path(".signac", "shell_history")
    history.write_text("".join(f"x = {n}\n" for n in range(1500)))
    assert at_prompts(b"y = 5\n", b"\x04").status == 0
    lines = history.read_text().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (1000, "x = 501", "y = 5")


@pytest.mark.usefixtures("_without_ipython")
def test_history_when_it_cannot_be_saved_then_a_warning(study):
    pytest.importorskip("readline", reason="Python was built without it")
    Path(".signac", "shell_history").mkdir()
    result = at_prompts(b"\x04")
    assert result.status == 0
    assert "was not saved" in result.out
