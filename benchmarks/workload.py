"""What a workload is, and the words of its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .projects import COLD, FIRST, NEW, WARM
from .shapes import FLAT, NESTED, SIX, SPARSE

SIZES = (1_000, 10_000, 100_000)
LARGE = 1_000_000
FEW = 10
"""Jobs of the project in which commands are started that have next to nothing to do."""

STATES = (COLD, FIRST, WARM, NEW)
ALL_SHAPES = tuple(shape.name for shape in SIX)
MAIN_SHAPES = (FLAT.name, NESTED.name)
"""Where the shape makes little difference; cold and changed projects of more than 1,000 jobs."""

LARGE_SHAPE = NESTED.name
"""That of the project of a million jobs."""

MANY_KEYS = SPARSE.name
COMMANDS, LIBRARY, LOOPS, MEMORY = "commands", "library", "loops", "memory"
MILLION, NETWORK, CALLS = "large", "network", "calls"
GROUPS = (COMMANDS, LIBRARY, LOOPS, MEMORY, MILLION, NETWORK, CALLS)
"""Each is a file of results. The first four are those of workloads; the others are other ways to run them."""

Words = tuple[str, ...]
NOTHING: Words = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing to do, in one or more states of the caches.

    Parameters
    ----------
    name
        What the tables call it.
    group
        One of the first four of `GROUPS`.
    kind
        What it has in common with others: `targets.py` says what is to be reached by kind.
    arguments
        Those of the command; in the library and in loops, the function below `inside/` and its arguments. What
        `<words>` stand for is told by `Bench.prepare`.
    peer
        The same for signac 2.4.1, where they differ; None if it has no such thing.
    floor
        By state, or for all states: the steps of `inside/floors.py`.
    states
        The states of the caches.
    sizes, shapes
        The numbers of jobs, and the shapes of their state points.
    most_cold
        The largest number of jobs with which it is measured cold: most queries take as long as any other then.
    large
        The states that are also measured with a million jobs.
    copy
        Whether it changes the project, and so needs a copy of it each time.
    on_disk
        Whether its project lies on a disk, and not in memory.
    elsewhere
        Whether it is done in a new project without jobs.
    network
        The numbers of jobs with which it is also done on a slow file system.
    operations
        How often it does what system calls are counted of; 0: once for each job.
    alike
        Whether both programs must come to the same result.
    new_job
        The job that the command creates, to be removed before it is run again.
    """

    name: str
    group: str
    kind: str = ""
    arguments: Words
    peer: Words | None = NOTHING
    floor: Words | Mapping[str, Words] = NOTHING
    states: Words = (WARM,)
    sizes: tuple[int, ...] = SIZES
    shapes: Words = ALL_SHAPES
    most_cold: int = SIZES[1]
    large: Words = ()
    copy: bool = False
    on_disk: bool = False
    elsewhere: bool = False
    network: tuple[int, ...] = ()
    operations: int = 1
    alike: bool = True
    new_job: str | None = None

    def floor_in(self, state: str) -> Words:
        """The floor in one state; nothing if there is none."""
        return self.floor.get(state, NOTHING) if isinstance(self.floor, Mapping) else self.floor

    @property
    def from_outside(self) -> bool:
        """Whether it is a command, which is timed from outside."""
        return self.arguments[0] != IN_PYTHON


IN_PYTHON = "python"
"""The first of the arguments of what is not a command."""


def fill(words: Words, known: Mapping[str, str | list[str]]) -> list[str]:
    """Put in what words such as `<few>` stand for; one that stands for several becomes several.

    >>> fill(("find", "<few>.$lt", "{id}", "<ids>"), {"few": "a", "ids": ["0f", "1c"]})
    ['find', 'a.$lt', '{id}', '0f', '1c']
    """
    filled: list[str] = []
    for word in words:
        whole = known.get(word[1:-1]) if re.fullmatch(r"<\w+>", word) else None
        if isinstance(whole, list):
            filled += whole
        else:
            filled.append(re.sub(r"<(\w+)>", lambda match: str(known[match[1]]), word))
    return filled


def python(function: str, *arguments: str) -> Words:
    """The arguments of a workload that is a function below `inside/`."""
    return (IN_PYTHON, function, *arguments)
