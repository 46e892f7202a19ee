"""The prior of one side's vectors: Gaussian, with a mean linear in the features of the row.

x_i ~ N(Bᵀf_i, Λ⁻¹) with Λ from a Wishart (Salakhutdinov & Mnih 2008, eq. 7 and 14; their mean is
the constant among our features) and B ~ MN(0, D⁻¹, Λ⁻¹), the diagonal D with one ridge weight for
every group of features (Simm et al. 2017, Macau, section 3).
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import torch
from foldin_model.arrays import Doubles

from foldin_trainer.learning.rating_heads.bayes.sampler.draws import gamma, wishart
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features

RIDGE_SHAPE: Final = 1.0
RIDGE_RATE: Final = 1.0
FIRST_RIDGE: Final = 1.0
FIRST_PRECISION: Final = 5.0


@dataclass(slots=True, eq=False)
class LinearPrior:
    """The state: Λ (d, d), coefficients B (n_columns, d) and ridges (n_groups,)."""

    precision: Doubles
    coefficients: torch.Tensor
    ridges: Doubles

    @classmethod
    def start(cls, features: Features, size: int, device: torch.device) -> Self:
        """Returns a normal prior around zero, whatever the features."""
        return cls(
            FIRST_PRECISION * np.eye(size),
            torch.zeros(len(features.groups), size, device=device),
            np.full(len(features.names), FIRST_RIDGE),
        )

    def draw(
        self, residuals: torch.Tensor, groups: torch.Tensor, random: np.random.Generator
    ) -> None:
        """Replaces Λ and then the ridges by draws given B and the residuals x_i − Bᵀf_i (n, d).

        For Λ the rows of B are further rows of residuals. A ridge weight comes from
        Gamma(a + |g|·d/2, b + tr(B_g Λ B_gᵀ)/2).
        """
        size = len(self.precision)
        each = residuals.new_tensor(self.ridges)[groups, None]
        penalty = self.coefficients.T @ (each * self.coefficients)
        scatter = (residuals.T @ residuals + penalty).cpu().numpy().astype(np.float64)
        degrees = size + len(residuals) + len(groups)
        self.precision = wishart(random, np.eye(size) + scatter, degrees)
        weighted = self.coefficients @ residuals.new_tensor(self.precision)
        energies = (weighted * self.coefficients).sum(1).cpu().numpy()
        numbers = groups.cpu().numpy()
        sizes = np.bincount(numbers, minlength=len(self.ridges))
        by_group = np.bincount(numbers, energies, minlength=len(self.ridges))
        self.ridges = gamma(random, RIDGE_SHAPE + sizes * size / 2, RIDGE_RATE + by_group / 2)
