"""What is meant to differ from signac 2.4.1, why, and a case of each that shows both answers.

The differential tests make no such cases. An entry whose two answers are equal has become needless, and fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.peer.json_values import NAN


class Better(NamedTuple):
    """A difference.

    Errors are given by the names of their classes.
    """

    reason: str
    operation: str
    arguments: dict[str, Any]
    theirs: Any
    mine: Any


def jobs(*state_points: dict[str, Any]) -> list[Any]:
    return [[state_point, None] for state_point in state_points]


def queries() -> Iterator[Better]:
    def query(reason: str, jobs: list[Any], filter: Any, theirs: Any, mine: Any) -> Better:
        return Better(reason, "find", {"jobs": jobs, "filters": [filter]}, [theirs], [mine])

    mixed = jobs({"a": "text"}, {"a": 2})
    yield query(
        "documents are read for a key that stands only below $not",
        [({"a": 1}, {"x": 1}), ({"a": 2}, {"x": 2})],
        {"$not": {"doc.x": 1}},
        [0, 1],
        [1],
    )
    yield query("an empty mapping can be looked for", jobs({"a": {}}, {"a": 1}), {"a": {}}, "TypeError", [0])
    yield query("values that cannot be compared do not match", mixed, {"a.$gt": 1}, "TypeError", [1])
    yield query("values that are no numbers are not near one", mixed, {"a.$near": 2}, "TypeError", [1])
    yield query("values that are no text are not part of one", mixed, {"a.$in": "a text"}, "TypeError", [0])
    yield query("NaN is a value like others", jobs({"a": NAN}, {"a": 2}), {"a.$ne": 2}, "RuntimeError", [0])
    yield query("NaN can be looked for", jobs({"a": NAN}, {"a": 2}), {"a": NAN}, [], [0])
    yield query("NaN can be looked for", jobs({"a": NAN}, {"a": 2}), {"a.$in": [NAN]}, [], [0])
    yield query("NaN is a value like others", jobs({"a": NAN}, {"a": 2}), {"a.$ne": NAN}, "RuntimeError", [1])
    yield query("Fortran prints numbers", jobs({"a": 150.0}, {"a": "1.5D+02"}), "a 1.5D+02", [1], [0])
    yield query("a key that is there twice is refused", jobs({"a": 1}), '{"a": 2, "a": 1}', [], "ValueError")
    yield query("1 and true differ in type", jobs({"a": 1}, {"a": True}), {"a.$type": "bool"}, [0, 1], [1])
    yield query("integers may exceed the range of floats", jobs({"a": 10**400}), {"a": 10**400}, "OverflowError", [0])
    yield query("a wrong filter is refused whatever the jobs are", jobs({"b": 1}), {"a.$in": 1}, [], "TypeError")
    yield query("text that is one JSON object is that filter", jobs({"b": 1}), '{"b": 1}', [], [0])


def groups() -> Iterator[Better]:
    yield Better(
        "nested keys are keys",
        "group",
        {"jobs": jobs({"n": {"k": 1}}, {"n": {"k": 2}}), "keys": [["n.k", None]]},
        ["KeyError"],
        [[[1, [0]], [2, [1]]]],
    )
    yield Better(
        "lists in documents have an order: equal ones are next to each other when sorted, and one group",
        "document",
        {"initial": {"a": [1, 2]}, "operations": [[["a"], "__lt__", [1, 3]]], "buffered": True},
        {"steps": [[False, None]], "text": '{"a": [1, 2]}', "data": {"a": [1, 2]}},
        {"steps": [[True, None]], "text": '{"a": [1, 2]}', "data": {"a": [1, 2]}},
    )


def reports() -> Iterator[Better]:
    yield Better(
        "an empty state point adds no key to a nested schema",
        "schema",
        {"jobs": jobs({}), "options": [[{}, {"depth": 1}]]},
        ["{'': ''}"],
        ["{}"],
    )
    yield Better(
        "state points may hold empty mappings",
        "difference",
        {"jobs": jobs({"n": {}, "a": 1}, {"n": {}, "a": 2})},
        "TypeError",
        {"0": {"a": 1}, "1": {"a": 2}},
    )
    yield Better(
        "jobs without a state point key have no neighbors",
        "neighbors",
        {"jobs": jobs({}), "ignore": []},
        "UnboundLocalError",
        {"0": {}},
    )


def state_points() -> Iterator[Better]:
    def change(
        reason: str, before: Any, call: list[Any], theirs: tuple[Any, str, str | None], mine: tuple[Any, str, str]
    ) -> Better:
        def outcome(answer: Any, job_id: str, text: str | None) -> dict[str, Any]:
            answers = [answer if isinstance(answer, str) else [None, job_id]]
            return {"answers": answers, "id": job_id, "state": {job_id: [text, None]}}

        arguments = {"jobs": jobs(before), "operations": [call]}
        return Better(reason, "change_statepoint", arguments, outcome(*theirs), outcome(*mine))

    yield change(
        "1 and 1.0 are two state points, however the change is written",
        {"a": 1},
        [[], "update", {"a": 1.0}],
        (None, "42b7b4f2921788ea14dac5566e6f06d0", '{"a": 1}'),
        (None, "4b8937963abc9e9148b4524d4f837b4b", '{"a": 1.0}'),
    )
    yield change(
        "None takes the place of a list or mapping, however the change is written",
        {"a": [2]},
        [[], "update", {"a": None}],
        (None, "776682ef2c4c06cce146c110cde83034", '{"a": [2]}'),
        (None, "542bac9c870e9cd102c3909922945a4d", '{"a": null}'),
    )
    yield change(
        "a list takes the place of a list, and the state point survives it",
        {"a": []},
        [[], "update", {"a": [2]}],
        ("JobsCorruptedError", "776682ef2c4c06cce146c110cde83034", None),
        (None, "776682ef2c4c06cce146c110cde83034", '{"a": [2]}'),
    )
    yield change(
        "keys are in the order of the state point that was assigned",
        {"a": 2, "b": 3},
        [[], "reset", {"b": 1, "a": 2}],
        (None, "5e4d14d82c320bafb2f1286fe486d1f8", '{"a": 2, "b": 1}'),
        (None, "5e4d14d82c320bafb2f1286fe486d1f8", '{"b": 1, "a": 2}'),
    )


def documents() -> Iterator[Better]:
    def change(reason: str, before: Any, call: list[Any], theirs: tuple[Any, Any], mine: tuple[Any, Any]) -> Better:
        def outcome(answer: Any, data: Any) -> dict[str, Any]:
            text = None if data is None else json.dumps(data)
            return {"steps": [[answer, text]], "text": text, "data": data or {}}

        arguments = {"initial": before, "operations": [call], "buffered": False}
        return Better(reason, "document", arguments, outcome(*theirs), outcome(*mine))

    yield change("nothing new, nothing written", None, [[], "update", {}], (None, {}), (None, None))
    yield change(
        "1 and true are two values, however the change is written",
        {"a": 1},
        [[], "update", {"a": True}],
        (None, {"a": 1}),
        (None, {"a": True}),
    )
    yield change(
        "None takes the place of a list or mapping, however the change is written",
        {"a": [1]},
        [[], "update", {"a": None}],
        (None, {"a": [1]}),
        (None, {"a": None}),
    )
    yield change(
        "all of an update or nothing",
        None,
        [[], "update", {"a": 1, "b.c": 2}],
        ("InvalidKeyError", {"a": 1}),
        ("InvalidKeyError", None),
    )
    yield change(
        "a list has no attributes, which are not stored",
        {"a": [1]},
        [["a"], "setattr", "b", 2],
        (None, {"a": [1]}),
        ("AttributeError", {"a": [1]}),
    )


BETTER = [*queries(), *groups(), *reports(), *state_points(), *documents()]
