"""The handle on a project. Every operation of more than a few lines lives in a room of its own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import config as configuration
from . import files, layout
from .config import ProjectConfig
from .errors import DestinationExistsError as DestinationExistsError
from .errors import JobsCorruptedError as JobsCorruptedError
from .workspace import Space, workspace_problem

if TYPE_CHECKING:
    import re

    from pandas import DataFrame

    from .cursor import JobsCursor as JobsCursor
    from .documents.views import JSONDict
    from .errors import IncompatibleSchemaVersion as IncompatibleSchemaVersion
    from .errors import WorkspaceError as WorkspaceError
    from .exchange.importing import Found
    from .filterparse import parse_filter as parse_filter
    from .hdf5.manager import H5StoreManager as H5StoreManager
    from .hdf5.store import H5Store
    from .job import Job as Job
    from .job import calc_id as calc_id
    from .layout import SCHEMA_VERSION as SCHEMA_VERSION
    from .progress import Progress
    from .survey.schema import ProjectSchema as ProjectSchema
    from .sync import FileTransferStats
    from .sync import sync_projects as sync_projects

    JOB_ID_REGEX: re.Pattern[str]

__all__ = [
    "JOB_ID_LENGTH",
    "Project",
    "TemporaryProject",
    "get_job",
    "get_project",
    "init_project",
]

_MANY_READS = 16  # of single state points, a power of 2
_FEW_LOOKS = 8  # at single jobs, before it matters how slow they are

JOB_ID_LENGTH = layout.JOB_ID_LENGTH

_P = TypeVar("_P", bound="Project")

_IN_MEMORY = frozenset({"_document", "_stores", "_space", "_durable", "_workspace"})


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
    >>> len(project), job in project, [job.sp.T for job in project]
    (1, True, [1.5])
    >>> os.path.relpath(project.path), os.path.relpath(project.workspace)
    ('study', 'study/workspace')
    >>> project.config["schema_version"], project.durable
    ('2', False)

    What the functions of the library work with, and how they make handles:

    >>> project.space.root == project.path, project.handle(job.id) == job
    (True, True)

    Data that belong to the study as a whole:

    >>> project.doc.author = "A. Kumar"
    >>> project.document()
    {'author': 'A. Kumar'}
    >>> project.data.mean = 0.5
    >>> float(project.stores["signac_data"].mean)
    0.5

    """

    FN_DOCUMENT = layout.FN_PROJECT_DOCUMENT
    FN_CACHE = layout.FN_CACHE
    KEY_DATA = layout.KEY_DATA

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = _absolute(path)
        config = configuration.load(self._path)
        if config is None:
            raise configuration.no_project(self._path, above=False)
        self._setup(config)

    def _setup(self, config: ProjectConfig, *, make_workspace: bool = True) -> None:
        configuration.check_schema_version(config, self._path)
        self._config = config
        self._begin()
        if make_workspace:
            self._make_workspace()

    def _make_workspace(self) -> None:
        """Create the workspace unless it exists."""
        try:
            if not files.is_directory(self.workspace):
                files.ensure_directory(self.workspace, durable=self.durable)
        except FileExistsError:
            raise FileExistsError(errno.EEXIST, workspace_problem(self.workspace), self.workspace) from None
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EROFS, errno.EPERM):  # no harm to who only reads
                raise

    def _begin(self) -> None:
        """Know nothing of the jobs yet, and hold nothing open: what copies and pickles do not share."""
        self._document: JSONDict | None = None
        self._stores: H5StoreManager | None = None
        self._space: Space | None = None
        self._durable = configuration.durable(self._config)
        self._workspace = f"{self._path.rstrip('/')}/{layout.WORKSPACE}"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _IN_MEMORY}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    # where projects and jobs are ----------------------------------------------------------------------------------

    @classmethod
    def init_project(cls: type[_P], path: str | os.PathLike[str] | None = None) -> _P:
        """Make a directory a project; one that is a project already is left as it is.

        Parameters
        ----------
        path : str, optional
            The directory, created with its parents if need be; by default the working directory. ``~`` at its beginning
            is the home directory, here and wherever a project is named.

        Returns
        -------
        Project
            The project.

        Raises
        ------
        IncompatibleSchemaVersion
            If the directory holds a project of an older or newer layout.
        ConfigError
            If its configuration cannot be read.
        OSError
            If the directory cannot be written.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> sorted(os.listdir("study"))
        ['.signac', 'workspace']
        >>> Project.init_project("study") == project
        True

        """
        root = _absolute(path)
        if configuration.load(root) is None:
            error = configuration.no_project(root, above=False)
            if not isinstance(error, LookupError):
                raise error
            durable = configuration.durable(configuration.of_user())
            files.ensure_directory(os.path.join(root, layout.CONFIG_DIRECTORY), durable=durable)
            files.ensure_directory(os.path.join(root, layout.WORKSPACE), durable=durable)
            content = f"schema_version = {layout.SCHEMA_VERSION}\n".encode()
            files.replace_file(os.path.join(root, layout.FN_CONFIG), content, durable=durable)
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

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> os.makedirs("study/plots/draft")
        >>> Project.get_project("study/plots/draft") == project
        True
        >>> Project.get_project("study/plots", search=False)
        Traceback (most recent call last):
            ...
        LookupError: Unable to find project at path '...'.

        """
        start = _absolute(path)
        if not search:
            if not os.path.exists(start):
                raise LookupError(f"Unable to find a project: the path '{start}' does not exist.")
            return cls(path=start, **kwargs)
        root, config = configuration.root_above(None if path is None else start)
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

        Examples
        --------
        >>> job = Project.init_project("study").open_job({"T": 1.5}).init()
        >>> Project.get_job(job.fn("signac_statepoint.json")) == job
        True

        """
        start = _absolute(path)
        if not os.path.exists(start):
            raise LookupError(f"Path does not exist: '{start}'.")
        try:
            return cls._job_above(start)
        except LookupError:
            logical = configuration.logical_directory(start) if path is None else None
            if logical is None:
                raise
            return cls._job_above(logical)

    @classmethod
    def _job_above(cls, start: str) -> Job:
        """Innermost job whose directory a path is in or below."""
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

    def temporary_project(self: _P, dir: str | os.PathLike[str] | None = None) -> AbstractContextManager[_P]:
        """Context manager for a project of the same class that is deleted at the end.

        Parameters
        ----------
        dir : str or PathLike, optional
            Where to create it; by default inside the workspace, so that jobs can be moved between the two.

        Returns
        -------
        context manager
            Entered, it gives the :class:`Project`.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> with project.temporary_project() as temporary:
        ...     temporary.open_job({"T": 1.5}).init().move(project)
        >>> len(project), os.path.exists(temporary.path)
        (1, False)

        """
        if dir is None:
            dir = self.workspace
            files.ensure_directory(dir, durable=self.durable)  # it may have been deleted meanwhile
        return TemporaryProject(cls=type(self), dir=dir)

    # identity -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]

    def _repr_html_(self) -> str:
        from .survey.html import project_html

        jobs = self.find_jobs()
        return project_html(self._path, self.workspace, len(jobs)) + jobs._jobs_html()

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

    def fn(self, filename: str | os.PathLike[str]) -> str:
        """Path of a file in the project directory.

        Parameters
        ----------
        filename : str
            The name of the file, relative to the project directory.

        Returns
        -------
        str
            The path; nothing is created.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> os.path.relpath(project.fn("notes.txt"))
        'study/notes.txt'

        """
        return os.path.join(self._path, filename)

    def isfile(self, filename: str | os.PathLike[str]) -> bool:
        """Tell whether a file exists in the project directory.

        Parameters
        ----------
        filename : str
            The name of the file, relative to the project directory.

        Returns
        -------
        bool
            Whether there is a file; directories are none.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> project.isfile("notes.txt"), project.isfile(".signac/config")
        (False, True)

        """
        return os.path.isfile(self.fn(filename))

    # data ---------------------------------------------------------------------------------------------------------

    @property
    def document(self) -> JSONDict:
        """The document of the project, live. Assignment of a mapping replaces it as a whole."""
        if self._document is None:
            from .documents.store import for_project
            from .documents.views import view_of_document

            self._document = view_of_document(for_project(self.space))
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
            from .hdf5.manager import H5StoreManager

            self._stores = H5StoreManager(self._path, durable=self.durable)
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
        from . import catalog

        names = catalog.list_names(self.space)
        awaited, self.space.awaited = self.space.awaited, None
        if awaited is not None:
            awaited.append(names)
        return len(names)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.find_jobs())

    def __contains__(self, job: Job) -> bool:
        return self._contains_job_id(job.id)

    def _contains_job_id(self, job_id: str) -> bool:
        """Tell whether there is a job with this id; what is built on signac 2.x overrides it."""
        return self.space.has(job_id)

    @property
    def space(self) -> Space:
        """The project as the library sees it: where its jobs are, and which state points are in memory.

        A subclass that has its jobs or its document elsewhere says so by :attr:`workspace` and ``FN_DOCUMENT``, which
        are asked here once.
        """
        if self._space is None:
            self._space = Space(
                self._path, workspace=self.workspace, document_name=self.FN_DOCUMENT, durable=self._durable
            )
        return self._space

    @property
    def handle(self) -> Callable[..., Job]:
        """Function of a job id, and optionally the plain state point, that makes the handle on a job known to exist.

        It is much faster than :meth:`open_job`, because it looks nothing up.
        """
        return partial((_job_class or _load_job_class())._known, self)

    def _handles(self, ids: Iterable[str]) -> Iterator[Job]:
        """Handles on very many jobs known to exist, made some ahead."""
        return (_job_class or _load_job_class())._all_known(self, ids)

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
        TypeError
            If the id is not a str.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> job = project.open_job({"T": 1.5}).init()
        >>> job.id
        'e99643db5357346e9026d8965a9e958a'
        >>> project.open_job(id=job.id[:8]) == job
        True
        >>> project.open_job(id="0000")
        Traceback (most recent call last):
            ...
        KeyError: '0000'

        """
        make = _job_class or _load_job_class()
        if statepoint is not None:
            if id is not None:
                raise ValueError("Either statepoint or id must be provided, but not both.")
            return make(self, statepoint=statepoint)
        if id is None:
            raise ValueError("Must provide statepoint or id.")
        return make._known(self, self._resolve_id(id))

    def _resolve_id(self, text: str) -> str:
        """Full id of the job that ``text`` begins."""
        if not isinstance(text, str):
            raise TypeError(f"A job id must be a str, not {type(text).__name__}.")
        if len(text) >= JOB_ID_LENGTH:
            if layout.is_job_directory(text) and "/" not in text and self._has(text):
                return text
            raise KeyError(text)
        from . import resolving

        return resolving.resolve(self.space, text)

    def _known_to_others(self, job_id: str) -> dict[str, Any] | None:
        """State point of a job, if so many are asked for one by one that somebody has them."""
        space = self.space
        if space.lookups is not None:
            from .lookups import known_state_point

            known = known_state_point(space, job_id)
            if known is not None:
                return known
        space.reads += 1
        if space.reads < _MANY_READS or space.reads & (space.reads - 1):
            return None
        from . import catalog

        return catalog.state_point_of_many(space, job_id)

    def _has(self, job_id: str) -> bool:
        """Tell whether there is a job, as a look at its directory says, or as `lookups` does for many."""
        if self.space.looks < _FEW_LOOKS:
            self.space.looks += 1
            return self.space.has(job_id)
        from .lookups import has_job

        return has_job(self.space, job_id)

    def _statepoint_of(self, job_id: str) -> dict[str, Any]:
        """State point of an existing job, as plain data that must not be changed.

        Where its file is damaged, index and cache have the answer, as they have for queries.

        Raises JobsCorruptedError if it cannot be read or is not the one of the job.
        """
        space = self.space
        known = space.known.get(job_id)
        if known is None and (space.expected or space.ahead):
            from .lookups import expected_state_point

            known = expected_state_point(space, job_id)
        if known is None:
            known = self._known_to_others(job_id)
        if known is not None:
            return known
        try:
            return space.read(job_id)
        except JobsCorruptedError:
            from . import catalog

            known = catalog.recorded_state_point(space, job_id) if os.path.isdir(space.job_path(job_id)) else None
            if known is None:
                raise
        space.remember(job_id, known)
        return known

    def find_jobs(self, filter: Any = None) -> JobsCursor[Job]:
        """Find the jobs whose state points and documents match a filter.

        Parameters
        ----------
        filter : mapping, iterable of pairs, or str, optional
            The filter: keys are dotted paths, those that begin with ``doc.`` refer to the document, all others to the
            state point. All jobs by default. The operator ``$where`` runs its value as Python code, also in a str: do
            not pass on filters of others.

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
        """Group all jobs by values of state points and documents.

        Parameters
        ----------
        key : str, iterable of str, or callable, optional
            What to group by, as for :meth:`JobsCursor.groupby`; by default every job is a group under its id.
        default : object, optional
            The value of jobs that lack the key; by default they are left out.

        Returns
        -------
        iterator
            Pairs of the key and the jobs of each group, sorted by key.

        Raises
        ------
        TypeError
            If the values cannot be ordered.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> for i in range(3):
        ...     project.open_job({"i": i}).doc.done = i < 2
        >>> for done, jobs in project.groupby("doc.done"):
        ...     print(done, sorted(job.sp.i for job in jobs))
        False [2]
        True [0, 1]

        """
        return self.find_jobs().groupby(key, default)

    def to_dataframe(self, *args: Any, **kwargs: Any) -> DataFrame:
        """State points and documents of all jobs as a pandas data frame.

        Parameters
        ----------
        *args, **kwargs
            Passed to :meth:`JobsCursor.to_dataframe`.

        Returns
        -------
        pandas.DataFrame
            The frame, one row per job, indexed by id.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> project.open_job({"T": 1.5}).doc.energy = -2.5
        >>> project.to_dataframe().iloc[0].to_dict()
        {'sp.T': 1.5, 'doc.energy': -2.5}

        """
        return self.find_jobs().to_dataframe(*args, **kwargs)

    def min_len_unique_id(self) -> int:
        """Least number of digits that tells the ids of all jobs apart.

        Returns
        -------
        int
            The number; 0 for fewer than two jobs.

        Raises
        ------
        WorkspaceError
            If the workspace cannot be read.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> [project.open_job({"i": i}).init().id[:3] for i in range(3)]
        ['39e', 'caa', '21d']
        >>> project.min_len_unique_id()
        1

        """
        from . import catalog, resolving

        return resolving.unique_prefix_length(catalog.list_names(self.space))

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

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> for T in (1.0, 1.5):
        ...     _ = project.open_job({"T": T, "lattice": {"N": 10}}).init()
        >>> print(project.detect_schema())
        {
         'T': 'float([1.0, 1.5], 2)',
         'lattice.N': 'int([10], 1)',
        }
        >>> list(project.detect_schema(exclude_const=True))
        ['T']

        """
        from .survey.detecting import detect_schema

        ids = None if subset is None else map(str, subset)
        return detect_schema(self.space, exclude_const=exclude_const, subset=ids)

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
        JobsCorruptedError
            If state points cannot be read.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> jobs = [project.open_job({"T": T}).init() for T in (1, 2, 4)]
        >>> project.get_neighbors()[jobs[1].id] == {"T": {1: jobs[0].id, 4: jobs[2].id}}
        True

        """
        from .survey.neighbors import get_neighbors

        return get_neighbors(self.space, ignore)

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

        Examples
        --------
        >>> source, project = Project.init_project("source"), Project.init_project("study")
        >>> job = source.open_job({"T": 1.5}).init()
        >>> copy = project.clone(job)
        >>> copy in project, job in source, copy.sp()
        (True, True, {'T': 1.5})

        """
        from .exchange.moving import clone

        try:
            state_point = clone(job.path, job.id, self.space, copytree=copytree)
        except DestinationExistsError:
            raise DestinationExistsError(self.handle(job.id, job._plain_statepoint())) from None
        return self.handle(job.id, state_point)

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
        strategy : callable, optional
            Decides about files that differ: one of :class:`signac_core.sync.FileSync`, or a function of source,
            destination and file name that tells whether to overwrite.
        exclude : str or list of str, optional
            Regular expressions for the names of files to leave alone.
        doc_sync : callable or attribute of DocSync, optional
            How to synchronize documents, see :class:`signac_core.sync.DocSync`; by default new keys are added, and
            keys that differ are a conflict.
        selection : iterable of Job or str, optional
            Synchronize these jobs only.
        **kwargs
            Passed to :func:`signac_core.sync.sync_projects`, such as ``recursive`` or ``dry_run``.

        Returns
        -------
        FileTransferStats or None
            What was copied, if ``collect_stats`` is set.

        Raises
        ------
        FileSyncConflict, DocumentSyncConflict, SchemaSyncConflict
            If files, documents or schemas differ and no strategy decides.

        Examples
        --------
        >>> source, project = Project.init_project("source"), Project.init_project("study")
        >>> source.open_job({"T": 1.5}).doc.energy = -2.5
        >>> project.sync(source)
        >>> [job.doc() for job in project]
        [{'energy': -2.5}]

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
        self,
        prefix: str | os.PathLike[str] | None = None,
        job_ids: Iterable[str] | None = None,
        path: Any = None,
    ) -> dict[str, str]:
        """Create or update a tree of symbolic links with readable names to the job directories.

        Parameters
        ----------
        prefix : str or PathLike, optional
            The directory of the view, ``view`` by default.
        job_ids : iterable of str, optional
            The jobs to show; all by default.
        path : str or callable, optional
            How to name the links: as in :meth:`JobsCursor.export_to`.

        Returns
        -------
        dict of str to str
            Path of each link, relative to ``prefix``, and the job directory it points to.

        Raises
        ------
        RuntimeError
            If names are not unique or not possible; the view is as it was then.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> for T in (1.0, 1.5):
        ...     _ = project.open_job({"T": T, "N": 10}).init()
        >>> links = project.create_linked_view("study/view")
        >>> sorted(links), os.path.isfile("study/view/T/1.5/job/signac_statepoint.json")
        (['T/1.0/job', 'T/1.5/job'], True)

        """
        from .exchange.views import plan_view

        return plan_view(self.space, prefix, job_ids, path, handle=self.handle).carry_out()

    def export_to(
        self,
        target: Any,
        path: Any = None,
        copytree: Callable[[str, str], Any] | None = None,
        *,
        force: bool = False,
    ) -> dict[str, str]:
        """Copy all jobs to a directory or an archive, under readable names.

        Parameters
        ----------
        target : str
            A directory, or the file name of a zip or tar file.
        path : str, callable or False, optional
            How to name the directories, as for :meth:`JobsCursor.export_to`.
        copytree : callable, optional
            Function of source and destination path that copies a directory; for directories only.
        force : bool
            Replace an archive that exists.

        Returns
        -------
        dict of str to str
            Path of each job directory and of its copy, relative to ``target``.

        Raises
        ------
        RuntimeError
            If names are not unique or not possible; nothing is written then.
        FileExistsError
            If a destination exists and is not a whole copy of its job, or the archive exists; nothing is written then.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> for T in (1.0, 1.5):
        ...     _ = project.open_job({"T": T, "N": 10}).init()
        >>> sorted(project.export_to("data").values())
        ['T/1.0', 'T/1.5']
        >>> sorted(project.export_to("data.tar.gz", path="N{N}_{{auto:_}}").values())
        ['N10_T_1.0', 'N10_T_1.5']

        """
        return self.find_jobs().export_to(target, path=path, copytree=copytree, force=force)

    def import_from(
        self,
        origin: str | os.PathLike[str] | None = None,
        schema: Any = None,
        sync: bool | Mapping[str, Any] | None = None,
        copytree: Callable[[str, str], Any] | None = None,
    ) -> dict[str, str]:
        """Copy a data space into this project.

        Parameters
        ----------
        origin : str or PathLike, optional
            A directory, zip file or tar file; by default the working directory.
        schema : str or callable, optional
            How paths translate to state points: a template such as ``"T_{T:float}/{name}"`` (types are ``int``,
            ``float``, ``bool`` and ``str``), or a function; by default every directory with a state point file is a
            job.
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
        ValueError
            If the origin does not exist.

        Examples
        --------
        >>> for T in (10, 15):
        ...     os.makedirs(f"measured/T_{T}")
        >>> project = Project.init_project("study")
        >>> sorted(project.import_from("measured", schema="T_{T:int}"))
        ['measured/T_10', 'measured/T_15']
        >>> sorted(job.sp.T for job in project)
        [10, 15]

        """
        from .exchange.importing import plan_import

        if sync is None or sync is False:
            with plan_import(self.space, origin, schema=schema, copytree=copytree) as plan:
                try:
                    return plan.carry_out()
                except DestinationExistsError as error:
                    state_points = {one.job_id: one.statepoint for one in plan.found}
                    destination = self.handle(error.destination, state_points[error.destination])
                    raise DestinationExistsError(destination) from None
        if sync is not True and not isinstance(sync, Mapping):
            raise TypeError(f"The argument sync must be a bool or a mapping of arguments, not {sync!r}.")
        with imported_apart(self, origin, schema=schema) as (temporary, found):
            self.sync(temporary, **({} if sync is True else sync))
        return {one.name: self.space.job_path(one.job_id) for one in found}

    def check(self) -> None:
        """Read every state point and compare it with the name of its directory.

        Raises
        ------
        JobsCorruptedError
            If any is damaged; ``job_ids`` names all of them.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> job = project.open_job({"T": 1.5}).init()
        >>> project.check()
        >>> os.remove(job.fn("signac_statepoint.json"))
        >>> try:
        ...     project.check()
        ... except RuntimeError as error:
        ...     error.job_ids == [job.id]
        True

        """
        from .care.integrity import check

        check(self.space)

    def repair(self, job_ids: Iterable[str] | None = None) -> None:
        """Restore damaged state points from what caches and unfinished operations left.

        Parameters
        ----------
        job_ids : iterable of str, optional
            The jobs to repair; all by default.

        Raises
        ------
        JobsCorruptedError
            If some could not be repaired; ``job_ids`` names them.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> job = project.open_job({"T": 1.5}).init()
        >>> os.rename(job.path, project.workspace + "/" + 32 * "0")
        >>> project.repair()
        >>> job in project
        True

        """
        from .care.integrity import repair

        repair(self.space, job_ids)

    def update_cache(self, *, progress: Progress | None = None) -> int | None:
        """Bring the persistent state point cache up to date.

        Parameters
        ----------
        progress : Progress, optional
            Told of each job.

        Returns
        -------
        int or None
            The number of jobs in the cache, or None if it was up to date already.

        Raises
        ------
        JobsCorruptedError
            If state points cannot be read.
        OSError
            If the cache cannot be written; the old one is untouched then.

        Examples
        --------
        >>> project = Project.init_project("study")
        >>> job = project.open_job({"T": 1.5}).init()
        >>> print(project.update_cache(), project.update_cache())
        1 None

        """
        from .cache import update_cache

        return update_cache(self.space, progress=progress)


_job_class: type[Job] | None = None


def _load_job_class() -> type[Job]:
    global _job_class  # an import statement would take a tenth of the time to open a job
    from .job import Job

    _job_class = Job
    return Job


def _absolute(path: str | os.PathLike[str] | None) -> str:
    """Absolute form of a path; the working directory by default, and ``~`` is the home directory."""
    return os.path.abspath(os.getcwd() if path is None else files.expand_home(os.fspath(path)))


def find_project(path: str | None = None) -> Project:
    """Find the project of a directory; unlike :meth:`Project.get_project`, leave a missing workspace missing.

    Raises LookupError, IncompatibleSchemaVersion, ConfigError as :meth:`Project.get_project`.
    """
    project = Project.__new__(Project)
    project._path, config = configuration.root_above(path)
    project._setup(config, make_workspace=False)
    return project


@contextmanager
def imported_apart(
    project: Project, origin: str | os.PathLike[str] | None, **options: Any
) -> Iterator[tuple[Project, tuple[Found, ...]]]:
    """Context manager for a temporary project with the content of a data space, to synchronize with.

    The options are those of :func:`exchange.importing.import_apart`.
    """
    from .exchange.importing import import_apart

    files.ensure_directory(project.workspace, durable=project.durable)
    # Under a name that tells what it is, should the import be stopped.
    with TemporaryProject(type(project), dir=project.workspace, prefix=layout.PREFIX_NEW) as temporary:
        yield temporary, import_apart(temporary.space, project.workspace, origin, **options)


def init_project(path: str | os.PathLike[str] | None = None) -> Project:
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
    IncompatibleSchemaVersion, ConfigError, OSError
        As :meth:`Project.init_project`.

    Examples
    --------
    >>> project = init_project("study")
    >>> len(project)
    0

    """
    return Project.init_project(path)


