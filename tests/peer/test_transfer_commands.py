"""``view``, ``export`` and ``import`` under both programs: the same output, status and files, but for what is listed.

Each case is a few commands in a project of its own, and a look at everything that is there afterwards.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from signac_core import Project
from tests.peer.sides import Side

pytestmark = pytest.mark.slow

DRIVER = "commands_driver.py"

SP = "signac_statepoint.json"


# --- projects --------------------------------------------------------------------------------------------------------


def grid() -> None:
    """Jobs that differ in some keys, with files, documents, directories and a link."""
    project = Project.init_project()
    for a, b, n in product([0, 1], ["x", "y z"], [{"c": 1.5}, {"c": [1, 2], "d": None}]):
        job = project.open_job({"a": a, "b": b, "n": n, "const": True}).init()
        Path(job.fn("out.txt")).write_text(f"{a} {b}")
        if a:
            job.doc.update({"a": a, "é": ["☃"]})
            Path(job.fn("deep/er")).mkdir(parents=True)
            Path(job.fn("deep/er/data.bin")).write_bytes(bytes(range(256)))
            Path(job.fn("link")).symlink_to("deep/er/data.bin")


def one() -> None:
    """One job."""
    job = Project.init_project().open_job({"a": 1}).init()
    Path(job.fn("out.txt")).write_text("one")


def mixed() -> None:
    """Jobs with different keys, and equal values of different types."""
    project = Project.init_project()
    for state_point in ({"a": 1, "k": 0}, {"a": "2", "k": 1}, {"b": True, "k": 2}, {"a": None, "b": [1], "k": 3}):
        project.open_job(state_point).init()


def empty() -> None:
    """No jobs."""
    Project.init_project()


def space() -> None:
    """A project with one job, and beside it a data space, a copy of it with state points, and archives of both."""
    one()
    for a, b in product(range(3), ("x", "y")):
        for root in ("plain", "full"):
            directory = Path(f"../data/{root}/a_{a}/b_{b}")
            (directory / "sub").mkdir(parents=True)
            (directory / "out.txt").write_text(f"{a} {b}")
            (directory / "sub" / "more.txt").write_text(f"{a} {b}")
            if root == "full":
                (directory / SP).write_text(f'{{"a": {a + 1}, "b": "{b}"}}')
    for root in ("plain", "full"):
        with zipfile.ZipFile(f"../data/{root}.zip", "w") as archive:
            for path in filter(Path.is_file, sorted(Path("../data", root).rglob("*"))):
                archive.write(path, path.relative_to(f"../data/{root}"))
        for kind in ("", "gz", "bz2", "xz"):
            mode: Any = f"w:{kind}"
            with tarfile.open(f"../data/{root}.tar{'.' if kind else ''}{kind}", mode) as tar:
                tar.add(f"../data/{root}", "")


def clash() -> None:
    """The same, and one of the jobs exists with other files."""
    space()
    Path(Project().open_job({"a": 1, "b": "x"}).init().fn("mine")).write_text("mine")


def contents(root: Path) -> dict[str, Any]:
    """Everything below a directory: files, links, empty directories, and what archives hold.

    A link in a job counts as what it leads to, which is what signac 2.x makes of it; see `BETTER`.
    """
    found: dict[str, Any] = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if "/.signac/" in f"/{name}" and path.name != "config":
            continue
        if path.is_symlink() and path.name != "link":
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            found[name] = None
        else:
            found[name] = members(path)
    return found


def members(path: Path) -> Any:
    """The files of an archive; what a file holds that is none."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            return {os.path.normpath(name): archive.read(name) for name in names}
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as tar:
            files = [(os.path.normpath(member.name), tar.extractfile(member)) for member in tar if member.isfile()]
            return {name.lstrip("/"): None if file is None else file.read() for name, file in files}
    return path.read_bytes()


class Outcome(NamedTuple):
    """What became of a case."""

    statuses: list[int]
    outputs: list[str]
    contents: dict[str, Any]


Prepare = Callable[[], None]


def prepare_in(directory: Path, prepare: Prepare) -> None:
    directory.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        prepare()


