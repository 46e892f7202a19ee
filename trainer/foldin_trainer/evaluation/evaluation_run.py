"""Runs an evaluation: trains on every trial of the requested protocols and scores the methods.

`metrics` defines the numbers; `report` writes them to files.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from foldin_model.errors import FoldinError

from foldin_trainer.data import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.fold_in.learning_curve import FoldInCurve, learning_curve
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.methods.genre_popularity import GenrePopularity
from foldin_trainer.evaluation.methods.served_model import RatingHeadAlone, Served, published
from foldin_trainer.evaluation.methods.tuned_references import tuned_als, tuned_ease
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.protocols.given_split import GivenSplit
from foldin_trainer.evaluation.protocols.trials import (
    COLD_ITEMS,
    COLD_MASKING,
    FOLD_IN,
    GIVEN,
    MASKING,
    ProtocolSettings,
    trials,
)
from foldin_trainer.evaluation.trial_scores import run_trials
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Trained, train

METHODS: Final = (
    *("popularity", "item-mean", "rating-head", "ease", "implicit-als"),
    "genre-popularity",
)
"""The methods that foldin may be compared with."""
BASELINES: Final = METHODS[:3]

Say = Callable[[str], None]
_Result = tuple[Outcome | FoldInCurve, Trained]


def _silent(_: str) -> None:
    pass


@dataclass(slots=True)
class MethodFitter:
    """Fits the methods to compare and the model that would be served.

    It keeps the first model that it trained. References are tuned on every training part.
    """

    dataset: Dataset
    settings: TrainSettings
    say: Say
    methods: Sequence[str] = BASELINES
    first: Trained | None = None

    def fit(self, part: Ratings) -> Sequence[Method]:
        """Returns the methods of every table, fitted to `part` alone; foldin is the last."""
        started = time.perf_counter()
        trained = train(replace(self.dataset, ratings=part), self.settings)
        self.say(f"  trained on {len(part):,} ratings in {time.perf_counter() - started:.1f} s")
        self.first = self.first or trained
        served = Served.of(published(trained, part), trained.users, part.item_ids)
        fitted = [found for name in self.methods for found in self._fitted(name, part, served)]
        return [*fitted, served]

    def _fitted(self, name: str, part: Ratings, served: Served) -> Sequence[Method]:
        match name:
            case "popularity":
                return [Popularity.fit(part)]
            case "item-mean":
                return [ItemMean.fit(part)]
            case "rating-head":
                return [RatingHeadAlone(served, f"{self.settings.rating_head} alone")]
            case "genre-popularity":
                return [GenrePopularity.fit(part, self.dataset.items)]
            case "ease":
                self.say("  tuning EASE")
                return tuned_ease(part)
            case "implicit-als":
                self.say("  tuning implicit ALS")
                return tuned_als(part)
            case _:
                raise ValueError(f"no method {name!r}; there are {', '.join(METHODS)}")


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The outcomes in the requested order, the curve of fold-in, and the first trained model.

    `notes` say which protocols were left out, and why.
    """

    dataset: Dataset
    settings: ProtocolSettings
    outcomes: tuple[Outcome, ...]
    curve: FoldInCurve | None
    trained: Trained
    notes: tuple[str, ...] = ()

    @property
    def protocols(self) -> list[str]:
        """The names of the protocols that have a result."""
        curve = [] if self.curve is None else [FOLD_IN]
        return [*(outcome.protocol for outcome in self.outcomes), *curve]


@dataclass(frozen=True, slots=True)
class Plan:
    """The protocols, settings and methods of an evaluation, with `count` items a list.

    `by_default` says that the caller named no protocols: one that the data does not allow is then
    left out with a note, else it is an error.
    """

    protocols: Sequence[str]
    protocol_settings: ProtocolSettings
    train_settings: TrainSettings
    count: int = 10
    methods: Sequence[str] = BASELINES
    given: GivenSplit | None = None
    say: Say = field(default=_silent)
    by_default: bool = False


def evaluate(dataset: Dataset, plan: Plan) -> Evaluation:
    """Returns the outcome of every protocol, each protocol once. Raises FoldinError, ValueError."""
    results: list[_Result] = []
    refused: dict[str, FoldinError] = {}
    protocols = tuple(dict.fromkeys(plan.protocols))
    for number, protocol in enumerate(protocols, start=1):
        plan.say(f"{protocol} ({number} of {len(protocols)})")
        try:
            results.append(_result(protocol, dataset, plan))
        except FoldinError as failure:
            if not plan.by_default:
                raise
            refused[protocol] = failure
            plan.say(f"  left out: {failure}")
    if not results:
        raise next(iter(refused.values()), ValueError("no protocol was asked for"))
    return Evaluation(
        dataset,
        plan.protocol_settings,
        tuple(found for found, _ in results if isinstance(found, Outcome)),
        next((found for found, _ in results if isinstance(found, FoldInCurve)), None),
        results[0][1],
        tuple(f"{protocol} is left out: {failure}" for protocol, failure in refused.items()),
    )


def _result(protocol: str, dataset: Dataset, plan: Plan) -> _Result:
    settings = plan.protocol_settings
    if protocol == FOLD_IN:
        curve = learning_curve(
            dataset,
            plan.train_settings,
            count=plan.count,
            folds=settings.folds,
            seed=settings.seed,
            say=plan.say,
        )
        return curve, curve.trained
    started = time.perf_counter()
    dataset = _ordered(dataset, protocol, settings)
    learner = MethodFitter(dataset, plan.train_settings, plan.say, plan.methods)
    given = plan.given if protocol == GIVEN else None
    asked = [given.trial] if given else trials(protocol, dataset.ratings, settings)
    found = run_trials(asked, learner.fit, plan.count, dataset.items)
    if learner.first is None:
        raise ValueError(f"{protocol} has no trial")
    seconds = time.perf_counter() - started
    outcome = Outcome(
        protocol,
        plan.count,
        seconds,
        found,
        settings.seed,
        given.masking if given else COLD_MASKING if protocol == COLD_ITEMS else MASKING,
        given.notes if given else (),
    )
    return outcome, learner.first


def _ordered(dataset: Dataset, protocol: str, settings: ProtocolSettings) -> Dataset:
    """Returns the data set with items in an order that does not reveal the hidden ratings.

    In file order, items with more ratings tend to come earlier. A method that knows nothing about
    cold items scores them alike, so their order would decide.
    """
    return dataset.with_items_shuffled(settings.seed) if protocol == COLD_ITEMS else dataset
