from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import Path

import pytest

from signac_core import Project, sync
from signac_core.job import Job
from signac_core.sync import work
from tests.support.running import on_terminal, snapshot

DOCUMENT, PROJECT_DOCUMENT = "signac_job_document.json", "signac_project_document.json"
NEW, OLD = 2_000_000_000, 1_000_000_000


@pytest.fixture
def source() -> Project:
    return Project.init_project("../source")


@pytest.fixture
def destination() -> Project:
    """The project of the working directory."""
    return Project.init_project()


def job(project: Project, a: int, files: dict[str, str] | None = None, *, time: int = OLD, **document: object) -> Job:
    """A job with files and a document."""
    made = project.open_job({"a": a}).init()
    for name, text in (files or {}).items():
        path = Path(made.fn(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time, time))
    if document:
        made.doc.update(document)
    return made


def read(project: Project, a: int, name: str) -> str | None:
    path = Path(project.open_job({"a": a}).fn(name))
    return path.read_text() if path.exists() else None


@pytest.fixture
def busy(source: Project, destination: Project) -> list[str]:
    """Ids of three jobs: one to update, one that is equal, one to clone; without conflicts."""
    both = {"same.txt": "same"}
    ids = [
        job(source, 0, both | {"new.txt": "new", "sub/deep.txt": "deep"}, energy=1, n={"x": 1}).id,
        job(source, 1, both).id,
        job(source, 2, both | {"sub/deep.txt": "deep"}, energy=3).id,
    ]
    job(destination, 0, both, n={"y": 2})
    job(destination, 1, both)
    source.doc.author = "me"
    return ids


@pytest.fixture
def torn(source: Project, destination: Project) -> list[str]:
    """Ids of two jobs that both sides have, with files and documents that differ, and of one to clone."""
    ids = [job(source, a, {"f.txt": f"source {a}"}, time=NEW - a, v=1, n={"p": 1, "q": 2}).id for a in range(3)]
    for a, time in ((0, OLD), (1, NEW)):
        job(destination, a, {"f.txt": "destination"}, time=time, v=2, n={"p": 7})
    source.doc.pk, destination.doc.pk = 1, 5
    return ids


# --- what is copied --------------------------------------------------------------------------------------------------


def test_sync_when_nothing_conflicts_then_copied_and_told(cli, busy, source, destination):
    before = snapshot(source.path)
    result = cli("sync", "../source", "-m", "-r")
    assert (result.status, result.out) == (0, "")
    assert result.err.splitlines() == [
        f"Synchronizing '{source.path}' -> '{destination.path}'...",
        "Cloned 1 job, 1 updated, 1 unchanged; 6 files, 36 bytes.",
    ]
    assert snapshot(source.path) == before
    assert read(destination, 0, "new.txt") == "new"
    assert read(destination, 0, "sub/deep.txt") == "deep"
    assert read(destination, 2, "sub/deep.txt") == "deep"
    assert destination.open_job({"a": 0}).doc() == {"energy": 1, "n": {"x": 1, "y": 2}}
    assert destination.doc() == {"author": "me"}


def test_sync_when_run_again_then_nothing_to_do(cli, busy):
    assert cli("sync", "../source", "-mr").status == 0
    before = snapshot()
    result = cli("sync", "../source", "-mr", "--stats")
    assert result.err.endswith("Cloned 0 jobs, 3 unchanged; 0 files, 0 bytes.\n")
    assert "transferred: 0\n" in result.out
    assert snapshot() == before


def test_sync_when_destination_is_given_then_no_current_project_is_needed(cli, busy, source, destination, monkeypatch):
    monkeypatch.chdir("/")
    result = cli("-q", "sync", source.workspace, destination.path, "-mr", "-f", "a", "2")
    assert (result.status, result.err) == (0, "")
    assert read(destination, 2, "same.txt") == "same"
    assert read(destination, 0, "new.txt") is None


