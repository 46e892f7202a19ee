"""A quadratic head: what it takes to score items for a user and to fold ratings into her vector.

Heads are kept in the basis where the prior precision P = Λ + α·VᵀV is the identity (multiply item
vectors by L⁻ᵀ and user vectors by Lᵀ, P = L·Lᵀ; inner products stay as they are). What is left of
the quadratic user problem is A(H) z = o + g(H) with

    A(H) = I + Σ_{j∈H} w_j v_j v_jᵀ        g(H) = Σ_{j∈H} w_j t_j v_j

so that no matrix has to travel with a version. Where a head has a lead (`foldin_model.fold_in.linear_start`),
the right-hand side is o + lead(H) + g(H).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in.linear_start import Lead
from foldin_model.index.canonical_score import canonical_scores


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
        if len(set(self.weights)) == 1:
            return np.full(np.shape(values), self.weights[0])
        return np.interp(np.asarray(values, np.float64), self.knots, self.weights)

    def target(self, values: ArrayLike) -> Doubles:
        """Targets of (n,) rating values."""
        return np.interp(np.asarray(values, np.float64), self.knots, self.targets)


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticHead:
    """One inner-product scorer: score(u, i) = constant + offsets[i] + vectors[i]·z_u.

    `vectors` is (n_items, d) float32, `offsets` (n_items,) float32 and `prior`, the vector z₀ of a
    user without ratings and her right-hand side o, (d,) float64. `precisions` (n_items,) float32
    multiply the rule's weights item by item. `quadratic` tells whether any rating weighs at all;
    if not, A(H) = I and there is nothing to solve.
    """

    vectors: Floats
    offsets: Floats
    constant: float
    prior: Doubles
    rule: RatingRule
    lead: Lead | None = None
    precisions: Floats | None = None
    quadratic: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        weighs = self.precisions is None or bool(np.any(self.precisions))
        object.__setattr__(self, "quadratic", weighs and any(self.rule.weights))

    def weights(self, rows: Rows, values: ArrayLike) -> Doubles:
        """How much each of (n,) ratings counts."""
        weights = self.rule.weight(values)
        return weights if self.precisions is None else weights * self.precisions[rows]

    def targets(self, rows: Rows, values: ArrayLike) -> Doubles:
        """What vectors[row]·z should be for each of (n,) ratings."""
        return self.rule.target(values) - self.offsets[rows] - self.constant

    def score(self, rows: Rows, vector: Doubles, owners: Integers | None = None) -> Doubles:
        """Scores of (n,) rows for a (d,) user vector, in float64, each row by itself.

        With `owners` (n,) the i-th row is scored for the `owners[i]`-th of (m, d) vectors.
        """
        scores = canonical_scores(self.vectors, rows, vector, owners)
        scores += self.offsets[rows]
        scores += self.constant
        return scores
