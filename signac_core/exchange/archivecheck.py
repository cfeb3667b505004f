"""Whether an archive holds what would be written to it: an export that was stopped after its last step is done.

A writer that writes nothing is fed like any other, and compares each member with the one that the archive has.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import IO

from .. import files
from .archives import ArchiveError, Member, Reader, open_archive
from .packing import Writer

__all__ = ["holds"]


class _DiffersError(Exception):
    """The archive holds something else."""


def holds(path: str, kind: str, write: Callable[[Writer], None]) -> bool:
    """Tell whether an archive exists and holds exactly what a function adds to a writer.

    One that cannot be read does not.
    """
    if not os.path.isfile(path):
        return False
    try:
        with open_archive(path) as reader:
            comparison = _Comparison(reader, is_tar=kind != "zip")
            write(comparison)
            return not comparison.left
    except (_DiffersError, ArchiveError, OSError):
        return False


class _Comparison:
    """A writer that compares."""

    def __init__(self, reader: Reader, *, is_tar: bool) -> None:
        self.follows_links = not is_tar
        self.stores_directories = is_tar
        self._reader = reader
        self.left = {files.normal_name(member.name): member for member in reader.members()}

    def names(self) -> Iterable[str]:
        """Names of the members that have not been compared yet."""
        return self.left

    def add_directory(self, name: str, source: str) -> None:
        """Compare a directory."""
        self._take(name, "directory")

    def add_file(self, name: str, source: str) -> None:
        """Compare a file."""
        with self._reader.open(self._take(name, "file")) as theirs, open(source, "rb") as ours:
            self._compare(ours, theirs)

    def add_text(self, name: str, text: bytes, status: os.stat_result | None) -> None:
        """Compare a file of the given content."""
        from io import BytesIO

        with self._reader.open(self._take(name, "file")) as theirs:
            self._compare(BytesIO(text), theirs)

    def add_link(self, name: str, source: str) -> None:
        """Compare a link."""
        if self._take(name, "link").target != os.readlink(source):
            raise _DiffersError

    def _take(self, name: str, kind: str) -> Member:
        member = self.left.pop(files.normal_name(name), None)
        if member is None or member.kind != kind:
            raise _DiffersError
        return member

    @staticmethod
    def _compare(ours: IO[bytes], theirs: IO[bytes]) -> None:
        if not files.equal_streams(ours, theirs):
            raise _DiffersError
