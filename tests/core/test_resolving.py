"""Jobs as users name them: ids, beginnings of ids, paths."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType

import pytest

from signac_core import Project, files, resolving
from tests.support.patches import Forbidden


def test_resolve_ids_of_full_abbreviated_and_path_like_texts(project: Project, ids: list[str]) -> None:
    n = project.min_len_unique_id()
    texts = [
        ids[0],
        ids[1][:n],
        ids[2] + "\n",
        f"workspace/{ids[3]}",
        f"./workspace/{ids[4]}/",
        os.path.join(project.workspace, ids[5]) + "/some/file",
        ids[0],
    ]
    assert resolving.resolve_ids(project.space, texts) == ([*ids[:6], ids[0]], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("zzz", "not a job id"),
        ("../../etc", "not a job id"),
        ("0" * 40, "not a job id"),
        ("workspace/../x", "not a job id"),
        ("ABCD", "not a job id"),
        ("0" * 32, "no job"),
    ],
)
def test_resolve_ids_of_texts_that_name_no_job(project: Project, ids: list[str], text: str, reason: str) -> None:
    resolved, unresolved = resolving.resolve_ids(project.space, [ids[0], text])
    assert resolved == [ids[0]]
    assert [item.text for item in unresolved] == [text]
    assert reason in unresolved[0].reason


def test_resolve_ids_of_ambiguous_short_and_misspelt_texts(project: Project, ids: list[str]) -> None:
    ambiguous = next(i[:1] for i in ids if sum(j[0] == i[0] for j in ids) > 1)
    assert "ambiguous" in resolving.resolve_ids(project.space, [ambiguous])[1][0].reason
    assert "at least 4" in resolving.resolve_ids(project.space, [ids[0][:3]], minimum=4)[1][0].reason
    wrong = ids[0][:6] + ("0" if ids[0][6] != "0" else "1") + ids[0][7:]
    assert f"Did you mean {ids[0]}?" in resolving.resolve_ids(project.space, [wrong])[1][0].reason


def test_resolve_ids_of_many_texts_lists_once(
    project: Project, ids: list[str], forbid: Callable[[ModuleType, str], Forbidden]
) -> None:
    looking = forbid(files, "is_directory")
    assert resolving.resolve_ids(project.space, ids) == (ids, [])  # of few, looking at each is cheaper
    with looking:
        assert resolving.resolve_ids(project.space, ids * 3) == (ids * 3, [])


@pytest.mark.parametrize(
    ("names", "length"), [([], 0), (["ab"], 0), (["ab", "cd"], 1), (["abcd", "abce"], 4), (["a1", "b1", "b2"], 2)]
)
def test_unique_prefix_length(names: list[str], length: int) -> None:
    assert resolving.unique_prefix_length(names) == length
