"""The accuracy tables: `python benchmarks/accuracy.py`, on ml-latest-small and ml-100k.

Prints them and writes benchmarks/results/accuracy.json. All scores are those of the vectors as
served; references are tuned in the same run on users inside the training part.
"""

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np
from foldin_model.folding import fold
from foldin_model.snapshot import Snapshot
from foldin_trainer.data import Dataset, Ratings, load_dataset
from foldin_trainer.evaluation.evaluating import Learner
from foldin_trainer.evaluation.fold_in import agreement
from foldin_trainer.evaluation.intervals import mean_interval, ratio_interval
from foldin_trainer.evaluation.methods import Method
from foldin_trainer.evaluation.protocols import ProtocolSettings, trials
from foldin_trainer.evaluation.report import Outcome, Value, ranking_table, rating_table, rows
from foldin_trainer.evaluation.retraining import against_retrain
from foldin_trainer.evaluation.scoring import Scores, run
from foldin_trainer.evaluation.served import Served
from foldin_trainer.evaluation.similar_items import next_item_hits
from foldin_trainer.evaluation.tuning import tuned_references
from foldin_trainer.learning.training import TrainSettings
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

DATA = ("ml-latest-small", "ml-100k")
RESULTS = Path(__file__).parent / "results" / "accuracy.json"
COUNT = 10
HISTORY_SIZES = (1, 2, 5, 10, 20, 50, 200, 1_000, 2_000)
TIMED_RATINGS = 50
BASELINES = ("popularity", "item mean", "mf alone")
RMSE_LIMITS = {"ml-latest-small": 0.855, "ml-100k": 0.912}
HELD_OUT = "held-out-users"

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Bar:
    """A number that foldin has to reach."""

    id: str
    bar: str
    must: float
    aim: float | None
    better: str


BARS = (
    Bar("accuracy.rmse.ml-100k", "RMSE, ML-100K, 5 folds", 0.8705, 0.8660, "lower"),
    Bar("accuracy.rmse.ml-latest-small", "RMSE, ml-latest-small, 5 folds", 0.7955, 0.7890, "lower"),
    *(
        Bar(
            f"accuracy.ndcg.{data}.{target}",
            f"NDCG@10 over the better of EASE and implicit ALS, {data}, {which} ratings, times",
            1.0,
            aim,
            "higher",
        )
        for data in DATA
        for target, which, aim in (("all", "all held-out", 1.04), ("liked", "liked", 1.06))
    ),
    Bar("accuracy.foldin", "fold-in minus full retrain, 1-20 ratings, RMSE", 0.002, 0.0, "lower"),
)


