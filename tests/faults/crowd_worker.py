"""One process of a crowd: a bounded number of random operations on projects that others work on, too.

    python crowd_worker.py ROOT LOG NUMBER SEED STEPS

It uses nothing but `signac`, so that it runs with this project and with signac 2.x alike.  What it does is written to
the log, a line before and one after each change, so that whoever reads the log after a kill knows what may have been
done.  A worker that finds its own log goes on where that ends.

The jobs are of four kinds, told by their state points:

    resident    in project A for ever: every query must find each of them, every time
    mover       changes its state point (`v` grows) and moves between the projects A and B; never removed
    mortal      created and removed by everybody, in A
    own         created by one worker, in A, and removed by the same

Everybody writes to the documents of residents and movers, each worker under keys of its own.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from typing import Any

import signac
from signac import sync

MORTALS = 8
OWN = 3
HELD = 6
GONE = ("FileNotFoundError", "KeyError", "JobsCorruptedError")
"""A job that has been changed, moved or removed since the worker heard of it."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "write to a mover": GONE,
    "buffered write to movers": (*GONE, "BufferedError"),
    "change of a state point": GONE,
    "move": (*GONE, "RuntimeError"),
    "write to a mortal": GONE,
    "read of a mover": GONE,
    "clone of a mover": (*GONE, "ValueError", "DestinationExistsError"),
}
"""The errors that tell a worker that another one was faster.  All other operations have no reason to fail."""


