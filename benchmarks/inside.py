"""The library workloads and the floors: what runs inside one of the environments, in a process of its own.

    python -I inside.py WORKLOAD [ARGUMENT...]

A workload is a function that makes everything ready and returns what is to be timed; the current directory is the
project. Printed is one line of JSON: the seconds, the CPU seconds, the peak of memory in KiB, and the result, which
must be equal in both environments. The two `stat` calls around the timed part show strace where it begins and ends.

The floors do with bare system calls what no implementation can do without.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

Timed = Callable[[], Any]

STATE_POINT = "signac_statepoint.json"
DOCUMENT = "signac_job_document.json"
PATH = "a_{a}/i_{i}"  # for exports and views
MARKS = ("/benchmark-begins", "/benchmark-ends")

# --- jobs ------------------------------------------------------------------------------------------------------------


def init(target: str, count: str) -> Timed:
    import signac

    project = signac.init_project(target)

    def run() -> int:
        for i in range(int(count)):
            project.open_job({"i": i, "a": i % 100, "x": i / 7, "name": f"run-{i}", "flag": i % 2 == 0}).init()
        return len(project)

    return run


def durable(name: str, *arguments: str) -> Timed:
    """The same as another workload, but so that it survives a power cut (signac 2.4.1 cannot do that)."""
    os.environ["SIGNAC_DURABLE"] = "1"
    timed: Timed = globals()[name](*arguments)
    return timed


def open_by_id(count: str) -> Timed:
    import signac

    ids = sorted(os.listdir("workspace"))[: int(count)]
    project = signac.get_project()
    return lambda: [project.open_job(id=name).id for name in ids] == ids


def iterate() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sum(job.statepoint()["a"] for job in project)


def iterate_cached() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sum(job.cached_statepoint["a"] for job in project)


def read_state_point(count: str) -> Timed:
    import signac

    job = next(iter(signac.get_project()))
    return lambda: len({job.sp.a for _ in range(int(count))})


def write_document(count: str) -> Timed:
    import signac

    return _writing(next(iter(signac.get_project())), count)


def write_new_document(target: str, count: str) -> Timed:
    import signac

    job = signac.init_project(target).open_job({"a": 0}).init()
    job.doc.update({f"key{number:02}": number for number in range(20)})
    return _writing(job, count)


def _writing(job: Any, count: str) -> Timed:
    def run() -> object:
        for number in range(int(count)):
            job.doc["key07"] = number
        return job.doc["key07"]

    return run


def read_document(count: str) -> Timed:
    import signac

    job = next(iter(signac.get_project()))
    return lambda: len({job.doc["key07"] for _ in range(int(count))})


def write_buffered() -> Timed:
    import signac

    project = signac.get_project()

    def run() -> int:
        with signac.buffered():
            for job in project:
                job.doc["progress"] = -1
        return len(project)

    return run


# --- queries ---------------------------------------------------------------------------------------------------------


def find() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: len({job.id for job in project.find_jobs({"a": 42})})


def groupby() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: {key: len(list(jobs)) for key, jobs in project.groupby("a")}


def schema() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: sorted(str(key) for key in project.detect_schema())


def frame() -> Timed:
    import pandas  # noqa: F401  # both programs load it; its time is that of neither

    import signac

    project = signac.get_project()
    return lambda: list(project.to_dataframe().shape)


def update_cache() -> Timed:
    import signac

    project = signac.get_project()
    return lambda: project.update_cache() and None


def warm_up() -> Timed:
    """What has happened to a project whose caches are warm: `update_cache`, and one query of documents."""
    import signac

    project = signac.get_project()

    def run() -> None:
        project.update_cache()
        for job in project.find_jobs({"doc.status": "failed"}):
            job.isfile("something")

    return run


# --- many jobs at once -----------------------------------------------------------------------------------------------


def export(target: str) -> Timed:
    import signac

    project = signac.get_project()
    return lambda: len(project.export_to(target, path=PATH))


def import_(target: str) -> Timed:
    import signac

    origin = os.path.abspath("workspace")
    project = signac.init_project(target)
    return lambda: len(project.import_from(origin))


def view(target: str) -> Timed:
    import signac

    project = signac.get_project()

    def run() -> int:
        project.create_linked_view(prefix=target, path=PATH)
        return sum(len(os.listdir(f"{target}/{name}")) for name in os.listdir(target))

    return run


def sync(destination: str) -> Timed:
    import signac

    source, other = signac.get_project(), signac.get_project(destination)
    return lambda: other.sync(source) and None


def clone(target: str) -> Timed:
    import signac

    project, other = signac.get_project(), signac.init_project(target)

    def run() -> int:
        for job in project:
            other.clone(job)
        return len(other)

    return run


# --- floors ----------------------------------------------------------------------------------------------------------


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    data = os.read(descriptor, 1 << 16)
    os.close(descriptor)
    return data


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    os.write(descriptor, data)
    os.close(descriptor)


def floor_read(*names: str) -> Timed:
    """List the workspace and read the named files of every job."""

    def run() -> None:
        ids = os.listdir("workspace")
        for name in names:
            for entry in ids:
                _read(f"workspace/{entry}/{name}")

    return run


def floor_init(target: str, count: str) -> Timed:
    os.mkdir(target)

    def run() -> None:
        for number in range(int(count)):
            directory = f"{target}/{number:032}"
            os.mkdir(directory)
            _write(f"{directory}/{STATE_POINT}", b"x" * 100)

    return run


def floor_copy(target: str) -> Timed:
    """Copy every job."""
    os.mkdir(target)

    def run() -> None:
        for entry in os.listdir("workspace"):
            os.mkdir(f"{target}/{entry}")
            for name in (STATE_POINT, DOCUMENT):
                _write(f"{target}/{entry}/{name}", _read(f"workspace/{entry}/{name}"))

    return run


def floor_archive(target: str) -> Timed:
    """Read every file and write as many blocks as a tarball has."""

    def run() -> None:
        with open(target, "wb") as file:
            for entry in os.listdir("workspace"):
                file.write(bytes(512))
                for name in (STATE_POINT, DOCUMENT):
                    data = _read(f"workspace/{entry}/{name}")
                    file.write(bytes(512) + data + bytes(-len(data) % 512))

    return run


def floor_view(target: str) -> Timed:
    os.mkdir(target)

    def run() -> None:
        for entry in os.listdir("workspace"):
            os.mkdir(f"{target}/{entry}")
            os.symlink(f"../../workspace/{entry}", f"{target}/{entry}/job")

    return run


def floor_compare(other: str) -> Timed:
    """Look at both files of every job on both sides."""

    def run() -> None:
        for project in (".", other):
            for entry in os.listdir(f"{project}/workspace"):
                for name in (STATE_POINT, DOCUMENT):
                    os.stat(f"{project}/workspace/{entry}/{name}")

    return run


def floor_replace(count: str) -> Timed:
    """Read a document, write it beside, and put the new one in its place."""
    directory = f"workspace/{os.listdir('workspace')[0]}"

    def run() -> None:
        for _ in range(int(count)):
            _write(f"{directory}/new", _read(f"{directory}/{DOCUMENT}"))
            os.replace(f"{directory}/new", f"{directory}/{DOCUMENT}")

    return run


def floor_replace_all() -> Timed:
    """Read and replace the document of every job."""

    def run() -> None:
        for entry in os.listdir("workspace"):
            data = _read(f"workspace/{entry}/{DOCUMENT}")
            _write(f"workspace/{entry}/new", data)
            os.replace(f"workspace/{entry}/new", f"workspace/{entry}/{DOCUMENT}")

    return run


def floor_stat(count: str) -> Timed:
    """Look whether a document has changed."""
    path = f"workspace/{os.listdir('workspace')[0]}/{DOCUMENT}"

    def run() -> None:
        for _ in range(int(count)):
            os.stat(path)

    return run


# --- running them ----------------------------------------------------------------------------------------------------


def _peak() -> int:
    """The most memory that this process has had, in KiB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def _cpu() -> float:
    """CPU seconds of this process, and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    name, *arguments = sys.argv[1:]
    run = globals()[name](*arguments)
    os.path.exists(MARKS[0])
    start, cpu = time.perf_counter(), _cpu()
    result = run()
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    os.path.exists(MARKS[1])
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": _peak(), "result": result}))


if __name__ == "__main__":
    main()
