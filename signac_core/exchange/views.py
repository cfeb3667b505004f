"""Linked views: a tree of directories with readable names, and in each a link ``job`` to a job directory.

A view is brought up to date by the least changes. What belongs to it is told from what belongs to users by one rule: a
symbolic link with the name ``job``, or with the hidden one that such a link has first when it is changed, that points
to a job of this workspace is ours. Nothing else is ever removed or replaced, except for links of that name to job
directories that are gone, where a link of ours is to be.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .. import catalog, files, layout, resolving
from ..layout import is_temporary
from ..paths import naming, templates
from ..progress import track

if TYPE_CHECKING:
    from ..progress import Progress
    from ..workspace import Space

__all__ = ["ViewPlan", "plan_view"]

LINK = "job"
"""The name of every link."""


class ViewPlan(NamedTuple):
    """What brings a view up to date.

    Parameters
    ----------
    space : Space
        The project.
    prefix : str
        The directory of the view.
    ids : mapping of str to str
        The job that each link leads to, by the path of the link below the prefix.
    targets : mapping of str to str
        What each link to create or to change is going to hold.
    created, updated, removed, unchanged : tuple of str
        Paths of links, below the prefix.
    leftovers : tuple of str
        Paths of the hidden links that an update left when it was killed.
    """

    space: Space
    prefix: str
    ids: Mapping[str, str]
    targets: Mapping[str, str]
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()

    def carry_out(self, *, progress: Progress | None = None) -> dict[str, str]:
        """Bring the view up to date; the result is that of :meth:`Project.create_linked_view`.

        ``progress`` is called with each link that has been made, changed or removed. After an error, running again does
        the rest.
        """
        for link in self.leftovers:
            self._remove(link)
        steps = [(self._remove, link) for link in self.removed]
        steps += [(self._create, link) for link in self.created]
        steps += [(self._update, link) for link in self.updated]
        for step, link in track(steps, "view", len(steps), progress):
            step(link)
        return {link: f"{self.space.workspace}/{job_id}" for link, job_id in self.ids.items()}

    def _remove(self, link: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.prefix, link))
        self._remove_empty(os.path.dirname(link))

    def _create(self, link: str) -> None:
        path = os.path.join(self.prefix, link)
        files.ensure_directory(os.path.dirname(path))
        try:
            os.symlink(self.targets[link], path)
        except FileExistsError:  # another process brings the same view up to date
            if not os.path.islink(path) or os.readlink(path) != self.targets[link]:
                raise

    def _update(self, link: str) -> None:
        path = os.path.join(self.prefix, link)
        for last in (False, False, True):
            temporary = layout.temporary_for(path)
            os.symlink(self.targets[link], temporary)
            try:
                os.rename(temporary, path)
            except FileNotFoundError:  # another process took it for what a killed one left
                if last:
                    raise
            else:
                return

    def _remove_empty(self, directory: str) -> None:
        """Remove the directories that the removal of a link has emptied."""
        while directory:
            try:
                os.rmdir(os.path.join(self.prefix, directory))
            except FileNotFoundError:
                pass
            except OSError:
                return
            directory = os.path.dirname(directory)


def plan_view(
    space: Space,
    prefix: str | os.PathLike[str] | None = None,
    job_ids: Iterable[str] | None = None,
    path: naming.PathSpecification = None,
    *,
    handle: naming.Handle,
    damaged: list[str] | None = None,
) -> ViewPlan:
    """Find out what brings a view up to date, and whether that is possible; nothing is changed.

    The parameters and errors are those of :meth:`Project.create_linked_view`; a list of ``damaged`` ids takes those of
    the jobs that are left out. The plan has found nothing in the way: otherwise it is a PathsTakenError.
    """
    root = "view" if prefix is None else files.expand_home(os.fspath(prefix)) or "."
    ids = catalog.list_names(space) if job_ids is None else _resolve(space, job_ids)
    found = naming.job_paths(space, ids, path, handle=handle, leaf=LINK, damaged=damaged)
    _check_slashes(space, found)
    links = {link: job_id for job_id, link in found.items()}
    location = _Location(space, root)
    present, leftovers = location.links()
    targets: dict[str, str] = {}
    created, updated, unchanged = [], [], []
    for link, job_id in links.items():
        target = location.target(link, job_id)
        if present.get(link) == target:
            unchanged.append(link)
            continue
        targets[link] = target
        if link in present or location.is_dangling(link):
            updated.append(link)
        else:
            created.append(link)
    removed = sorted(present.keys() - links.keys())
    obstacles = location.obstacles({link: links[link] for link in created}, [*removed, *leftovers])
    if obstacles:
        raise naming.PathsTakenError(obstacles)
    changes = map(tuple, (created, updated, removed, unchanged, leftovers))
    return ViewPlan(space, root, links, targets, *changes)


def _resolve(space: Space, job_ids: Iterable[str]) -> list[str]:
    """Full ids of the jobs that are named, each once."""
    if isinstance(job_ids, str):
        raise TypeError("The job ids must be an iterable of str, not one str.")
    texts = list(job_ids)
    with space.one_moment():
        whole = catalog.names_among(space, [text for text in texts if layout.is_job_directory(text)])
        return list(dict.fromkeys(text if text in whole else resolving.resolve(space, text) for text in texts))


def _check_slashes(space: Space, ids: Iterable[str]) -> None:
    """Make sure that no key or string of a state point would look like two levels of directories.

    Raises PathError if one contains a slash.
    """
    for job_id, state_point in catalog.read_state_points(space, ids):
        for key, value in state_point.items():
            for text in (key, value):
                if isinstance(text, str) and "/" in text:
                    raise templates.PathError(
                        f"The state point of job '{job_id}' contains a '/', which a view cannot show: {text!r}. Export "
                        "the jobs instead, with copytree=os.symlink."
                    )


class _Location:
    """Where a view is, relative to the workspace; links hold relative paths, which survive a move of both."""

    def __init__(self, space: Space, prefix: str) -> None:
        self._prefix = prefix
        self._real_prefix = os.path.realpath(prefix)
        # Links lead to the workspace by its name in the project, which may be a link itself.
        self._workspace = os.path.join(os.path.realpath(space.root), layout.WORKSPACE)
        self._real_workspace = os.path.realpath(self._workspace)
        self._way = os.path.relpath(self._workspace, self._real_prefix)

    def target(self, link: str, job_id: str) -> str:
        """What a link to a job has to hold."""
        return f"{'../' * link.count('/')}{self._way}/{job_id}"

    def links(self) -> tuple[dict[str, str], list[str]]:
        """Links of ours below the prefix with what they hold, and the hidden ones that killed updates left."""
        links: dict[str, str] = {}
        leftovers: list[str] = []
        for path, name, held in self._links():
            if name == LINK:
                links[path] = held
            else:
                leftovers.append(path)
        return links, leftovers

    def _links(self, directory: str = "") -> Iterator[tuple[str, str, str]]:
        """Path, name and content of all these."""
        place = os.path.join(self._real_prefix, directory)
        if place == self._real_workspace:
            return
        try:
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        for entry in found:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if entry.is_symlink():
                if entry.name == LINK or is_temporary(entry.name, LINK):
                    held = os.readlink(entry.path)
                    if self._leads_to_a_job(place, held):
                        yield path, entry.name, held
            elif entry.is_dir():
                yield from self._links(path)

    def _leads_to_a_job(self, directory: str, held: str) -> bool:
        """Tell whether a link points into this workspace, whether there is such a job or not."""
        above, name = os.path.split(os.path.join(directory, held))
        return layout.is_job_directory(name) and (
            os.path.normpath(above) == self._workspace or os.path.realpath(above) == self._real_workspace
        )

    def is_dangling(self, link: str) -> bool:
        """Tell whether the place of a link is held by one to a job directory that is gone, of whatever project."""
        path = os.path.join(self._real_prefix, link)
        if not os.path.islink(path) or os.path.exists(path):
            return False
        return layout.is_job_directory(os.path.basename(os.readlink(path)))

    def obstacles(self, created: Mapping[str, str], removed: Iterable[str]) -> list[naming.Obstacle]:
        """What stands in the place of links, or of the directories above them, and will not be removed."""
        going = set(removed)
        known: set[str] = set()
        found = []
        for link, job_id in created.items():
            path = os.path.join(self._real_prefix, link)
            if os.path.lexists(path) and not self._will_be_empty(link, going):
                reason = "What stands in the place of a link is not part of the view"
                found.append(naming.Obstacle(job_id, path, reason))
            above = os.path.dirname(link)
            while above not in known:
                known.add(above)
                path = os.path.join(self._real_prefix, above)
                if above not in going and os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path)):
                    found.append(naming.Obstacle(job_id, path, "The view needs a directory in the place of this"))
                above = os.path.dirname(above)
        return found

    def _will_be_empty(self, directory: str, going: set[str]) -> bool:
        """Tell whether a directory holds nothing but links that will be removed."""
        path = os.path.join(self._real_prefix, directory)
        if os.path.islink(path) or not os.path.isdir(path):
            return directory in going
        names = os.listdir(path)
        return bool(names) and all(
            f"{directory}/{name}" in going or self._will_be_empty(f"{directory}/{name}", going) for name in names
        )
