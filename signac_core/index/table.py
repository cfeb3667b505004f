"""Reading a table: ids, values by key, and whole state points."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from .. import canonical
from ..errors import UnusableIndexError

if TYPE_CHECKING:
    from .texts import Texts

__all__ = [
    "ABSENT",
    "ELSEWHERE",
    "EMPTY",
    "HEADER",
    "IDS_PER_BLOCK",
    "ID_BYTES",
    "LARGE",
    "MAGIC",
    "NUMBERS",
    "OTHERS",
    "ROWS_PER_BLOCK",
    "TEXTS",
    "VERSION",
    "WHOLE",
    "Chunk",
    "Directory",
    "Rows",
    "Table",
    "check_owner",
    "ids_in",
]

MAGIC = b"signacIX"
VERSION = 2
HEADER = 40
IDS_PER_BLOCK = 4096
ROWS_PER_BLOCK = 32  # of texts
ID_BYTES = 16
_ID_DIGITS = 2 * ID_BYTES
NUMBERS, TEXTS, OTHERS, LARGE = range(4)
ABSENT, EMPTY, WHOLE, ELSEWHERE = range(4)
_FEW = 8  # one id in so many is cut out of its block rather than picked from a list
_AT_ONCE = 4 << 20  # bytes of neighbouring chunks that one call reads
_TREES_AT_ONCE = 1024
_SMALL = 4096  # bytes of numbers for which nothing is imported


if memoryview(b"\1\0\0\0").cast("I").tolist() != [1]:  # pragma: no cover
    raise UnusableIndexError("This machine has no little-endian 32-bit numbers.")


def check_owner(status: os.stat_result, workspace: str) -> None:
    """Make sure that a file of the index was written by somebody who could as well write into the workspace.

    These are this user, root and the owner of the workspace; and where the group of the workspace may write to it, the
    members of that group. Only of a file of others the workspace has to be asked for.

    Raises UnusableIndexError if others may have written it.
    """
    trusted = {os.geteuid(), 0}
    if status.st_uid in trusted and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    place = os.stat(workspace)
    trusted.add(place.st_uid)
    is_shared = place.st_mode & stat.S_IWGRP and place.st_gid == status.st_gid
    is_of_others = status.st_uid not in trusted or status.st_mode & stat.S_IWGRP
    if status.st_mode & stat.S_IWOTH or (is_of_others and not is_shared):
        raise UnusableIndexError("others may have written it")


class Rows:
    """A set of rows of one table: one byte per row, packed in an integer, 1 for the rows in the set."""

    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits

    @classmethod
    def of(cls, flags: bytes | bytearray) -> Rows:
        """Set of the rows whose flag is 1."""
        return cls(int.from_bytes(flags, "little"))

    def flags(self, number: int) -> bytes:
        """Flags of the rows of a table of ``number`` rows."""
        return self.bits.to_bytes(number, "little")

    def numbers(self, number: int) -> Sequence[int]:
        """Numbers of the rows, sorted."""
        count = self.bits.bit_count()
        if count == number:
            return range(number)
        from array import array  # the usual query pays for no import

        return array("I", compress(range(number), self.flags(number)))

    def __and__(self, other: Rows) -> Rows:
        return Rows(self.bits & other.bits)

    def __or__(self, other: Rows) -> Rows:
        return Rows(self.bits | other.bits)

    def __sub__(self, other: Rows) -> Rows:
        return Rows(self.bits ^ (self.bits & other.bits))


class Directory(NamedTuple):
    """What a table says about itself.

    Parameters
    ----------
    kind : str
        The name of the file: what the table is for.
    id : str
        A random name.
    base : str
        The table that this one corrects or describes; empty for a base.
    rows : int
        The number of rows.
    ids : list of [offset, length, CRC]
        The blocks of ids; empty for a table that shares the ids of its base.
    keys : dict of str to [offset, length, CRC]
        Where the chunk list of each dotted key is.
    texts : [offset, length, CRC]
        Where the list of the blocks of texts is.
    states : [offset, length, CRC]
        Where the state of each row is; empty if all of them are `WHOLE`.
    extra : [offset, length, CRC]
        Where the bytes are that the kind of table adds; empty if none.
    about : dict
        What the kind of table adds to this.
    """

    kind: str
    id: str
    base: str
    rows: int
    ids: list[list[int]]
    keys: dict[str, list[int]]
    texts: list[int]
    states: list[int]
    extra: list[int]
    about: dict[str, Any]


class Chunk(NamedTuple):
    """A row of a chunk list."""

    kind: int
    low: Any
    high: Any
    values: int
    rows: int
    json_length: int
    offset: int
    length: int
    crc: int


class Table:
    """A table in a file that is open.

    Raises UnusableIndexError if it is no table of this version, or damaged.
    """

    def __init__(self, fd: int, kind: str) -> None:
        self._fd = fd
        header = os.pread(fd, HEADER, 0)
        number = int.from_bytes
        if (
            len(header) != HEADER
            or header[:8] != MAGIC
            or number(header[8:12], "little") != VERSION
            or crc32(header[:32]) != number(header[32:36], "little")
        ):
            raise UnusableIndexError("no index of this version")
        place = [number(header[12:20], "little"), number(header[20:28], "little"), number(header[28:32], "little")]
        self.status = os.fstat(fd)
        self._size = self.status.st_size
        try:
            self.directory = Directory(**canonical.loads(self._section(place)))
            _check_directory(self.directory, self._size)
        except (TypeError, ValueError, AttributeError) as error:
            raise UnusableIndexError(str(error)) from None
        if self.directory.kind != kind:
            raise UnusableIndexError(f"a table of the kind '{self.directory.kind}'")
        self.rows = self.directory.rows
        self._below: dict[str, list[str]] | None = None
        self._texts: Texts | None = None
        self._last_digits: tuple[int, str] | None = None

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _section(self, place: Sequence[int]) -> bytes:
        offset, length, crc = place
        if length > self._size:
            raise UnusableIndexError("truncated")
        data = self._read(length, offset)
        if crc32(data) != crc:
            raise UnusableIndexError("damaged")
        return data

    def _read(self, length: int, offset: int) -> bytes:
        data = os.pread(self._fd, length, offset)
        while len(data) < length:
            more = os.pread(self._fd, length - len(data), offset + len(data))
            if not more:
                raise UnusableIndexError("truncated")
            data += more
        return data

    def extra(self) -> bytes:
        """Bytes that the kind of table adds."""
        return self._section(self.directory.extra) if self.directory.extra else b""

    # ids ----------------------------------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        """All ids, by row."""
        found: list[str] = []
        for block in self.id_blocks():
            found += block
        return found

    def id_blocks(self) -> Iterator[list[str]]:
        """All ids, block by block."""
        return map(self._ids_in, self.directory.ids)

    def finder(self) -> Callable[[str], int | None]:
        """Make a function that finds the row of an id, with all ids in memory: 24 bytes each."""
        from array import array
        from bisect import bisect_left

        data = b"".join(map(self._section, self.directory.ids))
        beginnings = array("Q", data)[::2]
        beginnings.byteswap()

        def find(job_id: str) -> int | None:
            try:
                row = bisect_left(beginnings, int(job_id[:ID_BYTES], 16))
                wanted = bytes.fromhex(job_id)
            except ValueError:
                return None
            while data[row * ID_BYTES : (row + 1) * ID_BYTES] < wanted and row < self.rows:
                row += 1
            return row if data[row * ID_BYTES : (row + 1) * ID_BYTES] == wanted else None

        return find

    def check_ids(self) -> None:
        """Make sure that all ids can be read. Raises UnusableIndexError if they cannot."""
        for place in self.directory.ids:
            self._section(place)

    def rows_behind(self, ids: Iterable[str]) -> Iterator[int]:
        """Rows of the first ids that are not less than others, which are sorted; no block is read twice in a row."""
        from bisect import bisect_left

        block, known = 0, [""]
        for job_id in ids:
            if self.rows and not known[0] <= job_id <= known[-1]:
                block, known = self._block_around(job_id)
            yield block * IDS_PER_BLOCK + bisect_left(known, job_id) if self.rows else 0

    def _ids_in(self, place: Sequence[int]) -> list[str]:
        """Ids in one block."""
        return ids_in(self._section(place))

    def ids_of(self, rows: Rows) -> list[str]:
        """Ids of some rows, sorted."""
        flags = rows.flags(self.rows)
        found: list[str] = []
        for number, place in enumerate(self.directory.ids):
            first = number * IDS_PER_BLOCK
            wanted = flags[first : first + IDS_PER_BLOCK]
            count = wanted.count(1)
            if count > IDS_PER_BLOCK // _FEW:
                ids = self._ids_in(place)
                found += ids if count == len(ids) else compress(ids, wanted)
            elif count:
                block = self._section(place).hex()
                found += [block[row * _ID_DIGITS : (row + 1) * _ID_DIGITS] for row in _places(wanted)]
        return found

    def packed_ids(self, rows: Sequence[int]) -> bytes:
        """Ids of rows, which are sorted, in 16 bytes each."""
        parts: list[bytes] = []
        for block, some in _by_block(rows):
            data = self._section(self.directory.ids[block])
            first = block * IDS_PER_BLOCK
            if some[-1] - some[0] == len(some) - 1:
                parts.append(data[(some[0] - first) * ID_BYTES : (some[-1] - first + 1) * ID_BYTES])
            else:
                parts += [data[at : at + ID_BYTES] for at in [(row - first) * ID_BYTES for row in some]]
        return b"".join(parts)

    def ids_at(self, rows: Sequence[int]) -> list[str]:
        """Ids of rows, which are sorted."""
        found: list[str] = []
        for block, some in _by_block(rows):
            if len(some) > IDS_PER_BLOCK // _FEW and some[-1] - some[0] == len(some) - 1:
                found += ids_in(self.packed_ids(range(some[0], some[-1] + 1)))
            else:
                digits, first = self._digits(block), block * IDS_PER_BLOCK
                found += [digits[at : at + _ID_DIGITS] for at in [(row - first) * _ID_DIGITS for row in some]]
        return found

    def _digits(self, block: int) -> str:
        """Ids of a block, one after the other; that of the last one is kept."""
        if self._last_digits is None or self._last_digits[0] != block:
            self._last_digits = block, self._section(self.directory.ids[block]).hex()
        return self._last_digits[1]

    def positions(self, ids: Collection[str]) -> dict[str, int]:
        """Rows of ids, of those that there are; reads no more blocks than it has to."""
        from bisect import bisect_left  # the usual query does not pay for it

        found: dict[str, int] = {}
        blocks = len(self.directory.ids)
        block, known = -1, [""]
        for job_id in sorted(ids):
            if not known[0] <= job_id <= known[-1]:
                if not blocks or len(job_id) != _ID_DIGITS:
                    continue
                block, known = self._block_around(job_id)
            place = bisect_left(known, job_id)
            if place < len(known) and known[place] == job_id:
                found[job_id] = block * IDS_PER_BLOCK + place
        return found

    def _block_around(self, job_id: str) -> tuple[int, list[str]]:
        """Block in which an id is, if it is in any; ids are hashes, so that they tell where they are."""
        last = len(self.directory.ids) - 1
        try:
            guess = int(job_id[:8], 16) * self.rows // (IDS_PER_BLOCK << 32)
        except ValueError:
            return 0, self._ids_in(self.directory.ids[0])
        low, high = 0, last
        block = max(0, min(guess, last))
        while True:
            ids = self._ids_in(self.directory.ids[block])
            if job_id < ids[0]:
                high = block - 1
                following = block - 1
            elif job_id > ids[-1]:
                low = block + 1
                following = block + 1
            else:
                return block, ids
            if low > high:
                return block, ids
            block = following if abs(following - guess) < 3 else (low + high) // 2

    def ids_with_prefix(self, prefix: str) -> Iterator[tuple[int, str]]:
        """Rows and ids of those that begin with some digits, sorted; reads no more blocks than it has to."""
        if not self.rows:
            return
        from bisect import bisect_left

        block, ids = self._block_around(prefix.ljust(_ID_DIGITS, "0"))
        place = bisect_left(ids, prefix)
        while True:
            for row, job_id in enumerate(ids[place:], block * IDS_PER_BLOCK + place):
                if not job_id.startswith(prefix):
                    return
                yield row, job_id
            block, place = block + 1, 0
            if block == len(self.directory.ids):
                return
            ids = self._ids_in(self.directory.ids[block])

    # values -------------------------------------------------------------------------------------------------------

    def all_rows(self) -> Rows:
        """All rows."""
        return Rows.of(b"\1" * self.rows)

    def keys_below(self, key: str) -> list[str]:
        """Dotted keys that begin with another one and a dot: that is a mapping in the state points that have them."""
        if self._below is None:
            self._below = {}
            for name in self.directory.keys:
                end = name.find(".")
                while end >= 0:
                    self._below.setdefault(name[:end], []).append(name)
                    end = name.find(".", end + 1)
        return self._below.get(key, [])

    def chunk_list(self, key: str) -> list[Chunk]:
        """Chunks of a dotted key; none if no state point has it."""
        place = self.directory.keys.get(key)
        return [] if place is None else self._chunk_list(place)

    def _chunk_list(self, place: Sequence[int]) -> list[Chunk]:
        chunks = [Chunk(*entry) for entry in canonical.loads(self._section(place))]
        numbers = (number for chunk in chunks for number in (chunk.kind, *chunk[3:]))
        if (
            not all(type(number) is int and number >= 0 for number in numbers)
            or sum(chunk.rows for chunk in chunks) > self.rows
            or sum(chunk.length for chunk in chunks) > self._size
        ):
            raise UnusableIndexError("damaged")
        return chunks

    def read_chunks(self, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, memoryview]]:
        """Content of chunks, neighbours with one call."""
        position = 0
        while position < len(chunks):
            first = position
            start = end = chunks[first].offset
            while position < len(chunks) and chunks[position].offset == end and end - start < _AT_ONCE:
                end += chunks[position].length
                position += 1
            data = memoryview(os.pread(self._fd, end - start, start))
            for chunk in chunks[first:position]:
                part = data[chunk.offset - start : chunk.offset - start + chunk.length]
                if len(part) != chunk.length or crc32(part) != chunk.crc:
                    raise UnusableIndexError("damaged")
                yield chunk, part

    def values_of(self, chunk: Chunk, data: memoryview) -> list[Any]:
        """Values of a chunk."""
        values: list[Any] = canonical.loads(bytes(data[: chunk.json_length]))
        return values

    def rows_of(self, chunk: Chunk, data: memoryview) -> Sequence[int]:
        """Rows of all values of a chunk, value by value."""
        if _covers_all(chunk, data):
            if chunk.rows != self.rows:
                raise UnusableIndexError("damaged")
            return range(self.rows)
        rows = _numbers(data[chunk.length - 4 * chunk.rows :])
        if chunk.rows and max(rows) >= self.rows:
            raise UnusableIndexError("damaged")
        return rows

    def counts_of(self, chunk: Chunk, data: memoryview) -> Sequence[int] | None:
        """Numbers of rows of each value of a chunk; None if each has one."""
        if chunk.rows == chunk.values:
            return None
        if _covers_all(chunk, data):
            return [chunk.rows]
        return _numbers(data[chunk.json_length : chunk.json_length + 4 * chunk.values])

    def postings(self, chunk: Chunk, data: memoryview) -> Iterator[tuple[Any, Sequence[int]]]:
        """Values of a chunk, and the rows of each."""
        values, rows, counts = self.values_of(chunk, data), self.rows_of(chunk, data), self.counts_of(chunk, data)
        start = 0
        for number, value in enumerate(values):
            end = start + (1 if counts is None else counts[number])
            yield value, rows[start:end]
            start = end

    def column(self, key: str, missing: Any = None) -> list[Any]:
        """Values of a dotted key by row, with ``missing`` where there is none. Equal values are one object."""
        return self._column(self.chunk_list(key), missing)

    def _column(self, chunks: list[Chunk], missing: Any) -> list[Any]:
        column = [missing] * self.rows
        for chunk, data in self.read_chunks(chunks):
            values, rows, counts = self.values_of(chunk, data), self.rows_of(chunk, data), self.counts_of(chunk, data)
            if counts is None:
                for row, value in zip(rows, values, strict=True):
                    column[row] = value
            elif len(rows) == self.rows and len(values) == 1:
                return values * self.rows
            else:
                start = 0
                for value, count in zip(values, counts, strict=True):
                    for row in rows[start : start + count]:
                        column[row] = value
                    start += count
        return column

    # state points -------------------------------------------------------------------------------------------------

    @property
    def texts(self) -> Texts:
        """State points (or documents) as JSON, by row."""
        if self._texts is None:
            from .texts import Texts  # what prints ids alone pays for no import

            self._texts = Texts(self._read, self._section(self.directory.texts), self.rows, self._size, ROWS_PER_BLOCK)
        return self._texts

    def trees(self, rows: Sequence[int]) -> Iterator[Any]:
        """State points (or documents) of rows, which are sorted."""
        for start in range(0, len(rows), _TREES_AT_ONCE):
            yield from self.texts.lines(rows[start : start + _TREES_AT_ONCE]).trees()

    def states(self) -> bytes:
        """What is in each row: `ABSENT`, `EMPTY`, `WHOLE`, or `ELSEWHERE`."""
        if not self.directory.states:
            return bytes([WHOLE]) * self.rows
        states = self._section(self.directory.states)
        if len(states) != self.rows:
            raise UnusableIndexError("damaged")
        return states


def _by_block(rows: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Blocks of ids, and the rows in them, of rows that are sorted."""
    start, number = 0, len(rows)
    while start < number:
        block = rows[start] // IDS_PER_BLOCK
        end = (block + 1) * IDS_PER_BLOCK
        stop = start + 1
        if rows[-1] - rows[start] == number - 1 - start:
            stop = min(number, start + end - rows[start])
        else:
            while stop < number and rows[stop] < end:
                stop += 1
        yield block, rows[start:stop]
        start = stop