def test_sync_when_not_recursive_then_one_warning_for_all_sub_directories(cli, busy, source, destination):
    first = cli("sync", "../source", "-m")
    assert f"Warning: 1 sub-directory was skipped: '{busy[0]}/sub'; -r goes into it.\n" in first.err
    assert read(destination, 0, "sub/deep.txt") is None
    Path(destination.open_job({"a": 2}).fn("sub/deep.txt")).unlink()
    second = cli("sync", "../source", "-m")
    example = min(busy[0], busy[2])
    assert f"Warning: 2 sub-directories were skipped, such as '{example}/sub'; -r goes into them.\n" in second.err


def test_sync_when_something_else_is_skipped_then_the_reason_is_told(cli, busy, source):
    os.symlink("/nowhere", source.open_job({"a": 0}).fn("link"))
    result = cli("sync", "../source", "-mr")
    assert result.status == 0
    assert f"1 entry was skipped: '{busy[0]}/link'; it points nowhere." in result.err


def test_sync_when_quiet_then_nothing_is_told(cli, busy):
    result = cli("-q", "sync", "../source", "-m")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_sync_when_files_are_excluded_by_several_patterns_then_in_old_and_new_jobs(cli, busy, destination):
    """A pattern that was not applied to new jobs, and of which the last one won."""
    assert cli("-q", "sync", "../source", "-mr", "-x", "new", "--exclude=same", "-xdee").status == 0
    assert read(destination, 0, "new.txt") is None
    assert read(destination, 0, "sub/deep.txt") is None
    assert [read(destination, 2, name) for name in ("same.txt", "sub/deep.txt")] == [None, None]
    assert destination.open_job({"a": 2}).doc.energy == 3


def test_sync_when_exclude_has_no_pattern_then_only_documents(cli, busy, destination):
    assert cli("-q", "sync", "../source", "-mr", "-x").status == 0
    assert read(destination, 0, "new.txt") is None
    assert sorted(os.listdir(destination.open_job({"a": 2}).path)) == [DOCUMENT, "signac_statepoint.json"]


def test_sync_when_archive_then_everything_is_preserved(cli, busy, source, destination):
    new = Path(source.open_job({"a": 0}).fn("new.txt"))
    new.chmod(0o640)
    os.symlink("new.txt", source.open_job({"a": 0}).fn("link"))
    assert cli("-q", "sync", "../source", "-ma").status == 0
    copy = Path(destination.open_job({"a": 0}).fn("new.txt"))
    assert (copy.stat().st_mtime, copy.stat().st_mode & 0o777) == (OLD, 0o640)
    assert os.readlink(destination.open_job({"a": 0}).fn("link")) == "new.txt"
    assert read(destination, 0, "sub/deep.txt") == "deep"


@pytest.mark.parametrize(
    ("options", "status"),
    [([], 0), (["-I"], 1), (["--ignore-times"], 1), (["-I", "-s", "always"], 0), (["--size-only"], 0)],
)
def test_sync_when_size_and_time_agree_then_ignore_times_compares_content(cli, source, destination, options, status):
    """An option that had no effect."""
    job(source, 0, {"f": "ours"})
    job(destination, 0, {"f": "them"})
    result = cli("sync", "../source", *options)
    assert result.status == status
    assert read(destination, 0, "f") == ("ours" if "always" in options else "them")


@pytest.mark.parametrize(("options", "status"), [([], 1), (["--size-only"], 0), (["--round-times"], 0)])
def test_sync_when_fraction_of_time_differs_then_options_decide(cli, source, destination, options, status):
    path = job(source, 0, {"f": "ours"}).fn("f")
    os.utime(path, ns=(OLD * 10**9, OLD * 10**9 + 1))
    job(destination, 0, {"f": "them"})
    assert cli("sync", "../source", *options).status == status


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], 1), (["--parallel"], True), (["--parallel", "0"], True), (["--parallel", "3"], 3), (["--para=2"], 2)],
)
def test_sync_when_parallel_then_so_many_threads(cli, busy, destination, monkeypatch, given, expected):
    asked = []
    monkeypatch.setattr(sync, "_number_of_threads", lambda parallel: asked.append(parallel) or 2)
    assert cli("sync", *given, "-mr", "--", "../source").status == 0
    assert set(asked) == {expected}
    assert read(destination, 2, "same.txt") == "same"


# --- which jobs ------------------------------------------------------------------------------------------------------


