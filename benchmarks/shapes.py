"""What state points look like: six shapes, and two that are dear to an index in another way.

The values depend on the number of the job alone. Each shape has the same roles, whatever its keys are called, and in
each the same share of the jobs has a value, so that a workload is written once for all of them:

* `unique`: an integer of its own for every job;
* `few`: 100 integers, each in 1 % of the jobs;
* `spread`: floats spread evenly over [0, 1);
* `text`: strings of which 1 % end with 00;
* `group`: 20 floats, of which 5 % of the jobs have each;
* `rare`: a key that 1 % of the jobs have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("gcmc", "npt", "nve", "nvt")
STRIDE = 7919  # prime to all sizes: spreads what is alike over the whole project
WORDS = ("density", "of", "the", "binary", "mixture", "near", "its", "critical", "point", "under", "shear", "flow")
DIFFERENT_KEYS = 2_000

StatePoint = Callable[[int, int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How the state points of a project are made.

    Parameters
    ----------
    name
        What tables and directories call it.
    state_point
        From the number of a job and the size of the project to a state point; numbers from `size` on are jobs that were
        added later.
    prefixes
        By role: the mapping that its key is in, if it is in one.
    """

    name: str
    state_point: StatePoint
    prefixes: Mapping[str, str]

    def key(self, role: str) -> str:
        """The dotted key that has a role."""
        return f"{self.prefixes.get(role, '')}{KEYS[role]}"


KEYS = {"unique": "i", "few": "a", "spread": "x", "text": "name", "group": "T", "rare": "note"}


def _common(number: int, size: int) -> dict[str, Any]:
    """The keys that have a role."""
    place = number * STRIDE % size
    values = {
        "i": number,
        "a": number % 100,
        "x": place / size,
        "name": f"run-{place:07d}",
        "T": round(0.5 + 0.1 * (number // 7 % 20), 1),
    }
    return values | {"note": "checked by hand"} if number % 100 == 13 else values


def _flat(number: int, size: int) -> dict[str, Any]:
    """Ten scalars."""
    return {
        **_common(number, size),
        "kind": KINDS[number % 4],
        "flag": number % 3 == 0,
        "p": number // 20 % 50 / 10,
        "steps": 10 ** (2 + number % 5),
        "model": "lj",
    }


def _lists(number: int, size: int) -> dict[str, Any]:
    """Lists of numbers, of text, of lists and of mappings, of several lengths, also empty."""
    return {
        **_common(number, size),
        "box": [10.0 + number % 7, 10.0, 10.0 + number % 3],
        "species": list(KINDS[: number % 5]),
        "path": [[step, round(step * 0.25 + number % 11, 2)] for step in range(2 + number % 3)],
        "atoms": [{"kind": KINDS[number % 4], "n": number % 50}, {"kind": "wall", "n": 4}],
    }


def _nested(number: int, size: int) -> dict[str, Any]:
    """Mappings three deep, with a list, an empty mapping, and nulls where others have text, numbers or a mapping."""
    values = _common(number, size)
    thermostat = {"kind": KINDS[number % 4], "tau": 0.1 * (1 + number % 4)}
    return {
        "i": values["i"],
        "model": {
            "name": "lj",
            "pair": {"epsilon": 1 + number % 5 / 4, "sigma": None if number % 10 == 3 else 1 + number % 3 / 2},
            "options": {},
        },
        "run": {name: values[name] for name in ("a", "x", "T")}
        | {"thermostat": None if number % 4 == 1 else thermostat},
        "name": values["name"],
        "tag": None if number % 3 == 0 else f"batch-{number % 12}",
        "box": [10.0 + number % 7, 10.0, 10.0],
        **({"note": values["note"]} if "note" in values else {}),
    }


def _mixed(number: int, size: int) -> dict[str, Any]:
    """One of five schemas, with one key whose type differs between them."""
    values = _common(number, size)
    own: tuple[dict[str, Any], ...] = (
        {"value": number % 9, "kind": "gcmc", "mu": -1 - number % 8 / 8, "molecules": 100 + number % 20},
        {"value": number % 9 / 8, "kind": "npt", "p": number % 50 / 10, "barostat": "mtk", "flag": number % 2 == 0},
        {"value": f"v{number % 9}", "kind": "nvt", "tau": 0.5, "steps": 10 ** (2 + number % 5)},
        {"value": number % 2 == 0, "mesh": {"n": 2 ** (4 + number % 4), "order": 2}, "solver": "cg"},
        {"value": None, "image": f"scan-{number % 40:03}.tif", "threshold": number % 10 / 10, "roi": [0, 0, 64, 64]},
    )
    return values | own[number % 5]


def _wide(number: int, size: int) -> dict[str, Any]:
    """Sixty keys, of text and of numbers with few and with many values."""
    values = _common(number, size)
    for key in range(55):
        kind, step = key % 5, number // (key + 1)
        values[f"k{key:02}"] = (
            step % 10,
            step % 1000 / 8,
            f"option-{step % 6}",
            step % 2 == 0,
            (number * (key + 3) * STRIDE % size) / size,
        )[kind]
    return values


def _text(number: int, size: int) -> dict[str, Any]:
    """Long text: a command line, and a description of about 1,500 characters, different for every job."""
    values = _common(number, size)
    words = " ".join(WORDS[(number * step + step // 5) % len(WORDS)] for step in range(1, 220))
    options = " ".join(f"--option-{option}={number % (option + 2)}" for option in range(16))
    return values | {"command": f"simulate {options} run-{number}.in", "description": f"{number}: {words}"}


def _sparse(number: int, size: int) -> dict[str, Any]:
    """Twenty of 2,000 different keys."""
    first = number * 20 % DIFFERENT_KEYS
    return _common(number, size) | {f"p{first + step:04}": number % 50 / 4 for step in range(20)}


NESTED_PREFIXES = dict.fromkeys(("few", "spread", "group"), "run.")

FLAT = Shape("flat", _flat, {})
LISTS = Shape("lists", _lists, {})
NESTED = Shape("nested", _nested, NESTED_PREFIXES)
MIXED = Shape("mixed", _mixed, {})
WIDE = Shape("wide", _wide, {})
TEXT = Shape("text", _text, {})
SIX = (FLAT, LISTS, NESTED, MIXED, WIDE, TEXT)
SPARSE = Shape("sparse", _sparse, {})
SHAPES = {shape.name: shape for shape in (*SIX, SPARSE)}

ONE_JOB, LARGE_DOCUMENTS = "one job", "large documents"
"""Projects of other kinds, where tables tell the shape."""
