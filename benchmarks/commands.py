"""The commands that are measured, with their floors."""

from __future__ import annotations

from . import generator
from .inside.floors import DOCUMENT, STATE_POINT
from .projects import COLD, FIRST, NEW, WARM
from .workload import COMMANDS, FEW, LARGE_SHAPE, MAIN_SHAPES, SIZES, Words, Workload

CLICK: Words = ("click", "nothing")
LIST: Words = ("click", "listing")
READ: Words = ("click", "read", STATE_POINT)
PARSE: Words = ("click", "parse", STATE_POINT)
PARSE_DOCUMENTS: Words = ("click", "parse", DOCUMENT)
STAT: Words = ("click", "stat", "<data>/ids")

READ_OR_NOT = {COLD: READ, WARM: CLICK, NEW: LIST}
DOCUMENTS_OR_STAT = {COLD: PARSE_DOCUMENTS, FIRST: PARSE_DOCUMENTS, WARM: STAT, NEW: STAT}
SOME = ("<few>", "42")  # 1 %
TENTH = ("<few>.$lt", "10")


def _command(name: str, *arguments: str, **more: object) -> Workload:
    fields = {"name": name, "group": COMMANDS, "arguments": arguments or (name,), "floor": CLICK, **more}
    return Workload(**fields)  # type: ignore[arg-type]


def _start(name: str, *arguments: str, kind: str = "start", **more: object) -> Workload:
    fields = {"kind": kind, "sizes": (FEW,), "shapes": (LARGE_SHAPE,), "states": (COLD,), **more}
    return _command(name, *(arguments or (name,)), **fields)


def _ids(name: str, *arguments: str, **more: object) -> Workload:
    """A query by state points that prints ids."""
    fields = {"kind": "ids", "floor": READ_OR_NOT, "states": (COLD, WARM, NEW), "large": (WARM, NEW), **more}
    return _command(f"find: {name}", "find", *arguments, **fields)


def _documents(name: str, *arguments: str, **more: object) -> Workload:
    """A query by documents that prints ids."""
    fields = {
        "kind": "ids by documents",
        "floor": DOCUMENTS_OR_STAT,
        "states": (COLD, FIRST, WARM, NEW),
        "large": (WARM,),
        **more,
    }
    return _command(f"find: {name}", "find", *arguments, **fields)


def _shown(name: str, *arguments: str, floor: Words, **more: object) -> Workload:
    """A query that shows values."""
    return _command(f"find: {name}", "find", *arguments, floor=("click", *floor), **more)


STARTS = [
    _start("--version", kind="start of Python", floor=("nothing",), alike=False),
    _start("--help", alike=False),
    _start("job -c", "job", "-c", '{"new": 1}', new_job=generator.job_id({"new": 1})),
    _start("find, ten jobs", "find"),
    _start("find KEY VALUE, ten jobs", "find", "<few>", "3"),
    _start("statepoint ID, ten jobs", "statepoint", "<id>"),
    _start("document ID, ten jobs", "document", "<id>"),
]

QUERIES = [
    _ids("all jobs", most_cold=SIZES[-1], floor={COLD: LIST, WARM: CLICK, NEW: LIST}, network=SIZES[::2]),
    _ids("key with 100 values", *SOME, most_cold=SIZES[-1], network=SIZES[::2]),
    _ids("unique key", "<unique>", "421"),
    _ids("range, 1 %", "<spread>.$lt", "0.01"),
    _ids("range, half", "<spread>.$lt", "0.5", network=SIZES[::2]),
    _ids("$in, 5 %", "<few>.$in", "[3, 14, 15, 92, 65]", states=(WARM,), large=()),
    _ids("regular expression, 1 %", "<text>", "/00$/"),
    _ids("$exists, 1 %", "<rare>.$exists", "true", states=(WARM,), large=(WARM,)),
    _ids("two conditions", "<few>.$lt", "50", "<group>", "0.7", states=(WARM,), large=(WARM,)),
    _documents(
        "document key, 1 %", "doc.status", "failed", most_cold=SIZES[-1], large=(COLD, FIRST, WARM), network=SIZES[:1]
    ),
    _documents("document key, range, 1 %", "doc.result.density.mean.$lt", "0.01", states=(WARM,)),
    _documents(
        "document key and state point key",
        *TENTH,
        "doc.status",
        "failed",
        floor=("click", "stat", "<data>/tenth"),
        states=(WARM,),
    ),
    _ids("--count", "--count", peer=None, states=(WARM,), large=(WARM,)),
    _ids("--count of 1 %", *SOME, "--count", peer=None, states=(WARM,), large=(WARM,)),
]