def test_sync_when_filtered_then_by_the_jobs_of_the_source(cli, busy, source, destination):
    """A filter that was applied to the project of the current directory."""
    result = cli("sync", "../source", "-m", "-f", "doc.energy>=3")
    assert result.status == 0
    assert "Interpreted filter arguments" in result.err
    assert read(destination, 2, "same.txt") == "same"
    assert read(destination, 0, "new.txt") is None
    assert destination.doc() == {"author": "me"}


@pytest.mark.parametrize("stdin", [None, "\n", "\0"])
def test_sync_when_ids_are_given_then_prefixes_and_stdin_work(cli, busy, destination, stdin):
    """Prefixes that were silently ignored."""
    given, text = (busy[2][:5], "") if stdin is None else ("-", busy[2] + stdin)
    assert cli("-q", "sync", "../source", "-m", "-j", given, stdin=text).status == 0
    assert read(destination, 2, "same.txt") == "same"
    assert read(destination, 0, "new.txt") is None


def test_sync_when_stdin_has_no_ids_then_no_jobs(cli, busy):
    result = cli("sync", "../source", "-m", "-j", "-")
    assert result.status == 0
    assert result.err.endswith("Cloned 0 jobs; 0 files, 0 bytes.\n")


@pytest.mark.parametrize("bad", ["zzz", "", "0123456", "../x"])
def test_sync_when_an_id_is_unknown_then_error_and_nothing_done(cli, busy, bad):
    """An error that was none."""
    before = snapshot()
    result = cli("sync", "../source", "-m", "-j", busy[0], bad)
    assert (result.status, result.out) == (1, "")
    assert snapshot() == before


# --- dry runs --------------------------------------------------------------------------------------------------------


def test_sync_when_dry_run_then_itemised_and_nothing_touched(cli, busy):
    """A dry run that failed, left empty jobs and rewrote documents."""
    before = snapshot("..")
    result = cli("sync", "-n", "../source", "-mr")
    assert result.status == 0
    updated = [
        f"copy       {busy[0]}/new.txt",
        f"copy       {busy[0]}/sub/deep.txt",
        f"document   {busy[0]}/{DOCUMENT}  [n.x, energy]",
    ]
    cloned = [f"clone      {busy[2]}/  (4 files, 29 bytes)"]
    assert result.lines[0] == f"document   {PROJECT_DOCUMENT}  [author]"
    assert [line.replace("energy, n.x", "n.x, energy") for line in result.lines[1:]] == (
        updated + cloned if busy[0] < busy[2] else cloned + updated
    )
    assert result.err.endswith("Would have cloned 1 job, 1 updated, 1 unchanged; 6 files, 36 bytes.\n")
    assert snapshot("..") == before


def test_sync_when_dry_run_of_strategies_then_each_decision_is_listed(cli, torn):
    before = snapshot("..")
    result = cli("sync", "-n", "../source", "-m", "-u", "-k", "v")
    newer, older = torn[0], torn[1]
    assert result.status == 0
    assert {
        f"keep       {PROJECT_DOCUMENT}  [pk]",
        f"overwrite  {newer}/f.txt",
        f"keep       {older}/f.txt",
        f"document   {newer}/{DOCUMENT}  [v, n.q]",
        f"keep       {newer}/{DOCUMENT}  [n.p]",
    } <= set(result.lines)
    assert snapshot("..") == before


def test_sync_when_dry_run_finds_conflicts_then_listed_among_the_rest_and_status_1(cli, torn):
    before = snapshot("..")
    result = cli("sync", "-n", "../source", "-m")
    assert result.status == 1
    assert sum(line.startswith("conflict ") for line in result.lines) == 5
    assert f"conflict   {torn[0]}/f.txt" in result.lines
    assert any(line.startswith(f"clone      {torn[2]}/") for line in result.lines)
    assert result.err.count("Error: ") == 1
    assert snapshot("..") == before


def test_sync_when_dry_run_would_ask_then_says_so_and_does_not(cli, torn):
    result = cli("sync", "-n", "../source", "-m", "--no-keys", "-s", "ask")
    assert result.status == 0
    assert f"ask        {torn[0]}/f.txt" in result.lines
    assert "[y/N]" not in result.err
    assert f"overwrite  {torn[0]}/f.txt" in cli("-y", "sync", "-n", "../source", "-m", "--no-keys", "-s", "ask").lines


