"""Scores of every row for many queries at once in whole numbers, and how wrong they can be.

For catalogues that a processor's cache can hold, whose plain searches are answered together
(`foldin_model.together`). A quarter as much is read as in float32, and multiplied much faster.
"""

from copy import copy
from dataclasses import dataclass
from typing import Final

import numkong
import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats

HIDDEN: Final = np.iinfo(np.int32).min  # less than any score
_MOST: Final = 127
_FLATTEST: Final = 1e-3
_ROUNDING: Final = 2.0**-30  # far more than what float64 rounds on the way, in shares of lengths
_SMALLEST: Final = 1e-300
WholeNumbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class CoarseScores:
    """About the scores of (m,) queries: `numbers` (m, n) times `units` (m,).

    An exact score is no further from that than `slack` (m,) units.
    """

    lanes: int
    numbers: WholeNumbers
    units: Doubles
    slack: Doubles

    def floors(self, count: int) -> WholeNumbers:
        """(m,) bounds that the numbers of each query's `count` best rows reach.

        They are over HIDDEN. The best of each lane are numbers of different rows, so the `count`-th
        of those is no better than the sought one.
        """
        numbers, rows = self.numbers, self.numbers.shape[1]
        whole = rows - rows % self.lanes
        lanes = numbers
        if count <= self.lanes < whole:
            lanes = numbers[:, :whole].reshape(len(numbers), -1, self.lanes).max(axis=1)
            rest = lanes[:, : rows - whole]
            np.maximum(rest, numbers[:, whole:], out=rest)
        count = min(count, lanes.shape[1])
        last = np.partition(lanes, -count, axis=1)[:, -count]
        return np.maximum(np.ceil(last - 2 * self.slack), HIDDEN + 1).astype(np.int32)


class CoarseMatrix:
    """A matrix (n, d) in int8, packed for products. It is a copy.

    Before it is rounded its columns are divided by the square roots of their usual sizes and mixed
    by a random rotation, as in RaBitQ (Gao and Long 2024); queries are turned the other way, which
    leaves all products. Else the largest column would say how coarse all the others are.
    """

    lanes: Final = 512

    def __init__(self, vectors: Floats) -> None:
        weights = _weights(vectors)[:, None]
        rotation = _rotation(vectors.shape[1])
        self._turning, self._turning_queries = rotation / weights, rotation * weights
        turned = vectors @ self._turning
        self._unit = float(np.abs(turned).max(initial=0.0)) / _MOST or 1.0
        self._lost = self._kept = 0.0
        self._parts: list[numkong.PackedMatrix] = []
        self._add(turned)

    def extended(self, tail: Floats) -> "CoarseMatrix":
        """The matrix with (k, d) rows behind; nothing of the first is made again."""
        longer = copy(self)
        longer._add(tail @ self._turning)  # noqa: SLF001 (of the same class)
        return longer

    def scores(self, queries: Doubles) -> CoarseScores:
        """About the score of every row for each of (m, d) queries.

        For p and y, query and row in whole numbers, |q·x - p·y| <= |q·(x - y)| + |(q - p)·y|, both
        after Cauchy and Schwarz.
        """
        turned = queries @ self._turning_queries
        units = np.abs(turned).max(axis=1, initial=0.0) / _MOST
        units[units * self._unit < _SMALLEST] = 1.0
        whole = np.rint(turned / units[:, None])
        lost = _lengths(turned - whole * units[:, None])
        slack = (_lengths(turned) * self._lost + lost * self._kept) * (1.0 + _ROUNDING)
        units *= self._unit
        narrow = whole.astype(np.int8)
        products = [np.asarray(numkong.dots_packed(narrow, part)) for part in self._parts]
        numbers = products[0] if len(products) == 1 else np.concatenate(products, axis=1)
        return CoarseScores(self.lanes, numbers, units, slack / units)

    def _add(self, turned: Doubles) -> None:
        whole = np.rint(turned / self._unit).clip(-_MOST, _MOST)
        kept = whole * self._unit
        lost = _lengths(turned - kept) + _ROUNDING * _lengths(turned)
        self._lost = max(self._lost, lost.max(initial=0.0))
        self._kept = max(self._kept, _lengths(kept).max(initial=0.0))
        self._parts = [*self._parts, numkong.dots_pack(whole.astype(np.int8))]


def _weights(vectors: Floats) -> Doubles:
    """(d,): the square roots of the columns' usual sizes; none is 0."""
    sizes = np.sqrt(np.square(vectors, dtype=np.float64).mean(axis=0))
    largest = sizes.max(initial=0.0) or 1.0
    return np.asarray(np.sqrt(np.maximum(sizes, _FLATTEST * largest)), np.float64)


def _rotation(dimension: int) -> Doubles:
    """(d, d): the same for all matrices, and no column is like another."""
    directions = np.random.default_rng(0).standard_normal((dimension, dimension))
    return np.asarray(np.linalg.qr(directions).Q, np.float64)


def _lengths(rows: Doubles) -> Doubles:
    return np.asarray(np.sqrt(np.vecdot(rows, rows)), np.float64)
