"""What is measured: the commands and library calls, the states they start from, their floors and their targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import generator
from .projects import COLD, NEW, WARM

FEW = 10
"""Jobs of the project in which commands are started that have next to nothing to do."""

SIZES = (1_000, 10_000, 100_000)
LARGE = 1_000_000
MANY = 10_000
"""The most jobs that are copied, removed or written again, unless all workloads are wanted."""

PYTHON = ()
CLICK = ("import click",)
LISTING = "listing"
STATE_POINTS = "signac_statepoint.json"
DOCUMENTS = "signac_job_document.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing to do, in one or more states of the caches.

    Parameters
    ----------
    name
        What the tables call it.
    group
        "commands" or "library".
    arguments
        Those of the command, or the name and the arguments of a function of `inside.py`. `{run}` stands for a new
        directory, `{disk}` for one that is not in memory, `{twin}` for an equal project, `{count}` for the number of
        jobs.
    states
        The states of the caches, in the order in which they are measured.
    sizes
        The only numbers of jobs that it is done with (none: those that were asked for).
    most
        The largest number of jobs, unless slow workloads are wanted.
    large
        The states that are also measured with a million jobs.
    project
        "jobs", "document" (one job) or "copy" (of jobs; for what would change the project).
    floor
        By state, or for all states: the arguments of a function of `inside.py`; for commands what Python does at
        least: modules to import, LISTING, files to read of each job.
    targets
        The least that peer / ours should be, by state, for projects that are not small.
    small
        The same for small projects.
    million
        The same for a million jobs.
    operations
        How often it does what system calls are counted of; "jobs": once for each job.
    network
        The sizes with which it is also done on a slow file system, and the least that peer / ours should be there,
        by state.
    alike
        Whether both programs must come to the same result.
    new_job
        The job that the command creates, to be removed before it is run again.
    """

    name: str
    group: str
    arguments: tuple[str, ...]
    states: tuple[str, ...] = (WARM,)
    sizes: tuple[int, ...] = ()
    most: int = SIZES[-1]
    large: tuple[str, ...] = ()
    project: str = "jobs"
    floor: tuple[str, ...] | Mapping[str, tuple[str, ...]] | None = None
    targets: Mapping[str, float] = field(default_factory=dict)
    small: Mapping[str, float] = field(default_factory=dict)
    million: Mapping[str, float] = field(default_factory=dict)
    operations: int | str = 1
    network: Mapping[str, float | None] = field(default_factory=dict)
    alike: bool = True
    new_job: str | None = None

    def floor_in(self, state: str) -> tuple[str, ...] | None:
        """The floor in one state."""
        return self.floor.get(state) if isinstance(self.floor, Mapping) else self.floor

    def target(self, state: str, size: int, *, network: bool = False) -> float | None:
        """The least that peer / ours should be; None where there is no target."""
        if network:
            return self.network.get(state) if size >= SIZES[-1] else None
        if size >= LARGE and state in self.million:
            return self.million[state]
        if size <= SIZES[0]:
            return self.small.get(state)
        return self.targets.get(state) if size >= min(self.most, SIZES[-1]) else None


def _start(name: str, *arguments: str, target: float | None = None, **more: object) -> Workload:
    targets = {} if target is None else {COLD: target}
    fields = {"floor": CLICK, "sizes": (FEW,), "states": (COLD,), **more}
    return Workload(name=name, group="commands", arguments=arguments or (name,), small=targets, **fields)  # type: ignore[arg-type]


def _find(name: str, *arguments: str, reads: str = "", **more: object) -> Workload:
    """A query by the command, with the floors and targets that queries have unless others are named."""
    cold = (*CLICK, LISTING, reads or STATE_POINTS)
    fields = {
        "floor": {COLD: cold, WARM: (*CLICK, LISTING, reads) if reads else CLICK, NEW: (*CLICK, LISTING, reads)},
        "targets": {COLD: 3, WARM: 12, NEW: 8},
        "small": {WARM: 3},
        "large": (WARM, NEW),
        **more,
    }
    return Workload(
        name=f"find: {name}",
        group="commands",
        arguments=("find", *arguments),
        states=(COLD, WARM, NEW),
        **fields,  # type: ignore[arg-type]
    )


