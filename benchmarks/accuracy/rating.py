"""RMSE over five folds of the ratings in file order, foldin beside the peers."""

from dataclasses import dataclass, field, replace

import numpy as np
from foldin_model.arrays import Doubles
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.data.splits import kfold
from foldin_trainer.evaluation.methods.baselines import ItemMean
from foldin_trainer.evaluation.methods.served_model import Served, published
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import train
from foldin_trainer.metrics.cases import make_cases
from foldin_trainer.metrics.comparison import compare_measures
from foldin_trainer.metrics.measures import Ratio
from foldin_trainer.metrics.rating_metrics import rmse

from benchmarks.accuracy.findings import Findings, Row
from benchmarks.accuracy.peers import PEERS

FOLDS = 5
OURS = "foldin"
WIDEST = 128
LIMITS = {"ml-latest-small": 0.855, "ml-100k": 0.912}  # of mf


@dataclass(slots=True, eq=False)
class _Errors:
    """Squared errors of one method, summed by user and fold, and how many: (users, folds)."""

    above: Doubles
    below: Doubles
    rmse: list[float] = field(default_factory=list)

    def count(self, fold: int, test: Ratings, predicted: Doubles) -> None:
        users = len(self.above)
        squares = (predicted - test.values) ** 2
        self.above[:, fold] = np.bincount(test.users, squares, users)
        self.below[:, fold] = np.bincount(test.users, minlength=users)
        self.rmse.append(rmse(predicted, test.values))


def rating(dataset: Dataset, settings: TrainSettings) -> Findings:
    """Returns the table and the bar of the data set."""
    name, ratings = dataset.report.name, dataset.ratings
    users = len(ratings.user_ids)
    mf = f"{OURS}, mf"
    methods = ("item mean", *PEERS, mf, OURS)
    errors = {m: _Errors(*np.zeros((2, users, FOLDS))) for m in methods}
    width = 0
    for fold, (kept, hidden) in enumerate(kfold(ratings, FOLDS, 0)):
        known, test = ratings.take(kept), ratings.take(hidden)
        test = test.take(np.lexsort((test.items, test.users)))  # as cases have them
        cases = make_cases(known, test)
        errors["item mean"].count(fold, test, ItemMean.fit(known).predict(cases))
        for peer, predict in PEERS.items():
            errors[peer].count(fold, test, predict(dataset, known, test))
        part = replace(dataset, ratings=known)
        for label, chosen in ((mf, TrainSettings()), (OURS, settings)):
            trained = train(part, chosen)
            served = Served.of(published(trained, known), trained.users, known.item_ids)
            errors[label].count(fold, test, served.predict(cases))
            width = trained.model.dimension
        print(f"{name}: fold {fold + 1}, RMSE {errors[OURS].rmse[-1]:.4f}", flush=True)
    found = Findings(name)
    found.add("RMSE, 5 folds", _rows(errors, users))
    found.measured[f"accuracy.rmse.{name}"] = float(np.mean(errors[OURS].rmse))
    if name in LIMITS:
        found.limit("RMSE of mf, 5 folds", "at most", LIMITS[name], float(np.mean(errors[mf].rmse)))
    found.limit("numbers of a served item vector", "at most", WIDEST, width)
    return found


def _rows(errors: dict[str, _Errors], users: int) -> list[Row]:
    measures = {m: {"rmse": Ratio(e.above, e.below, np.sqrt)} for m, e in errors.items()}
    compared = compare_measures(measures, users, ours=OURS)
    rows: list[Row] = []
    for method, found in errors.items():
        interval = compared.intervals[method]["rmse"]
        difference = compared.difference(method, "rmse")
        rows.append(
            {
                "method": method,
                "rmse": float(np.mean(found.rmse)),
                "low": interval.low,
                "high": interval.high,
                "foldin_minus": None if difference is None else difference.interval.estimate,
                "p_holm": None if difference is None else difference.p_holm,
            }
        )
    return rows
