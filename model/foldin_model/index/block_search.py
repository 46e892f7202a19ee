"""Searches the rows of a matrix block after block, for several queries at once.

The scores of `foldin_model.index.integer_scores` say which rows may be among the best, and exact ones decide. As
soon as no row of the blocks that are left can be, the search ends. Where numkong would pad the
many rows of large matrices, the first blocks are the steps of `foldin_model.index.integer_steps`.
"""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.index import scan_kernels
from foldin_model.index.bounds import BLOCK_ROWS, Bounds
from foldin_model.index.integer_scores import (
    HIDDEN,
    QuantizedMatrix,
    QuantizedQueries,
    Rotation,
    WholeNumbers,
    most_exact,
)
from foldin_model.index.integer_steps import QuantizedSteps, numkong_pads
from foldin_model.index.rounding_error import rounding_bound
from foldin_model.row_lists import HitLists, RowLists

JOINED: Final = 2
"""How many bounds a block has: with more the search ends later, with fewer in more steps."""
ROOM: Final = 1.5
"""Whole numbers are made of so many times the rows that a usual search reads."""
NONE_HIDDEN: Final = RowLists.empty(1)
"""What is hidden from a single query from which nothing is."""


class Block:
    """The rows (k, d) of a matrix from `start` on, also in whole numbers where it has a rotation."""

    def __init__(self, start: int, vectors: Floats, rotation: Rotation | None = None) -> None:
        self.start = start
        self.vectors = vectors
        self.quantized = None if rotation is None else QuantizedMatrix(vectors, rotation)

    def __len__(self) -> int:
        return len(self.vectors)


class _Search:
    """(m, d) queries on their way through blocks; those whose lists are complete stay behind."""

    def __init__(
        self,
        queries: Doubles,
        rotated: QuantizedQueries,
        hidden: RowLists,
        longest: float,
        lists: HitLists,
    ) -> None:
        self._queries = queries
        self._hidden = hidden
        self._longest = longest
        self._left = np.arange(len(queries))
        self._rotated = rotated  # of those who are left
        self._lists = lists

    def goes_on(self, ceilings: Doubles) -> bool:
        """Whether a list can be improved by rows that score at most `ceilings` (m,)."""
        hopeful = (ceilings >= self._lists.floors())[self._left]
        if not hopeful.all():
            self._left = self._left[hopeful]
            self._rotated = self._rotated.at(hopeful)
        return len(self._left) > 0

    def through(self, block: Block) -> None:
        """The lists are those of the block's rows too."""
        left = self._left
        if block.quantized is not None:
            numbers, units, slack = block.quantized.scores(self._rotated)
            most = most_exact(len(block), self._lists.rows.shape[1])
            left = left[self._scan(block, left, (numbers, HIDDEN, units, slack), most) < 0]
        if len(left):
            self._close(block, left)

    def _close(self, block: Block, places: Integers) -> None:
        """By scores in float32, which is slower, and as close as those can be."""
        queries = self._queries[places]
        numbers = queries.astype(np.float32) @ block.vectors.T
        slack = rounding_bound(queries, self._longest)
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
        rows, scores, counts = self._lists
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


class QuantizedBlocks:
    """All rows of a matrix (n, d) in blocks, in an order in which fewer and fewer can be good.

    `bounds` hold for the rows of each block and all after it. The first blocks may be `steps`.
    """

    def __init__(
        self,
        vectors: Floats,
        steps: QuantizedSteps,
        blocks: Sequence[Block],
        bounds: Bounds,
        rotation: Rotation,
    ) -> None:
        self._vectors = vectors
        self._steps = steps
        self._blocks = blocks
        self._bounds = bounds
        self._rotation = rotation
        self.usual_rows = len(steps) + sum(len(block) for block in blocks if block.quantized)
        """How many rows are there in whole numbers: most searches read no others."""

    @classmethod
    def of(cls, vectors: Floats, bounds: Bounds) -> Self:
        """Blocks of several that `bounds` has, without whole numbers until they are `prepared`."""
        size = JOINED * BLOCK_ROWS
        rotation = Rotation.of(vectors[:size])
        starts = range(0, len(vectors), size)
        blocks = [Block(start, vectors[start : start + size]) for start in starts]
        none = QuantizedSteps(vectors[:0], rotation, size)
        return cls(vectors, none, blocks, bounds.every(JOINED), rotation)

    @classmethod
    def whole(cls, vectors: Floats, bounds: Bounds) -> Self:
        """All rows in one block of whole numbers."""
        rotation = Rotation.of(vectors)
        blocks = [Block(0, vectors, rotation)] if len(vectors) else []
        return cls(
            vectors, QuantizedSteps(vectors[:0], rotation, 1), blocks, bounds.first, rotation
        )

    def prepared(self, query: Doubles, count: int) -> "QuantizedBlocks":
        """These, with whole numbers of what searches like that of `count` rows for (d,) read.

        They stay as they are where there are some already.
        """
        if self.usual_rows or not len(self):
            return self
        reached = self._search(query[None, :], NONE_HIDDEN, count)[1]
        made = int(np.ceil(ROOM * reached))
        first, others = self._blocks[:made], self._blocks[made:]
        steps, size = self._steps, self._steps.size
        if numkong_pads(len(query)):
            steps = QuantizedSteps(self._vectors[: made * size], self._rotation, size)
        else:
            whole = (Block(block.start, block.vectors, self._rotation) for block in first)
            others = [*whole, *others]
        return QuantizedBlocks(self._vectors, steps, others, self._bounds, self._rotation)

    def followed_by(self, tail: Floats) -> "QuantizedBlocks":
        """These and (k, d) rows behind them, searched after the steps, or the first block."""
        if len(tail) == 0:
            return self
        first = 0 if self._steps.count else 1
        return QuantizedBlocks(
            self._vectors,
            self._steps,
            [*self._blocks[:first], Block(len(self), tail, self._rotation), *self._blocks[first:]],
            self._bounds.with_another(
                Bounds.of(tail, self._bounds.cut).first, self._steps.count + first
            ),
            self._rotation,
        )

    def __len__(self) -> int:
        return len(self._steps) + sum(map(len, self._blocks))

    @property
    def memory_bytes(self) -> int:
        """What whole numbers take."""
        blocks = sum(block.quantized.memory_bytes for block in self._blocks if block.quantized)
        return self._steps.memory_bytes + blocks

    def search(self, queries: Doubles, hidden: RowLists, count: int) -> HitLists:
        """The first `count` rows for each of (m, d) queries without its `hidden` rows.

        All numbers are finite, and hidden rows are rows of the matrix.
        """
        return self._search(queries, hidden, count)[0]

    def _search(self, queries: Doubles, hidden: RowLists, count: int) -> tuple[HitLists, int]:
        """The lists and how many steps and blocks there are up to the last that was read."""
        lists, read = HitLists.empty(len(queries), count), self._steps.count
        if min(count, len(self._bounds), len(queries)) < 1:
            return lists, 0
        queries = np.ascontiguousarray(queries)
        rotated = self._rotation.quantized(queries)
        ceilings = self._bounds.ceilings(queries)
        if read and not self._steps.search(queries, rotated, ceilings, hidden, lists):
            return lists, read
        search = _Search(queries, rotated, hidden, self._bounds.longest, lists)
        for block in self._blocks:
            if read and not search.goes_on(ceilings[:, read]):
                break
            search.through(block)
            read += 1
        return lists, read
