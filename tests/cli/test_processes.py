"""The program as a process: pipes, full and closed streams, signals, locales."""

from __future__ import annotations

import array
import fcntl
import json
import os
import shlex
import signal
import subprocess
import termios
from pathlib import Path

import pytest
from running import PROGRAM, environment, execute, snapshot, start

C_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

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
    ["job", "{}"],
    ["--help"],
    ["find", "--help"],
    ["--version"],
    ["-v", "--version"],
]


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


def test_commands_when_a_reader_stops_early_then_the_pipeline_succeeds(project):
    for i in range(3000):
        Path(project.workspace, f"{i:032x}").mkdir()
    for line in ("signac find | head -n 1", "signac find --path | head -n 1", "signac find | true"):
        result = shell(line)
        assert (result.returncode, result.stderr) == (0, b"")


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
        (["rm", "ID"], "signac_core.workspace.remove", " No job is left half done."),
        (["rm", "-n", "ID"], None, ""),
        (["document", "ID", "--set", "a=1"], "signac_core.document.edit_document", " No job is left half done."),
        (
            ["export", "out"],
            "signac_core.exporting.ExportPlan.carry_out",
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
        monkeypatch.setattr("signac_cli.commands.Report.finish", interrupt)
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


def test_output_when_stdout_is_ascii_then_no_command_fails(project):
    project.open_job({"name": "Ångström", "l": ["☃"]}).init()
    for arguments in READING:
        result = execute(*arguments, env={"PYTHONIOENCODING": "ascii"})
        assert result.status == 0
        assert result.out.isascii()


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
