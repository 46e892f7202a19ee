"""Searches the rows of a matrix in whole numbers, block after block, for several queries at once.

The scores of `foldin_model.coarse` say which rows may be among the best, and exact ones decide. As
soon as no row of the blocks that are left can be, the search ends.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.bounding import BLOCK_ROWS, Bounds
from foldin_model.coarse import CoarseMatrix, CoarseQueries, CoarseScores, Turning
from foldin_model.lists import Lists
from foldin_model.scoring import canonical_scores

JOINED: Final = 2
"""Bounds a block: with more the search ends later, with fewer it takes more steps."""
NOTHING: Final[Rows] = np.empty(0, np.int32)


class Block:
    """The rows (k, d) of a matrix from `start` on, in whole numbers from their first search on."""

    def __init__(self, start: int, vectors: Floats) -> None:
        self.start = start
        self._vectors = vectors
        self._matrix: CoarseMatrix | None = None

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def memory_bytes(self) -> int:
        """What its whole numbers take: nothing before the first search."""
        return 0 if self._matrix is None else self._matrix.memory_bytes

    def scores(self, turning: Turning, queries: CoarseQueries) -> CoarseScores:
        """About the scores of its rows. Two threads that come first do the same work twice."""
        matrix = self._matrix
        if matrix is None:
            matrix = self._matrix = CoarseMatrix(self._vectors, turning)
        return matrix.scores(queries)


class _Hidden(NamedTuple):
    """Rows (n,) that their owners (n,), which are places of queries, are not to be shown."""

    rows: Rows
    owners: Integers
    queries: int

    @classmethod
    def of(cls, rows: Sequence[Rows]) -> Self:
        queries = len(rows)
        owners = np.arange(queries).repeat([len(one) for one in rows])
        return cls(np.concatenate(rows), owners, queries)

    def hide(self, scores: CoarseScores, block: Block, left: Integers) -> None:
        """Takes the rows out of the scores in a block of those queries that are `left`."""
        if len(self.rows) == 0:
            return
        inside = (self.rows >= block.start) & (self.rows < block.start + len(block))
        owners, rows = self.owners[inside], self.rows[inside] - block.start
        if len(left) < self.queries:
            places = np.searchsorted(left, owners).clip(max=len(left) - 1)
            there = left[places] == owners
            owners, rows = places[there], rows[there]
        scores.hide(owners, rows)


class CoarseBlocks:
    """All rows of a matrix (n, d) in blocks, in an order in which fewer and fewer can be good.

    The lengths of `bounds` hold for the rows from the beginning of each block on.
    """

    def __init__(self, blocks: Sequence[Block], bounds: Bounds, turning: Turning) -> None:
        self._blocks = blocks
        self._bounds = bounds
        self._turning = turning

    @classmethod
    def of(cls, vectors: Floats, bounds: Bounds) -> Self:
        """In every block several of those that `bounds` has."""
        size = JOINED * BLOCK_ROWS
        starts = range(0, len(vectors), size)
        blocks = [Block(start, vectors[start : start + size]) for start in starts]
        return cls(blocks, bounds.every(JOINED), Turning.of(vectors[:size]))

    @classmethod
    def whole(cls, vectors: Floats, bounds: Bounds) -> Self:
        """All rows in one block."""
        blocks = [Block(0, vectors)] if len(vectors) else []
        return cls(blocks, bounds.first, Turning.of(vectors))

    def followed_by(self, tail: Floats) -> "CoarseBlocks":
        """These blocks and (k, d) rows behind them, which are searched before all others."""
        start = sum(len(block) for block in self._blocks)
        bounds = Bounds.of(tail, self._bounds.cut).first.before(self._bounds)
        return CoarseBlocks([Block(start, tail), *self._blocks], bounds, self._turning)

    @property
    def reached(self) -> int:
        """How many rows have been searched at least once: about as many as the next search does."""
        return sum(len(block) for block in self._blocks if block.memory_bytes)

    @property
    def memory_bytes(self) -> int:
        """What the blocks that have been searched take; the others are hardly ever."""
        return sum(block.memory_bytes for block in self._blocks)

    def search(
        self, vectors: Floats, queries: Doubles, hidden: Sequence[Rows], count: int
    ) -> Lists:
        """The first `count` rows of `vectors` for each of (m, d) queries without its `hidden` rows.

        `vectors` (n, d) are the matrix itself.
        """
        lists = Lists.empty(len(queries))
        if count < 1:
            return lists
        unwanted = _Hidden.of(hidden)
        turned = self._turning.coarse(queries)
        left = np.arange(len(queries))
        floors = None
        ceilings = self._bounds.ceilings(queries) if len(self._blocks) > 1 else None
        for place, block in enumerate(self._blocks):
            if floors is not None and ceilings is not None:
                goes_on = ceilings[:, place] >= floors
                if not goes_on.all():
                    left, floors, ceilings = left[goes_on], floors[goes_on], ceilings[goes_on]
                    turned = turned.at(goes_on)
                    if len(left) == 0:
                        break
            scores = block.scores(self._turning, turned)
            unwanted.hide(scores, block, left)
            places, rows = scores.promising(floors, count)
            if len(rows) == 0:
                continue
            found, owners = (rows + block.start).astype(np.int32), left[places]
            exact = canonical_scores(vectors, found, queries[owners])
            lists = lists.with_(found, exact, owners, count)
            if ceilings is not None:
                floors = lists.floors(count)[left]
        return lists
