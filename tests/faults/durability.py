"""Whether what an operation has written survives a power loss, by the calls that it made.

After a power loss a file system may have kept any part of what was not synchronised.  So the rule is:

1. What gets a visible name by a rename has reached the disk before: the content of the file has been synchronised since
   it was last written to; of a directory, the content of everything that was made in it, and its names.
2. When the operation is over, the directories have been synchronised in which visible names were made.
3. Nothing visible was written to and left unsynchronised.

Visible is what has no hidden name, and is in no directory that has one.  The index is not: it is believed only if its
checksums are right.  Deletions need not be durable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from signac_core import layout
from tests.faults.inventory import is_unfinished
from tests.faults.shim import Call

WRITING = frozenset({"write", "ftruncate", "fallocate"})
COPYING = frozenset({"sendfile", "copy_file_range"})


@dataclass(eq=False)
class _Entry:
    """A file or directory that was made or changed."""

    is_directory: bool
    dirty: bool = False  # the content of the file is not on the disk
    names: dict[str, _Entry] = field(default_factory=dict)
    unsaved: set[str] = field(default_factory=set)  # names that are not on the disk

    def unsaved_below(self, path: str) -> Iterator[str]:
        """What of it is not on the disk."""
        if self.dirty:
            yield f"the content of '{path}'"
        for name in sorted(self.unsaved):
            yield f"the name '{os.path.join(path, name)}'"
        for name, entry in self.names.items():
            yield from entry.unsaved_below(os.path.join(path, name))


class _Disk:
    """What is known of the files, and what of them is on the disk."""

    def __init__(self, existing: Set[str]) -> None:
        self._root = _Entry(is_directory=True)
        self._existing = existing
        self._opened: dict[tuple[int, int], _Entry] = {}
        self.violations: list[str] = []

    def follow(self, call: Call) -> None:
        """Take note of a call."""
        if call.result < 0:
            return
        if call.name == "open":
            self._open(call)
        elif call.name == "close":
            self._opened.pop((call.pid, call.fd), None)
        elif call.name == "dup" and (call.pid, call.fd) in self._opened:
            self._opened[call.pid, call.result] = self._opened[call.pid, call.fd]
        elif call.name in WRITING:
            self._opened[call.pid, call.fd].dirty = True
        elif call.name == "truncate":
            self._at(call.path).dirty = True
        elif call.name in COPYING:
            self._at(call.other).dirty = True
        elif call.name in ("fsync", "fdatasync"):
            entry = self._opened[call.pid, call.fd]
            entry.dirty = False
            entry.unsaved.clear()
        elif call.name in ("mkdir", "mknod"):
            self._make(call.path, _Entry(is_directory=call.name == "mkdir"))
        elif call.name == "symlink":
            self._make(call.path, _Entry(is_directory=False))
        elif call.name == "link":
            self._make(call.other, self._at(call.path))
        elif call.name in ("unlink", "rmdir"):
            self._take(call.path)
        elif call.name == "rename":
            self._rename(call)

    def _at(self, path: str, *, is_directory: bool = False) -> _Entry:
        entry = self._root
        for name in [] if path == "." else path.split("/"):
            entry = entry.names.setdefault(name, _Entry(is_directory=True))
        entry.is_directory = entry.is_directory and (is_directory or bool(entry.names) or path == ".")
        return entry

    def _parent(self, path: str) -> tuple[_Entry, str]:
        above, name = os.path.split(path)
        return self._at(above or ".", is_directory=True), name

    def _make(self, path: str, entry: _Entry) -> None:
        parent, name = self._parent(path)
        parent.names[name] = entry
        parent.unsaved.add(name)

    def _take(self, path: str) -> _Entry:
        parent, name = self._parent(path)
        parent.unsaved.discard(name)
        return parent.names.pop(name, _Entry(is_directory=False))

    def _open(self, call: Call) -> None:
        parent, name = self._parent(call.path)
        if call.argument & os.O_CREAT and call.path not in self._existing and name not in parent.names:
            self._make(call.path, _Entry(is_directory=False))
        entry = self._at(call.path, is_directory=bool(call.argument & os.O_DIRECTORY))
        if call.argument & os.O_TRUNC:
            entry.dirty = True
        self._opened[call.pid, call.result] = entry

    def _rename(self, call: Call) -> None:
        entry = self._take(call.path)
        if is_visible(call.other):
            self.violations += [f"{what} is not saved before {call}" for what in entry.unsaved_below(call.path)]
        self._make(call.other, entry)

    def at_the_end(self) -> Iterator[str]:
        """Everything visible that is not on the disk."""
        for what in self._root.unsaved_below(""):
            if is_visible(what.split("'")[1]):
                yield f"{what} is never saved"


def is_visible(path: str) -> bool:
    """Whether no part of a path is hidden, and it is not the index."""
    return not any(is_unfinished(part) for part in path.split("/")) and f"/{layout.FN_INDEX}" not in f"/{path}"


def violations(calls: Iterable[Call], existing: Set[str] = frozenset()) -> list[str]:
    """What would be lost, or half there, after a power loss.

    Parameters
    ----------
    calls
        The calls of an operation that has succeeded, in their order.
    existing
        The files that were there before, relative to the watched directory.

    Returns
    -------
    list of str
        A sentence for each violation of the rule.
    """
    disk = _Disk(existing)
    for call in calls:
        disk.follow(call)
    return [*disk.violations, *disk.at_the_end()]
