"""Input that means harm: nothing breaks or hangs, nothing is read or written beside project and target."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import struct
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from signac_cli import complete
from signac_core import Project, catalog, stamps
from signac_core.exchange import unpacking
from signac_core.layout import is_job_id
from tests.fuzz.chance import Chance, seeds
from tests.fuzz.damages import DERIVED, content
from tests.fuzz.forgery import Forgery, forge, twisted
from tests.fuzz.limits import limited
from tests.support.patches import for_some_cases
from tests.support.running import InProcess, Result

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
    private = (str(place / "canary"), str(around / "canary"), "/etc/passwd")
    assert not [path for path in opened if path.startswith(private)]


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

KEYS = (
    "a",
    "n.b",
    "n",
    "name",
    "doc.energy",
    "doc.tags",
    "doc",
    "sp",
    "sp.a",
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "zz",
    "é",
    "\ud800",
)
OPERATORS = (
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "~",
    "==",
    "!",
    "=~",
    ".$gt",
    ".$in",
    ".$near",
    ".$type",
    ".$where",
    ".$",
    "$",
    "$or",
)
VALUES = (
    "1", "-1", "1e400", "nan", "inf", "0x10", "1_000", "!", "/a/", "//", "/(/", "[1,2]", "[", "{}", '{"$gt": 1}',
    '"a"', '"', "true",
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
    "a", "n.b", "n", "doc.energy", "doc", "sp", "$and", "$or", "$not", "a.$gt", "$gt", "$in", "$nin", "$exists",
    "$regex", "$type",
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
    "..", "/", "../", ".", "canary", "workspace", "workspace/", "study", "0" * 32, "0" * 31, "f", "9bfd", "*", "~",
    "\n", "\0", " ",
    "A" * 32, "-", "--", "", "x" * 5000, "é", ".signac-rm-", "/etc/passwd", "%s", "{}", "signac_statepoint.json",
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(100))
def test_ids(cli, place, seed):
    chance = Chance(seed)
    existing = sorted(name for name in os.listdir("workspace") if name[0] != ".")
    pieces = (*ID_PIECES, chance.choice(existing), chance.choice(existing)[:8], str(place), f"{place}/study/workspace/")
    texts = [chance.pieces(pieces, 5) for _ in range(chance.randrange(1, 4))]
    command = chance.choice(
        [["statepoint"], ["document"], ["diff"], ["neighbors"], ["rm"], ["rm", "-c"], ["find", "-j"], ["document",
        "--set", "x=1"],
         ["clone", "../target"], ["move", "../target"], ["export", "../target", "-j"], ["schema", "-j"], ["sync",
         "../target", "-j"]]
    )  # fmt: skip
    Project.init_project(place / "target")
    with left_alone(place, "target"):
        if chance.chance(0.5) or any("\0" in text for text in texts):
            run(cli, [*command, "-"], stdin=chance.choice(["\n", "\0", " "]).join(texts))
        else:
            run(cli, [*command, *texts])


# path templates and schemas -------------------------------------------------------------------------------------------

TEMPLATE_PIECES = (
    "{a}", "{n.b}", "{n[b]}", "{name}", "{job.id}", "{job.sp.a}", "{job.doc.energy}", "{job}", "{{auto}}",
    "{{auto:_}}", "{{", "}}",
    "{", "}", "/", "../", "/../", ".", "a", "é", "\n", "{a:d}", "{a:>5}", "{a:1000000000}", "{a:{name}}", "{a!r}",
    "{name:0<9999999999}",
    "{job.project.path}", "{job.__class__}", "{job._project}", "{a.__class__}", "{0}", "{}", "{a:.3f}", "{job.sp}",
    "{job.doc}",
    "{job.path}", "{job.remove}", "{n}", "{job.project}", "{job.doc.tags[1].y}", "~", " ", "x" * 300, "{a:x<255}",
    "\ud800",
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


FORMAT_PIECES = (
    *TEMPLATE_PIECES,
    "{id}",
    "{path}",
    "{sp.a}",
    "{doc.tags}",
    "{sp}",
    "{doc}",
    "{id:.4}",
    "{sp.a:,}",
    "{sp.name:%Y}",
    "\\t",
    "\\n",
    "{id:>99999}",
    "{sp.a:.999999999f}",
)


@pytest.mark.parametrize("seed", seeds(100))
def test_templates_of_output(cli, place, seed):
    with left_alone(place):
        run(cli, ["find", "--format", Chance(seed).pieces(FORMAT_PIECES)])


SCHEMA_PIECES = (
    "{a}", "{a:int}", "{b:float}", "{c:bool}", "{d:str}", "{e:path}", "{n.b}", "{n.c:int}", "{n}", "{}", "{", "}",
    "/", "_", "a", "..",
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


@pytest.mark.parametrize(
    "schema", ["{a}_{b}_{c}_{d}_{e}_{f}", "{a}{b}{c}{d}{e}{f}{g}", "{a:int}{b:float}{c:int}{d:float}{e:int}x"]
)
@pytest.mark.parametrize("name", ["_".join("x" * 120) + "-", "1" * 250 + "-", "x" * 250 + "-"])
def test_a_schema_that_could_match_in_very_many_ways(cli, place, schema, name):
    (place / "origin" / name).mkdir(parents=True)
    run(cli, ["import", "../origin", schema])


# archives -------------------------------------------------------------------------------------------------------------

NAME_PIECES = (
    "a", "b/", "/", "../", "..", "./", ".", "workspace/", "signac_statepoint.json", "/signac_statepoint.json", "é",
    "\\", "C:", " ",
    "\n", "x" * 300, "x/" * 300, "signac_job_document.json", ".signac-new-x", "._0123456789abcdef_x", "canary", "-",
    "0" * 32,
)  # fmt: skip
TARGETS = (
    "a",
    "../a",
    "/etc/passwd",
    "../../../canary/file",
    ".",
    "..",
    "",
    "a/../..",
    "signac_statepoint.json",
    "x" * 5000,
)


def zip_file(path: Path, chance: Chance) -> None:
    with zipfile.ZipFile(path, "w", chance.choice([0, zipfile.ZIP_DEFLATED])) as archive:
        for _ in range(chance.randrange(5)):
            info = zipfile.ZipInfo(chance.pieces(NAME_PIECES, 5) or "a")
            info.external_attr = chance.choice(
                [0, 0, 0o100644 << 16, 0o120777 << 16, 0o010644 << 16, 0o040755 << 16, 0x10]
            )
            info.compress_type = archive.compression
            archive.writestr(info, _member(chance))
    path.write_bytes(chance.mutated(path.read_bytes()) if chance.chance(0.4) else path.read_bytes())


def tar_file(path: Path, chance: Chance) -> None:
    kind = chance.choice(["w", "w:gz", "w:bz2", "w:xz"])
    form = chance.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    with tarfile.open(path, kind, format=form) as archive:
        for _ in range(chance.randrange(5)):
            info = tarfile.TarInfo(chance.pieces(NAME_PIECES, 5))
            info.type = chance.choice([*[tarfile.REGTYPE] * 4, *tarfile.SUPPORTED_TYPES])
            info.linkname = chance.choice(TARGETS)
            info.mode, info.mtime = chance.choice([0o644, 0, 0o7777, 0o777]), chance.choice([0, 1e9, -1, 2**33])
            if form == tarfile.PAX_FORMAT and chance.chance(0.3):
                info.pax_headers = {
                    chance.choice(
                        ["path", "size", "linkpath", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.major", "x"]
                    ): (chance.choice([*NAME_PIECES, "-1", "1", "9" * 30, "1,2,3", "x" * 100_000]))
                }
            content = _member(chance) if info.isreg() else b""
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(chance.mutated(path.read_bytes()) if chance.chance(0.4) else path.read_bytes())


def _member(chance: Chance) -> bytes:
    return chance.choice([b"", b"{}", b'{"a": 0}', b'{"b": "../x"}', b"x", chance.json_text(), b"[" * 100_000])


@pytest.mark.parametrize("seed", seeds(100))
def test_archives(cli, place, seed):
    chance = Chance(seed)
    path = place / "origin"
    with (
        suppress(ValueError, OverflowError, struct.error),
        warnings.catch_warnings(action="ignore"),
    ):  # some cannot be made
        chance.choice([zip_file, tar_file, tar_file])(path, chance)
    with left_alone(place, "origin"):
        options = chance.choice([[], [], ["--skip-existing"], ["--sync"], ["-n"], ["--json"]])
        run(cli, ["import", *options, "../origin", *chance.choice([[], [], ["{a}/{b}"], ["{a}"]])])
        assert run(cli, ["check"]).status in (0, 3)
    assert not [name for name in os.listdir("workspace") if name.startswith((".signac-new", ".signac-rm"))]
    for path in Path("workspace").rglob("*"):
        assert place / "study" in path.resolve().parents


def bomb_of_zeros(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a/data", "w", force_zip64=True) as member,
    ):
        for _ in range(20):
            member.write(bytes(1 << 20))
        member.close()
        archive.writestr("a/signac_statepoint.json", "{}")


def bomb_of_state_points(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            archive.writestr(f"{number}/signac_statepoint.json", b'{"a": "' + bytes(1 << 18))


def bomb_of_descriptions(path: Path) -> None:
    header = tarfile.TarInfo("x").tobuf()
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 8 << 20
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(info.tobuf())
        for _ in range(8):
            file.write(b"x" * (1 << 20))
        file.write(header)


def bomb_of_attributes(path: Path) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as archive:
        for number in range(400):
            info = tarfile.TarInfo(f"{number}")
            info.pax_headers = {"comment": "x" * 50_000}
            archive.addfile(info)


def bomb_of_directories(path: Path) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in range(50):
            archive.addfile(tarfile.TarInfo(f"{number}/" + "x" * 240 + "/a" * 200))


def bomb_of_a_deep_name(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/" * 30_000 + "x", "")


BOMBS = [
    bomb_of_zeros, bomb_of_state_points, bomb_of_descriptions, bomb_of_attributes, bomb_of_directories,
    bomb_of_a_deep_name,
]  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_archives_that_would_fill_the_memory_or_the_disk_are_refused(cli, place, bomb, monkeypatch):
    small = unpacking.Limits(
        1 << 24, ratio=25, state_point=1 << 19, state_points=1 << 22, overhead=1 << 22, names=1 << 20
    )
    with for_some_cases():  # some are refused before anything is counted
        monkeypatch.setattr(unpacking, "Limits", lambda: small)
    bomb(place / "origin")
    with left_alone(place, "origin"):
        result = run(cli, ["import", "../origin", "{a}/{b}"])
    assert (result.status, result.out) == (1, "")
    assert "is refused" in result.err


# configuration --------------------------------------------------------------------------------------------------------

CONFIG_PIECES = (
    "schema_version = 2\n", "schema_version = 2\n", "schema_version = 3\n", "schema_version = x\n",
    "schema_version = 1, 2\n",
    "[s]\n", "[[t]]\n", "[", "]", "a = b\n", "a = 'b\n", 'a = """b\n', "a = %(a)s\n", "a = $HOME\n", "=\n", "a\n",
    "#", "\0", "\r\n",
    "\ufeff", "é = é\n", "durable = yes\n", "x" * 5000, "[" * 1000, "a = " + "b, " * 1000, "workspace_dir = /etc\n",
    " \t",
    "schema_version = " + "9" * 5000 + "\n", "schema_version = 2_0\n", "schema_version = \u0662\n",
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(60))
def test_configuration_files(cli, place, seed):
    chance = Chance(seed)
    for path in (place / "study" / ".signac" / "config", Path(os.environ["HOME"], ".signacrc")):
        if chance.chance(0.7):
            text = (chance.choice(CONFIG_PIECES[:2]) + chance.pieces(CONFIG_PIECES)).encode()
            path.write_bytes(chance.mutated(text) if chance.chance(0.3) else text)
    with left_alone(place):
        for arguments in (["find"], ["config", "show"], ["config", "verify"], ["status"], ["migrate", "-n"], ["init"]):
            run(cli, arguments)


