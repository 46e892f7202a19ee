"""Runs methods over the trials of a protocol and scores every user.

The metrics are in `rating_metrics`, `ranking_metrics` and `beyond_accuracy`; `measures` and
`comparison` give their intervals.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from foldin_model.arrays import Doubles, Mask, Rows

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.protocols.trials import Trial
from foldin_trainer.metrics import beyond_accuracy, ranking_metrics, rating_metrics
from foldin_trainer.metrics.cases import Case, liked_from
from foldin_trainer.metrics.scores import PredictedRatings, RankingScores, Scores, TrialLists

Fit = Callable[[Ratings], Sequence[Method]]


def run_trials(
    trials: Iterable[Trial], fit: Fit, count: int, items: ItemTable | None = None
) -> tuple[Scores, ...]:
    """Returns every method's scores over all trials, `count` items a list, in the order of `fit`.

    Every call of `fit` must return the methods in the same order. Calibration and diversity need
    the genres of `items` and are undefined without them.
    """
    shares = beyond_accuracy.genre_shares(() if items is None else items.genres)
    rounds = [
        [score(method, trial, count, shares) for method in fit(trial.train)] for trial in trials
    ]
    return tuple(Scores.join(parts) for parts in zip(*rounds, strict=True))


def score(method: Method, trial: Trial, count: int, shares: Doubles | None = None) -> Scores:
    """Returns the scores of `method` in one trial; `shares` are those of `genre_shares`.

    If the trial's ratings have no values, none are predicted and no item counts as liked.
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


def _predicted(method: Method, cases: Sequence[Case]) -> tuple[PredictedRatings, ...]:
    predicted = method.predict(cases)
    if predicted is None:
        return ()
    sizes = [len(case.hidden_rows) for case in cases]
    users = np.repeat(np.arange(len(cases), dtype=np.int32), sizes)
    actual = np.concatenate([case.hidden_values for case in cases])
    return (PredictedRatings(_ids(cases), users, predicted, actual),)


def _ranked(cases: Sequence[Case], lists: Rows, hidden: Sequence[Rows]) -> RankingScores:
    relevant = np.array([len(rows) for rows in hidden], np.int64)
    asked: Mask = relevant > 0
    hits = ranking_metrics.hit_matrix(lists, hidden)[asked]
    relevant = relevant[asked]
    return RankingScores(
        tuple(case.user_id for case, kept in zip(cases, asked, strict=True) if kept),
        np.array([len(case.given_rows) for case in cases], np.int64)[asked],
        ranking_metrics.recall(hits, relevant),
        ranking_metrics.ndcg(hits, relevant),
        ranking_metrics.average_precision(hits, relevant),
    )


def _listed(trial: Trial, lists: Rows, shares: Doubles | None) -> TrialLists:
    train = trial.train
    items = len(train.item_ids)
    if shares is None or len(shares) != items:
        shares = np.zeros((items, 0))
    counts = np.bincount(train.items, minlength=items).astype(np.int64)
    information = beyond_accuracy.self_information(counts, len(np.unique(train.users)))
    histories = [case.given_rows for case in trial.cases]
    popularity = counts.astype(np.float64)
    return TrialLists(
        user_ids=_ids(trial.cases),
        rows=lists,
        items=items,
        novelty=beyond_accuracy.list_means(lists, information),
        popularity=beyond_accuracy.list_means(lists, popularity),
        rated_popularity=beyond_accuracy.history_means(histories, popularity),
        miscalibration=beyond_accuracy.miscalibration(lists, histories, shares),
        diversity=beyond_accuracy.diversity(lists, shares),
    )


def _ids(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(case.user_id for case in cases)
