"""Measures settings of a method: one figure a fold, on held-out ratings or users.

Rating heads are measured by their error on folds of the ratings; ranking heads and references by
their lists for held-out users, as they would be served.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from foldin_model.errors import FoldinError
from foldin_model.trained.manifest import Setting

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import kfold
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.references import AlsSettings, Ease, ImplicitAls
from foldin_trainer.evaluation.methods.served_model import Served, published
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, check_folds, trials
from foldin_trainer.evaluation.trial_scores import score
from foldin_trainer.learning.heads import RANKING_HEADS, RATING_HEADS
from foldin_trainer.learning.ranking_heads.ranking_head import Look
from foldin_trainer.learning.rating_heads.rating_head import RatingTask
from foldin_trainer.learning.registry.registration import Registration
from foldin_trainer.learning.registry.search_space import Real, Space, Whole
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Listener, train
from foldin_trainer.tuning.settings import changed

COUNT: Final = 10
Metric = Literal["rmse", "ndcg", "ndcg-liked"]
Values = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """How settings are measured: on how many folds, dealt by which seed, by which metric.

    `look` is called during a training: after how many passes, and the metric on users that the
    training holds out itself. It may end the measurement by raising.
    """

    folds: int
    seed: int
    metric: Metric
    look: Callable[[int, float], None] = lambda _, __: None


Measure = Callable[[Dataset, Values, MeasureSettings], Iterator[float]]


@dataclass(frozen=True, slots=True)
class Tunable:
    """A method, its search space, and the metrics it can be tuned by, the usual one first.

    `measure` yields one figure a fold for a data set and values of the space; `divided` says what
    is dealt into folds.
    """

    space: Space
    metrics: tuple[Metric, ...]
    measure: Measure
    divided: Literal["ratings", "users"] = "users"


def method_names() -> list[str]:
    """Returns the methods that can be tuned: heads with a search space, and references."""
    heads = (*RATING_HEADS.values(), *RANKING_HEADS.values())
    return [*(head.name for head in heads if head.space), *REFERENCES]


def tunable(method: str) -> Tunable:
    """Returns the method of that name. Raises FoldinError for one that cannot be tuned."""
    if method not in method_names():
        raise FoldinError(f"{method!r} cannot be tuned; choose {' or '.join(method_names())}")
    if method in RATING_HEADS:
        return Tunable(_flat_space(RATING_HEADS[method]), ("rmse",), _errors(method), "ratings")
    if method in RANKING_HEADS:
        return Tunable(_flat_space(RANKING_HEADS[method]), LIST_METRICS, _lists(_served(method)))
    return REFERENCES[method]


def check_divisible(method: str, ratings: Ratings, folds: int) -> None:
    """Raises FoldinError where there are more folds than ratings or users to deal into them."""
    divided = tunable(method).divided
    parts = len(ratings) if divided == "ratings" else len(np.unique(ratings.users))
    check_folds(folds, parts, divided, undivided="give more ratings")


def lower_is_better(metric: Metric) -> bool:
    """Whether the metric is an error."""
    return metric == "rmse"


def _flat_space(head: Registration) -> Space:
    """Returns the space by names as in `TrainSettings.flat`, which settings files have too."""
    return {f"{head.name}.{name}": within for name, within in head.space.items()}


def _errors(head: str) -> Measure:
    """Returns the measure of a rating head: its error, fold by fold of the ratings."""

    def measure(dataset: Dataset, values: Values, how: MeasureSettings) -> Iterator[float]:
        settings = changed(TrainSettings.of(seed=how.seed), values)
        for kept, hidden in kfold(dataset.ratings, how.folds, how.seed):
            task = RatingTask(dataset.ratings.take(kept), dataset.items, dataset.users)
            share = settings.validation_share
            found = RATING_HEADS[head].learn_alone(task, settings.heads, share)
            hidden_ratings = dataset.ratings.take(hidden)
            yield float(
                np.sqrt(np.mean((found.predict(hidden_ratings) - hidden_ratings.values) ** 2))
            )

    return measure


def _lists(fit: Callable[[Dataset, Values, MeasureSettings], Method]) -> Measure:
    """Returns the measure of a method's lists, fold by fold of the users."""

    def measure(dataset: Dataset, values: Values, how: MeasureSettings) -> Iterator[float]:
        protocol = ProtocolSettings(folds=how.folds, seed=how.seed)
        for trial in trials("held-out-users", dataset.ratings, protocol):
            method = fit(replace(dataset, ratings=trial.train), values, how)
            found = score(method, trial, COUNT)
            ranked = found.liked if how.metric == "ndcg-liked" else found.everything
            yield float(ranked.ndcg.mean())

    return measure


def _served(head: str) -> Callable[[Dataset, Values, MeasureSettings], Method]:
    """Returns how to fit the model with that ranking head, as it is served."""

    def fit(dataset: Dataset, values: Values, how: MeasureSettings) -> Method:
        settings = replace(TrainSettings.of(seed=how.seed), ranking_head=head)

        def look(seen: Look) -> None:
            how.look(seen.epoch, seen.ndcg_liked if how.metric == "ndcg-liked" else seen.ndcg)

        trained = train(dataset, changed(settings, values), Listener(look=look))
        snapshot = published(trained, dataset.ratings)
        return Served.of(snapshot, trained.users, dataset.ratings.item_ids)

    return fit


def _ease(dataset: Dataset, values: Values, how: MeasureSettings) -> Method:
    del how  # nothing is random
    return Ease.fit(dataset.ratings, float(values["regularization"] or 0.0))


def _implicit(dataset: Dataset, values: Values, how: MeasureSettings) -> Method:
    settings = AlsSettings(
        factors=int(values["factors"] or 0),
        regularization=float(values["regularization"] or 0.0),
        alpha=float(values["alpha"] or 0.0),
    )
    return ImplicitAls.fit(dataset.ratings, settings, seed=how.seed)


LIST_METRICS: Final[tuple[Metric, ...]] = ("ndcg", "ndcg-liked")
REFERENCES: Final[Mapping[str, Tunable]] = MappingProxyType(
    {
        "reference-ease": Tunable(
            {"regularization": Real(5.0, 5_000.0)}, LIST_METRICS, _lists(_ease)
        ),
        "reference-als": Tunable(
            {
                "factors": Whole(8, 256),
                "regularization": Real(0.01, 100.0),
                "alpha": Real(1.1, 100.0),
            },
            LIST_METRICS,
            _lists(_implicit),
        ),
    }
)
"""Methods of other libraries that models are compared with; they cannot be trained to serve."""
