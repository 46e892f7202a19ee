"""The learning curve of fold-in: the error for a new user by number of ratings and by method.

Users are held out of training. Their first 1, 2, 5 ... ratings in time are folded in, or the model
is trained again with them. All methods then predict the ratings after the user's first twenty, or
after the given ones if those are more.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Integers, Mask, Rows
from foldin_model.errors import FoldinError
from foldin_model.fold_in.fold_in import fold
from foldin_model.trained.model import Model

from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.data.splits import held_out_users
from foldin_trainer.evaluation.fold_in.plain_fold_in import PlainFoldIn, fit_plain_fold_in
from foldin_trainer.evaluation.protocols.trials import check_folds
from foldin_trainer.learning.rating_heads.mf.head import MF
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings, train_mf
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Trained, train
from foldin_trainer.metrics.cases import Case, make_cases
from foldin_trainer.metrics.comparison import Comparison, compare_measures
from foldin_trainer.metrics.lists import best
from foldin_trainer.metrics.measures import Measure, Ratio
from foldin_trainer.metrics.ranking_metrics import hit_matrix, ndcg

SIZES: Final = (1, 2, 5, 10, 20, 50)
ASKED_AFTER: Final = 20  # ratings of a user that are never asked about
MIN_USERS: Final = 2  # of a point
LIST_LENGTH: Final = 10
FOLDS: Final = 5
NO_FOLD_IN: Final = "no fold-in"
SGD: Final = "plain SGD"
RIDGE: Final = "ridge λI"
EXACT_FOLD_IN: Final = "fold-in, exact"
THREE_STEPS: Final = "fold-in, three steps"
ADAM_RETRAIN: Final = "full retrain (Adam)"
RETRAIN: Final = "full retrain"
METHODS: Final = (NO_FOLD_IN, SGD, RIDGE, EXACT_FOLD_IN, THREE_STEPS, ADAM_RETRAIN, RETRAIN)
"""Of a point; `ADAM_RETRAIN` only where the rating head is `mf`, which alone is trained by Adam."""


@dataclass(frozen=True, slots=True, eq=False)
class CurvePoint:
    """All methods with the first `ratings` ratings of `users` users, compared with three steps.

    Metrics are `rmse` and, for methods that make lists, NDCG, such as `ndcg@10`.
    """

    ratings: int
    users: int
    comparison: Comparison

    def estimate(self, method: str, metric: str = "rmse") -> float:
        """Returns that method's number over all users."""
        return self.comparison.intervals[method][metric].estimate

    @property
    def gap(self) -> float:
        """RMSE of three steps minus that of the better retrain; below zero, fold-in is better."""
        return self.estimate(THREE_STEPS) - min(self.estimate(name) for name in self.retrains)

    @property
    def retrains(self) -> list[str]:
        """The names of the retrains that were made."""
        return [name for name in (ADAM_RETRAIN, RETRAIN) if name in self.comparison.intervals]


@dataclass(frozen=True, slots=True, eq=False)
class FoldInCurve:
    """The points by number of ratings, and the model that users were folded into.

    Lists have `count` items; one of `folds` folds of the users was held out.
    """

    points: tuple[CurvePoint, ...]
    trained: Trained
    plain: PlainFoldIn
    seconds: float
    count: int = LIST_LENGTH
    folds: int = FOLDS


