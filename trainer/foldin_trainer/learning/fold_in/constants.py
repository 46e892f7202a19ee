"""Chooses the constants of fold-in on users that training did not see.

The best constants depend mostly on the number of a user's ratings, so that each choice is the best
one on average over histories of several lengths.
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
from foldin_trainer.learning.fold_in.fold_in_cases import (
    CasesByLength,
    FoldInCase,
    case_rows,
    cases_by_length,
)
from foldin_trainer.learning.fold_in.served_rating_head import (
    Constants,
    Learned,
    rating_head,
    trained_rating_vectors,
    user_prior,
)
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.rating_heads.factors import RatingFactors, training_noise
from foldin_trainer.metrics.list_quality import ScoreUsers, list_qualities

NOISE_FACTORS: Final = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
HISTORY_RIDGES: Final = (1.0, 3.0, 10.0, 30.0)
# With a larger w the rating vectors of items with a single rating, which are mostly noise, would
# overrule the ranking head, and with it the effect of a low rating on an item's neighbors.
RATING_WEIGHTS: Final = (0.0, 0.005, 0.01, 0.02, 0.03)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The constants, and their RMSE and NDCG@10 on the users they were chosen on (80% given)."""

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
    """Returns the constants of the grids that serve the held-out `cases` of `ratings` best.

    `learned` must not have seen these users; its vocabularies are those of `ratings`. `ridges` are
    tried for the prior's map from histories. Intervals of trained users are calibrated on
    `validation`, if it is there.
    """
    by_length = cases_by_length(ratings, tuple(cases))
    factors, known = learned.rating_factors, learned.ratings
    chosen = tune_rating(factors, known, by_length, ridges)
    factor, trained = _noise(factors, known, chosen, by_length, validation)
    scale, weight, gain = _tune_ranking(learned, chosen.head, by_length)
    constants = Constants(chosen.noise, scale, weight, chosen.ridge, factor, trained)
    return Tuned(constants, chosen.full, gain)


@dataclass(frozen=True, slots=True, eq=False)
class TunedRating:
    """A rating head and its RMSE: the mean over the lengths, and with 80% of the ratings given."""

    head: Head
    noise: float
    ridge: float | None
    mean: float
    full: float


def tune_rating(
    factors: RatingFactors,
    ratings: Ratings,
    by_length: CasesByLength,
    ridges: Sequence[float | None],
) -> TunedRating:
    """Returns the best rating head of the grids for factors that were learned from `ratings`."""

    def tried(prior: UserPrior, ridge: float | None, noise: float) -> TunedRating:
        head = rating_head(factors, ratings.scale, prior, noise)
        errors = [_rmse(head, ratings.scale, group) for group in by_length]
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
    by_length: CasesByLength,
    validation: Validation | None,
) -> tuple[float, float]:
    """Returns what calibrates intervals: the factor of all noise, and of trained users' noise."""
    if factors.spread is None:
        return 1.0, 1.0
    factor = noise_factor(chosen.head, known, chosen.noise, factors.spread, by_length)
    if validation is None:
        return factor, 1.0
    uncertainty = uncertainty_of(chosen.head, known, chosen.noise, factors.spread, factor)
    prior = user_prior(factors, known, chosen.ridge)
    vectors = trained_rating_vectors(factors, prior, chosen.noise)
    return factor, trained_noise(chosen.head, uncertainty, vectors, validation)


def _rmse(head: Head, scale: Scale, group: Sequence[FoldInCase]) -> float:
    missed = [
        np.clip(head.score(q.hidden_rows, z), scale.low, scale.high) - q.hidden_values
        for q, z in zip(group, folded(head, group), strict=True)
    ]
    return float(np.sqrt(np.mean(np.concatenate(missed) ** 2)))


def _tune_ranking(
    learned: Learned, rating: Head, by_length: CasesByLength
) -> tuple[float, float, float]:
    """Returns κ, chosen without the rating head, then w, chosen with that κ, and their NDCG@10.

    Finding what a user goes on to rate and finding what they go on to like count the same; whole
    histories count as much as all shorter ones together.
    """
    ranking = learned.ranking
    heads = (ranking.head(0.0), ranking.head(1.0), rating)
    users = [[folded(head, group) for head in heads] for group in by_length]
    shares = [1.0 if group is not by_length[-1] else len(by_length) - 1.0 for group in by_length]

    def best_of(ways: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
        found = np.stack(
            [
                list_qualities(_blended(heads, vectors, ways), *case_rows(group))
                for vectors, group in zip(users, by_length, strict=True)
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
    """Returns a function that scores items with every κ and w of `ways`.

    Scores are linear in both, so that each part is computed once. `heads` are the ranking head with
    κ = 0, with κ = 1, and the rating head; `users` holds the vectors (n, d) in each of them.
    """

    def scored(part: slice) -> Iterator[Doubles]:
        bare, started, rated = (
            vectors[part] @ head.vectors.T for vectors, head in zip(users, heads, strict=True)
        )
        rated += heads[2].offsets
        for scale, weight in ways:
            yield (1.0 - scale) * bare + scale * started + weight * rated

    return scored


def folded(head: Head, group: Sequence[FoldInCase]) -> Doubles:
    """Returns the vectors (n, d) of the users, folded in by the head."""
    return np.array([fold(head, q.rows, q.values, head.prior).vector for q in group])
