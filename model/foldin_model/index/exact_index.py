"""Finds the rows of a matrix with the greatest inner products with a query.

An index proposes candidates in float32; it never decides the order of an answer, which
`foldin_model.retrieval.search` does.
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
    """Exact search by `faiss.IndexFlatIP`, with any filter. It copies the matrix."""

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
        """As the protocol has it, and `margin` rows more, so that ties rarely ask for another.

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

    It reads the matrix block by block in row order and holds no copy (`Space.quantized` beside it is
    one of a part), so that a mapped matrix is shared between processes. Any order is right; long
    rows first is fast, as in the LEMP of Teflioudi et al. (SIGMOD 2015).
    """

    def __init__(self, vectors: Floats, bounds: Bounds) -> None:
        self._vectors = vectors
        self._bounds = bounds

    def search(self, query: Floats, count: int, allowed: Mask | None, below: float) -> Proposal:
        """As the protocol has it: the rows within rounding of the `count`-th best, and better."""
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
                # Another order of summation could put a row this close on the other side.
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
    """The kind itself where it is exact, else that of the scan behind an approximate one."""
    return kind if kind in KINDS else "pruned"


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A matrix (n, d) float32 with an index over it and the length of its longest row.

    `quantized` is there where plain searches can be answered together. Plain means: the first rows
    in canonical order but for some that are hidden, as those a user has seen are.
    """

    vectors: Floats
    index: Index
    longest: float
    quantized: QuantizedBlocks | None = None

    @property
    def usual_rows(self) -> int:
        """About how many rows are read for a plain search."""
        return len(self) if self.quantized is None else self.quantized.usual_rows

    @classmethod
    def of(
        cls,
        vectors: Floats,
        bounds: Bounds | None = None,
        kind: str | None = None,
        *,
        together: bool = False,
    ) -> Self:
        """The space of `vectors`, whose bounds are computed and kind chosen where not given.

        With `together` plain searches are answered in whole numbers, also several at once.
        """
        bounds = bounds or Bounds.of(vectors, vectors.shape[1])
        kind = kind or kind_for(len(vectors))
        make = QuantizedBlocks.whole if kind == "flat" else QuantizedBlocks.of
        quantized = make(vectors, bounds) if together else None
        return cls(vectors, KINDS[kind](vectors, bounds), bounds.longest, quantized)

    def prepared(self, query: Doubles, count: int) -> Self:
        """This space, quick at plain searches like that of `count` rows for a query (d,)."""
        if self.quantized is None:
            return self
        return replace(self, quantized=self.quantized.prepared(query, count))

    def __len__(self) -> int:
        return len(self.vectors)

    def slack(self, query: Doubles) -> float:
        """By how much a float32 inner product with `query` (d,) can differ from the exact one."""
        return float(rounding_bound(query, self.longest))


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
        found += int(np.count_nonzero(scores[rows] >= float32_below(last)))
    return found / (depth * len(queries))
