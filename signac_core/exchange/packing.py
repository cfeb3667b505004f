"""Writing archives: members in, one after the other.

A :class:`Writer` stores directories, files and links; :func:`add_directory` feeds it. An archive gets its name when it
is whole: until then it is hidden beside it.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Protocol

from .. import files, layout
from . import links
from .archives import _CHUNK, ArchiveError
from .copying import StatePointFile
from .links import LeftOut, Way

if TYPE_CHECKING:
    from tarfile import TarFile
    from zipfile import ZipFile, ZipInfo

__all__ = [
    "Writer",
    "add_directory",
    "archive_format",
    "create",
    "rehearsal",
    "writer_on",
]


_SMALL = 1 << 16
_BLOCK = 512  # bytes, of which a tar file has a whole number
_BUFFER = 1 << 17

_FORMATS = {
    ".zip": "zip",
    ".tar": "tar",
    ".gz": "tar:gz",
    ".tgz": "tar:gz",
    ".bz2": "tar:bz2",
    ".tbz2": "tar:bz2",
    ".xz": "tar:xz",
    ".txz": "tar:xz",
}


def archive_format(name: str) -> str | None:
    """Tell which kind of archive a file name asks for; None if it is that of a directory.

    A name that ends in a slash, and one that exists as a directory, is that of a directory. The kinds are ``"zip"``,
    and ``"tar"`` with ``":gz"``, ``":bz2"``, ``":xz"`` or nothing behind it. TypeError if the name has another
    extension.
    """
    extension = os.path.splitext(os.path.basename(name))[1]
    if not extension or os.path.isdir(name):
        return None
    if extension not in _FORMATS:
        raise TypeError(
            f"Unknown extension '{extension}'. Archives end in {', '.join(_FORMATS)}; to export to a directory of this "
            f"name, append a slash: '{name}/'."
        )
    return _FORMATS[extension]


class Writer(Protocol):
    """An archive to which members are added, under names as in the archive.

    A writer that ``follows_links`` stores what they lead to as far as that is possible; one that ``stores_directories``
    has members for directories that are not empty, too. The source of a member, or its
    status, gives its time and its mode.
    """

    follows_links: bool
    stores_directories: bool

    def names(self) -> Iterable[str]:
        """Names of the members that are there already."""

    def add_directory(self, name: str, source: str) -> None:
        """Add a directory, without what it holds."""

    def add_file(self, name: str, source: str) -> None:
        """Add a file."""

    def add_text(self, name: str, text: bytes, status: os.stat_result | None) -> None:
        """Add a file with the given content; without a status it is one that is being made now."""

    def add_link(self, name: str, source: str) -> None:
        """Add a symbolic link."""


class _ZipWriter:
    follows_links = True
    stores_directories = False

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def names(self) -> Iterable[str]:
        return self._archive.namelist()

    def _info(self, name: str, source: str, status: os.stat_result) -> ZipInfo:
        from zipfile import ZipInfo

        _check_zip_name(name, source)
        info = ZipInfo(name, min(max(time.localtime(status.st_mtime)[:6], _FIRST_TIME), _LAST_TIME))
        info.external_attr = (status.st_mode & 0xFFFF & ~0o7000) << 16  # nothing runs as somebody else because of it
        info.compress_type = self._archive.compression
        info.file_size = status.st_size
        return info

    def add_directory(self, name: str, source: str) -> None:
        info = self._info(name + "/", source, os.stat(source))
        info.external_attr |= 0x10  # what MS-DOS calls a directory
        info.file_size = info.compress_type = 0  # stored
        self._archive.writestr(info, b"")

    def add_file(self, name: str, source: str) -> None:
        with open(source, "rb", buffering=0) as file:
            info = self._info(name, source, os.fstat(file.fileno()))
            with self._archive.open(info, "w") as member:
                _copy_all(file, member, info.file_size)

    def add_text(self, name: str, text: bytes, status: os.stat_result | None) -> None:
        if status is not None:
            self._archive.writestr(self._info(name, name, status), text)
            return
        from zipfile import ZipInfo

        _check_zip_name(name, name)
        info = ZipInfo(name, time.localtime()[:6])
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        info.compress_type = self._archive.compression
        self._archive.writestr(info, text)

    def add_link(self, name: str, source: str) -> None:
        from zipfile import ZipInfo

        _check_zip_name(name, source)
        info = ZipInfo(name, time.localtime()[:6])
        info.create_system = 3  # Unix, whose modes tell links
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        self._archive.writestr(info, os.fsencode(os.readlink(source)))


_FIRST_TIME, _LAST_TIME = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 59)
"""Between which a zip file can name a time."""


def _copy_all(file: IO[bytes], member: IO[bytes], size: int) -> None:
    """Copy what a file holds, in one read if it is as small as it was."""
    while data := file.read(min(max(size + 1, _SMALL), _CHUNK)):
        member.write(data)
        if size <= len(data) < min(max(size + 1, _SMALL), _CHUNK):
            return


def _check_zip_name(name: str, source: str) -> None:
    """Make sure that a zip file can hold a member of this name; ArchiveError if it cannot."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ArchiveError(
            f"A zip file cannot hold '{source}' under the name '{name}', which is not UTF-8: change the name, or "
            "export to a tar file."
        ) from None


