"""Calibrates the intervals of a rating head, so that nine in ten ratings lie inside them.

The noise is scaled until this holds for held-out users; the noise of trained users is then scaled
until it holds for ratings held out of theirs. The model keeps the result as `Uncertainty`.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head
from foldin_model.scale import Scale
from foldin_model.trained.uncertainty import LEVEL, Uncertainty, VectorPosterior, interval

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.fold_in.fold_in_cases import CasesByLength, FoldInCase
from foldin_trainer.learning.rating_heads.spread import Spread

FACTORS: Final[tuple[float, ...]] = tuple(np.geomspace(0.2, 2.5, 39).tolist())
DEGREES: Final = 6.0
"""ν of the distribution of noise over users, as in the sampler's defaults."""
MOST_USERS: Final = 500


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Ratings of trained users: `kept` was learned from, `held` was not."""

    kept: Ratings
    held: Ratings


def uncertainty_of(
    head: Head,
    ratings: Ratings,
    noise_variance: float,
    spread: Spread | None,
    factor: float = 1.0,
) -> Uncertainty:
    """Returns the uncertainty of the head with `factor` times the noise that it folds with.

    `ratings` are those it learned from, `spread` the variances that its sampling found. Without
    `spread` all items have the same noise, and item vectors have no variance.
    """
    noise_variance *= factor
    noise, variances = np.ones(len(ratings.item_ids)), np.zeros(len(ratings.item_ids))
    if spread is not None:
        noise *= spread.item_noise / spread.item_noise[ratings.items].mean()
        variances += spread.item_variances * spread.user_variances[ratings.users].mean()
        variances = np.maximum(variances - _by_users(head, ratings, noise_variance), 0.0)
    return Uncertainty(
        item_noise=_floats(noise_variance * noise),
        item_variances=_floats(variances),
        vector_variance=noise_variance,
        degrees=DEGREES,
    )


def noise_factor(
    head: Head,
    ratings: Ratings,
    noise_variance: float,
    spread: Spread | None,
    by_length: CasesByLength,
) -> float:
    """Returns the least factor with which intervals of held-out users cover enough ratings."""

    def covered(factor: float) -> float:
        uncertainty = uncertainty_of(head, ratings, noise_variance, spread, factor)
        return float(
            np.mean([coverage(head, uncertainty, ratings.scale, group) for group in by_length])
        )

    return _least(covered)


def trained_noise(
    head: Head, uncertainty: Uncertainty, vectors: Doubles, validation: Validation
) -> float:
    """Returns the least `trained_noise` with which intervals of trained users cover enough.

    `vectors` (n_users, d) are the users' vectors in the head. An even sample of users is measured.
    """

    def covered(factor: float) -> float:
        scaled = replace(uncertainty, trained_noise=factor)
        return trained_coverage(head, scaled, vectors, validation)

    return _least(covered) if len(validation.held) else 1.0


def trained_coverage(
    head: Head, uncertainty: Uncertainty, vectors: Doubles, validation: Validation
) -> float:
    """Returns the share of trained users' held-out ratings that lie in their intervals."""
    kept, held = validation.kept, validation.held
    inside = []
    for user, history, hidden in _histories(validation):
        rows, values = kept.items[history], kept.values[history]
        hidden_rows, given = held.items[hidden], held.values[hidden]
        vector = vectors[user]
        posterior = VectorPosterior.of(head, uncertainty, rows, values, vector, trained=True)
        half_widths = posterior.half_widths(head, uncertainty, hidden_rows)
        low, high = interval(head.score(hidden_rows, vector), half_widths, kept.scale)
        inside.append((low <= given) & (given <= high))
    return float(np.concatenate(inside).mean())


def coverage(
    head: Head, uncertainty: Uncertainty, scale: Scale, group: Sequence[FoldInCase]
) -> float:
    """Returns the share of folded-in users' hidden ratings that lie in their intervals."""
    inside = []
    for case in group:
        rows, values = case.rows, case.values
        vector = fold(head, rows, values, head.prior).vector
        posterior = VectorPosterior.of(head, uncertainty, rows, values, vector)
        half_widths = posterior.half_widths(head, uncertainty, case.hidden_rows)
        low, high = interval(head.score(case.hidden_rows, vector), half_widths, scale)
        inside.append((low <= case.hidden_values) & (case.hidden_values <= high))
    return float(np.concatenate(inside).mean())


def _least(covered: Callable[[float], float]) -> float:
    return FACTORS[min(bisect_left(FACTORS, LEVEL, key=covered), len(FACTORS) - 1)]


def _histories(validation: Validation) -> Iterator[tuple[int, Integers, Integers]]:
    """Yields users with the positions of their kept ratings and of their held-out ones."""
    kept, held = validation.kept.users, validation.held.users
    users = np.unique(held)
    places = np.linspace(0, len(users) - 1, min(len(users), MOST_USERS)).astype(np.int64)
    for user in users[places].tolist():
        yield user, np.flatnonzero(kept == user), np.flatnonzero(held == user)


def _by_users(head: Head, ratings: Ratings, noise_variance: float) -> Doubles:
    """Returns the mean variance (n_items,) of predictions that comes from users' vectors.

    The mean is over an even sample of users, weighted by their numbers of ratings.
    """
    order = np.argsort(ratings.users, kind="stable")
    known, starts = np.unique(ratings.users[order], return_index=True)
    histories = np.split(ratings.items[order], starts[1:])
    places = np.linspace(0, len(known) - 1, min(len(known), MOST_USERS)).astype(np.int64)
    vectors = head.vectors.astype(np.float64)
    average, count = np.zeros((vectors.shape[1],) * 2), 0
    for place in places.tolist():
        rated = vectors[histories[place]]
        normal = np.eye(len(average)) + rated.T @ rated
        average += len(rated) * np.linalg.inv(normal)
        count += len(rated)
    by_users = ((vectors @ average) * vectors).sum(axis=1) * (noise_variance / count)
    return np.asarray(by_users, np.float64)


def _floats(values: Doubles) -> Floats:
    return np.asarray(values, np.float32)
