"""The handle on one job: a directory named after the id of its state point."""

from __future__ import annotations

import errno
import os
from _thread import RLock
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from . import canonical, files, layout, lifecycle, workspace
from .canonical import calc_id
from .errors import DestinationExistsError as DestinationExistsError
from .errors import InvalidKeyError, JobsCorruptedError
from .trees import copy_plain, identical

if TYPE_CHECKING:
    from .documents.statepoint import Place, Renaming, StatePoint
    from .documents.store import Store
    from .documents.views import JSONDict
    from .hdf5.manager import H5StoreManager as H5StoreManager
    from .hdf5.store import H5Store
    from .project import Project
    from .sync import sync_jobs as sync_jobs

__all__ = ["Job", "calc_id"]

_FIRST_HANDLES = 16  # that are made together; four times as many from then on,
_MOST_HANDLES = 16_384  # up to so many


class Job:
    """The handle on the data of one state point.

    Not to be constructed directly: see :meth:`Project.open_job`.

    Parameters
    ----------
    project : Project
        The project.
    statepoint : mapping, optional
        The state point. If the id is given as well, both are trusted to belong together.
    id_ : str, optional
        The job id: 32 lower-case hexadecimal digits.
    directory_known : bool
        The job directory is known to exist, which saves looking for it.

    Raises
    ------
    ValueError
        If neither a state point nor an id is given.
    KeyTypeError
        If the state point holds a value without a JSON equivalent.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> job = project.open_job({"T": 1.5, "lattice": {"N": 10}}).init()
    >>> job.id, job.project == project, os.path.relpath(job.path, project.workspace) == job.id
    ('41671f9c81a81591125f7aac06acafbf', True, True)

    State point and document are read like dicts or by attributes, and nested; called, they give a plain copy:

    >>> job.sp.T, job.statepoint["lattice"]["N"], job.cached_statepoint["T"]
    (1.5, 10, 1.5)
    >>> job.doc.energies = [-2.5]
    >>> job.doc.energies.append(-2.25)
    >>> job.document()
    {'energies': [-2.5, -2.25]}

    Arrays go to HDF5 files, all other files into the job directory:

    >>> job.data.magnetisation = 0.25
    >>> float(job.stores["signac_data"].magnetisation)
    0.25
    >>> with job:
    ...     with open("log.txt", "w") as file:
    ...         _ = file.write("done")
    >>> job.isfile("log.txt")
    True

    """

    FN_STATE_POINT = layout.FN_STATE_POINT
    FN_DOCUMENT = layout.FN_DOCUMENT
    KEY_DATA = layout.KEY_DATA

    # Defaults on the class keep the handles of a long iteration small.
    _data: dict[str, Any] | None = None  # the state point as far as it is known; never changed in place
    _text: bytes | str | None = None  # as it has been read ahead; of no use once `_data` is there
    _invalid: Exception | None = None  # why the state point given has an id, but cannot be used
    _given: Any = None  # the state point given, when it cannot be used
    _view: JSONDict | None = None  # of the live state point
    _document: JSONDict | None = None
    _stores: H5StoreManager | None = None
    _left_directories: list[str] | None = None  # where open() came from, innermost last

    def __init__(
        self,
        project: Project,
        statepoint: Mapping[str, Any] | None = None,
        id_: str | None = None,
        directory_known: bool = False,
    ) -> None:
        if id_ is not None:
            layout.check_job_directory(id_)  # it becomes a path, and what is there may be deleted
        self._project = project
        self._directory_known = directory_known
        if statepoint is None:
            if id_ is None:
                raise ValueError("Either statepoint or id_ must be provided.")
            self._id = id_
            return
        try:
            self._data = canonical.plain_state_point(statepoint)
        except (TypeError, InvalidKeyError) as error:
            # Such a state point may have an id all the same; it is refused when it is used.
            self._id = id_ or calc_id(statepoint)
            self._invalid, self._given = error, statepoint
        else:
            self._id = id_ or calc_id(statepoint)

    @classmethod
    def _known(
        cls,
        project: Project,
        job_id: str,
        statepoint: dict[str, Any] | None = None,
        text: bytes | str | None = None,
    ) -> Job:
        """Handle on a job that was listed, with its state point, or its text, if that is in memory."""
        job = cls.__new__(cls)
        job._project = project
        job._id = job_id
        job._directory_known = True
        if statepoint is not None:
            job._data = statepoint
        elif text is not None:
            job._text = text
        return job

    @classmethod
    def _all_known(cls, project: Project, ids: Iterable[str]) -> Iterator[Job]:
        """Handles on jobs that were listed.

        They are made some ahead, where the garbage collector does not look at them again and again, and let go one by
        one.
        """
        from collections import deque  # who needs one handle pays for no import
        from itertools import chain, islice, repeat

        from .garbage import without_collection

        def make() -> Iterator[Iterator[Job]]:
            new, waiting, number = cls.__new__, iter(ids), _FIRST_HANDLES
            while some := list(islice(waiting, number)):
                jobs: deque[Job] = deque()
                add = jobs.append
                with without_collection():
                    for job_id in some:
                        job = new(cls)
                        job._project = project
                        job._id = job_id
                        job._directory_known = True
                        add(job)
                yield map(deque.popleft, repeat(jobs, len(jobs)))
                number = min(4 * number, _MOST_HANDLES)

        return chain.from_iterable(make())

    # identity -----------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._id

    def __repr__(self) -> str:
        statepoint = self._plain_statepoint() if self._invalid is None else self._given
        return f"{type(self).__name__}(project={self._project!r}, statepoint={statepoint!r})"

    def __hash__(self) -> int:
        return hash(self._id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        if self._id != other._id:
            return False
        return self.path == other.path or os.path.realpath(self.path) == os.path.realpath(other.path)

    def __copy__(self) -> Job:
        copy = type(self).__new__(type(self))
        self._state_point().share_with(copy)  # from now on both follow each other's state point changes
        copy.__dict__.update(self.__dict__)
        return copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Job:
        from copy import deepcopy

        copy = type(self)._known(deepcopy(self._project, memo), self._id, self._data)
        copy._directory_known = self._directory_known
        copy._invalid, copy._given = self._invalid, self._given
        copy.__dict__.update(deepcopy(self._own_attributes(), memo))
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"_project": self._project, "_id": self._id, "_directory_known": self._directory_known}
        if self._invalid is not None:
            state |= {"_invalid": self._invalid, "_given": self._given}
        elif not self._directory_known:  # of a job that exists, the id is enough
            state["_data"] = self._data
        return _blank, (type(self),), state | self._own_attributes()

    def _own_attributes(self) -> dict[str, Any]:
        """Attributes that users have set."""
        return {name: value for name, value in self.__dict__.items() if name not in _INTERNAL}

    @property
    def id(self) -> str:
        """The job id: 32 lower-case hexadecimal digits that identify the state point."""
        return self._id

    @property
    def project(self) -> Project:
        """The project that the job belongs to."""
        return self._project

    @property
    def path(self) -> str:
        """Absolute path of the job directory, which need not exist yet."""
        return f"{self._project.workspace}/{self._id}"

    def fn(self, filename: str | os.PathLike[str]) -> str:
        """Path of a file in the job directory.

        Parameters
        ----------
        filename : str
            The name of the file, relative to the job directory.

        Returns
        -------
        str
            The path; nothing is created.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.fn("log.txt") == os.path.join(job.path, "log.txt")
        True

        """
        if type(filename) is str and filename[:1] != "/":
            return f"{self._project.workspace}/{self._id}/{filename}"
        return os.path.join(self.path, filename)

    def isfile(self, filename: str | os.PathLike[str]) -> bool:
        """Tell whether a file exists in the job directory.

        Parameters
        ----------
        filename : str
            The name of the file, relative to the job directory.

        Returns
        -------
        bool
            Whether there is a file; directories are none.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.isfile("log.txt"), job.isfile("signac_statepoint.json")
        (False, True)

        """
        return os.path.isfile(self.fn(filename))

    # state point --------------------------------------------------------------------------------------------------

    def _plain_statepoint(self) -> dict[str, Any]:
        """State point as plain data that must not be changed; read when it is not known yet."""
        if self._view is not None:
            return self._state_point().tree
        if self._invalid is not None:
            raise self._invalid
        if self._data is None:
            self._data = self._statepoint_in_text() or self._project._statepoint_of(self._id)
        return self._data

    def _statepoint_in_text(self) -> dict[str, Any] | None:
        """The state point, parsed anew, if it has been read ahead."""
        return None if self._text is None else (_parsed or _import_parsed())(self._text)

    def _proven_statepoint(self) -> dict[str, Any]:
        """State point that is going to be written: one from the index, if it is wrong, is read from its file.

        Raises JobsCorruptedError if that cannot be read, either.
        """
        data = self._plain_statepoint()
        if not canonical.state_point_matches(data, self._id):
            self._text = None
            data = self._data = self._project.space.read(self._id)
            if self._view is not None:
                self._state_point().correct(data, self._view)
        return data

    def _state_point(self) -> StatePoint:
        view = self.statepoint  # which has loaded the function
        assert _store_of is not None
        store: Any = _store_of(view)
        return store  # type: ignore[no-any-return]

    def _make_view(self) -> JSONDict:
        tree = self._plain_statepoint()
        if self._text is None and self._id not in self._project.space.sound_ids:
            canonical.validate_keys(tree)
        make = _live or _import_live()
        with _creation:  # threads that share the handle share the state point
            if self._view is None:
                self._view = make(self, tree, (self._project, self._id, self._directory_known), _renaming)
        return self._view

    @property
    def statepoint(self) -> JSONDict:
        """The state point, live: a change renames the job and keeps its data.

        Assignment of a mapping replaces the state point as a whole. ``job.statepoint()`` is a plain copy.

        Raises
        ------
        JobsCorruptedError
            If the state point cannot be read or is not the one of this job.
        KeyTypeError, InvalidKeyError
            If the state point has keys that are no strings or contain dots.
        DestinationExistsError
            On changes, if a job with the new state point exists; nothing is changed then.
        FileNotFoundError
            On changes, if the job existed and was moved or removed by someone else.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> job = project.open_job({"T": 1.5}).init()
        >>> job.statepoint.N = 10
        >>> job.statepoint(), job == project.open_job({"T": 1.5, "N": 10}), len(project)
        ({'T': 1.5, 'N': 10}, True, 1)
        >>> job.statepoint = {"T": 2.5}
        >>> job.statepoint
        {'T': 2.5}

        """
        return self._make_view() if self._view is None else self._view

    @statepoint.setter
    def statepoint(self, value: Mapping[str, Any]) -> None:
        try:
            view = self.statepoint
        except InvalidKeyError:  # assignment is the way out, when it is on disk already
            make = _live or _import_live()
            tree = dict(self._given or self._plain_statepoint())
            self._view = view = make(self, tree, (self._project, self._id, self._directory_known), _renaming)
        view.reset(value)

    @property
    def sp(self) -> JSONDict:
        """Alias of :attr:`statepoint`."""
        return self._make_view() if self._view is None else self._view

    @sp.setter
    def sp(self, value: Mapping[str, Any]) -> None:
        self.statepoint = value

    @property
    def cached_statepoint(self) -> Mapping[str, Any]:
        """The state point as a read-only dict; the fast way to read it.

        It can be pickled, copied and written as JSON. What changes in the lists and dicts inside of it changes nothing
        else.

        Raises
        ------
        JobsCorruptedError
            If the state point cannot be read or is not the one of this job.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> dict(job.cached_statepoint)
        {'T': 1.5}
        >>> job.cached_statepoint["T"] = 2.5
        Traceback (most recent call last):
            ...
        TypeError: A cached state point cannot be changed: change job.statepoint.

        """
        if self._data is None and self._view is None and (own := self._statepoint_in_text()):
            return CachedStatePoint(own)
        cached = CachedStatePoint(data := self._plain_statepoint())
        if not canonical.CONTAINERS.isdisjoint(map(type, data.values())):
            for key, value in data.items():
                if type(value) in canonical.CONTAINERS:
                    dict.__setitem__(cached, key, copy_plain(value))
        return cached

    def update_statepoint(self, update: Mapping[str, Any], overwrite: bool = False) -> None:
        """Add parameters to the state point, keeping the data of the job.

        Parameters
        ----------
        update : mapping
            The parameters to add.
        overwrite : bool
            Allow parameters that exist with another value.

        Raises
        ------
        KeyError
            If a parameter exists with another value, unless ``overwrite``.
        DestinationExistsError
            If a job with the new state point exists; nothing is changed then.
        KeyTypeError, InvalidKeyError, TypeError
            If keys or values are not allowed; nothing is changed then.
        OSError
            If the job cannot be renamed; it is the old one then.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.update_statepoint({"N": 10})
        >>> job.update_statepoint({"T": 2.5}, overwrite=True)
        >>> job.sp()
        {'T': 2.5, 'N': 10}

        """
        view = self.statepoint
        if not overwrite:
            current = self._plain_statepoint()
            for key, value in update.items():
                if key in current and not identical(current[key], canonical.plain(value)):
                    raise KeyError(f"Key '{key}' exists in the state point with another value (see overwrite=True).")
        view.update(update)

    def _change_statepoint(self, tree: dict[str, Any], jobs: list[Job]) -> bool:
        """Give the job of ``jobs`` (this handle and its shallow copies) another state point; False if it is the same.

        Raises DestinationExistsError, OSError as :func:`workspace.change_state_point`.
        """
        new_id = calc_id(tree)
        if new_id == self._id:
            return False
        self._flush_document()
        text = canonical.dumps(tree).encode("ascii")
        project = self._project
        space = project.space
        try:
            lifecycle.change_state_point(
                space.workspace, self._id, new_id, text, by_copy=_change_by_copy, durable=space.durable
            )
        except FileNotFoundError:
            if files.is_directory(self.path):
                raise JobsCorruptedError([self._id]) from None
            if self._directory_known:
                raise FileNotFoundError(
                    errno.ENOENT, "The job has gone (moved or removed meanwhile?)", self.path
                ) from None
            # Not initialised: only the handles change.
        space.look_again()
        data = canonical.plain_state_point(tree)
        space.remember(new_id, data)
        for job in jobs:
            job._data = data
            job._invalid = None
            job._rename(project, new_id)
        return True

    def _rename(self, project: Project, job_id: str) -> None:
        self._project = project
        self._id = job_id
        self._document = None
        self._stores = None

    # life cycle ---------------------------------------------------------------------------------------------------

    def _get_neighbors(self, ignore: Any = ()) -> dict[str, dict[Any, str]]:
        """Jobs that differ from this one in one parameter only; see :meth:`Project.get_neighbors`."""
        from .survey.neighbors import job_neighbors

        return job_neighbors(self._project.space, self._id, dict(self.cached_statepoint), ignore)

    def init(self, force: bool = False, validate_statepoint: bool = True) -> Job:
        """Create the job directory with the state point in it, unless it exists.

        Parameters
        ----------
        force : bool
            Replace a state point file that is damaged; implies ``validate_statepoint``.
        validate_statepoint : bool
            Read an existing state point and check it; otherwise an existing directory is enough.

        Returns
        -------
        Job
            This handle.

        Raises
        ------
        JobsCorruptedError
            If the state point on disk is damaged, unless ``force``.
        FileExistsError
            If something that is not a directory stands in its place.
        OSError
            If the directory cannot be written; there is no job then.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> job = project.open_job({"T": 1.5})
        >>> job in project, job.init() in project
        (False, True)
        >>> os.remove(job.fn("signac_statepoint.json"))
        >>> os.listdir(job.init().path)
        ['signac_statepoint.json']

        """
        if not validate_statepoint and not force and (self._directory_known or files.is_directory(self.path)):
            self._directory_known = True
            return self
        data = self._proven_statepoint()
        space = self._project.space
        text = canonical.dumps(data).encode("ascii")
        lifecycle.publish(space.workspace, self._id, text, force=force, durable=space.durable)
        self._directory_known = True
        space.remember(self._id, data if self._view is None else canonical.loads(text))
        return self

    def remove(self) -> None:
        """Delete the job with all its data; a job that does not exist is fine.

        Raises
        ------
        OSError
            If it cannot be deleted, or is a link to a directory elsewhere, whose data would stay.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.remove()
        >>> job in job.project
        False

        """
        from .documents import store

        is_unknown = self._data is None and self._view is None
        lifecycle.remove(self._project.workspace, self._id, keep=self._take_statepoint if is_unknown else None)
        self._project.space.look_again()
        if store.active_buffer is not None:
            store.active_buffer.discard(self.fn(self.FN_DOCUMENT))
        self._directory_known = False
        self._document = None
        self._stores = None

    def _take_statepoint(self, text: bytes) -> None:
        """Take the state point from the file that is going to be deleted: the handle can initialise the job again."""
        self._data = workspace.state_point_in(text, self._id)
        if self._data is None:
            with suppress(JobsCorruptedError, InvalidKeyError, TypeError):
                self._plain_statepoint()

    def clear(self) -> None:
        """Delete all files of the job and empty its document; state point and document stay whole at any moment.

        A job that does not exist is left alone. Symbolic links are deleted, what they point to is not. A job directory
        that is itself a link has to lead to this job.

        Raises
        ------
        JobsCorruptedError
            If the job directory is a link to another directory; nothing is deleted then.
        OSError
            If something cannot be deleted.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.doc.stage = "done"
        >>> job.data.energy = -2.5
        >>> job.clear()
        >>> sorted(os.listdir(job.path)), job.doc()
        (['signac_job_document.json', 'signac_statepoint.json'], {})

        """
        kept = {self.FN_STATE_POINT, self.FN_DOCUMENT, layout.pending_name(self._id)}
        try:
            if os.path.islink(self.path):  # it might lead to anybody's files
                workspace.read_state_point(self.path, self._id)
            names = os.listdir(self.path)
        except FileNotFoundError:
            return
        for name in names:
            if name not in kept:
                files.delete_tree(self.fn(name))
        self.document.clear()

    def reset(self) -> None:
        """Delete all files of the job and empty its document; create the job if it does not exist.

        Raises
        ------
        JobsCorruptedError
            If the job directory is a link to another directory; nothing is deleted then.
        OSError
            If something cannot be deleted or written.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5})
        >>> job.reset()
        >>> os.listdir(job.path)
        ['signac_statepoint.json']

        """
        self.clear()
        self.init()

    def move(self, project: Project) -> None:
        """Move the job into another project; this handle follows it.

        Parameters
        ----------
        project : Project
            The project to move the job to, on the same file system or another.

        Raises
        ------
        RuntimeError
            If the job is not initialised.
        DestinationExistsError
            If the job exists there; nothing is changed then. On another file system, an equal copy, which a move that
            was stopped has left, is no obstacle: the move is finished.
        OSError
            If something cannot be read or written; one of the two projects has the whole job.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("draft").open_job({"T": 1.5}).init()
        >>> study = init_project("study")
        >>> job.move(study)
        >>> job.project == study, job in study
        (True, True)

        """
        from .exchange import moving

        self._flush_document()
        try:
            moving.move(self.path, self._id, project.space)
        except DestinationExistsError:
            raise DestinationExistsError(project.handle(self._id)) from None
        self._project.space.look_again()
        data = self._data
        if data is not None and canonical.state_point_matches(data, self._id):
            project.space.remember(self._id, data)
        else:  # it was not known, or the index was wrong about it
            self._data = self._text = None
        handles = [self]
        if self._view is not None:
            state_point = self._state_point()
            state_point.place = project, self._id, self._directory_known
            handles = state_point.handles()
        for job in handles:
            job._rename(project, self._id)

    def sync(self, other: Job, strategy: Any = None, exclude: Any = None, doc_sync: Any = None, **kwargs: Any) -> None:
        """Bring the data of another job into this one, one way.

        Parameters
        ----------
        other : Job
            The job to take data from.
        strategy : callable, optional
            Decides about files that differ: one of :class:`signac_core.sync.FileSync`, or a function of source,
            destination and file name that tells whether to overwrite.
        exclude : str or list of str, optional
            Regular expressions for the names of files to leave alone.
        doc_sync : callable or attribute of DocSync, optional
            How to synchronize documents, see :class:`signac_core.sync.DocSync`; by default new keys are added, and
            keys that differ are a conflict.
        **kwargs
            Passed to :func:`signac_core.sync.sync_jobs`, such as ``recursive`` or ``dry_run``.

        Raises
        ------
        FileSyncConflict, DocumentSyncConflict
            If files or documents differ and no strategy decides.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> old, new = project.open_job({"T": 1.5}), project.open_job({"T": 2.5}).init()
        >>> old.doc.note = "cold"
        >>> new.sync(old)
        >>> new.doc.note
        'cold'

        """
        from .sync import sync_jobs

        sync_jobs(other, self, strategy=strategy, exclude=exclude, doc_sync=doc_sync, **kwargs)

    # data ---------------------------------------------------------------------------------------------------------

    @property
    def document(self) -> JSONDict:
        """The document of the job, live; access creates the job if need be.

        Assignment of a mapping replaces the document as a whole. ``job.document()`` is a plain copy; even deep copies
        of ``job.document`` change the same file.

        Raises
        ------
        OSError
            If the job cannot be created.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.document = {"stage": "done"}
        >>> job.document.history = [{"step": 1}]
        >>> job.document.history[0].step
        1
        >>> job.document()
        {'stage': 'done', 'history': [{'step': 1}]}

        """
        if self._document is None:
            self.init(validate_statepoint=False)
            from .documents.store import for_job
            from .documents.views import view_of_document

            self._document = view_of_document(for_job(self._project.space, self._id))
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

    def _flush_document(self) -> None:
        """Write the document if it is buffered: its file is about to get another path."""
        from .documents import store

        store.flush(self.fn(self.FN_DOCUMENT))

    @property
    def stores(self) -> H5StoreManager:
        """The HDF5 files of the job by name: ``job.stores["x"]`` is ``x.h5``; access creates the job if need be."""
        if self._stores is None:
            self.init(validate_statepoint=False)
            from .hdf5.manager import H5StoreManager

            self._stores = H5StoreManager(self.path, durable=self._project.durable)
        return self._stores

    @property
    def data(self) -> H5Store:
        """The default HDF5 file of the job: ``job.stores["signac_data"]``.

        Assignment of a mapping replaces the file as a whole.
        """
        return self.stores[self.KEY_DATA]

    @data.setter
    def data(self, value: Mapping[str, Any]) -> None:
        self.stores[self.KEY_DATA] = value

    # working directory --------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the job directory the working directory, creating the job if need be; see :meth:`close`.

        The same as ``with job:``, which returns at the end of the block.

        Raises
        ------
        OSError
            If the job cannot be created or entered.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> job.open()
        >>> os.path.samefile(os.getcwd(), job.path)
        True
        >>> job.close()

        """
        self.init(validate_statepoint=False)
        here = os.getcwd()
        os.chdir(self.path)
        if self._left_directories is None:
            self._left_directories = []
        self._left_directories.append(here)

    def close(self) -> None:
        """Return to the working directory before the last :meth:`open`; without one, only close what is kept open.

        What is kept open from one write of the document to the next is the state point file.

        Raises
        ------
        OSError
            If that directory has gone.

        Examples
        --------
        >>> from signac_core import init_project
        >>> job = init_project("study").open_job({"T": 1.5}).init()
        >>> before = os.getcwd()
        >>> job.open()
        >>> job.close()
        >>> os.getcwd() == before
        True

        """
        if self._document is not None:
            from .documents.views import document_of

            document_of(self._document).let_go()
        if self._left_directories:
            os.chdir(self._left_directories.pop())

    def __enter__(self) -> Job:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class CachedStatePoint(dict[str, Any]):
    """A copy of a state point: a dict, which is what ``json`` and others can write, that refuses changes."""

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A cached state point cannot be changed: change job.statepoint.")

    __setitem__ = __delitem__ = update = clear = pop = popitem = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


_creation = RLock()
_store_of: Callable[[JSONDict], Store] | None = None
_live: Callable[[Job, dict[str, Any], Place, Renaming], JSONDict] | None = None


_parsed: Callable[[bytes | str], dict[str, Any] | None] | None = None


def _import_parsed() -> Callable[[bytes | str], dict[str, Any] | None]:
    """The parser of what was read ahead, for the first handle that needs it; an import for each would take as long."""
    global _parsed
    from .lookups import parsed

    _parsed = parsed
    return parsed


def _import_live() -> Callable[[Job, dict[str, Any], Place, Renaming], JSONDict]:
    global _live, _store_of  # an import statement would take a tenth of the time of a long iteration
    from .documents.statepoint import live
    from .documents.views import store_of

    _live, _store_of = live, store_of
    return live


def _change_by_copy(source: str, target: str, new_id: str, text: bytes, durable: bool) -> None:
    from .exchange.copying import change_by_copy

    change_by_copy(source, target, new_id, text, durable=durable)


class _Renaming:
    """What a state point does to its job; see :class:`documents.statepoint.Renaming`."""

    def revive(self, place: Place, tree: dict[str, Any]) -> Job:
        project, job_id, directory_known = place
        job = Job._known(project, job_id, tree)
        job._directory_known = directory_known
        return job

    def read(self, place: Place) -> dict[str, Any]:
        project, job_id, _ = place
        state_point: dict[str, Any] = project.space.read(job_id)
        return state_point

    def change(self, tree: dict[str, Any], handles: list[Job]) -> tuple[Place, bool]:
        job = handles[0]
        renamed = job._change_statepoint(tree, handles)
        return (job._project, job._id, job._directory_known), renamed

    def reduce(self, handle: Job, tree: dict[str, Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _view_of, (handle, tree)


_renaming = _Renaming()


def _view_of(job: Job, tree: dict[str, Any]) -> JSONDict:
    if job._data is None:
        job._data = tree
    return job.statepoint


_INTERNAL = frozenset(
    {
        "_project",
        "_id",
        "_data",
        "_text",
        "_invalid",
        "_given",
        "_view",
        "_document",
        "_stores",
        "_directory_known",
        "_left_directories",
    }
)


def _blank(cls: type[Job]) -> Job:
    """Handle for ``pickle`` to fill."""
    return cls.__new__(cls)


if not TYPE_CHECKING:
    from . import late_names

    __getattr__ = late_names(
        globals(),
        {
            "H5Store": ".hdf5.store",
            "H5StoreManager": ".hdf5.manager",
            "JSONDict": ".documents.views",
            "Project": ".project",
            "Place": ".documents.statepoint",
            "Renaming": ".documents.statepoint",
            "StatePoint": ".documents.statepoint",
            "sync_jobs": ".sync",
        },
    )
