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
    """Base class of the errors of this library.

    Examples
    --------
    >>> issubclass(JobsCorruptedError, Error), issubclass(JobsCorruptedError, RuntimeError)
    (True, True)

    """


class ReadableKeyError(KeyError):
    """A KeyError that is shown as its message, where KeyError itself is shown as the repr of that."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ConfigError(Error, RuntimeError):
    """A configuration file cannot be read or parsed.

    Examples
    --------
    >>> from signac_core import get_project, init_project
    >>> project = init_project()
    >>> with open(".signac/config", "w") as file:
    ...     _ = file.write("schema_version 2")
    >>> try:
    ...     get_project()
    ... except ConfigError:
    ...     print("repair .signac/config")
    repair .signac/config

    """


class H5StoreClosedError(Error, RuntimeError):
    """An HDF5 file was accessed through a closed store.

    Examples
    --------
    >>> from signac_core import H5Store
    >>> store = H5Store("file.h5")
    >>> try:
    ...     store.file
    ... except H5StoreClosedError as error:
    ...     error.args[0] == store.filename
    True

    """


class H5StoreAlreadyOpenError(Error, OSError):
    """The HDF5 file of a store is already open.

    Examples
    --------
    >>> from signac_core import H5Store
    >>> with H5Store("file.h5") as store:
    ...     try:
    ...         store.open()
    ...     except H5StoreAlreadyOpenError as error:
    ...         error.args[0] is store
    True

    """


class SyncConflict(Error, RuntimeError):
    """A synchronization cannot go on without a decision.

    Examples
    --------
    >>> issubclass(FileSyncConflict, SyncConflict), issubclass(SchemaSyncConflict, SyncConflict)
    (True, True)

    """


class FileSyncConflict(SyncConflict):
    """A file differs between source and destination.

    Parameters
    ----------
    filename : str
        The name of the file that differs, without directories.
    job_id : str, optional
        The job that the file belongs to.
    path : str, optional
        The path of the file, relative to the job directory; ``filename`` by default.

    Examples
    --------
    >>> from signac_core import init_project
    >>> source, destination = init_project("source"), init_project("destination")
    >>> for project in (source, destination):
    ...     with project.open_job({"T": 1}), open("log.txt", "w") as file:
    ...         _ = file.write(project.path)
    >>> try:
    ...     destination.sync(source)
    ... except FileSyncConflict as error:
    ...     print(error.filename, error.job_id)
    log.txt 6d21756b65b3521d51fddb0745a6a74a

    """

    def __init__(self, filename: str, job_id: str | None = None, path: str | None = None) -> None:
        super().__init__(filename)
        self.filename = filename
        self.job_id = job_id
        self.path = path or filename

    def __str__(self) -> str:
        where = f" of job {self.job_id}" if self.job_id else ""
        return f"The file '{self.path}'{where} differs between source and destination."


class DocumentSyncConflict(SyncConflict):
    """Document keys differ between source and destination.

    Parameters
    ----------
    keys : iterable of str
        The dotted keys that differ.
    job_id : str, optional
        The job that the document belongs to; None for the project document.

    Examples
    --------
    >>> from signac_core import init_project
    >>> source, destination = init_project("source"), init_project("destination")
    >>> source.doc.stage, destination.doc.stage = "done", "running"
    >>> try:
    ...     destination.sync(source)
    ... except DocumentSyncConflict as error:
    ...     print(error.keys)
    {'stage'}

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

    Examples
    --------
    >>> from signac_core import init_project
    >>> source, destination = init_project("source"), init_project("destination")
    >>> for project, key in ((source, "T"), (destination, "p")):
    ...     _ = project.open_job({key: 1}).init()
    >>> try:
    ...     destination.sync(source)
    ... except SchemaSyncConflict as error:
    ...     print(*error.schema_src, *error.schema_dst)
    T p

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

    Examples
    --------
    >>> import os
    >>> from signac_core import init_project
    >>> project = init_project()
    >>> os.rmdir("workspace")
    >>> open("workspace", "w").close()
    >>> try:
    ...     len(project)
    ... except WorkspaceError as error:
    ...     print(error.error.strerror)
    Not a directory

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

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project()
    >>> job, other = (project.open_job({"T": T}).init() for T in (1, 2))
    >>> try:
    ...     job.sp.T = 2
    ... except DestinationExistsError as error:
    ...     error.destination == other.id
    True

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

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project()
    >>> job = project.open_job({"T": 1}).init()
    >>> open(job.fn(job.FN_STATE_POINT), "w").close()
    >>> try:
    ...     project.check()
    ... except JobsCorruptedError as error:
    ...     print(*error.job_ids)
    6d21756b65b3521d51fddb0745a6a74a

    """

    def __init__(self, job_ids: Iterable[str]) -> None:
        super().__init__(job_ids)
        self.job_ids = job_ids


class StatepointParsingError(Error, RuntimeError):
    """A state point could not be identified during an import.

    Examples
    --------
    >>> import os
    >>> from signac_core import init_project
    >>> os.makedirs("data/T_1/p_1")
    >>> try:
    ...     init_project("study").import_from("data", schema="T_1/p_1")
    ... except StatepointParsingError:
    ...     print("a schema needs fields, such as T_{T:int}/p_{p:int}")
    a schema needs fields, such as T_{T:int}/p_{p:int}

    """


class IncompatibleSchemaVersion(Error):
    """The layout of the project is older or newer than the one this library reads.

    Examples
    --------
    >>> import os
    >>> from signac_core import get_project
    >>> os.mkdir(".signac")
    >>> with open(".signac/config", "w") as file:
    ...     _ = file.write("schema_version = 1")
    >>> try:
    ...     get_project()
    ... except IncompatibleSchemaVersion:
    ...     print("signac migrate")
    signac migrate

    """


class LockTimeoutError(Error, TimeoutError):
    """A lock was not released by its holder in time.

    It is a :class:`TimeoutError`, so ``filename`` names the lock. The environment variable ``SIGNAC_LOCK_TIMEOUT``
    tells how many seconds to wait.

    Examples
    --------
    >>> issubclass(LockTimeoutError, TimeoutError)
    True

    """


class InvalidKeyError(ValueError):
    """A mapping key contains a character that is not allowed.

    Examples
    --------
    >>> from signac_core import JSONDict
    >>> try:
    ...     JSONDict("document.json")["a.b"] = 1
    ... except InvalidKeyError:
    ...     print("dots separate nested keys")
    dots separate nested keys

    """


class KeyTypeError(TypeError):
    """A mapping key, or a value of a state point, has a type that is not allowed.

    Examples
    --------
    >>> from signac_core import JSONDict
    >>> try:
    ...     JSONDict("document.json")[1] = "one"
    ... except KeyTypeError:
    ...     print("keys are str")
    keys are str

    """


class DetachedError(Error, RuntimeError):
    """A nested dict or list was changed after its place in the document had gone.

    Examples
    --------
    >>> from signac_core import JSONDict
    >>> document = JSONDict("document.json")
    >>> document.stages = ["built"]
    >>> stages = document.stages
    >>> del document.stages
    >>> try:
    ...     stages.append("equilibrated")
    ... except DetachedError:
    ...     print("get it from the document again")
    get it from the document again

    """


class BufferException(RuntimeError):
    """Base class of the errors of buffered documents.

    Examples
    --------
    >>> issubclass(BufferedError, BufferException), issubclass(MetadataError, BufferException)
    (True, True)

    """


class BufferedError(BufferException):
    """One or more buffered documents could not be written.

    Parameters
    ----------
    files : dict of str to Exception
        The reason for each file that was not written.

    Examples
    --------
    >>> from signac_core import JSONDict, buffered
    >>> document = JSONDict("document.json")
    >>> try:
    ...     with buffered():
    ...         document.stage = "running"
    ...         with open("document.json", "w") as file:
    ...             _ = file.write('{"stage": "done"}')
    ... except BufferedError as error:
    ...     print([type(reason).__name__ for reason in error.files.values()])
    ['MetadataError']

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

    Examples
    --------
    >>> from signac_core import JSONDict
    >>> document = JSONDict("document.json")
    >>> try:
    ...     with document.buffered:
    ...         document.stage = "running"
    ...         with open("document.json", "w") as file:
    ...             _ = file.write('{"stage": "done"}')
    ... except MetadataError as error:
    ...     print(error.buffer_contents)
    b'{"stage": "running"}'

    """

    def __init__(self, filename: str, buffer_contents: bytes) -> None:
        super().__init__(filename, buffer_contents)
        self.filename = filename
        self.buffer_contents = buffer_contents

    def __str__(self) -> str:
        return f"{self.filename} appears to have been externally modified."


class NumpyConversionWarning(UserWarning):
    """A numpy value was converted to its plain Python equivalent.

    Examples
    --------
    >>> import warnings
    >>> import numpy
    >>> from signac_core import JSONDict
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", NumpyConversionWarning)
    ...     JSONDict("document.json").T = numpy.float64(1.5)

    """


class UnusableIndexError(Exception):
    """The index cannot be used; whoever asked it asks the files instead."""
