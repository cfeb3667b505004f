"""``sync``, ``move`` and ``clone`` under both programs: the same output, status and projects, but for what is listed.

Each case is a few commands in one of two projects, made anew for it, and a look at both afterwards.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from signac_core import Project
from signac_core.canonical import calc_id
from tests.peer.sides import Side

pytestmark = pytest.mark.slow

DRIVER = "commands_driver.py"

SP, DOC, PROJECT_DOC = "signac_statepoint.json", "signac_job_document.json", "signac_project_document.json"
OLD, NEW = 1_000_000_000, 2_000_000_000

IDS = {name: calc_id({"a": a}) for a, name in enumerate("ABCD")}


# --- projects --------------------------------------------------------------------------------------------------------


def job(root: Path, a: int, files: dict[str, str], document: dict[str, Any] | None = None, *, time: int = OLD) -> Path:
    """Make a job in the project of a directory."""
    made = Project.init_project(str(root)).open_job({"a": a}).init()
    for name, text in files.items():
        path = Path(made.fn(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time, time))
    if document is not None:
        made.doc.update(document)
    return Path(made.path)


def plain(root: Path) -> None:
    """The source has two jobs more, and files and keys that the destination lacks; nothing differs."""
    same = {"same.txt": "same", "deep/same.txt": "same"}
    for a in range(4):
        one = job(
            root / "src", a, same | {"new.txt": f"new {a}", "sub/er/data": "x" * 100 * a}, {"a": a, "n": {"x": 1}}
        )
        (one / "new.txt").chmod(0o640)
        (one / "link").symlink_to("sub/er/data")
    job(root / "dst", 0, same | {"mine.txt": "mine"}, {"n": {"y": 2}})
    job(root / "dst", 1, same)
    Project(str(root / "src")).doc.update({"project": {"l": [1, {"k": None}]}, "é": "☃"})
    Project(str(root / "dst")).doc.update({"project": {"m": 1}})


def torn(root: Path) -> None:
    """Files and documents differ; of the files, one is newer in the source, one older, and one of the same age."""
    for a, time in enumerate([NEW, OLD, OLD + 5]):
        document = {"v": 1, "n": {"p": 1, "q": 2, "l": [1]}, "equal": 1}
        job(root / "src", a, {"f.txt": f"source {a}", "sub/g.txt": f"source {a}"}, document, time=time)
        document = {"v": 2, "n": {"p": 7, "l": [2]}, "equal": 1.0}
        job(root / "dst", a, {"f.txt": "destination", "sub/g.txt": "destination"}, document, time=OLD + 5)
    job(root / "src", 3, {"f.txt": "source 3"})
    Project(str(root / "src")).doc.update({"pk": 1, "other": 1})
    Project(str(root / "dst")).doc.update({"pk": 5})


def alike(root: Path) -> None:
    """Nothing is to be done."""
    for name in ("src", "dst"):
        for a in range(2):
            job(root / name, a, {"f.txt": "equal"}, {"v": 1, "n": {"p": [1]}})
        Project(str(root / name)).doc.update({"pk": 1})


def empty(root: Path) -> None:
    """The destination has no jobs."""
    job(root / "src", 0, {"f.txt": "source"}, {"v": 1})
    job(root / "src", 1, {})
    Project.init_project(str(root / "dst"))


def foreign(root: Path) -> None:
    """The projects have different keys."""
    job(root / "src", 0, {"f.txt": "source"})
    Project.init_project(str(root / "dst")).open_job({"b": {"c": 1}}).init()


def hidden(root: Path) -> None:
    """A file differs, but neither in size nor in time."""
    job(root / "src", 0, {"f.txt": "ours"})
    job(root / "dst", 0, {"f.txt": "them"})


def deep(root: Path) -> None:
    """Keys of documents differ far below."""
    for name, value in (("src", 1), ("dst", 2)):
        job(root / name, 0, {}, {"n": {"deep": {"x": value}}})


def contents(root: Path, *, precise: bool) -> dict[str, Any]:
    """Everything below a directory: files, documents as data, links; permissions and times if these are asked for."""
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        name, status = str(path.relative_to(root)), path.lstat()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            found[name] = "/"
        else:
            is_json = name.endswith(".json")
            found[name] = json.loads(path.read_bytes()) if is_json else path.read_text()
            if precise and not is_json:
                found[name] = (found[name], stat.S_IMODE(status.st_mode), int(status.st_mtime))
    return found


def outcome(side: Side, root: Path, commands: list[str], *, where: str, precise: bool = False) -> tuple[Any, ...]:
    """Status and standard output of commands, in which letters stand for ids, and what is there afterwards."""
    arguments = [[IDS.get(token, token) for token in shlex.split(command)] for command in commands]
    answers = side.ask("run", directory=str(root / where), commands=arguments)
    return [[answer["status"], answer["out"]] for answer in answers], contents(root, precise=precise)


def both(
    peer: Side,
    ours: Side,
    tmp_path: Path,
    prepare: Callable[[Path], None],
    commands: list[str],
    *,
    where: str = "dst",
    precise: bool = False,
) -> list[tuple[Any, ...]]:
    """What both programs make of the same."""
    original = tmp_path / "original"
    original.mkdir()
    prepare(original)
    outcomes = []
    for name, side in (("theirs", peer), ("mine", ours)):
        root = tmp_path / name
        shutil.copytree(original, root, symlinks=True)
        outcomes.append(outcome(side, root, commands, where=where, precise=precise))
    return outcomes


# --- sync ------------------------------------------------------------------------------------------------------------

PLAIN = [
    *[
        "",
        "-r",
        "--recursive",
        "-x new -j A B",
        "-rx new -j A",
        "--exclude=same -j A B -r",
        "--parallel",
        "--parallel 2 -r",
        "--force -r",
    ],
    *["-u", "-s always", "-s never -r", "--strategy update", "--all-keys", "--no-keys -r", "-k v", "--round-times"],
    *["--size-only -r", "-r -H", "-j A B C", "-j C -r", "-f a 0", '-f \'{"a": {"$lt": 2}}\' -r', "-j A -x"],
]


@pytest.mark.parametrize("options", PLAIN)
def test_sync_when_nothing_differs_then_equal(peer, ours, tmp_path, options):
    theirs, mine = both(peer, ours, tmp_path, plain, [f"sync ../src -m --stats {options}"])
    assert mine == theirs
    assert theirs[0][0][0] == 0


@pytest.mark.parametrize("options", ["-rp", "-rpt", "-a", "-rlpt", "--archive", "-r --perms --times --links"])
def test_sync_when_much_is_preserved_then_equal_permissions_and_times(peer, ours, tmp_path, options):
    theirs, mine = both(peer, ours, tmp_path, plain, [f"sync ../src -m {options}"], precise="t" in options)
    assert mine == theirs
    assert theirs[0] == [[0, ""]]


@pytest.mark.parametrize("options", ["-l", "-rl", "-rog"])
def test_sync_when_links_or_owners_are_preserved_then_equal(peer, ours, tmp_path, options):
    theirs, mine = both(peer, ours, tmp_path, plain, [f"sync ../src -m {options} --stats"])
    assert mine == theirs


FILES = ["-s always", "-s never", "-u", "-s update", "-rs always", "-ru"]
KEYS = ["--all-keys", "--no-keys", "-k v", "-k n", "-k n.p", "-k '.*p'", "--key=pk"]


@pytest.mark.parametrize(("files", "keys"), [*product(FILES, KEYS[:1]), *product(FILES[-1:], KEYS[1:])])
def test_sync_when_files_and_keys_differ_then_options_decide_alike(peer, ours, tmp_path, files, keys):
    theirs, mine = both(peer, ours, tmp_path, torn, [f"sync ../src -m {files} {keys} --stats"])
    assert mine == theirs
    assert theirs[0][0][0] == 0


@pytest.mark.parametrize(
    ("prepare", "options"), [*product([alike, empty], ["", "-m -H", "-r"]), (alike, "-n"), (alike, "-n -H")]
)
def test_sync_when_no_schema_stands_against_it_then_equal(peer, ours, tmp_path, prepare, options):
    theirs, mine = both(peer, ours, tmp_path, prepare, [f"sync ../src --stats {options}", "sync ../src --stats"])
    assert mine == theirs
    assert [status for status, _ in theirs[0]] == [0, 0]


@pytest.mark.parametrize("arguments", ["../src/workspace ../dst", "../src .", "-- ../src ../dst/workspace"])
def test_sync_when_projects_are_named_by_paths_in_them_then_equal(peer, ours, tmp_path, arguments):
    theirs, mine = both(peer, ours, tmp_path, alike, [f"sync {arguments}", "sync -r ../src"])
    assert mine == theirs


def test_sync_when_repeated_then_equal(peer, ours, tmp_path):
    commands = [*["sync ../src -m -r --stats"] * 2, "sync ../dst ../src -m --stats"]
    theirs, mine = both(peer, ours, tmp_path, plain, commands)
    assert mine == theirs


REFUSED = [
    *["sync", "sync a b c", "sync ../src -t", "sync ../src -u -s never", "sync ../src -k v --all-keys", "sync ."],
    *["sync ../src -k (", "sync ../src -m -f a 0 -j A", "sync ../nowhere", "sync ../src ..", "sync ../src -s maybe"],
    *["sync ../src -m --all-keys --no-keys", "sync ../src -z", "sync ../src -f"],
    *["sync ../src -m -f a.$foo 1"],
]


@pytest.mark.parametrize("command", REFUSED)
def test_sync_when_refused_then_the_same_status_and_nothing_changed(peer, ours, tmp_path, command):
    theirs, mine = both(peer, ours, tmp_path, plain, [command])
    assert mine == theirs
    assert theirs[0][0][0] in (1, 2)


@pytest.mark.parametrize("prepare", [plain, foreign])
def test_sync_when_schemas_differ_then_refused_alike(peer, ours, tmp_path, prepare):
    theirs, mine = both(peer, ours, tmp_path, prepare, ["sync ../src --stats", "sync ../src --stats -u --all-keys"])
    assert mine == theirs
    assert theirs[0] == [[1, ""]] * 2


# --- move and clone --------------------------------------------------------------------------------------------------

TRANSFERS = [
    *["../dst C", "../dst C D", "../dst A", "../dst C A D", f"../dst {IDS['C'][:4]} {IDS['D'][:31]}"],
    *["../dst/workspace D", "../dst C C", "../dst A B"],
]


@pytest.mark.parametrize(("command", "arguments"), [*product(["move", "clone"], TRANSFERS)])
def test_transfer_when_of_any_jobs_then_equal(peer, ours, tmp_path, command, arguments):
    if (command, arguments) == ("move", "../dst C C"):
        arguments = "../dst C"  # that a job has been moved the moment before is listed
    theirs, mine = both(peer, ours, tmp_path, plain, [f"{command} {arguments}"], where="src", precise=True)
    if command == "clone":
        mine = mine[0], copied_links_as_files(mine[1], theirs[1])
    assert mine == theirs
    assert theirs[0] == [[0, ""]]


def copied_links_as_files(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Our files, with those of signac 2.x in the place of links in jobs, which it makes files of when it clones."""
    found = dict(mine)
    for name, content in mine.items():
        if name.startswith("dst/") and content == "-> sub/er/data":
            assert theirs[name][0] == mine[f"{os.path.dirname(name)}/sub/er/data"][0]
            found[name] = theirs[name]
    return found


