import doctest
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import generator, programs, projects, reasons, report, results, tables, targets, timing, workload
from benchmarks.__main__ import DOCUMENT, QUICK, RESULTS
from benchmarks.inside import floors
from benchmarks.programs import Bench, Task, digest
from benchmarks.projects import COLD, FIRST, NEW, WARM, Caches, Space
from benchmarks.shapes import FLAT, LARGE_DOCUMENTS, NESTED, ONE_JOB, SHAPES, SIX
from benchmarks.timing import Calibration, Failed, Sample, alternate, count_calls, rounds_for
from benchmarks.workload import CALLS, COMMANDS, GROUPS, LARGE, LIBRARY, LOOPS, MILLION, NETWORK, SIZES
from benchmarks.workloads import WORKLOADS, Part, plan
from signac_core import Project

ROOT = Path(__file__).parent.parent

# --- generated projects ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    directory = tmp_path_factory.mktemp("generated")

    def project(kind: str) -> Path:
        if not (directory / kind).exists():
            generator.write(directory / kind, kind, 200)
        return directory / kind

    return project


@pytest.mark.parametrize("shape", SHAPES)
def test_generated_project_when_opened_then_whole(generated, shape):
    project = Project.get_project(str(generated(shape)))
    assert len(project) == 200
    project.check()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("role", "condition", "share"),
    [
        ("few", 42, 2),
        ("unique", 121, 1),
        ("spread", {"$lt": 0.01}, 2),
        ("spread", {"$lt": 0.5}, 100),
        ("text", {"$regex": "00$"}, 2),
        ("rare", {"$exists": True}, 2),
    ],
)
def test_generated_project_when_queried_then_in_each_shape_the_share_that_the_workload_is_named_after(
    generated, shape, role, condition, share
):
    found = Project.get_project(str(generated(shape))).find_jobs({SHAPES[shape].key(role): condition})
    assert len(found) == share


def test_generated_documents_when_queried_then_one_in_a_hundred_has_failed(generated):
    project = Project.get_project(str(generated("flat")))
    assert len(project.find_jobs({"doc.status": "failed"})) == 2
    assert {type(value) for value in generator.document(7, 200).values()} >= {dict, list}


def test_shapes_when_compared_then_each_has_what_it_is_named_after(generated):
    def values(shape: str) -> list[dict[str, object]]:
        return [SHAPES[shape].state_point(number, 200) for number in range(200)]

    def types(shape: str, key: str) -> set[type]:
        return {type(one[key]) for one in values(shape) if key in one}

    assert {type(value) for one in values("flat") for value in one.values()} == {int, float, str, bool}
    assert types("lists", "species") == {list}
    assert types("nested", "tag") == {type(None), str}
    assert len(types("mixed", "value")) == 5
    assert {len(one) for one in values("wide")} == {60, 61}
    assert min(len(str(one["description"])) for one in values("text")) > 1000
    assert len({key for one in values("sparse") for key in one if key.startswith("p")}) == 2000


def test_generated_projects_of_other_kinds_when_written_then_one_job_or_large_documents(tmp_path):
    generator.write(tmp_path / "one", ONE_JOB, 1)
    (job,) = Project.get_project(str(tmp_path / "one"))
    assert len(job.doc) == 20
    generator.write(tmp_path / "large", LARGE_DOCUMENTS, 2)
    sizes = [os.path.getsize(job.fn(job.FN_DOCUMENT)) for job in Project.get_project(str(tmp_path / "large"))]
    assert min(sizes) > 1_000_000


@pytest.mark.parametrize("shape", SHAPES)
def test_generated_job_when_written_then_the_files_of_this_library(generated, tmp_path, shape):
    values = SHAPES[shape].state_point(7, 200)
    job = Project.init_project(str(tmp_path)).open_job(values).init()
    job.doc.update(generator.document(7, 200))
    assert job.id == generator.job_id(values)
    for name in os.listdir(job.path):
        assert (generated(shape) / "workspace" / job.id / name).read_bytes() == Path(job.fn(name)).read_bytes()


def test_generated_project_when_written_then_dated_long_ago(tmp_path):
    generator.write(tmp_path / "new", "flat", 3)
    workspace = tmp_path / "new" / "workspace"
    assert {path.stat().st_mtime for path in [workspace, *workspace.rglob("*")]} == {generator.DATE}


