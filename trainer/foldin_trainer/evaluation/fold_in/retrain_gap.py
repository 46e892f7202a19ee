"""The gap between a fold-in and training again with the new user's ratings.

The numbers are those of `learning_curve`, without their intervals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foldin_trainer.data import Dataset
from foldin_trainer.evaluation.fold_in.learning_curve import (
    ADAM_RETRAIN,
    EXACT_FOLD_IN,
    NO_FOLD_IN,
    RETRAIN,
    THREE_STEPS,
    CurvePoint,
    learning_curve,
)
from foldin_trainer.learning.train_settings import TrainSettings

SIZES = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class RetrainGap:
    """RMSE on the late ratings of `users` users, with their first `ratings` ratings known.

    `none` predicts for the mean user; `exact` and `steps` fold in. `retrain` trains again and takes
    the user vectors that Adam found, `retrain_served` those that would be served; without a rating
    head of Adam's both are the latter. `gap` is `steps` minus the better retrain: below zero, the
    fold-in is better.
    """

    ratings: int
    users: int
    none: float
    exact: float
    steps: float
    retrain: float
    retrain_served: float
    gap: float


def retrain_gaps(
    dataset: Dataset, settings: TrainSettings, sizes: Sequence[int] = SIZES, *, steps: int = 3
) -> Iterator[RetrainGap]:
    """Yields one entry for each number of first ratings, over users of the first held-out fold."""
    for point in learning_curve(dataset, settings, sizes, steps=steps).points:
        yield _gap(point)


def _gap(point: CurvePoint) -> RetrainGap:
    return RetrainGap(
        ratings=point.ratings,
        users=point.users,
        none=point.estimate(NO_FOLD_IN),
        exact=point.estimate(EXACT_FOLD_IN),
        steps=point.estimate(THREE_STEPS),
        retrain=point.estimate(ADAM_RETRAIN if ADAM_RETRAIN in point.retrains else RETRAIN),
        retrain_served=point.estimate(RETRAIN),
        gap=point.gap,
    )
