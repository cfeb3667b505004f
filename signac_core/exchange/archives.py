"""Archives of jobs: zip, and tar with or without compression; reading them.

A :class:`Reader` lists members and opens them; `unpacking` puts them on disk, `packing` writes archives.

The members of a job are those of signac 2.x: ``<path>/signac_statepoint.json`` and the other files beside it. tar keeps
links that stay inside the job. Other programs make files of the links in a zip file, so there links are followed, and
only those that cannot be are kept. Nor does a zip file have entries for directories that are not empty, with which
signac 2.x could not import it: their permissions are kept by tar alone. The names of a job without a path of its own
begin with ``./``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import layout
from ..errors import Error

if TYPE_CHECKING:
    from tarfile import TarFile, TarInfo
    from zipfile import ZipFile, ZipInfo

__all__ = [
    "ArchiveError",
    "Member",
    "Reader",
    "open_archive",
    "refusal",
]

_CHUNK = 1 << 20
_LARGEST_HEADER = 1 << 20
"""Bytes that the description of a member of a tar file may take, long names and extended attributes included."""


class ArchiveError(Error, RuntimeError):
    """An archive cannot be read, holds what must not be unpacked, or cannot hold what is to be stored."""


class Member(NamedTuple):
    """One entry of an archive.

    Parameters
    ----------
    name : str
        As in the archive; normal after :func:`signac_core.exchange.unpacking.scan`.
    kind : str
        ``"file"``, ``"directory"``, ``"link"`` (symbolic) or ``"same"`` (a second name of a file).
    handle : object
        What the reader opens it by.
    size : int
        Bytes.
    modified : float, optional
        Seconds since 1970.
    mode : int, optional
        Permission bits.
    target : str
        What a link points to, or the other name of the same file.
    overhead : int
        Bytes that its description takes, uncompressed.
    """

    name: str
    kind: str
    handle: Any
    size: int = 0
    modified: float | None = None
    mode: int | None = None
    target: str = ""
    overhead: int = 0


class Reader(Protocol):
    """An archive whose members are read."""

    path: str

    def members(self) -> Iterator[Member]:
        """List the members, in the order of the archive."""

    def open(self, member: Member) -> IO[bytes]:
        """Open a file for reading."""

    def check_rest(self, allowed: int) -> None:
        """Once the members are known, read what is left of the archive as far as its checksum needs that.

        Raises ArchiveError if that is more than the number of bytes that is allowed.
        """


class _ZipReader:
    def __init__(self, path: str, archive: ZipFile) -> None:
        self.path = path
        self._archive = archive

    def members(self) -> Iterator[Member]:
        size = os.path.getsize(self.path)
        for info in self._archive.infolist():
            name = info.orig_filename  # the other one ends where a NUL is
            mode = info.external_attr >> 16
            kind = stat.S_IFMT(mode)
            if info.flag_bits & 1:
                raise refusal(self.path, name, "is encrypted")
            if info.compress_size > size:  # so much memory would be taken to read it
                raise ArchiveError(
                    f"The archive '{self.path}' is damaged: its member {name!r} is longer than the file."
                )
            if info.filename.endswith("/"):  # is_dir fails without a name
                yield Member(name, "directory", info, mode=stat.S_IMODE(mode) or None)
            elif kind in (0, stat.S_IFREG):
                yield Member(name, "file", info, info.file_size, mode=stat.S_IMODE(mode) if mode else None)
            elif kind == stat.S_IFLNK:
                yield Member(name, "link", info, target=self._target(info), overhead=info.file_size)
            else:
                raise refusal(self.path, name, "is a device, which a zip file should not hold")

    def _target(self, info: ZipInfo) -> str:
        """What a link points to, which is its content."""
        if not 0 < info.file_size <= layout.PATH_MAX:
            raise refusal(self.path, info.orig_filename, f"is a link to a name of {info.file_size} bytes")
        with self._archive.open(info) as content:
            return os.fsdecode(content.read(layout.PATH_MAX))

    def open(self, member: Member) -> IO[bytes]:
        return self._archive.open(member.handle)

    def check_rest(self, allowed: int) -> None:
        """Do nothing: each member has a checksum of its own."""


class _TarContent:
    """The content of a tar file, uncompressed, of which descriptions of members may take a part only.

    The size of a description is what the archive says it is: a small archive can hold one that fills the memory.
    """

    def __init__(self, path: str, file: Any) -> None:
        self._path = path
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close
        self.read_so_far = 0
        self.room: int | None = _LARGEST_HEADER

    def read(self, size: int = -1) -> bytes:
        if self.room is not None:
            if not 0 <= size <= self.room:
                raise ArchiveError(
                    f"The archive '{self._path}' is refused: the description of a member takes more than "
                    f"{_LARGEST_HEADER} bytes."
                )
            self.room -= size
        data: bytes = self._file.read(size)
        self.read_so_far += len(data)
        return data


class _TarReader:
    def __init__(self, path: str, archive: TarFile, content: _TarContent) -> None:
        self.path = path
        self._archive = archive
        self._content = content

    def members(self) -> Iterator[Member]:
        infos = iter(self._archive)
        while True:
            before = self._content.read_so_far
            self._content.room = _LARGEST_HEADER
            try:
                info = next(infos, None)
            except ValueError as error:  # an attribute that should be a number
                raise ArchiveError(f"The archive '{self.path}' is damaged: {error}.") from error
            finally:
                self._content.room = None
            if info is None:
                return
            info.pax_headers = {}  # they have been applied, and may be large
            yield self._member(info, self._content.read_so_far - before)

    def _member(self, info: TarInfo, overhead: int) -> Member:
        if info.isdir():
            return Member(info.name, "directory", info, mode=stat.S_IMODE(info.mode), overhead=overhead)
        if info.issym():
            return Member(info.name, "link", info, target=info.linkname, overhead=overhead)
        if info.islnk():
            return Member(info.name, "same", info, target=info.linkname, overhead=overhead)
        if info.isreg():
            mode = stat.S_IMODE(info.mode)
            return Member(info.name, "file", info, info.size, info.mtime, mode, overhead=overhead)
        raise refusal(self.path, info.name, "is a device or a pipe")

    def open(self, member: Member) -> IO[bytes]:
        file = self._archive.extractfile(member.handle)
        assert file is not None
        return file

    def check_rest(self, allowed: int) -> None:
        file: Any = self._archive.fileobj  # a decompressor, which compares the checksum at its end
        size = 0
        while data := file.read(_CHUNK):
            size += len(data)
            if size > allowed:
                raise ArchiveError(
                    f"The archive '{self.path}' is refused: after its members come {size} bytes or more."
                )


def refusal(path: str, name: str, reason: str) -> ArchiveError:
    """Make an error about a member that must not be unpacked; the reason ends a sentence about it."""
    return ArchiveError(
        f"The archive '{path}' is refused: its member {name!r} {reason}. If you trust it, unpack it and import the "
        "directory."
    )


@contextmanager
def open_archive(path: str) -> Iterator[Reader]:
    """Context manager for reading an archive, whose kind is told by its content.

    Raises ArchiveError if it is neither a zip nor a tar file, or turns out to be damaged while it is read.
    """
    import zipfile

    with ExitStack() as stack, _damage_reported(path):
        # A tar file may end with the end of a zip file that it holds.
        tar = _open_tar(path, stack)
        if tar is not None:
            yield tar
        elif zipfile.is_zipfile(path):
            yield _ZipReader(path, stack.enter_context(zipfile.ZipFile(path)))
        else:
            raise ArchiveError(f"Unknown file type: '{path}' is neither a directory nor a readable zip or tar file.")


_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bz2", b"\xfd7": "lzma", b"]\0": "lzma"}
"""The modules that read what begins with these bytes."""


def _open_tar(path: str, stack: ExitStack) -> _TarReader | None:
    """Open a tar file, compressed or not, until ``stack`` is closed; None if it is none."""
    import tarfile
    from importlib import import_module

    file = stack.enter_context(open(path, "rb"))  # noqa: SIM115 - the stack closes it
    begin = file.read(2)
    if begin == b"PK":
        return None
    file.seek(0)
    module = _COMPRESSED.get(begin)
    content = _TarContent(path, stack.enter_context(import_module(module).open(file)) if module else file)
    try:
        archive = tarfile.TarFile(path, fileobj=content)  # type: ignore[arg-type]
    except (tarfile.TarError, EOFError, ValueError):  # ValueError: an attribute that should be a number
        return None
    except Exception as error:
        if module is None or isinstance(error, ArchiveError):
            raise
        return None  # what it begins with was chance
    return _TarReader(path, stack.enter_context(archive), content)


@contextmanager
def _damage_reported(path: str) -> Iterator[None]:
    """Turn what the modules of the standard library raise for damaged archives into one error."""
    import lzma
    import struct
    import tarfile
    import zipfile
    import zlib

    damage = (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        NotImplementedError,  # an unknown compression
        UnicodeDecodeError,
    )
    try:
        yield
    except damage as error:
        raise ArchiveError(f"The archive '{path}' is damaged: {error}.") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL) or error.filename is not None:  # EINVAL: a place before the file
            raise
        raise ArchiveError(f"The archive '{path}' is damaged: {error}.") from error
