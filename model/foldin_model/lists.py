"""Hits of several searches that were made together."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from foldin_model.arrays import Doubles, Integers, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The hits of (m,) lists one after the other: `rows` (n,) int32 and `scores` (n,) float64.

    `counts` (m,) are the lengths of the lists; `owners` (n,) say whose list a hit is in.
    """

    rows: Rows
    scores: Doubles
    owners: Integers
    counts: Integers

    @classmethod
    def empty(cls, lists: int) -> Self:
        """So many lists without hits."""
        nothing = np.empty(0, np.int64)
        return cls(nothing.astype(np.int32), np.empty(0), nothing, np.zeros(lists, np.int64))

    def with_hits(self, rows: Rows, scores: Doubles, owners: Integers, count: int) -> "Lists":
        """The first `count` of each list and of further hits for it, in canonical order."""
        if len(self.rows):
            rows = np.concatenate((self.rows, rows))
            scores = np.concatenate((self.scores, scores))
            owners = np.concatenate((self.owners, owners))
        order = np.lexsort((rows, -scores, owners))
        found = np.bincount(owners, minlength=len(self.counts))
        place = np.arange(len(order)) - (found.cumsum() - found).repeat(found)
        order = order[place < count]
        return Lists(rows[order], scores[order], owners[order], np.minimum(found, count))

    def floors(self, count: int) -> Doubles:
        """(m,): what a further hit must score to be among the first `count`."""
        floors = np.full(len(self.counts), -np.inf)
        full = self.counts == count
        floors[full] = self.scores[np.cumsum(self.counts)[full] - 1]
        return floors
