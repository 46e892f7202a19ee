"""A quadratic head: what it takes to score items for a user and to fold ratings into her vector.

Heads are kept in the basis where the prior precision P = Λ + α·VᵀV is the identity (multiply item
vectors by L⁻ᵀ and user vectors by Lᵀ, P = L·Lᵀ; inner products stay as they are). What is left of
the quadratic user problem is A(H) z = o + g(H) with

    A(H) = I + Σ_{j∈H} w_j v_j v_jᵀ        g(H) = Σ_{j∈H} w_j t_j v_j

so that no matrix has to travel with a version.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from foldin_model.arrays import Doubles, Floats, Rows


@dataclass(frozen=True, slots=True)
class Scale:
    """The closed interval that ratings lie in."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class RatingRule:
    """How much a rating weighs and what it asks for: piecewise linear between knots.

    `knots` are rating values in increasing order; `weights` are not negative; both functions are
    constant outside the knots.
    """

    knots: tuple[float, ...]
    weights: tuple[float, ...]
    targets: tuple[float, ...]

    def weight(self, values: ArrayLike) -> Doubles:
        """Weights of (n,) rating values."""
        return np.interp(np.asarray(values, np.float64), self.knots, self.weights)

    def target(self, values: ArrayLike) -> Doubles:
        """Targets of (n,) rating values."""
        return np.interp(np.asarray(values, np.float64), self.knots, self.targets)


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticHead:
    """One inner-product scorer: score(u, i) = constant + offsets[i] + vectors[i]·z_u.

    `vectors` is (n_items, d) float32, `offsets` (n_items,) float32 and `prior`, the vector z₀ of a
    user without ratings and her right-hand side o, (d,) float64.
    """

    vectors: Floats
    offsets: Floats
    constant: float
    prior: Doubles
    rule: RatingRule

    def weights(self, values: ArrayLike) -> Doubles:
        """How much each of (n,) ratings counts."""
        return self.rule.weight(values)

    def targets(self, rows: Rows, values: ArrayLike) -> Doubles:
        """What vectors[row]·z should be for each of (n,) ratings."""
        return self.rule.target(values) - self.offsets[rows] - self.constant

    def score(self, rows: Rows, vector: Doubles) -> Doubles:
        """Scores of (n,) rows for a (d,) user vector, in float64, each row by itself.

        With (n, d) vectors each row is scored for a user of its own.
        """
        products = self.vectors[rows].astype(np.float64) * vector
        scores: Doubles = products.sum(axis=1) + self.offsets[rows] + self.constant
        return scores
