"""A study, the ways in which it can come to harm, and what is left of it by a plain look at the files.

`Truth` is what a reader with Python's ``json`` and ``hashlib`` finds out without any code of the project.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from signac_core import Project, finding
from signac_core.index import documents, snapshot
from tests.fuzz.chance import Chance

SP, DOC = "signac_statepoint.json", "signac_job_document.json"
DERIVED = ("index", "index.delta", "index.documents", "statepoint_cache.json.gz")
JOBS = 8

_ID = re.compile(r"[0-9a-f]{32}")


def build(root: Path) -> None:
    """A study with an index, a delta, indexed documents, and a cache file."""
    project = Project.init_project(root)
    for number in range(JOBS):
        if number == JOBS - 2:
            project.update_cache()  # the delta has the rest
        job = project.open_job({"a": number, "n": {"b": number % 3}, "name": "x" * number}).init()
        if number % 4:
            job.doc.update(energy=-0.5 * number, tags=["x", {"y": number}])
        os.makedirs(job.fn("data"))
        Path(job.fn("data/out.txt")).write_text(f"result {number}")
        os.utime(job.fn("data/out.txt"), (0, 0))
        with suppress(FileNotFoundError):
            os.utime(job.fn(DOC), (0, 0))
    project.doc.title = "study"
    with (
        mock.patch.object(snapshot, "WORTHWHILE", 1),
        mock.patch.object(documents, "_WORTHWHILE", 1),
    ):
        for filter in ({"a.$gte": 0}, {"doc.energy.$lt": 0}):
            finding.find_ids(Project(str(root)).space, filter)
    Path(project.workspace, ".hidden").write_text("not a job")


def is_nested_deeply(value: Any, limit: int) -> bool:
    """Tell whether JSON data has more levels than ``limit``."""
    level: list[Any] = [value]
    for _ in range(limit):
        level = [
            below
            for item in level
            if isinstance(item, (dict, list))
            for below in (item.values() if isinstance(item, dict) else item)
        ]
    return any(isinstance(item, (dict, list)) for item in level)


@dataclass
class Truth:
    """What the files of a project say."""

    entries: set[str] = field(default_factory=set)  # of the workspace, that are named like jobs
    whole: dict[str, dict[str, Any]] = field(default_factory=dict)  # state points of jobs that are in order
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)  # those that can be read, of these
    bad_documents: set[str] = field(default_factory=set)
    deep: set[str] = field(default_factory=set)  # jobs with so many levels that it depends on the reader

    @classmethod
    def of(cls, root: Path) -> Truth:
        truth = cls()
        try:
            names = os.listdir(root / "workspace")
        except OSError:
            return truth
        for name in filter(_ID.match, names):
            truth.entries.add(name)
            directory = root / "workspace" / name
            state_point = read_object(directory / SP)
            if state_point is not None and _id_of(state_point) == name:
                truth.whole[name] = state_point
            document = _document_of(directory)
            if document is None:
                truth.bad_documents.add(name)
            elif name in truth.whole:
                truth.documents[name] = document
            if is_nested_deeply([state_point, document], 100):
                truth.deep.add(name)
        return truth

    @property
    def intact(self) -> set[str]:
        """Jobs of which everything is in order."""
        return self.whole.keys() - self.bad_documents - self.deep

    @property
    def damaged(self) -> set[str]:
        """What `check` has to name."""
        return ((self.entries - self.whole.keys()) | self.bad_documents) - self.deep


def read_object(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None if there is none."""
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _document_of(directory: Path) -> dict[str, Any] | None:
    path = directory / DOC
    if not path.exists():  # a link that leads nowhere is no document either
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError:
            return None
    if path.is_file() and path.read_bytes().strip() == b"null":
        return {}
    return read_object(path)


