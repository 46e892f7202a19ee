"""Finds the rows of a matrix with the greatest inner products with a query.

An index proposes candidates in float32; it never decides the order of an answer, which
`foldin_model.searching` does.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import faiss
import numpy as np

from foldin_model.arrays import Doubles, Floats, Mask, Rows

FLOAT32_UNIT = 2.0**-24


class Index(Protocol):
    """What searching asks of an index over the rows of one matrix."""

    def search(self, query: Floats, count: int, allowed: Mask | None) -> tuple[Rows, Floats]:
        """The `count` best allowed rows or all there are, best first, with their scores.

        `query` is (d,) float32, `allowed` (n,) bool or None for every row.
        """
        ...


class FlatIndex:
    """Exact search by `faiss.IndexFlatIP`. It copies the matrix and never changes afterwards."""

    def __init__(self, vectors: Floats) -> None:
        self._flat = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(np.ascontiguousarray(vectors, np.float32))

    def search(self, query: Floats, count: int, allowed: Mask | None) -> tuple[Rows, Floats]:
        """As the protocol has it; faiss pads short answers with -1, which are dropped here."""
        options = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            # faiss keeps `bits` alive with the selector; its stubs lack these constructors.
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg,arg-type]
            options = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, rows = self._flat.search(query[None, :], count, params=options)
        found = rows[0] >= 0
        return rows[0][found].astype(np.int32), np.asarray(scores[0][found], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """A matrix (n, d) float32 with an index over it and the length of its longest row."""

    vectors: Floats
    index: Index
    longest: float

    @classmethod
    def flat(cls, vectors: Floats) -> Self:
        """The space of `vectors` under exact search."""
        squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
        longest = float(np.sqrt(squares.max(initial=0.0)))
        return cls(vectors, FlatIndex(vectors), longest)

    def __len__(self) -> int:
        return len(self.vectors)

    def slack(self, query: Doubles) -> float:
        """By how much a float32 inner product with `query` (d,) can differ from the exact one.

        The bound of Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1,
        for any order of summation, plus the rounding of the query itself.
        """
        length = float(np.linalg.norm(query))
        return (len(query) + 2) * FLOAT32_UNIT * self.longest * length
