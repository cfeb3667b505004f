"""What a synchronization does with files and keys that differ."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from ..canonical import plain
from ..errors import DocumentSyncConflict
from ..trees import equal

if TYPE_CHECKING:
    import re

    from ..documents.views import JSONDict
    from ..workspace import Space

__all__ = [
    "ByKeyOrKeep",
    "DocSync",
    "DocumentStrategy",
    "FileSync",
    "JobHandle",
    "ProjectHandle",
]


class ProjectHandle(Protocol):
    """The handle on a project, as far as a synchronization needs it."""

    @property
    def path(self) -> str: ...
    @property
    def workspace(self) -> str: ...
    @property
    def space(self) -> Space: ...
    @property
    def document(self) -> JSONDict: ...
    @property
    def handle(self) -> Callable[..., JobHandle]: ...


class JobHandle(Protocol):
    """The handle on a job, as far as a synchronization needs it."""

    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def project(self) -> ProjectHandle: ...
    @property
    def document(self) -> JSONDict: ...
    @property
    def cached_statepoint(self) -> Mapping[str, Any]: ...
    def fn(self, filename: str, /) -> str: ...
    def init(self, *, validate_statepoint: bool) -> Any: ...


class FileSync:
    """Strategies for files that differ.

    A strategy is a function of source job, destination job and the path of the file, relative to both; the file is
    overwritten if it returns something true. Pass one of these, or a function of your own, as ``strategy``.

    Examples
    --------
    >>> from signac_core import init_project
    >>> source, destination = init_project("source"), init_project("destination")
    >>> for project in (source, destination):
    ...     with project.open_job({"T": 1}), open("log.txt", "w") as file:
    ...         _ = file.write(project.path)
    >>> destination.sync(source, strategy=FileSync.always)
    >>> with destination.open_job({"T": 1}), open("log.txt") as file:
    ...     file.read() == source.path
    True
    >>> destination.sync(source, strategy=lambda src, dst, fn: fn.endswith(".txt"))

    """

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Names of the strategies.

        Returns
        -------
        tuple of str
            The names: attributes of this class.

        Examples
        --------
        >>> FileSync.keys()
        ('always', 'never', 'update', 'Ask')

        """
        return ("always", "never", "update", "Ask")

    @staticmethod
    def always(src: JobHandle, dst: JobHandle, fn: str) -> bool:
        """Overwrite.

        Parameters
        ----------
        src, dst : Job
            Source and destination job.
        fn : str
            The file, relative to both job directories.

        Returns
        -------
        bool
            True.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> src, dst = project.open_job({"T": 1}).init(), project.open_job({"T": 2}).init()
        >>> FileSync.always(src, dst, "log.txt")
        True

        """
        return True

    @staticmethod
    def never(src: JobHandle, dst: JobHandle, fn: str) -> bool:
        """Keep what the destination has.

        Parameters
        ----------
        src, dst : Job
            Source and destination job.
        fn : str
            The file, relative to both job directories.

        Returns
        -------
        bool
            False.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> src, dst = project.open_job({"T": 1}).init(), project.open_job({"T": 2}).init()
        >>> FileSync.never(src, dst, "log.txt")
        False

        """
        return False

    @staticmethod
    def update(src: JobHandle, dst: JobHandle, fn: str) -> bool:
        """Overwrite if the file of the source was modified later.

        Parameters
        ----------
        src, dst : Job
            Source and destination job.
        fn : str
            The file, relative to both job directories.

        Returns
        -------
        bool
            Whether it was, to the resolution of the file system.

        Raises
        ------
        FileNotFoundError
            If one of the two files does not exist.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> src, dst = project.open_job({"T": 1}).init(), project.open_job({"T": 2}).init()
        >>> for job, time in ((src, 20), (dst, 10)):
        ...     open(job.fn("log.txt"), "w").close()
        ...     os.utime(job.fn("log.txt"), (time, time))
        >>> FileSync.update(src, dst, "log.txt"), FileSync.update(dst, src, "log.txt")
        (True, False)

        """
        return _modified(src.fn(fn)) > _modified(dst.fn(fn))

    class Ask:
        """Ask whether to overwrite, by :func:`input`, in notebooks, too; the question is on stderr off a terminal.

        One answer holds for all files of the same relative path, in whatever job. An empty line is no.

        Attributes
        ----------
        yes, no : set of str
            The paths that were answered so.

        Examples
        --------
        >>> ask = FileSync.Ask()
        >>> ask.yes.add("log.txt")  # answers that are known are not asked for
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> ask(project.open_job({"T": 1}), project.open_job({"T": 2}), "log.txt")
        True

        """

        def __init__(self) -> None:
            self.yes: set[str] = set()
            self.no: set[str] = set()
            self._guard = threading.Lock()

        def __call__(self, src: JobHandle, dst: JobHandle, fn: str) -> bool:
            """Decide about one file.

            Raises EOFError if standard input ends before an answer; the file is left as it is then.
            """
            with self._guard:  # one question at a time
                if fn not in self.yes and fn not in self.no:
                    (self.yes if _is_to_overwrite(fn) else self.no).add(fn)
                return fn in self.yes


