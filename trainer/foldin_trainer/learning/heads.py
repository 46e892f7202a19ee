"""Turns trained parameters into the two quadratic heads that are served.

Everything that fold-in needs is carried into the basis where the prior precision is the identity.
"""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.heads import QuadraticHead, RatingRule

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ials import IalsResult
from foldin_trainer.learning.mf import MfResult
from foldin_trainer.learning.prior import UserPrior, average_user, item_rows, user_rows
from foldin_trainer.learning.whitening import Whitening


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was trained on `ratings`, before any constant of fold-in is chosen."""

    ratings: Ratings
    mf: MfResult
    ials: IalsResult
    rule: RatingRule


@dataclass(frozen=True, slots=True)
class Constants:
    """What is chosen on held-out users after training."""

    noise_variance: float
    """σ² of a new user's ratings, in squared units of the scale."""
    prior_scale: float
    """κ: how much of the average user a new user starts with in the ranking head."""
    rating_weight: float
    """w: how much the rating head counts in the retrieval score."""


def rating_head(learned: Learned, noise_variance: float) -> QuadraticHead:
    """The rating head with the user bias inside her vector, the item bias as offset."""
    mf, scale = learned.mf, learned.ratings.scale
    prior = UserPrior.of(mf, learned.ratings)
    whitening = Whitening.of(prior.precision(noise_variance))
    ends = (scale.low, scale.high)
    return QuadraticHead(
        vectors=whitening.items(item_rows(mf)).astype(np.float32),
        offsets=mf.item_biases,
        constant=mf.mean,
        prior=whitening.users(prior.mean),
        rule=RatingRule(knots=ends, weights=(1.0, 1.0), targets=ends),
    )


def trained_rating_vectors(learned: Learned, noise_variance: float) -> Doubles:
    """The trained users' vectors (n_users, d) in the basis of that rating head."""
    prior = UserPrior.of(learned.mf, learned.ratings)
    return Whitening.of(prior.precision(noise_variance)).users(user_rows(learned.mf))


def ranking_head(learned: Learned, prior_scale: float) -> QuadraticHead:
    """The ranking head; a new user starts as `prior_scale` times the average user."""
    whitening = Whitening.of(learned.ials.precision())
    items = whitening.items(learned.ials.item_vectors.astype(np.float64))
    average = average_user(learned.ials, learned.ratings)
    return QuadraticHead(
        vectors=items.astype(np.float32),
        offsets=np.zeros(len(items), np.float32),
        constant=0.0,
        prior=prior_scale * whitening.users(average),
        rule=learned.rule,
    )
