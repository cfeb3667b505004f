"""Times a function of one of the modules beside this one.

    python -I run.py MODULE.FUNCTION [ARGUMENT...] [--rehearsal DIRECTORY [ARGUMENT...]]

The function makes everything ready and returns what is to be timed; the current directory is the project. A rehearsal
on a small project goes before, so that what is imported on first use is loaded (start-up is measured with commands,
where users wait for it each time). Printed is
one line of JSON: the seconds, the CPU seconds with those of children, the peak of memory in KiB, and the result, which
must be equal in both environments. The two `stat` calls around the timed part show strace where it begins and ends.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

REHEARSAL = "--rehearsal"
MARKS = ("/benchmark-begins", "/benchmark-ends")


def _peak() -> int:
    """The most memory that this process has had, in KiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def _cpu() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _rehearse(function: Callable[..., Callable[[], object]], directory: str, *arguments: str) -> None:
    """Do the same on another project, whose caches have been written."""
    import signac

    here = os.getcwd()
    os.chdir(directory)
    signac.get_project().update_cache()
    function(*arguments)()
    os.chdir(here)


def main() -> None:
    """Run and time what the command line names."""
    # behind the environment: what is installed there is measured, not what lies here
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    module, _, name = sys.argv[1].partition(".")
    function = getattr(importlib.import_module(f"benchmarks.inside.{module}"), name)
    arguments = sys.argv[2:]
    if REHEARSAL in arguments:
        place = arguments.index(REHEARSAL)
        _rehearse(function, *arguments[place + 1 :])
        del arguments[place:]
    timed = function(*arguments)
    os.path.exists(MARKS[0])
    start, cpu = time.perf_counter(), _cpu()
    result = timed()
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    os.path.exists(MARKS[1])
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": _peak(), "result": result}))


if __name__ == "__main__":
    main()