def test_data_of_floors_when_written_then_what_filters_match(tmp_path):
    projects.write_data(tmp_path / "data", NESTED, 100)
    lines = {file.name: file.read_text().splitlines() for file in (tmp_path / "data").iterdir()}
    assert len(lines["ids"]) == len(lines["states"]) == len(lines["documents"]) == len(lines["column"]) == 100
    assert json.loads(lines["some-states"][0])["run"]["a"] == 42
    assert (len(lines["some"]), len(lines["tenth"])) == (1, 10)
    assert generator.job_id(json.loads(lines["states"][5])) == lines["ids"][5]


# --- states of caches ------------------------------------------------------------------------------------------------


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Space]:
    monkeypatch.setattr(projects, "SETTLED", 0)

    def cache(program: str) -> Caches:
        def write(name: str) -> Callable[[Path], object]:
            return lambda project: (project / ".signac" / name).write_text(str(len(os.listdir(project / "workspace"))))

        return Caches(write(program), write(f"{program}-documents"))

    return lambda: Space("flat", 200, {"one": cache("one"), "two": cache("two")}, tmp_path)


def caches(space: Space) -> dict[str, str]:
    files = (space.directory / ".signac").iterdir()
    return {file.name: file.read_text() for file in files if file.name != "config"}


def count(space: Space) -> int:
    return len(os.listdir(space.directory / "workspace"))


def test_space_when_cold_then_no_caches(space):
    project = space()
    (project.directory / ".signac" / "index").mkdir()
    project.put(COLD, "one")
    assert caches(project) == {}


def test_space_when_warm_then_only_the_caches_of_the_program(space):
    project = space()
    for program in ("one", "two", "one"):
        project.put(WARM, program)
        assert caches(project) == {program: "200", f"{program}-documents": "200"}
        (project.directory / ".signac" / program).write_text("changed by a query")


def test_space_when_no_query_has_asked_for_documents_then_only_the_other_caches(space):
    project = space()
    project.put(FIRST, "two")
    assert caches(project) == {"two": "200"}


def test_space_when_new_then_caches_are_from_before(space):
    project = space()
    project.put(NEW, "two")
    assert (caches(project)["two"], count(project)) == ("200", 202)
    project.put(NEW, "floor")
    assert (caches(project), count(project)) == ({}, 202)


def test_space_when_warm_again_after_new_then_the_added_jobs_are_gone_and_caches_made_anew(space):
    project = space()
    project.put(WARM, "one")
    project.put(NEW, "one")
    (project.home / "one-warm" / "one").write_text("old")
    project.put(WARM, "one")
    assert (caches(project)["one"], count(project)) == ("200", 200)


def test_space_when_a_run_was_interrupted_then_its_jobs_are_removed(space):
    space().put(NEW, "one")
    again = space()
    assert count(again) == 200
    again.put(WARM, "one")
    assert caches(again)["one"] == "200"


def test_caches_of_a_large_project_when_the_program_and_the_workspace_are_the_same_then_kept(
    space, monkeypatch, tmp_path
):
    monkeypatch.setattr(projects, "IN_DATA", 100)
    monkeypatch.setattr(projects, "LARGE_DATA", tmp_path)
    space().put(WARM, "one")
    again = space()
    (again.home / "one-warm" / "one").write_text("kept")
    again.put(WARM, "one")
    assert caches(again)["one"] == "kept"
    os.utime(again.directory / "workspace")
    changed = space()
    changed.put(WARM, "one")
    assert caches(changed)["one"] == "200"


# --- runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "rounds"), [(100, 1), (3, 3), (0.001, 15), (0, 15)])
def test_rounds_when_one_takes_long_then_few(seconds, rounds):
    assert rounds_for(seconds, most=15, budget=10) == rounds


def runs(order: list[str], failing: str = "", after: int = 0) -> dict[str, timing.Run]:
    def run(name: str) -> Sample:
        order.append(name)
        if name == failing and order.count(name) > after:
            raise Failed("no")
        return Sample(len(order), 1, None)

    return {name: (lambda name=name: run(name)) for name in ("peer", "ours")}


