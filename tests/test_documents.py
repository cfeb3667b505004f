"""What DESIGN.md, CONTRIBUTING.md and CITATION.cff say of the repository is true of it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from signac_core import __version__, init_project
from tests.faults.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent
FAULTS = ROOT / "tests" / "faults"
DOCUMENTS = ["README.md", "DESIGN.md", "CONTRIBUTING.md", "benchmarks/README.md"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the one table whose first line begins so."""
    (rows,) = re.findall(rf"^{re.escape(heading)}.*\n\|[-:|]*\n((?:\|.*\n)*)", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows.splitlines()]


def names_of_tests(path: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


# --- references ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_when_named_then_exist(name: str) -> None:
    text = read(name)
    named = re.findall(
        r"`((?:tests|tools|examples|man|completions|benchmarks|signac_core|signac_cli|ci|\.ci)/[/\w.-]*)`", text
    )
    assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_when_local_then_lead_to_a_file_and_to_a_heading_in_it(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", read(name)) if "://" not in link]
    assert links
    for link in links:
        path, _, heading = link.partition("#")
        target = (ROOT / name).parent / path
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)", target.read_text(encoding="utf-8"), flags=re.MULTILINE) if heading else []
        assert heading in ["", *(text.lower().replace(" ", "-") for text in headings)], link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_targets_of_make_when_named_then_are_in_the_makefile(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    commands = re.findall(r"(?:`|^    (?:\w+=\S+ )*)make ([^`\n#]*)", read(name), flags=re.MULTILINE)
    assert commands
    named = {word for command in commands for word in command.split() if "=" not in word}
    assert named <= targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_manual_pages_when_named_then_exist(name: str) -> None:
    pages = {path.name for path in (ROOT / "man").iterdir()}
    named = {f"{page}.{section}" for page, section in re.findall(r"\b(signac[a-z-]*)\((\d)\)", read(name))}
    assert named <= pages


@pytest.mark.parametrize("name", ["DESIGN.md", "CONTRIBUTING.md"])
def test_variables_when_named_then_are_in_the_manual(name: str) -> None:
    assert set(re.findall(r"\bSIGNAC_[A-Z_]+", read(name))) <= set(
        re.findall(r"\bSIGNAC_[A-Z_]+", read("man/signac.1"))
    )


def modules_of_the_tree(text: str) -> Iterator[str]:
    """The modules below ``signac_core/`` that the tree names: a line of a directory, or of modules and remarks."""
    (tree,) = re.findall(r"^signac_core/\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    directory = ""
    for line in tree.splitlines():
        indent = len(line) - len(line.lstrip())
        directory = directory if indent > 4 else ""
        if found := re.match(r" {4}(\w+/)", line):
            directory = found[1]
        yield from (directory + module for module in re.findall(r"\b\w+\.py(?=  |$)", line))


@pytest.mark.parametrize("name", ["DESIGN.md", "CONTRIBUTING.md"])
def test_modules_when_named_then_those_of_the_tree_or_of_the_other_packages(name: str) -> None:
    known = {module.rpartition("/")[2] for module in modules_of_the_tree(read("DESIGN.md"))}
    known |= {path.name for place in ("signac_cli", "benchmarks", "tests") for path in (ROOT / place).rglob("*.py")}
    assert set(re.findall(r"`(\w+\.py)`", read(name))) <= known | {"signac.py"}


def test_tree_of_the_library_when_compared_with_the_library_then_the_same() -> None:
    core = ROOT / "signac_core"
    present = {str(path.relative_to(core)) for path in core.rglob("*.py")}
    packages = {name for name in present if name.endswith("/__init__.py")}
    assert {name.partition("/")[0] for name in packages} == set(
        re.findall(r"^    (\w+)/", read("DESIGN.md").partition("signac_core/\n")[2].partition("```")[0], re.MULTILINE)
    )
    assert sorted(modules_of_the_tree(read("DESIGN.md"))) == sorted(present - packages)


# --- promises --------------------------------------------------------------------------------------------------------


def test_table_of_promises_when_it_names_scenarios_and_tests_then_these_exist() -> None:
    scenarios: set[str] = set()
    tests: set[str] = set()
    for _, named_scenarios, named_tests in table(read("DESIGN.md"), "| operation | scenarios"):
        scenarios.update(re.findall("`(.*?)`", named_scenarios))
        tests.update(re.findall("`(.*?)`", named_tests))
    assert scenarios == set(SCENARIOS)
    defined = set().union(*map(names_of_tests, [*FAULTS.glob("test_*_promises.py"), FAULTS / "test_promises.py"]))
    assert tests
    assert tests <= defined


def test_table_of_promises_when_compared_with_that_of_the_tests_then_of_the_same_operations() -> None:
    promised = [row[0] for row in table(read("DESIGN.md"), "| operation | killed")]
    tested = [row[0] for row in table(read("DESIGN.md"), "| operation | scenarios")]
    assert set(tested) - {"the rest"} == {name.replace("import, export to a directory", name) for name in promised}


def test_table_of_system_calls_when_compared_with_the_budgets_then_one_row_for_each_test() -> None:
    rows = table(read("DESIGN.md"), "| operation | calls")
    named = [re.fullmatch("`(.*)`", test)[1] for _, _, test in rows]  # type: ignore[index]
    settled = "test_reading_a_document_that_has_changed_today_takes_one_call_per_access_once_settled"
    assert {*named, settled} == names_of_tests(FAULTS / "test_budgets.py")
    words = {"one": 1, "three": 3, "four": 4, "six": 6, "ten": 10, "thirteen": 13}
    for _, calls, test in rows:
        stated = re.search(r"takes_(\w+?)_calls?(?:_per_access)?(?:_|$)", test.strip("`"))
        if stated and stated[1] in words and "more" not in test:
            assert calls.partition(":")[0].split()[0] == str(words[stated[1]]), test


def test_table_of_signac_2_when_compared_with_the_record_then_the_same() -> None:
    record = read("tests/faults/results/peer.md")
    theirs, ours = (
        [int(number) for number in re.findall(r"\d+", row.partition(program)[2])]
        for program in ("signac 2.4.1", "this project")
        for row in re.findall(rf"^\| \*\*all\*\* \| {program} .*", record, flags=re.MULTILINE)
    )
    rows = {title: (first, second) for title, first, second in table(read("DESIGN.md"), "| | signac 2.4.1")}
    titles = {
        "killed at so many points": 0,
        "half a job, a torn file, or visible litter": 1,
        "the next query or check fails": 3,
        "run again, the operation fails": 4,
        "run again, the work is not done": 5,
    }
    for title, column in titles.items():
        assert rows[title] == (f"{theirs[column]:,}", f"{ours[column]:,}")
    crowd = {row[0]: list(map(int, row[1:])) for row in table(record, "| program | steps")}
    columns = {
        "8 processes, 800 operations at once: lost keys of documents": (1,),
        "... jobs doubled, files of a job lost": (3, 4),
        "... operations that failed for no reason": (9,),
    }
    for title, places in columns.items():
        counts = [str(sum(crowd[program][place] for place in places)) for program in ("signac 2.4.1", "this project")]
        assert list(rows[title]) == counts
    assert rows.keys() == titles.keys() | columns.keys()


# --- examples of the manual pages that are about no single command ---------------------------------------------------


def examples(page: str) -> list[str]:
    """The programs in Python that a page shows."""
    blocks = re.findall(r"^(?: {4}.*\n)+", read(f"tools/pages/{page}.txt"), flags=re.MULTILINE)
    return [re.sub("^ {4}", "", block, flags=re.MULTILINE) for block in blocks]


def test_page_about_files_when_its_examples_run_then_they_do_what_it_says() -> None:
    project = init_project()
    job = project.open_job({"T": 1.5, "model": {"b": [1, None], "a": "ü"}}).init()
    identify, change = examples("signac-files.5")
    run = subprocess.run(
        [sys.executable, "-c", identify], cwd=job.path, capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == f"{job.id}\n"
    exec(change, {"project": project})
    assert [job.sp.seed for job in project] == [1]


# --- metadata --------------------------------------------------------------------------------------------------------


def test_citation_when_read_then_names_this_version_and_the_authors() -> None:
    metadata = tomllib.loads(read("pyproject.toml"))["project"]
    citation = dict(re.findall(r"^([a-z-]+): (.+)$", read("CITATION.cff"), flags=re.MULTILINE))
    assert citation["cff-version"] == "1.2.0"
    assert (citation["title"], citation["license"]) == (metadata["name"], metadata["license"])
    assert citation["version"] == __version__
    (author,) = metadata["authors"]
    assert f"authors:\n  - name: {author['name']}\n" in read("CITATION.cff")
    assert author["name"].removeprefix("The ") in read("LICENSE")
    keywords = re.findall(r"^  - ([^:\n]+)$", read("CITATION.cff"), flags=re.MULTILINE)
    assert keywords == metadata["keywords"]


def test_versions_of_python_when_listed_then_from_the_oldest_that_is_supported() -> None:
    metadata = tomllib.loads(read("pyproject.toml"))["project"]
    listed = [int(name) for name in re.findall(r":: 3\.(\d+)'", str(metadata["classifiers"]))]
    assert listed == list(range(11, 15))
    assert metadata["requires-python"] == f">=3.{listed[0]}"
