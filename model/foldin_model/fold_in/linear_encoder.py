"""A linear encoder: a user's vector as a weighted sum over the rated items, with nothing solved.

A head with an encoder alone is a linear autoencoder of low rank (Steck 2019). Where a system is
solved on top, the encoder gives the mean of a prior that depends on which items were rated (Simm
et al. 2017).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in import kernels


@dataclass(frozen=True, slots=True)
class EncoderRule:
    """ρ, the factor of a rating by its value: piecewise linear between knots, constant outside.

    `knots` are rating values in increasing order; `factors` may be negative.
    """

    knots: tuple[float, ...]
    factors: tuple[float, ...]

    def factor(self, values: ArrayLike) -> Doubles:
        """Factors of (n,) rating values."""
        return np.interp(np.asarray(values, np.float64), self.knots, self.factors)


@dataclass(frozen=True, slots=True, eq=False)
class LinearEncoder:
    """e(H) = n(H)^-γ Σ_{j∈H} ρ(r_j) e_j, with n(H) the number of ratings of known items in H.

    `vectors`, the e_j, are (n_items, d) float32 in the head's own basis; `exponent` is γ. For an
    empty history e(H) is 0.
    """

    vectors: Floats
    rule: EncoderRule
    exponent: float

    def shares(self, values: ArrayLike) -> Doubles:
        """The factors n^-γ ρ(r_j) of the e_j, for each of the (n,) ratings of one history."""
        factors = self.rule.factor(values)
        return self._scaled(factors, np.array([0, len(factors)]))

    def encode(self, rows: Rows, values: Doubles) -> Doubles:
        """e(H), (d,), of ratings `values` of the items at `rows`, both (n,)."""
        (encoded,) = self.encode_each(rows, values, np.array([0, len(rows)]))
        return np.asarray(encoded, np.float64)

    def encode_each(self, rows: Rows, values: Doubles, starts: Integers) -> Doubles:
        """e(H), (m, d), of each of m histories: the i-th is from `starts[i]` to `starts[i + 1]`.

        `rows` and `values` are (n,).
        """
        shares = self._scaled(self.rule.factor(values), starts)
        vectors = self.vectors
        sums = np.zeros((len(starts) - 1, vectors.shape[1]))
        if not (isinstance(vectors, np.ndarray) and vectors.flags.c_contiguous):
            vectors, rows = vectors[rows], np.arange(len(rows), dtype=np.int32)
        kernels.add_weighted(vectors, rows, shares, starts, sums)
        return sums

    def _scaled(self, factors: Doubles, starts: Integers) -> Doubles:
        """The factors (n,) of histories one after the other, each times n^-γ of its history."""
        if self.exponent == 0.0:
            return factors
        sizes = np.diff(starts)
        scales = [float(size) ** -self.exponent if size else 0.0 for size in sizes.tolist()]
        return np.asarray(factors * np.repeat(scales, sizes), np.float64)

    def reordered(self, order: Integers) -> "LinearEncoder":
        """The encoder of the same items with the row that is now `order[i]` at row i."""
        return LinearEncoder(self.vectors[order], self.rule, self.exponent)
