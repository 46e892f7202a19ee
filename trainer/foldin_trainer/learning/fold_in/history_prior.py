"""A newcomer's prior whose mean is linear in what she rated, whatever the values.

Re-estimated for vectors as they are served: the average of the samples' own priors is no prior
for the compressed average of their vectors. So measured, newcomers are told at least as well as
by averaging what every sample's own conditional says of them.
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
"""A history counts by n^(−1/2) times the sum of its items' effects (Koren 2008)."""
STEPS: Final = 2
MOST_USERS: Final = 2_000
_TOLERANCE: Final = 1e-4


def history_prior(factors: RatingFactors, ratings: Ratings, ridge: float) -> UserPrior:
    """The prior N(mean + n^(−1/2) Σ e_j, covariance) of users, given the items' vectors.

    The effects e_j are those of a ridge regression of the trained users' vectors. The covariance
    is what they leave of the vectors, and then what two steps of expectation maximisation make of
    it, which count how unsure every vector is (Laird & Ware 1982).
    """
    known = np.unique(ratings.users)
    vectors = user_rows(factors)[known]
    mean = vectors.mean(axis=0)
    histories = _histories(ratings, known)
    effects = _ridge(histories, vectors - mean, ridge)
    means = mean + histories @ effects
    covariance = shrunk(np.asarray(np.cov((vectors - means).T, bias=True), np.float64))
    heard = _Heard(factors, ratings, known)
    noise = training_noise(factors, ratings)
    for _ in range(STEPS):
        covariance, noise = heard.maximised(means, covariance, noise)
    return UserPrior(mean, covariance, effects)


def _histories(ratings: Ratings, users: Rows) -> sparse.csr_array:
    """n^(−1/2) where a user rated an item, else 0: (n_users, n_items)."""
    rows = np.searchsorted(users, ratings.users)
    sizes = np.bincount(rows, minlength=len(users))
    shape = (len(users), len(ratings.item_ids))
    entries = sizes[rows].astype(np.float64) ** -EXPONENT
    return sparse.csr_array((entries, (rows, ratings.items)), shape=shape)


def _ridge(inputs: sparse.csr_array, targets: Doubles, ridge: float) -> Doubles:
    """(n_inputs, d) minimising |inputs·E − targets|² + ridge·|E|², column by column."""
    solved = [lsqr(inputs, t, damp=ridge**0.5, atol=_TOLERANCE, btol=_TOLERANCE) for t in targets.T]
    return np.column_stack([column for column, *_ in solved])


class _Heard:
    """What the ratings of some users, at most MOST_USERS evenly chosen, say of their vectors."""

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

    def maximised(self, means: Doubles, covariance: Doubles, noise: float) -> tuple[Doubles, float]:
        """The covariance and the noise's variance most likely given what they were."""
        precision = np.linalg.inv(covariance)
        spread = np.zeros_like(covariance)
        missed, heard = 0.0, 0
        for place, history in zip(self.places, self.histories, strict=True):
            designs = self.items[self.rated[history]]
            unsure = np.linalg.inv(precision + designs.T @ designs / noise)
            slack = self.left[history] - designs @ means[place]
            moved = unsure @ (slack @ designs) / noise
            spread += np.outer(moved, moved) + unsure
            missed += float(((slack - designs @ moved) ** 2).sum())
            missed += float(((designs @ unsure) * designs).sum())
            heard += len(history)
        return spread / len(self.places), missed / heard
