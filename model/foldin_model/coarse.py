"""Scores of every row for many queries at once in bfloat16, and how wrong they can be.

For catalogues that a processor's cache can hold, whose plain searches are answered together
(`foldin_model.together`). Half as much is read as in float32, and processors multiply it faster.
"""

from typing import Final

import numkong
import numpy as np

from foldin_model.arrays import Doubles, Floats
from foldin_model.rounding import summing_error

UNIT: Final = 2.0**-8  # of bfloat16; what float32 rounds before that is in _ROUNDING_UP
_LEAST: Final = np.finfo(np.float32).min  # below it is only what was masked
_FLUSHED: Final = 2.0**-100  # more than all products that are too small for float32
_UPPER: Final = np.uint32(0xFFFF0000)
_HALF: Final = np.uint32(0x8000)
_ROUNDING_UP: Final = 1.0 + 2.0**-10
_FLATTEST: Final = 1e-3


class CoarseMatrix:
    """A matrix (n, d) in bfloat16, packed for products. It is a copy.

    A column counts in the bounds by the square root of its usual size: few columns hold most of a
    trained matrix, and what a query has in the others is multiplied by small numbers only.
    """

    lanes: Final = 512

    def __init__(self, vectors: Floats) -> None:
        self._weights = _weights(vectors)
        self._reach = _reach(vectors, self._weights)
        self._parts = [_packed(vectors)]

    def extended(self, tail: Floats) -> "CoarseMatrix":
        """The matrix with (k, d) rows behind; nothing of the first is made again."""
        longer = object.__new__(CoarseMatrix)
        longer._weights = self._weights
        longer._reach = max(self._reach, _reach(tail, self._weights))
        longer._parts = [*self._parts, _packed(tail)]
        return longer

    def scores(self, queries: Doubles) -> Floats:
        """A new (m, n) array: about the score of every row for each of (m, d) queries."""
        coarse = numkong.astype(_coarse(queries), "bf16")
        products = [np.asarray(numkong.dots_packed(coarse, part)) for part in self._parts]
        return products[0] if len(products) == 1 else np.concatenate(products, axis=1)

    def floors(self, scores: Floats, queries: Doubles, count: int) -> Floats:
        """(m,) bounds that the `count` best of each row of (m, n) `scores` reach.

        They reach them however wrong the scores of `queries` (m, d) are. The best of each lane
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
        floors = np.nextafter(
            (last - 2 * self.slack(queries)).astype(np.float32), np.float32(-np.inf)
        )
        return np.maximum(floors, _LEAST)

    def slack(self, queries: Doubles) -> Doubles:
        """(m,): by how much a score of one of (m, d) queries can differ from the exact one.

        For p and y, query and row in bfloat16, |q·x - p·y| <= |q·(x - y)| + |(q - p)·y|, and p is
        within UNIT of q in each number; all after Cauchy and Schwarz with weighted columns.
        """
        weighted = queries * self._weights
        lengths = np.sqrt(np.vecdot(weighted, weighted))
        return np.asarray(lengths * self._reach + _FLUSHED, np.float64)


def _coarse(numbers: Doubles | Floats) -> Floats:
    """The nearest numbers that bfloat16 has: the upper half of a float32, rounded half up."""
    bits = numbers.astype(np.float32).view(np.uint32)
    bits += _HALF
    bits &= _UPPER
    return bits.view(np.float32)


def _packed(vectors: Floats) -> numkong.PackedMatrix:
    return numkong.dots_pack(numkong.astype(_coarse(vectors), "bf16"))


def _weights(vectors: Floats) -> Doubles:
    """(d,): the square roots of the columns' usual sizes; none is 0."""
    sizes = np.sqrt(np.square(vectors, dtype=np.float64).mean(axis=0))
    largest = sizes.max(initial=0.0) or 1.0
    return np.asarray(np.sqrt(np.maximum(sizes, _FLATTEST * largest)), np.float64)


def _reach(vectors: Floats, weights: Doubles) -> float:
    """The slack of a weighted query of length 1, what summing in float32 rounds included."""
    kept = _coarse(vectors)
    most_kept, most_lost = (_longest(part / weights) for part in (kept, vectors - kept))
    return (most_lost + (UNIT + 2 * summing_error(vectors.shape[1])) * most_kept) * _ROUNDING_UP


def _longest(rows: Doubles) -> float:
    return float(np.sqrt(np.vecdot(rows, rows).max(initial=0.0)))
