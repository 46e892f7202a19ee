"""The usual fold-ins of a matrix factorization, for comparison: a few SGD passes, or a ridge.

Both keep the item vectors of `mf` fixed and use no distribution of users; SGD starts at the mean
user. Their constants are chosen on users inside the training part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import fold_exact
from foldin_model.scale import Scale

from foldin_trainer.data import Ratings
from foldin_trainer.data.splits import held_out_users
from foldin_trainer.learning.rating_heads.factors import RatingFactors, item_rows, user_rows
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings, train_mf
from foldin_trainer.metrics.cases import Case, make_cases
from foldin_trainer.metrics.rating_metrics import rmse

PASSES: Final = 3
RATES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
RIDGES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
LENGTHS: Final = (1, 2, 5, 10, 20)

FoldInFunction = Callable[[Case], Doubles]


@dataclass(frozen=True, slots=True, eq=False)
class PlainFoldIn:
    """Item vectors [1, q_i] (n, 1 + d), the offsets μ + c_i (n,) and the mean user (1 + d,)."""

    items: Doubles
    offsets: Doubles
    mean_user: Doubles
    l2: float
    rate: float
    ridge: float

    def by_sgd(self, case: Case) -> Doubles:
        """Returns the user vector after three passes over the given ratings from the mean user."""
        user = self.mean_user.copy()
        vectors = self.items[case.given_rows]
        targets = case.given_values - self.offsets[case.given_rows]
        for _ in range(PASSES):
            for vector, target in zip(vectors, targets, strict=True):
                user += self.rate * ((target - vector @ user) * vector - self.l2 * user)
        return user

    def by_ridge(self, case: Case) -> Doubles:
        """Returns the least-squares user vector with the penalty λ|z|², which shrinks it to 0."""
        vectors = self.items[case.given_rows] / np.sqrt(self.ridge)
        targets = case.given_values - self.offsets[case.given_rows]
        start = np.zeros(self.items.shape[1])
        folded = fold_exact(vectors, np.ones(len(vectors)), targets, start).vector
        return np.asarray(folded / np.sqrt(self.ridge), np.float64)

    def predict(self, cases: Sequence[Case], folding: FoldInFunction, scale: Scale) -> Doubles:
        """Returns predictions for the hidden ratings, case after case, clipped to the scale."""
        predicted = [
            self.items[case.hidden_rows] @ folding(case) + self.offsets[case.hidden_rows]
            for case in cases
        ]
        return np.clip(np.concatenate(predicted), scale.low, scale.high)


def fit_plain_fold_in(train: Ratings, settings: MfSettings, epochs: int) -> PlainFoldIn:
    """Returns the plain fold-in for a model of all ratings, tuned on an eighth of the users."""
    fold = next(held_out_users(train, 8, seed=1))
    inner = train.take(fold.train_index)
    trial = _of(train_mf(inner, settings, stop_after=epochs), inner, settings)
    asked = []
    for length in LENGTHS:
        given = np.concatenate([case.given_index[:length] for case in fold.cases])
        hidden = np.concatenate([case.hidden_index for case in fold.cases])
        asked.append(make_cases(train.take(given), train.take(hidden)))

    def error(candidate: PlainFoldIn, folding: FoldInFunction) -> float:
        return float(np.mean([_rmse(candidate, folding, cases, train.scale) for cases in asked]))

    by_rate = {rate: replace(trial, rate=rate) for rate in RATES}
    by_ridge = {ridge: replace(trial, ridge=ridge) for ridge in RIDGES}
    rate = min(by_rate, key=lambda rate: error(by_rate[rate], by_rate[rate].by_sgd))
    ridge = min(by_ridge, key=lambda ridge: error(by_ridge[ridge], by_ridge[ridge].by_ridge))
    whole = _of(train_mf(train, settings, stop_after=epochs), train, settings)
    return replace(whole, rate=rate, ridge=ridge)


def _of(result: RatingFactors, ratings: Ratings, settings: MfSettings) -> PlainFoldIn:
    mean_user = user_rows(result)[np.unique(ratings.users)].mean(axis=0)
    offsets = result.mean + result.item_biases.astype(np.float64)
    return PlainFoldIn(item_rows(result), offsets, mean_user, settings.l2, RATES[0], RIDGES[0])


def _rmse(
    plain: PlainFoldIn, folding: FoldInFunction, cases: Sequence[Case], scale: Scale
) -> float:
    actual = np.concatenate([case.hidden_values for case in cases])
    return rmse(plain.predict(cases, folding, scale), actual)
