"""Jobs out of a project: copies with readable names, in a directory or an archive.

Everything that can be wrong with the names is found before anything is written. Into a directory each job comes as a
whole, and running again finishes what was stopped: a copy that is whole counts as done. An archive comes as a whole,
and one that holds exactly the jobs counts as done, too. A job that cannot be copied is left out; but no archive is
replaced by one without it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import files, layout
from ..documents import store
from ..errors import Error, JobsCorruptedError
from ..failures import Failed, Failures, is_about_one_job
from ..paths import naming, templates
from ..progress import Progress, track
from . import copying, links, packing
from .links import LeftOut

if TYPE_CHECKING:
    from ..workspace import Space

__all__ = ["ExportPlan", "export_to", "plan_export"]


class ExportPlan(NamedTuple):
    """What an export is going to do.

    Parameters
    ----------
    space : Space
        Where the jobs come from.
    target : str or open archive
        Where they go.
    kind : str or None
        The kind of the archive that is written (see :func:`packing.archive_format`); empty for one that is open
        already, None for a directory.
    paths : mapping of str to str
        Path of each job below the target.
    done : frozenset of str
        The jobs of which the target holds a whole copy already; an archive, all or none.
    """

    space: Space
    target: Any
    kind: str | None
    paths: Mapping[str, str]
    done: frozenset[str] = frozenset()

    def carry_out(
        self,
        *,
        copytree: copying.CopyTree | None = None,
        progress: Progress | None = None,
        left_out: LeftOut = links.warn,
        failed: Failed | None = None,
    ) -> dict[str, str]:
        """Copy the jobs; the result has the path of each job directory and that of its copy, relative to the target.

        ``left_out`` is called with each link that is not copied, ``failed`` with each job that cannot be copied, and
        why. Without ``failed`` the first of these errors is raised: when all other jobs are in the directory, or at
        once, and there is no archive then. FileExistsError if a destination has come into being since the plan was
        made. After an error, running again does the rest.
        """
        space = self.space
        if store.active_buffer is not None:
            store.active_buffer.flush_below(space.workspace)
        failures = Failures(failed)
        if self.kind is None:
            for job_id, path in track(self.paths.items(), "export", len(self.paths), progress):
                with failures.of(job_id):
                    self._bring(job_id, os.path.join(self.target, path) if path else self.target, copytree, left_out)
        elif not self.kind:
            self.rehearse(links.ignore)  # what has been appended stays
            _write_archive(self, self.target, progress, left_out)
        elif not self.done:
            self._create_archive(progress, left_out, None if failed is None else failures)
        failures.raise_first()
        return {f"{space.workspace}/{job_id}": path for job_id, path in self._without(failures).paths.items()}

    def _without(self, failures: Failures) -> ExportPlan:
        if not failures.ids:
            return self
        return self._replace(paths={job_id: path for job_id, path in self.paths.items() if job_id not in failures.ids})

    def _create_archive(self, progress: Progress | None, left_out: LeftOut, failures: Failures | None) -> None:
        """Write an archive; when a job cannot be stored, begin anew without those that cannot be read.

        What is gone the next moment, such as an error of a file server, leaves no job out.
        """
        if os.path.lexists(self.target):
            failures = None  # it is not replaced by one that lacks a job
        plan, omitted, is_first = self, list[tuple[str, str]](), True
        while plan.paths or plan is self:
            omitted.clear()
            started: list[str] = []
            try:
                with packing.create(self.target, self.kind or "", durable=self.space.durable) as writer:
                    _write_archive(plan, writer, progress, lambda *link: omitted.append(link), started)
                break
            except (OSError, Error) as error:
                if failures is None or not started or not _is_about(error, f"{self.space.workspace}/{started[-1]}"):
                    raise
                plan.rehearse(links.ignore, failed=failures.note)
                if started[-1] not in failures.ids and not is_first:
                    raise
                plan, is_first = self._without(failures), False
        for path, reason in omitted:
            left_out(path, reason)

    def _bring(self, job_id: str, destination: str, copytree: copying.CopyTree | None, left_out: LeftOut) -> None:
        is_done = job_id in self.done
        if is_done and not copying.moves_by_copy(copytree):
            return
        source = f"{self.space.workspace}/{job_id}"
        state_point, status, _ = copying.state_point_file(source, job_id)
        durable = self.space.durable
        if is_done:  # but for its last step
            copying.move_by_copy(source, destination, name=job_id, state_point=state_point, durable=durable)
        else:
            copying.bring(
                source,
                destination,
                name=job_id,
                state_point=state_point,
                status=status,
                copytree=copytree,
                durable=durable,
                left_out=left_out,
            )

    def rehearse(
        self,
        left_out: LeftOut,
        *,
        copytree: copying.CopyTree | None = None,
        progress: Progress | None = None,
        failed: Failed | None = None,
    ) -> None:
        """Find out what carrying the plan out would meet; nothing is written.

        The parameters are those of :meth:`carry_out`.
        """
        if self.kind is None and not copying.is_own_copy(copytree):
            return
        follows_links = self.kind == "zip" if self.kind else self.kind is not None and self.target.follows_links
        writer = packing.rehearsal("zip" if follows_links else "tar")
        failures = Failures(failed)
        for job_id, path in track(self.paths.items(), "export", len(self.paths), progress):
            if job_id in self.done:
                continue
            source = f"{self.space.workspace}/{job_id}"
            with failures.of(job_id):
                state_point = copying.state_point_file(source, job_id)
                if self.kind is not None:
                    packing.add_directory(writer, source, path, state_point, left_out=left_out)
                else:
                    copying.rehearse(source, left_out)
        failures.raise_first()


def export_to(
    space: Space,
    job_ids: Iterable[str],
    target: Any,
    path: naming.PathSpecification = None,
    *,
    handle: naming.Handle,
    copytree: copying.CopyTree | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Copy jobs to a directory or an archive; see :meth:`Project.export_to`.

    The target is a directory, the name of an archive that does not exist (unless ``force`` replaces it), or an open
    archive, which is appended to. Nothing is written if the target or ``copytree`` does not go with the other
    (TypeError, ValueError), if paths are not unique or not possible (RuntimeError), if jobs are damaged, or if
    destinations exist that are not whole copies of their jobs (FileExistsError; about a directory, PathsTakenError).
    """
    plan = plan_export(space, job_ids, target, path, handle=handle, copytree=copytree, force=force)
    return plan.carry_out(copytree=copytree, progress=progress)