class _TarWriter:
    follows_links = False
    stores_directories = True

    def __init__(self, archive: TarFile) -> None:
        self._archive = archive

    def names(self) -> Iterable[str]:
        return self._archive.getnames()

    def add_directory(self, name: str, source: str) -> None:
        from .tarheader import describe

        self._archive.addfile(describe(name, os.stat(source)))

    def add_file(self, name: str, source: str) -> None:
        from io import BufferedReader

        from .tarheader import describe

        with open(source, "rb", buffering=0) as file:
            header = describe(name, os.fstat(file.fileno()))
            if header.size < _SMALL:
                self._archive.addfile(header, file)
                return
            with BufferedReader(file) as whole:  # of much, a system may give less at once than is asked for
                self._archive.addfile(header, whole)

    def add_text(self, name: str, text: bytes, status: os.stat_result | None) -> None:
        from io import BytesIO

        from .tarheader import describe

        header = describe(name, status)
        header.size = len(text)
        self._archive.addfile(header, BytesIO(text))

    def add_link(self, name: str, source: str) -> None:
        from tarfile import SYMTYPE

        from .tarheader import describe

        # gettarinfo() would make a second name of the same link a hard link, which is none to a file.
        header = describe(name, os.lstat(source))
        header.type, header.linkname, header.size = SYMTYPE, os.readlink(source), 0
        self._archive.addfile(header)


class _NewTarWriter(_TarWriter):
    """Writes an archive to which nobody else adds: what is usual, each member in one piece and without a ``TarInfo``.

    The archive does not list its members then.
    """

    def __init__(self, archive: TarFile) -> None:
        from .tarheader import usual_header

        super().__init__(archive)
        self._usual_header = usual_header

    def add_directory(self, name: str, source: str) -> None:
        if not self._add(name, os.stat(source), b""):
            super().add_directory(name, source)

    def add_file(self, name: str, source: str) -> None:
        data, status = files.read_if_small(source, _SMALL)
        if data is None or not self._add(name, status, data):
            super().add_file(name, source)

    def add_text(self, name: str, text: bytes, status: os.stat_result | None) -> None:
        if status is None or not self._add(name, status, text):
            super().add_text(name, text, status)

    def _add(self, name: str, status: os.stat_result, data: bytes) -> bool:
        """Add a file or directory; False if it is not a usual one."""
        header = self._usual_header(name, status, len(data))
        if header is None:
            return False
        member = header + data + bytes(-len(data) % _BLOCK)
        assert self._archive.fileobj is not None
        self._archive.fileobj.write(member)
        self._archive.offset += len(member)
        return True