CONFIG_KEYS = ("a", "s.a", "a.b.c", "", ".", "a.", "[s]", "a=b", "x", "é", "\n", "a b", "#", "'", "x" * 5000, "-", "a]")
CONFIG_VALUES = (
    "1",
    "",
    "a, b",
    "'",
    '"',
    "\n",
    "#",
    "a # b",
    "%(x)s",
    "[s]",
    "é",
    "\r",
    "\u2028",
    "\x85",
    " ",
    "'''",
    '"""',
    "\\",
    "-x",
)


@pytest.mark.parametrize("seed", seeds(60))
def test_keys_and_values_of_the_configuration(cli, place, seed):
    chance = Chance(seed)
    with left_alone(place):
        for _ in range(4):
            key = ".".join(chance.choices(CONFIG_KEYS, k=chance.choice([1, 1, 2])))
            values = chance.choices(CONFIG_VALUES, k=chance.choice([1, 1, 2]))
            if run(cli, ["config", "set", "--", key, *values]).status == 0:
                assert run(cli, ["config", "show", "--", key]).status == 0
            run(
                cli,
                chance.choice([["config", "show", "--", key], ["config", "unset", "--", key], ["config", "verify"]]),
            )
    assert run(cli, ["find"]).status == 0


# cache and index ------------------------------------------------------------------------------------------------------