def play(side: Side, root: Path, prepare: Prepare, commands: list[str]) -> Outcome:
    """Make a project in a directory of its own, and run commands in it."""
    directory = root / side.scratch.name.rstrip("0123456789") / "project"
    prepare_in(directory, prepare)
    answers = side.ask("run", directory=str(directory), commands=[shlex.split(command) for command in commands])
    return Outcome(
        [answer["status"] for answer in answers], [answer["out"] for answer in answers], contents(directory.parent)
    )


# --- the same --------------------------------------------------------------------------------------------------------

PATHS = ["", "x/{a}/{b}/{job.id}", "{job.sp.a}_{{auto}}", "{{auto:_}}", "id/{job.id}", "{b}/{{auto}}/deep"]

SAME: list[tuple[Prepare, list[str]]] = [
    # view
    *[(grid, [f"view '{path}'" if path else "view"]) for path in PATHS],
    *[(project, ["view", "view", "view -p other", "view -p ../other", "view -p"]) for project in (one, mixed, empty)],
    (grid, ["view", "export --move ../gone -f a 0 b x", "view", "view -f a 1", "view -f b x a 0", "view"]),
    (grid, ["view -f a 1 -p p1", "view --filt a 1 --pref p2", "view -p p3 -f '{\"a\": 1}' -- 'a_{{auto}}'"]),
    (grid, ["view '{a}/{{auto}}'", "view 'z/{{auto}}'", "view '{a}/{{auto}}'"]),
    (mixed, ["view '{k}'", "view '{k}/x'", "view 'x/{k}'", "view 'k_{k}'"]),
    (mixed, ["view 'k_{k}' -j 0 1 2 3 4 5 6 7 8 9 a b c d e f"]),
    (grid, ["view x", "view '{zz}'", "view '{zz'", "view -j zzz", "view -f a 1 -j 4", "view a b c", "view --zz"]),
    (grid, ["view ''"]),
    # export
    *[(grid, [f"export ../out '{path}'" if path else "export ../out"]) for path in PATHS],
    *[
        (grid, [f"export ../out.{suffix}"])
        for suffix in ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "gz", "bz2", "xz")
    ],
    *[(one, [f"export ../out{suffix}"]) for suffix in ("", ".zip", ".tar", ".tar.gz")],
    *[(empty, [f"export ../out{suffix}"]) for suffix in ("", ".zip", ".tar", ".tar.gz")],
    (mixed, ["export ../out", "export ../k 'k_{k}'", "export ../id '{job.id}'", "export k '{k}'"]),
    (
        grid,
        ["export ../out -f a 1", "export ../none -f a 17", "export ../none.zip -f a 17", "export ../one -f a 1 b x"],
    ),
    (grid, ["export --move ../out -f a 1", "find", "export ../rest 'a_{a}/{{auto}}' --mov", "find"]),
    (grid, ["export --move ../out.zip", "export --move ../out.tar.gz", "find"]),
    (grid, ["export ../out '{a}'", "export ../out '{zz}'", "export ../out '{a'", "export ../out.my", "export"]),
    (grid, ["export ../out -j zzz", "export ../out -j 4 -f a 1", "export a b c", "export ../out --zz"]),
    # import
    *[
        (space, [f"import ../data/{root}{suffix} {path}".strip()])
        for root, path in (("full", ""), ("plain", "a_{a:int}/b_{b}"), ("plain", "a_{n.a:float}/b_{n.b:str}"))
        for suffix in ("", ".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
        if not (path and suffix == ".zip")
    ],
    (space, ["import ../data/plain", "import", "import .", "import workspace"]),
    (space, ["import ../data/plain 'a_{d:int}/b_{e}'", "import ../data/plain 'a_{c:bool}/b_{b}'"]),
    (space, ["import --move ../data/full", "find"]),
    (space, ["import --mov ../data/plain 'a_{a:int}/b_{b}'", "find"]),
    (space, ["rm 42b7", "import ../data/full --sync", "import ../data/full --sync", "import ../data/full.zip --sync"]),
    (space, ["import ../data/full --sync-i", "find"]),
    (space, ["import ../data/nothing", "import ../data/full/a_0/b_x/out.txt", "import a b c"]),
    (space, ["import ../data/full 'a_{a:int}/b_{b}'", "import ../data/plain '{a:foo}'", "find"]),
    (space, ["import ../data/full.zip --move", "import ../data/full --move --sync", "import --zz", "import --s"]),
    # there and back
    (grid, ["export ../out", "export --move ../gone", "import ../out", "find", "view"]),
    (mixed, ["export ../out.tar.gz", "export --move ../gone", "import ../out.tar.gz", "find"]),
]


