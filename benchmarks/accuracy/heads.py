"""Held-out users: lists of every ranking head that foldin can be trained with."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.served_model import Served, published
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, trials
from foldin_trainer.evaluation.report.tables import difference_rows, rows
from foldin_trainer.evaluation.trial_scores import run_trials
from foldin_trainer.learning.heads import RANKING_HEADS
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import train

from benchmarks.accuracy.findings import Findings

COUNT: Final = 10
PROTOCOL: Final = "held-out-users"


def heads(dataset: Dataset, settings: TrainSettings) -> Findings:
    """Returns lists of the default head, called foldin, and of every other ranking head."""
    folds = 0
    others = [name for name in RANKING_HEADS if name != settings.ranking_head]

    def fit(part: Ratings) -> Sequence[Method]:
        nonlocal folds
        folds += 1
        methods = [_served(dataset, part, settings)]
        for head in others:
            other = _served(dataset, part, replace(settings, ranking_head=head))
            methods.append(replace(other, name=f"foldin, {head}"))
            print(f"{dataset.report.name}: {head}, fold {folds}", flush=True)
        return methods

    started = time.perf_counter()
    scores = run_trials(
        trials(PROTOCOL, dataset.ratings, ProtocolSettings()), fit, COUNT, dataset.items
    )
    outcome = Outcome(PROTOCOL, COUNT, time.perf_counter() - started, scores)
    found = Findings(dataset.report.name)
    found.add("ranking heads", rows(outcome))
    found.add("ranking heads, foldin minus others", difference_rows(outcome))
    return found


def _served(dataset: Dataset, part: Ratings, settings: TrainSettings) -> Served:
    trained = train(replace(dataset, ratings=part), settings)
    return Served.of(published(trained, part), trained.users, part.item_ids)