def test_alternate_when_repeated_then_in_turn_and_the_first_round_does_not_count():
    order: list[str] = []
    samples, failures = alternate(runs(order), most=5, budget=1e9, calibration=Calibration())
    assert order == ["peer", "ours", "ours", "peer", "peer", "ours", "ours", "peer", "peer", "ours"]
    assert [sample.seconds for sample in samples["peer"]] == [4, 5, 8, 9]
    assert timing.median_of(samples["peer"]) == 6.5
    assert failures == {}


@pytest.mark.parametrize("after", [0, 2])
def test_alternate_when_one_fails_then_the_other_goes_on(after):
    samples, failures = alternate(runs([], "peer", after), most=3, budget=1e9, calibration=Calibration())
    assert failures == {"peer": "no"}
    assert list(samples) == ["ours"]
    assert len(samples["ours"]) == 3


TRACE = """\
1 execve("/bin/x", ["x"], 0x7ffe /* 9 vars */) = 0
1 openat(AT_FDCWD, "a", O_RDONLY) = 3
1 newfstatat(AT_FDCWD, "/benchmark-begins", 0x7f, 0) = -1 ENOENT (No such file or directory)
1 openat(AT_FDCWD, "b", O_RDONLY) = 3
2 read(3,  <unfinished ...>
1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0) = 0x7f
2 <... read resumed>"text", 4) = 4
2 --- SIGCHLD {si_signo=SIGCHLD} ---
1 newfstatat(AT_FDCWD, "/benchmark-ends", 0x7f, 0) = -1 ENOENT (No such file or directory)
1 close(3) = 0
"""


@pytest.mark.parametrize(("between_marks", "calls"), [(False, 6), (True, 2)])
def test_calls_when_counted_then_each_call_on_files_once(between_marks, calls):
    assert count_calls(TRACE, between_marks=between_marks) == calls


def test_digest_when_lines_are_in_another_order_then_equal(tmp_path):
    texts = {"one": "a\nb\n", "two": "b\na\n", "three": "a\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    one, two, three = (digest(tmp_path / name) for name in texts)
    assert one == two != three


def test_alternate_when_one_takes_most_of_the_time_then_it_is_left_out_of_some_rounds(monkeypatch):
    order: list[str] = []
    shares = iter([2, 6])
    monkeypatch.setattr(timing, "rounds_for", lambda seconds, *, most, budget: next(shares))
    alternate(runs(order), most=6, budget=1.0, calibration=Calibration())
    assert (order.count("peer"), order.count("ours")) == (2, 6)
    assert order[0] == "peer"
    assert order.index("peer", 1) > 3


def test_calibration_when_rounds_were_slower_than_usual_then_noise():
    calibration = Calibration([1.0, 1.0, 1.0, 1.5, 1.5])
    assert calibration.noise() == pytest.approx(0.2)
    assert calibration.noise(3) == 0.5
    calibration.take()
    assert 0 < calibration.seconds[-1] < 100


# --- workloads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", WORKLOADS, ids=lambda one: f"{one.group} {one.name}")
def test_workload_when_it_has_a_floor_or_a_function_then_there_is_such_a_thing(one):
    assert set(one.large) <= set(one.states)
    if not one.from_outside:
        module, _, name = one.arguments[1].partition(".")
        source = (ROOT / "benchmarks" / "inside" / f"{module}.py").read_text()
        assert re.search(rf"^def {name}\(", source, flags=re.MULTILINE)
    for state in one.states:
        steps = " ".join(one.floor_in(state)).removeprefix("click ").split(" + ")
        assert all(hasattr(floors, step.split()[0]) for step in steps if step)


@pytest.mark.parametrize("one", WORKLOADS, ids=lambda one: f"{one.group} {one.name}")
def test_words_of_workloads_when_filled_then_all_are_known(one):
    known = {"run", "project", "data", "empty", "id", "prefix", "twenty", "ids", "twin", *SHAPES["flat"].prefixes}
    known |= {"unique", "few", "spread", "text", "group", "rare"}
    arguments = [*one.arguments, *(word for state in one.states for word in one.floor_in(state))]
    assert {word for text in arguments for word in re.findall(r"<(\w+)>", text)} <= known


def test_names_of_workloads_when_listed_then_unique():
    assert len({(one.group, one.name) for one in WORKLOADS}) == len(WORKLOADS)


def test_kinds_of_workloads_when_they_are_to_reach_something_then_some_line_names_them():
    named = {kind for line in targets.LINES for kind in line.kinds}
    assert named <= {one.kind for one in WORKLOADS}
    silent = {one.kind for one in WORKLOADS} - named
    assert silent <= {"", "lines", "1 %", "best", "best by documents", "update", "many keys", "large documents", "loop"}


def test_plan_when_whole_then_six_shapes_in_three_sizes_and_a_million_of_one():
    tasks = plan(Part())
    for shape in SIX:
        sizes = {task.size for task in tasks if task.shape == shape.name and task.group in (COMMANDS, LIBRARY)}
        assert sizes >= set(SIZES)
    assert {task.shape for task in tasks if task.size >= LARGE} == {NESTED.name}
    assert {task.group for task in tasks} == set(GROUPS)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (
            Part(groups=(LIBRARY,), sizes=(1_000,), only="import"),
            {(LIBRARY, "flat", 1_000), (LIBRARY, "nested", 1_000)},
        ),
        (Part(shapes=("flat",), only="^commands export"), {(COMMANDS, "flat", 1_000), (COMMANDS, "flat", 10_000)}),
        (Part(groups=(MILLION,), only="find: --jsonl, warm"), {(MILLION, "nested", LARGE)}),
        (Part(groups=(NETWORK,), only=r" remove\(\)"), {(NETWORK, "nested", 200)}),
    ],
)
def test_plan_when_a_part_is_asked_for_then_nothing_else(part, found):
    assert {(task.group, task.shape, task.size) for task in plan(part)} == found


