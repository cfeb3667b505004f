"""Symbolic links in a job that is copied: which stay links, which are followed, and which are left out.

One rule for all ways to copy a job. A relative link that stays within the job stays a link, whether its target exists
or not. Every other link is followed, so that the copy is whole. One that leads nowhere, or back to where it is, cannot
be followed: it is left out, and reported to whoever copies.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from ..layout import is_leftover

__all__ = [
    "LEADS_BACK",
    "LEADS_OUT",
    "UNSUPPORTED",
    "LeftOut",
    "Verdict",
    "Way",
    "depth_of",
    "ignore",
    "leads_back",
    "make",
    "nowhere",
    "stays_inside",
    "unsupported",
    "warn",
]

LeftOut = Callable[[str, str], Any]
"""Called with the path of a link that is left out, and the reason."""

_name_of = attrgetter("name")

LEADS_BACK = "it leads back to a directory above it"
LEADS_OUT = "it leads out of its job"
UNSUPPORTED = "the file system has no links"

_NOWHERE = {
    errno.ENOENT: "it points nowhere",
    errno.ENOTDIR: "it points nowhere",
    errno.ENAMETOOLONG: "it points nowhere",
    errno.ELOOP: "it points to itself",
}


def warn(path: str, reason: str) -> None:
    """Warn of a link that is left out, where nobody else takes care of that."""
    import warnings

    warnings.warn(f"The link '{path}' is left out: {reason}.", stacklevel=2)


def ignore(path: str, reason: str) -> None:
    """Say nothing of a link that is left out."""


def nowhere(error: OSError) -> str | None:
    """Say, as a sentence about a link, why following it led nowhere; None if the error means something else."""
    return _NOWHERE.get(error.errno or 0)


def make(target: str, path: str) -> bool:
    """Make a link where the file system has links; False where it has none."""
    try:
        os.symlink(target, path)
    except OSError as error:
        if not unsupported(error):
            raise
        return False
    return True


def unsupported(error: OSError) -> bool:
    """Tell whether a link could not be made because the file system has none."""
    return error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


def stays_inside(target: str, depth: int) -> bool:
    """Tell whether a link leads to something inside the directory tree it belongs to.

    ``target`` is what it holds, ``depth`` how many directories it is below the root of the tree. ``..`` counts in front
    only: after the name of another link it could lead anywhere.
    """
    if not target or "\0" in target or target.startswith("/"):
        return False
    parts = target.split("/")
    ups = 0
    while ups < len(parts) and parts[ups] in ("..", "."):
        ups += 1
    return ".." not in parts[ups:] and parts[:ups].count("..") <= depth


def leads_back(link: str, *places: str) -> bool:
    """Tell whether a link leads to a directory that holds it, directly or by way of other links.

    The places are the directory that holds the link, and those that hold the links that were followed to get there.
    """
    target = os.path.realpath(link)
    return any(os.path.commonpath([target, os.path.realpath(place)]) == target for place in places)


def depth_of(root: str, path: str) -> int:
    """How many directories a link is below the root of its tree: the job, or a directory that a link leads to."""
    depth = 0
    above = os.path.dirname(path)
    while above and not os.path.islink(os.path.join(root, above)):
        depth += 1
        above = os.path.dirname(above)
    return depth


class Verdict(NamedTuple):
    """What becomes of an entry of a directory that is copied.

    Parameters
    ----------
    kind : str
        ``"file"`` and ``"directory"`` are to be copied, those that links lead to included; ``"link"`` is to be made
        again, ``"nothing"`` to be left out; ``"other"`` cannot be copied.
    text : str
        What the link holds, or why it is left out.
    """

    kind: Literal["file", "directory", "link", "nothing", "other"]
    text: str = ""


class Way(NamedTuple):
    """A directory on the way through a job that is copied.

    Parameters
    ----------
    path : str
        The directory.
    depth : int
        How many directories it is below the job, or below the last directory that a link led to.
    above : tuple of str
        The directories that hold the links that have been followed.
    """

    path: str
    depth: int = 0
    above: tuple[str, ...] = ()

    def entries(self, without: str = "") -> list[os.DirEntry[str]]:
        """What the directory holds, sorted by name, but for one name and for what writers leave behind."""
        with os.scandir(self.path) as found:
            entries = [entry for entry in found if (name := entry.name) != without and not is_leftover(name)]
        if len(entries) > 1:
            entries.sort(key=_name_of)
        return entries

    def judge(self, entry: os.DirEntry[str], *, follow: bool = False) -> Verdict:
        """Decide about an entry of the directory; only links to something outside cost more than reading them.

        ``follow`` follows links that stay within the job, too, as far as that is possible. OSError if a link cannot be
        read, or cannot be followed for another reason than that it leads nowhere.
        """
        if not entry.is_symlink():
            if entry.is_file(follow_symlinks=False):
                return Verdict("file")
            return Verdict("directory" if entry.is_dir(follow_symlinks=False) else "other")
        target = os.readlink(entry.path)
        inside = stays_inside(target, self.depth)
        if inside and not follow:
            return Verdict("link", target)
        reason: str | None = LEADS_BACK
        try:
            mode = entry.stat().st_mode
            if stat.S_ISREG(mode):
                return Verdict("file")
            if not stat.S_ISDIR(mode):
                return Verdict("other")
            if not leads_back(entry.path, *self.above, self.path):
                return Verdict("directory")
        except OSError as error:
            reason = nowhere(error)
            if reason is None:
                raise
        return Verdict("link", target) if inside else Verdict("nothing", reason or "")

    def below(self, entry: os.DirEntry[str]) -> Way:
        """The way through a directory in this one."""
        if entry.is_symlink():
            return Way(entry.path, 0, (*self.above, self.path))
        return Way(entry.path, self.depth + 1, self.above)
