"""The library calls, the loops of single operations, and the projects that are dear to an index."""

from __future__ import annotations

from .inside.floors import DOCUMENT, STATE_POINT
from .projects import COLD, FIRST, NEW, WARM
from .shapes import LARGE_DOCUMENTS, ONE_JOB
from .workload import LARGE_SHAPE, LIBRARY, LOOPS, MAIN_SHAPES, MANY_KEYS, MEMORY, SIZES, Words, Workload, python

READ: Words = ("read", STATE_POINT)
PARSE: Words = ("parse", STATE_POINT)
PARSE_DOCUMENTS: Words = ("parse", DOCUMENT)
STAT: Words = ("stat", "<data>/ids")
COLD_ONLY = {COLD: PARSE}
SOME = '{"<few>": 42}'
PATH = "few_{<few>}/i_{i}"


def _call(name: str, function: str, *arguments: str, **more: object) -> Workload:
    fields = {"kind": "call", "states": (COLD, WARM), "most_cold": SIZES[-1], "floor": COLD_ONLY, **more}
    return Workload(
        name=name,
        group=LIBRARY,
        arguments=python(f"library.{function}", *arguments),
        **fields,  # type: ignore[arg-type]
    )


def _frame(name: str, function: str, *columns: str, **more: object) -> Workload:
    fields = {
        "kind": "frame",
        "states": (WARM,),
        "floor": ("frame_after_looking", "<data>/ids", "<data>/states", "<data>/documents"),
        **more,
    }
    return _call(f"to_dataframe{name}", function, *columns, **fields)


NEIGHBORS_SIZE = 200
"""Signac 2.4.1 takes minutes for a thousand jobs."""

CALLS = [
    _call("len(project)", "count", floor=("listing",), states=(WARM,), kind=""),
    _call("iterate, read state points", "iterate", large=(WARM,), network=SIZES[:1]),
    _call("iterate, read a key of sp", "iterate_attributes", most_cold=SIZES[1]),
    _call("iterate, read cached state points", "iterate_cached", large=(WARM,)),
    _call("iterate, read documents", "iterate_documents", floor={COLD: PARSE_DOCUMENTS, WARM: STAT}, kind="documents"),
    _call("open each job by its id, read state point", "open_each", large=(WARM,)),
    _call("find_jobs", "find", SOME, states=(COLD, WARM, NEW), large=(WARM, NEW)),
    _call("find_jobs, read state points", "find_and_read", SOME, states=(WARM,)),
    _call(
        "find_jobs, document key",
        "find",
        '{"doc.status": "failed"}',
        states=(COLD, FIRST, WARM),
        floor={COLD: PARSE_DOCUMENTS, FIRST: PARSE_DOCUMENTS, WARM: STAT},
        kind="call by documents",
        large=(WARM,),
    ),
    _call("groupby", "groupby", "<group>", states=(COLD, WARM, NEW), kind="groupby", large=(WARM,)),
    _call(
        "groupby, document key",
        "groupby",
        "doc.status",
        floor=STAT,
        states=(WARM,),
        kind="groupby by documents",
        large=(WARM,),
    ),
    _call("detect_schema", "schema", states=(COLD, WARM, NEW), large=(WARM,), network=SIZES[:1]),
    _call("detect_schema of 1 %", "schema", SOME, states=(WARM,)),
    _frame("", "frame"),
    _frame(", flat", "flat_frame"),
    _frame(
        ", two columns",
        "frame",
        "sp.<text>",
        "doc.status",
        floor=("frame_after_looking", "<data>/ids", "<data>/column", "<data>/document-column"),
    ),
    _frame(", state point column", "frame", "sp.<text>", floor=("frame", "<data>/column"), large=(WARM,)),
    _call("get_neighbors", "neighbors", states=(WARM,), sizes=(NEIGHBORS_SIZE,), alike=False, floor=()),
    _call("diff_jobs of 1 %", "diff_jobs", SOME, states=(WARM,), floor=()),
    _call(
        "update_cache",
        "update_cache",
        states=(COLD, NEW),
        floor={COLD: PARSE, NEW: ("listing",)},
        kind="update",
        large=(COLD, NEW),
    ),
]

CHANGES_OF = {"shapes": MAIN_SHAPES, "sizes": SIZES[:2], "states": (COLD,), "operations": 0}
COPIES = [
    _call(
        "create jobs",
        "create",
        "<run>/new",
        "<data>/states",
        kind="copies",
        floor=("create", "<run>/n", "<data>/states"),
        **CHANGES_OF,
    ),
    _call("clone each job", "clone", "<run>/cloned", kind="copies", floor=("copy", "<run>/n"), **CHANGES_OF),
    _call(
        "export to a directory",
        "export",
        "<run>/exported",
        PATH,
        kind="copies",
        floor=("copy", "<run>/n"),
        **CHANGES_OF,
    ),
    _call(
        "export to a tar file",
        "export",
        "<run>/exported.tar",
        PATH,
        kind="copies",
        floor=("archive", "<run>/n"),
        **CHANGES_OF,
    ),
    _call("import", "import_", "<run>/imported", kind="copies", floor=("copy", "<run>/n"), **CHANGES_OF),
    _call("linked view", "view", "<run>/view", PATH, kind="copy", floor=("links", "<run>/n"), **CHANGES_OF),
    _call("sync equal projects", "sync", "<twin>", kind="sync", floor=("stat_both", ".", "<twin>"), **CHANGES_OF),
    _call("move each job", "move", "<run>/moved", kind="copy", copy=True, floor=("rename", "<run>/n"), **CHANGES_OF),
]

LOOP_SIZE, SLOW_LOOP_SIZE = 1_000, 200


