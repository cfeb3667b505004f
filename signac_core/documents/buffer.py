"""Buffered documents: changes are collected in memory and written when the buffer is left.

All handles on one file share one buffered tree. When the file was changed by someone else meanwhile, a flush merges the
two: per key, recursively for mappings; lists and scalars are single values. Only when both sides changed the same key
differently is the file left as it is and an error raised.
"""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from .. import canonical
from ..errors import BufferedError, MetadataError
from ..parallel import in_order
from ..trees import copy_plain
from . import store
from .merging import MergeConflict, merge
from .store import BoundView, Document

__all__ = [
    "BufferedDocument",
    "buffered",
    "get_buffer_capacity",
    "get_current_buffer_size",
    "is_buffered",
    "set_buffer_capacity",
]

_T = TypeVar("_T")

_PROBE = 3  # documents written one by one before threads write the rest: each takes as many calls as six reads
DEFAULT_CAPACITY = 32 * 1024 * 1024  # bytes of JSON text


class _Entry:
    """The buffered tree of one file."""

    __slots__ = ("base", "document", "measured_version", "size", "tree", "version")

    def __init__(self, source: Document, *, overwrite: bool) -> None:
        self.document = Document(source.path, source.lock_path, durable=source.durable, data=source.initial())
        self.base: bytes | None = None  # what the file held; None: it is damaged, and to be replaced
        try:
            self.document.read()
            self.base = self.document.encode() if self.document.exists else b"{}"
        except ValueError:
            if not overwrite:
                raise
        self.tree = self.document.tree
        self.version = 0
        self.size = len(self.base or b"")
        self.measured_version = 0

    def measure(self) -> int:
        """Bytes of the JSON text of the tree."""
        if self.measured_version != self.version:
            self.size = len(canonical.dumps(self.tree))
            self.measured_version = self.version
        return self.size

    def catch_up(self) -> None:
        """Take over what the file holds now, unless it contradicts the tree; whoever flushes is told that."""
        disk = Document(self.document.path, self.document.lock_path)
        with suppress(MergeConflict, ValueError, OSError):
            disk.read()
            tree = merge(canonical.loads(self.base or b"{}"), self.tree, disk.tree)
            self.base = disk.encode()
            self.tree = tree
            self.document.adopt(tree)
            self.version += 1

    def flush(self) -> None:
        """Write the tree, merged with what others wrote meanwhile.

        Raises MetadataError if both sides changed the same key differently. After any error the file is as it was.
        """
        if self.version == 0:
            return
        ours = canonical.dumps(self.tree).encode("ascii")
        if ours == self.base:
            return
        disk = Document(self.document.path, self.document.lock_path, durable=self.document.durable)
        with disk.lock():
            try:
                disk.read()
                disk.tree = merge(canonical.loads(self.base or b"{}"), self.tree, disk.tree)
            except (MergeConflict, ValueError):
                if self.base is not None:
                    raise MetadataError(disk.path, ours) from None
                disk.tree = self.tree
            disk.replace(disk.encode())


