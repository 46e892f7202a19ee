"""Draws a side's coefficients and vectors together, given its ratings, Λ and ridges.

With the vectors integrated out, coefficients no longer creep after vectors that creep after them:
where rows have few ratings, alternating between the two takes thousands of sweeps to mix.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from foldin_model.arrays import Floats
from scipy import sparse
from scipy.sparse.linalg import svds

from foldin_trainer.learning.bayes.drawing import normal
from foldin_trainer.learning.bayes.features import Features
from foldin_trainer.learning.bayes.incidence import to_torch
from foldin_trainer.learning.bayes.linear_prior import LinearPrior

TOLERANCE: Final = 1e-2  # relative residual, in the preconditioner's norm, that ends a solve
MOST_STEPS: Final = 100
MAIN_DIRECTIONS: Final = 48


class Regression:
    """The features F (n_rows, n_columns) of one side as torch matrices."""

    def __init__(self, features: Features, device: torch.device) -> None:
        self.groups = torch.tensor(features.groups, device=device)
        self.matrix = to_torch(features.matrix, device)
        self.transposed = to_torch(sparse.csr_array(features.matrix.T), device)
        directions, rest = _main_directions(features.matrix)
        self.directions = torch.tensor(directions, dtype=torch.float32, device=device)
        self.rest = torch.tensor(rest, dtype=torch.float32, device=device)

    def draw(
        self,
        prior: LinearPrior,
        grams: torch.Tensor,
        right: torch.Tensor,
        random: np.random.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Replaces B, and returns the vectors and what B leaves of them, both (n_rows, d).

        Together they are one draw from their joint conditional.
        `grams` (n_rows, d, d) are the precisions G that the ratings give, `right` (n_rows, d) their
        G·(least squares) + N(0, G). The draw is the solution of a least-squares problem all of
        whose targets are perturbed by their own noise (Orieux, Féron & Giovannelli 2012).
        """
        precision = grams.new_tensor(prior.precision)
        root = grams.new_tensor(np.linalg.inv(np.linalg.cholesky(prior.precision)))
        ridges = grams.new_tensor(prior.ridges)[self.groups, None]
        shape = prior.coefficients.shape
        drawn = normal(random, *shape, device=grams.device) @ root / ridges.sqrt()
        jitter = normal(random, *right.shape, device=grams.device) @ root
        means = self.matrix @ drawn + jitter
        covariances = torch.cholesky_inverse(torch.linalg.cholesky(precision + grams))
        shrinkage = covariances @ precision
        missed = right - (grams @ means[:, :, None]).squeeze(2)
        wanted = (missed[:, None, :] @ shrinkage).squeeze(1)
        marginals = (grams @ shrinkage).permute(1, 2, 0).contiguous()
        change = self._solve(marginals, precision, ridges, self.transposed @ wanted)
        prior.coefficients = drawn + change
        means += self.matrix @ change
        vectors = (covariances @ (right + means @ precision)[:, :, None]).squeeze(2)
        return vectors, vectors - means + jitter

    def _solve(
        self,
        marginals: torch.Tensor,
        precision: torch.Tensor,
        ridges: torch.Tensor,
        right: torch.Tensor,
    ) -> torch.Tensor:
        """Δ of Σ_i f_i f_iᵀ Δ M_i + D Δ Λ = right, by preconditioned conjugate gradients.

        The M_i = Λ − Λ(Λ + G_i)⁻¹Λ, (d, d, n_rows), are what the ratings say of the means.
        """
        precondition = self._preconditioner(marginals.mean(2), precision, ridges)
        solved = torch.zeros_like(right)
        slack = right.clone()
        scaled = precondition(slack)
        direction = scaled
        energy = (slack * scaled).sum()
        goal = TOLERANCE**2 * energy
        for self.steps in range(MOST_STEPS):
            if energy <= goal:
                break
            image = self.transposed @ _products(marginals, self.matrix @ direction)
            image += ridges * (direction @ precision)
            length = energy / (direction * image).sum()
            solved += length * direction
            slack -= length * image
            scaled = precondition(slack)
            previous, energy = energy, (slack * scaled).sum()
            direction = scaled + (energy / previous) * direction
        return solved

    def _preconditioner(
        self, marginal: torch.Tensor, precision: torch.Tensor, ridges: torch.Tensor
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """The inverse for M_i all alike and FᵀF = W·Wᵀ + a diagonal, by Woodbury's identity."""
        energies, basis = _together(marginal, precision)
        diagonals = 1.0 / (energies[:, None] * self.rest + ridges[:, 0])
        inner = torch.einsum("kf,fa,fb->kab", diagonals, self.directions, self.directions)
        inner.diagonal(dim1=1, dim2=2).add_(1.0 / energies.clamp(min=1e-6)[:, None])
        factors = torch.linalg.cholesky(inner)

        def apply(right: torch.Tensor) -> torch.Tensor:
            scaled = (right @ basis).T * diagonals
            shared = torch.cholesky_solve((scaled @ self.directions)[:, :, None], factors)
            scaled -= (shared.squeeze(2) @ self.directions.T) * diagonals
            return torch.matmul(scaled.T, basis.T)

        return apply


def _main_directions(matrix: sparse.csr_array) -> tuple[Floats, Floats]:
    """W (n_columns, k) with FᵀF ≈ W·Wᵀ + diag(rest), of the largest singular values of F."""
    count = min(MAIN_DIRECTIONS, min(matrix.shape) - 1)
    _, values, vectors = svds(matrix, k=count, random_state=0)
    directions = np.asarray(vectors.T * values, np.float32)
    rest = matrix.power(2).sum(axis=0) - (directions**2).sum(axis=1)
    return directions, np.asarray(np.maximum(rest, 0.0), np.float32)


def _products(matrices: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """All products of (d, d, n) symmetric matrices and (n, d) vectors.

    Rows innermost: so many tiny products one by one cost four times as much.
    """
    columns = vectors.T.contiguous()
    total = matrices[0] * columns[0]
    for matrix, column in zip(matrices[1:], columns[1:], strict=True):
        total.addcmul_(matrix, column)
    return total.T.contiguous()


def _together(matrix: torch.Tensor, metric: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Energies ρ (d,) and a basis V (d, d) with Vᵀ·metric·V = I and Vᵀ·matrix·V = diag(ρ)."""
    root = torch.linalg.inv(torch.linalg.cholesky(metric.double()))
    energies, vectors = torch.linalg.eigh(root @ matrix.double() @ root.T)
    return energies.clamp(min=0.0).to(metric), (root.T @ vectors).to(metric)