def test_sync_when_a_name_has_a_line_break_then_still_one_line_each(cli, source, destination):
    job(source, 0, {"a\nb\x1b[31m": "x"})
    job(destination, 0)
    result = cli("sync", "-n", "../source")
    assert len(result.lines) == 1
    assert "\x1b" not in result.out


# --- conflicts -------------------------------------------------------------------------------------------------------


def test_sync_when_there_are_conflicts_then_all_are_told_with_ids_and_nothing_is_changed(cli, torn):
    before = snapshot("..")
    result = cli("sync", "../source", "-m", "--stats")
    assert (result.status, result.out) == (1, "")
    expected = ["Error: The document of the project differs in pk."]
    for job_id in sorted(torn[:2]):
        expected += [
            f"Error: Job {job_id}: the file 'f.txt' differs.",
            f"Error: Job {job_id}: the document differs in n.p, v.",
        ]
    assert result.err.splitlines()[1:] == [
        *expected,
        "Error: 5 conflicts have to be decided. Decide about files with -s/--strategy or -u/--update, "
        "and about document keys with -k/--key, --all-keys or --no-keys.",
        "Nothing has been changed.",
    ]
    assert snapshot("..") == before


def test_sync_when_quiet_then_conflicts_are_told_all_the_same(cli, torn):
    assert cli("-q", "sync", "../source", "-m").err.count("Error: ") == 6


@pytest.mark.parametrize(
    ("options", "told", "not_told"), [(["--no-keys"], "-u/--update", "-k/--key"), (["-s", "never"], "-k/--key", "-u")]
)
def test_sync_when_only_files_or_keys_are_undecided_then_only_their_options_are_named(
    cli, torn, options, told, not_told
):
    before = snapshot("..")
    result = cli("sync", "../source", "-m", *options)
    last = result.err.splitlines()[-2]
    assert result.status == 1
    assert told in last
    assert not_told not in last
    assert snapshot("..") == before


@pytest.mark.parametrize(
    ("options", "files"),
    [
        (["-s", "always"], ["source 0", "source 1"]),
        (["-s", "never"], ["destination"] * 2),
        (["-s", "update"], ["source 0", "destination"]),
        (["-u"], ["source 0", "destination"]),
        (["--strategy=always"], ["source 0", "source 1"]),
    ],
)
def test_sync_when_there_is_a_strategy_then_it_decides(cli, torn, destination, options, files):
    assert cli("sync", "../source", "-m", "--no-keys", *options).status == 0
    assert [read(destination, a, "f.txt") for a in range(2)] == files


@pytest.mark.parametrize(
    ("options", "document", "pk", "skipped"),
    [
        (["--all-keys"], {"v": 1, "n": {"p": 1, "q": 2}}, 1, ""),
        (["--no-keys"], {"v": 2, "n": {"p": 7, "q": 2}}, 5, "Skipped keys: n.p, pk, v.\n"),
        (["-k", "v|p"], {"v": 1, "n": {"p": 7, "q": 2}}, 1, "Skipped keys: n.p.\n"),
        (["--key=n[.]p"], {"v": 2, "n": {"p": 1, "q": 2}}, 5, "Skipped keys: pk, v.\n"),
        (["-k", "v", "--key", "(?i)N[.]P"], {"v": 1, "n": {"p": 1, "q": 2}}, 5, "Skipped keys: pk.\n"),
        (["-k", "pk", "-k", "v", "-k", "n"], {"v": 1, "n": {"p": 1, "q": 2}}, 1, ""),
    ],
)
def test_sync_when_keys_differ_then_options_decide(cli, torn, destination, options, document, pk, skipped):
    result = cli("sync", "../source", "-m", "-u", *options)
    assert result.status == 0
    assert destination.open_job({"a": 0}).doc() == document
    assert destination.doc.pk == pk
    assert skipped in result.err
    assert ("Skipped" in result.err) == bool(skipped)


