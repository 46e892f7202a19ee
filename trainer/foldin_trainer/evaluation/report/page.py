"""The HTML report: one file that refers to nothing outside itself, for light and dark screens.

The markup is in `templates/`; here are the values that fill it. Jinja2 escapes them all but the
SVG of figures, where matplotlib escapes the text. The numbers are those of the JSON document.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from foldin_trainer.evaluation.evaluation_run import Evaluation
from foldin_trainer.evaluation.fold_in.learning_curve import NO_FOLD_IN, THREE_STEPS, FoldInCurve
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.report.canvas import (
    DARK_OTHERS,
    DARK_OURS,
    OTHERS,
    OURS,
    ReportFigure,
)
from foldin_trainer.evaluation.report.document import INTERVALS
from foldin_trainer.evaluation.report.summary import summary_of_curve, summary_of_outcome
from foldin_trainer.evaluation.report.tables import interval_text, significance_mark
from foldin_trainer.metrics.comparison import LEVEL
from foldin_trainer.metrics.intervals import Interval

ACCURACY: Final = ("rmse", "mae", "recall@{k}", "ndcg@{k}", "map@{k}", "liked_ndcg@{k}")
BEYOND: Final = {
    "coverage": "coverage",
    "novelty_bits": "novelty, bits",
    "mean_popularity": "popularity",
    "popularity_lift": "popularity lift",
    "gini": "Gini",
    "miscalibration": "miscalibration",
    "diversity": "diversity",
}
EXPLAINED: Final = (
    "Coverage: share of the catalog in any user's list. Novelty: mean self-information of a "
    "recommended item. Popularity: its mean number of training ratings; lift: how much higher that "
    "is than for the items users rated. Gini: inequality of exposure, 0 is even. Miscalibration: "
    "divergence of a list's genres from those of the user's history, 0 is the same. Diversity: "
    "mean distance in genres of two items of a list, 1 if they share none."
)
SETTINGS: Final = ("data", "seed", "method", "protocol_settings", "train_settings", "libraries")


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, and under it the ends of its interval; empty where it has none."""

    text: str
    ends: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One method; `ours` is set in bold."""

    method: str
    cells: tuple[Cell, ...]
    ours: bool


@dataclass(frozen=True, slots=True)
class PageTable:
    """Methods down, `columns` across; the first column is the method's name."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A protocol, or the learning curve of fold-in."""

    name: str
    summary: str
    about: str
    tables: tuple[PageTable, ...]
    figures: tuple[ReportFigure, ...]


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings under one heading; those that are a single value have none."""

    heading: str | None
    facts: tuple[tuple[str, str], ...]


def page(
    evaluation: Evaluation, document: Mapping[str, object], figures: Sequence[ReportFigure]
) -> str:
    """Returns the report as HTML; `document` is the JSON document of the same evaluation."""
    ratings = evaluation.dataset.ratings
    by_protocol = {
        outcome.protocol: [f for f in figures if f.name.endswith(f"_{outcome.protocol}")]
        for outcome in evaluation.outcomes
    }
    of_curve = [f for f in figures if evaluation.curve is not None and f.name == "fold_in"]
    shown = {f.name for own in (*by_protocol.values(), of_curve) for f in own}
    environment = Environment(
        loader=PackageLoader("foldin_trainer.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.jinja").render(
        name=evaluation.dataset.report.name,
        about=(
            f"{len(ratings):,} ratings of {len(ratings.item_ids):,} items by "
            f"{len(ratings.user_ids):,} users, model {evaluation.trained.settings.method}, "
            f"seed {evaluation.settings.seed}. Intervals: {INTERVALS}"
        ),
        notes=evaluation.notes,
        protocols=[_protocol(o, by_protocol[o.protocol]) for o in evaluation.outcomes],
        curve=None if evaluation.curve is None else _curve(evaluation.curve, of_curve),
        figures=[figure for figure in figures if figure.name not in shown],
        settings=[_settings(name, document[name]) for name in SETTINGS],
        light={"ours": OURS, "others": OTHERS},
        dark={"ours": DARK_OURS, "others": DARK_OTHERS},
    )


def _protocol(outcome: Outcome, figures: Iterable[ReportFigure]) -> Section:
    k = outcome.count
    labels = {metric: _label(metric) for metric in (name.format(k=k) for name in ACCURACY)}
    notes = " ".join((outcome.masking, *outcome.remarks))
    return Section(
        outcome.protocol,
        summary_of_outcome(outcome),
        f"{notes} Trained and scored in {outcome.seconds:,.0f} s.",
        (
            _table(outcome, labels, f"Accuracy, first {k} items. {_starred('foldin')}"),
            _table(outcome, BEYOND, f"{EXPLAINED} {_starred('foldin')}"),
        ),
        tuple(figures),
    )


def _table(outcome: Outcome, metrics: Mapping[str, str], caption: str) -> PageTable:
    intervals = outcome.comparison.intervals
    there = [m for m in metrics if any(m in own for own in intervals.values())]
    rows = []
    for method, own in intervals.items():
        cells = tuple(_cell(own.get(m), significance_mark(outcome, method, m)) for m in there)
        rows.append(TableRow(method, cells, ours=method == "foldin"))
    return PageTable(caption, ("method", *(metrics[m] for m in there)), tuple(rows))


def _curve(curve: FoldInCurve, figures: Iterable[ReportFigure]) -> Section:
    about = (
        f"Users of one of {curve.folds} folds are held out; their first ratings in time are folded "
        "in, or everything is trained again with them, and all methods predict what they rated "
        "after the first twenty (or after those given). The shrinkage of fold-in and of the full "
        "retrain is tuned alike on users inside the training part; so are ridge "
        f"(λ = {curve.plain.ridge:g}) and SGD (rate {curve.plain.rate:g}). {curve.seconds:,.0f} s."
    )
    gaps = ", ".join(f"{point.gap:+.4f}" for point in curve.points)
    gap_note = f" Three steps minus the better full retrain: {gaps}. {NO_FOLD_IN}: the mean user."
    tables = (
        _curve_table(curve, "rmse", "RMSE", gap_note),
        _curve_table(curve, f"ndcg@{curve.count}", f"NDCG@{curve.count}"),
    )
    return Section("fold-in", summary_of_curve(curve.points), about, tables, tuple(figures))


def _curve_table(curve: FoldInCurve, metric: str, label: str, note: str = "") -> PageTable:
    rows = []
    for name in dict.fromkeys(n for point in curve.points for n in point.comparison.intervals):
        found = [point.comparison.intervals[name].get(metric) for point in curve.points]
        if not any(found):
            continue
        cells = []
        for point, interval in zip(curve.points, found, strict=True):
            apart = point.comparison.difference(name, metric)
            cells.append(_cell(interval, "*" if apart and apart.significant else "", digits=4))
        rows.append(TableRow(name, tuple(cells), ours=name == THREE_STEPS))
    users = ", ".join(f"{point.users:,}" for point in curve.points)
    return PageTable(
        f"{label} of {users} users. {_starred(THREE_STEPS)}{note}",
        ("method", *(f"{point.ratings} ratings" for point in curve.points)),
        tuple(rows),
    )


def _cell(interval: Interval | None, star: str, *, digits: int | None = None) -> Cell:
    if interval is None or not math.isfinite(interval.estimate):
        return Cell("–")
    places = digits if digits is not None else 4 if abs(interval.estimate) < 1 else 2
    return Cell(f"{interval.estimate:.{places}f}{star}", interval_text(interval, places))


def _settings(name: str, value: object) -> SettingGroup:
    if isinstance(value, Mapping):
        facts = tuple((str(key), _shown(own)) for key, own in value.items())
        return SettingGroup(name.replace("_", " "), facts)
    return SettingGroup(None, ((name, _shown(value)),))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _label(metric: str) -> str:
    names = {"_": " ", "rmse": "RMSE", "mae": "MAE", "ndcg": "NDCG", "map@": "MAP@"}
    for key, shown in names.items():
        metric = metric.replace(key, shown)
    return metric


def _starred(ours: str) -> str:
    return f"* differs from {ours} ({LEVEL:.0%}, Holm)."
