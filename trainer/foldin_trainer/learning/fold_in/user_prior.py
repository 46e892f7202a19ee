"""The prior of users in the rating head: a Gaussian over user vectors.

In the basis where the prior precision is the identity, one vector is left of it.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from foldin_model.arrays import Doubles

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.rating_heads.factors import RatingFactors, user_rows

SHRINKAGE: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class UserPrior:
    """N(mean, covariance) over user vectors [b_u, p_u], (d,) and (d, d).

    A rating of item i is then μ + c_i + [1, q_i]·z with noise. With `effects` (n_items, d), the
    mean of a user with n ratings is moved by n^(−1/2) times the sum of the effects of the rated
    items (see `history_prior`).
    """

    mean: Doubles
    covariance: Doubles
    effects: Doubles | None = None

    @classmethod
    def of(cls, factors: RatingFactors, ratings: Ratings) -> Self:
        """Returns the moments of the vectors of users with ratings, the covariance shrunk."""
        vectors = user_rows(factors)[np.unique(ratings.users)]
        covariance = np.asarray(np.cov(vectors.T, bias=True), np.float64)
        return cls(vectors.mean(axis=0), shrunk(covariance))

    def precision(self, noise_variance: float) -> Doubles:
        """Returns Λ = σ²Σ⁻¹, (d, d), with which every rating weighs 1."""
        return np.asarray(noise_variance * np.linalg.inv(self.covariance), np.float64)


def shrunk(covariance: Doubles) -> Doubles:
    """Returns the covariance, moved by a fifth towards the identity times its mean variance.

    With few users some directions would have no variance, and new users could not move along them
    (Ledoit & Wolf 2004).
    """
    level = np.trace(covariance) / len(covariance)
    even = level * np.eye(len(covariance))
    return np.asarray((1.0 - SHRINKAGE) * covariance + SHRINKAGE * even, np.float64)
