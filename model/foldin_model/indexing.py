"""Finds the rows of a matrix with the greatest inner products with a query.

An index proposes candidates in float32; it never decides the order of an answer, which
`foldin_model.searching` does.
"""

from collections.abc import Callable, Mapping
from copy import copy
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


class Columns:
    """The matrix with its columns in rows: many queries share each number that is loaded.

    For catalogues that a processor's cache can hold, whose plain searches are answered together
    by one matrix product (`foldin_model.together`). It is a copy.
    """

    lanes: Final = 512
    few: Final = 5  # queries; for more the product of matrices pays for packing one of them

    def __init__(self, vectors: Floats, longest: float) -> None:
        self._columns = np.ascontiguousarray(vectors.T, np.float32)
        self._longest = longest

    def extended(self, tail: Floats, longest: float) -> "Columns":
        """The columns with (k, d) rows behind; `longest` is the length of the longest of all."""
        longer = copy(self)
        columns = np.concatenate((self._columns, tail.T), axis=1)
        longer._columns = columns  # noqa: SLF001 (of the same class)
        longer._longest = longest  # noqa: SLF001
        return longer

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
    "flat": lambda vectors, _: FlatIndex(vectors),
    "pruned": PrunedIndex,
}


def exact_kind(kind: str) -> str:
    """The kind itself where it is exact, else that of the scan behind an approximate one."""
    return kind if kind in KINDS else "pruned"


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
    """A matrix (n, d) float32 with an index over it and the length of its longest row.

    `columns` is there where plain searches are answered together.
    """

    vectors: Floats
    index: Index
    longest: float
    columns: Columns | None = None

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

        With `together` a flat space answers plain searches in company.
        """
        bounds = bounds or Bounds.of(vectors, vectors.shape[1])
        kind = kind or kind_for(len(vectors))
        columns = Columns(vectors, bounds.longest) if together and kind == "flat" else None
        return cls(vectors, KINDS[kind](vectors, bounds), bounds.longest, columns)

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
