"""A JSON document on disk: one plain tree, read when it changed, written under a lock.

Every change is one operation applied, under the lock, to the tree just read, followed by one atomic replacement. Other
keys that someone else wrote meanwhile, at any depth, survive. Nothing is written when nothing changed.

A document that is written again keeps the descriptor of its lock file, as a lock that rests (see `locks`). It may be
that of a job which was moved away by a program that knows nothing of locks, while another one has taken its place. So
when the lock has been taken again, the document has to be the very file that the last write has left next to the lock
file, and that has to be less than a second ago. Or else the path of the lock file is looked up, and if it leads
elsewhere, the lock is taken anew.

Of calls that a network sees, a write takes what signac 2.4.1 takes (two times open and close, and rename), and for the
safety of keys lock and unlock; the first two writes of a handle, open and close of the lock file as well.

A read trusts its copy as long as the signature of the file (inode, size, mtime, ctime) is the same: one ``stat``. The
signature is believed only when the file had been at rest, by both its time stamps and by the clock that they come from,
for longer than that clock is coarse; before that the file is read again each time.
"""

from __future__ import annotations

import errno
import os
from _thread import RLock
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .. import canonical, files, layout

if TYPE_CHECKING:
    from ..locks import Lock
    from ..stamps import Signature
    from ..workspace import Space

__all__ = [
    "BoundView",
    "Document",
    "Store",
    "active_buffer",
    "apply",
    "flush",
    "for_job",
    "for_project",
    "parse_document",
]

_T = TypeVar("_T")