@pytest.mark.parametrize(("prepare", "commands"), SAME, ids=lambda case: case.__name__ if callable(case) else case[0])
def test_transfer_when_old_commands_then_the_same_output_status_and_files(peer, ours, tmp_path, prepare, commands):
    theirs, mine = (play(side, tmp_path, prepare, commands) for side in (peer, ours))
    assert mine.statuses == theirs.statuses
    # They list jobs in the order of the directory.
    assert [sorted(text.split("\n")) for text in mine.outputs] == [sorted(text.split("\n")) for text in theirs.outputs]
    assert mine.contents == theirs.contents


@pytest.mark.parametrize("origin", ["full", "full.zip"])
def test_import_when_interactive_then_the_same_standard_output_and_files(peer_python, tmp_path, origin):
    code = (
        "print(len(tmp_project), pr is project, tmp_project == project, signac.__version__)\n"
        "len(project)\n"
        "project.sync(tmp_project, strategy=signac.sync.FileSync.always, check_schema=False)\n"
    )
    results = []
    for python in (peer_python, sys.executable):
        directory = tmp_path / Path(python).parts[-3] / "project"
        prepare_in(directory, space)
        run = subprocess.run(
            [python, "-I", "-m", "signac", "import", f"../data/{origin}", "--sync-interactive"],
            cwd=directory,
            input=code,
            capture_output=True,
            text=True,
        )
        results.append((run.returncode, run.stdout, contents(directory)))
    assert results[0][:2] == (0, ">>> 6 True False 2.4.1\n>>> 1\n>>> >>> ")
    assert results[1] == results[0]


# --- meant to be better ----------------------------------------------------------------------------------------------


def user_file() -> None:
    """A view with a file of the user's, called job."""
    grid()
    Path("view/mine").mkdir(parents=True)
    Path("view/mine/job").write_text("mine")


def taken() -> None:
    """Two jobs, and something in the place of one of them."""
    project = Project.init_project()
    for a in range(2):
        project.open_job({"a": a}).init()
    Path("../out/a/1").mkdir(parents=True)
    Path("../out/a/1/mine").write_text("mine")


def zipped() -> None:
    """A zip file with entries for directories."""
    empty()
    Path("../data/full/a").mkdir(parents=True)
    Path("../data/full/a", SP).write_text('{"a": 1}')
    with zipfile.ZipFile("../data/full.zip", "w") as archive:
        for path in sorted(Path("../data/full").rglob("*")):
            archive.write(path, path.relative_to("../data/full"))


def odd_names() -> None:
    """Directories that are named by numbers as programs print them, and by texts."""
    empty()
    for name in ("T_1.5/lj", "T_1e-06/lj", "T_inf/lj", "T_5./Fe-Ni O"):
        Path("../data", name).mkdir(parents=True)


def linked() -> None:
    """A job with a link to a file of its own."""
    one()
    os.symlink("out.txt", Path(Project().open_job({"a": 1}).fn("own")))


def dangling() -> None:
    """A job with a link to a file that is missing."""
    one()
    os.symlink("/nowhere", Path(Project().open_job({"a": 1}).fn("own")))


Contents = dict[str, Any]


def link_in(path: str) -> Callable[[Contents], bool]:
    return lambda found: str(found[f"{path}/own"]).startswith("-> ")


def links(found: Contents) -> int:
    return sum(isinstance(content, str) and "workspace" in content for content in found.values())


def state_points(found: Contents) -> int:
    return sum(name.startswith("project/workspace/") and name.endswith(SP) for name in found)


def jobs(found: Contents) -> int:
    return sum(name.startswith("project/workspace/") and name.count("/") == 2 for name in found)


def below(path: str) -> Callable[[Contents], list[str]]:
    return lambda found: sorted(name for name in found if name.startswith(f"{path}/"))


class Case(NamedTuple):
    """Commands, and how both programs answer: the statuses, and what ``look`` sees in the files."""

    reason: str
    prepare: Prepare
    commands: list[str]
    look: Callable[[Contents], Any]
    theirs: tuple[list[int], Any]
    mine: tuple[list[int], Any]


