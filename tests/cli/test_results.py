"""How results are written: JSON, encodings, keys, templates, tables."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signac_cli.keys import lookup, order, pick
from signac_cli.output import Output, Shape, one_line
from signac_cli.tables import PlainTable, draw
from signac_cli.templates import Template
from signac_core.canonical import MISSING

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def as_json(value: object, encoding: str = "utf-8") -> bytes:
    stream = io.BytesIO()
    before = sys.stdout
    sys.stdout = io.TextIOWrapper(stream, encoding=encoding)
    try:
        output = Output()
        output.quiet = True
        output.write_json(value)
        return stream.getvalue()
    finally:
        sys.stdout = before


def without_non_finite(value: object) -> object:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, list):
        return [without_non_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: without_non_finite(item) for key, item in value.items()}
    return value


def refuse(text: str) -> None:
    raise AssertionError(f"{text} is not strict JSON")


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "utf-16"])
@given(value=JSON_VALUES)
def test_json_when_written_then_strict_and_the_same_data(encoding, value):
    text = as_json(value, encoding)
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    if encoding != "utf-8":
        assert text.isascii()
    assert json.loads(text.decode("utf-8"), parse_constant=refuse) == without_non_finite(value)


def test_json_when_utf8_then_not_escaped():
    assert as_json({"é": "☃"}) == '{"é":"☃"}\n'.encode()
    assert as_json({"é": "☃"}, "ascii") == b'{"\\u00e9":"\\u2603"}\n'
    assert as_json("\ud800") == b'"\\ud800"\n'


def test_json_when_numbers_are_not_finite_then_null_with_one_warning(cli, project):
    for value in (float("nan"), float("inf"), float("-inf"), 1.5):
        project.open_job({"v": value, "l": [value]}).init()
    for mode in ("--json", "--jsonl"):
        result = cli("find", mode)
        values = (
            [record["sp"]["v"] for record in map(json.loads, result.lines)]
            if mode == "--jsonl"
            else [record["sp"]["v"] for record in json.loads(result.out, parse_constant=refuse)]
        )
        assert sorted(map(str, values)) == ["1.5", "None", "None", "None"]
        assert result.err.count("null") == result.err.count("\n") == 1
        assert cli("-q", "find", mode).err == ""


# --- encodings -------------------------------------------------------------------------------------------------------


def test_text_when_encoding_lacks_characters_then_escaped(cli, project):
    project.open_job({"name": "Ångström ☃"}).init()
    assert cli("find", "--format", "{name}", encoding="ascii").out == "\\xc5ngstr\\xf6m \\u2603\n"
    assert cli("statepoint", "-p", encoding="ascii").out == "{'name': '\\xc5ngstr\\xf6m \\u2603'}\n"
    assert cli("find", "--table", encoding="ascii").lines[1].endswith("\\xc5ngstr\\xf6m \\u2603")


def test_text_when_half_of_a_surrogate_pair_then_escaped(cli, project):
    project.open_job({"name": "a\ud800b"}).init()
    assert cli("find", "--format", "{name}").out == "a\\ud800b\n"
    assert json.loads(cli("find", "--json").out)[0]["sp"] == {"name": "a\ud800b"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is: é", "as it is: é"),
        ("two\nlines\r\n  and a third\n", "two lines and a third"),
        ("\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\tb\0c", "a\\tb\\x00c"),
        ("", ""),
    ],
)
def test_message_when_it_holds_control_characters_then_one_visible_line(text, line):
    assert one_line(text) == line


def test_error_when_arguments_hold_control_characters_then_one_visible_line(cli, study):
    result = cli("statepoint", "zz\n\033[31m")
    assert result.err.count("\n") == 1
    assert "\033" not in result.err


# --- keys ------------------------------------------------------------------------------------------------------------


def test_lookup_when_keys_are_dotted_then_descends():
    data = {"a": {"b": {"c": 1}, "x": None}, "a.b": 2, "l": [1]}
    assert [lookup(data, key) for key in ("a.b.c", "a.x", "a.b", "l")] == [1, None, 2, [1]]
    assert all(lookup(data, key) is MISSING for key in ("z", "a.z", "l.0", "a.x.y", "", "a.", ".a"))


def test_pick_when_keys_overlap_then_one_tree_and_the_source_untouched():
    data = {"n": {"x": 1, "y": {"z": 2}}, "a": 0}
    assert pick(data, ["n.x", "n.y.z", "a"]) == {"n": {"x": 1, "y": {"z": 2}}, "a": 0}
    assert pick(data, ["n", "n.x"]) == {"n": {"x": 1, "y": {"z": 2}}}
    assert pick(data, ["n.x", "n"]) == {"n": {"x": 1, "y": {"z": 2}}}
    assert data == {"n": {"x": 1, "y": {"z": 2}}, "a": 0}


@given(values=st.lists(JSON_VALUES, max_size=6))
def test_order_when_values_are_of_any_types_then_total(values):
    ordered = sorted(values, key=order)
    for left, right in pairwise(ordered):
        assert order(left) <= order(right)


# --- templates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{id}", "abc"),
        ("{id:>5}|{id:.1}", "  abc|a"),
        (r"{id}\t{path}\n", "abc\t/w/abc\n"),
        (r"\\t\x{{}}", "\\t\\x{}"),
        ("{sp.a} {a} {job.sp.a} {job.id}", "1 1 1 abc"),
        ("{doc.e:.2f} {doc.n.x} {doc.zz} {zz:d}", "-1.25 1  "),
        ("{sp}", '{"a": 1, "t": true, "s": "x y", "x:y": 5}'),
        ("{t} {s} {doc.none} {doc.l}", "true x y null [1]"),
        ("{doc.l[0]} {doc.l[-1]} {doc.l[1]} {doc.l[x]} {sp.s[0]} {doc.n[0]}", "1 1    "),
        ("{doc.m[1].x} {doc.m[1].l[0]:03d} {doc.m[0][1]}", "2 007 4"),
        ("{doc.k[0]}", "a key"),
        ("{sp.x:y} {x:y} {doc.u:v:w} {sp.x:z}", "5 5 6 "),
        ("", ""),
        ("plain", "plain"),
    ],
)
def test_template_when_rendered_then_filled_in(template, text):
    record = {
        "id": "abc",
        "path": "/w/abc",
        "sp": {"a": 1, "t": True, "s": "x y", "x:y": 5},
        "doc": {
            "e": -1.25,
            "n": {"x": 1},
            "none": None,
            "l": [1],
            "m": [[3, 4], {"x": 2, "l": [7]}],
            "k[0]": "a key",
            "u:v:w": 6,
        },
    }
    parsed = Template(template)
    assert parsed.render({part: value for part, value in record.items() if part in parsed.needs}) == text
    assert not parsed.complaints


@pytest.mark.parametrize("template", ["{id:100000}", "{sp.a:.99999f}", "{doc.e:0>12345}"])
def test_template_when_a_width_would_fill_the_memory_then_refused(cli, study, template):
    result = cli("find", "--format", template)
    assert (result.status, result.out) == (2, "")
    assert "far too wide" in result.err


# --- tables ----------------------------------------------------------------------------------------------------------


def table(*rows: dict[str, object], **options: bool) -> list[str]:
    records = [{"id": f"{index:032x}", "sp": row} for index, row in enumerate(rows)]
    color = options.get("color", False)
    if options.get("terminal"):
        return draw(records, {}, color=color).splitlines()
    return PlainTable({}, color=color).draw(records).splitlines()


def test_table_when_cells_are_wide_then_aligned_by_columns_of_the_screen():
    lines = table({"a": "日本", "b": 1}, {"a": "x", "b": 2}, {"a": "e\u0301e", "b": 3})
    assert lines[1:] == [f"{0:032x}  日本  1", f"{1:032x}  x     2", f"{2:032x}  e\u0301e    3"]


def test_table_when_cells_hold_control_characters_then_visible():
    assert table({"a": "\033[31m\n\t", "\033k": 1})[1].endswith("\\x1b[31m\\n\\t      1")
    assert table({"a": "\033[31m\n\t", "\033k": 1})[0].endswith("\\x1bk")


def test_table_when_types_differ_then_numbers_to_the_right_only_if_alone():
    assert table({"n": 1, "m": 1, "b": True}, {"n": 10.5, "m": "x", "b": False})[1:] == [
        f"{0:032x}     1  1  true",
        f"{1:032x}  10.5  x  false",
    ]


def test_table_when_text_is_long_then_whole_on_a_pipe():
    assert table({"a": "x" * 500})[1] == f"{0:032x}  " + "x" * 500


def test_table_when_of_many_jobs_on_a_terminal_then_the_first_are_shown_before_the_last_are_read(monkeypatch):
    monkeypatch.setattr(Output, "is_terminal", True)
    shown: list[str] = []
    monkeypatch.setattr(Output, "write_as_it_is", lambda output, text: shown.append(text))
    before = []

    def records():
        for index in range(2500):
            before.append(len(shown))
            yield {"id": f"{index:032x}", "doc": {"x": index}}

    Output().write_records(records(), Shape("table"), str)
    assert before[:1000] == [0] * 1000
    assert before[-1] > 0
    lines = "".join(shown).splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("id")] == [
        f"{index:032x}" for index in range(2500)
    ]
    assert sum(line.startswith("id") for line in lines) == 3


def test_table_when_drawn_for_a_terminal_then_by_what_is_fast(monkeypatch):
    code = """