def test_plan_when_quick_then_a_thousand_jobs_at_most():
    assert {task.size for task in plan(QUICK)} <= set(range(1001))
    assert MILLION not in {task.group for task in plan(QUICK)}


def test_plan_when_made_then_each_state_of_a_project_is_entered_once():
    entered = [(task.size, task.shape, task.state) for task in plan(Part())]
    changes = [pair for place, pair in enumerate(entered) if place == 0 or entered[place - 1] != pair]
    assert len(changes) == len(set(changes))


def test_bench_when_it_prepares_a_library_call_then_with_a_rehearsal_on_a_small_project(tmp_path, monkeypatch):
    for name in ("DATA", "SCRATCH", "ON_DISK"):
        monkeypatch.setattr(programs, name, tmp_path / name)
    monkeypatch.setattr(projects, "SETTLED", 0)
    monkeypatch.setattr(programs.environments, "recipe_of", lambda _: "")
    (one,) = [one for one in WORKLOADS if one.group == LIBRARY and one.name == "export to a directory"]
    bench = Bench({"ours": tmp_path / "bin", "peer": tmp_path / "other"})
    command, directory = bench.prepare(Task(LIBRARY, one, COLD, "nested", 60), "ours")
    words = [str(word) for word in command]
    place = words.index("--rehearsal")
    assert words[0] == str(tmp_path / "bin" / "python")
    assert words[3] == "library.export"
    assert words[5] == words[-1] == "few_{run.a}/i_{i}"
    assert words[4] != words[place + 2]
    assert len(os.listdir(Path(words[place + 1]) / "workspace")) == programs.REHEARSED
    assert len(os.listdir(directory / "workspace")) == 60
    command, _ = bench.prepare(Task(LIBRARY, one, COLD, "nested", 60), "floor")
    assert "--rehearsal" not in command
    bench.close()
    assert not (tmp_path / "ON_DISK").exists()


# --- floors ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    generator.write(tmp_path / "project", "nested", 100)
    projects.write_data(tmp_path / "data", NESTED, 100)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def test_floors_of_copies_when_run_then_the_files_are_there(small):
    floors.copy(f"{small}/copy")()
    for file in (small / "project" / "workspace").rglob("*.json"):
        assert (small / "copy" / file.parent.name / file.name).read_bytes() == file.read_bytes()
    floors.create(f"{small}/new", f"{small}/data/states")()
    assert len(os.listdir(small / "new")) == 100


def test_floor_of_check_when_run_then_it_finds_what_is_damaged(small):
    assert floors.check()() == 0
    next((small / "project" / "workspace").glob("*/signac_statepoint.json")).write_text("{}")
    assert floors.check()() == 1


