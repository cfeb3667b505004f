"""The examples of the README, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_python_example_runs(environment: dict[str, str]) -> None:
    (code,) = blocks("python")
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[:2] == ["2.0 -0.75", "2.5 -0.6"] or result.stdout.splitlines()[:2] == [
        "2.5 -0.6",
        "2.0 -0.75",
    ]


def test_the_batch_script_runs_under_the_variables_of_the_scheduler(environment: dict[str, str]) -> None:
    script = next(block for block in blocks("bash") if "SLURM_ARRAY_TASK_ID" in block)
    setup = 'signac -q init\nfor i in 1 2 3 4 5 6; do echo "{\\"i\\": $i}"; done | signac job -c >jobs\n'
    subprocess.run(["bash", "-c", setup], env=environment, check=True, timeout=120)
    Path("simulate").write_text('#!/bin/sh\ntest -d "$1"\necho -1.5\n')
    os.chmod("simulate", 0o755)
    for task in range(3):
        variables = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "3", "HOSTNAME": "node"}
        subprocess.run(["bash", "-c", script], env=environment | variables, check=True, timeout=120)
    query = ["bash", "-c", "signac -q find doc.energy=-1.5 doc.host=node | cmp - <(sort jobs)"]
    assert subprocess.run(query, env=environment, timeout=120).returncode == 0


def test_the_batch_scripts_pass_shellcheck(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        if os.environ.get("CI"):
            pytest.fail("shellcheck is not installed")
        pytest.skip("shellcheck is not installed")
    for number, block in enumerate(blocks("bash")):
        script = tmp_path / f"{number}.sh"
        script.write_text(block)
        subprocess.run(["shellcheck", str(script)], check=True)
