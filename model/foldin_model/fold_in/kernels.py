"""Kernels in machine code: weighted sums and solves for many histories, each by itself."""

from typing import Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.machine_code import DOUBLES, ROWS, STARTS, VECTORS, compiled

FOUR: Final = 4


@compiled(f"void({VECTORS}, {ROWS}, {DOUBLES}, {STARTS}, float64[:, ::1])")
def add_weighted(
    vectors: Floats, rows: Rows, weights: Doubles, starts: Integers, sums: Doubles
) -> None:
    """Adds the weighted vectors of each history to its row of `sums` (m, d).

    The i-th history is `rows` (n,) from `starts[i]` to `starts[i + 1]`, each with its weight (n,).
    `vectors` are (any, d).
    """
    for place in range(len(sums)):
        total = sums[place]
        for j in range(starts[place], starts[place + 1]):
            vector, weight = vectors[rows[j]], weights[j]
            for column in range(len(total)):
                total[column] += weight * np.float64(vector[column])


@compiled()
def _solve(matrix: Doubles, right: Doubles) -> None:
    """Replaces `right` (d,) by the solution of matrix x = right, by Cholesky's method.

    Only the upper half of the positive definite `matrix` is read; its factor replaces it.
    """
    d = len(right)
    for k in range(d):
        own = matrix[k, k:]
        own *= 1.0 / np.sqrt(own[0])
        for i in range(k + 1, d):
            rest, factor, tail = matrix[i, i:], matrix[k, i], matrix[k, i:]
            for column in range(len(rest)):
                rest[column] -= factor * tail[column]
        right[k] /= matrix[k, k]
        later, factor, tail = right[k + 1 :], right[k], matrix[k, k + 1 :]
        for column in range(len(later)):
            later[column] -= factor * tail[column]
    for k in range(d - 1, -1, -1):
        for column in range(k + 1, d):
            right[k] -= matrix[k, column] * right[column]
        right[k] /= matrix[k, k]


@compiled(f"void({VECTORS}, {DOUBLES}, {DOUBLES}, {STARTS}, float64[:, ::1])")
def solve_each(
    vectors: Floats, weights: Doubles, targets: Doubles, starts: Integers, solved: Doubles
) -> None:
    """Replaces each base b in `solved` (m, d) by z of (I + Σ w_j v_j v_jᵀ) z = b + Σ w_j t_j v_j.

    The sums are over `vectors` (n, d), `weights` and `targets` (n,) from `starts[i]` to
    `starts[i + 1]`. Weights are not negative.
    """
    d = solved.shape[1]
    matrix = np.empty((d, d))
    scaled = np.empty((FOUR, d))
    for place in range(len(solved)):
        right, end = solved[place], starts[place + 1]
        matrix[:] = 0.0
        for column in range(d):
            matrix[column, column] = 1.0
        for start in range(starts[place], end, FOUR):  # four rows at once read the matrix less
            for i in range(FOUR):
                row, j = scaled[i], min(start + i, end - 1)
                root = np.sqrt(weights[j]) if start + i < end else 0.0
                pull = root * targets[j]
                for column in range(d):
                    row[column] = root * np.float64(vectors[j, column])
                    right[column] += pull * row[column]
            for column in range(d):
                a, b, c, e = scaled[0], scaled[1], scaled[2], scaled[3]
                a_k, b_k, c_k, e_k = a[column], b[column], c[column], e[column]
                a, b, c, e = a[column:], b[column:], c[column:], e[column:]
                row = matrix[column, column:]
                for k in range(len(row)):
                    row[k] += (a_k * a[k] + b_k * b[k]) + (c_k * c[k] + e_k * e[k])
        _solve(matrix, right)
