"""Upper bounds of inner products: the most that rows from a block on can score for a query.

By Cauchy-Schwarz, for whole rows and for two parts of them, which a query may weigh differently.
The bounds hold for any order of rows; `long_rows_first` gives the order in which they are tight.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.index import query_kernels

BLOCK_ROWS: Final = 8_192
FLAT_ROWS: Final = 50_000
"""From this many rows on the pruned scan in float32 is faster than the flat one."""
_ROUNDING_UP: Final = 1.0 + 2.0**-40


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Lengths that bound the scores of a matrix, whose rows have two parts, split at column `cut`.

    `lengths` is (blocks, 3) float64: the greatest length of a whole row, of a first part and of a
    second part in each block and all after it. A block usually has BLOCK_ROWS rows.
    """

    lengths: Doubles
    cut: int

    @classmethod
    def of(cls, vectors: Floats, cut: int) -> Self:
        """Computes the bounds of (n, d) float32 vectors in one pass."""
        blocks = [
            row_lengths(vectors[start : start + BLOCK_ROWS], cut).max(axis=0)
            for start in range(0, len(vectors), BLOCK_ROWS)
        ]
        return cls(_from_here_on(np.array(blocks, np.float64).reshape(-1, 3)) * _ROUNDING_UP, cut)

    @property
    def longest(self) -> float:
        """At least the length of the longest row."""
        return float(self.lengths[:, 0].max(initial=0.0))

    @property
    def first(self) -> Self:
        """The bounds of the first block alone, which hold for all rows."""
        return type(self)(self.lengths[:1], self.cut)

    def every(self, step: int) -> Self:
        """Returns the bounds of larger blocks, `step` of these blocks each."""
        return type(self)(np.ascontiguousarray(self.lengths[::step]), self.cut)

    def with_inserted(self, other: Self, place: int) -> Self:
        """Returns the bounds with a block of `other` inserted at `place`; those before it stay."""
        before, after = self.lengths[:place], self.lengths[place:]
        others = _from_here_on(np.concatenate((other.lengths, after)))
        return type(self)(np.concatenate((before, others)), self.cut)

    def __len__(self) -> int:
        return len(self.lengths)

    def ceilings(self, queries: Doubles) -> Doubles:
        """Returns (m, blocks): the most that a row of a block or after it can score.

        `queries` are (m, d).
        """
        return query_kernels.ceilings(self.lengths, self.cut, queries)


def row_lengths(vectors: Floats, cut: int) -> Doubles:
    """Returns (n, 3): the lengths of the rows, of their first and of their second parts."""
    exact = vectors.astype(np.float64)
    squares = np.empty((len(vectors), 3))
    squares[:, 1] = np.einsum("nd,nd->n", exact[:, :cut], exact[:, :cut])
    squares[:, 2] = np.einsum("nd,nd->n", exact[:, cut:], exact[:, cut:])
    squares[:, 0] = squares[:, 1] + squares[:, 2]
    return np.sqrt(squares)


def long_rows_first(vectors: Floats, cut: int, typical: Doubles) -> Integers:
    """Returns the order of rows by the most that they can score for a query like `typical`.

    `typical` is a (d,) query whose two parts have the usual lengths; its direction is not used.
    Ties keep their order.
    """
    weights = np.array([np.linalg.norm(typical[:cut]), np.linalg.norm(typical[cut:])])
    reach = row_lengths(vectors, cut)[:, 1:] @ weights
    return np.argsort(-reach, kind="stable").astype(np.int64)


def kind_for(rows: int) -> str:
    """Returns the kind of exact index that is fastest for that many rows."""
    return "flat" if rows < FLAT_ROWS else "pruned"


def _from_here_on(lengths: Doubles) -> Doubles:
    return np.ascontiguousarray(np.maximum.accumulate(lengths[::-1])[::-1], np.float64)
