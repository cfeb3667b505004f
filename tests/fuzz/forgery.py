"""Tables of the index whose checksums are right and whose content is not."""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

from signac_core.index.table import ROWS_PER_BLOCK
from signac_core.index.texts import TextsWriter
from tests.fuzz.chance import Chance

ODDITIES = (
    -1, 0, 1, 2, 2**31, 2**32 - 1, 2**32, 2**40, 2**63, 10**30, -(2**63), 0.5, 1e300, float("nan"), float("inf"), None,
    True, "", "a", "../../../../etc", "x" * 32, "0" * 32 + "/../../..", [], {}, [[]], {"a": 0}, [0, 10, 0],
)  # fmt: skip


class Forgery:
    """A table taken apart: sections can be added, and the directory changed, before it is put together again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = bytearray(path.read_bytes())
        offset, length = (int.from_bytes(self.data[start : start + 8], "little") for start in (12, 20))
        self.directory: Any = json.loads(self.data[offset : offset + length])

    def section(self, place: list[int]) -> bytes:
        return bytes(self.data[place[0] : place[0] + place[1]])

    def add(self, data: bytes) -> list[int]:
        """Put a section at the end; return its place."""
        place = [len(self.data), len(data), crc32(data)]
        self.data += data
        return place

    def add_json(self, value: Any) -> list[int]:
        return self.add(json.dumps(value).encode())

    def texts(self) -> list[bytes]:
        """The texts of all rows."""
        section = self.section(self.directory["texts"])
        offset, found = int.from_bytes(section[:8], "little"), []
        for length, _, _ in struct.iter_unpack("<3I", section[8:]):
            found += zlib.decompress(self.data[offset : offset + length]).split(b"\n")
            offset += length
        return found

    def set_texts(self, texts: list[bytes]) -> None:
        """Put other texts in the place of those of all rows."""
        writer = TextsWriter(self.data.extend, ROWS_PER_BLOCK)
        start = len(self.data)
        writer.extend(texts)
        self.directory["texts"] = self.add(writer.finish(start))

    def write(self) -> None:
        """Put the table together, and write it in the place of the old one."""
        offset, length, crc = self.add_json(self.directory)
        header = bytes(self.data[:12]) + offset.to_bytes(8, "little") + length.to_bytes(8, "little")
        header += crc.to_bytes(4, "little")
        self.data[:40] = header + crc32(header).to_bytes(4, "little") + bytes(4)
        self.path.write_bytes(self.data)


def twisted(value: Any, chance: Chance) -> Any:
    """JSON data with something else in one place."""
    if isinstance(value, dict) and value and chance.chance(0.9):
        key = chance.choice(list(value))
        changed = dict(value)
        if chance.chance(0.1):
            del changed[key]
        else:
            changed[key] = twisted(value[key], chance)
        return changed
    if isinstance(value, list) and value and chance.chance(0.9):
        place = chance.randrange(len(value))
        if chance.chance(0.1):
            return value + [value[place]] * chance.choice([1, 1000])
        return [*value[:place], twisted(value[place], chance), *value[place + 1 :]]
    return chance.choice(ODDITIES)


def forge(path: Path, chance: Chance) -> None:
    """Change something in a table and leave its checksums right."""
    table = Forgery(path)
    for _ in range(chance.randrange(1, 4)):
        what = chance.choice(
            ["directory", "about", "list", "list", "values", "rows", "ids", "texts", "blocks", "states"]
        )
        with suppress(
            TypeError, ValueError, LookupError, struct.error, zlib.error
        ):  # something was forged here already
            _forge_part(table, what, chance)
    table.write()


def _forge_part(table: Forgery, what: str, chance: Chance) -> None:
    directory = table.directory
    if what == "directory":
        changed = twisted(directory, chance)
        table.directory = changed if isinstance(changed, dict) else directory
    elif what == "about":
        directory["about"] = twisted(directory["about"], chance)
    elif what == "ids":
        directory["ids"] = [table.add(chance.mutated(b"".join(map(table.section, directory["ids"]))))]
    elif what == "texts":
        texts = table.texts()
        at = chance.randrange(len(texts))
        text = json.dumps(twisted(json.loads(texts[at]), chance)).encode()
        table.set_texts(
            [*texts[:at], chance.choice([text, chance.mutated(text), text + b"\n" + text]), *texts[at + 1 :]]
        )
    elif what == "blocks":
        directory["texts"] = table.add(chance.mutated(table.section(directory["texts"])))
    elif what == "states":
        states = table.section(directory["states"]) if directory["states"] else bytes([2]) * directory["rows"]
        directory["states"] = table.add(
            chance.choice([chance.mutated(states), bytes([chance.randrange(5)]) * len(states)])
        )
    else:
        key = chance.choice([*directory["keys"]])
        directory["keys"][key] = _forged_column(table, directory["keys"][key], what, chance)


def _forged_column(table: Forgery, place: list[int], what: str, chance: Chance) -> list[int]:
    """Change a chunk list, or what is in one of its chunks; return its new place."""
    chunks = json.loads(table.section(place))
    if what == "list":
        return table.add_json(twisted(chunks, chance))
    chunk = chance.choice(chunks)
    data = table.section(chunk[6:8])
    text, rows = data[: chunk[5]], data[chunk[5] :]
    if what == "values":
        text = json.dumps(twisted(json.loads(text), chance)).encode()
    else:
        rows = chance.choice([chance.mutated(rows), b"\xff" * len(rows), rows * 100])
    chunk[5:] = [len(text), *table.add(text + rows)]
    return table.add_json(chunks)