def _loop(name: str, function: str, *arguments: str, slow: bool = True, **more: object) -> Workload:
    fields = {
        "kind": "loop",
        "shapes": (LARGE_SHAPE,),
        "sizes": (LOOP_SIZE,),
        "states": (COLD,),
        "network": (SLOW_LOOP_SIZE if more.get("copy") else LOOP_SIZE,) if slow else (),
        "operations": 0,
        **more,
    }
    return Workload(
        name=name,
        group=LOOPS,
        arguments=python(f"loops.{function}", *arguments),
        **fields,  # type: ignore[arg-type]
    )


READING = [
    _loop("open 20 jobs by id", "open_by_id", "20", operations=20, kind="read"),
    _loop("open 20 jobs by 12 digits of their ids", "open_by_prefix", "20", operations=20, kind="read", states=(WARM,)),
    _loop("open_job(id).statepoint()", "read_state_points", kind="read", states=(COLD, WARM), floor={COLD: READ}),
    _loop("open_job(id).sp.KEY", "read_state_point_attributes", kind="read", states=(COLD, WARM), floor={COLD: READ}),
    _loop(
        "open_job(id).cached_statepoint",
        "read_cached_state_points",
        kind="read",
        states=(COLD, WARM),
        floor={COLD: READ},
    ),
    _loop(
        "open_job(id).doc[KEY]",
        "read_documents",
        kind="read",
        states=(COLD, WARM),
        floor={COLD: ("read", DOCUMENT), WARM: STAT},
    ),
    _loop("open_job(id).isfile()", "look_for_files", kind="read", floor=STAT),
    *(
        _loop(
            name,
            function,
            "1000",
            shapes=(ONE_JOB,),
            sizes=(1,),
            network=network,
            operations=1000,
            floor=floor,
            kind="read",
        )
        for name, function, floor, network in (
            ("read a state point key 1,000 times", "read_state_point_again", (), ()),
            ("read a key of an unchanged document 1,000 times", "read_document_again", ("stat_again", "1000"), (1,)),
        )
    ),
]

ON_DISK: tuple[tuple[str, str, Words, bool], ...] = (
    ("init()", "init", ("<run>/new",), False),
    ("doc[KEY] = VALUE", "write_documents", (), True),
)

WRITING = [
    _loop(
        "init()",
        "init",
        "<run>/new",
        kind="init",
        floor=("create", "<run>/n", "<data>/states"),
        network=(SLOW_LOOP_SIZE,),
    ),
    _loop(
        "write a key of a document of 20, 200 times",
        "write_again",
        "200",
        shapes=(ONE_JOB,),
        sizes=(1,),
        network=(1,),
        operations=200,
        floor=("replace_again", "200"),
        copy=True,
        kind="write",
    ),
    _loop("doc[KEY] = VALUE", "write_documents", copy=True, floor=("replace",), kind="write"),
    _loop("doc.update() of five keys", "update_documents", copy=True, floor=("replace",), kind="write"),
    _loop("doc[KEY] = VALUE, buffered", "write_buffered", copy=True, floor=("replace",), kind="write"),
    _loop("sp[KEY] = VALUE", "change_state_points", copy=True, kind="write"),
    _loop("remove()", "remove", copy=True, floor=("remove",), kind="write"),
    *(
        _loop(f"{name}, on a disk", function, *arguments, copy=copy, on_disk=True, slow=False, sizes=(SLOW_LOOP_SIZE,))
        for name, function, arguments, copy in ON_DISK
    ),
    *(
        _loop(
            f"{name}, on a disk, durable",
            "durable",
            function,
            *arguments,
            peer=None,
            copy=copy,
            on_disk=True,
            slow=False,
            sizes=(SLOW_LOOP_SIZE,),
        )
        for name, function, arguments, copy in ON_DISK
    ),
]

HDF5_SIZE = 300
HDF5 = [
    _loop(name, function, copy=True, sizes=(HDF5_SIZE,), network=(SLOW_LOOP_SIZE,), floor=floor, kind="hdf5")
    for name, function, floor in (
        ("data[KEY] = NUMBER", "write_hdf5_numbers", ("write_hdf5", "1")),
        ("data[KEY] = NUMBER, 300 times in one job", "write_hdf5_numbers_again", ()),
        ("with data: three arrays", "write_hdf5_arrays", ("write_hdf5", "3")),
        ("with data: read an array", "read_hdf5", ()),
        ("data[KEY], a number", "read_hdf5_numbers", ()),
    )
]


def _memory(name: str, *arguments: str, **more: object) -> Workload:
    return Workload(name=name, group=MEMORY, arguments=arguments, **more)  # type: ignore[arg-type]


MANY = {"shapes": (MANY_KEYS,), "sizes": SIZES[1:], "kind": "many keys", "floor": ("click", "nothing")}
BIG = {"shapes": (LARGE_DOCUMENTS,), "sizes": (100,), "kind": "large documents", "floor": ("click", "parse", DOCUMENT)}
DEAR = [
    _memory("find: key with 100 values", "find", "<few>", "42", states=(COLD, WARM), **MANY),
    _memory("find: one of 2,000 keys", "find", "p0260.$exists", "true", **MANY),
    _memory("find: --sp of 1 %", "find", "<few>", "42", "--sp", **MANY),
    _memory("find: --jsonl", "find", "--jsonl", peer=None, **MANY),
    _memory("schema", "schema", **MANY),
    _memory("update-cache", "update-cache", states=(COLD,), alike=False, **MANY),
    _memory("find: document key", "find", "doc.status", "failed", states=(FIRST, WARM), **BIG),
    _memory("find: --doc KEY", "find", "--doc", "status", **BIG),
    _memory("document", "document", **BIG),
]

WORKLOADS = [*CALLS, *COPIES, *READING, *WRITING, *HDF5, *DEAR]
