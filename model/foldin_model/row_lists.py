"""Many lists of rows in a few arrays: the hits of searches, and rows for each of many users."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from foldin_model.arrays import Doubles, Integers, Rows

_NO_ROW: Rows = np.empty(0, np.int32)


class HitLists(NamedTuple):
    """The hits of m searches in canonical order, at most `most` of each.

    `rows` (m, most) int32 and `scores` (m, most) float64; list i has `counts[i]` hits, what stands
    behind them has no meaning.
    """

    rows: Rows
    scores: Doubles
    counts: Integers

    @classmethod
    def empty(cls, lists: int, most: int) -> Self:
        """Returns that many lists without hits."""
        shape = (lists, most)
        return cls(np.zeros(shape, np.int32), np.zeros(shape), np.zeros(lists, np.int64))

    def floors(self) -> Doubles:
        """(m,): the score that a further hit needs at least to get into each list."""
        full = self.counts == self.rows.shape[1]
        return np.where(full, self.scores[:, -1], -np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class RowLists:
    """m lists of rows, one after the other: the i-th is `rows[starts[i] : starts[i + 1]]`.

    `rows` is (n,) int32, `starts` (m + 1,) int64.
    """

    rows: Rows
    starts: Integers

    @classmethod
    def of(cls, lists: Sequence[Rows]) -> Self:
        """Returns the lists of these arrays."""
        return cls(np.concatenate((_NO_ROW, *lists)), starts_of([*map(len, lists)]))

    @classmethod
    def empty(cls, lists: int) -> Self:
        """Returns that many lists without a row."""
        return cls(_NO_ROW, np.zeros(lists + 1, np.int64))

    @classmethod
    def joined(cls, parts: Sequence["RowLists"]) -> Self:
        """Returns the lists of all parts, in order."""
        sizes = [part.sizes for part in parts]
        return cls(np.concatenate([part.rows for part in parts]), starts_of(np.concatenate(sizes)))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> Rows:
        return self.rows[self.starts[place] : self.starts[place + 1]]

    @property
    def sizes(self) -> Integers:
        """(m,): the number of rows of each list."""
        return self.starts[1:] - self.starts[:-1]

    def each_with(self, rows: Rows) -> "RowLists":
        """Returns every list with these rows appended."""
        if not len(rows):
            return self
        return RowLists.of([np.concatenate((self[place], rows)) for place in range(len(self))])


def starts_of(sizes: "Sequence[int] | Integers") -> Integers:
    """(m + 1,): where each of m lists of these sizes starts, and where the last ends."""
    starts = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts
