"""Answers several plain searches of one space by one matrix product.

Plain means: the first items in canonical order that a user has not seen. The answers are those of
`foldin_model.searching`, bit for bit, for the same scores in float64 decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foldin_model.arrays import Doubles, Integers, Rows
from foldin_model.coarse import HIDDEN
from foldin_model.indexing import Space
from foldin_model.searching import Hits, canonical_scores


def can_search_together(space: Space) -> bool:
    """Whether searches of this space gain by company."""
    return space.coarse is not None


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The hits of (m,) lists one after the other: `rows` (n,) int32 and `scores` (n,) float64.

    `counts` (m,) are the lengths of the lists; `owners` (n,) say whose list a hit is in.
    """

    rows: Rows
    scores: Doubles
    owners: Integers
    counts: Integers


def search_together(space: Space, queries: Doubles, seen: Sequence[Rows], count: int) -> list[Hits]:
    """The first `count` rows for each of (m, d) queries without its `seen` (any,) rows."""
    lists = lists_together(space, queries, seen, count)
    cuts = np.cumsum(lists.counts)[:-1]
    pairs = zip(np.split(lists.rows, cuts), np.split(lists.scores, cuts), strict=True)
    return [Hits(rows, scores) for rows, scores in pairs]


def lists_together(space: Space, queries: Doubles, seen: Sequence[Rows], count: int) -> Lists:
    """`search_together` in arrays."""
    coarse = space.coarse
    if coarse is None:
        raise ValueError("this space answers one query at a time; make it with together=True")
    scores = coarse.scores(queries)
    hidden = np.repeat(np.arange(len(queries)), [len(rows) for rows in seen])
    scores.numbers[hidden, np.concatenate(seen)] = HIDDEN
    promising = np.flatnonzero(scores.numbers >= scores.floors(count)[:, None])
    owners, rows = np.divmod(promising, len(space))
    found = np.bincount(owners, minlength=len(queries))
    exact = canonical_scores(space.vectors, rows, np.repeat(queries, found, axis=0))
    order = np.lexsort((-exact, owners))  # rows increase, and stay so where scores are equal
    place = np.arange(len(order)) - np.repeat(np.cumsum(found) - found, found)
    first = place < count
    order, owners = order[first], owners[first]
    return Lists(rows[order].astype(np.int32), exact[order], owners, np.minimum(found, count))
