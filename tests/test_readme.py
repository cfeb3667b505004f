"""The examples of the README, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from signac_cli.app import COMMANDS
from signac_core import get_project, init_project

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A shell in which `signac` is the command of this checkout."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "signac"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m signac_cli "$@"\n')
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def test_the_shell_session_prints_what_the_readme_says(environment: dict[str, str]) -> None:
    session = "".join(blocks("console"))
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, flags=re.MULTILINE)
    assert len(steps) > 15
    marker = "--next step--"
    script = "set -e\n" + "".join(f"{command}\necho '{marker}'\n" for command, _ in steps)
    result = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    printed = result.stdout.split(marker + "\n")[:-1]
    assert list(zip([command for command, _ in steps], printed, strict=True)) == steps


def test_the_python_example_runs_twice_without_warnings(environment: dict[str, str]) -> None:
    (code,) = blocks("python")
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, timeout=120
        )
        assert (result.returncode, result.stderr) == (0, "")
        assert sorted(result.stdout.splitlines()) == ["1.0 -2.35", "2.0 -0.75", "2.5 -0.6"]


def test_the_python_example_when_there_is_a_job_of_before_then_changes_it(environment: dict[str, str]) -> None:
    (code,) = blocks("python")
    project = init_project("study")
    project.open_job({"T": 9.0, "p": 2.0}).init().doc.energy = 0.0
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, check=True, timeout=120)
    assert [job.sp.seed for job in init_project("study").find_jobs({"T": 9.0})] == [1]


def tasks_of(script: str) -> range:
    """The indices of the tasks of the array that a script asks for."""
    (first, last), *others = re.findall(r"^#SBATCH --array=(\d+)-(\d+)$", script, flags=re.MULTILINE)
    assert not others
    return range(int(first), int(last) + 1)


def scheduled(environment: dict[str, str], task: int, tasks: range) -> dict[str, str]:
    """The environment of a task of an array, as the scheduler sets it."""
    return environment | {
        "SLURM_ARRAY_JOB_ID": "1000",
        "SLURM_ARRAY_TASK_ID": str(task),
        "SLURM_ARRAY_TASK_COUNT": str(len(tasks)),
        "SLURM_ARRAY_TASK_MIN": str(tasks[0]),
        "SLURM_ARRAY_TASK_MAX": str(tasks[-1]),
        "HOSTNAME": "node",
    }


def test_the_batch_script_runs_under_the_variables_of_the_scheduler(environment: dict[str, str]) -> None:
    script = next(block for block in blocks("bash") if "SLURM_ARRAY_TASK_ID" in block)
    setup = 'signac -q init\nfor i in $(seq 20); do echo "{\\"i\\": $i}"; done | signac job -c >jobs\n'
    subprocess.run(["bash", "-c", setup], env=environment, check=True, timeout=120)
    Path("simulate").write_text('#!/bin/sh\ntest -d "$1"\ncat\necho -1.5\n')  # it reads its input, as srun does
    os.chmod("simulate", 0o755)
    tasks = tasks_of(script)
    for task in tasks:
        subprocess.run(["bash", "-c", script], env=scheduled(environment, task, tasks), check=True, timeout=120)
    query = ["bash", "-c", "signac -q find doc.energy=-1.5 doc.host=node doc.status=done | cmp - <(sort jobs)"]
    assert subprocess.run(query, env=environment, timeout=120).returncode == 0


def test_the_batch_script_when_simulations_fail_then_the_others_are_done_and_those_are_marked(
    environment: dict[str, str],
) -> None:
    script = next(block for block in blocks("bash") if "SLURM_ARRAY_TASK_ID" in block)
    setup = 'signac -q init\nfor i in $(seq 0 59); do echo "{\\"i\\": $i}"; done | signac -q job -c >jobs\n'
    subprocess.run(["bash", "-c", setup], env=environment, check=True, timeout=120)
    # Every 15th fails (7 %), with half a result; one more succeeds without any.
    Path("simulate").write_text(
        "#!/bin/sh\necho run >>runs\n"
        """case $(grep -o '[0-9]*}' "$1/signac_statepoint.json") in\n"""
        "    0} | 15} | 30} | 45}) if [ -e mended ]; then echo -2; else echo -; exit 1; fi ;;\n"
        "    7}) [ ! -e mended ] || echo -2 ;;\n"
        "    *) echo -1.5 ;;\nesac\n"
    )
    os.chmod("simulate", 0o755)
    tasks = tasks_of(script)

    def submit() -> int:
        """Run all tasks; return the number of simulations that this has started."""
        Path("runs").write_text("")
        for task in tasks:
            subprocess.run(["bash", "-c", script], env=scheduled(environment, task, tasks), check=True, timeout=300)
        return len(Path("runs").read_text().splitlines())

    def states() -> dict[int, str]:
        return {job.sp.i: job.doc.status for job in get_project()}

    assert submit() == 60
    failed = {i for i, status in states().items() if status == "failed"}
    assert {0, 15, 30, 45} <= failed <= {0, 7, 15, 30, 45}
    assert submit() == 0  # they are not tried again
    Path("mended").touch()
    (again,) = re.findall(r"^    (signac find doc.status=failed \|.*)$", README, flags=re.MULTILINE)
    subprocess.run(["bash", "-c", again], env=environment, check=True, timeout=120)
    assert submit() == len(failed)
    assert set(states().values()) == {"done"}


def test_the_example_study_when_a_job_fails_then_it_is_marked_and_the_others_are_done(
    environment: dict[str, str],
) -> None:
    example = ROOT / "examples" / "ising"
    project = init_project()
    sound, broken = ({"model": {"J": 1.0}, "T": T, "L": 4, "seed": 1} for T in (2.5, 0.0))
    ids = [project.open_job(state_point).init().id for state_point in (broken, sound)]
    command = [sys.executable, str(example / "simulate.py"), *ids]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert (result.returncode, "ZeroDivisionError" in result.stderr) == (1, True)
    first, second = (project.open_job(id=job_id).doc for job_id in ids)
    assert (first.status, first.error) == ("failed", "ZeroDivisionError: float division by zero")
    assert "magnetization" in second
    script = (example / "array.sbatch").read_text(encoding="utf-8")
    tasks = tasks_of(script)
    for task in tasks:  # nothing is left to do
        variables = scheduled(environment, task, tasks) | {"ISING_DIR": "/nowhere", "PYTHON": "false"}
        subprocess.run(["bash", str(example / "array.sbatch")], env=variables, check=True, timeout=120)


def test_the_batch_script_of_the_example_study_runs_under_the_variables_of_the_scheduler(
    environment: dict[str, str],
) -> None:
    example = ROOT / "examples" / "ising"
    script = example / "array.sbatch"
    setup = f'signac -q init\n"{sys.executable}" "{example}/parameters.py" | head -n 3 | signac job -c\n'
    made = subprocess.run(["bash", "-c", setup], env=environment, check=True, timeout=120, capture_output=True)
    ids = made.stdout.decode().split()
    tasks = tasks_of(script.read_text(encoding="utf-8"))
    variables = environment | {"ISING_DIR": str(example), "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}

    def run_tasks() -> list[bytes]:
        for task in sorted({int(job_id, 16) % len(tasks) for job_id in ids}):
            subprocess.run(["bash", str(script)], env=scheduled(variables, task, tasks), check=True, timeout=300)
        return [Path("workspace", job_id, "signac_job_document.json").read_bytes() for job_id in ids]

    first = run_tasks()
    assert all(b"magnetization" in document for document in first)
    assert run_tasks() == first  # there was nothing left to do


def test_the_table_of_commands_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", README, flags=re.MULTILINE)
    assert rows == [(name, summary) for name, (_, summary) in COMMANDS.items()]


def test_the_readme_is_short_enough_for_the_first_hour() -> None:
    assert len(README.splitlines()) <= 250
    assert max(len(line) for line in README.splitlines() if not line.startswith("|")) <= 120


def test_the_batch_scripts_pass_shellcheck(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        if os.environ.get("CI"):
            pytest.fail("shellcheck is not installed")
        pytest.skip("shellcheck is not installed")
    scripts = [*(ROOT / "examples").rglob("*.sh"), *(ROOT / "examples").rglob("*.sbatch")]
    assert scripts
    for number, block in enumerate(blocks("bash")):
        scripts.append(tmp_path / f"{number}.sh")
        scripts[-1].write_text(block)
    subprocess.run(["shellcheck", *map(str, scripts)], check=True)
