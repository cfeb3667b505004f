"""From jobs to readable paths, by themselves, by templates and by functions."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core import Project
from signac_core.errors import Error, JobsCorruptedError
from signac_core.paths.naming import check_paths, job_paths, normal_path
from signac_core.paths.templates import PathError, SchemaPathEvaluationError, automatic_tokens

NESTED = [{"a": i, "n": {"x": i * 2, "y": {"z": i}}, "s": "q w", "l": [1, {"k": i}]} for i in range(2)]


def paths_of(project: Project, state_points: list[dict[str, Any]], path: Any = None) -> list[str]:
    """Paths of jobs, in the order of their state points."""
    ids = [project.open_job(state_point).init().id for state_point in state_points]
    found = job_paths(project.space, ids, path, handle=project.handle)
    return [found[job_id] for job_id in ids]


# --- automatic paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state_points", "expected"),
    [
        ([{"a": 1}], [""]),
        ([], []),
        ([{"a": 1, "b": 1}, {"a": 2, "b": 1}], ["a/1", "a/2"]),
        ([{"b": i, "a": i} for i in range(2)], ["a/0/b/0", "a/1/b/1"]),
        (
            [{"a": 0, "b": i // 2, "c": i, "n": {"x": i % 2}} for i in range(4)],
            ["b/0/n.x/0/c/0", "b/0/n.x/1/c/1", "b/1/n.x/0/c/2", "b/1/n.x/1/c/3"],
        ),
        ([{"a": [1, 2]}, {"a": [1, [3]]}, {"a": []}], ["a/(1, 2)", "a/(1, (3,))", "a/()"]),
        ([{"a": 1.0}, {"a": None}, {"a": "x y"}, {"a": 1e-7}], ["a/1.0", "a/None", "a/x y", "a/1e-07"]),
        ([{"a": 1}, {"a": 2, "b": 3}], ["a/1", "b/3/a/2"]),
        ([{"a": 1}, {"b": 1}], ["a/1", "b/1"]),
        ([{"a": "", "b": 0}, {"a": "x", "b": 1}], ["a/b/0", "a/x/b/1"]),
        ([{"a": "x/y"}, {"a": "/z"}], ["a/x/y", "a/z"]),
        ([{"": 0}, {"": 1}], ["0", "1"]),
        ([{"a": {}, "b": 1}, {"a": {"x": 1}, "b": 2}], ["b/1", "a.x/1/b/2"]),
    ],
)
def test_automatic_path_when_jobs_differ_then_keys_with_few_values_come_first(project, state_points, expected):
    assert paths_of(project, state_points) == expected


def test_automatic_path_when_only_types_differ_then_paths_differ(project):
    assert paths_of(project, [{"a": 1}, {"a": 1.0}, {"a": True}]) == ["a/1", "a/1.0", "a/True"]


def test_automatic_path_when_texts_are_equal_then_refused(project):
    with pytest.raises(PathError, match=r"duplicate paths.*'a/1'.*\{job\.id\}"):
        paths_of(project, [{"a": 1}, {"a": "1"}])


def test_automatic_path_when_a_value_is_empty_then_a_nested_one_is_refused(project):
    with pytest.raises(PathError, match="leaf and a node"):
        paths_of(project, [{"a": ""}, {"a": "x"}])


def test_automatic_path_when_a_job_has_no_differing_key_then_refused(project):
    with pytest.raises(RuntimeError, match="No path can be determined for job '99914b932bd37a50b983c5e7c90ae93b'"):
        paths_of(project, [{"a": 1}, {}])


def test_automatic_tokens_when_keys_are_left_out_then_the_others_remain():
    state_points = {"x": {"a": 1, "b": 1}, "y": {"a": 2, "b": 2}}
    assert dict(automatic_tokens(state_points, without=["a"])) == {"x": ["b", "1"], "y": ["b", "2"]}


# --- templates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{a}", "1"),
        ("{n.x}", "2"),
        ("{n[x]}", "2"),
        ("{n.y.z}", "1"),
        ("{a:.2f}", "1.00"),
        ("{a:{n.x}}", " 1"),
        ("{s!r}/{a}", "'q w'/1"),
        ("{l[1][k]}/{l.0}", "1/1"),
        ("{job.sp.a}", "1"),
        ("{job.sp.n.x}", "2"),
        ("{job.sp[a]}", "1"),
        ("{job.statepoint.a}", "1"),
        ("{job.cached_statepoint[a]}", "1"),
        ("{job.doc.x}/{job.document.n.y}", "d1/1"),
        ("{job.project.doc.note}/{a}", "noted/1"),
        ("{{auto}}", "a/1/l/(1, {'k': 1})/n.x/2/n.y.z/1"),
        ("{{auto:_}}", "a_1_l_(1, {'k': 1})_n.x_2_n.y.z_1"),
        ("{{auto:_=}}", "a_=1_=l_=(1, {'k': 1})_=n.x_=2_=n.y.z_=1"),
        ("{{auto:}}", "a/1/l/(1, {'k': 1})/n.x/2/n.y.z/1"),
        ("a_{a}/{{auto}}", "a_1/l/(1, {'k': 1})/n.x/2/n.y.z/1"),
        ("{n.x}/{{auto}}", "2/a/1/l/(1, {'k': 1})/n.y.z/1"),
        ("{job.sp.a}/{{auto:-}}", "1/a-1-l-(1, {'k': 1})-n.x-2-n.y.z-1"),
        ("{{auto:-}}/{{auto:_}}", "a-1-l-(1, {'k': 1})-n.x-2-n.y.z-1/a_1_l_(1, {'k': 1})_n.x_2_n.y.z_1"),
        ("./{a}//x/", "1/x"),
    ],
)
def test_template_when_filled_in_then_gives_the_text(project, template, expected):
    for state_point in NESTED:
        document = {"x": f"d{state_point['a']}", "n": {"y": state_point["a"]}}
        project.open_job(state_point).init().doc.update(document)
    project.doc.note = "noted"
    assert paths_of(project, NESTED, template)[1] == expected


def test_template_when_it_is_the_job_then_gives_the_id(project):
    ids = [project.open_job(state_point).id for state_point in NESTED]
    assert paths_of(project, NESTED, "{job}") == ids
    assert paths_of(project, NESTED, "{job.id}") == ids
    assert paths_of(project, NESTED, False) == ids


def test_template_when_a_key_is_called_job_then_other_keys_still_work(project):
    state_points = [{"job": "x", "a": i} for i in range(2)]
    assert paths_of(project, state_points, "{a}_{job.sp.job}") == ["0_x", "1_x"]


def test_template_when_a_value_holds_braces_then_it_is_text(project):
    assert paths_of(project, [{"a": "{b}", "b": 0}, {"a": "{{auto}}", "b": 1}], "{a}") == ["{b}", "{{auto}}"]


def test_template_when_the_rest_of_a_single_job_is_empty_then_its_slash_is_dropped(project):
    assert paths_of(project, [{"a": 1}], "{{auto}}/{a}") == ["1"]
    assert paths_of(project, [{"a": 1}], "{a}/{{auto}}") == ["1"]


def test_template_when_nothing_is_left_for_auto_then_refused(project):
    with pytest.raises(SchemaPathEvaluationError, match="No path can be determined"):
        paths_of(project, [{"a": 1}, {"a": 2}], "{a}/{{auto}}")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{zz}", "Unknown key: 'zz'"),
        ("{job.zz}", "Unknown key: 'job.zz'.*a Job has no data called 'zz'"),
        ("{job.sp.zz}", "Unknown key: 'job.sp.zz'"),
        ("{job.doc.zz}", "Unknown key: 'job.doc.zz'"),
        ("{a.b}", "Unknown key: 'a.b'"),
        ("{l[7]}", "Unknown key"),
        ("{s.upper}", "Unknown key"),
        ("{s:d}", "cannot be filled in.*Unknown format code"),
        ("{n:3}", "cannot be filled in"),
        ("{}", "Unknown key"),
        ("{0}", "Unknown key"),
        ("{id}", "Unknown key: 'id'.*Did you mean '{job.id}'"),
        ("{sp.a}", "Unknown key: 'sp'.*Did you mean '{a}'"),
        ("{auto}", "Unknown key: 'auto'.*Did you mean '{{auto}}'"),
        ("{{foo}}/{a}", "doubled braces"),
        ("{{a}}", "doubled braces"),
        ("{ a}", "Unknown key"),
    ],
)
def test_template_when_a_field_does_not_exist_then_the_error_names_it(project, template, message):
    with pytest.raises(SchemaPathEvaluationError, match=message) as caught:
        paths_of(project, NESTED, template)
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, Error)


@pytest.mark.parametrize(
    ("template", "meant"),
    [
        ("{TT}", "{T}"),
        ("{sp.T}", "{T}"),
        ("{statepoint.T}", "{T}"),
        ("{eps}", "{model.eps}"),
        ("{model.esp}", "{model.eps}"),
        ("{job.sp.model.esp}", "{model.eps}"),
        ("{energy}", "{job.doc.energy}"),
        ("{doc.energy}", "{job.doc.energy}"),
        ("{doc.other}", "{job.doc.other}"),
        ("{job.doc.enregy}", "{job.doc.energy}"),
        ("{doc.enregy}", "{job.doc.energy}"),
        ("{x:y}", "{job.sp[x:y]}"),
    ],
)
def test_template_when_a_field_is_misspelt_then_the_nearest_one_is_named(project, template, meant):
    job = project.open_job({"T": 1, "model": {"eps": 2}, "x:y": 5}).init()
    job.doc.energy = 3
    with pytest.raises(SchemaPathEvaluationError, match=re.escape(f"Did you mean '{meant}'")):
        job_paths(project.space, [job.id], template, handle=project.handle)
    if meant != "{job.doc.other}":
        assert list(job_paths(project.space, [job.id], meant, handle=project.handle).values())


def test_template_when_nothing_is_near_or_the_document_is_damaged_then_nothing_is_suggested(project):
    job = project.open_job({"T": 1}).init()
    Path(job.fn(job.FN_DOCUMENT)).write_text("{")
    with pytest.raises(SchemaPathEvaluationError) as caught:
        job_paths(project.space, [job.id], "{pressure}", handle=project.handle)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{job.__class__}",
        "{job._project}",
        "{job.project._sp_cache}",
        "{job.sp.__class__}",
        "{a.__class__}",
        "{a.real}",
        "{job.remove}",
        "{job.init.__globals__}",
        "{job.project.__init__.__globals__[os]}",
        "{job.__init__.__globals__}",
        "{job.doc.__class__}",
    ],
)
def test_template_when_it_reaches_for_internals_then_refused(project, template):
    with pytest.raises(SchemaPathEvaluationError):
        paths_of(project, NESTED, template)


@pytest.mark.parametrize("template", ["{a", "a}", "{{auto}", "{a!x}"])
def test_template_when_braces_do_not_match_then_value_error(project, template):
    with pytest.raises((ValueError, SchemaPathEvaluationError)):
        paths_of(project, NESTED, template)


@pytest.mark.parametrize("path", [True, 5, 0, ["a"]])
def test_path_when_of_no_accepted_form_then_value_error(project, path):
    with pytest.raises(ValueError, match="must be None, False, a str or a function"):
        job_paths(project.space, [], path, handle=project.handle)


# --- functions -------------------------------------------------------------------------------------------------------


def test_function_when_it_returns_a_path_then_used(project):
    assert paths_of(project, NESTED, lambda job: os.path.join("x", str(job.sp.a))) == ["x/0", "x/1"]


@pytest.mark.parametrize("value", [None, 1])
def test_function_when_it_returns_no_path_then_refused(project, value):
    with pytest.raises(PathError, match="must return a str"):
        paths_of(project, NESTED, lambda job: value)


# --- what paths are refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/abs", "../x", "x/../../y", "x/..", "a\0b", "\ud800", "x" * 256])
def test_path_when_it_leads_out_or_is_no_name_then_refused(text):
    with pytest.raises(PathError, match="JOB"):
        normal_path(text, "JOB")


@pytest.mark.parametrize("value", ["..", "../../x", "a\0b"])
def test_automatic_path_when_a_value_leads_out_then_refused(project, value):
    with pytest.raises(PathError):
        paths_of(project, [{"a": value, "b": 1}, {"a": "x", "b": 2}])


@pytest.mark.parametrize("value", ["/tmp/x", "../x"])
def test_template_when_a_value_leads_out_then_refused(project, value):
    with pytest.raises(PathError):
        paths_of(project, [{"a": value}, {"a": "x"}], "{a}")


@pytest.mark.parametrize("path", ["x", "{s}", lambda job: "x", lambda job: "x/" * (1 + job.sp.a)])
def test_paths_when_equal_or_nested_then_refused(project, path):
    with pytest.raises(PathError, match="duplicate paths|leaf and a node"):
        paths_of(project, NESTED, path)


def test_duplicate_paths_when_of_a_template_then_the_advice_extends_it(project):
    with pytest.raises(PathError, match=r"'x/id/\{job\.id\}'"):
        paths_of(project, NESTED, "x")


@pytest.mark.parametrize("order", [["n", "n/x"], ["n/x", "n"], ["n/x/y", "n"], ["", "n"], ["n/x/y", "m", "n/x"]])
def test_nested_paths_when_in_any_order_then_refused(order):
    with pytest.raises(PathError, match="cannot be nested"):
        check_paths({str(index): path for index, path in enumerate(order)})


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=4).map("/".join), max_size=6))
def test_check_paths_when_given_any_paths_then_agrees_with_a_comparison_of_all_pairs(found):
    collide = any(
        one == other or not one or other.startswith(one + "/")
        for i, one in enumerate(found)
        for j, other in enumerate(found)
        if i != j
    )
    paths = {str(index): path for index, path in enumerate(found)}
    if collide:
        with pytest.raises(PathError):
            check_paths(paths)
    else:
        check_paths(paths)


def test_job_paths_when_a_leaf_is_given_then_nesting_is_judged_with_it(project):
    ids = [project.open_job({"a": value}).init().id for value in ("x", "x/y")]
    assert sorted(job_paths(project.space, ids, "{a}", leaf="job", handle=project.handle).values()) == [
        "x/job",
        "x/y/job",
    ]


def test_job_paths_when_a_job_is_damaged_then_reported_or_raised(project):
    good, bad = (project.open_job({"a": a}).init() for a in range(2))
    with open(bad.fn(bad.FN_STATE_POINT), "w") as file:
        file.write("{")
    os.utime(bad.path, (0, 0))
    project = Project(project.path)
    damaged: list[str] = []
    assert job_paths(project.space, [good.id, bad.id], damaged=damaged, handle=project.handle) == {good.id: ""}
    assert damaged == [bad.id]
    with pytest.raises(JobsCorruptedError):
        job_paths(project.space, [good.id, bad.id], False, handle=project.handle)


@pytest.mark.parametrize(
    "template", ["{a:10000}/{job.id}", "{a:.10000f}/{job.id}", "{a:{w}}/{job.id}", "x/" * 4000 + "{job.id}"]
)
def test_path_when_a_template_would_make_it_far_too_long_then_refused(project, template):
    job = project.open_job({"a": 1, "w": "9" * 12}).init()
    with pytest.raises(PathError):
        job_paths(project.space, [job.id], template, handle=project.handle)