@dataclass(slots=True, eq=False)
class Bench:
    """The tables of one data set as they come.

    `measured` is by the ids of `BARS`; `limits` are what every release has to keep besides.
    """

    dataset: Dataset
    settings: TrainSettings
    console: Console
    rows: list[Row] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    limits: list[Row] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The data set's."""
        return self.dataset.report.name

    def rating(self) -> None:
        """RMSE and MAE over five folds of the ratings in file order."""
        scores = self._run("kfold", Learner(self.dataset, self.settings, print).fit)
        found = next(s for s in scores if s.method == "foldin")
        rmse = self.measured[f"accuracy.rmse.{self.name}"] = float(np.mean(found.rmse))
        if self.name in RMSE_LIMITS:
            self._limit("RMSE, 5 folds", "at most", RMSE_LIMITS[self.name], rmse)

    def ranking(self) -> None:
        """Held-out users: foldin, baselines, tuned references; fold-in and similar items beside."""
        learner = Learner(self.dataset, self.settings, print)
        snapshots: list[Snapshot] = []

        def fit(part: Ratings) -> Sequence[Method]:
            methods = learner.fit(part)
            snapshots.extend(m.snapshot for m in methods if isinstance(m, Served))
            return [*methods, *tuned_references(part)]

        scores = {found.method: found for found in self._run(HELD_OUT, fit)}
        self._ratios(scores)
        ours = float(scores["foldin"].everything.ndcg.mean())
        for other, limit in (("implicit ALS", 0.93), *((name, 1.0) for name in BASELINES)):
            theirs = float(scores[other].everything.ndcg.mean())
            self._limit(f"NDCG@{COUNT} over {other}", "at least", limit, ours / theirs)
        self._steps(snapshots)
        self._similar(snapshots)

    def retraining(self) -> None:
        """Fold-in against a full retrain for the first ratings of held-out users."""
        gaps = list(against_retrain(self.dataset, self.settings))
        self._add("fold-in and retrain", [asdict(gap) | {"gap": gap.gap} for gap in gaps])
        largest = max(gap.gap for gap in gaps)
        self._limit("fold-in RMSE minus retrain, three steps", "at most", 0.0, largest)
        if self.name == "ml-100k":
            self.measured["accuracy.foldin"] = largest

    def _run(self, protocol: str, fit: Callable[[Ratings], Sequence[Method]]) -> tuple[Scores, ...]:
        started = time.perf_counter()
        found = run(trials(protocol, self.dataset.ratings, ProtocolSettings()), fit, COUNT)
        seconds = time.perf_counter() - started
        outcome = Outcome(protocol, COUNT, seconds, found)
        self.rows += [{"data": self.name, "table": protocol, **row} for row in rows(outcome)]
        for table in (rating_table(outcome), ranking_table(outcome)):
            self.console.print(self.name, table or "")
        return found

    def _ratios(self, scores: dict[str, Scores]) -> None:
        ours = scores["foldin"]
        references = [name for name in scores if name.startswith(("EASE", "implicit ALS"))]
        table: list[Row] = []
        for target in ("all", "liked"):
            found = [
                (name, ratio_interval(_ndcg(ours, target), _ndcg(scores[name], target)))
                for name in references
            ]
            table += [{"target": target, "over": name, **asdict(r)} for name, r in found]
            least = min(ratio.estimate for _, ratio in found)
            self.measured[f"accuracy.ndcg.{self.name}.{target}"] = least
        self._add("foldin NDCG@10 over the references", table)

    def _steps(self, snapshots: Sequence[Snapshot]) -> None:
        folds = trials(HELD_OUT, self.dataset.ratings, ProtocolSettings())
        questions = [
            (snapshot.model, trial.cases) for snapshot, trial in zip(snapshots, folds, strict=True)
        ]
        found = list(agreement(questions, HISTORY_SIZES))
        self._add(
            "three steps and the exact solve",
            [asdict(entry) | {"rmse_ratio": entry.rmse_ratio} for entry in found],
        )
        self._limit(
            "three steps: RMSE over exact", "at most", 1.005, max(e.rmse_ratio for e in found)
        )
        self._limit(f"three steps: overlap@{COUNT}", "at least", 0.9, min(e.overlap for e in found))
        self._limit(
            f"µs of a fold-in, both heads, {TIMED_RATINGS} ratings",
            "below",
            200.0,
            _fold_us(snapshots[0]),
        )

    def _similar(self, snapshots: Sequence[Snapshot]) -> None:
        everything = self.dataset.ratings
        parts = []
        for snapshot, trial in zip(
            snapshots, trials(HELD_OUT, everything, ProtocolSettings()), strict=True
        ):
            others = everything.take(~np.isin(everything.users, trial.train.users))
            parts.append(next_item_hits(snapshot, trial.train, others, count=COUNT))
        hits = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._add(
            "similar items: next co-rated item among the first 10",
            [
                {"method": name, "questions": len(found), **asdict(mean_interval(found))}
                for name, found in hits.items()
            ],
        )
        best = max(float(found.mean()) for name, found in hits.items() if name != "foldin")
        ratio = float(hits["foldin"].mean()) / best
        self._limit("similar items over the best other way", "at least", 1.0, ratio)

    def _limit(self, what: str, how: str, limit: float, measured: float) -> None:
        row: Row = {"data": self.name, "what": what, "limit": f"{how} {limit:g}"}
        self.limits.append(row | {"measured": measured})

    def _add(self, table: str, found: Sequence[Row]) -> None:
        self.rows += [{"data": self.name, "table": table, **row} for row in found]
        self.console.print(_table(f"{self.name} · {table}", found))


def _ndcg(scores: Scores, target: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return scores.everything.ndcg if target == "all" else scores.liked.ndcg


def _fold_us(snapshot: Snapshot) -> float:
    """Median µs of one exact fold-in of both heads with 50 ratings."""
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


def _table(title: str, found: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in found[0]:
        number = isinstance(found[0][name], int | float)
        table.add_column(name.replace("_", " "), justify="right" if number else "left")
    for row in found:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
    return "-" if value is None else str(value)


@click.command()
@click.option("--data", "names", multiple=True, default=DATA, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(names: tuple[str, ...], out: Path) -> None:
    """Run every table and write the results."""
    console = Console(width=150)
    started = time.time()
    found: list[Row] = []
    limits: list[Row] = []
    measured: dict[str, float] = {}
    for name in names:
        bench = Bench(load_dataset(name), TrainSettings(), console)
        bench.rating()
        bench.ranking()
        bench.retraining()
        found += bench.rows
        limits += bench.limits
        measured |= bench.measured
    bars = [asdict(bar) | {"measured": measured[bar.id]} for bar in BARS if bar.id in measured]
    console.print(_table("limits", limits))
    if bars:
        console.print(_table("bars", [{k: row[k] for k in row if k != "bar"} for row in bars]))
    document = {
        "seconds": round(time.time() - started),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in ("numpy", "torch", "implicit", "faiss-cpu")},
        "rows": [*found, *({"table": "limits", **row} for row in limits)],
        "bars": bars,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
    console.print(f"written: {out}")


if __name__ == "__main__":
    main()
