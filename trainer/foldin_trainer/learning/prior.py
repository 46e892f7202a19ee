"""What is known of a user before her first rating, for either head.

The rating head has a Gaussian over user vectors, the ranking head the vector of the average
user; both end as one vector in the basis where the prior precision is the identity.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from foldin_model.arrays import Doubles

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ials import IalsResult
from foldin_trainer.learning.mf import MfResult

SHRINKAGE: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class UserPrior:
    """N(mean, covariance) over user vectors [b_u, p_u], (d,) and (d, d).

    A rating of item i is then μ + c_i + [1, q_i]·z with noise. Where there are `effects` (n_items,
    d), the mean of a user with n ratings is moved by n^(−1/2) times the sum of her items' ones
    (see `history_prior`).
    """

    mean: Doubles
    covariance: Doubles
    effects: Doubles | None = None

    @classmethod
    def of(cls, result: MfResult, ratings: Ratings) -> Self:
        """The moments of the vectors of those who rated, the covariance shrunk."""
        vectors = user_rows(result)[np.unique(ratings.users)]
        covariance = np.asarray(np.cov(vectors.T, bias=True), np.float64)
        return cls(vectors.mean(axis=0), shrunk(covariance))

    def precision(self, noise_variance: float) -> Doubles:
        """Λ = σ²Σ⁻¹, (d, d), so that every rating weighs 1."""
        return np.asarray(noise_variance * np.linalg.inv(self.covariance), np.float64)


def shrunk(covariance: Doubles) -> Doubles:
    """A fifth of the way towards the multiple of the identity of the same average variance.

    Few users would leave directions that no newcomer could take (Ledoit & Wolf 2004).
    """
    level = np.trace(covariance) / len(covariance)
    even = level * np.eye(len(covariance))
    return np.asarray((1.0 - SHRINKAGE) * covariance + SHRINKAGE * even, np.float64)


def user_rows(result: MfResult) -> Doubles:
    """The user vectors [b_u, p_u] of the rating head, (n_users, 1 + dimension) float64."""
    return np.column_stack((result.user_biases, result.user_vectors)).astype(np.float64)


def item_rows(result: MfResult) -> Doubles:
    """The item vectors [1, q_i] of the rating head, (n_items, 1 + dimension) float64."""
    ones = np.ones(len(result.item_biases))
    return np.column_stack((ones, result.item_vectors)).astype(np.float64)


def training_noise(result: MfResult, ratings: Ratings) -> float:
    """Mean squared error on the ratings trained on: a lower bound of what newcomers need."""
    return float(np.mean((result.predict(ratings) - ratings.values) ** 2))


def average_user(result: IalsResult, ratings: Ratings) -> Doubles:
    """The ranking vector (d,) of one who rated every item a little: it ranks like popularity.

    Every item counts with the share of users that rated it and asks for the target 1.
    """
    items = result.item_vectors.astype(np.float64)
    users = len(np.unique(ratings.users))
    shares = np.bincount(ratings.items, minlength=len(items)) / users
    weighted = items * shares[:, None]
    normal = result.precision() + weighted.T @ items
    return np.asarray(np.linalg.solve(normal, weighted.sum(axis=0)), np.float64)