def plan_export(
    space: Space,
    job_ids: Iterable[str],
    target: Any,
    path: naming.PathSpecification = None,
    *,
    handle: naming.Handle,
    copytree: copying.CopyTree | None = None,
    force: bool = False,
    repeated: bool = False,
    damaged: list[str] | None = None,
) -> ExportPlan:
    """Find out what an export would do, and whether it can; nothing is written.

    ``repeated`` lets an archive that exists and holds exactly these jobs count as done: it was stopped after its last
    step. A list of ``damaged`` ids takes those of the jobs that are left out. The errors are those of
    :func:`export_to`.
    """
    kind: str | None = ""
    if isinstance(target, (str, os.PathLike)):
        target = files.expand_home(os.fspath(target))
        kind = packing.archive_format(target)
        if kind is None:
            target = target.rstrip("/") or target[:1]
    else:
        writer = packing.writer_on(target)
        if writer is None:
            raise TypeError(f"Unknown target type {type(target).__name__}: give a path, or an open zip or tar file.")
        target = writer
    if kind is not None and copytree is not None:
        raise ValueError("A copytree function can only be used when the target is a directory.")
    is_taken = bool(kind) and not force and os.path.lexists(target)
    if is_taken and not repeated:
        raise _archive_exists(target)
    found = naming.job_paths(space, job_ids, path, handle=handle, damaged=damaged)
    if kind != "":
        _check_target(space, target, found)
    if kind is None:
        done, obstacles = _present(space, target, found, copytree)
        if obstacles:
            raise naming.PathsTakenError(obstacles)
        return ExportPlan(space, target, kind, found, done)
    plan = ExportPlan(space, target, kind, found)
    if not kind:
        _check_appended(target, found)
    elif is_taken:
        from .archivecheck import holds

        if not (found and holds(target, kind, lambda writer: _write_archive(plan, writer, None, links.ignore))):
            raise _archive_exists(target)
        plan = plan._replace(done=frozenset(found))
    return plan


