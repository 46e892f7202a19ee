"""Scores of many rows for many queries at once in whole numbers, and how wrong they can be.

A quarter as much is read as in float32 (half, where numkong has no AMX to pack for, which is what
`foldin_model.index.integer_steps` is for), and many queries are multiplied much faster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numkong
import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats, Integers, Mask
from foldin_model.index import query_kernels

WholeNumbers = NDArray[np.int32]
MOST_SHARE: Final = 1 / 16
"""Where whole numbers leave more of some rows than this, they are no help."""
HIDDEN: Final = np.iinfo(np.int32).min  # less than any score
_FLATTEST: Final = 1e-3
_ROUNDING: Final = 2.0**-30  # far more than what float64 rounds on the way, in shares of lengths
_SMALLEST: Final = 1e-100
_TOGETHER: Final = 1_024


class QuantizedQueries(NamedTuple):
    """Queries rotated and rounded: `whole` (m, d) int8 times `units` (m,).

    `lengths` (m,) are those of the rotated queries, `lost` (m,) of what rounding took from them.
    """

    whole: "NDArray[np.int8]"
    units: Doubles
    lengths: Doubles
    lost: Doubles

    def at(self, places: Integers | Mask) -> "QuantizedQueries":
        """Some of them."""
        whole, units, lengths, lost = self
        return QuantizedQueries(whole[places], units[places], lengths[places], lost[places])


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """What `rows` (d, d) does to rows, `queries` (d, d) undoes in their products with queries.

    Columns are divided by the square roots of their usual sizes and mixed by a random rotation, as
    in RaBitQ (Gao and Long 2024). Else the largest column would say how quantized all others are.
    """

    rows: Doubles
    queries: Doubles

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """The rotation that suits rows like `vectors` (n, d); it is right for all others."""
        weights = _weights(vectors)[:, None]
        rotation = _rotation(vectors.shape[1])
        return cls(rotation / weights, rotation * weights)

    def quantized(self, queries: Doubles) -> QuantizedQueries:
        """The (m, d) queries, ready for matrices that are rotated alike."""
        return QuantizedQueries(*query_kernels.whole_numbers(queries @ self.queries, _SMALLEST))


class QuantizedScores(NamedTuple):
    """About the scores of (m,) queries: `numbers` (m, n) times `units` (m,).

    An exact score is no further from that than `slack` (m,).
    """

    numbers: WholeNumbers
    units: Doubles
    slack: Doubles


class QuantizedRows(NamedTuple):
    """At least one row rotated and rounded: `whole` (n, d) int8 times `unit`.

    None is longer than `kept`, and rounding took no more than a row of length `lost` from any.
    """

    whole: "NDArray[np.int8]"
    unit: float
    lost: float
    kept: float

    @classmethod
    def of(cls, vectors: Floats, rotation: Rotation) -> Self:
        """The rows of `vectors` (n, d)."""
        largest = max(float(np.abs(part).max()) for _, part in _rotated(vectors, rotation))
        unit = max(largest / query_kernels.MOST, _SMALLEST)
        most_lost = most_kept = 0.0
        whole = np.empty(vectors.shape, np.int8)
        for place, part in _rotated(vectors, rotation):
            rounded = np.rint(part / unit)
            whole[place] = rounded
            kept = rounded * unit
            lost = _lengths(part - kept) + _ROUNDING * _lengths(part)
            most_lost = max(most_lost, float(lost.max()) * (1.0 + _ROUNDING))
            most_kept = max(most_kept, float(_lengths(kept).max()) * (1.0 + _ROUNDING))
        return cls(whole, unit, most_lost, most_kept)


class QuantizedMatrix:
    """A matrix (n, d) of at least one row in int8, rotated, packed for products. It is a copy."""

    def __init__(self, vectors: Floats, rotation: Rotation) -> None:
        whole, self._unit, self._lost, self._kept = QuantizedRows.of(vectors, rotation)
        self._packed = numkong.dots_pack(whole)

    @property
    def memory_bytes(self) -> int:
        """What it takes, and nothing of it is shared between processes."""
        return int(self._packed.nbytes)

    def scores(self, queries: QuantizedQueries) -> QuantizedScores:
        """About the score of every row for each query.

        For p and y, query and row in whole numbers, |q·x - p·y| <= |q·(x - y)| + |(q - p)·y|, both
        after Cauchy and Schwarz.
        """
        slack = queries.lengths * self._lost + queries.lost * self._kept
        units = queries.units * self._unit
        numbers = np.asarray(numkong.dots_packed(queries.whole, self._packed))
        return QuantizedScores(numbers, units, slack)


def most_exact(rows: int, count: int) -> int:
    """How many of so many rows may have to be scored exactly when `count` are sought."""
    return max(4 * count, int(MOST_SHARE * rows))


def _rotated(vectors: Floats, rotation: Rotation) -> Iterator[tuple[slice, Doubles]]:
    """The rotated rows, not all at once: the memory for that would remain the process's."""
    for start in range(0, len(vectors), _TOGETHER):
        place = slice(start, start + _TOGETHER)
        yield place, vectors[place] @ rotation.rows


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