@pytest.mark.parametrize("command", ["move", "clone"])
@pytest.mark.parametrize(
    "arguments", ["", "../dst", "../dst zz", f"../dst {'f' * 32}", "../nowhere A", ".. A", "../dst -z A", "../dst zz A"]
)
def test_transfer_when_refused_then_the_same_status_and_nothing_changed(peer, ours, tmp_path, command, arguments):
    theirs, mine = both(peer, ours, tmp_path, plain, [f"{command} {arguments}"], where="src")
    assert mine == theirs
    assert theirs[0][0][0] in (1, 2)


@pytest.mark.parametrize("command", ["move . A B", "clone . A B"])
def test_transfer_when_into_the_same_project_then_nothing_changed_and_only_we_call_it_an_error(
    peer, ours, tmp_path, command
):
    theirs, mine = both(peer, ours, tmp_path, plain, [command], where="src", precise=True)
    assert (theirs[0], mine[0]) == ([[0, ""]], [[1, ""]])
    assert mine[1:] == theirs[1:]


# --- what is meant to be better --------------------------------------------------------------------------------------


class Better(NamedTuple):
    """A difference: a command, and of both answers the status, standard output, and the content of some files.

    Letters stand for ids, everywhere.
    """

    reason: str
    prepare: Callable[[Path], None]
    command: str
    files: list[str]
    theirs: tuple[Any, ...]
    mine: tuple[Any, ...]
    where: str = "dst"


