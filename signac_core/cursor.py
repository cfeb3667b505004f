"""The result of a query: jobs that are found on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from . import finding

if TYPE_CHECKING:
    from pandas import DataFrame

    from .survey.grouping import Groups
    from .workspace import Space

__all__ = ["JobsCursor"]

JobT = TypeVar("JobT")
Made = TypeVar("Made", covariant=True)


class Handles(Protocol[Made]):
    """What a cursor needs of the project whose jobs it finds."""

    @property
    def space(self) -> Space: ...
    @property
    def handle(self) -> Callable[..., Made]: ...
    def _handles(self, ids: Iterable[str]) -> Iterator[Made]: ...
    def __len__(self) -> int: ...
    def __contains__(self, job: Any, /) -> bool: ...


class _Jobs(Generic[JobT]):
    """A re-iterable slice of a query result."""

    def __init__(self, project: Handles[JobT], ids: list[str]) -> None:
        self._project = project
        self._ids = ids

    def __iter__(self) -> Iterator[JobT]:
        space = self._project.space
        space.expect(self._ids)
        return map(self._project.handle, self._ids, map(space.known.get, self._ids), map(space.now.get, self._ids))

    def __len__(self) -> int:
        return len(self._ids)


class JobsCursor(Generic[JobT]):
    """The jobs that match a filter, evaluated on first use, sorted by id.

    Not to be constructed directly: see :meth:`Project.find_jobs`. Without a filter, ``len`` and ``in`` always tell
    the present state of the project; everything else is evaluated once.

    Parameters
    ----------
    project : Project
        The project.
    filter : mapping, iterable of pairs, or str, optional
        The filter.

    Raises
    ------
    TypeError
        If the filter holds values without a JSON equivalent.
    ValueError
        If it is of no accepted form.

    Examples
    --------
    >>> from signac_core import init_project
    >>> project = init_project("study")
    >>> for i in range(4):
    ...     _ = project.open_job({"i": i}).init()
    >>> jobs = project.find_jobs({"i.$lt": 2})
    >>> len(jobs), sorted(job.sp.i for job in jobs), project.open_job({"i": 3}) in jobs
    (2, [0, 1], False)
    >>> jobs[0] in jobs, len(jobs[:1])
    (True, 1)

    """

    _use_pandas_for_html_repr = True  # set it to False to keep notebooks short

    def __init__(self, project: Handles[JobT], filter: Any = None) -> None:
        self._project = project
        self._filter = filter or None
        self._normal: dict[str, Any] | None = None
        if self._filter is not None:
            from .filterparse import normalise

            self._normal = normalise(filter)
            # As given, but not the caller's own dict, which may change later.
            self._filter = dict(filter) if isinstance(filter, dict) else self._normal
        self._found: list[str] | None = None
        self._found_set: frozenset[str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_found_set": None}

    @property
    def _ids(self) -> list[str]:
        """Ids of the jobs, sorted, as of the first use."""
        if self._found is None:
            self._found = list(
                finding.find_ids(self._project.space, self._normal, longer_names=True, leaves_index=False)
            )
        return self._found

    @property
    def _id_set(self) -> frozenset[str]:
        """Ids of the jobs, as of the first use."""
        if self._found_set is None:
            self._found_set = frozenset(self._ids)
        return self._found_set

    def __repr__(self) -> str:
        return f"{type(self).__name__}(project={self._project!r}, filter={self._filter!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JobsCursor):
            return NotImplemented
        return self._project == other._project and bool(self._filter == other._filter)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._project) if self._normal is None else len(self._ids)

    def __contains__(self, job: Any) -> bool:
        return job in self._project if self._normal is None else job.id in self._id_set

    def __iter__(self) -> Iterator[JobT]:
        if self._normal is not None or self._found is not None:
            return iter(_Jobs(self._project, self._ids))
        # list() asks for the length before the first job: one listing serves both.
        listed: list[list[str]] = []
        self._project.space.awaited = listed
        return chain.from_iterable(self._all_jobs(listed))

    def _all_jobs(self, listed: list[list[str]]) -> Iterator[Iterable[JobT]]:
        if self._found is None and listed:
            self._found = listed.pop()
        yield _Jobs(self._project, self._ids)

    @overload
    def __getitem__(self, index: int) -> JobT: ...
    @overload
    def __getitem__(self, index: slice) -> _Jobs[JobT]: ...
    def __getitem__(self, index: int | slice) -> JobT | _Jobs[JobT]:
        if isinstance(index, slice):
            return _Jobs(self._project, self._ids[index])
        return self._project.handle(self._ids[index])

    def _repr_html_(self) -> str:
        from html import escape

        return escape(repr(self), quote=False) + self._jobs_html()

    def _jobs_html(self) -> str:
        from .survey.html import jobs_html

        return jobs_html(len(self), self.to_dataframe if self._use_pandas_for_html_repr else None)

    def groupby(self, key: Any = None, default: Any = None) -> Iterator[tuple[Any, Iterator[JobT]]]:
        """Group the jobs by values of state points and documents.

        Parameters
        ----------
        key : str, iterable of str, or callable, optional
            A dotted key, several of them, or a function of the job. Keys that begin with ``doc.`` refer to the
            document, all others to the state point. By default every job is a group under its id.
        default : object, optional
            The value of jobs that lack the key; by default they are left out.

        Yields
        ------
        tuple
            The key of the group and its jobs, as :func:`itertools.groupby` does: sorted by key, and the jobs of a
            group are to be taken before the next group. Several keys give a tuple in which the values of state point
            keys come first, then those of document keys. NaN is one group, behind all numbers.

        Raises
        ------
        TypeError
            If the values cannot be ordered.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> for i in range(4):
        ...     _ = project.open_job({"i": i, "even": i % 2 == 0}).init()
        >>> for even, jobs in project.groupby("even"):
        ...     print(even, sorted(job.sp.i for job in jobs))
        False [1, 3]
        True [0, 2]

        """
        from .survey import grouping

        if key is not None and not callable(key):
            return self._jobs_of(grouping.group_by_keys(self._project.space, self._ids, key, default))
        if default is not None:
            import warnings

            warnings.warn(
                "The default is ignored: it applies to grouping by a key or by several keys only.", stacklevel=2
            )
        jobs = list(self)
        values = list(map(str if key is None else key, jobs))
        return ((values[rows[0]], map(jobs.__getitem__, rows)) for rows in grouping.equal_rows(values))

    def _jobs_of(self, groups: Groups) -> Iterator[tuple[Any, Iterator[JobT]]]:
        """Values and jobs of groups."""
        self._project.space.expect(groups.ids)
        handles, ids = self._project._handles, groups.ids
        found = zip(groups.values, groups.rows, strict=True)
        return ((value, handles([ids[row] for row in rows])) for value, rows in found)

    def to_dataframe(
        self,
        sp_prefix: str = "sp.",
        doc_prefix: str = "doc.",
        usecols: Any = None,
        flatten: bool = False,
    ) -> DataFrame:
        """State points and documents as a pandas data frame, one row per job, indexed by id.

        Parameters
        ----------
        sp_prefix, doc_prefix : str
            Put before the keys of state points and documents.
        usecols : container of str or callable, optional
            The columns to keep: their names with prefix, or a function of the name.
        flatten : bool
            Give nested keys columns of their own, with dotted names.

        Returns
        -------
        pandas.DataFrame
            The frame, of shape (jobs, keys).

        Raises
        ------
        JobsCorruptedError
            If state points cannot be read.
        ValueError
            If a document cannot be read.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> for i in range(3):
        ...     project.open_job({"i": i, "n": {"k": 1}}).doc.done = i < 2
        >>> frame = project.find_jobs({"doc.done": True}).to_dataframe(flatten=True, usecols=["sp.i", "sp.n.k"])
        >>> frame.shape, sorted(frame["sp.i"])
        ((2, 2), [0, 1])

        """
        from .survey.frame import to_dataframe

        space = self._project.space
        return to_dataframe(
            space, self._ids, sp_prefix=sp_prefix, doc_prefix=doc_prefix, usecols=usecols, flatten=flatten
        )

    def export_to(
        self,
        target: Any,
        path: Any = None,
        copytree: Callable[[str, str], Any] | None = None,
        *,
        force: bool = False,
    ) -> dict[str, str]:
        """Copy the jobs to a directory or an archive, under readable names.

        Relative links that stay within their job are copied as links. All others are followed; Python warns of those
        that lead nowhere, or back to a directory above them, and are left out. In a zip file links are followed as far
        as possible.

        Parameters
        ----------
        target : str
            A directory, or a file whose name ends in .zip, .tar, .tar.gz, .tar.bz2, .tar.xz, .tgz, .tbz2 or .txz.
        path : str, callable or False, optional
            How to name the directories: a template, a function of the job, or False for the job ids. Fields of a
            template are keys of the state point, ``job.id``, ``job.sp.KEY`` and ``job.doc.KEY``; ``{{auto}}`` stands
            for the keys and values that tell the jobs apart and have no field, each a directory, and ``{{auto:_}}``
            for the same joined by ``_``. By default ``{{auto}}``.
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
        TypeError
            If the kind of target is not known.
        ValueError
            If a ``copytree`` is given for an archive.

        Examples
        --------
        >>> from signac_core import init_project
        >>> project = init_project("study")
        >>> for T in (1.0, 1.5, 2.0):
        ...     _ = project.open_job({"T": T, "N": 10}).init()
        >>> warm = project.find_jobs({"T.$gt": 1.2})
        >>> sorted(warm.export_to("data").values())
        ['T/1.5', 'T/2.0']
        >>> sorted(warm.export_to("data.zip", path="N_{N}/{{auto:_}}").values())
        ['N_10/T_1.5', 'N_10/T_2.0']

        """
        from .exchange.exporting import export_to

        project = self._project
        return export_to(project.space, self._ids, target, path, handle=project.handle, copytree=copytree, force=force)


if not TYPE_CHECKING:
    from . import late_names

    __getattr__ = late_names(
        globals(),
        {
            "DataFrame": "pandas",
            "Groups": ".survey.grouping",
            "Space": ".workspace",
        },
    )