class Worker:
    """The operations, and the memory of what this worker has done."""

    def __init__(self, root: str, log: str, number: int, seed: int) -> None:
        self.root = root
        self.number = number
        self.steps = 0
        self.acceptable: dict[tuple[str, str], list[Any]] = {}  # what may be under a key: the last known, then attempts
        self.own: dict[str, bool | None] = {}  # whether jobs of this worker exist; None: perhaps
        self.movers: dict[str, list[str]] = {"A": [], "B": []}
        self.held: list[Any] = []  # jobs that are written to again, by the same handles
        self.last_try: tuple[str, str, Any] | None = None
        self._read_log(log)
        self.random = random.Random(f"{seed} {number} {self.steps}")
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self.open_projects()

    # the log ----------------------------------------------------------------------------------------------------------

    def _read_log(self, path: str) -> None:
        for entry in read_log(path):
            self.remember(entry)

    def remember(self, entry: list[Any]) -> None:
        """Take note of a line of the log."""
        kind, *rest = entry
        if kind == "step":
            self.steps = rest[0]
        elif kind == "try":
            uid, key, value = rest
            self.acceptable.setdefault((uid, key), [None]).append(value)
        elif kind == "done":
            uid, key, value = rest
            self.acceptable[uid, key] = [value]
        elif kind == "try own":
            self.own[rest[0]] = None
        elif kind == "done own":
            self.own[rest[0]] = rest[1]

    def log(self, *entry: Any) -> None:
        """Write a line, and take note of it."""
        os.write(self._log, json.dumps(entry).encode() + b"\n")
        self.remember(list(entry))

    # steps ------------------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        """Take the rest of a number of steps."""
        names = list(OPERATIONS)
        weights = [weight for weight, _ in OPERATIONS.values()]
        while self.steps < steps:
            name = self.random.choices(names, weights)[0]
            self.log("step", self.steps + 1, name)
            try:
                OPERATIONS[name][1](self)
            except Exception as error:
                self.movers = {"A": [], "B": []}
                kinds = [kind.__name__ for kind in type(error).__mro__]
                self.log("error", name, kinds, f"{error} {error.__cause__ or ''}"[:300])
        self.log("end")

    def wrong(self, what: str) -> None:
        """Note a broken promise."""
        self.log("wrong", what)

    def open_projects(self) -> None:
        """Take new handles, which know nothing yet."""
        self.projects = {name: signac.get_project(os.path.join(self.root, name)) for name in "ABC"}

    def resident(self) -> Any:
        """One of the residents."""
        return self.projects["A"].open_job(resident(self.random.randrange(RESIDENTS)))

    def mover(self) -> tuple[str, Any]:
        """The name of a project, and a mover that was there a while ago."""
        name = self.random.choice("AB")
        if not self.movers[name] or self.random.random() < 0.05:
            self.movers[name] = [job.id for job in self.projects[name].find_jobs({"kind": "mover"})]
        if not self.movers[name]:
            raise KeyError("there are no movers")
        return name, self.projects[name].open_job(id=self.random.choice(self.movers[name]))

    # documents --------------------------------------------------------------------------------------------------------

    def write(self, job: Any) -> None:
        """Write under a key of this worker, after a look at what is there."""
        uid, (key, nested) = job.sp["uid"], self.random.choice(((f"w{self.number}", ""), (f"w{self.number}", "n")))
        document = job.doc
        if nested:
            document = document[nested]
        name = f"{nested}.{key}"
        self.look(job, uid, nested, key)
        self.log("try", uid, name, self.steps)
        document[key] = self.steps
        self.log("done", uid, name, self.steps)

    def look(self, job: Any, uid: str, nested: str, key: str) -> None:
        """Make sure that what this worker has written is still there."""
        try:
            with open(job.fn("signac_job_document.json")) as file:  # a job that has gone would have an empty document
                found = json.load(file)
        except FileNotFoundError:
            return
        value = (found[nested] if nested else found).get(key)
        expected = self.acceptable.get((uid, f"{nested}.{key}"), [None])
        if value not in expected:
            self.wrong(f"lost key: {uid} {nested}.{key} is {value}, not one of {expected}")

    def hold(self, job: Any) -> Any:
        """The job, or one that was written to before, and may have been moved: whoever writes again keeps things."""
        if len(self.held) == HELD or (self.held and self.random.random() < 0.5):
            return self.held.pop(self.random.randrange(len(self.held)))
        return job

    def write_held(self, job: Any) -> None:
        for _ in range(self.random.randrange(1, 4)):
            self.write(job)
        self.held.append(job)  # unless it has failed

    def write_resident(self) -> None:
        self.write_held(self.resident())

    def write_mover(self) -> None:
        self.write_held(self.hold(self.mover()[1]))

    def write_buffered(self, jobs: list[Any]) -> None:
        tried = []
        with signac.buffered():
            for job in jobs:
                uid = job.sp["uid"]
                self.log("try", uid, f".w{self.number}", self.steps)
                job.doc[f"w{self.number}"] = self.steps
                tried.append(uid)
        for uid in tried:
            self.log("done", uid, f".w{self.number}", self.steps)

    def write_residents_buffered(self) -> None:
        self.write_buffered([self.resident() for _ in range(3)])

    def write_movers_buffered(self) -> None:
        self.write_buffered([self.mover()[1] for _ in range(2)])

    def write_mortal(self) -> None:
        self.mortal().doc.x = self.steps

    # jobs -------------------------------------------------------------------------------------------------------------

    def mortal(self) -> Any:
        return self.projects["A"].open_job({"kind": "mortal", "uid": f"d{self.random.randrange(MORTALS)}", "x": 1})

    def init_mortal(self) -> None:
        self.mortal().init()

    def remove_mortal(self) -> None:
        self.mortal().remove()

    def init_own(self) -> None:
        present = [uid for uid, exists in self.own.items() if exists]
        if len(present) >= OWN:
            self.remove_own(present[0])
        uid = f"own {self.number} {self.steps}"
        self.log("try own", uid)
        self.projects["A"].open_job({"kind": "own", "uid": uid, "x": 2}).init()
        self.log("done own", uid, True)

    def remove_own(self, uid: str) -> None:
        job = self.projects["A"].open_job({"kind": "own", "uid": uid, "x": 2})
        if job not in self.projects["A"]:
            self.wrong(f"lost job: {uid}")
        self.log("try own", uid)
        job.remove()
        self.log("done own", uid, False)

    def change_state_point(self) -> None:
        _, job = self.mover()
        job.sp.v = job.sp.v + 1

    def move(self) -> None:
        name, job = self.mover()
        job.move(self.projects["B" if name == "A" else "A"])

    def clone(self) -> None:
        _, job = self.mover()
        self.projects["C"].clone(job)

    def read_mover(self) -> None:
        _, job = self.mover()
        if job.sp["kind"] != "mover" or os.path.basename(job.path) != job.id or job.doc["seed"] != 1:
            self.wrong(f"wrong answer: job {job.id} reads {job.sp()} {job.doc()}")

    # queries ----------------------------------------------------------------------------------------------------------

    def find_all(self) -> None:
        ids = [job.id for job in self.projects["A"]]
        self.expect_once(ids)
        if not RESIDENT_IDS.issubset(ids):
            self.wrong(f"wrong answer: of the residents, {sorted(RESIDENT_IDS - set(ids))} are not found")

    def expect_once(self, ids: list[str]) -> None:
        if len(set(ids)) != len(ids):
            self.wrong(f"wrong answer: found twice in {ids}")

    def find_residents(self) -> None:
        self.expect({"kind": "resident"}, range(RESIDENTS))

    def find_by_number(self) -> None:
        x = self.random.randrange(3)
        self.expect({"kind": "resident", "x": x}, [uid for uid in range(RESIDENTS) if uid % 3 == x])

    def find_by_document(self) -> None:
        self.expect({"kind": "resident", "doc.seed": 1}, range(RESIDENTS))

    def expect(self, query: dict[str, Any], uids: Any) -> None:
        found = sorted(job.id for job in self.projects["A"].find_jobs(query))
        expected = sorted(ID_OF_RESIDENT[uid] for uid in uids)
        if found != expected:
            self.wrong(f"wrong answer: {query} finds {found}, not {expected}")

    def find_movers(self) -> None:
        uids = []
        project = self.projects[self.random.choice("AB")]
        for job in project.find_jobs({"kind": "mover"}):
            try:
                uids.append(job.cached_statepoint["uid"])
            except Exception as error:
                if type(error).__name__ not in GONE:
                    raise
        if len(set(uids)) != len(uids):
            self.wrong(f"doubled: the movers {uids} are found")

    def group(self) -> None:
        found = self.projects["A"].find_jobs({"kind": "resident"})
        groups = {x: [job.id for job in jobs] for x, jobs in found.groupby("x")}
        if sorted(map(len, groups.values())) != sorted(len(range(x, RESIDENTS, 3)) for x in range(3)):
            self.wrong(f"wrong answer: groups {groups}")

    def detect_schema(self) -> None:
        schema = self.projects["A"].detect_schema()
        if not {"kind", "uid"} <= {".".join(key) if isinstance(key, tuple) else key for key in schema}:
            self.wrong(f"wrong answer: schema {schema}")

    def update_cache(self) -> None:
        self.projects[self.random.choice("AB")].update_cache()

    # copies -----------------------------------------------------------------------------------------------------------

    def export(self) -> None:
        place = os.path.join(self.root, f"export-{self.number}")
        shutil.rmtree(place, ignore_errors=True)
        self.projects["A"].find_jobs({"kind": "resident", "x": 0}).export_to(place, path="r/{uid}")
        for uid in range(0, RESIDENTS, 3):
            with open(os.path.join(place, "r", str(uid), "data.txt")) as file:
                text = file.read()
            with open(os.path.join(place, "r", str(uid), "signac_job_document.json")) as file:
                document = json.load(file)
            if text != f"data of {uid}" or document["seed"] != 1:
                self.wrong(f"wrong answer: the export of {uid} holds {text!r}, {document}")
        shutil.rmtree(place)

    def synchronize(self) -> None:
        project = self.projects["A"]
        chosen = self.random.sample([job.id for job in project], 4)
        self.projects["C"].sync(
            project,
            strategy=sync.FileSync.always,
            doc_sync=sync.DocSync.ByKey(lambda key: True),
            selection=chosen,
            recursive=True,
            check_schema=False,
        )


