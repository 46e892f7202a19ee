"""The JSON document of an evaluation: its data, settings, results and figures."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Final

from foldin_trainer.evaluation.evaluation_run import Evaluation
from foldin_trainer.evaluation.fold_in.learning_curve import FoldInCurve
from foldin_trainer.evaluation.outcome import TOO_FEW, Outcome
from foldin_trainer.evaluation.report.summary import summary_of_curve, summary_of_outcome
from foldin_trainer.evaluation.report.tables import (
    JsonRow,
    difference_rows,
    finite_or_none,
    interval_row,
    rows,
)
from foldin_trainer.metrics.comparison import LEVEL
from foldin_trainer.metrics.intervals import SAMPLES

LIBRARIES: Final = ("foldin", "numpy", "scipy", "scikit-learn", "torch", "implicit")
INTERVALS: Final = (
    f"95%, from {SAMPLES:,} bootstrap resamples of users, each with all their hidden ratings, from "
    "the seed; percentiles, but estimate ± 1.96 standard errors for coverage and Gini. Methods see "
    f"the same resamples; p is two-sided, p_holm corrected over a table's methods, and below "
    f"{LEVEL:g} a difference is significant; {TOO_FEW}."
)


def document(evaluation: Evaluation, figures: Sequence[str]) -> dict[str, object]:
    """Returns all content of the report as values of JSON; `figures` are file names."""
    dataset, trained = evaluation.dataset, evaluation.trained
    return {
        "data": {
            "name": dataset.report.name,
            "ratings": len(dataset.ratings),
            "users": len(dataset.ratings.user_ids),
            "items": len(dataset.ratings.item_ids),
            "hash": dataset.ratings.hash,
        },
        "seed": evaluation.settings.seed,
        "method": trained.settings.method,
        "protocol_settings": evaluation.settings.used_by(evaluation.protocols),
        "train_settings": trained.settings.flat(),
        "libraries": library_versions(),
        "intervals": INTERVALS,
        "notes": list(evaluation.notes),
        "protocols": [protocol_object(outcome) for outcome in evaluation.outcomes],
        "fold_in": None if evaluation.curve is None else curve_object(evaluation.curve),
        "learning_curve": [asdict(epoch) for epoch in trained.history],
        "figures": list(figures),
    }


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and the libraries that computed the numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def protocol_object(outcome: Outcome) -> dict[str, object]:
    """Returns one protocol: its rows, and the differences of foldin from every other method."""
    return {
        "protocol": outcome.protocol,
        "k": outcome.count,
        "seconds": round(outcome.seconds, 1),
        "masking": outcome.masking,
        "notes": list(outcome.remarks),
        "summary": summary_of_outcome(outcome),
        "rows": rows(outcome),
        "differences": difference_rows(outcome),
    }


def curve_object(curve: FoldInCurve) -> dict[str, object]:
    """Returns the learning curve of fold-in: a row for each number of ratings and method."""
    return {
        "seconds": round(curve.seconds, 1),
        "summary": summary_of_curve(curve.points),
        "largest_gap_to_retrain": max(
            (p.gap for p in curve.points if p.ratings <= 20), default=None
        ),
        "sgd_learning_rate": curve.plain.rate,
        "ridge": curve.plain.ridge,
        "rows": curve_rows(curve),
    }


def curve_rows(curve: FoldInCurve) -> list[JsonRow]:
    """Returns the rows of the learning curve, with the differences of three steps."""
    found: list[JsonRow] = []
    for point in curve.points:
        for method, own in point.comparison.intervals.items():
            for metric, interval in own.items():
                apart = point.comparison.difference(method, metric)
                row: dict[str, float | int | str | None] = {
                    "ratings": point.ratings,
                    "users": point.users,
                    "method": method,
                    "metric": metric,
                    **interval_row(interval),
                }
                if apart is not None:
                    row["steps_minus_this"] = finite_or_none(apart.interval.estimate)
                    row["steps_minus_this_low"] = finite_or_none(apart.interval.low)
                    row["steps_minus_this_high"] = finite_or_none(apart.interval.high)
                    row["p_holm"] = finite_or_none(apart.p_holm)
                found.append(row)
    return found
