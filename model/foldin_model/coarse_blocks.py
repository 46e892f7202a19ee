"""Searches the rows of a matrix block after block, for several queries at once.

The scores of `foldin_model.coarse` say which rows may be among the best, and exact ones decide. As
soon as no row of the blocks that are left can be, the search ends.
"""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np

from foldin_model import scan_kernels
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.bounding import BLOCK_ROWS, Bounds
from foldin_model.coarse import HIDDEN, CoarseMatrix, CoarseQueries, Layout, Turning
from foldin_model.lists import Lists, RowLists
from foldin_model.rounding import rounding
from foldin_model.whole_rows import PackedRows, WholeNumbers, small_rows

JOINED: Final = 2
"""How many bounds a block has: with more the search ends later, with fewer in more steps."""
ROOM: Final = 1.5
"""Whole numbers are made of so many times the rows that a usual search reads."""
MOST_SHARE: Final = 1 / 16
"""Where whole numbers leave more of a block than this, they are no help."""
NOTHING: Final = RowLists.empty(1)
"""What is hidden from a single query from which nothing is."""


class Block:
    """The rows (k, d) of a matrix from `start` on, also in whole numbers once these are made."""

    def __init__(self, start: int, vectors: Floats) -> None:
        self.start = start
        self.vectors = vectors
        self.coarse: CoarseMatrix | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def make(self, turning: Turning, layout: Layout) -> None:
        """Whole numbers, where there are none yet."""
        if self.coarse is None:
            self.coarse = CoarseMatrix(self.vectors, turning, layout)


class _Search:
    """(m, d) queries on their way through blocks; those whose lists are complete stay behind."""

    def __init__(
        self,
        queries: Doubles,
        turned: CoarseQueries,
        hidden: RowLists,
        count: int,
        longest: float,
    ) -> None:
        self._queries = np.ascontiguousarray(queries)
        self._hidden = hidden
        self._longest = longest
        self._left = np.arange(len(queries))
        self._turned = turned  # of those who are left
        self.lists = Lists.empty(len(queries), count)

    def goes_on(self, ceilings: Doubles) -> bool:
        """Whether a list can be improved by rows that score at most `ceilings` (m,)."""
        hopeful = (ceilings >= self.lists.floors())[self._left]
        if not hopeful.all():
            self._left = self._left[hopeful]
            self._turned = self._turned.at(hopeful)
        return len(self._left) > 0

    def through(self, block: Block) -> None:
        """The lists are those of the block's rows too."""
        left = self._left
        if block.coarse is not None:
            numbers, units, slack = block.coarse.scores(self._turned)
            most = max(4 * self.lists.rows.shape[1], int(MOST_SHARE * len(block)))
            left = left[self._scan(block, left, (numbers, HIDDEN, units, slack), most) < 0]
        if len(left):
            self._close(block, left)

    def _close(self, block: Block, places: Integers) -> None:
        """By scores in float32, which is slower, and as close as those can be."""
        queries = self._queries[places]
        numbers = queries.astype(np.float32) @ block.vectors.T
        slack = rounding(queries, self._longest)
        self._scan(block, places, (numbers, -np.inf, np.ones(len(places)), slack), len(block))

    def _scan(
        self,
        block: Block,
        places: Integers,
        about: tuple[WholeNumbers | Floats, float, Doubles, Doubles],
        most: int,
    ) -> Integers:
        """What `scan_kernels.scan` says; `about` are its first arguments."""
        vectors, queries, hidden = block.vectors, self._queries, self._hidden
        rows, scores, counts = self.lists
        return scan_kernels.scan(
            *about,
            places,
            block.start,
            vectors,
            queries,
            hidden.rows,
            hidden.starts,
            most,
            rows,
            scores,
            counts,
        )


class CoarseBlocks:
    """All rows of a matrix (n, d) in blocks, in an order in which fewer and fewer can be good.

    `bounds` hold for the rows of each block and all after it.
    """

    def __init__(
        self, blocks: Sequence[Block], bounds: Bounds, turning: Turning, layout: Layout
    ) -> None:
        self._blocks = blocks
        self._bounds = bounds
        self._turning = turning
        self._layout = layout

    @classmethod
    def of(cls, vectors: Floats, bounds: Bounds) -> Self:
        """Blocks of several that `bounds` has; whole numbers are made by `prepare`."""
        size = JOINED * BLOCK_ROWS
        starts = range(0, len(vectors), size)
        blocks = [Block(start, vectors[start : start + size]) for start in starts]
        return cls(blocks, bounds.every(JOINED), Turning.of(vectors[:size]), small_rows)

    @classmethod
    def whole(cls, vectors: Floats, bounds: Bounds) -> Self:
        """All rows in one block of whole numbers."""
        turning = Turning.of(vectors)
        blocks = [Block(0, vectors)] if len(vectors) else []
        for block in blocks:
            block.make(turning, PackedRows)
        return cls(blocks, bounds.first, turning, PackedRows)

    def followed_by(self, tail: Floats) -> "CoarseBlocks":
        """These blocks and (k, d) rows behind them, whose block is searched after the first."""
        if len(tail) == 0:
            return self
        block = Block(sum(len(one) for one in self._blocks), tail)
        block.make(self._turning, self._layout)
        bounds = Bounds.of(tail, self._bounds.cut).first
        return CoarseBlocks(
            [*self._blocks[:1], block, *self._blocks[1:]],
            self._bounds.with_second(bounds),
            self._turning,
            self._layout,
        )

    def prepare(self, query: Doubles, count: int) -> None:
        """Makes whole numbers of what searches like that of `count` rows for `query` (d,) read."""
        _, reached = self._search(query[None, :], NOTHING, count)
        for block in self._blocks[: int(np.ceil(ROOM * reached))]:
            block.make(self._turning, self._layout)

    @property
    def usual_rows(self) -> int:
        """How many rows are there in whole numbers: most searches read no others."""
        return sum(len(block) for block in self._blocks if block.coarse)

    @property
    def memory_bytes(self) -> int:
        """What whole numbers take."""
        return sum(block.coarse.memory_bytes for block in self._blocks if block.coarse)

    def search(self, queries: Doubles, hidden: RowLists, count: int) -> Lists:
        """The first `count` rows for each of (m, d) queries without its `hidden` rows.

        All numbers are finite, and hidden rows are rows of the matrix.
        """
        return self._search(queries, hidden, count)[0]

    def _search(self, queries: Doubles, hidden: RowLists, count: int) -> tuple[Lists, int]:
        """The lists and how many blocks were read."""
        if min(count, len(self._blocks), len(queries)) < 1:
            return Lists.empty(len(queries), count), 0
        turned = self._turning.coarse(queries)
        search = _Search(queries, turned, hidden, count, self._bounds.longest)
        first, *others = self._blocks
        search.through(first)
        if others:
            ceilings = self._bounds.ceilings(queries).T
            for place, block in enumerate(others, 1):
                if not search.goes_on(ceilings[place]):
                    return search.lists, place
                search.through(block)
        return search.lists, len(self._blocks)
