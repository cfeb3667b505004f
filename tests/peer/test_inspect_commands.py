"""The commands that look at a project, under both programs: the same output and status, but for what is listed.

Where the other program has jobs in the order of the directory, or in none, both answers are sorted by job.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signac_core import Project
from tests.peer.sides import Side

pytestmark = pytest.mark.slow

DRIVER = "commands_driver.py"

DEEP = {"w": {"x": {"y": {"z": [1, [2, [3, [4]]]]}}}}

# No two values of a key are equal without being the same: what 1, 1.0 and True are to each other is listed below.
REFERENCE: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    *[
        ({"T": T, "p": p, "fluid": {"name": name, "eps": 0.1 * p}, "const": "same"}, {"T": T, "done": p > 2})
        for T, p, name in product([0.5, 1.5, 2.25], [2, 3, 10], ["lj", "hertz"])
    ],
    ({"T": -3.5, "p": -7, "fluid": {"name": None, "cut": [2, 3]}, "const": "same", "flag": True}, None),
    ({"T": 1e-7, "p": 10**20, "fluid": {"name": "é☃", "cut": []}, "const": "same", "flag": False}, {}),
    ({"text": "two words, 'quoted' \"twice\"\n\ttab", "const": "same"}, {"T": None, "l": [None, {"é": "日本語"}]}),
    ({"text": "long " * 40, "const": "same", "deep": DEEP}, {"deep": DEEP, "text": "long " * 40}),
    ({"text": "", "two words": [[2], "x", None], "deep": {"w": {"x": 2}}}, {"z": 2, "a": {"z": 3, "a": 4}}),
    ({"mixed": 2}, {"b": True, "mixed": 2}),
    ({"mixed": "2"}, {"b": False, "mixed": "2"}),
    ({"mixed": None}, {"b": None, "mixed": None}),
    ({"mixed": [2, "2"]}, {"b": [True], "mixed": {"2": 2}}),
    ({}, {"T": 1e300, "float": -0.0}),
]


def several(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def write(directory: Path, jobs: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> list[str]:
    """Make a project, and return the ids of its jobs, sorted."""
    project = Project.init_project(str(directory))
    ids = []
    for state_point, document in jobs:
        job = project.open_job(state_point).init()
        ids.append(job.id)
        if document is not None:
            job.doc.update(document)
    return sorted(ids)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The project that nothing changes, and the ids of its jobs."""
    directory = tmp_path_factory.mktemp("reference")
    return directory, write(directory, REFERENCE)


# --- what is the same answer -----------------------------------------------------------------------------------------

Compared = Callable[[str], Any]


def exact(text: str) -> str:
    return text


def by_line(text: str) -> list[str]:
    """Lines of which each tells about a job."""
    return sorted(text.split("\n"))


def by_job(text: str) -> list[str]:
    """Blocks of lines that begin with an id."""
    return sorted(re.split(r"(?m)^(?=[0-9a-f]{32}$)", text))


def by_type(text: str) -> list[list[str]]:
    """A flat schema, of which each key may have several types."""
    lines = text.replace("': '", "\n").split("\n")
    return [sorted(re.split(r", (?=\w+\(\[)", line.removesuffix("',"))) for line in lines]


