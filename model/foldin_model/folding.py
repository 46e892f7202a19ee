"""Folds a whole rating history into a user vector with the item vectors held fixed.

The problem is A(H) z = o + lead(H) + g(H) of `foldin_model.heads`. Both solvers keep the
coefficients a_j of z = o + lead(H) + Σ a_j v_j, which is what makes a score explainable rating by
rating.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Rows
from foldin_model.heads import QuadraticHead

LONG: Final = 4
FEW: Final = 2
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
    if few_for(n, d):
        roots = np.sqrt(weights)
        scaled = vectors * roots[:, None]
        kernel = scaled @ scaled.T
        kernel.flat[:: n + 1] += 1.0
        coefficients = roots * _solve(kernel, roots * (targets - vectors @ base))
        return Folded(base + coefficients @ vectors, coefficients)
    vector = _solve(*normal_equations(vectors, weights, targets, base))
    return Folded(vector, weights * (targets - vectors @ vector))


def few_for(n: int, d: int) -> bool:
    """Whether the kernel form of n ratings is the quicker one for a vector of d."""
    return FEW * n <= d


def normal_equations(
    vectors: Doubles, weights: Doubles, targets: Doubles, base: Doubles
) -> tuple[Doubles, Doubles]:
    """A(H) (d, d) and base + g(H) (d,). Shapes as in `fold_exact`."""
    weighted = vectors * weights[:, None]
    normal = weighted.T @ vectors
    normal.flat[:: len(base) + 1] += 1.0
    return normal, base + targets @ weighted


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
    vectors = head.vectors[rows].astype(np.float64)
    weights = head.weights(rows, values)
    targets = head.targets(rows, values)
    if steps is None or len(rows) > LONG * len(base):
        return fold_exact(vectors, weights, targets, base)
    return fold_in_steps(vectors, weights, targets, base, steps)


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