def test_floors_of_what_is_shown_when_run_then_a_line_for_each_job(small, capfd):
    floors.as_json(f"{small}/data/states")()
    assert capfd.readouterr().out.splitlines()[0].startswith('{"i":0,')
    floors.as_python(f"{small}/data/ids", f"{small}/data/states")()
    assert len(capfd.readouterr().out.splitlines()) == 200
    floors.as_table(f"{small}/data/states")()
    assert len({len(line) for line in capfd.readouterr().out.splitlines()}) == 1
    floors.differences(f"{small}/data/states")()
    assert "box" in capfd.readouterr().out


# --- targets ---------------------------------------------------------------------------------------------------------


def figures(seconds: float, megabytes: float = 9.0) -> dict[str, float]:
    return {"s": seconds, "cpu": seconds, "mb": megabytes, "n": 3}


def row(workload: str = "find: all jobs", state: str = WARM, jobs: int = 1000, **more: object) -> dict[str, object]:
    fields = {"of": COMMANDS, "shape": "flat", "peer": figures(1.0), "ours": figures(0.1, 3.0), "floor": None}
    return {"workload": workload, "state": state, "jobs": jobs, "noise": 0.1, **fields, **more}


@pytest.mark.parametrize(
    ("of", "limit", "more", "met"),
    [
        ("peer", 10, {}, True),
        ("peer", 11, {}, False),
        ("same", 0, {"ours": figures(1.05)}, True),
        ("same", 0, {"ours": figures(1.2)}, False),
        ("floor", 2, {"floor": figures(0.06)}, True),
        ("floor", 2, {"floor": figures(0.04)}, False),
        ("floor", 2, {}, None),
        ("cpu", 0.1, {}, True),
        ("cpu", 0.05, {}, False),
        ("cpu and stats", 0.05, {"floor": figures(0.05)}, True),
        ("MB", 2, {}, False),
        ("growth", 1.2, {}, False),
        ("calls", 0.5, {"ours": 501.0}, False),
        ("calls", 0.5, {"ours": 499.0}, True),
        ("peer", 1, {"peer": None}, None),
        ("MB", 2, {"ours": None}, None),
    ],
)
def test_target_when_a_row_is_judged_then_by_what_it_is_about(of, limit, more, met):
    verdict = targets.judge(targets.Target(of, limit), row(**more), row(ours=figures(0.1, 2.0)))
    assert (verdict.met if verdict else None) is met


def test_target_when_the_floor_alone_misses_it_then_told_how_far_from_the_floor():
    verdict = targets.judge(targets.Target("peer", 12), row(floor=figures(0.09)), None)
    assert tables.told([verdict]) == "1.11 x floor"


@pytest.mark.parametrize(
    ("group", "workload", "state", "jobs", "title"),
    [
        (MILLION, "find: --json of 1 %", WARM, LARGE, "1M: 1 % shown as JSON, lines, table"),
        (MILLION, "find: --jsonl", WARM, LARGE, "1M: all jobs as lines"),
        (COMMANDS, "find: --sp", WARM, 100_000, "100k, warm: find --sp, --table, -s, diff, check"),
        (COMMANDS, "schema", COLD, 1_000, "1k, 10k: not slower than signac 2.4.1"),
    ],
)
def test_lines_when_a_row_is_looked_up_then_those_about_it(group, workload, state, jobs, title):
    assert [line.title for line in targets.lines_of(group, row(workload, state, jobs))] == [title]


# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [tables, reasons, timing, workload])
def test_functions_when_run_then_as_their_examples_say(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_table_when_rendered_then_aligned_markdown():
    assert tables.table([{"name": "a", "jobs": "1,000"}, {"name": "longer", "jobs": "10"}]) == (
        "| name   |  jobs |\n|--------|------:|\n| a      | 1,000 |\n| longer |    10 |"
    )
    assert tables.table([]) == ""


def test_columns_when_a_program_failed_or_has_no_such_thing_then_told():
    cells = tables.columns_of_times(COMMANDS, row("find: --table", peer=None, ours=None, failures={"ours": "no"}))
    assert (cells["peer"], cells["ours"], cells["peer / ours"], cells["met"]) == ("none", "failed", "", "")
    cells = tables.columns_of_times(COMMANDS, row(jobs=100_000, floor=figures(0.05)))
    assert (cells["peer / ours"], cells["ours / floor"], cells["met"]) == ("10.0", "2.00", "yes")
    assert (cells["CPU s, peer / ours"], cells["MB, peer / ours"]) == ("1.00 / 0.10", "9.00 / 3.00")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"ours": figures(1.05)}, "within the noise"),
        ({"ours": figures(2.0)}, reasons.UNEXPLAINED),
        ({"of": LOOPS, "workload": "sp[KEY] = VALUE", "state": COLD, "ours": figures(2.0)}, "a lock"),
    ],
)
def test_columns_when_the_peer_is_faster_then_with_the_reason(more, reason):
    one = row(**more)
    assert tables.columns_of_slower(str(one["of"]), one)["reason"].startswith(reason)


