"""State points read from paths."""

from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_core.errors import StatepointParsingError
from signac_core.paths.schemas import UnknownTypeError, parse_schema

# --- from paths to state points --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/{a}", "a/x_1", {"a": "x_1"}),
        ("a/{a}", "a/x y", {"a": "x y"}),
        ("a/{a}", "a/Fe-Ni", {"a": "Fe-Ni"}),
        ("a/{a}", "a/x/b", None),
        ("a/{a}", "a", None),
        ("{T}/{name}", "T350.5/Fe-Ni", {"T": "T350.5", "name": "Fe-Ni"}),
        ("{T:float}/{name}", "350.5/a b", {"T": 350.5, "name": "a b"}),
        ("{s}_T{T:float}_{p}", "a.b_c_T1e-06_x y", {"s": "a.b_c", "T": 1e-06, "p": "x y"}),
        ("{a}-{b:float}", "x--5e3", {"a": "x", "b": -5000.0}),
        ("{a}-{b:float}", "Fe-Ni--5e3", {"a": "Fe-Ni", "b": -5000.0}),
        ("{a}_{b}", "x_y_z", {"a": "x_y", "b": "z"}),  # as signac 2.x reads it
        ("{a}.{b}", "x.y.z", {"a": "x", "b": "y.z"}),
        ("a/{a:int}", "a/-12", {"a": -12}),
        ("a/{a:int}", "a/+3", {"a": 3}),
        ("a/{a:int}", "a/1.0", None),
        ("a/{a:float}", "a/1", {"a": 1.0}),
        ("a/{a:float}", "a/-.5", {"a": -0.5}),
        *[
            ("a/{a:float}", f"a/{text}", {"a": float(text)})
            for text in (
                "5.",
                "1e5",
                "1E+05",
                "-1e-06",
                ".5e1",
                "5.e-3",
                "1.7976931348623157e+308",
                "+1.5",
                "-0.0",
                "inf",
            )
        ],
        ("a/{a:float}", "a/nan", {"a": float("nan")}),
        ("a/{a:float}", "a/-Infinity", {"a": float("-inf")}),
        ("a/{a:float}", "a/1.5D+02", {"a": 150.0}),
        *[("a/{a:float}", f"a/{text}", None) for text in (".", "e5", "1e", "1e+", "1_0", "--1", "1.2.3", "infi", "")],
        ("a/{a:bool}", "a/True", {"a": True}),
        ("a/{a:bool}", "a/0", {"a": False}),
        ("a/{a:bool}", "a/FALSE", {"a": False}),
        ("a/{a:bool}", "a/yes", {"a": True}),
        ("a_{a:int}/b_{n.b.c:int}", "a_1/b_2", {"a": 1, "n": {"b": {"c": 2}}}),
        ("{n.a}/{n.b}", "x/y", {"n": {"a": "x", "b": "y"}}),
        ("./a//{a}/", "a/1", {"a": "1"}),
        ("a/{a:int}/tail", "a/1/tail", {"a": 1}),
        ("a/{a:int}/tail", "a/1", None),
        ("a+(b)*/{a}", "a+(b)*/x", {"a": "x"}),
        ("v1.0/{a}", "v1x0/x", None),
        ("{a b}/{a:INT}/{a}", "{a b}/{a:INT}/x", {"a": "x"}),
    ],
)
def test_schema_when_it_reads_a_path_then_the_whole_path_counts(template, path, expected):
    assert repr(parse_schema(template)(path)) == repr(expected)


def test_schema_when_a_type_is_unknown_then_key_error_names_it():
    with pytest.raises(KeyError, match=r"\{a:list\}.*'list'") as caught:
        parse_schema("a/{a:list}")
    assert isinstance(caught.value, UnknownTypeError)
    assert not str(caught.value).startswith('"')


@pytest.mark.parametrize("template", ["", "a/b", "{a}/{a}", "{a}/{a.b}", "{a.b}/{a}"])
def test_schema_when_it_makes_no_sense_then_refused(template):
    with pytest.raises(StatepointParsingError):
        parse_schema(template)


@given(st.integers(), st.from_regex(r"[A-Za-z0-9_]+", fullmatch=True), st.booleans())
def test_schema_when_it_reads_a_path_made_by_the_same_template_then_the_values_return(number, text, truth):
    state_point = {"a": number, "n": {"s": text}, "t": truth}
    read = parse_schema("a_{a:int}/{n.s}/t_{t:bool}")
    assert read(f"a_{number}/{text}/t_{truth}") == state_point


NAMES = st.text(st.characters(exclude_categories=("C", "Zl", "Zp"), exclude_characters="/"), min_size=1, max_size=20)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"i": st.integers(), "f": st.floats(), "t": st.booleans(), "s": NAMES.filter(lambda name: ".." not in name)}
        ),
        min_size=1,
        max_size=4,
    )
)
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("i_{i}/f_{f}/t_{t}/{s}", "i_{i:int}/f_{f:float}/t_{t:bool}/{s}"),
        ("{f}/{i}/{t}/s{s}", "{f:float}/{i:int}/{t:bool}/s{s:str}"),
        ("x{f}y{t}z{i}.{s}", "x{f:float}y{t:bool}z{i:int}.{s}"),
        ("{t},{f:.17g}/{i:+d}={s}", "{t:bool},{f:float}/{i:int}={s}"),
    ],
)
def test_schema_when_a_template_has_written_paths_then_the_same_with_types_reads_them(written, read, state_points):
    for state_point in state_points:
        path = written.format(**state_point)
        assert repr(parse_schema(read)(path)) == repr({key: state_point[key] for key in _fields_of(read)})


def _fields_of(template: str) -> list[str]:
    return [name.partition(":")[0] for _, name, _, _ in Formatter().parse(template) if name is not None]
