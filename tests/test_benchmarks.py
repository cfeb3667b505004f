"""What the benchmarks compute themselves: projects, states of caches, medians, counts and tables. Nothing is timed."""

from __future__ import annotations

import doctest
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import generator, projects, report, tables, timing
from benchmarks.__main__ import DOCUMENT, RESULTS, plan
from benchmarks.programs import digest
from benchmarks.projects import COLD, NEW, WARM, Space
from benchmarks.timing import Failed, Sample, alternate, count_calls, rounds_for
from benchmarks.workloads import LARGE, SIZES, WORKLOADS, floor_code
from signac_core import Project

ROOT = Path(__file__).parent.parent

# --- generated projects ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("generated") / "project"
    generator.write_project(directory, 1000)
    return directory


def test_generated_project_when_opened_then_whole(generated):
    project = Project.get_project(str(generated))
    assert len(project) == 1000
    project.check()


@pytest.mark.parametrize(
    ("key", "share"),
    [
        ({"a": 42}, 10),
        ({"i": 421}, 1),
        ({"x.$lt": 0.01}, 10),
        ({"x.$lt": 0.5}, 500),
        ({"name.$regex": "00$"}, 10),
        ({"doc.status": "failed"}, 10),
    ],
)
def test_generated_project_when_queried_then_the_share_that_the_workload_is_named_after(generated, key, share):
    assert len(Project.get_project(str(generated)).find_jobs(key)) == share


def test_generated_job_when_written_then_the_files_of_this_library(generated, tmp_path):
    values = generator.state_point(7, 1000)
    job = Project.init_project(str(tmp_path)).open_job(values).init()
    job.doc.update(generator.document(7, 1000))
    assert len(values) == 10
    assert job.id == generator.job_id(values)
    for name in os.listdir(job.path):
        assert (generated / "workspace" / job.id / name).read_bytes() == Path(job.fn(name)).read_bytes()


def test_generated_project_when_written_then_dated_long_ago(generated):
    dates = {path.stat().st_mtime for path in (generated / "workspace").rglob("*")}
    assert dates == {generator.DATE}
    assert (generated / "workspace").stat().st_mtime == generator.DATE


# --- states of caches ------------------------------------------------------------------------------------------------


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Space]:
    monkeypatch.setattr(projects, "DATA", tmp_path)
    monkeypatch.setattr(projects, "SETTLED", 0)

    def cache(program: str) -> Callable[[Path], object]:
        return lambda project: (project / ".signac" / program).write_text(str(len(os.listdir(project / "workspace"))))

    return lambda: Space(200, {"one": cache("one"), "two": cache("two")})


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
        assert caches(project) == {program: "200"}
        (project.directory / ".signac" / program).write_text("changed by a query")


def test_space_when_new_then_caches_are_from_before(space):
    project = space()
    project.put(NEW, "two")
    assert (caches(project), count(project)) == ({"two": "200"}, 202)
    project.put(NEW, "floor")
    assert (caches(project), count(project)) == ({}, 202)


def test_space_when_warm_again_after_new_then_the_added_jobs_are_gone_and_caches_made_anew(space):
    project = space()
    project.put(WARM, "one")
    project.put(NEW, "one")
    (project.home / "one" / "one").write_text("old")
    project.put(WARM, "one")
    assert (caches(project), count(project)) == ({"one": "200"}, 200)


def test_space_when_a_run_was_interrupted_then_its_jobs_are_removed(space):
    space().put(NEW, "one")
    again = space()
    assert count(again) == 200
    again.put(WARM, "one")
    assert caches(again) == {"one": "200"}


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
    samples, failures = alternate(runs(order), most=5, budget=1e9)
    assert order == ["peer", "ours", "ours", "peer", "peer", "ours", "ours", "peer", "peer", "ours"]
    assert [sample.seconds for sample in samples["peer"]] == [4, 5, 8, 9]
    assert timing.median_seconds(samples["peer"]) == 6.5
    assert failures == {}


@pytest.mark.parametrize("after", [0, 2])
def test_alternate_when_one_fails_then_the_other_goes_on(after):
    samples, failures = alternate(runs([], "peer", after), most=3, budget=1e9)
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


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_workload_when_it_has_a_target_or_floor_then_of_a_state_that_is_measured(workload):
    stated = {*workload.targets, *workload.small, *workload.million, *workload.large, *workload.network}
    assert stated <= set(workload.states)
    if workload.group == "commands":
        for state in workload.states:
            compile(floor_code(workload.floor_in(state) or ()), "floor", "exec")


def test_names_of_workloads_when_listed_then_unique():
    assert len({workload.name for workload in WORKLOADS}) == len(WORKLOADS)


