"""Searches a matrix and a tail of rows behind it as one; the matrix keeps its index."""

from dataclasses import replace

import numpy as np

from foldin_model.arrays import Floats, Mask
from foldin_model.index.bounds import Bounds
from foldin_model.index.exact_index import Index, Proposal, PrunedIndex, Space


class IndexWithTail:
    """An `Index` over the `cut` rows of `first` and the rows of `tail` behind them.

    Both propose at least the best `count` rows of their own, so together they propose those of
    all. What neither proposed scores at most the greater of their rests.
    """

    def __init__(self, first: Index, cut: int, tail: Index) -> None:
        self._first = first
        self._cut = cut
        self._tail = tail

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """Proposes the rows of both, as `Index.search`."""
        cut = self._cut
        in_first = None if allowed is None else allowed[:cut]
        in_tail = None if allowed is None else allowed[cut:]
        first = self._first.search(query, count, in_first, below)
        tail = self._tail.search(query, count, in_tail, below)
        rows = np.concatenate((first.rows, tail.rows + np.int32(cut)))
        scores = np.concatenate((first.scores, tail.scores))
        order = np.argsort(-scores, kind="stable")
        return Proposal(rows[order], scores[order], max(first.rest, tail.rest))


def with_tail(space: Space, vectors: Floats, tail: Floats) -> Space:
    """Returns the space of `vectors`: those of `space`, then the (k, d) tail."""
    bounds = Bounds.of(tail, tail.shape[1])
    longest = max(space.longest, bounds.longest)
    return replace(
        space,
        vectors=vectors,
        index=IndexWithTail(space.index, len(space), PrunedIndex(tail, bounds)),
        longest=longest,
        quantized=None if space.quantized is None else space.quantized.with_tail(tail),
    )
