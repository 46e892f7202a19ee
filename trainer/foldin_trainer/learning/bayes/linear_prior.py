"""The prior of one side's vectors: Gaussian, with a mean linear in what is known of the row.

x_i ~ N(μ + Bᵀf_i, Λ⁻¹), Normal-Wishart on (μ, Λ) as in Salakhutdinov & Mnih (2008, eq. 5-7 and
14), B ~ MN(0, D⁻¹, Λ⁻¹) with one ridge weight in the diagonal D for every group of features as in
Simm et al. (2017, Macau, section 3). It knows nothing of ratings.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Doubles
from scipy import sparse

from foldin_trainer.learning.bayes.drawing import gamma, normal, wishart
from foldin_trainer.learning.bayes.features import Features

DIRECT: Final = 3000  # rows or columns up to which the regression is solved by Cholesky
MEAN_STRENGTH: Final = 2.0  # β₀
RIDGE_SHAPE: Final = 1.0
RIDGE_RATE: Final = 1.0
FIRST_RIDGE: Final = 10.0
TOLERANCE: Final = 1e-5  # of the conjugate gradient's residual, relative
MOST_STEPS: Final = 200


@dataclass(slots=True, eq=False)
class LinearPrior:
    """The state: μ (d,), Λ (d, d), coefficients B (n_columns, d) and ridges (n_groups,)."""

    mean: Doubles
    precision: Doubles
    coefficients: torch.Tensor
    ridges: Doubles

    @classmethod
    def start(cls, features: Features, size: int, device: torch.device) -> Self:
        """A standard normal without coefficients."""
        columns = torch.zeros(len(features.groups), size, device=device)
        ridges = np.full(len(features.names), FIRST_RIDGE)
        return cls(np.zeros(size), np.eye(size), columns, ridges)


class Regression:
    """Draws the parts of a `LinearPrior` given the vectors of its side, (n_rows, d)."""

    def __init__(self, features: Features, device: torch.device) -> None:
        self.device = device
        self.groups = torch.tensor(features.groups, device=device)
        self.sizes = np.bincount(features.groups, minlength=len(features.names))
        self.matrix = _to_torch(features.matrix, device)
        self.transposed = _to_torch(features.matrix.T.tocsr(), device)
        self.solver = _solver(features, self)

    def means(self, prior: LinearPrior) -> torch.Tensor:
        """μ + Bᵀf of every row, (n_rows, d)."""
        return self._on(prior.mean) + self.matrix @ prior.coefficients

    def draw(self, prior: LinearPrior, vectors: torch.Tensor, random: np.random.Generator) -> None:
        """Replaces (μ, Λ), then B, then the ridges by draws from their conditionals."""
        self._draw_gaussian(prior, vectors - self.matrix @ prior.coefficients, random)
        self._draw_coefficients(prior, vectors - self._on(prior.mean), random)
        self._draw_ridges(prior, random)

    def _draw_gaussian(
        self, prior: LinearPrior, residuals: torch.Tensor, random: np.random.Generator
    ) -> None:
        """(μ, Λ) from their Normal-Wishart, to which B contributes like further rows."""
        rows, size = residuals.shape
        average = _doubles(residuals.mean(0))
        centred = residuals - residuals.mean(0)
        weighted = self._on(prior.ridges)[self.groups, None] * prior.coefficients
        inverse_scale = np.eye(size) + _doubles(
            centred.T @ centred + weighted.T @ prior.coefficients
        )
        strength = MEAN_STRENGTH + rows
        inverse_scale += MEAN_STRENGTH * rows / strength * np.outer(average, average)
        prior.precision = wishart(random, inverse_scale, size + rows + len(self.groups))
        root = np.linalg.cholesky(strength * prior.precision)
        noise = np.linalg.solve(root.T, random.standard_normal(size))
        prior.mean = rows / strength * average + noise

    def _draw_coefficients(
        self, prior: LinearPrior, wanted: torch.Tensor, random: np.random.Generator
    ) -> None:
        """B from its matrix normal: the ridge regression of perturbed targets."""
        root = self._on(np.linalg.inv(np.linalg.cholesky(prior.precision)))
        ridges = self._on(prior.ridges)[self.groups, None]
        of_prior = normal(random, *prior.coefficients.shape, device=self.device) @ root
        of_rows = normal(random, *wanted.shape, device=self.device) @ root
        prior.coefficients = self.solver(ridges, of_prior / ridges.sqrt(), wanted + of_rows)

    def _draw_ridges(self, prior: LinearPrior, random: np.random.Generator) -> None:
        """The ridge weights from Gamma(a + |g|·d/2, b + tr(B_g Λ B_gᵀ)/2)."""
        size = len(prior.mean)
        energies = ((prior.coefficients @ self._on(prior.precision)) * prior.coefficients).sum(1)
        by_group = np.bincount(
            self.groups.cpu().numpy(), energies.cpu().numpy(), minlength=len(self.sizes)
        )
        prior.ridges = gamma(
            random, RIDGE_SHAPE + self.sizes * size / 2, RIDGE_RATE + by_group / 2
        )

    def _on(self, array: Doubles) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.float32, device=self.device)
