"""What there is below a directory, so that two states of it can be compared.

An inventory maps the path of everything visible to its content.  Some content is not compared byte by byte:

* of an archive, the members (their times are those of the run),
* of the state point file of a job, what the library reads as the state point of that job: a change that was stopped
  before its last step leaves the old file, and is finished by whoever comes next,
* of files that are derived from others, nothing; `damaged_caches` says whether they can be read.

Leftovers are hidden files and directories with a name that a writer gives to what is not finished.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from signac_core import Project, layout, workspace
from signac_core.canonical import calc_id, dumps
from signac_core.errors import JobsCorruptedError

DATA = "data.txt"
"""The file of a job whose text tells it from all others."""

INDEXES = "indexes"
"""The directory that SIGNAC_CACHE_DIR names."""

Inventory = dict[str, Any]

_DERIVED = frozenset({"index", "index.delta", "index.documents", os.path.basename(layout.FN_CACHE)})
_ARCHIVES = (".zip", ".tar", ".tar.gz")


def is_unfinished(name: str) -> bool:
    """Whether a name is one of those that are given to what is not finished."""
    return name.startswith(("._", ".signac-"))


def _is_derived(directory: str, name: str) -> bool:
    if os.path.basename(directory) == INDEXES:
        return True
    return os.path.basename(directory) == layout.CONFIG_DIRECTORY and name in _DERIVED


def inventory_of(root: Path) -> Inventory:
    """Everything visible below a directory."""
    found: Inventory = {}
    for directory, names, others in os.walk(root):
        relative = os.path.relpath(directory, root)
        names[:] = sorted(
            name for name in names if not is_unfinished(name) and not workspace.is_marked(os.path.join(directory, name))
        )
        for name in [*names, *others]:
            path = os.path.join(directory, name)
            if not is_unfinished(name) and not _is_derived(directory, name):
                found[os.path.normpath(os.path.join(relative, name))] = _content(path)
        if layout.is_job_id(os.path.basename(directory)):
            found[os.path.normpath(os.path.join(relative, layout.FN_STATE_POINT))] = _state_point(directory)
    return found


def _content(path: str) -> Any:
    if os.path.islink(path):
        return "link", os.readlink(path)
    if os.path.isdir(path):
        return "directory"
    data = Path(path).read_bytes()
    return _members(path, data) if path.endswith(_ARCHIVES) else data


def _members(name: str, data: bytes) -> Any:
    """Content of an archive by the names of its members; the bytes if it is none."""
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return {info.filename: archive.read(info) for info in archive.infolist()}
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {member.name: tar.extractfile(member).read() if member.isreg() else None for member in tar}  # type: ignore[union-attr]
    except (zipfile.BadZipFile, tarfile.TarError, EOFError):
        return data


def _state_point(directory: str) -> Any:
    try:
        return dumps(workspace.read_state_point(directory, os.path.basename(directory))).encode()
    except JobsCorruptedError:
        path = Path(directory, layout.FN_STATE_POINT)
        return "damaged", path.read_bytes() if path.exists() else None


def job_directories(*inventories: Mapping[str, Any]) -> set[str]:
    """The directories that hold a job, in a workspace or elsewhere."""
    suffix = f"/{layout.FN_STATE_POINT}"
    return {path.removesuffix(suffix) for found in inventories for path in found if path.endswith(suffix)}


def by_job(inventory: Mapping[str, Any], directories: set[str]) -> dict[str, Inventory]:
    """The part of an inventory that each of these directories holds."""
    groups: dict[str, Inventory] = {directory: {} for directory in directories}
    for path, content in inventory.items():
        above = path
        while above and above not in directories:
            above = os.path.dirname(above)
        if above:
            groups[above][path] = content
    return groups


def tokens(inventory: Mapping[str, Any]) -> Counter[bytes]:
    """How often the data of each job is there."""
    found: Counter[bytes] = Counter()
    for path, content in inventory.items():
        if os.path.basename(path) == DATA and isinstance(content, bytes):
            found[content] += 1
    return found


def projects_in(root: Path) -> list[Path]:
    """The projects below a directory that can be opened."""
    found = (path.relative_to(root) for path in root.glob(f"**/{layout.FN_CONFIG}"))
    return sorted(root / path.parent.parent for path in found if not any(map(_is_temporary_project, path.parts)))


def _is_temporary_project(part: str) -> bool:
    return part.startswith(layout.PREFIX_NEW)


def leftovers(root: Path) -> list[str]:
    """Everything hidden below a directory that a writer has not finished, or not deleted."""
    return [
        os.path.relpath(os.path.join(directory, name), root)
        for directory, names, others in os.walk(root)
        for name in sorted([*names, *others])
        if is_unfinished(name)
    ]


def damaged_caches(root: Path) -> Iterator[str]:
    """The cache files below a directory that are not whole, with what is wrong."""
    for project in projects_in(root):
        path = project / layout.FN_CACHE
        if not path.exists():
            continue
        try:
            entries = json.loads(gzip.decompress(path.read_bytes()))
        except (OSError, EOFError, ValueError) as error:
            yield f"{path}: {error}"
        else:
            wrong = [job_id for job_id, state_point in entries.items() if calc_id(state_point) != job_id]
            if wrong:
                yield f"{path}: {wrong} are not the ids of their state points"


def wrong_answers(root: Path) -> Iterator[str]:
    """Queries that do not find what reading each file of the project finds."""
    for directory in projects_in(root):
        known: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        marked = set()  # removed where a directory cannot be renamed: listed until they have been deleted, and no more
        place = directory / layout.WORKSPACE
        for name in sorted(os.listdir(place)) if place.exists() else []:
            if workspace.is_marked(str(place / name)):
                marked.add(name)
            elif layout.is_job_id(name):
                try:
                    state_point = workspace.read_state_point(str(place / name), name)
                except JobsCorruptedError:
                    known.clear()
                    break  # a query would say so
                document = place / name / layout.FN_DOCUMENT
                known[name] = state_point, json.loads(document.read_bytes()) if document.exists() else {}
        else:
            yield from _compare(directory, known, marked)


def _compare(
    directory: Path, known: Mapping[str, tuple[dict[str, Any], dict[str, Any]]], marked: set[str]
) -> Iterator[str]:
    project = Project(directory)
    for query, expected in (
        (None, list(known)),
        ({"a": 1}, [job_id for job_id, (state_point, _) in known.items() if state_point.get("a") == 1]),
        ({"a.$gt": 0}, [job_id for job_id, (state_point, _) in known.items() if state_point.get("a", 0) > 0]),
        ({"doc.k": 1}, [job_id for job_id, (_, document) in known.items() if document.get("k") == 1]),
    ):
        found = sorted(
            {job.id for job in project.find_jobs(query)} - (marked if query in (None, {"doc.k": 1}) else set())
        )
        if found != expected:
            yield f"{directory}: find_jobs({query}) finds {found}, not {expected}"