ALL_STATES = (COLD, WARM, NEW)
SOME_ID = generator.job_id(generator.state_point(3, FEW))
LISTED = {COLD: (*CLICK, LISTING), WARM: CLICK, NEW: (*CLICK, LISTING)}
READ_OR_NOT = {COLD: (*CLICK, LISTING, STATE_POINTS), WARM: CLICK}

COMMANDS = [
    _start("--version", target=4, floor=PYTHON, alike=False),
    _start("--help", alike=False),
    _start("job -c", "job", "-c", '{"new": 1}', target=3, new_job=generator.job_id({"new": 1})),
    _start("find, ten jobs", "find", target=3),
    _start("find KEY VALUE, ten jobs", "find", "a", "3", target=3),
    _start("statepoint ID, ten jobs", "statepoint", SOME_ID),
    _start("document ID, ten jobs", "document", SOME_ID),
    _find("all jobs", floor=LISTED, targets={}, network={WARM: 50}),
    _find("key with 100 values", "a", "42", million={WARM: 60}, network={COLD: None, WARM: 50, NEW: None}),
    _find("unique key", "i", "421", million={WARM: 60}, network={WARM: 50}),
    _find("range, 1 %", "x.$lt", "0.01", million={WARM: 60}, network={WARM: 50}),
    _find("range, 10 %", "x.$lt", "0.1", most=0, large=(WARM,), targets={}, small={}),
    _find("range, half", "x.$lt", "0.5", million={WARM: 20}, network={WARM: 50}),
    _find("regular expression, 1 %", "name", "/00$/", targets={COLD: 3}),
    _find("document key, 1 %", "doc.status", "failed", reads=DOCUMENTS, targets={COLD: 3, WARM: 3}, large=()),
    Workload(
        name="schema",
        group="commands",
        arguments=("schema",),
        states=(COLD, WARM),
        floor=READ_OR_NOT,
        targets={WARM: 10},
        large=(WARM,),
        network={WARM: 50},
    ),
    Workload(name="statepoint", group="commands", arguments=("statepoint",), states=(COLD, WARM), floor=READ_OR_NOT),
    Workload(name="diff, all jobs", group="commands", arguments=("diff",), most=MANY, floor=CLICK),
    Workload(name="diff, 1 %", group="commands", arguments=("diff", "-f", "a", "42"), floor=CLICK),
]

READ_ALL = {COLD: ("floor_read", STATE_POINTS), NEW: ("floor_read",)}