WITH_INDEX = [
    ["find"], ["find", "a>=0"], ["find", "n.b=1"], ["find", "doc.energy<0"], ["find", '{"$not": {"n": {}}}'],
    ["schema"],
    ["schema", "-x"], ["status"], ["update-cache"], ["find", "--count"], ["diff"], ["find", "--sort", "sp.n.b",
    "--json"],
    ["update-cache", "--check"], ["check"], ["neighbors", "9bfd"], ["rm", "-n", "--filter", "a=0"], ["statepoint"],
]  # fmt: skip


@pytest.mark.parametrize("seed", seeds(60))
def test_cache_files(cli, place, seed):
    chance = Chance(seed)
    path = place / "study" / ".signac" / "statepoint_cache.json.gz"
    text = json.dumps(twisted(json.loads(gzip.decompress(path.read_bytes())), chance)).encode()
    pieces = chance.choice([[text], [text[:5], text[5:]], [chance.mutated(text)]])
    data = b"".join(map(gzip.compress, pieces))
    path.write_bytes(chance.mutated(data) if chance.chance(0.3) else data)
    if chance.chance(0.5):
        (place / "study" / ".signac" / "index").unlink()
    before = run(cli, ["find", "--json"]).out
    with left_alone(place):
        for arguments in chance.sample(WITH_INDEX, 4):
            run(cli, arguments)
    assert run(cli, ["find", "--json"]).out == before
    kinds = {problem["kind"] for problem in json.loads(run(cli, ["check", "--json"]).out)["jobs"]}
    assert kinds <= {"wrong-cache", "stray-entry"}
    run(cli, ["update-cache"])
    assert run(cli, ["check"]).status == 0


