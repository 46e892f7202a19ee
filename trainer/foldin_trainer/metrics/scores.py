"""The scores of one method: every user's numbers, by trial, before any mean is taken.

The metric modules define the numbers; `measures` and `comparison` give intervals of their means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows

from foldin_trainer.metrics import beyond_accuracy


@dataclass(frozen=True, slots=True, eq=False)
class RankingScores:
    """Ranking metrics of the users with a hidden item, all (n,), in the order of the cases."""

    user_ids: tuple[str, ...]
    given: Integers
    recall: Doubles
    ndcg: Doubles
    average_precision: Doubles

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the metrics of the users of all parts."""
        return cls(
            tuple(user_id for part in parts for user_id in part.user_ids),
            np.concatenate([part.given for part in parts]),
            np.concatenate([part.recall for part in parts]),
            np.concatenate([part.ndcg for part in parts]),
            np.concatenate([part.average_precision for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class BeyondAccuracy:
    """The metrics of `beyond_accuracy`, one number for all lists of a trial."""

    coverage: float
    novelty_bits: float
    mean_popularity: float
    gini: float
    popularity_lift: float
    miscalibration: float
    diversity: float


@dataclass(frozen=True, slots=True, eq=False)
class PredictedRatings:
    """The predicted and actual values of one trial's hidden ratings, (n,), with their users.

    `users` are (n,) positions in `user_ids`.
    """

    user_ids: tuple[str, ...]
    users: Rows
    predicted: Doubles
    actual: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class TrialLists:
    """The lists of one trial, `rows` (n, k) out of `items` items, and metrics of each list, (n,).

    `rated_popularity` is the popularity of the given items; NaN is undefined.
    """

    user_ids: tuple[str, ...]
    rows: Rows
    items: int
    novelty: Doubles
    popularity: Doubles
    rated_popularity: Doubles
    miscalibration: Doubles
    diversity: Doubles

    @property
    def beyond_accuracy(self) -> BeyondAccuracy:
        """Returns one number of all lists for each metric."""
        return BeyondAccuracy(
            coverage=beyond_accuracy.coverage(self.rows, self.items),
            novelty_bits=_mean(self.novelty),
            mean_popularity=_mean(self.popularity),
            gini=beyond_accuracy.gini(self.rows, self.items),
            popularity_lift=beyond_accuracy.popularity_lift(self.popularity, self.rated_popularity),
            miscalibration=_mean(self.miscalibration),
            diversity=_mean(self.diversity),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One method in one trial, or over all trials of a protocol.

    `everything` counts every hidden item as a hit, `liked` only those rated highly. `listed` has
    one entry for each trial, as have `rmse`, `mae` and `predicted`, which are empty if the method
    predicts no ratings.
    """

    method: str
    rmse: tuple[float, ...]
    mae: tuple[float, ...]
    everything: RankingScores
    liked: RankingScores
    predicted: tuple[PredictedRatings, ...]
    listed: tuple[TrialLists, ...]

    @property
    def beyond_accuracy(self) -> tuple[BeyondAccuracy, ...]:
        """The metrics beyond accuracy of each trial's lists."""
        return tuple(listed.beyond_accuracy for listed in self.listed)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Returns the scores over all trials: users pooled, numbers by trial in a row."""
        return cls(
            parts[0].method,
            tuple(error for part in parts for error in part.rmse),
            tuple(error for part in parts for error in part.mae),
            RankingScores.join([part.everything for part in parts]),
            RankingScores.join([part.liked for part in parts]),
            tuple(predicted for part in parts for predicted in part.predicted),
            tuple(listed for part in parts for listed in part.listed),
        )


def _mean(values: Doubles) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
