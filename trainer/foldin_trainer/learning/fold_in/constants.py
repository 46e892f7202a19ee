"""Chooses the constants of fold-in on users that training did not see.

How many ratings such a user has given matters more than anything else here, so that every choice
is the best on average over histories of several lengths.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head
from foldin_model.scale import Scale

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutCase
from foldin_trainer.learning.fold_in.calibration import (
    Validation,
    noise_factor,
    trained_noise,
    uncertainty_of,
)
from foldin_trainer.learning.fold_in.quadratic_heads import (
    Constants,
    Learned,
    rating_head,
    trained_rating_vectors,
    user_prior,
)
from foldin_trainer.learning.fold_in.questions import Question, Questions, asked, questions_of
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.rating_heads.factors import RatingFactors, training_noise
from foldin_trainer.metrics.list_quality import ScoreUsers, list_qualities

NOISE_FACTORS: Final = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
HISTORY_RIDGES: Final = (1.0, 3.0, 10.0, 30.0)
# A larger w would let the rating vectors of items that one user rated, which are mostly noise,
# overrule the ranking head, and with it what a low rating says of an item's neighbours.
RATING_WEIGHTS: Final = (0.0, 0.005, 0.01, 0.02, 0.03)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The constants, and what they reach on the users they were chosen on (80% given)."""

    constants: Constants
    rmse: float
    ndcg: float


def tune(
    learned: Learned,
    ratings: Ratings,
    cases: Iterable[HeldOutCase],
    ridges: Sequence[float | None] = (None,),
    validation: Validation | None = None,
) -> Tuned:
    """The constants of the grids that serve the held-out `cases` of `ratings` best.

    `learned` must not have seen them; its vocabularies are those of `ratings`. `ridges` are those
    that the prior's map from histories may have. `validation` tells how unsure the rating head is
    of users whom it was trained on.
    """
    questions = questions_of(ratings, tuple(cases))
    factors, known = learned.rating_factors, learned.ratings
    chosen = tune_rating(factors, known, questions, ridges)
    factor, trained = _noise(factors, known, chosen, questions, validation)
    scale, weight, gain = _tune_ranking(learned, chosen.head, questions)
    constants = Constants(chosen.noise, scale, weight, chosen.ridge, factor, trained)
    return Tuned(constants, chosen.full, gain)


@dataclass(frozen=True, slots=True, eq=False)
class TunedRating:
    """A rating head and what it reaches: on average over the lengths, and where 80% is given."""

    head: Head
    noise: float
    ridge: float | None
    mean: float
    full: float


def tune_rating(
    factors: RatingFactors, ratings: Ratings, questions: Questions, ridges: Sequence[float | None]
) -> TunedRating:
    """The best rating head for those factors, learned from `ratings`, that the grids have."""

    def tried(prior: UserPrior, ridge: float | None, noise: float) -> TunedRating:
        head = rating_head(factors, ratings.scale, prior, noise)
        errors = [_rmse(head, ratings.scale, group) for group in questions]
        return TunedRating(head, noise, ridge, float(np.mean(errors)), errors[-1])

    base = training_noise(factors, ratings)
    priors = ((user_prior(factors, ratings, ridge), ridge) for ridge in ridges)
    return min(
        (tried(*prior, factor * base) for prior in priors for factor in NOISE_FACTORS),
        key=lambda one: one.mean,
    )


def _noise(
    factors: RatingFactors,
    known: Ratings,
    chosen: TunedRating,
    questions: Questions,
    validation: Validation | None,
) -> tuple[float, float]:
    """What calibrates intervals: the factors of everybody's noise and of trained users' own."""
    if factors.spread is None:
        return 1.0, 1.0
    factor = noise_factor(chosen.head, known, chosen.noise, factors.spread, questions)
    if validation is None:
        return factor, 1.0
    uncertainty = uncertainty_of(chosen.head, known, chosen.noise, factors.spread, factor)
    prior = user_prior(factors, known, chosen.ridge)
    vectors = trained_rating_vectors(factors, prior, chosen.noise)
    return factor, trained_noise(chosen.head, uncertainty, vectors, validation)


def _rmse(head: Head, scale: Scale, group: Sequence[Question]) -> float:
    missed = [
        np.clip(head.score(q.hidden_rows, z), scale.low, scale.high) - q.hidden_values
        for q, z in zip(group, folded(head, group), strict=True)
    ]
    return float(np.sqrt(np.mean(np.concatenate(missed) ** 2)))


def _tune_ranking(
    learned: Learned, rating: Head, questions: Questions
) -> tuple[float, float, float]:
    """κ without the rating head, then w with that κ, and the NDCG@10 that they reach.

    Finding what a user goes on to rate and finding what she goes on to like count the same; whole
    histories count as much as all shorter ones together.
    """
    ranking = learned.ranking
    heads = (ranking.head(0.0), ranking.head(1.0), rating)
    users = [[folded(head, group) for head in heads] for group in questions]
    shares = [1.0 if group is not questions[-1] else len(questions) - 1.0 for group in questions]

    def best_of(ways: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
        found = np.stack(
            [
                list_qualities(_blended(heads, vectors, ways), *asked(group))
                for vectors, group in zip(users, questions, strict=True)
            ],
            axis=1,
        )
        place = int(np.argmax(np.average(found.mean(axis=2), axis=1, weights=shares)))
        return *ways[place], float(found[place, -1, 0])

    scale, _, _ = best_of([(scale, 0.0) for scale in ranking.prior_scales])
    return best_of([(scale, ranking.spread * weight) for weight in RATING_WEIGHTS])


def _blended(
    heads: Sequence[Head], users: Sequence[Doubles], ways: Sequence[tuple[float, float]]
) -> ScoreUsers:
    """Scores by κ and w, in which they are linear, so that each part is computed once.

    `heads` are the ranking head with κ = 0 and κ = 1 and the rating head; `users` (n, d) of each.
    """

    def scored(part: slice) -> Iterator[Doubles]:
        bare, started, rated = (
            vectors[part] @ head.vectors.T for vectors, head in zip(users, heads, strict=True)
        )
        rated += heads[2].offsets
        for scale, weight in ways:
            yield (1.0 - scale) * bare + scale * started + weight * rated

    return scored


def folded(head: Head, group: Sequence[Question]) -> Doubles:
    """The vectors (n, d) of those users by that head."""
    return np.array([fold(head, q.rows, q.values, head.prior).vector for q in group])