def test_plan_when_slow_or_large_is_not_wanted_then_left_out():
    def groups(sizes: tuple[int, ...], *, slow: bool = False) -> set[tuple[str, int]]:
        return {(task.state, task.size) for task in plan(sizes, only="^library import", slow=slow)}

    assert groups(SIZES) == {(COLD, 1_000), (COLD, 10_000)}
    assert groups(SIZES, slow=True) == {(COLD, 1_000), (COLD, 10_000), (COLD, 100_000)}
    assert {task.state for task in plan((LARGE,), only="^commands find: range, half", slow=False)} == {WARM, NEW}


def test_plan_when_made_then_each_state_of_a_project_is_entered_once():
    tasks = plan(SIZES, only="", slow=True)
    entered = [(task.size, task.state) for task in tasks]
    changes = [pair for place, pair in enumerate(entered) if place == 0 or entered[place - 1] != pair]
    assert len(changes) == len(set(changes))


# --- tables ----------------------------------------------------------------------------------------------------------


def row(workload: str = "find", state: str = WARM, jobs: int = 1000, **more: object) -> dict[str, object]:
    fields = {"peer": 1.0, "ours": 0.1, "floor": None, "target": None, "peer_mb": 9.0, "ours_mb": 3.0}
    return {"workload": workload, "state": state, "jobs": jobs, **fields, **more}


def test_functions_of_tables_when_run_then_as_their_examples_say():
    assert doctest.testmod(tables).failed == 0


def test_table_when_rendered_then_aligned_markdown():
    text = tables.table([row(target=12, floor=0.09), row(jobs=100_000, ours=None)], tables.columns_of_times)
    assert text == (
        "| workload   |    jobs |   peer |   ours | peer / ours |   floor | target |          met |\n"
        "|------------|--------:|-------:|-------:|------------:|--------:|-------:|-------------:|\n"
        "| find, warm |   1,000 | 1.00 s | 100 ms |        10.0 | 90.0 ms |     12 | 1.11 x floor |\n"
        "| find, warm | 100,000 | 1.00 s |        |             |         |        |              |"
    )


def test_table_when_there_are_no_rows_then_nothing():
    assert tables.table([], tables.columns_of_times) == ""


def test_results_when_written_again_then_only_the_same_rows_are_replaced(tmp_path):
    order = [("find", WARM), ("schema", WARM)]
    tables.write_results(tmp_path, "commands", "here", [row("schema"), row(jobs=10), row(), row("gone")], order)
    tables.write_results(tmp_path, "commands", "there", [row(ours=0.2)], order)
    found = tables.read_results(tmp_path, "commands")
    assert [(one["workload"], one["jobs"], one["ours"]) for one in found] == [
        ("find", 10, 0.1),
        ("find", 1000, 0.2),
        ("schema", 1000, 0.1),
    ]
    assert tables.machine_of(tmp_path, "commands") == "there"


def test_report_when_written_then_the_document_changes_between_its_markers_only(tmp_path):
    rows = [row("find: range, half", jobs=10, target=12), row("find: range, half", target=12), row("schema")]
    order = [("find: range, half", WARM), ("schema", WARM)]
    tables.write_results(tmp_path, "commands", "here", rows, order)
    document = tmp_path / "document.md"
    document.write_text(f"before\n{tables.BEGIN}\noutdated\n{tables.END}\nafter\n")
    report.write(tmp_path, document)
    text = document.read_text()
    assert text.startswith(f"before\n{tables.BEGIN}\n")
    assert text.endswith(f"\n{tables.END}\nafter\n")
    assert "outdated" not in text
    assert len(re.findall(r"^\| find: range, half, warm", text, flags=re.MULTILINE)) == 2  # times, memory
    assert "schema" not in text
    assert "schema" in (tmp_path / "tables.md").read_text()


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
    assert [pattern for pattern in patterns if not plan(SIZES, only=pattern, slow=False)] == []


def test_readme_of_the_project_when_it_tells_how_long_queries_take_then_as_measured():
    text = " ".join((ROOT / "README.md").read_text().split())
    assert (
        "about a tenth of a second to ask for state points of 100,000 jobs, and half a second at most of a million"
        in text
    )
    rows = [row for row in tables.read_results(RESULTS, "commands") if row["state"] == WARM]
    slowest = {
        jobs: max(
            row["ours"]
            for row in rows
            if row["jobs"] == jobs and row["workload"].startswith("find: ") and "document" not in row["workload"]
        )
        for jobs in (SIZES[-1], LARGE)
    }
    assert slowest[SIZES[-1]] < 0.15
    assert slowest[LARGE] < 0.5