class _Rehearsal:
    """An archive of a kind that holds nothing: adding to it finds out what adding to a real one would meet."""

    def __init__(self, kind: str) -> None:
        self.follows_links = kind == "zip"
        self.stores_directories = kind != "zip"

    def names(self) -> Iterable[str]:
        return ()

    def add_directory(self, name: str, source: str) -> None:
        self._check(name, source)

    def add_file(self, name: str, source: str) -> None:
        self._check(name, source)
        files.ensure_readable(source)

    def add_text(self, name: str, text: bytes, status: os.stat_result | None) -> None:
        self._check(name, name)

    def add_link(self, name: str, source: str) -> None:
        self._check(name, source)

    def _check(self, name: str, source: str) -> None:
        if not self.stores_directories:
            _check_zip_name(name, source)


def rehearsal(kind: str) -> Writer:
    """Make a writer that writes nothing, but refuses what an archive of this kind cannot hold."""
    return _Rehearsal(kind)


def writer_on(archive: object) -> Writer | None:
    """Make a writer that appends to an open archive; None for any other object."""
    from tarfile import TarFile
    from zipfile import ZipFile

    if isinstance(archive, ZipFile):
        return _ZipWriter(archive)
    return _TarWriter(archive) if isinstance(archive, TarFile) else None


@contextmanager
def create(path: str, kind: str, *, durable: bool = False) -> Iterator[Writer]:
    """Context manager for a new archive, which replaces what has its name when the context is left without an error.

    Until then, and after any error, what had its name is untouched.
    """
    directory = os.path.dirname(path)
    temporary = layout.temporary_for(path)
    try:
        with open(temporary, "xb", buffering=_BUFFER) as file:
            with _new_archive(file, path, kind) as writer:
                yield writer
            file.flush()
            if durable:
                os.fsync(file.fileno())
        files.keep_mode(temporary, path)
        os.rename(temporary, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename in (None, temporary):
            files.set_path(error, path)
        with suppress(OSError):  # the error that led here matters more
            os.unlink(temporary)
        raise
    if durable:
        files.sync_directory(directory or ".")


@contextmanager
def _new_archive(file: IO[bytes], path: str, kind: str) -> Iterator[Writer]:
    if kind == "zip":
        import zipfile

        with zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            yield _ZipWriter(archive)
        return
    import tarfile

    mode: Any = "w" + kind.removeprefix("tar")
    with tarfile.open(path, mode, fileobj=file) as tar:
        yield _NewTarWriter(tar)


def add_directory(
    writer: Writer, source: str, name: str, state_point: StatePointFile, *, left_out: LeftOut = links.warn
) -> None:
    """Add a job directory with all that it holds, with the given state point file.

    ``name`` is its path in the archive, empty for the archive itself. ``left_out`` is called with each link that cannot
    be stored, see :mod:`links`. ArchiveError if the archive cannot hold the name of something; OSError if something
    cannot be read, or is no file, directory or link.
    """
    root = name or "."
    if writer.stores_directories:
        writer.add_directory(root, source)
    status = state_point.status
    if status is None:
        status = files.status_of(os.path.join(source, layout.FN_STATE_POINT))
    if status is not None and not stat.S_ISREG(status.st_mode):
        status = None
    writer.add_text(f"{root}/{layout.FN_STATE_POINT}", state_point.text, status)
    try:
        _add_content(writer, Way(source), root, left_out, without=layout.FN_STATE_POINT)
    except RecursionError:
        raise files.nested_too_deeply(source) from None


def _add_content(writer: Writer, way: Way, name: str, left_out: LeftOut, *, without: str = "") -> None:
    for entry in way.entries(without):
        member = f"{name}/{entry.name}"
        if entry.is_file(follow_symlinks=False):
            writer.add_file(member, entry.path)
            continue
        verdict = way.judge(entry, follow=writer.follows_links)
        if verdict.kind == "link":
            writer.add_link(member, entry.path)
        elif verdict.kind == "nothing":
            left_out(entry.path, verdict.text)
        elif verdict.kind == "file":
            writer.add_file(member, entry.path)
        elif verdict.kind == "directory":
            below = way.below(entry)
            if writer.stores_directories or not below.entries():
                writer.add_directory(member, entry.path)
            _add_content(writer, below, member, left_out)
        else:
            raise OSError(errno.EINVAL, "An archive cannot hold what is neither file nor directory", entry.path)
