"""Tables in pipes: every cell whole, in blocks that continue each other."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signac_cli import output
from signac_cli.output import TABLE, Output, Shape
from signac_cli.tables import PlainTable
from signac_core.trees import flattened, leaves

SCALARS = st.sampled_from(
    [0, 1, -12, 10**30, 1.0, 0.1 + 0.2, -0.0, 1e16, 1e-7, math.nan, math.inf, True, False, None]
    + ["", "x", "1", "two  words ", "größe", "格子", "100%", "%s", "a\nb", "\x1b[1m", "__"]
)  # fmt: skip
VALUES = SCALARS | st.lists(SCALARS | st.lists(st.integers() | st.floats(), max_size=2), max_size=3)
KEYS = st.sampled_from(["a", "b", "c d", "größe", "%d", "id"])
POINTS = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=2), max_size=4)
COLUMN = st.sampled_from([st.integers(), st.floats(allow_nan=False), st.booleans(), st.just("x"), VALUES])


def records(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": f"{number:032x}", "sp": point} for number, point in enumerate(points)]


def shown(value: Any) -> str:
    """The text of a cell by its definition."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def by_definition(points: list[dict[str, Any]]) -> str:
    """A table by its definition: the widest text makes the column; numbers stand on the right."""
    rows = [dict(leaves(point)) for point in points]
    columns = [("id", [record["id"] for record in records(points)], False)]
    for key in dict.fromkeys(key for row in rows for key in row):
        known = [row[key] for row in rows if key in row]
        is_numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known)
        columns.append((shown(key), [shown(row[key]) if key in row else "" for row in rows], is_numeric))
    lines = []
    for line in zip(*([header, *cells] for header, cells, _ in columns), strict=True):
        fields = []
        for cell, (header, cells, is_numeric) in zip(line, columns, strict=True):
            text = cell.rstrip(" ")
            blanks = " " * (max(map(width, [header, *cells])) - width(text))
            fields.append(blanks + text if is_numeric else text + blanks)
        lines.append("  ".join(fields).rstrip(" ") + "\n")
    return "".join(lines)


@given(
    st.lists(POINTS, min_size=1, max_size=6)
    | COLUMN.flatmap(lambda values: st.lists(st.fixed_dictionaries({"a": values}), min_size=1))
)
@example([{"a": 0.0}, {"a": -0.0}, {"a": 0.0}, {"a": 1.5}, {"a": 1.5}])
@example([{"a": 1.5}] * 5 + [{"a": math.nan}])
@example([{"a": 1, "b": 2}, {"b": 1, "a": 2}, {"a": 3, "c": {"x": None}}])
def test_table_when_in_one_block_then_by_its_definition(points):
    assert PlainTable({}, color=False).draw(records(points)) == by_definition(points)


@given(POINTS)
def test_tree_when_flattened_then_its_leaves(point):
    assert repr(flattened(point)) == repr(dict(leaves(point)))


def test_table_when_later_rows_are_wider_then_wider_from_there_on():
    table = PlainTable({}, color=False)
    first = table.draw([{"id": "0", "sp": {"a": 1, "b": "x"}}, {"id": "1", "sp": {"a": 20, "b": "y"}}])
    assert first == "id   a  b\n0    1  x\n1   20  y\n"
    assert table.draw([{"id": "2", "sp": {"a": 12345, "b": "zz"}}, {"id": "3", "sp": {"b": "z"}}]) == (
        "2   12345  zz\n3          z\n"
    )
    assert table.draw([{"id": "4", "sp": {"a": 3}}]) == "4       3\n"


def test_table_when_later_rows_have_other_keys_then_a_heading_names_all():
    table = PlainTable({}, color=False)
    table.draw([{"id": "0", "sp": {"a": 1}, "doc": {"e": 2}}])
    assert table.draw([{"id": "1", "sp": {"c": "x"}, "doc": {"e": 3}}]) == "id  a  c  doc.e\n1      x      3\n"
    assert table.draw([{"id": "2", "sp": {"a": 5}, "doc": {}}]) == "2   5\n"


def test_table_when_keys_are_chosen_then_one_heading_whatever_jobs_have():
    table = PlainTable({"sp": ["b", "a"]}, color=False)
    assert table.draw([{"id": "0", "sp": {"a": 1}}]) == "id  b  a\n0      1\n"
    assert table.draw([{"id": "1", "sp": {"b": 1, "c": 1}}]) == "1   1\n"


class Pipe(io.TextIOWrapper):
    """What is written can be looked at."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8")


def test_table_when_in_a_pipe_then_blocks_are_written_while_records_are_read(monkeypatch):
    pipe = Pipe()
    monkeypatch.setattr(sys, "stdout", pipe)
    monkeypatch.setattr(output, "_ROWS_IN_A_PIPE", 2)
    seen: list[int] = []

    def reading() -> Iterator[dict[str, Any]]:
        for number in range(5):
            seen.append(pipe.bytes.getvalue().count(b"\n"))
            yield {"id": str(number), "sp": {"a": number}}

    Output().write_records(reading(), Shape(mode=TABLE), repr)
    assert seen == [0, 0, 3, 3, 5]
    assert pipe.bytes.getvalue() == b"id  a\n0   0\n1   1\n2   2\n3   3\n4   4\n"


@pytest.mark.parametrize("color", [True, False])
def test_heading_when_colored_then_the_only_line_with_styles(color):
    table = PlainTable({}, color=color)
    first, *others = (table.draw(records([{"a": 1}])) + table.draw(records([{"a": 2}]))).splitlines()
    assert ("\033[" in first) == color
    assert len(others) == 2
    assert not any("\033[" in line for line in others)