class Buffer:
    """The trees of all documents that are buffered at the moment.

    There is one, shared by all threads; it is active between the first entry into a buffering context and the exit
    from the last.
    """

    def __init__(self) -> None:
        self.capacity = DEFAULT_CAPACITY
        self.depth = 0  # nesting of buffered(), which covers every document
        self.own_depth: dict[str, int] = {}  # nesting of the contexts of single documents
        self._entries: dict[str, _Entry] = {}
        self._held = 0  # bytes, by the last measurement of each entry
        self.guard = RLock()  # held by documents, too, from the question whether they are covered to the answer

    def covers(self, path: str) -> bool:
        """Tell whether the document at ``path`` is to be buffered."""
        return self.depth > 0 or path in self.own_depth

    def size(self) -> int:
        """Bytes of the JSON text of all buffered trees."""
        with self.guard:
            self._held = sum(entry.measure() for entry in self._entries.values())
            return self._held

    def trees(self) -> dict[str, dict[str, Any]]:
        """Copies of the buffered trees, by path, of documents that exist or were written to."""
        with self.guard:
            return {
                path: copy_plain(entry.tree)
                for path, entry in self._entries.items()
                if entry.version or entry.document.exists
            }

    def bind(self, handle: Document, *, overwrite: bool = False) -> _Entry:
        """Give a document the tree that all handles on its file share."""
        with self.guard:
            entry = self._entries.get(handle.path)
            if entry is None:
                self._keep_to_capacity()  # before: the new entry must not be flushed away from under its handle
                entry = self._entries[handle.path] = _Entry(handle, overwrite=overwrite)
                self._held += entry.size
            if handle.tree is not entry.tree or handle.buffer_version != entry.version:
                handle.forget()
                handle.adopt(entry.tree)
                handle.buffer_version = entry.version
            return entry

    def mutate(
        self, handle: Document, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False
    ) -> _T:
        """Apply one operation, which does all or nothing, to a buffered tree."""
        with self.guard:
            entry = self.bind(handle, overwrite=overwrite)
            result = store.apply(view, operation)
            entry.version += 1
            handle.buffer_version = entry.version
            # Measuring costs the whole tree: the larger it is, the more changes go by between two measurements.
            if entry.version - entry.measured_version > entry.size // 1024:
                self._held -= entry.size
                self._held += entry.measure()
                self._keep_to_capacity()
            return result

    def _keep_to_capacity(self) -> None:
        if self._held > self.capacity:
            self.flush(list(self._entries))

    def set_capacity(self, capacity: int) -> None:
        """Set the capacity and flush everything if the buffer holds more."""
        if not isinstance(capacity, int) or isinstance(capacity, bool):
            raise TypeError(f"The buffer capacity must be an integer number of bytes, not {type(capacity).__name__}.")
        with self.guard:
            self.capacity = capacity
            if self.size() > capacity:
                self.flush(list(self._entries))

    def flush(self, paths: list[str]) -> None:
        """Write the trees of these files and forget them; many in threads, where the file system is slow.

        Raises BufferedError if any could not be written; the others are.
        """
        errors: dict[str, Exception] = {}
        interrupt: BaseException | None = None
        waiting: dict[str, _Entry] = {}

        def write(path: str) -> None:
            entry = waiting.pop(path, None)
            try:
                if entry is not None:
                    entry.flush()
            except Exception as error:
                errors[path] = error

        with self.guard:
            for path in paths:
                entry = self._pop(path)
                if entry is not None:
                    waiting[path] = entry
            while waiting:
                try:
                    for _ in in_order(write, list(waiting), probe=_PROBE):
                        pass
                except BaseException as error:  # an interrupt must not cost the documents after this one
                    interrupt = interrupt or error
        if interrupt is not None:
            raise interrupt
        if errors:
            raise BufferedError({path: errors[path] for path in paths if path in errors})

    def flush_below(self, directory: str) -> None:
        """Write the trees of all files below a directory, because they are about to be copied."""
        with self.guard:
            self.flush([path for path in self._entries if path.startswith(directory.rstrip("/") + "/")])

    def catch_up(self, path: str) -> None:
        """Have the buffered tree of a file, if there is one, follow a write of this process that did not go through it.

        The thread that wrote was not buffering when it began. What it writes next is buffered, and must not contradict
        what it has written before.
        """
        with self.guard:
            entry = self._entries.get(path)
            if entry is not None:
                entry.catch_up()

    def discard(self, path: str) -> None:
        """Forget the tree of a file that is being removed."""
        with self.guard:
            self._pop(path)

    def _pop(self, path: str) -> _Entry | None:
        entry = self._entries.pop(path, None)
        if entry is not None:
            self._held -= entry.size
        return entry

    def enter(self) -> None:
        """Begin to buffer every document."""
        with self.guard:
            self.depth += 1
            store.active_buffer = self

    def leave(self) -> None:
        """End what :meth:`enter` began; the last exit flushes."""
        with self.guard:
            self.depth -= 1
            if self.depth == 0:
                self._finish([path for path in self._entries if path not in self.own_depth])

    def enter_own(self, path: str) -> None:
        """Begin to buffer one document."""
        with self.guard:
            self.own_depth[path] = self.own_depth.get(path, 0) + 1
            store.active_buffer = self

    def leave_own(self, path: str) -> None:
        """End what :meth:`enter_own` began; the last exit flushes."""
        with self.guard:
            self.own_depth[path] -= 1
            if self.own_depth[path] == 0:
                del self.own_depth[path]
                if self.depth == 0:
                    self._finish([path])

    def _finish(self, paths: list[str]) -> None:
        try:
            self.flush(paths)
        finally:
            if self.depth == 0 and not self.own_depth:
                store.active_buffer = None