LIBRARY = [
    Workload(
        name="create jobs",
        group="library",
        arguments=("init", "{run}/new", "{count}"),
        states=(COLD,),
        most=MANY,
        floor=("floor_init", "{run}/new", "{count}"),
        targets={COLD: 2},
        small={COLD: 2},
        operations="jobs",
        network={COLD: None},
    ),
    *(
        Workload(
            name=f"{name}, on disk{', durable' if durable else ''}",
            group="library",
            arguments=("durable", *arguments) if durable else arguments,
            states=(COLD,),
            sizes=(size,),
            operations=operations,
        )
        for name, arguments, size, operations in [
            ("create jobs", ("init", "{disk}/new", "{count}"), SIZES[0], SIZES[0]),
            ("write a key of a document of 20, 200 times", ("write_new_document", "{disk}/new", "200"), 1, 200),
        ]
        for durable in (False, True)
    ),
    Workload(name="open 20 jobs by id", group="library", arguments=("open_by_id", "20"), operations=20),
    Workload(
        name="iterate, read state points",
        group="library",
        arguments=("iterate",),
        states=(COLD, WARM),
        floor=READ_ALL,
        targets={WARM: 10},
        operations="jobs",
        network={WARM: 50},
    ),
    Workload(
        name="iterate, read cached state points",
        group="library",
        arguments=("iterate_cached",),
        states=(COLD, WARM),
        floor=READ_ALL,
        operations="jobs",
    ),
    Workload(
        name="read a state point key 1,000 times",
        group="library",
        arguments=("read_state_point", "1000"),
        sizes=(1,),
        project="document",
        states=(COLD,),
        operations=1000,
    ),
    Workload(
        name="write a key of a document of 20, 200 times",
        group="library",
        arguments=("write_document", "200"),
        sizes=(1,),
        project="document copy",
        states=(COLD,),
        floor=("floor_replace", "200"),
        small={COLD: 1},
        operations=200,
        network={COLD: None},
    ),
    Workload(
        name="read a key of an unchanged document 1,000 times",
        group="library",
        arguments=("read_document", "1000"),
        sizes=(1,),
        project="document",
        states=(COLD,),
        floor=("floor_stat", "1000"),
        small={COLD: 4},
        operations=1000,
        network={COLD: None},
    ),
    Workload(
        name="write a key of each document, buffered",
        group="library",
        arguments=("write_buffered",),
        sizes=(1_000,),
        project="jobs copy",
        states=(COLD,),
        floor=("floor_replace_all",),
        operations="jobs",
    ),
    Workload(
        name="find_jobs, key with 100 values",
        group="library",
        arguments=("find",),
        states=ALL_STATES,
        floor=READ_ALL,
        targets={WARM: 12, NEW: 5},
        million={WARM: 60},
        large=(WARM, NEW),
    ),
    Workload(
        name="groupby",
        group="library",
        arguments=("groupby",),
        states=ALL_STATES,
        floor=READ_ALL,
        targets={WARM: 8, NEW: 5},
    ),
    Workload(
        name="detect_schema",
        group="library",
        arguments=("schema",),
        states=ALL_STATES,
        floor=READ_ALL,
        targets={WARM: 10, NEW: 5},
        network={WARM: 50},
    ),
    Workload(
        name="to_dataframe", group="library", arguments=("frame",), floor=("floor_read", DOCUMENTS), targets={WARM: 4}
    ),
    Workload(
        name="update_cache",
        group="library",
        arguments=("update_cache",),
        states=(COLD, NEW),
        floor=READ_ALL,
        targets={COLD: 2.5, NEW: 15},
        large=(NEW,),
        network={NEW: None},
    ),
    Workload(
        name="export to a directory",
        group="library",
        arguments=("export", "{run}/exported"),
        most=MANY,
        floor=("floor_copy", "{run}/exported"),
        targets={WARM: 2},
        small={WARM: 2},
        operations="jobs",
    ),
    Workload(
        name="export to a tar file",
        group="library",
        arguments=("export", "{run}/exported.tar"),
        most=MANY,
        floor=("floor_archive", "{run}/exported.tar"),
        targets={WARM: 2},
        small={WARM: 2},
        operations="jobs",
    ),
    Workload(
        name="import",
        group="library",
        arguments=("import_", "{run}/imported"),
        states=(COLD,),
        most=MANY,
        floor=("floor_copy", "{run}/imported"),
        targets={COLD: 2},
        small={COLD: 2},
        operations="jobs",
    ),
    Workload(
        name="linked view",
        group="library",
        arguments=("view", "{run}/view"),
        most=MANY,
        floor=("floor_view", "{run}/view"),
        operations="jobs",
    ),
    Workload(
        name="sync equal projects",
        group="library",
        arguments=("sync", "{twin}"),
        most=MANY,
        floor=("floor_compare", "{twin}"),
        targets={WARM: 2},
        small={WARM: 2},
        operations="jobs",
    ),
    Workload(
        name="clone each job",
        group="library",
        arguments=("clone", "{run}/cloned"),
        most=MANY,
        floor=("floor_copy", "{run}/cloned"),
        targets={WARM: 2},
        small={WARM: 2},
        operations="jobs",
    ),
]

WORKLOADS = COMMANDS + LIBRARY

MEMORY = ("find: range, 1 %", "find: range, 10 %", "find: range, half")
"""The commands whose peak of memory the tables show."""


def floor_code(steps: tuple[str, ...]) -> str:
    """The program that is the floor of a command."""
    lines = ["import os", *[step for step in steps if step.startswith("import ")]]
    if LISTING in steps:
        lines.append("ids = os.listdir('workspace')")
    for name in (STATE_POINTS, DOCUMENTS):
        if name in steps:
            lines += [
                "for i in ids:",
                f" f = os.open(f'workspace/{{i}}/{name}', os.O_RDONLY); os.read(f, 65536); os.close(f)",
            ]
    return "\n".join(lines)