OPERATIONS: dict[str, tuple[int, Callable[[Worker], None]]] = {
    "write to a resident": (20, Worker.write_resident),
    "write to a mover": (16, Worker.write_mover),
    "buffered write to residents": (2, Worker.write_residents_buffered),
    "buffered write to movers": (2, Worker.write_movers_buffered),
    "write to a mortal": (3, Worker.write_mortal),
    "init of a mortal": (4, Worker.init_mortal),
    "remove of a mortal": (4, Worker.remove_mortal),
    "init of an own": (3, Worker.init_own),
    "change of a state point": (10, Worker.change_state_point),
    "move": (10, Worker.move),
    "read of a mover": (6, Worker.read_mover),
    "clone of a mover": (1, Worker.clone),
    "query for all": (5, Worker.find_all),
    "query for residents": (6, Worker.find_residents),
    "query by number": (6, Worker.find_by_number),
    "query by document": (3, Worker.find_by_document),
    "query for movers": (4, Worker.find_movers),
    "groupby": (1, Worker.group),
    "detect_schema": (2, Worker.detect_schema),
    "update_cache": (1, Worker.update_cache),
    "export": (1, Worker.export),
    "sync": (1, Worker.synchronize),
    "new handles": (4, Worker.open_projects),
}
"""How often each is chosen, and what it does."""

QUERIES = tuple(name for name in OPERATIONS if name.startswith("query") or name in ("groupby", "detect_schema"))

RESIDENTS = 9
MOVERS = 12


def resident(uid: int) -> dict[str, Any]:
    """State point of a resident."""
    return {"kind": "resident", "uid": uid, "x": uid % 3}


def mover(uid: int) -> dict[str, Any]:
    """First state point of a mover."""
    return {"kind": "mover", "uid": f"m{uid}", "v": 0}


ID_OF_RESIDENT: dict[int, str] = {}
RESIDENT_IDS: set[str] = set()


def prepare(root: str) -> None:
    """Create the projects and the jobs that are there for ever."""
    projects = {name: signac.init_project(os.path.join(root, name)) for name in "ABC"}
    for state_point in [*map(resident, range(RESIDENTS)), *map(mover, range(MOVERS))]:
        job = projects["A"].open_job(state_point)
        job.doc.update({"seed": 1, "n": {}})
        with open(job.fn("data.txt"), "w") as file:
            file.write(f"data of {state_point['uid']}")


def read_log(path: str) -> list[list[Any]]:
    """The lines of a log; nothing if there is none."""
    try:
        with open(path) as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def main() -> None:
    """Run one worker, or prepare the projects."""
    root = sys.argv[1]
    if len(sys.argv) == 2:
        prepare(root)
        return
    log, number, seed, steps = sys.argv[2], *map(int, sys.argv[3:])
    worker = Worker(root, log, number, seed)
    for uid in range(RESIDENTS):
        ID_OF_RESIDENT[uid] = worker.projects["A"].open_job(resident(uid)).id
    RESIDENT_IDS.update(ID_OF_RESIDENT.values())
    worker.run(steps)


if __name__ == "__main__":
    main()
