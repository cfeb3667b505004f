"""Floors: the plain calls that give the same files and bytes, which no implementation can do without.

As the floor of a command it is a program that does one step after the other, and is timed from outside:

    python -I floors.py [click] STEP [ARGUMENT...] [+ STEP [ARGUMENT...]]...

Steps are the functions of this module. They get files that the benchmark has written beside the project
(`projects.py`): the ids, and state points and documents as lines of JSON, which is what an index would hold.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

Timed = Callable[[], Any]

STATE_POINT = "signac_statepoint.json"
DOCUMENT = "signac_job_document.json"
BLOCK = 1000
"""Lines that are written at once."""


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    data = os.read(descriptor, 1 << 21)
    os.close(descriptor)
    return data


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    os.write(descriptor, data)
    os.close(descriptor)


def _ids(file: str) -> list[str]:
    return _read_all(file).decode().split()


def _read_all(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _print(lines: Iterator[bytes]) -> None:
    """Write lines to the standard output, block by block."""
    block: list[bytes] = []
    for line in lines:
        block.append(line)
        if len(block) == BLOCK:
            os.write(1, b"\n".join(block) + b"\n")
            block.clear()
    os.write(1, b"\n".join(block) + b"\n")


def _lines(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        yield from file


# --- reading ---------------------------------------------------------------------------------------------------------


def nothing() -> Timed:
    return lambda: None


def listing() -> Timed:
    return lambda: len(os.listdir("workspace"))


def read(*names: str) -> Timed:
    """List the workspace and read the named files of every job."""

    def run() -> None:
        ids = os.listdir("workspace")
        for name in names:
            for entry in ids:
                _read(f"workspace/{entry}/{name}")

    return run


def parse(*names: str) -> Timed:
    """List the workspace, read the named files of every job, and parse them."""

    def run() -> None:
        import orjson

        ids = os.listdir("workspace")
        for name in names:
            for entry in ids:
                orjson.loads(_read(f"workspace/{entry}/{name}"))

    return run


def check() -> Timed:
    """List the workspace, read and parse both files of every job, and compare the id with the state point."""

    def run() -> int:
        import json
        from hashlib import md5

        import orjson

        damaged = 0
        for entry in os.listdir("workspace"):
            values = orjson.loads(_read(f"workspace/{entry}/{STATE_POINT}"))
            orjson.loads(_read(f"workspace/{entry}/{DOCUMENT}"))
            damaged += md5(json.dumps(values, sort_keys=True).encode()).hexdigest() != entry
        return damaged

    return run


def stat(ids: str) -> Timed:
    """Look whether the documents of some jobs have changed."""

    def run() -> None:
        for entry in _ids(ids):
            os.stat(f"workspace/{entry}/{DOCUMENT}")

    return run


def stat_again(count: str) -> Timed:
    """Look whether one document has changed."""
    path = f"workspace/{os.listdir('workspace')[0]}/{DOCUMENT}"

    def run() -> None:
        for _ in range(int(count)):
            os.stat(path)

    return run


def stat_both(*projects: str) -> Timed:
    """Look at both files of every job in several projects."""

    def run() -> None:
        for project in projects:
            for entry in os.listdir(f"{project}/workspace"):
                for name in (STATE_POINT, DOCUMENT):
                    os.stat(f"{project}/workspace/{entry}/{name}")

    return run


# --- showing ---------------------------------------------------------------------------------------------------------


def as_json(lines: str) -> Timed:
    """Parse lines of JSON and write them again."""

    def run() -> None:
        import orjson

        _print(orjson.dumps(orjson.loads(line)) for line in _lines(lines))

    return run


def as_python(ids: str, *files: str) -> Timed:
    """Write ids, with lines of JSON as Python data."""

    def run() -> None:
        import orjson

        parts = [(repr(orjson.loads(line)).encode() for line in _lines(file)) for file in files]
        _print(b"\n".join(line) for line in zip(map(str.encode, _ids(ids)), *parts, strict=True))

    return run


def as_table(lines: str) -> Timed:
    """Write lines of JSON as columns of equal width, which have to be known before the first is written."""

    def run() -> None:
        import orjson

        rows: list[list[str]] = []
        keys: dict[str, int] = {}
        for line in _lines(lines):
            values = orjson.loads(line)
            for key in values:
                keys.setdefault(key, len(keys))
            rows.append([str(values.get(key, "")) for key in keys])
        for row in rows:
            row += [""] * (len(keys) - len(row))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        _print("  ".join(map(str.ljust, row, widths)).encode() for row in rows)

    return run


def differences(lines: str) -> Timed:
    """Parse lines of JSON, and write what of each is not in all of them."""

    def run() -> None:
        import orjson

        seen: dict[str, set[str]] = {}
        rows = [orjson.loads(line) for line in _lines(lines)]
        for values in rows:
            for key, value in values.items():
                seen.setdefault(key, set()).add(str(value))
        varying = {key for key, values in seen.items() if len(values) > 1}
        _print(orjson.dumps({key: row[key] for key in row if key in varying}) for row in rows)

    return run


def frame(*files: str) -> Callable[[], list[int]]:
    """Make a data frame of the keys of lines of JSON."""
    import orjson
    import pandas

    def run() -> list[int]:
        columns: dict[str, list[Any]] = {}
        count = 0
        for file in files:
            for count, line in enumerate(_lines(file)):
                for key, value in orjson.loads(line).items():
                    column = columns.setdefault(key, [])
                    column.extend([None] * (count - len(column)))
                    column.append(value)
        for column in columns.values():
            column.extend([None] * (count + 1 - len(column)))
        return list(pandas.DataFrame(columns).shape)

    return run


def frame_after_looking(ids: str, *files: str) -> Timed:
    """Look whether documents have changed, and make a data frame."""
    look, make = stat(ids), frame(*files)

    def run() -> list[int]:
        look()
        return make()

    return run


# --- writing ---------------------------------------------------------------------------------------------------------


def _publish(target: str, name: str, files: list[tuple[str, bytes]]) -> None:
    """Write a directory so that it is there with all its files, or not at all."""
    os.mkdir(f"{target}/.new")
    for file, data in files:
        _write(f"{target}/.new/{file}", data)
    os.rename(f"{target}/.new", f"{target}/{name}")


def create(target: str, states: str) -> Timed:
    """Write a directory and a file for each line, under the id that its state point has."""
    import json
    from hashlib import md5

    os.mkdir(target)
    points = list(map(json.loads, _read_all(states).splitlines()))

    def run() -> None:
        for point in points:
            name = md5(json.dumps(point, sort_keys=True).encode()).hexdigest()
            _publish(target, name, [(STATE_POINT, json.dumps(point).encode())])

    return run


def copy(target: str) -> Timed:
    """Copy every job."""
    os.mkdir(target)

    def run() -> None:
        for entry in os.listdir("workspace"):
            files = [(name, _read(f"workspace/{entry}/{name}")) for name in (STATE_POINT, DOCUMENT)]
            _publish(target, entry, files)

    return run


def archive(target: str) -> Timed:
    """Read every file and write as many blocks as a tarball has."""

    def run() -> None:
        with open(target, "wb") as file:
            for entry in os.listdir("workspace"):
                file.write(bytes(512))
                for name in (STATE_POINT, DOCUMENT):
                    data = _read(f"workspace/{entry}/{name}")
                    file.write(bytes(512) + data + bytes(-len(data) % 512))

    return run


def links(target: str) -> Timed:
    """Make a directory with a link for every job."""
    os.mkdir(target)

    def run() -> None:
        for entry in os.listdir("workspace"):
            os.mkdir(f"{target}/{entry}")
            os.symlink(f"../../workspace/{entry}", f"{target}/{entry}/job")

    return run


def rename(target: str) -> Timed:
    """Rename the directory of every job into another one."""
    os.mkdir(target)

    def run() -> None:
        for entry in os.listdir("workspace"):
            os.rename(f"workspace/{entry}", f"{target}/{entry}")

    return run


def remove() -> Timed:
    """Delete every job."""

    def run() -> None:
        for entry in os.listdir("workspace"):
            for name in os.listdir(f"workspace/{entry}"):
                os.unlink(f"workspace/{entry}/{name}")
            os.rmdir(f"workspace/{entry}")

    return run


def replace_again(count: str) -> Timed:
    """Read a document, write it beside, and put the new one in its place."""
    directory = f"workspace/{os.listdir('workspace')[0]}"

    def run() -> None:
        for _ in range(int(count)):
            _replace(directory)

    return run


def _replace(directory: str) -> None:
    _write(f"{directory}/new", _read(f"{directory}/{DOCUMENT}"))
    os.replace(f"{directory}/new", f"{directory}/{DOCUMENT}")


def replace() -> Timed:
    """Read and replace the document of every job."""

    def run() -> None:
        for entry in os.listdir("workspace"):
            _replace(f"workspace/{entry}")

    return run


# --- HDF5 ------------------------------------------------------------------------------------------------------------


def write_hdf5(count: str) -> Timed:
    """Write some arrays to an HDF5 file for each job."""
    import h5py
    import numpy

    values = numpy.arange(30.0).reshape(10, 3) if int(count) > 1 else 1.5

    def run() -> None:
        for entry in os.listdir("workspace"):
            with h5py.File(f"workspace/{entry}/signac_data.h5", "a") as file:
                for number in range(int(count)):
                    file[f"x{number}"] = values

    return run


# --- the floor of a command ------------------------------------------------------------------------------------------


def main() -> None:
    words = sys.argv[1:]
    if words and words[0] == "click":
        import click  # noqa: F401

        words = words[1:]
    while words:
        name, *arguments = words
        rest: list[str] = []
        if "+" in arguments:
            place = arguments.index("+")
            arguments, rest = arguments[:place], arguments[place + 1 :]
        globals()[name](*arguments)()
        words = rest


if __name__ == "__main__":
    main()
