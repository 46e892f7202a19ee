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

    @classmethod
    def of(cls, rows: Sequence[Rows]) -> Self:
        owners = np.arange(len(rows)).repeat([len(one) for one in rows])
        return cls(np.concatenate(rows), owners)

    def inside(self, block: Block, left: Integers) -> "_Hidden":
        """The rows of a block, counted from its start, whose owners, places in `left`, are left."""
        inside = (self.rows >= block.start) & (self.rows < block.start + len(block))
        rows, owners = self.rows[inside] - block.start, self.owners[inside]
        places = np.searchsorted(left, owners).clip(max=len(left) - 1)
        there = left[places] == owners
        return _Hidden(rows[there], places[there])


class _Search:
    """(m, d) queries on their way through blocks; those whose lists are complete stay behind.

    `vectors` (n, d) are the rows of all blocks.
    """

    def __init__(
        self,
        vectors: Floats,
        queries: Doubles,
        turned: CoarseQueries,
        hidden: Sequence[Rows],
        count: int,
    ) -> None:
        self._vectors = vectors
        self._queries = queries
        self._hidden = _Hidden.of(hidden)
        self._count = count
        self._left = np.arange(len(queries))
        self._turned = turned  # of those who are left, as the floors are
        self._floors = np.full(len(queries), -np.inf)
        self._searched = 0
        self.lists = Lists.empty(len(queries))

    def goes_on(self, ceilings: Doubles) -> bool:
        """Whether a list can be improved by rows that score at most `ceilings` (m,)."""
        hopeful = ceilings[self._left] >= self._floors
        if not hopeful.all():
            self._left, self._floors = self._left[hopeful], self._floors[hopeful]
            self._turned = self._turned.at(hopeful)
        return len(self._left) > 0

    def through(self, block: Block, turning: Turning) -> None:
        """The lists are those of the block's rows too."""
        scores = block.scores(turning, self._turned)
        everything = len(block) == len(self._vectors)
        hidden = self._hidden if everything else self._hidden.inside(block, self._left)
        scores.hide(hidden.rows, hidden.owners)
        few = self._searched < len(block)  # what few rows score is no measure for many
        places, rows = scores.promising(self._floors, self._count, alone=few)
        self._searched += len(block)
        if len(rows) == 0:
            return
        found, owners = (rows + block.start).astype(np.int32), self._left[places]
        exact = canonical_scores(self._vectors, found, self._queries[owners])
        self.lists = self.lists.and_of(found, exact, owners, self._count)
        if not everything:
            self._floors = self.lists.floors(self._count)[self._left]


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
        turned = self._turning.coarse(queries)
        search = _Search(vectors, queries, turned, hidden, count)
        if count < 1 or len(self._blocks) == 0:
            return search.lists
        first, *others = self._blocks
        search.through(first, self._turning)
        if others:
            ceilings = self._bounds.ceilings(queries).T
            for block, ceiling in zip(others, ceilings[1:], strict=True):
                if not search.goes_on(ceiling):
                    break
                search.through(block, self._turning)
        return search.lists
