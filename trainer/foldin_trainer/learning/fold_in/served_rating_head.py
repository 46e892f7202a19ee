"""The rating head as it is served, made of trained factors, and the constants of fold-in.

Everything that fold-in needs is carried into the basis where the prior precision is the identity.
"""

from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.scale import Scale

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.fold_in.history_prior import EXPONENT, history_prior
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.ranking_heads.trained_head import Ranking
from foldin_trainer.learning.rating_heads.factors import RatingFactors, item_rows, user_rows
from foldin_trainer.learning.whitening import Whitening


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Both heads as trained on `ratings`, before any constant of fold-in is chosen."""

    ratings: Ratings
    rating_factors: RatingFactors
    ranking: Ranking


@dataclass(frozen=True, slots=True)
class Constants:
    """The numbers that are chosen on held-out users after training."""

    noise_variance: float
    """σ² of a new user's ratings, in squared units of the scale."""
    prior_scale: float
    """κ: the share of the average user that a new user starts with in the ranking head."""
    rating_weight: float
    """w: how much the rating head counts in the retrieval score."""
    history_ridge: float | None = None
    """Of the regression of rating vectors on histories; None where the prior has no such part."""
    noise_factor: float = 1.0
    """Multiplies the noise, so that intervals cover nine ratings in ten."""
    trained_noise: float = 1.0
    """Multiplies the noise of trained users further, to the same end."""


def user_prior(factors: RatingFactors, ratings: Ratings, history_ridge: float | None) -> UserPrior:
    """Returns the prior of users in the rating head, linear in histories if there is a ridge."""
    if history_ridge is None:
        return UserPrior.of(factors, ratings)
    return history_prior(factors, ratings, history_ridge)


def rating_head(
    factors: RatingFactors, scale: Scale, prior: UserPrior, noise_variance: float
) -> Head:
    """Returns the rating head. User biases are part of the vectors, item biases the offsets."""
    whitening = Whitening.of(prior.precision(noise_variance))
    ends = (scale.low, scale.high)
    return Head(
        vectors=whitening.items(item_rows(factors)).astype(np.float32),
        offsets=factors.item_biases,
        constant=factors.mean,
        prior=whitening.users(prior.mean),
        rule=RatingRule(knots=ends, weights=(1.0, 1.0), targets=ends),
        encoder=_history_encoder(prior, whitening, scale),
    )


def _history_encoder(prior: UserPrior, whitening: Whitening, scale: Scale) -> LinearEncoder | None:
    if prior.effects is None:
        return None
    any_value = EncoderRule(knots=(scale.low,), factors=(1.0,))
    return LinearEncoder(whitening.users(prior.effects).astype(np.float32), any_value, EXPONENT)


def trained_rating_vectors(
    factors: RatingFactors, prior: UserPrior, noise_variance: float
) -> Doubles:
    """Returns the trained users' vectors (n_users, d) in the basis of the rating head."""
    return Whitening.of(prior.precision(noise_variance)).users(user_rows(factors))
