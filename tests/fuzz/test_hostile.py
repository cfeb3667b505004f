"""Input that means harm: nothing breaks, nothing hangs, nothing is read or written beside the project and the target."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chance import Chance, seeds
from damages import content
from limits import limited
from running import InProcess, Result

from signac_core import Project

MEMORY = 1 << 28

# what is around the project -------------------------------------------------------------------------------------------

_opened: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir", "os.readlink"):
        path = arguments[0]
        if isinstance(path, (str, bytes)):
            _opened.append(os.path.realpath(os.path.join(os.getcwd(), os.fsdecode(path))))


sys.addaudithook(_note)


@pytest.fixture
def place(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a study, which is the working directory, and with things that are none of anybody's business."""
    place = tmp_path / "place"
    shutil.copytree(sound, place / "study", symlinks=True)
    for directory in (place / "canary", place / "canary" / "workspace" / ("0" * 32), tmp_path / "canary"):
        directory.mkdir(parents=True)
        for name in ("signac_statepoint.json", "signac_job_document.json", "file"):
            (directory / name).write_text('{"canary": 1}')
    monkeypatch.chdir(place / "study")
    return place


@contextmanager
def left_alone(place: Path, *apart: str) -> Iterator[None]:
    """Nothing around the study is read, listed or changed, apart from what is named."""
    global _opened
    around = place.parent
    names = {"study", *apart}

    def surroundings() -> dict[str, tuple[Any, ...]]:
        inside = tuple(f"{place.name}/{name}" for name in names)
        return {path: what for path, what in content(around).items() if not path.startswith(inside)}

    before = surroundings()
    _opened = []
    try:
        yield
    finally:
        opened, _opened = _opened, None
    assert surroundings() == before
    assert not [path for path in opened if "canary" in path]


def run(cli: InProcess, arguments: Sequence[str], stdin: str = "") -> Result:
    """Run a command that may refuse its arguments, but not break."""
    with limited(20, MEMORY):
        result = cli(*arguments, stdin=stdin)
    told = f"{arguments!r} {stdin[:200]!r}: {result}"[:3000]
    assert result.status in (0, 1, 2, 3), told
    assert "Traceback" not in result.err, told
    assert "--debug shows where" not in result.err, told
    assert "enough memory" not in result.err, told
    return result


# filters --------------------------------------------------------------------------------------------------------------

KEYS = ("a", "n.b", "n", "name", "doc.energy", "doc.tags", "doc", "sp", "sp.a", "", ".", "a.", ".a", "a..b", "zz", "é", "\ud800")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~", "==", "!", "=~", ".$gt", ".$in", ".$near", ".$type", ".$where", ".$", "$", "$or")
VALUES = (
    "1", "-1", "1e400", "nan", "inf", "0x10", "1_000", "!", "/a/", "//", "/(/", "[1,2]", "[", "{}", '{"$gt": 1}', '"a"', '"', "true",
    "null", "None", "9" * 5000, "٣", "\0", "\n", " ", "-", "--", "--json", "@", "x" * 10_000, "[" * 2000 + "]" * 2000,
)  # fmt: skip


def tokens(chance: Chance) -> list[str]:
    """Tokens that are nearly a filter."""
    found = []
    for _ in range(chance.randrange(1, 5)):
        key, operator, value = chance.choice(KEYS), chance.choice(OPERATORS), chance.choice(VALUES)
        found += chance.choice([[key + operator + value], [key, value], [key + operator, value], [value], [key]])
    return found


@pytest.mark.parametrize("seed", seeds(100))
def test_filter_tokens(cli, place, seed):
    with left_alone(place):
        run(cli, ["find", *tokens(Chance(seed))])


FILTER_KEYS = (
    "a", "n.b", "n", "doc.energy", "doc", "sp", "$and", "$or", "$not", "a.$gt", "$gt", "$in", "$nin", "$exists", "$regex", "$type",
    "$near", "$where", "a.$where", "a.$x", "$", ".", "", "a.b.c.d.e", "\ud800",
)  # fmt: skip


def filter_tree(chance: Chance, depth: int = 4) -> Any:
    """JSON that is nearly a filter."""
    kind = chance.randrange(6) if depth else 5
    if kind < 3:
        return {chance.choice(FILTER_KEYS): filter_tree(chance, depth - 1) for _ in range(chance.randrange(1, 4))}
    if kind == 3:
        return [filter_tree(chance, depth - 1) for _ in range(chance.randrange(4))]
    return chance.choice([*Chance.NUMBERS, "int", "a", "x+", "(", "lambda x: 1", None, "../x", [0, 1e-9]])


@pytest.mark.parametrize("seed", seeds(100))
def test_filters_in_json(cli, place, seed):
    text = json.dumps(filter_tree(Chance(seed)))
    with left_alone(place):
        run(cli, ["find", text])
        run(cli, ["document", "-f", text, "--set", "x=1", "-n"])
        assert not run(cli, ["find", json.dumps({"$or": [{"a.$where": "__import__('os').mkdir('../canary/x')"}]})]).out