def test_sync_when_a_conflict_comes_up_after_all_then_told_and_the_rest_stays(cli, source, destination, monkeypatch):
    job(source, 0, {"f": "ours"})
    job(source, 1, {"f": "ours"})
    synchronize = work.Synchronizer._synchronize
    job(destination, 0)

    def meanwhile(self, src, dst):
        if not self._dry_run:
            job(destination, 0, {"f": "they came"})
        synchronize(self, src, dst)

    monkeypatch.setattr(work.Synchronizer, "_synchronize", meanwhile)
    result = cli("sync", "../source", "-m")
    assert result.status == 1
    assert "the file 'f' differs." in result.err
    assert "Error: 1 conflict has to be decided." in result.err
    assert read(destination, 0, "f") == "they came"


# --- asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["ask", "Ask"])
@pytest.mark.parametrize(("answer", "files"), [("y", ["source 0", "source 1"]), ("n", ["destination"] * 2)])
def test_sync_when_asked_then_one_answer_for_all_jobs(cli, torn, destination, spelling, answer, files):
    result = cli("sync", "../source", "-m", "--no-keys", "--parallel", "4", "-s", spelling, stdin=f"{answer}\n")
    assert (result.status, result.out) == (0, "")
    assert result.err.count("Overwrite files named 'f.txt'? [y/N] ") == 1
    assert [read(destination, a, "f.txt") for a in range(2)] == files


def test_sync_when_yes_then_not_asked(cli, torn, destination):
    result = cli("sync", "../source", "-m", "--all-keys", "-s", "ask", "-y")
    assert (result.status, result.err.count("[y/N]")) == (0, 0)
    assert read(destination, 1, "f.txt") == "source 1"


