"""All workloads, and which of them are measured in which way, on which projects."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from . import commands, library
from .programs import Task
from .projects import COLD, NEW, WARM
from .workload import CALLS, GROUPS, LARGE, LARGE_SHAPE, MAIN_SHAPES, MEMORY, MILLION, NETWORK, SIZES, STATES, Workload

WORKLOADS = [*commands.WORKLOADS, *library.WORKLOADS]
BY_NAME = {(workload.group, workload.name): workload for workload in WORKLOADS}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of all there is to measure.

    Parameters
    ----------
    groups, shapes, sizes
        Nothing else than of these; none: all.
    only
        A regular expression that is found in 'GROUP WORKLOAD, STATE'.
    """

    groups: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    only: str = ""

    def __contains__(self, task: Task) -> bool:
        return (
            (not self.groups or task.group in self.groups)
            and (not self.shapes or task.shape in self.shapes)
            and (not self.sizes or task.size in self.sizes)
            and re.search(self.only, str(task)) is not None
        )


def plan(part: Part) -> list[Task]:
    """What is to be measured, in an order that changes the state of each project as seldom as possible."""
    tasks = [task for workload in WORKLOADS for task in _tasks(workload) if task in part]
    shapes = list(dict.fromkeys(shape for workload in WORKLOADS for shape in workload.shapes))

    def place(task: Task) -> tuple[int, int, int, int]:
        return task.size, shapes.index(task.shape), STATES.index(task.state), GROUPS.index(task.group)

    return sorted(tasks, key=place)


def _tasks(workload: Workload) -> Iterator[Task]:
    for state in workload.states:
        for shape in workload.shapes:
            for size in workload.sizes:
                if _measured(workload, state, shape, size):
                    yield Task(workload.group, workload, state, shape, size)
        yield from _in_other_ways(workload, state)


def _measured(workload: Workload, state: str, shape: str, size: int) -> bool:
    """Whether a state is measured: reading all files takes as long whatever is in them, and whatever is asked."""
    if state == WARM or workload.states == (state,):
        return True
    if state == COLD and size > workload.most_cold:
        return False
    return shape in MAIN_SHAPES or (state == COLD and size == SIZES[0])


def _in_other_ways(workload: Workload, state: str) -> Iterator[Task]:
    shape = LARGE_SHAPE if LARGE_SHAPE in workload.shapes else workload.shapes[0]
    if state in workload.large:
        yield Task(MILLION, workload, state, LARGE_SHAPE, LARGE)
    if state != NEW:
        for size in workload.network:
            yield Task(NETWORK, workload, state, shape, size)
    if workload.group != MEMORY and shutil.which("strace"):
        yield Task(CALLS, workload, state, shape, workload.sizes[0])
    if state == WARM and workload.sizes == SIZES and shutil.which("strace"):
        for every in workload.shapes:
            yield Task(CALLS, workload, state, every, SIZES[1])
