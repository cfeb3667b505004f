"""Many jobs are looked at quickly: what passes is in order, and all else is found, and said in the same words."""

from __future__ import annotations

import gzip
import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from signac_core import Project, finding
from signac_core.care import integrity, litter, soundness
from signac_core.care.soundness import UNSOUND, Marks, mark_of
from signac_core.index import peer_cache
from tests.support.patches import for_some_cases

SP, DOC = "signac_statepoint.json", "signac_job_document.json"
NUMBER = 70


@pytest.fixture
def study(project: Project) -> Project:
    """So many jobs that a fast parser reads them; the first ten have documents."""
    for a in range(NUMBER):
        job = project.open_job({"a": a, "b": {"c": [a, None], "d": 0.5}}).init()
        if a < 10:
            job.doc.update({"x": a, "y": [1, {"z": None}]})
    return project


def problems(project: Project) -> list[integrity.Problem]:
    return list(integrity.examine(Project(project.path).space))


def directories(project: Project) -> list[Path]:
    return sorted(path.parent for path in Path(project.workspace).glob(f"*/{DOC}"))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda job: None,
    "state point of another": lambda job: (job / SP).write_text('{"a": -1}'),
    "state point cut": lambda job: (job / SP).write_bytes((job / SP).read_bytes()[:-1]),
    "state point empty": lambda job: (job / SP).write_bytes(b""),
    "state point gone": lambda job: (job / SP).unlink(),
    "state point a directory": lambda job: ((job / SP).unlink(), (job / SP).mkdir()),
    "state point with blanks": lambda job: (job / SP).write_bytes((job / SP).read_bytes() + b"\n"),
    "document cut": lambda job: (job / DOC).write_text('{"a": '),
    "document a list": lambda job: (job / DOC).write_text("[1]"),
    "document null": lambda job: (job / DOC).write_text("null"),
    "document with constants": lambda job: (job / DOC).write_text('{"a": NaN, "b": Infinity}'),
    "document with a large integer": lambda job: (job / DOC).write_text('{"a": 123456789012345678901234567890}'),
    "document with a surrogate": lambda job: (job / DOC).write_text('{"a": "\\ud800"}'),
    "document too deep for one parser": lambda job: (job / DOC).write_text('{"a": ' + "[" * 1010 + "]" * 1010 + "}"),
    "document with many lists": lambda job: (job / DOC).write_text(json.dumps({"a": [[i] for i in range(300)]})),
    "document a dead link": lambda job: ((job / DOC).unlink(), (job / DOC).symlink_to("nowhere")),
    "data beside": lambda job: ((job / "data.txt").write_text("x"), (job / "sub").mkdir(), (job / ".h").mkdir()),
    "old temporary file": lambda job: (job / f"._{'0' * 16}_{DOC}").write_text("x"),
    "old temporary file below": lambda job: (
        (job / "sub").mkdir(),
        (job / "sub" / f"._{'0' * 16}_sync").write_text(""),
    ),
    "old backup": lambda job: (job / f"{SP}~").write_text("{}"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_examine_when_one_of_many_jobs_is_damaged_then_says_what_is_said_about_one_of_few(
    study: Project, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = litter._now() + 2 * litter.STALE_SECONDS
    with for_some_cases():
        monkeypatch.setattr(litter, "_now", lambda: later)
    job = directories(study)[3]
    DAMAGE[kind](job)
    quick = problems(study)
    slow = integrity.examine_job(Project(study.path).space, job.name)
    with monkeypatch.context() as patch:
        patch.setattr(soundness, "looks", lambda space, names, claims: iter([UNSOUND] * len(names)))
        assert problems(study) == quick
    assert [problem for problem in quick if not problem.is_litter] == slow


def test_a_look_at_a_sound_job_lists_it_and_reads_its_files_once(study: Project, monkeypatch) -> None:
    seen: list[str] = []
    slowly = integrity._state_point_problem
    monkeypatch.setattr(integrity, "_state_point_problem", lambda space, name, known: seen.append(name))
    assert problems(study) == []
    assert seen == []
    monkeypatch.setattr(integrity, "_state_point_problem", slowly)
    (directories(study)[0] / SP).unlink()
    assert [problem.kind for problem in problems(study)] == ["missing-state-point"]


# --- marks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {"a": math.nan}),
        ({"a": 0.0}, {"a": -0.0}),
        ({"a": "1"}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": [{"b": 1}]}),
        ({"a": 10**30}, {"a": 1e30}),
        ({"a": {}}, {"a": []}),
    ],
)
def test_marks_of_different_trees_differ(left: object, right: object) -> None:
    assert mark_of(left) != mark_of(right)


def test_marks_of_equal_trees_are_equal_wherever_they_come_from() -> None:
    text = '{"key": ["text", 1, 0.1, null, true, {"deep": "\\u00fc \\ud83d"}], "n": NaN}'
    interned = json.loads(text)
    assert mark_of(json.loads(text)) == mark_of({"".join(key): value for key, value in interned.items()})


def test_marks_vouch_for_what_they_have_seen_only() -> None:
    names = ["a" * 32, "b" * 32, "c" * 32]
    marks = Marks(names)
    marks.append(mark_of({"x": 1}))
    marks.append(UNSOUND)
    assert marks.vouch_for(names[0], {"x": 1})
    assert not marks.vouch_for(names[0], {"x": 2})
    assert not marks.vouch_for(names[1], {"x": 1})
    assert not marks.vouch_for(names[2], {"x": 1})
    assert not marks.vouch_for("d" * 32, {"x": 1})


# --- what index and cache file say ------------------------------------------------------------------------------------


def write_cache(project: Project, text: str) -> None:
    Path(project.fn(project.FN_CACHE)).write_bytes(gzip.compress(text.encode()))


def entries(project: Project) -> dict[str, object]:
    return {job.id: job.sp() for job in project}


def test_a_cache_file_that_is_right_is_right_whatever_it_looks_like(study: Project) -> None:
    right = entries(study)
    texts = [json.dumps(right), json.dumps(right, separators=(",", ":")), json.dumps(right, indent=1) + "\n"]
    texts.append(json.dumps({job_id: {"b": right[job_id]["b"], "a": right[job_id]["a"]} for job_id in right}))
    for text in texts:
        write_cache(study, text)
        assert problems(study) == []
    write_cache(study, json.dumps(right)[:-1])
    assert problems(study) == []  # it is damaged, and nobody believes it


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('{"%s": {"a": 1}}', 1),
        ('{"%s": {"a": 1}, "%s": {"a": 1}}', 1),
        ('{"%s": {"a": 1}', 0),
        ('{"%s": {"a": 1}}}', 0),
        ('[{"%s": {"a": 1}}]', 0),
        ('{"x": {"a": 1}, "%s": {"a": 1}}', 2),
        ('{"%s": {"a": {"0123456789abcdef0123456789abcdef": {}, "b": 0}}}', 1),
        ("{}", 0),
        ("", 0),
    ],
)
def test_a_cache_file_is_judged_entry_by_entry(study, text, number) -> None:
    job_id = min(entries(study))
    write_cache(study, text.replace("%s", job_id))
    wrong = peer_cache.wrong_entries(study.space, lambda job_id, state_point: False)
    assert len(wrong) == number