def parse_document(text: bytes, path: str) -> dict[str, Any]:
    """Parse the content of a document file, which the path names in messages; JSON ``null`` is an empty document.

    Raises JSONDecodeError if it is not JSON; ValueError if it cannot be decoded, or is JSON but not an object.
    """
    try:
        data = canonical.loads(text)
    except canonical.JSONDecodeError as error:
        raise canonical.JSONDecodeError(
            f"Document '{path}' is not valid JSON: {error.msg}", error.doc, error.pos
        ) from None
    except ValueError as error:
        raise ValueError(f"Document '{path}' is not valid JSON: {error}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ValueError(f"Document '{path}': Unsupported type: {type(data)}. The data must be a mapping or None.")
    return data


class BoundView(Protocol):
    """What a store needs to know of a live view of its tree."""

    @property
    def _parent(self) -> BoundView | None: ...
    def _attached_data(self) -> Any: ...
    def _rebind(self, data: Any) -> None: ...
    def _prune(self) -> None: ...


def apply(view: BoundView, operation: Callable[[Any], _T]) -> _T:
    """Apply one operation to the container of a view, and bind its children to what that holds now; write nothing.

    Raises DetachedError if the place of the view in its tree has gone.
    """
    result = operation(view._attached_data())
    view._prune()
    return result


class Store(Protocol):
    """One plain tree behind live views: a document on disk, or the state point of a job."""

    tree: dict[str, Any]

    def sync(self) -> None:
        """Bring the tree up to date before a read."""

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation to the container of a view in the up-to-date tree and persist the result.

        The parameters are those of :meth:`Document.mutate`.
        """
        ...

    def describe(self) -> str:
        """Name of the tree in messages."""
        ...

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the document, or else the root view, back after pickling."""
        ...


class Buffer(Protocol):
    """What holds the trees of buffered documents, shared by all threads; see `buffer`.

    ``guard`` is held by documents, too, from the question whether they are covered to the answer.
    """

    @property
    def guard(self) -> AbstractContextManager[Any]: ...
    def covers(self, path: str) -> bool: ...
    def bind(self, handle: Document, /) -> Any: ...
    def mutate(
        self, handle: Document, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False
    ) -> _T: ...
    def catch_up(self, path: str) -> None: ...
    def flush(self, paths: list[str]) -> None: ...
    def flush_below(self, directory: str) -> None: ...
    def discard(self, path: str) -> None: ...
    def trees(self) -> dict[str, dict[str, Any]]: ...


class Document:
    """A JSON document on disk, and its own simplest view.

    The file need not exist; as long as it does not, the tree holds ``data``, which is not written. Writers take the
    lock on the file at ``lock_path``.
    """

    __slots__ = (
        "_canonical",
        "_guard",
        "_kept",
        "_left",
        "_replaced",
        "_signature",
        "_text",
        "_was_written",
        "buffer_version",
        "durable",
        "lock_path",
        "path",
        "root",
        "tree",
    )

    _parent: BoundView | None = None  # the document is its own root

    def __init__(self, path: str, lock_path: str, *, durable: bool = False, data: dict[str, Any] | None = None) -> None:
        self._kept: Lock | None = None  # rests, and is taken again by the next write
        self._left: tuple[int, int, int, int] | None = None  # what the file was when the lock was given back
        self._was_written = False  # by this handle: what is written again may keep something
        self.path = path
        self.lock_path = lock_path
        self.durable = durable
        self.tree: dict[str, Any] = {} if data is None else data
        self.root: Callable[[], BoundView | None] | None = None  # a weak reference: the views hold their store
        self.buffer_version = -1  # of the buffered tree that this document is bound to
        self._replaced: os.stat_result | None = None  # status of the file when it was last read
        self._signature: Signature | None = None
        self._text: bytes | None = None  # what the tree was parsed from or written as; None when there is no file
        self._canonical = False  # whether _text is the text that this library writes for the tree
        self._guard = RLock()

    def describe(self) -> str:
        """Name of the document in messages."""
        return f"document '{self.path}'"

    def reduce(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """How to get the document back after pickling: a function and its arguments."""
        return _restored, (self.path, self.lock_path, self.durable)

    def _attached_data(self) -> dict[str, Any]:
        return self.tree

    def _rebind(self, data: Any) -> None:
        """Nothing is held but the tree itself."""

    def _prune(self) -> None:
        """Nothing is held but the tree itself."""

    # reading ------------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Bring the tree up to date (one stat when the file is settled and unchanged; else open, fstat, read, close).

        Raises ValueError if the file is not a JSON object.
        """
        buffer = active_buffer
        if buffer is not None:
            with buffer.guard:
                if buffer.covers(self.path):
                    buffer.bind(self)
                    return
        if self._signature is not None:
            try:
                if self._signature.of(os.stat(self.path)) == self._signature:
                    return
            except FileNotFoundError:
                pass  # read() tells a deleted document from a deleted directory
        with self._guard:
            self.read()

    def read(self) -> None:
        """Read the file; the tree is replaced only when the content is another.

        Raises ValueError if the file is not a JSON object.
        """
        self._signature = self._replaced = None
        try:
            text, status = files.read_with_status(self.path)
        except (FileNotFoundError, NotADirectoryError):
            # A document that was deleted is empty; a handle whose whole directory has gone keeps its last data.
            if self._text is not None and os.path.isdir(os.path.dirname(self.path) or "."):
                self._text = None
                self.adopt({})
            return
        self._replaced = status
        if text != self._text:
            tree = parse_document(text, self.path)
            self._text, self._canonical = text, False
            self.adopt(tree)
        judge = _judge or _import_judge()
        self._signature = judge(status)

    @property
    def exists(self) -> bool:
        """Whether there was a file when the document was last read or written."""
        return self._text is not None

    def initial(self) -> dict[str, Any] | None:
        """Copy of what the tree holds as long as there is no file; None once there was one."""
        return None if self.exists else canonical.loads(self.encode())

    def adopt(self, tree: dict[str, Any]) -> None:
        """Take another tree and bind the live views to it."""
        self.tree = tree
        root = None if self.root is None else self.root()
        if root is not None:
            root._rebind(tree)

    def forget(self) -> None:
        """Take nothing for granted: the next read parses the file again."""
        self._signature = None
        self._text, self._canonical = _UNKNOWN, False

    # writing ------------------------------------------------------------------------------------------------------

    def mutate(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool = False) -> _T:
        """Apply one operation, under the lock, to the tree just read, and replace the file if anything changed.

        Lock and unlock take open, flock, fstat, flock, close; the rest open, fstat, read, close to read and open,
        write, close, rename to write, and one call more to keep a mode that is not the usual one. When the same handle
        writes again and again, the lock takes fstat, flock, fstat, flock, and the write an fstat more.

        The operation changes the container of the view in place, and what it returns is returned. With ``overwrite`` it
        replaces the whole document: what the file holds does not matter then, even if it is damaged. DetachedError if
        the place of the view in the document has gone; LockTimeoutError if another process holds the lock for too long.
        After an error the file holds its old content.
        """
        with self._guard:
            buffer = active_buffer
            if buffer is not None:
                with buffer.guard:
                    if buffer.covers(self.path):
                        return buffer.mutate(self, view, operation, overwrite=overwrite)
            is_again = self._was_written
            lock = self._lock_and_read(overwrite=overwrite)
            try:
                result = self._apply(view, operation, overwrite=overwrite)
            finally:
                if is_again and lock.rest():
                    self._kept = lock
                else:
                    lock.release()
            if active_buffer is not None:  # another thread may have read the file just before it was replaced
                active_buffer.catch_up(self.path)
            return result

    def lock(self) -> Lock:
        """Take the lock of the document for a ``with`` block; a job without a state point file has none to take.

        Raises FileNotFoundError if the directory of the document does not exist; LockTimeoutError if another process
        holds the lock for too long.
        """
        from ..locks import acquire  # readers do not pay for it

        directory = os.path.dirname(self.path) or "."
        try:
            return acquire(self.lock_path, directory)
        except FileNotFoundError:
            raise FileNotFoundError(
                errno.ENOENT, "The directory of the document has gone (moved or removed meanwhile?)", directory
            ) from None

    def _lock_and_read(self, *, overwrite: bool) -> Lock:
        """Take the lock, and read the file under it; the errors are those of :meth:`lock` and :meth:`read`."""
        kept, self._kept = self._kept, None
        lock = kept if kept is not None and kept.retake() else self.lock()
        try:
            self._read_to_change(overwrite=overwrite)
            if lock is kept and not (self._is_as_left(lock) or lock.is_named()):
                lock.release()
                lock = self.lock()
                self._read_to_change(overwrite=overwrite)
            if self._was_written:
                self._left = None if self._replaced is None else _identity(self._replaced)
        except BaseException:
            lock.release()
            raise
        return lock

    def _is_as_left(self, lock: Lock) -> bool:
        """Tell whether the file that was just read is the very one that was next to the lock file a moment ago."""
        return lock.was_named_lately() and self._replaced is not None and _identity(self._replaced) == self._left

    def let_go(self) -> None:
        """Close what is kept from one write to the next."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.drop()

    def __del__(self) -> None:
        self.let_go()

    def _read_to_change(self, *, overwrite: bool) -> None:
        try:
            self.read()
        except ValueError:
            if not overwrite:
                raise
            self._text = None
            self.adopt({})

    def _apply(self, view: BoundView, operation: Callable[[Any], _T], *, overwrite: bool) -> _T:
        container = view._attached_data()
        before = self._text if self._canonical and self._text is not None else self.encode()
        existed = self._text is not None
        try:
            result = operation(container)
            text = self.encode()
            if text != (before if existed else b"{}") or (overwrite and not existed):
                self.replace(text)
        except BaseException:
            if self.encode() != before:
                self.adopt(canonical.loads(before))
            raise
        view._prune()
        return result

    def replace(self, text: bytes) -> None:
        """Write what :meth:`encode` gives to the file, which was read since the lock is held; it keeps its mode."""
        if self._was_written:
            self._left = self._replace_again(text)
        else:
            files.replace_file(self.path, text, durable=self.durable, replaced=self._replaced)
            self._was_written = True
        self._signature = None
        self._text, self._canonical = text, True

    def _replace_again(self, text: bytes) -> tuple[int, int, int, int]:
        """Replace the file as :func:`files.replace_file` does, and tell what it is now (one fstat more)."""
        try:
            with files.Replacement(self.path, durable=self.durable, replaced=self._replaced) as file:
                file.write(text)
                status = os.fstat(file.fd)
        except OSError as error:
            files.set_path(error, self.path)
            raise
        return _identity(status)

    def encode(self) -> bytes:
        """JSON of the tree, as this library writes it."""
        return canonical.dumps(self.tree).encode("ascii")


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    """What tells a file from others, and from what it was, whatever it is called: a rename does not change this."""
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


_UNKNOWN = b"\0"  # no document has this content

_judge: Callable[[os.stat_result], Signature | None] | None = None


def _import_judge() -> Callable[[os.stat_result], Signature | None]:
    global _judge  # who only prints documents pays for no import, and whoever reads them often for no statement
    from ..stamps import settled_signature

    _judge = settled_signature
    return settled_signature


active_buffer: Buffer | None = None
"""The buffer that documents go through; set by `buffer` while there is one."""


def _restored(path: str, lock_path: str, durable: bool) -> Document:
    return Document(path, lock_path, durable=durable)


def flush(path: str) -> None:
    """Write a document if it is buffered: its file is about to be looked at, or to get another path.

    Raises BufferedError if it could not be written.
    """
    if active_buffer is not None:
        active_buffer.flush([path])


def for_job(space: Space, job_id: str) -> Document:
    """Document of a job, not read yet; its writers take the lock of the state point file."""
    directory = os.path.join(space.workspace, job_id)
    return Document(
        os.path.join(directory, layout.FN_DOCUMENT),
        os.path.join(directory, layout.FN_STATE_POINT),
        durable=space.durable,
    )


def for_project(space: Space) -> Document:
    """Document of a project, not read yet; its writers take the lock of the configuration file."""
    return Document(
        space.path(space.document_name),
        os.path.join(space.root, layout.FN_CONFIG),
        durable=space.durable,
    )
