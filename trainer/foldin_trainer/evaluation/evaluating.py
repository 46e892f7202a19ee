"""A whole evaluation: trains on every trial of the protocols, scores, and writes what it found.

What is asked for comes from the command line; what the numbers mean is in the metric modules.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from foldin_trainer.data import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation import figures
from foldin_trainer.evaluation.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.methods import Method
from foldin_trainer.evaluation.protocols import ProtocolSettings, trials
from foldin_trainer.evaluation.report import Outcome, rows, write_json
from foldin_trainer.evaluation.scoring import run
from foldin_trainer.evaluation.served import RatingHeadAlone, Served, published
from foldin_trainer.learning.training import Trained, TrainSettings, train

REPORT: Final = "evaluation.json"

Say = Callable[[str], None]


@dataclass(slots=True)
class Learner:
    """Fits the baselines and the model that would be served; keeps the first model it trained."""

    dataset: Dataset
    settings: TrainSettings
    say: Say
    first: Trained | None = None

    def fit(self, part: Ratings) -> Sequence[Method]:
        """The methods of every table, learned from `part` of the ratings alone."""
        started = time.perf_counter()
        trained = train(replace(self.dataset, ratings=part), self.settings)
        self.say(f"  trained on {len(part):,} ratings in {time.perf_counter() - started:.1f} s")
        self.first = self.first or trained
        served = Served.of(published(trained, part), trained.users, part.item_ids)
        return [Popularity.fit(part), ItemMean.fit(part), RatingHeadAlone(served), served]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Outcomes in the order asked for, and the first model behind them."""

    dataset: Dataset
    settings: ProtocolSettings
    outcomes: tuple[Outcome, ...]
    trained: Trained


def evaluate(
    dataset: Dataset,
    protocols: Sequence[str],
    protocol_settings: ProtocolSettings,
    train_settings: TrainSettings,
    count: int,
    *,
    say: Say = lambda _: None,
) -> Evaluation:
    """Every protocol's outcome with `count` items a list. Raises FoldinError, ValueError."""
    learner = Learner(dataset, train_settings, say)
    outcomes = []
    for protocol in protocols:
        say(f"{protocol} ...")
        started = time.perf_counter()
        found = run(trials(protocol, dataset.ratings, protocol_settings), learner.fit, count)
        outcomes.append(Outcome(protocol, count, time.perf_counter() - started, found))
    if learner.first is None:
        raise ValueError("no protocol was asked for")
    return Evaluation(dataset, protocol_settings, tuple(outcomes), learner.first)


def write(evaluation: Evaluation, folder: Path) -> list[Path]:
    """The folder holds the JSON report and the figures; their paths, the report first."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = _draw(evaluation, folder)
    report = folder / REPORT
    write_json(report, _document(evaluation, pictures))
    return [report, *pictures]


def _document(evaluation: Evaluation, pictures: Sequence[Path]) -> dict[str, object]:
    dataset, trained = evaluation.dataset, evaluation.trained
    return {
        "data": {
            "name": dataset.report.name,
            "ratings": len(dataset.ratings),
            "users": len(dataset.ratings.user_ids),
            "items": len(dataset.ratings.item_ids),
            "hash": dataset.ratings.hash,
        },
        "protocol_settings": asdict(evaluation.settings),
        "train_settings": trained.settings.flat(),
        "protocols": [
            {
                "protocol": outcome.protocol,
                "k": outcome.count,
                "seconds": round(outcome.seconds, 1),
                "rows": rows(outcome),
            }
            for outcome in evaluation.outcomes
        ],
        "learning_curve": [asdict(epoch) for epoch in trained.history],
        "figures": [picture.name for picture in pictures],
    }


def _draw(evaluation: Evaluation, folder: Path) -> list[Path]:
    trained = evaluation.trained
    curve, histogram, item_map = (
        folder / f"{name}.png" for name in ("learning_curve", "rating_histogram", "item_map")
    )
    errors = [epoch.rmse for epoch in trained.history if epoch.rmse is not None]
    losses = [epoch.loss for epoch in trained.history if epoch.rmse is not None]
    figures.draw_learning_curve(curve, losses, errors)
    figures.draw_rating_histogram(histogram, evaluation.dataset.ratings.values)
    figures.draw_item_map(item_map, trained.model.similarity, trained.model.catalog)
    pictures = [curve, histogram, item_map]
    for outcome in evaluation.outcomes:
        pictures.append(folder / f"activity_{outcome.protocol}.png")
        figures.draw_activity(pictures[-1], outcome.protocol, outcome.scores, outcome.count)
    return pictures