DEEP = [f"out/a/1/{name}" for name in ("42b7b4f2921788ea14dac5566e6f06d0", f"42b7b4f2921788ea14dac5566e6f06d0/{SP}")]

FIRST = ["out/out.txt", f"out/{SP}"]

BETTER = [
    Case("R4: a view of no job shows no job", one, ["view -f a 17"], links, ([0], 1), ([0], 0)),
    Case(
        "R5: files of the user's are no links of a view",
        user_file,
        ["view"],
        below("project/view/mine"),
        ([0], []),
        ([0], ["project/view/mine/job"]),
    ),
    Case(
        "R10: an import that fails is a failure",
        clash,
        ["import ../data/full"],
        state_points,
        ([0], 7),
        ([1], 2),
    ),
    Case(
        "R10: a synchronization that fails is a failure",
        space,
        ["import ../data/full --sync"],
        state_points,
        ([0], 1),
        ([1], 1),
    ),
    Case(
        "R11: an archive is not lost when an export fails",
        grid,
        ["export ../out.zip", "export ../out.zip '{a}'"],
        lambda found: found["out.zip"] != {},
        ([0, 1], False),
        ([0, 1], True),
    ),
    Case(
        "R11: nothing is appended to an archive",
        one,
        ["export ../out.tar", "export ../out.tar 'x/{a}'"],
        lambda found: sorted(found["out.tar"]),
        ([0, 0], ["out.txt", SP, "x/1/out.txt", f"x/1/{SP}"]),
        ([0, 1], ["out.txt", SP]),
    ),
    Case(
        "R11: jobs are not moved into what is there",
        taken,
        ["export --move ../out"],
        below("out/a/1"),
        ([0], sorted([*DEEP, "out/a/1/mine"])),
        ([1], ["out/a/1/mine"]),
    ),
    Case(
        "jobs are not moved into jobs",
        clash,
        ["import --move ../data/full"],
        below("data/full/a_0/b_x"),
        ([0], []),
        ([1], [f"data/full/a_0/b_x/{name}" for name in ("out.txt", SP, "sub", "sub/more.txt")]),
    ),
    Case(
        "an export can be repeated",
        one,
        ["export ../out", "export ../out"],
        below("out"),
        ([0, 1], ["out/out.txt", f"out/{SP}"]),
        ([0, 0], ["out/out.txt", f"out/{SP}"]),
    ),
    Case(
        "more extensions",
        one,
        ["export ../out.tgz"],
        lambda found: found.get("out.tgz") is None,
        ([1], True),
        ([0], False),
    ),
    Case(
        "jobs of a zip file get their state points",
        space,
        ["import ../data/plain.zip 'k_{a:int}'", "import ../data/plain.zip 'a_{k:int}/b_{b}'"],
        state_points,
        ([0, 0], 1),
        ([1, 0], 7),
    ),
    Case("a template that matches nothing", space, ["import ../data/plain 'k_{k}'"], jobs, ([0], 1), ([1], 1)),
    Case(
        "all numbers are read, and texts with any character",
        odd_names,
        ["import ../data 'T_{T:float}/{name}'"],
        jobs,
        ([0], 1),
        ([0], 4),
    ),
    Case("a link in a job stays a link", linked, ["export ../out"], link_in("out"), ([0], False), ([0], True)),
    Case(
        "a link that leads nowhere is left out", dangling, ["export ../out"], below("out"), ([1], FIRST), ([0], FIRST)
    ),
    Case("zip files may have directories", zipped, ["import ../data/full.zip"], state_points, ([1], 0), ([0], 1)),
    Case(
        "paths match templates as a whole",
        space,
        ["import ../data/plain 'a_{k:int}/b_x'"],
        lambda found: any(name.startswith("project/workspace/") and name.endswith("/b_y") for name in found),
        ([0], True),
        ([0], False),
    ),
]


@pytest.mark.parametrize("case", BETTER, ids=lambda case: case.reason)
def test_difference_when_listed_as_meant_then_it_is_still_there(peer, ours, tmp_path, case):
    theirs, mine = (play(side, tmp_path, case.prepare, case.commands) for side in (peer, ours))
    assert (theirs.statuses, case.look(theirs.contents)) == case.theirs
    assert (mine.statuses, case.look(mine.contents)) == case.mine
