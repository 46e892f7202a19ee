"""Draws a side's coefficients and vectors together, given its ratings and ridges.

The vectors are integrated out when coefficients are drawn: if rows have few ratings, alternating
between the two takes thousands of sweeps to mix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from foldin_model.arrays import Doubles, Floats, Integers
from scipy import sparse
from scipy.sparse.linalg import svds

from foldin_trainer.learning.rating_heads.bayes.sampler.draws import normal
from foldin_trainer.learning.rating_heads.bayes.sampler.incidence import to_torch
from foldin_trainer.learning.rating_heads.bayes.sampler.matrices import (
    inverses_of_one_plus,
    products,
)
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features

TOLERANCE: Final = 1e-2  # relative residual, in the preconditioner's norm, that ends a solve
MOST_STEPS: Final = 100
MAIN_DIRECTIONS: Final = 32
HALF_WEIGHT_RATINGS: Final = 30.0  # ratings with which a row has half of the largest weight


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Coefficients B (n_columns, d), vectors x (n_rows, d) and residuals x − Bᵀf."""

    coefficients: torch.Tensor
    vectors: torch.Tensor
    residuals: torch.Tensor


class Regression:
    """The features F (n_rows, n_columns) of one side as torch matrices.

    `counts` (n_rows,) are the rows' numbers of ratings, by which the preconditioner weighs rows:
    more ratings determine the coefficients better.
    """

    def __init__(self, features: Features, counts: Integers, device: torch.device) -> None:
        weights = counts / (counts + HALF_WEIGHT_RATINGS)
        self.mean_weight = max(float(weights.mean()), 1e-6)
        self.groups = torch.tensor(features.groups, device=device)
        self.matrix = to_torch(features.matrix, device)
        self.transposed = to_torch(sparse.csr_array(features.matrix.T), device)
        directions, rest = _main_directions(
            features.matrix.multiply(np.sqrt(weights)[:, None]).tocsr()
        )
        self.directions = torch.tensor(directions, dtype=torch.float32, device=device)
        self.rest = torch.tensor(rest, dtype=torch.float32, device=device)

    def draw(
        self,
        ridges: Doubles,
        grams: torch.Tensor,
        right: torch.Tensor,
        random: np.random.Generator,
    ) -> Drawn:
        """Returns one draw of B and the vectors from their joint conditional, with Λ the identity.

        `ridges` (n_groups,) are those of D. `grams` (d, d, n_rows) are the precisions G that the
        ratings give, `right` (n_rows, d) their G·(least squares) + N(0, G). The draw is the
        solution of a least-squares problem whose targets are all perturbed by their own noise
        (Orieux, Féron & Giovannelli 2012).
        """
        penalties = right.new_tensor(ridges)[self.groups, None]
        shape = len(penalties), right.shape[1]
        coefficients = normal(random, *shape, device=right.device) / penalties.sqrt()
        jitter = normal(random, *right.shape, device=right.device)
        means = self.matrix @ coefficients + jitter
        covariances = inverses_of_one_plus(grams)
        wanted = products(covariances, right - products(grams, means))
        change = self._solve(covariances, penalties, self.transposed @ wanted)
        coefficients += change
        means += self.matrix @ change
        vectors = products(covariances, right + means)
        return Drawn(coefficients, vectors, vectors - means + jitter)

    def _solve(
        self, covariances: torch.Tensor, ridges: torch.Tensor, right: torch.Tensor
    ) -> torch.Tensor:
        """Returns Δ of Σ_i f_i f_iᵀ Δ (I − C_i) + D Δ = right, by conjugate gradients.

        I − (I + G_i)⁻¹ is the precision that the ratings give to a row's mean.
        """
        precondition = self._preconditioner(covariances, ridges)
        solved = torch.zeros_like(right)
        slack = right.clone()
        scaled = precondition(slack)
        direction = scaled
        energy = (slack * scaled).sum()
        goal = TOLERANCE**2 * energy
        for self.steps in range(MOST_STEPS):
            if energy <= goal:
                break
            means = self.matrix @ direction
            image = self.transposed @ (means - products(covariances, means))
            image += ridges * direction
            length = energy / (direction * image).sum()
            solved += length * direction
            slack -= length * image
            scaled = precondition(slack)
            previous, energy = energy, (slack * scaled).sum()
            direction = scaled + (energy / previous) * direction
        return solved

    def _preconditioner(
        self, covariances: torch.Tensor, ridges: torch.Tensor
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """Returns an approximate inverse: I − C_i differ by weights only, FᵀwF = W·Wᵀ + a diagonal.

        It uses Woodbury's identity.
        """
        precision = torch.eye(len(covariances)).to(covariances) - covariances.mean(2)
        energies, basis = torch.linalg.eigh(precision / self.mean_weight)
        energies = energies.clamp(min=1e-6)
        diagonals = 1.0 / (energies[:, None] * self.rest + ridges[:, 0])
        inner = torch.einsum("kf,fa,fb->kab", diagonals, self.directions, self.directions)
        inner.diagonal(dim1=1, dim2=2).add_(1.0 / energies[:, None])
        factors = torch.linalg.cholesky(inner)

        def apply(right: torch.Tensor) -> torch.Tensor:
            scaled = (right @ basis).T * diagonals
            shared = torch.cholesky_solve((scaled @ self.directions)[:, :, None], factors)
            scaled -= (shared.squeeze(2) @ self.directions.T) * diagonals
            return torch.matmul(scaled.T, basis.T)

        return apply


def _main_directions(matrix: sparse.csr_array) -> tuple[Floats, Floats]:
    """Returns W (n_columns, k) and `rest` with FᵀF ≈ W·Wᵀ + diag(rest)."""
    count = min(MAIN_DIRECTIONS, min(matrix.shape) - 1)
    _, values, vectors = svds(matrix, k=count, random_state=0)
    directions = np.asarray(vectors.T * values, np.float32)
    rest = matrix.power(2).sum(axis=0) - (directions**2).sum(axis=1)
    return directions, np.asarray(np.maximum(rest, 0.0), np.float32)
