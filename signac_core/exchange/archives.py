"""Archives of jobs: zip, and tar with or without compression. Members out, members in.

*Out*: a :class:`Writer` stores directories, files and links; :func:`add_directory` feeds it. An archive gets its name
when it is whole: until then it is hidden beside it. *In*: a :class:`Reader` lists members and opens them; ``unpacking``
puts them on disk.

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
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import files, layout
from ..errors import Error
from ..layout import is_leftover
from . import links
from .links import LeftOut, Way

if TYPE_CHECKING:
    from tarfile import TarFile, TarInfo
    from zipfile import ZipFile, ZipInfo

__all__ = [
    "ArchiveError",
    "Member",
    "Reader",
    "Writer",
    "add_directory",
    "archive_format",
    "create",
    "open_archive",
    "refusal",
    "rehearsal",
    "writer_on",
]

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
_CHUNK = 1 << 20
_LARGEST_HEADER = 1 << 20
"""Bytes that the description of a member of a tar file may take, long names and extended attributes included."""


class ArchiveError(Error, RuntimeError):
    """An archive cannot be read, holds what must not be unpacked, or cannot hold what is to be stored."""


def archive_format(name: str) -> str | None:
    """Tell which kind of archive a file name asks for; None if it is that of a directory.

    Raises TypeError if the name has an extension that is not the one of an archive.
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


# out ------------------------------------------------------------------------------------------------------------------


class Writer(Protocol):
    """An archive to which members are added."""

    follows_links: bool
    stores_directories: bool

    def names(self) -> Iterable[str]:
        """Names of the members that are there already."""

    def add_directory(self, name: str, source: str) -> None:
        """Add a directory, without what it holds."""

    def add_file(self, name: str, source: str) -> None:
        """Add a file."""

    def add_text(self, name: str, text: bytes, source: str | None) -> None:
        """Add a file with the given content."""

    def add_link(self, name: str, source: str) -> None:
        """Add a symbolic link."""


class _ZipWriter:
    follows_links = True
    stores_directories = False

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def names(self) -> Iterable[str]:
        return self._archive.namelist()

    def _info(self, name: str, source: str) -> ZipInfo:
        from zipfile import ZipInfo

        _check_zip_name(name, source)
        info = ZipInfo.from_file(source, name, strict_timestamps=False)
        info.filename = name  # from_file() would make it shorter
        info.external_attr &= ~(0o7000 << 16)  # nothing runs as somebody else because it was unpacked
        info.compress_type = self._archive.compression
        return info

    def add_directory(self, name: str, source: str) -> None:
        info = self._info(name + "/", source)
        info.compress_type = 0  # stored
        self._archive.writestr(info, b"")

    def add_file(self, name: str, source: str) -> None:
        import shutil

        info = self._info(name, source)
        with open(source, "rb") as file, self._archive.open(info, "w") as member:
            shutil.copyfileobj(file, member, _CHUNK)

    def add_text(self, name: str, text: bytes, source: str | None) -> None:
        if source is not None:
            self._archive.writestr(self._info(name, source), text)
            return
        import time
        from zipfile import ZipInfo

        _check_zip_name(name, name)
        info = ZipInfo(name, time.localtime()[:6])
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        info.compress_type = self._archive.compression
        self._archive.writestr(info, text)

    def add_link(self, name: str, source: str) -> None:
        import time
        from zipfile import ZipInfo

        _check_zip_name(name, source)
        info = ZipInfo(name, time.localtime()[:6])
        info.create_system = 3  # Unix, whose modes tell links
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        self._archive.writestr(info, os.fsencode(os.readlink(source)))


def _check_zip_name(name: str, source: str) -> None:
    """Make sure that a zip file can hold a member of this name.

    Raises ArchiveError if it cannot.
    """
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
        from .tarheader import describe

        with open(source, "rb") as file:
            self._archive.addfile(describe(name, os.fstat(file.fileno())), file)

    def add_text(self, name: str, text: bytes, source: str | None) -> None:
        from io import BytesIO

        from .tarheader import describe

        header = describe(name, None if source is None else os.stat(source))
        header.size = len(text)
        self._archive.addfile(header, BytesIO(text))

    def add_link(self, name: str, source: str) -> None:
        from tarfile import SYMTYPE

        from .tarheader import describe

        # gettarinfo() would make a second name of the same link a hard link, which is none to a file.
        header = describe(name, os.lstat(source))
        header.type, header.linkname, header.size = SYMTYPE, os.readlink(source), 0
        self._archive.addfile(header)


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

    def add_text(self, name: str, text: bytes, source: str | None) -> None:
        self._check(name, source or name)

    def add_link(self, name: str, source: str) -> None:
        self._check(name, source)

    def _check(self, name: str, source: str) -> None:
        if not self.stores_directories:
            _check_zip_name(name, source)


