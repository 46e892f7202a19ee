"""Searches the rows of a matrix block by block, for many queries at once.

Int8 scores (`foldin_model.index.quantized_rows`) say which rows may be among the best, and exact
scores decide. The search ends as soon as no row of the remaining blocks can be. Where numkong would
pad the rows of large matrices, the first blocks are `foldin_model.index.quantized_steps`.
"""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.index import scan_kernels
from foldin_model.index.bounds import BLOCK_ROWS, Bounds
from foldin_model.index.quantized_rows import (
    HIDDEN,
    Products,
    QuantizedMatrix,
    QuantizedQueries,
    Rotation,
    max_exact,
)
from foldin_model.index.quantized_steps import QuantizedSteps, numkong_pads
from foldin_model.index.rounding_error import rounding_bound
from foldin_model.row_lists import HitLists, RowLists

JOINED: Final = 2
"""Blocks of `Bounds` to a block here: with more the search ends later, with fewer in more steps."""
HEADROOM: Final = 1.5
"""Int8 copies are made of this many times the rows that a usual search reads."""
NONE_HIDDEN: Final = RowLists.empty(1)
"""The hidden rows of a single query that hides none."""


class Block:
    """The rows (k, d) of a matrix from `start` on, with an int8 copy where it has a rotation."""

    def __init__(self, start: int, vectors: Floats, rotation: Rotation | None = None) -> None:
        self.start = start
        self.vectors = vectors
        self.quantized = None if rotation is None else QuantizedMatrix(vectors, rotation)

    def __len__(self) -> int:
        return len(self.vectors)


class _Search:
    """A search for (m, d) queries; queries whose lists are final take no part in further blocks."""

    def __init__(
        self,
        queries: Doubles,
        quantized: QuantizedQueries,
        hidden: RowLists,
        longest: float,
        lists: HitLists,
    ) -> None:
        self._queries = queries
        self._hidden = hidden
        self._longest = longest
        self._open = np.arange(len(queries))
        self._quantized = quantized  # of the open queries
        self._lists = lists

    def goes_on(self, ceilings: Doubles) -> bool:
        """Returns whether rows that score at most `ceilings` (m,) can improve any list."""
        improvable = (ceilings >= self._lists.floors())[self._open]
        if not improvable.all():
            self._open = self._open[improvable]
            self._quantized = self._quantized.at(improvable)
        return len(self._open) > 0

    def read(self, block: Block) -> None:
        """Puts the best rows of a block into the lists."""
        places = self._open
        if block.quantized is not None:
            products, scales, slack = block.quantized.scores(self._quantized)
            most = max_exact(len(block), self._lists.rows.shape[1])
            exact = self._scan(block, places, (products, HIDDEN, scales, slack), most)
            places = places[exact < 0]
        if len(places):
            self._read_float32(block, places)

    def _read_float32(self, block: Block, places: Integers) -> None:
        """Does the same by float32 scores, which are slower and as close as such scores can be."""
        queries = self._queries[places]
        scores = queries.astype(np.float32) @ block.vectors.T
        slack = rounding_bound(queries, self._longest)
        self._scan(block, places, (scores, -np.inf, np.ones(len(places)), slack), len(block))

    def _scan(
        self,
        block: Block,
        places: Integers,
        approximation: tuple[Products | Floats, float, Doubles, Doubles],
        most: int,
    ) -> Integers:
        """Returns what `scan_kernels.scan` returns; `approximation` are its first arguments."""
        vectors, queries, hidden = block.vectors, self._queries, self._hidden
        rows, scores, counts = self._lists
        return scan_kernels.scan(
            *approximation,
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
    """All rows of a matrix (n, d) in blocks, those that can score most first.

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
        """The number of rows with an int8 copy; most searches read no others."""

    @classmethod
    def of(cls, vectors: Floats, bounds: Bounds) -> Self:
        """Returns blocks of JOINED blocks of `bounds`, without int8 copies until `prepared`."""
        size = JOINED * BLOCK_ROWS
        rotation = Rotation.of(vectors[:size])
        starts = range(0, len(vectors), size)
        blocks = [Block(start, vectors[start : start + size]) for start in starts]
        none = QuantizedSteps(vectors[:0], rotation, size)
        return cls(vectors, none, blocks, bounds.every(JOINED), rotation)

    @classmethod
    def one_block(cls, vectors: Floats, bounds: Bounds) -> Self:
        """Returns all rows in one block with an int8 copy."""
        rotation = Rotation.of(vectors)
        blocks = [Block(0, vectors, rotation)] if len(vectors) else []
        steps = QuantizedSteps(vectors[:0], rotation, 1)
        return cls(vectors, steps, blocks, bounds.first, rotation)

    def prepared(self, query: Doubles, count: int) -> "QuantizedBlocks":
        """Returns the blocks with int8 copies of what a search for `count` rows reads.

        `query` (d,) is the query of that search. Blocks that have copies already stay as they are.
        """
        if self.usual_rows or not len(self):
            return self
        reached = self._search(query[None, :], NONE_HIDDEN, count)[1]
        copied = int(np.ceil(HEADROOM * reached))
        first, others = self._blocks[:copied], self._blocks[copied:]
        steps, size = self._steps, self._steps.size
        if numkong_pads(len(query)):
            steps = QuantizedSteps(self._vectors[: copied * size], self._rotation, size)
        else:
            copies = (Block(block.start, block.vectors, self._rotation) for block in first)
            others = [*copies, *others]
        return QuantizedBlocks(self._vectors, steps, others, self._bounds, self._rotation)

    def with_tail(self, tail: Floats) -> "QuantizedBlocks":
        """Returns the blocks with (k, d) rows appended, which are searched early.

        They are read after the steps, or after the first block where there are no steps.
        """
        if len(tail) == 0:
            return self
        first = 0 if self._steps.count else 1
        return QuantizedBlocks(
            self._vectors,
            self._steps,
            [*self._blocks[:first], Block(len(self), tail, self._rotation), *self._blocks[first:]],
            self._bounds.with_inserted(
                Bounds.of(tail, self._bounds.cut).first, self._steps.count + first
            ),
            self._rotation,
        )

    def __len__(self) -> int:
        return len(self._steps) + sum(map(len, self._blocks))

    @property
    def memory_bytes(self) -> int:
        """The memory of the int8 copies."""
        blocks = sum(block.quantized.memory_bytes for block in self._blocks if block.quantized)
        return self._steps.memory_bytes + blocks

    def search(self, queries: Doubles, hidden: RowLists, count: int) -> HitLists:
        """Returns the first `count` rows for each of (m, d) queries without its `hidden` rows.

        All numbers must be finite, and hidden rows must be rows of the matrix.
        """
        return self._search(queries, hidden, count)[0]

    def _search(self, queries: Doubles, hidden: RowLists, count: int) -> tuple[HitLists, int]:
        """Returns the lists, and the number of steps and blocks up to the last one read."""
        lists, read = HitLists.empty(len(queries), count), self._steps.count
        if min(count, len(self._bounds), len(queries)) < 1:
            return lists, 0
        queries = np.ascontiguousarray(queries)
        quantized = self._rotation.quantize(queries)
        ceilings = self._bounds.ceilings(queries)
        if read and not self._steps.search(queries, quantized, ceilings, hidden, lists):
            return lists, read
        search = _Search(queries, quantized, hidden, self._bounds.longest, lists)
        for block in self._blocks:
            if read and not search.goes_on(ceilings[:, read]):
                break
            search.read(block)
            read += 1
        return lists, read