def _modified(path: str) -> int:
    """Modification time in nanoseconds; of the link itself if it leads nowhere."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return os.lstat(path).st_mtime_ns


def _is_to_overwrite(path: str) -> bool:
    shown = f"'{path}'" if path.isprintable() else repr(path)  # whatever a terminal would make of it
    question = f"Overwrite files named {shown}? [y/N] "
    on_terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
    while True:
        if not on_terminal:  # standard output may be data
            sys.stderr.write(question)
            sys.stderr.flush()
        try:
            answer = input(question if on_terminal else "").strip().lower()
        except (EOFError, RuntimeError) as error:  # of programs without input, and notebooks that nobody watches
            sys.stderr.write("\n")
            raise EOFError(f"Nobody answers whether files named {shown} are to be overwritten.") from error
        if answer in ("", "n", "no"):
            return False
        if answer in ("y", "ye", "yes"):
            return True
        sys.stderr.write("Please answer y or n.\n")


class DocSync:
    """Strategies for documents; any function of source and destination document is one, too.

    Such a function changes the destination document, of which it gets a draft: a live dict whose final state is
    written at once when the function returns. An exception leaves the document as it was. Pass one of these, or a
    function of your own, as ``doc_sync``.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> src, dst = project.open_job({"T": 1}).init(), project.open_job({"T": 2}).init()
    >>> src.doc.update(steps=1000, stage="done")
    >>> dst.doc.update(steps=500)
    >>> dst.sync(src, doc_sync=DocSync.ByKey("steps"))
    >>> dst.doc()
    {'steps': 1000, 'stage': 'done'}
    >>> src.doc.stage = "archived"
    >>> dst.sync(src, doc_sync=lambda source, draft: draft.update(before=draft["stage"]))
    >>> dst.doc.before
    'done'

    """

    NO_SYNC: Literal[False] = False
    """Leave documents alone. (A job that is new at the destination comes with its document all the same.)"""

    COPY: Literal["copy"] = "copy"
    """Treat the documents of jobs like any other file, and leave the document of the project alone."""

    @staticmethod
    def update(src: Mapping[str, Any], dst: MutableMapping[str, Any]) -> None:
        """Take every top-level key from the source, overwriting what the destination holds.

        Parameters
        ----------
        src : mapping
            The source.
        dst : mutable mapping
            The destination.

        Examples
        --------
        >>> draft = {"a": 1, "n": {"x": 1}}
        >>> DocSync.update({"n": {"y": 2}}, draft)
        >>> draft
        {'a': 1, 'n': {'y': 2}}

        """
        dst.update(src)

    class ByKey:
        """Take the keys that the destination lacks, at any depth of nested mappings.

        Parameters
        ----------
        key_strategy : callable or str, optional
            Which of the keys that differ to overwrite: a function of the dotted key, or a regular expression that is
            matched at its beginning. Any other key that differs is a conflict; by default all are.

        Attributes
        ----------
        skipped_keys : set of str
            The dotted keys that were a conflict in the last use (a call, or a whole synchronization).

        Raises
        ------
        DocumentSyncConflict
            When called, if keys differ that are not to be overwritten.

        Examples
        --------
        >>> draft = {"a": 1, "n": {"x": 1}}
        >>> DocSync.ByKey("n[.]")({"b": 2, "n": {"x": 2}}, draft)
        >>> draft
        {'a': 1, 'n': {'x': 2}, 'b': 2}

        """

        def __init__(self, key_strategy: Callable[[str], Any] | str | re.Pattern[str] | None = None) -> None:
            self._given = key_strategy
            self.key_strategy: Callable[[str], Any] | None
            if key_strategy is None or callable(key_strategy):
                self.key_strategy = key_strategy
            else:
                import re

                self.key_strategy = re.compile(key_strategy).match
            self.skipped_keys: set[str] = set()

        def __repr__(self) -> str:
            return f"{type(self).__name__}({self._given!r})"

        def __call__(self, src: Mapping[str, Any], dst: MutableMapping[str, Any], root: str = "") -> Any:
            """Merge one mapping into another; ``root`` is put in front of the keys that are reported.

            When it raises DocumentSyncConflict, the destination has got all the other keys.
            """
            self.skipped_keys = set()
            self._merge(src, dst, root, self.skipped_keys)
            if self.skipped_keys:
                raise DocumentSyncConflict(self.skipped_keys)

        def _merge(self, src: Mapping[str, Any], dst: MutableMapping[str, Any], prefix: str, skipped: set[str]) -> None:
            for key in src:
                if key not in dst:
                    dst[key] = src[key]
                    continue
                ours, theirs = src[key], dst[key]
                if isinstance(ours, Mapping) and isinstance(theirs, MutableMapping):
                    self._merge(ours, theirs, f"{prefix}{key}.", skipped)
                elif not (ours == theirs or equal(plain(ours), plain(theirs))):
                    if self.key_strategy is not None and self.key_strategy(prefix + key):
                        dst[key] = ours
                    else:
                        skipped.add(prefix + key)


class ByKeyOrKeep(DocSync.ByKey):
    """Take keys as :class:`DocSync.ByKey` does, and keep what the destination holds under the others that differ."""

    def __call__(self, src: Mapping[str, Any], dst: MutableMapping[str, Any], root: str = "") -> set[str]:
        """Merge one mapping into another; give the dotted keys that were left alone."""
        self.skipped_keys = set()
        self._merge(src, dst, root, self.skipped_keys)
        return self.skipped_keys


DocumentStrategy: TypeAlias = (
    Callable[[Mapping[str, Any], MutableMapping[str, Any]], Any] | Literal[False, "copy"] | None
)
"""What may be given as ``doc_sync``."""


if not TYPE_CHECKING:
    from .. import late_names

    __getattr__ = late_names(
        globals(),
        {
            "JSONDict": ".documents.views",
            "Space": ".workspace",
            "re": "",
        },
    )
