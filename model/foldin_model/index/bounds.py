"""How great an inner product the rows from some place on can reach, by their lengths.

After Cauchy and Schwarz, for whole rows and for the two parts in which a query may weigh
differently. The bounds hold for rows in any order; `long_rows_first` makes them sharp.
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
    """Bounds of a matrix whose rows have one part up to column `cut` and another from there.

    `lengths` is (blocks, 3) float64: the greatest length of a whole row, of a first and of a
    second part in each block, as a rule of BLOCK_ROWS, and all after it.
    """

    lengths: Doubles
    cut: int

    @classmethod
    def of(cls, vectors: Floats, cut: int) -> Self:
        """The bounds of (n, d) float32 vectors; one pass over them."""
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
        """That of the first block, and so of all rows, alone."""
        return type(self)(self.lengths[:1], self.cut)

    def every(self, step: int) -> Self:
        """Those of larger blocks, in each `step` of these."""
        return type(self)(np.ascontiguousarray(self.lengths[::step]), self.cut)

    def with_another(self, other: Self, place: int) -> Self:
        """These and at a place one block more, which those before it do not regard."""
        before, after = self.lengths[:place], self.lengths[place:]
        others = _from_here_on(np.concatenate((other.lengths, after)))
        return type(self)(np.concatenate((before, others)), self.cut)

    def __len__(self) -> int:
        return len(self.lengths)

    def ceilings(self, queries: Doubles) -> Doubles:
        """(m, blocks): what no row from the beginning of a block on exceeds for (m, d) queries.

        That is its product with the query.
        """
        return query_kernels.ceilings(self.lengths, self.cut, queries)


def row_lengths(vectors: Floats, cut: int) -> Doubles:
    """(n, 3): the lengths of the rows, of their first and of their second parts."""
    exact = vectors.astype(np.float64)
    squares = np.empty((len(vectors), 3))
    squares[:, 1] = np.einsum("nd,nd->n", exact[:, :cut], exact[:, :cut])
    squares[:, 2] = np.einsum("nd,nd->n", exact[:, cut:], exact[:, cut:])
    squares[:, 0] = squares[:, 1] + squares[:, 2]
    return np.sqrt(squares)


def long_rows_first(vectors: Floats, cut: int, typical: Doubles) -> Integers:
    """The order of rows by how much they can score for a query like `typical`, ties as they are.

    `typical` is a (d,) query whose two parts have the usual lengths; its direction is not used.
    """
    weights = np.array([np.linalg.norm(typical[:cut]), np.linalg.norm(typical[cut:])])
    reach = row_lengths(vectors, cut)[:, 1:] @ weights
    return np.argsort(-reach, kind="stable").astype(np.int64)


def kind_for(rows: int) -> str:
    """The kind of index that is fastest for so many rows and finds every one of the best."""
    return "flat" if rows < FLAT_ROWS else "pruned"


def _from_here_on(lengths: Doubles) -> Doubles:
    return np.ascontiguousarray(np.maximum.accumulate(lengths[::-1])[::-1], np.float64)
