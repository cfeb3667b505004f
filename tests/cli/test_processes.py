"""The program as a process: pipes, full and closed streams, signals, locales."""

from __future__ import annotations

import array
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from signac_core import Project
from tests.support.running import PROGRAM, environment, execute, snapshot, start

C_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

ID = "732d208568afbce32026f87d992b5502"  # of the job with T = 1

MANY, LARGE = 100_000, 2_000

READING = [
    ["find"],
    ["find", "-s"],
    ["find", "--sp", "-1"],
    ["find", "--json"],
    ["find", "--jsonl", "--doc"],
    ["find", "--format", "{id} {T}"],
    ["find", "--table"],
    ["find", "--count"],
    ["find", "--path", "-0"],
    ["statepoint"],
    ["statepoint", "-p"],
    ["document", "--json"],
    ["diff"],
    ["diff", "--jsonl"],
    ["neighbors", ID],
    ["neighbors", ID, "--json"],
    ["schema"],
    ["schema", "-t", "2"],
    ["schema", "--json"],
    ["schema", "--table"],
    ["status"],
    ["status", "--json"],
    ["-q", "check", "--json"],
    ["config", "show"],
    ["config", "show", "--json"],
    ["-q", "view", "-n"],
    ["-q", "export", "out", "-n"],
    ["-q", "import", "data", "-n"],
    ["-q", "sync", "elsewhere", "-m", "-n"],
    ["-q", "rm", ID, "-n"],
    ["-q", "clone", "elsewhere", ID, "-n"],
    ["job", "{}"],
    ["completion", "bash"],
    ["--help"],
    ["find", "--help"],
    ["--version"],
    ["-v", "--version"],
]
"""Everything that writes to standard output and changes nothing."""


@pytest.fixture
def study(study: dict[str, str]) -> dict[str, str]:
    """The study, data to import, and another project."""
    job = Path("data", "T", "7")
    job.mkdir(parents=True)
    (job / "signac_statepoint.json").write_text('{"T": 7}')
    Project.init_project("elsewhere").open_job({"T": 8}).init()
    return study


def named(arguments: list[str]) -> str:
    return " ".join(arguments)


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which ``signac`` is the program."""
    script = f'set -o pipefail; signac() {{ {" ".join(PROGRAM)} "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", script], env=environment(**variables), capture_output=True, timeout=60)


# --- standard output -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", READING, ids=named)
def test_reading_command_when_the_device_is_full_then_one_line_and_status_1(study, arguments):
    with open("/dev/full", "wb") as full:
        result = execute(*arguments, stdout=full)
    assert result.status == 1
    message = "Cannot write to standard output: No space left on device."
    assert (
        json.loads(result.err)["error"]["message"] == message
        if result.err[0] == "{"
        else result.err == f"Error: {message}\n"
    )


@pytest.mark.parametrize("arguments", READING, ids=named)
def test_reading_command_when_nobody_reads_then_silent_and_status_0(study, arguments):
    read, write = os.pipe()
    os.close(read)
    try:
        result = execute(*arguments, stdout=write)
    finally:
        os.close(write)
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize("arguments", READING, ids=named)
def test_reading_command_when_stdout_is_closed_then_one_line_and_status_1(study, arguments):
    result = shell(f"signac {shlex.join(arguments)} >&-")
    assert result.returncode == 1
    assert b"it is closed." in result.stderr
    assert result.stderr.count(b"\n") == 1


LONG = [
    "find",
    "find -s",
    "find --path",
    "find --json",
    "find --jsonl --doc",
    "find --format '{id} {i}'",
    "find --table",
    "statepoint",
    "statepoint --json",
    "document",
    "diff",
    "diff --json",
    "neighbors $(signac find -L 400)",
    "schema -r 5000",
    "schema --json",
    "schema --table -r 5000",
    "-q view -n",
    "-q export out -n",
]
"""Commands whose output is longer than a pipe holds."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose every listing is longer than a pipe holds."""
    path = tmp_path_factory.mktemp("large")
    project = Project.init_project(str(path))
    for i in range(LARGE):
        project.open_job({"i": i, "text": f"{i:080}"}).init()
    project.update_cache()
    return path


