"""Many strings as one array of bytes, and tables that find rows by such strings.

All are views of arrays that may lie in a mapped file: a million strings cost a process nothing
until one is read.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol, Self, overload

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Integers, Rows
from foldin_model.row_lists import starts_of
from foldin_model.texts import text_hash_kernels

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
_NO_SIZE: Final = np.zeros(1, np.int64)
_NO_BYTE: Final = np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Texts(Sequence[str]):
    """n strings in UTF-8: string i is `packed[offsets[i]:offsets[i + 1]]`."""

    packed: Bytes
    offsets: Integers

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Returns the strings, packed."""
        if isinstance(texts, cls):
            return texts
        return cls.packed_from([text.encode() for text in texts])

    @classmethod
    def packed_from(cls, encoded: Sequence[bytes]) -> Self:
        """Returns the strings of these bytes in UTF-8."""
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets_of(map(len, encoded)))

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> Self:
        """Returns the strings of all parts, one after the other."""
        packed = [part.packed[part.offsets[0] : part.offsets[-1]] for part in parts]
        sizes = [part.offsets[1:] - part.offsets[:-1] for part in parts]
        ends = np.cumsum(np.concatenate((_NO_SIZE, *sizes)), dtype=np.int64)
        return cls(np.concatenate((_NO_BYTE, *packed)), ends)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return self.packed[self.offsets[place] : self.offsets[place + 1]].tobytes().decode()


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Rows by key: the rows of `keys[i]` are `rows[starts[i]:starts[i + 1]]`, increasing.

    `keys` are sorted; `starts` is (keys + 1,) int64, `rows` (all,) int32.
    """

    keys: Sequence[str]
    starts: Integers
    rows: Rows

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[int]]) -> Self:
        """Returns the postings of these rows by key."""
        keys = sorted(rows)
        flat = (row for key in keys for row in rows[key])
        starts = offsets_of(len(rows[key]) for key in keys)
        return cls(Texts.of(keys), starts, np.fromiter(flat, np.int32, int(starts[-1])))

    def find(self, key: str) -> Rows:
        """Returns the rows of a key; none where it is missing."""
        place = bisect_left(self.keys, key)
        found = place < len(self.keys) and self.keys[place] == key
        return self.rows[self.starts[place] : self.starts[place + found]]

    def beginning(self, start: str) -> Rows:
        """Returns the rows of all keys that begin with `start`, with repetitions."""
        first = bisect_left(self.keys, start)
        last = bisect_right(self.keys, start, first, key=lambda key: key[: len(start)])
        return self.rows[self.starts[first] : self.starts[last]]


class RowsById(Protocol):
    """A table that finds the rows of ids."""

    def get(self, id_: str, /) -> int | None:
        """Returns the row of an id, or None."""
        ...

    def each(self, ids: Texts, /) -> Integers:
        """Returns the rows of (n,) ids, -1 for ids without one."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HashTableRows:
    """Rows by id in a hash table (`foldin_model.texts.text_hash_kernels`): fast, and in memory.

    The row of an id is its place among `ids`.
    """

    ids: Texts
    table: Rows

    @classmethod
    def of(cls, ids: Iterable[str]) -> Self:
        """Returns the rows of all ids; of an id that comes twice, the first."""
        packed = Texts.of(ids)
        table = np.full(2 << len(packed).bit_length(), text_hash_kernels.MISSING, np.int32)
        text_hash_kernels.fill(packed.packed, packed.offsets, table)
        return cls(packed, table)

    def get(self, id_: str) -> int | None:
        """Returns the row of an id, or None."""
        own, wanted = self.ids, np.frombuffer(id_.encode(), np.uint8)
        row = text_hash_kernels.find_one(own.packed, own.offsets, self.table, wanted)
        return None if row == text_hash_kernels.MISSING else row

    def each(self, ids: Texts) -> Integers:
        """Returns the rows of (n,) ids, -1 for ids without one."""
        own = self.ids
        return text_hash_kernels.find(own.packed, own.offsets, self.table, ids.packed, ids.offsets)


@dataclass(frozen=True, slots=True, eq=False)
class SortedHashRows:
    """Rows by id in sorted hashes, which may lie in a mapped file: slower, and without memory.

    `hashes` (n,) uint64 increase; `rows` (n,) are the rows of their ids.
    """

    ids: Sequence[str]
    hashes: Hashes
    rows: Rows

    @classmethod
    def of(cls, ids: Sequence[str]) -> Self:
        """Returns the rows of all ids; of an id that comes twice, either."""
        hashes = np.fromiter(map(_hash, ids), np.uint64, len(ids))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(ids, hashes[order], order)

    def get(self, id_: str) -> int | None:
        """Returns the row of an id, or None. Ids are compared too, for hashes may collide."""
        hashed = np.uint64(_hash(id_))
        place = int(np.searchsorted(self.hashes, hashed))
        while place < len(self.hashes) and self.hashes[place] == hashed:
            row = int(self.rows[place])
            if self.ids[row] == id_:
                return row
            place += 1
        return None

    def each(self, ids: Texts) -> Integers:
        """Returns the rows of (n,) ids, -1 for ids without one."""
        hashes = np.fromiter(map(_hash, ids), np.uint64, len(ids))
        places = np.searchsorted(self.hashes[:-1], hashes)  # one past the end is the last
        rows = self.rows[places].tolist() if len(self.rows) else [-1] * len(ids)
        for place, (id_, row) in enumerate(zip(ids, rows, strict=True)):
            if row < 0 or self.ids[row] != id_:
                found = self.get(id_)
                rows[place] = -1 if found is None else found
        return np.array(rows, np.int64)


def offsets_of(lengths: Iterable[int]) -> Integers:
    """Returns where entries of these lengths begin, and the end of the last."""
    return starts_of(np.fromiter(lengths, np.int64))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