def listing(*actions: tuple[str, str]) -> str:
    return "".join(f"{verb:<9}  {what}\n" for verb, what in actions)


BETTER = [
    Better(
        "a dry run works, and lists what would be done",
        empty,
        "sync -n ../src",
        [f"dst/workspace/A/{SP}", "dst/workspace/A", "dst/workspace/B"],
        (1, "", None, "/", None),
        (0, listing(("clone", "B/  (1 file, 8 bytes)"), ("clone", "A/  (3 files, 22 bytes)")), None, None, None),
    ),
    Better(
        "a dry run rewrites no documents",
        torn,
        "sync -n ../src -m -s never --all-keys -j A",
        [f"dst/workspace/A/{DOC}", f"dst/{PROJECT_DOC}"],
        (
            0,
            "",
            {"v": 2, "n": {"p": 1, "q": 2, "l": [1]}, "equal": 1.0},
            {"pk": 5},
        ),
        (
            0,
            listing(
                ("document", f"{PROJECT_DOC}  [pk, other]"),
                ("keep", "A/f.txt"),
                ("skip", "A/sub  (it is a directory, and recursive is not set)"),
                ("document", f"A/{DOC}  [v, n.p, n.l, n.q]"),
            ),
            {"v": 2, "n": {"p": 7, "l": [2]}, "equal": 1.0},
            {"pk": 5},
        ),
    ),
    Better(
        "after a conflict nothing has been changed, and all conflicts are known",
        torn,
        "sync ../src -m --no-keys --stats",
        [f"dst/{PROJECT_DOC}"],
        (1, "", {"pk": 5, "other": 1}),
        (1, "", {"pk": 5}),
    ),
    Better(
        "the content of files is compared when that is asked for",
        hidden,
        "sync ../src -I -s always",
        ["dst/workspace/A/f.txt"],
        (0, "", "them"),
        (0, "", "ours"),
    ),
    Better(
        "a filter is about the jobs of the source",
        plain,
        "sync ../src -m -f a 2",
        ["dst/workspace/C/new.txt"],
        (0, "", None),
        (0, "", "new 2"),
    ),
    Better(
        "a filter needs no project in the current directory",
        empty,
        "sync src dst -f a 1",
        [f"dst/workspace/B/{SP}"],
        (1, "", None),
        (0, "", {"a": 1}),
        where=".",
    ),
    Better(
        "ids may be shortened everywhere",
        plain,
        f"sync ../src -m -j {IDS['C'][:6]}",
        ["dst/workspace/C/new.txt"],
        (0, "", None),
        (0, "", "new 2"),
    ),
    Better(
        "keys go by their whole names",
        deep,
        "sync ../src -k n.deep",
        [f"dst/workspace/A/{DOC}"],
        (0, "", {"n": {"deep": {"x": 2}}}),
        (0, "", {"n": {"deep": {"x": 1}}}),
    ),
    Better(
        "several expressions name keys",
        torn,
        "sync ../src -m -s never -k v --key other -k pk",
        [f"dst/workspace/A/{DOC}", f"dst/{PROJECT_DOC}"],
        (0, "", {"v": 2, "n": {"p": 7, "q": 2, "l": [2]}, "equal": 1.0}, {"pk": 1, "other": 1}),
        (0, "", {"v": 1, "n": {"p": 7, "q": 2, "l": [2]}, "equal": 1.0}, {"pk": 1, "other": 1}),
    ),
    Better("an unknown id is an error everywhere", alike, "sync ../src -j zz", [], (0, ""), (1, "")),
    Better(
        "what is excluded is left out of new jobs, too",
        plain,
        "sync ../src -m -x new",
        ["dst/workspace/A/new.txt", "dst/workspace/C/new.txt"],
        (0, "", None, "new 2"),
        (0, "", None, None),
    ),
    Better(
        "several patterns exclude",
        plain,
        "sync ../src -m -x new -x sub -r -j A",
        ["dst/workspace/A/new.txt", "dst/workspace/A/sub/er/data"],
        (0, "", "new 0", None),
        (0, "", None, None),
    ),
    Better(
        "nothing is moved when an id is unknown",
        plain,
        "move ../dst C zz D",
        ["src/workspace/C/new.txt", "dst/workspace/C/new.txt"],
        (1, "", None, "new 2"),
        (1, "", "new 2", None),
        where="src",
    ),
    Better(
        "nothing is cloned when an id is unknown",
        plain,
        "clone ../dst C zz D",
        ["dst/workspace/C/new.txt"],
        (1, "", "new 2"),
        (1, "", None),
        where="src",
    ),
    Better(
        "an empty text names no job",
        foreign,
        "move ../dst ''",
        ["src/workspace/A/f.txt"],
        (0, "", None),
        (1, "", "source"),
        where="src",
    ),
    Better(
        "three digits are too few to move a job",
        plain,
        f"move ../dst {IDS['C'][:3]}",
        ["src/workspace/C/new.txt"],
        (0, "", None),
        (1, "", "new 2"),
        where="src",
    ),
    Better(
        "a job may be named twice", plain, "move ../dst C C", ["dst/workspace/C/new.txt"],
        (1, "", "new 2"), (0, "", "new 2"), where="src",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", BETTER, ids=lambda case: case.reason)
def test_difference_when_listed_as_meant_then_it_is_still_there(peer, ours, tmp_path, case):
    answers = []
    for [[status, out]], found in both(peer, ours, tmp_path, case.prepare, [case.command], where=case.where):
        files = [found.get("/".join(IDS.get(part, part) for part in name.split("/"))) for name in case.files]
        for letter, job_id in IDS.items():
            out = out.replace(job_id, letter)
        answers.append((status, out, *files))
    assert answers == [case.theirs, case.mine]
    assert case.theirs != case.mine


def test_sync_when_json_then_the_report_is_one_line_and_holds_the_old_one(peer, ours, tmp_path):
    ([[one, theirs]], _), ([[other, mine]], _) = both(peer, ours, tmp_path, plain, ["sync ../src -mr --stats --json"])
    assert (one, other) == (0, 0)
    heading, statistics = theirs.rstrip("\n").rsplit("\n", 1)
    assert heading.strip() == "# Transfer statistics"
    assert json.loads(mine).items() >= json.loads(statistics).items()