def test_sync_when_no_answer_comes_then_error_and_file_kept(cli, torn, destination):
    result = cli("sync", "../source", "-m", "--no-keys", "-s", "ask", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert json.loads(result.err.splitlines()[-1])["error"]["code"] == "no-answer"
    assert [error["code"] for error in report["errors"]] == ["no-answer"]
    assert read(destination, 0, "f.txt") == "destination"


def test_sync_when_keys_conflict_then_nobody_is_asked_about_files(cli, torn):
    before = snapshot("..")
    result = cli("sync", "../source", "-m", "-s", "ask")
    assert result.status == 1
    assert "[y/N]" not in result.err
    assert snapshot("..") == before


def test_sync_when_asking_on_a_terminal_then_answer_is_taken(torn, destination):
    result = on_terminal("sync", "../source", "-m", "--no-keys", "-s", "ask", typed=[b"y\r"])
    assert result.status == 0
    assert "Overwrite files named 'f.txt'? [y/N] y\n" in result.out
    assert read(destination, 0, "f.txt") == "source 0"


# --- statistics and reports ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "heading", "volume"),
    [([], "", "36"), (["-H"], "", "36.0 B"), (["-n"], "(dry run)", "36"), (["-nH"], "(dry run)", "36.0 B")],
)
def test_sync_when_statistics_then_as_ever(cli, busy, options, heading, volume):
    result = cli("-q", "sync", "../source", "-mr", "--stats", *options)
    assert result.out[result.out.index("\n#") :] == (
        f"\n# Transfer statistics {heading}\n\n"
        f"Number of files transferred: 6\nTotal transfer volume:       {volume}\n\n"
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [(1023, "1023.0 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (2**20 - 1, "1024.0 KiB"), (3 * 2**30, "3.0 GiB")],
)
def test_sync_when_human_readable_then_binary_units(size, text):
    from signac_cli.syncreport import with_unit

    assert with_unit(size) == text


@pytest.mark.parametrize("options", [[], ["--stats"], ["-n"]])
def test_sync_when_json_then_one_line_with_everything(cli, busy, source, destination, options):
    result = cli("-q", "sync", "../source", "-mr", "--json", *options)
    assert (result.status, result.err, result.out.count("\n")) == (0, "", 1)
    report = json.loads(result.out)
    jobs = {entry["id"]: entry for entry in report.pop("jobs")}
    assert report == {
        "command": "sync",
        "dry_run": "-n" in options,
        "counts": {"cloned": 1, "updated": 1, "unchanged": 1, "skipped": 0, "conflicting": 0, "failed": 0},
        "source": source.path,
        "destination": destination.path,
        "num_files": 6,
        "volume": 36,
        "project": [{"action": "document", "path": PROJECT_DOCUMENT, "keys": ["author"]}],
        "skipped_keys": [],
        "errors": [],
    }
    assert list(jobs) == sorted([busy[0], busy[2]])
    assert jobs[busy[2]] == {
        "id": busy[2],
        "action": "cloned",
        "changes": [{"action": "clone", "num_files": 4, "volume": 29}],
    }
    assert jobs[busy[0]]["action"] == "updated"
    assert jobs[busy[0]]["changes"][:2] == [
        {"action": "copy", "path": "new.txt", "num_files": 1, "volume": 3},
        {"action": "copy", "path": "sub/deep.txt", "num_files": 1, "volume": 4},
    ]


def test_sync_when_json_and_conflicts_then_they_are_the_errors(cli, torn):
    before = snapshot("..")
    result = cli("sync", "../source", "-m", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"] == {
        "cloned": 0,
        "updated": 0,
        "unchanged": 0,
        "skipped": 0,
        "conflicting": 2,
        "failed": 5,
    }
    assert report["num_files"] == 0
    assert {"id": None, "code": "conflict", "path": PROJECT_DOCUMENT, "keys": ["pk"]}.items() <= report["errors"][
        0
    ].items()
    assert {(error["id"], error["path"]) for error in report["errors"][1:]} == {
        (job_id, name) for job_id in torn[:2] for name in ("f.txt", DOCUMENT)
    }
    errors = [json.loads(line)["error"] for line in result.err.splitlines() if line.startswith("{")]
    assert {error["code"] for error in errors} == {"conflict"}
    assert "--all-keys" in errors[-1]["hint"]
    assert snapshot("..") == before


def test_sync_when_json_and_human_readable_then_volume_is_a_text(cli, busy):
    assert json.loads(cli("sync", "../source", "-mr", "--json", "-H").out)["volume"] == "36.0 B"


# --- refusals --------------------------------------------------------------------------------------------------------


def test_sync_when_schemas_differ_then_keys_are_told_and_nothing_changed(cli, source, destination):
    source.open_job({"a": 1, "b": {"c": 1}, "same": 0}).init()
    destination.open_job({"a": 2, "x": 1, "same": 0}).init()
    before = snapshot("..")
    for options in ([], ["-n"], ["--all-keys", "-u"]):
        result = cli("sync", "../source", *options)
        assert (result.status, result.out) == (1, "")
        assert "only the source has b.c; only the destination has x; other values have a." in result.err
        assert "-m/--merge" in result.err
    assert snapshot("..") == before
    assert cli("sync", "../source", "--force").status == 0
    assert len(destination) == 2


def test_sync_when_destination_is_empty_then_schemas_are_not_compared(cli, busy, source):
    Project.init_project("../empty")
    assert cli("sync", "../source", "../empty").status == 0
    assert len(Project("../empty")) == len(source)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["-u", "-s", "never"], "--strategy"),
        (["-t"], "--perms"),
        (["-I", "--size-only"], "--size-only"),
        (["-k", "v", "--all-keys"], "--all-keys"),
        (["--no-keys", "--all-keys"], "--no-keys"),
        (["-k", "("], "'('"),
        (["-x", "("], "'('"),
        (["-f", "a", "0", "-j", "0"], "exclude each other"),
        (["-f", "{"], ""),
    ],
)
def test_sync_when_options_contradict_then_status_1_and_nothing_changed(cli, busy, options, word):
    before = snapshot("..")
    result = cli("sync", "../source", "-m", *options)
    assert (result.status, result.out) == (1, "")
    assert word in result.err
    assert snapshot("..") == before


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["a", "b", "c"],
        ["../source", "-s", "sometimes"],
        ["../source", "--parallel", "-1"],
        ["../source", "-z"],
        [""],
    ],
)
def test_sync_when_arguments_are_wrong_then_usage_error(cli, busy, options):
    assert cli("sync", *options).status == 2


