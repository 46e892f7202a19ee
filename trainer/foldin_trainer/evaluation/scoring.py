"""Runs methods over the trials of a protocol and keeps what every user got.

The metrics themselves are in `rating_metrics`, `ranking_metrics` and `beyond_accuracy`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers, Mask, Rows
from foldin_model.heads import Scale

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation import beyond_accuracy, ranking_metrics, rating_metrics
from foldin_trainer.evaluation.methods import Case, Method
from foldin_trainer.evaluation.protocols import Trial

Fit = Callable[[Ratings], Sequence[Method]]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
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
class Spread:
    """What the lists do to the catalogue (see `beyond_accuracy`)."""

    coverage: float
    novelty_bits: float
    mean_popularity: float
    gini: float


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One method in one trial, or over all trials of a protocol.

    `everything` counts every hidden item as a hit, `liked` only those rated highly. `rmse` and
    `mae` have one number a trial, none where the method predicts no ratings; `spread` one entry a
    trial.
    """

    method: str
    rmse: tuple[float, ...]
    mae: tuple[float, ...]
    everything: Ranked
    liked: Ranked
    spread: tuple[Spread, ...]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One method over all trials: users pooled, per-trial numbers side by side."""
        return cls(
            parts[0].method,
            tuple(error for part in parts for error in part.rmse),
            tuple(error for part in parts for error in part.mae),
            Ranked.join([part.everything for part in parts]),
            Ranked.join([part.liked for part in parts]),
            tuple(spread for part in parts for spread in part.spread),
        )


def run(trials: Iterable[Trial], fit: Fit, count: int) -> tuple[Scores, ...]:
    """Every method's scores over all trials, `count` items a list, in the order `fit` gives them.

    Methods must come in the same order from every call of `fit`.
    """
    rounds = [[score(method, trial, count) for method in fit(trial.train)] for trial in trials]
    return tuple(Scores.join(parts) for parts in zip(*rounds, strict=True))


def score(method: Method, trial: Trial, count: int) -> Scores:
    """What `method` reaches in one trial."""
    lists = method.recommend(trial.cases, count)
    predicted = method.predict(trial.cases)
    actual = np.concatenate([case.hidden_values for case in trial.cases])
    threshold = liked_from(trial.train.scale)
    liked = [case.hidden_rows[case.hidden_values >= threshold] for case in trial.cases]
    return Scores(
        method.name,
        () if predicted is None else (rating_metrics.rmse(predicted, actual),),
        () if predicted is None else (rating_metrics.mae(predicted, actual),),
        _ranked(trial.cases, lists, [case.hidden_rows for case in trial.cases]),
        _ranked(trial.cases, lists, liked),
        (_spread(lists, trial.train),),
    )


def liked_from(scale: Scale) -> float:
    """The lowest rating that says "liked": three quarters up the scale.

    4 or more on MovieLens' scales, 1 to 5 and 0.5 to 5 in halves.
    """
    return scale.low + 0.75 * (scale.high - scale.low)


def _ranked(cases: Sequence[Case], lists: Rows, hidden: Sequence[Rows]) -> Ranked:
    relevant = np.array([len(rows) for rows in hidden], np.int64)
    asked: Mask = relevant > 0
    hits = ranking_metrics.hit_matrix(lists, hidden)[asked]
    relevant = relevant[asked]
    return Ranked(
        tuple(case.user_id for case, kept in zip(cases, asked, strict=True) if kept),
        np.array([len(case.given_rows) for case in cases], np.int64)[asked],
        ranking_metrics.recall(hits, relevant),
        ranking_metrics.ndcg(hits, relevant),
        ranking_metrics.average_precision(hits, relevant),
    )


def _spread(lists: Rows, train: Ratings) -> Spread:
    items = len(train.item_ids)
    counts = np.bincount(train.items, minlength=items).astype(np.int64)
    return Spread(
        beyond_accuracy.coverage(lists, items),
        beyond_accuracy.novelty(lists, counts, len(np.unique(train.users))),
        beyond_accuracy.mean_popularity(lists, counts),
        beyond_accuracy.gini(lists, items),
    )
