"""The numbers of a report as functions of user weights, so that users can be resampled.

The metric modules define the metrics; `comparison` makes intervals and tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from foldin_model.arrays import Doubles, Rows
from scipy.sparse import csr_array

from foldin_trainer.metrics.beyond_accuracy import gini_of
from foldin_trainer.metrics.scores import PredictedRatings, RankingScores, Scores, TrialLists


class Measure(Protocol):
    """A number that depends on how often each user counts."""

    @property
    def unbiased(self) -> bool:
        """Whether a resample of users estimates it without bias; coverage is too low in one."""
        ...

    @property
    def users(self) -> int:
        """The number of users with a value in some trial."""
        ...

    def values(self, weights: Doubles) -> Doubles:
        """Returns the (s,) values for each row of (s, users) user weights; NaN if undefined."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """The mean over t of transform(Σ_u numerators[u, t] / Σ_u denominators[u, t]), both (users, t).

    Columns whose denominators sum to 0 are left out.
    """

    numerators: Doubles
    denominators: Doubles
    transform: Callable[[Doubles], Doubles]
    unbiased: bool = True

    @property
    def users(self) -> int:
        """The number of users with a denominator."""
        return int(self.denominators.any(axis=1).sum())

    def values(self, weights: Doubles) -> Doubles:
        """Returns one value for each row of weights."""
        above, below = weights @ self.numerators, weights @ self.denominators
        found = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
        defined = np.isfinite(found)
        sums = np.where(defined, self.transform(np.where(defined, found, 0.0)), 0.0).sum(axis=1)
        counts = defined.sum(axis=1)
        return np.asarray(
            np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0), np.float64
        )


@dataclass(frozen=True, slots=True, eq=False)
class ExposureMeasure:
    """The mean over trials of a function of the items' exposures.

    `shown` holds one 0/1 (users, items) matrix of recommended items for each trial; `of` takes
    (s, items) exposures and returns (s,).
    """

    shown: tuple[csr_array, ...]
    of: Callable[[Doubles], Doubles]
    unbiased: bool = False

    @property
    def users(self) -> int:
        """The number of users with a list that is not empty."""
        return int(np.any([np.diff(matrix.indptr) > 0 for matrix in self.shown], axis=0).sum())

    def values(self, weights: Doubles) -> Doubles:
        """Returns one value for each row of weights."""
        found = [self.of(np.asarray((matrix.T @ weights.T).T)) for matrix in self.shown]
        return np.asarray(np.mean(found, axis=0), np.float64)


def user_positions(scores: Sequence[Scores]) -> dict[str, int]:
    """Returns a position for each user who was asked about in any trial."""
    ids = (id_ for method in scores for listed in method.listed for id_ in listed.user_ids)
    return {id_: place for place, id_ in enumerate(dict.fromkeys(ids))}


def measures(scores: Scores, users: Mapping[str, int], count: int) -> dict[str, Measure]:
    """Returns every number that is reported of a method, by its name in the report."""
    found: dict[str, Measure] = {}
    if scores.predicted:
        found["rmse"] = _errors(scores.predicted, users, np.square, np.sqrt)
        found["mae"] = _errors(scores.predicted, users, np.abs, _identity)
    found |= _ranked("", scores.everything, users, count)
    found |= _ranked("liked_", scores.liked, users, count)
    found |= _beyond_accuracy(scores.listed, users)
    return found


def _errors(
    predicted: Sequence[PredictedRatings],
    users: Mapping[str, int],
    loss: Callable[[Doubles], Doubles],
    transform: Callable[[Doubles], Doubles],
) -> Measure:
    """Returns the mean loss of ratings in a trial; a user weighs as all their hidden ratings."""
    above, below = np.zeros((2, len(users), len(predicted)))
    for trial, part in enumerate(predicted):
        owners = _places(part.user_ids, users)[part.users]
        above[:, trial] = np.bincount(owners, loss(part.predicted - part.actual), len(users))
        below[:, trial] = np.bincount(owners, minlength=len(users))
    return Ratio(above, below, transform)


def _ranked(
    prefix: str, ranked: RankingScores, users: Mapping[str, int], count: int
) -> dict[str, Measure]:
    owners = _places(ranked.user_ids, users)
    below = np.bincount(owners, minlength=len(users)).astype(np.float64)[:, None]
    values = {"recall": ranked.recall, "ndcg": ranked.ndcg, "map": ranked.average_precision}
    return {
        f"{prefix}{name}@{count}": Ratio(
            np.bincount(owners, found, len(users)).astype(np.float64)[:, None], below, _identity
        )
        for name, found in values.items()
    }


def _beyond_accuracy(listed: Sequence[TrialLists], users: Mapping[str, int]) -> dict[str, Measure]:
    shown = tuple(_shown(part, users) for part in listed)
    novelty = [part.novelty for part in listed]
    popularity = [part.popularity for part in listed]
    rated = [part.rated_popularity for part in listed]
    both = [np.isfinite(ours + theirs) for ours, theirs in zip(popularity, rated, strict=True)]
    lift = Ratio(
        _sums(
            listed, [np.where(b, p, np.nan) for b, p in zip(both, popularity, strict=True)], users
        ),
        _sums(listed, [np.where(b, r, np.nan) for b, r in zip(both, rated, strict=True)], users),
        lambda ratio: ratio - 1.0,
    )
    return {
        "coverage": ExposureMeasure(shown, lambda exposures: (exposures > 0).mean(axis=1)),
        "novelty_bits": _mean(listed, novelty, users),
        "mean_popularity": _mean(listed, popularity, users),
        "gini": ExposureMeasure(shown, gini_of),
        "popularity_lift": lift,
        "miscalibration": _mean(listed, [part.miscalibration for part in listed], users),
        "diversity": _mean(listed, [part.diversity for part in listed], users),
    }


def _mean(
    listed: Sequence[TrialLists], values: Sequence[Doubles], users: Mapping[str, int]
) -> Measure:
    known = [np.isfinite(part).astype(np.float64) for part in values]
    return Ratio(_sums(listed, values, users), _sums(listed, known, users), _identity)


def _sums(
    listed: Sequence[TrialLists], values: Sequence[Doubles], users: Mapping[str, int]
) -> Doubles:
    """Returns the sum of each user's values in each trial, (users, trials); NaN counts as 0."""
    return np.column_stack(
        [
            np.bincount(_places(part.user_ids, users), np.nan_to_num(own, nan=0.0), len(users))
            for part, own in zip(listed, values, strict=True)
        ]
    )


def _shown(listed: TrialLists, users: Mapping[str, int]) -> csr_array:
    owners = np.repeat(_places(listed.user_ids, users), listed.rows.shape[1])
    items = listed.rows.ravel()
    kept = items >= 0
    ones = np.ones(int(kept.sum()))
    return csr_array((ones, (owners[kept], items[kept])), shape=(len(users), listed.items))


def _places(user_ids: Sequence[str], users: Mapping[str, int]) -> Rows:
    return np.array([users[id_] for id_ in user_ids], np.int32)


def _identity(values: Doubles) -> Doubles:
    return values