_buffer = Buffer()


class buffered:
    """Context in which the changes of all documents are collected and written at its end.

    Contexts nest; the outermost writes. State points and HDF5 stores are never buffered.

    Parameters
    ----------
    buffer_capacity : int, optional
        Bytes of JSON text that may be held within this context before everything is written.

    Raises
    ------
    BufferedError
        On leaving, if a document could not be written; ``files`` names each with its reason. On entering, too, if an
        outer context holds more than the capacity, which is therefore written.
    TypeError
        On entering, if the capacity is not an integer. The context has not begun then, and the capacity is as before.

    Examples
    --------
    >>> from signac_core import init_project
    >>> job = init_project("study").open_job({"T": 1.5}).init()
    >>> with buffered():
    ...     for step in range(1000):
    ...         job.doc.step = step
    ...     print(job.doc.step, job.isfile("signac_job_document.json"))
    999 False
    >>> job.isfile("signac_job_document.json")
    True

    """

    def __init__(self, buffer_capacity: int | None = None) -> None:
        self._capacity = buffer_capacity
        self._outer_capacities: list[int] = []  # the object may be entered several times

    def __enter__(self) -> None:
        if self._capacity is not None:
            outer = _buffer.capacity
            try:
                _buffer.set_capacity(self._capacity)
            except BaseException:  # the context has not begun
                _buffer.capacity = outer
                raise
            self._outer_capacities.append(outer)
        _buffer.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            _buffer.leave()
        finally:
            if self._capacity is not None:
                _buffer.set_capacity(self._outer_capacities.pop())


class BufferedDocument:
    """Context in which the changes of one document are collected and written at its end.

    On leaving, MetadataError if someone else changed the same key differently meanwhile. After any error the file is as
    it was.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        _buffer.enter_own(self._path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            _buffer.leave_own(self._path)
        except BufferedError as failure:
            raise failure.files[self._path] from None


def is_buffered() -> bool:
    """Tell whether documents are being buffered.

    Returns
    -------
    bool
        Whether this is inside of :func:`buffered`.

    Examples
    --------
    >>> with buffered():
    ...     print(is_buffered())
    True
    >>> is_buffered()
    False

    """
    return _buffer.depth > 0


def get_buffer_capacity() -> int:
    """Capacity of the buffer.

    Returns
    -------
    int
        The capacity in bytes of JSON text, 33554432 unless set; a buffer that holds more is written at once.

    Examples
    --------
    >>> get_buffer_capacity()
    33554432
    >>> with buffered(buffer_capacity=1024):
    ...     print(get_buffer_capacity())
    1024

    """
    return _buffer.capacity


def set_buffer_capacity(new_capacity: int) -> None:
    """Set the capacity of the buffer.

    Parameters
    ----------
    new_capacity : int
        The capacity in bytes of JSON text.

    Raises
    ------
    TypeError
        If the capacity is not an integer.
    BufferedError
        If the buffer holds more, is therefore flushed, and a document could not be written.

    Examples
    --------
    >>> before = get_buffer_capacity()
    >>> set_buffer_capacity(1024)
    >>> get_buffer_capacity()
    1024
    >>> set_buffer_capacity(before)

    """
    _buffer.set_capacity(new_capacity)


def get_current_buffer_size() -> int:
    """How much the buffer holds at the moment.

    Returns
    -------
    int
        Bytes of JSON text.

    Examples
    --------
    >>> from signac_core import JSONDict
    >>> d = JSONDict("d.json")
    >>> with buffered():
    ...     d.step = 1
    ...     print(get_current_buffer_size())
    11
    >>> get_current_buffer_size()
    0

    """
    return _buffer.size()
