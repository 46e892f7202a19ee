"""Folds the histories of many users at once, each to the last bit as it is folded alone.

Elementwise work is done for all users together; sums and solves stay each user's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in.fold_in import fold_exact_batch
from foldin_model.fold_in.head import Head
from foldin_model.row_lists import RowLists


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """The ratings of m users by row, one user after the other.

    `rated` has the rows of each user, increasing; `values` (n,) float64 are the ratings of all
    rows in the same order.
    """

    rated: RowLists
    values: Doubles

    def __len__(self) -> int:
        return len(self.rated)

    def __getitem__(self, place: int) -> tuple[Rows, Doubles]:
        starts = self.rated.starts
        return self.rated[place], self.values[starts[place] : starts[place + 1]]

    def only(self, places: Sequence[int]) -> Self:
        """The histories at these places."""
        if len(places) == len(self):
            return self
        own = [self[place] for place in places]
        rated = RowLists.of([rows for rows, _ in own])
        return type(self)(rated, np.concatenate([values for _, values in own]))


def fold_batch(head: Head, histories: Histories, bases: Doubles) -> Doubles:
    """Returns (m, d) vectors: each history folded exactly over its own base, as `fold` does it.

    `bases` is (m, d).
    """
    rows, values, starts = histories.rated.rows, histories.values, histories.rated.starts
    if head.encoder is not None:
        bases = bases + head.encoder.encode_each(rows, values, starts)
    if not head.kind.solves:
        return bases
    vectors = np.ascontiguousarray(head.vectors[rows])
    weights, targets = head.weights(values), head.targets(rows, values)
    return fold_exact_batch(vectors, weights, targets, starts, bases)
