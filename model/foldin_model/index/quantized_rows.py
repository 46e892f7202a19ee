"""Rows and queries quantized to int8, their approximate scores, and bounds of the error.

A quarter of the bytes of float32 are read, and many queries are multiplied much faster. Where
numkong has no AMX to pack for, half is read; `foldin_model.index.quantized_steps` is for those
machines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numkong
import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats, Integers, Mask
from foldin_model.index import query_kernels

Codes = NDArray[np.int8]
Products = NDArray[np.int32]
MAX_EXACT_SHARE: Final = 1 / 16
"""Where more of some rows than this have to be scored exactly, int8 scores do not pay."""
HIDDEN: Final = np.iinfo(np.int32).min  # less than any product
_FLATTEST: Final = 1e-3
_ROUNDING: Final = 2.0**-30  # far above the rounding of float64 on the way, as a share of lengths
_SMALLEST: Final = 1e-100
_ROWS_AT_ONCE: Final = 1_024


class QuantizedQueries(NamedTuple):
    """m rotated queries as `codes` (m, d) int8 times `scales` (m,).

    `lengths` (m,) are those of the rotated queries, `errors` (m,) those of the rounding errors.
    """

    codes: Codes
    scales: Doubles
    lengths: Doubles
    errors: Doubles

    def at(self, places: Integers | Mask) -> "QuantizedQueries":
        """Returns the queries at some places."""
        codes, scales, lengths, errors = self
        return QuantizedQueries(codes[places], scales[places], lengths[places], errors[places])


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """A linear map that evens out columns before quantization; inner products stay as they are.

    Rows are multiplied by `rows` (d, d) and queries by `queries` (d, d), which is its inverse
    transposed. Columns are divided by the square roots of their usual sizes and mixed by a random
    rotation, as in RaBitQ (Gao and Long 2024); otherwise the largest column would set the scale
    for all.
    """

    rows: Doubles
    queries: Doubles

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """Returns the rotation that suits rows like `vectors` (n, d); it is valid for any rows."""
        weights = _weights(vectors)[:, None]
        rotation = _rotation(vectors.shape[1])
        return cls(rotation / weights, rotation * weights)

    def quantize(self, queries: Doubles) -> QuantizedQueries:
        """Returns the (m, d) queries for matrices with this rotation."""
        return QuantizedQueries(*query_kernels.quantize(queries @ self.queries, _SMALLEST))


class QuantizedScores(NamedTuple):
    """Approximate scores of n rows for m queries: `products` (m, n) times `scales` (m,).

    An exact score is within `slack` (m,) of that.
    """

    products: Products
    scales: Doubles
    slack: Doubles


class QuantizedRows(NamedTuple):
    """At least one rotated row as `codes` (n, d) int8 times `scale`.

    No quantized row is longer than `length`, and no rounding error is longer than `error`.
    """

    codes: Codes
    scale: float
    error: float
    length: float

    @classmethod
    def of(cls, vectors: Floats, rotation: Rotation) -> Self:
        """Returns the rows of `vectors` (n, d), quantized."""
        largest = max(float(np.abs(part).max()) for _, part in _rotated(vectors, rotation))
        scale = max(largest / query_kernels.MAX_CODE, _SMALLEST)
        max_error = max_length = 0.0
        codes = np.empty(vectors.shape, np.int8)
        for place, part in _rotated(vectors, rotation):
            rounded = np.rint(part / scale)
            codes[place] = rounded
            quantized = rounded * scale
            errors = _lengths(part - quantized) + _ROUNDING * _lengths(part)
            max_error = max(max_error, float(errors.max()) * (1.0 + _ROUNDING))
            max_length = max(max_length, float(_lengths(quantized).max()) * (1.0 + _ROUNDING))
        return cls(codes, scale, max_error, max_length)


class QuantizedMatrix:
    """A copy in int8 of a matrix (n, d) of at least one row, packed for products by numkong."""

    def __init__(self, vectors: Floats, rotation: Rotation) -> None:
        codes, self._scale, self._error, self._length = QuantizedRows.of(vectors, rotation)
        self._packed = numkong.dots_pack(codes)

    @property
    def memory_bytes(self) -> int:
        """The memory of the copy, which processes do not share."""
        return int(self._packed.nbytes)

    def scores(self, queries: QuantizedQueries) -> QuantizedScores:
        """Returns approximate scores of every row for each query.

        With p and y the quantized query and row, |q·x - p·y| <= |q·(x - y)| + |(q - p)·y|, both
        bounded by Cauchy-Schwarz.
        """
        slack = queries.lengths * self._error + queries.errors * self._length
        scales = queries.scales * self._scale
        products = np.asarray(numkong.dots_packed(queries.codes, self._packed))
        return QuantizedScores(products, scales, slack)


def max_exact(rows: int, count: int) -> int:
    """Returns how many of `rows` rows may be scored exactly in a search for `count` of them."""
    return max(4 * count, int(MAX_EXACT_SHARE * rows))


def _rotated(vectors: Floats, rotation: Rotation) -> Iterator[tuple[slice, Doubles]]:
    """Yields the rotated rows in parts: the memory for all at once would stay with the process."""
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        place = slice(start, start + _ROWS_AT_ONCE)
        yield place, vectors[place] @ rotation.rows


def _weights(vectors: Floats) -> Doubles:
    """Returns (d,): the square roots of the columns' usual sizes; none is 0."""
    squares = np.einsum("nd,nd->d", vectors, vectors, dtype=np.float64)
    sizes = np.sqrt(squares / max(1, len(vectors)))
    largest = sizes.max(initial=0.0) or 1.0
    return np.asarray(np.sqrt(np.maximum(sizes, _FLATTEST * largest)), np.float64)


def _rotation(dimension: int) -> Doubles:
    """Returns (d, d): a random rotation, the same for all matrices."""
    directions = np.random.default_rng(0).standard_normal((dimension, dimension))
    return np.asarray(np.linalg.qr(directions).Q, np.float64)


def _lengths(rows: Doubles) -> Doubles:
    return np.asarray(np.sqrt(np.vecdot(rows, rows)), np.float64)
