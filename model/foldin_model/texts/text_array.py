"""Many strings as one array of bytes, read one at a time; and finding rows by such strings.

All are views of arrays that may lie in a mapped file, so that a million strings cost a process
nothing until one is asked for.
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
    """String i is `packed[offsets[i]:offsets[i + 1]]` in UTF-8; `offsets` is (n + 1,) int64."""

    packed: Bytes
    offsets: Integers

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """The same strings, packed."""
        if isinstance(texts, cls):
            return texts
        return cls.packed_from([text.encode() for text in texts])

    @classmethod
    def packed_from(cls, encoded: Sequence[bytes]) -> Self:
        """The strings that these bytes are in UTF-8."""
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets_of(map(len, encoded)))

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> Self:
        """The strings of all parts, one after the other."""
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
    """Rows by key: those of `keys[i]` are `rows[starts[i]:starts[i + 1]]`, increasing.

    `keys` are sorted; `starts` is (keys + 1,) int64, `rows` (all,) int32.
    """

    keys: Sequence[str]
    starts: Integers
    rows: Rows

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[int]]) -> Self:
        """The rows of every key."""
        keys = sorted(rows)
        flat = (row for key in keys for row in rows[key])
        starts = offsets_of(len(rows[key]) for key in keys)
        return cls(Texts.of(keys), starts, np.fromiter(flat, np.int32, int(starts[-1])))

    def find(self, key: str) -> Rows:
        """The rows of a key; none where it is missing."""
        place = bisect_left(self.keys, key)
        found = place < len(self.keys) and self.keys[place] == key
        return self.rows[self.starts[place] : self.starts[place + found]]

    def beginning(self, start: str) -> Rows:
        """The rows of all keys that begin so, with repetitions."""
        first = bisect_left(self.keys, start)
        last = bisect_right(self.keys, start, first, key=lambda key: key[: len(start)])
        return self.rows[self.starts[first] : self.starts[last]]


class RowsById(Protocol):
    """Finds the rows of ids."""

    def get(self, id_: str, /) -> int | None:
        """The row of an id, or None."""
        ...

    def each(self, ids: Texts, /) -> Integers:
        """The rows of (n,) ids, -1 for those that there are not."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HashTableRows:
    """The row of each id, its place among `ids`, in a `table` of `foldin_model.texts.text_hash_kernels`."""

    ids: Texts
    table: Rows

    @classmethod
    def of(cls, ids: Iterable[str]) -> Self:
        """The rows of all ids; of an id that comes twice, the first."""
        packed = Texts.of(ids)
        table = np.full(2 << len(packed).bit_length(), text_hash_kernels.NOBODY, np.int32)
        text_hash_kernels.fill(packed.packed, packed.offsets, table)
        return cls(packed, table)

    def get(self, id_: str) -> int | None:
        """The row of an id, or None."""
        own, asked = self.ids, np.frombuffer(id_.encode(), np.uint8)
        row = text_hash_kernels.find_one(own.packed, own.offsets, self.table, asked)
        return None if row == text_hash_kernels.NOBODY else row

    def each(self, ids: Texts) -> Integers:
        """The rows of (n,) ids, -1 for those that there are not."""
        own = self.ids
        return text_hash_kernels.find(own.packed, own.offsets, self.table, ids.packed, ids.offsets)


@dataclass(frozen=True, slots=True, eq=False)
class SortedHashRows:
    """The row of each of many ids: `hashes` (n,) uint64 increasing, `rows` (n,) theirs."""

    ids: Sequence[str]
    hashes: Hashes
    rows: Rows

    @classmethod
    def of(cls, ids: Sequence[str]) -> Self:
        """The rows of all ids; of an id that comes twice, either."""
        hashes = np.fromiter(map(_hash, ids), np.uint64, len(ids))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(ids, hashes[order], order)

    def get(self, id_: str) -> int | None:
        """The row of an id, or None. Ids are compared, as hashes may collide."""
        hashed = np.uint64(_hash(id_))
        place = int(np.searchsorted(self.hashes, hashed))
        while place < len(self.hashes) and self.hashes[place] == hashed:
            row = int(self.rows[place])
            if self.ids[row] == id_:
                return row
            place += 1
        return None

    def each(self, ids: Texts) -> Integers:
        """The rows of (n,) ids, -1 for those that there are not."""
        hashes = np.fromiter(map(_hash, ids), np.uint64, len(ids))
        places = np.searchsorted(self.hashes[:-1], hashes)  # one past the end is the last
        rows = self.rows[places].tolist() if len(self.rows) else [-1] * len(ids)
        for place, (id_, row) in enumerate(zip(ids, rows, strict=True)):
            if row < 0 or self.ids[row] != id_:
                found = self.get(id_)
                rows[place] = -1 if found is None else found
        return np.array(rows, np.int64)


def offsets_of(lengths: Iterable[int]) -> Integers:
    """Where entries of these lengths begin, and the end of the last."""
    return starts_of(np.fromiter(lengths, np.int64))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