def ids_in(data: bytes) -> list[str]:
    """Ids of 16 bytes each as strings."""
    return data.hex(" ", ID_BYTES).split()


def _check_directory(directory: Directory, size: int) -> None:
    """Make sure that a table does not claim to hold more than its file can.

    What it takes in memory and time is bounded by the size of the file then, whoever has written it.
    """
    places = [*directory.ids, *directory.keys.values(), directory.texts]
    places += [place for place in (directory.states, directory.extra) if place]
    if (
        not all(type(number) is int and number >= 0 for place in places for number in place)
        or any(len(place) != 3 for place in places)
        or sum(place[1] for place in places) > size
        or type(directory.rows) is not int
        or not 0 <= directory.rows <= size // ID_BYTES
        or (directory.ids and sum(place[1] for place in directory.ids) != directory.rows * ID_BYTES)
        or any(place[1] != IDS_PER_BLOCK * ID_BYTES for place in directory.ids[:-1])
    ):
        raise UnusableIndexError("damaged")


def _places(flags: bytes) -> Iterator[int]:
    """Where flags are 1."""
    place = flags.find(1)
    while place >= 0:
        yield place
        place = flags.find(1, place + 1)


def _covers_all(chunk: Chunk, data: memoryview) -> bool:
    return chunk.values == 1 and chunk.length == chunk.json_length


def _numbers(data: memoryview) -> Sequence[int]:
    """Little-endian numbers of 32 bits."""
    if len(data) <= _SMALL:
        return data.cast("I").tolist()
    from array import array  # takes less memory, and is faster

    numbers = array("I")
    numbers.frombytes(data)
    return numbers
