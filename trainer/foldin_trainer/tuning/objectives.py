"""How good some settings of a method are: one figure a fold, on ratings or users held out.

Heads that predict ratings are measured by their error on folds of the ratings, whatever orders
items by its lists for users held out, as it would be served.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from foldin_model.trained.manifest import Setting

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import kfold
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.references import AlsSettings, Ease, ImplicitAls
from foldin_trainer.evaluation.methods.served import Served, published
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, check_folds, trials
from foldin_trainer.evaluation.trial_scores import score
from foldin_trainer.learning.head_choice import RankingHead
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderEpoch
from foldin_trainer.learning.rating_heads.bayes.training import train_bayes
from foldin_trainer.learning.rating_heads.mf import train_mf_twice
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Listener, train
from foldin_trainer.tuning import spaces
from foldin_trainer.tuning.settings import changed

COUNT: Final = 10
Metric = Literal["rmse", "ndcg", "ndcg-liked"]
Values = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Measuring:
    """How settings are measured: on how many folds, dealt by which seed, by which metric.

    `looked` hears of a training that is under way: after how many passes, and the metric on users
    that it holds out itself. It may end the measuring by raising.
    """

    folds: int
    seed: int
    metric: Metric
    looked: Callable[[int, float], None] = lambda _, __: None


Measure = Callable[[Dataset, Values, Measuring], Iterator[float]]


@dataclass(frozen=True, slots=True)
class Tunable:
    """A method, what may be tuned of it and by which metrics, the usual one first.

    `measure` gives one figure a fold for a data set and values of the space; `divided` is what
    the folds are parts of.
    """

    space: spaces.Space
    metrics: tuple[Metric, ...]
    measure: Measure
    divided: Literal["ratings", "users"] = "users"


def check_divisible(method: str, ratings: Ratings, folds: int) -> None:
    """Every fold has something. Raises FoldinError where there are more folds than parts."""
    divided = TUNABLE[method].divided
    parts = len(ratings) if divided == "ratings" else len(np.unique(ratings.users))
    check_folds(folds, parts, divided, undivided="give more ratings")


def lower_is_better(metric: Metric) -> bool:
    """Whether the metric is an error."""
    return metric == "rmse"


def _errors(
    learn: Callable[[Dataset, Ratings, Ratings, TrainSettings], float],
) -> Measure:
    """The error of a rating head, fold by fold of the ratings."""

    def measure(dataset: Dataset, values: Values, how: Measuring) -> Iterator[float]:
        settings = changed(TrainSettings.of(seed=how.seed), values)
        for kept, hidden in kfold(dataset.ratings, how.folds, how.seed):
            yield learn(dataset, dataset.ratings.take(kept), dataset.ratings.take(hidden), settings)

    return measure


def _mf(dataset: Dataset, known: Ratings, hidden: Ratings, settings: TrainSettings) -> float:
    del dataset
    found = train_mf_twice(known, settings.mf, share=settings.validation_share)
    return _rmse(found.predict(hidden), hidden)


def _bayes(dataset: Dataset, known: Ratings, hidden: Ratings, settings: TrainSettings) -> float:
    found = train_bayes(known, dataset.items, settings.bayes, people=dataset.users)
    return _rmse(found.factors.predict(hidden), hidden)


def _rmse(predicted: "np.ndarray[tuple[int], np.dtype[np.float64]]", hidden: Ratings) -> float:
    return float(np.sqrt(np.mean((predicted - hidden.values) ** 2)))


def _lists(fit: Callable[[Dataset, Values, Measuring], Method]) -> Measure:
    """The quality of a method's lists, fold by fold of the users."""

    def measure(dataset: Dataset, values: Values, how: Measuring) -> Iterator[float]:
        protocol = ProtocolSettings(folds=how.folds, seed=how.seed)
        for trial in trials("held-out-users", dataset.ratings, protocol):
            method = fit(replace(dataset, ratings=trial.train), values, how)
            found = score(method, trial, COUNT)
            ranked = found.liked if how.metric == "ndcg-liked" else found.everything
            yield float(ranked.ndcg.mean())

    return measure


def _served(head: RankingHead) -> Callable[[Dataset, Values, Measuring], Method]:
    """The model with that ranking head, as it is served."""

    def fit(dataset: Dataset, values: Values, how: Measuring) -> Method:
        settings = replace(TrainSettings.of(seed=how.seed), ranking_head=head)

        def look(seen: EncoderEpoch) -> None:
            how.looked(seen.epoch, seen.ndcg_liked if how.metric == "ndcg-liked" else seen.ndcg)

        listener = Listener(stage=lambda _: None, epoch=lambda _: None, look=look)
        trained = train(dataset, changed(settings, values), listener)
        snapshot = published(trained, dataset.ratings)
        return Served.of(snapshot, trained.users, dataset.ratings.item_ids)

    return fit


def _ease(dataset: Dataset, values: Values, how: Measuring) -> Method:
    del how  # nothing is random
    return Ease.fit(dataset.ratings, float(values["regularization"] or 0.0))


def _implicit(dataset: Dataset, values: Values, how: Measuring) -> Method:
    settings = AlsSettings(
        factors=int(values["factors"] or 0),
        regularization=float(values["regularization"] or 0.0),
        alpha=float(values["alpha"] or 0.0),
    )
    return ImplicitAls.fit(dataset.ratings, settings, seed=how.seed)


TUNABLE: Final[Mapping[str, Tunable]] = MappingProxyType(
    {
        "mf": Tunable(spaces.MF, ("rmse",), _errors(_mf), "ratings"),
        "bayes": Tunable(spaces.BAYES, ("rmse",), _errors(_bayes), "ratings"),
        "ials": Tunable(spaces.IALS, ("ndcg", "ndcg-liked"), _lists(_served("ials"))),
        "ease": Tunable(spaces.EASE_HEAD, ("ndcg", "ndcg-liked"), _lists(_served("ease"))),
        "encoder": Tunable(spaces.ENCODER, ("ndcg", "ndcg-liked"), _lists(_served("encoder"))),
        "reference-ease": Tunable(spaces.EASE, ("ndcg", "ndcg-liked"), _lists(_ease)),
        "reference-als": Tunable(spaces.IMPLICIT, ("ndcg", "ndcg-liked"), _lists(_implicit)),
    }
)