def get_project(path: str | os.PathLike[str] | None = None, search: bool = True, **kwargs: Any) -> Project:
    """Find the project of a path.

    Parameters
    ----------
    path : str, optional
        Where to start; by default the working directory.
    search : bool
        Look in the directories above, too; the nearest project wins.
    **kwargs
        Passed to :class:`Project`.

    Returns
    -------
    Project
        The project.

    Raises
    ------
    LookupError
        If there is none, or the path does not exist.
    IncompatibleSchemaVersion, ConfigError
        As :class:`Project`.

    Examples
    --------
    >>> project = init_project("study")
    >>> get_project("study/workspace") == project
    True

    """
    return Project.get_project(path, search=search, **kwargs)


def get_job(path: str | os.PathLike[str] | None = None) -> Job:
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

    Examples
    --------
    >>> with init_project("study").open_job({"T": 1.5}) as job:
    ...     get_job() == job
    True

    """
    return Project.get_job(path)


@overload
def TemporaryProject(cls: None = None, **kwargs: Any) -> AbstractContextManager[Project]: ...


@overload
def TemporaryProject(cls: type[_P], **kwargs: Any) -> AbstractContextManager[_P]: ...


@contextmanager
def TemporaryProject(cls: type[Any] | None = None, **kwargs: Any) -> Iterator[Any]:
    """Context manager for a project in a temporary directory.

    Parameters
    ----------
    cls : type, optional
        The class of the project, :class:`Project` by default.
    **kwargs
        Passed to :class:`tempfile.TemporaryDirectory`: ``dir``, ``prefix``, ``suffix``.

    Yields
    ------
    Project
        The project, which is deleted with all its data when the context is left.

    Examples
    --------
    >>> with TemporaryProject() as project:
    ...     job = project.open_job({"a": 1}).init()
    ...     len(project)
    1

    """
    import tempfile

    with tempfile.TemporaryDirectory(**kwargs) as directory:
        yield (cls or Project).init_project(directory)


if not TYPE_CHECKING:
    from . import late_names

    _load = late_names(
        globals(),
        {
            "DataFrame": "pandas",
            "Found": ".exchange.importing",
            "FileTransferStats": ".sync",
            "H5Store": ".hdf5.store",
            "H5StoreManager": ".hdf5.manager",
            "IncompatibleSchemaVersion": ".errors",
            "JSONDict": ".documents.views",
            "Job": ".job",
            "JobsCursor": ".cursor",
            "Progress": ".progress",
            "ProjectSchema": ".survey.schema",
            "SCHEMA_VERSION": ".layout",
            "WorkspaceError": ".errors",
            "calc_id": ".job",
            "parse_filter": ".filterparse",
            "sync_projects": ".sync",
        },
    )

    def __getattr__(name):
        """Load what annotations name, and what signac 2.x has in its module of this name."""
        if name == "JOB_ID_REGEX":
            import re

            return re.compile("[a-f0-9]{32}")
        return _load(name)