import sys
from signac_cli.tables import compare, draw
records = [{"id": char * 32, "sp": {"a": char * 99}} for char in "12"]
draw(records, {}, color=True), compare(records, digits=6, terminal=True, color=True)
print("rich" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("columns", [20, 30, 40])
def test_table_when_the_screen_is_narrow_then_numbers_below_their_keys_and_whole(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = table({"a_key_of_some_length": 1.23457e-89, "b": "x" * columns, "c": ["two", -1234567.5]}, terminal=True)
    text = "\n".join(lines)
    assert "1.23457e-89" in text
    assert "-1.23457e+06" in text
    assert "x" * columns in text.replace("\n", "").replace(" ", "")
    assert max(map(len, lines)) <= columns


def test_table_when_text_is_folded_then_broken_at_blanks_and_by_columns_of_the_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = table({"a": "日本語 " * 12 + "e\u0301" * 30}, {"a": f"{'y' * 70} z"}, terminal=True)
    assert lines == [
        f"{0:032x}",
        "  a  " + " ".join(["日本語"] * 5),
        "     " + " ".join(["日本語"] * 5),
        "     " + " ".join(["日本語"] * 2),
        "     " + "e\u0301" * 30,
        f"{1:032x}",
        "  a  " + "y" * 35,
        "     " + "y" * 35,
        "     z",
    ]


def test_table_when_colored_then_only_the_header_is_marked():
    lines = table({"a": 1}, color=True)
    assert lines[0].replace("\033[4m", "").replace("\033[0m", "") == table({"a": 1})[0]
    assert "\033[4m" in lines[0]
    assert lines[1:] == table({"a": 1})[1:]
