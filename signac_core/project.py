"""The handle on a project. Every operation of more than a few lines lives in a room of its own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from . import config as configuration
from . import files, layout
from .config import ProjectConfig

if TYPE_CHECKING:
    from pandas import DataFrame

    from .cursor import JobsCursor
    from .h5store import H5Store, H5StoreManager
    from .job import Job
    from .jsondict import JSONDict
    from .progress import Progress
    from .schema import ProjectSchema
    from .sync import FileTransferStats

__all__ = ["JOB_ID_LENGTH", "Project", "get_job", "get_project", "init_project"]

JOB_ID_LENGTH = layout.JOB_ID_LENGTH

_P = TypeVar("_P", bound="Project")


def __getattr__(name: str) -> Any:
    """Load the classes that signac 2.x keeps in its module of this name."""
    if name == "JobsCursor":
        from .cursor import JobsCursor

        return JobsCursor
    if name == "TemporaryProject":
        from .temporary import TemporaryProject

        return TemporaryProject
    if name == "JOB_ID_REGEX":
        import re

        return re.compile("[a-f0-9]{32}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Project:
    """The handle on a project: a directory that holds a workspace full of jobs.

    Parameters
    ----------
    path : str, optional
        The project directory itself; by default the working directory. To search the directories above as well, see
        :meth:`get_project`.

    Raises
    ------
    LookupError
        If the directory is not a project.
    IncompatibleSchemaVersion
        If the project has an older or newer layout.
    ConfigError
        If its configuration cannot be read.

    Examples
    --------
    >>> project = Project.init_project("study")
    >>> job = project.open_job({"T": 1.5}).init()
    >>> len(project), job in project
    (1, True)

    """

    FN_DOCUMENT = layout.FN_PROJECT_DOCUMENT
    FN_CACHE = layout.FN_CACHE
    KEY_DATA = layout.KEY_DATA

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = os.path.abspath(os.getcwd() if path is None else os.fspath(path))
        config = configuration.load(self._path)
        if config is None:
            raise configuration.no_project(self._path, above=False)
        self._setup(config)

    def _setup(self, config: ProjectConfig) -> None:
        configuration.check_schema_version(config, self._path)
        self._config = config
        self._workspace = f"{self._path.rstrip('/')}/{layout.WORKSPACE}"
        self._durable = configuration.durable(config)
        self._document: JSONDict | None = None
        self._stores: H5StoreManager | None = None
        self._sp_cache: dict[str, dict[str, Any]] = {}
        if not os.path.isdir(self._workspace):
            try:
                files.ensure_directory(self._workspace)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EROFS, errno.EPERM):  # no harm to who only reads
                    raise

    # where projects and jobs are ----------------------------------------------------------------------------------

    @classmethod
    def init_project(cls: type[_P], path: str | os.PathLike[str] | None = None) -> _P:
        """Make a directory a project; one that is a project already is left as it is.

        Parameters
        ----------
        path : str, optional
            The directory, created with its parents if need be; by default the working directory.

        Returns
        -------
        Project
            The project.

        Raises
        ------
        IncompatibleSchemaVersion
            If the directory holds a project of an older or newer layout.
        OSError
            If the directory cannot be written.

        """
        root = os.path.abspath(os.getcwd() if path is None else os.fspath(path))
        if configuration.load(root) is None:
            error = configuration.no_project(root, above=False)
            if not isinstance(error, LookupError):
                raise error
            files.ensure_directory(os.path.join(root, layout.CONFIG_DIRECTORY))
            files.ensure_directory(os.path.join(root, layout.WORKSPACE))
            files.replace_file(
                os.path.join(root, layout.FN_CONFIG), f"schema_version = {layout.SCHEMA_VERSION}\n".encode()
            )
        return cls(root)

    @classmethod
    def get_project(
        cls: type[_P], path: str | os.PathLike[str] | None = None, search: bool = True, **kwargs: Any
    ) -> _P:
        """Find the project of a path.

        Parameters
        ----------
        path : str, optional
            Where to start; by default the working directory.
        search : bool
            Look in the directories above, too; the nearest project wins.
        **kwargs
            Passed to the constructor of the class.

        Returns
        -------
        Project
            The project.

        Raises
        ------
        LookupError
            If there is none, or the path does not exist.
        IncompatibleSchemaVersion, ConfigError
            As the constructor.

        """
        start = os.path.abspath(os.getcwd() if path is None else os.fspath(path))
        if not search:
            if not os.path.exists(start):
                raise LookupError(f"Unable to find a project: the path '{start}' does not exist.")
            return cls(path=start, **kwargs)
        found = configuration.find_root(start)
        if path is not None and (found is None or found[0] != start) and not os.path.exists(start):
            raise LookupError(f"Unable to find a project: the path '{start}' does not exist.")
        if found is None:
            raise configuration.no_project(start, above=True)
        root, config = found
        if kwargs or cls.__init__ is not Project.__init__:
            return cls(path=root, **kwargs)
        project = cls.__new__(cls)
        project._path = root
        project._setup(config)
        return project

    @classmethod
    def get_job(cls, path: str | os.PathLike[str] | None = None) -> Job:
        """Find the job whose directory a path is in or below.

        Parameters
        ----------
        path : str, optional
            Where to start; by default the working directory.

        Returns
        -------
        Job
            The innermost job.

        Raises
        ------
        LookupError
            If there is none, or the path does not exist.

        """
        start = os.path.abspath(os.getcwd() if path is None else os.fspath(path))
        if not os.path.exists(start):
            raise LookupError(f"Path does not exist: '{start}'.")
        directory = start
        while (parent := os.path.dirname(directory)) != directory:
            name = os.path.basename(directory)
            if layout.is_job_id(name):
                project = cls.get_project(parent)
                if os.path.realpath(project.workspace) == os.path.realpath(parent):
                    from .job import Job

                    return Job(project, id_=name, directory_known=True)
            directory = parent
        raise LookupError(f"Could not find a job id in path '{start}'.")

    def temporary_project(self, dir: str | None = None) -> AbstractContextManager[Project]:
        """Context manager for a project of the same class that is deleted at the end.

        Parameters
        ----------
        dir : str, optional
            Where to create it; by default inside the workspace, so that jobs can be moved between the two.

        """
        from .temporary import TemporaryProject

        return TemporaryProject(cls=type(self), dir=self.workspace if dir is None else dir)

    # identity -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]

    def _repr_html_(self) -> str:
        from .html import project_html

        return project_html(self)

    @property
    def path(self) -> str:
        """Absolute path of the project directory; symbolic links are not resolved."""
        return self._path

    @property
    def workspace(self) -> str:
        """Absolute path of the workspace, the directory of the job directories."""
        return self._workspace

    @property
    def config(self) -> ProjectConfig:
        """The configuration of the project on top of that of the user; it cannot be changed here."""
        return self._config

    @property
    def durable(self) -> bool:
        """Whether everything published survives a power loss (``durable = true``, or ``SIGNAC_DURABLE=1``)."""
        return self._durable

    def fn(self, filename: str) -> str:
        """Path of a file in the project directory.

        Parameters
        ----------
        filename : str
            The name of the file, relative to the project directory.

        """
        return os.path.join(self._path, filename)

    def isfile(self, filename: str) -> bool:
        """Tell whether a file exists in the project directory.

        Parameters
        ----------
        filename : str
            The name of the file, relative to the project directory.

        """
        return os.path.isfile(self.fn(filename))

    # data ---------------------------------------------------------------------------------------------------------

    @property
    def document(self) -> JSONDict:
        """The document of the project, live. Assignment of a mapping replaces it as a whole."""
        if self._document is None:
            from .document import for_project
            from .jsondict import JSONDict

            self._document = JSONDict._of(for_project(self))
        return self._document

    @document.setter
    def document(self, value: Mapping[str, Any]) -> None:
        self.document.reset(value)

    @property
    def doc(self) -> JSONDict:
        """Alias of :attr:`document`."""
        return self.document

    @doc.setter
    def doc(self, value: Mapping[str, Any]) -> None:
        self.document.reset(value)

    @property
    def stores(self) -> H5StoreManager:
        """The HDF5 files of the project by name: ``project.stores["x"]`` is ``x.h5``."""
        if self._stores is None:
            from .h5store import H5StoreManager

            self._stores = H5StoreManager(self._path)
        return self._stores

    @property
    def data(self) -> H5Store:
        """The default HDF5 file of the project. Assignment of a mapping replaces the file as a whole."""
        return self.stores[self.KEY_DATA]

    @data.setter
    def data(self, value: Mapping[str, Any]) -> None:
        self.stores[self.KEY_DATA] = value

    # jobs ---------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        from . import reading

        return len(reading.list_names(self))

    def __iter__(self) -> Iterator[Job]:
        return iter(self.find_jobs())

    def __contains__(self, job: Job) -> bool:
        return self._contains_job_id(job.id)

    def _contains_job_id(self, job_id: str) -> bool:
        """Tell whether there is a job with this id."""
        return os.path.exists(f"{self._workspace}/{job_id}")

    def open_job(self, statepoint: Mapping[str, Any] | None = None, id: str | None = None) -> Job:
        """Get the handle on a job.

        Parameters
        ----------
        statepoint : mapping, optional
            The state point; the job need not exist.
        id : str, optional
            The id of an existing job, or the beginning of one.

        Returns
        -------
        Job
            The handle.

        Raises
        ------
        ValueError
            If neither or both are given.
        KeyTypeError
            If the state point holds a value without a JSON equivalent.
        KeyError
            If there is no job with this id.
        LookupError
            If the id is the beginning of several.

        """
        from .job import Job

        if statepoint is not None:
            if id is not None:
                raise ValueError("Either statepoint or id must be provided, but not both.")
            return Job(self, statepoint=statepoint)
        if id is None:
            raise ValueError("Must provide statepoint or id.")
        return Job(self, id_=self._resolve_id(id), directory_known=True)

    def _resolve_id(self, text: str) -> str:
        """Full id of the job that ``text`` begins."""
        if not isinstance(text, str):
            raise TypeError(f"A job id must be a str, not {type(text).__name__}.")
        if len(text) >= JOB_ID_LENGTH:
            if layout.is_job_directory(text) and "/" not in text and self._contains_job_id(text):
                return text
            raise KeyError(text)
        from . import reading

        matches = [name for name in reading.list_names(self) if name.startswith(text)]
        if not matches:
            raise KeyError(text)
        if len(matches) > 1:
            raise LookupError(text)
        return matches[0]

    def _statepoint_of(self, job_id: str) -> dict[str, Any]:
        """State point of an existing job, as plain data that must not be changed.

        Raises
        ------
        JobsCorruptedError
            If it cannot be read or is not the one of the job.

        """
        known = self._sp_cache.get(job_id)
        if known is None:
            from . import workspace
            from .errors import JobsCorruptedError

            try:
                known = workspace.read_state_point(f"{self._workspace}/{job_id}", job_id)
            except FileNotFoundError:
                raise JobsCorruptedError([job_id]) from None
            self._remember(job_id, known)
        return known

    def _remember(self, job_id: str, statepoint: dict[str, Any]) -> None:
        """Keep a state point in memory; it never changes under its id."""
        self._sp_cache[job_id] = statepoint

    def find_jobs(self, filter: Any = None) -> JobsCursor:
        """Find the jobs whose state points and documents match a filter.

        Parameters
        ----------
        filter : mapping, iterable of pairs, or str, optional
            The filter: keys are dotted paths, those that begin with ``doc.`` refer to the document, all others to the
            state point. All jobs by default.

        Returns
        -------
        JobsCursor
            The jobs, evaluated on first use and sorted by id.

        Raises
        ------
        TypeError
            If the filter holds values without a JSON equivalent.
        ValueError
            If it is of no accepted form.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> for T in (1.0, 1.5, 2.0):
        ...     _ = project.open_job({"T": T}).init()
        >>> sorted(job.sp.T for job in project.find_jobs({"T.$gt": 1.2}))
        [1.5, 2.0]

        """
        from .cursor import JobsCursor

        return JobsCursor(self, filter)

    def groupby(self, key: Any = None, default: Any = None) -> Iterator[tuple[Any, Iterator[Job]]]:
        """Group the jobs by state point or document values; see :meth:`JobsCursor.groupby`."""
        return self.find_jobs().groupby(key, default)

    def to_dataframe(self, *args: Any, **kwargs: Any) -> DataFrame:
        """State points and documents as a pandas data frame; see :meth:`JobsCursor.to_dataframe`."""
        return self.find_jobs().to_dataframe(*args, **kwargs)

    def min_len_unique_id(self) -> int:
        """Least number of digits that tells the ids of all jobs apart; 0 for fewer than two jobs."""
        from . import reading

        return reading.unique_prefix_length(reading.list_names(self))

    def detect_schema(self, exclude_const: bool = False, subset: Iterable[Job | str] | None = None) -> ProjectSchema:
        """Find out which keys the state points have, with which types and values.

        Parameters
        ----------
        exclude_const : bool
            Leave out the keys that have one value in all jobs.
        subset : iterable of Job or str, optional
            Consider these jobs only.

        Returns
        -------
        ProjectSchema
            The schema.

        Raises
        ------
        JobsCorruptedError
            If state points cannot be read.

        """
        from .schema import detect_schema

        return detect_schema(self, exclude_const=exclude_const, subset=subset)

    def get_neighbors(self, ignore: Any = ()) -> dict[str, dict[str, dict[Any, str]]]:
        """Find for every job the jobs that differ in one parameter only, with its previous and its next value.

        Parameters
        ----------
        ignore : list of str or str
            Dotted keys to leave out of the comparison.

        Returns
        -------
        dict
            Per job id and dotted key, a dict of neighbouring value to job id.

        Raises
        ------
        ValueError
            If jobs cannot be told apart without the ignored keys.

        """
        from .neighbors import get_neighbors

        return get_neighbors(self, ignore)

    # work on many jobs --------------------------------------------------------------------------------------------

    def clone(self, job: Job, copytree: Callable[[str, str], Any] | None = None) -> Job:
        """Copy a job of another project into this one.

        Parameters
        ----------
        job : Job
            The job to copy.
        copytree : callable, optional
            Function of source and destination path that copies the directory.

        Returns
        -------
        Job
            The copy.

        Raises
        ------
        DestinationExistsError
            If the job exists here.
        ValueError
            If the source job is not initialised.

        """
        from .transfer import clone

        return clone(self, job, copytree=copytree)

    def sync(
        self,
        other: Project,
        strategy: Any = None,
        exclude: Any = None,
        doc_sync: Any = None,
        selection: Iterable[Job | str] | None = None,
        **kwargs: Any,
    ) -> FileTransferStats | None:
        """Bring the jobs and the document of another project into this one, one way.

        Parameters
        ----------
        other : Project
            The project to take data from.
        strategy, exclude, doc_sync, selection, **kwargs
            As :func:`signac_core.sync.sync_projects`.

        Raises
        ------
        FileSyncConflict, DocumentSyncConflict, SchemaSyncConflict
            If files, documents or schemas differ and no strategy decides.

        """
        from .sync import sync_projects

        return sync_projects(
            source=other,
            destination=self,
            strategy=strategy,
            exclude=exclude,
            doc_sync=doc_sync,
            selection=selection,
            **kwargs,
        )

    def create_linked_view(
        self, prefix: str | None = None, job_ids: Iterable[str] | None = None, path: Any = None
    ) -> dict[str, str]:
        """Create or update a tree of symbolic links with readable names to the job directories.

        Parameters
        ----------
        prefix : str, optional
            The directory of the view, ``view`` by default.
        job_ids : iterable of str, optional
            The jobs to show; all by default.
        path : str or callable, optional
            How to name the links: as in :meth:`export_to`.

        Returns
        -------
        dict of str to str
            Path of each link, relative to ``prefix``, and the job directory it points to.

        Raises
        ------
        RuntimeError
            If names are not unique or not possible; the view is as it was then.

        """
        from .view import create_linked_view

        return create_linked_view(self, prefix=prefix, job_ids=job_ids, path=path)

    def export_to(
        self, target: Any, path: Any = None, copytree: Callable[[str, str], Any] | None = None
    ) -> dict[str, str]:
        """Copy all jobs to a directory or an archive, under readable names; see :meth:`JobsCursor.export_to`."""
        return self.find_jobs().export_to(target, path=path, copytree=copytree)

    def import_from(
        self,
        origin: str | None = None,
        schema: Any = None,
        sync: bool | Mapping[str, Any] | None = None,
        copytree: Callable[[str, str], Any] | None = None,
    ) -> dict[str, str]:
        """Copy a data space into this project.

        Parameters
        ----------
        origin : str, optional
            A directory, zip file or tar file; by default the working directory.
        schema : str or callable, optional
            How paths translate to state points; by default every directory with a state point file is a job.
        sync : bool or mapping, optional
            Synchronize with jobs that exist, with these arguments of :meth:`sync`.
        copytree : callable, optional
            Function of source and destination path that copies a directory.

        Returns
        -------
        dict of str to str
            Path of each imported directory and of the job it became.

        Raises
        ------
        DestinationExistsError
            If a job exists already; nothing is imported then.
        StatepointParsingError
            If state points are not unique or contradict the files.

        """
        from .importing import import_from

        return import_from(self, origin, schema=schema, sync=sync, copytree=copytree)

    def check(self) -> None:
        """Read every state point and compare it with the name of its directory.

        Raises
        ------
        JobsCorruptedError
            If any is damaged.

        """
        from .integrity import check

        check(self)

    def repair(self, job_ids: Iterable[str] | None = None) -> None:
        """Restore damaged state points from what caches and unfinished operations left.

        Parameters
        ----------
        job_ids : iterable of str, optional
            The jobs to repair; all by default.

        Raises
        ------
        JobsCorruptedError
            If some could not be repaired.

        """
        from .integrity import repair

        repair(self, job_ids)

    def update_cache(self, *, progress: Progress | None = None) -> int | None:
        """Bring the persistent state point cache up to date.

        Returns
        -------
        int or None
            The number of jobs in the cache, or None if it was up to date already.

        Raises
        ------
        JobsCorruptedError
            If state points cannot be read.

        """
        from .cache import update_cache

        return update_cache(self, progress=progress)


def init_project(path: str | os.PathLike[str] | None = None) -> Project:
    """Make a directory a project; see :meth:`Project.init_project`."""
    return Project.init_project(path)


def get_project(path: str | os.PathLike[str] | None = None, search: bool = True, **kwargs: Any) -> Project:
    """Find the project of a path; see :meth:`Project.get_project`."""
    return Project.get_project(path, search=search, **kwargs)


def get_job(path: str | os.PathLike[str] | None = None) -> Job:
    """Find the job whose directory a path is in or below; see :meth:`Project.get_job`."""
    return Project.get_job(path)