@pytest.mark.parametrize("arguments", [["."], ["workspace"], ["../source", "../source/workspace"], ["../alias"]])
def test_sync_when_both_projects_are_one_then_refused(cli, busy, arguments):
    os.symlink(os.getcwd(), "../alias")
    before = snapshot("..")
    result = cli("sync", *arguments, "-m")
    assert (result.status, result.out) == (1, "")
    assert "are the same project" in result.err
    assert snapshot("..") == before


@pytest.mark.parametrize("arguments", [["/"], ["../source", "/"], ["../nowhere"], ["../source", "../nowhere"]])
def test_sync_when_a_project_is_missing_then_named(cli, busy, arguments):
    result = cli("sync", *arguments)
    assert (result.status, result.out) == (1, "")
    assert f"'{os.path.abspath(arguments[-1])}'" in result.err


# --- damage ----------------------------------------------------------------------------------------------------------


def test_sync_when_a_new_job_is_damaged_then_told_and_the_others_synchronized(cli, busy, source, destination):
    Path(source.open_job({"a": 2}).fn("signac_statepoint.json")).write_text("")
    result = cli("sync", "../source", "-mr", "--json", "--stats")
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"]["skipped"] == 1
    assert [(error["id"], error["code"]) for error in report["errors"]] == [(busy[2], "damaged-jobs")]
    assert f"Run 'signac -C {source.path} check'" in result.err
    assert read(destination, 0, "new.txt") == "new"
    assert busy[2] not in os.listdir(destination.workspace)


@pytest.mark.parametrize("option", ["-n", "-m"])
def test_sync_when_a_job_cannot_be_copied_then_told_and_the_others_synchronized(
    cli, busy, source, destination, deepen, option
):
    deepen(source.open_job({"a": 2}).path)
    result = cli("sync", "../source", "-mr", "--json", option)
    report = json.loads(result.out)
    assert result.status == 1
    assert report["counts"] == {
        "cloned": 0,
        "updated": 1,
        "unchanged": 1,
        "skipped": 0,
        "conflicting": 0,
        "failed": 1,
    }
    assert [(error["id"], error["code"]) for error in report["errors"]] == [(busy[2], "system")]
    assert "too many levels of directories" in result.err
    assert ", 1 failed; 2 files" in result.err
    if option == "-m":
        assert read(destination, 0, "new.txt") == "new"
        assert busy[2] not in os.listdir(destination.workspace)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_sync_when_the_document_of_a_project_is_damaged_then_all_else_is_synchronized(
    cli, busy, source, destination, side
):
    path = Path({"source": source, "destination": destination}[side].fn(PROJECT_DOCUMENT))
    path.unlink(missing_ok=True)
    path.symlink_to("nowhere")
    result = cli("sync", "../source", "-mr", "--json")
    assert result.status == 1
    assert [error["id"] for error in json.loads(result.out)["errors"]] == [None]
    assert f"It is a link that leads nowhere, to 'nowhere': '{path}'" in result.err
    assert read(destination, 0, "new.txt") == "new"
    assert path.is_symlink()


def test_sync_when_a_damaged_job_cannot_be_filtered_then_told(cli, busy, source, destination):
    Path(source.open_job({"a": 2}).fn("signac_statepoint.json")).write_text("")
    result = cli("sync", "../source", "-m", "-f", "a", "0")
    assert result.status == 1
    assert busy[2] in result.err
    assert read(destination, 0, "new.txt") == "new"


def test_sync_when_a_job_of_the_source_is_damaged_then_schemas_are_compared_without_it(cli, busy, source, destination):
    for project in (source, destination):
        job(project, 2)
        job(project, 3)
    Path(source.open_job({"a": 3}).fn("signac_statepoint.json")).write_text("{")
    result = cli("sync", "../source", "-r")
    assert result.status == 0
    damaged = source.open_job({"a": 3}).id
    assert (
        f"Warning: Job {damaged} of the source has a damaged state point. Run 'signac -C {source.path} check'.\n"
    ) in result.err
    assert read(destination, 0, "new.txt") == "new"
    job(destination, 4)
    assert "other values have a" in cli("sync", "../source", "-r").err


