"""Hits of several searches that are made together."""

from typing import NamedTuple, Self

import numpy as np

from foldin_model.arrays import Doubles, Integers, Rows


class Lists(NamedTuple):
    """(m,) lists in canonical order, each of `most` hits at most.

    `rows` (m, most) int32 and `scores` (m, most) float64 are those of hits as far as `counts` (m,).
    """

    rows: Rows
    scores: Doubles
    counts: Integers

    @classmethod
    def empty(cls, lists: int, most: int) -> Self:
        """So many lists without hits."""
        shape = (lists, most)
        return cls(np.zeros(shape, np.int32), np.zeros(shape), np.zeros(lists, np.int64))

    def floors(self) -> Doubles:
        """(m,): what a further hit must score to be in each list."""
        full = self.counts == self.rows.shape[1]
        return np.where(full, self.scores[:, -1], -np.inf)
