"""A short run of what `marathon.py` does for hours, and that it tells what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signac_core import cache
from signac_core.exchange.archives import ArchiveError
from signac_core.exchange.importing import plan_import
from signac_core.index import peer_cache
from tests.fuzz import marathon
from tests.fuzz.chance import Chance
from tests.fuzz.forgery import Forgery
from tests.fuzz.marathon import Outcome, run_share
from tests.fuzz.study import Study, Surface, expect
from tests.fuzz.surfaces import SURFACES


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with marathon.prepared(tmp_path_factory.mktemp("marathon")) as study:
        yield study


@pytest.mark.parametrize("name", SURFACES)
def test_each_surface_in_a_short_run(study, name):
    surface = SURFACES[name]
    cases = 50 if surface.restored else 100
    outcome = run_share(study, surface, range(cases))
    assert outcome.cases == cases
    assert outcome.refused < cases
    assert outcome.failures == []


# what goes wrong is told ----------------------------------------------------------------------------------------------


def planted(check: Callable[[Study, int], None], *refusals: type[Exception]) -> Surface:
    return Surface("planted", lambda study, chance: chance.randrange(4), check, refusals)


def fail(study: Study, number: int) -> None:
    expect(number != 3, "a wrong answer")


def break_down(study: Study, number: int) -> None:
    if number == 3:
        raise AttributeError("a mistake in the program")


def go_too_deep(study: Study, number: int) -> None:
    if number == 3:
        go_too_deep(study, number)


def hang(study: Study, number: int) -> None:
    if number == 3:
        os.kill(os.getpid(), signal.SIGALRM)


def take_all_memory(study: Study, number: int) -> None:
    if number == 3:
        bytes(1 << 29)


@pytest.mark.parametrize(
    ("check", "what"),
    [
        (fail, "a wrong answer"),
        (break_down, "AttributeError: a mistake"),
        (go_too_deep, "RecursionError"),
        (hang, "HangsError"),
        (take_all_memory, "MemoryError"),
    ],
)
def test_a_case_that_goes_wrong_is_told_with_its_seed_and_its_input(study, check, what):
    outcome = run_share(study, planted(check, RuntimeError), range(20))
    failed = [seed for seed in range(20) if Chance(seed).randrange(4) == 3]
    assert outcome.failed == len(failed) > 0
    assert f"surface 'planted', seed {failed[0]}: " in outcome.failures[0]
    assert what in outcome.failures[0]
    assert outcome.failures[0].endswith("input: 3\n")


def test_an_error_without_a_clear_message_is_no_refusal(study):
    def check(study: Study, number: int) -> None:
        raise {0: KeyError("a"), 1: ValueError("There is no a."), 2: IndexError("out of range")}.get(number, KeyError())

    outcome = run_share(study, planted(check, KeyError, ValueError), range(40))
    refused = sum(Chance(seed).randrange(4) == 1 for seed in range(40))
    assert (outcome.refused, outcome.failed) == (refused, 40 - refused)


@pytest.mark.parametrize(
    ("check", "what"),
    [
        (lambda study, number: (study.place / "canary" / "file").read_bytes(), "opened: ['open "),
        (lambda study, number: os.listdir("/etc/."), "opened: ['os.listdir "),
        (lambda study, number: (study.place / "new").touch(), "around the study was changed"),
        (lambda study, number: (study.root / "workspace" / study.ids[0] / "new").touch(), "the study was changed"),
    ],
)
def test_what_is_not_left_alone_is_told_with_its_batch(study, check, what):
    outcome = run_share(study, planted(check), range(7, 10))
    for path in (study.place / "new", study.workspace / study.ids[0] / "new"):
        path.unlink(missing_ok=True)
    assert outcome.failed == 1
    assert all("surface 'planted', seed 7-9: " in failure and what in failure for failure in outcome.failures)


def test_one_case_again_from_the_command_line_and_counts(study, monkeypatch, capsys, tmp_path):
    options = {"--only": "^ids", "--seed": "5", "--cases": "2", "--processes": "1"}
    monkeypatch.setattr(
        "sys.argv", ["marathon.py", "--write", *(word for option in options.items() for word in option)]
    )
    monkeypatch.setattr(marathon, "RESULTS", tmp_path)
    assert marathon.main() == 0
    assert "| ids | 2 | 0 | 0 | 0 |" in capsys.readouterr().out
    assert "| ids | 2 | 0 | 0 | 0 |" in (tmp_path / "marathon.md").read_text()
    options["--only"] = "^filter JSON"
    monkeypatch.setattr(
        "sys.argv", ["marathon.py", "--write", *(word for option in options.items() for word in option)]
    )
    assert marathon.main() == 0
    measured = json.loads((tmp_path / "marathon.json").read_text())
    assert [(name, row["first seed"], row["cases"]) for name, row in measured.items()] == [
        ("filter JSON", 5, 2),
        ("ids", 5, 2),
    ]


def test_a_run_with_a_failure_ends_with_status_1(monkeypatch, capsys):
    outcome = Outcome("ids", 0, cases=2)
    outcome.fail("1", "a wrong answer")
    monkeypatch.setattr("sys.argv", ["marathon.py"])
    monkeypatch.setattr(marathon, "carry_out", lambda *arguments: iter([Outcome("ids", 0, cases=2), outcome]))
    assert marathon.main() == 1
    out = capsys.readouterr().out
    assert "FAILED: surface 'ids', seed 1: a wrong answer" in out
    assert "| ids | 4 | 0 | 0 | 1 |" in out


# what was found by it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["w", "w:gz"])
@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("attribute", ["GNU.sparse.size", "GNU.sparse.map"])
def test_a_tar_file_with_an_attribute_that_should_be_a_number_is_refused(study, kind, members, attribute):
    path: Path = study.scratch / "origin"
    with tarfile.open(path, kind, format=tarfile.PAX_FORMAT) as archive:
        for number in range(members):
            info = tarfile.TarInfo(str(number))
            info.pax_headers = {attribute: ".."} if number == members - 1 else {}
            archive.addfile(info)
    with pytest.raises(ArchiveError, match="origin"), plan_import(study.project().space, path):
        pass


@pytest.mark.parametrize(("offset", "length"), [(20, 4), (28, 2)])
def test_a_zip_file_whose_member_is_longer_than_the_file_or_has_no_name_is_refused(study, offset, length):
    path: Path = study.scratch / "origin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "x")
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\1\2") + offset
    data[start : start + length] = b"\xff\xff\xff\x7f" if length == 4 else b"\0\0"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="origin"), plan_import(study.project().space, path):
        pass


@pytest.mark.parametrize("name", ["index", "index.delta"])
def test_an_index_that_does_not_remember_the_cache_file_does_not_stop_its_update(study, name):
    table = Forgery(study.root / ".signac" / name)
    del table.directory["about"]["cache"]
    table.write()
    cache.update_cache(study.project().space)
    assert peer_cache.read_cache(study.project().space) == study.truth.whole
    study.restore()
