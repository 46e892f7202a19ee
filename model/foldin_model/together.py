"""Answers several plain searches of one space by one matrix product.

Plain means: the first items in canonical order that a user has not seen. The answers are those of
`foldin_model.searching`, bit for bit, for the same scores in float64 decide.
"""

from collections.abc import Sequence

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.indexing import Space
from foldin_model.searching import Hits, canonical_scores


def can_search_together(space: Space) -> bool:
    """Whether searches of this space gain by company."""
    return space.columns is not None


def search_together(space: Space, queries: Doubles, seen: Sequence[Rows], count: int) -> list[Hits]:
    """The first `count` rows for each of (m, d) queries without its `seen` (any,) rows."""
    columns = space.columns
    if columns is None:
        raise ValueError("this space answers one query at a time; make it with together=True")
    scores = columns.scores(queries.astype(np.float32))
    for own, rows in zip(scores, seen, strict=True):
        own[rows] = -np.inf
    floors = columns.floors(scores, queries, count)
    owners, rows = np.divmod(np.flatnonzero(scores >= floors[:, None]), len(space))
    exact = canonical_scores(space.vectors, rows, queries[owners])
    order = np.lexsort((rows, -exact, owners))
    rows, exact = rows[order].astype(np.int32), exact[order]
    ends = np.cumsum(np.bincount(owners, minlength=len(queries))).tolist()
    return [
        Hits(rows[start : min(end, start + count)], exact[start : min(end, start + count)])
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