@pytest.mark.parametrize("command", LONG)
def test_command_when_a_reader_stops_early_then_the_strict_script_goes_on(large, monkeypatch, command):
    monkeypatch.chdir(large)
    result = shell(f"set -euo pipefail; signac {command} | head -c 1 > first; signac -q {command} | true; echo done")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"done\n", b"")


def test_job_when_stdout_is_full_or_closed_then_created_all_the_same(project):
    with open("/dev/full", "wb") as full:
        assert execute("job", "-c", '{"a": 0}', stdout=full).status == 1
    assert shell("""signac job -c '{"a": 1}' >&-""").returncode == 1
    assert shell("""signac job -c '{"a": 2}' | true""").returncode == 0
    assert len(list(Path(project.workspace).iterdir())) == 3


def test_rm_when_nobody_reads_the_report_then_done_and_status_0(study, project):
    read, write = os.pipe()
    os.close(read)
    try:
        result = execute("-q", "rm", *study.values(), "--json", stdout=write)
    finally:
        os.close(write)
    assert (result.status, result.err) == (0, "")
    assert list(Path(project.workspace).iterdir()) == []


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_command_when_stderr_cannot_be_written_then_results_and_status_as_ever(study, redirection):
    result = shell(f"signac find T 1 {redirection}")
    assert (result.returncode, result.stdout.decode()) == (0, f"{study['1']}\n")
    assert shell(f"signac statepoint zz {redirection}").returncode == 1


def test_command_when_all_streams_are_closed_then_files_are_not_mistaken_for_them(project):
    shell("""signac job -c '{"a": 0}' <&- >&- 2>&-""")
    shell("""signac document -f '{}' --set b=1 <&- >&- 2>&-""")
    (job,) = Path(project.workspace).iterdir()
    assert (job / "signac_statepoint.json").read_text() == '{"a": 0}'
    assert (job / "signac_job_document.json").read_text() == '{"b": 1}'


# --- standard input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["job"], ["rm", "-"], ["find", "-j", "-"], ["statepoint", "-"], ["document", "-", "--set", "a=1"]]
)
def test_command_when_stdin_is_closed_then_one_line_and_nothing_changed(study, arguments):
    before = snapshot()
    result = shell(f"signac {' '.join(arguments)} <&-")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"standard input" in result.stderr
    assert result.stderr.count(b"\n") == 1
    assert snapshot() == before