def _archive_exists(target: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "The archive exists", target)


def _write_archive(
    plan: ExportPlan,
    writer: packing.Writer,
    progress: Progress | None,
    left_out: LeftOut,
    started: list[str] | None = None,
) -> None:
    """Add the jobs to an archive; ``started`` takes the id of each in time."""
    for job_id, path in track(plan.paths.items(), "export", len(plan.paths), progress):
        if started is not None:
            started.append(job_id)
        source = f"{plan.space.workspace}/{job_id}"
        packing.add_directory(writer, source, path, copying.state_point_file(source, job_id), left_out=left_out)


def _is_about(error: OSError | Error, directory: str) -> bool:
    """Tell whether an error is about a job, and not about the archive that it is written to."""
    if not is_about_one_job(error) or not isinstance(error, OSError):
        return is_about_one_job(error)
    path = error.filename
    return isinstance(path, str) and (path == directory or path.startswith(f"{directory}/"))


def _check_appended(writer: packing.Writer, found: Mapping[str, str]) -> None:
    """Make sure that no path exists in an archive; FileExistsError if one does."""
    present = set()
    for name in writer.names():
        normal = files.normal_name(name)
        while normal and normal not in present:
            present.add(normal)
            normal = normal.rpartition("/")[0]
    for path in found.values():
        if path in present or (not path and layout.FN_STATE_POINT in present):
            raise FileExistsError(errno.EEXIST, "The archive holds this path already", path)


def _present(
    space: Space, target: str, found: Mapping[str, str], copytree: copying.CopyTree | None
) -> tuple[frozenset[str], list[naming.Obstacle]]:
    """Jobs that the target directory holds whole copies of, and what else is in the place of a copy.

    Raises PathError if a destination is no place for a job: outside the target, below another job, or inside an
    exported one.
    """
    done: set[str] = set()
    obstacles: list[naming.Obstacle] = []
    if not os.path.lexists(target):
        return frozenset(), obstacles
    is_whole = copying.is_moved if copying.moves_by_copy(copytree) else copying.is_same
    resumable = copying.is_own_copy(copytree) or copying.moves_by_copy(copytree)
    above: set[str] = set()
    for job_id, path in found.items():
        directory = path.rpartition("/")[0]
        if path and directory not in above:
            try:
                _check_directory(target, directory, above)
            except FileExistsError as error:
                obstacles.append(naming.Obstacle(job_id, error.filename, error.strerror or ""))
                above.add(directory)  # once is enough
        destination = os.path.join(target, path) if path else target
        if not os.path.lexists(destination):
            continue
        source = f"{space.workspace}/{job_id}"
        try:
            is_done = resumable and is_whole(source, destination, copying.state_point_text(source, job_id))
        except (OSError, JobsCorruptedError):
            continue  # it will be met again, and be reported, when the job is copied
        if is_done:
            done.add(job_id)
        elif not (copying.is_own_copy(copytree) and os.path.isdir(destination) and not os.listdir(destination)):
            obstacles.append(naming.Obstacle(job_id, destination, f"The destination of job '{job_id}' exists"))
    return frozenset(done), obstacles


def _check_target(space: Space, target: str, found: Mapping[str, str]) -> None:
    """Make sure that no job is copied into itself."""
    below = os.path.relpath(os.path.realpath(target), os.path.realpath(space.workspace)).split("/")[0]
    if below in found:
        raise templates.PathError(f"The target '{target}' lies inside the job '{below}', which is to be exported.")


def _check_directory(target: str, directory: str, above: set[str]) -> None:
    """Make sure that a directory below the target is one, or can be made; ``above`` are those known to be fine."""
    try:
        place = files.safe_join(target, directory) if directory else target
    except ValueError as error:
        raise templates.PathError(str(error)) from None
    if os.path.lexists(place) and not os.path.isdir(place):
        raise FileExistsError(errno.EEXIST, "A file stands where a directory is needed", place)
    if os.path.lexists(os.path.join(place, layout.FN_STATE_POINT)):
        raise templates.PathError(f"The directory '{place}' is that of a job; other jobs cannot be exported into it.")
    above.add(directory)
    higher = directory.rpartition("/")[0]
    if directory and higher not in above:
        _check_directory(target, higher, above)