def _id_of(state_point: dict[str, Any]) -> str | None:
    try:
        return hashlib.md5(json.dumps(state_point, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    except RecursionError:
        return None


def content(root: Path, *, without: set[str] = frozenset()) -> dict[str, tuple[Any, ...]]:
    """What is in a directory tree, by path; entries of the workspace named in ``without`` are left out."""
    found: dict[str, tuple[Any, ...]] = {}
    for directory, names, files in os.walk(os.fsencode(root)):
        if directory == os.fsencode(root / "workspace"):
            names[:] = [name for name in names if os.fsdecode(name) not in without]
            files = [name for name in files if os.fsdecode(name) not in without]
        if directory == os.fsencode(root / ".signac"):
            files = [name for name in files if os.fsdecode(name) == "config"]
        for name in names + files:
            path = os.path.join(directory, name)
            found[os.fsdecode(os.path.relpath(path, os.fsencode(root)))] = _what(path)
    return found


def _what(path: bytes) -> tuple[Any, ...]:
    if os.path.islink(path):
        return "link", os.readlink(path)
    if os.path.isdir(path):
        return ("directory",)
    if not os.path.isfile(path):
        return ("other",)
    with open(path, "rb") as file:
        return "file", file.read()


# what can happen ------------------------------------------------------------------------------------------------------

Damage = Callable[[Path, Chance], None]


def _some_job(root: Path, chance: Chance) -> Path:
    return root / "workspace" / chance.choice(sorted(filter(_ID.fullmatch, os.listdir(root / "workspace"))))


def _some_file(root: Path, chance: Chance) -> Path:
    """A file that the program reads."""
    return chance.choice(
        [
            lambda: _some_job(root, chance) / SP,
            lambda: _some_job(root, chance) / SP,
            lambda: _some_job(root, chance) / DOC,
            lambda: _some_derived(root, chance),
            lambda: _some_derived(root, chance),
            lambda: root / "signac_project_document.json",
        ]
    )()


def _some_derived(root: Path, chance: Chance) -> Path:
    return root / ".signac" / chance.choice(DERIVED)


def _some_path(root: Path, chance: Chance) -> Path:
    return _some_job(root, chance) if chance.chance(0.3) else _some_file(root, chance)


def delete(path: Path) -> None:
    """Delete whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def mutate(root: Path, chance: Chance) -> None:
    path = _some_file(root, chance)
    if path.is_file():
        path.write_bytes(chance.mutated(path.read_bytes()))


def vanish(root: Path, chance: Chance) -> None:
    delete(_some_file(root, chance))


def swap(root: Path, chance: Chance) -> None:
    one, other = _some_path(root, chance), _some_path(root, chance)
    aside = root / "aside"
    if one.exists() and other.exists() and one != other and one not in other.parents and other not in one.parents:
        one.rename(aside)
        other.rename(one)
        aside.rename(other)


def become_directory(root: Path, chance: Chance) -> None:
    path = _some_file(root, chance)
    delete(path)
    path.mkdir()
    if chance.chance(0.5):
        (path / "file").write_text("x")


def become_file(root: Path, chance: Chance) -> None:
    path = _some_job(root, chance)
    delete(path)
    path.write_bytes(chance.choice([b"", b"x", b'{"a": 0}']))


def become_link(root: Path, chance: Chance) -> None:
    path = _some_path(root, chance)
    target = chance.choice(["nowhere", path.name, ".", "..", "/dev/null", "/dev/zero", _some_job(root, chance), root])
    delete(path)
    path.symlink_to(target)


def become_pipe(root: Path, chance: Chance) -> None:
    path = _some_file(root, chance)
    delete(path)
    os.mkfifo(path)


def write_strange_json(root: Path, chance: Chance) -> None:
    path = _some_job(root, chance) / chance.choice([SP, DOC, DOC])
    path.write_bytes(
        chance.choice(
            [
                lambda: chance.json_text(),
                lambda: chance.json_text(),
                lambda: b'{"a": 1, "a": 2, "": {"": 0}}',
                lambda: b'{"a.b": 1, "n": {"x.y": 2}}',
                lambda: b'{"a": %s}' % (b"9" * chance.choice([30, 400, 5000])),
                lambda: b'{"a": NaN, "b": [Infinity, -Infinity], "c": 1e999}',
                lambda: b'{"a": ' * 1000 + b"1" + b"}" * 1000,
                lambda: b'{"a": ' + b"[" * 1500 + b"]" * 1500 + b"}",
                lambda: b'{"a": ' * chance.choice([90, 300, 600, 900]) + b"1" + b"}" * 900,
                lambda: b"null",
                lambda: b"[]",
                lambda: b"\xff\xfe\x00",
                lambda: b"",
            ]
        )()
    )


def nest(root: Path, chance: Chance) -> None:
    """A whole job whose state point or document has many levels."""
    levels = chance.choice([100, 200, 300, 450, 600, 900])
    text = b'{"a": ' * levels + b"1" + b"}" * levels
    if chance.chance(0.5):
        (_some_job(root, chance) / DOC).write_bytes(text)
    else:
        directory = root / "workspace" / hashlib.md5(text, usedforsecurity=False).hexdigest()
        directory.mkdir(exist_ok=True)
        (directory / SP).write_bytes(text)


def grow(root: Path, chance: Chance) -> None:
    """A document of many megabytes, in order or not."""
    text = json.dumps({"values": list(range(1_000_000)), "text": "x" * 3_000_000})
    (_some_job(root, chance) / DOC).write_text(text[: chance.choice([len(text), len(text) - 1])])


def add_strangers(root: Path, chance: Chance) -> None:
    """Files and directories that do not belong there."""
    names = [
        b"\xff\xfe", b"\xe4.txt", b"new\nline", b"\x1b[2J", b" ", b"~", b"-rf", b"0" * 31, b"F" * 32, b"0" * 33,
        b"f" * 32, b"0" * 32 + b".bak", b"a" * 32 + b"\xff", b".signac-rm-x", b".signac-new-x", b"._0123456789abcdef_x",
        b"._signac_next_" + b"0" * 32 + b".json", b"._0123456789abcdef_signac_statepoint.json", b"job", b"{a}",
        b"x" * 250,
    ]  # fmt: skip
    for _ in range(chance.randrange(1, 4)):
        directory = chance.choice([root, root / ".signac", root / "workspace", _some_job(root, chance)])
        if not directory.is_dir():
            continue
        path = os.path.join(os.fsencode(directory), chance.choice(names))
        if os.path.lexists(path):
            continue
        kind = chance.randrange(5)
        if kind == 0:
            os.mkdir(path)
        elif kind == 1:
            os.symlink("nowhere", path)
        elif kind == 2:
            os.mkdir(path)
            Path(os.fsdecode(path), SP).write_bytes(chance.choice([b"{}", b"{", b'{"a": 0}', chance.json_text()]))
        else:
            Path(os.fsdecode(path)).write_bytes(chance.choice([b"", b"x", b'{"a": 77}']))


def lose_workspace(root: Path, chance: Chance) -> None:
    shutil.rmtree(root / "workspace")
    how = chance.randrange(4)
    if how == 0:
        (root / "workspace").write_text("x")
    elif how == 1:
        (root / "workspace").symlink_to("nowhere")
    elif how == 2:
        (root / "workspace").symlink_to("workspace")


def damage_config(root: Path, chance: Chance) -> None:
    path = root / ".signac" / "config"
    text = path.read_bytes() + b"[s]\nkey = a, 'b'\n" * chance.randrange(2)
    delete(path)
    how = chance.randrange(8)
    if how == 0:
        path.mkdir()
    elif how == 1:
        path.symlink_to(chance.choice(["config", "nowhere", "/dev/zero"]))
    elif how == 2:
        os.mkfifo(path)
    else:
        path.write_bytes(chance.mutated(text))


def damage_directory_of_settings(root: Path, chance: Chance) -> None:
    path = root / ".signac"
    kept = chance.chance(0.5)
    config = (path / "config").read_bytes()
    shutil.rmtree(path)
    if kept:
        path.mkdir()
        (path / "config").write_bytes(config)
    else:
        path.write_text("x")


ANYWHERE: list[Damage] = [
    mutate, mutate, mutate, vanish, swap, swap, become_directory, become_file, become_link, become_link, become_pipe,
    write_strange_json, write_strange_json, nest, add_strangers, add_strangers,
]  # fmt: skip
WHOLESALE: list[Damage] = [lose_workspace, damage_config, damage_config, damage_directory_of_settings]


def lock_up(root: Path, chance: Chance) -> None:
    """Take rights away, and give things to somebody else as far as that is possible."""
    job = _some_job(root, chance)
    path = chance.choice(
        [
            job, job / SP, job / DOC, job / "data", job / "data" / "out.txt", _some_derived(root, chance),
            root / ".signac",
            root / ".signac" / "config", root / "workspace", root / "signac_project_document.json", root,
        ]
    )  # fmt: skip
    if not path.exists():
        return
    if os.geteuid() == 0 and chance.chance(0.5):
        os.chown(path, 65534, 65534)
    path.chmod(chance.choice([0, 0o100, 0o200, 0o400, 0o500, 0o600, 0o700]))


def unlock(root: Path) -> None:
    """Give all rights back."""
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
        os.chmod(directory, 0o700)
