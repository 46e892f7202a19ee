"""Finds the rows of a matrix with the greatest inner products with a query.

An index proposes candidates in float32; it never decides the order of an answer, which
`foldin_model.searching` does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Mask, Rows
from foldin_model.bounding import BLOCK_ROWS, Bounds, kind_for

FLOAT32_UNIT: Final = 2.0**-24
_LEAST: Final = np.finfo(np.float32).min  # below it is only what was masked


class Proposal(NamedTuple):
    """Rows (n,) int32 with their float32 scores; no other allowed row scores above `rest`."""

    rows: Rows
    scores: Floats
    rest: float


class Index(Protocol):
    """What searching asks of an index over the rows of one matrix."""

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """At least the `count` best allowed rows that score at most `below`, or all there are.

        `query` is (d,) float32, `allowed` (n,) bool or None for every row. An index is free to
        propose rows above `below` as well and to count them.
        """
        ...


class FlatIndex:
    """Exact search by one matrix product, for catalogues that a processor's cache can hold.

    It keeps a copy with the columns in rows: many queries share each number that is loaded, and
    one query reads them in order.
    """

    lanes: Final = 512
    few: Final = 5  # queries; for more the product of matrices pays for packing one of them

    def __init__(self, vectors: Floats, longest: float) -> None:
        self._columns = np.ascontiguousarray(vectors.T, np.float32)
        self._longest = longest

    def scores(self, queries: Floats) -> Floats:
        """A new (m, n) array: the float32 score of every row for each of (m, d) queries."""
        if len(queries) > self.few:
            return np.asarray(queries @ self._columns, np.float32)
        scores = np.empty((len(queries), self._columns.shape[1]), np.float32)
        for query, own in zip(queries, scores, strict=True):
            np.dot(query, self._columns, out=own)
        return scores

    def floors(self, scores: Floats, queries: Doubles, count: int) -> Floats:
        """(m,) bounds that the `count` best of each row of (m, n) `scores` reach.

        They reach them however the scores of `queries` (m, d) were rounded. The best of each lane
        are scores of different rows, so the `count`-th of those is no better than the sought one.
        """
        rows = scores.shape[1]
        whole = rows - rows % self.lanes
        lanes = scores
        if count <= self.lanes < whole:
            lanes = scores[:, :whole].reshape(len(scores), -1, self.lanes).max(axis=1)
            rest = lanes[:, : rows - whole]
            np.maximum(rest, scores[:, whole:], out=rest)
        count = min(count, lanes.shape[1])
        last = np.partition(lanes, -count, axis=1)[:, -count]
        slack = rounding(queries, self._longest)
        floors = np.nextafter((last - 2 * slack).astype(np.float32), np.float32(-np.inf))
        return np.maximum(floors, _LEAST)

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """As the protocol has it: the rows within rounding of the `count`-th best, and better."""
        scores = self.scores(query[None, :])
        if allowed is not None:
            scores[0, ~allowed] = -np.inf
        if below < np.inf:
            scores[scores > below] = -np.inf
        floor = self.floors(scores, query[None, :].astype(np.float64), count)[0]
        rows = np.flatnonzero(scores[0] >= floor)
        found = scores[0, rows]
        order = np.argsort(-found, kind="stable")
        rest = -np.inf if floor == _LEAST else float(floor)
        return Proposal(rows[order].astype(np.int32), found[order], rest)


class PrunedIndex:
    """Exact search that stops where the lengths of the remaining rows rule them out.

    It reads the matrix block by block in row order and holds no copy, so that a mapped matrix is
    shared between processes. Any order is right; long rows first is fast, as in the LEMP of
    Teflioudi et al. (SIGMOD 2015).
    """

    def __init__(self, vectors: Floats, bounds: Bounds) -> None:
        self._vectors = vectors
        self._bounds = bounds

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """As the protocol has it: the rows within rounding of the `count`-th best, and better."""
        exact = query.astype(np.float64)
        ceilings = self._bounds.ceilings(exact)
        slack = float(rounding(exact, self._bounds.longest))
        rows, scores = np.empty(0, np.int32), np.empty(0, np.float32)
        floor = -np.inf
        for start, ceiling in zip(
            range(0, len(self._vectors), BLOCK_ROWS), ceilings.tolist(), strict=True
        ):
            if ceiling + slack < floor:
                break
            block = self._vectors[start : start + BLOCK_ROWS] @ query
            passing = block >= floor
            if below < np.inf:
                passing &= block <= below
            if allowed is not None:
                passing &= allowed[start : start + BLOCK_ROWS]
            found = np.flatnonzero(passing)
            if len(found) == 0:
                continue
            rows = np.concatenate((rows, (found + start).astype(np.int32)))
            scores = np.concatenate((scores, block[found]))
            if len(rows) >= count:
                # Another order of summation could put a row this close on the other side.
                floor = below32(float(np.partition(scores, -count)[-count]) - 2 * slack)
                kept = scores >= floor
                rows, scores = rows[kept], scores[kept]
        order = np.argsort(-scores, kind="stable")
        return Proposal(rows[order], scores[order], floor)


KINDS: Final[Mapping[str, Callable[[Floats, Bounds], Index]]] = {
    "flat": lambda vectors, bounds: FlatIndex(vectors, bounds.longest),
    "pruned": PrunedIndex,
}


def rounding(queries: Doubles, longest: float) -> Doubles:
    """By how much a float32 inner product of a query and a row can differ from the exact one.

    `queries` are (..., d), the bounds (...). The bound of Higham, Accuracy and Stability of
    Numerical Algorithms, 2002, section 3.1, for any order of summation, plus the rounding of the
    query itself.
    """
    lengths = np.sqrt(np.vecdot(queries, queries))
    return np.asarray((queries.shape[-1] + 2) * FLOAT32_UNIT * longest * lengths)


def below32(bound: float) -> float:
    """A float32 below `bound`, so that comparing with it rounds nothing."""
    return float(np.nextafter(np.float32(bound), np.float32(-np.inf)))


def above32(bound: float) -> float:
    """A float32 above `bound`, so that comparing with it rounds nothing."""
    return -below32(-bound)


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A matrix (n, d) float32 with an index over it and the length of its longest row."""

    vectors: Floats
    index: Index
    longest: float

    @classmethod
    def of(cls, vectors: Floats, bounds: Bounds | None = None, kind: str | None = None) -> Self:
        """The space of `vectors`, whose bounds are computed and kind chosen where not given."""
        bounds = bounds or Bounds.of(vectors, vectors.shape[1])
        index = KINDS[kind or kind_for(len(vectors))](vectors, bounds)
        return cls(vectors, index, bounds.longest)

    def __len__(self) -> int:
        return len(self.vectors)

    def slack(self, query: Doubles) -> float:
        """By how much a float32 inner product with `query` (d,) can differ from the exact one."""
        return float(rounding(query, self.longest))


def recall_of(space: Space, queries: Floats, depth: int) -> float:
    """The share of the `depth` best rows that the index of `space` finds for (n, d) queries.

    Rows that tie with the last of the best, as far as float32 can tell, count as well.
    """
    depth = min(depth, len(space))
    if depth == 0 or len(queries) == 0:
        return 1.0
    found = 0
    for query in queries:
        scores = space.vectors @ query
        last = float(np.partition(scores, -depth)[-depth]) - 2 * space.slack(query.astype(float))
        rows = space.index.search(query, depth, None, np.inf).rows[:depth]
        found += int(np.count_nonzero(scores[rows] >= below32(last)))
    return found / (depth * len(queries))
