"""What one method reached: every user's numbers, by trial, before any mean is taken.

What the numbers mean is in the metric modules; how sure their means are is `measures` and
`comparison`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows

from foldin_trainer.metrics import beyond_accuracy


@dataclass(frozen=True, slots=True, eq=False)
class RankingScores:
    """Ranking metrics of users with something to find, all (n,), in the order of the cases."""

    user_ids: tuple[str, ...]
    given: Integers
    recall: Doubles
    ndcg: Doubles
    average_precision: Doubles

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """The users of all parts."""
        return cls(
            tuple(user_id for part in parts for user_id in part.user_ids),
            np.concatenate([part.given for part in parts]),
            np.concatenate([part.recall for part in parts]),
            np.concatenate([part.ndcg for part in parts]),
            np.concatenate([part.average_precision for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class BeyondAccuracy:
    """What the lists do to the catalog and their readers (see `beyond_accuracy`)."""

    coverage: float
    novelty_bits: float
    mean_popularity: float
    gini: float
    popularity_lift: float
    miscalibration: float
    diversity: float


@dataclass(frozen=True, slots=True, eq=False)
class PredictedRatings:
    """The predicted and the given values of one trial's hidden ratings, (n,), and whose they are.

    `users` are (n,) positions in `user_ids`.
    """

    user_ids: tuple[str, ...]
    users: Rows
    predicted: Doubles
    actual: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class TrialLists:
    """The lists of one trial, `rows` (n, k) of `items` items, and what each user's is like, (n,).

    `rated_popularity` is that of the items given; NaN is undefined.
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
        """The one number of all lists for each of these."""
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

    `everything` counts every hidden item as a hit, `liked` only those rated highly. `rmse`, `mae`
    and `predicted` have one entry a trial, none where the method predicts no ratings; `listed`
    and `spread` one entry a trial.
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
        """What the lists of each trial do to the catalog."""
        return tuple(listed.beyond_accuracy for listed in self.listed)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One method over all trials: users pooled, per-trial numbers side by side."""
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