def test_cache_files_that_would_fill_the_memory(cli, place):
    path = place / "study" / ".signac" / "statepoint_cache.json.gz"
    for data in (
        gzip.compress(bytes(1 << 27)),
        gzip.compress(b"[" + bytes(1 << 20)) * 1000,
        gzip.compress(b"") * 100_000,
        gzip.compress(b"[" * (1 << 25)),
    ):
        path.write_bytes(data)
        assert run(cli, ["status"]).status == 0
        assert run(cli, ["update-cache"]).status == 0
        assert path.stat().st_size < 1000


@pytest.mark.parametrize("seed", seeds(150))
def test_indexes_with_right_checksums(cli, place, seed, monkeypatch, capfdbinary):
    chance = Chance(seed)
    with for_some_cases():
        monkeypatch.setattr(catalog, "MANY_FILES", 0)
    root = place / "study"
    files = [name for name in DERIVED[:3] if (root / ".signac" / name).exists()]
    assert len(files) == 3
    if chance.chance(0.7):  # an index that is believed to be up to date
        for name in files[:2]:
            table = Forgery(root / ".signac" / name)
            table.directory["about"]["signature"] = stamps.directory_signature(str(root / "workspace"))
            table.write()
    forge(root / ".signac" / chance.choice(files), chance)
    with left_alone(place):
        for arguments in chance.sample(WITH_INDEX, 6):
            run(cli, arguments)
        assert all(map(is_job_id, run(cli, ["find"]).lines))
        for kind, word in (("ids", ""), ("keys", ""), ("filter", "a="), ("filter", "doc.energy=")):
            with limited(20, MEMORY):
                assert complete.main([kind, "--", word]) == 0


def test_an_index_of_jobs_that_do_not_exist(cli, place):
    """Of constant values a table may say in very few bytes that very many rows have them."""
    table = Forgery(place / "study" / ".signac" / "index")
    rows, block = 50_000, 4096
    sizes = [block] * (rows // block) + [rows % block]
    keys = [f"k{number}" for number in range(5_000)]
    column = table.add_json([[2, None, None, 1, rows, 3, *table.add(b"[0]")]])
    shapes = json.dumps([dict.fromkeys(keys, 0)]).encode()
    table.directory |= {
        "rows": rows,
        "ids": [table.add(os.urandom(16 * size)) for size in sizes],
        "keys": dict.fromkeys(keys, column),
        "shapes": table.add_json([[2, None, None, 1, rows, len(shapes), *table.add(shapes)]]),
    }
    table.write()
    for arguments in WITH_INDEX:
        run(cli, arguments)
    assert set(run(cli, ["find"]).lines) == {name for name in os.listdir("workspace") if is_job_id(name)}


# HDF5 -----------------------------------------------------------------------------------------------------------------

H5_PIECES = ("a", "/", "..", ".", "", "é", "\0", "\ud800", "canary", "_", "keys", " ", "x" * 300, "job", "-", "\n")


@pytest.mark.parametrize("seed", seeds(10))
def test_keys_of_hdf5_files(place, seed):
    chance = Chance(seed)
    job = next(iter(Project(str(place / "study"))))
    expected = (KeyError, ValueError, TypeError, OSError, RuntimeError, UserWarning)
    with left_alone(place), limited(20, 4 * MEMORY):
        for _ in range(4):
            key, name = chance.pieces(H5_PIECES, 4), chance.pieces(H5_PIECES, 3)
            with suppress(*expected):
                job.data[key] = chance.value()
                assert key in job.data
            with suppress(*expected):
                job.stores[name][key] = 1
            with suppress(*expected):
                del job.stores[name]
            with suppress(*expected):
                job.data.pop(key)
    with left_alone(place), suppress(*expected):
        Path(job.fn("signac_data.h5")).write_bytes(chance.mutated(chance.randbytes(100)))
        dict(job.data)
