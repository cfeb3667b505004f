"""Finding what crashes, full disks, other programs and people have damaged, and mending it.

Mending is a matter of finding the state point of a job again. In this order, whatever hashes to the id of the job:
what an unfinished change left in its directory, then what is in memory and in the persistent cache. When there is
nothing of that kind, and the directory holds another valid state point, the directory gets the id of that one, unless
it is taken. A job that can be read is never touched, except that an unfinished change is finished. Documents and other
data of users are never changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from . import canonical, files, layout, litter, reading, workspace
from .errors import JobsCorruptedError
from .locks import Lock
from .progress import track

if TYPE_CHECKING:
    from .progress import Progress
    from .project import Project
