"""Arrays and sequences of two parts read as one: a version's rows, then the rows of new items.

The parts of a small catalog are copied together. Of a catalog that is mapped from a file only a few
numbers a row are copied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast, overload

import numpy as np

from foldin_model.arrays import Floats, Integers, Rows
from foldin_model.texts.text_array import Postings, RowsById, Texts

COPIED_ROWS: Final = 50_000
Entry = TypeVar("Entry")


class StackedMatrix:
    """The rows of `first` (n, d), then those of `second` (m, d), to be indexed by row or column.

    It supports the operations that serving uses; others fail.
    """

    def __init__(self, first: Floats, second: Floats) -> None:
        self._first = first
        self._second = second
        self.shape: tuple[int, ...] = (len(first) + len(second), *first.shape[1:])
        self.size = first.size + second.size

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            every, columns = key
            if every != slice(None):
                raise IndexError(f"only whole columns can be cut, not {key!r}")
            return StackedMatrix(self._first[:, columns], self._second[:, columns])
        cut = len(self._first)
        if isinstance(key, int | np.integer):
            return self._first[key] if key < cut else self._second[key - cut]
        rows = np.asarray(key)
        later = rows >= cut
        if not later.any():
            return self._first[rows]
        found = np.empty((len(rows), *self.shape[1:]), np.float32)
        found[~later] = self._first[rows[~later]]
        found[later] = self._second[rows[later] - cut]
        return found


def stacked_matrix(first: Floats, second: Floats) -> Floats:
    """Returns both matrices as one: a copy if the first is small, else a `StackedMatrix`."""
    if len(first) <= COPIED_ROWS:
        return np.concatenate((first, second.astype(np.float32, copy=False)))
    return cast("Floats", StackedMatrix(first, second))


@dataclass(frozen=True, slots=True, eq=False)
class StackedSequence(Sequence[Entry]):
    """The entries of `first`, then those of `second`."""

    first: Sequence[Entry]
    second: Sequence[Entry]

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        cut = len(self.first)
        return self.first[place] if place < cut else self.second[place - cut]


def stacked_sequence(first: Sequence[Entry], second: Sequence[Entry]) -> Sequence[Entry]:
    """Returns both sequences as one: a tuple if the first is one, else a view."""
    return (*first, *second) if isinstance(first, tuple) else StackedSequence(first, second)


@dataclass(frozen=True, slots=True, eq=False)
class StackedPostings(Postings):
    """Postings, then those of `later` parts, whose rows are greater from part to part."""

    later: tuple[Postings, ...]

    def find(self, key: str) -> Rows:
        """Returns the rows of a key; none where it is missing."""
        return np.concatenate((Postings.find(self, key), *(p.find(key) for p in self.later)))

    def beginning(self, start: str) -> Rows:
        """Returns the rows of all keys that begin with `start`, with repetitions."""
        later = (postings.beginning(start) for postings in self.later)
        return np.concatenate((Postings.beginning(self, start), *later))


def stacked_postings(first: Postings, later: Iterable[tuple[Postings, int]]) -> Postings:
    """Returns all as one; the rows of each later part are raised by the number beside it."""
    moved = (Postings(p.keys, p.starts, p.rows + np.int32(cut)) for p, cut in later)
    return StackedPostings(first.keys, first.starts, first.rows, tuple(moved))


@dataclass(frozen=True, slots=True, eq=False)
class StackedRows:
    """Finds rows by id in two parts, the first part first.

    Rows of the second part are counted from `cut`.
    """

    first: RowsById
    second: RowsById
    cut: int

    def get(self, id_: str) -> int | None:
        """Returns the row of an id, or None."""
        row = self.first.get(id_)
        if row is None and (row := self.second.get(id_)) is not None:
            row += self.cut
        return row

    def each(self, ids: Texts) -> Integers:
        """Returns the rows of (n,) ids, -1 for ids without one."""
        rows, behind = self.first.each(ids), self.second.each(ids)
        return np.where(rows < 0, np.where(behind < 0, behind, behind + self.cut), rows)
