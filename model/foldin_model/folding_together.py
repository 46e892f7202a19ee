"""Folds the histories of many users at once, each to the last bit as it is folded alone.

What is done number by number is done for all of them; sums and solves stay each user's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.folding import fold_each
from foldin_model.heads import QuadraticHead


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """(m,) histories one after the other: all `rows` (n,) int32 and `values` (n,) float64.

    The i-th is from `starts[i]` to `starts[i + 1]`; its rows increase.
    """

    rows: Rows
    values: Doubles
    starts: Sequence[int]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> tuple[Rows, Doubles]:
        own = slice(self.starts[place], self.starts[place + 1])
        return self.rows[own], self.values[own]

    def only(self, places: Sequence[int]) -> Self:
        """The histories at these places."""
        if len(places) == len(self):
            return self
        own = [self[place] for place in places]
        ends = np.cumsum([len(rows) for rows, _ in own]).tolist()
        rows = np.concatenate([rows for rows, _ in own])
        return type(self)(rows, np.concatenate([values for _, values in own]), (0, *ends))


def fold_together(head: QuadraticHead, histories: Histories, bases: Doubles) -> Doubles:
    """(m, d) vectors: that of `foldin_model.folding.fold`, exact, for each history over its base.

    `bases` is (m, d).
    """
    rows, values, starts = histories.rows, histories.values, np.array(histories.starts)
    if head.lead is not None:
        bases = bases + head.lead.of_each(rows, values, starts)
    if not head.quadratic:
        return bases
    vectors = np.ascontiguousarray(head.vectors[rows])
    weights, targets = head.weights(rows, values), head.targets(rows, values)
    return fold_each(vectors, weights, targets, starts, bases)
