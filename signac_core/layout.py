"""The map of a project on disk: every name of a file or directory, once.

::

    PROJECT/
        .signac/config                            ``schema_version = 2``
        .signac/statepoint_cache.json.gz          derived; shared with signac 2.x
        .signac/index, index.delta, ...           derived (see ``index``)
        signac_project_document.json
        workspace/
            <id>/signac_statepoint.json           the state point; its canonical text hashes to <id>
            <id>/signac_job_document.json
            <id>/._signac_next_<newid>.json       a state point change under way (see ``lifecycle.py``)
            <id>/._signac_removed                 without a state point file beside it: a job being deleted
            .signac-new-<id>-<random>/            a job being built; renamed to <id> when whole
            .signac-rm-<id>-<random>/             a job being deleted; anyone may finish the deletion
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import count

SCHEMA_VERSION = 2

CONFIG_DIRECTORY = ".signac"
FN_CONFIG = ".signac/config"
FN_CACHE = ".signac/statepoint_cache.json.gz"
FN_INDEX = ".signac/index"
BASE = "index"
DELTA = "index.delta"
DOCUMENTS = "index.documents"
FN_PROJECT_DOCUMENT = "signac_project_document.json"
FN_LEGACY_CONFIG = "signac.rc"
WORKSPACE = "workspace"

FN_STATE_POINT = "signac_statepoint.json"
FN_STATE_POINT_BACKUP = "signac_statepoint.json~"
FN_DOCUMENT = "signac_job_document.json"
KEY_DATA = "signac_data"

JOB_ID_LENGTH = 32

FN_REMOVED = "._signac_removed"

PREFIX_NEW = ".signac-new-"
PREFIX_REMOVED = ".signac-rm-"
PREFIX_COPY = ".signac-copy-"

SYNC = "sync"  # ends the name of every file that a synchronization is writing
NAME_MAX = 255  # bytes
PATH_MAX = 4096  # bytes, the NUL at its end included

_HEX_DIGITS = frozenset("0123456789abcdef")
_TOKEN_LENGTHS = frozenset({16, 36})  # of this library; a UUID of signac 2.x
_TOKEN_CHARACTERS = frozenset("0123456789abcdef-")


def is_job_id(name: str) -> bool:
    """Tell whether a name is a job id: exactly 32 lower-case hexadecimal digits."""
    return len(name) == JOB_ID_LENGTH and _HEX_DIGITS.issuperset(name)


def is_job_directory(name: str) -> bool:
    """Tell whether a workspace entry counts as a job: its first 32 characters are an id (the rule of signac 2.x)."""
    return _HEX_DIGITS.issuperset(name[:JOB_ID_LENGTH]) and len(name) >= JOB_ID_LENGTH


def check_job_directory(name: str) -> None:
    """Make sure that a name which is going to be part of a path is that of a job directory.

    Raises ValueError if it is not, and might lead anywhere.
    """
    if not is_job_directory(name) or "/" in name:
        raise ValueError(f"{name!r} is no job id: these are {JOB_ID_LENGTH} lower-case hexadecimal digits.")


def job_directories(names: Sequence[str]) -> list[str]:
    """Those names that count as jobs, see :func:`is_job_directory`; fast when they all do."""
    text = "".join(names)
    are_ids = text.isascii() and not text.encode().translate(None, b"0123456789abcdef")
    if are_ids and set(map(len, names)) == {JOB_ID_LENGTH}:
        return list(names)
    return list(filter(is_job_directory, names))


def job_ids(names: list[str]) -> list[str]:
    """Those names of job directories that are ids and nothing more; fast when they all are."""
    if set(map(len, names)) <= {JOB_ID_LENGTH}:
        return names
    return [name for name in names if len(name) == JOB_ID_LENGTH]


def is_id_prefix(text: str) -> bool:
    """Tell whether a string can be the beginning of a job id: 1 to 32 lower-case hexadecimal digits."""
    return 0 < len(text) <= JOB_ID_LENGTH and _HEX_DIGITS.issuperset(text)


def pending_name(job_id: str) -> str:
    """Name, inside a job directory, of the state point that makes it another job once renamed."""
    return f"._signac_next_{job_id}.json"


def _target(name: str) -> str | None:
    """Name of the file that the unfinished file ``name`` was to become; None when it is no unfinished file."""
    token, separator, target = name[2:].partition("_")
    known = len(token) in _TOKEN_LENGTHS and _TOKEN_CHARACTERS.issuperset(token)
    return target if name.startswith("._") and separator and known else None


def is_temporary(name: str, *targets: str) -> bool:
    """Tell whether a name is that of an unfinished file, or link, that was to become one of others."""
    return _target(name) in targets


def is_hidden_file(name: str) -> bool:
    """Tell whether a name may be that of a file under construction, of this program or another."""
    return name.startswith("._")


def is_leftover(name: str) -> bool:
    """Tell whether a name in a job is that of a file being written, or left by a writer that was killed.

    Such files are not part of the data: they are neither copied nor compared.
    """
    if not name.startswith("."):
        return False
    unfinished = _is_pending(name) or name.startswith(PREFIX_NEW) or name == FN_REMOVED
    return unfinished or _target(name) is not None


def _is_pending(name: str) -> bool:
    before, after = pending_name("|").split("|")
    return name.startswith(before) and name.endswith(after) and is_job_id(name[len(before) : -len(after)])


def temporary_state_points(names: Iterable[str]) -> list[str]:
    """Find the files that were to become a state point file."""
    found = []
    for name in names:
        target = _target(name) or name
        if _is_pending(target) or (target == FN_STATE_POINT and target != name):
            found.append(name)
    return sorted(found)


_numbers: Iterator[int] | None = None
"""Counts from a random number on, another one in each process; a call to the system for each would be dear."""


def unique_name() -> str:
    """A name that nothing else has: 16 hexadecimal digits."""
    global _numbers
    numbers = _numbers
    if numbers is None:
        numbers = _numbers = count(int.from_bytes(os.urandom(8), "big"))
    return f"{next(numbers) % 2**64:016x}"


def _begin_anew() -> None:
    """Forget the random number of the process that this one was forked from."""
    global _numbers
    _numbers = None


os.register_at_fork(after_in_child=_begin_anew)


def temporary_for(path: str) -> str:
    """Hidden name for a file, or link, that is to become another, in the same directory."""
    directory, slash, name = path.rpartition("/")
    hidden = f"._{unique_name()}_{name}"
    if len(hidden) > NAME_MAX or not hidden.isascii():
        encoded = os.fsencode(hidden)
        if len(encoded) > NAME_MAX:  # the part of a character that a cut leaves is no name for some file systems
            hidden = encoded[:NAME_MAX].decode("utf-8", "ignore")
    return directory + slash + hidden


def temporary_beside(path: str) -> str:
    """Hidden path in the directory of a file that a synchronization is writing."""
    return os.path.join(os.path.dirname(path), f"._{unique_name()}_{SYNC}")


def building_name(name: str = "") -> str:
    """Hidden name for what is deleted unless it is renamed when whole: a job, by its id, or a file."""
    return f"{PREFIX_NEW}{name}-{unique_name()}" if name else PREFIX_NEW + unique_name()


def copying_name(name: str) -> str:
    """Hidden name for a copy that is made by a function of the user's, and never deleted by this library."""
    return f"{PREFIX_COPY}{name}-{unique_name()}"


def removed_name(job_id: str) -> str:
    """Hidden name for a job that is being deleted."""
    return f"{PREFIX_REMOVED}{job_id}-{unique_name()}"
