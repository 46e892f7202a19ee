"""Many strings as one array of bytes, read one at a time; and finding rows by such strings.

All are views of arrays that may lie in a mapped file, so that a million strings cost a process
nothing until one is asked for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Integers, Rows

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Default = TypeVar("Default")


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
        encoded = [text.encode() for text in texts]
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets_of(map(len, encoded)))

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
    """Finds the row of an id."""

    def get(self, id_: str, default: Default, /) -> int | Default:
        """The row of an id, or the default."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HashedRows:
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

    def get(self, id_: str, default: Default, /) -> int | Default:
        """The row of an id, or the default. Ids are compared, as hashes may collide."""
        hashed = np.uint64(_hash(id_))
        place = int(np.searchsorted(self.hashes, hashed))
        while place < len(self.hashes) and self.hashes[place] == hashed:
            row = int(self.rows[place])
            if self.ids[row] == id_:
                return row
            place += 1
        return default


def offsets_of(lengths: Iterable[int]) -> Integers:
    """Where entries of these lengths begin, and the end of the last."""
    return np.cumsum(np.fromiter((0, *lengths), np.int64), dtype=np.int64)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
