"""A surface of the library, and the study that all cases share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signac_cli.session import as_failure
from signac_core import Project, finding
from signac_core.query import NO_DOCUMENT, compile_filter
from tests.fuzz.chance import Chance
from tests.fuzz.damages import DERIVED, Truth, build, content

Data = dict[str, Any]


class Wrong(AssertionError):
    """An answer is not the right one."""


def expect(holds: object, what: str, *details: object) -> None:
    if not holds:
        raise Wrong(": ".join([what, *map(repr, details)])[:2000])


class Study:
    """A project that all cases share, what is known of it, and the canaries around it.

    Parameters
    ----------
    above
        An empty directory.
    """

    def __init__(self, above: Path) -> None:
        self.place = above / "place"
        self.root = self.place / "study"
        self.scratch = self.place / "scratch"  # beside the study: inputs, and what is written apart from it
        build(self.root)
        for directory in (self.place / "canary", self.place / "canary" / "workspace" / ("0" * 32), above / "canary"):
            directory.mkdir(parents=True)
            for name in ("signac_statepoint.json", "signac_job_document.json", "file"):
                (directory / name).write_text('{"canary": 1}')
        self.scratch.mkdir()
        self.workspace = self.root / "workspace"
        self.truth = Truth.of(self.root)
        self.ids = sorted(self.truth.whole)
        self.records = {
            job_id: {"id": job_id, "path": str(self.workspace / job_id), "sp": sp, "doc": self.truth.documents[job_id]}
            for job_id, sp in self.truth.whole.items()
        }
        self.names = set(os.listdir(self.workspace))
        self.derived = {name: (self.root / ".signac" / name).read_bytes() for name in DERIVED}
        self.content = content(self.root)

    def project(self) -> Project:
        """The project, as a new process sees it."""
        return Project(str(self.root))

    def matching(self, filter: Data) -> list[str]:
        """Ids of the jobs that match, each judged by itself."""
        matches = compile_filter(filter).matches
        documents = {job_id: self.truth.documents[job_id] or NO_DOCUMENT for job_id in self.ids}
        return [job_id for job_id in self.ids if matches(self.truth.whole[job_id], documents[job_id])]

    def restore(self) -> None:
        """Undo what was done to workspace and derived files."""
        for name in set(os.listdir(self.workspace)) - self.names:
            path = self.workspace / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name, data in self.derived.items():
            (self.root / ".signac" / name).write_bytes(data)

    def check_filter(self, filter: Data, project: Project | None = None) -> None:
        found = finding.find_ids(project or self.project().space, filter, damaged=(damaged := []))
        expect(found == self.matching(filter), "other jobs than by a full scan", filter, found)
        expect(not damaged, "sound jobs counted as damaged", damaged)


@dataclass(frozen=True)
class Surface:
    """A place where input comes in.

    Parameters
    ----------
    make
        Makes an input, which has a `repr` that tells it.
    check
        Gives it to the library; raises `Wrong` if an answer is not right.
    refusals
        The errors that may come of it.
    restored
        Whether the study has to be restored after each case.
    """

    name: str
    make: Callable[[Study, Chance], Any]
    check: Callable[[Study, Any], None]
    refusals: tuple[type[Exception], ...] = ()
    restored: bool = False

    def run(self, study: Study, seed: int) -> bool:
        """Run a case; return whether it was refused."""
        given = self.make(study, Chance(seed))
        try:
            self.check(study, given)
        except BaseException as error:
            if self.is_refusal(error):
                return True
            error.add_note(f"input: {given!r}"[:3000])
            raise
        finally:
            if self.restored:
                study.restore()
        return False

    def is_refusal(self, error: BaseException) -> bool:
        if not isinstance(error, self.refusals) or isinstance(error, (RecursionError, MemoryError)):
            return False
        return " " in as_failure(error).message