@pytest.mark.parametrize("stray", ["unknown", "known"])
def test_sync_when_a_directory_of_the_destination_is_no_job_then_it_goes_on(cli, busy, source, destination, stray):
    job(destination, 2)
    name = "0" * 32 if stray == "unknown" else busy[1]
    directory = Path(destination.workspace, name)
    directory.mkdir(exist_ok=True)
    (directory / "signac_statepoint.json").unlink(missing_ok=True)
    os.utime(directory, (OLD, OLD))
    result = cli("sync", "../source", "-r")
    assert result.status == 0
    assert (
        f"Warning: Job {name} of the destination has a damaged state point. Run 'signac -C {destination.path} check'.\n"
    ) in result.err
    assert read(destination, 0, "new.txt") == "new"


@pytest.mark.parametrize("side", ["source", "destination"])
def test_sync_when_a_document_is_damaged_then_all_else_is_synchronized(cli, busy, source, destination, side):
    project = {"source": source, "destination": destination}[side]
    Path(project.open_job({"a": 0}).fn(DOCUMENT)).write_text("{")
    for option in ("-n", "-mr"):
        result = cli("sync", "../source", "-mr", "--json", option)
        assert result.status == 1
        report = json.loads(result.out)
        assert [(error["id"], error["code"]) for error in report["errors"]] == [(busy[0], "damaged-jobs")]
        assert f"Documents of the {side} that are damaged were left out: {busy[0]}." in result.err
        assert f"Run 'signac -C {project.path} check'." in result.err
    assert read(destination, 0, "new.txt") == "new"
    assert destination.open_job({"a": 2}).doc() == {"energy": 3}


def test_sync_when_the_document_of_a_new_job_is_a_dangling_link_then_all_else_is_cloned(cli, busy, source, destination):
    path = Path(source.open_job({"a": 2}).fn(DOCUMENT))
    path.unlink()
    path.symlink_to("/nowhere")
    result = cli("sync", "../source", "-mr")
    assert f"1 entry was skipped: '{busy[2]}/{DOCUMENT}'; it points nowhere." in result.err
    assert read(destination, 2, "sub/deep.txt") == "deep"


def test_sync_when_the_disk_fails_then_told_with_what_was_done(cli, busy, destination, monkeypatch):
    def full(self, src, dst):
        raise OSError(errno.ENOSPC, "No space left on device", dst.path)

    monkeypatch.setattr(work.Synchronizer, "_publish_copy", full)
    result = cli("sync", "../source", "-mr", "--json")
    report = json.loads(result.out)
    assert result.status == 1
    assert [error["code"] for error in report["errors"]] == ["system"]
    assert report["project"][0]["action"] == "document"
    assert "No space left on device" in json.loads(result.err.splitlines()[-1])["error"]["message"]


def test_sync_when_owner_cannot_be_preserved_then_one_warning(cli, busy, monkeypatch):
    def refused(*arguments, **options):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    result = cli("sync", "../source", "-mra")
    assert result.status == 0
    assert result.err.count("Warning: You may not give copies the owner") == 1


def test_sync_when_done_then_the_logger_is_as_before(cli, busy):
    logger = logging.getLogger("sync")
    before = (list(logger.handlers), logger.disabled)
    cli("sync", "../source", "-m")
    cli("sync", "../source", "-s", "update")
    assert (list(logger.handlers), logger.disabled) == before


def test_sync_when_standard_output_is_closed_then_synchronized(cli, busy, destination, monkeypatch):
    from signac_cli.output import Output, OutputClosed

    def closed(self, text):
        raise OutputClosed

    monkeypatch.setattr(Output, "write", closed)
    monkeypatch.setattr(Output, "abandon", lambda self: None)
    result = cli("sync", "../source", "-mr", "--stats")
    assert result.status == 0
    assert "Cloned 1 job" in result.err
    assert read(destination, 2, "same.txt") == "same"


@pytest.mark.parametrize("columns", [40, 80])
def test_sync_when_on_a_terminal_then_list_without_escapes(busy, columns):
    result = on_terminal("sync", "-n", "../source", "-mr", columns=columns)
    assert result.status == 0
    assert f"clone      {busy[2]}/  (4 files, 29 bytes)\n" in result.out
    assert "\x1b" not in result.out