def differences(
    peer: Side, ours: Side, directory: Path, commands: list[tuple[str, Compared]]
) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Commands, as one writes them in a shell, with both answers where these are not the same."""
    arguments = [shlex.split(command) for command, _ in commands]
    theirs, mine = (side.ask("run", directory=str(directory), commands=arguments) for side in (peer, ours))
    return [
        (command, one, other)
        for (command, compared), one, other in zip(commands, theirs, mine, strict=True)
        if (one["status"], compared(one["out"])) != (other["status"], compared(other["out"]))
    ]


# --- the reference project -------------------------------------------------------------------------------------------

FILTERS = [
    "T 1.5",
    "T 1.5 p 3",
    "T.$gt 1 fluid.name lj",
    "mixed",
    "mixed null",
    "fluid.name /^h/",
    "fluid.name é☃",
    "fluid.cut []",
    "flag true",
    "doc.done true",
    "doc.deep.w.x.y.z.$exists true",
    """'{"$or": [{"T": 0.5}, {"doc.b": {"$type": "bool"}}]}'""",
    """'{"$not": {"const": "same"}}'""",
    "nowhere 1",
    "{}",
]
SELECTIONS = ["", *(f"-f {tokens}" for tokens in FILTERS)]

SP_ATTACHED = ["", "-s 0", "--sp", "--sp T mixed deep nowhere"]
DOC_ATTACHED = ["--doc", "--doc T l deep"]
BOTH_ATTACHED = ["-s", "--show", "-s 1", "--sp --doc", "--sp fluid --doc done", "-s --sp T", "-s --doc text"]


def test_find_when_anything_is_attached_then_equal_by_job(peer, ours, reference):
    layouts = ["", "-p", "-p 1", "-p 2", "-p9", "--pretty 4"]
    shown = [*product([*SP_ATTACHED, *DOC_ATTACHED, *BOTH_ATTACHED], layouts)]
    shown += product(SP_ATTACHED, ["-1", "--one-line", "-1 -p 1"])  # the label of documents is listed
    commands = [f"find {attached} {layout}" for attached, layout in shown]
    commands += [f"find {' '.join(pair)}" for pair in product(FILTERS, ["", "-s", "--sp -1", "-p1 --doc"])]
    assert differences(peer, ours, reference[0], [(command, by_job) for command in commands]) == []


PRINTED = [
    *["", "-s", "--sort", "-i", "-i 4", "-i0", "--indent 1 -s", "-p", "-p 1", "-p2 -s", "-p 0", "-p0 -i3", "-si1"],
    "--pretty=3 --indent=2",
]


@pytest.mark.parametrize("name", ["statepoint", "document"])
def test_data_when_of_given_jobs_then_equal(peer, ours, reference, name):
    directory, ids = reference
    prefixes = " ".join(job_id[:length] for job_id, length in zip(ids, (8, 12, 31, 32), strict=False))
    commands = [(f"{name} {' '.join(ids)} {options}", exact) for options in PRINTED]
    commands += [(f"{name} {prefixes} {ids[1]} {ids[0]} {ids[1]}", exact)]
    commands += [(f"{name} {options}", by_line) for options in ("", "-s", "--sort")]
    assert differences(peer, ours, directory, commands) == []


def test_document_when_of_a_filter_then_equal_by_job(peer, ours, reference):
    commands = [(f"document {selected}", by_line) for selected in SELECTIONS]
    assert differences(peer, ours, reference[0], commands) == []


def test_schema_when_flat_then_equal_but_for_the_order_of_types(peer, ours, reference):
    directory, ids = reference
    layouts = [
        *["", "-x", "-p 1", "-p 0", "-p -1", "-r 0", "-r 1", "-r 2", "-r 3", "-r -3", "-r 4 -p3", "-r99", "-xp1"],
        *["-t 0", "-t -1", "-x -p 2 -r 4", "--exclude-const --precision=1", "--max-num-range 3 --dep 0", "--max 9"],
    ]
    selections = [*SELECTIONS, f"-j {' '.join(ids)}", f"-j {' '.join(ids[::2])}", f"-j {ids[3]} {ids[3]}"]
    commands = [*product(layouts, ["", "-f T", "-f mixed"]), *product(["", "-x"], selections)]
    assert differences(peer, ours, directory, [(f"schema {a} {b}", by_type) for a, b in commands]) == []


def test_schema_when_nested_then_equal(peer, ours, reference):
    layouts = ["-t 1", "-t 2", "-t 3 -x", "-t9 -p 1", "--depth 2 -r 3 -p 0"]
    selections = ["-f fluid.eps", "-f flag true", "-f nowhere"]
    commands = [(f"schema {layout} {selected}", exact) for layout, selected in product(layouts, selections)]
    assert differences(peer, ours, reference[0], commands) == []


def test_diff_when_of_any_jobs_then_equal_by_job(peer, ours, reference):
    directory, ids = reference
    commands = [(f"diff {selected}", by_job) for selected in SELECTIONS]
    commands += [(f"diff {' '.join(pair)}", exact) for pair in product(ids[:5], ids[-5:])]
    commands += [(f"diff {' '.join(ids[start : start + 7])}", exact) for start in range(0, len(ids), 3)]
    commands += [(f"diff {ids[0]}", exact), (f"diff {ids[0][:9]} {ids[1][:12]} {ids[0]}", exact)]
    assert differences(peer, ours, directory, commands) == []


def test_neighbors_when_keys_are_ignored_then_equal(peer, ours, tmp_path):
    ids = write(tmp_path, [job for job in REFERENCE if job[0]])  # what the empty state point does to them is listed
    ignored = ["", *(f"--ignore {keys}" for keys in ("const", "fluid.eps", "fluid.eps const", "nowhere"))]
    commands = [(f"neighbors {' '.join(ids)} {options}", exact) for options in [*ignored, "--ign=const"]]
    commands += [(f"neighbors {ids[4][:7]} {ids[2]} {ids[4]}", exact), ("neighbors", exact)]
    assert differences(peer, ours, tmp_path, commands) == []


MISTAKES = [
    *[f"{name} {job_id}" for name in ("statepoint", "document", "diff", "neighbors") for job_id in ("zz", "f" * 32)],
    *["schema -p", "schema -t x", "schema -r 0.5", "schema ID", "schema -f", "schema -j", "schema -j ID -f T"],
    *["schema -f a.$foo 1", "schema --zz 1", "diff --ignore T", "diff -p x -z", "diff -i 1.5 ID --zz", "diff -j"],
    *["neighbors ID --ignore", "neighbors ID -f", "neighbors ID --ignore fluid.name p T", "find -p -z", "find -f"],
    *["find a.$foo 1", "find '{\"a\": }'", "document -f '{\"a\"}'", "statepoint -x ID"],
]


def test_mistake_when_made_then_the_same_status_and_no_output(peer, ours, reference):
    directory, ids = reference
    commands = [(mistake.replace("ID", ids[0]), exact) for mistake in MISTAKES]
    assert differences(peer, ours, directory, commands) == []
    answers = ours.ask("run", directory=str(directory), commands=[shlex.split(command) for command, _ in commands])
    assert [
        mistake for mistake, answer in zip(MISTAKES, answers, strict=True) if answer["out"] or not answer["err"]
    ] == []
    assert {answer["status"] for answer in answers} == {1, 2}


# --- random projects -------------------------------------------------------------------------------------------------

words = st.sampled_from(["", "x", "y", "a b", "é", "2", "None", "'", '"', "long " * 20])
lists = st.sampled_from([[], [2], [3, 2], [2, 3, 4]])
single = st.one_of(
    st.lists(st.integers(-3, 12) | st.integers(), min_size=1, max_size=9, unique=True),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9, unique=True),
    st.lists(words, min_size=1, max_size=7, unique=True),
    st.lists(lists, min_size=1, max_size=4),
    st.sampled_from([[None], [True, False], [True]]),
)
numbers = st.sampled_from([-3, 2, 3, 10, 0.5, 2.5, 1e-7, 1e22, 1 / 3])
various = st.lists(numbers | words | lists | st.booleans() | st.none(), min_size=1, max_size=4, unique_by=json.dumps)
keys = st.sampled_from(["a", "b", "n.x", "n.y", "n.z.x", "two words", "é"])


@st.composite
def spaces(draw: st.DrawFn, columns: st.SearchStrategy[list[Any]]) -> list[Any]:
    """Jobs over few keys with few values, some of which lack keys."""
    chosen = draw(st.dictionaries(keys, columns, min_size=1, max_size=4))
    leaves = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in chosen.items()})
    points = draw(st.lists(leaves.filter(bool).map(nested), max_size=10, unique_by=json.dumps))
    return [(point, {"copy": point, "é": [point]}) for point in points]


def nested(leaves: dict[str, Any]) -> dict[str, Any]:
    """The state point of dotted keys."""
    point: dict[str, Any] = {}
    for key in sorted(leaves):
        *above, name = key.split(".")
        container = point
        for part in above:
            container = container.setdefault(part, {})
        container[name] = leaves[key]
    return point


@several(20)
@given(jobs=spaces(various))
def test_project_when_of_any_values_then_equal_but_for_the_order(peer, ours, tmp_path_factory, jobs):
    directory = tmp_path_factory.mktemp("project")
    ids = " ".join(write(directory, jobs))
    commands = [
        ("find -s -p9", by_job),
        ("find a ! -1 --sp", by_job),
        ("statepoint", by_line),
        ("document", by_line),
        (f"statepoint {ids} -p", exact if ids else by_job),
        ("diff", by_job),
        ("diff -f n", by_job),
        (f"diff {ids}", exact),
        (f"neighbors {ids}", exact),
        ("schema", by_type),
        ("schema -x -r 3 -p 2", by_type),
    ]
    assert differences(peer, ours, directory, commands) == []


@several(20)
@given(
    jobs=spaces(single),
    layouts=st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 5), st.integers(0, 9)), max_size=4),
)
def test_schema_when_each_key_has_one_type_then_equal(peer, ours, tmp_path_factory, jobs, layouts):
    directory = tmp_path_factory.mktemp("project")
    write(directory, jobs)
    commands = [
        "schema",
        "schema -x",
        "schema -t2",
        *("schema -t {} -p {} -r {}".format(*layout) for layout in layouts),
    ]
    assert differences(peer, ours, directory, [(command, exact) for command in commands]) == []


# --- what is meant to be better --------------------------------------------------------------------------------------


class Better(NamedTuple):
    """A difference: state points, a command in which ``A``, ``B``, ... are the ids of these, and both answers.

    An answer is the status and standard output, in which ids are replaced in the same way.
    """

    reason: str
    points: list[dict[str, Any]]
    command: str
    theirs: tuple[int, str]
    mine: tuple[int, str]


ONE, TWO = {"a": 1}, {"a": 2, "n": {"x": 1}}
SCHEMA = "{\n 'a': 'int([1], 1)',\n}\n"

BETTER = [
    Better(
        "1 and 1.0 are a difference",
        [{"a": 1}, {"a": 1.0}],
        "diff A B",
        (0, "A\n{}\nB\n{}\n"),
        (0, "A\n{'a': 1}\nB\n{'a': 1.0}\n"),
    ),
    Better(
        "diff prints to the depth that was asked for",
        [ONE, TWO],
        "diff A B -p 1",
        (0, "A\n{'a': 1}\nB\n{'a': 2, 'n': {'x': 1}}\n"),
        (0, "A\n{'a': 1}\nB\n{'a': 2, 'n': {...}}\n"),
    ),
    Better(
        "diff prints JSON when that was asked for",
        [{"a": True, "b": 3}, {"a": None}],
        "diff A B -i 1",
        (0, "A\n{'a': True, 'b': 3}\nB\n{'a': None}\n"),
        (0, 'A\n{\n "a": true,\n "b": 3\n}\nB\n{\n "a": null\n}\n'),
    ),
    Better(
        "state points with empty mappings can be compared",
        [{"a": {}}, {"a": 1}],
        "diff A B",
        (1, ""),
        (0, "A\n{'a': {}}\nB\n{'a': 1}\n"),
    ),
    Better(
        "a key may be a value in one job and a mapping in another",
        [ONE, {"a": {"x": 1}}],
        "schema -t 2",
        (0, "{'a': 'int([1], 1)'}\n"),
        (0, "{'a': 'int([1], 1)', 'a.x': 'int([1], 1)'}\n"),
    ),
    Better("ids may be shortened everywhere", [ONE, TWO], "schema -j 42b7", (0, "{\n}\n"), (0, SCHEMA)),
    Better("an unknown id is an error everywhere", [ONE, TWO], "schema -j A zz", (0, SCHEMA), (1, "")),
    Better("a negative number is a value", [{"a": -5}, ONE], "find a -5", (2, ""), (0, "A\n")),
    Better(
        "what is no number is not the value of an option",
        [ONE, TWO],
        "find -s a 1",
        (2, ""),
        (0, "A\n{'a': 1}\n{}\n"),
    ),
    Better("a wrong depth is told before the first job", [ONE], "find -s -p 0", (1, "A\n"), (2, "")),
    Better(
        "documents on one line are told from state points",
        [ONE],
        "find --sp --doc -1",
        (0, 'A\n42b7b4 sp \t{"a": 1}\n42b7b4 sp \t{}\n'),
        (0, 'A\n42b7b4 sp \t{"a": 1}\n42b7b4 doc\t{}\n'),
    ),
    Better(
        "nested keys are keys",
        [TWO],
        "find --sp n.x",
        (0, "A\n{}\n"),
        (0, "A\n{'n': {'x': 1}}\n"),
    ),
    Better(
        "an empty state point does not keep the others from having neighbors",
        [ONE, {}, {"a": 2}],
        "neighbors A",
        (1, ""),
        (0, "{'a': {2: 'C'}}\n"),
    ),
]


@pytest.mark.parametrize("case", BETTER, ids=lambda case: case.reason)
def test_difference_when_listed_as_meant_then_it_is_still_there(peer, ours, tmp_path, case):
    project = Project.init_project(str(tmp_path))
    names = {chr(ord("A") + index): project.open_job(point).init().id for index, point in enumerate(case.points)}
    command = [names.get(argument, argument) for argument in shlex.split(case.command)]
    answers = []
    for side in (peer, ours):
        (answer,) = side.ask("run", directory=str(tmp_path), commands=[command])
        for name, job_id in names.items():
            answer["out"] = answer["out"].replace(job_id, name)
        answers.append((answer["status"], answer["out"]))
    assert answers == [case.theirs, case.mine]
    assert case.theirs != case.mine
