"""Scores of many rows for many queries at once in whole numbers, and how wrong they can be.

A quarter as much is read as in float32, and multiplied much faster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numkong
import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats, Integers, Mask, Rows

WholeNumbers = NDArray[np.int32]
HIDDEN: Final = np.iinfo(np.int32).min  # less than any score
_LARGEST: Final = np.iinfo(np.int32).max
_MOST: Final = 127
_FLATTEST: Final = 1e-3
_ROUNDING: Final = 2.0**-30  # far more than what float64 rounds on the way, in shares of lengths
_SMALLEST: Final = 1e-100
_TOGETHER: Final = 1_024


class CoarseQueries(NamedTuple):
    """Queries turned and rounded: `whole` (m, d) int8 times `units` (m,).

    `lengths` (m,) are those of the turned queries, `lost` (m,) of what rounding took from them.
    """

    whole: "NDArray[np.int8]"
    units: Doubles
    lengths: Doubles
    lost: Doubles

    def at(self, places: Integers | Mask) -> "CoarseQueries":
        """Some of them."""
        whole, units, lengths, lost = self
        return CoarseQueries(whole[places], units[places], lengths[places], lost[places])


@dataclass(frozen=True, slots=True, eq=False)
class Turning:
    """What `rows` (d, d) does to rows, `queries` (d, d) undoes in their products with queries.

    Columns are divided by the square roots of their usual sizes and mixed by a random rotation, as
    in RaBitQ (Gao and Long 2024). Else the largest column would say how coarse all others are.
    """

    rows: Doubles
    queries: Doubles

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """The turning that suits rows like `vectors` (n, d); it is right for all others."""
        weights = _weights(vectors)[:, None]
        rotation = _rotation(vectors.shape[1])
        return cls(rotation / weights, rotation * weights)

    def coarse(self, queries: Doubles) -> CoarseQueries:
        """The (m, d) queries, ready for matrices that are turned alike."""
        turned = queries @ self.queries
        units = np.maximum(np.abs(turned).max(axis=1, initial=0.0) / _MOST, _SMALLEST)
        whole = np.rint(turned / units[:, None])
        lost = _lengths(turned - whole * units[:, None])
        return CoarseQueries(whole.astype(np.int8), units, _lengths(turned), lost)


class CoarseScores(NamedTuple):
    """About the scores of (m,) queries: `numbers` (m, n) times `units` (m,).

    An exact score is no further from that than `slack` (m,).
    """

    lanes: int
    numbers: WholeNumbers
    units: Doubles
    slack: Doubles

    def hide(self, rows: Rows, queries: Integers) -> None:
        """Takes rows (k,) out of the lists of `queries` (k,)."""
        if len(rows):
            self.numbers[queries, rows] = HIDDEN

    def promising(self, floors: Doubles, count: int) -> tuple[Integers, Integers]:
        """Queries (k,) and rows (k,) that may be among the `count` best and score the floor.

        `floors` (m,) are infinitely low where nothing is known yet.
        """
        bounds = self.reaching(floors)
        if floors.min() == -np.inf:
            np.maximum(bounds, self.best(count), out=bounds)
        (pairs,) = (self.numbers >= bounds[:, None]).ravel().nonzero()
        if len(pairs) == 0:
            return pairs, pairs
        queries, rows = np.divmod(pairs, self.numbers.shape[1])
        return queries, rows

    def best(self, count: int) -> WholeNumbers:
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
        return np.fmax(np.ceil(last - 2 * self.slack / self.units), HIDDEN + 1).astype(np.int32)

    def reaching(self, floors: Doubles) -> WholeNumbers:
        """(m,) bounds over HIDDEN that numbers reach whose exact scores reach `floors` (m,)."""
        bounds = (floors - self.slack) / self.units
        bounds -= 2  # where numbers are cut to whole ones those below 0 grow
        # fmax and fmin leave what is no number out, so that it reveals nothing hidden.
        return np.fmax(np.fmin(bounds, _LARGEST), HIDDEN + 1).astype(np.int32)


class CoarseMatrix:
    """A matrix (n, d) of at least one row in int8, turned, packed for products. It is a copy."""

    lanes: Final = 512

    def __init__(self, vectors: Floats, turning: Turning) -> None:
        largest = max(float(np.abs(part).max()) for _, part in _turned(vectors, turning))
        self._unit = max(largest / _MOST, _SMALLEST)
        self._lost = self._kept = 0.0
        whole = np.empty(vectors.shape, np.int8)
        for place, part in _turned(vectors, turning):
            rounded = np.rint(part / self._unit)
            whole[place] = rounded
            kept = rounded * self._unit
            lost = _lengths(part - kept) + _ROUNDING * _lengths(part)
            self._lost = max(self._lost, float(lost.max()) * (1.0 + _ROUNDING))
            self._kept = max(self._kept, float(_lengths(kept).max()) * (1.0 + _ROUNDING))
        self._packed = numkong.dots_pack(whole)

    @property
    def memory_bytes(self) -> int:
        """What it takes, and nothing of it is shared between processes."""
        return int(self._packed.nbytes)

    def scores(self, queries: CoarseQueries) -> CoarseScores:
        """About the score of every row for each query.

        For p and y, query and row in whole numbers, |q·x - p·y| <= |q·(x - y)| + |(q - p)·y|, both
        after Cauchy and Schwarz.
        """
        slack = queries.lengths * self._lost + queries.lost * self._kept
        units = queries.units * self._unit
        numbers = np.asarray(numkong.dots_packed(queries.whole, self._packed))
        return CoarseScores(self.lanes, numbers, units, slack)


def _turned(vectors: Floats, turning: Turning) -> Iterator[tuple[slice, Doubles]]:
    """The turned rows, not all at once: the memory for that would remain the process's."""
    for start in range(0, len(vectors), _TOGETHER):
        place = slice(start, start + _TOGETHER)
        yield place, vectors[place] @ turning.rows


def _weights(vectors: Floats) -> Doubles:
    """(d,): the square roots of the columns' usual sizes; none is 0."""
    squares = np.einsum("nd,nd->d", vectors, vectors, dtype=np.float64)
    sizes = np.sqrt(squares / max(1, len(vectors)))
    largest = sizes.max(initial=0.0) or 1.0
    return np.asarray(np.sqrt(np.maximum(sizes, _FLATTEST * largest)), np.float64)


def _rotation(dimension: int) -> Doubles:
    """(d, d): the same for all matrices, and no column is like another."""
    directions = np.random.default_rng(0).standard_normal((dimension, dimension))
    return np.asarray(np.linalg.qr(directions).Q, np.float64)


def _lengths(rows: Doubles) -> Doubles:
    return np.asarray(np.sqrt(np.vecdot(rows, rows)), np.float64)
