"""New users by the number of their first ratings, and items without ratings."""

from dataclasses import asdict, replace

import numpy as np
from foldin_trainer.data import Dataset
from foldin_trainer.evaluation.fold_in.retrain_gap import retrain_gaps
from foldin_trainer.evaluation.methods.genre_popularity import GenrePopularity
from foldin_trainer.evaluation.methods.served_model import Served, published
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, trials
from foldin_trainer.evaluation.trial_scores import score
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import train
from foldin_trainer.metrics.intervals import ratio_interval

from benchmarks.accuracy.findings import Findings

COLD_TRIALS = 3
COUNT = 10


def fold_in(dataset: Dataset, settings: TrainSettings) -> Findings:
    """Returns fold-in against a full retrain for the first ratings of held-out users."""
    found = Findings(dataset.report.name)
    gaps = list(retrain_gaps(dataset, settings))
    found.add("fold-in and retrain", [asdict(gap) for gap in gaps])
    found.measured["accuracy.foldin"] = max(gap.gap for gap in gaps)
    return found


def cold(dataset: Dataset, settings: TrainSettings) -> Findings:
    """Returns lists of items without ratings, for users who went on to rate some of them."""
    found = Findings(dataset.report.name)
    asked = ProtocolSettings(folds=COLD_TRIALS)
    # Ties are broken by row, and the order of the file tells which items will be rated most.
    dataset = dataset.with_items_shuffled(asked.seed)
    ours, theirs = [], []
    for trial in trials("cold-items", dataset.ratings, asked):
        trained = train(replace(dataset, ratings=trial.train), settings)
        snapshot = published(trained, trial.train)
        served = Served.of(snapshot, trained.users, trial.train.item_ids)
        ours.append(score(served, trial, COUNT).everything.ndcg)
        genres = GenrePopularity.fit(trial.train, dataset.items)
        theirs.append(score(genres, trial, COUNT).everything.ndcg)
    mine, others = np.concatenate(ours), np.concatenate(theirs)
    ratio = ratio_interval(mine, others)
    row = {"foldin": float(mine.mean()), "popularity of genre": float(others.mean())}
    found.add(f"cold items, NDCG@{COUNT}", [row | {"questions": len(mine), **asdict(ratio)}])
    found.measured["accuracy.cold"] = ratio.estimate
    return found