def rehearsal(kind: str) -> Writer:
    """Make a writer that writes nothing, but refuses what an archive of this kind cannot hold."""
    return _Rehearsal(kind)


def writer_on(archive: object) -> Writer | None:
    """Make a writer that appends to an open archive."""
    from tarfile import TarFile
    from zipfile import ZipFile

    if isinstance(archive, ZipFile):
        return _ZipWriter(archive)
    return _TarWriter(archive) if isinstance(archive, TarFile) else None


@contextmanager
def create(path: str, kind: str, *, durable: bool = False) -> Iterator[Writer]:
    """Context manager for a new archive, which replaces what has its name when the context is left without an error.

    Raises OSError if the archive cannot be written whole; what had its name is untouched then.
    """
    directory = os.path.dirname(path)
    temporary = layout.temporary_for(path)
    try:
        with open(temporary, "xb") as file:
            with _new_archive(file, path, kind) as archive:
                writer = writer_on(archive)
                assert writer is not None
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


def _new_archive(file: IO[bytes], path: str, kind: str) -> ZipFile | TarFile:
    if kind == "zip":
        import zipfile

        return zipfile.ZipFile(file, "w", compression=zipfile.ZIP_DEFLATED)
    import tarfile

    mode: Any = "w" + kind.removeprefix("tar")
    return tarfile.open(path, mode, fileobj=file)


def add_directory(
    writer: Writer, source: str, name: str, state_point: bytes, *, left_out: LeftOut = links.warn
) -> None:
    """Add a job directory with all that it holds.

    Raises ArchiveError if the archive cannot hold the name of something; OSError if something cannot be read, or is no
    file, directory or link.
    """
    root = name or "."
    if writer.stores_directories:
        writer.add_directory(root, source)
    path = os.path.join(source, layout.FN_STATE_POINT)
    writer.add_text(f"{root}/{layout.FN_STATE_POINT}", state_point, path if os.path.isfile(path) else None)
    try:
        _add_content(writer, Way(source), root, left_out, apart=layout.FN_STATE_POINT)
    except RecursionError:
        raise files.nested_too_deeply(source) from None


def _add_content(writer: Writer, way: Way, name: str, left_out: LeftOut, *, apart: str = "") -> None:
    for entry in _entries(way.path):
        if entry.name == apart:
            continue
        member = f"{name}/{entry.name}"
        verdict = way.judge(entry, follow=writer.follows_links)
        if verdict.kind == "link":
            writer.add_link(member, entry.path)
        elif verdict.kind == "nothing":
            left_out(entry.path, verdict.text)
        elif verdict.kind == "file":
            writer.add_file(member, entry.path)
        elif verdict.kind == "directory":
            if writer.stores_directories or not _entries(entry.path):
                writer.add_directory(member, entry.path)
            _add_content(writer, way.below(entry), member, left_out)
        else:
            raise OSError(errno.EINVAL, "An archive cannot hold what is neither file nor directory", entry.path)


def _entries(directory: str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        found = [entry for entry in entries if not is_leftover(entry.name)]
    return sorted(found, key=lambda entry: entry.name)


# in -------------------------------------------------------------------------------------------------------------------


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
        """List the members."""

    def open(self, member: Member) -> IO[bytes]:
        """Open a file for reading."""

    def check_rest(self, allowed: int) -> None:
        """Once the members are known, read what is left of the archive as far as its checksum needs that.

        Raises ArchiveError if there are more.
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
    """Make an error about a member that must not be unpacked."""
    return ArchiveError(
        f"The archive '{path}' is refused: its member {name!r} {reason}. If you trust it, unpack it and import the "
        "directory."
    )


@contextmanager
def open_archive(path: str) -> Iterator[Reader]:
    """Context manager for reading an archive, whose kind is told by its content.

    Raises ArchiveError if it is neither a zip nor a tar file, or turns out to be damaged while it is read; OSError if
    it cannot be read.
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