def learning_curve(
    dataset: Dataset,
    settings: TrainSettings,
    sizes: Sequence[int] = SIZES,
    *,
    steps: int = 3,
    count: int = LIST_LENGTH,
    folds: int = FOLDS,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> FoldInCurve:
    """Returns one point for each size that enough users of the first fold exceed.

    The shrinkage of a retrain is tuned as that of the fold-in, on users inside its training part;
    the constants of SGD and ridge are tuned there too. Without timestamps file order is time.
    SGD and ridge fold into a `mf` whatever the rating head is.
    Raises FoldinError if too few users have enough ratings.
    """
    started = time.perf_counter()
    ratings = dataset.ratings
    check_folds(folds, len(np.unique(ratings.users)), "users")
    fold_ = next(held_out_users(ratings, folds, seed))
    sequences = [
        _in_time(ratings, np.concatenate((case.given_index, case.hidden_index)))
        for case in fold_.cases
    ]
    if len(_longer(sequences, sizes[0])) < MIN_USERS:
        raise FoldinError(
            f"fold-in asks what users rated after their first {ASKED_AFTER} ratings, and fewer "
            f"than {MIN_USERS} of {len(sequences)} users held out have more; choose another "
            "protocol"
        )
    known = ratings.take(fold_.train_index)
    trained = train(replace(dataset, ratings=known), settings)
    say(f"  trained without {len(fold_.cases):,} users")
    mf_settings, mf_epochs = settings.heads.of(MfSettings), epochs_of_mf(trained, settings)
    plain = fit_plain_fold_in(known, mf_settings, mf_epochs)
    points = []
    for size in sizes:
        asked = _longer(sequences, size)
        if len(asked) < MIN_USERS:
            break
        early = np.concatenate([own[:size] for own in asked])
        cases = _cases(ratings, asked, size)
        again = ratings.take(np.concatenate((fold_.train_index, early)))
        retrained = train(replace(dataset, ratings=again), settings)
        say(f"  {size} ratings of {len(cases):,} users: trained again")
        answers = dict(
            _answers(trained.model, cases, plain, ratings.item_ids, steps=steps, count=count)
        )
        answers[RETRAIN] = _retrained(retrained, cases, ratings.item_ids, count)
        if settings.rating_head == MF.name:
            adam = train_mf(again, mf_settings, stop_after=mf_epochs)
            late = ratings.take(np.concatenate([_late(own, size) for own in asked]))
            answers[ADAM_RETRAIN] = _Answer(_by_case(adam.predict(late), late, cases), None)
        points.append(_point(size, cases, answers, count, seed))
    return FoldInCurve(tuple(points), trained, plain, time.perf_counter() - started, count, folds)


def epochs_of_mf(trained: Trained, settings: TrainSettings) -> int:
    """Returns how many passes Adam makes when it trains a `mf` on all ratings.

    They are those of the trained model if its rating head is `mf`, else those of the settings.
    """
    if settings.rating_head == MF.name:
        return int(trained.metrics["best_epoch"])
    return settings.heads.of(MfSettings).epochs


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """Predictions for the hidden ratings, case after case, and lists if the method makes any."""

    predicted: Doubles
    lists: Rows | None


def _cases(ratings: Ratings, sequences: Sequence[Integers], size: int) -> tuple[Case, ...]:
    """Returns cases by user row: the first `size` given, the late ones hidden, others masked."""
    early = ratings.take(np.concatenate([own[:size] for own in sequences]))
    late = ratings.take(np.concatenate([_late(own, size) for own in sequences]))
    between = {
        ratings.user_ids[ratings.users[own[0]]]: np.sort(ratings.items[own[size:ASKED_AFTER]])
        for own in sequences
    }
    return tuple(
        replace(case, masked_rows=between[case.user_id]) for case in make_cases(early, late)
    )


def _longer(sequences: Sequence[Integers], size: int) -> list[Integers]:
    """Returns those with a rating after the first `size` and after the first twenty."""
    return [own for own in sequences if len(own) > max(ASKED_AFTER, size)]


def _late(sequence: Integers, size: int) -> Integers:
    return sequence[max(ASKED_AFTER, size) :]


def _answers(
    model: Model,
    cases: Sequence[Case],
    plain: PlainFoldIn,
    item_ids: Sequence[str],
    *,
    steps: int,
    count: int,
) -> Iterator[tuple[str, _Answer]]:
    rows = model.catalog.rows(item_ids)
    heads = (model.ranking, model.rating)
    mean_user = [(model.ranking_prior, model.rating_prior)] * len(cases)
    yield NO_FOLD_IN, _answered(model, rows, cases, mean_user, count)
    for name, limit in ((EXACT_FOLD_IN, None), (THREE_STEPS, steps)):
        users = []
        for case in cases:
            given = rows[case.given_rows]
            order = np.argsort(given)
            ranking, rating = (
                fold(head, given[order], case.given_values[order], head.prior, steps=limit).vector
                for head in heads
            )
            users.append((ranking, rating))
        yield name, _answered(model, rows, cases, users, count)
    yield SGD, _Answer(plain.predict(cases, plain.by_sgd, model.scale), None)
    yield RIDGE, _Answer(plain.predict(cases, plain.by_ridge, model.scale), None)


def _retrained(
    trained: Trained, cases: Sequence[Case], item_ids: Sequence[str], count: int
) -> _Answer:
    """Answers by the vectors that training with the users' ratings published for them."""
    places = {user_id: place for place, user_id in enumerate(trained.users.user_ids)}
    own = [places[case.user_id] for case in cases]
    pairs = zip(
        trained.users.ranking_vectors[own].astype(np.float64),
        trained.users.rating_vectors[own].astype(np.float64),
        strict=True,
    )
    rows = trained.model.catalog.rows(item_ids)
    return _answered(trained.model, rows, cases, list(pairs), count)


def _answered(
    model: Model,
    rows: Rows,
    cases: Sequence[Case],
    users: Sequence[tuple[Doubles, Doubles]],
    count: int,
) -> _Answer:
    """Answers by the vectors: ratings clipped to the scale, and lists of `count` items."""
    predicted = [
        model.rating.score(rows[case.hidden_rows], rating)
        for case, (_, rating) in zip(cases, users, strict=True)
    ]
    left_out: Mask = np.zeros((len(cases), len(rows)), np.bool_)
    for place, case in enumerate(cases):
        left_out[place, np.concatenate((case.given_rows, case.masked_rows))] = True
    queries = np.array([model.query(*vectors) for vectors in users])
    scores = queries @ model.items[rows].astype(np.float64).T
    clipped = np.clip(np.concatenate(predicted), model.scale.low, model.scale.high)
    return _Answer(clipped, best(scores, left_out, count))


def _by_case(predicted: Doubles, late: Ratings, cases: Sequence[Case]) -> Doubles:
    """Returns predictions for ratings in any order in the order of the cases' hidden rows."""
    order = np.lexsort((late.items, late.users))
    expected = np.concatenate([case.hidden_rows for case in cases])
    if not np.array_equal(late.items[order], expected):
        raise RuntimeError("the late ratings are not those of the cases")
    return predicted[order]


def _point(
    size: int, cases: Sequence[Case], answers: Mapping[str, _Answer], count: int, seed: int
) -> CurvePoint:
    hidden = [case.hidden_rows for case in cases]
    counts = np.array([len(rows) for rows in hidden], np.int64)
    owners = np.repeat(np.arange(len(cases)), counts)
    actual = np.concatenate([case.hidden_values for case in cases])
    found: dict[str, dict[str, Measure]] = {}
    for name in METHODS:
        if name not in answers:
            continue
        answer = answers[name]
        losses = np.square(answer.predicted - actual)
        squares = np.bincount(owners, losses, len(cases)).astype(np.float64)
        weights = counts[:, None].astype(np.float64)
        found[name] = {"rmse": Ratio(squares[:, None], weights, np.sqrt)}
        if answer.lists is not None:
            gains = ndcg(hit_matrix(answer.lists, hidden), counts)[:, None]
            found[name][f"ndcg@{count}"] = Ratio(gains, np.ones_like(gains), np.asarray)
    return CurvePoint(
        size, len(cases), compare_measures(found, len(cases), ours=THREE_STEPS, seed=seed)
    )


def _in_time(ratings: Ratings, index: Integers) -> Integers:
    index = np.sort(index)
    if ratings.timestamps is None:
        return index
    return index[np.argsort(ratings.timestamps[index], kind="stable")]
