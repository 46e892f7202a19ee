"""Held-out users: lists of foldin, baselines and tuned references, with the bars on them."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.fold_in.fold_in import fold
from foldin_model.trained.snapshot import Snapshot
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.evaluation.fold_in.agreement import agreement
from foldin_trainer.evaluation.method import Method
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.methods.served_model import RatingHeadAlone, Served, published
from foldin_trainer.evaluation.methods.tuned_references import tuned_references
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, trials
from foldin_trainer.evaluation.report.tables import difference_rows, rows
from foldin_trainer.evaluation.similar_items import next_item_hits
from foldin_trainer.evaluation.trial_scores import run_trials
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import train
from foldin_trainer.metrics.intervals import mean_interval, ratio_interval
from foldin_trainer.metrics.scores import Scores

from benchmarks.accuracy.findings import Findings, Row

COUNT = 10
PROTOCOL = "held-out-users"
BASELINES = ("popularity", "item mean", "rating head alone")
HISTORY_SIZES = (1, 2, 5, 10, 20, 50, 200, 1_000, 2_000)
TIMED_RATINGS = 50


def ranking(dataset: Dataset, settings: TrainSettings) -> Findings:
    """Returns the tables and the bars of the data set."""
    snapshots: list[Snapshot] = []

    def fit(part: Ratings) -> Sequence[Method]:
        trained = train(replace(dataset, ratings=part), settings)
        served = Served.of(published(trained, part), trained.users, part.item_ids)
        snapshots.append(served.snapshot)
        alone = RatingHeadAlone(served, BASELINES[2])
        print(f"{dataset.report.name}: held-out users, fold {len(snapshots)}", flush=True)
        return [
            *(Popularity.fit(part), ItemMean.fit(part), alone, served),
            *tuned_references(part),
        ]

    started = time.perf_counter()
    folds = trials(PROTOCOL, dataset.ratings, ProtocolSettings())
    scores = run_trials(folds, fit, COUNT, dataset.items)
    found = Findings(dataset.report.name)
    outcome = Outcome(PROTOCOL, COUNT, time.perf_counter() - started, scores)
    found.add(PROTOCOL, rows(outcome))
    found.add(f"{PROTOCOL}, foldin minus others", difference_rows(outcome))
    _ratios(found, {one.method: one for one in scores})
    _steps(found, dataset, snapshots)
    _similar(found, dataset, snapshots)
    return found


def _ratios(found: Findings, scores: dict[str, Scores]) -> None:
    ours = scores["foldin"]
    references = [name for name in scores if name.startswith(("EASE", "implicit ALS"))]
    table: list[Row] = []
    for target in ("all", "liked"):
        ratios = {
            name: ratio_interval(_ndcg(ours, target), _ndcg(scores[name], target))
            for name in references
        }
        table += [{"target": target, "over": n, **asdict(r)} for n, r in ratios.items()]
        least = min(ratio.estimate for ratio in ratios.values())
        found.measured[f"accuracy.ndcg.{found.data}.{target}"] = least
    found.add(f"foldin NDCG@{COUNT} over the references", table)
    mean = float(ours.everything.ndcg.mean())
    for other, limit in (("implicit ALS", 0.93), *((name, 1.0) for name in BASELINES)):
        theirs = float(scores[other].everything.ndcg.mean())
        found.limit(f"NDCG@{COUNT} over {other}", "at least", limit, mean / theirs)


def _steps(found: Findings, dataset: Dataset, snapshots: Sequence[Snapshot]) -> None:
    folds = trials(PROTOCOL, dataset.ratings, ProtocolSettings())
    questions = [
        (snapshot.model, trial.cases) for snapshot, trial in zip(snapshots, folds, strict=True)
    ]
    agreed = list(agreement(questions, HISTORY_SIZES))
    found.add(
        "three steps and the exact solve",
        [asdict(entry) | {"rmse_ratio": entry.rmse_ratio} for entry in agreed],
    )
    worst = max(entry.rmse_ratio for entry in agreed)
    found.limit("three steps: RMSE over exact", "at most", 1.005, worst)
    least = min(entry.overlap for entry in agreed)
    found.limit(f"three steps: overlap@{COUNT}", "at least", 0.9, least)
    name = f"µs of a fold-in, both heads, {TIMED_RATINGS} ratings"
    found.limit(name, "below", 200.0, _fold_us(snapshots[0]))


def _similar(found: Findings, dataset: Dataset, snapshots: Sequence[Snapshot]) -> None:
    everything = dataset.ratings
    parts = []
    for snapshot, trial in zip(
        snapshots, trials(PROTOCOL, everything, ProtocolSettings()), strict=True
    ):
        others = everything.take(np.flatnonzero(~np.isin(everything.users, trial.train.users)))
        parts.append(next_item_hits(snapshot, trial.train, others, count=COUNT))
    hits = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    table = [
        {"method": name, "questions": len(answers), **asdict(mean_interval(answers))}
        for name, answers in hits.items()
    ]
    found.add("similar items: next co-rated item among the first 10", table)
    best = max(float(answers.mean()) for name, answers in hits.items() if name != "foldin")
    ratio = float(hits["foldin"].mean()) / best
    found.limit("similar items over the best other way", "at least", 1.0, ratio)


def _ndcg(scores: Scores, target: str) -> Doubles:
    return scores.everything.ndcg if target == "all" else scores.liked.ndcg


def _fold_us(snapshot: Snapshot) -> float:
    """Returns the median µs of one exact fold-in of both heads with 50 ratings."""
    model, rng = snapshot.model, np.random.default_rng(0)
    spent = []
    for _ in range(500):
        rated = np.sort(rng.choice(len(snapshot), TIMED_RATINGS, replace=False)).astype(np.int32)
        values = rng.uniform(model.scale.low, model.scale.high, TIMED_RATINGS)
        started = time.perf_counter()
        for head in (model.ranking, model.rating):
            fold(head, rated, values, head.prior)
        spent.append(time.perf_counter() - started)
    return float(np.median(spent) * 1e6)
