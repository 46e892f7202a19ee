"""What a fold-in loses against training everything again with the new user's ratings.

Users are held out; their first ratings in time are folded in, or trained on, and both predict what
the users rated after their first twenty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from foldin_model.arrays import Integers

from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.evaluation.fold_in import fold_in_rmse
from foldin_trainer.evaluation.methods import make_cases
from foldin_trainer.evaluation.rating_metrics import rmse
from foldin_trainer.learning.mf import train_mf
from foldin_trainer.learning.training import TrainSettings, train
from foldin_trainer.splits import held_out_users

SIZES = (1, 2, 5, 10, 20)
LATE = 20


@dataclass(frozen=True, slots=True)
class RetrainGap:
    """RMSE on the late ratings of `users` users of whom the first `ratings` are known.

    `none` predicts for the mean user, `exact` and `steps` fold in. `retrain` trains everything
    again and takes the user vectors that Adam found, `retrain_served` those that would be served.
    """

    ratings: int
    users: int
    none: float
    exact: float
    steps: float
    retrain: float
    retrain_served: float

    @property
    def gap(self) -> float:
        """RMSE of the steps minus the better retrain's: below zero the fold-in is better."""
        return self.steps - min(self.retrain, self.retrain_served)


def against_retrain(
    dataset: Dataset, settings: TrainSettings, sizes: Sequence[int] = SIZES, *, steps: int = 3
) -> Iterator[RetrainGap]:
    """One entry for every number of first ratings, over the users of the first held-out fold.

    Users with no more than twenty ratings are left out. Without timestamps file order is time.
    """
    ratings = dataset.ratings
    fold = next(held_out_users(ratings))
    trained = train(replace(dataset, ratings=ratings.take(fold.train_index)), settings)
    model, epochs = trained.model, int(trained.metrics["best_epoch"])
    held_out = [
        _in_time(ratings, np.concatenate((case.given_index, case.hidden_index)))
        for case in fold.cases
    ]
    sequences = [sequence for sequence in held_out if len(sequence) > LATE]
    late = ratings.take(np.concatenate([sequence[LATE:] for sequence in sequences]))
    strangers = make_cases(ratings.take(np.zeros(0, np.int64)), late)
    none = fold_in_rmse([(model, strangers)], steps=None)
    for size in sizes:
        early = np.concatenate([sequence[:size] for sequence in sequences])
        cases = make_cases(ratings.take(early), late)
        known = ratings.take(np.concatenate((fold.train_index, early)))
        adam = train_mf(known, settings.mf, stop_after=epochs)
        again = train(replace(dataset, ratings=known), settings).model
        yield RetrainGap(
            ratings=size,
            users=len(cases),
            none=none,
            exact=fold_in_rmse([(model, cases)], steps=None),
            steps=fold_in_rmse([(model, cases)], steps=steps),
            retrain=rmse(adam.predict(late), late.values),
            retrain_served=fold_in_rmse([(again, cases)], steps=None),
        )


def _in_time(ratings: Ratings, index: Integers) -> Integers:
    index = np.sort(index)
    if ratings.timestamps is None:
        return index
    return index[np.argsort(ratings.timestamps[index], kind="stable")]