def test_a_cache_file_that_ends_with_what_is_right_is_right(study: Project) -> None:
    nested = {"a": {"0123456789abcdef0123456789abcdef": {"b": 0}}}
    study.open_job(nested).init()
    write_cache(study, json.dumps(entries(study)))
    assert problems(study) == []


def test_check_computes_no_id_of_what_index_and_cache_say_of_sound_jobs(study: Project, monkeypatch) -> None:
    study.update_cache()
    judged: list[str] = []
    matches = integrity.canonical.state_point_matches
    monkeypatch.setattr(
        "signac_core.canonical.state_point_matches", lambda tree, job_id: judged.append(job_id) or matches(tree, job_id)
    )
    assert problems(study) == []
    assert judged == []
    study.open_job({"a": 3, "b": {"c": [3, None], "d": 0.5}}).remove()  # the index has it still
    assert problems(study) == []
    assert len(set(judged)) == 1


@pytest.mark.usefixtures("at_rest")
def test_documents_in_another_order_of_keys_are_those_of_the_index(study: Project, monkeypatch) -> None:
    monkeypatch.setattr("signac_core.index.documents._WORTHWHILE", 1)
    study.update_cache()
    assert len(finding.find_ids(Project(study.path).space, {"doc.x": 1})) == 1
    assert problems(study) == []
    claims = integrity._document_claims(Project(study.path).space)
    assert claims is not None
    job = study.open_job(id=directories(study)[0].name)
    status = os.stat(job.fn(DOC))
    backwards = dict(reversed(job.doc().items()))
    assert job.id in claims
    assert not claims.agree(job.id, status, backwards)
    claims.compare(job.id, status, backwards)
    assert claims.wrong() == []
    claims.compare(job.id, status, {"x": -1})
    assert claims.wrong() == [job.id]
