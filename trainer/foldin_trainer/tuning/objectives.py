"""How good some settings of a method are: one figure a fold, on ratings or users held out.

Heads that predict ratings are measured by their error on folds of the ratings, whatever orders
items by its lists for users held out, as it would be served.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from foldin_model.manifest import Setting

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.methods import Method
from foldin_trainer.evaluation.protocols import ProtocolSettings, trials
from foldin_trainer.evaluation.references import AlsSettings, Ease, ImplicitAls
from foldin_trainer.evaluation.scoring import score
from foldin_trainer.evaluation.served import Served, published
from foldin_trainer.learning.bayes.training import train_bayes
from foldin_trainer.learning.choosing import RankingHead
from foldin_trainer.learning.mf import train_mf
from foldin_trainer.learning.training import TrainSettings, train
from foldin_trainer.splits import kfold
from foldin_trainer.tuning import spaces
from foldin_trainer.tuning.settings import changed

COUNT: Final = 10
Metric = Literal["rmse", "ndcg", "ndcg-liked"]
Values = Mapping[str, Setting]
Measure = Callable[[Dataset, Values, int, int, Metric], Iterator[float]]


@dataclass(frozen=True, slots=True)
class Tunable:
    """A method, what may be tuned of it and by which metrics, the usual one first.

    `measure` gives one figure a fold for a data set, values of the space, a number of folds, a
    seed and a metric.
    """

    space: spaces.Space
    metrics: tuple[Metric, ...]
    measure: Measure


def lower_is_better(metric: Metric) -> bool:
    """Whether the metric is an error."""
    return metric == "rmse"


def _errors(
    learn: Callable[[Dataset, Ratings, Ratings, TrainSettings], float],
) -> Measure:
    """The error of a rating head, fold by fold of the ratings."""

    def measure(
        dataset: Dataset, values: Values, folds: int, seed: int, metric: Metric
    ) -> Iterator[float]:
        del metric  # there is one
        settings = changed(TrainSettings.of(seed=seed), values)
        for kept, hidden in kfold(dataset.ratings, folds, seed):
            yield learn(dataset, dataset.ratings.take(kept), dataset.ratings.take(hidden), settings)

    return measure


def _mf(dataset: Dataset, known: Ratings, hidden: Ratings, settings: TrainSettings) -> float:
    del dataset
    return _rmse(train_mf(known, settings.mf, hidden).predict(hidden), hidden)


def _bayes(dataset: Dataset, known: Ratings, hidden: Ratings, settings: TrainSettings) -> float:
    found = train_bayes(known, dataset.items, settings.bayes, people=dataset.users)
    return _rmse(found.factors.predict(hidden), hidden)


def _rmse(predicted: "np.ndarray[tuple[int], np.dtype[np.float64]]", hidden: Ratings) -> float:
    return float(np.sqrt(np.mean((predicted - hidden.values) ** 2)))


def _lists(fit: Callable[[Dataset, Values, int], Method]) -> Measure:
    """The quality of a method's lists, fold by fold of the users."""

    def measure(
        dataset: Dataset, values: Values, folds: int, seed: int, metric: Metric
    ) -> Iterator[float]:
        protocol = ProtocolSettings(folds=folds, seed=seed)
        for trial in trials("held-out-users", dataset.ratings, protocol):
            method = fit(replace(dataset, ratings=trial.train), values, seed)
            found = score(method, trial, COUNT)
            ranked = found.liked if metric == "ndcg-liked" else found.everything
            yield float(ranked.ndcg.mean())

    return measure


def _served(head: RankingHead) -> Callable[[Dataset, Values, int], Method]:
    """The model with that ranking head, as it is served."""

    def fit(dataset: Dataset, values: Values, seed: int) -> Method:
        settings = replace(TrainSettings.of(seed=seed), ranking_head=head)
        trained = train(dataset, changed(settings, values))
        snapshot = published(trained, dataset.ratings)
        return Served.of(snapshot, trained.users, dataset.ratings.item_ids)

    return fit


def _ease(dataset: Dataset, values: Values, seed: int) -> Method:
    del seed  # nothing is random
    return Ease.fit(dataset.ratings, float(values["regularization"] or 0.0))


def _implicit(dataset: Dataset, values: Values, seed: int) -> Method:
    settings = AlsSettings(
        factors=int(values["factors"] or 0),
        regularization=float(values["regularization"] or 0.0),
        alpha=float(values["alpha"] or 0.0),
    )
    return ImplicitAls.fit(dataset.ratings, settings, seed=seed)


TUNABLE: Final[Mapping[str, Tunable]] = MappingProxyType(
    {
        "mf": Tunable(spaces.MF, ("rmse",), _errors(_mf)),
        "bayes": Tunable(spaces.BAYES, ("rmse",), _errors(_bayes)),
        "ials": Tunable(spaces.IALS, ("ndcg", "ndcg-liked"), _lists(_served("ials"))),
        "ease": Tunable(spaces.EASE_HEAD, ("ndcg", "ndcg-liked"), _lists(_served("ease"))),
        "reference-ease": Tunable(spaces.EASE, ("ndcg", "ndcg-liked"), _lists(_ease)),
        "reference-als": Tunable(spaces.IMPLICIT, ("ndcg", "ndcg-liked"), _lists(_implicit)),
    }
)
