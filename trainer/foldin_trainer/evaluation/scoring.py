"""Runs methods over the trials of a protocol and keeps what every user got.

The metrics themselves are in `rating_metrics`, `ranking_metrics` and `beyond_accuracy`; how far
they may be off by chance is `measures` and `comparing`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from foldin_model.arrays import Doubles, Integers, Mask, Rows
from foldin_model.fold_in.quadratic_head import Scale

from foldin_trainer.data.items import ItemTable
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
    """What the lists do to the catalogue and their readers (see `beyond_accuracy`)."""

    coverage: float
    novelty_bits: float
    mean_popularity: float
    gini: float
    popularity_lift: float
    miscalibration: float
    diversity: float


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """The predicted and the given values of one trial's hidden ratings, (n,), and whose they are.

    `users` are (n,) positions in `user_ids`.
    """

    user_ids: tuple[str, ...]
    users: Rows
    predicted: Doubles
    actual: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
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
    def spread(self) -> Spread:
        """The one number of all lists for each of these."""
        return Spread(
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
    everything: Ranked
    liked: Ranked
    predicted: tuple[Predicted, ...]
    listed: tuple[Listed, ...]

    @property
    def spread(self) -> tuple[Spread, ...]:
        """What the lists of each trial do to the catalogue."""
        return tuple(listed.spread for listed in self.listed)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One method over all trials: users pooled, per-trial numbers side by side."""
        return cls(
            parts[0].method,
            tuple(error for part in parts for error in part.rmse),
            tuple(error for part in parts for error in part.mae),
            Ranked.join([part.everything for part in parts]),
            Ranked.join([part.liked for part in parts]),
            tuple(predicted for part in parts for predicted in part.predicted),
            tuple(listed for part in parts for listed in part.listed),
        )


def run(
    trials: Iterable[Trial], fit: Fit, count: int, items: ItemTable | None = None
) -> tuple[Scores, ...]:
    """Every method's scores over all trials, `count` items a list, in the order `fit` gives them.

    Methods must come in the same order from every call of `fit`. The genres of `items` tell
    calibration and diversity, which are undefined without.
    """
    shares = beyond_accuracy.genre_shares(() if items is None else items.genres)
    rounds = [
        [score(method, trial, count, shares) for method in fit(trial.train)] for trial in trials
    ]
    return tuple(Scores.join(parts) for parts in zip(*rounds, strict=True))


def score(method: Method, trial: Trial, count: int, shares: Doubles | None = None) -> Scores:
    """What `method` reaches in one trial; `shares` are the items' genres (`genre_shares`).

    Where the trial's ratings carry no values, none are predicted and no item counts as liked.
    """
    lists = method.recommend(trial.cases, count)
    predicted = _predicted(method, trial.cases) if trial.valued else ()
    threshold = liked_from(trial.train.scale) if trial.valued else np.inf
    liked = [case.hidden_rows[case.hidden_values >= threshold] for case in trial.cases]
    return Scores(
        method.name,
        tuple(rating_metrics.rmse(p.predicted, p.actual) for p in predicted),
        tuple(rating_metrics.mae(p.predicted, p.actual) for p in predicted),
        _ranked(trial.cases, lists, [case.hidden_rows for case in trial.cases]),
        _ranked(trial.cases, lists, liked),
        predicted,
        (_listed(trial, lists, shares),),
    )


def liked_from(scale: Scale) -> float:
    """The lowest rating that says "liked": three quarters up the scale.

    4 or more on MovieLens' scales, 1 to 5 and 0.5 to 5 in halves.
    """
    return scale.low + 0.75 * (scale.high - scale.low)


def _predicted(method: Method, cases: Sequence[Case]) -> tuple[Predicted, ...]:
    predicted = method.predict(cases)
    if predicted is None:
        return ()
    sizes = [len(case.hidden_rows) for case in cases]
    users = np.repeat(np.arange(len(cases), dtype=np.int32), sizes)
    actual = np.concatenate([case.hidden_values for case in cases])
    return (Predicted(_ids(cases), users, predicted, actual),)


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


def _listed(trial: Trial, lists: Rows, shares: Doubles | None) -> Listed:
    train = trial.train
    items = len(train.item_ids)
    if shares is None or len(shares) != items:
        shares = np.zeros((items, 0))
    counts = np.bincount(train.items, minlength=items).astype(np.int64)
    information = beyond_accuracy.self_information(counts, len(np.unique(train.users)))
    histories = [case.given_rows for case in trial.cases]
    popularity = counts.astype(np.float64)
    return Listed(
        user_ids=_ids(trial.cases),
        rows=lists,
        items=items,
        novelty=beyond_accuracy.listed(lists, information),
        popularity=beyond_accuracy.listed(lists, popularity),
        rated_popularity=beyond_accuracy.profiled(histories, popularity),
        miscalibration=beyond_accuracy.miscalibration(lists, histories, shares),
        diversity=beyond_accuracy.diversity(lists, shares),
    )


def _ids(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(case.user_id for case in cases)


def _mean(values: Doubles) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
