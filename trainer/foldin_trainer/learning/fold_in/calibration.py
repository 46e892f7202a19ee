"""How unsure a rating head is of its predictions, so that nine in ten ratings lie where it says.

The noise is scaled until that holds for users held out, then that of trained users until it holds
for ratings held out of theirs; what is kept of it is the model's.
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
from foldin_trainer.learning.fold_in.questions import Question, Questions
from foldin_trainer.learning.rating_heads.spread import Spread

FACTORS: Final[tuple[float, ...]] = tuple(np.geomspace(0.2, 2.5, 39).tolist())
DEGREES: Final = 6.0
"""ν of how users differ in noise, the default of the sampler as well."""
MOST_USERS: Final = 500


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Ratings of trained users: those `kept` to learn from, and those `held` out."""

    kept: Ratings
    held: Ratings


def uncertainty_of(
    head: Head,
    ratings: Ratings,
    noise_variance: float,
    spread: Spread | None,
    factor: float = 1.0,
) -> Uncertainty:
    """How unsure the head is where the noise is `factor` times what it was folded with.

    `ratings` are those it was learned from, `spread` that of the sampling it comes from. Without
    one all items are equally noisy, and vectors of items are taken for sure.
    """
    noise_variance *= factor
    noise, doubts = np.ones(len(ratings.item_ids)), np.zeros(len(ratings.item_ids))
    if spread is not None:
        noise *= spread.item_noise / spread.item_noise[ratings.items].mean()
        doubts += spread.item_variances * spread.user_variances[ratings.users].mean()
        doubts = np.maximum(doubts - _by_users(head, ratings, noise_variance), 0.0)
    return Uncertainty(
        item_noise=_floats(noise_variance * noise),
        item_variances=_floats(doubts),
        vector_variance=noise_variance,
        degrees=DEGREES,
    )


def noise_factor(
    head: Head,
    ratings: Ratings,
    noise_variance: float,
    spread: Spread | None,
    questions: Questions,
) -> float:
    """The least factor with which the intervals of held-out users cover what they should."""

    def covered(factor: float) -> float:
        uncertainty = uncertainty_of(head, ratings, noise_variance, spread, factor)
        return float(
            np.mean([coverage(head, uncertainty, ratings.scale, group) for group in questions])
        )

    return _least(covered)


def trained_noise(
    head: Head, uncertainty: Uncertainty, vectors: Doubles, validation: Validation
) -> float:
    """The least `trained_noise` with which trained users' intervals cover what they should.

    `vectors` (n_users, d) are what they have in the head; some of the users, evenly chosen, tell.
    """

    def covered(factor: float) -> float:
        scaled = replace(uncertainty, trained_noise=factor)
        return trained_coverage(head, scaled, vectors, validation)

    return _least(covered) if len(validation.held) else 1.0


def trained_coverage(
    head: Head, uncertainty: Uncertainty, vectors: Doubles, validation: Validation
) -> float:
    """The share of the ratings held out of trained users' that lie in their intervals."""
    kept, held = validation.kept, validation.held
    inside = []
    for user, history, hidden in _histories(validation):
        rows, values = kept.items[history], kept.values[history]
        asked, given = held.items[hidden], held.values[hidden]
        vector = vectors[user]
        unsure = VectorPosterior.of(head, uncertainty, rows, values, vector, trained=True)
        half_widths = unsure.half_widths(head, uncertainty, asked)
        low, high = interval(head.score(asked, vector), half_widths, kept.scale)
        inside.append((low <= given) & (given <= high))
    return float(np.concatenate(inside).mean())


def coverage(
    head: Head, uncertainty: Uncertainty, scale: Scale, group: Sequence[Question]
) -> float:
    """The share of the hidden ratings of users folded in that lie in their intervals."""
    inside = []
    for question in group:
        rows, values = question.rows, question.values
        vector = fold(head, rows, values, head.prior).vector
        user = VectorPosterior.of(head, uncertainty, rows, values, vector)
        half_widths = user.half_widths(head, uncertainty, question.hidden_rows)
        low, high = interval(head.score(question.hidden_rows, vector), half_widths, scale)
        inside.append((low <= question.hidden_values) & (question.hidden_values <= high))
    return float(np.concatenate(inside).mean())


def _least(covered: Callable[[float], float]) -> float:
    return FACTORS[min(bisect_left(FACTORS, LEVEL, key=covered), len(FACTORS) - 1)]


def _histories(validation: Validation) -> Iterator[tuple[int, Integers, Integers]]:
    """Users with their positions among the ratings that are kept, and among those held out."""
    kept, held = validation.kept.users, validation.held.users
    users = np.unique(held)
    places = np.linspace(0, len(users) - 1, min(len(users), MOST_USERS)).astype(np.int64)
    for user in users[places].tolist():
        yield user, np.flatnonzero(kept == user), np.flatnonzero(held == user)


def _by_users(head: Head, ratings: Ratings, noise_variance: float) -> Doubles:
    """The variance (n_items,) of predictions that comes from users' vectors, on average.

    Over some users evenly chosen, weighted by their ratings.
    """
    order = np.argsort(ratings.users, kind="stable")
    known, starts = np.unique(ratings.users[order], return_index=True)
    histories = np.split(ratings.items[order], starts[1:])
    places = np.linspace(0, len(known) - 1, min(len(known), MOST_USERS)).astype(np.int64)
    vectors = head.vectors.astype(np.float64)
    average, heard = np.zeros((vectors.shape[1],) * 2), 0
    for place in places.tolist():
        rated = vectors[histories[place]]
        normal = np.eye(len(average)) + rated.T @ rated
        average += len(rated) * np.linalg.inv(normal)
        heard += len(rated)
    by_users = ((vectors @ average) * vectors).sum(axis=1) * (noise_variance / heard)
    return np.asarray(by_users, np.float64)


def _floats(values: Doubles) -> Floats:
    return np.asarray(values, np.float32)
