"""The exceptions of the library.

The tree and the constructors follow signac 2.x. ``InvalidKeyError`` and ``KeyTypeError`` are deliberately not
subclasses of ``Error``; neither are the two buffering exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "BufferException",
    "BufferedError",
    "ConfigError",
    "DestinationExistsError",
    "DetachedError",
    "DocumentSyncConflict",
    "Error",
    "FileSyncConflict",
    "H5StoreAlreadyOpenError",
    "H5StoreClosedError",
    "IncompatibleSchemaVersion",
    "InvalidKeyError",
    "JobsCorruptedError",
    "KeyTypeError",
    "LockTimeoutError",
    "MetadataError",
    "NumpyConversionWarning",
    "SchemaSyncConflict",
    "StatepointParsingError",
    "SyncConflict",
    "WorkspaceError",
]


class Error(Exception):
    """Base class of the errors of this library."""


class ConfigError(Error, RuntimeError):
    """A configuration file cannot be read or parsed."""


class H5StoreClosedError(Error, RuntimeError):
    """An HDF5 file was accessed through a closed store."""


class H5StoreAlreadyOpenError(Error, OSError):
    """The HDF5 file of a store is already open."""


class SyncConflict(Error, RuntimeError):
    """A synchronization cannot go on without a decision."""


class FileSyncConflict(SyncConflict):
    """A file differs between source and destination.

    Parameters
    ----------
    filename : str
        The name of the file that differs.
    job_id : str, optional
        The job that the file belongs to.

    """

    def __init__(self, filename: str, job_id: str | None = None) -> None:
        super().__init__(filename)
        self.filename = filename
        self.job_id = job_id

    def __str__(self) -> str:
        where = f" of job {self.job_id}" if self.job_id else ""
        return f"The file '{self.filename}'{where} differs between source and destination."


class DocumentSyncConflict(SyncConflict):
    """Document keys differ between source and destination.

    Parameters
    ----------
    keys : iterable of str
        The dotted keys that differ.
    job_id : str, optional
        The job that the document belongs to; None for the project document.

    """

    def __init__(self, keys: Iterable[str], job_id: str | None = None) -> None:
        super().__init__(keys)
        self.keys = keys
        self.job_id = job_id

    def __str__(self) -> str:
        where = f" in job {self.job_id}" if self.job_id else ""
        return (
            f"The following document keys differ between source and destination{where}: {', '.join(sorted(self.keys))}."
        )


class SchemaSyncConflict(SyncConflict):
    """The state point schemas of two projects differ.

    Parameters
    ----------
    schema_src, schema_dst : ProjectSchema
        The schemas of source and destination.

    """

    def __init__(self, schema_src: Any, schema_dst: Any) -> None:
        super().__init__(schema_src, schema_dst)
        self.schema_src = schema_src
        self.schema_dst = schema_dst

    def __str__(self) -> str:
        return "The state point schemas of source and destination differ."


class WorkspaceError(Error, OSError):
    """The workspace of a project cannot be created or read.

    Parameters
    ----------
    error : object
        What went wrong: a message or the exception of the operating system.

    """

    def __init__(self, error: Any) -> None:
        super().__init__()
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error,)

    def __str__(self) -> str:
        return str(self.error)


class DestinationExistsError(Error, RuntimeError):
    """The destination of a move, copy or state point change exists already.

    Parameters
    ----------
    destination : Job or str
        The job (move, clone, import) or the job id (state point change) that exists already.

    """

    def __init__(self, destination: Any) -> None:
        super().__init__(destination)
        self.destination = destination


class JobsCorruptedError(Error, RuntimeError):
    """The state point of one or more jobs is missing, unreadable or not the one the directory is named after.

    Parameters
    ----------
    job_ids : iterable of str
        The ids of the damaged jobs.

    """

    def __init__(self, job_ids: Iterable[str]) -> None:
        super().__init__(job_ids)
        self.job_ids = job_ids


class StatepointParsingError(Error, RuntimeError):
    """A state point could not be identified during an import."""


class IncompatibleSchemaVersion(Error):
    """The layout of the project is older or newer than the one this library reads."""


class LockTimeoutError(Error, TimeoutError):
    """A lock was not released by its holder in time."""


class InvalidKeyError(ValueError):
    """A mapping key contains a character that is not allowed."""


class KeyTypeError(TypeError):
    """A mapping key, or a value of a state point, has a type that is not allowed."""


class DetachedError(Error, RuntimeError):
    """A nested dict or list was changed after its place in the document had gone."""


class BufferException(RuntimeError):
    """Base class of the errors of buffered documents."""


class BufferedError(BufferException):
    """One or more buffered documents could not be written.

    Parameters
    ----------
    files : dict of str to Exception
        The reason for each file that was not written.

    """

    def __init__(self, files: dict[str, Exception]) -> None:
        super().__init__(files)
        self.files = files

    def __str__(self) -> str:
        return "Some buffered documents were not written: " + " ".join(str(error) for error in self.files.values())


class MetadataError(BufferException):
    """A document was changed by someone else, and in a contradicting way, while its changes were buffered.

    Parameters
    ----------
    filename : str
        The document.
    buffer_contents : bytes
        The JSON text that was not written.

    """

    def __init__(self, filename: str, buffer_contents: bytes) -> None:
        super().__init__(filename, buffer_contents)
        self.filename = filename
        self.buffer_contents = buffer_contents

    def __str__(self) -> str:
        return f"{self.filename} appears to have been externally modified."


class NumpyConversionWarning(UserWarning):
    """A numpy value was converted to its plain Python equivalent."""