def test_results_when_written_again_then_only_the_same_rows_are_replaced(tmp_path):
    about = {"machine": "here"}
    results.write(tmp_path, COMMANDS, about, [row("schema"), row(jobs=10), row(), row("gone"), row(shape="nested")])
    results.write(tmp_path, COMMANDS, {"machine": "there"}, [row(ours=figures(0.2))])
    found = results.read(tmp_path, COMMANDS)
    assert [(one["workload"], one["shape"], one["jobs"], one["ours"]["s"]) for one in found] == [
        ("find: all jobs", "flat", 10, 0.1),
        ("find: all jobs", "flat", 1000, 0.2),
        ("find: all jobs", "nested", 1000, 0.1),
        ("schema", "flat", 1000, 0.1),
    ]
    assert results.about(tmp_path, COMMANDS) == {"machine": "there"}
    assert (results.read(tmp_path, CALLS), results.about(tmp_path, CALLS)) == ([], {})


def test_report_when_written_then_the_document_changes_between_its_markers_only(tmp_path):
    big = row("find: --jsonl", jobs=LARGE, shape="nested", peer=None, floor=figures(0.09))
    smaller = row("find: --jsonl", jobs=100_000, shape="nested", peer=None, ours=figures(0.1, 2.0))
    slow = row("schema", ours=figures(3.0))
    results.write(tmp_path, COMMANDS, {"machine": "here", "noise": "5%"}, [smaller, slow])
    results.write(tmp_path, MILLION, {"machine": "here", "noise": "7%"}, [big])
    document = tmp_path / "document.md"
    document.write_text(f"before\n{tables.BEGIN}\noutdated\n{tables.END}\nafter\n")
    report.write(tmp_path, document)
    text = document.read_text()
    assert text.startswith(f"before\n{tables.BEGIN}\n")
    assert text.endswith(f"\n{tables.END}\nafter\n")
    assert "outdated" not in text
    assert "commands 5%; large 7%" in text
    assert re.search(r"1M: all jobs as lines .* 3 \| +2 \| +0 \| 1.50: find: --jsonl \(nested, 1,000,000\)", text)
    assert "are faster: 1" in text.replace("is faster", "are faster")
    assert "unexplained" in text
    everything = (tmp_path / "tables.md").read_text()
    assert re.search(r"^\| find: --jsonl +\| +\| +\| +2.00 \| +3.00 \| +1.50 \|$", everything, flags=re.MULTILINE)


def test_section_when_there_are_no_markers_then_an_error():
    with pytest.raises(ValueError, match="markers"):
        tables.replace_section("text", "new")


def test_readme_when_results_are_kept_then_shows_them():
    readme = DOCUMENT.read_text()
    assert tables.replace_section(readme, "x") != readme
    assert tables.replace_section(readme, report.readme(RESULTS)) == readme


def test_readme_when_it_names_workloads_then_the_command_line_has_them():
    patterns = re.findall(r"--only '(.*?)'", DOCUMENT.read_text())
    assert patterns
    assert [pattern for pattern in patterns if not plan(Part(only=pattern))] == []


def test_readme_of_the_project_when_it_tells_how_long_queries_take_then_as_measured():
    text = " ".join((ROOT / "README.md").read_text().split())
    assert (
        "about a tenth of a second to ask for state points of 100,000 jobs, and half a second at most of a million"
        in text
    )
    for group, jobs, limit in ((COMMANDS, SIZES[-1], 0.15), (MILLION, LARGE, 0.5)):
        rows = [one for one in results.read(RESULTS, group) if one["state"] == WARM and one["jobs"] == jobs]
        queries = [
            one for one in rows if targets.workload_of(one).kind == "ids" and one["shape"] in (FLAT.name, "nested")
        ]
        assert queries
        assert max(one["ours"]["cpu"] for one in queries) < limit