@pytest.mark.parametrize("arguments", [["find"], ["statepoint"], ["document"], ["init"], ["job", "{}"]])
def test_command_when_it_needs_no_input_then_none_is_read(study, arguments):
    read, write = os.pipe()  # nothing is ever written
    try:
        assert execute(*arguments, stdin=b"").status == 0
        with start(*arguments, stdin=read, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            assert process.wait(timeout=60) == 0
    finally:
        os.close(read)
        os.close(write)


def test_pipeline_when_ids_flow_through_it_then_each_command_works_on_them(study, project):
    line = "signac -q find 'T>=1.5' | signac -q document - --set mark=1 && signac -q find doc.mark=1 | signac rm -"
    result = shell(line)
    assert (result.returncode, result.stdout) == (0, b"")
    assert sorted(path.name for path in Path(project.workspace).iterdir()) == sorted([study["1"], study["-5"]])


def test_pipeline_when_paths_end_in_nul_then_any_path_survives_it(tmp_path):
    root = tmp_path / "a b\n'c"
    project = Project.init_project(str(root))
    ids = sorted(project.open_job({"a": a}).init().id for a in range(3))
    line = f"cd {shlex.quote(str(root))}; signac find -0 --path | xargs -0 -n 1 basename"
    assert shell(line).stdout.decode().split() == ids
    line = f"cd {shlex.quote(str(root))}; signac find -0 --path | signac statepoint -"
    assert sorted(shell(line).stdout.decode().splitlines()) == ['{"a": 0}', '{"a": 1}', '{"a": 2}']
    line = f"cd {shlex.quote(str(root))}; signac find -0 | xargs -0 {' '.join(PROGRAM)} -q rm; ls workspace"
    assert shell(line).stdout == b""


def test_command_when_a_hundred_thousand_ids_come_then_each_is_taken(large, monkeypatch):
    monkeypatch.chdir(large)
    ids = sorted(os.listdir("workspace"))
    stdin = "\n".join(ids * (MANY // len(ids))).encode()
    assert execute("find", "-j", "-", stdin=stdin).lines == ids
    assert execute("-q", "find", "i<10", "-j", "-", "--count", stdin=b"\0".join(stdin.split())).out == "10\n"
    assert len(execute("statepoint", "-", stdin=stdin).lines) == MANY
    result = execute("-q", "rm", "-", "-n", stdin=stdin + b"\n" + b"f" * 32)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert "f" * 32 in result.err


def test_pipeline_when_nothing_is_found_then_nothing_is_done(study):
    before = snapshot()
    for line in (
        "signac find zz | signac rm -",
        "signac find zz | signac document - --set a=1",
        "signac find zz -0 | signac statepoint -",
    ):
        result = shell(line)
        assert (result.returncode, result.stdout) == (0, b"")
    assert shell("signac find zz | xargs signac_document_set || true; signac document --set a=1").returncode == 2
    assert snapshot() == before


# --- signals ---------------------------------------------------------------------------------------------------------


def test_command_when_interrupted_then_status_130_and_one_line(project):
    with start("job", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until_reading(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"Error: Interrupted.\n")


@pytest.mark.parametrize(
    ("arguments", "work", "hint"),
    [
        (["rm", "ID"], "signac_core.lifecycle.remove", " No job is left half done."),
        (["rm", "-n", "ID"], None, ""),
        (
            ["document", "ID", "--set", "a=1"],
            "signac_core.documents.editing.edit_document",
            " No job is left half done.",
        ),
        (
            ["export", "out"],
            "signac_core.exchange.exporting.ExportPlan.carry_out",
            " No job is left half done; the same command does the rest.",
        ),
        (["find", "T>0"], "signac_core.finding.find_ids", ""),
    ],
)
def test_command_when_interrupted_at_work_then_tells_what_is_true_of_the_jobs(
    cli, study, monkeypatch, arguments, work, hint
):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    arguments = [argument.replace("ID", study["1"]) for argument in arguments]
    if work is None:
        monkeypatch.setattr("signac_cli.report.Report.finish", interrupt)
    else:
        monkeypatch.setattr(work, interrupt)
    result = cli("-q", *arguments)
    assert (result.status, result.out, result.err) == (130, "", f"Error: Interrupted.{hint}\n")


def wait_until_reading(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has taken the first bytes of its input, and so waits for more."""
    assert process.stdin is not None
    process.stdin.write(b"{")
    process.stdin.flush()
    unread = array.array("i", [1])
    while unread[0] and process.poll() is None:
        fcntl.ioctl(process.stdin, termios.FIONREAD, unread)


# --- locales ---------------------------------------------------------------------------------------------------------


def test_job_when_locale_is_c_then_the_same_id(project):
    state_point = '{"name": "Ångström"}'
    expected = "bb34432e55ec2a0653a44dffa0db1249\n"
    assert execute("job", state_point).out == expected
    assert execute("job", state_point, env=C_LOCALE).out == expected
    assert execute("job", env=C_LOCALE, stdin=state_point.encode()).out == expected


def test_output_when_locale_is_c_then_escaped_and_paths_as_they_are(project):
    name = "ünter"
    assert execute("init", name, env=C_LOCALE).status == 0
    assert Path(name, ".signac", "config").exists()
    job_id = execute("-C", name, "job", "-c", '{"name": "Å"}', env=C_LOCALE).out.strip()
    assert execute("-C", name, "find", "--path", env=C_LOCALE).out == f"{project.path}/{name}/workspace/{job_id}\n"
    assert execute("-q", "find", "name=Å", "--sp", "-C", name, env=C_LOCALE).out == f"{job_id}\n{{'name': '\\xc5'}}\n"
    assert json.loads(execute("-C", name, "find", "--json", env=C_LOCALE).out) == [{"id": job_id, "sp": {"name": "Å"}}]


NAMES_FROM_DATA = [["-q", "view", "-n"], ["-q", "export", "out", "-n"]]
"""Commands that need a file system whose names can express the data."""


@pytest.mark.parametrize("arguments", [one for one in READING if one not in NAMES_FROM_DATA], ids=named)
def test_output_when_locale_is_c_then_no_command_fails_and_ids_are_the_same(study, project, arguments):
    job = project.open_job({"name": "Ångström", "l": ["☃"]}).init()
    job.doc["ключ"] = "值"
    result = execute(*arguments, env=C_LOCALE)
    assert result.status == 0
    assert result.out.isascii()
    ids = re.compile(r"[0-9a-f]{32}")
    assert ids.findall(result.out) == ids.findall(execute(*arguments).out)


@pytest.mark.parametrize("arguments", NAMES_FROM_DATA, ids=named)
def test_names_when_locale_is_c_then_those_of_python_or_an_error_that_says_why(project, arguments):
    project.open_job({"name": "Ångström"}).init()
    project.open_job({"name": "n"}).init()
    assert execute(*arguments, env={"LC_ALL": "C"}).out == execute(*arguments).out
    result = execute(*arguments, env=C_LOCALE)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert "is no file name" in result.err


def test_pipeline_when_locale_is_c_then_the_same_jobs(project):
    ids = {name: project.open_job({"name": name}).init().id for name in ("Ångström", "☃", "n")}
    for name, job_id in ids.items():
        for line in (f"signac -q find name={name}", f"signac -q find name {name}", f"signac -q find 'name~^{name}'"):
            assert shell(line, **C_LOCALE).stdout.decode() == f"{job_id}\n"
        assert shell(f'signac job \'{{"name": "{name}"}}\'', **C_LOCALE).stdout.decode() == f"{job_id}\n"


def test_paths_when_not_utf8_then_bytes_as_they_are(project):
    name = os.fsdecode(b"caf\xe9")
    assert execute("init", name).status == 0
    result = execute("-C", name, "job", "-cp", "{}")
    assert result.out == f"{project.path}/{name}/workspace/99914b932bd37a50b983c5e7c90ae93b\n"
    assert Path(result.out.strip()).is_dir()
    assert execute("find", "--path", "-C", name).out == result.out


# --- how it is started -----------------------------------------------------------------------------------------------


def test_program_when_started_from_its_script_then_modules_beside_it_do_not_count(tmp_path, study):
    script = tmp_path / "signac"
    script.write_text("import sys\nfrom signac_cli import main\nsys.exit(main())\n")
    for module in ("click", "json", "orjson", "signac_core"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('imported from beside the script')\n")
    command = [PROGRAM[0], str(script), "find", "--count"]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "4\n", "")


def test_shell_when_its_code_leaves_files_open_and_registers_what_runs_at_the_end_then_both_are_honoured(study):
    code = (
        "import atexit; atexit.register(print, 'the end'); left = open('left', 'w'); left.write('whole'); print('out')"
    )
    result = execute("shell", "-c", code)
    assert (result.status, result.out, result.err) == (0, "out\nthe end\n", "")
    assert Path("left").read_text() == "whole"


AT_THE_END = """
import atexit, sys, signac_cli
{before}
sys.argv = ["signac", "find", "--count"]
signac_cli.start()
"""


@pytest.mark.parametrize(
    ("before", "out"),
    [
        ("atexit.register(print, 'the end')", "4\nthe end\n"),
        (
            "from threading import *\nThread(target=lambda: (main_thread().join(), print('last'))).start()",
            "4\nlast\n",
        ),
    ],
)
def test_program_when_something_is_to_happen_at_its_end_then_it_happens(study, before, out):
    program = [sys.executable, "-c", AT_THE_END.format(before=before)]
    result = subprocess.run(program, env=environment(), capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, out, "")


def test_program_when_it_ends_then_nothing_is_taken_apart(study):
    left = "class Left:\n    def __del__(self, print=print): print('taken apart')\nleft = Left()"
    program = [sys.executable, "-c", AT_THE_END.format(before=left)]
    result = subprocess.run(program, env=environment(), capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "4\n", "")
