"""Retrieves the best items for a query in canonical order: score descending, row ascending.

An index proposes candidates, in float32 or in int8 (`foldin_model.index.block_search`). Every
candidate is scored again in float64, each row by itself, so that pages, transports and the
evaluator agree to the last bit. Pages continue strictly after a cursor.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from foldin_model.arrays import Doubles, Mask, Rows
from foldin_model.index.block_search import NONE_HIDDEN
from foldin_model.index.canonical_score import canonical_scores
from foldin_model.index.exact_index import Proposal, Space
from foldin_model.index.rounding_error import float32_above
from foldin_model.row_lists import HitLists, RowLists
from foldin_model.trained.snapshot import Snapshot

GROWTH: Final = 4
DIRECT_ROWS: Final = 1_024


class Cursor(NamedTuple):
    """A place in the canonical order."""

    score: float
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Items in canonical order: `rows` (n,) int32 with their scores (n,) float64."""

    rows: Rows
    scores: Doubles

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def last(self) -> Cursor:
        """The cursor after which the next page continues. There must be a hit."""
        return Cursor(float(self.scores[-1]), int(self.rows[-1]))


def search(
    snapshot: Snapshot,
    query: Doubles,
    allowed: Mask | None,
    count: int,
    after: Cursor | None = None,
) -> Hits:
    """Returns the first `count` allowed items for a query (`Model.query`) after the cursor."""
    return search_space(snapshot.retrieval, query, allowed, count, after)


def popular_items(
    snapshot: Snapshot, allowed: Mask | None, count: int, after: Cursor | None = None
) -> Hits:
    """Returns the first `count` allowed items for an unknown user after the cursor."""
    return search_space(snapshot.retrieval, snapshot.popular_query, allowed, count, after)


def search_space(
    space: Space, query: Doubles, allowed: Mask | None, count: int, after: Cursor | None = None
) -> Hits:
    """Returns the first `count` allowed rows of `space` after the cursor, in canonical order.

    Without a mask and a cursor they are found as `search_batch` finds them. Else more candidates
    are requested until no other row can belong to the answer: the float32 score of a row that was
    not proposed is at most the `rest` of the proposal, and `Space.slack` bounds the rounding.
    """
    if allowed is None and after is None and space.quantized is not None:
        rows, scores, counts = search_batch(space, query[None, :], NONE_HIDDEN, count)
        return Hits(rows[0, : counts[0]], scores[0, : counts[0]])
    total = len(space) if allowed is None else int(np.count_nonzero(allowed))
    if allowed is not None and total <= DIRECT_ROWS:
        return _first(_ordered(space, _rows(allowed), query, after), count)
    slack = space.slack(query)
    below = np.inf if after is None else float32_above(after.score + slack)
    wanted = count
    while wanted < total:
        proposal = _proposed(space, query, wanted, allowed, below)
        rows = proposal.rows[proposal.scores <= below]
        hits = _ordered(space, rows, query, after)
        certain = int(np.count_nonzero(hits.scores > proposal.rest + slack))
        if certain >= count or proposal.rest == -np.inf:
            return _first(hits, count)
        wanted *= GROWTH
    everything = np.ones(len(space), np.bool_) if allowed is None else allowed
    return _first(_ordered(space, _rows(everything), query, after), count)


def search_batch(space: Space, queries: Doubles, hidden: RowLists, count: int) -> HitLists:
    """Returns the first `count` rows for each of (m, d) queries without its `hidden` rows.

    The answers equal those of `search_space`. Raises ValueError for a space without int8 rows.
    """
    if space.quantized is None:
        raise ValueError("this space answers one query at a time; make it with quantized=True")
    return space.quantized.search(queries, hidden, count)


def _rows(mask: Mask) -> Rows:
    return np.flatnonzero(mask).astype(np.int32)


def _proposed(
    space: Space, query: Doubles, count: int, allowed: Mask | None, below: float
) -> Proposal:
    proposal = space.index.search(query.astype(np.float32), count, allowed, below)
    rows = proposal.rows
    if len(np.unique(rows)) < len(rows) or (allowed is not None and not allowed[rows].all()):
        raise RuntimeError("the index proposed a row twice or one that was not allowed")
    return proposal


def _ordered(space: Space, rows: Rows, query: Doubles, after: Cursor | None) -> Hits:
    scores = canonical_scores(space.vectors, rows, query)
    if after is not None:
        later = (scores < after.score) | ((scores == after.score) & (rows > after.row))
        rows, scores = rows[later], scores[later]
    order = np.lexsort((rows, -scores))
    return Hits(rows[order], scores[order])


def _first(hits: Hits, count: int) -> Hits:
    return Hits(hits.rows[:count], hits.scores[:count])
