"""A head: what it takes to score items for a user and to fold ratings into a user's vector.

Heads are kept in the basis where the prior precision P = Λ + α·VᵀV is the identity (multiply item
vectors by L⁻ᵀ and user vectors by Lᵀ, P = L·Lᵀ; inner products stay as they are). What is left of
the quadratic user problem is A(H) z = o + g(H) with

    A(H) = I + Σ_{j∈H} w_j v_j v_jᵀ        g(H) = Σ_{j∈H} w_j t_j v_j

so that no matrix has to be stored with a version. Where a head has a linear encoder
(`foldin_model.fold_in.linear_encoder`), the right-hand side is o + e(H) + g(H).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in.kinds import ServingKind, kind_of
from foldin_model.fold_in.linear_encoder import LinearEncoder
from foldin_model.index.canonical_score import canonical_scores


@dataclass(frozen=True, slots=True)
class RatingRule:
    """The weight and the target of a rating by its value: piecewise linear between knots.

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
class Head:
    """One inner-product scorer: score(u, i) = constant + offsets[i] + vectors[i]·z_u.

    `vectors` is (n_items, d) float32, `offsets` (n_items,) float32 and `prior`, the vector z₀ of a
    user without ratings and that user's right-hand side o, (d,) float64. `kind` says how a user's
    vector follows from ratings. Raises ValueError where no rating would move it.
    """

    vectors: Floats
    offsets: Floats
    constant: float
    prior: Doubles
    rule: RatingRule
    encoder: LinearEncoder | None = None
    kind: ServingKind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        kind = kind_of(encodes=self.encoder is not None, solves=any(self.rule.weights))
        object.__setattr__(self, "kind", kind)

    def weights(self, values: ArrayLike) -> Doubles:
        """The weight of each of (n,) ratings."""
        return self.rule.weight(values)

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
