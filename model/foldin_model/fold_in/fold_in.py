"""Folds a whole rating history into a user vector with the item vectors held fixed.

The problem is A(H) z = o + e(H) + g(H) of `foldin_model.fold_in.head`. Both solvers keep the
coefficients a_j of z = o + e(H) + Σ a_j v_j, so that a score can be explained rating by rating.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in import kernels
from foldin_model.fold_in.head import Head

LONG: Final = 4
"""Histories longer than this many times the dimension are always solved exactly."""
FEW: Final = 2
"""With at most 1/FEW as many ratings as dimensions the n × n kernel form is solved."""
SMALL: Final = 48
"""Up to this dimension loops in machine code are faster than BLAS and LAPACK."""
ROUNDING: Final = 1e-28
"""The share of the first residual's square at which only rounding is left."""


@dataclass(frozen=True, slots=True, eq=False)
class FoldedVector:
    """A user vector (d,) float64 and the (n,) float64 coefficients of the ratings behind it.

    `vector` equals the right-hand side o, plus e(H) where the head has an encoder, plus
    coefficients @ vectors of the rated items.
    """

    vector: Doubles
    coefficients: Doubles


def fold_exact(vectors: Doubles, weights: Doubles, targets: Doubles, base: Doubles) -> FoldedVector:
    """Solves A(H) z = base + g(H) directly.

    `vectors` is (n, d), `weights` and `targets` (n,), `base` (d,). For few ratings the n × n kernel
    form is solved, else the d × d normal equations; both give the same vector.
    """
    n, d = vectors.shape
    if n == 0:
        return FoldedVector(base, np.zeros(0))
    if FEW * n <= d:
        roots = np.sqrt(weights)
        scaled = vectors * roots[:, None]
        kernel = scaled @ scaled.T
        kernel.flat[:: n + 1] += 1.0
        coefficients = roots * _solve(kernel, roots * (targets - vectors @ base))
        return FoldedVector(base + coefficients @ vectors, coefficients)
    weighted = vectors * weights[:, None]
    normal = weighted.T @ vectors
    normal.flat[:: d + 1] += 1.0
    vector = _solve(normal, base + targets @ weighted)
    return FoldedVector(vector, weights * (targets - vectors @ vector))


def fold_exact_batch(
    vectors: Floats, weights: Doubles, targets: Doubles, starts: Integers, bases: Doubles
) -> Doubles:
    """Returns the vectors (m, d) of m histories, each solved exactly over its own base.

    `vectors` are (n, d), `weights` and `targets` (n,), `bases` (m, d). The i-th history is from
    `starts[i]` to `starts[i + 1]`; its vector does not depend on the others.
    """
    if bases.shape[1] <= SMALL:
        solved = bases.copy()
        kernels.solve_each(vectors, weights, targets, starts, solved)
        return solved
    spans = [slice(*span) for span in pairwise(starts.tolist())]
    exact = vectors.astype(np.float64)
    folded = [
        fold_exact(exact[span], weights[span], targets[span], base).vector
        for span, base in zip(spans, bases, strict=True)
    ]
    return np.array(folded).reshape(bases.shape)


def fold_in_steps(
    vectors: Doubles, weights: Doubles, targets: Doubles, base: Doubles, steps: int
) -> FoldedVector:
    """Approaches the solution of `fold_exact` by `steps` conjugate-gradient steps from `base`.

    Shapes as in `fold_exact`. In this basis the gradient is preconditioned by P⁻¹ already. Stops
    early where the residual is rounding alone. (Hestenes & Stiefel 1952.)
    """
    coefficients = np.zeros(len(vectors))
    slack = weights * (targets - vectors @ base)
    residual = slack @ vectors
    direction, direction_slack = residual, slack
    vector = base
    energy = float(residual @ residual)
    solved = ROUNDING * energy
    for _ in range(steps):
        if energy <= solved:
            break
        response = direction_slack + weights * (vectors @ direction)
        image = response @ vectors
        length = energy / float(direction @ image)
        coefficients = coefficients + length * direction_slack
        vector = vector + length * direction
        slack = slack - length * response
        residual = residual - length * image
        previous, energy = energy, float(residual @ residual)
        direction = residual + (energy / previous) * direction
        direction_slack = slack + (energy / previous) * direction_slack
    return FoldedVector(vector, coefficients)


def fold(
    head: Head,
    rows: Rows,
    values: Doubles,
    base: Doubles,
    *,
    steps: int | None = None,
) -> FoldedVector:
    """Folds ratings `values` of the items at `rows`, both (n,), over the right-hand side `base`.

    The head's encoder, where it has one, adds to `base`. Exact without `steps`, and for histories
    longer than LONG times the dimension. The result depends on the set of ratings, not on their
    order, to the last bit when the caller passes rows in increasing order.
    """
    if head.encoder is not None:
        base = base + head.encoder.encode(rows, values)
    if not head.kind.solves:
        return FoldedVector(base, np.zeros(len(rows)))
    vectors = np.ascontiguousarray(head.vectors[rows])
    weights = head.weights(values)
    targets = head.targets(rows, values)
    if steps is None or len(rows) > LONG * len(base):
        starts = np.array([0, len(rows)])
        vector = fold_exact_batch(vectors, weights, targets, starts, base[None, :])[0]
        return FoldedVector(vector, weights * (targets - vectors @ vector))
    return fold_in_steps(vectors.astype(np.float64), weights, targets, base, steps)


def trained_base(head: Head, rows: Rows, values: Doubles, vector: Doubles) -> Doubles:
    """Returns o_u = A(H₀) z_u − g(H₀) − e(H₀), over which folding H₀ returns `vector` (d,)."""
    if head.kind.solves:
        slack = slack_coefficients(head, rows, values, vector)
        vector = vector - slack @ head.vectors[rows]
    return vector if head.encoder is None else vector - head.encoder.encode(rows, values)


def vector_contributions(head: Head, rows: Rows, values: Doubles, vector: Doubles) -> Doubles:
    """Returns what each of (n,) ratings contributes to the user's vector z (d,): (n, d).

    A contribution is share_j e_j + a_j v_j; z without their sum is o_u.
    """
    slack = slack_coefficients(head, rows, values, vector)[:, None]
    contributions: Doubles = slack * head.vectors[rows]
    if head.encoder is not None:
        contributions += head.encoder.shares(values)[:, None] * head.encoder.vectors[rows]
    return contributions


def slack_coefficients(head: Head, rows: Rows, values: Doubles, vector: Doubles) -> Doubles:
    """Returns the coefficients a_j = w_j(t_j − v_j·z) of (n,) ratings in the vector z (d,).

    z = o_u + e(H) + Σ a_j v_j holds exactly for the right-hand side o_u + e(H) + g(H) that z
    solves: that of the fold where z was folded from these ratings.
    """
    if not head.kind.solves:
        return np.zeros(len(rows))
    vectors = head.vectors[rows].astype(np.float64)
    return head.weights(values) * (head.targets(rows, values) - vectors @ vector)


def rounded(vector: Doubles) -> Doubles:
    """Returns the vector rounded to float32, as it is stored, in float64 for further use."""
    return vector.astype(np.float32).astype(np.float64)


def _solve(matrix: Doubles, right: Doubles) -> Doubles:
    return np.asarray(np.linalg.solve(matrix, right), np.float64)