# state points ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", seeds(100))
def test_state_points(cli, place, seed):
    chance = Chance(seed)
    text = chance.json_text()
    text = chance.mutated(text) if chance.chance(0.5) else text
    with left_alone(place):
        argument = text.decode("utf-8", "replace").replace("\0", "")
        result = run(cli, ["job", *chance.sample(["-c", "-p", "--json"], 1), "--", argument])
        more = run(cli, ["job", "-c"], stdin=text.decode("utf-8", "replace"))
        listed = set(run(cli, ["find"]).lines)
        run(cli, ["document", "--set", argument, "--set", f"k={argument}", "--unset", argument, "-f", "a>=0"])
    assert not more.status or listed
    assert run(cli, ["check"]).status == 0, result


# ids ------------------------------------------------------------------------------------------------------------------

ID_PIECES = (
    "..", "/", "../", ".", "canary", "workspace", "workspace/", "study", "0" * 32, "0" * 31, "f", "9bfd", "*", "~", "\n", "\0", " ",
    "A" * 32, "-", "--", "", "x" * 5000, "é", ".signac-rm-", "/etc/passwd", "%s", "{}", "signac_statepoint.json",
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(100))
def test_ids(cli, place, seed):
    chance = Chance(seed)
    existing = sorted(name for name in os.listdir("workspace") if name[0] != ".")
    pieces = (*ID_PIECES, chance.choice(existing), chance.choice(existing)[:8], str(place), f"{place}/study/workspace/")
    texts = [chance.pieces(pieces, 5) for _ in range(chance.randrange(1, 4))]
    command = chance.choice(
        [["statepoint"], ["document"], ["diff"], ["neighbors"], ["rm"], ["rm", "-c"], ["find", "-j"], ["document", "--set", "x=1"],
         ["clone", "../target"], ["move", "../target"], ["export", "../target", "-j"], ["schema", "-j"], ["sync", "../target", "-j"]]
    )  # fmt: skip
    Project.init_project(place / "target")
    with left_alone(place, "target"):
        if chance.chance(0.5) or any("\0" in text for text in texts):
            run(cli, [*command, "-"], stdin=chance.choice(["\n", "\0", " "]).join(texts))
        else:
            run(cli, [*command, *texts])


# path templates and schemas -------------------------------------------------------------------------------------------

TEMPLATE_PIECES = (
    "{a}", "{n.b}", "{n[b]}", "{name}", "{job.id}", "{job.sp.a}", "{job.doc.energy}", "{job}", "{{auto}}", "{{auto:_}}", "{{", "}}",
    "{", "}", "/", "../", "/../", ".", "a", "é", "\n", "{a:d}", "{a:>5}", "{a:1000000000}", "{a:{name}}", "{a!r}", "{name:0<9999999999}",
    "{job.project.path}", "{job.__class__}", "{job._project}", "{a.__class__}", "{0}", "{}", "{a:.3f}", "{job.sp}", "{job.doc}",
    "{job.path}", "{job.remove}", "{n}", "{job.project}", "{job.doc.tags[1].y}", "~", " ", "x" * 300, "{a:x<255}", "\ud800",
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(100))
def test_path_templates(cli, place, seed):
    chance = Chance(seed)
    template = chance.pieces(TEMPLATE_PIECES)
    with left_alone(place, "target", "view"):
        run(cli, ["export", "../target", "--", template])
        run(cli, ["view", "-p", "../view", "--", template])
        run(cli, ["export", "../target.tar", "-n", "--", template])
    for target in ("target", "view"):
        for path in (place / target).rglob("*"):
            assert place / target in path.parents


FORMAT_PIECES = (*TEMPLATE_PIECES, "{id}", "{path}", "{sp.a}", "{doc.tags}", "{sp}", "{doc}", "{id:.4}", "{sp.a:,}", "{sp.name:%Y}", "\\t", "\\n", "{id:>99999}", "{sp.a:.999999999f}")


@pytest.mark.parametrize("seed", seeds(100))
def test_templates_of_output(cli, place, seed):
    with left_alone(place):
        run(cli, ["find", "--format", Chance(seed).pieces(FORMAT_PIECES)])


SCHEMA_PIECES = (
    "{a}", "{a:int}", "{b:float}", "{c:bool}", "{d:str}", "{e:path}", "{n.b}", "{n.c:int}", "{n}", "{}", "{", "}", "/", "_", "a", "..",
    "../", ".", "(", "[", "\\", "*", "+", "{a.b.c}", "{.}", "{a..b}", "é", "\n",
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(100))
def test_schemas_of_imports(cli, place, seed):
    chance = Chance(seed)
    for _ in range(3):
        name = "/".join(chance.text("ab_12.+-", 12) or "x" for _ in range(3))
        (place / "origin" / name).mkdir(parents=True, exist_ok=True)
    with left_alone(place, "origin"):
        run(cli, ["import", "../origin", "--", chance.pieces(SCHEMA_PIECES)])
        assert run(cli, ["check"]).status == 0


@pytest.mark.parametrize("schema", ["{a}_{b}_{c}_{d}_{e}_{f}", "{a}{b}{c}{d}{e}{f}{g}", "{a:int}{b:float}{c:int}{d:float}{e:int}x"])
@pytest.mark.parametrize("name", ["_".join("x" * 120) + "-", "1" * 250 + "-", "x" * 250 + "-"])
def test_a_schema_that_could_match_in_very_many_ways(cli, place, schema, name):
    (place / "origin" / name).mkdir(parents=True)
    run(cli, ["import", "../origin", schema])
