"""A prior of users whose mean is linear in which items they rated, whatever the values.

It is estimated again for the vectors that are served: the average of the samples' own priors is no
prior for the compressed average of their vectors. Measured this way, ratings of new users are
predicted at least as well as by the average of every sample's own conditional.
"""

from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Rows
from scipy import sparse
from scipy.sparse.linalg import lsqr

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.fold_in.user_prior import UserPrior, shrunk
from foldin_trainer.learning.rating_heads.factors import (
    RatingFactors,
    item_rows,
    training_noise,
    user_rows,
)

EXPONENT: Final = 0.5
"""A history moves the mean by n^(−1/2) times the sum of its items' effects (Koren 2008)."""
STEPS: Final = 2
MOST_USERS: Final = 2_000
_TOLERANCE: Final = 1e-4


def history_prior(factors: RatingFactors, ratings: Ratings, ridge: float) -> UserPrior:
    """Returns the prior N(mean + n^(−1/2) Σ e_j, covariance) of users, given the items' vectors.

    The effects e_j come from a ridge regression of the trained users' vectors. The covariance
    starts as that of the residuals; two steps of expectation maximization, which take the
    uncertainty of every vector into account, improve it (Laird & Ware 1982).
    """
    known = np.unique(ratings.users)
    vectors = user_rows(factors)[known]
    mean = vectors.mean(axis=0)
    histories = _histories(ratings, known)
    effects = _ridge(histories, vectors - mean, ridge)
    means = mean + histories @ effects
    covariance = shrunk(np.asarray(np.cov((vectors - means).T, bias=True), np.float64))
    evidence = _Evidence(factors, ratings, known)
    noise = training_noise(factors, ratings)
    for _ in range(STEPS):
        covariance, noise = evidence.updated(means, covariance, noise)
    return UserPrior(mean, covariance, effects)


def _histories(ratings: Ratings, users: Rows) -> sparse.csr_array:
    """Returns n^(−1/2) where a user rated an item, else 0: (n_users, n_items)."""
    rows = np.searchsorted(users, ratings.users)
    sizes = np.bincount(rows, minlength=len(users))
    shape = (len(users), len(ratings.item_ids))
    entries = sizes[rows].astype(np.float64) ** -EXPONENT
    return sparse.csr_array((entries, (rows, ratings.items)), shape=shape)


def _ridge(inputs: sparse.csr_array, targets: Doubles, ridge: float) -> Doubles:
    """Returns E (n_inputs, d) that minimizes |inputs·E − targets|² + ridge·|E|² by columns."""
    solved = [lsqr(inputs, t, damp=ridge**0.5, atol=_TOLERANCE, btol=_TOLERANCE) for t in targets.T]
    return np.column_stack([column for column, *_ in solved])


class _Evidence:
    """The ratings of an even sample of at most MOST_USERS users, as evidence of their vectors."""

    def __init__(self, factors: RatingFactors, ratings: Ratings, known: Rows) -> None:
        count = min(len(known), MOST_USERS)
        self.places = np.linspace(0, len(known) - 1, count).astype(np.int64)
        self.items = item_rows(factors)
        self.left = ratings.values - factors.mean - factors.item_biases[ratings.items]
        self.rated = ratings.items
        order = np.argsort(ratings.users, kind="stable")
        ends = np.searchsorted(ratings.users[order], known[self.places], side="right")
        starts = np.searchsorted(ratings.users[order], known[self.places], side="left")
        self.histories = [order[a:b] for a, b in zip(starts, ends, strict=True)]

    def updated(self, means: Doubles, covariance: Doubles, noise: float) -> tuple[Doubles, float]:
        """Returns the covariance and the noise variance after one step of the algorithm."""
        precision = np.linalg.inv(covariance)
        spread = np.zeros_like(covariance)
        missed, count = 0.0, 0
        for place, history in zip(self.places, self.histories, strict=True):
            designs = self.items[self.rated[history]]
            posterior = np.linalg.inv(precision + designs.T @ designs / noise)
            slack = self.left[history] - designs @ means[place]
            moved = posterior @ (slack @ designs) / noise
            spread += np.outer(moved, moved) + posterior
            missed += float(((slack - designs @ moved) ** 2).sum())
            missed += float(((designs @ posterior) * designs).sum())
            count += len(history)
        return spread / len(self.places), missed / count
