"""A lead: where a user's vector stands by a linear map of her history, before anything is solved.

A head with nothing but a lead is a linear encoder, such as a shallow autoencoder of low rank
(Steck 2019); with a solve on top, the lead is the mean of a prior that depends on what she rated
(Simm et al. 2017).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in import kernels


@dataclass(frozen=True, slots=True)
class LeadRule:
    """ρ, how a rating's value counts: piecewise linear between knots, constant outside.

    `knots` are rating values in increasing order; `factors` may be negative.
    """

    knots: tuple[float, ...]
    factors: tuple[float, ...]

    def factor(self, values: ArrayLike) -> Doubles:
        """Factors of (n,) rating values."""
        return np.interp(np.asarray(values, np.float64), self.knots, self.factors)


@dataclass(frozen=True, slots=True, eq=False)
class Lead:
    """lead(H) = n(H)^-γ Σ_{j∈H} ρ(r_j) e_j, with n(H) the ratings in H that the model knows.

    `vectors`, the e_j, are (n_items, d) float32 in the head's own basis; `exponent` is γ. An empty
    history leads nowhere.
    """

    vectors: Floats
    rule: LeadRule
    exponent: float

    def shares(self, values: ArrayLike) -> Doubles:
        """What each of the (n,) ratings of one history multiplies its e_j with: n^-γ ρ(r_j)."""
        factors = self.rule.factor(values)
        return self._scaled(factors, np.array([0, len(factors)]))

    def of(self, rows: Rows, values: Doubles) -> Doubles:
        """The lead (d,) of ratings `values` of the items at `rows`, both (n,)."""
        (lead,) = self.of_each(rows, values, np.array([0, len(rows)]))
        return np.asarray(lead, np.float64)

    def of_each(self, rows: Rows, values: Doubles, starts: Integers) -> Doubles:
        """(m, d) leads: that of the ratings from `starts[i]` to `starts[i + 1]`, for each i.

        `rows` and `values` are (n,).
        """
        shares = self._scaled(self.rule.factor(values), starts)
        vectors = self.vectors
        leads = np.zeros((len(starts) - 1, vectors.shape[1]))
        if not (isinstance(vectors, np.ndarray) and vectors.flags.c_contiguous):
            vectors, rows = vectors[rows], np.arange(len(rows), dtype=np.int32)
        kernels.add_weighted(vectors, rows, shares, starts, leads)
        return leads

    def _scaled(self, factors: Doubles, starts: Integers) -> Doubles:
        """The factors (n,) of histories one after the other, each times n^-γ of its history."""
        if self.exponent == 0.0:
            return factors
        sizes = np.diff(starts)
        scales = [float(size) ** -self.exponent if size else 0.0 for size in sizes.tolist()]
        return np.asarray(factors * np.repeat(scales, sizes), np.float64)

    def reordered(self, order: Integers) -> "Lead":
        """The lead of the same items with the row that is now `order[i]` at row i."""
        return Lead(self.vectors[order], self.rule, self.exponent)
