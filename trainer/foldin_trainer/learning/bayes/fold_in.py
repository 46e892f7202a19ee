"""The prior of a newcomer in the compressed space, estimated from users of any kind.

Samples differ by a rotation, so that no average of their priors means anything; this one is
learned anew where it is used, best from users that training did not see.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.mf import MfResult
from foldin_trainer.learning.prior import UserPrior, item_rows

STEPS: Final = 8
Person = tuple[Doubles, Doubles]  # item vectors (n, d) of her ratings, and targets (n,)
PSEUDO_USERS: Final = 50.0  # how many users the starting covariance counts for


@dataclass(frozen=True, slots=True, eq=False)
class FoldInPrior:
    """The Gaussian of user vectors [b_u, p_u], and σ², the variance of a rating about them."""

    prior: UserPrior
    noise_variance: float


def estimate(
    factors: MfResult, ratings: Ratings, start: FoldInPrior, *, steps: int = STEPS
) -> FoldInPrior:
    """The prior under which `ratings`, of the factors' vocabularies, are most probable.

    Expectation maximisation of the random-coefficients model (Laird & Ware 1982) with item
    vectors fixed: every user is N(m, Σ), her ratings μ + c_i + [1, q_i]·z + N(0, σ²). Σ is shrunk
    towards that of `start`, which also is where it begins.
    """
    targets = ratings.values - factors.mean - factors.item_biases[ratings.items]
    rows = item_rows(factors)
    order = np.argsort(ratings.users, kind="stable")
    ends = np.flatnonzero(np.diff(ratings.users[order])) + 1
    people = [(rows[ratings.items[of]], targets[of]) for of in np.split(order, ends)]
    found = start
    for _ in range(steps):
        found = _step(found, start.prior, people)
    return found


def _step(now: FoldInPrior, anchor: UserPrior, people: list[Person]) -> FoldInPrior:
    precision = np.linalg.inv(now.prior.covariance)
    pull = precision @ now.prior.mean
    means = np.zeros((len(people), len(pull)))
    doubt = PSEUDO_USERS * anchor.covariance
    squares, count = 0.0, 0
    for place, (rows, targets) in enumerate(people):
        gram = rows.T @ rows / now.noise_variance
        covariance = np.linalg.inv(precision + gram)
        means[place] = covariance @ (pull + targets @ rows / now.noise_variance)
        doubt += covariance
        slack = targets - rows @ means[place]
        squares += float(slack @ slack + now.noise_variance * np.vdot(gram, covariance))
        count += len(targets)
    mean = means.mean(axis=0)
    centred = means - mean
    covariance = (doubt + centred.T @ centred) / (PSEUDO_USERS + len(people))
    return FoldInPrior(UserPrior(mean, covariance), squares / count)
