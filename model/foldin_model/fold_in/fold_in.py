"""Folds a whole rating history into a user vector with the item vectors held fixed.

The problem is A(H) z = o + lead(H) + g(H) of `foldin_model.fold_in.quadratic_head`. Both solvers keep the
coefficients a_j of z = o + lead(H) + Σ a_j v_j, which is what makes a score explainable rating by
rating.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.fold_in import kernels
from foldin_model.fold_in.quadratic_head import QuadraticHead

LONG: Final = 4
FEW: Final = 2
SMALL: Final = 48
"""Up to this dimension loops in machine code are quicker than BLAS and LAPACK."""
ROUNDING: Final = 1e-28


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A user vector (d,) float64 and the (n,) float64 coefficients of the ratings behind it.

    `vector` equals the right-hand side o, with the head's lead where it has one, plus
    coefficients @ vectors of the rated items.
    """

    vector: Doubles
    coefficients: Doubles


def fold_exact(vectors: Doubles, weights: Doubles, targets: Doubles, base: Doubles) -> Folded:
    """Solves A(H) z = base + g(H) directly.

    `vectors` is (n, d), `weights` and `targets` (n,), `base` (d,). Of few ratings the n × n kernel
    form is solved, else the d × d normal equations; both give the same vector.
    """
    n, d = vectors.shape
    if n == 0:
        return Folded(base, np.zeros(0))
    if FEW * n <= d:
        roots = np.sqrt(weights)
        scaled = vectors * roots[:, None]
        kernel = scaled @ scaled.T
        kernel.flat[:: n + 1] += 1.0
        coefficients = roots * _solve(kernel, roots * (targets - vectors @ base))
        return Folded(base + coefficients @ vectors, coefficients)
    weighted = vectors * weights[:, None]
    normal = weighted.T @ vectors
    normal.flat[:: d + 1] += 1.0
    vector = _solve(normal, base + targets @ weighted)
    return Folded(vector, weights * (targets - vectors @ vector))


def fold_each(
    vectors: Floats, weights: Doubles, targets: Doubles, starts: Integers, bases: Doubles
) -> Doubles:
    """The vectors (m, d) of histories that stand one after the other, each over its own base.

    `vectors` are (n, d), `weights` and `targets` (n,), `bases` (m, d). The i-th history is from
    `starts[i]` to `starts[i + 1]`; its vector is `fold_exact`'s, whatever the others are.
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
) -> Folded:
    """Approaches the same solution by `steps` conjugate-gradient steps from `base`.

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
    return Folded(vector, coefficients)


def fold(
    head: QuadraticHead,
    rows: Rows,
    values: Doubles,
    base: Doubles,
    *,
    steps: int | None = None,
) -> Folded:
    """Folds ratings `values` of the items at `rows`, both (n,), over the right-hand side `base`.

    The lead of a head that has one comes on top of `base`; a head with nothing else is not solved.
    Exact without `steps`, and for histories longer than LONG times the dimension. The result
    depends on the set of ratings, not on their order, to the last bit when the caller passes rows
    in increasing order.
    """
    if head.lead is not None:
        base = base + head.lead.of(rows, values)
    if not head.quadratic:
        return Folded(base, np.zeros(len(rows)))
    vectors = np.ascontiguousarray(head.vectors[rows])
    weights = head.weights(rows, values)
    targets = head.targets(rows, values)
    if steps is None or len(rows) > LONG * len(base):
        starts = np.array([0, len(rows)])
        vector = fold_each(vectors, weights, targets, starts, base[None, :])[0]
        return Folded(vector, weights * (targets - vectors @ vector))
    return fold_in_steps(vectors.astype(np.float64), weights, targets, base, steps)


def trained_base(head: QuadraticHead, rows: Rows, values: Doubles, vector: Doubles) -> Doubles:
    """o_u = A(H₀) z_u − g(H₀) − lead(H₀), over which folding H₀ returns `vector` (d,)."""
    if head.quadratic:
        slack = slack_coefficients(head, rows, values, vector)
        vector = vector - slack @ head.vectors[rows]
    return vector if head.lead is None else vector - head.lead.of(rows, values)


def moves(head: QuadraticHead, rows: Rows, values: Doubles, vector: Doubles) -> Doubles:
    """How far each of (n,) ratings moves the vector z (d,) that it stands behind: (n, d).

    The moves are share_j e_j + a_j v_j, and z without their sum is o_u.
    """
    slack = slack_coefficients(head, rows, values, vector)[:, None]
    moved: Doubles = slack * head.vectors[rows]
    if head.lead is not None:
        moved += head.lead.shares(values)[:, None] * head.lead.vectors[rows]
    return moved


def slack_coefficients(
    head: QuadraticHead, rows: Rows, values: Doubles, vector: Doubles
) -> Doubles:
    """The coefficients a_j = w_j(t_j − v_j·z) that (n,) ratings have in the vector z (d,).

    z = o_u + lead(H) + Σ a_j v_j holds exactly for the right-hand side o_u + lead(H) + g(H) that z
    solves: that of the fold where z was folded from these ratings.
    """
    if not head.quadratic:
        return np.zeros(len(rows))
    vectors = head.vectors[rows].astype(np.float64)
    return head.weights(rows, values) * (head.targets(rows, values) - vectors @ vector)


def rounded(vector: Doubles) -> Doubles:
    """The vector as it is stored, float32, in float64 for further use."""
    return vector.astype(np.float32).astype(np.float64)


def _solve(matrix: Doubles, right: Doubles) -> Doubles:
    return np.asarray(np.linalg.solve(matrix, right), np.float64)
