"""Data spaces into a project: a directory, a zip or a tar file, in which paths or state point files tell the jobs.

First everything is looked at: which directories are jobs, whether their state points are valid and differ, whether jobs
exist already. Only then is something written, and each job comes as a whole, by one rename inside the workspace. One
that cannot be copied is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import canonical, files, layout, lifecycle
from ..documents import store
from ..errors import DestinationExistsError, InvalidKeyError, JobsCorruptedError, StatepointParsingError
from ..failures import Failed, Failures
from ..paths import schemas
from ..progress import Progress, track
from ..workspace import read_state_point
from . import archives, copying, links, unpacking
from .links import LeftOut

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["Found", "ImportPlan", "Schema", "import_apart", "plan_import"]

Schema = str | Callable[[str], Mapping[str, Any] | None] | None
"""None: directories with a state point file are jobs. A str: a template. A callable: a function of the path."""


class Found(NamedTuple):
    """A directory that is to become a job.

    Parameters
    ----------
    name : str
        What it is called: its path, or its path inside the archive (empty for the archive itself).
    job_id : str
        The id of its state point.
    statepoint : dict
        The state point.
    text : bytes
        The content of the state point file.
    has_file : bool
        Whether the directory holds that file.
    """

    name: str
    job_id: str
    statepoint: dict[str, Any]
    text: bytes
    has_file: bool


def import_apart(
    space: Space,
    workspace: str,
    origin: str | os.PathLike[str] | None = None,
    *,
    schema: Schema = None,
    progress: Progress | None = None,
    left_out: LeftOut = links.warn,
    unmatched: list[str] | None = None,
    failed: Failed | None = None,
) -> tuple[Found, ...]:
    """Copy a data space into the workspace of a temporary project, which may lie in the data space and is none of it.

    ``unmatched`` takes the directories that a template does not match. ``failed`` is called with each directory that
    cannot be read or copied, and why; without it the first of these errors is raised. The other parameters and errors
    are those of :meth:`Project.import_from`.
    """
    with _opened(space, origin, None, excluded=workspace) as place:
        found = tuple(track(place.find(schema, failed), "find", None, progress))
        _check_unique(found)
        if unmatched is not None:
            unmatched += place.unmatched
        failures = Failures(failed)
        for _ in track(place.bring(found, left_out, failures), "import", len(found), progress):
            pass
        failures.raise_first()
    return tuple(one for one in found if one.job_id not in failures.ids)


class ImportPlan(NamedTuple):
    """What an import is going to do, while its origin is open.

    Parameters
    ----------
    space : Space
        Where the jobs go.
    origin : object
        Where they come from.
    found : tuple of Found
        The directories that are jobs.
    existing : frozenset of str
        The ids of those that exist in the project, and are left as they are.
    collisions : tuple of Found
        Those that exist with other files.
    skip_existing : bool
        Whether what exists is left out, whatever it holds; there are no collisions then.
    unmatched : tuple of str
        The directories that a template does not match.
    moved : tuple of str
        The directories that are jobs already, but for the last files in them: a move was stopped while it deleted them.
    """

    space: Space
    origin: _Origin
    found: tuple[Found, ...]
    existing: frozenset[str]
    collisions: tuple[Found, ...]
    skip_existing: bool
    unmatched: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()

    def carry_out(
        self, *, progress: Progress | None = None, left_out: LeftOut = links.warn, failed: Failed | None = None
    ) -> dict[str, str]:
        """Copy what does not exist yet; the result is that of :meth:`Project.import_from`.

        ``failed`` is called with each job that cannot be copied, and why; without it the first of these errors is
        raised when all others are done. DestinationExistsError if there are collisions, or turn out to be.
        What has been imported before an error is whole, and running again goes on.
        """
        space = self.space
        if self.collisions:
            raise DestinationExistsError(self.collisions[0].job_id)
        missing = self._missing()
        files.ensure_directory(space.workspace, durable=space.durable)
        failures = Failures(failed)
        for one in track(self.origin.bring(missing, left_out, failures), "import", len(missing), progress):
            if one.job_id not in failures.ids:
                space.remember(one.job_id, one.statepoint)
        if not self.skip_existing:
            self.origin.finish([one for one in self.found if one.job_id in self.existing], failures)
        failures.raise_first()
        imported = missing if self.skip_existing else self.found
        done = [one for one in imported if one.job_id not in failures.ids]
        return {one.name: f"{space.workspace}/{one.job_id}" for one in done}

    def rehearse(self, left_out: LeftOut, *, failed: Failed | None = None) -> None:
        """Find out what carrying the plan out would meet; nothing is written.

        The parameters are those of :meth:`carry_out`.
        """
        failures = Failures(failed)
        self.origin.rehearse(self._missing(), left_out, failures)
        failures.raise_first()

    def _missing(self) -> list[Found]:
        return [one for one in self.found if one.job_id not in self.existing]


@contextmanager
def plan_import(
    space: Space,
    origin: str | os.PathLike[str] | None = None,
    *,
    schema: Schema = None,
    copytree: copying.CopyTree | None = None,
    skip_existing: bool = False,
    progress: Progress | None = None,
    failed: Failed | None = None,
) -> Iterator[ImportPlan]:
    """Context manager for what an import would do, and whether it can; until it is carried out nothing is changed.

    ``failed`` is called with each directory that cannot be read, and why (without an id); without it such an error is
    raised. The plan may have found collisions. The other parameters and errors are those of
    :meth:`Project.import_from`.
    """
    with _opened(space, origin, copytree) as place:
        found = tuple(track(place.find(schema, failed), "find", None, progress))
        _check_unique(found)
        existing = tuple(one for one in found if os.path.lexists(f"{space.workspace}/{one.job_id}"))
        collisions = () if skip_existing else _collisions(space, place, existing, copytree, failed)
        ids = frozenset(one.job_id for one in existing)
        unmatched, moved = tuple(place.unmatched), tuple(place.moved)
        yield ImportPlan(space, place, found, ids, collisions, skip_existing, unmatched, moved)


# what all origins have in common --------------------------------------------------------------------------------------

_Reader = Callable[[str, str], Mapping[str, Any] | None]


class _Schema(NamedTuple):
    """How paths translate to state points: a function of a path, and of the same path relative to the origin.

    Templates see relative paths, but may begin with the origin; functions see paths as they are. Only a template says
    how many directories below the origin the jobs are.
    """

    read: _Reader
    depth: int | None = None

    def misses(self, relative: str, *, is_leaf: bool) -> bool:
        """Tell whether a directory that is no job was perhaps meant to be one; hidden ones are not."""
        if self.depth is None or not relative or relative.startswith(".") or "/." in relative:
            return False
        return is_leaf or self.reaches(relative)

    def reaches(self, relative: str) -> bool:
        """Tell whether no job can be below a directory."""
        return self.depth is not None and bool(relative) and relative.count("/") + 1 >= self.depth


def _schema_of(schema: Schema, origin: str = "") -> _Schema | None:
    """What a schema means; None when state point files tell."""
    if schema is None:
        return None
    if isinstance(schema, str):
        above, template = os.path.normpath(origin) + "/", os.path.normpath(schema)
        template = template[len(above) :] if origin and template.startswith(above) else schema
        read = schemas.parse_schema(template)
        depth = sum(part not in ("", ".") for part in template.split("/"))
        return _Schema(lambda path, relative: read(relative), depth)
    if callable(schema):
        return _Schema(lambda path, relative: schema(path))
    raise TypeError(f"The schema must be None, a str or a function of the path, not {type(schema).__name__}.")


class _Origin(Protocol):
    """Where jobs come from.

    ``unmatched`` has the directories that a template does not match, as far as they have been found; ``moved`` those
    that have been moved already, and of which something is still there.
    """

    unmatched: list[str]
    moved: list[str]

    def find(self, schema: Schema, failed: Failed | None) -> Iterator[Found]:
        """The directories that are jobs; none of them lies inside another. Those that cannot be read are reported."""

    def copies(self, found: Sequence[Found]) -> AbstractContextManager[Iterator[tuple[Found, str]]]:
        """Directories with the content of what was found, for a look at it."""

    def bring(self, found: Sequence[Found], left_out: LeftOut, failures: Failures) -> Iterator[Found]:
        """Make jobs of them, one after the other."""

    def finish(self, found: Sequence[Found], failures: Failures) -> None:
        """Take the last step for those that are jobs already, if what is moved was only copied."""

    def rehearse(self, found: Sequence[Found], left_out: LeftOut, failures: Failures) -> None:
        """Find out what that would meet."""


@contextmanager
def _opened(
    space: Space,
    origin: str | os.PathLike[str] | None,
    copytree: copying.CopyTree | None,
    *,
    excluded: str | None = None,
) -> Iterator[_Origin]:
    """Context manager for the origin of an import; ``excluded`` is a directory in it that is not searched."""
    path = os.getcwd() if origin is None else origin
    if isinstance(path, (str, os.PathLike)):
        path = files.expand_home(os.fspath(path))
    if not isinstance(path, str) or not os.path.exists(path):
        raise ValueError(f"Unable to import from '{origin}': it does not exist.")
    if os.path.isdir(path):
        if store.active_buffer is not None:
            store.active_buffer.flush_below(os.path.abspath(path))
        yield _Directory(space, path, copytree, excluded or space.workspace)
        return
    if copytree is not None:
        raise ValueError("A copytree function can only be used when the origin is a directory.")
    with archives.open_archive(path) as reader:
        yield _Archive(space, reader)


def _identify(place: str, name: str, statepoint: Any, text: bytes | None) -> Found:
    """Make sure that a state point is valid and not contradicted by the state point file of the directory.

    Raises StatepointParsingError if it is.
    """
    where = f"'{place}/{name}'" if place and name else f"'{name or place}'"
    in_file = None if text is None else _parse(text, f"The state point file of {where}")
    given = in_file if statepoint is None else _validate(statepoint, f"The state point that the schema gives {where}")
    assert given is not None
    job_id = canonical.id_of_parsed(given)
    if in_file is not None and in_file is not given and canonical.id_of_parsed(in_file) != job_id:
        raise StatepointParsingError(
            f"The schema gives {where} the state point {canonical.dumps(given)}, which contradicts its state point "
            f"file: {canonical.dumps(in_file)}."
        )
    return Found(name, job_id, given, text or canonical.dumps(given).encode("ascii"), text is not None)


def _parse(text: bytes, what: str) -> dict[str, Any]:
    try:
        statepoint = canonical.loads(text)
    except ValueError as error:
        raise StatepointParsingError(f"{what} is not JSON: {error}.") from None
    try:
        return canonical.validate_keys(statepoint) if type(statepoint) is dict else _validate(statepoint, what)
    except InvalidKeyError as error:
        raise StatepointParsingError(f"{what} is not valid: {error}") from error


def _validate(statepoint: Any, what: str) -> dict[str, Any]:
    try:
        return canonical.plain_state_point(statepoint)
    except (TypeError, InvalidKeyError) as error:
        raise StatepointParsingError(f"{what} is not valid: {error}") from error


def _check_unique(found: Sequence[Found]) -> None:
    """Make sure that no state point is there twice; StatepointParsingError if one is."""
    names: dict[str, str] = {}
    for one in found:
        other = names.setdefault(one.job_id, one.name)
        if other != one.name:
            raise StatepointParsingError(
                f"The jobs are not unique: '{other}' and '{one.name}' both have the state point "
                f"{canonical.dumps(one.statepoint)}."
            )


def _collisions(
    space: Space,
    place: _Origin,
    existing: Sequence[Found],
    copytree: copying.CopyTree | None,
    failed: Failed | None,
) -> tuple[Found, ...]:
    """Those of the existing jobs that an import that was stopped cannot have left: they hold something else."""
    if not existing:
        return ()
    is_whole = copying.is_moved if copying.moves_by_copy(copytree) else copying.is_same
    found: list[Found] = []
    failures = Failures(failed)
    with place.copies(existing) as copies:
        for one, directory in copies:
            with failures.of(one.job_id):
                if not is_whole(directory, f"{space.workspace}/{one.job_id}", one.text):
                    found.append(one)
    failures.raise_first()
    return tuple(found)


def _walk(top: str, tell: Callable[[OSError], Any]) -> Iterator[tuple[str, list[str], list[str]]]:
    """What :func:`os.walk` yields, the directories above first, without a call for each directory in another one.

    A link is none of those that are walked into. What is taken out of the list of directories is passed over.
    """
    waiting = [top]
    while waiting:
        path = waiting.pop()
        directories: list[str] = []
        others: list[str] = []
        linked: set[str] = set()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        others.append(entry.name)
                    elif _leads_to_directory(entry):
                        directories.append(entry.name)
                        if entry.is_symlink():
                            linked.add(entry.name)
                    else:
                        others.append(entry.name)
        except OSError as error:
            tell(error)
            continue
        yield path, directories, others
        above = path if path.endswith("/") else path + "/"
        waiting += [above + name for name in reversed(directories) if name not in linked]


def _leads_to_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # as for os.walk
        return False


# directories ----------------------------------------------------------------------------------------------------------


class _Directory:
    """A directory that jobs come from; ``excluded`` is a workspace, which is not searched."""

    def __init__(self, space: Space, path: str, copytree: copying.CopyTree | None, excluded: str) -> None:
        self._space = space
        self._path = path
        self._copytree = copytree
        self.unmatched: list[str] = []
        self.moved: list[str] = []
        self._excluded = os.path.relpath(os.path.realpath(excluded), os.path.realpath(path))

    def find(self, schema: Schema, failed: Failed | None) -> Iterator[Found]:
        by_path = _schema_of(schema, self._path)
        if self._excluded == "." or set(self._excluded.split("/")) == {".."}:
            return  # the workspace, or something in it

        def tell(error: OSError) -> None:
            if failed is None:
                raise error
            failed(None, error)

        for path, directories, others in _walk(self._path, tell):
            relative = path[len(self._path) :].strip("/")
            has_file = layout.FN_STATE_POINT in others
            if layout.FN_REMOVED in others and not has_file:
                self.moved.append(path)
                directories.clear()
                continue
            statepoint = None if by_path is None else by_path.read(path, relative)
            self.moved += [os.path.join(path, name) for name in directories if name.startswith(layout.PREFIX_REMOVED)]
            directories[:] = sorted(
                name
                for name in directories
                if not copying.is_unfinished(name) and not self._is_excluded(relative, name)
            )
            if statepoint is not None or (by_path is None and has_file):
                directories.clear()
                try:
                    text = self._state_point_text(path, others) if has_file else None
                except OSError as error:
                    tell(error)
                else:
                    yield _identify("", path, statepoint, text)
            elif by_path is not None:
                if by_path.misses(relative, is_leaf=not directories):
                    self.unmatched.append(path)
                if by_path.reaches(relative):
                    directories.clear()

    def _is_excluded(self, above: str, name: str) -> bool:
        return self._excluded.endswith(name) and os.path.join(above, name) == self._excluded

    @staticmethod
    def _state_point_text(directory: str, names: Sequence[str]) -> bytes:
        """Content of the state point file; that of a job whose state point change was stopped is not the right one."""
        job_id = os.path.basename(directory)
        if len(names) > 1 and layout.is_job_id(job_id) and layout.pending_name(job_id) in names:
            try:
                return canonical.dumps(read_state_point(directory, job_id)).encode("ascii")
            except JobsCorruptedError:
                pass
        return files.read_bytes(os.path.join(directory, layout.FN_STATE_POINT))

    @contextmanager
    def copies(self, found: Sequence[Found]) -> Iterator[Iterator[tuple[Found, str]]]:
        yield ((one, one.name) for one in found)

    def bring(self, found: Sequence[Found], left_out: LeftOut, failures: Failures) -> Iterator[Found]:
        for one in found:
            with failures.of(one.job_id):
                self._bring(one, left_out)
            yield one

    def _bring(self, one: Found, left_out: LeftOut) -> None:
        space = self._space
        destination = f"{space.workspace}/{one.job_id}"
        with copying.naming_the_job(destination, one.job_id):
            copying.bring(
                one.name,
                destination,
                name=one.job_id,
                state_point=one.text,
                copytree=self._copytree,
                durable=space.durable,
                left_out=left_out,
            )

    def finish(self, found: Sequence[Found], failures: Failures) -> None:
        if copying.moves_by_copy(self._copytree):
            for one in found:
                destination = f"{self._space.workspace}/{one.job_id}"
                with failures.of(one.job_id):
                    copying.move_by_copy(
                        one.name, destination, name=one.job_id, state_point=one.text, durable=self._space.durable
                    )
            for path in self.moved:
                with failures.of(None):
                    lifecycle.finish_removal(path)

    def rehearse(self, found: Sequence[Found], left_out: LeftOut, failures: Failures) -> None:
        if copying.is_own_copy(self._copytree):
            for one in found:
                with failures.of(one.job_id):
                    copying.rehearse(one.name, left_out)


# archives -------------------------------------------------------------------------------------------------------------


class _Archive:
    """An archive that jobs come from."""

    def __init__(self, space: Space, reader: archives.Reader) -> None:
        self._space = space
        self._reader = reader
        self._contents = unpacking.scan(reader)
        self.unmatched: list[str] = []
        self.moved: list[str] = []

    def find(self, schema: Schema, failed: Failed | None) -> Iterator[Found]:
        by_path = _schema_of(schema)
        names = self._directories(schema)
        inner = {above for name in names for above in files.all_above(name)}
        found: set[str] = set()
        for name in names:
            if any(above in found for above in files.all_above(name)):
                continue
            text = self._contents.state_points.get(name)
            statepoint = None if by_path is None else by_path.read(name, name)
            if statepoint is not None or (by_path is None and text is not None):
                found.add(name)
                yield _identify(self._reader.path, name, statepoint, text)
            elif by_path is None or any(map(by_path.reaches, files.all_above(name))):
                continue
            elif by_path.misses(name, is_leaf=name not in inner):
                self.unmatched.append(name)

    def _directories(self, schema: Schema) -> list[str]:
        """Directories of the archive, those above first.

        A function is asked about those only that have an entry or hold files, as it is in signac 2.x.
        """
        names = self._contents.directories
        if not callable(schema):
            names = names | {above for name in names for above in files.all_above(name)}
        return sorted(names, key=lambda name: name.replace("/", "\0"))

    @contextmanager
    def copies(self, found: Sequence[Found]) -> Iterator[Iterator[tuple[Found, str]]]:
        by_name = {one.name: one for one in found}
        with self._unpacked(found, links.ignore) as unpacked:
            yield ((by_name[name], directory) for name, directory in unpacked)

    def bring(self, found: Sequence[Found], left_out: LeftOut, failures: Failures) -> Iterator[Found]:
        by_name = {one.name: one for one in found}
        with self._unpacked(found, left_out, failures) as unpacked:
            for name, directory in unpacked:
                one = by_name[name]
                with failures.of(one.job_id):
                    self._publish(one, directory)
                yield one

    def _publish(self, one: Found, directory: str) -> None:
        space = self._space
        if not one.has_file:
            files.write_file(os.path.join(directory, layout.FN_STATE_POINT), one.text)
        if space.durable:
            copying.sync_tree(directory)
        destination = f"{space.workspace}/{one.job_id}"
        with copying.naming_the_job(destination, one.job_id):
            copying.publish(directory, destination, durable=space.durable)

    def finish(self, found: Sequence[Found], failures: Failures) -> None:
        """Nothing is moved out of an archive."""

    def rehearse(self, found: Sequence[Found], left_out: LeftOut, failures: Failures) -> None:
        unpacking.rehearse(self._reader, self._contents, {one.name for one in found}, left_out)

    @contextmanager
    def _unpacked(
        self, found: Sequence[Found], left_out: LeftOut, failures: Failures | None = None
    ) -> Iterator[Iterator[tuple[str, str]]]:
        """Context manager for an iterator of names and hidden directories in the workspace; what is left is deleted."""
        ids = {one.name: one.job_id for one in found}
        places = {one.name: f"{self._space.workspace}/{layout.building_name(one.job_id)}" for one in found}
        try:
            unpacked = unpacking.extract(
                self._reader,
                self._contents,
                places,
                left_out=left_out,
                failed=None if failures is None else lambda name, error: failures.note(ids[name], error),
            )
            yield ((name, places[name]) for name in unpacked)
        finally:
            for directory in places.values():
                if os.path.lexists(directory):
                    files.delete_tree(directory)
