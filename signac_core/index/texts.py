"""State points, or documents, of a table whole: as JSON texts by row, in blocks that are compressed one by one.

The texts are those that `canonical.dumps_strictly` gives, so that what prints JSON copies them. A block is *plain* if
any parser of JSON reads the same values in it. Where that is not so (NaN, integers of more than 64 bits, unpaired
surrogates) only `canonical.loads` does.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from zlib import compress, crc32, decompress

from .. import canonical
from ..errors import UnusableIndexError

__all__ = [
    "NOTHING",
    "Lines",
    "Texts",
    "TextsWriter",
    "spaced",
    "text_of",
]

NOTHING = b"null"
"""The text of a row whose document is not there, or not in the table."""
_ENTRY = 3  # numbers of a block: its length, its CRC, and twice the length of its content, plus 1 if it is plain
_LEVEL = 1
_AT_ONCE = 1 << 20  # bytes that one call reads
_GAP = 1 << 14  # bytes that nobody has asked for, and which are read rather than left out
_MANY = 16  # texts for which the import of a faster parser pays
_LARGEST_RATIO = 1100  # of the content of a block to its length: zlib can do no more


def text_of(tree: dict[str, Any]) -> tuple[bytes, bool]:
    """Text of a state point or document, and whether it is JSON to everybody."""
    try:
        return canonical.dumps_strictly(tree).encode(), True
    except ValueError:  # a number that is not finite, or an unpaired surrogate
        return canonical.dumps(tree).encode("ascii"), False


class TextsWriter:
    """Writes blocks with a function that appends to the file."""

    def __init__(self, write: Callable[[bytes], None], rows_per_block: int) -> None:
        self._write = write
        self._rows_per_block = rows_per_block
        self._lines: list[bytes] = []
        self._loose: list[int] = []  # places of those that are not JSON to everybody
        self.entries = array("I")

    def extend(self, texts: Sequence[bytes], loose: Iterable[int] = ()) -> None:
        """Add the texts of the next rows; some, whose positions are given, are not JSON to everybody."""
        self._loose += [len(self._lines) + at for at in loose]
        self._lines += texts
        size = self._rows_per_block
        whole = len(self._lines) // size * size
        for first in range(0, whole, size):
            self._write_block(first)
        if whole:
            self._lines = self._lines[whole:]
            self._loose = [at - whole for at in self._loose if at >= whole]

    def _write_block(self, first: int) -> None:
        end = first + self._rows_per_block
        content = b"\n".join(self._lines[first:end])
        is_plain = canonical.LONG_NUMBER not in canonical.with_zeros(content) and not any(
            first <= at < end for at in self._loose
        )
        block = compress(content, _LEVEL)
        self.entries.extend((len(block), crc32(block), 2 * len(content) + is_plain))
        self._write(block)

    def rest(self) -> tuple[list[bytes], list[int]]:
        """Texts that do not fill a block, and the positions of those that are not JSON to everybody."""
        return self._lines, self._loose

    def take(self, blocks: Iterable[bytes], entries: bytes) -> None:
        """Add blocks that another writer has made; they come in pieces of any size."""
        numbers = array("I")
        numbers.frombytes(entries)
        if not self._lines:
            self.entries.extend(numbers)
            for piece in blocks:
                self._write(piece)
            return
        data, start = b"".join(blocks), 0
        for length, content in zip(numbers[::_ENTRY], numbers[2::_ENTRY], strict=True):
            texts = decompress(data[start : start + length]).split(b"\n")
            self.extend(texts, () if content & 1 else range(len(texts)))
            start += length

    def finish(self, start: int) -> bytes:
        """The section about the blocks, which begin at ``start``."""
        if self._lines:
            self._write_block(0)
        return start.to_bytes(8, "little") + self.entries.tobytes()


class Lines(NamedTuple):
    """Texts of some rows.

    Parameters
    ----------
    texts : list of bytes
        The texts.
    plain : bool
        Whether all of them are.
    """

    texts: list[bytes]
    plain: bool

    def trees(self) -> list[Any]:
        """What they say."""
        if self.plain and len(self.texts) >= _MANY:
            from orjson import loads

            try:
                found: list[Any] = loads(b"[" + b",".join(self.texts) + b"]")
            except ValueError as error:
                raise UnusableIndexError(str(error)) from None
        else:
            found = list(map(canonical.loads, self.texts))
        if len(found) != len(self.texts):
            raise UnusableIndexError("damaged")
        return found


def spaced(texts: list[bytes]) -> list[bytes]:
    """Plain texts as `canonical.dumps` gives them: ASCII, with blanks behind commas and colons."""
    whole = b"\n".join(texts)
    if b"\\" in whole or not whole.isascii():
        return [canonical.dumps(canonical.loads(text)).encode("ascii") for text in texts]
    if canonical.strings_have_separators(whole):
        parts = whole.split(b'"')  # what is in a string is at an odd place
        parts[::2] = [part.replace(b",", b", ").replace(b":", b": ") for part in parts[::2]]
        whole = b'"'.join(parts)
    else:
        whole = whole.replace(b",", b", ").replace(b":", b": ")
    return whole.split(b"\n")


def in_order_of_keys(texts: list[bytes]) -> list[bytes]:
    """Plain texts with sorted keys; ValueError if one of them is not JSON."""
    if len(texts) >= _MANY:
        from orjson import OPT_SORT_KEYS, dumps, loads

        found = [dumps(loads(text), None, OPT_SORT_KEYS) for text in texts]
        if not canonical.numbers_are_simple(b"\n".join(found)):
            odd = [at for at, text in enumerate(found) if not canonical.numbers_are_simple(text)]
            for at in odd:
                found[at] = _in_order_of_keys(texts[at])
        return found
    return list(map(_in_order_of_keys, texts))


def _in_order_of_keys(text: bytes) -> bytes:
    return canonical.dumps_strictly(canonical.loads(text), sort_keys=True).encode()


class Texts:
    """Reads texts.

    ``read`` gives so many bytes of the file from an offset on; ``section`` is the one about the blocks.

    Raises UnusableIndexError if they cannot be those of a table of so many rows in a file of that size.
    """

    def __init__(
        self, read: Callable[[int, int], bytes], section: bytes, rows: int, size: int, rows_per_block: int
    ) -> None:
        self._read = read
        self._rows = rows
        self._rows_per_block = rows_per_block
        numbers = array("I")
        numbers.frombytes(section[8:])
        self._lengths, self._crcs, contents = numbers[::_ENTRY], numbers[1::_ENTRY], numbers[2::_ENTRY]
        self._contents = contents
        self._starts: array[int] | None = None
        self._last: tuple[int, tuple[bytes, bool]] | None = None  # block, for whoever asks for its rows one by one
        self._start = int.from_bytes(section[:8], "little")
        if len(numbers) != _ENTRY * -(-rows // rows_per_block) or self._start + sum(self._lengths) > size:
            raise UnusableIndexError("damaged")

    def lines(self, rows: Sequence[int]) -> Lines:
        """Texts of rows, which are sorted; those of one block should be asked for together."""
        texts: list[bytes] = []
        plain = True
        position, number = 0, len(rows)
        for block, (content, is_plain) in self._blocks(dict.fromkeys(row // self._rows_per_block for row in rows)):
            found = content.split(b"\n")
            first = block * self._rows_per_block
            if len(found) != min(self._rows_per_block, self._rows - first):
                raise UnusableIndexError("damaged")
            plain = plain and is_plain
            end = first + len(found)
            if number - position >= len(found) and rows[position] == first and rows[position + len(found) - 1] < end:
                texts += found
                position += len(found)
            else:
                while position < number and rows[position] < end:
                    texts.append(found[rows[position] - first])
                    position += 1
        return Lines(texts, plain)

    def _blocks(self, numbers: Iterable[int]) -> Iterator[tuple[int, tuple[bytes, bool]]]:
        """Contents of blocks, whose numbers are sorted; those near each other are read with one call."""
        starts = self._starts
        if starts is None:
            from itertools import accumulate

            starts = self._starts = array("Q", accumulate(self._lengths, initial=self._start))
        run: list[int] = []
        for number in numbers:
            if run and (starts[number] - starts[run[-1] + 1] > _GAP or starts[number] - starts[run[0]] > _AT_ONCE):
                yield from self._run(run, starts)
                run = []
            run.append(number)
        if run:
            yield from self._run(run, starts)

    def _run(self, run: list[int], starts: Sequence[int]) -> Iterator[tuple[int, tuple[bytes, bool]]]:
        first = starts[run[0]]
        data = self._read(starts[run[-1] + 1] - first, first)
        for number in run:
            if self._last is not None and self._last[0] == number:
                yield self._last
                continue
            block = data[starts[number] - first : starts[number + 1] - first]
            length = self._contents[number] >> 1
            if crc32(block) != self._crcs[number] or length > _LARGEST_RATIO * len(block):
                raise UnusableIndexError("damaged")
            try:
                content = decompress(block, bufsize=length)  # no more than so many times what there is in the file
            except Exception as error:
                raise UnusableIndexError(str(error)) from None
            if len(content) != length:
                raise UnusableIndexError("damaged")
            self._last = number, (content, bool(self._contents[number] & 1))
            yield self._last
