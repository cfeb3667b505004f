"""Small crowds; and that the verdict sees what is broken.  The large crowds are in `torture.py`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from signac_core import Project, layout
from tests.faults import crowd_worker
from tests.faults.crowd import Crowd, Verdict, _judge, run


@pytest.mark.parametrize("options", [{}, {"kills": 1}, {"locks": "refused"}, {"locks": "ignored"}], ids=str)
def test_crowd_when_over_then_no_promise_is_broken(options: dict[str, object], shim: Path, tmp_path: Path) -> None:
    crowd = Crowd(processes=8, steps=40, seed=1, **options)  # type: ignore[arg-type]
    verdict = run(crowd, tmp_path, shim)
    assert verdict.broken(locks=crowd.locks) == ""
    assert verdict.steps == 320


# the verdict ----------------------------------------------------------------------------------------------------------

Break = Callable[[Project, Path], object]


def first_resident(project: Project) -> str:
    return project.open_job(crowd_worker.resident(0)).path


def write_log(root: Path, *entries: list[object]) -> None:
    log = root.parent / "logs" / "0.log"
    log.write_text("".join(json.dumps(entry) + "\n" for entry in [*entries, ["end"]]))


def lose_a_key(project: Project, root: Path) -> None:
    write_log(root, ["try", 0, ".w0", 3], ["done", 0, ".w0", 3])


def write_an_old_value(project: Project, root: Path) -> None:
    project.open_job(crowd_worker.resident(0)).doc.w0 = 2
    write_log(root, ["done", 0, ".w0", 2], ["try", 0, ".w0", 3], ["done", 0, ".w0", 3])


def copy_a_mover(project: Project, root: Path) -> None:
    job = project.open_job(crowd_worker.mover(0))
    shutil.copytree(job.path, root / "B" / "workspace" / job.id)


def damage_a_document(project: Project, root: Path) -> None:
    Path(first_resident(project), layout.FN_DOCUMENT).write_text("{")


def damage_a_job(project: Project, root: Path) -> None:
    Path(first_resident(project), layout.FN_STATE_POINT).unlink()


def leave_something(project: Project, root: Path) -> None:
    Path(first_resident(project), "._x").touch()


BROKEN: dict[str, tuple[Break, str]] = {
    "lost key": (lose_a_key, "lost key"),
    "old value": (write_an_old_value, "lost key"),
    "lost job": (lambda project, root: shutil.rmtree(first_resident(project)), "lost job"),
    "doubled job": (copy_a_mover, "doubled job"),
    "lost data": (lambda project, root: Path(first_resident(project), "data.txt").unlink(), "lost data"),
    "damaged document": (damage_a_document, "damaged document"),
    "damaged job": (damage_a_job, "damaged job"),
    "litter": (leave_something, "litter"),
    "lost own": (lambda project, root: write_log(root, ["done own", "own 0 1", True]), "lost job"),
    "failed query": (
        lambda project, root: write_log(root, ["error", "query for all", ["KeyError", "Exception"], "x"]),
        "failed query",
    ),
    "failed operation": (
        lambda project, root: write_log(root, ["error", "export", ["FileNotFoundError"], "x"]),
        "failed operation",
    ),
    "wrong answer": (lambda project, root: write_log(root, ["wrong", "wrong answer: 1"]), "wrong answer"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (tmp_path / "logs").mkdir()
    root.mkdir()
    crowd_worker.prepare(str(root))
    write_log(root)
    return root


def verdict_on(root: Path) -> Verdict:
    verdict = Verdict()
    _judge(Crowd(processes=1), root, root.parent / "logs", verdict)
    return verdict


def test_verdict_when_nothing_has_happened_then_nothing_is_broken(root: Path) -> None:
    assert verdict_on(root).violations == {}


@pytest.mark.parametrize("name", BROKEN)
def test_verdict_when_a_promise_is_broken_then_names_it(root: Path, name: str) -> None:
    break_it, expected = BROKEN[name]
    break_it(Project(root / "A"), root)
    assert expected in verdict_on(root).violations


def test_verdict_when_a_worker_was_told_or_killed_then_either_value_will_do(root: Path) -> None:
    write_log(
        root,
        ["try", 0, ".w0", 1],
        ["error", "write to a mover", ["FileNotFoundError", "OSError"], "gone"],
        ["try", 1, "n.w0", 2],
    )
    assert verdict_on(root).violations == {}
    Project(root / "A").open_job(crowd_worker.resident(1)).doc.n.w0 = 2
    verdict = verdict_on(root)
    assert verdict.violations == {}
    assert verdict.told == {"write to a mover": 1}


def test_verdict_when_a_worker_has_died_then_says_so(root: Path) -> None:
    log = root.parent / "logs" / "0.log"
    log.write_text(json.dumps(["step", 1, "move"]) + "\n")
    log.with_suffix(".stderr").write_text("Traceback")
    assert verdict_on(root).violations == {"died": ["worker 0: Traceback"]}


def test_worker_when_it_finds_its_log_then_goes_on_where_that_ends(root: Path) -> None:
    log = root.parent / "logs" / "0.log"
    log.write_text(json.dumps(["step", 7, "move"]) + "\n" + json.dumps(["done", 0, ".w0", 5]) + "\n")
    worker = crowd_worker.Worker(str(root), str(log), 0, 1)
    assert worker.acceptable == {(0, ".w0"): [5]}
    worker.run(9)
    steps = [entry[1] for entry in crowd_worker.read_log(str(log)) if entry[0] == "step"]
    assert steps == [7, 8, 9]
