"""Folds the histories of many users at once, each to the last bit as it is folded alone.

What is done number by number is done for all of them; sums and solves stay each user's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.fold_in.fold_in import fold_each
from foldin_model.fold_in.quadratic_head import QuadraticHead
from foldin_model.row_lists import RowLists


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """(m,) histories one after the other: the rows `rated`, which increase in each.

    `values` (n,) float64 are those of all rows.
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


def fold_together(head: QuadraticHead, histories: Histories, bases: Doubles) -> Doubles:
    """(m, d) vectors: that of `foldin_model.fold_in.fold_in.fold`, exact, for each history over its base.

    `bases` is (m, d).
    """
    rows, values, starts = histories.rated.rows, histories.values, histories.rated.starts
    if head.lead is not None:
        bases = bases + head.lead.of_each(rows, values, starts)
    if not head.quadratic:
        return bases
    vectors = np.ascontiguousarray(head.vectors[rows])
    weights, targets = head.weights(rows, values), head.targets(rows, values)
    return fold_each(vectors, weights, targets, starts, bases)
