"""Random data from a seed, and how much of it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from typing import Any

CASES = int(os.environ.get("SIGNAC_FUZZ_CASES", "0"))
"""How many cases there are to be of the cheapest kind; few by default, so that the quick tests stay quick."""


def seeds(few: int, *, cost: int = 1) -> range:
    """Seeds of a test: ``few`` of them, or as many as were asked for, less of what costs more."""
    return range(max(few, CASES // cost))


class Chance(random.Random):
    """Random data that is unpleasant."""

    NUMBERS = (0, 1, -1, 0.5, -0.0, 1e308, 2**53 + 1, 2**63, -(2**64), 10**40, float("inf"), float("nan"), True, False)
    TEXTS = (
        "",
        "a",
        "a.b",
        ".",
        "..",
        "/",
        "../x",
        "$gt",
        "ä",
        "\u202e",
        "\ud800",
        "\0",
        "\n",
        "\x1b[2J",
        "{a}",
        "x" * 300,
    )
    KEYS = ("a", "b", "n", "a.b", "", " ", "ä", "$gt", "\ud800", "x" * 300, "__class__", "id", "job", "0", "\0", "\n")

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def value(self, depth: int = 3) -> Any:
        """JSON data of any kind."""
        kind = self.randrange(8 if depth else 5)
        if kind < 2:
            return self.choice(self.NUMBERS)
        if kind < 4:
            return self.choice(self.TEXTS)
        if kind == 4:
            return None
        if kind == 5:
            return [self.value(depth - 1) for _ in range(self.randrange(4))]
        return self.tree(depth - 1)

    def tree(self, depth: int = 2) -> dict[str, Any]:
        """A JSON object with keys that make trouble."""
        return {self.choice(self.KEYS): self.value(depth) for _ in range(self.randrange(5))}

    def json_text(self) -> bytes:
        """JSON as other programs write it, or nearly."""
        text = json.dumps(self.tree(), ensure_ascii=self.chance(0.7))
        encoding = self.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
        return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")

    def text(self, alphabet: str, longest: int = 40) -> str:
        """Text of some characters."""
        return "".join(self.choices(alphabet, k=self.randrange(longest)))

    def pieces(self, pieces: Sequence[str], longest: int = 8) -> str:
        """Text put together of pieces that mean something where it is read."""
        return "".join(self.choices(pieces, k=self.randrange(longest)))

    def mutated(self, data: bytes) -> bytes:
        """Data with something wrong in it, most likely."""
        change: Callable[[bytes], bytes] = self.choice(
            [self._cut, self._flip, self._flip, self._overwrite, self._remove, self._repeat, self._zero, self._append]
        )
        return change(data)

    def _place(self, data: bytes) -> tuple[int, int]:
        start = self.randrange(len(data) + 1)
        return start, min(len(data), start + self.choice([1, 2, 4, 8, 100]))

    def _cut(self, data: bytes) -> bytes:
        return data[: self.randrange(len(data) + 1)]

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return b"\1"
        flipped = bytearray(data)
        flipped[self.randrange(len(data))] ^= 1 << self.randrange(8)
        return bytes(flipped)

    def _overwrite(self, data: bytes) -> bytes:
        start, end = self._place(data)
        return data[:start] + self.randbytes(end - start) + data[end:]

    def _remove(self, data: bytes) -> bytes:
        start, end = self._place(data)
        return data[:start] + data[end:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = self._place(data)
        return data[:end] + data[start:]

    def _zero(self, data: bytes) -> bytes:
        start, end = self._place(data)
        return data[:start] + bytes(end - start) + data[end:]

    def _append(self, data: bytes) -> bytes:
        return data + self.choice([b"\0", b" ", b"\n", b"}", b"{}", bytes(1000), data])