VALUES = [
    _shown("--sp", "--sp", kind="shown", floor=("as_python", "<data>/ids", "<data>/states")),
    _shown("--sp KEY", "--sp", "<text>", kind="values", floor=("as_python", "<data>/ids", "<data>/column")),
    _shown("--sp -1", "--sp", "-1", kind="shown", floor=("as_json", "<data>/states")),
    _shown("--sp of 1 %", *SOME, "--sp", kind="values", floor=("as_python", "<data>/some", "<data>/some-states")),
    _shown(
        "--doc",
        "--doc",
        kind="documents",
        floor=("stat", "<data>/ids", "+", "as_python", "<data>/ids", "<data>/documents"),
    ),
    _shown(
        "--doc KEY",
        "--doc",
        "status",
        kind="documents",
        floor=("stat", "<data>/ids", "+", "as_python", "<data>/ids", "<data>/document-column"),
    ),
    _shown(
        "--doc of 1 %",
        *SOME,
        "--doc",
        kind="documents",
        floor=("stat", "<data>/some", "+", "as_python", "<data>/some", "<data>/some-documents"),
    ),
    _shown(
        "-s",
        "-s",
        kind="shown with documents",
        floor=("stat", "<data>/ids", "+", "as_python", "<data>/ids", "<data>/states", "<data>/documents"),
    ),
    _shown("--table", "--table", kind="shown", peer=None, floor=("as_table", "<data>/states")),
    _shown(
        "--table of one column",
        "--table",
        "--sp",
        "<group>",
        kind="values",
        peer=None,
        floor=("as_table", "<data>/column"),
        large=(WARM,),
    ),
    *(
        _shown(
            f"{option} of 1 %",
            *SOME,
            *option.split(" ", 1),
            kind="1 %",
            peer=None,
            floor=("as_json", "<data>/some-states"),
            large=(WARM,),
        )
        for option in ("--json", "--jsonl", "--table", "--format {id} {sp.<group>}")
    ),
    _shown("--json", "--json", kind="values", peer=None, floor=("as_json", "<data>/states"), large=(WARM,)),
    *(
        _shown(
            option, *option.split(" ", 1), kind="lines", peer=None, floor=("as_json", "<data>/states"), large=(WARM,)
        )
        for option in ("--jsonl", "--format {id} {sp.<group>}")
    ),
    *(
        _shown(
            f"--sort {key} --limit 10",
            "--sort",
            key,
            "--limit",
            "10",
            kind=f"best{kind}",
            peer=None,
            floor=floor,
            large=(WARM,),
        )
        for key, kind, floor in (("sp.<group>", "", ("nothing",)), ("doc.energy", " by documents", STAT[1:]))
    ),
    _shown("--sort KEY", "--sort", "<spread>", kind="values", peer=None, floor=("as_json", "<data>/column")),
    _command(
        "statepoint",
        kind="lines",
        floor={COLD: PARSE, WARM: ("click", "as_json", "<data>/states")},
        states=(COLD, WARM),
        large=(WARM,),
    ),
    _command("statepoint -f", "statepoint", "-f", *SOME, kind="values", peer=None, large=(WARM,)),
    _command("statepoint PREFIX", "statepoint", "<prefix>", kind="ids", large=(WARM,), network=SIZES[:2]),
    _command(
        "document",
        kind="documents",
        floor={COLD: PARSE_DOCUMENTS, WARM: ("click", "stat", "<data>/ids", "+", "as_json", "<data>/documents")},
        states=(COLD, WARM),
    ),
    _command(
        "document -f",
        "document",
        "-f",
        *SOME,
        kind="documents",
        floor=("click", "stat", "<data>/some", "+", "as_json", "<data>/some-documents"),
        large=(WARM,),
    ),
]

SURVEYS = [
    _command(
        "schema",
        kind="values",
        most_cold=SIZES[-1],
        floor=READ_OR_NOT,
        states=(COLD, WARM),
        large=(WARM,),
        network=SIZES[::2],
        alike=False,  # types of a key may come in another order
    ),
    _command("schema -f", "schema", "-f", *SOME, kind="schema -f", large=(WARM,), alike=False),
    _command("diff", kind="shown", floor=("click", "differences", "<data>/states")),
    _command(
        "diff -f",
        "diff",
        "-f",
        *SOME,
        kind="values",
        floor=("click", "differences", "<data>/some-states"),
        large=(WARM,),
    ),
    _command("neighbors of one job", "neighbors", "<id>", kind="values", large=(WARM,), alike=False),
    _command("neighbors of 20 jobs", "neighbors", "<twenty>", kind="values", sizes=SIZES[:2], alike=False),
    _command("status", peer=None, large=(WARM,), floor=LIST),
    _command("check", kind="check", peer=None, floor=("click", "check"), large=(WARM,)),
    _command(
        "update-cache",
        kind="update",
        floor={COLD: PARSE, NEW: LIST},
        states=(COLD, NEW),
        most_cold=SIZES[-1],
        large=(COLD, NEW),
        alike=False,
    ),
]

CHANGES_OF = {"shapes": MAIN_SHAPES, "sizes": SIZES[:2], "states": (COLD,), "alike": False}
COPIES = [
    _command(
        "view",
        "view",
        "few_{<few>}/i_{i}",
        "-p",
        "<run>/view",
        kind="copy",
        floor=("click", "links", "<run>/v"),
        **CHANGES_OF,
    ),
    _command(
        "export",
        "export",
        "<run>/exported",
        "few_{<few>}/i_{i}",
        kind="copies",
        floor=("click", "copy", "<run>/e"),
        **CHANGES_OF,
    ),
    _command(
        "import",
        "import",
        "<project>/workspace",
        elsewhere=True,
        kind="copies",
        floor=("click", "copy", "<run>/e"),
        **CHANGES_OF,
    ),
    _command("clone", "clone", "<empty>", "<ids>", kind="copies", floor=("click", "copy", "<run>/e"), **CHANGES_OF),
    _command("sync", "sync", "<twin>", kind="sync", floor=("click", "stat_both", ".", "<twin>"), **CHANGES_OF),
    _command(
        "move", "move", "<empty>", "<ids>", kind="copy", copy=True, floor=("click", "rename", "<run>/e"), **CHANGES_OF
    ),
    _command("rm", "rm", "<ids>", kind="copy", copy=True, floor=("click", "remove"), **CHANGES_OF),
    _command(
        "document --set of all jobs",
        "document",
        "-f",
        "{}",
        "--set",
        "progress=-1",
        peer=None,
        copy=True,
        floor=("click", "replace"),
        **CHANGES_OF,
    ),
]

WORKLOADS = [*STARTS, *QUERIES, *VALUES, *SURVEYS, *COPIES]
