"""Exact indexes: find the rows of a matrix with the greatest inner products with a query.

An index proposes candidates in float32. `foldin_model.retrieval.search` decides the order of an
answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Mask, Rows
from foldin_model.index.block_search import QuantizedBlocks
from foldin_model.index.bounds import BLOCK_ROWS, Bounds, kind_for
from foldin_model.index.rounding_error import float32_below, rounding_bound


class Proposal(NamedTuple):
    """Proposed rows (n,) int32 with float32 scores; no other allowed row scores above `rest`."""

    rows: Rows
    scores: Floats
    rest: float


class Index(Protocol):
    """The interface of an index over the rows of one matrix."""

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """Proposes at least the `count` best allowed rows that score at most `below`, or all.

        `query` is (d,) float32, `allowed` (n,) bool or None for every row. An index may propose
        rows above `below` too, and count them.
        """
        ...


class FlatIndex:
    """Exact search by `faiss.IndexFlatIP`, with any filter. It holds a copy of the matrix."""

    margin: Final = 32

    def __init__(self, vectors: Floats) -> None:
        import faiss  # noqa: PLC0415 (torch and faiss must never share a process: trainers do not)

        self._faiss = faiss
        self._flat = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(np.ascontiguousarray(vectors, np.float32))

    def search(
        self,
        query: Floats,
        count: int,
        allowed: Mask | None,
        below: float,  # noqa: ARG002 (faiss cannot begin below a score)
    ) -> Proposal:
        """Proposes `margin` rows more than `Index.search` must, so that ties rarely need a retry.

        faiss pads short answers with -1, which are dropped here.
        """
        options = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            # faiss keeps `bits` alive with the selector; its stubs lack these constructors.
            selector = self._faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg,arg-type]
            options = self._faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        wanted = min(count + self.margin, self._flat.ntotal)
        all_scores, all_rows = self._flat.search(query[None, :], wanted, params=options)
        found = all_rows[0] >= 0
        rows, scores = all_rows[0][found].astype(np.int32), np.asarray(all_scores[0][found])
        whole = wanted == self._flat.ntotal or len(rows) < wanted
        return Proposal(rows, scores, -np.inf if whole else float(scores[-1]))


class PrunedIndex:
    """Exact search that stops where the lengths of the remaining rows rule them out.

    It reads the matrix block by block in row order and holds no copy, so that a mapped matrix is
    shared between processes. Any order of rows is correct; long rows first is fast, as in the LEMP
    of Teflioudi et al. (SIGMOD 2015).
    """

    def __init__(self, vectors: Floats, bounds: Bounds) -> None:
        self._vectors = vectors
        self._bounds = bounds

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """Proposes the rows within rounding of the `count`-th best, and better."""
        exact = query.astype(np.float64)
        ceilings = self._bounds.ceilings(exact[None, :])[0]
        slack = float(rounding_bound(exact, self._bounds.longest))
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
                # With another order of summation a row this close could be on the other side.
                floor = float32_below(float(np.partition(scores, -count)[-count]) - 2 * slack)
                kept = scores >= floor
                rows, scores = rows[kept], scores[kept]
        order = np.argsort(-scores, kind="stable")
        return Proposal(rows[order], scores[order], floor)


KINDS: Final[Mapping[str, Callable[[Floats, Bounds], Index]]] = {
    "flat": lambda vectors, _: FlatIndex(vectors),
    "pruned": PrunedIndex,
}


def exact_kind(kind: str) -> str:
    """Returns the kind itself if it is exact, else the exact kind behind an approximate index."""
    return kind if kind in KINDS else "pruned"


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A matrix (n, d) float32 to search: with an index and the length of its longest row.

    With `quantized`, a copy of rows in int8, plain searches are fast, and many are answered at
    once. A plain search asks for the first rows in canonical order without some hidden rows, such
    as those that a user has seen.
    """

    vectors: Floats
    index: Index
    longest: float
    quantized: QuantizedBlocks | None = None

    @property
    def usual_rows(self) -> int:
        """About how many rows a plain search reads."""
        return len(self) if self.quantized is None else self.quantized.usual_rows

    @classmethod
    def of(
        cls,
        vectors: Floats,
        bounds: Bounds | None = None,
        kind: str | None = None,
        *,
        quantized: bool = False,
    ) -> Self:
        """Returns the space of `vectors`; missing bounds are computed, a missing kind is chosen.

        With `quantized`, plain searches use int8 rows.
        """
        bounds = bounds or Bounds.of(vectors, vectors.shape[1])
        kind = kind or kind_for(len(vectors))
        make = QuantizedBlocks.one_block if kind == "flat" else QuantizedBlocks.of
        blocks = make(vectors, bounds) if quantized else None
        return cls(vectors, KINDS[kind](vectors, bounds), bounds.longest, blocks)

    def prepared(self, query: Doubles, count: int) -> Self:
        """Returns this space with int8 copies of the rows that plain searches usually read.

        The search for `count` rows for `query` (d,) says which rows those are.
        """
        if self.quantized is None:
            return self
        return replace(self, quantized=self.quantized.prepared(query, count))

    def __len__(self) -> int:
        return len(self.vectors)

    def slack(self, query: Doubles) -> float:
        """Returns a bound of the rounding error of a float32 inner product with `query` (d,)."""
        return float(rounding_bound(query, self.longest))


def recall_of(space: Space, queries: Floats, depth: int) -> float:
    """Returns the share of the `depth` best rows that `space.index` finds for (n, d) queries.

    Rows that tie with the last of the best, within float32, count too.
    """
    depth = min(depth, len(space))
    if depth == 0 or len(queries) == 0:
        return 1.0
    found = 0
    for query in queries:
        scores = space.vectors @ query
        last = float(np.partition(scores, -depth)[-depth]) - 2 * space.slack(query.astype(float))
        rows = space.index.search(query, depth, None, np.inf).rows[:depth]
        found += int(np.count_nonzero(scores[rows] >= float32_below(last)))
    return found / (depth * len(queries))
